/* Goroutines between channels: stages, merge, tee, bridge, batches, ring channels. A goroutine that had not ended at the
 * end of a test would make its bubble a deadlock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_patterns.h"

/* 1..*arg, or without an end where that is 0. */
static void counts_to(go_emitter out, void *arg)
{
    int last = *(int *)arg;

    for (int i = 1; last == 0 || i <= last; i++)
        if (go_emit(out, &i) < 0)
            return;
}

static go_receiver numbers(int last, go_ctx *ctx)
{
    return go_generate(counts_to, &last, sizeof last, sizeof(int), 0, ctx);
}

static int squares(const void *in, void *out, void *arg)
{
    *(int *)out = *(const int *)in * *(const int *)in;
    return 1;
}

static int adds_10(const void *in, void *out, void *arg)
{
    *(int *)out = *(const int *)in + 10;
    return 1;
}

static int keeps_even(const void *in, void *out, void *arg)
{
    *(int *)out = *(const int *)in;
    return *(const int *)in % 2 == 0;
}

static go_receiver stage(go_receiver in, go_stage_fn fn)
{
    return go_stage(in, fn, NULL, sizeof(int), NULL);
}

/* Exactly these values in this order, and then the end. Releases it. */
static void expect_sequence(go_receiver in, const int *values, int n)
{
    int v = -1;

    for (int i = 0; i < n; i++) {
        assert_int_equal(go_receiver_recv(in, &v, GO_FOREVER), 1);
        assert_int_equal(v, values[i]);
    }
    assert_int_equal(go_receiver_recv(in, &v, GO_FOREVER), 0);
    go_generate_stop(in);
}

#define EXPECT(in, ...)                                                                                      \
    expect_sequence((in), (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/* Each of 1..n once, in any order. Releases it. */
static void expect_each(go_receiver in, int n)
{
    bool seen[101] = {false};
    int v, got = 0;

    while (go_receiver_range(in, &v)) {
        assert_in_range(v, 1, n);
        assert_false(seen[v]);
        seen[v] = true;
        got++;
    }
    assert_int_equal(got, n);
    go_generate_stop(in);
}

/* ---- stages ---- */

PATTERN_TEST(test_pipeline_of_four_stages, 50)
{
    EXPECT(stage(stage(stage(numbers(10, NULL), squares), adds_10), keeps_even), 14, 26, 46, 74, 110);
}

PATTERN_TEST(test_pipeline_left_early_ends_up_to_its_generator, 50)
{
    go_receiver out = stage(stage(numbers(0, NULL), squares), adds_10);
    int v;

    assert_int_equal(go_receiver_recv(out, &v, GO_FOREVER), 1);
    assert_int_equal(go_receiver_recv(out, &v, GO_FOREVER), 1);
    assert_int_equal(v, 14);
    go_generate_stop(out);
}

static void context_ends_stage(int ordered)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    struct go_stage_options options = {.workers = 3, .ctx = ctx, .ordered = ordered};
    go_receiver out = go_stage(numbers(0, ctx), squares, NULL, sizeof(int), &options);
    go_chan *silent = go_chan_new(sizeof(int), 0); /* nobody sends: only the context can end this one */
    go_receiver other = go_stage(go_chan_receiver(silent), squares, NULL, sizeof(int), &options);
    int v;

    assert_int_equal(go_receiver_recv(out, &v, GO_FOREVER), 1);
    go_bubble_wait();
    go_ctx_cancel(ctx, 0, NULL);
    go_bubble_wait();
    assert_int_equal(go_receiver_recv(out, &v, GO_NOW), 0);
    assert_int_equal(go_receiver_recv(other, &v, GO_NOW), 0);
    go_generate_stop(out);
    go_generate_stop(other);
    go_ctx_unref(ctx);
}

PATTERN_TEST(test_context_ends_every_stage, 50)
{
    context_ends_stage(0);
    context_ends_stage(1);
}

struct meeting {
    _Atomic int here;
    go_chan *gate;
};

/* The first three wait for each other, then each takes its own time. */
static int meets(const void *in, void *out, void *arg)
{
    struct meeting *m = arg;

    if (atomic_fetch_add(&m->here, 1) == 2)
        go_chan_close(m->gate);
    go_chan_recv(m->gate, NULL, GO_FOREVER);
    go_sleep(go_after_ms(*(const int *)in * 7 % 5));
    *(int *)out = *(const int *)in;
    return *(const int *)in != 5;
}

PATTERN_TEST(test_ordered_stage_restores_the_order_of_three_workers, 50)
{
    struct meeting m = {.gate = go_chan_new(0, 0)};
    struct go_stage_options options = {.workers = 3, .ordered = 1};

    EXPECT(go_stage(numbers(12, NULL), meets, &m, sizeof(int), &options), 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12);
    go_chan_unref(m.gate);
}

static int holds_then_passes(const void *in, void *out, void *arg)
{
    struct meeting *m = arg;

    atomic_fetch_add(&m->here, 1);
    go_chan_recv(m->gate, NULL, GO_FOREVER);
    *(int *)out = *(const int *)in;
    return 1;
}

PATTERN_TEST(test_all_workers_of_a_stage_take_part, 50)
{
    struct meeting m = {.gate = go_chan_new(0, 0)};
    struct go_stage_options options = {.workers = 4, .capacity = 2};
    go_receiver out = go_stage(numbers(20, NULL), holds_then_passes, &m, sizeof(int), &options);

    go_bubble_wait();
    assert_int_equal(m.here, 4);
    go_chan_close(m.gate);
    expect_each(out, 20);
    go_chan_unref(m.gate);
}

/* The third exits when the fourth is under way, too. */
static int exits_at_3(const void *in, void *out, void *arg)
{
    go_chan *fourth = arg;

    if (*(const int *)in == 4)
        go_chan_close(fourth);
    if (*(const int *)in == 3) {
        go_chan_recv(fourth, NULL, GO_FOREVER);
        go_exit();
    }
    *(int *)out = *(const int *)in;
    return 1;
}

PATTERN_TEST(test_exit_in_an_ordered_stage_ends_it, 50)
{
    struct go_stage_options options = {.workers = 3, .ordered = 1};
    go_chan *fourth = go_chan_new(0, 0);
    go_receiver out = go_stage(numbers(0, NULL), exits_at_3, fourth, sizeof(int), &options);
    int v, last = 0;

    while (go_receiver_range(out, &v))
        assert_int_equal(v, ++last);
    assert_in_range(last, 0, 2); /* those before it may have been under way */
    go_generate_stop(out);
    go_chan_unref(fourth);
}

PATTERN_TEST(test_all_workers_of_a_stage_end_when_one_finds_it_left, 50)
{
    go_chan *in = go_chan_new(sizeof(int), 1);
    struct go_stage_options options = {.workers = 3};

    go_generate_stop(go_stage(go_chan_receiver(go_chan_ref(in)), squares, NULL, sizeof(int), &options));
    assert_int_equal(go_chan_send(in, &(int){1}, GO_FOREVER), 0);
    go_bubble_wait();
    assert_int_equal(go_chan_send(in, &(int){2}, GO_NOW), -EPIPE);
    go_chan_unref(in);
}

PATTERN_TEST(test_no_input_makes_no_stage, 1)
{
    go_receiver none = {NULL}, two[2] = {numbers(0, NULL), none}, out[2];

    assert_null(stage(none, squares).from);
    assert_null(stage(stage(none, squares), squares).from);
    assert_null(go_merge(two, 2, 0, NULL).from); /* the other input has been stopped */
    assert_int_equal(go_tee(none, out, 0, NULL), -ENOMEM);
    assert_null(out[0].from);
}

/* ---- merge ---- */

static int adds_offset(const void *in, void *out, void *arg)
{
    *(int *)out = *(const int *)in + *(int *)arg;
    return 1;
}

PATTERN_TEST(test_merge_has_every_value_once_and_closes_once, 50)
{
    int offsets[3] = {0, 10, 20};
    go_receiver in[3];

    for (int i = 0; i < 3; i++)
        in[i] = go_stage(numbers(10, NULL), adds_offset, &offsets[i], sizeof(int), NULL);
    expect_each(go_merge(in, 3, 0, NULL), 30);
    expect_each(go_merge(NULL, 0, 0, NULL), 0);
}

PATTERN_TEST(test_merge_of_100_inputs, 5)
{
    go_receiver in[100];

    for (int i = 0; i < 100; i++) {
        go_chan *c = go_chan_new(sizeof(int), 1);
        int v = i + 1;

        go_chan_send(c, &v, GO_NOW);
        go_chan_close(c);
        in[i] = go_chan_receiver(c);
    }
    expect_each(go_merge(in, 100, 7, NULL), 100);
}

PATTERN_TEST(test_merge_left_early_stops_every_input, 50)
{
    go_receiver in[3] = {numbers(0, NULL), numbers(0, NULL), numbers(0, NULL)};
    go_receiver out = go_merge(in, 3, 0, NULL);
    int v;

    assert_int_equal(go_receiver_recv(out, &v, GO_FOREVER), 1);
    go_generate_stop(out);
}

/* ---- tee ---- */

static void expects_5(void *arg)
{
    EXPECT(*(go_receiver *)arg, 1, 2, 3, 4, 5);
}

PATTERN_TEST(test_tee_gives_both_everything_in_order, 50)
{
    go_receiver out[2];

    assert_int_equal(go_tee(numbers(5, NULL), out, 0, NULL), 0);
    go_spawn(expects_5, &out[0], sizeof out[0]);
    EXPECT(out[1], 1, 2, 3, 4, 5);
}

PATTERN_TEST(test_tee_lets_nobody_get_ahead_by_more_than_one, 50)
{
    go_receiver out[2];
    int v;

    assert_int_equal(go_tee(numbers(5, NULL), out, 0, NULL), 0);
    assert_int_equal(go_receiver_recv(out[1], &v, GO_FOREVER), 1);
    go_bubble_wait();
    assert_int_equal(go_receiver_recv(out[1], &v, GO_NOW), -EAGAIN);
    assert_int_equal(go_receiver_recv(out[0], &v, GO_NOW), 1);
    assert_int_equal(v, 1);
    go_bubble_wait();
    assert_int_equal(go_receiver_recv(out[1], &v, GO_NOW), 1);
    assert_int_equal(v, 2);
    go_generate_stop(out[0]); /* left by one, it goes on for the other */
    for (int i = 3; i <= 5; i++) {
        assert_int_equal(go_receiver_recv(out[1], &v, GO_FOREVER), 1);
        assert_int_equal(v, i);
    }
    assert_int_equal(go_receiver_recv(out[1], &v, GO_FOREVER), 0);
    go_generate_stop(out[1]);
}

PATTERN_TEST(test_tee_that_is_stalled_ends_by_its_context_or_when_both_leave, 50)
{
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(10));
    go_receiver out[2];

    assert_int_equal(go_tee(numbers(5, NULL), out, 0, ctx), 0);
    assert_int_equal(go_receiver_recv(out[0], NULL, GO_FOREVER), 1);
    assert_int_equal(go_receiver_recv(out[0], NULL, GO_FOREVER), 0);
    assert_int_equal(at_ms(), 10);
    go_generate_stop(out[0]);
    go_generate_stop(out[1]);
    assert_int_equal(go_tee(numbers(0, NULL), out, 0, NULL), 0);
    go_generate_stop(out[0]);
    go_generate_stop(out[1]);
    go_ctx_unref(ctx);
}

/* ---- bridge ---- */

static go_receiver three_channels(int last)
{
    go_chan *c = go_chan_new(sizeof(go_receiver), 3);
    go_receiver inner[3] = {stage(numbers(2, NULL), keeps_even), {NULL}, numbers(last, NULL)};

    for (int i = 0; i < 3; i++)
        go_chan_send(c, &inner[i], GO_NOW);
    go_chan_close(c);
    return go_chan_receiver(c);
}

PATTERN_TEST(test_bridge_flattens_in_order, 50)
{
    EXPECT(go_bridge(three_channels(3), sizeof(int), 0, NULL), 2, 1, 2, 3);
}

PATTERN_TEST(test_bridge_left_early_stops_channels_it_has_not_read, 50)
{
    go_receiver out = go_bridge(three_channels(0), sizeof(int), 0, NULL);

    go_generate_stop(out);
    out = go_bridge(three_channels(0), sizeof(int), 0, NULL);
    assert_int_equal(go_receiver_recv(out, NULL, GO_FOREVER), 1);
    go_generate_stop(out);
}

/* ---- batches ---- */

struct group {
    size_t n;
    int values[4];
};

static void emits_slowly(go_emitter out, void *arg)
{
    static const int pauses_ms[] = {0, 0, 0, 0, 0, 30, 5, 100, 10, 0}; /* before each value */

    for (int i = 0; i < 10; i++) {
        go_sleep(go_after_ms(pauses_ms[i]));
        if (go_emit(out, &i) < 0)
            return;
    }
}

static void expect_group(go_receiver in, int64_t ms, int first, size_t n)
{
    struct group g;

    assert_int_equal(go_receiver_recv(in, &g, GO_FOREVER), 1);
    assert_int_equal(at_ms(), ms);
    assert_int_equal(g.n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(g.values[i], first + (int)i);
}

PATTERN_TEST(test_batches_leave_when_full_or_after_a_time_or_at_the_end, 50)
{
    go_receiver slow = go_generate(emits_slowly, NULL, 0, sizeof(int), 0, NULL);
    go_receiver out = go_batches(slow, 4, 20 * MS, 0, NULL);

    expect_group(out, 0, 0, 4);
    expect_group(out, 20, 4, 1);
    expect_group(out, 50, 5, 2);  /* first at 30 */
    expect_group(out, 145, 7, 3); /* at 135, the others at 145: the input has ended */
    assert_int_equal(go_receiver_recv(out, &(struct group){0}, GO_FOREVER), 0);
    go_generate_stop(out);
}

PATTERN_TEST(test_no_batch_is_empty, 20)
{
    go_receiver out = go_batches(numbers(8, NULL), 4, 20 * MS, 0, NULL);

    expect_group(out, 0, 1, 4);
    expect_group(out, 0, 5, 4);
    assert_int_equal(go_receiver_recv(out, &(struct group){0}, GO_FOREVER), 0);
    go_generate_stop(out);
}

PATTERN_TEST(test_batches_end_by_their_context, 20)
{
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(25));
    go_receiver out =
        go_batches(go_generate(emits_slowly, NULL, 0, sizeof(int), 0, ctx), 4, 1000 * MS, 0, ctx);

    expect_group(out, 0, 0, 4);
    assert_int_equal(go_receiver_recv(out, &(struct group){0}, GO_FOREVER), 0);
    assert_int_equal(at_ms(), 25);
    go_generate_stop(out);
    go_ctx_unref(ctx);
}

/* ---- ring channel ---- */

PATTERN_TEST(test_ring_keeps_the_newest_and_counts_what_it_drops, 20)
{
    go_ring *r = go_ring_new(sizeof(int), 3);
    int oldest;

    for (int i = 1; i <= 10; i++) {
        assert_int_equal(go_ring_send(r, &i, i % 2 ? NULL : &oldest), i > 3);
        assert_true(i <= 3 || i % 2 || oldest == i - 3);
    }
    assert_int_equal(go_ring_dropped(r), 7);
    assert_int_equal(go_ring_close(r), 0);
    assert_int_equal(go_ring_close(r), -EPIPE);
    assert_int_equal(go_ring_send(r, &oldest, NULL), -EPIPE);
    go_chan_ref(go_ring_receiver(r).from); /* EXPECT releases one */
    EXPECT(go_ring_receiver(r), 8, 9, 10);
    assert_null(go_ring_unref(r));
    assert_null(go_ring_unref(NULL));
    assert_int_equal(go_ring_close(NULL), -EINVAL);
}

static void receives_all(void *arg)
{
    struct {
        go_ring *r;
        _Atomic int *received;
    } *a = arg;
    int v, last = 0;

    while (go_receiver_range(go_ring_receiver(a->r), &v)) {
        assert_true(v > last);
        last = v;
        atomic_fetch_add(a->received, 1);
    }
}

PATTERN_TEST(test_ring_loses_nothing_but_what_it_counts, 30)
{
    _Atomic int received = 0;
    struct {
        go_ring *r;
        _Atomic int *received;
    } a = {go_ring_new(sizeof(int), 2), &received};
    go_waitgroup readers = {0};

    for (int i = 0; i < 3; i++)
        go_waitgroup_go(&readers, receives_all, &a, sizeof a);
    for (int i = 1; i <= 200; i++) {
        assert_true(go_ring_send(a.r, &i, NULL) >= 0);
        if (i % 16 == 0)
            go_yield();
    }
    go_ring_close(a.r);
    go_waitgroup_wait(&readers);
    assert_int_equal(received + (int)go_ring_dropped(a.r), 200);
    go_ring_unref(a.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_pipeline_of_four_stages),
        RT_UNIT(test_pipeline_left_early_ends_up_to_its_generator),
        RT_UNIT(test_context_ends_every_stage),
        RT_UNIT(test_ordered_stage_restores_the_order_of_three_workers),
        RT_UNIT(test_all_workers_of_a_stage_take_part),
        RT_UNIT(test_exit_in_an_ordered_stage_ends_it),
        RT_UNIT(test_all_workers_of_a_stage_end_when_one_finds_it_left),
        RT_UNIT(test_no_input_makes_no_stage),
        RT_UNIT(test_merge_has_every_value_once_and_closes_once),
        RT_UNIT(test_merge_of_100_inputs),
        RT_UNIT(test_merge_left_early_stops_every_input),
        RT_UNIT(test_tee_gives_both_everything_in_order),
        RT_UNIT(test_tee_lets_nobody_get_ahead_by_more_than_one),
        RT_UNIT(test_tee_that_is_stalled_ends_by_its_context_or_when_both_leave),
        RT_UNIT(test_bridge_flattens_in_order),
        RT_UNIT(test_bridge_left_early_stops_channels_it_has_not_read),
        RT_UNIT(test_batches_leave_when_full_or_after_a_time_or_at_the_end),
        RT_UNIT(test_no_batch_is_empty),
        RT_UNIT(test_batches_end_by_their_context),
        RT_UNIT(test_ring_keeps_the_newest_and_counts_what_it_drops),
        RT_UNIT(test_ring_loses_nothing_but_what_it_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
