/*
 * Programs that a lost wake-up, a forgotten goroutine or a broken queue stops for ever, or makes count wrong. Each is one
 * function, which runs as the main goroutine and returns when all that it started has ended.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "goroutine.h"

struct program {
    const char *name;
    void (*run)(void);
};

/* Each ends with a program without a name. */
extern const struct program channel_programs[], storm_programs[], lock_programs[];

/* Under the thread sanitizer at most 2,000 goroutines live. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { CHAIN_MAX = 1500 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
enum { CHAIN_MAX = 1500 };
#else
enum { CHAIN_MAX = 100000 };
#endif
#else
enum { CHAIN_MAX = 100000 };
#endif

#define must(x)                                                                                              \
    do {                                                                                                     \
        if (!(x)) {                                                                                          \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #x);                            \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* Starts n goroutines, each with a copy of the struct at `arg`. */
#define start_all(n, fn, arg)                                                                                \
    do {                                                                                                     \
        for (int i_ = 0; i_ < (n); i_++)                                                                     \
            must(go_spawn((fn), (arg), sizeof *(arg)) == 0);                                                 \
    } while (0)

/* 0..n-1 */
static inline int dice_below(uint32_t *dice, int n)
{
    *dice = *dice * 1664525u + 1013904223u;
    return (int)((*dice >> 8) % (uint32_t)n);
}
