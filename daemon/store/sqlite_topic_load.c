/* The log of durable topics in the SQLite store: what a start needs of it. Of old messages it reads the blocks alone. */
#include <errno.h>
#include <stdlib.h>

#include "sqlite_store.h"

static int load_sequence(const struct store_load *load, struct statement *select)
{
    return load->sequence ? load->sequence(load->context, (uint64_t)column_number(select, 0)) : 0;
}

static int load_rule(const struct store_load *load, struct statement *select)
{
    return load->topic_rule
               ? load->topic_rule(load->context, column_bytes(select, 0), column_bytes(select, 1))
               : 0;
}

static int load_topic(const struct store_load *load, struct statement *select)
{
    const struct topic_row row = {
        .id = (uint64_t)column_number(select, 0),
        .last_sequence = (uint64_t)column_number(select, 1),
        .uid = (uint32_t)column_number(select, 2),
        .flags = (uint32_t)column_number(select, 3),
        .name = column_bytes(select, 4),
    };

    return load->topic ? load->topic(load->context, &row) : 0;
}

static int load_block(const struct store_load *load, struct statement *select)
{
    const struct block_row row = {
        .topic = (uint64_t)column_number(select, 0),
        .last = (uint64_t)column_number(select, 1),
        .first = (uint64_t)column_number(select, 2),
        .messages = (uint64_t)column_number(select, 3),
        .bytes = (uint64_t)column_number(select, 4),
        .first_us = column_number(select, 5),
        .last_us = column_number(select, 6),
        .flags = (uint32_t)column_number(select, 7),
    };

    return load->block ? load->block(load->context, &row) : 0;
}

static int load_message(const struct store_load *load, struct statement *select)
{
    const struct message_row row = {
        .topic = (uint64_t)column_number(select, 0),
        .sequence = (uint64_t)column_number(select, 1),
        .time_us = column_number(select, 2),
        .of = (uint64_t)column_number(select, 3),
        .uid = (uint32_t)column_number(select, 4),
        .flags = (uint32_t)column_number(select, 5),
        .key = column_bytes(select, 6),
        .headers = column_bytes(select, 7),
        .body_bytes = (uint64_t)column_number(select, 8),
    };

    return load->message ? load->message(load->context, &row) : 0;
}

static int load_once(const struct store_load *load, struct statement *select)
{
    const struct message_row row = {
        .topic = (uint64_t)column_number(select, 0),
        .sequence = (uint64_t)column_number(select, 1),
        .time_us = column_number(select, 2),
        .once = column_bytes(select, 3),
    };

    return load->once ? load->once(load->context, &row) : 0;
}

static int load_later(const struct store_load *load, struct statement *select)
{
    const struct later_row row = {
        .id = (uint64_t)column_number(select, 0),
        .due_us = column_number(select, 1),
        .message = {.topic = (uint64_t)column_number(select, 2),
                    .of = (uint64_t)column_number(select, 3),
                    .uid = (uint32_t)column_number(select, 4),
                    .flags = (uint32_t)column_number(select, 5),
                    .key = column_bytes(select, 6),
                    .once = column_bytes(select, 7),
                    .headers = column_bytes(select, 8),
                    .body_bytes = (uint64_t)column_number(select, 9)},
    };

    return load->later ? load->later(load->context, &row) : 0;
}

static int load_group(const struct store_load *load, struct statement *select)
{
    const struct group_row row = {
        .id = (uint64_t)column_number(select, 0),
        .floor = (uint64_t)column_number(select, 1),
        .mark = (uint64_t)column_number(select, 2),
        .uid = (uint32_t)column_number(select, 3),
        .paused = column_number(select, 4),
        .name = column_bytes(select, 5),
        .pattern = column_bytes(select, 6),
        .text = column_bytes(select, 7),
    };

    return load->group ? load->group(load->context, &row) : 0;
}

static int load_ack(const struct store_load *load, struct statement *select)
{
    const struct ack_row row = {
        .group = (uint64_t)column_number(select, 0),
        .sequence = (uint64_t)column_number(select, 1),
    };

    return load->group_ack ? load->group_ack(load->context, &row) : 0;
}

static int load_try(const struct store_load *load, struct statement *select)
{
    const struct ack_row row = {
        .group = (uint64_t)column_number(select, 0),
        .sequence = (uint64_t)column_number(select, 1),
        .tries = (uint32_t)column_number(select, 2),
        .due_us = column_number(select, 3),
    };

    return load->group_try ? load->group_try(load->context, &row) : 0;
}

struct one_load {
    const char *query;
    int (*row)(const struct store_load *load, struct statement *select);
};

static const struct one_load before[] = {
    {"SELECT max(sequence, coalesce((SELECT max(sequence) FROM messages), 0),"
     " coalesce((SELECT max(last_sequence) FROM topics), 0),"
     " coalesce((SELECT max(max(floor, mark)) FROM topic_groups), 0),"
     " coalesce((SELECT max(cursor) FROM feeds), 0)) FROM daemon",
     load_sequence},
    {"SELECT name, kept FROM topic_rules ORDER BY name", load_rule},
    {"SELECT id, last_sequence, uid, flags, name FROM topics ORDER BY id", load_topic},
    {"SELECT topic, last, first, messages, bytes, first_us, last_us, flags FROM blocks ORDER BY topic, last",
     load_block},
};

static const struct one_load behind[] = {
    {"SELECT topic, sequence, time_us, once FROM onces ORDER BY topic, sequence", load_once},
    {"SELECT id, due_us, topic, of, uid, flags, key, once, headers, length(body) FROM laters ORDER BY id",
     load_later},
    {"SELECT id, floor, mark, uid, paused, name, pattern, text FROM topic_groups ORDER BY id", load_group},
    {"SELECT id, sequence FROM group_acks ORDER BY id, sequence", load_ack},
    {"SELECT id, sequence, tries, due_us FROM group_tries ORDER BY id, sequence", load_try},
    {"SELECT " FEED_COLUMNS " FROM feeds ORDER BY id", log_load_feed},
};

static int load_each(struct store *store, const struct store_load *load, const struct one_load *loads,
                     size_t n, int *said)
{
    int r = 0;

    for (size_t i = 0; r == 0 && *said == 0 && i < n; i++) {
        struct statement *select = NULL;
        r = statement_new(store->writer, loads[i].query, &select);
        while (r >= 0 && *said == 0 && (r = statement_step(select)) == 1)
            *said = loads[i].row(load, select);
        statement_delete(select);
    }
    return r < 0 ? r : 0;
}

/* ---- messages behind the last block of their topic ---- */

/* Of each topic, by id: where its messages begin that no block tells of. */
struct tails {
    struct tail {
        uint64_t topic, sequence;
    } * list;     /* owned */
    size_t n, at; /* at: the one that was looked for last */
    uint64_t least;
};

static int find_tails(struct store *store, struct tails *tails)
{
    struct statement *select = NULL;
    int64_t topics = 0;
    int r = db_number(store->writer, "SELECT count(*) FROM topics", &topics);

    tails->list = malloc(((size_t)topics + 1) * sizeof(*tails->list));
    tails->least = UINT64_MAX;
    if (r == 0)
        r = tails->list ? statement_new(store->writer,
                                        "SELECT id, max(gone, coalesce((SELECT max(last) FROM blocks WHERE"
                                        " topic = id), 0)) FROM topics ORDER BY id",
                                        &select)
                        : -ENOMEM;
    while (r >= 0 && (r = statement_step(select)) == 1) {
        struct tail tail = {(uint64_t)column_number(select, 0), (uint64_t)column_number(select, 1)};
        tails->list[tails->n++] = tail;
        tails->least = tail.sequence < tails->least ? tail.sequence : tails->least;
    }
    statement_delete(select);
    return r;
}

/* Topics are asked for mostly in their order. */
static bool is_tail(struct tails *tails, uint64_t topic, uint64_t sequence)
{
    if (tails->at == tails->n || tails->list[tails->at].topic > topic)
        tails->at = 0;
    while (tails->at < tails->n && tails->list[tails->at].topic < topic)
        tails->at++;
    return tails->at < tails->n && tails->list[tails->at].topic == topic &&
           tails->list[tails->at].sequence < sequence;
}

static int load_tail(const struct store_load *load, struct statement *select, uint64_t sequence, int *said)
{
    bind_number(select, 1, (int64_t)sequence);
    int r = statement_step(select);
    if (r == 1)
        *said = load_message(load, select);
    statement_reset(select);
    return r;
}

/* One walk through the index, which is much smaller than the log; of the log those messages alone that are wanted. */
static int load_tails(struct store *store, const struct store_load *load, struct tails *tails, int *said)
{
    struct statement *walk = NULL, *select = NULL;
    int r = statement_new(store->writer,
                          "SELECT topic, sequence FROM messages INDEXED BY messages_topic WHERE " LOG_PART
                          " >= ?1"
                          " ORDER BY " LOG_PART ", topic, sequence",
                          &walk);

    if (r == 0)
        r = statement_new(store->writer,
                          "SELECT topic, sequence, time_us, of, uid, flags, key, headers, length(body) FROM"
                          " messages WHERE sequence = ?1",
                          &select);
    if (r == 0)
        bind_number(walk, 1, (int64_t)(tails->least >> LOG_PART_BITS));
    while (r >= 0 && *said == 0 && (r = statement_step(walk)) == 1) {
        uint64_t sequence = (uint64_t)column_number(walk, 1);
        if (is_tail(tails, (uint64_t)column_number(walk, 0), sequence))
            r = load_tail(load, select, sequence, said);
    }
    statement_delete(walk);
    statement_delete(select);
    return r < 0 ? r : 0;
}

static int load_messages(struct store *store, const struct store_load *load, int *said)
{
    struct tails tails = {0};
    int r = find_tails(store, &tails);

    if (r == 0 && tails.n)
        r = load_tails(store, load, &tails, said);
    free(tails.list);
    return r;
}

int log_load(struct store *store, const struct store_load *load, int *said)
{
    int r = load_each(store, load, before, sizeof(before) / sizeof(*before), said);

    if (r == 0 && *said == 0 && load->message)
        r = load_messages(store, load, said);
    return r < 0 || *said != 0 ? r : load_each(store, load, behind, sizeof(behind) / sizeof(*behind), said);
}
