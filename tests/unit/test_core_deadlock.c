/*
 * Proofs of deadlock over all processes, and leaks (Z4, Z5): planted ones are found, and random programs tell that a wait
 * that was proven never ends. A caller here is a thread that does nothing while its operation waits, as OP_BLOCKS says.
 */
#include "core_fixture.h"

static struct rig *rig;
static struct client *root; /* looks, and waits for nothing himself */

static int setup(void **state)
{
    rig = rig_new();
    root = client_of(rig, 0);
    return 0;
}

static int teardown(void **state)
{
    rig_delete(rig);
    return 0;
}

/* ---- words ---- */

static void promise(struct client *c, uint32_t callers)
{
    assert_status(c, client_do(c, (struct request){.verb = VERB_CALLERS, .callers = {callers}}), 0);
    ack(c, c->op, 0);
}

/* A process of one caller. */
static struct client *process(void)
{
    struct client *c = client_new(rig);

    promise(c, 1);
    return c;
}

static uint64_t blocking(struct client *c, struct request request)
{
    request.flags = OP_BLOCKS;
    return client_do(c, request);
}

static uint64_t receive(struct client *c, uint64_t handle)
{
    return blocking(c, (struct request){.verb = VERB_RECV, .recv = {handle, 1}});
}

static uint64_t send(struct client *c, uint64_t handle)
{
    static const struct value value = {.body = {"v", 1}};

    return blocking(c, (struct request){.verb = VERB_SEND, .send = {handle, &value, 1}});
}

static uint64_t lock(struct client *c, const char *name)
{
    return blocking(c, (struct request){.verb = VERB_LOCK, .lock.name = {name, strlen(name)}});
}

/* The lock is the caller's, and its answer acknowledged. */
static uint64_t hold(struct client *c, const char *name)
{
    uint64_t op = lock(c, name);

    assert_status(c, op, 0);
    ack(c, op, 0);
    return got(c, op)->handle;
}

static uint64_t opened(struct client *c, const char *name, uint32_t rights)
{
    struct request r = {.verb = VERB_CHAN_OPEN,
                        .chan_open = {.name = {name, strlen(name)}, .flags = OPEN_CREATE, .rights = rights}};
    uint64_t op = client_do(c, r);

    assert_status(c, op, 0);
    ack(c, op, 0);
    return got(c, op)->handle;
}

static void without_name(struct client *c, const char *name)
{
    client_do(c, (struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink.name = {name, strlen(name)}});
}

static const struct got *ask(struct client *c, struct request request)
{
    uint64_t op = client_do(c, request);

    assert_status(c, op, 0);
    const struct got *g = got(c, op);
    ack(c, op, 0);
    return g;
}

static const struct got *deadlocks(void)
{
    return ask(root, (struct request){.verb = VERB_DEADLOCKS});
}

static const struct got *leaks(int64_t age_ns)
{
    return ask(root, (struct request){.verb = VERB_LEAKS, .leaks = {.age_ns = age_ns}});
}

static const struct got_wait *row_of(const struct got *g, const struct client *c, uint64_t op)
{
    for (size_t i = 0; i < g->waits_n; i++)
        if (g->waits[i].info.pid == c->who.pid && g->waits[i].info.op == op)
            return &g->waits[i];
    return NULL;
}

#define assert_proven(g, c, op, more)                                                                        \
    do {                                                                                                     \
        const struct got_wait *row_ = row_of((g), (c), (op));                                                \
        assert_non_null(row_);                                                                               \
        assert_int_equal(row_->info.flags, WAIT_PROVEN | (more));                                            \
    } while (0)

/* ---- planted ---- */

static void test_Z5_a_circle_of_three_processes_with_lock_and_channels_is_proven(void **state)
{
    struct client *a = process(), *b = process(), *c = process();
    uint64_t ax = opened(a, "x", RIGHT_RECV), by = opened(b, "y", RIGHT_RECV);

    opened(b, "x", RIGHT_SEND);
    opened(c, "y", RIGHT_SEND);
    hold(a, "m");
    uint64_t waits_x = receive(a, ax), waits_y = receive(b, by);
    assert_int_equal(deadlocks()->waits_n, 0);
    uint64_t waits_m = lock(c, "m");
    const struct got *g = deadlocks();
    assert_int_equal(g->waits_n, 3);
    assert_proven(g, a, waits_x, WAIT_NAMED);
    assert_proven(g, b, waits_y, WAIT_NAMED);
    assert_proven(g, c, waits_m, WAIT_NAMED);
    assert_int_equal(row_of(g, a, waits_x)->info.group, row_of(g, c, waits_m)->info.group);
    assert_string_equal(row_of(g, c, waits_m)->object, "m");
}

static void test_Z5_without_names_nobody_new_can_end_it(void **state)
{
    struct client *a = process(), *b = process();
    uint64_t ax = opened(a, "x", RIGHT_RECV), by = opened(b, "y", RIGHT_RECV);

    opened(a, "y", RIGHT_SEND);
    opened(b, "x", RIGHT_SEND);
    without_name(a, "x");
    without_name(a, "y");
    uint64_t first = receive(a, ax), second = receive(b, by);
    const struct got *g = deadlocks();
    assert_proven(g, a, first, 0);
    assert_proven(g, b, second, 0);
}

static void test_M5_a_lock_taken_twice_by_its_holder_is_proven(void **state)
{
    struct client *a = process();

    hold(a, "m");
    uint64_t op = lock(a, "m");
    assert_proven(deadlocks(), a, op, 0);
}

static void test_Z5_two_circles_are_two_groups(void **state)
{
    struct client *p[4];
    static const char *const mine[] = {"a", "b", "c", "d"}, *const other[] = {"b", "a", "d", "c"};
    uint64_t op[4];

    for (int i = 0; i < 4; i++) {
        p[i] = process();
        hold(p[i], mine[i]);
    }
    for (int i = 0; i < 4; i++)
        op[i] = lock(p[i], other[i]);
    const struct got *g = deadlocks();
    assert_int_equal(g->waits_n, 4);
    assert_int_equal(row_of(g, p[0], op[0])->info.group, row_of(g, p[1], op[1])->info.group);
    assert_int_equal(row_of(g, p[2], op[2])->info.group, row_of(g, p[3], op[3])->info.group);
    assert_true(row_of(g, p[0], op[0])->info.group != row_of(g, p[2], op[2])->info.group);
}

static void test_Z5_who_waits_behind_a_circle_is_in_its_group(void **state)
{
    struct client *a = process(), *b = process(), *behind = process();

    hold(a, "a");
    hold(b, "b");
    uint64_t op = lock(behind, "a");
    lock(a, "b");
    lock(b, "a");
    const struct got *g = deadlocks();
    assert_int_equal(g->waits_n, 3);
    assert_proven(g, behind, op, 0);
}

static void test_S1_a_select_is_proven_when_all_of_its_cases_are(void **state)
{
    struct client *a = process(), *b = process();
    uint64_t x = opened(a, "x", 0), y = opened(a, "y", 0);
    const struct select_case cases[] = {CASE_R(x), CASE_S(y, "v")};

    opened(b, "x", 0);
    opened(b, "y", 0);
    hold(a, "m");
    uint64_t op = blocking(a, (struct request){.verb = VERB_SELECT, .select = {cases, 2}});
    assert_int_equal(deadlocks()->waits_n, 0);
    lock(b, "m");
    assert_int_equal(deadlocks()->waits_n, 2);
    assert_proven(deadlocks(), a, op, WAIT_NAMED);
    opened(client_new(rig), "y", RIGHT_RECV);
    assert_int_equal(deadlocks()->waits_n, 0);
}

/* ---- what proves nothing ---- */

/* Two processes that hold a lock each and want the other's, but for what `spoil` does. */
static const struct got *circle_but(void (*spoil)(struct client *a, struct client *b))
{
    struct client *a = process(), *b = process();

    hold(a, "a");
    hold(b, "b");
    lock(a, "b");
    if (spoil)
        spoil(a, b);
    else
        lock(b, "a");
    return deadlocks();
}

static void says_nothing(struct client *a, struct client *b)
{
    promise(a, 0);
    lock(b, "a");
}

static void has_another_caller(struct client *a, struct client *b)
{
    promise(b, 2);
    lock(b, "a");
}

static void has_a_deadline(struct client *a, struct client *b)
{
    lock(within(b, SECOND), "a");
}

static void does_not_block(struct client *a, struct client *b)
{
    client_do(b, (struct request){.verb = VERB_LOCK, .lock.name = {"a", 1}});
}

static void has_a_context(struct client *a, struct client *b)
{
    uint64_t op = client_do(b, (struct request){.verb = VERB_CTX_NEW});

    assert_status(b, op, 0);
    ack(b, op, 0);
    lock(under(b, got(b, op)->handle), "a");
}

/* Two wait, and one of them need not: what the process said of its callers is not so. */
static void breaks_its_word(struct client *a, struct client *b)
{
    lock(b, "a");
    receive(b, opened(b, "x", 0));
}

static void test_Z5_whoever_may_act_makes_no_proof(void **state)
{
    static void (*const spoil[])(struct client *, struct client *) = {
        says_nothing, has_another_caller, has_a_deadline, has_a_context, does_not_block, breaks_its_word};

    assert_int_equal(circle_but(NULL)->waits_n, 2);
    for (size_t i = 0; i < sizeof(spoil) / sizeof(*spoil); i++) {
        teardown(state);
        setup(state);
        assert_int_equal(circle_but(spoil[i])->waits_n, 0);
    }
}

static void test_Z5_a_server_that_waits_for_its_first_client_is_no_deadlock(void **state)
{
    struct client *server = process(), *behind = process();
    uint64_t requests = opened(server, "requests", 0);

    hold(server, "m");
    receive(server, requests);
    lock(behind, "m");
    assert_int_equal(deadlocks()->waits_n, 0);
}

static void test_IP3_a_value_that_may_come_back_makes_no_proof(void **state)
{
    struct client *a = process(), *b = process();
    uint64_t x = opened(a, "x", 0), xb = opened(b, "x", 0);
    uint64_t sent = send(a, x), taken = receive(b, xb);

    assert_waits(a, sent);
    assert_status(b, taken, 1);
    lock(b, "m");
    assert_int_equal(deadlocks()->waits_n, 0);
}

/* A circle of two: a waits on x, which b could end, and b for a lock of a's. */
static void wait_in_circle(struct client *a, uint64_t (*waits)(struct client *, uint64_t), uint64_t x,
                           struct client *b)
{
    hold(a, "m");
    waits(a, x);
    lock(b, "m");
}

static void test_IP3_whoever_may_give_a_value_back_needs_no_handle_for_that(void **state)
{
    struct client *a = process(), *b = process(), *taker = client_new(rig);
    uint64_t x = chan(a, "x", 1), taken = chan(taker, "x", 1);

    chan(b, "x", 1);
    ack(a, a->op, 0);
    send1(a, x, "v");
    uint64_t op = recv1(taker, taken);
    client_do(taker, (struct request){.verb = VERB_CHAN_DROP, .chan_drop.handle = taken});
    wait_in_circle(a, receive, x, b);
    assert_int_equal(deadlocks()->waits_n, 0);
    ack(taker, op, 0);
    assert_int_equal(deadlocks()->waits_n, 2);
}

static void test_C3_whoever_may_only_close_keeps_senders_and_receivers_awake(void **state)
{
    static uint64_t (*const waits[])(struct client *, uint64_t) = {send, receive};

    for (int i = 0; i < 2; i++) {
        teardown(state);
        setup(state);
        struct client *a = process(), *b = process(), *closer = client_new(rig);
        uint64_t x = opened(a, "x", 0), theirs = opened(closer, "x", RIGHT_CLOSE);

        opened(b, "x", 0);
        wait_in_circle(a, waits[i], x, b);
        assert_int_equal(deadlocks()->waits_n, 0);
        client_do(closer, (struct request){.verb = VERB_CHAN_DROP, .chan_drop.handle = theirs});
        assert_int_equal(deadlocks()->waits_n, 2);
    }
}

/* Nobody awake has a handle of x, but one lies in a channel where somebody may take it. */
static void test_U6_a_handle_in_a_value_makes_no_proof(void **state)
{
    struct client *a = process(), *b = process(), *c = client_new(rig);
    uint64_t x = opened(a, "x", 0), carrier = chan(c, "carrier", 1), end = opened(c, "x", RIGHT_SEND);
    struct passed passed = {end, RIGHT_SEND};
    struct value value = {.handles = &passed, .handles_n = 1};

    opened(b, "x", 0);
    assert_status(c, client_do(c, (struct request){.verb = VERB_SEND, .send = {carrier, &value, 1}}), 1);
    client_do(c, (struct request){.verb = VERB_CHAN_DROP, .chan_drop.handle = end});
    wait_in_circle(a, receive, x, b);
    assert_int_equal(deadlocks()->waits_n, 0);
}

static void test_C8_a_maker_that_closes_by_its_end_keeps_receivers_awake(void **state)
{
    struct client *a = process(), *b = process(), *maker = client_new(rig);
    uint64_t made = chan_flags(maker, "x", 0, OPEN_OWNER_CLOSES, FULL_BLOCK);
    uint64_t x = opened(a, "x", RIGHT_RECV);

    opened(b, "x", RIGHT_SEND);
    client_do(maker, (struct request){.verb = VERB_CHAN_DROP, .chan_drop.handle = made});
    hold(a, "m");
    receive(a, x);
    lock(b, "m");
    assert_int_equal(deadlocks()->waits_n, 0);
    promise(maker, 1);
    lock(maker, "m");
    assert_int_equal(deadlocks()->waits_n, 3);
}

static void test_Z5_proofs_are_shown_to_those_who_pay(void **state)
{
    struct client *a = process(), *other = client_of(rig, 7);

    hold(a, "m");
    uint64_t op = lock(a, "m");
    struct request request = {.verb = VERB_DEADLOCKS};
    assert_int_equal(ask(other, request)->waits_n, 0);
    assert_proven(deadlocks(), a, op, 0);
    struct client *same_user = client_new(rig);
    assert_int_equal(ask(same_user, request)->waits_n, 1);
}

static void test_a_report_looks_at_no_more_than_it_may(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    limits.inspect_max = 10;
    struct rig *small = rig_with(&limits, 1);
    struct client *c = client_new(small);
    uint64_t x = chan(c, "x", 0);

    for (int i = 0; i < 10; i++)
        recv1(c, x);
    uint64_t op = client_do(c, (struct request){.verb = VERB_DEADLOCKS});
    assert_status(c, op, -ENOBUFS);
    assert_non_null(strstr(got(c, op)->text, "inspect_max (10)"));
    assert_status(c, client_do(c, (struct request){.verb = VERB_LEAKS}), -ENOBUFS);
    rig_delete(small);
}

/* ---- leaks ---- */

static void test_Z4_a_wait_where_nobody_else_is_is_suspected_after_its_age(void **state)
{
    struct client *a = client_new(rig);
    uint64_t op = receive(a, opened(a, "x", 0));

    rig_after(rig, SECOND);
    assert_int_equal(leaks(2 * (int64_t)SECOND)->waits_n, 0);
    const struct got *g = leaks(SECOND);
    assert_int_equal(g->waits_n, 1);
    assert_int_equal(row_of(g, a, op)->info.flags, WAIT_ALONE);
    opened(client_new(rig), "x", 0);
    assert_int_equal(leaks(SECOND)->waits_n, 0);
}

static void test_Z4_it_is_proven_when_the_name_is_gone_and_nobody_else_can_act(void **state)
{
    struct client *a = process();
    uint64_t x = opened(a, "x", 0), op = receive(a, x);

    without_name(root, "x");
    assert_proven(leaks(1000 * (int64_t)SECOND), a, op, WAIT_ALONE);
    promise(a, 2);
    assert_int_equal(leaks(1000 * (int64_t)SECOND)->waits_n, 0);
}

static void test_Z4_handles_of_what_is_closed_and_drained_are_told(void **state)
{
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t x = chan(a, "x", 1), xb = chan(b, "x", 1);

    send1(a, x, "v");
    chan_close(a, x);
    assert_int_equal(leaks(0)->waits_n, 0);
    ack(b, recv1(b, xb), 0);
    const struct got *g = leaks(0);
    assert_int_equal(g->waits_n, 2);
    assert_int_equal(g->waits[0].info.flags, WAIT_CLOSED);
    assert_string_equal(g->waits[0].object, "x");
    assert_int_equal(g->waits[1].info.pid, b->who.pid);
}

static void test_Z4_a_name_that_nobody_has_open_is_told(void **state)
{
    struct client *a = client_new(rig);
    uint64_t x = chan(a, "x", 1);

    send1(a, x, "v");
    assert_int_equal(leaks(0)->waits_n, 0);
    client_do(a, (struct request){.verb = VERB_CHAN_DROP, .chan_drop.handle = x});
    const struct got *g = leaks(0);
    assert_int_equal(g->waits_n, 1);
    assert_int_equal(g->waits[0].info.flags, WAIT_UNUSED);
    assert_string_equal(g->waits[0].object, "x");
    assert_non_null(strstr(g->waits[0].reason, "keeps values"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_Z5_a_circle_of_three_processes_with_lock_and_channels_is_proven),
        T(test_Z5_without_names_nobody_new_can_end_it),
        T(test_M5_a_lock_taken_twice_by_its_holder_is_proven),
        T(test_Z5_two_circles_are_two_groups),
        T(test_Z5_who_waits_behind_a_circle_is_in_its_group),
        T(test_S1_a_select_is_proven_when_all_of_its_cases_are),
        T(test_Z5_whoever_may_act_makes_no_proof),
        T(test_Z5_a_server_that_waits_for_its_first_client_is_no_deadlock),
        T(test_IP3_a_value_that_may_come_back_makes_no_proof),
        T(test_IP3_whoever_may_give_a_value_back_needs_no_handle_for_that),
        T(test_C3_whoever_may_only_close_keeps_senders_and_receivers_awake),
        T(test_U6_a_handle_in_a_value_makes_no_proof),
        T(test_C8_a_maker_that_closes_by_its_end_keeps_receivers_awake),
        T(test_Z5_proofs_are_shown_to_those_who_pay),
        T(test_a_report_looks_at_no_more_than_it_may),
        T(test_Z4_a_wait_where_nobody_else_is_is_suspected_after_its_age),
        T(test_Z4_it_is_proven_when_the_name_is_gone_and_nobody_else_can_act),
        T(test_Z4_handles_of_what_is_closed_and_drained_are_told),
        T(test_Z4_a_name_that_nobody_has_open_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
