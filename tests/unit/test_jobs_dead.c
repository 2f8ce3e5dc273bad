/* Dead letters: another life for jobs that failed, the end of what nobody wants, and how long both are kept. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define RETRY(...) ((struct request){.verb = VERB_JOB_RETRY, .job_retry = {__VA_ARGS__}})
#define PURGE(...) ((struct request){.verb = VERB_JOB_PURGE, .job_purge = {__VA_ARGS__}})

/* A job that has had two attempts. */
static uint64_t dead_job(struct jobs_fixture *f, struct client *c)
{
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = 1));
    struct client *host = host_there(f);

    for (int i = 0; i < 2; i++) {
        done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
        advance_ms(f, 1);
    }
    return job;
}

static uint64_t failed_job(struct jobs_fixture *f, struct client *c)
{
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_there(f);

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    return job;
}

static void test_a_dead_job_lives_again_with_attempts_and_a_later_run(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = dead_job(f, c), run = info(f, c, job).run;

    assert_state(f, c, job, JOB_DEAD, CAUSE_ERROR);
    assert_int_equal(ask_ok(f, c, RETRY(.job = job), 1)->handle, job);
    struct job_info row = info(f, c, job);
    assert_int_equal(row.attempt, 0);
    assert_int_equal(row.ended_us, 0);
    struct client *host = host_there(f);
    struct seen *offer = begin(f, host);
    assert_int_equal(offer->offer.job, job);
    assert_true(offer->offer.run > run);
    assert_string_equal(offer->argument, "argument");
    done_with(f, host, offer, TEXT("at last"));
    assert_string_equal(info(f, c, job).result.data, "at last");
}

static void test_all_attempts_are_there_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = dead_job(f, c);
    struct client *host = host_there(f);

    ask_ok(f, c, RETRY(.job = job), 1);
    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_ERROR);
    advance_ms(f, 1);
    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    assert_state(f, c, job, JOB_DEAD, CAUSE_ERROR);
    ask_ok(f, c, RETRY(.job = job), 1);
}

static void test_a_restart_keeps_the_new_life(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = dead_job(f, c), other = submit(f, c, SUBMIT());

    ask_ok(f, c, RETRY(.job = job), 1);
    restart(f);
    c = client_new(f, 0);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    assert_state(f, c, other, JOB_READY, CAUSE_NONE);
    assert_int_equal(info(f, c, job).attempt, 0);
}

static void test_only_what_failed_is_retried(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *other = client_new(f, 1000);
    uint64_t failed = failed_job(f, c), waits = submit(f, c, SUBMIT(.delay_ns = 1000000000)),
             cancelled = submit(f, c, SUBMIT(.delay_ns = 1000000000));

    cancel_job(f, c, cancelled);
    ask_ok(f, other, RETRY(.job = failed), -EPERM);
    ask_ok(f, c, RETRY(.job = failed), 1);
    ask_ok(f, c, RETRY(.job = failed), -EBUSY);
    ask_ok(f, c, RETRY(.job = waits), -EBUSY);
    ask_ok(f, c, RETRY(.job = cancelled), -EINVAL);
    ask_ok(f, c, RETRY(.job = waits + 1000), -ENOENT);
}

static void test_a_retry_is_answered_and_started_when_the_store_has_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = failed_job(f, c);

    f->hold = true;
    uint64_t op = ask(f, c, RETRY(.job = job));
    assert_null(answer(f, c, op));
    f->hold = false;
    store_go_on(f, 0);
    assert_int_equal(answer(f, c, op)->status, 1);
    assert_int_equal(begin(f, host_there(f))->offer.job, job);
}

/* The end is in memory alone. */
static void test_a_job_lives_again_whose_end_is_not_stored_yet(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_there(f);
    struct seen *offer = begin(f, host);

    f->hold = true;
    done(f, host, offer, CAUSE_ERROR, -EIO);
    uint64_t op = ask(f, c, RETRY(.job = job));
    f->hold = false;
    store_go_on(f, 0);
    assert_int_equal(answer(f, c, op)->status, 1);
    assert_int_equal(begin(f, host)->offer.job, job);
}

static void test_two_retries_at_once_give_one_life(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = failed_job(f, c);

    f->hold = true;
    uint64_t first = ask(f, c, RETRY(.job = job)), second = ask(f, c, RETRY(.job = job));
    f->hold = false;
    store_go_on(f, 0);
    assert_int_equal(answer(f, c, first)->status, 1);
    assert_int_equal(answer(f, c, second)->status, -ENOENT);
    begin(f, host_there(f));
    assert_null(next_offer(f, host_there(f), OFFER_RUN));
}

static void test_a_deadline_that_has_passed_holds_no_more(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.deadline_in_ns = 1000000000));

    advance_ms(f, 1000);
    assert_state(f, c, job, JOB_FAILED, CAUSE_TIMEOUT);
    ask_ok(f, c, RETRY(.job = job), 1);
    advance_ms(f, 5000);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    restart(f);
    c = client_new(f, 0);
    advance_ms(f, 5000);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
}

static void test_retry_counts_as_a_job_of_its_user(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.jobs_waiting_max = 1;
    restart(f);
    struct client *c = client_new(f, 1000);
    uint64_t job = failed_job(f, c), other = submit(f, c, SUBMIT(.delay_ns = 1000000000));
    ask_ok(f, c, RETRY(.job = job), -ENOBUFS);
    assert_state(f, c, job, JOB_FAILED, CAUSE_ERROR);
    cancel_job(f, c, other);
    ask_ok(f, c, RETRY(.job = job), 1);
}

/* ---- pages ---- */

static void test_all_dead_jobs_a_page_at_a_time(void **state)
{
    struct jobs_fixture *f = *state;
    uint64_t jobs[3];

    f->limits.revive_max = 2;
    restart(f);
    struct client *c = client_new(f, 0);
    for (int i = 0; i < 3; i++)
        jobs[i] = dead_job(f, c);
    uint64_t failed = failed_job(f, c);
    struct seen *page = ask_ok(f, c, RETRY(0), 2);
    assert_true(page->flags & RESULT_MORE);
    assert_int_equal(page->handle, jobs[1]);
    page = ask_ok(f, c, RETRY(.after = page->handle), 1);
    assert_false(page->flags & RESULT_MORE);
    for (int i = 0; i < 3; i++)
        assert_true(info(f, c, jobs[i]).attempt == 0);
    assert_state(f, c, failed, JOB_FAILED, CAUSE_ERROR);
    ask_ok(f, c, RETRY(.states = 1u << JOB_FAILED), 1);
    ask_ok(f, c, RETRY(.states = 1u << JOB_DONE), -EINVAL);
    struct seen *list = ask_ok(f, c, (struct request){.verb = VERB_JOB_LIST}, 0);
    for (size_t i = 1; i < list->jobs_n; i++)
        assert_true(list->ids[i] > list->ids[i - 1]);
    assert_int_equal(list->jobs_n, 4);
}

static void test_a_user_retries_and_purges_his_own(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000), *other = client_new(f, 1001);
    uint64_t job = dead_job(f, c);

    ask_ok(f, other, RETRY(0), 0);
    ask_ok(f, other, PURGE(0), 0);
    assert_state(f, c, job, JOB_DEAD, CAUSE_ERROR);
    ask_ok(f, client_new(f, 0), PURGE(0), 1);
    ask_ok(f, c, LOOK(job), -ENOENT);
}

static void test_purge_by_age_state_and_queue(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t old = dead_job(f, c);

    advance_ms(f, 10000);
    uint64_t young = dead_job(f, c), failed = failed_job(f, c);
    ask_ok(f, c, PURGE(.older_ns = 20000 * INT64_C(1000000)), 0);
    ask_ok(f, c, PURGE(.queue = TEXT("else")), 0);
    ask_ok(f, c, PURGE(.older_ns = 10000 * INT64_C(1000000)), 1);
    ask_ok(f, c, LOOK(old), -ENOENT);
    assert_state(f, c, young, JOB_DEAD, CAUSE_ERROR);
    ask_ok(f, c, PURGE(.queue = TEXT("default"), .states = 1u << JOB_FAILED), 1);
    ask_ok(f, c, LOOK(failed), -ENOENT);
    ask_ok(f, c, PURGE(.states = 1u << JOB_READY), -EINVAL);
    ask_ok(f, c, PURGE(.older_ns = -1), -EINVAL);
    restart(f);
    ask_ok(f, client_new(f, 0), LOOK(old), -ENOENT);
}

static void test_limit_revive_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.revive_max = 1;
    restart(f);
    struct client *c = client_new(f, 0);
    dead_job(f, c);
    dead_job(f, c);
    assert_true(ask_ok(f, c, PURGE(.limit = 100), 1)->flags & RESULT_MORE);
}

/* ---- how long ---- */

static void test_limit_dead_jobs_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.dead_jobs_max = 1;
    f->limits.retained_jobs_max = 1;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t first = dead_job(f, c), failed = failed_job(f, c);
    assert_state(f, c, first, JOB_DEAD, CAUSE_ERROR); /* they do not push each other out */
    assert_state(f, c, failed, JOB_FAILED, CAUSE_ERROR);
    uint64_t second = dead_job(f, c);
    advance_ms(f, 1);
    ask_ok(f, c, LOOK(first), -ENOENT);
    assert_state(f, c, second, JOB_DEAD, CAUSE_ERROR);
}

static void test_limit_dead_s(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.dead_s = 20;
    f->limits.retained_s = 10;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t dead = dead_job(f, c), failed = failed_job(f, c);
    advance_ms(f, 10000);
    ask_ok(f, c, LOOK(failed), -ENOENT);
    assert_state(f, c, dead, JOB_DEAD, CAUSE_ERROR);
    restart(f); /* the age goes on */
    c = client_new(f, 0);
    advance_ms(f, 10000);
    ask_ok(f, c, LOOK(dead), -ENOENT);
}

static void test_memory_that_runs_out_leaves_a_dead_job_dead(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = dead_job(f, c);

    for (long n = 0; n < 60; n++) {
        c = client_new(f, 0); /* the connection of the last may have to be bound anew */
        f->allocations_left = n;
        ask(f, c, RETRY(.job = job));
        f->allocations_left = -1;
        advance_ms(f, 100);
        c = client_new(f, 0);
        if (info(f, c, job).state != JOB_DEAD)
            return;
    }
    fail_msg("never retried");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_dead_job_lives_again_with_attempts_and_a_later_run),
        TEST(test_all_attempts_are_there_again),
        TEST(test_a_restart_keeps_the_new_life),
        TEST(test_only_what_failed_is_retried),
        TEST(test_a_retry_is_answered_and_started_when_the_store_has_it),
        TEST(test_a_job_lives_again_whose_end_is_not_stored_yet),
        TEST(test_two_retries_at_once_give_one_life),
        TEST(test_a_deadline_that_has_passed_holds_no_more),
        TEST(test_retry_counts_as_a_job_of_its_user),
        TEST(test_all_dead_jobs_a_page_at_a_time),
        TEST(test_a_user_retries_and_purges_his_own),
        TEST(test_purge_by_age_state_and_queue),
        TEST(test_limit_revive_max),
        TEST(test_limit_dead_jobs_max),
        TEST(test_limit_dead_s),
        TEST(test_memory_that_runs_out_leaves_a_dead_job_dead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
