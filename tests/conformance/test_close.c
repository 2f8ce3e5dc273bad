/* C, R: close, and receiving until it. */
#include "conform.h"

#include <errno.h>

static void test_C1_buffered_values_still_arrive_then_closed_for_ever(void **state)
{
    void *c = channels.make(2, 8);
    uint64_t got = 0;

    assert_int_equal(send_now(c, 1), 0);
    assert_int_equal(send_now(c, 2), 0);
    assert_int_equal(channels.close(c), 0);
    for (uint64_t i = 1; i <= 2; i++) {
        assert_int_equal(channels.recv(c, &got, FOREVER), 1);
        assert_int_equal(got, i);
    }
    for (int i = 0; i < 3; i++) {
        got = 99;
        assert_int_equal(channels.recv(c, &got, FOREVER), 0);
        assert_int_equal(got, 0);
    }
    channels.drop(c);
}

static void test_C2_close_wakes_every_parked_receiver(void **state)
{
    void *c = channels.make(0, 8);
    struct call *receivers[5];
    uint64_t got = 99;

    for (int i = 0; i < 5; i++)
        receivers[i] = recv_later(c, FOREVER);
    await_parked(5);
    assert_int_equal(channels.close(c), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(finish(receivers[i], &got), 0);
        assert_int_equal(got, 0);
    }
    assert_true(channels.parked(0));
    channels.drop(c);
}

static void test_C3_a_send_on_a_closed_channel_is_refused(void **state)
{
    void *c = channels.make(1, 8);
    uint64_t value = 1;

    assert_int_equal(channels.close(c), 0);
    assert_int_equal(channels.send(c, &value, FOREVER), -EPIPE);
    assert_int_equal(send_now(c, 1), -EPIPE);
    assert_int_equal(channels.len(c), 0);
    channels.drop(c);
}

static void test_C4_values_of_senders_parked_at_close_are_never_delivered(void **state)
{
    void *c = channels.make(1, 8);
    struct call *senders[3];
    uint64_t got = 0;

    assert_int_equal(send_now(c, 1), 0);
    for (int i = 0; i < 3; i++)
        senders[i] = send_later(c, 50, FOREVER);
    await_parked(3);
    assert_int_equal(channels.close(c), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(finish(senders[i], NULL), -EPIPE);
    assert_int_equal(recv_now(c, &got), 1);
    assert_int_equal(got, 1);
    assert_int_equal(recv_now(c, &got), 0);
    channels.drop(c);
}

static void test_C5_a_second_close_is_refused(void **state)
{
    void *c = channels.make(0, 8);

    assert_int_equal(channels.close(c), 0);
    assert_int_equal(channels.close(c), -EPIPE);
    channels.drop(c);
}

static void test_C5_no_channel_cannot_be_closed(void **state)
{
    assert_int_equal(channels.close(NULL), -EINVAL);
}

struct race {
    void *chan;
    bool missed;
};

/* The channel has a value until it is closed: at every instant a receive finds one or the other. */
static void receive_without_waiting(void *arg)
{
    struct race *race = arg;
    uint64_t got;

    race->missed = recv_now(race->chan, &got) == -EAGAIN;
}

static void test_C6_a_try_receive_during_close_is_never_not_ready(void **state)
{
    for (int i = 0; i < channels.rounds / 10; i++) {
        struct race race = {.chan = channels.make(1, 8)};
        uint64_t got;

        assert_int_equal(send_now(race.chan, 1), 0);
        struct call *other = run_later(receive_without_waiting, &race);
        assert_int_equal(channels.close(race.chan), 0);
        assert_int_not_equal(recv_now(race.chan, &got), -EAGAIN);
        finish(other, NULL);
        assert_false(race.missed);
        channels.drop(race.chan);
    }
}

static void test_C7_close_wakes_receives_and_selects_alike(void **state)
{
    void *c = channels.make(0, 8), *idle = channels.make(0, 8);
    uint64_t got = 0;
    struct choice choices[] = {recv_case(idle, &got), recv_case(c, &got)};
    struct call *receiver = recv_later(c, FOREVER), *select = select_later(choices, 2, FOREVER);

    await_parked(2);
    assert_int_equal(channels.close(c), 0);
    assert_int_equal(finish(receiver, NULL), 0);
    assert_int_equal(finish(select, NULL), 1);
    channels.drop(idle);
    channels.drop(c);
}

static void test_C8_dropping_a_handle_does_not_close(void **state)
{
    void *c = channels.make(1, 8), *other = channels.dup(c);
    uint64_t got = 0;

    assert_int_equal(send_now(other, 1), 0);
    channels.drop(other);
    assert_int_equal(recv_now(c, &got), 1);
    assert_int_equal(got, 1);
    assert_int_equal(recv_now(c, &got), -EAGAIN);
    channels.drop(c);
}

static void test_C9_a_channel_lives_while_anyone_holds_it(void **state)
{
    void *c = channels.make(2, 8), *other = channels.dup(c);
    uint64_t got = 0;

    assert_int_equal(send_now(c, 5), 0);
    channels.drop(c);
    assert_int_equal(recv_now(other, &got), 1);
    assert_int_equal(got, 5);
    channels.drop(other);
}

struct range {
    void *chan;
    uint64_t sum;
    int count;
};

static void range_over(void *arg)
{
    struct range *range = arg;
    uint64_t value;

    for (; channels.recv(range->chan, &value, FOREVER) == 1; range->count++)
        range->sum += value;
}

/* All wait when the close comes, or some may have values to take. */
static void check_ranges(bool all_wait)
{
    void *c = channels.make(2, 8);
    struct range ranges[3];
    struct call *calls[3];
    uint64_t sum = 0;
    int count = 0;

    for (int i = 0; i < 3; i++) {
        ranges[i] = (struct range){.chan = c};
        calls[i] = run_later(range_over, &ranges[i]);
    }
    for (uint64_t i = 1; i <= 100; i++)
        assert_int_equal(channels.send(c, &i, FOREVER), 0);
    if (all_wait)
        await_parked(3);
    assert_int_equal(channels.close(c), 0);
    for (int i = 0; i < 3; i++) {
        finish(calls[i], NULL);
        sum += ranges[i].sum;
        count += ranges[i].count;
    }
    assert_int_equal(count, 100);
    assert_int_equal(sum, 5050);
    channels.drop(c);
}

static void test_R1_rangers_share_values_and_all_end_on_close(void **state)
{
    check_ranges(false);
    check_ranges(true);
}

int run_close(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C1_buffered_values_still_arrive_then_closed_for_ever),
        cmocka_unit_test(test_C2_close_wakes_every_parked_receiver),
        cmocka_unit_test(test_C3_a_send_on_a_closed_channel_is_refused),
        cmocka_unit_test(test_C4_values_of_senders_parked_at_close_are_never_delivered),
        cmocka_unit_test(test_C5_a_second_close_is_refused),
        cmocka_unit_test(test_C5_no_channel_cannot_be_closed),
        cmocka_unit_test(test_C6_a_try_receive_during_close_is_never_not_ready),
        cmocka_unit_test(test_C7_close_wakes_receives_and_selects_alike),
        cmocka_unit_test(test_C8_dropping_a_handle_does_not_close),
        cmocka_unit_test(test_C9_a_channel_lives_while_anyone_holds_it),
        cmocka_unit_test(test_R1_rangers_share_values_and_all_end_on_close),
    };

    return cmocka_run_group_tests_name("close", tests, NULL, NULL);
}
