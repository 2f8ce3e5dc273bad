/*
 * What is set of a queue while the daemon runs: some of its values, and a pause. The store keeps it as a text of
 * NAME=VALUE, so that a daemon passes over what it does not know.
 */
#include <errno.h>
#include <string.h>

#include "jobs_internal.h"

enum { KEPT_BYTES = 4096 };

struct queue_kept kept_of(const struct queue *queue)
{
    return (struct queue_kept){queue->parts[ORIGIN_SET], queue->paused_us, queue->pause_submits, queue->made};
}

static bool is(struct bytes text, const char *word)
{
    return bytes_are(text, word, strlen(word));
}

static int read_number(struct bytes text, int64_t *number)
{
    const char *digits = text.data;
    int64_t sum = 0;

    for (size_t i = 0; i < text.size; i++)
        if (digits[i] < '0' || digits[i] > '9' || __builtin_mul_overflow(sum, (int64_t)10, &sum) ||
            __builtin_add_overflow(sum, (int64_t)(digits[i] - '0'), &sum))
            return -EINVAL;
    *number = sum;
    return text.size ? 0 : -EINVAL;
}

/* No value: what the configuration says. */
static int read_setting(struct policy_part *part, enum policy_field field, struct bytes value)
{
    if (value.size)
        return policy_set(part, field, value);
    part->set &= ~(UINT64_C(1) << field);
    return 0;
}

static int read_one(struct queue_kept *kept, struct bytes name, struct bytes value)
{
    int field = policy_field(name);
    int64_t number;

    if (field >= 0)
        return read_setting(&kept->part, (enum policy_field)field, value);
    if (is(name, ".paused_us"))
        return read_number(value, &kept->paused_us);
    bool *flag = is(name, ".pause_submits") ? &kept->pause_submits : is(name, ".made") ? &kept->made : NULL;
    if (!flag || read_number(value, &number) < 0)
        return -EINVAL;
    *flag = number != 0;
    return 0;
}

int kept_read(struct queue_kept *kept, struct bytes text, struct bytes *wrong)
{
    struct bytes name, value;
    int r = 0;

    while (policy_token(&text, &name, &value)) {
        int one = read_one(kept, name, value);
        if (one < 0 && r == 0) {
            *wrong = (struct bytes){name.data, (size_t)((const char *)text.data - (const char *)name.data)};
            r = one;
        }
    }
    return r;
}

static size_t write_setting(struct policy_part *part, enum policy_field field, char *to, size_t size)
{
    uint64_t value = *policy_value(&part->policy, field);
    char room[POLICY_TEXT_BYTES];
    struct bytes word = policy_word(&part->policy, field, room);

    if (word.size)
        return text_write(to, size, "%s=%.*s ", policy_rows[field].name, (int)word.size,
                          (const char *)word.data);
    return text_write(to, size, "%s=%llu ", policy_rows[field].name, (unsigned long long)value);
}

static struct bytes write_kept(const struct queue_kept *kept, char to[KEPT_BYTES])
{
    struct policy_part part = kept->part;
    size_t n = 0;

    for (int i = 0; i < POLICY_FIELDS; i++)
        if (part.set >> i & 1)
            n += write_setting(&part, (enum policy_field)i, to + n, KEPT_BYTES - n);
    if (kept->paused_us)
        n += text_write(to + n, KEPT_BYTES - n, ".paused_us=%lld .pause_submits=%d ",
                        (long long)kept->paused_us, kept->pause_submits);
    if (kept->made)
        n += text_write(to + n, KEPT_BYTES - n, ".made=1");
    return (struct bytes){to, n};
}

static int64_t mono_of(const struct core *core, int64_t wall_us)
{
    if (wall_us == 0 || wall_us == INT64_MAX)
        return wall_us;
    return core->now.mono_ns + (wall_us * 1000 - core->now.wall_ns);
}

uint64_t kept_set(struct core *core, struct queue *queue, const struct queue_kept *kept)
{
    struct job_row row = {.queue = {queue->name, queue->name_size}};
    char text[KEPT_BYTES];
    struct bytes words = write_kept(kept, text);

    if (PLANTED(BRIEF_SETTING))
        words.size = 0;
    uint64_t batch = core_record(core, RECORD_QUEUE, &row, words);

    if (!batch)
        return 0;
    queue->paused_us = kept->paused_us;
    queue->paused_ns = mono_of(core, kept->paused_us);
    queue->pause_submits = kept->pause_submits;
    queue->made = kept->made;
    queue_set(core, queue, ORIGIN_SET, &kept->part);
    return batch;
}

void kept_start(struct core *core)
{
    struct queue *queue;

    list_each (queue, &core->jobs->queues, link)
        queue->paused_ns = PLANTED(FORGOTTEN_PAUSE) ? 0 : mono_of(core, queue->paused_us);
}
