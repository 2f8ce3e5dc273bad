/* The client's protocol and grants of sync objects: a cancel wins over them, and nobody loses one (IP1.3). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol_rig.h"

static int set_up(void **state)
{
    *state = rig_new();
    return 0;
}

static int tear_down(void **state)
{
    rig_delete(*state);
    return 0;
}

static struct rig_op *start(struct rig *rig, struct request request)
{
    struct rig_op *op = rig_start(rig, request, PROTOCOL_DEADLINE_NONE);
    rig_leaves(rig);
    return op;
}

static struct rig_op *lock(struct rig *rig)
{
    return start(rig, (struct request){.verb = VERB_LOCK});
}

static struct rig_op *take(struct rig *rig, enum sync_kind kind)
{
    return start(rig, (struct request){.verb = VERB_SYNC_TAKE, .sync_take.kind = kind});
}

/* The next frame cancels this one. */
static void cancel_leaves(struct rig *rig, const struct rig_op *op)
{
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->cancels_n, 1);
    assert_int_equal(frame->cancels[0], op->op.request.id);
    assert_int_equal(frame->returns_n, 0);
    assert_true(frame->ack_mark < op->op.request.id);
}

static void return_leaves(struct rig *rig, const struct rig_op *op)
{
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->returns_n, 1);
    assert_int_equal(frame->returns[0].op, op->op.request.id);
    assert_int_equal(frame->returns[0].count, 0);
    assert_int_equal(frame->cancels_n, 0);
    assert_true(frame->ack_mark < op->op.request.id); /* a mark would make it ours */
}

static void comes_back(struct rig *rig, const struct rig_op *op, enum op_fate fate)
{
    protocol_connected(rig->p, rig->now_ns);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->resume->open_ops_n, 1);
    assert_int_equal(frame->resume->open_ops[0], op->op.request.id);
    assert_true(frame->ack_mark < op->op.request.id);
    rig_welcome(rig, &(struct op_state){op->op.request.id, fate}, 1);
}

/* ---- a cancel that meets the grant on its way ---- */

static void test_IP1_3_the_answer_to_the_cancel_counts_and_no_grant_before_it(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = lock(rig);
    protocol_cancel(rig->p, &a->op);
    cancel_leaves(rig, a);
    rig_result(rig, a, 0);
    assert_int_equal(a->results, 0);
    rig_leaves_nothing(rig);
    rig_result(rig, a, -ECANCELED);
    assert_int_equal(a->results, 1);
    assert_int_equal(a->status, -ECANCELED);
    assert_int_equal(protocol_surface(rig->p, &a->op, false, rig->now_ns), 0);
}

static void test_IP1_3_also_when_the_grant_comes_before_the_cancel_has_left(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = take(rig, SYNC_SEMAPHORE);
    protocol_cancel(rig->p, &a->op);
    rig_result(rig, a, 0);
    assert_int_equal(a->results, 0);
    cancel_leaves(rig, a);
    rig_result(rig, a, -ECANCELED);
    assert_int_equal(a->status, -ECANCELED);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
}

static void test_IP1_3_a_doubled_grant_changes_nothing(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = lock(rig);
    protocol_cancel(rig->p, &a->op);
    rig_leaves(rig);
    rig_result(rig, a, 0);
    rig_result(rig, a, 0);
    assert_int_equal(a->results, 0);
    rig_result(rig, a, -ECANCELED);
    rig_result(rig, a, 0);
    rig_result(rig, a, -ECANCELED);
    assert_int_equal(a->results, 1);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
}

static void test_IP1_3_a_lost_cancel_is_said_again(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = lock(rig);
    protocol_cancel(rig->p, &a->op);
    rig_leaves(rig); /* lost, and the grant with it */
    comes_back(rig, a, FATE_RESULT);
    rig_result(rig, a, 0);
    assert_int_equal(a->results, 0);
    cancel_leaves(rig, a);
    rig_result(rig, a, 0); /* lost is now the answer */
    comes_back(rig, a, FATE_RESULT);
    rig_result(rig, a, -ECANCELED);
    assert_int_equal(a->status, -ECANCELED);
    rig_leaves_nothing(rig);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
}

/* RESUME is said twice, and both are answered: the operation leaves again between the two answers. */
static void test_IP1_3_a_second_answer_does_not_end_what_left_after_the_first(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = lock(rig);
    const struct op_state unknown = {a->op.request.id, FATE_UNKNOWN};
    protocol_connected(rig->p, rig->now_ns);
    assert_non_null(rig_leaves(rig)->resume);
    rig_sleep(rig, INT64_C(60000000000));
    assert_non_null(rig_leaves(rig)->resume);
    rig_welcome(rig, &unknown, 1);
    assert_int_equal(rig_leaves(rig)->requests_n, 1);
    protocol_cancel(rig->p, &a->op);
    cancel_leaves(rig, a);
    rig_welcome(rig, &unknown, 1);
    assert_int_equal(a->results, 0);
    rig_result(rig, a, 0);
    cancel_leaves(rig, a);
    rig_result(rig, a, -ECANCELED);
    assert_int_equal(a->status, -ECANCELED);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
}

/* The same, and it is cancelled only then: the daemon may have granted it. */
static void test_IP1_3_what_left_after_the_first_of_two_answers_has_left(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = lock(rig);
    const struct op_state unknown = {a->op.request.id, FATE_UNKNOWN};
    protocol_connected(rig->p, rig->now_ns);
    assert_non_null(rig_leaves(rig)->resume);
    rig_sleep(rig, INT64_C(60000000000));
    assert_non_null(rig_leaves(rig)->resume);
    rig_welcome(rig, &unknown, 1);
    assert_int_equal(rig_leaves(rig)->requests_n, 1);
    rig_welcome(rig, &unknown, 1);
    protocol_cancel(rig->p, &a->op);
    assert_int_equal(a->results, 0);
    cancel_leaves(rig, a);
    rig_result(rig, a, 0);
    rig_result(rig, a, -ECANCELED);
    assert_int_equal(a->results, 1);
    assert_int_equal(a->status, -ECANCELED);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
}

/* An answer may be so late that RESUME was said once more: it knows nothing of what left before that. */
static void test_IP1_3_a_late_answer_does_not_end_what_left_behind_its_question(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = lock(rig);
    const struct op_state unknown = {a->op.request.id, FATE_UNKNOWN},
                          parked = {a->op.request.id, FATE_PARKED};
    protocol_connected(rig->p, rig->now_ns);
    rig_leaves(rig);
    rig_sleep(rig, INT64_C(60000000000));
    uint64_t second = rig_leaves(rig)->resume->attempt;
    rig_welcome(rig, &unknown, 1);
    assert_int_equal(rig_leaves(rig)->requests_n, 1);
    protocol_cancel(rig->p, &a->op);
    rig_need_resume(rig);
    uint64_t third = rig_leaves(rig)->resume->attempt;
    rig->welcome.attempt = second;
    rig_welcome(rig, &unknown, 1);
    assert_int_equal(a->results, 0);
    rig->welcome.attempt = third;
    rig_welcome(rig, &parked, 1);
    cancel_leaves(rig, a);
    rig_result(rig, a, -ECANCELED);
    assert_int_equal(a->status, -ECANCELED);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
}

static void test_IP1_3_a_value_for_the_cancelled_is_asked_for_once(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    protocol_cancel(rig->p, &a->op);
    rig_leaves(rig);
    comes_back(rig, a, FATE_RESULT);
    rig_value(rig, a, 1, 0); /* IP1.1: the value wins */
    assert_int_equal(a->status, 1);
    rig_leaves_nothing(rig);
}

static void test_IP6_2_a_grant_that_is_undone_keeps_its_place_in_the_window(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a[4];
    for (int i = 0; i < 4; i++) {
        a[i] = lock(rig);
        protocol_cancel(rig->p, &a[i]->op);
        rig_leaves(rig);
        rig_result(rig, a[i], 0);
    }
    struct rig_op *fifth = rig_recv(rig);
    rig_leaves_nothing(rig);
    for (int i = 0; i < 4; i++) {
        rig_result(rig, a[i], -ECANCELED);
        protocol_surface(rig->p, &a[i]->op, false, rig->now_ns);
    }
    assert_int_equal(rig_leaves(rig)->requests[0].id, fifth->op.request.id);
}

/* ---- a grant that is there already ---- */

static void test_SE1_a_grant_that_has_not_surfaced_is_undone(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = lock(rig);
    rig_result(rig, a, 0);
    assert_int_equal(a->results, 1);
    assert_true(protocol_undo(rig->p, &a->op));
    assert_false(protocol_undo(rig->p, &a->op));
    cancel_leaves(rig, a);
    rig_result(rig, a, -ECANCELED);
    assert_int_equal(a->results, 2);
    assert_int_equal(a->status, -ECANCELED);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
}

static bool undone(struct rig *rig, struct request request, int status)
{
    struct rig_op *a = start(rig, request);
    rig_result(rig, a, status);
    bool is = protocol_undo(rig->p, &a->op);
    if (is) {
        rig_leaves(rig);
        rig_result(rig, a, -ECANCELED);
    }
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
    return is;
}

static void test_IP1_3_only_what_is_granted_is_undone(void **state)
{
    struct rig *rig = *state;
    static const enum sync_kind grants[] = {SYNC_RWMUTEX,  SYNC_SEMAPHORE, SYNC_WAITGROUP,
                                            SYNC_ERRGROUP, SYNC_LIMITER,   SYNC_BREAKER};
    static const enum sync_kind runs[] = {SYNC_ONCE, SYNC_FLIGHT};
    for (size_t i = 0; i < sizeof grants / sizeof *grants; i++)
        assert_true(undone(rig, (struct request){.verb = VERB_SYNC_TAKE, .sync_take.kind = grants[i]}, 0));
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct request request = {.verb = VERB_SYNC_TAKE, .sync_take.kind = runs[i]};
        assert_true(undone(rig, request, GRANT_RUN));
        assert_false(undone(rig, request, 0)); /* somebody else ran it */
    }
    assert_true(undone(rig, (struct request){.verb = VERB_LOCK}, GRANT_OWNER_DIED));
    assert_false(undone(rig, (struct request){.verb = VERB_LOCK}, -ETIMEDOUT));
    assert_false(undone(rig, (struct request){.verb = VERB_LOCK, .lock.flags = LOCK_CLAIM}, 0));
    assert_false(undone(rig, (struct request){.verb = VERB_COND_WAIT}, 0));
    assert_false(undone(rig, (struct request){.verb = VERB_SYNC_WAIT}, 0));
    assert_false(undone(rig, (struct request){.verb = VERB_CLOSE}, 0));
}

static void test_K1_a_cancelled_wait_that_was_signalled_has_the_lock(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = start(rig, (struct request){.verb = VERB_COND_WAIT});
    protocol_cancel(rig->p, &a->op);
    rig_leaves(rig);
    rig_result(rig, a, 0);
    assert_int_equal(a->results, 1);
    assert_int_equal(a->status, 0);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
}

static void test_IP0_what_was_being_undone_fails_with_its_session(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = lock(rig);
    rig_result(rig, a, 0);
    assert_true(protocol_undo(rig->p, &a->op));
    protocol_session_end(rig->p, -ECONNRESET);
    protocol_check(rig->p);
    assert_int_equal(a->results, 2);
    assert_int_equal(a->status, -ECONNRESET);
    assert_int_equal(a->flags & RESULT_DOUBT, 0);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
}

/* ---- nobody waits any more ---- */

static void test_IP1_3_a_grant_for_nobody_is_undone(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = lock(rig);
    protocol_abandon(rig->p, &a->op, rig->now_ns);
    cancel_leaves(rig, a);
    rig_result(rig, a, 0);
    assert_int_equal(a->leftovers, 0);
    rig_result(rig, a, -ECANCELED);
    assert_int_equal(a->results, 0);
    rig_sleep(rig, PROTOCOL_ACK_DELAY_NS);
    assert_int_equal(rig_leaves(rig)->returns_n, 0);
}

static void test_IP1_3_a_grant_that_nobody_took_is_returned_until_that_is_known(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = lock(rig);
    rig_result(rig, a, 0);
    protocol_abandon(rig->p, &a->op, rig->now_ns);
    return_leaves(rig, a); /* lost */
    comes_back(rig, a, FATE_RESULT);
    rig_result(rig, a, 0);
    assert_int_equal(a->results, 1);
    return_leaves(rig, a);
    struct rig_op *b = rig_recv(rig);
    rig_leaves(rig);
    rig_result(rig, b, -EPIPE);
    assert_true(a->released);
}

static void test_K2_the_lock_of_a_wait_that_nobody_waits_for_is_returned(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = start(rig, (struct request){.verb = VERB_COND_WAIT});
    protocol_abandon(rig->p, &a->op, rig->now_ns);
    cancel_leaves(rig, a);
    rig_result(rig, a, 0);
    assert_int_equal(a->results, 0);
    return_leaves(rig, a);
}

static void test_IP1_3_who_gives_up_while_it_is_undone_leaves_nothing(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = lock(rig);
    rig_result(rig, a, 0);
    protocol_undo(rig->p, &a->op);
    cancel_leaves(rig, a);
    protocol_abandon(rig->p, &a->op, rig->now_ns);
    rig_leaves_nothing(rig);
    rig_result(rig, a, -ECANCELED);
    assert_int_equal(a->results, 1);
    rig_sleep(rig, PROTOCOL_ACK_DELAY_NS);
    assert_int_equal(rig_leaves(rig)->returns_n, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_IP1_3_the_answer_to_the_cancel_counts_and_no_grant_before_it),
        TEST(test_IP1_3_also_when_the_grant_comes_before_the_cancel_has_left),
        TEST(test_IP1_3_a_doubled_grant_changes_nothing),
        TEST(test_IP1_3_a_lost_cancel_is_said_again),
        TEST(test_IP1_3_a_second_answer_does_not_end_what_left_after_the_first),
        TEST(test_IP1_3_what_left_after_the_first_of_two_answers_has_left),
        TEST(test_IP1_3_a_late_answer_does_not_end_what_left_behind_its_question),
        TEST(test_IP1_3_a_value_for_the_cancelled_is_asked_for_once),
        TEST(test_IP6_2_a_grant_that_is_undone_keeps_its_place_in_the_window),
        TEST(test_SE1_a_grant_that_has_not_surfaced_is_undone),
        TEST(test_IP1_3_only_what_is_granted_is_undone),
        TEST(test_K1_a_cancelled_wait_that_was_signalled_has_the_lock),
        TEST(test_IP0_what_was_being_undone_fails_with_its_session),
        TEST(test_IP1_3_a_grant_for_nobody_is_undone),
        TEST(test_IP1_3_a_grant_that_nobody_took_is_returned_until_that_is_known),
        TEST(test_K2_the_lock_of_a_wait_that_nobody_waits_for_is_returned),
        TEST(test_IP1_3_who_gives_up_while_it_is_undone_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
