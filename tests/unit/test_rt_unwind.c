/* Frames, deferred functions, panic, recover, exit: rules P1 to P4, O2, A4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rt_child.h"
#include "rt_test.h"

static char trace[64];

static void note(void *arg)
{
    strcat(trace, arg);
}

static void note_cleanup(const char **p)
{
    strcat(trace, *p);
}

static void defers_three(void *arg)
{
    go_defer(note, "1");
    go_defer(note, "2");
    go_defer(note, "3");
    note("body");
}

RT_TEST(test_P1_deferred_functions_run_last_first_on_return)
{
    trace[0] = '\0';
    assert_int_equal(go_call(defers_three, NULL), 0);
    assert_string_equal(trace, "body321");
}

static __attribute__((noinline)) void panics_under_cleanup(void)
{
    __attribute__((cleanup(note_cleanup))) const char *mine = "c";

    (void)mine;
    go_panic("value %d", 42);
}

static char recovered_text[512];

static void recovers(void *arg)
{
    const char *text = go_recover();

    snprintf(recovered_text, sizeof recovered_text, "%s", text ? text : "nothing");
}

static void panics(void *arg)
{
    go_defer(note, "1");
    go_defer(recovers, NULL);
    go_defer(note, "2");
    panics_under_cleanup();
    note("never");
}

RT_TEST(test_P1_panic_runs_cleanup_attributes_then_deferred_functions)
{
    trace[0] = '\0';
    assert_int_equal(go_call(panics, NULL), 1);
    assert_string_equal(trace, "c21");
    assert_string_equal(recovered_text, "value 42");
}

static __attribute__((noinline)) const char *recovers_deeper(void)
{
    const char *volatile text = go_recover();

    return text;
}

static void recovers_through_helper(void *arg)
{
    if (recovers_deeper())
        note("helper");
}

static void panics_with_helper(void *arg)
{
    go_defer(recovers, NULL);
    go_defer(recovers_through_helper, NULL);
    go_panic("x");
}

RT_TEST(test_P2_recover_works_only_in_the_deferred_function_itself)
{
    trace[0] = '\0';
    assert_null(go_recover());
    assert_int_equal(go_call(panics_with_helper, NULL), 1);
    assert_string_equal(trace, "");
    assert_string_equal(recovered_text, "x");
}

static void panics_again(void *arg)
{
    go_panic("second");
}

static void panics_twice(void *arg)
{
    go_defer(recovers, NULL);
    go_defer(panics_again, NULL);
    go_panic("first");
}

RT_TEST(test_P2_new_panic_in_a_deferred_function_replaces_the_old)
{
    assert_int_equal(go_call(panics_twice, NULL), 1);
    assert_string_equal(recovered_text, "second");
}

static void recovers_inside(void *arg)
{
    assert_int_equal(go_call(panics, NULL), 1);
    assert_string_equal(recovered_text, "value 42");
}

static void panics_over_recovered(void *arg)
{
    go_defer(recovers, NULL);
    go_defer(recovers_inside, NULL);
    go_panic("outer");
}

RT_TEST(test_P2_panic_recovered_inside_a_deferred_function_leaves_the_outer_one)
{
    assert_int_equal(go_call(panics_over_recovered, NULL), 1);
    assert_string_equal(recovered_text, "outer");
}

static void inner_frame(void *arg)
{
    go_defer(note, "i");
    go_panic("through");
}

static void outer_frame(void *arg)
{
    go_defer(recovers, NULL);
    go_defer(note, "o");
    go_call(inner_frame, NULL);
    note("never");
}

RT_TEST(test_P1_panic_goes_through_frames_until_recovered)
{
    trace[0] = '\0';
    assert_int_equal(go_call(outer_frame, NULL), 1);
    assert_string_equal(trace, "io");
}

static void exits(void *arg)
{
    go_defer(note, "d");
    go_defer(recovers, NULL);
    go_exit();
}

static void exits_in_frame(void *arg)
{
    __attribute__((cleanup(note_cleanup))) const char *mine = "c";

    (void)mine;
    go_defer(note, "g");
    go_call(exits, NULL);
    note("never");
}

RT_TEST(test_P3_exit_runs_everything_and_recover_answers_nothing)
{
    trace[0] = '\0';
    go_spawn(exits_in_frame, NULL, 0);
    rt_wait_live(1);
    assert_string_equal(trace, "dcg");
    assert_string_equal(recovered_text, "nothing");
}

static void panics_in_exit(void *arg)
{
    go_panic("in exit");
}

static void exit_with_panic(void *arg)
{
    go_defer(recovers, NULL);
    go_defer(panics_in_exit, NULL);
    go_exit();
}

static void exit_goes_on(void *arg)
{
    go_defer(note, "g");
    go_call(exit_with_panic, NULL);
    note("never");
}

RT_TEST(test_P3_recovering_a_panic_of_an_exit_resumes_the_exit)
{
    trace[0] = '\0';
    go_spawn(exit_goes_on, NULL, 0);
    rt_wait_live(1);
    assert_string_equal(trace, "g");
    assert_string_equal(recovered_text, "in exit");
}

static void exit_inner(void *arg)
{
    go_defer(panics_in_exit, NULL);
    go_exit();
}

static void exit_panic_recovered_outside(void *arg)
{
    go_defer(note, "g");
    go_defer(recovers, NULL);
    go_call(exit_inner, NULL);
    note("never");
}

static void exit_panic_two_frames(void *arg)
{
    go_defer(note, "z");
    go_call(exit_panic_recovered_outside, NULL);
    note("never");
}

RT_TEST(test_P3_exit_survives_a_panic_recovered_one_frame_further_out)
{
    trace[0] = '\0';
    go_spawn(exit_panic_two_frames, NULL, 0);
    rt_wait_live(1);
    assert_string_equal(trace, "gz");
    assert_string_equal(recovered_text, "in exit");
}

/* ---- what else unwinds ---- */

static void panics_plainly(void *arg)
{
    go_panic("in once");
}

static go_once once;

static void once_panics(void *arg)
{
    go_defer(recovers, NULL);
    go_once_do(&once, panics_plainly, NULL);
}

static void once_counts(void *arg)
{
    note("again");
}

RT_TEST(test_O2_panic_in_once_counts_as_done)
{
    memset(&once, 0, sizeof once);
    trace[0] = '\0';
    assert_int_equal(go_call(once_panics, NULL), 1);
    go_once_do(&once, once_counts, NULL);
    assert_string_equal(trace, "");
}

static void exits_plainly(void *arg)
{
    go_exit();
}

static void panics_counted(void *arg)
{
    go_panic("counted");
}

static go_waitgroup counted;

/* The last moment of the program: is the member done? */
static void tell_count(int sig)
{
    dprintf(STDERR_FILENO, "%lld left\n", (long long)go_waitgroup_count(&counted));
}

static int waits_for_a_panic(void *arg)
{
    signal(SIGABRT, tell_count);
    go_waitgroup_go(&counted, panics_counted, NULL, 0);
    go_waitgroup_wait(&counted);
    _exit(0);
}

static void test_A4_a_member_that_panics_is_not_done(void **state)
{
    rt_child_dies(waits_for_a_panic, "1 left", SIGABRT);
}

RT_TEST(test_A4_wait_group_is_done_after_an_exit)
{
    go_waitgroup w = {0};

    assert_int_equal(go_waitgroup_go(&w, exits_plainly, NULL, 0), 0);
    go_waitgroup_wait(&w);
}

static void asks_too_much(void *arg)
{
    go_defer(recovers, NULL);
    go_chan_new(SIZE_MAX / 2, 4);
}

RT_TEST(test_B5_impossible_capacity_panics)
{
    assert_int_equal(go_call(asks_too_much, NULL), 1);
    assert_non_null(strstr(recovered_text, "more than memory can hold"));
}

/* ---- P4, Z1, G6, M4: the program ends, seen from outside ---- */

static int dies_of_panic(void *arg)
{
    go_panic("the end %d", 7);
}

static void test_P4_unrecovered_panic_ends_the_program_with_its_value(void **state)
{
    rt_child_dies(dies_of_panic, "panic: the end 7", SIGABRT);
}

static int dies_of_chain(void *arg)
{
    go_defer(panics_again, NULL);
    go_panic("first");
}

static void test_P4_report_has_the_chain_of_values(void **state)
{
    rt_child_dies(dies_of_chain, "panic: first\n\tpanic: second", SIGABRT);
}

static int unlocks_unlocked(void *arg)
{
    go_mutex m = {{0}};

    go_defer(recovers, NULL);
    go_mutex_unlock(&m);
    return 0;
}

static void test_M4_unlock_of_unlocked_mutex_cannot_be_recovered(void **state)
{
    rt_child_dies(unlocks_unlocked, "unlock of a mutex that is not locked", SIGABRT);
}

static int recurses(volatile int depth)
{
    volatile char room[512] = {0};

    room[depth % 512] = (char)depth;
    return depth < 0 ? 0 : recurses(depth + 1) + room[0];
}

static void overflows(void *arg)
{
    recurses(0);
}

static int overflow_main(void *arg)
{
    go_chan *never = go_chan_new(0, 0);

    go_spawn(overflows, NULL, 0);
    go_chan_recv(never, NULL, GO_FOREVER);
    return 0;
}

static void test_G6_stack_overflow_names_the_goroutine(void **state)
{
    rt_child_dies(overflow_main, "stack overflow in goroutine 2 (overflows)", SIGSEGV);
}

static void asks(void *arg)
{
    *(bool *)arg = go_panicking();
}

static void asks_around_recovery(void *arg)
{
    bool *panicking = arg;

    panicking[0] = go_panicking();
    go_recover();
    panicking[1] = go_panicking();
}

static void asks_on_return(void *arg)
{
    go_defer(asks, arg);
}

static void asks_on_exit(void *arg)
{
    go_defer(asks, arg);
    go_exit();
}

static void asks_on_panic(void *arg)
{
    go_defer(asks_around_recovery, arg);
    go_panic("asked");
}

RT_TEST(test_P2_deferred_function_learns_whether_a_panic_called_it)
{
    bool on_return = true, on_exit = true, panicking[2] = {false, true};

    go_call(asks_on_return, &on_return);
    assert_false(on_return);
    assert_int_equal(go_spawn(asks_on_exit, &on_exit, 0), 0);
    rt_wait_live(1);
    assert_false(on_exit);
    assert_int_equal(go_call(asks_on_panic, panicking), 1);
    assert_true(panicking[0]);
    assert_false(panicking[1]);
    assert_false(go_panicking());
}

static int all_asleep(void *arg)
{
    go_chan_recv(NULL, NULL, GO_FOREVER);
    return 0;
}

static void test_Z1_program_whose_goroutines_all_wait_ends_with_a_report(void **state)
{
    rt_child_dies(all_asleep, "all goroutines are asleep - deadlock!", 0);
}

static int main_exits(void *arg)
{
    go_exit();
}

static void test_Z1_main_that_exits_alone_ends_with_a_report(void **state)
{
    rt_child_dies(main_exits, "no goroutines (main called go_exit) - deadlock!", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_P1_deferred_functions_run_last_first_on_return),
        RT_UNIT(test_P1_panic_runs_cleanup_attributes_then_deferred_functions),
        RT_UNIT(test_P1_panic_goes_through_frames_until_recovered),
        RT_UNIT(test_P2_recover_works_only_in_the_deferred_function_itself),
        RT_UNIT(test_P2_new_panic_in_a_deferred_function_replaces_the_old),
        RT_UNIT(test_P2_panic_recovered_inside_a_deferred_function_leaves_the_outer_one),
        RT_UNIT(test_P2_deferred_function_learns_whether_a_panic_called_it),
        RT_UNIT(test_P3_exit_runs_everything_and_recover_answers_nothing),
        RT_UNIT(test_P3_recovering_a_panic_of_an_exit_resumes_the_exit),
        RT_UNIT(test_P3_exit_survives_a_panic_recovered_one_frame_further_out),
        RT_UNIT(test_O2_panic_in_once_counts_as_done),
        RT_UNIT(test_A4_a_member_that_panics_is_not_done),
        RT_UNIT(test_A4_wait_group_is_done_after_an_exit),
        RT_UNIT(test_B5_impossible_capacity_panics),
        RT_UNIT(test_P4_unrecovered_panic_ends_the_program_with_its_value),
        RT_UNIT(test_P4_report_has_the_chain_of_values),
        RT_UNIT(test_M4_unlock_of_unlocked_mutex_cannot_be_recovered),
        RT_UNIT(test_G6_stack_overflow_names_the_goroutine),
        RT_UNIT(test_Z1_program_whose_goroutines_all_wait_ends_with_a_report),
        RT_UNIT(test_Z1_main_that_exits_alone_ends_with_a_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
