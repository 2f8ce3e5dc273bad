/*
 * G159 A loop without any calls keeps its processor, the only one; and the others go on all the same, because another
 * thread takes them over. That is for loops that nobody thought of: one that is known to be long calls go_checkpoint.
 *
 * Pattern: no goroutine can starve the others.
 */
#include "guide.h"

enum { ROUNDS = 1000 };

struct hog {
    atomic_bool running, stop;
};

static void loop_without_calls(void *arg)
{
    struct hog *hog = arg;

    atomic_store(&hog->running, true);
    while (!atomic_load_explicit(&hog->stop, memory_order_relaxed))
        ;
    atomic_store(&hog->running, false);
}

struct table {
    go_chan *ball, *back;
};

static void return_ball(void *arg)
{
    const struct table *table = arg;
    int ball;

    while (go_range(table->ball, &ball))
        must(go_chan_send(table->back, &ball, GO_FOREVER) == 0);
}

static void fairness(void)
{
    struct hog hog = {0};
    struct table table = {go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0)};
    go_timer *timer = go_timer_new(1000000);
    int ball;

    must(go_spawn(loop_without_calls, &hog, 0) == 0);
    must(go_spawn(return_ball, &table, 0) == 0);
    while (!atomic_load(&hog.running))
        go_yield();
    for (int i = 0; i < ROUNDS; i++) {
        must(go_chan_send(table.ball, &i, GO_FOREVER) == 0);
        must(go_chan_recv(table.back, &ball, GO_FOREVER) == 1 && ball == i);
    }
    /* "on 1 processor, beside a loop without calls, a pair plays 1000 rounds of ping-pong" */
    must(atomic_load(&hog.running));
    must(go_timer_wait(timer, NULL, GO_FOREVER) == 1);
    /* "a timer fires meanwhile" */
    must(atomic_load(&hog.running));
    say("%d rounds and a timer", ROUNDS);
    atomic_store(&hog.stop, true);
    go_chan_close(table.ball);
    until_live(1);
    go_timer_unref(timer);
    go_chan_unref(table.ball);
    go_chan_unref(table.back);
}

GUIDE_ROW(G159, fairness, .procs = {1});
