/* H4: a goroutine that does not come to a scheduling point holds up nobody, and is told by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "goroutine_host.h"
#include "rt_test.h"

static _Atomic int hog_stop;

static void hogs(void *arg)
{
    while (!atomic_load(&hog_stop))
        continue;
}

RT_TEST(test_H4_loop_without_calls_does_not_stop_the_others)
{
    int old = go_set_procs(1);
    struct go_stats stats;

    atomic_store(&hog_stop, 0);
    go_spawn(hogs, NULL, 0);
    do { /* the hog gets the only processor; another one must take over */
        go_yield();
        go_stats_read(&stats);
    } while (stats.procs_extra != 1);
    atomic_store(&hog_stop, 1);
    rt_wait_live(1);
    do {
        go_yield();
        go_stats_read(&stats);
    } while (stats.procs_extra != 0);
    go_set_procs(old);
}

static int hog_age(const struct go_info *info, void *age_ns)
{
    if (info->state == GO_STATE_RUNNING && strcmp(info->name, "hogs") == 0)
        *(int64_t *)age_ns = info->age_ns;
    return 0;
}

RT_TEST(test_H4_dump_names_who_does_not_yield_and_where_it_was_started)
{
    int old = go_set_procs(1);
    int64_t age_ns = 0, later_ns = 0;
    char text[4096] = "";
    const char *hog;
    int out[2];

    assert_int_equal(pipe(out), 0);
    atomic_store(&hog_stop, 0);
    go_spawn(hogs, NULL, 0);
    for (; age_ns == 0; go_yield())
        go_each(NULL, hog_age, &age_ns);
    assert_in_range(age_ns, 10000000, INT64_MAX);
    for (; later_ns <= age_ns; go_yield())
        go_each(NULL, hog_age, &later_ns);
    assert_int_equal(go_dump(out[1]), 0);
    assert_true(read(out[0], text, sizeof text - 1) > 0);
    hog = strstr(text, "[running: does not yield, ");
    assert_non_null(hog);
    assert_non_null(strstr(hog, "] hogs\n  started at tests/unit/test_rt_hogs.c:"));
    atomic_store(&hog_stop, 1);
    rt_wait_live(1);
    close(out[0]);
    close(out[1]);
    go_set_procs(old);
}

static int own_age(const struct go_info *info, void *age_ns)
{
    if (info->id == go_id())
        *(int64_t *)age_ns = info->age_ns;
    return 0;
}

RT_TEST(test_H4_who_makes_the_dump_is_no_hog_in_it)
{
    int old = go_set_procs(1);
    int64_t age_ns = -1;
    struct go_stats stats;

    do
        go_stats_read(&stats);
    while (stats.procs_extra == 0);
    go_each(NULL, own_age, &age_ns);
    assert_int_equal(age_ns, 0);
    go_set_procs(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_H4_loop_without_calls_does_not_stop_the_others),
        RT_UNIT(test_H4_dump_names_who_does_not_yield_and_where_it_was_started),
        RT_UNIT(test_H4_who_makes_the_dump_is_no_hog_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
