/* Traces: their limits, and what they refuse. What they hold: trace_goroutines.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "goroutine_inspect.h"
#include "rt_host.h"
#include "rt_test.h"
#include "rt_written.h"

static void passes(void *arg)
{
    go_chan *c = *(go_chan **)arg;

    while (go_chan_recv(c, NULL, GO_FOREVER) == 1)
        continue;
}

static void pass_many(int n)
{
    go_chan *c = go_chan_new(0, 0);

    assert_int_equal(go_spawn(passes, &c, sizeof c), 0);
    for (int i = 0; i < n; i++)
        assert_int_equal(go_chan_send(c, NULL, GO_FOREVER), 0);
    go_chan_close(c);
    rt_wait_live(1);
    go_chan_unref(c);
}

static int64_t stopped(char **text)
{
    int fd = rt_paper();
    int64_t dropped = go_trace_stop(fd);

    *text = rt_written(fd, NULL);
    return dropped;
}

RT_TEST(test_trace_beyond_its_room_counts_what_it_drops)
{
    int64_t dropped;
    char *text, header[64];

    assert_int_equal(go_trace_start(10), 0);
    pass_many(1000);
    dropped = stopped(&text);
    assert_true(dropped > 0);
    snprintf(header, sizeof header, "\"dropped\":\"%lld\"", (long long)dropped);
    assert_non_null(strstr(text, header));
    assert_string_equal(text + strlen(text) - 3, "]}\n");
    free(text);
}

static void at_once(void *arg)
{
    (void)arg;
}

static void nobody_left(go_group *group, void *arg)
{
    (void)group, (void)arg;
}

/* A group knows of the end a good while before the goroutine is gone, which has yet to start the hook. */
RT_TEST(test_trace_that_is_stopped_after_an_end_has_it)
{
    struct go_group_hooks hooks = {.empty = nobody_left};

    for (int i = 0; i < 1000; i++) {
        go_group *group = go_group_new(&hooks, NULL, NULL);
        int fd = rt_paper();
        char *text;

        assert_int_equal(go_trace_start(0), 0);
        group_start(group, at_once, NULL, 0);
        go_group_end(group);
        while (go_group_live(group) > 0) /* the other processor takes it, sooner or later */
            continue;
        assert_int_equal(go_trace_stop(fd), 0);
        text = rt_written(fd, NULL);
        assert_int_equal(rt_times(text, "\"end\""), 1);
        free(text);
        go_group_unref(group);
    }
}

RT_TEST(test_trace_can_be_taken_again_and_knows_nothing_of_the_one_before)
{
    char *text;

    assert_int_equal(go_trace_start(0), 0);
    pass_many(100);
    assert_int_equal(stopped(&text), 0);
    assert_true(rt_times(text, "\"ph\":\"s\"") == 100);
    free(text);
    pass_many(100);
    assert_int_equal(go_trace_start(0), 0);
    pass_many(7);
    assert_int_equal(stopped(&text), 0);
    assert_int_equal(rt_times(text, "\"ph\":\"s\""), 7);
    assert_int_equal(rt_times(text, "\"ph\":\"f\""), 7);
    assert_int_equal(rt_times(text, "\"create\""), 1);
    free(text);
}

static void *sends_from_a_thread(void *arg)
{
    for (int i = 0; i < 50; i++)
        assert_int_equal(go_chan_send(arg, NULL, GO_FOREVER), 0);
    return NULL;
}

RT_TEST(test_trace_has_what_threads_wake)
{
    go_chan *c = go_chan_new(0, 0);
    pthread_t thread;
    char *text;

    assert_int_equal(go_trace_start(0), 0);
    assert_int_equal(pthread_create(&thread, NULL, sends_from_a_thread, c), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(go_chan_recv(c, NULL, GO_FOREVER), 1);
    pthread_join(thread, NULL);
    assert_int_equal(stopped(&text), 0);
    assert_int_equal(rt_times(text, "\"ph\":\"s\""), 0); /* a thread has no track */
    assert_non_null(strstr(text, "\"name\":\"1 main\""));
    free(text);
    go_chan_unref(c);
}

static void *starts_and_stops(void *arg)
{
    for (int i = 0; i < 20; i++) {
        int fd = rt_paper();

        assert_int_equal(go_trace_start(1000), 0);
        sched_yield();
        assert_true(go_trace_stop(fd) >= 0);
        close(fd);
    }
    return NULL;
}

RT_TEST(test_trace_starts_and_stops_while_others_run)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, starts_and_stops, NULL), 0);
    for (int i = 0; i < 20; i++)
        pass_many(200);
    pthread_join(thread, NULL);
}

RT_TEST(test_trace_refuses_what_it_cannot_do)
{
    char *text;

    assert_int_equal(go_trace_stop(1), -ESRCH);
    assert_int_equal(go_trace_start(((size_t)1 << 22) + 1), -EINVAL);
    assert_int_equal(go_trace_start(0), 0);
    assert_int_equal(go_trace_start(0), -EBUSY);
    assert_int_equal(stopped(&text), 0);
    free(text);
}

static void test_trace_without_a_runtime_is_ESRCH(void **state)
{
    assert_int_equal(go_trace_start(0), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_trace_beyond_its_room_counts_what_it_drops),
        RT_UNIT(test_trace_that_is_stopped_after_an_end_has_it),
        RT_UNIT(test_trace_can_be_taken_again_and_knows_nothing_of_the_one_before),
        RT_UNIT(test_trace_has_what_threads_wake),
        RT_UNIT(test_trace_starts_and_stops_while_others_run),
        RT_UNIT(test_trace_refuses_what_it_cannot_do),
        RT_UNIT(test_trace_without_a_runtime_is_ESRCH),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
