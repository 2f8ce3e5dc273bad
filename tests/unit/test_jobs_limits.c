/* Limits of jobs, one test each, and memory that runs out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define MS 1000000

static void test_limit_jobs_waiting_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.jobs_waiting_max = 2;
    restart(f);
    struct client *c = client_new(f, 1000);
    uint64_t job = submit(f, c, SUBMIT());
    submit(f, c, SUBMIT());
    ask_ok(f, c, SUBMIT(), -ENOBUFS);
    submit(f, client_new(f, 1001), SUBMIT()); /* the limit is one user's */
    cancel_job(f, c, job);
    submit(f, c, SUBMIT());
}

static void test_limit_argument_bytes_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.argument_bytes_max = strlen("argument");
    restart(f);
    struct client *c = client_new(f, 0);
    submit(f, c, SUBMIT());
    struct request longer = SUBMIT();
    longer.submit.argument = TEXT("arguments");
    ask_ok(f, c, longer, -E2BIG);
}

static void test_limit_attempts_max(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT(.attempts_max = (uint32_t)f->limits.attempts_max));
    ask_ok(f, c, SUBMIT(.attempts_max = (uint32_t)f->limits.attempts_max + 1), -EINVAL);
}

static void test_limit_result_bytes_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.result_bytes_max = 4;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t fits = submit(f, c, SUBMIT()), longer = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    done_with(f, host, begin(f, host), TEXT("four"));
    done_with(f, host, begin(f, host), TEXT("fives"));
    assert_state(f, c, fits, JOB_DONE, CAUSE_NONE);
    assert_state(f, c, longer, JOB_FAILED, CAUSE_ERROR);
    assert_int_equal(info(f, c, longer).error, -E2BIG);
}

/* What memory has no room for comes from the store; nobody sees the difference. */
static void test_limit_arguments_kept_bytes(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.arguments_kept_bytes = strlen("argument");
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t first = submit(f, c, SUBMIT()), second = submit(f, c, SUBMIT());
    f->hold = true;
    struct client *host = host_up(f);
    struct seen *offer = next_offer(f, host, OFFER_RUN);
    assert_int_equal(offer->offer.job, first);
    assert_string_equal(offer->argument, "argument");
    assert_null(next_offer(f, host, OFFER_RUN));
    assert_false(list_empty(&f->fetches));
    store_go_on(f, 0);
    offer = next_offer(f, host, OFFER_RUN);
    assert_int_equal(offer->offer.job, second);
    assert_string_equal(offer->argument, "argument");
}

static void test_limit_text_bytes_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.text_bytes_max = 3;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    done(f, host, begin(f, host), CAUSE_PANIC, 0);
    assert_string_equal(info(f, c, job).text.data, "wor");
}

static void test_limit_host_window(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.host_window = 1;
    restart(f);
    struct client *c = client_new(f, 0);
    submit(f, c, SUBMIT());
    submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = next_offer(f, host, OFFER_RUN);
    assert_null(next_offer(f, host, OFFER_RUN));
    started(f, host, offer);
    assert_non_null(next_offer(f, host, OFFER_RUN));
}

static void end_jobs(struct jobs_fixture *f, struct client *c, uint64_t *ids, int n)
{
    struct client *host = NULL;

    for (int i = 0; i < n; i++) {
        ids[i] = submit(f, c, SUBMIT());
        host = host ? host : host_up(f);
        done_with(f, host, begin(f, host), TEXT("r"));
    }
}

static void test_limit_retained_jobs_max(void **state)
{
    struct jobs_fixture *f = *state;
    uint64_t ids[3];

    f->limits.retained_jobs_max = 2;
    restart(f);
    struct client *c = client_new(f, 0);
    end_jobs(f, c, ids, 3);
    advance_ms(f, 1);
    ask_ok(f, c, (struct request){.verb = VERB_JOB_INFO, .job_info = {ids[0]}}, -ENOENT);
    assert_state(f, c, ids[1], JOB_DONE, CAUSE_NONE);
    assert_state(f, c, ids[2], JOB_DONE, CAUSE_NONE);
}

static void test_limit_retained_s(void **state)
{
    struct jobs_fixture *f = *state;
    uint64_t ids[2];

    f->limits.retained_s = 10;
    restart(f);
    struct client *c = client_new(f, 0);
    end_jobs(f, c, ids, 1);
    advance_ms(f, 9999);
    assert_state(f, c, ids[0], JOB_DONE, CAUSE_NONE);
    restart(f); /* the age goes on */
    c = client_new(f, 0);
    advance_ms(f, 1);
    ask_ok(f, c, (struct request){.verb = VERB_JOB_INFO, .job_info = {ids[0]}}, -ENOENT);
}

static void test_submits_that_make_no_sense_are_refused_with_the_value(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    assert_non_null(strstr(ask_ok(f, c, SUBMIT(.priority = 10), -EINVAL)->text, "priority 10"));
    assert_non_null(strstr(ask_ok(f, c, SUBMIT(.delay_ns = -1), -EINVAL)->text, "-1 ns"));
    ask_ok(f, c, SUBMIT_TO(TEXT("relative.so"), TEXT("count")), -EINVAL);
    ask_ok(f, c, SUBMIT_TO(TEXT("/mail/../admin.so"), TEXT("count")), -EINVAL);
    ask_ok(f, c, SUBMIT_TO(TEXT("/mail/./a.so"), TEXT("count")), -EINVAL);
    ask_ok(f, c, SUBMIT_TO(TEXT("/mail//a.so"), TEXT("count")), -EINVAL);
    ask_ok(f, c, SUBMIT_TO(TEXT("/mail/.."), TEXT("count")), -EINVAL);
    ask_ok(f, c, SUBMIT_TO(TEXT("/mail/"), TEXT("count")), -EINVAL);
    ask_ok(f, c, SUBMIT_TO(PLUGIN, TEXT("")), -EINVAL);
    ask_ok(f, c, SUBMIT_TO(PLUGIN, TEXT("with space")), -EINVAL);
}

/* ---- memory ---- */

/* A life with every kind of step, the n-th allocation of which fails. Whether one failed. */
static bool life_without_allocation(struct jobs_fixture *f, long n)
{
    struct client *c = client_new(f, 0), *host = NULL;

    f->allocations_left = n;
    ask(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = 1, .grace_ns = 1 * MS));
    if (f->plugin_waiting)
        plugin_is(f, TEXT("g1"), true);
    bool failed = f->allocations_left == 0;
    f->allocations_left = -1;
    c = client_new(f, 0); /* the connection of the first may have to be bound anew */
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = 1, .grace_ns = 1 * MS));
    host = host_up(f);
    f->allocations_left = failed ? -1 : n;
    wait_job(f, c, job);
    struct seen *offer;
    while ((offer = next_offer(f, host, OFFER_RUN))) {
        started(f, host, offer);
        done(f, host, offer, CAUSE_ERROR, -1);
    }
    advance_ms(f, 1000);
    cancel_job(f, c, job);
    advance_ms(f, 1000);
    host_dies(f, host, 11, 0);
    failed = failed || f->allocations_left == 0;
    f->allocations_left = -1;
    advance_ms(f, 100000);
    return failed;
}

/* A job is stored, and would start. It does with the next input at the latest. Whether memory was out. */
static bool start_without_allocation(struct jobs_fixture *f, long n)
{
    struct client *c = client_new(f, 0), *host;

    submit(f, c, SUBMIT());
    host = host_up(f);
    begin(f, host);
    f->hold = true;
    ask(f, c, SUBMIT());
    f->allocations_left = n;
    store_go_on(f, 0);
    bool failed = f->allocations_left == 0;
    f->allocations_left = -1;
    f->hold = false;
    ask_ok(f, c, (struct request){.verb = VERB_PING}, 0);
    struct seen *offer = next_offer(f, host, OFFER_RUN);
    assert_non_null(offer);
    assert_string_equal(offer->argument, "argument");
    return failed;
}

static void test_a_job_that_finds_no_memory_starts_with_the_next_input(void **state)
{
    struct jobs_fixture *f = *state;
    bool failed = true;
    long n = 0;

    for (; failed; n++) {
        restart(f);
        failed = start_without_allocation(f, n);
    }
    assert_true(n > 2);
}

/* core_check runs after every step; what failed is told or done again. */
static void test_memory_that_runs_out_breaks_no_invariant(void **state)
{
    struct jobs_fixture *f = *state;
    long n = 0;

    for (bool failed = true; failed; n++) {
        restart(f);
        failed = life_without_allocation(f, n);
    }
    assert_true(n > 20);
}

enum { WAITING = 1000, WAITING_BYTES = 250 };

/* After a restart, when nothing else is there. */
static long bytes_of_the_core(struct jobs_fixture *f)
{
    restart(f);
    return f->live_bytes;
}

static void test_a_job_that_waits_takes_little_memory(void **state)
{
    struct jobs_fixture *f = *state;
    long empty = bytes_of_the_core(f);
    struct client *c = client_new(f, 0);

    for (int i = 0; i < WAITING; i++)
        submit(f, c, SUBMIT(.delay_ns = i % 2 ? 1000 * (int64_t)MS : 0));
    long each = (bytes_of_the_core(f) - empty) / WAITING;
    print_message("%ld bytes for each job that waits\n", each);
    assert_in_range(each, 1, WAITING_BYTES);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_limit_jobs_waiting_max),
        TEST(test_limit_argument_bytes_max),
        TEST(test_limit_attempts_max),
        TEST(test_limit_result_bytes_max),
        TEST(test_limit_arguments_kept_bytes),
        TEST(test_limit_text_bytes_max),
        TEST(test_limit_host_window),
        TEST(test_limit_retained_jobs_max),
        TEST(test_limit_retained_s),
        TEST(test_submits_that_make_no_sense_are_refused_with_the_value),
        TEST(test_a_job_that_waits_takes_little_memory),
        TEST(test_a_job_that_finds_no_memory_starts_with_the_next_input),
        TEST(test_memory_that_runs_out_breaks_no_invariant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
