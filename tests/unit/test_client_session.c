/* What the end of a session does to each operation of a client (IP0 fencing, IP4, IP7). */
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

static void session_ends(struct rig *rig, int error)
{
    protocol_session_end(rig->p, error);
    protocol_check(rig->p);
}

static void next_session(struct rig *rig)
{
    protocol_session(rig->p, (struct secret){{8}});
    protocol_connected(rig->p, rig->now_ns);
    assert_non_null(rig_leaves(rig)->hello);
    rig_welcome(rig, NULL, 0);
}

static void test_IP4_receive_fails_without_doubt(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    session_ends(rig, -ENETRESET);
    assert_int_equal(a->status, -ENETRESET);
    assert_int_equal(a->flags & RESULT_DOUBT, 0);
}

static void test_IP4_send_that_left_is_in_doubt(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_send(rig, "a");
    rig_leaves(rig);
    session_ends(rig, -ENETRESET);
    assert_int_equal(a->status, -ENETRESET);
    assert_int_equal(a->flags & RESULT_DOUBT, RESULT_DOUBT);
}

static void test_IP4_send_that_never_left_is_not_in_doubt(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_send(rig, "a");
    session_ends(rig, -ECONNRESET);
    assert_int_equal(a->status, -ECONNRESET);
    assert_int_equal(a->flags & RESULT_DOUBT, 0);
}

static void test_IP4_select_is_in_doubt_only_with_a_send(void **state)
{
    struct rig *rig = *state;
    struct select_case sends = {.kind = CASE_SEND}, receives = {.kind = CASE_RECV};
    struct rig_op *a =
        rig_start(rig, (struct request){.verb = VERB_SELECT, .select = {&sends, 1}}, PROTOCOL_DEADLINE_NONE);
    struct rig_op *b = rig_start(rig, (struct request){.verb = VERB_SELECT, .select = {&receives, 1}},
                                 PROTOCOL_DEADLINE_NONE);
    rig_leaves(rig);
    session_ends(rig, -ENETRESET);
    assert_int_equal(a->flags & RESULT_DOUBT, RESULT_DOUBT);
    assert_int_equal(b->flags & RESULT_DOUBT, 0);
}

static void test_IP0_value_that_has_not_surfaced_is_fenced(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 1, 0);
    session_ends(rig, -ECONNRESET);
    assert_int_equal(protocol_surface(rig->p, &a->op, false, rig->now_ns), -ECONNRESET);
    assert_true(a->released);
}

/* The lock has passed on already. */
static void test_IP0_lock_that_has_not_surfaced_is_fenced(void **state)
{
    struct rig *rig = *state;
    struct rig_op *granted = rig_verb(rig, VERB_LOCK), *late = rig_verb(rig, VERB_LOCK);
    rig_leaves(rig);
    rig_result(rig, granted, GRANT_OWNER_DIED);
    rig_result(rig, late, -ETIMEDOUT);
    session_ends(rig, -ECONNRESET);
    assert_int_equal(protocol_surface(rig->p, &granted->op, false, rig->now_ns), -ECONNRESET);
    assert_int_equal(protocol_surface(rig->p, &late->op, false, rig->now_ns), 0);
    assert_true(granted->released);
}

static void test_outcome_without_value_surfaces_after_the_end(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_send(rig, "a");
    rig_leaves(rig);
    rig_result(rig, a, 1);
    session_ends(rig, -ECONNRESET);
    assert_int_equal(protocol_surface(rig->p, &a->op, false, rig->now_ns), 0);
}

static void test_IP0_late_frames_of_the_old_session_change_nothing(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    session_ends(rig, -ECONNRESET);
    rig_value(rig, a, 1, 0);
    assert_int_equal(a->results, 1);
    assert_int_equal(a->status, -ECONNRESET);
}

static void test_IP4_waits_on_jobs_go_on_in_the_next_session(void **state)
{
    struct rig *rig = *state;
    struct rig_op *wait = rig_verb(rig, VERB_JOB_WAIT);
    rig_leaves(rig);
    session_ends(rig, -ENETRESET);
    assert_int_equal(wait->results, 0);
    next_session(rig);
    const struct client_frame *frame = rig_leaves(rig);
    assert_int_equal(frame->requests_n, 1);
    assert_int_equal(frame->requests[0].verb, VERB_JOB_WAIT);
    rig_result(rig, wait, 1);
    assert_int_equal(wait->status, 1);
}

static void test_what_never_left_and_names_no_handle_waits_for_the_next_session(void **state)
{
    struct rig *rig = *state;
    struct rig_op *open = rig_verb(rig, VERB_CHAN_OPEN);
    session_ends(rig, -ENETRESET);
    assert_int_equal(open->results, 0);
    next_session(rig);
    assert_int_equal(rig_leaves(rig)->requests[0].id, open->op.request.id);
}

static void test_IP13_3_transaction_that_sends_or_acknowledges_dies_with_its_session(void **state)
{
    struct rig *rig = *state;
    const struct value value = {.body = {"v", 1}};
    const struct request_send send = {1, &value, 1};
    const struct ack ack = {1, 1};
    struct rig_op *sends =
        rig_start(rig, (struct request){.verb = VERB_TRANSACT, .transact = {.sends = &send, .sends_n = 1}},
                  PROTOCOL_NEVER);
    struct rig_op *acks =
        rig_start(rig, (struct request){.verb = VERB_TRANSACT, .transact = {.acks = &ack, .acks_n = 1}},
                  PROTOCOL_NEVER);
    struct rig_op *neither = rig_verb(rig, VERB_TRANSACT);
    session_ends(rig, -ENETRESET);
    assert_int_equal(sends->status, -ENETRESET);
    assert_int_equal(acks->status, -ENETRESET);
    assert_int_equal((sends->flags | acks->flags) & RESULT_DOUBT, 0);
    assert_int_equal(neither->results, 0);
    next_session(rig);
    assert_int_equal(rig_leaves(rig)->requests[0].id, neither->op.request.id);
}

static void test_unreachable_daemon_fails_what_waits_for_it(void **state)
{
    struct rig *rig = *state;
    struct rig_op *wait = rig_verb(rig, VERB_JOB_WAIT);
    rig_leaves(rig);
    session_ends(rig, -ENETRESET);
    protocol_unreachable(rig->p, -ECONNREFUSED);
    assert_int_equal(wait->status, -ECONNREFUSED);
}

static void test_call_that_cannot_wait_fails_while_no_session_is_there(void **state)
{
    struct rig *rig = *state;
    session_ends(rig, -ENETRESET);
    struct rig_op *a = rig_start(rig, (struct request){.verb = VERB_CHAN_OPEN}, PROTOCOL_DEADLINE_NOW);
    assert_int_equal(a->status, -EAGAIN);
}

static void test_deadline_ends_what_waits_for_a_session(void **state)
{
    struct rig *rig = *state;
    session_ends(rig, -ENETRESET);
    struct rig_op *a = rig_start(rig, (struct request){.verb = VERB_CHAN_OPEN}, rig->now_ns + 10);
    rig_sleep(rig, 10);
    assert_int_equal(a->status, -ETIMEDOUT);
}

static void test_held_value_of_an_ended_session_cannot_be_settled(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    uint64_t id = a->op.request.id;
    rig_leaves(rig);
    rig_value(rig, a, 1, 0);
    protocol_surface(rig->p, &a->op, true, rig->now_ns);
    session_ends(rig, -ENETRESET);
    assert_true(a->released);
    assert_int_equal(protocol_settle(rig->p, id, 1, false, rig->now_ns), -ENETRESET);
    next_session(rig);
    assert_int_equal(protocol_settle(rig->p, id, 1, false, rig->now_ns), -ENETRESET);
}

static void test_N1_nil_call_outlives_the_session(void **state)
{
    struct rig *rig = *state;
    struct rig_op *nil = rig_verb(rig, VERB_NONE);
    session_ends(rig, -ENETRESET);
    assert_int_equal(nil->results, 0);
    protocol_over(rig->p, -ECONNRESET);
    assert_int_equal(nil->status, -ECONNRESET);
}

static void test_IP4_frame_that_could_not_be_written_never_left(void **state)
{
    struct rig *rig = *state;
    struct rig_op *left = rig_send(rig, "a");
    rig_leaves(rig);
    struct rig_op *kept = rig_send(rig, "b"), *open = rig_verb(rig, VERB_CHAN_OPEN);
    rig_leaves(rig);
    protocol_unsent(rig->p);
    protocol_check(rig->p);
    session_ends(rig, -ENETRESET);
    assert_int_equal(left->status, -ENETRESET);
    assert_int_equal(left->flags & RESULT_DOUBT, RESULT_DOUBT);
    assert_int_equal(kept->status, -ENETRESET);
    assert_int_equal(kept->flags & RESULT_DOUBT, 0);
    assert_int_equal(open->results, 0); /* it waits for the next session */
}

static void test_refused_resume_ends_the_session(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_need_resume(rig);
    rig_leaves(rig);
    protocol_input(rig->p, &(struct server_frame){.refused = -ECONNRESET}, rig->now_ns);
    assert_int_equal(a->status, -ECONNRESET);
    assert_int_equal(rig->p->state, PROTOCOL_VOID);
}

static void test_frame_the_daemon_cannot_read_ends_the_session(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_send(rig, "a");
    rig_leaves(rig);
    protocol_input(rig->p, &(struct server_frame){.refused = -EBADMSG, .text = {"part 3", 6}}, rig->now_ns);
    assert_int_equal(a->status, -EBADMSG);
    assert_int_equal(a->flags & RESULT_DOUBT, RESULT_DOUBT);
    assert_string_equal(rig->p->refusal, "part 3");
}

static void test_IP0_lease_fences_before_the_daemon_gives_up(void **state)
{
    struct rig *rig = rig_new_unbound();
    rig->welcome.lease_ns = 10000000000LL;
    protocol_session(rig->p, (struct secret){{5}});
    protocol_connected(rig->p, rig->now_ns);
    rig_leaves(rig);
    rig_welcome(rig, NULL, 0);
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    int64_t begin = rig->now_ns;
    while (a->results == 0 && rig->now_ns - begin < 9000000000LL) {
        rig_sleep(rig, 100000000);
        while (protocol_output(rig->p, rig->now_ns))
            ; /* into the void */
    }
    assert_int_equal(a->status, -ECONNRESET);
    assert_int_equal(rig->now_ns - begin, 8000000000LL);
    rig_delete(rig);
}

static void test_bye_leaves_after_what_is_acknowledged(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 1, 0);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
    protocol_bye(rig->p);
    const struct client_frame *frame = rig_leaves(rig);
    assert_true(frame->bye);
    assert_int_equal(frame->ack_mark, a->op.request.id);
    assert_true(rig->p->bye_sent);
    rig_leaves_nothing(rig);
}

static void test_after_the_end_for_good_operations_fail_at_once(void **state)
{
    struct rig *rig = *state;
    struct rig_op *a = rig_recv(rig);
    protocol_over(rig->p, -ECONNRESET);
    assert_int_equal(a->status, -ECONNRESET);
    assert_int_equal(rig_recv(rig)->status, -ECONNRESET);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_IP4_receive_fails_without_doubt),
        TEST(test_IP4_send_that_left_is_in_doubt),
        TEST(test_IP4_send_that_never_left_is_not_in_doubt),
        TEST(test_IP4_select_is_in_doubt_only_with_a_send),
        TEST(test_IP0_value_that_has_not_surfaced_is_fenced),
        TEST(test_IP0_lock_that_has_not_surfaced_is_fenced),
        TEST(test_outcome_without_value_surfaces_after_the_end),
        TEST(test_IP0_late_frames_of_the_old_session_change_nothing),
        TEST(test_IP4_waits_on_jobs_go_on_in_the_next_session),
        TEST(test_what_never_left_and_names_no_handle_waits_for_the_next_session),
        TEST(test_IP13_3_transaction_that_sends_or_acknowledges_dies_with_its_session),
        TEST(test_unreachable_daemon_fails_what_waits_for_it),
        TEST(test_call_that_cannot_wait_fails_while_no_session_is_there),
        TEST(test_deadline_ends_what_waits_for_a_session),
        TEST(test_held_value_of_an_ended_session_cannot_be_settled),
        TEST(test_N1_nil_call_outlives_the_session),
        TEST(test_IP4_frame_that_could_not_be_written_never_left),
        TEST(test_refused_resume_ends_the_session),
        TEST(test_frame_the_daemon_cannot_read_ends_the_session),
        TEST(test_IP0_lease_fences_before_the_daemon_gives_up),
        TEST(test_bye_leaves_after_what_is_acknowledged),
        TEST(test_after_the_end_for_good_operations_fail_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
