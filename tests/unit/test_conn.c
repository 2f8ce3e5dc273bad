/* Connections and peers of the hub, with a live core and a transport that only notes what it is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hub.h"

static struct hub hub;
static struct limits limits = LIMITS_DEFAULT;
static uint64_t forgotten_n, last_forgotten;
static struct server_frame last_head;

static void note_forgotten(struct conn *conn)
{
    forgotten_n++;
    last_forgotten = conn->number;
    free(conn);
}

static int note_frame(struct conn *conn, const struct server_frame *head, const struct wire_message *message)
{
    last_head = *head;
    return 0;
}

static const struct transport_ops ops = {.name = "test", .send = note_frame, .forget = note_forgotten};
static struct transport transport = {.ops = &ops};

static int hand_on(void *context, struct outbox_lane *lane, const struct server_frame *head,
                   const struct wire_message *message)
{
    struct conn *conn = container_of(lane, struct conn, lane);

    return conn->transport->ops->send(conn, head, message);
}

static void *resize(void *context, void *p, size_t size)
{
    if (size)
        return realloc(p, size);
    free(p);
    return NULL;
}

static int set_up(void **state)
{
    static const struct allocator memory = {resize, NULL};
    const struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;

    hub = (struct hub){.core = core_new(&limits, &memory, 0, 1, 1)};
    hub.in = wire_new(&bounds);
    hub.out = wire_new(&bounds);
    list_init(&hub.transports);
    list_init(&hub.unbound);
    list_init(&hub.lost);
    effects_init(&hub.effects);
    effects_init(&hub.done);
    clock_start(&hub.clock, true);
    outbox_init(&hub.outbox, hub.out, hand_on, NULL);
    forgotten_n = last_forgotten = 0;
    transport.remote = false;
    return 0;
}

static int tear_down(void **state)
{
    struct conn *conn, *next_conn;
    struct peer *peer, *next_peer;

    HASH_ITER (by_number, hub.peers_by_number, peer, next_peer)
        hub_peer_free(&hub, peer);
    HASH_ITER (hh, hub.conns, conn, next_conn)
        hub_conn_forget(&hub, conn);
    effects_clear(hub.core, &hub.effects);
    effects_clear(hub.core, &hub.done);
    core_delete(hub.core);
    wire_delete(hub.in);
    wire_delete(hub.out);
    return 0;
}

static struct conn *open_conn(void)
{
    struct conn *conn = calloc(1, sizeof(*conn));

    hub_conn_opened(&hub, conn, &transport, (struct credentials){1000, 1000, 77, true});
    return conn;
}

/* The frame that says HELLO with this session, through the decoder. */
static void say_hello(struct conn *conn, struct secret session)
{
    struct hello hello = {.session = session};
    struct client_frame frame = {.version = PROTOCOL_VERSION, .number = 1, .hello = &hello};
    struct wire_message message;
    char head[256];

    wire_reset(hub.out);
    assert_int_equal(wire_encode_client(hub.out, &frame, &message), 0);
    assert_true(message.head_bytes <= sizeof(head));
    wire_pack(&message, head);
    hub_frame(&hub, conn, &(struct bytes){head, message.head_bytes}, 1);
    hub_carry_out(&hub);
}

static void test_strangers_are_kept_to_a_number_the_oldest_goes_first(void **state)
{
    for (int i = 0; i < UNBOUND_MAX; i++)
        open_conn();
    assert_int_equal(forgotten_n, 0);
    open_conn();
    assert_int_equal(forgotten_n, 1);
    assert_int_equal(last_forgotten, 1);
    assert_null(hub_conn(&hub, 1));
    assert_non_null(hub_conn(&hub, 2));
}

static void test_a_welcome_binds_the_connection_to_its_peer(void **state)
{
    struct credentials who = {1000, 1000, 77, true};
    struct peer *peer = hub_peer_new(&hub, who, 0, NULL, false);
    struct conn *conn = open_conn();

    say_hello(conn, peer->secret);
    assert_non_null(last_head.welcome);
    assert_ptr_equal(conn->peer, peer);
    assert_int_equal(hub.unbound_n, 0);
}

static void test_IP9_another_process_is_not_bound(void **state)
{
    struct credentials other = {1000, 1000, 78, true};
    struct peer *peer = hub_peer_new(&hub, other, 0, NULL, false);
    struct conn *conn = open_conn();

    say_hello(conn, peer->secret);
    assert_int_equal(last_head.refused, -EPERM);
    assert_null(conn->peer);
}

static void test_the_death_of_a_peer_takes_its_connections_along(void **state)
{
    struct credentials who = {1000, 1000, 77, true};
    struct peer *peer = hub_peer_new(&hub, who, 0, NULL, false);
    struct conn *conn = open_conn(), *stranger = open_conn();
    uint64_t number = conn->number;

    say_hello(conn, peer->secret);
    hub_peer_died(&hub, peer);
    hub_carry_out(&hub);
    assert_null(hub_conn(&hub, number));
    assert_ptr_equal(hub_conn(&hub, stranger->number), stranger);
    assert_int_equal(forgotten_n, 1);
}

static void test_a_malformed_frame_is_answered_and_leaves_the_connection(void **state)
{
    struct conn *conn = open_conn();

    hub_frame(&hub, conn, &(struct bytes){"\xff", 1}, 1);
    assert_int_equal(last_head.refused, -EBADMSG);
    assert_true(last_head.text.size > 0);
    assert_int_equal(hub.stats.refused_frames, 1);
    assert_ptr_equal(hub_conn(&hub, conn->number), conn);
}

static void test_hello_from_afar_is_given_a_session(void **state)
{
    const struct secret none = {{0}};
    struct conn *conn = open_conn();

    transport.remote = true;
    conn->who.known = false;
    say_hello(conn, none);
    assert_non_null(conn->peer);
    assert_memory_not_equal(&conn->peer->secret, &none, sizeof(none));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_strangers_are_kept_to_a_number_the_oldest_goes_first),
        TEST(test_a_welcome_binds_the_connection_to_its_peer),
        TEST(test_IP9_another_process_is_not_bound),
        TEST(test_the_death_of_a_peer_takes_its_connections_along),
        TEST(test_a_malformed_frame_is_answered_and_leaves_the_connection),
        TEST(test_hello_from_afar_is_given_a_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
