/* The three calls of the kernel that locks and sleeping threads need. Words are 32 bits and private to the
 * process. */
#pragma once

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleeps while *word == expected; ns < 0: no limit, else at most that long. May return early. Keeps errno. */
static inline void futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t ns)
{
    struct timespec limit = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    int saved = errno;

    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, ns < 0 ? NULL : &limit, NULL, 0);
    errno = saved;
}

static inline void futex_wake(_Atomic uint32_t *word, int n)
{
    int saved = errno;

    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
    errno = saved;
}

static inline void cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
