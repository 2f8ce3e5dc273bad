/*
 * Results that outlive their frame: one counted block of memory with the result and all it points at. Every
 * string and body in it is followed by a NUL.
 */
#pragma once

#include "message.h"

struct result_block {
    unsigned refs; /* atomic */
    void *chans;   /* struct gc_passed of all values, one after the other (chans.c); or NULL */
    struct result result;
};

/* A block with one reference. NULL: no memory. */
struct result_block *result_clone(const struct result *from);

/* Room for so many ids, made before they are asked for, with one reference. NULL: no memory. */
struct result_block *result_room(size_t ids_n);
/* What has taken effect when there is no memory for its result: in such room, `flat`, which points at nothing, and the ids. */
void result_keep_ids(struct result_block *room, const struct result *flat, const struct result *from);

/* So many more references. */
void result_ref(struct result_block *block, unsigned n);
/* Accepts NULL, returns NULL. Any thread. */
struct result_block *result_unref(struct result_block *block);
