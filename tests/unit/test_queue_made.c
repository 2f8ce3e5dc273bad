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

#define MAIL(...) SUBMIT(.queue = TEXT("mail"), ##__VA_ARGS__)

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

/* Runs a job of the queue to its end; the host stays. */
static uint64_t ended(struct jobs_fixture *f, struct client *c)
{
    uint64_t job = submit(f, c, MAIL());
    struct client *host = host_up(f);

    done(f, host, begin(f, host), CAUSE_NONE, 0);
    return job;
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
    assert_non_null(strstr(ask_ok(f, root, gone("mail"), -EBUSY)->text, "has 1 jobs that wait"));
    ask_ok(f, root, (struct request){.verb = VERB_JOB_CANCEL, .job_cancel = {.job = job}}, 0);
    ask_ok(f, root, gone("mail"), 0);
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
        TEST(test_a_queue_that_was_removed_is_gone_for_good),
        TEST(test_a_queue_with_jobs_or_in_the_configuration_stays),
        TEST(test_jobs_that_have_ended_stay_when_their_queue_goes),
        TEST(test_made_again_it_is_new_also_while_ended_jobs_name_the_old),
        TEST(test_a_worker_that_waits_gets_what_comes_when_it_is_made_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
