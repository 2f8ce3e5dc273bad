/* Error groups: rules E1 to E4. */
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

struct work {
    int i, fails;  /* the error it returns */
    go_chan *gate; /* NULL: does not wait */
    go_ctx *ctx;   /* NULL: does not look */
    _Atomic int *ended, *cancelled, *inside, *most;
};

static int works(void *arg)
{
    struct work *w = arg;
    int inside = w->inside ? atomic_fetch_add(w->inside, 1) + 1 : 0, most = w->most ? *w->most : inside;

    while (inside > most && !atomic_compare_exchange_weak(w->most, &most, inside))
        continue;
    if (w->gate)
        go_chan_recv(w->gate, NULL, GO_FOREVER);
    if (w->ctx && !w->fails)
        atomic_fetch_add(w->cancelled, go_ctx_wait(w->ctx, GO_FOREVER) == 0);
    if (w->inside)
        atomic_fetch_sub(w->inside, 1);
    atomic_fetch_add(w->ended, 1);
    return w->fails;
}

RT_TEST(test_E1_wait_waits_for_all_and_returns_the_first_error)
{
    go_errgroup e = {{0}};
    _Atomic int ended = 0;
    go_chan *gates[3];

    for (int i = 0; i < 3; i++) {
        struct work w = {i,   i == 0 ? 0 : -10 * i, gates[i] = go_chan_new(0, 0), NULL, &ended, NULL, NULL,
                         NULL};

        assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, GO_FOREVER), 0);
    }
    rt_wait_parked(3);
    go_chan_close(gates[2]); /* the third is the first to fail */
    rt_wait_live(3);
    go_chan_close(gates[1]);
    rt_wait_live(2);
    go_chan_close(gates[0]);
    assert_int_equal(go_errgroup_wait(&e), -20);
    assert_int_equal(ended, 3);
    for (int i = 0; i < 3; i++)
        go_chan_unref(gates[i]);
}

RT_TEST(test_E1_a_zeroed_group_is_ready_and_without_errors_wait_says_so)
{
    go_errgroup e = {{0}};
    _Atomic int ended = 0;
    struct work w = {0, 0, NULL, NULL, &ended, NULL, NULL, NULL};

    assert_int_equal(go_errgroup_wait(&e), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, GO_FOREVER), 0);
    assert_int_equal(go_errgroup_wait(&e), 0);
    assert_int_equal(ended, 100);
    assert_int_equal(go_errgroup_go(&e, works, &w, GO_ARG_BYTES_MAX + 1, GO_FOREVER), -EINVAL);
    assert_int_equal(go_errgroup_wait(&e), 0);
}

RT_TEST(test_E2_the_first_error_ends_the_context_with_itself_as_cause)
{
    go_errgroup e = {{0}};
    _Atomic int ended = 0, cancelled = 0;
    go_ctx *ctx = go_errgroup_ctx(&e, go_ctx_background());

    for (int i = 0; i < 5; i++) {
        struct work w = {i, i == 2 ? -EIO : 0, NULL, ctx, &ended, &cancelled, NULL, NULL};

        assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, GO_FOREVER), 0);
    }
    assert_int_equal(go_errgroup_wait(&e), -EIO);
    assert_int_equal(ended, 5);
    assert_int_equal(cancelled, 4);
    assert_int_equal(go_ctx_err(ctx), -ECANCELED);
    assert_int_equal(go_ctx_cause(ctx).code, -EIO);
    go_ctx_unref(ctx);
}

RT_TEST(test_E2_wait_ends_the_context_where_nobody_failed)
{
    go_errgroup e = {{0}};
    _Atomic int ended = 0;
    struct work w = {0, 0, NULL, NULL, &ended, NULL, NULL, NULL};
    go_ctx *ctx = go_errgroup_ctx(&e, go_ctx_background());

    go_errgroup_go(&e, works, &w, sizeof w, GO_FOREVER);
    assert_int_equal(go_ctx_err(ctx), 0);
    assert_int_equal(go_errgroup_wait(&e), 0);
    assert_int_equal(go_ctx_err(ctx), -ECANCELED);
    assert_int_equal(go_ctx_cause(ctx).code, -ECANCELED);
    go_ctx_unref(ctx);
}

RT_TEST(test_E3_never_more_than_the_limit_run_and_starting_waits_for_a_slot)
{
    go_errgroup e = {{0}};
    _Atomic int ended = 0, inside = 0, most = 0;
    struct work w = {0, 0, go_chan_new(0, 0), NULL, &ended, NULL, &inside, &most};

    go_errgroup_limit(&e, 2);
    assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, GO_FOREVER), 0);
    assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, GO_NOW), 0);
    assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, GO_NOW), -EAGAIN);
    assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, go_after_us(1)), -ETIMEDOUT);
    while (atomic_load(&inside) < 2)
        go_yield();
    go_chan_close(w.gate);
    for (int i = 0; i < 30; i++)
        assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, GO_FOREVER), 0);
    assert_int_equal(go_errgroup_wait(&e), 0);
    assert_int_equal(ended, 32);
    assert_int_equal(most, 2);
    go_chan_unref(w.gate);
}

RT_TEST(test_E3_a_limit_of_0_refuses_all_and_a_negative_one_nobody)
{
    go_errgroup e = {{0}};
    _Atomic int ended = 0;
    struct work w = {0, 0, NULL, NULL, &ended, NULL, NULL, NULL};

    go_errgroup_limit(&e, 0);
    assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, GO_NOW), -EAGAIN);
    assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, go_after_us(1)), -ETIMEDOUT);
    go_errgroup_limit(&e, -1);
    for (int i = 0; i < 10; i++)
        assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, GO_NOW), 0);
    assert_int_equal(go_errgroup_wait(&e), 0);
    assert_int_equal(ended, 10);
}

static void recovers(void *arg)
{
    *(int *)arg += go_recover() != NULL;
}

static int recovered;

static void limits(void *arg)
{
    go_defer(recovers, &recovered);
    go_errgroup_limit(arg, 3);
}

RT_TEST(test_E3_changing_the_limit_while_members_run_panics)
{
    go_errgroup e = {{0}};
    _Atomic int ended = 0;
    struct work w = {0, 0, go_chan_new(0, 0), NULL, &ended, NULL, NULL, NULL};

    go_errgroup_go(&e, works, &w, sizeof w, GO_FOREVER);
    assert_int_equal(go_call(limits, &e), 1);
    assert_int_equal(recovered, 1);
    go_chan_close(w.gate);
    assert_int_equal(go_errgroup_wait(&e), 0);
    assert_int_equal(go_call(limits, &e), 0);
    go_chan_unref(w.gate);
}

static int exits(void *arg)
{
    go_exit();
}

RT_TEST(test_E1_a_member_that_exits_has_ended_without_an_error)
{
    go_errgroup e = {{0}};

    go_errgroup_limit(&e, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(go_errgroup_go(&e, exits, NULL, 0, GO_FOREVER), 0);
    assert_int_equal(go_errgroup_wait(&e), 0);
}

static int panics(void *arg)
{
    go_panic("member %d", 3);
}

static int waits_for_a_panic(void *arg)
{
    go_errgroup e = {{0}};

    go_errgroup_go(&e, panics, NULL, 0, GO_FOREVER);
    _exit(go_errgroup_wait(&e)); /* would hide the panic */
}

static void test_E4_a_panic_of_a_member_ends_the_program_before_wait_returns(void **state)
{
    rt_child_dies(waits_for_a_panic, "panic: member 3", SIGABRT);
}

static void group_panicked(go_group *group, const char *text, const char *stack, void *arg)
{
    strcpy(arg, text);
    go_group_end(group);
}

struct job {
    _Atomic int *ended;
    go_chan *never;
};

static int waits_for_ever(void *arg)
{
    struct job *j = arg;

    atomic_fetch_add(j->ended, go_chan_recv(j->never, NULL, GO_FOREVER) == -ECANCELED);
    return -ECANCELED;
}

static void job_root(void *arg)
{
    static go_errgroup e; /* outlives the members, however they end */

    memset(&e, 0, sizeof e);
    go_errgroup_go(&e, waits_for_ever, arg, sizeof(struct job), GO_FOREVER);
    go_errgroup_go(&e, panics, NULL, 0, GO_FOREVER);
    assert_int_equal(go_errgroup_wait(&e), 0);
    abort();
}

RT_TEST(test_E4_in_a_job_the_panic_reaches_the_jobs_group_and_the_wait_unwinds)
{
    char text[512] = "";
    struct go_group_hooks hooks = {.panicked = group_panicked};
    go_group *group = go_group_new(&hooks, NULL, text);
    _Atomic int ended = 0;
    struct job job = {&ended, go_chan_new(0, 0)};
    struct go_spawn_options options = {.group = group};

    assert_int_equal(go_spawn_with(job_root, &job, sizeof job, &options), 0);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    assert_string_equal(text, "member 3");
    assert_int_equal(ended, 1);
    go_group_unref(group);
    go_chan_unref(job.never);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_E1_wait_waits_for_all_and_returns_the_first_error),
        RT_UNIT(test_E1_a_zeroed_group_is_ready_and_without_errors_wait_says_so),
        RT_UNIT(test_E1_a_member_that_exits_has_ended_without_an_error),
        RT_UNIT(test_E2_the_first_error_ends_the_context_with_itself_as_cause),
        RT_UNIT(test_E2_wait_ends_the_context_where_nobody_failed),
        RT_UNIT(test_E3_never_more_than_the_limit_run_and_starting_waits_for_a_slot),
        RT_UNIT(test_E3_a_limit_of_0_refuses_all_and_a_negative_one_nobody),
        RT_UNIT(test_E3_changing_the_limit_while_members_run_panics),
        RT_UNIT(test_E4_a_panic_of_a_member_ends_the_program_before_wait_returns),
        RT_UNIT(test_E4_in_a_job_the_panic_reaches_the_jobs_group_and_the_wait_unwinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
