/*
 * Thread-local variables in code that changes threads in the middle of a function.
 *
 * A compiler may compute the address of a thread-local once and use it again after a switch, when the
 * goroutine runs on another thread. So: every thread-local of the runtime is read through a getter that no
 * optimizer looks into, or by tls_load, and the result is never kept over a park. errno is such a variable too: use
 * go_errno_location().
 */
#pragma once

#include <stddef.h>

/* initial-exec: one load, safe in signal handlers. The library uses a few words of static TLS, so dlopen can
 * load it. */
#define TLS __thread __attribute__((tls_model("initial-exec")))

#if defined(__clang__)
#define TLS_GETTER        static __attribute__((noinline, used))
#define TLS_GETTER_EXTERN __attribute__((noinline, used))
#else
#define TLS_GETTER        static __attribute__((noipa))
#define TLS_GETTER_EXTERN __attribute__((noipa))
#endif

/* Makes the getter impure in the eyes of the compiler: two calls are two reads. */
#define TLS_BARRIER() __asm__ volatile("" ::: "memory")

/* Where a thread-local lies in every thread, seen from its thread pointer: the same for all with initial-exec. */
static inline ptrdiff_t tls_offset(const void *variable)
{
    return (const char *)variable - (const char *)__builtin_thread_pointer();
}

/* The word there in this thread. No call, and for the compiler every time a new value: only the offset can be kept. */
static inline void *tls_load(ptrdiff_t offset)
{
    void *value;

#if defined(__x86_64__)
    __asm__ volatile("movq %%fs:(%1), %0" : "=r"(value) : "r"(offset));
#else
    __asm__ volatile("mrs %0, tpidr_el0\n\tldr %0, [%0, %1]" : "=&r"(value) : "r"(offset));
#endif
    return value;
}
