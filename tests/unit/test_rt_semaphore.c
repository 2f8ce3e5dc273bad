/* Weighted semaphore: rules SE1 to SE5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "goroutine_sync.h"
#include "rt_child.h"
#include "rt_test.h"

/* One who acquires, notes how that ended and in which place, and keeps what it got. */
struct taker {
    go_semaphore *s;
    int64_t units;
    go_until until;
    _Atomic int *turn; /* counts up */
    int r, place;
};

static void takes(void *arg)
{
    struct taker *t = *(struct taker **)arg;

    t->r = go_semaphore_acquire(t->s, t->units, t->until);
    t->place = atomic_fetch_add(t->turn, 1);
}

static void start(struct taker *t)
{
    assert_int_equal(go_spawn(takes, &t, sizeof t), 0);
}

/* Until n of them have come back from their wait. */
static void wait_turns(const _Atomic int *turn, int n)
{
    while (atomic_load(turn) != n)
        go_yield();
}

/* All units are free, and nobody waits. */
static void check_free(go_semaphore *s)
{
    assert_int_equal(go_semaphore_acquire(s, s->size, GO_NOW), 0);
    assert_int_equal(s->size ? go_semaphore_acquire(s, 1, GO_NOW) : -EAGAIN, -EAGAIN);
    go_semaphore_release(s, s->size);
}

RT_TEST(test_SE1_a_done_context_takes_nothing_though_units_are_free)
{
    go_semaphore s = {.size = 3};
    go_ctx *ctx = go_ctx_new(go_ctx_background());

    go_ctx_cancel(ctx, 0, NULL);
    assert_int_equal(go_semaphore_acquire(&s, 1, go_with(ctx)), -ECANCELED);
    assert_int_equal(go_semaphore_acquire(&s, 1, go_until_make(GO_NS_NOW, ctx)), -ECANCELED);
    assert_int_equal(go_semaphore_acquire(&s, 1, go_after_ns(0)), -ETIMEDOUT);
    check_free(&s);
    go_ctx_unref(ctx);
}

struct race {
    go_semaphore s;
    go_ctx *ctx;
};

static void races_cancel(void *arg)
{
    go_ctx_cancel((*(struct race **)arg)->ctx, 0, NULL);
}

static void races_release(void *arg)
{
    go_semaphore_release(&(*(struct race **)arg)->s, 2);
}

RT_TEST(test_SE1_a_cancel_that_races_with_the_grant_gives_the_units_back)
{
    int granted = 0, cancelled = 0;

    for (int i = 0; i < 500; i++) {
        struct race race = {.s = {.size = 2}, .ctx = go_ctx_new(go_ctx_background())}, *p = &race;
        _Atomic int turn = 0;
        struct taker t = {&race.s, 2, go_with(race.ctx), &turn, 0, 0};

        go_semaphore_acquire(&race.s, 2, GO_NOW);
        start(&t);
        if (i % 3)
            rt_wait_parked(1);
        go_spawn(i % 2 ? races_cancel : races_release, &p, sizeof p);
        (i % 2 ? races_release : races_cancel)(&p);
        rt_wait_live(1);
        assert_true(t.r == 0 || t.r == -ECANCELED);
        granted += t.r == 0;
        cancelled += t.r < 0;
        if (t.r == 0)
            go_semaphore_release(&race.s, 2);
        check_free(&race.s);
        go_ctx_unref(race.ctx);
    }
    assert_int_equal(granted + cancelled, 500);
}

/* On one processor the waiter does not run between the two, unless another is just retiring. */
RT_TEST(test_SE1_a_cancel_that_follows_the_grant_at_once_wins)
{
    int old = go_set_procs(1), cancelled = 0;

    for (int i = 0; i < 50; i++) {
        go_semaphore s = {.size = 1};
        go_ctx *ctx = go_ctx_new(go_ctx_background());
        _Atomic int turn = 0;
        struct taker t = {&s, 1, go_with(ctx), &turn, 7, 0};

        go_semaphore_acquire(&s, 1, GO_NOW);
        start(&t);
        rt_wait_parked(1);
        go_semaphore_release(&s, 1);
        go_ctx_cancel(ctx, 0, NULL);
        rt_wait_live(1);
        if (t.r == 0)
            go_semaphore_release(&s, 1);
        cancelled += t.r == -ECANCELED;
        check_free(&s);
        go_ctx_unref(ctx);
    }
    assert_true(cancelled > 0);
    go_set_procs(old);
}

RT_TEST(test_SE2_a_small_request_does_not_pass_a_large_one_that_waits)
{
    go_semaphore s = {.size = 6};
    _Atomic int turn = 0;
    struct taker large = {&s, 6, GO_FOREVER, &turn, 0, 0}, small = {&s, 1, GO_FOREVER, &turn, 0, 0};

    assert_int_equal(go_semaphore_acquire(&s, 3, GO_FOREVER), 0);
    start(&large);
    rt_wait_parked(1);
    assert_int_equal(go_semaphore_acquire(&s, 1, GO_NOW), -EAGAIN); /* three are free */
    start(&small);
    rt_wait_parked(2);
    go_semaphore_release(&s, 3);
    wait_turns(&turn, 1);
    assert_int_equal(large.r, 0);
    go_semaphore_release(&s, 6);
    rt_wait_live(1);
    assert_int_equal(small.place, 1);
    go_semaphore_release(&s, 1);
    check_free(&s);
}

RT_TEST(test_SE2_one_release_serves_all_that_fit_in_order)
{
    go_semaphore s = {.size = 6};
    _Atomic int turn = 0;
    struct taker t[4] = {{&s, 2, GO_FOREVER, &turn, 0, 0},
                         {&s, 3, GO_FOREVER, &turn, 0, 0},
                         {&s, 2, GO_FOREVER, &turn, 0, 0},
                         {&s, 1, GO_FOREVER, &turn, 0, 0}};

    go_semaphore_acquire(&s, 6, GO_NOW);
    for (int i = 0; i < 4; i++) {
        start(&t[i]);
        rt_wait_parked(i + 1);
    }
    go_semaphore_release(&s, 6);
    wait_turns(&turn, 2); /* 2 + 3 of 6: the next wants 2, and the last is not let past it */
    assert_int_equal(t[0].place + t[1].place, 1);
    assert_int_equal(go_semaphore_acquire(&s, 1, GO_NOW), -EAGAIN);
    go_semaphore_release(&s, 5);
    rt_wait_live(1);
    go_semaphore_release(&s, 3);
    check_free(&s);
}

RT_TEST(test_SE3_a_waiter_in_front_that_gives_up_lets_those_behind_in)
{
    go_semaphore s = {.size = 4};
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    _Atomic int turn = 0;
    struct taker front = {&s, 4, go_with(ctx), &turn, 0, 0}, behind = {&s, 2, GO_FOREVER, &turn, 0, 0},
                 last = {&s, 2, GO_FOREVER, &turn, 0, 0};

    go_semaphore_acquire(&s, 2, GO_NOW);
    start(&front);
    rt_wait_parked(1);
    start(&behind);
    rt_wait_parked(2);
    start(&last);
    rt_wait_parked(3);
    go_ctx_cancel(ctx, 0, NULL);
    wait_turns(&turn, 2);
    assert_int_equal(front.r, -ECANCELED);
    assert_int_equal(behind.r, 0);
    go_semaphore_release(&s, 2);
    rt_wait_live(1);
    go_semaphore_release(&s, 4);
    check_free(&s);
    go_ctx_unref(ctx);
}

static void waits_in_vain(void *arg)
{
    int64_t *waited_ns = *(int64_t **)arg, start_ns = go_now_ns();
    go_semaphore s = {.size = 2};

    assert_int_equal(go_semaphore_acquire(&s, 2, GO_NOW), 0);
    assert_int_equal(go_semaphore_acquire(&s, 1, go_after_ms(30)), -ETIMEDOUT);
    go_semaphore_release(&s, 2);
    assert_int_equal(go_semaphore_acquire(&s, 3, go_after_ms(70)), -ETIMEDOUT);
    *waited_ns = go_now_ns() - start_ns;
    check_free(&s);
}

RT_TEST(test_SE4_more_than_the_size_waits_for_its_deadline_alone)
{
    int64_t waited_ns = 0, *p = &waited_ns;
    go_semaphore s = {.size = 2};

    assert_int_equal(go_bubble(waits_in_vain, &p), 0);
    assert_int_equal(waited_ns, 100000000);
    assert_int_equal(go_semaphore_acquire(&s, 3, GO_NOW), -EAGAIN);
}

RT_TEST(test_SE4_more_than_the_size_stops_nobody)
{
    go_semaphore s = {.size = 2};
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    _Atomic int turn = 0;
    struct taker t = {&s, 3, go_with(ctx), &turn, 0, 0};

    start(&t);
    rt_wait_parked(1);
    check_free(&s);
    go_ctx_cancel(ctx, 0, NULL);
    rt_wait_live(1);
    assert_int_equal(t.r, -ECANCELED);
    go_ctx_unref(ctx);
}

static void recovers(void *arg)
{
    *(int *)arg += go_recover() != NULL;
}

struct misuse {
    go_semaphore *s;
    int64_t units;
    int acquires, recovered;
};

static go_semaphore lost_units = {.size = 3};

static int loses_units(void *arg)
{
    go_semaphore_acquire(&lost_units, 2, GO_FOREVER);
    go_semaphore_acquire(&lost_units, 2, GO_FOREVER);
    return 0;
}

static void test_Z1_deadlock_report_tells_the_units_that_are_held(void **state)
{
    rt_child_dies(loses_units, " (lost_units), 2 of 3 units held\n", 0);
}

static void misuses(void *arg)
{
    struct misuse *m = arg;

    go_defer(recovers, &m->recovered);
    if (m->acquires)
        go_semaphore_acquire(m->s, m->units, GO_NOW);
    else
        go_semaphore_release(m->s, m->units);
}

RT_TEST(test_SE5_releasing_more_than_is_held_panics_and_changes_nothing)
{
    go_semaphore s = {.size = 4};
    struct misuse more = {&s, 3, 0, 0}, negative = {&s, -1, 0, 0}, negative_take = {&s, -1, 1, 0};

    go_semaphore_acquire(&s, 2, GO_NOW);
    assert_int_equal(go_call(misuses, &more), 1);
    assert_int_equal(go_call(misuses, &negative), 1);
    assert_int_equal(go_call(misuses, &negative_take), 1);
    assert_int_equal(more.recovered + negative.recovered + negative_take.recovered, 3);
    go_semaphore_release(&s, 2);
    check_free(&s);
}

struct crowd {
    go_semaphore s;
    go_waitgroup all;
    _Atomic int64_t held;
    _Atomic int served, late;
};

static void uses(void *arg)
{
    struct crowd *c = arg;

    for (int i = 0; i < 200; i++) {
        int64_t units = 1 + i % 6, held;
        int r = go_semaphore_acquire(&c->s, units, i % 3 ? GO_FOREVER : go_after_us(i % 20));

        if (r < 0) {
            atomic_fetch_add(&c->late, 1);
            continue;
        }
        held = atomic_fetch_add(&c->held, units) + units;
        assert_in_range(held, 1, 6);
        if (i % 5 == 0)
            go_yield();
        atomic_fetch_sub(&c->held, units);
        go_semaphore_release(&c->s, units);
        atomic_fetch_add(&c->served, 1);
    }
}

RT_TEST(test_SE2_never_more_than_the_size_is_held_and_nobody_is_forgotten)
{
    struct crowd *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->s.size = 6;
    for (int i = 0; i < 16; i++)
        go_waitgroup_go(&c->all, uses, c, 0);
    go_waitgroup_wait(&c->all);
    assert_int_equal(c->served + c->late, 16 * 200);
    check_free(&c->s);
    free(c);
}

/* ---- in a job ---- */

static void note_deadlock(go_group *group, void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
    go_group_end(group);
}

struct job {
    _Atomic int deadlocks;
    go_group *group;
    go_semaphore s;
    go_waitgroup w;
};

static void acquires(void *arg)
{
    go_semaphore_acquire(&((struct job *)arg)->s, 1, GO_FOREVER);
}

static void acquires_twice(void *arg)
{
    acquires(arg);
    acquires(arg);
}

static void waits_for_units(void *arg)
{
    struct job *j = arg;

    go_waitgroup_wait(&j->w);
}

static struct job *job_new(void)
{
    struct go_group_hooks hooks = {.deadlocked = note_deadlock};
    struct job *j = calloc(1, sizeof *j);

    assert_non_null(j);
    j->s.size = 1;
    j->group = go_group_new(&hooks, NULL, (void *)&j->deadlocks);
    return j;
}

static void job_start(struct job *j, void (*fn)(void *))
{
    struct go_spawn_options options = {.group = j->group};

    assert_int_equal(go_spawn_with(fn, j, 0, &options), 0);
}

static void job_delete(struct job *j)
{
    go_group_unref(j->group);
    free(j);
}

RT_TEST(test_Z5_a_job_that_waits_for_its_own_units_is_deadlocked)
{
    struct job *j = job_new();

    job_start(j, acquires_twice);
    assert_int_equal(go_group_wait(j->group, GO_FOREVER), 0);
    assert_int_equal(j->deadlocks, 1);
    job_delete(j);
}

/* Without memory of who uses them, the job would be ended as if nobody could wake it. */
RT_TEST(test_Z5_a_job_that_waits_for_units_of_others_is_not)
{
    struct job *j = job_new();

    go_semaphore_acquire(&j->s, 1, GO_NOW);
    job_start(j, acquires);
    rt_wait_parked(1);
    for (int i = 0; i < 20; i++)
        go_yield();
    go_semaphore_release(&j->s, 1);
    rt_wait_live(1);
    go_waitgroup_add(&j->w, 1);
    job_start(j, waits_for_units);
    rt_wait_parked(1);
    for (int i = 0; i < 20; i++)
        go_yield();
    go_waitgroup_done(&j->w);
    rt_wait_live(1);
    go_group_end(j->group);
    assert_int_equal(go_group_wait(j->group, GO_FOREVER), 0);
    assert_int_equal(j->deadlocks, 0);
    job_delete(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_SE1_a_done_context_takes_nothing_though_units_are_free),
        RT_UNIT(test_SE1_a_cancel_that_races_with_the_grant_gives_the_units_back),
        RT_UNIT(test_SE1_a_cancel_that_follows_the_grant_at_once_wins),
        RT_UNIT(test_SE2_a_small_request_does_not_pass_a_large_one_that_waits),
        RT_UNIT(test_SE2_one_release_serves_all_that_fit_in_order),
        RT_UNIT(test_SE2_never_more_than_the_size_is_held_and_nobody_is_forgotten),
        RT_UNIT(test_SE3_a_waiter_in_front_that_gives_up_lets_those_behind_in),
        RT_UNIT(test_SE4_more_than_the_size_waits_for_its_deadline_alone),
        RT_UNIT(test_SE4_more_than_the_size_stops_nobody),
        RT_UNIT(test_Z1_deadlock_report_tells_the_units_that_are_held),
        RT_UNIT(test_Z5_a_job_that_waits_for_its_own_units_is_deadlocked),
        RT_UNIT(test_Z5_a_job_that_waits_for_units_of_others_is_not),
        RT_UNIT(test_SE5_releasing_more_than_is_held_panics_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
