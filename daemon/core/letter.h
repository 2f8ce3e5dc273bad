/*
 * Letters: published messages, each once in memory, shared by all who get it.
 *
 * An item of a subscription has its letter instead of bytes of its own (item->letter). The account of the subscription is
 * charged as if it had, so that who is slow pays for what waits for him.
 */
#pragma once

#include "engine.h"

/* One piece of memory with all its strings. */
struct letter {
    uint32_t refs;
    uint32_t size; /* topic, key, headers and body: what a value with it is charged */
    size_t memory;
    uint64_t sequence; /* in the log; 0: live */
    uint64_t of;       /* a dead letter: the sequence it had */
    int64_t time_us;
    struct bytes topic, key, body;
    const struct header *headers;
    size_t headers_n;
    struct message told; /* what most results tell of it; its topic is empty until the first one */
};

/* What one takes. */
size_t letter_memory(struct bytes topic, const struct outgoing *from);
/* With one reference. NULL: out of memory. */
struct letter *letter_new(struct core *core, struct bytes topic, const struct outgoing *from);
struct letter *letter_ref(struct letter *letter);
/* Accepts NULL; returns NULL. */
struct letter *letter_drop(struct core *core, struct letter *letter);
/* What a result tells of it, to who lost so many messages before it. */
void letter_tell(const struct letter *letter, uint64_t lost, struct message *to);
/* The same for who lost none, as long as the letter lives. Its sequence and time are not changed any more. */
const struct message *letter_told(struct letter *letter);

/* A value of this channel, charged to it and to its account. 0, -ENOMEM, -ENOBUFS: over a limit of bytes. */
int item_of_letter(struct core *core, struct channel *channel, struct letter *letter, struct item **out);
/* Whether one more is within the limits of bytes. */
bool letter_has_room(const struct core *core, const struct channel *channel, const struct letter *letter);
