/* Named locks between processes: M, IP4. */
#include "core_fixture.h"

static struct limits one_timer_a_turn = LIMITS_DEFAULT;

static uint64_t lock_with(struct client *c, const char *name, uint32_t flags)
{
    return client_do(c, (struct request){.verb = VERB_LOCK, .lock = {{name, strlen(name)}, flags}});
}

static uint64_t lock(struct client *c, const char *name)
{
    return lock_with(c, name, 0);
}

static uint64_t unlock_with(struct client *c, const char *name, uint64_t token, uint32_t flags)
{
    return client_do(c,
                     (struct request){.verb = VERB_UNLOCK, .unlock = {{name, strlen(name)}, token, flags}});
}

static uint64_t token_of(struct client *c, uint64_t op)
{
    assert_non_null(got(c, op));
    return got(c, op)->handle;
}

static void test_M1_a_second_owner_waits_and_M2_they_get_it_in_order(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock(a, "m"), second = lock(b, "m"), third = lock(c, "m");

    assert_status(a, first, 0);
    assert_waits(b, second);
    assert_status(a, unlock_with(a, "m", token_of(a, first), 0), 0);
    assert_status(b, second, 0);
    assert_waits(c, third);
    assert_true(token_of(b, second) > token_of(a, first));
    assert_status(b, unlock_with(b, "m", token_of(b, second), 0), 0);
    assert_status(c, third, 0);
    assert_status(c, unlock_with(c, "m", token_of(c, third), 0), 0);
    assert_int_equal(rig_stat(rig, "locks"), 0);
    rig_delete(rig);
}

/* More timers are due than a turn runs: those of other locks come first. */
static void test_IP1_a_waiter_past_its_deadline_is_never_granted_the_lock(void **state)
{
    struct rig *rig = rig_with(&one_timer_a_turn, 1);
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t held = lock(a, "m"), other = lock(a, "other");
    uint64_t earlier = lock(within(b, 1000), "other"), late = lock(within(b, 2000), "m"),
             later = lock(within(b, 2000), "m"), patient = lock(c, "m");

    rig->now.mono_ns += 5000;
    assert_status(a, unlock_with(a, "m", token_of(a, held), 0), 0);
    assert_status(b, earlier, -ETIMEDOUT);
    assert_status(b, late, -ETIMEDOUT);
    assert_status(b, later, -ETIMEDOUT);
    assert_status(c, patient, 0);
    assert_status(c, unlock_with(c, "m", token_of(c, patient), 0), 0);
    assert_status(a, unlock_with(a, "other", token_of(a, other), 0), 0);
    assert_int_equal(rig_stat(rig, "locks"), 0);
    rig_delete(rig);
}

/* All that wait are late: the lock is free. One that would come behind the recovery is late, too. */
static void test_IP1_a_lock_whose_waiters_are_all_late_is_free_or_broken(void **state)
{
    struct rig *rig = rig_with(&one_timer_a_turn, 1);
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t held = lock(a, "m"), other = lock(a, "other");

    lock(within(b, 1000), "other");
    uint64_t late = lock(within(b, 2000), "m"), later = lock(within(c, 2000), "m");
    rig->now.mono_ns += 5000;
    assert_status(a, unlock_with(a, "m", token_of(a, held), 0), 0);
    assert_status(b, late, -ETIMEDOUT);
    assert_status(c, later, -ETIMEDOUT);
    assert_int_equal(rig_stat(rig, "locks"), 1);
    assert_status(a, unlock_with(a, "other", token_of(a, other), 0), 0);
    assert_int_equal(rig_stat(rig, "locks"), 0);
    rig_delete(rig);
}

/* Behind one that is told of the broken lock stands one that would recover it, too late. */
static void test_IP1_a_late_waiter_behind_one_that_does_not_recover_is_told_so(void **state)
{
    struct rig *rig = rig_with(&one_timer_a_turn, 1);
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock(a, "m"), other = lock(c, "other"), second = lock(b, "m");

    client_die(a);
    assert_status(a, first, 0);
    assert_status(b, second, GRANT_OWNER_DIED);
    for (int i = 0; i < 3; i++)
        lock(within(b, 1000), "other");
    uint64_t plain = lock(c, "m"), late = lock_with(within(c, 2000), "m", LOCK_RECOVER),
             recovers = lock_with(c, "m", LOCK_RECOVER);
    rig->now.mono_ns += 5000;
    assert_status(b, unlock_with(b, "m", token_of(b, second), 0), 0);
    assert_status(c, plain, -ENOTRECOVERABLE);
    assert_status(c, late, -ETIMEDOUT);
    assert_status(c, recovers, GRANT_OWNER_DIED);
    assert_status(c, unlock_with(c, "other", token_of(c, other), 0), 0);
    rig_delete(rig);
}

static void test_M1_trylock_is_final(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t first = lock(at_once(a), "m"), second = lock(at_once(b), "m");

    assert_status(a, first, 0);
    assert_status(b, second, -EAGAIN);
    rig_delete(rig);
}

static void test_M3_only_the_owner_with_its_token_unlocks(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t token = token_of(a, lock(a, "m")), again;

    assert_status(b, unlock_with(b, "m", token, 0), -EPERM);
    assert_status(a, unlock_with(a, "m", token + 1, 0), -ESTALE);
    assert_status(a, unlock_with(a, "m", token, 0), 0);
    again = token_of(a, lock(a, "m"));
    assert_status(a, unlock_with(a, "m", token, 0), -ESTALE);
    assert_status(a, unlock_with(a, "m", again, 0), 0);
    rig_delete(rig);
}

static void test_M4_unlocking_what_is_not_locked_is_refused(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);

    assert_status(a, unlock_with(a, "never", 1, 0), -EPERM);
    rig_delete(rig);
}

static void test_IP4_the_death_of_the_owner_is_told_to_the_next(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock(a, "m"), second = lock(b, "m"), third = lock(c, "m");

    ack(a, first, 0);
    client_die(a);
    assert_status(b, second, GRANT_OWNER_DIED);
    assert_status(b, unlock_with(b, "m", token_of(b, second), UNLOCK_CONSISTENT), 0);
    assert_status(c, third, 0);
    rig_delete(rig);
}

static void test_IP4_a_grant_nobody_saw_goes_back_silently(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock(a, "m"), second = lock(b, "m"), third = lock(c, "m");

    client_cut(b);
    assert_status(a, unlock_with(a, "m", token_of(a, first), 0), 0);
    assert_waits(b, second);
    client_die(b);
    assert_status(c, third, 0);
    rig_delete(rig);
}

/* The client library acknowledges up to 50 ms later. */
static void test_IP4_an_owner_killed_5_ms_after_its_grant_left_is_told_to_the_next(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t first = lock(a, "m"), second = lock(b, "m");

    assert_status(a, first, 0);
    rig_after(rig, 5 * MS);
    client_die(a);
    assert_status(b, second, GRANT_OWNER_DIED);
    rig_delete(rig);
}

/* Nobody can take it but who recovers it. */
static void break_lock(struct client *owner, struct client *heir)
{
    uint64_t op = lock(owner, "m");

    assert_status(owner, op, 0);
    client_die(owner);
    op = lock(heir, "m");
    assert_status(heir, op, GRANT_OWNER_DIED);
    assert_status(heir, unlock_with(heir, "m", token_of(heir, op), 0), 0);
    assert_status(heir, lock(heir, "m"), -ENOTRECOVERABLE);
}

static void test_IP4_a_recovery_given_back_unseen_leaves_the_lock_broken(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);

    break_lock(a, b);
    uint64_t op = lock_with(b, "m", LOCK_RECOVER);
    assert_status(b, op, GRANT_OWNER_DIED);
    assert_status(b, unlock_with(b, "m", token_of(b, op), UNLOCK_UNSEEN), 0);
    assert_status(b, lock(b, "m"), -ENOTRECOVERABLE);
    assert_status(b, lock_with(b, "m", LOCK_RECOVER), GRANT_OWNER_DIED);
    rig_delete(rig);
}

static void test_IP4_an_unlock_without_consistent_breaks_the_lock(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock(a, "m"), second, waiting, recovered;

    ack(a, first, 0);
    client_die(a);
    second = lock(b, "m");
    assert_status(b, second, GRANT_OWNER_DIED);
    waiting = lock(c, "m");
    assert_status(b, unlock_with(b, "m", token_of(b, second), 0), 0);
    assert_status(c, waiting, -ENOTRECOVERABLE);
    assert_status(c, lock(c, "m"), -ENOTRECOVERABLE);
    recovered = lock_with(c, "m", LOCK_RECOVER);
    assert_status(c, recovered, GRANT_OWNER_DIED);
    assert_status(c, unlock_with(c, "m", token_of(c, recovered), UNLOCK_CONSISTENT), 0);
    assert_status(b, lock(b, "m"), 0);
    rig_delete(rig);
}

/* Who asked to recover it need not ask again because it broke only while he waited. */
static void test_IP4_a_waiter_with_recover_takes_the_lock_that_breaks_meanwhile(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig), *d = client_new(rig);
    uint64_t first = lock(a, "m"), second = lock(b, "m"), before, recovers, behind;

    assert_status(a, first, 0);
    client_die(a);
    assert_status(b, second, GRANT_OWNER_DIED);
    before = lock(c, "m");
    recovers = lock_with(d, "m", LOCK_RECOVER);
    behind = lock(c, "m");
    assert_status(b, unlock_with(b, "m", token_of(b, second), 0), 0);
    assert_status(c, before, -ENOTRECOVERABLE);
    assert_status(d, recovers, GRANT_OWNER_DIED);
    assert_waits(c, behind);
    assert_status(d, unlock_with(d, "m", token_of(d, recovers), UNLOCK_CONSISTENT), 0);
    assert_status(c, behind, 0);
    rig_delete(rig);
}

/* A recovery that nobody saw leaves the lock broken: the next that recovers has it, the others in between hear. */
static void test_IP4_a_recovery_given_back_unseen_goes_to_the_next_that_recovers(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t op, plain, recovers;

    break_lock(a, b);
    op = lock_with(b, "m", LOCK_RECOVER);
    assert_status(b, op, GRANT_OWNER_DIED);
    plain = lock(c, "m");
    recovers = lock_with(c, "m", LOCK_RECOVER);
    assert_status(b, unlock_with(b, "m", token_of(b, op), UNLOCK_UNSEEN), 0);
    assert_status(c, plain, -ENOTRECOVERABLE);
    assert_status(c, recovers, GRANT_OWNER_DIED);
    rig_delete(rig);
}

static void test_IP1_3_a_grant_given_back_unseen_keeps_the_news_of_the_death(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t first = lock(a, "m"), second;

    ack(a, first, 0);
    client_die(a);
    second = lock(b, "m");
    assert_status(b, unlock_with(b, "m", token_of(b, second), UNLOCK_UNSEEN), 0);
    assert_status(b, lock(b, "m"), GRANT_OWNER_DIED);
    rig_delete(rig);
}

static void test_F2_a_dead_waiter_is_passed_over(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock(a, "m"), third;

    lock(b, "m");
    third = lock(c, "m");
    client_die(b);
    assert_status(a, unlock_with(a, "m", token_of(a, first), 0), 0);
    assert_status(c, third, 0);
    rig_delete(rig);
}

static void test_SE1_deadline_and_cancel_leave_the_queue(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t first = lock(a, "m"), late, stopped;

    late = lock(within(b, SECOND), "m");
    stopped = lock(b, "m");
    cancel(b, stopped);
    assert_status(b, stopped, -ECANCELED);
    rig_after(rig, SECOND);
    assert_status(b, late, -ETIMEDOUT);
    assert_status(a, unlock_with(a, "m", token_of(a, first), 0), 0);
    assert_int_equal(rig_stat(rig, "locks"), 0);
    rig_delete(rig);
}

/* ---- from hand to hand ---- */

static uint64_t offer(struct client *c, uint64_t token)
{
    return unlock_with(c, "m", token, UNLOCK_OFFER);
}

static uint64_t claim(struct client *c, uint64_t token)
{
    return client_do(c, (struct request){.verb = VERB_LOCK, .lock = {{"m", 1}, LOCK_CLAIM, token}});
}

static void test_M3_another_session_has_the_lock_after_an_explicit_transfer_only(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t held = token_of(a, lock(a, "m")), waits = lock(c, "m"), mine;

    assert_status(b, unlock_with(b, "m", held, 0), -EPERM);
    assert_status(b, claim(b, held), -EPERM);
    assert_status(b, offer(b, held), -EPERM);
    assert_status(a, offer(a, held), 0);
    assert_status(b, claim(b, held + 1), -ESTALE);
    mine = claim(b, held);
    assert_status(b, mine, 0);
    assert_true(token_of(b, mine) > held);
    assert_status(c, claim(c, held), -ESTALE);
    assert_status(c, claim(c, token_of(b, mine)), -EPERM);
    assert_status(a, unlock_with(a, "m", held, 0), -ESTALE);
    client_die(a);
    assert_waits(c, waits); /* it is b's */
    assert_status(b, unlock_with(b, "m", token_of(b, mine), 0), 0);
    assert_status(c, waits, 0);
    assert_status(c, unlock_with(c, "m", token_of(c, waits), 0), 0);
    assert_status(b, claim(b, token_of(c, waits)), -EPERM);
    assert_int_equal(rig_stat(rig, "locks"), 0);
    rig_delete(rig);
}

static void test_M3_what_was_offered_and_not_claimed_stays_its_holders(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t held = token_of(a, lock(a, "m")), waits = lock(b, "m");

    assert_status(a, offer(a, held), 0);
    assert_waits(b, waits);
    client_die(a);
    assert_status(b, waits, GRANT_OWNER_DIED);
    assert_status(b, claim(b, token_of(b, waits)), -EPERM); /* the offer was that of another holder */
    rig_delete(rig);
}

static void test_M3_the_death_of_who_claimed_unseen_is_told(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t held = token_of(a, lock(a, "m")), waits = lock(c, "m"), mine;

    assert_status(a, offer(a, held), 0);
    mine = claim(b, held);
    assert_status(b, unlock_with(b, "m", token_of(b, mine), UNLOCK_UNSEEN), 0);
    assert_status(c, waits, GRANT_OWNER_DIED); /* a may have left it half done */
    assert_status(c, offer(c, token_of(c, waits)), 0);
    mine = claim(b, token_of(c, waits));
    assert_status(b, mine, GRANT_OWNER_DIED); /* nobody has answered for it yet */
    assert_status(b, unlock_with(b, "m", token_of(b, mine), 0), 0);
    assert_status(a, lock(a, "m"), -ENOTRECOVERABLE);
    rig_delete(rig);
}

static void test_limit_locks_max(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    struct rig *rig;
    struct client *a;
    uint64_t first;

    limits.locks_max = 1;
    rig = rig_with(&limits, 1);
    a = client_new(rig);
    first = lock(a, "one");
    assert_status(a, lock(a, "two"), -ENOBUFS);
    assert_status(a, unlock_with(a, "one", token_of(a, first), 0), 0);
    assert_status(a, lock(a, "two"), 0);
    rig_delete(rig);
}

static void test_a_forbidden_name_is_refused(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);

    assert_status(a, lock(a, ""), -EINVAL);
    assert_status(a, lock(a, "with space"), -EINVAL);
    rig_delete(rig);
}

int main(void)
{
    one_timer_a_turn.sweep_per_turn = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_M1_a_second_owner_waits_and_M2_they_get_it_in_order),
        cmocka_unit_test(test_IP1_a_waiter_past_its_deadline_is_never_granted_the_lock),
        cmocka_unit_test(test_IP1_a_lock_whose_waiters_are_all_late_is_free_or_broken),
        cmocka_unit_test(test_IP1_a_late_waiter_behind_one_that_does_not_recover_is_told_so),
        cmocka_unit_test(test_M1_trylock_is_final),
        cmocka_unit_test(test_M3_only_the_owner_with_its_token_unlocks),
        cmocka_unit_test(test_M4_unlocking_what_is_not_locked_is_refused),
        cmocka_unit_test(test_IP4_the_death_of_the_owner_is_told_to_the_next),
        cmocka_unit_test(test_IP4_a_grant_nobody_saw_goes_back_silently),
        cmocka_unit_test(test_IP4_an_owner_killed_5_ms_after_its_grant_left_is_told_to_the_next),
        cmocka_unit_test(test_IP4_a_recovery_given_back_unseen_leaves_the_lock_broken),
        cmocka_unit_test(test_IP4_an_unlock_without_consistent_breaks_the_lock),
        cmocka_unit_test(test_IP4_a_waiter_with_recover_takes_the_lock_that_breaks_meanwhile),
        cmocka_unit_test(test_IP4_a_recovery_given_back_unseen_goes_to_the_next_that_recovers),
        cmocka_unit_test(test_IP1_3_a_grant_given_back_unseen_keeps_the_news_of_the_death),
        cmocka_unit_test(test_F2_a_dead_waiter_is_passed_over),
        cmocka_unit_test(test_SE1_deadline_and_cancel_leave_the_queue),
        cmocka_unit_test(test_M3_another_session_has_the_lock_after_an_explicit_transfer_only),
        cmocka_unit_test(test_M3_what_was_offered_and_not_claimed_stays_its_holders),
        cmocka_unit_test(test_M3_the_death_of_who_claimed_unseen_is_told),
        cmocka_unit_test(test_limit_locks_max),
        cmocka_unit_test(test_a_forbidden_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
