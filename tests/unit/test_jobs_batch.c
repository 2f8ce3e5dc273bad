/* Batches: many jobs and a callback that comes after all of them; what it is told, restarts, what never was. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define S INT64_C(1000000000)

#define JOB(...)                                                                                             \
    ((struct request_submit){                                                                                \
        .plugin = PLUGIN, .function = TEXT("count"), .argument = TEXT("argument"), ##__VA_ARGS__})
#define BATCH(jobs) batch(jobs, sizeof(jobs) / sizeof(*(jobs)))

static struct request batch(const struct request_submit *jobs, size_t n)
{
    return (struct request){.verb = VERB_SUBMIT_MANY, .submit_many = {jobs, n, 1}};
}

/* A client to whom the plugin is known. */
static struct client *begin_known(struct jobs_fixture *f)
{
    struct client *c = client_new(f, 0);

    cancel_job(f, c, submit(f, c, SUBMIT()));
    return c;
}

static struct seen *offer_of(struct jobs_fixture *f, struct client *host, uint64_t job)
{
    struct seen *offer = begin(f, host);

    assert_int_equal(offer->offer.job, job);
    return offer;
}

static void test_the_callback_starts_when_all_are_done_and_knows_the_counts(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(), JOB(), JOB()};
    struct seen *seen = ask_ok(f, c, BATCH(jobs), 3);
    uint64_t callback = seen->ids[2];
    struct client *host = host_up(f);
    struct seen *first = begin(f, host), *second = begin(f, host);

    assert_string_equal(info(f, c, callback).text.data, "it waits for the end of 2 of 2 jobs");
    assert_int_equal(first->offer.after_n, 0);
    done_with(f, host, first, TEXT("r"));
    assert_state(f, c, callback, JOB_BLOCKED, CAUSE_NONE);
    done_with(f, host, second, TEXT("r"));
    struct seen *offer = offer_of(f, host, callback);
    assert_int_equal(offer->offer.after_n, 2);
    assert_int_equal(offer->offer.after_done, 2);
}

static void test_the_callback_is_cancelled_when_one_is_not_done(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(), JOB(.delay_ns = S), JOB()};
    struct seen *seen = ask_ok(f, c, BATCH(jobs), 3);
    uint64_t other = seen->ids[1], callback = seen->ids[2];
    struct client *host = host_up(f);

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    advance_ms(f, 1);
    assert_state(f, c, callback, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, c, other, JOB_SCHEDULED, CAUSE_NONE); /* the others go on */
}

static void test_with_any_it_starts_however_they_end(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(), JOB(), JOB(.flags = SUBMIT_AFTER_ANY)};
    uint64_t callback = ask_ok(f, c, BATCH(jobs), 3)->ids[2];
    struct client *host = host_up(f);
    struct seen *first = begin(f, host), *second = begin(f, host);

    done(f, host, first, CAUSE_ERROR, -EIO);
    done_with(f, host, second, TEXT("r"));
    struct seen *offer = offer_of(f, host, callback);
    assert_int_equal(offer->offer.after_n, 2);
    assert_int_equal(offer->offer.after_done, 1);
}

static void test_a_restart_changes_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(), JOB(.delay_ns = 1000 * S),
                                    JOB(.flags = SUBMIT_AFTER_ANY, .attempts_max = 2, .backoff_ns = 1)};
    struct seen *seen = ask_ok(f, c, BATCH(jobs), 3);
    uint64_t late = seen->ids[1], callback = seen->ids[2];
    struct client *host = host_up(f);

    done_with(f, host, begin(f, host), TEXT("r"));
    restart(f);
    c = client_new(f, 0);
    assert_string_equal(info(f, c, callback).text.data, "it waits for the end of 1 of 2 jobs");
    cancel_job(f, c, late);
    plugin_is(f, TEXT("g1"), true);
    host = host_up(f);
    done(f, host, offer_of(f, host, callback), CAUSE_ERROR, -EIO);
    restart(f); /* it has let go of them; its second attempt knows the counts, too */
    c = client_new(f, 0);
    advance_ms(f, 1);
    plugin_is(f, TEXT("g1"), true);
    host = host_up(f);
    struct seen *offer = offer_of(f, host, callback);
    assert_int_equal(offer->offer.after_n, 2);
    assert_int_equal(offer->offer.after_done, 1);
}

static void test_a_callback_alone_starts_at_once(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB()};

    assert_state(f, c, ask_ok(f, c, BATCH(jobs), 1)->ids[0], JOB_READY, CAUSE_NONE);
}

static void test_a_callback_comes_after_none_that_is_kept_less_safely(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit brief = JOB(.queue = TEXT("brief")), safe = JOB();
    struct request_submit wrong[] = {brief, safe}, right[] = {safe, brief};

    set_queue(f, "brief", "durability=none");
    assert_non_null(strstr(ask_ok(f, c, BATCH(wrong), -EINVAL)->text, "less safely than its callback"));
    ask_ok(f, c, BATCH(right), 2);
}

static void test_a_callback_names_no_others(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    uint64_t other = submit(f, c, SUBMIT(.delay_ns = S));
    struct request_submit jobs[] = {JOB(), JOB(.after = &other, .after_n = 1)};

    assert_int_equal(ask_ok(f, c, BATCH(jobs), -EINVAL)->index, 2);
}

static void test_jobs_that_are_joined_belong_to_the_batch(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    uint64_t holder = submit(f, c, SUBMIT(.once_key = TEXT("k"), .delay_ns = 1000 * S));
    struct request_submit jobs[] = {JOB(.once_key = TEXT("k"), .once_policy = ONCE_JOIN),
                                    JOB(.once_key = TEXT("k"), .once_policy = ONCE_JOIN),
                                    JOB(.flags = SUBMIT_AFTER_ANY)};
    uint64_t callback = ask_ok(f, c, BATCH(jobs), 1)->ids[2];

    assert_state(f, c, callback, JOB_BLOCKED, CAUSE_NONE);
    cancel_job(f, c, holder);
    assert_state(f, c, callback, JOB_READY, CAUSE_NONE);
}

static void test_a_full_store_leaves_neither_jobs_nor_callback(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(), JOB(), JOB(.flags = SUBMIT_AFTER_ANY)};
    size_t before = ask_ok(f, c, (struct request){.verb = VERB_JOB_LIST}, 0)->jobs_n;

    f->hold = true;
    uint64_t op = ask(f, c, BATCH(jobs));
    store_go_on(f, -ENOSPC);
    f->hold = false;
    advance_ms(f, 1);
    assert_int_equal(answer(f, c, op)->status, -ENOSPC);
    assert_int_equal(ask_ok(f, c, (struct request){.verb = VERB_JOB_LIST}, 0)->jobs_n, before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_callback_starts_when_all_are_done_and_knows_the_counts),
        TEST(test_the_callback_is_cancelled_when_one_is_not_done),
        TEST(test_with_any_it_starts_however_they_end),
        TEST(test_a_restart_changes_nothing),
        TEST(test_a_callback_alone_starts_at_once),
        TEST(test_a_callback_comes_after_none_that_is_kept_less_safely),
        TEST(test_a_callback_names_no_others),
        TEST(test_jobs_that_are_joined_belong_to_the_batch),
        TEST(test_a_full_store_leaves_neither_jobs_nor_callback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
