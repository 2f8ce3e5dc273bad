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

static go_errgroup ends_program;

/* The last moment of the program: does the member still have its slot? */
static void tell_slot(int sig)
{
    if (go_errgroup_go(&ends_program, exits, NULL, 0, GO_NOW) == -EAGAIN)
        dprintf(STDERR_FILENO, "not done\n");
}

static int waits_for_a_panic(void *arg)
{
    signal(SIGABRT, tell_slot);
    go_errgroup_limit(&ends_program, 1);
    go_errgroup_go(&ends_program, panics, NULL, 0, GO_FOREVER);
    _exit(go_errgroup_wait(&ends_program)); /* would hide the panic */
}

static void test_E4_a_panic_of_a_member_ends_the_program_before_wait_returns(void **state)
{
    rt_child_dies(waits_for_a_panic, "panic: member 3", SIGABRT);
    rt_child_dies(waits_for_a_panic, "not done", SIGABRT);
}

/* A job: what ends it, and whether that came before its end. */
struct job {
    char text[4096], stack[8192];
    _Atomic int panics, waited, others;
    _Atomic bool over;
    go_chan *go_on;
    go_errgroup group;
};

static void job_panicked(go_group *group, const char *text, const char *stack, void *arg)
{
    struct job *j = arg;

    assert_false(j->over);
    snprintf(j->text, sizeof j->text, "%s", text);
    snprintf(j->stack, sizeof j->stack, "%s", stack);
    atomic_fetch_add(&j->panics, 1);
    go_group_end(group);
}

static void job_over(go_group *group, void *arg)
{
    atomic_store(&((struct job *)arg)->over, true);
}

static void job_run(struct job *j, void (*root)(void *arg))
{
    struct go_group_hooks hooks = {.panicked = job_panicked, .empty = job_over};
    go_group *group = go_group_new(&hooks, NULL, j);
    struct go_spawn_options options = {.group = group};

    j->go_on = go_chan_new(0, 0);
    assert_int_equal(go_spawn_with(root, j, 0, &options), 0);
    while (!atomic_load(&j->over))
        go_yield();
    go_group_unref(group);
    go_chan_unref(j->go_on);
}

static void end_job(void *arg)
{
    go_group_end(go_group_current());
}

/* The parent of a group's context lives as long as that: what becomes of it tells of both. */
struct given_up {
    go_errgroup group;
    go_ctx *parent;
    _Atomic bool over;
    _Atomic int dropped;
};

static void count_dropped(void *value)
{
    atomic_fetch_add((_Atomic int *)value, 1);
}

static void given_up_begins(struct given_up *u)
{
    static const char key;
    go_ctx *ctx;

    u->parent = go_ctx_with_value(go_ctx_background(), &key, (void *)&u->dropped, count_dropped);
    ctx = go_errgroup_ctx(&u->group, u->parent);
    go_ctx_unref(u->parent);
    go_ctx_unref(ctx); /* the group's and the members' are left */
}

static int waits_for_ever(void *arg)
{
    return go_park(go_wait_begin(), "the end", 0, GO_FOREVER);
}

static void waits_until_the_end(void *arg)
{
    struct given_up *u = arg;

    given_up_begins(u);
    assert_int_equal(go_errgroup_go(&u->group, waits_for_ever, NULL, 0, GO_FOREVER), 0);
    assert_int_equal(go_spawn(end_job, NULL, 0), 0);
    (void)!go_errgroup_wait(&u->group);
    abort();
}

static void wait_deferred(void *group)
{
    (void)!go_errgroup_wait(group);
}

static void leaves_early(void *arg)
{
    struct given_up *u = arg;

    given_up_begins(u);
    go_defer(wait_deferred, &u->group);
    assert_int_equal(go_errgroup_go(&u->group, waits_for_ever, NULL, 0, GO_FOREVER), 0);
    go_exit();
}

static void given_up_over(go_group *group, void *arg)
{
    atomic_store(&((struct given_up *)arg)->over, true);
}

static void give_up(void (*root)(void *arg))
{
    struct go_group_hooks hooks = {.empty = given_up_over};
    struct given_up u = {.dropped = 0};
    go_group *group = go_group_new(&hooks, NULL, &u);
    struct go_spawn_options options = {.group = group};

    assert_int_equal(go_spawn_with(root, &u, 0, &options), 0);
    while (!atomic_load(&u.over))
        go_yield();
    assert_int_equal(u.dropped, 1);
    go_group_unref(group);
}

RT_TEST(test_E2_a_wait_that_is_unwound_gives_the_context_back)
{
    give_up(waits_until_the_end);
}

RT_TEST(test_E2_a_wait_that_is_deferred_gives_the_context_back_where_its_goroutine_leaves_early)
{
    give_up(leaves_early);
}

static int fails_late(void *arg)
{
    go_ctx *ctx = *(go_ctx **)arg;

    assert_int_equal(go_ctx_err(ctx), 0);
    return -EIO;
}

RT_TEST(test_E2_the_context_ends_at_the_first_error_also_when_members_came_and_went_before)
{
    go_errgroup e = {{0}};
    _Atomic int ended = 0;
    struct work w = {0, 0, NULL, NULL, &ended, NULL, NULL, NULL};
    go_ctx *ctx = go_errgroup_ctx(&e, go_ctx_background());

    assert_int_equal(go_errgroup_go(&e, works, &w, sizeof w, GO_FOREVER), 0);
    rt_wait_live(1);
    assert_int_equal(go_errgroup_go(&e, fails_late, &ctx, sizeof ctx, GO_FOREVER), 0);
    assert_int_equal(go_ctx_wait(ctx, GO_FOREVER), 0);
    assert_int_equal(go_ctx_cause(ctx).code, -EIO);
    assert_int_equal(go_errgroup_wait(&e), -EIO);
    go_ctx_unref(ctx);
}

static int goes_on(void *arg)
{
    struct job *j = *(struct job **)arg;

    assert_int_equal(go_chan_recv(j->go_on, NULL, GO_FOREVER), 0);
    atomic_fetch_add(&j->others, 1);
    return 0;
}

/* The member that panics has ended when the group's context is done; the other goes on after that. */
static void start_two(struct job *j, char *cause, size_t size)
{
    go_ctx *ctx = go_errgroup_ctx(&j->group, go_ctx_background());

    go_errgroup_go(&j->group, goes_on, &j, sizeof j, GO_FOREVER);
    go_errgroup_go(&j->group, panics, NULL, 0, GO_FOREVER);
    assert_int_equal(go_ctx_wait(ctx, GO_FOREVER), 0);
    snprintf(cause, size, "%s", go_ctx_cause(ctx).text);
    go_ctx_unref(ctx);
    go_chan_close(j->go_on);
}

static void recovers_from_wait(void *arg)
{
    struct job *j = arg;

    snprintf(j->text, sizeof j->text, "%s", go_recover());
}

static void waits_guarded(void *arg)
{
    struct job *j = arg;

    go_defer(recovers_from_wait, j);
    assert_int_equal(go_errgroup_wait(&j->group), 0);
    abort();
}

static void root_that_recovers(void *arg)
{
    struct job *j = arg;
    char cause[64];

    go_defer(end_job, NULL);
    start_two(j, cause, sizeof cause);
    assert_string_equal(cause, "member 3");
    assert_int_equal(go_call(waits_guarded, j), 1);
    assert_int_equal(j->others, 1);
    assert_int_equal(go_errgroup_wait(&j->group), -ECANCELED);
    atomic_store(&j->waited, 1);
}

RT_TEST(test_E4_in_a_job_the_panic_reaches_the_wait_with_its_stack_and_the_others_run_on)
{
    struct job j = {.panics = 0};

    job_run(&j, root_that_recovers);
    assert_int_equal(j.waited, 1);
    assert_int_equal(j.panics, 0);
    assert_true(strncmp(j.text, "member 3\n[panic of goroutine ", 29) == 0);
    assert_non_null(strstr(j.text, "panics"));
}

static void root_that_waits(void *arg)
{
    struct job *j = arg;
    char cause[64];

    go_defer(end_job, NULL);
    start_two(j, cause, sizeof cause);
    assert_int_equal(go_errgroup_wait(&j->group), 0);
    abort();
}

RT_TEST(test_E4_a_wait_that_does_not_recover_ends_the_job_with_the_panic)
{
    struct job j = {.panics = 0};

    job_run(&j, root_that_waits);
    assert_int_equal(j.panics, 1);
    assert_int_equal(j.others, 1);
    assert_true(strncmp(j.text, "member 3\n", 9) == 0);
}

static int panics_second(void *arg)
{
    struct job *j = *(struct job **)arg;

    assert_int_equal(go_chan_recv(j->go_on, NULL, GO_FOREVER), 0);
    atomic_fetch_add(&j->others, 1);
    go_panic("second");
}

static void root_that_forgets(void *arg)
{
    struct job *j = arg;
    char cause[64];

    go_defer(end_job, NULL);
    go_errgroup_go(&j->group, panics_second, &j, sizeof j, GO_FOREVER);
    start_two(j, cause, sizeof cause);
    while (atomic_load(&j->others) < 2)
        go_yield();
}

RT_TEST(test_E4_a_panic_that_no_wait_tells_ends_the_job_and_the_first_one_wins)
{
    struct job j = {.panics = 0};

    job_run(&j, root_that_forgets);
    (void)!go_errgroup_wait(&j.group); /* all have ended; it lets go of the context */
    assert_int_equal(j.panics, 1);
    assert_string_equal(j.text, "member 3");
    assert_non_null(strstr(j.stack, "panics"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_E1_wait_waits_for_all_and_returns_the_first_error),
        RT_UNIT(test_E1_a_zeroed_group_is_ready_and_without_errors_wait_says_so),
        RT_UNIT(test_E1_a_member_that_exits_has_ended_without_an_error),
        RT_UNIT(test_E2_the_first_error_ends_the_context_with_itself_as_cause),
        RT_UNIT(test_E2_wait_ends_the_context_where_nobody_failed),
        RT_UNIT(test_E2_a_wait_that_is_unwound_gives_the_context_back),
        RT_UNIT(test_E2_a_wait_that_is_deferred_gives_the_context_back_where_its_goroutine_leaves_early),
        RT_UNIT(test_E2_the_context_ends_at_the_first_error_also_when_members_came_and_went_before),
        RT_UNIT(test_E3_never_more_than_the_limit_run_and_starting_waits_for_a_slot),
        RT_UNIT(test_E3_a_limit_of_0_refuses_all_and_a_negative_one_nobody),
        RT_UNIT(test_E3_changing_the_limit_while_members_run_panics),
        RT_UNIT(test_E4_a_panic_of_a_member_ends_the_program_before_wait_returns),
        RT_UNIT(test_E4_in_a_job_the_panic_reaches_the_wait_with_its_stack_and_the_others_run_on),
        RT_UNIT(test_E4_a_wait_that_does_not_recover_ends_the_job_with_the_panic),
        RT_UNIT(test_E4_a_panic_that_no_wait_tells_ends_the_job_and_the_first_one_wins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
