#include "workers.h"

#include <errno.h>
#include <stdlib.h>

void workers_drop(go_workers *p)
{
    struct task *t, *after;

    if (atomic_fetch_sub(&p->refs, 1) > 1)
        return;
    list_each_safe (t, after, &p->results, link)
        free(t);
    go_ctx_unref(p->ctx);
    free(p);
}

/* ---- inside the monitor ---- */

void workers_close(go_workers *p, int why)
{
    if (p->closed)
        return;
    p->closed = true;
    p->closed_why = why;
    monitor_notify_all(&p->m, &p->submitters);
    monitor_notify_all(&p->m, &p->idlers);
}

void workers_result(go_workers *p, struct task *t)
{
    if (t->outcome.end == GO_TASK_DROPPED)
        p->stats.dropped++;
    else if (t->outcome.code < 0)
        p->stats.failed++;
    else
        p->stats.succeeded++;
    if (p->forget) {
        free(t);
        return;
    }
    list_append(&p->results, &t->link);
    p->stats.results++;
    monitor_notify(&p->m, &p->collectors);
}

struct task *workers_take(go_workers *p)
{
    struct task *t = list_first(&p->queue, struct task, link);

    list_remove(&t->link);
    p->stats.queued--;
    monitor_notify(&p->m, &p->submitters);
    if (p->closed && p->stats.queued == 0)
        monitor_notify_all(&p->m, &p->idlers); /* nothing is left to wait for */
    return t;
}

/* Closes, and answers what waits in the queue. */
void workers_close_and_drop(go_workers *p, int why)
{
    workers_close(p, why);
    while (p->stats.queued) {
        struct task *t = workers_take(p);

        t->outcome.end = GO_TASK_DROPPED;
        t->outcome.code = why;
        workers_result(p, t);
    }
}

/* ---- life ---- */

static void context_done(void *arg)
{
    go_workers *p = arg;

    monitor_enter(&p->m);
    if (!workers_finished(p))
        workers_close_and_drop(p, go_ctx_err(p->ctx));
    monitor_leave(&p->m);
    workers_drop(p);
}

static bool options_fit(const struct go_workers_options *o)
{
    return o->workers >= 1 && o->workers <= GO_WORKERS_MAX &&
           o->result_bytes <= PTRDIFF_MAX - GO_ARG_BYTES_MAX * 2;
}

static void lists_init(go_workers *p)
{
    struct list *lists[] = {&p->queue, &p->results, &p->submitters, &p->idlers, &p->collectors, &p->joiners};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        list_init(lists[i]);
}

go_workers *go_workers_new(const struct go_workers_options *o)
{
    go_workers *p = options_fit(o) ? calloc(1, sizeof *p) : NULL;

    if (!p)
        return NULL;
    monitor_init(&p->m, "pool of workers");
    lists_init(p);
    p->queue_max = o->queue;
    p->results_max = o->results ? o->results : o->queue + (size_t)o->workers;
    p->result_bytes = o->result_bytes;
    p->forget = o->forget;
    p->stats.size = o->workers;
    p->ctx = go_ctx_ref(o->ctx ? o->ctx : go_ctx_background());
    atomic_store(&p->holders, 1);
    atomic_store(&p->refs, 2);
    p->watch = go_ctx_after_func(p->ctx, context_done, p);
    if (!p->watch)
        atomic_store(&p->refs, 1);
    if (p->watch && workers_start(p) == 0)
        return p;
    return go_workers_unref(p);
}

go_workers *go_workers_ref(go_workers *p)
{
    atomic_fetch_add(&p->holders, 1);
    return p;
}

go_workers *go_workers_unref(go_workers *p)
{
    if (!p || atomic_fetch_sub(&p->holders, 1) > 1)
        return NULL;
    monitor_enter(&p->m);
    p->forget = true;
    workers_close(p, -EPIPE);
    monitor_notify_all(&p->m, &p->idlers); /* there is no limit of results any more */
    monitor_leave(&p->m);
    workers_drop(p);
    return NULL;
}

int go_workers_close(go_workers *p)
{
    bool closed;

    if (!p)
        return -EINVAL;
    monitor_enter(&p->m);
    closed = p->closed;
    workers_close(p, -EPIPE);
    monitor_leave(&p->m);
    return closed ? -EPIPE : 0;
}

int go_workers_wait(go_workers *p, go_until until)
{
    int r = monitor_enter_until(&p->m, until);

    while (r == 0 && !workers_finished(p))
        r = monitor_wait(&p->m, &p->joiners, NULL, "pool of workers", until);
    if (r == 0)
        monitor_leave(&p->m);
    return r;
}

int go_workers_resize(go_workers *p, int n)
{
    bool over;

    if (n < 1 || n > GO_WORKERS_MAX)
        return -EINVAL;
    monitor_enter(&p->m);
    over = workers_finished(p);
    p->stats.size = n;
    monitor_notify_all(&p->m, &p->idlers);
    monitor_leave(&p->m);
    return over ? -EPIPE : workers_start(p);
}

/* ---- looking inside ---- */

void go_workers_stats_read(go_workers *p, struct go_workers_stats *out)
{
    monitor_enter(&p->m);
    *out = p->stats;
    monitor_leave(&p->m);
}

uint64_t go_workers_ran(go_workers *p, int worker)
{
    uint64_t n;

    if (worker < 0 || worker >= GO_WORKERS_MAX)
        return 0;
    monitor_enter(&p->m);
    n = p->slots[worker].ran;
    monitor_leave(&p->m);
    return n;
}
