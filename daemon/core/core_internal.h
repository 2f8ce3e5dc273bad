/*
 * What the files of the core share: the structs of sessions, operations and channels, and who may change
 * them.
 *
 * Words: an `op` is one operation of a session, a `waiter` is the place of one of its cases in a queue, an
 * `item` is one value, an `answer` is the payload of a result that carries more than values.
 * Order in every handler: check, reserve (may fail), change (cannot fail).
 */
#pragma once

#include <stdarg.h>

#include "core.h"
#include "map.h"
#include "plant.h"
#include "rights.h"
#include "timer.h"

/* ---- accounts: who pays ---------------------------------------------------------------------------- */

enum account_slot {
    SLOT_SESSIONS,
    SLOT_WAITERS,
    SLOT_CHANNELS,
    SLOT_PASSED,
    SLOT_BYTES,
    SLOT_JOBS,
    SLOT_SCHEDULES,
    SLOT_LOCKS,
    SLOT_CONTEXTS,
    SLOT_DETACHED,
    SLOT_HOLDS,
    SLOT_DURABLE,
    SLOT_DURABLE_BYTES,
    SLOT_SUBSCRIPTIONS,
    SLOT_TOPICS,
    SLOT_GROUPS,
    SLOT_DELAYED,
    SLOT_DELAYED_BYTES,
    SLOT_LASTS,
    SLOT_LAST_BYTES,
    SLOT_FEEDS,
    SLOTS
};

/* One per uid or key. Lives while anything refers to it; whatever is charged says so in itself. */
struct account {
    struct map_node node;
    uint32_t uid;                     /* or number of a key (identity.h) */
    char key[KEY_NAME_BYTES_MAX + 1]; /* "" until a session of that key has told it */
    uint64_t refs;
    uint64_t used[SLOTS];
    struct publish *greeting; /* of it, in topics->queue: those behind it wait in `greeters` (topic_last.h) */
    struct list greeters;     /* struct publish */
};

/* ---- answers and items ----------------------------------------------------------------------------- */

/* A result with all its strings in one piece of memory. Shared by the log and by effects under way. */
struct answer {
    uint32_t refs;
    size_t bytes; /* of the payload, for the window */
    struct result result;
};

enum item_mark {
    VALUE_FLAGS = VALUE_REDELIVERED | VALUE_RETURNED,
    VALUE_TOLD = VALUE_FLAGS | VALUE_LAST,
    ITEM_ACKED = 1 << 8,    /* its receiver has acknowledged it; stays for a repeated result */
    ITEM_TRIES = 1 << 10,   /* of a member of a group: `index` is how often it was given */
    ITEM_SETTLED = 1 << 11, /* the same: what becomes of it says nothing any more */
    ITEM_SEEN = 1 << 9,     /* durable: the store has been told with it that it may have been received */
};

/*
 * One value. It is at each moment in exactly one list: unsent of its sender's waiter, storing, buffer or returned of
 * its channel, or items of the operation that received it. Charged to channel and account until acknowledged.
 */
struct item {
    struct list link;
    struct list sender_link; /* in sender->handed */
    struct op *sender;       /* HANDED: who is told SENT when it is acknowledged, or stored; else NULL */
    struct channel *channel; /* NULL once not charged any more */
    struct account *account;
    struct cargo *cargo;     /* channels it carries (cargo.c), or NULL; gone with the acknowledgement */
    struct deposit *deposit; /* what goes to the store about it (durable.c), or NULL; likewise */
    struct letter *letter;   /* of a subscription: its body and more (letter.h); or NULL */
    uint64_t sequence;       /* order in which it entered the channel; 0: not yet */
    uint32_t refs;           /* its list, and effects under way */
    uint32_t flags;          /* enum value_flags, enum item_mark */
    uint32_t index;          /* in its vector; of a subscription: messages lost before it */
    uint32_t size;
    uint8_t data[];
};

/* ---- sessions, scopes ------------------------------------------------------------------------------ */

/* What owns handles, operations and jobs (IP0). When it ends, IP4 applies to all of it in that step. */
struct scope {
    struct map_node node; /* of session->scopes, by run; run 0 is in the session itself */
    struct session *session;
    struct account *account; /* pays: the job's submitter, or the session's user */
    uint64_t run;
    bool ended;             /* its word: whoever meets one of its waiters passes over it */
    struct list ops;        /* PARKED and HANDED, in order of arrival */
    struct list finished;   /* COMMITTED and ABORTED, without values */
    struct list holding;    /* COMMITTED with values received, in order of finishing: they go back first */
    struct list handles;    /* struct handle */
    struct list channels;   /* owner-closes */
    struct list locks;      /* struct lock it holds */
    struct list contexts;   /* struct context, until it ends */
    struct list holds;      /* struct hold: what it has of other sync objects, or waits for */
    struct list jobs;       /* of part jobs: struct job, not detached */
    struct list recordings; /* of part jobs: struct recording */
    struct list dying;      /* in core->dying once ended */
    size_t contexts_n;      /* that name it as their owner, also after its end */
    void *job;              /* of part jobs: the job whose run it is */
};

/* Ids a session has used, as the highest and the gaps below it. */
struct idset {
    uint64_t highest;
    struct id_gap {
        uint64_t first, last;
    } * gap; /* rising, never touching */
    size_t gaps, size;
};

enum { PROGRAM_BYTES = 32 };

struct session {
    struct map_node node; /* of core->sessions, by secret */
    struct secret secret;
    uint64_t number;           /* public */
    struct map_node peer_node; /* of core->peers, by peer */
    uint64_t peer;
    struct list link; /* of core->session_list, in order of number */
    struct credentials who;
    struct account *account;
    uint64_t host;               /* of EFFECT_HOST_START; 0: a plain client */
    void *host_part;             /* of part jobs */
    char program[PROGRAM_BYTES]; /* as HELLO said it, for people; cut, with its end */
    bool same_clock;             /* deadlines may be absolute */
    bool ended;
    bool lease;
    struct timer lease_timer; /* tcp: silence ends it */
    struct link *link_now;    /* the connection bound to it, or NULL */
    uint64_t attempt;         /* of the HELLO or RESUME that bound it */
    struct map ops;           /* by op id: everything not forgotten */
    struct idset seen;        /* ids that were used: acknowledged unless in `ops` */
    uint64_t ack_mark;
    uint64_t send_refused; /* largest id of a send that was turned away (F4, dispatch.c) */
    struct list log;       /* struct entry: results not acknowledged, in order */
    size_t unacked_n;      /* operations with a result in the log, or held for the store */
    uint64_t unacked_bytes;
    struct list passed_over; /* struct op by entry.out: receivers waiting for the byte bound (IP6.2) */
    struct map scopes;       /* by run, without run 0 */
    struct scope scope;      /* run 0 */
    size_t handles_n;
    uint32_t
        callers; /* its word: so many of it can act, and wait in operations that BLOCK; 0: it has not said */
    struct proof_session {
        struct list link;       /* of those that were found awake, until seen to */
        struct session *leader; /* of its group, or one nearer to that */
        uint32_t waits, stuck;  /* its operations that wait, and of them those that nobody can end */
        bool awake;             /* somebody of it may act */
        bool named;             /* of the leader: a newcomer could end a wait of the group, by name */
    } proof;                    /* of the last report, and for it alone (proof.c) */
    size_t scopes_n;            /* not yet taken apart; the session goes with the last */
};

/* One connection bound to one session. An unbound connection has no link. */
struct link {
    struct map_node node; /* of core->links, by conn */
    uint64_t conn;
    struct session *session;
    uint64_t next_in;  /* number of the next frame */
    uint64_t ops_left; /* of the frame that came last */
    bool dropping;     /* that frame is a repeat: its operations are dropped */
    bool bye;          /* ends the session when they are done */
};

/* ---- operations ------------------------------------------------------------------------------------ */

/* PARKED leaves to exactly one of COMMITTED and ABORTED; only HANDED goes back (IP0). See op.c for the table.
 */
enum op_phase { OP_NEW, OP_PARKED, OP_HANDED, OP_COMMITTED, OP_ABORTED, OP_ACKED, OP_STATES };

/* Why a parked operation waits; dumps and core_check use it. */
enum wait_reason {
    WAIT_NONE,
    WAIT_CHAN_SEND,
    WAIT_CHAN_RECV,
    WAIT_SELECT,
    WAIT_JOB,
    WAIT_FETCH,
    WAIT_PLUGIN,
    WAIT_STREAM,
    WAIT_LOCK,
    WAIT_CONTEXT,
    WAIT_SYNC,
    WAIT_HOST,
    WAIT_DRAIN,
    WAIT_QUEUE,
    WAIT_PURGE,
    WAIT_SCHEDULE,
    WAIT_WORK,
    WAIT_RUN,
    WAIT_PUBLISH,
    WAIT_TURN,
    WAIT_REASONS
};

/* A result in the log of a session: that of an operation, or one of a standing operation's stream. */
struct entry {
    struct list log; /* of session->log */
    struct list
        out; /* of core->outbox while it waits to be emitted (also session->passed_over, core->held) */
    bool stream;
};

/* One case in one queue. Linked while it waits; keeps its ticket through an undo (IP5.2). */
struct waiter {
    struct list link;
    struct op *op;
    struct channel *channel; /* CASE_SEND, CASE_RECV */
    union {
        struct handle *via; /* CASE_SEND, CASE_RECV: while channel is set */
        uint64_t object;    /* CASE_JOB: job id; CASE_CTX: context id */
        struct sync *sync;  /* WAIT_LOCK, WAIT_SYNC */
        void *job;          /* WAIT_QUEUE, WAIT_WORK: of part jobs */
    };
    uint64_t ticket;    /* place in the order of arrival (F1); WAIT_SYNC: what it wants of the object */
    struct list unsent; /* CASE_SEND: items not yet handed over */
    uint32_t index;     /* of the case */
    uint32_t max;       /* CASE_RECV: values wanted */
    uint8_t kind;       /* enum case_kind */
    bool recovers;      /* LOCK_RECOVER, TAKE_RECOVER */
};

struct op {
    struct entry entry;
    struct map_node node; /* of session->ops */
    struct list link;     /* of scope->ops or scope->finished */
    uint64_t id;
    struct scope *scope;
    struct timer timer;      /* its deadline */
    struct list items;       /* values received */
    struct list handed;      /* HANDED: items out with receivers, or with the store, by sender_link */
    struct note *note;       /* receives from a durable channel: what that tells the store; or NULL */
    struct answer *answer;   /* or NULL: status, flags, index, handle say all */
    struct fetching *fetch;  /* WAIT_FETCH */
    struct stream *stream;   /* standing operations */
    struct bond *bond;       /* to the context that ends it, while it may wait; or NULL */
    struct publish *publish; /* WAIT_PUBLISH, WAIT_TURN (topic.h) */
    uint64_t handle;         /* of the result: channel handle or job id */
    uint64_t batch;          /* the result leaves when the store has this batch; 0: at once */
    uint64_t bytes;          /* charged to the session's window */
    uint64_t job;            /* of part jobs: the job it waits for or changes */
    int64_t since_ns;        /* it waits, monotonic */
    int32_t status;
    uint32_t flags; /* enum result_flags */
    uint32_t index; /* SELECT: the case */
    uint32_t doubt; /* SELECT with DOUBT: the send case, + 1 */
    uint32_t sent;  /* SEND: values whose fate is settled as sent */
    int32_t
        refused; /* SEND: what the store said of a value that it did not take, negative errno; 0: nothing */
    uint32_t waiters_n;
    uint8_t state;  /* enum op_phase; only op_move writes it */
    uint8_t reason; /* enum wait_reason */
    uint8_t verb;   /* enum verb */
    bool charged;   /* a place in SLOT_WAITERS */
    bool held;      /* finished, waits for the store in core->held */
    bool try;       /* UNTIL_NOW: judged once */
    bool timed;     /* a place in the timer heap is reserved */
    bool crowded;   /* over the limit of waiters: a try that fails with -ENOBUFS */
    bool listed;    /* in the list of the RESUME that is being answered */
    bool left;      /* its result was given to a connection at least once */
    bool blocks;    /* OP_BLOCKS */
    bool granted;   /* its result gives something of a sync object (grant.c) */
    bool firm;      /* the same, and a cancel does not undo it */
    bool stuck;     /* of the last report: nobody can end it (proof.c) */
    struct waiter waiters[];
};

/* A numbered result of a standing operation. */
struct stream_result {
    struct entry entry;
    struct list link; /* of stream->results */
    struct op *op;
    uint64_t number;
    struct answer *answer;
};

struct stream {
    struct list results; /* not acknowledged, by number */
    uint64_t next;
};

/* ---- channels -------------------------------------------------------------------------------------- */

struct handle {
    struct map_node node; /* of core->handles */
    struct list link;     /* of scope->handles, channel->flights or core->released (cargo.c) */
    uint64_t id;
    struct scope *scope; /* NULL: nobody's, in a value or released */
    struct channel *channel;
    struct item *carrier; /* the value it came or goes with, until that is acknowledged; or NULL */
    uint32_t rights;
    uint32_t waiters_n; /* of operations that came through it: they end with it */
    bool dead;          /* freed with the last of these: their scope has ended */
};

/* A queue of waiters in order of ticket. */
struct wait_queue {
    struct list list;
    size_t count;
    uint64_t spliced; /* waiters with a ticket up to here went to core->resolved when the channel closed */
};

/* See channel.c for its invariants. */
struct channel {
    struct map_node node; /* of core->channels, by name */
    struct list link;     /* of core->channel_list */
    struct list owner;    /* of scope->channels (owner-closes) */
    struct account *account;
    uint64_t capacity, value_bytes_max, element_bytes;
    uint32_t flags; /* enum open_flags */
    uint32_t full;  /* enum full_policy */
    bool closed, linked;
    struct list buffer, returned; /* struct item */
    uint64_t length, returned_n;
    struct list storing; /* struct item: durable, the store has not reported on them; behind the buffer */
    uint64_t storing_n;
    struct list closings; /* of core->closings */
    uint64_t closing; /* durable: the batch that closes it; nobody sends any more. 0: none, or it is closed */
    uint64_t store_id; /* durable: its number there; 0: it is not, or not any more */
    uint64_t seen;     /* durable: the store knows that values up to this sequence may have been received */
    uint64_t batch;    /* durable: the last one that changed its row: what tells of that waits for it */
    uint64_t delivered_n; /* items received and not acknowledged: they keep the channel */
    uint64_t waiters_n;   /* waiters that may (again) wait here, queued or not */
    uint64_t handles_n;   /* with those in values */
    struct list flights;  /* struct handle: those in values that nobody has received */
    uint64_t flights_n;
    struct list walk;    /* while channel_reachable looks */
    struct list suspect; /* of core->suspects */
    uint64_t bytes;      /* of all items charged to it */
    struct wait_queue senders, receivers;
    uint64_t sequence;
    uint64_t sent, received, dropped;
    struct subscription *subscription; /* PUBLISH fills it (topic.h); or NULL */
    struct proof_channel {
        struct session
            *ender[2];   /* one that has a handle to end a receive, or a send, here; NULL: nobody has */
        bool several[2]; /* others have one, too */
        bool awake[2];   /* one of those may act */
        bool waited[2];  /* somebody sleeps here */
    } proof;             /* of the last report, and for it alone (proof.c) */
    uint8_t name_size, tag_size;
    char text[]; /* name, then type tag */
};

/* ---- the core -------------------------------------------------------------------------------------- */

typedef void fetch_done(struct core *core, struct op *op, void *context, const struct input *in);

/* A fetch under way. */
struct fetching {
    struct map_node node; /* of core->fetches, by number */
    uint64_t number;
    fetch_done *done;
    struct op *op; /* NULL: none, or it has ended meanwhile */
    void *context;
};

enum core_counter {
    COUNT_OPS,
    COUNT_RESENT,
    COUNT_REFUSED,
    COUNT_SESSIONS,
    COUNT_REDELIVERED,
    COUNT_STEPS,
    COUNTERS
};

enum { KEPT_STEP = 64, KEPT_SIZES = 16 };

/* See context.c. */
struct contexts {
    struct map by_id, by_name;
    struct list ended;   /* struct context: its end is still to be told below it and to those that watch it */
    struct list told;    /* that done; operations and jobs are still to be ended */
    struct list orphans; /* their scope has ended */
    uint64_t last;       /* sequence of ids */
    size_t left;         /* of what this turn may still sweep */
    bool stalled;        /* memory is out: the sweep goes on later */
};

struct core {
    struct limits limits;
    struct allocator memory;
    struct kept *kept[KEPT_SIZES]; /* by size, in steps of KEPT_STEP: free records for core_take */
    size_t kept_bytes;
    uint64_t node, incarnation;
    uint64_t hash_key[2], random[4];
    bool clock_moves;                                              /* CLOCK_ADVANCE is allowed */
    void (*tell_stats)(void *shell, core_say *say, void *context); /* of the shell; NULL: it counts nothing */
    void *shell;
    uint32_t owner;              /* the user of the daemon: he and root see what all others have */
    const struct rights *rights; /* borrowed; NULL: everybody may everything */
    struct now now;              /* of this step */
    struct effects *out;         /* of this step; NULL before the first one */
    struct list early;           /* effects from before that */
    struct timers timers;
    struct contexts contexts;
    struct map syncs, holds;
    size_t syncs_n[SYNC_KINDS]; /* by kind */
    struct map accounts, sessions, peers, links, handles, channels, fetches, ended;
    struct list session_list, channel_list;
    size_t channels_n;
    uint64_t ticket, sync_sequence, handle_sequence, session_sequence, fetch_sequence;
    struct list outbox;      /* struct entry: results to emit at the end of the step */
    struct list held;        /* struct op by entry.out: results that wait for the store, by batch */
    struct list resolved;    /* struct waiter: their channel has closed */
    struct list released;    /* struct handle, nobody's: to be dropped */
    struct list walked;      /* struct channel by `walk`, while channel_reachable looks */
    struct list suspects;    /* struct channel: perhaps in a ring too large for one look */
    struct list dying;       /* struct scope, ended: operations and handles still to be taken away */
    struct list ended_list;  /* struct ended */
    struct list deposits;    /* struct deposit, by batch: values under way to the store */
    struct list closings;    /* struct channel, by batch */
    uint64_t store_last;     /* number of the last durable channel */
    struct channel *loading; /* to which the last loaded value belongs */
    size_t ops_n, parked_n, resolved_n, results_n;
    size_t sweep_left, timers_left;    /* what may still be swept, and fired, before the next IN_TICK */
    struct batch *batch;               /* of this step, or NULL */
    uint64_t batch_last, batch_stored; /* numbers: the last one made, the last one reported */
    uint64_t counters[COUNTERS];
    struct topics *topics;           /* topic.h */
    struct kept_topics *kept_topics; /* kept.h */
    struct jobs *jobs;
};

/* ---- memory and small tools (memory.c, core.c) ------------------------------------------------------ */

/* Zeroed. NULL: out of memory. */
void *core_alloc(struct core *core, size_t size);
void *core_resize(struct core *core, void *p, size_t size);
/* Accepts NULL. */
void core_free(struct core *core, void *p);
/* The same for records that come and go with every operation: what is given back is kept for the next one of its size. */
void *core_take(struct core *core, size_t size);
void core_give(struct core *core, void *p, size_t size);
/* Frees what is kept. */
void core_keep_nothing(struct core *core);
/* Keyed: nobody outside can choose colliding keys. */
uint64_t core_hash(const struct core *core, const void *data, size_t size);
uint64_t core_hash_number(const struct core *core, uint64_t number);
/* Uniform in 0..below-1, from the seed. */
uint64_t core_draw(struct core *core, uint64_t below);
/* One line of key=value; lost when memory is out. */
void core_log(struct core *core, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Appends an effect with `extra` bytes of room for effect_text. NULL: out of memory, nothing happened. */
struct effect *effect_new(struct core *core, enum effect_kind kind, size_t extra);
/* Copies bytes into the room of an effect. */
struct bytes effect_text(struct effect *effect, struct bytes from);

static inline int64_t time_after(int64_t at_ns, int64_t ns)
{
    int64_t sum;
    return __builtin_add_overflow(at_ns, ns, &sum) ? INT64_MAX : sum;
}

/* ---- accounts (account.c) --------------------------------------------------------------------------- */

/* Takes a reference. NULL: out of memory. */
struct account *account_get(struct core *core, uint32_t uid);
struct account *account_ref(struct account *account);
/* Accepts NULL; returns NULL. */
struct account *account_drop(struct core *core, struct account *account);
/* Whether so much may be charged. */
bool account_has_room(const struct core *core, const struct account *account, enum account_slot slot,
                      uint64_t n);
/* 0 or -ENOBUFS: over the limit of that slot, nothing charged. */
int account_charge(struct core *core, struct account *account, enum account_slot slot, uint64_t n);
void account_release(struct account *account, enum account_slot slot, uint64_t n);
/* One unit of `*from` is that of `to` from now on, even above its limit: it keeps what is charged. May free `*from`. */
void account_move(struct core *core, struct account **from, struct account *to, enum account_slot slot);
/* Whether it has this right. Root and the daemon's own user have every right. */
bool account_may(const struct core *core, const struct account *account, const struct right_want *want);
/* What it may have of a channel of that name, of what is asked for (enum right; 0: all). */
uint32_t account_rights(const struct core *core, const struct account *account, struct bytes name,
                        uint32_t asked);
/* Who that is, for people: "uid:1000", "key:mailer". Returns the bytes written. */
size_t account_words(const struct account *account, char *to, size_t size);

/* ---- answers (answer.c) ---- */

/* Copies a result with its strings, without values. NULL: out of memory. */
struct answer *answer_new(struct core *core, const struct result *from);
struct answer *answer_ref(struct answer *answer);
/* Accepts NULL; returns NULL. */
struct answer *answer_drop(struct core *core, struct answer *answer);

/* ---- operations (op.c) ------------------------------------------------------------------------------ */

/* Gives an operation its one result: `status`, and whatever flags, index, handle, items and answer were set
 * on it before. Leaves every queue. Never fails. It may be gone (acknowledged) only later. */
void op_finish(struct core *core, struct op *op, int32_t status);
/* The same with a payload, which is copied. -ENOMEM: not finished. op->handle and so on come from `result`.
 */
int op_answer(struct core *core, struct op *op, const struct result *result);
/* The same, failing, with words for a person (left out when memory is out). */
void op_fail(struct core *core, struct op *op, int32_t status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Parks a new operation: charges SLOT_WAITERS, arms its deadline. 0; -EAGAIN for a try; -ENOBUFS. On failure
 * nothing happened. Queues are the business of the caller, before or after. */
int op_park(struct core *core, struct op *op, enum wait_reason reason);
/* Its result may leave only when this batch is durable. Before op_finish. */
static inline void op_depends(struct op *op, uint64_t batch)
{
    op->batch = op->batch < batch ? batch : op->batch;
}
/* Already over although still linked somewhere: its scope ended, its channel closed, its context is over.
 * Whoever could match with it asks first. */
bool op_gone(const struct core *core, struct op *op);

/* Standing operations: op_stream before the first push; one parks with WAIT_STREAM. 0 or -ENOMEM. */
int op_stream(struct core *core, struct op *op);
/* One more numbered result. `result` is copied; op and number are filled in. 0 or -ENOMEM: nothing happened.
 */
int session_stream_push(struct core *core, struct op *op, const struct result *result);

/* ---- sessions and scopes (session.c, scope.c) ------------------------------------------------------- */

/* The scope of a run in a session; its operations are accepted from now on. `account` pays. NULL: out of
 * memory. */
struct scope *scope_new(struct core *core, struct session *session, uint64_t run, struct account *account);
/* NULL: ended or never there. Run 0 is the session's own. */
struct scope *scope_find(const struct core *core, const struct session *session, uint64_t run);
/* IP4 for everything it owns or holds. Run 0 only by the end of its session. */
void scope_end(struct core *core, struct scope *scope);
/* `error` says why: -ECONNRESET, -ENOBUFS; 0 after BYE. */
void session_end(struct core *core, struct session *session, int error);

/* ---- the store (commit.c) --------------------------------------------------------------------------- */

/* Appends a record to the batch of this step. The number of that batch, which objects remember; 0: out of
 * memory, nothing happened. */
uint64_t core_record(struct core *core, enum record_kind kind, const struct job_row *row, struct bytes body);
/* A record made beforehand, so that writing it cannot fail. May be changed until then, but for its strings. */
struct note {
    struct record *record;
    struct batch *batch; /* its own, for when none of the step fits */
};
/* Takes the record, which may be NULL (out of memory). NULL: out of memory, the record is gone. */
struct note *note_new(struct core *core, struct record *record);
/* Accepts NULL; returns NULL. */
struct note *note_delete(struct core *core, struct note *note);
/* Takes the note, as core_record. The number of the batch. */
uint64_t note_write(struct core *core, struct note *note);
/* The same for a record of a schedule, or of a job that a schedule makes. */
uint64_t core_record_of(struct core *core, enum record_kind kind, const struct job_row *row,
                        const struct schedule_row *schedule, struct bytes body);
static inline bool core_stored(const struct core *core, uint64_t batch)
{
    return batch <= core->batch_stored;
}
/* Asks the store; `done` is called with the answer, with op NULL when that has ended meanwhile. With an op,
 * parks it (WAIT_FETCH) when it is new. 0, -ENOMEM, or as op_park: nothing happened. */
int core_fetch(struct core *core, const struct fetch *what, fetch_done *done, struct op *op, void *context);
/* Forgets the fetches that have this context and no op: its owner goes. */
void core_fetch_forget(struct core *core, const void *context);

/* ---- contexts (context_bonds.c) ---------------------------------------------------------------------- */

/* Ties a job to the context of the operation that submits it, which has one: jobs_context_ended is called when that ends,
 * unless bond_drop was before. NULL: out of memory. */
struct bond *bond_job(struct core *core, const struct op *op, void *job);
/* The id of its context. */
uint64_t bond_context(const struct bond *bond);
/* Accepts NULL; returns NULL. */
struct bond *bond_drop(struct core *core, struct bond *bond);

/* ---- waiting for jobs (select.c) -------------------------------------------------------------------- */

/* A job has ended and is durable up to `batch`: every select case on this list takes effect or leaves. */
void waiters_job_ended(struct core *core, struct list *waiters, uint64_t batch);

#include "jobs.h"
