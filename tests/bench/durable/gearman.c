/*
 * gearmand, as Debian starts it, which keeps jobs in memory alone: background jobs for the whole life, a foreground job for
 * its start. And with its queue of SQLite, which keeps background jobs only, each under a unique name. WHERE: a port of this
 * machine.
 */
#include "durable.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "gearman_packets.h"

enum {
    FUNCTION_BYTES = 5,
    UNIQUE_BYTES = 16,
    UNNAMED = FUNCTION_BYTES + 1,
    NAMED = FUNCTION_BYTES + UNIQUE_BYTES + 1
};

static char names[NAMED] = "work"; /* function, unique name */
static size_t names_bytes = UNNAMED;
static int begun_pipe[2]; /* the times at which background jobs began */

/* A unique name that this server never heard. */
static void name_next(void)
{
    static uint64_t last;

    if (!last)
        last = (uint64_t)clock_ns() ^ (uint64_t)getpid() << 48;
    snprintf(names + FUNCTION_BYTES, UNIQUE_BYTES + 1, "%016" PRIx64, last++);
}

/* A request with that many bytes behind the names; its size. */
static size_t build(char *packet, enum gearman_kind kind, const void *data, size_t bytes)
{
    size_t n = gearman_header(packet, kind, names_bytes + bytes);

    if (names_bytes == NAMED)
        name_next();
    memcpy(packet + n, names, names_bytes);
    memcpy(packet + n + names_bytes, data, bytes);
    return n + names_bytes + bytes;
}

static void produce(const char *where, size_t number)
{
    char packets[WINDOW * 128];
    size_t n = 0;

    for (int i = 0; i < WINDOW; i++)
        n += build(packets + n, GEARMAN_SUBMIT_BACKGROUND, argument, ARGUMENT_BYTES);
    gearman_connect(where);
    ready();
    for (;;) {
        const char *data;
        size_t size;
        keep_pace(WINDOW);
        gearman_write(packets, n);
        for (int i = 0; i < WINDOW; i++)
            gearman_hear(&data, &size);
    }
}

/* The result of a job, and the request for the next, in one write. `data`: the packet that has assigned it. */
static void complete(const char *data, const void *result, size_t bytes)
{
    char packets[256];
    size_t handle = strlen(data) + 1;
    size_t n = gearman_header(packets, GEARMAN_COMPLETE, handle + bytes);

    if (n + handle + bytes + sizeof(struct gearman_header) > sizeof packets)
        errx(1, "gearmand: a job with a long name");
    memcpy(packets + n, data, handle);
    memcpy(packets + n + handle, result, bytes);
    n += handle + bytes;
    n += gearman_header(packets + n, GEARMAN_GRAB, 0);
    gearman_write(packets, n);
}

static void enter(const char *where)
{
    gearman_connect(where);
    gearman_say(GEARMAN_CAN_DO, names, FUNCTION_BYTES - 1);
    gearman_say(GEARMAN_GRAB, "", 0);
    ready();
}

static void work(const char *where, size_t number)
{
    size_t bytes;

    enter(where);
    for (;;) {
        complete(gearman_take(&bytes), "", 0);
        count(&tally->ended, 1);
    }
}

static void answer(const char *where, size_t number)
{
    size_t bytes;

    enter(where);
    for (;;) {
        const char *data = gearman_take(&bytes);
        int64_t begun = clock_ns();
        complete(data, &begun, sizeof begun);
    }
}

static int64_t ask(void)
{
    char packet[128];
    int64_t asked = clock_ns(), begun;
    const char *data;
    size_t size;

    gearman_write(packet, build(packet, GEARMAN_SUBMIT, argument, ARGUMENT_BYTES));
    while (gearman_hear(&data, &size) != GEARMAN_COMPLETE)
        ;
    if (size < sizeof begun)
        errx(1, "gearmand: a result without a time");
    memcpy(&begun, data + size - sizeof begun, sizeof begun);
    return begun - asked;
}

/* ---- with its queue of SQLite ---- */

static void prepare_kept(const char *where)
{
    names_bytes = NAMED;
    if (pipe(begun_pipe))
        err(1, "gearmand: times of jobs");
}

static void answer_kept(const char *where, size_t number)
{
    size_t bytes;

    enter(where);
    for (;;) {
        const char *data = gearman_take(&bytes);
        int64_t begun = clock_ns();
        complete(data, "", 0);
        if (write(begun_pipe[1], &begun, sizeof begun) != sizeof begun)
            err(1, "gearmand: the time of a job");
    }
}

static void put_kept(void)
{
    char packet[128];
    const char *data;
    size_t size;

    gearman_write(packet, build(packet, GEARMAN_SUBMIT_BACKGROUND, argument, ARGUMENT_BYTES));
    gearman_hear(&data, &size);
}

/* One after the other: all requests of a connection are done before those of another, two commits each, and a window of them
 * keeps the workers waiting. */
static void produce_kept(const char *where, size_t number)
{
    gearman_connect(where);
    ready();
    for (;;) {
        keep_pace(1);
        put_kept();
    }
}

static int64_t ask_kept(void)
{
    int64_t asked = clock_ns(), begun;

    put_kept();
    if (read(begun_pipe[0], &begun, sizeof begun) != sizeof begun)
        err(1, "gearmand: the time of a job");
    return begun - asked;
}

const struct peer gearman = {.name = "gearman",
                             .connect = gearman_connect,
                             .produce = produce,
                             .work = work,
                             .producers = 1,
                             .workers = 2,
                             .answer = answer,
                             .ask = ask};

const struct peer gearman_kept = {.name = "gearman-kept",
                                  .prepare = prepare_kept,
                                  .connect = gearman_connect,
                                  .produce = produce_kept,
                                  .work = work,
                                  .producers = 2,
                                  .workers = 2,
                                  .answer = answer_kept,
                                  .ask = ask_kept};
