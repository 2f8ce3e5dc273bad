/* Spans between the changes of a zone (zone.h). */
#include "zone.h"

#include <errno.h>
#include <stdbool.h>

static int32_t offset_before(const struct zone *zone, size_t change)
{
    return change > 0 ? zone->changes[change - 1].offset_s : zone->first_offset_s;
}

static bool offset_possible(int32_t offset_s)
{
    return offset_s >= -ZONE_OFFSET_S_MAX && offset_s <= ZONE_OFFSET_S_MAX;
}

/* No difference of two times that somebody else wrote may overflow. */
static bool far_enough(int64_t before_s, int64_t at_s)
{
    int64_t apart;

    return __builtin_sub_overflow(at_s, before_s, &apart) ? at_s > before_s : apart > ZONE_CHANGES_APART_S;
}

int zone_check(const struct zone *zone)
{
    if (!offset_possible(zone->first_offset_s))
        return -EINVAL;
    for (size_t i = 0; i < zone->changes_n; i++) {
        const struct zone_change *change = &zone->changes[i];

        if (!offset_possible(change->offset_s) || change->offset_s == offset_before(zone, i))
            return -EINVAL;
        if (i > 0 && !far_enough(change[-1].at_s, change->at_s))
            return -EINVAL;
    }
    return 0;
}

size_t zone_span_of(const struct zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->changes_n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->changes[middle].at_s <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct zone_span zone_span(const struct zone *zone, size_t index)
{
    return (struct zone_span){
        .start_s = index > 0 ? zone->changes[index - 1].at_s : INT64_MIN,
        .end_s = index < zone->changes_n ? zone->changes[index].at_s : INT64_MAX,
        .offset_s = offset_before(zone, index),
        .before_s = index > 0 ? offset_before(zone, index - 1) : zone->first_offset_s,
    };
}
