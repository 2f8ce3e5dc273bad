/* Named semaphores and reader-writer locks between processes: SE, W, IP1.3, IP4; and what all kinds have in common. */
#include "sync_fixture.h"

static struct limits one_timer_a_turn = LIMITS_DEFAULT;

/* ---- semaphores ---- */

static uint64_t acquire(struct client *c, uint64_t units, uint64_t size)
{
    return take_of(c, (struct request_sync_take){SYNC_SEMAPHORE, named("s"), .units = units, .size = size});
}

static uint64_t release(struct client *c, uint64_t units)
{
    return give_of(c, (struct request_sync_give){SYNC_SEMAPHORE, named("s"), .units = units});
}

static void test_SE2_neither_a_small_request_nor_a_try_passes_one_that_waits(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = acquire(a, 2, 3), large = acquire(b, 3, 3), small = acquire(c, 1, 3);

    assert_status(a, first, 0);
    assert_waits(b, large);
    assert_waits(c, small);
    assert_status(c, acquire(at_once(c), 1, 3), -EAGAIN);
    assert_status(a, release(a, 2), 0);
    assert_status(b, large, 0);
    assert_waits(c, small);
    assert_status(b, release(b, 1), 0);
    assert_status(c, small, 0);
    assert_true(token_of(c, small) > token_of(b, large));
    assert_status(b, release(b, 2), 0);
    assert_status(c, release(c, 1), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_SE3_those_behind_a_cancelled_waiter_are_looked_at_again(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t large, small, late;

    acquire(a, 2, 3);
    large = acquire(b, 3, 3);
    small = acquire(c, 1, 3);
    cancel(b, large);
    assert_status(b, large, -ECANCELED);
    assert_status(c, small, 0);
    late = acquire(within(b, SECOND), 3, 3);
    small = acquire(c, 1, 3);
    assert_status(a, release(a, 1), 0);
    assert_waits(c, small);
    rig_after(rig, SECOND);
    assert_status(b, late, -ETIMEDOUT);
    assert_status(c, small, 0);
    rig_delete(rig);
}

static void test_SE3_a_release_lets_all_go_on_for_whom_there_is_enough(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t one, two, three;

    acquire(a, 3, 3);
    one = acquire(b, 1, 3);
    two = acquire(c, 2, 3);
    three = acquire(b, 1, 3);
    assert_status(a, release(a, 3), 0);
    assert_status(b, one, 0);
    assert_status(c, two, 0);
    assert_waits(b, three);
    rig_delete(rig);
}

static void test_SE3_those_behind_a_dead_waiter_are_looked_at_in_that_step(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t small;

    acquire(a, 2, 3);
    acquire(b, 3, 3);
    small = acquire(c, 1, 3);
    client_die(b);
    assert_status(c, small, 0);
    rig_delete(rig);
}

static void test_SE4_more_than_the_size_is_refused_and_stops_nobody(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);

    assert_status(a, acquire(a, 4, 3), -E2BIG);
    assert_no_syncs(rig);
    assert_status(a, acquire(a, 0, 3), -EINVAL);
    assert_status(a, acquire(a, 1, 0), -EINVAL);
    assert_no_syncs(rig);
    assert_status(a, acquire(a, 3, 3), 0);
    rig_delete(rig);
}

static void test_SE5_who_has_not_so_much_may_not_release_it(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);

    assert_status(a, release(a, 1), -EPERM);
    acquire(a, 2, 3);
    assert_status(b, release(b, 1), -EPERM);
    assert_status(a, release(a, 3), -EPERM);
    assert_status(a, release(a, 0), -EINVAL);
    assert_status(a, release(a, 2), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_SE5_units_return_before_the_sweep_has_taken_away_what_else_there_was(void **state)
{
    struct rig *rig = rig_with(&one_timer_a_turn, 42);
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t waits, x = chan(a, "x", 0);

    acquire(a, 3, 3);
    for (int i = 0; i < 5; i++)
        recv1(a, x);
    waits = acquire(b, 3, 3);
    client_die(a);
    assert_status(b, waits, 0);
    assert_true(rig->out.wake_ns <= rig->now.mono_ns); /* the sweep goes on */
    rig_delete(rig);
}

static void test_SE5_the_end_of_a_session_returns_its_units(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t waits;

    acquire(a, 1, 3);
    acquire(a, 2, 3);
    waits = acquire(b, 3, 3);
    client_die(a);
    assert_status(b, waits, 0);
    client_bye(b);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_IP4_a_grant_that_its_dead_client_never_saw_goes_on(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t second, third;

    acquire(a, 3, 3);
    second = acquire(b, 3, 3);
    third = acquire(c, 3, 3);
    client_cut(b);
    assert_status(a, release(a, 3), 0);
    assert_waits(b, second);
    client_die(b);
    assert_status(c, third, 0);
    rig_delete(rig);
}

static void test_IP7_a_take_asked_twice_is_granted_once(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    struct request request = {.verb = VERB_SYNC_TAKE,
                              .sync_take = {SYNC_SEMAPHORE, named("s"), .units = 2, .size = 3}};
    uint64_t op = client_do(a, request);

    client_again(a, request, op);
    assert_int_equal(got_count(a, op), 2);
    assert_status(a, release(a, 3), -EPERM);
    assert_status(a, release(a, 2), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_IP1_a_waiter_past_its_deadline_is_never_granted_units(void **state)
{
    struct rig *rig = rig_with(&one_timer_a_turn, 1);
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t late, later, patient;

    acquire(a, 3, 3);
    late = acquire(within(b, 1000), 1, 3);
    later = acquire(within(b, 2000), 1, 3);
    patient = acquire(c, 3, 3);
    rig->now.mono_ns += 5000;
    assert_status(a, release(a, 3), 0);
    assert_status(b, late, -ETIMEDOUT);
    assert_status(b, later, -ETIMEDOUT);
    assert_status(c, patient, 0);
    rig_delete(rig);
}

static void test_a_size_holds_while_somebody_uses_the_semaphore(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t other;

    acquire(a, 1, 3);
    other = acquire(a, 1, 4);
    assert_status(a, other, -EEXIST);
    assert_string_equal(got(a, other)->text, "semaphore s has 3 units, not 4");
    assert_status(a, release(a, 1), 0);
    assert_status(a, acquire(a, 1, 4), 0);
    rig_delete(rig);
}

/* ---- reader-writer locks ---- */

static uint64_t take_rw(struct client *c, uint32_t flags)
{
    return take_of(c, (struct request_sync_take){SYNC_RWMUTEX, named("rw"), .flags = flags});
}

static uint64_t rlock(struct client *c)
{
    return take_rw(c, TAKE_READ);
}

static uint64_t runlock(struct client *c)
{
    return give_of(c, (struct request_sync_give){SYNC_RWMUTEX, named("rw"), .flags = GIVE_READ});
}

static uint64_t unlock(struct client *c, uint64_t op, uint32_t flags)
{
    return give_of(
        c, (struct request_sync_give){SYNC_RWMUTEX, named("rw"), .token = token_of(c, op), .flags = flags});
}

static void test_W1_readers_share_and_a_writer_excludes_all(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t writer, reader;

    assert_status(a, rlock(a), 0);
    assert_status(a, rlock(a), 0);
    assert_status(b, rlock(b), 0);
    writer = take_rw(c, 0);
    assert_status(a, runlock(a), 0);
    assert_status(b, runlock(b), 0);
    assert_waits(c, writer);
    assert_status(a, runlock(a), 0);
    assert_status(c, writer, 0);
    reader = rlock(a);
    assert_waits(a, reader);
    assert_status(b, take_rw(at_once(b), 0), -EAGAIN);
    assert_status(c, unlock(c, writer, 0), 0);
    assert_status(a, reader, 0);
    assert_status(a, runlock(a), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_W2_a_waiting_writer_stops_new_readers(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t writer, reader;

    rlock(a);
    writer = take_rw(b, 0);
    assert_status(c, rlock(at_once(c)), -EAGAIN);
    reader = rlock(c);
    assert_waits(c, reader);
    assert_status(a, runlock(a), 0);
    assert_status(b, writer, 0);
    assert_waits(c, reader);
    rig_delete(rig);
}

static void test_W2_readers_enter_when_the_writer_before_them_gives_up(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);

    rlock(a);
    uint64_t writer = take_rw(b, 0), before = rlock(c), later = take_rw(c, 0), behind = rlock(c);
    cancel(b, writer);
    assert_status(c, before, 0);
    assert_waits(c, later);
    assert_waits(c, behind);
    rig_delete(rig);
}

static void test_W3_all_waiting_readers_enter_before_the_next_writer(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = take_rw(a, 0), second = take_rw(b, 0), before = rlock(c), third = take_rw(b, 0),
             behind = rlock(c);

    assert_status(a, unlock(a, first, 0), 0);
    assert_status(c, before, 0);
    assert_status(c, behind, 0);
    assert_waits(b, second);
    assert_status(c, runlock(c), 0);
    assert_waits(b, second);
    assert_status(c, runlock(c), 0);
    assert_status(b, second, 0);
    assert_waits(b, third);
    rig_delete(rig);
}

static void test_W3_the_death_of_a_waiting_writer_admits_the_readers_behind_it(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t reader, late;

    rlock(a);
    take_rw(b, 0);
    reader = rlock(c);
    client_die(b);
    assert_status(c, reader, 0);
    late = take_rw(within(c, SECOND), 0);
    reader = rlock(a);
    rig_after(rig, SECOND);
    assert_status(c, late, -ETIMEDOUT);
    assert_status(a, reader, 0);
    rig_delete(rig);
}

static void test_W4_misuse_is_refused(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t op;

    assert_status(a, runlock(a), -EPERM);
    rlock(b);
    assert_status(a, runlock(a), -EPERM);
    assert_status(b, runlock(b), 0);
    op = take_rw(a, 0);
    assert_status(a, runlock(a), -EPERM);
    assert_status(b,
                  give_of(b, (struct request_sync_give){SYNC_RWMUTEX, named("rw"), .token = token_of(a, op)}),
                  -EPERM);
    assert_status(a, give_of(a, (struct request_sync_give){SYNC_RWMUTEX, named("rw"), .token = 1}), -ESTALE);
    assert_status(a, unlock(a, op, 0), 0);
    assert_status(a, unlock(a, op, 0), -EPERM);
    assert_status(a, take_rw(a, TAKE_READ | TAKE_RECOVER), -EINVAL);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_IP4_the_death_of_a_reader_releases_and_is_no_news(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t writer;

    rlock(a);
    rlock(a);
    writer = take_rw(b, 0);
    client_die(a);
    assert_status(b, writer, 0);
    assert_status(b, unlock(b, writer, 0), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_IP4_the_death_of_a_writer_is_told_until_a_writer_made_it_consistent(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t writer = take_rw(a, 0), reader = rlock(b);

    assert_status(a, writer, 0);
    client_die(a);
    assert_status(b, reader, GRANT_OWNER_DIED);
    assert_status(c, rlock(c), GRANT_OWNER_DIED);
    assert_status(b, runlock(b), 0);
    writer = take_rw(b, 0);
    assert_status(c, runlock(c), 0);
    assert_status(b, writer, GRANT_OWNER_DIED);
    assert_status(b, unlock(b, writer, GIVE_CONSISTENT), 0);
    assert_status(c, rlock(c), 0);
    assert_status(c, runlock(c), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_IP4_an_unlock_without_consistent_breaks_it_until_one_recovers(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig), *d = client_new(rig);
    uint64_t writer = take_rw(a, 0), reader, recovers, behind;

    assert_status(a, writer, 0);
    client_die(a);
    writer = take_rw(b, 0);
    reader = rlock(c);
    recovers = take_rw(d, TAKE_RECOVER);
    behind = rlock(c);
    assert_status(b, unlock(b, writer, 0), 0);
    assert_status(c, reader, -ENOTRECOVERABLE);
    assert_status(d, recovers, GRANT_OWNER_DIED);
    assert_waits(c, behind);
    assert_status(d, unlock(d, recovers, GIVE_UNSEEN), 0);
    assert_status(c, behind, -ENOTRECOVERABLE);
    assert_status(c, rlock(c), -ENOTRECOVERABLE);
    recovers = take_rw(d, TAKE_RECOVER);
    assert_status(d, recovers, GRANT_OWNER_DIED);
    assert_status(d, unlock(d, recovers, GIVE_CONSISTENT), 0);
    assert_status(c, rlock(c), 0);
    rig_delete(rig);
}

static void test_IP1_3_what_nobody_saw_counts_as_never_given(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t writer = take_rw(a, 0), second = take_rw(b, 0), third;

    client_cut(b);
    assert_status(a, unlock(a, writer, 0), 0);
    third = take_rw(c, 0);
    client_die(b);
    assert_waits(b, second);
    assert_status(c, third, 0);
    assert_status(c, unlock(c, third, GIVE_UNSEEN), 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

/* ---- all kinds ---- */

static void test_a_name_used_with_another_kind_is_refused_in_words(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t op, lock = client_do(a, (struct request){.verb = VERB_LOCK, .lock = {named("s")}});

    op = acquire(a, 1, 3);
    assert_status(a, op, -EEXIST);
    assert_string_equal(got(a, op)->text, "s is a lock, not a semaphore");
    assert_status(a, release(a, 1), -EEXIST);
    client_do(a, (struct request){.verb = VERB_UNLOCK, .unlock = {named("s"), token_of(a, lock)}});
    assert_status(a, acquire(a, 1, 3), 0);
    op = client_do(a, (struct request){.verb = VERB_LOCK, .lock = {named("s")}});
    assert_status(a, op, -EEXIST);
    assert_string_equal(got(a, op)->text, "s is a semaphore, not a lock");
    rig_delete(rig);
}

static void test_unknown_kinds_and_forbidden_names_are_refused(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);

    for (uint32_t kind = 0; kind <= SYNC_KINDS; kind += SYNC_KINDS)
        assert_status(a, take_of(a, (struct request_sync_take){kind, named("x")}), -EOPNOTSUPP);
    assert_status(a, take_of(a, (struct request_sync_take){SYNC_MUTEX, named("x")}), -EOPNOTSUPP);
    assert_status(a, give_of(a, (struct request_sync_give){SYNC_MUTEX, named("x")}), -EOPNOTSUPP);
    assert_status(a, take_of(a, (struct request_sync_take){SYNC_RWMUTEX, named("")}), -EINVAL);
    assert_status(a, take_of(a, (struct request_sync_take){SYNC_RWMUTEX, named("a b")}), -EINVAL);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_limit_locks_max_counts_all_kinds(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    struct rig *rig;
    struct client *a;

    limits.locks_max = 1;
    rig = rig_with(&limits, 1);
    a = client_new(rig);
    assert_status(a, acquire(a, 1, 3), 0);
    assert_status(a, rlock(a), -ENOBUFS);
    assert_status(a, release(a, 1), 0);
    assert_status(a, rlock(a), 0);
    rig_delete(rig);
}

/* Its maker has nothing of it any more: another user's hold or wait keeps it. */
static void test_limit_locks_max_is_that_of_who_keeps_an_object(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    struct rig *rig;
    struct client *a, *b;
    uint64_t first, second;

    limits.locks_max = 1;
    rig = rig_with(&limits, 1);
    a = client_of(rig, 1);
    b = client_of(rig, 2);
    acquire(a, 1, 3);
    assert_status(b, acquire(b, 1, 3), 0);
    assert_status(a, release(a, 1), 0);
    assert_status(b, rlock(b), -ENOBUFS);
    first = lock_of(a, "m");
    second = lock_of(b, "m");
    assert_status(a, first, 0);
    assert_status(
        a, client_do(a, (struct request){.verb = VERB_UNLOCK, .unlock = {named("m"), token_of(a, first)}}),
        0);
    assert_status(b, second, 0); /* both are b's now, who makes nothing more */
    assert_status(a, rlock(a), 0);
    assert_status(b, release(b, 1), 0);
    assert_status(b, lock_of(b, "n"), -ENOBUFS);
    client_die(b);
    client_die(a);
    rig_delete(rig);
}

static void test_limit_holds_max(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    struct rig *rig;
    struct client *a, *b;

    limits.holds_max = 1;
    rig = rig_with(&limits, 1);
    a = client_new(rig);
    b = client_new(rig);
    assert_status(a, rlock(a), 0);
    assert_status(a, rlock(a), 0);
    assert_status(b, rlock(b), -ENOBUFS);
    assert_status(a, acquire(a, 1, 3), -ENOBUFS);
    client_die(a);
    assert_status(b, rlock(b), 0);
    rig_delete(rig);
}

/* Each allocation in turn fails: an operation then happens or does not, and nothing is left of one that did not. */
static void test_without_memory_nothing_happens(void **state)
{
    for (long n = 1; n < 40; n++) {
        struct rig *rig = rig_new();
        struct client *a = client_new(rig), *b = client_new(rig);
        long first = rig->allocs + n;

        rig->fail_from = first;
        rig->fail_to = first + 1;
        acquire(a, 3, 3);
        acquire(b, 1, 3);
        rlock(a);
        rlock(b);
        client_die(b);
        client_die(a);
        rig->fail_to = 0;
        assert_no_syncs(rig);
        rig_delete(rig);
    }
}

int main(void)
{
    one_timer_a_turn.sweep_per_turn = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_SE2_neither_a_small_request_nor_a_try_passes_one_that_waits),
        cmocka_unit_test(test_SE3_those_behind_a_cancelled_waiter_are_looked_at_again),
        cmocka_unit_test(test_SE3_a_release_lets_all_go_on_for_whom_there_is_enough),
        cmocka_unit_test(test_SE3_those_behind_a_dead_waiter_are_looked_at_in_that_step),
        cmocka_unit_test(test_SE4_more_than_the_size_is_refused_and_stops_nobody),
        cmocka_unit_test(test_SE5_who_has_not_so_much_may_not_release_it),
        cmocka_unit_test(test_SE5_units_return_before_the_sweep_has_taken_away_what_else_there_was),
        cmocka_unit_test(test_SE5_the_end_of_a_session_returns_its_units),
        cmocka_unit_test(test_IP4_a_grant_that_its_dead_client_never_saw_goes_on),
        cmocka_unit_test(test_IP7_a_take_asked_twice_is_granted_once),
        cmocka_unit_test(test_IP1_a_waiter_past_its_deadline_is_never_granted_units),
        cmocka_unit_test(test_a_size_holds_while_somebody_uses_the_semaphore),
        cmocka_unit_test(test_W1_readers_share_and_a_writer_excludes_all),
        cmocka_unit_test(test_W2_a_waiting_writer_stops_new_readers),
        cmocka_unit_test(test_W2_readers_enter_when_the_writer_before_them_gives_up),
        cmocka_unit_test(test_W3_all_waiting_readers_enter_before_the_next_writer),
        cmocka_unit_test(test_W3_the_death_of_a_waiting_writer_admits_the_readers_behind_it),
        cmocka_unit_test(test_W4_misuse_is_refused),
        cmocka_unit_test(test_IP4_the_death_of_a_reader_releases_and_is_no_news),
        cmocka_unit_test(test_IP4_the_death_of_a_writer_is_told_until_a_writer_made_it_consistent),
        cmocka_unit_test(test_IP4_an_unlock_without_consistent_breaks_it_until_one_recovers),
        cmocka_unit_test(test_IP1_3_what_nobody_saw_counts_as_never_given),
        cmocka_unit_test(test_a_name_used_with_another_kind_is_refused_in_words),
        cmocka_unit_test(test_unknown_kinds_and_forbidden_names_are_refused),
        cmocka_unit_test(test_limit_locks_max_counts_all_kinds),
        cmocka_unit_test(test_limit_locks_max_is_that_of_who_keeps_an_object),
        cmocka_unit_test(test_limit_holds_max),
        cmocka_unit_test(test_without_memory_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
