/* Batches, directed handles, generators: rules U, B, C, F, D and, of batches, IP6.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>

#include "goroutine_sync.h"
#include "rt_test.h"

enum { MANY = 64 };

/* first, first + 1, ... */
static void fill(int *values, int n, int first)
{
    for (int i = 0; i < n; i++)
        values[i] = first + i;
}

static void check_rising(const int *values, int n, int first)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(values[i], first + i);
}

/* ---- batches ---- */

RT_TEST(test_B1_a_batch_that_may_not_wait_sends_what_there_is_room_for)
{
    go_chan *c = go_chan_new(sizeof(int), 3);
    int in[5], out[5];

    fill(in, 5, 0);
    assert_int_equal(go_chan_send_many(c, in, 5, GO_NOW), 3);
    assert_int_equal(go_chan_send_many(c, in, 5, GO_NOW), -EAGAIN);
    assert_int_equal(go_chan_recv_many(c, out, 5, GO_NOW), 3);
    check_rising(out, 3, 0);
    assert_int_equal(go_chan_recv_many(c, out, 5, GO_NOW), -EAGAIN);
    go_chan_unref(c);
}

RT_TEST(test_B1_a_batch_of_no_or_too_many_values_is_refused)
{
    go_chan *c = go_chan_new(sizeof(int), 3);
    int v = 0;

    assert_int_equal(go_chan_send_many(c, &v, 0, GO_FOREVER), -EINVAL);
    assert_int_equal(go_chan_recv_many(c, &v, 0, GO_FOREVER), -EINVAL);
    assert_int_equal(go_chan_recv_many(c, &v, (size_t)INT_MAX + 1, GO_FOREVER), -EINVAL);
    go_chan_unref(c);
}

static void sends_batch(void *arg)
{
    go_chan *c = *(go_chan **)arg;
    int in[MANY];

    fill(in, MANY, 0);
    assert_int_equal(go_chan_send_many(c, in, MANY, GO_FOREVER), MANY);
}

RT_TEST(test_U2_each_value_of_a_batch_is_a_hand_over_of_its_own)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    int v;

    go_spawn(sends_batch, &c, sizeof c);
    for (int i = 0; i < MANY; i++) {
        rt_wait_parked(1); /* it does not go on before its value was received */
        assert_int_equal(go_chan_recv(c, &v, GO_NOW), 1);
        assert_int_equal(v, i);
    }
    rt_wait_live(1);
    go_chan_unref(c);
}

RT_TEST(test_B3_a_batch_larger_than_the_channel_passes_in_order)
{
    go_chan *c = go_chan_new(sizeof(int), 5);
    int out[7], n = 0;

    go_spawn(sends_batch, &c, sizeof c);
    while (n < MANY) {
        int got = go_chan_recv_many(c, out, 7, GO_FOREVER);

        assert_in_range(got, 1, 7);
        check_rising(out, got, n);
        n += got;
    }
    rt_wait_live(1);
    go_chan_unref(c);
}

struct taker {
    go_chan *c;
    int *got;
};

static void takes_one(void *arg)
{
    struct taker *t = arg;

    assert_int_equal(go_chan_recv(t->c, t->got, GO_FOREVER), 1);
}

RT_TEST(test_F1_a_batch_serves_parked_receivers_in_order_of_arrival)
{
    go_chan *c = go_chan_new(sizeof(int), 2);
    int in[8], got[4];

    fill(in, 8, 10);
    for (int i = 0; i < 4; i++) {
        struct taker t = {c, &got[i]};

        go_spawn(takes_one, &t, sizeof t);
        rt_wait_parked(i + 1);
    }
    assert_int_equal(go_chan_send_many(c, in, 8, GO_NOW), 6);
    rt_wait_live(1);
    check_rising(got, 4, 10);
    assert_int_equal(go_chan_recv_many(c, got, 4, GO_NOW), 2);
    check_rising(got, 2, 14);
    go_chan_unref(c);
}

static void takes_batch(void *arg)
{
    struct taker *t = arg;
    int out[MANY];

    *t->got = go_chan_recv_many(t->c, out, MANY, GO_FOREVER);
    check_rising(out, *t->got, 0);
}

RT_TEST(test_IP6_1_a_receive_of_many_is_finished_by_the_first_value)
{
    go_chan *c = go_chan_new(sizeof(int), 4);
    int got = -1, v = 0;
    struct taker t = {c, &got};

    go_spawn(takes_batch, &t, sizeof t);
    rt_wait_parked(1);
    assert_int_equal(go_chan_send(c, &v, GO_FOREVER), 0);
    rt_wait_live(1);
    assert_int_equal(got, 1);
    go_chan_unref(c);
}

RT_TEST(test_U7_a_receive_of_many_takes_from_all_parked_senders)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    int out[MANY];

    for (int i = 0; i < 3; i++) {
        go_spawn(sends_batch, &c, sizeof c);
        rt_wait_parked(i + 1);
    }
    assert_int_equal(go_chan_recv_many(c, out, MANY, GO_NOW), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(out[i], 0);
    for (int n = 3; n < 3 * MANY;)
        n += go_chan_recv_many(c, out, MANY, GO_FOREVER);
    rt_wait_live(1);
    go_chan_unref(c);
}

struct outcome {
    go_chan *c;
    go_until until;
    int r;
    int64_t ns;
};

static void sends_until(void *arg)
{
    struct outcome *o = *(struct outcome **)arg;
    int in[MANY];

    fill(in, MANY, 0);
    o->r = go_chan_send_many(o->c, in, MANY, o->until);
}

RT_TEST(test_C4_close_ends_a_batch_with_the_count_so_far)
{
    struct outcome o = {.c = go_chan_new(sizeof(int), 5), .until = GO_FOREVER}, *p = &o;
    int out[MANY];

    go_spawn(sends_until, &p, sizeof p);
    rt_wait_parked(1);
    go_chan_close(o.c);
    rt_wait_live(1);
    assert_int_equal(o.r, 5);
    assert_int_equal(go_chan_send_many(o.c, out, 1, GO_FOREVER), -EPIPE);
    out[3] = 77;
    assert_int_equal(go_chan_recv_many(o.c, out, 3, GO_FOREVER), 3);
    assert_int_equal(go_chan_recv_many(o.c, out + 3, 3, GO_NOW), 2);
    check_rising(out, 5, 0);
    out[1] = 77;
    assert_int_equal(go_chan_recv_many(o.c, out, 3, GO_FOREVER), 0);
    assert_int_equal(out[1], 77); /* no more is cleared than a single receive would */
    go_chan_unref(o.c);
}

RT_TEST(test_S13_a_done_context_ends_a_batch_with_the_count_so_far_and_lets_none_begin)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    struct outcome o = {.c = go_chan_new(sizeof(int), 5), .until = go_with(ctx)}, *p = &o;
    int out[MANY];

    go_spawn(sends_until, &p, sizeof p);
    rt_wait_parked(1);
    go_ctx_cancel(ctx, 0, NULL);
    rt_wait_live(1);
    assert_int_equal(o.r, 5);
    assert_int_equal(go_chan_recv_many(o.c, out, MANY, go_with(ctx)), -ECANCELED);
    assert_int_equal(go_chan_recv_many(o.c, out, 2, GO_FOREVER), 2);
    assert_int_equal(go_chan_send_many(o.c, out, 2, go_with(ctx)), -ECANCELED);
    assert_int_equal(go_chan_len(o.c), 3);
    go_chan_unref(o.c);
    go_ctx_unref(ctx);
}

static void sends_to_deadline(void *arg)
{
    struct outcome *o = *(struct outcome **)arg;
    go_chan *c = go_chan_new(sizeof(int), 3);
    int64_t start = go_now_ns();
    int in[MANY];

    fill(in, MANY, 0);
    o->r = go_chan_send_many(c, in, MANY, go_after_ms(250));
    o->ns = go_now_ns() - start;
    go_chan_unref(c);
}

RT_TEST(test_T1_a_deadline_ends_a_batch_when_it_comes_with_the_count_so_far)
{
    struct outcome o = {.r = 0}, *p = &o;

    assert_int_equal(go_bubble(sends_to_deadline, &p), 0);
    assert_int_equal(o.r, 3);
    assert_int_equal(o.ns, 250000000);
}

RT_TEST(test_U5_batches_of_values_without_bytes_and_without_a_place)
{
    go_chan *none = go_chan_new(0, 4), *c = go_chan_new(sizeof(int), 4);
    int in[4];

    fill(in, 4, 0);
    assert_int_equal(go_chan_send_many(none, NULL, 9, GO_NOW), 4);
    assert_int_equal(go_chan_recv_many(none, NULL, 9, GO_NOW), 4);
    assert_int_equal(go_chan_send_many(c, in, 4, GO_NOW), 4);
    assert_int_equal(go_chan_recv_many(c, NULL, 3, GO_NOW), 3); /* dropped */
    assert_int_equal(go_chan_recv_many(c, in, 4, GO_NOW), 1);
    assert_int_equal(in[0], 3);
    go_chan_unref(none);
    go_chan_unref(c);
}

RT_TEST(test_N1_batches_on_no_channel_wait)
{
    int v = 0;

    assert_int_equal(go_chan_send_many(NULL, &v, 1, GO_NOW), -EAGAIN);
    assert_int_equal(go_chan_recv_many(NULL, &v, 1, go_after_ms(1)), -ETIMEDOUT);
}

enum { SENDERS = 4, EACH = 3000 };

struct traffic {
    go_chan *c;
    go_waitgroup senders, receivers;
    _Atomic int seen[SENDERS * EACH];
};

struct party {
    struct traffic *t;
    int i;
};

static void sends_many(void *arg)
{
    struct party *p = arg;
    int in[MANY];

    for (int sent = 0, size = 1; sent < EACH; size = size % 37 + 1) {
        int n = size < EACH - sent ? size : EACH - sent;

        fill(in, n, p->i * EACH + sent);
        assert_int_equal(n == 1 ? go_chan_send(p->t->c, in, GO_FOREVER) + 1
                                : go_chan_send_many(p->t->c, in, (size_t)n, GO_FOREVER),
                         n);
        sent += n;
    }
}

/* What one receiver gets of one sender rises (F4). */
static void receives_many(void *arg)
{
    struct party *p = arg;
    int out[MANY], last[SENDERS] = {-1, -1, -1, -1}, n;

    for (int size = 1; (n = go_chan_recv_many(p->t->c, out, (size_t)size, GO_FOREVER)) > 0;
         size = size % 23 + 1)
        for (int i = 0; i < n; i++) {
            int sender = out[i] / EACH;

            assert_true(out[i] > last[sender]);
            last[sender] = out[i];
            atomic_fetch_add(&p->t->seen[out[i]], 1);
        }
    assert_int_equal(n, 0);
}

static void conserve(size_t capacity)
{
    struct traffic *t = calloc(1, sizeof *t);

    assert_non_null(t);
    t->c = go_chan_new(sizeof(int), capacity);
    for (int i = 0; i < SENDERS; i++) {
        struct party p = {t, i};

        go_waitgroup_go(&t->senders, sends_many, &p, sizeof p);
        go_waitgroup_go(&t->receivers, receives_many, &p, sizeof p);
    }
    go_waitgroup_wait(&t->senders);
    go_chan_close(t->c);
    go_waitgroup_wait(&t->receivers);
    for (int i = 0; i < SENDERS * EACH; i++)
        assert_int_equal(t->seen[i], 1);
    rt_wait_live(1);
    go_chan_unref(t->c);
    free(t);
}

RT_TEST(test_B6_batches_lose_and_double_nothing)
{
    conserve(0);
    conserve(1);
    conserve(16);
    conserve(500);
}

/* ---- directed handles ---- */

static void squares(void *arg)
{
    go_sender out = *(go_sender *)arg;

    for (int i = 1; i <= 5; i++) {
        int v = i * i;

        go_sender_send(out, &v, GO_FOREVER);
    }
    go_sender_close(out);
    go_sender_unref(out);
}

RT_TEST(test_D1_each_end_does_its_own)
{
    go_chan *c = go_chan_new(sizeof(int), 1);
    go_sender out = go_chan_sender(go_chan_ref(c));
    go_receiver in = go_chan_receiver(c);
    int v, sum = 0;

    go_spawn(squares, &out, sizeof out);
    while (go_receiver_range(in, &v))
        sum += v;
    assert_int_equal(sum, 1 + 4 + 9 + 16 + 25);
    assert_int_equal(go_receiver_len(in), 0);
    go_receiver_unref(in);
}

RT_TEST(test_D1_ends_serve_as_cases_of_a_select_and_in_batches)
{
    go_chan *c = go_chan_new(sizeof(int), 2);
    go_sender out = go_chan_sender(c);
    go_receiver in = go_chan_receiver(c);
    int v = 7, got[2];
    struct go_case send = GO_SEND_TO(out, &v), recv = GO_RECV_FROM(in, &v);

    assert_int_equal(go_select(&send, 1, GO_NOW), 0);
    v = 0;
    assert_int_equal(go_select(&recv, 1, GO_NOW), 0);
    assert_int_equal(recv.result, 1);
    assert_int_equal(v, 7);
    fill(got, 2, 3);
    assert_int_equal(go_sender_send_many(out, got, 2, GO_NOW), 2);
    assert_int_equal(go_receiver_recv_many(in, got, 2, GO_NOW), 2);
    check_rising(got, 2, 3);
    go_receiver_unref(in);
}

/* ---- generators ---- */

struct numbers {
    int step, last; /* last < 0: endless */
    _Atomic int *begun, *ended;
};

static void ends(void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
}

static void counts(go_emitter out, void *arg)
{
    struct numbers *n = arg;

    go_defer(ends, (void *)n->ended);
    for (int v = 0; n->last < 0 || v <= n->last; v += n->step) {
        atomic_fetch_add(n->begun, 1);
        if (go_emit(out, &v) < 0)
            return;
    }
}

RT_TEST(test_R1_a_generator_emits_its_values_and_closes)
{
    _Atomic int begun = 0, ended = 0;
    struct numbers n = {2, 10, &begun, &ended};
    go_receiver evens = go_generate(counts, &n, sizeof n, sizeof(int), 0, NULL);
    int v, want = 0;

    n.step = 1; /* it has a copy (G1) */
    while (go_receiver_range(evens, &v)) {
        assert_int_equal(v, want);
        want += 2;
    }
    assert_int_equal(want, 12);
    go_generate_stop(evens);
    rt_wait_live(1);
    assert_int_equal(ended, 1);
}

RT_TEST(test_B1_a_generator_is_at_most_its_capacity_and_one_ahead)
{
    for (int capacity = 0; capacity < 4; capacity++) {
        _Atomic int begun = 0, ended = 0;
        struct numbers n = {1, -1, &begun, &ended};
        go_receiver all = go_generate(counts, &n, sizeof n, sizeof(int), (size_t)capacity, NULL);
        int v;

        for (int taken = 0; taken < 20; taken++) {
            rt_wait_parked(1);
            assert_int_equal(begun, taken + capacity + 1);
            assert_int_equal(go_receiver_recv(all, &v, GO_NOW), 1);
            assert_int_equal(v, taken);
        }
        go_generate_stop(all);
        rt_wait_live(1);
        assert_int_equal(ended, 1);
    }
}

RT_TEST(test_X1_a_generator_ends_with_its_context)
{
    _Atomic int begun = 0, ended = 0;
    struct numbers n = {1, -1, &begun, &ended};
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_receiver all = go_generate(counts, &n, sizeof n, sizeof(int), 0, ctx);
    int v;

    for (int i = 0; i < 5; i++)
        assert_int_equal(go_receiver_recv(all, &v, GO_FOREVER), 1);
    rt_wait_parked(1);
    go_ctx_cancel(ctx, 0, NULL);
    rt_wait_live(1);
    assert_int_equal(ended, 1);
    assert_int_equal(go_receiver_recv(all, &v, GO_NOW), 0); /* closed, and nothing was left in it */
    go_generate_stop(all);
    go_ctx_unref(ctx);
}

RT_TEST(test_C9_generators_that_are_abandoned_end_wherever_they_are)
{
    _Atomic int begun = 0, ended = 0;
    struct numbers n = {1, -1, &begun, &ended};
    int v;

    for (int i = 0; i < 300; i++) {
        go_receiver all = go_generate(counts, &n, sizeof n, sizeof(int), (size_t)(i % 3), NULL);

        for (int k = 0; k < i % 5; k++)
            assert_int_equal(go_receiver_recv(all, &v, GO_FOREVER), 1);
        go_generate_stop(all);
    }
    rt_wait_live(1);
    assert_int_equal(ended, 300);
    go_generate_stop((go_receiver){NULL});
}

RT_TEST(test_G1_a_generator_that_cannot_start_is_none)
{
    int64_t max = go_set_goroutines_max(0);
    int v = 0;

    assert_null(go_generate(counts, &v, GO_ARG_BYTES_MAX + 1, sizeof v, 0, NULL).from);
    go_set_goroutines_max(1);
    assert_null(go_generate(counts, &v, sizeof v, sizeof v, 0, NULL).from);
    go_set_goroutines_max(max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_B1_a_batch_that_may_not_wait_sends_what_there_is_room_for),
        RT_UNIT(test_B1_a_batch_of_no_or_too_many_values_is_refused),
        RT_UNIT(test_U2_each_value_of_a_batch_is_a_hand_over_of_its_own),
        RT_UNIT(test_B3_a_batch_larger_than_the_channel_passes_in_order),
        RT_UNIT(test_F1_a_batch_serves_parked_receivers_in_order_of_arrival),
        RT_UNIT(test_IP6_1_a_receive_of_many_is_finished_by_the_first_value),
        RT_UNIT(test_U7_a_receive_of_many_takes_from_all_parked_senders),
        RT_UNIT(test_C4_close_ends_a_batch_with_the_count_so_far),
        RT_UNIT(test_S13_a_done_context_ends_a_batch_with_the_count_so_far_and_lets_none_begin),
        RT_UNIT(test_T1_a_deadline_ends_a_batch_when_it_comes_with_the_count_so_far),
        RT_UNIT(test_U5_batches_of_values_without_bytes_and_without_a_place),
        RT_UNIT(test_N1_batches_on_no_channel_wait),
        RT_UNIT(test_B6_batches_lose_and_double_nothing),
        RT_UNIT(test_D1_each_end_does_its_own),
        RT_UNIT(test_D1_ends_serve_as_cases_of_a_select_and_in_batches),
        RT_UNIT(test_R1_a_generator_emits_its_values_and_closes),
        RT_UNIT(test_B1_a_generator_is_at_most_its_capacity_and_one_ahead),
        RT_UNIT(test_X1_a_generator_ends_with_its_context),
        RT_UNIT(test_C9_generators_that_are_abandoned_end_wherever_they_are),
        RT_UNIT(test_G1_a_generator_that_cannot_start_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
