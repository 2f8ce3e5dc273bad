/* What is asked of kept topics when the work is over and nothing else happens to them: exact answers. */
#include "keeps.h"

#include <errno.h>
#include <string.h>

#include "drain.h"
#include "schedules.h"

enum { FEW = 8 /* not less than a block that any rule made */, END_ROOM = 16, LEFT = 3, ONCE = KEEP_IDS };

static struct client *asker(struct sim *sim)
{
    return &sim->clients[0];
}

/* Its answer must be this. */
static void expect(struct task *task, const char *what, int32_t status)
{
    struct sim *sim = task->client->sim;
    struct reply reply = ask(task);

    if (!sim->failed && reply.status != status)
        sim_fail(sim, "%s gives %d, not %d", what, reply.status, status);
}

static void leave_all(struct sim *sim)
{
    struct keep_ledger *k = sim->keeps;

    for (uint64_t number = 1; number <= k->subs_n && !sim->failed; number++) {
        const struct keep_sub *sub = &k->subs[number];
        struct client *client = &sim->clients[sub->who];

        if (sub->known && !sub->closed && sub->session == client->session)
            ask(keep_drop(client, number));
    }
}

static void set(struct sim *sim, uint32_t topic, const char *text)
{
    struct task *task = keep_task(asker(sim), VERB_TOPIC_SET);

    task->op.request.topic_set =
        (struct request_topic_set){.pattern = keep_name(topic), .settings = {text, strlen(text)}};
    expect(task, "a rule", 0);
}

static void look(struct sim *sim)
{
    for (uint32_t topic = 0; topic < KEEP_TOPICS && !sim->failed; topic++) {
        struct task *task = keep_task(asker(sim), VERB_TOPIC_INFO);

        task->op.request.topic_info.topic = keep_name(topic);
        expect(task, "TOPIC_INFO", 0);
    }
}

/* ---- reading ---- */

static void replay(struct sim *sim, uint32_t from)
{
    struct task *task = keep_subscribe(asker(sim), 0, from);
    uint64_t number = task->number;
    struct reply reply = ask(task);

    if (!sim->failed && reply.status < 0)
        sim_fail(sim, "a subscription that begins in the past gives %d", reply.status);
    while (!sim->failed && reply.status >= 0) {
        task = keep_receive(asker(sim), number, END_ROOM);
        task->op.deadline_ns = sim->now_ns + 200 * MS;
        reply = ask(task);
    }
    if (!sim->failed)
        judge_keep_replayed(sim, number);
    if (!sim->failed)
        ask(keep_drop(asker(sim), number));
}

static void replay_all(struct sim *sim)
{
    for (uint32_t from = FROM_START; from <= FROM_LAST && !sim->failed; from++)
        replay(sim, from);
}

/* ---- purges ---- */

static void purge(struct sim *sim, uint32_t topic, uint64_t up_to, uint64_t keep)
{
    uint64_t before = keep_count(sim, topic);
    bool there = sim->keeps->topic[topic].life;
    struct reply reply = ask(keep_purge(asker(sim), topic, up_to, keep));
    uint64_t left = keep_count(sim, topic), gone = before - left;

    if (!sim->failed && reply.status != (there ? 0 : -ENOENT))
        sim_fail(sim, "a purge gives %d", reply.status);
    if (!sim->failed && there && reply.handle != gone)
        sim_fail(sim, "a purge took %llu messages, and says %llu", (unsigned long long)gone,
                 (unsigned long long)reply.handle);
    if (!sim->failed && keep && left != (before < keep ? before : keep))
        sim_fail(sim, "a purge that leaves %llu of %llu messages left %llu", (unsigned long long)keep,
                 (unsigned long long)before, (unsigned long long)left);
}

static void purge_all(struct sim *sim)
{
    for (uint32_t topic = 0; topic < KEEP_TOPICS && !sim->failed; topic++) {
        uint64_t last = keep_last(sim, topic);

        purge(sim, topic, 0, keep_count(sim, topic) / 2 + 1);
        if (!sim->failed)
            purge(sim, topic, last > LEFT ? last - LEFT : 0, 0);
    }
}

/* ---- ids ---- */

/* A message with an id, once more at once, and once more when its time is over. */
static void publish_once(struct sim *sim, uint64_t more)
{
    uint64_t before = keep_count(sim, KEEP_ALL);

    expect(keep_publish(asker(sim), KEEP_ALL, 1, ONCE), "a message with an id", 1);
    if (!sim->failed && keep_count(sim, KEEP_ALL) != before + more)
        sim_fail(sim, "a message with an id makes %llu of %llu messages",
                 (unsigned long long)keep_count(sim, KEEP_ALL), (unsigned long long)before);
}

/* ---- the end of a topic ---- */

static void remove_one(struct sim *sim, uint32_t topic)
{
    uint64_t before = keep_count(sim, topic);
    bool there = sim->keeps->topic[topic].life;
    struct reply reply = ask(keep_remove(asker(sim), topic));

    if (!sim->failed && (reply.status != (there ? 0 : -ENOENT) || (there && reply.handle != before)))
        sim_fail(sim, "the removal of a topic with %llu messages gives %d, %llu", (unsigned long long)before,
                 reply.status, (unsigned long long)reply.handle);
}

/* It is another one then: it has had no message, and knows no id. */
static void publish_anew(struct sim *sim)
{
    struct task *task = keep_publish(asker(sim), KEEP_ALL, 1, ONCE);
    struct keep_message *message = &sim->keeps->messages[task->number];

    message->expects = task->op.request.publish.expects = true;
    expect(task, "the first message of a topic", 1);
    if (!sim->failed && !message->life)
        sim_fail(sim, "the first message of a topic was there before");
}

/* Without a rule that says so it is not kept, and what there is stays. */
static void publish_unkept(struct sim *sim)
{
    uint64_t before = keep_count(sim, KEEP_ALL);
    struct task *live = keep_publish(asker(sim), KEEP_ALL, 1, 0);

    live->topical = false; /* it is none that is judged */
    set(sim, KEEP_ALL, "durable=no");
    if (!sim->failed)
        expect(live, "a message that is not kept", 1);
    if (!sim->failed && keep_count(sim, KEEP_ALL) != before)
        sim_fail(sim, "a message is kept, and no rule says so");
}

void keeps_restart(struct sim *sim)
{
    if (sim->keeps && sim->seed / 3 % 2 && sim->daemon.up)
        daemon_crash(sim);
}

void keeps_end(struct sim *sim)
{
    static void (*const deeds[])(struct sim *) = {
        judge_keep_bounds, look, replay_all, purge_all, look, replay_all, publish_unkept};

    if (!sim->keeps)
        return;
    leave_all(sim);
    sim->keeps->few = sim->keeps->least = FEW;
    if (!sim->failed)
        set(sim, KEEP_FEW, "keep_messages=8");
    if (!sim->failed)
        publish_once(sim, 1);
    if (!sim->failed)
        publish_once(sim, 0);
    if (!sim->failed)
        wait_for(sim, 1300 * MS);
    if (!sim->failed &&
        !sim_is_long(sim)) /* whose clock may be back in what was, when the id was remembered */
        publish_once(sim, 1);
    for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds) && !sim->failed; i++)
        deeds[i](sim);
    for (uint32_t topic = 0; topic < KEEP_TOPICS && !sim->failed; topic++)
        remove_one(sim, topic);
    if (!sim->failed)
        set(sim, KEEP_ALL, "durable=");
    if (!sim->failed)
        publish_anew(sim);
}
