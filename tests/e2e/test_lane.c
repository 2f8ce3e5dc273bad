/* The local lane: frames over a lifeline, as PROTOCOL.md says them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lane.h"
#include "raw.h"

enum { PINGS = 1000, PAYLOAD_BYTES = 16000 }; /* together far more than a socket and PENDING_BYTES_MAX hold */

static struct node node;

static int set_up(void **state)
{
    node_make(&node);
    node_start(&node, (char *[]){"--lane", "auto", NULL});
    return 0;
}

static int tear_down(void **state)
{
    node_stop(&node);
    node_remove(&node);
    return 0;
}

/* A client whose session is that of its lane. */
static void lane_open(struct raw *raw)
{
    struct hello hello = {.program = {"lane", 4}};

    raw_connect_by(raw, &node, true);
    raw_greet(raw, &node);
    hello.session = raw->session;
    raw_send(raw, (struct client_frame){.hello = &hello});
    assert_non_null(raw_receive(raw)->welcome);
}

static uint64_t last_id;

/* Reads until the result of an operation is there. */
static void await(struct raw *raw, uint64_t id)
{
    for (;;) {
        const struct server_frame *frame = raw_receive(raw);
        assert_int_equal(frame->refused, 0);
        for (size_t i = 0; i < frame->results_n; i++)
            if (frame->results[i].op == id) {
                assert_true(frame->results[i].status >= 0);
                return;
            }
    }
}

static void expect_alive(struct raw *raw)
{
    raw_ask(raw, (struct request){.id = ++last_id, .verb = VERB_PING});
    await(raw, last_id);
}

/* The session on another connection, with one operation that has no result yet. */
static void take_up(struct raw *raw, struct secret session, uint64_t open_op)
{
    struct resume resume = {.session = session, .open_ops = &open_op, .open_ops_n = 1};
    const struct server_frame *frame;

    raw->number = 0;
    raw_send(raw, (struct client_frame){.resume = &resume, .ack_mark = open_op - 1});
    raw->number = 1;
    while (!(frame = raw_receive(raw))->welcome)
        assert_int_equal(frame->refused, 0);
    assert_int_equal(frame->states_n, 1);
    assert_int_equal(frame->states[0].fate, FATE_PARKED);
}

static uint64_t park(struct raw *raw, uint64_t handle)
{
    uint64_t id = ++last_id;

    raw_ask(raw, (struct request){.id = id, .verb = VERB_RECV, .recv = {handle, 1}});
    expect_alive(raw); /* it is there */
    return id;
}

/* The value for the parked receive comes here. */
static void feed(struct raw *raw, uint64_t handle, uint64_t parked)
{
    const struct value value = {{"v", 1}, 0};

    raw_ask(raw, (struct request){.id = ++last_id, .verb = VERB_SEND, .send = {handle, &value, 1}});
    await(raw, parked);
}

static void test_IP7_a_session_moves_between_lanes_and_zmq(void **state)
{
    struct raw owner, lane, zmq;
    const struct request_chan_open open = {.capacity = 1, .flags = OPEN_CREATE};

    lane_open(&owner);
    raw_ask(&owner, (struct request){.id = ++last_id, .verb = VERB_CHAN_OPEN, .chan_open = open});
    uint64_t handle = raw_result(&owner)->handle;
    uint64_t parked = park(&owner, handle);
    raw_connect_by(&lane, &node, true);
    take_up(&lane, owner.session, parked);
    feed(&lane, handle, parked);
    parked = park(&lane, handle);
    raw_close(&lane); /* the session of its own greeting ends with it, and no other */
    raw_connect_by(&zmq, &node, false);
    take_up(&zmq, owner.session, parked);
    feed(&zmq, handle, parked);
    parked = park(&zmq, handle);
    take_up(&owner, owner.session, parked);
    feed(&owner, handle, parked);
    raw_close(&zmq);
    expect_alive(&owner);
    raw_close(&owner);
}

static void expect_farewell(const void *bytes, size_t size)
{
    struct secret session;
    struct raw other;
    int fd = lifeline_open(&node, &session);

    assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
    assert_int_equal(lifeline_farewell(fd), -EPROTO);
    close(fd);
    lane_open(&other);
    expect_alive(&other);
    raw_close(&other);
}

static void test_lengths_that_cannot_be_end_the_stream_with_a_word(void **state)
{
    const uint32_t nothing[] = {0, 0}, short_of_parts[] = {3, 1}, huge[] = {UINT32_MAX, 1};
    const uint32_t over_limit[] = {(80 << 20) + 1, 1}, no_parts[] = {4, 0}, many_parts[] = {8, 3, 0};
    const uint32_t long_body[] = {12, 2, 5, 0}, wrapped[] = {16, 3, UINT32_MAX, UINT32_MAX, 0};

    expect_farewell(nothing, sizeof nothing);
    expect_farewell(short_of_parts, sizeof short_of_parts);
    expect_farewell(huge, sizeof huge);
    expect_farewell(over_limit, sizeof over_limit);
    expect_farewell(no_parts, sizeof no_parts);
    expect_farewell(many_parts, sizeof many_parts);
    expect_farewell(long_body, sizeof long_body);
    expect_farewell(wrapped, sizeof wrapped);
}

static void test_a_frame_comes_whole_in_whatever_pieces(void **state)
{
    /* version 1, number 2 and 3, requests: { id: 133 and 134, ping: {} } */
    static const struct {
        uint32_t bytes, parts;
        uint8_t head[12];
    } frames[] = {{16, 1, {8, 1, 16, 2, 0x52, 6, 8, 0x85, 1, 0x82, 3, 0}},
                  {16, 1, {8, 1, 16, 3, 0x52, 6, 8, 0x86, 1, 0x82, 3, 0}}};
    const char *pings = (const char *)frames;
    struct raw raw;

    for (size_t piece = 1; piece <= sizeof frames; piece++) {
        lane_open(&raw);
        for (size_t at = 0; at < sizeof frames; at += piece) {
            size_t size = at + piece < sizeof frames ? piece : sizeof frames - at;
            assert_int_equal(send(raw.stream, pings + at, size, MSG_NOSIGNAL), size);
        }
        for (size_t answers = 0; answers < 2;)
            answers += raw_receive(&raw)->results_n;
        raw_close(&raw);
    }
}

/* ---- a client that does not read ---- */

static void send_pings(struct raw *raw)
{
    static char payload[PAYLOAD_BYTES];

    for (uint64_t id = 1; id <= PINGS; id++)
        raw_ask(raw,
                (struct request){.id = id, .verb = VERB_PING, .ping.payload = {payload, sizeof payload}});
}

/* Takes up the session again: what came is acknowledged, the rest asked for. */
static void resume_after(struct raw *raw, uint64_t last)
{
    uint64_t open_ops[PINGS];
    struct resume again = {.session = raw->session, .open_ops = open_ops, .open_ops_n = PINGS - last};

    for (uint64_t i = 0; i < PINGS - last; i++)
        open_ops[i] = last + 1 + i;
    raw->number = 0;
    raw_send(raw, (struct client_frame){.resume = &again, .ack_mark = last});
}

static void test_a_client_that_does_not_read_delays_nobody_and_resumes(void **state)
{
    struct raw raw, other;
    uint64_t last = 0, resumes = 0;

    lane_open(&raw);
    lane_open(&other);
    send_pings(&raw);
    for (int i = 0; i < 100; i++)
        expect_alive(&other);
    while (last < PINGS) {
        const struct server_frame *frame = raw_receive(&raw);
        assert_int_equal(frame->refused, 0);
        if (frame->need_resume)
            resume_after(&raw, last);
        resumes += frame->need_resume;
        for (size_t i = 0; i < frame->results_n; i++)
            last += frame->results[i].op == last + 1;
    }
    assert_true(resumes > 0);
    raw_close(&other);
    raw_close(&raw);
}

/* ---- a daemon that wants no lane ---- */

static void test_a_refused_lane_leaves_the_session_to_zmq(void **state)
{
    struct node own;
    struct raw lane, zmq;
    struct hello hello = {.program = {"lane", 4}, .attempt = 1};

    node_make(&own);
    node_start(&own, (char *[]){"--lane", "zmq", NULL});
    raw_connect_by(&lane, &own, true);
    hello.session = lane.session;
    raw_send(&lane, (struct client_frame){.hello = &hello});
    assert_int_equal(raw_receive(&lane)->refused, -EOPNOTSUPP);
    raw_connect_by(&zmq, &own, false);
    hello.attempt = 2;
    raw_send(&zmq, (struct client_frame){.hello = &hello});
    assert_non_null(raw_receive(&zmq)->welcome);
    expect_alive(&zmq);
    raw_close(&zmq);
    raw_close(&lane);
    node_stop(&own);
    node_remove(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP7_a_session_moves_between_lanes_and_zmq),
        cmocka_unit_test(test_lengths_that_cannot_be_end_the_stream_with_a_word),
        cmocka_unit_test(test_a_frame_comes_whole_in_whatever_pieces),
        cmocka_unit_test(test_a_client_that_does_not_read_delays_nobody_and_resumes),
        cmocka_unit_test(test_a_refused_lane_leaves_the_session_to_zmq),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
