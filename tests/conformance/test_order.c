/* F: who is served first. */
#include "conform.h"

#include <errno.h>

enum { QUEUE = 4 };

static void test_F1_parked_receivers_are_served_in_arrival_order(void **state)
{
    void *c = channels.make(0, 8);
    struct call *receivers[QUEUE];
    uint64_t got = 0;

    for (int i = 0; i < QUEUE; i++) {
        receivers[i] = recv_later(c, FOREVER);
        await_parked(i + 1);
    }
    for (uint64_t i = 0; i < QUEUE; i++) {
        assert_int_equal(send_now(c, i), 0);
        assert_int_equal(finish(receivers[i], &got), 1);
        assert_int_equal(got, i);
    }
    channels.drop(c);
}

static void test_F1_parked_senders_are_served_in_arrival_order(void **state)
{
    void *c = channels.make(0, 8);
    struct call *senders[QUEUE];
    uint64_t got = 0;

    for (int i = 0; i < QUEUE; i++) {
        senders[i] = send_later(c, (uint64_t)i, FOREVER);
        await_parked(i + 1);
    }
    for (uint64_t i = 0; i < QUEUE; i++) {
        assert_int_equal(recv_now(c, &got), 1);
        assert_int_equal(got, i);
        assert_int_equal(finish(senders[i], NULL), 0);
    }
    channels.drop(c);
}

static void test_F2_a_waiter_that_won_elsewhere_is_skipped(void **state)
{
    void *a = channels.make(0, 8), *b = channels.make(0, 8);
    uint64_t x = 0, got = 0;
    struct choice choices[] = {recv_case(a, &x), recv_case(b, &x)};

    for (int i = 0; i < channels.rounds / 25; i++) {
        struct call *select = select_later(choices, 2, FOREVER);

        await_parked(1);
        struct call *behind = recv_later(b, FOREVER);
        await_parked(2);
        assert_int_equal(send_now(a, 1), 0);
        assert_int_equal(send_now(b, 2), 0); /* the select may still be on its way out of the queue */
        assert_int_equal(finish(select, NULL), 0);
        assert_int_equal(finish(behind, &got), 1);
        assert_int_equal(got, 2);
    }
    channels.drop(b);
    channels.drop(a);
}

static void test_F2_a_select_is_served_in_its_turn(void **state)
{
    void *a = channels.make(0, 8), *b = channels.make(0, 8);
    uint64_t x = 0, got = 0;
    struct choice choices[] = {recv_case(a, &x), recv_case(b, &x)};
    struct call *before = recv_later(b, FOREVER);

    await_parked(1);
    struct call *select = select_later(choices, 2, FOREVER);
    await_parked(2);
    struct call *after = recv_later(b, FOREVER);
    await_parked(3);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(send_now(b, i), 0);
    assert_int_equal(finish(before, &got), 1);
    assert_int_equal(got, 1);
    assert_int_equal(finish(select, &got), 1);
    assert_int_equal(got, 2);
    assert_int_equal(finish(after, &got), 1);
    assert_int_equal(got, 3);
    channels.drop(b);
    channels.drop(a);
}

static void test_F3_a_newcomer_does_not_pass_a_parked_sender(void **state)
{
    void *c = channels.make(1, 8);
    uint64_t got = 0;

    assert_int_equal(send_now(c, 1), 0);
    struct call *parked = send_later(c, 2, FOREVER);
    await_parked(1);
    assert_int_equal(recv_now(c, &got), 1);
    assert_int_equal(send_now(c, 3), -EAGAIN);
    assert_int_equal(finish(parked, NULL), 0);
    assert_int_equal(recv_now(c, &got), 1);
    assert_int_equal(got, 2);
    channels.drop(c);
}

static void test_F3_a_newcomer_does_not_pass_a_parked_receiver(void **state)
{
    void *c = channels.make(1, 8);
    struct call *parked = recv_later(c, FOREVER);
    uint64_t got = 0;

    await_parked(1);
    assert_int_equal(send_now(c, 1), 0);
    assert_int_equal(recv_now(c, &got), -EAGAIN);
    assert_int_equal(finish(parked, &got), 1);
    assert_int_equal(got, 1);
    channels.drop(c);
}

struct line {
    void *chan;
    int n;
};

static void send_in_order(void *arg)
{
    const struct line *line = arg;

    for (int i = 0; i < line->n; i++) {
        uint64_t value = (uint64_t)i;
        assert_int_equal(channels.send(line->chan, &value, FOREVER), 0);
    }
}

static void check_line(uint64_t capacity)
{
    struct line line = {.chan = channels.make(capacity, 8), .n = channels.rounds / 4};
    struct call *sender = run_later(send_in_order, &line);

    for (int i = 0; i < line.n; i++) {
        uint64_t got = 0;
        assert_int_equal(channels.recv(line.chan, &got, FOREVER), 1);
        assert_int_equal(got, i);
    }
    finish(sender, NULL);
    channels.drop(line.chan);
}

static void test_F4_values_of_one_sender_arrive_in_its_order(void **state)
{
    check_line(0);
    check_line(7);
}

int run_order(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_F1_parked_receivers_are_served_in_arrival_order),
        cmocka_unit_test(test_F1_parked_senders_are_served_in_arrival_order),
        cmocka_unit_test(test_F2_a_waiter_that_won_elsewhere_is_skipped),
        cmocka_unit_test(test_F2_a_select_is_served_in_its_turn),
        cmocka_unit_test(test_F3_a_newcomer_does_not_pass_a_parked_sender),
        cmocka_unit_test(test_F3_a_newcomer_does_not_pass_a_parked_receiver),
        cmocka_unit_test(test_F4_values_of_one_sender_arrive_in_its_order),
    };

    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
