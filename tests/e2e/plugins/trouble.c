/* A plugin whose functions are the end of their host, or try to outlive their job. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "goplugin.h"
#include "goroutine_sync.h"

static int null_dereference(gp_job *job)
{
    int *volatile nowhere = NULL;

    (void)job;
    return *nowhere;
}

static int call_abort(gp_job *job)
{
    (void)job;
    abort();
}

static int call_exit(gp_job *job)
{
    (void)job;
    exit(3);
}

static int recurse(volatile char *above, int depth)
{
    volatile char frame[1024];

    frame[0] = above ? above[0] : 1;
    return depth > 0 ? recurse(frame, depth - 1) + frame[0] : frame[0];
}

static int overflow(gp_job *job)
{
    (void)job;
    return recurse(NULL, 1 << 20);
}

/* Neither returns, nor waits, nor looks at its context. */
static int spin(gp_job *job)
{
    volatile unsigned long rounds = 0;

    (void)job;
    while (rounds + 1 > 0)
        rounds++;
    return 0;
}

/* Takes the lock named by its argument, says so, and spins. */
static int hold(gp_job *job)
{
    uint64_t token;
    int r = gc_lock(gp_client(job), gp_argument(job).data, &token, 0, GC_FOREVER);

    if (r < 0)
        return gp_fail(job, r, "no lock");
    gp_print(job, "holding\n");
    return spin(job);
}

/* Takes the same lock, tells how it got it, and gives it back. */
static int next(gp_job *job)
{
    const char *name = gp_argument(job).data;
    uint64_t token;
    int r;

    gp_print(job, "waiting\n");
    r = gc_lock(gp_client(job), name, &token, 0, GC_FOREVER);
    if (r < 0)
        return gp_fail(job, r, "no lock");
    gp_result(job, r == GC_OWNER_DIED ? "owner died" : "owner lives", 10 + (r != GC_OWNER_DIED));
    return gc_unlock(gp_client(job), name, token, GC_CONSISTENT, GC_FOREVER);
}

/* Ignores its context and waits for ever: ended with its scope. */
static void say_unwound(void *job)
{
    gp_print(job, "unwound\n");
}

static int stubborn(gp_job *job)
{
    go_defer(say_unwound, job);
    gp_print(job, "waiting\n");
    while (go_sleep(go_after_ms(3600 * 1000)) <= 0)
        continue;
    return 0;
}

/* Waits until it is cancelled, and cleans up. */
static int patient(gp_job *job)
{
    gp_print(job, "waiting\n");
    go_ctx_wait(gp_context(job), GO_FOREVER);
    gp_print(job, "cleaning up\n");
    return go_ctx_err(gp_context(job));
}

/* What follows says its process first, and then does not end by anything that is asked of it. */
static int spin_said(gp_job *job)
{
    gp_print(job, "pid %d\n", getpid());
    return spin(job);
}

/* In the kernel, where nobody will ever write. */
static int read_for_ever(gp_job *job)
{
    int fds[2];
    char byte;

    if (pipe(fds) < 0)
        return -errno;
    gp_print(job, "pid %d\n", getpid());
    return read(fds[0], &byte, 1) < 0 ? -errno : 0;
}

/* No signal that can be blocked reaches its thread. */
static int deaf(gp_job *job)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    return spin_said(job);
}

/* Takes what ends processes for nothing. */
static int shrug(gp_job *job)
{
    for (int number = 1; number < SIGRTMIN; number++)
        signal(number, SIG_IGN);
    return spin_said(job);
}

static void spin_away(void *job)
{
    spin(job);
}

/* Heeds its context at once, and cleans up for ever. */
static int defer_for_ever(gp_job *job)
{
    go_defer(spin_away, job);
    gp_print(job, "pid %d\n", getpid());
    go_ctx_wait(gp_context(job), GO_FOREVER);
    return -ECANCELED;
}

/* A member of the job, not its root. */
static void read_away(void *job)
{
    read_for_ever(job);
}

static int leave_reader(gp_job *job)
{
    return go_spawn(read_away, job, 0);
}

/* Waits in the kernel for a program that goes on for ever. */
static int wait_for_child(gp_job *job)
{
    char *argv[] = {"sleep", "1000000", NULL}, *env[] = {NULL};
    pid_t child;
    int r = posix_spawnp(&child, "sleep", NULL, NULL, argv, env);

    if (r != 0)
        return -r;
    gp_print(job, "child %d pid %d\n", (int)child, getpid());
    return waitpid(child, NULL, 0) < 0 ? -errno : 0;
}

/* All goroutines of the job wait on what only they know. */
static int deadlock(gp_job *job)
{
    go_chan *c = go_chan_new(1, 0);
    int r;

    (void)job;
    r = go_chan_recv(c, NULL, GO_FOREVER);
    go_chan_unref(c);
    return r;
}

static int panic(gp_job *job)
{
    (void)job;
    go_panic("something went %s", "wrong");
}

static int panics_in_group(void *arg)
{
    (void)arg;
    go_panic("a member went %s", "wrong");
}

/* The wait tells it, and panics with it. */
static int member_panics(gp_job *job)
{
    go_errgroup group = {{0}};
    int r = go_errgroup_go(&group, panics_in_group, NULL, 0, GO_FOREVER);

    (void)job;
    return r < 0 ? r : go_errgroup_wait(&group);
}

/* Nobody waits: it counts when the job ends. */
static int forgotten_panics(gp_job *job)
{
    static go_errgroup group;

    (void)job;
    memset(&group, 0, sizeof group);
    return go_errgroup_go(&group, panics_in_group, NULL, 0, GO_FOREVER);
}

static int fails(gp_job *job)
{
    return gp_fail(job, -ENOENT, "no such thing as %s", (const char *)gp_argument(job).data);
}

GP_PLUGIN("trouble", "1.0", {"null", "dereferences NULL", null_dereference},
          {"abort", "calls abort", call_abort}, {"exit", "calls exit(3)", call_exit},
          {"overflow", "recurses past its stack", overflow}, {"spin", "loops for ever", spin},
          {"hold", "takes a lock and loops for ever", hold}, {"next", "takes the same lock", next},
          {"stubborn", "ignores its context", stubborn}, {"patient", "waits until it is cancelled", patient},
          {"deadlock", "waits for itself", deadlock}, {"panic", "panics", panic},
          {"member_panics", "waits for a member that panics", member_panics},
          {"forgotten_panics", "does not wait for it", forgotten_panics},
          {"fails", "fails with -ENOENT", fails}, {"spin_said", "loops for ever", spin_said},
          {"read_for_ever", "blocks in read(2)", read_for_ever},
          {"deaf", "loops with all signals blocked", deaf}, {"shrug", "loops and ignores signals", shrug},
          {"defer_for_ever", "loops in its cleanup", defer_for_ever},
          {"leave_reader", "leaves a goroutine in read(2)", leave_reader},
          {"wait_for_child", "waits for a program that never ends", wait_for_child});
