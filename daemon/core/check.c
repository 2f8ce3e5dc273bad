/* core_check: every invariant of the engine, by its words. Reads everything, so it costs as much as all there is. */
#include <assert.h>

#include "durable.h"
#include "kept.h"

/* What must add up over all objects. */
struct sums {
    uint64_t bytes, delivered, waiters, handles, ops, parked, results, resolved;
};

static size_t list_count(const struct list *head)
{
    const struct list *before = head;
    size_t n = 0;

    for (const struct list *l = head->next; l != head; l = l->next, n++) {
        assert(l->prev == before && l->next->prev == l && "lists are whole");
        before = l;
    }
    return n;
}

/* ---- queues and channels ---- */

static bool eligible(const struct core *core, const struct waiter *w)
{
    struct op *op = w->op;

    if (op_gone(core, op))
        return false;
    if (timer_armed(&op->timer) && op->timer.at_ns <= core->now.mono_ns)
        return false;
    return w->kind == CASE_SEND || !session_full(core, op->scope->session);
}

static void queue_check(const struct channel *c, const struct wait_queue *q)
{
    const struct waiter *w;
    uint64_t ticket = 0;

    assert(list_count(&q->list) == q->count && "a queue knows its length");
    assert((!c->closed || !q->count) && "nobody waits on a closed channel");
    list_each (w, &q->list, link) {
        assert(w->channel == c && w->ticket > ticket && w->ticket > q->spliced && "F1: order of arrival");
        assert((w->op->state == OP_PARKED || w->op->scope->ended) && "only parked operations are in queues");
        ticket = w->ticket;
    }
}

/* B4. */
static void readiness_check(const struct core *core, const struct channel *c)
{
    const struct waiter *r, *s;

    list_each (r, &c->receivers.list, link) {
        if (!eligible(core, r))
            continue;
        assert(!c->length && !c->returned_n && "B4: a parked receiver implies that no value is there");
        list_each (s, &c->senders.list, link)
            assert((c->store_id || c->storing_n || s->op == r->op || !eligible(core, s)) &&
                   "B4: sender and receiver do not both wait");
    }
    list_each (s, &c->senders.list, link)
        if (eligible(core, s))
            assert((c->closing || (!c->store_id && c->storing_n) ||
                    (c->length + c->storing_n >= c->capacity && c->full == FULL_BLOCK)) &&
                   "B4: a free slot implies no parked sender");
}

static void storing_check(const struct channel *c, struct sums *found)
{
    const struct item *item;
    uint64_t batch = 0;

    list_each (item, &c->storing, link) {
        assert(item->channel == c && item->deposit && item->deposit->batch >= batch &&
               list_linked(&item->deposit->link) && "IP12.1: the store has them in their order");
        found->bytes += item->size;
        batch = item->deposit->batch;
    }
    assert(list_count(&c->storing) == c->storing_n && "what the store has is counted");
    assert((!c->store_id || (c->linked && c->capacity)) && "a durable channel has a name and a buffer");
    assert((!c->closing || (list_linked(&c->closings) && !c->closed)) && "a close waits for the store");
}

static void stored_check(const struct channel *c, const struct item *item, struct sums *found)
{
    assert(item->channel == c && !item->sender && !(item->flags & ITEM_ACKED) &&
           "a stored value is nobody's");
    cargo_check(item, false);
    found->bytes += item->size;
}

static void values_check(const struct channel *c, struct sums *found)
{
    const struct item *item;
    uint64_t sequence = 0;

    /* What was received, and the store did not know, comes back beside what took its place (IP12.3). */
    assert(list_count(&c->buffer) == c->length &&
           (c->length + c->storing_n <= c->capacity || c->flags & OPEN_DURABLE) && "B1: capacity");
    assert(list_count(&c->returned) == c->returned_n && "returned values are counted");
    list_each (item, &c->returned, link) {
        assert(item->sequence >= sequence && item->flags & VALUE_FLAGS &&
               "IP3: returned values keep their order");
        stored_check(c, item, found);
        sequence = item->sequence;
    }
    list_each (item, &c->buffer, link) {
        assert(item->sequence >= sequence && (!(item->flags & VALUE_FLAGS) || item->flags & ITEM_TRIES) &&
               "B2: values leave as they entered");
        stored_check(c, item, found);
        sequence = item->sequence;
    }
}

static void flights_check(const struct channel *c, struct sums *found)
{
    const struct handle *handle;

    assert(list_count(&c->flights) == c->flights_n && !list_linked(&c->walk) && "flights are counted");
    list_each (handle, &c->flights, link)
        assert(handle->channel == c && !handle->scope && handle->carrier && "U6: a value carries it");
    found->handles += c->flights_n;
}

static void channels_check(const struct core *core, struct sums *found, struct sums *claimed)
{
    const struct channel *c;

    list_each (c, &core->channel_list, link) {
        queue_check(c, &c->senders);
        queue_check(c, &c->receivers);
        readiness_check(core, c);
        values_check(c, found);
        storing_check(c, found);
        flights_check(c, found);
        claimed->bytes += c->bytes;
        claimed->delivered += c->delivered_n;
        claimed->waiters += c->waiters_n;
        claimed->handles += c->handles_n;
        assert((c->linked || c->handles_n || c->waiters_n || c->delivered_n) && "C9: somebody holds it");
    }
    assert(list_count(&core->channel_list) == core->channels_n && "channels are counted");
}

/* ---- operations ---- */

static void parked_check(const struct core *core, struct op *op, const struct waiter *w)
{
    bool passed = list_linked(&op->entry.out), gone = op_gone(core, op);

    if (op->state == OP_HANDED)
        assert(!passed && "a handed operation waits for nothing but its ACKs");
    if (op->state != OP_PARKED)
        assert(list_linked(&w->link) <= op->granted && "what does not wait is in no queue");
    else if (w->channel && !passed && !gone)
        assert(list_linked(&w->link) && "a parked operation is in each of its queues");
}

static void waiters_check(const struct core *core, struct op *op, struct sums *found)
{
    const struct item *item;

    for (uint32_t i = 0; i < op->waiters_n; i++) {
        const struct waiter *w = &op->waiters[i];

        parked_check(core, op, w);
        found->waiters += w->channel != NULL;
        found->resolved += w->channel && w->channel->closed && list_linked(&w->link);
        list_each (item, &w->unsent, link) {
            assert(item->channel == w->channel && !item->sender && "an unsent value is with its sender");
            cargo_check(item, false);
            found->bytes += item->size;
        }
    }
}

static uint64_t items_check(const struct op *op, struct sums *found)
{
    const struct item *item;
    uint64_t bytes = 0;

    list_each (item, &op->handed, sender_link)
        assert(item->sender == op && !(item->flags & ITEM_ACKED) && "IP2.2: handed and not acknowledged");
    list_each (item, &op->items, link) {
        bytes += item->size;
        if (item->flags & ITEM_ACKED) {
            assert(!item->channel && !item->sender && !item->cargo &&
                   "what is acknowledged has given back everything");
            continue;
        }
        assert(item->channel && "a value stays charged until it is acknowledged");
        cargo_check(item, true);
        found->bytes += item->size;
        found->delivered++;
    }
    return bytes;
}

static void op_check(const struct core *core, struct op *op, struct sums *found)
{
    bool waits = op_waits(op);
    uint64_t bytes = items_check(op, found);

    waiters_check(core, op, found);
    found->ops++;
    found->parked += waits;
    found->results += !waits;
    assert(
        ((op->state != OP_HANDED) == list_empty(&op->handed) || op->state == OP_PARKED || op->scope->ended) &&
        "HANDED: some of its values are out");
    assert((waits || !op->charged) && (!op->timed || waits) && "charges go back with the result");
    assert((waits || op->bytes == bytes + (op->answer ? op->answer->bytes : 0)) && "a result is charged");
    assert((!op->granted || (op->state == OP_COMMITTED && op->status >= 0)) && (!op->firm || op->granted) &&
           "IP1.3: what is granted has succeeded");
    assert(waits == (op->reason != WAIT_NONE || op->state == OP_HANDED) && "every wait has a reason");
    assert(op_find(core, op->scope->session, op->id) == op && "an operation is known by its id");
}

static void scope_check(const struct core *core, const struct scope *scope, struct sums *found)
{
    struct op *op;
    const struct handle *handle;

    list_each (op, &scope->ops, link) {
        assert(op_waits(op) && op->scope == scope && "a scope knows what waits in it");
        op_check(core, op, found);
    }
    list_each (op, &scope->finished, link) {
        assert(!op_waits(op) && op->scope == scope && list_linked(&op->entry.log) && list_empty(&op->items) &&
               "a scope knows its results without values");
        op_check(core, op, found);
    }
    list_each (op, &scope->holding, link) {
        assert(!op_waits(op) && op->scope == scope && list_linked(&op->entry.log) &&
               !list_empty(&op->items) && "a scope knows its results with values");
        op_check(core, op, found);
    }
    list_each (handle, &scope->handles, link) {
        assert(handle->scope == scope && "a scope knows its handles");
        found->handles++;
    }
    assert((!scope->ended || list_linked(&scope->dying)) && "an ended scope waits for the sweep");
}

/* ---- sessions ---- */

static void idset_check(const struct idset *set)
{
    uint64_t after = 0;

    for (size_t i = 0; i < set->gaps; i++) {
        assert(set->gap[i].first > after && set->gap[i].first <= set->gap[i].last && "gaps rise");
        after = set->gap[i].last + 1;
    }
    assert((!set->gaps || after <= set->highest) && "gaps end below the highest");
}

static void window_check(const struct session *session)
{
    const struct entry *entry;
    uint64_t bytes = 0, n = 0;

    list_each (entry, &session->log, log) {
        if (entry->stream) {
            bytes += container_of(entry, struct stream_result, entry)->answer->bytes;
            continue;
        }
        bytes += container_of(entry, struct op, entry)->bytes;
        n++;
    }
    assert(n == session->unacked_n && bytes == session->unacked_bytes && "IP6.2: the window adds up");
}

static void session_check(const struct core *core, const struct session *session)
{
    window_check(session);
    idset_check(&session->seen);
    assert((!session->link_now || session->link_now->session == session) && "one connection, one session");
    assert((!session->ended || !session->link_now) && "an ended session has no connection");
    assert((session->ended || session_full(core, session) || list_empty(&session->passed_over)) &&
           "IP6.2: nobody is passed over below the bound");
}

static void sessions_check(const struct core *core, struct sums *found)
{
    const struct session *session;
    const struct scope *scope;
    struct map_node *n = NULL;

    list_each (session, &core->session_list, link) {
        session_check(core, session);
        if (!session->ended)
            scope_check(core, &session->scope, found);
        for (n = map_walk(&session->scopes, NULL); n; n = map_walk(&session->scopes, n))
            scope_check(core, map_entry(n, struct scope, node), found);
    }
    list_each (scope, &core->dying, dying)
        scope_check(core, scope, found);
}

/* ---- accounts ---- */

static void account_sums(const struct core *core, const struct account *account, uint64_t *used)
{
    const struct session *session;
    const struct channel *c;
    struct map_node *n;

    list_each (session, &core->session_list, link) {
        used[SLOT_SESSIONS] += session->account == account && !session->ended;
        for (n = map_walk(&session->ops, NULL); n; n = map_walk(&session->ops, n)) {
            const struct op *op = map_entry(n, struct op, node);

            used[SLOT_WAITERS] += op->scope->account == account && op->charged;
        }
    }
    list_each (c, &core->channel_list, link) {
        used[SLOT_CHANNELS] += c->account == account && !c->subscription;
        used[SLOT_SUBSCRIPTIONS] += c->account == account && c->subscription;
        used[SLOT_DURABLE] += c->account == account && c->store_id;
    }
    contexts_charged(core, account, used);
    laters_charged(core, account, used);
    lasts_charged(core, account, used);
}

static void accounts_check(const struct core *core)
{
    for (struct map_node *n = map_walk(&core->accounts, NULL); n; n = map_walk(&core->accounts, n)) {
        const struct account *account = map_entry(n, struct account, node);
        uint64_t used[SLOTS] = {0};

        account_sums(core, account, used);
        assert(account->used[SLOT_SESSIONS] == used[SLOT_SESSIONS] && "sessions are charged");
        assert(account->used[SLOT_WAITERS] == used[SLOT_WAITERS] && "parked operations are charged");
        assert(account->used[SLOT_CHANNELS] == used[SLOT_CHANNELS] &&
               account->used[SLOT_DURABLE] == used[SLOT_DURABLE] && "channels are charged");
        assert(account->used[SLOT_SUBSCRIPTIONS] == used[SLOT_SUBSCRIPTIONS] && "subscriptions are charged");
        assert(account->used[SLOT_TOPICS] == kept_charged(core, account) &&
               account->used[SLOT_GROUPS] == groups_charged(core, account) && "kept topics are charged");
        assert(account->used[SLOT_DELAYED] == used[SLOT_DELAYED] &&
               account->used[SLOT_DELAYED_BYTES] == used[SLOT_DELAYED_BYTES] &&
               "delayed messages are charged");
        assert(account->used[SLOT_CONTEXTS] == used[SLOT_CONTEXTS] &&
               account->used[SLOT_DETACHED] == used[SLOT_DETACHED] && "contexts are charged");
        assert(account->used[SLOT_LOCKS] == syncs_charged(core, account) && "sync objects are charged");
        assert(account->used[SLOT_FEEDS] == feeds_charged(core, account) && "feeds are charged");
        assert(account->used[SLOT_SCHEDULES] == schedules_charged(core, account) && "schedules are charged");
        assert(account->used[SLOT_LASTS] == used[SLOT_LASTS] &&
               account->used[SLOT_LAST_BYTES] == used[SLOT_LAST_BYTES] && "last messages are charged");
        assert(account->used[SLOT_HOLDS] == holds_charged(core, account) && "holds are charged");
    }
}

static void held_check(const struct core *core)
{
    const struct op *op;
    uint64_t batch = core->batch_stored;

    list_each (op, &core->held, entry.out) {
        assert(op->held && op->batch >= batch && !core_stored(core, op->batch) &&
               "held results wait in order");
        batch = op->batch;
    }
}

void core_check(const struct core *core)
{
    struct sums found = {0}, claimed = {0};

    timers_check(core);
    channels_check(core, &found, &claimed);
    found.handles += list_count(&core->released);
    sessions_check(core, &found);
    accounts_check(core);
    held_check(core);
    contexts_check(core);
    syncs_check(core);
    topics_check(core);
    kept_check(core);
    groups_check(core);
    assert(found.bytes == claimed.bytes && "every value is charged to its channel");
    assert(found.delivered == claimed.delivered && "channels count what is not acknowledged");
    assert(found.waiters == claimed.waiters && found.handles == claimed.handles &&
           "channels count who holds them");
    assert(found.handles == core->handles.count && "every handle is somewhere");
    assert(found.ops == core->ops_n && found.parked == core->parked_n && found.results == core->results_n &&
           "operations are counted");
    assert(found.resolved == core->resolved_n && list_count(&core->resolved) == core->resolved_n &&
           "what a close has ended is counted");
    jobs_check(core);
}
