/*
 * The ledger of values, and the oracles of IP11 over it. S: sends answered OK; D: in doubt; N: not sent;
 * R: surfaced receives, without those given back.
 *
 *     R is in S or D; R and N share nothing; after the drain all of S is in R
 *     a value surfaces again only flagged, after its session ended with it not acknowledged
 *     unflagged values of one sender on one channel reach a session in the order they were sent (F4)
 *     a value of a durable channel lives on with the next daemon, and may surface once more there, flagged (IP12)
 *     a send on capacity 0 is answered after its receiver's acknowledgement (U2, IP2.2)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "workers.h"

uint64_t session_new(struct sim *sim, uint32_t who, uint64_t peer, struct secret secret)
{
    sim->sessions = realloc(sim->sessions, sizeof(*sim->sessions) * (sim->sessions_n + 2));
    if (!sim->sessions)
        abort();
    sim->sessions[++sim->sessions_n] = (struct sim_session){
        .who = who, .incarnation = sim->daemon.incarnation, .peer = peer, .secret = secret};
    return sim->sessions_n;
}

void judge_gone(struct client *client)
{
    client->sim->sessions[client->session].ended = true;
}

static bool is_durable(const struct sim *sim, const struct entry_value *value)
{
    return sim->slots[value->slot].flags & OPEN_DURABLE;
}

/* ---- sends ---- */

static bool given_back(const struct surface *surface)
{
    return surface->how == SURFACED_RETURNED;
}

static const struct surface *surfaced(const struct entry_value *value)
{
    const struct surface *surface = value->surfaces;

    while (surface && given_back(surface))
        surface = surface->next;
    return surface;
}

static bool acknowledged(const struct entry_value *value)
{
    const struct surface *surface = value->surfaces;

    while (surface && surface->how != SURFACED_ACKED && surface->how != SURFACED_CONFIRMED)
        surface = surface->next;
    return surface;
}

/* `early`: it was cut short, so what was handed over counts as sent (IP2.2). */
static void settle(struct sim *sim, uint64_t id, enum fate fate, bool early)
{
    struct entry_value *value = &sim->values[id];

    if (value->fate != FATE_PENDING)
        return;
    const struct slot *slot = &sim->slots[value->slot];
    bool waits = slot->capacity == 0 && !(slot->flags & OPEN_SYNC_MATCH);
    value->fate = fate;
    sim->sends_ok += fate == FATE_SENT;
    sim->sends_doubt += fate == FATE_DOUBT;
    if (fate == FATE_NOT_SENT && surfaced(value))
        sim_fail(sim, "value %llu was received, its send says it never was sent", (unsigned long long)id);
    if (fate == FATE_SENT && waits && !early && !acknowledged(value))
        sim_fail(sim, "value %llu: SENT on a rendezvous before its receiver's acknowledgement",
                 (unsigned long long)id);
}

/* How many of the values a SEND's result says were taken; a SELECT's, whether this case was. */
static bool was_sent(const struct task *task, const struct result *result, size_t i)
{
    if (task->op.request.verb == VERB_SEND)
        return result->status > (int64_t)i;
    if (task->op.request.verb == VERB_TRANSACT)
        return result->status >= 0;
    return result->status >= 0 && result->index == i;
}

static bool ended_early(const struct task *task, const struct result *result)
{
    return !task->clean || !result ||
           (task->op.request.verb == VERB_SEND && result->status < (int64_t)task->sent_n);
}

/* Without a result nobody knows. */
void judge_sent(struct task *task, const struct result *result)
{
    struct sim *sim = task->client->sim;
    bool early = ended_early(task, result);
    enum fate other = !result || (result->flags & RESULT_DOUBT) ? FATE_DOUBT : FATE_NOT_SENT;

    for (size_t i = 0; i < task->sent_n; i++)
        if (task->sent[i])
            settle(sim, task->sent[i], result && was_sent(task, result, i) ? FATE_SENT : other, early);
}

void judge_killed(struct client *client)
{
    struct task *task;

    list_each (task, &client->tasks, link) {
        judge_sent(task, NULL);
        judge_deal_unknown(task);
    }
}

/* ---- receives ---- */

static uint64_t *last_of(struct sim *sim, uint64_t session, const struct entry_value *value)
{
    struct sim_session *receiver = &sim->sessions[session];
    size_t at = value->session * SLOTS + value->slot;

    if (at >= receiver->last_n) {
        receiver->last = realloc(receiver->last, sizeof(*receiver->last) * (at + 1));
        if (!receiver->last)
            abort();
        memset(&receiver->last[receiver->last_n], 0, sizeof(*receiver->last) * (at + 1 - receiver->last_n));
        receiver->last_n = at + 1;
    }
    return &receiver->last[at];
}

static void check_place(struct task *task, uint64_t id)
{
    struct sim *sim = task->client->sim;
    const struct entry_value *value = &sim->values[id];
    bool select = task->op.request.verb == VERB_SELECT;
    uint32_t slot = select ? task->slots[task->index] : task->slot;
    uint64_t name = select ? task->names[task->index] : task->name;

    if (value->slot != slot || value->name != name)
        sim_fail(sim, "value %llu of channel %u.%llu was received on %u.%llu", (unsigned long long)id,
                 value->slot, (unsigned long long)value->name, slot, (unsigned long long)name);
    if (value->incarnation != sim->sessions[task->session].incarnation && !is_durable(sim, value))
        sim_fail(sim, "value %llu outlived its daemon", (unsigned long long)id);
}

/* Slots whose channels are closed go on under other names; an old one may still be drained. */
static void check_order(struct sim *sim, uint64_t id, uint64_t *last)
{
    uint64_t before = *last ? sim->values[*last].name : 0, name = sim->values[id].name;

    if (id <= *last && name == before)
        sim_fail(sim, "value %llu came after %llu of the same sender", (unsigned long long)id,
                 (unsigned long long)*last);
    if (name >= before)
        *last = id;
}

/* Values have reached the client. Ids rise in the order of sending, so they are the order of F4. */
void judge_arrived(struct task *task)
{
    struct sim *sim = task->client->sim;

    for (size_t i = 0; i < task->got_n && !task->topical; i++) {
        uint64_t id = task->got[i];
        if (id == 0 || id > sim->values_n) {
            sim_fail(sim, "value %llu was never sent", (unsigned long long)id);
            return;
        }
        check_place(task, id);
        /* A select that was undone may go on with a case that it had not taken at first (IP5.2). */
        if (task->got_flags[i] & (VALUE_REDELIVERED | VALUE_RETURNED) || sim->values[id].unordered)
            continue;
        check_order(sim, id, last_of(sim, task->session, &sim->values[id]));
    }
    if (task->op.request.verb == VERB_SUBMIT)
        judge_submitted(task);
    if (task->op.request.verb == VERB_OP_STATUS)
        judge_op_status(task);
    if (task_is_grant(task))
        judge_locked(task);
}

static bool session_over(const struct sim_session *session)
{
    return session->ended || session->over;
}

/* The daemon of that time has died, and a durable value came back with the next one, which may not know what was acknowledged. */
static bool came_back(const struct sim *sim, const struct entry_value *value, const struct surface *before,
                      uint64_t session)
{
    return is_durable(sim, value) &&
           sim->sessions[before->session].incarnation != sim->sessions[session].incarnation;
}

/* What a run held goes back with its scope. */
static bool scope_over(const struct sim *sim, const struct surface *surface)
{
    return surface->run &&
           !core_scope_lives(sim->daemon.core, &sim->sessions[surface->session].secret, surface->run);
}

static void check_repeat(struct sim *sim, uint64_t id, uint32_t flags, uint64_t session)
{
    const struct entry_value *value = &sim->values[id];

    for (const struct surface *before = value->surfaces; before; before = before->next) {
        bool back = given_back(before);
        uint32_t wanted = VALUE_REDELIVERED | (back ? (uint32_t)VALUE_RETURNED : 0);
        if (!(flags & wanted))
            sim_fail(sim, "value %llu surfaces again without a flag", (unsigned long long)id);
        if (sim->slots[value->slot].flags & OPEN_AT_MOST_ONCE && !back)
            sim_fail(sim, "value %llu surfaces again on an at-most-once channel", (unsigned long long)id);
        if (before->how == SURFACED_COMMITTED)
            sim_fail(sim, "value %llu surfaces again after the transaction that acknowledged it",
                     (unsigned long long)id);
        if (came_back(sim, value, before, session))
            continue;
        if (!back && !session_over(&sim->sessions[before->session]) && !scope_over(sim, before))
            sim_fail(sim, "value %llu surfaces again while its session lives", (unsigned long long)id);
        if (before->how == SURFACED_CONFIRMED)
            sim_fail(sim, "value %llu surfaces again after its acknowledgement", (unsigned long long)id);
    }
}

void judge_surfaced(struct task *task, enum surfacing how)
{
    struct sim *sim = task->client->sim;

    for (size_t i = 0; i < task->got_n && !sim->failed && !task->topical; i++) {
        struct entry_value *value = &sim->values[task->got[i]];
        struct surface *surface = sim_alloc(sizeof(*surface));
        sim->surfaced++;
        sim->redelivered += value->surfaces != NULL;
        check_repeat(sim, task->got[i], task->got_flags[i], task->session);
        if (value->fate == FATE_NOT_SENT)
            sim_fail(sim, "value %llu surfaces, its send says it never was sent",
                     (unsigned long long)task->got[i]);
        *surface = (struct surface){.session = task->session,
                                    .run = task->run,
                                    .op = task->op.request.id,
                                    .how = how,
                                    .next = value->surfaces};
        value->surfaces = surface;
    }
}

static void mark(struct task *task, size_t i, enum surfacing from, enum surfacing to)
{
    struct surface *surface = task->topical ? NULL : task->client->sim->values[task->got[i]].surfaces;

    for (; surface; surface = surface->next)
        if (surface->session == task->session && surface->op == task->op.request.id && surface->how == from)
            surface->how = to;
}

/* The first n of a held receive are acknowledged, or all but those given back. */
void judge_settled(struct task *task, uint64_t n, bool give_back)
{
    for (size_t i = task->held_n; i < task->got_n; i++)
        if (i < n)
            mark(task, i, SURFACED_HELD, SURFACED_ACKED);
        else if (give_back)
            mark(task, i, SURFACED_HELD, SURFACED_RETURNED);
}

/* The daemon is known to have seen the acknowledgement, unless its session ended first. */
void judge_confirmed(struct task *task)
{
    bool over = task->client->protocol->state == PROTOCOL_VOID;

    if (over || task->session == 0 || task->client->sim->sessions[task->session].ended)
        return;
    for (size_t i = 0; i < task->got_n; i++)
        mark(task, i, SURFACED_ACKED, SURFACED_CONFIRMED);
}

/* ---- the end ---- */

static bool may_drop(const struct slot *slot)
{
    return slot->flags & OPEN_AT_MOST_ONCE || slot->full != FULL_BLOCK;
}

static void value_end(struct sim *sim, uint64_t id, uint64_t *missing)
{
    struct entry_value *value = &sim->values[id];
    bool received = surfaced(value) != NULL;

    if (value->fate == FATE_PENDING)
        sim_fail(sim, "nobody was told what became of value %llu", (unsigned long long)id);
    if (received && value->fate == FATE_NOT_SENT)
        sim_fail(sim, "value %llu was received and not sent", (unsigned long long)id);
    bool lasts = is_durable(sim, value) && !may_drop(&sim->slots[value->slot]);

    if (received || value->fate != FATE_SENT || (value->incarnation != sim->daemon.incarnation && !lasts))
        return;
    if (may_drop(&sim->slots[value->slot]))
        missing[value->slot]++;
    else
        sim_fail(sim, "value %llu was sent on channel %u.%llu and never received", (unsigned long long)id,
                 value->slot, (unsigned long long)value->name);
}

void judge_values_end(struct sim *sim)
{
    uint64_t missing[SLOTS] = {0};

    for (uint64_t id = 1; id <= sim->values_n && !sim->failed; id++)
        value_end(sim, id, missing);
    for (uint32_t slot = 0; slot < SLOTS && !sim->failed; slot++)
        if (missing[slot] > sim->slots[slot].dropped)
            sim_fail(sim, "channel %u: %llu values are missing, %llu were counted as dropped", slot,
                     (unsigned long long)missing[slot], (unsigned long long)sim->slots[slot].dropped);
}
