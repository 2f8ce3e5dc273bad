/* The ZeroMQ transport alone: a hub of this test takes its frames. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "hub.h"
#include "paths.h"

enum { CONNS_MAX = 8, PATIENCE_MS = 60000 };

static struct hub hub;
static struct transport *transport;
static char directory[64], endpoint[128];
static void *context;

/* What the hub was told. */
static struct conn *conns[CONNS_MAX];
static uint64_t conns_n, frames_n, refused_n, ended_n;
static size_t last_parts, last_bytes;
static struct conn *last_conn;

void hub_conn_opened(struct hub *told, struct conn *conn, struct transport *by, struct credentials who)
{
    assert_true(conns_n < CONNS_MAX);
    conn->number = conns_n + 1;
    conn->transport = by;
    conn->who = who;
    outbox_lane_init(&conn->lane);
    conns[conns_n++] = conn;
}

void hub_conn_ended(struct hub *told, struct conn *conn)
{
    conns[conn->number - 1] = NULL;
    ended_n++;
    conn->transport->ops->forget(conn);
}

void hub_frame(struct hub *told, struct conn *conn, const struct bytes *parts, size_t parts_n)
{
    last_conn = conn;
    last_parts = parts_n;
    last_bytes = 0;
    for (size_t i = 0; i < parts_n; i++)
        last_bytes += parts[i].size;
    frames_n++;
}

void hub_refuse(struct hub *told, struct conn *conn, const char *why)
{
    refused_n++;
    frames_n++;
}

static int set_up(void **state)
{
    const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;
    struct transport_options options = {.endpoint = endpoint, .frame_bytes_max = 2 << 20, .mode = 0600};
    char *why = NULL;

    hub = (struct hub){0};
    conns_n = frames_n = refused_n = ended_n = 0;
    hub.out = wire_new(&bounds);
    strcpy(directory, "/tmp/test_zmq-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(endpoint, sizeof(endpoint), "ipc://%s/socket", directory);
    assert_int_equal(poller_init(&hub.poller), 0);
    if (transport_zmq.open(&hub, &options, &transport, &why) < 0)
        fail_msg("%s", why);
    context = zmq_ctx_new();
    return 0;
}

static int tear_down(void **state)
{
    zmq_ctx_term(context);
    for (uint64_t i = 0; i < conns_n; i++)
        if (conns[i])
            transport->ops->forget(conns[i]);
    transport->ops->close(transport);
    poller_destroy(&hub.poller);
    wire_delete(hub.out);
    paths_remove(directory);
    return 0;
}

static void *dealer_in(void *in, const char *id)
{
    const int none = 0, patience = PATIENCE_MS;
    void *dealer = zmq_socket(in, ZMQ_DEALER);

    zmq_setsockopt(dealer, ZMQ_LINGER, &none, sizeof(none));
    zmq_setsockopt(dealer, ZMQ_RCVTIMEO, &patience, sizeof(patience));
    if (id)
        zmq_setsockopt(dealer, ZMQ_ROUTING_ID, id, strlen(id));
    if (zmq_connect(dealer, endpoint))
        abort();
    return dealer;
}

/* Takes frames as the loop does until `n` have come. */
static void receive_until(uint64_t n)
{
    while (frames_n < n) {
        if (!transport->ops->receive(transport, 256) && !transport->ops->waiting(transport))
            assert_true(poller_wait(&hub.poller, PATIENCE_MS) > 0);
    }
}

static void test_a_frame_comes_with_the_credentials_of_its_sender(void **state)
{
    void *dealer = dealer_in(context, NULL);

    zmq_send(dealer, "frame", 5, 0);
    receive_until(1);
    assert_int_equal(last_bytes, 5);
    assert_true(last_conn->who.known);
    assert_int_equal(last_conn->who.pid, getpid());
    assert_int_equal(last_conn->who.uid, geteuid());
    zmq_send(dealer, "frame", 5, 0);
    receive_until(2);
    assert_int_equal(conns_n, 1);
    zmq_close(dealer);
}

static void test_all_parts_come_in_one_frame(void **state)
{
    static char large[20000];
    void *dealer = dealer_in(context, NULL);

    for (int i = 0; i < 199; i++)
        zmq_send(dealer, large, (size_t)i * 100, ZMQ_SNDMORE);
    zmq_send(dealer, large, sizeof(large), 0);
    receive_until(1);
    assert_int_equal(last_parts, 200);
    assert_int_equal(last_bytes, 199 * 198 / 2 * 100 + sizeof(large));
    zmq_close(dealer);
}

static void test_too_many_parts_are_counted_not_kept(void **state)
{
    void *dealer = dealer_in(context, NULL);

    for (int i = 0; i < WIRE_PARTS_MAX; i++)
        zmq_send(dealer, "", 0, ZMQ_SNDMORE);
    zmq_send(dealer, "", 0, 0);
    receive_until(1);
    assert_int_equal(last_parts, WIRE_PARTS_MAX + 1);
    zmq_close(dealer);
}

/* Each part is smaller than frame_bytes_max, and twenty together are not. */
static void test_limit_frame_bytes_max_bounds_all_parts_together(void **state)
{
    static char large[1 << 20];
    void *dealer = dealer_in(context, NULL);

    zmq_send(dealer, large, sizeof(large), 0);
    receive_until(1);
    assert_int_equal(refused_n, 0);
    for (int i = 0; i < 20; i++)
        zmq_send(dealer, large, sizeof(large), ZMQ_SNDMORE);
    zmq_send(dealer, "", 0, 0);
    receive_until(2);
    assert_int_equal(refused_n, 1);
    zmq_send(dealer, "next", 4, 0);
    receive_until(3);
    assert_int_equal(last_bytes, 4);
    zmq_close(dealer);
}

/* The edge of ZMQ_FD is spent, and frames are left behind the cap. */
static void test_frames_behind_the_cap_are_seen_waiting(void **state)
{
    void *dealer = dealer_in(context, NULL);

    for (int i = 0; i < 10; i++)
        zmq_send(dealer, "frame", 5, 0);
    receive_until(1);
    while (frames_n < 10) {
        if (transport->ops->waiting(transport))
            assert_int_equal(transport->ops->receive(transport, 1), 1);
        else
            assert_true(poller_wait(&hub.poller, PATIENCE_MS) > 0);
    }
    assert_int_equal(transport->ops->receive(transport, 1), 0);
    assert_false(transport->ops->waiting(transport));
    zmq_close(dealer);
}

/* ---- sending ---- */

static char filling[100000];

static int send_number(struct conn *conn, uint64_t number, const struct welcome *welcome)
{
    struct result result = {.op = number, .output = {filling, sizeof(filling)}};
    struct server_frame frame = {.number = number, .welcome = welcome, .results = &result, .results_n = 1};
    struct wire_message message;

    wire_reset(hub.out);
    assert_int_equal(wire_encode_server(hub.out, &frame, &message), 0);
    return transport->ops->send(conn, &frame, &message);
}

/* The number of the next frame the dealer gets; 0: none for the moment. */
static uint64_t next_number(void *dealer)
{
    const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;
    struct bytes parts[2];
    zmq_msg_t messages[2];
    const struct server_frame *frame;
    const char *why;

    zmq_msg_init(&messages[0]);
    if (zmq_msg_recv(&messages[0], dealer, ZMQ_DONTWAIT) < 0)
        return 0;
    zmq_msg_init(&messages[1]);
    assert_true(zmq_msg_recv(&messages[1], dealer, 0) >= 0);
    for (int i = 0; i < 2; i++)
        parts[i] = (struct bytes){zmq_msg_data(&messages[i]), zmq_msg_size(&messages[i])};
    struct wire *wire = wire_new(&bounds);
    assert_int_equal(wire_decode_server(wire, parts, 2, &frame, &why), 0);
    uint64_t number = frame->number;
    wire_delete(wire);
    zmq_msg_close(&messages[0]);
    zmq_msg_close(&messages[1]);
    return number;
}

static void *connected(struct conn **conn)
{
    void *dealer = dealer_in(context, NULL);

    zmq_send(dealer, "frame", 5, 0);
    receive_until(frames_n + 1);
    *conn = last_conn;
    return dealer;
}

/* Sends until frames are dropped; the number of the last one that was not. */
static uint64_t fill(struct conn *conn)
{
    uint64_t number = 0;

    while (!hub.stats.dropped_frames)
        assert_int_equal(send_number(conn, ++number, NULL), 0);
    return number - 1;
}

static void test_a_slow_client_gets_all_frames_up_to_the_first_dropped_in_order(void **state)
{
    struct conn *conn;
    void *dealer = connected(&conn);
    uint64_t last = fill(conn), seen = 0;

    assert_true(hub.pending);
    while (seen < last) {
        uint64_t number = next_number(dealer);
        if (number)
            assert_int_equal(number, ++seen);
        else
            transport->ops->resend(transport);
    }
    assert_false(transport->ops->resend(transport));
    zmq_close(dealer);
}

static void test_a_slow_client_does_not_hold_up_another(void **state)
{
    struct conn *slow, *quick;
    void *asleep = connected(&slow), *awake = connected(&quick);

    fill(slow);
    assert_int_equal(send_number(quick, 1, NULL), 0);
    zmq_pollitem_t item = {.socket = awake, .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, PATIENCE_MS), 1);
    assert_int_equal(next_number(awake), 1);
    zmq_close(asleep);
    zmq_close(awake);
}

static void test_IP7_a_welcome_replaces_what_was_pending(void **state)
{
    const struct welcome welcome = {.incarnation = 1};
    struct conn *conn;
    void *dealer = connected(&conn);
    uint64_t seen = 0, number;

    fill(conn);
    assert_int_equal(send_number(conn, 1, &welcome), 0);
    for (;;) {
        number = next_number(dealer);
        if (!number)
            transport->ops->resend(transport);
        else if (number == 1 && seen)
            break;
        else
            seen = number;
    }
    assert_false(transport->ops->resend(transport));
    zmq_close(dealer);
}

/* Sends until libzmq has noticed that the connection is gone. Each look comes after an event of its socket or a
 * moment, so that the frames of all looks do not reach the high-water mark, behind which a send no longer asks. */
static int send_until_gone(struct conn *conn)
{
    int r = 0;

    for (uint64_t number = 1; !r; number++) {
        poller_wait(&hub.poller, 10);
        r = send_number(conn, number, NULL);
    }
    return r;
}

static void test_a_client_that_has_gone_is_noticed_by_a_send(void **state)
{
    struct conn *conn;
    void *dealer = connected(&conn);

    zmq_close(dealer);
    assert_int_equal(send_until_gone(conn), -EHOSTUNREACH);
}

/* In a process of its own: for each byte a new connection with this routing id and one frame on it. */
static int speak_when_told(int told)
{
    void *mine = zmq_ctx_new(), *dealer = NULL;
    char byte;

    while (read(told, &byte, 1) == 1 && byte == 'c') {
        if (dealer)
            zmq_close(dealer);
        dealer = dealer_in(mine, "same");
        zmq_send(dealer, "frame", 5, 0);
    }
    return 0;
}

/* Another process takes the routing id of one that has gone: it must not be taken for that one. libzmq turns it
 * away for as long as it still holds the id, which nothing tells, so it tries again. */
static void test_IP9_a_routing_id_of_another_process_is_another_connection(void **state)
{
    int go[2];

    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (!pid)
        _exit(speak_when_told(go[0]));
    void *dealer = dealer_in(context, "same");
    zmq_send(dealer, "frame", 5, 0);
    receive_until(1);
    zmq_close(dealer);
    while (frames_n < 2) {
        assert_int_equal(write(go[1], "c", 1), 1);
        for (int look = 0; look < 20 && frames_n < 2; look++) {
            poller_wait(&hub.poller, 10);
            transport->ops->receive(transport, 256);
        }
    }
    assert_int_equal(conns_n, 2);
    assert_int_equal(ended_n, 1);
    assert_int_equal(last_conn->who.pid, pid);
    assert_int_equal(write(go[1], "e", 1), 1);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(go[0]);
    close(go[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_frame_comes_with_the_credentials_of_its_sender),
        TEST(test_all_parts_come_in_one_frame),
        TEST(test_too_many_parts_are_counted_not_kept),
        TEST(test_limit_frame_bytes_max_bounds_all_parts_together),
        TEST(test_frames_behind_the_cap_are_seen_waiting),
        TEST(test_a_slow_client_gets_all_frames_up_to_the_first_dropped_in_order),
        TEST(test_a_slow_client_does_not_hold_up_another),
        TEST(test_IP7_a_welcome_replaces_what_was_pending),
        TEST(test_a_client_that_has_gone_is_noticed_by_a_send),
        TEST(test_IP9_a_routing_id_of_another_process_is_another_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
