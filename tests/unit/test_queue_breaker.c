/* The circuit breaker of a function in a queue: what opens it, what it keeps, one job that tries, and what closes it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "queue_breaker.h"

#define OTHER(...) SUBMIT_TO(PLUGIN, TEXT("other"), .attempts_max = 1, ##__VA_ARGS__)

static struct bytes text(const char *words)
{
    return (struct bytes){words, strlen(words)};
}

/* The value of a row of QUEUE_INFO of `default`; -1: there is none. */
static int64_t told(struct jobs_fixture *f, const char *row)
{
    struct seen *seen = ask_ok(f, client_new(f, 0),
                               (struct request){.verb = VERB_QUEUE_INFO, .queue_info = {TEXT("default")}}, 0);

    for (size_t i = 0; i < seen->stats_n; i++)
        if (strcmp(seen->stats[i], row) == 0)
            return (int64_t)seen->values[i];
    return -1;
}

static void set(struct jobs_fixture *f, const char *settings)
{
    ask_ok(f, client_new(f, 0),
           (struct request){.verb = VERB_QUEUE_SET, .queue_set = {TEXT("default"), text(settings)}}, 0);
}

struct rig {
    struct jobs_fixture *f;
    struct client *c, *host;
};

static struct rig rig_up(void **state, const char *settings)
{
    struct rig r = {.f = *state};

    set_queue(r.f, "default", settings);
    r.c = client_new(r.f, 0);
    submit(r.f, r.c, SUBMIT());
    r.host = host_up(r.f);
    done(r.f, r.host, begin(r.f, r.host), CAUSE_NONE, 0);
    return r;
}

/* A job that fails at once, with one attempt. */
static uint64_t fail_one(struct rig *r)
{
    uint64_t job = submit(r->f, r->c, SUBMIT());

    done(r->f, r->host, begin(r->f, r->host), CAUSE_ERROR, -EIO);
    return job;
}

static void succeed(struct rig *r)
{
    submit(r->f, r->c, SUBMIT());
    done(r->f, r->host, begin(r->f, r->host), CAUSE_NONE, 0);
}

static void assert_waits(struct rig *r, uint64_t job, const char *words)
{
    struct job_info row = info(r->f, r->c, job);

    assert_int_equal(row.state, JOB_READY);
    assert_non_null(memmem(row.text.data, row.text.size, words, strlen(words)));
    assert_null(next_offer(r->f, r->host, OFFER_RUN));
}

static void test_failures_in_a_row_open_it_and_jobs_stay_ready_with_the_reason(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=3 breaker_open_ms=1000");

    fail_one(&r);
    fail_one(&r);
    assert_int_equal(told(r.f, "state.breakers_open"), 0);
    fail_one(&r);
    assert_int_equal(told(r.f, "state.breakers_open"), 1);
    assert_int_equal(told(r.f, "breaker.count=open"), 1000);
    uint64_t job = submit(r.f, r.c, SUBMIT());
    advance_ms(r.f, 400);
    assert_waits(&r, job,
                 "circuit breaker of its function is open, whose last 3 runs failed: one tries in 600 ms");
}

static void test_a_success_between_them_counts_anew(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=2");

    fail_one(&r);
    succeed(&r);
    fail_one(&r);
    assert_int_equal(told(r.f, "state.breakers_open"), 0);
    fail_one(&r);
    assert_int_equal(told(r.f, "state.breakers_open"), 1);
}

static void test_a_pause_and_other_settings_leave_what_was_counted(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=2");

    fail_one(&r);
    set(r.f, "weight=2");
    for (enum pause_what what = PAUSE_BEGIN; what; what = what == PAUSE_BEGIN ? PAUSE_END : 0)
        ask_ok(r.f, client_new(r.f, 0),
               (struct request){.verb = VERB_QUEUE_PAUSE, .queue_pause = {TEXT("default"), what, 0}}, 0);
    fail_one(&r);
    assert_int_equal(told(r.f, "state.breakers_open"), 1);
}

static void test_it_keeps_no_other_function(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=1");

    fail_one(&r);
    submit(r.f, r.c, SUBMIT());
    uint64_t other = submit(r.f, r.c, OTHER());
    assert_int_equal(begin(r.f, r.host)->offer.job, other);
}

static void test_one_job_tries_and_its_success_closes_it(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=1 breaker_open_ms=50");

    fail_one(&r);
    uint64_t first = submit(r.f, r.c, SUBMIT()), second = submit(r.f, r.c, SUBMIT());
    advance_ms(r.f, 51);
    struct seen *trial = begin(r.f, r.host);
    assert_int_equal(trial->offer.job, first);
    assert_waits(&r, second, "one tries now");
    assert_int_equal(told(r.f, "breaker.count=trying"), 0);
    done(r.f, r.host, trial, CAUSE_NONE, 0);
    assert_int_equal(told(r.f, "state.breakers_open"), 0);
    assert_int_equal(begin(r.f, r.host)->offer.job, second);
    assert_int_equal(told(r.f, "breaker.count=trying"), -1);
}

static void test_the_failure_of_the_trial_opens_it_anew(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=2 breaker_open_ms=50");

    fail_one(&r);
    fail_one(&r);
    submit(r.f, r.c, SUBMIT());
    uint64_t next = submit(r.f, r.c, SUBMIT());
    advance_ms(r.f, 51);
    done(r.f, r.host, begin(r.f, r.host), CAUSE_ERROR, -EIO);
    assert_waits(&r, next, "whose last 3 runs failed: one tries in");
    advance_ms(r.f, 49);
    assert_null(next_offer(r.f, r.host, OFFER_RUN));
    advance_ms(r.f, 2);
    assert_int_equal(begin(r.f, r.host)->offer.job, next);
}

static void test_a_trial_that_says_nothing_leaves_it_to_the_next(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=1 breaker_open_ms=50");

    fail_one(&r);
    uint64_t first = submit(r.f, r.c, SUBMIT()), second = submit(r.f, r.c, SUBMIT());
    advance_ms(r.f, 51);
    struct seen *trial = begin(r.f, r.host);
    assert_int_equal(trial->offer.job, first);
    ask_ok(r.f, r.c, (struct request){.verb = VERB_JOB_CANCEL, .job_cancel = {.job = first}}, 0);
    done(r.f, r.host, trial, CAUSE_ERROR, -ECANCELED);
    assert_int_equal(begin(r.f, r.host)->offer.job, second);
    assert_int_equal(told(r.f, "breaker.count=trying"), 0);
}

static void test_a_trial_that_goes_leaves_it_half_open(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=1 breaker_open_ms=50");

    fail_one(&r);
    uint64_t job = submit(r.f, r.c, SUBMIT());
    advance_ms(r.f, 51);
    struct seen *trial = begin(r.f, r.host);
    ask_ok(r.f, r.c, (struct request){.verb = VERB_JOB_CANCEL, .job_cancel = {.job = job}}, 0);
    done(r.f, r.host, trial, CAUSE_ERROR, -ECANCELED);
    advance_ms(r.f, 1);
    assert_int_equal(told(r.f, "breaker.count=half-open"), 0);
}

static void test_permanent_failures_are_those_of_their_jobs(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=1");
    uint64_t job = submit(r.f, r.c, SUBMIT());
    struct seen *offer = begin(r.f, r.host);

    ask_ok(r.f, r.host,
           (struct request){.verb = VERB_DONE,
                            .done = {.job = job,
                                     .run = offer->offer.run,
                                     .cause = CAUSE_ERROR,
                                     .error = -EINVAL,
                                     .permanent = true}},
           0);
    assert_int_equal(told(r.f, "state.breakers_open"), 0);
}

static void test_runs_from_before_it_opened_decide_nothing(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=1 breaker_open_ms=50");

    submit(r.f, r.c, SUBMIT());
    submit(r.f, r.c, SUBMIT());
    struct seen *first = begin(r.f, r.host), *second = begin(r.f, r.host);
    done(r.f, r.host, first, CAUSE_ERROR, -EIO);
    done(r.f, r.host, second, CAUSE_NONE, 0);
    assert_int_equal(told(r.f, "state.breakers_open"), 1);
}

static void test_a_share_of_failures_in_a_window_opens_it(void **state)
{
    struct rig r = rig_up(state, "breaker_share=50 breaker_least=8 breaker_window_ms=80000");

    for (int i = 0; i < 3; i++) {
        fail_one(&r);
        succeed(&r);
    }
    assert_int_equal(told(r.f, "state.breakers_open"), 0); /* seven have ended */
    fail_one(&r);
    assert_int_equal(told(r.f, "state.breakers_open"), 1);
}

static void test_what_is_older_than_the_window_is_forgotten(void **state)
{
    struct rig r = rig_up(state, "breaker_share=50 breaker_least=5 breaker_failures=4 breaker_window_ms=800");

    for (int i = 0; i < 3; i++)
        fail_one(&r);
    advance_ms(r.f, 801);
    fail_one(&r);
    assert_int_equal(told(r.f, "state.breakers_open"), 0);
    for (int i = 0; i < 3; i++)
        fail_one(&r);
    assert_int_equal(told(r.f, "state.breakers_open"), 1);
}

static void test_it_stays_open_without_a_job_and_is_forgotten_in_the_end(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=1 breaker_open_ms=300 breaker_window_ms=500");

    fail_one(&r);
    advance_ms(r.f, 100);
    assert_int_equal(told(r.f, "breaker.count=open"), 200);
    advance_ms(r.f, 250);
    assert_int_equal(told(r.f, "breaker.count=half-open"), 0);
    advance_ms(r.f, 501);
    assert_int_equal(told(r.f, "breaker.count=half-open"), -1);
}

static void test_setting_it_to_none_closes_all(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=1");

    fail_one(&r);
    uint64_t job = submit(r.f, r.c, SUBMIT());
    set(r.f, "breaker_failures=0");
    assert_int_equal(told(r.f, "state.breakers_open"), 0);
    assert_int_equal(begin(r.f, r.host)->offer.job, job);
}

static void test_settings_outlive_a_restart_and_what_it_knows_does_not(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=9");

    set(r.f, "breaker_failures=1 breaker_open_ms=70");
    fail_one(&r);
    assert_int_equal(told(r.f, "state.breakers_open"), 1);
    restart(r.f);
    advance_ms(r.f, 1);
    assert_int_equal(told(r.f, "set.breaker_failures"), 1);
    assert_int_equal(told(r.f, "set.breaker_open_ms"), 70);
    assert_int_equal(told(r.f, "state.breakers_open"), 0);
}

static void test_limit_breakers_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.breakers_max = 1;
    restart(f);
    struct rig r = rig_up(state, "breaker_failures=2 breaker_open_ms=50 breaker_window_ms=800");
    fail_one(&r);
    for (int i = 0; i < 2; i++) {
        submit(f, r.c, OTHER());
        done(f, r.host, begin(f, r.host), CAUSE_ERROR, -EIO);
    }
    assert_int_equal(told(f, "state.breakers_open"), 0);
    fail_one(&r);
    assert_int_equal(told(f, "breaker.count=open"), 50);
    advance_ms(f, 51);
    advance_ms(f, 801); /* it is forgotten, and leaves its place */
    for (int i = 0; i < 2; i++) {
        submit(f, r.c, OTHER());
        done(f, r.host, begin(f, r.host), CAUSE_ERROR, -EIO);
    }
    assert_int_equal(told(f, "breaker.other=open"), 50);
}

static void test_a_worker_that_dies_of_a_cancelled_job_says_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct request reserve = {.verb = VERB_WORK_RESERVE, .work_reserve = {.max = 1}};

    set_queue(f, "default", "breaker_failures=1");
    for (int cancelled = 1; cancelled >= 0; cancelled--) {
        struct client *c = client_new(f, 0), *worker = client_new(f, 0);
        uint64_t job = submit(f, c, SUBMIT_TO(TEXT(""), TEXT("resize"), .attempts_max = 1));
        ask_ok(f, worker, reserve, 1);
        if (cancelled)
            cancel_job(f, c, job);
        client_die(f, worker);
        assert_int_equal(told(f, "state.breakers_open"), !cancelled);
    }
}

/* Two run in one host. The time of one job is over when the other's run brings the host down. */
static void test_a_job_whose_time_is_over_when_its_host_dies_of_another_says_nothing(void **state)
{
    struct rig r = rig_up(state, "breaker_failures=2 concurrency=2");
    uint64_t guilty = submit(r.f, r.c, SUBMIT()),
             late = submit(r.f, r.c, SUBMIT(.deadline_in_ns = 100000000, .grace_ns = 3600000000000));
    struct seen *first = begin(r.f, r.host);

    assert_int_equal(first->offer.job, guilty);
    begin(r.f, r.host);
    advance_ms(r.f, 100);
    assert_state(r.f, r.c, late, JOB_RUNNING, CAUSE_NONE);
    host_dies(r.f, r.host, 11, first->offer.run);
    assert_state(r.f, r.c, late, JOB_FAILED, CAUSE_TIMEOUT);
    assert_int_equal(told(r.f, "state.breakers_open"), 0);
    submit(r.f, r.c, SUBMIT());
    advance_ms(r.f, (int64_t)r.f->limits.host_restart_ms);
    r.host = host_up(r.f);
    done(r.f, r.host, begin(r.f, r.host), CAUSE_ERROR, -EIO);
    assert_int_equal(told(r.f, "state.breakers_open"), 1);
}

static void test_only_the_moves_of_the_table_are_allowed(void **state)
{
    static const uint8_t allowed[BREAKER_STATES] = {[BREAKER_CLOSED] = 1 << BREAKER_OPEN,
                                                    [BREAKER_OPEN] = 1 << BREAKER_HALF_OPEN | 1,
                                                    [BREAKER_HALF_OPEN] = 1 << BREAKER_TRYING | 1,
                                                    [BREAKER_TRYING] =
                                                        1 << BREAKER_OPEN | 1 << BREAKER_HALF_OPEN | 1};

    for (int from = 0; from < BREAKER_STATES; from++)
        for (int to = 0; to < BREAKER_STATES; to++)
            assert_int_equal(breaker_may((enum breaker_state)from, (enum breaker_state)to),
                             allowed[from] >> to & 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_failures_in_a_row_open_it_and_jobs_stay_ready_with_the_reason),
        TEST(test_a_success_between_them_counts_anew),
        TEST(test_a_pause_and_other_settings_leave_what_was_counted),
        TEST(test_it_keeps_no_other_function),
        TEST(test_one_job_tries_and_its_success_closes_it),
        TEST(test_the_failure_of_the_trial_opens_it_anew),
        TEST(test_a_trial_that_says_nothing_leaves_it_to_the_next),
        TEST(test_a_trial_that_goes_leaves_it_half_open),
        TEST(test_permanent_failures_are_those_of_their_jobs),
        TEST(test_runs_from_before_it_opened_decide_nothing),
        TEST(test_a_share_of_failures_in_a_window_opens_it),
        TEST(test_what_is_older_than_the_window_is_forgotten),
        TEST(test_it_stays_open_without_a_job_and_is_forgotten_in_the_end),
        TEST(test_setting_it_to_none_closes_all),
        TEST(test_settings_outlive_a_restart_and_what_it_knows_does_not),
        TEST(test_limit_breakers_max),
        TEST(test_a_worker_that_dies_of_a_cancelled_job_says_nothing),
        TEST(test_a_job_whose_time_is_over_when_its_host_dies_of_another_says_nothing),
        cmocka_unit_test(test_only_the_moves_of_the_table_are_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
