/*
 * Schedules as people write them (cron.h).
 *
 * The text is cut into words first, so that every field is read within its own bounds. The reader looks at bytes, never
 * beyond `end`; it knows no locale.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "calendar.h"
#include "cron.h"
#include "cron_duration.h"

enum { FIELDS_MIN = 5, FIELDS_MAX = 6, SHOWN_BYTES_MAX = 24, NAME_BYTES = 3 };
enum { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY };

struct field {
    const char *name;
    int min, max;      /* values */
    int all_max;       /* the end of `*` */
    const char *names; /* of three letters each, from min on; NULL: none */
};

static const struct field fields[] = {
    [SECOND] = {"second", 0, 59, 59},
    [MINUTE] = {"minute", 0, 59, 59},
    [HOUR] = {"hour", 0, 23, 23},
    [DAY] = {"day of the month", 1, 31, 31},
    [MONTH] = {"month", 1, 12, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    [WEEKDAY] = {"day of the week", 0, 7, 6, "sunmontuewedthufrisat"},
};

struct word {
    const char *at, *end;
};

struct reader {
    const char *text;     /* where characters are counted from */
    const char *at, *end; /* of the word that is read */
    const struct field *field;
    char *error;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Bytes of somebody else's, cut and made fit to be shown. */
static void show(char shown[SHOWN_BYTES_MAX + 1], const char *at, const char *end)
{
    size_t n = 0;

    for (; at < end && n < SHOWN_BYTES_MAX; at++)
        shown[n++] = *at >= ' ' && *at <= '~' ? *at : '?';
    shown[n] = 0;
}

/* The compiler's own vsnprintf: the core includes no header of I/O. Returns where the text ends. */
__attribute__((format(printf, 3, 4))) static char *say(char *to, const char *end, const char *format, ...)
{
    size_t size = (size_t)(end - to);
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = __builtin_vsnprintf(to, size, format, arguments);
    va_end(arguments);
    return n < 0 ? to : (size_t)n < size ? to + n : to + size - 1;
}

/* Writes where, what and which bytes are wrong; what would be right is said behind it. */
static char *blame(const struct reader *r, const char *what, const char *at, const char *end)
{
    char shown[SHOWN_BYTES_MAX + 1];

    show(shown, at, end);
    return say(r->error, r->error + CRON_ERROR_BYTES, "character %zu: %s '%s': ", (size_t)(at - r->text) + 1,
               what, shown);
}

static int refuse(const struct reader *r, const char *what, const char *at, const char *end, const char *why)
{
    say(blame(r, what, at, end), r->error + CRON_ERROR_BYTES, "%s", why);
    return -EINVAL;
}

static int refuse_outside(const struct reader *r, const char *what, const char *at, const char *end, int min,
                          int max)
{
    say(blame(r, what, at, end), r->error + CRON_ERROR_BYTES, "must be %d to %d%s", min, max,
        r->field->names ? ", or a name of three letters" : "");
    return -EINVAL;
}

static bool at_byte(const struct reader *r, char c)
{
    return r->at < r->end && *r->at == c;
}

static bool accept(struct reader *r, char c)
{
    bool yes = at_byte(r, c);

    r->at += yes;
    return yes;
}

/* Where the value or name ends that the reader stands before. */
static const char *value_end(const struct reader *r)
{
    const char *end = r->at;

    while (end < r->end && *end != ',' && *end != '/' && *end != '-')
        end++;
    return end;
}

/* Where its item ends. */
static const char *item_end(const struct reader *r)
{
    const char *comma = memchr(r->at, ',', (size_t)(r->end - r->at));

    return comma ? comma : r->end;
}

/* What the digits of [at, end) say, or most + 1 when that is more than `most`; -1: other bytes, or none. */
static int number(const char *at, const char *end, int most)
{
    int n = at < end ? 0 : -1;

    for (; at < end; at++) {
        if (!is_digit(*at))
            return -1;
        n = n > most ? n : n * 10 + (*at - '0');
    }
    return n > most ? most + 1 : n;
}

static bool same_name(const char *name, const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (lower(at[i]) != name[i])
            return false;
    return true;
}

/* What a name stands for, or -1. */
static int named(const struct field *field, const char *at, const char *end)
{
    if (!field->names || end - at != NAME_BYTES)
        return -1;
    for (int i = 0; field->names[i * NAME_BYTES]; i++)
        if (same_name(field->names + i * NAME_BYTES, at, NAME_BYTES))
            return field->min + i;
    return -1;
}

static int read_value(struct reader *r, int *value)
{
    const struct field *field = r->field;
    const char *end = value_end(r);

    *value = named(field, r->at, end);
    if (*value < 0)
        *value = number(r->at, end, field->max);
    if (*value < field->min || *value > field->max)
        return refuse_outside(r, field->name, r->at, end, field->min, field->max);
    r->at = end;
    return 0;
}

/* What the item counts from and to, before a step. A single value with a step counts up to the end. */
static int read_range(struct reader *r, int *low, int *high)
{
    const struct field *field = r->field;
    const char *start = r->at;
    int e;

    *low = field->min;
    *high = field->all_max;
    if (accept(r, '*'))
        return 0;
    if ((e = read_value(r, low)) < 0)
        return e;
    if (!accept(r, '-')) {
        *high = at_byte(r, '/') && *low <= field->all_max ? field->all_max : *low;
        return 0;
    }
    if ((e = read_value(r, high)) < 0)
        return e;
    if (*high == 0 && *low > 0 && field == &fields[WEEKDAY])
        *high = field->max; /* a week may end with Sunday */
    return *low <= *high ? 0 : refuse(r, field->name, start, r->at, "runs backwards");
}

static int read_step(struct reader *r, int *step)
{
    const char *end;

    *step = 1;
    if (!accept(r, '/'))
        return 0;
    end = item_end(r);
    *step = number(r->at, end, r->field->max);
    if (*step < 1 || *step > r->field->max) {
        say(blame(r, "step", r->at, end), r->error + CRON_ERROR_BYTES, "must be 1 to %d", r->field->max);
        return -EINVAL;
    }
    r->at = end;
    return 0;
}

/* One item, up to a comma or the end, into the set. */
static int read_item(struct reader *r, uint64_t *set)
{
    const char *start = r->at, *end = item_end(r);
    int low, high, step, e;

    if (r->field == &fields[DAY] && accept(r, 'L')) {
        *set |= 1;
    } else {
        if ((e = read_range(r, &low, &high)) < 0 || (e = read_step(r, &step)) < 0)
            return e;
        for (int i = low; i <= high; i += step)
            *set |= UINT64_C(1) << i;
    }
    return r->at == end ? 0 : refuse(r, r->field->name, start, end, "a comma or blank is missing in it");
}

static uint64_t everything(const struct field *field)
{
    return ((UINT64_C(1) << (field->all_max + 1)) - 1) & ~((UINT64_C(1) << field->min) - 1);
}

static bool day_field(const struct field *field)
{
    return field == &fields[DAY] || field == &fields[WEEKDAY];
}

static int read_field(struct reader *r, const struct field *field, struct word word, uint64_t *set)
{
    *set = 0;
    r->field = field;
    r->at = word.at;
    r->end = word.end;
    if (day_field(field) && word.end - word.at == 1 && *word.at == '?') {
        *set = everything(field);
        return 0;
    }
    do {
        int e = read_item(r, set);

        if (e < 0)
            return e;
    } while (accept(r, ','));
    return 0;
}

/* Whether it begins with one of these bytes. */
static bool begins(struct word word, const char *with)
{
    return *word.at && strchr(with, *word.at);
}

/* At least one of the days is in one of the months, in some year. 2000 was a leap year. */
static bool ever(const struct cron *cron)
{
    if (cron->either_day || (cron->days & 1))
        return true;
    for (int month = 1; month <= 12; month++)
        if ((cron->months >> month & 1) && __builtin_ctz(cron->days) <= calendar_month_days(2000, month))
            return true;
    return false;
}

/* Six words, that of the second first. */
static int read_fields(struct reader *r, const struct word words[FIELDS_MAX], struct cron *cron)
{
    uint64_t sets[FIELDS_MAX];

    for (int i = 0; i < FIELDS_MAX; i++) {
        int e = read_field(r, &fields[i], words[i], &sets[i]);

        if (e < 0)
            return e;
    }
    *cron = (struct cron){
        .seconds = sets[SECOND],
        .minutes = sets[MINUTE],
        .hours = (uint32_t)sets[HOUR],
        .days = (uint32_t)sets[DAY],
        .months = (uint16_t)sets[MONTH],
        .weekdays = (uint8_t)((sets[WEEKDAY] | sets[WEEKDAY] >> 7) & 0x7f),
        .either_day = !begins(words[DAY], "*?") && !begins(words[WEEKDAY], "*?"),
        .skips_gaps = begins(words[MINUTE], "*") || begins(words[HOUR], "*"),
        .repeats = begins(words[HOUR], "*"),
    };
    if (!ever(cron))
        return refuse(r, "day of the month", words[DAY].at, words[DAY].end, "none of the months has it");
    return 0;
}

/* Up to `most` words of the text, and how many there are. */
static int split(const char *at, const char *end, struct word *words, int most)
{
    int n = 0;

    while (at < end) {
        const char *start = at;

        while (at < end && !is_blank(*at))
            at++;
        if (at > start && n++ < most)
            words[n - 1] = (struct word){start, at};
        while (at < end && is_blank(*at))
            at++;
    }
    return n;
}

static int parse_fields(struct reader *r, const char *end, struct cron *cron)
{
    static const char zero[] = "0";
    struct word words[FIELDS_MAX + 1] = {[0] = {zero, zero + 1}};
    int n = split(r->text, end, words + 1, FIELDS_MAX);

    if (n == FIELDS_MIN)
        return read_fields(r, words, cron);
    if (n == FIELDS_MAX)
        return read_fields(r, words + 1, cron);
    say(r->error, r->error + CRON_ERROR_BYTES,
        "character %zu: there are %d fields, 5 are needed, or 6 with seconds",
        n > FIELDS_MAX ? (size_t)(words[FIELDS_MAX].end - r->text) + 1 : (size_t)(end - r->text) + 1, n);
    return -EINVAL;
}

static const struct {
    const char *name, *fields;
} macros[] = {
    {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
};

static bool is_word(struct word word, const char *name)
{
    size_t size = strlen(name);

    return (size_t)(word.end - word.at) == size && same_name(name, word.at, size);
}

static int parse_macro(struct reader *r, struct word word, struct cron *cron)
{
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
        if (is_word(word, macros[i].name)) {
            r->text = macros[i].fields;
            return parse_fields(r, r->text + strlen(r->text), cron);
        }
    return refuse(r, "schedule", word.at, word.end,
                  "is none of @hourly @daily @midnight @weekly @monthly @yearly @annually @every");
}

static int parse_every(struct reader *r, struct word word, struct cron *cron)
{
    int64_t ns;

    if (!cron_duration(word.at, word.end, &ns))
        return refuse(r, "duration", word.at, word.end,
                      "must be like 90s, 1m30s or 1.5h; units are ns us ms s m h d");
    if (ns < CRON_EVERY_S_MIN * INT64_C(1000000000) ||
        ns > CRON_EVERY_DAYS_MAX * DAY_S * INT64_C(1000000000)) {
        say(blame(r, "duration", word.at, word.end), r->error + CRON_ERROR_BYTES, "must be %ds to %dd",
            CRON_EVERY_S_MIN, CRON_EVERY_DAYS_MAX);
        return -EINVAL;
    }
    *cron = (struct cron){.every_ns = ns};
    return 0;
}

/* A text that begins with @. */
static int parse_at(struct reader *r, const char *end, struct cron *cron)
{
    struct word words[2];
    int n = split(r->text, end, words, 2), most = is_word(words[0], "@every") ? 2 : 1;

    if (n > most)
        return refuse(r, "schedule", words[most - 1].end, end, "nothing may follow here");
    if (n < most)
        return refuse(r, "duration", end, end, "is missing behind @every");
    return most == 2 ? parse_every(r, words[1], cron) : parse_macro(r, words[0], cron);
}

int cron_parse(struct bytes text, struct cron *cron, char error[static CRON_ERROR_BYTES])
{
    struct reader r = {.text = text.size ? text.data : "", .error = error};
    struct word first = {r.text, r.text};

    if (text.size > CRON_TEXT_BYTES_MAX) {
        say(error, error + CRON_ERROR_BYTES, "the schedule has %zu characters; %d are allowed", text.size,
            CRON_TEXT_BYTES_MAX);
        return -E2BIG;
    }
    split(r.text, r.text + text.size, &first, 1);
    if (first.at < first.end && *first.at == '@')
        return parse_at(&r, r.text + text.size, cron);
    return parse_fields(&r, r.text + text.size, cron);
}
