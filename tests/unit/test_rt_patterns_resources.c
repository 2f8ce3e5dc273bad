/* Pools of resources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_patterns.h"

struct factory {
    _Atomic int made, alive, most_alive;
    int fails; /* how many of the next attempts fail */
    int end;   /* 1: the constructor panics, 2: it exits */
    int64_t takes_ms;
    _Atomic int users[64]; /* of each that was made */
};

static int makes(void **resource, void *arg)
{
    struct factory *f = arg;

    if (f->takes_ms)
        go_sleep(go_after_ms(f->takes_ms));
    if (f->end == 1)
        go_panic("no route");
    if (f->end == 2)
        go_exit();
    if (f->fails > 0) {
        f->fails--;
        return -ECONNREFUSED;
    }
    *resource = &f->users[atomic_fetch_add(&f->made, 1) % 64];
    atomic_fetch_add(&f->alive, 1);
    if (f->alive > f->most_alive)
        f->most_alive = f->alive;
    return 0;
}

static void drops(void *resource, void *arg)
{
    atomic_fetch_sub(&((struct factory *)arg)->alive, 1);
}

static go_resources *resources(struct factory *f, int most)
{
    struct go_resources_options options = {.most = most, .make = makes, .drop = drops, .arg = f};
    go_resources *p = go_resources_new(&options);

    assert_non_null(p);
    return p;
}

struct user {
    go_resources *p;
    go_until until;
    int64_t uses_ms, at_ms;
    int result;
    bool twice, discards;
};

static void uses_one(void *arg)
{
    struct user *u = arg;
    void *resource;

    u->result = go_resources_get(u->p, &resource, u->until);
    u->at_ms = at_ms();
    if (u->result < 0)
        return;
    assert_int_equal(atomic_fetch_add((_Atomic int *)resource, 1), 0); /* nobody else has it */
    go_sleep(go_after_ms(u->uses_ms));
    atomic_fetch_sub((_Atomic int *)resource, 1);
    assert_int_equal(u->discards ? go_resources_discard(u->p, resource) : go_resources_put(u->p, resource),
                     0);
}

PATTERN_TEST(test_five_connections_serve_ten_users, 100)
{
    struct factory f = {0};
    go_resources *p = resources(&f, 5);
    struct user users[10];
    go_waitgroup group = {0};

    for (int i = 0; i < 10; i++) {
        users[i] = (struct user){.p = p, .until = go_after_ms(5000), .uses_ms = 100};
        go_waitgroup_go(&group, uses_one, &users[i], 0);
    }
    go_bubble_wait();
    assert_int_equal(go_resources_taken(p), 5);
    go_waitgroup_wait(&group);
    for (int i = 0; i < 10; i++)
        assert_int_equal(users[i].result, 0);
    assert_int_equal(at_ms(), 200);
    assert_int_equal(f.made, 5);
    assert_int_equal(go_resources_taken(p), 0);
    assert_int_equal(go_resources_idle(p), 5);
    assert_int_equal(go_resources_close(p), 0);
    assert_int_equal(f.alive, 0);
    assert_null(go_resources_unref(p));
}

PATTERN_TEST(test_get_of_an_exhausted_pool_times_out_to_the_millisecond, 20)
{
    struct factory f = {0};
    go_resources *p = resources(&f, 1);
    void *held, *other;

    assert_int_equal(go_resources_get(p, &held, GO_NOW), 0);
    assert_int_equal(go_resources_get(p, &other, GO_NOW), -EAGAIN);
    assert_int_equal(go_resources_get(p, &other, go_after_ms(5000)), -ETIMEDOUT);
    assert_int_equal(at_ms(), 5000);
    assert_int_equal(go_resources_put(p, held), 0);
    assert_int_equal(go_resources_get(p, &other, GO_NOW), 0);
    assert_true(other == held);
    assert_int_equal(go_resources_put(p, other), 0);
    assert_int_equal(go_resources_put(p, other), -EINVAL); /* twice */
    assert_int_equal(go_resources_put(p, &f), -EINVAL);    /* of no pool */
    assert_int_equal(go_resources_put(p, NULL), -EINVAL);
    assert_int_equal(go_resources_discard(p, other), -EINVAL); /* nobody has it */
    go_resources_unref(p);
    assert_int_equal(f.alive, 0);
}

PATTERN_TEST(test_close_wakes_who_waits_and_drops_what_comes_back, 50)
{
    struct factory f = {0};
    go_resources *p = resources(&f, 1);
    struct user users[3];
    go_waitgroup group = {0};
    void *held;

    assert_int_equal(go_resources_get(p, &held, GO_FOREVER), 0);
    for (int i = 0; i < 3; i++) {
        users[i] = (struct user){.p = p, .until = GO_FOREVER};
        go_waitgroup_go(&group, uses_one, &users[i], 0);
    }
    go_bubble_wait();
    assert_int_equal(go_resources_close(p), 0);
    assert_int_equal(go_resources_close(p), -EPIPE);
    go_waitgroup_wait(&group);
    for (int i = 0; i < 3; i++)
        assert_int_equal(users[i].result, -EPIPE);
    assert_int_equal(go_resources_get(p, &held, GO_FOREVER), -EPIPE);
    assert_int_equal(f.alive, 1);
    assert_int_equal(go_resources_put(p, &f.users[0]), 0);
    assert_int_equal(f.alive, 0);
    assert_int_equal(go_resources_taken(p) + go_resources_idle(p), 0);
    go_resources_unref(p);
    assert_int_equal(go_resources_close(NULL), -EINVAL);
    assert_null(go_resources_unref(NULL));
}

PATTERN_TEST(test_those_who_wait_are_served_in_order, 50)
{
    struct factory f = {0};
    go_resources *p = resources(&f, 1);
    struct user users[4];
    go_waitgroup group = {0};

    for (int i = 0; i < 4; i++) {
        users[i] = (struct user){.p = p, .until = i == 2 ? go_after_ms(15) : GO_FOREVER, .uses_ms = 10};
        go_waitgroup_go(&group, uses_one, &users[i], 0);
        go_bubble_wait();
    }
    go_waitgroup_wait(&group);
    assert_true(users[0].result == 0 && users[0].at_ms == 0);
    assert_true(users[1].result == 0 && users[1].at_ms == 10);
    assert_true(users[2].result == -ETIMEDOUT && users[2].at_ms == 15);
    assert_true(users[3].result == 0 && users[3].at_ms == 20);
    go_resources_unref(p);
}

PATTERN_TEST(test_discarded_ones_are_replaced_and_never_too_many, 50)
{
    struct factory f = {.takes_ms = 1};
    go_resources *p = resources(&f, 2);
    struct user users[10];
    go_waitgroup group = {0};

    for (int i = 0; i < 10; i++) {
        users[i] = (struct user){.p = p, .until = GO_FOREVER, .uses_ms = 1, .discards = i % 2};
        go_waitgroup_go(&group, uses_one, &users[i], 0);
    }
    go_waitgroup_wait(&group);
    assert_in_range(f.most_alive, 1, 2);
    assert_in_range(f.made, 5, 7); /* five were discarded */
    assert_int_equal(go_resources_idle(p), f.alive);
    go_resources_unref(p);
    assert_int_equal(f.alive, 0);
}

PATTERN_TEST(test_failed_constructor_lets_the_next_one_try, 50)
{
    struct factory f = {.fails = 2, .takes_ms = 10};
    go_resources *p = resources(&f, 1);
    struct user users[3];
    go_waitgroup group = {0};

    for (int i = 0; i < 3; i++) {
        users[i] = (struct user){.p = p, .until = GO_FOREVER};
        go_waitgroup_go(&group, uses_one, &users[i], 0);
        go_bubble_wait();
    }
    go_waitgroup_wait(&group);
    assert_true(users[0].result == -ECONNREFUSED && users[0].at_ms == 10);
    assert_true(users[1].result == -ECONNREFUSED && users[1].at_ms == 20);
    assert_true(users[2].result == 0 && users[2].at_ms == 30);
    go_resources_unref(p);
}

static void recovers(void *arg)
{
    go_recover();
}

static void uses_and_recovers(void *arg)
{
    go_defer(recovers, NULL);
    uses_one(arg);
}

static void uses_framed(void *arg)
{
    go_call(uses_and_recovers, arg);
}

PATTERN_TEST(test_constructor_that_panics_or_exits_gives_its_place_back, 20)
{
    struct factory f = {.end = 1};
    go_resources *p = resources(&f, 1);
    struct user u = {.p = p, .until = GO_FOREVER};

    go_spawn(uses_framed, &u, 0);
    go_bubble_wait();
    assert_int_equal(go_resources_taken(p), 0);
    f.end = 2;
    go_spawn(uses_one, &u, 0);
    go_bubble_wait();
    assert_int_equal(go_resources_taken(p), 0);
    f.end = 0;
    uses_one(&u);
    assert_int_equal(u.result, 0);
    go_resources_unref(p);
}

PATTERN_TEST(test_resource_made_while_the_pool_closes_is_dropped, 20)
{
    struct factory f = {.takes_ms = 10};
    go_resources *p = resources(&f, 1);
    struct user u = {.p = p, .until = GO_FOREVER};
    go_waitgroup group = {0};

    go_waitgroup_go(&group, uses_one, &u, 0);
    go_bubble_wait();
    go_resources_close(p);
    go_waitgroup_wait(&group);
    assert_int_equal(u.result, -EPIPE);
    assert_true(f.made == 1 && f.alive == 0);
    go_resources_unref(p);
}

static void uses_often(void *arg)
{
    struct user *u = arg;

    for (int i = 0; i < 20; i++) {
        u->uses_ms = i % 3;
        u->discards = i % 7 == 0;
        u->until = i % 4 ? GO_FOREVER : go_after_ms(1);
        uses_one(u);
    }
}

PATTERN_TEST(test_one_user_at_a_time_under_load, 20)
{
    struct factory f = {0};
    go_resources *p = resources(&f, 3);
    struct user users[8];
    go_waitgroup group = {0};

    for (int i = 0; i < 8; i++) {
        users[i] = (struct user){.p = p};
        go_waitgroup_go(&group, uses_often, &users[i], 0);
    }
    go_waitgroup_wait(&group);
    assert_in_range(f.most_alive, 1, 3);
    assert_int_equal(go_resources_taken(p), 0);
    go_resources_unref(p);
    assert_int_equal(f.alive, 0);
}

RT_TEST(test_options_out_of_range_make_no_pool_of_resources)
{
    assert_null(go_resources_new(&(struct go_resources_options){.most = 0}));
    assert_null(go_resources_new(&(struct go_resources_options){.most = GO_RESOURCES_MAX + 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_five_connections_serve_ten_users),
        RT_UNIT(test_get_of_an_exhausted_pool_times_out_to_the_millisecond),
        RT_UNIT(test_close_wakes_who_waits_and_drops_what_comes_back),
        RT_UNIT(test_those_who_wait_are_served_in_order),
        RT_UNIT(test_discarded_ones_are_replaced_and_never_too_many),
        RT_UNIT(test_failed_constructor_lets_the_next_one_try),
        RT_UNIT(test_constructor_that_panics_or_exits_gives_its_place_back),
        RT_UNIT(test_resource_made_while_the_pool_closes_is_dropped),
        RT_UNIT(test_one_user_at_a_time_under_load),
        RT_UNIT(test_options_out_of_range_make_no_pool_of_resources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
