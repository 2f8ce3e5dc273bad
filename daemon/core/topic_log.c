#include "topic_log.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core_internal.h"

enum { BLOCKS_FIRST = 4 };

void topic_log_init(struct topic_log *log)
{
    *log = (struct topic_log){.size = 1};
    log->block = &log->one;
}

void topic_log_free(struct core *core, struct topic_log *log)
{
    if (log->block != &log->one)
        core_free(core, log->block);
    topic_log_init(log);
}

static struct topic_block *block_at(const struct topic_log *log, size_t i)
{
    return &log->block[log->head + i];
}

static struct topic_block *block_last(const struct topic_log *log)
{
    return log->blocks ? block_at(log, log->blocks - 1) : NULL;
}

/* ---- room ---- */

static void close_up(struct topic_log *log)
{
    memmove(log->block, log->block + log->head, log->blocks * sizeof(*log->block));
    log->head = 0;
}

/* Room for one more behind the last. False: memory is out. */
static bool make_room(struct core *core, struct topic_log *log)
{
    size_t size = log->size < BLOCKS_FIRST ? BLOCKS_FIRST : 2 * log->size;
    struct topic_block *more;

    if (log->head + log->blocks < log->size)
        return true;
    if (log->head && log->head >= log->blocks) {
        close_up(log);
        return true;
    }
    more = core_resize(core, log->block == &log->one ? NULL : log->block, size * sizeof(*more));
    if (!more)
        return false;
    if (log->block == &log->one)
        more[0] = log->one;
    log->block = more;
    log->size = size;
    return true;
}

/* ---- growing ---- */

static uint64_t share(uint64_t bound)
{
    return bound / TOPIC_BLOCK_SHARE > 1 ? bound / TOPIC_BLOCK_SHARE : 1;
}

/* The block takes no message of that size and time any more. */
static bool is_whole(const struct topic_block *block, const struct topic_bounds *bounds, uint64_t bytes,
                     int64_t time_us)
{
    if (block->messages >= TOPIC_BLOCK_MESSAGES)
        return true;
    if (bounds->messages && block->messages >= share(bounds->messages))
        return true;
    if (bounds->bytes && block->bytes + bytes > share(bounds->bytes))
        return true;
    return bounds->age_us && time_us - block->first_us > bounds->age_us / TOPIC_BLOCK_SHARE;
}

/* Of the one behind the last. */
static uint64_t before_next(const struct topic_log *log)
{
    const struct topic_block *last = block_last(log);

    return last ? last->before + last->messages : 0;
}

static void block_add(struct topic_block *block, uint64_t sequence, uint64_t bytes, int64_t time_us)
{
    block->last = sequence;
    block->last_us = time_us;
    block->messages++;
    block->bytes += bytes;
}

void topic_log_append(struct core *core, struct topic_log *log, const struct topic_bounds *bounds,
                      uint64_t sequence, uint64_t bytes, int64_t time_us)
{
    struct topic_block *last = block_last(log);
    uint64_t before = before_next(log);

    if ((!last || log->told == log->blocks || is_whole(last, bounds, bytes, time_us)) &&
        make_room(core, log)) {
        last = block_at(log, log->blocks++);
        *last = (struct topic_block){.first = sequence, .first_us = time_us, .before = before};
    }
    if (log->told == log->blocks)
        log->told--; /* no memory: the store is told of this block again, as it is then */
    block_add(last, sequence, bytes, time_us);
    log->messages++;
    log->bytes += bytes;
    log->last = sequence;
}

bool topic_log_takes(const struct topic_log *log, uint64_t sequence)
{
    const struct topic_block *last = block_last(log);

    return !last || sequence > last->last;
}

static bool makes_sense(const struct topic_log *log, const struct topic_block *block)
{
    return block->messages && topic_log_takes(log, block->first) && block->last >= block->first &&
           block->last - block->first >= block->messages - 1 && block->last_us >= block->first_us;
}

int topic_log_load(struct core *core, struct topic_log *log, const struct topic_block *block)
{
    if (!makes_sense(log, block))
        return -EINVAL;
    if (!make_room(core, log))
        return -ENOMEM;
    *block_at(log, log->blocks) = *block;
    block_at(log, log->blocks)->before = before_next(log);
    log->blocks++;
    log->told = log->blocks;
    log->messages += block->messages;
    log->bytes += block->bytes;
    log->last = block->last;
    return 0;
}

const struct topic_block *topic_log_untold(const struct topic_log *log)
{
    return log->told + 1 < log->blocks ? block_at(log, log->told) : NULL;
}

void topic_log_tell(struct topic_log *log)
{
    log->told++;
}

/* ---- bounds ---- */

bool topic_log_is_full(const struct topic_log *log, const struct topic_bounds *bounds, uint64_t bytes)
{
    return (bounds->messages && log->messages >= bounds->messages) ||
           (bounds->bytes && log->bytes + bytes > bounds->bytes);
}

static bool is_over(const struct topic_bounds *bounds, uint64_t messages, uint64_t bytes)
{
    return (bounds->messages && messages > bounds->messages) || (bounds->bytes && bytes > bounds->bytes);
}

size_t topic_log_excess(const struct topic_log *log, const struct topic_bounds *bounds, int64_t now_us)
{
    uint64_t messages = log->messages, bytes = log->bytes;
    size_t n = 0;

    for (; n < log->blocks; n++) {
        const struct topic_block *block = block_at(log, n);
        bool old = bounds->age_us && now_us - block->last_us > bounds->age_us;
        if (!old && (n + 1 == log->blocks || !is_over(bounds, messages, bytes)))
            break;
        messages -= block->messages;
        bytes -= block->bytes;
    }
    return n;
}

size_t topic_log_within(const struct topic_log *log, size_t n, int64_t messages)
{
    size_t i = 0;

    for (; i < n && messages > 0; i++)
        messages -= (int64_t)block_at(log, i)->messages;
    return i;
}

int64_t topic_log_due_us(const struct topic_log *log, const struct topic_bounds *bounds)
{
    int64_t due;

    if (!bounds->age_us || !log->blocks ||
        __builtin_add_overflow(block_at(log, 0)->last_us, bounds->age_us + 1, &due))
        return INT64_MAX;
    return due;
}

uint64_t topic_log_end_of(const struct topic_log *log, size_t n)
{
    return block_at(log, n - 1)->last;
}

void topic_log_drop(struct topic_log *log, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        log->messages -= block_at(log, i)->messages;
        log->bytes -= block_at(log, i)->bytes;
    }
    log->head = log->blocks == n ? 0 : log->head + n;
    log->blocks -= n;
    log->told -= log->told < n ? log->told : n;
}

const struct topic_block *topic_log_cut(struct topic_log *log, uint64_t sequence,
                                        const struct topic_rest *rest)
{
    size_t n = 0;

    while (n < log->blocks && block_at(log, n)->last <= sequence)
        n++;
    topic_log_drop(log, n);
    if (!log->blocks || block_at(log, 0)->first > sequence)
        return NULL;
    struct topic_block *block = block_at(log, 0);
    log->messages -= block->messages - rest->messages;
    log->bytes -= block->bytes - rest->bytes;
    block->before += block->messages - rest->messages;
    block->first = rest->first;
    block->first_us = rest->first_us;
    block->messages = rest->messages;
    block->bytes = rest->bytes;
    return log->told ? block : NULL;
}

size_t topic_log_pieces(const struct topic_log *log, uint64_t sequence, uint64_t messages, uint64_t *end)
{
    uint64_t some = 0;
    size_t pieces = 0;

    for (size_t i = 0; i < log->blocks && block_at(log, i)->last < sequence; i++) {
        some += block_at(log, i)->messages;
        if (some < messages)
            continue;
        if (end)
            end[pieces] = block_at(log, i)->last;
        pieces++;
        some = 0;
    }
    if (end)
        end[pieces] = sequence;
    return pieces + 1;
}

/* ---- looking ---- */

uint64_t topic_log_first(const struct topic_log *log)
{
    return log->blocks ? block_at(log, 0)->first : 0;
}

/* How many blocks are wholly before a sequence, or a time. */
static size_t blocks_before(const struct topic_log *log, uint64_t sequence, int64_t time_us)
{
    size_t low = 0, high = log->blocks;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct topic_block *block = block_at(log, middle);

        if (block->last < sequence || block->last_us < time_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct topic_block *topic_log_block(const struct topic_log *log, uint64_t sequence)
{
    size_t n = blocks_before(log, sequence + 1, INT64_MIN);

    return n < log->blocks && block_at(log, n)->first <= sequence ? block_at(log, n) : NULL;
}

const struct topic_block *topic_log_nth(const struct topic_log *log, uint64_t *n)
{
    size_t i = 0;

    while (*n >= block_at(log, i)->messages)
        *n -= block_at(log, i++)->messages;
    return block_at(log, i);
}

uint64_t topic_log_at(const struct topic_log *log, int64_t time_us)
{
    size_t n = blocks_before(log, 0, time_us);

    return n < log->blocks ? block_at(log, n)->first : log->last + 1;
}

static uint64_t part_behind(const struct topic_block *block, uint64_t sequence)
{
    uint64_t apart = (block->last - block->first + 1) / block->messages;
    uint64_t n = sequence < block->first ? block->messages : (block->last - sequence) / apart;

    return n < block->messages ? n : block->messages;
}

uint64_t topic_log_behind(const struct topic_log *log, uint64_t sequence)
{
    size_t i = blocks_before(log, sequence, INT64_MIN);

    if (i == log->blocks)
        return 0;
    const struct topic_block *block = block_at(log, i);
    return before_next(log) - block->before - block->messages + part_behind(block, sequence);
}

void topic_log_check(const struct topic_log *log)
{
    uint64_t messages = 0, bytes = 0, last = 0, first = log->blocks ? block_at(log, 0)->before : 0;
    int64_t time_us = INT64_MIN;

    for (size_t i = 0; i < log->blocks; i++) {
        const struct topic_block *block = block_at(log, i);
        assert(block->messages && block->first > last && block->first_us >= time_us &&
               block->before == first + messages && "blocks of a topic follow each other and have messages");
        messages += block->messages;
        bytes += block->bytes;
        last = block->last;
        time_us = block->last_us;
    }
    assert(messages == log->messages && bytes == log->bytes && last <= log->last &&
           log->told <= log->blocks && "a topic counts what its blocks have");
}
