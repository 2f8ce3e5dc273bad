/*
 * Memory of one batch: taken piece by piece, given back at once.
 *
 * Invariant: pieces are aligned for any type and never move. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* the one in use first */
    size_t used, limit;         /* bytes, over all blocks */
    bool refused;               /* something was, since the last reset, because of the limit */
};

void arena_init(struct arena *arena, size_t limit);
void arena_destroy(struct arena *arena);
/* Keeps one block of the usual size for the next batch. */
void arena_reset(struct arena *arena);
/* NULL: out of memory, or beyond the limit. */
void *arena_take(struct arena *arena, size_t size);
/* `n` zeroed items of `size`; NULL also when the product overflows. Not NULL for n = 0. */
void *arena_take_array(struct arena *arena, size_t n, size_t size);
/* printf into the arena; "out of memory" when there is none. */
const char *arena_print(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
