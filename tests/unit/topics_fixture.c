#include "topics_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"

int topics_set_up(void **state)
{
    struct store_fixture *fixture = store_fixture_new(*state);

    store_fixture_open(fixture, 0);
    *state = fixture;
    return 0;
}

static int no_line(void *context, const char *line)
{
    *(int *)context += printf("%s\n", line);
    return 0;
}

static void count_line(void *context, const char *line)
{
    no_line(context, line);
}

int topics_tear_down(void **state)
{
    struct store_fixture *fixture = *state;
    struct store_options options = {.directory = fixture->directory};
    int said = 0;

    fault_disarm_all();
    store_fixture_close(fixture);
    assert_int_equal(fixture->ops->fsck(&options, count_line, &said), 0);
    assert_int_equal(said, 0);
    store_fixture_free(fixture);
    return 0;
}

/* ---- records in one line ---- */

int apply_record(struct store_fixture *fixture, struct record *record)
{
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_new(++fixture->last_batch);

    assert_true(record && batch);
    batch_append(batch, record);
    list_append(&batches, &batch->link);
    return apply_list(fixture, &batches);
}

void put(struct store_fixture *fixture, struct record *record)
{
    assert_int_equal(apply_record(fixture, record), 0);
}

struct bytes bytes(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

void topic(struct store_fixture *fixture, uint64_t id, const char *name)
{
    const struct topic_row row = {.id = id, .uid = 7, .name = bytes(name)};

    put(fixture, record_new_topic(RECORD_TOPIC, &row));
}

struct record *message(uint64_t topic, uint64_t sequence, const char *body)
{
    const struct message_row row = {.topic = topic,
                                    .sequence = sequence,
                                    .time_us = (int64_t)sequence + 100,
                                    .of = 3,
                                    .uid = 7,
                                    .flags = 9,
                                    .key = TEXT("k"),
                                    .headers = TEXT("h")};

    return record_new_message(RECORD_MESSAGE, &row, bytes(body));
}

void publish(struct store_fixture *fixture, uint64_t topic, uint64_t sequence)
{
    put(fixture, message(topic, sequence, "body"));
}

void publish_once(struct store_fixture *fixture, uint64_t topic, uint64_t sequence, const char *once)
{
    const struct message_row row = {.topic = topic, .sequence = sequence, .time_us = 5, .once = bytes(once)};

    put(fixture, record_new_message(RECORD_MESSAGE_JOINED, &row, TEXT("b")));
}

void up_to(struct store_fixture *fixture, enum record_kind kind, uint64_t topic, uint64_t sequence)
{
    const struct message_row row = {.topic = topic, .sequence = sequence};

    put(fixture, record_new_message(kind, &row, TEXT("")));
}

void block(struct store_fixture *fixture, uint64_t topic, uint64_t first, uint64_t last, uint64_t n)
{
    const struct block_row row = {.topic = topic,
                                  .first = first,
                                  .last = last,
                                  .messages = n,
                                  .bytes = n * 6,
                                  .first_us = (int64_t)first + 100,
                                  .last_us = (int64_t)last + 100,
                                  .flags = 2};

    put(fixture, record_new_block(&row));
}

void later(struct store_fixture *fixture, enum record_kind kind, struct later_row row)
{
    put(fixture, record_new_later(kind, &row, TEXT("body")));
}

void group(struct store_fixture *fixture, enum record_kind kind, struct group_row row)
{
    put(fixture, record_new_group(kind, &row));
}

void ack(struct store_fixture *fixture, enum record_kind kind, struct ack_row row)
{
    put(fixture, record_new_ack(kind, &row));
}
