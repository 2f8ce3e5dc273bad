/*
 * Locks by name. The end of a scope leaves an unlock alone: who unwinds could not repeat one that was called off before it
 * was sent, and the next owner would hear of a death. Its answer comes, at the latest when the session ends (IP1.6).
 */
#include <errno.h>

#include "call.h"
#include "goclient_context.h"
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
    if (r < 0 || !until.ctx || !gc_ctx_done(until.ctx))
        return r;
    /* IP1.3, SE1: cancel wins over a grant, which can be given back without reordering anything. */
    struct gc_context_cause why;
    gc_unlock(g, name, *token, UNLOCK_UNSEEN, GC_FOREVER);
    gc_context_cause(until.ctx, &why);
    return last_failed(why.status, why.text, false);
}
