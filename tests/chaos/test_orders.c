/* The check of histories of one object: what its model allows is explained, what it forbids is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "orders.h"

enum { A, B };

static struct order order;

static void begin(enum order_kind kind)
{
    order = (struct order){.kind = kind, .units = 2};
}

static struct order_call *add(uint8_t process, int64_t from, int64_t to, enum order_deed deed, int64_t in,
                              int64_t out)
{
    struct order_call *call = &order.call[order.n++];

    *call = (struct order_call){.called_ns = from, .returned_ns = to, .process = process, .deed = deed};
    call->in = in;
    call->out = out;
    return call;
}

static void explained(void)
{
    assert_int_equal(order_check(&order), 1);
}

static void refused(void)
{
    assert_int_equal(order_check(&order), 0);
}

static void test_W1_reader_beside_a_writer_is_refused(void **state)
{
    begin(ORDER_RWMUTEX);
    add(A, 1, 2, WRITE_LOCK, 0, 7);
    add(B, 3, 4, READ_LOCK, 0, 0);
    refused();
}

static void test_W1_readers_together_and_then_a_writer_are_explained(void **state)
{
    begin(ORDER_RWMUTEX);
    add(A, 1, 4, READ_LOCK, 0, 0);
    add(B, 1, 4, READ_LOCK, 0, 0);
    add(A, 5, 6, READ_UNLOCK, 0, 0);
    add(B, 5, 9, READ_UNLOCK, 0, 0);
    add(A, 7, 8, WRITE_LOCK, 0, 7);
    explained();
}

static void test_IP4_token_that_does_not_grow_is_refused(void **state)
{
    begin(ORDER_RWMUTEX);
    add(A, 1, 2, WRITE_LOCK, 0, 7);
    add(A, 3, 4, WRITE_UNLOCK, 0, 0);
    add(B, 5, 6, WRITE_LOCK, 0, 7);
    refused();
}

static void test_W4_refusal_beside_nobody_is_refused(void **state)
{
    begin(ORDER_RWMUTEX);
    add(A, 1, 2, READ_LOCK, 0, 0)->outcome = ORDER_REFUSED;
    refused();
}

static void test_more_units_than_there_are_is_refused(void **state)
{
    begin(ORDER_SEMAPHORE);
    add(A, 1, 2, ACQUIRE, 1, 0);
    add(B, 3, 4, ACQUIRE, 2, 0);
    refused();
}

static void test_units_given_back_meanwhile_are_explained(void **state)
{
    begin(ORDER_SEMAPHORE);
    add(A, 1, 2, ACQUIRE, 1, 0);
    add(B, 3, 6, ACQUIRE, 2, 0);
    add(A, 4, 5, RELEASE, 1, 0);
    explained();
}

static void test_sums_of_a_counter_in_one_order_are_explained(void **state)
{
    begin(ORDER_COUNTER);
    add(A, 1, 4, ADD, 2, 5);
    add(B, 1, 4, ADD, 3, 3);
    add(A, 5, 6, AT_LEAST, 4, 5);
    explained();
}

static void test_exchanged_sums_of_a_counter_are_refused(void **state)
{
    begin(ORDER_COUNTER);
    add(A, 1, 2, ADD, 2, 5);
    add(B, 3, 4, ADD, 3, 2);
    refused();
}

static void test_O1_second_run_is_refused(void **state)
{
    begin(ORDER_ONCE);
    add(A, 1, 2, RAN, 0, 0);
    add(B, 3, 4, RAN, 0, 0);
    refused();
}

static void test_O1_return_before_the_run_is_refused(void **state)
{
    begin(ORDER_ONCE);
    add(B, 1, 2, JOINED, 0, 0);
    add(A, 3, 4, RAN, 0, 0);
    refused();
}

static void test_X4_use_after_a_cancel_is_refused(void **state)
{
    begin(ORDER_CONTEXT);
    add(A, 1, 2, CANCEL, 1, 1);
    add(B, 3, 4, USE, 0, 0);
    refused();
}

static void test_X4_second_cause_is_refused(void **state)
{
    begin(ORDER_CONTEXT);
    add(A, 1, 2, CANCEL, 1, 1);
    add(B, 3, 4, CANCEL, 2, 0);
    add(B, 5, 6, CAUSE, 0, 2);
    refused();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_W1_reader_beside_a_writer_is_refused),
        cmocka_unit_test(test_W1_readers_together_and_then_a_writer_are_explained),
        cmocka_unit_test(test_IP4_token_that_does_not_grow_is_refused),
        cmocka_unit_test(test_W4_refusal_beside_nobody_is_refused),
        cmocka_unit_test(test_more_units_than_there_are_is_refused),
        cmocka_unit_test(test_units_given_back_meanwhile_are_explained),
        cmocka_unit_test(test_sums_of_a_counter_in_one_order_are_explained),
        cmocka_unit_test(test_exchanged_sums_of_a_counter_are_refused),
        cmocka_unit_test(test_O1_second_run_is_refused),
        cmocka_unit_test(test_O1_return_before_the_run_is_refused),
        cmocka_unit_test(test_X4_use_after_a_cancel_is_refused),
        cmocka_unit_test(test_X4_second_cause_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
