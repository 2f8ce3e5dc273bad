/* Kept topics (IP15): what is said when, what is remembered, what goes. */
#include "kept.h"
#include "kept_fixture.h"
#include "topic_log.h"

/* ---- rules ---- */

static void test_IP15_1_a_topic_is_kept_when_the_rule_that_fits_best_says_so(void **state)
{
    set_topic(a, "k.not.*", "durable=no");
    assert_int_equal(published(a, "k.x", "1"), 1);
    publish(a, "k.not.y", "1");
    assert_status(a, a->op, 1);
    assert_int_equal(got(a, a->op)->published.sequence, 0);
    assert_true(info_of(a, "k.x").durable);
    assert_false(info_of(a, "k.not.y").durable);
}

static void test_IP15_1_settings_are_told_with_their_origin(void **state)
{
    const struct topic_part part = {.policy = {.keep_for = 60}, .set = 1u << TOPIC_keep_for};

    core_set_topic(d->rig->core, (struct bytes){"c.>", 3}, &part);
    set_topic(a, "c.>", "keep_messages=7");
    struct topic_info info = info_of(a, "c.>");
    assert_int_equal(info.settings_n, TOPIC_FIELDS);
    kept_restart();
    assert_status(a, set_topic(a, "c.>", "keep_messages="), 0);
}

static void test_IP15_1_what_makes_no_sense_is_refused_in_words(void **state)
{
    set_topic(a, "k.x", "keep_for=long");
    assert_status(a, a->op, -EINVAL);
    assert_non_null(strstr(got(a, a->op)->text, "'keep_for=long' is not a number of seconds"));
    set_topic(a, "k..x", "keep_for=1");
    assert_status(a, a->op, -EINVAL);
    assert_non_null(strstr(got(a, a->op)->text, "k..x"));
}

static void test_IP15_1_a_rule_that_is_removed_counts_no_more(void **state)
{
    client_do(a,
              (struct request){.verb = VERB_TOPIC_SET, .topic_set = {.pattern = {"k.>", 3}, .remove = true}});
    stored(d);
    assert_status(a, a->op, 0);
    publish(a, "k.x", "1");
    assert_int_equal(got(a, a->op)->published.sequence, 0);
    client_do(a,
              (struct request){.verb = VERB_TOPIC_SET, .topic_set = {.pattern = {"k.>", 3}, .remove = true}});
    assert_status(a, a->op, -ENOENT);
}

static void test_IP15_1_rules_outlive_the_daemon(void **state)
{
    kept_restart();
    assert_int_equal(published(a, "k.x", "1"), 1);
}

static void test_IP15_1_there_are_at_most_topic_rules_max(void **state)
{
    d->rig->core->limits.topic_rules_max = 2;
    set_topic(a, "p.1", "durable=yes");
    assert_status(a, a->op, 0);
    set_topic(a, "p.2", "durable=yes");
    assert_status(a, a->op, -ENOBUFS);
    set_topic(a, "p.1", "durable=no");
    assert_status(a, a->op, 0);
}

/* ---- the store first ---- */

static void test_IP15_2_nobody_sees_what_is_not_stored(void **state)
{
    uint64_t sub = subscribe(b, "k.>"), op = publish(a, "k.x", "1 2");

    assert_waits(a, op);
    assert_has(b, sub, "");
    stored(d);
    assert_told(a, op, 2, 2, 0);
    assert_has(b, sub, "1 2 ");
}

static void test_IP15_2_a_full_store_fails_that_publish_alone(void **state)
{
    uint64_t sub = subscribe(b, "k.>"), op = publish(a, "k.x", "1");

    store_full(d);
    assert_status(a, op, -ENOSPC);
    assert_has(b, sub, "");
    assert_int_equal(info_of(a, "k.x").messages, 0);
    published(a, "k.x", "2");
    assert_has(b, sub, "2 ");
    assert_int_equal(info_of(a, "k.x").messages, 1);
}

static void test_IP15_2_nothing_stops_what_is_on_its_way(void **state)
{
    uint64_t sub = subscribe(b, "k.>"), op = publish(a, "k.x", "1");

    cancel(a, op);
    assert_waits(a, op);
    stored(d);
    assert_status(a, op, 1);
    publish(a, "k.x", "2");
    client_die(a);
    stored(d);
    assert_has(b, sub, "1 2 ");
    assert_int_equal(info_of(b, "k.x").messages, 2);
}

static void test_IP15_2_a_publish_is_stored_whole(void **state)
{
    published(a, "k.x", "1 2 3");
    publish(a, "k.x", "4 5 6");
    kept_restart();
    assert_int_equal(info_of(a, "k.x").messages, 3);
}

static void test_IP15_2_a_subscription_that_blocks_does_not_hold_up_the_log(void **state)
{
    uint64_t sub = subscribe_full(b, "k.>", 1, TOPIC_BLOCK);

    assert_int_equal(published(a, "k.x", "1 2"), 2);
    assert_has(b, sub, "1 ");
    assert_status(b, recv_many(b, sub, 1), -ENOBUFS);
}

/* ---- sequences ---- */

static void test_IP15_3_sequences_rise_over_all_topics_and_are_never_given_again(void **state)
{
    assert_int_equal(published(a, "k.x", "1"), 1);
    assert_int_equal(published(a, "k.y", "1 2"), 3);
    assert_int_equal(published(b, "k.x", "2"), 4);
    kept_restart();
    assert_int_equal(published(a, "k.x", "3"), 5);
    assert_int_equal(info_of(a, "k.x").first_sequence, 1);
    assert_int_equal(info_of(a, "k.x").last_sequence, 5);
    assert_int_equal(info_of(a, "k.x").messages, 3);
}

static void test_IP15_3_times_do_not_fall(void **state)
{
    uint64_t sub = subscribe(b, "k.>");

    published(a, "k.x", "1");
    d->rig->now.wall_ns -= SECOND;
    published(a, "k.x", "2");
    uint64_t op = recv_many(b, sub, 2);
    assert_int_equal(got(b, op)->value[0].time_us, got(b, op)->value[1].time_us);
    assert_int_equal(got(b, op)->value[0].sequence, 1);
    assert_int_equal(got(b, op)->value[1].sequence, 2);
}

static void test_IP15_3_an_expected_sequence_is_the_last_of_the_topic(void **state)
{
    publish_with(a, "k.x", (struct wishes){.expects = true, .expect = 1});
    assert_status(a, a->op, -ESTALE);
    publish_with(a, "k.x", (struct wishes){.expects = true});
    publish_with(b, "k.x", (struct wishes){.expects = true});
    assert_status(b, b->op, -ESTALE);
    stored(d);
    assert_status(a, a->op, 1);
    published(a, "k.y", "1");
    publish_with(b, "k.x", (struct wishes){.expects = true, .expect = 1});
    stored(d);
    assert_status(b, b->op, 1);
}

static void test_IP15_3_what_was_refused_is_not_the_last(void **state)
{
    publish_with(a, "k.x", (struct wishes){.expects = true});
    store_full(d);
    assert_status(a, a->op, -ENOSPC);
    publish_with(a, "k.x", (struct wishes){.expects = true});
    stored(d);
    assert_status(a, a->op, 1);
    assert_int_equal(got(a, a->op)->published.sequence, 2);
}

static void test_IP15_1_a_topic_that_will_be_kept_says_so_before_its_first_message(void **state)
{
    assert_true(info_of(a, "k.none").durable);
    assert_true(info_of(a, "k.>").durable);
    set_topic(a, "k.x", "durable=no");
    assert_false(info_of(a, "k.x").durable);
}

/* ---- once ---- */

static void assert_once(struct client *c, uint64_t op, uint64_t sequence, uint32_t repeated)
{
    stored(d);
    assert_status(c, op, 1);
    assert_int_equal(got(c, op)->published.sequence, sequence);
    assert_int_equal(got(c, op)->published.repeated, repeated);
}

static void test_IP15_4_a_repeat_is_told_the_sequence_of_the_first(void **state)
{
    uint64_t sub = subscribe(b, "k.>");

    assert_once(a, publish_with(a, "k.x", (struct wishes){.once = "id"}), 1, 0);
    assert_once(b, publish_with(b, "k.x", (struct wishes){.once = "id"}), 1, 1);
    assert_once(a, publish_with(a, "k.y", (struct wishes){.once = "id"}), 2, 0);
    assert_has(b, sub, "x x ");
    assert_int_equal(info_of(a, "k.x").messages, 1);
}

static void test_IP15_4_a_repeat_of_what_is_on_its_way_waits_for_it(void **state)
{
    uint64_t first = publish_with(a, "k.x", (struct wishes){.once = "id"}),
             second = publish_with(b, "k.x", (struct wishes){.once = "id"});

    assert_waits(b, second);
    store_full(d);
    assert_status(a, first, -ENOSPC);
    assert_status(b, second, -ENOSPC);
    assert_once(a, publish_with(a, "k.x", (struct wishes){.once = "id"}), 2, 0);
}

static void test_IP15_4_ids_are_remembered_for_the_time_of_the_topic_and_over_a_restart(void **state)
{
    set_topic(a, "k.>", "dedup=10");
    assert_once(a, publish_with(a, "k.x", (struct wishes){.once = "id"}), 1, 0);
    kept_restart();
    kept_after(9 * (int64_t)SECOND);
    assert_once(a, publish_with(a, "k.x", (struct wishes){.once = "id"}), 1, 1);
    kept_after(2 * (int64_t)SECOND);
    assert_once(a, publish_with(a, "k.x", (struct wishes){.once = "id"}), 2, 0);
    kept_restart();
    kept_after(2 * (int64_t)SECOND);
    assert_once(a, publish_with(a, "k.x", (struct wishes){.once = "id"}), 2, 1);
}

static void test_IP15_4_an_id_that_was_taken_anew_counts_from_then_on_over_a_restart(void **state)
{
    set_topic(a, "k.>", "dedup=10");
    assert_once(a, publish_with(a, "k.x", (struct wishes){.once = "id"}), 1, 0);
    kept_after(8 * (int64_t)SECOND);
    assert_once(a, publish_with(a, "k.x", (struct wishes){.once = "other"}), 2, 0);
    kept_after(3 * (int64_t)SECOND);
    assert_once(a, publish_with(a, "k.x", (struct wishes){.once = "id"}), 3, 0);
    kept_restart();
    kept_after(SECOND);
    assert_once(a, publish_with(a, "k.x", (struct wishes){.once = "id"}), 3, 1);
}

static void test_IP15_4_ids_are_bounded(void **state)
{
    d->rig->core->limits.dedup_max = 1;
    d->rig->core->limits.message_once_bytes = 3;
    assert_once(a, publish_with(a, "k.x", (struct wishes){.once = "id1"}), 1, 0);
    assert_status(a, publish_with(a, "k.x", (struct wishes){.once = "id2"}), -ENOBUFS);
    assert_status(a, publish_with(a, "k.x", (struct wishes){.once = "long"}), -E2BIG);
    set_topic(a, "k.>", "dedup=0");
    assert_status(a, publish_with(a, "k.x", (struct wishes){.once = "id3"}), -EINVAL);
}

static void test_IP15_4_wishes_need_a_topic_that_is_kept(void **state)
{
    assert_status(a, publish_with(a, "live", (struct wishes){.once = "id"}), -EINVAL);
    assert_status(a, publish_with(a, "live", (struct wishes){.expects = true}), -EINVAL);
    assert_non_null(strstr(got(a, a->op)->text, "durable=yes"));
}

/* ---- what goes ---- */

static void publish_many(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        published(a, "k.x", "12345678");
}

static void test_IP15_5_the_oldest_go_when_a_topic_has_more_than_it_may(void **state)
{
    set_topic(a, "k.>", "keep_messages=32");
    publish_many(100);
    struct topic_info info = info_of(a, "k.x");
    assert_in_range(info.messages, 31, 32);
    assert_int_equal(info.last_sequence, 100);
    assert_int_equal(info.first_sequence, 101 - info.messages);
    kept_restart();
    assert_int_equal(info_of(a, "k.x").messages, info.messages);
    set_topic(a, "k.>", "keep_messages= keep_bytes=80");
    assert_in_range(info_of(a, "k.x").messages, 9, 10);
}

static void test_IP15_5_what_is_too_old_goes_without_a_publish(void **state)
{
    set_topic(a, "k.>", "keep_for=100");
    publish_many(1);
    kept_after(50 * (int64_t)SECOND);
    publish_many(1);
    kept_after(51 * (int64_t)SECOND);
    stored(d);
    assert_int_equal(info_of(a, "k.x").messages, 1);
    kept_after(60 * (int64_t)SECOND);
    stored(d);
    assert_int_equal(info_of(a, "k.x").messages, 0);
    assert_int_equal(info_of(a, "k.x").last_sequence, 2);
    kept_restart();
    assert_int_equal(info_of(a, "k.x").messages, 0);
    assert_int_equal(published(a, "k.x", "1"), 3);
}

static void test_IP15_5_a_full_topic_may_refuse_instead(void **state)
{
    set_topic(a, "k.>", "keep_messages=2 full=reject");
    published(a, "k.x", "1");
    publish(a, "k.x", "2");
    assert_status(b, publish(b, "k.x", "3"), -ENOBUFS);
    assert_non_null(strstr(got(b, b->op)->text, "keep_messages is 2"));
    stored(d);
    assert_status(b, publish(b, "k.x", "3 4"), -ENOBUFS);
    set_topic(a, "k.>", "keep_messages= keep_bytes=3");
    publish(b, "k.x", "33");
    assert_status(b, b->op, -ENOBUFS);
    assert_non_null(strstr(got(b, b->op)->text, "keep_bytes is 3"));
}

static void test_IP15_5_sizes_and_numbers_of_topics_are_bounded(void **state)
{
    set_topic(a, "k.>", "message_bytes_max=3");
    assert_status(a, publish(a, "k.x", "four"), -E2BIG);
    d->rig->core->limits.topics_max = 1;
    published(a, "k.x", "1");
    assert_status(a, publish(a, "k.y", "1"), -ENOBUFS);
    assert_non_null(strstr(got(a, a->op)->text, "topics_max"));
}

static void test_IP15_5_many_blocks_come_back_after_a_restart(void **state)
{
    publish_many(600);
    kept_restart();
    struct topic_info info = info_of(a, "k.x");
    assert_int_equal(info.messages, 600);
    assert_int_equal(info.bytes, 4800);
    assert_int_equal(info.first_sequence, 1);
    publish_many(1);
    assert_int_equal(info_of(a, "k.x").messages, 601);
}

static uint64_t purge(const char *topic, uint64_t up_to, uint64_t keep)
{
    uint64_t op = client_do(
        a, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {{topic, strlen(topic)}, up_to, keep}});

    stored(d);
    return op;
}

static void assert_purged(uint64_t op, uint64_t n, uint64_t first, uint64_t messages)
{
    struct topic_info info = info_of(a, "k.x");

    assert_status(a, op, 0);
    assert_int_equal(got(a, op)->handle, n);
    assert_int_equal(info.messages, messages);
    assert_int_equal(info.bytes, 8 * messages);
    assert_int_equal(info.first_sequence, first);
}

static void test_IP15_5_a_purge_is_to_the_message(void **state)
{
    publish_many(600);
    assert_purged(purge("k.x", 300, 0), 300, 301, 300);
    assert_purged(purge("k.x", 0, 10), 290, 591, 10);
    assert_purged(purge("k.x", 0, 10), 0, 591, 10);
    assert_purged(purge("k.x", 595, 0), 5, 596, 5);
    kept_restart();
    assert_int_equal(info_of(a, "k.x").messages, 5);
    assert_int_equal(info_of(a, "k.x").first_sequence, 596);
    assert_purged(purge("k.x", 0, 0), 5, 0, 0);
    kept_restart();
    assert_int_equal(published(a, "k.x", "1"), 601);
    assert_status(a, purge("k.none", 0, 0), -ENOENT);
    assert_status(a, purge("k.x", 1, 1), -EINVAL);
}

static void test_IP15_5_a_purge_of_whole_blocks_asks_nobody(void **state)
{
    publish_many(2 * TOPIC_BLOCK_MESSAGES);
    assert_purged(purge("k.x", 0, TOPIC_BLOCK_MESSAGES), TOPIC_BLOCK_MESSAGES, TOPIC_BLOCK_MESSAGES + 1,
                  TOPIC_BLOCK_MESSAGES);
    publish_many(TOPIC_BLOCK_MESSAGES);
    kept_restart();
    assert_int_equal(info_of(a, "k.x").messages, 2 * TOPIC_BLOCK_MESSAGES);
}

/* Messages of "k.x", as many as three pieces have, and some more. */
static uint64_t publish_pieces(void)
{
    enum { AT_ONCE = 1024 };
    static struct outgoing messages[AT_ONCE];
    const struct request all = {
        .verb = VERB_PUBLISH, .publish = {.topic = {"k.x", 3}, .messages = messages, .messages_n = AT_ONCE}};
    uint64_t n = 0;

    for (int i = 0; i < AT_ONCE; i++)
        messages[i].value.body = (struct bytes){"12345678", 8};
    for (; n < 3 * FORGET_MESSAGES + AT_ONCE; n += AT_ONCE) {
        client_do(a, all);
        stored(d);
    }
    return n;
}

static const struct request remove_x = {.verb = VERB_TOPIC_REMOVE, .topic_remove.topic = {"k.x", 3}};
static const struct request purge_x = {.verb = VERB_TOPIC_PURGE, .topic_purge.topic = {"k.x", 3}};

static void test_IP15_5_a_purge_is_stored_in_pieces_and_done_at_once(void **state)
{
    uint64_t n = publish_pieces(), purged = client_do(a, purge_x);

    for (int pieces = 0; pieces < 3; pieces++) {
        assert_waits(a, purged);
        assert_int_equal(waiting(d), 1);
        assert_int_equal(info_of(a, "k.x").messages, 0);
        uint64_t other = publish(b, "k.y", "1");
        stored_some(d, SIZE_MAX);
        assert_status(b, other, 1); /* goes between */
    }
    stored(d);
    assert_purged(purged, n, 0, 0);
    assert_string_equal(has(b, replay_all(b, "k.x")), "");
    kept_restart();
    assert_int_equal(info_of(a, "k.x").messages, 0);
}

static void test_IP15_5_a_purge_that_a_crash_cuts_short_leaves_the_newest(void **state)
{
    uint64_t n = publish_pieces();

    client_do(a, purge_x);
    stored_some(d, SIZE_MAX);
    kept_restart();
    struct topic_info info = info_of(a, "k.x");
    assert_int_equal(info.messages, n - FORGET_MESSAGES);
    assert_int_equal(info.first_sequence, FORGET_MESSAGES + 1);
    assert_purged(purge("k.x", 0, 0), n - FORGET_MESSAGES, 0, 0);
}

static void test_IP15_5_purges_of_one_topic_follow_each_other(void **state)
{
    uint64_t n = publish_pieces(), first = client_do(a, purge_x), removed = client_do(a, remove_x),
             last = client_do(b, remove_x);

    assert_waits(a, removed);
    stored(d);
    assert_int_equal(got(a, first)->handle, n);
    assert_status(a, removed, 0);
    assert_status(b, last, -ENOENT);
    assert_int_equal(info_of(a, "k.x").messages, 0);
}

static void test_IP15_5_a_removal_goes_on_without_whom_it_was_for(void **state)
{
    uint64_t n = publish_pieces();

    client_do(b, remove_x);
    client_die(b);
    stored(d);
    assert_status(a, client_do(a, remove_x), -ENOENT);
    kept_restart();
    assert_int_equal(published(a, "k.x", "1"), n + 1);
}

static void test_IP15_5_a_topic_that_has_more_when_it_is_empty_stays(void **state)
{
    publish_pieces();
    uint64_t removed = client_do(a, remove_x);
    publish(b, "k.x", "12345678");
    stored(d);
    assert_status(a, removed, -EAGAIN);
    assert_int_equal(info_of(a, "k.x").messages, 1);
    kept_restart();
    assert_int_equal(info_of(a, "k.x").messages, 1);
}

static void test_IP15_5_what_a_new_bound_lets_go_is_stored_in_pieces(void **state)
{
    uint64_t n = publish_pieces();
    const struct request keep = {
        .verb = VERB_TOPIC_SET,
        .topic_set = {.pattern = {"k.x", 3}, .settings = {"durable=yes keep_messages=16", 28}}};

    client_do(a, keep);
    assert_int_equal(info_of(a, "k.x").messages,
                     n - 2 * FORGET_MESSAGES); /* one for the step, one for the rule */
    publish(b, "k.x", "12345678");
    stored_some(d, SIZE_MAX);
    assert_in_range(info_of(a, "k.x").messages, n - 3 * FORGET_MESSAGES - TOPIC_BLOCK_MESSAGES,
                    n - 3 * FORGET_MESSAGES + 1);
    kept_restart();
    stored(d);
    assert_in_range(info_of(a, "k.x").messages, 15, 16);
    assert_int_equal(info_of(a, "k.x").last_sequence, n + 1);
}

static void test_IP15_5_a_topic_that_is_removed_is_forgotten(void **state)
{
    const struct request remove = {.verb = VERB_TOPIC_REMOVE, .topic_remove.topic = {"k.x", 3}};
    uint64_t sub = replay_all(b, "k.>");

    published(a, "k.x", "1 2");
    publish(a, "k.x", "3");
    assert_status(a, client_do(a, remove), -EAGAIN);
    stored(d);
    client_do(a, remove);
    stored(d);
    assert_status(a, a->op, 0);
    assert_int_equal(got(a, a->op)->handle, 3);
    assert_has(b, sub, "1 2 3 "); /* it had them */
    assert_status(a, client_do(a, remove), -ENOENT);
    assert_string_equal(has(b, replay_all(b, "k.>")), "");
    kept_restart();
    assert_int_equal(info_of(a, "k.x").messages, 0);
    assert_int_equal(published(a, "k.x", "4"), 4);
}

static void test_topics_are_listed_with_what_they_have(void **state)
{
    published(a, "k.x", "1");
    subscribe(b, "k.x");
    subscribe(b, "live");
    client_do(a, (struct request){.verb = VERB_TOPIC_LIST});
    assert_string_equal(got(a, a->op)->names, "k.x live ");
    assert_int_equal(got(a, a->op)->topic.subscriptions, 1);
    assert_int_equal(got(a, a->op)->topic.messages, 1);
}

#define KEPT_TEST(test) cmocka_unit_test_setup_teardown(test, kept_setup, durable_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEPT_TEST(test_IP15_1_a_topic_that_will_be_kept_says_so_before_its_first_message),
        KEPT_TEST(test_IP15_4_an_id_that_was_taken_anew_counts_from_then_on_over_a_restart),
        KEPT_TEST(test_IP15_1_a_topic_is_kept_when_the_rule_that_fits_best_says_so),
        KEPT_TEST(test_IP15_1_settings_are_told_with_their_origin),
        KEPT_TEST(test_IP15_1_what_makes_no_sense_is_refused_in_words),
        KEPT_TEST(test_IP15_1_a_rule_that_is_removed_counts_no_more),
        KEPT_TEST(test_IP15_1_rules_outlive_the_daemon),
        KEPT_TEST(test_IP15_1_there_are_at_most_topic_rules_max),
        KEPT_TEST(test_IP15_2_nobody_sees_what_is_not_stored),
        KEPT_TEST(test_IP15_2_a_full_store_fails_that_publish_alone),
        KEPT_TEST(test_IP15_2_nothing_stops_what_is_on_its_way),
        KEPT_TEST(test_IP15_2_a_publish_is_stored_whole),
        KEPT_TEST(test_IP15_2_a_subscription_that_blocks_does_not_hold_up_the_log),
        KEPT_TEST(test_IP15_3_sequences_rise_over_all_topics_and_are_never_given_again),
        KEPT_TEST(test_IP15_3_times_do_not_fall),
        KEPT_TEST(test_IP15_3_an_expected_sequence_is_the_last_of_the_topic),
        KEPT_TEST(test_IP15_3_what_was_refused_is_not_the_last),
        KEPT_TEST(test_IP15_4_a_repeat_is_told_the_sequence_of_the_first),
        KEPT_TEST(test_IP15_4_a_repeat_of_what_is_on_its_way_waits_for_it),
        KEPT_TEST(test_IP15_4_ids_are_remembered_for_the_time_of_the_topic_and_over_a_restart),
        KEPT_TEST(test_IP15_4_ids_are_bounded),
        KEPT_TEST(test_IP15_4_wishes_need_a_topic_that_is_kept),
        KEPT_TEST(test_IP15_5_the_oldest_go_when_a_topic_has_more_than_it_may),
        KEPT_TEST(test_IP15_5_what_is_too_old_goes_without_a_publish),
        KEPT_TEST(test_IP15_5_a_full_topic_may_refuse_instead),
        KEPT_TEST(test_IP15_5_sizes_and_numbers_of_topics_are_bounded),
        KEPT_TEST(test_IP15_5_many_blocks_come_back_after_a_restart),
        KEPT_TEST(test_IP15_5_a_purge_is_to_the_message),
        KEPT_TEST(test_IP15_5_a_purge_of_whole_blocks_asks_nobody),
        KEPT_TEST(test_IP15_5_a_purge_is_stored_in_pieces_and_done_at_once),
        KEPT_TEST(test_IP15_5_a_purge_that_a_crash_cuts_short_leaves_the_newest),
        KEPT_TEST(test_IP15_5_purges_of_one_topic_follow_each_other),
        KEPT_TEST(test_IP15_5_a_removal_goes_on_without_whom_it_was_for),
        KEPT_TEST(test_IP15_5_a_topic_that_has_more_when_it_is_empty_stays),
        KEPT_TEST(test_IP15_5_what_a_new_bound_lets_go_is_stored_in_pieces),
        KEPT_TEST(test_IP15_5_a_topic_that_is_removed_is_forgotten),
        KEPT_TEST(test_topics_are_listed_with_what_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
