/* How long a worker has a job: until its lease, its session, the job's time or somebody's patience is over (IP4). */
#include <errno.h>
#include <string.h>

#include "worker_fixture.h"

/* ---- leases ---- */

static void test_a_lease_ends_by_time_and_the_job_goes_to_another(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *other = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());
    struct held held = held_of(answer(f, c, ask(f, c, RESERVE(.lease_ns = SECOND_NS))));

    advance_ms(f, 999);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE);
    advance_ms(f, 1);
    struct held again = reserve(f, other);
    assert_int_equal(again.job, job);
    assert_int_equal(info(f, c, job).attempt, 0);
    assert_int_equal(info(f, c, job).crashes, 1);
    assert_int_equal(end(f, c, held, CAUSE_NONE, false), -ESTALE);
}

static void test_without_a_word_about_it_a_lease_is_that_of_the_configuration(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());

    reserve(f, c);
    advance_ms(f, (int64_t)f->limits.work_lease_ms - 1);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE);
    advance_ms(f, 1);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
}

static void test_extending_counts_from_then_on(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());
    struct held held = held_of(answer(f, c, ask(f, c, RESERVE(.lease_ns = SECOND_NS))));

    advance_ms(f, 900);
    assert_int_equal(extend(f, c, held, 2 * SECOND_NS), 0);
    advance_ms(f, 1999);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE);
    assert_int_equal(extend(f, c, held, -5), -EINVAL);
    advance_ms(f, 1);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
}

static void test_so_many_ends_of_a_lease_and_the_job_is_quarantined(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK(.attempts_max = 100));

    for (uint64_t i = 1; i <= f->limits.crashes_max; i++) {
        reserve(f, c);
        advance_ms(f, (int64_t)f->limits.work_lease_ms);
        assert_int_equal(info(f, c, job).crashes, i);
    }
    assert_state(f, c, job, JOB_DEAD, CAUSE_CRASH);
}

static void test_the_crashes_of_a_job_survive_a_restart(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());

    reserve(f, c);
    advance_ms(f, (int64_t)f->limits.work_lease_ms);
    restart(f);
    c = client_new(f, 0);
    assert_int_equal(info(f, c, job).crashes, 1);
    assert_int_equal(reserve(f, c).job, job);
}

/* ---- sessions ---- */

static void test_IP4_the_death_of_a_worker_gives_its_jobs_back_at_once(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);
    uint64_t first = submit(f, c, WORK()), second = submit(f, c, WORK());
    struct seen *seen = answer(f, worker, ask(f, worker, RESERVE(.max = 2)));
    struct held held = {seen->ids[0], seen->runs[0]};

    assert_int_equal(seen->status, 2);
    client_die(f, worker);
    assert_state(f, c, first, JOB_READY, CAUSE_NONE);
    assert_state(f, c, second, JOB_READY, CAUSE_NONE);
    seen = answer(f, c, ask(f, c, RESERVE(.max = 2)));
    assert_int_equal(seen->status, 2);
    assert_int_equal(seen->ids[0], first);
    assert_true(seen->runs[0] > held.run);
    assert_int_equal(info(f, c, first).attempt, 0);
    assert_int_equal(info(f, c, first).crashes, 0); /* which of them it was is not known */
}

static void test_a_worker_that_dies_of_its_only_job_counts_a_crash_and_one_that_leaves_none(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *dies = client_new(f, 0), *leaves = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());

    reserve(f, dies);
    client_die(f, dies);
    assert_int_equal(info(f, c, job).crashes, 1);
    reserve(f, leaves);
    bye(f, leaves);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    assert_int_equal(info(f, c, job).crashes, 1);
    assert_int_equal(info(f, c, job).attempt, 0);
}

static void test_IP4_a_worker_that_dies_while_it_waits_takes_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);

    ask(f, worker, RESERVE(.max = 1));
    client_die(f, worker);
    uint64_t job = submit(f, c, WORK());
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    assert_int_equal(reserve(f, c).job, job);
}

static void test_IP4_a_worker_that_dies_while_its_job_is_read_gives_it_back(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.arguments_kept_bytes = 0;
    restart(f);
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());
    f->hold = true;
    uint64_t op = ask(f, worker, RESERVE(.max = 1));
    assert_null(answer(f, worker, op));
    client_die(f, worker);
    f->hold = false;
    store_go_on(f, 0);
    struct seen *seen = answer(f, c, ask(f, c, RESERVE(.max = 1)));
    assert_int_equal(held_of(seen).job, job);
    assert_string_equal(seen->words[4], "argument");
}

static void test_IP11_a_reserve_that_ends_while_its_job_is_read_gives_it_back(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.arguments_kept_bytes = 0;
    restart(f);
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());
    f->hold = true;
    uint64_t op = ask(f, worker, RESERVE(.max = 1));
    cancel_op(f, worker, op);
    assert_int_equal(answer(f, worker, op)->status, -ECANCELED);
    f->hold = false;
    store_go_on(f, 0);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    assert_int_equal(info(f, c, job).crashes, 0);
    assert_int_equal(reserve(f, c).job, job);
}

static void pass(struct jobs_fixture *f, int64_t ns)
{
    f->now.mono_ns += ns;
    f->now.wall_ns += ns;
}

/* A worker asks, and one allocation fails. In the next step the deadline of one of the jobs is over, and then the reserve by
 * its own, or it is cancelled: if it was not answered, nobody has got either. Whether one failed. */
static bool end_in_one_step(struct jobs_fixture *f, long allocations_left, bool cancels)
{
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);
    uint64_t late = submit(f, c, WORK(.deadline_in_ns = SECOND_NS)), job = submit(f, c, WORK());
    struct request request = RESERVE(.max = 2);

    if (!cancels)
        request.until = (struct until){UNTIL_IN, 2 * SECOND_NS};
    f->fails_once = true;
    f->allocations_left = allocations_left;
    uint64_t op = ask(f, worker, request);
    f->allocations_left = -1;
    pass(f, 3 * SECOND_NS);
    if (cancels)
        cancel_op(f, worker, op);
    else
        fixture_step(f, &(struct input){.kind = IN_TICK});
    if (answer(f, worker, op)->status <= 0) {
        assert_state(f, c, late, JOB_FAILED, CAUSE_TIMEOUT);
        assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    }
    return f->refused > 0;
}

static void test_IP11_a_job_and_the_reserve_that_was_to_get_it_may_end_in_one_step(void **state)
{
    for (int cancels = 0; cancels <= 1; cancels++) {
        long n = 0;

        while (end_in_one_step(*state, n++, cancels)) {
            jobs_tear_down(state);
            jobs_set_up(state);
        }
        assert_true(n > 10);
    }
}

static void test_a_job_cancelled_while_it_is_read_leaves_its_place_to_another(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.arguments_kept_bytes = 0;
    restart(f);
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());
    f->hold = true;
    uint64_t op = ask(f, worker, RESERVE(.max = 1));
    uint64_t cancelled = ask(f, c, (struct request){.verb = VERB_JOB_CANCEL, .job_cancel = {job}});
    f->hold = false;
    store_go_on(f, 0);
    assert_int_equal(answer(f, c, cancelled)->status, 0);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    assert_null(answer(f, worker, op));
    job = submit(f, c, WORK());
    assert_int_equal(held_of(answer(f, worker, op)).job, job);
}

static void test_IP7_a_restart_makes_every_run_stale_and_loses_no_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());
    struct held held = reserve(f, c);

    restart(f);
    c = client_new(f, 0);
    assert_int_equal(end(f, c, held, CAUSE_NONE, false), -ESTALE);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    struct held again = reserve(f, c);
    assert_true(again.run > held.run);
    assert_int_equal(end(f, c, again, CAUSE_NONE, false), 0);
}

/* ---- cancel and time ---- */

static void test_a_cancel_reaches_whoever_watches_and_whoever_extends(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);
    uint64_t job = submit(f, c, WORK(.grace_ns = SECOND_NS));
    struct held held = reserve(f, worker);
    uint64_t op = watch(f, worker, held);

    assert_null(answer(f, worker, op));
    cancel_job(f, c, job);
    assert_int_equal(answer(f, worker, op)->status, 0);
    assert_int_equal(answer(f, worker, watch(f, worker, held))->status, 0);
    assert_int_equal(extend(f, worker, held, 0), -ECANCELED);
    assert_int_equal(end(f, worker, held, CAUSE_CANCELED, false), 0);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
}

static void test_who_does_not_end_within_the_grace_has_lost_the_run(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);
    uint64_t job = submit(f, c, WORK(.grace_ns = SECOND_NS));
    struct held held = reserve(f, worker);

    cancel_job(f, c, job);
    advance_ms(f, 1000);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    assert_int_equal(end(f, worker, held, CAUSE_NONE, false), -ESTALE);
    submit(f, c, WORK());
    held = reserve(f, worker); /* it is a worker as before */
    assert_int_equal(end(f, worker, held, CAUSE_NONE, false), 0);
}

static void test_the_time_limit_of_a_job_holds_however_its_lease_is_extended(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);
    uint64_t job = submit(f, c, WORK(.time_limit_ns = 5 * SECOND_NS, .grace_ns = SECOND_NS));
    struct held held = reserve(f, worker);
    uint64_t op = watch(f, worker, held);

    advance_ms(f, 4000);
    assert_int_equal(extend(f, worker, held, 100 * SECOND_NS), 0);
    assert_null(answer(f, worker, op));
    advance_ms(f, 1000);
    assert_int_equal(answer(f, worker, op)->status, 0);
    assert_non_null(strstr(answer(f, worker, op)->text, "time limit"));
    assert_int_equal(end(f, worker, held, CAUSE_ERROR, false), 0);
    assert_state(f, c, job, JOB_FAILED, CAUSE_TIMEOUT);
}

static void test_a_watch_of_a_run_that_is_over_is_stale(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, WORK());
    struct held held = reserve(f, c);
    uint64_t op = watch(f, c, held);
    end(f, c, held, CAUSE_NONE, false);
    assert_int_equal(answer(f, c, op)->status, -ESTALE);
}

static void test_IP0_a_lock_of_a_run_ends_with_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);

    submit(f, c, WORK());
    struct held held = reserve(f, worker);
    ask_ok(f, worker, (struct request){.verb = VERB_LOCK, .run = held.run, .lock = {.name = TEXT("l")}}, 0);
    uint64_t op = ask(f, c, (struct request){.verb = VERB_LOCK, .lock = {.name = TEXT("l")}});
    assert_null(answer(f, c, op));
    end(f, worker, held, CAUSE_NONE, false);
    assert_true(answer(f, c, op)->status >= 0);
    ask_ok(f, worker, (struct request){.verb = VERB_PING, .run = held.run}, -ESTALE);
}

static void test_a_drain_waits_for_workers_and_a_forced_one_takes_their_jobs_back(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());
    struct held held = reserve(f, c);
    uint64_t op = ask(f, c, (struct request){.verb = VERB_DRAIN, .drain = {DRAIN_BEGIN}});

    assert_null(answer(f, c, op));
    ask_ok(f, c, at_once(RESERVE(.max = 1)), -EAGAIN);
    ask(f, c, (struct request){.verb = VERB_DRAIN, .drain = {DRAIN_FORCE}});
    assert_int_equal(answer(f, c, op)->status, 0);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    assert_int_equal(end(f, c, held, CAUSE_NONE, false), -ESTALE);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_lease_ends_by_time_and_the_job_goes_to_another),
        TEST(test_without_a_word_about_it_a_lease_is_that_of_the_configuration),
        TEST(test_extending_counts_from_then_on),
        TEST(test_so_many_ends_of_a_lease_and_the_job_is_quarantined),
        TEST(test_the_crashes_of_a_job_survive_a_restart),
        TEST(test_IP4_the_death_of_a_worker_gives_its_jobs_back_at_once),
        TEST(test_a_worker_that_dies_of_its_only_job_counts_a_crash_and_one_that_leaves_none),
        TEST(test_IP4_a_worker_that_dies_while_it_waits_takes_nothing),
        TEST(test_IP4_a_worker_that_dies_while_its_job_is_read_gives_it_back),
        TEST(test_IP11_a_reserve_that_ends_while_its_job_is_read_gives_it_back),
        TEST(test_IP11_a_job_and_the_reserve_that_was_to_get_it_may_end_in_one_step),
        TEST(test_a_job_cancelled_while_it_is_read_leaves_its_place_to_another),
        TEST(test_IP7_a_restart_makes_every_run_stale_and_loses_no_job),
        TEST(test_a_cancel_reaches_whoever_watches_and_whoever_extends),
        TEST(test_who_does_not_end_within_the_grace_has_lost_the_run),
        TEST(test_the_time_limit_of_a_job_holds_however_its_lease_is_extended),
        TEST(test_a_watch_of_a_run_that_is_over_is_stale),
        TEST(test_IP0_a_lock_of_a_run_ends_with_it),
        TEST(test_a_drain_waits_for_workers_and_a_forced_one_takes_their_jobs_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
