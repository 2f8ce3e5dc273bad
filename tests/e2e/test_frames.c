/* What strangers may send to a real daemon: each gets a clear answer, and nobody else notices. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "raw.h"

static struct node node;

static int set_up(void **state)
{
    node_make(&node);
    node_start(&node, NULL);
    return 0;
}

static int tear_down(void **state)
{
    node_stop(&node);
    node_remove(&node);
    return 0;
}

static void expect_words(struct bytes text, const char *words)
{
    if (!memmem(text.data, text.size, words, strlen(words)))
        fail_msg("'%.*s' does not say '%s'", (int)text.size, (const char *)text.data, words);
}

/* The daemon still answers a well-behaved client. */
static void expect_alive(struct raw *raw)
{
    static uint64_t id = 1000;

    raw_ask(raw, (struct request){.id = ++id, .verb = VERB_PING, .ping.payload = {"echo", 4}});
    const struct result *result = raw_result(raw);
    assert_int_equal(result->op, id);
    assert_int_equal(result->status, 0);
    assert_int_equal(result->output.size, 4);
    assert_memory_equal(result->output.data, "echo", 4);
}

static void expect_malformed(const void *data, size_t size, const char *words)
{
    struct raw good, bad;

    raw_open(&good, &node);
    raw_connect(&bad, &node);
    raw_send_bytes(&bad, data, size);
    const struct server_frame *frame = raw_receive(&bad);
    assert_int_equal(frame->refused, -EBADMSG);
    expect_words(frame->text, words);
    expect_alive(&good);
    raw_close(&bad);
    raw_close(&good);
}

static void test_a_garbage_frame_is_refused_in_words(void **state)
{
    expect_malformed("\xff\xfe garbage", 10, "is not a ClientFrame");
}

static void test_a_truncated_frame_is_refused_in_words(void **state)
{
    expect_malformed("\x52\x10\x08\x01", 4, "the first part (4 bytes) is not a ClientFrame");
}

static void test_a_malformed_frame_leaves_its_session_alone(void **state)
{
    struct raw raw;

    raw_open(&raw, &node);
    raw_send_bytes(&raw, "\xff", 1);
    assert_int_equal(raw_receive(&raw)->refused, -EBADMSG);
    expect_alive(&raw);
    raw_close(&raw);
}

static void test_another_version_is_refused_with_both_named(void **state)
{
    struct hello hello = {.program = {"future", 6}};
    struct raw raw;

    raw_connect(&raw, &node);
    raw_greet(&raw, &node);
    hello.session = raw.session;
    raw_send(&raw, (struct client_frame){.version = 99, .hello = &hello});
    const struct server_frame *frame = raw_receive(&raw);
    assert_int_equal(frame->refused, -EPROTONOSUPPORT);
    expect_words(frame->text, "99");
    expect_words(frame->text, "1");
    raw_close(&raw);
}

static void test_an_unknown_verb_fails_its_operation_alone(void **state)
{
    struct raw raw;

    raw_open(&raw, &node);
    /* version 1, number 2, requests: { id: 5, field 95: {} } */
    raw_send_bytes(&raw, "\x08\x01\x10\x02\x52\x05\x08\x05\xfa\x05\x00", 11);
    raw.number = 2;
    const struct result *result = raw_result(&raw);
    assert_int_equal(result->op, 5);
    assert_int_equal(result->status, -EOPNOTSUPP);
    expect_words(result->text, "95");
    expect_alive(&raw);
    raw_close(&raw);
}

static void test_a_wrong_argument_is_answered_in_words(void **state)
{
    struct raw raw;

    raw_open(&raw, &node);
    raw_ask(&raw, (struct request){.id = 1, .verb = VERB_CHAN_OPEN, .chan_open.name = {"no spaces", 9}});
    const struct result *result = raw_result(&raw);
    assert_int_equal(result->status, -EINVAL);
    expect_words(result->text, "name has byte 0x20 at 2");
    raw_close(&raw);
}

static void test_IP0_an_unbound_connection_is_told_to_resume(void **state)
{
    struct raw raw;

    raw_connect(&raw, &node);
    raw_ask(&raw, (struct request){.id = 1, .verb = VERB_PING});
    assert_true(raw_receive(&raw)->need_resume);
    raw_close(&raw);
}

static void test_a_made_up_session_is_refused(void **state)
{
    struct hello hello = {.session = {{1, 2, 3}}};
    struct raw raw;

    raw_connect(&raw, &node);
    raw_send(&raw, (struct client_frame){.hello = &hello});
    const struct server_frame *frame = raw_receive(&raw);
    assert_int_equal(frame->refused, -EPERM);
    assert_true(frame->text.size > 0);
    raw_close(&raw);
}

static void test_hello_without_lifeline_is_refused(void **state)
{
    struct hello hello = {.program = {"lazy", 4}};
    struct raw raw;

    raw_connect(&raw, &node);
    raw_send(&raw, (struct client_frame){.hello = &hello});
    assert_true(raw_receive(&raw)->refused < 0);
    raw_close(&raw);
}

/* A check that fails in a child must end it, not go on with the tests. */
static pid_t fork_child(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (!pid)
        setenv("CMOCKA_TEST_ABORT", "1", 1);
    return pid;
}

/* A process of its own that holds a lifeline until `release` closes, and tells its session. */
static pid_t other_process(int *told, int *release)
{
    int tell[2], hold[2];
    struct secret session;
    char byte;

    assert_int_equal(pipe(tell) | pipe(hold), 0);
    pid_t pid = fork_child();
    if (!pid) {
        close(hold[1]);
        lifeline_open(&node, &session);
        if (write(tell[1], &session, sizeof(session)) != sizeof(session))
            _exit(1);
        _exit(read(hold[0], &byte, 1) != 0);
    }
    close(tell[1]);
    close(hold[0]);
    *told = tell[0];
    *release = hold[1];
    return pid;
}

static void test_IP9_the_session_of_another_process_is_refused(void **state)
{
    struct hello hello = {.program = {"thief", 5}};
    struct raw raw;
    int told, release;
    pid_t pid = other_process(&told, &release);

    assert_int_equal(read(told, &hello.session, sizeof(hello.session)), sizeof(hello.session));
    raw_connect(&raw, &node);
    raw_send(&raw, (struct client_frame){.hello = &hello});
    const struct server_frame *frame = raw_receive(&raw);
    assert_int_equal(frame->refused, -EPERM);
    close(release);
    close(told);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    raw_close(&raw);
}

static void test_a_gap_in_the_numbers_forces_a_resume(void **state)
{
    struct request ping = {.id = 1, .verb = VERB_PING};
    struct raw raw;

    raw_open(&raw, &node);
    raw_send(&raw, (struct client_frame){.number = 9, .requests = &ping, .requests_n = 1});
    assert_true(raw_receive(&raw)->need_resume);
    struct resume resume = {.session = raw.session};
    raw_send(&raw, (struct client_frame){.number = 1, .resume = &resume});
    raw.number = 1;
    const struct server_frame *frame = raw_receive(&raw);
    assert_non_null(frame->welcome);
    assert_int_equal(frame->number, 1);
    expect_alive(&raw);
    raw_close(&raw);
}

static void test_a_repeated_frame_is_dropped(void **state)
{
    struct request ping = {.id = 1, .verb = VERB_PING};
    struct raw raw;

    raw_open(&raw, &node);
    raw_send(&raw, (struct client_frame){.number = 2, .requests = &ping, .requests_n = 1});
    assert_int_equal(raw_result(&raw)->op, 1);
    raw_send(&raw, (struct client_frame){.number = 2, .requests = &ping, .requests_n = 1});
    raw.number = 2;
    expect_alive(&raw);
    raw_close(&raw);
}

/* ---- life and death ---- */

/* A channel that closes with its maker; the receive of `other` on it waits for that. */
static void watch_owner(struct raw *owner, struct raw *other)
{
    const struct request_chan_open open = {.name = {"owned", 5}, .flags = OPEN_CREATE | OPEN_OWNER_CLOSES};

    raw_open(owner, &node);
    raw_ask(owner, (struct request){.id = 1, .verb = VERB_CHAN_OPEN, .chan_open = open});
    assert_int_equal(raw_result(owner)->status, 0);
    raw_open(other, &node);
    raw_ask(other, (struct request){.id = 1, .verb = VERB_CHAN_OPEN, .chan_open.name = {"owned", 5}});
    const struct result *result = raw_result(other);
    assert_int_equal(result->status, 0);
    raw_ask(other, (struct request){.id = 2, .verb = VERB_RECV, .recv = {result->handle, 1}});
}

static void test_IP0_the_end_of_the_lifeline_ends_the_session(void **state)
{
    struct raw owner, other;

    watch_owner(&owner, &other);
    close(owner.lifeline);
    owner.lifeline = owner.stream = -1;
    const struct result *result = raw_result(&other);
    assert_int_equal(result->op, 2);
    assert_true(result->flags & RESULT_CLOSED);
    if (!raw_is_local()) { /* there the connection has ended, too */
        raw_ask(&owner, (struct request){.id = 2, .verb = VERB_PING});
        const struct server_frame *frame = raw_receive(&owner);
        assert_true(frame->refused == -ECONNRESET || frame->need_resume);
    }
    raw_close(&owner);
    raw_close(&other);
}

/* The lifeline's owner ends while a child of its holds the stream open. */
static void test_IP9_a_forked_child_does_not_keep_its_dead_parent_alive(void **state)
{
    struct raw other;
    int hold[2];
    char byte;

    assert_int_equal(pipe(hold), 0);
    pid_t pid = fork_child();
    if (!pid) {
        struct raw owner;
        close(hold[1]);
        watch_owner(&owner, &other);
        raw_close(&other);
        if (!fork())
            _exit(read(hold[0], &byte, 1) != 0); /* holds the stream */
        _exit(0);
    }
    close(hold[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    raw_open(&other, &node);
    raw_ask(&other, (struct request){.id = 1, .verb = VERB_CHAN_OPEN, .chan_open.name = {"owned", 5}});
    const struct result *result = raw_result(&other);
    if (result->status == 0) { /* seen before it was closed */
        raw_ask(&other, (struct request){.id = 2, .verb = VERB_RECV, .recv = {result->handle, 1}});
        assert_true(raw_result(&other)->flags & RESULT_CLOSED);
    }
    close(hold[1]);
    raw_close(&other);
}

static void test_what_is_no_frame_ends_a_lifeline_with_the_reason(void **state)
{
    struct secret session;
    int fd = lifeline_open(&node, &session);

    assert_int_equal(write(fd, "GET / HTTP/1.1", 14), 14);
    assert_int_equal(lifeline_farewell(fd), -EPROTO);
    close(fd);
}

static void test_bye_is_answered_by_a_farewell(void **state)
{
    struct raw raw;

    raw_open(&raw, &node);
    raw_send(&raw, (struct client_frame){.bye = true});
    assert_int_equal(lifeline_farewell(raw.lifeline), 0);
    raw_close(&raw);
}

static void test_large_values_travel_as_parts_both_ways(void **state)
{
    static char large[100000];
    struct value values[] = {
        {{large, sizeof(large)}, 0}, {{"small", 5}, 0}, {{large, PAYLOAD_FRAME_BYTES}, 0}};
    const struct request_chan_open open = {.capacity = 8, .flags = OPEN_CREATE};
    struct raw raw;

    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (char)(i * 7);
    raw_open(&raw, &node);
    raw_ask(&raw, (struct request){.id = 1, .verb = VERB_CHAN_OPEN, .chan_open = open});
    uint64_t handle = raw_result(&raw)->handle;
    raw_ask(&raw, (struct request){.id = 2, .verb = VERB_SEND, .send = {handle, values, 3}});
    assert_int_equal(raw_result(&raw)->status, 3);
    raw_ask(&raw, (struct request){.id = 3, .verb = VERB_RECV, .recv = {handle, 10}});
    const struct result *result = raw_result(&raw);
    assert_int_equal(result->values_n, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(result->values[i].body.size, values[i].body.size);
        assert_memory_equal(result->values[i].body.data, values[i].body.data, values[i].body.size);
    }
    raw_close(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_garbage_frame_is_refused_in_words),
        cmocka_unit_test(test_a_truncated_frame_is_refused_in_words),
        cmocka_unit_test(test_a_malformed_frame_leaves_its_session_alone),
        cmocka_unit_test(test_another_version_is_refused_with_both_named),
        cmocka_unit_test(test_an_unknown_verb_fails_its_operation_alone),
        cmocka_unit_test(test_a_wrong_argument_is_answered_in_words),
        cmocka_unit_test(test_IP0_an_unbound_connection_is_told_to_resume),
        cmocka_unit_test(test_a_made_up_session_is_refused),
        cmocka_unit_test(test_hello_without_lifeline_is_refused),
        cmocka_unit_test(test_IP9_the_session_of_another_process_is_refused),
        cmocka_unit_test(test_a_gap_in_the_numbers_forces_a_resume),
        cmocka_unit_test(test_a_repeated_frame_is_dropped),
        cmocka_unit_test(test_IP0_the_end_of_the_lifeline_ends_the_session),
        cmocka_unit_test(test_IP9_a_forked_child_does_not_keep_its_dead_parent_alive),
        cmocka_unit_test(test_what_is_no_frame_ends_a_lifeline_with_the_reason),
        cmocka_unit_test(test_bye_is_answered_by_a_farewell),
        cmocka_unit_test(test_large_values_travel_as_parts_both_ways),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
