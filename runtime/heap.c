/* Counters are spread, so that processors that allocate at once do not share a cache line; reading adds them up. */
#define HEAP_RAW
#include "heap.h"

#undef malloc
#undef calloc
#undef realloc
#undef aligned_alloc
#undef strdup
#undef free

#include <stdatomic.h>

#include "g.h"

enum { SPREAD = 16 };

static struct {
    _Alignas(64) _Atomic uint64_t allocations, frees, bytes, freed;
} counts[SPREAD];

static size_t place(void)
{
    return (uintptr_t)thread_self() / sizeof(void *) / 97 % SPREAD; /* a thread keeps its own */
}

static void *counted(void *p)
{
    size_t i = place(), n = malloc_usable_size(p);

    if (p) {
        atomic_fetch_add_explicit(&counts[i].allocations, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&counts[i].bytes, n, memory_order_relaxed);
    }
    return p;
}

static void uncount(void *p)
{
    size_t i = place();

    atomic_fetch_add_explicit(&counts[i].frees, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts[i].freed, malloc_usable_size(p), memory_order_relaxed);
}

void *heap_malloc(size_t n)
{
    return counted(malloc(n));
}

void *heap_calloc(size_t n, size_t bytes)
{
    return counted(calloc(n, bytes));
}

void *heap_aligned_alloc(size_t alignment, size_t n)
{
    return counted(aligned_alloc(alignment, n));
}

char *heap_strdup(const char *s)
{
    return counted(strdup(s));
}

void *heap_realloc(void *p, size_t n)
{
    size_t before = malloc_usable_size(p);
    void *moved = realloc(p, n);

    if (!moved)
        return NULL;
    if (p) {
        atomic_fetch_add_explicit(&counts[0].frees, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&counts[0].freed, before, memory_order_relaxed);
    }
    return counted(moved);
}

void heap_free(void *p)
{
    if (p)
        uncount(p);
    free(p);
}

void heap_read(struct heap_counts *out)
{
    uint64_t freed = 0;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < SPREAD; i++) {
        out->frees += atomic_load(&counts[i].frees);
        freed += atomic_load(&counts[i].freed);
    }
    for (size_t i = 0; i < SPREAD; i++) {
        out->allocations += atomic_load(&counts[i].allocations);
        out->bytes += atomic_load(&counts[i].bytes);
    }
    out->in_use = (int64_t)(out->bytes - freed);
}
