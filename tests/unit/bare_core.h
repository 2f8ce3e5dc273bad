/* A core without sessions, for parts of it that are tested alone. Its memory may be refused. */
#pragma once

#include <stdlib.h>

#include "core_internal.h"

static size_t bare_pieces;
static bool bare_refuses;

static inline void *bare_resize(void *context, void *p, size_t size)
{
    if (!size) {
        bare_pieces -= p != NULL;
        free(p);
        return NULL;
    }
    if (bare_refuses)
        return NULL;
    bare_pieces += p == NULL;
    return realloc(p, size);
}

static inline struct core *bare_core(void)
{
    const struct limits limits = LIMITS_DEFAULT;
    const struct allocator memory = {bare_resize, NULL, 0};

    bare_pieces = 0;
    bare_refuses = false;
    return core_new(&limits, &memory, 0, 1, 1);
}

/* Uniform in 0..below-1; the same numbers in every run. */
static inline uint64_t bare_draw(uint64_t below)
{
    static uint64_t word = 88172645463325252ull;

    word ^= word << 13;
    word ^= word >> 7;
    word ^= word << 17;
    return word % below;
}
