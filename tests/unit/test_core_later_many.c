/* How what is published later on kept topics (IP15.10) goes to the log: in pieces, as fast as these are stored and told. */
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

/* One message, `body`, in so many seconds; confirmed. */
static void accepted_in(const char *topic, const char *body, int64_t seconds)
{
    uint64_t op = publish_with(a, topic, (struct wishes){.body = body, .delay_ns = seconds * SECOND});

    stored(d);
    assert_status(a, op, 1);
}

static void seconds_pass(int64_t n)
{
    kept_after(n * SECOND);
}

static uint64_t remove_topic(const char *topic)
{
    return client_do(
        a, (struct request){.verb = VERB_TOPIC_REMOVE, .topic_remove.topic = {topic, strlen(topic)}});
}

static void accept_many(uint64_t n)
{
    enum { AT_ONCE = 1024 };
    static struct outgoing messages[AT_ONCE];

    for (int i = 0; i < AT_ONCE; i++)
        messages[i].value.body = (struct bytes){"12345678", 8};
    for (; n; n -= AT_ONCE) {
        client_do(a, (struct request){.verb = VERB_PUBLISH,
                                      .publish = {.topic = {"k.x", 3},
                                                  .messages = messages,
                                                  .messages_n = AT_ONCE,
                                                  .delay_ns = SECOND}});
        stored(d);
        assert_status(a, a->op, AT_ONCE);
    }
}

static void test_IP15_10_many_go_to_the_log_in_pieces(void **state)
{
    accept_many(1024);
    d->rig->now.wall_ns += SECOND;
    rig_after(d->rig, SECOND);
    for (int pieces = 1; pieces <= 4; pieces++) {
        assert_int_equal(d->rig->asked_n, 1);
        assert_int_equal(d->rig->asked[0].what.topics_n, 256);
        fetched(d);
        assert_int_equal(d->rig->asked_n, 0); /* the next one when these are stored */
        stored_some(d, SIZE_MAX);
        assert_int_equal(info_of(a, "k.x").messages, 256 * pieces);
    }
    assert_int_equal(d->rig->asked_n, 0);
}

/* While a turn tells next to nothing: what is not told yet is in memory. The others come when it tells more. */
static void assert_two_pieces_come(uint64_t messages, uint64_t all)
{
    d->rig->core->limits.sweep_per_turn = 1;
    d->rig->now.wall_ns += SECOND;
    rig_step(d->rig, &(struct input){.kind = IN_TICK});
    rig_after(d->rig, SECOND);
    for (int pieces = 0; pieces < 2; pieces++) {
        assert_int_equal(d->rig->asked_n, 1);
        fetched(d);
        stored_some(d, SIZE_MAX);
    }
    assert_int_equal(info_of(a, "k.x").messages, messages);
    assert_int_equal(d->rig->asked_n, 0);
    d->rig->core->limits.sweep_per_turn = 4096;
    rig_step(d->rig, &(struct input){.kind = IN_TICK});
    assert_int_equal(d->rig->asked_n, 1);
    stored(d);
    assert_int_equal(info_of(a, "k.x").messages, all);
    assert_int_equal(rig_stat(d->rig, "topics.delayed"), 0);
}

/* One that is told costs a turn. */
static void test_IP15_10_no_more_pieces_come_than_can_be_told(void **state)
{
    accept_many(1024);
    assert_two_pieces_come(512, 1024);
}

/* Two of them are no piece: they are too large. */
static void accept_large(int n)
{
    enum { BYTES = 700000 };
    struct outgoing message = {.value.body = {calloc(1, BYTES), BYTES}};

    for (; n; n--) {
        client_do(
            a,
            (struct request){
                .verb = VERB_PUBLISH,
                .publish = {.topic = {"k.x", 3}, .messages = &message, .messages_n = 1, .delay_ns = SECOND}});
        stored(d);
        assert_status(a, a->op, 1);
    }
    free((void *)message.value.body.data);
}

static void test_IP15_10_a_piece_has_a_bound_of_bytes(void **state)
{
    accept_large(3);
    d->rig->now.wall_ns += SECOND;
    rig_after(d->rig, SECOND);
    assert_int_equal(d->rig->asked[0].what.topics_n, 1);
    stored(d);
    assert_int_equal(info_of(a, "k.x").messages, 3);
}

/* One that is told to all of these costs many turns. */
static void test_IP15_10_no_more_bytes_come_than_can_be_told(void **state)
{
    for (int i = 0; i < 64; i++)
        subscribe_full(b, "k.>", 1, TOPIC_DROP_NEWEST);
    accept_large(4);
    assert_two_pieces_come(2, 4);
}

static void test_IP15_10_what_cannot_be_read_is_asked_for_again(void **state)
{
    accepted_in("k.x", "1", 1);
    d->rig->now.wall_ns += SECOND;
    rig_after(d->rig, SECOND);
    rig_step(d->rig, &(struct input){
                         .kind = IN_FETCHED,
                         .fetched = {.fetch = d->rig->asked[--d->rig->asked_n].number, .error = -ENOMEM}});
    assert_int_equal(d->rig->asked_n, 0);
    kept_after(100 * (int64_t)MS);
    assert_has(b, sub, "1 ");
}

/* What the store says meanwhile is no reason to ask it again. */
static void test_IP15_10_what_cannot_be_read_is_not_asked_for_without_a_pause(void **state)
{
    accepted_in("k.x", "1", 1);
    d->rig->now.wall_ns += SECOND;
    rig_after(d->rig, SECOND);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(d->rig->asked_n, 1);
        rig_step(d->rig, &(struct input){.kind = IN_FETCHED,
                                         .fetched = {.fetch = d->rig->asked[--d->rig->asked_n].number,
                                                     .error = -ENOMEM}});
        publish(a, "k.y", "m");
        stored_some(d, SIZE_MAX);
        accepted_in("k.y", "2", 1000);
        assert_int_equal(d->rig->asked_n, 0);
        rig_after(d->rig, 100 * (int64_t)MS);
    }
    stored(d);
    assert_has(b, sub, "m m m 1 ");
}

static void test_IP15_10_a_removal_forgets_what_is_to_come_in_pieces(void **state)
{
    accept_many(2 * FORGET_MESSAGES);
    uint64_t op = remove_topic("k.x");
    assert_int_equal(info_of(a, "k.x").delayed, FORGET_MESSAGES);
    d->rig->now.wall_ns += SECOND; /* it is due, and does not come any more */
    rig_after(d->rig, SECOND);
    assert_int_equal(d->rig->asked_n, 0);
    stored(d);
    assert_status(a, op, 0);
    assert_int_equal(got(a, op)->handle, 2 * FORGET_MESSAGES);
    assert_has(b, sub, "");
    assert_int_equal(rig_stat(d->rig, "topics.delayed"), 0);
}

static void test_IP15_10_what_comes_to_a_topic_that_goes_is_not_lost(void **state)
{
    accept_many(2 * FORGET_MESSAGES);
    uint64_t op = remove_topic("k.x");
    accepted_in("k.x", "new", 1);
    stored(d);
    assert_status(a, op, -EAGAIN);
    seconds_pass(1);
    assert_has(b, sub, "new ");
}

#define LATER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, durable_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LATER_TEST(test_IP15_10_many_go_to_the_log_in_pieces),
        LATER_TEST(test_IP15_10_no_more_pieces_come_than_can_be_told),
        LATER_TEST(test_IP15_10_a_piece_has_a_bound_of_bytes),
        LATER_TEST(test_IP15_10_no_more_bytes_come_than_can_be_told),
        LATER_TEST(test_IP15_10_what_cannot_be_read_is_asked_for_again),
        LATER_TEST(test_IP15_10_what_cannot_be_read_is_not_asked_for_without_a_pause),
        LATER_TEST(test_IP15_10_a_removal_forgets_what_is_to_come_in_pieces),
        LATER_TEST(test_IP15_10_what_comes_to_a_topic_that_goes_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
