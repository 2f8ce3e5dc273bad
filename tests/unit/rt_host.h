/* A host: the runtime in the background, the test on a plain thread, and groups of goroutines in it. */
#pragma once

#include "rt_test.h"

#define HOST_TEST(name)                                                                                      \
    static void name##_body(void);                                                                           \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        assert_int_equal(go_start(2), 0);                                                                    \
        name##_body();                                                                                       \
        assert_int_equal(go_stop(), 0);                                                                      \
    }                                                                                                        \
    static void name##_body(void)

static inline void group_start(go_group *group, void (*fn)(void *), const void *arg, size_t bytes)
{
    struct go_spawn_options options = {.group = group};

    assert_int_equal(go_spawn_with(fn, arg, bytes, &options), 0);
}

static inline int count_parked(const struct go_info *info, void *n)
{
    *(int *)n += info->state == GO_STATE_PARKED;
    return 0;
}

static inline void wait_parked_members(go_group *group, int n)
{
    int parked;

    do {
        go_yield();
        parked = 0;
        go_each(group, count_parked, &parked);
    } while (parked != n);
}
