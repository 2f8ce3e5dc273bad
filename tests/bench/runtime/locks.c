/* Eight goroutines and one lock. */
#include "bench.h"

enum { LOCKERS = 8, WRITE_EVERY = 100 };

struct locker {
    union {
        go_mutex *mutex;
        go_rwmutex *rwmutex;
    } lock;
    uint64_t *value;
    int64_t n;
    go_waitgroup *done;
};

static void lock_and_count(void *arg)
{
    struct locker *l = arg;

    for (int64_t i = 0; i < l->n; i++) {
        go_mutex_lock(l->lock.mutex);
        ++*l->value;
        go_mutex_unlock(l->lock.mutex);
    }
    go_waitgroup_done(l->done);
}

static void mostly_read(void *arg)
{
    struct locker *l = arg;
    uint64_t before = 0;

    for (int64_t i = 1; i <= l->n; i++) {
        if (i % WRITE_EVERY == 0) {
            go_rwmutex_lock(l->lock.rwmutex);
            ++*l->value;
            go_rwmutex_unlock(l->lock.rwmutex);
        } else {
            go_rwmutex_rlock(l->lock.rwmutex);
            if (*l->value < before)
                must(-1, "a value that goes back");
            before = *l->value;
            go_rwmutex_runlock(l->lock.rwmutex);
        }
    }
    go_waitgroup_done(l->done);
}

static void lockers_run(struct run *r, void (*fn)(void *), struct locker l)
{
    go_waitgroup done = {0};

    l.n = r->n / LOCKERS;
    l.done = &done;
    go_waitgroup_add(&done, LOCKERS);
    run_begin(r);
    for (int i = 0; i < LOCKERS; i++)
        must_spawn(fn, &l, sizeof l);
    go_waitgroup_wait(&done);
    run_end(r);
}

uint64_t mutex_8(struct run *r)
{
    go_mutex mutex = {0};
    uint64_t value = 0;

    lockers_run(r, lock_and_count, (struct locker){.lock.mutex = &mutex, .value = &value});
    return value;
}

uint64_t rwmutex_8(struct run *r)
{
    go_rwmutex mutex = {0};
    uint64_t value = 0;

    lockers_run(r, mostly_read, (struct locker){.lock.rwmutex = &mutex, .value = &value});
    return value;
}
