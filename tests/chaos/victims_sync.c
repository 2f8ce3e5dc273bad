/*
 * What one may die of at contexts and named sync objects: holding something of each kind, or waiting for it.
 */
#include <errno.h>
#include <string.h>

#include "goclient_context.h"
#include "goclient_topic.h"
#include "victims.h"

#define HOUR_NS 3600000000000LL

static int ping(struct victim *victim)
{
    return gc_ping(victim->g, GC_FOREVER);
}

static int nothing(struct victim *victim)
{
    return 0;
}

/* ---- held ---- */

static int take_write(struct victim *victim)
{
    return gc_rwlock(victim->g, VICTIM_WRITE, &victim->token, 0, GC_FOREVER);
}

static int give_write(struct victim *victim)
{
    return gc_rwunlock(victim->g, VICTIM_WRITE, victim->token, 0, GC_FOREVER);
}

static int stay(void *arg)
{
    struct victim *victim = arg;

    victim->stay(victim);
    return 0;
}

static int run_once(struct victim *victim)
{
    return gc_once(victim->g, VICTIM_ONCE, stay, victim, GC_FOREVER);
}

static int stay_in_flight(void *arg, struct gc_value *value)
{
    *value = gc_string("flown");
    return stay(arg);
}

static int fly(struct victim *victim)
{
    struct gc_flight flight = {stay_in_flight, victim};
    struct gc_value value;
    int r = gc_flight_do(victim->g, VICTIM_FLIGHT, &flight, &value, NULL, GC_FOREVER);

    gc_value_clear(&value);
    return r;
}

static int start_member(struct victim *victim)
{
    return gc_group_start(victim->g, VICTIM_GROUP, 1, GC_FOREVER);
}

static int end_member(struct victim *victim)
{
    return gc_group_end(victim->g, VICTIM_GROUP, 0, GC_FOREVER);
}

static int enter(struct victim *victim)
{
    return gc_breaker_enter(victim->g, VICTIM_BREAKER, VICTIM_BREAKING, &victim->token, GC_FOREVER);
}

static int leave(struct victim *victim)
{
    return gc_breaker_leave(victim->g, VICTIM_BREAKER, victim->token, false, GC_FOREVER);
}

static int add_work(struct victim *victim)
{
    return gc_wg_add(victim->g, VICTIM_WORK, 1, 0, NULL, GC_FOREVER);
}

static int work_done(struct victim *victim)
{
    return gc_wg_done(victim->g, VICTIM_WORK, 1, GC_FOREVER);
}

static int make_context(struct victim *victim)
{
    struct gc_context_options options = {.size = sizeof(options), .name = VICTIM_CONTEXT};

    return gc_context_derive(victim->g, NULL, &options, &victim->ctx, GC_FOREVER);
}

static int drop_context(struct victim *victim)
{
    int r = gc_context_drop(victim->ctx, GC_FOREVER);

    victim->ctx = gc_ctx_free(victim->ctx);
    return r;
}

/* ---- waited for ---- */

static int wait_barrier(struct victim *victim)
{
    int r = gc_barrier_wait(victim->g, VICTIM_BARRIER, 2, GC_FOREVER);

    return r < 0 ? r : 0;
}

static int wait_cond(struct victim *victim)
{
    int r = gc_lock(victim->g, VICTIM_LOCK, &victim->token, 0, GC_FOREVER);

    return r < 0 ? r : gc_cond_wait(victim->g, VICTIM_COND, VICTIM_LOCK, &victim->token, GC_FOREVER);
}

static int give_lock(struct victim *victim)
{
    return gc_unlock(victim->g, VICTIM_LOCK, victim->token, 0, GC_FOREVER);
}

static int wait_counter(struct victim *victim)
{
    return gc_counter_wait(victim->g, VICTIM_COUNTER, 1, NULL, GC_FOREVER);
}

static int wait_round(struct victim *victim)
{
    return gc_wg_wait(victim->g, VICTIM_ROUND, 0, NULL, GC_FOREVER);
}

static int wait_members(struct victim *victim)
{
    return gc_group_wait(victim->g, VICTIM_MEMBERS, NULL, GC_FOREVER);
}

static int take_token(struct victim *victim)
{
    return gc_limit_take(victim->g, VICTIM_LIMIT, (struct gc_rate){HOUR_NS, 1}, 1, GC_FOREVER);
}

static int open_context(struct victim *victim)
{
    return gc_context_open(victim->g, VICTIM_CANCEL, &victim->ctx, GC_FOREVER);
}

static int wait_context(struct victim *victim)
{
    int r = open_context(victim);

    return r < 0 ? r : gc_context_wait(victim->ctx, GC_FOREVER);
}

/* The context ends a wait for a value that never comes. */
static int receive_with(struct victim *victim)
{
    int r = open_context(victim);

    if (r == 0)
        r = gc_recv(victim->g, victim->other, &victim->value, 0, gc_with(victim->ctx));
    return r == -ECANCELED ? 0 : r;
}

static int forget_context(struct victim *victim)
{
    victim->ctx = gc_ctx_free(victim->ctx);
    return 0;
}

/* ---- a subscription that is full, and a publish that waits for one ---- */

static int subscribe_full(struct victim *victim)
{
    const struct gc_subscribe_options options = VICTIM_SUBSCRIBED;
    int r = gc_subscribe(victim->g, VICTIM_TOPIC, &options, &victim->other, GC_FOREVER);

    return r < 0 ? r : gc_publish(victim->g, VICTIM_TOPIC, gc_string("filler"), NULL, NULL, GC_FOREVER);
}

/* A drop alone never waits, and so is told nothing. */
static int unsubscribe(struct victim *victim)
{
    struct gc_chan_info info;
    int r = gc_chan_info(victim->g, victim->other, &info, GC_FOREVER);

    return r < 0 ? r : gc_drop(victim->g, victim->other);
}

static int publish_more(struct victim *victim)
{
    return gc_publish(victim->g, VICTIM_TOPIC, gc_string("more"), NULL, NULL, GC_FOREVER);
}

#define HELD    0, false, false
#define AWAITED 1, false, false

const struct act acts_sync[] = {
    {"write", HELD, take_write, ping, give_write, PARKS_IF_TAKEN, false, -EPERM},
    {"once", HELD, run_once, ping, nothing, PARKS_IF_TAKEN, true, -EPERM},
    {"flight", HELD, fly, ping, nothing, PARKS_IF_TAKEN, true, -EPERM},
    {"slot", HELD, start_member, ping, end_member, PARKS_IF_TAKEN, false, -EPERM},
    {"call", HELD, enter, ping, leave, PARKS_NEVER, false, -EPERM},
    {"work", HELD, add_work, ping, work_done, PARKS_NEVER, false, -EINVAL},
    {"context", HELD, make_context, ping, drop_context, PARKS_NEVER, false, -ENETRESET},
    {"subscription", HELD, subscribe_full, ping, unsubscribe, PARKS_NEVER, false, -ENETRESET},
    {"publish", AWAITED, publish_more, ping, nothing, PARKS_ALWAYS, false, 0},
    {"barrier", AWAITED, wait_barrier, ping, nothing, PARKS_ALWAYS, false, 0},
    {"cond", AWAITED, wait_cond, ping, give_lock, PARKS_ALWAYS, false, -EPERM},
    {"counter", AWAITED, wait_counter, ping, nothing, PARKS_ALWAYS, false, 0},
    {"round", AWAITED, wait_round, ping, nothing, PARKS_ALWAYS, false, 0},
    {"members", AWAITED, wait_members, ping, nothing, PARKS_ALWAYS, false, 0},
    {"limit", AWAITED, take_token, ping, nothing, PARKS_ALWAYS, false, 0},
    {"context-wait", AWAITED, wait_context, ping, forget_context, PARKS_ALWAYS, false, 0},
    {"context-receive", AWAITED, receive_with, ping, forget_context, PARKS_ALWAYS, false, 0},
    {0},
};
