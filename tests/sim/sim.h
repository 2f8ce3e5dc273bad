/*
 * The simulator's parts and what they share. sim.c says what it is for and how to use it.
 *
 * One thread, one clock that only events move, one source of chance. Nothing here may look at real time, at
 * an address, or at anything else that differs between two runs of one seed.
 */
#pragma once

#include "core.h"
#include "faults.h"
#include "protocol.h"
#include "store.h"
#include "wire.h"

enum {
    CLIENTS = 4,
    HOST_SLOTS = 6, /* processes of hosts at once: two generations, some of them dying while others start */
    ACTORS = CLIENTS + HOST_SLOTS,
    STRANGER = ACTORS, /* who keeps no rule of the protocol; never alive (mistakes.c) */
    SLOTS = 12,        /* kinds of channels in use at once */
    LOOSE = 4,         /* channels without a name that one client knows */
    LOCKS = 5,         /* named locks */
    COND_LOCK = 3,     /* from this one on conditions are bound to them */
    UNITS = 3,         /* of a named semaphore */
    OPS_MAX = 8,       /* operations of one client under way */
    GENERATIONS = 3,   /* of plugins: the last one replaces the first */
    RESULT_BYTES = 64, /* that the result of a job may have */
    RETAINED = 4,      /* ended jobs that are kept, in one seed of four */
};

#define US 1000LL
#define MS 1000000LL
#define S  1000000000LL

struct sim;

/* ---- chance ---- */

uint64_t roll(struct sim *sim);
uint64_t below(struct sim *sim, uint64_t n);
/* True n times in `of`. */
bool chance(struct sim *sim, uint64_t n, uint64_t of);
/* Evenly in from..to. */
int64_t between(struct sim *sim, int64_t from, int64_t to);

/* ---- events ---- */

enum event_kind {
    EVENT_TO_DAEMON,   /* a: connection, data: packet */
    EVENT_TO_CLIENT,   /* a: connection, data: packet */
    EVENT_CONN_LOST,   /* the daemon hears of it; a: connection */
    EVENT_GREETING,    /* who, a: life, b: peer; the client learns its session */
    EVENT_CONNECT,     /* who, a: life */
    EVENT_LIFELINE,    /* who, a: life: the client opens one */
    EVENT_PEER_END,    /* the daemon hears that a client died; a: peer */
    EVENT_FAREWELL,    /* the client hears that its session ended; who, a: life, b: peer */
    EVENT_ACT,         /* who, a: life: the client does something */
    EVENT_CLIENT_TICK, /* who, a: life, b: due */
    EVENT_CORE_TICK,   /* a: incarnation, b: due */
    EVENT_COMMIT,      /* a: incarnation */
    EVENT_FETCHED,     /* a: incarnation, data: struct fetch_job */
    EVENT_PLUGIN,      /* a: incarnation, data: path */
    EVENT_ZONE,        /* a: incarnation, data: name */
    EVENT_HOST_UP,     /* a: incarnation, b: host */
    EVENT_HOST_KILL,   /* b: host, who: signal */
    EVENT_HOST_END,    /* the daemon hears; a: incarnation, b: host, who: signal, data: run that is guilty */
    EVENT_FAULT,
    EVENT_DAEMON_START,
    EVENT_RUN,     /* a run of a job does its next thing; who: slot, a: life, b: run */
    EVENT_NOTHING, /* time passes */
    EVENT_KINDS
};

struct event {
    int64_t at_ns;
    uint64_t order; /* of scheduling: decides among equals */
    enum event_kind kind;
    uint32_t who;
    uint64_t a, b;
    void *data; /* owned, plain memory */
};

/* ---- network ---- */

struct conn {
    uint32_t who;
    uint64_t life;
    uint64_t session;    /* of the client when it was opened */
    int32_t pid;         /* whose frames come on it */
    bool open;           /* frames still go through */
    uint64_t out_number; /* of the daemon's frames */
    int64_t last_ns[2];  /* arrival of the last frame of each direction: connections keep order */
};

/* ---- the ledger of values ---- */

enum fate { FATE_PENDING, FATE_SENT, FATE_DOUBT, FATE_NOT_SENT };

/* COMMITTED: acknowledged in a transaction, and that is on disk. */
enum surfacing { SURFACED_HELD, SURFACED_ACKED, SURFACED_CONFIRMED, SURFACED_COMMITTED, SURFACED_RETURNED };

struct surface {
    uint64_t session, run, op;
    enum surfacing how;
    struct surface *next;
};

struct entry_value {
    uint32_t slot;
    uint64_t name; /* generation of the slot's name */
    uint64_t session, incarnation;
    enum fate fate;
    bool unordered;  /* of a select or a transaction: it may take effect later than what was begun after it */
    uint64_t loaded; /* the last incarnation that found it in its store */
    struct surface *surfaces;
};

/* One life of one session, as the simulator counts them. */
struct sim_session {
    uint32_t who;
    uint64_t incarnation, peer;
    struct secret secret;
    bool ended; /* as its client knows */
    bool over;  /* as the daemon said */
    /* The last unflagged value of each sender by (slot): FIFO per sender (F4). */
    uint64_t *last; /* [session * SLOTS + slot], grown on demand */
    size_t last_n;
};

/* ---- the ledger of jobs ---- */

/* What the plugin function of a job does; the first byte of its argument. */
enum deed {
    DEED_OK = 'o',
    DEED_FAIL = 'f',
    DEED_PANIC = 'p',
    DEED_CRASH = 'c',
    DEED_WAIT = 'w',
    DEED_HANG = 'h',
    DEED_SEND = 's',
    DEED_RETURN = 'r',
    DEED_LOCK = 'l',   /* takes a lock and unlocks it */
    DEED_KEEP = 'k',   /* takes one and ends with it */
    DEED_BIG = 'b',    /* its result is larger than it may be */
    DEED_OBJECT = 'y', /* takes part in named objects, and ends with what it has not given back */
    DEED_DEAL = 't'    /* ends in a transaction */
};

struct entry_job {
    uint64_t id;
    bool known;     /* its submit was acknowledged */
    uint64_t run;   /* the last that was offered */
    uint64_t *runs; /* all of them */
    size_t runs_n;
    uint64_t done_run;    /* the last whose DONE was accepted */
    bool done;            /* it was accepted as a success */
    uint32_t state;       /* terminal, as seen in an acknowledged answer; 0: not yet */
    bool succeeded;       /* some run said so */
    bool cancelled;       /* somebody asked for it */
    bool again;           /* it has lived more than once */
    uint64_t context;     /* that must end it, too; 0: none */
    uint64_t incarnation; /* of that */
};

/* A submit, known by the operation that asked for it. */
struct entry_submit {
    uint64_t session, op;
    uint64_t job; /* 0: not known */
    bool never;   /* OP_STATUS said that it did not happen */
};

/* A lock that a client was told it has, and has not given up. */
struct held {
    uint64_t session, run;
    uint32_t lock;
    uint64_t token;
    bool died;     /* GRANT_OWNER_DIED */
    bool surfaced; /* the call has returned */
};

/* A context as clients were told. */
struct sim_context {
    uint64_t id, parent;
    bool ends_with;                 /* its parent's end is its end, too */
    bool over;                      /* somebody was told so */
    uint64_t number;                /* the value that it binds; 0: none */
    int64_t earliest_ns, latest_ns; /* between these its deadline comes */
    int32_t status, code;           /* of its end, when somebody was told */
    uint64_t origin;
};

struct slot {
    uint64_t capacity;
    uint32_t flags, full;
    bool closable;    /* clients close it; the next one has a new name */
    uint64_t name;    /* generation */
    uint64_t dropped; /* values, as the daemon counted at the end */
};

/* ---- processes ---- */

struct client {
    struct sim *sim;
    uint32_t who;
    uint64_t life;
    bool alive;
    bool leaving;
    bool greeted; /* the protocol has its session */
    struct protocol *protocol;
    uint64_t conn;     /* 0: none */
    uint64_t session;  /* index into sim->sessions; 0: none */
    uint64_t peer;     /* of its lifeline; 0: none */
    struct list tasks; /* struct task, all */
    size_t tasks_n, next_task;
    struct {
        uint64_t handle, name;
    } handle[SLOTS];
    uint64_t loose[LOOSE]; /* handles of channels without a name, made here or received in values (loose.c) */
    int64_t tick_ns;       /* of the tick that is scheduled */
    /* hosts only */
    uint64_t host; /* of EFFECT_HOST_START; 0: a plain client */
    uint32_t generation;
    bool draining, reserved;
    struct list runs; /* struct run; of any client that is a worker, too */
};

/* A run of a job in a host, or at a worker. */
struct run {
    struct list link;
    uint64_t job, run;
    enum deed deed;
    uint32_t stage;
    bool cancelled, ending;
    bool dealt;       /* its transaction has been asked for */
    uint64_t handle;  /* of its own channel */
    uint64_t session; /* of the worker that was given it */
};

/* What an operation about a run met. */
enum fence {
    FENCE_UNKNOWN,
    FENCE_OTHER, /* the run was not that of its job any more */
    FENCE_OWN,   /* it was, and that of this session */
};

/* One operation of a client, from start to release. */
struct task {
    struct protocol_op op;
    struct list link;
    struct client *client;
    uint32_t slot; /* LOCK, UNLOCK: the lock */
    uint64_t name, incarnation, session;
    bool finished, surfaced, dropped; /* dropped: abandoned */
    bool mistaken; /* an UNLOCK with a token that is not this client's; of topics: must be refused */
    bool cancelled;
    bool clean;          /* no deadline, no cancel: IP2.2's exception does not apply */
    bool scripted;       /* of the drain: nobody but it looks at the result */
    bool ignored;        /* nobody looks at the result */
    bool topical;        /* of topics (topics.c): what it receives are messages */
    bool delayed;        /* of messages that are published later (laters.c) */
    bool blocks;         /* whoever waits for it does nothing else */
    size_t proven;       /* waits that were told to be so */
    uint64_t group;      /* of the last one of these, */
    bool one_group;      /* and of all */
    bool answered;       /* its result has left the daemon once */
    uint64_t drain_ends; /* DRAIN: as in sim->drain when the core took it */
    bool while_drained;  /* the core took it when the daemon was drained; of a run: and no job ran */
    int64_t came_us;     /* JOB_RETRY of one job: when the core took it, wall clock */
    uint64_t version;    /* of the settings of all queues when the core took it */
    size_t settings;     /* QUEUE_SET, QUEUE_PAUSE: number of those that it made */
    uint64_t last_run;   /* STARTED, DONE, TRANSACT: that was offered of its job when the core took it */
    enum fence fence;    /* about a run: whose it was then */
    bool of_deal;        /* of a run that ends in a transaction: what it receives is held until then */
    uint64_t deal;       /* TRANSACT: its number; RECV: that of the one that acknowledges it */
    uint64_t run;        /* hosts: the run that did it */
    uint64_t context;    /* that it names, or asks about */
    bool context_over;   /* it or one above it, as somebody had been told when it began */
    int64_t started_ns;
    uint64_t number; /* CTX_NEW: the value that it binds; of topics: the subscription, or the first message */
    int32_t status;
    uint32_t flags, index;
    uint64_t handle;
    uint64_t *got;    /* ids of the values received */
    uint64_t carried; /* a handle that came in one of them */
    uint32_t *got_flags;
    size_t got_n;
    uint64_t held_n; /* settled so far */
    uint64_t *sent;  /* ids of the values to send, by value or by case (0: not a send) */
    size_t sent_n;
    uint32_t *slots; /* SELECT: by case */
    uint64_t *names;
    char *text;   /* names and arguments of the request */
    void *memory; /* values or cases of the request */
    uint32_t job_state;
    uint64_t chan_dropped;
};

/* ---- the daemon ---- */

struct daemon {
    bool up;
    struct core *core;
    struct effects effects;
    uint64_t incarnation;
    int64_t tick_ns;
    struct list pending; /* batches not yet in a commit */
    struct list group;   /* batches of the commit under way */
    bool committing, drained;
    struct store *store;
};

struct sim_memory {
    uint64_t blocks;
    uint64_t bytes;
    bool short_of;         /* one allocation of `one_in` fails */
    uint64_t one_in, dice; /* chance of its own, so that a failure changes nothing else */
    uint64_t refused;
};

struct sim {
    uint64_t seed, dice;
    int64_t now_ns;
    uint64_t hash; /* of the log of events */
    uint64_t steps, steps_max;
    bool verbose;
    bool faults_on, working, failed;
    bool leased;   /* one client has no lifeline: silence ends its session */
    bool crowded;  /* limits of objects are small */
    bool blinded;  /* it looks at a few objects only for a report */
    bool forgets;  /* the daemon keeps a few ended jobs only */
    bool owned;    /* its clients are of the daemon's own user */
    bool calling;  /* half of all that is done with objects are calls through a breaker; most fail */
    bool replaced; /* the first plugin, by another one */
    struct event *heap;
    size_t heap_n, heap_size;
    uint64_t order;

    struct conn *conns; /* by number */
    size_t conns_n;
    uint64_t peers, *peer_session; /* by peer: index of its session */
    struct wire *encoder, *decoder;
    struct daemon daemon;
    struct sim_memory memory;
    struct client clients[ACTORS + 1];
    struct slot slots[SLOTS];

    struct sim_session *sessions; /* by index, from 1 */
    size_t sessions_n;
    struct entry_value *values; /* by id, from 1 */
    size_t values_n;
    struct entry_job *jobs;
    size_t jobs_n;
    struct entry_submit *submits;
    size_t submits_n;
    struct lock_ledger *locks;
    struct lives *lives;
    struct object_ledger *objects;
    struct work_ledger *work;
    struct deals *deals;
    struct pool_ledger *pools;    /* NULL: none in this seed */
    struct topic_ledger *topics;  /* the same */
    struct group_ledger *groups;  /* the same */
    struct later_ledger *laters;  /* the same */
    struct keep_ledger *keeps;    /* the same */
    struct states_ledger *states; /* the same */
    struct feed_ledger *feeds;    /* the same */
    bool ruled;                   /* its clients are several users, and there is a table of rights */
    uint64_t rules;               /* how often that gave way to another one */
    struct held *held;
    size_t held_n;
    uint64_t old_token[LOCKS]; /* of an owner who has unlocked it since */
    struct sim_context *contexts;
    size_t contexts_n;
    uint64_t numbers; /* values of contexts */
    struct {
        uint64_t ends; /* how often it has ended */
        bool begun;    /* no job is started or taken */
        bool empty;    /* and somebody was told that none runs */
    } drain;

    uint64_t faults[SIM_FAULT_COUNT];
    uint64_t verbs[VERB_NUMBER_END];
    uint64_t surfaced, redelivered, sends_ok, sends_doubt, jobs_done;
};

/* Ends the run of this seed with a message: an oracle does not hold. */
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_note(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_mix(struct sim *sim, const void *data, size_t size);
void *sim_alloc(size_t size); /* zeroed; never fails */

/* events.c */
void schedule(struct sim *sim, int64_t in_ns, struct event event);
/* Runs the next event. False: there is none. */
bool sim_step(struct sim *sim);
void events_clear(struct sim *sim);

/* network.c */
uint64_t conn_open(struct sim *sim, uint32_t who);
/* `late`: what is on its way to the daemon still arrives. */
void conn_cut(struct sim *sim, uint64_t number, bool late);
void net_to_daemon(struct sim *sim, uint64_t conn, const struct client_frame *frame);
void net_to_client(struct sim *sim, uint64_t conn, const struct server_frame *frame);
void event_to_daemon(struct sim *sim, struct event *event);
void event_to_client(struct sim *sim, struct event *event);
void event_conn_lost(struct sim *sim, struct event *event);

/* daemon.c */
void daemon_start(struct sim *sim);
void daemon_stop(struct sim *sim);
void daemon_crash(struct sim *sim);
void daemon_frame(struct sim *sim, uint64_t conn, const struct client_frame *frame);
void daemon_input(struct sim *sim, const struct input *in);
/* The clock has jumped: the daemon's next turn ticks by what the clock says now, not when that much more time has passed. */
void daemon_sees_time(struct sim *sim);
/* It has jumped by so much: what a breaker's model was to do meanwhile it does now, and what that begins lasts from now on. */
void judge_breaker_jumped(struct sim *sim, int64_t ns);
void event_daemon_start(struct sim *sim, struct event *event);
void event_core_tick(struct sim *sim, struct event *event);
void event_peer_end(struct sim *sim, struct event *event);
/* storage.c */
void storage_take(struct sim *sim, struct list *batches);
void storage_crash(struct sim *sim);
void storage_fetch(struct sim *sim, uint64_t number, const struct fetch *what);
void storage_load(struct sim *sim);
/* judge_states.c: what is stored now. */
void judge_states_stored(struct sim *sim, const struct list *batches);

/* storage_topics.c: with what there is of topics. */
void storage_load_topics(struct store_load *load);
bool storage_job(struct sim *sim, uint64_t job, struct job_row *row);
/* The first job with a larger id, or 0. */
uint64_t storage_next(struct sim *sim, uint64_t job);
/* The job that this operation submitted, or 0. */
uint64_t storage_op(struct sim *sim, const struct secret *session, uint64_t op);
void event_commit(struct sim *sim, struct event *event);
void event_fetched(struct sim *sim, struct event *event);
/* plugins.c */
void host_start(struct sim *sim, uint64_t host, struct bytes generation);
void host_kill(struct sim *sim, uint64_t host, int signal);
void host_died(struct sim *sim, struct client *host, int signal, uint64_t guilty_run);
void host_offer(struct client *host, const struct offer *offer);
void host_task_ended(struct client *host, struct task *task);
void host_connected(struct client *host);
/* It may have been told to go. May end the process. */
void host_idle(struct client *host);
void hosts_forget(struct client *host);
void event_host_up(struct sim *sim, struct event *event);
void event_host_kill(struct sim *sim, struct event *event);
void event_host_end(struct sim *sim, struct event *event);
void event_run(struct sim *sim, struct event *event);
/* client.c */
void client_start(struct sim *sim, uint32_t who, int64_t in_ns);
void client_kill(struct client *client);
void client_leave(struct client *client);
void client_pump(struct client *client);
void client_cut(struct client *client, bool silent);
void event_lifeline(struct sim *sim, struct event *event);
void event_greeting(struct sim *sim, struct event *event);
void event_connect(struct sim *sim, struct event *event);
void event_farewell(struct sim *sim, struct event *event);
void event_client_tick(struct sim *sim, struct event *event);
/* task.c */
struct task *task_new(struct client *client, enum verb verb);
void task_start(struct task *task);
void task_surface(struct task *task, bool hold);
void task_settle(struct task *task, uint64_t n, bool give_back);
void task_cancel(struct task *task);
/* Its end is asked for when its result has come and not surfaced. False: that stands. */
bool task_undo(struct task *task);
void task_abandon(struct task *task);
/* The operation `op` of the client at the other end of `conn`, or NULL. */
struct task *task_of_op(struct sim *sim, uint64_t conn, uint64_t op);
/* Whether it is alive and one of its tasks is so. */
typedef bool task_test(const struct task *task);
bool client_has(const struct client *client, task_test *is);
void task_forget(struct client *client); /* the process is gone */
extern const struct protocol_user task_user;
/* loose.c: channels that travel in values. A value may carry one; `passed` lives as long as it. loose_surfaced: whether the
 * result is only theirs. */
void loose_begin(struct client *client);
void loose_load(struct client *client, uint32_t slot, struct value *value, struct passed *passed);
bool loose_surfaced(struct task *task);
/* work.c */
uint64_t value_new(struct client *client, uint32_t slot);
void event_act(struct sim *sim, struct event *event);
void work_surfaced(struct task *task);
/* A SEND of n new values, or an opening, not started. */
struct task *work_send(struct client *client, uint32_t slot, uint64_t handle, size_t n);
struct task *work_open(struct client *client, uint32_t slot, uint32_t flags);
void slot_closed(struct sim *sim, uint32_t slot, uint64_t name);
/* Forever, at once, or a deadline. */
void work_until(struct task *task);
bool task_gives_back(const struct task *task);
/* locks.c */
struct bytes lock_name(uint32_t lock);
/* A LOCK or UNLOCK, not started. */
struct task *lock_task(struct client *client, uint32_t lock, uint32_t flags);
struct task *unlock_task(struct client *client, uint32_t lock, uint64_t token, uint32_t flags);
/* Begins to take a lock, or to unlock one that is held. False: none is. */
void work_lock(struct client *client, uint64_t run);
/* Waits for a condition need its lock: takes that, or signals. */
void work_cond(struct client *client, uint64_t run);
bool work_unlock(struct client *client, uint64_t run);
/* The call has returned, or nobody waits for what it was granted. */
void lock_surfaced(struct task *task);
void lock_give_back(struct task *task, uint64_t token);
/* contexts.c */
/* Perhaps gives it a context. */
void context_draw(struct task *task);
void work_context(struct client *client);
/* The id of one, or 0. */
uint64_t some_context(struct sim *sim);
/* judge_contexts.c */
/* The task names this one, or asks about it. */
void context_note(struct task *task, const struct sim_context *context);
void judge_context(struct task *task, const struct result *result);
void judge_contexts_free(struct sim *sim);
/* objects.c */
/* Begins something with a named sync object, or to give back what a scope has of one. False: it has nothing. */
void work_object(struct client *client, uint64_t run);
bool work_object_back(struct client *client, uint64_t run);
/* Its result gave a part of an object, which is to be given back. */
bool task_has_stake(const struct task *task);
/* A client is told of it; its call returns; nobody has use for it, and it goes back by itself; or does not. */
void object_told(struct task *task);
void object_surfaced(struct task *task);
void object_void(struct task *task);
void object_give_back(struct task *task);
/* judge_objects.c */
void judge_objects_start(struct sim *sim); /* with each start of the daemon */
void judge_objects_free(struct sim *sim);
/* The core has taken this operation; a result leaves it. */
void judge_object_came(struct sim *sim, uint64_t session, const struct request *request);
void judge_object_reply(struct sim *sim, uint64_t session, const struct result *result);
/* The core has undone what this operation got. */
void judge_object_undone(struct sim *sim, uint64_t session, uint64_t op);
void judge_objects_end(struct sim *sim);
/* After each step of the core: whose scope has ended has lost his part of a breaker. */
void judge_breaker_look(struct sim *sim);
/* Whether this client has part of an object. */
bool stakes_held(struct sim *sim, const struct client *client);
/* mistakes.c */
/* A client asks for what cannot be had; somebody else says what he likes. */
void work_mistake(struct client *client);
void stranger_comes(struct sim *sim);
/* faults.c */
void event_fault(struct sim *sim, struct event *event);
/* judge.c */
uint64_t session_new(struct sim *sim, uint32_t who, uint64_t peer, struct secret secret);
void judge_sent(struct task *task, const struct result *result);
void judge_arrived(struct task *task);
void judge_surfaced(struct task *task, enum surfacing how);
void judge_settled(struct task *task, uint64_t n, bool give_back);
void judge_confirmed(struct task *task);
void judge_gone(struct client *client);   /* its session ended */
void judge_killed(struct client *client); /* nobody will ever know how its operations ended */
/* A result leaves the daemon: what it promises must be on disk. */
void judge_reply(struct sim *sim, uint64_t conn, const struct result *result);
void judge_values_end(struct sim *sim);
struct entry_job *job_entry(struct sim *sim, uint64_t id);
/* Whether a job's row may have been taken by retention or a purge. */
bool may_be_gone(struct sim *sim, uint64_t job);
void judge_job_row(struct sim *sim, const struct job_info *row);
void judge_submitted(struct task *task);
void judge_run_came(struct sim *sim, uint64_t conn, const struct request *request);
void judge_op_status(struct task *task);
void judge_jobs_end(struct sim *sim);
/* judge_locks.c */
bool verb_of_locks(enum verb verb);
bool task_is_grant(const struct task *task);
bool task_waits_for_lock(const struct task *task);
bool task_of_lock_is_open(const struct task *task);
void judge_locks_start(struct sim *sim); /* with each start of the daemon */
void judge_locks_free(struct sim *sim);
void judge_lock_reply(struct sim *sim, uint64_t session, const struct result *result);
/* A client is told a grant; its call returns; it begins to give it up. */
void judge_locked(struct task *task);
void judge_lock_surfaced(struct sim *sim, uint64_t token);
void judge_unlocking(struct sim *sim, uint64_t token);
/* A surfaced one of this scope, until the next call here; or NULL. */
const struct held *lock_held(struct sim *sim, uint64_t session, uint64_t run);
/* Whether this client, or (NULL) any, was told of a lock that it has not given up. */
bool locks_held(struct sim *sim, const struct client *client);
/* grants.c: around the step that takes a frame. */
void grants_before(struct sim *sim, uint64_t conn, const struct client_frame *frame);
void grants_after(struct sim *sim, uint64_t conn);
/* drain.c */
void sim_drain(struct sim *sim);
