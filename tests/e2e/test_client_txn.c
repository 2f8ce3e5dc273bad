/*
 * Transactions of a worker through the library, the real daemon and the real store (IP13.4): a task ends, a job is submitted,
 * a value is sent, another one acknowledged, and the daemon is killed at each commit on the way.
 */
#include "client_fixture.h"

#include <signal.h>
#include <stdio.h>

#include "goclient_txn.h"

static struct node *node;
static gc_client *g;
static gc_chan orders, packed;

static gc_chan open_durable(const char *name)
{
    struct gc_chan_options options = {
        .size = sizeof(options), .flags = GC_CREATE | GC_DURABLE, .capacity = 8};
    gc_chan c = {0};

    gc_open(g, name, &options, &c, GC_FOREVER);
    return c;
}

static gc_job submit(const char *function)
{
    struct gc_submit what = {.size = sizeof(what), .function = function};
    gc_job job = {0};

    gc_submit(g, &what, &job, GC_FOREVER);
    return job;
}

static void begin(void)
{
    g = node_connect(node);
    orders = open_durable("orders");
    packed = open_durable("packed");
}

static int tear_down(void **state)
{
    unsetenv("GOROUTINED_FAULTS");
    g = gc_disconnect(g);
    node = node_delete(node);
    return 0;
}

/* One life of a worker, from the order to its transaction. What the commit gave; 1: it did not come so far. */
static int work(gc_job *job)
{
    struct gc_reserve reserve = {.size = sizeof(reserve), .functions = "pack"};
    struct gc_submit next = {.size = sizeof(next), .function = "send"};
    struct gc_value order = {0};
    struct gc_tasks tasks = {0};
    int r = 1;

    if (!orders.id || !packed.id)
        return 1;
    *job = submit("pack");
    if (gc_send(g, orders, gc_string("order"), GC_FOREVER) == 0 &&
        gc_reserve(g, &reserve, &tasks, GC_FOREVER) == 1 &&
        gc_recv(g, orders, &order, GC_HOLD, GC_FOREVER) == 1) {
        gc_txn *txn = gc_txn_begin(g);
        assert_ok(gc_txn_complete(txn, &tasks.items[0], "packed", 6));
        assert_ok(gc_txn_submit(txn, &next));
        assert_ok(gc_txn_send(txn, packed, gc_string("parcel")));
        assert_ok(gc_txn_ack(txn, &order));
        r = gc_txn_commit(txn, NULL, GC_FOREVER);
        if (r < 0)
            gc_txn_drop(txn);
    }
    gc_value_clear(&order);
    gc_tasks_clear(&tasks);
    return r;
}

static bool takes(gc_chan c)
{
    struct gc_value v = {0};
    int r = gc_recv(g, c, &v, 0, GC_NOW);

    gc_value_clear(&v);
    return r == 1;
}

/* A task of that function is there to be taken. */
static bool waits(const char *function)
{
    struct gc_reserve reserve = {.size = sizeof(reserve), .functions = function};
    struct gc_tasks tasks;
    int r = gc_reserve(g, &reserve, &tasks, GC_NOW);

    gc_tasks_clear(&tasks);
    return r == 1;
}

/* All of the transaction is there, or nothing. */
static bool happened(void)
{
    bool all = takes(packed);

    assert_int_equal(waits("send"), all);
    assert_int_equal(takes(orders), !all);
    assert_int_equal(waits("pack"), !all);
    return all;
}

static void test_IP13_4_a_worker_ends_its_task_with_all_else(void **state)
{
    struct gc_result result;
    gc_job job;

    node = node_start();
    begin();
    assert_ok(work(&job));
    assert_int_equal(gc_wait(g, job, &result, GC_FOREVER), 1);
    assert_memory_equal(result.data, "packed", 6);
    gc_result_clear(&result);
    assert_true(happened());
}

static void test_IP13_4_a_client_that_is_no_worker_does_the_rest_at_once(void **state)
{
    const struct gc_submit many[] = {{.size = sizeof(*many), .function = "pack"},
                                     {.size = sizeof(*many), .function = "send"}};
    struct gc_value order = {0};
    struct gc_task none = {.job = {1}, .run = 1}, other = {.job = {1}, .run = 2};
    gc_job jobs[2];

    node = node_start();
    begin();
    assert_ok(gc_send(g, orders, gc_string("order"), GC_FOREVER));
    assert_int_equal(gc_recv(g, orders, &order, GC_HOLD, GC_FOREVER), 1);
    gc_txn *txn = gc_txn_begin(g);
    assert_ok(gc_txn_submit(txn, &many[0]));
    assert_ok(gc_txn_submit(txn, &many[1]));
    assert_ok(gc_txn_send(txn, packed, gc_string("parcel")));
    assert_ok(gc_txn_ack(txn, &order));
    assert_fails(gc_txn_submit(txn, &(struct gc_submit){.size = 1}), -EINVAL);
    assert_ok(gc_txn_commit(txn, jobs, GC_FOREVER));
    assert_true(jobs[0].id && jobs[1].id && jobs[0].id != jobs[1].id);
    gc_value_clear(&order);
    assert_false(takes(orders));
    assert_true(takes(packed) && waits("pack") && waits("send"));
    /* A task that is not ours; then dropped. */
    txn = gc_txn_begin(g);
    assert_ok(gc_txn_complete(txn, &none, NULL, 0));
    assert_ok(gc_txn_complete(txn, &none, "again", 5));
    assert_fails(gc_txn_complete(txn, &other, NULL, 0), -EINVAL);
    assert_ok(gc_txn_send(txn, packed, gc_string("parcel")));
    assert_fails(gc_txn_commit(txn, NULL, GC_FOREVER), -ESTALE);
    gc_txn_drop(txn);
    assert_false(takes(packed));
    gc_txn_drop(NULL);
}

/* The daemon dies at the n-th passing of that point. Whether the transaction went through all the same. */
static bool killed_at(const char *point, int n)
{
    char fault[64];
    gc_job job;

    snprintf(fault, sizeof(fault), "%s=%d:kill", point, n);
    node = node_make();
    setenv("GOROUTINED_FAULTS", fault, 1);
    node_run(node, true);
    unsetenv("GOROUTINED_FAULTS");
    begin();
    int r = work(&job);
    node_kill(node, SIGKILL);
    gc_disconnect(g);
    node_run(node, true);
    begin();
    if (r == 0)
        assert_true(happened()); /* it was told */
    else if (r < 0)
        happened();
    tear_down(NULL);
    return r == 0;
}

static void until_it_went_through(const char *point)
{
    int n = 3; /* the channels are there */

    while (!killed_at(point, n))
        assert_true(++n < 30);
    assert_true(n > 3);
}

static void test_IP13_2_a_daemon_killed_before_a_commit_leaves_all_or_nothing(void **state)
{
    until_it_went_through("store-before-commit");
}

static void test_IP13_2_a_daemon_killed_after_a_commit_leaves_all_or_nothing(void **state)
{
    until_it_went_through("store-after-commit");
}

static void test_IP16_4_a_message_is_acknowledged_with_what_it_leads_to(void **state)
{
    const struct gc_subscribe_options options = {
        .size = sizeof options, .from = GC_FROM_START, .group = "packers"};
    const struct gc_publish_options keyed = {.size = sizeof keyed, .key = "parcel"};
    struct gc_value v = {0};
    gc_chan in, out, live;

    node = node_start();
    begin();
    assert_ok(gc_topic_set(g, "pack.>", "durable=yes", GC_FOREVER));
    assert_ok(gc_publish(g, "pack.order", gc_string("order"), NULL, NULL, GC_FOREVER));
    assert_ok(gc_subscribe(g, "pack.order", &options, &in, GC_FOREVER));
    assert_ok(gc_subscribe(g, "pack.done", NULL, &out, GC_FOREVER));
    assert_ok(gc_subscribe(g, "live", NULL, &live, GC_FOREVER));
    assert_fails(gc_recv(g, in, &v, GC_HOLD, GC_FOREVER), 1);
    gc_txn *txn = gc_txn_begin(g);
    assert_ok(gc_txn_ack(txn, &v));
    assert_ok(gc_txn_publish(txn, "pack.done", gc_string("parcel"), &keyed));
    assert_ok(gc_txn_commit(txn, NULL, GC_FOREVER));
    gc_value_clear(&v);
    assert_fails(gc_recv(g, out, &v, 0, GC_FOREVER), 1);
    assert_string_equal(gc_message(&v)->key, "parcel");
    assert_value(&v, "parcel");
    assert_fails(gc_recv(g, in, &v, 0, GC_NOW), -EAGAIN);
    txn = gc_txn_begin(g);
    assert_ok(gc_txn_publish(txn, "live", gc_string("x"), NULL));
    assert_fails(gc_txn_commit(txn, NULL, GC_FOREVER), -EINVAL);
    gc_txn_drop(txn);
    assert_fails(gc_recv(g, live, &v, 0, GC_NOW), -EAGAIN);
}

static void test_IP13_3_what_it_names_of_a_daemon_that_was_restarted_is_gone(void **state)
{
    struct gc_value order = {0};

    node = node_start();
    begin();
    assert_ok(gc_send(g, orders, gc_string("order"), GC_FOREVER));
    assert_int_equal(gc_recv(g, orders, &order, GC_HOLD, GC_FOREVER), 1);
    node_kill(node, SIGKILL);
    node_run(node, true);
    gc_txn *acks = gc_txn_begin(g), *sends = gc_txn_begin(g);
    assert_ok(gc_txn_ack(acks, &order));
    assert_ok(gc_txn_send(sends, packed, gc_string("parcel")));
    assert_fails(gc_txn_commit(acks, NULL, GC_FOREVER), -ENETRESET);
    assert_false(gc_in_doubt());
    for (int r; (r = gc_ping(g, GC_FOREVER)) < 0;) /* now in another session */
        assert_int_equal(r, -ENETRESET);
    assert_fails(gc_txn_commit(acks, NULL, GC_FOREVER), -ENETRESET);
    assert_fails(gc_txn_commit(sends, NULL, GC_FOREVER), -ENETRESET);
    assert_false(gc_in_doubt());
    gc_txn_drop(acks);
    gc_txn_drop(sends);
    gc_value_clear(&order);
    orders = open_durable("orders");
    assert_true(takes(orders));
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP13_4_a_worker_ends_its_task_with_all_else),
        TEST(test_IP13_4_a_client_that_is_no_worker_does_the_rest_at_once),
        TEST(test_IP16_4_a_message_is_acknowledged_with_what_it_leads_to),
        TEST(test_IP13_3_what_it_names_of_a_daemon_that_was_restarted_is_gone),
        TEST(test_IP13_2_a_daemon_killed_before_a_commit_leaves_all_or_nothing),
        TEST(test_IP13_2_a_daemon_killed_after_a_commit_leaves_all_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
