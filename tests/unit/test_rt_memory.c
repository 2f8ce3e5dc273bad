/* Counters: goroutines, memory, allocations; and giving memory back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "goroutine_inspect.h"
#include "rt_test.h"
#include "rt_written.h"

#if defined(__SANITIZE_ADDRESS__)
enum { MANY = 1000, SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
enum { MANY = 1000, SANITIZED = 1 };
#else
enum { MANY = 10000, SANITIZED = 0 };
#endif
#else
enum { MANY = 10000, SANITIZED = 0 };
#endif

static char *json(void)
{
    int fd = rt_paper();

    assert_int_equal(go_stats_json(fd), 0);
    return rt_written(fd, NULL);
}

/* The number behind `"key":` after `object`, which may be "". */
static long long json_number(const char *text, const char *object, const char *key)
{
    char quoted[64];
    const char *at = strstr(text, object);

    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    at = at ? strstr(at, quoted) : NULL;
    assert_non_null(at);
    return strtoll(at + strlen(quoted), NULL, 10);
}

static void waits(void *arg)
{
    go_chan_recv(*(go_chan **)arg, NULL, GO_FOREVER);
}

static go_chan *hold(int n)
{
    go_chan *c = go_chan_new(0, 0);

    for (int i = 0; i < n; i++)
        assert_int_equal(go_spawn(waits, &c, sizeof c), 0);
    rt_wait_parked(n);
    return c;
}

static void let_go(go_chan *c)
{
    go_chan_close(c);
    rt_wait_live(1);
    go_chan_unref(c);
}

RT_TEST(test_json_counts_goroutines_and_memory_under_fixed_keys)
{
    static const char *const keys[] = {"goroutines", "parked",  "procs",       "procs_extra",
                                       "spawned",    "ended",   "switches",    "parks",
                                       "steals",     "wakeups", "timers_fired"};
    char *before = json(), *during, *after;
    go_chan *c = hold(1000);

    during = json();
    let_go(c);
    after = json();
    assert_int_equal(json_number(before, "", "goroutines"), 1);
    assert_int_equal(json_number(during, "", "goroutines"), 1001);
    assert_int_equal(json_number(after, "", "goroutines"), 1);
    assert_int_equal(json_number(during, "", "parked"), 1000);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_true(json_number(during, "", keys[i]) >= 0);
    for (int i = 0; i < 3; i++) {
        const char *text = i == 0 ? before : i == 1 ? during : after;

        assert_true(json_number(text, "\"memory\"", "in_use") > 0);
        assert_true(json_number(text, "\"memory\"", "from_system") >=
                    json_number(text, "\"memory\"", "in_use"));
    }
    assert_true(json_number(during, "\"memory\"", "total") > json_number(before, "\"memory\"", "total"));
    assert_true(json_number(after, "\"memory\"", "total") >= json_number(during, "\"memory\"", "total"));
    assert_true(json_number(during, "\"stacks\"", "count") >= 1001);
    assert_true(json_number(during, "\"stacks\"", "resident") >
                json_number(before, "\"stacks\"", "resident"));
    assert_true(json_number(during, "\"stacks\"", "mapped") >= json_number(during, "\"stacks\"", "resident"));
    free(before);
    free(during);
    free(after);
}

RT_TEST(test_parks_and_switches_are_counted)
{
    struct go_stats before, after;
    go_chan *c = hold(50);

    go_stats_read(&before);
    let_go(c);
    c = hold(50);
    go_stats_read(&after);
    assert_true(after.parks - before.parks >= 50);
    assert_true(after.switches - before.switches >= 100);
    let_go(c);
}

static void count_call(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void spawn_in_bubble(void *called)
{
    assert_int_equal(go_spawn(count_call, called, 0), 0);
}

/* main counts: it is the one that has not ended. */
RT_TEST(test_who_is_spawned_in_whatever_way_is_counted_once)
{
    atomic_int called = 0;
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_ctx_func *later = go_ctx_after_func(ctx, count_call, &called);
    struct go_stats stats;

    assert_int_equal(go_spawn(count_call, &called, 0), 0);
    assert_int_equal(go_bubble(spawn_in_bubble, &called), 0);
    go_ctx_cancel(ctx, 0, NULL);
    do {
        go_yield();
        go_stats_read(&stats);
    } while (atomic_load(&called) < 3 || stats.live > 1 || stats.ended + 1 < stats.spawned);
    assert_int_equal(stats.spawned, stats.ended + 1);
    assert_int_equal(go_ctx_func_stop(later), 0);
    go_ctx_unref(ctx);
}

RT_TEST(test_trim_gives_back_the_stacks_of_many_goroutines)
{
    struct go_memory before, during, after;
    go_chan *c;

    let_go(hold(1)); /* what the first one needs is there */
    go_trim();
    go_memory_read(&before);
    c = hold(MANY);
    go_memory_read(&during);
    assert_true(during.stacks > MANY);
    if (!SANITIZED)
        assert_true((during.stacks_resident - before.stacks_resident) / MANY <= 8192);
    let_go(c);
    do { /* what sleeping processors keep comes when they have slept again */
        go_trim();
        go_memory_read(&after);
    } while (after.in_use > before.in_use + before.in_use / 10 + 65536);
    assert_true(after.stacks_resident < during.stacks_resident / 10);
    assert_int_equal(after.stacks_bytes, during.stacks_bytes);
}

static void uses_its_stack(void *arg)
{
    volatile char deep[40000];

    memset((char *)deep, 1, sizeof deep);
    go_yield();
    assert_int_equal(deep[sizeof deep - 1], 1);
}

RT_TEST(test_stacks_that_were_given_back_are_used_again)
{
    struct go_memory before, after;
    struct go_spawn_options large = {.stack_bytes = 256 << 10};

    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 200; i++) {
            assert_int_equal(go_spawn(uses_its_stack, NULL, 0), 0);
            assert_int_equal(go_spawn_with(uses_its_stack, NULL, 0, &large), 0);
        }
        rt_wait_live(1);
        if (round == 1)
            go_memory_read(&before);
        go_trim();
    }
    go_memory_read(&after);
    assert_true(after.stacks_bytes <= before.stacks_bytes * 2); /* no more for every round */
}

RT_TEST(test_trim_without_anything_to_give_back_is_0)
{
    while (go_trim() > 0)
        go_yield();
    assert_int_equal(go_trim(), 0);
}

/* ---- allocations ---- */

static void returns(void *arg)
{
}

static void spawn_and_wait(int n)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(go_spawn(returns, &i, sizeof i), 0);
        rt_wait_live(1);
    }
}

/* A thread that the watchdog starts meanwhile allocates: one of some rounds is without. */
RT_TEST(test_warm_spawn_allocates_nothing)
{
    struct go_memory before, after;
    int rounds = 0;

    spawn_and_wait(200);
    do {
        assert_true(++rounds < 20);
        go_memory_read(&before);
        spawn_and_wait(1000);
        go_memory_read(&after);
    } while (after.allocations != before.allocations);
    assert_int_equal(after.frees, before.frees);
}

RT_TEST(test_allocations_of_the_runtime_are_counted_and_taken_back)
{
    struct go_memory before, during, after;
    go_chan *c;

    go_memory_read(&before);
    c = go_chan_new(1000, 10);
    go_memory_read(&during);
    go_chan_unref(c);
    go_memory_read(&after);
    assert_int_equal(during.allocations - before.allocations, 1);
    assert_true(during.heap_bytes - before.heap_bytes >= 10000);
    assert_int_equal(after.allocations, during.allocations);
    assert_int_equal(after.frees - during.frees, 1);
    assert_int_equal(after.heap_bytes, before.heap_bytes);
    assert_true(after.total >= during.total);
}

static __attribute__((noinline)) void allocate_here(void **p)
{
    *p = go_alloc(100);
}

static __attribute__((noinline)) void allocate_there(void **p)
{
    *p = go_alloc(10);
}

RT_TEST(test_go_alloc_is_counted_exactly)
{
    struct go_memory before, after;
    void *p[7];

    go_memory_read(&before);
    for (int i = 0; i < 7; i++) {
        p[i] = go_alloc(100);
        assert_non_null(p[i]);
        assert_int_equal(*(char *)p[i], 0);
    }
    for (int i = 0; i < 3; i++)
        go_free(p[i]);
    go_free(NULL);
    go_memory_read(&after);
    assert_int_equal(after.user_allocations - before.user_allocations, 7);
    assert_int_equal(after.user_frees - before.user_frees, 3);
    assert_true(after.user_bytes - before.user_bytes >= 400);
    for (int i = 3; i < 7; i++)
        go_free(p[i]);
    go_memory_read(&after);
    assert_int_equal(after.user_bytes, before.user_bytes);
}

RT_TEST(test_allocation_profile_tells_how_often_each_place_asked)
{
    int fd = rt_paper();
    void *p;
    char *text;

    assert_int_equal(go_alloc_profile_write(fd, GO_PROFILE_FOLDED), -ESRCH);
    assert_int_equal(go_alloc_profile_start(), 0);
    for (int i = 0; i < 20; i++) {
        allocate_here(&p);
        go_free(p);
        if (i % 4)
            continue;
        allocate_there(&p);
        go_free(p);
    }
    go_alloc_profile_stop();
    allocate_here(&p);
    go_free(p);
    assert_int_equal(go_alloc_profile_write(fd, GO_PROFILE_FOLDED), 0);
    text = rt_written(fd, NULL);
    assert_int_equal(rt_times(text, "\n"), 2);
    assert_non_null(strstr(text, ";allocate_here"));
    assert_non_null(strstr(strstr(text, ";allocate_here"), " 20\n"));
    assert_non_null(strstr(strstr(text, ";allocate_there"), " 5\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_json_counts_goroutines_and_memory_under_fixed_keys),
        RT_UNIT(test_parks_and_switches_are_counted),
        RT_UNIT(test_who_is_spawned_in_whatever_way_is_counted_once),
        RT_UNIT(test_trim_gives_back_the_stacks_of_many_goroutines),
        RT_UNIT(test_stacks_that_were_given_back_are_used_again),
        RT_UNIT(test_trim_without_anything_to_give_back_is_0),
        RT_UNIT(test_warm_spawn_allocates_nothing),
        RT_UNIT(test_allocations_of_the_runtime_are_counted_and_taken_back),
        RT_UNIT(test_go_alloc_is_counted_exactly),
        RT_UNIT(test_allocation_profile_tells_how_often_each_place_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
