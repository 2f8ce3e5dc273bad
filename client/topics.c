/*
 * Topics: what is published, and subscriptions, which are channels.
 */
#include "topics.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "cleanup.h"
#include "last.h"
#include "options.h"

/* ---- messages ---- */

#define SAME_PLACE(ours, theirs, member, other)                                                              \
    _Static_assert(offsetof(struct ours, member) == offsetof(struct theirs, other), "one is the other")

SAME_PLACE(gc_header, header, name, name.data);
SAME_PLACE(gc_header, header, name_bytes, name.size);
SAME_PLACE(gc_header, header, value, value.data);
SAME_PLACE(gc_header, header, value_bytes, value.size);
SAME_PLACE(gc_message, message, topic, topic.data);
SAME_PLACE(gc_message, message, topic_bytes, topic.size);
SAME_PLACE(gc_message, message, sequence, sequence);
SAME_PLACE(gc_message, message, time_us, time_us);
SAME_PLACE(gc_message, message, tries, tries);
SAME_PLACE(gc_message, message, lost, lost);
SAME_PLACE(gc_message, message, key, key.data);
SAME_PLACE(gc_message, message, key_bytes, key.size);
SAME_PLACE(gc_message, message, headers, headers);
SAME_PLACE(gc_message, message, headers_n, headers_n);
SAME_PLACE(gc_message, message, of, of);

GC_API const struct gc_message *gc_message(const struct gc_value *v)
{
    const struct result_block *block = v->memory_;

    if (!block || v->place_ >= block->result.values_n)
        return NULL;
    return (const struct gc_message *)block->result.values[v->place_].message;
}

GC_API const struct gc_header *gc_message_header(const struct gc_value *v, const char *name)
{
    const struct gc_message *message = gc_message(v);

    for (size_t i = 0; message && i < message->headers_n; i++)
        if (strcmp(message->headers[i].name, name) == 0)
            return &message->headers[i];
    return NULL;
}

/* ---- publish ---- */

struct outgoing outgoing_wire(const struct gc_outgoing *from, const struct gc_publish_options *all)
{
    bool own = from->headers_n > 0;

    return (struct outgoing){.value = value_wire(&from->value),
                             .key = text_bytes(from->key ? from->key : all->key),
                             .headers = (const void *)(own ? from->headers : all->headers),
                             .headers_n = own ? from->headers_n : all->headers_n,
                             .once = text_bytes(from->once)};
}

static void give_published(struct gc_published *to, const struct published *from)
{
    *to = (struct gc_published){.sequence = from->sequence,
                                .receivers = from->receivers,
                                .dropped = from->dropped,
                                .repeated = from->repeated};
}

static int publish(gc_client *g, const char *topic, const struct outgoing *messages, size_t n,
                   const struct gc_publish_options *use, struct gc_published *out, gc_until until)
{
    struct answer answer;
    struct request request = {.verb = VERB_PUBLISH,
                              .publish = {.topic = text_bytes(topic),
                                          .messages = messages,
                                          .messages_n = n,
                                          .expect_sequence = use->expected,
                                          .expects = use->expects,
                                          .delay_ns = use->delay_ns,
                                          .at_us = use->at_us}};
    int r = call_run(g, &request, until, 0, &answer);

    if (out && answer.result.published)
        give_published(out, answer.result.published);
    answer_end(&answer);
    return r;
}

/* A channel is received by one, a message by any number. */
static int refuse_passed(void)
{
    return last_failed(-EINVAL, "a message carries no channels; send them on one", false);
}

/* What is refused before anything is asked. */
static int take_options(struct gc_publish_options *use, const struct gc_publish_options *options,
                        struct gc_published *out)
{
    if (out)
        *out = (struct gc_published){0};
    if (options_take(use, sizeof *use, options) == 0)
        return 0;
    return last_failed(-EINVAL, "gc_publish_options: size is not set, or of a newer library", false);
}

GC_API int gc_publish(gc_client *g, const char *topic, struct gc_value v,
                      const struct gc_publish_options *options, struct gc_published *out, gc_until until)
{
    struct gc_publish_options use;
    int r = take_options(&use, options, out);
    const struct gc_outgoing message = {.value = v, .once = use.once};
    const struct outgoing wire = outgoing_wire(&message, &use);

    if (r == 0 && v.chans_n)
        r = refuse_passed();
    if (r == 0)
        r = publish(g, topic, &wire, 1, &use, out, until);
    return r < 0 ? r : 0;
}

GC_API int gc_publish_many(gc_client *g, const char *topic, const struct gc_outgoing *messages, size_t n,
                           const struct gc_publish_options *options, struct gc_published *out, gc_until until)
{
    struct gc_publish_options use;
    int r = take_options(&use, options, out);

    if (r < 0)
        return r;
    if (n == 0 || n > GC_VALUES_MAX)
        return last_failed(n ? -E2BIG : -EINVAL, "1 to 1024 messages in one publish", false);
    if (use.once)
        return last_failed(-EINVAL, "gc_publish_many: `once` is said of each message", false);
    _cleanup_(cleanup_free) struct outgoing *wire = calloc(n, sizeof *wire);
    if (!wire)
        return last_failed(-ENOMEM, NULL, false);
    for (size_t i = 0; i < n; i++) {
        if (messages[i].value.chans_n)
            return refuse_passed();
        wire[i] = outgoing_wire(&messages[i], &use);
    }
    return publish(g, topic, wire, n, &use, out, until);
}

/* ---- subscribe ---- */

GC_API int gc_subscribe(gc_client *g, const char *pattern, const struct gc_subscribe_options *options,
                        gc_chan *out, gc_until until)
{
    struct gc_subscribe_options use;

    out->id = 0;
    if (options_take(&use, sizeof use, options) < 0)
        return last_failed(-EINVAL, "gc_subscribe_options: size is not set, or of a newer library", false);
    return call_open(g,
                     &(struct request){.verb = VERB_SUBSCRIBE,
                                       .subscribe = {.pattern = text_bytes(pattern),
                                                     .capacity = use.capacity,
                                                     .full = use.slow,
                                                     .block_ns = use.block_ns,
                                                     .from = use.from,
                                                     .from_sequence = use.from_sequence,
                                                     .from_time_us = use.from_time_us,
                                                     .group = text_bytes(use.group),
                                                     .settings = text_bytes(use.settings),
                                                     .value_bytes_max = use.value_bytes_max}},
                     out, until);
}

/* ---- topics ---- */

GC_API int gc_topic_close(gc_client *g, const char *topic, gc_until until)
{
    return call_plain(g, &(struct request){.verb = VERB_TOPIC_CLOSE, .topic_close = {text_bytes(topic)}},
                      until);
}

GC_API int gc_topic_set(gc_client *g, const char *pattern, const char *settings, gc_until until)
{
    const struct request request = {
        .verb = VERB_TOPIC_SET,
        .topic_set = {.pattern = text_bytes(pattern), .settings = text_bytes(settings)}};
    return call_plain(g, &request, until);
}

GC_API int gc_topic_unset(gc_client *g, const char *pattern, gc_until until)
{
    const struct request request = {.verb = VERB_TOPIC_SET,
                                    .topic_set = {.pattern = text_bytes(pattern), .remove = true}};
    return call_plain(g, &request, until);
}

/* How many messages went. */
static int64_t run_forget(gc_client *g, const struct request *request, gc_until until)
{
    struct answer answer;
    int r = call_run(g, request, until, 0, &answer);
    int64_t forgotten = r < 0 ? r : (int64_t)answer.result.handle;
    answer_end(&answer);
    return forgotten;
}

GC_API int64_t gc_topic_purge(gc_client *g, const char *topic, uint64_t up_to, uint64_t keep, gc_until until)
{
    const struct request request = {
        .verb = VERB_TOPIC_PURGE, .topic_purge = {.topic = text_bytes(topic), .up_to = up_to, .keep = keep}};
    return run_forget(g, &request, until);
}

GC_API int64_t gc_topic_remove(gc_client *g, const char *topic, gc_until until)
{
    return run_forget(g, &(struct request){.verb = VERB_TOPIC_REMOVE, .topic_remove = {text_bytes(topic)}},
                      until);
}

/* The strings are those of the block that the answer has. `settings` has room for those of this topic. */
static void give_topic(struct gc_topic_info *to, const struct topic_info *from, struct gc_stat *settings)
{
    *to = (struct gc_topic_info){.name = from->name.data,
                                 .subscriptions = from->subscriptions,
                                 .published = from->published,
                                 .delivered = from->delivered,
                                 .dropped = from->dropped,
                                 .durable = from->durable,
                                 .first_sequence = from->first_sequence,
                                 .last_sequence = from->last_sequence,
                                 .messages = from->messages,
                                 .bytes = from->bytes,
                                 .last_us = from->last_us,
                                 .settings = settings,
                                 .settings_n = from->settings_n,
                                 .delayed = from->delayed};
    for (size_t i = 0; i < from->settings_n; i++)
        settings[i] = (struct gc_stat){from->settings[i].name.data, from->settings[i].value};
}

/* The page's rows and behind them their settings, pointing into the answer's block, which becomes the page's. */
static int page_give(struct gc_topic_page *out, struct answer *answer)
{
    const struct result *result = &answer->result;
    size_t n = result->topics_n, settings_n = 0;
    for (size_t i = 0; i < n; i++)
        settings_n += result->topics[i].settings_n;
    out->more = result->flags & RESULT_MORE;
    if (!n)
        return 0;
    out->items = calloc(1, n * sizeof *out->items + settings_n * sizeof(struct gc_stat));
    if (!out->items)
        return last_failed(-ENOMEM, NULL, false);
    struct gc_stat *settings = (struct gc_stat *)(out->items + n);
    for (; out->n < n; settings += result->topics[out->n++].settings_n)
        give_topic(&out->items[out->n], &result->topics[out->n], settings);
    out->memory_ = answer->block;
    answer->block = NULL;
    return (int)n;
}

static int run_topics(gc_client *g, const struct request *request, struct gc_topic_page *out, gc_until until)
{
    struct answer answer;
    memset(out, 0, sizeof *out);
    int r = call_run(g, request, until, 0, &answer);
    if (r >= 0)
        r = page_give(out, &answer);
    answer_end(&answer);
    return r;
}

GC_API int gc_topics(gc_client *g, const char *pattern, const char *after, uint32_t limit,
                     struct gc_topic_page *out, gc_until until)
{
    const struct request request = {
        .verb = VERB_TOPIC_LIST,
        .topic_list = {.pattern = text_bytes(pattern), .after = text_bytes(after), .limit = limit}};
    return run_topics(g, &request, out, until);
}

GC_API int gc_topic_info(gc_client *g, const char *topic, struct gc_topic_page *out, gc_until until)
{
    const struct request request = {.verb = VERB_TOPIC_INFO, .topic_info = {text_bytes(topic)}};
    int r = run_topics(g, &request, out, until);
    return r < 0 ? r : 0;
}

GC_API void gc_topic_page_clear(struct gc_topic_page *page)
{
    result_unref(page->memory_);
    free(page->items);
    memset(page, 0, sizeof *page);
}
