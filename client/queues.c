/*
 * Queues: what is set of them, and what waits in them.
 */
#include "goclient_queue.h"

#include "call.h"
#include "options.h"
#include "stats.h"

GC_API int gc_queue_set(gc_client *g, const char *name, const char *settings, gc_until until)
{
    const struct request request = {.verb = VERB_QUEUE_SET,
                                    .queue_set = {text_bytes(name), text_bytes(settings)}};
    struct answer answer;
    int r = call_run(g, &request, until, 0, &answer);
    int made = r < 0 ? r : (int)answer.result.handle;
    answer_end(&answer);
    return made;
}

GC_API int gc_queue_info(gc_client *g, const char *name, struct gc_stats *out, gc_until until)
{
    const struct request request = {.verb = VERB_QUEUE_INFO, .queue_info = {text_bytes(name)}};
    return stats_run(g, &request, out, until);
}

GC_API int gc_queues(gc_client *g, const char *prefix, const char *after, struct gc_stats *out,
                     gc_until until)
{
    const struct request request = {.verb = VERB_QUEUE_LIST,
                                    .queue_list = {text_bytes(prefix), text_bytes(after), 0}};
    return stats_run(g, &request, out, until);
}

GC_API int gc_queue_pause(gc_client *g, const char *name, enum gc_pause what, int64_t for_ns, gc_until until)
{
    const struct request request = {.verb = VERB_QUEUE_PAUSE,
                                    .queue_pause = {text_bytes(name), (uint32_t)what, for_ns}};
    return call_plain(g, &request, until);
}

GC_API int64_t gc_queue_purge(gc_client *g, const char *name, gc_until until)
{
    const struct request request = {.verb = VERB_QUEUE_PURGE, .queue_purge = {text_bytes(name)}};
    struct answer answer;
    int r = call_run(g, &request, until, 0, &answer);
    int64_t purged = r < 0 ? r : (int64_t)answer.result.handle;
    answer_end(&answer);
    return purged;
}

GC_API int gc_queue_remove(gc_client *g, const char *name, gc_until until)
{
    const struct request request = {.verb = VERB_QUEUE_REMOVE, .queue_remove = {text_bytes(name)}};
    return call_plain(g, &request, until);
}
