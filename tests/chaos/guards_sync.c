/* Guards of what is not given back by hand alone: its end is told, or it ends with who runs it. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "goclient_context.h"
#include "goclient_topic.h"
#include "guards.h"
#include "victims.h"

static int give_nothing(gc_client *g, uint64_t token)
{
    return 0;
}

/* ---- a lock to write ---- */

static int take_write(gc_client *g, uint64_t *token)
{
    return gc_rwlock(g, VICTIM_WRITE, token, 0, GC_NOW);
}

static int give_write(gc_client *g, uint64_t token)
{
    return gc_rwunlock(g, VICTIM_WRITE, token, GC_CONSISTENT, GC_FOREVER);
}

/* ---- onces and flights: whoever takes one runs in a thread until it is given back ---- */

static struct {
    gc_client *g;
    pthread_t thread;
    sem_t news, end;
    int r;
    bool runs;
} runner;

static void await(sem_t *sem)
{
    while (sem_wait(sem) < 0)
        ;
}

static int run(void *arg)
{
    runner.runs = true;
    sem_post(&runner.news);
    await(&runner.end);
    return 0;
}

static int run_value(void *arg, struct gc_value *value)
{
    *value = gc_string("flown");
    return run(arg);
}

static void *be_once(void *arg)
{
    runner.r = gc_once(runner.g, VICTIM_ONCE, run, NULL, GC_NOW);
    sem_post(&runner.news);
    return NULL;
}

static void *be_flight(void *arg)
{
    struct gc_value value;

    runner.r =
        gc_flight_do(runner.g, VICTIM_FLIGHT, &(struct gc_flight){run_value, NULL}, &value, NULL, GC_NOW);
    gc_value_clear(&value);
    sem_post(&runner.news);
    return NULL;
}

/* 0: it runs. Else how the call ended. */
static int run_in_thread(gc_client *g, void *(*body)(void *))
{
    runner.g = g;
    runner.runs = false;
    sem_init(&runner.news, 0, 0);
    sem_init(&runner.end, 0, 0);
    if (pthread_create(&runner.thread, NULL, body, NULL))
        return -EAGAIN;
    await(&runner.news);
    if (runner.runs)
        return 0;
    pthread_join(runner.thread, NULL);
    return runner.r < 0 ? runner.r : -EALREADY;
}

static int end_thread(void)
{
    sem_post(&runner.end);
    pthread_join(runner.thread, NULL);
    return runner.r;
}

static int take_once(gc_client *g, uint64_t *token)
{
    return run_in_thread(g, be_once);
}

static int reset_once(gc_client *g)
{
    return gc_sync_reset(g, GC_SYNC_ONCE, VICTIM_ONCE, GC_FOREVER);
}

static int give_once(gc_client *g, uint64_t token)
{
    int r = end_thread();

    return r < 0 ? r : reset_once(g);
}

static int take_flight(gc_client *g, uint64_t *token)
{
    return run_in_thread(g, be_flight);
}

static int give_flight(gc_client *g, uint64_t token)
{
    return end_thread();
}

/* ---- a member of a group ---- */

static int take_slot(gc_client *g, uint64_t *token)
{
    return gc_group_start(g, VICTIM_GROUP, 1, GC_NOW);
}

static int give_slot(gc_client *g, uint64_t token)
{
    return gc_group_end(g, VICTIM_GROUP, 0, GC_FOREVER);
}

/* E1: its death is its error. */
static int mend_group(gc_client *g)
{
    int error = 0, r = gc_group_wait(g, VICTIM_GROUP, &error, GC_NOW);

    if (r != GC_MEMBER_FAILED || error != -EOWNERDEAD)
        return -EPROTO;
    return gc_sync_reset(g, GC_SYNC_ERRGROUP, VICTIM_GROUP, GC_FOREVER);
}

/* ---- a call through a breaker, which lets others in ---- */

static int look_at_breaker(gc_client *g, uint64_t *token)
{
    int r = gc_breaker_enter(g, VICTIM_BREAKER, VICTIM_BREAKING, token, GC_FOREVER);

    return r < 0 ? r : gc_breaker_leave(g, VICTIM_BREAKER, *token, false, GC_FOREVER);
}

static int reset_breaker(gc_client *g)
{
    return gc_sync_reset(g, GC_SYNC_BREAKER, VICTIM_BREAKER, GC_FOREVER);
}

/* ---- units of a wait group; a context ---- */

static int look_for_work(gc_client *g, uint64_t *token)
{
    return gc_wg_wait(g, VICTIM_WORK, 0, NULL, GC_NOW);
}

static int forget_work(gc_client *g)
{
    return gc_sync_reset(g, GC_SYNC_WAITGROUP, VICTIM_WORK, GC_FOREVER);
}

/* One that is over is remembered until somebody drops it. */
static int look_for_context(gc_client *g, uint64_t *token)
{
    gc_ctx *ctx;
    int r = gc_context_open(g, VICTIM_CONTEXT, &ctx, GC_FOREVER);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = gc_ctx_done(ctx) ? gc_context_drop(ctx, GC_FOREVER) : -EAGAIN;
    gc_ctx_free(ctx);
    return r;
}

/* ---- room in all subscriptions ---- */

static int publish_at_once(gc_client *g, uint64_t *token)
{
    return gc_publish(g, VICTIM_TOPIC, gc_string("probe"), NULL, NULL, GC_NOW);
}

const struct guard guards_sync[] = {
    {"write", take_write, give_write, GC_OWNER_DIED, -EAGAIN, NULL},
    {"once", take_once, give_once, -EOWNERDEAD, -EAGAIN, reset_once},
    {"flight", take_flight, give_flight, 0, -EAGAIN, NULL},
    {"slot", take_slot, give_slot, 0, -EAGAIN, mend_group},
    {"call", look_at_breaker, give_nothing, -EBUSY, 0, reset_breaker},
    {"work", look_for_work, give_nothing, -EOWNERDEAD, -EAGAIN, forget_work},
    {"context", look_for_context, give_nothing, 0, -EAGAIN, NULL},
    {"subscription", publish_at_once, give_nothing, 0, -EAGAIN, NULL},
    {0},
};
