/* What the runtime has of the machine's memory, what the program asked of go_alloc, and giving back. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "backtrace.h"
#include "dump.h"
#include "living.h"
#include "scheduler.h"
#include "stack_counts.h"

enum { STACKS_MAX = 8192 }; /* different ones in an allocation profile; later ones are dropped */

/* ---- go_alloc ---- */

static struct {
    _Atomic uint64_t allocations, frees, bytes, freed;
    _Atomic bool profiled;
    pthread_mutex_t lock;
    struct stack_counts stacks; /* lock */
} user = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void user_profile(size_t bytes)
{
    void *frames[GO_FRAMES_MAX], *const *trimmed = frames;
    int n = backtrace_take(frames, GO_FRAMES_MAX);

    n = backtrace_trim(&trimmed, n);
    pthread_mutex_lock(&user.lock);
    if (user.stacks.slot)
        stack_counts_add(&user.stacks, trimmed, n, 1, bytes);
    pthread_mutex_unlock(&user.lock);
}

void *go_alloc(size_t bytes)
{
    void *p = (calloc)(1, bytes ? bytes : 1);

    if (!p)
        return NULL;
    atomic_fetch_add_explicit(&user.allocations, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&user.bytes, malloc_usable_size(p), memory_order_relaxed);
    if (atomic_load_explicit(&user.profiled, memory_order_relaxed))
        user_profile(bytes);
    return p;
}

void go_free(void *p)
{
    if (!p)
        return;
    atomic_fetch_add_explicit(&user.frees, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&user.freed, malloc_usable_size(p), memory_order_relaxed);
    (free)(p);
}

int go_alloc_profile_start(void)
{
    struct stack_counts fresh;
    int r = stack_counts_init(&fresh, STACKS_MAX);

    if (r < 0)
        return r;
    pthread_mutex_lock(&user.lock);
    stack_counts_free(&user.stacks);
    user.stacks = fresh;
    pthread_mutex_unlock(&user.lock);
    atomic_store(&user.profiled, true);
    return 0;
}

void go_alloc_profile_stop(void)
{
    atomic_store(&user.profiled, false);
}

int go_alloc_profile_write(int fd, enum go_profile_format format)
{
    static const struct profile_kind kind = {.type = "alloc_objects",
                                             .unit = "count",
                                             .second_type = "alloc_space",
                                             .second_unit = "bytes",
                                             .period_type = "space",
                                             .period_unit = "bytes",
                                             .period = 1};
    struct stack_counts copy = {.slot = NULL};
    int r;

    pthread_mutex_lock(&user.lock);
    r = user.stacks.slot ? stack_counts_copy(&user.stacks, &copy) : -ESRCH;
    pthread_mutex_unlock(&user.lock);
    if (r == 0)
        r = profile_write(&copy, &kind, format, fd);
    stack_counts_free(&copy);
    return r;
}

/* ---- figures ---- */

void go_memory_read(struct go_memory *out)
{
    struct heap_counts heap;
    struct stack_figures stacks;

    memset(out, 0, sizeof *out);
    heap_read(&heap);
    stack_figures_read(&stacks);
    out->user_allocations = atomic_load(&user.allocations);
    out->user_frees = atomic_load(&user.frees);
    out->user_bytes = (int64_t)(atomic_load(&user.bytes) - atomic_load(&user.freed));
    out->allocations = heap.allocations;
    out->frees = heap.frees;
    out->heap_bytes = heap.in_use;
    out->stacks = stacks.taken;
    out->stacks_bytes = stacks.mapped_bytes;
    out->stacks_resident = stacks.resident_bytes;
    out->in_use = out->stacks_resident + out->heap_bytes - g_idle_bytes(living_cached()) + out->user_bytes;
    out->from_system = out->stacks_bytes + out->heap_bytes + out->user_bytes;
    out->total = heap.bytes + atomic_load(&user.bytes) + stacks.mapped_ever;
}

int go_stats_json(int fd)
{
    struct go_memory m;
    struct go_stats s;

    go_stats_read(&s);
    go_memory_read(&m);
    return fd_print(
        fd,
        "{\"goroutines\":%lld,\"parked\":%lld,\"procs\":%d,\"procs_extra\":%d,\"spawned\":%llu,\"ended\":%"
        "llu,"
        "\"switches\":%llu,\"parks\":%llu,\"steals\":%llu,\"wakeups\":%llu,\"timers_fired\":%llu,"
        "\"memory\":{\"in_use\":%lld,\"total\":%llu,\"from_system\":%lld},"
        "\"stacks\":{\"count\":%lld,\"mapped\":%lld,\"resident\":%lld},"
        "\"allocations\":{\"runtime\":%llu,\"runtime_freed\":%llu,\"user\":%llu,\"user_freed\":%llu}}\n",
        (long long)s.live, (long long)s.parked, s.procs, s.procs_extra, (unsigned long long)s.spawned,
        (unsigned long long)s.ended, (unsigned long long)s.switches, (unsigned long long)s.parks,
        (unsigned long long)s.steals, (unsigned long long)s.wakeups, (unsigned long long)s.timers_fired,
        (long long)m.in_use, (unsigned long long)m.total, (long long)m.from_system, (long long)m.stacks,
        (long long)m.stacks_bytes, (long long)m.stacks_resident, (unsigned long long)m.allocations,
        (unsigned long long)m.frees, (unsigned long long)m.user_allocations,
        (unsigned long long)m.user_frees);
}

/* ---- giving back ---- */

/* A sleeping processor gives its own when it goes to sleep again. */
static void wake_sleepers(void)
{
    int made = atomic_load(&sched.made);

    for (int i = 0; i < made; i++) {
        struct proc *p = atomic_load(&sched.proc[i]);
        bool sleeps;

        lock_take(&sched.lock, RANK_SCHED);
        sleeps = atomic_load(&p->asleep) && !p->retired;
        lock_drop(&sched.lock);
        if (sleeps)
            proc_wake(p);
    }
}

int64_t go_trim(void)
{
    struct thread *t = thread_self();
    int64_t n = stack_trim(t && t->proc ? &t->proc->stacks : NULL);

    wake_sleepers();
    return n;
}
