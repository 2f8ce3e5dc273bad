/*
 * G88 The numbers of one channel are shared by three workers, and their results merged into one channel again.
 *
 * Pattern: fan-out and fan-in. The merged channel has several senders, so none of them may close it: a closer does, when
 * all inputs have ended.
 */
#include "guide.h"

enum { NUMBERS = 10, WORKERS = 3 };

struct worker {
    int (*fn)(int n);
    go_chan *in, *out;
};

struct merge {
    go_chan *in[WORKERS], *out;
    go_waitgroup copies;
    atomic_int closed;
};

struct copy {
    go_chan *from, *to;
};

static int square(int n)
{
    return n * n;
}

static int ten_times(int n)
{
    return 10 * n;
}

static void send_numbers(void *arg)
{
    go_chan *out = arg;

    for (int n = 1; n <= NUMBERS; n++)
        must(go_chan_send(out, &n, GO_FOREVER) == 0);
    must(go_chan_close(out) == 0);
}

static void work(void *arg)
{
    const struct worker *me = arg;
    int n;

    while (go_range(me->in, &n)) {
        n = me->fn(n);
        must(go_chan_send(me->out, &n, GO_FOREVER) == 0);
    }
    must(go_chan_close(me->out) == 0);
}

static void copy(void *arg)
{
    const struct copy *me = arg;
    int n;

    while (go_range(me->from, &n))
        must(go_chan_send(me->to, &n, GO_FOREVER) == 0);
}

static void close_after_all(void *arg)
{
    struct merge *merge = arg;

    go_waitgroup_wait(&merge->copies);
    must(go_chan_close(merge->out) == 0);
    atomic_fetch_add(&merge->closed, 1);
}

static void start(struct merge *merge, go_chan *numbers, int (*fn)(int n))
{
    merge->out = go_chan_new(sizeof(int), 0);
    must(go_spawn(send_numbers, numbers, 0) == 0);
    for (int i = 0; i < WORKERS; i++) {
        merge->in[i] = go_chan_new(sizeof(int), 0);
        must(go_spawn(work, &((struct worker){fn, numbers, merge->in[i]}), sizeof(struct worker)) == 0);
        must(go_waitgroup_go(&merge->copies, copy, &((struct copy){merge->in[i], merge->out}),
                             sizeof(struct copy)) == 0);
    }
    must(go_spawn(close_after_all, merge, 0) == 0);
}

/* Fills in NUMBERS values. */
static void run(int (*fn)(int n), int *values)
{
    struct merge merge = {.closed = 0};
    go_chan *numbers = go_chan_new(sizeof(int), 0);
    int n = 0;

    start(&merge, numbers, fn);
    while (n < NUMBERS && go_range(merge.out, &values[n]))
        n++;
    must(n == NUMBERS && go_chan_recv(merge.out, NULL, GO_FOREVER) == 0);
    until_live(1);
    /* "the merged channel is closed once, after all inputs" */
    must(atomic_load(&merge.closed) == 1);
    for (int i = 0; i < WORKERS; i++)
        go_chan_unref(merge.in[i]);
    go_chan_unref(merge.out);
    go_chan_unref(numbers);
}

static void fan_out_fan_in(void)
{
    int values[NUMBERS];

    run(square, values);
    /* "the squares {1, 4, 9, 16, 25, 36, 49, 64, 81, 100}, each once" */
    must(ints_are_set(values, NUMBERS, INTS(1, 4, 9, 16, 25, 36, 49, 64, 81, 100)));
    run(ten_times, values);
    /* "the tenfolds {10, 20, 30, 40, 50, 60, 70, 80, 90, 100}, each once" */
    must(ints_are_set(values, NUMBERS, INTS(10, 20, 30, 40, 50, 60, 70, 80, 90, 100)));
    say("%d numbers by %d workers", NUMBERS, WORKERS);
}

GUIDE_ROW(G88, fan_out_fan_in);
