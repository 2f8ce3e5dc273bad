/* tcp: no lifeline and no credentials, so a session lives by its lease. On a test clock. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "raw.h"

static struct node node, remote; /* the same daemon, by its other endpoint */

static int set_up(void **state)
{
    node_make(&node);
    node_start(&node, (char *[]){"--test-clock", "--listen", "tcp://127.0.0.1:*", "--listen-openly", NULL});
    remote = node;
    assert_true(node_logged_value(&node, "event=listening endpoint=tcp", remote.endpoint + 3,
                                  sizeof(remote.endpoint) - 3));
    memcpy(remote.endpoint, "tcp", 3);
    return 0;
}

static int tear_down(void **state)
{
    node_stop(&node);
    node_remove(&node);
    return 0;
}

/* HELLO without a session: the daemon draws one. The lease it grants, in ns. */
static int64_t open_remote(struct raw *raw)
{
    struct hello hello = {.program = {"far", 3}};

    raw_connect(raw, &remote);
    raw_send(raw, (struct client_frame){.hello = &hello});
    const struct server_frame *frame = raw_receive(raw);
    assert_int_equal(frame->refused, 0);
    assert_non_null(frame->welcome);
    raw->session = frame->welcome->session;
    assert_false(frame->welcome->absolute_deadlines);
    return frame->welcome->lease_ns;
}

static void advance(struct raw *raw, uint64_t id, int64_t ns)
{
    raw_ask(raw, (struct request){.id = id, .verb = VERB_CLOCK_ADVANCE, .clock_advance.ns = ns});
    assert_int_equal(raw_result(raw)->status, 0);
}

static void test_hello_without_a_session_is_given_one_with_a_lease(void **state)
{
    const struct secret none = {{0}};
    struct raw raw;

    assert_int_equal(open_remote(&raw), 10000000000);
    assert_memory_not_equal(&raw.session, &none, sizeof(none));
    raw_ask(&raw, (struct request){.id = 1, .verb = VERB_PING});
    assert_int_equal(raw_result(&raw)->status, 0);
    raw_close(&raw);
}

static void test_IP0_silence_beyond_the_lease_ends_the_session(void **state)
{
    struct raw raw, clock;
    int64_t lease_ns = open_remote(&raw);

    raw_open(&clock, &node);
    advance(&clock, 1, lease_ns - 1);
    raw_ask(&raw, (struct request){.id = 1, .verb = VERB_PING});
    assert_int_equal(raw_result(&raw)->status, 0);
    advance(&clock, 2, lease_ns - 1);
    raw_ask(&raw, (struct request){.id = 2, .verb = VERB_PING});
    assert_int_equal(raw_result(&raw)->status, 0);
    advance(&clock, 3, lease_ns + 1);
    raw_ask(&clock, (struct request){.id = 4, .verb = VERB_PING});
    assert_int_equal(raw_result(&clock)->status, 0);
    raw_ask(&raw, (struct request){.id = 3, .verb = VERB_PING});
    const struct server_frame *frame = raw_receive(&raw);
    assert_true(frame->refused == -ECONNRESET || frame->need_resume);
    raw_close(&clock);
    raw_close(&raw);
}

static void test_a_session_of_this_machine_is_refused_on_tcp(void **state)
{
    struct hello hello = {.program = {"thief", 5}};
    struct raw local, raw;

    raw_connect(&local, &node);
    raw_greet(&local, &node);
    hello.session = local.session;
    raw_connect(&raw, &remote);
    raw_send(&raw, (struct client_frame){.hello = &hello});
    assert_int_equal(raw_receive(&raw)->refused, -EPERM);
    raw_close(&raw);
    raw_close(&local);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello_without_a_session_is_given_one_with_a_lease),
        cmocka_unit_test(test_IP0_silence_beyond_the_lease_ends_the_session),
        cmocka_unit_test(test_a_session_of_this_machine_is_refused_on_tcp),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
