/* What every store keeps of the log of durable topics, and gives back: the same tests against SQLite and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "topics_fixture.h"

/* ---- what is loaded, as text ---- */

struct loaded {
    char text[1024];
};

static void say(struct loaded *loaded, const char *format, ...)
{
    size_t used = strlen(loaded->text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(loaded->text + used, sizeof(loaded->text) - used, format, arguments);
    va_end(arguments);
}

#define WORDS(bytes) (int)(bytes).size, (const char *)(bytes).data

static int see_sequence(void *context, uint64_t last)
{
    say(context, "last %d", (int)last);
    return 0;
}

static int see_rule(void *context, struct bytes pattern, struct bytes kept)
{
    say(context, "; rule %.*s %.*s", WORDS(pattern), WORDS(kept));
    return 0;
}

static int see_topic(void *context, const struct topic_row *row)
{
    say(context, "; topic %d %.*s %d %d %d", (int)row->id, WORDS(row->name), (int)row->last_sequence,
        (int)row->uid, (int)row->flags);
    return 0;
}

static int see_block(void *context, const struct block_row *row)
{
    say(context, "; block %d %d-%d %d %d %d-%d %d", (int)row->topic, (int)row->first, (int)row->last,
        (int)row->messages, (int)row->bytes, (int)row->first_us, (int)row->last_us, (int)row->flags);
    return 0;
}

static int see_message(void *context, const struct message_row *row)
{
    say(context, "; message %d/%d %d %d %d %d %.*s %.*s %d", (int)row->topic, (int)row->sequence,
        (int)row->time_us, (int)row->of, (int)row->uid, (int)row->flags, WORDS(row->key), WORDS(row->headers),
        (int)row->body_bytes);
    return 0;
}

static int see_once(void *context, const struct message_row *row)
{
    say(context, "; once %d/%d %d %.*s", (int)row->topic, (int)row->sequence, (int)row->time_us,
        WORDS(row->once));
    return 0;
}

static int see_later(void *context, const struct later_row *row)
{
    say(context, "; later %d at %d %d %d %d %d %.*s %.*s %.*s %d", (int)row->id, (int)row->due_us,
        (int)row->message.topic, (int)row->message.of, (int)row->message.uid, (int)row->message.flags,
        WORDS(row->message.key), WORDS(row->message.once), WORDS(row->message.headers),
        (int)row->message.body_bytes);
    return 0;
}

static int see_group(void *context, const struct group_row *row)
{
    say(context, "; group %d %.*s %.*s %.*s %d %d %d %d", (int)row->id, WORDS(row->name), WORDS(row->pattern),
        WORDS(row->text), (int)row->floor, (int)row->mark, (int)row->uid, row->paused);
    return 0;
}

static int see_ack(void *context, const struct ack_row *row)
{
    say(context, "; ack %d/%d", (int)row->group, (int)row->sequence);
    return 0;
}

static int see_try(void *context, const struct ack_row *row)
{
    say(context, "; try %d/%d %d at %d", (int)row->group, (int)row->sequence, (int)row->tries,
        (int)row->due_us);
    return 0;
}

static int no_job(void *context, const struct job_row *row)
{
    return -1;
}

static void assert_loaded(struct store_fixture *fixture, const char *text)
{
    struct loaded loaded = {""};
    const struct store_load load = {.context = &loaded,
                                    .job = no_job,
                                    .sequence = see_sequence,
                                    .topic_rule = see_rule,
                                    .topic = see_topic,
                                    .block = see_block,
                                    .message = see_message,
                                    .once = see_once,
                                    .later = see_later,
                                    .group = see_group,
                                    .group_ack = see_ack,
                                    .group_try = see_try};

    assert_int_equal(fixture->ops->load(fixture->store, &load, NULL), 0);
    assert_string_equal(loaded.text, text);
}

static void test_topics_and_messages_come_back_with_every_column(void **state)
{
    struct store_fixture *fixture = *state;
    struct topic_row changed = {.id = 2, .last_sequence = 4, .uid = 8, .flags = 6, .name = TEXT("b.c")};

    topic(fixture, 2, "b");
    topic(fixture, 1, "a");
    publish(fixture, 2, 10);
    publish(fixture, 1, 11);
    publish(fixture, 2, 13);
    put(fixture, record_new_topic(RECORD_TOPIC, &changed));
    assert_loaded(fixture, "last 13; topic 1 a 0 7 0; topic 2 b.c 4 8 6; message 1/11 111 3 7 9 k h 4;"
                           " message 2/10 110 3 7 9 k h 4; message 2/13 113 3 7 9 k h 4");
}

static void test_a_rule_is_kept_until_it_says_nothing(void **state)
{
    struct store_fixture *fixture = *state;
    struct job_row row = {.queue = TEXT("a.>")};

    put(fixture, record_new(RECORD_TOPIC_RULE, &row, TEXT("x=1")));
    put(fixture, record_new(RECORD_TOPIC_RULE, &row, TEXT("x=2")));
    assert_loaded(fixture, "last 0; rule a.> x=2");
    put(fixture, record_new(RECORD_TOPIC_RULE, &row, TEXT("")));
    assert_loaded(fixture, "last 0");
}

static void test_of_messages_in_blocks_the_blocks_alone_are_loaded(void **state)
{
    struct store_fixture *fixture = *state;

    topic(fixture, 1, "a");
    topic(fixture, 2, "b");
    for (uint64_t sequence = 1; sequence <= 6; sequence++)
        publish(fixture, 1 + sequence % 2, sequence);
    block(fixture, 1, 2, 4, 2);
    assert_loaded(fixture, "last 6; topic 1 a 0 7 0; topic 2 b 0 7 0; block 1 2-4 2 12 102-104 2;"
                           " message 1/6 106 3 7 9 k h 4; message 2/1 101 3 7 9 k h 4;"
                           " message 2/3 103 3 7 9 k h 4; message 2/5 105 3 7 9 k h 4");
    block(fixture, 2, 1, 5, 3);
    up_to(fixture, RECORD_MESSAGES_GONE, 2, 3);
    block(fixture, 2, 5, 5, 1); /* what is left of it */
    up_to(fixture, RECORD_MESSAGES_GONE, 1, 4);
    assert_loaded(fixture, "last 6; topic 1 a 4 7 0; topic 2 b 3 7 0; block 2 5-5 1 6 105-105 2;"
                           " message 1/6 106 3 7 9 k h 4");
}

static void test_the_highest_sequence_outlives_all_messages(void **state)
{
    struct store_fixture *fixture = *state;

    topic(fixture, 1, "a");
    topic(fixture, 2, "b");
    publish(fixture, 1, 8);
    publish(fixture, 2, 9);
    up_to(fixture, RECORD_MESSAGES_GONE, 2, UINT64_MAX);
    assert_loaded(fixture, "last 9; topic 1 a 0 7 0; topic 2 b 9 7 0; message 1/8 108 3 7 9 k h 4");
    put(fixture, record_new_topic(RECORD_TOPIC_GONE, &(struct topic_row){.id = 2}));
    put(fixture, record_new_topic(RECORD_TOPIC_GONE, &(struct topic_row){.id = 1}));
    assert_loaded(fixture, "last 9");
    up_to(fixture, RECORD_SEQUENCE, 0, 7);
    assert_loaded(fixture, "last 9");
    up_to(fixture, RECORD_SEQUENCE, 0, 20);
    assert_loaded(fixture, "last 20");
}

static void test_a_topic_takes_all_of_it_with_it(void **state)
{
    struct store_fixture *fixture = *state;
    struct later_row row = {.id = 3, .due_us = 4, .message = {.topic = 1}};

    topic(fixture, 1, "a");
    topic(fixture, 2, "b");
    publish(fixture, 1, 1);
    publish_once(fixture, 1, 2, "o");
    publish_once(fixture, 2, 3, "p");
    block(fixture, 1, 1, 2, 2);
    later(fixture, RECORD_LATER, row);
    put(fixture, record_new_topic(RECORD_TOPIC_GONE, &(struct topic_row){.id = 1}));
    assert_loaded(fixture, "last 3; topic 2 b 0 7 0; message 2/3 5 0 0 0   1; once 2/3 5 p");
    topic(fixture, 4, "a");
    publish(fixture, 4, 4);
    assert_loaded(fixture, "last 4; topic 2 b 0 7 0; topic 4 a 0 7 0; message 2/3 5 0 0 0   1;"
                           " message 4/4 104 3 7 9 k h 4; once 2/3 5 p");
}

static void test_a_once_id_outlives_its_message(void **state)
{
    struct store_fixture *fixture = *state;

    topic(fixture, 1, "a");
    publish_once(fixture, 1, 1, "first");
    publish_once(fixture, 1, 2, "second");
    up_to(fixture, RECORD_MESSAGES_GONE, 1, 2);
    assert_loaded(fixture, "last 2; topic 1 a 2 7 0; once 1/1 5 first; once 1/2 5 second");
    up_to(fixture, RECORD_ONCE_GONE, 1, 1);
    assert_loaded(fixture, "last 2; topic 1 a 2 7 0; once 1/2 5 second");
    up_to(fixture, RECORD_ONCE_GONE, 1, 2);
    assert_loaded(fixture, "last 2; topic 1 a 2 7 0");
}

static void test_what_is_to_come_is_published_once_or_never(void **state)
{
    struct store_fixture *fixture = *state;
    struct later_row row = {.id = 5,
                            .due_us = 50,
                            .message = {.topic = 1,
                                        .of = 2,
                                        .uid = 3,
                                        .flags = 4,
                                        .key = TEXT("k"),
                                        .once = TEXT("o"),
                                        .headers = TEXT("h")}};

    topic(fixture, 1, "a");
    later(fixture, RECORD_LATER, row);
    row.id = 6;
    later(fixture, RECORD_LATER, row);
    assert_loaded(fixture,
                  "last 0; topic 1 a 0 7 0; later 5 at 50 1 2 3 4 k o h 4; later 6 at 50 1 2 3 4 k o h 4");
    row.message.sequence = 9;
    row.message.time_us = 60;
    later(fixture, RECORD_LATER_DUE, row);
    later(fixture, RECORD_LATER_DUE, row); /* it is there no more */
    row.id = 5;
    later(fixture, RECORD_LATER_GONE, row);
    assert_loaded(fixture, "last 9; topic 1 a 0 7 0; message 1/9 60 2 3 4 k h 4; once 1/9 60 o");
}

static const struct group_row some_group = {.id = 1,
                                            .floor = 2,
                                            .mark = 3,
                                            .uid = 4,
                                            .paused = true,
                                            .name = {"g", 1},
                                            .pattern = {"a.*", 3},
                                            .text = {"x=1", 3}};

static void test_a_group_comes_back_with_floor_acks_and_tries(void **state)
{
    struct store_fixture *fixture = *state;
    struct group_row seen = {.id = 1, .mark = 9};

    group(fixture, RECORD_GROUP, some_group);
    ack(fixture, RECORD_GROUP_TRY, (struct ack_row){.group = 1, .sequence = 6, .tries = 2, .due_us = 8});
    ack(fixture, RECORD_GROUP_TRY, (struct ack_row){.group = 1, .sequence = 5, .tries = 1});
    ack(fixture, RECORD_GROUP_ACK, (struct ack_row){.group = 1, .sequence = 8, .floor = 2});
    ack(fixture, RECORD_GROUP_ACK, (struct ack_row){.group = 1, .sequence = 6, .floor = 3});
    ack(fixture, RECORD_GROUP_ACK, (struct ack_row){.group = 1, .sequence = 6, .floor = 3});
    group(fixture, RECORD_GROUP_SEEN, seen);
    assert_loaded(fixture, "last 9; group 1 g a.* x=1 3 9 4 1; ack 1/6; ack 1/8; try 1/5 1 at 0");
    ack(fixture, RECORD_GROUP_ACK, (struct ack_row){.group = 1, .sequence = 4, .floor = 6});
    assert_loaded(fixture, "last 9; group 1 g a.* x=1 6 9 4 1; ack 1/8");
    ack(fixture, RECORD_GROUP_ACK, (struct ack_row){.group = 1, .sequence = 3, .floor = 4}); /* not back */
    assert_loaded(fixture, "last 9; group 1 g a.* x=1 6 9 4 1; ack 1/8");
    ack(fixture, RECORD_GROUP_TRY, (struct ack_row){.group = 1, .sequence = 7, .tries = 2});
    ack(fixture, RECORD_GROUP_TRY, (struct ack_row){.group = 1, .sequence = 7});
    assert_loaded(fixture, "last 9; group 1 g a.* x=1 6 9 4 1; ack 1/8");
}

static void test_a_group_that_moves_forgets_what_it_had(void **state)
{
    struct store_fixture *fixture = *state;
    struct group_row row = some_group;

    group(fixture, RECORD_GROUP, row);
    ack(fixture, RECORD_GROUP_ACK, (struct ack_row){.group = 1, .sequence = 8, .floor = 2});
    ack(fixture, RECORD_GROUP_TRY, (struct ack_row){.group = 1, .sequence = 9, .tries = 1});
    row.text = TEXT("x=2");
    group(fixture, RECORD_GROUP, row);
    assert_loaded(fixture, "last 3; group 1 g a.* x=2 2 3 4 1; ack 1/8; try 1/9 1 at 0");
    row.floor = 1;
    row.anew = true;
    group(fixture, RECORD_GROUP, row);
    assert_loaded(fixture, "last 3; group 1 g a.* x=2 1 3 4 1");
    ack(fixture, RECORD_GROUP_ACK, (struct ack_row){.group = 1, .sequence = 8, .floor = 1});
    group(fixture, RECORD_GROUP_GONE, row);
    assert_loaded(fixture, "last 0");
}

static void test_floors_of_one_transaction_end_where_the_last_record_says(void **state)
{
    enum { GROUPS = 40 };
    struct store_fixture *fixture = *state;
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_new(++fixture->last_batch);
    struct group_row row = {.pattern = TEXT("a")};
    char name[8], last[16];

    for (row.id = 1; row.id <= GROUPS; row.id++) {
        snprintf(name, sizeof(name), "g%d", (int)row.id);
        row.name = bytes(name);
        batch_append(batch, record_new_group(RECORD_GROUP, &row));
    }
    for (uint64_t floor = 1; floor <= 3; floor++)
        for (uint64_t id = 1; id <= GROUPS; id++) {
            struct ack_row done = {.group = id, .sequence = floor + 2, .floor = floor};
            batch_append(batch, record_new_ack(RECORD_GROUP_ACK, &done));
        }
    row.id = GROUPS; /* set back in the same transaction */
    row.name = bytes(name);
    row.anew = true;
    batch_append(batch, record_new_group(RECORD_GROUP, &row));
    list_append(&batches, &batch->link);
    assert_int_equal(apply_list(fixture, &batches), 0);
    struct loaded loaded = {""};
    const struct store_load load = {
        .context = &loaded, .job = no_job, .group_ack = see_ack, .sequence = see_sequence};
    assert_int_equal(fixture->ops->load(fixture->store, &load, NULL), 0);
    snprintf(last, sizeof(last), "ack %d/5", GROUPS - 1);
    assert_non_null(strstr(loaded.text, "last 3; ack 1/4; ack 1/5; ack 2/4"));
    assert_string_equal(strrchr(loaded.text, ';') + 2, last);
}

static void test_records_of_what_is_not_there_change_nothing(void **state)
{
    struct store_fixture *fixture = *state;
    struct later_row row = {.id = 1, .message = {.topic = 1, .sequence = 2}};

    publish(fixture, 1, 1);
    publish_once(fixture, 1, 2, "o");
    block(fixture, 1, 1, 2, 2);
    up_to(fixture, RECORD_MESSAGES_GONE, 1, 2);
    up_to(fixture, RECORD_ONCE_GONE, 1, 2);
    put(fixture, record_new_topic(RECORD_TOPIC_GONE, &(struct topic_row){.id = 1}));
    later(fixture, RECORD_LATER, row);
    later(fixture, RECORD_LATER_DUE, row);
    later(fixture, RECORD_LATER_GONE, row);
    group(fixture, RECORD_GROUP_SEEN, some_group);
    ack(fixture, RECORD_GROUP_ACK, (struct ack_row){.group = 1, .sequence = 8, .floor = 2});
    ack(fixture, RECORD_GROUP_TRY, (struct ack_row){.group = 1, .sequence = 8, .tries = 2});
    group(fixture, RECORD_GROUP_GONE, some_group);
    assert_loaded(fixture, "last 0");
}

static void test_a_topic_that_was_refused_has_no_messages(void **state)
{
    struct store_fixture *fixture = *state;
    const struct topic_row row = {.id = 1, .name = TEXT("a")};
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_new(++fixture->last_batch);

    batch_append(batch, record_new_topic(RECORD_TOPIC, &row));
    batch_append(batch, message(1, 1, "x"));
    list_append(&batches, &batch->link);
    fault_arm(FAULT_STORE_BEFORE_COMMIT, 1, 0, -28);
    assert_int_equal(apply_list(fixture, &batches), -28);
    publish(fixture, 1, 2);
    assert_loaded(fixture, "last 0");
}

#define BOTH(test)                                                                                           \
    {"sqlite: " #test, test, topics_set_up, topics_tear_down, (void *)&store_sqlite},                        \
    {                                                                                                        \
        "memory: " #test, test, topics_set_up, topics_tear_down, (void *)&store_memory                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_topics_and_messages_come_back_with_every_column),
        BOTH(test_a_rule_is_kept_until_it_says_nothing),
        BOTH(test_of_messages_in_blocks_the_blocks_alone_are_loaded),
        BOTH(test_the_highest_sequence_outlives_all_messages),
        BOTH(test_a_topic_takes_all_of_it_with_it),
        BOTH(test_a_once_id_outlives_its_message),
        BOTH(test_what_is_to_come_is_published_once_or_never),
        BOTH(test_a_group_comes_back_with_floor_acks_and_tries),
        BOTH(test_a_group_that_moves_forgets_what_it_had),
        BOTH(test_floors_of_one_transaction_end_where_the_last_record_says),
        BOTH(test_records_of_what_is_not_there_change_nothing),
        BOTH(test_a_topic_that_was_refused_has_no_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
