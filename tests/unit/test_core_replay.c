/* Replays (IP15.8): subscriptions that begin in the past, from memory and from the store. */
#include "kept_fixture.h"

#include "kept.h"

/* Nothing is in memory: all is fetched. */
static int bare_setup(void **state)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.topic_cache_bytes = 0;
    return kept_setup_with(&limits);
}

/* What a receive gets once the store has answered. */
static const char *gets(struct client *c, uint64_t handle, uint32_t max)
{
    uint64_t op = recv_many(at_once(c), handle, max);

    ack(c, op, 0);
    stored(d);
    return status_of(c, op) > 0 ? got_values(c, op) : "";
}

static void test_IP15_8_a_replay_has_what_was_and_then_what_comes(void **state)
{
    published(a, "k.x", "1 2");
    published(a, "k.y", "3");
    uint64_t r = replay_all(b, "k.>"), x = replay_all(b, "k.x");
    assert_string_equal(gets(b, r, 9), "1 2 3 ");
    assert_string_equal(gets(b, x, 9), "1 2 ");
    published(a, "k.x", "4");
    assert_string_equal(gets(b, r, 9), "4 ");
    assert_string_equal(gets(b, x, 9), "4 ");
    kept_restart();
    assert_string_equal(gets(b, replay_all(b, "k.>"), 9), "1 2 3 4 ");
}

static void test_IP15_8_a_replay_begins_at_a_sequence_or_time(void **state)
{
    published(a, "k.x", "1 2");
    kept_after(SECOND);
    int64_t time_us = d->rig->now.wall_ns / 1000;
    published(a, "k.y", "3");
    published(a, "k.x", "4");
    uint64_t r = replay(b, "k.x", (struct request_subscribe){.from = FROM_SEQUENCE, .from_sequence = 2});
    assert_string_equal(gets(b, r, 9), "2 4 ");
    r = replay(b, "k.>", (struct request_subscribe){.from = FROM_TIME, .from_time_us = time_us});
    assert_string_equal(gets(b, r, 9), "3 4 ");
    r = replay(b, "k.>", (struct request_subscribe){.from = FROM_TIME, .from_time_us = time_us + 1});
    assert_string_equal(gets(b, r, 9), "");
}

static void test_IP15_8_a_replay_begins_with_the_last_message_of_each_topic(void **state)
{
    published(a, "k.x", "1 2");
    published(a, "k.y", "3 4");
    published(a, "k.x", "5");
    published(a, "other", "6");
    uint64_t r = replay(b, "k.*", (struct request_subscribe){.from = FROM_LAST});
    uint64_t x = replay(b, "k.x", (struct request_subscribe){.from = FROM_LAST});
    uint64_t none = replay(b, "k.none", (struct request_subscribe){.from = FROM_LAST});
    published(a, "k.y", "7 8");
    published(a, "k.none", "9");
    assert_string_equal(gets(b, r, 9), "4 5 7 8 9 ");
    assert_string_equal(gets(b, x, 9), "5 ");
    assert_string_equal(gets(b, none, 9), "9 ");
    subscribe_as(b, (struct request_subscribe){.pattern = {"k.x", 3}, .from = FROM_LAST, .group = {"g", 1}});
    assert_status(b, b->op, -EINVAL);
}

static void test_IP15_8_a_replay_goes_on_when_its_user_has_room_again(void **state)
{
    uint64_t h = subscribe(a, "live"), op;

    published(a, "k.x", "1 2");
    publish(a, "live", "m");
    d->rig->core->limits.account_bytes_max = 1;
    op = recv_many(b, replay_all(b, "k.>"), 9);
    kept_after(SECOND);
    assert_waits(b, op);
    d->rig->core->limits.account_bytes_max = 1 << 20;
    assert_has(a, h, "m ");
    kept_after(SECOND);
    assert_values(b, op, "1 2 ");
}

static void fail_fetch(struct bytes group)
{
    struct rig *rig = d->rig;
    uint64_t op = subscribe_as(
        b, (struct request_subscribe){.pattern = {"k.x", 3}, .group = group, .from = FROM_START});

    assert_int_equal(rig->asked_n, 1);
    rig->asked_n = 0;
    rig_step(rig,
             &(struct input){.kind = IN_FETCHED, .fetched = {.fetch = rig->asked[0].number, .error = -EIO}});
    assert_int_equal(rig->asked_n, 0);
    kept_after(SECOND);
    op = recv_many(at_once(b), got(b, op)->handle, 9);
    stored(d);
    assert_values(b, op, "1 ");
}

static void test_IP15_8_a_store_that_cannot_be_read_is_asked_again_after_a_while(void **state)
{
    published(a, "k.x", "1");
    fail_fetch((struct bytes){"", 0});
    fail_fetch((struct bytes){"g", 1});
}

static void test_IP15_8_a_message_says_what_it_was(void **state)
{
    const struct header header = {{"h", 1}, {"v", 1}};
    struct outgoing message = {.value.body = {"m", 1}, .key = {"key", 3}, .headers = &header, .headers_n = 1};

    client_do(a, (struct request){.verb = VERB_PUBLISH,
                                  .publish = {.topic = {"k.x", 3}, .messages = &message, .messages_n = 1}});
    stored(d);
    uint64_t r = replay_all(b, "k.>"), op = recv_many(b, r, 1);
    stored(d);
    const struct got *g = got(b, op);
    assert_string_equal(g->value[0].topic, "k.x");
    assert_string_equal(g->value[0].key, "key");
    assert_string_equal(g->value[0].header, "h=v");
    assert_int_equal(g->value[0].sequence, 1);
}

static void test_IP15_8_a_replay_loses_nothing_however_small_and_slow(void **state)
{
    uint64_t r = replay(b, "k.>", (struct request_subscribe){.from = FROM_START, .capacity = 2});

    for (int i = 0; i < 10; i++)
        published(a, i % 3 ? "k.x" : "k.y", "1 2 3");
    for (int i = 0; i < 10; i++) {
        assert_string_equal(gets(b, r, 1), "1 ");
        assert_string_equal(gets(b, r, 2), i < 10 ? "2 3 " : "");
    }
    assert_string_equal(gets(b, r, 1), "");
}

static void test_IP15_8_who_waits_at_a_replay_receives_what_is_stored(void **state)
{
    uint64_t r = replay_all(b, "k.>"), op = recv_many(b, r, 5);

    publish(a, "k.x", "1 2");
    assert_waits(b, op);
    stored(d);
    assert_values(b, op, "1 2 ");
}

static void test_IP15_8_what_is_too_large_is_lost_and_counted(void **state)
{
    published(a, "k.x", "small large1 large2 end");
    uint64_t r = replay(b, "k.>", (struct request_subscribe){.from = FROM_START, .value_bytes_max = 5});
    uint64_t op = recv_many(b, r, 5);
    assert_values(b, op, "small end ");
    assert_int_equal(got(b, op)->value[1].lost, 2);
}

static void test_IP15_8_what_a_topic_no_longer_keeps_is_not_read(void **state)
{
    set_topic(a, "k.>", "keep_messages=16");
    for (int i = 0; i < 20; i++)
        published(a, "k.x", "1");
    uint64_t r = replay_all(b, "k.>"), op = recv_many(b, r, 30);
    assert_status(b, op, (int32_t)info_of(a, "k.x").messages);
    assert_int_equal(got(b, op)->value[0].sequence, info_of(a, "k.x").first_sequence);
}

static void test_IP15_8_topics_that_are_not_kept_are_not_read(void **state)
{
    uint64_t r = replay_all(b, ">");

    publish(a, "live", "1");
    published(a, "k.x", "2");
    assert_string_equal(gets(b, r, 9), "2 ");
}

static void test_IP15_8_a_replay_ends_with_its_handle(void **state)
{
    published(a, "k.x", "1");
    uint64_t r = replay_all(b, "k.>");
    client_do(b, (struct request){.verb = VERB_CHAN_DROP, .chan_drop.handle = r});
    assert_status(b, b->op, 0);
    replay_all(b, "k.>");
    subscribe_as(b, (struct request_subscribe){.pattern = {"k.x", 3}, .from = FROM_START});
    client_die(b); /* a fetch may be under way */
    stored(d);
    published(a, "k.x", "2");
}

static void test_IP15_8_many_messages_are_fetched_in_parts(void **state)
{
    char sum[8];
    size_t n = 0;

    for (int i = 0; i < 700; i++)
        published(a, "k.x", "m");
    kept_restart();
    uint64_t r = replay_all(b, "k.x");
    for (const char *some; *(some = gets(b, r, 50)); n += strlen(some) / 2)
        ;
    assert_int_equal(n, 700);
    assert_string_equal(gets(b, r, (uint32_t)sizeof(sum)), "");
}

static void test_IP15_8_the_cache_is_bounded(void **state)
{
    d->rig->core->limits.topic_cache_bytes = 2000;
    for (int i = 0; i < 40; i++)
        published(a, "k.x", "m");
    assert_true(d->rig->core->kept_topics->cache.bytes <= 2000);
    uint64_t r = replay_all(b, "k.x");
    assert_int_equal(strlen(gets(b, r, 60)), 80);
}

/* Of each topic a sequence is noted, until it has come there. */
static void test_IP15_8_what_a_replay_notes_of_last_messages_is_charged(void **state)
{
    uint64_t before, r, op;

    published(a, "k.x", "1");
    published(a, "k.y", "2");
    published(a, "k.z", "3");
    before = rig_stat(d->rig, "bytes");
    r = replay(b, "k.*", (struct request_subscribe){.from = FROM_LAST, .capacity = 1});
    assert_true(rig_stat(d->rig, "bytes") >= before + 3 * sizeof(uint64_t));
    for (int i = 0; i < 3; i++) {
        op = recv_many(b, r, 1);
        stored(d);
        ack(b, op, 1);
        rig_sweep(d->rig);
    }
    assert_int_equal(rig_stat(d->rig, "bytes"), before);
    d->rig->core->limits.account_bytes_max = before + 2 * sizeof(uint64_t);
    op = subscribe_as(b, (struct request_subscribe){.pattern = {"k.*", 3}, .from = FROM_LAST});
    assert_status(b, op, -ENOBUFS);
    assert_int_equal(rig_stat(d->rig, "bytes"), before);
}

#define REPLAY_TESTS(setup)                                                                                  \
    cmocka_unit_test_setup_teardown(test_IP15_8_a_replay_has_what_was_and_then_what_comes, setup,            \
                                    durable_teardown),                                                       \
        cmocka_unit_test_setup_teardown(test_IP15_8_a_replay_begins_at_a_sequence_or_time, setup,            \
                                        durable_teardown),                                                   \
        cmocka_unit_test_setup_teardown(test_IP15_8_a_replay_begins_with_the_last_message_of_each_topic,     \
                                        setup, durable_teardown),                                            \
        cmocka_unit_test_setup_teardown(test_IP15_8_a_message_says_what_it_was, setup, durable_teardown),    \
        cmocka_unit_test_setup_teardown(test_IP15_8_a_replay_loses_nothing_however_small_and_slow, setup,    \
                                        durable_teardown),                                                   \
        cmocka_unit_test_setup_teardown(test_IP15_8_who_waits_at_a_replay_receives_what_is_stored, setup,    \
                                        durable_teardown),                                                   \
        cmocka_unit_test_setup_teardown(test_IP15_8_what_is_too_large_is_lost_and_counted, setup,            \
                                        durable_teardown),                                                   \
        cmocka_unit_test_setup_teardown(test_IP15_8_what_a_topic_no_longer_keeps_is_not_read, setup,         \
                                        durable_teardown),                                                   \
        cmocka_unit_test_setup_teardown(test_IP15_8_topics_that_are_not_kept_are_not_read, setup,            \
                                        durable_teardown),                                                   \
        cmocka_unit_test_setup_teardown(test_IP15_8_a_replay_ends_with_its_handle, setup, durable_teardown), \
        cmocka_unit_test_setup_teardown(test_IP15_8_many_messages_are_fetched_in_parts, setup,               \
                                        durable_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPLAY_TESTS(kept_setup),
        REPLAY_TESTS(bare_setup),
        cmocka_unit_test_setup_teardown(test_IP15_8_what_a_replay_notes_of_last_messages_is_charged,
                                        kept_setup, durable_teardown),
        cmocka_unit_test_setup_teardown(test_IP15_8_the_cache_is_bounded, kept_setup, durable_teardown),
        cmocka_unit_test_setup_teardown(test_IP15_8_a_store_that_cannot_be_read_is_asked_again_after_a_while,
                                        bare_setup, durable_teardown),
        cmocka_unit_test_setup_teardown(test_IP15_8_a_replay_goes_on_when_its_user_has_room_again, kept_setup,
                                        durable_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
