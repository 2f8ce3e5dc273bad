/* Grants that nobody has had: a CANCEL undoes them, a RETURN gives them back (IP1.3, SE1); of every kind that grants. */
#include "sync_fixture.h"

static uint64_t take_with(struct client *c, uint32_t kind, uint64_t units, uint64_t size)
{
    return take_of(
        c, (struct request_sync_take){kind, named("x"), .units = units, .size = size, .period_ns = SECOND});
}

static uint64_t acquire(struct client *c, uint64_t units)
{
    return take_with(c, SYNC_SEMAPHORE, units, 3);
}

/* ---- a cancel ---- */

static void test_IP1_3_a_cancel_undoes_a_grant_and_that_is_its_one_result(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock_of(a, "m"), second = lock_of(b, "m"), third = lock_of(c, "m");

    assert_status(a, first, 0);
    cancel(a, first);
    assert_status(a, first, -ECANCELED);
    assert_int_equal(got(a, first)->handle, 0);
    assert_status(b, second, 0);
    assert_waits(c, third);
    cancel(b, second);
    assert_status(c, third, 0);
    assert_status(
        c, client_do(c, (struct request){.verb = VERB_UNLOCK, .unlock = {named("m"), token_of(c, third)}}),
        0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void test_IP1_3_what_was_acknowledged_no_cancel_undoes(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t first = lock_of(a, "m"), second = lock_of(b, "m");

    ack(a, first, 0);
    cancel(a, first);
    assert_int_equal(got_count(a, first), 1);
    assert_waits(b, second);
    rig_delete(rig);
}

static void test_IP1_3_a_cancel_that_comes_again_undoes_nothing_and_is_answered(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock_of(a, "m"), second = lock_of(b, "m"), third = lock_of(c, "m");

    cancel(a, first);
    cancel(a, first);
    assert_int_equal(got_count(a, first), 3);
    assert_status(a, first, -ECANCELED);
    assert_status(b, second, 0);
    assert_waits(c, third);
    rig_delete(rig);
}

static void test_IP1_3_IP7_1_the_request_said_again_hears_of_the_undoing(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t first = lock_of(a, "m"), second = lock_of(b, "m");

    cancel(a, first);
    client_again(a, (struct request){.verb = VERB_LOCK, .lock = {named("m")}}, first);
    assert_int_equal(got_count(a, first), 3);
    assert_status(a, first, -ECANCELED);
    assert_status(b, second, 0);
    rig_delete(rig);
}

/* The grant, the cancel, or the answer to it is lost with its connection. */
static void test_IP1_3_IP7_2_whatever_is_lost_the_answer_comes_after_a_resume(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t held = lock_of(b, "m"), op = lock_of(a, "m");

    client_cut(a);
    assert_status(
        b, client_do(b, (struct request){.verb = VERB_UNLOCK, .unlock = {named("m"), token_of(b, held)}}), 0);
    client_resume(a, op, 0);
    assert_int_equal(rig->said.state[0].fate, FATE_RESULT);
    assert_status(a, op, 0);
    held = lock_of(b, "m");
    cancel(a, op);
    assert_status(b, held, 0);
    client_cut(a);
    client_resume(a, op, 0);
    assert_int_equal(rig->said.state[0].fate, FATE_RESULT);
    assert_status(a, op, -ECANCELED);
    rig_delete(rig);
}

static void test_IP1_3_the_news_of_a_death_goes_on_to_the_next(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock_of(a, "m"), second, third;

    assert_status(a, first, 0);
    second = lock_of(b, "m");
    third = lock_of(c, "m");
    client_die(a);
    assert_status(b, second, GRANT_OWNER_DIED);
    cancel(b, second);
    assert_status(c, third, GRANT_OWNER_DIED);
    rig_delete(rig);
}

/* An operation that has ended otherwise keeps its result. */
static void test_IP1_1_a_cancel_leaves_alone_what_is_no_grant(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t x = chan(a, "x", 1), sent = send1(a, x, "v"), taken = recv1(a, x), done;

    cancel(a, sent);
    cancel(a, taken);
    assert_status(a, sent, 1);
    assert_values(a, taken, "v ");
    assert_int_equal(info(a, x).returned, 0);
    done = take_with(a, SYNC_ONCE, 0, 0);
    give_of(a, (struct request_sync_give){SYNC_ONCE, named("x"), .token = token_of(a, done)});
    done = take_with(b, SYNC_ONCE, 0, 0);
    cancel(b, done);
    assert_status(b, done, 0); /* it was run: nothing was granted */
    rig_delete(rig);
}

static void test_IP1_4_a_claim_never_waited_and_no_cancel_undoes_it(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t token = token_of(a, lock_of(a, "m")), claimed, waits;

    client_do(a, (struct request){.verb = VERB_UNLOCK, .unlock = {named("m"), token, UNLOCK_OFFER}});
    waits = lock_of(c, "m");
    claimed = client_do(b, (struct request){.verb = VERB_LOCK, .lock = {named("m"), LOCK_CLAIM, token}});
    cancel(b, claimed);
    assert_status(b, claimed, 0);
    assert_waits(c, waits);
    give_back(b, claimed, 0); /* who claimed it is gone: it has been used, and passes on as by a death */
    assert_status(c, waits, GRANT_OWNER_DIED);
    rig_delete(rig);
}

static uint64_t cond_wait(struct client *c)
{
    uint64_t token = token_of(c, lock_of(c, "m"));

    return client_do(c,
                     (struct request){.verb = VERB_COND_WAIT, .cond_wait = {named("c"), named("m"), token}});
}

static void
test_K1_a_wait_that_was_signalled_comes_back_with_the_lock_and_K2_given_back_it_goes_on(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = cond_wait(a), second = cond_wait(b);

    client_do(c, (struct request){.verb = VERB_COND_SIGNAL, .cond_signal = {named("c")}});
    assert_status(a, first, 0);
    cancel(a, first);
    assert_status(a, first, 0);
    assert_waits(b, second);
    give_back(a, first, 0);
    assert_status(b, second, 0);
    rig_delete(rig);
}

/* ---- nobody is there any more ---- */

static void test_IP1_3_a_grant_for_nobody_is_given_back_by_RETURN(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t first = lock_of(a, "m"), second = lock_of(b, "m");

    give_back(a, first, 0);
    assert_status(b, second, 0);
    give_back(a, first, 0); /* said again */
    assert_waits(a, lock_of(a, "m"));
    client_again(a, (struct request){.verb = VERB_LOCK, .lock = {named("m")}}, first);
    assert_status(a, first, -ESTALE);
    rig_delete(rig);
}

static void test_IP1_3_a_RETURN_behind_the_cancel_finds_it_undone(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    uint64_t first = lock_of(a, "m"), second = lock_of(b, "m"), third = lock_of(c, "m");

    cancel(a, first);
    give_back(a, first, 0);
    assert_status(b, second, 0);
    assert_waits(c, third);
    rig_delete(rig);
}

/* ---- every kind ---- */

static void test_SE1_units_go_back_and_those_of_other_grants_stay(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t one = acquire(a, 1), two = acquire(a, 2), waits = acquire(b, 1), more = acquire(b, 2);

    assert_status(a, one, 0);
    cancel(a, two);
    assert_status(a, two, -ECANCELED);
    assert_status(b, waits, 0);
    assert_waits(b, more);
    give_back(a, one, 0);
    assert_status(b, more, 0);
    rig_delete(rig);
}

static void test_SE1_the_death_of_who_has_more_is_still_told(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t second, waits;

    take_with(a, SYNC_ERRGROUP, 0, 0);
    client_cut(a);
    client_resume(a, 0ul);
    second = take_with(a, SYNC_ERRGROUP, 0, 0);
    waits = wait_of(b, (struct request_sync_wait){SYNC_ERRGROUP, named("x")});
    cancel(a, second);
    assert_waits(b, waits);
    client_die(a);
    assert_status(b, waits, WAIT_FAILED);
    rig_delete(rig);
}

static void test_IP1_3_readers_and_writers_leave_as_they_came(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *c = client_new(rig);
    struct request_sync_take read = {SYNC_RWMUTEX, named("x"), .flags = TAKE_READ};
    uint64_t reader = take_of(a, read), other = take_of(a, read), writer = take_with(b, SYNC_RWMUTEX, 0, 0),
             last;

    cancel(a, reader);
    assert_waits(b, writer);
    cancel(a, other);
    assert_status(b, writer, 0);
    last = take_of(c, read);
    assert_waits(c, last);
    cancel(b, writer);
    assert_status(c, last, 0);
    rig_delete(rig);
}

static void test_IP1_3_a_runner_that_never_heard_of_it_lets_the_next_run(void **state)
{
    static const uint32_t kinds[] = {SYNC_ONCE, SYNC_FLIGHT};

    for (int i = 0; i < 2; i++) {
        struct rig *rig = rig_new();
        struct client *a = client_new(rig), *b = client_new(rig);
        uint64_t runner = take_with(a, kinds[i], 0, 0), next = take_with(b, kinds[i], 0, 0);

        assert_status(a, runner, GRANT_RUN);
        assert_waits(b, next);
        cancel(a, runner);
        assert_status(a, runner, -ECANCELED);
        assert_status(b, next, GRANT_RUN);
        rig_delete(rig);
    }
}

static void test_IP1_3_a_flight_reset_meanwhile_is_left_by_its_runner(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t old = take_with(a, SYNC_FLIGHT, 0, 0), new;

    reset_of(b, SYNC_FLIGHT, "x");
    new = take_with(b, SYNC_FLIGHT, 0, 0);
    assert_status(b, new, GRANT_RUN);
    cancel(a, old);
    assert_status(a, old, -ECANCELED);
    assert_int_equal(rig_stat(rig, "syncs"), 1);
    rig_delete(rig);
}

static void test_IP1_3_a_member_has_not_started_and_has_not_failed(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t first = take_with(a, SYNC_ERRGROUP, 0, 1), second = take_with(b, SYNC_ERRGROUP, 0, 1),
             waits = wait_of(b, (struct request_sync_wait){SYNC_ERRGROUP, named("x")});

    cancel(a, first);
    assert_status(b, second, 0);
    cancel(b, second);
    assert_status(b, waits, 0);
    rig_delete(rig);
}

static void test_IP1_3_a_claim_of_units_leaves_them_detached_again(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t claimed;

    add_of(a, (struct request_sync_add){SYNC_WAITGROUP, named("x"), 2, ADD_DETACHED});
    claimed = take_with(a, SYNC_WAITGROUP, 2, 0);
    assert_status(a, claimed, 0);
    assert_status(b, take_with(b, SYNC_WAITGROUP, 1, 0), -EAGAIN);
    cancel(a, claimed);
    assert_status(b, take_with(b, SYNC_WAITGROUP, 2, 0), 0);
    rig_delete(rig);
}

static void test_SE1_tokens_of_a_limiter_go_to_whoever_waits(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t all = take_with(a, SYNC_LIMITER, 3, 3), waits = take_with(b, SYNC_LIMITER, 2, 3);

    assert_waits(b, waits);
    cancel(a, all);
    assert_status(a, all, -ECANCELED);
    assert_status(b, waits, 0);
    assert_status(a, take_with(at_once(a), SYNC_LIMITER, 1, 3), 0);
    assert_status(a, take_with(at_once(a), SYNC_LIMITER, 1, 3), -EAGAIN);
    rig_delete(rig);
}

/* Full again, it is forgotten: the cancel is told all the same. */
static void test_IP1_3_what_the_object_has_forgotten_counts_as_undone(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t one = take_with(a, SYNC_LIMITER, 1, 3);

    rig_after(rig, 4LL * SECOND);
    assert_int_equal(rig_stat(rig, "syncs"), 0);
    cancel(a, one);
    assert_status(a, one, -ECANCELED);
    assert_no_syncs(rig);
    rig_delete(rig);
}

static void breaker_says(struct client *c, uint32_t flags)
{
    uint64_t op = take_with(c, SYNC_BREAKER, 0, 1);

    assert_status(c, op, 0);
    assert_status(c,
                  give_of(c, (struct request_sync_give){SYNC_BREAKER, named("x"), .token = token_of(c, op),
                                                        .flags = flags}),
                  0);
}

static void test_IP1_3_a_trial_is_left_to_the_next(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t trial;

    breaker_says(a, GIVE_FAILED);
    rig_after(rig, SECOND);
    trial = take_with(a, SYNC_BREAKER, 0, 1);
    assert_status(b, take_with(b, SYNC_BREAKER, 0, 1), -EBUSY);
    cancel(a, trial);
    assert_status(a, trial, -ECANCELED);
    breaker_says(b, 0);
    assert_no_syncs(rig);
    rig_delete(rig);
}

/* Units are those of the scope: another operation of it may have given them back before anybody had them. */
static void test_SE1_nothing_is_given_back_twice(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t two = acquire(a, 2), waits;

    assert_status(b, acquire(b, 1), 0);
    waits = acquire(b, 3);
    assert_status(a, give_of(a, (struct request_sync_give){SYNC_SEMAPHORE, named("x"), .units = 2}), 0);
    cancel(a, two);
    assert_status(a, two, -ECANCELED);
    assert_waits(b, waits);
    rig_delete(rig);
}

static void test_IP7_3_op_status_says_that_what_was_undone_took_no_effect(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t op = acquire(a, 1);

    cancel(a, op);
    client_die(a);
    assert_status(
        b,
        client_do(b, (struct request){.verb = VERB_OP_STATUS, .op_status = {.session = a->secret, .op = op}}),
        0);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP1_3_a_cancel_undoes_a_grant_and_that_is_its_one_result),
        cmocka_unit_test(test_IP1_3_what_was_acknowledged_no_cancel_undoes),
        cmocka_unit_test(test_IP1_3_a_cancel_that_comes_again_undoes_nothing_and_is_answered),
        cmocka_unit_test(test_IP1_3_IP7_1_the_request_said_again_hears_of_the_undoing),
        cmocka_unit_test(test_IP1_3_IP7_2_whatever_is_lost_the_answer_comes_after_a_resume),
        cmocka_unit_test(test_IP1_3_the_news_of_a_death_goes_on_to_the_next),
        cmocka_unit_test(test_IP1_1_a_cancel_leaves_alone_what_is_no_grant),
        cmocka_unit_test(test_IP1_4_a_claim_never_waited_and_no_cancel_undoes_it),
        cmocka_unit_test(
            test_K1_a_wait_that_was_signalled_comes_back_with_the_lock_and_K2_given_back_it_goes_on),
        cmocka_unit_test(test_IP1_3_a_grant_for_nobody_is_given_back_by_RETURN),
        cmocka_unit_test(test_IP1_3_a_RETURN_behind_the_cancel_finds_it_undone),
        cmocka_unit_test(test_SE1_units_go_back_and_those_of_other_grants_stay),
        cmocka_unit_test(test_SE1_the_death_of_who_has_more_is_still_told),
        cmocka_unit_test(test_IP1_3_readers_and_writers_leave_as_they_came),
        cmocka_unit_test(test_IP1_3_a_runner_that_never_heard_of_it_lets_the_next_run),
        cmocka_unit_test(test_IP1_3_a_flight_reset_meanwhile_is_left_by_its_runner),
        cmocka_unit_test(test_IP1_3_a_member_has_not_started_and_has_not_failed),
        cmocka_unit_test(test_IP1_3_a_claim_of_units_leaves_them_detached_again),
        cmocka_unit_test(test_SE1_tokens_of_a_limiter_go_to_whoever_waits),
        cmocka_unit_test(test_IP1_3_what_the_object_has_forgotten_counts_as_undone),
        cmocka_unit_test(test_IP1_3_a_trial_is_left_to_the_next),
        cmocka_unit_test(test_SE1_nothing_is_given_back_twice),
        cmocka_unit_test(test_IP7_3_op_status_says_that_what_was_undone_took_no_effect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
