/* Queues that QUEUE_SET makes and QUEUE_REMOVE takes away while the daemon runs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "jobs_internal.h"

#define RETRY(...) ((struct request){.verb = VERB_JOB_RETRY, .job_retry = {__VA_ARGS__}})
#define MAIL(...)  SUBMIT(.queue = TEXT("mail"), ##__VA_ARGS__)

enum { OTHER = 1000 };

static struct request set(const char *name, const char *settings)
{
    return (struct request){.verb = VERB_QUEUE_SET,
                            .queue_set = {{name, strlen(name)}, {settings, strlen(settings)}}};
}

static struct request gone(const char *name)
{
    return (struct request){.verb = VERB_QUEUE_REMOVE, .queue_remove = {{name, strlen(name)}}};
}

static struct request list(void)
{
    return (struct request){.verb = VERB_QUEUE_LIST};
}

/* How many queues there are in memory, those that nobody finds among them. */
static size_t in_memory(const struct jobs_fixture *f)
{
    return f->core->jobs->queue_names.count;
}

/* Runs a job to its end; the host stays. */
static uint64_t run(struct jobs_fixture *f, struct client *c, struct request job, enum job_cause cause)
{
    uint64_t id = submit(f, c, job);
    struct client *host = host_there(f);

    done(f, host, begin(f, host), cause, cause == CAUSE_NONE ? 0 : -EIO);
    return id;
}

static uint64_t ended(struct jobs_fixture *f, struct client *c)
{
    return run(f, c, MAIL(), CAUSE_NONE);
}

/* The queue is not removed, and this is what it says of that. */
static void assert_held(struct jobs_fixture *f, struct client *c, const char *words)
{
    struct seen *seen = ask_ok(f, c, gone("mail"), -EBUSY);

    if (!strstr(seen->text, words))
        fail_msg("'%s' is not in '%s'", words, seen->text);
}

static void test_what_is_set_of_no_queue_makes_it_and_says_so(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    ask_ok(f, root, MAIL(), -ENOENT);
    assert_int_equal(ask_ok(f, root, set("mail", "weight=2"), 0)->handle, 1);
    assert_int_equal(ask_ok(f, root, set("mail", "weight=3"), 0)->handle, 0);
    submit(f, root, MAIL());
    restart(f);
    root = client_new(f, 0);
    assert_int_equal(ask_ok(f, root, set("mail", "weight="), 0)->handle, 0);
    submit(f, root, MAIL());
}

static void test_a_queue_with_nothing_set_is_there_after_a_restart(void **state)
{
    struct jobs_fixture *f = *state;

    assert_int_equal(ask_ok(f, client_new(f, 0), set("mail", ""), 0)->handle, 1);
    restart(f);
    assert_int_equal(ask_ok(f, client_new(f, 0), list(), 0)->stats_n, 2);
}

static void test_what_makes_no_sense_makes_no_queue(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    ask_ok(f, root, set("mail", "colour=3"), -EINVAL);
    ask_ok(f, root, set("mail", ".made=1"), -EINVAL);
    assert_non_null(strstr(ask_ok(f, root, set("the mail", ""), -EINVAL)->text, "a queue's name has"));
    ask_ok(f, client_new(f, OTHER), set("mail", ""), -EPERM);
    ask_ok(f, client_new(f, OTHER), gone("default"), -EPERM);
    assert_int_equal(ask_ok(f, root, list(), 0)->stats_n, 1);
}

static void test_there_are_so_many_queues_and_no_more(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.queues_max = 2;
    restart(f);
    struct client *root = client_new(f, 0);
    ask_ok(f, root, set("mail", ""), 0);
    assert_non_null(strstr(ask_ok(f, root, set("post", ""), -ENOBUFS)->text, "queues_max"));
    ask_ok(f, root, gone("mail"), 0);
    ask_ok(f, root, set("post", ""), 0);
    f->limits.queues_max = 1;
    restart(f);
    assert_int_equal(ask_ok(f, client_new(f, 0), list(), 0)->stats_n, 2);
}

/* What is there for its ended jobs alone is no queue any more. */
static void test_queues_that_were_removed_do_not_count(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.queues_max = 2;
    restart(f);
    struct client *root = client_new(f, 0);
    ask_ok(f, root, set("mail", ""), 0);
    ended(f, root);
    ask_ok(f, root, gone("mail"), 0);
    assert_int_equal(in_memory(f), 2);
    ask_ok(f, root, set("post", ""), 0);
    ask_ok(f, root, set("mail", ""), -ENOBUFS);
    ask_ok(f, root, gone("post"), 0);
    ask_ok(f, root, set("mail", ""), 0);
}

/* One that nobody names goes in any case, and one of those that stay makes room when its jobs go or it is made again. */
static void test_so_many_removed_queues_stay_for_ended_jobs_and_no_more(void **state)
{
    struct jobs_fixture *f = *state;
    const struct request purge = {.verb = VERB_JOB_PURGE, .job_purge = {.states = 1u << JOB_DONE}};

    f->limits.queues_removed_max = 1;
    restart(f);
    struct client *root = client_new(f, 0);
    ask_ok(f, root, set("mail", ""), 0);
    ask_ok(f, root, set("post", ""), 0);
    ended(f, root);
    run(f, root, SUBMIT(.queue = TEXT("post")), CAUSE_NONE);
    ask_ok(f, root, gone("mail"), 0);
    for (int i = 0; i < 2; i++) {
        struct seen *seen = ask_ok(f, root, gone("post"), -ENOBUFS);
        assert_non_null(strstr(seen->text, "queue post has 1 ended jobs, and 1 removed queues"));
        assert_non_null(strstr(seen->text, "queues_removed_max; JOB_PURGE"));
        restart(f); /* it is kept as it was */
        root = client_new(f, 0);
    }
    ask_ok(f, root, set("idle", ""), 0);
    ask_ok(f, root, gone("idle"), 0);
    ask_ok(f, root, set("mail", ""), 0);
    ask_ok(f, root, gone("post"), 0);
    ask_ok(f, root, gone("mail"), -ENOBUFS);
    ask_ok(f, root, purge, 2);
    ask_ok(f, root, gone("mail"), 0);
    assert_int_equal(in_memory(f), 1);
}

static void test_workers_that_wait_keep_no_more_removed_queues_either(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.queues_removed_max = 0;
    restart(f);
    struct client *root = client_new(f, 0), *worker = client_new(f, 0);
    ask_ok(f, root, set("mail", ""), 0);
    ask(f, worker, (struct request){.verb = VERB_WORK_RESERVE, .work_reserve = {.queues = TEXT("mail")}});
    assert_non_null(strstr(ask_ok(f, root, gone("mail"), -ENOBUFS)->text, "workers wait for queue mail"));
    client_die(f, worker);
    ask_ok(f, root, gone("mail"), 0);
}

/* It is there for its jobs, and what is set of it makes it one that stays. */
static void test_what_is_set_of_a_queue_that_was_configured_once_keeps_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    set_queue(f, "mail", "");
    uint64_t job = submit(f, root, MAIL());
    restart(f);
    root = client_new(f, 0);
    assert_int_equal(ask_ok(f, root, set("mail", ""), 0)->handle, 0);
    assert_int_equal(cancel_job(f, root, job), 0);
    restart(f);
    assert_int_equal(ask_ok(f, client_new(f, 0), list(), 0)->stats_n, 2);
}

static void test_a_queue_that_was_removed_is_gone_for_good(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    ask_ok(f, root, gone("mail"), -ENOENT);
    ask_ok(f, root, set("mail", "weight=2"), 0);
    ask_ok(f, root, gone("mail"), 0);
    ask_ok(f, root, MAIL(), -ENOENT);
    ask_ok(f, root, (struct request){.verb = VERB_QUEUE_INFO, .queue_info = {TEXT("mail")}}, -ENOENT);
    assert_int_equal(in_memory(f), 1);
    restart(f);
    assert_int_equal(ask_ok(f, client_new(f, 0), list(), 0)->stats_n, 1);
}

static void test_a_queue_with_jobs_or_in_the_configuration_stays(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    set_queue(f, "told", "");
    assert_non_null(strstr(ask_ok(f, root, gone("told"), -EBUSY)->text, "stands in the configuration"));
    ask_ok(f, root, gone("default"), -EBUSY);
    ask_ok(f, root, set("mail", ""), 0);
    uint64_t job = submit(f, root, MAIL());
    assert_held(f, root, "has 1 jobs that wait and 0 that run; QUEUE_PURGE cancels those that wait");
    ask_ok(f, root, (struct request){.verb = VERB_JOB_CANCEL, .job_cancel = {.job = job}}, 0);
    ask_ok(f, root, gone("mail"), 0);
}

static void test_it_says_what_holds_a_queue_that_has_no_jobs(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);
    struct request schedule = {.verb = VERB_SCHEDULE_SET,
                               .schedule_set = {.name = TEXT("nightly"),
                                                .spec = TEXT("@daily"),
                                                .plugin = PLUGIN,
                                                .function = TEXT("count"),
                                                .queue = TEXT("mail")}},
                   feed = {.verb = VERB_FEED_SET,
                           .feed_set = {.name = TEXT("news"),
                                        .pattern = TEXT("k.>"),
                                        .plugin = PLUGIN,
                                        .function = TEXT("count"),
                                        .queue = TEXT("mail")}};

    ask_ok(f, root, set("mail", ""), 0);
    uint64_t first = ask(f, root, MAIL());
    assert_held(f, root, "or a change that waits for its plugin; try again");
    plugin_is(f, TEXT("g1"), false);
    cancel_job(f, root, answer(f, root, first)->handle);
    ask_ok(f, root, schedule, 0);
    assert_held(f, root, "schedule nightly puts jobs into queue mail; remove it, or set it to another queue");
    ask_ok(f, root, (struct request){.verb = VERB_SCHEDULE_REMOVE, .schedule_remove = {TEXT("nightly")}}, 0);
    ask_ok(f, root, feed, 0);
    assert_held(f, root, "feed news puts jobs into queue mail; remove it, or set it to another queue");
    ask_ok(f, root, (struct request){.verb = VERB_FEED_REMOVE, .feed_remove = {TEXT("news")}}, 0);
    ended(f, root);
    uint64_t job = submit(f, root, MAIL(.delay_ns = INT64_C(1000000000)));
    f->hold = true;
    cancel_job(f, root, job);
    assert_held(f, root, "queue mail has a job on its way to the store, or a change");
    f->hold = false;
    store_go_on(f, 0);
    ask_ok(f, root, gone("mail"), 0);
}

static void test_a_job_is_not_retried_while_its_queue_is_gone(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    ask_ok(f, root, set("mail", ""), 0);
    uint64_t job = run(f, root, MAIL(), CAUSE_ERROR), other = run(f, root, SUBMIT(), CAUSE_ERROR);
    ask_ok(f, root, gone("mail"), 0);
    for (int i = 0; i < 2; i++) {
        assert_non_null(strstr(ask_ok(f, root, RETRY(.job = job), -ENOENT)->text, "no queue mail any more"));
        ask_ok(f, root, RETRY(.states = 1u << JOB_FAILED, .queue = TEXT("mail")), 0);
        assert_int_equal(ask_ok(f, root, list(), 0)->stats_n, 1);
        restart(f);
        root = client_new(f, 0);
    }
    ask_ok(f, root, RETRY(.states = 1u << JOB_FAILED), 1);
    assert_state(f, root, other, JOB_READY, CAUSE_NONE);
    ask_ok(f, root, set("mail", ""), 0);
    ask_ok(f, root, RETRY(.job = job), 1);
    assert_state(f, root, job, JOB_READY, CAUSE_NONE);
}

static void test_jobs_that_have_ended_stay_when_their_queue_goes(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    ask_ok(f, root, set("mail", "retained_s=1"), 0);
    uint64_t job = ended(f, root);
    ask_ok(f, root, gone("mail"), 0);
    assert_int_equal(ask_ok(f, root, list(), 0)->stats_n, 1);
    advance_ms(f, 5000);
    ask_ok(f, root, LOOK(job), 0);
    assert_int_equal(in_memory(f), 2);
    ask_ok(f, root, (struct request){.verb = VERB_JOB_PURGE, .job_purge = {.states = 1u << JOB_DONE}}, 1);
    ask_ok(f, root, set("post", ""), 0); /* looks for those that nobody names */
    assert_int_equal(in_memory(f), 2);
}

/* Also after a restart they are none of the default queue. */
static void test_ended_jobs_of_a_queue_that_is_gone_stay_as_those_of_one_with_nothing_set(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    ask_ok(f, root, set("default", "retained_jobs=1"), 0);
    ask_ok(f, root, set("mail", ""), 0);
    uint64_t first = ended(f, root), second = ended(f, root);
    ask_ok(f, root, gone("mail"), 0);
    restart(f);
    root = client_new(f, 0);
    run(f, root, SUBMIT(), CAUSE_NONE);
    uint64_t last = run(f, root, SUBMIT(), CAUSE_NONE);
    advance_ms(f, 5000);
    ask_ok(f, root, LOOK(first), 0);
    ask_ok(f, root, LOOK(second), 0);
    ask_ok(f, root, LOOK(last), 0);
    assert_int_equal(ask_ok(f, root, list(), 0)->stats_n, 1);
    ask_ok(f, root, MAIL(), -ENOENT);
}

static void test_made_again_it_is_new_also_while_ended_jobs_name_the_old(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    ask_ok(f, root, set("mail", "weight=7"), 0);
    ended(f, root);
    ask_ok(f, root, gone("mail"), 0);
    struct seen *seen = ask_ok(f, root, set("mail", ""), 0);
    assert_int_equal(seen->handle, 1);
    seen = ask_ok(f, root, (struct request){.verb = VERB_QUEUE_INFO, .queue_info = {TEXT("mail")}}, 0);
    for (size_t i = 0; i < seen->stats_n; i++)
        assert_true(strncmp(seen->stats[i], "set.", 4) != 0);
    submit(f, root, MAIL());
}

static void test_a_worker_that_waits_gets_what_comes_when_it_is_made_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0), *worker = client_new(f, 0);

    ask_ok(f, root, set("mail", ""), 0);
    uint64_t op =
        ask(f, worker, (struct request){.verb = VERB_WORK_RESERVE, .work_reserve = {.queues = TEXT("mail")}});
    ask_ok(f, root, gone("mail"), 0);
    ask_ok(f, root, set("post", ""), 0);
    assert_null(answer(f, worker, op));
    ask_ok(f, root, set("mail", ""), 0);
    submit(
        f, root,
        (struct request){.verb = VERB_SUBMIT, .submit = {.queue = TEXT("mail"), .function = TEXT("resize")}});
    assert_int_equal(answer(f, worker, op)->status, 1);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_set_of_no_queue_makes_it_and_says_so),
        TEST(test_a_queue_with_nothing_set_is_there_after_a_restart),
        TEST(test_what_makes_no_sense_makes_no_queue),
        TEST(test_there_are_so_many_queues_and_no_more),
        TEST(test_queues_that_were_removed_do_not_count),
        TEST(test_so_many_removed_queues_stay_for_ended_jobs_and_no_more),
        TEST(test_workers_that_wait_keep_no_more_removed_queues_either),
        TEST(test_what_is_set_of_a_queue_that_was_configured_once_keeps_it),
        TEST(test_a_queue_that_was_removed_is_gone_for_good),
        TEST(test_a_queue_with_jobs_or_in_the_configuration_stays),
        TEST(test_it_says_what_holds_a_queue_that_has_no_jobs),
        TEST(test_a_job_is_not_retried_while_its_queue_is_gone),
        TEST(test_jobs_that_have_ended_stay_when_their_queue_goes),
        TEST(test_ended_jobs_of_a_queue_that_is_gone_stay_as_those_of_one_with_nothing_set),
        TEST(test_made_again_it_is_new_also_while_ended_jobs_name_the_old),
        TEST(test_a_worker_that_waits_gets_what_comes_when_it_is_made_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
