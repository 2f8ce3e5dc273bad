/* Kept topics (IP15): what is said while the store may still refuse what was asked before, or a crash bring it back. */
#include "kept.h"
#include "kept_fixture.h"

static uint64_t publish_two(struct client *c, const char *first, const char *second)
{
    const struct outgoing messages[] = {{.value.body = {"1", 1}, .once = {first, strlen(first)}},
                                        {.value.body = {"2", 1}, .once = {second, strlen(second)}}};

    return client_do(
        c, (struct request){.verb = VERB_PUBLISH,
                            .publish = {.topic = {"k.x", 3}, .messages = messages, .messages_n = 2}});
}

static void assert_repeats(struct client *c, uint64_t op, uint32_t repeated)
{
    stored(d);
    assert_status(c, op, 2);
    assert_int_equal(got(c, op)->published.repeated, repeated);
}

static void test_IP15_4_what_is_new_does_not_share_the_doubt_of_a_repeat(void **state)
{
    uint64_t first = publish_with(a, "k.x", (struct wishes){.once = "old"}),
             both = publish_two(b, "new", "old");

    assert_status(b, both, -EAGAIN);
    assert_non_null(strstr(got(b, both)->text, "on its way"));
    store_full(d);
    assert_status(a, first, -ENOSPC);
    assert_repeats(b, publish_two(b, "new", "old"), 0);
    assert_repeats(a, publish_two(a, "other", "old"), 1);
    assert_int_equal(info_of(a, "k.x").messages, 3);
}

static void test_IP15_4_repeats_of_two_that_are_on_their_way_have_no_common_fate(void **state)
{
    uint64_t first = publish_with(a, "k.x", (struct wishes){.once = "1"}),
             second = publish_with(a, "k.x", (struct wishes){.once = "2"});

    assert_status(b, publish_two(b, "1", "2"), -EAGAIN);
    stored(d);
    assert_status(a, first, 1);
    assert_status(a, second, 1);
    assert_repeats(b, publish_two(b, "1", "2"), 2);
}

static void test_IP15_4_a_publish_may_repeat_its_own_id(void **state)
{
    assert_repeats(a, publish_two(a, "id", "id"), 1);
    assert_int_equal(info_of(a, "k.x").messages, 1);
}

static void test_IP15_5_a_purge_that_finds_nothing_waits_for_the_one_before(void **state)
{
    published(a, "k.x", "1 2 3");
    uint64_t first = client_do(a, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {{"k.x", 3}}}),
             second =
                 client_do(b, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {{"k.x", 3}, 0, 2}});

    assert_waits(b, second);
    stored(d);
    assert_status(a, first, 0);
    assert_status(b, second, 0);
    assert_int_equal(got(b, second)->handle, 0);
    assert_int_equal(info_of(a, "k.x").messages, 0);
}

static void assert_has_300(void)
{
    struct topic_info info = info_of(a, "k.x");

    assert_int_equal(info.messages, 300);
    assert_int_equal(info.bytes, 300);
    assert_int_equal(info.first_sequence, 301);
}

/* It ends inside of a block that the store knows. */
static void test_IP15_5_a_topic_counts_what_a_purge_has_left_also_after_a_restart(void **state)
{
    for (int i = 0; i < 600; i++)
        published(a, "k.x", "1");
    client_do(a, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {{"k.x", 3}, 300, 0}});
    stored(d);
    assert_status(a, a->op, 0);
    assert_has_300();
    kept_restart();
    assert_has_300();
}

/* What is sealed while a purge is on its way says what the store has when that is through, not before. */
static void test_IP15_5_a_purge_that_is_lost_leaves_what_was_there(void **state)
{
    published(a, "k.y", "1 2");
    published(a, "k.x", "1 2 3");
    client_do(b, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {{"k.y", 3}, 1, 0}});
    fetched(d);
    client_do(a, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {{"k.x", 3}, 4, 0}});
    fetched(d);
    for (int i = 0; i < TOPIC_BLOCK_MESSAGES; i++)
        publish(a, "k.x", "1");
    assert_waits(a, a->op);
    kept_restart();
    assert_int_equal(info_of(a, "k.x").messages, 3);
    assert_string_equal(has(b, replay_all(b, "k.x")), "1 2 3 ");
}

static void test_IP15_5_a_purge_waits_for_what_bounds_let_go_before_it(void **state)
{
    set_topic(a, "k.>", "keep_messages=2");
    published(a, "k.x", "1 2");
    publish(a, "k.x", "3");
    stored_some(d, SIZE_MAX); /* the third came, and the first goes */
    assert_int_equal(info_of(a, "k.x").messages, 2);
    uint64_t op = client_do(b, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {{"k.x", 3}, 0, 2}});
    assert_waits(b, op);
    stored(d);
    assert_status(b, op, 0);
}

static uint64_t number_of(const char *topic)
{
    return kept_topic_find(d->rig->core, (struct bytes){topic, strlen(topic)})->id;
}

static void remove_topic(const char *topic)
{
    client_do(a, (struct request){.verb = VERB_TOPIC_REMOVE, .topic_remove.topic = {topic, strlen(topic)}});
    stored(d);
    assert_status(a, a->op, 0);
}

/* A crash before that would leave the messages of the topic that was removed. */
static void test_IP15_5_a_purge_of_a_topic_that_is_made_anew_waits_for_the_removal_before_it(void **state)
{
    published(a, "k.x", "1 2 3");
    client_do(a, (struct request){.verb = VERB_TOPIC_REMOVE, .topic_remove.topic = {"k.x", 3}});
    publish(b, "k.x", "4");
    uint64_t op = client_do(a, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {{"k.x", 3}, 0, 1}});
    assert_waits(a, op);
    stored(d);
    assert_status(a, op, 0);
    assert_int_equal(got(a, op)->handle, 0);
    assert_int_equal(info_of(a, "k.x").messages, 1);
}

/* Neither a restart nor what is refused behind it forgets that. */
static void test_IP15_3_an_emptied_topic_knows_its_last_sequence(void **state)
{
    published(a, "k.x", "1 2 3");
    client_do(a, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {{"k.x", 3}}});
    stored(d);
    kept_restart();
    assert_int_equal(info_of(a, "k.x").last_sequence, 3);
    publish(a, "k.x", "4");
    store_full(d);
    assert_status(a, a->op, -ENOSPC);
    assert_status(a, publish_with(a, "k.x", (struct wishes){.expects = true}), -ESTALE);
    uint64_t op = publish_with(a, "k.x", (struct wishes){.expects = true, .expect = 3});
    stored(d);
    assert_status(a, op, 1);
}

static void test_IP15_5_the_number_of_a_topic_is_never_given_again(void **state)
{
    published(a, "k.x", "1");
    published(a, "k.y", "1");
    uint64_t last = number_of("k.y");
    remove_topic("k.y");
    kept_restart();
    published(a, "k.y", "1");
    assert_true(number_of("k.y") > last);
}

/* Its first message was refused: no sequence of one tells of its number. */
static void test_IP15_5_nor_is_that_of_a_topic_without_messages(void **state)
{
    publish(a, "k.y", "1");
    store_full(d);
    assert_status(a, a->op, -ENOSPC);
    uint64_t last = number_of("k.y");
    remove_topic("k.y");
    kept_restart();
    published(a, "k.y", "1");
    assert_true(number_of("k.y") > last);
}

#define KEPT_TEST(test) cmocka_unit_test_setup_teardown(test, kept_setup, durable_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEPT_TEST(test_IP15_4_what_is_new_does_not_share_the_doubt_of_a_repeat),
        KEPT_TEST(test_IP15_4_repeats_of_two_that_are_on_their_way_have_no_common_fate),
        KEPT_TEST(test_IP15_4_a_publish_may_repeat_its_own_id),
        KEPT_TEST(test_IP15_5_a_purge_that_finds_nothing_waits_for_the_one_before),
        KEPT_TEST(test_IP15_5_a_topic_counts_what_a_purge_has_left_also_after_a_restart),
        KEPT_TEST(test_IP15_5_a_purge_that_is_lost_leaves_what_was_there),
        KEPT_TEST(test_IP15_5_a_purge_waits_for_what_bounds_let_go_before_it),
        KEPT_TEST(test_IP15_5_a_purge_of_a_topic_that_is_made_anew_waits_for_the_removal_before_it),
        KEPT_TEST(test_IP15_3_an_emptied_topic_knows_its_last_sequence),
        KEPT_TEST(test_IP15_5_the_number_of_a_topic_is_never_given_again),
        KEPT_TEST(test_IP15_5_nor_is_that_of_a_topic_without_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
