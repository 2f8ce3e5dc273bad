/*
 * G141 between processes: a server with three workers, each a process, runs until it gets SIGINT or SIGTERM; then each worker
 * ends what it is doing, and the server says goodbye. And the jobs of a daemon that is drained: those that run finish.
 *
 * Pattern: graceful shutdown. A signal becomes a close, and who waits for all counts their ends.
 */
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "goclient_inspect.h"
#include "parts.h"

enum { WORKERS = 3, SCENES = 2 };

static const char *const stops[SCENES] = {"stop_by_INT", "stop_by_TERM"};
static const int signals[SCENES] = {SIGINT, SIGTERM};

/* ---- signals ---- */

static void worker(struct part *me)
{
    struct gc_value v = {0};

    for (int scene = 0; scene < SCENES; scene++) {
        gc_chan stop = chan_of(me, stops[scene]);

        while (gc_recv(me->g, stop, &v, 0, GC_NOW) == -EAGAIN)
            must(gc_ping(me->g, GC_FOREVER) == 0); /* the work */
        say(me, "worker %d shutting down", me->index);
        send_number(me, chan_of(me, "ended"), me->index);
    }
}

/* The signal is read from a descriptor. */
static void wait_for_signal(struct part *me, int signals_fd, int number)
{
    struct signalfd_siginfo info;

    must(kill(getpid(), number) == 0);
    must(read(signals_fd, &info, sizeof info) == sizeof info && (int)info.ssi_signo == number);
    say(me, "Received signal %s", number == SIGINT ? "INT" : "TERM");
}

static void run_scene(struct part *me, int scene, int signals_fd)
{
    int who;

    wait_for_signal(me, signals_fd, signals[scene]);
    say(me, "shutting down");
    step_done(me, stops[scene]);
    for (int i = 0; i < WORKERS; i++)
        must(recv_number(me, chan_of(me, "ended"), &who));
    say(me, "stopped gracefully");
    say(me, "Server stopped");
}

/* ---- drain ---- */

static void task(struct part *me)
{
    char text[TEXT_BYTES];

    must(!recv_text(me, chan_of(me, me->index ? "other_gate" : "gate"), text));
}

static enum gc_job_state state_of(struct part *me, gc_job job)
{
    struct gc_job_info info = {0};
    enum gc_job_state state;

    must(gc_job_info(me->g, job, &info, GC_FOREVER) == 0);
    state = info.state;
    gc_job_info_clear(&info);
    return state;
}

/* "drain lets running jobs finish, refuses new ones and keeps those that are ready" */
static void drain_jobs(struct part *me)
{
    struct gc_submit refused = {.size = sizeof refused, .plugin = "/no/such.so", .function = "none"};
    gc_job running = submit_part(me, "task", 0), kept, none;

    until_waiting(me, chan_of(me, "gate"), 0, 1);
    kept = submit_part_with(me, "task", 1, (struct gc_submit){.attempts_max = 1, .delay_ns = 1});
    while (state_of(me, kept) == GC_JOB_SCHEDULED)
        ;
    until_waiting(me, chan_of(me, "other_gate"), 0, 1);
    must(gc_drain(me->g, GC_DRAIN_BEGIN, GC_NOW) == -EAGAIN);
    must(gc_submit(me->g, &refused, &none, GC_FOREVER) == -ESHUTDOWN);
    must(state_of(me, running) == GC_JOB_RUNNING);
    step_done(me, "gate");
    must(gc_wait(me->g, running, NULL, GC_FOREVER) == 1);
    must(gc_drain(me->g, GC_DRAIN_FORCE, GC_FOREVER) == 0);
    must(state_of(me, kept) == GC_JOB_READY);
    must(gc_drain(me->g, GC_DRAIN_END, GC_FOREVER) == 0);
    step_done(me, "other_gate");
    must(gc_wait(me->g, kept, NULL, GC_FOREVER) == 1);
}

static void server(struct part *me)
{
    sigset_t set;
    int signals_fd;

    sigemptyset(&set);
    for (int scene = 0; scene < SCENES; scene++)
        sigaddset(&set, signals[scene]);
    must(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    signals_fd = signalfd(-1, &set, SFD_CLOEXEC);
    must(signals_fd >= 0);
    for (int scene = 0; scene < SCENES; scene++)
        run_scene(me, scene, signals_fd);
    close(signals_fd);
    step_done(me, "stopped");
}

/* When the workers, one of which may be a job, have ended. */
static void drainer(struct part *me)
{
    step_wait(me, "stopped");
    while (stat_of(me, "jobs.running") > 0)
        ;
    drain_jobs(me);
}

static void graceful_shutdown(void)
{
    for (int i = 0; i < WORKERS; i++)
        must(said_times("worker %d shutting down", i) == SCENES);
    /* "on INT and on TERM the lines are "Received signal", "shutting down", one of each worker, "stopped gracefully", "Server
     * stopped"" */
    must(said_first("Received signal INT") && said_times("Received signal TERM") == 1);
    must(said_by("s", LINES("shutting down", "stopped gracefully", "shutting down", "stopped gracefully")));
    for (size_t i = 0; i < SCENES; i++)
        must(strcmp(part_lines.line[(i + 1) * (4 + WORKERS) - 1], "Server stopped") == 0);
    /* "nothing comes after the last of them, and the exit status is 0" */
    must(said_last("Server stopped") && part_lines.n == SCENES * (4 + WORKERS));
}

GUIDE_PARTS(G141, graceful_shutdown,
            .channels = {{"stop_by_INT"}, {"stop_by_TERM"}, {"ended"}, {"stopped"}, {"gate"}, {"other_gate"}},
            .parts = {PARTS(WORKERS, worker), PART_WITH(server, .no_job = true),
                      PART_WITH(drainer, .no_job = true), PART_WITH(task, .on_call = true)});
