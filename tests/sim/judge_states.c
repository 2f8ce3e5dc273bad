/*
 * States of jobs on a kept topic, as the store is told of them (IP18). One seed in three has them, of the queues `slow` and `brief`.
 * Judged, batch by batch:
 *
 *     whoever stores that a job begins or ends stores its message in the same batch, once; and no end is told without one
 *     a job's messages come in an order in which it can come to these states, with runs that rise
 *     sequences rise
 *
 * Looser than the rules where they are (IP18.4): after a daemon has died a job runs anew without having been ready, and is ready or scheduled
 * twice when its time came or others let it go on, or is scheduled again by a clock that was set back; when memory is out, that others
 * let a job go on is not told; and of one that was refused anything but a run may be told, and its number is free again.
 */
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "schedules.h"
#include "states.h"

enum { HEAD_BYTES = 8 };

static const struct bytes prefix = {"say.jobs", 8}, pattern = {"say.>", 5};

/* What was told of a job last. */
struct told {
    uint64_t job, run;
    enum job_state state;
};

struct states_ledger {
    struct told *all;
    size_t n;
    uint64_t sequence;
};

/* A message, or a record of a job, as this file sees it. */
struct said {
    uint64_t job, run;
    enum job_state state;
};

#define TO(STATE) (1u << JOB_##STATE)
#define ENDS      (TO(DONE) | TO(FAILED) | TO(CANCELLED) | TO(DEAD))

static const uint32_t next[JOB_STATES] = {
    [JOB_NONE] = ~0u,
    [JOB_SCHEDULED] = TO(SCHEDULED) | TO(READY) | TO(CANCELLED) | TO(FAILED),
    [JOB_BLOCKED] = TO(READY) | TO(SCHEDULED) | TO(RUNNING) | TO(CANCELLED) | TO(FAILED),
    [JOB_READY] = TO(READY) | TO(RUNNING) | TO(CANCELLED) | TO(FAILED),
    [JOB_RUNNING] = TO(RUNNING) | TO(READY) | TO(SCHEDULED) | ENDS,
    [JOB_FAILED] = TO(READY),
    [JOB_DEAD] = TO(READY),
};

static bool told(uint64_t seed)
{
    return seed % 3 == 2;
}

void states_add(uint64_t seed, struct policy_part *part)
{
    if (told(seed) && policy_set(part, POLICY_states, prefix) < 0)
        abort();
}

void states_configure(struct sim *sim, struct core *core)
{
    struct topic_part part = {0};
    struct bytes wrong;

    if (topic_part_read(&part, (struct bytes){"durable=yes", 11}, &wrong) < 0 ||
        (told(sim->seed) && core_set_topic(core, pattern, &part) < 0))
        abort();
    if (!sim->states && told(sim->seed))
        sim->states = sim_alloc(sizeof(*sim->states));
}

void states_free(struct sim *sim)
{
    if (sim->states)
        free(sim->states->all);
    free(sim->states);
}

/* ---- reading ---- */

static uint64_t number_of(struct bytes text)
{
    char digits[32] = "";

    if (text.size && text.size < sizeof(digits))
        memcpy(digits, text.data, text.size);
    return strtoull(digits, NULL, 10);
}

static enum job_state state_of(struct bytes word)
{
    static const char *const words[JOB_STATES] = {"none", "scheduled", "blocked",   "ready", "running",
                                                  "done", "failed",    "cancelled", "dead"};
    int state = JOB_STATES;

    while (--state > JOB_NONE && !bytes_are(word, words[state], strlen(words[state])))
        ;
    return (enum job_state)state;
}

static size_t size_at(const unsigned char *at)
{
    return at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
}

/* The value of the header of that name, as the store has them (kept_headers.c); empty: there is none. */
static struct bytes header_of(struct bytes text, const char *name)
{
    const unsigned char *at = text.data, *end = at + text.size;

    while (at + HEAD_BYTES <= end) {
        struct bytes key = {at + HEAD_BYTES, size_at(at)},
                     value = {at + HEAD_BYTES + key.size, size_at(at + 4)};
        if (bytes_are(key, name, strlen(name)))
            return value;
        at += HEAD_BYTES + key.size + value.size;
    }
    return (struct bytes){0};
}

/* False: it is no message of a state. */
static bool read_message(const struct record *record, struct said *said)
{
    if (record->kind != RECORD_MESSAGE && record->kind != RECORD_MESSAGE_JOINED)
        return false;
    struct bytes headers = record->message.headers;
    *said = (struct said){.job = number_of(header_of(headers, "job")),
                          .state = state_of(header_of(headers, "state")),
                          .run = number_of(header_of(headers, "run"))};
    return said->job && said->state;
}

/* False: it is none of a job that begins or ends in a queue that tells; or a feed has made it of such a message. */
static bool read_job(const struct record *record, struct said *said)
{
    if (record->kind != RECORD_JOB_NEW && record->kind != RECORD_JOB_REPLACE &&
        record->kind != RECORD_JOB_END)
        return false;
    *said = (struct said){.job = record->job.id, .state = (enum job_state)record->job.state};
    return !bytes_are(record->job.queue, "default", 7) && !core_untold(record->job.flags);
}

/* ---- judging ---- */

static size_t count(const struct batch *batch, const struct said *what,
                    bool (*read)(const struct record *record, struct said *said))
{
    const struct record *record;
    struct said said;
    size_t n = 0;

    list_each (record, &batch->records, link)
        n += read(record, &said) && said.job == what->job && said.state == what->state;
    return n;
}

static struct told *told_of(struct states_ledger *states, uint64_t job)
{
    for (size_t i = states->n; i > 0; i--)
        if (states->all[i - 1].job == job)
            return &states->all[i - 1];
    states->all = realloc(states->all, (states->n + 1) * sizeof(*states->all));
    if (!states->all)
        abort();
    states->all[states->n] = (struct told){.job = job};
    return &states->all[states->n++];
}

/* A clock that was set back while the daemon was down has the time of a job that was ready still to come. */
static bool may_follow(const struct sim *sim, enum job_state before, const struct said *said)
{
    if (before == JOB_READY && said->state == JOB_SCHEDULED)
        return sim->lives->schedules->set_ns != 0;
    return next[before] >> said->state & 1 && (before || said->state != JOB_RUNNING);
}

/* Of one that was refused perhaps an end alone is told, and its number may be that of a later job. */
static bool was_refused(const struct told *last, const struct said *said)
{
    return !last->state && ENDS >> said->state & 1;
}

static void judge_order(struct sim *sim, const struct said *said)
{
    struct told *last = told_of(sim->states, said->job);

    if (!may_follow(sim, last->state, said))
        sim_fail(sim, "job %llx is told to be in state %u behind %u", (unsigned long long)said->job,
                 said->state, last->state);
    if (said->state == JOB_RUNNING && said->run <= last->run)
        sim_fail(sim, "job %llx is told to have run %llx behind %llx", (unsigned long long)said->job,
                 (unsigned long long)said->run, (unsigned long long)last->run);
    if (was_refused(last, said))
        return;
    last->state = said->state;
    last->run = said->run ? said->run : last->run;
}

static void judge_message(struct sim *sim, const struct batch *batch, const struct record *record,
                          const struct said *said)
{
    if (record->message.sequence <= sim->states->sequence)
        sim_fail(sim, "a state has a sequence that is not above that before");
    sim->states->sequence = record->message.sequence;
    judge_order(sim, said);
    if ((ENDS >> said->state & 1) && count(batch, said, read_job) != 1)
        sim_fail(sim, "job %llx is told to have ended in a batch in which it does not",
                 (unsigned long long)said->job);
}

static void judge_batch(struct sim *sim, const struct batch *batch)
{
    const struct record *record;
    struct said said;

    list_each (record, &batch->records, link) {
        if (read_message(record, &said))
            judge_message(sim, batch, record, &said);
        if (read_job(record, &said) && count(batch, &said, read_message) != 1)
            sim_fail(sim, "job %llx is stored in state %u with %zu messages", (unsigned long long)said.job,
                     said.state, count(batch, &said, read_message));
    }
}

bool states_has(const struct record *record)
{
    struct said said;

    return read_message(record, &said);
}

void judge_states_stored(struct sim *sim, const struct list *batches)
{
    const struct batch *batch;

    if (!sim->states)
        return;
    list_each (batch, batches, link)
        judge_batch(sim, batch);
}
