/* Load balancers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_patterns.h"

enum { WORKERS = 3, JOBS_MAX = 64 };

/* What the workers did. Each has a gate of its own; NULL is open. */
struct record {
    go_chan *gates[WORKERS];
    int jobs[WORKERS][JOBS_MAX], n[WORKERS];
    int exit_at;
};

static void works(int worker, void *job, void *arg)
{
    struct record *rec = arg;
    int id = *(int *)job;

    if (rec->gates[worker])
        go_chan_recv(rec->gates[worker], NULL, GO_FOREVER);
    rec->jobs[worker][rec->n[worker]++] = id;
    if (id == rec->exit_at)
        go_exit();
}

static go_balancer *balancer(struct record *rec, const int *weights, size_t queue)
{
    struct go_balancer_options options = {.workers = WORKERS,
                                          .weights = weights,
                                          .queue = queue,
                                          .job_bytes = sizeof(int),
                                          .fn = works,
                                          .arg = rec};
    go_balancer *b = go_balancer_new(&options);

    assert_non_null(b);
    return b;
}

static void submit(go_balancer *b, int first, int last)
{
    for (int i = first; i <= last; i++)
        assert_true(go_balancer_submit(b, &i, GO_FOREVER) >= 0);
}

/* Closes, joins, releases. */
static void finish(go_balancer *b)
{
    assert_int_equal(go_balancer_close(b), 0);
    assert_int_equal(go_balancer_close(b), -EPIPE);
    assert_int_equal(go_balancer_wait(b, GO_FOREVER), 0);
    assert_int_equal(go_balancer_submit(b, &(int){1}, GO_FOREVER), -EPIPE);
    assert_null(go_balancer_unref(b));
}

static void expect_jobs(const struct record *rec, int worker, const int *jobs, int n)
{
    assert_int_equal(rec->n[worker], n);
    for (int i = 0; i < n; i++)
        assert_int_equal(rec->jobs[worker][i], jobs[i]);
}

#define EXPECT(rec, worker, ...)                                                                             \
    expect_jobs((rec), (worker), (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

PATTERN_TEST(test_round_robin_deals_out_in_turn, 100)
{
    struct record rec = {.exit_at = 0};
    go_balancer *b = balancer(&rec, NULL, 10);

    submit(b, 1, 10);
    finish(b);
    EXPECT(&rec, 0, 1, 4, 7, 10);
    EXPECT(&rec, 1, 2, 5, 8);
    EXPECT(&rec, 2, 3, 6, 9);
}

PATTERN_TEST(test_weights_3_2_1_are_kept_smoothly, 100)
{
    struct record rec = {.exit_at = 0};
    go_balancer *b = balancer(&rec, (const int[]){3, 2, 1}, 10);

    submit(b, 1, 12);
    finish(b);
    EXPECT(&rec, 0, 1, 3, 6, 7, 9, 12);
    EXPECT(&rec, 1, 2, 5, 8, 11);
    EXPECT(&rec, 2, 4, 10);
}

static void hold_all(struct record *rec)
{
    for (int i = 0; i < WORKERS; i++)
        rec->gates[i] = go_chan_new(0, 0);
}

static void open_all(struct record *rec)
{
    for (int i = 0; i < WORKERS; i++)
        go_chan_close(rec->gates[i]);
}

static void free_all(struct record *rec)
{
    for (int i = 0; i < WORKERS; i++)
        go_chan_unref(rec->gates[i]);
}

PATTERN_TEST(test_full_queues_are_said_or_waited_for, 50)
{
    struct record rec = {.exit_at = 0};
    go_balancer *b;
    int job = 10;

    hold_all(&rec);
    b = balancer(&rec, NULL, 2);
    go_bubble_wait();
    submit(b, 1, 3);
    go_bubble_wait(); /* one in each worker's hands */
    submit(b, 4, 9);
    assert_int_equal(go_balancer_submit(b, &job, GO_NOW), -EAGAIN);
    assert_int_equal(go_balancer_submit(b, &job, go_after_ms(20)), -ETIMEDOUT);
    assert_int_equal(at_ms(), 20);
    assert_int_equal(go_balancer_submit(b, &job, go_until_make(go_now_ns(), NULL)), -ETIMEDOUT);
    go_chan_send(rec.gates[1], NULL, GO_FOREVER);
    assert_int_equal(go_balancer_submit(b, &job, GO_FOREVER), 1);
    open_all(&rec);
    finish(b);
    EXPECT(&rec, 0, 1, 4, 7);
    EXPECT(&rec, 1, 2, 5, 8, 10);
    EXPECT(&rec, 2, 3, 6, 9);
    free_all(&rec);
}

PATTERN_TEST(test_full_queue_is_passed_over, 50)
{
    struct record rec = {.exit_at = 0};
    go_balancer *b;

    rec.gates[0] = go_chan_new(0, 0);
    b = balancer(&rec, NULL, 2);
    for (int i = 1; i <= 12; i++) {
        assert_true(go_balancer_submit(b, &i, GO_NOW) >= 0);
        go_bubble_wait();
    }
    go_chan_close(rec.gates[0]);
    finish(b);
    EXPECT(&rec, 0, 1, 4, 7);
    EXPECT(&rec, 1, 2, 5, 8, 10, 12);
    EXPECT(&rec, 2, 3, 6, 9, 11);
    go_chan_unref(rec.gates[0]);
}

PATTERN_TEST(test_worker_that_is_down_gets_nothing_new_and_loses_nothing, 50)
{
    struct record rec = {.exit_at = 0};
    go_balancer *b;

    hold_all(&rec);
    b = balancer(&rec, NULL, 20);
    submit(b, 1, 3);
    assert_int_equal(go_balancer_set_up(b, 1, 0), 0);
    submit(b, 4, 7);
    assert_int_equal(go_balancer_set_up(b, 1, 1), 0);
    submit(b, 8, 10);
    assert_int_equal(go_balancer_set_up(b, 3, 1), -EINVAL);
    for (int i = 0; i < WORKERS; i++)
        go_balancer_set_up(b, i, 0);
    assert_int_equal(go_balancer_submit(b, &(int){11}, GO_FOREVER), -EHOSTDOWN);
    open_all(&rec);
    finish(b);
    EXPECT(&rec, 0, 1, 4, 6, 8);
    EXPECT(&rec, 1, 2, 9);
    EXPECT(&rec, 2, 3, 5, 7, 10);
    free_all(&rec);
}

struct submitter {
    go_balancer *b;
    int job, result;
};

static void submits(void *arg)
{
    struct submitter *s = arg;

    s->result = go_balancer_submit(s->b, &s->job, GO_FOREVER);
}

PATTERN_TEST(test_who_waits_sees_a_worker_come_up_and_the_close, 50)
{
    struct record rec = {.exit_at = 0};
    struct submitter s[3];
    go_balancer *b;

    hold_all(&rec);
    b = balancer(&rec, NULL, 1);
    assert_int_equal(go_balancer_set_up(b, 2, 0), 0);
    go_bubble_wait();
    submit(b, 1, 2);
    go_bubble_wait();
    submit(b, 3, 4);
    for (int i = 0; i < 3; i++) {
        s[i] = (struct submitter){.b = b, .job = 5, .result = -1};
        go_spawn(submits, &s[i], 0);
    }
    go_bubble_wait();
    assert_int_equal(go_balancer_set_up(b, 2, 1), 0); /* takes one job, and has room for another */
    go_bubble_wait();
    assert_int_equal((s[0].result == 2) + (s[1].result == 2) + (s[2].result == 2), 2);
    assert_int_equal(go_balancer_close(b), 0);
    go_bubble_wait();
    assert_int_equal((s[0].result == -EPIPE) + (s[1].result == -EPIPE) + (s[2].result == -EPIPE), 1);
    assert_int_equal(go_balancer_wait(b, GO_NOW), -EAGAIN);
    open_all(&rec);
    assert_int_equal(go_balancer_wait(b, GO_FOREVER), 0);
    EXPECT(&rec, 0, 1, 3);
    EXPECT(&rec, 1, 2, 4);
    EXPECT(&rec, 2, 5, 5);
    go_balancer_unref(b);
    free_all(&rec);
}

PATTERN_TEST(test_job_that_exits_costs_no_worker, 50)
{
    struct record rec = {.exit_at = 2};
    go_balancer *b = balancer(&rec, NULL, 4);

    submit(b, 1, 6);
    go_bubble_wait();
    assert_int_equal(go_balancer_ran(b, 1), 2);
    assert_int_equal(go_balancer_ran(b, 3) + go_balancer_ran(b, -1), 0);
    finish(b);
    EXPECT(&rec, 1, 2, 5);
}

PATTERN_TEST(test_last_unref_of_a_balancer_runs_what_it_took, 50)
{
    struct record rec = {.exit_at = 0};
    go_balancer *b = balancer(&rec, NULL, 10);

    submit(b, 1, 9);
    go_balancer_unref(b);
    go_bubble_wait();
    assert_int_equal(rec.n[0] + rec.n[1] + rec.n[2], 9);
    assert_null(go_balancer_unref(NULL));
    assert_int_equal(go_balancer_close(NULL), -EINVAL);
}

RT_TEST(test_options_out_of_range_make_no_balancer)
{
    struct go_balancer_options options = {.workers = 2, .weights = (const int[]){1, 0}, .fn = works};

    assert_null(go_balancer_new(&options));
    options.workers = 0;
    assert_null(go_balancer_new(&options));
    options.workers = GO_BALANCER_WORKERS_MAX + 1;
    assert_null(go_balancer_new(&options));
}

struct count {
    _Atomic int ran;
};

static void counts(int worker, void *job, void *arg)
{
    atomic_fetch_add(&((struct count *)arg)->ran, 1);
    if (*(int *)job % 3 == 0)
        go_yield();
}

static void submits_100(void *arg)
{
    go_balancer *b = arg;

    for (int i = 0; i < 100; i++) {
        assert_true(go_balancer_submit(b, &i, GO_FOREVER) >= 0);
        if (i % 20 == 0)
            go_balancer_set_up(b, i / 20 % 4, i % 40 != 0);
    }
}

PATTERN_TEST(test_no_job_is_lost_under_load, 20)
{
    struct count count = {0};
    struct go_balancer_options options = {
        .workers = 5, .queue = 1, .job_bytes = sizeof(int), .fn = counts, .arg = &count};
    go_balancer *b = go_balancer_new(&options);
    go_waitgroup group = {0};
    uint64_t ran = 0;

    for (int i = 0; i < 3; i++)
        go_waitgroup_go(&group, submits_100, b, 0);
    go_waitgroup_wait(&group);
    go_balancer_close(b);
    go_balancer_wait(b, GO_FOREVER);
    for (int i = 0; i < 5; i++)
        ran += go_balancer_ran(b, i);
    assert_int_equal(count.ran, 300);
    assert_int_equal(ran, 300);
    go_balancer_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_round_robin_deals_out_in_turn),
        RT_UNIT(test_weights_3_2_1_are_kept_smoothly),
        RT_UNIT(test_full_queues_are_said_or_waited_for),
        RT_UNIT(test_full_queue_is_passed_over),
        RT_UNIT(test_worker_that_is_down_gets_nothing_new_and_loses_nothing),
        RT_UNIT(test_who_waits_sees_a_worker_come_up_and_the_close),
        RT_UNIT(test_job_that_exits_costs_no_worker),
        RT_UNIT(test_last_unref_of_a_balancer_runs_what_it_took),
        RT_UNIT(test_options_out_of_range_make_no_balancer),
        RT_UNIT(test_no_job_is_lost_under_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
