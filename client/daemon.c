/*
 * The daemon itself: is it there, what does it count.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "last.h"
#include "stats.h"

GC_API int gc_ping(gc_client *g, gc_until until)
{
    int r = call_plain(g, &(struct request){.verb = VERB_PING}, until);
    return r < 0 ? r : 0;
}

GC_API int gc_clock_advance(gc_client *g, int64_t ns, gc_until until)
{
    int r = call_plain(g, &(struct request){.verb = VERB_CLOCK_ADVANCE, .clock_advance = {ns}}, until);
    return r < 0 ? r : 0;
}

static int give_stats(struct gc_stats *out, struct answer *answer)
{
    size_t n = answer->result.stats_n;
    if (n && !(out->items = calloc(n, sizeof *out->items)))
        return last_failed(-ENOMEM, NULL, false);
    for (; out->n < n; out->n++)
        out->items[out->n] =
            (struct gc_stat){answer->result.stats[out->n].name.data, answer->result.stats[out->n].value};
    out->memory_ = answer->block;
    answer->block = NULL;
    return (int)n;
}

int stats_run(gc_client *g, const struct request *request, struct gc_stats *out, gc_until until)
{
    struct answer answer;
    memset(out, 0, sizeof *out);
    int r = call_run(g, request, until, 0, &answer);
    if (r >= 0)
        r = give_stats(out, &answer);
    answer_end(&answer);
    return r;
}

GC_API int gc_stats(gc_client *g, const char *prefix, struct gc_stats *out, gc_until until)
{
    return stats_run(g, &(struct request){.verb = VERB_STATS, .stats = {text_bytes(prefix)}}, out, until);
}

GC_API void gc_stats_clear(struct gc_stats *stats)
{
    free(stats->items);
    result_unref(stats->memory_);
    memset(stats, 0, sizeof *stats);
}
