/*
 * What calls cost on the connection, against the table in PROTOCOL.md; and that a client whose connection is cut
 * again and again loses nothing and doubles nothing (IP7).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "client_fixture.h"
#include "cut.h"

static struct node *node;

static int start_node(void **state)
{
    node = node_start();
    return 0;
}

static int stop_node(void **state)
{
    node = node_delete(node);
    return 0;
}

/* Without a service thread no ACK leaves by itself, however slow the machine is. */
static int connect_client(void **state)
{
    struct gc_options options = {.size = sizeof options, .endpoint = node->endpoint, .flags = GC_NO_THREAD};
    gc_client *g;
    int r = gc_connect(&options, &g, NULL);
    *state = g;
    return r;
}

static int disconnect_client(void **state)
{
    *state = gc_disconnect(*state);
    return 0;
}

/* ---- frames per call ---- */

/* Calls that only one thread makes, so that every frame is theirs. */
static struct gc_about counted_from;
static int64_t counted_from_ns;

static void count_from(gc_client *g)
{
    gc_about(g, &counted_from);
    counted_from_ns = gc_after_ms(1).ns;
}

static void assert_frames(gc_client *g, unsigned sent, unsigned received)
{
    struct gc_about now;
    if (gc_after_ms(1).ns - counted_from_ns >
        900000000) /* after a second of silence it pings: count nothing */
        return;
    gc_about(g, &now);
    assert_int_equal(now.frames_sent - counted_from.frames_sent, sent);
    assert_int_equal(now.frames_received - counted_from.frames_received, received);
}

static void test_one_frame_each_way_for_open_send_receive_close_and_ping(void **state)
{
    gc_client *g = *state;
    struct gc_value v;
    gc_chan c;
    count_from(g);
    assert_ok(gc_make(g, "frames", 8, &c, GC_FOREVER));
    assert_frames(g, 1, 1);
    assert_ok(gc_send(g, c, gc_string("x"), GC_FOREVER));
    assert_frames(g, 2, 2);
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1); /* its ACK rides on the next frame */
    gc_value_clear(&v);
    assert_frames(g, 3, 3);
    assert_ok(gc_ping(g, GC_FOREVER));
    assert_frames(g, 4, 4);
    assert_ok(gc_close(g, c, GC_FOREVER));
    assert_frames(g, 5, 5);
}

static void test_vectors_cost_as_much_as_one_value(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "frames.vector", GC_VALUES_MAX);
    static struct gc_value values[GC_VALUES_MAX];
    for (int i = 0; i < GC_VALUES_MAX; i++)
        values[i] = gc_string("value");
    count_from(g);
    assert_fails(gc_send_many(g, c, values, GC_VALUES_MAX, GC_FOREVER), GC_VALUES_MAX);
    assert_frames(g, 1, 1);
    assert_fails(gc_recv_many(g, c, values, GC_VALUES_MAX, 0, GC_FOREVER), GC_VALUES_MAX);
    assert_frames(g, 2, 2);
    for (int i = 0; i < GC_VALUES_MAX; i++)
        gc_value_clear(&values[i]);
}

static void *send_one(void *arg)
{
    gc_client *g = node_connect(node);
    int r = gc_send(g, make(g, "frames.handed", 0), gc_string("x"), GC_FOREVER);
    gc_disconnect(g);
    return (void *)(intptr_t)r;
}

static void test_IP0_handed_value_costs_one_frame_more_for_its_ack(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "frames.handed", 0);
    struct gc_value v;
    pthread_t thread;
    void *sent;
    assert_int_equal(pthread_create(&thread, NULL, send_one, NULL), 0);
    wait_parked(g, c, 1, 0);
    count_from(g);
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_frames(g, 2, 1);
    gc_value_clear(&v);
    pthread_join(thread, &sent);
    assert_null(sent);
}

static void test_wait_that_ends_by_its_deadline_costs_no_frame_more(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "frames.wait", 0);
    struct gc_value v;
    count_from(g);
    assert_fails(gc_recv(g, c, &v, 0, gc_after_ms(2)), -ETIMEDOUT);
    assert_frames(g, 1, 1);
}

static void test_ack_rides_and_return_leaves_at_once(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "frames.hold", 2);
    struct gc_value v[2] = {{0}};
    assert_ok(gc_send(g, c, gc_string("a"), GC_FOREVER));
    assert_ok(gc_send(g, c, gc_string("b"), GC_FOREVER));
    assert_fails(gc_recv_many(g, c, v, 2, GC_HOLD, GC_FOREVER), 2);
    count_from(g);
    assert_ok(gc_ack(g, &v[0]));
    assert_frames(g, 0, 0);
    assert_ok(gc_return(g, &v[1])); /* with that ACK */
    assert_frames(g, 1, 0);
    gc_value_clear(&v[0]);
    gc_value_clear(&v[1]);
}

static void test_what_is_decided_here_costs_no_frame(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "frames.none", 0);
    gc_ctx *ctx = gc_ctx_new(g);
    struct gc_value v;
    gc_ctx_cancel(ctx);
    count_from(g);
    assert_fails(gc_recv(g, c, &v, 0, gc_with(ctx)), -ECANCELED);
    assert_fails(gc_recv(g, c, &v, 0, gc_after_ms(0)), -ETIMEDOUT);
    assert_fails(gc_select(g, NULL, 0, 0, GC_NOW), -EAGAIN);
    assert_fails(gc_recv(g, gc_chan_of(99), &v, 0, GC_FOREVER), -ENOENT);
    assert_frames(g, 0, 0);
    gc_ctx_free(ctx);
}

/* ---- a connection that is cut ---- */

enum { VALUES = 400, CUT_EVERY = 20 };

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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, connect_client, disconnect_client)
    const struct CMUnitTest tests[] = {
        TEST(test_one_frame_each_way_for_open_send_receive_close_and_ping),
        TEST(test_vectors_cost_as_much_as_one_value),
        TEST(test_IP0_handed_value_costs_one_frame_more_for_its_ack),
        TEST(test_wait_that_ends_by_its_deadline_costs_no_frame_more),
        TEST(test_ack_rides_and_return_leaves_at_once),
        TEST(test_what_is_decided_here_costs_no_frame),
        cmocka_unit_test(test_IP7_rendezvous_survives_cuts_of_the_connection),
        cmocka_unit_test(test_IP7_buffer_survives_cuts_of_the_connection),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
