/* Wrong programs: what is reported, and what debug builds notice: rules M5, O3, W4, K4, A2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "goroutine_sync.h"
#include "rt_child.h"
#include "rt_test.h"

static void recovers(void *arg)
{
    *(int *)arg = go_recover() != NULL;
}

/* ---- deadlocks: the program ends with a report ---- */

static go_mutex twice_mutex;

static int locks_twice(void *arg)
{
    go_mutex_lock(&twice_mutex);
    go_mutex_lock(&twice_mutex);
    return 0;
}

static void test_M5_locking_again_is_a_deadlock(void **state)
{
    rt_child_dies(locks_twice, "all goroutines are asleep - deadlock!", 0);
}

static go_once nested_once;

static void does_itself(void *arg)
{
    go_once_do(&nested_once, does_itself, NULL);
}

static int recurses(void *arg)
{
    does_itself(NULL);
    return 0;
}

static void test_O3_recursion_in_once_is_a_deadlock(void **state)
{
    rt_child_dies(recurses, "all goroutines are asleep - deadlock!", 0);
}

static go_rwmutex unlocked_rw;

static void hides_misuse(void *arg)
{
    go_defer(recovers, arg);
    go_rwmutex_runlock(&unlocked_rw);
}

static int misuses_rwmutex(void *arg)
{
    int recovered = 0;

    go_call(hides_misuse, &recovered);
    return 0;
}

static void test_W4_misuse_cannot_be_recovered(void **state)
{
    rt_child_dies(misuses_rwmutex, "runlock of an rwmutex", SIGABRT);
}

/* ---- callbacks of go_each ---- */

static int waits_in_callback(const struct go_info *info, void *never)
{
    go_chan_recv(never, NULL, GO_FOREVER);
    return 0;
}

static int yields_in_callback(const struct go_info *info, void *never)
{
    go_yield();
    return 0;
}

static int panics_in_callback(const struct go_info *info, void *never)
{
    go_panic("in a callback");
}

static int each_of_all(void *arg)
{
    return go_each(NULL, waits_in_callback, go_chan_new(0, 0));
}

static void each_of_group(void *callback)
{
    go_each(go_group_current(), *(int (**)(const struct go_info *, void *))callback, go_chan_new(0, 0));
}

static int exits_in_callback(const struct go_info *info, void *never)
{
    go_exit();
}

static void ends_group(go_group *group, const char *text, const char *stack, void *arg)
{
    go_group_end(group);
}

/* Whose root ends the group before it unwinds: the group is being looked at just then. */
static int in_group(int (*callback)(const struct go_info *info, void *arg))
{
    static const struct go_group_hooks hooks = {.panicked = ends_group};
    struct go_spawn_options options = {.group = go_group_new(&hooks, NULL, NULL)};

    rt_check(go_spawn_with(each_of_group, &callback, sizeof callback, &options) == 0, "spawn", __FILE__,
             __LINE__);
    go_sleep(GO_FOREVER);
    return 0;
}

static int exits_in_group(void *arg)
{
    return in_group(exits_in_callback);
}

static int waits_in_group(void *arg)
{
    return in_group(waits_in_callback);
}

static int yields_in_group(void *arg)
{
    return in_group(yields_in_callback);
}

static int panics_in_group(void *arg)
{
    return in_group(panics_in_callback);
}

static void *each_of_thread(void *arg)
{
    go_each(NULL, waits_in_callback, go_chan_new(0, 0));
    return NULL;
}

static int waits_in_thread(void *arg)
{
    pthread_t thread;

    pthread_create(&thread, NULL, each_of_thread, NULL);
    return pthread_join(thread, NULL);
}

static void test_a_callback_of_go_each_that_waits_is_refused(void **state)
{
    rt_child_dies(each_of_all, "a callback of go_each must not wait (chan receive)", SIGABRT);
    rt_child_dies(waits_in_group, "a callback of go_each must not wait (chan receive)", SIGABRT);
    rt_child_dies(waits_in_thread, "a callback of go_each must not wait (chan receive)", SIGABRT);
}

static void test_a_callback_of_go_each_that_yields_panics_or_exits_is_refused(void **state)
{
    rt_child_dies(exits_in_group, "a callback of go_each must not exit", SIGABRT);
    rt_child_dies(yields_in_group, "a callback of go_each must not yield", SIGABRT);
    rt_child_dies(panics_in_group, "a callback of go_each must not panic", SIGABRT);
}

/* ---- copies: a check of debug builds ---- */

#ifndef NDEBUG
static struct {
    go_cond cond;
    go_waitgroup group;
    go_once once;
    go_semaphore semaphore;
} original, copied;

static void nothing(void *arg)
{
}

static void use_cond(void *arg)
{
    go_cond_signal(arg);
}

static void use_group(void *arg)
{
    go_waitgroup_add(arg, 0);
}

static void waits_on_group(void *arg)
{
    go_waitgroup_wait(arg);
}

static void use_semaphore(void *arg)
{
    go_semaphore_acquire(arg, 0, GO_NOW);
}

struct use {
    void (*fn)(void *);
    void *object;
    int recovered;
};

static void uses(void *arg)
{
    struct use *u = arg;

    go_defer(recovers, &u->recovered);
    u->fn(u->object);
}

static void check_copy(void (*fn)(void *), void *object, void *copy, size_t bytes)
{
    struct use fine = {fn, object, 0}, wrong = {fn, copy, 0};

    assert_int_equal(go_call(uses, &fine), 0);
    memcpy(copy, object, bytes);
    assert_int_equal(go_call(uses, &wrong), 1);
    assert_int_equal(go_call(uses, &fine), 0);
    memset(object, 0, bytes);
    memset(copy, 0, bytes);
}

RT_TEST(test_K4_use_of_a_copied_cond_panics)
{
    check_copy(use_cond, &original.cond, &copied.cond, sizeof(go_cond));
}

RT_TEST(test_A2_use_of_a_copied_wait_group_panics)
{
    check_copy(use_group, &original.group, &copied.group, sizeof(go_waitgroup));
    check_copy(waits_on_group, &original.group, &copied.group, sizeof(go_waitgroup));
}

RT_TEST(test_SE5_use_of_a_copied_semaphore_panics)
{
    check_copy(use_semaphore, &original.semaphore, &copied.semaphore, sizeof(go_semaphore));
}

static void copies_while_it_runs(void *arg)
{
    copied.once = original.once;
}

static void use_copied_once(void *arg)
{
    go_once_do(&copied.once, nothing, NULL);
}

RT_TEST(test_O1_use_of_a_once_copied_while_it_runs_panics)
{
    struct use wrong = {use_copied_once, NULL, 0};

    go_once_do(&original.once, copies_while_it_runs, NULL);
    assert_int_equal(go_call(uses, &wrong), 1);
    assert_int_equal(wrong.recovered, 1);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_M5_locking_again_is_a_deadlock),
        RT_UNIT(test_O3_recursion_in_once_is_a_deadlock),
        RT_UNIT(test_W4_misuse_cannot_be_recovered),
        RT_UNIT(test_a_callback_of_go_each_that_waits_is_refused),
        RT_UNIT(test_a_callback_of_go_each_that_yields_panics_or_exits_is_refused),
#ifndef NDEBUG
        RT_UNIT(test_K4_use_of_a_copied_cond_panics),
        RT_UNIT(test_A2_use_of_a_copied_wait_group_panics),
        RT_UNIT(test_SE5_use_of_a_copied_semaphore_panics),
        RT_UNIT(test_O1_use_of_a_once_copied_while_it_runs_panics),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
