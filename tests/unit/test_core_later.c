/* What is published later on kept topics (IP15.10): when it comes, that it comes once, what becomes of it otherwise. */
#include "kept.h"
#include "kept_fixture.h"

static uint64_t sub; /* of b, for all that is kept */

static int setup(void **state)
{
    kept_setup(state);
    d->rig->now.wall_ns -= d->rig->now.wall_ns % 1000; /* what is due is due to the microsecond */
    sub = subscribe(b, "k.>");
    return 0;
}

/* One message, `body`, in so many seconds. */
static uint64_t publish_in(const char *topic, const char *body, int64_t seconds)
{
    return publish_with(a, topic, (struct wishes){.body = body, .delay_ns = seconds * SECOND});
}

/* The same, confirmed. */
static void accepted_in(const char *topic, const char *body, int64_t seconds)
{
    uint64_t op = publish_in(topic, body, seconds);

    stored(d);
    assert_status(a, op, 1);
}

static void seconds_pass(int64_t n)
{
    kept_after(n * SECOND);
}

static const char *in_the_log(void)
{
    return has(b, replay_all(b, "k.>"));
}

static uint64_t remove_topic(const char *topic)
{
    return client_do(
        a, (struct request){.verb = VERB_TOPIC_REMOVE, .topic_remove.topic = {topic, strlen(topic)}});
}

/* ---- when ---- */

static void test_IP15_10_a_delayed_message_is_confirmed_when_it_is_stored(void **state)
{
    uint64_t op = publish_in("k.x", "1", 10);

    assert_null(got(a, op));
    stored(d);
    assert_status(a, op, 1);
    assert_int_equal(got(a, op)->published.sequence, 0);
    assert_int_equal(got(a, op)->published.receivers, 0);
    assert_int_equal(info_of(a, "k.x").delayed, 1);
    assert_int_equal(info_of(a, "k.x").messages, 0);
}

static void test_IP15_10_a_full_store_takes_none_of_it(void **state)
{
    uint64_t op = publish_in("k.x", "1", 10);

    store_full(d);
    assert_status(a, op, -ENOSPC);
    assert_int_equal(info_of(a, "k.x").delayed, 0);
    seconds_pass(20);
    assert_has(b, sub, "");
}

static void test_IP15_10_it_comes_at_its_time_as_if_it_were_published_then(void **state)
{
    accepted_in("k.x", "later", 10);
    assert_int_equal(published(a, "k.y", "now"), 1);
    seconds_pass(9);
    assert_has(b, sub, "now ");
    kept_after(SECOND - 1);
    assert_has(b, sub, "");
    int64_t due_us = d->rig->now.wall_ns / 1000 + 1;
    kept_after(1);
    uint64_t op = recv_many(b, sub, 1);
    assert_status(b, op, 1);
    assert_string_equal(got(b, op)->value[0].text, "later");
    assert_int_equal(got(b, op)->value[0].sequence, 2);
    assert_int_equal(got(b, op)->value[0].time_us, due_us);
    assert_int_equal(info_of(a, "k.x").delayed, 0);
    assert_int_equal(info_of(a, "k.x").messages, 1);
    assert_int_equal(published(a, "k.x", "next"), 3);
    assert_string_equal(in_the_log(), "now later next ");
}

static void test_IP15_10_it_has_its_key_and_headers(void **state)
{
    struct header header = {{"n", 1}, {"v", 1}};
    struct outgoing message = {.value.body = {"1", 1}, .key = {"key", 3}, .headers = &header, .headers_n = 1};

    client_do(
        a, (struct request){
               .verb = VERB_PUBLISH,
               .publish = {.topic = {"k.x", 3}, .messages = &message, .messages_n = 1, .delay_ns = SECOND}});
    stored(d);
    kept_restart();
    uint64_t all = subscribe(b, "k.>");
    seconds_pass(1);
    uint64_t op = recv_many(b, all, 1);
    assert_status(b, op, 1);
    assert_string_equal(got(b, op)->value[0].topic, "k.x");
    assert_string_equal(got(b, op)->value[0].key, "key");
    assert_string_equal(got(b, op)->value[0].header, "n=v");
}

static void test_IP15_10_what_is_due_comes_in_the_order_of_its_times(void **state)
{
    struct outgoing two[] = {{.value.body = {"3a", 2}}, {.value.body = {"3b", 2}}};
    const struct request both = {
        .verb = VERB_PUBLISH,
        .publish = {.topic = {"k.y", 3}, .messages = two, .messages_n = 2, .delay_ns = 3 * (int64_t)SECOND}};

    accepted_in("k.x", "5", 5);
    client_do(a, both);
    accepted_in("k.x", "3c", 3);
    accepted_in("k.z", "1", 1);
    accepted_in("k.x", "4", 4);
    assert_int_equal(rig_stat(d->rig, "topics.delayed"), 6);
    seconds_pass(10);
    assert_has(b, sub, "1 3a 3b 3c 4 5 ");
    assert_string_equal(in_the_log(), "1 3a 3b 3c 4 5 ");
}

static void test_IP15_10_a_publish_may_name_its_time(void **state)
{
    int64_t now_us = d->rig->now.wall_ns / 1000;

    publish_with(a, "k.x", (struct wishes){.body = "second", .at_us = now_us + 2000000});
    publish_with(a, "k.x", (struct wishes){.body = "first", .at_us = now_us + 1000000});
    stored(d);
    assert_int_equal(info_of(a, "k.x").delayed, 2);
    kept_after(1999999 * 1000ll);
    assert_has(b, sub, "first ");
    kept_after(1000);
    assert_has(b, sub, "second ");
    publish_with(a, "k.x", (struct wishes){.body = "past", .at_us = now_us});
    stored(d);
    assert_int_equal(got(a, a->op)->published.sequence, 3);
    assert_has(b, sub, "past ");
}

/* Without any input but the clock. */
static void test_IP15_10_a_clock_that_is_set_forward_is_seen(void **state)
{
    accepted_in("k.x", "1", 3600);
    d->rig->now.wall_ns += 3600 * (int64_t)SECOND;
    rig_after(d->rig, 60 * (int64_t)SECOND);
    stored(d);
    assert_has(b, sub, "1 ");
}

static void test_IP15_10_a_clock_that_is_set_back_makes_it_wait(void **state)
{
    accepted_in("k.x", "1", 10);
    d->rig->now.wall_ns -= 100 * (int64_t)SECOND;
    seconds_pass(100);
    assert_has(b, sub, "");
    seconds_pass(10);
    assert_has(b, sub, "1 ");
}

static void test_IP15_10_a_delay_without_end_is_far_away(void **state)
{
    uint64_t op = publish_with(a, "k.x", (struct wishes){.delay_ns = INT64_MAX});

    stored(d);
    assert_status(a, op, 1);
    seconds_pass(1000000);
    assert_has(b, sub, "");
}

/* ---- once, whatever dies ---- */

static void test_IP15_10_it_outlives_the_daemon(void **state)
{
    accepted_in("k.x", "1", 10);
    accepted_in("k.x", "2", 20);
    kept_restart();
    assert_int_equal(info_of(a, "k.x").delayed, 2);
    seconds_pass(9);
    assert_string_equal(in_the_log(), "");
    seconds_pass(1);
    assert_string_equal(in_the_log(), "1 ");
    kept_restart();
    accepted_in("k.x", "3", 5);
    seconds_pass(10);
    assert_string_equal(in_the_log(), "1 3 2 ");
    kept_restart();
    assert_string_equal(in_the_log(), "1 3 2 ");
    assert_int_equal(info_of(a, "k.x").delayed, 0);
}

static void test_IP15_10_what_is_due_while_no_daemon_runs_comes_when_one_starts(void **state)
{
    accepted_in("k.x", "2", 20);
    accepted_in("k.x", "1", 10);
    accepted_in("k.x", "3", 3600);
    d->rig->now.wall_ns += 60 * (int64_t)SECOND;
    kept_restart();
    sub = subscribe(b, "k.>");
    stored(d);
    assert_has(b, sub, "1 2 ");
    assert_int_equal(info_of(a, "k.x").delayed, 1);
}

/* What the store has when the daemon dies; what it has in the end. */
static void test_IP15_10_it_comes_once_whenever_the_daemon_dies(void **state)
{
    static const struct {
        bool accepts, asks;
        const char *kept;
    } deaths[] = {{false, false, ""}, {true, false, "1 "}, {true, true, "1 "}};

    for (size_t i = 0; i < sizeof(deaths) / sizeof(*deaths); i++) {
        published(a, "k.x", "0");
        publish_in("k.x", "1", 1);
        if (deaths[i].accepts)
            stored(d);
        d->rig->now.wall_ns += SECOND;
        if (deaths[i].asks)
            rig_after(d->rig, SECOND);
        assert_int_equal(d->rig->asked_n, deaths[i].asks);
        kept_restart();
        stored(d);
        assert_string_equal(in_the_log() + 2, deaths[i].kept);
        remove_topic("k.x");
        stored(d);
    }
}

/* The record of the move is on its way, or there, and nobody was told. */
static void test_IP15_10_a_move_that_nobody_heard_of_is_not_repeated(void **state)
{
    for (size_t batches = 0; batches < 2; batches++) {
        accepted_in("k.x", "1", 1);
        d->rig->now.wall_ns += SECOND;
        rig_after(d->rig, SECOND);
        assert_int_equal(d->rig->asked_n, 1);
        fetched(d);
        assert_int_equal(waiting(d), 1);
        crash(d, batches);
        meet();
        seconds_pass(1);
        assert_string_equal(in_the_log(), "1 ");
        remove_topic("k.x");
        stored(d);
    }
}

static void test_IP15_10_a_full_store_keeps_what_is_due(void **state)
{
    accepted_in("k.x", "1", 1);
    d->rig->now.wall_ns += SECOND;
    rig_after(d->rig, SECOND);
    fetched(d);
    store_full(d); /* that is no admission */
    stored(d);
    assert_has(b, sub, "1 ");
}

/* ---- bounds ---- */

static void test_IP15_10_what_waits_of_a_user_is_bounded(void **state)
{
    d->rig->core->limits.delayed_max = 2;
    accepted_in("k.x", "1", 10);
    accepted_in("k.y", "2", 1);
    assert_status(a, publish_in("k.x", "3", 1), -ENOBUFS);
    assert_non_null(strstr(got(a, a->op)->text, "delayed_max is 2"));
    assert_int_equal(info_of(a, "k.x").delayed, 1);
    seconds_pass(1);
    d->rig->core->limits.delayed_bytes_max = 5;
    assert_status(a, publish_in("k.x", "12345", 1), -ENOBUFS);
    assert_non_null(strstr(got(a, a->op)->text, "delayed_bytes_max is 5"));
    accepted_in("k.x", "1234", 1);
    seconds_pass(10);
    assert_has(b, sub, "2 1234 1 ");
}

/* ---- what is refused ---- */

static void test_IP15_10_a_delay_needs_a_topic_that_is_kept(void **state)
{
    assert_status(a, publish_in("live", "1", 1), -EINVAL);
    assert_non_null(strstr(got(a, a->op)->text, "a delay needs a topic that is kept"));
    assert_status(a, publish_with(a, "live", (struct wishes){.at_us = 1}), -EINVAL);
    publish_with(a, "k.x", (struct wishes){.delay_ns = 1, .at_us = 1});
    assert_status(a, a->op, -EINVAL);
    assert_non_null(strstr(got(a, a->op)->text, "both"));
    assert_status(a, publish_with(a, "k.x", (struct wishes){.at_us = -1}), -EINVAL);
    assert_status(a, publish_in("k.x", "1", -1), -EINVAL);
    assert_non_null(strstr(got(a, a->op)->text, "negative"));
    publish_with(a, "k.x", (struct wishes){.delay_ns = SECOND, .expects = true});
    assert_status(a, a->op, -EINVAL);
    assert_non_null(strstr(got(a, a->op)->text, "expected sequence"));
    assert_int_equal(info_of(a, "k.x").delayed, 0);
}

static void test_IP15_10_what_waits_counts_for_a_topic_that_refuses(void **state)
{
    set_topic(a, "k.>", "keep_messages=2 full=reject");
    accepted_in("k.x", "1", 10);
    published(a, "k.x", "2");
    assert_status(a, publish(a, "k.x", "3"), -ENOBUFS);
    assert_status(a, publish_in("k.x", "3", 1), -ENOBUFS);
    assert_non_null(strstr(got(a, a->op)->text, "keep_messages is 2"));
    set_topic(a, "k.>", "keep_messages=1");
    seconds_pass(10); /* it was promised */
    assert_has(b, sub, "2 1 ");
}

static void test_IP15_10_it_comes_whatever_was_set_meanwhile(void **state)
{
    accepted_in("k.x", "1", 10);
    set_topic(a, "k.x", "durable=no");
    seconds_pass(10);
    assert_has(b, sub, "1 ");
    assert_int_equal(info_of(a, "k.x").messages, 1);
}

/* ---- ids ---- */

static uint64_t once_in(const char *id, int64_t seconds)
{
    uint64_t op = publish_with(a, "k.x", (struct wishes){.once = id, .delay_ns = seconds * SECOND});

    stored(d);
    assert_status(a, op, 1);
    return op;
}

static void assert_repeat(uint64_t op, uint32_t repeated, uint64_t sequence)
{
    assert_int_equal(got(a, op)->published.repeated, repeated);
    assert_int_equal(got(a, op)->published.sequence, sequence);
}

static void test_IP15_10_an_id_counts_from_the_acceptance_on(void **state)
{
    set_topic(a, "k.>", "dedup=60");
    assert_repeat(once_in("id", 100), 0, 0);
    assert_repeat(once_in("id", 0), 1, 0);
    kept_restart();
    seconds_pass(99);
    assert_repeat(once_in("id", 5), 1, 0);
    seconds_pass(1);
    assert_repeat(once_in("id", 0), 1, 1);
    kept_restart();
    seconds_pass(59);
    assert_repeat(once_in("id", 5), 1, 1);
    seconds_pass(2);
    assert_repeat(once_in("id", 0), 0, 2);
    assert_string_equal(in_the_log(), "x x ");
}

static void test_IP15_10_ids_repeat_within_one_publish(void **state)
{
    struct outgoing same[] = {{.value.body = {"1", 1}, .once = {"id", 2}},
                              {.value.body = {"2", 1}, .once = {"id", 2}},
                              {.value.body = {"3", 1}}};

    client_do(a,
              (struct request){
                  .verb = VERB_PUBLISH,
                  .publish = {.topic = {"k.x", 3}, .messages = same, .messages_n = 3, .delay_ns = SECOND}});
    stored(d);
    assert_status(a, a->op, 3);
    assert_repeat(a->op, 1, 0);
    seconds_pass(1);
    assert_has(b, sub, "1 3 ");
}

static void test_IP15_10_an_id_of_what_was_not_stored_is_free(void **state)
{
    uint64_t first = publish_with(a, "k.x", (struct wishes){.once = "id", .delay_ns = SECOND}),
             second = publish_with(a, "k.x", (struct wishes){.once = "id", .delay_ns = SECOND});

    store_full(d);
    assert_status(a, first, -ENOSPC);
    assert_status(a, second, -ENOSPC);
    assert_repeat(once_in("id", 1), 0, 0);
    d->rig->core->limits.dedup_max = 1;
    assert_status(a, publish_with(a, "k.x", (struct wishes){.once = "other", .delay_ns = SECOND}), -ENOBUFS);
}

/* ---- what goes ---- */

static void test_IP15_10_a_purge_leaves_what_is_to_come(void **state)
{
    accepted_in("k.x", "1", 1);
    published(a, "k.x", "2");
    client_do(a, (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge.topic = {"k.x", 3}});
    stored(d);
    assert_int_equal(got(a, a->op)->handle, 1);
    seconds_pass(1);
    assert_string_equal(in_the_log(), "1 ");
}

static void test_IP15_10_what_is_to_come_goes_with_its_topic(void **state)
{
    accepted_in("k.x", "1", 1);
    once_in("id", 2);
    published(a, "k.x", "2");
    accepted_in("k.y", "3", 1);
    uint64_t op = remove_topic("k.x");
    stored(d);
    assert_status(a, op, 0);
    assert_int_equal(got(a, op)->handle, 3);
    assert_repeat(once_in("id", 0), 0, 2);
    kept_restart();
    seconds_pass(3);
    assert_string_equal(in_the_log(), "x 3 ");
    assert_int_equal(rig_stat(d->rig, "topics.delayed"), 0);
}

static void test_IP15_10_what_is_due_when_its_topic_goes_does_not_come(void **state)
{
    accepted_in("k.x", "1", 1);
    accepted_in("k.y", "2", 1);
    d->rig->now.wall_ns += SECOND;
    rig_after(d->rig, SECOND); /* both are fetched */
    uint64_t op = remove_topic("k.x");
    stored(d);
    assert_status(a, op, 0);
    assert_has(b, sub, "2 ");
}

#define LATER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, durable_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LATER_TEST(test_IP15_10_a_delayed_message_is_confirmed_when_it_is_stored),
        LATER_TEST(test_IP15_10_a_full_store_takes_none_of_it),
        LATER_TEST(test_IP15_10_it_comes_at_its_time_as_if_it_were_published_then),
        LATER_TEST(test_IP15_10_it_has_its_key_and_headers),
        LATER_TEST(test_IP15_10_what_is_due_comes_in_the_order_of_its_times),
        LATER_TEST(test_IP15_10_a_publish_may_name_its_time),
        LATER_TEST(test_IP15_10_a_clock_that_is_set_forward_is_seen),
        LATER_TEST(test_IP15_10_a_clock_that_is_set_back_makes_it_wait),
        LATER_TEST(test_IP15_10_a_delay_without_end_is_far_away),
        LATER_TEST(test_IP15_10_it_outlives_the_daemon),
        LATER_TEST(test_IP15_10_what_is_due_while_no_daemon_runs_comes_when_one_starts),
        LATER_TEST(test_IP15_10_it_comes_once_whenever_the_daemon_dies),
        LATER_TEST(test_IP15_10_a_move_that_nobody_heard_of_is_not_repeated),
        LATER_TEST(test_IP15_10_a_full_store_keeps_what_is_due),
        LATER_TEST(test_IP15_10_what_waits_of_a_user_is_bounded),
        LATER_TEST(test_IP15_10_a_delay_needs_a_topic_that_is_kept),
        LATER_TEST(test_IP15_10_what_waits_counts_for_a_topic_that_refuses),
        LATER_TEST(test_IP15_10_it_comes_whatever_was_set_meanwhile),
        LATER_TEST(test_IP15_10_an_id_counts_from_the_acceptance_on),
        LATER_TEST(test_IP15_10_ids_repeat_within_one_publish),
        LATER_TEST(test_IP15_10_an_id_of_what_was_not_stored_is_free),
        LATER_TEST(test_IP15_10_a_purge_leaves_what_is_to_come),
        LATER_TEST(test_IP15_10_what_is_to_come_goes_with_its_topic),
        LATER_TEST(test_IP15_10_what_is_due_when_its_topic_goes_does_not_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
