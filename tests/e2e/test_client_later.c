/* Messages that are published later, by the client library (IP15.10): none comes before its time, each comes once. */
#include "client_node.h"
#include "goclient_chan.h"
#include "goclient_topic.h"
#include "goclient_txn.h"

static void test_IP15_10_a_message_is_published_when_its_time_has_come(void **state)
{
    struct gc_publish_options soon = {.size = sizeof soon, .once = "soon", .delay_ns = 1000000},
                              never = {.size = sizeof never, .delay_ns = INT64_MAX, .key = "k"};
    struct gc_value v = {0};
    struct gc_topic_page page;
    struct gc_published out;
    gc_client *g = *state;
    gc_chan c;

    assert_fails(gc_publish(g, "live.later", gc_string("1"), &soon, NULL, GC_FOREVER), -EINVAL);
    assert_ok(gc_topic_set(g, "later.>", "durable=yes", GC_FOREVER));
    assert_ok(gc_subscribe(g, "later.>", NULL, &c, GC_FOREVER));
    assert_ok(gc_publish(g, "later.a", gc_string("never"), &never, &out, GC_FOREVER));
    assert_int_equal(out.sequence, 0);
    assert_ok(gc_publish(g, "later.a", gc_string("soon"), &soon, NULL, GC_FOREVER));
    assert_ok(gc_publish(g, "later.a", gc_string("soon"), &soon, &out, GC_FOREVER));
    assert_int_equal(out.repeated, 1);
    assert_int_equal(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_value(&v, "soon");
    assert_ok(gc_topic_info(g, "later.a", &page, GC_FOREVER));
    assert_int_equal(page.items->delayed, 1);
    assert_int_equal(page.items->messages, 1);
    gc_topic_page_clear(&page);
    assert_int_equal(gc_topic_remove(g, "later.a", GC_FOREVER), 2);
    assert_ok(gc_topic_unset(g, "later.>", GC_FOREVER));
    assert_ok(gc_drop(g, c));
}

static void test_IP15_10_many_keep_their_order_and_name_a_time(void **state)
{
    struct gc_publish_options past = {.size = sizeof past, .at_us = 1},
                              both = {.size = sizeof both, .delay_ns = 1, .at_us = 1},
                              soon = {.size = sizeof soon, .delay_ns = 1};
    struct gc_outgoing messages[] = {
        {.value = gc_string("1")}, {.value = gc_string("2")}, {.value = gc_string("3")}};
    struct gc_published out;
    struct gc_value v = {0};
    gc_client *g = *state;
    gc_chan c;

    assert_ok(gc_topic_set(g, "order.>", "durable=yes", GC_FOREVER));
    assert_ok(gc_subscribe(g, "order.>", NULL, &c, GC_FOREVER));
    assert_int_equal(gc_publish_many(g, "order.a", messages, 3, &soon, &out, GC_FOREVER), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
        assert_value(&v, messages[i].value.data);
    }
    assert_ok(gc_publish(g, "order.a", gc_string("past"), &past, &out, GC_FOREVER));
    assert_true(out.sequence > 0);
    assert_fails(gc_publish(g, "order.a", gc_string("1"), &both, NULL, GC_FOREVER), -EINVAL);
    assert_ok(gc_drop(g, c));
}

static void test_IP15_9_a_transaction_publishes_for_later(void **state)
{
    struct gc_publish_options soon = {.size = sizeof soon, .delay_ns = 1000000},
                              never = {.size = sizeof never, .at_us = INT64_MAX};
    struct gc_topic_page page;
    struct gc_value v = {0};
    gc_client *g = *state;
    gc_txn *txn = gc_txn_begin(g);
    gc_chan c;

    assert_ok(gc_topic_set(g, "deal.>", "durable=yes", GC_FOREVER));
    assert_ok(gc_subscribe(g, "deal.>", NULL, &c, GC_FOREVER));
    assert_ok(gc_txn_publish(txn, "deal.a", gc_string("soon"), &soon));
    assert_ok(gc_txn_publish(txn, "deal.a", gc_string("never"), &never));
    assert_ok(gc_txn_publish(txn, "deal.a", gc_string("now"), NULL));
    assert_ok(gc_txn_commit(txn, NULL, GC_FOREVER));
    assert_int_equal(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_value(&v, "now");
    assert_int_equal(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_value(&v, "soon");
    assert_ok(gc_topic_info(g, "deal.a", &page, GC_FOREVER));
    assert_int_equal(page.items->delayed, 1);
    gc_topic_page_clear(&page);
    assert_ok(gc_drop(g, c));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, connect_client, disconnect_client)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP15_10_a_message_is_published_when_its_time_has_come),
        TEST(test_IP15_10_many_keep_their_order_and_name_a_time),
        TEST(test_IP15_9_a_transaction_publishes_for_later),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
