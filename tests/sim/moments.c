/* Minute by minute: see moments.h. */
#include "moments.h"

#include <string.h>
#include <time.h>

enum {
    MINUTE = 60,
    HOUR = 3600,
    DAY = 24 * HOUR,
    FIRST_CHANGE = 1700355600, /* 19 November 2023, 1:00 UTC: forward, and back at the next one */
    APART = 21 * DAY,
    CHANGES = 60,
    WINTER = HOUR,
    SUMMER = 2 * HOUR
};

#define ALL       UINT64_MAX
#define BIT(n)    (UINT64_C(1) << (n))
#define EVERY_DAY .days = (uint32_t)ALL, .weekdays = 127

/* Bits of each field. */
struct spec {
    const char *text;
    int64_t every_s; /* > 0: no other member counts */
    uint64_t seconds, minutes;
    uint32_t hours, days; /* days: of the month */
    uint8_t weekdays;
    bool last_day;               /* of the month, too */
    bool either;                 /* a day that fits either field is right */
    bool minute_star, hour_star; /* the field begins with one */
};

static const struct spec specs[SPECS] = {
    {.text = "@every 1s", .every_s = 1},
    {.text = "* * * * * *",
     .seconds = ALL,
     .minutes = ALL,
     .hours = (uint32_t)ALL,
     EVERY_DAY,
     .minute_star = true,
     .hour_star = true},
    {.text = "*/20 * * * * *",
     .seconds = BIT(0) | BIT(20) | BIT(40),
     .minutes = ALL,
     .hours = (uint32_t)ALL,
     EVERY_DAY,
     .minute_star = true,
     .hour_star = true},
    {.text = "@every 4h59.5m30s", .every_s = 5 * HOUR},
    {.text = "@every 1h30m", .every_s = 90 * MINUTE},
    {.text = "30 2 * * *", .seconds = 1, .minutes = BIT(30), .hours = BIT(2), EVERY_DAY},
    {.text = "*/30 1-3 * * *",
     .seconds = 1,
     .minutes = BIT(0) | BIT(30),
     .hours = BIT(1) | BIT(2) | BIT(3),
     EVERY_DAY,
     .minute_star = true},
    {.text = "15 */2 * * *",
     .seconds = 1,
     .minutes = BIT(15),
     .hours = 0x555555,
     EVERY_DAY,
     .hour_star = true},
    {.text = "@daily", .seconds = 1, .minutes = 1, .hours = 1, EVERY_DAY},
    {.text = "10 2,14 ? * SAT-Sun",
     .seconds = 1,
     .minutes = BIT(10),
     .hours = BIT(2) | BIT(14),
     .days = (uint32_t)ALL,
     .weekdays = BIT(6) | BIT(0)},
    {.text = "0 3 1,L * 3",
     .seconds = 1,
     .minutes = 1,
     .hours = BIT(3),
     .days = BIT(1),
     .weekdays = BIT(3),
     .last_day = true,
     .either = true},
    {.text = "45 2 */5 * 0-3",
     .seconds = 1,
     .minutes = BIT(45),
     .hours = BIT(2),
     .days = BIT(1) | BIT(6) | BIT(11) | BIT(16) | BIT(21) | BIT(26) | BIT(31),
     .weekdays = 15},
    {.text = "@monthly", .seconds = 1, .minutes = 1, .hours = 1, .days = BIT(1), .weekdays = 127},
};

static const struct bytes places[PLACES] = {{"UTC", 3}, {"Sim/East", 8}, {"Sim/Summer", 10}};

struct bytes spec_text(uint32_t spec)
{
    return (struct bytes){specs[spec].text, strlen(specs[spec].text)};
}

struct bytes place_name(uint32_t place)
{
    return places[place];
}

static bool same(struct bytes a, struct bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

int spec_of(struct bytes text)
{
    for (uint32_t i = 0; i < SPECS; i++)
        if (same(spec_text(i), text))
            return (int)i;
    return -1;
}

int place_of(struct bytes name)
{
    for (uint32_t i = 0; i < PLACES; i++)
        if (same(places[i], name))
            return (int)i;
    return -1;
}

/* ---- zones ---- */

/* The clocks around a moment. */
struct clocks {
    int64_t since_s;        /* the last change; 0: none before */
    int32_t offset, before; /* after and before that */
};

static struct clocks clocks_at(uint32_t place, int64_t at_s)
{
    int64_t n = at_s < FIRST_CHANGE ? 0 : (at_s - FIRST_CHANGE) / APART + 1;

    if (place == 0)
        return (struct clocks){0};
    if (place == 1)
        return (struct clocks){0, SUMMER, SUMMER};
    n = n < CHANGES ? n : CHANGES;
    return (struct clocks){n ? FIRST_CHANGE + (n - 1) * APART : 0, n % 2 ? SUMMER : WINTER,
                           n == 0 || n % 2 ? WINTER : SUMMER};
}

const struct zone *place_zone(uint32_t place)
{
    static union {
        struct zone zone;
        char room[sizeof(struct zone) + CHANGES * sizeof(struct zone_change)];
    } summer;
    static const struct zone utc, east = {.first_offset_s = SUMMER};

    if (place < 2)
        return place ? &east : &utc;
    summer.zone.first_offset_s = WINTER;
    summer.zone.changes_n = CHANGES;
    for (int i = 0; i < CHANGES; i++)
        summer.zone.changes[i] =
            (struct zone_change){FIRST_CHANGE + (int64_t)i * APART, i % 2 ? WINTER : SUMMER};
    return &summer.zone;
}

/* ---- moments ---- */

static bool day_fits(const struct spec *spec, const struct tm *local)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = local->tm_year + 1900;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0,
         last = local->tm_mday == lengths[local->tm_mon] + (local->tm_mon == 1 && leap),
         by_month = (spec->days >> local->tm_mday & 1) || (spec->last_day && last),
         by_week = spec->weekdays >> local->tm_wday & 1;

    return spec->either ? by_month || by_week : by_month && by_week;
}

static struct tm fields(int64_t local_s)
{
    time_t t = local_s;
    struct tm tm;

    gmtime_r(&t, &tm);
    return tm;
}

static bool hour_fits(const struct spec *spec, int64_t local_s)
{
    struct tm tm = fields(local_s);

    return (spec->hours >> tm.tm_hour & 1) && day_fits(spec, &tm);
}

static bool fits(const struct spec *spec, int64_t local_s)
{
    return (spec->seconds >> local_s % MINUTE & 1) && (spec->minutes >> local_s / MINUTE % 60 & 1) &&
           hour_fits(spec, local_s);
}

/* Whether the clocks went past a local time of the schedule. */
static bool in_gap(const struct spec *spec, const struct clocks *clocks)
{
    for (int64_t local = clocks->since_s + clocks->before; local < clocks->since_s + clocks->offset;
         local += MINUTE)
        if (fits(spec, local))
            return true;
    return false;
}

bool moment_is(uint32_t number, uint32_t place, int64_t at_s)
{
    const struct spec *spec = &specs[number];
    struct clocks clocks = clocks_at(place, at_s);

    if (spec->every_s)
        return at_s % spec->every_s == 0;
    if (at_s < clocks.since_s + clocks.before - clocks.offset && !spec->hour_star)
        return false; /* this hour has been before */
    if (at_s == clocks.since_s && !spec->minute_star && !spec->hour_star && in_gap(spec, &clocks))
        return true;
    return fits(spec, at_s + clocks.offset);
}

/* No moment in the hour that begins then. */
static bool hour_is_empty(const struct spec *spec, uint32_t place, int64_t at_s)
{
    struct clocks clocks = clocks_at(place, at_s);

    return at_s % HOUR == 0 && at_s != clocks.since_s && !hour_fits(spec, at_s + clocks.offset);
}

int64_t moment_next(uint32_t number, uint32_t place, int64_t after_s)
{
    const struct spec *spec = &specs[number];
    int64_t step = spec->seconds > 1 ? 1 : MINUTE, at = after_s / step * step + step;

    if (spec->every_s)
        return (after_s / spec->every_s + 1) * spec->every_s;
    for (int64_t end = at + (int64_t)MOMENT_DAYS_MAX * DAY; at < end;) {
        if (moment_is(number, place, at))
            return at;
        at += hour_is_empty(spec, place, at) ? HOUR : step;
    }
    return -1;
}

int64_t moment_last(uint32_t number, uint32_t place, int64_t after_s, int64_t until_s)
{
    const struct spec *spec = &specs[number];
    int64_t step = spec->every_s ? spec->every_s : spec->seconds > 1 ? 1 : MINUTE;

    for (int64_t at = until_s / step * step; at > after_s; at -= step)
        if (moment_is(number, place, at))
            return at;
    return -1;
}
