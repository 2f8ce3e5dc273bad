/* Topics: what is published, who is told (IP14). */
#include "topic_fixture.h"

static struct rig *rig;
static struct client *a, *b, *c;

static int setup(void **state)
{
    rig = rig_new();
    a = client_new(rig);
    b = client_new(rig);
    c = client_of(rig, 1001);
    return 0;
}

static int teardown(void **state)
{
    rig_delete(rig);
    return 0;
}

/* ---- topics and patterns ---- */

static void assert_refused(struct client *who, uint64_t op, int32_t status, const char *words)
{
    assert_status(who, op, status);
    assert_non_null(strstr(got(who, op)->text, words));
}

static void test_IP14_1_a_topic_has_no_empty_token_and_no_wildcard(void **state)
{
    static const struct {
        const char *topic, *words;
    } wrong[] = {{"", "empty"},         {"a..b", "empty token"},   {".a", "empty token"},
                 {"a.", "empty token"}, {"a.*", "a wildcard"},     {"a.>", "a wildcard"},
                 {"a b", "A-Z"},        {"a.b*", "has a wildcard"}};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        uint64_t op =
            client_do(a, (struct request){.verb = VERB_PUBLISH,
                                          .publish = {.topic = {wrong[i].topic, strlen(wrong[i].topic)},
                                                      .messages = &(struct outgoing){.value.body = {"m", 1}},
                                                      .messages_n = 1}});
        assert_refused(a, op, -EINVAL, wrong[i].words);
    }
}

static void test_IP14_1_a_pattern_has_whole_wildcards_and_rest_only_at_its_end(void **state)
{
    static const struct {
        const char *pattern, *words;
    } wrong[] = {{"", "empty"},    {"a..*", "empty token"}, {"a.>.b", "not its last"},
                 {"a*", "within"}, {">>", "within"},        {"a.b>", "within"},
                 {"a b", "A-Z"}};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct bytes pattern = {wrong[i].pattern, strlen(wrong[i].pattern)};

        assert_refused(a, subscribe_as(a, (struct request_subscribe){.pattern = pattern}), -EINVAL,
                       wrong[i].words);
    }
}

static void test_IP14_1_wildcards_match_one_token_and_one_or_more(void **state)
{
    uint64_t exact = subscribe(b, "a.b"), any = subscribe(b, "a.*"), rest = subscribe(b, "a.>"),
             all = subscribe(b, ">"), first = subscribe(b, "*.b"), two = subscribe(b, "*.*");

    assert_told(a, publish(a, "a.b", "1"), 1, 6, 0);
    assert_told(a, publish(a, "a", "2"), 1, 1, 0);
    assert_told(a, publish(a, "a.c.d", "3"), 1, 2, 0);
    assert_told(a, publish(a, "b.b", "4"), 1, 3, 0);
    assert_has(b, exact, "1 ");
    assert_has(b, any, "1 ");
    assert_has(b, rest, "1 3 ");
    assert_has(b, all, "1 2 3 4 ");
    assert_has(b, first, "1 4 ");
    assert_has(b, two, "1 4 ");
}

/* ---- a subscription is a channel ---- */

static void test_IP14_2_a_message_says_what_it_is(void **state)
{
    const struct header header = {{"trace", 5}, {"7", 1}};
    const struct outgoing message = {
        .value.body = {"m", 1}, .key = {"k", 1}, .headers = &header, .headers_n = 1};
    uint64_t h = subscribe(b, "a.>");

    rig->now.wall_ns = 77000;
    client_do(a, (struct request){.verb = VERB_PUBLISH,
                                  .publish = {.topic = {"a.b", 3}, .messages = &message, .messages_n = 1}});
    uint64_t r = recv1(b, h);
    assert_values(b, r, "m ");
    assert_true(got(b, r)->value[0].is_message && !got(b, r)->value[0].sequence && !got(b, r)->value[0].lost);
    assert_string_equal(got(b, r)->value[0].topic, "a.b");
    assert_string_equal(got(b, r)->value[0].key, "k");
    assert_string_equal(got(b, r)->value[0].header, "trace=7");
    assert_int_equal(got(b, r)->value[0].time_us, 77);
}

static void test_IP14_2_whoever_waits_gets_a_publish_with_one_result(void **state)
{
    uint64_t h = subscribe(b, "t"), r = recv_many(b, h, 10);

    assert_waits(b, r);
    publish(a, "t", "1 2 3");
    assert_values(b, r, "1 2 3 ");
}

static void test_IP14_2_a_select_takes_a_message(void **state)
{
    uint64_t h = subscribe(b, "t"), s = SELECT(b, CASE_R(chan(b, "x", 0)), CASE_R(h));

    publish(a, "t", "1");
    assert_values(b, s, "1 ");
    assert_int_equal(got(b, s)->index, 1);
}

static void test_IP14_2_nobody_sends_on_a_subscription_or_closes_it(void **state)
{
    uint64_t h = subscribe(b, "t");

    assert_status(b, send1(b, h, "v"), -EPERM);
    assert_status(b, chan_close(b, h), -EPERM);
}

static void test_IP14_2_a_message_that_is_given_back_comes_first_again(void **state)
{
    uint64_t h = subscribe(b, "t");

    publish(a, "t", "1 2 3");
    uint64_t r = recv_many(b, h, 2);
    give_back(b, r, 1);
    r = recv_many(b, h, 2);
    assert_values(b, r, "2 3 ");
    assert_int_equal(got(b, r)->value[0].flags, VALUE_RETURNED);
    assert_string_equal(got(b, r)->value[0].topic, "t");
}

static void test_IP14_2_the_last_handle_ends_a_subscription(void **state)
{
    uint64_t h = subscribe(b, "t");

    publish(a, "t", "1");
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}});
    assert_told(a, publish(a, "t", "2"), 1, 0, 0);
    assert_int_equal(rig_stat(rig, "topics.subscriptions"), 0);
}

static void test_IP14_2_the_last_handle_ends_it_while_a_message_is_out(void **state)
{
    uint64_t h = subscribe(b, "t");

    publish(a, "t", "1");
    recv1(b, h);
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}});
    assert_told(a, publish(a, "t", "2"), 1, 0, 0);
}

static void test_IP14_2_a_subscription_ends_with_its_session(void **state)
{
    subscribe(b, "t");
    publish(a, "t", "1");
    client_die(b);
    rig_sweep(rig);
    assert_told(a, publish(a, "t", "2"), 1, 0, 0);
    assert_int_equal(rig_stat(rig, "bytes"), 0);
}

static void test_IP14_2_a_subscription_is_passed_on_in_a_value(void **state)
{
    uint64_t h = subscribe(b, "t"), x = chan(b, "x", 1), xc = chan(c, "x", 1);

    send_carrying(b, x, "sub", &(struct passed){h, RIGHT_RECV}, 1);
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}});
    assert_told(a, publish(a, "t", "1"), 1, 1, 0);
    uint64_t r = recv1(c, xc);
    ack(c, r, 0);
    assert_has(c, got(c, r)->value[0].handle[0].handle, "1 ");
}

/* ---- publishing ---- */

static void test_IP14_3_nobody_is_there_and_a_message_is_published(void **state)
{
    assert_told(a, publish(a, "t", "1 2"), 2, 0, 0);
}

static void test_IP14_3_a_later_subscription_gets_nothing_of_before(void **state)
{
    publish(a, "t", "1");
    uint64_t h = subscribe(b, "t");
    publish(a, "t", "2");
    assert_has(b, h, "2 ");
}

static void test_IP14_3_two_subscriptions_of_one_pattern_get_it_both(void **state)
{
    uint64_t x = subscribe(b, "t"), y = subscribe(b, "t"), z = subscribe(c, "t");

    assert_told(a, publish(a, "t", "1 2"), 2, 6, 0);
    assert_has(b, x, "1 2 ");
    assert_has(b, y, "1 2 ");
    assert_has(c, z, "1 2 ");
}

static void test_IP14_3_a_message_carries_no_channels(void **state)
{
    struct passed passed = {chan(a, "x", 0), 0};
    struct outgoing message = {.value = {.body = {"m", 1}, .handles = &passed, .handles_n = 1}};

    assert_refused(
        a,
        client_do(a, (struct request){.verb = VERB_PUBLISH,
                                      .publish = {.topic = {"t", 1}, .messages = &message, .messages_n = 1}}),
        -EINVAL, "no channels");
}

static void test_IP14_3_what_only_a_kept_topic_can_is_refused(void **state)
{
    struct outgoing message = {.value.body = {"m", 1}, .once = {"id", 2}};
    struct request_publish publish = {.topic = {"t", 1}, .messages = &message, .messages_n = 1};

    assert_refused(a, client_do(a, (struct request){.verb = VERB_PUBLISH, .publish = publish}), -EINVAL,
                   "taken once");
    message.once.size = 0;
    publish.delay_ns = 1;
    assert_refused(a, client_do(a, (struct request){.verb = VERB_PUBLISH, .publish = publish}), -EINVAL,
                   "a delay");
}

/* ---- closing, telling ---- */

static void test_IP14_9_a_closed_topic_ends_its_subscriptions_behind_what_they_have(void **state)
{
    uint64_t x = subscribe(b, "t"), y = subscribe(c, "t"), other = subscribe(c, "t.>"), r = recv1(c, y);

    ack(c, r, 0);
    publish(a, "t", "1");
    uint64_t op = client_do(a, (struct request){.verb = VERB_TOPIC_CLOSE, .topic_close.topic = {"t", 1}});
    assert_status(a, op, 2);
    assert_told(a, publish(a, "t", "2"), 1, 0, 0);
    assert_has(b, x, "1 ");
    r = recv1(b, x);
    assert_status(b, r, 0);
    assert_true(got(b, r)->flags & RESULT_CLOSED);
    publish(a, "t.u", "3");
    assert_has(c, other, "3 ");
}

static void test_IP14_9_a_receive_that_waits_ends_with_its_topic(void **state)
{
    uint64_t r = recv1(b, subscribe(b, "a.*"));

    client_do(a, (struct request){.verb = VERB_TOPIC_CLOSE, .topic_close.topic = {"a.*", 3}});
    assert_status(b, r, 0);
    assert_true(got(b, r)->flags & RESULT_CLOSED);
}

static void test_IP14_9_to_close_what_nobody_has_closes_nothing(void **state)
{
    assert_status(a, client_do(a, (struct request){.verb = VERB_TOPIC_CLOSE, .topic_close.topic = {"t", 1}}),
                  0);
}

static uint64_t list(struct client *who, const char *pattern, const char *after, uint32_t limit)
{
    return client_do(
        who, (struct request){.verb = VERB_TOPIC_LIST,
                              .topic_list = {{pattern, strlen(pattern)}, {after, strlen(after)}, limit}});
}

static void test_IP14_10_topics_with_subscriptions_are_listed(void **state)
{
    subscribe(b, "b.x");
    subscribe(b, "a.>");
    subscribe(c, "a.y");
    subscribe(c, "b.x");
    publish(a, "b.x", "1 2");
    uint64_t op = list(a, "", "", 0);
    assert_string_equal(got(a, op)->names, "a.> a.y b.x ");
    op = list(a, "", "a.>", 1);
    assert_string_equal(got(a, op)->names, "a.y ");
    assert_true(got(a, op)->flags & RESULT_MORE);
    op = list(a, "b.*", "", 0);
    assert_int_equal(got(a, op)->topics_n, 1);
    assert_true(got(a, op)->topic.subscriptions == 2 && got(a, op)->topic.published == 2 &&
                got(a, op)->topic.delivered == 4);
}

static void test_IP14_10_a_topic_tells_who_gets_what_is_published_there(void **state)
{
    subscribe(b, "a.*");
    subscribe(b, "a.b");
    subscribe(b, "b");
    uint64_t op = client_do(a, (struct request){.verb = VERB_TOPIC_INFO, .topic_info.topic = {"a.b", 3}});
    assert_int_equal(got(a, op)->topic.subscriptions, 2);
    op = client_do(a, (struct request){.verb = VERB_TOPIC_INFO, .topic_info.topic = {"a.*", 3}});
    assert_int_equal(got(a, op)->topic.subscriptions, 1);
    op = client_do(a, (struct request){.verb = VERB_TOPIC_INFO, .topic_info.topic = {"c", 1}});
    assert_refused(a, op, -ENOENT, "nobody has subscribed to c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_IP14_1_a_topic_has_no_empty_token_and_no_wildcard, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP14_1_a_pattern_has_whole_wildcards_and_rest_only_at_its_end,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_IP14_1_wildcards_match_one_token_and_one_or_more, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP14_2_a_message_says_what_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(test_IP14_2_whoever_waits_gets_a_publish_with_one_result, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP14_2_a_select_takes_a_message, setup, teardown),
        cmocka_unit_test_setup_teardown(test_IP14_2_nobody_sends_on_a_subscription_or_closes_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP14_2_a_message_that_is_given_back_comes_first_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP14_2_the_last_handle_ends_a_subscription, setup, teardown),
        cmocka_unit_test_setup_teardown(test_IP14_2_the_last_handle_ends_it_while_a_message_is_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP14_2_a_subscription_ends_with_its_session, setup, teardown),
        cmocka_unit_test_setup_teardown(test_IP14_2_a_subscription_is_passed_on_in_a_value, setup, teardown),
        cmocka_unit_test_setup_teardown(test_IP14_3_nobody_is_there_and_a_message_is_published, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP14_3_a_later_subscription_gets_nothing_of_before, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP14_3_two_subscriptions_of_one_pattern_get_it_both, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP14_3_a_message_carries_no_channels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_IP14_3_what_only_a_kept_topic_can_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_IP14_9_a_closed_topic_ends_its_subscriptions_behind_what_they_have, setup, teardown),
        cmocka_unit_test_setup_teardown(test_IP14_9_a_receive_that_waits_ends_with_its_topic, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_IP14_9_to_close_what_nobody_has_closes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_IP14_10_topics_with_subscriptions_are_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_IP14_10_a_topic_tells_who_gets_what_is_published_there, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
