/* Subscriptions without room, publishes that wait for it, and fan-outs over many turns (IP14). */
#include "topic_fixture.h"

#include "core_internal.h"
#include "topic.h"

static struct rig *rig;
static struct client *a, *b, *c;

static void begin(const struct limits *limits)
{
    rig = rig_with(limits, 42);
    a = client_new(rig);
    b = client_new(rig);
    c = client_of(rig, 1001);
}

static int setup(void **state)
{
    begin(&(struct limits)LIMITS_DEFAULT);
    return 0;
}

static int teardown(void **state)
{
    rig_delete(rig);
    return 0;
}

static void again_with(const struct limits *limits)
{
    rig_delete(rig);
    begin(limits);
}

static uint64_t lost_before(struct client *who, uint64_t op, size_t i)
{
    return got(who, op)->value[i].lost;
}

/* ---- what is dropped ---- */

static void test_IP14_5_the_newest_is_dropped_and_counted(void **state)
{
    uint64_t h = subscribe_full(b, "t", 2, TOPIC_DROP_NEWEST);

    assert_told(a, publish(a, "t", "1 2 3 4"), 4, 2, 2);
    assert_int_equal(info(b, h).dropped, 2);
    assert_has(b, h, "1 2 ");
    publish(a, "t", "5 6");
    uint64_t r = recv_many(b, h, 2);
    assert_values(b, r, "5 6 ");
    assert_true(lost_before(b, r, 0) == 2 && lost_before(b, r, 1) == 0);
}

static void test_IP14_11_keys_and_headers_of_a_publish_are_charged_too(void **state)
{
    static const char text[3000];
    struct limits limits = LIMITS_DEFAULT;
    const struct header header = {.name = {"h", 1}, .value = {text, sizeof(text)}};
    const struct outgoing message = {.value.body = {"m", 1}, .headers = &header, .headers_n = 1};

    limits.account_bytes_max = sizeof(text);
    again_with(&limits);
    assert_told(a, publish(a, "t", "m"), 1, 0, 0);
    client_do(a, (struct request){.verb = VERB_PUBLISH,
                                  .publish = {.topic = {"t", 1}, .messages = &message, .messages_n = 1}});
    assert_status(a, a->op, -ENOBUFS);
}

static void test_IP14_5_more_than_four_billion_lost_are_not_few(void **state)
{
    uint64_t h = subscribe_full(b, "t", 2, TOPIC_DROP_OLDEST);

    publish(a, "t", "1 2");
    struct subscription *sub =
        list_first(&audience_find(rig->core, (struct bytes){"t", 1})->all, struct subscription, link);
    list_first(&sub->channel->buffer, struct item, link)->index = UINT32_MAX;
    publish(a, "t", "3 4");
    uint64_t r = recv_many(b, h, 2);
    assert_values(b, r, "3 4 ");
    assert_int_equal(lost_before(b, r, 0), UINT32_MAX);
}

static void test_IP14_5_the_oldest_is_dropped_and_counted(void **state)
{
    uint64_t h = subscribe_full(b, "t", 2, TOPIC_DROP_OLDEST);

    assert_told(a, publish(a, "t", "1 2 3 4 5"), 5, 5, 3);
    assert_int_equal(info(b, h).dropped, 3);
    uint64_t r = recv_many(b, h, 2);
    assert_values(b, r, "4 5 ");
    assert_true(lost_before(b, r, 0) == 3 && lost_before(b, r, 1) == 0);
}

static void test_IP14_5_a_publish_is_told_what_was_lost_through_it(void **state)
{
    uint64_t oldest = subscribe_full(b, "t", 2, TOPIC_DROP_OLDEST);

    assert_told(a, publish(a, "t", "1 2"), 2, 2, 0);
    subscribe_full(b, "t", 1, TOPIC_DROP_NEWEST);
    assert_told(a, publish(a, "t", "3"), 1, 2, 1); /* 1 */
    assert_told(a, publish(a, "t", "4 5 6"), 3, 3, 6);
    assert_has(b, oldest, "5 6 ");
}

static void test_IP14_5_the_oldest_of_a_capacity_of_one_says_what_is_missing(void **state)
{
    uint64_t h = subscribe_full(b, "t", 1, TOPIC_DROP_OLDEST);

    publish(a, "t", "1 2 3");
    uint64_t r = recv1(b, h);
    assert_values(b, r, "3 ");
    assert_int_equal(lost_before(b, r, 0), 2);
}

static void test_IP14_5_one_that_is_full_costs_the_others_nothing(void **state)
{
    uint64_t full = subscribe_full(b, "t", 1, TOPIC_DROP_NEWEST), x = subscribe(c, "t");

    assert_told(a, publish(a, "t", "1 2 3"), 3, 4, 2);
    assert_has(b, full, "1 ");
    assert_has(c, x, "1 2 3 ");
}

static void test_IP14_5_whoever_waits_makes_room_within_a_publish(void **state)
{
    uint64_t h = subscribe_full(b, "t", 2, TOPIC_DROP_NEWEST), r = recv_many(b, h, 8), s = recv1(b, h);

    assert_told(a, publish(a, "t", "1 2 3 4 5"), 5, 5, 0);
    assert_values(b, r, "1 2 ");
    assert_values(b, s, "3 ");
    assert_has(b, h, "4 5 ");
}

static void test_IP14_5_what_is_given_back_takes_no_room(void **state)
{
    uint64_t h = subscribe_full(b, "t", 1, TOPIC_DROP_NEWEST);

    publish(a, "t", "1");
    uint64_t r = recv1(b, h);
    give_back(b, r, 0);
    assert_told(a, publish(a, "t", "2"), 1, 1, 0);
    assert_has(b, h, "1 2 ");
}

static void test_IP14_5_a_message_that_is_too_large_is_lost_to_it(void **state)
{
    uint64_t op = subscribe_as(b, (struct request_subscribe){.pattern = {"t", 1}, .value_bytes_max = 2});
    uint64_t h = got(b, op)->handle;

    assert_told(a, publish(a, "t", "1 222 3"), 3, 2, 1);
    uint64_t r = recv_many(b, h, 3);
    assert_values(b, r, "1 3 ");
    assert_int_equal(lost_before(b, r, 1), 1);
}

static void test_IP14_5_bytes_are_room_too(void **state)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.channel_bytes_max = 6; /* topic and body count */
    again_with(&limits);
    uint64_t h = subscribe(b, "t");
    assert_told(a, publish(a, "t", "11 22 33"), 3, 2, 1);
    assert_has(b, h, "11 22 ");
    limits = (struct limits)LIMITS_DEFAULT;
    limits.account_bytes_max = 700;
    again_with(&limits);
    h = subscribe(c, "t");
    uint64_t op = publish(a, "t", "1 2");
    assert_status(a, op, 2);
    op = publish(a, "t", "3 4");
    op = publish(a, "t", "5 6");
    op = publish(a, "t", "7 8");
    assert_true(got(a, op)->published.dropped == 2 && !got(a, op)->published.receivers);
}

/* ---- disconnect ---- */

static void test_IP14_6_a_subscription_without_room_ends_behind_what_it_has(void **state)
{
    uint64_t h = subscribe_full(b, "t", 2, TOPIC_DISCONNECT), other = subscribe(c, "t");

    assert_told(a, publish(a, "t", "1 2 3 4"), 4, 6, 2);
    assert_told(a, publish(a, "t", "5"), 1, 1, 0);
    assert_has(b, h, "1 2 ");
    uint64_t r = recv1(b, h);
    assert_status(b, r, -ENOBUFS);
    assert_true(got(b, r)->flags & RESULT_CLOSED);
    assert_non_null(strstr(got(b, r)->text, "lost 2 messages"));
    uint64_t s = SELECT(b, CASE_R(h));
    assert_status(b, s, -ENOBUFS);
    assert_has(c, other, "1 2 3 4 5 ");
}

/* ---- block ---- */

static void test_IP14_7_a_publish_waits_for_room(void **state)
{
    uint64_t h = subscribe_full(b, "t", 2, TOPIC_BLOCK), other = subscribe(c, "t");
    uint64_t p = publish(a, "t", "1 2 3 4 5");

    assert_waits(a, p);
    assert_has(c, other, "1 2 ");
    assert_has(b, h, "1 2 ");
    assert_waits(a, p);
    assert_has(c, other, "3 4 ");
    assert_has(b, h, "3 4 ");
    assert_told(a, p, 5, 10, 0);
    assert_has(b, h, "5 ");
    assert_has(c, other, "5 ");
}

static void test_IP14_7_publishes_wait_in_their_order(void **state)
{
    uint64_t h = subscribe_full(b, "t", 1, TOPIC_BLOCK);

    publish(a, "t", "1");
    uint64_t p = publish(a, "t", "2 3"), q = publish(c, "t", "4");
    assert_has(b, h, "1 ");
    assert_waits(c, q);
    assert_has(b, h, "2 ");
    assert_told(a, p, 2, 2, 0);
    assert_has(b, h, "3 ");
    assert_told(c, q, 1, 1, 0);
    assert_has(b, h, "4 ");
}

static void test_IP14_7_other_topics_go_on_meanwhile(void **state)
{
    subscribe_full(b, "t", 1, TOPIC_BLOCK);
    uint64_t other = subscribe(b, "u");

    publish(a, "t", "1");
    uint64_t p = publish(a, "t", "2");
    assert_told(a, publish(a, "u", "3"), 1, 1, 0);
    assert_has(b, other, "3 ");
    assert_waits(a, p);
}

static void test_IP14_7_a_deadline_ends_the_wait_with_what_is_published(void **state)
{
    uint64_t h = subscribe_full(b, "t", 2, TOPIC_BLOCK);
    uint64_t p = publish(within(a, 100 * MS), "t", "1 2 3");

    rig_after(rig, 100 * MS);
    assert_told(a, p, 2, 2, 0);
    p = publish(within(a, 100 * MS), "t", "3");
    rig_after(rig, 100 * MS);
    assert_status(a, p, -ETIMEDOUT);
    assert_has(b, h, "1 2 ");
    assert_has(b, h, "");
}

static void test_IP14_7_a_cancel_ends_the_wait(void **state)
{
    uint64_t h = subscribe_full(b, "t", 1, TOPIC_BLOCK), p = publish(a, "t", "1 2"), q = publish(a, "t", "3");

    cancel(a, q);
    assert_status(a, q, -ECANCELED);
    cancel(a, p);
    assert_told(a, p, 1, 1, 0);
    assert_has(b, h, "1 ");
    assert_has(b, h, "");
}

static void test_IP14_7_a_try_does_not_wait(void **state)
{
    uint64_t h = subscribe_full(b, "t", 1, TOPIC_BLOCK);

    assert_told(a, publish(at_once(a), "t", "1 2"), 1, 1, 0);
    assert_status(a, publish(at_once(a), "t", "2"), -EAGAIN);
    assert_has(b, h, "1 ");
}

static void test_IP14_7_who_makes_no_room_for_its_time_is_ended(void **state)
{
    uint64_t op = subscribe_as(
        b, (struct request_subscribe){
               .pattern = {"t", 1}, .capacity = 1, .full = TOPIC_BLOCK, .block_ns = 300 * (int64_t)MS});
    uint64_t h = got(b, op)->handle, p = publish(a, "t", "1 2 3");

    rig_after(rig, 299 * MS);
    assert_has(b, h, "1 ");
    rig_after(rig, 299 * MS);
    assert_waits(a, p);
    rig_after(rig, 1 * MS);
    assert_told(a, p, 3, 2, 0);
    assert_has(b, h, "2 ");
    uint64_t r = recv1(b, h);
    assert_status(b, r, -ENOBUFS);
    assert_int_equal(rig_stat(rig, "topics.subscriptions"), 0);
}

/* The one that is asked for later waits at the one that ends first. */
static void test_IP14_7_publishes_go_on_in_their_order_when_what_they_wait_for_ends(void **state)
{
    uint64_t first = subscribe_for(b, "t.*", 50 * (int64_t)MS), p, q, other;

    subscribe_for(b, "*.a", 100 * (int64_t)MS);
    publish(a, "t.a", "1");
    other = subscribe(c, "t.a");
    assert_has(b, first, "1 ");
    p = publish(a, "t.a", "2");
    publish(c, "t.b", "x");
    q = publish(a, "t.a", "3");
    rig_after(rig, 100 * MS);
    assert_has(c, other, "2 3 ");
    assert_told(a, p, 1, 1, 0);
    assert_told(a, q, 1, 1, 0);
}

static void test_IP14_7_a_second_is_the_time_of_one_that_names_none(void **state)
{
    subscribe_full(b, "t", 1, TOPIC_BLOCK);
    uint64_t p = publish(a, "t", "1 2");

    rig_after(rig, SECOND - 1);
    assert_waits(a, p);
    rig_after(rig, 1);
    assert_told(a, p, 2, 1, 0);
}

static void test_IP14_7_the_end_of_a_subscription_ends_the_wait(void **state)
{
    uint64_t h = subscribe_full(b, "t", 1, TOPIC_BLOCK), p = publish(a, "t", "1 2");

    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}});
    assert_told(a, p, 2, 1, 0);
}

static void test_IP14_7_a_publisher_that_dies_waits_no_more(void **state)
{
    uint64_t h = subscribe_full(b, "t", 1, TOPIC_BLOCK);

    publish(a, "t", "1 2");
    uint64_t q = publish(c, "t", "3");
    client_die(a);
    rig_sweep(rig);
    assert_has(b, h, "1 ");
    assert_told(c, q, 1, 1, 0);
    assert_has(b, h, "3 ");
}

static void test_IP14_7_the_end_of_a_context_ends_the_wait(void **state)
{
    uint64_t h = subscribe_full(b, "t", 1, TOPIC_BLOCK);
    uint64_t made = client_do(a, (struct request){.verb = VERB_CTX_NEW});
    uint64_t context = got(a, made)->handle;

    publish(c, "t", "1");
    uint64_t p = publish(under(a, context), "t", "2"), q = publish(c, "t", "3");
    client_do(a, (struct request){.verb = VERB_CTX_CANCEL, .ctx_cancel.context = context});
    rig_sweep(rig);
    assert_status(a, p, -ECANCELED);
    assert_has(b, h, "1 ");
    assert_told(c, q, 1, 1, 0);
    assert_has(b, h, "3 ");
    assert_status(a, publish(under(a, context), "t", "4"), -ECANCELED);
}

static void test_IP14_7_two_that_block_are_both_waited_for(void **state)
{
    uint64_t x = subscribe_full(b, "t", 1, TOPIC_BLOCK), y = subscribe_full(c, "*", 2, TOPIC_BLOCK);
    uint64_t other = subscribe(b, ">"), p = publish(a, "t", "1 2 3");

    assert_has(b, other, "1 ");
    assert_has(b, x, "1 ");
    assert_has(b, other, "2 ");
    assert_has(b, x, "2 ");
    assert_waits(a, p); /* for the other one now */
    assert_has(b, other, "");
    assert_has(c, y, "1 2 ");
    assert_told(a, p, 3, 9, 0);
    assert_has(b, x, "3 ");
}

static void test_IP14_7_a_publish_that_waits_is_dumped_with_its_topic(void **state)
{
    subscribe_full(b, "t", 1, TOPIC_BLOCK);
    uint64_t p = publish(a, "t", "1 2");
    uint64_t d = client_do(a, (struct request){.verb = VERB_DUMP, .dump.object = {"t", 1}});

    assert_int_equal(got(a, d)->waits_n, 1);
    assert_int_equal(got(a, d)->waits[0].info.op, p);
    assert_string_equal(got(a, d)->waits[0].kind, "topic");
    assert_string_equal(got(a, d)->waits[0].object, "t");
}

static void test_IP14_12_a_receive_of_a_subscription_is_never_proven_stuck(void **state)
{
    client_do(b, (struct request){.verb = VERB_CALLERS, .callers.callers = 1});
    uint64_t h = subscribe(b, "t");
    client_do(b, (struct request){.verb = VERB_RECV, .flags = OP_BLOCKS, .recv = {h, 1}});
    uint64_t d = client_do(a, (struct request){.verb = VERB_DEADLOCKS});
    assert_int_equal(got(a, d)->waits_n, 0);
}

/* ---- turns ---- */

static void few_per_turn(uint64_t n)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.sweep_per_turn = n;
    again_with(&limits);
}

static void test_IP14_8_deliveries_go_on_in_later_turns_in_order(void **state)
{
    few_per_turn(2);
    uint64_t h[5];
    for (int i = 0; i < 5; i++)
        h[i] = subscribe(b, "t");
    uint64_t p = publish(a, "t", "1"), q = publish(a, "t", "2"), other = publish(a, "u", "3");
    assert_waits(a, p);
    assert_waits(a, other);
    assert_has(b, h[0], "1 ");
    assert_has(b, h[4], "");
    rig_sweep(rig);
    assert_told(a, p, 1, 5, 0);
    assert_told(a, q, 1, 5, 0);
    assert_told(a, other, 1, 0, 0);
    assert_has(b, h[0], "2 ");
    for (int i = 1; i < 5; i++)
        assert_has(b, h[i], "1 2 ");
}

static void test_IP14_8_who_comes_or_goes_meanwhile_gets_all_or_nothing(void **state)
{
    few_per_turn(2);
    uint64_t h[5];
    for (int i = 0; i < 5; i++)
        h[i] = subscribe(b, "t");
    uint64_t p = publish(a, "t", "1 2");
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h[1]}});
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h[3]}});
    uint64_t late = subscribe(b, "t");
    rig_sweep(rig);
    assert_status(a, p, 2);
    assert_has(b, h[0], "1 2 ");
    assert_has(b, h[2], "1 2 ");
    assert_has(b, h[4], "1 2 ");
    assert_has(b, late, "");
}

static void test_IP14_8_all_may_go_while_they_are_told(void **state)
{
    few_per_turn(2);
    uint64_t h[5];
    for (int i = 0; i < 5; i++)
        h[i] = subscribe(b, "t");
    uint64_t p = publish(a, "t", "1");
    for (int i = 0; i < 5; i++)
        client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h[i]}});
    rig_sweep(rig);
    assert_status(a, p, 1);
    assert_int_equal(rig_stat(rig, "topics.subscriptions"), 0);
}

static void test_IP14_8_what_has_taken_effect_goes_on_without_its_publisher(void **state)
{
    few_per_turn(2);
    uint64_t h[5];
    for (int i = 0; i < 5; i++)
        h[i] = subscribe(b, "t");
    publish(a, "t", "1");
    uint64_t q = publish(a, "t", "2");
    client_die(a);
    rig_sweep(rig);
    for (int i = 0; i < 5; i++)
        assert_has(b, h[i], "1 ");
    assert_int_equal(got_count(a, q), 0);
}

static void test_IP14_8_a_cancel_does_not_tear_what_has_taken_effect(void **state)
{
    few_per_turn(2);
    for (int i = 0; i < 5; i++)
        subscribe(b, "t");
    uint64_t p = publish(a, "t", "1"), q = publish(a, "t", "2");
    cancel(a, p);
    cancel(a, q);
    assert_waits(a, p);
    assert_status(a, q, -ECANCELED);
    rig_sweep(rig);
    assert_told(a, p, 1, 5, 0);
}

static void test_IP14_8_a_daemon_ends_with_deliveries_to_come(void **state)
{
    few_per_turn(1);
    for (int i = 0; i < 5; i++)
        subscribe(b, "t");
    publish(a, "t", "1");
    publish(a, "t", "2");
}

static void test_IP14_9_a_close_is_behind_what_is_published_before_and_goes_on_in_later_turns(void **state)
{
    few_per_turn(2);
    uint64_t h[5], late;
    for (int i = 0; i < 5; i++)
        h[i] = subscribe(b, "t");
    publish(a, "t", "1");
    uint64_t p = publish(a, "t", "2");
    uint64_t op = client_do(a, (struct request){.verb = VERB_TOPIC_CLOSE, .topic_close.topic = {"t", 1}});
    assert_status(a, op, 5);
    late = subscribe(b, "t");
    uint64_t q = publish(a, "t", "3");
    rig_sweep(rig);
    assert_told(a, p, 1, 6, 0); /* late was there before it took effect */
    assert_told(a, q, 1, 1, 0);
    for (int i = 0; i < 5; i++) {
        assert_has(b, h[i], "1 2 ");
        assert_status(b, recv1(at_once(b), h[i]), 0);
    }
    assert_has(b, late, "2 3 ");
}

static void test_IP14_9_a_daemon_ends_with_subscriptions_to_close(void **state)
{
    few_per_turn(1);
    for (int i = 0; i < 5; i++)
        subscribe(b, "t");
    client_do(a, (struct request){.verb = VERB_TOPIC_CLOSE, .topic_close.topic = {"t", 1}});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP14_5_the_newest_is_dropped_and_counted),
        TEST(test_IP14_5_more_than_four_billion_lost_are_not_few),
        TEST(test_IP14_11_keys_and_headers_of_a_publish_are_charged_too),
        TEST(test_IP14_5_the_oldest_is_dropped_and_counted),
        TEST(test_IP14_5_a_publish_is_told_what_was_lost_through_it),
        TEST(test_IP14_5_the_oldest_of_a_capacity_of_one_says_what_is_missing),
        TEST(test_IP14_5_one_that_is_full_costs_the_others_nothing),
        TEST(test_IP14_5_whoever_waits_makes_room_within_a_publish),
        TEST(test_IP14_5_what_is_given_back_takes_no_room),
        TEST(test_IP14_5_a_message_that_is_too_large_is_lost_to_it),
        TEST(test_IP14_5_bytes_are_room_too),
        TEST(test_IP14_6_a_subscription_without_room_ends_behind_what_it_has),
        TEST(test_IP14_7_a_publish_waits_for_room),
        TEST(test_IP14_7_publishes_wait_in_their_order),
        TEST(test_IP14_7_other_topics_go_on_meanwhile),
        TEST(test_IP14_7_a_deadline_ends_the_wait_with_what_is_published),
        TEST(test_IP14_7_a_cancel_ends_the_wait),
        TEST(test_IP14_7_a_try_does_not_wait),
        TEST(test_IP14_7_who_makes_no_room_for_its_time_is_ended),
        TEST(test_IP14_7_publishes_go_on_in_their_order_when_what_they_wait_for_ends),
        TEST(test_IP14_7_a_second_is_the_time_of_one_that_names_none),
        TEST(test_IP14_7_the_end_of_a_subscription_ends_the_wait),
        TEST(test_IP14_7_a_publisher_that_dies_waits_no_more),
        TEST(test_IP14_7_the_end_of_a_context_ends_the_wait),
        TEST(test_IP14_7_two_that_block_are_both_waited_for),
        TEST(test_IP14_7_a_publish_that_waits_is_dumped_with_its_topic),
        TEST(test_IP14_12_a_receive_of_a_subscription_is_never_proven_stuck),
        TEST(test_IP14_8_deliveries_go_on_in_later_turns_in_order),
        TEST(test_IP14_8_who_comes_or_goes_meanwhile_gets_all_or_nothing),
        TEST(test_IP14_8_all_may_go_while_they_are_told),
        TEST(test_IP14_8_what_has_taken_effect_goes_on_without_its_publisher),
        TEST(test_IP14_8_a_cancel_does_not_tear_what_has_taken_effect),
        TEST(test_IP14_8_a_daemon_ends_with_deliveries_to_come),
        TEST(test_IP14_9_a_close_is_behind_what_is_published_before_and_goes_on_in_later_turns),
        TEST(test_IP14_9_a_daemon_ends_with_subscriptions_to_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
