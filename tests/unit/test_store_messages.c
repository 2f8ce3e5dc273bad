/* Fetches of messages: the same tests against SQLite and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "topics_fixture.h"

static struct bytes fetched_text(const struct fetched *out, char text[256])
{
    size_t n = 0;

    for (size_t i = 0; i < out->messages_n; i++)
        n += (size_t)snprintf(text + n, 256 - n, "%d/%d ", (int)out->messages[i].row.topic,
                              (int)out->messages[i].row.sequence);
    n += (size_t)snprintf(text + n, 256 - n, "to %d%s", (int)out->offset, out->more ? " more" : "");
    return (struct bytes){text, n};
}

static void assert_fetch(struct store_fixture *fixture, struct fetch what, const char *expected)
{
    struct fetched out;
    char text[256];

    what.kind = FETCH_MESSAGES;
    what.last = what.last ? what.last : UINT64_MAX;
    what.limit = what.limit ? what.limit : 100;
    what.bytes = what.bytes ? what.bytes : 1 << 20;
    assert_int_equal(fixture->ops->fetch(fixture->store, &what, &out), 0);
    assert_bytes(fetched_text(&out, text), expected);
    fetched_clear(&out);
}

/* Topics 1, 2, 3 in turns, sequences 2, 4, … 24. */
static void publish_some(struct store_fixture *fixture)
{
    for (uint64_t id = 1; id <= 3; id++)
        topic(fixture, id, id == 1 ? "a" : id == 2 ? "b" : "c");
    for (uint64_t i = 0; i < 12; i++)
        publish(fixture, 1 + i % 3, 2 + 2 * i);
}

static void test_a_message_is_fetched_with_every_column(void **state)
{
    struct store_fixture *fixture = *state;
    struct fetch what = {.kind = FETCH_MESSAGES, .limit = 9, .bytes = 1, .last = UINT64_MAX};
    struct fetched out;

    topic(fixture, 1, "a");
    put(fixture, message(1, 5, "the body"));
    publish_once(fixture, 1, 6, "o");
    assert_int_equal(fixture->ops->fetch(fixture->store, &what, &out), 0);
    assert_int_equal(out.messages_n, 1);
    const struct message_row *row = &out.messages[0].row;
    assert_int_equal(row->topic, 1);
    assert_int_equal(row->sequence, 5);
    assert_int_equal(row->time_us, 105);
    assert_int_equal(row->of, 3);
    assert_int_equal(row->uid, 7);
    assert_int_equal(row->flags, 9);
    assert_bytes(row->key, "k");
    assert_bytes(row->headers, "h");
    assert_bytes(out.messages[0].body, "the body");
    assert_true(out.more);
    fetched_clear(&out);
    assert_fetch(fixture, (struct fetch){.offset = 5}, "1/6 to 6");
}

static void test_one_topic_is_fetched_from_anywhere(void **state)
{
    struct store_fixture *fixture = *state;
    const uint64_t two[] = {2}, none[] = {9};

    publish_some(fixture);
    assert_fetch(fixture, (struct fetch){.topics = two, .topics_n = 1}, "2/4 2/10 2/16 2/22 to 24");
    assert_fetch(fixture, (struct fetch){.topics = two, .topics_n = 1, .offset = 4, .limit = 2},
                 "2/10 2/16 to 16 more");
    assert_fetch(fixture, (struct fetch){.topics = two, .topics_n = 1, .offset = 5, .last = 15},
                 "2/10 to 15");
    assert_fetch(fixture, (struct fetch){.topics = two, .topics_n = 1, .offset = 22}, "to 24");
    assert_fetch(fixture, (struct fetch){.topics = none, .topics_n = 1, .last = 99}, "to 99");
}

static void test_a_few_topics_are_fetched_in_the_order_of_the_log(void **state)
{
    struct store_fixture *fixture = *state;
    const uint64_t some[] = {1, 3, 9};

    publish_some(fixture);
    assert_fetch(fixture, (struct fetch){.topics = some, .topics_n = 3, .last = 14},
                 "1/2 3/6 1/8 3/12 1/14 to 14");
    assert_fetch(fixture, (struct fetch){.topics = some, .topics_n = 3, .offset = 7, .limit = 3},
                 "1/8 3/12 1/14 to 14 more");
    assert_fetch(fixture, (struct fetch){.topics = some, .topics_n = 3, .offset = 18, .limit = 2},
                 "1/20 3/24 to 24");
    assert_fetch(fixture, (struct fetch){.topics = some, .topics_n = 0}, "to 24");
}

static void test_many_topics_are_fetched_in_the_order_of_the_log(void **state)
{
    enum { MANY = 200 };
    struct store_fixture *fixture = *state;
    uint64_t many[MANY];

    for (uint64_t i = 0; i < MANY; i++)
        many[i] = i == 0 ? 1 : i + 2; /* all but 2 */
    publish_some(fixture);
    assert_fetch(fixture, (struct fetch){.topics = many, .topics_n = MANY, .last = 9}, "1/2 3/6 1/8 to 9");
    assert_fetch(fixture, (struct fetch){.topics = many, .topics_n = MANY, .offset = 14, .limit = 2},
                 "3/18 1/20 to 20 more");
    assert_fetch(fixture, (struct fetch){.topics = many, .topics_n = MANY, .offset = 20}, "3/24 to 24");
}

static void test_all_topics_are_fetched_in_the_order_of_the_log(void **state)
{
    struct store_fixture *fixture = *state;

    assert_fetch(fixture, (struct fetch){0}, "to 0");
    publish_some(fixture);
    assert_fetch(fixture, (struct fetch){.limit = 4}, "1/2 2/4 3/6 1/8 to 8 more");
    assert_fetch(fixture, (struct fetch){.offset = 8, .bytes = 12}, "2/10 3/12 to 12 more");
    assert_fetch(fixture, (struct fetch){.offset = 21, .bytes = 1}, "2/22 to 22 more");
    assert_fetch(fixture, (struct fetch){.offset = 22}, "3/24 to 24");
    assert_fetch(fixture, (struct fetch){.offset = 30}, "to 30");
}

static void test_what_is_gone_is_fetched_no_more(void **state)
{
    struct store_fixture *fixture = *state;
    const uint64_t one[] = {1};

    publish_some(fixture);
    up_to(fixture, RECORD_MESSAGES_GONE, 1, 8);
    up_to(fixture, RECORD_MESSAGES_GONE, 2, 10);
    assert_fetch(fixture, (struct fetch){.last = 14}, "3/6 3/12 1/14 to 14");
    assert_fetch(fixture, (struct fetch){.topics = one, .topics_n = 1}, "1/14 1/20 to 24");
}

/* A fetch that has looked at enough says how far: the next one goes on there. */
static void test_messages_far_apart_are_found_in_the_end(void **state)
{
    enum { FAR = 100000000, FETCHES = 16 };
    struct store_fixture *fixture = *state;
    const uint64_t one[] = {1};
    struct fetch what = {.kind = FETCH_MESSAGES, .limit = 9, .bytes = 99, .last = UINT64_MAX};
    struct fetched out;
    uint64_t found = 0;
    bool more = true;

    what.topics = one;
    what.topics_n = 1;
    topic(fixture, 1, "a");
    publish(fixture, 1, 1);
    publish(fixture, 1, FAR);
    for (int i = 0; i < FETCHES && more; i++) {
        assert_int_equal(fixture->ops->fetch(fixture->store, &what, &out), 0);
        more = out.more;
        found += out.messages_n;
        assert_true(out.offset > what.offset);
        what.offset = out.offset;
        fetched_clear(&out);
    }
    assert_int_equal(found, 2);
    assert_int_equal(what.offset, FAR);
}

#define BOTH(test)                                                                                           \
    {"sqlite: " #test, test, topics_set_up, topics_tear_down, (void *)&store_sqlite},                        \
    {                                                                                                        \
        "memory: " #test, test, topics_set_up, topics_tear_down, (void *)&store_memory                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_a_message_is_fetched_with_every_column),
        BOTH(test_one_topic_is_fetched_from_anywhere),
        BOTH(test_a_few_topics_are_fetched_in_the_order_of_the_log),
        BOTH(test_many_topics_are_fetched_in_the_order_of_the_log),
        BOTH(test_all_topics_are_fetched_in_the_order_of_the_log),
        BOTH(test_what_is_gone_is_fetched_no_more),
        BOTH(test_messages_far_apart_are_found_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
