/*
 * What the sanitizers and valgrind must be told about stacks that they did not make. Everything here is empty
 * in a build without them.
 *
 * AddressSanitizer: a switch is announced before and confirmed after; NULL as the saved fake stack says that
 * the one who leaves is dead. ThreadSanitizer: every goroutine is a fiber; a switch orders what was before it
 * on this thread and what comes after, since a processor's own fields and stacks pass from one goroutine to
 * the next without a lock. valgrind: a stack is registered once per slot.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ANNOTATE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ANNOTATE_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define ANNOTATE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ANNOTATE_TSAN 1
#endif
#endif

/* Whether switches are announced to anybody. */
#ifdef ANNOTATE_ASAN
#define ANNOTATE_STACKS 1
#else
#define ANNOTATE_STACKS 0
#endif

/* For code that reads other stacks: dumps, the depth of a free stack. */
#define ANNOTATE_UNCHECKED __attribute__((no_sanitize("address"), no_sanitize("thread"), noinline))

#ifdef ANNOTATE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef ANNOTATE_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define ANNOTATE_VALGRIND 1
#endif

/* fake: where the state of the one who leaves is kept, NULL if it is dead. */
static inline void annotate_leave(void **fake, const void *to_bottom, size_t to_size)
{
#ifdef ANNOTATE_ASAN
    __sanitizer_start_switch_fiber(fake, to_bottom, to_size);
#endif
}

/* On the new stack. Reports the stack that was left: how a thread's own stack becomes known. */
static inline void annotate_arrive(void *fake, const void **from_bottom, size_t *from_size)
{
#ifdef ANNOTATE_ASAN
    __sanitizer_finish_switch_fiber(fake, from_bottom, from_size);
#endif
}

static inline void *annotate_fiber_self(void)
{
#ifdef ANNOTATE_TSAN
    return __tsan_get_current_fiber();
#else
    return NULL;
#endif
}

static inline void *annotate_fiber_new(void)
{
#ifdef ANNOTATE_TSAN
    return __tsan_create_fiber(0);
#else
    return NULL;
#endif
}

static inline void annotate_fiber_end(void *fiber)
{
#ifdef ANNOTATE_TSAN
    __tsan_destroy_fiber(fiber);
#endif
}

static inline void annotate_fiber_switch(void *fiber)
{
#ifdef ANNOTATE_TSAN
    __tsan_switch_to_fiber(fiber, 0);
#endif
}

/* What dead frames had poisoned. */
static inline void annotate_stack_free(const void *bottom, size_t size)
{
#ifdef ANNOTATE_ASAN
    __asan_unpoison_memory_region(bottom, size);
#endif
}

/* Ids for annotate_stacks_end, or NULL. */
static inline unsigned *annotate_stacks(char *base, size_t slot, size_t n)
{
#ifdef ANNOTATE_VALGRIND
    unsigned *ids = RUNNING_ON_VALGRIND ? calloc(n + 1, sizeof *ids) : NULL;

    if (!ids)
        return NULL;
    ids[0] = (unsigned)n;
    for (size_t i = 0; i < n; i++)
        ids[i + 1] = (unsigned)VALGRIND_STACK_REGISTER(base + i * slot, base + (i + 1) * slot);
    return ids;
#else
    return NULL;
#endif
}

static inline void annotate_stacks_end(unsigned *ids)
{
#ifdef ANNOTATE_VALGRIND
    for (unsigned i = 0; ids && i < ids[0]; i++)
        VALGRIND_STACK_DEREGISTER(ids[i + 1]);
    free(ids);
#endif
}
