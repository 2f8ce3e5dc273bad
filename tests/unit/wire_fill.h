/*
 * Generated from the rows of the codec: frames with every field set to a value of its own, and their
 * comparison. For one test program.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

struct piece {
    struct piece *next;
    _Alignas(16) char memory[];
};

struct filler {
    uint64_t n; /* the last value given */
    bool client;
    struct piece *pieces;
};

static void *filler_take(struct filler *f, size_t size)
{
    struct piece *piece = calloc(1, sizeof(*piece) + size);

    assert_non_null(piece);
    piece->next = f->pieces;
    f->pieces = piece;
    return piece->memory;
}

static void filler_clear(struct filler *f)
{
    while (f->pieces) {
        struct piece *piece = f->pieces;
        f->pieces = piece->next;
        free(piece);
    }
}

static struct bytes fill_text(struct filler *f)
{
    char *text = filler_take(f, 32);

    return (struct bytes){text, (size_t)snprintf(text, 32, "text.%llu", (unsigned long long)++f->n)};
}

/* Every third body is as large as one that travels as a part. */
static struct bytes fill_body(struct filler *f)
{
    size_t size = ++f->n % 3 ? f->n % 100 + 1 : PAYLOAD_FRAME_BYTES;

    return (struct bytes){memset(filler_take(f, size), (int)f->n, size), size};
}

static struct passed *fill_each_passed(struct filler *f, size_t n);
static void same_passed(const struct passed *a, const struct passed *b);
static struct message *fill_each_message(struct filler *f, size_t n);
static void same_message(const struct message *a, const struct message *b);

static void fill_value(struct filler *f, struct value *out)
{
    *out = (struct value){fill_body(f), f->client ? 0 : VALUE_REDELIVERED, fill_each_passed(f, 2), 2};
    out->message = f->client ? NULL : fill_each_message(f, 1);
}

static struct secret fill_secret(struct filler *f)
{
    struct secret secret;

    memset(&secret, (int)++f->n, sizeof(secret));
    return secret;
}

static uint64_t *fill_nums(struct filler *f)
{
    uint64_t *nums = filler_take(f, 3 * sizeof(*nums));

    for (int i = 0; i < 3; i++)
        nums[i] = ++f->n << (20 * i);
    return nums;
}

static void same_bytes(struct bytes a, struct bytes b)
{
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
}

static void same_value(const struct value *a, const struct value *b)
{
    same_bytes(a->body, b->body);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->handles_n, b->handles_n);
    for (size_t i = 0; i < a->handles_n; i++)
        same_passed(&a->handles[i], &b->handles[i]);
    assert_int_equal(!a->message, !b->message);
    if (a->message)
        same_message(a->message, b->message);
}

/* clang-format off */
#define FILL_NUM(f, bound)     out->f = (__typeof__(out->f))++filler->n;
#define FILL_RANGE(f, bound)   out->f = bound;
#define FILL_ENUM(f, bound)    out->f = bound;
#define FILL_FLAGS(f, bound)   out->f = bound;
#define FILL_NAME(f, bound)    out->f = fill_text(filler);
#define FILL_TEXT(f, bound)    out->f = fill_text(filler);
#define FILL_SECRET(f, bound)  out->f = fill_secret(filler);
#define FILL_BODY(f, bound)    out->f = fill_body(filler);
#define FILL_VALUE(f, bound)   fill_value(filler, &out->f);
#define FILL_STATUS(f, bound)  out->f = -EPIPE;
#define FILL_OUTCOME(f, bound) out->f = ++filler->n % 2 ? -ENOENT : (int32_t)filler->n;
#define FILL_NUMS(f, bound)    out->f = fill_nums(filler), out->f##_n = 3;
#define FILL_ONE(f, name)      out->f = fill_each_##name(filler, 1);
#define FILL_MANY(f, bound)    FILL_TWO(f, FILL_ITEM bound)
#define FILL_SOME(f, bound)    FILL_TWO(f, FILL_ITEM bound)
#define FILL_RAWS(f, bound)    FILL_TWO(f, FILL_RAW bound)
#define FILL_ITEM(name, most)  name
#define FILL_RAW(name, least, most) name
#define FILL_TWO(...)          FILL_TWO_(__VA_ARGS__)
#define FILL_TWO_(f, name)     out->f = fill_each_##name(filler, 2), out->f##_n = 2;
#define FILL(kind, f, bound)   FILL_##kind(f, bound)

#define SAME_NUM(f, bound)     assert_true(a->f == b->f);
#define SAME_RANGE             SAME_NUM
#define SAME_ENUM              SAME_NUM
#define SAME_FLAGS             SAME_NUM
#define SAME_STATUS            SAME_NUM
#define SAME_OUTCOME           SAME_NUM
#define SAME_NAME(f, bound)    same_bytes(a->f, b->f);
#define SAME_TEXT              SAME_NAME
#define SAME_BODY              SAME_NAME
#define SAME_SECRET(f, bound)  assert_memory_equal(&a->f, &b->f, SECRET_BYTES);
#define SAME_VALUE(f, bound)   same_value(&a->f, &b->f);
#define SAME_NUMS(f, bound)    assert_int_equal(a->f##_n, b->f##_n); assert_memory_equal(a->f, b->f, a->f##_n * 8);
#define SAME_ONE(f, name)      assert_int_equal(!a->f, !b->f); if (a->f) same_##name(a->f, b->f);
#define SAME_MANY(f, bound)    SAME_ALL(f, FILL_ITEM bound)
#define SAME_SOME(f, bound)    SAME_ALL(f, FILL_ITEM bound)
#define SAME_RAWS(f, bound)    SAME_ALL(f, FILL_RAW bound)
#define SAME_ALL(...)          SAME_ALL_(__VA_ARGS__)
#define SAME_ALL_(f, name)     assert_int_equal(a->f##_n, b->f##_n); for (size_t i = 0; i < a->f##_n; i++) same_##name(&a->f[i], &b->f[i]);
#define SAME(kind, f, bound)   SAME_##kind(f, bound)
/* clang-format on */

/* Fields of the schema for each row. */
#define ONE_OF_NUM     1
#define ONE_OF_RANGE   1
#define ONE_OF_ENUM    1
#define ONE_OF_FLAGS   1
#define ONE_OF_NAME    1
#define ONE_OF_TEXT    1
#define ONE_OF_SECRET  1
#define ONE_OF_BODY    1
#define ONE_OF_VALUE   1
#define ONE_OF_STATUS  1
#define ONE_OF_OUTCOME 2 /* status and outcome */
#define ONE_OF_NUMS    1
#define ONE_OF_ONE     1
#define ONE_OF_MANY    1
#define ONE_OF_SOME    1
#define ONE_OF_RAWS    1

#define FILL_EACH(name, ctype)                                                                               \
    static ctype *fill_each_##name(struct filler *filler, size_t n)                                          \
    {                                                                                                        \
        ctype *out = filler_take(filler, n * sizeof(*out));                                                  \
        for (size_t i = 0; i < n; i++)                                                                       \
            fill_##name(filler, &out[i]);                                                                    \
        return out;                                                                                          \
    }

#define FILL_MESSAGE(NAME, name, ctype, schema)                                                              \
    static void fill_##name(struct filler *filler, ctype *out)                                               \
    {                                                                                                        \
        NAME##_FIELDS(FILL)                                                                                  \
    }                                                                                                        \
    static void same_##name(const ctype *a, const ctype *b)                                                  \
    {                                                                                                        \
        NAME##_FIELDS(SAME)                                                                                  \
    }                                                                                                        \
    __attribute__((unused)) FILL_EACH(name, ctype)

#define FILL_VERB(NAME, name, number, flags, help)                                                           \
    static void fill_request_##name(struct filler *filler, struct request_##name *out)                       \
    {                                                                                                        \
        REQUEST_##NAME(FILL)                                                                                 \
    }                                                                                                        \
    static void same_request_##name(const struct request_##name *a, const struct request_##name *b)          \
    {                                                                                                        \
        REQUEST_##NAME(SAME)                                                                                 \
    }

FILL_EACH(value, struct value)
MESSAGES(FILL_MESSAGE)
VERBS(FILL_VERB)

#define VERB_NUMBER(NAME, name, number, flags, help) number,
static const enum verb verb_numbers[] = {VERBS(VERB_NUMBER)};
enum { VERBS_N = sizeof(verb_numbers) / sizeof(*verb_numbers) };

static void fill_verb(struct filler *filler, struct request *out)
{
    switch (out->verb) {
#define FILL_CASE(NAME, name, number, flags, help)                                                           \
    case VERB_##NAME:                                                                                        \
        fill_request_##name(filler, &out->name);                                                             \
        break;
        VERBS(FILL_CASE)
    default:
        fail_msg("verb %d", out->verb);
    }
}

static void fill_request(struct filler *filler, struct request *out)
{
    *out = (struct request){
        .id = filler->n + 1, .run = filler->n + 2, .flags = OP_BLOCKS, .until = {UNTIL_IN, -5}};
    out->context = filler->n + 3;
    out->verb = verb_numbers[filler->n++ % VERBS_N];
    fill_verb(filler, out);
}

static void same_request(const struct request *a, const struct request *b)
{
    assert_int_equal(b->fault, 0);
    assert_true(a->id == b->id && a->run == b->run && a->flags == b->flags && a->verb == b->verb);
    assert_true(a->until.kind == b->until.kind && a->until.ns == b->until.ns);
    assert_true(a->context == b->context);
    switch (a->verb) {
#define SAME_CASE(NAME, name, number, flags, help)                                                           \
    case VERB_##NAME:                                                                                        \
        same_request_##name(&a->name, &b->name);                                                             \
        break;
        VERBS(SAME_CASE)
    default:
        fail_msg("verb %d", a->verb);
    }
}

FILL_EACH(request, struct request)

static void fill_client_frame(struct filler *filler, struct client_frame *out)
{
    filler->client = true;
    CLIENT_FRAME_FIELDS(FILL)
    out->resume = NULL; /* it excludes HELLO */
}

static void same_client_frame(const struct client_frame *a, const struct client_frame *b)
{
    CLIENT_FRAME_FIELDS(SAME)
}

static void fill_server_frame(struct filler *filler, struct server_frame *out)
{
    filler->client = false;
    SERVER_FRAME_FIELDS(FILL)
}

static void same_server_frame(const struct server_frame *a, const struct server_frame *b)
{
    SERVER_FRAME_FIELDS(SAME)
}
