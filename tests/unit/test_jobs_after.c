/* Jobs that come after others: ready when those are done, cancelled when one is not; chains, restarts, what is gone. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define S INT64_C(1000000000)

/* Comes after one job. */
static struct request after(const uint64_t *parent, uint32_t flags)
{
    return SUBMIT(.after = parent, .after_n = 1, .flags = flags);
}

static void test_a_job_is_ready_when_all_before_it_are_done(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t parents[] = {submit(f, c, SUBMIT()), submit(f, c, SUBMIT())};
    uint64_t job = submit(f, c, SUBMIT(.after = parents, .after_n = 2));
    struct client *host = host_there(f);
    struct seen *first = begin(f, host), *second = begin(f, host);

    assert_state(f, c, job, JOB_BLOCKED, CAUSE_NONE);
    assert_string_equal(info(f, c, job).text.data, "it waits for the end of 2 of 2 jobs");
    done_with(f, host, first, TEXT("r"));
    assert_state(f, c, job, JOB_BLOCKED, CAUSE_NONE);
    assert_null(next_offer(f, host, OFFER_RUN));
    done_with(f, host, second, TEXT("r"));
    assert_int_equal(begin(f, host)->offer.job, job);
}

static void test_a_job_is_cancelled_when_one_before_it_fails(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t parent = submit(f, c, SUBMIT()), job = submit(f, c, after(&parent, 0));
    uint64_t next = submit(f, c, after(&job, 0)), waiting = wait_job(f, c, next);
    struct client *host = host_there(f);

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    advance_ms(f, 1);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    assert_non_null(strstr(info(f, c, job).text.data, "which it comes after, was not done"));
    assert_int_equal(answer(f, c, waiting)->job.state, JOB_CANCELLED); /* and so on down the chain */
}

static void test_a_retry_of_the_parent_is_no_end(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t parent = submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = 1)),
             job = submit(f, c, after(&parent, 0));
    struct client *host = host_there(f);

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    assert_state(f, c, job, JOB_BLOCKED, CAUSE_NONE);
    advance_ms(f, 1);
    done_with(f, host, begin(f, host), TEXT("r"));
    assert_int_equal(begin(f, host)->offer.job, job);
}

static void test_any_end_will_do(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t parent = submit(f, c, SUBMIT()), job = submit(f, c, after(&parent, SUBMIT_AFTER_ANY));
    struct client *host = host_there(f);

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    assert_int_equal(begin(f, host)->offer.job, job);
}

static void test_it_starts_only_when_the_end_is_stored(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t parent = submit(f, c, SUBMIT()), job = submit(f, c, after(&parent, 0));
    struct client *host = host_there(f);
    struct seen *offer = begin(f, host);

    f->hold = true;
    done_with(f, host, offer, TEXT("r"));
    advance_ms(f, 1);
    assert_true(list_empty(&f->fetches));
    assert_state(f, c, job, JOB_BLOCKED, CAUSE_NONE);
    f->hold = false;
    store_go_on(f, 0);
    assert_int_equal(begin(f, host)->offer.job, job);
}

static void test_jobs_that_have_ended_already(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t good = submit(f, c, SUBMIT()), bad = submit(f, c, SUBMIT());
    struct client *host = host_there(f);

    done_with(f, host, begin(f, host), TEXT("r"));
    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    uint64_t child = submit(f, c, after(&good, 0));
    assert_int_equal(begin(f, host)->offer.job, child);
    uint64_t job = submit(f, c, after(&bad, 0));
    advance_ms(f, 1);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
}

static void test_only_jobs_that_are_there_and_ones_own_can_be_named(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000), *other = client_new(f, 1001);
    uint64_t parent = submit(f, c, SUBMIT()), none = parent + 1000;

    ask_ok(f, c, after(&none, 0), -ENOENT);
    ask_ok(f, other, after(&parent, 0), -EPERM);
    none = 0;
    ask_ok(f, c, after(&none, 0), -ENOENT);
}

static void test_a_blocked_job_can_be_cancelled_and_has_a_deadline(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t parent = submit(f, c, SUBMIT(.delay_ns = 1000 * S)), first = submit(f, c, after(&parent, 0));
    uint64_t second = submit(f, c, SUBMIT(.after = &parent, .after_n = 1, .deadline_in_ns = S));

    cancel_job(f, c, first);
    assert_state(f, c, first, JOB_CANCELLED, CAUSE_CANCELED);
    advance_ms(f, 1000);
    assert_state(f, c, second, JOB_FAILED, CAUSE_TIMEOUT);
    cancel_job(f, c, parent);
}

static void test_a_delay_counts_from_the_submit(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t parent = submit(f, c, SUBMIT());
    uint64_t job = submit(f, c, SUBMIT(.after = &parent, .after_n = 1, .delay_ns = 10 * S));
    struct client *host = host_there(f);

    done_with(f, host, begin(f, host), TEXT("r"));
    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_NONE);
    advance_ms(f, 10000);
    assert_int_equal(begin(f, host)->offer.job, job);
}

/* ---- the store ---- */

static void test_a_restart_keeps_who_comes_after_whom(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t parent = submit(f, c, SUBMIT()), job = submit(f, c, after(&parent, 0));
    uint64_t next = submit(f, c, after(&job, 0));

    restart(f);
    c = client_new(f, 0);
    assert_state(f, c, job, JOB_BLOCKED, CAUSE_NONE);
    plugin_is(f, TEXT("g1"), true);
    struct client *host = host_there(f);
    done_with(f, host, begin(f, host), TEXT("r"));
    struct seen *offer = begin(f, host);
    assert_int_equal(offer->offer.job, job);
    done(f, host, offer, CAUSE_ERROR, -EIO);
    advance_ms(f, 1);
    assert_state(f, c, next, JOB_CANCELLED, CAUSE_CANCELED);
}

/* The end of the parent was stored, and what comes of it was not. */
static void test_a_restart_finds_what_an_end_has_decided(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t good = submit(f, c, SUBMIT()), bad = submit(f, c, SUBMIT());
    uint64_t goes_on = submit(f, c, after(&good, 0)), ends = submit(f, c, after(&bad, 0));
    struct client *host = host_there(f);

    done_with(f, host, begin(f, host), TEXT("r"));
    begin(f, host); /* goes_on may be offered; nothing of that is stored */
    restart(f);
    c = client_new(f, 0);
    assert_state(f, c, goes_on, JOB_READY, CAUSE_NONE);
    assert_state(f, c, ends, JOB_BLOCKED, CAUSE_NONE);
    cancel_job(f, c, bad);
    advance_ms(f, 1);
    restart(f);
    c = client_new(f, 0);
    assert_state(f, c, ends, JOB_CANCELLED, CAUSE_CANCELED);
}

static void test_a_parent_that_retention_has_deleted_let_it_go_on(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.retained_s = 1;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t parent = submit(f, c, SUBMIT());
    uint64_t job = submit(f, c, SUBMIT(.after = &parent, .after_n = 1, .delay_ns = 100 * S));
    struct client *host = host_there(f);
    done_with(f, host, begin(f, host), TEXT("r"));
    advance_ms(f, 2000);
    ask_ok(f, c, LOOK(parent), -ENOENT);
    restart(f);
    c = client_new(f, 0);
    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_NONE);
}

static void test_a_parent_that_never_was_takes_its_child_with_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t first = submit(f, c, SUBMIT(.delay_ns = 1000 * S)),
             parent = first + 1; /* ids follow each other */

    f->hold = true;
    ask(f, c, SUBMIT());
    uint64_t op = ask(f, c, after(&parent, 0));
    store_go_on(f, -ENOSPC);
    f->hold = false;
    advance_ms(f, 1);
    assert_int_equal(answer(f, c, op)->status, -ENOSPC);
    assert_int_equal(ask_ok(f, c, (struct request){.verb = VERB_JOB_LIST}, 0)->jobs_n, 1);
}

/* ---- many ---- */

static void test_the_end_of_a_parent_of_many_is_settled_a_part_at_a_time(void **state)
{
    struct jobs_fixture *f = *state;
    uint64_t children[20];
    int cancelled = 0;

    f->limits.sweep_per_turn = 4;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t parent = submit(f, c, SUBMIT());
    for (int i = 0; i < 20; i++)
        children[i] = submit(f, c, after(&parent, 0));
    struct client *host = host_there(f);
    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    for (int i = 0; i < 20; i++)
        cancelled += info(f, c, children[i]).state == JOB_CANCELLED;
    assert_true(cancelled < 20);
    advance_ms(f, 1);
    for (int i = 0; i < 20; i++)
        assert_state(f, c, children[i], JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, c, parent, JOB_FAILED, CAUSE_ERROR);
}

static void test_limit_after_max(void **state)
{
    struct jobs_fixture *f = *state;
    uint64_t parents[3];

    f->limits.after_max = 2;
    restart(f);
    struct client *c = client_new(f, 0);
    for (int i = 0; i < 3; i++)
        parents[i] = submit(f, c, SUBMIT(.delay_ns = 1000 * S));
    submit(f, c, SUBMIT(.after = parents, .after_n = 2));
    ask_ok(f, c, SUBMIT(.after = parents, .after_n = 3), -E2BIG);
}

static void test_memory_that_runs_out_breaks_nothing(void **state)
{
    struct jobs_fixture *f = *state;

    for (long n = 0; n < 60; n++) {
        restart(f);
        struct client *c = client_new(f, 0);
        uint64_t op = ask(f, c, SUBMIT(.delay_ns = 1000 * S));
        if (f->plugin_waiting)
            plugin_is(f, TEXT("g1"), true);
        uint64_t parent = answer(f, c, op)->handle;
        f->allocations_left = n;
        op = ask(f, c, after(&parent, 0));
        f->allocations_left = -1;
        advance_ms(f, 100);
        struct seen *seen = answer(f, c, op);
        c = client_new(f, 0);
        uint64_t job = seen && seen->status == 0 ? seen->handle : 0;
        f->allocations_left = n;
        cancel_job(f, c, parent);
        f->allocations_left = -1;
        advance_ms(f, 1000);
        c = client_new(f, 0);
        cancel_job(f, c, parent);
        advance_ms(f, 1000);
        if (job)
            assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_job_is_ready_when_all_before_it_are_done),
        TEST(test_a_job_is_cancelled_when_one_before_it_fails),
        TEST(test_a_retry_of_the_parent_is_no_end),
        TEST(test_any_end_will_do),
        TEST(test_it_starts_only_when_the_end_is_stored),
        TEST(test_jobs_that_have_ended_already),
        TEST(test_only_jobs_that_are_there_and_ones_own_can_be_named),
        TEST(test_a_blocked_job_can_be_cancelled_and_has_a_deadline),
        TEST(test_a_delay_counts_from_the_submit),
        TEST(test_a_restart_keeps_who_comes_after_whom),
        TEST(test_a_restart_finds_what_an_end_has_decided),
        TEST(test_a_parent_that_retention_has_deleted_let_it_go_on),
        TEST(test_a_parent_that_never_was_takes_its_child_with_it),
        TEST(test_the_end_of_a_parent_of_many_is_settled_a_part_at_a_time),
        TEST(test_limit_after_max),
        TEST(test_memory_that_runs_out_breaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
