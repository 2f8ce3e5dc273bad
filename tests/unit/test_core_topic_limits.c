/* Limits of topics, met and passed (IP14.11); and a publish that was refused. */
#include "topic_fixture.h"

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

static void test_IP14_11_subscriptions_of_one_user_are_limited(void **state)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.subscriptions_max = 2;
    limits.channels_max = 0;
    again_with(&limits);
    uint64_t h = subscribe(b, "t");
    assert_true(h && subscribe(b, "u"));
    uint64_t op = subscribe_as(b, (struct request_subscribe){.pattern = {"v", 1}});
    assert_status(b, op, -ENOBUFS);
    assert_true(subscribe(c, "t"));
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {h}});
    assert_true(subscribe(b, "v"));
}

static uint64_t publish_headers(const struct header *headers, size_t n)
{
    const struct outgoing message = {.value.body = {"m", 1}, .headers = headers, .headers_n = n};

    return client_do(a,
                     (struct request){.verb = VERB_PUBLISH,
                                      .publish = {.topic = {"t", 1}, .messages = &message, .messages_n = 1}});
}

static void test_IP14_11_headers_are_limited_in_number_and_bytes(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    const struct header headers[] = {{{"a", 1}, {"22", 2}}, {{"b", 1}, {"22", 2}}, {{"c", 1}, {"2", 1}}};

    limits.message_headers_max = 2;
    limits.message_header_bytes = 6;
    again_with(&limits);
    assert_status(a, publish_headers(headers, 2), 1);
    assert_status(a, publish_headers(headers, 3), -E2BIG);
    const struct header large = {{"a", 1}, {"666666", 6}};
    assert_status(a, publish_headers(&large, 1), -E2BIG);
}

static void test_IP14_11_a_time_to_block_is_limited(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    struct request_subscribe what = {.pattern = {"t", 1}, .full = TOPIC_BLOCK, .block_ns = 5 * (int64_t)MS};

    limits.topic_block_ms = 5;
    again_with(&limits);
    assert_status(b, subscribe_as(b, what), 0);
    what.block_ns++;
    assert_status(b, subscribe_as(b, what), -E2BIG);
    what.full = TOPIC_DISCONNECT;
    assert_status(b, subscribe_as(b, what), -EINVAL);
}

/* F4: where its refusal was lost, a later one may have taken effect. */
static void test_IP14_4_a_publish_that_was_refused_stays_refused(void **state)
{
    struct limits limits = LIMITS_DEFAULT;
    const struct outgoing message = {.value.body = {"1", 1}};
    const struct request late = {.verb = VERB_PUBLISH,
                                 .publish = {.topic = {"t", 1}, .messages = &message, .messages_n = 1}};

    limits.window_ops = 2;
    again_with(&limits);
    uint64_t h = subscribe(b, "t");
    ack(b, b->op, 0);
    publish(a, "u", "x");
    publish(a, "u", "x");
    uint64_t p = publish(a, "t", "1");
    assert_status(a, p, -ENOBUFS);
    a->mark = p - 1;
    assert_told(a, publish(a, "t", "2"), 1, 1, 0);
    client_again(a, late, p);
    assert_status(a, p, -ENOBUFS);
    assert_has(b, h, "2 ");
}

static void test_IP14_11_sizes_are_limited(void **state)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.value_bytes_max = limits.value_bytes_default = 4;
    limits.channel_capacity_max = 2;
    again_with(&limits);
    assert_status(a, publish(a, "t", "4444"), 1);
    assert_status(a, publish(a, "t", "55555"), -E2BIG);
    assert_false(subscribe_full(b, "t", 3, TOPIC_DROP_NEWEST));
    assert_true(subscribe_full(b, "t", 2, TOPIC_DROP_NEWEST));
}

static void test_IP14_11_a_publish_without_a_place_to_wait_is_refused(void **state)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.waiters_max = 0;
    again_with(&limits);
    uint64_t h = subscribe_full(b, "t", 1, TOPIC_BLOCK);
    assert_told(a, publish(a, "t", "1 2"), 1, 1, 0);
    assert_status(a, publish(a, "t", "2"), -ENOBUFS);
    assert_has(b, h, "1 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP14_11_subscriptions_of_one_user_are_limited),
        TEST(test_IP14_11_headers_are_limited_in_number_and_bytes),
        TEST(test_IP14_11_a_time_to_block_is_limited),
        TEST(test_IP14_4_a_publish_that_was_refused_stays_refused),
        TEST(test_IP14_11_sizes_are_limited),
        TEST(test_IP14_11_a_publish_without_a_place_to_wait_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
