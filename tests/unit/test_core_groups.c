/* Named wait groups, counters, barriers and error groups between processes: A, E. */
#include "context_fixture.h"

/* ---- wait groups ---- */

static uint64_t add_with(struct client *c, int64_t units, uint32_t flags)
{
    return add_of(c, (struct request_sync_add){SYNC_WAITGROUP, named("wg"), units, flags});
}

static uint64_t add(struct client *c, int64_t units)
{
    return add_with(c, units, 0);
}

static uint64_t claim(struct client *c, uint64_t units)
{
    return take_of(c, (struct request_sync_take){SYNC_WAITGROUP, named("wg"), .units = units});
}

static uint64_t done(struct client *c, uint64_t units)
{
    return give_of(c, (struct request_sync_give){SYNC_WAITGROUP, named("wg"), .units = units});
}

static uint64_t wait_round(struct client *c, uint64_t round)
{
    return wait_of(c, (struct request_sync_wait){SYNC_WAITGROUP, named("wg"), .round = round});
}

static uint64_t wait_for(struct client *c)
{
    return wait_round(c, 0);
}

static void test_A1_wait_returns_at_0_at_once_and_never_earlier(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t first, second;

    assert_status(a, wait_for(a), 0);
    assert_status(a, add(a, 2), 0);
    first = wait_for(a);
    second = wait_for(b);
    assert_status(b, wait_for(at_once(b)), -EAGAIN);
    assert_status(a, done(a, 1), 0);
    assert_waits(a, first);
    assert_waits(b, second);
    assert_status(a, done(a, 1), 0);
    assert_status(a, first, 0);
    assert_status(b, second, 0);
    assert_status(b, wait_for(b), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_A2_a_negative_counter_is_found_and_nothing_changes(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t waits;

    add(a, 2);
    waits = wait_for(a);
    assert_status(a, done(a, 3), -EINVAL);
    assert_status(a, done(a, 0), -EINVAL);
    assert_status(a, add(a, 0), -EINVAL);
    assert_status(a, add(a, -1), -EINVAL);
    assert_waits(a, waits);
    assert_status(a, done(a, 2), 0);
    assert_status(a, waits, 0);
    assert_status(a, done(a, 1), -EINVAL);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_A3_rounds_have_numbers_and_an_old_one_is_not_waited_for(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t first = add(a, 1), round = token_of(a, first), second, waits;

    assert_status(a, done(a, 1), 0);
    second = add(a, 1);
    assert_true(token_of(a, second) > round);
    assert_status(b, wait_round(b, round), 0);
    waits = wait_round(b, token_of(a, second));
    assert_waits(b, waits);
    assert_int_equal(token_of(a, add(a, 1)), token_of(a, second));
    assert_status(a, done(a, 2), 0);
    assert_status(b, waits, 0);
    rig_delete(rig);
}

static void test_A4_units_of_the_dead_are_settled_and_told(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t waits;

    add(a, 3);
    add(b, 1);
    waits = wait_for(c);
    assert_status(a, done(a, 1), 0);
    client_die(a);
    assert_waits(c, waits);
    assert_status(b, done(b, 1), 0);
    assert_status(c, waits, -EOWNERDEAD);
    assert_int_equal(token_of(c, waits), 2);
    assert_status(b, wait_for(b), -EOWNERDEAD);
    assert_status(b, add(b, 1), 0);
    assert_status(b, done(b, 1), 0);
    assert_status(b, wait_for(b), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_A4_a_reset_forgets_the_dead_of_a_round_that_is_over(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);

    add(a, 1);
    assert_status(b, reset_of(b, SYNC_WAITGROUP, "wg"), -EBUSY);
    client_die(a);
    assert_status(b, wait_for(b), -EOWNERDEAD);
    assert_status(b, reset_of(b, SYNC_WAITGROUP, "wg"), 0);
    assert_status(b, wait_for(b), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_A4_done_settles_own_units_then_detached_ones_never_anothers(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t waits;

    add(a, 1);
    add_with(a, 1, ADD_DETACHED);
    add(b, 1);
    assert_status(a, done(a, 2), 0);
    assert_status(a, done(a, 1), -EPERM);
    waits = wait_for(c);
    client_die(b);
    assert_status(c, waits, -EOWNERDEAD);
    assert_int_equal(token_of(c, waits), 1);
    rig_delete(rig);
}

static void test_A4_who_claims_detached_units_answers_for_them(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t waits, op;

    add_with(a, 3, ADD_DETACHED);
    waits = wait_for(c);
    client_die(a);
    assert_waits(c, waits);
    assert_status(b, claim(b, 4), -EAGAIN);
    op = claim(b, 2);
    assert_status(b, op, 0);
    assert_status(
        b,
        give_of(b, (struct request_sync_give){SYNC_WAITGROUP, named("wg"), .units = 1, .flags = GIVE_UNSEEN}),
        0);
    assert_status(c, done(c, 2), 0);
    assert_waits(c, waits);
    client_die(b);
    assert_status(c, waits, -EOWNERDEAD);
    assert_int_equal(token_of(c, waits), 1);
    rig_delete(rig);
}

static void test_limit_group_detached_s_detached_units_do_not_live_for_ever(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    struct rig *rig;
    struct client *a, *b;
    uint64_t waits;

    limits.group_detached_s = 10;
    rig = rig_with(&limits, 1);
    a = client_new(rig);
    b = client_new(rig);
    add_with(a, 2, ADD_DETACHED);
    client_bye(a);
    waits = wait_for(b);
    rig_after(rig, 9LL * SECOND);
    assert_status(b, done(b, 1), 0);
    rig_after(rig, 9LL * SECOND);
    assert_waits(b, waits);
    rig_after(rig, 1LL * SECOND);
    assert_status(b, waits, -EOWNERDEAD);
    assert_int_equal(token_of(b, waits), 1);
    rig_delete(rig);
}

static void test_limit_group_units_max(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    struct rig *rig;
    struct client *a;

    limits.group_units_max = 3;
    rig = rig_with(&limits, 1);
    a = client_new(rig);
    assert_status(a, add(a, 4), -ENOBUFS);
    assert_status(a, add(a, 2), 0);
    assert_status(a, add_with(a, 2, ADD_DETACHED), -ENOBUFS);
    assert_status(a, add(a, 1), 0);
    rig_delete(rig);
}

/* ---- counters ---- */

static uint64_t count(struct client *c, int64_t delta)
{
    return add_of(c, (struct request_sync_add){SYNC_COUNTER, named("n"), delta});
}

static uint64_t count_wait(struct client *c, int64_t least)
{
    return wait_of(c, (struct request_sync_wait){SYNC_COUNTER, named("n"), .value = least});
}

static void test_a_counter_frees_who_waits_for_no_more_than_it_is(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t three, five;

    assert_status(a, count_wait(a, 0), 0);
    assert_status(a, count_wait(at_once(a), 1), -EAGAIN);
    five = count_wait(b, 5);
    three = count_wait(b, 3);
    assert_int_equal((int64_t)token_of(a, count(a, -1)), -1);
    assert_int_equal(token_of(a, count(a, 4)), 3);
    assert_status(b, three, 0);
    assert_int_equal(token_of(b, three), 3);
    assert_waits(b, five);
    client_die(a);
    assert_int_equal(token_of(b, count(b, 3)), 6);
    assert_status(b, five, 0);
    assert_status(b, count(b, INT64_MAX), -E2BIG);
    assert_int_equal(token_of(b, count(b, 0)), 6);
    assert_status(b, reset_of(b, SYNC_COUNTER, "n"), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_a_counter_frees_all_at_once_whom_it_suffices(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t two = count_wait(a, 2), three = count_wait(b, 3);

    count(a, 3);
    assert_status(a, two, 0);
    assert_status(b, three, 0);
    rig_delete(rig);
}

/* ---- barriers ---- */

static uint64_t meet(struct client *c, int64_t parties)
{
    return wait_of(c, (struct request_sync_wait){SYNC_BARRIER, named("b"), .value = parties});
}

static void test_a_barrier_opens_when_all_are_there_round_after_round(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);

    for (int round = 0; round < 3; round++) {
        uint64_t first = meet(a, 3), second = meet(b, 3), third;

        assert_waits(a, first);
        assert_status(c, meet(c, 2), -EEXIST);
        third = meet(c, 3);
        assert_status(a, first, 0);
        assert_status(b, second, 0);
        assert_status(c, third, WAIT_LAST);
        assert_int_equal(token_of(a, first), token_of(c, third));
        assert_no_syncs(rig);
    }
    assert_status(a, meet(a, 1), WAIT_LAST);
    assert_status(a, meet(a, 0), -EINVAL);
    assert_status(a, meet(at_once(a), 2), -EAGAIN);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_who_gives_up_or_dies_at_a_barrier_does_not_count(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t late = meet(within(a, SECOND), 2), first;

    rig_after(rig, SECOND);
    assert_status(a, late, -ETIMEDOUT);
    meet(b, 2);
    client_die(b);
    first = meet(a, 2);
    assert_waits(a, first);
    assert_status(c, meet(c, 2), WAIT_LAST);
    assert_status(a, first, 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

/* ---- error groups ---- */

static uint64_t start(struct client *c, uint64_t limit)
{
    return take_of(c, (struct request_sync_take){SYNC_ERRGROUP, named("eg"), .size = limit});
}

static uint64_t end(struct client *c, int32_t error)
{
    return give_of(c, (struct request_sync_give){SYNC_ERRGROUP, named("eg"), .error = error});
}

static uint64_t wait_group(struct client *c)
{
    return wait_of(c, (struct request_sync_wait){SYNC_ERRGROUP, named("eg")});
}

static void test_E1_wait_waits_for_all_and_tells_the_first_error(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t waits;

    assert_status(a, wait_group(a), 0);
    start(a, 0);
    start(b, 0);
    start(b, 0);
    waits = wait_group(a);
    assert_status(b, end(b, -EIO), 0);
    assert_status(b, end(b, -ENOENT), 0);
    assert_status(b, end(b, 0), -EPERM);
    assert_status(a, end(a, 1), -EINVAL);
    assert_waits(a, waits);
    assert_status(a, end(a, 0), 0);
    assert_status(a, waits, WAIT_FAILED);
    assert_int_equal(token_of(a, waits), EIO);
    assert_status(b, wait_group(b), WAIT_FAILED);
    start(b, 0);
    assert_status(b, end(b, 0), 0);
    assert_status(b, wait_group(b), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_E1_all_that_wait_are_told_of_the_end(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first, second;

    start(a, 0);
    first = wait_group(b);
    second = wait_group(c);
    assert_status(a, end(a, -EIO), 0);
    assert_status(b, first, WAIT_FAILED);
    assert_status(c, second, WAIT_FAILED);
    rig_delete(rig);
}

static void test_E1_the_death_of_a_members_client_is_its_error(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t waits;

    start(a, 0);
    waits = wait_group(b);
    client_die(a);
    assert_status(b, waits, WAIT_FAILED);
    assert_int_equal(token_of(b, waits), EOWNERDEAD);
    assert_status(b, reset_of(b, SYNC_ERRGROUP, "eg"), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_E1_a_member_whose_start_nobody_saw_did_not_fail_by_a_death(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);

    start(a, 1);
    start(b, 1);
    client_cut(b);
    assert_status(a, end(a, 0), 0);
    client_die(b); /* its slot came, and the word of it never left */
    assert_status(a, wait_group(a), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_E3_a_member_waits_for_a_slot_which_the_dead_free(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t second, third;

    assert_status(a, start(a, 1), 0);
    assert_status(b, start(at_once(b), 1), -EAGAIN);
    assert_status(b, start(b, 2), -EEXIST);
    second = start(b, 1);
    third = start(c, 1);
    assert_waits(b, second);
    client_die(a);
    assert_status(b, second, 0);
    assert_waits(c, third);
    assert_status(b, end(b, 0), 0);
    assert_status(c, third, 0);
    assert_status(c, reset_of(c, SYNC_ERRGROUP, "eg"), -EBUSY);
    rig_delete(rig);
}

static void test_IP1_3_a_member_that_was_never_seen_did_not_fail(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);

    start(a, 0);
    assert_status(a,
                  give_of(a, (struct request_sync_give){SYNC_ERRGROUP, named("eg"), .flags = GIVE_UNSEEN,
                                                        .error = -EIO}),
                  0);
    assert_status(a, wait_group(a), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

/* ---- the context of a group ---- */

static uint64_t group_ctx(struct client *c)
{
    return ctx(c, (struct request_ctx_new){.group = named("eg")});
}

static void test_E2_the_first_error_ends_the_context_and_is_its_cause(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t context = group_ctx(a), below_it = below(a, context), seen = watch(b, context), ends;

    start(a, 0);
    start(b, 0);
    assert_status(b, make(b, (struct request_ctx_new){.group = named("eg")}), -EEXIST);
    uint64_t silent = chan(a, "silent", 0), waits = recv1(under(a, below_it), silent);
    assert_waits(a, waits);
    ends = end(b, -EIO);
    assert_status(b, ends, 0);
    assert_int_equal(later_than(b, seen),
                     1 + 1); /* the end of the context, of the receive, then that of the call */
    assert_status(a, waits, -ECANCELED);
    assert_int_equal(look(a, context)->ctx.code, -EIO);
    assert_string_equal(look(a, context)->ctx_text, "a member of error group eg ended with -5");
    assert_status(a, end(a, -ENOENT), 0);
    assert_int_equal(look(a, below_it)->ctx.code, -EIO);
    assert_status(a, make(a, (struct request_ctx_new){.group = named("eg")}),
                  CTX_OVER); /* nobody has heard of it */
    assert_status(a, wait_group(a), WAIT_FAILED);
    assert_int_equal(end_of(a, group_ctx(a)), 0); /* the next round's */
    rig_delete(rig);
}

static void test_E2_the_context_ends_when_wait_returns(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t context = group_ctx(a), seen = watch(b, context), waits;

    start(a, 0);
    waits = wait_group(b);
    assert_status(a, end(a, 0), 0);
    assert_status(b, waits, 0);
    assert_int_equal(look(b, context)->ctx.code, -ECANCELED);
    assert_true(later_than(b, seen) > later_than(b, waits)); /* X1 */
    context = group_ctx(a);
    assert_status(b, wait_group(b), 0);
    assert_int_equal(end_of(a, context), -ECANCELED);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_E2_a_death_ends_the_context_of_the_group(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t context = group_ctx(a);

    start(b, 0);
    client_die(b);
    assert_int_equal(look(a, context)->ctx.code, -EOWNERDEAD);
    assert_string_equal(look(a, context)->ctx_text, "a member of error group eg ended with -130");
    assert_status(a, reset_of(a, SYNC_ERRGROUP, "eg"), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_E2_a_group_stays_while_its_context_lives_and_no_longer(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t context = group_ctx(a);

    assert_int_equal(rig_stat(rig, "syncs"), 1);
    assert_status(a, cancel_ctx(a, context), 1);
    assert_no_syncs(rig);
    ctx(b, (struct request_ctx_new){.group = named("eg"), .deadline = UNTIL_IN, .deadline_ns = SECOND});
    rig_after(rig, SECOND);
    assert_no_syncs(rig);
    group_ctx(b);
    client_die(b);
    assert_no_syncs(rig);
    assert_status(a, add(a, 1), 0);
    assert_status(a, make(a, (struct request_ctx_new){.group = named("wg")}), -EEXIST);
    rig_delete(rig);
}

static void test_without_memory_nothing_happens(void **state)
{
    for (long n = 1; n < 60; n++) {
        struct rig *rig = rig_new();
        struct client *a = client_new(rig), *b = client_new(rig);

        rig->fail_from = rig->allocs + n;
        rig->fail_to = rig->fail_from + 1;
        add(a, 1);
        wait_for(b);
        count_wait(b, 1);
        meet(b, 2);
        make(a, (struct request_ctx_new){.group = named("eg")});
        start(a, 1);
        start(b, 1);
        client_die(a);
        client_die(b);
        rig->fail_to = 0;
        reset_of(client_new(rig), SYNC_WAITGROUP, "wg");
        reset_of(client_new(rig), SYNC_ERRGROUP, "eg");
        assert_no_syncs(rig);
        rig_delete(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_A1_wait_returns_at_0_at_once_and_never_earlier),
        cmocka_unit_test(test_A2_a_negative_counter_is_found_and_nothing_changes),
        cmocka_unit_test(test_A3_rounds_have_numbers_and_an_old_one_is_not_waited_for),
        cmocka_unit_test(test_A4_units_of_the_dead_are_settled_and_told),
        cmocka_unit_test(test_A4_a_reset_forgets_the_dead_of_a_round_that_is_over),
        cmocka_unit_test(test_A4_done_settles_own_units_then_detached_ones_never_anothers),
        cmocka_unit_test(test_A4_who_claims_detached_units_answers_for_them),
        cmocka_unit_test(test_limit_group_detached_s_detached_units_do_not_live_for_ever),
        cmocka_unit_test(test_limit_group_units_max),
        cmocka_unit_test(test_a_counter_frees_who_waits_for_no_more_than_it_is),
        cmocka_unit_test(test_a_counter_frees_all_at_once_whom_it_suffices),
        cmocka_unit_test(test_a_barrier_opens_when_all_are_there_round_after_round),
        cmocka_unit_test(test_who_gives_up_or_dies_at_a_barrier_does_not_count),
        cmocka_unit_test(test_E1_wait_waits_for_all_and_tells_the_first_error),
        cmocka_unit_test(test_E1_all_that_wait_are_told_of_the_end),
        cmocka_unit_test(test_E1_the_death_of_a_members_client_is_its_error),
        cmocka_unit_test(test_E1_a_member_whose_start_nobody_saw_did_not_fail_by_a_death),
        cmocka_unit_test(test_E3_a_member_waits_for_a_slot_which_the_dead_free),
        cmocka_unit_test(test_IP1_3_a_member_that_was_never_seen_did_not_fail),
        cmocka_unit_test(test_E2_the_first_error_ends_the_context_and_is_its_cause),
        cmocka_unit_test(test_E2_the_context_ends_when_wait_returns),
        cmocka_unit_test(test_E2_a_death_ends_the_context_of_the_group),
        cmocka_unit_test(test_E2_a_group_stays_while_its_context_lives_and_no_longer),
        cmocka_unit_test(test_without_memory_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
