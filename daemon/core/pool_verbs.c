/* What is asked of pools: setting, draining, removing; and what configuration and store say of them. */
#include <errno.h>
#include <string.h>

#include "pool.h"

enum { WORDS_BYTES = 1400 };

/* What a pool would have with this text: the part of that origin. 0; -EINVAL: *wrong, or with that empty no work. */
static int part_with(const struct pool *pool, enum policy_origin origin, struct bytes text,
                     struct pool_part *part, struct bytes *wrong)
{
    struct pool_part parts[ORIGINS] = {{.set = 0}}, sum;
    uint8_t origins[POOL_FIELDS];

    if (pool)
        memcpy(parts, pool->parts, sizeof(parts));
    int r = pool_part_read(&parts[origin], text, wrong);
    *part = parts[origin];
    if (r < 0)
        return r;
    pool_part_sum(parts, &sum, origins);
    *wrong = (struct bytes){"", 0};
    return pool_stands(&sum) ? 0 : -EINVAL;
}

static struct bytes kept_words(struct bytes words, const struct pool_part *part)
{
    if (PLANTED(BRIEF_DRAIN) && part->drained)
        words.size -= sizeof(".drained=1");
    return words;
}

/* Makes what is set of a pool durable, and what it does from now on. 0, -ENOBUFS, -ENOMEM: nothing happened. */
static int keep(struct core *core, struct op *op, struct bytes name, const struct pool_part *part)
{
    struct job_row row = {.queue = name};
    char text[POOL_TEXT_MAX];
    struct bytes words = pool_part_write(part, text, sizeof(text));
    struct pool *pool;

    if (!pool_has_room(core, name) || (!words.size && (part->set || part->drained)))
        return -ENOBUFS;
    struct note *note = note_new(core, record_new(RECORD_POOL, &row, kept_words(words, part)));
    int r = note ? pool_put(core, name, ORIGIN_SET, words, &pool) : -ENOMEM;
    if (r < 0) {
        note_delete(core, note);
        return r;
    }
    op_depends(op, note_write(core, note));
    return 0;
}

static struct pool *find(struct core *core, struct op *op, struct bytes name, int *r)
{
    struct pool *pool = pool_find(core, name);

    if (pool)
        return pool;
    *r = -ENOENT;
    op_fail(core, op, *r, "no pool %.*s", (int)name.size, (const char *)name.data);
    return NULL;
}

/* ---- setting ---- */

static int refuse_setting(struct core *core, struct op *op, const struct pool *pool, struct bytes wrong)
{
    char words[WORDS_BYTES];

    if (wrong.size) {
        size_t n = pool_part_why(wrong, words, sizeof(words));
        op_fail(core, op, -EINVAL, "%.*s", (int)n, words);
    } else if (pool) {
        op_fail(core, op, -EINVAL, "a pool needs queues or functions");
    } else {
        op_fail(core, op, -ENOENT, "there is no such pool; a new one needs queues or functions");
    }
    return -EINVAL;
}

int handle_pool_set(struct core *core, struct op *op, const struct request *request)
{
    const struct request_pool_set *set = &request->pool_set;
    const struct pool *pool = pool_find(core, set->name);
    struct pool_part part, asked = {.set = 0};
    struct bytes wrong;

    if (!account_owns(core, op->scope->account))
        return -EPERM;
    if (name_check(set->name) < 0)
        return -EINVAL;
    if (pool_part_read(&asked, set->settings, &wrong) == 0 && asked.drained)
        return -EINVAL; /* POOL_DRAIN does that */
    if (part_with(pool, ORIGIN_SET, set->settings, &part, &wrong) < 0)
        return refuse_setting(core, op, pool, wrong);
    return keep(core, op, set->name, &part);
}

/* ---- draining ---- */

static void end_waits(struct core *core, struct pool *pool)
{
    struct op *op;

    while ((op = pool_drainer(core, pool)))
        op_fail(core, op, -ECANCELED, "the drain was ended");
}

int handle_pool_drain(struct core *core, struct op *op, const struct request *request)
{
    const struct request_pool_drain *drain = &request->pool_drain;
    bool begins = drain->what != POOL_DRAIN_END;
    int r = 0;

    if (!account_owns(core, op->scope->account))
        return -EPERM;
    struct pool *pool = find(core, op, drain->name, &r);
    if (!pool)
        return r;
    struct pool_part part = pool->parts[ORIGIN_SET];
    part.drained = begins;
    int parked = begins && pool->runs ? op_park(core, op, WAIT_DRAIN) : 0;
    if (parked == -ENOBUFS)
        return parked;
    r = keep(core, op, pool_name(pool), &part);
    if (r < 0) {
        op_finish(core, op, r);
        return r;
    }
    if (op->state == OP_PARKED)
        list_append(&pool->drainers, &op->waiters[0].link);
    if (!begins)
        end_waits(core, pool);
    return parked;
}

/* ---- removing ---- */

int handle_pool_remove(struct core *core, struct op *op, const struct request *request)
{
    struct bytes name = request->pool_remove.name;
    int r = 0;

    if (!account_owns(core, op->scope->account))
        return -EPERM;
    struct pool *pool = find(core, op, name, &r);
    if (!pool)
        return r;
    if (pool->text[ORIGIN_CONFIG]) {
        op_fail(core, op, -EBUSY, "pool %.*s stands in the configuration; drain it, or take it out there",
                (int)name.size, (const char *)name.data);
        return -EBUSY;
    }
    struct job_row row = {.queue = name};
    uint64_t batch = core_record(core, RECORD_POOL, &row, (struct bytes){"", 0});
    if (!batch)
        return -ENOMEM;
    pool_remove(core, pool);
    op_depends(op, batch);
    return 0;
}

/* ---- from configuration and store ---- */

int core_set_pool(struct core *core, struct bytes name, struct bytes text, struct bytes *wrong)
{
    struct pool_part part;
    struct pool *pool;
    int r = name_check(name);

    *wrong = (struct bytes){"", 0};
    if (r == 0)
        r = part_with(NULL, ORIGIN_CONFIG, text, &part, wrong);
    if (r == 0 && !pool_has_room(core, name))
        r = -ENOBUFS;
    return r < 0 ? r : pool_put(core, name, ORIGIN_CONFIG, text, &pool);
}

int core_load_pool(struct core *core, struct bytes name, struct bytes text, const char **why)
{
    struct pool *pool = pool_find(core, name);
    struct pool_part part;
    struct bytes wrong;

    *why = name_check(name) < 0 ? "a pool has no name" : "out of memory";
    if (name_check(name) < 0)
        return -EINVAL;
    if (part_with(pool, ORIGIN_SET, text, &part, &wrong) < 0) {
        core_log(core, LOG_LEVEL_WARN, "event=pool_not_made pool=%.*s setting=\"%.*s\"", (int)name.size,
                 (const char *)name.data, (int)wrong.size, (const char *)wrong.data);
        return 0;
    }
    return pool_put(core, name, ORIGIN_SET, text, &pool);
}
