/* The life of a goroutine: rules G1 to G5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_child.h"
#include "rt_test.h"

static void copies(void *arg)
{
    struct {
        char text[200];
        _Atomic int *sum;
    } *a = arg;

    atomic_fetch_add(a->sum, (int)strlen(a->text));
}

RT_TEST(test_G1_argument_is_copied_by_the_creator)
{
    _Atomic int sum = 0;
    struct {
        char text[200];
        _Atomic int *sum;
    } a = {"", &sum};

    for (int i = 0; i < 10; i++) {
        memset(a.text, 'x', (size_t)i);
        a.text[i] = '\0';
        assert_int_equal(go_spawn(copies, &a, sizeof a), 0);
    }
    memset(a.text, 0, sizeof a.text);
    rt_wait_live(1);
    assert_int_equal(sum, 45);
    assert_int_equal(go_spawn(copies, &a, GO_ARG_BYTES_MAX + 1), -EINVAL);
}

static void adds(void *arg)
{
    struct {
        int n;
        _Atomic int *sum;
    } *a = arg;

    atomic_fetch_add(a->sum, a->n);
}

RT_TEST(test_G1_small_arguments_are_copied_too)
{
    _Atomic int sum = 0;
    struct {
        int n;
        _Atomic int *sum;
    } a = {0, &sum};

    for (a.n = 1; a.n <= 10; a.n++)
        assert_int_equal(go_spawn(adds, &a, sizeof a), 0);
    rt_wait_live(1);
    assert_int_equal(sum, 55);
}

struct link {
    go_chan *in, *out;
};

static void passes_on(void *arg)
{
    struct link *l = arg;
    int v;

    go_chan_recv(l->in, &v, GO_FOREVER);
    v++;
    go_chan_send(l->out, &v, GO_FOREVER);
    go_chan_unref(l->in);
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { CHAIN = 2000 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
enum { CHAIN = 2000 };
#else
enum { CHAIN = 100000 };
#endif
#else
enum { CHAIN = 100000 };
#endif

RT_TEST(test_G4_chain_of_goroutines_starts_parks_and_unwinds)
{
    int64_t most =
        go_set_goroutines_max(0) - 1; /* without guards in page tables: what max_map_count allows */
    int n = most < CHAIN ? (int)most : CHAIN, v = 0;
    go_chan *first = go_chan_new(sizeof(int), 0), *in = go_chan_ref(first);

    for (int i = 0; i < n; i++) {
        struct link l = {in, go_chan_new(sizeof(int), 0)};

        in = go_chan_ref(l.out);
        assert_int_equal(go_spawn(passes_on, &l, sizeof l), 0);
        go_chan_unref(l.out);
    }
    assert_int_equal(go_live(), n + 1);
    assert_int_equal(go_chan_send(first, &v, GO_FOREVER), 0);
    assert_int_equal(go_chan_recv(in, &v, GO_FOREVER), 1);
    assert_int_equal(v, n);
    rt_wait_live(1);
    go_chan_unref(in);
    go_chan_unref(first);
}

static void returns(void *arg)
{
}

RT_TEST(test_limit_of_goroutines_is_EAGAIN)
{
    int64_t old = go_set_goroutines_max(3);

    assert_int_equal(go_live(), 1);
    assert_int_equal(go_spawn(returns, NULL, 0), 0);
    assert_int_equal(go_spawn(returns, NULL, 0), 0);
    while (go_live() == 3)
        if (go_spawn(returns, NULL, 0) == -EAGAIN)
            break;
    go_set_goroutines_max(old);
    rt_wait_live(1);
}

enum { CROWD = 700, SPAWNERS = 4 };

/* Holds its place until the gate closes. */
static void holds(void *arg)
{
    go_chan_recv(*(go_chan **)arg, NULL, GO_FOREVER);
}

static void crowd_comes_and_goes(void *arg)
{
    for (int i = 0; i < 20; i++) {
        for (int j = 0; j < 50; j++)
            go_spawn(returns, NULL, 0);
        go_yield();
    }
}

/* Until one is refused: how many were not. */
static int spawn_to_the_limit(go_chan *gate)
{
    int n = 0, r;

    while ((r = go_spawn(holds, &gate, sizeof gate)) == 0)
        n++;
    assert_int_equal(r, -EAGAIN);
    return n;
}

/* Whatever leave other processors have taken in advance is found. */
RT_TEST(test_limit_of_goroutines_is_exact_after_much_coming_and_going)
{
    int64_t old = go_set_goroutines_max(CROWD);

    for (int round = 0; round < 10; round++) {
        go_chan *gate = go_chan_new(sizeof(int), 0);

        for (int i = 0; i < SPAWNERS; i++)
            assert_int_equal(go_spawn(crowd_comes_and_goes, NULL, 0), 0);
        rt_wait_live(1);
        assert_int_equal(spawn_to_the_limit(gate), CROWD - 1);
        assert_int_equal(go_live(), CROWD);
        go_chan_close(gate);
        rt_wait_live(1);
        go_chan_unref(gate);
    }
    go_set_goroutines_max(old);
}

RT_TEST(test_lowered_limit_refuses_until_enough_have_ended)
{
    int64_t old = go_set_goroutines_max(CROWD);
    go_chan *few = go_chan_new(sizeof(int), 0), *rest = go_chan_new(sizeof(int), 0);

    for (int i = 0; i < 100; i++)
        assert_int_equal(go_spawn(holds, &few, sizeof few), 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(go_spawn(holds, &rest, sizeof rest), 0);
    go_set_goroutines_max(202);
    assert_int_equal(go_spawn(returns, NULL, 0), -EAGAIN);
    go_chan_close(few);
    rt_wait_live(201);
    assert_int_equal(spawn_to_the_limit(rest), 1);
    go_set_goroutines_max(old);
    assert_int_equal(go_spawn(returns, NULL, 0), 0);
    go_chan_close(rest);
    rt_wait_live(1);
    go_chan_unref(few);
    go_chan_unref(rest);
}

static _Atomic int outlived;

static void runs_for_ever(void *arg)
{
    atomic_store(&outlived, 1);
    for (;;)
        go_yield();
}

static int starts_and_returns(void *arg)
{
    go_spawn(runs_for_ever, NULL, 0);
    while (!atomic_load(&outlived))
        go_yield();
    return 42;
}

static void test_G3_return_of_main_ends_the_program_without_waiting(void **state)
{
    assert_int_equal(go_main(starts_and_returns, NULL), 42);
    assert_false(go_running());
    assert_int_equal((go_spawn)(returns, NULL, 0), -ESRCH);
}

static void forgives(void *arg)
{
    go_recover();
}

static void starts_nothing(void *arg)
{
    void (*nothing)(void *) = NULL;

    go_defer(forgives, NULL);
    go_spawn(nothing, NULL, 0);
}

static int spawns_nothing(void *arg)
{
    return go_call(starts_nothing, NULL) - 1;
}

static void test_G2_spawn_of_a_null_function_is_fatal(void **state)
{
    rt_child_dies(spawns_nothing, "go_spawn of a NULL function", SIGABRT);
}

static _Atomic int over;

/* In a goroutine of the runtime: when the member has left there is main alone. */
static void tells_over(go_group *group, void *arg)
{
    while (go_live() > 1)
        go_yield();
    atomic_store(&over, (int)go_live());
}

RT_TEST(test_G5_goroutines_of_the_runtime_are_not_counted)
{
    struct go_group_hooks hooks = {.empty = tells_over};
    go_group *group = go_group_new(&hooks, NULL, NULL);
    struct go_spawn_options options = {.group = group};

    atomic_store(&over, 0);
    assert_int_equal(go_spawn_with(returns, NULL, 0, &options), 0);
    go_group_end(group);
    while (atomic_load(&over) == 0)
        go_yield();
    assert_int_equal(over, 1);
    go_group_unref(group);
}

RT_TEST(test_G5_live_count_is_1_at_start_and_returns_to_it)
{
    assert_int_equal(go_live(), 1);
    for (int i = 0; i < 10; i++)
        go_spawn(returns, NULL, 0);
    rt_wait_live(1);
}

static void test_G5_nobody_lives_when_the_runtime_has_stopped(void **state)
{
    struct go_stats stats;

    for (int i = 0; i < 3; i++) {
        rt_check(go_live() == 0, "0 live before", __FILE__, __LINE__);
        test_G5_live_count_is_1_at_start_and_returns_to_it(state);
        go_stats_read(&stats);
        rt_check(stats.live == 0 && stats.spawned == stats.ended, "as many ended as spawned", __FILE__,
                 __LINE__);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_G1_argument_is_copied_by_the_creator),
        RT_UNIT(test_G1_small_arguments_are_copied_too),
        RT_UNIT(test_G4_chain_of_goroutines_starts_parks_and_unwinds),
        RT_UNIT(test_limit_of_goroutines_is_EAGAIN),
        RT_UNIT(test_limit_of_goroutines_is_exact_after_much_coming_and_going),
        RT_UNIT(test_lowered_limit_refuses_until_enough_have_ended),
        cmocka_unit_test(test_G3_return_of_main_ends_the_program_without_waiting),
        cmocka_unit_test(test_G2_spawn_of_a_null_function_is_fatal),
        RT_UNIT(test_G5_goroutines_of_the_runtime_are_not_counted),
        RT_UNIT(test_G5_live_count_is_1_at_start_and_returns_to_it),
        cmocka_unit_test(test_G5_nobody_lives_when_the_runtime_has_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
