/* What the files of the engine share among themselves, and jobs need not know. */
#pragma once

#include "core_internal.h"

void core_seed(struct core *core, uint64_t seed);

/* Root and the daemon's own user: what touches all of the daemon, or what is others', is theirs. */
bool account_owns(const struct core *core, const struct account *account);

/* ---- text.c: words without the C library's I/O ---- */

/* As snprintf; the result is cut to `size` and always ends. Returns the bytes written. */
size_t text_write(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t text_writev(char *to, size_t size, const char *format, va_list arguments);
/* As memcmp; of two of which one begins the other the shorter comes first. */
int name_order(struct bytes a, struct bytes b);

/* ---- idset.c ---- */

bool idset_has(const struct idset *set, uint64_t id);
/* Room for one idset_add. 0, -ENOMEM, -ENOBUFS. */
int idset_reserve(struct core *core, struct idset *set);
void idset_add(struct idset *set, uint64_t id);
/* Everything up to mark counts as used. */
void idset_trim(struct idset *set, uint64_t mark);

/* ---- effect.c ---- */

/* Emits one result for the session's connection. 0 or -ENOMEM: nothing happened. */
int entry_emit(struct core *core, struct entry *entry);
/* A result that no log keeps: a refusal that would be the same again. 0 or -ENOMEM: nothing was said. */
int refuse(struct core *core, uint64_t conn, uint64_t op, int status, uint32_t index, struct bytes text);
/* The head of a frame for a connection: copied. -ENOMEM: nothing happened. */
int reply(struct core *core, uint64_t conn, const struct server_frame *head);
/* Emits what waits in the outbox. False: memory is out, some still waits. */
bool outbox_flush(struct core *core);

/* ---- item.c ---- */

/* One value, charged to channel and account. 0, -ENOMEM, -ENOBUFS, -E2BIG, -EMSGSIZE (not of the element's size). */
int item_new(struct core *core, struct channel *channel, struct account *account, const struct value *value,
             struct item **out);
/* The same of what was within the limits once. NULL: out of memory. */
struct item *item_load(struct core *core, struct channel *channel, struct account *account,
                       struct bytes body);
/* One of a subscription: the letter is its body, and it has a reference to it. NULL: out of memory. */
struct item *item_load_letter(struct core *core, struct channel *channel, struct letter *letter);
struct item *item_ref(struct item *item);
/* Gives one reference back; the last one frees it. It may not be in a list then. */
void item_unref(struct core *core, struct item *item);
/* Gives the charges back. Safe to repeat. May free the channel. */
void item_uncharge(struct core *core, struct item *item);
/* Out of its list, uncharged, unreferenced. */
void item_drop(struct core *core, struct item *item);
void items_discard(struct core *core, struct list *items);

/* ---- cargo.c: channels inside values (U6) ----
 *
 * Most values carry none, and a value passes all of these: that costs no call. */

/* A new value gets the handles it is to carry; `op` is its sender. 0, -ENOENT, -ENETRESET, -EPERM, -E2BIG, -ENOBUFS, -ENOMEM:
 * the item is to be dropped. */
int cargo_load(struct core *core, const struct op *op, struct item *item, const struct value *value);
/* Received: usable in this scope from now on. */
void cargo_lend_each(struct item *item, struct scope *scope);
static inline void cargo_lend(struct item *item, struct scope *scope)
{
    if (item->cargo)
        cargo_lend_each(item, scope);
}
/* Acknowledged: the receiver's for good. */
void cargo_keep_each(struct core *core, struct item *item);
static inline void cargo_keep(struct core *core, struct item *item)
{
    if (item->cargo)
        cargo_keep_each(core, item);
}
/* The value comes back: what waits through its handles ends, and they fly again. */
void cargo_return(struct core *core, struct item *item);
/* The value is dropped. */
void cargo_release_each(struct core *core, struct item *item);
static inline void cargo_release(struct core *core, struct item *item)
{
    if (item->cargo)
        cargo_release_each(core, item);
}
size_t cargo_size(const struct item *item);
static inline size_t cargo_count(const struct item *item)
{
    return item->cargo ? cargo_size(item) : 0;
}
/* Bytes charged to the account beside those of the item. */
size_t cargo_bytes(const struct item *item);
static inline size_t cargo_cost(const struct item *item)
{
    return item->cargo ? cargo_bytes(item) : 0;
}
/* Writes cargo_count of them. */
void cargo_tell(const struct item *item, struct passed *out);
/* Drops what is released, at most `most`. Returns what is left of `most`. */
size_t cargo_sweep(struct core *core, size_t most);
/* True: somebody may still get at it, as far as is known at once; a suspect is looked at again. */
bool channel_reachable(struct core *core, struct channel *c);
/* Looks at the first suspect, however long it takes: passed_max bounds it. */
void suspects_sweep(struct core *core);
void cargo_check(const struct item *item, bool delivered);

/* ---- op.c ---- */

/* A new operation with room for its waiters, known to its session from now on. 0 or -ENOMEM: nothing happened. */
int op_new(struct core *core, struct scope *scope, const struct request *request, struct op **out);
/* Forgets an operation: it is acknowledged or its scope has ended. Its values must have been seen to. */
void op_forget(struct core *core, struct op *op);
struct op *op_find(const struct core *core, const struct session *session, uint64_t id);
/* Deadline, cancel, close or a failed try come first: SENT for whatever was handed over, else `error`. */
void op_stop(struct core *core, struct op *op, int error);
/* A cancel or deadline for an operation that may already be over otherwise. */
void op_interrupt(struct core *core, struct op *op, int error);
/* A cancel: one that waits ends, and a grant that nobody has had is undone (IP1.3). */
void op_cancel(struct core *core, struct op *op);
/* Charges SLOT_WAITERS so that parking cannot fail; over the limit the operation becomes a try that fails with
 * -ENOBUFS. */
void op_may_wait(struct core *core, struct op *op);
/* Parks an operation for which op_may_wait was called. Never fails. */
void op_wait(struct core *core, struct op *op, enum wait_reason reason);
/* All its values are out with receivers that have not acknowledged them (IP2.2). */
void op_hand(struct core *core, struct op *op, uint32_t index);
/* The undo of op_hand. */
void op_unhand(struct core *core, struct op *op);
/* Its deadline and its context end it no more. */
void op_untime(struct core *core, struct op *op);
/* From its ended scope to that of its session. */
void op_adopt(struct core *core, struct op *op);
/* Its deadline has passed; a turn runs so many timers and no more. */
static inline bool op_late(const struct core *core, const struct op *op)
{
    return op->timed && op->timer.at_ns <= core->now.mono_ns;
}
static inline bool op_waits(const struct op *op)
{
    return op->state == OP_PARKED || op->state == OP_HANDED;
}

/* ---- log.c: results until they are acknowledged ---- */

/* The operation has its result: keeps it, and lets it leave when the store has its batch. */
void log_result(struct core *core, struct op *op);
void log_remove(struct core *core, struct op *op);
/* Holds it until the store has its batch, in order of these: what depends on older ones may be finished later. */
void log_hold(struct core *core, struct op *op);
/* Its result carries less than before. */
/* Its result has values, and so many of them from the first on are not all acknowledged, returned or more than there are. */
bool op_holds(const struct op *op, uint64_t count);
void log_recount(struct core *core, struct op *op);
void stream_result_delete(struct core *core, struct stream_result *part);
/* A client acknowledges (or gives back the rest). */
void session_mark(struct core *core, struct session *session, uint64_t mark);
void session_ack(struct core *core, struct session *session, const struct ack *ack);
void session_return(struct core *core, struct session *session, const struct ack *ack);
void session_cancel(struct core *core, struct session *session, uint64_t id);
/* Above the byte bound of IP6.2, or over its handles because of those that came in values: its receivers are passed
 * over. */
bool session_full(const struct core *core, const struct session *session);
/* Below it again: its receivers take their places. */
void session_relieve(struct core *core, struct session *session);
/* Emits again what the client lists. */
void log_resend(struct core *core, struct session *session);

/* ---- session.c, link.c, ended.c ---- */

struct session *session_find(const struct core *core, const struct secret *secret);
void session_free(struct core *core, struct session *session);
void session_touch(struct core *core, struct session *session);
struct link *link_find(const struct core *core, uint64_t conn);
void link_remove(struct core *core, struct link *link);
/* Remembers a session that ends, for OP_STATUS. */
void ended_remember(struct core *core, struct session *session);
bool ended_has(const struct core *core, const struct secret *secret);
void ended_free(struct core *core);

/* ---- scope.c ---- */

void scope_create(struct scope *scope, struct session *session, uint64_t run, struct account *account);
/* Takes away what ended scopes still have, at most `most` pieces. Returns what is left of `most`. */
size_t scopes_sweep(struct core *core, size_t most);

/* ---- channel.c: matching ---- */

bool channel_readable(struct core *core, struct channel *c, const struct op *self);
bool channel_writable(struct core *core, struct channel *c, const struct op *self);
/* Moves up to max values to the operation. How many. */
size_t channel_take(struct core *core, struct channel *c, struct op *op, size_t max);
/* Offers the unsent values of a waiter in order, as many as are taken now. */
void channel_offer(struct core *core, struct channel *c, struct waiter *w);
/* A message enters a subscription, which has room. */
void channel_put(struct channel *c, struct item *item);
/* A value comes back: to the sender that still waits for it, else to the head (IP2.2, IP3). */
void item_return(struct core *core, struct item *item, enum value_flags flag);
/* A receiver has acknowledged it. */
void item_ack(struct core *core, struct item *item);
void channel_close(struct core *core, struct channel *c);
/* Values have come from the store, or have failed to: whoever waits for them, or for their places, goes on. */
void channel_arrived(struct core *core, struct channel *c);
/* Frees a channel that nobody can reach any more. */
void channel_settle(struct core *core, struct channel *c);
/* Nobody can reach it: it is freed, or emptied while values of others like it carry it. */
void channel_forsake(struct core *core, struct channel *c);
void channel_discard(struct core *core, struct channel *c);
/* One that was there before this daemon, with its name. NULL: out of memory. */
struct channel *channel_load(struct core *core, struct account *account,
                             const struct request_chan_open *open);
/* Drops the values that are in it. */
void channel_empty(struct core *core, struct channel *c);

/* ---- wait.c: queues of waiters ---- */

void waiter_create(struct core *core, struct op *op, uint32_t index, enum case_kind kind, struct handle *via);
void waiter_enter(struct core *core, struct waiter *w);
void waiter_leave(struct core *core, struct waiter *w);
struct waiter *receiver_first(struct core *core, struct channel *c, const struct op *self);
struct waiter *sender_first(struct core *core, struct channel *c, const struct op *self);
/* Handles waiters whose channel has closed, at most `most`. Returns what is left of `most`. */
size_t resolved_sweep(struct core *core, size_t most);
/* The waiter of a parked operation whose channel has closed without the operation having noticed; or NULL. */
struct waiter *op_resolved(const struct core *core, struct op *op);
/* Ends an operation because the channel of this waiter has closed. */
void waiter_closed(struct core *core, struct waiter *w);

/* ---- select.c ---- */

/* Takes one ready case, drawn at random. False: none is ready. */
bool cases_try(struct core *core, struct op *op);
/* Puts every waiter that is not there into its queue. */
void cases_enter(struct core *core, struct op *op);
/* The context of this case is over. */
void waiter_context_ended(struct core *core, struct waiter *w);
/* Tests readiness again after an undo or a pass-over and parks again. */
void op_retry(struct core *core, struct op *op);

/* ---- handles (channel_open.c) ---- */

/* 0, -ENOENT, -ENETRESET (of an earlier incarnation), -EPERM. */
int handle_get(const struct core *core, const struct op *op, uint64_t id, uint32_t rights,
               struct handle **out);
/* Gives it back; it flies again while a value carries it. May free the channel. */
void handle_drop(struct core *core, struct handle *handle);
/* A handle of nobody yet; room in core->handles is reserved. */
void handle_init(struct core *core, struct handle *handle, struct channel *c, uint32_t rights);
void handle_enscope(struct handle *handle, struct scope *scope);
/* Out of its scope, if it is in one (cargo.c). */
void handle_unscope(struct handle *handle);
/* Whoever knew its number does not know it any more. */
void handle_renumber(struct core *core, struct handle *handle);
/* What waits through a handle ends with it. */
void handle_interrupt(struct core *core, struct handle *handle);
struct channel *channel_find(const struct core *core, struct bytes name);
/* An anonymous channel for a new subscription; the operation gets a handle for it. 0, -ENOBUFS, -ENOMEM: nothing happened. */
int channel_subscribe(struct core *core, struct op *op, const struct request_chan_open *open,
                      struct subscription *sub);

/* ---- grant.c ---- */

/* Takes back what the operation was granted of a sync object, if anything, as far as its scope has that still. */
void grant_undo(struct core *core, struct op *op);
/* The same for a cancel. False: nothing was granted, or what no cancel undoes. */
bool grant_cancel(struct core *core, struct op *op);
/* What it was granted is its client's from now on, or has been taken back. */
void grant_forget(struct op *op);

/* ---- lock.c ---- */

/* Whatever an ended scope holds passes on. */
void locks_scope_end(struct core *core, struct scope *scope);
/* The session that holds it; NULL: none. */
struct session *lock_holder(const struct sync *lock);
/* Each waiter of each lock that the scope holds. */
void locks_held_each(const struct scope *scope, void (*fn)(struct waiter *w, void *arg), void *arg);

/* ---- sync.c: named sync objects of all kinds ---- */

/* Whatever an ended scope has of them goes back. Locks: locks_scope_end. */
void syncs_scope_end(struct core *core, struct scope *scope);
/* A waiter has left the queue of its object, if it was in one. May free the object. */
void sync_waiter_left(struct core *core, struct waiter *w);
struct bytes sync_name(const struct sync *sync);
/* Whether the scope has all that this gives back. */
bool sync_is_held(const struct core *core, const struct scope *scope, const struct request_sync_give *what);
/* What it is, for people. */
const char *sync_word(const struct sync *sync);
void syncs_free(struct core *core);
void syncs_check(const struct core *core);
/* How many of them, and of holds, this account pays for: for core_check. */
uint64_t syncs_charged(const struct core *core, const struct account *account);
uint64_t holds_charged(const struct core *core, const struct account *account);

/* ---- context.c, context_bonds.c ---- */

/* Ties a new operation to the context it names, when it may wait. 0; how that context has ended; -ENOENT, -EPERM,
 * -ENETRESET (words are said), -ENOMEM. */
int op_bind(struct core *core, struct op *op, uint64_t id);
/* The context of this bond is over, although its operation may not have been told yet. */
bool bond_over(const struct core *core, const struct bond *bond);
/* CASE_CTX. 1: it is over; 0: not yet; -ENOENT, -EPERM, -ENETRESET. */
int context_case_ready(struct core *core, const struct op *op, uint64_t id);
/* The list of those that watch it. It has not ended. */
struct list *context_case_waiters(struct core *core, uint64_t id);
/* What the result of that case tells; NULL: memory is out, or the context is gone. */
struct answer *context_case_answer(struct core *core, uint64_t id);
/* Whatever an ended scope owns ends. O(1), safe to repeat: its word says so at once. */
void contexts_scope_end(struct core *core, struct scope *scope);
/* Ends the first context whose scope has ended. False: there is none. */
bool contexts_orphan(struct core *core);
void contexts_init(struct core *core);
/* Each turn sweeps so much and no more. */
void contexts_turn(struct core *core);
/* Carries ends on, as far as this turn may. */
enum sweep_left { SWEEP_NOTHING, SWEEP_NOW, SWEEP_LATER };
void contexts_sweep(struct core *core);
/* LATER: memory is out. */
enum sweep_left contexts_left(const struct core *core);
void contexts_free(struct core *core);
void contexts_check(const struct core *core);
/* Adds what this account has in use. */
void contexts_charged(const struct core *core, const struct account *account, uint64_t *used);

/* ---- commit.c ---- */

/* As core_record, for records, one or more, that the store keeps all or none of. The first one says whether they are an admission. 0:
 * they are the caller's. */
uint64_t core_record_all(struct core *core, struct list *records);
void commit_stored(struct core *core, const struct input *in);
void commit_fetched(struct core *core, const struct input *in);
/* No answer comes any more: whoever keeps something for one lets go of it. After the sessions have ended. */
void commit_end(struct core *core);
/* Hands the batch of this step over. */
void commit_step(struct core *core);
/* It is of this step, and the last one so far. */
bool batch_is_open(const struct core *core, uint64_t batch);
void fetch_forget(struct core *core, struct op *op);

/* ---- inputs ---- */

void input_session_up(struct core *core, const struct input *in);
void input_session_end(struct core *core, const struct input *in);
void input_frame(struct core *core, const struct input *in);
void input_op(struct core *core, const struct input *in);
void input_conn_end(struct core *core, const struct input *in);

/* ---- dispatch.c ---- */

void op_arrive(struct core *core, struct session *session, uint64_t conn, const struct request *request);

/* Why it may not, in words. */
enum { RIGHT_REFUSAL_BYTES = 512 };
struct bytes right_refusal(const struct account *account, const struct request *request,
                           const struct right_want *want, char words[RIGHT_REFUSAL_BYTES]);

/* Row of the verb table; 0 for an unknown verb. */
uint32_t verb_flags(enum verb verb);
bool verb_known(enum verb verb);
/* UNTIL_AT, UNTIL_IN: on our clock. */
int64_t request_deadline(const struct core *core, const struct request *request);
