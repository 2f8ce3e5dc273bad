/*
 * Schedules of chance against a search minute by minute, with the C library's own idea of local time: around changes of
 * the clocks of zones that differ in how they change them, and over whole years.
 *
 * A window is a table of minutes. Whether a minute is due is read off the table alone: what its fields are, whether the
 * same local time was there before, and which local times are missing before it.
 */
#include "cron_fixture.h"

#include <errno.h>
#include <stdlib.h>

enum { HOUR_MINUTES = 60, DAY_MINUTES = 1440, WINDOW_DAYS = 4, LEAD_MINUTES = DAY_MINUTES + 120 };
enum { WINDOWS_A_ZONE = 8, SCHEDULES_A_WINDOW = 40, YEAR_SCHEDULES = 60 };

static const char *const zones[] = {"UTC",
                                    "Europe/Berlin",
                                    "America/New_York",
                                    "Australia/Lord_Howe",
                                    "Asia/Kathmandu",
                                    "America/Sao_Paulo",
                                    "Africa/Casablanca",
                                    "Pacific/Apia"};

struct minute {
    int64_t local_s;
    uint8_t minute, hour, day, month, weekday;
    bool last_day;
};

struct window {
    int64_t start_s;
    int minutes;
    struct minute *table;
};

/* A schedule as the search sees it. */
struct plain {
    char text[CRON_TEXT_BYTES_MAX];
    bool minutes[60], hours[24], days[32], months[13], weekdays[7];
    bool last, day_star, weekday_star, minute_star, hour_star;
};

static void use_zone(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

static struct tm local(int64_t at_s)
{
    time_t at = (time_t)at_s;
    struct tm tm;

    localtime_r(&at, &tm);
    return tm;
}

static struct minute minute_of(int64_t local_s)
{
    time_t at = (time_t)local_s, next_day = at + 86400;
    struct tm tm, next;

    gmtime_r(&at, &tm);
    gmtime_r(&next_day, &next);
    return (struct minute){local_s,
                           (uint8_t)tm.tm_min,
                           (uint8_t)tm.tm_hour,
                           (uint8_t)tm.tm_mday,
                           (uint8_t)(tm.tm_mon + 1),
                           (uint8_t)tm.tm_wday,
                           next.tm_mday == 1};
}

static struct window window_new(int64_t start_s, int minutes)
{
    struct window w = {start_s, minutes, calloc((size_t)minutes, sizeof(struct minute))};

    for (int i = 0; i < minutes; i++)
        w.table[i] = minute_of(start_s + 60 * i + local(start_s + 60 * i).tm_gmtoff);
    return w;
}

static bool fits(const struct plain *p, const struct minute *m)
{
    bool by_month = p->days[m->day] || (p->last && m->last_day), by_week = p->weekdays[m->weekday];
    bool by_day = !p->day_star && !p->weekday_star ? by_month || by_week : by_month && by_week;

    return p->minutes[m->minute] && p->hours[m->hour] && p->months[m->month] && by_day;
}

static bool was_before(const struct window *w, int i)
{
    for (int k = i - 3 * HOUR_MINUTES; k < i; k++)
        if (k >= 0 && w->table[k].local_s == w->table[i].local_s)
            return true;
    return false;
}

static bool one_is_missing(const struct plain *p, const struct window *w, int i)
{
    for (int64_t s = w->table[i - 1].local_s + 60; s < w->table[i].local_s; s += 60) {
        struct minute m = minute_of(s);

        if (fits(p, &m))
            return true;
    }
    return false;
}

static bool due(const struct plain *p, const struct window *w, int i)
{
    if (fits(p, &w->table[i]) && (p->hour_star || !was_before(w, i)))
        return true;
    return !p->minute_star && !p->hour_star && one_is_missing(p, w, i);
}

/* Writes a field of chance behind the text; true: it begins with a star. */
static bool field(struct plain *p, uint64_t *seed, int min, int max, bool *set)
{
    size_t at = strlen(p->text);
    char *to = p->text + at;
    size_t size = sizeof(p->text) - at;
    int low = min + (int)chance(seed, (uint32_t)(max - min + 1)), high = low, step = 1;
    uint32_t form = chance(seed, 10);

    if (form < 3)
        low = min, high = max, snprintf(to, size, "* ");
    else if (form < 5)
        low = min, high = max, step = 1 + (int)chance(seed, (uint32_t)max), snprintf(to, size, "*/%d ", step);
    else if (form < 7)
        snprintf(to, size, "%d ", low);
    else if (form < 8)
        high = max, step = 1 + (int)chance(seed, (uint32_t)max), snprintf(to, size, "%d/%d ", low, step);
    else if (form < 9)
        high = low + (int)chance(seed, (uint32_t)(max - low + 1)), snprintf(to, size, "%d-%d ", low, high);
    else {
        int also = min + (int)chance(seed, (uint32_t)(max - min + 1));
        snprintf(to, size, "%d,%d ", low, also);
        set[also] = true;
    }
    for (int i = low; i <= high; i += step)
        set[i] = true;
    return form < 5;
}

/* Hours are around those at which clocks change, half of the time. */
static bool hour_field(struct plain *p, uint64_t *seed)
{
    size_t at = strlen(p->text);
    uint32_t hour = chance(seed, 4);

    if (chance(seed, 2))
        return field(p, seed, 0, 23, p->hours);
    snprintf(p->text + at, sizeof(p->text) - at, "%u ", hour);
    p->hours[hour] = true;
    return false;
}

static struct plain plain_random(uint64_t *seed)
{
    struct plain p = {0};

    p.minute_star = field(&p, seed, 0, 59, p.minutes);
    p.hour_star = hour_field(&p, seed);
    p.day_star = field(&p, seed, 1, 31, p.days);
    if (chance(seed, 8) == 0) {
        p.text[strlen(p.text) - 1] = 0;
        strcat(p.text, ",L ");
        p.last = true;
    }
    field(&p, seed, 1, 12, p.months);
    p.weekday_star = field(&p, seed, 0, 6, p.weekdays);
    return p;
}

static int64_t next_s(const struct cron *cron, const struct zone *zone, int64_t after_ns)
{
    int64_t ns = cron_next(cron, zone, after_ns);

    if (ns >= 0) {
        assert_true(ns > after_ns);
        assert_int_equal(ns % second_ns, 0);
        assert_int_equal(cron_next(cron, zone, ns - 1), ns);
    }
    return ns < 0 ? INT64_MAX : ns / second_ns;
}

/* All moments of the window, and from every minute in between the same next one. Gives how many there are. */
static int check_window(const struct plain *p, const struct zone *zone, const struct window *w,
                        uint64_t *seed)
{
    struct cron cron = cron_of(p->text);
    int64_t next = next_s(&cron, zone, (w->start_s + 60 * LEAD_MINUTES) * second_ns - 1);
    int found = 0;

    for (int i = LEAD_MINUTES; i < w->minutes; i++) {
        int64_t now = w->start_s + 60 * i;
        bool is_due = due(p, w, i);

        if (is_due != (next == now))
            fail_msg("'%s' in %s: %s at %lld, and next is %lld", p->text, getenv("TZ"),
                     is_due ? "due" : "not due", (long long)now, (long long)next);
        found += is_due;
        if (is_due)
            next = next_s(&cron, zone, now * second_ns);
        else if (chance(seed, 400) == 0)
            assert_int_equal(next_s(&cron, zone, now * second_ns), next);
    }
    return found;
}

/* The first day from `day` on in which the clocks change, by noons in UTC; -1: none for ten years. */
static int64_t change_after(int64_t day)
{
    for (int64_t end = day + 3653; day < end; day++)
        if (local(day * 86400).tm_gmtoff != local((day + 1) * 86400).tm_gmtoff)
            return day;
    return -1;
}

static int check_zone(const char *name, uint64_t *seed)
{
    struct zone *zone = zone_of(name);
    int found = 0;

    use_zone(name);
    for (int i = 0; i < WINDOWS_A_ZONE; i++) {
        int64_t day = 3 + chance(seed, 120 * 365), change = change_after(day);
        struct window w = window_new(((change < 0 ? day : change) - 2) * 86400, WINDOW_DAYS * DAY_MINUTES);

        for (int k = 0; k < SCHEDULES_A_WINDOW; k++) {
            struct plain p = plain_random(seed);
            struct cron cron;
            char error[CRON_ERROR_BYTES];

            if (cron_parse((struct bytes){p.text, strlen(p.text)}, &cron, error) == 0)
                found += check_window(&p, zone, &w, seed);
            else
                assert_non_null(strstr(error, "none of the months has it"));
        }
        free(w.table);
    }
    zone_delete(zone);
    return found;
}

static void test_chance_around_changes_of_the_clocks(void **state)
{
    uint64_t seed = 20240331;

    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        assert_true(check_zone(zones[i], &seed) > 1000);
}

static void check_year(const char *name, const char *start, uint64_t seed)
{
    struct zone *zone = zone_of(name);
    int found = 0;

    use_zone(name);
    struct window w = window_new(utc_s(start), 366 * DAY_MINUTES);
    for (int i = 0; i < YEAR_SCHEDULES; i++) {
        struct plain p;
        struct cron cron;
        char error[CRON_ERROR_BYTES];

        do
            p = plain_random(&seed);
        while (cron_parse((struct bytes){p.text, strlen(p.text)}, &cron, error) < 0);
        found += check_window(&p, zone, &w, &seed);
    }
    assert_true(found > 1000);
    free(w.table);
    zone_delete(zone);
}

static void test_chance_over_a_year(void **state)
{
    check_year("Europe/Berlin", "2024-01-01 00:00:00", 1);
    check_year("Pacific/Apia", "2011-03-01 00:00:00", 2); /* with a day that was left out */
}

/* A later start never has an earlier next moment. */
static void test_later_starts_have_later_moments(void **state)
{
    uint64_t seed = 3;

    for (int i = 0; i < 200; i++) {
        struct plain p = plain_random(&seed);
        struct zone *zone = zone_of(zones[(size_t)i % (sizeof zones / sizeof *zones)]);
        char error[CRON_ERROR_BYTES];
        struct cron cron;
        int64_t before = 0, at = chance(&seed, 1000000000) * second_ns;

        if (cron_parse((struct bytes){p.text, strlen(p.text)}, &cron, error) == 0)
            for (int k = 0; k < 50; k++, at += chance(&seed, 1000000) * (second_ns / 1000 + 1)) {
                int64_t next = cron_next(&cron, zone, at);

                assert_true(next > at && next >= before);
                before = next;
            }
        zone_delete(zone);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chance_around_changes_of_the_clocks),
        cmocka_unit_test(test_chance_over_a_year),
        cmocka_unit_test(test_later_starts_have_later_moments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
