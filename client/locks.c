/*
 * Locks by name, and the conditions bound to them. The end of a scope leaves an unlock alone: who unwinds could not repeat one that was called off before it
 * was sent, and the next owner would hear of a death. Its answer comes, at the latest when the session ends (IP1.6).
 */
#include <errno.h>
#include <limits.h>

#include "call.h"
#include "last.h"

static struct bytes name_of(const char *name)
{
    return (struct bytes){name, name ? strlen(name) : 0};
}

GC_API int gc_unlock(gc_client *g, const char *name, uint64_t token, unsigned flags, gc_until until)
{
    struct request request = {.verb = VERB_UNLOCK, .unlock = {name_of(name), token, flags}};
    struct answer answer;
    int r = call_run(g, &request, until, CALL_MASKED, &answer);

    answer_end(&answer);
    return r;
}

GC_API int gc_lock(gc_client *g, const char *name, uint64_t *token, unsigned flags, gc_until until)
{
    struct request request = {.verb = VERB_LOCK, .lock = {name_of(name), flags}};
    struct answer answer;
    int r = call_run(g, &request, until, 0, &answer);

    if (r >= 0)
        *token = answer.result.handle;
    answer_end(&answer);
    return r;
}

/* ---- from hand to hand ---- */

GC_API int gc_lock_offer(gc_client *g, const char *name, uint64_t token, gc_until until)
{
    struct request request = {.verb = VERB_UNLOCK, .unlock = {name_of(name), token, UNLOCK_OFFER}};

    return call_plain(g, &request, until);
}

GC_API int gc_lock_claim(gc_client *g, const char *name, uint64_t offered, uint64_t *token, gc_until until)
{
    struct request request = {.verb = VERB_LOCK, .lock = {name_of(name), LOCK_CLAIM, offered}};
    struct answer answer;
    int r = call_run(g, &request, until, 0, &answer);

    if (r >= 0)
        *token = answer.result.handle;
    answer_end(&answer);
    return r;
}

/* ---- conditions ---- */

/* K1: the lock is taken again, however long that takes. */
static int lock_again(gc_client *g, const char *lock, uint64_t *token, int error)
{
    struct request request = {.verb = VERB_LOCK, .lock = {.name = name_of(lock)}};
    struct answer answer;
    int r = call_run(g, &request, GC_FOREVER, CALL_MASKED, &answer);

    if (r >= 0)
        *token = answer.result.handle;
    answer_end(&answer);
    return r == 0 ? last_failed(error, NULL, false) : r;
}

GC_API int gc_cond_wait(gc_client *g, const char *name, const char *lock, uint64_t *token, gc_until until)
{
    const struct request request = {
        .verb = VERB_COND_WAIT,
        .cond_wait = {
            .name = name_of(name), .lock = name_of(lock), .token = *token, .flags = UNLOCK_CONSISTENT}};
    struct answer answer;
    int r = call_run(g, &request, until, 0, &answer);
    uint64_t handle = answer.result.handle;

    answer_end(&answer);
    if (r >= 0)
        *token = handle;
    if ((r == -ETIMEDOUT || r == -ECANCELED) && handle)
        return lock_again(g, lock, token, r);
    return r;
}

static int signal_some(gc_client *g, const char *name, uint32_t flags, gc_until until)
{
    const struct request request = {.verb = VERB_COND_SIGNAL, .cond_signal = {name_of(name), flags}};
    struct answer answer;
    int r = call_run(g, &request, until, CALL_MASKED, &answer);
    uint64_t n = answer.result.handle;

    answer_end(&answer);
    return r < 0 ? r : n > INT_MAX ? INT_MAX : (int)n;
}

GC_API int gc_cond_signal(gc_client *g, const char *name, gc_until until)
{
    return signal_some(g, name, 0, until);
}

GC_API int gc_cond_broadcast(gc_client *g, const char *name, gc_until until)
{
    return signal_some(g, name, SIGNAL_ALL, until);
}
