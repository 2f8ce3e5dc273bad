#include "plain.h"

#include <string.h>

enum { NUMBER_BYTES_MAX = 10, FIELD_BYTES_MAX = 1 + NUMBER_BYTES_MAX };

/* The first byte of a field: its number in the schema, and whether a number or a length with as many bytes follows. */
#define NUMBER(field) ((field) << 3)
#define BYTES(field)  ((field) << 3 | 2)

/* ---- read ---- */

struct reader {
    const uint8_t *at;
    size_t left;
    bool failed; /* not plain, or malformed */
};

static struct reader reader_of(const ProtobufCBinaryData *in)
{
    return (struct reader){in->data, in->len, false};
}

static bool read_tag(struct reader *r, uint8_t *tag)
{
    if (r->failed || !r->left)
        return false;
    *tag = *r->at++;
    r->left--;
    return true;
}

static uint64_t read_number(struct reader *r)
{
    uint64_t n = 0;

    for (unsigned shift = 0; shift < 7 * NUMBER_BYTES_MAX && r->left; shift += 7, r->left--) {
        uint8_t byte = *r->at++;
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            r->left--;
            return n;
        }
    }
    r->failed = true;
    return 0;
}

static int64_t read_signed(struct reader *r)
{
    uint64_t n = read_number(r);

    return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

static ProtobufCBinaryData read_bytes(struct reader *r)
{
    uint64_t size = read_number(r);
    ProtobufCBinaryData bytes = {0, NULL};

    if (size > r->left)
        r->failed = true;
    if (r->failed || !size)
        return bytes;
    bytes = (ProtobufCBinaryData){size, (uint8_t *)r->at};
    r->at += size;
    r->left -= size;
    return bytes;
}

static bool read_message(const ProtobufCBinaryData *in, Goroutined__Message *out)
{
    struct reader r = reader_of(in);
    uint8_t tag;

    goroutined__message__init(out);
    while (read_tag(&r, &tag))
        switch (tag) {
        case BYTES(1):
            out->topic = read_bytes(&r);
            break;
        case NUMBER(2):
            out->sequence = read_number(&r);
            break;
        case NUMBER(3):
            out->time_us = read_signed(&r);
            break;
        case NUMBER(4):
            out->tries = (uint32_t)read_number(&r);
            break;
        case NUMBER(5):
            out->lost = read_number(&r);
            break;
        case BYTES(6):
            out->key = read_bytes(&r);
            break;
        case NUMBER(8):
            out->of = read_number(&r);
            break;
        default:
            r.failed = true;
        }
    return !r.failed;
}

/* A message that is there twice would be one of both. */
static void read_message_of_value(struct reader *r, Goroutined__Value *out, Goroutined__Message *message)
{
    ProtobufCBinaryData in = read_bytes(r);

    r->failed = r->failed || out->message || !read_message(&in, message);
    out->message = message;
}

bool plain_read_value(const ProtobufCBinaryData *in, Goroutined__Value *out, struct plain_room *room)
{
    struct reader r = reader_of(in);
    uint8_t tag;

    goroutined__value__init(out);
    while (read_tag(&r, &tag))
        switch (tag) {
        case BYTES(1):
            out->body = read_bytes(&r);
            break;
        case NUMBER(3):
            out->flags = (uint32_t)read_number(&r);
            break;
        case BYTES(5):
            read_message_of_value(&r, out, &room->message);
            break;
        default:
            r.failed = true;
        }
    return !r.failed;
}

static void read_value_of_outgoing(struct reader *r, Goroutined__Outgoing *out, struct plain_room *room)
{
    ProtobufCBinaryData in = read_bytes(r);

    r->failed = r->failed || out->value || !plain_read_value(&in, &room->value, room);
    out->value = &room->value;
}

bool plain_read_outgoing(const ProtobufCBinaryData *in, Goroutined__Outgoing *out, struct plain_room *room)
{
    struct reader r = reader_of(in);
    uint8_t tag;

    goroutined__outgoing__init(out);
    while (read_tag(&r, &tag))
        switch (tag) {
        case BYTES(1):
            read_value_of_outgoing(&r, out, room);
            break;
        case BYTES(2):
            out->key = read_bytes(&r);
            break;
        case BYTES(4):
            out->once = read_bytes(&r);
            break;
        default:
            r.failed = true;
        }
    return !r.failed;
}

/* ---- write ---- */

static uint8_t *write_plain_number(uint8_t *to, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        *to++ = (uint8_t)(n | 0x80);
    *to++ = (uint8_t)n;
    return to;
}

/* What is zero or empty is absent. */
static uint8_t *write_number(uint8_t *to, uint8_t tag, uint64_t n)
{
    if (!n)
        return to;
    *to++ = tag;
    return write_plain_number(to, n);
}

static uint8_t *write_signed(uint8_t *to, uint8_t tag, int64_t n)
{
    return write_number(to, tag, (uint64_t)n << 1 ^ (uint64_t)(n >> 63));
}

static uint8_t *write_bytes(uint8_t *to, uint8_t tag, struct bytes in)
{
    if (!in.size)
        return to;
    *to++ = tag;
    to = write_plain_number(to, in.size);
    memcpy(to, in.data, in.size);
    return to + in.size;
}

/* Of what stands from `begin` on, behind a byte that was left for its size: two or more are made room for. */
static uint8_t *write_size_before(uint8_t *begin, uint8_t *end)
{
    uint8_t size[NUMBER_BYTES_MAX];
    size_t bytes = (size_t)(end - begin), n = (size_t)(write_plain_number(size, bytes) - size);

    if (n > 1)
        memmove(begin + n - 1, begin, bytes);
    memcpy(begin - 1, size, n);
    return end + n - 1;
}

static size_t message_room(const struct message *in)
{
    return 8 * FIELD_BYTES_MAX + in->topic.size + in->key.size;
}

static uint8_t *write_message(uint8_t *to, const struct message *in)
{
    to = write_bytes(to, BYTES(1), in->topic);
    to = write_number(to, NUMBER(2), in->sequence);
    to = write_signed(to, NUMBER(3), in->time_us);
    to = write_number(to, NUMBER(4), in->tries);
    to = write_number(to, NUMBER(5), in->lost);
    to = write_bytes(to, BYTES(6), in->key);
    return write_number(to, NUMBER(8), in->of);
}

size_t plain_value_room(const struct value *in)
{
    if (in->body.size >= PAYLOAD_FRAME_BYTES || in->handles_n || (in->message && in->message->headers_n))
        return 0;
    return 3 * FIELD_BYTES_MAX + in->body.size + (in->message ? message_room(in->message) : 0);
}

uint8_t *plain_write_value(uint8_t *to, const struct value *in)
{
    to = write_bytes(to, BYTES(1), in->body);
    to = write_number(to, NUMBER(3), in->flags);
    if (!in->message)
        return to;
    *to = BYTES(5);
    return write_size_before(to + 2, write_message(to + 2, in->message));
}

size_t plain_outgoing_room(const struct outgoing *in)
{
    size_t value = plain_value_room(&in->value);

    return in->headers_n || !value ? 0 : 3 * FIELD_BYTES_MAX + value + in->key.size + in->once.size;
}

uint8_t *plain_write_outgoing(uint8_t *to, const struct outgoing *in)
{
    uint8_t *end = plain_write_value(to + 2, &in->value);

    if (end > to + 2) {
        *to = BYTES(1);
        to = write_size_before(to + 2, end);
    }
    to = write_bytes(to, BYTES(2), in->key);
    return write_bytes(to, BYTES(4), in->once);
}
