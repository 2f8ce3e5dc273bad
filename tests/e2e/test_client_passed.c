/* Channels sent through channels (U6), between processes. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "client_node.h"
#include "goclient_chan.h"

enum { ROUNDS = 50 };

/* Sends what is asked with a channel for the answer, which it makes for this one question. */
static int ask(gc_client *g, gc_chan requests, const char *question, struct gc_value *answer)
{
    struct gc_passed reply = {.rights = GC_MAY_SEND};
    int r = gc_make(g, NULL, 1, &reply.chan, GC_FOREVER);
    if (r == 0)
        r = gc_send(g, requests, gc_carrying(gc_string(question), &reply, 1), GC_FOREVER);
    if (r == 0)
        r = gc_recv(g, reply.chan, answer, 0, GC_FOREVER);
    gc_drop(g, reply.chan);
    return r;
}

/* Answers with the question, on the channel that came with it. */
static int answer(gc_client *g, struct gc_value *question)
{
    if (question->chans_n != 1 || question->chans[0].rights != GC_MAY_SEND)
        return -1;
    int r = gc_send(g, question->chans[0].chan, gc_bytes(question->data, question->size), GC_FOREVER);
    gc_drop(g, question->chans[0].chan);
    return r;
}

static int serve(const struct node *at, int to, int from)
{
    gc_client *g = node_connect(at);
    struct gc_value v = {.size = 0};
    gc_chan requests;
    int r = gc_make(g, "passed.requests", 0, &requests, GC_FOREVER);
    while (r == 0 && (r = gc_range(g, requests, &v, 0, GC_FOREVER)) > 0)
        r = answer(g, &v);
    gc_disconnect(g);
    return r != 0;
}

static int ask_many(gc_client *g, const char *who)
{
    gc_chan requests;
    int r = gc_make(g, "passed.requests", 0, &requests, GC_FOREVER);
    for (int i = 0; i < ROUNDS && r >= 0; i++) {
        struct gc_value v = {.size = 0};
        char question[32];
        int n = snprintf(question, sizeof question, "%s %d", who, i);
        r = ask(g, requests, question, &v);
        if (r == 1 && (v.size != (size_t)n || memcmp(v.data, question, v.size) != 0))
            r = -1;
        gc_value_clear(&v);
    }
    gc_drop(g, requests);
    return r < 0 ? r : 0;
}

static int ask_from_elsewhere(const struct node *at, int to, int from)
{
    gc_client *g = node_connect(at);
    int r = ask_many(g, "elsewhere");
    gc_disconnect(g);
    return r < 0;
}

static uint64_t count_of(gc_client *g, const char *name)
{
    struct gc_stats stats;
    assert_true(gc_stats(g, name, &stats, GC_FOREVER) > 0);
    uint64_t value = stats.items[0].value;
    gc_stats_clear(&stats);
    return value;
}

static void test_U6_requests_are_answered_on_the_channels_they_carry(void **state)
{
    struct peer server = peer_start(node, serve), other = peer_start(node, ask_from_elsewhere);
    gc_client *g = node_connect(node);
    assert_ok(ask_many(g, "here"));
    assert_int_equal(peer_wait(&other), 0);
    gc_chan requests = make(g, "passed.requests", 0);
    assert_ok(gc_close(g, requests, GC_FOREVER));
    assert_int_equal(peer_wait(&server), 0);
    assert_ok(gc_unlink(g, "passed.requests", GC_FOREVER));
    assert_ok(gc_drop(g, requests));
    while (count_of(g, "channels") > 0) /* each question's is given back by both sides */
        ;
    gc_disconnect(g);
}

/* Receives one request, keeps it, and dies with it. */
static int hold_a_request(const struct node *at, int to, int from)
{
    gc_client *g = node_connect(at);
    struct gc_value v;
    gc_chan requests;
    if (gc_make(g, "passed.held", 1, &requests, GC_FOREVER) < 0 ||
        gc_recv(g, requests, &v, GC_HOLD, GC_FOREVER) != 1 ||
        gc_send(g, v.chans[0].chan, gc_string("first"), GC_FOREVER) < 0)
        return 1;
    gc_drop(g, v.chans[0].chan);
    if (gc_ping(g, GC_FOREVER) < 0)
        return 1;
    peer_say(to, 'h');
    for (;;)
        pause();
}

static int ask_for_two(const struct node *at, int to, int from)
{
    gc_client *g = node_connect(at);
    struct gc_passed reply = {.rights = 0};
    struct gc_value v;
    gc_chan requests;
    if (gc_make(g, "passed.held", 1, &requests, GC_FOREVER) < 0 ||
        gc_make(g, NULL, 0, &reply.chan, GC_FOREVER) < 0 ||
        gc_send(g, requests, gc_carrying(gc_string("q"), &reply, 1), GC_FOREVER) < 0)
        return 1;
    for (int i = 0; i < 2; i++) {
        if (gc_recv(g, reply.chan, &v, 0, GC_FOREVER) != 1)
            return 2;
        gc_value_clear(&v);
    }
    gc_disconnect(g);
    return 0;
}

static void test_IP3_a_request_of_a_killed_worker_comes_again_with_its_channel(void **state)
{
    struct peer worker = peer_start(node, hold_a_request), asker = peer_start(node, ask_for_two);
    gc_client *g = node_connect(node);
    gc_chan requests = make(g, "passed.held", 1);
    struct gc_value v;
    peer_hear(worker.from, 'h');
    kill(worker.pid, SIGKILL);
    assert_int_equal(peer_wait(&worker), 128 + SIGKILL);
    assert_fails(gc_recv(g, requests, &v, 0, GC_FOREVER), 1);
    assert_int_equal(v.flags, GC_REDELIVERED);
    assert_int_equal(v.chans_n, 1);
    assert_ok(gc_send(g, v.chans[0].chan, gc_string("second"), GC_FOREVER));
    assert_ok(gc_drop(g, v.chans[0].chan));
    gc_value_clear(&v);
    assert_int_equal(peer_wait(&asker), 0);
    gc_disconnect(g);
}

static void test_U6_a_returned_value_takes_its_handles_from_the_program(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "passed.returned", 2), y = make(g, NULL, 1);
    struct gc_passed two[] = {{y, GC_MAY_RECV}, {GC_NIL, 0}};
    struct gc_value v[2], none;
    assert_ok(gc_send(g, c, gc_string("plain"), GC_FOREVER));
    assert_ok(gc_send(g, c, gc_carrying(gc_string("v"), two, 2), GC_FOREVER));
    assert_fails(gc_recv_many(g, c, v, 2, GC_HOLD, GC_FOREVER), 2);
    assert_null(v[0].chans);
    gc_chan theirs = v[1].chans[0].chan;
    assert_int_equal(v[1].chans[1].chan.id, 0);
    assert_fails(gc_send(g, theirs, gc_string("x"), GC_NOW), -EPERM);
    assert_ok(gc_return(g, &v[0])); /* and the one behind it */
    assert_fails(gc_recv(g, theirs, &none, 0, GC_NOW), -ENOENT);
    gc_value_clear(&v[0]);
    gc_value_clear(&v[1]);
    assert_fails(gc_recv_many(g, c, v, 2, 0, GC_FOREVER), 2);
    assert_int_equal(v[1].chans_n, 2);
    assert_int_equal(v[1].flags, GC_RETURNED);
    assert_fails(gc_recv(g, v[1].chans[0].chan, &none, 0, GC_NOW), -EAGAIN);
    gc_value_clear(&v[0]);
    gc_value_clear(&v[1]);
    gc_disconnect(g);
}

static void test_U6_a_select_sends_and_receives_channels(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "passed.select", 1), y = make(g, NULL, 1);
    struct gc_passed passed = {y, 0};
    struct gc_value v;
    struct gc_case send = gc_case_send(c, gc_carrying(gc_string("v"), &passed, 1));
    struct gc_case recv = gc_case_recv(c, &v);
    assert_ok(gc_select(g, &send, 1, 0, GC_FOREVER));
    assert_ok(gc_select(g, &recv, 1, 0, GC_FOREVER));
    assert_int_equal(recv.status, 1);
    assert_ok(gc_send(g, v.chans[0].chan, gc_string("w"), GC_FOREVER));
    gc_value_clear(&v);
    assert_fails(gc_recv(g, y, &v, 0, GC_FOREVER), 1);
    assert_value(&v, "w");
    passed.chan.id = 12345;
    assert_fails(gc_send(g, c, gc_carrying(gc_string("v"), &passed, 1), GC_FOREVER), -ENOENT);
    gc_disconnect(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_U6_requests_are_answered_on_the_channels_they_carry),
        cmocka_unit_test(test_IP3_a_request_of_a_killed_worker_comes_again_with_its_channel),
        cmocka_unit_test(test_U6_a_returned_value_takes_its_handles_from_the_program),
        cmocka_unit_test(test_U6_a_select_sends_and_receives_channels),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
