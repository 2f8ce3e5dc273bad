/*
 * goclient_sync.h: what processes agree with, by name, in the daemon: locks and their relatives. goclient.h includes it.
 *
 * Results, waiting, threads and memory are as goclient.h says. Names have 1 to 255 bytes of [A-Za-z0-9_.:/-]; NULL or "" is
 * refused with -EINVAL.
 *
 * What a session (in a job: the job) holds goes back when it ends, however it ends: the daemon sees the death of a
 * process at once. What was held by who has died is told to whoever comes next, where that matters; nobody is left
 * hanging. What is given back is so also where the caller's scope has ended meanwhile.
 */
#pragma once

#include "goclient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- locks ---- */

/* Positive outcome of gc_lock: the lock is held, and its last owner died holding it. */
enum { GC_OWNER_DIED = 1 };

enum gc_lock_flags { GC_RECOVER = 1 << 0 /* take it even if nobody made it consistent */ };
enum gc_unlock_flags { GC_CONSISTENT = 1 << 0 /* after GC_OWNER_DIED: what it guards is in order again */ };

/* Takes the lock `name`, a mutex of all processes of the daemon, in the order of arrival.
 * *token is its fencing token: larger than every earlier one of this lock, so that what it guards can refuse
 * whoever comes late. Not recursive: taking it twice waits for itself. Any thread of this session (in a job: of
 * the job) may unlock it; the end of the session or job passes it on. 0, or GC_OWNER_DIED: it is held, and what it
 * guards may be half done. -ENOTRECOVERABLE: unlocked after such a death without GC_CONSISTENT, and no GC_RECOVER.
 * -EAGAIN with GC_NOW: somebody holds it. */
GC_API int gc_lock(gc_client *g, const char *name, uint64_t *token, unsigned flags, gc_until until);

/* Gives it back, also where the caller's scope has ended. -EPERM: not locked, or somebody else's. -ESTALE: an old token. */
GC_API int gc_unlock(gc_client *g, const char *name, uint64_t token, unsigned flags, gc_until until);

/* From hand to hand (M3): the holder offers the lock, which stays his until somebody claims it, and tells the token, as a value
 * of a channel for instance. -EPERM, -ESTALE as gc_unlock. */
GC_API int gc_lock_offer(gc_client *g, const char *name, uint64_t token, gc_until until);
/* Another session, or job, has it from then on, with a token of its own, *token. Never waits. 0 or GC_OWNER_DIED as gc_lock: the
 * death that its holder had been told of and not answered for. -EPERM: not offered, or not locked. -ESTALE: another token. */
GC_API int gc_lock_claim(gc_client *g, const char *name, uint64_t offered, uint64_t *token, gc_until until);

/* ---- reader-writer locks ---- */

/* To write, alone: as gc_lock in all, a namespace shared with it. A writer that waits stops new readers; when a writer is
 * done, all readers that wait enter before the next writer. -EEXIST: the name is used otherwise; gc_why says for what. So
 * says every function below. */
GC_API int gc_rwlock(gc_client *g, const char *name, uint64_t *token, unsigned flags, gc_until until);
/* As gc_unlock. */
GC_API int gc_rwunlock(gc_client *g, const char *name, uint64_t token, unsigned flags, gc_until until);

/* To read, with others: counted, so that the session has to give back each. The death of a reader is no news. 0, or
 * GC_OWNER_DIED: a writer died, and nobody has said since that what it guards is consistent. -ENOTRECOVERABLE as gc_lock.
 * -EAGAIN with GC_NOW: somebody writes, or waits to. Reading once more while a writer waits is a deadlock (W2). */
GC_API int gc_rlock(gc_client *g, const char *name, gc_until until);
/* -EPERM: this session does not read it. */
GC_API int gc_runlock(gc_client *g, const char *name, gc_until until);

/* ---- semaphores ---- */

/* Takes `units` of the `size` that the semaphore `name` has, strictly in the order of arrival: neither a small request nor
 * one with GC_NOW passes another that waits (SE2). The size is the same in every call, as long as somebody uses it; -EEXIST:
 * it has another. -E2BIG: more than the size. -EINVAL: no units. -EAGAIN with GC_NOW. The end of the session returns its
 * units. */
GC_API int gc_sem_acquire(gc_client *g, const char *name, uint64_t size, uint64_t units, gc_until until);
/* Gives units back. -EPERM: the session has not so many. */
GC_API int gc_sem_release(gc_client *g, const char *name, uint64_t units, gc_until until);

/* ---- conditions ---- */

/* Gives up the lock `lock`, which *token says is held, waits for a signal of the condition `name`, and takes the lock again:
 * *token is its new token. One step gives it up and waits (K1); that counts as saying GC_CONSISTENT. Where a wait ends by
 * its deadline or cancel the lock is taken again as well, however long that takes, and -ETIMEDOUT or -ECANCELED comes with
 * it held; with GC_NOW nothing happens: -EAGAIN. 0, or GC_OWNER_DIED as gc_lock. -ENOTRECOVERABLE: the lock is not held.
 * -EPERM, -ESTALE: it was not. -EEXIST: others wait with another lock. */
GC_API int gc_cond_wait(gc_client *g, const char *name, const char *lock, uint64_t *token, gc_until until);
/* Wakes who has waited longest; nobody: it is not remembered (K2). How many: 0 or 1. The lock need not be held. */
GC_API int gc_cond_signal(gc_client *g, const char *name, gc_until until);
/* Wakes all that wait already (K3). How many. */
GC_API int gc_cond_broadcast(gc_client *g, const char *name, gc_until until);

/* ---- wait groups ---- */

enum gc_wg_flags {
    GC_DETACHED_UNITS = 1 << 0, /* they belong to nobody, until somebody claims them; they live a day */
};

/* Adds units (1 or more) to the wait group `name`. They belong to this session (in a job: the job): when it ends without
 * gc_wg_done, they are settled as dead. The first unit begins a new round; *round (or NULL) is its number. -ENOBUFS: too
 * many. */
GC_API int gc_wg_add(gc_client *g, const char *name, uint64_t units, unsigned flags, uint64_t *round,
                     gc_until until);
/* Makes detached units this session's, with the work they stand for. Never waits. -EAGAIN: fewer are detached. */
GC_API int gc_wg_claim(gc_client *g, const char *name, uint64_t units, gc_until until);
/* Settles own units, then detached ones. -EINVAL: more than there are at all, nothing changed (A2). -EPERM: the others are
 * another session's. */
GC_API int gc_wg_done(gc_client *g, const char *name, uint64_t units, gc_until until);
/* Waits for the end of a round: no units are left. `round` 0: of the one there is; one that is over is not waited for. 0, or
 * -EOWNERDEAD: all settled, *dead (or NULL) of them because who had them died. */
GC_API int gc_wg_wait(gc_client *g, const char *name, uint64_t round, uint64_t *dead, gc_until until);

/* ---- counters ---- */

/* Adds to the counter `name`, which is 0 where nobody has. *value (or NULL) is the sum. -E2BIG: it would overflow. */
GC_API int gc_counter_add(gc_client *g, const char *name, int64_t delta, int64_t *value, gc_until until);
/* Waits until the counter is `least` or more; *value (or NULL) is what it was then. */
GC_API int gc_counter_wait(gc_client *g, const char *name, int64_t least, int64_t *value, gc_until until);

/* ---- barriers ---- */

/* Positive outcome of gc_barrier_wait. */
enum { GC_BARRIER_LAST = 1 };

/* Waits until so many parties do; all go on in one step. Who dies or gives up meanwhile does not count. 0, or
 * GC_BARRIER_LAST for the one who came last. -EEXIST: others wait for another number. -EINVAL: no parties. */
GC_API int gc_barrier_wait(gc_client *g, const char *name, uint32_t parties, gc_until until);

/* ---- once and flights ---- */

/* Runs fn(arg) unless somebody, anywhere, has: then 0, after that has ended. Else what fn returned: 0, or a negative errno
 * value. When it failed, or was unwound, or its process died, every other call has -EOWNERDEAD, until gc_sync_reset (O2).
 * -EDEADLK: fn calls for itself (O3). `until` does not end fn. */
GC_API int gc_once(gc_client *g, const char *name, int (*fn)(void *arg), void *arg, gc_until until);

/* Makes a value: 0 or a negative errno value. What *value points at stays fn's own, until the call that runs it returns. */
struct gc_flight {
    int (*fn)(void *arg, struct gc_value *value);
    void *arg;
};

/* All calls for one key at a time share one flight: one of them, anywhere, runs the function, and all get its value in *out
 * (gc_value_clear) and its error. *shared (or NULL): there were others. -EOWNERDEAD: who ran it died or was unwound; the
 * key is free again. -EDEADLK: the function calls for itself. -E2BIG: a value of more than the daemon's result_bytes_max.
 * `until` does not end the function. gc_sync_reset forgets a flight: the next call begins a new one. */
GC_API int gc_flight_do(gc_client *g, const char *key, const struct gc_flight *flight, struct gc_value *out,
                        bool *shared, gc_until until);

/* ---- error groups ---- */

/* Positive outcome of gc_group_wait. */
enum { GC_MEMBER_FAILED = 1 };

/* A member of the group `name` starts: waits for a slot while members_max run. Less than 0: no limit; 0: -EAGAIN. The same
 * limit from everybody while members run; -EEXIST: another. The member is this session's (in a job: the job's), whose end
 * is its error, -EOWNERDEAD (E1). */
GC_API int gc_group_start(gc_client *g, const char *name, int64_t members_max, gc_until until);
/* A member of this session has ended: 0, or its error, a negative errno value. -EPERM: none runs. */
GC_API int gc_group_end(gc_client *g, const char *name, int error, gc_until until);
/* Waits until no member runs. 0, or GC_MEMBER_FAILED with the first error in *error (or NULL). The error stays until
 * gc_sync_reset, or until after it was told a member starts. */
GC_API int gc_group_wait(gc_client *g, const char *name, int *error, gc_until until);

/* ---- rates and breakers ---- */

struct gc_rate {
    int64_t period_ns; /* one token each so many nanoseconds */
    uint64_t burst;    /* kept at most */
};

/* Takes tokens (1 or more) of the bucket `name`, in the order of arrival, or waits for them. The same rate from everybody
 * until the bucket is full again; -EEXIST: another. -E2BIG: more than the burst. -EAGAIN with GC_NOW: not so many there. */
GC_API int gc_limit_take(gc_client *g, const char *name, struct gc_rate rate, uint64_t units, gc_until until);

struct gc_breaking {
    uint64_t failures; /* in a row, which open it */
    int64_t open_ns;   /* for so long */
};

/* Before a call that may fail: 0, and *token for gc_breaker_leave; -EBUSY: the breaker is open, do not call. After its time
 * one may try; when nobody does for as long again it is closed. Never waits. -EEXIST: it breaks otherwise. The death of a caller is a failure. */
GC_API int gc_breaker_enter(gc_client *g, const char *name, struct gc_breaking when, uint64_t *token,
                            gc_until until);
/* How the call went; one from before the breaker opened decides nothing. -EPERM: none is under way. -ESTALE: none of that
 * age is. */
GC_API int gc_breaker_leave(gc_client *g, const char *name, uint64_t token, bool failed, gc_until until);

/* ---- all kinds ---- */

enum gc_sync_kind {
    GC_SYNC_WAITGROUP = 4,
    GC_SYNC_COUNTER = 5,
    GC_SYNC_ONCE = 7,
    GC_SYNC_FLIGHT = 9,
    GC_SYNC_ERRGROUP = 10,
    GC_SYNC_LIMITER = 11,
    GC_SYNC_BREAKER = 12,
};

/* Lets an object begin anew: forgets who died in a wait group, the number of a counter, that a once ran, a flight, the error
 * of a group, what a limiter gave, that a breaker is open. What is not there is left so. -EBUSY: a round, once or member is
 * under way. */
GC_API int gc_sync_reset(gc_client *g, enum gc_sync_kind kind, const char *name, gc_until until);

#ifdef __cplusplus
}
#endif
