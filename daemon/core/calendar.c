/* Dates by cycles: 400 years, of them four centuries, of them 25 times four years, of them four years (calendar.h). */
#include "calendar.h"

#include <stdbool.h>

/* The last century of a cycle, and the last of four years, are a day longer; the others are equal. */
enum { CYCLE_DAYS = 146097, CENTURY_DAYS = 36524, FOUR_YEARS_DAYS = 1461, YEAR_DAYS = 365 };
enum { FIRST_YEAR = 1601, FIRST_DAYS = -134774, FIRST_WEEKDAY = 1 };

static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

static bool leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int calendar_month_days(int year, int month)
{
    return month_days[month - 1] + (month == 2 && leap_year(year));
}

int64_t calendar_days(int year, int month, int day)
{
    int64_t past = year - FIRST_YEAR;
    int64_t days = FIRST_DAYS + past * YEAR_DAYS + past / 4 - past / 100 + past / 400;

    for (int m = 1; m < month; m++)
        days += calendar_month_days(year, m);
    return days + day - 1;
}

/* How many parts of this size *days holds, at most `most`; the rest stays. */
static int take(int64_t *days, int size, int most)
{
    int64_t n = *days / size;

    if (n > most)
        n = most;
    *days -= n * size;
    return (int)n;
}

struct date calendar_date(int64_t days)
{
    int64_t rest = days - FIRST_DAYS;
    struct date date = {.month = 1, .weekday = (int)((rest + FIRST_WEEKDAY) % 7)};

    date.year = FIRST_YEAR + 400 * take(&rest, CYCLE_DAYS, INT32_MAX / 400 - FIRST_YEAR);
    date.year += 100 * take(&rest, CENTURY_DAYS, 3);
    date.year += 4 * take(&rest, FOUR_YEARS_DAYS, 24);
    date.year += take(&rest, YEAR_DAYS, 3);
    while (rest >= calendar_month_days(date.year, date.month))
        rest -= calendar_month_days(date.year, date.month++);
    date.day = (int)rest + 1;
    return date;
}
