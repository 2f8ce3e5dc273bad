/* Cancel, time limit and deadline: in each state of a job, and step by step while it runs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define MS 1000000

static void test_cancel_of_a_ready_job_ends_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    uint64_t waiting = wait_job(f, c, job);

    assert_int_equal(cancel_job(f, c, job), 0);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    assert_int_equal(answer(f, c, waiting)->job.state, JOB_CANCELLED);
    assert_string_equal(answer(f, c, waiting)->words[0], "not wanted");
    assert_null(next_offer(f, host_up(f), OFFER_RUN));
}

static void test_cancel_of_a_scheduled_job_ends_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.delay_ns = 1000 * MS));

    assert_int_equal(cancel_job(f, c, job), 0);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    advance_ms(f, 2000);
    assert_int_equal(f->hosts_started, 0);
}

static void test_cancel_between_two_attempts_ends_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 3));
    struct client *host = host_up(f);

    done(f, host, begin(f, host), CAUSE_ERROR, -1);
    assert_int_equal(cancel_job(f, c, job), 0);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
}

static void test_cancel_is_answered_when_the_store_has_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t ready = submit(f, c, SUBMIT(.delay_ns = 1000 * MS)), running = submit(f, c, SUBMIT());

    begin(f, host_up(f));
    f->hold = true;
    assert_int_equal(cancel_job(f, c, ready), 1); /* no answer */
    assert_int_equal(cancel_job(f, c, running), 1);
    store_go_on(f, 0);
    f->hold = false;
    assert_int_equal(cancel_job(f, c, ready), 0);
    assert_int_equal(cancel_job(f, c, running), 0);
}

static void test_limit_grace_ms(void **state)
{
    struct jobs_fixture *f = *state;
    f->limits.grace_ms = 700;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    begin(f, host);
    assert_int_equal(cancel_job(f, c, job), 0);
    assert_int_equal(next_offer(f, host, OFFER_CANCEL)->offer.grace_ns, 700 * MS);
}

static void test_cancel_of_a_running_job_is_offered_to_its_host(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.grace_ns = 300 * MS));
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    assert_int_equal(cancel_job(f, c, job), 0);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_CANCELED);
    struct seen *cancel = next_offer(f, host, OFFER_CANCEL);
    assert_non_null(cancel);
    assert_int_equal(cancel->offer.run, offer->offer.run);
    assert_int_equal(cancel->offer.grace_ns, 300 * MS);
    assert_int_equal(cancel->offer.cause, CAUSE_CANCELED);
    assert_string_equal(cancel->offer_text, "not wanted");
    done(f, host, offer, CAUSE_CANCELED, -ECANCELED);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
}

static void test_cancel_before_started_is_offered_too(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = next_offer(f, host, OFFER_RUN);

    assert_int_equal(cancel_job(f, c, job), 0);
    assert_non_null(next_offer(f, host, OFFER_CANCEL));
    assert_int_equal(started(f, host, offer), 0);
    done(f, host, offer, CAUSE_CANCELED, -ECANCELED);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
}

static void test_cancel_while_the_argument_is_fetched_ends_it_at_once(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    begin(f, host);
    uint64_t job = submit(f, c, SUBMIT(.delay_ns = 1 * MS));
    f->hold = true;
    advance_ms(f, 1); /* due, and its argument is asked for */
    cancel_job(f, c, job);
    f->hold = false;
    store_go_on(f, 0);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    assert_null(next_offer(f, host, OFFER_RUN));
}

static void test_a_job_that_succeeds_in_spite_of_a_cancel_is_done(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    cancel_job(f, c, job);
    done_with(f, host, offer, TEXT("r"));
    assert_state(f, c, job, JOB_DONE, CAUSE_NONE);
}

static void test_a_cancelled_job_that_fails_is_not_tried_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 5));
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    cancel_job(f, c, job);
    done(f, host, offer, CAUSE_ERROR, -EIO);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    assert_int_equal(info(f, c, job).error, -EIO);
}

static void test_cancel_of_an_ended_job_changes_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    done_with(f, host, begin(f, host), TEXT("r"));
    assert_int_equal(cancel_job(f, c, job), 0);
    assert_state(f, c, job, JOB_DONE, CAUSE_NONE);
}

static void test_cancel_of_no_job_is_not_found(void **state)
{
    struct jobs_fixture *f = *state;

    assert_int_equal(cancel_job(f, client_new(f, 0), 12345), -ENOENT);
}

static void test_second_cancel_is_harmless(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    begin(f, host);
    cancel_job(f, c, job);
    assert_non_null(next_offer(f, host, OFFER_CANCEL));
    assert_int_equal(cancel_job(f, c, job), 0);
    assert_null(next_offer(f, host, OFFER_CANCEL));
}

static void test_a_cancel_that_was_answered_survives_a_restart(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());

    begin(f, host_up(f));
    cancel_job(f, c, job);
    restart(f);
    c = client_new(f, 0);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
}

/* Two running jobs, and the host they run in. */
struct pair {
    struct client *c, *host;
    uint64_t job, neighbour;
    struct seen *offer, *other;
};

static struct pair pair_up(struct jobs_fixture *f, struct request first)
{
    struct pair p = {.c = client_new(f, 0)};

    p.job = submit(f, p.c, first);
    p.neighbour = submit(f, p.c, SUBMIT());
    p.host = host_up(f);
    p.offer = begin(f, p.host);
    p.other = begin(f, p.host);
    return p;
}

static void test_time_limit_escalates_from_context_to_scope_to_the_host(void **state)
{
    struct jobs_fixture *f = *state;
    struct pair p = pair_up(f, SUBMIT(.time_limit_ns = 200 * MS, .grace_ns = 100 * MS));

    advance_ms(f, 199);
    assert_null(next_offer(f, p.host, OFFER_CANCEL));
    advance_ms(f, 1); /* the limit: its context ends */
    struct seen *cancel = next_offer(f, p.host, OFFER_CANCEL);
    assert_non_null(cancel);
    assert_int_equal(cancel->offer.cause, CAUSE_TIMEOUT);
    advance_ms(f, 99);
    assert_state(f, p.c, p.job, JOB_RUNNING, CAUSE_NONE);
    advance_ms(f, 1); /* the grace: its scope ends, it is over */
    assert_state(f, p.c, p.job, JOB_FAILED, CAUSE_TIMEOUT);
    assert_non_null(next_offer(f, p.host, OFFER_SCOPE_END));
    advance_ms(f, (int64_t)f->limits.unwind_ms - 1);
    assert_null(next_offer(f, p.host, OFFER_DRAIN));
    advance_ms(f, 1); /* it spins: its host takes nothing new */
    assert_non_null(next_offer(f, p.host, OFFER_DRAIN));
    assert_state(f, p.c, p.neighbour, JOB_RUNNING, CAUSE_NONE);
}

static void test_a_stubborn_run_that_unwinds_costs_neither_host_nor_neighbour(void **state)
{
    struct jobs_fixture *f = *state;
    struct pair p = pair_up(f, SUBMIT(.time_limit_ns = 200 * MS, .grace_ns = 100 * MS));

    advance_ms(f, 300);
    assert_non_null(next_offer(f, p.host, OFFER_SCOPE_END));
    assert_int_equal(done(f, p.host, p.offer, CAUSE_CANCELED, -ECANCELED), -ESTALE);
    advance_ms(f, 10 * (int64_t)f->limits.unwind_ms);
    assert_null(next_offer(f, p.host, OFFER_DRAIN));
    uint64_t job = submit(f, p.c, SUBMIT());
    if (f->plugin_waiting)
        plugin_is(f, TEXT("g1"), true);
    assert_int_equal(begin(f, p.host)->offer.job, job);
    assert_state(f, p.c, p.neighbour, JOB_RUNNING, CAUSE_NONE);
    assert_int_equal(f->hosts_started, 1);
}

static void test_operations_of_an_abandoned_run_are_stale(void **state)
{
    struct jobs_fixture *f = *state;
    struct pair p = pair_up(f, SUBMIT(.time_limit_ns = 200 * MS, .grace_ns = 100 * MS));
    struct request open = {.verb = VERB_CHAN_OPEN, .run = p.offer->offer.run, .chan_open = {.capacity = 1}};

    ask_ok(f, p.host, open, 0);
    advance_ms(f, 300);
    ask_ok(f, p.host, open, -ESTALE);
    open.run = p.other->offer.run;
    ask_ok(f, p.host, open, 0);
}

static void test_a_replacement_starts_beside_the_host_that_is_drained(void **state)
{
    struct jobs_fixture *f = *state;
    struct pair p = pair_up(f, SUBMIT(.time_limit_ns = 200 * MS, .grace_ns = 100 * MS));

    advance_ms(f, 300 + (int64_t)f->limits.unwind_ms);
    uint64_t job = submit(f, p.c, SUBMIT());
    assert_int_equal(f->hosts_started, 2);
    struct client *fresh = host_up(f);
    assert_int_equal(begin(f, fresh)->offer.job, job);
}

static void test_the_host_is_killed_when_the_neighbours_are_done(void **state)
{
    struct jobs_fixture *f = *state;
    struct pair p = pair_up(f, SUBMIT(.time_limit_ns = 200 * MS, .grace_ns = 100 * MS));

    advance_ms(f, 300 + (int64_t)f->limits.unwind_ms);
    assert_int_equal(f->host_killed, 0);
    done_with(f, p.host, p.other, TEXT("r"));
    assert_int_equal(f->host_killed, p.host->host);
    assert_state(f, p.c, p.neighbour, JOB_DONE, CAUSE_NONE);
}

static void test_neighbours_have_at_most_the_drain_grace_and_go_back_unharmed(void **state)
{
    struct jobs_fixture *f = *state;
    struct pair p = pair_up(f, SUBMIT(.time_limit_ns = 200 * MS, .grace_ns = 100 * MS));

    advance_ms(f, 300 + (int64_t)f->limits.unwind_ms);
    advance_ms(f, (int64_t)f->limits.drain_ms - 1);
    assert_int_equal(f->host_killed, 0);
    advance_ms(f, 1);
    assert_int_equal(f->host_killed, p.host->host);
    host_dies(f, p.host, 9, 0);
    assert_state(f, p.c, p.neighbour, JOB_READY, CAUSE_NONE);
    assert_int_equal(info(f, p.c, p.neighbour).attempt, 0);
    assert_int_equal(begin(f, host_up(f))->offer.job, p.neighbour);
}

static void test_a_spinning_run_without_neighbours_is_killed_with_its_host(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.grace_ns = 100 * MS));
    struct client *host = host_up(f);

    begin(f, host);
    cancel_job(f, c, job);
    advance_ms(f, 100);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    assert_int_equal(f->host_killed, 0);
    advance_ms(f, (int64_t)f->limits.unwind_ms);
    assert_int_equal(f->host_killed, host->host);
}

static void test_a_run_that_ends_after_it_was_given_up_saves_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct pair p = pair_up(f, SUBMIT(.time_limit_ns = 200 * MS, .grace_ns = 100 * MS));

    advance_ms(f, 300);
    assert_int_equal(done_with(f, p.host, p.offer, TEXT("late")), -ESTALE);
    assert_state(f, p.c, p.job, JOB_FAILED, CAUSE_TIMEOUT);
}

static void test_time_limit_counts_as_an_attempt(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.time_limit_ns = 200 * MS, .attempts_max = 2, .backoff_ns = 1 * MS));
    struct client *host = host_up(f);

    struct seen *offer = begin(f, host);
    advance_ms(f, 200);
    done(f, host, offer, CAUSE_CANCELED, -ECANCELED);
    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_TIMEOUT);
    assert_int_equal(info(f, c, job).attempt, 1);
    advance_ms(f, 1);
    offer = begin(f, host);
    advance_ms(f, 200);
    done(f, host, offer, CAUSE_CANCELED, -ECANCELED);
    assert_state(f, c, job, JOB_DEAD, CAUSE_TIMEOUT);
}

static void test_time_limit_runs_from_started(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT(.time_limit_ns = 200 * MS));
    struct client *host = host_up(f);
    struct seen *offer = next_offer(f, host, OFFER_RUN);
    advance_ms(f, 1000);
    started(f, host, offer);
    advance_ms(f, 199);
    assert_null(next_offer(f, host, OFFER_CANCEL));
    advance_ms(f, 1);
    assert_non_null(next_offer(f, host, OFFER_CANCEL));
}

static void test_deadline_ends_a_waiting_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t ready = submit(f, c, SUBMIT(.deadline_in_ns = 100 * MS));
    uint64_t later = submit(f, c, SUBMIT(.deadline_in_ns = 100 * MS, .delay_ns = 500 * MS));

    advance_ms(f, 100);
    assert_state(f, c, ready, JOB_FAILED, CAUSE_TIMEOUT);
    assert_state(f, c, later, JOB_FAILED, CAUSE_TIMEOUT);
}

static void test_deadline_of_a_running_job_is_final(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.deadline_in_ns = 100 * MS, .attempts_max = 9));
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    assert_int_equal(offer->offer.time_left_ns, 100 * MS);
    advance_ms(f, 100);
    assert_non_null(next_offer(f, host, OFFER_CANCEL));
    done(f, host, offer, CAUSE_CANCELED, -ECANCELED);
    assert_state(f, c, job, JOB_FAILED, CAUSE_TIMEOUT);
}

static void test_deadline_holds_across_a_restart(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.deadline_in_ns = 100 * MS));

    restart(f);
    c = client_new(f, 0);
    advance_ms(f, 99);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    advance_ms(f, 1);
    assert_state(f, c, job, JOB_FAILED, CAUSE_TIMEOUT);
}

static void test_a_job_of_another_user_is_not_touched(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *mine = client_new(f, 1000), *other = client_new(f, 1001), *root = client_new(f, 0);
    uint64_t job = submit(f, mine, SUBMIT(.delay_ns = 1000 * MS));

    assert_int_equal(cancel_job(f, other, job), -EPERM);
    ask_ok(f, other, (struct request){.verb = VERB_JOB_WAIT, .job_wait = {job}}, -EPERM);
    ask_ok(f, other, (struct request){.verb = VERB_JOB_INFO, .job_info = {job}}, -EPERM);
    ask_ok(f, other, (struct request){.verb = VERB_JOB_OUTPUT, .job_output = {.job = job}}, -EPERM);
    assert_int_equal(cancel_job(f, root, job), 0);
    assert_int_equal(cancel_job(f, other, job), -EPERM);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cancel_of_a_ready_job_ends_it),
        TEST(test_cancel_of_a_scheduled_job_ends_it),
        TEST(test_cancel_between_two_attempts_ends_it),
        TEST(test_cancel_is_answered_when_the_store_has_it),
        TEST(test_limit_grace_ms),
        TEST(test_cancel_of_a_running_job_is_offered_to_its_host),
        TEST(test_cancel_before_started_is_offered_too),
        TEST(test_cancel_while_the_argument_is_fetched_ends_it_at_once),
        TEST(test_a_job_that_succeeds_in_spite_of_a_cancel_is_done),
        TEST(test_a_cancelled_job_that_fails_is_not_tried_again),
        TEST(test_cancel_of_an_ended_job_changes_nothing),
        TEST(test_cancel_of_no_job_is_not_found),
        TEST(test_second_cancel_is_harmless),
        TEST(test_a_cancel_that_was_answered_survives_a_restart),
        TEST(test_time_limit_escalates_from_context_to_scope_to_the_host),
        TEST(test_a_stubborn_run_that_unwinds_costs_neither_host_nor_neighbour),
        TEST(test_operations_of_an_abandoned_run_are_stale),
        TEST(test_a_replacement_starts_beside_the_host_that_is_drained),
        TEST(test_the_host_is_killed_when_the_neighbours_are_done),
        TEST(test_neighbours_have_at_most_the_drain_grace_and_go_back_unharmed),
        TEST(test_a_spinning_run_without_neighbours_is_killed_with_its_host),
        TEST(test_a_run_that_ends_after_it_was_given_up_saves_nothing),
        TEST(test_time_limit_counts_as_an_attempt),
        TEST(test_time_limit_runs_from_started),
        TEST(test_deadline_ends_a_waiting_job),
        TEST(test_deadline_of_a_running_job_is_final),
        TEST(test_deadline_holds_across_a_restart),
        TEST(test_a_job_of_another_user_is_not_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
