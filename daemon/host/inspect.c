/*
 * Answers to questions about this process and its jobs: what the runtime tells goes into a file in memory, and from there to
 * the daemon in pieces.
 *
 * A question has one answer: pieces of which the last says so, or an error. Of the stacks of very many goroutines the beginning is told; anything else that is too large is told not at all.
 */
#include "inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "goroutine_inspect.h"
#include "message_inspect.h"
#include "recording.h"

enum { PIECE_BYTES = 256 << 10, NO_MEMORY_PAUSE_NS = 1000000 };

/* ---- what is told ---- */

static int tell_stacks(const struct question *q, int fd)
{
    return q->group ? go_group_dump(q->group, fd) : go_dump(fd);
}

static enum go_profile_format format_of(const struct question *q)
{
    return q->format == INSPECT_PPROF ? GO_PROFILE_PPROF : GO_PROFILE_FOLDED;
}

static int tell_goroutines(const struct question *q, int fd)
{
    return go_goroutine_profile(q->group, fd, format_of(q));
}

static int64_t memory_max;

void inspect_memory_max(int64_t bytes)
{
    memory_max = bytes;
}

/* What this process has of the memory of the machine; 0: it cannot be told. */
static int64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long long pages = 0;

    if (file && fscanf(file, "%*u %lld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* The names stay. Of a job its goroutines, and otherwise what its host says of all. */
static int tell_stats(const struct question *q, int fd)
{
    struct go_stats stats;
    struct go_memory memory;

    go_stats_read(&stats);
    go_memory_read(&memory);
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {
        {"goroutines", q->group ? go_group_live(q->group) : stats.live},
        {"host.goroutines", stats.live},
        {"host.parked", stats.parked},
        {"host.procs", stats.procs},
        {"host.spawned", (int64_t)stats.spawned},
        {"host.ended", (int64_t)stats.ended},
        {"host.switches", (int64_t)stats.switches},
        {"host.parks", (int64_t)stats.parks},
        {"host.timers_fired", (int64_t)stats.timers_fired},
        {"host.resident", resident_bytes()},
        {"host.memory_max", memory_max},
        {"memory.in_use", memory.in_use},
        {"memory.from_system", memory.from_system},
        {"memory.total", (int64_t)memory.total},
        {"stacks", memory.stacks},
        {"stacks.bytes", memory.stacks_bytes},
        {"stacks.resident", memory.stacks_resident},
        {"allocations", (int64_t)memory.user_allocations},
        {"allocations.freed", (int64_t)memory.user_frees},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (dprintf(fd, "%s %" PRId64 "\n", rows[i].name, rows[i].value) < 0)
            return -ENOMEM;
    return 0;
}

static int tell_procs(const struct question *q, int fd)
{
    if (q->value > INT16_MAX)
        return -EINVAL;
    return dprintf(fd, "%d\n", go_set_procs((int)q->value)) < 0 ? -ENOMEM : 0;
}

static int start_recording(const struct question *q, int fd)
{
    (void)fd;
    return recording_start(q->what, q->number, q->value);
}

static int stop_recording(const struct question *q, int fd)
{
    return recording_stop(q->what, q->format, fd);
}

static int (*const tell[])(const struct question *q, int fd) = {
    [0] = tell_stacks,
    [INSPECT_STACKS] = tell_stacks,
    [INSPECT_GOROUTINES] = tell_goroutines,
    [INSPECT_STATS] = tell_stats,
    [INSPECT_PROCS] = tell_procs,
    [INSPECT_CPU_START] = start_recording,
    [INSPECT_CPU_STOP] = stop_recording,
    [INSPECT_ALLOC_START] = start_recording,
    [INSPECT_ALLOC_STOP] = stop_recording,
    [INSPECT_TRACE_START] = start_recording,
    [INSPECT_TRACE_STOP] = stop_recording,
};

/* ---- answering ---- */

/* Without memory for a piece, or for the word that there is no answer, it is tried again: with a hole the answer would be a
 * wrong one, and without an end somebody waits for it for ever. With any other error there is nobody to be told. */
static bool again(int r)
{
    if (r == -ENOMEM)
        nanosleep(&(struct timespec){.tv_nsec = NO_MEMORY_PAUSE_NS}, NULL);
    return r == -ENOMEM;
}

void question_refuse(const struct question *q, int error, const char *why)
{
    while (again(gc_host_dump_failed(q->client, q->number, error, why)))
        continue;
}

static void fail(const struct question *q, int error)
{
    const char *why = error == -ESRCH   ? "it had not begun"
                      : error == -EBUSY ? "it has begun already"
                                        : strerror(-error);

    question_refuse(q, error == -ESRCH ? -ENOENT : error, why);
}

static void send_piece(const struct question *q, const char *piece, size_t size, bool last)
{
    while (again(gc_host_dumped(q->client, q->number, piece, size, last)))
        continue;
}

static int send_pieces(const struct question *q, int fd, bool cut)
{
    static const char more[] = "\n... and others: there are too many for one dump\n";
    off_t size = lseek(fd, 0, SEEK_CUR), at = 0;
    char *piece = malloc(PIECE_BYTES);

    if (!piece)
        return -ENOMEM;
    while (at < size) {
        ssize_t n = pread(fd, piece, size - at < PIECE_BYTES ? (size_t)(size - at) : PIECE_BYTES, at);

        if (n <= 0)
            break; /* of a file in memory, never */
        at += n;
        send_piece(q, piece, (size_t)n, false);
    }
    free(piece);
    send_piece(q, more, cut ? sizeof more - 1 : 0, true);
    return 0;
}

static int answer_from_file(const struct question *q)
{
    int fd = answer_file(), r;

    if (fd < 0)
        return fd;
    r = tell[q->what](q, fd);
    if (r == 0 || (r == -EPERM && q->what <= INSPECT_STACKS))
        r = send_pieces(q, fd, r < 0);
    close(fd);
    return r == -EPERM ? -ENOBUFS : r;
}

/* ---- threads ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t less;
    int n;     /* that answer */
    bool over; /* no further one begins */
} threads = {.lock = PTHREAD_MUTEX_INITIALIZER, .less = PTHREAD_COND_INITIALIZER};

static bool thread_enter(void)
{
    bool may;

    pthread_mutex_lock(&threads.lock);
    may = !threads.over;
    threads.n += may;
    pthread_mutex_unlock(&threads.lock);
    return may;
}

static void thread_leave(void)
{
    pthread_mutex_lock(&threads.lock);
    threads.n--;
    pthread_cond_signal(&threads.less);
    pthread_mutex_unlock(&threads.lock);
}

void questions_end(void)
{
    pthread_mutex_lock(&threads.lock);
    threads.over = true;
    while (threads.n > 0)
        pthread_cond_wait(&threads.less, &threads.lock);
    pthread_mutex_unlock(&threads.lock);
}

static void *run(void *arg)
{
    struct question *q = arg;
    int r = answer_from_file(q);

    if (r < 0)
        fail(q, r);
    go_group_unref(q->group);
    free(q);
    thread_leave();
    return NULL;
}

/* 0, or a negative errno value: there is no thread. */
static int run_apart(struct question *q)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int r = pthread_attr_init(&attributes);

    if (r)
        return -r;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (!thread_enter())
        r = ESHUTDOWN;
    if (r == 0 && (r = pthread_create(&thread, &attributes, run, q)))
        thread_leave();
    pthread_attr_destroy(&attributes);
    return -r;
}

void question_answer(const struct question *question)
{
    bool known = question->what < sizeof tell / sizeof *tell;
    struct question *q = known ? malloc(sizeof *q) : NULL;
    int r = !known ? -EINVAL : !q ? -ENOMEM : 0;

    if (q) {
        *q = *question;
        r = run_apart(q);
    }
    if (r == 0)
        return;
    fail(question, r);
    go_group_unref(question->group);
    free(q);
}
