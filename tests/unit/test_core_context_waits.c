/* Operations that name a context: IP1.4, IP8, sync objects, selects, and sweeps that take more than a turn. */
#include "context_fixture.h"

/* ---- operations that name one ---- */

static void test_IP1_4_a_context_that_is_over_takes_nothing(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){0}), x = chan(a, "x", 2), xb = chan(b, "x", 2), op;

    send1(a, x, "v");
    cancel_with(a, c, 0, "stopped");
    op = recv1(under(b, c), xb);
    assert_status(b, op, -ECANCELED);
    assert_string_equal(got(b, op)->text, "stopped");
    op = send1(under(at_once(b), c), xb, "w");
    assert_status(b, op, -ECANCELED);
    assert_int_equal(info(a, x).length, 1);
    assert_status(b, chan_close(under(b, c), xb), 0);
    rig_delete(rig);
}

static void test_IP1_4_a_cancel_ends_everything_that_waits_with_it(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *d = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){0}), x = chan(b, "x", 0), y = chan(b, "y", 0);
    uint64_t held = lock(d, "m"), child = below(d, c);
    uint64_t waits[] = {
        recv1(under(b, c), x), send1(under(b, child), y, "v"), SELECT(under(b, c), CASE_R(x), CASE_S(y, "w")),
        lock(under(b, c), "m"),
        client_do(under(b, c), (struct request){.verb = VERB_CTX_WATCH, .ctx_watch.context = child})};
    uint64_t other = recv1(b, x);

    assert_int_equal(look(a, c)->ctx.ops, 4);
    cancel_with(a, c, 0, "enough");
    for (size_t i = 0; i < 4; i++) {
        assert_status(b, waits[i], -ECANCELED);
        assert_string_equal(got(b, waits[i])->text, "enough");
    }
    assert_true(got(b, waits[4]) != NULL);
    assert_waits(b, other);
    assert_int_equal(info(b, y).senders, 0);
    assert_int_equal(info(b, x).receivers, 1);
    assert_status(d, held, 0);
    rig_delete(rig);
}

static void test_X11_a_deadline_of_the_context_is_told_from_a_cancel(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){.deadline = UNTIL_IN, .deadline_ns = SECOND});
    uint64_t x = chan(a, "x", 0), op = recv1(under(a, c), x);

    rig_after(rig, SECOND);
    assert_status(a, op, -ETIMEDOUT);
    assert_string_equal(got(a, op)->text, "context deadline exceeded");
    rig_delete(rig);
}

static void test_IP2_2_a_value_that_was_handed_over_is_sent_although_the_context_ends(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){0}), x = chan(a, "x", 0), xb = chan(b, "x", 0);
    uint64_t sent = send1(under(a, c), x, "v"), taken = recv1(under(b, c), xb);

    assert_values(b, taken, "v ");
    assert_waits(a, sent);
    cancel_ctx(a, c);
    assert_status(a, sent, 1);
    rig_delete(rig);
}

/* The head of a frame with so many operations, which are still to come. */
static void client_frame_head(struct client *c, size_t operations)
{
    struct client_frame head = {.version = PROTOCOL_VERSION, .number = ++c->frame, .requests_n = operations};

    rig_step(c->rig,
             &(struct input){.kind = IN_FRAME, .conn = c->conn, .frame = {.head = &head, .who = c->who}});
}

static void test_IP8_the_end_is_told_before_every_later_result(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){.deadline = UNTIL_IN, .deadline_ns = SECOND}),
             x = chan(a, "x", 0), seen, waits, ping;

    waits = recv1(under(a, c), x);
    seen = watch(a, below(a, c));
    struct request request = {.id = ping = ++a->op, .verb = VERB_PING};
    client_frame_head(a, 1);
    rig->now.mono_ns += SECOND; /* it is over when the operation comes, and nobody has been told */
    rig_step(rig, &(struct input){.kind = IN_OP, .conn = a->conn, .op = &request});
    assert_true(later_than(a, seen) > later_than(a, waits));
    assert_true(later_than(a, waits) > later_than(a, ping));
    rig_delete(rig);
}

static void test_S1_a_select_hears_the_end_of_a_context(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){0}), x = chan(b, "x", 0);
    struct select_case cases[] = {{.kind = CASE_RECV, .handle = x}, {.kind = CASE_CTX, .handle = c}};
    uint64_t op = select_of(b, cases, 2);

    assert_waits(b, op);
    cancel_with(a, c, 0, "go home");
    assert_status(b, op, 1);
    assert_int_equal(got(b, op)->index, 1);
    assert_string_equal(got(b, op)->ctx_text, "go home");
    op = select_of(at_once(b), cases, 2);
    assert_int_equal(got(b, op)->index, 1);
    assert_int_equal(info(b, x).receivers, 0);
    cases[1].handle = 12345;
    assert_status(b, select_of(b, cases, 2), -ENETRESET);
    rig_delete(rig);
}

/* ---- with sync objects ---- */

static void test_SE1_a_cancelled_head_takes_nothing_and_lets_the_next_go(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *d = client_new(rig);
    struct request_sync_take what = {.kind = SYNC_SEMAPHORE, .name = named("s"), .units = 2, .size = 3};
    uint64_t c = ctx(a, (struct request_ctx_new){0}), first = take_of(a, what);

    what.units = 3;
    uint64_t large = take_of(under(b, c), what);
    what.units = 1;
    uint64_t small = take_of(d, what);
    assert_status(a, first, 0);
    assert_waits(d, small);
    cancel_ctx(a, c);
    assert_status(b, large, -ECANCELED);
    assert_status(d, small, 0);
    rig_delete(rig);
}

static uint64_t cond_wait(struct client *c, uint64_t token)
{
    return client_do(
        c, (struct request){.verb = VERB_COND_WAIT, .cond_wait = {named("c"), named("m"), token, 0}});
}

static void signal_one(struct client *c)
{
    client_do(c, (struct request){.verb = VERB_COND_SIGNAL, .cond_signal.name = named("c")});
}

/* Once signalled, it only comes back to its lock. */
static void test_K1_the_end_of_a_context_does_not_undo_a_signal(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *d = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){0});
    uint64_t token = token_of(b, lock_of(b, "m")), signalled = cond_wait(under(b, c), token), waiting;

    token = token_of(d, lock_of(d, "m"));
    waiting = cond_wait(under(d, c), token);
    token = token_of(a, lock_of(a, "m"));
    signal_one(a);
    cancel_ctx(a, c);
    assert_status(d, waiting, -ECANCELED);
    assert_waits(b, signalled);
    client_do(a, (struct request){.verb = VERB_UNLOCK, .unlock = {named("m"), token, 0}});
    assert_status(b, signalled, 0);
    assert_string_equal(got(b, signalled)->text, "");
    rig_delete(rig);
}

static void test_A1_a_cancel_ends_every_kind_of_wait_for_a_sync_object(void **state)
{
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){0});
    struct request_sync_take write = {.kind = SYNC_RWMUTEX, .name = named("rw")};

    assert_status(a, take_of(a, write), 0);
    uint64_t added =
        add_of(a, (struct request_sync_add){.kind = SYNC_WAITGROUP, .name = named("wg"), .delta = 1});
    assert_true(status_of(a, added) >= 0);
    uint64_t waits[] = {
        take_of(under(b, c), write),
        wait_of(under(b, c), (struct request_sync_wait){.kind = SYNC_WAITGROUP, .name = named("wg")}),
        wait_of(under(b, c),
                (struct request_sync_wait){.kind = SYNC_COUNTER, .name = named("n"), .value = 5}),
        wait_of(under(b, c),
                (struct request_sync_wait){.kind = SYNC_BARRIER, .name = named("b"), .value = 2}),
    };
    for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++)
        assert_waits(b, waits[i]);
    cancel_with(a, c, 0, "enough");
    for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
        assert_status(b, waits[i], -ECANCELED);
        assert_string_equal(got(b, waits[i])->text, "enough");
    }
    rig_delete(rig);
}

/* ---- long sweeps ---- */

/* At most so many a turn, and others are answered in between. */
static void test_X1_a_cancel_with_many_waiters_is_swept_in_turns(void **state)
{
    enum { WAITERS = 2000, A_TURN = 100 };
    struct limits limits = LIMITS_DEFAULT;
    limits.sweep_per_turn = A_TURN;
    struct rig *rig = rig_with(&limits, 1);
    struct client *a = client_new(rig), *b = client_new(rig), *other = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){0}), x = chan(b, "x", 0), first = b->op + 1;

    rig->unchecked = true;
    for (int i = 0; i < WAITERS; i++)
        recv1(under(b, c), x);
    struct got *before = rig->got;
    cancel_ctx(a, c);
    size_t told = 0, turns = 0;
    for (bool all = false; !all; turns++) {
        size_t n = 0;
        for (struct got *g = rig->got; g != before; g = g->next)
            n += g->conn == b->conn && g->op >= first;
        assert_true(n - told <= A_TURN);
        told = n;
        all = told == WAITERS;
        for (int i = 0; i < 3; i++) { /* a turn has many inputs */
            uint64_t ping = client_do(other, (struct request){.verb = VERB_PING});
            assert_status(other, ping, 0);
        }
        assert_true(all || rig->out.wake_ns <= rig->now.mono_ns);
        rig_after(rig, 0);
    }
    assert_true(turns >= WAITERS / A_TURN);
    rig_delete(rig);
}

static void test_X1_a_long_sweep_goes_on_in_later_turns_but_its_word_counts_at_once(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    limits.sweep_per_turn = 1;
    struct rig *rig = rig_with(&limits, 3);
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){0});
    for (int i = 0; i < 30; i++)
        below(b, c); /* the sweep is a while on its way to the last */
    uint64_t child = below(b, below(b, c)), x = chan(a, "x", 4), xb = chan(b, "x", 4), wait[6], late;

    for (int i = 0; i < 6; i++)
        wait[i] = recv1(under(b, i % 2 ? c : child), xb);
    cancel_ctx(a, c);
    send1(a, x, "v");
    late = recv1(under(b, child), xb);
    assert_status(b, late, -ECANCELED);
    assert_int_equal(info(a, x).length, 1);
    assert_int_equal(end_of(b, child), -ECANCELED);
    rig_sweep(rig);
    for (int i = 0; i < 6; i++)
        assert_status(b, wait[i], -ECANCELED);
    assert_values(b, recv1(b, xb), "v ");
    rig_delete(rig);
}

/* More of one context than a turn sweeps wait in front of each kind, and are cancelled in a turn that comes to none of
 * them: those behind them could go on, and do when the sweep has come. */
static void test_F2_those_behind_many_cancelled_waiters_of_each_kind_go_on(void **state)
{
    enum { WAITERS = 4200, KINDS = 3 };
    struct rig *rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig), *d = client_new(rig);
    uint64_t c = ctx(a, (struct request_ctx_new){0}), x = chan(b, "x", 0), behind[KINDS];
    struct request_sync_take what[KINDS] = {
        {SYNC_SEMAPHORE, named("s"), .units = 1, .size = 2},
        {SYNC_RWMUTEX, named("w"), .flags = TAKE_READ},
        {SYNC_LIMITER, named("l"), .units = 1, .size = 2, .period_ns = SECOND},
    };

    assert_true(rig->limits.sweep_per_turn < WAITERS);
    for (int i = 0; i < KINDS; i++)
        assert_status(a, take_of(a, what[i]), 0);
    rig->unchecked = true; /* each step would look at all of them */
    for (int n = 0; n < WAITERS; n++)
        recv1(under(b, c), x);
    for (int i = 0; i < KINDS; i++) {
        struct request_sync_take all = what[i];

        all.flags = 0;
        all.units = 2;
        for (int n = 0; n < WAITERS; n++)
            take_of(under(b, c), all);
        behind[i] = take_of(d, what[i]);
        assert_waits(d, behind[i]);
    }
    rig->unchecked = false;
    cancel_ctx(a, c);
    rig_sweep(rig);
    assert_status(d, behind[0], 0);
    assert_status(d, behind[1], 0);
    rig_after(rig, SECOND);
    assert_status(d, behind[2], 0);
    assert_int_equal(rig_stat(rig, "ops.parked"), 0);
    rig_delete(rig);
}

/* The owner's death is one word too. */
static void test_X6_no_lock_is_granted_to_who_waits_with_a_dead_owners_context(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    limits.sweep_per_turn = 1;
    struct rig *rig = rig_with(&limits, 3);
    struct client *a = client_new(rig), *b = client_new(rig), *d = client_new(rig);

    for (int i = 0; i < 4; i++)
        ctx(a, (struct request_ctx_new){0});
    uint64_t c = ctx(a, (struct request_ctx_new){0}), first = lock(a, "m"), second = lock(under(b, c), "m"),
             third = lock(d, "m");
    assert_status(a, first, 0);
    client_die(a);
    assert_status(d, third, GRANT_OWNER_DIED);
    rig_sweep(rig);
    assert_status(b, second, -ECANCELED);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP1_4_a_context_that_is_over_takes_nothing),
        cmocka_unit_test(test_IP1_4_a_cancel_ends_everything_that_waits_with_it),
        cmocka_unit_test(test_X11_a_deadline_of_the_context_is_told_from_a_cancel),
        cmocka_unit_test(test_IP2_2_a_value_that_was_handed_over_is_sent_although_the_context_ends),
        cmocka_unit_test(test_IP8_the_end_is_told_before_every_later_result),
        cmocka_unit_test(test_SE1_a_cancelled_head_takes_nothing_and_lets_the_next_go),
        cmocka_unit_test(test_K1_the_end_of_a_context_does_not_undo_a_signal),
        cmocka_unit_test(test_A1_a_cancel_ends_every_kind_of_wait_for_a_sync_object),
        cmocka_unit_test(test_X1_a_cancel_with_many_waiters_is_swept_in_turns),
        cmocka_unit_test(test_S1_a_select_hears_the_end_of_a_context),
        cmocka_unit_test(test_X1_a_long_sweep_goes_on_in_later_turns_but_its_word_counts_at_once),
        cmocka_unit_test(test_F2_those_behind_many_cancelled_waiters_of_each_kind_go_on),
        cmocka_unit_test(test_X6_no_lock_is_granted_to_who_waits_with_a_dead_owners_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
