/* The ledger: a model of what records do to jobs, and digests to compare. */
#include "ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "row.h"

enum { STRANGER = LEDGER_JOBS + 1, OUTPUT_BYTES_MAX = 1 << 20 };

/* Goes on with `before`, however the bytes come in pieces. */
static uint64_t digest(uint64_t before, const void *data, size_t n)
{
    const unsigned char *byte = data;
    uint64_t hash = before;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3 + 1;
    return hash;
}

/* Of no bytes: 0, so that nothing and an empty body are the same. */
static uint64_t digest_of(struct bytes bytes)
{
    return bytes.size ? XXH3_64bits(bytes.data, bytes.size) : 0;
}

struct ledger *ledger_new(const size_t *place, const struct ledger *from, size_t moment)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));

    if (!ledger || !(ledger->moments = calloc(LEDGER_MOMENTS, sizeof(*ledger->moments))))
        abort();
    ledger->place = place;
    ledger->n = 1;
    if (from)
        ledger->moments[0] = from->moments[moment];
    return ledger;
}

struct ledger *ledger_delete(struct ledger *ledger)
{
    if (ledger)
        free(ledger->moments);
    free(ledger);
    return NULL;
}

static size_t place(const struct ledger *ledger)
{
    return ledger->place ? *ledger->place : 0;
}

void ledger_opened(struct ledger *ledger, uint64_t incarnation)
{
    if (ledger->lives_n == LEDGER_LIVES)
        abort();
    ledger->lives[ledger->lives_n].told = place(ledger);
    ledger->lives[ledger->lives_n++].incarnation = incarnation;
}

const struct held *ledger_now(const struct ledger *ledger)
{
    return ledger->moments[ledger->n - 1].held;
}

/* A record has all columns of its job, so that what it changes and what it leaves are one digest. */
static uint64_t digest_row(const struct job_row *row)
{
    struct job_row stored = *row;
    uint64_t hash = digest(0, row->session.byte, sizeof(row->session.byte));

    stored.state = row_state(row);
#define DIGEST_NUMBER(name) hash = digest(hash, &(int64_t){(int64_t)stored.name}, sizeof(int64_t));
#define DIGEST_BYTES(name)  hash = digest(hash, stored.name.data, stored.name.size);
    DIGEST_NUMBER(id)
    JOB_COLUMNS(DIGEST_NUMBER, DIGEST_BYTES, ROW_NOTHING)
    return hash;
}

static void hold(struct held *held, const struct record *record)
{
    if (record->kind == RECORD_JOB_NEW)
        *held = (struct held){.there = true, .argument = digest_of(record->body)};
    if (!held->there)
        return;
    if (record->kind == RECORD_JOB_OUTPUT) {
        held->output = digest(held->output, record->body.data, record->body.size);
        held->output_bytes += record->body.size;
        return;
    }
    held->columns = digest_row(&record->job);
    held->state = row_state(&record->job);
    if (record->kind == RECORD_JOB_END)
        held->result = digest_of(record->body);
    if (record->kind == RECORD_JOB_DELETE)
        *held = (struct held){0};
}

/* ---- durable channels ---- */

const struct kept_channel *ledger_channels(const struct ledger *ledger)
{
    return ledger->moments[ledger->n - 1].channel;
}

const struct kept_log *ledger_log(const struct ledger *ledger)
{
    return &ledger->moments[ledger->n - 1].log;
}

static uint64_t digest_channel(const struct channel_row *row)
{
    const uint64_t numbers[] = {row->id,    row->capacity, row->value_bytes_max, row->element_bytes,
                                row->flags, row->uid,      row->closed};
    uint64_t hash = digest(1, numbers, sizeof(numbers));

    return digest(digest(hash, row->name.data, row->name.size), row->tag.data, row->tag.size);
}

static void keep_value(struct kept_channel *channel, const struct value_row *row, struct bytes body)
{
    const uint64_t numbers[] = {row->sequence, row->uid, row->seen, digest_of(body)};

    if (channel->n == LEDGER_VALUES)
        abort();
    channel->value[channel->n].sequence = row->sequence;
    channel->value[channel->n++].body = digest(1, numbers, sizeof(numbers));
}

static void forget_value(struct kept_channel *channel, uint64_t sequence)
{
    uint64_t at = 0;

    while (at < channel->n && channel->value[at].sequence != sequence)
        at++;
    if (at == channel->n)
        return;
    channel->n--;
    memmove(&channel->value[at], &channel->value[at + 1], (channel->n - at) * sizeof(channel->value[0]));
    memset(&channel->value[channel->n], 0, sizeof(channel->value[0]));
}

static void keep_row(struct kept_channel *channel, const struct channel_row *row)
{
    channel->next += !channel->there; /* sequences begin at 1 */
    channel->there = 1;
    channel->row = digest_channel(row);
    channel->seen = row->seen;
}

static void keep_channel(struct kept_channel channels[LEDGER_CHANNELS], const struct record *record)
{
    bool of_value = record->kind == RECORD_VALUE || record->kind == RECORD_VALUE_GONE;
    struct kept_channel *channel = &channels[of_value ? record->value.channel : record->channel.id];

    if (record->kind == RECORD_CHANNEL)
        return keep_row(channel, &record->channel);
    if (!channel->there)
        return;
    if (record->kind == RECORD_CHANNEL_SEEN) {
        channel->seen = record->channel.seen;
    } else if (record->kind == RECORD_CHANNEL_GONE) {
        *channel = (struct kept_channel){0};
    } else if (record->kind == RECORD_VALUE) {
        keep_value(channel, &record->value, record->body);
        channel->next = record->value.sequence + 1;
    } else {
        forget_value(channel, record->value.sequence);
    }
}

static void hold_all(struct moment *moment, const struct list *batches)
{
    const struct record *record;
    const struct batch *batch;

    list_each (batch, batches, link)
        list_each (record, &batch->records, link) {
            if (shelf_has(record))
                shelf_take(&moment->log, record);
            else if (record->kind >= RECORD_CHANNEL)
                keep_channel(moment->channel, record);
            else if (record->job.id < LEDGER_JOBS)
                hold(&moment->held[record->job.id], record);
            shelf_step(&moment->log, &record->step);
        }
}

int ledger_apply(struct ledger *ledger, const struct store_ops *ops, struct store *store,
                 struct list *batches)
{
    struct moment *next = &ledger->moments[ledger->n];
    struct batch *batch, *after;

    if (ledger->n == LEDGER_MOMENTS)
        abort();
    *next = ledger->moments[ledger->n - 1];
    hold_all(next, batches);
    next->begun = place(ledger);
    int r = ops->apply(store, batches);
    next->told = r == 0 ? place(ledger) : NOT_TOLD;
    if (r != -ENOSPC && r != -ENOMEM) /* those say that nothing happened */
        ledger->n++;
    list_each_safe (batch, after, batches, link)
        batch_delete(batch);
    return r;
}

struct range ledger_at(const struct ledger *ledger, size_t at, bool forgets)
{
    struct range range = {0};

    for (size_t i = 1; i < ledger->n; i++) {
        bool told = ledger->moments[i].told <= at; /* also of one that had nothing to write */

        if (ledger->moments[i].begun < at || told)
            range.last = i;
        if (told && !forgets)
            range.first = i;
    }
    for (size_t i = 0; i < ledger->lives_n; i++)
        if (ledger->lives[i].told <= at)
            range.incarnation = ledger->lives[i].incarnation;
    return range;
}

struct range ledger_end(const struct ledger *ledger)
{
    struct range range = ledger_at(ledger, NOT_TOLD - 1, false);

    range.last = ledger->n - 1;
    return range;
}

struct found {
    struct held held[LEDGER_JOBS];
    struct kept_channel channel[LEDGER_CHANNELS];
    struct kept_log log;
    char *why;
    uint64_t last;
};

static int find(void *context, const struct job_row *row)
{
    struct found *found = context;

    if (row->id >= LEDGER_JOBS || row->id <= found->last) {
        snprintf(found->why, WHY_BYTES, "job %llu is nobody's, or comes twice", (unsigned long long)row->id);
        return -EBADMSG;
    }
    found->last = row->id;
    found->held[row->id] = (struct held){
        .there = true, .state = row->state, .columns = digest_row(row), .output_bytes = row->output_bytes};
    return 0;
}

static int find_channel(void *context, const struct channel_row *row)
{
    struct found *found = context;

    if (row->id < LEDGER_CHANNELS)
        keep_row(&found->channel[row->id], row);
    return row->id < LEDGER_CHANNELS ? 0 : -EBADMSG;
}

static int find_value(void *context, const struct value_row *row, struct bytes body)
{
    struct found *found = context;

    if (row->channel >= LEDGER_CHANNELS || !found->channel[row->channel].there)
        return -EBADMSG;
    keep_value(&found->channel[row->channel], row, body);
    return 0;
}

/* What the sequence goes on with is the ledger's own. */
static bool channels_differ(const struct kept_channel *found, const struct kept_channel *kept)
{
    for (size_t i = 0; i < LEDGER_CHANNELS; i++) {
        struct kept_channel one = kept[i];

        one.next = found[i].next;
        if (memcmp(&found[i], &one, sizeof(one)))
            return true;
    }
    return false;
}

/* `*to` is the digest. */
static int fetch_body(const struct store_ops *ops, struct store *store, enum fetch_kind kind, uint64_t job,
                      uint64_t *to)
{
    struct fetch what = {.kind = kind, .job = job, .limit = OUTPUT_BYTES_MAX};
    struct fetched out;
    int r = ops->fetch(store, &what, &out);

    if (r == 0) {
        *to = kind == FETCH_OUTPUT ? digest(0, out.body.data, out.body.size) : digest_of(out.body);
        fetched_clear(&out);
    }
    return r;
}

static int find_bodies(const struct store_ops *ops, struct store *store, struct found *found)
{
    int r = 0;

    for (uint64_t id = 0; r == 0 && id < LEDGER_JOBS; id++) {
        struct held *held = &found->held[id];
        if (!held->there)
            continue;
        r = fetch_body(ops, store, FETCH_ARGUMENT, id, &held->argument);
        if (r == 0)
            r = fetch_body(ops, store, FETCH_JOB, id, &held->result);
        if (r == 0 && held->output_bytes > 0)
            r = fetch_body(ops, store, FETCH_OUTPUT, id, &held->output);
        if (r < 0)
            snprintf(found->why, WHY_BYTES, "bodies of job %llu: %s", (unsigned long long)id, strerror(-r));
    }
    return r;
}

/* The first job that differs; LEDGER_JOBS: none. */
static size_t differs(const struct held *a, const struct held *b)
{
    size_t id = 0;

    while (id < LEDGER_JOBS && !memcmp(&a[id], &b[id], sizeof(*a)))
        id++;
    return id;
}

int ledger_compare(const struct ledger *ledger, const struct store_ops *ops, struct store *store,
                   struct range range, char why[WHY_BYTES])
{
    struct found found = {.why = why};
    struct store_load load = {.job = find, .context = &found, .channel = find_channel, .value = find_value};
    char *words = NULL;

    snprintf(why, WHY_BYTES, "it cannot be loaded");
    int r = ops->load(store, &load, &words);
    free(words);
    if (r == 0)
        r = find_bodies(ops, store, &found);
    if (r == 0)
        r = shelf_find(&found.log, ops, store);
    if (r < 0)
        return -1;
    for (size_t i = range.last + 1; i-- > range.first;)
        if (differs(found.held, ledger->moments[i].held) == LEDGER_JOBS &&
            !channels_differ(found.channel, ledger->moments[i].channel) &&
            !shelf_differs(&found.log, &ledger->moments[i].log))
            return (int)i;
    size_t id = range.first <= range.last ? differs(found.held, ledger->moments[range.last].held) : 0;
    if (id == LEDGER_JOBS)
        snprintf(why, WHY_BYTES,
                 "it shows no moment of %zu to %zu; a channel or the log is not as after the last one",
                 range.first, range.last);
    else
        snprintf(why, WHY_BYTES, "it shows no moment of %zu to %zu; job %zu is %s, not as after the last one",
                 range.first, range.last, id, found.held[id].there ? "there" : "not there");
    return -1;
}

/* A store that was found sound must take more. */
static int goes_on(const struct store_ops *ops, struct store *store, char why[WHY_BYTES])
{
    struct job_row row = {.id = STRANGER, .state = JOB_READY, .attempts_max = 1, .created_us = 1};
    struct record *record = record_new(RECORD_JOB_NEW, &row, (struct bytes){"more", 4});
    struct batch *batch = batch_new(1);
    struct list batches = LIST_INIT(batches);

    if (!record || !batch)
        abort();
    batch_append(batch, record);
    list_append(&batches, &batch->link);
    int r = ops->apply(store, &batches);
    if (r < 0)
        snprintf(why, WHY_BYTES, "it takes no more: %s", strerror(-r));
    batch_delete(batch);
    return r;
}

static void keep_line(void *context, const char *line)
{
    snprintf(context, WHY_BYTES, "%s", line);
}

int ledger_check(const struct ledger *ledger, const struct store_ops *ops,
                 const struct store_options *options, struct range range, char why[WHY_BYTES])
{
    struct store *store = NULL;
    uint64_t incarnation = 0;
    char *words = NULL;
    int r = ops->open(options, &store, &incarnation, &words);

    if (r < 0)
        snprintf(why, WHY_BYTES, "it does not open: %s", words);
    free(words);
    if (r < 0)
        return -1;
    int found = ledger_compare(ledger, ops, store, range, why);
    if (found >= 0 && incarnation <= range.incarnation) {
        snprintf(why, WHY_BYTES, "incarnation %llu comes again", (unsigned long long)incarnation);
        found = -1;
    }
    if (found >= 0 && goes_on(ops, store, why) < 0)
        found = -1;
    ops->close(store);
    if (found >= 0 && ops->fsck(options, keep_line, why) != 0)
        found = -1;
    return found;
}
