/* Tests of patterns: each body runs in a bubble, again and again, on 1, 2 and 4 processors. */
#pragma once

#include "goroutine_patterns.h"
#include "rt_test.h"

#define MS INT64_C(1000000)

static inline void pattern_repeat(void (*body)(void *arg), int times)
{
    static const int procs[] = {1, 2, 4};
    int old = go_set_procs(0);

    for (int i = 0; i < 3; i++) {
        go_set_procs(procs[i]);
        for (int n = 0; n < times; n++)
            assert_int_equal(go_bubble(body, NULL), 0);
    }
    go_set_procs(old);
}

#define PATTERN_TEST(name, times)                                                                            \
    static void name##_in(void *arg);                                                                        \
    RT_TEST(name)                                                                                            \
    {                                                                                                        \
        pattern_repeat(name##_in, times);                                                                    \
    }                                                                                                        \
    static void name##_in(void *arg)

/* Milliseconds since the bubble began. */
static inline int64_t at_ms(void)
{
    return (go_now_ns() - INT64_C(946684800) * 1000 * MS) / MS;
}
