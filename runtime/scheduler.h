/*
 * The scheduler: processors (proc.c) that run goroutines on threads of their own, a global queue, and who
 * sleeps.
 *
 * A goroutine that parks goes straight to the next one of its processor; only when there is none, or every
 * 61st time, does it go over the processor's idle loop, which looks everywhere else: timers, global queue,
 * descriptors, other processors, and then sleeps.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "g.h"
#include "lock.h"
#include "ring.h"
#include "starts.h"
#include "timers.h"
#include "waiting.h"

enum { PROCS_MAX = 256, PROCS_MADE_MAX = 2 * PROCS_MAX };

/* Why every switch goes over the idle loop, bits of proc.attention. A processor with any keeps no work for itself. */
enum attention {
    ATTEND_CHANGE = 1, /* it shall retire, or run again, or end */
    ATTEND_ORDER = 4,  /* what is next is the order's to say (order.c); for the whole run */
    ATTEND_LENT = 2,   /* the owner's: the thread of a locked goroutine runs in its name (pin.c) */
};

/* Of proc.late. */
enum { LATE_STEP = 8, LATE_MAX = 64 };

/* Why a switch left a goroutine: what who arrives has to do with it. */
enum left { LEFT_IDLE_LOOP, LEFT_PARKED, LEFT_YIELDED, LEFT_DEAD };

struct proc {
    _Alignas(64) struct ring ring;
    struct starts starts;
    struct timers timers;

    /* the owner's alone */
    struct thread thread;
    struct stack_cache stacks;
    struct g_cache gs;
    uint64_t random;
    uint32_t picks;
    int64_t next_since_ns;          /* when `next` was filled, on the coarse clock */
    int streak;                     /* picks from `next` in a row */
    int ring_streak, starts_streak; /* picks from one of the two in a row while the other has some */
    uint32_t looks, oldest_seen;
    int64_t oldest_ns;        /* when the oldest of the starts was last looked at */
    bool look;                /* the idle loop shall look everywhere before it runs what is here */
    bool spinning;            /* counted in sched.spinning; in the idle list it is sched.lock's */
    struct g *handed;         /* a locked goroutine that was picked: the idle loop lends p to its thread */
    int64_t refuses_since_ns; /* order.c; 0: does not */

    /* read by others */
    _Alignas(64) _Atomic uint32_t woken; /* what the owner sleeps on */
    _Atomic unsigned attention;          /* enum attention */
    _Atomic uint32_t lent;               /* what the owner sleeps on while its processor is lent */
    _Atomic uint64_t switches, parks, steals, wakeups, spawned, ended;
    _Atomic int in_hand;           /* living.c */
    _Atomic int late;              /* how often who was put into `next` waited there; the watchdog's too */
    _Atomic bool slice_over;       /* go_checkpoint shall yield */
    _Atomic bool asleep;           /* in the idle list, or retired */
    _Atomic int64_t hog_since_ns;  /* the watchdog's: since when a hog runs there; 0: none does */
    _Atomic uint64_t hog_switches; /* `switches` then: another number, another goroutine */
    bool retired;                  /* beyond go_set_procs; sched.lock */
    bool extra;                    /* started for a hog; sched.lock */
    bool hogged;                   /* watchdog's own: an extra one was started for it */
    uint64_t seen_switches;        /* watchdog's own, these three */
    clockid_t seen_clock;
    int64_t seen_cpu_ns;
    struct proc *idle_next; /* sched.lock */
    int index;
    pthread_t pthread;
    _Atomic clockid_t cpu_clock; /* these two of the thread that runs in its name */
    _Atomic pid_t tid;           /* 0 until there is one */
    _Atomic bool thread_ended;
    clockid_t stop_clock;
    int64_t stop_cpu_ns; /* CPU time when the stop was asked for */
};

extern struct sched {
    struct lock lock;
    struct g *global_first, **global_last; /* lock */
    _Atomic int global_n;
    struct proc *idle_first; /* lock */
    int active;              /* lock: threads that are neither in the idle list nor asleep as retired */
    _Atomic int idle_n, spinning;
    _Atomic(struct proc *) poller; /* who sleeps in netpoll; others sleep on their word */
    _Atomic int64_t poll_until_ns; /* when the poller will look by itself */
    _Atomic(struct proc *) proc[PROCS_MADE_MAX];
    _Atomic int procs, made; /* how many shall run; how many threads there are */
    _Atomic int extras;
    _Atomic uint64_t timers_fired;
    _Atomic int
        firing; /* threads that take timers out of the heaps, and have yet to wake who waits for them */
    _Atomic int outside; /* waits that only somebody outside can end: no global deadlock while there is one */
    _Atomic bool running, stopping;
    _Atomic bool alone; /* go_main: global deadlocks are reported */
} sched;

/* ---- scheduler.c: the goroutine's side ---- */

/* The first time: g waits its turn behind those that are ready. */
void sched_start(struct g *g);

/* Makes g runnable. From any thread. */
void sched_ready(struct g *g);

/* The same for many, with one wake-up of the sleeping processors. */
void sched_ready_list(struct wake_list *list);

/* Parks the calling goroutine until its token is given. */
void sched_park(struct g *g);
void sched_yield_self(void);

/* Whether a yield of the calling goroutine would let another run before it. */
bool sched_others_ready(void);
void sched_exit(void) __attribute__((noreturn));

/* Switches from the current goroutine or idle loop of `t`. */
void sched_switch(struct thread *t, struct g *to, enum left why);

/* What the processor runs next of its own; NULL: go over the idle loop. */
struct g *sched_pick(struct proc *p);

/* The same without the `next` slot and without the look everywhere. */
struct g *sched_pick_behind_next(struct proc *p);

void global_push(struct wake_list *list);
/* Up to half of a ring's room into p's ring; returns the first. */
struct g *global_take(struct proc *p, int max);

/* ---- proc.c: the processor's side ---- */

/* Wakes one sleeping processor to look for work, unless one is looking. */
void proc_wake_one(void);
void proc_wake(struct proc *p);

/* Counts a thread that may run goroutines, or one that no longer may. */
void proc_active_add(int n);

/* The life of a processor on its thread: returns when the runtime stops. */
void proc_loop(struct proc *p);

/* ---- procs.c: how many there are ---- */

/* A thread that blocks every signal but those that goroutines cause. 0, -EAGAIN. */
int worker_thread_start(pthread_t *thread, void *(*fn)(void *), void *arg);

/* Lets `procs` of them run, making threads as needed. 0, -EAGAIN, -ENOMEM. */
int procs_set(int procs);
/* One more, for as long as a hog keeps its own. */
int procs_extra_start(void);
void procs_extra_end(void);
/* Asks all to end and waits; looks after every slice_ns whether those that are left can still be expected to. False: one does
 * not come to a scheduling point. */
bool procs_stop(int64_t slice_ns);
/* CPU time of its thread, whose clock this is or was; 0: it has none. */
int64_t proc_cpu_ns(const struct proc *p, clockid_t clock);
void procs_free(void);

/* The heap that timers of g belong to. */
struct timers *sched_timers(struct g *g);
/* After arming: wakes the poller if it would sleep past `when_ns`. */
void sched_timer_armed(struct timers *timers, int64_t when_ns);
/* Earliest timer of all processors. */
int64_t sched_next_timer(void);
/* Fires what is due on any processor. */
int sched_run_timers(void);

uint64_t proc_random(struct proc *p);

/* Anything that others could take at once. */
static inline bool proc_has_work(struct proc *p)
{
    return !ring_empty(&p->ring) || !starts_empty(&p->starts);
}

static inline void count_up(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}
