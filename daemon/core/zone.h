/*
 * A time zone as data: when its clocks changed, and to what. The core only reads it; daemon/zone_file.h makes it.
 *
 * Invariants (zone_check): changes are sorted, each really changes the offset, and they lie further apart than any
 * change of the clocks is long. So a local time exists at most twice, and then on both sides of one change.
 * Before the first change the first offset holds, after the last one the last: there is no rule to evaluate, the years
 * up to the last moment that 64-bit nanoseconds can count are all written down.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    ZONE_NAME_BYTES_MAX = 64,
    ZONE_OFFSET_S_MAX = 26 * 3600,               /* either way */
    ZONE_CHANGES_APART_S = 2 * ZONE_OFFSET_S_MAX /* the longest change there can be */
};

struct zone_change {
    int64_t at_s;     /* seconds since 1970 UTC of the first moment with the new offset */
    int32_t offset_s; /* local time less UTC */
};

struct zone {
    int32_t first_offset_s; /* before the first change */
    size_t changes_n;
    struct zone_change changes[];
};

/* The time between two changes. */
struct zone_span {
    int64_t start_s, end_s; /* UTC, [start, end); INT64_MIN and INT64_MAX where there is no change */
    int32_t offset_s;
    int32_t before_s; /* the offset before its start; its own for the first span */
};

/* Whether the invariants hold: 0 or -EINVAL. */
int zone_check(const struct zone *zone);
/* Which span holds this moment: 0 to changes_n. */
size_t zone_span_of(const struct zone *zone, int64_t at_s);
struct zone_span zone_span(const struct zone *zone, size_t index);
