/* Groups that nobody is in (IP16.6), and those who are late to receive (IP16.4): what they cost, and what they know all the same. */
#include <stdio.h>

#include "group_fixture.h"

static void leave(struct client *c, uint64_t handle)
{
    client_do(c, (struct request){.verb = VERB_CHAN_DROP, .chan_drop = {handle}});
    stored(d);
}

static void assert_rests(void)
{
    const struct group_work *work = &the_group()->work;

    assert_int_equal(work->open_n + work->slots + work->bytes, 0);
    assert_null(work->slot);
}

/* As the next member has them: "body/tries/flags " of each. */
static const char *given(struct client *c, uint64_t handle)
{
    static char text[256];
    uint64_t op = takes(c, handle, 9);
    int n = status_of(c, op) > 0 ? status_of(c, op) : 0, size = 0;

    text[0] = 0;
    for (int i = 0; i < n; i++)
        size += snprintf(text + size, sizeof(text) - (size_t)size, "%.1s/%u/%x ", got(c, op)->value[i].text,
                         got(c, op)->value[i].tries, got(c, op)->value[i].flags);
    return text;
}

static void test_IP16_6_a_group_without_members_has_nothing_and_knows_all(void **state)
{
    uint64_t x = join(a, 9), op;

    published(b, "k.x", "1 2 3 4 5");
    op = takes(a, x, 1);
    give_back(a, op, 0);
    stored(d);
    takes(a, x, 2);
    acked(a, takes(a, x, 1), 1); /* the fourth: the first has come again behind the fifth */
    client_die(a);
    stored(d);
    assert_rests();
    a = client_new(d->rig);
    assert_string_equal(given(a, join(a, 9)), "1/2/2 2/2/1 3/2/1 5/1/0 ");
}

static void test_IP16_6_what_is_known_of_what_was_not_read_again_stays_known(void **state)
{
    uint64_t x = join(a, 9), y;

    published(b, "k.x", "1 2 3");
    takes(a, x, 2);
    acked(a, takes(a, x, 1), 1); /* the third */
    client_die(a);
    stored(d);
    assert_rests();
    y = join(b, 1); /* has room for the first one alone */
    leave(b, y);
    assert_rests();
    assert_string_equal(given(b, join(b, 9)), "1/2/1 2/2/1 ");
    assert_int_equal(group_floor(&the_group()->work), 0);
}

static void test_IP16_4_a_late_acknowledgement_counts_also_when_nobody_is_left(void **state)
{
    uint64_t x = join(a, 9), op;

    published(b, "k.x", "1 2");
    op = takes(a, x, 1);
    leave(a, x);
    assert_int_equal(the_group()->work.members_n, 0);
    acked(a, op, 1);
    assert_rests();
    assert_string_equal(given(b, join(b, 9)), "2/1/0 ");
    kept_restart();
    assert_string_equal(given(b, join(b, 9)), "2/2/1 ");
}

static void test_IP16_5_what_is_for_later_comes_later_also_to_who_joins_meanwhile(void **state)
{
    uint64_t x = join(a, 9), y, op;

    published(b, "k.x", "1 2");
    op = takes(a, x, 1);
    settle(a, x, got(a, op)->value[0].sequence, SETTLE_RETRY, 10 * (int64_t)SECOND);
    acked(a, op, 1);
    leave(a, x);
    assert_rests();
    kept_after(4 * (int64_t)SECOND);
    y = join(b, 9);
    assert_string_equal(given(b, y), "2/1/0 ");
    kept_after(5 * (int64_t)SECOND);
    assert_string_equal(given(b, y), "");
    kept_after(SECOND);
    assert_string_equal(given(b, y), "1/2/3 ");
}

static void test_IP16_5_what_is_for_later_without_end_does_not_come(void **state)
{
    uint64_t x = join(a, 9), op;

    published(b, "k.x", "1 2");
    op = takes(a, x, 1);
    d->rig->now.wall_ns += 9999 * (int64_t)SECOND; /* the clock on the wall is ahead of the other */
    settle(a, x, got(a, op)->value[0].sequence, SETTLE_RETRY, INT64_MAX);
    acked(a, op, 1);
    leave(a, x);
    assert_rests();
    assert_string_equal(given(b, join(b, 9)), "2/1/0 ");
}

static void test_IP16_6_what_the_topic_lets_go_meanwhile_is_not_given(void **state)
{
    uint64_t x = join(a, 9);

    published(b, "k.x", "1 2");
    takes(a, x, 2);
    client_die(a);
    stored(d);
    client_do(b,
              (struct request){.verb = VERB_TOPIC_PURGE, .topic_purge = {.topic = {"k.x", 3}, .up_to = 1}});
    stored(d);
    stored(d);
    assert_string_equal(given(b, join(b, 9)), "2/2/1 ");
}

static void test_IP16_6_without_memory_it_keeps_what_it_has(void **state)
{
    uint64_t x = join(a, 9);

    published(b, "k.x", "1 2");
    takes(a, x, 1);
    d->rig->fail_from = d->rig->allocs;
    d->rig->fail_to = LONG_MAX;
    client_die(a);
    d->rig->fail_to = 0;
    stored(d);
    assert_string_equal(given(b, join(b, 9)), "1/2/1 2/1/0 ");
}

/* Nobody else would have them: of many one alone is looked at in a short time. */
static void test_IP16_4_who_is_late_to_receive_wakes_nobody_for_each_message(void **state)
{
    const struct group_work *work;
    int64_t now;

    join_with(a, "g", "k.>", 9, "ack_wait=1", FROM_NEW);
    published(b, "k.x", "1 2 3");
    kept_after(SECOND / 100);
    work = &the_group()->work;
    now = d->rig->now.mono_ns;
    assert_true(work->slot[work->head].open->timer.at_ns - now <= SECOND / 100);
    for (size_t i = 1; i < 3; i++)
        assert_true(work->slot[work->head + i].open->timer.at_ns - now > SECOND / 2);
    uint64_t y = join(b, 9);
    for (int i = 0; i < 3; i++)
        kept_after(SECOND / 100);
    assert_true(strlen(given(b, y)) > 0);
}

#define GROUP_TEST(test) cmocka_unit_test_setup_teardown(test, kept_setup, durable_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GROUP_TEST(test_IP16_6_a_group_without_members_has_nothing_and_knows_all),
        GROUP_TEST(test_IP16_6_what_is_known_of_what_was_not_read_again_stays_known),
        GROUP_TEST(test_IP16_4_a_late_acknowledgement_counts_also_when_nobody_is_left),
        GROUP_TEST(test_IP16_5_what_is_for_later_comes_later_also_to_who_joins_meanwhile),
        GROUP_TEST(test_IP16_5_what_is_for_later_without_end_does_not_come),
        GROUP_TEST(test_IP16_6_what_the_topic_lets_go_meanwhile_is_not_given),
        GROUP_TEST(test_IP16_6_without_memory_it_keeps_what_it_has),
        GROUP_TEST(test_IP16_4_who_is_late_to_receive_wakes_nobody_for_each_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
