/* Pools of workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rt_workers.h"

struct order {
    uint64_t ids[8];
    int n;
};

static int fails_each_third(const struct go_task *task)
{
    return *(int *)task->arg % 3 == 0 ? -EIO : doubles(task);
}

/* Waits at a gate that the test opens by closing it. */
static int waits_at_gate(const struct go_task *task)
{
    go_chan_recv(*(go_chan **)task->arg, NULL, GO_FOREVER);
    return 0;
}

static int waits_for_context(const struct go_task *task)
{
    return go_ctx_wait(task->ctx, GO_FOREVER);
}

static void hold(go_workers *p, go_chan *gate, int n)
{
    for (int i = 0; i < n; i++)
        assert_true(go_workers_submit(p, waits_at_gate, &gate, sizeof gate, GO_FOREVER) > 0);
    go_bubble_wait();
}

static void submits_30(void *arg)
{
    go_workers *p = *(go_workers **)arg;

    for (int i = 1; i <= 30; i++)
        assert_int_equal(go_workers_submit(p, doubles, &i, sizeof i, GO_FOREVER), i);
    assert_int_equal(go_workers_close(p), 0);
    go_workers_unref(p);
}

PATTERN_TEST(test_30_tasks_through_a_queue_of_10, 100)
{
    go_workers *p = pool_new(3, 10, NULL), *other = go_workers_ref(p);
    int values[TASKS_MAX + 1];

    go_spawn(submits_30, &other, sizeof other);
    assert_int_equal(collect_all(p, NULL, values), 30);
    for (int i = 1; i <= 30; i++)
        assert_int_equal(values[i], 2 * i);
    assert_int_equal(go_workers_wait(p, GO_NOW), 0);
    assert_null(go_workers_unref(p));
}

PATTERN_TEST(test_failed_tasks_have_their_code_and_are_counted, 20)
{
    go_workers *p = pool_new(3, 10, NULL);
    struct go_task_result results[TASKS_MAX + 1];
    struct go_workers_stats s;
    uint64_t ran = 0;

    for (int i = 1; i <= 10; i++)
        go_workers_submit(p, fails_each_third, &i, sizeof i, GO_FOREVER);
    go_workers_close(p);
    assert_int_equal(collect_all(p, results, NULL), 10);
    for (int i = 1; i <= 10; i++) {
        assert_int_equal(results[i].code, i % 3 == 0 ? -EIO : 0);
        assert_int_equal(results[i].end, GO_TASK_RETURNED);
        assert_in_range(results[i].worker, 0, 2);
    }
    go_workers_stats_read(p, &s);
    assert_true(s.submitted == 10 && s.succeeded == 7 && s.failed == 3 && s.dropped == 0);
    assert_true(s.alive == 0 && s.running == 0 && s.queued == 0 && s.results == 0);
    for (int i = 0; i < 4; i++)
        ran += go_workers_ran(p, i);
    assert_int_equal(ran, 10);
    assert_int_equal(go_workers_ran(p, 3) + go_workers_ran(p, -1) + go_workers_ran(p, GO_WORKERS_MAX), 0);
    go_workers_unref(p);
}

PATTERN_TEST(test_submit_waits_while_the_queue_is_full, 20)
{
    go_workers *p = pool_new(2, 3, NULL);
    go_chan *gate = go_chan_new(0, 0);
    go_ctx *ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(70));
    int one = 1;

    hold(p, gate, 2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(go_workers_submit(p, doubles, &one, sizeof one, GO_NOW), 3 + i);
    assert_int_equal(go_workers_submit(p, doubles, &one, sizeof one, GO_NOW), -EAGAIN);
    assert_int_equal(go_workers_submit(p, doubles, &one, sizeof one, go_after_ms(50)), -ETIMEDOUT);
    assert_int_equal(at_ms(), 50);
    assert_int_equal(go_workers_submit(p, doubles, &one, sizeof one, go_with(ctx)), -ETIMEDOUT);
    assert_int_equal(at_ms(), 70);
    assert_int_equal(go_workers_submit(p, doubles, &one, GO_ARG_BYTES_MAX + 1, GO_NOW), -EINVAL);
    go_chan_close(gate);
    go_workers_close(p);
    assert_int_equal(collect_all(p, NULL, NULL), 5);
    go_workers_unref(p);
    go_chan_unref(gate);
    go_ctx_unref(ctx);
}

PATTERN_TEST(test_queue_of_0_hands_over_to_idle_workers_only, 20)
{
    go_workers *p = pool_new(3, 0, NULL);
    go_chan *gate = go_chan_new(0, 0);

    go_bubble_wait();
    for (int i = 1; i <= 3; i++)
        assert_int_equal(go_workers_submit(p, waits_at_gate, &gate, sizeof gate, GO_NOW), i);
    assert_int_equal(go_workers_submit(p, waits_at_gate, &gate, sizeof gate, GO_NOW), -EAGAIN);
    go_bubble_wait();
    assert_int_equal(go_workers_submit(p, waits_at_gate, &gate, sizeof gate, GO_NOW), -EAGAIN);
    go_chan_send(gate, NULL, GO_FOREVER);
    assert_int_equal(go_workers_submit(p, waits_at_gate, &gate, sizeof gate, GO_FOREVER), 4);
    go_chan_close(gate);
    go_workers_close(p);
    assert_int_equal(collect_all(p, NULL, NULL), 4);
    go_workers_unref(p);
    go_chan_unref(gate);
}

static int notes_order(const struct go_task *task)
{
    struct order *order = *(struct order **)task->arg;

    order->ids[order->n++] = task->id;
    return 0;
}

PATTERN_TEST(test_rank_decides_then_arrival, 20)
{
    static const int ranks[6] = {2, 0, 4, 1, 4, 3}, expected[6] = {3, 5, 6, 1, 4, 2};
    go_workers *p = pool_new(1, 10, NULL);
    go_chan *gate = go_chan_new(0, 0);
    struct order order = {.n = 0}, *to = &order;

    hold(p, gate, 1);
    for (int i = 0; i < 6; i++)
        assert_int_equal(go_workers_submit_ranked(p, ranks[i], notes_order, &to, sizeof to, GO_NOW), 2 + i);
    go_chan_close(gate);
    go_workers_close(p);
    assert_int_equal(collect_all(p, NULL, NULL), 7);
    for (int i = 0; i < 6; i++)
        assert_int_equal(order.ids[i], expected[i] + 1);
    go_workers_unref(p);
    go_chan_unref(gate);
}

static int panics(const struct go_task *task)
{
    go_panic("task %llu on fire", (unsigned long long)task->id);
}

static int exits(const struct go_task *task)
{
    go_exit();
}

static void pool_survives(go_task_fn bad, enum go_task_end end, int code, const char *text)
{
    go_workers *p = pool_new(2, 10, NULL);
    go_chan *gate = go_chan_new(0, 0);
    struct go_task_result results[TASKS_MAX + 1];
    struct go_workers_stats s;

    for (int i = 1; i <= 4; i++)
        go_workers_submit(p, bad, NULL, 0, GO_FOREVER);
    hold(p, gate, 2);
    go_workers_stats_read(p, &s);
    assert_true(s.size == 2 && s.alive == 2 && s.running == 2 && s.failed == 4);
    go_chan_close(gate);
    go_workers_close(p);
    assert_int_equal(collect_all(p, results, NULL), 6);
    for (int i = 1; i <= 4; i++)
        assert_true(results[i].end == end && results[i].code == code);
    assert_string_equal(results[2].text, text);
    assert_string_equal(results[5].text, "");
    go_workers_unref(p);
    go_chan_unref(gate);
}

PATTERN_TEST(test_panic_fails_the_task_and_the_pool_keeps_its_workers, 30)
{
    pool_survives(panics, GO_TASK_PANICKED, -ENOTRECOVERABLE, "task 2 on fire");
}

PATTERN_TEST(test_exit_fails_the_task_and_the_pool_keeps_its_workers, 30)
{
    pool_survives(exits, GO_TASK_EXITED, -ECANCELED, "");
}

PATTERN_TEST(test_context_answers_every_accepted_task_once, 100)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_workers *p = pool_new(3, 20, ctx);
    struct go_task_result results[TASKS_MAX + 1];

    for (int i = 1; i <= 10; i++)
        assert_int_equal(go_workers_submit(p, waits_for_context, NULL, 0, GO_FOREVER), i);
    go_bubble_wait();
    go_ctx_cancel(ctx, 0, NULL);
    assert_int_equal(go_workers_submit(p, doubles, NULL, 0, GO_FOREVER), -ECANCELED);
    assert_int_equal(collect_all(p, results, NULL), 10);
    for (int i = 1; i <= 10; i++) {
        assert_int_equal(results[i].code, i <= 3 ? 0 : -ECANCELED);
        assert_int_equal(results[i].end, i <= 3 ? GO_TASK_RETURNED : GO_TASK_DROPPED);
        assert_true(i <= 3 || results[i].worker == -1);
    }
    assert_int_equal(go_workers_close(p), -EPIPE);
    assert_int_equal(go_workers_submit(p, doubles, NULL, 0, GO_FOREVER), -ECANCELED);
    assert_int_equal(at_ms(), 0);
    go_workers_unref(p);
    go_ctx_unref(ctx);
}

struct canceller {
    go_ctx *ctx;
    go_chan *gate;
};

static int cancels(const struct go_task *task)
{
    struct canceller *c = task->arg;

    go_chan_recv(c->gate, NULL, GO_FOREVER);
    go_ctx_cancel(c->ctx, 0, NULL);
    return 0;
}

PATTERN_TEST(test_no_task_is_started_after_the_cancel, 50)
{
    struct canceller c = {go_ctx_new(go_ctx_background()), go_chan_new(0, 0)};
    go_workers *p = pool_new(1, 20, c.ctx);
    struct go_task_result results[TASKS_MAX + 1];

    for (int i = 1; i <= 10; i++)
        assert_int_equal(go_workers_submit(p, cancels, &c, sizeof c, GO_FOREVER), i);
    go_bubble_wait();
    go_chan_close(c.gate);
    assert_int_equal(collect_all(p, results, NULL), 10);
    for (int i = 1; i <= 10; i++)
        assert_int_equal(results[i].end, i == 1 ? GO_TASK_RETURNED : GO_TASK_DROPPED);
    go_workers_unref(p);
    go_ctx_unref(c.ctx);
    go_chan_unref(c.gate);
}

static void submits_one(void *arg)
{
    struct {
        go_workers *p;
        int64_t *answer;
    } *a = arg;

    *a->answer = go_workers_submit(a->p, doubles, a->answer, sizeof(int), GO_FOREVER);
}

PATTERN_TEST(test_close_refuses_who_waits_and_runs_what_was_accepted, 50)
{
    go_workers *p = pool_new(1, 2, NULL);
    go_chan *gate = go_chan_new(0, 0);
    int64_t answers[3] = {0};
    struct {
        go_workers *p;
        int64_t *answer;
    } a = {p, NULL};

    hold(p, gate, 3);
    for (int i = 0; i < 3; i++) {
        a.answer = &answers[i];
        go_spawn(submits_one, &a, sizeof a);
    }
    go_bubble_wait();
    assert_int_equal(go_workers_close(p), 0);
    assert_int_equal(go_workers_close(p), -EPIPE);
    go_bubble_wait();
    for (int i = 0; i < 3; i++)
        assert_int_equal(answers[i], -EPIPE);
    assert_int_equal(go_workers_submit(p, doubles, &a, sizeof a, GO_NOW), -EPIPE);
    assert_int_equal(go_workers_wait(p, GO_NOW), -EAGAIN);
    assert_int_equal(go_workers_wait(p, go_after_ms(10)), -ETIMEDOUT);
    go_chan_close(gate);
    assert_int_equal(go_workers_wait(p, GO_FOREVER), 0); /* there is room for three results */
    assert_int_equal(collect_all(p, NULL, NULL), 3);
    go_workers_unref(p);
    go_chan_unref(gate);
    assert_int_equal(go_workers_close(NULL), -EINVAL);
    assert_null(go_workers_unref(NULL));
}

static void expect_stats(go_workers *p, int size, int alive, int running)
{
    struct go_workers_stats s;

    go_bubble_wait();
    go_workers_stats_read(p, &s);
    assert_int_equal(s.size, size);
    assert_int_equal(s.alive, alive);
    assert_int_equal(s.running, running);
}

PATTERN_TEST(test_resize_up_and_down_while_tasks_run, 50)
{
    go_workers *p = pool_new(1, 100, NULL);
    go_chan *gate = go_chan_new(0, 0);

    hold(p, gate, 20);
    expect_stats(p, 1, 1, 1);
    assert_int_equal(go_workers_resize(p, 4), 0);
    expect_stats(p, 4, 4, 4);
    assert_int_equal(go_workers_resize(p, 2), 0);
    expect_stats(p, 2, 4, 4); /* those that run may finish */
    for (int i = 0; i < 2; i++)
        go_chan_send(gate, NULL, GO_FOREVER);
    expect_stats(p, 2, 2, 2);
    go_chan_send(gate, NULL, GO_FOREVER);
    expect_stats(p, 2, 2, 2);
    assert_int_equal(go_workers_resize(p, 3), 0);
    expect_stats(p, 3, 3, 3);
    go_chan_close(gate);
    expect_stats(p, 3, 3, 0);
    assert_int_equal(go_workers_resize(p, 1), 0); /* idle ones leave at once */
    expect_stats(p, 1, 1, 0);
    assert_int_equal(go_workers_resize(p, 0), -EINVAL);
    go_workers_close(p);
    assert_int_equal(collect_all(p, NULL, NULL), 20);
    assert_int_equal(go_workers_resize(p, 2), -EPIPE);
    go_workers_unref(p);
    go_chan_unref(gate);
}

static void results_hold_back(int workers, size_t most)
{
    struct go_workers_options options = {
        .workers = workers, .queue = 10, .results = most, .result_bytes = sizeof(int)};
    go_workers *p = go_workers_new(&options);
    struct go_workers_stats s;
    struct go_task_result r;

    for (int i = 0; i < 10; i++)
        go_workers_submit(p, doubles, &i, sizeof i, GO_FOREVER);
    go_workers_close(p);
    go_bubble_wait();
    go_workers_stats_read(p, &s);
    assert_true(s.results >= most &&
                s.results < most + (size_t)workers); /* where they took their last at once */
    assert_int_equal(s.results + s.queued, 10);
    assert_int_equal(go_workers_wait(p, GO_NOW), -EAGAIN);
    for (int i = 0; i < 10; i++)
        assert_int_equal(go_workers_result(p, &r, NULL, GO_FOREVER), 1);
    assert_int_equal(go_workers_result(p, &r, NULL, GO_FOREVER), 0);
    go_workers_unref(p);
}

PATTERN_TEST(test_results_that_wait_hold_tasks_back, 20)
{
    results_hold_back(2, 3);
    results_hold_back(4, 1);
}

static int adds(const struct go_task *task)
{
    atomic_fetch_add(*(_Atomic int **)task->arg, 1);
    return 0;
}

PATTERN_TEST(test_last_unref_closes_and_what_was_accepted_still_runs, 50)
{
    struct go_workers_options options = {.workers = 2, .queue = 20, .results = 1};
    go_workers *p = go_workers_new(&options);
    _Atomic int ran = 0, *counter = &ran;

    for (int i = 0; i < 20; i++)
        go_workers_submit(p, adds, &counter, sizeof counter, GO_FOREVER);
    go_workers_unref(p);
    go_bubble_wait();
    assert_int_equal(ran, 20);
}

PATTERN_TEST(test_forgotten_results_are_counted_only, 20)
{
    struct go_workers_options options = {.workers = 2, .forget = 1};
    go_workers *p = go_workers_new(&options);
    _Atomic int ran = 0, *counter = &ran;
    struct go_workers_stats s;

    for (int i = 0; i < 20; i++)
        go_workers_submit(p, i % 2 ? adds : panics, &counter, sizeof counter, GO_FOREVER);
    go_workers_close(p);
    assert_int_equal(go_workers_wait(p, GO_FOREVER), 0);
    assert_int_equal(go_workers_result(p, &(struct go_task_result){0}, NULL, GO_FOREVER), 0);
    go_workers_stats_read(p, &s);
    assert_true(s.succeeded == 10 && s.failed == 10 && s.results == 0 && ran == 10);
    go_workers_unref(p);
}

RT_TEST(test_options_out_of_range_make_no_pool)
{
    assert_null(go_workers_new(&(struct go_workers_options){.workers = 0}));
    assert_null(go_workers_new(&(struct go_workers_options){.workers = GO_WORKERS_MAX + 1}));
    assert_null(go_workers_new(&(struct go_workers_options){.workers = 1, .result_bytes = SIZE_MAX}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_30_tasks_through_a_queue_of_10),
        RT_UNIT(test_failed_tasks_have_their_code_and_are_counted),
        RT_UNIT(test_submit_waits_while_the_queue_is_full),
        RT_UNIT(test_queue_of_0_hands_over_to_idle_workers_only),
        RT_UNIT(test_rank_decides_then_arrival),
        RT_UNIT(test_panic_fails_the_task_and_the_pool_keeps_its_workers),
        RT_UNIT(test_exit_fails_the_task_and_the_pool_keeps_its_workers),
        RT_UNIT(test_context_answers_every_accepted_task_once),
        RT_UNIT(test_no_task_is_started_after_the_cancel),
        RT_UNIT(test_close_refuses_who_waits_and_runs_what_was_accepted),
        RT_UNIT(test_resize_up_and_down_while_tasks_run),
        RT_UNIT(test_results_that_wait_hold_tasks_back),
        RT_UNIT(test_last_unref_closes_and_what_was_accepted_still_runs),
        RT_UNIT(test_forgotten_results_are_counted_only),
        RT_UNIT(test_options_out_of_range_make_no_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
