/* Topics by the client library (IP14): what arrives where, what a slow subscription does, and what a subscription shares with
 * every other channel. */
#include <stdio.h>

#include "client_node.h"
#include "goclient_chan.h"
#include "goclient_topic.h"

static gc_chan subscribe(gc_client *g, const char *pattern, uint64_t capacity, enum gc_slow slow)
{
    const struct gc_subscribe_options options = {.size = sizeof options,
                                                 .capacity = capacity,
                                                 .slow = slow,
                                                 .block_ns = slow == GC_SLOW_BLOCKS ? 60 * 1000000000LL : 0};
    gc_chan c;

    assert_ok(gc_subscribe(g, pattern, &options, &c, GC_FOREVER));
    return c;
}

static struct gc_published publish(gc_client *g, const char *topic, const char *text)
{
    struct gc_published published;

    assert_ok(gc_publish(g, topic, gc_string(text), NULL, &published, GC_FOREVER));
    return published;
}

static void assert_next(gc_client *g, gc_chan c, const char *topic, const char *text)
{
    struct gc_value v = {0};

    assert_fails(gc_recv(g, c, &v, 0, gc_after_ms(NODE_ANSWER_MS)), 1);
    assert_non_null(gc_message(&v));
    assert_string_equal(gc_message(&v)->topic, topic);
    assert_value(&v, text);
}

static void assert_nothing(gc_client *g, gc_chan c)
{
    struct gc_value v = {0};

    assert_fails(gc_recv(g, c, &v, 0, GC_NOW), -EAGAIN);
}

/* ---- what arrives ---- */

static void test_IP14_everybody_who_has_subscribed_gets_it_and_nobody_else(void **state)
{
    gc_client *g = *state, *other = node_connect(node);
    gc_chan mine = subscribe(g, "all.news", 0, GC_SLOW_DROPS_NEWEST);
    gc_chan theirs = subscribe(other, "all.news", 0, GC_SLOW_DROPS_NEWEST);
    gc_chan sports = subscribe(g, "all.sports", 0, GC_SLOW_DROPS_NEWEST);
    struct gc_published published = publish(g, "all.news", "one");

    assert_int_equal(published.receivers, 2);
    assert_int_equal(published.dropped + published.repeated + published.sequence, 0);
    assert_int_equal(publish(g, "all.weather", "rain").receivers, 0);
    assert_next(g, mine, "all.news", "one");
    assert_next(other, theirs, "all.news", "one");
    assert_nothing(g, sports);
    gc_disconnect(other);
    assert_ok(gc_drop(g, mine));
    assert_int_equal(publish(g, "all.news", "two").receivers, 0);
}

static void test_IP14_a_message_tells_of_its_topic_time_key_and_headers(void **state)
{
    const struct gc_header headers[] = {gc_header("kind", "order"), gc_header("empty", "")};
    const struct gc_publish_options options = {
        .size = sizeof options, .key = "customer-3", .headers = headers, .headers_n = 2};
    gc_client *g = *state;
    gc_chan c = subscribe(g, "told", 0, GC_SLOW_DROPS_NEWEST);
    struct gc_value v = {0};

    assert_ok(gc_publish(g, "told", gc_bytes("a\0b", 3), &options, NULL, GC_FOREVER));
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    const struct gc_message *m = gc_message(&v);
    assert_string_equal(m->topic, "told");
    assert_int_equal(m->topic_bytes, 4);
    assert_string_equal(m->key, "customer-3");
    assert_int_equal(m->key_bytes, 10);
    assert_true(m->time_us > 1000000000000000);
    assert_int_equal(m->sequence + m->tries + m->lost + m->of, 0);
    assert_int_equal(m->headers_n, 2);
    assert_string_equal(gc_message_header(&v, "kind")->value, "order");
    assert_int_equal(gc_message_header(&v, "empty")->value_bytes, 0);
    assert_null(gc_message_header(&v, "other"));
    assert_int_equal(v.size, 3);
    assert_memory_equal(v.data, "a\0b", 3);
    gc_value_clear(&v);
    assert_null(gc_message(&v));
}

static void test_IP14_a_value_of_another_channel_has_no_message(void **state)
{
    gc_client *g = *state;
    gc_chan c = make(g, "topics.plain", 1);
    struct gc_value v = {0};

    assert_null(gc_message(&v));
    assert_ok(gc_send(g, c, gc_string("value"), GC_FOREVER));
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_null(gc_message(&v));
    assert_null(gc_message_header(&v, "kind"));
    gc_value_clear(&v);
}

static void test_IP14_patterns_match_parts_of_topics(void **state)
{
    static const struct {
        const char *pattern, *topic;
        unsigned receivers;
    } rows[] = {
        {"m1.*.c", "m1.b.c", 1}, {"m1.*.c", "m1.b.b.c", 0}, {"m2.>", "m2.b", 1},   {"m2.>", "m2.b.c", 1},
        {"m2.>", "m2", 0},       {"*.m3", "x.m3", 1},       {"m4.*", "m4.b.c", 0}, {"m5", "m5", 1},
    };
    gc_client *g = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gc_chan c = subscribe(g, rows[i].pattern, 0, GC_SLOW_DROPS_NEWEST);

        assert_int_equal(publish(g, rows[i].topic, "x").receivers, rows[i].receivers);
        if (rows[i].receivers)
            assert_next(g, c, rows[i].topic, "x");
        assert_ok(gc_drop(g, c));
    }
}

static void test_IP14_what_is_no_topic_or_pattern_is_refused(void **state)
{
    static const char *const topics[] = {"", "a..b", ".a", "a.", "a.*", "a.>", "a b"};
    static const char *const patterns[] = {"", "a..b", "a.>.b", "a*", "a.b>", "a b"};
    gc_client *g = *state;
    gc_chan c;

    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        assert_fails(gc_publish(g, topics[i], gc_string("x"), NULL, NULL, GC_FOREVER), -EINVAL);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        assert_fails(gc_subscribe(g, patterns[i], NULL, &c, GC_FOREVER), -EINVAL);
    assert_int_equal(c.id, 0);
}

static void test_IP14_many_messages_come_in_order_and_large_ones_whole(void **state)
{
    enum { MANY = 1000, LARGE = 200000 };
    static struct gc_outgoing messages[MANY];
    static char texts[MANY][16], large[LARGE];
    const struct gc_header mine = gc_header("which", "mine"), all = gc_header("which", "all");
    const struct gc_publish_options options = {
        .size = sizeof options, .key = "all", .headers = &all, .headers_n = 1};
    gc_client *g = *state;
    gc_chan c = subscribe(g, "many", MANY, GC_SLOW_DROPS_NEWEST);
    struct gc_published published;
    struct gc_value v = {0};

    memset(large, 'x', sizeof large);
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "%d", i);
        messages[i].value = i == 500 ? gc_bytes(large, LARGE) : gc_string(texts[i]);
        messages[i].key = i % 2 ? texts[i] : NULL;
        messages[i].headers = &mine;
        messages[i].headers_n = i % 2;
    }
    assert_fails(gc_publish_many(g, "many", messages, MANY, &options, &published, GC_FOREVER), MANY);
    assert_int_equal(published.receivers, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_fails(gc_range(g, c, &v, 0, GC_FOREVER), 1);
        assert_string_equal(gc_message(&v)->key, i % 2 ? texts[i] : "all");
        assert_string_equal(gc_message_header(&v, "which")->value, i % 2 ? "mine" : "all");
        assert_int_equal(v.size, messages[i].value.size);
        assert_memory_equal(v.data, messages[i].value.data, v.size);
    }
    gc_value_clear(&v);
}

static void test_IP14_what_cannot_be_published_is_refused_here(void **state)
{
    static struct gc_outgoing messages[GC_VALUES_MAX + 1];
    struct gc_publish_options options = {.size = 0};
    gc_client *g = *state;
    gc_chan c = make(g, "topics.passed", 1);
    struct gc_passed passed = {c, 0};
    struct gc_value carrying = gc_carrying(gc_string("x"), &passed, 1);

    assert_fails(gc_publish(g, "t", gc_string("x"), &options, NULL, GC_FOREVER), -EINVAL);
    assert_fails(gc_publish_many(g, "t", messages, 0, NULL, NULL, GC_FOREVER), -EINVAL);
    assert_fails(gc_publish_many(g, "t", messages, GC_VALUES_MAX + 1, NULL, NULL, GC_FOREVER), -E2BIG);
    options = (struct gc_publish_options){.size = sizeof options, .once = "id"};
    assert_fails(gc_publish_many(g, "t", messages, 2, &options, NULL, GC_FOREVER), -EINVAL);
    assert_fails(gc_publish(g, "t", carrying, NULL, NULL, GC_FOREVER), -EINVAL);
}

/* ---- who is slow ---- */

static void publish_five(gc_client *g, const char *topic, uint64_t receivers, uint64_t dropped)
{
    static const char *const texts[] = {"1", "2", "3", "4", "5"};
    struct gc_published sum = {0};

    for (int i = 0; i < 5; i++) {
        struct gc_published one = publish(g, topic, texts[i]);

        sum.receivers += one.receivers;
        sum.dropped += one.dropped;
    }
    assert_int_equal(sum.receivers, receivers);
    assert_int_equal(sum.dropped, dropped);
}

static void test_IP14_what_is_dropped_is_counted_and_told(void **state)
{
    gc_client *g = *state;
    gc_chan c = subscribe(g, "slow.newest", 1, GC_SLOW_DROPS_NEWEST);
    struct gc_chan_info info;
    struct gc_value v = {0};

    publish_five(g, "slow.newest", 1, 4);
    assert_ok(gc_chan_info(g, c, &info, GC_FOREVER));
    assert_int_equal(info.dropped, 4);
    assert_next(g, c, "slow.newest", "1");
    publish(g, "slow.newest", "6");
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_int_equal(gc_message(&v)->lost, 4);
    assert_value(&v, "6");
    publish(g, "slow.newest", "7");
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_int_equal(gc_message(&v)->lost, 0);
    assert_value(&v, "7");
}

static void test_IP14_the_oldest_is_dropped_when_that_is_the_policy(void **state)
{
    gc_client *g = *state;
    gc_chan c = subscribe(g, "slow.oldest", 2, GC_SLOW_DROPS_OLDEST);
    struct gc_chan_info info;
    struct gc_value v = {0};

    publish_five(g, "slow.oldest", 5, 3);
    assert_ok(gc_chan_info(g, c, &info, GC_FOREVER));
    assert_int_equal(info.dropped, 3);
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_int_equal(gc_message(&v)->lost, 3);
    assert_value(&v, "4");
    assert_next(g, c, "slow.oldest", "5");
}

static void test_IP14_a_subscription_that_is_disconnected_ends_behind_what_it_has(void **state)
{
    gc_client *g = *state;
    gc_chan c = subscribe(g, "slow.disconnect", 2, GC_SLOW_DISCONNECTS);
    struct gc_value v = {0};
    struct gc_case k = gc_case_recv(c, &v);

    publish_five(g, "slow.disconnect", 2, 1);
    assert_next(g, c, "slow.disconnect", "1");
    assert_next(g, c, "slow.disconnect", "2");
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), -ENOBUFS);
    assert_non_null(strstr(gc_why(), "1"));
    assert_fails(gc_recv(g, c, &v, 0, GC_NOW), -ENOBUFS);
    assert_fails(gc_select(g, &k, 1, 0, GC_FOREVER), 0);
    assert_int_equal(k.status, -ENOBUFS);
}

static void test_IP14_a_publisher_waits_for_a_subscription_that_blocks(void **state)
{
    gc_client *g = *state;
    gc_chan c = subscribe(g, "slow.block", 1, GC_SLOW_BLOCKS);
    struct gc_outgoing messages[3] = {{gc_string("2")}, {gc_string("3")}, {gc_string("4")}};

    assert_int_equal(publish(g, "slow.block", "1").receivers, 1);
    assert_fails(gc_publish(g, "slow.block", gc_string("x"), NULL, NULL, GC_NOW), -EAGAIN);
    assert_fails(gc_publish(g, "slow.block", gc_string("x"), NULL, NULL, gc_after_ms(10)), -ETIMEDOUT);
    assert_next(g, c, "slow.block", "1");
    assert_fails(gc_publish_many(g, "slow.block", messages, 3, NULL, NULL, gc_after_ms(10)), 1);
    assert_next(g, c, "slow.block", "2");
    assert_nothing(g, c);
}

/* ---- a channel like any other ---- */

static void test_IP14_a_subscription_is_selected_with_channels(void **state)
{
    gc_client *g = *state;
    gc_chan c = subscribe(g, "select.*", 0, GC_SLOW_DROPS_NEWEST), other = make(g, "topics.select", 1);
    struct gc_value v = {0};
    struct gc_case cases[] = {gc_case_recv(other, &v), gc_case_recv(c, &v)};

    publish(g, "select.a", "x");
    assert_fails(gc_select(g, cases, 2, 0, GC_FOREVER), 1);
    assert_string_equal(gc_message(&v)->topic, "select.a");
    assert_value(&v, "x");
    assert_ok(gc_send(g, other, gc_string("y"), GC_FOREVER));
    assert_fails(gc_select(g, cases, 2, 0, GC_FOREVER), 0);
    assert_null(gc_message(&v));
    assert_value(&v, "y");
}

static void test_IP14_a_held_message_that_is_returned_comes_again(void **state)
{
    gc_client *g = *state;
    gc_chan c = subscribe(g, "held", 0, GC_SLOW_DROPS_NEWEST);
    struct gc_value v = {0}, many[2];

    publish(g, "held", "1");
    publish(g, "held", "2");
    assert_fails(gc_recv_many(g, c, many, 2, GC_HOLD, GC_FOREVER), 2);
    assert_string_equal(gc_message(&many[1])->topic, "held");
    assert_ok(gc_ack(g, &many[0]));
    assert_ok(gc_return(g, &many[1]));
    gc_value_clear(&many[0]);
    gc_value_clear(&many[1]);
    assert_fails(gc_recv(g, c, &v, GC_HOLD, GC_FOREVER), 1);
    assert_int_equal(v.flags, GC_RETURNED);
    assert_string_equal(gc_message(&v)->topic, "held");
    assert_ok(gc_ack(g, &v));
    assert_value(&v, "2");
}

static void test_IP14_a_window_fetches_messages_ahead(void **state)
{
    enum { MANY = 100 };
    gc_client *g = *state;
    gc_chan c = subscribe(g, "window", MANY, GC_SLOW_DROPS_NEWEST);
    struct gc_value v = {0};
    gc_window *w;
    int n = 0;

    for (int i = 0; i < MANY; i++)
        publish(g, "window", "x");
    assert_fails(gc_topic_close(g, "window", GC_FOREVER), 1);
    assert_ok(gc_window_open(g, c, 16, &w, GC_FOREVER));
    for (; gc_window_range(w, &v, 0, GC_FOREVER) > 0; n++)
        assert_string_equal(gc_message(&v)->topic, "window");
    assert_int_equal(n, MANY);
    gc_window_close(w);
}

struct came {
    char topic[16];
    int status;
};

static void came(gc_client *g, struct gc_end *end, void *arg)
{
    struct came *what = arg;

    what->status = end->status;
    if (end->status == 1)
        snprintf(what->topic, sizeof what->topic, "%s", gc_message(&end->value)->topic);
    gc_value_clear(&end->value);
}

static void test_IP14_a_message_ends_a_started_receive(void **state)
{
    struct gc_options options = {.size = sizeof options,
                                 .endpoint = node->endpoint,
                                 .answer_ms = NODE_ANSWER_MS,
                                 .flags = GC_NO_THREAD};
    struct came what = {.status = -1};
    gc_client *g;

    assert_ok(gc_connect(&options, &g, NULL));
    gc_chan c = subscribe(g, "started", 0, GC_SLOW_DROPS_NEWEST);
    assert_ok(gc_start_recv(g, c, 0, came, &what, NULL, GC_FOREVER));
    publish(g, "started", "x");
    while (what.status < 0)
        gc_dispatch(g, GC_FOREVER);
    assert_int_equal(what.status, 1);
    assert_string_equal(what.topic, "started");
    gc_disconnect(g);
}

static void test_IP14_nobody_sends_on_a_subscription_or_closes_it(void **state)
{
    gc_client *g = *state;
    gc_chan c = subscribe(g, "mine", 0, GC_SLOW_DROPS_NEWEST);

    assert_fails(gc_send(g, c, gc_string("x"), GC_FOREVER), -EPERM);
    assert_fails(gc_close(g, c, GC_FOREVER), -EPERM);
    assert_int_equal(gc_cap(g, c, GC_FOREVER), 1024);
}

static void test_IP14_a_close_ends_every_range_behind_what_there_is(void **state)
{
    gc_client *g = *state;
    gc_chan c = subscribe(g, "close", 0, GC_SLOW_DROPS_NEWEST);
    gc_chan wild = subscribe(g, "*", 0, GC_SLOW_DROPS_NEWEST);
    struct gc_value v = {0};

    publish(g, "close", "last");
    assert_fails(gc_topic_close(g, "close", GC_FOREVER), 1);
    assert_fails(gc_topic_close(g, "close", GC_FOREVER), 0);
    assert_int_equal(publish(g, "close", "late").receivers, 1);
    assert_fails(gc_range(g, c, &v, 0, GC_FOREVER), 1);
    assert_fails(gc_range(g, c, &v, 0, GC_FOREVER), 0);
    assert_next(g, wild, "close", "last");
    assert_next(g, wild, "close", "late");
}

/* ---- topics ---- */

static void test_IP14_topics_are_listed_with_what_became_of_their_messages(void **state)
{
    gc_client *g = *state;
    gc_chan a = subscribe(g, "list.a", 1, GC_SLOW_DROPS_NEWEST);
    gc_chan b = subscribe(g, "list.b", 0, GC_SLOW_DROPS_NEWEST);
    struct gc_topic_page page;

    publish_five(g, "list.a", 1, 4);
    assert_fails(gc_topics(g, "list.*", NULL, 0, &page, GC_FOREVER), 2);
    assert_string_equal(page.items[0].name, "list.a");
    assert_string_equal(page.items[1].name, "list.b");
    assert_false(page.more);
    gc_topic_page_clear(&page);
    assert_fails(gc_topics(g, "list.*", "list.a", 1, &page, GC_FOREVER), 1);
    assert_string_equal(page.items[0].name, "list.b");
    gc_topic_page_clear(&page);
    assert_ok(gc_topic_info(g, "list.a", &page, GC_FOREVER));
    assert_int_equal(page.items[0].subscriptions, 1);
    assert_int_equal(page.items[0].published, 5);
    assert_int_equal(page.items[0].delivered, 1);
    assert_int_equal(page.items[0].dropped, 4);
    assert_false(page.items[0].durable);
    gc_topic_page_clear(&page);
    assert_ok(gc_drop(g, a));
    assert_ok(gc_drop(g, b));
    assert_fails(gc_topic_info(g, "list.a", &page, GC_FOREVER), -ENOENT);
    assert_null(page.items);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, connect_client, disconnect_client)

/* ---- topics that are kept ---- */

static void test_IP15_what_is_kept_has_a_sequence_and_an_id_is_taken_once(void **state)
{
    struct gc_publish_options once = {.size = sizeof once, .once = "first"};
    struct gc_publish_options expects = {.size = sizeof expects, .expects = true};
    gc_client *g = *state;
    gc_chan c = subscribe(g, "kept.*", 0, GC_SLOW_DROPS_NEWEST);
    struct gc_published first, again;
    struct gc_value v = {0};

    assert_fails(gc_publish(g, "live", gc_string("x"), &once, NULL, GC_FOREVER), -EINVAL);
    assert_ok(gc_topic_set(g, "kept.>", "durable=yes", GC_FOREVER));
    assert_ok(gc_publish(g, "kept.a", gc_string("1"), &once, &first, GC_FOREVER));
    assert_true(first.sequence > 0);
    assert_int_equal(first.repeated, 0);
    assert_ok(gc_publish(g, "kept.a", gc_string("1"), &once, &again, GC_FOREVER));
    assert_int_equal(again.sequence, first.sequence);
    assert_int_equal(again.repeated, 1);
    assert_fails(gc_recv(g, c, &v, 0, GC_FOREVER), 1);
    assert_int_equal(gc_message(&v)->sequence, first.sequence);
    assert_value(&v, "1");
    assert_nothing(g, c);
    assert_fails(gc_publish(g, "kept.a", gc_string("2"), &expects, NULL, GC_FOREVER), -ESTALE);
    expects.expected = first.sequence;
    assert_ok(gc_publish(g, "kept.a", gc_string("2"), &expects, &again, GC_FOREVER));
    assert_true(again.sequence > first.sequence);
}

static void test_IP15_what_is_set_of_a_topic_is_told_with_its_origin(void **state)
{
    struct gc_topic_page page;
    gc_client *g = *state;
    bool kept = false;

    assert_fails(gc_topic_unset(g, "rules.a", GC_FOREVER), -ENOENT);
    assert_fails(gc_topic_set(g, "rules.a", "durable=perhaps", GC_FOREVER), -EINVAL);
    assert_non_null(strstr(gc_why(), "durable"));
    assert_ok(gc_topic_set(g, "rules.a", "durable=yes keep_messages=5", GC_FOREVER));
    for (int i = 0; i < 3; i++)
        publish(g, "rules.a", "text");
    assert_ok(gc_topic_info(g, "rules.a", &page, GC_FOREVER));
    const struct gc_topic_info *info = page.items;
    assert_true(info->durable && info->last_us > 0);
    assert_int_equal(info->messages, 3);
    assert_true(info->first_sequence > 0 && info->last_sequence == info->first_sequence + 2);
    for (size_t i = 0; i < info->settings_n; i++)
        kept |= !strcmp(info->settings[i].name, "set.keep_messages") && info->settings[i].value == 5;
    assert_true(kept);
    gc_topic_page_clear(&page);
    assert_ok(gc_topic_unset(g, "rules.a", GC_FOREVER));
    assert_int_equal(publish(g, "rules.a", "text").sequence, 0);
}

static gc_chan subscribe_from(gc_client *g, const char *pattern, const struct gc_subscribe_options *from)
{
    struct gc_subscribe_options options = *from;
    gc_chan c;

    options.size = sizeof options;
    options.capacity = 2;
    assert_ok(gc_subscribe(g, pattern, &options, &c, GC_FOREVER));
    return c;
}

static void test_IP15_8_a_subscription_begins_in_the_past_and_loses_nothing(void **state)
{
    enum { MANY = 300 };
    gc_client *g = *state;
    uint64_t sequences[MANY];
    struct gc_value v = {0};
    char text[16];

    assert_ok(gc_topic_set(g, "past.>", "durable=yes", GC_FOREVER));
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "%d", i);
        sequences[i] = publish(g, i % 2 ? "past.odd" : "past.even", text).sequence;
    }
    gc_chan all = subscribe_from(g, "past.*", &(struct gc_subscribe_options){.from = GC_FROM_START});
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_fails(gc_range(g, all, &v, 0, GC_FOREVER), 1);
        assert_int_equal(gc_message(&v)->sequence, sequences[i]);
        assert_int_equal(gc_message(&v)->lost, 0);
        assert_string_equal(v.data, text);
    }
    gc_value_clear(&v);
    gc_chan late = subscribe_from(
        g, "past.odd",
        &(struct gc_subscribe_options){.from = GC_FROM_SEQUENCE, .from_sequence = sequences[298]});
    assert_next(g, late, "past.odd", "299");
    gc_chan future = subscribe_from(
        g, "past.odd", &(struct gc_subscribe_options){.from = GC_FROM_TIME, .from_time_us = INT64_MAX / 2});
    publish(g, "past.odd", "new");
    assert_next(g, all, "past.odd", "new");
    assert_next(g, late, "past.odd", "new");
    assert_nothing(g, future);
}

static void test_IP15_5_a_purge_and_a_removal_tell_what_went(void **state)
{
    gc_client *g = *state;
    struct gc_topic_page page;
    uint64_t third = 0;

    assert_ok(gc_topic_set(g, "purge.a", "durable=yes", GC_FOREVER));
    for (int i = 0; i < 10; i++) {
        struct gc_published published = publish(g, "purge.a", "text");
        third = i == 2 ? published.sequence : third;
    }
    assert_int_equal(gc_topic_purge(g, "purge.a", third, 0, GC_FOREVER), 3);
    assert_int_equal(gc_topic_purge(g, "purge.a", 0, 5, GC_FOREVER), 2);
    assert_int_equal(gc_topic_purge(g, "purge.a", third, 5, GC_FOREVER), -EINVAL);
    assert_ok(gc_topic_info(g, "purge.a", &page, GC_FOREVER));
    assert_int_equal(page.items[0].messages, 5);
    gc_topic_page_clear(&page);
    gc_chan last = subscribe_from(g, "purge.*", &(struct gc_subscribe_options){.from = GC_FROM_LAST});
    assert_next(g, last, "purge.a", "text");
    assert_nothing(g, last);
    assert_int_equal(gc_topic_remove(g, "purge.a", GC_FOREVER), 5);
    assert_int_equal(gc_topic_remove(g, "purge.a", GC_FOREVER), -ENOENT);
    assert_int_equal(gc_topic_purge(g, "purge.none", 0, 0, GC_FOREVER), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP14_everybody_who_has_subscribed_gets_it_and_nobody_else),
        TEST(test_IP14_a_message_tells_of_its_topic_time_key_and_headers),
        TEST(test_IP14_a_value_of_another_channel_has_no_message),
        TEST(test_IP14_patterns_match_parts_of_topics),
        TEST(test_IP14_what_is_no_topic_or_pattern_is_refused),
        TEST(test_IP14_many_messages_come_in_order_and_large_ones_whole),
        TEST(test_IP14_what_cannot_be_published_is_refused_here),
        TEST(test_IP14_what_is_dropped_is_counted_and_told),
        TEST(test_IP14_the_oldest_is_dropped_when_that_is_the_policy),
        TEST(test_IP14_a_subscription_that_is_disconnected_ends_behind_what_it_has),
        TEST(test_IP14_a_publisher_waits_for_a_subscription_that_blocks),
        TEST(test_IP14_a_subscription_is_selected_with_channels),
        TEST(test_IP14_a_held_message_that_is_returned_comes_again),
        TEST(test_IP14_a_window_fetches_messages_ahead),
        TEST(test_IP14_a_message_ends_a_started_receive),
        TEST(test_IP14_nobody_sends_on_a_subscription_or_closes_it),
        TEST(test_IP14_a_close_ends_every_range_behind_what_there_is),
        TEST(test_IP14_topics_are_listed_with_what_became_of_their_messages),
        TEST(test_IP15_what_is_kept_has_a_sequence_and_an_id_is_taken_once),
        TEST(test_IP15_what_is_set_of_a_topic_is_told_with_its_origin),
        TEST(test_IP15_5_a_purge_and_a_removal_tell_what_went),
        TEST(test_IP15_8_a_subscription_begins_in_the_past_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
