/* Durable subscriptions by the client library (IP16): what is shared, acknowledged, given again, settled and told. */
#include <stdio.h>

#include "client_node.h"
#include "goclient_chan.h"
#include "goclient_topic.h"

enum { MANY = 10 };

/* Topics of the test are kept, and have these messages: 0, 1, 2, … */
static void publish_numbers(gc_client *g, const char *topic, int n)
{
    char text[16];

    assert_ok(gc_topic_set(g, topic, "durable=yes", GC_FOREVER));
    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_ok(gc_publish(g, topic, gc_string(text), NULL, NULL, GC_FOREVER));
    }
}

static gc_chan join(gc_client *g, const char *topic, const char *name, const char *settings)
{
    const struct gc_subscribe_options options = {
        .size = sizeof options, .capacity = 4, .from = GC_FROM_START, .group = name, .settings = settings};
    gc_chan c;

    assert_ok(gc_subscribe(g, topic, &options, &c, GC_FOREVER));
    return c;
}

static void assert_next(gc_client *g, gc_chan c, const char *text, uint32_t tries, unsigned flags)
{
    struct gc_value v = {0};

    assert_fails(gc_recv(g, c, &v, 0, gc_after_ms(NODE_ANSWER_MS)), 1);
    assert_int_equal(gc_message(&v)->tries, tries);
    assert_int_equal(v.flags, flags);
    assert_value(&v, text);
}

static void test_IP16_6_what_was_acknowledged_does_not_come_again_and_the_rest_goes_on(void **state)
{
    gc_client *g = *state, *other = node_connect(node);
    gc_chan c;

    publish_numbers(g, "on", MANY);
    c = join(other, "on", "on.mine", NULL);
    for (int i = 0; i < 4; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d", i);
        assert_next(other, c, text, 1, 0);
    }
    gc_disconnect(other);
    c = join(g, "on", "on.mine", NULL);
    for (int i = 4; i < MANY; i++) {
        struct gc_value v = {0};

        assert_fails(gc_recv(g, c, &v, 0, gc_after_ms(NODE_ANSWER_MS)), 1);
        assert_int_equal(v.data ? atoi(v.data) : -1, i);
        gc_value_clear(&v);
    }
}

static void test_IP16_2_members_share_the_messages(void **state)
{
    gc_client *g = *state, *other = node_connect(node);
    gc_chan mine = join(g, "share", "share.all", NULL), theirs = join(other, "share", "share.all", NULL);
    bool seen[MANY] = {false};

    publish_numbers(g, "share", MANY);
    for (int i = 0; i < MANY; i++) {
        bool here = i % 2;
        struct gc_value v = {0};

        assert_fails(gc_recv(here ? g : other, here ? mine : theirs, &v, 0, gc_after_ms(NODE_ANSWER_MS)), 1);
        assert_false(seen[atoi(v.data)]);
        seen[atoi(v.data)] = true;
        gc_value_clear(&v);
    }
    gc_disconnect(other);
}

static void test_IP16_4_what_a_member_had_and_did_not_acknowledge_comes_again(void **state)
{
    gc_client *g = *state, *other = node_connect(node);
    struct gc_value v = {0};
    gc_chan c;

    publish_numbers(g, "again", 2);
    c = join(other, "again", "again.all", NULL);
    assert_fails(gc_recv(other, c, &v, GC_HOLD, GC_FOREVER), 1);
    assert_value(&v, "0");
    gc_disconnect(other);
    c = join(g, "again", "again.all", NULL);
    assert_fails(gc_recv(g, c, &v, GC_HOLD, gc_after_ms(NODE_ANSWER_MS)), 1);
    assert_true(v.flags & (GC_REDELIVERED | GC_RETURNED));
    assert_ok(gc_ack(g, &v));
    assert_value(&v, "0");
    assert_next(g, c, "1", 1, 0);
}

static void test_IP16_5_a_message_is_tried_again_later_or_dead_as_its_receiver_says(void **state)
{
    gc_client *g = *state;
    gc_chan dead, c;
    struct gc_value v = {0};

    assert_ok(gc_topic_set(g, "settle.dead", "durable=yes", GC_FOREVER));
    publish_numbers(g, "settle", 1);
    assert_ok(gc_subscribe(g, "settle.dead", NULL, &dead, GC_FOREVER));
    c = join(g, "settle", "settle.all", "dead=settle.dead");
    assert_fails(gc_range(g, c, &v, GC_HOLD, GC_FOREVER), 1);
    assert_fails(gc_settle(g, c, &v, 1, GC_SETTLE_EXTEND, 0, GC_FOREVER), 1);
    assert_fails(gc_settle(g, c, &v, 1, GC_SETTLE_RETRY, 0, GC_FOREVER), 1);
    assert_fails(gc_range(g, c, &v, GC_HOLD, gc_after_ms(NODE_ANSWER_MS)), 1);
    assert_int_equal(gc_message(&v)->tries, 2);
    assert_string_equal(v.data, "0");
    assert_fails(gc_settle(g, c, &v, 1, GC_SETTLE_DEAD, 0, GC_FOREVER), 1);
    assert_fails(gc_range(g, c, &v, GC_HOLD, GC_NOW), -EAGAIN);
    assert_fails(gc_recv(g, dead, &v, 0, gc_after_ms(NODE_ANSWER_MS)), 1);
    assert_true(gc_message(&v)->of > 0);
    assert_value(&v, "0");
}

static void test_what_is_of_no_durable_subscription_cannot_be_settled(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "shared.plain", 1);
    struct gc_value v = {0};

    assert_ok(gc_send(g, c, gc_string("x"), GC_FOREVER));
    assert_fails(gc_recv(g, c, &v, GC_HOLD, GC_FOREVER), 1);
    assert_fails(gc_settle(g, c, &v, 1, GC_SETTLE_RETRY, 0, GC_FOREVER), -EINVAL);
    assert_fails(gc_settle(g, c, &v, 0, GC_SETTLE_RETRY, 0, GC_FOREVER), -EINVAL);
    assert_fails(gc_settle(g, GC_NIL, &v, 1, GC_SETTLE_RETRY, 0, GC_FOREVER), -ENOENT);
    gc_value_clear(&v);
}

static void test_IP16_7_what_is_known_and_set_of_one_is_told(void **state)
{
    const struct gc_subscribe_options options = {.size = sizeof options, .group = "told.all"};
    gc_client *g = *state;
    gc_chan c = join(g, "told.>", "told.all", "ack_wait=5000"), none;
    struct gc_durable_page page;
    struct gc_value v = {0};
    bool waits = false;

    assert_fails(gc_subscribe(g, "other", &options, &none, GC_FOREVER), -EEXIST);
    assert_ok(gc_durable_set(g, "told.all", "paused=yes", GC_FOREVER));
    assert_fails(gc_durable_set(g, "told.all", "paused=perhaps", GC_FOREVER), -EINVAL);
    assert_fails(gc_durable_set(g, "told.none", "paused=yes", GC_FOREVER), -ENOENT);
    publish_numbers(g, "told.a", 3);
    assert_fails(gc_recv(g, c, &v, 0, GC_NOW), -EAGAIN);
    assert_fails(gc_durables(g, "told.all", NULL, 0, &page, GC_FOREVER), 1);
    assert_string_equal(page.items[0].name, "told.all");
    assert_string_equal(page.items[0].pattern, "told.>");
    assert_true(page.items[0].paused);
    assert_int_equal(page.items[0].members, 1);
    assert_int_equal(page.items[0].outstanding, 0);
    for (size_t i = 0; i < page.items[0].settings_n; i++)
        waits |=
            strstr(page.items[0].settings[i].name, "ack_wait") && page.items[0].settings[i].value == 5000;
    assert_true(waits);
    gc_durable_page_clear(&page);
    assert_ok(gc_durable_set(g, "told.all", "paused=no", GC_FOREVER));
    assert_next(g, c, "0", 1, 0);
    assert_ok(gc_durable_remove(g, "told.all", GC_FOREVER));
    assert_fails(gc_durable_remove(g, "told.all", GC_FOREVER), -ENOENT);
    assert_fails(gc_durables(g, "told.", NULL, 0, &page, GC_FOREVER), 0);
    while (gc_range(g, c, &v, 0, gc_after_ms(NODE_ANSWER_MS)) > 0)
        ;
    assert_fails(gc_range(g, c, &v, 0, GC_NOW), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, connect_client, disconnect_client)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP16_6_what_was_acknowledged_does_not_come_again_and_the_rest_goes_on),
        TEST(test_IP16_2_members_share_the_messages),
        TEST(test_IP16_4_what_a_member_had_and_did_not_acknowledge_comes_again),
        TEST(test_IP16_5_a_message_is_tried_again_later_or_dead_as_its_receiver_says),
        TEST(test_what_is_of_no_durable_subscription_cannot_be_settled),
        TEST(test_IP16_7_what_is_known_and_set_of_one_is_told),
    };

    return cmocka_run_group_tests(tests, start_node, stop_node);
}
