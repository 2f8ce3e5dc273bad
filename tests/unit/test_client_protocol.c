/* The client's protocol against scripted frames: binding, acknowledging, the window, cancel, deadlines. */
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

/* ---- binding ---- */

static void test_IP0_hello_goes_first_and_alone(void **state)
{
    struct rig *rig = rig_new_unbound();
    rig_recv(rig);
    rig_leaves_nothing(rig);
    protocol_session(rig->p, (struct secret){{5}});
    protocol_connected(rig->p, rig->now_ns);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->number, 1);
    assert_int_equal(frame->version, PROTOCOL_VERSION);
    assert_int_equal(frame->hello->session.byte[0], 5);
    assert_int_equal(frame->requests_n, 0);
    rig_leaves_nothing(rig);
    rig_welcome(rig, NULL, 0);
    assert_int_equal(rig_leaves(rig)->requests_n, 1);
    rig_delete(rig);
}

static void test_hello_without_answer_is_said_again(void **state)
{
    struct rig *rig = rig_new_unbound();
    protocol_session(rig->p, (struct secret){{5}});
    protocol_connected(rig->p, rig->now_ns);
    rig_leaves(rig);
    rig_sleep(rig, PROTOCOL_ANSWER_NS);
    assert_non_null(rig_leaves(rig)->hello);
    rig_delete(rig);
}

static void test_refused_hello_ends_the_session_with_the_daemons_words(void **state)
{
    struct rig *rig = rig_new_unbound();
    protocol_session(rig->p, (struct secret){{5}});
    protocol_connected(rig->p, rig->now_ns);
    rig_leaves(rig);
    protocol_input(rig->p, &(struct server_frame){.refused = -EPROTO, .text = {"version 2 here", 14}},
                   rig->now_ns);
    assert_int_equal(rig->p->state, PROTOCOL_VOID);
    assert_int_equal(rig->p->error, -EPROTO);
    assert_string_equal(rig->p->refusal, "version 2 here");
    rig_delete(rig);
}

static void test_IP0_gap_in_the_daemons_numbers_forces_resume(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig->number++; /* one frame lost */
    rig_value(rig, a, 1, 0);
    assert_int_equal(a->results, 0);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->number, 1);
    assert_int_equal(frame->resume->open_ops_n, 1);
    assert_int_equal(frame->resume->open_ops[0], a->op.request.id);
}

static void test_IP7_doubled_frame_is_dropped(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_result(rig, a, 0);
    rig->number--;
    rig_result(rig, a, 0);
    assert_int_equal(a->results, 1);
    assert_int_equal(rig->p->state, PROTOCOL_LIVE);
}

static void test_IP0_welcome_nobody_asked_for_forces_resume(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_welcome(rig, NULL, 0); /* HELLO was doubled: from here on the daemon counts from 1 */
    rig_value(rig, a, 1, 0);
    assert_int_equal(a->results, 0);
    assert_int_equal(rig_leaves(rig)->resume->open_ops_n, 1);
    rig_welcome(rig, &(struct op_state){a->op.request.id, FATE_RESULT}, 1);
    rig_value(rig, a, 1, 0);
    assert_int_equal(a->results, 1);
}

static void test_IP0_need_resume_is_answered_once(void **state)
{
    struct rig *rig = *state;
    rig_need_resume(rig);
    assert_non_null(rig_leaves(rig)->resume);
    rig_need_resume(rig); /* answers to frames that left before it */
    rig_leaves_nothing(rig);
    rig_welcome(rig, NULL, 0);
    assert_int_equal(rig->p->state, PROTOCOL_LIVE);
}

static void test_IP7_resume_resends_only_what_never_arrived(void **state)
{
    struct rig *rig = *state;
    struct rig_op *parked = rig_recv(rig), *lost = rig_recv(rig), *done = rig_recv(rig);
    rig_leaves(rig);
    protocol_connected(rig->p, rig->now_ns);
    assert_int_equal(rig_leaves(rig)->resume->open_ops_n, 3);
    struct op_state states[] = {{parked->op.request.id, FATE_PARKED},
                                {lost->op.request.id, FATE_UNKNOWN},
                                {done->op.request.id, FATE_RESULT}};
    rig_welcome(rig, states, 3);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->requests_n, 1);
    assert_int_equal(frame->requests[0].id, lost->op.request.id);
    rig_result(rig, done, 0);
    assert_int_equal(done->results, 1);
}

static void test_IP8_resent_sends_go_before_younger_ones(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_send(rig, "a"), *b = rig_send(rig, "b");
    rig_leaves(rig);
    protocol_connected(rig->p, rig->now_ns);
    rig_leaves(rig);
    struct rig_op *c = rig_send(rig, "c");
    struct op_state states[] = {{b->op.request.id, FATE_UNKNOWN}, {a->op.request.id, FATE_UNKNOWN}};
    rig_welcome(rig, states, 2);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->requests_n, 3);
    assert_int_equal(frame->requests[0].id, a->op.request.id);
    assert_int_equal(frame->requests[1].id, b->op.request.id);
    assert_int_equal(frame->requests[2].id, c->op.request.id);
}

static void test_silent_connection_is_tried_then_resumed(void **state)
{
    struct rig *rig = *state;
    rig_recv(rig);
    rig_leaves(rig);
    rig_sleep(rig, PROTOCOL_PING_NS);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->requests_n, 1);
    assert_int_equal(frame->requests[0].verb, VERB_PING);
    rig_sleep(rig, PROTOCOL_ANSWER_NS);
    assert_non_null(rig_leaves(rig)->resume);
}

static void test_silence_counts_only_while_an_answer_is_awaited(void **state)
{
    struct rig *rig = *state;
    rig_sleep(rig, 3600 * 1000000000LL);
    rig_recv(rig);
    assert_int_equal(rig_leaves(rig)->requests_n, 1);
    assert_int_equal(protocol_tick(rig->p, rig->now_ns), rig->now_ns + PROTOCOL_PING_NS);
    rig_leaves_nothing(rig);
}

static void test_idle_client_sends_nothing(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(protocol_tick(rig->p, rig->now_ns + 3600 * 1000000000LL), PROTOCOL_NEVER);
    rig_leaves_nothing(rig);
}

/* ---- acknowledging ---- */

static void test_IP0_handed_value_is_acked_by_a_frame_of_its_own(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 1, RESULT_HANDED);
    rig_leaves_nothing(rig); /* the arrival is no ACK */
    assert_int_equal(protocol_surface(rig->p, &a->op, false, rig->now_ns), 1);
    assert_int_equal(rig_leaves(rig)->ack_mark, a->op.request.id);
}

static void test_IP2_2_an_ack_that_a_sender_waits_for_is_made_sure_of(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 1, RESULT_HANDED);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
    rig_leaves(rig); /* and is lost, with nothing behind it that would show the gap */
    rig_sleep(rig, PROTOCOL_PING_NS);
    assert_int_equal(rig_leaves(rig)->requests[0].verb, VERB_PING);
    rig_sleep(rig, PROTOCOL_ANSWER_NS);
    assert_non_null(rig_leaves(rig)->resume);
    rig_welcome(rig, NULL, 0);
    assert_int_equal(rig_leaves(rig)->ack_mark, a->op.request.id);
}

static void test_IP0_other_acks_ride_on_the_next_frame(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 1, 0);
    assert_int_equal(protocol_surface(rig->p, &a->op, false, rig->now_ns), 0);
    rig_leaves_nothing(rig);
    rig_recv(rig);
    assert_int_equal(rig_leaves(rig)->ack_mark, a->op.request.id);
}

static void test_late_ack_leaves_by_itself(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 1, 0);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
    rig_sleep(rig, PROTOCOL_ACK_DELAY_NS);
    assert_int_equal(rig_leaves(rig)->ack_mark, a->op.request.id);
    rig_leaves_nothing(rig);
}

static void test_IP0_ack_behind_an_open_operation_is_selective(void **state)
{
    struct rig *rig = *state;
    struct rig_op *parked = rig_recv(rig), *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 1, RESULT_HANDED);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->ack_mark, parked->op.request.id - 1);
    assert_int_equal(frame->acks_n, 1);
    assert_int_equal(frame->acks[0].op, a->op.request.id);
    assert_int_equal(frame->acks[0].count, 0);
}

static void test_acked_operation_is_forgotten_once_its_ack_was_taken(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 1, RESULT_HANDED);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
    rig_leaves(rig);
    assert_false(a->released);
    struct rig_op *b = rig_recv(rig);
    rig_leaves(rig);
    rig_result(rig, b, 0);
    assert_true(a->released);
}

static void test_IP7_ack_that_may_be_lost_is_sent_again_after_resume(void **state)
{
    struct rig *rig = *state;
    struct rig_op *parked = rig_recv(rig), *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 1, RESULT_HANDED);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
    rig_leaves(rig);
    protocol_connected(rig->p, rig->now_ns);
    assert_int_equal(rig_leaves(rig)->resume->open_ops_n, 1);
    rig_welcome(rig, &(struct op_state){parked->op.request.id, FATE_PARKED}, 1);
    assert_int_equal(rig_leaves(rig)->acks[0].op, a->op.request.id);
}

static void test_IP1_held_values_are_acked_one_by_one(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    uint64_t id = a->op.request.id;
    rig_leaves(rig);
    rig_value(rig, a, 3, RESULT_HANDED);
    assert_int_equal(protocol_surface(rig->p, &a->op, true, rig->now_ns), 0);
    rig_leaves_nothing(rig);
    assert_int_equal(protocol_settle(rig->p, id, 1, false, rig->now_ns), 1);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->acks[0].count, 1);
    assert_true(frame->ack_mark < id);
    assert_int_equal(protocol_settle(rig->p, id, 1, false, rig->now_ns), -ESTALE);
    assert_int_equal(protocol_settle(rig->p, id, 4, false, rig->now_ns), -EINVAL);
    assert_int_equal(protocol_settle(rig->p, id, 3, false, rig->now_ns), 1);
    assert_int_equal(rig_leaves(rig)->ack_mark, id);
    assert_int_equal(protocol_settle(rig->p, id, 3, false, rig->now_ns), -ESTALE);
}

static void test_IP1_2_given_back_values_are_never_covered_by_the_mark(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    uint64_t id = a->op.request.id;
    rig_leaves(rig);
    rig_value(rig, a, 3, 0);
    protocol_surface(rig->p, &a->op, true, rig->now_ns);
    assert_int_equal(protocol_settle(rig->p, id, 1, true, rig->now_ns), 1);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->returns_n, 1);
    assert_int_equal(frame->returns[0].op, id);
    assert_int_equal(frame->returns[0].count, 1);
    assert_int_equal(frame->acks_n, 0);
    assert_true(frame->ack_mark < id);
    struct rig_op *b = rig_recv(rig);
    assert_true(rig_leaves(rig)->ack_mark < id); /* until the RETURN is known to be taken */
    rig_result(rig, b, 0);
    assert_true(a->released);
}

static void test_IP1_2_value_for_nobody_is_returned(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    protocol_abandon(rig->p, &a->op, rig->now_ns);
    assert_int_equal(rig_leaves(rig)->cancels_n, 1);
    rig_value(rig, a, 1, 0);
    assert_int_equal(a->results, 0);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->returns[0].op, a->op.request.id);
    assert_int_equal(frame->returns[0].count, 0);
}

static void test_IP1_2_handle_for_nobody_is_told_so_that_it_can_be_dropped(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_verb(rig, VERB_CHAN_OPEN);
    rig_leaves(rig);
    protocol_abandon(rig->p, &a->op, rig->now_ns);
    rig_result(rig, a, 0);
    assert_int_equal(a->leftovers, 1);
    assert_int_equal(a->results, 0);
}

static void test_IP1_2_unsurfaced_value_of_a_gone_caller_is_returned(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 1, 0);
    protocol_abandon(rig->p, &a->op, rig->now_ns);
    assert_int_equal(rig_leaves(rig)->returns_n, 1);
}

/* ---- cancel and deadline ---- */

static void test_IP1_1_cancel_of_a_sent_operation_waits_for_the_answer(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    protocol_cancel(rig->p, &a->op);
    protocol_cancel(rig->p, &a->op);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->cancels_n, 1);
    assert_int_equal(frame->cancels[0], a->op.request.id);
    assert_int_equal(a->results, 0);
    rig_value(rig, a, 1, 0); /* it had been matched: the value wins */
    assert_int_equal(a->results, 1);
    assert_int_equal(a->status, 1);
}

static void test_cancel_before_sending_costs_no_frame(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    protocol_cancel(rig->p, &a->op);
    assert_int_equal(a->status, -ECANCELED);
    assert_int_equal(a->flags & RESULT_DOUBT, 0);
    rig_leaves_nothing(rig);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
    assert_true(a->released);
}

static void test_IP7_cancel_is_said_again_after_resume(void **state)
{
    struct rig *rig = *state;
    struct rig_op *parked = rig_recv(rig), *lost = rig_recv(rig);
    rig_leaves(rig);
    protocol_cancel(rig->p, &parked->op);
    protocol_cancel(rig->p, &lost->op);
    rig_leaves(rig);
    protocol_connected(rig->p, rig->now_ns);
    rig_leaves(rig);
    struct op_state states[] = {{parked->op.request.id, FATE_PARKED}, {lost->op.request.id, FATE_UNKNOWN}};
    rig_welcome(rig, states, 2);
    assert_int_equal(lost->status, -ECANCELED);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->cancels_n, 1);
    assert_int_equal(frame->cancels[0], parked->op.request.id);
    assert_int_equal(frame->requests_n, 0);
}

static void test_N1_nil_blocks_until_its_deadline_without_a_frame(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_start(rig, (struct request){.verb = VERB_NONE}, rig->now_ns + 1000);
    rig_leaves_nothing(rig);
    assert_int_equal(protocol_tick(rig->p, rig->now_ns), rig->now_ns + 1000);
    rig_sleep(rig, 999);
    assert_int_equal(a->results, 0);
    rig_sleep(rig, 1);
    assert_int_equal(a->status, -ETIMEDOUT);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
}

static void test_N1_try_on_nil_would_block(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_start(rig, (struct request){.verb = VERB_NONE}, PROTOCOL_DEADLINE_NOW);
    assert_int_equal(a->status, -EAGAIN);
}

static void test_IP1_4_past_deadline_costs_no_frame(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_start(rig, (struct request){.verb = VERB_RECV}, rig->now_ns - 1);
    assert_int_equal(a->status, -ETIMEDOUT);
    rig_leaves_nothing(rig);
}

static void test_IP1_5_deadlines_are_absolute_on_one_clock_else_remaining(void **state)
{
    struct rig *rig = *state;
    rig_start(rig, (struct request){.verb = VERB_RECV}, rig->now_ns + 500);
    struct until until = rig_leaves(rig)->requests[0].until;
    assert_int_equal(until.kind, UNTIL_AT);
    assert_int_equal(until.ns, rig->now_ns + 500);
    rig->p->facts.absolute_deadlines = false;
    rig_start(rig, (struct request){.verb = VERB_RECV}, rig->now_ns + 500);
    until = rig_leaves(rig)->requests[0].until;
    assert_int_equal(until.kind, UNTIL_IN);
    assert_int_equal(until.ns, 500);
}

static void test_IP1_6_sent_operation_outlives_its_deadline_here(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_start(rig, (struct request){.verb = VERB_RECV}, rig->now_ns + 500);
    rig_leaves(rig);
    rig_sleep(rig, 1000000);
    assert_int_equal(a->results, 0);
}

/* ---- the window ---- */

static void fill_window(struct rig *rig)
{
    for (int i = 0; i < 4; i++)
        rig_recv(rig);
    assert_int_equal(rig_leaves(rig)->requests_n, 4);
}

static void test_IP6_2_operations_beyond_the_window_wait_here(void **state)
{
    struct rig *rig = *state;
    rig->p->facts.window_ops = 4;
    for (int i = 0; i < 4; i++)
        rig_verb(rig, VERB_JOB_INFO);
    struct rig_op *fifth = rig_verb(rig, VERB_JOB_INFO);
    assert_int_equal(rig_leaves(rig)->requests_n, 4);
    assert_int_equal(fifth->op.phase, OP_QUEUED);
    rig_result(rig, &rig->ops[0], 0);
    protocol_surface(rig->p, &rig->ops[0].op, false, rig->now_ns);
    const struct client_frame *frame = rig_leaves(rig);
    while (frame->requests[0].verb == VERB_PING)
        frame = rig_leaves(rig);
    assert_int_equal(frame->requests[0].id, fifth->op.request.id);
    assert_int_equal(frame->ack_mark, rig->ops[0].op.request.id); /* credit comes before its use */
}

static void test_IP6_2_parked_operations_do_not_fill_the_window(void **state)
{
    struct rig *rig = *state;
    fill_window(rig);
    struct rig_op *fifth = rig_recv(rig);
    const struct client_frame *frame = rig_leaves(rig); /* asks which of the four are parked */
    assert_int_equal(frame->requests_n, 1);
    assert_int_equal(frame->requests[0].verb, VERB_PING);
    rig_leaves_nothing(rig);
    rig_ping_result(rig, frame->requests[0].id);
    frame = rig_leaves(rig);
    assert_int_equal(frame->requests[0].id, fifth->op.request.id);
}

static void test_IP6_2_what_gives_back_never_waits_for_credit(void **state)
{
    struct rig *rig = *state;
    fill_window(rig);
    struct rig_op *close = rig_verb(rig, VERB_CLOSE);
    assert_int_equal(rig_leaves(rig)->requests[0].id, close->op.request.id);
}

static void test_IP6_2_bytes_count_too_but_one_operation_always_fits(void **state)
{
    struct rig *rig = *state;
    static char big[2000];
    memset(big, 'x', sizeof big - 1);
    rig_send(rig, big);
    rig_send(rig, "small");
    assert_int_equal(rig_leaves(rig)->requests_n, 1);
}

static void test_held_values_keep_their_credit(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 2, 0);
    protocol_surface(rig->p, &a->op, true, rig->now_ns);
    assert_int_equal(rig->p->charged_ops, 1);
    protocol_settle(rig->p, a->op.request.id, 2, false, rig->now_ns);
    assert_int_equal(rig->p->charged_ops, 0);
}

/* ---- standing operations ---- */

static void test_stream_is_taken_in_order_once_and_acked(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_verb(rig, VERB_RESERVE);
    rig_leaves(rig);
    rig_stream(rig, a, 1, 0);
    rig_stream(rig, a, 2, 0);
    rig_stream(rig, a, 2, 0);
    assert_int_equal(a->results, 2);
    rig_recv(rig);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->acks_n, 1);
    assert_int_equal(frame->acks[0].op, a->op.request.id);
    assert_int_equal(frame->acks[0].count, 2);
    rig_stream(rig, a, 3, RESULT_LAST);
    assert_int_equal(a->op.phase, OP_FINISHED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_IP0_hello_goes_first_and_alone),
        TEST(test_hello_without_answer_is_said_again),
        TEST(test_refused_hello_ends_the_session_with_the_daemons_words),
        TEST(test_IP0_gap_in_the_daemons_numbers_forces_resume),
        TEST(test_IP7_doubled_frame_is_dropped),
        TEST(test_IP0_welcome_nobody_asked_for_forces_resume),
        TEST(test_IP0_need_resume_is_answered_once),
        TEST(test_IP7_resume_resends_only_what_never_arrived),
        TEST(test_IP8_resent_sends_go_before_younger_ones),
        TEST(test_silent_connection_is_tried_then_resumed),
        TEST(test_silence_counts_only_while_an_answer_is_awaited),
        TEST(test_idle_client_sends_nothing),
        TEST(test_IP0_handed_value_is_acked_by_a_frame_of_its_own),
        TEST(test_IP2_2_an_ack_that_a_sender_waits_for_is_made_sure_of),
        TEST(test_IP0_other_acks_ride_on_the_next_frame),
        TEST(test_late_ack_leaves_by_itself),
        TEST(test_IP0_ack_behind_an_open_operation_is_selective),
        TEST(test_acked_operation_is_forgotten_once_its_ack_was_taken),
        TEST(test_IP7_ack_that_may_be_lost_is_sent_again_after_resume),
        TEST(test_IP1_held_values_are_acked_one_by_one),
        TEST(test_IP1_2_given_back_values_are_never_covered_by_the_mark),
        TEST(test_IP1_2_value_for_nobody_is_returned),
        TEST(test_IP1_2_handle_for_nobody_is_told_so_that_it_can_be_dropped),
        TEST(test_IP1_2_unsurfaced_value_of_a_gone_caller_is_returned),
        TEST(test_IP1_1_cancel_of_a_sent_operation_waits_for_the_answer),
        TEST(test_cancel_before_sending_costs_no_frame),
        TEST(test_IP7_cancel_is_said_again_after_resume),
        TEST(test_N1_nil_blocks_until_its_deadline_without_a_frame),
        TEST(test_N1_try_on_nil_would_block),
        TEST(test_IP1_4_past_deadline_costs_no_frame),
        TEST(test_IP1_5_deadlines_are_absolute_on_one_clock_else_remaining),
        TEST(test_IP1_6_sent_operation_outlives_its_deadline_here),
        TEST(test_IP6_2_operations_beyond_the_window_wait_here),
        TEST(test_IP6_2_parked_operations_do_not_fill_the_window),
        TEST(test_IP6_2_what_gives_back_never_waits_for_credit),
        TEST(test_IP6_2_bytes_count_too_but_one_operation_always_fits),
        TEST(test_held_values_keep_their_credit),
        TEST(test_stream_is_taken_in_order_once_and_acked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
