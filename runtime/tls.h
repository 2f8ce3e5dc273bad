/*
 * Thread-local variables in code that changes threads in the middle of a function.
 *
 * A compiler may compute the address of a thread-local once and use it again after a switch, when the
 * goroutine runs on another thread. So: every thread-local of the runtime is read through a getter that no
 * optimizer looks into, and the result is never kept over a park. errno is such a variable too: use
 * go_errno_location().
 */
#pragma once

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
