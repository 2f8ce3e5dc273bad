/* The rule of a zone file (zone_rule.h). The reader looks at bytes up to `end` and knows no locale. */
#include "zone_rule.h"

#include <errno.h>
#include <string.h>

#include "calendar.h"

enum { HOUR_S = 3600, MINUTE_S = 60, CHANGE_S_DEFAULT = 2 * HOUR_S };
enum { OFFSET_HOURS_MAX = 24, CHANGE_HOURS_MAX = 167, NAME_BYTES_MIN = 3 };

struct reader {
    const char *at, *end;
};

static bool accept(struct reader *r, char c)
{
    bool yes = r->at < r->end && *r->at == c;

    r->at += yes;
    return yes;
}

static bool at_letter(const struct reader *r)
{
    return r->at < r->end && ((*r->at >= 'A' && *r->at <= 'Z') || (*r->at >= 'a' && *r->at <= 'z'));
}

static bool at_digit(const struct reader *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

static bool read_number(struct reader *r, int min, int max, int *number)
{
    int n = 0;

    if (!at_digit(r))
        return false;
    for (; at_digit(r) && n <= max; r->at++)
        n = n * 10 + (*r->at - '0');
    *number = n;
    return n >= min && n <= max;
}

/* The name of a time, which nobody asks for. */
static bool read_name(struct reader *r)
{
    const char *start = r->at;

    if (accept(r, '<')) {
        while (at_letter(r) || at_digit(r) || (r->at < r->end && strchr("+-", *r->at)))
            r->at++;
        return accept(r, '>');
    }
    while (at_letter(r))
        r->at++;
    return r->at - start >= NAME_BYTES_MIN;
}

/* [+-]hours[:minutes[:seconds]] */
static bool read_time(struct reader *r, int hours_max, int32_t *time_s)
{
    int sign = accept(r, '-') ? -1 : 1, hours, minutes = 0, seconds = 0;

    if (sign > 0)
        accept(r, '+');
    if (!read_number(r, 0, hours_max, &hours))
        return false;
    if (accept(r, ':')) {
        if (!read_number(r, 0, 59, &minutes) || (accept(r, ':') && !read_number(r, 0, 59, &seconds)))
            return false;
    }
    *time_s = sign * (hours * HOUR_S + minutes * MINUTE_S + seconds);
    return true;
}

/* A rule counts what is west of Greenwich as positive. */
static bool read_offset(struct reader *r, int32_t *offset_s)
{
    bool ok = read_time(r, OFFSET_HOURS_MAX, offset_s);

    *offset_s = ok ? -*offset_s : 0;
    return ok;
}

static bool read_date(struct reader *r, struct zone_rule_day *day)
{
    if (accept(r, 'J')) {
        day->kind = RULE_DAY_OF_365;
        return read_number(r, 1, 365, &day->day);
    }
    if (accept(r, 'M')) {
        day->kind = RULE_WEEKDAY_OF_MONTH;
        return read_number(r, 1, 12, &day->month) && accept(r, '.') && read_number(r, 1, 5, &day->week) &&
               accept(r, '.') && read_number(r, 0, 6, &day->day);
    }
    day->kind = RULE_DAY_FROM_0;
    return read_number(r, 0, 365, &day->day);
}

static bool read_change(struct reader *r, struct zone_rule_day *day)
{
    *day = (struct zone_rule_day){.time_s = CHANGE_S_DEFAULT};
    if (!accept(r, ',') || !read_date(r, day))
        return false;
    return !accept(r, '/') || read_time(r, CHANGE_HOURS_MAX, &day->time_s);
}

/* What follows the first name and offset. */
static bool read_other(struct reader *r, struct zone_rule *rule)
{
    rule->changes = true;
    rule->other_offset_s = rule->offset_s + HOUR_S;
    if (!read_name(r))
        return false;
    if (r->at < r->end && *r->at != ',' && !read_offset(r, &rule->other_offset_s))
        return false;
    return read_change(r, &rule->to_other) && read_change(r, &rule->back);
}

int zone_rule_parse(struct bytes text, struct zone_rule *rule)
{
    struct reader r = {text.data, (const char *)text.data + text.size};

    *rule = (struct zone_rule){0};
    if (!read_name(&r) || !read_offset(&r, &rule->offset_s))
        return -EBADMSG;
    if (r.at < r.end && !read_other(&r, rule))
        return -EBADMSG;
    return r.at == r.end ? 0 : -EBADMSG;
}

/* The n-th such weekday of a month; the fifth is the last one, which may be the fourth. */
static int64_t weekday_of_month(int year, const struct zone_rule_day *day)
{
    int64_t first = calendar_days(year, day->month, 1);
    int of_month = 1 + (day->day - calendar_date(first).weekday + 7) % 7 + (day->week - 1) * 7;

    if (of_month > calendar_month_days(year, day->month))
        of_month -= 7;
    return first + of_month - 1;
}

static int64_t rule_days(int year, const struct zone_rule_day *day)
{
    bool past_leap_day =
        calendar_month_days(year, 2) == 29 && day->day >= 60; /* J60 is 1 March in all years */

    switch (day->kind) {
    case RULE_DAY_OF_365:
        return calendar_days(year, 1, 1) + day->day - 1 + past_leap_day;
    case RULE_DAY_FROM_0:
        return calendar_days(year, 1, 1) + day->day;
    case RULE_WEEKDAY_OF_MONTH:
        break;
    }
    return weekday_of_month(year, day);
}

void zone_rule_year(const struct zone_rule *rule, int year, struct zone_change changes[static 2])
{
    struct zone_change to = {rule_days(year, &rule->to_other) * DAY_S + rule->to_other.time_s -
                                 rule->offset_s,
                             rule->other_offset_s};
    struct zone_change back = {
        rule_days(year, &rule->back) * DAY_S + rule->back.time_s - rule->other_offset_s, rule->offset_s};

    changes[0] = to.at_s <= back.at_s ? to : back;
    changes[1] = to.at_s <= back.at_s ? back : to;
}
