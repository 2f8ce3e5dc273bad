/*
 * The copy is one walk over the result, taken twice: without memory it counts, with memory it copies.
 */
#include "result.h"

#include <stdlib.h>
#include <string.h>

struct span {
    unsigned char *memory; /* NULL: only count */
    size_t used;
};

static void *span_copy(struct span *span, const void *data, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    void *to = span->memory ? span->memory + span->used : NULL;
    span->used += (size + align - 1) / align * align;
    if (to && size)
        memcpy(to, data, size);
    return to;
}

static void copy_bytes(struct bytes *bytes, struct span *span)
{
    unsigned char *to = span->memory ? span->memory + span->used : NULL;
    span->used += bytes->size + 1;
    if (!to)
        return;
    if (bytes->size)
        memcpy(to, bytes->data, bytes->size);
    to[bytes->size] = '\0';
    bytes->data = to;
}

/* The array to walk on: its copy, or while counting the array itself, which is then only read. */
static void *span_array(struct span *span, const void *array, size_t n, size_t size)
{
    void *copy = n ? span_copy(span, array, n * size) : NULL;
    return copy ? copy : (void *)array;
}

/* Arrays before bytes here too: values[i].handles is walked while counting, so it stays as it is then. */
static void copy_passed(struct value *values, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++) {
        struct passed *copy = values[i].handles_n
                                  ? span_copy(span, values[i].handles, values[i].handles_n * sizeof *copy)
                                  : NULL;
        if (copy)
            values[i].handles = copy;
    }
}

/* The messages that values are, and their arrays of headers; while counting all stays as it is. */
static void copy_messages(struct value *values, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++) {
        const struct message *from = values[i].message;
        struct message *copy = from ? span_copy(span, from, sizeof *from) : NULL;
        const struct header *headers = from && from->headers_n
                                           ? span_copy(span, from->headers, from->headers_n * sizeof *headers)
                                           : NULL;
        if (!copy)
            continue;
        copy->headers = headers;
        values[i].message = copy;
    }
}

static void copy_message_bytes(struct message *message, struct span *span)
{
    struct header *headers = (struct header *)message->headers;
    copy_bytes(&message->topic, span);
    copy_bytes(&message->key, span);
    for (size_t i = 0; i < message->headers_n; i++) {
        copy_bytes(&headers[i].name, span);
        copy_bytes(&headers[i].value, span);
    }
}

static void copy_values(struct value *values, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++) {
        copy_bytes(&values[i].body, span);
        if (values[i].message)
            copy_message_bytes((struct message *)values[i].message, span);
    }
}

static void copy_chans(struct chan_info *chans, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++)
        copy_bytes(&chans[i].name, span);
}

static void copy_jobs(struct job_info *jobs, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++) {
        struct bytes *fields[] = {&jobs[i].plugin, &jobs[i].function, &jobs[i].queue,   &jobs[i].text,
                                  &jobs[i].result, &jobs[i].progress, &jobs[i].argument};
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
            copy_bytes(fields[k], span);
    }
}

static void copy_stats(struct counter *stats, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++)
        copy_bytes(&stats[i].name, span);
}

static void copy_ctxs(struct ctx_info *ctxs, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++) {
        copy_bytes(&ctxs[i].name, span);
        copy_bytes(&ctxs[i].text, span);
    }
}

static void copy_waits(struct wait_info *waits, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++) {
        copy_bytes(&waits[i].program, span);
        copy_bytes(&waits[i].reason, span);
        copy_bytes(&waits[i].kind, span);
        copy_bytes(&waits[i].object, span);
    }
}

static void copy_schedules(struct schedule_info *schedules, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++) {
        struct schedule_info *s = &schedules[i];
        struct bytes *fields[] = {&s->name,     &s->spec,  &s->zone, &s->plugin,
                                  &s->function, &s->queue, &s->text};
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
            copy_bytes(fields[k], span);
    }
}

static void copy_topics(struct topic_info *topics, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++) {
        copy_bytes(&topics[i].name, span);
        copy_stats((struct counter *)topics[i].settings, topics[i].settings_n, span);
    }
}

static void copy_groups(struct group_info *groups, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++) {
        copy_bytes(&groups[i].name, span);
        copy_bytes(&groups[i].pattern, span);
        copy_stats((struct counter *)groups[i].settings, groups[i].settings_n, span);
    }
}

static void copy_feeds(struct feed_info *feeds, size_t n, struct span *span)
{
    for (size_t i = 0; i < n; i++) {
        struct feed_info *f = &feeds[i];
        struct bytes *fields[] = {&f->name, &f->pattern, &f->plugin, &f->function, &f->queue, &f->text};
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
            copy_bytes(fields[k], span);
    }
}

/* Where an array stands in an array: while counting it stays what it is. */
static void copy_settings(const struct counter **settings, size_t n, struct span *span)
{
    const struct counter *copy = n ? span_copy(span, *settings, n * sizeof *copy) : NULL;
    if (copy)
        *settings = copy;
}

static void copy_offer(struct offer *offer, struct span *span)
{
    copy_bytes(&offer->function, span);
    copy_bytes(&offer->argument, span);
    copy_bytes(&offer->text, span);
}

/* Arrays before bytes: they need their alignment. */
static void result_walk(struct result *result, struct span *span)
{
    struct value *values = span_array(span, result->values, result->values_n, sizeof *values);
    struct chan_info *chans = span_array(span, result->chans, result->chans_n, sizeof *chans);
    struct job_info *jobs = span_array(span, result->jobs, result->jobs_n, sizeof *jobs);
    struct counter *stats = span_array(span, result->stats, result->stats_n, sizeof *stats);
    struct ctx_info *ctxs = span_array(span, result->ctxs, result->ctxs_n, sizeof *ctxs);
    struct offer *offer = span_array(span, result->offer, result->offer ? 1 : 0, sizeof *offer);
    struct wait_info *waits = span_array(span, result->waits, result->waits_n, sizeof *waits);
    struct schedule_info *schedules =
        span_array(span, result->schedules, result->schedules_n, sizeof *schedules);
    const uint64_t *ids = span_array(span, result->ids, result->ids_n, sizeof *ids);
    struct published *published =
        span_array(span, result->published, result->published ? 1 : 0, sizeof *published);
    struct topic_info *topics = span_array(span, result->topics, result->topics_n, sizeof *topics);
    struct group_info *groups = span_array(span, result->groups, result->groups_n, sizeof *groups);
    struct feed_info *feeds = span_array(span, result->feeds, result->feeds_n, sizeof *feeds);
    copy_passed(values, result->values_n, span);
    copy_messages(values, result->values_n, span);
    for (size_t i = 0; i < result->topics_n; i++)
        copy_settings(&topics[i].settings, topics[i].settings_n, span);
    for (size_t i = 0; i < result->groups_n; i++)
        copy_settings(&groups[i].settings, groups[i].settings_n, span);
    result->published = published;
    result->topics = topics;
    result->groups = groups;
    result->feeds = feeds;
    result->schedules = schedules;
    result->values = values;
    result->chans = chans;
    result->jobs = jobs;
    result->stats = stats;
    result->ctxs = ctxs;
    result->offer = offer;
    result->waits = waits;
    result->ids = ids;
    copy_bytes(&result->text, span);
    copy_bytes(&result->output, span);
    copy_values(values, result->values_n, span);
    copy_chans(chans, result->chans_n, span);
    copy_jobs(jobs, result->jobs_n, span);
    copy_stats(stats, result->stats_n, span);
    copy_ctxs(ctxs, result->ctxs_n, span);
    copy_waits(waits, result->waits_n, span);
    copy_schedules(schedules, result->schedules_n, span);
    copy_topics(topics, result->topics_n, span);
    copy_groups(groups, result->groups_n, span);
    copy_feeds(feeds, result->feeds_n, span);
    if (offer)
        copy_offer(offer, span);
}

static size_t block_head(void)
{
    const size_t align = _Alignof(max_align_t);
    return (sizeof(struct result_block) + align - 1) / align * align;
}

static struct result_block *block_new(size_t size)
{
    struct result_block *block = malloc(block_head() + size);
    if (block)
        *block = (struct result_block){.refs = 1};
    return block;
}

struct result_block *result_clone(const struct result *from)
{
    struct span count = {NULL, 0};
    struct result counted = *from;
    result_walk(&counted, &count);
    struct result_block *block = block_new(count.used);
    if (!block)
        return NULL;
    struct span span = {(unsigned char *)block + block_head(), 0};
    block->result = *from;
    result_walk(&block->result, &span);
    return block;
}

struct result_block *result_room(size_t ids_n)
{
    struct result_block *room = block_new(ids_n * sizeof(uint64_t));
    if (room)
        room->result.ids_n = ids_n;
    return room;
}

void result_keep_ids(struct result_block *room, const struct result *flat, const struct result *from)
{
    uint64_t *ids = (uint64_t *)((unsigned char *)room + block_head());
    size_t most = room->result.ids_n, n = from->ids_n < most ? from->ids_n : most;
    memcpy(ids, from->ids, n * sizeof *ids);
    room->result = *flat;
    room->result.ids = ids;
    room->result.ids_n = n;
}

void result_ref(struct result_block *block, unsigned n)
{
    __atomic_add_fetch(&block->refs, n, __ATOMIC_RELAXED);
}

static void result_free(struct result_block *block)
{
    free(block->chans);
    free(block);
}

struct result_block *result_unref(struct result_block *block)
{
    if (block && __atomic_sub_fetch(&block->refs, 1, __ATOMIC_ACQ_REL) == 0)
        result_free(block);
    return NULL;
}
