/* U, N, D: channels without a buffer, no channel at all, and channels of one direction. */
#include "conform.h"

#include <errno.h>

static void test_U1_send_waits_for_a_receiver(void **state)
{
    void *c = channels.make(0, 8);
    struct call *sender = send_later(c, 7, FOREVER);
    uint64_t got = 0;

    await_parked(1);
    assert_false(finished(sender));
    assert_int_equal(channels.recv(c, &got, FOREVER), 1);
    assert_int_equal(got, 7);
    assert_int_equal(finish(sender, NULL), 0);
    channels.drop(c);
}

static void test_U1_receive_waits_for_a_sender(void **state)
{
    void *c = channels.make(0, 8);
    struct call *receiver = recv_later(c, FOREVER);
    uint64_t sent = 9, got = 0;

    await_parked(1);
    assert_false(finished(receiver));
    assert_int_equal(channels.send(c, &sent, FOREVER), 0);
    assert_int_equal(finish(receiver, &got), 1);
    assert_int_equal(got, 9);
    channels.drop(c);
}

static void test_U2_one_receive_releases_one_sender_only(void **state)
{
    void *c = channels.make(0, 8);
    struct call *first = send_later(c, 1, FOREVER);
    uint64_t got = 0;

    await_parked(1);
    struct call *second = send_later(c, 2, FOREVER);
    await_parked(2);
    assert_int_equal(channels.recv(c, &got, FOREVER), 1);
    assert_int_equal(finish(first, NULL), 0);
    await_parked(1);
    assert_false(finished(second));
    assert_int_equal(channels.recv(c, &got, FOREVER), 1);
    assert_int_equal(finish(second, NULL), 0);
    channels.drop(c);
}

static void test_U2_a_send_that_returned_left_nothing_to_receive(void **state)
{
    void *c = channels.make(0, 8);
    uint64_t value = 3, got;

    struct call *receiver = recv_later(c, FOREVER);
    assert_int_equal(channels.send(c, &value, FOREVER), 0);
    assert_int_equal(recv_now(c, &got), -EAGAIN);
    assert_int_equal(finish(receiver, &got), 1);
    assert_int_equal(got, 3);
    channels.drop(c);
}

static void test_U3_len_and_cap_are_zero_with_parked_senders(void **state)
{
    void *c = channels.make(0, 8);
    struct call *sender = send_later(c, 1, FOREVER);
    uint64_t got;

    await_parked(1);
    assert_int_equal(channels.len(c), 0);
    assert_int_equal(channels.cap(c), 0);
    assert_int_equal(channels.recv(c, &got, FOREVER), 1);
    finish(sender, NULL);
    channels.drop(c);
}

static void test_U4_later_writes_of_the_sender_are_invisible(void **state)
{
    void *c = channels.make(1, 8);
    uint64_t value = 5, got = 0;

    assert_int_equal(channels.send(c, &value, FOREVER), 0);
    value = 6;
    assert_int_equal(channels.recv(c, &got, FOREVER), 1);
    assert_int_equal(got, 5);
    channels.drop(c);
}

static void test_U5_a_value_of_no_bytes_is_a_value(void **state)
{
    void *c = channels.make(1, 0);
    uint64_t nothing = 0;

    assert_int_equal(recv_now(c, &nothing), -EAGAIN);
    assert_int_equal(send_now(c, 0), 0);
    assert_int_equal(channels.len(c), 1);
    assert_int_equal(send_now(c, 0), -EAGAIN);
    assert_int_equal(recv_now(c, &nothing), 1);
    assert_int_equal(channels.close(c), 0);
    assert_int_equal(recv_now(c, &nothing), 0);
    channels.drop(c);
}

static void test_U5_values_of_no_bytes_meet_on_a_rendezvous(void **state)
{
    void *c = channels.make(0, 0);
    struct call *receiver = recv_later(c, FOREVER);
    uint64_t nothing = 0;

    assert_int_equal(channels.send(c, &nothing, FOREVER), 0);
    assert_int_equal(finish(receiver, NULL), 1);
    channels.drop(c);
}

static void answer_on_what_is_received(void *outer)
{
    uint64_t value = 11;
    void *inner = NULL;

    assert_int_equal(channels.recv_chan(outer, &inner, FOREVER), 1);
    assert_int_equal(channels.send(inner, &value, FOREVER), 0);
    channels.drop(inner);
}

static void test_U6_a_channel_is_sent_through_a_channel(void **state)
{
    void *outer = channels.make(0, 8), *inner = channels.make(0, 8);
    struct call *other = run_later(answer_on_what_is_received, outer);
    uint64_t got = 0;

    assert_int_equal(channels.send_chan(outer, inner, FOREVER), 0);
    assert_int_equal(channels.recv(inner, &got, FOREVER), 1);
    assert_int_equal(got, 11);
    finish(other, NULL);
    channels.drop(inner);
    channels.drop(outer);
}

static void take_from_what_is_received(void *outer)
{
    void *inner = NULL;
    uint64_t got = 0;

    assert_int_equal(channels.recv_chan(outer, &inner, NOW), 1);
    assert_int_equal(recv_now(inner, &got), 1);
    assert_int_equal(got, 12);
    channels.drop(inner);
}

static void test_U6_a_channel_lives_in_the_value_that_carries_it(void **state)
{
    void *outer = channels.make(1, 8), *inner = channels.make(1, 8);

    assert_int_equal(send_now(inner, 12), 0);
    assert_int_equal(channels.send_chan(outer, inner, FOREVER), 0);
    channels.drop(inner);
    finish(run_later(take_from_what_is_received, outer), NULL);
    channels.drop(outer);
}

static void test_U7_try_send_needs_a_parked_receiver(void **state)
{
    void *c = channels.make(0, 8);
    uint64_t got = 0;

    assert_int_equal(send_now(c, 1), -EAGAIN);
    struct call *receiver = recv_later(c, FOREVER);
    await_parked(1);
    assert_int_equal(send_now(c, 2), 0);
    assert_int_equal(finish(receiver, &got), 1);
    assert_int_equal(got, 2);
    assert_int_equal(send_now(c, 3), -EAGAIN);
    channels.drop(c);
}

static void test_U7_try_receive_needs_a_parked_sender(void **state)
{
    void *c = channels.make(0, 8);
    uint64_t got = 0;

    assert_int_equal(recv_now(c, &got), -EAGAIN);
    struct call *sender = send_later(c, 4, FOREVER);
    await_parked(1);
    assert_int_equal(recv_now(c, &got), 1);
    assert_int_equal(got, 4);
    assert_int_equal(finish(sender, NULL), 0);
    channels.drop(c);
}

static void test_U7_neither_try_form_parks(void **state)
{
    void *c = channels.make(0, 8);

    assert_int_equal(finish(send_later(c, 1, NOW), NULL), -EAGAIN);
    assert_int_equal(finish(recv_later(c, NOW), NULL), -EAGAIN);
    assert_true(channels.parked(0));
    channels.drop(c);
}

static void test_N1_no_channel_is_never_ready(void **state)
{
    uint64_t value = 1;

    assert_int_equal(channels.send(NULL, &value, NOW), -EAGAIN);
    assert_int_equal(channels.recv(NULL, &value, NOW), -EAGAIN);
}

static void test_N1_a_wait_on_no_channel_ends_with_its_context(void **state)
{
    void *stop = channels.stop_new();
    struct call *sender = send_later(NULL, 1, UNLESS(stop)), *receiver = recv_later(NULL, UNLESS(stop));

    assert_false(finished(sender) || finished(receiver));
    channels.stop_cancel(stop);
    assert_int_equal(finish(sender, NULL), -ECANCELED);
    assert_int_equal(finish(receiver, NULL), -ECANCELED);
    channels.stop_free(stop);
}

static void test_N1_no_channel_disables_its_case(void **state)
{
    void *c = channels.make(1, 8);
    uint64_t got = 0, other = 0;
    struct choice choices[] = {recv_case(NULL, &other), recv_case(c, &got)};

    assert_int_equal(send_now(c, 8), 0);
    assert_int_equal(channels.select(choices, 2, FOREVER), 1);
    assert_int_equal(got, 8);
    assert_int_equal(channels.select(choices, 2, NOW), -EAGAIN);
    channels.drop(c);
}

static void test_D1_a_send_only_handle_may_not_receive(void **state)
{
    if (!channels.narrow)
        skip();
    void *c = channels.make(1, 8), *out = channels.narrow(c, WAY_SEND);
    uint64_t got;

    assert_int_equal(send_now(out, 1), 0);
    assert_int_equal(recv_now(out, &got), -EPERM);
    assert_int_equal(recv_now(c, &got), 1);
    channels.drop(out);
    channels.drop(c);
}

static void test_D1_a_receive_only_handle_may_not_send_or_close(void **state)
{
    if (!channels.narrow)
        skip();
    void *c = channels.make(1, 8), *in = channels.narrow(c, WAY_RECV);

    assert_int_equal(send_now(in, 1), -EPERM);
    assert_int_equal(channels.close(in), -EPERM);
    assert_int_equal(send_now(c, 1), 0);
    channels.drop(in);
    channels.drop(c);
}

int run_unbuffered(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_U1_send_waits_for_a_receiver),
        cmocka_unit_test(test_U1_receive_waits_for_a_sender),
        cmocka_unit_test(test_U2_one_receive_releases_one_sender_only),
        cmocka_unit_test(test_U2_a_send_that_returned_left_nothing_to_receive),
        cmocka_unit_test(test_U3_len_and_cap_are_zero_with_parked_senders),
        cmocka_unit_test(test_U4_later_writes_of_the_sender_are_invisible),
        cmocka_unit_test(test_U5_a_value_of_no_bytes_is_a_value),
        cmocka_unit_test(test_U5_values_of_no_bytes_meet_on_a_rendezvous),
        cmocka_unit_test(test_U6_a_channel_is_sent_through_a_channel),
        cmocka_unit_test(test_U6_a_channel_lives_in_the_value_that_carries_it),
        cmocka_unit_test(test_U7_try_send_needs_a_parked_receiver),
        cmocka_unit_test(test_U7_try_receive_needs_a_parked_sender),
        cmocka_unit_test(test_U7_neither_try_form_parks),
        cmocka_unit_test(test_N1_no_channel_is_never_ready),
        cmocka_unit_test(test_N1_a_wait_on_no_channel_ends_with_its_context),
        cmocka_unit_test(test_N1_no_channel_disables_its_case),
        cmocka_unit_test(test_D1_a_send_only_handle_may_not_receive),
        cmocka_unit_test(test_D1_a_receive_only_handle_may_not_send_or_close),
    };

    return cmocka_run_group_tests_name("unbuffered", tests, NULL, NULL);
}
