/* What a queue says of how its jobs are tried: attempts, delays, jitter, time limit; after the submit and the function. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define MS 1000000

static struct bytes text(const char *words)
{
    return (struct bytes){words, strlen(words)};
}

/* Fails the job, and gives the milliseconds until its next attempt; -1: there is none. */
static int64_t fail_and_wait(struct jobs_fixture *f, struct client *c, struct client *host, uint64_t job)
{
    int64_t from = f->now.mono_ns;

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    while (f->now.mono_ns - from < 2000 * (int64_t)MS) {
        struct seen *offer = next_offer(f, host, OFFER_RUN);
        if (offer) {
            host->offers_seen = offer->number - 1; /* begin finds it again */
            return (f->now.mono_ns - from) / MS;
        }
        advance_ms(f, 1);
    }
    assert_true(info(f, c, job).state >= JOB_DONE);
    return -1;
}

static uint32_t attempts(struct jobs_fixture *f, struct client *c, struct request request)
{
    return info(f, c, submit(f, c, request)).attempts_max;
}

static void test_a_queue_says_how_often_where_nobody_else_does(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "default", "attempts=5");
    assert_int_equal(attempts(f, c, SUBMIT()), 5);
    assert_int_equal(attempts(f, c, SUBMIT(.attempts_max = 2)), 2);
    assert_int_equal(attempts(f, c, SUBMIT_TO(PLUGIN, TEXT("other"))), 3); /* its function says so */
    set_queue(f, "default", "");
    assert_int_equal(attempts(f, c, SUBMIT()), 1);
}

static void test_limit_attempts_max_bounds_the_queue(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "default", "attempts=1000000");
    assert_int_equal(attempts(f, c, SUBMIT()), f->limits.attempts_max);
}

static void test_a_backoff_of_the_queue_doubles_to_its_bound(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "default", "attempts=4 backoff_ms=30 backoff_max_ms=50");
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    assert_int_equal(fail_and_wait(f, c, host, job), 30);
    assert_int_equal(fail_and_wait(f, c, host, job), 50);
    assert_int_equal(fail_and_wait(f, c, host, job), 50);
    assert_int_equal(fail_and_wait(f, c, host, job), -1);
    assert_state(f, c, job, JOB_DEAD, CAUSE_ERROR);
}

static void test_a_list_of_the_queue_says_each_delay_and_how_often(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "default", "delays_ms=20,5");
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    assert_int_equal(info(f, c, job).attempts_max, 3);
    assert_int_equal(fail_and_wait(f, c, host, job), 20);
    assert_int_equal(fail_and_wait(f, c, host, job), 5);
    assert_int_equal(fail_and_wait(f, c, host, job), -1);
}

static void test_delays_of_a_submit_leave_none_of_the_queue(void **state)
{
    static const uint64_t delays[] = {7 * MS};
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "default", "delays_ms=20,5 attempts=9");
    uint64_t job = submit(f, c, SUBMIT(.delays_ns = delays, .delays_ns_n = 1));
    struct client *host = host_up(f);
    assert_int_equal(info(f, c, job).attempts_max, 2);
    assert_int_equal(fail_and_wait(f, c, host, job), 7);
    assert_int_equal(fail_and_wait(f, c, host, job), -1);
    job = submit(f, c, SUBMIT(.backoff_ns = 9 * MS));
    assert_int_equal(fail_and_wait(f, c, host, job), 9);
}

static void test_jitter_of_the_queue_makes_delays_longer(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    int64_t least = INT64_MAX, most = 0;

    set_queue(f, "default", "attempts=40 backoff_ms=100 backoff_max_ms=100 jitter=50");
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    for (int i = 0; i < 30; i++) {
        int64_t ms = fail_and_wait(f, c, host, job);
        assert_in_range(ms, 100, 151); /* the fixture looks once a millisecond */
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    assert_true(most - least > 20); /* from a seed that is always the same */
}

static void test_a_run_ends_with_the_time_limit_of_its_queue(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "default", "time_limit_ms=50");
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    assert_int_equal(offer->offer.time_left_ns, 50 * MS);
    advance_ms(f, 49);
    assert_null(next_offer(f, host, OFFER_CANCEL));
    advance_ms(f, 2);
    assert_non_null(next_offer(f, host, OFFER_CANCEL));
    done(f, host, offer, CAUSE_ERROR, -ECANCELED);
    assert_state(f, c, job, JOB_FAILED, CAUSE_TIMEOUT);
}

static void test_what_was_said_when_it_was_submitted_stays_over_a_restart(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "default", "delays_ms=20,40");
    uint64_t job = submit(f, c, SUBMIT());
    restart(f);
    set_queue(f, "default", "delays_ms=1 attempts=7");
    c = client_new(f, 0);
    advance_ms(f, 1);
    plugin_is(f, TEXT("g1"), true);
    struct client *host = host_up(f);
    assert_int_equal(info(f, c, job).attempts_max, 3);
    assert_int_equal(fail_and_wait(f, c, host, job), 20);
}

static void set_default(struct jobs_fixture *f, const char *settings, int status)
{
    ask_ok(f, client_new(f, 0),
           (struct request){.verb = VERB_QUEUE_SET, .queue_set = {TEXT("default"), text(settings)}}, status);
}

/* The rows of QUEUE_INFO have this one. */
static bool told(struct jobs_fixture *f, const char *row)
{
    struct seen *seen = ask_ok(f, client_new(f, 0),
                               (struct request){.verb = VERB_QUEUE_INFO, .queue_info = {TEXT("default")}}, 0);

    for (size_t i = 0; i < seen->stats_n; i++)
        if (strcmp(seen->stats[i], row) == 0)
            return true;
    return false;
}

static void test_a_job_comes_after_none_that_is_kept_less_safely(void **state)
{
    static const char *const words[] = {"full", "process", "none"};
    struct jobs_fixture *f = *state;
    uint64_t first[3];
    char settings[32];

    for (int i = 0; i < 3; i++) {
        snprintf(settings, sizeof(settings), "durability=%s", words[i]);
        set_queue(f, words[i], settings);
        first[i] = submit(f, client_new(f, 0), SUBMIT(.queue = text(words[i])));
    }
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            ask_ok(f, client_new(f, 0), SUBMIT(.queue = text(words[i]), .after = &first[k], .after_n = 1),
                   k > i ? -EINVAL : 0);
}

static void test_limit_volatile_bytes_max_and_volatile_jobs_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.volatile_bytes_max = 12;
    f->limits.volatile_jobs_max = 1;
    restart(f);
    set_queue(f, "brief", "durability=none full=reject");
    struct client *c = client_new(f, 0);
    uint64_t first = submit(f, c, SUBMIT(.queue = text("brief")));
    ask_ok(f, c, SUBMIT(.queue = text("brief")), -ENOBUFS); /* each has 8 bytes */
    struct client *host = host_up(f);
    done(f, host, begin(f, host), CAUSE_NONE, 0);
    ask_ok(f, c, LOOK(first), 0);
    uint64_t second = submit(f, c, SUBMIT(.queue = text("brief")));
    done(f, host, begin(f, host), CAUSE_NONE, 0);
    advance_ms(f, 1);
    ask_ok(f, c, LOOK(first), -ENOENT);
    ask_ok(f, c, LOOK(second), 0);
}

static void test_limit_volatile_jobs_max_bounds_the_dead_and_those_with_a_key(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.volatile_jobs_max = 1;
    restart(f);
    set_queue(f, "brief", "durability=none attempts=2 backoff_ms=1");
    struct client *c = client_new(f, 0), *host = NULL;
    const struct request plain = SUBMIT(.queue = text("brief")),
                         keyed = SUBMIT(.queue = text("brief"), .once_key = TEXT("k"),
                                        .once_ns = INT64_C(3600000000000));
    uint64_t dead[2], once = submit(f, c, keyed);

    host = host_up(f);
    done(f, host, begin(f, host), CAUSE_NONE, 0);
    submit(f, c, plain);
    done(f, host, begin(f, host), CAUSE_NONE, 0);
    for (int i = 0; i < 2; i++) {
        dead[i] = submit(f, c, plain);
        done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
        advance_ms(f, 10);
        done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    }
    advance_ms(f, 1);
    ask_ok(f, c, LOOK(dead[0]), -ENOENT);
    assert_state(f, c, dead[1], JOB_DEAD, CAUSE_ERROR);
    ask_ok(f, c, LOOK(once), -ENOENT);
    submit(f, c, keyed); /* the key has gone with it */
}

static void test_a_list_that_is_set_is_told_and_outlives_a_restart(void **state)
{
    static const char *const wrong[] = {
        "delays_ms=1,,2", "delays_ms=1,",         "delays_ms=,1",
        "delays_ms=1,x",  "delays_ms=1000000001", "delays_ms=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"};
    struct jobs_fixture *f = *state;

    assert_true(told(f, "default.delays_ms=none"));
    set_default(f, "delays_ms=1000,0,1000000000 attempts=2", 0);
    restart(f);
    set_queue(f, "default", "delays_ms=5");
    assert_true(told(f, "set.delays_ms=1000,0,1000000000"));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        set_default(f, wrong[i], -EINVAL);
    set_default(f, "delays_ms=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,1000000000", 0);
    assert_true(told(f, "set.delays_ms=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,1000000000"));
    set_default(f, "delays_ms=none", 0);
    assert_true(told(f, "set.delays_ms=none"));
    set_default(f, "delays_ms=", 0);
    assert_true(told(f, "config.delays_ms=5"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_queue_says_how_often_where_nobody_else_does),
        TEST(test_limit_attempts_max_bounds_the_queue),
        TEST(test_a_backoff_of_the_queue_doubles_to_its_bound),
        TEST(test_a_list_of_the_queue_says_each_delay_and_how_often),
        TEST(test_delays_of_a_submit_leave_none_of_the_queue),
        TEST(test_jitter_of_the_queue_makes_delays_longer),
        TEST(test_a_run_ends_with_the_time_limit_of_its_queue),
        TEST(test_what_was_said_when_it_was_submitted_stays_over_a_restart),
        TEST(test_a_job_comes_after_none_that_is_kept_less_safely),
        TEST(test_limit_volatile_bytes_max_and_volatile_jobs_max),
        TEST(test_limit_volatile_jobs_max_bounds_the_dead_and_those_with_a_key),
        TEST(test_a_list_that_is_set_is_told_and_outlives_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
