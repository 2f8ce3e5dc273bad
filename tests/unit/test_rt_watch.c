/* Watching the cases of a select without taking anything (goroutine_host.h): what IP5.3 needs of the runtime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_test.h"

enum { STIRRED = 5, RACES = 300 };

/* A goroutine that watches once. */
struct watcher {
    struct go_case *cases;
    int n, begun, outcome;
    go_until until;
    go_chan *done;
};

static void watch_once(void *arg)
{
    struct watcher *w = arg;
    go_wait wait = go_wait_begin();
    go_watch *watch;

    w->begun = go_watch_begin(wait, w->cases, w->n, STIRRED, &watch);
    w->outcome = w->begun == 0 ? go_park(wait, "watch", 0, w->until) : go_wait_cancel(wait);
    go_watch_end(watch);
    go_chan_close(w->done);
}

static void watcher_start(struct watcher *w, struct go_case *cases, int n, go_until until)
{
    *w = (struct watcher){.cases = cases, .n = n, .until = until, .done = go_chan_new(0, 0)};
    assert_int_equal(go_spawn(watch_once, w, 0), 0);
}

/* `begun`: what go_watch_begin said. */
static void watcher_ends(struct watcher *w, int begun, int outcome)
{
    go_chan_recv(w->done, NULL, GO_FOREVER);
    assert_int_equal(w->begun, begun);
    assert_int_equal(w->outcome, outcome);
    go_chan_unref(w->done);
}

RT_TEST(test_IP5_3_a_watcher_is_told_of_a_value_and_takes_nothing)
{
    go_chan *c = go_chan_new(sizeof(int), 1);
    struct go_case k[] = {GO_RECV(NULL, NULL), GO_RECV(c, NULL)};
    struct watcher w;
    int one = 1;

    watcher_start(&w, k, 2, GO_FOREVER);
    rt_wait_parked(1);
    assert_int_equal(go_chan_send(c, &one, GO_NOW), 0);
    watcher_ends(&w, 0, STIRRED);
    assert_int_equal(go_chan_len(c), 1);
    watcher_start(&w, k, 2, GO_FOREVER); /* it is there already */
    watcher_ends(&w, 1, 1);
    assert_int_equal(go_chan_len(c), 1);
    go_chan_unref(c);
}

RT_TEST(test_IP5_3_a_watcher_is_told_of_a_free_slot)
{
    go_chan *c = go_chan_new(sizeof(int), 1);
    int one = 1;
    struct go_case k = GO_SEND(c, &one);
    struct watcher w;

    go_chan_send(c, &one, GO_NOW);
    watcher_start(&w, &k, 1, GO_FOREVER);
    rt_wait_parked(1);
    assert_int_equal(go_chan_recv(c, NULL, GO_NOW), 1);
    watcher_ends(&w, 0, STIRRED);
    assert_int_equal(go_chan_len(c), 0);
    go_chan_unref(c);
}

static void send_one(void *arg)
{
    int one = 1;

    assert_int_equal(go_chan_send(*(go_chan **)arg, &one, GO_FOREVER), 0);
}

RT_TEST(test_IP5_3_a_watcher_is_no_partner_for_a_rendezvous)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    struct go_case k = GO_RECV(c, NULL);
    struct watcher w;
    int one = 1, got = 0;

    watcher_start(&w, &k, 1, GO_FOREVER);
    rt_wait_parked(1);
    assert_int_equal(go_chan_send(c, &one, GO_NOW), -EAGAIN);
    watcher_ends(&w, 0, STIRRED);
    watcher_start(&w, &k, 1, GO_FOREVER);
    rt_wait_parked(1);
    assert_int_equal(go_spawn(send_one, &c, sizeof c), 0);
    watcher_ends(&w, 0, STIRRED);
    assert_int_equal(go_chan_recv(c, &got, GO_FOREVER), 1); /* the sender waits for whoever takes it */
    assert_int_equal(got, 1);
    go_chan_unref(c);
}

RT_TEST(test_IP5_3_who_waits_behind_a_watcher_is_served_at_once)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    struct go_case k = GO_SEND(c, NULL);
    struct watcher w;
    int got;

    watcher_start(&w, &k, 1, GO_FOREVER);
    rt_wait_parked(1);
    assert_int_equal(go_spawn(send_one, &c, sizeof c), 0);
    rt_wait_parked(2);
    assert_int_equal(go_chan_recv(c, &got, GO_NOW), 1);
    watcher_ends(&w, 0, STIRRED);
    go_chan_unref(c);
}

RT_TEST(test_IP5_3_a_watcher_is_told_of_a_close_a_timer_and_a_context)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_timer *timer = go_timer_new(INT64_C(3600) * 1000000000);
    struct go_case of_chan = GO_RECV(c, NULL), of_ctx = GO_DONE(ctx), of_timer = GO_TIMER(timer, NULL);
    struct watcher w;

    watcher_start(&w, &of_timer, 1, GO_FOREVER);
    rt_wait_parked(1);
    go_timer_reset(timer, 0); /* now: it could have been there before the watcher */
    watcher_ends(&w, 0, STIRRED);
    assert_int_equal(go_timer_wait(timer, NULL, GO_NOW), 1);
    watcher_start(&w, &of_ctx, 1, GO_FOREVER);
    rt_wait_parked(1);
    go_ctx_cancel(ctx, 0, NULL);
    watcher_ends(&w, 0, STIRRED);
    watcher_start(&w, &of_chan, 1, GO_FOREVER);
    rt_wait_parked(1);
    go_chan_close(c);
    watcher_ends(&w, 0, STIRRED);
    go_timer_unref(timer);
    go_ctx_unref(ctx);
    go_chan_unref(c);
}

RT_TEST(test_IP5_3_of_two_watchers_that_could_serve_each_other_the_second_finds_the_first)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    int one = 1;
    struct go_case both[] = {GO_RECV(c, NULL), GO_SEND(c, &one)};
    struct watcher w, second;

    watcher_start(&w, both, 2, GO_FOREVER); /* not itself */
    rt_wait_parked(1);
    watcher_start(&second, both, 1, GO_FOREVER);
    watcher_ends(&second, 1, 1);
    assert_int_equal(go_select(both, 1, GO_NOW), -EAGAIN);
    watcher_ends(&w, 0, STIRRED); /* told that somebody came */
    go_chan_unref(c);
}

RT_TEST(test_IP5_3_a_watcher_whose_wait_is_over_is_not_there)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    int one = 1;
    struct go_case k = GO_RECV(c, NULL), send = GO_SEND(c, &one);
    struct watcher w;

    watcher_start(&w, &k, 1, go_after_ms(1));
    watcher_ends(&w, 0, -ETIMEDOUT);
    assert_int_equal(go_chan_send(c, &one, GO_NOW), -EAGAIN);
    watcher_start(&w, &send, 1, go_after_ms(1));
    watcher_ends(&w, 0, -ETIMEDOUT);
    go_chan_unref(c);
}

/* ---- races ---- */

static void take_watching(void *arg)
{
    struct watcher *w = arg;

    for (;;) {
        go_wait wait = go_wait_begin();
        go_watch *watch;
        int r = go_watch_begin(wait, w->cases, w->n, STIRRED, &watch);

        if (r == 0)
            go_park(wait, "watch", 0, GO_FOREVER);
        else
            go_wait_cancel(wait);
        go_watch_end(watch);
        if (go_select(w->cases, w->n, GO_NOW) >= 0)
            break;
    }
    go_chan_close(w->done);
}

RT_TEST(test_IP5_3_no_value_is_missed_by_who_watches)
{
    go_chan *c = go_chan_new(sizeof(int), 0), *d = go_chan_new(sizeof(int), 1);

    for (int i = 0; i < RACES; i++) {
        int got = -1;
        struct go_case k[] = {GO_RECV(c, &got), GO_RECV(d, &got)};
        struct watcher w = {.cases = k, .n = 2, .done = go_chan_new(0, 0)};

        assert_int_equal(go_spawn(take_watching, &w, 0), 0);
        if (i % 3 == 0)
            go_yield();
        assert_int_equal(go_chan_send(i % 2 ? c : d, &i, GO_FOREVER), 0);
        go_chan_recv(w.done, NULL, GO_FOREVER);
        assert_int_equal(got, i);
        go_chan_unref(w.done);
    }
    go_chan_unref(c);
    go_chan_unref(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_IP5_3_a_watcher_is_told_of_a_value_and_takes_nothing),
        RT_UNIT(test_IP5_3_a_watcher_is_told_of_a_free_slot),
        RT_UNIT(test_IP5_3_a_watcher_is_no_partner_for_a_rendezvous),
        RT_UNIT(test_IP5_3_who_waits_behind_a_watcher_is_served_at_once),
        RT_UNIT(test_IP5_3_a_watcher_is_told_of_a_close_a_timer_and_a_context),
        RT_UNIT(test_IP5_3_of_two_watchers_that_could_serve_each_other_the_second_finds_the_first),
        RT_UNIT(test_IP5_3_a_watcher_whose_wait_is_over_is_not_there),
        RT_UNIT(test_IP5_3_no_value_is_missed_by_who_watches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
