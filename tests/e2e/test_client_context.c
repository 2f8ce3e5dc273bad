/* Contexts over several processes (X and its clauses between processes): the test, and peers of its own. */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "client_node.h"
#include "goclient_context.h"

static gc_ctx *context(gc_client *g, gc_ctx *parent, const struct gc_context_options *options)
{
    gc_ctx *ctx = NULL;

    assert_ok(gc_context_derive(g, parent, options, &ctx, GC_FOREVER));
    return ctx;
}

static gc_ctx *named(gc_client *g, const char *name)
{
    return context(g, NULL,
                   &(struct gc_context_options){.size = sizeof(struct gc_context_options), .name = name});
}

/* What a peer says when something is not as it should be: its line. */
#define PEER_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            return fprintf(stderr, "peer: line %d: %s\n", __LINE__, gc_why()), 1;                            \
    } while (0)

/* ---- cancel, over three processes ---- */

static bool ended_by(gc_ctx *ctx, int status, const char *text)
{
    struct gc_context_cause why;

    return gc_context_cause(ctx, &why) == 1 && why.status == status && strcmp(why.text, text) == 0;
}

/* Receives below the context "all", from a channel that nobody sends on. */
static int receive_below(const struct node *of, int to, int from)
{
    peer_hear(from, 'g');
    gc_client *g = node_connect(of);
    struct gc_context_options below = {.size = sizeof below, .parent_name = "all"};
    struct gc_value v;
    gc_chan c;
    gc_ctx *ctx;

    PEER_CHECK(gc_make(g, "silent", 0, &c, GC_FOREVER) == 0);
    PEER_CHECK(gc_context_derive(g, NULL, &below, &ctx, GC_FOREVER) == 0);
    PEER_CHECK(gc_recv(g, c, &v, 0, gc_with(ctx)) == -ECANCELED);
    PEER_CHECK(strcmp(gc_why(), "enough") == 0);
    PEER_CHECK(gc_ctx_done(ctx) && ended_by(ctx, -ECANCELED, "enough"));
    PEER_CHECK(gc_send(g, c, gc_string("v"), gc_with(ctx)) == -ECANCELED);
    gc_ctx_free(ctx);
    gc_disconnect(g);
    return 0;
}

static int lock_below(const struct node *of, int to, int from)
{
    peer_hear(from, 'g');
    gc_client *g = node_connect(of);
    struct gc_context_cause why;
    uint64_t token;
    gc_ctx *ctx;

    PEER_CHECK(gc_context_open(g, "all", &ctx, GC_FOREVER) == 0);
    PEER_CHECK(gc_lock(g, "held", &token, 0, gc_with(ctx)) == -ECANCELED);
    PEER_CHECK(gc_context_cause(ctx, &why) == 1 && why.code == -77 && why.origin == gc_context_id(ctx));
    gc_ctx_free(ctx);
    gc_disconnect(g);
    return 0;
}

static void wait_for_ops(gc_ctx *ctx, uint64_t ops, uint64_t children)
{
    struct gc_context_info info;

    do
        assert_ok(gc_context_info(ctx, &info, GC_FOREVER));
    while (info.ops != ops || info.children != children);
}

static void test_X1_a_cancel_ends_what_waits_in_three_processes(void **state)
{
    struct peer receiver = peer_start(node, receive_below), locker = peer_start(node, lock_below);
    gc_client *g = node_connect(node);
    uint64_t token;
    gc_ctx *all = named(g, "all");
    gc_chan c = make(g, "silent", 0);

    assert_ok(gc_lock(g, "held", &token, 0, GC_FOREVER));
    peer_say(receiver.to, 'g');
    peer_say(locker.to, 'g');
    wait_parked(g, c, 0, 1);
    wait_for_ops(all, 1, 1);
    assert_fails(gc_context_cancel(all, -77, "enough", GC_FOREVER), 1);
    assert_true(gc_ctx_done(all)); /* before the cancel returns */
    assert_ok(gc_context_cancel(all, -88, "again", GC_FOREVER));
    assert_true(ended_by(all, -ECANCELED, "enough"));
    assert_int_equal(peer_wait(&receiver), 0);
    assert_int_equal(peer_wait(&locker), 0);
    assert_ok(gc_unlock(g, "held", token, 0, GC_FOREVER));
    gc_ctx_free(all);
    gc_disconnect(g);
}

/* Cancels, and then tells of it by a value. */
static int cancel_then_send(const struct node *of, int to, int from)
{
    peer_hear(from, 'g');
    gc_client *g = node_connect(of);
    gc_chan c;
    gc_ctx *ctx;

    PEER_CHECK(gc_make(g, "news", 4, &c, GC_FOREVER) == 0);
    PEER_CHECK(gc_context_open(g, "causal", &ctx, GC_FOREVER) == 0);
    PEER_CHECK(gc_context_cancel(ctx, 0, NULL, GC_FOREVER) == 1);
    PEER_CHECK(gc_send(g, c, gc_string("cancelled"), GC_FOREVER) == 0);
    gc_ctx_free(ctx);
    gc_disconnect(g);
    return 0;
}

static void test_X1_who_hears_of_a_cancel_sees_it_done(void **state)
{
    struct peer peer = peer_start(node, cancel_then_send);
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "news", 4);
    gc_ctx *ctx = named(g, "causal");
    struct gc_value v;

    assert_false(gc_ctx_done(ctx));
    peer_say(peer.to, 'g');
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_true(gc_ctx_done(ctx));
    assert_value(&v, "cancelled");
    assert_int_equal(peer_wait(&peer), 0);
    gc_ctx_free(ctx);
    gc_disconnect(g);
}

/* ---- the death of a client ---- */

static int own_until_killed(const struct node *of, int to, int from)
{
    gc_client *g = node_connect(of);
    struct gc_context_options mine = {.size = sizeof mine, .name = "mortal"};
    struct gc_context_options detached = {
        .size = sizeof detached, .name = "immortal", .flags = GC_CONTEXT_DETACHED};
    gc_ctx *ctx, *other;

    PEER_CHECK(gc_context_derive(g, NULL, &mine, &ctx, GC_FOREVER) == 0);
    PEER_CHECK(gc_context_derive(g, NULL, &detached, &other, GC_FOREVER) == 0);
    peer_say(to, 'r');
    pause();
    return 1;
}

static int receive_with_it(const struct node *of, int to, int from)
{
    peer_hear(from, 'g');
    gc_client *g = node_connect(of);
    struct gc_context_cause why;
    struct gc_value v;
    gc_chan c;
    gc_ctx *ctx;

    PEER_CHECK(gc_make(g, "grave", 0, &c, GC_FOREVER) == 0);
    PEER_CHECK(gc_context_open(g, "mortal", &ctx, GC_FOREVER) == 0);
    PEER_CHECK(gc_recv(g, c, &v, 0, gc_with(ctx)) == -ECANCELED);
    PEER_CHECK(gc_context_cause(ctx, &why) == 1 && why.code == -EOWNERDEAD);
    gc_ctx_free(ctx);
    gc_disconnect(g);
    return 0;
}

static void test_X6_the_death_of_the_owner_ends_it_everywhere(void **state)
{
    struct peer owner = peer_start(node, own_until_killed), user = peer_start(node, receive_with_it);
    gc_client *g = node_connect(node);
    gc_chan c = make(g, "grave", 0);
    gc_ctx *immortal;

    peer_hear(owner.from, 'r');
    peer_say(user.to, 'g');
    wait_parked(g, c, 0, 1);
    kill(owner.pid, SIGKILL);
    assert_int_equal(peer_wait(&owner), 128 + SIGKILL);
    assert_int_equal(peer_wait(&user), 0);
    assert_ok(gc_context_open(g, "immortal", &immortal, GC_FOREVER));
    assert_false(gc_ctx_done(immortal));
    assert_ok(gc_context_drop(immortal, GC_FOREVER));
    gc_ctx_free(immortal);
    assert_fails(gc_context_open(g, "immortal", &immortal, GC_FOREVER), -ENOENT);
    gc_disconnect(g);
}

/* ---- in one process ---- */

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void test_X5_a_deadline_ends_a_receive_and_not_before(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "deadline", 0);
    gc_ctx *parent, *child, *past;
    struct gc_value v;
    int64_t at = now_ns() + 20000000;

    assert_ok(gc_context_with_deadline(g, NULL, at, &parent, GC_FOREVER));
    assert_ok(gc_context_with_timeout(g, parent, 3600000, &child, GC_FOREVER));
    assert_fails(gc_recv(g, c, &v, 0, gc_with(child)), -ETIMEDOUT);
    assert_true(now_ns() >= at);
    assert_string_equal(gc_why(), "context deadline exceeded");
    assert_fails(gc_recv(g, c, &v, 0, gc_with(child)), -ETIMEDOUT);
    assert_ok(gc_context_with_timeout(g, NULL, 0, &past, GC_FOREVER));
    assert_true(gc_ctx_done(past) && ended_by(past, -ETIMEDOUT, "context deadline exceeded"));
    gc_ctx_free(past);
    gc_ctx_free(child);
    gc_ctx_free(parent);
}

static void test_X3_a_child_of_an_ended_context_is_born_done(void **state)
{
    gc_client *g = *state;
    gc_ctx *parent = context(g, NULL, NULL), *child;

    assert_fails(gc_context_cancel(parent, 0, "first", GC_FOREVER), 1);
    child = context(g, parent, NULL);
    assert_true(gc_ctx_done(child) && ended_by(child, -ECANCELED, "first"));
    gc_ctx_free(parent);
    gc_ctx_free(child);
}

static void test_X10_values_are_found_by_name_up_to_the_root(void **state)
{
    gc_client *g = *state, *other = node_connect(node);
    gc_ctx *outer, *inner, *seen;
    struct gc_value v;

    assert_ok(gc_context_with_value(g, NULL, "request", gc_string("67890"), &outer, GC_FOREVER));
    assert_ok(gc_context_with_value(g, outer, "user", gc_string("12345"), &inner, GC_FOREVER));
    assert_ok(gc_context_of(other, gc_context_id(inner), &seen, GC_FOREVER));
    assert_fails(gc_context_value(seen, "user", &v, GC_FOREVER), 1);
    assert_value(&v, "12345");
    assert_fails(gc_context_value(seen, "request", &v, GC_FOREVER), 1);
    assert_value(&v, "67890");
    assert_ok(gc_context_value(seen, "nothing", &v, GC_FOREVER));
    gc_ctx_free(seen);
    gc_disconnect(other);
    gc_ctx_free(inner);
    gc_ctx_free(outer);
}

static void test_X9_without_cancel_outlives_parent_and_maker(void **state)
{
    gc_client *g = node_connect(node), *other = *state;
    gc_ctx *parent, *child, *seen;
    struct gc_value v;

    assert_ok(gc_context_with_value(g, NULL, "user", gc_string("me"), &parent, GC_FOREVER));
    assert_ok(gc_context_without_cancel(g, parent, &child, GC_FOREVER));
    assert_ok(gc_context_of(other, gc_context_id(child), &seen, GC_FOREVER));
    gc_ctx_free(child);
    gc_ctx_free(parent);
    gc_disconnect(g);
    assert_false(gc_ctx_done(seen));
    assert_fails(gc_context_value(seen, "user", &v, GC_FOREVER), 1);
    assert_value(&v, "me");
    assert_ok(gc_context_drop(seen, GC_FOREVER));
    gc_ctx_free(seen);
}

/* A pipe that the function writes to, so that a test can wait for it. */
static void say_done(void *arg)
{
    peer_say(*(int *)arg, 'd');
}

static void test_X8_a_function_runs_once_after_the_end(void **state)
{
    gc_client *g = *state, *other = node_connect(node);
    gc_ctx *ctx = context(g, NULL, NULL), *same;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    gc_context_func *after = gc_context_after_func(ctx, say_done, &ends[1]),
                    *never = gc_context_after_func(ctx, say_done, &ends[1]);
    assert_true(gc_context_func_stop(never));
    assert_ok(gc_context_of(other, gc_context_id(ctx), &same, GC_FOREVER));
    assert_fails(gc_context_cancel(same, 0, NULL, GC_FOREVER), 1);
    peer_hear(ends[0], 'd'); /* although no call of `g` reads for it */
    gc_context_func *late = gc_context_after_func(ctx, say_done, &ends[1]);
    peer_hear(ends[0], 'd');
    assert_false(gc_context_func_stop(after));
    assert_false(gc_context_func_stop(late));
    gc_ctx_free(same);
    gc_disconnect(other);
    gc_ctx_free(ctx);
    assert_int_equal(poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, 0), 0);
    close(ends[0]);
    close(ends[1]);
}

static void count(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void test_X8_a_program_that_dispatches_runs_it_in_gc_dispatch(void **state)
{
    gc_client *other = *state, *g;
    struct gc_options options = {.size = sizeof options,
                                 .endpoint = node->endpoint,
                                 .answer_ms = NODE_ANSWER_MS,
                                 .flags = GC_NO_THREAD};
    gc_ctx *ctx, *same;
    atomic_int ran = 0;

    assert_ok(gc_connect(&options, &g, NULL));
    ctx = context(g, NULL, NULL);
    gc_context_func *after = gc_context_after_func(ctx, count, &ran);
    assert_ok(gc_context_of(other, gc_context_id(ctx), &same, GC_FOREVER));
    assert_fails(gc_context_cancel(same, 0, NULL, GC_FOREVER), 1);
    while (!atomic_load(&ran))
        gc_dispatch(g, gc_after_ms(1000));
    assert_true(gc_ctx_done(ctx));
    assert_false(gc_context_func_stop(after));
    assert_int_equal(atomic_load(&ran), 1);
    gc_ctx_free(ctx);
    gc_ctx_free(same);
    gc_disconnect(g);
}

static gc_ctx *to_end;

static void end_it(int number)
{
    gc_ctx_cancel(to_end);
}

/* gc_ctx_cancel only sets a mark; the library tells the daemon, also when no call is under way. */
static void test_X1_a_cancel_in_a_signal_handler_reaches_other_processes(void **state)
{
    gc_client *g = *state, *other = node_connect(node);
    gc_ctx *same;

    to_end = context(g, NULL, NULL);
    assert_ok(gc_context_of(other, gc_context_id(to_end), &same, GC_FOREVER));
    signal(SIGUSR1, end_it);
    raise(SIGUSR1);
    assert_true(gc_ctx_done(to_end));
    assert_ok(gc_context_wait(same, GC_FOREVER));
    assert_true(ended_by(same, -ECANCELED, "context canceled"));
    gc_ctx_free(same);
    gc_disconnect(other);
    gc_ctx_free(to_end);
}

static void test_X6_a_context_that_is_freed_ends_and_leaves_nothing(void **state)
{
    struct node *own = node_start(); /* the dead of other tests are remembered for a minute */
    gc_client *g = node_connect(own), *other = node_connect(own);
    gc_ctx *ctx = context(g, NULL, NULL), *below, *same;
    struct gc_context_options options = {.size = sizeof options};
    struct gc_stats stats;
    uint64_t left;

    assert_ok(gc_context_of(other, gc_context_id(ctx), &same, GC_FOREVER));
    assert_fails(gc_context_derive(other, ctx, &options, &below, GC_FOREVER),
                 -EINVAL); /* of another client */
    below = context(other, same, NULL);
    gc_ctx_free(ctx);
    assert_ok(gc_context_wait(below, GC_FOREVER));
    gc_ctx_free(below);
    gc_ctx_free(same);
    assert_ok(gc_ping(other, GC_FOREVER));
    gc_disconnect(other);
    do {
        assert_int_equal(gc_stats(g, "contexts", &stats, GC_FOREVER), 1);
        left = stats.items[0].value;
        gc_stats_clear(&stats);
    } while (left > 0); /* of a session that has just ended */
    gc_disconnect(g);
    node_delete(own);
}

static void test_X11_the_end_of_the_session_is_told_from_a_cancel(void **state)
{
    struct node *own = node_start();
    gc_client *g = node_connect(own);
    gc_ctx *ctx = context(g, NULL, NULL);
    struct gc_context_cause why;
    gc_context_func *after;
    struct gc_value v;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    after = gc_context_after_func(ctx, say_done, &ends[1]);
    node_kill(own, SIGKILL);
    peer_hear(ends[0], 'd');
    assert_int_equal(gc_context_cause(ctx, &why), 1);
    assert_true(why.status == -ECONNRESET || why.status == -ENETRESET);
    assert_fails(gc_recv(g, GC_NIL, &v, 0, gc_with(ctx)), why.status);
    assert_false(gc_context_func_stop(after));
    gc_ctx_free(ctx);
    gc_disconnect(g);
    node_delete(own);
    close(ends[0]);
    close(ends[1]);
}

static void test_S1_a_select_hears_the_end_of_a_context(void **state)
{
    gc_client *g = *state, *other = node_connect(node);
    gc_chan c = make(g, "selected", 1);
    gc_ctx *ctx = context(g, NULL, NULL), *same;
    struct gc_value v;
    struct gc_case cases[] = {gc_case_recv(c, &v), gc_case_context(ctx)};

    assert_fails(gc_select(g, cases, 2, 0, GC_NOW), -EAGAIN);
    assert_ok(gc_send(g, c, gc_string("v"), GC_FOREVER));
    assert_int_equal(gc_select(g, cases, 2, 0, GC_FOREVER), 0);
    assert_value(&v, "v");
    assert_ok(gc_context_of(other, gc_context_id(ctx), &same, GC_FOREVER));
    assert_fails(gc_context_cancel(same, 0, "enough", GC_FOREVER), 1);
    assert_int_equal(gc_select(g, cases, 2, 0, GC_FOREVER), 1);
    assert_int_equal(cases[1].status, 1);
    assert_true(ended_by(ctx, -ECANCELED, "enough"));
    gc_ctx_free(same);
    gc_disconnect(other);
    gc_ctx_free(ctx);
}

static void test_names_are_listed_in_pages(void **state)
{
    gc_client *g = *state;
    const char *names[] = {"list.b", "list.a", "list.c"};
    gc_ctx *ctx[3];
    struct gc_context_page page;

    for (int i = 0; i < 3; i++)
        ctx[i] = named(g, names[i]);
    assert_fails(gc_contexts(g, "list.", NULL, 2, &page, GC_FOREVER), 2);
    assert_true(page.more);
    assert_string_equal(page.items[1].name, "list.b");
    gc_context_page_clear(&page);
    assert_fails(gc_contexts(g, "list.", "list.b", 0, &page, GC_FOREVER), 1);
    assert_false(page.more);
    assert_int_equal(page.items[0].id, gc_context_id(ctx[2]));
    gc_context_page_clear(&page);
    for (int i = 0; i < 3; i++)
        gc_ctx_free(ctx[i]);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, connect_client, disconnect_client)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_X1_a_cancel_ends_what_waits_in_three_processes),
        cmocka_unit_test(test_X1_who_hears_of_a_cancel_sees_it_done),
        cmocka_unit_test(test_X6_the_death_of_the_owner_ends_it_everywhere),
        TEST(test_X5_a_deadline_ends_a_receive_and_not_before),
        TEST(test_X3_a_child_of_an_ended_context_is_born_done),
        TEST(test_X10_values_are_found_by_name_up_to_the_root),
        TEST(test_X9_without_cancel_outlives_parent_and_maker),
        TEST(test_X8_a_function_runs_once_after_the_end),
        TEST(test_X8_a_program_that_dispatches_runs_it_in_gc_dispatch),
        TEST(test_X1_a_cancel_in_a_signal_handler_reaches_other_processes),
        cmocka_unit_test(test_X6_a_context_that_is_freed_ends_and_leaves_nothing),
        cmocka_unit_test(test_X11_the_end_of_the_session_is_told_from_a_cancel),
        TEST(test_S1_a_select_hears_the_end_of_a_context),
        TEST(test_names_are_listed_in_pages),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
