/* What happens to a value in flight: IP1, IP2, IP3, IP4. */
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

static void open_flags(uint64_t capacity, uint32_t flags)
{
    ha = chan_flags(a, "x", capacity, flags, FULL_BLOCK);
    hb = chan_flags(b, "x", capacity, flags, FULL_BLOCK);
    hc = chan_flags(c, "x", capacity, flags, FULL_BLOCK);
}

/* ---- IP1 ---- */

static void test_IP1_1_a_cancel_answers_with_the_one_result(void **state)
{
    open_flags(1, 0);
    uint64_t r = recv1(b, hb);
    cancel(b, r);
    assert_status(b, r, -ECANCELED);
    send1(a, ha, "v");
    r = recv1(b, hb);
    cancel(b, r);
    assert_int_equal(got_count(b, r), 1);
    assert_values(b, r, "v ");
}

static void test_IP1_2_a_returned_value_goes_to_the_head_flagged_returned(void **state)
{
    open_flags(3, 0);
    send_many(a, ha, "1 2 3");
    uint64_t r = recv1(b, hb);
    give_back(b, r, 0);
    assert_int_equal(info(b, hb).returned, 1);
    assert_int_equal(info(b, hb).length, 2);
    uint64_t all = recv_many(c, hc, 9);
    assert_values(c, all, "1 2 3 ");
    assert_int_equal(got(c, all)->value[0].flags, VALUE_RETURNED);
    assert_int_equal(got(c, all)->value[1].flags, 0);
}

static void test_IP1_2_a_return_may_keep_the_first_values(void **state)
{
    open_flags(3, 0);
    send_many(a, ha, "1 2 3");
    uint64_t r = recv_many(b, hb, 3);
    give_back(b, r, 1);
    assert_values(c, recv_many(c, hc, 9), "2 3 ");
}

static void test_IP1_2_a_return_after_a_partial_ack_gives_back_only_the_rest(void **state)
{
    open_flags(3, 0);
    send_many(a, ha, "1 2 3");
    uint64_t r = recv_many(b, hb, 3);
    ack(b, r, 2);
    give_back(b, r, 0);
    assert_values(c, recv_many(c, hc, 9), "3 ");
}

static void test_IP1_2_a_returned_value_goes_to_a_parked_receiver_at_once(void **state)
{
    open_flags(1, 0);
    send1(a, ha, "v");
    uint64_t r = recv1(b, hb), waiting = recv1(c, hc);
    give_back(b, r, 0);
    assert_values(c, waiting, "v ");
}

static void test_IP1_2_a_return_of_a_parked_receive_withdraws_it(void **state)
{
    open_flags(0, 0);
    uint64_t r = recv1(b, hb);
    give_back(b, r, 0);
    assert_int_equal(info(b, hb).receivers, 0);
    client_again(b, (struct request){.verb = VERB_RECV, .recv = {hb, 1}}, r);
    assert_status(b, r, -ESTALE);
}

static void test_IP1_2_a_held_value_is_acknowledged_in_parts(void **state)
{
    open_flags(0, 0);
    uint64_t s1 = send1(a, ha, "1"), s2 = send1(c, hc, "2"), r = recv_many(b, hb, 9);
    assert_values(b, r, "1 2 ");
    ack(b, r, 1);
    assert_status(a, s1, 1);
    assert_waits(c, s2);
    ack(b, r, 2);
    assert_status(c, s2, 1);
}

static void test_IP1_4_a_past_deadline_on_arrival_takes_nothing(void **state)
{
    open_flags(1, 0);
    send1(a, ha, "v");
    b->until = (struct until){.kind = UNTIL_AT, .ns = rig->now.mono_ns};
    assert_status(b, recv1(b, hb), -ETIMEDOUT);
    assert_status(b, recv1(within(b, 0), hb), -ETIMEDOUT);
    assert_status(b, recv1(within(b, -5), 12345), -ETIMEDOUT);
    assert_int_equal(info(b, hb).length, 1);
}

static void test_IP1_5_a_deadline_ends_a_parked_operation_at_its_time(void **state)
{
    open_flags(0, 0);
    uint64_t r = recv1(within(b, 10 * MS), hb), s = send1(within(a, 20 * MS), ha, "v");
    assert_values(b, r, "v ");
    r = recv1(within(b, 10 * MS), hb);
    assert_int_equal(rig->out.wake_ns, rig->now.mono_ns + 10 * MS);
    rig_after(rig, 10 * MS - 1);
    assert_waits(b, r);
    rig_after(rig, 1);
    assert_status(b, r, -ETIMEDOUT);
    assert_waits(a, s);
    assert_int_equal(info(b, hb).receivers, 0);
}

static void test_IP1_5_a_huge_deadline_saturates(void **state)
{
    open_flags(0, 0);
    uint64_t r = recv1(within(b, INT64_MAX), hb);
    rig_after(rig, 1000 * (int64_t)SECOND);
    assert_waits(b, r);
}

static void test_IP1_5_absolute_deadlines_need_a_common_clock(void **state)
{
    struct client *d = client_up(rig, 5, false, 0);
    struct hello hello = {.session = d->secret};
    struct client_frame head = {.version = PROTOCOL_VERSION, .number = ++d->frame, .hello = &hello};
    rig_step(rig, &(struct input){.kind = IN_FRAME, .conn = d->conn, .frame = {&head, d->who, false}});
    assert_false(rig->said.hello.absolute_deadlines);
    d->until = (struct until){.kind = UNTIL_AT, .ns = INT64_MAX};
    assert_status(d, recv1(d, 5), -EINVAL);
}

/* ---- IP2 ---- */

static void test_IP2_1_a_buffered_send_is_committed_at_once(void **state)
{
    open_flags(1, 0);
    uint64_t r = recv1(b, hb);
    assert_status(a, send1(a, ha, "1"), 1);
    assert_false(got(b, r)->flags & RESULT_HANDED);
    assert_status(a, send1(a, ha, "2"), 1);
}

static void test_IP2_2_the_death_of_the_receiver_parks_the_sender_again_at_its_place(void **state)
{
    open_flags(0, 0);
    uint64_t s1 = send1(a, ha, "1"), s2 = send1(a, ha, "2");
    recv1(b, hb);
    client_die(b);
    assert_waits(a, s1);
    assert_int_equal(info(c, hc).senders, 2);
    uint64_t r = recv_many(c, hc, 9);
    assert_values(c, r, "1 2 ");
    assert_int_equal(got(c, r)->value[0].flags, VALUE_REDELIVERED);
    assert_int_equal(got(c, r)->value[1].flags, 0);
    ack(c, r, 0);
    assert_status(a, s1, 1);
    assert_status(a, s2, 1);
}

static void test_IP2_2_a_sender_parked_again_that_is_cancelled_is_in_doubt(void **state)
{
    open_flags(0, 0);
    uint64_t s = send1(a, ha, "1");
    recv1(b, hb);
    client_die(b);
    cancel(a, s);
    assert_status(a, s, -ECANCELED);
    assert_true(got(a, s)->flags & RESULT_DOUBT);
}

static void test_IP2_2_a_sender_parked_again_that_times_out_is_in_doubt(void **state)
{
    open_flags(0, 0);
    uint64_t s = send1(within(a, 10 * MS), ha, "1");
    recv1(b, hb);
    client_die(b);
    rig_after(rig, 10 * MS);
    assert_status(a, s, -ETIMEDOUT);
    assert_true(got(a, s)->flags & RESULT_DOUBT);
}

static void test_IP2_2_a_value_given_back_leaves_no_doubt(void **state)
{
    open_flags(0, 0);
    uint64_t s = send1(a, ha, "1"), r = recv1(b, hb);
    give_back(b, r, 0);
    assert_int_equal(info(a, ha).senders, 1);
    cancel(a, s);
    assert_status(a, s, -ECANCELED);
    assert_false(got(a, s)->flags & RESULT_DOUBT);
}

static void test_IP2_2_the_senders_own_deadline_first_says_sent(void **state)
{
    open_flags(0, 0);
    uint64_t s = send1(within(a, 10 * MS), ha, "1");
    uint64_t r = recv1(b, hb);
    rig_after(rig, 10 * MS);
    assert_status(a, s, 1);
    assert_values(b, r, "1 ");
    client_die(b);
    uint64_t again = recv1(c, hc);
    assert_values(c, again, "1 ");
    assert_int_equal(got(c, again)->value[0].flags, VALUE_REDELIVERED);
}

static void test_IP2_2_the_senders_own_cancel_first_says_sent(void **state)
{
    open_flags(0, 0);
    uint64_t s = send1(a, ha, "1");
    recv1(b, hb);
    cancel(a, s);
    assert_status(a, s, 1);
}

static void test_IP2_2_sync_match_releases_at_the_match(void **state)
{
    open_flags(0, OPEN_SYNC_MATCH);
    uint64_t s = send1(a, ha, "1"), r = recv1(b, hb);
    assert_status(a, s, 1);
    assert_false(got(b, r)->flags & RESULT_HANDED);
}

static void test_IP2_2_a_try_send_whose_receiver_dies_is_in_doubt(void **state)
{
    open_flags(0, 0);
    recv1(b, hb);
    uint64_t s = send1(at_once(a), ha, "1");
    client_die(b);
    assert_status(a, s, -EAGAIN);
    assert_true(got(a, s)->flags & RESULT_DOUBT);
}

static void test_IP2_2_close_while_handed_says_sent_on_the_ack(void **state)
{
    open_flags(0, 0);
    uint64_t s = send1(a, ha, "1"), r = recv1(b, hb);
    chan_close(c, hc);
    assert_waits(a, s);
    ack(b, r, 0);
    assert_status(a, s, 1);
}

static void test_C4_a_sender_undone_on_a_closed_channel_fails_in_doubt(void **state)
{
    open_flags(0, 0);
    uint64_t s = send1(a, ha, "1");
    recv1(b, hb);
    chan_close(c, hc);
    client_die(b);
    assert_status(a, s, -EPIPE);
    assert_true(got(a, s)->flags & RESULT_DOUBT);
    assert_true(got(c, recv1(c, hc))->flags & RESULT_CLOSED);
}

static void test_IP2_3_a_dead_senders_parked_send_is_withdrawn(void **state)
{
    open_flags(1, 0);
    send1(a, ha, "1");
    send1(a, ha, "2");
    client_die(a);
    assert_values(b, recv_many(b, hb, 9), "1 ");
    assert_waits(b, recv1(b, hb));
}

static void test_IP2_3_a_dead_senders_handed_value_stands(void **state)
{
    open_flags(0, 0);
    send1(a, ha, "1");
    uint64_t r = recv1(b, hb);
    client_die(a);
    assert_values(b, r, "1 ");
    client_die(b);
    assert_values(c, recv1(c, hc), "1 ");
}

/* ---- vectors ---- */

static void test_IP6_1_a_vector_send_ends_when_all_are_taken(void **state)
{
    open_flags(2, 0);
    uint64_t s = send_many(a, ha, "1 2 3 4");
    assert_waits(a, s);
    assert_values(b, recv1(b, hb), "1 ");
    assert_waits(a, s);
    assert_values(b, recv_many(b, hb, 9), "2 3 4 ");
    assert_status(a, s, 4);
}

static void test_IP6_1_a_vector_send_ends_earlier_with_the_count_so_far(void **state)
{
    open_flags(2, 0);
    uint64_t s = send_many(within(a, 10 * MS), ha, "1 2 3 4");
    rig_after(rig, 10 * MS);
    assert_status(a, s, 2);
    assert_status(a, send_many(at_once(a), ha, "5"), -EAGAIN);
    s = send_many(a, ha, "5 6");
    recv1(b, hb);
    chan_close(c, hc);
    assert_status(a, s, 1);
}

static void test_IP6_1_on_cap_0_each_value_is_a_hand_over_of_its_own(void **state)
{
    open_flags(0, 0);
    uint64_t s = send_many(a, ha, "1 2 3"), r1 = recv1(b, hb), r2 = recv_many(c, hc, 9);
    assert_values(b, r1, "1 ");
    assert_values(c, r2, "2 3 ");
    ack(c, r2, 0);
    assert_waits(a, s);
    ack(b, r1, 0);
    assert_status(a, s, 3);
}

static void test_IP6_1_a_vector_partly_undone_offers_the_value_again_first(void **state)
{
    open_flags(0, 0);
    uint64_t s = send_many(a, ha, "1 2 3");
    recv1(b, hb);
    client_die(b);
    uint64_t r = recv_many(c, hc, 9);
    assert_values(c, r, "1 2 3 ");
    ack(c, r, 0);
    assert_status(a, s, 3);
}

static void test_IP6_1_a_try_vector_counts_what_was_handed_over(void **state)
{
    open_flags(0, 0);
    uint64_t r = recv_many(b, hb, 2), s = send_many(at_once(a), ha, "1 2 3");
    assert_waits(a, s);
    ack(b, r, 0);
    assert_status(a, s, 2);
}

static void test_IP6_1_a_receive_takes_what_is_there(void **state)
{
    open_flags(4, 0);
    uint64_t r = recv_many(b, hb, 3);
    send_many(a, ha, "1 2 3 4");
    assert_values(b, r, "1 2 3 ");
    assert_status(b, recv_many(b, hb, 0), -EINVAL);
    assert_status(b, recv_many(b, hb, 1025), -E2BIG);
}

/* ---- IP3 ---- */

static void test_IP3_an_unacknowledged_value_is_requeued_at_the_head(void **state)
{
    open_flags(3, 0);
    send_many(a, ha, "1 2 3");
    uint64_t r1 = recv1(b, hb), r2 = recv1(b, hb);
    assert_values(b, r1, "1 ");
    assert_values(b, r2, "2 ");
    send1(a, ha, "4");
    client_die(b);
    assert_int_equal(info(c, hc).returned, 2);
    uint64_t all = recv_many(c, hc, 9);
    assert_values(c, all, "1 2 3 4 ");
    assert_int_equal(got(c, all)->value[1].flags, VALUE_REDELIVERED);
    assert_int_equal(got(c, all)->value[2].flags, 0);
}

static void test_IP3_an_acknowledged_value_is_not_requeued(void **state)
{
    open_flags(3, 0);
    send_many(a, ha, "1 2");
    uint64_t r = recv_many(b, hb, 2);
    ack(b, r, 1);
    client_die(b);
    assert_values(c, recv_many(c, hc, 9), "2 ");
}

static void test_IP3_a_requeued_value_does_not_count_in_the_capacity(void **state)
{
    open_flags(1, 0);
    send1(a, ha, "1");
    recv1(b, hb);
    assert_status(a, send1(a, ha, "2"), 1);
    client_die(b);
    struct chan_info i = info(c, hc);
    assert_true(i.length == 1 && i.returned == 1);
}

static void test_IP3_at_most_once_drops_and_counts(void **state)
{
    open_flags(1, OPEN_AT_MOST_ONCE);
    send1(a, ha, "1");
    recv1(b, hb);
    client_die(b);
    struct chan_info i = info(c, hc);
    assert_true(i.returned == 0 && i.dropped == 1);
}

static void test_IP3_a_value_goes_from_corpse_to_corpse_until_somebody_lives(void **state)
{
    open_flags(1, 0);
    send1(a, ha, "1");
    recv1(b, hb);
    uint64_t r = recv1(c, hc);
    client_die(b);
    assert_values(c, r, "1 ");
    client_die(c);
    uint64_t again = recv1(a, ha);
    assert_values(a, again, "1 ");
    assert_int_equal(got(a, again)->value[0].flags, VALUE_REDELIVERED);
}

static void test_C1_returned_values_drain_before_closed(void **state)
{
    open_flags(1, 0);
    send1(a, ha, "1");
    recv1(b, hb);
    chan_close(a, ha);
    client_die(b);
    assert_values(c, recv1(c, hc), "1 ");
    assert_true(got(c, recv1(c, hc))->flags & RESULT_CLOSED);
}

static void test_IP4_a_dead_receiver_leaves_all_queues(void **state)
{
    open_flags(0, 0);
    recv1(b, hb);
    client_die(b);
    assert_int_equal(info(a, ha).receivers, 0);
    assert_status(a, send1(at_once(a), ha, "v"), -EAGAIN);
}

static void test_bye_gives_back_what_is_held(void **state)
{
    open_flags(1, 0);
    send1(a, ha, "1");
    recv1(b, hb);
    client_bye(b);
    assert_values(c, recv1(c, hc), "1 ");
}

static void test_everything_is_gone_after_all_have_died(void **state)
{
    open_flags(0, 0);
    send1(a, ha, "1");
    recv_many(b, hb, 4);
    send1(a, ha, "2");
    recv1(c, hc);
    recv1(c, hc);
    client_do(a, (struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink.name = {"x", 1}});
    client_die(a);
    client_die(b);
    client_die(c);
    assert_int_equal(rig_stat(rig, "channels"), 0);
    assert_int_equal(rig_stat(rig, "ops.parked"), 0);
    assert_int_equal(rig_stat(rig, "handles"), 0);
    assert_int_equal(rig_stat(rig, "bytes"), 0);
    rig_after(rig, 61 * (int64_t)SECOND);
    assert_int_equal(rig_stat(rig, "sessions.remembered"), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_IP1_1_a_cancel_answers_with_the_one_result),
        T(test_IP1_2_a_returned_value_goes_to_the_head_flagged_returned),
        T(test_IP1_2_a_return_may_keep_the_first_values),
        T(test_IP1_2_a_return_after_a_partial_ack_gives_back_only_the_rest),
        T(test_IP1_2_a_returned_value_goes_to_a_parked_receiver_at_once),
        T(test_IP1_2_a_return_of_a_parked_receive_withdraws_it),
        T(test_IP1_2_a_held_value_is_acknowledged_in_parts),
        T(test_IP1_4_a_past_deadline_on_arrival_takes_nothing),
        T(test_IP1_5_a_deadline_ends_a_parked_operation_at_its_time),
        T(test_IP1_5_a_huge_deadline_saturates),
        T(test_IP1_5_absolute_deadlines_need_a_common_clock),
        T(test_IP2_1_a_buffered_send_is_committed_at_once),
        T(test_IP2_2_the_death_of_the_receiver_parks_the_sender_again_at_its_place),
        T(test_IP2_2_a_sender_parked_again_that_is_cancelled_is_in_doubt),
        T(test_IP2_2_a_sender_parked_again_that_times_out_is_in_doubt),
        T(test_IP2_2_a_value_given_back_leaves_no_doubt),
        T(test_IP2_2_the_senders_own_deadline_first_says_sent),
        T(test_IP2_2_the_senders_own_cancel_first_says_sent),
        T(test_IP2_2_sync_match_releases_at_the_match),
        T(test_IP2_2_a_try_send_whose_receiver_dies_is_in_doubt),
        T(test_IP2_2_close_while_handed_says_sent_on_the_ack),
        T(test_C4_a_sender_undone_on_a_closed_channel_fails_in_doubt),
        T(test_IP2_3_a_dead_senders_parked_send_is_withdrawn),
        T(test_IP2_3_a_dead_senders_handed_value_stands),
        T(test_IP6_1_a_vector_send_ends_when_all_are_taken),
        T(test_IP6_1_a_vector_send_ends_earlier_with_the_count_so_far),
        T(test_IP6_1_on_cap_0_each_value_is_a_hand_over_of_its_own),
        T(test_IP6_1_a_vector_partly_undone_offers_the_value_again_first),
        T(test_IP6_1_a_try_vector_counts_what_was_handed_over),
        T(test_IP6_1_a_receive_takes_what_is_there),
        T(test_IP3_an_unacknowledged_value_is_requeued_at_the_head),
        T(test_IP3_an_acknowledged_value_is_not_requeued),
        T(test_IP3_a_requeued_value_does_not_count_in_the_capacity),
        T(test_IP3_at_most_once_drops_and_counts),
        T(test_IP3_a_value_goes_from_corpse_to_corpse_until_somebody_lives),
        T(test_C1_returned_values_drain_before_closed),
        T(test_IP4_a_dead_receiver_leaves_all_queues),
        T(test_bye_gives_back_what_is_held),
        T(test_everything_is_gone_after_all_have_died),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
