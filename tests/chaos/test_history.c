/* The check of histories: what the rules allow is explained, what they forbid is not. Channel 0 is a rendezvous, channel
 * 1 a buffer of 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "history.h"

enum { MEETING, BUFFER, A = 0, B, C };
#define NEVER INT64_MAX

static struct history h;

static int begin(void **state)
{
    h = (struct history){.capacity = {0, 2, 1}};
    return 0;
}

static struct call *add(uint8_t process, int64_t from, int64_t to, enum outcome outcome, enum deed deed,
                        uint8_t object, uint32_t sent)
{
    struct call *call = &h.call[h.n++];

    *call = (struct call){.called_ns = from, .returned_ns = to, .process = process, .cases_n = 1};
    call->outcome = outcome;
    call->cases[0] = (struct history_case){deed, object, sent};
    return call;
}

static void sends(uint8_t process, int64_t from, int64_t to, uint8_t channel, uint32_t value)
{
    add(process, from, to, to == NEVER ? OUTCOME_OPEN : OUTCOME_OK, DEED_SEND, channel, value);
}

static struct call *receives(uint8_t process, int64_t from, int64_t to, uint8_t channel, uint32_t value)
{
    struct call *call =
        add(process, from, to, to == NEVER ? OUTCOME_OPEN : OUTCOME_OK, DEED_RECV, channel, 0);

    call->value = value;
    return call;
}

static struct call *locks(uint8_t process, int64_t from, int64_t to, uint64_t token)
{
    struct call *call = add(process, from, to, OUTCOME_OK, DEED_LOCK, 0, 0);

    call->token = token;
    return call;
}

static void unlocks(uint8_t process, int64_t from, int64_t to, uint64_t token)
{
    add(process, from, to, OUTCOME_OK, DEED_UNLOCK, 0, 0)->token = token;
}

static void dies(uint8_t process, int64_t from, int64_t to)
{
    add(process, from, to, OUTCOME_OK, DEED_DEATH, 0, 0);
}

static void explained(void)
{
    assert_int_equal(history_check(&h), 1);
}

static void refused(void)
{
    assert_int_equal(history_check(&h), 0);
}

static void test_B2_values_in_order_are_explained(void **state)
{
    sends(A, 1, 2, BUFFER, 10);
    sends(A, 3, 4, BUFFER, 11);
    receives(B, 5, 6, BUFFER, 10);
    receives(B, 7, 8, BUFFER, 11);
    explained();
}

static void test_B2_exchanged_values_are_refused(void **state)
{
    sends(A, 1, 2, BUFFER, 10);
    sends(A, 3, 4, BUFFER, 11);
    receives(B, 5, 6, BUFFER, 11);
    receives(B, 7, 8, BUFFER, 10);
    refused();
}

static void test_B2_sends_at_once_may_take_either_order(void **state)
{
    sends(A, 1, 4, BUFFER, 10);
    sends(B, 1, 4, BUFFER, 11);
    receives(C, 5, 6, BUFFER, 11);
    receives(C, 7, 8, BUFFER, 10);
    explained();
}

static void test_B6_value_received_twice_is_refused(void **state)
{
    sends(A, 1, 2, BUFFER, 10);
    receives(B, 3, 4, BUFFER, 10);
    receives(C, 5, 6, BUFFER, 10);
    refused();
}

static void test_B1_send_into_a_full_buffer_is_refused(void **state)
{
    for (int i = 0; i < 3; i++)
        sends(A, 2 * i + 1, 2 * i + 2, BUFFER, 10 + (uint32_t)i);
    refused();
}

static void test_U2_send_that_returned_before_its_receive_is_refused(void **state)
{
    sends(A, 1, 2, MEETING, 10);
    receives(B, 3, 4, MEETING, 10);
    refused();
}

static void test_U2_meeting_is_explained(void **state)
{
    sends(A, 1, 4, MEETING, 10);
    receives(B, 2, 3, MEETING, 10);
    explained();
}

static void test_U7_default_beside_a_value_is_refused(void **state)
{
    sends(A, 1, 2, BUFFER, 10);
    add(B, 3, 4, OUTCOME_NONE, DEED_RECV, BUFFER, 0);
    refused();
}

static void test_C1_closed_before_it_is_drained_is_refused(void **state)
{
    sends(A, 1, 2, BUFFER, 10);
    add(A, 3, 4, OUTCOME_OK, DEED_CLOSE, BUFFER, 0);
    add(B, 5, 6, OUTCOME_CLOSED, DEED_RECV, BUFFER, 0);
    refused();
}

static void test_C3_send_after_close_is_refused(void **state)
{
    add(A, 1, 2, OUTCOME_OK, DEED_CLOSE, BUFFER, 0);
    sends(B, 3, 4, BUFFER, 10);
    refused();
}

static void test_S4_value_of_another_case_is_refused(void **state)
{
    sends(A, 1, 2, BUFFER, 10);
    h.call[0].cases_n = 2;
    h.call[0].cases[1] = (struct history_case){DEED_SEND, 2, 11};
    receives(B, 3, 4, 2, 11);
    refused();
}

static void test_S3_default_needs_every_case_unready(void **state)
{
    sends(A, 1, 2, BUFFER, 10);
    struct call *call = add(B, 3, 4, OUTCOME_NONE, DEED_RECV, 2, 0);
    call->cases_n = 2;
    call->cases[1] = (struct history_case){DEED_RECV, BUFFER, 0};
    refused();
}

static void test_M1_two_holders_are_refused(void **state)
{
    locks(A, 1, 2, 1);
    locks(B, 3, 4, 2);
    unlocks(A, 5, 6, 1);
    unlocks(B, 7, 8, 2);
    refused();
}

static void test_M3_token_that_falls_is_refused(void **state)
{
    locks(A, 1, 2, 2);
    unlocks(A, 3, 4, 2);
    locks(B, 5, 6, 1);
    refused();
}

static void test_IP4_lock_of_the_dead_comes_with_a_word(void **state)
{
    locks(A, 1, 2, 1);
    dies(A, 3, 4);
    locks(B, 5, 6, 2)->died = true;
    explained();
    h.call[2].died = false;
    refused();
}

static void test_IP2_send_of_the_dead_happened_or_not(void **state)
{
    sends(A, 1, NEVER, BUFFER, 10);
    dies(A, 3, 4);
    add(B, 5, 6, OUTCOME_NONE, DEED_RECV, BUFFER, 0);
    explained();
    h.call[2].outcome = OUTCOME_OK;
    h.call[2].value = 10;
    explained();
}

static void test_IP2_send_of_the_dead_after_his_death_is_refused(void **state)
{
    sends(A, 1, NEVER, BUFFER, 10);
    dies(A, 3, 4);
    add(B, 5, 6, OUTCOME_NONE, DEED_RECV, BUFFER, 0);
    receives(B, 7, 8, BUFFER, 10);
    refused();
}

static void test_IP3_value_of_the_dead_comes_back_flagged(void **state)
{
    sends(A, 1, 2, BUFFER, 10);
    receives(B, 3, 4, BUFFER, 10);
    dies(B, 5, 6);
    receives(C, 7, 8, BUFFER, 10)->flagged = true;
    explained();
    h.call[3].flagged = false;
    refused();
}

static void test_IP3_flag_without_a_death_is_refused(void **state)
{
    sends(A, 1, 2, BUFFER, 10);
    receives(C, 7, 8, BUFFER, 10)->flagged = true;
    refused();
}

static void test_IP11_call_without_effect_has_none(void **state)
{
    add(A, 1, 2, OUTCOME_VOID, DEED_SEND, BUFFER, 10);
    receives(B, 3, 4, BUFFER, 10);
    refused();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        TEST(test_B2_values_in_order_are_explained),
        TEST(test_B2_exchanged_values_are_refused),
        TEST(test_B2_sends_at_once_may_take_either_order),
        TEST(test_B6_value_received_twice_is_refused),
        TEST(test_B1_send_into_a_full_buffer_is_refused),
        TEST(test_U2_send_that_returned_before_its_receive_is_refused),
        TEST(test_U2_meeting_is_explained),
        TEST(test_U7_default_beside_a_value_is_refused),
        TEST(test_C1_closed_before_it_is_drained_is_refused),
        TEST(test_C3_send_after_close_is_refused),
        TEST(test_S4_value_of_another_case_is_refused),
        TEST(test_S3_default_needs_every_case_unready),
        TEST(test_M1_two_holders_are_refused),
        TEST(test_M3_token_that_falls_is_refused),
        TEST(test_IP4_lock_of_the_dead_comes_with_a_word),
        TEST(test_IP2_send_of_the_dead_happened_or_not),
        TEST(test_IP2_send_of_the_dead_after_his_death_is_refused),
        TEST(test_IP3_value_of_the_dead_comes_back_flagged),
        TEST(test_IP3_flag_without_a_death_is_refused),
        TEST(test_IP11_call_without_effect_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
