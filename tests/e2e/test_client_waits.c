/* How calls end: deadlines, contexts, values in flight, many threads on one client, programs that dispatch. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "client_node.h"

/* A receive on a thread of its own. */
struct receiver {
    pthread_t thread;
    gc_client *g;
    gc_chan c;
    gc_until until;
    struct gc_value v;
    int status;
};

static void *receive_one(void *arg)
{
    struct receiver *r = arg;
    r->status = gc_recv(r->g, r->c, &r->v, 0, r->until);
    return NULL;
}

static void receiver_start(struct receiver *r, gc_client *g, gc_chan c, gc_until until)
{
    *r = (struct receiver){.g = g, .c = c, .until = until};
    assert_int_equal(pthread_create(&r->thread, NULL, receive_one, r), 0);
}

static int receiver_end(struct receiver *r)
{
    pthread_join(r->thread, NULL);
    return r->status;
}

/* ---- deadlines and contexts ---- */

static void test_IP1_deadline_ends_a_parked_receive_and_takes_nothing(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "deadline", 1);
    struct gc_value v;
    assert_fails(gc_recv(g, c, &v, 0, gc_after_ms(10)), -ETIMEDOUT);
    assert_false(gc_in_doubt());
    assert_ok(gc_send(g, c, gc_string("kept"), GC_FOREVER));
    assert_fails(gc_recv(g, c, &v, 0, gc_after_ms(0)), -ETIMEDOUT); /* IP1.4: past on arrival takes nothing */
    assert_fails(gc_recv(g, c, &v, 0, gc_after_ms(INT64_MAX)), 1);
    assert_value(&v, "kept");
}

static void test_context_ends_a_parked_receive(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "context", 0);
    gc_ctx *ctx = gc_ctx_new(g);
    struct receiver r;
    receiver_start(&r, g, c, gc_with(ctx));
    wait_parked(g, c, 0, 1);
    gc_ctx_cancel(ctx);
    assert_fails(receiver_end(&r), -ECANCELED);
    assert_true(gc_ctx_done(ctx));
    struct gc_value v;
    assert_fails(gc_recv(g, c, &v, 0, gc_with(ctx)), -ECANCELED);
    assert_fails(gc_recv(g, GC_NIL, &v, 0, gc_with(ctx)), -ECANCELED);
    wait_parked(g, c, 0, 0);
    gc_ctx_free(ctx);
}

static void test_N1_context_ends_a_nil_receive(void **state)
{
    gc_client *g = *state;
    gc_ctx *ctx = gc_ctx_new(g);
    struct receiver r;
    receiver_start(&r, g, GC_NIL, gc_with(ctx));
    assert_ok(gc_ping(g, GC_FOREVER));
    gc_ctx_cancel(ctx);
    assert_fails(receiver_end(&r), -ECANCELED);
    gc_ctx_free(ctx);
}

static gc_ctx *ctx_of_signal;

static void on_signal(int number)
{
    gc_ctx_cancel(ctx_of_signal);
}

static void test_context_may_be_cancelled_in_a_signal_handler(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "signal", 0);
    struct receiver r;
    ctx_of_signal = gc_ctx_new(g);
    signal(SIGUSR1, on_signal);
    receiver_start(&r, g, c, gc_with(ctx_of_signal));
    wait_parked(g, c, 0, 1);
    pthread_kill(r.thread, SIGUSR1);
    assert_fails(receiver_end(&r), -ECANCELED);
    signal(SIGUSR1, SIG_DFL);
    ctx_of_signal = gc_ctx_free(ctx_of_signal);
}

/* ---- IP1.1: a cancel against a value in flight loses nothing and doubles nothing ---- */

enum { RACES = 300 };

struct race {
    gc_client *g;
    gc_chan c;
    int received;
};

static void *receive_and_be_cancelled(void *arg)
{
    struct race *race = arg;
    for (int i = 0; i < RACES; i++) {
        struct gc_value v;
        int r = gc_recv(race->g, race->c, &v, 0, gc_after_ms(i % 3));
        race->received += r == 1;
        gc_value_clear(&v);
    }
    return NULL;
}

static void test_IP1_1_cancelled_receives_lose_no_value(void **state)
{
    gc_client *g = *state, *other = node_connect(node);
    gc_chan c = make(g, "race", 0), theirs = make(other, "race", 0);
    struct race race = {other, theirs, 0};
    pthread_t thread;
    int sent = 0;
    assert_int_equal(pthread_create(&thread, NULL, receive_and_be_cancelled, &race), 0);
    for (int i = 0; i < RACES; i++)
        sent += gc_send(g, c, gc_string("v"), gc_after_ms(i % 4)) == 0;
    pthread_join(thread, NULL);
    assert_int_equal(sent, race.received);
    gc_disconnect(other);
}

/* ---- many threads on one client (B6) ---- */

enum { CROWD = 16, EACH = 200 };

struct worker {
    pthread_t thread;
    gc_client *g;
    gc_chan c;
    uint64_t sum;
};

static void *send_many(void *arg)
{
    struct worker *w = arg;
    for (uint64_t i = 1; i <= EACH; i++)
        if (gc_send(w->g, w->c, gc_bytes(&i, sizeof i), GC_FOREVER) == 0)
            w->sum += i;
    return NULL;
}

static void *receive_all(void *arg)
{
    struct worker *w = arg;
    struct gc_value v = {0};
    while (gc_range(w->g, w->c, &v, 0, GC_FOREVER) > 0) {
        uint64_t i;
        memcpy(&i, v.data, sizeof i);
        w->sum += i;
    }
    return NULL;
}

static void crowd_start(struct worker *workers, gc_client *g, gc_chan c, void *(*run)(void *))
{
    for (int i = 0; i < CROWD; i++) {
        workers[i] = (struct worker){.g = g, .c = c};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
    }
}

static uint64_t crowd_end(struct worker *workers)
{
    uint64_t sum = 0;
    for (int i = 0; i < CROWD; i++) {
        pthread_join(workers[i].thread, NULL);
        sum += workers[i].sum;
    }
    return sum;
}

static void pass_among_threads(gc_client *g, gc_chan c)
{
    struct worker senders[CROWD], receivers[CROWD];
    crowd_start(receivers, g, c, receive_all);
    crowd_start(senders, g, c, send_many);
    uint64_t sent = crowd_end(senders);
    assert_ok(gc_close(g, c, GC_FOREVER));
    assert_int_equal(crowd_end(receivers), sent);
    assert_int_equal(sent, CROWD * (EACH * (EACH + 1) / 2));
}

static void test_B6_threads_of_one_client_rendezvous(void **state)
{
    pass_among_threads(*state, make(*state, "crowd.0", 0));
}

static void test_B6_threads_of_one_client_share_a_buffer(void **state)
{
    pass_among_threads(*state, make(*state, "crowd.8", 8));
}

/* ---- programs that dispatch themselves ---- */

static void test_client_without_thread_is_moved_by_dispatch(void **state)
{
    gc_client *g, *other = *state;
    struct gc_options options = {.size = sizeof options,
                                 .endpoint = node->endpoint,
                                 .answer_ms = NODE_ANSWER_MS,
                                 .flags = GC_NO_THREAD};
    assert_ok(gc_connect(&options, &g, NULL));
    gc_chan c = make(g, "dispatch", 1), theirs = make(other, "dispatch", 1);
    assert_ok(gc_send(other, theirs, gc_string("a"), GC_FOREVER));
    struct gc_value v;
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_value(&v, "a");
    gc_ctx *ctx = gc_ctx_new(g);
    while (gc_dispatch(g, GC_NOW) > 0)
        ;
    gc_ctx_cancel(ctx); /* something to do */
    struct pollfd poll_fd = {.fd = gc_fd(g), .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 10000), 1);
    assert_int_equal(gc_dispatch(g, GC_NOW), 1);
    gc_ctx_free(ctx);
    gc_disconnect(g);
}

/* ---- held values ---- */

static void test_IP1_2_held_value_given_back_is_flagged_returned(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "held", 4);
    struct gc_value v[3] = {{0}}, again;
    for (int i = 0; i < 3; i++)
        assert_ok(gc_send(g, c, gc_bytes(&"abc"[i], 1), GC_FOREVER));
    assert_fails(gc_recv_many(g, c, v, 3, GC_HOLD, GC_FOREVER), 3);
    assert_ok(gc_ack(g, &v[0]));
    assert_fails(gc_ack(g, &v[0]), -ESTALE);
    assert_ok(gc_return(g, &v[1])); /* and the one behind it */
    assert_fails(gc_ack(g, &v[2]), -ESTALE);
    assert_fails(gc_recv(g, c, &again, 0, GC_FOREVER), 1);
    assert_int_equal(again.flags, GC_RETURNED);
    assert_value(&again, "b");
    assert_fails(gc_ack(g, &again), -EINVAL);
    assert_fails(gc_recv(g, c, &again, 0, GC_FOREVER), 1);
    assert_value(&again, "c");
    for (int i = 0; i < 3; i++)
        gc_value_clear(&v[i]);
}

static void test_select_holds_too(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "held.select", 1);
    struct gc_value v = {0}, again;
    assert_ok(gc_send(g, c, gc_string("x"), GC_FOREVER));
    struct gc_case cases[] = {gc_case_recv(c, &v)};
    assert_ok(gc_select(g, cases, 1, GC_HOLD, GC_FOREVER));
    assert_ok(gc_return(g, &v));
    gc_value_clear(&v);
    assert_fails(gc_recv(g, c, &again, 0, GC_FOREVER), 1);
    assert_value(&again, "x");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, connect_client, disconnect_client)
    const struct CMUnitTest tests[] = {
        TEST(test_IP1_deadline_ends_a_parked_receive_and_takes_nothing),
        TEST(test_context_ends_a_parked_receive),
        TEST(test_N1_context_ends_a_nil_receive),
        TEST(test_context_may_be_cancelled_in_a_signal_handler),
        TEST(test_IP1_1_cancelled_receives_lose_no_value),
        TEST(test_B6_threads_of_one_client_rendezvous),
        TEST(test_B6_threads_of_one_client_share_a_buffer),
        TEST(test_client_without_thread_is_moved_by_dispatch),
        TEST(test_IP1_2_held_value_given_back_is_flagged_returned),
        TEST(test_select_holds_too),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
