/* What the simulator found in the core: each a test of its own. */
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
    ha = chan(a, "x", 0);
    hb = chan(b, "x", 0);
    hc = chan(c, "x", 0);
    return 0;
}

static int teardown(void **state)
{
    rig_delete(rig);
    return 0;
}

static void test_IP7_a_hello_whose_answer_was_lost_is_answered_again(void **state)
{
    unsigned replies = rig->replies;

    client_hello(a);
    assert_int_equal(rig->replies, replies + 1);
    assert_true(rig->said.welcome);
    assert_int_equal(rig->said.refused, 0);
    uint64_t h = chan(a, "y", 1);
    assert_status(a, send1(a, h, "v"), 1);
}

static void test_IP2_2_a_count_ends_before_a_value_that_came_back(void **state)
{
    uint64_t s = send_many(a, ha, "one two");
    recv1(b, hb);
    uint64_t r = recv1(c, hc);
    client_die(b);
    cancel(a, s);
    assert_status(a, s, -ECANCELED);
    assert_true(got(a, s)->flags & RESULT_DOUBT);
    assert_values(c, r, "two ");
}

static void test_IP2_2_a_count_tells_of_those_before_a_value_that_came_back(void **state)
{
    uint64_t s = send_many(a, ha, "one two three");
    ack(c, recv1(c, hc), 0);
    recv1(b, hb);
    ack(c, recv1(c, hc), 0);
    client_die(b);
    cancel(a, s);
    assert_status(a, s, 1);
    assert_true(got(a, s)->flags & RESULT_DOUBT);
}

static void test_IP2_2_a_sender_matched_on_arrival_waits_again_with_a_reason(void **state)
{
    recv1(b, hb);
    uint64_t s = send1(a, ha, "v");
    client_die(b); /* core_check of the rig demands the reason */
    assert_waits(a, s);
    uint64_t r = recv1(c, hc);
    assert_values(c, r, "v ");
    ack(c, r, 0);
    assert_status(a, s, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_IP7_a_hello_whose_answer_was_lost_is_answered_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP2_2_a_count_ends_before_a_value_that_came_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP2_2_a_count_tells_of_those_before_a_value_that_came_back,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_IP2_2_a_sender_matched_on_arrival_waits_again_with_a_reason,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
