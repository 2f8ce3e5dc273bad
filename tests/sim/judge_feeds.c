/*
 * Messages, feeds and their jobs as the store has them, and the rules of IP17 over these records:
 *
 *     a job of a feed and the feed's step over a message are one record; the job is of that message, as the feed says
 *     a feed steps over messages in their order, and past none that it is to make a job of, but what is about to go
 *     it goes elsewhere in the log only as somebody asked; what is changed of it changes nothing of that
 *     it makes no job while it is held, while as many wait as it says, while its queue takes none, or the daemon is drained
 *     what is answered is stored
 */
#include "feeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "lives.h"
#include "pattern.h"
#include "workers.h"

void judge_feeds_free(struct sim *sim)
{
    struct feed_ledger *f = sim->feeds;

    if (!f)
        return;
    for (size_t i = 0; i < f->messages_n; i++)
        free(f->messages[i].body);
    free(f->messages);
    free(f->moves);
    free(f->topics);
    free(f);
}

/* Room for one more behind `n` rows, which grow by doubling. */
static void *grown(void *rows, size_t n, size_t size)
{
    if (n & (n + 1))
        return rows;
    rows = realloc(rows, 2 * (n + 2) * size);
    return rows ? rows : (abort(), NULL);
}

static void keep(char *to, size_t size, struct bytes from)
{
    size_t n = from.size < size ? from.size : size - 1;

    memset(to, 0, size);
    if (n)
        memcpy(to, from.data, n);
}

static bool is(struct bytes text, const char *words)
{
    return bytes_are(text, words, strlen(words));
}

static struct bytes text_of(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

uint32_t feed_number(struct bytes name)
{
    uint32_t feed = 0;

    while (feed < FEEDS && !bytes_are(name, feed_name(feed).data, feed_name(feed).size))
        feed++;
    return feed;
}

static void wrong(struct sim *sim, uint32_t feed, const char *why, uint64_t number)
{
    const struct fed_book *book = &sim->feeds->of[feed];

    sim_fail(sim, "feed %u of %s, id %llu, behind %llu, %s: %llu", feed, book->pattern,
             (unsigned long long)book->id, (unsigned long long)book->cursor, why, (unsigned long long)number);
}

static uint32_t feed_of_id(const struct sim *sim, uint64_t id)
{
    uint32_t feed = 0;

    while (feed < FEEDS && (!sim->feeds->of[feed].there || sim->feeds->of[feed].id != id))
        feed++;
    return feed;
}

/* ---- the log ---- */

static void topic_stored(struct sim *sim, const struct topic_row *row)
{
    struct feed_ledger *f = sim->feeds;

    for (; f->topics_n <= row->id; f->topics_n++) {
        f->topics = grown(f->topics, f->topics_n, sizeof(*f->topics));
        memset(f->topics[f->topics_n], 0, sizeof(*f->topics));
    }
    keep(f->topics[row->id], sizeof(*f->topics), row->name);
}

static void message_stored(struct sim *sim, const struct record *record)
{
    struct feed_ledger *f = sim->feeds;
    const struct message_row *row = &record->message;
    struct fed_message message = {.topic = row->topic,
                                  .sequence = row->sequence,
                                  .time_us = row->time_us,
                                  .body = sim_alloc(record->body.size + 1),
                                  .size = record->body.size};

    if (row->topic < f->topics_n)
        memcpy(message.name, f->topics[row->topic], sizeof(message.name));
    keep(message.key, sizeof(message.key), row->key);
    memcpy(message.body, record->body.data ? record->body.data : "", record->body.size);
    f->messages = grown(f->messages, f->messages_n, sizeof(*f->messages));
    f->messages[f->messages_n++] = message;
}

/* The first one behind this sequence. */
static size_t behind(const struct feed_ledger *f, uint64_t sequence)
{
    size_t from = 0, to = f->messages_n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (f->messages[middle].sequence > sequence)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

static void messages_gone(struct sim *sim, uint64_t topic, uint64_t sequence)
{
    struct feed_ledger *f = sim->feeds;

    for (size_t i = 0; i < f->messages_n && f->messages[i].sequence <= sequence; i++)
        f->messages[i].gone |= f->messages[i].topic == topic;
}

/* ---- what a feed has before it ---- */

static bool is_of(const struct fed_book *book, const struct fed_message *message)
{
    return message->time_us >= book->from_us && pattern_match(text_of(book->pattern), text_of(message->name));
}

static bool is_for(const struct fed_book *book, const struct fed_message *message)
{
    return !message->gone && is_of(book, message);
}

uint64_t feed_rest(const struct sim *sim, uint32_t feed)
{
    const struct feed_ledger *f = sim->feeds;
    const struct fed_book *book = &f->of[feed];
    uint64_t n = 0;

    for (size_t i = behind(f, book->cursor); i < f->messages_n; i++)
        n += is_for(book, &f->messages[i]);
    return n;
}

/* It goes on behind this sequence: what it has not had by then is about to go. */
static void pass(struct sim *sim, uint32_t feed, uint64_t sequence)
{
    struct feed_ledger *f = sim->feeds;
    const struct fed_book *book = &f->of[feed];

    for (size_t i = behind(f, book->cursor); i < f->messages_n && f->messages[i].sequence <= sequence; i++)
        if (is_for(book, &f->messages[i]))
            f->messages[i].passed |= 1u << feed;
}

/* Purges and bounds let some topics' go: these may be there again after a crash. */
static bool may_come_back(const struct fed_message *message)
{
    return strncmp(message->name, "keep.", 5) == 0;
}

void judge_feeds_passed(struct sim *sim, bool crashed)
{
    struct feed_ledger *f = sim->feeds;

    for (size_t i = 0; i < f->messages_n && !sim->failed; i++) {
        struct fed_message *message = &f->messages[i];

        if (message->passed && !message->gone && !(crashed && may_come_back(message)))
            sim_fail(sim, "message %llu of %s has no job of feeds %x, and has not gone",
                     (unsigned long long)message->sequence, message->name, message->passed);
        message->passed = 0;
    }
}

/* ---- the store: feeds ---- */

/* Behind which sequence one that is sent there begins. */
static bool is_place(const struct fed_move *move, uint64_t cursor)
{
    switch (move->from) {
    case FEED_FROM_START:
        return cursor == 0;
    case FEED_FROM_SEQUENCE:
        return move->sequence ? cursor + 1 == move->sequence || cursor < move->sequence : cursor == 0;
    default:
        return true;
    }
}

static bool is_sent(const struct sim *sim, uint32_t feed, uint64_t cursor)
{
    const struct feed_ledger *f = sim->feeds;

    for (size_t i = 0; i < f->moves_n; i++) {
        const struct fed_move *move = &f->moves[i];

        if (move->open && move->feed == feed && (move->from || !f->of[feed].there) && is_place(move, cursor))
            return true;
    }
    return false;
}

/* It goes on where it was, or was sent. */
static void judge_place(struct sim *sim, uint32_t feed, const struct feed_row *row)
{
    struct fed_book *book = &sim->feeds->of[feed];
    bool stays = book->there && row->progress.cursor >= book->cursor && row->progress.jobs == book->jobs;

    if (!row->moves) {
        if (!book->there)
            wrong(sim, feed, "begins nowhere", row->id);
        return;
    }
    if (!(stays && !feed_rest(sim, feed)) && !is_sent(sim, feed, row->progress.cursor)) {
        if (!stays)
            wrong(sim, feed, "is set to go on elsewhere, and nobody asked for that", row->progress.cursor);
        pass(sim, feed, row->progress.cursor);
    }
    book->cursor = row->progress.cursor;
    book->jobs = row->progress.jobs;
}

static void feed_stored(struct sim *sim, const struct feed_row *row)
{
    struct feed_ledger *f = sim->feeds;
    uint32_t feed = feed_number(row->name), there = 0;

    if (feed == FEEDS)
        return sim_fail(sim, "a feed is stored that nobody asked for");
    struct fed_book *book = &f->of[feed];
    if (book->there ? book->id != row->id : row->id <= f->last)
        wrong(sim, feed, "has another number", row->id);
    f->last = row->id > f->last ? row->id : f->last;
    book->id = row->id;
    judge_place(sim, feed, row);
    book->there = true;
    book->version++;
    book->uid = row->uid;
    book->argument = row->argument;
    book->paused = row->paused;
    book->from_us = row->from_us;
    keep(book->pattern, sizeof(book->pattern), row->pattern);
    keep(book->plugin, sizeof(book->plugin), row->plugin);
    keep(book->function, sizeof(book->function), row->function);
    keep(book->queue, sizeof(book->queue), row->queue);
    for (uint32_t i = 0; i < FEEDS; i++)
        there += f->of[i].there && f->of[i].uid == row->uid;
    if (there > FEEDS_MOST)
        wrong(sim, feed, "is one too many", there);
}

/* It has missed messages; or one that was sent elsewhere counts no longer what the store refused then. */
static void feed_moved(struct sim *sim, const struct feed_row *row)
{
    uint32_t feed = feed_of_id(sim, row->id);
    struct fed_book *book = &sim->feeds->of[feed];

    if (feed == FEEDS)
        return;
    if (row->progress.cursor != book->cursor || row->progress.jobs > book->jobs)
        wrong(sim, feed, "has missed messages, and moves", row->progress.cursor);
    book->jobs = row->progress.jobs;
}

static void feed_gone(struct sim *sim, const struct feed_row *row)
{
    uint32_t feed = feed_of_id(sim, row->id);

    if (feed == FEEDS)
        return;
    sim->feeds->of[feed].there = false;
    sim->feeds->of[feed].version++;
}

/* ---- the store: jobs ---- */

/* The words that stand before the body begin so. */
static bool tells(struct bytes argument, const struct fed_message *message)
{
    char head[96];
    int n = snprintf(head, sizeof(head), "topic: %s\nsequence: %llu\ntime_us: %lld\n", message->name,
                     (unsigned long long)message->sequence, (long long)message->time_us);
    const char *text = argument.data, *body = text + argument.size - message->size;

    return argument.size >= (size_t)n + 1 + message->size && memcmp(text, head, (size_t)n) == 0 &&
           memcmp(body - 2, "\n\n", 2) == 0 && memcmp(body, message->body, message->size) == 0;
}

static const char *why_not_so(const struct fed_book *book, const struct record *record,
                              const struct fed_message *message)
{
    const struct job_row *job = &record->job;

    if (message->gone)
        return "makes a job of a message that had gone";
    if (!is_for(book, message))
        return "makes a job of a message that is not for it";
    if (!is(job->queue, book->queue) || !is(job->plugin, book->plugin) ||
        !is(job->function, book->function) || !is(job->key, message->key))
        return "makes a job as it does not say";
    if (book->argument == FEED_MESSAGE ? !tells(record->body, message)
                                       : !bytes_are(record->body, message->body, message->size))
        return "makes a job that has not the message";
    if (core_untold(job->flags) != (strncmp(message->name, "say.", 4) == 0))
        return "makes a job whose states are told, or not, as they should not be";
    return book->paused ? "is held and makes a job" : NULL;
}

static void judge_step(struct sim *sim, const struct record *record)
{
    struct feed_ledger *f = sim->feeds;
    const struct feed_step *step = &record->step;
    uint32_t feed = feed_of_id(sim, step->feed);
    struct fed_book *book = &f->of[feed];
    size_t at = behind(f, step->to.cursor - 1);

    if (feed == FEEDS)
        return sim_fail(sim, "job %llx is of feed %llu, which is not there",
                        (unsigned long long)record->job.id, (unsigned long long)step->feed);
    if (step->to.cursor <= book->cursor)
        wrong(sim, feed, "goes back to make a job", step->to.cursor);
    if (at == f->messages_n || f->messages[at].sequence != step->to.cursor)
        return wrong(sim, feed, "makes a job of no message", step->to.cursor);
    pass(sim, feed, step->to.cursor - 1);
    const char *why = why_not_so(book, record, &f->messages[at]);
    if (why)
        wrong(sim, feed, why, step->to.cursor);
    if (step->to.jobs != book->jobs + 1 || step->to.last_job != record->job.id)
        wrong(sim, feed, "does not count its job", step->to.jobs);
    f->messages[at].passed &= ~(1u << feed);
    book->cursor = step->to.cursor;
    book->jobs = step->to.jobs;
    job_entry(sim, record->job.id)->known = true; /* as one that was acknowledged */
}

static void judge_alone(struct sim *sim, const struct record *record)
{
    if (feed_has_job(sim, life_find(sim, record->job.id)))
        sim_fail(sim, "job %llx of a feed is stored without its step", (unsigned long long)record->job.id);
}

static void record_stored(struct sim *sim, const struct record *record)
{
    switch (record->kind) {
    case RECORD_TOPIC:
        return topic_stored(sim, &record->topic);
    case RECORD_TOPIC_GONE:
        return messages_gone(sim, record->topic.id, UINT64_MAX);
    case RECORD_MESSAGE:
    case RECORD_MESSAGE_JOINED:
        return message_stored(sim, record);
    case RECORD_MESSAGES_GONE:
        return messages_gone(sim, record->message.topic, record->message.sequence);
    case RECORD_FEED:
        return feed_stored(sim, &record->feed);
    case RECORD_FEED_MOVE:
        return feed_moved(sim, &record->feed);
    case RECORD_FEED_GONE:
        return feed_gone(sim, &record->feed);
    case RECORD_JOB_NEW:
        return record->step.feed ? judge_step(sim, record) : judge_alone(sim, record);
    default:
        return;
    }
}

void judge_feeds_stored(struct sim *sim, const struct list *batches)
{
    const struct batch *batch;
    const struct record *record;

    if (!sim->feeds)
        return;
    list_each (batch, batches, link)
        list_each (record, &batch->records, link)
            if (!sim->failed)
                record_stored(sim, record);
}

/* ---- what the core makes ---- */

bool feed_has_job(const struct sim *sim, const struct life *life)
{
    return sim->feeds && sim->feeds->asked && life && life->asked == sim->feeds->asked;
}

void judge_feed_birth(struct sim *sim, struct life *life)
{
    const struct lives *lives = sim->lives;

    if (!feed_has_job(sim, life))
        return;
    for (size_t i = 0; i < lives->n; i++)
        life->ahead +=
            lives->all[i].id < life->id && lives->all[i].queue == life->queue && life_waits(&lives->all[i]);
    if (sim->drain.begun)
        sim_fail(sim, "a feed makes job %llx, and the daemon is drained", (unsigned long long)life->id);
    if (!sim->lives->queue[life->queue].doubt && queue_paused(sim, life->queue) &&
        queue_settings(sim, life->queue)->closed)
        sim_fail(sim, "a feed makes job %llx, and its queue takes none", (unsigned long long)life->id);
}

/* How many of its queue waited before this one when it was new. */
static void judge_ahead(struct sim *sim, const struct record *record)
{
    const struct life *life = life_find(sim, record->job.id);
    uint32_t feed = feed_of_id(sim, record->step.feed);

    if (life && feed < FEEDS && life->ahead >= sim->feeds->of[feed].ahead)
        wrong(sim, feed, "makes a job, and so many wait", life->ahead);
}

void judge_feeds_taken(struct sim *sim, const struct list *batches)
{
    const struct batch *batch;
    const struct record *record;

    if (!sim->feeds)
        return;
    list_each (batch, batches, link)
        list_each (record, &batch->records, link) {
            uint32_t feed = record->kind == RECORD_FEED ? feed_number(record->feed.name) : FEEDS;

            if (feed < FEEDS)
                sim->feeds->of[feed].ahead = record->feed.ahead;
            if (record->kind == RECORD_JOB_NEW && record->step.feed)
                judge_ahead(sim, record);
        }
}

void judge_feed_loaded(struct sim *sim, const struct feed_row *row)
{
    uint32_t feed = feed_number(row->name);

    if (!sim->feeds || feed == FEEDS || !sim->feeds->of[feed].there)
        sim_fail(sim, "a feed is there after a restart that was not");
    else
        sim->feeds->of[feed].ahead = row->ahead;
}

void judge_feeds_start(struct sim *sim)
{
    struct feed_ledger *f = sim->feeds;

    if (!f)
        return;
    judge_feeds_passed(sim, true);
    f->last = 0; /* that of one that is gone may be given again */
    for (uint32_t feed = 0; feed < FEEDS; feed++)
        f->last = f->of[feed].there && f->of[feed].id > f->last ? f->of[feed].id : f->last;
}

/* ---- answers ---- */

static void note_move(struct sim *sim, uint64_t session, uint64_t op, uint32_t feed,
                      const struct request_feed_set *set)
{
    struct feed_ledger *f = sim->feeds;

    f->moves = grown(f->moves, f->moves_n, sizeof(*f->moves));
    f->moves[f->moves_n++] = (struct fed_move){.session = session,
                                               .op = op,
                                               .feed = feed,
                                               .from = set->from,
                                               .sequence = set->from_sequence,
                                               .open = true};
}

void judge_feed_came(struct sim *sim, uint64_t session, const struct request *request, struct task *task)
{
    uint32_t feed = FEEDS;

    if (!sim->feeds)
        return;
    if (request->verb == VERB_FEED_SET || request->verb == VERB_FEED_REMOVE)
        feed = feed_number(request->feed_set.name); /* the first member of each */
    if (feed == FEEDS)
        return;
    if (task)
        task->version = sim->feeds->of[feed].version;
    if (request->verb == VERB_FEED_SET)
        note_move(sim, session, request->id, feed, &request->feed_set);
}

/* What it tells may be ahead of the store: so many jobs more for what it has stepped over, of which some may have gone meanwhile. */
static bool tells_its_jobs(const struct sim *sim, uint32_t feed, const struct feed_info *row)
{
    const struct feed_ledger *f = sim->feeds;
    const struct fed_book *book = &f->of[feed];
    uint64_t most = book->jobs, least = book->jobs;

    for (size_t i = behind(f, book->cursor); i < f->messages_n && f->messages[i].sequence <= row->cursor;
         i++) {
        most += is_of(book, &f->messages[i]);
        least += is_for(book, &f->messages[i]);
    }
    return row->jobs >= least && row->jobs <= most;
}

/* While it says what it waits for it does not look at what is too old for it. */
static bool tells_what_waits(const struct sim *sim, uint32_t feed, const struct feed_info *row)
{
    return !row->waiting || row->text.size || feed_rest(sim, feed);
}

static void judge_row(struct sim *sim, const struct task *task, const struct feed_info *row)
{
    uint32_t feed = feed_number(row->name), asks = user_uid(sim, task->client->who);
    const struct fed_book *book = &sim->feeds->of[feed];

    if (feed == FEEDS)
        return sim_fail(sim, "a feed is told that nobody made");
    sim_note(sim, "feed %u to %s: cursor %llu, %llu wait; %.*s", feed, book->queue,
             (unsigned long long)row->cursor, (unsigned long long)row->waiting, (int)row->text.size,
             (const char *)row->text.data);
    if (asks && asks != row->uid && !sim->owned)
        wrong(sim, feed, "is another user's", row->uid);
    if (task->scripted &&
        (row->uid != book->uid || row->cursor < book->cursor || !tells_its_jobs(sim, feed, row) ||
         !tells_what_waits(sim, feed, row) || row->ahead != book->ahead))
        wrong(sim, feed, "is told to be behind", row->cursor);
}

/* What an operation asked for has come, or will not. */
static void end_moves(struct sim *sim, const struct task *task)
{
    for (size_t i = 0; i < sim->feeds->moves_n; i++)
        if (sim->feeds->moves[i].session == task->session && sim->feeds->moves[i].op == task->op.request.id)
            sim->feeds->moves[i].open = false;
}

void judge_feed_reply(struct sim *sim, const struct task *task, const struct result *result)
{
    const struct request *request = &task->op.request;

    if (!sim->feeds || task->answered)
        return;
    if (request->verb == VERB_FEED_SET)
        end_moves(sim, task);
    if (result->status < 0)
        return;
    for (size_t i = 0; request->verb == VERB_FEED_LIST && i < result->feeds_n && !sim->failed; i++)
        judge_row(sim, task, &result->feeds[i]);
    if (request->verb != VERB_FEED_SET && request->verb != VERB_FEED_REMOVE)
        return;
    uint32_t feed = feed_number(request->feed_set.name);
    if (task->mistaken)
        sim_fail(sim, "a feed that cannot be is set");
    else if (feed < FEEDS && task->version == sim->feeds->of[feed].version)
        wrong(sim, feed, "is said to be changed or gone before that is stored", task->version);
}
