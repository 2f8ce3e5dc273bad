/*
 * Clients publish messages that come later. What is judged is what the store is told:
 *
 *     what was confirmed is stored, and what failed is not; it is due so long after it was accepted as was asked
 *     a message goes to the log once, not before its time, and behind all that are due before it and were stored in time
 *     at the end all that is stored is in the log, and its topics tell so
 *
 * What is drawn is of a generator of its own.
 */
#include "laters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"
#include "schedules.h"

enum { VECTOR = 3, NO_SLOT = SLOTS /* as in loose.c: no channel of a slot */, HEARD_US = 50000 };

static const char *const topics[LATER_TOPICS] = {"late.a", "late.b"};

static struct bytes topic_of(uint32_t topic)
{
    return (struct bytes){topics[topic], strlen(topics[topic])};
}

static int64_t wall_us(const struct sim *sim)
{
    return sim_wall_ns(sim) / 1000;
}

void laters_open(struct sim *sim)
{
    if (!sim->groups)
        return;
    sim->laters = sim_alloc(sizeof(*sim->laters));
    sim->laters->dice = sim->seed ^ 0x6c61746572;
}

void judge_laters_free(struct sim *sim)
{
    if (sim->laters)
        free(sim->laters->messages);
    free(sim->laters);
}

void laters_configure(struct sim *sim, struct core *core)
{
    struct topic_part part = {.policy.durable = 1, .set = UINT32_C(1) << TOPIC_durable};

    if (sim->laters && core_set_topic(core, (struct bytes){"late.>", 6}, &part) < 0)
        abort();
}

static uint64_t draw(const struct sim *sim, uint64_t n)
{
    uint64_t *dice = &sim->laters->dice;

    *dice = *dice * 6364136223846793005u + 1442695040888963407u;
    return (*dice >> 33) % n;
}

/* ---- deeds ---- */

/* Room for one more behind `n` rows, which grow by doubling. */
static uint64_t message_new(struct sim *sim, uint32_t topic, int64_t delay_us)
{
    struct later_ledger *l = sim->laters;
    size_t n = l->messages_n;

    if (!(n & (n + 1)) && !(l->messages = realloc(l->messages, 2 * (n + 2) * sizeof(*l->messages))))
        abort();
    l->messages[++l->messages_n] =
        (struct delayed_message){.topic = topic, .asked_us = wall_us(sim), .delay_us = delay_us};
    return l->messages_n;
}

static struct task *later_task(struct client *client, enum verb verb)
{
    struct task *task = task_new(client, verb);

    task->slot = NO_SLOT;
    task->delayed = true;
    return task;
}

/* It is published in a transaction. */
static void deal(struct task *task, const struct request_publish *publish)
{
    task->topical = true; /* of no run */
    task->op.request.verb = VERB_TRANSACT;
    task->op.request.transact = (struct request_transact){.publishes = publish, .publishes_n = 1};
}

bool work_later(struct client *client)
{
    struct sim *sim = client->sim;

    if (!sim->laters || draw(sim, 12))
        return false;
    struct task *task = later_task(client, VERB_PUBLISH);
    uint32_t topic = (uint32_t)draw(sim, LATER_TOPICS), n = 1 + (uint32_t)draw(sim, VECTOR);
    int64_t delay_us = 1 + (int64_t)draw(sim, draw(sim, 4) ? 20000 : 200000);
    struct room {
        struct request_publish publish;
        struct outgoing messages[VECTOR];
        uint64_t numbers[VECTOR];
    } *room = task->memory = sim_alloc(sizeof(*room));

    for (uint32_t i = 0; i < n; i++) {
        room->numbers[i] = message_new(sim, topic, delay_us);
        room->messages[i] = (struct outgoing){.value.body = {&room->numbers[i], sizeof(uint64_t)}};
    }
    task->number = sim->laters->messages_n - n + 1;
    room->publish = (struct request_publish){
        .topic = topic_of(topic), .messages = room->messages, .messages_n = n, .delay_ns = delay_us * 1000};
    task->op.request.publish = room->publish;
    if (draw(sim, 4) == 0)
        deal(task, &room->publish);
    task_start(task);
    return true;
}

/* ---- the store ---- */

static void wrong(struct sim *sim, const struct delayed_message *message, const char *why)
{
    sim_fail(sim, "delayed message %zu, id %llu, due at %lld us, %s",
             (size_t)(message - sim->laters->messages), (unsigned long long)message->id,
             (long long)message->due_us, why);
}

/* Ids may come again behind a restart: it is the one that has not come, if there is one. */
static struct delayed_message *message_of(struct sim *sim, uint64_t id)
{
    struct later_ledger *l = sim->laters;
    struct delayed_message *found = NULL;

    for (uint64_t n = 1; n <= l->messages_n; n++)
        if (l->messages[n].id == id && (!found || found->published))
            found = &l->messages[n];
    if (!found)
        sim_fail(sim, "a delayed message %llu was never stored", (unsigned long long)id);
    return found;
}

static void accepted(struct sim *sim, const struct record *record)
{
    uint64_t number = 0;

    memcpy(&number, record->body.data, sizeof(number));
    struct delayed_message *message = &sim->laters->messages[number];
    if (message->id)
        wrong(sim, message, "is stored twice");
    message->id = record->later.id;
    message->due_us = record->later.due_us;
    message->stored_us = wall_us(sim);
    if (message->due_us < message->asked_us + message->delay_us ||
        message->due_us > wall_us(sim) + message->delay_us + 1)
        wrong(sim, message, "was to come at another time");
}

static bool is_before(const struct delayed_message *a, const struct delayed_message *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->id < b->id;
}

static void came(struct sim *sim, uint64_t id)
{
    struct delayed_message *message = message_of(sim, id);
    const struct later_ledger *l = sim->laters;

    if (!message)
        return;
    if (message->published)
        wrong(sim, message, "comes twice");
    message->published = true;
    for (uint64_t n = 1; n <= l->messages_n && !sim->failed; n++) {
        const struct delayed_message *other = &l->messages[n];

        if (other->id && !other->published && is_before(other, message) &&
            other->stored_us + HEARD_US < message->due_us)
            wrong(sim, other, "is overtaken");
    }
}

void judge_laters_stored(struct sim *sim, const struct list *batches)
{
    const struct batch *batch;
    const struct record *record;

    if (!sim->laters)
        return;
    list_each (batch, batches, link) {
        list_each (record, &batch->records, link) {
            if (record->kind == RECORD_LATER || record->kind == RECORD_LATER_JOINED)
                accepted(sim, record);
            else if (record->kind == RECORD_LATER_DUE)
                came(sim, record->later.id);
            else if (record->kind == RECORD_LATER_GONE)
                sim_fail(sim, "a delayed message is forgotten, and nobody asked for that");
        }
    }
}

void judge_laters_taken(struct sim *sim, const struct list *batches)
{
    const struct batch *batch;
    const struct record *record;

    if (!sim->laters)
        return;
    list_each (batch, batches, link) {
        list_each (record, &batch->records, link) {
            const struct delayed_message *message =
                record->kind == RECORD_LATER_DUE ? message_of(sim, record->later.id) : NULL;

            if (message &&
                (wall_us(sim) < message->due_us || record->later.message.time_us < message->due_us))
                wrong(sim, message, "comes before its time");
        }
    }
}

/* ---- what clients are told ---- */

static bool in_doubt(const struct result *result)
{
    return result->flags & RESULT_DOUBT || result->status == -ECONNRESET || result->status == -ENETRESET;
}

static void judge_accepted(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    bool deals = task->op.request.verb == VERB_TRANSACT;
    const struct request_publish *publish =
        deals ? task->op.request.transact.publishes : &task->op.request.publish;
    int64_t accepted = deals && result->status >= 0 ? (int64_t)publish->messages_n : result->status;

    if (result->status > 0 && result->published && result->published->sequence)
        sim_fail(sim, "a delayed message is told with a sequence");
    for (size_t i = 0; i < publish->messages_n && !in_doubt(result); i++) {
        const struct delayed_message *message = &sim->laters->messages[task->number + i];

        if ((accepted > (int64_t)i) != (message->id > 0))
            wrong(sim, message,
                  accepted > (int64_t)i ? "was accepted, and is not stored" : "was refused, and is stored");
    }
}

static void judge_row(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    const struct later_ledger *l = sim->laters;
    uint64_t messages = 0;

    for (uint64_t n = 1; n <= l->messages_n; n++)
        messages += l->messages[n].topic == task->number && l->messages[n].published;
    if (result->topics_n && (result->topics[0].delayed || result->topics[0].messages != messages))
        sim_fail(sim, "a topic has %llu messages and %llu to come, and not %llu",
                 (unsigned long long)result->topics[0].messages,
                 (unsigned long long)result->topics[0].delayed, (unsigned long long)messages);
}

void later_told(struct task *task, const struct result *result)
{
    if (!task->delayed)
        return;
    if (task->op.request.verb != VERB_TOPIC_INFO)
        judge_accepted(task, result);
    else
        judge_row(task, result);
}

/* ---- the end ---- */

static bool all_came(struct sim *sim, void *context)
{
    const struct later_ledger *l = sim->laters;

    (void)context;
    for (uint64_t n = 1; n <= l->messages_n; n++)
        if (l->messages[n].id && !l->messages[n].published)
            return false;
    return true;
}

void laters_come(struct sim *sim)
{
    if (!sim->laters || !run_until(sim, all_came, NULL, "what was published later"))
        return;
    wait_for(sim, 100 * MS); /* until that is told */
    for (uint32_t topic = 0; topic < LATER_TOPICS && !sim->failed; topic++) {
        struct task *task = later_task(&sim->clients[0], VERB_TOPIC_INFO);

        task->number = topic;
        task->op.request.topic_info.topic = topic_of(topic);
        ask(task);
    }
}
