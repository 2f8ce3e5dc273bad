/* Channels between sessions: rules U, B, C, N, D, R and F. */
#include "core_fixture.h"

static struct rig *rig;
static struct client *a, *b, *c;
static uint64_t ha, hb, hc;

static int setup(void **state)
{
    rig = rig_new();
    a = client_new(rig);
    b = client_new(rig);
    c = client_new(rig);
    return 0;
}

static int teardown(void **state)
{
    rig_delete(rig);
    return 0;
}

static void open_all(uint64_t capacity)
{
    ha = chan(a, "x", capacity);
    hb = chan(b, "x", capacity);
    hc = chan(c, "x", capacity);
    assert_true(ha && hb && hc && ha != hb);
}

/* ---- U ---- */

static void test_U1_send_waits_for_a_receiver(void **state)
{
    open_all(0);
    uint64_t s = send1(a, ha, "v");
    assert_waits(a, s);
    uint64_t r = recv1(b, hb);
    assert_status(b, r, 1);
    assert_values(b, r, "v ");
}

static void test_U1_receive_waits_for_a_sender(void **state)
{
    open_all(0);
    uint64_t r = recv1(b, hb);
    assert_waits(b, r);
    send1(a, ha, "v");
    assert_values(b, r, "v ");
}

static void test_U2_sent_is_withheld_until_the_receiver_acknowledges(void **state)
{
    open_all(0);
    uint64_t s = send1(a, ha, "v"), r = recv1(b, hb);
    assert_true(got(b, r)->flags & RESULT_HANDED);
    assert_waits(a, s);
    ack(b, r, 0);
    assert_status(a, s, 1);
}

static void test_U3_len_and_cap_are_0_with_parked_senders(void **state)
{
    open_all(0);
    send1(a, ha, "v");
    struct chan_info i = info(b, hb);
    assert_true(i.length == 0 && i.capacity == 0 && i.senders == 1);
}

static void test_U5_an_empty_value_is_a_value(void **state)
{
    open_all(1);
    send1(a, ha, "");
    uint64_t r = recv1(b, hb);
    assert_status(b, r, 1);
    assert_int_equal(got(b, r)->values_n, 1);
    assert_int_equal(got(b, r)->value[0].size, 0);
    assert_false(got(b, r)->flags & RESULT_CLOSED);
}

static void test_U7_try_send_fails_without_a_receiver(void **state)
{
    open_all(0);
    uint64_t s = send1(at_once(a), ha, "v");
    assert_status(a, s, -EAGAIN);
    assert_int_equal(info(a, ha).senders, 0);
}

static void test_U7_try_send_takes_a_parked_receiver(void **state)
{
    open_all(0);
    uint64_t r = recv1(b, hb), s = send1(at_once(a), ha, "v");
    assert_values(b, r, "v ");
    assert_waits(a, s);
    ack(b, r, 0);
    assert_status(a, s, 1);
}

static void test_U7_try_receive_takes_a_parked_sender(void **state)
{
    open_all(0);
    send1(a, ha, "v");
    uint64_t r = recv1(at_once(b), hb), again = recv1(at_once(b), hb);
    assert_values(b, r, "v ");
    assert_status(b, again, -EAGAIN);
}

/* ---- B ---- */

static void test_B1_the_first_C_sends_do_not_wait(void **state)
{
    open_all(2);
    uint64_t s1 = send1(a, ha, "1"), s2 = send1(a, ha, "2"), s3 = send1(a, ha, "3");
    assert_status(a, s1, 1);
    assert_status(a, s2, 1);
    assert_waits(a, s3);
    assert_int_equal(info(a, ha).length, 2);
}

static void test_B2_values_leave_in_the_order_they_entered(void **state)
{
    open_all(3);
    send1(a, ha, "1");
    send1(c, hc, "2");
    send1(a, ha, "3");
    uint64_t r = recv_many(b, hb, 10);
    assert_status(b, r, 3);
    assert_values(b, r, "1 2 3 ");
}

static void test_B3_a_receive_moves_the_first_parked_sender_to_the_tail(void **state)
{
    open_all(1);
    send1(a, ha, "1");
    uint64_t s2 = send1(a, ha, "2"), s3 = send1(c, hc, "3");
    assert_values(b, recv1(b, hb), "1 ");
    assert_status(a, s2, 1);
    assert_waits(c, s3);
    assert_int_equal(info(b, hb).length, 1);
}

static void test_B5_capacity_over_the_limit_is_refused(void **state)
{
    struct request r = {.verb = VERB_CHAN_OPEN,
                        .chan_open = {.name = {"big", 3}, .capacity = (1 << 20) + 1, .flags = OPEN_CREATE}};
    uint64_t op = client_do(a, r);
    assert_status(a, op, -E2BIG);
    assert_string_equal(got(a, op)->text, "capacity 1048577 is over the limit of 1048576 values");
}

static void test_B5_a_value_over_the_channels_size_is_refused(void **state)
{
    struct request r = {
        .verb = VERB_CHAN_OPEN,
        .chan_open = {.name = {"s", 1}, .capacity = 2, .value_bytes_max = 3, .flags = OPEN_CREATE}};
    uint64_t h = got(a, client_do(a, r))->handle;
    assert_status(a, send1(a, h, "abc"), 1);
    assert_status(a, send_many(a, h, "abc abcd"), -E2BIG);
    assert_int_equal(info(a, h).length, 1);
}

static void test_B5_element_size_is_exact(void **state)
{
    struct request r = {
        .verb = VERB_CHAN_OPEN,
        .chan_open = {.name = {"e", 1}, .capacity = 2, .element_bytes = 3, .flags = OPEN_CREATE}};
    uint64_t h = got(a, client_do(a, r))->handle;
    assert_status(a, send1(a, h, "ab"), -EMSGSIZE);
    assert_status(a, send1(a, h, "abc"), 1);
}

static void test_B6_all_values_arrive_once(void **state)
{
    enum { N = 200 };
    bool seen[N] = {0};
    open_all(4);
    for (int i = 0; i < N; i++) {
        char text[8] = {(char)('A' + i / 26), (char)('a' + i % 26)};
        send1(i % 2 ? a : c, i % 2 ? ha : hc, text);
    }
    for (int i = 0; i < N; i++) {
        uint64_t r = recv1(b, hb);
        int v = (got(b, r)->value[0].text[0] - 'A') * 26 + got(b, r)->value[0].text[1] - 'a';
        assert_false(seen[v]);
        seen[v] = true;
        ack(b, r, 0);
    }
    assert_waits(b, recv1(b, hb));
}

/* ---- C ---- */

static void test_C1_buffered_values_drain_before_closed(void **state)
{
    open_all(2);
    send1(a, ha, "1");
    assert_status(a, chan_close(a, ha), 0);
    assert_values(b, recv1(b, hb), "1 ");
    for (int i = 0; i < 2; i++) {
        uint64_t r = recv1(b, hb);
        assert_status(b, r, 0);
        assert_true(got(b, r)->flags & RESULT_CLOSED);
    }
}

static void test_C2_close_wakes_every_parked_receiver(void **state)
{
    open_all(0);
    uint64_t r1 = recv1(b, hb), r2 = recv1(c, hc), r3 = recv1(c, hc);
    chan_close(a, ha);
    assert_true(got(b, r1)->flags & RESULT_CLOSED);
    assert_true(got(c, r2)->flags & RESULT_CLOSED);
    assert_true(got(c, r3)->flags & RESULT_CLOSED);
}

static void test_C3_send_on_closed_fails(void **state)
{
    open_all(1);
    chan_close(a, ha);
    assert_status(b, send1(b, hb, "v"), -EPIPE);
    assert_status(b, send1(at_once(b), hb, "v"), -EPIPE);
    uint64_t s = SELECT(b, CASE_S(hb, "v"));
    assert_status(b, s, -EPIPE);
    assert_int_equal(info(b, hb).length, 0);
}

static void test_C4_senders_parked_at_close_fail_and_nothing_is_delivered(void **state)
{
    open_all(0);
    uint64_t s1 = send1(a, ha, "v"), s2 = send1(c, hc, "w");
    chan_close(b, hb);
    assert_status(a, s1, -EPIPE);
    assert_status(c, s2, -EPIPE);
    assert_false(got(a, s1)->flags & RESULT_DOUBT);
    assert_status(b, recv1(b, hb), 0);
}

static void test_C5_a_second_close_fails_and_a_repeated_one_does_not(void **state)
{
    open_all(0);
    uint64_t first = chan_close(a, ha);
    client_again(a, (struct request){.verb = VERB_CLOSE, .close = {ha}}, first);
    assert_int_equal(got_count(a, first), 2);
    assert_status(a, first, 0);
    assert_status(a, chan_close(a, ha), -EPIPE);
}

static void test_C8_the_death_of_the_maker_does_not_close(void **state)
{
    open_all(1);
    client_die(a);
    assert_status(b, send1(b, hb, "v"), 1);
}

static void test_C8_owner_closes_closes_with_its_maker(void **state)
{
    ha = chan_flags(a, "o", 0, OPEN_OWNER_CLOSES, FULL_BLOCK);
    hb = chan(b, "o", 0);
    uint64_t r = recv1(b, hb);
    client_die(a);
    assert_true(got(b, r)->flags & RESULT_CLOSED);
}

static void test_C9_a_named_channel_stays_until_unlinked_and_unreferenced(void **state)
{
    open_all(1);
    send1(a, ha, "v");
    client_die(a);
    client_die(b);
    client_die(c);
    struct client *d = client_new(rig);
    uint64_t h = chan(d, "x", 1);
    assert_values(d, recv1(d, h), "v ");
    client_do(d, (struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink.name = {"x", 1}});
    assert_status(d, send1(d, h, "w"), 1);
    assert_true(info(d, h).unlinked);
    client_die(d);
    assert_int_equal(rig_stat(rig, "channels"), 0);
}

static void test_C9_dropping_the_last_handle_of_an_anonymous_channel_frees_it(void **state)
{
    uint64_t h = chan(a, NULL, 3);
    send1(a, h, "v");
    assert_int_equal(rig_stat(rig, "channels"), 1);
    assert_status(a, client_do(a, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}}), 0);
    assert_int_equal(rig_stat(rig, "channels"), 0);
    assert_status(a, send1(a, h, "v"), -ENOENT);
}

static void test_C9_dropping_a_handle_cancels_what_waits_through_it(void **state)
{
    open_all(0);
    uint64_t other = chan(a, "x", 0), r1 = recv1(a, ha), r2 = recv1(a, other);
    client_do(a, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {ha}});
    assert_status(a, r1, -ECANCELED);
    assert_waits(a, r2);
}

/* ---- N, D, R ---- */

static void test_N1_a_bad_handle_is_an_error(void **state)
{
    open_all(0);
    assert_status(a, recv1(a, 0), -ENOENT);
    assert_status(a, recv1(a, ha + 1000), -ENOENT);
    assert_status(a, recv1(a, hb), -ENOENT);
}

static void test_N1_a_handle_of_an_earlier_incarnation_says_restarted(void **state)
{
    open_all(0);
    assert_status(a, recv1(a, ha - ((uint64_t)1 << 40)), -ENETRESET);
}

static void test_D1_rights_are_checked(void **state)
{
    uint64_t h[8];
    open_all(1);
    for (uint32_t rights = RIGHT_SEND; rights <= RIGHT_CLOSE; rights <<= 1) {
        struct request r = {.verb = VERB_CHAN_OPEN, .chan_open = {.name = {"x", 1}, .rights = rights}};
        h[rights] = got(a, client_do(a, r))->handle;
    }
    assert_status(a, send1(a, h[RIGHT_SEND], "v"), 1);
    assert_status(a, send1(a, h[RIGHT_RECV], "v"), -EPERM);
    assert_status(a, recv1(a, h[RIGHT_SEND]), -EPERM);
    assert_status(a, recv1(a, h[RIGHT_RECV]), 1);
    assert_status(a, chan_close(a, h[RIGHT_SEND]), -EPERM);
    assert_status(a, SELECT(a, CASE_R(h[RIGHT_SEND])), -EPERM);
    assert_status(a, chan_close(a, h[RIGHT_CLOSE]), 0);
}

static void test_R1_rangers_share_values_and_all_end(void **state)
{
    uint64_t r1, r2;
    open_all(0);
    r1 = recv1(b, hb);
    r2 = recv1(c, hc);
    send1(a, ha, "1");
    send1(a, ha, "2");
    assert_values(b, r1, "1 ");
    assert_values(c, r2, "2 ");
    r1 = recv1(b, hb);
    r2 = recv1(c, hc);
    chan_close(a, ha);
    assert_true(got(b, r1)->flags & got(c, r2)->flags & RESULT_CLOSED);
}

/* ---- F ---- */

static void test_F1_parked_receivers_are_served_in_order_of_arrival(void **state)
{
    open_all(0);
    uint64_t r1 = recv1(b, hb), r2 = recv1(c, hc), r3 = recv1(b, hb);
    send_many(a, ha, "1 2 3");
    assert_values(b, r1, "1 ");
    assert_values(c, r2, "2 ");
    assert_values(b, r3, "3 ");
}

static void test_F1_parked_senders_are_served_in_order_of_arrival(void **state)
{
    open_all(0);
    send1(a, ha, "1");
    send1(c, hc, "2");
    send1(a, ha, "3");
    assert_values(b, recv1(b, hb), "1 ");
    assert_values(b, recv1(b, hb), "2 ");
    assert_values(b, recv1(b, hb), "3 ");
}

static void test_F1_a_resent_operation_keeps_its_place(void **state)
{
    open_all(0);
    uint64_t r1 = recv1(b, hb), r2 = recv1(c, hc);
    client_again(b, (struct request){.verb = VERB_RECV, .recv = {hb, 1}}, r1);
    send1(a, ha, "1");
    assert_values(b, r1, "1 ");
    assert_waits(c, r2);
}

static void test_F2_waiters_of_dead_sessions_are_passed(void **state)
{
    open_all(0);
    recv1(b, hb);
    uint64_t r = recv1(c, hc);
    client_die(b);
    send1(a, ha, "v");
    assert_values(c, r, "v ");
}

static void test_F3_a_newcomer_does_not_pass_a_parked_sender(void **state)
{
    open_all(1);
    send1(a, ha, "1");
    send1(a, ha, "2");
    assert_status(c, send1(at_once(c), hc, "3"), -EAGAIN);
    assert_values(b, recv1(b, hb), "1 ");
    assert_values(b, recv1(b, hb), "2 ");
}

static void test_F4_pipelined_sends_of_one_session_keep_their_order(void **state)
{
    struct value v[3] = {{.body = {"1", 1}}, {.body = {"2", 1}}, {.body = {"3", 1}}};
    struct request r[3];
    open_all(0);
    for (int i = 0; i < 3; i++)
        r[i] = (struct request){.id = ++a->op, .verb = VERB_SEND, .send = {ha, &v[i], 1}};
    client_frame(a, (struct client_frame){.requests = r, .requests_n = 3});
    assert_values(b, recv_many(b, hb, 8), "1 2 3 ");
}

/* ---- names, info, lists, policies ---- */

static void test_open_without_create_needs_the_channel(void **state)
{
    struct request r = {.verb = VERB_CHAN_OPEN, .chan_open.name = {"nope", 4}};
    assert_status(a, client_do(a, r), -ENOENT);
}

static void test_open_exclusive_refuses_what_is_there(void **state)
{
    open_all(0);
    assert_int_equal(chan_flags(a, "x", 0, OPEN_EXCLUSIVE, FULL_BLOCK), 0);
    assert_status(a, a->op, -EEXIST);
}

static void test_open_with_another_capacity_is_refused_with_both_numbers(void **state)
{
    open_all(2);
    assert_int_equal(chan(a, "x", 3), 0);
    assert_status(a, a->op, -EEXIST);
    assert_string_equal(got(a, a->op)->text, "the channel is there with capacity 2, not 3");
}

static void test_a_name_with_forbidden_bytes_is_refused(void **state)
{
    assert_int_equal(chan(a, "a b", 0), 0);
    assert_status(a, a->op, -EINVAL);
    assert_non_null(strstr(got(a, a->op)->text, "'a b'"));
    char name[257];
    memset(name, 'x', 256);
    name[256] = 0;
    assert_int_equal(chan(a, name, 0), 0);
    assert_status(a, a->op, -E2BIG);
    name[255] = 0;
    assert_int_not_equal(chan(a, name, 0), 0);
}

static void test_a_list_goes_by_name_in_pages(void **state)
{
    static const char *const names[] = {"b.2", "a", "b.10", "c", "b.1"};
    for (int i = 0; i < 5; i++)
        chan(a, names[i], 0);
    struct request r = {.verb = VERB_CHAN_LIST, .chan_list = {.prefix = {"b.", 2}, .limit = 2}};
    uint64_t op = client_do(a, r);
    assert_string_equal(got(a, op)->names, "b.1 b.10 ");
    assert_true(got(a, op)->flags & RESULT_MORE);
    r.chan_list.after = (struct bytes){"b.10", 4};
    op = client_do(a, r);
    assert_string_equal(got(a, op)->names, "b.2 ");
    assert_false(got(a, op)->flags & RESULT_MORE);
}

static void test_drop_oldest_keeps_the_newest_values(void **state)
{
    ha = chan_flags(a, "ring", 2, 0, FULL_DROP_OLDEST);
    assert_status(a, send_many(a, ha, "1 2 3 4"), 4);
    assert_int_equal(info(a, ha).dropped, 2);
    assert_values(a, recv_many(a, ha, 9), "3 4 ");
}

static void test_drop_newest_keeps_the_oldest_values(void **state)
{
    ha = chan_flags(a, "ring", 2, 0, FULL_DROP_NEWEST);
    assert_status(a, send_many(a, ha, "1 2 3 4"), 4);
    assert_int_equal(info(a, ha).dropped, 2);
    assert_values(a, recv_many(a, ha, 9), "1 2 ");
}

static void test_only_the_owner_or_root_unlinks(void **state)
{
    struct request r = {.verb = VERB_CHAN_UNLINK, .chan_unlink.name = {"x", 1}};
    open_all(0);
    struct client *other = client_of(rig, 7), *root = client_of(rig, 0);
    assert_status(other, client_do(other, r), -EPERM);
    assert_status(root, client_do(root, r), 0);
    assert_status(a, client_do(a, r), -ENOENT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_U1_send_waits_for_a_receiver),
        T(test_U1_receive_waits_for_a_sender),
        T(test_U2_sent_is_withheld_until_the_receiver_acknowledges),
        T(test_U3_len_and_cap_are_0_with_parked_senders),
        T(test_U5_an_empty_value_is_a_value),
        T(test_U7_try_send_fails_without_a_receiver),
        T(test_U7_try_send_takes_a_parked_receiver),
        T(test_U7_try_receive_takes_a_parked_sender),
        T(test_B1_the_first_C_sends_do_not_wait),
        T(test_B2_values_leave_in_the_order_they_entered),
        T(test_B3_a_receive_moves_the_first_parked_sender_to_the_tail),
        T(test_B5_capacity_over_the_limit_is_refused),
        T(test_B5_a_value_over_the_channels_size_is_refused),
        T(test_B5_element_size_is_exact),
        T(test_B6_all_values_arrive_once),
        T(test_C1_buffered_values_drain_before_closed),
        T(test_C2_close_wakes_every_parked_receiver),
        T(test_C3_send_on_closed_fails),
        T(test_C4_senders_parked_at_close_fail_and_nothing_is_delivered),
        T(test_C5_a_second_close_fails_and_a_repeated_one_does_not),
        T(test_C8_the_death_of_the_maker_does_not_close),
        T(test_C8_owner_closes_closes_with_its_maker),
        T(test_C9_a_named_channel_stays_until_unlinked_and_unreferenced),
        T(test_C9_dropping_the_last_handle_of_an_anonymous_channel_frees_it),
        T(test_C9_dropping_a_handle_cancels_what_waits_through_it),
        T(test_N1_a_bad_handle_is_an_error),
        T(test_N1_a_handle_of_an_earlier_incarnation_says_restarted),
        T(test_D1_rights_are_checked),
        T(test_R1_rangers_share_values_and_all_end),
        T(test_F1_parked_receivers_are_served_in_order_of_arrival),
        T(test_F1_parked_senders_are_served_in_order_of_arrival),
        T(test_F1_a_resent_operation_keeps_its_place),
        T(test_F2_waiters_of_dead_sessions_are_passed),
        T(test_F3_a_newcomer_does_not_pass_a_parked_sender),
        T(test_F4_pipelined_sends_of_one_session_keep_their_order),
        T(test_open_without_create_needs_the_channel),
        T(test_open_exclusive_refuses_what_is_there),
        T(test_open_with_another_capacity_is_refused_with_both_numbers),
        T(test_a_name_with_forbidden_bytes_is_refused),
        T(test_a_list_goes_by_name_in_pages),
        T(test_drop_oldest_keeps_the_newest_values),
        T(test_drop_newest_keeps_the_oldest_values),
        T(test_only_the_owner_or_root_unlinks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
