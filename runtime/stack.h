/*
 * Stacks of goroutines: slots of mapped slabs, each with a guard at its low end, bound when a goroutine first
 * runs and handed on last-in-first-out, so that the one taken is warm. Memory of a slab is never unmapped
 * while the runtime runs: a reader of a parked stack (dump) may find old bytes, never a fault.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STACK_CLASSES 5

/* Free stacks of the default class kept by one processor; no lock. */
struct stack_cache {
    char *first;
    unsigned count;
    unsigned trim; /* the last call of stack_trim that was heeded */
};

/* The class that holds `bytes`; 0 asks for the default. -EINVAL: more than the largest. */
int stack_class_of(size_t bytes);
size_t stack_class_bytes(int class);
size_t stack_guard_bytes(void);

/* The low end of a slot: the guard begins there. `cache` may be NULL. Ends the process when the kernel gives no memory: the
 * goroutine was promised its stack. */
char *stack_take(struct stack_cache *cache, int class);
void stack_give(struct stack_cache *cache, char *low, int class);

/* One past the usable end, aligned to STACK_TOP_ALIGN. */
enum { STACK_TOP_ALIGN = 64 };
char *stack_top(const char *low, int class);

/* The usable part begins behind the guard. */
static inline char *stack_bottom(const char *low)
{
    return (char *)(uintptr_t)low + stack_guard_bytes();
}

static inline size_t stack_usable(const char *low, int class)
{
    return (size_t)(stack_top(low, class) - stack_bottom(low));
}

/* How many stacks the kernel's limits allow: without MADV_GUARD_INSTALL every guard costs two mappings. */
int64_t stack_count_max(void);
int64_t stack_bytes_mapped(void);

/* Gives the memory of free stacks back to the kernel, those of `cache` (may be NULL) too; other caches follow when their
 * processors call stack_cache_heed. Returns how many stacks that were. */
int64_t stack_trim(struct stack_cache *cache);

/* By the owner of the cache, before it sleeps. */
void stack_cache_heed(struct stack_cache *cache);

struct stack_figures {
    int64_t taken; /* stacks that goroutines have or processors keep */
    int64_t mapped_bytes, resident_bytes;
    uint64_t mapped_ever;
};
/* Asks the kernel about every page. */
void stack_figures_read(struct stack_figures *out);

/* Unmaps every slab. Nobody may run or wait. */
void stack_release_all(void);
