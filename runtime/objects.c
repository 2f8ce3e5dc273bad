/*
 * Invariant: nothing here trusts what it reads. The goroutine may have gone on meanwhile, its object may be
 * freed: the kernel copies, and says so where there is nothing to copy.
 */
#include "objects.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "annotate.h"
#include "chan.h"
#include "symbol.h"
#include "sync.h"
#include "waiting.h"

/* Where that call is forbidden or unknown: the kernel reads what is written to a pipe, and refuses a wrong address. */
static bool peek_by_pipe(void *to, const void *from, size_t n)
{
    int ends[2];
    bool same;

    if (n > PIPE_BUF || pipe2(ends, O_CLOEXEC) < 0)
        return false;
    same = write(ends[1], from, n) == (ssize_t)n && read(ends[0], to, n) == (ssize_t)n;
    close(ends[0]);
    close(ends[1]);
    return same;
}

bool peek(void *to, const void *from, size_t n)
{
    struct iovec here = {.iov_base = to, .iov_len = n};
    struct iovec there = {.iov_base = (void *)(uintptr_t)from, .iov_len = n};

    ssize_t copied = process_vm_readv(getpid(), &here, 1, &there, 1, 0);

    if (copied < 0 && (errno == ENOSYS || errno == EPERM))
        return peek_by_pipe(to, from, n);
    return copied == (ssize_t)n;
}

static void mutex_read(struct go_info *info, const void *object)
{
    struct mutex m;

    if (peek(&m, object, sizeof m))
        info->locker = m.locker;
}

static void waitgroup_read(struct go_info *info, const void *object)
{
    struct waitgroup w;

    if (peek(&w, object, sizeof w))
        info->count = w.n;
}

static void semaphore_read(struct go_info *info, const void *object)
{
    struct semaphore s;

    if (peek(&s, object, sizeof s)) {
        info->count = s.held;
        info->capacity = s.size;
    }
}

/* By the reason of the wait: what the lock that is noted for it belongs to. */
static const struct kind {
    const char *reason, *name;
    size_t lock_place;
    void (*read)(struct go_info *info, const void *object);
} kinds[] = {
    {"mutex", "mutex", offsetof(struct mutex, lock), mutex_read},
    {"wait group", "wait group", offsetof(struct waitgroup, lock), waitgroup_read},
    {"semaphore", "semaphore", offsetof(struct semaphore, lock), semaphore_read},
    {"cond", "cond", offsetof(struct cond, lock), NULL},
    {"once", "once", offsetof(struct once, lock), NULL},
    {"rwmutex lock", "rwmutex", 0, NULL},
    {"rwmutex rlock", "rwmutex", 0, NULL},
};

static void lock_owner_read(struct go_info *info, const char *lock)
{
    info->object = lock;
    info->object_kind = info->reason;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].reason, info->reason) == 0) {
            info->object = lock - kinds[i].lock_place;
            info->object_kind = kinds[i].name;
            if (kinds[i].read)
                kinds[i].read(info, info->object);
        }
}

static void channel_read(struct go_info *info, const void *locks)
{
    struct go_chan *address, c;

    if (!peek(&address, locks, sizeof(struct go_chan *)))
        return;
    info->object = address;
    info->object_kind = "channel";
    if (peek(&c, address, sizeof c)) {
        info->count = (int64_t)atomic_load(&c.count);
        info->capacity = (int64_t)c.capacity;
    }
}

ANNOTATE_UNCHECKED void objects_read(struct go_info *info, const struct g *g)
{
    const void *objects = atomic_load_explicit(&g->objects, memory_order_relaxed);
    int n = atomic_load_explicit(&g->objects_n, memory_order_relaxed);

    info->object_kind = "";
    info->objects = n == WAIT_ON_LOCK ? 1 : n;
    if (n == WAIT_ON_LOCK)
        lock_owner_read(info, objects);
    else if (n == 1)
        channel_read(info, objects);
}

int object_format(const struct go_info *info, char *out, size_t size)
{
    char name[64], named[72] = "", more[64] = "";

    if (size)
        *out = '\0';
    if (info->objects > 1)
        return snprintf(out, size, "waits for %d channels", info->objects);
    if (!info->object)
        return 0;
    if (symbol_variable(info->object, name, sizeof name))
        snprintf(named, sizeof named, " (%s)", name);
    if (strcmp(info->object_kind, "channel") == 0)
        snprintf(more, sizeof more, ", %lld of %lld values", (long long)info->count,
                 (long long)info->capacity);
    else if (strcmp(info->object_kind, "wait group") == 0)
        snprintf(more, sizeof more, ", counter %lld", (long long)info->count);
    else if (strcmp(info->object_kind, "semaphore") == 0)
        snprintf(more, sizeof more, ", %lld of %lld units held", (long long)info->count,
                 (long long)info->capacity);
    else if (strcmp(info->object_kind, "mutex") == 0 && info->locker)
        snprintf(more, sizeof more, ", last locked by goroutine %llu", (unsigned long long)info->locker);
    else if (strcmp(info->object_kind, "mutex") == 0)
        snprintf(more, sizeof more, ", last locked by a thread");
    return snprintf(out, size, "waits for %s %p%s%s", info->object_kind, info->object, named, more);
}
