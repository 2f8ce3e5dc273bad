/*
 * Every sum and product is checked: a number that does not fit is out of range, never another number.
 */
#include "quantity.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Reads digits at *text and moves it behind them. */
static int digits(const char **text, uint64_t *number)
{
    uint64_t n = 0;

    if (!isdigit((unsigned char)**text))
        return -EINVAL;
    for (; isdigit((unsigned char)**text); ++*text) {
        if (__builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, (uint64_t)(**text - '0'), &n))
            return -ERANGE;
    }
    *number = n;
    return 0;
}

int parse_count(const char *text, uint64_t *count)
{
    int r = digits(&text, count);

    return r < 0 ? r : *text ? -EINVAL : 0;
}

int parse_size(const char *text, uint64_t *bytes)
{
    static const char units[] = "KMG";
    const char *unit;
    int r = digits(&text, bytes);

    if (r < 0 || !*text)
        return r;
    unit = strchr(units, *text);
    if (!unit || text[1])
        return -EINVAL;
    return __builtin_mul_overflow(*bytes, UINT64_C(1) << (10 * (unit - units + 1)), bytes) ? -ERANGE : 0;
}

int parse_job(const char *text, uint64_t *job)
{
    int r = parse_count(text, job);

    if (r < 0)
        return r;
    return *job > 0 && *job <= INT64_MAX ? 0 : -ERANGE;
}

struct unit {
    const char *name;
    int64_t ns;
};

/* From small to large. */
static const struct unit units[] = {
    {"ns", 1},          {"us", 1000},         {"ms", 1000000},       {"s", 1000000000},
    {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000},
};
enum { UNITS = sizeof units / sizeof *units };

static const struct unit *unit_at(const char **text)
{
    for (int i = 0; i < UNITS; i++) {
        size_t n = strlen(units[i].name);

        if (!strncmp(*text, units[i].name, n) && !isalpha((unsigned char)(*text)[n])) {
            *text += n;
            return &units[i];
        }
    }
    return NULL;
}

/* The digits behind a decimal point as a part of a unit; what is finer than a nanosecond is cut off. */
static int64_t fraction(const char *text, int64_t unit_ns)
{
    const int64_t finest = 100000000000000; /* parts of a day are nanoseconds by then */
    int64_t part = 0, scale = 1;

    for (; isdigit((unsigned char)*text) && scale < finest; text++, scale *= 10)
        part = part * 10 + (*text - '0');
    return (int64_t)((__int128)part * unit_ns / scale);
}

/* One number with its unit. The unit stands behind the fraction, so the fraction is read twice. */
static int term(const char **text, int64_t *ns)
{
    uint64_t whole;
    const char *point;
    const struct unit *unit;
    int r = digits(text, &whole);

    if (r < 0)
        return r;
    point = **text == '.' ? ++*text : NULL;
    if (point && !isdigit((unsigned char)*point))
        return -EINVAL;
    while (point && isdigit((unsigned char)**text))
        ++*text;
    unit = unit_at(text);
    if (!unit)
        return -EINVAL;
    if (__builtin_mul_overflow(whole, unit->ns, ns))
        return -ERANGE;
    return point && __builtin_add_overflow(*ns, fraction(point, unit->ns), ns) ? -ERANGE : 0;
}

int parse_duration(const char *text, int64_t *ns)
{
    int64_t sum = 0;

    if (!strcmp(text, "0")) {
        *ns = 0;
        return 0;
    }
    do {
        int64_t one;
        int r = term(&text, &one);

        if (r < 0)
            return r;
        if (__builtin_add_overflow(sum, one, &sum))
            return -ERANGE;
    } while (*text);
    *ns = sum;
    return 0;
}

/* The parts of a second behind a point, to the microsecond; moves *text behind them. */
static int64_t second_fraction(const char **text)
{
    int64_t us = 0;

    if (**text != '.')
        return 0;
    for (int64_t unit = 100000; isdigit((unsigned char)*++*text); unit /= 10)
        us += unit * (**text - '0');
    return us;
}

int parse_instant(const char *text, int64_t *us)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm parts = {0};
        const char *rest = strptime(text, forms[i], &parts);

        if (!rest)
            continue;
        *us = i == 0 ? second_fraction(&rest) : 0;
        rest += *rest == 'Z';
        *us += timegm(&parts) * INT64_C(1000000);
        return *rest ? -EINVAL : 0;
    }
    return -EINVAL;
}

const char *format_duration(int64_t ns, char text[static DURATION_TEXT_BYTES])
{
    int unit = UNITS - 1;

    while (unit > 0 && ns < units[unit].ns)
        unit--;
    if (unit > 0 && ns < 10 * units[unit].ns && ns % units[unit].ns >= units[unit].ns / 10)
        snprintf(text, DURATION_TEXT_BYTES, "%.1f%s", (double)(ns / (units[unit].ns / 10)) / 10.0,
                 units[unit].name);
    else
        snprintf(text, DURATION_TEXT_BYTES, "%" PRId64 "%s", ns / units[unit].ns, units[unit].name);
    return text;
}
