/* When looking on pays: linger.h. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "linger.h"

static bool two_processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

static void test_after_a_short_wait_it_looks_on(void **state)
{
    struct lingering linger;

    linger_init(&linger, 50);
    linger_waited(&linger, 3000);
    assert_int_equal(linger_ns(&linger), 50000);
    linger_waited(&linger, 100000); /* 50 us of looking on were not enough, and waking took its time */
    assert_int_equal(linger_ns(&linger), 50000);
}

static void test_after_a_long_wait_it_sleeps_at_once(void **state)
{
    struct lingering linger;

    linger_init(&linger, 50);
    linger_waited(&linger, 100001);
    assert_int_equal(linger_ns(&linger), 0);
    linger_waited(&linger, 100000);
    assert_int_equal(linger_ns(&linger), 50000);
}

static void test_none_is_none(void **state)
{
    struct lingering linger;

    linger_init(&linger, 0);
    linger_waited(&linger, 0);
    assert_int_equal(linger_ns(&linger), 0);
}

static void test_with_one_processor_it_always_sleeps_at_once(void **state)
{
    struct lingering linger;
    cpu_set_t all, one;
    int first = 0;

    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    linger_init(&linger, 50);
    assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
    linger_waited(&linger, 0);
    assert_int_equal(linger_ns(&linger), 0);
}

int main(void)
{
    const struct CMUnitTest one[] = {
        cmocka_unit_test(test_none_is_none),
        cmocka_unit_test(test_with_one_processor_it_always_sleeps_at_once),
    };
    const struct CMUnitTest two[] = {
        cmocka_unit_test(test_after_a_short_wait_it_looks_on),
        cmocka_unit_test(test_after_a_long_wait_it_sleeps_at_once),
    };
    int failed = cmocka_run_group_tests(one, NULL, NULL);

    return two_processors() ? failed + cmocka_run_group_tests(two, NULL, NULL) : failed;
}
