/*
 * Schedules: when something that recurs is due next, in a zone.
 *
 *     [second] minute hour day-of-month month day-of-week        0 if no second is given
 *
 * A field is a list of items with commas: `*` (all), a value, a range `a-b`, each with a step behind `/` if wanted;
 * a value with a step counts up to the end of the field. Months and days of the week have names of three letters in
 * either case; Sunday is 0 and 7, and a range of days may end with it. `L` is the last day of the month. `?` says the
 * same as `*`, in the two day fields only.
 *
 * A day field that begins with `*` or `?` does not restrict. When both day fields do, a day that fits either is right;
 * else it must fit both.
 *
 * Instead of the fields: @hourly @daily @midnight @weekly @monthly @yearly @annually, and `@every 1m30s`, whose moments
 * are the multiples of that duration since 1970 UTC, so that they stay where they are when somebody starts again.
 * Durations are numbers with ns, us, ms, s, m, h or d, perhaps with a fraction, and sums of them.
 *
 * When clocks are changed:
 *  - forward, local times of that day do not exist. A schedule of fixed times (neither its minute nor its hour field
 *    begins with `*`) is due once, at the first moment after the gap, for all that it missed in it. Others miss nothing
 *    that they would make up for: they go by the clock on the wall.
 *  - back, local times exist twice. A schedule whose hour field begins with `*` is due both times, any other the first
 *    time only.
 *
 * Nothing here has a clock, memory or state. Any thread; nothing blocks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "zone.h"

enum {
    CRON_TEXT_BYTES_MAX = 512,        /* of a schedule */
    CRON_ERROR_BYTES = 160,           /* of what is wrong with one, with the 0 behind it */
    CRON_SEARCH_DAYS_MAX = 10227 + 1, /* 28 years, and a day for clocks that changed meanwhile */
    CRON_EVERY_S_MIN = 1,
    CRON_EVERY_DAYS_MAX = 10227,
};

/* What cron_parse made of a text. A bit a value. */
struct cron {
    int64_t every_ns; /* > 0: @every, and no other member counts */
    uint64_t seconds, minutes;
    uint32_t hours;
    uint32_t days; /* of the month: bits 1 to 31; bit 0: the last day, whichever it is */
    uint16_t months;
    uint8_t weekdays;
    bool either_day; /* both day fields restrict */
    bool skips_gaps; /* minute or hour begin with `*` */
    bool repeats;    /* hour begins with `*` */
};

/*
 * Reads a schedule; `text` is borrowed for the call. 0, or, with one line in `error` that names the place (characters
 * from 1), the value and what would be right: -E2BIG: longer than CRON_TEXT_BYTES_MAX; -EINVAL: no schedule, or one
 * that can never be due, as on 30 February. *cron is set on success only.
 */
int cron_parse(struct bytes text, struct cron *cron, char error[static CRON_ERROR_BYTES]);

/*
 * The first moment strictly after `after_ns` at which the schedule is due; both are nanoseconds since 1970 UTC. It looks
 * at most at CRON_SEARCH_DAYS_MAX days, and at each of them at most twice and once more per change of the clocks.
 * -EINVAL: after_ns < -1. -ENOENT: not within 28 years, or not before 64 bits of nanoseconds end (in 2262).
 */
int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ns);

/*
 * The last moment at which it is due of those after `after_ns` and not after `until_ns`. It costs at most 64 times what
 * cron_next does. -EINVAL: after_ns < -1. -ENOENT: there is none.
 */
int64_t cron_last(const struct cron *cron, const struct zone *zone, int64_t after_ns, int64_t until_ns);
