/* Goroutines as callers: they park, their processor goes on (goclient_go.h). */
#include <goroutine_host.h>

#include "client_node.h"
#include "cut.h"
#include "goclient_go.h"

enum { PAIRS = 200, ROUNDS = 5, CUTS = 20 };

/* Runs fn(g) as the main goroutine of two processors, with a client of its own. */
struct program {
    void (*fn)(gc_client *g);
    const char *failure;
};

static const char *failure; /* of the goroutines: cmocka's own checks do not work there */

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            failure = #condition;                                                                            \
    } while (0)

static int run_program(void *arg)
{
    const struct program *program = arg;
    struct gc_options options = {
        .size = sizeof options, .endpoint = node->endpoint, .answer_ms = NODE_ANSWER_MS};
    char why[GC_WHY_BYTES];
    gc_client *g;
    if (gc_go_connect(&options, &g, why) < 0) {
        failure = "gc_go_connect";
        return 1;
    }
    program->fn(g);
    gc_disconnect(g);
    return 0;
}

static void run_goroutines(void (*fn)(gc_client *g))
{
    struct program program = {fn, NULL};
    failure = NULL;
    go_set_procs(2);
    assert_int_equal(go_main(run_program, &program), 0);
    if (failure)
        fail_msg("%s", failure);
}

struct work {
    gc_client *g;
    gc_chan c;
    go_waitgroup *group;
};

static void send_rounds(void *arg)
{
    struct work *w = arg;
    for (int i = 0; i < ROUNDS; i++)
        CHECK(gc_send(w->g, w->c, gc_string("x"), GC_FOREVER) == 0);
    go_waitgroup_done(w->group);
}

static void receive_rounds(void *arg)
{
    struct work *w = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct gc_value v;
        CHECK(gc_recv(w->g, w->c, &v, 0, GC_FOREVER) == 1);
        gc_value_clear(&v);
    }
    go_waitgroup_done(w->group);
}

static void rendezvous_of_many(gc_client *g)
{
    go_waitgroup group = {0};
    struct work w = {.g = g, .group = &group};
    CHECK(gc_make(g, "go.many", 0, &w.c, GC_FOREVER) == 0);
    go_waitgroup_add(&group, 2 * PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        CHECK(go_spawn(send_rounds, &w, sizeof w) == 0);
        CHECK(go_spawn(receive_rounds, &w, sizeof w) == 0);
    }
    go_waitgroup_wait(&group);
}

static void test_many_goroutines_rendezvous_over_one_client(void **state)
{
    run_goroutines(rendezvous_of_many);
}

enum { CROWD = 3000 }; /* the window is 1024 operations */

static void receive_closed(void *arg)
{
    struct work *w = arg;
    struct gc_value v;
    CHECK(gc_recv(w->g, w->c, &v, 0, GC_FOREVER) == 0);
    go_waitgroup_done(w->group);
}

static void crowd_of_receivers(gc_client *g)
{
    go_waitgroup group = {0};
    struct work w = {.g = g, .group = &group};
    struct gc_chan_info info;
    CHECK(gc_make(g, "go.crowd", 0, &w.c, GC_FOREVER) == 0);
    go_waitgroup_add(&group, CROWD);
    for (int i = 0; i < CROWD; i++)
        CHECK(go_spawn(receive_closed, &w, sizeof w) == 0);
    do
        CHECK(gc_chan_info(g, w.c, &info, GC_FOREVER) == 0);
    while (info.receivers < CROWD && !failure);
    CHECK(gc_close(g, w.c, GC_FOREVER) == 0);
    go_waitgroup_wait(&group);
}

static void test_IP6_2_more_receivers_park_than_the_window_holds(void **state)
{
    run_goroutines(crowd_of_receivers);
}

static void receive_until_disconnect(void *arg)
{
    struct work *w = arg;
    struct gc_value v;
    CHECK(gc_recv(w->g, w->c, &v, 0, GC_FOREVER) == -ECONNRESET);
}

static int disconnect_among_callers(void *arg)
{
    struct gc_options options = {
        .size = sizeof options, .endpoint = node->endpoint, .answer_ms = NODE_ANSWER_MS};
    struct gc_chan_info info;
    struct work w = {.g = NULL};
    CHECK(gc_go_connect(&options, &w.g, NULL) == 0);
    CHECK(gc_make(w.g, "go.disconnect", 0, &w.c, GC_FOREVER) == 0);
    for (int i = 0; i < PAIRS; i++)
        CHECK(go_spawn(receive_until_disconnect, &w, sizeof w) == 0);
    do
        CHECK(gc_chan_info(w.g, w.c, &info, GC_FOREVER) == 0);
    while (info.receivers < PAIRS && !failure);
    gc_disconnect(w.g);
    return 0;
}

static void test_disconnect_lets_its_callers_leave_on_one_processor(void **state)
{
    failure = NULL;
    go_set_procs(1);
    assert_int_equal(go_main(disconnect_among_callers, NULL), 0);
    if (failure)
        fail_msg("%s", failure);
}

static void cancel_later(void *arg)
{
    go_ctx *ctx = *(go_ctx **)arg;
    go_ctx_cancel(ctx, 0, NULL);
    go_ctx_unref(ctx);
}

static void cancelled_receive(gc_client *g)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background()), *theirs = go_ctx_ref(ctx);
    gc_go_ctx *of_client = gc_go_ctx_new(g, ctx);
    struct gc_value v;
    gc_chan c;
    CHECK(gc_make(g, "go.cancel", 0, &c, GC_FOREVER) == 0);
    CHECK(go_spawn(cancel_later, &theirs, sizeof theirs) == 0);
    CHECK(gc_recv(g, c, &v, 0, gc_go_with(of_client)) == -ECANCELED);
    gc_go_ctx_free(of_client);
    go_ctx_unref(ctx);
}

static void test_goroutine_context_ends_a_receive_of_the_daemon(void **state)
{
    run_goroutines(cancelled_receive);
}

static void receive_forever(void *arg)
{
    struct work *w = arg;
    struct gc_value v;
    gc_recv(w->g, w->c, &v, 0, GC_FOREVER); /* -ECANCELED once, when the scope ends */
    gc_recv(w->g, w->c, &v, 0, GC_FOREVER); /* unwinds */
    CHECK(!"returned from a wait of an ended scope");
}

static void ended_scope(gc_client *g)
{
    go_group *group = go_group_new(NULL, NULL, NULL);
    struct work w = {.g = g};
    struct go_spawn_options options = {.group = group};
    struct gc_chan_info info;
    CHECK(gc_make(g, "go.scope", 0, &w.c, GC_FOREVER) == 0);
    CHECK(go_spawn_with(receive_forever, &w, sizeof w, &options) == 0);
    do
        CHECK(gc_chan_info(g, w.c, &info, GC_FOREVER) == 0);
    while (info.receivers == 0 && !failure);
    go_group_end(group);
    CHECK(go_group_wait(group, GO_FOREVER) == 0);
    do /* the unwound receive leaves the daemon too */
        CHECK(gc_chan_info(g, w.c, &info, GC_FOREVER) == 0);
    while (info.receivers && !failure);
    CHECK(gc_ping(g, GC_FOREVER) == 0);
    go_group_unref(group);
}

static void test_IP1_2_unwound_receive_takes_nothing(void **state)
{
    run_goroutines(ended_scope);
}

struct held {
    gc_client *g;
    go_chan *locked; /* closed when it is */
    uint64_t token;
};

static void unlock(void *arg)
{
    struct held *h = arg;
    CHECK(gc_unlock(h->g, "go.unlock", h->token, 0, GC_FOREVER) == 0);
}

static void hold_until_the_end(void *arg)
{
    struct held *h = arg;
    CHECK(gc_lock(h->g, "go.unlock", &h->token, 0, GC_NOW) == 0);
    go_defer(unlock, h);
    go_chan_close(h->locked);
    go_park(go_wait_begin(), "the end", 0, GO_FOREVER);
}

/* The connection is cut before the scope ends: mostly there is none when the lock is to go back. */
static void unlock_unwinding(gc_client *g, struct cut *cut)
{
    struct held h = {.g = g, .locked = go_chan_new(0, 0)};
    go_group *group = go_group_new(NULL, NULL, NULL);
    struct go_spawn_options options = {.group = group};
    CHECK(go_spawn_with(hold_until_the_end, &h, 0, &options) == 0);
    go_chan_recv(h.locked, NULL, GO_FOREVER);
    cut_now(cut);
    go_group_end(group);
    CHECK(go_group_wait(group, GO_FOREVER) == 0);
    go_group_unref(group);
    go_chan_unref(h.locked);
}

static void unlock_behind_cuts(gc_client *unused)
{
    struct cut *cut = cut_start(node);
    struct gc_options options = {
        .size = sizeof options, .endpoint = cut_endpoint(cut), .answer_ms = NODE_ANSWER_MS};
    char why[GC_WHY_BYTES];
    gc_client *g;
    CHECK(gc_go_connect(&options, &g, why) == 0);
    for (int i = 0; i < CUTS && !failure; i++)
        unlock_unwinding(g, cut);
    gc_disconnect(g);
    cut_stop(cut);
}

static void test_P5_an_unlock_of_an_unwound_goroutine_takes_effect_also_while_unconnected(void **state)
{
    run_goroutines(unlock_behind_cuts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_goroutines_rendezvous_over_one_client),
        cmocka_unit_test(test_IP6_2_more_receivers_park_than_the_window_holds),
        cmocka_unit_test(test_disconnect_lets_its_callers_leave_on_one_processor),
        cmocka_unit_test(test_goroutine_context_ends_a_receive_of_the_daemon),
        cmocka_unit_test(test_IP1_2_unwound_receive_takes_nothing),
        cmocka_unit_test(test_P5_an_unlock_of_an_unwound_goroutine_takes_effect_also_while_unconnected),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
