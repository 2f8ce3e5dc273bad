/* How a job is tried again: jitter, lists of delays, none; and a host that says it would fail again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define MS 1000000

/* Lets the job fail, and gives the time until its next attempt, to the millisecond. */
static int64_t fail_and_wait(struct jobs_fixture *f, struct client *host)
{
    int64_t from = f->now.mono_ns;

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    for (;;) {
        struct seen *offer = next_offer(f, host, OFFER_RUN);
        if (offer) {
            host->offers_seen = offer->number - 1; /* begin finds it again */
            return (f->now.mono_ns - from) / MS;
        }
        advance_ms(f, 1);
    }
}

static void test_jitter_makes_a_delay_longer_by_at_most_its_percent(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    int64_t least = INT64_MAX, most = 0;

    submit(f, c,
           SUBMIT(.attempts_max = 60, .backoff_ns = 1000 * MS, .backoff_max_ns = 1000 * MS, .jitter = 50));
    struct client *host = host_up(f);
    for (int i = 0; i < 50; i++) {
        int64_t ms = fail_and_wait(f, host);
        assert_in_range(ms, 1000, 1501); /* the fixture looks once a millisecond */
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    assert_true(least < 1150 && most > 1350); /* 50 draws out of 500, from a seed that is always the same */
}

static void test_without_jitter_delays_are_exact(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT(.attempts_max = 3, .backoff_ns = 40 * MS));
    struct client *host = host_up(f);
    assert_int_equal(fail_and_wait(f, host), 40);
    assert_int_equal(fail_and_wait(f, host), 80);
}

static void test_a_list_says_each_delay_and_how_often(void **state)
{
    static const uint64_t delays[] = {30 * MS, 10 * MS, 20 * MS};
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.delays_ns = delays, .delays_ns_n = 3));
    struct client *host = host_up(f);

    assert_int_equal(info(f, c, job).attempts_max, 4);
    assert_int_equal(fail_and_wait(f, host), 30);
    assert_int_equal(fail_and_wait(f, host), 10);
    assert_int_equal(fail_and_wait(f, host), 20);
    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    assert_state(f, c, job, JOB_DEAD, CAUSE_ERROR);
}

static void test_the_last_delay_of_a_list_repeats(void **state)
{
    static const uint64_t delays[] = {5 * MS, 7 * MS};
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT(.delays_ns = delays, .delays_ns_n = 2, .attempts_max = 9));
    struct client *host = host_up(f);
    assert_int_equal(fail_and_wait(f, host), 5);
    for (int i = 0; i < 4; i++)
        assert_int_equal(fail_and_wait(f, host), 7);
}

static void test_a_restart_keeps_list_and_jitter(void **state)
{
    static const uint64_t delays[] = {50 * MS, 1000 * MS};
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT(.delays_ns = delays, .delays_ns_n = 2, .jitter = 100));
    restart(f);
    advance_ms(f, 1);
    plugin_is(f, TEXT("g1"), true);
    struct client *host = host_up(f);
    assert_in_range(fail_and_wait(f, host), 50, 101);
    assert_in_range(fail_and_wait(f, host), 1000, 2001);
}

static void test_a_job_with_one_attempt_is_not_tried_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT_TO(PLUGIN, TEXT("other"), .attempts_max = 1));
    struct client *host = host_up(f);

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    assert_state(f, c, job, JOB_FAILED, CAUSE_ERROR);
}

static void test_a_permanent_failure_is_the_last(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 5));
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    ask_ok(f, host,
           (struct request){.verb = VERB_DONE,
                            .done = {.job = job,
                                     .run = offer->offer.run,
                                     .cause = CAUSE_ERROR,
                                     .error = -EINVAL,
                                     .text = TEXT("no such file"),
                                     .permanent = true}},
           0);
    struct job_info row = info(f, c, job);
    assert_int_equal(row.state, JOB_FAILED);
    assert_int_equal(row.error, -EINVAL);
    assert_int_equal(row.attempt, 1);
    assert_string_equal(row.text.data, "no such file");
}

static void test_limit_retry_delays_max(void **state)
{
    struct jobs_fixture *f = *state;
    uint64_t delays[64] = {0};
    struct client *c = client_new(f, 0);
    size_t most = f->limits.retry_delays_max;

    submit(f, c, SUBMIT(.delays_ns = delays, .delays_ns_n = most));
    ask_ok(f, c, SUBMIT(.delays_ns = delays, .delays_ns_n = most + 1), -E2BIG);
}

static void test_delays_that_make_no_sense_are_refused(void **state)
{
    struct jobs_fixture *f = *state;
    const uint64_t delays[] = {1, (uint64_t)INT64_MAX + 1};
    struct client *c = client_new(f, 0);

    assert_string_equal(ask_ok(f, c, SUBMIT(.delays_ns = delays, .delays_ns_n = 2), -EINVAL)->text,
                        "delay 2 is longer than any time");
    ask_ok(f, c, SUBMIT(.jitter = 101), -EINVAL);
}

static void test_memory_that_runs_out_leaves_no_half_job(void **state)
{
    static const uint64_t delays[] = {1, 2, 3};
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    for (long n = 0; n < 60; n++) {
        c = client_new(f, 0); /* the connection of the last may have to be bound anew */
        f->allocations_left = n;
        uint64_t op = ask(f, c, SUBMIT(.delays_ns = delays, .delays_ns_n = 3, .jitter = 3));
        f->allocations_left = -1;
        if (f->plugin_waiting) /* it has not been looked at for long */
            plugin_is(f, TEXT("g1"), true);
        advance_ms(f, 100);
        struct seen *seen = answer(f, c, op);
        if (seen && seen->status == 0)
            return;
    }
    fail_msg("never taken");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_jitter_makes_a_delay_longer_by_at_most_its_percent),
        TEST(test_without_jitter_delays_are_exact),
        TEST(test_a_list_says_each_delay_and_how_often),
        TEST(test_the_last_delay_of_a_list_repeats),
        TEST(test_a_restart_keeps_list_and_jitter),
        TEST(test_a_job_with_one_attempt_is_not_tried_again),
        TEST(test_a_permanent_failure_is_the_last),
        TEST(test_limit_retry_delays_max),
        TEST(test_delays_that_make_no_sense_are_refused),
        TEST(test_memory_that_runs_out_leaves_no_half_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
