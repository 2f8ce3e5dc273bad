/*
 * The bytes of a zone file: a header and a block with times of 32 bits, which is skipped, then both again with 64 bits,
 * then a line with the rule for later years.
 *
 * Invariant: nothing is read before take() has given it; counts come from the file and prove nothing.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "cleanup.h"
#include "zone_file.h"
#include "zone_rule.h"

enum {
    TIME_BYTES = 8,
    OLD_TIME_BYTES = 4,
    TYPE_BYTES = 6,
    LEAP_BYTES = 4,
    VERSION_AT = 4,
    COUNTS_AT = 20,
    HEADER_BYTES = 44
};
enum { YEAR_FIRST = 1969, YEAR_LAST = 2262, CHANGES_OF_RULE = 2 * (YEAR_LAST - YEAR_FIRST + 1) };

static const int64_t kept_from_s = -31536000;            /* 1969-01-01 */
static const int64_t kept_to_s = INT64_MAX / 1000000000; /* all that nanoseconds can count */

DEFINE_CLEANUP(struct zone *, zone_delete)

struct reader {
    const uint8_t *at, *end;
};

struct header {
    uint32_t utc_flags, standard_flags, leaps, times, types, name_bytes;
};

/* The next bytes, or NULL. */
static const uint8_t *take(struct reader *r, uint64_t size)
{
    const uint8_t *at = r->at;

    if (size > (uint64_t)(r->end - r->at))
        return NULL;
    r->at += size;
    return at;
}

static uint64_t big_endian(const uint8_t *at, int bytes)
{
    uint64_t n = 0;

    for (int i = 0; i < bytes; i++)
        n = n << 8 | at[i];
    return n;
}

static bool read_header(struct reader *r, struct header *h)
{
    uint32_t *counts[] = {&h->utc_flags, &h->standard_flags, &h->leaps, &h->times, &h->types, &h->name_bytes};
    const uint8_t *at = take(r, HEADER_BYTES);

    if (!at || memcmp(at, "TZif", VERSION_AT) != 0 || at[VERSION_AT] < '2')
        return false;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        *counts[i] = (uint32_t)big_endian(at + COUNTS_AT + 4 * i, 4);
    return true;
}

/* What lies behind the types. */
static uint64_t rest_bytes(const struct header *h, int time_bytes)
{
    return h->name_bytes + (uint64_t)h->leaps * (uint64_t)(time_bytes + LEAP_BYTES) + h->standard_flags +
           h->utc_flags;
}

static bool skip_old_block(struct reader *r)
{
    struct header h;

    return read_header(r, &h) && take(r, (uint64_t)h.times * (OLD_TIME_BYTES + 1) +
                                             (uint64_t)h.types * TYPE_BYTES + rest_bytes(&h, OLD_TIME_BYTES));
}

static int32_t offset_now(const struct zone *zone)
{
    return zone->changes_n > 0 ? zone->changes[zone->changes_n - 1].offset_s : zone->first_offset_s;
}

/* Adds a change, unless it changes nothing. What happens at the same moment replaces what was before. */
static void append(struct zone *zone, struct zone_change change)
{
    if (change.at_s < kept_from_s) {
        zone->first_offset_s = change.offset_s;
        return;
    }
    if (zone->changes_n > 0 && zone->changes[zone->changes_n - 1].at_s == change.at_s)
        zone->changes_n--;
    if (change.offset_s != offset_now(zone))
        zone->changes[zone->changes_n++] = change;
}

struct block {
    const uint8_t *times, *indices, *types;
    struct header header;
};

static bool read_block(struct reader *r, struct block *block)
{
    struct header *h = &block->header;

    if (!read_header(r, h) || h->leaps > 0 || h->types == 0)
        return false;
    block->times = take(r, (uint64_t)h->times * TIME_BYTES);
    block->indices = take(r, h->times);
    block->types = take(r, (uint64_t)h->types * TYPE_BYTES);
    return block->times && block->indices && block->types && take(r, rest_bytes(h, TIME_BYTES));
}

static int32_t type_offset(const struct block *block, uint32_t type)
{
    return (int32_t)(uint32_t)big_endian(block->types + (size_t)type * TYPE_BYTES, 4);
}

/* The changes that the file lists; false: they are in no order, or of no type. */
static bool append_listed(const struct block *block, struct zone *zone)
{
    int64_t before = INT64_MIN;

    zone->first_offset_s = type_offset(block, 0);
    for (uint32_t i = 0; i < block->header.times; i++) {
        int64_t at = (int64_t)big_endian(block->times + (size_t)i * TIME_BYTES, TIME_BYTES);

        if (block->indices[i] >= block->header.types || (i > 0 && at <= before))
            return false;
        append(zone, (struct zone_change){at, type_offset(block, block->indices[i])});
        before = at;
    }
    return true;
}

/* The changes of the rule behind the last one listed. */
static void append_rule(const struct zone_rule *rule, int64_t behind_s, struct zone *zone)
{
    struct zone_change two[2];
    int year = behind_s < 0 ? YEAR_FIRST : calendar_date(behind_s / DAY_S).year;

    for (; year <= YEAR_LAST; year++) {
        zone_rule_year(rule, year, two);
        for (int i = 0; i < 2; i++)
            if (two[i].at_s > behind_s)
                append(zone, two[i]);
    }
}

static int64_t last_listed(const struct block *block)
{
    uint32_t n = block->header.times;

    return n > 0 ? (int64_t)big_endian(block->times + (size_t)(n - 1) * TIME_BYTES, TIME_BYTES) : INT64_MIN;
}

/* The line at the end; an empty one says that nothing changes any more. */
static int read_rule(struct reader *r, const struct block *block, struct zone *zone)
{
    const uint8_t *start = take(r, 1), *end;
    int64_t behind_s = last_listed(block);
    struct zone_rule rule;
    int e;

    if (!start || *start != '\n' || !(end = memchr(r->at, '\n', (size_t)(r->end - r->at))))
        return -EBADMSG;
    if (end == r->at)
        return 0;
    e = zone_rule_parse((struct bytes){r->at, (size_t)(end - r->at)}, &rule);
    if (e == 0 && rule.changes && behind_s < kept_to_s)
        append_rule(&rule, behind_s, zone);
    return e;
}

static struct zone *zone_new(uint32_t listed)
{
    return calloc(1, sizeof(struct zone) + ((size_t)listed + CHANGES_OF_RULE) * sizeof(struct zone_change));
}

int zone_data_read(struct bytes data, struct zone **out)
{
    struct reader r = {data.data, (const uint8_t *)data.data + data.size};
    _cleanup_(zone_deletep) struct zone *zone = NULL;
    struct block block;
    int e;

    if (!skip_old_block(&r) || !read_block(&r, &block))
        return -EBADMSG;
    zone = zone_new(block.header.times);
    if (!zone)
        return -ENOMEM;
    if (!append_listed(&block, zone))
        return -EBADMSG;
    e = read_rule(&r, &block, zone);
    if (e < 0)
        return e;
    if (zone_check(zone) < 0)
        return -EBADMSG;
    *out = zone;
    zone = NULL;
    return 0;
}
