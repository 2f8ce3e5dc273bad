/* Profiles and traces of a host: they end with whoever asked for them, and after recording_s. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "jobs_internal.h"

enum { LIMIT_S = 5 };

static struct client *root, *host;

/* A host with a job, and root, who asks. */
static struct jobs_fixture *begin_all(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.recording_s = LIMIT_S;
    restart(f);
    root = client_new(f, 0);
    submit(f, root, SUBMIT());
    host = host_up(f);
    begin(f, host);
    return f;
}

static int32_t says(struct jobs_fixture *f, uint64_t dump, int error)
{
    struct request request = {.verb = VERB_DUMPED, .dumped = {dump, TEXT(""), true, error}};

    return answer(f, host, ask(f, host, request))->status;
}

/* Asks for it, and the host says this. The number of the dump. */
static uint64_t told(struct jobs_fixture *f, struct client *who, struct request_inspect what, int error)
{
    uint64_t op = ask(f, who, (struct request){.verb = VERB_INSPECT, .inspect = what});
    struct seen *offer = next_offer(f, host, OFFER_DUMP);
    uint64_t dump = offer->offer.job;

    assert_int_equal(offer->offer.what, what.what);
    assert_int_equal(says(f, dump, error), 0);
    assert_int_equal(answer(f, who, op)->status, error);
    return dump;
}

#define START ((struct request_inspect){.what = INSPECT_CPU_START})
#define STOP  ((struct request_inspect){.what = INSPECT_CPU_STOP})

static void assert_ordered(struct jobs_fixture *f, uint32_t order, uint64_t dump)
{
    struct seen *offer = next_offer(f, host, OFFER_DUMP);

    assert_non_null(offer);
    assert_int_equal(offer->offer.what, order);
    assert_int_equal(offer->offer.value, dump);
    assert_int_equal(offer->offer.job, 0);
}

static void assert_no_order(struct jobs_fixture *f)
{
    assert_null(next_offer(f, host, OFFER_DUMP));
}

static void test_what_somebody_records_is_dropped_when_he_dies(void **state)
{
    struct jobs_fixture *f = begin_all(state);
    struct client *asker = client_new(f, 0);
    uint64_t dump = told(f, asker, START, 0);

    told(f, asker, (struct request_inspect){.what = INSPECT_TRACE_START}, -EBUSY);
    assert_no_order(f);
    client_die(f, asker);
    assert_ordered(f, INSPECT_DROP, dump);
    assert_no_order(f);
    advance_ms(f, LIMIT_S * 1000);
    assert_no_order(f);
}

static void test_limit_recording_s_halts_what_is_recorded(void **state)
{
    struct jobs_fixture *f = begin_all(state);
    uint64_t dump = told(f, root, START, 0);

    advance_ms(f, LIMIT_S * 1000 - 1);
    assert_no_order(f);
    advance_ms(f, 1);
    assert_ordered(f, INSPECT_HALT, dump);
    told(f, root, STOP, 0);
    client_die(f, root);
    assert_no_order(f);
}

static void test_what_was_halted_is_dropped_when_its_asker_dies(void **state)
{
    struct jobs_fixture *f = begin_all(state);
    struct client *asker = client_new(f, 0);
    uint64_t dump = told(f, asker, START, 0);

    advance_ms(f, LIMIT_S * 1000);
    assert_ordered(f, INSPECT_HALT, dump);
    client_die(f, asker);
    assert_ordered(f, INSPECT_DROP, dump);
}

static void test_what_was_asked_for_detached_outlives_its_asker_but_not_the_limit(void **state)
{
    struct jobs_fixture *f = begin_all(state);
    struct client *asker = client_new(f, 0);
    uint64_t dump =
        told(f, asker, (struct request_inspect){.what = INSPECT_TRACE_START, .detached = true}, 0);

    client_die(f, asker);
    assert_no_order(f);
    advance_ms(f, LIMIT_S * 1000);
    assert_ordered(f, INSPECT_HALT, dump);
}

static void test_what_was_ended_is_neither_halted_nor_dropped(void **state)
{
    struct jobs_fixture *f = begin_all(state);
    struct client *asker = client_new(f, 0);

    told(f, asker, START, 0);
    told(f, root, STOP, 0);
    advance_ms(f, LIMIT_S * 1000);
    client_die(f, asker);
    assert_no_order(f);
}

static void test_what_nobody_waits_for_when_it_begins_is_dropped(void **state)
{
    struct jobs_fixture *f = begin_all(state);
    uint64_t op = ask(f, root, (struct request){.verb = VERB_INSPECT, .inspect = START});
    uint64_t dump = next_offer(f, host, OFFER_DUMP)->offer.job;

    cancel_op(f, root, op);
    says(f, dump, 0);
    assert_ordered(f, INSPECT_DROP, dump);
}

static void test_three_kinds_are_recorded_beside_each_other(void **state)
{
    struct jobs_fixture *f = begin_all(state);
    struct client *asker = client_new(f, 0);
    uint64_t dump[] = {told(f, asker, START, 0),
                       told(f, asker, (struct request_inspect){.what = INSPECT_ALLOC_START}, 0),
                       told(f, asker, (struct request_inspect){.what = INSPECT_TRACE_START}, 0)};

    told(f, asker, (struct request_inspect){.what = INSPECT_ALLOC_STOP}, 0);
    client_die(f, asker);
    assert_ordered(f, INSPECT_DROP, dump[0]);
    assert_ordered(f, INSPECT_DROP, dump[2]);
}

/* Allocations fail one after the other, from the death on: the order comes in the end, and once. */
static void test_without_memory_an_order_is_given_later(void **state)
{
    for (int n = 0; n < 20; n++) {
        struct jobs_fixture *f = begin_all(state);
        struct client *asker = client_new(f, 0);
        uint64_t dump = told(f, asker, START, 0);

        f->allocations_left = n;
        advance_ms(f, LIMIT_S * 1000);
        f->allocations_left = -1;
        advance_ms(f, 1000);
        assert_ordered(f, INSPECT_HALT, dump);
        told(f, asker, STOP, 0);
        dump = told(f, asker, START, 0);
        f->allocations_left = n;
        client_die(f, asker);
        f->allocations_left = -1;
        advance_ms(f, 1000);
        assert_ordered(f, INSPECT_DROP, dump);
        assert_no_order(f);
    }
}

/* One piece is told, and the next one while so many allocations are left: what the host is answered; NOTHING: it is not. */
enum { NOTHING = 1 };

static int32_t second_piece(struct jobs_fixture *f, uint64_t dump, int allocations)
{
    struct request piece = {.verb = VERB_DUMPED, .dumped = {dump, TEXT("goroutine\n"), false}};
    const struct seen *seen;
    uint64_t said;

    ask(f, host, piece);
    f->allocations_left = allocations;
    said = ask(f, host, piece);
    f->allocations_left = -1;
    advance_ms(f, 10);
    seen = answer(f, host, said);
    return seen ? seen->status : NOTHING;
}

static void test_an_answer_that_lost_a_piece_is_no_answer(void **state)
{
    int lost = 0;

    for (int n = 0; n < 10; n++) {
        struct jobs_fixture *f = begin_all(state);
        uint64_t op = ask(f, root, (struct request){.verb = VERB_GOROUTINES}),
                 dump = next_offer(f, host, OFFER_DUMP)->offer.job;

        if (second_piece(f, dump, n) != -ENOMEM)
            continue;
        says(f, dump, 0);
        assert_int_equal(answer(f, root, op)->status, -ENOMEM);
        lost++;
    }
    assert_true(lost > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_somebody_records_is_dropped_when_he_dies),
        TEST(test_limit_recording_s_halts_what_is_recorded),
        TEST(test_what_was_halted_is_dropped_when_its_asker_dies),
        TEST(test_what_was_asked_for_detached_outlives_its_asker_but_not_the_limit),
        TEST(test_what_was_ended_is_neither_halted_nor_dropped),
        TEST(test_what_nobody_waits_for_when_it_begins_is_dropped),
        TEST(test_three_kinds_are_recorded_beside_each_other),
        TEST(test_without_memory_an_order_is_given_later),
        TEST(test_an_answer_that_lost_a_piece_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
