/* What goes into a pool of workers and what comes out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "workers.h"

static struct task *task_new(const go_workers *p, go_task_fn fn, const void *arg, size_t arg_bytes)
{
    size_t result_bytes = (p->result_bytes + 15) & ~(size_t)15;
    struct task *t = calloc(1, sizeof *t + result_bytes + arg_bytes);

    if (!t)
        return NULL;
    t->fn = fn;
    t->told.result = t->bytes;
    t->told.arg = arg_bytes ? t->bytes + result_bytes : (void *)(uintptr_t)arg;
    t->told.ctx = p->ctx;
    t->told.worker = t->outcome.worker = -1;
    if (arg_bytes)
        memcpy(t->told.arg, arg, arg_bytes);
    return t;
}

/* Behind those of its rank and of higher ones. */
static void queue_insert(go_workers *p, struct task *t)
{
    struct list *place = &p->queue;

    while (place->prev != &p->queue && container_of(place->prev, struct task, link)->rank < t->rank)
        place = place->prev;
    list_insert_before(place, &t->link);
    p->stats.queued++;
}

static bool queue_full(const go_workers *p)
{
    return p->stats.queued >= p->queue_max + (size_t)p->idle;
}

/* Takes the task over, if the answer is positive. */
static int64_t task_offer(go_workers *p, struct task *t, go_until until)
{
    int64_t id;
    int r = go_ctx_err(p->ctx);

    if (r == 0)
        r = monitor_enter_until(&p->m, until);
    while (r == 0 && !p->closed && queue_full(p))
        r = monitor_wait(&p->m, &p->submitters, NULL, "pool of workers: full", until);
    if (r < 0)
        return r;
    if (p->closed) {
        id = p->closed_why;
    } else {
        id = (int64_t)++p->stats.submitted;
        t->told.id = t->outcome.id = (uint64_t)id;
        queue_insert(p, t);
        monitor_notify(&p->m, &p->idlers);
    }
    monitor_leave(&p->m);
    return id;
}

int64_t go_workers_submit_ranked(go_workers *p, int rank, go_task_fn fn, const void *arg, size_t arg_bytes,
                                 go_until until)
{
    _cleanup_(cleanup_free) struct task *t = NULL;
    int64_t id;

    if (arg_bytes > GO_ARG_BYTES_MAX)
        return -EINVAL;
    t = task_new(p, fn, arg, arg_bytes);
    if (!t)
        return -ENOMEM;
    t->rank = rank;
    id = task_offer(p, t, until);
    if (id > 0)
        t = NULL;
    return id;
}

int64_t go_workers_submit(go_workers *p, go_task_fn fn, const void *arg, size_t arg_bytes, go_until until)
{
    return go_workers_submit_ranked(p, 0, fn, arg, arg_bytes, until);
}

int go_workers_result(go_workers *p, struct go_task_result *out, void *value, go_until until)
{
    struct task *t;
    int r = monitor_enter_until(&p->m, until);

    while (r == 0 && list_empty(&p->results) && !workers_finished(p))
        r = monitor_wait(&p->m, &p->collectors, NULL, "pool of workers: results", until);
    if (r < 0)
        return r;
    t = list_first(&p->results, struct task, link);
    if (t) {
        list_remove(&t->link);
        p->stats.results--;
        if (p->stats.queued)
            monitor_notify(&p->m, &p->idlers);
    }
    monitor_leave(&p->m);
    if (!t)
        return 0;
    *out = t->outcome;
    if (value && p->result_bytes)
        memcpy(value, t->told.result, p->result_bytes);
    free(t);
    return 1;
}
