/*
 * Named sync objects other than locks in the simulator: what clients do with them is in objects.c, what is judged in
 * judge_objects.c. Of each kind there is one that is used as it should be, and judged, and a second one for everything else.
 */
#pragma once

#include "sim.h"

enum {
    OBJECTS = 2 * SYNC_KINDS, /* by kind; from SYNC_KINDS on the second ones, which are not judged */
    PARTIES = 3,              /* of a barrier */
    MEMBERS = 2,              /* of an error group */
    BURST = 3,                /* of a limiter */
    FAILURES = 2,             /* that open a breaker */
};
#define LIMITER_PERIOD (6 * MS)
#define BREAKER_OPEN   (10 * MS)

/* What a client was told it has of an object, and has not begun to give back. */
struct stake {
    uint64_t session, run; /* its scope */
    uint64_t op;           /* that got it */
    uint64_t order;        /* of the ledger when the client was told */
    uint64_t token, units, size;
    uint64_t round; /* WAITGROUP: that its units belong to */
    uint32_t kind, object;
    bool read, died;
    bool usable; /* the call has returned */
};

/* An operation that the core has taken. */
struct asked {
    uint64_t session, op;
    uint64_t order; /* in which the core took them */
    int64_t taken_ns;
    struct request_sync_take take;
    enum verb verb;
    uint32_t kind, object, flags;
    uint64_t units, round, token;
    int64_t value;
    int32_t error;
    bool told; /* its result has left the core */
    bool good; /* with success */
};

/* What the ledger knows of one object since the daemon's start. */
struct object {
    uint64_t reset_order; /* of the last RESET that was taken */
    int64_t reset_ns;
    uint64_t resets;
    uint64_t token; /* the largest that a client was told */
    bool unsure;    /* memory was short, or a session ended with what it asked: what it did is not known */
    int64_t sum;    /* COUNTER */
    uint64_t failed_waits, waits, rounds, round, round_told;
    uint64_t done_order; /* ONCE: of the end that was told to be one; 0: none */
    bool done_failed;
    uint64_t taken, returned;  /* LIMITER: units told, given back unseen */
    uint64_t woken, came_back; /* COND */
    uint64_t clean_order;      /* ERRGROUP: of the last wait that was told of no error */
};

struct object_ledger {
    uint64_t order;
    int64_t since_ns; /* start of the daemon */
    struct asked *asked;
    size_t asked_n;
    struct stake *stakes;
    size_t stakes_n;
    struct object of[OBJECTS];
    struct breaker_model *breaker;
};

/* The object of this name, or OBJECTS. */
uint32_t object_of_name(struct bytes name);
struct bytes object_name(uint32_t object);
/* Its kind, as its name says. */
uint32_t object_kind(uint32_t object);

/* ---- judge_breaker.c ---- */

void judge_breaker_start(struct sim *sim); /* with each start of the daemon */
void judge_breaker_free(struct sim *sim);
/* The core has taken this operation about the breaker. */
void judge_breaker_came(struct sim *sim, const struct asked *asked, const struct request *request);
/* It has undone what this one got, if that is a call. */
void judge_breaker_undone(struct sim *sim, uint64_t session, uint64_t op);

/* ---- judge_objects.c ---- */

/* The operation that the core took last by this number, or NULL. */
struct asked *asked_of(struct sim *sim, uint64_t session, uint64_t op);

/* A client has what the operation was about; the scope of a stake has ended, so it is void. */
void stake_add(struct task *task, struct stake stake);
/* A usable one of this scope, or NULL; until the next call here. */
struct stake *stake_find(struct sim *sim, uint64_t session, uint64_t run);
void stake_remove(struct sim *sim, struct stake *stake);
struct stake *stake_of_op(struct sim *sim, uint64_t session, uint64_t op);
