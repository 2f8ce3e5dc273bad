/* Parts of a result as struct seen keeps them. */
#pragma once

#include <string.h>

#include "jobs_fixture.h"

static inline void copy_text(char to[SEEN_TEXT], struct bytes from)
{
    size_t n = from.size < SEEN_TEXT - 1 ? from.size : SEEN_TEXT - 1;

    if (n)
        memcpy(to, from.data, n);
    to[n] = 0;
}

static inline void see_values(struct jobs_fixture *f, const struct result *result)
{
    for (size_t i = 0; f->see_value && i < result->values_n; i++)
        f->see_value(&result->values[i]);
}

static inline void see_records(struct jobs_fixture *f, const struct batch *batch, int error)
{
    if (f->see_batch)
        f->see_batch(batch, error);
}

static inline void see_stats(struct seen *seen, const struct result *result)
{
    seen->stats_n = result->stats_n < 64 ? result->stats_n : 64;
    for (size_t i = 0; i < seen->stats_n; i++) {
        const struct bytes *name = &result->stats[i].name;
        memcpy(seen->stats[i], name->data, name->size < 63 ? name->size : 63);
        seen->values[i] = result->stats[i].value;
    }
}

static inline void see_schedule(struct seen *seen, const struct result *result)
{
    seen->schedules_n = result->schedules_n;
    if (!result->schedules_n)
        return;
    seen->schedule = result->schedules[0];
    copy_text(seen->schedule_words[0], seen->schedule.name);
    copy_text(seen->schedule_words[1], seen->schedule.text);
    copy_text(seen->schedule_words[2], seen->schedule.spec);
}

static inline void see_feed(struct seen *seen, const struct result *result)
{
    seen->feeds_n = result->feeds_n;
    if (result->published)
        seen->sequence = result->published->sequence;
    if (!result->feeds_n)
        return;
    seen->feed = result->feeds[0];
    copy_text(seen->feed_words[0], seen->feed.name);
    copy_text(seen->feed_words[1], seen->feed.text);
}

static inline struct input fetched_input(uint64_t fetch, int error, const struct fetched *out)
{
    return (struct input){.kind = IN_FETCHED,
                          .fetched = {.fetch = fetch,
                                      .error = error,
                                      .rows = out->rows,
                                      .rows_n = out->rows_n,
                                      .body = out->body,
                                      .messages = out->messages,
                                      .messages_n = out->messages_n,
                                      .offset = out->offset,
                                      .more = out->more}};
}
