/* One worker of a pool: takes tasks, runs them, survives them, leaves. */
#include <errno.h>
#include <stdio.h>

#include "frames.h"
#include "group.h"
#include "workers.h"

/* The argument of a worker's goroutine, which alone uses it. */
struct worker {
    struct go_workers *pool;
    int number;
    bool idle, left, last;
    struct task *task; /* in its hands */
};

/* Once for each worker: its number is free. */
static void leave_inside(struct worker *w)
{
    go_workers *p = w->pool;

    w->left = true;
    p->slots[w->number].taken = false;
    p->idle -= w->idle;
    if (--p->stats.alive > 0)
        return;
    if (!p->closed)
        workers_close_and_drop(p, -ECANCELED); /* the scope of all of them has ended */
    w->last = true;
    monitor_notify_all(&p->m, &p->collectors);
    monitor_notify_all(&p->m, &p->joiners);
}

static bool must_leave(const go_workers *p)
{
    return p->stats.alive > p->stats.size || (p->closed && p->stats.queued == 0);
}

static bool may_start(const go_workers *p)
{
    return p->stats.queued > 0 && (p->forget || p->stats.results < p->results_max);
}

/* NULL: it has left, or its scope has ended. */
static struct task *task_next(struct worker *w)
{
    go_workers *p = w->pool;
    struct task *t = NULL;

    monitor_enter(&p->m);
    while (!must_leave(p) && !may_start(p)) {
        w->idle = true;
        p->idle++;
        monitor_notify(&p->m, &p->submitters);
        if (monitor_wait(&p->m, &p->idlers, NULL, "worker without a task", GO_FOREVER) < 0)
            return NULL;
        w->idle = false;
        p->idle--;
    }
    if (must_leave(p)) {
        leave_inside(w);
    } else {
        t = workers_take(p);
        p->stats.running++;
    }
    monitor_leave(&p->m);
    return t;
}

static void task_finish(struct worker *w)
{
    go_workers *p = w->pool;

    monitor_enter(&p->m);
    p->stats.running--;
    p->slots[w->number].ran += w->task->outcome.end != GO_TASK_DROPPED;
    workers_result(p, w->task);
    monitor_leave(&p->m);
    w->task = NULL;
}

static void task_recover(void *arg)
{
    struct go_task_result *outcome = arg;
    const char *text = go_recover();

    if (!text)
        return;
    outcome->end = GO_TASK_PANICKED;
    outcome->code = -ENOTRECOVERABLE;
    snprintf(outcome->text, sizeof outcome->text, "%s", text);
}

static void task_call(void *arg)
{
    struct task *t = arg;

    go_defer(task_recover, &t->outcome);
    t->outcome.code = t->fn(&t->told);
    t->outcome.end = GO_TASK_RETURNED;
}

/* An exit in the task leaves from here: see worker_end. */
static void task_run(struct worker *w)
{
    struct task *t = w->task;
    int err = go_ctx_err(w->pool->ctx);

    t->told.worker = w->number;
    t->outcome.worker = err ? -1 : w->number;
    t->outcome.end = err ? GO_TASK_DROPPED : GO_TASK_EXITED;
    t->outcome.code = err ? err : -ECANCELED;
    if (!err)
        go_call(task_call, t);
    task_finish(w);
}

static void worker_run(void *arg);

static void worker_leave(struct worker *w)
{
    go_workers *p = w->pool;

    monitor_enter(&p->m);
    if (!w->left)
        leave_inside(w);
    monitor_leave(&p->m);
    if (w->last && go_ctx_func_stop(p->watch))
        workers_drop(p);
    workers_drop(p);
}

/* Deferred. With a task in its hands the goroutine ends because of that task: the worker goes on here, within the
 * unwinding, unless the scope has ended or nothing may recover the panic. */
static void worker_end(void *arg)
{
    struct worker *w = arg;
    bool again = w->task && !scope_over(g_self()) && !unwind_is_panic(g_self());

    if (w->task)
        task_finish(w);
    if (again)
        worker_run(w);
    else
        worker_leave(w);
}

static void worker_run(void *arg)
{
    struct worker *w = arg;

    go_defer(worker_end, w);
    while ((w->task = task_next(w)))
        task_run(w);
}

/* Takes a number for one more worker, or answers -1 when there are enough. */
static int slot_take(go_workers *p)
{
    int number = 0;

    monitor_enter(&p->m);
    while (number < GO_WORKERS_MAX && p->slots[number].taken)
        number++;
    if (p->stats.alive >= p->stats.size || number == GO_WORKERS_MAX || workers_finished(p)) {
        number = -1;
    } else {
        p->slots[number].taken = true;
        p->stats.alive++;
    }
    monitor_leave(&p->m);
    return number;
}

/* Starts workers until there are as many as wanted. */
int workers_start(go_workers *p)
{
    struct go_spawn_options options = {.name = "go_workers"};
    struct worker w = {.pool = p};
    int r = 0;

    while (r == 0 && (w.number = slot_take(p)) >= 0) {
        atomic_fetch_add(&p->refs, 1);
        r = go_spawn_with(worker_run, &w, sizeof w, &options);
    }
    if (r < 0)
        worker_leave(&w); /* the one that never was */
    return r;
}
