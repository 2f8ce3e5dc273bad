/*
 * Named channels of a daemon, used by processes other than this one. An actor is a thread here and a seat (seat.h) to a
 * participant; neighbours are in different participants, so that whatever two actors do to each other they do between
 * processes. The test's own thread has seat 0.
 *
 * An actor's seat is used by other threads only while that actor does nothing.
 */
#include "conform.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "participants.h"

enum { ACTORS_MAX = 64 };

static_assert((int)SEAT_FOREVER == WAIT_FOREVER && (int)SEAT_NOW == WAIT_NOW && (int)SEAT_PAST == WAIT_PAST &&
                  (int)SEAT_STOP == WAIT_STOP && (int)SEAT_SOON == WAIT_SOON,
              "waits travel as they are");
static_assert((int)SEAT_WAY_SEND == WAY_SEND && (int)SEAT_WAY_RECV == WAY_RECV, "ways travel as they are");

/* A thread and its seat. Idle ones wait for the next spawn. */
struct actor {
    int seat;
    pthread_t thread;
    pthread_cond_t work;
    void (*fn)(void *arg);
    void *arg;
    bool started, end;
};

/* A name, and each actor's handle of it, opened when first used. */
struct named {
    char name[SEAT_NAME_BYTES];
    unsigned rights;
    uint32_t value_bytes;
    bool owner; /* takes the name off when dropped */
    uint64_t handle[ACTORS_MAX];
};

static struct actor actors[ACTORS_MAX];
static int actors_n;
static bool stops[SEAT_STOPS_MAX]; /* in use; the test's own thread alone */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned names_n;
static __thread int self;

static bool start(void)
{
    if (!participants_start(conform_placement))
        return false;
    actors[0].seat = participants_seat(0);
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
        close(actors[i].seat);
    participants_stop();
}

static int64_t ask(int actor, const struct seat_order *order, struct seat_answer *answer)
{
    return seat_ask(actors[actor].seat, order, answer);
}

static int64_t ask_only(int actor, const struct seat_order *order)
{
    struct seat_answer answer;

    return ask(actor, order, &answer);
}

/* ---- channels ---- */

static int open_handle(struct named *named, unsigned flags, uint64_t capacity)
{
    struct seat_answer answer;
    struct seat_order order = {.verb = SEAT_OPEN,
                               .flags = flags,
                               .rights = named->rights,
                               .capacity = capacity,
                               .value_bytes = flags ? named->value_bytes : 0};

    assert_true(named->name[0]);
    memcpy(order.name, named->name, sizeof order.name);
    int64_t r = ask(self, &order, &answer);
    named->handle[self] = answer.handle;
    return (int)r;
}

static void *make(uint64_t capacity, size_t value_bytes)
{
    struct named *named = calloc(1, sizeof *named);

    assert_non_null(named);
    named->owner = true;
    named->value_bytes = (uint32_t)value_bytes;
    snprintf(named->name, sizeof named->name, "conform.%u", names_n++);
    if (open_handle(named, GC_CREATE | GC_EXCLUSIVE, capacity) == 0)
        return named;
    free(named);
    return NULL;
}

static void *another(const struct named *from, unsigned rights)
{
    struct named *named = calloc(1, sizeof *named);

    assert_non_null(named);
    memcpy(named->name, from->name, sizeof named->name);
    named->rights = rights;
    named->value_bytes = from->value_bytes;
    assert_int_equal(open_handle(named, 0, 0), 0);
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

static void unlink_name(const struct named *named)
{
    struct seat_order order = {.verb = SEAT_UNLINK};

    memcpy(order.name, named->name, sizeof order.name);
    assert_int_equal(ask_only(self, &order), 0);
}

static void drop(void *chan)
{
    struct named *named = chan;

    if (named->owner)
        unlink_name(named);
    for (int i = 0; i < actors_n; i++)
        if (named->handle[i])
            assert_int_equal(ask_only(i, &(struct seat_order){.verb = SEAT_DROP, .handle = named->handle[i]}),
                             0);
    free(named);
}

/* This actor's handle. Nil for NULL. */
static uint64_t handle_of(void *chan)
{
    struct named *named = chan;

    if (!named)
        return 0;
    if (!named->handle[self])
        assert_int_equal(open_handle(named, 0, 0), 0);
    return named->handle[self];
}

/* ---- operations ---- */

/* A stop is known by its place, from 1. */
static uint32_t stop_of(const void *stop)
{
    return (uint32_t)((const bool *)stop - stops);
}

/* Of n items; only the head of an order is cleared. */
static struct seat_order *order_new(enum seat_verb verb, void *chan, struct wait wait, int n)
{
    struct seat_order *order = malloc(sizeof *order);

    assert_non_null(order);
    assert_true(n <= SEAT_ITEMS_MAX);
    memset(order, 0, offsetof(struct seat_order, items));
    order->verb = verb;
    order->handle = handle_of(chan);
    order->wait = wait.kind;
    order->stop = wait.kind == WAIT_STOP ? stop_of(wait.stop) : 0;
    order->items_n = (uint32_t)n;
    return order;
}

static int carry_out(struct seat_order *order, struct seat_answer *answer)
{
    int64_t r = ask(self, order, answer);

    free(order);
    return (int)r;
}

static struct seat_item item_of(void *chan, enum way way, const void *value)
{
    const struct named *named = chan;
    uint32_t bytes = named ? named->value_bytes : sizeof(uint64_t);
    struct seat_item item = {.way = way, .bytes = bytes};

    if (way == WAY_SEND)
        memcpy(&item.value, value, bytes);
    return item;
}

static int send_values(enum seat_verb verb, void *chan, const uint64_t *values, int n, struct wait wait)
{
    struct seat_order *order = order_new(verb, chan, wait, n);
    struct seat_answer answer;

    for (int i = 0; i < n; i++)
        order->items[i] = item_of(chan, WAY_SEND, &values[i]);
    return carry_out(order, &answer);
}

static int send(void *chan, const void *value, struct wait wait)
{
    return send_values(SEAT_SEND, chan, value, 1, wait);
}

static int send_many(void *chan, const uint64_t *values, int n, struct wait wait)
{
    return send_values(SEAT_SEND_MANY, chan, values, n, wait);
}

/* As a Go receive: the value, or zero when the channel is closed. */
static int recv(void *chan, void *value, struct wait wait)
{
    struct seat_answer answer;
    int r = carry_out(order_new(SEAT_RECV, chan, wait, 0), &answer);

    if (r >= 0) {
        assert_int_equal(answer.values_n, r);
        memcpy(value, r ? answer.values : &(uint64_t){0}, sizeof(uint64_t));
    }
    return r;
}

static int recv_many(void *chan, uint64_t *values, int n, struct wait wait)
{
    struct seat_order *order = order_new(SEAT_RECV_MANY, chan, wait, n);
    struct seat_answer answer;

    memset(order->items, 0, sizeof(struct seat_item) * (size_t)n);
    int r = carry_out(order, &answer);
    for (int i = 0; i < r; i++)
        values[i] = answer.values[i];
    return r;
}

static int send_chan(void *chan, void *value, struct wait wait)
{
    struct seat_order *order = order_new(SEAT_SEND_CHAN, chan, wait, 1);
    struct seat_answer answer;

    order->items[0] = item_of(chan, WAY_SEND, &(uint64_t){0});
    order->items[0].handle = handle_of(value);
    return carry_out(order, &answer);
}

/* What is received has no name: it is of this actor alone. */
static int recv_chan(void *chan, void **value, struct wait wait)
{
    struct named *named = calloc(1, sizeof *named);
    struct seat_answer answer;

    assert_non_null(named);
    int r = carry_out(order_new(SEAT_RECV_CHAN, chan, wait, 0), &answer);
    named->value_bytes = sizeof(uint64_t);
    named->handle[self] = answer.handle;
    *value = named;
    return r;
}

static int close_chan(void *chan)
{
    struct seat_answer answer;

    return carry_out(order_new(SEAT_CLOSE, chan, FOREVER, 0), &answer);
}

static int select_cases(struct choice *choices, int n, struct wait wait)
{
    struct seat_order *order = order_new(SEAT_SELECT, NULL, wait, n);
    struct seat_answer answer;

    for (int i = 0; i < n; i++) {
        order->items[i] = item_of(choices[i].chan, choices[i].way, choices[i].value);
        order->items[i].handle = handle_of(choices[i].chan);
    }
    int index = carry_out(order, &answer);
    if (index >= 0) {
        choices[index].status = answer.status;
        if (choices[index].way == WAY_RECV)
            *choices[index].value = answer.values_n ? answer.values[0] : 0;
    }
    return index;
}

static int64_t ask_number(enum seat_verb verb, void *chan)
{
    struct seat_answer answer;

    return carry_out(order_new(verb, chan, FOREVER, 0), &answer);
}

static int64_t len(void *chan)
{
    return ask_number(SEAT_LEN, chan);
}

static int64_t cap(void *chan)
{
    return ask_number(SEAT_CAP, chan);
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
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static struct actor *hire(void)
{
    struct actor *actor = &actors[actors_n];

    assert_true(actors_n < ACTORS_MAX);
    actor->seat = participants_seat(actors_n);
    pthread_cond_init(&actor->work, NULL);
    actors_n++;
    return actor;
}

/* The first that is idle, so that the actors of a test are spread over the participants in every run. */
static struct actor *idle_actor(void)
{
    for (int i = 1; i < actors_n; i++)
        if (!actors[i].fn)
            return &actors[i];
    return hire();
}

static void spawn(void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    struct actor *actor = idle_actor();
    actor->fn = fn;
    actor->arg = arg;
    if (actor->started)
        pthread_cond_signal(&actor->work);
    else
        assert_int_equal(pthread_create(&actor->thread, NULL, actor_main, actor), 0);
    actor->started = true;
    pthread_mutex_unlock(&lock);
}

/* Of the whole daemon: nobody else uses it. */
static bool parked(int n)
{
    return participants_parked() == (uint64_t)n;
}

/* ---- stops ---- */

static void tell_all(enum seat_verb verb, const void *stop)
{
    for (int i = 0; i < participants_n(); i++)
        assert_int_equal(control_ask(i, &(struct seat_order){.verb = verb, .stop = stop_of(stop)}), 0);
}

static void *stop_new(void)
{
    int i = 0;

    while (stops[i])
        assert_true(++i < SEAT_STOPS_MAX);
    stops[i] = true;
    tell_all(SEAT_STOP_NEW, &stops[i]);
    return &stops[i];
}

static void stop_cancel(void *stop)
{
    tell_all(SEAT_STOP_CANCEL, stop);
}

static void stop_free(void *stop)
{
    tell_all(SEAT_STOP_FREE, stop);
    *(bool *)stop = false;
}

const struct channels channels = {
    .name = "daemon",
    .rounds = 100,
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
    .send_chan = send_chan,
    .recv_chan = recv_chan,
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
