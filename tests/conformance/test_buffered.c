/* B: channels with a buffer. */
#include "conform.h"

#include <errno.h>

static void test_B1_the_first_sends_never_wait_and_the_next_does(void **state)
{
    void *c = channels.make(3, 8);
    uint64_t got;

    assert_int_equal(channels.cap(c), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_now(c, (uint64_t)i), 0);
    assert_int_equal(channels.len(c), 3);
    assert_int_equal(send_now(c, 3), -EAGAIN);
    struct call *sender = send_later(c, 3, FOREVER);
    await_parked(1);
    assert_int_equal(channels.len(c), 3);
    assert_int_equal(channels.recv(c, &got, FOREVER), 1);
    assert_int_equal(finish(sender, NULL), 0);
    channels.drop(c);
}

static void test_B1_receive_waits_only_when_empty(void **state)
{
    void *c = channels.make(2, 8);
    uint64_t got;

    assert_int_equal(send_now(c, 1), 0);
    assert_int_equal(recv_now(c, &got), 1);
    assert_int_equal(recv_now(c, &got), -EAGAIN);
    struct call *receiver = recv_later(c, FOREVER);
    await_parked(1);
    assert_int_equal(send_now(c, 2), 0);
    assert_int_equal(finish(receiver, &got), 1);
    assert_int_equal(got, 2);
    channels.drop(c);
}

static void test_B2_values_leave_in_the_order_they_entered(void **state)
{
    void *c = channels.make(5, 8);
    uint64_t got;

    for (uint64_t round = 0; round < 20; round++) {
        for (uint64_t i = 0; i < 3; i++)
            assert_int_equal(send_now(c, round * 3 + i), 0);
        for (uint64_t i = 0; i < 3; i++) {
            assert_int_equal(recv_now(c, &got), 1);
            assert_int_equal(got, round * 3 + i);
        }
    }
    channels.drop(c);
}

static void test_B3_a_receive_lets_the_first_parked_sender_be_the_tail(void **state)
{
    void *c = channels.make(2, 8);
    uint64_t got;

    assert_int_equal(send_now(c, 1), 0);
    assert_int_equal(send_now(c, 2), 0);
    struct call *third = send_later(c, 3, FOREVER);
    await_parked(1);
    struct call *fourth = send_later(c, 4, FOREVER);
    await_parked(2);
    assert_int_equal(recv_now(c, &got), 1);
    assert_int_equal(got, 1);
    assert_int_equal(finish(third, NULL), 0);
    assert_int_equal(channels.len(c), 2);
    for (uint64_t i = 2; i <= 4; i++) {
        assert_int_equal(recv_now(c, &got), 1);
        assert_int_equal(got, i);
    }
    assert_int_equal(finish(fourth, NULL), 0);
    channels.drop(c);
}

static void test_B4_a_value_for_a_parked_receiver_is_not_buffered(void **state)
{
    void *c = channels.make(4, 8);
    struct call *receiver = recv_later(c, FOREVER);
    uint64_t got;

    await_parked(1);
    assert_int_equal(send_now(c, 1), 0);
    assert_int_equal(finish(receiver, &got), 1);
    assert_int_equal(channels.len(c), 0);
    channels.drop(c);
}

static void test_B4_a_free_slot_leaves_no_sender_parked(void **state)
{
    void *c = channels.make(1, 8);
    uint64_t got;

    assert_int_equal(send_now(c, 1), 0);
    struct call *sender = send_later(c, 2, FOREVER);
    await_parked(1);
    assert_int_equal(recv_now(c, &got), 1);
    assert_int_equal(finish(sender, NULL), 0);
    assert_int_equal(channels.len(c), 1);
    assert_int_equal(recv_now(c, &got), 1);
    assert_int_equal(got, 2);
    channels.drop(c);
}

static void test_B5_a_capacity_no_memory_can_hold_is_refused(void **state)
{
    assert_null(channels.make(UINT64_MAX, 8));
    assert_null(channels.make(UINT64_MAX / 8, 8));
    assert_null(channels.make(UINT64_MAX / 8 + 2, 8)); /* 8 bytes, if they could wrap */
}

/* ---- B6: P senders, R receivers, every value once ---- */

enum { CROWD = 4 };

struct crowd {
    void *chan;
    int each; /* values per sender */
    uint64_t first;
    uint64_t sum, count; /* of a receiver */
};

static void crowd_send(void *arg)
{
    struct crowd *me = arg;

    for (int i = 0; i < me->each; i++) {
        uint64_t value = me->first + (uint64_t)i;
        assert_int_equal(channels.send(me->chan, &value, FOREVER), 0);
    }
}

static void crowd_recv(void *arg)
{
    struct crowd *me = arg;
    uint64_t value;

    while (channels.recv(me->chan, &value, FOREVER) == 1) {
        me->sum += value;
        me->count++;
    }
}

static void conserve(uint64_t capacity)
{
    int each = channels.rounds / 4;
    void *c = channels.make(capacity, 8);
    struct crowd senders[CROWD], receivers[CROWD];
    struct call *calls[2 * CROWD];
    uint64_t sum = 0, count = 0, values = (uint64_t)each * CROWD;

    for (int i = 0; i < CROWD; i++) {
        senders[i] = (struct crowd){.chan = c, .each = each, .first = (uint64_t)(i * each)};
        receivers[i] = (struct crowd){.chan = c};
        calls[i] = run_later(crowd_send, &senders[i]);
        calls[CROWD + i] = run_later(crowd_recv, &receivers[i]);
    }
    for (int i = 0; i < CROWD; i++)
        finish(calls[i], NULL);
    assert_int_equal(channels.close(c), 0);
    for (int i = 0; i < CROWD; i++) {
        finish(calls[CROWD + i], NULL);
        sum += receivers[i].sum;
        count += receivers[i].count;
    }
    assert_int_equal(count, values);
    assert_int_equal(sum, values * (values - 1) / 2);
    channels.drop(c);
}

static void test_B6_many_senders_and_receivers_conserve_values_unbuffered(void **state)
{
    conserve(0);
}

static void test_B6_many_senders_and_receivers_conserve_values_buffered(void **state)
{
    conserve(1);
    conserve(10);
}

static void test_Y4_what_was_sent_is_there_for_whoever_hears_of_it(void **state)
{
    void *c = channels.make(1, 8);
    uint64_t got = 0;

    for (uint64_t i = 1; i <= (uint64_t)channels.rounds / 25; i++) {
        assert_int_equal(finish(send_later(c, i, FOREVER), NULL), 0);
        assert_int_equal(finish(recv_later(c, NOW), &got), 1);
        assert_int_equal(got, i);
    }
    channels.drop(c);
}

int run_buffered(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_B1_the_first_sends_never_wait_and_the_next_does),
        cmocka_unit_test(test_B1_receive_waits_only_when_empty),
        cmocka_unit_test(test_B2_values_leave_in_the_order_they_entered),
        cmocka_unit_test(test_B3_a_receive_lets_the_first_parked_sender_be_the_tail),
        cmocka_unit_test(test_B4_a_value_for_a_parked_receiver_is_not_buffered),
        cmocka_unit_test(test_B4_a_free_slot_leaves_no_sender_parked),
        cmocka_unit_test(test_Y4_what_was_sent_is_there_for_whoever_hears_of_it),
        cmocka_unit_test(test_B5_a_capacity_no_memory_can_hold_is_refused),
        cmocka_unit_test(test_B6_many_senders_and_receivers_conserve_values_unbuffered),
        cmocka_unit_test(test_B6_many_senders_and_receivers_conserve_values_buffered),
    };

    return cmocka_run_group_tests_name("buffered", tests, NULL, NULL);
}
