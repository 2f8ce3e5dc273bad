/*
 * G141 A server with three workers runs until it gets SIGINT or SIGTERM; then each worker ends what it is doing, and the
 * server says goodbye.
 *
 * Pattern: graceful shutdown: a signal becomes a value in a channel, the value a cancel, and a wait group tells when all have
 * ended. The group is added to before the workers start: so nobody can find it empty too early.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "goroutine_net.h"
#include "guide.h"

#define TICK_NS INT64_C(1000000)

enum { WORKERS = 3 };

struct server {
    go_ctx *ctx;
    go_waitgroup workers, running;
    go_chan *signals; /* of ints; room for 1: one that comes while nobody listens is not lost */
    atomic_int ticked[WORKERS + 1];
};

struct worker {
    int id;
    struct server *server;
};

static void work(void *arg)
{
    const struct worker *me = arg;
    go_timer *ticker = go_ticker_new(TICK_NS);
    struct go_case cases[] = {GO_TIMER(ticker, NULL), GO_DONE(me->server->ctx)};

    while (go_select(cases, 2, GO_FOREVER) == 0)
        atomic_fetch_add(&me->server->ticked[me->id], 1); /* the work */
    say("worker %d shutting down", me->id);
    go_timer_unref(ticker);
}

static void server_run(void *arg)
{
    struct server *server = arg;
    int number;

    for (int id = 1; id <= WORKERS; id++)
        must(go_waitgroup_go(&server->workers, work, &((struct worker){id, server}), sizeof(struct worker)) ==
             0);
    must(go_chan_recv(server->signals, &number, GO_FOREVER) == 1);
    say("Received signal %s", number == SIGINT ? "INT" : "TERM");
    say("shutting down");
    go_ctx_cancel(server->ctx, 0, NULL);
    go_waitgroup_wait(&server->workers);
    say("stopped gracefully");
    say("Server stopped");
}

/* ---- signals ---- */

/* A handler may do next to nothing: it writes the number into a pipe, and a goroutine reads it from there. */
static int signal_pipe[2];

static void on_signal(int number)
{
    unsigned char byte = (unsigned char)number;

    if (write(signal_pipe[1], &byte, 1) < 0)
        _exit(1);
}

static void read_signals(void *arg)
{
    struct server *server = arg;
    go_fd from = go_fd_open(signal_pipe[0]);
    unsigned char byte;

    while (go_read(from, &byte, 1, GO_FOREVER) == 1)
        go_chan_send(server->signals, &(int){byte}, GO_NOW); /* a second one is the same as the first */
    must(go_fd_close(from) == 0);
}

/* On a spare thread, since those of the runtime block signals. */
static int raise_unblocked(void *number)
{
    sigset_t one, before;

    sigemptyset(&one);
    sigaddset(&one, *(int *)number);
    must(pthread_sigmask(SIG_UNBLOCK, &one, &before) == 0 && raise(*(int *)number) == 0);
    return pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* The server gets the signal, as from the keyboard or from `kill`, and ends. */
static void stop_by_signal(struct server *server, int number)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK}, before;
    go_waitgroup reads = {0};

    must(pipe2(signal_pipe, O_CLOEXEC) == 0 && sigaction(number, &action, &before) == 0);
    must(go_waitgroup_go(&reads, read_signals, server, 0) == 0);
    must(go_blocking(raise_unblocked, &number) == 0);
    go_waitgroup_wait(&server->running);
    must(sigaction(number, &before, NULL) == 0 && close(signal_pipe[1]) == 0);
    go_waitgroup_wait(&reads);
}

/* A job gets no signals of its own: its host is told to drain. */
static void stop_by_host(struct server *server, int number)
{
    must(go_chan_send(server->signals, &number, GO_FOREVER) == 0);
    go_waitgroup_wait(&server->running);
}

static void run_until(int number, const char *first_line)
{
    struct server server = {.ctx = go_ctx_new(go_ctx_background()), .signals = go_chan_new(sizeof(int), 1)};

    must(go_waitgroup_go(&server.running, server_run, &server, 0) == 0);
    for (int id = 1; id <= WORKERS; id++)
        while (atomic_load(&server.ticked[id]) == 0)
            go_yield();
    (guide_is_job() ? stop_by_host : stop_by_signal)(&server, number);
    /* "on INT and on TERM the lines are "Received signal", "shutting down", one of each worker, "stopped gracefully", "Server
     * stopped"" */
    must(said_first(first_line) && said_by("s", LINES("shutting down", "stopped gracefully")));
    must(said_times("worker 1 shutting down") == 1 && said_times("worker 2 shutting down") == 1 &&
         said_times("worker 3 shutting down") == 1);
    must(said_before("worker", "stopped gracefully"));
    /* "nothing comes after the last of them, and the exit status is 0" */
    must(said_last("Server stopped") && said_lines() == 4 + WORKERS);
    until_live(1);
    go_ctx_unref(server.ctx);
    go_chan_unref(server.signals);
}

static void graceful_shutdown(void)
{
    run_until(SIGINT, "Received signal INT");
    say_nothing_yet();
    run_until(SIGTERM, "Received signal TERM");
}

GUIDE_ROW(G141, graceful_shutdown);
