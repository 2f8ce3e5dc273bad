#include "shared.h"

#include <stdlib.h>
#include <string.h>

void shared_init(struct shared *shared)
{
    *shared = (struct shared){.round = 1};
    arena_init(&shared->arena, SHARED_BYTES);
}

void shared_destroy(struct shared *shared)
{
    arena_destroy(&shared->arena);
    free(shared->table);
}

void shared_begin(struct shared *shared)
{
    if (!shared->table)
        shared->table = calloc((size_t)1 << SHARED_BITS, sizeof(*shared->table));
    shared->on = shared->table;
}

void shared_end(struct shared *shared)
{
    shared->on = false;
    shared->round++;
    arena_reset(&shared->arena);
}

/* Places of messages are apart by what malloc aligns, so that their last bits say nothing. */
struct shared_value *shared_place(struct shared *shared, const struct value *value)
{
    uint64_t key = (uint64_t)(uintptr_t)value->message >> 4;

    if (!shared->on || !value->message || value->flags || value->handles_n)
        return NULL;
    return &shared->table[key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SHARED_BITS)];
}

void shared_keep(struct shared *shared, struct shared_value *place, const struct value *value,
                 ProtobufCBinaryData bytes)
{
    void *copy = place->round == shared->round ? NULL : arena_take(&shared->arena, bytes.len);

    if (!copy)
        return;
    memcpy(copy, bytes.data, bytes.len);
    *place = (struct shared_value){value->message, shared->round, {bytes.len, copy}};
}
