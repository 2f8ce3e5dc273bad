/* Hosts that die: who is charged with it, and what becomes of the others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "jobs_internal.h"

enum { SEGV = 11 };

static void test_P5_a_crash_is_charged_to_the_guilty_job_and_to_no_neighbour(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t guilty = submit(f, c, SUBMIT()), neighbour = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    uint64_t run = begin(f, host)->offer.run;

    host_dies(f, host, SEGV, offer->offer.run);
    assert_state(f, c, guilty, JOB_FAILED, CAUSE_CRASH);
    assert_int_equal(info(f, c, guilty).crashes, 1);
    assert_state(f, c, neighbour, JOB_READY, CAUSE_NONE);
    assert_int_equal(info(f, c, neighbour).attempt, 0);
    advance_ms(f, (int64_t)f->limits.host_restart_ms);
    struct seen *again = begin(f, host_up(f));
    assert_int_equal(again->offer.job, neighbour);
    assert_int_equal(again->offer.attempt, 0);
    assert_true(again->offer.run > run);
}

static void test_the_only_job_that_was_offered_is_guilty_without_a_report(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    host_dies(f, host, SEGV, 0);
    assert_state(f, c, job, JOB_FAILED, CAUSE_CRASH);
    assert_string_equal(info(f, c, job).text.data, "its host was ended by signal 11");
}

/* It may have begun, and ended the process before its STARTED arrived. */
static void test_P5_a_job_that_had_begun_is_not_charged_beside_one_that_was_offered(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t begun = submit(f, c, SUBMIT()), offered = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    begin(f, host);
    host_dies(f, host, 0, 0);
    assert_state(f, c, begun, JOB_READY, CAUSE_NONE);
    assert_state(f, c, offered, JOB_READY, CAUSE_NONE);
}

static void test_P5_a_job_that_had_begun_is_not_charged_beside_an_offer_taken_back(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t begun = submit(f, c, SUBMIT()), offered = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    begin(f, host);
    advance_ms(f,
               (int64_t)f->limits.host_start_ms); /* the other one was never started: the host is drained */
    assert_state(f, c, offered, JOB_READY, CAUSE_NONE);
    host_dies(f, host, 0, 0);
    assert_state(f, c, begun, JOB_READY, CAUSE_NONE);
}

static void test_nobody_is_charged_when_several_had_begun_and_no_report_says_which(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t jobs[] = {submit(f, c, SUBMIT()), submit(f, c, SUBMIT())};
    struct client *host = host_up(f);

    begin(f, host);
    begin(f, host);
    host_dies(f, host, SEGV, 0);
    for (int i = 0; i < 2; i++)
        assert_state(f, c, jobs[i], JOB_READY, CAUSE_NONE);
}

static void test_P5_the_guilty_one_of_several_is_found_by_starting_them_one_at_a_time(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t innocent = submit(f, c, SUBMIT()), guilty = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    begin(f, host);
    begin(f, host);
    host_dies(f, host, 0, 0);
    advance_ms(f, (int64_t)f->limits.host_restart_ms);
    host = host_up(f);
    assert_int_equal(begin(f, host)->offer.job, guilty);
    assert_null(next_offer(f, host, OFFER_RUN));
    host_dies(f, host, 0, 0);
    assert_state(f, c, guilty, JOB_FAILED, CAUSE_CRASH);
    assert_state(f, c, innocent, JOB_READY, CAUSE_NONE);
}

/* Others change places with each other then; within a serial key the order is promised. */
static void test_a_suspect_of_a_serial_key_stays_before_the_others_of_its_key(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "default", "serial=yes");
    uint64_t first = submit(f, c, SUBMIT(.key = TEXT("a")));
    submit(f, c, SUBMIT(.key = TEXT("a")));
    submit(f, c, SUBMIT(.key = TEXT("b")));
    struct client *host = host_up(f);
    begin(f, host);
    begin(f, host);
    host_dies(f, host, 0, 0);
    advance_ms(f, (int64_t)f->limits.host_restart_ms);
    host = host_up(f);
    assert_int_equal(begin(f, host)->offer.job, first);
}

static void test_suspects_run_beside_each_other_again_after_a_while(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    submit(f, c, SUBMIT());
    submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    host_dies(f, host, 0, 0);
    advance_ms(f, (int64_t)f->limits.host_restart_ms);
    host = host_up(f);
    struct seen *first = begin(f, host);
    advance_ms(f, TRIAL_NS / 1000000 - 1);
    assert_null(next_offer(f, host, OFFER_RUN));
    advance_ms(f, 1);
    struct seen *second = begin(f, host);
    assert_null(next_offer(f, host, OFFER_RUN));
    done_with(f, host, first, TEXT("r"));
    done_with(f, host, second, TEXT("r"));
    begin(f, host);
}

/* Two jobs and a death that nobody is charged with: for so long the first is then alone, in milliseconds. */
static int64_t alone_ms(struct jobs_fixture *f, struct client **host)
{
    int64_t ms = 0;

    host_dies(f, *host, 0, 0);
    advance_ms(f, (int64_t)f->limits.host_restart_max_ms);
    *host = host_up(f);
    begin(f, *host);
    while (!next_offer(f, *host, OFFER_RUN)) {
        advance_ms(f, 100);
        ms += 100;
    }
    return ms;
}

static void
test_P5_suspects_are_alone_twice_as_long_after_each_death_that_nobody_is_charged_with(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t jobs[] = {submit(f, c, SUBMIT()), submit(f, c, SUBMIT())};
    struct client *host = host_up(f);

    begin(f, host);
    begin(f, host);
    assert_int_equal(alone_ms(f, &host), TRIAL_NS / 1000000);
    assert_int_equal(alone_ms(f, &host), 2 * TRIAL_NS / 1000000);
    assert_int_equal(alone_ms(f, &host), 4 * TRIAL_NS / 1000000);
    for (int i = 0; i < 2; i++)
        assert_int_equal(info(f, c, jobs[i]).crashes, 0);
}

static void test_a_host_out_of_memory_is_a_crash_of_the_only_job_and_is_counted(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    const char words[] = "out of memory: the host had 2 bytes, and memory_max is 1";
    uint64_t number = host->host;

    begin(f, host);
    client_die(f, host);
    fixture_step(f, &(struct input){.kind = IN_HOST_END,
                                    .host_end = {.host = number,
                                                 .signal = 9,
                                                 .out_of_memory = true,
                                                 .text = {words, sizeof(words) - 1}}});
    assert_state(f, c, job, JOB_FAILED, CAUSE_CRASH);
    assert_string_equal(info(f, c, job).text.data, words);
    assert_int_equal(f->core->jobs->out_of_memory, 1);
}

static void test_a_crash_follows_the_retry_policy(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 3, .backoff_ns = 1000000));
    struct client *host = host_up(f);

    host_dies(f, host, SEGV, begin(f, host)->offer.run);
    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_CRASH);
    assert_int_equal(info(f, c, job).attempt, 0);
    assert_int_equal(info(f, c, job).crashes, 1);
    assert_int_equal(info(f, c, job).due_us - f->now.wall_ns / 1000, 1000);
}

static void crash_next(struct jobs_fixture *f)
{
    struct client *host = host_up(f);

    host_dies(f, host, SEGV, begin(f, host)->offer.run);
    advance_ms(f, (int64_t)f->limits.host_restart_max_ms);
}

/* The last crash that a job may have, seen before the end of the session of its host, and no memory to say so. */
static struct client *crash_without_memory(struct jobs_fixture *f, struct client *c, uint64_t *job)
{
    *job = submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = 1));
    crash_next(f);
    struct client *host = host_up(f);
    uint64_t number = host->host, run = begin(f, host)->offer.run;

    f->allocations_left = 0;
    fixture_step(f, &(struct input){.kind = IN_HOST_END,
                                    .host_end = {.host = number, .signal = SEGV, .guilty_run = run}});
    return host;
}

static void test_a_crash_that_cannot_be_recorded_is_once_there_is_memory(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job;

    client_die(f, crash_without_memory(f, c, &job));
    f->allocations_left = -1;
    assert_state(f, c, job, JOB_RUNNING, CAUSE_CRASH);
    advance_ms(f, 1000);
    assert_state(f, c, job, JOB_DEAD, CAUSE_CRASH);
}

static void test_a_core_ends_with_a_crash_that_could_not_be_recorded(void **state)
{
    struct jobs_fixture *f = *state;
    uint64_t job;

    crash_without_memory(f, client_new(f, 0), &job);
    f->allocations_left = -1;
    restart(f);
    assert_state(f, client_new(f, 0), job, JOB_READY, CAUSE_CRASH);
}

static void test_P5_crashes_and_failures_are_counted_apart(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 3, .backoff_ns = 1));
    struct client *host;

    crash_next(f);
    crash_next(f);
    host = host_up(f);
    for (uint32_t i = 0; i < 3; i++) {
        struct seen *offer = begin(f, host);
        assert_int_equal(offer->offer.attempt, i);
        done(f, host, offer, CAUSE_ERROR, -EIO);
        advance_ms(f, 1);
    }
    assert_state(f, c, job, JOB_DEAD, CAUSE_ERROR);
    assert_int_equal(info(f, c, job).attempt, 3);
    assert_int_equal(info(f, c, job).crashes, 2);
}

static void test_a_job_crashes_at_most_as_often_as_it_may_fail(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = 1));

    crash_next(f);
    assert_state(f, c, job, JOB_READY, CAUSE_CRASH);
    crash_next(f);
    assert_state(f, c, job, JOB_DEAD, CAUSE_CRASH);
    assert_int_equal(info(f, c, job).attempt, 0);
}

static void test_limit_crashes_max_quarantines_a_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 100, .backoff_ns = 1));

    for (uint64_t i = 0; i < f->limits.crashes_max; i++) {
        struct client *host = host_up(f);
        host_dies(f, host, SEGV, begin(f, host)->offer.run);
        advance_ms(f, (int64_t)f->limits.host_restart_max_ms);
    }
    assert_state(f, c, job, JOB_DEAD, CAUSE_CRASH);
    assert_int_equal(info(f, c, job).crashes, f->limits.crashes_max);
    assert_string_equal(info(f, c, job).text.data,
                        "quarantined: 3 of its runs have ended their host; the last one: its host was ended "
                        "by signal 11");
}

static void test_a_crash_counts_across_a_restart(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 9));
    struct client *host = host_up(f);

    host_dies(f, host, SEGV, begin(f, host)->offer.run);
    restart(f);
    c = client_new(f, 0);
    assert_int_equal(info(f, c, job).crashes, 1);
    assert_int_equal(info(f, c, job).attempt, 0);
}

static void test_a_job_stays_running_until_it_is_known_how_its_host_ended(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    begin(f, host);
    client_die(f, host);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE);
    assert_int_equal(f->host_killed, host->host);
}

static void test_cancel_of_a_job_whose_host_is_gone_ends_with_the_verdict(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT()), neighbour = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    begin(f, host);
    struct seen *guilty = begin(f, host);
    client_die(f, host);
    cancel_job(f, c, job);
    host_dies(f, host, SEGV, guilty->offer.run);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, c, neighbour, JOB_FAILED, CAUSE_CRASH);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_P5_a_crash_is_charged_to_the_guilty_job_and_to_no_neighbour),
        TEST(test_the_only_job_that_was_offered_is_guilty_without_a_report),
        TEST(test_P5_a_job_that_had_begun_is_not_charged_beside_one_that_was_offered),
        TEST(test_P5_a_job_that_had_begun_is_not_charged_beside_an_offer_taken_back),
        TEST(test_nobody_is_charged_when_several_had_begun_and_no_report_says_which),
        TEST(test_P5_the_guilty_one_of_several_is_found_by_starting_them_one_at_a_time),
        TEST(test_a_suspect_of_a_serial_key_stays_before_the_others_of_its_key),
        TEST(test_suspects_run_beside_each_other_again_after_a_while),
        TEST(test_P5_suspects_are_alone_twice_as_long_after_each_death_that_nobody_is_charged_with),
        TEST(test_a_host_out_of_memory_is_a_crash_of_the_only_job_and_is_counted),
        TEST(test_a_crash_that_cannot_be_recorded_is_once_there_is_memory),
        TEST(test_a_core_ends_with_a_crash_that_could_not_be_recorded),
        TEST(test_a_crash_follows_the_retry_policy),
        TEST(test_P5_crashes_and_failures_are_counted_apart),
        TEST(test_a_job_crashes_at_most_as_often_as_it_may_fail),
        TEST(test_limit_crashes_max_quarantines_a_job),
        TEST(test_a_crash_counts_across_a_restart),
        TEST(test_a_job_stays_running_until_it_is_known_how_its_host_ended),
        TEST(test_cancel_of_a_job_whose_host_is_gone_ends_with_the_verdict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
