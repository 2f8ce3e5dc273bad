/*
 * What the files about jobs share: the structs of jobs, runs, queues, plugins and hosts, and who may change them.
 *
 *     plugin ─ function ─┐                       a lane holds the ready jobs of one function in one queue:
 *     queue ─────────────┴ lane ─ job ─ run      jobs that cannot start now never stand before those that can
 *     plugin ─ generation ─ host ────────┘
 *
 * The rules: a job is dispatched, and its end told, only when the store has the batch that says so. A `run` is
 * one dispatch; its number is the fencing token: what names another number than job->run is stale.
 */
#pragma once

#include "engine.h"

enum {
    PRIORITIES = 10,
    PATH_BYTES_MAX = 4095,
    ATTEMPTS_DEFAULT = 1,
    JOB_MS_SHIFT = 22, /* id = milliseconds << 22 | node << 12 | sequence */
    JOB_NODE_SHIFT = 12,
    RUN_INCARNATION_SHIFT = 40, /* run = incarnation << 40 | sequence */
};
#define BACKOFF_DEFAULT_NS     (INT64_C(1000000000))
#define BACKOFF_MAX_DEFAULT_NS (INT64_C(3600) * 1000000000)
#define RETRY_NS               (INT64_C(100000000)) /* when memory was out for something that must happen */
#define TRIAL_NS               (INT64_C(1000000000)) /* a suspect runs this long before the next run starts beside it */
#define PLUGIN_FRESH_NS        (INT64_C(1000000000))    /* a file is looked at again at most this often */
#define JOB_EPOCH_MS           (INT64_C(1577836800000)) /* 2020: 41 bits of milliseconds last until 2089 */

/* ---- queues and lanes (queue.c) ---- */

struct queue {
    struct list link;  /* jobs->queues */
    struct list lanes; /* struct lane by queue_link, all */
    uint64_t concurrency;
    uint64_t running; /* jobs in state running */
    uint64_t ready;   /* jobs in its lanes */
    uint32_t name_size;
    char name[];
};

/* Invariant: `ready` holds jobs in state ready whose batch is stored, by priority, then by ticket. */
struct lane {
    struct list queue_link, function_link;
    struct queue *queue;
    struct function *function;
    uint64_t jobs; /* that name it, in any state */
    uint64_t count;
    struct list ready[PRIORITIES];
};

/* ---- plugins (plugin.c) ---- */

/* A function of a plugin that the newest generation has (`known`) or a job names. */
struct function {
    struct list link;  /* plugin->functions */
    struct list lanes; /* struct lane by function_link */
    struct plugin *plugin;
    bool known;
    uint32_t attempts_max;
    int64_t time_limit_ns, backoff_ns;
    uint32_t name_size;
    char name[];
};

/* The file as it was once: `name` is the hash of its content. Hosts run exactly one generation. */
struct generation {
    struct list link; /* plugin->generations, newest last */
    struct plugin *plugin;
    struct host *host;  /* the one that takes jobs, or NULL */
    uint64_t hosts;     /* living, drained ones too */
    uint64_t trials;    /* this many of the next runs start one at a time */
    uint64_t failures;  /* starts and lives in a row that came to nothing */
    struct timer again; /* armed while no host may be started, nor the one there be offered anything */
    uint32_t name_size;
    char name[];
};

struct plugin {
    struct list link; /* jobs->plugins */
    struct list functions, generations;
    struct list admissions;    /* submits that wait for IN_PLUGIN */
    struct generation *newest; /* NULL: never seen sound */
    bool asked;                /* EFFECT_PLUGIN is under way */
    bool seen;                 /* was looked at since the start */
    bool broken;               /* could not be used when it was looked at last; `trouble` says why */
    int64_t seen_ns;           /* when, monotonic */
    uint32_t misses;           /* looks in a row that did not help jobs that wait for them */
    struct timer again;        /* the next look, while jobs wait for one */
    char *trouble;             /* NULL: no words */
    uint32_t path_size;
    char path[];
};

/* ---- jobs (job.c) ---- */

struct job {
    uint64_t id;
    struct list link;     /* its place in a lane, while it is there */
    struct list unborn;   /* jobs->unborn, while the store has not reported on `born` */
    struct list unstored; /* jobs->unstored, while the store has not reported on `batch` */
    struct list waiters;  /* struct waiter: JOB_WAIT and select cases */
    struct lane *lane;
    struct account *account;     /* of the submitter */
    struct run *run;             /* while running */
    struct bond *bond;           /* to the context that ends it; NULL: none, or it has ended */
    uint64_t run_last;           /* number of the last run */
    uint64_t born, batch;        /* the one that made it, the last one that changed it */
    uint64_t ticket;             /* order among the ready ones */
    struct timer timer;          /* due, or the deadline */
    int64_t due_ns, deadline_ns; /* monotonic; INT64_MAX: none */
    int64_t created_us, due_us, started_us, ended_us, deadline_us;
    int64_t backoff_ns, backoff_max_ns, time_limit_ns, grace_ns;
    struct secret session; /* who submitted it, by which operation */
    uint64_t op;
    uint64_t output_bytes;
    char *text; /* cause in words */
    uint32_t text_size;
    void *body; /* its result until the end is stored; its argument until it is admitted */
    uint32_t body_size;
    int32_t error;
    uint32_t attempt, attempts_max, crashes, flags;
    uint8_t state; /* enum job_state; only job_move writes it */
    uint8_t cause; /* enum job_cause; CANCELED of a job that has not ended: it was asked to end */
    uint8_t priority;
    bool charged; /* a SLOT_JOBS of its account */
    uint8_t key_size;
    char key[];
};

/* Jobs in memory, by id. Ids only grow, so it is an array that is appended to and searched by halving. */
struct job_index {
    struct job_place {
        uint64_t id;
        struct job *job; /* NULL: gone */
    } * place;
    size_t first, end, size; /* used: first..end-1 */
    size_t count;            /* of them not gone */
};

/* Ended jobs in the store, for retention. */
struct retained {
    struct map map;   /* struct kept by id */
    struct list list; /* oldest end first */
    struct timer timer;
};

/* ---- runs (run.c) ---- */

enum run_step {
    RUN_LOADING,    /* its argument is fetched */
    RUN_OFFERED,    /* the host was told */
    RUN_STARTED,    /* the host has begun; the time limit runs */
    RUN_CANCELLING, /* the host was told to cancel; the grace runs */
    RUN_LOST,       /* its host's session is over, and how the host ended is not known yet or not recorded */
    RUN_OVER,       /* given up after the grace: the host may still be busy with it, but the job is not */
    RUN_STEPS
};

struct run {
    struct list link;    /* host->runs */
    struct list closing; /* jobs->closing, when its scope is to be ended in this step */
    struct job *job;     /* NULL: RUN_OVER */
    struct host *host;
    struct scope *scope; /* in the host's session, from the offer on */
    uint64_t number;
    int64_t told_ns; /* when it was offered, monotonic */
    struct timer timer;
    uint8_t step;  /* enum run_step; only run_move writes it */
    uint8_t cause; /* enum job_cause: why it is cancelled */
    bool final;    /* cancelled by the job's deadline: no further attempt */
    bool told;     /* the host was offered it: it may have begun */
    bool begun;    /* the host has said STARTED */
    bool guilty;   /* RUN_LOST: its host died of it */
    double fraction;
    char *progress;
    uint32_t progress_size;
};

/* ---- hosts (host.c) ---- */

enum host_state {
    HOST_STARTING, /* EFFECT_HOST_START */
    HOST_SERVING,  /* has said RESERVE */
    HOST_DRAINING, /* takes nothing new; ends when nothing runs */
    HOST_KILLED,   /* EFFECT_HOST_KILL; IN_HOST_END follows */
    HOST_STATES
};

struct host {
    struct list link; /* jobs->hosts */
    struct generation *generation;
    struct session *session; /* from IN_SESSION_UP to its end */
    uint64_t number;
    uint64_t reserve; /* id of its RESERVE; 0: none */
    uint64_t window;  /* offers it takes before STARTED */
    uint64_t offered; /* runs LOADING or OFFERED */
    uint64_t busy;    /* runs with a job */
    struct list runs;
    struct timer timer;     /* start, drain, or end */
    struct dump_text {      /* what it tells of its goroutines (stacks.c) */
        struct list askers; /* struct waiter */
        uint64_t number;    /* of the dump under way; 0: none */
        char *text;
        size_t size;
    } dump;
    int32_t pid;
    uint8_t state; /* enum host_state; only host_move writes it */
    bool ended;    /* IN_HOST_END came; goes with the last run */
    bool proved;   /* has finished a job: a good start */
    bool forced;   /* drained because of a run that would not end */
    bool died;     /* its session ended while it had work */
    bool withdrew; /* took back an offer that it may have begun nevertheless */
};

/* A submit that waits for its plugin. */
struct admission {
    struct list link; /* plugin->admissions */
    struct job *job;  /* state NONE, with its argument; says which operation waits */
};

struct jobs {
    struct core *core;
    struct job_index index;
    struct retained retained;
    struct list queues, plugins, hosts;
    struct list unborn, unstored; /* jobs, by the batch the store has not reported on */
    struct list closing;          /* runs whose scope ends in this step */
    size_t plugins_n;
    uint64_t id_last, run_last, host_last, ticket_last, dump_last;
    uint64_t states[JOB_STATES]; /* jobs in memory, by state */
    uint64_t runs;               /* with a job */
    uint64_t dispatched, crashes, host_starts, ended[JOB_STATES], output_dropped;
    bool started;  /* the first step has been */
    bool dispatch; /* something may start now */
    bool draining, drained;
};

/* ---- job_index.c ---- */

/* Room for one job_index_add. 0 or -ENOMEM. */
int job_index_reserve(struct core *core, struct job_index *index);
/* The id is greater than all before it. */
void job_index_add(struct job_index *index, struct job *job);
void job_index_remove(struct job_index *index, const struct job *job);
struct job *job_find(const struct core *core, uint64_t id);
/* The first one with an id greater than `after`; NULL: none. */
struct job *job_next(const struct core *core, uint64_t after);

/* ---- job.c ---- */

/* A job in state NONE, not charged, not in the index. Takes references to account and lane. NULL: out of memory. */
struct job *job_new(struct core *core, struct account *account, struct lane *lane, struct bytes key);
/* Out of everything it is in. Its run must be gone. Accepts NULL; returns NULL. */
struct job *job_delete(struct core *core, struct job *job);
/* Whether the table of states allows it. */
bool job_may(enum job_state from, enum job_state to);
static inline bool job_ended(const struct job *job)
{
    return job->state >= JOB_DONE;
}
/* The next id: greater than every one before. */
uint64_t job_id_next(struct core *core);
/* What the store keeps of it. Strings are borrowed. */
struct job_row job_row(const struct job *job);
/* Words about it; left out when memory is out. */
void job_say(struct core *core, struct job *job, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void job_say_bytes(struct core *core, struct job *job, struct bytes text);
/* Makes it known with its argument in job->body: NONE to scheduled or ready. 0, -ENOMEM: nothing happened. */
int job_admit(struct core *core, struct job *job);
/* Put back as it was stored. */
void job_restore(struct core *core, struct job *job, enum job_state state);
/* The moves of the rest of its life. Each records what has to be durable: 0, or -ENOMEM: nothing happened. A
 * run is given up with run_close before or after by the caller. */
int job_end(struct core *core, struct job *job, enum job_state state, enum job_cause cause, int error,
            struct bytes result);
/* A run failed: another attempt after a delay, or the end. `final`: the end. */
int job_failed(struct core *core, struct job *job, enum job_cause cause, int error, bool final);
/* Running to ready without an attempt: first in line again. */
void job_returned(struct core *core, struct job *job);
void job_running(struct core *core, struct job *job);
/* It was asked to end: kept, so that a restart does not forget it. */
int job_asked(struct core *core, struct job *job);
/* Arms its timer for whatever comes first: due or deadline. */
void job_arm(struct core *core, struct job *job);
/* `to` may touch the job of `from`: the same user, or root. */
bool job_allowed(const struct op *op, uint32_t uid);
void job_check(const struct core *core, const struct job *job);

/* ---- job_store.c: what waits for the store ---- */

/* Remembers that `batch` changed the job. */
void job_depends(struct core *core, struct job *job, uint64_t batch);
/* The store has all of it, and it is ready: it takes its place. */
void job_line_up(struct core *core, struct job *job);

/* ---- retention.c ---- */

/* An ended job is in the store. */
void retention_add(struct core *core, uint64_t id, int64_t ended_us, uint32_t uid);
/* After the load: by the time of the end. */
void retention_sort(struct core *core);
/* An ended job that the store still has, and whose it is. */
bool retention_has(const struct core *core, uint64_t id, uint32_t *uid);
void retention_free(struct core *core);
/* Deletes what is over the limits, a part at a time. */
void retention_turn(struct core *core);

/* ---- queue.c ---- */

/* NULL: unknown. */
struct queue *queue_find(const struct core *core, struct bytes name);
/* Makes it when it is not there. NULL: out of memory. */
struct queue *queue_get(struct core *core, struct bytes name, uint64_t concurrency);
/* The lane of a function in a queue, with one more job. NULL: out of memory. */
struct lane *lane_get(struct core *core, struct queue *queue, struct function *function);
struct lane *lane_ref(struct lane *lane);
/* One job less; the last one takes lane and, when nothing else needs it, function with it. */
void lane_drop(struct core *core, struct lane *lane);
/* Puts a ready job in its place / takes it out; safe when it is not there. */
void lane_put(struct core *core, struct job *job);
void lane_take(struct core *core, struct job *job);
/* Something may start now: jobs_turn looks. */
static inline void dispatch_soon(struct core *core)
{
    core->jobs->dispatch = true;
}
void dispatch(struct core *core);
void queues_free(struct core *core);
void queue_check(const struct core *core);

/* ---- plugin.c ---- */

struct plugin *plugin_find(const struct core *core, struct bytes path);
/* NULL: out of memory, or plugins_max are in use (*error). */
struct plugin *plugin_get(struct core *core, struct bytes path, int *error);
struct function *function_find(const struct plugin *plugin, struct bytes name);
struct function *function_get(struct core *core, struct plugin *plugin, struct bytes name);
/* Frees it when no lane names it and the newest generation does not have it. */
void function_settle(struct core *core, struct function *function);
/* Asks the shell to look at the file, unless it is being looked at. 0 or -ENOMEM. */
int plugin_ask(struct core *core, struct plugin *plugin, uint32_t uid);
/* It must be looked at before a submit of that function goes on. */
bool plugin_stale(const struct core *core, const struct plugin *plugin, const struct function *function);
void generation_settle(struct core *core, struct generation *generation);
/* A host that takes this ready job now. NULL: none yet; whatever is missing is asked for. */
struct host *function_host(struct core *core, const struct job *job);
/* Why no job of this function can start, in words; empty: it can. */
size_t function_reason(const struct core *core, const struct function *function, char *to, size_t size);
void plugins_free(struct core *core);

/* ---- submit.c ---- */

/* The plugin was looked at: its submits go on or fail with `error` and the words. */
void admissions_go_on(struct core *core, struct plugin *plugin, int error, struct bytes text);
void admissions_free(struct core *core, struct plugin *plugin);

/* ---- host.c ---- */

struct host *host_find(const struct core *core, uint64_t number);
/* The host of this generation, when it takes an offer now. NULL: it does not; one is started when it may be. */
struct host *host_ready(struct core *core, struct generation *generation, uint32_t uid);
bool host_may(enum host_state from, enum host_state to);
/* Tells it something. -ENOMEM; -ENOENT: nobody listens. */
int host_tell(struct core *core, struct host *host, const struct offer *offer);
/* Takes nothing new: unstarted offers are returned. `forced`: it is ended when its runs are done, or after the
 * drain grace. Safe to repeat. */
void host_drain(struct core *core, struct host *host, bool forced);
/* It hands back what it is offered: while it takes jobs, the next offer waits for host_restart_ms. */
void host_pause(struct core *core, struct host *host);
/* A run of it is gone: ends a drained host. */
void host_settle(struct core *core, struct host *host);
void hosts_free(struct core *core);
void host_check(const struct core *core);

/* It listens: it has said RESERVE, and not taken that back. */
bool host_listens(const struct core *core, const struct host *host);

/* ---- stacks.c ---- */

/* The host has ended: who waits for its goroutines is told so. */
void stacks_host_gone(struct core *core, struct host *host);

/* ---- run.c ---- */

/* Starts a run of a ready job on this host. 0, -ENOMEM: nothing happened. */
int run_start(struct core *core, struct job *job, struct host *host);
/* The one that this host names. NULL: superseded, or not its own. */
struct run *run_find(const struct core *core, const struct host *host, uint64_t job, uint64_t number);
bool run_may(enum run_step from, enum run_step to);
void run_begin(struct core *core, struct run *run);
/* Cancels it; the grace runs from now. `final`: no further attempt. Safe to repeat. 0 or -ENOMEM. */
int run_cancel(struct core *core, struct run *run, enum job_cause cause, bool final);
/* Takes the run from its job, and its scope ends in this step. */
void run_close(struct core *core, struct run *run);
/* It ended in one of these ways: the job goes on accordingly and the run is closed. 0, or -ENOMEM: nothing
 * happened. */
int run_succeeded(struct core *core, struct run *run, struct bytes result);
int run_failed(struct core *core, struct run *run, enum job_cause cause, int error, struct bytes text);
int run_returned(struct core *core, struct run *run);
/* Its host's session is over; the engine ends its scope. */
void run_lost(struct core *core, struct run *run);
/* Its host has ended. */
void run_verdict(struct core *core, struct run *run, bool guilty, struct bytes text);
/* The host is through with a run that was given up. */
void run_forget(struct core *core, struct run *run);
/* Ends the scopes of closed runs. */
void runs_turn(struct core *core);
/* The engine has ended the scopes of this session. */
void runs_session_end(struct core *core, const struct session *session);
void run_check(const struct core *core, const struct run *run);

/* ---- job_query.c ---- */

/* `text` gives room for words about why it waits. */
struct job_info job_info(const struct core *core, const struct job *job, char *text, size_t size);
/* It has ended: everybody who waits for it is told, as soon as job->batch is stored. */
void job_tell(struct core *core, struct job *job);
/* It never was: everybody who waits for it fails with `error`. */
void job_forget_waiters(struct core *core, struct job *job, int error);
