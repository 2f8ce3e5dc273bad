/* The check of histories of a group's cursor: what the rules allow is explained, what they forbid is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cursor.h"

enum { A, B };

static struct cursor cursor;
static int64_t now;

/* Messages of sequence 10, 20, …, all of one key. */
static void begin(int messages)
{
    cursor = (struct cursor){.capacity = 2, .window = 10, .ack_wait_ns = 1000000, .messages = messages};
    for (int i = 0; i < messages; i++)
        cursor.message[i] = (struct cursor_message){.sequence = 10 * ((uint64_t)i + 1)};
    now = 0;
}

/* One behind the other. */
static struct cursor_call *add(uint8_t process, enum cursor_deed deed, int message)
{
    struct cursor_call *call = &cursor.call[cursor.n++];

    *call = (struct cursor_call){.called_ns = now + 1,
                                 .returned_ns = now + 2,
                                 .process = process,
                                 .deed = deed,
                                 .message = (uint8_t)message};
    now += 2;
    return call;
}

/* Its place in the history. */
static uint8_t receive(uint8_t process, int message, uint8_t tries, uint8_t flags)
{
    struct cursor_call *call = add(process, CURSOR_RECEIVE, message);

    call->tries = tries;
    call->flags = flags;
    return (uint8_t)(cursor.n - 1);
}

static void settle(uint8_t process, enum cursor_deed deed, uint8_t received)
{
    add(process, deed, cursor.call[received].message)->receive = received;
}

static void look(uint64_t floor)
{
    add(A, CURSOR_LOOK, 0)->floor = floor;
}

static void publish_all(void)
{
    for (int i = 0; i < cursor.messages; i++)
        add(B, CURSOR_PUBLISH, i);
}

static void explained(void)
{
    assert_int_equal(cursor_check(&cursor), 1);
}

static void refused(void)
{
    assert_int_equal(cursor_check(&cursor), 0);
}

static void test_IP16_4_what_is_given_back_comes_again_with_its_flag(void **state)
{
    begin(1);
    publish_all();
    settle(A, CURSOR_RETURN, receive(A, 0, 1, 0));
    settle(B, CURSOR_ACK, receive(B, 0, 2, CURSOR_RETURNED));
    add(A, CURSOR_END, 0);
    explained();
}

static void test_IP16_4_without_its_flag_is_refused(void **state)
{
    begin(1);
    publish_all();
    settle(A, CURSOR_RETURN, receive(A, 0, 1, 0));
    receive(B, 0, 2, 0);
    refused();
}

static void test_IP16_6_again_after_the_acknowledgement_is_refused(void **state)
{
    begin(1);
    publish_all();
    settle(A, CURSOR_ACK, receive(A, 0, 1, 0));
    receive(B, 0, 2, CURSOR_REDELIVERED);
    refused();
}

static void test_IP16_6_again_beside_the_acknowledgement_of_one_that_died_is_explained(void **state)
{
    begin(1);
    publish_all();
    uint8_t received = receive(A, 0, 1, 0);
    settle(A, CURSOR_ACK, received);
    cursor.call[cursor.n - 1].outcome = CURSOR_OPEN;
    cursor.call[cursor.n - 1].returned_ns = INT64_MAX;
    add(A, CURSOR_DEATH, 0);
    receive(B, 0, 2, CURSOR_REDELIVERED);
    explained();
}

static void test_IP16_2_to_two_members_at_a_time_is_refused(void **state)
{
    begin(1);
    publish_all();
    receive(A, 0, 1, 0);
    receive(B, 0, 2, CURSOR_REDELIVERED);
    refused();
}

static void test_IP16_4_late_to_somebody_else_and_acknowledged_all_the_same_is_explained(void **state)
{
    begin(1);
    cursor.hasty = true;
    publish_all();
    uint8_t first = receive(A, 0, 1, 0);
    now += cursor.ack_wait_ns;
    receive(B, 0, 2, CURSOR_REDELIVERED);
    settle(A, CURSOR_ACK, first);
    add(A, CURSOR_END, 0);
    explained();
}

static void test_IP16_4_before_the_time_is_over_is_refused(void **state)
{
    begin(1);
    cursor.hasty = true;
    publish_all();
    receive(A, 0, 1, 0);
    now += cursor.ack_wait_ns - 10;
    receive(B, 0, 2, CURSOR_REDELIVERED);
    refused();
}

static void test_IP16_2_more_than_the_capacity_is_refused(void **state)
{
    begin(3);
    publish_all();
    for (int i = 0; i < 3; i++)
        receive(A, i, 1, 0);
    refused();
}

static void test_IP16_2_more_than_the_window_is_refused(void **state)
{
    begin(2);
    cursor.window = 1;
    publish_all();
    receive(A, 0, 1, 0);
    receive(B, 1, 1, 0);
    refused();
}

static void test_IP16_2_new_ones_that_exchange_their_places_are_refused(void **state)
{
    begin(2);
    publish_all();
    receive(A, 1, 1, 0);
    receive(A, 0, 1, 0);
    refused();
}

static void test_IP16_3_a_key_before_its_turn_is_refused(void **state)
{
    begin(2);
    cursor.ordered = true;
    publish_all();
    receive(A, 0, 1, 0);
    receive(B, 1, 1, 0);
    refused();
}

static void test_IP16_3_a_key_in_its_turn_is_explained(void **state)
{
    begin(2);
    cursor.ordered = true;
    publish_all();
    settle(A, CURSOR_ACK, receive(A, 0, 1, 0));
    receive(B, 1, 1, 0);
    explained();
}

static void test_IP16_7_seek_begins_anew_and_nothing_counts_of_before(void **state)
{
    begin(2);
    publish_all();
    settle(A, CURSOR_ACK, receive(A, 0, 1, 0));
    uint8_t before = receive(A, 1, 1, 0);
    add(B, CURSOR_SEEK, 0);
    settle(A, CURSOR_ACK, before);
    receive(B, 0, 1, 0);
    receive(B, 1, 1, 0);
    explained();
}

static void test_IP16_7_before_where_it_was_sent_is_refused(void **state)
{
    begin(2);
    publish_all();
    add(B, CURSOR_SEEK, 1);
    receive(A, 0, 1, 0);
    refused();
}

static void test_IP16_7_what_is_new_behind_a_seek_to_what_is_new_is_explained(void **state)
{
    begin(2);
    add(B, CURSOR_PUBLISH, 0);
    add(A, CURSOR_SEEK, CURSOR_NEW);
    look(10);
    add(B, CURSOR_PUBLISH, 1);
    receive(A, 1, 1, 0);
    explained();
}

static void test_IP16_7_published_while_it_is_paused_and_given_is_refused(void **state)
{
    begin(1);
    add(B, CURSOR_PAUSE, 0);
    publish_all();
    receive(A, 0, 1, 0);
    refused();
}

static void test_IP16_7_given_before_the_pause_and_received_then_is_explained(void **state)
{
    begin(3);
    publish_all();
    add(B, CURSOR_PAUSE, 0);
    receive(A, 0, 1, 0);
    receive(A, 1, 1, 0);
    explained();
    settle(A, CURSOR_ACK, (uint8_t)(cursor.n - 1));
    receive(A, 2, 1, 0); /* its capacity was 2 */
    refused();
}

static void test_IP15_5_purged_behind_a_seek_is_refused(void **state)
{
    begin(2);
    publish_all();
    add(A, CURSOR_PURGE, 0);
    add(A, CURSOR_SEEK, 0);
    receive(A, 0, 1, 0);
    refused();
}

static void test_IP15_5_purged_is_not_missed(void **state)
{
    begin(2);
    publish_all();
    add(A, CURSOR_PURGE, 0);
    settle(A, CURSOR_ACK, receive(A, 1, 1, 0));
    add(A, CURSOR_END, 0);
    look(20);
    explained();
}

static void test_IP16_6_floor_before_an_acknowledgement_is_refused(void **state)
{
    begin(2);
    publish_all();
    settle(A, CURSOR_ACK, receive(A, 0, 1, 0));
    look(9);
    refused();
}

static void test_IP16_6_floor_behind_what_is_not_acknowledged_is_refused(void **state)
{
    begin(2);
    publish_all();
    receive(A, 0, 1, 0);
    settle(A, CURSOR_ACK, receive(A, 1, 1, 0));
    look(20);
    refused();
}

static void test_IP16_6_floor_that_waits_for_the_first_is_explained(void **state)
{
    begin(2);
    publish_all();
    receive(A, 0, 1, 0);
    settle(A, CURSOR_ACK, receive(A, 1, 1, 0));
    look(9);
    explained();
}

static void test_IP16_8_an_end_with_a_message_left_is_refused(void **state)
{
    begin(2);
    publish_all();
    settle(A, CURSOR_ACK, receive(A, 0, 1, 0));
    add(A, CURSOR_END, 0);
    refused();
}

static void test_IP15_3_messages_in_another_order_than_published_are_refused(void **state)
{
    begin(2);
    add(A, CURSOR_PUBLISH, 1);
    add(A, CURSOR_PUBLISH, 0);
    refused();
}

static void test_IP15_2_received_before_it_is_published_is_refused(void **state)
{
    begin(1);
    receive(A, 0, 1, 0);
    publish_all();
    refused();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP16_4_what_is_given_back_comes_again_with_its_flag),
        cmocka_unit_test(test_IP16_4_without_its_flag_is_refused),
        cmocka_unit_test(test_IP16_6_again_after_the_acknowledgement_is_refused),
        cmocka_unit_test(test_IP16_6_again_beside_the_acknowledgement_of_one_that_died_is_explained),
        cmocka_unit_test(test_IP16_2_to_two_members_at_a_time_is_refused),
        cmocka_unit_test(test_IP16_4_late_to_somebody_else_and_acknowledged_all_the_same_is_explained),
        cmocka_unit_test(test_IP16_4_before_the_time_is_over_is_refused),
        cmocka_unit_test(test_IP16_2_more_than_the_capacity_is_refused),
        cmocka_unit_test(test_IP16_2_more_than_the_window_is_refused),
        cmocka_unit_test(test_IP16_2_new_ones_that_exchange_their_places_are_refused),
        cmocka_unit_test(test_IP16_3_a_key_before_its_turn_is_refused),
        cmocka_unit_test(test_IP16_3_a_key_in_its_turn_is_explained),
        cmocka_unit_test(test_IP16_7_seek_begins_anew_and_nothing_counts_of_before),
        cmocka_unit_test(test_IP16_7_before_where_it_was_sent_is_refused),
        cmocka_unit_test(test_IP16_7_what_is_new_behind_a_seek_to_what_is_new_is_explained),
        cmocka_unit_test(test_IP16_7_published_while_it_is_paused_and_given_is_refused),
        cmocka_unit_test(test_IP16_7_given_before_the_pause_and_received_then_is_explained),
        cmocka_unit_test(test_IP15_5_purged_behind_a_seek_is_refused),
        cmocka_unit_test(test_IP15_5_purged_is_not_missed),
        cmocka_unit_test(test_IP16_6_floor_before_an_acknowledgement_is_refused),
        cmocka_unit_test(test_IP16_6_floor_behind_what_is_not_acknowledged_is_refused),
        cmocka_unit_test(test_IP16_6_floor_that_waits_for_the_first_is_explained),
        cmocka_unit_test(test_IP16_8_an_end_with_a_message_left_is_refused),
        cmocka_unit_test(test_IP15_3_messages_in_another_order_than_published_are_refused),
        cmocka_unit_test(test_IP15_2_received_before_it_is_published_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
