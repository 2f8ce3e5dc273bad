/*
 * Tests of the runtime: each body runs as the main goroutine of a runtime of its own.
 *
 * cmocka's checks jump out of a failed test by longjmp, which would leave the goroutine's stack for the
 * thread's: so inside a body they are replaced by ones that report and abort.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "goroutine_host.h"

#define RT_TEST(name)                                                                                        \
    static void name##_body(void);                                                                           \
    static int name##_main(void *arg)                                                                        \
    {                                                                                                        \
        name##_body();                                                                                       \
        return 0;                                                                                            \
    }                                                                                                        \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        rt_check(go_main(name##_main, NULL) == 0, "go_main", __FILE__, __LINE__);                            \
    }                                                                                                        \
    static void name##_body(void)

#define RT_UNIT(name) cmocka_unit_test(name)

/* TEST_FILTER=test_U2_* in the environment runs only those. */
__attribute__((constructor)) static void rt_test_filter(void)
{
    if (getenv("TEST_FILTER"))
        cmocka_set_test_filter(getenv("TEST_FILTER"));
}

static inline void rt_check(int holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    abort();
}

#undef assert_true
#undef assert_false
#undef assert_int_equal
#undef assert_in_range
#undef assert_non_null
#undef assert_null
#undef assert_string_equal
#define assert_true(x)            rt_check(!!(x), #x, __FILE__, __LINE__)
#define assert_false(x)           rt_check(!(x), "!" #x, __FILE__, __LINE__)
#define assert_non_null(x)        rt_check((x) != NULL, #x " != NULL", __FILE__, __LINE__)
#define assert_null(x)            rt_check((x) == NULL, #x " == NULL", __FILE__, __LINE__)
#define assert_string_equal(a, b) rt_check(strcmp((a), (b)) == 0, #a " is " #b, __FILE__, __LINE__)
#define assert_in_range(x, a, b)  rt_check((x) >= (a) && (x) <= (b), #x " in " #a ".." #b, __FILE__, __LINE__)
#define assert_int_equal(a, b)    rt_equal((long long)(a), (long long)(b), #a " == " #b, __FILE__, __LINE__)

static inline void rt_equal(long long a, long long b, const char *what, const char *file, int line)
{
    if (a == b)
        return;
    fprintf(stderr, "%s:%d: %s does not hold: %lld, %lld\n", file, line, what, a, b);
    abort();
}

/* Until exactly n goroutines are parked: the caller is not one of them. */
static inline void rt_wait_parked(int n)
{
    struct go_stats s;

    do {
        go_yield();
        go_stats_read(&s);
    } while (s.parked != n);
}

/* Until n goroutines live. */
static inline void rt_wait_live(int n)
{
    while (go_live() != n)
        go_yield();
}
