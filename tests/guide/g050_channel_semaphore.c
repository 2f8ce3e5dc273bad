/*
 * G50 A buffered channel as a semaphore: as many tasks are at work as it has room for values.
 *
 * Pattern: bounded parallelism. The permit is taken before the spawn, so that no more goroutines exist than may work. Who
 * takes all permits at the end has waited for the last task.
 */
#include "guide.h"

enum { TASKS = 25, AT_ONCE = 10 };

struct shop {
    go_chan *permits;
    struct gate gate;
    struct peak at_work;
    atomic_int done;
};

static void acquire(struct shop *shop)
{
    must(go_chan_send(shop->permits, NULL, GO_FOREVER) == 0);
}

static void release(void *arg)
{
    struct shop *shop = arg;

    must(go_chan_recv(shop->permits, NULL, GO_FOREVER) == 1);
}

static void work(void *arg)
{
    struct shop *shop = arg;

    go_defer(release, shop);
    peak_enter(&shop->at_work);
    gate_pass(&shop->gate);
    peak_leave(&shop->at_work);
    atomic_fetch_add(&shop->done, 1);
}

static void run_all(void *arg)
{
    struct shop *shop = arg;

    for (int i = 0; i < TASKS; i++) {
        acquire(shop);
        must(go_spawn(work, shop, 0) == 0);
    }
    for (int i = 0; i < AT_ONCE; i++)
        acquire(shop);
    say("%d tasks done", atomic_load(&shop->done));
}

static void channel_semaphore(void)
{
    struct shop shop = {.permits = go_chan_new(0, AT_ONCE)};
    go_waitgroup done = {0};

    must(go_waitgroup_go(&done, run_all, &shop, 0) == 0);
    gate_until(&shop.gate, AT_ONCE);
    until_parked(1, "chan send"); /* for the permit of the eleventh */
    gate_open(&shop.gate);
    go_waitgroup_wait(&done);
    /* "10 tasks are at work at once, and never 11" */
    must(atomic_load(&shop.at_work.most) == AT_ONCE);
    /* "all 25 are done before the program goes on" */
    must(said(LINES("25 tasks done")));
    until_live(1);
    go_chan_unref(shop.permits);
}

GUIDE_ROW(G50, channel_semaphore);
