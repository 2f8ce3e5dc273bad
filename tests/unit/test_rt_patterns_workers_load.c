/* Pools of workers while everything happens at once: resizes, cancels, panics, the end of their scope. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rt_workers.h"

struct load {
    _Atomic int running, most, size;
};

static int counts_itself(const struct go_task *task)
{
    struct load *load = task->arg;
    int now = atomic_fetch_add(&load->running, 1) + 1, most = atomic_load(&load->most);

    while (now > most && !atomic_compare_exchange_weak(&load->most, &most, now))
        continue;
    go_sleep(go_after_ms(1 + (int64_t)(task->id % 7)));
    atomic_fetch_sub(&load->running, 1);
    return 0;
}

static void resizes(void *arg)
{
    static const int sizes[] = {4, 2, 6, 1, 3};
    go_workers *p = *(go_workers **)arg;

    for (int i = 0; i < 5; i++) {
        go_sleep(go_after_ms(10));
        assert_int_equal(go_workers_resize(p, sizes[i]), 0);
    }
    go_workers_unref(p);
}

PATTERN_TEST(test_100_tasks_once_each_whatever_the_size, 20)
{
    go_workers *p = pool_new(1, 5, NULL), *other = go_workers_ref(p);
    struct load load = {0};

    go_spawn(resizes, &other, sizeof other);
    for (int i = 1; i <= 100; i++) {
        struct go_task_result r;

        assert_int_equal(go_workers_submit(p, counts_itself, &load, 0, GO_FOREVER), i);
        while (go_workers_result(p, &r, NULL, GO_NOW) == 1)
            assert_int_equal(r.code, 0);
    }
    go_workers_close(p);
    while (go_workers_result(p, &(struct go_task_result){0}, NULL, GO_FOREVER) == 1)
        continue;
    assert_in_range(load.most, 2, 6);
    go_workers_unref(p);
}

/* ---- a scope that ends under the pool ---- */

struct scope {
    go_workers *p;
    go_group *group;
    _Atomic bool made;
};

static int waits_twice(const struct go_task *task)
{
    go_chan_recv(NULL, NULL, GO_FOREVER);
    go_chan_recv(NULL, NULL, GO_FOREVER);
    return 0;
}

static void makes_pool(void *arg)
{
    struct scope *s = arg;

    s->p = pool_new(2, 10, NULL);
    for (int i = 0; i < 6; i++)
        go_workers_submit(s->p, waits_twice, NULL, 0, GO_FOREVER);
    atomic_store(&s->made, true);
}

RT_TEST(test_P5_end_of_the_workers_scope_answers_every_task)
{
    for (int n = 0; n < 100; n++) {
        struct scope s = {.group = go_group_new(NULL, NULL, NULL)};
        struct go_spawn_options options = {.group = s.group};
        struct go_task_result results[TASKS_MAX + 1];

        assert_int_equal(go_spawn_with(makes_pool, &s, 0, &options), 0);
        while (!atomic_load(&s.made))
            go_yield();
        if (n % 2)
            rt_wait_parked(2);
        go_group_end(s.group);
        assert_int_equal(collect_all(s.p, results, NULL), 6);
        for (int i = 1; i <= 6; i++)
            assert_int_equal(results[i].code, -ECANCELED);
        assert_int_equal(go_workers_submit(s.p, doubles, NULL, 0, GO_NOW), -ECANCELED);
        go_workers_unref(s.p);
        go_group_wait(s.group, GO_FOREVER);
        go_group_unref(s.group);
    }
}

/* ---- all at once ---- */

struct chaos {
    go_workers *p;
    go_ctx *ctx;
    int seed;
    _Atomic int accepted, collected;
    go_waitgroup group;
};

static int varies(const struct go_task *task)
{
    switch (task->id % 5) {
    case 0:
        go_panic("fifth");
    case 1:
        go_exit();
    case 2:
        go_yield();
        return 0;
    default:
        return go_sleep(go_both(go_after_ms((int64_t)task->id % 3), task->ctx));
    }
}

static void chaos_submits(void *arg)
{
    struct chaos *c = arg;

    for (int i = 0; i < 30; i++) {
        int64_t r = go_workers_submit(c->p, varies, NULL, 0, i % 4 ? GO_FOREVER : go_after_ms(1));

        atomic_fetch_add(&c->accepted, r > 0);
        if (r == -ECANCELED || r == -EPIPE)
            return;
    }
}

static void chaos_resizes(void *arg)
{
    struct chaos *c = arg;

    for (int i = 0; i < 12; i++) {
        go_workers_resize(c->p, 1 + (i * 5 + c->seed) % 7);
        go_sleep(go_after_ms(2));
    }
    if (c->seed % 3 == 0)
        go_ctx_cancel(c->ctx, 0, NULL);
    if (c->seed % 3 == 1)
        go_workers_close(c->p);
}

static void chaos_collects(void *arg)
{
    struct chaos *c = arg;
    struct go_task_result r;

    while (go_workers_result(c->p, &r, NULL, GO_FOREVER) == 1)
        atomic_fetch_add(&c->collected, 1);
}

PATTERN_TEST(test_chaos_every_accepted_task_has_one_result, 40)
{
    static _Atomic int seed;
    struct chaos c = {.ctx = go_ctx_new(go_ctx_background()), .seed = atomic_fetch_add(&seed, 1)};
    go_waitgroup collectors = {0};
    struct go_workers_stats s;

    c.p = pool_new(2, (size_t)c.seed % 4, c.ctx);
    for (int i = 0; i < 2; i++)
        go_waitgroup_go(&collectors, chaos_collects, &c, 0);
    for (int i = 0; i < 3; i++)
        go_waitgroup_go(&c.group, chaos_submits, &c, 0);
    go_waitgroup_go(&c.group, chaos_resizes, &c, 0);
    go_waitgroup_wait(&c.group);
    go_workers_close(c.p);
    go_waitgroup_wait(&collectors);
    go_workers_stats_read(c.p, &s);
    assert_int_equal(c.accepted, c.collected);
    assert_int_equal(s.succeeded + s.failed + s.dropped, c.accepted);
    assert_true(s.alive == 0 && s.running == 0);
    go_workers_unref(c.p);
    go_ctx_unref(c.ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_100_tasks_once_each_whatever_the_size),
        RT_UNIT(test_P5_end_of_the_workers_scope_answers_every_task),
        RT_UNIT(test_chaos_every_accepted_task_has_one_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
