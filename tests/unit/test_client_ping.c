/* When the client's protocol tries a silent connection, or looks for a new one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol_rig.h"

/* Two whose acknowledgements nobody has confirmed: one was under way when the connection had to be bound anew. */
static void test_IP7_a_connection_is_tried_while_pings_are_not_settled(void **state)
{
    struct rig *rig = rig_new();
    struct rig_op *waits = rig_recv(rig);
    rig_leaves(rig);
    rig_sleep(rig, PROTOCOL_PING_NS);
    uint64_t first = rig_leaves(rig)->requests[0].id;
    rig_need_resume(rig);
    rig_leaves(rig);
    const struct op_state states[] = {{waits->op.request.id, FATE_PARKED}, {first, FATE_PARKED}};
    rig_welcome(rig, states, 2);
    rig_sleep(rig, 2 * PROTOCOL_PING_NS);
    uint64_t second = rig_leaves(rig)->requests[0].id;
    rig_ping_result(rig, second);
    rig_ping_result(rig, first);
    rig_sleep(rig, 4 * PROTOCOL_PING_NS);
    const struct client_frame *frame = rig_leaves(rig);
    if (!frame->requests_n) { /* the acknowledgements came first */
        rig_sleep(rig, PROTOCOL_PING_RETRY_NS);
        frame = rig_leaves(rig);
    }
    assert_int_equal(frame->requests[0].verb, VERB_PING);
    assert_true(protocol_tick(rig->p, rig->now_ns) > rig->now_ns);
    rig_delete(rig);
}

/* Each was sent again with a new connection, none answered: they stand for the one that is due. */
static void test_IP7_a_connection_on_which_all_pings_wait_is_given_up(void **state)
{
    struct rig *rig = rig_new();
    struct rig_op *waits = rig_recv(rig);
    struct op_state states[PROTOCOL_PINGS + 1] = {{waits->op.request.id, FATE_PARKED}};
    rig_leaves(rig);
    for (int i = 1; i <= PROTOCOL_PINGS; i++) {
        rig_sleep(rig, i * PROTOCOL_PING_NS);
        states[i] = (struct op_state){rig_leaves(rig)->requests[0].id, FATE_UNKNOWN};
        rig_need_resume(rig);
        assert_non_null(rig_leaves(rig)->resume);
        rig_welcome(rig, states, (size_t)i + 1);
        assert_int_equal(rig_leaves(rig)->requests_n, i); /* and is lost */
    }
    rig_sleep(rig, PROTOCOL_PING_NS);
    rig_sleep(rig, PROTOCOL_ANSWER_NS);
    assert_non_null(rig_leaves(rig)->resume);
    rig_delete(rig);
}

static void test_IP0_a_ping_of_the_connection_before_does_not_shorten_the_lease(void **state)
{
    struct rig *rig = rig_new();
    protocol_disconnected(rig->p);
    protocol_connected(rig->p, rig->now_ns);
    rig_leaves(rig);
    rig->welcome.lease_ns = 10 * PROTOCOL_PING_NS;
    rig_welcome(rig, NULL, 0);
    rig_sleep(rig, 2 * PROTOCOL_PING_NS);
    const struct op_state ping = {rig_leaves(rig)->requests[0].id, FATE_UNKNOWN};
    rig_need_resume(rig);
    rig_sleep(rig, PROTOCOL_PING_NS);
    rig_leaves(rig);
    rig_welcome(rig, &ping, 1); /* good for 8 s */
    rig_leaves(rig);
    rig_ping_result(rig, ping.op);
    int64_t end_ns = rig->now_ns + 8 * PROTOCOL_PING_NS;
    rig_sleep(rig, 8 * PROTOCOL_PING_NS - 1);
    assert_int_not_equal(rig->p->state, PROTOCOL_OVER);
    assert_int_not_equal(rig->p->state, PROTOCOL_VOID);
    rig_sleep(rig, 1);
    assert_int_equal(rig->now_ns, end_ns);
    assert_int_equal(rig->p->state, PROTOCOL_VOID);
    rig_delete(rig);
}

/* Nobody here waits, so nobody looks for a new connection unless he is told to. */
static void test_IP2_2_a_lost_connection_is_looked_after_while_a_sender_waits_for_the_ack(void **state)
{
    struct rig *rig = rig_new();
    struct rig_op *a = rig_recv(rig);
    rig_leaves(rig);
    rig_value(rig, a, 1, RESULT_HANDED);
    protocol_surface(rig->p, &a->op, false, rig->now_ns);
    rig_leaves(rig); /* and is lost with the connection */
    protocol_disconnected(rig->p);
    assert_int_equal(protocol_tick(rig->p, rig->now_ns), rig->now_ns + PROTOCOL_PING_RETRY_NS);
    protocol_connected(rig->p, rig->now_ns);
    assert_non_null(rig_leaves(rig)->resume);
    rig_welcome(rig, NULL, 0);
    assert_int_equal(rig_leaves(rig)->ack_mark, a->op.request.id);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP7_a_connection_is_tried_while_pings_are_not_settled),
        cmocka_unit_test(test_IP7_a_connection_on_which_all_pings_wait_is_given_up),
        cmocka_unit_test(test_IP0_a_ping_of_the_connection_before_does_not_shorten_the_lease),
        cmocka_unit_test(test_IP2_2_a_lost_connection_is_looked_after_while_a_sender_waits_for_the_ack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
