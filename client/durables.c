/*
 * Durable subscriptions: what becomes of their messages, what is set of them, and what is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "cleanup.h"
#include "goclient_topic.h"
#include "last.h"

GC_API int gc_settle(gc_client *g, gc_chan c, const struct gc_value *values, size_t n, enum gc_settle what,
                     int64_t delay_ns, gc_until until)
{
    if (!c.id)
        return last_failed(-ENOENT, "the nil channel", false);
    if (n == 0 || n > GC_VALUES_MAX)
        return last_failed(n ? -E2BIG : -EINVAL, "1 to 1024 values are settled at once", false);
    _cleanup_(cleanup_free) uint64_t *sequences = calloc(n, sizeof *sequences);
    if (!sequences)
        return last_failed(-ENOMEM, NULL, false);
    for (size_t i = 0; i < n; i++) {
        const struct gc_message *message = gc_message(&values[i]);
        if (!message || !message->sequence)
            return last_failed(-EINVAL, "the value is of no durable subscription", false);
        sequences[i] = message->sequence;
    }
    const struct request request = {
        .verb = VERB_SETTLE,
        .settle = {
            .handle = c.id, .sequences = sequences, .sequences_n = n, .what = what, .delay_ns = delay_ns}};
    return call_plain(g, &request, until);
}

GC_API int gc_durable_set(gc_client *g, const char *name, const char *settings, gc_until until)
{
    const struct request request = {.verb = VERB_GROUP_SET,
                                    .group_set = {text_bytes(name), text_bytes(settings)}};
    return call_plain(g, &request, until);
}

GC_API int gc_durable_remove(gc_client *g, const char *name, gc_until until)
{
    return call_plain(g, &(struct request){.verb = VERB_GROUP_REMOVE, .group_remove = {text_bytes(name)}},
                      until);
}

/* The strings are those of the block that the answer has. `settings` has room for those of this one. */
static void give_group(struct gc_durable_info *to, const struct group_info *from, struct gc_stat *settings)
{
    *to = (struct gc_durable_info){.name = from->name.data,
                                   .pattern = from->pattern.data,
                                   .floor = from->floor,
                                   .next = from->next,
                                   .outstanding = from->outstanding,
                                   .members = from->members,
                                   .waiting = from->waiting,
                                   .redelivered = from->redelivered,
                                   .dead = from->dead,
                                   .paused = from->paused,
                                   .settings = settings,
                                   .settings_n = from->settings_n};
    for (size_t i = 0; i < from->settings_n; i++)
        settings[i] = (struct gc_stat){from->settings[i].name.data, from->settings[i].value};
}

/* As that of a page of topics. */
static int page_give(struct gc_durable_page *out, struct answer *answer)
{
    const struct result *result = &answer->result;
    size_t n = result->groups_n, settings_n = 0;
    for (size_t i = 0; i < n; i++)
        settings_n += result->groups[i].settings_n;
    out->more = result->flags & RESULT_MORE;
    if (!n)
        return 0;
    out->items = calloc(1, n * sizeof *out->items + settings_n * sizeof(struct gc_stat));
    if (!out->items)
        return last_failed(-ENOMEM, NULL, false);
    struct gc_stat *settings = (struct gc_stat *)(out->items + n);
    for (; out->n < n; settings += result->groups[out->n++].settings_n)
        give_group(&out->items[out->n], &result->groups[out->n], settings);
    out->memory_ = answer->block;
    answer->block = NULL;
    return (int)n;
}

GC_API int gc_durables(gc_client *g, const char *prefix, const char *after, uint32_t limit,
                       struct gc_durable_page *out, gc_until until)
{
    const struct request request = {.verb = VERB_GROUP_LIST,
                                    .group_list = {text_bytes(prefix), text_bytes(after), limit}};
    struct answer answer;
    memset(out, 0, sizeof *out);
    int r = call_run(g, &request, until, 0, &answer);
    if (r >= 0)
        r = page_give(out, &answer);
    answer_end(&answer);
    return r;
}

GC_API void gc_durable_page_clear(struct gc_durable_page *page)
{
    result_unref(page->memory_);
    free(page->items);
    memset(page, 0, sizeof *page);
}
