/* Jobs that end with a context: in each state, by cancel and by deadline (X1, IP4). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define MS 1000000

static uint64_t context(struct jobs_fixture *f, struct client *c, int64_t in_ms)
{
    struct request request = {
        .verb = VERB_CTX_NEW,
        .ctx_new = {.deadline = in_ms ? UNTIL_IN : UNTIL_FOREVER, .deadline_ns = in_ms * MS}};

    return ask_ok(f, c, request, 0)->handle;
}

static struct request with(uint64_t context, struct request request)
{
    request.context = context;
    return request;
}

static void cancel(struct jobs_fixture *f, struct client *c, uint64_t context)
{
    ask_ok(f, c,
           (struct request){.verb = VERB_CTX_CANCEL,
                            .ctx_cancel = {.context = context, .cause = TEXT("superseded")}},
           1);
}

static void test_X1_a_cancel_ends_jobs_that_wait_and_asks_those_that_run(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t ctx = context(f, c, 0);
    uint64_t runs = submit(f, c, with(ctx, SUBMIT(.grace_ns = 300 * MS)));
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    assert_int_equal(offer->offer.context, ctx);
    uint64_t ready = submit(f, c, with(ctx, SUBMIT_TO(PLUGIN, TEXT("other"), .delay_ns = 1000 * MS)));
    uint64_t detached = submit(f, c, with(ctx, SUBMIT(.delay_ns = 1000 * MS, .flags = SUBMIT_DETACHED)));
    uint64_t alone = submit(f, c, SUBMIT(.delay_ns = 1000 * MS));

    cancel(f, c, ctx);
    struct seen *told = next_offer(f, host, OFFER_CANCEL);
    assert_non_null(told);
    assert_int_equal(told->offer.run, offer->offer.run);
    assert_string_equal(told->offer_text, "superseded");
    assert_state(f, c, runs, JOB_RUNNING, CAUSE_CANCELED);
    assert_state(f, c, ready, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, c, detached, JOB_SCHEDULED, CAUSE_NONE);
    assert_state(f, c, alone, JOB_SCHEDULED, CAUSE_NONE);
    assert_int_equal(done(f, host, offer, CAUSE_ERROR, -ECANCELED), 0);
    assert_state(f, c, runs, JOB_CANCELLED, CAUSE_CANCELED);
}

static void test_X11_a_deadline_ends_them_for_good_with_cause_timeout(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t ctx = context(f, c, 500);
    uint64_t runs = submit(f, c, with(ctx, SUBMIT(.attempts_max = 5)));
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    uint64_t waits = submit(f, c, with(ctx, SUBMIT(.delay_ns = 1000 * MS)));

    advance_ms(f, 499);
    assert_state(f, c, waits, JOB_SCHEDULED, CAUSE_NONE);
    advance_ms(f, 1);
    assert_state(f, c, waits, JOB_FAILED, CAUSE_TIMEOUT);
    assert_non_null(next_offer(f, host, OFFER_CANCEL));
    assert_int_equal(done(f, host, offer, CAUSE_ERROR, -ECANCELED), 0);
    assert_state(f, c, runs, JOB_FAILED, CAUSE_TIMEOUT);
}

static void test_IP4_the_death_of_the_client_cancels_jobs_of_its_contexts(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *other = client_new(f, 0);
    uint64_t ctx = context(f, c, 0);
    uint64_t bound = submit(f, c, with(ctx, SUBMIT(.delay_ns = 1000 * MS)));
    uint64_t free = submit(f, c, SUBMIT(.delay_ns = 1000 * MS));
    uint64_t theirs = submit(f, other, with(ctx, SUBMIT(.delay_ns = 1000 * MS)));

    client_die(f, c);
    advance_ms(f, 0);
    assert_state(f, other, bound, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, other, theirs, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, other, free, JOB_SCHEDULED, CAUSE_NONE);
}

static void test_IP1_4_a_submit_that_waits_for_its_plugin_is_not_admitted(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t ctx = context(f, c, 0);
    uint64_t op = ask(f, c, with(ctx, SUBMIT()));

    assert_null(answer(f, c, op));
    cancel(f, c, ctx);
    assert_int_equal(answer(f, c, op)->status, -ECANCELED);
    plugin_is(f, TEXT("g1"), true);
    assert_int_equal(ask_ok(f, c, (struct request){.verb = VERB_JOB_LIST}, 0)->jobs_n, 0);
    assert_int_equal(ask_ok(f, c, with(ctx, SUBMIT()), -ECANCELED)->handle, 0);
}

/* The argument is still being read when the context ends: the job does not run. */
static void test_X1_a_run_that_is_only_loading_is_taken_back(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t first = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    done(f, host, begin(f, host), CAUSE_NONE, 0);
    uint64_t ctx = context(f, c, 0), timed = context(f, c, 100);
    uint64_t job = submit(f, c, with(ctx, SUBMIT())), late = submit(f, c, with(timed, SUBMIT()));

    assert_state(f, c, first, JOB_DONE, CAUSE_NONE);
    cancel(f, c, ctx);
    advance_ms(f, 100);
    struct seen *offer = next_offer(f, host, OFFER_RUN);
    for (; offer; offer = next_offer(f, host, OFFER_RUN))
        started(f, host, offer);
    advance_ms(f, 20000);
    assert_true(info(f, c, job).state == JOB_CANCELLED);
    assert_true(info(f, c, late).state == JOB_FAILED);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_X1_a_cancel_ends_jobs_that_wait_and_asks_those_that_run),
        TEST(test_X11_a_deadline_ends_them_for_good_with_cause_timeout),
        TEST(test_IP4_the_death_of_the_client_cancels_jobs_of_its_contexts),
        TEST(test_IP1_4_a_submit_that_waits_for_its_plugin_is_not_admitted),
        TEST(test_X1_a_run_that_is_only_loading_is_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
