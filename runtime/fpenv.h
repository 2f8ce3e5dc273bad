/*
 * The floating-point control words of the thread: rounding, exceptions masked, denormals. A switch leaves them as they
 * are, but for goroutines spawned with GO_FPENV (scheduler.c, switch_heed).
 */
#pragma once

#include <stdint.h>

#if defined(__x86_64__)

/* mxcsr, and above it the control word of the x87. */
static inline uint64_t fpenv_read(void)
{
    uint32_t mxcsr;
    uint16_t x87;

    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
    return mxcsr | (uint64_t)x87 << 32;
}

static inline void fpenv_write(uint64_t words)
{
    uint32_t mxcsr = (uint32_t)words;
    uint16_t x87 = (uint16_t)(words >> 32);

    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87) : "memory");
}

#elif defined(__aarch64__)

static inline uint64_t fpenv_read(void)
{
    uint64_t fpcr;

    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr;
}

static inline void fpenv_write(uint64_t fpcr)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr) : "memory");
}

#endif
