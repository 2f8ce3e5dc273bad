/* The rows of what is published and subscribed to. */
#include "costs.h"
#include "goclient_topic.h"

void prove_costs_of_topics(gc_client *g)
{
    const struct gc_outgoing messages[] = {{gc_string("1")}, {gc_string("2")}};
    struct gc_topic_page page;
    struct gc_value v = {0};
    gc_chan c;

    costs("gc_subscribe", assert_ok(gc_subscribe(g, "costs.topic", NULL, &c, GC_FOREVER)));
    costs("gc_publish", assert_ok(gc_publish(g, "costs.topic", gc_string("x"), NULL, NULL, GC_FOREVER)));
    costs("gc_publish_many",
          assert_fails(gc_publish_many(g, "costs.topic", messages, 2, NULL, NULL, GC_FOREVER), 2));
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    gc_value_clear(&v);
    costs("gc_topics", assert_fails(gc_topics(g, "costs.*", NULL, 0, &page, GC_FOREVER), 1));
    gc_topic_page_clear(&page);
    costs("gc_topic_info", assert_ok(gc_topic_info(g, "costs.topic", &page, GC_FOREVER)));
    gc_topic_page_clear(&page);
    costs("gc_topic_close", assert_fails(gc_topic_close(g, "costs.topic", GC_FOREVER), 1));
    costs("gc_topic_set", assert_ok(gc_topic_set(g, "costs.kept", "durable=yes", GC_FOREVER)));
    costs("gc_topic_unset", assert_ok(gc_topic_unset(g, "costs.kept", GC_FOREVER)));
    assert_ok(gc_drop(g, c));
}

void prove_costs_of_durable_subscriptions(gc_client *g)
{
    const struct gc_subscribe_options options = {
        .size = sizeof options, .from = GC_FROM_START, .group = "costs.durable"};
    struct gc_durable_page page;
    struct gc_value v = {0};
    gc_chan c;

    assert_ok(gc_topic_set(g, "costs.kept", "durable=yes", GC_FOREVER));
    assert_ok(gc_publish(g, "costs.kept", gc_string("x"), NULL, NULL, GC_FOREVER));
    assert_ok(gc_subscribe(g, "costs.kept", &options, &c, GC_FOREVER));
    assert_fails(gc_recv(g, c, &v, GC_HOLD, GC_FOREVER), 1);
    costs("gc_settle", assert_fails(gc_settle(g, c, &v, 1, GC_SETTLE_EXTEND, 0, GC_FOREVER), 1));
    gc_value_clear(&v);
    costs("gc_durables", assert_fails(gc_durables(g, NULL, NULL, 0, &page, GC_FOREVER), 1));
    gc_durable_page_clear(&page);
    costs("gc_durable_set", assert_ok(gc_durable_set(g, "costs.durable", "tries=3", GC_FOREVER)));
    assert_ok(gc_drop(g, c));
    let_ack_leave(g);
    costs("gc_topic_purge", assert_int_equal(gc_topic_purge(g, "costs.kept", 0, 0, GC_FOREVER), 1));
    costs("gc_topic_remove", assert_int_equal(gc_topic_remove(g, "costs.kept", GC_FOREVER), 0));
    costs("gc_durable_remove", assert_ok(gc_durable_remove(g, "costs.durable", GC_FOREVER)));
}
