/* Channels through libgoclient and a real daemon: the rules U, B, C, D, N, S between threads and processes. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "client_node.h"

/* A send on a thread of its own. */
struct sender {
    pthread_t thread;
    gc_client *g;
    gc_chan c;
    struct gc_value v;
    int status;
    bool doubt;
    atomic_bool done;
};

static void *send_one(void *arg)
{
    struct sender *s = arg;
    s->status = gc_send(s->g, s->c, s->v, GC_FOREVER);
    s->doubt = gc_in_doubt();
    atomic_store(&s->done, true);
    return NULL;
}

static void sender_start(struct sender *s, gc_client *g, gc_chan c, struct gc_value v)
{
    *s = (struct sender){.g = g, .c = c, .v = v};
    assert_int_equal(pthread_create(&s->thread, NULL, send_one, s), 0);
}

static int sender_end(struct sender *s)
{
    pthread_join(s->thread, NULL);
    return s->status;
}

/* ---- U, B: passing values ---- */

static void test_B1_B2_buffered_values_leave_in_order(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "b1", 3);
    struct gc_value v;
    assert_ok(gc_send(g, c, gc_string("a"), GC_NOW));
    assert_ok(gc_send(g, c, gc_string("b"), GC_NOW));
    assert_ok(gc_send(g, c, gc_string("c"), GC_NOW));
    assert_fails(gc_send(g, c, gc_string("d"), GC_NOW), -EAGAIN);
    assert_int_equal(gc_len(g, c, GC_FOREVER), 3);
    assert_int_equal(gc_cap(g, c, GC_FOREVER), 3);
    const char *expected[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
        assert_value(&v, expected[i]);
    }
    assert_fails(gc_recv(g, c, &v, 0, GC_NOW), -EAGAIN);
}

static void test_U5_empty_value_is_a_value(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "u5", 1);
    struct gc_value v;
    assert_ok(gc_send(g, c, gc_bytes(NULL, 0), GC_FOREVER));
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_int_equal(v.size, 0);
    gc_value_clear(&v);
}

static void test_large_value_arrives_whole(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "large", 1);
    size_t size = 1 << 20;
    char *bytes = malloc(size + 1);
    struct gc_value v;
    for (size_t i = 0; i <= size; i++)
        bytes[i] = (char)(i * 7);
    assert_ok(gc_send(g, c, gc_bytes(bytes, size), GC_FOREVER));
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_int_equal(v.size, size);
    assert_memory_equal(v.data, bytes, size);
    gc_value_clear(&v);
    assert_fails(gc_send(g, c, gc_bytes(bytes, size + 1), GC_FOREVER), -E2BIG);
    free(bytes);
}

static void test_vectors_pass_in_one_operation(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "vector", 5);
    struct gc_value in[7], out[7] = {{0}};
    for (int i = 0; i < 7; i++)
        in[i] = gc_bytes(&"0123456"[i], 1);
    int64_t ms = 20;
    int sent;
    while ((sent = gc_send_many(g, c, in, 7, gc_after_ms(ms))) == -ETIMEDOUT)
        ms *= 2; /* over before it was there */
    assert_int_equal(sent, 5);
    assert_fails(gc_recv_many(g, c, out, 7, 0, GC_FOREVER), 5);
    for (int i = 0; i < 5; i++)
        assert_value(&out[i], (char[]){(char)('0' + i), 0});
    assert_null(out[5].data);
    assert_fails(gc_send_many(g, c, in, 0, GC_NOW), -EINVAL);
    assert_fails(gc_send_many(g, c, in, GC_VALUES_MAX + 1, GC_NOW), -E2BIG);
}

/* Receives one value from "u2", and acknowledges it only when told. */
static int receive_when_told(const struct node *at, int to, int from)
{
    gc_client *g = node_connect(at);
    gc_chan c;
    struct gc_value v;
    if (gc_make(g, "u2", 0, &c, GC_FOREVER) < 0 || gc_recv(g, c, &v, GC_HOLD, GC_FOREVER) != 1)
        return 1;
    peer_say(to, 'r');
    peer_hear(from, 'a');
    int r = gc_ack(g, &v);
    gc_value_clear(&v);
    gc_disconnect(g);
    return r;
}

static void test_U1_U2_send_returns_after_the_other_process_has_the_value(void **state)
{
    struct peer peer = peer_start(node, receive_when_told);
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "u2", 0);
    struct sender s;
    sender_start(&s, g, c, gc_string("hand-shake"));
    peer_hear(peer.from, 'r');
    assert_ok(gc_ping(g, GC_FOREVER));
    assert_false(atomic_load(&s.done)); /* matched, received, and not acknowledged */
    peer_say(peer.to, 'a');
    assert_ok(sender_end(&s));
    assert_int_equal(peer_wait(&peer), 0);
    gc_disconnect(g);
}

static void test_U3_parked_sender_is_neither_length_nor_capacity(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "u3", 0);
    struct sender s;
    struct gc_value v;
    sender_start(&s, g, c, gc_string("x"));
    wait_parked(g, c, 1, 0);
    assert_int_equal(gc_len(g, c, GC_FOREVER), 0);
    assert_int_equal(gc_cap(g, c, GC_FOREVER), 0);
    assert_fails(gc_recv(g, c, &v, 0, GC_NOW), 1); /* U7: a parked sender is enough */
    assert_value(&v, "x");
    assert_ok(sender_end(&s));
}

static void test_U4_value_is_copied_at_the_call(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "u4", 0);
    char bytes[] = "before";
    struct sender s;
    struct gc_value v;
    sender_start(&s, g, c, gc_string(bytes));
    wait_parked(g, c, 1, 0);
    memcpy(bytes, "after!", 6);
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_value(&v, "before");
    assert_ok(sender_end(&s));
}

/* ---- C: close ---- */

static void test_C1_buffered_values_arrive_then_closed_for_ever(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "c1", 2);
    struct gc_value v;
    assert_ok(gc_send(g, c, gc_string("last"), GC_FOREVER));
    assert_ok(gc_close(g, c, GC_FOREVER));
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_value(&v, "last");
    for (int i = 0; i < 3; i++) {
        assert_ok(gc_recv(g, c, &v, 0, GC_FOREVER));
        assert_null(v.data);
    }
}

static void *receive_one(void *arg)
{
    struct sender *s = arg;
    s->status = gc_recv(s->g, s->c, &s->v, 0, GC_FOREVER);
    return NULL;
}

static void test_C2_close_wakes_every_parked_receiver(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "c2", 0);
    struct sender s[8];
    for (int i = 0; i < 8; i++) {
        s[i] = (struct sender){.g = g, .c = c, .status = -1};
        assert_int_equal(pthread_create(&s[i].thread, NULL, receive_one, &s[i]), 0);
    }
    wait_parked(g, c, 0, 8);
    assert_ok(gc_close(g, c, GC_FOREVER));
    for (int i = 0; i < 8; i++)
        assert_ok(sender_end(&s[i]));
}

static void test_C3_C5_send_and_close_on_closed_fail(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "c3", 1);
    assert_ok(gc_close(g, c, GC_FOREVER));
    assert_fails(gc_send(g, c, gc_string("x"), GC_FOREVER), -EPIPE);
    assert_fails(gc_send(g, c, gc_string("x"), GC_NOW), -EPIPE);
    assert_fails(gc_close(g, c, GC_FOREVER), -EPIPE);
    assert_fails(gc_close(g, GC_NIL, GC_FOREVER), -EINVAL);
}

static void test_C4_sender_parked_at_close_is_told_that_nothing_was_sent(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "c4", 0);
    struct sender s;
    struct gc_value v;
    sender_start(&s, g, c, gc_string("never"));
    wait_parked(g, c, 1, 0);
    assert_ok(gc_close(g, c, GC_FOREVER));
    assert_fails(sender_end(&s), -EPIPE);
    assert_false(s.doubt);
    assert_ok(gc_recv(g, c, &v, 0, GC_FOREVER));
}

static void test_R1_range_ends_when_closed_and_drained(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "r1", 10);
    struct gc_value v = {0};
    int n = 0, r;
    for (int i = 0; i < 10; i++)
        assert_ok(gc_send(g, c, gc_bytes(&"0123456789"[i], 1), GC_FOREVER));
    assert_ok(gc_close(g, c, GC_FOREVER));
    while ((r = gc_range(g, c, &v, GC_HOLD, GC_FOREVER)) > 0)
        assert_int_equal(*(const char *)v.data, '0' + n++);
    assert_int_equal(r, 0);
    assert_int_equal(n, 10);
}

/* ---- D, N ---- */

static void test_D1_direction_is_a_right_of_the_handle(void **state)
{
    gc_client *g = *state;
    struct gc_chan_options receive = {.size = sizeof receive, .rights = GC_MAY_RECV};
    struct gc_chan_options send = {.size = sizeof send, .rights = GC_MAY_SEND};
    gc_chan all = make(g, "d1", 1), in, out;
    struct gc_value v;
    assert_ok(gc_open(g, "d1", &receive, &in, GC_FOREVER));
    assert_ok(gc_open(g, "d1", &send, &out, GC_FOREVER));
    assert_fails(gc_send(g, in, gc_string("x"), GC_FOREVER), -EPERM);
    assert_fails(gc_close(g, in, GC_FOREVER), -EPERM);
    assert_fails(gc_recv(g, out, &v, 0, GC_FOREVER), -EPERM);
    assert_ok(gc_send(g, out, gc_string("x"), GC_FOREVER));
    assert_fails(gc_recv(g, all, &v, 0, GC_FOREVER), 1);
    assert_value(&v, "x");
}

static void test_N1_nil_channel_blocks_until_its_end(void **state)
{
    gc_client *g = *state;
    struct gc_value v;
    struct gc_about before, after;
    gc_about(g, &before);
    assert_fails(gc_recv(g, GC_NIL, &v, 0, gc_after_ms(5)), -ETIMEDOUT);
    assert_fails(gc_send(g, GC_NIL, gc_string("x"), gc_after_ms(5)), -ETIMEDOUT);
    assert_fails(gc_recv(g, GC_NIL, &v, 0, GC_NOW), -EAGAIN);
    gc_about(g, &after);
    assert_int_equal(before.frames_sent, after.frames_sent);
}

static void test_dropped_handle_is_none(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "dropped", 1);
    assert_ok(gc_drop(g, c));
    assert_fails(gc_send(g, c, gc_string("x"), GC_FOREVER), -ENOENT);
    assert_fails(gc_drop(g, c), -ENOENT);
    assert_fails(gc_send(g, gc_chan_of(12345), gc_string("x"), GC_FOREVER), -ENOENT);
}

static void test_open_says_what_is_wrong(void **state)
{
    gc_client *g = *state;
    struct gc_chan_options exclusive = {
        .size = sizeof exclusive, .flags = GC_CREATE | GC_EXCLUSIVE, .capacity = 1};
    char name[GC_NAME_BYTES + 1];
    gc_chan c;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    make(g, "there", 1);
    assert_fails(gc_open(g, "absent", NULL, &c, GC_FOREVER), -ENOENT);
    assert_fails(gc_open(g, "there", &exclusive, &c, GC_FOREVER), -EEXIST);
    assert_fails(gc_make(g, "there", 2, &c, GC_FOREVER), -EEXIST);
    assert_fails(gc_make(g, name, 1, &c, GC_FOREVER), -E2BIG);
    assert_fails(gc_make(g, "a b", 1, &c, GC_FOREVER), -EINVAL);
    assert_int_equal(c.id, 0);
}

static void test_channels_are_listed_in_pages(void **state)
{
    gc_client *g = *state;
    struct gc_chan_page page;
    make(g, "list.a", 1);
    make(g, "list.b", 2);
    make(g, "list.c", 3);
    assert_fails(gc_channels(g, "list.", NULL, 2, &page, GC_FOREVER), 2);
    assert_string_equal(page.items[1].name, "list.b");
    assert_true(page.more);
    gc_chan_page_clear(&page);
    assert_fails(gc_channels(g, "list.", "list.b", 2, &page, GC_FOREVER), 1);
    assert_int_equal(page.items[0].capacity, 3);
    assert_false(page.more);
    gc_chan_page_clear(&page);
}

/* ---- S: select ---- */

static void test_S4_exactly_one_case_takes_effect(void **state)
{
    gc_client *g = *state;
    gc_chan full = make(g, "s4.full", 1), empty = make(g, "s4.empty", 1), room = make(g, "s4.room", 1);
    struct gc_value a = {0}, b = {0};
    assert_ok(gc_send(g, full, gc_string("there"), GC_FOREVER));
    struct gc_case cases[] = {gc_case_recv(empty, &a), gc_case_recv(full, &b),
                              gc_case_send(room, gc_string("sent"))};
    int index = gc_select(g, cases, 3, 0, GC_FOREVER);
    assert_true(index == 1 || index == 2);
    assert_int_equal(cases[index].status, index == 1 ? 1 : 0);
    assert_null(a.data); /* S11 */
    assert_int_equal(gc_len(g, full, GC_FOREVER), index != 1);
    assert_int_equal(gc_len(g, room, GC_FOREVER), index == 2);
    gc_value_clear(&b);
}

static void test_S3_default_is_taken_when_nothing_is_ready(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "s3", 0);
    struct gc_value v = {0};
    struct gc_case cases[] = {gc_case_recv(c, &v), gc_case_send(c, gc_string("x"))};
    assert_fails(gc_select(g, cases, 2, 0, GC_NOW), -EAGAIN);
    assert_fails(gc_select(g, cases, 2, 0, gc_after_ms(5)), -ETIMEDOUT); /* S7: its own cases never match */
}

static void test_S8_select_of_nothing_waits_without_a_frame(void **state)
{
    gc_client *g = *state;
    struct gc_value v = {0};
    struct gc_case cases[] = {gc_case_recv(GC_NIL, &v), gc_case_send(GC_NIL, gc_string("x"))};
    assert_fails(gc_select(g, cases, 2, 0, gc_after_ms(5)), -ETIMEDOUT);
    assert_fails(gc_select(g, NULL, 0, 0, gc_after_ms(5)), -ETIMEDOUT);
    assert_fails(gc_select(g, NULL, 0, 0, GC_NOW), -EAGAIN);
}

static void test_S9_closed_channel_is_ready_both_ways(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "s9", 1);
    struct gc_value v = {0};
    assert_ok(gc_close(g, c, GC_FOREVER));
    struct gc_case receive[] = {gc_case_recv(GC_NIL, &v), gc_case_recv(c, &v)};
    assert_fails(gc_select(g, receive, 2, 0, GC_NOW), 1);
    assert_int_equal(receive[1].status, 0);
    struct gc_case send[] = {gc_case_send(GC_NIL, gc_string("x")), gc_case_send(c, gc_string("x"))};
    assert_fails(gc_select(g, send, 2, 0, GC_NOW), 1);
    assert_int_equal(send[1].status, -EPIPE);
}

static void *select_ring(void *arg)
{
    struct sender *s = arg;
    struct gc_value v = {0};
    for (int i = 0; i < 50; i++) {
        struct gc_case cases[] = {gc_case_send(s->c, gc_string("x")), gc_case_recv(s->c, &v)};
        s->status = gc_select(s->g, cases, 2, 0, GC_FOREVER);
        if (s->status < 0)
            return NULL;
        gc_value_clear(&v);
    }
    return NULL;
}

static void test_S7_two_selects_that_send_and_receive_match_each_other(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "s7", 0);
    struct sender s[2];
    for (int i = 0; i < 2; i++) {
        s[i] = (struct sender){.g = g, .c = c};
        assert_int_equal(pthread_create(&s[i].thread, NULL, select_ring, &s[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        assert_true(sender_end(&s[i]) >= 0);
}

/* ---- IP5.2 ---- */

/* Sends to one, or receives from the other. */
struct offer {
    pthread_t thread;
    gc_client *g;
    struct gc_case cases[3];
    struct gc_value got;
    int index;
};

static void *select_offer(void *arg)
{
    struct offer *o = arg;
    o->index = gc_select(o->g, o->cases, 3, 0, GC_FOREVER);
    return NULL;
}

/* A receiver has the value, and ends without having acknowledged it. */
static void take_to_the_grave(const char *name)
{
    gc_client *other = node_connect(node);
    gc_chan c = make(other, name, 0);
    struct gc_value v;
    assert_fails(gc_recv(other, c, &v, GC_HOLD, GC_FOREVER), 1);
    assert_value(&v, "seen");
    gc_disconnect(other);
}

static void test_IP5_2_a_select_says_which_of_its_sends_was_seen_by_the_dead(void **state)
{
    gc_client *g = *state;
    gc_chan x = make(g, "ip5.x", 0), y = make(g, "ip5.y", 0);
    struct offer o = {.g = g};
    o.cases[0] = gc_case_recv(GC_NIL, NULL); /* is not told to the daemon: its numbers are others */
    o.cases[1] = gc_case_send(x, gc_string("seen"));
    o.cases[2] = gc_case_recv(y, &o.got);
    for (int dies = 1; dies >= 0; dies--) {
        assert_int_equal(pthread_create(&o.thread, NULL, select_offer, &o), 0);
        wait_parked(g, x, 1, 0);
        if (dies)
            take_to_the_grave("ip5.x");
        assert_ok(gc_send(g, y, gc_string("w"), GC_FOREVER));
        pthread_join(o.thread, NULL);
        assert_int_equal(o.index, 2);
        assert_value(&o.got, "w");
        assert_int_equal(o.cases[1].doubt, dies);
        assert_false(o.cases[0].doubt || o.cases[2].doubt);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, connect_client, disconnect_client)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_U1_U2_send_returns_after_the_other_process_has_the_value),
        TEST(test_B1_B2_buffered_values_leave_in_order),
        TEST(test_U5_empty_value_is_a_value),
        TEST(test_large_value_arrives_whole),
        TEST(test_vectors_pass_in_one_operation),
        TEST(test_U3_parked_sender_is_neither_length_nor_capacity),
        TEST(test_U4_value_is_copied_at_the_call),
        TEST(test_C1_buffered_values_arrive_then_closed_for_ever),
        TEST(test_C2_close_wakes_every_parked_receiver),
        TEST(test_C3_C5_send_and_close_on_closed_fail),
        TEST(test_C4_sender_parked_at_close_is_told_that_nothing_was_sent),
        TEST(test_R1_range_ends_when_closed_and_drained),
        TEST(test_D1_direction_is_a_right_of_the_handle),
        TEST(test_N1_nil_channel_blocks_until_its_end),
        TEST(test_dropped_handle_is_none),
        TEST(test_open_says_what_is_wrong),
        TEST(test_channels_are_listed_in_pages),
        TEST(test_S4_exactly_one_case_takes_effect),
        TEST(test_S3_default_is_taken_when_nothing_is_ready),
        TEST(test_S8_select_of_nothing_waits_without_a_frame),
        TEST(test_S9_closed_channel_is_ready_both_ways),
        TEST(test_S7_two_selects_that_send_and_receive_match_each_other),
        TEST(test_IP5_2_a_select_says_which_of_its_sends_was_seen_by_the_dead),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
