/* What message.h says about locks, the other sync objects and contexts: requests, and how their grants come out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

enum lock_flags {
    LOCK_RECOVER = 1 << 0, /* take it even if nobody could make it consistent (IP4) */
    LOCK_CLAIM = 1 << 1,   /* from its owner, who has offered it, by his token (M3); never waits */
};

enum unlock_flags {
    UNLOCK_CONSISTENT = 1 << 0, /* after GRANT_OWNER_DIED: what it guards is in order again */
    UNLOCK_UNSEEN = 1 << 1,     /* the grant was not used: as if it had never been given (IP1.3) */
    UNLOCK_OFFER = 1 << 2,      /* it stays held, and whoever knows the token may claim it (M3) */
};

/* Positive outcome of a grant: it is held, and its last owner died holding it. */
enum { GRANT_OWNER_DIED = 1 };

struct request_lock {
    struct bytes name;
    uint32_t flags; /* enum lock_flags */
    uint64_t token; /* CLAIM: of the owner */
};

struct request_unlock {
    struct bytes name;
    uint64_t token;
    uint32_t flags; /* enum unlock_flags */
};

/* What processes agree on by name: one namespace for all kinds. Never renumber. */
enum sync_kind {
    SYNC_MUTEX = 1, /* LOCK and UNLOCK, none of the verbs below */
    SYNC_RWMUTEX = 2,
    SYNC_SEMAPHORE = 3,
    SYNC_WAITGROUP = 4,
    SYNC_COUNTER = 5,
    SYNC_BARRIER = 6,
    SYNC_ONCE = 7,
    SYNC_COND = 8, /* COND_WAIT and COND_SIGNAL, none of the verbs below */
    SYNC_FLIGHT = 9,
    SYNC_ERRGROUP = 10,
    SYNC_LIMITER = 11,
    SYNC_BREAKER = 12,
    SYNC_KINDS
};

enum take_flags {
    TAKE_READ = 1 << 0,    /* RWMUTEX: together with other readers */
    TAKE_RECOVER = 1 << 1, /* RWMUTEX: as LOCK_RECOVER */
};

struct request_sync_take {
    uint32_t kind; /* enum sync_kind */
    struct bytes name;
    uint64_t units;    /* SEMAPHORE, WAITGROUP, LIMITER */
    uint64_t size;     /* SEMAPHORE: units; ERRGROUP: members, 0: any; LIMITER: burst; BREAKER: failures */
    uint32_t flags;    /* enum take_flags */
    int64_t period_ns; /* LIMITER: of one token; BREAKER: how long it stays open */
};

/* Positive outcomes: run it (ONCE, FLIGHT); the last who came (BARRIER); a member failed (ERRGROUP). */
enum { GRANT_RUN = 2, WAIT_LAST = 1, WAIT_FAILED = 1 };

enum give_flags {
    GIVE_READ = 1 << 0,       /* RWMUTEX: what was taken with TAKE_READ */
    GIVE_CONSISTENT = 1 << 1, /* as UNLOCK_CONSISTENT */
    GIVE_UNSEEN = 1 << 2,     /* as UNLOCK_UNSEEN */
    GIVE_FAILED = 1 << 3,     /* ONCE, FLIGHT: the runner did not come to an end; BREAKER: the call failed */
};

struct request_sync_give {
    uint32_t kind; /* enum sync_kind */
    struct bytes name;
    uint64_t units;     /* SEMAPHORE, WAITGROUP; LIMITER, unseen */
    uint64_t token;     /* RWMUTEX: of a writer; ONCE, FLIGHT, BREAKER */
    uint32_t flags;     /* enum give_flags */
    int32_t error;      /* FLIGHT, ERRGROUP: how it ended, 0 or a negative number */
    struct bytes value; /* FLIGHT */
};

enum add_flags { ADD_DETACHED = 1 << 0 /* WAITGROUP: the units belong to no scope */ };

struct request_sync_add {
    uint32_t kind; /* enum sync_kind */
    struct bytes name;
    int64_t delta;
    uint32_t flags; /* enum add_flags */
};

struct request_sync_wait {
    uint32_t kind; /* enum sync_kind */
    struct bytes name;
    uint64_t round; /* WAITGROUP: or 0, the one there is */
    int64_t value;  /* COUNTER: at least; BARRIER: parties */
};

struct request_sync_reset {
    uint32_t kind; /* enum sync_kind */
    struct bytes name;
};

struct request_cond_wait {
    struct bytes name, lock;
    uint64_t token; /* of the lock */
    uint32_t flags; /* UNLOCK_CONSISTENT */
};

enum signal_flags { SIGNAL_ALL = 1 << 0 /* everybody who waits already */ };

struct request_cond_signal {
    struct bytes name;
    uint32_t flags; /* enum signal_flags */
};

enum ctx_flags {
    CTX_WITHOUT_CANCEL =
        1 << 0,            /* takes only the values of its parent, not its end or deadline; DETACHED (X9) */
    CTX_DETACHED = 1 << 1, /* belongs to no scope: only a cancel or its deadline ends it (X6) */
    CTX_FLAGS_ALL = (1 << 2) - 1,
};

/* Positive outcome of CTX_NEW: it is over already (X3). */
enum { CTX_OVER = 1 };

struct ctx_value {
    struct bytes name, value;
};

struct request_ctx_new {
    struct bytes name;        /* empty: anonymous */
    uint64_t parent;          /* or, when 0, */
    struct bytes parent_name; /* by name; empty: none */
    uint32_t flags;           /* enum ctx_flags */
    uint32_t deadline;        /* enum until_kind: FOREVER, AT or IN */
    int64_t deadline_ns;
    int32_t code;       /* of the cause when the deadline ends it; 0: that of the status */
    struct bytes cause; /* the same in words */
    const struct ctx_value *values;
    size_t values_n;
    struct bytes group; /* an error group whose context it is (E2); empty: none */
};

/* The following name a context by id or, when that is 0, by name. */
struct request_ctx_cancel {
    uint64_t context;
    struct bytes name;
    int32_t code;       /* of the cause; 0: that of the status */
    struct bytes cause; /* in words; empty: those of the code */
};

struct request_ctx_drop {
    uint64_t context;
    struct bytes name;
};

struct request_ctx_info {
    uint64_t context;
    struct bytes name, key; /* key: empty: none */
};

struct request_ctx_watch {
    uint64_t context;
    struct bytes name;
};

struct request_ctx_list {
    struct bytes prefix;
    struct bytes after; /* the last name of the page before */
    uint32_t limit;
};
