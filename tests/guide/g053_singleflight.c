/*
 * G53 Ten goroutines ask for the same row of a slow database at the same time: it is asked once, and answers all.
 *
 * Pattern: singleflight.
 */
#include "goroutine_sync.h"
#include "guide.h"

enum { CALLERS = 10 };

struct database {
    struct gate gate;
    atomic_int queries;
    int fails; /* 0, or with which error */
};

static int query(void *value, void *arg)
{
    struct database *database = arg;
    int number = atomic_fetch_add(&database->queries, 1) + 1;

    gate_pass(&database->gate);
    *(int *)value = 100 * number;
    return database->fails;
}

struct caller {
    go_singleflight *flights;
    struct database *database;
    int *values;
    atomic_int *n;
};

static void look_up(void *arg)
{
    const struct caller *me = arg;
    int value, shared,
        r = go_singleflight_do(me->flights, go_key_text("row 7"), query, me->database, &value, &shared);

    /* "all 10 have the same value, and are told that it is shared" */
    must(r == me->database->fails && shared == 1);
    me->values[atomic_fetch_add(me->n, 1)] = value;
}

/* How many flights ten callers at once are. */
static int ask_together(go_singleflight *flights, struct database *database, int value)
{
    go_waitgroup callers = {0};
    int values[CALLERS];
    atomic_int n = 0;

    for (int i = 0; i < CALLERS; i++)
        must(go_waitgroup_go(&callers, look_up, &((struct caller){flights, database, values, &n}),
                             sizeof(struct caller)) == 0);
    gate_until(&database->gate, 1);
    until_parked(CALLERS - 1, "singleflight");
    gate_open(&database->gate);
    go_waitgroup_wait(&callers);
    for (int i = 0; i < CALLERS; i++)
        must(values[i] == value);
    return atomic_load(&database->queries);
}

static int query_now(void *value, void *arg)
{
    *(int *)value = *(int *)arg;
    return 0;
}

static void forget(go_singleflight *flights, struct database *slow)
{
    int value, shared, fresh = 7;
    go_receiver old = go_singleflight_chan(flights, go_key_text("row 7"), query, slow, 0);
    struct {
        struct go_flight flight;
        int value;
    } late;

    gate_until(&slow->gate, 1);
    go_singleflight_forget(flights, go_key_text("row 7"));
    /* "after a forget the next call is a flight of its own, while the old one still answers those who wait for it" */
    must(go_singleflight_do(flights, go_key_text("row 7"), query_now, &fresh, &value, &shared) == 0);
    must(value == 7 && !shared);
    gate_open(&slow->gate);
    must(go_receiver_recv(old, &late, GO_FOREVER) == 1);
    must(late.flight.result == 0 && late.value == 100);
    go_receiver_unref(old);
}

static void singleflight(void)
{
    go_singleflight flights = {.value_bytes = sizeof(int)};
    struct database database = {0}, failing = {.fails = -EIO}, slow = {0};
    int value, shared;

    /* "the function has run once" */
    must(ask_together(&flights, &database, 100) == 1);
    /* "the next call, after the end of the first, runs again" */
    must(go_singleflight_do(&flights, go_key_text("row 7"), query, &database, &value, &shared) == 0);
    must(value == 200 && !shared && atomic_load(&database.queries) == 2);
    /* "a failure reaches all" */
    must(ask_together(&flights, &failing, 100) == 1);
    forget(&flights, &slow);
    say("asked %d times for %d callers", 1, CALLERS);
}

GUIDE_ROW(G53, singleflight);
