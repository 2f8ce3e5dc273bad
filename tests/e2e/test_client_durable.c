/*
 * Durable channels through the library, the real daemon and the real store: it is killed and started again, and what was
 * acknowledged is there (IP12).
 */
#include "client_fixture.h"

#include <signal.h>
#include <stdio.h>

static struct node *node;
static gc_client *g;
static gc_chan c;

static void open_durable(unsigned flags)
{
    struct gc_chan_options options = {
        .size = sizeof(options), .flags = GC_CREATE | GC_DURABLE | flags, .capacity = 64};

    assert_ok(gc_open(g, "kept", &options, &c, GC_FOREVER));
}

static int set_up(void **state)
{
    node = node_start();
    g = node_connect(node);
    open_durable(0);
    return 0;
}

static int tear_down(void **state)
{
    g = gc_disconnect(g);
    node = node_delete(node);
    return 0;
}

/* As after a crash: nobody is told anything. */
static void crash(unsigned flags)
{
    node_kill(node, SIGKILL);
    node_run(node, true);
    gc_disconnect(g);
    g = node_connect(node);
    open_durable(flags);
}

static void send_text(const char *text)
{
    struct gc_value v = gc_string(text);

    assert_ok(gc_send(g, c, v, GC_FOREVER));
}

static void test_IP12_2_a_send_that_returned_survives_in_order(void **state)
{
    char text[16];

    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof(text), "%d", i);
        send_text(text);
    }
    crash(0);
    for (int i = 0; i < 40; i++) {
        struct gc_value v;

        assert_int_equal(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
        assert_int_equal(v.flags & GC_REDELIVERED, 0);
        snprintf(text, sizeof(text), "%d", i);
        assert_value(&v, text);
    }
}

static void test_IP12_3_what_may_have_been_seen_comes_back_with_the_flag(void **state)
{
    struct gc_value v;

    send_text("held");
    send_text("never seen");
    assert_int_equal(gc_recv(g, c, &v, GC_HOLD, GC_FOREVER), 1);
    gc_value_clear(&v);
    crash(0);
    assert_int_equal(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_true(v.flags & GC_REDELIVERED);
    assert_value(&v, "held");
    assert_int_equal(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_int_equal(v.flags & GC_REDELIVERED, 0);
    assert_value(&v, "never seen");
}

static void test_IP7_3_a_handle_of_the_daemon_before_fails(void **state)
{
    gc_chan old = c;
    struct gc_value v = gc_string("x");

    send_text("1");
    node_kill(node, SIGKILL);
    node_run(node, true);
    int r = gc_send(g, old, v, GC_FOREVER);
    assert_true(r == -ENETRESET || r == -ECONNRESET);
    gc_disconnect(g);
    g = node_connect(node);
    open_durable(0);
    struct gc_chan_info info;
    assert_ok(gc_chan_info(g, c, &info, GC_FOREVER));
    assert_true(info.durable && info.capacity == 64 && info.length == 1);
}

static void test_IP12_5_close_and_unlink_survive(void **state)
{
    struct gc_value v = gc_string("x");

    send_text("last");
    assert_ok(gc_close(g, c, GC_FOREVER));
    crash(0);
    assert_fails(gc_send(g, c, v, GC_FOREVER), -EPIPE);
    assert_int_equal(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_value(&v, "last");
    assert_int_equal(gc_recv(g, c, &v, 0, GC_FOREVER), 0);
    assert_ok(gc_unlink(g, "kept", GC_FOREVER));
    node_kill(node, SIGKILL);
    node_run(node, true);
    gc_disconnect(g);
    g = node_connect(node);
    assert_fails(gc_open(g, "kept", NULL, &c, GC_FOREVER), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP12_2_a_send_that_returned_survives_in_order),
        TEST(test_IP12_3_what_may_have_been_seen_comes_back_with_the_flag),
        TEST(test_IP7_3_a_handle_of_the_daemon_before_fails),
        TEST(test_IP12_5_close_and_unlink_survive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
