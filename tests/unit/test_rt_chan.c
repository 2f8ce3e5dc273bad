/* Channels and select of the runtime: rules U, B, C, N, R, S, F. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_test.h"

struct pair {
    go_chan *in, *out;
};

static void echo(void *arg)
{
    struct pair p = *(struct pair *)arg;
    int v;

    while (go_range(p.in, &v))
        go_chan_send(p.out, &v, GO_FOREVER);
    go_chan_close(p.out);
}

RT_TEST(test_U1_values_pass_directly_between_two_goroutines)
{
    struct pair p = {go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0)};
    int got = 0;

    assert_int_equal(go_spawn(echo, &p, sizeof p), 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(go_chan_send(p.in, &i, GO_FOREVER), 0);
        assert_int_equal(go_chan_recv(p.out, &got, GO_FOREVER), 1);
        assert_int_equal(got, i);
    }
    go_chan_close(p.in);
    assert_int_equal(go_chan_recv(p.out, &got, GO_FOREVER), 0);
    assert_int_equal(got, 0);
    go_chan_unref(p.in);
    go_chan_unref(p.out);
}

RT_TEST(test_B1_first_sends_up_to_capacity_do_not_wait)
{
    go_chan *c = go_chan_new(sizeof(int), 3);
    int v;

    for (v = 0; v < 3; v++)
        assert_int_equal(go_chan_send(c, &v, GO_NOW), 0);
    assert_int_equal(go_chan_send(c, &v, GO_NOW), -EAGAIN);
    assert_int_equal(go_chan_len(c), 3);
    assert_int_equal(go_chan_cap(c), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(go_chan_recv(c, &v, GO_NOW), 1);
        assert_int_equal(v, i);
    }
    assert_int_equal(go_chan_recv(c, &v, GO_NOW), -EAGAIN);
    go_chan_unref(c);
}

RT_TEST(test_C1_buffered_values_arrive_after_close_then_zero)
{
    go_chan *c = go_chan_new(sizeof(int), 2);
    int v = 7;

    go_chan_send(c, &v, GO_FOREVER);
    assert_int_equal(go_chan_close(c), 0);
    v = 0;
    assert_int_equal(go_chan_recv(c, &v, GO_FOREVER), 1);
    assert_int_equal(v, 7);
    for (int i = 0; i < 3; i++) {
        v = 9;
        assert_int_equal(go_chan_recv(c, &v, GO_FOREVER), 0);
        assert_int_equal(v, 0);
    }
    assert_int_equal(go_chan_send(c, &v, GO_FOREVER), -EPIPE);
    assert_int_equal(go_chan_close(c), -EPIPE);
    go_chan_unref(c);
}

RT_TEST(test_N1_nil_channel_waits_until_the_deadline)
{
    int v = 0;

    assert_int_equal(go_chan_recv(NULL, &v, go_after_ms(1)), -ETIMEDOUT);
    assert_int_equal(go_chan_send(NULL, &v, GO_NOW), -EAGAIN);
    assert_int_equal(go_chan_close(NULL), -EINVAL);
}

struct waiting {
    go_chan *c;
    _Atomic int *results;
    int index;
};

static void send_parked(void *arg)
{
    struct waiting *w = arg;
    int v = w->index;

    atomic_store(&w->results[w->index], go_chan_send(w->c, &v, GO_FOREVER));
}

RT_TEST(test_C4_senders_parked_at_close_get_EPIPE)
{
    _Atomic int results[4] = {1, 1, 1, 1};
    go_chan *c = go_chan_new(sizeof(int), 0);

    for (int i = 0; i < 4; i++) {
        struct waiting w = {c, results, i};

        go_spawn(send_parked, &w, sizeof w);
    }
    rt_wait_parked(4);
    go_chan_close(c);
    rt_wait_live(1);
    for (int i = 0; i < 4; i++)
        assert_int_equal(results[i], -EPIPE);
    go_chan_unref(c);
}

RT_TEST(test_F1_parked_senders_are_served_in_arrival_order)
{
    _Atomic int results[8];
    go_chan *c = go_chan_new(sizeof(int), 0);
    int v;

    for (int i = 0; i < 8; i++) {
        struct waiting w = {c, results, i};

        go_spawn(send_parked, &w, sizeof w);
        rt_wait_parked(i + 1);
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(go_chan_recv(c, &v, GO_FOREVER), 1);
        assert_int_equal(v, i);
    }
    rt_wait_live(1);
    go_chan_unref(c);
}

struct taker {
    go_chan *a, *b;
    int *from_select, *behind;
};

static void takes_from_either(void *arg)
{
    struct taker *t = arg;
    struct go_case cases[] = {GO_RECV(t->a, t->from_select), GO_RECV(t->b, t->from_select)};

    go_select(cases, 2, GO_FOREVER);
}

static void takes_behind(void *arg)
{
    struct taker *t = arg;

    go_chan_recv(t->b, t->behind, GO_FOREVER);
}

/* On the one processor the select has not run again: it still stands first in the queue of b. */
RT_TEST(test_F2_a_select_that_was_served_elsewhere_is_passed_over)
{
    int old = go_set_procs(1), from_select = 0, behind = 0, one = 1, two = 2;
    struct taker t = {go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0), &from_select, &behind};

    go_spawn(takes_from_either, &t, sizeof t);
    rt_wait_parked(1);
    go_spawn(takes_behind, &t, sizeof t);
    rt_wait_parked(2);
    assert_int_equal(go_chan_send(t.a, &one, GO_NOW), 0);
    assert_int_equal(go_chan_send(t.b, &two, GO_NOW), 0);
    rt_wait_live(1);
    assert_int_equal(from_select, 1);
    assert_int_equal(behind, 2);
    go_chan_unref(t.a);
    go_chan_unref(t.b);
    go_set_procs(old);
}

RT_TEST(test_S2_choice_among_ready_cases_is_even)
{
    go_chan *c[4];
    int v = 0, hits[4] = {0};

    for (int i = 0; i < 4; i++)
        c[i] = go_chan_new(sizeof(int), 4000);
    for (int i = 0; i < 4; i++)
        for (int n = 0; n < 4000; n++)
            go_chan_send(c[i], &v, GO_FOREVER);
    for (int n = 0; n < 4000; n++) {
        struct go_case cases[] = {GO_RECV(c[0], &v), GO_RECV(c[1], &v), GO_RECV(c[2], &v), GO_RECV(c[3], &v)};
        int i = go_select(cases, 4, GO_FOREVER);

        assert_in_range(i, 0, 3);
        assert_int_equal(cases[i].result, 1);
        hits[i]++;
    }
    for (int i = 0; i < 4; i++) {
        assert_in_range(hits[i], 800, 1200);
        go_chan_unref(c[i]);
    }
}

RT_TEST(test_S9_send_on_closed_is_ready_with_EPIPE)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    int v = 1;
    struct go_case cases[] = {GO_SEND(c, &v)};

    go_chan_close(c);
    assert_int_equal(go_select(cases, 1, GO_NOW), 0);
    assert_int_equal(cases[0].result, -EPIPE);
    go_chan_unref(c);
}

static void select_both_ways(void *arg)
{
    struct waiting *w = arg;
    int out = w->index, in = -1;
    struct go_case cases[] = {GO_SEND(w->c, &out), GO_RECV(w->c, &in)};
    int i = go_select(cases, 2, GO_FOREVER);

    atomic_store(&w->results[w->index], i == 0 ? 100 : in);
}

RT_TEST(test_S7_two_selects_that_send_and_receive_on_one_channel_match)
{
    _Atomic int results[2] = {-1, -1};
    go_chan *c = go_chan_new(sizeof(int), 0);

    for (int i = 0; i < 2; i++) {
        struct waiting w = {c, results, i};

        go_spawn(select_both_ways, &w, sizeof w);
    }
    rt_wait_live(1);
    assert_true((results[0] == 100 && results[1] == 0) || (results[1] == 100 && results[0] == 1));
    go_chan_unref(c);
}

RT_TEST(test_S12_many_cases_wait_and_too_many_are_refused)
{
    enum { N = 500 };
    static struct go_case cases[N];
    go_chan *c = go_chan_new(sizeof(int), 0), *other = go_chan_new(sizeof(int), 1);
    int v = 5;

    for (int i = 0; i < N; i++)
        cases[i] = GO_RECV(i == 321 ? other : i % 2 ? c : NULL, &v);
    assert_int_equal(go_select(cases, N, go_after_ms(1)), -ETIMEDOUT);
    go_chan_send(other, &v, GO_FOREVER);
    assert_int_equal(go_select(cases, N, GO_FOREVER), 321);
    assert_int_equal(go_select(cases, GO_CASES_MAX + 1, GO_NOW), -E2BIG);
    go_chan_unref(c);
    go_chan_unref(other);
}

/* ---- B6 and S14: what went in comes out, with any number of processors ---- */

enum { PRODUCERS = 4, CONSUMERS = 4, EACH = 2000 };

struct flow {
    go_chan *c, *c2;
    _Atomic long *sum, *count;
    go_waitgroup *producers, *consumers;
};

static void produce(void *arg)
{
    struct flow *f = arg;

    for (long v = 1; v <= EACH; v++) {
        struct go_case cases[] = {GO_SEND(f->c, &v), GO_SEND(f->c2, &v)};

        if (v % 3)
            go_chan_send(v % 2 ? f->c : f->c2, &v, GO_FOREVER);
        else
            go_select(cases, 2, GO_FOREVER);
    }
}

static void consume(void *arg)
{
    struct flow *f = arg;
    go_chan *c = f->c, *c2 = f->c2;

    while (c || c2) {
        long v = 0;
        struct go_case cases[] = {GO_RECV(c, &v), GO_RECV(c2, &v)};
        int i = go_select(cases, 2, GO_FOREVER);

        if (cases[i].result == 1) {
            atomic_fetch_add(f->sum, v);
            atomic_fetch_add(f->count, 1);
        } else if (i == 0) {
            c = NULL;
        } else {
            c2 = NULL;
        }
    }
}

static void conserve(size_t capacity)
{
    _Atomic long sum = 0, count = 0;
    go_waitgroup producers = {0}, consumers = {0};
    struct flow f = {go_chan_new(sizeof(long), capacity),
                     go_chan_new(sizeof(long), capacity),
                     &sum,
                     &count,
                     &producers,
                     &consumers};

    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(go_waitgroup_go(&producers, produce, &f, sizeof f), 0);
    for (int i = 0; i < CONSUMERS; i++)
        assert_int_equal(go_waitgroup_go(&consumers, consume, &f, sizeof f), 0);
    go_waitgroup_wait(&producers);
    go_chan_close(f.c);
    go_chan_close(f.c2);
    go_waitgroup_wait(&consumers);
    assert_int_equal(atomic_load(&count), PRODUCERS * EACH);
    assert_int_equal(atomic_load(&sum), (long)PRODUCERS * EACH * (EACH + 1) / 2);
    rt_wait_live(1);
    go_chan_unref(f.c);
    go_chan_unref(f.c2);
}

RT_TEST(test_B6_multiset_in_is_multiset_out_on_1_2_and_4_processors)
{
    static const int procs[] = {1, 2, 4};
    int old = go_set_procs(0);

    for (int i = 0; i < 3; i++) {
        go_set_procs(procs[i]);
        conserve(0);
        conserve(1);
        conserve(16);
    }
    go_set_procs(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_U1_values_pass_directly_between_two_goroutines),
        RT_UNIT(test_B1_first_sends_up_to_capacity_do_not_wait),
        RT_UNIT(test_C1_buffered_values_arrive_after_close_then_zero),
        RT_UNIT(test_N1_nil_channel_waits_until_the_deadline),
        RT_UNIT(test_C4_senders_parked_at_close_get_EPIPE),
        RT_UNIT(test_F1_parked_senders_are_served_in_arrival_order),
        RT_UNIT(test_F2_a_select_that_was_served_elsewhere_is_passed_over),
        RT_UNIT(test_S2_choice_among_ready_cases_is_even),
        RT_UNIT(test_S9_send_on_closed_is_ready_with_EPIPE),
        RT_UNIT(test_S7_two_selects_that_send_and_receive_on_one_channel_match),
        RT_UNIT(test_S12_many_cases_wait_and_too_many_are_refused),
        RT_UNIT(test_B6_multiset_in_is_multiset_out_on_1_2_and_4_processors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
