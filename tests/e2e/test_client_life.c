/* The ends of things: clients that die, daemons that are killed, stopped, restarted or absent (IP0, IP3, IP4). */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "client_fixture.h"
#include "connection.h"

static int start_node(void **state)
{
    *state = node_start();
    return 0;
}

static int stop_node(void **state)
{
    *state = node_delete(*state);
    return 0;
}

/* One call on a thread of its own, and what became of it. */
struct call {
    pthread_t thread;
    gc_client *g;
    gc_chan c;
    int (*run)(struct call *call);
    int status;
    bool doubt;
};

static int make_send(struct call *call)
{
    return gc_send(call->g, call->c, gc_string("x"), GC_FOREVER);
}

static int make_receive(struct call *call)
{
    struct gc_value v;
    int r = gc_recv(call->g, call->c, &v, 0, GC_FOREVER);
    gc_value_clear(&v);
    return r;
}

static int make_nil_receive(struct call *call)
{
    struct gc_value v;
    return gc_recv(call->g, GC_NIL, &v, 0, GC_FOREVER);
}

static void *run_call(void *arg)
{
    struct call *call = arg;
    call->status = call->run(call);
    call->doubt = gc_in_doubt();
    return NULL;
}

static void call_start(struct call *call, gc_client *g, gc_chan c, int (*run)(struct call *call))
{
    *call = (struct call){.g = g, .c = c, .run = run};
    assert_int_equal(pthread_create(&call->thread, NULL, run_call, call), 0);
}

static void call_ends(struct call *call, int status, bool doubt)
{
    pthread_join(call->thread, NULL);
    assert_int_equal(call->status, status);
    assert_int_equal(call->doubt, doubt);
}

/* ---- the daemon ends ---- */

static void test_IP4_killed_daemon_ends_parked_calls_as_the_matrix_says(void **state)
{
    struct node *node = *state;
    gc_client *g = node_connect(node);
    gc_chan a = make(g, "a", 0), b = make(g, "b", 0);
    struct call receive, send;
    call_start(&receive, g, a, make_receive);
    call_start(&send, g, b, make_send);
    wait_parked(g, a, 0, 1);
    wait_parked(g, b, 1, 0);
    node_kill(node, SIGKILL);
    call_ends(&receive, -ENETRESET, false);
    call_ends(&send, -ENETRESET, true);
    assert_fails(gc_send(g, b, gc_string("x"), GC_FOREVER), -ENETRESET);
    assert_false(gc_in_doubt()); /* it never left */
    gc_disconnect(g);
}

static void test_IP7_restarted_daemon_gets_a_new_session_and_old_handles_stay_void(void **state)
{
    struct node *node = *state;
    gc_client *g = node_connect(node);
    gc_chan old = make(g, "a", 1), fresh;
    struct gc_about before, after;
    struct gc_value v;
    gc_about(g, &before);
    node_kill(node, SIGKILL);
    node_run(node, true);
    int r;
    while ((r = gc_make(g, "a", 1, &fresh, GC_FOREVER)) == -ENETRESET)
        ; /* it left before the end was seen */
    assert_int_equal(r, 0);
    gc_about(g, &after);
    assert_true(after.incarnation > before.incarnation);
    assert_fails(gc_send(g, old, gc_string("x"), GC_FOREVER), -ENETRESET);
    assert_fails(gc_recv(g, old, &v, 0, GC_NOW), -ENETRESET);
    assert_ok(gc_send(g, fresh, gc_string("x"), GC_FOREVER));
    gc_disconnect(g);
}

static void test_stopped_daemon_says_so(void **state)
{
    struct node *node = *state;
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "a", 0);
    struct call receive;
    call_start(&receive, g, c, make_receive);
    wait_parked(g, c, 0, 1);
    node_kill(node, SIGTERM);
    call_ends(&receive, -ENETRESET, false);
    gc_disconnect(g);
}

static void test_call_to_a_daemon_that_stays_away_is_refused_after_its_patience(void **state)
{
    struct node *node = *state;
    gc_client *g;
    gc_chan c;
    struct gc_options options = {
        .size = sizeof options, .endpoint = node->endpoint, .answer_ms = NODE_ANSWER_MS, .reconnect_ms = 50};
    assert_ok(gc_connect(&options, &g, NULL));
    node_kill(node, SIGKILL);
    int r;
    while ((r = gc_make(g, "a", 1, &c, GC_FOREVER)) == -ENETRESET)
        ; /* it left before the end was seen */
    assert_int_equal(r, -ECONNREFUSED);
    assert_non_null(strstr(gc_why(), node->endpoint));
    assert_fails(gc_make(g, "a", 1, &c, gc_after_ms(5)), -ETIMEDOUT);
    assert_fails(gc_make(g, "a", 1, &c, GC_NOW), -EAGAIN);
    gc_disconnect(g);
}

static void test_connect_waits_for_a_daemon_that_is_not_there_yet(void **state)
{
    struct node *node = node_make();
    gc_client *g;
    char why[GC_WHY_BYTES];
    struct gc_options options = {
        .size = sizeof options, .endpoint = node->endpoint, .answer_ms = NODE_ANSWER_MS};
    assert_int_equal(gc_connect(&options, &g, why), -ECONNREFUSED);
    assert_null(g);
    assert_non_null(strstr(why, node->endpoint));
    assert_non_null(strstr(why, "goroutined"));
    options.absent_ms = 30000;
    node_run(node, false);
    assert_int_equal(gc_connect(&options, &g, why), 0);
    gc_disconnect(g);
    node_delete(node);
}

/* ---- clients end ---- */

static int hold_a_value(const struct node *node, int to, int from)
{
    gc_client *g = node_connect(node);
    gc_chan c;
    struct gc_value v;
    if (gc_make(g, "a", 0, &c, GC_FOREVER) < 0 || gc_recv(g, c, &v, GC_HOLD, GC_FOREVER) != 1)
        return 1;
    peer_say(to, 'h');
    for (;;)
        pause();
}

static void test_IP3_value_of_a_killed_receiver_goes_to_the_next_flagged(void **state)
{
    struct node *node = *state;
    struct peer peer = peer_start(node, hold_a_value);
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "a", 0);
    struct call send;
    struct gc_value v;
    call_start(&send, g, c, make_send);
    peer_hear(peer.from, 'h');
    kill(peer.pid, SIGKILL);
    assert_int_equal(peer_wait(&peer), 128 + SIGKILL);
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_int_equal(v.flags, GC_REDELIVERED);
    assert_value(&v, "x");
    call_ends(&send, 0, false); /* once, when the one that lived had it */
    gc_disconnect(g);
}

static int park_a_send(const struct node *node, int to, int from)
{
    gc_client *g = node_connect(node);
    gc_chan c;
    if (gc_make(g, "a", 0, &c, GC_FOREVER) < 0)
        return 1;
    peer_say(to, 'p');
    return gc_send(g, c, gc_string("never"), GC_FOREVER);
}

static void test_IP2_3_parked_send_of_a_killed_client_is_never_seen(void **state)
{
    struct node *node = *state;
    struct peer peer = peer_start(node, park_a_send);
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "a", 0);
    struct gc_value v;
    peer_hear(peer.from, 'p');
    wait_parked(g, c, 1, 0);
    kill(peer.pid, SIGKILL);
    assert_int_equal(peer_wait(&peer), 128 + SIGKILL);
    wait_parked(g, c, 0, 0);
    assert_fails(gc_recv(g, c, &v, 0, GC_NOW), -EAGAIN);
    gc_disconnect(g);
}

static void test_disconnect_acknowledges_what_was_received(void **state)
{
    struct node *node = *state;
    gc_client *g = node_connect(node), *other = node_connect(node);
    gc_chan c = make(g, "a", 2), theirs = make(other, "a", 2);
    struct gc_value v;
    assert_ok(gc_send(g, c, gc_string("x"), GC_FOREVER));
    assert_fails(gc_recv(other, theirs, &v, 0, GC_FOREVER), 1);
    gc_value_clear(&v);
    gc_disconnect(other);
    wait_handles(g, c, 1); /* the session is over */
    assert_fails(gc_recv(g, c, &v, 0, GC_NOW), -EAGAIN);
    gc_disconnect(g);
}

/* Nobody outside can see who waits for nil. */
static void wait_inside(gc_client *g, uint64_t calls)
{
    uint64_t seen;

    do {
        client_lock(g);
        seen = g->calls;
        client_unlock(g);
    } while (seen < calls && sched_yield() == 0);
}

static void test_disconnect_ends_calls_of_other_threads(void **state)
{
    struct node *node = *state;
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "a", 0);
    struct call receive, nil;
    call_start(&receive, g, c, make_receive);
    call_start(&nil, g, c, make_nil_receive);
    wait_parked(g, c, 0, 1);
    wait_inside(g, 2);
    gc_disconnect(g);
    call_ends(&receive, -ECONNRESET, false);
    pthread_join(nil.thread, NULL);
    assert_int_equal(nil.status, -ECONNRESET);
}

static void test_IP9_fork_has_no_session(void **state)
{
    struct node *node = *state;
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "a", 1);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(gc_send(g, c, gc_string("x"), GC_FOREVER) == -ECONNRESET && !gc_disconnect(g) ? 0 : 1);
    struct peer child = {.pid = pid, .to = dup(0), .from = dup(0)};
    assert_int_equal(peer_wait(&child), 0);
    assert_ok(gc_send(g, c, gc_string("x"), GC_FOREVER));
    gc_disconnect(g);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_node, stop_node)
    const struct CMUnitTest tests[] = {
        TEST(test_IP4_killed_daemon_ends_parked_calls_as_the_matrix_says),
        TEST(test_IP7_restarted_daemon_gets_a_new_session_and_old_handles_stay_void),
        TEST(test_stopped_daemon_says_so),
        TEST(test_call_to_a_daemon_that_stays_away_is_refused_after_its_patience),
        cmocka_unit_test(test_connect_waits_for_a_daemon_that_is_not_there_yet),
        TEST(test_IP3_value_of_a_killed_receiver_goes_to_the_next_flagged),
        TEST(test_IP2_3_parked_send_of_a_killed_client_is_never_seen),
        TEST(test_disconnect_acknowledges_what_was_received),
        TEST(test_disconnect_ends_calls_of_other_threads),
        TEST(test_IP9_fork_has_no_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
