/*
 * Durable channels: their values survive the daemon (IP12).
 *
 * A value that is sent goes to the store first, in channel->storing, and enters the buffer when the store has it: so no
 * receiver sees what might not have happened, and a store that is full fails the send alone. It counts in the capacity
 * from the beginning. Its sender is HANDED until then: the store is past being cancelled. The order in storing, of the
 * store's batches and of the sequence is the same.
 * A value is in the store until its acknowledgement. Of what was received in between the store knows only a mark, the
 * largest sequence that may have been seen: a result with a value leaves when the mark covers it. After a restart what
 * lies below the mark comes back flagged, ahead of the rest, or, at most once, not at all. Where a receiver waits
 * already, the mark travels with the value.
 * A close takes effect when it is stored, as the values before it do.
 *
 * Everything that is said to the store at a moment when nothing may fail is a note made before.
 * Invariants: core->deposits is in order of batches, as is core->closings; a value in storing has a deposit in
 * core->deposits; a channel that is durable has a name; a channel without store_id says nothing to the store.
 */
#include "durable.h"
#include "kept.h"

#include <assert.h>
#include <errno.h>

enum { DEPOSIT_BYTES = 512 }; /* memory of a value beside it, about: empty ones are charged, too */

/* ---- the channel ---- */

static struct channel_row row_of(const struct channel *c)
{
    return (struct channel_row){
        .id = c->store_id,
        .capacity = c->capacity,
        .value_bytes_max = c->value_bytes_max,
        .element_bytes = c->element_bytes,
        .seen = c->seen,
        .flags = c->flags & (OPEN_DURABLE | OPEN_AT_MOST_ONCE),
        .uid = c->account->uid,
        .closed = c->closed,
        .name = {c->text, c->name_size},
        .tag = {c->text + c->name_size, c->tag_size},
    };
}

/* Says something of its row. 0, -ENOMEM. */
static int say(struct core *core, struct op *op, struct channel *c, enum record_kind kind,
               const struct channel_row *row)
{
    struct note *note = note_new(core, record_new_channel(kind, row));

    if (!note)
        return -ENOMEM;
    c->batch = note_write(core, note);
    op_depends(op, c->batch);
    return 0;
}

int durable_check(struct core *core, struct op *op, const struct request_chan_open *open)
{
    const char *fault = NULL;

    if (!(open->flags & OPEN_DURABLE) || !(open->flags & OPEN_CREATE))
        return 0;
    if (!open->name.size)
        fault = "a durable channel needs a name";
    else if (!open->capacity)
        fault = "a durable channel needs a capacity of at least 1";
    else if (open->full != FULL_BLOCK)
        fault = "a durable channel drops nothing when it is full";
    else if (open->flags & OPEN_OWNER_CLOSES)
        fault = "a durable channel outlives its owner, whose end cannot close it";
    if (fault)
        op_fail(core, op, -EINVAL, "%s", fault);
    return fault ? -EINVAL : 0;
}

int durable_make(struct core *core, struct op *op, struct channel *c)
{
    int r = account_charge(core, c->account, SLOT_DURABLE, 1);

    if (r < 0)
        return r;
    c->store_id = core->store_last + 1;
    struct channel_row row = row_of(c);
    r = say(core, op, c, RECORD_CHANNEL, &row);
    if (r < 0)
        durable_forget(core, c);
    else
        core->store_last++;
    return r;
}

int durable_close(struct core *core, struct op *op, struct channel *c)
{
    struct channel_row row = row_of(c);

    row.closed = true;
    int r = say(core, op, c, RECORD_CHANNEL, &row);
    if (r < 0)
        return r;
    c->closing = c->batch;
    list_append(&core->closings, &c->closings);
    return 0;
}

int durable_end(struct core *core, struct op *op, struct channel *c)
{
    struct channel_row row = row_of(c);
    int r = say(core, op, c, RECORD_CHANNEL_GONE, &row);

    if (r == 0)
        durable_forget(core, c);
    return r;
}

void durable_forget(struct core *core, struct channel *c)
{
    if (c->store_id)
        account_release(c->account, SLOT_DURABLE, 1);
    c->store_id = 0;
}

/* ---- sending ---- */

static struct note *value_note(struct core *core, const struct item *item, enum record_kind kind,
                               struct bytes body)
{
    struct value_row row = {
        .channel = item->channel->store_id, .sequence = item->sequence, .uid = item->account->uid};

    return note_new(core, record_new_value(kind, &row, body));
}

static uint64_t deposit_cost(const struct item *item)
{
    return DEPOSIT_BYTES + item->size;
}

/* Charges beyond any limit. */
static int deposit_new(struct core *core, struct item *item)
{
    struct deposit *deposit = core_take(core, sizeof(*deposit));

    if (!deposit)
        return -ENOMEM;
    list_init(&deposit->link);
    deposit->item = item;
    deposit->leave = value_note(core, item, RECORD_VALUE_GONE, (struct bytes){0});
    if (!deposit->leave) {
        core_give(core, deposit, sizeof(*deposit));
        return -ENOMEM;
    }
    item->deposit = deposit;
    item->account->used[SLOT_DURABLE_BYTES] += deposit_cost(item);
    return 0;
}

int durable_prepare(struct core *core, struct item *item, const struct value *value)
{
    if (value->handles_n)
        return -EINVAL;
    if (!account_has_room(core, item->account, SLOT_DURABLE_BYTES, deposit_cost(item)))
        return -ENOBUFS;
    int r = deposit_new(core, item);
    if (r < 0)
        return r;
    item->deposit->enter = value_note(core, item, RECORD_VALUE, (struct bytes){item->data, item->size});
    return item->deposit->enter ? 0 : -ENOMEM;
}

void durable_is_news(struct item *item)
{
    item->deposit->enter->record->kind = RECORD_VALUE_JOINED;
}

void durable_uncharge(struct core *core, struct item *item)
{
    struct deposit *deposit = item->deposit;

    if (!deposit)
        return;
    account_release(item->account, SLOT_DURABLE_BYTES, deposit_cost(item));
    list_remove(&deposit->link);
    note_delete(core, deposit->enter);
    note_delete(core, deposit->leave);
    core_give(core, deposit, sizeof(*deposit));
    item->deposit = NULL;
}

void durable_enter(struct core *core, struct channel *c, struct item *item)
{
    struct deposit *deposit = item->deposit;
    struct value_row *row = &deposit->enter->record->value;

    if (c->receivers.count && !(c->flags & OPEN_AT_MOST_ONCE))
        item->flags |= ITEM_SEEN;
    row->sequence = item->sequence;
    row->seen = item->flags & ITEM_SEEN;
    deposit->batch = note_write(core, deposit->enter);
    deposit->enter = NULL;
    list_append(&core->deposits, &deposit->link);
    list_append(&c->storing, &item->link);
    c->storing_n++;
}

/* ---- receiving ---- */

_Static_assert(sizeof(struct group_row) <= sizeof(struct channel_row),
               "a note of a channel becomes one of a group");

int durable_expect(struct core *core, struct op *op, const struct channel *c)
{
    struct channel_row row = {.id = c->store_id};

    if ((!c->store_id && !member_marks(c)) || op->note)
        return 0;
    op->note = note_new(core, record_new_channel(RECORD_CHANNEL_SEEN, &row));
    return op->note ? 0 : -ENOMEM;
}

static bool mark_covers(const struct channel *c, const struct op *op)
{
    const struct item *item;

    list_each (item, &op->items, link)
        if (item->sequence > c->seen && !(item->flags & ITEM_SEEN))
            return false;
    return true;
}

void durable_received(struct core *core, struct channel *c, struct op *op)
{
    if (!c->store_id)
        return;
    if (!mark_covers(c, op)) {
        c->seen = container_of(op->items.prev, struct item, link)->sequence;
        op->note->record->channel.id = c->store_id;
        op->note->record->channel.seen = c->seen;
        c->batch = note_write(core, op->note);
        op->note = NULL;
    }
    op_depends(op, c->batch);
}

void durable_leave(struct core *core, struct item *item)
{
    struct deposit *deposit = item->deposit;

    if (!deposit || !deposit->batch || !item->channel->store_id)
        return;
    deposit->leave->record->value.sequence = item->sequence;
    note_write(core, deposit->leave);
    deposit->leave = NULL;
}

bool op_storing(const struct op *op)
{
    const struct item *item = list_first(&op->handed, struct item, sender_link);

    return item && item->deposit && list_linked(&item->deposit->link);
}

/* ---- the store's word ---- */

/* What the store said of one of its values; with the last of them it ends. */
static void tell_sender(struct core *core, struct item *item, int error)
{
    struct op *op = item->sender;

    if (!op)
        return;
    list_remove(&item->sender_link);
    item->sender = NULL;
    if (error)
        op->refused = op->refused ? op->refused : error;
    else if (op->refused)
        op->flags |= RESULT_DOUBT; /* behind one that was refused, and sent all the same */
    else
        op->sent++;
    if (op->scope->ended)
        return;
    if (op->state == OP_HANDED && list_empty(&op->handed))
        op_finish(core, op, op->sent ? (int32_t)op->sent : op->refused);
    else if (op->refused)
        op_stop(core, op, error);
}

static void deposit_stored(struct core *core, struct channel *c, struct item *item, int error)
{
    list_remove(&item->deposit->link);
    list_remove(&item->link);
    c->storing_n--;
    tell_sender(core, item, error);
    if (error) {
        c->sent--;
        item_drop(core, item);
    } else {
        list_append(&c->buffer, &item->link);
        c->length++;
    }
}

static bool is_due(const struct core *core, const struct deposit *deposit)
{
    return deposit && core_stored(core, deposit->batch);
}

void durable_stored(struct core *core, uint64_t last, int error)
{
    struct deposit *deposit = list_first(&core->deposits, struct deposit, link);
    struct channel *c, *after;

    while (is_due(core, deposit)) {
        c = deposit->item->channel;
        c->delivered_n++; /* keeps it: its sender may have been the last to have it */
        deposit_stored(core, c, deposit->item, error);
        deposit = list_first(&core->deposits, struct deposit, link);
        if (!is_due(core, deposit) || deposit->item->channel != c)
            channel_arrived(core, c);
        c->delivered_n--;
        channel_settle(core, c);
        deposit = list_first(&core->deposits, struct deposit, link);
    }
    list_each_safe (c, after, &core->closings, closings) {
        if (c->closing > last)
            break;
        assert(!c->storing_n && "what was sent before the close was stored before it");
        list_remove(&c->closings);
        c->closing = 0;
        channel_close(core, c);
    }
}

/* ---- loading ---- */

static struct channel *load_find(struct core *core, uint64_t id)
{
    struct channel *c = core->loading;

    if (c && c->store_id == id)
        return c;
    list_each (c, &core->channel_list, link)
        if (c->store_id == id)
            return core->loading = c;
    return NULL;
}

int core_load_channel(struct core *core, const struct channel_row *row, const char **why)
{
    const struct request_chan_open open = {
        .name = row->name,
        .capacity = row->capacity,
        .value_bytes_max = row->value_bytes_max,
        .element_bytes = row->element_bytes,
        .type_tag = row->tag,
        .flags = row->flags,
    };

    *why = "its row cannot be that of a channel";
    if (name_check(row->name) < 0 || !row->capacity || !row->id || channel_find(core, row->name))
        return -EINVAL;
    *why = "out of memory";
    struct account *account = account_get(core, row->uid);
    struct channel *c = account ? channel_load(core, account, &open) : NULL;
    account_drop(core, account);
    if (!c)
        return -ENOMEM;
    c->account->used[SLOT_DURABLE]++; /* it was within the limit when it was made */
    c->store_id = row->id;
    c->closed = row->closed;
    c->seen = c->sequence = row->seen;
    core->store_last = row->id > core->store_last ? row->id : core->store_last;
    return 0;
}

/* The sequence of the last value that was loaded; 0: none is there. */
static uint64_t load_last(const struct channel *c)
{
    const struct list *values = c->length ? &c->buffer : &c->returned;

    return list_empty(values) ? 0 : container_of(values->prev, struct item, link)->sequence;
}

/* It may have been received before the daemon ended. */
static void load_seen(struct core *core, struct channel *c, struct item *item)
{
    list_remove(&item->link);
    if (c->flags & OPEN_AT_MOST_ONCE) {
        c->dropped++;
        durable_leave(core, item);
        return item_drop(core, item);
    }
    item->flags |= VALUE_REDELIVERED;
    list_append(&c->returned, &item->link);
    c->returned_n++;
}

int core_load_value(struct core *core, const struct value_row *row, struct bytes body, const char **why)
{
    struct channel *c = load_find(core, row->channel);
    struct item *item, *after;

    *why = "it is of no channel, or not behind the one before it";
    if (!c || row->sequence <= load_last(c))
        return -EINVAL;
    *why = "out of memory";
    struct account *account = account_get(core, row->uid);
    item = account ? item_load(core, c, account, body) : NULL;
    account_drop(core, account);
    if (!item)
        return -ENOMEM;
    item->sequence = row->sequence;
    if (deposit_new(core, item) < 0) {
        item_drop(core, item);
        return -ENOMEM;
    }
    item->deposit->batch = UINT64_MAX; /* it is there; no report comes */
    c->sequence = row->sequence > c->sequence ? row->sequence : c->sequence;
    list_append(&c->buffer, &item->link);
    c->length++;
    if (row->sequence > c->seen && !row->seen)
        return 0;
    list_each_safe (item, after, &c->buffer, link)
        load_seen(core, c, item);
    c->length = 0;
    return 0;
}
