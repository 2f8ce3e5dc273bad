/*
 * Memory for many objects of one size, so many in one piece. Those that stay for long do not lie between what comes and goes
 * with every operation, whose holes nothing would fit.
 *
 * A piece goes when none of its objects is used, but for the last one. Where the allocator keeps nothing (sanitizers, tests that
 * refuse memory), each object is allocated by itself.
 */
#pragma once

#include "list.h"

struct core;

struct slabs {
    size_t bytes;     /* of an object */
    struct list open; /* struct slab with room for one more */
};

void slabs_init(struct slabs *slabs, size_t bytes);
/* Zeroed. NULL: out of memory. */
void *slabs_take(struct core *core, struct slabs *slabs);
void slabs_give(struct core *core, struct slabs *slabs, void *object);
/* All objects were given back. */
void slabs_free(struct core *core, struct slabs *slabs);
