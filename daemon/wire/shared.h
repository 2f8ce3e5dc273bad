/*
 * Values of messages that are encoded once for many frames (wire_share).
 *
 * What is told of a message to most of those who get it is one struct message, so its place is its name: at that place is the
 * same message, with the same body, until wire_unshare. A table with one place for each of many; who comes second to a place is
 * encoded each time.
 */
#pragma once

#include "arena.h"
#include "goroutined.pb-c.h"
#include "message.h"

enum { SHARED_BITS = 12, SHARED_BYTES = 1 << 20 };

struct shared_value {
    const struct message *message;
    uint64_t round; /* of the last one that is here */
    ProtobufCBinaryData bytes;
};

struct shared {
    struct shared_value *table; /* 1 << SHARED_BITS; NULL: nothing was ever shared */
    struct arena arena;
    uint64_t round;
    bool on;
};

void shared_init(struct shared *shared);
void shared_destroy(struct shared *shared);
void shared_begin(struct shared *shared);
void shared_end(struct shared *shared);
/* Its place; NULL: it is none that others get as well. */
struct shared_value *shared_place(struct shared *shared, const struct value *value);
/* It is there. */
static inline bool shared_has(const struct shared *shared, const struct shared_value *place,
                              const struct value *value)
{
    return place->round == shared->round && place->message == value->message;
}
/* Puts it there, unless there is another one, or no memory. */
void shared_keep(struct shared *shared, struct shared_value *place, const struct value *value,
                 ProtobufCBinaryData bytes);
