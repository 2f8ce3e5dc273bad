/* Timers, sleep, contexts' deadlines, bubbles: rules T and Z3. Every time is a bubble's: exact, and no waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_test.h"

#define MS INT64_C(1000000)

/* The body runs in a bubble of its own. */
#define BUBBLE_TEST(name)                                                                                    \
    static void name##_in(void *arg);                                                                        \
    RT_TEST(name)                                                                                            \
    {                                                                                                        \
        assert_int_equal(go_bubble(name##_in, NULL), 0);                                                     \
    }                                                                                                        \
    static void name##_in(void *arg)

BUBBLE_TEST(test_Z3_clock_jumps_when_all_are_blocked)
{
    int64_t start = go_now_ns();

    assert_int_equal(start, INT64_C(946684800) * 1000 * MS);
    assert_int_equal(go_sleep(go_after_ms(3600 * 1000)), 0);
    assert_int_equal(go_now_ns() - start, 3600 * 1000 * MS);
}

static void blocks_for_ever(void *arg)
{
    go_chan *c = go_chan_new(0, 0);

    go_chan_recv(c, NULL, GO_FOREVER);
    go_chan_unref(c);
}

RT_TEST(test_Z3_blocked_bubble_without_timer_is_a_deadlock)
{
    assert_int_equal(go_bubble(blocks_for_ever, NULL), -EDEADLK);
    rt_wait_live(1);
}

static void counts(void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
}

static void counts_after_receive(void *arg)
{
    struct {
        go_chan *c;
        _Atomic int *n;
    } *a = arg;

    go_chan_recv(a->c, NULL, GO_FOREVER);
    atomic_fetch_add(a->n, 1);
}

BUBBLE_TEST(test_Z3_wait_returns_when_the_others_are_blocked)
{
    _Atomic int n = 0;
    struct {
        go_chan *c;
        _Atomic int *n;
    } a = {go_chan_new(0, 0), &n};

    for (int i = 0; i < 3; i++)
        go_spawn(counts_after_receive, &a, sizeof a);
    go_bubble_wait();
    assert_int_equal(n, 0);
    go_chan_close(a.c);
    go_bubble_wait();
    assert_int_equal(n, 3);
    go_chan_unref(a.c);
}

/* The bubble has a timer, but somebody waits for it to settle: that comes first. */
static void sleeps_an_hour(void *arg)
{
    go_sleep(go_after_ms(3600 * 1000));
}

BUBBLE_TEST(test_Z3_wait_comes_before_the_clock_jumps)
{
    int64_t start = go_now_ns();

    go_spawn(sleeps_an_hour, NULL, 0);
    go_bubble_wait();
    assert_int_equal(go_now_ns(), start);
}

/* ---- a mutex may be held by somebody outside: who waits for it is not blocked for good ---- */

static struct {
    go_mutex mutex;
    _Atomic int slept;
} outside;

static void locks_outside(void *arg)
{
    go_mutex_lock(&outside.mutex);
    go_mutex_unlock(&outside.mutex);
}

static void sleeps_beside_a_lock(void *arg)
{
    go_spawn(locks_outside, NULL, 0);
    go_sleep(go_after_ms(3600 * 1000));
    atomic_store(&outside.slept, 1);
}

static void runs_bubble(void *arg)
{
    assert_int_equal(go_bubble(sleeps_beside_a_lock, NULL), 0);
}

RT_TEST(test_Z3_the_clock_stands_while_somebody_waits_for_a_mutex)
{
    atomic_store(&outside.slept, 0);
    go_mutex_lock(&outside.mutex);
    go_spawn(runs_bubble, NULL, 0);
    rt_wait_parked(3); /* the creator, the sleeper, the one at the mutex */
    assert_int_equal(outside.slept, 0);
    go_mutex_unlock(&outside.mutex);
    rt_wait_live(1);
    assert_int_equal(outside.slept, 1);
}

struct sleeper {
    int ms;
    go_chan *out;
};

static void sleeps(void *arg)
{
    struct sleeper *s = arg;

    go_sleep(go_after_ms(s->ms));
    go_chan_send(s->out, &s->ms, GO_FOREVER);
}

BUBBLE_TEST(test_T2_different_deadlines_fire_in_order)
{
    static const int order[] = {70, 20, 50, 10, 90, 30, 80, 60, 40, 100};
    go_chan *out = go_chan_new(sizeof(int), 16);
    int64_t start = go_now_ns();
    int ms;

    for (int i = 0; i < 10; i++) {
        struct sleeper s = {order[i], out};

        go_spawn(sleeps, &s, sizeof s);
    }
    for (int i = 1; i <= 10; i++) {
        assert_int_equal(go_chan_recv(out, &ms, GO_FOREVER), 1);
        assert_int_equal(ms, 10 * i);
        assert_int_equal(go_now_ns() - start, 10 * i * MS);
    }
    go_chan_unref(out);
}

BUBBLE_TEST(test_T1_zero_fires_at_once_and_huge_saturates)
{
    int64_t start = go_now_ns(), fired = 0;
    go_timer *t = go_timer_new(INT64_MAX);

    assert_int_equal(go_sleep(go_after_ms(0)), 0);
    assert_int_equal(go_sleep(go_after_ms(-5)), 0);
    assert_int_equal(go_now_ns(), start);
    assert_true(go_after_ms(INT64_MAX).ns == INT64_MAX);
    assert_int_equal(go_timer_stop(t), 1);
    assert_int_equal(go_timer_reset(t, 0), 0);
    assert_int_equal(go_timer_wait(t, &fired, GO_FOREVER), 1);
    assert_int_equal(fired, start);
    go_timer_unref(t);
}

BUBBLE_TEST(test_T3_stop_answers_whether_it_prevented_the_firing)
{
    go_timer *t = go_timer_new(5 * MS);

    assert_int_equal(go_timer_stop(t), 1);
    assert_int_equal(go_timer_stop(t), 0);
    assert_int_equal(go_timer_reset(t, 5 * MS), 0);
    assert_int_equal(go_timer_reset(t, 7 * MS), 1);
    assert_int_equal(go_timer_wait(t, NULL, GO_FOREVER), 1);
    assert_int_equal(go_timer_stop(t), 0);
    go_timer_unref(t);
}

BUBBLE_TEST(test_T4_no_stale_tick_after_stop_or_reset)
{
    go_timer *t = go_timer_new(5 * MS);

    go_sleep(go_after_ms(6));
    assert_int_equal(go_timer_reset(t, 5 * MS), 1); /* fired, but nobody had seen it */
    assert_int_equal(go_timer_wait(t, NULL, GO_NOW), -EAGAIN);
    go_sleep(go_after_ms(6));
    assert_int_equal(go_timer_stop(t), 1);
    assert_int_equal(go_timer_wait(t, NULL, GO_NOW), -EAGAIN);
    go_timer_unref(t);
}

BUBBLE_TEST(test_T5_received_time_is_that_of_the_firing)
{
    int64_t start = go_now_ns(), fired;
    go_timer *t = go_timer_new(5 * MS);

    go_sleep(go_after_ms(50));
    assert_int_equal(go_timer_wait(t, &fired, GO_FOREVER), 1);
    assert_int_equal(fired - start, 5 * MS);
    go_timer_unref(t);
}

BUBBLE_TEST(test_T6_ticker_keeps_one_tick_for_a_slow_reader)
{
    int64_t start = go_now_ns(), fired;
    go_timer *t = go_ticker_new(10 * MS);

    go_sleep(go_after_ms(55));
    assert_int_equal(go_timer_wait(t, &fired, GO_NOW), 1);
    assert_int_equal(fired - start, 10 * MS);
    assert_int_equal(go_timer_wait(t, &fired, GO_NOW), -EAGAIN);
    assert_int_equal(go_timer_wait(t, &fired, GO_FOREVER), 1);
    assert_int_equal(fired - start, 60 * MS);
    go_timer_unref(t);
}

static void forgives(void *arg)
{
    go_recover();
}

static void recovers_from_period(void *arg)
{
    go_defer(forgives, NULL);
    go_ticker_new(0);
}

RT_TEST(test_T6_a_period_of_zero_panics)
{
    assert_int_equal(go_call(recovers_from_period, NULL), 1);
}

struct function {
    uint64_t id;
    go_chan *gate;
    _Atomic int ended;
};

static void waits_at_gate(void *arg)
{
    struct function *f = arg;

    f->id = go_id();
    go_chan_recv(f->gate, NULL, GO_FOREVER);
    atomic_store(&f->ended, 1);
}

BUBBLE_TEST(test_T7_function_has_a_goroutine_of_its_own_and_stop_does_not_wait_for_it)
{
    struct function f = {.gate = go_chan_new(0, 0)};
    go_timer *t = go_timer_func(5 * MS, waits_at_gate, &f);

    go_sleep(go_after_ms(10));
    go_bubble_wait();
    assert_true(f.id != 0 && f.id != go_id());
    assert_int_equal(go_timer_stop(t), 0);
    assert_int_equal(f.ended, 0);
    go_chan_close(f.gate);
    go_bubble_wait();
    assert_int_equal(f.ended, 1);
    go_timer_unref(t);
    go_chan_unref(f.gate);
}

BUBBLE_TEST(test_T7_function_runs_once_unless_stopped)
{
    _Atomic int n = 0;
    go_timer *a = go_timer_func(5 * MS, counts, (void *)&n), *b = go_timer_func(5 * MS, counts, (void *)&n);

    assert_int_equal(go_timer_stop(b), 1);
    go_sleep(go_after_ms(10));
    go_bubble_wait();
    assert_int_equal(n, 1);
    assert_int_equal(go_timer_stop(a), 0);
    go_timer_unref(a);
    go_timer_unref(b);
}

BUBBLE_TEST(test_T9_rearming_loses_nothing)
{
    int64_t start = go_now_ns();
    go_timer *t = go_timer_new(1000 * MS);

    for (int i = 1000; i > 0; i--)
        assert_int_equal(go_timer_reset(t, i * MS), 1);
    assert_int_equal(go_timer_wait(t, NULL, GO_FOREVER), 1);
    assert_int_equal(go_now_ns() - start, MS);
    go_timer_unref(t);
}

enum { MANY = 200 };

/* Armed, stopped and armed again at random; each must then fire when it was last set to. */
BUBBLE_TEST(test_T9_rearming_one_of_many_leaves_the_others_in_order)
{
    int64_t start = go_now_ns(), due[MANY], fired;
    go_timer *t[MANY];
    unsigned dice = 1;

    for (int i = 0; i < MANY; i++)
        t[i] = go_timer_new(due[i] = (i + 1) * MS);
    for (int n = 0; n < 20 * MANY; n++) {
        int i = (int)((dice = dice * 1103515245 + 12345) >> 16) % MANY;

        if (dice >> 8 & 1)
            go_timer_stop(t[i]);
        due[i] = (int64_t)((dice = dice * 1103515245 + 12345) >> 8 & 0xffff) * MS + MS;
        go_timer_reset(t[i], due[i]);
    }
    go_sleep(go_after_ms(0x20000));
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(go_timer_wait(t[i], &fired, GO_NOW), 1);
        assert_int_equal(fired - start, due[i]);
        go_timer_unref(t[i]);
    }
}

BUBBLE_TEST(test_select_takes_the_timer_that_fires_first)
{
    go_timer *slow = go_timer_new(20 * MS), *fast = go_timer_new(10 * MS);
    int64_t fired = 0;
    struct go_case cases[] = {GO_TIMER(slow, NULL), GO_TIMER(fast, &fired)};

    assert_int_equal(go_select(cases, 2, GO_FOREVER), 1);
    assert_int_equal(fired, go_now_ns());
    assert_int_equal(go_select(cases, 2, go_after_ms(5)), -ETIMEDOUT);
    assert_int_equal(go_select(cases, 2, go_after_ms(5 + 1)), 0);
    go_timer_unref(slow);
    go_timer_unref(fast);
}

/* ---- contexts with deadlines ---- */

BUBBLE_TEST(test_X5_deadline_only_shrinks_and_keeps_its_cause)
{
    go_ctx *outer = go_ctx_with_deadline_cause(go_ctx_background(), go_after_ms(10), 77, "outer");
    go_ctx *inner = go_ctx_with_deadline_cause(outer, go_after_ms(20), 88, "inner");

    assert_int_equal(go_ctx_deadline_ns(inner), go_ctx_deadline_ns(outer));
    assert_int_equal(go_ctx_wait(inner, GO_FOREVER), 0);
    assert_int_equal(go_ctx_err(inner), -ETIMEDOUT);
    assert_int_equal(go_ctx_cause(inner).code, 77);
    assert_string_equal(go_ctx_cause(inner).text, "outer");
    go_ctx_unref(inner);
    go_ctx_unref(outer);
}

BUBBLE_TEST(test_X5_cancel_never_sets_the_deadlines_cause)
{
    go_ctx *ctx = go_ctx_with_deadline_cause(go_ctx_background(), go_after_ms(10), 77, "late");

    go_ctx_cancel(ctx, 0, NULL);
    assert_int_equal(go_ctx_err(ctx), -ECANCELED);
    assert_int_equal(go_ctx_cause(ctx).code, -ECANCELED);
    go_ctx_unref(ctx);
}

BUBBLE_TEST(test_X5_past_deadline_is_exceeded_already)
{
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(-1));

    assert_int_equal(go_ctx_err(ctx), -ETIMEDOUT);
    go_ctx_unref(ctx);
}

BUBBLE_TEST(test_wait_ends_with_the_contexts_error)
{
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(10));
    go_chan *c = go_chan_new(0, 0);

    assert_int_equal(go_chan_recv(c, NULL, go_with(ctx)), -ETIMEDOUT);
    assert_int_equal(go_chan_recv(c, NULL, go_both(go_after_ms(5), ctx)), -ETIMEDOUT);
    assert_int_equal(go_sleep(go_with(ctx)), -ETIMEDOUT);
    go_ctx_unref(ctx);
    go_chan_unref(c);
}

static go_chan *bubble_chan;

static void makes_channel(void *arg)
{
    bubble_chan = go_chan_new(0, 1);
}

static void recovers(void *arg)
{
    const char *text = go_recover();

    *(int *)arg = text && strstr(text, "used from outside");
}

static void uses_foreign(void *arg)
{
    go_defer(recovers, arg);
    go_chan_send(bubble_chan, NULL, GO_FOREVER);
}

RT_TEST(test_Z3_foreign_use_of_a_bubbles_channel_panics)
{
    int told = 0;

    assert_int_equal(go_bubble(makes_channel, NULL), 0);
    assert_int_equal(go_call(uses_foreign, &told), 1);
    assert_true(told);
    go_chan_unref(bubble_chan);
}

/* ---- the real clock ---- */

RT_TEST(test_T1_real_sleep_is_never_early)
{
    for (int i = 0; i < 20; i++) {
        int64_t start = go_now_ns();

        go_sleep(go_after_us(300));
        assert_true(go_now_ns() - start >= 300000);
    }
}

static void spins(void *arg)
{
    while (!atomic_load((_Atomic int *)arg))
        go_yield();
}

RT_TEST(test_T8_timers_fire_while_goroutines_keep_the_processor_busy)
{
    _Atomic int stop = 0;
    _Atomic int *p = &stop;
    int old = go_set_procs(1);

    for (int i = 0; i < 3; i++)
        go_spawn(spins, (void *)p, 0);
    assert_int_equal(go_sleep(go_after_ms(3)), 0);
    atomic_store(&stop, 1);
    rt_wait_live(1);
    go_set_procs(old);
}

static void test_T1_a_nanosecond_early_nothing_fires(void **state)
{
    int64_t fired = 0;
    go_timer *t;

    go_clock_fake(1000);
    assert_int_equal(go_start(1), 0);
    t = go_timer_new(5 * MS);
    go_clock_advance(5 * MS - 1);
    assert_int_equal(go_timer_wait(t, &fired, GO_NOW), -EAGAIN);
    go_clock_advance(1);
    assert_int_equal(go_timer_wait(t, &fired, GO_FOREVER), 1);
    assert_int_equal(fired, 1000 + 5 * MS);
    go_timer_unref(t);
    assert_int_equal(go_stop(), 0);
    go_clock_real();
}

/* Not that for which it was set, nor that of the receive. */
static void test_T5_a_timer_that_fires_late_says_when(void **state)
{
    int64_t fired = 0;
    go_timer *t;

    go_clock_fake(1000);
    assert_int_equal(go_start(1), 0);
    t = go_timer_new(5 * MS);
    go_clock_advance(8 * MS);
    go_clock_advance(8 * MS);
    assert_int_equal(go_timer_wait(t, &fired, GO_FOREVER), 1);
    assert_int_equal(fired, 1000 + 8 * MS);
    go_timer_unref(t);
    assert_int_equal(go_stop(), 0);
    go_clock_real();
}

static void test_fake_clock_moves_only_when_told(void **state)
{
    go_chan *c;

    go_clock_fake(1000);
    assert_int_equal(go_start(1), 0);
    assert_int_equal(go_now_ns(), 1000);
    c = go_chan_new(sizeof(int), 1);
    {
        struct sleeper s = {5, c};
        struct go_stats stats;
        int ms = 0;

        go_spawn(sleeps, &s, sizeof s);
        do
            go_stats_read(&stats);
        while (stats.parked != 1);
        assert_int_equal(go_chan_recv(c, &ms, GO_NOW), -EAGAIN);
        go_clock_advance(5 * MS);
        assert_int_equal(go_chan_recv(c, &ms, GO_FOREVER), 1);
        assert_int_equal(ms, 5);
    }
    assert_int_equal(go_stop(), 0);
    go_clock_real();
    go_chan_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_Z3_clock_jumps_when_all_are_blocked),
        RT_UNIT(test_Z3_blocked_bubble_without_timer_is_a_deadlock),
        RT_UNIT(test_Z3_wait_returns_when_the_others_are_blocked),
        RT_UNIT(test_Z3_the_clock_stands_while_somebody_waits_for_a_mutex),
        RT_UNIT(test_Z3_wait_comes_before_the_clock_jumps),
        RT_UNIT(test_Z3_foreign_use_of_a_bubbles_channel_panics),
        RT_UNIT(test_T1_zero_fires_at_once_and_huge_saturates),
        RT_UNIT(test_T1_real_sleep_is_never_early),
        RT_UNIT(test_T2_different_deadlines_fire_in_order),
        RT_UNIT(test_T3_stop_answers_whether_it_prevented_the_firing),
        RT_UNIT(test_T4_no_stale_tick_after_stop_or_reset),
        RT_UNIT(test_T5_received_time_is_that_of_the_firing),
        RT_UNIT(test_T1_a_nanosecond_early_nothing_fires),
        RT_UNIT(test_T5_a_timer_that_fires_late_says_when),
        RT_UNIT(test_T6_ticker_keeps_one_tick_for_a_slow_reader),
        RT_UNIT(test_T6_a_period_of_zero_panics),
        RT_UNIT(test_T7_function_runs_once_unless_stopped),
        RT_UNIT(test_T7_function_has_a_goroutine_of_its_own_and_stop_does_not_wait_for_it),
        RT_UNIT(test_T8_timers_fire_while_goroutines_keep_the_processor_busy),
        RT_UNIT(test_T9_rearming_loses_nothing),
        RT_UNIT(test_T9_rearming_one_of_many_leaves_the_others_in_order),
        RT_UNIT(test_select_takes_the_timer_that_fires_first),
        RT_UNIT(test_X5_deadline_only_shrinks_and_keeps_its_cause),
        RT_UNIT(test_X5_cancel_never_sets_the_deadlines_cause),
        RT_UNIT(test_X5_past_deadline_is_exceeded_already),
        RT_UNIT(test_wait_ends_with_the_contexts_error),
        RT_UNIT(test_fake_clock_moves_only_when_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
