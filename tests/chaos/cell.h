/*
 * One cell of the table: an operation of client A, at one step, struck by one fault; and a scene, which knows what the
 * operation is, what lets it end, and what must be true afterwards. To add a verb: write its scene, put it into the list
 * of its file, and give it rows in steps.txt; a new file of scenes goes into SCENES and meson.build.
 *
 * A speaks through a proxy, B directly: B looks, is the partner, and is the rival that overtakes. All are threads of one
 * process. Whatever does not hold ends the program, with the name of the cell.
 */
#pragma once

#include <pthread.h>

#include "goclient.h"
#include "proxy.h"

enum { WHO_A, WHO_B, WHO_N };

struct cell {
    const char *name; /* of scene, step and fault, for people */
    const char *plugin;
    gc_client *g[WHO_N];         /* A's is NULL where A is a host */
    const char *endpoint[WHO_N]; /* where each of them connects */
    struct proxy *proxy;         /* of A */
    char object[64];             /* a name that no other cell uses */
    gc_chan chan[WHO_N];         /* the object, as each of them holds it */
    gc_chan other[WHO_N];        /* a second channel */
    int calls;                   /* of the operation: 2 when B is a rival */
    int status[WHO_N];           /* what each call returned */
    uint64_t token[WHO_N];       /* of a lock */
    gc_ctx *ctx[WHO_N];          /* a context */
    gc_ctx *below[WHO_N];        /* children of one */
    uint64_t context[WHO_N];     /* ids of contexts that nobody here holds */
    gc_job job[WHO_N], before;   /* job of the cell; the newest one before it */
    struct gc_op op;
    struct gc_value held;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t news;
    int order[WHO_N], order_n; /* who was granted, or which number was received, one after the other */
};

/* Who A is. */
enum place {
    IN_CLIENT,
    WITH_HOST,   /* a client, and there is a host */
    IN_HOST,     /* a host; its call is what it is made to do */
    IN_NEW_HOST, /* a host that the call brings up */
};

struct scene {
    const char *verb, *name;
    enum verb number;
    void (*prepare)(struct cell *cell);
    int (*call)(struct cell *cell, int who);
    /* By B, in a thread: lets the i-th of the calls end. NULL: it never waits. */
    void (*complete)(struct cell *cell, int i);
    void (*check)(struct cell *cell);
    bool rivals; /* B may ask for the same meanwhile, and both must come out right */
    enum place place;
};

/* One a line: the files scenes_*.c. */
#define SCENES(LIST)                                                                                         \
    LIST(await)                                                                                              \
    LIST(chan)                                                                                               \
    LIST(context)                                                                                            \
    LIST(feed)                                                                                               \
    LIST(host)                                                                                               \
    LIST(inspect)                                                                                            \
    LIST(job)                                                                                                \
    LIST(kept)                                                                                               \
    LIST(lock)                                                                                               \
    LIST(part)                                                                                               \
    LIST(pool)                                                                                               \
    LIST(queue)                                                                                              \
    LIST(schedule)                                                                                           \
    LIST(session)                                                                                            \
    LIST(sync)                                                                                               \
    LIST(take)                                                                                               \
    LIST(topic)                                                                                              \
    LIST(unseen)                                                                                             \
    LIST(work)

#define SCENES_DECLARE(name) extern const struct scene scenes_##name[];
SCENES(SCENES_DECLARE)
#undef SCENES_DECLARE

/* Ends the program with the cell's name and words. */
void cell_fail(const struct cell *cell, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
#define CELL_MUST(cell, what)                                                                                \
    do {                                                                                                     \
        if (!(what))                                                                                         \
            cell_fail(cell, "%s:%d: %s (%s)", __FILE__, __LINE__, #what, gc_why());                          \
    } while (0)

/* Notes the next in `order`, and wakes whoever waits for it. */
void cell_note(struct cell *cell, int number);
/* The i-th of `order`, when it is there. */
int cell_await(struct cell *cell, int i);
