/*
 * Load balancer: a channel of jobs for each worker, and smooth weighted round robin over them.
 *
 * A pick adds to everybody's credit his weight and takes the whole round from the one that then has most: so 3:2:1 gives
 * 0,1,0,2,1,0, and equal weights plain round robin. Who is down or has no room does not take part in a pick.
 *
 * Invariant: under the mutex nothing waits; a job is in a channel, in a worker's hands, or was refused.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "frames.h"
#include "goroutine_patterns.h"
#include "group.h"
#include "waiting.h"

struct place {
    go_chan *jobs;
    int weight;
    bool up;        /* mutex */
    int64_t credit; /* mutex */
    _Atomic uint64_t ran;
};

struct go_balancer {
    _Atomic int holders, refs, running; /* refs: the holders together, and each worker */
    void (*fn)(int worker, void *job, void *arg);
    void *arg;
    size_t job_bytes;
    go_mutex mutex;
    bool closed;      /* mutex */
    go_chan *changed; /* mutex: closed, and replaced by another, when a worker goes up or down */
    go_chan *ended;   /* closed when the last worker has ended */
    int n;
    struct place at[];
};

/* The argument of a worker's goroutine. */
struct job {
    go_balancer *b;
    int worker;
    bool runs;
    void *value;
};

static void balancer_drop(go_balancer *b)
{
    if (atomic_fetch_sub(&b->refs, 1) > 1)
        return;
    for (int i = 0; i < b->n; i++)
        go_chan_unref(b->at[i].jobs);
    go_chan_unref(b->changed);
    go_chan_unref(b->ended);
    free(b);
}

/* ---- a worker ---- */

static void worker_run(void *arg);

/* Deferred. A job that calls go_exit ends nobody but itself: the worker goes on here. */
static void worker_end(void *arg)
{
    struct job *j = arg;
    go_balancer *b = j->b;

    if (j->runs && !scope_over(g_self()) && !unwind_is_panic(g_self())) {
        worker_run(j);
        return;
    }
    free(j->value);
    if (atomic_fetch_sub(&b->running, 1) == 1)
        go_chan_close(b->ended);
    balancer_drop(b);
}

static void worker_run(void *arg)
{
    struct job *j = arg;
    struct place *at = &j->b->at[j->worker];

    j->runs = false;
    go_defer(worker_end, j);
    while (go_range(at->jobs, j->value)) {
        atomic_fetch_add(&at->ran, 1);
        j->runs = true;
        j->b->fn(j->worker, j->value, j->b->arg);
        j->runs = false;
    }
}

static int worker_start(go_balancer *b, int i)
{
    struct go_spawn_options options = {.name = "go_balancer"};
    struct job j = {.b = b, .worker = i, .value = malloc(b->job_bytes + 1)};
    int r;

    if (!j.value)
        return -ENOMEM;
    atomic_fetch_add(&b->refs, 1);
    atomic_fetch_add(&b->running, 1);
    r = go_spawn_with(worker_run, &j, sizeof j, &options);
    if (r < 0)
        worker_end(&j);
    return r;
}

/* ---- life ---- */

static bool options_fit(const struct go_balancer_options *o)
{
    if (o->workers < 1 || o->workers > GO_BALANCER_WORKERS_MAX)
        return false;
    for (int i = 0; o->weights && i < o->workers; i++)
        if (o->weights[i] < 1)
            return false;
    return true;
}

static bool places_make(go_balancer *b, const struct go_balancer_options *o)
{
    bool made = b->changed && b->ended;

    for (int i = 0; i < b->n; i++) {
        struct place *at = &b->at[i];

        at->jobs = go_chan_new(o->job_bytes, o->queue);
        at->weight = o->weights ? o->weights[i] : 1;
        at->up = true;
        made = made && at->jobs;
    }
    return made;
}

go_balancer *go_balancer_new(const struct go_balancer_options *o)
{
    go_balancer *b = options_fit(o) ? calloc(1, sizeof *b + (size_t)o->workers * sizeof *b->at) : NULL;
    bool made;

    if (!b)
        return NULL;
    atomic_store(&b->holders, 1);
    atomic_store(&b->refs, 1);
    b->fn = o->fn;
    b->arg = o->arg;
    b->job_bytes = o->job_bytes;
    b->n = o->workers;
    b->changed = go_chan_new(0, 0);
    b->ended = go_chan_new(0, 0);
    made = places_make(b, o);
    for (int i = 0; made && i < b->n; i++)
        made = worker_start(b, i) == 0;
    return made ? b : go_balancer_unref(b);
}

go_balancer *go_balancer_ref(go_balancer *b)
{
    atomic_fetch_add(&b->holders, 1);
    return b;
}

go_balancer *go_balancer_unref(go_balancer *b)
{
    if (!b || atomic_fetch_sub(&b->holders, 1) > 1)
        return NULL;
    go_balancer_close(b); /* -EPIPE: it was closed before */
    balancer_drop(b);
    return NULL;
}

int go_balancer_close(go_balancer *b)
{
    bool closed;

    if (!b)
        return -EINVAL;
    go_mutex_lock(&b->mutex);
    closed = b->closed;
    b->closed = true;
    for (int i = 0; !closed && i < b->n; i++)
        go_chan_close(b->at[i].jobs);
    go_mutex_unlock(&b->mutex);
    return closed ? -EPIPE : 0;
}

int go_balancer_wait(go_balancer *b, go_until until)
{
    return go_chan_recv(b->ended, NULL, until);
}

int go_balancer_set_up(go_balancer *b, int worker, int up)
{
    go_chan *next;

    if (worker < 0 || worker >= b->n)
        return -EINVAL;
    next = go_chan_new(0, 0);
    if (!next)
        return -ENOMEM;
    go_mutex_lock(&b->mutex);
    b->at[worker].up = up;
    go_chan_close(b->changed);
    go_chan_unref(b->changed);
    b->changed = next;
    go_mutex_unlock(&b->mutex);
    return 0;
}

/* ---- submitting ---- */

/* Mutex held: whose turn it is among those in the set (bit i: worker i). */
static int pick(const go_balancer *b, uint64_t set)
{
    int best = -1;

    for (int i = 0; i < b->n; i++)
        if (set >> i & 1 &&
            (best < 0 || b->at[i].credit + b->at[i].weight > b->at[best].credit + b->at[best].weight))
            best = i;
    return best;
}

/* Mutex held: the pick stands. */
static void charge(go_balancer *b, uint64_t set, int picked)
{
    for (int i = 0; i < b->n; i++)
        if (set >> i & 1) {
            b->at[i].credit += b->at[i].weight;
            b->at[picked].credit -= b->at[i].weight;
        }
}

static uint64_t those_up(const go_balancer *b)
{
    uint64_t set = 0;

    for (int i = 0; i < b->n; i++)
        set |= (uint64_t)b->at[i].up << i;
    return set;
}

/* Mutex held: gives the job to the first in turn that has room. */
static int submit_now(go_balancer *b, const void *job)
{
    uint64_t set = those_up(b);
    int r = set ? -EAGAIN : -EHOSTDOWN, i;

    while (r == -EAGAIN && (i = pick(b, set)) >= 0) {
        r = go_chan_send(b->at[i].jobs, job, GO_NOW);
        if (r == 0) {
            charge(b, set, i);
            return i;
        }
        set &= ~(UINT64_C(1) << i);
    }
    return r;
}

static void chan_drop(go_chan **c)
{
    go_chan_unref(*c);
}

/* All were full: the first to have room gets the job. -EAGAIN: who is up has changed. */
static int submit_wait(go_balancer *b, const void *job, go_until until, uint64_t set, go_chan *watched)
{
    _cleanup_(chan_drop) go_chan *changed = watched;
    struct go_case cases[GO_BALANCER_WORKERS_MAX + 1];
    int i;

    for (i = 0; i < b->n; i++)
        cases[i] = GO_SEND(set >> i & 1 ? b->at[i].jobs : NULL, job);
    cases[b->n] = GO_RECV(changed, NULL);
    i = go_select(cases, b->n + 1, until);
    if (i < 0)
        return i;
    if (i == b->n)
        return -EAGAIN;
    return cases[i].result < 0 ? cases[i].result : i;
}

int go_balancer_submit(go_balancer *b, const void *job, go_until until)
{
    int r = until_over(g_self(), until);

    if (r < 0)
        return r;
    do {
        go_chan *changed = NULL;
        uint64_t set = 0;

        go_mutex_lock(&b->mutex);
        r = b->closed ? -EPIPE : submit_now(b, job);
        if (r == -EAGAIN && until.ns != GO_NS_NOW) {
            set = those_up(b);
            changed = go_chan_ref(b->changed);
        }
        go_mutex_unlock(&b->mutex);
        if (changed)
            r = submit_wait(b, job, until, set, changed);
    } while (r == -EAGAIN && until.ns != GO_NS_NOW);
    return r;
}

uint64_t go_balancer_ran(const go_balancer *b, int worker)
{
    return worker < 0 || worker >= b->n ? 0 : atomic_load(&((go_balancer *)b)->at[worker].ran);
}
