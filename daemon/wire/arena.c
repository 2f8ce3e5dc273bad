#include "arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 << 10 };

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    alignas(max_align_t) char memory[];
};

static size_t round_up(size_t size)
{
    const size_t unit = alignof(max_align_t);

    return (size + unit - 1) / unit * unit;
}

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){.limit = limit};
}

static struct arena_block *free_blocks(struct arena_block *block, bool keep_one)
{
    struct arena_block *kept = NULL, *next;

    for (; block; block = next) {
        next = block->next;
        if (keep_one && !kept && block->size == BLOCK_BYTES)
            kept = block;
        else
            free(block);
    }
    if (kept)
        kept->next = NULL, kept->used = 0;
    return kept;
}

void arena_destroy(struct arena *arena)
{
    arena->blocks = free_blocks(arena->blocks, false);
}

void arena_reset(struct arena *arena)
{
    arena->blocks = free_blocks(arena->blocks, true);
    arena->used = 0;
    arena->refused = false;
}

/* A block of its own for a large piece goes behind the first, which then still serves small ones. */
static struct arena_block *add_block(struct arena *arena, size_t size)
{
    bool large = size > BLOCK_BYTES / 4;
    size_t block_size = large ? size : BLOCK_BYTES;
    struct arena_block *block = malloc(sizeof(*block) + block_size);

    if (!block)
        return NULL;
    *block = (struct arena_block){.size = block_size};
    struct arena_block **place = large && arena->blocks ? &arena->blocks->next : &arena->blocks;
    block->next = *place;
    *place = block;
    return block;
}

void *arena_take(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->blocks;

    if (size > arena->limit || arena->used > arena->limit - size) {
        arena->refused = true;
        return NULL;
    }
    size = round_up(size);
    if (!block || size > block->size - block->used)
        block = add_block(arena, size);
    if (!block)
        return NULL;
    void *piece = block->memory + block->used;
    block->used += size;
    arena->used += size;
    return piece;
}

void *arena_take_array(struct arena *arena, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    void *array = arena_take(arena, bytes ? bytes : 1);
    if (array)
        memset(array, 0, bytes);
    return array;
}

const char *arena_print(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    char text[512];

    va_start(arguments, format);
    int n = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t size = (size_t)n < sizeof(text) ? (size_t)n + 1 : sizeof(text);
    char *copy = n < 0 ? NULL : arena_take(arena, size);
    if (!copy)
        return "out of memory";
    return memcpy(copy, text, size);
}
