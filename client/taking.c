/*
 * What is taken and given back by name: reader-writer locks, semaphores, tokens of limiters, calls through breakers.
 */
#include "taking.h"

int sync_give(gc_client *g, const struct request *request, gc_until until)
{
    struct answer answer;
    int r = call_run(g, request, until, CALL_MASKED, &answer);

    answer_end(&answer);
    return r;
}

int sync_ask(gc_client *g, const struct request *request, uint64_t *handle, gc_until until)
{
    struct answer answer;
    int r = call_run(g, request, until, 0, &answer);

    if (handle)
        *handle = answer.result.handle;
    answer_end(&answer);
    return r;
}

int sync_take(gc_client *g, const struct request *request, uint64_t *token, gc_until until)
{
    uint64_t handle;
    int r = sync_ask(g, request, &handle, until);

    if (r >= 0 && token)
        *token = handle;
    return r;
}

/* ---- reader-writer locks ---- */

GC_API int gc_rwlock(gc_client *g, const char *name, uint64_t *token, unsigned flags, gc_until until)
{
    struct request request = take_of(SYNC_RWMUTEX, name);

    request.sync_take.flags = flags & GC_RECOVER ? TAKE_RECOVER : 0;
    return sync_take(g, &request, token, until);
}

GC_API int gc_rwunlock(gc_client *g, const char *name, uint64_t token, unsigned flags, gc_until until)
{
    struct request request = give_of(SYNC_RWMUTEX, name);

    request.sync_give.token = token;
    request.sync_give.flags = flags & GC_CONSISTENT ? GIVE_CONSISTENT : 0;
    return sync_give(g, &request, until);
}

GC_API int gc_rlock(gc_client *g, const char *name, gc_until until)
{
    struct request request = take_of(SYNC_RWMUTEX, name);

    request.sync_take.flags = TAKE_READ;
    return sync_take(g, &request, NULL, until);
}

GC_API int gc_runlock(gc_client *g, const char *name, gc_until until)
{
    struct request request = give_of(SYNC_RWMUTEX, name);

    request.sync_give.flags = GIVE_READ;
    return sync_give(g, &request, until);
}

/* ---- semaphores ---- */

GC_API int gc_sem_acquire(gc_client *g, const char *name, uint64_t size, uint64_t units, gc_until until)
{
    struct request request = take_of(SYNC_SEMAPHORE, name);

    request.sync_take.size = size;
    request.sync_take.units = units;
    return sync_take(g, &request, NULL, until);
}

GC_API int gc_sem_release(gc_client *g, const char *name, uint64_t units, gc_until until)
{
    struct request request = give_of(SYNC_SEMAPHORE, name);

    request.sync_give.units = units;
    return sync_give(g, &request, until);
}

/* ---- limiters ---- */

GC_API int gc_limit_take(gc_client *g, const char *name, struct gc_rate rate, uint64_t units, gc_until until)
{
    struct request request = take_of(SYNC_LIMITER, name);

    request.sync_take.period_ns = rate.period_ns;
    request.sync_take.size = rate.burst;
    request.sync_take.units = units;
    return sync_take(g, &request, NULL, until);
}

/* ---- circuit breakers ---- */

GC_API int gc_breaker_enter(gc_client *g, const char *name, struct gc_breaking when, uint64_t *token,
                            gc_until until)
{
    struct request request = take_of(SYNC_BREAKER, name);

    request.sync_take.period_ns = when.open_ns;
    request.sync_take.size = when.failures;
    return sync_take(g, &request, token, until);
}

GC_API int gc_breaker_leave(gc_client *g, const char *name, uint64_t token, bool failed, gc_until until)
{
    struct request request = give_of(SYNC_BREAKER, name);

    request.sync_give.token = token;
    request.sync_give.flags = failed ? GIVE_FAILED : 0;
    return sync_give(g, &request, until);
}

/* ---- all kinds ---- */

GC_API int gc_sync_reset(gc_client *g, enum gc_sync_kind kind, const char *name, gc_until until)
{
    const struct request request = {.verb = VERB_SYNC_RESET,
                                    .sync_reset = {.kind = kind, .name = text_bytes(name)}};

    return call_plain(g, &request, until);
}
