/* Leaks: proven at an end, suspected by age, and the check of a test. Rule Z4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "goroutine_inspect.h"
#include "rt_child.h"
#include "rt_test.h"
#include "rt_written.h"

/* ---- four ways to leak ---- */

static void sends_to_nobody(void *arg)
{
    go_chan_send(*(go_chan **)arg, NULL, GO_FOREVER);
}

/* It should have selected on a context, too. */
static void ignores_its_context(void *arg)
{
    struct go_case cases[] = {GO_RECV(*(go_chan **)arg, NULL), GO_RECV(NULL, NULL)};

    go_select(cases, 2, GO_FOREVER);
}

static void waits_for_a_signal_that_nobody_gives(void *arg)
{
    go_chan_recv(*(go_chan **)arg, NULL, GO_FOREVER);
}

static _Atomic int loop_stop;

static void loops(void *arg)
{
    while (!atomic_load(&loop_stop))
        continue;
}

/* Their channels, for repair(). */
static struct {
    go_chan *channel[16];
    int n;
} leaked;

/* Started from a frame that is gone when the leak is looked for. */
static __attribute__((noinline)) void start_blocked(void (*fn)(void *))
{
    go_chan *c = go_chan_new(0, 0);

    assert_int_equal((go_spawn)(fn, &c, sizeof c), 0);
    leaked.channel[leaked.n++] = c;
}

/* What the programs forgot: afterwards nothing is left. */
static void repair(void)
{
    int fd = rt_paper();

    for (int i = 0; i < leaked.n; i++)
        go_chan_close(leaked.channel[i]);
    rt_wait_live(1);
    while (leaked.n > 0)
        go_chan_unref(leaked.channel[--leaked.n]);
    /* who is counted out may have a last step to go, and is told as running until then */
    assert_int_equal(go_leak_check((struct go_leak_mark){0}, fd, GO_FOREVER), 0);
    assert_int_equal(go_leaks_write(NULL, 0, fd), 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), 0);
    close(fd);
}

static void start_three_blocked(void)
{
    start_blocked(sends_to_nobody);
    start_blocked(ignores_its_context);
    start_blocked(waits_for_a_signal_that_nobody_gives);
}

/* ---- what is found ---- */

struct found {
    int of[4]; /* by class */
    uint64_t last;
};

static int look(const struct go_leak *leak, void *arg)
{
    struct found *f = arg;

    f->of[leak->kind]++;
    assert_true(leak->info.id > f->last);
    f->last = leak->info.id;
    if (leak->info.state == GO_STATE_PARKED) {
        assert_true(leak->info.reason[0] && leak->info.age_ns >= 0);
        assert_true(leak->info.site ? leak->info.site->line > 0 : leak->info.spawn_pc != NULL);
    }
    return 0;
}

static struct found find(const go_group *group, int64_t age_ns)
{
    struct found f = {.last = 0};

    assert_int_equal(go_leaks(group, age_ns, look, &f), 0);
    return f;
}

RT_TEST(test_Z4_all_that_wait_are_proven_when_nobody_else_can_run)
{
    struct found f;

    start_three_blocked();
    rt_wait_parked(3);
    do
        f = find(NULL, GO_LEAKS_AT_END); /* processors may still be on their way to sleep */
    while (f.of[GO_LEAK_PROVEN] == 0);
    assert_int_equal(f.of[GO_LEAK_PROVEN], 3);
    assert_int_equal(f.of[GO_LEAK_SUSPECTED] + f.of[GO_LEAK_BLOCKED] + f.of[GO_LEAK_RUNNING], 0);
    repair();
}

RT_TEST(test_Z4_nobody_is_proven_while_the_program_goes_on)
{
    struct found f;

    start_three_blocked();
    rt_wait_parked(3);
    f = find(NULL, 0);
    assert_int_equal(f.of[GO_LEAK_SUSPECTED], 3);
    assert_int_equal(f.of[GO_LEAK_PROVEN] + f.of[GO_LEAK_BLOCKED], 0);
    f = find(NULL, INT64_MAX);
    assert_int_equal(f.of[GO_LEAK_SUSPECTED], 0);
    repair();
}

static void sends_after_a_while(void *arg)
{
    go_sleep(go_after_ms(20));
    go_chan_send(*(go_chan **)arg, NULL, GO_FOREVER);
}

/* On a clock that stands: both are still parked when somebody looks. */
static int looks_at_a_sleeper(void *arg)
{
    go_chan *c = go_chan_new(0, 0);
    struct found f;

    go_spawn(waits_for_a_signal_that_nobody_gives, &c, sizeof c);
    go_spawn(sends_after_a_while, &c, sizeof c);
    rt_wait_parked(2);
    f = find(NULL, GO_LEAKS_AT_END);
    assert_int_equal(f.of[GO_LEAK_PROVEN], 0);
    go_clock_advance(20000000);
    rt_wait_live(1);
    go_chan_unref(c);
    return 0;
}

static void test_Z4_who_waits_for_a_sleeper_is_not_proven(void **state)
{
    go_clock_fake(1000);
    assert_int_equal(go_main(looks_at_a_sleeper, NULL), 0);
    go_clock_real();
}

static void *may_call_in(void *arg)
{
    while (!atomic_load(&loop_stop))
        continue;
    return NULL;
}

RT_TEST(test_Z4_nothing_is_proven_beside_a_thread_that_may_call_in)
{
    pthread_t thread;
    struct found f;

    atomic_store(&loop_stop, 0);
    assert_int_equal(pthread_create(&thread, NULL, may_call_in, NULL), 0);
    start_three_blocked();
    rt_wait_parked(3);
    f = find(NULL, GO_LEAKS_AT_END);
    assert_int_equal(f.of[GO_LEAK_PROVEN], 0);
    assert_int_equal(f.of[GO_LEAK_BLOCKED], 3);
    atomic_store(&loop_stop, 1);
    pthread_join(thread, NULL);
    repair();
}

RT_TEST(test_Z4_members_of_a_group_that_wait_for_each_other_are_proven)
{
    go_group *group = go_group_new(NULL, NULL, NULL);
    struct go_spawn_options options = {.group = group};
    go_chan *outside = go_chan_new(0, 0);
    struct found f;

    assert_int_equal(go_spawn_with(sends_to_nobody, &outside, sizeof outside, &options), 0);
    rt_wait_parked(1);
    f = find(group, GO_LEAKS_AT_END);
    assert_int_equal(f.of[GO_LEAK_PROVEN], 0); /* we have that channel */
    assert_int_equal(f.of[GO_LEAK_BLOCKED], 1);
    assert_int_equal(go_chan_recv(outside, NULL, GO_FOREVER), 1);
    rt_wait_live(1);
    go_group_unref(group);
    go_chan_unref(outside);
}

static void makes_its_own(void *arg)
{
    go_chan *c = go_chan_new(0, 0);

    go_chan_recv(c, NULL, GO_FOREVER);
    go_chan_unref(c);
}

RT_TEST(test_Z4_member_that_waits_for_its_own_channel_is_proven_in_its_group)
{
    go_group *group = go_group_new(NULL, NULL, NULL);
    struct go_spawn_options options = {.group = group};
    struct found f;

    assert_int_equal(go_spawn_with(makes_its_own, NULL, 0, &options), 0);
    rt_wait_parked(1);
    f = find(group, GO_LEAKS_AT_END);
    assert_int_equal(f.of[GO_LEAK_PROVEN], 1);
    go_group_end(group);
    rt_wait_live(1);
    go_group_unref(group);
}

RT_TEST(test_loop_is_told_as_running)
{
    struct go_stats stats;
    struct found f;

    atomic_store(&loop_stop, 0);
    start_three_blocked();
    assert_int_equal(go_spawn(loops, NULL, 0), 0);
    rt_wait_parked(3);
    do {
        go_yield();
        f = find(NULL, 0);
    } while (f.of[GO_LEAK_RUNNING] == 0);
    assert_int_equal(f.of[GO_LEAK_RUNNING], 1);
    assert_int_equal(f.of[GO_LEAK_SUSPECTED], 3);
    f = find(NULL, GO_LEAKS_AT_END);
    assert_int_equal(f.of[GO_LEAK_RUNNING], 1);
    atomic_store(&loop_stop, 1);
    do {
        go_yield();
        go_stats_read(&stats);
    } while (go_live() != 4 || stats.parked != 3);
    repair();
}

RT_TEST(test_leaks_as_text_begin_with_their_class)
{
    int fd = rt_paper();
    char *text;

    start_three_blocked();
    rt_wait_parked(3);
    assert_int_equal(go_leaks_write(NULL, 0, fd), 3);
    text = rt_written(fd, NULL);
    assert_int_equal(rt_times(text, "suspected leak: goroutine "), 3);
    assert_non_null(strstr(text, "[parked: chan send, "));
    assert_non_null(strstr(text, "] ignores_its_context\n"));
    assert_non_null(strstr(text, "  started at start_blocked+0x"));
    free(text);
    repair();
}

static int returns_with_three_blocked(void *arg)
{
    setenv("GOROUTINE_LEAKS", "1", 1);
    start_three_blocked();
    rt_wait_parked(3);
    return 0;
}

static void test_Z4_program_reports_its_leaks_at_its_end_when_asked(void **state)
{
    char said[65536];

    assert_int_equal(rt_child_hear(returns_with_three_blocked, said, sizeof said), 0);
    assert_int_equal(rt_times(said, "proven leak: goroutine ") + rt_times(said, "left blocked: goroutine "),
                     3);
    assert_int_equal(rt_times(said, "suspected"), 0);
}

/* ---- the check of a test ---- */

static void ends_soon(void *arg)
{
    go_sleep(go_after_ms(5));
}

RT_TEST(test_check_waits_for_those_that_end_and_finds_nobody)
{
    struct go_leak_mark mark = go_leak_mark();

    for (int i = 0; i < 10; i++)
        assert_int_equal(go_spawn(ends_soon, NULL, 0), 0);
    assert_int_equal(go_leak_check(mark, STDERR_FILENO, GO_FOREVER), 0);
    assert_int_equal(go_live(), 1);
}

RT_TEST(test_check_finds_those_that_were_started_since_the_mark_with_their_stacks)
{
    struct go_leak_mark mark;
    int fd = rt_paper();
    char *text;

    start_blocked(sends_to_nobody);
    mark = go_leak_mark();
    start_blocked(ignores_its_context);
    start_blocked(waits_for_a_signal_that_nobody_gives);
    assert_int_equal(go_leak_check(mark, fd, GO_FOREVER), 2); /* nobody runs: there is nothing to wait for */
    text = rt_written(fd, NULL);
    assert_null(strstr(text, "sends_to_nobody"));
    assert_non_null(strstr(text, "] ignores_its_context\n"));
    assert_non_null(strstr(text, "] waits_for_a_signal_that_nobody_gives\n"));
    assert_true(rt_times(text, "\n    ") >= 2); /* frames */
    free(text);
    repair();
}

RT_TEST(test_check_gives_up_on_a_loop_and_tells_that_it_runs)
{
    struct go_leak_mark mark = go_leak_mark();
    int fd = rt_paper();
    char *text;

    atomic_store(&loop_stop, 0);
    assert_int_equal(go_spawn(loops, NULL, 0), 0);
    assert_int_equal(go_leak_check(mark, fd, go_after_ms(20)), 1);
    atomic_store(&loop_stop, 1);
    rt_wait_live(1);
    text = rt_written(fd, NULL);
    assert_non_null(strstr(text, "left running: goroutine "));
    assert_non_null(strstr(text, "] loops\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_Z4_all_that_wait_are_proven_when_nobody_else_can_run),
        RT_UNIT(test_Z4_nobody_is_proven_while_the_program_goes_on),
        RT_UNIT(test_Z4_who_waits_for_a_sleeper_is_not_proven),
        RT_UNIT(test_Z4_nothing_is_proven_beside_a_thread_that_may_call_in),
        RT_UNIT(test_Z4_members_of_a_group_that_wait_for_each_other_are_proven),
        RT_UNIT(test_Z4_member_that_waits_for_its_own_channel_is_proven_in_its_group),
        RT_UNIT(test_loop_is_told_as_running),
        RT_UNIT(test_leaks_as_text_begin_with_their_class),
        RT_UNIT(test_Z4_program_reports_its_leaks_at_its_end_when_asked),
        RT_UNIT(test_check_waits_for_those_that_end_and_finds_nobody),
        RT_UNIT(test_check_finds_those_that_were_started_since_the_mark_with_their_stacks),
        RT_UNIT(test_check_gives_up_on_a_loop_and_tells_that_it_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
