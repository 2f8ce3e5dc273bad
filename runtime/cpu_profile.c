/*
 * Each processor's thread has a timer of its own on its own CPU clock, which interrupts it `hz` times per second of CPU
 * time. The handler walks the frame pointers of the goroutine that runs, inside the bounds of its stack, and counts.
 *
 * Invariants: `samples` is under `busy`, which a handler only tries for: who finds it taken drops its sample and says so.
 * Timers are made and deleted under `lock`; a signal that was under way when its timer was deleted finds `on` false.
 */
#include "cpu_profile.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "annotate.h"
#include "backtrace.h"
#include "interrupted.h"
#include "scheduler.h"
#include "stack_counts.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { STACKS_MAX = 8192, HZ_MAX = 1000, TRIES = 1 << 14 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
    _Atomic bool on;
    atomic_flag busy;
    struct stack_counts samples;
    _Atomic uint64_t dropped;
    int hz;
    int64_t begin_ns, end_ns; /* end 0: it goes on */
    struct list threads;      /* struct sampled */
    bool installed;
} cpu = {.busy = ATOMIC_FLAG_INIT, .threads = LIST_INIT(cpu.threads)};

/* ---- in the handler ---- */

/* Of the goroutine, or of the scheduler itself: then nothing is known of the stack but where it is. */
ANNOTATE_UNCHECKED static int frames_take(const struct thread *t, const void *context, void **frames, int max)
{
    const struct g *g = t->current;

    if (g == t->idle || !g->stack)
        return interrupted_frames_within(context, 1, 0, frames, 1);
    return interrupted_frames_within(context, (uintptr_t)stack_bottom(g->stack),
                                     (uintptr_t)stack_top(g->stack, g->stack_class), frames, max);
}

static void on_tick(int sig, siginfo_t *info, void *context)
{
    struct thread *t = thread_self();
    void *frames[GO_FRAMES_MAX];
    int saved = errno, n, tries = 0;

    if (atomic_load(&cpu.on) && t && t->proc) {
        n = frames_take(t, context, frames, GO_FRAMES_MAX);
        while (atomic_flag_test_and_set(&cpu.busy) && ++tries < TRIES)
            continue;
        if (tries == TRIES || !stack_counts_add(&cpu.samples, frames, n, 1 + (uint64_t)info->si_overrun, 0))
            atomic_fetch_add(&cpu.dropped, 1);
        if (tries < TRIES)
            atomic_flag_clear(&cpu.busy);
    }
    errno = saved;
}

/* ---- timers ---- */

static int timer_begin(struct sampled *thread)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    struct timespec period = {.tv_sec = cpu.hz == 1, .tv_nsec = cpu.hz == 1 ? 0 : 1000000000 / cpu.hz};
    struct itimerspec spec = {.it_interval = period, .it_value = period};

    event.sigev_notify_thread_id = thread->tid;
    if (timer_create(thread->clock, &event, &thread->timer) < 0)
        return -errno;
    timer_settime(thread->timer, 0, &spec, NULL);
    thread->timed = true;
    return 0;
}

static void timer_end(struct sampled *thread)
{
    if (thread->timed)
        timer_delete(thread->timer);
    thread->timed = false;
}

void cpu_profile_join(struct sampled *thread)
{
    *thread = (struct sampled){.tid = gettid(), .clock = CLOCK_THREAD_CPUTIME_ID};
    pthread_getcpuclockid(pthread_self(), &thread->clock);
    pthread_mutex_lock(&lock);
    list_append(&cpu.threads, &thread->link);
    if (atomic_load(&cpu.on))
        timer_begin(thread); /* without one its time is missing from the profile */
    pthread_mutex_unlock(&lock);
}

void cpu_profile_leave(struct sampled *thread)
{
    pthread_mutex_lock(&lock);
    timer_end(thread);
    list_remove(&thread->link);
    pthread_mutex_unlock(&lock);
}

/* ---- the calls ---- */

/* The handler stays for ever: a late signal must not end the program. */
static int install(void)
{
    struct sigaction act = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

    sigemptyset(&act.sa_mask);
    if (cpu.installed)
        return 0;
    if (sigaction(SIGPROF, &act, NULL) < 0)
        return -errno;
    cpu.installed = true;
    return 0;
}

static void stop(void)
{
    struct sampled *thread;

    atomic_store(&cpu.on, false);
    list_each (thread, &cpu.threads, link)
        timer_end(thread);
    cpu.end_ns = clock_real_ns();
}

static int start(int hz)
{
    struct sampled *thread;
    int r = install();

    if (r < 0)
        return r;
    stack_counts_free(&cpu.samples);
    r = stack_counts_init(&cpu.samples, STACKS_MAX);
    if (r < 0)
        return r;
    cpu.hz = hz;
    cpu.begin_ns = clock_real_ns();
    cpu.end_ns = 0;
    atomic_store(&cpu.dropped, 0);
    atomic_store(&cpu.on, true);
    list_each (thread, &cpu.threads, link)
        if (r == 0)
            r = timer_begin(thread);
    if (r < 0)
        stop();
    return r;
}

int go_cpu_profile_start(int hz)
{
    int r;

    if (hz < 1 || hz > HZ_MAX)
        return -EINVAL;
    pthread_mutex_lock(&lock);
    r = !atomic_load(&sched.running) ? -ESRCH : atomic_load(&cpu.on) ? -EBUSY : start(hz);
    pthread_mutex_unlock(&lock);
    return r;
}

int64_t go_cpu_profile_stop(void)
{
    int64_t r = -ESRCH;

    pthread_mutex_lock(&lock);
    if (atomic_load(&cpu.on)) {
        stop();
        r = (int64_t)atomic_load(&cpu.dropped);
    }
    pthread_mutex_unlock(&lock);
    return r;
}

/* What was counted so far, in memory of its own: names are looked up while sampling goes on. */
static int samples_copy(struct stack_counts *to)
{
    sigset_t tick, old;
    int r;

    sigemptyset(&tick);
    sigaddset(&tick, SIGPROF);
    pthread_sigmask(SIG_BLOCK, &tick, &old); /* a handler on this thread would wait for us */
    while (atomic_flag_test_and_set(&cpu.busy))
        continue;
    r = stack_counts_copy(&cpu.samples, to);
    atomic_flag_clear(&cpu.busy);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return r;
}

/* Without the frames below the goroutines' functions. */
static int samples_trim(const struct stack_counts *all, struct stack_counts *to, int64_t period_ns)
{
    int r = stack_counts_init(to, STACKS_MAX);

    for (size_t i = 0; r == 0 && i < all->slots; i++) {
        const struct stack_count *s = &all->slot[i];

        if (s->count)
            stack_counts_add(to, s->frame, backtrace_trim_outer(s->frame, s->n), s->count,
                             s->count * (uint64_t)period_ns);
    }
    return r;
}

int go_cpu_profile_write(int fd, enum go_profile_format format)
{
    struct profile_kind kind = {.type = "samples",
                                .unit = "count",
                                .period_type = "cpu",
                                .period_unit = "nanoseconds",
                                .second_type = "cpu",
                                .second_unit = "nanoseconds"};
    struct stack_counts copy = {.slot = NULL}, trimmed = {.slot = NULL};
    int r;

    pthread_mutex_lock(&lock);
    r = cpu.samples.slot ? samples_copy(&copy) : -ESRCH;
    if (r == 0) {
        kind.period = 1000000000 / cpu.hz;
        kind.duration_ns = (cpu.end_ns ? cpu.end_ns : clock_real_ns()) - cpu.begin_ns;
    }
    pthread_mutex_unlock(&lock);
    if (r == 0)
        r = samples_trim(&copy, &trimmed, kind.period);
    if (r == 0)
        r = profile_write(&trimmed, &kind, format, fd);
    stack_counts_free(&copy);
    stack_counts_free(&trimmed);
    return r;
}
