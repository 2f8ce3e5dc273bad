/* Operations that call back (gc_start): on the service thread, and from gc_dispatch. */
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "client_node.h"
#include "goclient_chan.h"

enum { MANY = 2000 };

/* What a started operation told. */
struct told {
    sem_t came;
    atomic_int times;
    struct gc_end end;
    bool doubt;
    char why[GC_WHY_BYTES];
};

static void told_init(struct told *t)
{
    memset(t, 0, sizeof *t);
    sem_init(&t->came, 0, 0);
}

static void tell(gc_client *g, struct gc_end *end, void *arg)
{
    struct told *t = arg;
    t->end = *end;
    t->doubt = gc_in_doubt();
    if (end->index < 0)
        strcpy(t->why, gc_why());
    atomic_fetch_add(&t->times, 1);
    sem_post(&t->came);
}

static void told_wait(struct told *t)
{
    while (sem_wait(&t->came) < 0)
        ;
    assert_int_equal(atomic_load(&t->times), 1);
}

static gc_client *without_thread(void)
{
    struct gc_options options = {.size = sizeof options,
                                 .endpoint = node->endpoint,
                                 .answer_ms = NODE_ANSWER_MS,
                                 .flags = GC_NO_THREAD};
    gc_client *g;
    assert_ok(gc_connect(&options, &g, NULL));
    return g;
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

/* As an event loop does it. */
static void dispatch_until_told(gc_client *g, struct told *t)
{
    while (!atomic_load(&t->times)) {
        is_readable(gc_fd(g), 1000);
        gc_dispatch(g, GC_NOW);
    }
}

static void test_started_receive_is_told_on_the_service_thread(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "start.recv", 0);
    struct told t;
    told_init(&t);
    assert_ok(gc_start_recv(g, c, 0, tell, &t, NULL, GC_FOREVER));
    assert_ok(gc_send(g, c, gc_string("v"), GC_FOREVER));
    told_wait(&t);
    assert_int_equal(t.end.index, 0);
    assert_int_equal(t.end.status, 1);
    assert_value(&t.end.value, "v");
    gc_disconnect(g);
}

static void test_started_receive_is_told_while_nobody_calls(void **state)
{
    gc_client *g = node_connect(node), *other = node_connect(node);
    gc_chan c = make(g, "start.alone", 1), theirs = make(other, "start.alone", 1);
    for (int i = 0; i < 50; i++) {
        struct told t;
        told_init(&t);
        assert_ok(gc_start_recv(g, c, 0, tell, &t, NULL, GC_FOREVER));
        assert_ok(gc_send(other, theirs, gc_string("v"), GC_FOREVER));
        told_wait(&t);
        assert_value(&t.end.value, "v");
    }
    gc_disconnect(g);
    gc_disconnect(other);
}

/* Whoever calls looks at the socket too: what he finds there for a started operation the service thread tells, also when it
 * waits for that socket just then. And a cancel that races the value ends in one of the two. */
static void test_IP1_1_a_cancel_in_a_race_is_told_once_and_loses_nothing(void **state)
{
    gc_client *g = node_connect(node), *other = node_connect(node);
    gc_chan c = make(g, "start.race", 1), theirs = make(other, "start.race", 1);
    for (int i = 0; i < MANY / 10; i++) {
        struct told t;
        gc_started started;
        told_init(&t);
        assert_ok(gc_start_recv(g, c, 0, tell, &t, &started, GC_FOREVER));
        assert_ok(gc_send(other, theirs, gc_string("v"), GC_FOREVER));
        while (gc_start_cancel(g, started) == 0)
            ;
        told_wait(&t);
        if (t.end.index == 0)
            assert_value(&t.end.value, "v");
        struct gc_value v;
        assert_fails(gc_recv(g, c, &v, 0, GC_NOW), t.end.index == 0 ? -EAGAIN : 1);
        if (t.end.index < 0)
            assert_value(&v, "v");
    }
    gc_disconnect(g);
    gc_disconnect(other);
}

static void test_started_send_is_told_when_the_receiver_has_it(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "start.send", 0);
    char text[] = "first";
    struct gc_value v;
    struct told t;
    told_init(&t);
    assert_ok(gc_start_send(g, c, gc_string(text), tell, &t, NULL, GC_FOREVER));
    text[0] = 'w'; /* U4 */
    wait_parked(g, c, 1, 0);
    assert_int_equal(atomic_load(&t.times), 0);
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_value(&v, "first");
    told_wait(&t);
    assert_int_equal(t.end.index, 0);
    assert_int_equal(t.end.status, 0);
    gc_disconnect(g);
}

static void test_started_select_tells_the_case_that_took_effect(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan a = make(g, "start.a", 1), b = make(g, "start.b", 1);
    struct gc_case cases[] = {gc_case_recv(GC_NIL, NULL), gc_case_recv(a, NULL), gc_case_recv(b, NULL)};
    struct told t;
    told_init(&t);
    assert_ok(gc_start(g, cases, 3, 0, tell, &t, NULL, GC_FOREVER));
    assert_ok(gc_close(g, b, GC_FOREVER));
    told_wait(&t);
    assert_int_equal(t.end.index, 2);
    assert_int_equal(t.end.status, 0);
    struct gc_case send = gc_case_send(b, gc_string("v"));
    told_init(&t);
    assert_ok(gc_start(g, &send, 1, 0, tell, &t, NULL, GC_FOREVER));
    told_wait(&t);
    assert_int_equal(t.end.index, 0);
    assert_int_equal(t.end.status, -EPIPE);
    gc_disconnect(g);
}

static void test_IP1_1_cancel_of_a_started_operation_is_answered_by_it(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "start.cancel", 0);
    struct told t;
    gc_started started;
    told_init(&t);
    assert_ok(gc_start_recv(g, c, 0, tell, &t, &started, GC_FOREVER));
    wait_parked(g, c, 0, 1);
    assert_ok(gc_start_cancel(g, started));
    told_wait(&t);
    assert_int_equal(t.end.index, -ECANCELED);
    assert_true(t.why[0]);
    assert_fails(gc_start_cancel(g, started), -ENOENT);
    wait_parked(g, c, 0, 0);
    told_init(&t);
    assert_ok(gc_start_recv(g, GC_NIL, 0, tell, &t, &started, GC_FOREVER)); /* never sent */
    assert_ok(gc_start_cancel(g, started));
    told_wait(&t);
    assert_int_equal(t.end.index, -ECANCELED);
    gc_disconnect(g);
}

static void test_started_operations_end_with_their_until(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "start.until", 0);
    gc_ctx *ctx = gc_ctx_new(g);
    struct told t, now, with;
    told_init(&t);
    told_init(&now);
    told_init(&with);
    assert_ok(gc_start_recv(g, c, 0, tell, &t, NULL, gc_after_ms(5)));
    assert_ok(gc_start_recv(g, c, 0, tell, &now, NULL, GC_NOW));
    assert_ok(gc_start_recv(g, c, 0, tell, &with, NULL, gc_with(ctx)));
    told_wait(&t);
    told_wait(&now);
    assert_int_equal(t.end.index, -ETIMEDOUT);
    assert_int_equal(now.end.index, -EAGAIN);
    gc_ctx_cancel(ctx);
    told_wait(&with);
    assert_int_equal(with.end.index, -ECANCELED);
    assert_fails(gc_start_recv(g, c, 0, tell, &t, NULL, gc_with(ctx)), -ECANCELED);
    assert_fails(gc_start_recv(g, (gc_chan){99}, 0, tell, &t, NULL, GC_FOREVER), -ENOENT);
    gc_ctx_free(ctx);
    gc_disconnect(g);
}

static void test_disconnect_tells_whatever_is_started(void **state)
{
    struct told threaded, alone;
    told_init(&threaded);
    told_init(&alone);
    gc_client *g = node_connect(node), *h = without_thread();
    gc_chan c = make(g, "start.end", 0), d = make(h, "start.end", 0);
    assert_ok(gc_start_recv(g, c, 0, tell, &threaded, NULL, GC_FOREVER));
    assert_ok(gc_start_recv(h, d, 0, tell, &alone, NULL, GC_FOREVER));
    gc_disconnect(g);
    gc_disconnect(h);
    assert_int_equal(atomic_load(&threaded.times), 1);
    assert_int_equal(atomic_load(&alone.times), 1);
    assert_int_equal(threaded.end.index, -ECONNRESET);
    assert_int_equal(alone.end.index, -ECONNRESET);
}

static void test_a_client_without_thread_tells_from_dispatch(void **state)
{
    gc_client *g = without_thread(), *other = node_connect(node);
    gc_chan c = make(g, "start.loop", 0), theirs = make(other, "start.loop", 0);
    struct gc_value v;
    for (int i = 0; i < 50; i++) {
        struct told t, sent;
        told_init(&t);
        told_init(&sent);
        assert_ok(gc_start_recv(other, theirs, 0, tell, &t, NULL, GC_FOREVER));
        assert_ok(gc_start_send(g, c, gc_string("v"), tell, &sent, NULL, GC_FOREVER));
        dispatch_until_told(g, &sent);
        told_wait(&t);
        assert_value(&t.end.value, "v");
    }
    assert_fails(gc_recv(g, c, &v, 0, GC_NOW), -EAGAIN);
    gc_disconnect(g);
    gc_disconnect(other);
}

static void test_the_descriptor_is_readable_when_another_call_took_the_result(void **state)
{
    gc_client *g = without_thread();
    gc_chan c = make(g, "start.fd", 1);
    struct told t;
    told_init(&t);
    assert_ok(gc_send(g, c, gc_string("v"), GC_FOREVER));
    assert_ok(gc_start_recv(g, c, 0, tell, &t, NULL, GC_FOREVER));
    assert_ok(gc_ping(g, GC_FOREVER)); /* its answer comes after that of the receive */
    assert_ok(gc_ping(g, GC_FOREVER));
    assert_int_equal(atomic_load(&t.times), 0);
    assert_true(is_readable(gc_fd(g), 0));
    assert_int_equal(gc_dispatch(g, GC_NOW), 1);
    assert_int_equal(atomic_load(&t.times), 1);
    assert_value(&t.end.value, "v");
    gc_disconnect(g);
}

/* Each end starts the next: a ball between two functions. */
struct game {
    gc_chan there, back;
    int rounds;
    sem_t over;
};

static void returned(gc_client *g, struct gc_end *end, void *arg);

static void played(gc_client *g, struct gc_end *end, void *arg)
{
    struct game *game = arg;
    if (end->index != 0 || gc_start_recv(g, game->back, 0, returned, game, NULL, GC_FOREVER) < 0)
        sem_post(&game->over);
}

static void returned(gc_client *g, struct gc_end *end, void *arg)
{
    struct game *game = arg;
    gc_value_clear(&end->value);
    if (end->index != 0 || ++game->rounds == MANY ||
        gc_start_send(g, game->there, gc_string("ball"), played, game, NULL, GC_FOREVER) < 0)
        sem_post(&game->over);
}

static void test_functions_start_the_next_operation(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "start.game", 1);
    struct game game = {.there = c, .back = c};
    sem_init(&game.over, 0, 0);
    assert_ok(gc_start_send(g, c, gc_string("ball"), played, &game, NULL, GC_FOREVER));
    while (sem_wait(&game.over) < 0)
        ;
    assert_int_equal(game.rounds, MANY);
    gc_disconnect(g);
}

static void give_back(gc_client *g, struct gc_end *end, void *arg)
{
    struct told *t = arg;
    if (gc_return(g, &end->value) < 0)
        end->index = -1;
    gc_value_clear(&end->value);
    tell(g, end, t);
}

static void test_IP1_2_a_held_value_is_given_back_in_the_function(void **state)
{
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "start.hold", 1);
    struct gc_value v;
    struct told t;
    told_init(&t);
    assert_ok(gc_start_recv(g, c, GC_HOLD, give_back, &t, NULL, GC_FOREVER));
    assert_ok(gc_send(g, c, gc_string("v"), GC_FOREVER));
    told_wait(&t);
    assert_int_equal(t.end.index, 0);
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_int_equal(v.flags, GC_RETURNED);
    assert_value(&v, "v");
    gc_disconnect(g);
}

static void test_IP5_2_a_started_select_tells_which_send_was_seen_by_the_dead(void **state)
{
    gc_client *g = node_connect(node), *other = node_connect(node);
    gc_chan x = make(g, "start.x", 0), y = make(g, "start.y", 0), theirs = make(other, "start.x", 0);
    struct gc_case cases[] = {gc_case_recv(y, NULL), gc_case_send(x, gc_string("seen"))};
    struct gc_value v;
    struct told t;
    told_init(&t);
    assert_ok(gc_start(g, cases, 2, 0, tell, &t, NULL, GC_FOREVER));
    assert_fails(gc_recv(other, theirs, &v, GC_HOLD, GC_FOREVER), 1);
    assert_value(&v, "seen");
    gc_disconnect(other);
    assert_ok(gc_send(g, y, gc_string("w"), GC_FOREVER));
    told_wait(&t);
    assert_int_equal(t.end.index, 0);
    assert_value(&t.end.value, "w");
    assert_int_equal(t.end.doubt, 2);
    gc_disconnect(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_started_receive_is_told_on_the_service_thread),
        cmocka_unit_test(test_started_receive_is_told_while_nobody_calls),
        cmocka_unit_test(test_IP1_1_a_cancel_in_a_race_is_told_once_and_loses_nothing),
        cmocka_unit_test(test_started_send_is_told_when_the_receiver_has_it),
        cmocka_unit_test(test_started_select_tells_the_case_that_took_effect),
        cmocka_unit_test(test_IP1_1_cancel_of_a_started_operation_is_answered_by_it),
        cmocka_unit_test(test_started_operations_end_with_their_until),
        cmocka_unit_test(test_disconnect_tells_whatever_is_started),
        cmocka_unit_test(test_a_client_without_thread_tells_from_dispatch),
        cmocka_unit_test(test_the_descriptor_is_readable_when_another_call_took_the_result),
        cmocka_unit_test(test_functions_start_the_next_operation),
        cmocka_unit_test(test_IP1_2_a_held_value_is_given_back_in_the_function),
        cmocka_unit_test(test_IP5_2_a_started_select_tells_which_send_was_seen_by_the_dead),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
