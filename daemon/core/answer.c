/* Payloads of results: copied once, in one piece, then shared by the log and by every effect that carries them. */
#include <string.h>

#include "engine.h"

/* Counts when base is NULL, copies on the second pass. */
struct packer {
    char *base;
    size_t used;
};

static void *pack(struct packer *p, const void *from, size_t size)
{
    char *to = p->base ? p->base + p->used : NULL;

    if (to && size)
        memcpy(to, from, size);
    p->used += (size + 15) & ~(size_t)15;
    return size ? to : NULL;
}

#define STRING(type, member) offsetof(struct type, member)
static const size_t result_strings[] = {STRING(result, text), STRING(result, output)};
static const size_t chan_strings[] = {STRING(chan_info, name)};
static const size_t job_strings[] = {
    STRING(job_info, plugin), STRING(job_info, function), STRING(job_info, queue),   STRING(job_info, text),
    STRING(job_info, result), STRING(job_info, progress), STRING(job_info, argument)};
static const size_t ctx_strings[] = {STRING(ctx_info, name), STRING(ctx_info, text)};
static const size_t counter_strings[] = {STRING(counter, name)};
static const size_t wait_strings[] = {STRING(wait_info, program), STRING(wait_info, reason),
                                      STRING(wait_info, kind), STRING(wait_info, object)};
static const size_t schedule_strings[] = {STRING(schedule_info, name),     STRING(schedule_info, spec),
                                          STRING(schedule_info, zone),     STRING(schedule_info, plugin),
                                          STRING(schedule_info, function), STRING(schedule_info, queue),
                                          STRING(schedule_info, text)};
static const size_t offer_strings[] = {STRING(offer, function), STRING(offer, argument), STRING(offer, text)};

static const size_t topic_strings[] = {STRING(topic_info, name)};
static const size_t group_strings[] = {STRING(group_info, name), STRING(group_info, pattern)};
static const size_t feed_strings[] = {STRING(feed_info, name),   STRING(feed_info, pattern),
                                      STRING(feed_info, plugin), STRING(feed_info, function),
                                      STRING(feed_info, queue),  STRING(feed_info, text)};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void pack_strings(struct packer *p, const char *from, char *to, const size_t *string, size_t strings_n)
{
    for (size_t i = 0; i < strings_n; i++) {
        const struct bytes *s = (const struct bytes *)(from + string[i]);
        struct bytes copy = {pack(p, s->data, s->size), s->size};

        if (to)
            *(struct bytes *)(to + string[i]) = copy;
    }
}

static void *pack_rows(struct packer *p, const void *rows, size_t n, size_t size, const size_t *string,
                       size_t strings_n)
{
    char *copy = pack(p, rows, n * size);

    for (size_t i = 0; i < n; i++)
        pack_strings(p, (const char *)rows + i * size, copy ? copy + i * size : NULL, string, strings_n);
    return copy;
}

#define PACK_ROWS(p, rows, n, string) pack_rows(p, rows, n, sizeof(*(rows)), string, COUNT(string))

/* Rows that have rows: `settings` of each is copied behind them. */
static void pack_topics(struct packer *p, const struct result *from, struct result *to)
{
    struct topic_info *topics = PACK_ROWS(p, from->topics, from->topics_n, topic_strings);
    struct group_info *groups = PACK_ROWS(p, from->groups, from->groups_n, group_strings);

    for (size_t i = 0; i < from->topics_n; i++) {
        struct counter *settings =
            PACK_ROWS(p, from->topics[i].settings, from->topics[i].settings_n, counter_strings);

        if (topics)
            topics[i].settings = settings;
    }
    for (size_t i = 0; i < from->groups_n; i++) {
        struct counter *settings =
            PACK_ROWS(p, from->groups[i].settings, from->groups[i].settings_n, counter_strings);

        if (groups)
            groups[i].settings = settings;
    }
    to->topics = topics;
    to->groups = groups;
}

static void pack_result(struct packer *p, const struct result *from, struct result *to)
{
    pack_strings(p, (const char *)from, (char *)to, result_strings, COUNT(result_strings));
    to->chans = PACK_ROWS(p, from->chans, from->chans_n, chan_strings);
    to->jobs = PACK_ROWS(p, from->jobs, from->jobs_n, job_strings);
    to->ctxs = PACK_ROWS(p, from->ctxs, from->ctxs_n, ctx_strings);
    to->stats = PACK_ROWS(p, from->stats, from->stats_n, counter_strings);
    to->ids = pack(p, from->ids, from->ids_n * sizeof(*from->ids));
    to->waits = PACK_ROWS(p, from->waits, from->waits_n, wait_strings);
    to->schedules = PACK_ROWS(p, from->schedules, from->schedules_n, schedule_strings);
    to->published = pack(p, from->published, from->published ? sizeof(*from->published) : 0);
    pack_topics(p, from, to);
    to->feeds = PACK_ROWS(p, from->feeds, from->feeds_n, feed_strings);
    to->offer = PACK_ROWS(p, from->offer, from->offer ? 1 : 0, offer_strings);
}

static size_t answer_head(void)
{
    return (sizeof(struct answer) + 15) & ~(size_t)15;
}

struct answer *answer_new(struct core *core, const struct result *from)
{
    size_t head = answer_head();
    struct packer count = {0};
    struct result scratch = *from;

    pack_result(&count, from, &scratch);
    struct answer *answer = core_take(core, head + count.used);
    if (!answer)
        return NULL;
    struct packer copy = {.base = (char *)answer + head};
    answer->refs = 1;
    answer->bytes = count.used;
    answer->result = *from;
    answer->result.values = NULL;
    answer->result.values_n = 0;
    pack_result(&copy, from, &answer->result);
    return answer;
}

struct answer *answer_ref(struct answer *answer)
{
    answer->refs++;
    return answer;
}

struct answer *answer_drop(struct core *core, struct answer *answer)
{
    if (answer && !--answer->refs)
        core_give(core, answer, answer_head() + answer->bytes);
    return NULL;
}
