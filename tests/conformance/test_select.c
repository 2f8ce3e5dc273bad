/* S: the first of many sends and receives that can proceed. */
#include "conform.h"

#include <errno.h>
#include <stdlib.h>

static void test_S1_each_case_sends_the_value_it_was_called_with(void **state)
{
    void *a = channels.make(1, 8), *b = channels.make(1, 8);
    uint64_t first = 1, second = 2, got = 0;
    struct choice choices[] = {send_case(a, &first), send_case(b, &second)};

    for (int seen = 0; seen != 3;) {
        first = 1;
        second = 2;
        int i = channels.select(choices, 2, FOREVER);
        first = second = 99;
        assert_in_range(i, 0, 1);
        assert_int_equal(choices[i].status, 0);
        assert_int_equal(recv_now(choices[i].chan, &got), 1);
        assert_int_equal(got, i + 1);
        assert_int_equal(recv_now(choices[1 - i].chan, &got), -EAGAIN);
        seen |= i + 1;
    }
    channels.drop(b);
    channels.drop(a);
}

static void test_S2_the_choice_among_ready_cases_is_even(void **state)
{
    enum { CASES = 4 };
    int draws = 1000, count[CASES] = {0};
    void *c[CASES];
    uint64_t value = 1, got;
    struct choice choices[CASES];

    for (int i = 0; i < CASES; i++) {
        c[i] = channels.make(1, 8);
        choices[i] = i % 2 ? recv_case(c[i], &got) : send_case(c[i], &value);
        if (i % 2)
            assert_int_equal(send_now(c[i], 1), 0);
    }
    for (int draw = 0; draw < draws; draw++) {
        int i = channels.select(choices, CASES, FOREVER);
        assert_in_range(i, 0, CASES - 1);
        count[i]++;
        assert_int_equal(i % 2 ? send_now(c[i], 1) : recv_now(c[i], &got), i % 2 ? 0 : 1);
    }
    /* Half and double the mean are nine standard deviations away. */
    for (int i = 0; i < CASES; i++) {
        assert_in_range(count[i], draws / CASES / 2, draws / CASES * 2);
        channels.drop(c[i]);
    }
}

struct token {
    void *a, *b;
    bool missed;
};

/* There is a value in a, until after there is one in b: at every instant something is ready. */
static void take_without_waiting(void *arg)
{
    struct token *token = arg;
    uint64_t got;
    struct choice choices[] = {recv_case(token->a, &got), recv_case(token->b, &got)};

    token->missed = channels.select(choices, 2, NOW) == -EAGAIN;
}

static void test_S3_default_is_taken_only_if_nothing_was_ready_at_one_instant(void **state)
{
    for (int i = 0; i < channels.rounds / 10; i++) {
        struct token token = {.a = channels.make(1, 8), .b = channels.make(1, 8)};
        uint64_t got;

        assert_int_equal(send_now(token.a, 1), 0);
        struct call *other = run_later(take_without_waiting, &token);
        assert_int_equal(send_now(token.b, 1), 0);
        recv_now(token.a, &got);
        finish(other, NULL);
        assert_false(token.missed);
        channels.drop(token.b);
        channels.drop(token.a);
    }
}

static void test_S4_exactly_one_case_takes_effect(void **state)
{
    void *a = channels.make(0, 8), *b = channels.make(0, 8);
    uint64_t value = 1, got = 0;
    struct choice choices[] = {send_case(a, &value), send_case(b, &value)};
    struct call *on_a = recv_later(a, FOREVER), *on_b = recv_later(b, FOREVER);

    await_parked(2);
    int i = channels.select(choices, 2, FOREVER);
    assert_int_equal(finish(i == 0 ? on_a : on_b, &got), 1);
    await_parked(1);
    assert_false(finished(i == 0 ? on_b : on_a));
    assert_int_equal(send_now(i == 0 ? b : a, 2), 0);
    assert_int_equal(finish(i == 0 ? on_b : on_a, &got), 1);
    assert_int_equal(got, 2);
    channels.drop(b);
    channels.drop(a);
}

static void test_S5_a_select_that_won_leaves_every_other_queue(void **state)
{
    void *c[] = {channels.make(0, 8), channels.make(0, 8), channels.make(0, 8)};
    uint64_t got = 0;
    struct choice choices[] = {recv_case(c[0], &got), recv_case(c[1], &got), recv_case(c[2], &got)};

    for (int winner = 0; winner < 3; winner++) {
        struct call *select = select_later(choices, 3, FOREVER);

        await_parked(1);
        assert_int_equal(send_now(c[winner], 1), 0);
        assert_int_equal(finish(select, NULL), winner);
        for (int i = 0; i < 3; i++)
            assert_int_equal(send_now(c[i], 2), -EAGAIN);
        assert_true(channels.parked(0));
    }
    for (int i = 0; i < 3; i++)
        channels.drop(c[i]);
}

/* What the select had in its queues lay here. */
static __attribute__((noinline)) void scribble(void)
{
    volatile unsigned char junk[8192];

    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = 0xa5;
}

static void select_of_two_then_scribble(void *arg)
{
    assert_int_equal(channels.select(arg, 2, FOREVER), 0);
    scribble();
}

static void test_S5_nothing_of_a_select_is_left_in_a_queue(void **state)
{
    void *a = channels.make(0, 8), *b = channels.make(0, 8);
    uint64_t got = 0;
    struct choice choices[] = {recv_case(a, &got), recv_case(b, &got)};

    for (int i = 0; i < 2; i++) {
        struct call *select = run_later(select_of_two_then_scribble, choices);

        await_parked(1);
        assert_int_equal(send_now(choices[0].chan, 1), 0);
        finish(select, NULL);
        assert_int_equal(send_now(choices[1].chan, 2), -EAGAIN);
        choices[0].chan = b;
        choices[1].chan = a;
    }
    channels.drop(b);
    channels.drop(a);
}

static void test_S5_a_select_that_was_stopped_leaves_every_queue(void **state)
{
    void *a = channels.make(0, 8), *b = channels.make(0, 8), *stop = channels.stop_new();
    uint64_t value = 1, got = 0;
    struct choice choices[] = {send_case(a, &value), recv_case(b, &got)};
    struct call *select = select_later(choices, 2, UNLESS(stop));

    await_parked(1);
    channels.stop_cancel(stop);
    assert_int_equal(finish(select, NULL), -ECANCELED);
    assert_int_equal(recv_now(a, &got), -EAGAIN);
    assert_int_equal(send_now(b, 1), -EAGAIN);
    channels.stop_free(stop);
    channels.drop(b);
    channels.drop(a);
}

static void test_S6_one_channel_may_stand_in_several_cases(void **state)
{
    void *c = channels.make(0, 8);
    uint64_t x = 0, y = 0, got = 0;
    struct choice receives[] = {recv_case(c, &x), recv_case(c, &y)};
    struct call *select = select_later(receives, 2, FOREVER);

    await_parked(1);
    assert_int_equal(send_now(c, 5), 0);
    assert_in_range(finish(select, &got), 0, 1);
    assert_int_equal(got, 5);
    assert_int_equal(x + y, 5);
    assert_int_equal(send_now(c, 6), -EAGAIN);
    channels.drop(c);
}

static void test_S7_send_and_receive_of_one_select_never_meet(void **state)
{
    void *c = channels.make(0, 8);
    uint64_t value = 1, got = 0;
    struct choice choices[] = {send_case(c, &value), recv_case(c, &got)};

    assert_int_equal(channels.select(choices, 2, NOW), -EAGAIN);
    struct call *select = select_later(choices, 2, FOREVER);
    await_parked(1);
    assert_false(finished(select));
    assert_int_equal(send_now(c, 2), 0);
    assert_int_equal(finish(select, NULL), 1);
    assert_int_equal(got, 2);
    channels.drop(c);
}

static void test_S7_two_such_selects_do_meet(void **state)
{
    void *c = channels.make(0, 8);
    uint64_t value = 1, got = 0, other_value = 2, other_got = 0;
    struct choice choices[] = {send_case(c, &value), recv_case(c, &got)};
    struct choice others[] = {recv_case(c, &other_got), send_case(c, &other_value)};
    struct call *select = select_later(choices, 2, FOREVER);

    await_parked(1);
    int mine = channels.select(others, 2, FOREVER);
    int theirs = finish(select, NULL);
    assert_int_equal(mine, theirs);
    assert_int_equal(mine == 0 ? other_got : got, mine == 0 ? 1 : 2);
    channels.drop(c);
}

static void test_S8_a_select_of_nothing_waits_for_its_context_alone(void **state)
{
    void *stop = channels.stop_new();
    uint64_t value = 1;
    struct choice choices[] = {send_case(NULL, &value), recv_case(NULL, &value)};
    struct call *nothing = select_later(choices, 0, UNLESS(stop));
    struct call *no_channels = select_later(choices, 2, UNLESS(stop));

    assert_int_equal(channels.select(choices, 0, NOW), -EAGAIN);
    assert_int_equal(channels.select(choices, 2, NOW), -EAGAIN);
    assert_false(finished(nothing) || finished(no_channels));
    channels.stop_cancel(stop);
    assert_int_equal(finish(nothing, NULL), -ECANCELED);
    assert_int_equal(finish(no_channels, NULL), -ECANCELED);
    channels.stop_free(stop);
}

static void test_S9_a_receive_on_closed_is_ready(void **state)
{
    void *c = channels.make(0, 8), *idle = channels.make(0, 8);
    uint64_t got = 99, other = 0;
    struct choice choices[] = {recv_case(idle, &other), recv_case(c, &got)};

    channels.close(c);
    assert_int_equal(channels.select(choices, 2, FOREVER), 1);
    assert_int_equal(choices[1].status, 0);
    assert_int_equal(got, 0);
    channels.drop(idle);
    channels.drop(c);
}

static void test_S9_a_send_on_closed_is_ready_and_fails(void **state)
{
    void *c = channels.make(0, 8), *idle = channels.make(0, 8);
    uint64_t value = 1, other = 0;
    struct choice choices[] = {recv_case(idle, &other), send_case(c, &value)};

    channels.close(c);
    assert_int_equal(channels.select(choices, 2, NOW), 1);
    assert_int_equal(choices[1].status, -EPIPE);
    channels.drop(idle);
    channels.drop(c);
}

static void test_S9_close_wakes_a_parked_select_that_sends(void **state)
{
    void *c = channels.make(0, 8), *idle = channels.make(0, 8);
    uint64_t value = 1, other = 0;
    struct choice choices[] = {recv_case(idle, &other), send_case(c, &value)};
    struct call *select = select_later(choices, 2, FOREVER);

    await_parked(1);
    channels.close(c);
    assert_int_equal(finish(select, NULL), 1);
    channels.drop(idle);
    channels.drop(c);
}

static void select_one_case(void *arg)
{
    assert_int_equal(channels.select(arg, 1, FOREVER), 0);
}

static void test_S10_one_case_forms_behave_as_the_single_operation(void **state)
{
    void *c = channels.make(1, 8);
    uint64_t value = 4, got = 0;
    struct choice send = send_case(c, &value), recv = recv_case(c, &got);

    assert_int_equal(channels.select(&recv, 1, NOW), -EAGAIN);
    assert_int_equal(channels.select(&send, 1, FOREVER), 0);
    assert_int_equal(send.status, 0);
    assert_int_equal(channels.select(&send, 1, NOW), -EAGAIN);
    assert_int_equal(channels.select(&recv, 1, FOREVER), 0);
    assert_int_equal(recv.status, 1);
    assert_int_equal(got, 4);
    struct call *parked = run_later(select_one_case, &recv);
    await_parked(1);
    assert_int_equal(send_now(c, 6), 0);
    finish(parked, NULL);
    assert_int_equal(recv.status, 1);
    assert_int_equal(got, 6);
    parked = run_later(select_one_case, &recv);
    await_parked(1);
    assert_int_equal(channels.close(c), 0);
    finish(parked, NULL);
    assert_int_equal(recv.status, 0);
    channels.drop(c);
}

static void test_S11_destinations_of_cases_not_chosen_are_untouched(void **state)
{
    void *a = channels.make(1, 8), *b = channels.make(1, 8);
    uint64_t x = 77, y = 78;
    struct choice choices[] = {recv_case(a, &x), recv_case(b, &y)};

    assert_int_equal(channels.select(choices, 2, NOW), -EAGAIN);
    assert_int_equal(send_now(b, 1), 0);
    assert_int_equal(channels.select(choices, 2, FOREVER), 1);
    assert_int_equal(x, 77);
    assert_int_equal(y, 1);
    channels.drop(b);
    channels.drop(a);
}

static void test_S12_more_cases_than_the_limit_are_refused(void **state)
{
    int n = channels.cases_max() + 1;
    void *c = channels.make(1, 8);
    uint64_t got = 0;
    struct choice *choices = calloc((size_t)n, sizeof(*choices));

    assert_non_null(choices);
    for (int i = 0; i < n; i++)
        choices[i] = recv_case(c, &got);
    assert_int_equal(channels.select(choices, n, NOW), -E2BIG);
    assert_int_equal(channels.select(choices, n - 1, NOW), -EAGAIN);
    assert_int_equal(send_now(c, 3), 0);
    assert_in_range(channels.select(choices, n - 1, NOW), 0, n - 2);
    assert_int_equal(got, 3);
    free(choices);
    channels.drop(c);
}

static void test_S13_a_wait_that_is_over_on_arrival_takes_nothing(void **state)
{
    void *c = channels.make(2, 8), *stop = channels.stop_new();
    uint64_t value = 1, got = 0;
    struct choice choices[] = {send_case(c, &value), recv_case(c, &got)};

    assert_int_equal(send_now(c, 1), 0);
    channels.stop_cancel(stop);
    assert_int_equal(channels.recv(c, &got, UNLESS(stop)), -ECANCELED);
    assert_int_equal(channels.send(c, &value, UNLESS(stop)), -ECANCELED);
    assert_int_equal(channels.select(choices, 2, UNLESS(stop)), -ECANCELED);
    assert_int_equal(channels.recv(c, &got, PAST), -ETIMEDOUT);
    assert_int_equal(channels.send(c, &value, PAST), -ETIMEDOUT);
    assert_int_equal(channels.select(choices, 2, PAST), -ETIMEDOUT);
    assert_int_equal(channels.len(c), 1);
    channels.stop_free(stop);
    channels.drop(c);
}

static void test_S13_a_cancelled_wait_leaves_the_channel_to_the_next(void **state)
{
    void *c = channels.make(0, 8), *stop = channels.stop_new();
    struct call *stopped = recv_later(c, UNLESS(stop));
    uint64_t got = 0;

    await_parked(1);
    struct call *next = recv_later(c, FOREVER);
    await_parked(2);
    channels.stop_cancel(stop);
    assert_int_equal(finish(stopped, NULL), -ECANCELED);
    assert_int_equal(send_now(c, 8), 0);
    assert_int_equal(finish(next, &got), 1);
    assert_int_equal(got, 8);
    channels.stop_free(stop);
    channels.drop(c);
}

int run_select(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S1_each_case_sends_the_value_it_was_called_with),
        cmocka_unit_test(test_S2_the_choice_among_ready_cases_is_even),
        cmocka_unit_test(test_S3_default_is_taken_only_if_nothing_was_ready_at_one_instant),
        cmocka_unit_test(test_S4_exactly_one_case_takes_effect),
        cmocka_unit_test(test_S5_a_select_that_won_leaves_every_other_queue),
        cmocka_unit_test(test_S5_nothing_of_a_select_is_left_in_a_queue),
        cmocka_unit_test(test_S5_a_select_that_was_stopped_leaves_every_queue),
        cmocka_unit_test(test_S6_one_channel_may_stand_in_several_cases),
        cmocka_unit_test(test_S7_send_and_receive_of_one_select_never_meet),
        cmocka_unit_test(test_S7_two_such_selects_do_meet),
        cmocka_unit_test(test_S8_a_select_of_nothing_waits_for_its_context_alone),
        cmocka_unit_test(test_S9_a_receive_on_closed_is_ready),
        cmocka_unit_test(test_S9_a_send_on_closed_is_ready_and_fails),
        cmocka_unit_test(test_S9_close_wakes_a_parked_select_that_sends),
        cmocka_unit_test(test_S10_one_case_forms_behave_as_the_single_operation),
        cmocka_unit_test(test_S11_destinations_of_cases_not_chosen_are_untouched),
        cmocka_unit_test(test_S12_more_cases_than_the_limit_are_refused),
        cmocka_unit_test(test_S13_a_wait_that_is_over_on_arrival_takes_nothing),
        cmocka_unit_test(test_S13_a_cancelled_wait_leaves_the_channel_to_the_next),
    };

    return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
