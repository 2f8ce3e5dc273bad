/* Scopes and streams: goroutines that end before the call that started them; results in order. */
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

/* What a scope is tested with; each body takes what it needs. */
struct plan {
    go_chan *gate;
    _Atomic int started, ended, cancelled, told;
    int leaves; /* how the body ends: a result, or 'p'anic, 'e'xit */
    char text[512], stack[8192];
    go_ctx *parent;
};

static struct plan *plan_new(void)
{
    struct plan *p = calloc(1, sizeof *p);

    assert_non_null(p);
    p->gate = go_chan_new(0, 0);
    return p;
}

static void plan_delete(struct plan *p)
{
    go_chan_unref(p->gate);
    free(p);
}

static void passes_gate(void *arg)
{
    struct plan *p = *(struct plan **)arg;

    atomic_fetch_add(&p->started, 1);
    go_chan_recv(p->gate, NULL, GO_FOREVER);
    atomic_fetch_add(&p->ended, 1);
}

/* ---- a scope is left last ---- */

static int spawns_five(go_scope *s, void *arg)
{
    for (int i = 0; i < 5; i++)
        assert_int_equal(go_scope_spawn(s, passes_gate, &arg, sizeof arg), 0);
    return 0;
}

static void runs_scope(void *arg)
{
    struct plan *p = *(struct plan **)arg;

    assert_int_equal(go_scope_run(spawns_five, p, NULL), 0);
    assert_int_equal(p->ended, 5);
    atomic_store(&p->told, 1);
}

RT_TEST(test_scope_is_not_left_before_its_children_have_ended)
{
    struct plan *p = plan_new();

    go_spawn(runs_scope, &p, sizeof p);
    rt_wait_parked(6);
    assert_int_equal(p->told, 0);
    for (int i = 0; i < 4; i++)
        go_chan_send(p->gate, NULL, GO_FOREVER);
    rt_wait_live(3);
    assert_int_equal(p->told, 0);
    go_chan_close(p->gate);
    rt_wait_live(1);
    assert_int_equal(p->told, 1);
    plan_delete(p);
}

struct nested {
    go_scope *scope;
    _Atomic int *ended;
    int depth;
};

static void spawns_more(void *arg)
{
    struct nested n = *(struct nested *)arg;

    for (int i = 0; n.depth > 0 && i < 3; i++) {
        struct nested next = {n.scope, n.ended, n.depth - 1};

        assert_int_equal(go_scope_spawn(n.scope, spawns_more, &next, sizeof next), 0);
    }
    go_yield();
    atomic_fetch_add(n.ended, 1);
}

static int waits_for_tree(go_scope *s, void *arg)
{
    struct nested n = {s, arg, 4};

    for (int round = 1; round <= 3; round++) {
        go_scope_spawn(s, spawns_more, &n, sizeof n);
        assert_int_equal(go_scope_wait(s, NULL), 0);
        assert_int_equal(atomic_load(n.ended), round * (1 + 3 + 9 + 27 + 81));
    }
    return 42;
}

RT_TEST(test_scope_waits_for_children_of_children_round_after_round)
{
    _Atomic int ended = 0;

    assert_int_equal(go_scope_run(waits_for_tree, (void *)&ended, NULL), 42);
}

/* ---- leaving early ---- */

static void waits_for_cancel(void *arg)
{
    struct {
        struct plan *p;
        go_scope *s;
    } *me = arg;
    go_ctx *ctx = go_scope_ctx(me->s);

    atomic_fetch_add(&me->p->started, 1);
    if (go_chan_recv(me->p->gate, NULL, go_with(ctx)) == -ECANCELED)
        atomic_fetch_add(&me->p->cancelled, 1);
    me->p->told = go_ctx_cause(ctx).code;
    atomic_fetch_add(&me->p->ended, 1);
}

static int leaves_early(go_scope *s, void *arg)
{
    struct {
        struct plan *p;
        go_scope *s;
    } child = {arg, s};

    for (int i = 0; i < 3; i++)
        assert_int_equal(go_scope_spawn(s, waits_for_cancel, &child, sizeof child), 0);
    while (atomic_load(&child.p->started) < 3)
        go_yield();
    if (child.p->leaves == 'p')
        go_panic("body");
    if (child.p->leaves == 'e')
        go_exit();
    return child.p->leaves;
}

static void recovers(void *arg)
{
    struct plan *p = arg;
    const char *text = go_recover();

    snprintf(p->text, sizeof p->text, "%s", text ? text : "");
}

static void runs_leaving(void *arg)
{
    struct plan *p = arg;

    go_defer(recovers, p);
    assert_int_equal(go_scope_run(leaves_early, p, p->parent), p->leaves);
}

static void runs_leaving_in_goroutine(void *arg)
{
    go_call(runs_leaving, *(struct plan **)arg);
}

static void check_leaving(int leaves, int cause, const char *text)
{
    struct plan *p = plan_new();

    p->leaves = leaves;
    go_spawn(runs_leaving_in_goroutine, &p, sizeof p);
    rt_wait_live(1);
    assert_int_equal(p->cancelled, 3);
    assert_int_equal(p->ended, 3);
    assert_int_equal(p->told, cause);
    assert_string_equal(p->text, text);
    plan_delete(p);
}

RT_TEST(test_scope_that_is_left_early_cancels_its_children_and_waits_for_them)
{
    check_leaving(-EIO, -EIO, "");
    check_leaving('p', -ECANCELED, "body");
    check_leaving('e', -ECANCELED, "");
}

RT_TEST(test_X1_scope_ends_with_the_context_above_it)
{
    struct plan *p = plan_new();

    p->leaves = 0;
    p->parent = go_ctx_new(go_ctx_background());
    go_spawn(runs_leaving_in_goroutine, &p, sizeof p);
    rt_wait_parked(4);
    assert_int_equal(p->cancelled, 0);
    go_ctx_cancel(p->parent, 77, NULL);
    rt_wait_live(1);
    assert_int_equal(p->cancelled, 3);
    assert_int_equal(p->told, 77);
    go_ctx_unref(p->parent);
    plan_delete(p);
}

/* ---- panics of children ---- */

static void __attribute__((noinline)) breaks_down(void)
{
    go_panic("child %d", 3);
}

static void panics(void *arg)
{
    breaks_down();
}

static int learns_of_panic(go_scope *s, void *arg)
{
    struct plan *p = arg;
    struct go_scope_panic panic;

    for (int i = 0; i < 4; i++)
        go_scope_spawn(s, passes_gate, &p, sizeof p);
    go_scope_spawn(s, panics, NULL, 0);
    while (atomic_load(&p->started) < 4)
        go_yield();
    go_chan_close(p->gate);
    assert_int_equal(go_scope_wait(s, &panic), 1);
    assert_int_equal(p->ended, 4);
    assert_int_equal(go_ctx_err(go_scope_ctx(s)), 0); /* siblings finish, nobody is cancelled */
    assert_true(panic.goroutine > 0);
    snprintf(p->text, sizeof p->text, "%s", panic.text);
    snprintf(p->stack, sizeof p->stack, "%s", panic.stack);
    assert_int_equal(go_scope_wait(s, &panic), 0); /* told once */
    return 5;
}

RT_TEST(test_P5_panic_of_a_child_reaches_wait_with_its_stack_after_the_siblings_ended)
{
    struct plan *p = plan_new();

    assert_int_equal(go_scope_run(learns_of_panic, p, NULL), 5);
    assert_string_equal(p->text, "child 3");
    assert_non_null(strchr(p->stack, '\n'));
    plan_delete(p);
}

static int spawns_panic(go_scope *s, void *arg)
{
    go_scope_spawn(s, panics, NULL, 0);
    return 0;
}

static int waits_for_panic(go_scope *s, void *arg)
{
    go_scope_spawn(s, panics, NULL, 0);
    go_scope_wait(s, NULL);
    abort();
}

static int panics_beside(go_scope *s, void *arg)
{
    go_scope_spawn(s, panics, NULL, 0);
    go_panic("body");
}

struct running {
    int (*body)(go_scope *, void *);
    char text[512];
};

static void keeps_text(void *arg)
{
    struct running *r = arg;
    const char *text = go_recover();

    snprintf(r->text, sizeof r->text, "%s", text ? text : "");
}

static void runs_body(void *arg)
{
    struct running *r = arg;

    go_defer(keeps_text, r);
    go_scope_run(r->body, NULL, NULL);
}

RT_TEST(test_P5_panic_of_a_child_that_nobody_asked_for_is_raised_by_the_scope)
{
    struct running r[] = {{.body = spawns_panic}, {.body = waits_for_panic}, {.body = panics_beside}};

    for (int i = 0; i < 3; i++) {
        assert_int_equal(go_call(runs_body, &r[i]), 1);
        assert_int_equal(strncmp(r[i].text, "child 3\n[panic of goroutine ", 28), 0);
    }
}

static int panics_in_body_too(void *arg)
{
    return go_scope_run(panics_beside, NULL, NULL);
}

static void test_P2_panic_of_a_child_does_not_hide_that_of_the_body(void **state)
{
    rt_child_dies(panics_in_body_too, "panic: body\n\tpanic: child 3", SIGABRT);
}

static void exits(void *arg)
{
    go_exit();
}

static int spawns_exit(go_scope *s, void *arg)
{
    go_scope_spawn(s, exits, NULL, 0);
    return go_scope_wait(s, NULL);
}

RT_TEST(test_P3_child_that_exits_has_just_ended)
{
    assert_int_equal(go_scope_run(spawns_exit, NULL, NULL), 0);
}

static void misuses_mutex(void *arg)
{
    go_mutex m = {{0}};

    go_mutex_unlock(&m);
}

static int spawns_misuse(go_scope *s, void *arg)
{
    go_scope_spawn(s, misuses_mutex, NULL, 0);
    go_scope_wait(s, NULL);
    _exit(0); /* would hide it */
}

static int runs_misuse(void *arg)
{
    return go_scope_run(spawns_misuse, NULL, NULL);
}

static void test_M4_scope_does_not_recover_what_cannot_be(void **state)
{
    rt_child_dies(runs_misuse, "unlock of a mutex that is not locked", SIGABRT);
}

/* ---- in a job ---- */

static int waits_in_body(go_scope *s, void *arg)
{
    spawns_five(s, arg);
    go_scope_wait(s, NULL);
    abort();
}

static void ends_of_job(void *arg)
{
    struct plan *p = arg;

    p->told = p->ended; /* the stack of the scope is below: all its children are gone */
}

static void job_root(void *arg)
{
    struct plan *p = *(struct plan **)arg;

    go_defer(ends_of_job, p);
    go_scope_run(waits_in_body, p, NULL);
}

RT_TEST(test_P5_end_of_the_job_does_not_lead_out_of_a_scope_before_its_children)
{
    struct plan *p = plan_new();
    go_group *group = go_group_new(NULL, NULL, NULL);
    struct go_spawn_options options = {.group = group};

    go_spawn_with(job_root, &p, sizeof p, &options);
    rt_wait_parked(6);
    go_group_end(group);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    assert_int_equal(p->ended, 5);
    assert_int_equal(p->told, 5);
    go_group_unref(group);
    plan_delete(p);
}

/* ---- streams ---- */

enum { TASKS = 20 };

struct lines {
    go_chan *gate[TASKS + 1];
    int got[TASKS], n, first, panics_at, exits_at, deliver_panics_at;
    int tasks_max;
    _Atomic int delivering, running, most, started;
};

struct line {
    struct lines *all;
    int i;
};

static void makes_line(void *result, void *arg)
{
    struct line *l = arg;
    int running = atomic_fetch_add(&l->all->running, 1) + 1, most = atomic_load(&l->all->most);

    while (running > most && !atomic_compare_exchange_weak(&l->all->most, &most, running))
        continue;
    atomic_fetch_add(&l->all->started, 1);
    if (l->all->gate[l->i])
        go_chan_recv(l->all->gate[l->i], NULL, GO_FOREVER);
    atomic_fetch_sub(&l->all->running, 1);
    if (l->i == l->all->panics_at)
        go_panic("line %d", l->i);
    if (l->i == l->all->exits_at)
        go_exit();
    *(int *)result += l->i;
}

static void takes_line(const void *result, void *arg)
{
    struct lines *all = arg;
    int i = *(const int *)result;

    assert_int_equal(atomic_fetch_add(&all->delivering, 1), 0); /* one at a time */
    if (i % 3 == 0)
        go_yield();
    all->got[all->n++] = i;
    atomic_fetch_sub(&all->delivering, 1);
    if (i == all->deliver_panics_at)
        go_panic("delivery %d", i);
}

static void start_lines(go_scope *s, struct lines *all)
{
    go_stream *stream = go_stream_new(s, all->tasks_max, sizeof(int), takes_line, all);

    for (int i = 1; i <= TASKS; i++) {
        struct line l = {all, i};

        assert_int_equal(go_stream_go(stream, makes_line, &l, sizeof l, GO_FOREVER), 0);
    }
    go_stream_unref(stream);
}

/* The last finishes first. */
static int finishes_backwards(go_scope *s, void *arg)
{
    struct lines *all = arg;

    for (int i = 1; i <= TASKS; i++)
        all->gate[i] = go_chan_new(0, 0);
    start_lines(s, all);
    while (atomic_load(&all->started) < TASKS)
        go_yield();
    for (int i = TASKS; i >= 1; i--) {
        assert_int_equal(all->n, 0);
        go_chan_close(all->gate[i]);
    }
    assert_int_equal(go_scope_wait(s, NULL), 0);
    for (int i = 1; i <= TASKS; i++)
        all->gate[i] = go_chan_unref(all->gate[i]);
    return 0;
}

RT_TEST(test_F4_results_come_in_order_though_tasks_finish_out_of_it)
{
    static struct lines all;

    memset(&all, 0, sizeof all);
    all.tasks_max = TASKS;
    assert_int_equal(go_scope_run(finishes_backwards, &all, NULL), 0);
    assert_int_equal(all.n, TASKS);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(all.got[i], i + 1);
}

static int runs_lines(go_scope *s, void *arg)
{
    start_lines(s, arg);
    return 0;
}

RT_TEST(test_stream_runs_no_more_tasks_than_told)
{
    for (int round = 0; round < 50; round++) {
        static struct lines all;

        memset(&all, 0, sizeof all);
        all.tasks_max = 1 + round % 5;
        assert_int_equal(go_scope_run(runs_lines, &all, NULL), 0);
        assert_int_equal(all.n, TASKS);
        assert_in_range(all.most, 1, all.tasks_max);
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(all.got[i], i + 1);
    }
}

static int learns_of_line(go_scope *s, void *arg)
{
    struct go_scope_panic panic = {.text = ""};

    start_lines(s, arg);
    assert_int_equal(go_scope_wait(s, &panic), 1);
    assert_int_equal(strncmp(panic.text, "line 7", 6) == 0 || strncmp(panic.text, "delivery 9", 10) == 0, 1);
    return 0;
}

RT_TEST(test_P5_tasks_that_panic_or_exit_are_passed_over)
{
    static struct lines all;

    memset(&all, 0, sizeof all);
    all.tasks_max = 4;
    all.panics_at = 7;
    all.exits_at = 11;
    assert_int_equal(go_scope_run(learns_of_line, &all, NULL), 0);
    assert_int_equal(all.n, TASKS - 2);
    for (int i = 1; i < all.n; i++)
        assert_true(all.got[i - 1] < all.got[i] && all.got[i] != 7 && all.got[i] != 11);
}

RT_TEST(test_P5_after_a_delivery_that_panics_nothing_more_is_delivered)
{
    for (int round = 0; round < 30; round++) {
        static struct lines all;

        memset(&all, 0, sizeof all);
        all.tasks_max = 1 + round % 4;
        all.deliver_panics_at = 9;
        assert_int_equal(go_scope_run(learns_of_line, &all, NULL), 0);
        assert_int_equal(all.n, 9);
    }
}

static int asks_without_waiting(go_scope *s, void *arg)
{
    struct lines *all = arg;
    go_stream *stream = go_stream_new(s, 1, sizeof(int), takes_line, all);
    struct line l = {all, 1};

    all->gate[1] = go_chan_new(0, 0);
    assert_int_equal(go_stream_go(stream, makes_line, &l, sizeof l, GO_NOW), 0);
    assert_int_equal(go_stream_go(stream, makes_line, &l, sizeof l, GO_NOW), -EAGAIN);
    assert_int_equal(go_stream_go(stream, makes_line, &l, GO_ARG_BYTES_MAX + 1, GO_NOW), -EINVAL);
    go_chan_close(all->gate[1]);
    go_scope_wait(s, NULL);
    assert_int_equal(all->n, 1);
    all->gate[1] = go_chan_unref(all->gate[1]);
    go_stream_unref(stream);
    return 0;
}

RT_TEST(test_U7_stream_that_is_full_says_so)
{
    static struct lines all;

    memset(&all, 0, sizeof all);
    assert_int_equal(go_scope_run(asks_without_waiting, &all, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_scope_is_not_left_before_its_children_have_ended),
        RT_UNIT(test_scope_waits_for_children_of_children_round_after_round),
        RT_UNIT(test_scope_that_is_left_early_cancels_its_children_and_waits_for_them),
        RT_UNIT(test_X1_scope_ends_with_the_context_above_it),
        RT_UNIT(test_P5_panic_of_a_child_reaches_wait_with_its_stack_after_the_siblings_ended),
        RT_UNIT(test_P5_panic_of_a_child_that_nobody_asked_for_is_raised_by_the_scope),
        RT_UNIT(test_P2_panic_of_a_child_does_not_hide_that_of_the_body),
        RT_UNIT(test_P3_child_that_exits_has_just_ended),
        RT_UNIT(test_M4_scope_does_not_recover_what_cannot_be),
        RT_UNIT(test_P5_end_of_the_job_does_not_lead_out_of_a_scope_before_its_children),
        RT_UNIT(test_F4_results_come_in_order_though_tasks_finish_out_of_it),
        RT_UNIT(test_stream_runs_no_more_tasks_than_told),
        RT_UNIT(test_P5_tasks_that_panic_or_exit_are_passed_over),
        RT_UNIT(test_P5_after_a_delivery_that_panics_nothing_more_is_delivered),
        RT_UNIT(test_U7_stream_that_is_full_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
