/*
 * The command work: a worker that runs a command for each job of a queue that no plugin has. The argument of the job is the
 * command's input, its output the result, its exit status how the job has ended.
 *
 * While the command runs a thread keeps the job: it extends the lease, and hears of a cancel or of the loss of the job, which
 * end the command by SIGTERM, and by SIGKILL when the job was given up. What asks goctl to end lets the command go on: the job
 * is finished first, or given back when the command died with us, as by an interrupt of the terminal.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "commands.h"
#include "goclient_worker.h"
#include "options.h"
#include "output.h"
#include "session.h"
#include "status.h"

#define LEASE_NS       (INT64_C(30) * 1000000000)
#define LEASE_LEAST_NS (INT64_C(100) * 1000000) /* it is extended three times a lease */
#define PAUSE_NS                                                                                             \
    INT64_C(200000000) /* before what could not be said, or whether a job was given up, is asked again */

enum { WORDS_BYTES = 64 };

/* ---- keeping the job ---- */

/* One word for each signal that the command is to get: the first is SIGTERM, the second SIGKILL. */
struct keeper {
    gc_client *g;
    const struct gc_task *task;
    int64_t lease_ns;
    gc_ctx *over; /* the command has ended */
    int end_fd;   /* eventfd */
    pthread_t thread;
};

static gc_until in_a_while(const struct keeper *keeper, int64_t ns)
{
    gc_until until = gc_after_ms(ns / 1000000);

    until.ctx = keeper->over;
    return until;
}

/* It says nothing of the job: it is asked again, while the lease lasts. */
static bool passing(int error)
{
    return error == -ENOMEM || error == -ENOBUFS;
}

/* -ETIMEDOUT: it is over; or the command has ended. There is nothing to wait for but time. */
static int pause_for(const struct keeper *keeper, int64_t ns)
{
    gc_chan never = GC_NIL;
    struct gc_value none;
    int r = gc_recv(keeper->g, never, &none, 0, in_a_while(keeper, ns));

    if (!passing(r))
        return r;
    poll(NULL, 0, (int)(ns / 1000000));
    return -ETIMEDOUT;
}

static int extend(const struct keeper *keeper)
{
    return gc_task_extend(keeper->g, keeper->task, keeper->lease_ns, gc_with(keeper->over));
}

/* Until it is to be ended (0), is ours no more (negative), or the command has ended. */
static int keep(const struct keeper *keeper)
{
    int r;

    do {
        r = gc_task_watch(keeper->g, keeper->task, in_a_while(keeper, keeper->lease_ns / 3));
        if (passing(r))
            r = pause_for(keeper, keeper->lease_ns / 3 < PAUSE_NS ? keeper->lease_ns / 3 : PAUSE_NS);
        if (r == -ETIMEDOUT)
            r = extend(keeper) ?: -ETIMEDOUT;
    } while (r == -ETIMEDOUT || passing(r));
    return r == -ECANCELED && !gc_ctx_done(keeper->over) ? 0 : r;
}

/* Its grace runs: until it is over. */
static void await_loss(const struct keeper *keeper)
{
    int r = -ECANCELED;

    while ((r == -ECANCELED || passing(r)) && pause_for(keeper, PAUSE_NS) == -ETIMEDOUT)
        r = extend(keeper);
}

static void *keeper_run(void *arg)
{
    const struct keeper *keeper = arg;
    int r = keep(keeper);

    if (gc_ctx_done(keeper->over))
        return NULL;
    eventfd_write(keeper->end_fd, 1);
    if (r == 0)
        await_loss(keeper);
    if (!gc_ctx_done(keeper->over))
        eventfd_write(keeper->end_fd, 1);
    return NULL;
}

/* 0 or a negative errno value. */
static int keeper_start(struct keeper *keeper)
{
    int r;

    keeper->end_fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    if (keeper->end_fd < 0)
        return -errno;
    keeper->over = gc_ctx_new(keeper->g);
    r = keeper->over ? -pthread_create(&keeper->thread, NULL, keeper_run, keeper) : -ENOMEM;
    if (r < 0) {
        gc_ctx_free(keeper->over);
        close(keeper->end_fd);
    }
    return r;
}

static void keeper_stop(struct keeper *keeper)
{
    gc_ctx_cancel(keeper->over);
    pthread_join(keeper->thread, NULL);
    gc_ctx_free(keeper->over);
    close(keeper->end_fd);
}

/* ---- the command ---- */

static int file_of(const void *data, size_t size)
{
    int fd = memfd_create("argument", MFD_CLOEXEC);
    size_t at = 0;

    if (fd < 0)
        return -errno;
    while (at < size) {
        ssize_t n = write(fd, (const char *)data + at, size - at);

        if (n < 0) {
            int error = errno;

            close(fd);
            return -error;
        }
        at += (size_t)n;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static int tell(const struct gc_task *task)
{
    int r = child_tell("GOROUTINED_JOB", task->job.id);

    if (r == 0)
        r = child_tell("GOROUTINED_RUN", task->run);
    if (r == 0)
        r = child_tell("GOROUTINED_ATTEMPT", task->attempt);
    if (r == 0 && (setenv("GOROUTINED_FUNCTION", task->function, 1) < 0 ||
                   setenv("GOROUTINED_QUEUE", task->queue, 1) < 0))
        r = -errno;
    return r;
}

/* Waits for its end, and sends what the keeper says. Its status as wait has it. */
static int wait_for(pid_t pid, int end_fd)
{
    static const int signals[] = {SIGTERM, SIGKILL};
    int pidfd = pidfd_open(pid, 0), status = 0;
    struct pollfd fds[] = {{pidfd, POLLIN, 0}, {end_fd, POLLIN, 0}};
    eventfd_t word;

    for (size_t sent = 0; pidfd >= 0 && !(fds[0].revents);) {
        if (poll(fds, 2, -1) < 0 || !fds[1].revents)
            continue;
        if (eventfd_read(end_fd, &word) == 0 && sent < sizeof signals / sizeof *signals)
            pidfd_send_signal(pidfd, signals[sent++], NULL, 0);
    }
    if (pidfd >= 0)
        close(pidfd);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* Runs it for the task. 0 with its status, or a negative errno value: it could not be run. */
static int serve(struct session *session, const struct gc_task *task, int64_t lease_ns, int output,
                 int *status)
{
    struct keeper keeper = {.g = session->client, .task = task, .lease_ns = lease_ns};
    int input = file_of(task->data, task->bytes), r = input < 0 ? input : tell(task);
    pid_t pid;

    if (r == 0)
        r = keeper_start(&keeper);
    if (r == 0) {
        r = child_spawn(session->options->operands + 1, (struct child_how){.input = input, .output = output},
                        &pid);
        if (r == 0)
            *status = wait_for(pid, keeper.end_fd);
        keeper_stop(&keeper);
    }
    if (input >= 0)
        close(input);
    return r;
}

/* ---- how the job has ended ---- */

static int complete(struct session *session, const struct gc_task *task, int output)
{
    struct stat stat;
    void *data = NULL;
    int r;

    if (fstat(output, &stat) < 0)
        return -errno;
    if (stat.st_size)
        data = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, output, 0);
    if (data == MAP_FAILED)
        return -errno;
    r = gc_task_complete(session->client, task, data, (size_t)stat.st_size, GC_FOREVER);
    if (data)
        munmap(data, (size_t)stat.st_size);
    return r;
}

static bool permanent(const struct options *options, int status)
{
    return options->permanent && WIFEXITED(status) && (uint64_t)WEXITSTATUS(status) == options->permanent;
}

/* What is said to the daemon, and in one word to people. */
static int finish(struct session *session, const struct gc_task *task, int status, int output,
                  const char **word)
{
    char words[WORDS_BYTES];

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        *word = "done";
        return complete(session, task, output);
    }
    if (WIFSIGNALED(status) && session_stopped()) {
        *word = "released";
        return gc_task_release(session->client, task, GC_FOREVER);
    }
    *word = "failed";
    if (WIFSIGNALED(status))
        snprintf(words, sizeof words, "the command died of signal %d", WTERMSIG(status));
    else
        snprintf(words, sizeof words, "the command ended with status %d", WEXITSTATUS(status));
    return gc_task_fail(session->client, task, -EIO, permanent(session->options, status), words, GC_FOREVER);
}

static int say(const struct options *options, const struct gc_task *task, const char *word)
{
    int r;

    if (options->json)
        r = output_json(json_pack("{s:I, s:I, s:s}", "job", (json_int_t)task->job.id, "run",
                                  (json_int_t)task->run, "ended", word));
    else {
        printf("%" PRIu64 " %s\n", task->job.id, word);
        r = output_flush();
    }
    return r < 0 ? output_fail(r) : STATUS_OK;
}

enum outcome { WORKED, LOST, NONE, CAME_BACK };

/* The command does not go on with another daemon. */
static int leave(void)
{
    if (session_stopped())
        return STATUS_CANCELLED;
    fputs("goctl: the daemon went away, and the worker with it\n", stderr);
    return STATUS_UNAVAILABLE;
}

/* A job that was lost meanwhile is somebody else's: we go on, if its daemon did not go away with it. */
static int tell_end(const struct session *session, const struct gc_task *task, int r, const char *word,
                    enum outcome *outcome)
{
    int status;

    if (r < 0 && r != -ESTALE && !session_went_away(r))
        return session_fail(r, "job %" PRIu64, task->job.id);
    *outcome = r < 0 ? LOST : WORKED;
    status = say(session->options, task, r < 0 ? "lost" : word);
    return status == STATUS_OK && session_went_away(r) && !session_comes_back(session, r) ? leave() : status;
}

static int work_on(struct session *session, const struct gc_task *task, int64_t lease_ns,
                   enum outcome *outcome)
{
    int output = memfd_create("result", MFD_CLOEXEC), status = 0;
    const char *word;
    int r = output < 0 ? -errno : serve(session, task, lease_ns, output, &status);

    if (r < 0) { /* no fault of the job */
        gc_task_release(session->client, task, GC_FOREVER);
        fprintf(stderr, "goctl: cannot run %s: %s\n", session->options->operands[1], strerror(-r));
        r = r == -ENOENT ? STATUS_NO_COMMAND : STATUS_CANNOT_RUN;
    } else {
        r = session_over(session) ? -ENETRESET : finish(session, task, status, output, &word);
        r = tell_end(session, task, r, word, outcome);
    }
    if (output >= 0)
        close(output);
    return r;
}

/* ---- the command's loop ---- */

static int look_for_daemon(void *arg, gc_until until)
{
    return gc_ping(((struct session *)arg)->client, until);
}

/* STATUS_OK: it goes on. */
static int come_back(struct session *session)
{
    int r = session_come_back(session, look_for_daemon, session);

    if (r < 0)
        return session_fail(r, "work %s again", session->options->operands[0]);
    fputs("goctl: there is a daemon again: it works on\n", stderr);
    return STATUS_OK;
}

static int give_back(const struct session *session, const struct gc_task *task)
{
    gc_task_release(session->client, task, GC_FOREVER);
    return leave();
}

/* STATUS_OK: one was worked on, there is none and none is waited for, or the daemon went away and there is one again. */
static int work_once(struct session *session, const struct gc_reserve *what, enum outcome *outcome)
{
    struct gc_tasks tasks;
    int r;

    if (session_over(session))
        return leave();
    r = gc_reserve(session->client, what, &tasks, session_until(session));

    *outcome = r == -EAGAIN ? NONE : session_comes_back(session, r) ? CAME_BACK : WORKED;
    if (*outcome == NONE)
        return STATUS_OK;
    if (*outcome == CAME_BACK)
        return come_back(session);
    if (r < 0)
        return session_fail_hint(r, r == -ENOENT ? "`goctl queue ls` lists those there are" : NULL, "work %s",
                                 what->queues);
    if (session_over(session)) /* another daemon's, which gc_reserve has found by itself */
        r = give_back(session, tasks.items);
    else
        r = work_on(session, tasks.items, what->lease_ns, outcome);
    gc_tasks_clear(&tasks);
    return r;
}

static int work(struct session *session)
{
    const struct options *options = session->options;
    struct gc_reserve what = {.size = sizeof what,
                              .queues = options->operands[0],
                              .functions = options->functions,
                              .lease_ns = options->lease_ns > 0 ? options->lease_ns : LEASE_NS};
    enum outcome outcome = WORKED;
    int status = STATUS_OK;

    for (uint64_t n = 0; status == STATUS_OK && outcome != NONE && (!options->count || n < options->count);
         n += outcome == WORKED)
        status = work_once(session, &what, &outcome);
    return status;
}

static bool fits(const struct options *options)
{
    if (options->lease_ns && options->lease_ns < LEASE_LEAST_NS)
        fputs("goctl work: --lease is 100ms or more: in less a command has hardly begun\n", stderr);
    else if (options->permanent > UINT8_MAX)
        fputs("goctl work: --permanent is an exit status, 1 to 255\n", stderr);
    else
        return session_check_options(options, "work") == STATUS_OK;
    return false;
}

int command_work(const struct options *options)
{
    struct session session;

    if (!fits(options))
        return STATUS_USAGE;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, work(&session)) : status;
}
