/* The first member of a group, on whose stack others may rely: it is unwound last (P5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_host.h"

struct hooked {
    _Atomic int panics, empties;
};

static void on_panic(go_group *group, const char *text, const char *stack, void *arg)
{
    struct hooked *h = arg;

    atomic_fetch_add(&h->panics, 1);
    go_group_end(group);
}

static void on_empty(go_group *group, void *arg)
{
    struct hooked *h = arg;

    atomic_fetch_add(&h->empties, 1);
}

static const struct go_group_hooks hooks = {.panicked = on_panic, .empty = on_empty};

enum { HELPERS = 40, ROUNDS = 20 };

struct rooted {
    enum { ROOT_WAITS, ROOT_EXITS, ROOT_PANICS, ROOT_JOINS } how;
    _Atomic int late;    /* helpers that came after the root */
    _Atomic int helped;  /* that ended at all */
    _Atomic int told;    /* what the root's wait returned */
    _Atomic bool passed; /* the root went on as if nothing had ended */
};

struct helps {
    struct rooted *r;
    const _Atomic bool *valid; /* on the root's stack */
    go_waitgroup *all;
};

static void help_ends(void *arg)
{
    const struct helps *h = arg;

    for (int i = 0; i < 3; i++)
        go_yield();
    if (!atomic_load(h->valid))
        atomic_fetch_add(&h->r->late, 1);
    atomic_fetch_add(&h->r->helped, 1);
    if (h->all)
        go_waitgroup_done(h->all);
}

static void helps(void *arg)
{
    go_defer(help_ends, arg);
    go_park(go_wait_begin(), "the end of the group", 0, GO_FOREVER);
}

static void invalidate(_Atomic bool *valid)
{
    atomic_store(valid, false);
}

static void root_ends(struct rooted *r, go_waitgroup *all)
{
    if (r->how == ROOT_WAITS) {
        atomic_store(&r->told, go_park(go_wait_begin(), "the end", 0, GO_FOREVER));
    } else if (r->how == ROOT_EXITS) {
        go_exit();
    } else if (r->how == ROOT_PANICS) {
        go_panic("the root broke");
    } else {
        go_waitgroup_wait(all);
        atomic_store(&r->passed, true);
    }
}

static void is_root(void *arg)
{
    struct rooted *r = *(struct rooted **)arg;
    __attribute__((cleanup(invalidate))) _Atomic bool valid = true;
    go_waitgroup all = {0};
    struct helps h = {r, &valid, r->how == ROOT_JOINS ? &all : NULL};

    for (int i = 0; i < HELPERS; i++) {
        go_waitgroup_add(&all, 1);
        assert_int_equal(go_spawn(helps, &h, sizeof h), 0);
    }
    root_ends(r, &all);
}

/* Ends it from outside where the root does not do so itself. */
static void round_of(struct rooted *r)
{
    struct hooked h = {.panics = 0};
    go_group *group = go_group_new(&hooks, NULL, &h);

    group_start(group, is_root, &r, sizeof r);
    if (r->how == ROOT_WAITS || r->how == ROOT_JOINS) {
        wait_parked_members(group, HELPERS + 1);
        go_group_end(group);
    }
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    while (atomic_load(&h.empties) == 0)
        go_yield();
    assert_int_equal(h.panics, r->how == ROOT_PANICS);
    assert_int_equal(r->helped, HELPERS);
    assert_int_equal(r->late, 0);
    go_group_unref(group);
}

HOST_TEST(test_P5_the_root_comes_out_of_its_wait_when_the_others_have_left)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct rooted r = {.how = ROOT_WAITS};

        round_of(&r);
        assert_int_equal(r.told, -ECANCELED);
    }
}

HOST_TEST(test_P5_a_root_that_exits_ends_the_group_and_is_unwound_last)
{
    for (int i = 0; i < ROUNDS; i++)
        round_of(&(struct rooted){.how = ROOT_EXITS});
}

HOST_TEST(test_P5_a_root_whose_panic_nobody_can_recover_is_unwound_last)
{
    for (int i = 0; i < ROUNDS; i++)
        round_of(&(struct rooted){.how = ROOT_PANICS});
}

/* The others are done because they were ended: that is not what the root has waited for. */
HOST_TEST(test_P5_a_root_that_joins_its_members_does_not_go_on_when_they_were_ended)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct rooted r = {.how = ROOT_JOINS};

        round_of(&r);
        assert_false(r.passed);
    }
}

static void helps_a_while(void *arg)
{
    go_defer(help_ends, arg);
    go_yield();
}

static void spawns_until_refused(void *arg)
{
    struct rooted *r = *(struct rooted **)arg;
    __attribute__((cleanup(invalidate))) _Atomic bool valid = true;
    struct helps h = {r, &valid, NULL};
    int started = 0;

    while (go_spawn(helps_a_while, &h, sizeof h) == 0) {
        started++;
        go_yield();
    }
    assert_int_equal(go_chan_recv(NULL, NULL, GO_FOREVER), -ECANCELED);
    assert_int_equal(r->helped, started);
    assert_int_equal(r->late, 0);
}

HOST_TEST(test_P5_members_that_the_root_starts_during_the_end_leave_before_it_or_are_refused)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct rooted r = {.late = 0}, *at = &r;
        go_group *group = go_group_new(NULL, NULL, NULL);

        group_start(group, spawns_until_refused, &at, sizeof at);
        while (atomic_load(&r.helped) < HELPERS)
            go_yield();
        go_group_end(group);
        assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
        assert_int_equal(r.late, 0);
        go_group_unref(group);
    }
}

static void recovers(void *arg)
{
    const char *text = go_recover();

    assert_string_equal(text, "caught");
}

static void panics_inside(void *arg)
{
    go_defer(recovers, NULL);
    go_panic("caught");
}

static void recovers_and_waits(void *arg)
{
    assert_int_equal(go_call(panics_inside, NULL), 1);
    assert_false(go_group_ended(go_group_current()));
    atomic_store((_Atomic int *)arg, go_park(go_wait_begin(), "the end", 0, GO_FOREVER));
}

HOST_TEST(test_P5_a_root_that_recovers_its_panic_does_not_end_the_group)
{
    struct hooked h = {.panics = 0};
    go_group *group = go_group_new(&hooks, NULL, &h);
    _Atomic int told = 0;

    group_start(group, recovers_and_waits, &told, 0);
    wait_parked_members(group, 1);
    go_group_end(group);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    assert_int_equal(told, -ECANCELED);
    while (atomic_load(&h.empties) == 0)
        go_yield();
    assert_int_equal(h.panics, 0);
    go_group_unref(group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P5_the_root_comes_out_of_its_wait_when_the_others_have_left),
        cmocka_unit_test(test_P5_a_root_that_exits_ends_the_group_and_is_unwound_last),
        cmocka_unit_test(test_P5_a_root_whose_panic_nobody_can_recover_is_unwound_last),
        cmocka_unit_test(test_P5_a_root_that_joins_its_members_does_not_go_on_when_they_were_ended),
        cmocka_unit_test(test_P5_members_that_the_root_starts_during_the_end_leave_before_it_or_are_refused),
        cmocka_unit_test(test_P5_a_root_that_recovers_its_panic_does_not_end_the_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
