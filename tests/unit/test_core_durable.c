/* Durable channels: what the store has, what waits for it, and what is there after a restart (IP12). */
#include "durable_rig.h"

/* ---- the channel ---- */

static void test_IP12_1_an_open_returns_when_the_store_has_the_channel(void **state)
{
    uint64_t first = client_do(
        a, (struct request){
               .verb = VERB_CHAN_OPEN,
               .chan_open = {.name = {"new", 3}, .capacity = 1, .flags = OPEN_CREATE | OPEN_DURABLE}});
    uint64_t second = client_do(b, (struct request){.verb = VERB_CHAN_OPEN, .chan_open.name = {"new", 3}});

    assert_waits(a, first);
    assert_waits(b, second);
    stored(d);
    assert_status(a, first, 0);
    assert_status(b, second, 0);
}

static void test_IP12_1_a_durable_channel_has_a_name_a_buffer_and_no_owner_and_drops_nothing(void **state)
{
    chan_flags(a, NULL, 1, OPEN_DURABLE, FULL_BLOCK);
    assert_status(a, a->op, -EINVAL);
    chan_flags(a, "x", 0, OPEN_DURABLE, FULL_BLOCK);
    assert_status(a, a->op, -EINVAL);
    chan_flags(a, "x", 1, OPEN_DURABLE, FULL_DROP_OLDEST);
    assert_status(a, a->op, -EINVAL);
    chan_flags(a, "x", 1, OPEN_DURABLE, FULL_DROP_NEWEST);
    assert_status(a, a->op, -EINVAL);
    chan_flags(a, "x", 1, OPEN_DURABLE | OPEN_OWNER_CLOSES, FULL_BLOCK);
    assert_status(a, a->op, -EINVAL);
    assert_non_null(strstr(got(a, a->op)->text, "owner"));
}

static void test_IP12_1_other_options_are_refused_also_after_a_restart(void **state)
{
    for (int life = 0; life < 2; life++) {
        chan(a, "d", 4);
        assert_status(a, a->op, -EEXIST);
        assert_string_equal(got(a, a->op)->text, "the channel is there, and is durable");
        chan_flags(a, "d", 5, OPEN_DURABLE, FULL_BLOCK);
        assert_status(a, a->op, -EEXIST);
        chan_flags(a, "d", 4, OPEN_DURABLE | OPEN_AT_MOST_ONCE, FULL_BLOCK);
        assert_status(a, a->op, -EEXIST);
        restart();
        assert_true(ha && hb);
    }
    chan(a, "plain", 4);
    chan_flags(b, "plain", 4, OPEN_DURABLE, FULL_BLOCK);
    assert_status(b, b->op, -EEXIST);
}

static void test_IP12_1_the_options_come_back(void **state)
{
    struct request r = {.verb = VERB_CHAN_OPEN,
                        .chan_open = {.name = {"typed", 5},
                                      .capacity = 7,
                                      .value_bytes_max = 100,
                                      .element_bytes = 8,
                                      .type_tag = {"point", 5},
                                      .flags = OPEN_CREATE | OPEN_DURABLE | OPEN_AT_MOST_ONCE}};

    client_do(a, r);
    stored(d);
    restart();
    assert_status(a, client_do(a, r), 0);
    r.chan_open.type_tag = (struct bytes){"other", 5};
    assert_status(a, client_do(a, r), -EEXIST);
}

static void test_IP7_old_handles_fail_and_a_new_open_finds_the_channel(void **state)
{
    uint64_t old = ha;

    send_stored("1");
    restart();
    assert_status(a, send1(a, old, "x"), -ENETRESET);
    struct chan_info i = info(a, ha);
    assert_true(i.durable && i.length == 1 && i.capacity == 4);
}

static void test_IP12_5_an_unlinked_channel_does_not_come_back(void **state)
{
    send_stored("1");
    uint64_t op = client_do(a, (struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink.name = {"d", 1}});
    assert_waits(a, op);
    stored(d);
    assert_status(a, op, 0);
    assert_status(a, send1(a, ha, "2"), 1); /* goes on in memory, and says nothing */
    assert_int_equal(waiting(d), 0);
    assert_values(b, recv_many(b, hb, 4), "1 2 ");
    ack(b, b->op, 2);
    assert_int_equal(waiting(d), 0);
    crash(d, 0);
    meet();
    assert_status(a, client_do(a, (struct request){.verb = VERB_CHAN_OPEN, .chan_open.name = {"d", 1}}),
                  -ENOENT);
}

static void test_IP12_5_a_name_taken_off_with_a_value_under_way_keeps_the_order(void **state)
{
    uint64_t first = send1(a, ha, "1");
    client_do(a, (struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink.name = {"d", 1}});
    uint64_t second = send1(a, ha, "2");
    assert_waits(a, second);
    stored(d);
    assert_status(a, first, 1);
    assert_status(a, second, 1);
    assert_values(b, recv_many(b, hb, 4), "1 2 ");
}

static void test_IP12_5_a_channel_of_the_same_name_has_nothing_of_the_one_before(void **state)
{
    send_stored("1");
    client_do(a, (struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink.name = {"d", 1}});
    stored(d);
    uint64_t fresh = durable(a, "d", 4, 0);
    ha = fresh;
    send_stored("2");
    restart();
    assert_values(b, receive(b, hb, 4), "2 ");
}

/* ---- sending ---- */

static void test_IP12_2_a_send_returns_when_the_store_has_the_value(void **state)
{
    uint64_t op = send_many(a, ha, "1 2");

    assert_waits(a, op);
    assert_int_equal(info(b, hb).storing, 2);
    assert_int_equal(info(b, hb).length, 0);
    stored(d);
    assert_status(a, op, 2);
    assert_int_equal(info(b, hb).length, 2);
}

static void test_IP12_2_nobody_receives_what_is_not_stored(void **state)
{
    uint64_t r = recv1(b, hb), s = send1(a, ha, "1");

    assert_waits(b, r);
    assert_status(b, recv1(at_once(b), hb), -EAGAIN);
    stored(d);
    assert_status(a, s, 1);
    assert_values(b, r, "1 ");
}

static void test_IP12_2_what_is_under_way_counts_in_the_capacity(void **state)
{
    send_many(a, ha, "1 2 3 4");
    assert_status(b, send1(at_once(b), hb, "5"), -EAGAIN);
    uint64_t op = send1(b, hb, "5");
    stored(d);
    assert_waits(b, op);
    receive(a, ha, 1);
    assert_status(b, op, 1);
}

static void test_IP12_2_a_full_store_fails_the_send_and_nothing_of_it_is_seen(void **state)
{
    uint64_t r = recv1(b, hb), s = send_many(a, ha, "1 2");

    store_full(d);
    assert_status(a, s, -ENOSPC);
    assert_int_equal(got(a, s)->flags & RESULT_DOUBT, 0);
    assert_waits(b, r);
    send_stored("3");
    assert_values(b, r, "3 ");
    assert_int_equal(info(a, ha).sent, 1);
}

static void test_IP12_2_places_of_what_failed_go_to_those_who_wait(void **state)
{
    send_many(a, ha, "1 2 3 4");
    uint64_t op = send1(b, hb, "5");

    store_full(d); /* also what moves up meanwhile */
    assert_status(b, op, -ENOSPC);
    send_stored("6");
    assert_values(b, receive(b, hb, 4), "6 ");
}

static void test_IP12_2_a_vector_that_fails_in_part_counts_what_came_before(void **state)
{
    uint64_t s = send_many(a, ha, "1 2 3 4 5 6");

    stored(d);
    uint64_t r = recv_many(b, hb, 2); /* 5 and 6 enter */
    store_full(d);
    assert_values(b, r, "1 2 ");
    assert_status(a, s, 4);
    assert_int_equal(got(a, s)->flags & RESULT_DOUBT, 0);
}

static void test_IP12_2_what_entered_behind_a_failed_value_is_in_doubt(void **state)
{
    send_stored("x y z");
    uint64_t s = send_many(a, ha, "1 2");
    recv1(b, hb); /* 2 enters in a batch of its own */
    rig_step(d->rig, &(struct input){.kind = IN_STORED, .stored = {d->rig->batch_last - 2, -ENOSPC}});
    assert_waits(a, s);
    rig_step(d->rig, &(struct input){.kind = IN_STORED, .stored = {d->rig->batch_last, 0}});
    assert_status(a, s, -ENOSPC);
    assert_true(got(a, s)->flags & RESULT_DOUBT);
}

static void test_IP12_2_the_store_is_past_being_cancelled(void **state)
{
    uint64_t s = send1(within(a, MS), ha, "1");

    cancel(a, s);
    rig_after(d->rig, 2 * MS);
    assert_waits(a, s);
    stored(d);
    assert_status(a, s, 1);
}

static void test_IP12_2_a_deadline_leaves_what_the_store_has_and_drops_the_rest(void **state)
{
    uint64_t s = send_many(within(a, MS), ha, "1 2 3 4 5");

    rig_after(d->rig, 2 * MS);
    assert_waits(a, s);
    stored(d);
    assert_status(a, s, 4);
    assert_values(b, receive(b, hb, 9), "1 2 3 4 ");
    assert_int_equal(info(b, hb).senders, 0);
}

static void test_IP12_2_a_try_that_fits_in_part_waits_for_the_store_alone(void **state)
{
    uint64_t s = send_many(at_once(a), ha, "1 2 3 4 5");

    assert_waits(a, s);
    stored(d);
    assert_status(a, s, 4);
}

static void test_IP4_a_value_of_a_dead_sender_stands_once_the_store_has_it(void **state)
{
    send1(a, ha, "1");
    client_die(a);
    rig_sweep(d->rig);
    stored(d);
    assert_values(b, receive(b, hb, 1), "1 ");
}

static void test_S4_a_select_that_sends_ends_by_the_word_of_the_store(void **state)
{
    uint64_t s = SELECT(within(a, MS), CASE_S(ha, "1"), CASE_R(ha));

    rig_after(d->rig, 2 * MS);
    assert_waits(a, s);
    stored(d);
    assert_status(a, s, 1);
    assert_int_equal(got(a, s)->index, 0);
    uint64_t r = SELECT(b, CASE_R(hb));
    stored(d);
    assert_values(b, r, "1 ");
    uint64_t full = SELECT(a, CASE_S(ha, "2"));
    store_full(d);
    assert_status(a, full, -ENOSPC);
}

static void test_U6_a_value_of_a_durable_channel_carries_no_channel(void **state)
{
    struct passed passed = {ha, 0};

    assert_status(a, send_carrying(a, ha, "1", &passed, 1), -EINVAL);
}

static void test_IP12_6_bytes_and_channels_of_a_user_are_limited(void **state)
{
    durable_rig_delete(d);
    struct limits limits = LIMITS_DEFAULT;
    limits.durable_channels_max = 2;
    limits.durable_bytes_max = 1400;
    d = durable_rig_new(&limits);
    open_both(4, 0);
    durable(a, "e", 1, 0);
    durable(a, "f", 1, 0);
    assert_status(a, a->op, -ENOBUFS);
    send_stored("1 2");
    assert_status(a, send1(a, ha, "3"), -ENOBUFS);
    restart();
    assert_status(a, send1(a, ha, "3"), -ENOBUFS); /* still charged */
    uint64_t r = receive(b, hb, 1);
    ack(b, r, 1);
    stored(d);
    send_stored("3");
    client_do(a, (struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink.name = {"e", 1}});
    stored(d);
    assert_true(durable(a, "f", 1, 0));
}

/* ---- receiving, and a restart ---- */

static void test_IP12_3_values_come_back_in_order_unseen_ones_without_a_flag(void **state)
{
    send_stored("1 2 3");
    restart();
    uint64_t r = receive(b, hb, 9);
    assert_values(b, r, "1 2 3 ");
    for (int i = 0; i < 3; i++)
        assert_int_equal(got(b, r)->value[i].flags, 0);
}

static void test_IP12_3_what_may_have_been_seen_comes_back_flagged_and_first(void **state)
{
    send_stored("1 2 3");
    receive(b, hb, 2);
    restart();
    uint64_t r = receive(b, hb, 9);
    assert_values(b, r, "1 2 3 ");
    assert_int_equal(got(b, r)->value[0].flags, VALUE_REDELIVERED);
    assert_int_equal(got(b, r)->value[1].flags, VALUE_REDELIVERED);
    assert_int_equal(got(b, r)->value[2].flags, 0);
}

static void test_IP12_3_a_value_leaves_only_when_the_store_knows_that_it_may_be_seen(void **state)
{
    send_stored("1");
    uint64_t r = recv1(b, hb);
    assert_waits(b, r);
    restart(); /* that was not stored */
    r = receive(b, hb, 1);
    assert_int_equal(got(b, r)->value[0].flags, 0);
}

static void test_IP12_3_where_a_receiver_waits_the_mark_goes_with_the_value(void **state)
{
    uint64_t r = recv1(b, hb);

    send1(a, ha, "1");
    stored_some(d, 1);
    assert_values(b, r, "1 ");
    restart();
    r = receive(b, hb, 1);
    assert_int_equal(got(b, r)->value[0].flags, VALUE_REDELIVERED);
}

static void test_IP12_3_a_mark_covers_what_lies_before_it(void **state)
{
    send_stored("1 2");
    uint64_t first = receive(b, hb, 2);
    give_back(b, first, 0); /* surely unseen, but the store does not know that */
    uint64_t second = receive(b, hb, 1), third = receive(b, hb, 1);
    ack(b, third, 1);
    stored(d);
    restart();
    uint64_t r = receive(b, hb, 9);
    assert_values(b, r, "1 ");
    assert_int_equal(got(b, r)->value[0].flags, VALUE_REDELIVERED);
    assert_true(second);
}

static void test_IP12_3_an_acknowledged_value_does_not_come_back(void **state)
{
    send_stored("1 2 3");
    uint64_t r = receive(b, hb, 2);
    ack(b, r, 2);
    stored(d);
    restart();
    assert_values(b, receive(b, hb, 9), "3 ");
}

static void test_IP12_3_an_acknowledgement_that_was_not_stored_brings_it_back_flagged(void **state)
{
    send_stored("1");
    uint64_t r = receive(b, hb, 1);
    ack(b, r, 1);
    restart();
    r = receive(b, hb, 1);
    assert_int_equal(got(b, r)->value[0].flags, VALUE_REDELIVERED);
}

static void test_IP3_the_values_of_a_dead_receiver_go_back_as_in_any_channel(void **state)
{
    send_stored("1 2");
    receive(b, hb, 2);
    client_die(b);
    rig_sweep(d->rig);
    uint64_t r = receive(a, ha, 2);
    assert_values(a, r, "1 2 ");
    assert_int_equal(got(a, r)->value[1].flags, VALUE_REDELIVERED);
    ack(a, r, 2);
    stored(d);
    restart();
    assert_int_equal(info(a, ha).length + info(a, ha).returned, 0);
}

static void test_IP12_3_sequences_go_on_above_the_mark_after_a_restart(void **state)
{
    send_stored("1 2 3");
    uint64_t r = receive(b, hb, 3);
    ack(b, r, 3);
    stored(d);
    restart(); /* empty, with a mark of 3 */
    send_stored("4");
    restart();
    r = receive(b, hb, 1);
    assert_values(b, r, "4 ");
    assert_int_equal(got(b, r)->value[0].flags, 0);
}

static void test_IP12_4_at_most_once_what_was_seen_does_not_come_back(void **state)
{
    uint64_t h = durable(a, "m", 4, OPEN_AT_MOST_ONCE);
    uint64_t op = send_many(a, h, "1 2 3");

    stored(d);
    assert_status(a, op, 3);
    receive(a, h, 2);
    for (int life = 0; life < 2; life++) { /* also not at the second start */
        crash(d, 0);
        meet();
        h = chan_flags(a, "m", 4, OPEN_DURABLE | OPEN_AT_MOST_ONCE, FULL_BLOCK);
        assert_int_equal(info(a, h).length, 1);
        assert_int_equal(info(a, h).returned, 0);
        stored(d);
    }
    assert_values(a, receive(a, h, 9), "3 ");
}

static void test_IP12_4_at_most_once_a_waiting_receiver_costs_no_value_that_it_did_not_get(void **state)
{
    uint64_t h = durable(a, "m", 4, OPEN_AT_MOST_ONCE);

    recv1(a, h);
    send1(a, h, "1");
    crash(d, 1); /* the value is stored, the mark is not */
    meet();
    h = chan_flags(a, "m", 4, OPEN_DURABLE | OPEN_AT_MOST_ONCE, FULL_BLOCK);
    assert_values(a, receive(a, h, 1), "1 ");
}

/* ---- close ---- */

static void test_IP12_5_a_close_takes_effect_when_it_is_stored(void **state)
{
    uint64_t r = recv1(b, hb), s = send1(a, ha, "1"), c = chan_close(a, ha);

    assert_waits(a, c);
    assert_status(b, recv1(at_once(b), hb), -EAGAIN);
    stored(d);
    assert_status(a, s, 1);
    assert_status(a, c, 0);
    assert_values(b, r, "1 ");
    uint64_t last = recv1(b, hb);
    assert_status(b, last, 0);
    assert_true(got(b, last)->flags & RESULT_CLOSED);
}

static void test_C3_while_a_close_is_being_stored_sends_and_closes_wait_for_it_and_fail(void **state)
{
    uint64_t c = chan_close(a, ha), s = send1(b, hb, "1"), second = chan_close(b, hb);
    uint64_t chosen = SELECT(b, CASE_S(hb, "2"));

    assert_waits(b, s);
    assert_waits(b, second);
    assert_waits(b, chosen);
    stored(d);
    assert_status(a, c, 0);
    assert_status(b, s, -EPIPE);
    assert_status(b, second, -EPIPE);
    assert_status(b, chosen, -EPIPE);
}

static void test_C4_senders_parked_at_the_close_fail_and_are_not_delivered(void **state)
{
    send_stored("1 2 3 4");
    uint64_t s = send1(a, ha, "5");
    chan_close(b, hb);
    uint64_t r = recv1(b, hb); /* makes room, which nobody takes any more */
    stored_some(d, 1);
    stored(d);
    rig_sweep(d->rig);
    assert_status(a, s, -EPIPE);
    assert_values(b, r, "1 ");
    assert_values(b, receive(b, hb, 9), "2 3 4 ");
}

static void test_IP12_5_a_closed_channel_comes_back_closed_with_what_is_in_it(void **state)
{
    send_stored("1");
    chan_close(a, ha);
    stored(d);
    restart();
    assert_status(a, send1(a, ha, "2"), -EPIPE);
    assert_values(b, receive(b, hb, 9), "1 ");
    uint64_t last = recv1(b, hb);
    assert_true(got(b, last)->flags & RESULT_CLOSED);
}

static void test_IP12_5_a_close_that_was_not_stored_did_not_happen(void **state)
{
    chan_close(a, ha);
    restart();
    send_stored("1");
}

static void test_Z4_a_durable_channel_that_nobody_has_open_is_no_leak(void **state)
{
    send_stored("1");
    restart();
    client_bye(a);
    client_bye(b);
    a = client_new(d->rig);
    uint64_t op = client_do(a, (struct request){.verb = VERB_LEAKS});
    assert_int_equal(got(a, op)->waits_n, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, durable_setup, durable_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_IP12_1_an_open_returns_when_the_store_has_the_channel),
        T(test_IP12_1_a_durable_channel_has_a_name_a_buffer_and_no_owner_and_drops_nothing),
        T(test_IP12_1_other_options_are_refused_also_after_a_restart),
        T(test_IP12_1_the_options_come_back),
        T(test_IP7_old_handles_fail_and_a_new_open_finds_the_channel),
        T(test_IP12_5_an_unlinked_channel_does_not_come_back),
        T(test_IP12_5_a_name_taken_off_with_a_value_under_way_keeps_the_order),
        T(test_IP12_5_a_channel_of_the_same_name_has_nothing_of_the_one_before),
        T(test_IP12_2_a_send_returns_when_the_store_has_the_value),
        T(test_IP12_2_nobody_receives_what_is_not_stored),
        T(test_IP12_2_what_is_under_way_counts_in_the_capacity),
        T(test_IP12_2_a_full_store_fails_the_send_and_nothing_of_it_is_seen),
        T(test_IP12_2_places_of_what_failed_go_to_those_who_wait),
        T(test_IP12_2_a_vector_that_fails_in_part_counts_what_came_before),
        T(test_IP12_2_what_entered_behind_a_failed_value_is_in_doubt),
        T(test_IP12_2_the_store_is_past_being_cancelled),
        T(test_IP12_2_a_deadline_leaves_what_the_store_has_and_drops_the_rest),
        T(test_IP12_2_a_try_that_fits_in_part_waits_for_the_store_alone),
        T(test_IP4_a_value_of_a_dead_sender_stands_once_the_store_has_it),
        T(test_S4_a_select_that_sends_ends_by_the_word_of_the_store),
        T(test_U6_a_value_of_a_durable_channel_carries_no_channel),
        T(test_IP12_6_bytes_and_channels_of_a_user_are_limited),
        T(test_IP12_3_values_come_back_in_order_unseen_ones_without_a_flag),
        T(test_IP12_3_what_may_have_been_seen_comes_back_flagged_and_first),
        T(test_IP12_3_a_value_leaves_only_when_the_store_knows_that_it_may_be_seen),
        T(test_IP12_3_where_a_receiver_waits_the_mark_goes_with_the_value),
        T(test_IP12_3_a_mark_covers_what_lies_before_it),
        T(test_IP12_3_an_acknowledged_value_does_not_come_back),
        T(test_IP12_3_an_acknowledgement_that_was_not_stored_brings_it_back_flagged),
        T(test_IP3_the_values_of_a_dead_receiver_go_back_as_in_any_channel),
        T(test_IP12_3_sequences_go_on_above_the_mark_after_a_restart),
        T(test_IP12_4_at_most_once_what_was_seen_does_not_come_back),
        T(test_IP12_4_at_most_once_a_waiting_receiver_costs_no_value_that_it_did_not_get),
        T(test_IP12_5_a_close_takes_effect_when_it_is_stored),
        T(test_C3_while_a_close_is_being_stored_sends_and_closes_wait_for_it_and_fail),
        T(test_C4_senders_parked_at_the_close_fail_and_are_not_delivered),
        T(test_IP12_5_a_closed_channel_comes_back_closed_with_what_is_in_it),
        T(test_IP12_5_a_close_that_was_not_stored_did_not_happen),
        T(test_Z4_a_durable_channel_that_nobody_has_open_is_no_leak),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
