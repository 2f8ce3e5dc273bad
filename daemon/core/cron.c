/*
 * The next moment of a schedule (cron.h).
 *
 * The search goes span by span of the zone: within one, local time is UTC and an offset, so it is a search in the
 * calendar. What is due at a change of the clocks is decided at the start of the span behind it.
 *
 * Invariant: whether a moment is due does not depend on where the search began.
 */
#include "cron.h"

#include <errno.h>

#include "calendar.h"

enum { HOUR_S = 3600, MINUTE_S = 60 };

static const int64_t second_ns = 1000000000;

static int lowest_from(uint64_t set, int from)
{
    uint64_t rest = from < 64 ? set >> from : 0;

    return rest ? from + __builtin_ctzll(rest) : -1;
}

/* The first second of an hour, `from` or later, that fits; -1: none. */
static int in_hour(const struct cron *cron, int from)
{
    for (int m = lowest_from(cron->minutes, from / MINUTE_S); m >= 0; m = lowest_from(cron->minutes, m + 1)) {
        int past = from > m * MINUTE_S ? from - m * MINUTE_S : 0;
        int second = lowest_from(cron->seconds, past);

        if (second >= 0)
            return m * MINUTE_S + second;
    }
    return -1;
}

/* The same of a day. */
static int in_day(const struct cron *cron, int from)
{
    for (int h = lowest_from(cron->hours, from / HOUR_S); h >= 0; h = lowest_from(cron->hours, h + 1)) {
        int second = in_hour(cron, from > h * HOUR_S ? from - h * HOUR_S : 0);

        if (second >= 0)
            return h * HOUR_S + second;
    }
    return -1;
}

static bool month_fits(const struct cron *cron, const struct date *date)
{
    return cron->months >> date->month & 1;
}

static bool day_fits(const struct cron *cron, const struct date *date)
{
    bool last = (cron->days & 1) && date->day == calendar_month_days(date->year, date->month);
    bool by_month = last || (cron->days >> date->day & 1);
    bool by_week = cron->weekdays >> date->weekday & 1;

    return month_fits(cron, date) && (cron->either_day ? by_month || by_week : by_month && by_week);
}

/* Days to the next one worth a look: no day of a month that does not fit is. */
static int days_on(const struct cron *cron, const struct date *date)
{
    return month_fits(cron, date) ? 1 : calendar_month_days(date->year, date->month) - date->day + 1;
}

static int64_t day_of(int64_t local_s)
{
    return local_s / DAY_S - (local_s % DAY_S < 0);
}

/* The first local second in [from, end) that fits, or false. */
static bool find_local(const struct cron *cron, int64_t from, int64_t end, int64_t *found)
{
    struct date date;

    for (int64_t day = day_of(from); day * DAY_S < end; day += days_on(cron, &date)) {
        int64_t start = day * DAY_S;
        int second;

        date = calendar_date(day);
        if (!day_fits(cron, &date))
            continue;
        second = in_day(cron, from > start ? (int)(from - start) : 0);
        if (second >= 0) {
            *found = start + second;
            return *found < end;
        }
    }
    return false;
}

/* Whether the change before this span swallowed a time that must be made up for. */
static bool missed_in_gap(const struct cron *cron, const struct zone_span *span)
{
    int64_t local;

    return !cron->skips_gaps && span->offset_s > span->before_s &&
           find_local(cron, span->start_s + span->before_s, span->start_s + span->offset_s, &local);
}

/* Where the first local times of a span are, after those that the span before had already. */
static int64_t first_new(const struct cron *cron, const struct zone_span *span)
{
    bool back = span->offset_s < span->before_s;

    return back && !cron->repeats ? span->start_s + span->before_s - span->offset_s : span->start_s;
}

/* The first moment of [from, end) within a span, or -1. */
static int64_t find_in_span(const struct cron *cron, const struct zone_span *span, int64_t from, int64_t end)
{
    int64_t first = first_new(cron, span), local;

    if (from <= span->start_s && missed_in_gap(cron, span))
        return span->start_s;
    if (from < first)
        from = first;
    if (end > span->end_s)
        end = span->end_s;
    if (from >= end || !find_local(cron, from + span->offset_s, end + span->offset_s, &local))
        return -1;
    return local - span->offset_s;
}

static int64_t to_ns(int64_t at_s)
{
    return at_s <= INT64_MAX / second_ns ? at_s * second_ns : -ENOENT;
}

static int64_t find(const struct cron *cron, const struct zone *zone, int64_t from)
{
    const int64_t end = from + (int64_t)CRON_SEARCH_DAYS_MAX * DAY_S;

    for (size_t i = zone_span_of(zone, from); i <= zone->changes_n; i++) {
        struct zone_span span = zone_span(zone, i);

        if (span.start_s >= end)
            break;
        int64_t at = find_in_span(cron, &span, from, end);
        if (at >= 0)
            return to_ns(at);
    }
    return -ENOENT;
}

static int64_t next_multiple(int64_t every_ns, int64_t after_ns)
{
    int64_t next;

    if (after_ns < 0)
        return 0;
    return __builtin_add_overflow(after_ns - after_ns % every_ns, every_ns, &next) ? -ENOENT : next;
}

int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ns)
{
    if (after_ns < -1)
        return -EINVAL;
    if (cron->every_ns > 0)
        return next_multiple(cron->every_ns, after_ns);
    return find(cron, zone, after_ns < 0 ? 0 : after_ns / second_ns + 1);
}

/* Between `low`, which is such a moment, and `high`, after which there is none until the end, by halving. */
int64_t cron_last(const struct cron *cron, const struct zone *zone, int64_t after_ns, int64_t until_ns)
{
    int64_t low = cron_next(cron, zone, after_ns), high = until_ns;

    if (low < 0 || low > until_ns)
        return low == -EINVAL ? low : -ENOENT;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int64_t next = cron_next(cron, zone, middle);

        if (next >= 0 && next <= until_ns)
            low = next;
        else
            high = middle;
    }
    return low;
}
