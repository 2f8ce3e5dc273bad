/*
 * Named reader-writer locks (W): readers share, a writer excludes all. A writer that waits stops new readers; when a writer
 * is done, every reader that waits enters before the next writer.
 *
 * The death of a writer is told to whoever comes next, writer or reader, until a writer has said that what it guards is
 * consistent again; one that unlocks without saying so leaves it broken, as a lock (lock.c). That of a reader is no news.
 *
 * Invariants: a writer and readers are never in it together; readers wait only while a writer has it or waits; `readers`
 * is the sum of all holds but the writer's.
 */
#include <assert.h>
#include <errno.h>

#include "sync.h"

#define BROKEN "its last writer died, and nobody put right what it guards"

enum wants { WANTS_WRITE, WANTS_READ };

struct rwmutex {
    struct sync base;
    struct hold *writer; /* NULL: nobody writes */
    uint64_t readers;
    bool owner_died;    /* the next grants, or this one, must be told */
    bool broken;        /* unlocked without having been made consistent */
    bool recovers;      /* written, and it was broken before this grant */
    bool readers_first; /* a writer has just left (W3) */
};

static int32_t outcome(const struct rwmutex *rw)
{
    return rw->owner_died ? GRANT_OWNER_DIED : 0;
}

static void grant_read(struct core *core, struct rwmutex *rw, struct op *op, struct hold *hold)
{
    rw->readers++;
    sync_grant(core, hold, op, 1, outcome(rw));
    op->waiters[0].ticket = WANTS_READ;
}

static void grant_write(struct core *core, struct rwmutex *rw, struct op *op, struct hold *hold)
{
    rw->writer = hold;
    rw->recovers = rw->broken;
    rw->owner_died |= rw->broken;
    rw->broken = false;
    sync_grant(core, hold, op, 1, outcome(rw));
    op->waiters[0].ticket = WANTS_WRITE;
}

static int rwmutex_take(struct core *core, struct sync *sync, struct op *op,
                        const struct request_sync_take *what)
{
    struct rwmutex *rw = (struct rwmutex *)sync;
    bool read = what->flags & TAKE_READ, recover = what->flags & TAKE_RECOVER, waits;
    struct hold *hold;
    int r;

    if (read && recover)
        return sync_refuse(core, op, sync, -EINVAL,
                           "who reads puts nothing right: recover goes with a write");
    if (rw->broken && !recover)
        return sync_refuse(core, op, sync, -ENOTRECOVERABLE, BROKEN);
    r = hold_get(core, op->scope, sync, &hold);
    if (r < 0)
        return r;
    waits = rw->writer || (!read && rw->readers) ||
            sync_next(core, sync); /* where one waits, a writer does (W2) */
    if (waits) {
        op->waiters[0].recovers = recover;
        return sync_park(core, op, hold, read ? WANTS_READ : WANTS_WRITE);
    }
    (read ? grant_read : grant_write)(core, rw, op, hold);
    return 0;
}

/* Nobody has touched what it guards: it is as it was before the grant. */
static void take_back(struct rwmutex *rw)
{
    rw->broken = rw->recovers;
    rw->owner_died &= !rw->recovers;
}

static void writer_leaves(struct core *core, struct rwmutex *rw)
{
    struct hold *hold = rw->writer;

    rw->writer = NULL;
    rw->readers_first = true;
    hold->units = 0;
    hold_settle(core, hold);
}

static int check_writer(struct core *core, struct rwmutex *rw, struct op *op, uint64_t token)
{
    if (!rw->writer)
        return sync_refuse(core, op, &rw->base, -EPERM, "unlock with no writer: nobody writes it");
    if (rw->writer->token != token && rw->writer->scope != op->scope)
        return sync_refuse(core, op, &rw->base, -ESTALE, "unlock with token %llu, not that of its writer",
                           (unsigned long long)token);
    if (rw->writer->token != token)
        return sync_refuse(core, op, &rw->base, -ESTALE, "unlock with token %llu: that of its writer is %llu",
                           (unsigned long long)token, (unsigned long long)rw->writer->token);
    if (rw->writer->scope != op->scope)
        return sync_refuse(core, op, &rw->base, -EPERM, "unlock by another session than its writer's");
    return 0;
}

static int unlock(struct core *core, struct rwmutex *rw, struct op *op, const struct request_sync_give *what)
{
    int r = check_writer(core, rw, op, what->token);

    if (r < 0)
        return r;
    if (what->flags & GIVE_UNSEEN) {
        take_back(rw);
    } else {
        rw->broken = rw->owner_died && !(what->flags & GIVE_CONSISTENT);
        rw->owner_died = false;
    }
    writer_leaves(core, rw);
    return 0;
}

static void reader_leaves(struct core *core, struct rwmutex *rw, struct hold *hold)
{
    hold->units--;
    rw->readers--;
    hold_settle(core, hold);
}

static bool reads(const struct rwmutex *rw, const struct hold *hold)
{
    return hold && hold->units && hold != rw->writer;
}

static int rwmutex_give(struct core *core, struct sync *sync, struct op *op,
                        const struct request_sync_give *what)
{
    struct rwmutex *rw = (struct rwmutex *)sync;
    struct hold *hold = hold_find(core, op->scope, sync);

    if (!(what->flags & GIVE_READ))
        return unlock(core, rw, op, what);
    if (!reads(rw, hold))
        return sync_refuse(core, op, sync, -EPERM,
                           "unlock by a session that does not read it; %llu other readers do",
                           (unsigned long long)rw->readers);
    reader_leaves(core, rw, hold);
    return 0;
}

/* IP1.3. */
static void rwmutex_undo(struct core *core, struct sync *sync, struct op *op, uint64_t what)
{
    struct rwmutex *rw = (struct rwmutex *)sync;
    struct hold *hold = hold_find(core, op->scope, sync);

    if (what == WANTS_READ && reads(rw, hold)) {
        reader_leaves(core, rw, hold);
    } else if (what == WANTS_WRITE && rw->writer && rw->writer == hold && hold->token == op->handle) {
        take_back(rw);
        writer_leaves(core, rw);
    }
}

/* ---- who goes on ---- */

/* Those that wait hear one after the other, up to the first that recovers it. */
static void tell_broken(struct core *core, struct rwmutex *rw)
{
    struct waiter *w;

    while (rw->broken && (w = sync_next(core, &rw->base))) {
        if (w->recovers)
            grant_write(core, rw, w->op, hold_find(core, w->op->scope, &rw->base));
        else
            op_finish(core, w->op, -ENOTRECOVERABLE);
    }
}

static struct waiter *next_of(struct core *core, struct rwmutex *rw, enum wants wants)
{
    struct waiter *w, *after;

    list_each_safe (w, after, &rw->base.waiters, link)
        if (w->ticket == wants && sync_waits(core, w))
            return w;
    return NULL;
}

/* Those that came before this writer, or (NULL) all. */
static void admit_readers(struct core *core, struct rwmutex *rw, const struct waiter *writer)
{
    struct waiter *w, *after;

    list_each_safe (w, after, &rw->base.waiters, link) {
        if (w == writer)
            return;
        if (w->ticket == WANTS_READ && sync_waits(core, w))
            grant_read(core, rw, w->op, hold_find(core, w->op->scope, &rw->base));
    }
}

static void rwmutex_look(struct core *core, struct sync *sync)
{
    struct rwmutex *rw = (struct rwmutex *)sync;
    bool readers_first = rw->readers_first;
    struct waiter *w;

    rw->readers_first = false;
    tell_broken(core, rw);
    if (rw->writer || rw->broken)
        return;
    w = next_of(core, rw, WANTS_WRITE);
    admit_readers(core, rw, readers_first ? NULL : w); /* the writer that stopped them may have given up */
    if (w && !rw->readers)
        grant_write(core, rw, w->op, hold_find(core, w->op->scope, sync));
}

/* IP4. */
static void rwmutex_dead(struct core *core, struct sync *sync, struct hold *hold)
{
    struct rwmutex *rw = (struct rwmutex *)sync;

    if (hold != rw->writer) {
        rw->readers -= hold->units;
        return;
    }
    if (hold_seen(core, hold))
        rw->owner_died = true;
    else
        take_back(rw);
    rw->writer = NULL;
    rw->readers_first = true;
}

static bool rwmutex_news(const struct sync *sync)
{
    const struct rwmutex *rw = (const struct rwmutex *)sync;

    return rw->owner_died || rw->broken;
}

static void rwmutex_check(const struct core *core, const struct sync *sync)
{
    const struct rwmutex *rw = (const struct rwmutex *)sync;
    const struct hold *hold;
    const struct waiter *w;
    uint64_t readers = 0;

    list_each (hold, &sync->holds, of_sync)
        readers += hold == rw->writer ? 0 : hold->units;
    assert(readers == rw->readers && "W: as many readers are in it as scopes say");
    assert(!(rw->writer && rw->readers) && (!rw->writer || rw->writer->units == 1) &&
           "W1: a writer excludes all");
    assert(!(rw->writer && rw->broken) && !rw->readers_first && "a broken reader-writer lock is not held");
    w = sync_front(core, sync);
    assert((!w || rw->writer || (rw->readers && w->ticket == WANTS_WRITE)) &&
           "W2, W3: who waits cannot enter");
}

const struct sync_rules sync_rwmutex = {
    .kind = SYNC_RWMUTEX,
    .word = "reader-writer lock",
    .bytes = sizeof(struct rwmutex),
    .take = rwmutex_take,
    .give = rwmutex_give,
    .undo = rwmutex_undo,
    .news = rwmutex_news,
    .look = rwmutex_look,
    .dead = rwmutex_dead,
    .check = rwmutex_check,
};
