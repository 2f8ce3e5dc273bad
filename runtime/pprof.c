/*
 * profile.proto, written by hand: a handful of messages of varints, strings and messages. Fields are numbered as in
 * github.com/google/pprof/proto/profile.proto. A location is a return address less one; a function is a name and a file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dump.h"
#include "stack_counts.h"
#include "symbol.h"

/* ---- protobuf ---- */

struct bytes {
    unsigned char *at;
    size_t n, room;
    bool failed; /* no memory: what follows is dropped */
};

static void put_bytes(struct bytes *b, const void *bytes, size_t n)
{
    if (b->n + n > b->room && !b->failed) {
        size_t room = 2 * (b->n + n) + 64;
        unsigned char *at = realloc(b->at, room);

        b->failed = !at;
        b->at = at ? at : b->at;
        b->room = at ? room : b->room;
    }
    if (b->failed || n == 0)
        return;
    memcpy(b->at + b->n, bytes, n);
    b->n += n;
}

static void put_varint(struct bytes *b, uint64_t v)
{
    unsigned char digit[10];
    size_t n = 0;

    do {
        digit[n++] = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        v >>= 7;
    } while (v);
    put_bytes(b, digit, n);
}

enum wire { WIRE_VARINT = 0, WIRE_BYTES = 2 };

static void put_number(struct bytes *b, unsigned field, uint64_t v)
{
    put_varint(b, field << 3 | WIRE_VARINT);
    put_varint(b, v);
}

static void put_field(struct bytes *b, unsigned field, const void *bytes, size_t n)
{
    put_varint(b, field << 3 | WIRE_BYTES);
    put_varint(b, n);
    put_bytes(b, bytes, n);
}

/* Appends the message and empties it. */
static void put_message(struct bytes *b, unsigned field, struct bytes *message)
{
    b->failed |= message->failed;
    put_field(b, field, message->at, message->n);
    message->n = 0;
}

/* ---- fields of profile.proto ---- */

enum { PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE, PROFILE_LOCATION = 4, PROFILE_FUNCTION, PROFILE_STRING };
enum { PROFILE_TIME_NS = 9, PROFILE_DURATION_NS, PROFILE_PERIOD_TYPE, PROFILE_PERIOD };
enum { VALUE_TYPE = 1, VALUE_UNIT };
enum { SAMPLE_LOCATION = 1, SAMPLE_VALUE };
enum { LOCATION_ID = 1, LOCATION_ADDRESS = 3, LOCATION_LINE };
enum { LINE_FUNCTION = 1, LINE_LINE };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILE };

struct function {
    char name[128], file[160];
};

struct writer {
    struct bytes out, strings, part, inner;
    uint64_t strings_n;
    void **addresses; /* of all frames, rising, each once: the id of a location is its place */
    size_t addresses_n;
    struct function *functions;
    size_t functions_n;
};

/* The id of a new string. pprof does not mind one that comes twice. */
static uint64_t string(struct writer *w, const char *s)
{
    put_field(&w->strings, PROFILE_STRING, s, strlen(s));
    return w->strings_n++;
}

static void value_type(struct writer *w, unsigned field, const char *type, const char *unit)
{
    put_number(&w->part, VALUE_TYPE, string(w, type));
    put_number(&w->part, VALUE_UNIT, string(w, unit));
    put_message(&w->out, field, &w->part);
}

/* ---- locations and functions ---- */

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (void *const *)a, y = (uintptr_t) * (void *const *)b;

    return (x > y) - (x < y);
}

static int addresses_collect(struct writer *w, const struct stack_counts *counts)
{
    size_t n = 0, unique = 0;

    for (size_t i = 0; i < counts->slots; i++)
        n += counts->slot[i].count ? (size_t)counts->slot[i].n : 0;
    w->addresses = calloc(n + 1, sizeof *w->addresses);
    w->functions = calloc(n + 1, sizeof *w->functions);
    if (!w->addresses || !w->functions)
        return -ENOMEM;
    n = 0;
    for (size_t i = 0; i < counts->slots; i++)
        for (int k = 0; counts->slot[i].count && k < counts->slot[i].n; k++)
            w->addresses[n++] = counts->slot[i].frame[k];
    if (n)
        qsort(w->addresses, n, sizeof *w->addresses, by_address);
    for (size_t i = 0; i < n; i++)
        if (unique == 0 || w->addresses[i] != w->addresses[unique - 1])
            w->addresses[unique++] = w->addresses[i];
    w->addresses_n = unique;
    return 0;
}

static uint64_t location_id(const struct writer *w, void *address)
{
    void **found = bsearch(&address, w->addresses, w->addresses_n, sizeof address, by_address);

    return (uint64_t)(found - w->addresses) + 1;
}

static uint64_t function_id(struct writer *w, const struct symbol *s)
{
    const char *name = s->name[0] ? s->name : s->object;
    size_t i = 0;

    while (i < w->functions_n &&
           (strcmp(w->functions[i].name, name) != 0 || strcmp(w->functions[i].file, s->file) != 0))
        i++;
    if (i < w->functions_n)
        return i + 1;
    snprintf(w->functions[i].name, sizeof w->functions[i].name, "%s", name);
    snprintf(w->functions[i].file, sizeof w->functions[i].file, "%s", s->file);
    w->functions_n++;
    put_number(&w->part, FUNCTION_ID, i + 1);
    put_number(&w->part, FUNCTION_NAME, string(w, name));
    put_number(&w->part, FUNCTION_SYSTEM_NAME, string(w, name));
    put_number(&w->part, FUNCTION_FILE, string(w, s->file));
    put_message(&w->out, PROFILE_FUNCTION, &w->part);
    return i + 1;
}

static void location(struct writer *w, size_t i)
{
    const char *address = (const char *)w->addresses[i] - 1;
    struct symbol s;
    uint64_t function;

    symbol_find(address, &s);
    function = function_id(w, &s);
    put_number(&w->part, LOCATION_ID, i + 1);
    put_number(&w->part, LOCATION_ADDRESS, (uintptr_t)address);
    put_number(&w->inner, LINE_FUNCTION, function);
    put_number(&w->inner, LINE_LINE, (uint64_t)s.line);
    put_message(&w->part, LOCATION_LINE, &w->inner);
    put_message(&w->out, PROFILE_LOCATION, &w->part);
}

/* ---- the whole ---- */

static void sample(struct writer *w, const struct stack_count *s, const struct profile_kind *kind)
{
    for (int i = 0; i < s->n; i++)
        put_varint(&w->inner, location_id(w, s->frame[i]));
    put_message(&w->part, SAMPLE_LOCATION, &w->inner);
    put_varint(&w->inner, s->count);
    if (kind->second_type)
        put_varint(&w->inner, s->amount);
    put_message(&w->part, SAMPLE_VALUE, &w->inner);
    put_message(&w->out, PROFILE_SAMPLE, &w->part);
}

static void profile(struct writer *w, const struct stack_counts *counts, const struct profile_kind *kind)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    string(w, ""); /* the first must be empty */
    value_type(w, PROFILE_SAMPLE_TYPE, kind->type, kind->unit);
    if (kind->second_type)
        value_type(w, PROFILE_SAMPLE_TYPE, kind->second_type, kind->second_unit);
    for (size_t i = 0; i < counts->slots; i++)
        if (counts->slot[i].count)
            sample(w, &counts->slot[i], kind);
    for (size_t i = 0; i < w->addresses_n; i++)
        location(w, i);
    put_number(&w->out, PROFILE_TIME_NS, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
    put_number(&w->out, PROFILE_DURATION_NS, (uint64_t)kind->duration_ns);
    value_type(w, PROFILE_PERIOD_TYPE, kind->period_type, kind->period_unit);
    put_number(&w->out, PROFILE_PERIOD, (uint64_t)kind->period);
    put_bytes(&w->out, w->strings.at, w->strings.n);
    w->out.failed |= w->strings.failed;
}

int pprof_write(const struct stack_counts *counts, const struct profile_kind *kind, int fd)
{
    struct writer w = {.strings_n = 0};
    int r = addresses_collect(&w, counts);

    if (r == 0) {
        profile(&w, counts, kind);
        r = w.out.failed ? -ENOMEM : fd_write(fd, (const char *)w.out.at, w.out.n);
    }
    free(w.out.at);
    free(w.strings.at);
    free(w.part.at);
    free(w.inner.at);
    free(w.addresses);
    free(w.functions);
    return r;
}
