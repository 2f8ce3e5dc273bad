/* A receive window (IP6.1): order, bound, and what becomes of values that were fetched and not handed out. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "client_node.h"
#include "goclient_chan.h"

enum { VALUES = 1000, ROOM = 8 };

static void send_numbers(gc_client *g, gc_chan c, int n)
{
    for (int i = 0; i < n; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        assert_ok(gc_send(g, c, gc_string(text), GC_FOREVER));
    }
}

static void assert_number(struct gc_value *v, int i, unsigned flags)
{
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    assert_int_equal(v->flags, flags);
    assert_int_equal(v->size, strlen(text));
    assert_memory_equal(v->data, text, v->size);
}

static gc_window *window(gc_client *g, gc_chan c, unsigned n)
{
    gc_window *w;
    assert_ok(gc_window_open(g, c, n, &w, GC_FOREVER));
    return w;
}

static void take(gc_window *w, int first, int n)
{
    struct gc_value v = {.size = 0};
    for (int i = first; i < first + n; i++) {
        assert_fails(gc_window_range(w, &v, 0, GC_FOREVER), 1);
        assert_number(&v, i, 0);
    }
    gc_value_clear(&v);
}

static void test_IP6_1_a_window_gives_all_values_in_order_and_saves_frames(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "window.all", VALUES);
    send_numbers(g, c, VALUES);
    assert_ok(gc_close(g, c, GC_FOREVER));
    struct gc_about before, after;
    struct gc_value v = {.size = 0};
    gc_window *w = window(g, c, 100);
    gc_about(g, &before);
    take(w, 0, VALUES);
    assert_fails(gc_window_range(w, &v, 0, GC_FOREVER), 0);
    gc_about(g, &after);
    assert_true(after.frames_sent - before.frames_sent < VALUES / 10);
    gc_window_close(w);
    gc_disconnect(g);
}

static void test_IP6_1_no_more_is_fetched_than_the_window_holds(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "window.bound", 100);
    send_numbers(g, c, 100);
    for (unsigned n = 1; n <= ROOM; n++) {
        gc_window *w = window(g, c, n);
        struct gc_value v = {.size = 0};
        struct gc_chan_info info;
        assert_fails(gc_window_range(w, &v, GC_HOLD, GC_FOREVER), 1);
        assert_ok(gc_chan_info(g, c, &info, GC_FOREVER));
        assert_true(info.length + info.returned >= 100 - n);
        assert_ok(gc_return(g, &v)); /* and all behind it */
        gc_value_clear(&v);
        gc_window_close(w);
        assert_ok(gc_ping(g, GC_FOREVER)); /* what was asked for ahead has gone back */
        assert_ok(gc_chan_info(g, c, &info, GC_FOREVER));
        assert_int_equal(info.length + info.returned, 100);
        assert_fails(gc_recv(g, c, &v, GC_HOLD, GC_FOREVER), 1); /* those given back come first, in order */
        assert_number(&v, 0, GC_RETURNED);
        assert_ok(gc_return(g, &v));
        gc_value_clear(&v);
    }
    gc_disconnect(g);
}

static void assert_the_rest(gc_client *g, gc_chan c, int first, int n, unsigned flags)
{
    struct gc_value v;
    for (int i = first; i < n; i++) {
        assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
        assert_number(&v, i, i < first + ROOM ? v.flags : 0);
        assert_true(v.flags == flags || v.flags == 0);
        gc_value_clear(&v);
    }
}

static void test_IP6_1_what_was_not_handed_out_goes_back_at_the_close(void **state)
{
    gc_client *g = node_connect(node), *other = node_connect(node);
    gc_chan c = make(g, "window.close", 50), theirs = make(other, "window.close", 50);
    send_numbers(g, c, 50);
    gc_window *w = window(g, c, ROOM);
    take(w, 0, 3);
    gc_window_close(w);
    assert_ok(gc_ping(g, GC_FOREVER)); /* what was asked for and not there yet has come, and went back */
    assert_ok(gc_ping(g, GC_FOREVER));
    struct gc_value v;
    assert_fails(gc_recv(other, theirs, &v, 0, GC_FOREVER), 1);
    assert_number(&v, 3, GC_RETURNED);
    gc_value_clear(&v);
    assert_the_rest(other, theirs, 4, 50, GC_RETURNED);
    gc_disconnect(g);
    gc_disconnect(other);
}

static void test_IP6_1_what_was_not_handed_out_goes_back_when_the_handle_closes(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "window.drop", 20), again = make(g, "window.drop", 20);
    struct gc_value v = {.size = 0};
    send_numbers(g, c, 20);
    gc_window *w = window(g, c, ROOM);
    take(w, 0, 2);
    assert_ok(gc_drop(g, c));
    assert_fails(gc_window_range(w, &v, 0, GC_FOREVER), -ENOENT);
    gc_window_close(w);
    assert_ok(gc_ping(g, GC_FOREVER));
    assert_ok(gc_ping(g, GC_FOREVER));
    assert_the_rest(g, again, 2, 20, GC_RETURNED);
    gc_disconnect(g);
}

static void test_IP6_1_there_is_no_window_on_capacity_0(void **state)
{
    gc_client *g = node_connect(node);
    gc_window *w;
    assert_fails(gc_window_open(g, make(g, "window.none", 0), ROOM, &w, GC_FOREVER), -EINVAL);
    assert_fails(gc_window_open(g, make(g, "window.one", 1), 0, &w, GC_FOREVER), -EINVAL);
    assert_fails(gc_window_open(g, make(g, "window.one", 1), GC_VALUES_MAX + 1, &w, GC_FOREVER), -E2BIG);
    assert_fails(gc_window_open(g, GC_NIL, ROOM, &w, GC_FOREVER), -EINVAL);
    gc_disconnect(g);
}

static void test_IP1_1_a_deadline_of_a_window_loses_nothing(void **state)
{
    gc_client *g = node_connect(node), *other = node_connect(node);
    gc_chan c = make(g, "window.late", 20), theirs = make(other, "window.late", 20);
    struct gc_value v = {.size = 0};
    gc_window *w = window(g, c, ROOM);
    assert_fails(gc_window_range(w, &v, 0, GC_NOW), -EAGAIN);
    for (int i = 0; i < 20; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        assert_ok(gc_send(other, theirs, gc_string(text), GC_FOREVER));
        assert_fails(gc_window_range(w, &v, 0, GC_FOREVER), 1);
        assert_number(&v, i, 0);
        int r = gc_window_range(w, &v, 0, i % 2 ? gc_after_ms(1) : GC_NOW);
        assert_true(r == -ETIMEDOUT || r == -EAGAIN);
    }
    gc_window_close(w);
    wait_parked(other, theirs, 0, 0);
    gc_disconnect(g);
    gc_disconnect(other);
}

static int die_with_a_window(const struct node *at, int to, int from)
{
    gc_client *g = node_connect(at);
    struct gc_value v = {.size = 0};
    gc_window *w;
    gc_chan c;
    if (gc_make(g, "window.death", 30, &c, GC_FOREVER) < 0 || gc_window_open(g, c, ROOM, &w, GC_FOREVER) < 0)
        return 1;
    for (int i = 0; i < 3; i++)
        if (gc_window_range(w, &v, 0, GC_FOREVER) != 1)
            return 1;
    if (gc_ping(g, GC_FOREVER) < 0) /* the acknowledgements have arrived */
        return 1;
    peer_say(to, 'w');
    for (;;)
        pause();
}

static void test_IP3_values_of_a_killed_window_come_again_flagged(void **state)
{
    struct peer peer = peer_start(node, die_with_a_window);
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "window.death", 30);
    send_numbers(g, c, 30);
    peer_hear(peer.from, 'w');
    kill(peer.pid, SIGKILL);
    assert_int_equal(peer_wait(&peer), 128 + SIGKILL);
    wait_handles(g, c, 1); /* what it had been given ahead is back */
    assert_the_rest(g, c, 3, 30, GC_REDELIVERED);
    gc_disconnect(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP6_1_a_window_gives_all_values_in_order_and_saves_frames),
        cmocka_unit_test(test_IP6_1_no_more_is_fetched_than_the_window_holds),
        cmocka_unit_test(test_IP6_1_what_was_not_handed_out_goes_back_at_the_close),
        cmocka_unit_test(test_IP6_1_what_was_not_handed_out_goes_back_when_the_handle_closes),
        cmocka_unit_test(test_IP6_1_there_is_no_window_on_capacity_0),
        cmocka_unit_test(test_IP1_1_a_deadline_of_a_window_loses_nothing),
        cmocka_unit_test(test_IP3_values_of_a_killed_window_come_again_flagged),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
