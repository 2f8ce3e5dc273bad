/*
 * Topics of a goroutined. WHERE is its endpoint; the lane is that of the environment. Nothing is lost: a publish waits for
 * subscriptions that have no room.
 */
#include "ours.h"

#include <stdio.h>

enum { CAPACITY = 16 * VECTOR };

gc_client *g;

void check(int r, const char *what)
{
    if (r < 0)
        errx(1, "%s: %s (%s)", what, gc_strerror(r), gc_why());
}

struct gc_options options_of(const char *where)
{
    return (struct gc_options){
        .size = sizeof(struct gc_options), .endpoint = where, .absent_ms = 60000, .answer_ms = 60000};
}

void connect_ours(const char *where)
{
    struct gc_options options = options_of(where);
    char why[GC_WHY_BYTES];

    if (gc_connect(&options, &g, why) < 0)
        errx(1, "%s", why);
    check(gc_ping(g, GC_FOREVER), "ping");
}

gc_chan subscribe_ours(const char *where, const char *pattern, const struct gc_subscribe_options *options)
{
    gc_chan c;

    connect_ours(where);
    check(gc_subscribe(g, pattern, options, &c, GC_FOREVER), "subscribe");
    return c;
}

void count_all(gc_chan c, size_t number)
{
    struct gc_value values[VECTOR];

    for (;;) {
        int n = gc_recv_many(g, c, values, VECTOR, 0, GC_FOREVER);
        check(n, "receive");
        arrived(number, (uint64_t)n);
        for (int i = 0; i < n; i++)
            gc_value_clear(&values[i]);
    }
}

static void publish(const char *where, size_t number)
{
    struct gc_outgoing messages[VECTOR];
    const char *topic = run_name("live");

    connect_ours(where);
    for (int i = 0; i < VECTOR; i++)
        messages[i] = (struct gc_outgoing){.value = gc_bytes(body, MESSAGE_BYTES)};
    ready();
    for (;;)
        check(gc_publish_many(g, topic, messages, VECTOR, NULL, NULL, GC_FOREVER), "publish");
}

static void subscribe(const char *where, size_t number)
{
    struct gc_subscribe_options options = {
        .size = sizeof options, .capacity = CAPACITY, .slow = GC_SLOW_BLOCKS, .block_ns = 30 * 1000000000LL};
    gc_chan c = subscribe_ours(where, run_name("live"), &options);

    ready();
    count_all(c, number);
}

/* ---- one at a time ---- */

static void hear(const char *where, size_t number)
{
    struct gc_value v = {0};
    gc_chan c = subscribe_ours(where, run_name("tell"), NULL);

    ready();
    while (gc_range(g, c, &v, 0, GC_FOREVER) > 0)
        had(v.data);
}

static void tell(const void *message)
{
    check(gc_publish(g, run_name("tell"), gc_bytes(message, MESSAGE_BYTES), NULL, NULL, GC_FOREVER),
          "publish");
}

static void idle(const char *where, size_t many)
{
    char pattern[64];
    gc_chan c;

    connect_ours(where);
    for (size_t i = 0; i < many; i++) {
        snprintf(pattern, sizeof pattern, "idle.%zu", i);
        check(gc_subscribe(g, pattern, NULL, &c, GC_FOREVER), "subscribe");
    }
}

const struct peer ours = {.name = "ours",
                          .prepare = ours_prepare,
                          .publish = publish,
                          .subscribe = subscribe,
                          .hear = hear,
                          .connect = connect_ours,
                          .tell = tell,
                          .fill = ours_fill,
                          .consume = ours_consume,
                          .replay = ours_replay,
                          .idle = idle};
