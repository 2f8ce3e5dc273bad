/*
 * One goroutine, or the face of a plain thread that waits where a goroutine would park.
 *
 * Invariants
 *   Memory of a struct g is never given back while the runtime runs, and `wait` only counts up: a claim of an
 * old wait fails, whenever it comes. So nobody who may wake a goroutine needs to hold it. One wait is ended
 * by exactly one claim (waiting.h), and each claim is followed by exactly one wake: `token`. Its own fields
 * belong to the goroutine; `queue` to whoever holds it ready; `members` to its group's lock.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unwind.h>

#include "base/list.h"
#include "goroutine_host.h"
#include "stack.h"
#include "timers.h"
#include "tls.h"

enum token { TOKEN_NONE, TOKEN_READY, TOKEN_PARKED };

enum { G_NAME_BYTES = 32, G_ARG_BYTES = 48 };

enum { HEED_PIN = 1, HEED_FPENV = 2, HEED_EACH = 4 }; /* EACH: in a callback of go_each */

struct bubble;
struct frame;
struct panic;
struct pin;

/*
 * What a goroutine needs only once it has begun to run: the million that are queued have none. At the top of its stack,
 * so others leave it alone; of a plain thread or an idle loop in its struct thread.
 */
struct begun {
    struct timer deadline; /* of the wait */
    struct pin *pin;       /* the thread it is locked to */
    void *asan_fake;

    /* unwinding: frames.c */
    struct frame *frames;
    struct panic *panics;
    struct frame *exit_frame;
    struct panic *recovered; /* its text was handed out */
    struct _Unwind_Exception exception;
    bool unwinding_exit; /* the unwinding under way is an exit, not a panic */
};

struct g {
    /* waiting */
    _Atomic uint64_t wait;  /* waiting.h */
    _Atomic uint32_t token; /* enum token; threads sleep on it */
    _Atomic int objects_n;
    _Atomic(const char *) reason;  /* of the wait, "" while it runs */
    _Atomic int64_t wait_since_ns; /* on the coarse clock */
    _Atomic(const void *) objects; /* what the wait is for, for reports: objects.h */
    _Atomic bool timed;            /* the wait has begun->deadline */
    _Atomic bool yielded;          /* while it lets others run */
    unsigned char durable;         /* WAIT_GROUP, WAIT_BUBBLE: who alone can end the wait */
    bool thread;                   /* a plain thread, not a goroutine */
    bool face;                     /* of a plain thread, not the idle loop of a processor */
    bool scope_told;               /* a call has returned -ECANCELED because the scope ended */
    bool system;                   /* of the runtime: not counted, not in dumps */
    unsigned char heed;            /* HEED_*: what a switch from or to it must heed */

    /* switching */
    struct begun *begun; /* NULL before the first run */
    void *sp;
    char *stack;               /* the low end of the slot, NULL before the first run and for a plain thread */
    unsigned char stack_class; /* of the stack it has or will get */
    bool arg_owned;
    short ran_on; /* index of the processor; kept in runs with an order only */
    int saved_errno;
    struct g *queue; /* the next in a list of ready ones, or of free ones */
    void *tsan_fiber;
    uint64_t fp_control; /* HEED_FPENV: its own while it does not run */

    /* identity */
    _Atomic uint64_t id; /* 0: free */
    void (*fn)(void *);
    void *arg;
    const struct go_site *site;
    void *spawn_pc;
    struct go_group *group;
    struct bubble *bubble;
    struct list members; /* of the group */
    struct list bubble_members;
    char name[G_NAME_BYTES];
    _Alignas(16) unsigned char arg_copy[G_ARG_BYTES];
};

/* Not with memset: the memory is warm, and clearing the exception object too would cost more than all the rest. */
static inline void begun_init(struct begun *b)
{
    timer_init(&b->deadline);
    b->pin = NULL;
    b->asan_fake = NULL;
    b->frames = b->exit_frame = NULL;
    b->panics = b->recovered = NULL;
    b->unwinding_exit = false;
}

/* What the runtime knows of an OS thread. Workers have a processor; other threads get one of these when they
 * wait. */
struct proc;
struct thread {
    struct g *current; /* the goroutine, the idle loop, or the thread's own face */
    struct proc *proc; /* NULL on a plain thread */
    struct g *left;    /* whom the last switch left, and why: handled by who arrives */
    int left_why;
    struct g *idle;      /* the scheduler loop on the thread's own stack; on a plain thread its face */
    uint64_t fp_control; /* the thread's, while it runs a goroutine with its own */
    int *errno_at;       /* of the OS thread */
    const void *stack_bottom;
    size_t stack_size;
    struct begun begun; /* of idle */
};

/* NULL on a plain thread that never waited. Async-signal-safe. */
extern ptrdiff_t thread_self_offset;

static inline struct thread *thread_self(void)
{
    return tls_load(thread_self_offset);
}

void thread_set(struct thread *thread);

/* What a plain thread gets at its first wait. */
struct thread *thread_new(void);

/* Never NULL. */
static inline struct g *g_self(void)
{
    struct thread *t = thread_self();

    return (t ? t : thread_new())->current;
}

/* Free ones that one processor keeps for itself; no lock. Zeroed is empty. */
struct g_cache {
    struct g *first;
    _Atomic int n; /* others only read it */
};

/* A fresh goroutine with the next id, NULL without memory. Without a cache (NULL) it comes from the depot of all. */
struct g *g_new(struct g_cache *cache);

/* What a thread is when it runs no goroutine, without an id of its own: t->idle and t->current. NULL without memory. */
enum { G_ID_THREAD = -1 };
struct g *g_new_idle(struct thread *t);

/* Its stack is the caller's to give back, afterwards. Without a cache (NULL) it goes to the depot of all. */
void g_delete(struct g *g, struct g_cache *cache);

/* Calls fn for every struct g that is in use; stops when it returns other than 0. */
int g_each(int (*fn)(struct g *g, void *arg), void *arg);
/* The highest that was given. */
uint64_t g_last_id(void);

/* Memory of those that are free, of which `cached` lie in caches. */
int64_t g_idle_bytes(int64_t cached);

void g_release_all(void);
