/*
 * G49 A pool of buffers for reuse.
 *
 * Pattern: object pool. What is got is the getter's alone until it is put back.
 */
#include "goroutine_sync.h"
#include "guide.h"

enum { GOROUTINES = 8, ROUNDS = 10000, BUFFER_BYTES = 256 };

struct buffer {
    atomic_int holders;
    char bytes[BUFFER_BYTES];
};

struct shared {
    go_pool *pool;
    atomic_int made, dropped;
};

static void *make_buffer(void *arg)
{
    atomic_fetch_add(&((struct shared *)arg)->made, 1);
    return calloc(1, sizeof(struct buffer));
}

static void use_buffers(void *arg)
{
    struct shared *shared = arg;

    for (int i = 0; i < ROUNDS / GOROUTINES; i++) {
        struct buffer *buffer = go_pool_get(shared->pool);

        /* "no buffer is held by two at once" */
        must(atomic_fetch_add(&buffer->holders, 1) == 0);
        memset(buffer->bytes, i, sizeof buffer->bytes);
        if (i % 16 == 0)
            go_yield();
        must(buffer->bytes[BUFFER_BYTES - 1] == (char)i);
        atomic_fetch_sub(&buffer->holders, 1);
        go_pool_put(shared->pool, buffer);
    }
}

static void pool(void)
{
    struct shared shared = {0};
    go_waitgroup all = {0};
    struct buffer *first;

    shared.pool = go_pool_new(make_buffer, free, &shared);
    first = go_pool_get(shared.pool);
    /* "an empty pool calls the constructor" */
    must(atomic_load(&shared.made) == 1);
    go_pool_put(shared.pool, first);
    for (int i = 0; i < GOROUTINES; i++)
        must(go_waitgroup_go(&all, use_buffers, &shared, 0) == 0);
    go_waitgroup_wait(&all);
    say("made %d for %d rounds", atomic_load(&shared.made), ROUNDS);
    /* "far fewer constructions than the 10,000 rounds: at most 8, as nothing is dropped" */
    must(atomic_load(&shared.made) <= GOROUTINES);
    go_pool_unref(shared.pool);
}

GUIDE_ROW(G49, pool);
