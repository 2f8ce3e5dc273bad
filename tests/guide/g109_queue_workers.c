/*
 * G109 Ten workers share a million tasks, instead of a million goroutines one each. The queue is closed when the last task
 * is in it: that is what lets the workers end.
 *
 * Pattern: worker pool over a channel that is closed, and joined.
 */
#include "guide.h"

enum { WORKERS = 10, TASKS = 1000000, QUEUE = 1000 };

struct pool {
    go_chan *tasks;
    struct gate gate;
    struct peak workers;
    atomic_llong sum;
    atomic_int done;
};

static void work(void *arg)
{
    struct pool *pool = arg;
    long long sum = 0;
    int task, done = 0;

    peak_enter(&pool->workers);
    gate_pass(&pool->gate);
    while (go_range(pool->tasks, &task)) {
        sum += task;
        done++;
    }
    atomic_fetch_add(&pool->sum, sum);
    atomic_fetch_add(&pool->done, done);
    peak_leave(&pool->workers);
}

static void queue_workers(void)
{
    struct pool pool = {.tasks = go_chan_new(sizeof(int), QUEUE)};
    go_waitgroup workers = {0};

    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&workers, work, &pool, 0) == 0);
    gate_until(&pool.gate, WORKERS);
    until_live(WORKERS + 1);
    gate_open(&pool.gate);
    for (int task = 1; task <= TASKS; task++)
        must(go_chan_send(pool.tasks, &task, GO_FOREVER) == 0);
    go_chan_close(pool.tasks);
    go_waitgroup_wait(&workers);
    say("%d tasks done", atomic_load(&pool.done));
    /* "all 1000000 tasks are done, each once" */
    must(said(LINES("1000000 tasks done")) && atomic_load(&pool.sum) == INT64_C(500000500000));
    /* "never more than 11 goroutines: 10 workers and their starter" */
    must(atomic_load(&pool.workers.most) == WORKERS);
    /* "1 at the end" */
    until_live(1);
    go_chan_unref(pool.tasks);
}

GUIDE_ROW(G109, queue_workers);
