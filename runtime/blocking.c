/*
 * Invariants, under the lock: `queued` are calls that no thread has taken; idle threads sleep only while it
 * is empty; at most THREADS_MAX threads.
 */
#include "blocking.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "futex.h"
#include "scheduler.h"
#include "waiting.h"

enum { THREADS_MAX = 64 };

#define STOP_NS                                                                                              \
    INT64_C(100000000) /* so long the end of the runtime waits for calls; threads without one always end */
#define IDLE_NS INT64_C(2000000000) /* a spare thread that nobody needed for so long ends */

struct call {
    struct list link;
    int (*fn)(void *);
    void *arg;
    int result;
    struct g *g;
    uint64_t ticket;
};

static struct {
    struct lock lock;
    struct list queued;
    int queued_n, threads, idle;
    bool stopping;
    _Atomic int calls;       /* threads inside one; counted up under the lock */
    _Atomic uint32_t signal; /* changes when something was queued */
} pool = {.queued = LIST_INIT(pool.queued)};

static struct call *call_take(uint32_t *seen)
{
    struct call *c;

    lock_take(&pool.lock, RANK_BLOCKING);
    *seen = atomic_load(&pool.signal);
    c = list_first(&pool.queued, struct call, link);
    if (c) {
        list_remove(&c->link);
        pool.queued_n--;
        atomic_fetch_add(&pool.calls, 1);
    }
    lock_drop(&pool.lock);
    return c;
}

static void call_run(struct call *c)
{
    struct g *g = c->g;

    c->result = c->fn(c->arg);
    atomic_fetch_sub(&pool.calls, 1);
    if (wait_claim(g, c->ticket, 0))
        wake(g);
}

/* False: the thread shall end; it is no longer counted. */
static bool idle_wait(uint32_t seen)
{
    bool stay;

    lock_take(&pool.lock, RANK_BLOCKING);
    pool.idle++;
    stay = !pool.stopping;
    lock_drop(&pool.lock);
    if (stay)
        futex_wait(&pool.signal, seen, IDLE_NS);
    lock_take(&pool.lock, RANK_BLOCKING);
    pool.idle--;
    stay = !list_empty(&pool.queued) || (!pool.stopping && atomic_load(&pool.signal) != seen);
    if (!stay) {
        pool.threads--;
        atomic_fetch_add(&pool.signal, 1);
        futex_wake(&pool.signal, INT32_MAX);
    }
    lock_drop(&pool.lock);
    return stay;
}

static void *thread_main(void *arg)
{
    uint32_t seen;
    struct call *c;

    do {
        while ((c = call_take(&seen)))
            call_run(c);
    } while (idle_wait(seen));
    return NULL;
}

static int thread_add(void)
{
    pthread_attr_t attr;
    sigset_t all, old;
    pthread_t thread;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    r = pthread_create(&thread, &attr, thread_main, NULL);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -r;
}

/* Queues the call, with one more thread if there are not enough for all that are queued: one that is idle may be woken for
 * another already. */
static int call_queue(struct call *c)
{
    bool more;
    int r = 0;

    lock_take(&pool.lock, RANK_BLOCKING);
    list_append(&pool.queued, &c->link);
    pool.queued_n++;
    more = pool.queued_n > pool.idle && pool.threads < THREADS_MAX;
    pool.threads += more;
    atomic_fetch_add(&pool.signal, 1);
    lock_drop(&pool.lock);
    futex_wake(&pool.signal, 1);
    if (!more)
        return 0;
    r = thread_add();
    if (r == 0)
        return 0;
    lock_take(&pool.lock, RANK_BLOCKING);
    pool.threads--;
    if (pool.threads > 0 || !list_linked(&c->link))
        r = 0; /* another thread has it or will take it */
    else {
        list_remove(&c->link);
        pool.queued_n--;
    }
    lock_drop(&pool.lock);
    return r;
}

int go_blocking(int (*fn)(void *arg), void *arg)
{
    struct g *g = g_self();
    struct call c = {.fn = fn, .arg = arg, .g = g};
    int r;

    if (g->thread)
        return fn(arg);
    c.ticket = wait_open(g, WAIT_MASKED);
    r = call_queue(&c);
    if (r < 0) {
        wait_claim(g, c.ticket, 0); /* masked and queued nowhere: nobody else can */
        return r;
    }
    atomic_fetch_add(&sched.outside, 1);
    park(g, "blocking call");
    atomic_fetch_sub(&sched.outside, 1);
    return c.result;
}

int blocking_threads(void)
{
    int n;

    lock_take(&pool.lock, RANK_BLOCKING);
    n = pool.threads;
    lock_drop(&pool.lock);
    return n;
}

bool blocking_stop(void)
{
    int64_t begin = clock_real_ns();
    bool done = false;

    lock_take(&pool.lock, RANK_BLOCKING);
    pool.stopping = true;
    lock_drop(&pool.lock);
    while (!done && (atomic_load(&pool.calls) == 0 || clock_real_ns() - begin < STOP_NS)) {
        uint32_t seen = atomic_fetch_add(&pool.signal, 1) + 1;

        futex_wake(&pool.signal, INT32_MAX);
        lock_take(&pool.lock, RANK_BLOCKING);
        done = pool.threads == 0;
        lock_drop(&pool.lock);
        if (!done)
            futex_wait(&pool.signal, seen, 1000000);
    }
    lock_take(&pool.lock, RANK_BLOCKING);
    pool.stopping = false;
    lock_drop(&pool.lock);
    return done;
}
