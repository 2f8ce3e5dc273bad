/* Named limiters and circuit breakers between processes. */
#include "sync_fixture.h"

/* ---- limiters ---- */

static uint64_t spend(struct client *c, uint64_t units)
{
    return take_of(c, (struct request_sync_take){SYNC_LIMITER, named("r"), .units = units, .size = 3,
                                                 .period_ns = SECOND});
}

static void test_a_limiter_gives_a_burst_and_then_one_each_period_in_order(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t two, one;

    assert_status(a, spend(a, 1), 0);
    assert_status(a, spend(a, 2), 0);
    assert_status(a, spend(at_once(a), 1), -EAGAIN);
    two = spend(a, 2);
    one = spend(b, 1);
    rig_after(rig, 2LL * SECOND - 1);
    assert_waits(a, two);
    rig_after(rig, 1);
    assert_status(a, two, 0);
    assert_waits(b, one);
    rig_after(rig, SECOND);
    assert_status(b, one, 0);
    assert_int_equal(rig_stat(rig, "syncs"), 1);
    rig_after(rig, 3LL * SECOND);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_SE1_tokens_of_a_limiter_that_nobody_used_go_back(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    struct request_sync_give back = {SYNC_LIMITER, named("r"), .units = 3, .flags = GIVE_UNSEEN};

    assert_status(a, spend(a, 3), 0);
    assert_status(a, give_of(a, back), 0);
    assert_no_syncs(rig);
    assert_status(a, spend(a, 3), 0);
    back.flags = 0;
    assert_status(a, give_of(a, back), -EPERM);
    assert_status(a, reset_of(a, SYNC_LIMITER, "r"), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_a_limiter_refuses_what_it_can_never_give(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t op;

    assert_status(a, spend(a, 4), -E2BIG);
    assert_status(a, spend(a, 0), -EINVAL);
    assert_status(a, take_of(a, (struct request_sync_take){SYNC_LIMITER, named("r"), .units = 1, .size = 1}),
                  -EINVAL);
    assert_status(a,
                  take_of(a, (struct request_sync_take){SYNC_LIMITER, named("r"), .units = 1,
                                                        .size = 1ULL << 40, .period_ns = 1LL << 40}),
                  -E2BIG);
    assert_no_syncs(rig);
    assert_status(a, spend(a, 1), 0);
    op = take_of(a,
                 (struct request_sync_take){SYNC_LIMITER, named("r"), .units = 1, .size = 3, .period_ns = 1});
    assert_status(a, op, -EEXIST);
    assert_string_equal(got(a, op)->text, "limiter r gives one each 1000000000 ns, at most 3 at once");
    rig_delete(rig);
}

static void test_who_waits_behind_a_dead_client_of_a_limiter_goes_on_in_time(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t one;

    spend(a, 3);
    spend(a, 3);
    one = spend(b, 1);
    client_die(a);
    rig_after(rig, SECOND);
    assert_status(b, one, 0);
    rig_delete(rig);
}

static void test_no_token_of_a_limiter_is_lost_between_two_that_wait(void **state)
{
    enum { WAITERS = 5 };
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t op[WAITERS], late;

    spend(a, 3);
    for (int i = 0; i < WAITERS; i++)
        op[i] = spend(a, 1);
    late = spend(a, 3);
    rig_after(rig, WAITERS * (int64_t)SECOND); /* more than a burst */
    for (int i = 0; i < WAITERS; i++)
        assert_status(a, op[i], 0);
    rig_after(rig, 3LL * SECOND - 1);
    assert_waits(a, late);
    rig_after(rig, 1);
    assert_status(a, late, 0);
    rig_delete(rig);
}

/* Two daemons are asked the same at the same times. One wakes whenever a timer is due, the other only when it is asked. */
enum { LATE, IN_TIME, DAEMONS, ASKED = 60 };

static struct asked {
    struct rig *rig;
    struct client *client;
    uint64_t op[ASKED];
} asked[DAEMONS];

static void pass_time(int64_t ns)
{
    struct rig *rig = asked[IN_TIME].rig;
    int64_t until_ns = rig->now.mono_ns + ns;

    while (rig->out.wake_ns < until_ns) {
        rig->now.mono_ns = rig->out.wake_ns;
        rig_step(rig, &(struct input){.kind = IN_TICK});
    }
    rig->now.mono_ns = until_ns;
    asked[LATE].rig->now.mono_ns += ns;
}

static void ask_both(int nth)
{
    struct request_sync_give back = {SYNC_LIMITER, named("r"), .units = 1 + (uint64_t)rand() % 3,
                                     .flags = GIVE_UNSEEN};
    int what = rand() % 8, which = nth ? rand() % nth : 0;
    uint64_t units = 1 + (uint64_t)rand() % 3;

    for (int d = 0; d < DAEMONS; d++) {
        struct client *client = asked[d].client;

        if (what == 0)
            asked[d].op[nth] = give_of(client, back);
        else if (what == 1)
            asked[d].op[nth] = spend(at_once(client), units);
        else
            asked[d].op[nth] = spend(client, units);
        if (what == 2)
            cancel(client, asked[d].op[which]);
    }
}

static void test_a_limiter_gives_the_same_however_late_the_daemon_wakes(void **state)
{
    enum { PROGRAMS = 200, MOST_S = 8 };

    for (int seed = 1; seed <= PROGRAMS; seed++) {
        srand((unsigned)seed);
        for (int d = 0; d < DAEMONS; d++)
            asked[d] = (struct asked){.rig = rig_new()};
        for (int d = 0; d < DAEMONS; d++)
            asked[d].client = client_new(asked[d].rig);
        for (int n = 0; n < ASKED; n++) {
            pass_time(rand() % (MOST_S * 4) * (int64_t)SECOND / 4);
            ask_both(n);
            for (int i = 0; i <= n; i++)
                if (status_if(asked[LATE].client, asked[LATE].op[i]) !=
                    status_if(asked[IN_TIME].client, asked[IN_TIME].op[i]))
                    fail_msg("seed %d: after operation %d, operation %d has ended otherwise", seed, n, i);
        }
        for (int d = 0; d < DAEMONS; d++)
            rig_delete(asked[d].rig);
    }
}

/* ---- breakers ---- */

static uint64_t enter(struct client *c)
{
    return take_of(c, (struct request_sync_take){SYNC_BREAKER, named("x"), .size = 2, .period_ns = SECOND});
}

static uint64_t leave(struct client *c, uint64_t op, uint32_t flags)
{
    return give_of(
        c, (struct request_sync_give){SYNC_BREAKER, named("x"), .token = token_of(c, op), .flags = flags});
}

static void call(struct client *c, uint32_t flags)
{
    uint64_t op = enter(c);

    assert_status(c, op, 0);
    assert_status(c, leave(c, op, flags), 0);
}

static void test_a_breaker_opens_after_failures_in_a_row_and_one_may_try_later(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t old = enter(b), trial, refused;

    call(a, GIVE_FAILED);
    call(a, 0);
    call(a, GIVE_FAILED);
    call(b, GIVE_FAILED);
    refused = enter(a);
    assert_status(a, refused, -EBUSY);
    assert_int_equal(token_of(a, refused), SECOND);
    assert_status(b, leave(b, old, 0), 0); /* from before: decides nothing */
    assert_status(a, enter(a), -EBUSY);
    rig_after(rig, SECOND);
    trial = enter(a);
    assert_status(a, trial, 0);
    assert_status(b, enter(b), -EBUSY);
    assert_status(a, leave(a, trial, GIVE_FAILED), 0);
    assert_status(b, enter(b), -EBUSY);
    rig_after(rig, SECOND);
    call(b, 0);
    call(a, 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_the_death_of_a_caller_is_a_failure_of_each_call(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);

    enter(a);
    enter(a);
    client_die(a);
    assert_status(b, enter(b), -EBUSY);
    rig_after(rig, SECOND);
    a = client_new(rig);
    assert_status(a, enter(a), 0);
    client_die(a);
    assert_status(b, enter(b), -EBUSY);
    assert_status(b, reset_of(b, SYNC_BREAKER, "x"), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_IP1_3_a_trial_that_nobody_saw_leaves_it_to_the_next(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t trial;

    call(a, GIVE_FAILED);
    call(a, GIVE_FAILED);
    rig_after(rig, SECOND);
    trial = enter(a);
    assert_status(a, leave(a, trial, GIVE_UNSEEN), 0);
    call(b, 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_a_trial_ends_with_its_own_token_only(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t old = enter(a), trial;

    assert_status(a, leave(a, old, GIVE_FAILED), 0);
    call(a, GIVE_FAILED);
    rig_after(rig, SECOND);
    trial = enter(a);
    assert_status(a, leave(a, old, 0), -ESTALE);
    assert_status(b, enter(b), -EBUSY);
    assert_status(a, leave(a, trial, 0), 0);
    call(b, 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_a_call_from_before_a_breaker_opened_decides_nothing_after_it_closed(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t old = enter(b), fresh;

    enter(c);
    call(a, GIVE_FAILED);
    call(a, GIVE_FAILED);
    rig_after(rig, SECOND);
    call(a, 0); /* the trial closes it */
    call(a, GIVE_FAILED);
    fresh = enter(b);
    assert_status(b, leave(b, old, 0), 0);
    assert_status(b, leave(b, old, GIVE_FAILED), -ESTALE); /* its one call left is a fresh one */
    assert_status(b, leave(b, fresh, GIVE_FAILED), 0);     /* the second in a row: that success was not one */
    assert_status(a, enter(a), -EBUSY);
    rig_after(rig, SECOND);
    call(a, 0);
    call(a, GIVE_FAILED);
    client_die(c); /* nor is its death a failure */
    call(a, 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_an_open_breaker_that_nobody_tries_is_forgotten(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);

    call(a, GIVE_FAILED);
    call(a, GIVE_FAILED);
    rig_after(rig, SECOND);
    assert_int_equal(rig_stat(rig, "syncs"), 1);
    rig_after(rig, SECOND);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_failures_of_a_breaker_are_forgotten_in_time(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);

    call(a, GIVE_FAILED);
    assert_status(
        a, take_of(a, (struct request_sync_take){SYNC_BREAKER, named("x"), .size = 3, .period_ns = SECOND}),
        -EEXIST);
    rig_after(rig, SECOND);
    assert_no_syncs(rig);
    assert_status(a, give_of(a, (struct request_sync_give){SYNC_BREAKER, named("x")}), -EPERM);
    assert_status(a, take_of(a, (struct request_sync_take){SYNC_BREAKER, named("x"), .size = 1}), -EINVAL);
    rig_delete(rig);
}

static void test_without_memory_nothing_happens(void **state)
{
    for (long n = 1; n < 50; n++) {
        struct rig *rig = rig_new();
        struct client *a = client_new(rig), *b = client_new(rig);

        rig->fail_from = rig->allocs + n;
        rig->fail_to = rig->fail_from + 1;
        spend(a, 3);
        spend(b, 1);
        enter(a);
        client_die(a);
        client_die(b);
        rig->fail_to = 0;
        rig_after(rig, 9LL * SECOND);
        assert_no_syncs(rig);
        rig_delete(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_limiter_gives_a_burst_and_then_one_each_period_in_order),
        cmocka_unit_test(test_SE1_tokens_of_a_limiter_that_nobody_used_go_back),
        cmocka_unit_test(test_a_limiter_refuses_what_it_can_never_give),
        cmocka_unit_test(test_who_waits_behind_a_dead_client_of_a_limiter_goes_on_in_time),
        cmocka_unit_test(test_no_token_of_a_limiter_is_lost_between_two_that_wait),
        cmocka_unit_test(test_a_limiter_gives_the_same_however_late_the_daemon_wakes),
        cmocka_unit_test(test_a_breaker_opens_after_failures_in_a_row_and_one_may_try_later),
        cmocka_unit_test(test_the_death_of_a_caller_is_a_failure_of_each_call),
        cmocka_unit_test(test_IP1_3_a_trial_that_nobody_saw_leaves_it_to_the_next),
        cmocka_unit_test(test_a_trial_ends_with_its_own_token_only),
        cmocka_unit_test(test_a_call_from_before_a_breaker_opened_decides_nothing_after_it_closed),
        cmocka_unit_test(test_an_open_breaker_that_nobody_tries_is_forgotten),
        cmocka_unit_test(test_failures_of_a_breaker_are_forgotten_in_time),
        cmocka_unit_test(test_without_memory_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
