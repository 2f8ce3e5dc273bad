/* Switches and what they carry along: control words, landing pads, and the refusal of shadow stacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fenv.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "rt_child.h"
#include "rt_test.h"
#include "switch.h"

extern void goroutine_entry(void);

/* ---- GO_FPENV ---- */

static int spawn_fpenv(void (*fn)(void *), const void *arg, size_t arg_bytes)
{
    struct go_spawn_options options = {.flags = GO_FPENV};

    return go_spawn_with(fn, arg, arg_bytes, &options);
}

/* What rounding does to a quotient, in both units of x86. */
static __attribute__((noinline)) double third(void)
{
    volatile double one = 1, three = 3, result = one / three;

    return result;
}

static __attribute__((noinline)) long double long_third(void)
{
    volatile long double one = 1, three = 3, result = one / three;

    return result;
}

struct rounding {
    int mode;
    bool set;
    double expected;
    long double long_expected;
};

static struct rounding rounding_of(int mode)
{
    struct rounding r = {.mode = mode};
    int old = fegetround();

    fesetround(mode);
    r.expected = third();
    r.long_expected = long_third();
    fesetround(old);
    return r;
}

static void rounds(void *arg)
{
    const struct rounding *r = arg;

    if (r->set)
        assert_int_equal(fesetround(r->mode), 0);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(fegetround(), r->mode);
        assert_true(third() == r->expected);
        assert_true(long_third() == r->long_expected);
        if (i % 3)
            go_yield();
        else
            go_sleep(go_after_us(1));
    }
}

RT_TEST(test_goroutines_with_GO_FPENV_keep_their_rounding_and_others_are_unharmed)
{
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST};

    assert_true(rounding_of(FE_UPWARD).expected > rounding_of(FE_DOWNWARD).expected);
    for (int procs = 1; procs <= 4; procs *= 2) {
        int old = go_set_procs(procs);

        for (int i = 0; i < 8; i++) {
            struct rounding own = rounding_of(modes[i % 4]), plain = rounding_of(FE_TONEAREST);

            own.set = true;
            assert_int_equal(spawn_fpenv(rounds, &own, sizeof own), 0);
            assert_int_equal(go_spawn(rounds, &plain, sizeof plain), 0);
        }
        rt_wait_live(1);
        go_set_procs(old);
    }
}

static void spawns_heirs(void *arg)
{
    struct rounding up = rounding_of(FE_UPWARD), plain = rounding_of(FE_TONEAREST);

    fesetround(FE_UPWARD);
    assert_int_equal(spawn_fpenv(rounds, &up, sizeof up), 0);
    assert_int_equal(go_spawn(rounds, &plain, sizeof plain), 0);
    go_yield();
    assert_int_equal(fegetround(), FE_UPWARD);
}

RT_TEST(test_GO_FPENV_begins_with_the_control_words_of_the_creator)
{
    assert_int_equal(spawn_fpenv(spawns_heirs, NULL, 0), 0);
    rt_wait_live(1);
    assert_int_equal(fegetround(), FE_TONEAREST);
}

static void locked_rounds(void *arg)
{
    assert_int_equal(go_lock_thread(), 0);
    rounds(arg);
    go_unlock_thread();
    rounds(arg);
}

RT_TEST(test_GO_FPENV_goes_along_to_a_locked_thread_and_back)
{
    struct rounding down = rounding_of(FE_DOWNWARD), plain = rounding_of(FE_TONEAREST);

    down.set = true;
    assert_int_equal(spawn_fpenv(locked_rounds, &down, sizeof down), 0);
    assert_int_equal(go_spawn(rounds, &plain, sizeof plain), 0);
    rt_wait_live(1);
}

RT_TEST(test_spawn_refuses_a_flag_it_does_not_know)
{
    struct go_spawn_options options = {.flags = 1u << 31};

    assert_int_equal(go_spawn_with(rounds, NULL, 0, &options), -EINVAL);
    assert_int_equal(go_live(), 1);
}

/* ---- indirect branches and shadow stacks ---- */

static void assert_landing_pad(void (*fn)(void))
{
    uint32_t first;

    memcpy(&first, (const void *)(uintptr_t)fn, sizeof first);
#if defined(__x86_64__)
    assert_int_equal(first, 0xfa1e0ff3u); /* endbr64 */
#else
    assert_true(first == 0xd503245fu || first == 0xd503249fu); /* bti c, bti j */
#endif
}

static void test_code_that_is_reached_indirectly_begins_with_a_landing_pad(void **state)
{
    assert_landing_pad((void (*)(void))goroutine_switch);
    assert_landing_pad((void (*)(void))goroutine_call_marked);
    assert_landing_pad(goroutine_entry);
#if defined(__x86_64__)
    assert_landing_pad((void (*)(void))go_main); /* compiled code */
#endif
}

#if defined(__x86_64__)

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);

static bool shadow_stacks;

/* A kernel that says it, in a process started with them. */
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (number != SYS_arch_prctl || a != 0x5005 || !shadow_stacks)
        return __real_syscall(number, a, b, c, d, e, f);
    *(unsigned long *)b = 1;
    return 0;
}

static int runs(void *arg)
{
    return 0;
}

static void test_start_is_refused_under_shadow_stacks(void **state)
{
    shadow_stacks = true;
    rt_child_dies(runs, "user shadow stacks are on", SIGABRT);
    shadow_stacks = false;
    assert_int_equal(go_main(runs, NULL), 0);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_goroutines_with_GO_FPENV_keep_their_rounding_and_others_are_unharmed),
        RT_UNIT(test_GO_FPENV_begins_with_the_control_words_of_the_creator),
        RT_UNIT(test_GO_FPENV_goes_along_to_a_locked_thread_and_back),
        RT_UNIT(test_spawn_refuses_a_flag_it_does_not_know),
        cmocka_unit_test(test_code_that_is_reached_indirectly_begins_with_a_landing_pad),
#if defined(__x86_64__)
        cmocka_unit_test(test_start_is_refused_under_shadow_stacks),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
