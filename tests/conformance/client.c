/*
 * Named channels of a daemon, through libgoclient. An actor is a thread with a client, and so a session, of its
 * own: whatever two actors do to each other they do between sessions. The test's own thread is one more.
 */
#include "conform.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node.h"

enum { ACTORS_MAX = 64, MANY_MAX = 16 };

/* A thread and its client. Idle ones wait for the next spawn. */
struct actor {
    gc_client *client;
    pthread_t thread;
    pthread_cond_t work;
    void (*fn)(void *arg);
    void *arg;
    bool end;
};

/* A name, and each actor's handle of it, opened when first used. */
struct named {
    char name[GC_NAME_BYTES];
    unsigned rights;
    size_t value_bytes;
    bool owner; /* takes the name off when dropped */
    gc_chan handle[ACTORS_MAX];
};

/* A cancellation for all actors: each needs a context of its own client. */
struct stop {
    bool cancelled;
    gc_ctx *ctx[ACTORS_MAX];
};

static struct node *node;
static struct actor actors[ACTORS_MAX];
static int actors_n, idle[ACTORS_MAX], idle_n;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static gc_client *control;
static unsigned names_n;
static __thread int self;

static gc_client *mine(void)
{
    return actors[self].client;
}

static bool start(void)
{
    node = node_start();
    control = node_connect(node);
    actors[0].client = node_connect(node);
    actors_n = 1;
    return true;
}

static void stop_all(void)
{
    for (int i = 1; i < actors_n; i++) {
        pthread_mutex_lock(&lock);
        actors[i].end = true;
        pthread_cond_signal(&actors[i].work);
        pthread_mutex_unlock(&lock);
        pthread_join(actors[i].thread, NULL);
    }
    for (int i = 0; i < actors_n; i++)
        gc_disconnect(actors[i].client);
    gc_disconnect(control);
    node = node_delete(node);
}

/* ---- channels ---- */

static int open_handle(struct named *named, const struct gc_chan_options *options)
{
    return gc_open(mine(), named->name, options, &named->handle[self], GC_FOREVER);
}

static void *make(uint64_t capacity, size_t value_bytes)
{
    struct named *named = calloc(1, sizeof(*named));
    struct gc_chan_options options = {.size = sizeof(options),
                                      .flags = GC_CREATE | GC_EXCLUSIVE,
                                      .capacity = capacity,
                                      .element_bytes = value_bytes};

    assert_non_null(named);
    named->owner = true;
    named->value_bytes = value_bytes;
    snprintf(named->name, sizeof(named->name), "conform.%u", names_n++);
    if (open_handle(named, &options) == 0)
        return named;
    free(named);
    return NULL;
}

static void *another(const struct named *from, unsigned rights)
{
    struct named *named = calloc(1, sizeof(*named));
    struct gc_chan_options options = {.size = sizeof(options), .rights = rights};

    assert_non_null(named);
    memcpy(named->name, from->name, sizeof(named->name));
    named->rights = rights;
    named->value_bytes = from->value_bytes;
    assert_int_equal(open_handle(named, &options), 0);
    return named;
}

static void *dup_chan(void *chan)
{
    return another(chan, 0);
}

static void *narrow(void *chan, enum way way)
{
    return another(chan, way == WAY_SEND ? GC_MAY_SEND : GC_MAY_RECV);
}

static void drop(void *chan)
{
    struct named *named = chan;

    if (named->owner)
        assert_int_equal(gc_unlink(mine(), named->name, GC_FOREVER), 0);
    for (int i = 0; i < ACTORS_MAX; i++)
        if (named->handle[i].id)
            assert_int_equal(gc_drop(actors[i].client, named->handle[i]), 0);
    free(named);
}

/* This actor's handle. Nil for NULL. */
static gc_chan handle_of(void *chan)
{
    struct named *named = chan;
    struct gc_chan_options options = {.size = sizeof(options), .rights = named ? named->rights : 0};

    if (!named)
        return GC_NIL;
    if (!named->handle[self].id)
        assert_int_equal(open_handle(named, &options), 0);
    return named->handle[self];
}

/* ---- operations ---- */

static gc_ctx *context_of(struct stop *stop)
{
    pthread_mutex_lock(&lock);
    if (!stop->ctx[self]) {
        stop->ctx[self] = gc_ctx_new(mine());
        if (stop->cancelled)
            gc_ctx_cancel(stop->ctx[self]);
    }
    gc_ctx *ctx = stop->ctx[self];
    pthread_mutex_unlock(&lock);
    return ctx;
}

static gc_until until_of(struct wait wait)
{
    switch (wait.kind) {
    case WAIT_NOW:
        return GC_NOW;
    case WAIT_PAST:
        return gc_after_ms(0);
    case WAIT_STOP:
        return gc_with(context_of(wait.stop));
    case WAIT_SOON:
        return gc_after_ms(1);
    default:
        return GC_FOREVER;
    }
}

static size_t value_bytes(const struct named *named)
{
    return named ? named->value_bytes : sizeof(uint64_t);
}

static int send(void *chan, const void *value, struct wait wait)
{
    return gc_send(mine(), handle_of(chan), gc_bytes(value, value_bytes(chan)), until_of(wait));
}

/* As a Go receive: the value, or zero when the channel is closed. */
static void take(struct gc_value *from, void *to, int result)
{
    if (result < 0)
        return;
    memset(to, 0, sizeof(uint64_t));
    if (result > 0 && from->size)
        memcpy(to, from->data, from->size);
    gc_value_clear(from);
}

static int recv(void *chan, void *value, struct wait wait)
{
    struct gc_value got = {0};
    int result = gc_recv(mine(), handle_of(chan), &got, 0, until_of(wait));

    take(&got, value, result);
    return result;
}

static int send_many(void *chan, const uint64_t *values, int n, struct wait wait)
{
    struct gc_value bytes[MANY_MAX];

    assert_true(n <= MANY_MAX);
    for (int i = 0; i < n; i++)
        bytes[i] = gc_bytes(&values[i], sizeof values[i]);
    return gc_send_many(mine(), handle_of(chan), bytes, (size_t)n, until_of(wait));
}

static int recv_many(void *chan, uint64_t *values, int n, struct wait wait)
{
    struct gc_value got[MANY_MAX] = {{0}};

    assert_true(n <= MANY_MAX);
    int result = gc_recv_many(mine(), handle_of(chan), got, (size_t)n, 0, until_of(wait));
    for (int i = 0; i < result; i++)
        take(&got[i], &values[i], 1);
    return result;
}

static int close_chan(void *chan)
{
    return gc_close(mine(), handle_of(chan), GC_FOREVER);
}

static struct gc_case case_of(const struct choice *choice, struct gc_value *got)
{
    gc_chan chan = handle_of(choice->chan);

    return choice->way == WAY_SEND ? gc_case_send(chan, gc_bytes(choice->value, value_bytes(choice->chan)))
                                   : gc_case_recv(chan, got);
}

static int select_cases(struct choice *choices, int n, struct wait wait)
{
    struct gc_case *cases = calloc((size_t)n + 1, sizeof(*cases));
    struct gc_value *got = calloc((size_t)n + 1, sizeof(*got));

    assert_true(cases && got);
    for (int i = 0; i < n; i++)
        cases[i] = case_of(&choices[i], &got[i]);
    int index = gc_select(mine(), cases, (size_t)n, 0, until_of(wait));
    if (index >= 0) {
        choices[index].status = cases[index].status;
        if (choices[index].way == WAY_RECV)
            take(&got[index], choices[index].value, cases[index].status);
    }
    free(cases);
    free(got);
    return index;
}

static int64_t len(void *chan)
{
    return gc_len(mine(), handle_of(chan), GC_FOREVER);
}

static int64_t cap(void *chan)
{
    return gc_cap(mine(), handle_of(chan), GC_FOREVER);
}

static int cases_max(void)
{
    return GC_CASES_MAX;
}

/* ---- actors ---- */

static void *actor_main(void *arg)
{
    struct actor *actor = arg;

    self = (int)(actor - actors);
    pthread_mutex_lock(&lock);
    while (!actor->end) {
        if (!actor->fn) {
            pthread_cond_wait(&actor->work, &lock);
            continue;
        }
        pthread_mutex_unlock(&lock);
        actor->fn(actor->arg);
        pthread_mutex_lock(&lock);
        actor->fn = NULL;
        idle[idle_n++] = self;
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static struct actor *hire(void)
{
    struct actor *actor = &actors[actors_n];

    assert_true(actors_n < ACTORS_MAX);
    actor->client = node_connect(node);
    pthread_cond_init(&actor->work, NULL);
    actors_n++;
    return actor;
}

static void spawn(void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    struct actor *actor = idle_n ? &actors[idle[--idle_n]] : hire();
    actor->fn = fn;
    actor->arg = arg;
    if (actor->thread)
        pthread_cond_signal(&actor->work);
    else
        assert_int_equal(pthread_create(&actor->thread, NULL, actor_main, actor), 0);
    pthread_mutex_unlock(&lock);
}

/* Of the whole daemon: nobody else uses it. */
static bool parked(int n)
{
    struct gc_stats stats = {0};

    assert_int_equal(gc_stats(control, "ops.parked", &stats, GC_FOREVER), 1);
    bool so_many = stats.items[0].value == (uint64_t)n;
    gc_stats_clear(&stats);
    return so_many;
}

static void *stop_new(void)
{
    return calloc(1, sizeof(struct stop));
}

static void stop_cancel(void *arg)
{
    struct stop *stop = arg;

    pthread_mutex_lock(&lock);
    stop->cancelled = true;
    for (int i = 0; i < ACTORS_MAX; i++)
        if (stop->ctx[i])
            gc_ctx_cancel(stop->ctx[i]);
    pthread_mutex_unlock(&lock);
}

static void stop_free(void *arg)
{
    struct stop *stop = arg;

    for (int i = 0; i < ACTORS_MAX; i++)
        gc_ctx_free(stop->ctx[i]);
    free(stop);
}

const struct channels channels = {
    .name = "daemon",
    .rounds = 250,
    .start = start,
    .stop = stop_all,
    .make = make,
    .dup = dup_chan,
    .narrow = narrow,
    .drop = drop,
    .send = send,
    .recv = recv,
    .send_many = send_many,
    .recv_many = recv_many,
    .close = close_chan,
    .select = select_cases,
    .len = len,
    .cap = cap,
    .cases_max = cases_max,
    .spawn = spawn,
    .parked = parked,
    .stop_new = stop_new,
    .stop_cancel = stop_cancel,
    .stop_free = stop_free,
};
