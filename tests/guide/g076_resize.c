/*
 * G76 A pool grows and shrinks while it works: who runs no longer wanted finishes its task, and leaves.
 *
 * Pattern: worker pool of a changing size.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { TASKS = 100 };

struct load {
    go_chan *finish; /* a value lets one task end; closed lets all */
    struct peak at_work;
    atomic_int times_done[TASKS + 1];
};

struct work {
    struct load *load;
    int number;
};

static int work(const struct go_task *task)
{
    const struct work *work = task->arg;

    peak_enter(&work->load->at_work);
    go_chan_recv(work->load->finish, NULL, GO_FOREVER);
    peak_leave(&work->load->at_work);
    atomic_fetch_add(&work->load->times_done[work->number], 1);
    return 0;
}

/* Until so many are at work; there is work enough for more. */
static void resize(go_workers *pool, struct load *load, int n)
{
    must(go_workers_resize(pool, n) == 0);
    until_parked(n, "chan receive");
    /* "tasks at work are never more than the size: 1, then 4" */
    must(atomic_load(&load->at_work.most) == n);
    say("%d workers: %d at work", n, atomic_load(&load->at_work.most));
}

static void shrink(go_workers *pool, struct load *load, int from, int to)
{
    must(go_workers_resize(pool, to) == 0);
    /* "after shrinking to 2 those at work finish, and nothing begins until fewer than 2 are at work" */
    must(parked("chan receive") == from);
    for (int now = from; now > to; now--) {
        must(go_chan_send(load->finish, NULL, GO_FOREVER) == 0);
        until_parked(now - 1, "chan receive");
    }
    atomic_store(&load->at_work.most, 0);
}

static void resizing(void)
{
    struct load load = {.finish = go_chan_new(0, 0)};
    struct go_workers_options options = {.workers = 1, .queue = TASKS, .forget = true};
    go_workers *pool = go_workers_new(&options);
    struct go_workers_stats stats;

    must(pool);
    for (int i = 1; i <= TASKS; i++)
        must(go_workers_submit(pool, work, &((struct work){&load, i}), sizeof(struct work), GO_FOREVER) == i);
    resize(pool, &load, 1);
    resize(pool, &load, 4);
    shrink(pool, &load, 4, 2);
    must(go_workers_close(pool) == 0 && go_chan_close(load.finish) == 0);
    must(go_workers_wait(pool, GO_FOREVER) == 0);
    must(atomic_load(&load.at_work.most) <= 2);
    go_workers_stats_read(pool, &stats);
    say("%d results", (int)stats.succeeded);
    /* "100 results" */
    must(said_times("100 results") == 1);
    say("2 workers: %d at work", atomic_load(&load.at_work.most));
    /* "no task is lost, none is done twice" */
    for (int i = 1; i <= TASKS; i++)
        must(atomic_load(&load.times_done[i]) == 1);
    go_workers_unref(pool);
    go_chan_unref(load.finish);
}

GUIDE_ROW(G76, resizing, .prints = {"1 workers: 1 at work", "4 workers: 4 at work"});
