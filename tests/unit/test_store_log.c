/* The log of durable topics on a disk: what the check of a directory finds, and topics that are in memory alone beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layered.h"
#include "sqlite.h"
#include "topics_fixture.h"

/* ---- the check ---- */

static void execute(struct store_fixture *fixture, const char *sql)
{
    struct db *db = NULL;

    assert_int_equal(db_open(store_fixture_path(fixture, "state.db"), DB_WRITE, &db), 0);
    assert_int_equal(db_exec(db, sql), 0);
    db_close(db);
}

enum { LINES_BYTES = 2048 };

static void keep_line(void *context, const char *line)
{
    size_t used = strlen(context);

    snprintf((char *)context + used, LINES_BYTES - used, "%s; ", line);
}

static void fill(struct store_fixture *fixture)
{
    struct later_row row = {.id = 1, .due_us = 1, .message = {.topic = 1}};
    struct group_row members = {.id = 1, .floor = 2, .name = TEXT("g"), .pattern = TEXT("a.*")};
    struct feed_row feeds = {.id = 1,
                             .ahead = 1,
                             .argument = 1,
                             .name = TEXT("f"),
                             .pattern = TEXT("a.*"),
                             .function = TEXT("f"),
                             .queue = TEXT("q")};
    struct job_row rule = {.queue = TEXT("a.>")};

    put(fixture, record_new(RECORD_TOPIC_RULE, &rule, TEXT("x=1")));
    topic(fixture, 1, "a.b");
    topic(fixture, 2, "a.c");
    for (uint64_t sequence = 1; sequence <= 9; sequence++)
        publish(fixture, 1 + sequence % 2, sequence);
    publish_once(fixture, 1, 10, "o");
    block(fixture, 1, 1 + 1, 6, 3);
    block(fixture, 1, 8, 10, 2);
    up_to(fixture, RECORD_MESSAGES_GONE, 1, 6);
    later(fixture, RECORD_LATER, row);
    put(fixture, record_new_feed(RECORD_FEED, &feeds));
    group(fixture, RECORD_GROUP, members);
    ack(fixture, RECORD_GROUP_ACK, (struct ack_row){.group = 1, .sequence = 4, .floor = 2});
    ack(fixture, RECORD_GROUP_TRY, (struct ack_row){.group = 1, .sequence = 3, .tries = 1});
}

static void test_fsck_names_each_planted_fault_of_the_log(void **state)
{
    static const struct {
        const char *sql, *words;
    } faults[] = {
        {"UPDATE topic_rules SET kept = x''", "rule 0 of topics has no pattern"},
        {"UPDATE topics SET name = x'' WHERE id = 2", "topic 2 has a row that no topic can have"},
        {"UPDATE topics SET flags = 2 << 30 WHERE id = 1", "topic 1 is on the disk"},
        {"UPDATE messages SET flags = 2 << 30 WHERE sequence = 9",
         "message 9 has a row that no message can have"},
        {"UPDATE messages SET topic = 7 WHERE sequence = 9", "message 9 is of no topic"},
        {"UPDATE topics SET gone = 1 WHERE id = 2", "message 1 is there, and its topic says that it is gone"},
        {"UPDATE blocks SET first = 11", "block 10 has a row"},
        {"UPDATE blocks SET messages = 3", "block 10 does not tell what messages are there"},
        {"UPDATE blocks SET first = 9", "block 10 does not tell what messages are there"},
        {"DELETE FROM messages WHERE sequence IN (8, 10)", "block 10 does not tell what messages are there"},
        {"UPDATE onces SET once = x''", "once-id of message 10 is empty"},
        {"UPDATE laters SET topic = 7", "message to come 1 has no id, or is of no topic"},
        {"UPDATE topic_groups SET paused = 2", "group 1 has a row that no group can have"},
        {"UPDATE group_acks SET sequence = 2", "group 1 has acknowledged below its floor"},
        {"UPDATE group_acks SET id = 2", "group 2 has acknowledged below its floor, or is not there"},
        {"UPDATE group_tries SET tries = 0", "group 1 has tried below its floor"},
        {"UPDATE feeds SET argument = 3", "feed 1 has a row that no feed can have"},
        {"UPDATE feeds SET jobs = 3", "feed 1 counts jobs without one"},
    };
    char lines[LINES_BYTES];

    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        struct store_fixture *fixture = store_fixture_new(&store_sqlite);
        struct store_options options = {.directory = fixture->directory};
        store_fixture_open(fixture, 0);
        fill(fixture);
        lines[0] = '\0';
        store_fixture_close(fixture);
        assert_int_equal(store_sqlite.fsck(&options, keep_line, lines), 0);
        execute(fixture, faults[i].sql);
        assert_true(store_sqlite.fsck(&options, keep_line, lines) >= 1);
        if (!strstr(lines, faults[i].words))
            fail_msg("\"%s\" does not say \"%s\"", lines, faults[i].words);
        store_fixture_free(fixture);
    }
}

/* ---- topics in memory alone ---- */

static const uint32_t flags_of[] = {DURABLE_FULL, (uint32_t)DURABLE_NONE << DURABILITY_SHIFT};

/* Topic 1 is on the disk, topic 2 in memory. */
static struct message_row row_of(uint64_t topic, uint64_t sequence)
{
    return (struct message_row){.topic = topic, .sequence = sequence, .flags = flags_of[topic - 1]};
}

static void make_two(struct store_fixture *fixture)
{
    for (uint64_t id = 1; id <= 2; id++) {
        const struct topic_row row = {.id = id, .flags = flags_of[id - 1], .name = {&"ab"[id - 1], 1}};
        put(fixture, record_new_topic(RECORD_TOPIC, &row));
    }
}

static void publish_one(struct store_fixture *fixture, uint64_t topic, uint64_t sequence)
{
    const struct message_row row = row_of(topic, sequence);

    put(fixture, record_new_message(RECORD_MESSAGE, &row, TEXT("body")));
}

static void assert_fetched(struct store_fixture *fixture, struct fetch what, const char *text)
{
    struct fetched out;
    char found[256] = "";
    size_t n = 0;

    what.kind = FETCH_MESSAGES;
    what.limit = what.limit ? what.limit : 100;
    what.bytes = what.bytes ? what.bytes : 1000;
    assert_int_equal(fixture->ops->fetch(fixture->store, &what, &out), 0);
    for (size_t i = 0; i < out.messages_n; i++)
        n += (size_t)snprintf(found + n, sizeof(found) - n, "%d/%d ", (int)out.messages[i].row.topic,
                              (int)out.messages[i].row.sequence);
    snprintf(found + n, sizeof(found) - n, "to %d%s", (int)out.offset, out.more ? " more" : "");
    assert_string_equal(found, text);
    fetched_clear(&out);
}

static void test_messages_of_both_stores_are_fetched_in_the_order_of_the_log(void **state)
{
    struct store_fixture *fixture = *state;
    const uint64_t two[] = {2};

    make_two(fixture);
    for (uint64_t sequence = 1; sequence <= 9; sequence++)
        publish_one(fixture, sequence % 3 ? 2 : 1, sequence);
    assert_fetched(fixture, (struct fetch){.last = 9}, "2/1 2/2 1/3 2/4 2/5 1/6 2/7 2/8 1/9 to 9");
    assert_fetched(fixture, (struct fetch){.last = 8, .offset = 2, .limit = 4}, "1/3 2/4 2/5 1/6 to 6 more");
    assert_fetched(fixture, (struct fetch){.last = 9, .offset = 4, .bytes = 9}, "2/5 1/6 to 6 more");
    assert_fetched(fixture, (struct fetch){.last = 9, .offset = 8, .limit = 1}, "1/9 to 9");
    assert_fetched(fixture, (struct fetch){.last = 9, .offset = 7, .limit = 1}, "2/8 to 8 more");
    assert_fetched(fixture, (struct fetch){.last = 20, .topics = two, .topics_n = 1, .offset = 4},
                   "2/5 2/7 2/8 to 20");
    assert_fetched(fixture, (struct fetch){.last = UINT64_MAX}, "2/1 2/2 1/3 2/4 2/5 1/6 2/7 2/8 1/9 to 9");
}

static void test_messages_to_come_of_both_stores_are_fetched_by_their_ids(void **state)
{
    struct store_fixture *fixture = *state;
    const uint64_t ids[] = {1, 2, 4, 5};
    const struct fetch what = {.kind = FETCH_LATERS,
                               .topics = ids,
                               .topics_n = 4,
                               .limit = 256,
                               .last = UINT64_MAX,
                               .bytes = UINT64_MAX};
    struct fetched out;

    make_two(fixture);
    for (uint64_t id = 1; id <= 4; id++) {
        struct later_row row = {.id = id, .due_us = 9, .message = row_of(1 + id % 2, 0)};
        row.message.key = TEXT("key");
        row.message.headers = TEXT("h");
        row.message.once = TEXT("o");
        put(fixture, record_new_later(RECORD_LATER, &row, (struct bytes){"abcd", id}));
    }
    assert_int_equal(fixture->ops->fetch(fixture->store, &what, &out), 0);
    assert_int_equal(out.messages_n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(out.messages[i].row.sequence, ids[i]);
        assert_int_equal(out.messages[i].row.topic, 1 + ids[i] % 2);
        assert_true(bytes_are(out.messages[i].row.key, "key", 3));
        assert_true(bytes_are(out.messages[i].row.headers, "h", 1));
        assert_true(bytes_are(out.messages[i].body, "abcd", ids[i]));
    }
    fetched_clear(&out);
}

static void see_nothing(void *context, const char *line)
{
    fail_msg("%s", line);
}

static int count_topic(void *context, const struct topic_row *row)
{
    *(uint64_t *)context = *(uint64_t *)context * 10 + row->id;
    return 0;
}

static int no_job(void *context, const struct job_row *row)
{
    return -1;
}

static void test_what_is_in_memory_alone_goes_with_the_daemon(void **state)
{
    struct store_fixture *fixture = *state;
    struct store_options options = {.directory = fixture->directory};
    uint64_t topics = 0;
    struct message_row gone = row_of(2, 2);
    const struct later_row later_one = {.id = 1, .message = row_of(2, 0)};
    const struct store_load load = {.context = &topics, .job = no_job, .topic = count_topic};

    make_two(fixture);
    publish_one(fixture, 1, 1);
    for (uint64_t sequence = 2; sequence <= 4; sequence++)
        publish_one(fixture, 2, sequence);
    put(fixture, record_new_message(RECORD_MESSAGES_GONE, &gone, TEXT("")));
    put(fixture, record_new_later(RECORD_LATER, &later_one, TEXT("b")));
    assert_fetched(fixture, (struct fetch){.last = 4}, "1/1 2/3 2/4 to 4");
    store_fixture_close(fixture);
    assert_int_equal(store_layered.fsck(&options, see_nothing, NULL), 0);
    store_fixture_open(fixture, 0);
    assert_fetched(fixture, (struct fetch){.last = 4}, "1/1 to 4");
    assert_int_equal(fixture->ops->load(fixture->store, &load, NULL), 0);
    assert_int_equal(topics, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fsck_names_each_planted_fault_of_the_log),
        cmocka_unit_test_prestate_setup_teardown(
            test_messages_of_both_stores_are_fetched_in_the_order_of_the_log, topics_set_up, topics_tear_down,
            (void *)&store_layered),
        cmocka_unit_test_prestate_setup_teardown(
            test_messages_to_come_of_both_stores_are_fetched_by_their_ids, topics_set_up, topics_tear_down,
            (void *)&store_layered),
        cmocka_unit_test_prestate_setup_teardown(test_what_is_in_memory_alone_goes_with_the_daemon,
                                                 topics_set_up, topics_tear_down, (void *)&store_layered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
