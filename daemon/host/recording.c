/*
 * The runtime records, and here is remembered who began it. A halted recording costs nothing any more and waits for whoever
 * asks for it: profiles are still the runtime's, a trace lies in a file in memory.
 *
 * Invariants, under `lock`: number is 0 while nothing is recorded or kept; file is -1 but for a trace that was halted.
 */
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "goroutine_inspect.h"
#include "message_inspect.h"

enum {
    ANSWER_BYTES_MAX = 16 << 20, /* the daemon keeps dump_bytes_max of it */
    CPU_SAMPLES_PER_S = 100,
    TRACE_EVENTS = 4096, /* some hundred bytes each */
    KINDS = 3,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct recording {
    uint64_t number; /* of the question that began it */
    bool halted;
    int error; /* halted: why nothing is kept */
    int file;
} recordings[KINDS] = {{.file = -1}, {.file = -1}, {.file = -1}};

int answer_file(void)
{
    int fd = memfd_create("answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    if (ftruncate(fd, ANSWER_BYTES_MAX) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) < 0) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

/* ---- each kind: it begins, it ends, and what it has recorded is told ---- */

static int cpu_start(uint64_t value)
{
    if (value > INT16_MAX)
        return -EINVAL;
    return go_cpu_profile_start(value ? (int)value : CPU_SAMPLES_PER_S);
}

static int cpu_end(struct recording *recording)
{
    int64_t lost = go_cpu_profile_stop();

    (void)recording;
    return lost < 0 ? (int)lost : 0;
}

static int cpu_tell(const struct recording *recording, unsigned format, int fd)
{
    (void)recording;
    return go_cpu_profile_write(fd, format == INSPECT_PPROF ? GO_PROFILE_PPROF : GO_PROFILE_FOLDED);
}

static int alloc_start(uint64_t value)
{
    (void)value;
    return go_alloc_profile_start();
}

static int alloc_end(struct recording *recording)
{
    (void)recording;
    go_alloc_profile_stop();
    return 0;
}

static int alloc_tell(const struct recording *recording, unsigned format, int fd)
{
    (void)recording;
    return go_alloc_profile_write(fd, format == INSPECT_PPROF ? GO_PROFILE_PPROF : GO_PROFILE_FOLDED);
}

static int trace_start(uint64_t value)
{
    return go_trace_start(value ? value : TRACE_EVENTS);
}

static int trace_end(struct recording *recording)
{
    int64_t dropped;
    int file = answer_file();

    if (file < 0)
        return file;
    dropped = go_trace_stop(file);
    recording->file = file;
    return dropped < 0 ? (int)dropped : 0;
}

static int trace_tell(const struct recording *recording, unsigned format, int fd)
{
    off_t at = 0, size = lseek(recording->file, 0, SEEK_CUR);

    (void)format;
    while (at < size) {
        ssize_t n = sendfile(fd, recording->file, &at, (size_t)(size - at));

        if (n <= 0)
            return n < 0 ? -errno : -EIO;
    }
    return 0;
}

static const struct kind {
    int (*start)(uint64_t value);
    int (*end)(struct recording *recording);
    int (*tell)(const struct recording *recording, unsigned format, int fd);
} kinds[KINDS] = {
    {cpu_start, cpu_end, cpu_tell},
    {alloc_start, alloc_end, alloc_tell},
    {trace_start, trace_end, trace_tell},
};

/* ---- the calls ---- */

static int kind_of(unsigned what)
{
    return (int)(what - INSPECT_CPU_START) / 2;
}

static void forget(struct recording *recording)
{
    if (recording->file >= 0)
        close(recording->file);
    *recording = (struct recording){.file = -1};
}

/* What was halted makes room for the next. */
int recording_start(unsigned what, uint64_t number, uint64_t value)
{
    struct recording *recording = &recordings[kind_of(what)];
    int r;

    pthread_mutex_lock(&lock);
    r = kinds[kind_of(what)].start(value);
    if (r == 0) {
        forget(recording);
        recording->number = number;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

int recording_stop(unsigned what, unsigned format, int fd)
{
    const struct kind *kind = &kinds[kind_of(what)];
    struct recording *recording = &recordings[kind_of(what)];
    int r;

    pthread_mutex_lock(&lock);
    r = recording->halted ? recording->error : kind->end(recording);
    if (r == 0)
        r = kind->tell(recording, format, fd);
    forget(recording);
    pthread_mutex_unlock(&lock);
    return r;
}

void recording_order(unsigned order, uint64_t number)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < KINDS; i++) {
        struct recording *recording = &recordings[i];

        if (!number || recording->number != number)
            continue;
        if (!recording->halted)
            recording->error = kinds[i].end(recording);
        recording->halted = true;
        if (order == INSPECT_DROP)
            forget(recording);
    }
    pthread_mutex_unlock(&lock);
}
