/*
 * A durable topic of a goroutined. Who fills it is one process in which a few goroutines publish vectors of messages, the next
 * one each when the last one is on disk.
 */
#include "ours.h"

#include <stdio.h>

#include "goclient_go.h"

enum { PUBLISHERS = 4 };

static const char *endpoint;
static int64_t left; /* messages to be published */
static uint64_t sent, running;

void ours_prepare(const char *where)
{
    connect_ours(where);
    check(gc_topic_set(g, "bench", "durable=yes", GC_FOREVER), "set the topic");
    gc_disconnect(g);
}

/* The next so many that are to be published. */
static size_t take_some(void)
{
    int64_t before = __atomic_fetch_sub(&left, VECTOR, __ATOMIC_RELAXED);

    return before <= 0 ? 0 : before < VECTOR ? (size_t)before : VECTOR;
}

static void publish_all(void *arg)
{
    struct gc_outgoing *messages = calloc(VECTOR, sizeof *messages);
    size_t n;

    if (!messages)
        errx(1, "no memory");
    for (int i = 0; i < VECTOR; i++)
        messages[i] = (struct gc_outgoing){.value = gc_bytes(body, MESSAGE_BYTES)};
    while ((n = take_some())) {
        while (far_ahead(__atomic_load_n(&sent, __ATOMIC_RELAXED)))
            go_sleep(go_after_ms(1));
        __atomic_fetch_add(&sent, n, __ATOMIC_RELAXED);
        check(gc_publish_many(g, "bench", messages, n, NULL, NULL, GC_FOREVER), "publish");
        __atomic_fetch_add(&tally->accepted, n, __ATOMIC_RELAXED);
    }
    free(messages);
    __atomic_fetch_sub(&running, 1, __ATOMIC_RELAXED);
}

static int run_publishers(void *arg)
{
    struct gc_options options = options_of(endpoint);
    char why[GC_WHY_BYTES];

    if (gc_go_connect(&options, &g, why) < 0)
        errx(1, "%s", why);
    ready();
    running = PUBLISHERS;
    for (int i = 0; i < PUBLISHERS; i++)
        check(go_spawn(publish_all, NULL, 0), "a goroutine");
    while (counted(&running))
        go_sleep(go_after_ms(1));
    gc_disconnect(g);
    return 0;
}

void ours_fill(const char *where, size_t most)
{
    endpoint = where;
    left = most ? (int64_t)most : INT64_MAX;
    check(go_main(run_publishers, NULL), "the runtime");
}

/* Each message is acknowledged when the next one is asked for. */
void ours_consume(const char *where, size_t number)
{
    char settings[32];

    snprintf(settings, sizeof settings, "window=%d", PENDING_MAX);
    struct gc_subscribe_options options = {.size = sizeof options,
                                           .capacity = PENDING_MAX,
                                           .from = from_start ? GC_FROM_START : GC_FROM_NEW,
                                           .group = run_name("group"),
                                           .settings = settings};
    struct gc_value v = {0};
    gc_window *window;
    int r;

    gc_chan c = subscribe_ours(where, "bench", &options);
    check(gc_window_open(g, c, VECTOR, &window, GC_FOREVER), "window");
    ready();
    while ((r = gc_window_range(window, &v, 0, GC_FOREVER)) > 0)
        arrived(number, 1);
    check(r, "receive");
}

void ours_replay(const char *where, size_t number)
{
    struct gc_subscribe_options options = {.size = sizeof options, .capacity = VECTOR, .from = GC_FROM_START};

    gc_chan c = subscribe_ours(where, "bench", &options);
    ready();
    count_all(c, number);
}
