/* What a program says of itself: dumps, and the report of a deadlock. Rules Z1, Z2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "goroutine_inspect.h"
#include "rt_child.h"
#include "rt_test.h"
#include "rt_written.h"

/* ---- dumps ---- */

static char *dump_text(void)
{
    int fd = rt_paper();

    assert_int_equal(go_dump(fd), 0);
    return rt_written(fd, NULL);
}

static __attribute__((noinline)) void waits_deep_inside(go_chan *c)
{
    go_chan_recv(c, NULL, GO_FOREVER);
    go_yield(); /* no tail call: this frame stays */
}

static void waits(void *arg)
{
    waits_deep_inside(*(go_chan **)arg);
    go_yield();
}

static void start_waiters(go_chan *c, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(go_spawn(waits, &c, sizeof c), 0);
    rt_wait_parked(n);
}

static void end_waiters(go_chan *c)
{
    go_chan_close(c);
    rt_wait_live(1);
    go_chan_unref(c);
}

RT_TEST(test_dump_lists_every_goroutine_once_in_the_order_of_their_start)
{
    enum { WAITERS = 1999 };
    go_chan *c = go_chan_new(0, 0);
    uint64_t id, last = 0;
    int entries = 0;
    char *text;

    start_waiters(c, WAITERS);
    text = dump_text();
    for (const char *at = text; (at = strstr(at, "goroutine ")); entries++) {
        id = strtoull(at + strlen("goroutine "), NULL, 10);
        assert_true(id > last);
        last = id;
        at = strchr(at, '\n');
    }
    assert_int_equal(entries, WAITERS + 1);
    assert_int_equal(rt_times(text, "[parked: chan receive, "), WAITERS);
    assert_int_equal(rt_times(text, "  started at tests/unit/test_rt_inspect.c:"), WAITERS);
    free(text);
    end_waiters(c);
}

RT_TEST(test_dump_shows_function_file_and_line_of_every_frame)
{
    go_chan *c = go_chan_new(0, 0);
    char *text, *inner, *outer;

    start_waiters(c, 1);
    text = dump_text();
    inner = strstr(text, "    waits_deep_inside+0x");
    outer = strstr(text, "    waits+0x");
    assert_non_null(inner);
    assert_non_null(outer);
    assert_true(inner < outer);
    inner = strstr(inner, "tests/unit/test_rt_inspect.c:");
    assert_non_null(inner);
    assert_true(inner < outer);
    assert_non_null(strstr(outer, "tests/unit/test_rt_inspect.c:"));
    free(text);
    end_waiters(c);
}

RT_TEST(test_dump_leaves_out_the_frames_of_the_runtime_around_those_of_the_program)
{
    go_chan *c = go_chan_new(0, 0);
    char *text;

    start_waiters(c, 1);
    text = dump_text();
    assert_null(strstr(text, "park_until"));
    assert_null(strstr(text, "sched_park"));
    assert_null(strstr(text, "goroutine_body"));
    free(text);
    end_waiters(c);
}

static go_mutex table_lock;

static void locks_table(void *arg)
{
    go_mutex_lock(&table_lock);
    go_mutex_unlock(&table_lock);
}

RT_TEST(test_dump_names_a_mutex_and_who_locked_it_last)
{
    char *text;

    go_mutex_lock(&table_lock);
    go_spawn(locks_table, NULL, 0);
    rt_wait_parked(1);
    text = dump_text();
    assert_non_null(strstr(text, "[parked: mutex, "));
    assert_non_null(strstr(text, " (table_lock), last locked by goroutine 1\n"));
    free(text);
    go_mutex_unlock(&table_lock);
    rt_wait_live(1);
}

static void waits_for_either(void *arg)
{
    go_chan **c = arg;
    struct go_case cases[] = {GO_RECV(c[0], NULL), GO_RECV(c[1], NULL)};

    go_select(cases, 2, GO_FOREVER);
}

static int look_at_parked(const struct go_info *info, void *arg)
{
    if (info->state == GO_STATE_PARKED)
        *(struct go_info *)arg = *info;
    return 0;
}

RT_TEST(test_info_tells_the_channel_and_what_it_holds)
{
    go_chan *c[2] = {go_chan_new(sizeof(int), 2), go_chan_new(sizeof(int), 0)};
    struct go_info info;
    int v = 1;

    go_chan_send(c[0], &v, GO_FOREVER);
    go_chan_send(c[0], &v, GO_FOREVER);
    assert_int_equal(go_chan_recv(c[0], &v, GO_NOW), 1);
    start_waiters(c[1], 1);
    go_each(NULL, look_at_parked, &info);
    assert_true(info.object == c[1]);
    assert_string_equal(info.object_kind, "channel");
    assert_int_equal(info.objects, 1);
    assert_int_equal(info.count, 0);
    assert_int_equal(info.capacity, 0);
    go_chan_send(c[1], &v, GO_FOREVER);
    rt_wait_live(1);
    go_chan_recv(c[0], NULL, GO_NOW);
    go_spawn(waits_for_either, c, sizeof c);
    rt_wait_parked(1);
    go_each(NULL, look_at_parked, &info);
    assert_int_equal(info.objects, 2);
    assert_null(info.object);
    go_chan_close(c[0]);
    rt_wait_live(1);
    go_chan_unref(c[0]);
    go_chan_unref(c[1]);
}

struct ways {
    go_chan *c;
    int fd;
};

static void waits_for_one_then_the_other(void *arg)
{
    struct ways *w = arg;

    go_chan_recv(w->c, NULL, GO_FOREVER);
    go_wait_fd(w->fd, GO_READABLE, GO_FOREVER);
}

RT_TEST(test_info_of_a_wait_names_no_object_of_an_earlier_one)
{
    struct ways w = {.c = go_chan_new(0, 0)};
    struct go_info info;
    int p[2];

    assert_int_equal(pipe(p), 0);
    w.fd = p[0];
    go_spawn(waits_for_one_then_the_other, &w, sizeof w);
    rt_wait_parked(1);
    go_chan_send(w.c, NULL, GO_FOREVER);
    do {
        memset(&info, 0, sizeof info);
        go_yield();
        go_each(NULL, look_at_parked, &info);
    } while (info.state != GO_STATE_PARKED || strcmp(info.reason, "chan receive") == 0);
    assert_int_equal(info.objects, 0);
    assert_null(info.object);
    assert_string_equal(info.object_kind, "");
    assert_int_equal(write(p[1], "x", 1), 1);
    rt_wait_live(1);
    close(p[0]);
    close(p[1]);
    go_chan_unref(w.c);
}

/* ---- the end of a program that can never go on ---- */

static void expect_in(const char *said, const char *text)
{
    if (!strstr(said, text))
        fprintf(stderr, "the child said:\n%s", said);
    rt_check(strstr(said, text) != NULL, text, __FILE__, __LINE__);
}

static go_mutex first_lock, second_lock;
static go_waitgroup both_done;

struct order {
    go_mutex *outer, *inner;
    go_chan *gate;
    int sends;
};

static void locks_two(void *arg)
{
    struct order *o = arg;

    go_mutex_lock(o->outer);
    if (o->sends)
        go_chan_send(o->gate, NULL, GO_FOREVER);
    else
        go_chan_recv(o->gate, NULL, GO_FOREVER);
    go_mutex_lock(o->inner);
    go_waitgroup_done(&both_done);
}

static int locks_in_both_orders(void *arg)
{
    go_chan *gate = go_chan_new(0, 0);
    struct order ab = {&first_lock, &second_lock, gate, 1}, ba = {&second_lock, &first_lock, gate, 0};

    go_waitgroup_add(&both_done, 2);
    go_spawn(locks_two, &ab, sizeof ab);
    go_spawn(locks_two, &ba, sizeof ba);
    go_waitgroup_wait(&both_done);
    return 0;
}

static void test_Z1_report_shows_the_circle_of_mutexes_and_their_lockers(void **state)
{
    char said[65536];

    assert_true(rt_child_hear(locks_in_both_orders, said, sizeof said) != 0);
    expect_in(said, "all goroutines are asleep - deadlock!");
    expect_in(said, "mutexes locked in a circle:");
    expect_in(said, "goroutine 2 (locks_two) waits for mutex");
    expect_in(said, "(second_lock), last locked by goroutine 3");
    expect_in(said, "goroutine 3 (locks_two) waits for mutex");
    expect_in(said, "(first_lock), last locked by goroutine 2");
    assert_int_equal(rt_times(said, "mutexes locked in a circle:"), 1);
}

static int locks_twice(void *arg)
{
    go_mutex_lock(&table_lock);
    go_mutex_lock(&table_lock);
    return 0;
}

static void test_Z1_report_shows_who_waits_for_its_own_mutex(void **state)
{
    char said[65536];

    assert_true(rt_child_hear(locks_twice, said, sizeof said) != 0);
    expect_in(said, "mutexes locked in a circle:");
    expect_in(said, "goroutine 1 (main) waits for mutex");
    expect_in(said, "(table_lock), last locked by goroutine 1");
}

static int forgets_done(void *arg)
{
    go_waitgroup_add(&both_done, 3);
    go_waitgroup_done(&both_done);
    go_waitgroup_wait(&both_done);
    return 0;
}

static void test_Z1_report_names_the_wait_group_and_who_waits(void **state)
{
    char said[65536];

    assert_true(rt_child_hear(forgets_done, said, sizeof said) != 0);
    expect_in(said, "goroutine 1 [parked: wait group, ");
    expect_in(said, "] main\n");
    expect_in(said, " (both_done), counter 2\n");
    expect_in(said, "    forgets_done+0x");
}

static int waits_on_a_thread_of_its_own(void *arg)
{
    go_lock_thread();
    go_chan_recv(NULL, NULL, GO_FOREVER);
    return 0;
}

static void test_Z1_thread_of_a_locked_goroutine_does_not_rule_out_the_report(void **state)
{
    char said[65536];

    assert_true(rt_child_hear(waits_on_a_thread_of_its_own, said, sizeof said) != 0);
    expect_in(said, "all goroutines are asleep - deadlock!");
}

static int waits_for_nothing(void *arg)
{
    go_chan *c = go_chan_new(0, 0);

    start_waiters(c, 3);
    go_chan_recv(NULL, NULL, GO_FOREVER);
    return 0;
}

static void test_Z1_report_has_the_stacks_of_all_and_tells_a_nil_channel(void **state)
{
    char said[65536];

    assert_true(rt_child_hear(waits_for_nothing, said, sizeof said) != 0);
    expect_in(said, "goroutine 1 [parked: chan receive (nil channel), ");
    assert_int_equal(rt_times(said, "    waits_deep_inside+0x"), 3);
    assert_null(strstr(said, "in a circle"));
}

static void exits_main(void *arg)
{
    go_chan_recv(*(go_chan **)arg, NULL, GO_FOREVER);
}

static int main_exits_before_others(void *arg)
{
    go_chan *c = go_chan_new(0, 0);

    go_spawn(exits_main, &c, sizeof c);
    go_exit();
}

static void test_Z1_main_that_exits_leaves_the_others_to_be_reported(void **state)
{
    char said[65536];

    assert_true(rt_child_hear(main_exits_before_others, said, sizeof said) != 0);
    expect_in(said, "all goroutines are asleep - deadlock!");
    expect_in(said, "goroutine 2 [parked: chan receive, ");
    assert_null(strstr(said, "goroutine 1 ["));
}

static int exits_alone(void *arg)
{
    go_exit();
}

static void test_Z1_main_that_exits_alone_is_told_without_stacks(void **state)
{
    char said[65536];

    assert_true(rt_child_hear(exits_alone, said, sizeof said) != 0);
    expect_in(said, "no goroutines (main called go_exit) - deadlock!");
    assert_null(strstr(said, "\ngoroutine "));
}

/* ---- the end of a program by a panic or a signal ---- */

static __attribute__((noinline)) void gives_up(void)
{
    go_panic("no way on");
}

static void gives_up_inside(void *arg)
{
    gives_up();
    go_yield();
}

static int panics_in_a_goroutine(void *arg)
{
    go_spawn(gives_up_inside, NULL, 0);
    go_chan_recv(NULL, NULL, GO_FOREVER);
    return 0;
}

static void test_panic_shows_its_goroutine_with_file_and_line(void **state)
{
    char said[65536];

    assert_true(rt_child_hear(panics_in_a_goroutine, said, sizeof said) != 0);
    expect_in(said, "panic: no way on\n");
    expect_in(said, "goroutine 2 [running] gives_up_inside\n");
    expect_in(said, "  started at tests/unit/test_rt_inspect.c:");
    expect_in(said, "    gives_up_inside+0x");
    expect_in(strstr(said, "    gives_up_inside+0x"), "tests/unit/test_rt_inspect.c:");
}

/* The signal is what is meant here, not the report that a sanitizer would make before it. */
static __attribute__((noinline, no_sanitize("undefined"))) int read_from(const volatile int *nowhere)
{
    return *nowhere;
}

static void reads_nowhere(void *arg)
{
    static const volatile int *volatile nowhere;

    read_from(nowhere);
    go_yield();
}

static int reads_nowhere_in_a_goroutine(void *arg)
{
    go_spawn(reads_nowhere, NULL, 0);
    go_chan_recv(NULL, NULL, GO_FOREVER);
    return 0;
}

static void test_signal_shows_its_goroutine_with_file_and_line(void **state)
{
    char said[65536];
    int status = rt_child_hear(reads_nowhere_in_a_goroutine, said, sizeof said);

    assert_true(status != 0);
    if (RT_SIGNALS_ARE_TAKEN)
        return;
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    expect_in(said, "goroutine: fatal: SIGSEGV at address 0x0 in goroutine 2 (reads_nowhere), started at ");
    expect_in(said, "    read_from+0x");
    expect_in(strstr(said, "    read_from+0x"), "tests/unit/test_rt_inspect.c:");
    expect_in(strstr(said, "    read_from+0x"), "    reads_nowhere+0x");
}

/* ---- who is not in a deadlock: a report would end this very process ---- */

enum { LOOKS = 200 };

/* On a thread that the runtime does not know: returns when the one goroutine has been parked for a while. */
static void see_parked(void)
{
    struct go_stats s;

    for (int seen = 0; seen < LOOKS; sched_yield()) {
        go_stats_read(&s);
        seen = s.parked == 1 ? seen + 1 : 0;
    }
}

static void closes(void *arg)
{
    go_chan_close(arg);
}

RT_TEST(test_Z2_no_report_while_a_timer_is_pending)
{
    go_chan *c = go_chan_new(0, 0);
    go_timer *t = go_timer_func(20000000, closes, c);

    assert_int_equal(go_chan_recv(c, NULL, GO_FOREVER), 0);
    rt_wait_live(1);
    go_timer_unref(t);
    go_chan_unref(c);
}

static void *writes_when_parked(void *arg)
{
    see_parked();
    assert_int_equal(write(*(int *)arg, "x", 1), 1);
    return NULL;
}

RT_TEST(test_Z2_no_report_while_a_descriptor_is_waited_for)
{
    pthread_t thread;
    int p[2];

    assert_int_equal(pipe(p), 0);
    assert_int_equal(pthread_create(&thread, NULL, writes_when_parked, &p[1]), 0);
    assert_int_equal(go_wait_fd(p[0], GO_READABLE, GO_FOREVER), GO_READABLE);
    pthread_join(thread, NULL);
    close(p[0]);
    close(p[1]);
}

static void *sends_when_parked(void *arg)
{
    go_chan *c = arg;

    see_parked();
    assert_int_equal(go_chan_send(c, NULL, GO_FOREVER), 0);
    see_parked();
    assert_int_equal(go_chan_send(c, NULL, GO_FOREVER), 0);
    return NULL;
}

RT_TEST(test_Z2_no_report_while_another_thread_may_call_in)
{
    go_chan *c = go_chan_new(0, 0);
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, sends_when_parked, c), 0);
    assert_int_equal(go_chan_recv(c, NULL, GO_FOREVER), 1);
    assert_int_equal(go_chan_recv(c, NULL, GO_FOREVER), 1);
    pthread_join(thread, NULL);
    go_chan_unref(c);
}

static int waits_on_a_thread(void *arg)
{
    see_parked();
    return 7;
}

RT_TEST(test_Z2_no_report_during_a_blocking_call)
{
    assert_int_equal(go_blocking(waits_on_a_thread, NULL), 7);
}

static void test_Z2_no_report_when_the_runtime_is_a_library(void **state)
{
    go_chan *c = go_chan_new(0, 0);

    assert_int_equal(go_start(2), 0);
    assert_int_equal(go_spawn(waits, &c, sizeof c), 0);
    see_parked();
    assert_int_equal(go_stop(), 0);
    go_chan_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_dump_lists_every_goroutine_once_in_the_order_of_their_start),
        RT_UNIT(test_dump_shows_function_file_and_line_of_every_frame),
        RT_UNIT(test_dump_leaves_out_the_frames_of_the_runtime_around_those_of_the_program),
        RT_UNIT(test_dump_names_a_mutex_and_who_locked_it_last),
        RT_UNIT(test_info_tells_the_channel_and_what_it_holds),
        RT_UNIT(test_info_of_a_wait_names_no_object_of_an_earlier_one),
        RT_UNIT(test_Z1_report_shows_the_circle_of_mutexes_and_their_lockers),
        RT_UNIT(test_Z1_report_shows_who_waits_for_its_own_mutex),
        RT_UNIT(test_Z1_report_names_the_wait_group_and_who_waits),
        RT_UNIT(test_Z1_report_has_the_stacks_of_all_and_tells_a_nil_channel),
        RT_UNIT(test_Z1_thread_of_a_locked_goroutine_does_not_rule_out_the_report),
        RT_UNIT(test_Z1_main_that_exits_leaves_the_others_to_be_reported),
        RT_UNIT(test_Z1_main_that_exits_alone_is_told_without_stacks),
        RT_UNIT(test_panic_shows_its_goroutine_with_file_and_line),
        RT_UNIT(test_signal_shows_its_goroutine_with_file_and_line),
        RT_UNIT(test_Z2_no_report_while_a_timer_is_pending),
        RT_UNIT(test_Z2_no_report_while_a_descriptor_is_waited_for),
        RT_UNIT(test_Z2_no_report_while_another_thread_may_call_in),
        RT_UNIT(test_Z2_no_report_during_a_blocking_call),
        RT_UNIT(test_Z2_no_report_when_the_runtime_is_a_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
