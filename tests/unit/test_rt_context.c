/* Contexts: rules X1 to X11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_X1_cancel_ends_all_descendants_before_it_returns),
        RT_UNIT(test_X2_first_cancellation_wins),
        RT_UNIT(test_X8_each_function_runs_or_is_prevented_while_cancels_race),
        RT_UNIT(test_X3_child_of_a_done_parent_is_born_done_with_its_cause),
        RT_UNIT(test_X4_childs_own_cause_stands_against_the_parents),
        RT_UNIT(test_X8_function_runs_once_after_the_end_unless_stopped),
        RT_UNIT(test_X9_without_cancel_keeps_values_only),
        RT_UNIT(test_X10_nearest_binding_wins_and_is_dropped_once),
        RT_UNIT(test_X11_background_never_ends),
        RT_UNIT(test_S13_done_context_on_arrival_takes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
