/*
 * gearmand: background jobs for the whole life, a foreground job for its start. It keeps jobs in memory alone. WHERE: a
 * port of this machine.
 */
#include "durable.h"
#include "gearman_packets.h"

static char names[] = "work\0"; /* function, no unique name */

/* A request with that many bytes behind the names; its size. */
static size_t build(char *packet, enum gearman_kind kind, const void *data, size_t bytes)
{
    size_t n = gearman_header(packet, kind, sizeof names + bytes);

    memcpy(packet + n, names, sizeof names);
    memcpy(packet + n + sizeof names, data, bytes);
    return n + sizeof names + bytes;
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
    gearman_say(GEARMAN_CAN_DO, names, strlen(names));
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

const struct peer gearman = {.name = "gearman",
                             .connect = gearman_connect,
                             .produce = produce,
                             .work = work,
                             .producers = 1,
                             .workers = 2,
                             .answer = answer,
                             .ask = ask};
