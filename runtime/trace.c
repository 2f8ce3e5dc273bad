/*
 * Each processor writes into a buffer of its own, and so does the thread that runs in its name; all other threads share
 * one, under a lock. A full buffer drops what comes, and counts it.
 *
 * Invariants: a writer sets `busy`, looks whether the trace still is on, writes, clears it; who stops the trace turns it
 * off and then waits until nobody is busy. Both in the one order of all, so nobody writes into a buffer that is read.
 */
#include "trace.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "dump.h"
#include "goroutine_inspect.h"
#include "scheduler.h"

enum { EVENTS_DEFAULT = 1 << 16, EVENTS_MAX = 1 << 22, SHARED = PROCS_MADE_MAX };

struct buffer {
    _Atomic bool busy;
    struct trace_event *events; /* NULL before the first */
    size_t n;
    uint64_t dropped;
};

_Atomic bool trace_active;

static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct buffer buffer[PROCS_MADE_MAX + 1];
    struct lock shared;
    size_t room; /* of each */
    int64_t begin_ns;
    struct trace_event *there; /* who there was at the start */
    size_t there_n;
} trace;

/* ---- writing ---- */

static void *memory(size_t bytes)
{
    void *p = mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static void append(struct buffer *b, const struct trace_event *e)
{
    if (!b->events)
        b->events = memory(trace.room * sizeof *b->events);
    if (b->events && b->n < trace.room)
        b->events[b->n++] = *e;
    else
        b->dropped++;
}

static void record(struct trace_event *e)
{
    struct thread *t = thread_self();
    int place = t && t->proc ? t->proc->index : SHARED;
    struct buffer *b = &trace.buffer[place];

    e->processor = (short)(place == SHARED ? -1 : place);
    if (place == SHARED)
        lock_take(&trace.shared, RANK_G);
    atomic_store(&b->busy, true);
    if (atomic_load(&trace_active)) {
        e->ns = clock_real_ns();
        append(b, e);
    }
    atomic_store(&b->busy, false);
    if (place == SHARED)
        lock_drop(&trace.shared);
}

/* Goroutines of the runtime and threads are in no trace. */
static uint64_t id_of(const struct g *g)
{
    return g->thread || g->system ? 0 : atomic_load_explicit(&((struct g *)g)->id, memory_order_relaxed);
}

static void name_event(struct trace_event *e, const struct g *g)
{
    const char *name = g->name[0] || !g->site ? g->name : g->site->function;

    e->what = (const void *)g->fn;
    for (size_t i = 0; i < sizeof e->name - 1 && name[i]; i++)
        e->name[i] = name[i];
}

void trace_create(const struct g *g)
{
    struct trace_event e = {.g = id_of(g), .other = id_of(g_self()), .kind = TRACE_CREATE};

    name_event(&e, g);
    if (e.g)
        record(&e);
}

void trace_end(const struct g *g)
{
    struct trace_event e = {.g = id_of(g), .kind = TRACE_END};

    if (e.g)
        record(&e);
}

void trace_switch(const struct thread *t, const struct g *to, int why)
{
    struct trace_event left = {.g = id_of(t->current)}, begun = {.g = id_of(to), .kind = TRACE_BEGIN};

    left.kind = why == LEFT_PARKED ? TRACE_BLOCK : TRACE_YIELD;
    left.what = atomic_load_explicit(&t->current->reason, memory_order_relaxed);
    if (left.g && why != LEFT_DEAD)
        record(&left);
    if (begun.g)
        record(&begun);
}

void trace_wake(const struct g *g)
{
    struct trace_event e = {.g = id_of(g), .other = id_of(g_self()), .kind = TRACE_WAKE};

    if (e.g)
        record(&e);
}

void trace_pass(const struct g *from, const struct g *to)
{
    struct trace_event e = {
        .g = id_of(to ? to : g_self()), .other = id_of(from ? from : g_self()), .kind = TRACE_PASS};

    if (e.g && e.other)
        record(&e);
}

void trace_put(const struct go_chan *c, const struct g *from)
{
    struct trace_event e = {.g = id_of(from ? from : g_self()), .what = c, .kind = TRACE_PUT};

    record(&e);
}

void trace_take(const struct go_chan *c, size_t count)
{
    struct trace_event e = {.g = id_of(g_self()), .other = count, .what = c, .kind = TRACE_TAKE};

    record(&e);
}

/* ---- starting and stopping ---- */

static void there_fill(struct trace_event *e, const struct go_info *info)
{
    *e = (struct trace_event){.ns = trace.begin_ns,
                              .g = info->id,
                              .kind = TRACE_THERE,
                              .state = (unsigned char)info->state,
                              .processor = -1,
                              .what = info->state == GO_STATE_PARKED ? (const void *)info->reason
                                                                     : (const void *)info->function};
    memcpy(e->name, info->name, sizeof e->name - 1);
}

static int there_take(void)
{
    struct census census;
    int r = census_take(&census, NULL);

    trace.there_n = 0;
    trace.there = r == 0 ? memory((census.n + 1) * sizeof *trace.there) : NULL;
    for (size_t i = 0; trace.there && i < census.n; i++) {
        struct go_info info;

        info_fill(&info, census.members[i].g);
        if (info.id == census.members[i].id)
            there_fill(&trace.there[trace.there_n++], &info);
    }
    free(census.members);
    return trace.there ? 0 : -ENOMEM;
}

static int start(size_t events)
{
    trace.room = events ? events : EVENTS_DEFAULT;
    trace.begin_ns = clock_real_ns();
    if (there_take() < 0)
        return -ENOMEM;
    atomic_store(&trace_active, true);
    return 0;
}

int go_trace_start(size_t events)
{
    int r;

    if (events > EVENTS_MAX)
        return -EINVAL;
    pthread_mutex_lock(&changing);
    r = !atomic_load(&sched.running) ? -ESRCH : atomic_load(&trace_active) ? -EBUSY : start(events);
    pthread_mutex_unlock(&changing);
    return r;
}

/* All in one place, and the buffers empty again. NULL: no memory. */
static struct trace_event *collect(size_t *n, uint64_t *dropped)
{
    struct trace_event *all;
    size_t room = trace.there_n;

    for (int i = 0; i <= PROCS_MADE_MAX; i++)
        room += trace.buffer[i].n;
    all = memory((room + 1) * sizeof *all);
    *n = *dropped = 0;
    if (all)
        memcpy(all, trace.there, trace.there_n * sizeof *all);
    *n = trace.there_n;
    munmap(trace.there, (trace.there_n + 1) * sizeof *all);
    for (int i = 0; i <= PROCS_MADE_MAX; i++) {
        struct buffer *b = &trace.buffer[i];

        if (all && b->n)
            memcpy(all + *n, b->events, b->n * sizeof *all);
        *n += b->n;
        *dropped += b->dropped;
        if (b->events)
            munmap(b->events, trace.room * sizeof *all);
        b->events = NULL; /* not `busy`: somebody may be about to find that the trace is over */
        b->n = 0;
        b->dropped = 0;
    }
    return all;
}

static int64_t stop(int fd)
{
    int64_t end_ns = clock_real_ns();
    struct trace_event *events;
    uint64_t dropped;
    size_t n;
    int r;

    atomic_store(&trace_active, false);
    for (int i = 0; i <= PROCS_MADE_MAX; i++)
        while (atomic_load(&trace.buffer[i].busy))
            continue;
    events = collect(&n, &dropped);
    if (!events)
        return -ENOMEM;
    r = trace_write(events, n, trace.begin_ns, end_ns, dropped, fd);
    munmap(events, (n + 1) * sizeof *events);
    return r ? r : (int64_t)dropped;
}

int64_t go_trace_stop(int fd)
{
    int64_t r;

    pthread_mutex_lock(&changing);
    r = atomic_load(&trace_active) ? stop(fd) : -ESRCH;
    pthread_mutex_unlock(&changing);
    return r;
}
