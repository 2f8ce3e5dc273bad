/* Rate limiters, circuit breakers, retries. Every time is exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_patterns.h"

#define SECOND (1000 * MS)

/* ---- rate limiter ---- */

struct taker {
    go_limiter *l;
    int64_t n;
    go_until until;
    int *order; /* counts those who were served, may be NULL */
    int result, place;
    int64_t ms;
    go_waitgroup *group;
};

static void takes(void *arg)
{
    struct taker *t = arg;

    t->result = go_limiter_take(t->l, t->n, t->until);
    t->ms = at_ms();
    if (t->result == 0 && t->order)
        t->place = ++*t->order; /* one at a time: each at another instant */
}

static void start(go_waitgroup *group, struct taker *takers, int n)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(go_waitgroup_go(group, takes, &takers[i], 0), 0);
        go_bubble_wait(); /* so they stand in the queue in this order */
    }
}

PATTERN_TEST(test_tokens_fill_up_to_the_burst_and_no_further, 10)
{
    go_limiter *l = go_limiter_new(5, SECOND, 5);
    struct taker takers[20];
    go_waitgroup group = {0};
    int granted = 0;

    for (int i = 0; i < 20; i++) {
        takers[i] = (struct taker){.l = l, .n = 1, .until = GO_NOW};
        go_waitgroup_go(&group, takes, &takers[i], 0);
    }
    go_waitgroup_wait(&group);
    for (int i = 0; i < 20; i++) {
        assert_true(takers[i].result == 0 || takers[i].result == -EAGAIN);
        granted += takers[i].result == 0;
    }
    assert_int_equal(granted, 5);
    go_sleep(go_after_ns(600 * MS - 1));
    assert_int_equal(go_limiter_tokens(l), 2);
    go_sleep(go_after_ns(1));
    for (int i = 0; i < 4; i++)
        assert_int_equal(go_limiter_take(l, 1, GO_NOW), i < 3 ? 0 : -EAGAIN);
    go_sleep(go_after_ms(10000));
    assert_int_equal(go_limiter_tokens(l), 5);
    assert_int_equal(go_limiter_take(l, 6, GO_NOW), -EINVAL);
    assert_int_equal(go_limiter_take(l, -1, GO_NOW), -EINVAL);
    assert_int_equal(go_limiter_take(l, 5, GO_NOW), 0);
    assert_int_equal(go_limiter_take(l, 1, GO_NOW), -EAGAIN);
    go_limiter_unref(l);
}

PATTERN_TEST(test_timed_out_taker_takes_no_token, 50)
{
    go_limiter *l = go_limiter_new(5, SECOND, 1);
    struct taker takers[3];
    go_waitgroup group = {0};

    assert_int_equal(go_limiter_take(l, 1, GO_NOW), 0);
    takers[0] = (struct taker){.l = l, .n = 1, .until = go_after_ms(100)};
    takers[1] = (struct taker){.l = l, .n = 1, .until = go_after_ms(300)};
    takers[2] = (struct taker){.l = l, .n = 1, .until = go_after_ms(400)}; /* together with its token */
    start(&group, takers, 3);
    go_waitgroup_wait(&group);
    assert_true(takers[0].result == -ETIMEDOUT && takers[0].ms == 100);
    assert_true(takers[1].result == 0 && takers[1].ms == 200);
    assert_true(takers[2].result == 0 && takers[2].ms == 400);
    assert_int_equal(go_limiter_take(l, 1, go_until_make(go_now_ns(), NULL)), -ETIMEDOUT);
    go_limiter_unref(l);
}

PATTERN_TEST(test_those_who_wait_go_one_by_one_at_the_rate, 50)
{
    go_limiter *l = go_limiter_new(4, SECOND, 4);
    struct taker takers[10];
    go_waitgroup group = {0};
    int order = 0;

    for (int i = 0; i < 10; i++)
        takers[i] = (struct taker){.l = l, .n = 1, .until = GO_FOREVER, .order = &order};
    start(&group, takers, 10);
    go_waitgroup_wait(&group);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(takers[i].result, 0);
        assert_int_equal(takers[i].place, i + 1);
        assert_int_equal(takers[i].ms, i < 4 ? 0 : (i - 3) * 250);
    }
    go_limiter_unref(l);
}

PATTERN_TEST(test_rate_has_no_drift, 2)
{
    go_limiter *l = go_limiter_new(3, SECOND, 1);
    int64_t begin = go_now_ns();

    for (int64_t i = 0; i <= 3000; i++) {
        assert_int_equal(go_limiter_take(l, 1, GO_FOREVER), 0);
        assert_int_equal(go_now_ns() - begin, (i * SECOND + 2) / 3);
    }
    go_limiter_unref(l);
    l = go_limiter_new(1, INT64_C(3600) * SECOND,
                       1000); /* one in an hour, and a clock that goes on for long */
    assert_int_equal(go_limiter_take(l, 1000, GO_NOW), 0);
    assert_int_equal(go_limiter_take(l, 2, GO_FOREVER), 0);
    assert_int_equal(at_ms(), 1000 * 1000 + 2 * 3600 * 1000);
    go_sleep(go_after_ns(INT64_C(100) * 365 * 24 * 3600 * SECOND));
    assert_int_equal(go_limiter_tokens(l), 1000);
    go_limiter_unref(l);
}

PATTERN_TEST(test_nobody_passes_one_who_waits_for_many, 50)
{
    go_limiter *l = go_limiter_new(10, SECOND, 10);
    struct taker takers[3];
    go_waitgroup group = {0};
    go_ctx *ctx = go_ctx_new(go_ctx_background());

    assert_int_equal(go_limiter_take(l, 10, GO_NOW), 0);
    takers[0] = (struct taker){.l = l, .n = 10, .until = go_with(ctx)};
    takers[1] = (struct taker){.l = l, .n = 2, .until = GO_FOREVER};
    takers[2] = (struct taker){.l = l, .n = 1, .until = GO_FOREVER};
    start(&group, takers, 3);
    go_sleep(go_after_ms(500));
    assert_int_equal(go_limiter_tokens(l), 5);
    assert_int_equal(go_limiter_take(l, 1, GO_NOW), -EAGAIN);
    go_ctx_cancel(ctx, 0, NULL); /* the next ones need not wait */
    go_waitgroup_wait(&group);
    assert_true(takers[0].result == -ECANCELED && takers[0].ms == 500);
    assert_true(takers[1].result == 0 && takers[1].ms == 500);
    assert_true(takers[2].result == 0 && takers[2].ms == 500);
    assert_int_equal(go_limiter_take(l, 2, GO_NOW), 0);
    go_ctx_unref(ctx);
    go_limiter_unref(l);
}

PATTERN_TEST(test_close_wakes_all_who_wait, 50)
{
    go_limiter *l = go_limiter_new(1, SECOND, 1);
    struct taker takers[5];
    go_waitgroup group = {0};

    assert_int_equal(go_limiter_take(l, 1, GO_NOW), 0);
    for (int i = 0; i < 5; i++)
        takers[i] = (struct taker){.l = l, .n = 1, .until = go_after_ms(10000)};
    start(&group, takers, 5);
    go_sleep(go_after_ms(1500));
    assert_int_equal(go_limiter_close(l), 0);
    assert_int_equal(go_limiter_close(l), -EPIPE);
    go_waitgroup_wait(&group);
    assert_true(takers[0].result == 0 && takers[0].ms == 1000);
    for (int i = 1; i < 5; i++)
        assert_true(takers[i].result == -EPIPE && takers[i].ms == 1500);
    assert_int_equal(go_limiter_take(l, 0, GO_NOW), -EPIPE);
    assert_int_equal(go_limiter_close(NULL), -EINVAL);
    assert_null(go_limiter_unref(l));
}

static void takes_twice(void *arg)
{
    go_limiter_take(arg, 1, GO_FOREVER);
    go_limiter_take(arg, 1, GO_FOREVER);
}

/* The one at the head is unwound; the next takes its place. */
RT_TEST(test_P5_end_of_a_takers_scope_passes_the_head_on)
{
    for (int n = 0; n < 50; n++) {
        go_group *group = go_group_new(NULL, NULL, NULL);
        struct go_spawn_options options = {.group = group};
        go_limiter *l = go_limiter_new(1, 3600 * SECOND, 1);
        struct taker t = {.l = l, .n = 1, .until = GO_FOREVER};
        go_waitgroup waiting = {0};

        assert_int_equal(go_limiter_take(l, 1, GO_NOW), 0);
        go_spawn_with(takes_twice, l, 0, &options);
        go_spawn_with(takes_twice, l, 0, &options);
        rt_wait_parked(2);
        go_waitgroup_go(&waiting, takes, &t, 0);
        rt_wait_parked(3);
        go_group_end(group);
        go_group_wait(group, GO_FOREVER);
        rt_wait_parked(1);
        go_limiter_close(l);
        go_waitgroup_wait(&waiting);
        assert_int_equal(t.result, -EPIPE);
        go_limiter_unref(l);
        go_group_unref(group);
    }
}

/* ---- circuit breaker ---- */

struct service {
    int code;
    _Atomic int calls;
    go_chan *gate; /* NULL: answers at once */
    int end;       /* 1 panics, 2 exits */
};

static int serves(void *arg)
{
    struct service *s = arg;
    int code = s->code;

    atomic_fetch_add(&s->calls, 1);
    if (s->gate)
        go_chan_recv(s->gate, NULL, GO_FOREVER);
    if (s->end == 1)
        go_panic("down");
    if (s->end == 2)
        go_exit();
    return code;
}

static void expect_calls(go_breaker *b, struct service *s, const char *script)
{
    for (; *script; script++) {
        s->code = *script == 'F' ? -EIO : 7;
        assert_int_equal(go_breaker_call(b, serves, s), s->code);
    }
}

static void expect_refused(go_breaker *b, struct service *s)
{
    int calls = s->calls;

    assert_int_equal(go_breaker_call(b, serves, s), -EHOSTDOWN);
    assert_int_equal(s->calls, calls);
    assert_int_equal(go_breaker_state(b), GO_BREAKER_OPEN);
}

PATTERN_TEST(test_breaker_opens_probes_and_closes, 5)
{
    go_breaker *b = go_breaker_new(3, 5 * SECOND);
    struct service s = {0};

    expect_calls(b, &s, "FFSFF");
    assert_int_equal(go_breaker_state(b), GO_BREAKER_CLOSED);
    expect_calls(b, &s, "SFFF");
    expect_refused(b, &s);
    go_sleep(go_after_ns(5 * SECOND - 1));
    expect_refused(b, &s);
    go_sleep(go_after_ns(1));
    assert_int_equal(go_breaker_state(b), GO_BREAKER_HALF_OPEN);
    expect_calls(b, &s, "F");
    expect_refused(b, &s);
    go_sleep(go_after_ns(5 * SECOND));
    expect_calls(b, &s, "SFFS");
    assert_int_equal(go_breaker_state(b), GO_BREAKER_CLOSED);
    assert_int_equal(s.calls, 14);
    go_breaker_unref(b);
}

struct caller {
    go_breaker *b;
    struct service *s;
    _Atomic int *refused;
};

static void calls_once(void *arg)
{
    struct caller *c = arg;

    if (go_breaker_call(c->b, serves, c->s) == -EHOSTDOWN)
        atomic_fetch_add(c->refused, 1);
}

PATTERN_TEST(test_exactly_one_probe_of_ten, 50)
{
    go_breaker *b = go_breaker_new(1, SECOND);
    struct service s = {.gate = go_chan_new(0, 0)}, down = {.code = -EIO};
    _Atomic int refused = 0;
    struct caller c = {b, &s, &refused};

    assert_int_equal(go_breaker_call(b, serves, &down), -EIO);
    go_sleep(go_after_ns(SECOND));
    for (int i = 0; i < 10; i++)
        go_spawn(calls_once, &c, sizeof c);
    go_bubble_wait();
    assert_int_equal(s.calls, 1);
    assert_int_equal(refused, 9);
    assert_int_equal(go_breaker_state(b), GO_BREAKER_HALF_OPEN);
    go_chan_close(s.gate);
    go_bubble_wait();
    assert_int_equal(go_breaker_state(b), GO_BREAKER_CLOSED);
    go_chan_unref(s.gate);
    go_breaker_unref(b);
}

/* A call that began while it was closed ends while another one probes. */
static void late_answer(int code)
{
    go_breaker *b = go_breaker_new(1, 1000 * MS);
    struct service slow = {.code = code, .gate = go_chan_new(0, 0)}, probe = {.gate = go_chan_new(0, 0)};
    struct service down = {.code = -EIO};
    _Atomic int refused = 0;
    struct caller c = {b, &slow, &refused}, prober = {b, &probe, &refused};

    go_spawn(calls_once, &c, sizeof c);
    go_bubble_wait();
    expect_calls(b, &down, "F");
    go_sleep(go_after_ns(SECOND));
    go_spawn(calls_once, &prober, sizeof prober);
    go_bubble_wait();
    go_chan_close(slow.gate);
    go_bubble_wait();
    assert_int_equal(go_breaker_state(b), GO_BREAKER_HALF_OPEN);
    go_chan_close(probe.gate);
    go_bubble_wait();
    assert_int_equal(go_breaker_state(b), GO_BREAKER_CLOSED);
    assert_int_equal(refused, 0);
    go_chan_unref(slow.gate);
    go_chan_unref(probe.gate);
    go_breaker_unref(b);
}

PATTERN_TEST(test_call_of_an_earlier_round_counts_for_nothing, 50)
{
    late_answer(0);
    late_answer(-EIO);
}

static void recovers(void *arg)
{
    assert_non_null(go_recover());
}

static void calls_and_recovers(void *arg)
{
    go_defer(recovers, NULL);
    calls_once(arg);
}

static void calls_framed(void *arg)
{
    go_call(calls_and_recovers, arg);
}

PATTERN_TEST(test_probe_that_panics_or_exits_has_failed, 20)
{
    go_breaker *b = go_breaker_new(1, SECOND);
    struct service s = {.end = 1}, down = {.code = -EIO};
    _Atomic int refused = 0;
    struct caller c = {b, &s, &refused};

    go_spawn(calls_framed, &c, sizeof c);
    go_bubble_wait();
    expect_refused(b, &down);
    go_sleep(go_after_ns(SECOND));
    s.end = 2;
    go_spawn(calls_once, &c, sizeof c);
    go_bubble_wait();
    assert_int_equal(s.calls, 2);
    expect_refused(b, &down);
    go_sleep(go_after_ns(SECOND));
    expect_calls(b, &down, "S");
    go_breaker_unref(b);
}

/* ---- retry ---- */

struct attempts {
    int n, succeeds_at;
    int64_t ms[8];
};

static int attempt(void *arg)
{
    struct attempts *a = arg;

    a->ms[a->n++] = at_ms();
    return a->n == a->succeeds_at ? 5 : -a->n;
}

static void cancels(void *arg)
{
    go_ctx_cancel(arg, 0, NULL);
}

PATTERN_TEST(test_retry_pauses_twice_as_long_each_time, 5)
{
    struct attempts third = {.succeeds_at = 3}, never = {0}, early = {0}, once = {0};
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_timer *timer;
    int64_t begin;

    assert_int_equal(go_retry(attempt, &third, 4, 100 * MS, NULL), 5);
    assert_true(third.n == 3 && third.ms[0] == 0 && third.ms[1] == 100 && third.ms[2] == 300);
    begin = at_ms();
    assert_int_equal(go_retry(attempt, &never, 4, 100 * MS, NULL), -4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(never.ms[i] - begin, ((1 << i) - 1) * 100);
    timer = go_timer_func(150 * MS, cancels, ctx);
    begin = at_ms();
    assert_int_equal(go_retry(attempt, &early, 4, 100 * MS, ctx), -ECANCELED);
    assert_int_equal(at_ms() - begin, 150);
    assert_int_equal(early.n, 2);
    assert_int_equal(go_retry(attempt, &early, 4, 100 * MS, ctx), -ECANCELED);
    assert_int_equal(early.n, 2);
    assert_int_equal(go_retry(attempt, &once, 1, 100 * MS, NULL), -1);
    go_timer_unref(timer);
    go_ctx_unref(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_tokens_fill_up_to_the_burst_and_no_further),
        RT_UNIT(test_timed_out_taker_takes_no_token),
        RT_UNIT(test_those_who_wait_go_one_by_one_at_the_rate),
        RT_UNIT(test_rate_has_no_drift),
        RT_UNIT(test_nobody_passes_one_who_waits_for_many),
        RT_UNIT(test_close_wakes_all_who_wait),
        RT_UNIT(test_P5_end_of_a_takers_scope_passes_the_head_on),
        RT_UNIT(test_breaker_opens_probes_and_closes),
        RT_UNIT(test_exactly_one_probe_of_ten),
        RT_UNIT(test_call_of_an_earlier_round_counts_for_nothing),
        RT_UNIT(test_probe_that_panics_or_exits_has_failed),
        RT_UNIT(test_retry_pauses_twice_as_long_each_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
