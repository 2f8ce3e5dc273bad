/*
 * Every allocation of the library is counted: this header is included before all others in each of its files
 * (meson.build), also in those that are still to be written, and takes the names of the allocator.
 *
 * Invariant: what one of these made is freed by heap_free, and nothing else is; else the bytes in use are wrong. What
 * the C library allocates for itself is not counted.
 */
#pragma once

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Since the start of the process. */
struct heap_counts {
    uint64_t allocations, frees, bytes; /* bytes: handed out, freed since or not */
    int64_t in_use;
};
void heap_read(struct heap_counts *out);

void *heap_malloc(size_t n);
void *heap_calloc(size_t n, size_t bytes);
void *heap_realloc(void *p, size_t n);
void *heap_aligned_alloc(size_t alignment, size_t n);
char *heap_strdup(const char *s);
void heap_free(void *p);

#ifndef HEAP_RAW
#undef strdup
#define malloc(n)           heap_malloc(n)
#define calloc(n, bytes)    heap_calloc(n, bytes)
#define realloc(p, n)       heap_realloc(p, n)
#define aligned_alloc(a, n) heap_aligned_alloc(a, n)
#define strdup(s)           heap_strdup(s)
#define free(p)             heap_free(p)
#endif
