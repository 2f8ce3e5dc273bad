/*
 * A goroutine that calls go_lock_thread goes on on a thread made for it, which runs nothing else and ends with the
 * lock or with the goroutine. So whatever is done to that thread is seen by nobody else, ever.
 *
 * The thread has no processor of its own. When a processor comes to such a goroutine it lends itself: its own thread
 * sleeps, the goroutine's runs in its name, as the owner of its queue and its counters, and gives it back at the next
 * switch. So there are never more goroutines running than processors. A processor that is lent has ATTEND_LENT set,
 * which sends every switch to the idle loop: on the goroutine's thread that is run_once.
 *
 * Invariants: `turn` is TURN_NONE exactly while the thread uses no processor; only who holds the ready goroutine, and
 * there is one of those, sets it to TURN_RUN; the thread sets it back before it gives the processor back.
 */
#include "pin.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "annotate.h"
#include "cpu_profile.h"
#include "crash.h"
#include "futex.h"
#include "scheduler.h"

enum turn { TURN_NONE, TURN_RUN, TURN_END };

struct pin {
    struct thread thread; /* .proc: what it has borrowed */
    struct g *g;
    _Atomic uint32_t turn;
    unsigned depth; /* locks that were not unlocked; the goroutine's own */
    bool over;      /* the goroutine needs it no more; written and read on the thread */
    struct list link;
};

static struct {
    struct lock lock;
    struct list all; /* lock */
    _Atomic uint32_t left;
} pins = {.all = LIST_INIT(pins.all)};

bool pin_has(const struct g *g, const struct thread *t)
{
    return &g->begun->pin->thread == t;
}

/* ---- the thread ---- */

static bool turn_wait(struct pin *pin)
{
    uint32_t turn;

    while ((turn = atomic_load(&pin->turn)) == TURN_NONE)
        futex_wait(&pin->turn, TURN_NONE, -1);
    return turn == TURN_RUN;
}

/* Until the goroutine is switched away from. */
static void run_once(struct pin *pin, pid_t tid, clockid_t cpu_clock)
{
    struct proc *p = pin->thread.proc;
    clockid_t own_clock = atomic_exchange(&p->cpu_clock, cpu_clock);
    pid_t own_tid = atomic_exchange(&p->tid, tid);

    sched_switch(&pin->thread, pin->g, LEFT_IDLE_LOOP);
    atomic_store(&p->tid, own_tid);
    atomic_store(&p->cpu_clock, own_clock);
    pin->thread.proc = NULL;
    atomic_store(&pin->turn, TURN_NONE);
    atomic_store(&p->lent, 0);
    futex_wake(&p->lent, 1);
}

static void pin_delete(struct pin *pin)
{
    lock_take(&pins.lock, RANK_SCHED);
    list_remove(&pin->link);
    lock_drop(&pins.lock);
    g_delete(pin->thread.idle, NULL);
    free(pin);
}

static void *pin_main(void *arg)
{
    struct pin *pin = arg;
    clockid_t cpu_clock;
    bool alt_stack;
    struct sampled sampled;

    thread_set(&pin->thread);
    pin->thread.idle->tsan_fiber = annotate_fiber_self();
    pthread_getcpuclockid(pthread_self(), &cpu_clock);
    alt_stack = crash_thread_start();
    cpu_profile_join(&sampled);
    while (!pin->over && turn_wait(pin))
        run_once(pin, gettid(), cpu_clock);
    cpu_profile_leave(&sampled);
    if (alt_stack)
        crash_thread_end();
    thread_set(NULL);
    pin_delete(pin);
    atomic_fetch_sub(&pins.left, 1);
    futex_wake(&pins.left, 1);
    return NULL;
}

static void pin_list(struct pin *pin)
{
    atomic_fetch_add(&pins.left, 1);
    lock_take(&pins.lock, RANK_SCHED);
    list_append(&pins.all, &pin->link);
    lock_drop(&pins.lock);
}

static int pin_new(struct g *g)
{
    struct pin *pin = calloc(1, sizeof *pin);
    pthread_t thread;
    int r;

    if (!pin || !g_new_idle(&pin->thread)) {
        free(pin);
        return -ENOMEM;
    }
    pin->g = g;
    pin->depth = 1;
    pin_list(pin);
    r = worker_thread_start(&thread, pin_main, pin);
    if (r < 0) {
        pin_delete(pin);
        atomic_fetch_sub(&pins.left, 1);
        return r;
    }
    pthread_detach(thread);
    g->begun->pin = pin;
    g->heed |= HEED_PIN;
    return 0;
}

/* ---- the processor's side ---- */

void pin_lend(struct proc *p, struct g *g)
{
    struct pin *pin = g->begun->pin;

    while (atomic_load(&pin->turn) != TURN_NONE)
        sched_yield(); /* it is about to give back the processor it had */
    atomic_fetch_or(&p->attention, ATTEND_LENT);
    atomic_store(&p->lent, 1);
    p->thread.current = g; /* for dumps: what p runs */
    pin->thread.proc = p;
    atomic_store(&pin->turn, TURN_RUN);
    futex_wake(&pin->turn, 1);
    while (atomic_load(&p->lent))
        futex_wait(&p->lent, 1, -1);
    p->thread.current = p->thread.idle;
    atomic_fetch_and(&p->attention, ~(unsigned)ATTEND_LENT);
}

int pin_threads(void)
{
    return (int)atomic_load(&pins.left);
}

void pins_stop(void)
{
    struct pin *pin;
    uint32_t left;

    lock_take(&pins.lock, RANK_SCHED);
    list_each (pin, &pins.all, link) {
        atomic_store(&pin->turn, TURN_END);
        futex_wake(&pin->turn, 1);
    }
    lock_drop(&pins.lock);
    while ((left = atomic_load(&pins.left)) > 0)
        futex_wait(&pins.left, left, -1);
}

/* ---- the goroutine's side ---- */

static void pin_leave(struct g *g)
{
    g->begun->pin->over = true;
    g->begun->pin = NULL;
    g->heed &= (unsigned char)~HEED_PIN;
}

void pin_abandon(struct g *g)
{
    pin_leave(g);
}

int go_lock_thread(void)
{
    struct g *g = g_self();
    int r = 0;

    if (g->thread)
        return 0;
    if (g->begun->pin) {
        g->begun->pin->depth++;
        return 0;
    }
    r = pin_new(g);
    if (r == 0)
        sched_yield_self(); /* who comes to it next lends itself to the thread */
    return r;
}

void go_unlock_thread(void)
{
    struct g *g = g_self();

    if (g->thread || !g->begun->pin || --g->begun->pin->depth > 0)
        return;
    pin_leave(g);
    sched_yield_self(); /* goes behind those that are ready, and on wherever it is found */
}
