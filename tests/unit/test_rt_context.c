/* Contexts: rules X1 to X11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "goroutine_sync.h"
#include "rt_test.h"

RT_TEST(test_X1_cancel_ends_all_descendants_before_it_returns)
{
    enum { N = 50 };
    go_ctx *top = go_ctx_new(go_ctx_background()), *node[N], *sibling = go_ctx_new(go_ctx_background());

    for (int i = 0; i < N; i++)
        node[i] = go_ctx_new(i < 3 ? top : node[i / 3]);
    go_ctx_cancel(node[1], 0, NULL);
    assert_int_equal(go_ctx_err(node[1]), -ECANCELED);
    assert_int_equal(go_ctx_err(node[3]), -ECANCELED);
    assert_int_equal(go_ctx_err(node[2]), 0);
    assert_int_equal(go_ctx_err(top), 0);
    go_ctx_cancel(top, 0, NULL);
    for (int i = 0; i < N; i++) {
        assert_int_equal(go_ctx_err(node[i]), -ECANCELED);
        go_ctx_unref(node[i]);
    }
    assert_int_equal(go_ctx_err(sibling), 0);
    go_ctx_unref(top);
    go_ctx_unref(sibling);
}

RT_TEST(test_X2_first_cancellation_wins)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());

    go_ctx_cancel(ctx, 5, "first");
    go_ctx_cancel(ctx, 6, "second");
    assert_int_equal(go_ctx_cause(ctx).code, 5);
    assert_string_equal(go_ctx_cause(ctx).text, "first");
    go_ctx_unref(ctx);
}

RT_TEST(test_X3_child_of_a_done_parent_is_born_done_with_its_cause)
{
    go_ctx *parent = go_ctx_new(go_ctx_background()), *child;

    go_ctx_cancel(parent, 5, "why");
    child = go_ctx_new(parent);
    assert_int_equal(go_ctx_err(child), -ECANCELED);
    assert_int_equal(go_ctx_cause(child).code, 5);
    assert_string_equal(go_ctx_cause(child).text, "why");
    go_ctx_unref(parent);
    assert_int_equal(go_ctx_wait(child, GO_NOW), 0);
    go_ctx_unref(child);
}

RT_TEST(test_X4_a_cause_goes_down_to_children_that_had_none)
{
    go_ctx *parent = go_ctx_new(go_ctx_background()), *child = go_ctx_new(parent), *below = go_ctx_new(child);

    go_ctx_cancel(parent, 2, "parent");
    assert_int_equal(go_ctx_cause(child).code, 2);
    assert_int_equal(go_ctx_cause(below).code, 2);
    assert_string_equal(go_ctx_cause(below).text, "parent");
    go_ctx_unref(below);
    go_ctx_unref(child);
    go_ctx_unref(parent);
}

RT_TEST(test_X4_childs_own_cause_stands_against_the_parents)
{
    go_ctx *parent = go_ctx_new(go_ctx_background()), *child = go_ctx_new(parent);

    go_ctx_cancel(child, 1, "child");
    go_ctx_cancel(parent, 2, "parent");
    assert_int_equal(go_ctx_cause(child).code, 1);
    assert_int_equal(go_ctx_cause(parent).code, 2);
    go_ctx_unref(child);
    go_ctx_unref(parent);
}

static void count(void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
}

RT_TEST(test_X8_function_runs_once_after_the_end_unless_stopped)
{
    _Atomic int n = 0;
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_ctx_func *a = go_ctx_after_func(ctx, count, (void *)&n),
                *b = go_ctx_after_func(ctx, count, (void *)&n), *c;

    assert_int_equal(go_ctx_func_stop(b), 1);
    assert_int_equal(n, 0);
    go_ctx_cancel(ctx, 0, NULL);
    rt_wait_live(1);
    assert_int_equal(n, 1);
    assert_int_equal(go_ctx_func_stop(a), 0);
    c = go_ctx_after_func(ctx, count, (void *)&n);
    rt_wait_live(1);
    assert_int_equal(n, 2);
    assert_int_equal(go_ctx_func_stop(c), 0);
    go_ctx_unref(ctx);
}

static char key_a, key_b;

static void drop(void *value)
{
    ++*(int *)value;
}

RT_TEST(test_X9_without_cancel_keeps_values_only)
{
    go_ctx *top = go_ctx_with_deadline(go_ctx_background(), go_after_ms(100000));
    go_ctx *value = go_ctx_with_value(top, &key_a, "a", NULL), *free_of = go_ctx_without_cancel(value);
    go_ctx *below = go_ctx_new(free_of);

    go_ctx_cancel(top, 0, NULL);
    assert_int_equal(go_ctx_err(value), -ECANCELED);
    assert_int_equal(go_ctx_err(free_of), 0);
    assert_int_equal(go_ctx_err(below), 0);
    assert_true(go_ctx_deadline_ns(below) == GO_NS_FOREVER);
    assert_string_equal(go_ctx_value(below, &key_a), "a");
    go_ctx_cancel(below, 0, NULL);
    assert_int_equal(go_ctx_err(below), -ECANCELED);
    go_ctx_unref(top);
    go_ctx_unref(value);
    go_ctx_unref(free_of);
    go_ctx_unref(below);
}

RT_TEST(test_X10_nearest_binding_wins_and_is_dropped_once)
{
    int dropped = 0;
    go_ctx *one = go_ctx_with_value(go_ctx_background(), &key_a, &dropped, drop);
    go_ctx *two = go_ctx_with_value(one, &key_b, "b", NULL),
           *three = go_ctx_with_value(two, &key_a, "nearer", NULL);

    assert_string_equal(go_ctx_value(three, &key_a), "nearer");
    assert_string_equal(go_ctx_value(three, &key_b), "b");
    assert_null(go_ctx_value(two, "another key"));
    assert_true(go_ctx_value(two, &key_a) == &dropped);
    go_ctx_unref(one);
    go_ctx_unref(two);
    assert_int_equal(dropped, 0);
    go_ctx_unref(three);
    assert_int_equal(dropped, 1);
}

RT_TEST(test_X11_background_never_ends)
{
    go_ctx_cancel(go_ctx_background(), 0, NULL);
    assert_int_equal(go_ctx_err(go_ctx_background()), 0);
    assert_int_equal(go_ctx_wait(go_ctx_background(), go_after_ms(1)), -ETIMEDOUT);
}

static void wait_for(void *arg)
{
    go_chan *c = go_chan_new(0, 0);

    assert_int_equal(go_chan_recv(c, NULL, go_with(*(go_ctx **)arg)), -ECANCELED);
    assert_int_equal(go_chan_send(c, NULL, go_with(*(go_ctx **)arg)), -ECANCELED);
    go_chan_unref(c);
}

RT_TEST(test_S13_done_context_on_arrival_takes_nothing)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_chan *c = go_chan_new(sizeof(int), 1);
    int v = 3;

    go_chan_send(c, &v, GO_FOREVER);
    for (int i = 0; i < 10; i++)
        go_spawn(wait_for, &ctx, sizeof ctx);
    rt_wait_parked(10);
    go_ctx_cancel(ctx, 0, NULL);
    assert_int_equal(go_chan_recv(c, &v, go_with(ctx)), -ECANCELED);
    assert_int_equal(go_chan_len(c), 1);
    rt_wait_live(1);
    go_ctx_unref(ctx);
    go_chan_unref(c);
}

static _Atomic int after_runs, after_stops;

/* Cancels, derivations and waits race: nobody hangs, nothing is freed too early. */
static void derives(void *arg)
{
    go_ctx *top = *(go_ctx **)arg;

    for (int i = 0; i < 200; i++) {
        go_ctx *child = i % 3 ? go_ctx_new(top) : go_ctx_with_deadline(top, go_after_us(i * 10)),
               *leaf = go_ctx_new(child);

        go_ctx_func *f = go_ctx_after_func(leaf, count, (void *)&after_runs);

        if (i % 2)
            go_ctx_cancel(child, i, "race");
        go_ctx_wait(leaf, go_after_us(50));
        go_ctx_unref(child);
        if (i % 4 == 0)
            go_ctx_unref(leaf);
        atomic_fetch_add(&after_stops, go_ctx_func_stop(f));
        if (i % 4)
            go_ctx_unref(leaf);
    }
    go_ctx_unref(top);
}

RT_TEST(test_X8_each_function_runs_or_is_prevented_while_cancels_race)
{
    go_ctx *top = go_ctx_new(go_ctx_background());

    for (int i = 0; i < 8; i++) {
        go_ctx *held = go_ctx_ref(top);

        go_spawn(derives, &held, sizeof held);
    }
    go_sleep(go_after_ms(2));
    go_ctx_cancel(top, 0, NULL);
    rt_wait_live(1);
    assert_int_equal(after_runs + after_stops, 8 * 200);
    go_ctx_unref(top);
}

static _Atomic int cancels_done;

struct canceller {
    go_ctx *ctx;
    int code;
};

static void cancels(void *arg)
{
    struct canceller *c = arg;

    for (int i = 0; i < 50; i++)
        go_ctx_cancel(c->ctx, c->code, "one of many");
    atomic_fetch_add(&cancels_done, 1);
}

RT_TEST(test_X2_of_many_concurrent_cancels_one_fixes_the_cause)
{
    for (int round = 0; round < 50; round++) {
        go_ctx *ctx = go_ctx_new(go_ctx_background());
        struct go_cause first;

        for (int i = 1; i <= 8; i++) {
            struct canceller c = {ctx, i};

            go_spawn(cancels, &c, sizeof c);
        }
        go_ctx_wait(ctx, GO_FOREVER);
        first = go_ctx_cause(ctx);
        assert_in_range(first.code, 1, 8);
        rt_wait_live(1);
        assert_int_equal(go_ctx_cause(ctx).code, first.code);
        assert_string_equal(go_ctx_cause(ctx).text, "one of many");
        go_ctx_unref(ctx);
    }
    assert_int_equal(cancels_done, 50 * 8);
}

static void derives_until_done(void *arg)
{
    go_ctx *top = *(go_ctx **)arg, *child;
    int after;

    do {
        after = go_ctx_err(top);
        child = go_ctx_new(top);
        if (after) {
            assert_int_equal(go_ctx_err(child), -ECANCELED);
            assert_int_equal(go_ctx_cause(child).code, 31);
        }
        go_ctx_wait(child, after ? GO_NOW : go_after_us(1));
        go_ctx_unref(child);
    } while (!after);
}

RT_TEST(test_X3_children_that_race_with_the_cancel_are_born_done)
{
    for (int round = 0; round < 20; round++) {
        go_ctx *top = go_ctx_new(go_ctx_background());

        for (int i = 0; i < 6; i++)
            go_spawn(derives_until_done, &top, sizeof top);
        for (int i = 0; i < round; i++)
            go_yield();
        go_ctx_cancel(top, 31, "round");
        rt_wait_live(1);
        go_ctx_unref(top);
    }
}

/* ---- X6: a bubble's clock would jump to a timer that was left ---- */

struct timed {
    go_ctx *top, *own, *below; /* held to the end: a release would stop the timers, too */
    int64_t start_ns, end_ns;
};

static void notes_end(void *arg)
{
    struct timed *t = arg;

    t->end_ns = go_now_ns();
    go_ctx_unref(t->own);
    go_ctx_unref(t->below);
    go_ctx_unref(t->top);
}

static void leaves_no_timer(void *arg)
{
    struct timed *t = *(struct timed **)arg;

    t->top = go_ctx_new(go_ctx_background());
    t->own = go_ctx_with_deadline(t->top, go_after_ms(1000000));
    t->below = go_ctx_with_deadline(t->top, go_after_ms(2000000));
    t->start_ns = go_now_ns();
    go_defer(notes_end, t);
    go_ctx_cancel(t->own, 0, NULL);
    go_ctx_cancel(t->top, 0, NULL); /* ends `below`, too */
    go_sleep(go_after_ms(5));
    go_chan_recv(NULL, NULL, GO_FOREVER); /* nothing will ever happen */
}

RT_TEST(test_X6_a_context_that_is_done_has_no_timer_any_more)
{
    struct timed t = {.top = NULL}, *p = &t;

    assert_int_equal(go_bubble(leaves_no_timer, &p), -EDEADLK);
    assert_int_equal(t.end_ns - t.start_ns, 5000000);
}

RT_TEST(test_X6_a_parent_forgets_children_that_are_done)
{
    go_ctx *parent = go_ctx_new(go_ctx_background()), *grandchild, *child;
    int dropped = 0;

    for (int i = 0; i < 20000; i++) {
        child = i % 2 ? go_ctx_new(parent) : go_ctx_with_deadline(parent, go_after_ms(1000000));
        grandchild = go_ctx_with_value(child, &key_a, &dropped, drop);
        go_ctx_cancel(child, i, NULL);
        go_ctx_unref(child);
        assert_int_equal(go_ctx_err(grandchild), -ECANCELED);
        go_ctx_unref(grandchild);
        assert_int_equal(dropped, i + 1); /* nothing of it is left, though the parent lives */
    }
    assert_int_equal(go_ctx_err(parent), 0);
    go_ctx_cancel(parent, 0, NULL);
    go_ctx_unref(parent);
}

RT_TEST(test_X7_contexts_cost_no_goroutine)
{
    enum { N = 500 };
    go_ctx *ctx[4 * N], *top = go_ctx_new(go_ctx_background());
    struct go_stats before, after;

    go_stats_read(&before);
    for (int i = 0; i < 4 * N; i += 4) {
        ctx[i] = go_ctx_new(i ? ctx[i - 1] : top);
        ctx[i + 1] = go_ctx_with_deadline(ctx[i], go_after_ms(1000000));
        ctx[i + 2] = go_ctx_with_value(ctx[i + 1], &key_a, &key_a, NULL);
        ctx[i + 3] = go_ctx_new(ctx[i + 2]);
    }
    go_ctx_cancel(top, 0, NULL);
    for (int i = 0; i < 4 * N; i++) {
        assert_int_equal(go_ctx_err(ctx[i]), -ECANCELED);
        go_ctx_unref(ctx[i]);
    }
    go_stats_read(&after);
    assert_int_equal(after.spawned, before.spawned);
    assert_int_equal(go_live(), 1);
    go_ctx_unref(top);
}

struct user {
    int id;
};

GO_CTX_KEY(user, struct user)
GO_CTX_KEY(trace, char)

RT_TEST(test_X10_keys_have_a_type_and_values_survive_the_end)
{
    struct user alice = {1}, bob = {2};
    char text[] = "trace";
    go_ctx *outer = user_with(go_ctx_background(), &alice, NULL), *traced = trace_with(outer, text, NULL),
           *ended = go_ctx_new(traced), *inner = user_with(ended, &bob, NULL);

    assert_null(trace_of(outer));
    go_ctx_cancel(ended, 0, NULL);
    assert_int_equal(go_ctx_err(inner), -ECANCELED);
    assert_int_equal(user_of(inner)->id, 2);
    assert_int_equal(user_of(ended)->id, 1);
    assert_string_equal(trace_of(inner), "trace");
    go_ctx_unref(outer);
    go_ctx_unref(traced);
    go_ctx_unref(ended);
    go_ctx_unref(inner);
}

static void recovers(void *arg)
{
    *(int *)arg += go_recover() != NULL;
}

struct wrong {
    int which, recovered;
};

static void derives_wrongly(void *arg)
{
    struct wrong *w = arg;

    go_defer(recovers, &w->recovered);
    switch (w->which) {
    case 0:
        go_ctx_with_value(go_ctx_background(), NULL, w, NULL);
        break;
    case 1:
        go_ctx_with_value(NULL, &key_a, w, NULL);
        break;
    case 2:
        go_ctx_new(NULL);
        break;
    case 3:
        go_ctx_with_deadline(NULL, GO_FOREVER);
        break;
    default:
        go_ctx_without_cancel(NULL);
    }
}

RT_TEST(test_X10_and_X11_no_key_and_no_parent_panic)
{
    for (int which = 0; which < 5; which++) {
        struct wrong w = {which, 0};

        assert_int_equal(go_call(derives_wrongly, &w), 1);
        assert_int_equal(w.recovered, 1);
    }
}

static void tells_kinds_apart(void *arg)
{
    go_ctx *late = go_ctx_with_deadline(go_ctx_background(), go_after_ms(10)),
           *ended = go_ctx_with_deadline(go_ctx_background(), go_after_ms(10)), *below = go_ctx_new(late);

    go_ctx_cancel(ended, 0, NULL);
    assert_int_equal(go_chan_recv(NULL, NULL, go_with(below)), -ETIMEDOUT);
    assert_int_equal(go_ctx_err(late), -ETIMEDOUT);
    assert_int_equal(go_ctx_cause(below).code, -ETIMEDOUT);
    assert_int_equal(go_chan_recv(NULL, NULL, go_with(ended)), -ECANCELED);
    assert_int_equal(go_ctx_cause(ended).code, -ECANCELED);
    go_ctx_unref(late);
    go_ctx_unref(ended);
    go_ctx_unref(below);
}

RT_TEST(test_X11_a_deadline_is_told_from_a_cancel)
{
    assert_int_equal(go_bubble(tells_kinds_apart, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_X1_cancel_ends_all_descendants_before_it_returns),
        RT_UNIT(test_X2_of_many_concurrent_cancels_one_fixes_the_cause),
        RT_UNIT(test_X3_children_that_race_with_the_cancel_are_born_done),
        RT_UNIT(test_X6_a_context_that_is_done_has_no_timer_any_more),
        RT_UNIT(test_X6_a_parent_forgets_children_that_are_done),
        RT_UNIT(test_X7_contexts_cost_no_goroutine),
        RT_UNIT(test_X10_keys_have_a_type_and_values_survive_the_end),
        RT_UNIT(test_X10_and_X11_no_key_and_no_parent_panic),
        RT_UNIT(test_X11_a_deadline_is_told_from_a_cancel),
        RT_UNIT(test_X2_first_cancellation_wins),
        RT_UNIT(test_X8_each_function_runs_or_is_prevented_while_cancels_race),
        RT_UNIT(test_X3_child_of_a_done_parent_is_born_done_with_its_cause),
        RT_UNIT(test_X4_a_cause_goes_down_to_children_that_had_none),
        RT_UNIT(test_X4_childs_own_cause_stands_against_the_parents),
        RT_UNIT(test_X8_function_runs_once_after_the_end_unless_stopped),
        RT_UNIT(test_X9_without_cancel_keeps_values_only),
        RT_UNIT(test_X10_nearest_binding_wins_and_is_dropped_once),
        RT_UNIT(test_X11_background_never_ends),
        RT_UNIT(test_S13_done_context_on_arrival_takes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
