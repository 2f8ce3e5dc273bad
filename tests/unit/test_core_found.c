/* What the simulator found in the core: each a test of its own. */
#include "core_fixture.h"

static struct rig *rig;
static struct client *a, *b, *c;
static uint64_t ha, hb, hc;

static void clients_of(struct rig *new_rig)
{
    rig = new_rig;
    a = client_new(rig);
    b = client_new(rig);
    c = client_new(rig);
    ha = chan(a, "x", 0);
    hb = chan(b, "x", 0);
    hc = chan(c, "x", 0);
}

static int setup(void **state)
{
    clients_of(rig_new());
    return 0;
}

/* A window of three results: that of the open, and two more. */
static int setup_narrow(void **state)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.window_ops = 3;
    clients_of(rig_with(&limits, 3));
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

/* A send for which there was no room, its refusal not acknowledged; then there is room again. */
static uint64_t refused_select(uint64_t h)
{
    uint64_t filler = send1(a, h, "before");
    uint64_t refused = SELECT(a, CASE_R(ha), CASE_S(h, "late"));

    assert_status(a, refused, -ENOBUFS);
    ack(a, filler, 0);
    return refused;
}

/* Seed 71997: the refusal is lost, so that the client asks again; by then a later send has found room. */
static void test_F4_a_refused_send_asked_again_does_not_come_after_a_later_one(void **state)
{
    struct value late = {.body = {"late", 4}};
    uint64_t h = chan(a, "y", 4), filler = send1(a, h, "before"), refused = send1(a, h, "late");

    assert_status(a, refused, -ENOBUFS);
    ack(a, filler, 0);
    assert_status(a, send1(a, h, "second"), 1);
    client_cut(a);
    client_resume(a, refused, (uint64_t)0);
    assert_int_equal(rig->said.state[0].fate, FATE_UNKNOWN);
    client_again(a, (struct request){.verb = VERB_SEND, .send = {h, &late, 1}}, refused);
    assert_status(a, refused, -ENOBUFS);
    assert_values(b, recv_many(b, chan(b, "y", 4), 3), "before second ");
}

static void test_F4_nor_does_a_refused_select_that_would_send(void **state)
{
    uint64_t h = chan(a, "y", 4), refused = refused_select(h);
    struct select_case cases[] = {CASE_R(ha), CASE_S(h, "late")};

    client_again(a, (struct request){.verb = VERB_SELECT, .select = {cases, 2}}, refused);
    assert_status(a, refused, -ENOBUFS);
    assert_int_equal(info(a, h).length, 1);
}

static void test_IP7_1_what_does_not_send_is_judged_again(void **state)
{
    uint64_t h = chan(a, "y", 4), refused = refused_select(h);
    struct select_case cases[] = {CASE_R(ha)};

    client_again(a, (struct request){.verb = VERB_SELECT, .select = {cases, 1}}, refused);
    assert_int_equal(got_count(a, refused), 1);
    assert_int_equal(info(a, ha).receivers, 1);
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
        cmocka_unit_test_setup_teardown(test_F4_a_refused_send_asked_again_does_not_come_after_a_later_one,
                                        setup_narrow, teardown),
        cmocka_unit_test_setup_teardown(test_F4_nor_does_a_refused_select_that_would_send, setup_narrow,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP7_1_what_does_not_send_is_judged_again, setup_narrow,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
