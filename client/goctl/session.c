/*
 * Signals and a departed reader become one thing: a cancelled context, which ends every wait.
 *
 * Threads: the main thread runs the command. The watch thread polls a signalfd and, when asked, standard
 * output; it alone writes `ended_by`. The signals are blocked in every thread, so that they arrive there only.
 * A second signal ends the process at once.
 */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "goclient_context.h"
#include "options.h"
#include "quantity.h"
#include "status.h"

enum { BY_NOTHING = 0, BY_READER = -1 }; /* or the number of a signal */

static struct {
    pthread_t thread;
    int signal_fd, stop_fd, wake_fd;
    _Atomic(gc_ctx *) ctx, below;
    atomic_int ended_by;
    atomic_bool output, quit;
    sigset_t before; /* blocked when we began */
} watch = {.signal_fd = -1, .stop_fd = -1, .wake_fd = -1};

/* The signals that end a command, less those our parent wants ignored (nohup, jobs in the background). */
static sigset_t ending_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction now;

        if (!sigaction(numbers[i], NULL, &now) && now.sa_handler != SIG_IGN)
            sigaddset(&set, numbers[i]);
    }
    return set;
}

/* The default of the signal after all, so that a shell sees what ended us and ends its loop too. */
static void raise_again(int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

/* Watch thread. Before there is a context nothing has been taken that must be given back. */
static void end(int by)
{
    gc_ctx *ctx = atomic_load(&watch.ctx);

    if (by > 0 && (!ctx || atomic_load(&watch.ended_by) > 0))
        raise_again(by);
    atomic_store(&watch.ended_by, by);
    eventfd_write(watch.stop_fd, 1);
    if (ctx)
        gc_ctx_cancel(ctx);
    ctx = atomic_load(&watch.below);
    if (ctx)
        gc_ctx_cancel(ctx);
}

static void watch_signals(void)
{
    struct signalfd_siginfo info;

    if (read(watch.signal_fd, &info, sizeof info) == sizeof info)
        end((int)info.ssi_signo);
}

static void *watch_run(void *unused)
{
    struct pollfd fds[] = {{watch.signal_fd, POLLIN, 0}, {watch.wake_fd, POLLIN, 0}, {-1, 0, 0}};
    eventfd_t ignored;

    (void)unused;
    while (!atomic_load(&watch.quit)) {
        if (poll(fds, sizeof fds / sizeof *fds, -1) < 0)
            continue;
        if (fds[0].revents)
            watch_signals();
        if (fds[1].revents)
            eventfd_read(watch.wake_fd, &ignored);
        if (fds[2].revents & (POLLERR | POLLHUP))
            end(BY_READER);
        fds[2].fd = atomic_load(&watch.output) && !atomic_load(&watch.ended_by) ? STDOUT_FILENO : -1;
    }
    return NULL;
}

static int watch_start(void)
{
    sigset_t set = ending_signals();
    int r;

    pthread_sigmask(SIG_BLOCK, &set, &watch.before);
    watch.signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    watch.stop_fd = eventfd(0, EFD_CLOEXEC);
    watch.wake_fd = eventfd(0, EFD_CLOEXEC);
    if (watch.signal_fd < 0 || watch.stop_fd < 0 || watch.wake_fd < 0)
        return -errno;
    r = pthread_create(&watch.thread, NULL, watch_run, NULL);
    return -r;
}

static void watch_stop(void)
{
    atomic_store(&watch.quit, true);
    eventfd_write(watch.wake_fd, 1);
    pthread_join(watch.thread, NULL);
    close(watch.signal_fd);
    close(watch.stop_fd);
    close(watch.wake_fd);
}

void session_watch_output(void)
{
    atomic_store(&watch.output, true);
    eventfd_write(watch.wake_fd, 1);
}

int session_stop_fd(void)
{
    return watch.stop_fd;
}

bool session_stopped(void)
{
    return atomic_load(&watch.ended_by) != BY_NOTHING;
}

int session_signal(void)
{
    int by = atomic_load(&watch.ended_by);

    return by > 0 ? by : 0;
}

sigset_t session_signals_before(void)
{
    return watch.before;
}

#define CONNECT_VARIABLE "GOROUTINED_CONNECT_TIMEOUT"

enum {
    ABSENT_MS = 1000, /* patience for a daemon that is just being started, as in `goroutined & goctl …` */
    GONE_MS = 1,      /* and for one that went away, with --no-reconnect */
    CONNECT_MS_MAX = INT32_MAX
};

/* How long the daemon's first answer may take: as the command line says, else the environment, else (0) the library. Negative:
 * it was told what is wrong. It bounds nothing else: the library waits for the answer to a call until the daemon is gone. */
static int64_t connect_ms(const struct options *said)
{
    const char *text = getenv(CONNECT_VARIABLE);
    int64_t ns = said->connect_ns, ms;

    if (ns < 0 && (!text || !*text))
        return 0;
    if (ns < 0 && parse_duration(text, &ns) < 0) {
        fprintf(stderr,
                "goctl: $" CONNECT_VARIABLE ": \"%s\" is not a duration, such as 200ms, 2s or 1m30s\n", text);
        return -EINVAL;
    }
    ms = ns / 1000000;
    return ms < 1 ? 1 : ms > CONNECT_MS_MAX ? CONNECT_MS_MAX : ms;
}

static int connect_to(const struct options *said, gc_client **client)
{
    char why[GC_WHY_BYTES] = "";
    int64_t answer_ms = connect_ms(said);
    struct gc_options options = {.size = sizeof options,
                                 .endpoint = said->endpoint,
                                 .server_key = said->server_key,
                                 .secret_file = said->secret_file,
                                 .program = "goctl",
                                 .absent_ms = ABSENT_MS,
                                 .reconnect_ms = said->no_reconnect ? GONE_MS : 0,
                                 .answer_ms = answer_ms};
    int r = answer_ms < 0 ? STATUS_USAGE : gc_connect(&options, client, why);

    if (r >= 0)
        return r;
    fprintf(stderr, "goctl: %s%s\n", *why ? why : gc_strerror(r),
            r == -ETIMEDOUT ? " A busy one may need longer: --connect-timeout 1m" : "");
    return r == -EINVAL ? STATUS_USAGE : STATUS_UNAVAILABLE;
}

/* A context of our own below the one of --ctx, so that a signal to this command does not end that for others. */
static int open_ctx(struct session *session)
{
    struct gc_context_options options = {.size = sizeof options, .parent_name = session->options->ctx};
    int r = gc_context_derive(session->client, NULL, &options, &session->ctx, session_interrupt(session));

    if (r < 0)
        return session_fail_hint(r, r == -ENOENT ? "`goctl ctx ls` lists those there are" : NULL,
                                 "context %s", options.parent_name);
    atomic_store(&watch.below, session->ctx);
    return 0;
}

static void note_session(struct session *session)
{
    struct gc_about about;

    gc_about(session->client, &about);
    session->incarnation = about.incarnation;
    session->number = about.session;
}

int session_open(struct session *session, const struct options *options)
{
    int r = watch_start();

    *session = (struct session){.options = options};
    if (r < 0) {
        fprintf(stderr, "goctl: cannot watch for signals: %s\n", gc_strerror(r));
        return STATUS_FAILURE;
    }
    r = connect_to(options, &session->client);
    if (r != 0) {
        watch_stop();
        return r;
    }
    note_session(session);
    session->interrupt = gc_ctx_new(session->client);
    if (!session->interrupt) {
        fputs("goctl: no memory\n", stderr);
        return session_close(session, STATUS_FAILURE);
    }
    atomic_store(&watch.ctx, session->interrupt);
    r = options->ctx ? open_ctx(session) : 0;
    return r ? session_close(session, r) : 0;
}

int session_close(struct session *session, int status)
{
    int by;

    watch_stop();
    by = atomic_load(&watch.ended_by);
    session->ctx = gc_ctx_free(session->ctx);
    session->interrupt = gc_ctx_free(session->interrupt);
    session->client = gc_disconnect(session->client);
    if (by > 0)
        raise_again(by);
    return by == BY_READER ? STATUS_NO_READER : status;
}

gc_until session_interrupt(const struct session *session)
{
    return gc_with(session->interrupt);
}

static int64_t in_time(int64_t ns)
{
    struct timespec now;
    int64_t end;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return __builtin_add_overflow(ns, now.tv_sec * INT64_C(1000000000) + now.tv_nsec, &end) ? INT64_MAX : end;
}

gc_until session_patience(const struct session *session)
{
    /* An absolute time, made when the wait begins: each value has the whole of --timeout. */
    int64_t ns = session->options->timeout_ns;
    gc_until until = gc_with(session->ctx ? session->ctx : session->interrupt);

    if (ns >= 0)
        until.ns = in_time(ns);
    return until;
}

gc_until session_until(const struct session *session)
{
    gc_until until = session_patience(session);

    if (session->options->try_once)
        until.ns = GC_NOW.ns;
    return until;
}

int session_check_options(const struct options *options, const char *command)
{
    if (!options->no_reconnect || options->reconnect_ns < 0)
        return STATUS_OK;
    fprintf(stderr, "goctl %s: --reconnect and --no-reconnect do not go together\n", command);
    return STATUS_USAGE;
}

static bool may_come_back(const struct session *session)
{
    const struct options *options = session->options;

    return !session_stopped() && !options->no_reconnect && !options->try_once && !options->ctx;
}

bool session_went_away(int error)
{
    return error == -ENETRESET || error == -ECONNRESET || error == -ECONNREFUSED;
}

bool session_comes_back(const struct session *session, int error)
{
    return session_went_away(error) && may_come_back(session);
}

bool session_over(const struct session *session)
{
    struct gc_about about;

    gc_about(session->client, &about);
    return !may_come_back(session) &&
           (about.incarnation != session->incarnation || about.session != session->number);
}

int session_come_back(const struct session *session, int (*again)(void *arg, gc_until until), void *arg)
{
    int64_t reconnect_ns = session->options->reconnect_ns,
            end = reconnect_ns < 0 ? INT64_MAX : in_time(reconnect_ns);
    gc_until until = session_patience(session);
    int r;

    fprintf(stderr, "goctl: %s; waiting for it to come back\n", gc_why());
    if (end < until.ns)
        until.ns = end;
    do
        r = again(arg, until);
    while (r < 0 && session_comes_back(session, r));
    return r == -ETIMEDOUT && until.ns == end ? -ECONNREFUSED : r;
}

static int tell(int error, const char *why, const char *hint, const char *format, va_list arguments)
{
    if (session_stopped())
        return STATUS_CANCELLED;
    fputs("goctl: ", stderr);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, ": %s%s%s\n", why && *why ? why : gc_strerror(error), hint ? "; " : "", hint ? hint : "");
    return status_of(error);
}

int session_fail(int error, const char *format, ...)
{
    va_list arguments;
    int status;

    va_start(arguments, format);
    status = tell(error, gc_why(), NULL, format, arguments);
    va_end(arguments);
    return status;
}

int session_fail_hint(int error, const char *hint, const char *format, ...)
{
    va_list arguments;
    int status;

    va_start(arguments, format);
    status = tell(error, gc_why(), hint, format, arguments);
    va_end(arguments);
    return status;
}

int session_fail_here(int error, const char *format, ...)
{
    va_list arguments;
    int status;

    va_start(arguments, format);
    status = tell(error, strerror(-error), NULL, format, arguments);
    va_end(arguments);
    return status;
}
