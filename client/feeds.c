/* Feeds: set, held, forgotten, looked at. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "goclient_feed.h"
#include "last.h"
#include "options.h"
#include "path.h"

/* An answer of 0 or more says that it is so. */
static int set(gc_client *g, const struct request_feed_set *set, gc_until until)
{
    struct request request = {.verb = VERB_FEED_SET, .feed_set = *set};
    int r = call_plain(g, &request, until);
    return r < 0 ? r : 0;
}

GC_API int gc_feed_set(gc_client *g, const struct gc_feed *given, gc_until until)
{
    struct gc_feed what;
    char plugin[PATH_MAX];
    if (options_take(&what, sizeof what, given) < 0 || !given)
        return last_failed(-EINVAL, "gc_feed_set: the size is not set, or of a newer library", false);
    if (!what.name || what.flags & ~(unsigned)GC_FEED_PAUSED || (what.plugin && !what.function))
        return last_failed(-EINVAL, "gc_feed_set: no name, a plugin without a function, or unknown flags",
                           false);
    const char *path = what.plugin ? path_real(what.plugin, plugin) : NULL;
    if (what.plugin && !path && what.plugin[0] != '/') /* as gc_submit */
        return last_failed(-errno, "no such plugin file", false);
    return set(g,
               &(struct request_feed_set){.name = text_bytes(what.name),
                                          .pattern = text_bytes(what.pattern),
                                          .plugin = text_bytes(path ? path : what.plugin),
                                          .function = text_bytes(what.function),
                                          .queue = text_bytes(what.queue),
                                          .ahead = what.ahead,
                                          .argument = what.argument,
                                          .pause = what.flags & GC_FEED_PAUSED ? FEED_HOLD : 0,
                                          .from = what.from,
                                          .from_sequence = what.from_sequence,
                                          .from_time_us = what.from_time_us},
               until);
}

GC_API int gc_feed_pause(gc_client *g, const char *name, gc_until until)
{
    return set(g, &(struct request_feed_set){.name = text_bytes(name), .pause = FEED_HOLD}, until);
}

GC_API int gc_feed_resume(gc_client *g, const char *name, gc_until until)
{
    return set(g, &(struct request_feed_set){.name = text_bytes(name), .pause = FEED_GO_ON}, until);
}

GC_API int gc_feed_remove(gc_client *g, const char *name, gc_until until)
{
    struct request request = {.verb = VERB_FEED_REMOVE, .feed_remove.name = text_bytes(name)};
    return call_plain(g, &request, until);
}

/* ---- lists ---- */

static const char *text_of(struct bytes bytes)
{
    return bytes.size ? bytes.data : "";
}

static void give(struct gc_feed_info *to, const struct feed_info *from)
{
    *to = (struct gc_feed_info){.name = text_of(from->name),
                                .pattern = text_of(from->pattern),
                                .plugin = text_of(from->plugin),
                                .function = text_of(from->function),
                                .queue = text_of(from->queue),
                                .uid = from->uid,
                                .flags = from->flags,
                                .argument = from->argument,
                                .ahead = from->ahead,
                                .cursor = from->cursor,
                                .waiting = from->waiting,
                                .jobs = from->jobs,
                                .missed = from->missed,
                                .last_job = from->last_job,
                                .text = text_of(from->text)};
}

GC_API int gc_feeds(gc_client *g, const char *prefix, const char *after, uint32_t limit,
                    struct gc_feed_page *out, gc_until until)
{
    struct request request = {
        .verb = VERB_FEED_LIST,
        .feed_list = {.prefix = text_bytes(prefix), .after = text_bytes(after), .limit = limit}};
    struct answer answer;
    memset(out, 0, sizeof *out);
    int r = call_run(g, &request, until, 0, &answer);
    size_t n = r < 0 ? 0 : answer.result.feeds_n;
    if (n && !(out->items = calloc(n, sizeof *out->items)))
        r = last_failed(-ENOMEM, NULL, false);
    for (; out->items && out->n < n; out->n++)
        give(&out->items[out->n], &answer.result.feeds[out->n]);
    out->more = r >= 0 && answer.result.flags & RESULT_MORE;
    if (out->items) {
        out->memory_ = answer.block;
        answer.block = NULL;
    }
    answer_end(&answer);
    return r < 0 ? r : (int)out->n;
}

GC_API void gc_feed_page_clear(struct gc_feed_page *page)
{
    result_unref(page->memory_);
    free(page->items);
    memset(page, 0, sizeof *page);
}
