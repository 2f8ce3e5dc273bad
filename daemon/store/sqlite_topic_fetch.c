/*
 * Reading the log beside the writer, in the order of sequences.
 *
 * All topics are the log itself. Of a few, the sequences in one part of the log after the other are taken from the index and
 * sorted, and then the messages are looked up. Of many, the log is walked and what is not asked for passed over. At most
 * FETCH_LOOKS places of index or log are looked at.
 * A fetch that is to look to the end looks no further than the end that the log had when it began: so what it says of how far
 * it has looked holds.
 */
#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "fetched.h"
#include "sqlite_store.h"

enum { FEW_TOPICS = 64, DENSE = 4 }; /* DENSE: one of so many is wanted */

#define MESSAGE_SELECT "SELECT sequence, topic, time_us, of, uid, flags, key, headers, body FROM messages"

const char *const log_reads[LOG_READS] = {
    [READ_END] = "SELECT coalesce(max(sequence), 0) FROM messages",
    [READ_ALL] = MESSAGE_SELECT " WHERE sequence > ?1 AND sequence <= ?2 ORDER BY sequence",
    [READ_PART] =
        "SELECT sequence FROM messages INDEXED BY messages_topic WHERE " LOG_PART " = ?1 AND topic = ?2"
        " AND sequence > ?3 AND sequence <= ?4 ORDER BY sequence LIMIT ?5",
    [READ_MESSAGE] = MESSAGE_SELECT " WHERE sequence = ?1",
    [READ_LATER] = "SELECT id, topic, due_us, of, uid, flags, key, headers, body FROM laters WHERE id = ?1",
};

/* How far one fetch has come. */
struct look {
    struct store *store;
    const struct fetch *what;
    struct fetched *out;
    uint64_t end, bytes;
};

static struct message_row row_of(struct statement *select)
{
    return (struct message_row){
        .sequence = (uint64_t)column_number(select, 0),
        .topic = (uint64_t)column_number(select, 1),
        .time_us = column_number(select, 2),
        .of = (uint64_t)column_number(select, 3),
        .uid = (uint32_t)column_number(select, 4),
        .flags = (uint32_t)column_number(select, 5),
        .key = column_bytes(select, 6),
        .headers = column_bytes(select, 7),
    };
}

/* The message where `select` is. 1: it does not fit any more; 0, -ENOMEM. */
static int take(struct look *look, struct statement *select)
{
    struct message_row row = row_of(select);
    struct bytes body = column_bytes(select, 8);
    uint64_t bytes = look->bytes + row.key.size + row.headers.size + body.size;
    bool full =
        look->out->messages_n == look->what->limit || (look->out->messages_n && bytes > look->what->bytes);

    if (full) {
        fetched_full(look->out);
        return 1;
    }
    int r = fetched_message(look->out, &row, body, look->what->limit);
    if (r == 0) {
        look->bytes = bytes;
        look->out->offset = row.sequence;
    }
    return r;
}

static int walk_log(struct look *look)
{
    struct statement *select = look->store->log.read[READ_ALL];
    int r, looks = 0;

    bind_number(select, 1, (int64_t)look->what->offset);
    bind_number(select, 2, (int64_t)look->end);
    while ((r = statement_step(select)) == 1) {
        uint64_t sequence = (uint64_t)column_number(select, 0);
        look->out->more = ++looks > FETCH_LOOKS;
        if (look->out->more)
            return 0;
        if (fetch_wants(look->what, (uint64_t)column_number(select, 1)) && (r = take(look, select)) != 0)
            return r < 0 ? r : 0;
        look->out->offset = sequence;
    }
    return r;
}

/* ---- from part to part ---- */

struct log_part {
    uint64_t number;
    uint64_t sequences[1 << LOG_PART_BITS];
    size_t n;
};

/* Those of one topic, one more than could be given. */
static int add_sequences(struct look *look, uint64_t topic, struct log_part *part)
{
    struct statement *select = look->store->log.read[READ_PART];
    int r;

    bind_number(select, 1, (int64_t)part->number);
    bind_number(select, 2, (int64_t)topic);
    bind_number(select, 3, (int64_t)look->what->offset);
    bind_number(select, 4, (int64_t)look->end);
    bind_number(select, 5, (int64_t)look->what->limit + 1);
    while ((r = statement_step(select)) == 1)
        part->sequences[part->n++] = (uint64_t)column_number(select, 0);
    return r;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int look_up(struct look *look, uint64_t sequence)
{
    struct statement *select = look->store->log.read[READ_MESSAGE];

    bind_number(select, 1, (int64_t)sequence);
    int r = statement_step(select);
    if (r == 1)
        r = take(look, select);
    statement_reset(select);
    return r;
}

/* What is wanted of these places of the log, one after the other. 1: no more fits; 0, negative errno. */
static int walk_between(struct look *look, uint64_t first, uint64_t last)
{
    struct statement *select = look->store->log.read[READ_ALL];
    int r;

    bind_number(select, 1, (int64_t)first - 1);
    bind_number(select, 2, (int64_t)last);
    while ((r = statement_step(select)) == 1)
        if (fetch_wants(look->what, (uint64_t)column_number(select, 1)) && (r = take(look, select)) != 0)
            break;
    statement_reset(select);
    return r;
}

/* 1: no more fits; 0, negative errno. Where a good part of the log is wanted, a walk is quicker than so many searches. */
static int look_up_all(struct look *look, const struct log_part *part)
{
    size_t most = (size_t)look->what->limit + 1, n = part->n < most ? part->n : most;
    uint64_t first = n ? part->sequences[0] : 0, last = n ? part->sequences[n - 1] : 0;
    int r = 0;

    if (n && last - first < n * DENSE)
        return walk_between(look, first, last);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = look_up(look, part->sequences[i]);
    return r;
}

/* As look_up_all. */
static int walk_part(struct look *look, struct log_part *part)
{
    const struct fetch *what = look->what;
    int r = 0;

    part->n = 0;
    for (size_t i = 0; r == 0 && i < what->topics_n; i++)
        r = add_sequences(look, what->topics[i], part);
    if (what->topics_n > 1)
        qsort(part->sequences, part->n, sizeof(*part->sequences), compare);
    return r == 0 ? look_up_all(look, part) : r;
}

static int walk_parts(struct look *look)
{
    _cleanup_(cleanup_free) struct log_part *part = malloc(sizeof(*part));
    uint64_t last = look->end >> LOG_PART_BITS, looks = 0;
    int r = part ? 0 : -ENOMEM;

    if (r < 0 || look->end <= look->what->offset)
        return r;
    for (part->number = look->what->offset >> LOG_PART_BITS; r == 0 && part->number <= last; part->number++) {
        r = walk_part(look, part);
        looks += 1 + look->what->topics_n + part->n;
        if (r == 0 && part->number < last)
            look->out->offset = ((part->number + 1) << LOG_PART_BITS) - 1;
        look->out->more = look->out->more || (looks > FETCH_LOOKS && part->number < last);
        if (look->out->more)
            return r < 0 ? r : 0;
    }
    return r < 0 ? r : 0;
}

/* It stays where it is: so all of the fetch is one transaction, and the database is locked once, not for each message. */
static int find_end(struct store *store, uint64_t *end)
{
    struct statement *select = store->log.read[READ_END];
    int r = statement_step(select);

    if (r == 1)
        *end = (uint64_t)column_number(select, 0);
    return r < 0 ? r : 0;
}

static void end_reads(struct store *store)
{
    for (int i = 0; i < LOG_READS; i++)
        statement_reset(store->log.read[i]);
}

static int look_from(struct look *look)
{
    const struct fetch *what = look->what;
    uint64_t asked = what->last == UINT64_MAX ? look->end : what->last;

    look->end = asked < look->end ? asked : look->end;
    look->out->offset = what->offset;
    int r = !what->topics || what->topics_n > FEW_TOPICS ? walk_log(look) : walk_parts(look);
    if (r == 0 && !look->out->more && asked > look->out->offset)
        look->out->offset = asked;
    return r;
}

int log_fetch(struct store *store, const struct fetch *what, struct fetched *out)
{
    struct look look = {.store = store, .what = what, .out = out};
    int r = find_end(store, &look.end);

    if (r == 0)
        r = look_from(&look);
    end_reads(store);
    return r;
}

/* ---- what is to come later ---- */

static int take_later(struct store *store, uint64_t id, const struct fetch *what, struct fetched *out)
{
    struct statement *select = store->log.read[READ_LATER];

    bind_number(select, 1, (int64_t)id);
    int r = statement_step(select);
    if (r == 1) {
        struct message_row row = row_of(select);
        r = fetched_message(out, &row, column_bytes(select, 8), what->topics_n);
    }
    statement_reset(select);
    return r;
}

int log_fetch_laters(struct store *store, const struct fetch *what, struct fetched *out)
{
    uint64_t end;
    int r = find_end(store, &end);

    out->offset = what->last;
    for (size_t i = 0; r == 0 && i < what->topics_n; i++)
        r = take_later(store, what->topics[i], what, out);
    end_reads(store);
    return r;
}
