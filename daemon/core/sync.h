/*
 * Named sync objects: what all kinds have in common. sync.c holds the frame; each kind is a file with its struct, which
 * begins with a struct sync, and its row of rules. Nobody else includes this.
 *
 * An object is there while somebody has something of it, waits for it, or has something to learn from it. All kinds share
 * one namespace: a name that is used with another kind is refused in words. Whoever waits does so in order of arrival (F1);
 * one whose scope has ended is passed over and swept later (F2), one whose deadline has passed is never granted anything.
 * What a scope has of an object is its hold; the end of the scope takes it away, in that step (IP4).
 *
 * Invariants: a hold has units or waiters; its scope lives, or it has no units; an object is busy only within one of the
 * functions of sync.c, and rests with nobody waiting who could go on, unless one in front of him is over and is yet to be
 * swept.
 */
#pragma once

#include "engine.h"

struct sync_rules;

struct sync {
    struct map_node node; /* of core->syncs, by name */
    const struct sync_rules *rules;
    struct account
        *account; /* pays: of those who keep it whoever has had something of it, or waits, for longest */
    struct list waiters; /* struct waiter, by arrival */
    struct list granted; /* the same, of operations that got something and are not acknowledged (grant.c) */
    struct list holds;   /* struct hold */
    const char *name;    /* behind the struct of the kind */
    uint8_t name_size;
    bool unnamed; /* its name is free for another; only who holds something of it still finds it */
    bool busy;    /* changing: who leaves it meanwhile changes nothing else */
};

/* What one scope has of one object, or waits for. */
struct hold {
    struct map_node node; /* of core->holds, by scope and object */
    struct list of_scope; /* of scope->holds */
    struct list of_sync;  /* of sync->holds */
    struct sync *sync;
    struct scope *scope;
    uint64_t units;   /* that it has */
    uint64_t waiters; /* of its operations */
    uint64_t token;   /* of its last grant */
    uint64_t grant;   /* the operation that got it */
    uint64_t fresh;   /* breaker: units since `since` */
    uint64_t since;   /* the same: its opening before the last grant */
};

/* What makes a kind. A function that is NULL: the kind has no such verb, news, or change. */
struct sync_rules {
    uint32_t kind;    /* enum sync_kind */
    const char *word; /* for people */
    size_t bytes;     /* of its struct */
    bool counted;     /* a give says how many units; of other kinds it is one, whatever `units` says */

    /* A new object, all zero so far. 0 or -ENOMEM. */
    int (*init)(struct core *core, struct sync *sync);
    /* Gives back what init took. */
    void (*fini)(struct core *core, struct sync *sync);

    /* The handlers of the verbs. The object is there, perhaps just made; afterwards `look` is called, and the object goes
     * when nothing keeps it. As every handler they check, reserve, change. */
    int (*take)(struct core *core, struct sync *sync, struct op *op, const struct request_sync_take *what);
    int (*give)(struct core *core, struct sync *sync, struct op *op, const struct request_sync_give *what);
    /* Undoes what the operation got, and nobody has had (IP1.3), as far as its scope has that still: `what` as grant_note was
     * told. NULL: nothing of it is taken. `look` is called behind this. */
    void (*undo)(struct core *core, struct sync *sync, struct op *op, uint64_t what);
    int (*add)(struct core *core, struct sync *sync, struct op *op, const struct request_sync_add *what);
    int (*wait)(struct core *core, struct sync *sync, struct op *op, const struct request_sync_wait *what);
    int (*reset)(struct core *core, struct sync *sync, struct op *op);

    /* Who keeps it beside holds and waiters; NULL: nobody. */
    struct account *(*keeper)(const struct sync *sync);
    /* Whether there is something to learn from it although nobody has it or waits. */
    bool (*news)(const struct sync *sync);
    /* Something has changed: lets those that wait go on, as far as they can. */
    void (*look)(struct core *core, struct sync *sync);
    /* A waiter has left without having got what it waited for. */
    void (*left)(struct core *core, struct sync *sync, const struct waiter *w);
    /* The scope of the hold has ended; its units are taken away behind this. */
    void (*dead)(struct core *core, struct sync *sync, struct hold *hold);
    /* The invariants of the kind. */
    void (*check)(const struct core *core, const struct sync *sync);
};

/* The row of each kind, at the end of its file. */
extern const struct sync_rules sync_mutex, sync_rwmutex, sync_semaphore, sync_waitgroup, sync_counter,
    sync_barrier, sync_once, sync_cond, sync_flight, sync_errgroup, sync_limiter, sync_breaker;

/* ---- objects ---- */

/* The object of this name. Not there: it is made when `make`, else NULL. 0; -EINVAL, -E2BIG: no object may have such a name; -EEXIST: it is of
 * another kind, and `op` has been told so; -ENOMEM, -ENOBUFS. */
int sync_open(struct core *core, struct op *op, const struct sync_rules *rules, struct bytes name, bool make,
              struct sync **out);
/* Frees it when nothing keeps it, and has whoever keeps it pay. Not while busy. */
void sync_settle(struct core *core, struct sync *sync);
/* The change that made it busy is over: those that can go on do so, and the object goes when nothing keeps it. */
void sync_done(struct core *core, struct sync *sync);
/* Its name begins anew: from now on only give finds it, by a token of its. */
void sync_unname(struct sync *sync);
/* Refuses the operation in words: the kind and the name, then the text. Gives `error`. */
int sync_refuse(struct core *core, struct op *op, const struct sync *sync, int error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Larger than every one before, also over restarts. */
uint64_t sync_token(struct core *core);

/* ---- holds ---- */

/* NULL: the scope has nothing of it. */
struct hold *hold_find(const struct core *core, const struct scope *scope, const struct sync *sync);
/* Finds or makes it. 0, -ENOMEM, -ENOBUFS. What is not used at once goes by hold_settle. */
int hold_get(struct core *core, struct scope *scope, struct sync *sync, struct hold **out);
/* Frees it when it has nothing and waits for nothing. */
void hold_settle(struct core *core, struct hold *hold);
/* Its client may have seen the grant: the result was given to a connection, or acknowledged. */
bool hold_seen(const struct core *core, const struct hold *hold);

/* ---- waiting ---- */

/* Parks the operation behind all others; `wants` is for the kind. 0, -EAGAIN, -ENOBUFS: then the hold is settled. */
int sync_park(struct core *core, struct op *op, struct hold *hold, uint64_t wants);
/* Whoever waits longest. Those before that are late hear of it. NULL: nobody. */
struct waiter *sync_next(struct core *core, struct sync *sync);
/* Whether this waiter still counts; if it is late it hears of it. */
bool sync_waits(struct core *core, struct waiter *w);
/* The same for invariants: changes nothing. */
const struct waiter *sync_waiting(const struct core *core, const struct sync *sync);
/* Whoever stands in front, for invariants. NULL: nobody, or one that is over and has not left yet: only when it does are
 * those behind it looked at. */
const struct waiter *sync_front(const struct core *core, const struct sync *sync);
/* The operation has so many more units, and its result: `status`, with a token of its own. Undone, it gives back so many. */
void sync_grant(struct core *core, struct hold *hold, struct op *op, uint64_t units, int32_t status);

/* ---- grant.c: what was granted, until it is acknowledged ---- */

/* The operation, which has its result, got this of the object; `what` is for the kind. */
void grant_note(struct sync *sync, struct op *op, uint64_t what);
/* The object goes: nothing that it granted can be undone any more. */
void grants_of_gone(struct sync *sync);
