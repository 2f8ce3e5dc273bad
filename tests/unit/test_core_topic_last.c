/* The last message of live topics (IP14.13): what is remembered, for how long, and who begins with it. */
#include <stdio.h>

#include "kept_fixture.h"
#include "topic.h"

static uint64_t from_last_as(struct client *c, const char *pattern, struct request_subscribe what)
{
    what.from = FROM_LAST;
    return replay(c, pattern, what);
}

static uint64_t from_last(struct client *c, const char *pattern)
{
    return from_last_as(c, pattern, (struct request_subscribe){0});
}

static int setup(void **state)
{
    int r = kept_setup(state);

    set_topic(a, "l.>", "last=yes");
    return r;
}

/* The number of messages that are remembered. */
static uint64_t remembered(void)
{
    return rig_stat(d->rig, "topics.lasts");
}

static uint64_t purge(struct client *c, struct request_topic_purge what)
{
    return client_do(c, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = what});
}

static uint64_t empty(struct client *c, const char *topic)
{
    return publish_with(c, topic, (struct wishes){.body = ""});
}

/* ---- who begins with it ---- */

static void test_IP14_13_a_subscription_begins_with_the_last_message_of_each_topic(void **state)
{
    publish(a, "l.x", "1 2");
    publish(a, "l.y", "3");
    publish(b, "l.x", "4");
    publish(a, "other", "5");
    uint64_t all = from_last(b, "l.>"), x = from_last(b, "l.x"), none = from_last(b, "l.none");
    publish(a, "l.x", "6");
    publish(a, "l.none", "7 8");
    assert_has(b, all, "3 4 6 7 8 ");
    assert_has(b, x, "4 6 ");
    assert_has(b, none, "7 8 ");
    assert_has(b, subscribe(b, "l.>"), "");
}

static void test_IP14_13_what_was_there_before_says_so_and_when_it_was(void **state)
{
    int64_t time_us = d->rig->now.wall_ns / 1000;

    publish(a, "l.x", "1");
    published(a, "k.x", "2 3");
    kept_after(SECOND);
    uint64_t h = from_last(b, ">");
    publish(a, "l.x", "4");
    published(a, "k.x", "5");
    uint64_t op = recv_many(b, h, 9);
    assert_values(b, op, "1 3 4 5 ");
    const struct got *g = got(b, op);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(g->value[i].flags, i < 2 ? VALUE_LAST : 0);
        assert_int_equal(g->value[i].time_us, time_us + (i < 2 ? 0 : SECOND / 1000));
    }
}

static void test_IP14_13_who_gives_one_back_has_it_again_as_it_was(void **state)
{
    publish(a, "l.x", "1");
    uint64_t h = from_last(b, "l.x"), op = recv_many(b, h, 1);

    give_back(b, op, 0);
    op = recv_many(b, h, 1);
    assert_int_equal(got(b, op)->value[0].flags, VALUE_RETURNED | VALUE_LAST);
}

static void test_IP14_13_they_have_room_beside_the_capacity(void **state)
{
    char topic[] = "l.a";
    char expect[64] = "";

    for (int i = 0; i < 9; i++, topic[2]++) {
        publish(a, topic, (char[]){(char)('1' + i), 0});
        snprintf(expect + strlen(expect), sizeof(expect) - strlen(expect), "%d ", i + 1);
    }
    for (uint32_t full = TOPIC_DROP_NEWEST; full <= TOPIC_BLOCK; full++) {
        uint64_t h = from_last_as(b, "l.*", (struct request_subscribe){.capacity = 1, .full = full});
        assert_told(a, publish(a, "l.x", "m"), 1, 1, 0);
        client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}});
        client_do(a, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {.topic = {"l.x", 3}}});
    }
    uint64_t h = from_last_as(b, "l.*", (struct request_subscribe){.capacity = 1});
    assert_has(b, h, expect);
    assert_told(a, publish(a, "l.x", "m n"), 2, 1, 1);
    assert_has(b, h, "m ");
}

static void test_IP14_13_where_memory_of_the_subscriber_is_out_they_are_lost_and_counted(void **state)
{
    publish(a, "l.x", "1");
    d->rig->core->limits.account_bytes_max = 1;
    uint64_t h = from_last(b, "l.x");
    uint64_t gone = from_last_as(b, "l.x", (struct request_subscribe){.full = TOPIC_DISCONNECT});
    d->rig->core->limits.account_bytes_max = 1 << 20;
    publish(a, "l.x", "2");
    uint64_t op = recv_many(b, h, 9);
    assert_values(b, op, "2 ");
    assert_int_equal(got(b, op)->value[0].lost, 1);
    assert_status(b, recv_many(b, gone, 9), -ENOBUFS);
}

static void test_IP14_13_it_has_kept_topics_too(void **state)
{
    published(a, "k.x", "1 2");
    publish(a, "l.x", "3 4");
    uint64_t h = from_last_as(b, ">", (struct request_subscribe){.capacity = 2});
    assert_told(a, publish(a, "l.x", "5"), 1, 1, 0);
    published(a, "k.x", "6 7 8");
    for (int got_n = 0; got_n < 6; got_n++) {
        uint64_t op = recv_many(at_once(b), h, 1);

        assert_status(b, op, 1);
        ack(b, op, 0);
        stored(d);
    }
    assert_has(b, h, "");
}

static void test_IP14_13_a_subscription_of_this_kind_is_one_of_its_pattern(void **state)
{
    publish(a, "l.x", "1");
    uint64_t h = from_last(b, "l.x");

    assert_int_equal(info_of(a, "l.x").subscriptions, 1);
    assert_status(
        a, client_do(a, (struct request){.verb = VERB_TOPIC_CLOSE, .topic_close.topic = {"l.x", 3}}), 1);
    assert_has(b, h, "1 ");
    assert_status(b, recv_many(b, h, 1), 0);
}

/* ---- what is remembered ---- */

static void test_IP14_13_only_topics_with_such_a_rule_are_remembered(void **state)
{
    set_topic(a, "l.not", "last=no");
    set_topic(a, "k.x", "last=yes durable=yes");
    publish(a, "other", "1");
    publish(a, "l.not", "2");
    published(a, "k.x", "3");
    assert_int_equal(remembered(), 0);
    assert_has(b, from_last(b, "l.not"), "");
    publish(a, "l.yes", "4");
    assert_int_equal(remembered(), 1);
}

static void test_IP14_13_an_empty_message_is_one_or_the_end_as_the_rule_says(void **state)
{
    publish(a, "l.x", "1");
    empty(a, "l.x");
    uint64_t h = from_last(b, "l.x");
    assert_has(b, h, " ");
    set_topic(a, "l.>", "last=until-empty");
    publish(a, "l.x", "2");
    assert_has(b, from_last(b, "l.x"), "2 ");
    assert_told(a, empty(a, "l.x"), 1, 2, 0);
    assert_has(b, h, "2  ");
    assert_int_equal(remembered(), 0);
    assert_has(b, from_last(b, "l.x"), "");
    empty(a, "l.x");
    assert_int_equal(remembered(), 0);
}

static void test_IP14_13_a_purge_forgets_it(void **state)
{
    publish(a, "l.x", "1");
    publish(a, "l.y", "2");
    uint64_t op = purge(b, (struct request_topic_purge){{"l.x", 3}, .keep = 1});
    assert_status(b, op, 0);
    assert_int_equal(got(b, op)->handle, 0);
    op = purge(b, (struct request_topic_purge){.topic = {"l.x", 3}});
    assert_int_equal(got(b, op)->handle, 1);
    assert_has(b, from_last(b, "l.>"), "2 ");
    op = purge(b, (struct request_topic_purge){.topic = {"l.x", 3}});
    assert_status(b, op, 0);
    assert_int_equal(got(b, op)->handle, 0);
    assert_status(b, purge(b, (struct request_topic_purge){.topic = {"other", 5}}), -ENOENT);
    assert_status(b, purge(b, (struct request_topic_purge){.topic = {"l.*", 3}}), -ENOENT);
    assert_status(b, purge(b, (struct request_topic_purge){{"l.y", 3}, .up_to = 1}), -ENOENT);
    op = client_do(b, (struct request){.verb = VERB_TOPIC_REMOVE, .topic_remove.topic = {"l.y", 3}});
    assert_int_equal(got(b, op)->handle, 1);
    assert_int_equal(remembered(), 0);
}

static void test_IP14_13_it_is_forgotten_when_no_rule_says_so_any_more(void **state)
{
    set_topic(a, "l.x.>", "last=yes");
    publish(a, "l.x.a", "1");
    publish(a, "l.y", "2");
    set_topic(a, "l.>", "last=no");
    assert_has(b, from_last(b, "l.>"), "1 ");
    assert_int_equal(remembered(), 1);
    client_do(
        a, (struct request){.verb = VERB_TOPIC_SET, .topic_set = {.pattern = {"l.x.>", 5}, .remove = true}});
    stored(d);
    assert_has(b, from_last(b, "l.>"), "");
    publish(a, "l.x.a", "3");
    assert_int_equal(remembered(), 0);
}

static void test_IP14_13_a_topic_that_is_kept_now_is_forgotten(void **state)
{
    publish(a, "l.x", "1");
    set_topic(a, "l.x", "durable=yes");
    assert_int_equal(remembered(), 0);
    assert_has(b, from_last(b, "l.x"), "");
}

static void test_IP14_13_it_is_gone_with_the_daemon(void **state)
{
    publish(a, "l.x", "1");
    kept_restart();
    assert_has(b, from_last(b, "l.x"), "");
    publish(a, "l.x", "2");
    assert_has(b, from_last(b, "l.x"), "2 ");
}

static void test_IP14_13_a_publish_that_waits_is_not_the_last_one_yet(void **state)
{
    publish(a, "l.x", "1");
    uint64_t h = subscribe_full(b, "l.x", 1, TOPIC_BLOCK), p;
    publish(a, "l.x", "2");
    p = publish(a, "l.x", "3");
    assert_waits(a, p);
    uint64_t last = from_last(b, "l.x");
    assert_has(b, last, "2 ");
    assert_has(b, h, "2 ");
    assert_status(a, p, 1);
    assert_has(b, last, "3 ");
    assert_has(b, from_last(b, "l.x"), "3 ");
}

static void test_IP14_13_topics_with_one_are_told_though_nobody_has_subscribed(void **state)
{
    publish(a, "l.x", "1");
    publish(a, "l.y", "22");
    published(a, "k.x", "3");
    subscribe(b, "l.y");
    subscribe(b, "a");
    uint64_t op = client_do(b, (struct request){.verb = VERB_TOPIC_LIST});
    assert_string_equal(got(b, op)->names, "a k.x l.x l.y ");
    op = client_do(b, (struct request){.verb = VERB_TOPIC_LIST, .topic_list.pattern = {"l.*", 3}});
    assert_string_equal(got(b, op)->names, "l.x l.y ");
    struct topic_info info = info_of(b, "l.y");
    assert_true(!info.durable && info.messages == 1 && info.bytes == 2 && info.subscriptions == 1);
    assert_int_equal(info.last_us, d->rig->now.wall_ns / 1000);
    assert_int_equal(info_of(b, "l.none").messages, 0);
}

static void test_IP14_13_a_topic_that_is_no_longer_kept_has_what_it_kept_and_a_last_message(void **state)
{
    published(a, "k.x", "1 2");
    set_topic(a, "k.>", "durable=no last=yes");
    publish(a, "k.x", "3");
    uint64_t h = from_last(b, "k.x");
    assert_has(b, h, "3 2 ");
    uint64_t op = client_do(b, (struct request){.verb = VERB_TOPIC_LIST});
    assert_string_equal(got(b, op)->names, "k.x ");
    purge(b, (struct request_topic_purge){.topic = {"k.x", 3}});
    stored(d);
    assert_has(b, from_last(b, "k.x"), "");
}

/* ---- limits ---- */

static void test_IP14_13_number_and_bytes_of_one_user_are_limited(void **state)
{
    struct limits *limits = &d->rig->core->limits;

    limits->lasts_max = 2;
    publish(a, "l.x", "1");
    publish(a, "l.y", "2");
    assert_told(a, publish(a, "l.z", "3"), 1, 0, 0);
    assert_has(b, from_last(b, "l.>"), "1 2 ");
    assert_int_equal(rig_stat(d->rig, "topics.lasts_refused"), 1);
    publish(a, "l.x", "4");
    assert_has(b, from_last(b, "l.>"), "2 4 ");
    struct client *c = client_of(d->rig, 1001);
    publish(c, "l.z", "5");
    assert_has(b, from_last(b, "l.>"), "2 4 5 ");
    limits->last_bytes_max = rig_stat(d->rig, "topics.lasts_bytes") * 2 / 3;
    publish(a, "l.x", "66");
    assert_has(b, from_last(b, "l.>"), "2 5 ");
    publish(a, "l.x", "6");
    assert_has(b, from_last(b, "l.>"), "2 5 6 ");
    assert_int_equal(rig_stat(d->rig, "topics.lasts_refused"), 2);
}

static void test_IP14_13_who_publishes_pays(void **state)
{
    struct client *c = client_of(d->rig, 1001);

    d->rig->core->limits.lasts_max = 1;
    publish(a, "l.x", "1");
    publish(c, "l.x", "2");
    publish(a, "l.y", "3");
    publish(c, "l.z", "4");
    client_die(a);
    assert_has(b, from_last(b, "l.>"), "2 3 ");
}

/* ---- turns ---- */

static void fill(size_t n)
{
    char topic[16];

    for (size_t i = 0; i < n; i++) {
        snprintf(topic, sizeof(topic), "l.%zu", i);
        publish(a, topic, "m");
    }
}

/* A subscription for all of these; its SUBSCRIBE. */
static uint64_t begins(struct client *c)
{
    return subscribe_as(c, (struct request_subscribe){.pattern = {"l.*", 3}, .from = FROM_LAST});
}

static void turn(void)
{
    rig_step(d->rig, &(struct input){.kind = IN_TICK});
}

static void test_IP14_13_many_come_in_many_turns_and_what_is_published_then_behind_them(void **state)
{
    fill(10);
    rig_sweep(d->rig);
    d->rig->core->limits.sweep_per_turn = 4;
    rig_sweep(d->rig);
    uint64_t op = begins(b);
    uint64_t h = got(b, op)->handle, p = publish(a, "l.0", "n");
    uint64_t later = subscribe_as(b, (struct request_subscribe){.pattern = {"l.0", 3}, .from = FROM_LAST});
    assert_waits(a, p);
    assert_has(b, h, "m m m m ");
    rig_sweep(d->rig);
    assert_told(a, p, 1, 1, 0);
    assert_has(b, h, "m m m m m m n ");
    assert_has(b, got(b, later)->handle, "n ");
}

static void test_IP14_13_what_goes_meanwhile_does_not_come(void **state)
{
    fill(10);
    d->rig->core->limits.sweep_per_turn = 4;
    rig_sweep(d->rig);
    struct client *c = client_of(d->rig, 1001);
    uint64_t op = begins(b), gone = begins(c);
    uint64_t h = got(b, op)->handle;
    purge(a, (struct request_topic_purge){.topic = {"l.4", 3}});
    purge(a, (struct request_topic_purge){.topic = {"l.9", 3}});
    client_do(c, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {got(c, gone)->handle}});
    rig_sweep(d->rig);
    assert_has(b, h, "m m m m m m m m ");
    op = begins(b);
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {got(b, op)->handle}});
    rig_sweep(d->rig);
    assert_told(a, publish(a, "l.x", "1"), 1, 1, 0);
}

static void test_IP14_13_a_rule_lets_many_go_in_many_turns_and_nobody_has_them_meanwhile(void **state)
{
    fill(10);
    d->rig->core->limits.sweep_per_turn = 2;
    rig_sweep(d->rig);
    client_do(a, (struct request){.verb = VERB_TOPIC_SET,
                                  .topic_set = {.pattern = {"l.>", 3}, .settings = {"last=no", 7}}});
    assert_true(remembered() > 0);
    assert_int_equal(info_of(b, "l.9").messages, 0);
    uint64_t op = client_do(b, (struct request){.verb = VERB_TOPIC_LIST});
    assert_string_equal(got(b, op)->names, "");
    op = client_do(a, (struct request){.verb = VERB_TOPIC_SET,
                                       .topic_set = {.pattern = {"l.>", 3}, .settings = {"last=yes", 8}}});
    assert_waits(a, op);
    stored(d);
    assert_status(a, op, 0);
    assert_int_equal(remembered(), 0);
    publish(a, "l.x", "1");
    assert_int_equal(remembered(), 1);
}

/* In the order in which they came; who is gone is passed over. */
static void test_IP14_13_rules_are_set_when_the_one_before_has_let_all_go(void **state)
{
    struct client *c = client_of(d->rig, 0);
    static const char *const settings[] = {"last=yes", "last=no", "last=until-empty", "colour=red"};
    uint64_t op[4], cancelled;

    fill(10);
    d->rig->core->limits.sweep_per_turn = 2;
    rig_sweep(d->rig);
    client_do(a, (struct request){.verb = VERB_TOPIC_SET,
                                  .topic_set = {.pattern = {"l.>", 3}, .settings = {"last=no", 7}}});
    for (int i = 0; i < 4; i++)
        op[i] = client_do(c, (struct request){.verb = VERB_TOPIC_SET,
                                              .topic_set = {.pattern = {"l.>", 3},
                                                            .settings = {settings[i], strlen(settings[i])}}});
    assert_status(c, op[3], -EINVAL);
    assert_waits(c, op[0]);
    client_do(b,
              (struct request){.verb = VERB_TOPIC_SET, .topic_set = {.pattern = {">", 1}, .remove = true}});
    client_die(b);
    cancelled =
        client_do(a, (struct request){.verb = VERB_TOPIC_SET,
                                      .topic_set = {.pattern = {"l.>", 3}, .settings = {"durable=yes", 11}}});
    cancel(a, cancelled);
    assert_status(a, cancelled, -ECANCELED);
    stored(d);
    for (int i = 0; i < 3; i++)
        assert_status(c, op[i], 0);
    publish(a, "l.x", "1");
    publish(a, "l.y", "2");
    empty(a, "l.y");
    assert_int_equal(remembered(), 1);
}

static void test_IP14_13_a_rule_that_lets_nothing_go_or_one_is_set_at_once(void **state)
{
    fill(10);
    d->rig->core->limits.sweep_per_turn = 1;
    rig_sweep(d->rig);
    for (int i = 0; i < 2; i++) {
        client_do(
            a, (struct request){.verb = VERB_TOPIC_SET,
                                .topic_set = {.pattern = {"l.>", 3}, .settings = {"last=until-empty", 16}}});
        client_do(
            a, (struct request){.verb = VERB_TOPIC_SET,
                                .topic_set = {.pattern = {"k.>", 3}, .settings = {"keep_messages=9", 15}}});
    }
    assert_int_equal(remembered(), 10);
    client_do(a, (struct request){.verb = VERB_TOPIC_SET,
                                  .topic_set = {.pattern = {"l.3", 3}, .settings = {"last=no", 7}}});
    assert_int_equal(remembered(), 9);
    client_do(a,
              (struct request){.verb = VERB_TOPIC_SET, .topic_set = {.pattern = {"l.3", 3}, .remove = true}});
    stored(d);
    assert_int_equal(remembered(), 9);
}

/* Nobody has to wait for more than one of each user. */
static void test_IP14_13_a_user_begins_with_one_at_a_time_and_others_publish_between(void **state)
{
    struct client *c = client_of(d->rig, 1001);
    uint64_t op[3], p;

    fill(6);
    d->rig->core->limits.sweep_per_turn = 2;
    rig_sweep(d->rig);
    for (int i = 0; i < 3; i++)
        op[i] = begins(b);
    assert_status(b, op[0], 0);
    assert_waits(b, op[1]);
    p = publish(c, "l.0", "n");
    for (int i = 0; i < 9 && !got(c, p); i++)
        turn();
    assert_told(c, p, 1, 1, 0);
    assert_waits(b, op[2]);
    rig_sweep(d->rig);
    assert_has(b, got(b, op[0])->handle, "m m m m m m n ");
    assert_has(b, got(b, op[1])->handle, "m m m m m n ");
    assert_has(b, got(b, op[2])->handle, "m m m m m n ");
    p = publish(c, "l.0", "o");
    rig_sweep(d->rig);
    assert_told(c, p, 1, 3, 0);
}

static void test_IP14_13_who_is_gone_before_its_turn_is_passed_over(void **state)
{
    struct client *c = client_of(d->rig, 1000), *e = client_of(d->rig, 1000), *gone = client_of(d->rig, 1000);
    uint64_t first, second, cancelled;

    fill(6);
    d->rig->core->limits.sweep_per_turn = 2;
    rig_sweep(d->rig);
    first = begins(c);
    begins(gone);
    cancelled = begins(c);
    begins(gone);
    second = begins(e);
    cancel(c, cancelled);
    assert_status(c, cancelled, -ECANCELED);
    client_die(gone);
    client_do(c, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {got(c, first)->handle}});
    rig_sweep(d->rig);
    assert_status(e, second, 0);
    assert_has(e, got(e, second)->handle, "m m m m m m ");
    assert_status(e, begins(e), 0);
}

static void test_IP14_13_who_waits_for_his_turn_is_charged(void **state)
{
    fill(6);
    d->rig->core->limits.sweep_per_turn = 2;
    rig_sweep(d->rig);
    begins(b);
    d->rig->core->limits.waiters_max = 1;
    uint64_t waits = begins(b);
    assert_waits(b, waits);
    assert_status(b, begins(b), -ENOBUFS);
    d->rig->core->limits.subscriptions_max = 1;
    rig_sweep(d->rig);
    assert_status(b, waits, -ENOBUFS);
    d->rig->core->limits.subscriptions_max = 9;
    assert_status(b, begins(b), 0);
}

static void test_IP14_13_who_waits_there_receives(void **state)
{
    fill(3);
    d->rig->core->limits.sweep_per_turn = 1;
    rig_sweep(d->rig);
    uint64_t op = begins(b);
    uint64_t h = got(b, op)->handle;
    assert_has(b, h, "m ");
    uint64_t r = recv_many(b, h, 9);
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}});
    rig_sweep(d->rig);
    assert_status(b, r, -ECANCELED);
}

#define LAST_TEST(test) cmocka_unit_test_setup_teardown(test, setup, durable_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAST_TEST(test_IP14_13_a_subscription_begins_with_the_last_message_of_each_topic),
        LAST_TEST(test_IP14_13_what_was_there_before_says_so_and_when_it_was),
        LAST_TEST(test_IP14_13_who_gives_one_back_has_it_again_as_it_was),
        LAST_TEST(test_IP14_13_they_have_room_beside_the_capacity),
        LAST_TEST(test_IP14_13_where_memory_of_the_subscriber_is_out_they_are_lost_and_counted),
        LAST_TEST(test_IP14_13_it_has_kept_topics_too),
        LAST_TEST(test_IP14_13_a_subscription_of_this_kind_is_one_of_its_pattern),
        LAST_TEST(test_IP14_13_only_topics_with_such_a_rule_are_remembered),
        LAST_TEST(test_IP14_13_an_empty_message_is_one_or_the_end_as_the_rule_says),
        LAST_TEST(test_IP14_13_a_purge_forgets_it),
        LAST_TEST(test_IP14_13_it_is_forgotten_when_no_rule_says_so_any_more),
        LAST_TEST(test_IP14_13_a_topic_that_is_kept_now_is_forgotten),
        LAST_TEST(test_IP14_13_it_is_gone_with_the_daemon),
        LAST_TEST(test_IP14_13_a_publish_that_waits_is_not_the_last_one_yet),
        LAST_TEST(test_IP14_13_topics_with_one_are_told_though_nobody_has_subscribed),
        LAST_TEST(test_IP14_13_a_topic_that_is_no_longer_kept_has_what_it_kept_and_a_last_message),
        LAST_TEST(test_IP14_13_number_and_bytes_of_one_user_are_limited),
        LAST_TEST(test_IP14_13_who_publishes_pays),
        LAST_TEST(test_IP14_13_many_come_in_many_turns_and_what_is_published_then_behind_them),
        LAST_TEST(test_IP14_13_what_goes_meanwhile_does_not_come),
        LAST_TEST(test_IP14_13_a_rule_lets_many_go_in_many_turns_and_nobody_has_them_meanwhile),
        LAST_TEST(test_IP14_13_rules_are_set_when_the_one_before_has_let_all_go),
        LAST_TEST(test_IP14_13_a_rule_that_lets_nothing_go_or_one_is_set_at_once),
        LAST_TEST(test_IP14_13_a_user_begins_with_one_at_a_time_and_others_publish_between),
        LAST_TEST(test_IP14_13_who_is_gone_before_its_turn_is_passed_over),
        LAST_TEST(test_IP14_13_who_waits_for_his_turn_is_charged),
        LAST_TEST(test_IP14_13_who_waits_there_receives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
