/* A client whose connection is cut again and again loses nothing and doubles nothing (IP7); which lane it takes. */
#include <pthread.h>
#include <stdio.h>

#include "client_node.h"
#include "cut.h"

enum { VALUES = 400, CUT_EVERY = 20, SILENCES = 5 };

struct flow {
    gc_client *g;
    gc_chan c;
    int status;
};

static void *send_numbers(void *arg)
{
    struct flow *flow = arg;
    for (int i = 0; i < VALUES && flow->status == 0; i++)
        flow->status = gc_send(flow->g, flow->c, gc_bytes(&i, sizeof i), GC_FOREVER);
    return NULL;
}

/* Sender and receiver are one client behind a proxy that is cut while values pass. */
static void pass_through_cuts(const char *name, uint64_t capacity)
{
    struct cut *cut = cut_start(node);
    struct node behind = *node;
    snprintf(behind.endpoint, sizeof behind.endpoint, "%s", cut_endpoint(cut));
    gc_client *g = node_connect(&behind);
    struct flow flow = {g, make(g, name, capacity), 0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_numbers, &flow), 0);
    for (int i = 0; i < VALUES; i++) {
        struct gc_value v;
        int number;
        assert_fails(gc_recv(g, flow.c, &v, 0, GC_FOREVER), 1);
        memcpy(&number, v.data, sizeof number);
        assert_int_equal(number, i); /* B2, F4, IP8: once, and in order */
        assert_int_equal(v.flags, 0);
        gc_value_clear(&v);
        if (i % CUT_EVERY == 0)
            cut_now(cut);
    }
    pthread_join(thread, NULL);
    assert_ok(flow.status);
    assert_true(cut_count(cut) >= VALUES / CUT_EVERY);
    gc_disconnect(g);
    cut_stop(cut);
}

static void test_IP7_rendezvous_survives_cuts_of_the_connection(void **state)
{
    pass_through_cuts("cut.0", 0);
}

static void test_IP7_buffer_survives_cuts_of_the_connection(void **state)
{
    pass_through_cuts("cut.4", 4);
}

static void *send_one(void *arg)
{
    struct flow *flow = arg;
    flow->status = gc_send(flow->g, flow->c, gc_string("one"), GC_FOREVER);
    return NULL;
}

/* The cut may take the acknowledgement along, and no call of the receiver's comes after it. */
static void test_IP2_2_a_sender_hears_of_a_receiver_that_calls_no_more_after_a_cut(void **state)
{
    struct cut *cut = cut_start(node);
    struct node behind = *node;
    snprintf(behind.endpoint, sizeof behind.endpoint, "%s", cut_endpoint(cut));
    gc_client *receiver = node_connect(&behind), *sender = node_connect(node);
    gc_chan c = make(receiver, "cut.silent", 0);
    struct flow flow = {sender, make(sender, "cut.silent", 0), 0};
    for (int i = 0; i < SILENCES; i++) {
        struct gc_value v;
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, send_one, &flow), 0);
        assert_fails(gc_recv(receiver, c, &v, 0, GC_FOREVER), 1);
        cut_now(cut);
        gc_value_clear(&v);
        pthread_join(thread, NULL);
        assert_ok(flow.status);
    }
    gc_disconnect(sender);
    gc_disconnect(receiver);
    cut_stop(cut);
}

/* ---- lanes ---- */

static bool only_zmq(void)
{
    const char *lane = getenv("GOROUTINED_LANE");
    return lane && !strcmp(lane, "zmq");
}

static void expect_lane(const char *asked, const char *got)
{
    struct gc_options options = {
        .size = sizeof options, .endpoint = node->endpoint, .answer_ms = NODE_ANSWER_MS, .lane = asked};
    struct gc_about about;
    gc_client *g;
    assert_ok(gc_connect(&options, &g, NULL));
    assert_ok(gc_ping(g, GC_FOREVER));
    gc_about(g, &about);
    assert_string_equal(about.lane, got);
    gc_disconnect(g);
}

/* The daemon of a run with GOROUTINED_LANE=zmq refuses the other: the client then goes over ZeroMQ by itself. */
static void test_frames_take_the_lane_that_both_sides_want(void **state)
{
    expect_lane("zmq", "zmq");
    expect_lane("auto", only_zmq() ? "zmq" : "local");
    expect_lane(NULL, only_zmq() ? "zmq" : "local");
}

static void test_a_lane_nobody_knows_is_refused_in_words(void **state)
{
    struct gc_options options = {.size = sizeof options, .endpoint = node->endpoint, .lane = "fast"};
    char why[GC_WHY_BYTES];
    gc_client *g;
    assert_int_equal(gc_connect(&options, &g, why), -EINVAL);
    assert_non_null(strstr(why, "\"fast\" (as given) is not a lane: auto or zmq"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP7_rendezvous_survives_cuts_of_the_connection),
        cmocka_unit_test(test_IP7_buffer_survives_cuts_of_the_connection),
        cmocka_unit_test(test_IP2_2_a_sender_hears_of_a_receiver_that_calls_no_more_after_a_cut),
        cmocka_unit_test(test_frames_take_the_lane_that_both_sides_want),
        cmocka_unit_test(test_a_lane_nobody_knows_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
