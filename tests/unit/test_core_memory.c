/*
 * Memory runs out at every allocation of a workload, once for one allocation and once for all from there on: no
 * change is ever half done (core_check after each step), no value is lost or doubled, nothing leaks.
 */
#include "topic_fixture.h"

static struct rig *rig;

/* Handles are 0 where opening failed; operations on them then fail, which is part of the test. */
static void exchange(struct client *a, struct client *b)
{
    uint64_t x = chan(a, "x", 2), xb = chan(b, "x", 2), y = chan(a, "y", 0), yb = chan(b, "y", 0);

    send_many(a, x, "1 2 3");
    uint64_t r = recv_many(b, xb, 2);
    ack(b, r, 1);
    recv1(within(b, 5 * MS), yb);
    uint64_t s = SELECT(within(a, 9 * MS), CASE_S(y, "v"), CASE_R(y), CASE_S(x, "w"));
    client_cut(b);
    client_resume(b, r, s, (uint64_t)0);
    give_back(b, r, 0);
    cancel(a, s);
    rig_after(a->rig, 20 * MS);
}

static void ask(struct client *a)
{
    client_do(a, (struct request){.verb = VERB_STATS});
    client_do(a, (struct request){.verb = VERB_CHAN_LIST});
    client_do(a, (struct request){.verb = VERB_DUMP});
    client_do(a, (struct request){.verb = VERB_DEADLOCKS});
    client_do(a, (struct request){.verb = VERB_LEAKS});
    client_do(a, (struct request){.verb = VERB_GOROUTINES});
    client_do(a, (struct request){.verb = VERB_INSPECT, .inspect = {.what = INSPECT_STATS}});
    client_do(a, (struct request){.verb = VERB_PING, .ping.payload = {"p", 1}});
    client_do(a, (struct request){.verb = VERB_SUBMIT});
    client_do(a, (struct request){.verb = VERB_OP_STATUS, .op_status.op = 3});
    if (rig->fetch)
        rig_step(rig, &(struct input){.kind = IN_FETCHED, .fetched = {.fetch = rig->fetch}});
    rig_stored(rig, 0);
    chan_flags(a, "bad name", 0, 0, FULL_BLOCK);
}

static void host_work(struct client *host)
{
    client_do(host, (struct request){.verb = VERB_STARTED, .started = {1, 9}});
    if (status_if(host, client_do(host, (struct request){.verb = VERB_RESERVE})) == NOTHING_YET)
        client_do(host, (struct request){.verb = VERB_PROGRESS});
    host->run = 9;
    uint64_t x = chan(host, "x", 2);
    recv1(host, x);
    send1(host, x, "host");
    host->run = 0;
    client_do(host, (struct request){.verb = VERB_DONE, .done = {1, 9}});
}

static uint64_t context(struct client *c, uint64_t parent, struct request_ctx_new what)
{
    what.parent = parent;
    uint64_t op = client_do(c, (struct request){.verb = VERB_CTX_NEW, .ctx_new = what});
    struct got *g = got(c, op);

    return g && g->status >= 0 ? g->handle : 0;
}

/* What names context 0 names none. */
static void contexts(struct client *a, struct client *b)
{
    struct ctx_value value = {{"key", 3}, {"value", 5}};
    uint64_t x = chan(a, "x", 2), xb = chan(b, "x", 2);
    uint64_t root =
        context(a, 0, (struct request_ctx_new){.name = {"root", 4}, .values = &value, .values_n = 1});
    uint64_t timed = context(
        b, root, (struct request_ctx_new){.deadline = UNTIL_IN, .deadline_ns = 3 * MS, .cause = {"late", 4}});
    uint64_t alone = context(b, timed, (struct request_ctx_new){.flags = CTX_WITHOUT_CANCEL});

    client_do(a, (struct request){.verb = VERB_CTX_WATCH, .ctx_watch.context = timed});
    client_do(under(a, root), (struct request){.verb = VERB_CTX_WATCH, .ctx_watch.name = {"root", 4}});
    recv1(under(b, timed), xb);
    client_do(b, (struct request){.verb = VERB_CTX_INFO, .ctx_info = {timed, {0}, {"key", 3}}});
    client_do(b, (struct request){.verb = VERB_CTX_LIST});
    SELECT(under(a, root), CASE_R(x), {.kind = CASE_CTX, .handle = timed});
    rig_after(rig, 4 * MS);
    client_do(a, (struct request){.verb = VERB_CTX_CANCEL, .ctx_cancel = {root, {0}, -7, {"why", 3}}});
    client_do(b, (struct request){.verb = VERB_CTX_DROP, .ctx_drop.context = alone});
}

/* Patterns of one token and of several, policies of all kinds, a publish that waits, and one that ends while it does. */
static void topics(struct client *a, struct client *b)
{
    uint64_t exact = subscribe(a, "t.u"), any = subscribe_full(b, "*.u", 2, TOPIC_DROP_OLDEST);
    uint64_t cut = subscribe_full(b, "t.>", 1, TOPIC_DISCONNECT),
             full = subscribe_full(a, "t.u", 2, TOPIC_BLOCK);
    uint64_t r = recv_many(a, exact, 2);

    publish(b, "t.u", "1 2 3");
    publish(within(b, 5 * MS), "t.u", "4");
    cancel(a, publish(a, "t.u", "5 6"));
    ack(a, r, 1);
    recv_many(b, any, 2);
    recv1(b, cut);
    recv_many(a, full, 2);
    SELECT(within(a, 1 * MS), CASE_R(full), CASE_R(exact));
    client_do(a, (struct request){.verb = VERB_TOPIC_LIST});
    client_do(a, (struct request){.verb = VERB_TOPIC_INFO, .topic_info.topic = {"t.u", 3}});
    client_do(b, (struct request){.verb = VERB_TOPIC_CLOSE, .topic_close.topic = {"*.u", 3}});
    rig_after(rig, 6 * MS);
    client_do(a, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {exact}});
    publish(b, "t.u", "7");
}

static void workload(void)
{
    struct client *a = client_new(rig), *b = client_of(rig, 5), *host = client_up(rig, 1000, false, 5);
    struct client *remote = client_up(rig, 0, true, 0);

    client_hello(host);
    client_hello(remote);
    exchange(a, b);
    host_work(host);
    contexts(a, b);
    topics(a, b);
    ask(a);
    exchange(remote, a);
    client_die(b);
    exchange(a, remote);
    client_bye(remote);
    chan_close(a, chan(a, "x", 2));
}

static void everybody_goes(void)
{
    for (struct client *c = rig->clients; c; c = c->next)
        client_die(c);
    rig_sweep(rig);
    rig_after(rig, 100 * (int64_t)SECOND);
    assert_int_equal(rig_stat(rig, "ops.parked"), 0);
    assert_int_equal(rig_stat(rig, "handles"), 0);
    assert_int_equal(rig_stat(rig, "results.kept"), 0);
    assert_int_equal(rig_stat(rig, "topics.publishes"), 0);
    assert_int_equal(rig_stat(rig, "topics.subscriptions"), 0);
    rig_after(rig, 90000 * (int64_t)SECOND); /* a detached context that nobody dropped */
    rig_after(rig, 100 * (int64_t)SECOND);
    assert_int_equal(rig_stat(rig, "contexts"), 0);
}

/* The number of allocations the workload made. */
static long run(long from, long to)
{
    rig = rig_new();
    rig->fail_from = rig->allocs + from;
    rig->fail_to = to == LONG_MAX ? LONG_MAX : rig->allocs + to;
    long before = rig->allocs;
    workload();
    long made = rig->allocs - before;
    rig->fail_to = 0;
    everybody_goes();
    rig_delete(rig);
    return made;
}

static void test_one_failing_allocation_leaves_no_half_change(void **state)
{
    long made = run(0, 0);
    assert_true(made > 100);
    for (long n = 0; n < made + 20; n++)
        run(n, n + 1);
}

static void test_memory_that_stays_out_leaves_no_half_change(void **state)
{
    long made = run(0, 0);
    for (long n = 0; n < made; n += 3)
        run(n, LONG_MAX);
}

static void test_a_core_is_not_made_without_memory(void **state)
{
    for (long n = 0; n < 6; n++) {
        struct limits limits = LIMITS_DEFAULT;
        struct rig bare = {.fail_from = n, .fail_to = LONG_MAX};
        struct core *core = core_new(&limits, &(struct allocator){rig_resize, &bare}, 1, 1, 1);
        core_delete(core);
        assert_int_equal(bare.live, 0);
        if (core)
            return;
    }
    fail();
}

static void test_a_result_without_memory_to_leave_comes_a_little_later(void **state)
{
    rig = rig_new();
    struct client *a = client_new(rig), *b = client_new(rig);
    uint64_t h = chan(a, "x", 0), hb = chan(b, "x", 0), r = recv1(a, h);
    struct value v = {.body = {"v", 1}};
    struct request send = {.id = 50, .verb = VERB_SEND, .send = {hb, &v, 1}};
    struct client_frame head = {.number = ++b->frame, .requests = &send, .requests_n = 1};
    rig_step(rig, &(struct input){.kind = IN_FRAME, .conn = b->conn, .frame = {&head, b->who, true}});
    rig->fail_from = rig->allocs + 2; /* the operation and its value */
    rig->fail_to = LONG_MAX;
    rig_step(rig, &(struct input){.kind = IN_OP, .conn = b->conn, .op = &send});
    assert_waits(a, r);
    assert_true(rig->out.wake_ns > rig->now.mono_ns && rig->out.wake_ns < rig->now.mono_ns + 10 * MS);
    rig->fail_to = 0;
    rig_after(rig, 10 * MS);
    assert_values(a, r, "v ");
    rig_delete(rig);
}

static void test_IP7_a_refusal_without_memory_to_leave_is_asked_for_again(void **state)
{
    rig = rig_new();
    struct client *a = client_new(rig);
    rig->fail_from = rig->allocs;
    rig->fail_to = LONG_MAX;
    uint64_t op = client_do(a, (struct request){.verb = VERB_PING});
    assert_int_equal(status_if(a, op), NOTHING_YET);
    rig->fail_to = 0;
    client_do(a, (struct request){.verb = VERB_PING});
    assert_true(rig->said.need_resume);
    client_resume(a, op, (uint64_t)0);
    assert_int_equal(rig->said.state[0].fate, FATE_UNKNOWN);
    rig_delete(rig);
}

static void test_B6_no_value_is_lost_or_doubled_while_memory_fails(void **state)
{
    for (long n = 0; n < 60; n++) {
        rig = rig_new();
        struct client *a = client_new(rig), *b = client_new(rig);
        uint64_t x = chan(a, "x", 1), xb = chan(b, "x", 1);
        uint64_t op[5], got_n = 0, sent = 0;
        rig->fail_from = rig->allocs + n;
        rig->fail_to = rig->fail_from + 2;
        for (int i = 0; i < 5; i++) {
            op[i] = send1(a, x, "v");
            uint64_t r = recv1(at_once(b), xb);
            if (status_if(b, r) == 1)
                ack(b, r, 0);
        }
        rig->fail_to = 0;
        rig_after(rig, 10 * MS);
        struct client a_before = *a, b_before = *b;
        client_resume(a, (uint64_t)0); /* a refusal that could not be told has unbound them */
        client_resume(b, (uint64_t)0);
        for (struct got *g = rig->got; g; g = g->next)
            got_n += g == got(&b_before, g->op) || (g == got(b, g->op) && !got(&b_before, g->op))
                         ? g->values_n
                         : 0;
        for (int i = 0; i < 5; i++)
            sent += status_if(&a_before, op[i]) == 1 || status_if(a, op[i]) == 1;
        assert_int_equal(sent, got_n + info(b, xb).length);
        rig_delete(rig);
    }
}

/* One value through a channel, acknowledged. */
static void pass(struct client *c, uint64_t handle)
{
    uint64_t s = send1(c, handle, "v"), r = recv1(c, handle);

    assert_values(c, r, "v ");
    ack(c, s, 0);
    ack(c, r, 0);
}

static void test_records_that_come_and_go_are_kept_and_no_more_than_so_many(void **state)
{
    enum { KEEPS = 16 << 10, ROUNDS = 100, MANY = 200 };
    uint64_t waits[MANY];

    rig_keeps_bytes = KEEPS;
    rig = rig_new();
    rig_keeps_bytes = 0;
    struct client *c = client_new(rig);
    uint64_t x = chan(c, "x", 1), y = chan(c, "y", 0);
    pass(c, x);
    long before = rig->allocs, live;
    for (int i = 0; i < ROUNDS; i++)
        pass(c, x);
    assert_int_equal(rig->allocs, before);
    live = rig->live;
    for (int i = 0; i < MANY; i++)
        waits[i] = recv1(within(c, SECOND), y);
    rig_after(rig, SECOND);
    for (int i = 0; i < MANY; i++)
        ack(c, waits[i], 0);
    assert_true(rig->live - live <= KEEPS / 64);
    rig_delete(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_core_is_not_made_without_memory),
        cmocka_unit_test(test_a_result_without_memory_to_leave_comes_a_little_later),
        cmocka_unit_test(test_IP7_a_refusal_without_memory_to_leave_is_asked_for_again),
        cmocka_unit_test(test_B6_no_value_is_lost_or_doubled_while_memory_fails),
        cmocka_unit_test(test_one_failing_allocation_leaves_no_half_change),
        cmocka_unit_test(test_memory_that_stays_out_leaves_no_half_change),
        cmocka_unit_test(test_records_that_come_and_go_are_kept_and_no_more_than_so_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
