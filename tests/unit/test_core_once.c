/* Named onces, flights and conditions between processes: O, SF, K. */
#include "sync_fixture.h"

static uint64_t begin(struct client *c, uint32_t kind)
{
    return take_of(c, (struct request_sync_take){kind, named("x")});
}

static uint64_t end_with(struct client *c, uint32_t kind, uint64_t op, uint32_t flags)
{
    return give_of(c, (struct request_sync_give){kind, named("x"), .token = token_of(c, op), .flags = flags});
}

/* ---- once ---- */

static void test_O1_one_runs_and_the_others_wait_for_its_end(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t runner = begin(a, SYNC_ONCE), waits = begin(b, SYNC_ONCE);

    assert_status(a, runner, GRANT_RUN);
    assert_waits(b, waits);
    assert_status(b, begin(at_once(b), SYNC_ONCE), -EAGAIN);
    assert_status(b, end_with(b, SYNC_ONCE, begin(at_once(b), SYNC_ONCE), 0), -ESTALE);
    assert_status(b,
                  give_of(b, (struct request_sync_give){SYNC_ONCE, named("x"), .token = token_of(a, runner)}),
                  -EPERM);
    assert_status(b, reset_of(b, SYNC_ONCE, "x"), -EBUSY);
    assert_status(a, end_with(a, SYNC_ONCE, runner, 0), 0);
    assert_status(b, waits, 0);
    client_die(a);
    assert_status(b, begin(b, SYNC_ONCE), 0);
    assert_status(b, reset_of(b, SYNC_ONCE, "x"), 0);
    assert_no_syncs(rig);
    assert_status(b, begin(b, SYNC_ONCE), GRANT_RUN);
    rig_delete(rig);
}

static void test_O2_a_failure_is_told_to_every_caller_until_a_reset(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t runner = begin(a, SYNC_ONCE), waits = begin(b, SYNC_ONCE);

    assert_status(a, end_with(a, SYNC_ONCE, runner, GIVE_FAILED), 0);
    assert_status(b, waits, -EOWNERDEAD);
    assert_status(b, begin(b, SYNC_ONCE), -EOWNERDEAD);
    assert_status(b, reset_of(b, SYNC_ONCE, "x"), 0);
    assert_status(b, begin(b, SYNC_ONCE), GRANT_RUN);
    rig_delete(rig);
}

static void test_O2_so_is_the_death_of_the_runner(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t waits;

    begin(a, SYNC_ONCE);
    waits = begin(b, SYNC_ONCE);
    client_die(a);
    assert_status(b, waits, -EOWNERDEAD);
    assert_status(b, begin(b, SYNC_ONCE), -EOWNERDEAD);
    rig_delete(rig);
}

static void test_IP1_3_a_runner_that_never_heard_of_it_did_not_run(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = begin(a, SYNC_ONCE), second = begin(b, SYNC_ONCE), third = begin(c, SYNC_ONCE);

    client_cut(b);
    assert_status(a, end_with(a, SYNC_ONCE, first, GIVE_UNSEEN), 0);
    assert_waits(b, second);
    assert_waits(c, third);
    client_die(b);
    assert_status(c, third, GRANT_RUN);
    assert_status(c, end_with(c, SYNC_ONCE, third, GIVE_UNSEEN), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

/* ---- flights ---- */

static uint64_t land(struct client *c, uint64_t op, const char *value, int32_t error)
{
    return give_of(c, (struct request_sync_give){SYNC_FLIGHT, named("x"), .token = token_of(c, op),
                                                 .error = error, .value = named(value)});
}

static void test_SF1_all_callers_get_the_value_and_error_of_one(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t runner = begin(a, SYNC_FLIGHT), second = begin(b, SYNC_FLIGHT), third = begin(c, SYNC_FLIGHT),
             landed;

    assert_status(a, runner, GRANT_RUN);
    assert_waits(b, second);
    landed = land(a, runner, "value", -EIO);
    assert_status(a, landed, 0);
    assert_int_equal(token_of(a, landed), 1);
    assert_status(b, second, 0);
    assert_string_equal(got(b, second)->output, "value");
    assert_int_equal(token_of(b, second), EIO);
    assert_status(c, third, 0);
    assert_string_equal(got(c, third)->output, "value");
    assert_no_syncs(rig);
    runner = begin(b, SYNC_FLIGHT);
    assert_status(b, runner, GRANT_RUN);
    landed = land(b, runner, "", 0);
    assert_int_equal(token_of(b, landed), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_SF2_forget_begins_a_new_flight_and_the_old_end_is_for_the_old_callers(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t old = begin(a, SYNC_FLIGHT), follows = begin(b, SYNC_FLIGHT), new, late;

    assert_status(c, reset_of(c, SYNC_FLIGHT, "x"), 0);
    new = begin(c, SYNC_FLIGHT);
    assert_status(c, new, GRANT_RUN);
    late = begin(b, SYNC_FLIGHT);
    assert_waits(b, late);
    assert_status(a, land(a, old, "old", 0), 0);
    assert_string_equal(got(b, follows)->output, "old");
    assert_waits(b, late);
    assert_status(c, land(c, new, "new", 0), 0);
    assert_string_equal(got(b, late)->output, "new");
    assert_status(a, land(a, old, "old", 0), -EPERM);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_SF3_the_death_of_the_runner_is_an_error_of_all_and_nobody_runs_it_again(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t follows;

    begin(a, SYNC_FLIGHT);
    follows = begin(b, SYNC_FLIGHT);
    client_die(a);
    assert_status(b, follows, -EOWNERDEAD);
    assert_no_syncs(rig);
    assert_status(b, begin(b, SYNC_FLIGHT), GRANT_RUN);
    client_bye(b);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_SF3_an_old_flight_dies_with_its_runner_too(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t follows;

    begin(a, SYNC_FLIGHT);
    follows = begin(b, SYNC_FLIGHT);
    reset_of(b, SYNC_FLIGHT, "x");
    client_die(a);
    assert_status(b, follows, -EOWNERDEAD);
    assert_no_syncs(rig);
    rig_delete(rig);
}

/* ---- conditions ---- */

static uint64_t cond_wait(struct client *c, uint64_t token)
{
    return client_do(c,
                     (struct request){.verb = VERB_COND_WAIT, .cond_wait = {named("c"), named("m"), token}});
}

static uint64_t cond_signal(struct client *c, uint32_t flags)
{
    return client_do(c, (struct request){.verb = VERB_COND_SIGNAL, .cond_signal = {named("c"), flags}});
}

static uint64_t unlock_of(struct client *c, uint64_t op, uint32_t flags)
{
    return client_do(c,
                     (struct request){.verb = VERB_UNLOCK, .unlock = {named("m"), token_of(c, op), flags}});
}

/* Locks and waits. */
static uint64_t lock_and_wait(struct client *c)
{
    return cond_wait(c, token_of(c, lock_of(c, "m")));
}

static void test_K1_wait_gives_the_lock_up_and_comes_back_with_it(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t waits = lock_and_wait(a), held = lock_of(b, "m"), signal;

    assert_waits(a, waits);
    assert_status(b, held, 0);
    signal = cond_signal(b, 0);
    assert_int_equal(token_of(b, signal), 1);
    assert_waits(a, waits);
    assert_status(b, unlock_of(b, held, 0), 0);
    assert_status(a, waits, 0);
    assert_true(token_of(a, waits) > token_of(b, held));
    assert_status(b, lock_of(at_once(b), "m"), -EAGAIN);
    assert_status(a, unlock_of(a, waits, 0), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_K1_only_the_owner_may_wait_and_with_one_lock(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t held = lock_of(a, "m"), other = lock_of(b, "other"), op;

    assert_status(b, cond_wait(b, token_of(a, held)), -EPERM);
    assert_status(a, cond_wait(a, 1), -ESTALE);
    assert_status(a, cond_wait(at_once(a), token_of(a, held)), -EAGAIN);
    assert_int_equal(rig_stat(rig, "syncs"), 2);
    cond_wait(a, token_of(a, held));
    op = client_do(b, (struct request){.verb = VERB_COND_WAIT,
                                       .cond_wait = {named("c"), named("other"), token_of(b, other)}});
    assert_status(b, op, -EEXIST);
    assert_string_equal(got(b, op)->text, "condition c is bound to lock m");
    rig_delete(rig);
}

static void test_K2_signal_wakes_the_longest_waiter_and_is_not_remembered(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t first, second;

    assert_int_equal(token_of(b, cond_signal(b, 0)), 0);
    first = lock_and_wait(a);
    second = lock_and_wait(b);
    assert_waits(a, first);
    cond_signal(b, 0);
    assert_status(a, first, 0);
    assert_waits(b, second);
    assert_status(a, unlock_of(a, first, 0), 0);
    assert_waits(b, second);
    rig_delete(rig);
}

static void test_K3_broadcast_wakes_those_that_wait_already(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock_and_wait(a), second = lock_and_wait(b), held = lock_of(c, "m"), later;

    assert_int_equal(token_of(c, cond_signal(c, SIGNAL_ALL)), 2);
    later = cond_wait(c, token_of(c, held));
    assert_status(a, first, 0);
    assert_status(a, unlock_of(a, first, 0), 0);
    assert_status(b, second, 0);
    assert_status(b, unlock_of(b, second, 0), 0);
    assert_waits(c, later);
    rig_delete(rig);
}

static void test_K1_a_deadline_before_the_signal_ends_the_wait_without_the_lock(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t token = token_of(a, lock_of(a, "m")), late = cond_wait(within(a, SECOND), token),
             stopped = lock_and_wait(b);

    cancel(b, stopped);
    assert_status(b, stopped, -ECANCELED);
    assert_true(token_of(b, stopped) != 0);
    rig_after(rig, SECOND);
    assert_status(a, late, -ETIMEDOUT);
    assert_int_equal(token_of(a, late), token);
    assert_no_syncs(rig);
    token = token_of(a, lock_of(a, "m"));
    late = cond_wait(within(a, -1), token);
    assert_status(a, late, -ETIMEDOUT);
    assert_int_equal(token_of(a, late), 0);
    assert_status(b, lock_of(at_once(b), "m"), -EAGAIN);
    rig_delete(rig);
}

static void test_K1_once_signalled_neither_deadline_nor_cancel_ends_it(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t token = token_of(a, lock_of(a, "m")), waits = cond_wait(within(a, SECOND), token),
             held = lock_of(b, "m");

    cond_signal(b, 0);
    cancel(a, waits);
    rig_after(rig, 2LL * SECOND);
    assert_waits(a, waits);
    assert_status(b, unlock_of(b, held, 0), 0);
    assert_status(a, waits, 0);
    rig_delete(rig);
}

static void test_K2_a_signal_for_a_dead_waiter_goes_to_the_next(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig), *d = client_new(rig);
    uint64_t first = lock_and_wait(a), second = lock_and_wait(b), third = lock_and_wait(c),
             held = lock_of(d, "m");

    client_die(a);
    assert_int_equal(token_of(d, cond_signal(d, 0)), 1); /* b */
    client_die(b);
    assert_status(d, unlock_of(d, held, 0), 0);
    assert_waits(a, first);
    assert_waits(b, second);
    assert_status(c, third, 0);
    rig_delete(rig);
}

static void test_IP4_a_signal_whose_lock_was_not_acknowledged_goes_to_the_next(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock_and_wait(a), second = lock_and_wait(b);

    cond_signal(c, 0);
    assert_status(a, first, 0);
    client_die(a);
    assert_status(b, second, GRANT_OWNER_DIED);
    rig_delete(rig);
}

static void test_IP4_a_signal_whose_lock_was_acknowledged_does_not(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock_and_wait(a), second = lock_and_wait(b);

    cond_signal(c, 0);
    assert_status(a, first, 0);
    ack(a, first, 0);
    client_die(a);
    assert_waits(b, second);
    rig_delete(rig);
}

static void test_IP4_a_broken_lock_is_told_to_who_is_signalled(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock_and_wait(a), second = lock_and_wait(b), held = lock_of(c, "m");

    ack(c, held, 0);
    client_die(c);
    c = client_new(rig);
    held = lock_of(c, "m");
    assert_status(c, held, GRANT_OWNER_DIED);
    cond_signal(c, 0);
    assert_status(c, unlock_of(c, held, 0), 0);
    assert_status(a, first, -ENOTRECOVERABLE);
    assert_waits(b, second);
    cond_signal(c, 0);
    assert_status(b, second, -ENOTRECOVERABLE);
    rig_delete(rig);
}

static void test_without_memory_nothing_happens(void **state)
{
    for (long n = 1; n < 70; n++) {
        struct rig *rig = rig_new();
        struct client *a = client_new(rig), *b = client_new(rig);
        uint64_t op;

        rig->fail_from = rig->allocs + n;
        rig->fail_to = rig->fail_from + 1;
        op = begin(a, SYNC_FLIGHT);
        begin(b, SYNC_FLIGHT);
        if (status_if(a, op) == GRANT_RUN)
            land(a, op, "value", 0);
        op = lock_of(a, "m");
        if (status_if(a, op) == 0)
            cond_wait(a, token_of(a, op));
        cond_signal(b, 0);
        client_die(a);
        client_die(b);
        rig->fail_to = 0;
        rig_after(rig, 9LL * SECOND);
        rig_delete(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_O1_one_runs_and_the_others_wait_for_its_end),
        cmocka_unit_test(test_O2_a_failure_is_told_to_every_caller_until_a_reset),
        cmocka_unit_test(test_O2_so_is_the_death_of_the_runner),
        cmocka_unit_test(test_IP1_3_a_runner_that_never_heard_of_it_did_not_run),
        cmocka_unit_test(test_SF1_all_callers_get_the_value_and_error_of_one),
        cmocka_unit_test(test_SF2_forget_begins_a_new_flight_and_the_old_end_is_for_the_old_callers),
        cmocka_unit_test(test_SF3_the_death_of_the_runner_is_an_error_of_all_and_nobody_runs_it_again),
        cmocka_unit_test(test_SF3_an_old_flight_dies_with_its_runner_too),
        cmocka_unit_test(test_K1_wait_gives_the_lock_up_and_comes_back_with_it),
        cmocka_unit_test(test_K1_only_the_owner_may_wait_and_with_one_lock),
        cmocka_unit_test(test_K2_signal_wakes_the_longest_waiter_and_is_not_remembered),
        cmocka_unit_test(test_K3_broadcast_wakes_those_that_wait_already),
        cmocka_unit_test(test_K1_a_deadline_before_the_signal_ends_the_wait_without_the_lock),
        cmocka_unit_test(test_K1_once_signalled_neither_deadline_nor_cancel_ends_it),
        cmocka_unit_test(test_K2_a_signal_for_a_dead_waiter_goes_to_the_next),
        cmocka_unit_test(test_IP4_a_signal_whose_lock_was_not_acknowledged_goes_to_the_next),
        cmocka_unit_test(test_IP4_a_signal_whose_lock_was_acknowledged_does_not),
        cmocka_unit_test(test_IP4_a_broken_lock_is_told_to_who_is_signalled),
        cmocka_unit_test(test_without_memory_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
