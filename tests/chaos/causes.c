/* What victims wait for (guards.h): each is brought by the tester, or found to be waited for by nobody. */
#include <errno.h>
#include <string.h>

#include "goclient_context.h"
#include "goclient_topic.h"
#include "guards.h"
#include "victims.h"

#define HOUR_NS 3600000000000LL

/* ---- a barrier of two ---- */

static int come_last(gc_client *g)
{
    return gc_barrier_wait(g, VICTIM_BARRIER, 2, GC_FOREVER) == GC_BARRIER_LAST ? 0 : -EPROTO;
}

static int nobody_at_barrier(gc_client *g)
{
    return gc_barrier_wait(g, VICTIM_BARRIER, 2, GC_NOW) == -EAGAIN ? 0 : -EPROTO;
}

/* ---- a condition, and the lock that comes with it ---- */

static int signal_one(gc_client *g)
{
    return gc_cond_signal(g, VICTIM_COND, GC_FOREVER) == 1 ? 0 : -EPROTO;
}

static int clear_lock(gc_client *g, bool died_with_it)
{
    uint64_t token;
    int r = gc_lock(g, VICTIM_LOCK, &token, 0, GC_NOW);

    if (r != (died_with_it ? GC_OWNER_DIED : 0))
        return r < 0 ? r : -EPROTO;
    return gc_unlock(g, VICTIM_LOCK, token, GC_CONSISTENT, GC_FOREVER);
}

/* K2: the signal is not kept for the dead. */
static int nobody_to_signal(gc_client *g)
{
    return gc_cond_signal(g, VICTIM_COND, GC_FOREVER) == 0 ? clear_lock(g, false) : -EPROTO;
}

/* ---- a number ---- */

static int count(gc_client *g)
{
    return gc_counter_add(g, VICTIM_COUNTER, 1, NULL, GC_FOREVER);
}

static int clear_counter(gc_client *g, bool died_with_it)
{
    return gc_sync_reset(g, GC_SYNC_COUNTER, VICTIM_COUNTER, GC_FOREVER);
}

/* ---- a round, a group ---- */

static int begin_round(gc_client *g)
{
    return gc_wg_add(g, VICTIM_ROUND, 1, 0, NULL, GC_FOREVER);
}

static int end_round(gc_client *g)
{
    return gc_wg_done(g, VICTIM_ROUND, 1, GC_FOREVER);
}

static int begin_member(gc_client *g)
{
    return gc_group_start(g, VICTIM_MEMBERS, -1, GC_NOW);
}

static int end_member(gc_client *g)
{
    return gc_group_end(g, VICTIM_MEMBERS, 0, GC_FOREVER);
}

/* ---- a token, in an hour or when the limiter begins anew ---- */

static int take_token(gc_client *g)
{
    return gc_limit_take(g, VICTIM_LIMIT, (struct gc_rate){HOUR_NS, 1}, 1, GC_NOW);
}

static int refill(gc_client *g)
{
    return gc_sync_reset(g, GC_SYNC_LIMITER, VICTIM_LIMIT, GC_FOREVER);
}

static int clear_limiter(gc_client *g, bool died_with_it)
{
    return refill(g);
}

/* ---- the end of a context ---- */

static gc_ctx *ended;

static int begin_context(gc_client *g)
{
    struct gc_context_options options = {
        .size = sizeof(options), .name = VICTIM_CANCEL, .flags = GC_CONTEXT_DETACHED};

    return gc_context_derive(g, NULL, &options, &ended, GC_FOREVER);
}

static int end_context(gc_client *g)
{
    return gc_context_cancel(ended, 0, "enough", GC_FOREVER) == 1 ? 0 : -EPROTO;
}

static int clear_context(gc_client *g, bool died_with_it)
{
    int r = gc_context_drop(ended, GC_FOREVER);

    ended = gc_ctx_free(ended);
    return r;
}

/* X6: nothing ends with it any more. */
static int nobody_with_context(gc_client *g)
{
    struct gc_context_info info;
    int r = gc_context_info(ended, &info, GC_FOREVER);

    return r < 0 ? r : info.ops > 1 ? -EPROTO : end_context(g);
}

/* ---- room in a subscription ---- */

static gc_chan full;

static int subscribe_full(gc_client *g)
{
    const struct gc_subscribe_options options = VICTIM_SUBSCRIBED;
    int r = gc_subscribe(g, VICTIM_TOPIC, &options, &full, GC_FOREVER);

    return r < 0 ? r : gc_publish(g, VICTIM_TOPIC, gc_string("filler"), NULL, NULL, GC_FOREVER);
}

static int make_room(gc_client *g)
{
    struct gc_value v;
    int r = gc_recv(g, full, &v, 0, GC_NOW);

    gc_value_clear(&v);
    return r == 1 ? 0 : r < 0 ? r : -EPROTO;
}

/* IP14.7: what the dead wanted to publish does not come. */
static int nobody_publishes(gc_client *g)
{
    struct gc_value v;
    int r = make_room(g);

    return r < 0 ? r : gc_recv(g, full, &v, 0, GC_NOW) == -EAGAIN ? 0 : -EPROTO;
}

static int unsubscribe(gc_client *g, bool died_with_it)
{
    return gc_drop(g, full);
}

static const struct cause causes[] = {
    {"barrier", 0, NULL, come_last, nobody_at_barrier, NULL},
    {"cond", 0, NULL, signal_one, nobody_to_signal, clear_lock},
    {"counter", 0, NULL, count, NULL, clear_counter},
    {"round", 0, begin_round, end_round, NULL, NULL},
    {"members", 0, begin_member, end_member, NULL, NULL},
    {"limit", 0, take_token, refill, NULL, clear_limiter},
    {"publish", 0, subscribe_full, make_room, nobody_publishes, unsubscribe},
    {"context-wait", 3, begin_context, end_context, nobody_with_context, clear_context},
    {"context-receive", 3, begin_context, end_context, nobody_with_context, clear_context},
};

const struct cause *cause_of(const char *act)
{
    for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++)
        if (strcmp(act, causes[i].act) == 0)
            return &causes[i];
    return NULL;
}
