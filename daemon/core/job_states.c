#include "job_states.h"

#include <errno.h>
#include <string.h>

#include "kept.h"
#include "pattern.h"

enum { HEADERS = 9, NUMBER_BYTES = 24 };

struct notice {
    struct publish *publish;
    struct kept_topic *topic; /* NULL: it is live */
    struct note *note;        /* of a kept one */
};

static const char *const state_words[JOB_STATES] = {
    [JOB_SCHEDULED] = "scheduled", [JOB_BLOCKED] = "blocked", [JOB_READY] = "ready",
    [JOB_RUNNING] = "running",     [JOB_DONE] = "done",       [JOB_FAILED] = "failed",
    [JOB_CANCELLED] = "cancelled", [JOB_DEAD] = "dead",
};

static const char *const cause_words[] = {
    [CAUSE_ERROR] = "error",       [CAUSE_PANIC] = "panic",     [CAUSE_CRASH] = "crash",
    [CAUSE_DEADLOCK] = "deadlock", [CAUSE_TIMEOUT] = "timeout", [CAUSE_CANCELED] = "canceled",
    [CAUSE_RETURNED] = "returned",
};

static struct bytes text_of(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

/* ---- what it says ---- */

struct words {
    struct header header[HEADERS];
    char number[HEADERS][NUMBER_BYTES];
    size_t n;
};

static void say(struct words *words, const char *name, struct bytes value)
{
    words->header[words->n++] = (struct header){text_of(name), value};
}

static void say_number(struct words *words, const char *name, int64_t value)
{
    char *to = words->number[words->n];

    say(words, name, (struct bytes){to, text_write(to, NUMBER_BYTES, "%lld", (long long)value)});
}

/* The cause of an earlier failure is told with the state that followed it, and not again. */
static bool has_cause(const struct job_row *row)
{
    return row->cause && row->state != JOB_READY && row->state != JOB_RUNNING;
}

static void say_all(struct words *words, const struct job_row *row)
{
    words->n = 0;
    say_number(words, "job", (int64_t)row->id);
    say(words, "state", text_of(state_words[row->state]));
    say(words, "queue", row->queue);
    say(words, "function", row->function);
    say_number(words, "failures", row->attempt);
    if (row->crashes)
        say_number(words, "crashes", row->crashes);
    if (row->run)
        say_number(words, "run", (int64_t)row->run);
    if (has_cause(row))
        say(words, "cause", text_of(cause_words[row->cause]));
    if (has_cause(row) && row->error)
        say_number(words, "error", row->error);
}

/* The number of the job, and words behind it, cut to what the topic takes. `room` is for both. */
static struct bytes body_of(const struct job_row *row, char *room, size_t size, uint64_t most)
{
    struct bytes words = has_cause(row) ? row->text : (struct bytes){0};
    size_t n = text_write(room, size, "%llu%s%.*s", (unsigned long long)row->id, words.size ? " " : "",
                          (int)words.size, words.size ? (const char *)words.data : "");

    return (struct bytes){room, n < most ? n : most};
}

static struct bytes topic_of(const struct queue *queue, enum job_state state, char name[NAME_BYTES_MAX + 1])
{
    size_t size = text_write(name, NAME_BYTES_MAX + 1, "%.*s.%s", (int)queue->policy.states,
                             queue->policy.topic, state_words[state]);

    return (struct bytes){name, size};
}

/* ---- whether ---- */

static int first_one(void *arg, struct trie_entry *entry)
{
    return 1;
}

/* It is kept, or remembered, or somebody has subscribed. */
static bool is_heard(const struct core *core, struct bytes topic, const struct topic_policy *policy)
{
    return policy->durable || lasts_wanted(policy) ||
           trie_match(core, &core->topics->trie, topic, first_one, NULL);
}

static bool is_state(struct bytes word)
{
    for (int state = JOB_NONE + 1; state < JOB_STATES; state++)
        if (bytes_are(word, state_words[state], strlen(state_words[state])))
            return true;
    return false;
}

bool states_has_topic(const struct core *core, struct bytes topic)
{
    struct bytes rest = topic, word = {0};
    const struct queue *queue;

    while (token_next(&rest, &word))
        ;
    size_t size = topic.size - word.size;
    if (!is_state(word))
        return false;
    list_each (queue, &core->jobs->queues, link)
        if (size == queue->policy.states + 1 && memcmp(topic.data, queue->policy.topic, size - 1) == 0)
            return true;
    return false;
}

/* Said when it begins, and when it is over: many may be lost. */
static void lose(struct core *core, struct queue *queue, const char *why)
{
    queue->states_lost++;
    if (!queue->loses_states)
        core_log(core, LOG_LEVEL_WARN, "event=states_not_told queue=%.*s why=\"%s\"", (int)queue->name_size,
                 queue->name, why);
    queue->loses_states = true;
}

static void lose_no_more(struct core *core, struct queue *queue)
{
    queue->states_told++;
    if (queue->loses_states)
        core_log(core, LOG_LEVEL_INFO, "event=states_told_again queue=%.*s lost=%llu", (int)queue->name_size,
                 queue->name, (unsigned long long)queue->states_lost);
    queue->loses_states = false;
}

/* ---- made ready ---- */

struct notice *notice_delete(struct core *core, struct notice *notice)
{
    if (!notice)
        return NULL;
    note_delete(core, notice->note);
    if (notice->publish)
        publish_free(core, notice->publish);
    core_give(core, notice, sizeof(*notice));
    return NULL;
}

/* The topic and the record. 0, -ENOBUFS, -ENOMEM. */
static int keep(struct core *core, struct notice *notice, struct account *account,
                const struct topic_policy *policy)
{
    const struct letter *letter = notice->publish->letter[0];
    int r = kept_topic_get(core, account, letter->topic, policy, &notice->topic);

    if (r < 0)
        return r;
    notice->note = note_new(core, kept_record_of(core, RECORD_MESSAGE_JOINED, notice->topic, letter,
                                                 account->uid, (struct bytes){0}));
    return notice->note ? 0 : -ENOMEM;
}

/* 0, -ENOBUFS, -ENOMEM. */
static int notice_new(struct core *core, struct bytes topic, const struct topic_policy *policy,
                      const struct outgoing *message, struct notice **out)
{
    struct account *account = account_get(core, core->owner); /* who has set it pays for the topic */
    struct notice *notice = account ? core_take(core, sizeof(*notice)) : NULL;
    int r = notice ? 0 : -ENOMEM;

    if (r == 0) {
        *notice = (struct notice){.publish = publish_alone(core, account, topic, message)};
        r = notice->publish ? 0 : -ENOMEM;
    }
    if (r == 0 && policy->durable)
        r = keep(core, notice, account, policy);
    account_drop(core, account);
    *out = r < 0 ? notice_delete(core, notice) : notice;
    return r;
}

static int ready(struct core *core, struct queue *queue, const struct job_row *row, struct notice **out)
{
    char name[NAME_BYTES_MAX + 1];
    struct bytes topic = topic_of(queue, row->state, name);
    const struct topic_policy *policy = topic_policy_of(core, topic);
    struct words words;

    if (!is_heard(core, topic, policy))
        return 0;
    size_t size = NUMBER_BYTES + row->text.size;
    char *room = core_take(core, size);
    if (!room)
        return -ENOMEM;
    say_all(&words, row);
    const struct outgoing message = {.value.body = body_of(row, room, size, policy->message_bytes_max),
                                     .key = row->key,
                                     .headers = words.header,
                                     .headers_n = words.n};
    int r = notice_new(core, topic, policy, &message, out);
    core_give(core, room, size);
    if (r != -ENOBUFS)
        return r;
    lose(core, queue, "there are no more kept topics");
    return 0;
}

/* When the core ends its topics go before its jobs. */
static bool is_told(const struct core *core, const struct job *job)
{
    return job->lane->queue->policy.states && !(job->terms->flags & JOB_UNTOLD) && core->topics;
}

int state_ready(struct core *core, const struct job *job, const struct job_row *row, struct notice **out)
{
    *out = NULL;
    return is_told(core, job) ? ready(core, job->lane->queue, row, out) : 0;
}

static int make_topic(struct core *core, const struct queue *queue, enum job_state state)
{
    char name[NAME_BYTES_MAX + 1];
    struct bytes topic = topic_of(queue, state, name);
    const struct topic_policy *policy = topic_policy_of(core, topic);
    struct account *account = policy->durable ? account_get(core, core->owner) : NULL;
    struct kept_topic *made;
    int r = account ? kept_topic_get(core, account, topic, policy, &made) : policy->durable ? -ENOMEM : 0;

    account_drop(core, account);
    return r == -ENOBUFS ? 0 : r;
}

int state_ready_to_go_on(struct core *core, const struct job *job)
{
    int r = is_told(core, job) ? make_topic(core, job->lane->queue, JOB_SCHEDULED) : 0;

    return r == 0 && is_told(core, job) ? make_topic(core, job->lane->queue, JOB_READY) : r;
}

int state_ready_to(struct core *core, const struct job *job, enum job_state state, uint64_t run,
                   struct notice **out)
{
    struct job_row row;

    *out = NULL;
    if (!is_told(core, job))
        return 0;
    row = job_row(job);
    row.state = state;
    row.run = run ? run : row.run;
    return ready(core, job->lane->queue, &row, out);
}

/* ---- sent ---- */

/* Behind those whose batch is not a later one. */
static void await(struct core *core, struct publish *p, uint64_t batch)
{
    struct list *at = core->topics->notices.prev;

    while (at != &core->topics->notices && container_of(at, struct publish, link)->batch > batch)
        at = at->prev;
    p->batch = batch;
    list_insert_before(at->next, &p->link);
}

static void send_live(struct core *core, struct publish *p, uint64_t batch)
{
    p->own = p->remembers = true;
    p->ticket = ++core->ticket;
    if (core_stored(core, batch))
        list_append(&core->topics->queue, &p->link);
    else
        await(core, p, batch);
}

/* It may fail with the batch that it belongs to. */
static void send_kept(struct core *core, struct notice *notice, uint64_t batch)
{
    if (PLANTED(PARTED_STATE) && notice->publish->about % 4 == 0)
        commit_step(core);
    bool along = batch_is_open(core, batch);

    if (along && record_admits(list_first(&core->batch->records, struct record, link)->kind))
        notice->note->record->kind = RECORD_MESSAGE;
    kept_send(core, notice->publish, notice->topic, notice->note);
    notice->note = NULL;
}

void state_tell(struct core *core, struct job *job, struct notice *notice, uint64_t batch)
{
    if (!notice)
        return;
    if (PLANTED(UNTOLD_STATE) && job->parts && job->state != JOB_NONE) {
        notice_delete(core, notice);
        return;
    }
    if (notice->topic && !kept_has_room(core, notice->topic, notice->publish->letter[0])) {
        lose(core, job->lane->queue, "the topic is full");
        notice_delete(core, notice);
        return;
    }
    notice->publish->about = job->id;
    notice->publish->letter[0]->time_us = core->now.wall_ns / 1000;
    if (notice->topic)
        send_kept(core, notice, batch);
    else
        send_live(core, notice->publish, batch);
    lose_no_more(core, job->lane->queue);
    core_give(core, notice, sizeof(*notice));
}

void state_tell_to(struct core *core, struct job *job, enum job_state state)
{
    struct notice *notice;

    if (state_ready_to(core, job, state, 0, &notice) < 0)
        lose(core, job->lane->queue, "out of memory");
    else
        state_tell(core, job, notice, job_work(job)->batch);
}

/* Of a job that the store was too full for nothing is told. */
void states_stored(struct core *core, uint64_t first, uint64_t last, int error)
{
    struct publish *p, *after;

    list_each_safe (p, after, &core->topics->notices, link) {
        if (p->batch > last)
            return;
        if ((error && p->batch >= first) || !job_find(core, p->about)) {
            publish_free(core, p);
            continue;
        }
        list_remove(&p->link);
        list_append(&core->topics->queue, &p->link);
    }
}
