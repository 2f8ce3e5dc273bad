/* Durations: a sum of numbers with units. Every sum and product is checked (cron_duration.h). */
#include "cron_duration.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"ns", 1},          {"us", 1000},         {"ms", 1000000},       {"s", 1000000000},
    {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *digits_end(const char *at, const char *end)
{
    while (at < end && is_digit(*at))
        at++;
    return at;
}

/* Names end where the next number begins. */
static int64_t unit_ns(const char *at, const char *end)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == (size_t)(end - at) && !memcmp(units[i].name, at, (size_t)(end - at)))
            return units[i].ns;
    return 0;
}

static bool whole(const char *at, const char *end, int64_t unit, int64_t *ns)
{
    int64_t n = 0;

    for (; at < end; at++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *at - '0', &n))
            return false;
    return !__builtin_mul_overflow(n, unit, ns);
}

/* Digits behind a point as a part of the unit: from the last one, so that no more than one of them is in the sum. */
static int64_t fraction(const char *at, const char *end, int64_t unit)
{
    int64_t part = 0;

    while (end > at)
        part = ((*--end - '0') * unit + part) / 10;
    return part;
}

/* One number with its unit; *at moves behind it. */
static bool term(const char **at, const char *end, int64_t *ns)
{
    const char *point = digits_end(*at, end), *behind = point;
    bool has_point = point < end && *point == '.';

    if (has_point)
        behind = digits_end(point + 1, end);
    const char *next = behind;
    while (next < end && !is_digit(*next))
        next++;
    int64_t unit = unit_ns(behind, next);
    if (unit == 0 || point == *at || (has_point && behind == point + 1) || !whole(*at, point, unit, ns))
        return false;
    *at = next;
    return !has_point || !__builtin_add_overflow(*ns, fraction(point + 1, behind, unit), ns);
}

bool cron_duration(const char *at, const char *end, int64_t *ns)
{
    int64_t sum = 0, one;

    if (at == end)
        return false;
    while (at < end)
        if (!term(&at, end, &one) || __builtin_add_overflow(sum, one, &sum))
            return false;
    *ns = sum;
    return true;
}
