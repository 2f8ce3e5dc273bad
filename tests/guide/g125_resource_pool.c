/*
 * G125 Three resources lie in a channel. To receive one is to take it, to send it back is to release it.
 *
 * Pattern: resource pool from a buffered channel.
 */
#include "guide.h"

enum { RESOURCES = 3, WORKERS = 10 };

struct pool {
    go_chan *resources; /* of ints, 1 to RESOURCES: both ends are used by all */
    struct gate gate;
    struct peak in_use;
    atomic_bool used[RESOURCES + 1];
};

struct worker {
    int id;
    struct pool *pool;
};

static int acquire(struct pool *pool)
{
    int resource;

    must(go_chan_recv(pool->resources, &resource, GO_FOREVER) == 1);
    return resource;
}

static void release(struct pool *pool, int resource)
{
    must(go_chan_send(pool->resources, &resource, GO_NOW) == 0); /* there is room: it was taken out */
}

static void work(void *arg)
{
    const struct worker *me = arg;
    struct pool *pool = me->pool;
    int resource = acquire(pool);

    say("acquire: worker %d", me->id);
    peak_enter(&pool->in_use);
    /* "each is used by one at a time" */
    must(!atomic_exchange(&pool->used[resource], true));
    gate_pass(&pool->gate);
    atomic_store(&pool->used[resource], false);
    peak_leave(&pool->in_use);
    say("release: worker %d", me->id);
    release(pool, resource);
}

static void resource_pool(void)
{
    struct pool pool = {.resources = go_chan_new(sizeof(int), RESOURCES)};
    go_waitgroup workers = {0};
    int left[RESOURCES];

    for (int resource = 1; resource <= RESOURCES; resource++)
        release(&pool, resource);
    for (int id = 1; id <= WORKERS; id++)
        must(go_waitgroup_go(&workers, work, &((struct worker){id, &pool}), sizeof(struct worker)) == 0);
    gate_until(&pool.gate, RESOURCES);
    until_parked(WORKERS - RESOURCES, "chan receive");
    gate_open(&pool.gate);
    go_waitgroup_wait(&workers);
    /* "at most 3 are in use" */
    must(atomic_load(&pool.in_use.most) == RESOURCES);
    /* "10 acquire lines and 10 release lines, one of each worker" */
    must(said_in_any_order(
        LINES("acquire: worker 1", "release: worker 1", "acquire: worker 2", "release: worker 2",
              "acquire: worker 3", "release: worker 3", "acquire: worker 4", "release: worker 4",
              "acquire: worker 5", "release: worker 5", "acquire: worker 6", "release: worker 6",
              "acquire: worker 7", "release: worker 7", "acquire: worker 8", "release: worker 8",
              "acquire: worker 9", "release: worker 9", "acquire: worker 10", "release: worker 10")));
    for (int i = 0; i < RESOURCES; i++)
        left[i] = acquire(&pool);
    /* "at the end the pool holds {1, 2, 3}" */
    must(ints_are_set(left, RESOURCES, INTS(1, 2, 3)));
    go_chan_unref(pool.resources);
}

GUIDE_ROW(G125, resource_pool);
