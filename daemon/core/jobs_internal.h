/*
 * What the files about jobs share: the structs of jobs, runs, queues, plugins and hosts, and who may change them.
 *
 *     plugin ─ function ─ track ─┐
 *     queue ─ key ───────────────┴ lane ─ job ─ run      (queue.h)
 *     plugin ─ generation ─ host ────────────────┘
 *
 * The rules: a job is dispatched, and its end told, only when the store has the batch that says so. A `run` is
 * one dispatch; its number is the fencing token: what names another number than the last run of its job is stale.
 */
#pragma once

#include "crew.h"
#include "job_terms.h"
#include "queue.h"
#include "slab.h"

enum {
    PATH_BYTES_MAX = 4095,
    ATTEMPTS_DEFAULT = 1,
    JOB_MS_SHIFT = 22, /* id = milliseconds << 22 | node << 12 | sequence */
    JOB_NODE_SHIFT = 12,
    JOB_KEEP_MS = 60000,        /* ids of so much time are kept at once */
    RUN_INCARNATION_SHIFT = 40, /* run = incarnation << 40 | sequence */
};
#define RETRY_NS (INT64_C(100000000)) /* when memory was out for something that must happen */
#define TRIAL_NS                                                                                             \
    (INT64_C(1000000000)) /* a suspect runs this long, or longer, before the next run starts beside it */
#define PLUGIN_FRESH_NS (INT64_C(1000000000))    /* a file is looked at again at most this often */
#define JOB_EPOCH_MS    (INT64_C(1577836800000)) /* 2020: 41 bits of milliseconds last until 2089 */

/* ---- plugins (plugin.c) ---- */

/* A function of a plugin that the newest generation has (`known`) or a job names. */
struct function {
    struct list link;   /* plugin->functions */
    struct list tracks; /* struct track by function_link */
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
    struct crew crew;  /* for the jobs of no pool */
    struct list crews; /* of pools: struct crew by `link` */
    uint64_t hosts;    /* living, drained ones too, of all crews */
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

/* What few jobs have. Made when it is needed (job_parts.c). */
struct job_parts {
    struct job *job;         /* whose they are */
    struct list link;        /* jobs->parting or jobs->doomed (job_after.c) */
    struct list children;    /* struct after_edge: jobs that come after it */
    struct job_after *after; /* the jobs it comes after; NULL: none, or it has let go of them */
    uint32_t after_n;        /* how many there were, when it has */
    uint32_t after_done;     /* of them were done */
    uint32_t jitter;         /* percent */
    uint32_t delays_n;       /* 0: they double */
    uint64_t *delays_ns;     /* before the second, third, … attempt; the last one repeats */
    struct job_once *once;   /* the key it holds, or wants to; NULL: none */
    struct bond *bond;       /* to the context that ends it; NULL: none, or it has ended */
    int64_t deadline_ns;     /* monotonic; INT64_MAX: none */
    int64_t deadline_us;     /* wall clock; 0: none */
};

/* What a job has while the store has not reported on it, and from its first run or words on (job_work.c): one that
 * waits has none. */
struct job_work {
    struct job *job;       /* whose it is */
    struct list unborn;    /* jobs->unborn, while the store has not reported on `born` */
    struct list unstored;  /* jobs->unstored, while the store has not reported on `batch` */
    uint64_t born, batch;  /* the one that made it, the last one that changed it; 0: stored long ago */
    struct secret session; /* that submitted it, by `op`; zero: stored long ago */
    uint64_t op;
    struct run *run;   /* while running */
    uint64_t run_last; /* number of the last run */
    uint64_t output_bytes;
    int64_t started_us, ended_us;
    char *text; /* cause in words */
    uint32_t text_size;
    int32_t error;
    uint32_t attempt, crashes;
};

struct job {
    uint64_t id;
    struct list link;    /* its place in a lane, while it is there */
    struct list waiters; /* struct waiter: JOB_WAIT and select cases */
    struct list waits;   /* queue->waiting */
    struct lane *lane;
    const struct terms *terms;
    struct job_parts *parts; /* NULL: none */
    struct job_work *work;   /* NULL: none; read through job_work */
    int64_t ticket;          /* when it became ready, monotonic, never twice the same: order and age */
    struct timer timer;      /* due, or the deadline */
    int64_t due_ns;          /* monotonic; INT64_MAX: none */
    int64_t created_us, due_us;
    void *body; /* its result until the end is stored; its argument until it is admitted, or `kept` */
    uint32_t body_size;
    uint32_t argument_bytes;
    uint8_t state; /* enum job_state; only job_move writes it */
    uint8_t cause; /* enum job_cause; CANCELED of a job that has not ended: it was asked to end */
    uint8_t priority;
    bool charged; /* a SLOT_JOBS of its account */
    bool kept;    /* `body` is its argument, and counted in jobs->kept_bytes */
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

/* Ended jobs in the store, for retention: dead ones have limits of their own. */
struct retained {
    struct map map;                      /* struct kept by id */
    struct kept_list ended, dead, keyed; /* keyed: they are past that, and stay for the time of their key */
    struct list queues;                  /* struct queue by look */
    struct timer timer;
    bool look; /* something may have to go */
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

struct reserve;

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
    bool final;    /* cancelled by the job's deadline, or its host says so: no further attempt */
    bool told;     /* the host was offered it: it may have begun */
    bool begun;    /* the host has said STARTED */
    bool guilty;   /* RUN_LOST: its host died of it */
    bool gathered; /* for a worker: its argument is here */
    double fraction;
    char *progress;
    uint32_t progress_size;
    uint32_t argument_size;
    void *argument;          /* LOADING, for a worker: until that is told */
    struct reserve *reserve; /* the same: whose answer it is for (worker.c) */
    struct list place;       /* reserve->runs */
    struct list watchers;    /* struct waiter: until it is to be ended */
    int64_t limit_at_ns;     /* STARTED: when its time limit is over; INT64_MAX: never */
    int64_t lease_at_ns;     /* the same for what its worker may be silent */
};

/* ---- hosts (host.c) ---- */

enum host_state {
    HOST_STARTING, /* EFFECT_HOST_START */
    HOST_SERVING,  /* has said RESERVE */
    HOST_DRAINING, /* takes nothing new; ends when nothing runs */
    HOST_KILLED,   /* EFFECT_HOST_KILL; IN_HOST_END follows */
    HOST_STATES
};

enum { RECORDINGS = 3 }; /* CPU time, allocations, trace */

enum recording_state { RECORDING_OFF, RECORDING_ON, RECORDING_HALTED, RECORDING_DROPPING };

/* See recording.c. */
struct recording {
    struct list link;   /* scope->recordings, while it ends with that */
    struct timer timer; /* ON: the limit; DROPPING: when to tell the host */
    struct host *host;
    uint64_t number; /* of the dump that began it */
    uint8_t state;   /* enum recording_state */
};

struct host {
    struct list link; /* jobs->hosts */
    struct generation *generation;
    struct list peers; /* crew->hosts, while it takes jobs or will */
    struct crew *crew;
    struct session *session; /* from IN_SESSION_UP to its end */
    uint64_t number;
    uint64_t reserve; /* id of its RESERVE; 0: none */
    uint64_t window;  /* offers it takes before STARTED */
    uint64_t offered; /* runs LOADING or OFFERED */
    uint64_t busy;    /* runs with a job */
    uint64_t done;    /* runs that have come to an end of their own */
    int64_t since_ns; /* when it was started, monotonic */
    struct list runs;
    struct timer timer;      /* start, drain, or end; SERVING: when it takes jobs again */
    struct list inspections; /* struct inspection: what it was asked to tell of itself (stacks.c) */
    uint64_t inspections_n;
    struct recording recordings[RECORDINGS];
    int32_t pid;
    uint8_t state; /* enum host_state; only host_move writes it */
    bool ended;    /* IN_HOST_END came; goes with the last run */
    bool proved;   /* has finished a job: a good start */
    bool forced;   /* drained because of a run that would not end */
    bool died;     /* its session ended while it had work */
    bool withdrew; /* took back an offer that it may have begun nevertheless */
    bool outside;  /* a worker (worker.c): SERVING while its session lives; no process of ours */
};

/* A submit that waits for its plugin. */
struct admission {
    struct list link;      /* plugin->admissions */
    struct secret session; /* which operation waits */
    uint64_t op;
    struct job *job;   /* state NONE, with its argument; NULL: a bulk */
    struct bulk *bulk; /* NULL: one job */
};

struct jobs {
    struct core *core;
    struct slabs slabs; /* struct job */
    struct job_index index;
    struct retained retained;
    struct map once;             /* struct job_once by key */
    struct map terms;            /* struct shared_terms (job_terms.c) */
    struct list parting, doomed; /* struct job_parts: ended, with children; children to be cancelled */
    struct timer after_timer;
    struct list queues, turns, plugins, hosts;
    struct map queue_names;
    struct list workers;   /* struct host that is outside */
    struct list reserves;  /* struct waiter of each WORK_RESERVE that takes jobs, in order of arrival */
    struct list gathering; /* struct reserve: has jobs, or does not wait for one */
    struct list unborn, unstored; /* struct job_work, by the batch the store has not reported on */
    struct list closing;          /* runs whose scope ends in this step */
    size_t plugins_n;
    uint64_t id_last, run_last, host_last, dump_last;
    uint64_t id_kept; /* whatever happens, the store knows that ids up to here were given */
    int64_t ticket_last;
    uint64_t pass;               /* of the queue that started a job last, before that */
    uint64_t states[JOB_STATES]; /* jobs in memory, by state */
    uint64_t runs;               /* with a job */
    uint64_t kept_bytes;         /* arguments in memory, at most arguments_kept_bytes */
    uint64_t dispatched, crashes, out_of_memory, host_starts, ended[JOB_STATES], output_dropped;
    bool started;       /* the first step has been */
    bool dispatch;      /* something may start now */
    bool room;          /* a submit may go on now */
    uint64_t bulks;     /* of them, those of many jobs that wait for room, or for what they join */
    struct timer purge; /* armed while a queue is being purged */
    size_t purging;     /* such queues */
    bool draining, drained, drained_by_hand; /* by DRAIN: no job is started or taken */
    struct list drainers;                    /* struct waiter: until no job runs (drain.c) */
    struct schedules *schedules;             /* schedule.h */
    struct list pools;                       /* struct pool (pool.h), by name */
    size_t pools_n;
    bool pools_look;           /* hosts of pools are to be started, or drains have ended */
    struct generation outside; /* of workers: none takes jobs for it. Last: its name has no end of its own */
};

/* ---- job_index.c ---- */

/* Room for so many job_index_add. 0 or -ENOMEM. */
int job_index_reserve(struct core *core, struct job_index *index, size_t n);
/* The id is greater than all before it. */
void job_index_add(struct job_index *index, struct job *job);
/* In its place, whatever its id. Room is reserved as for job_index_add. */
void job_index_put(struct job_index *index, struct job *job);
void job_index_remove(struct job_index *index, const struct job *job);
struct job *job_find(const struct core *core, uint64_t id);
/* Each in turn, in the order of ids: *at is 0 at first, and moves on. NULL: no more. Nothing may be added meanwhile. */
struct job *job_walk(const struct core *core, size_t *at);
/* The first one with an id greater than `after`; NULL: none. */
struct job *job_next(const struct core *core, uint64_t after);

/* ---- jobs.c ---- */

/* A job in state NONE, not charged, with all that the row says. NULL: out of memory. */
struct job *job_of_row(struct core *core, const struct job_row *row);

/* ---- job.c ---- */

/* A job in state NONE, not charged, not in the index. Takes references to terms and lane. NULL: out of memory. */
struct job *job_new(struct core *core, const struct terms *terms, struct lane *lane);
/* Out of everything it is in. Its run must be gone. Accepts NULL; returns NULL. */
struct job *job_delete(struct core *core, struct job *job);
/* Whether the table of states allows it. */
bool job_may(enum job_state from, enum job_state to);
static inline bool job_ended(const struct job *job)
{
    return job->state >= JOB_DONE;
}
/* Monotonic; INT64_MAX: none. */
static inline int64_t job_deadline_ns(const struct job *job)
{
    return job->parts ? job->parts->deadline_ns : INT64_MAX;
}
/* To the context that ends it; NULL: none. */
static inline struct bond *job_bond(const struct job *job)
{
    return job->parts ? job->parts->bond : NULL;
}
/* It ends with that context no more. Safe to repeat. */
void job_unbind(struct core *core, struct job *job);
/* The next id: greater than every one before. */
uint64_t job_id_next(struct core *core);
/* Of a job that leaves no trace in the store: sees to it that its id is not given again. */
void job_id_keep(struct core *core, uint64_t id);
/* What the store keeps of it. Strings are borrowed. */
struct job_row job_row(const struct job *job);
/* Words about it; left out when memory is out. */
void job_say(struct core *core, struct job *job, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void job_say_bytes(struct core *core, struct job *job, struct bytes text);
/* Puts in front of them that so many of its runs have ended their hosts, once. 0 or -ENOMEM. */
int job_say_quarantined(struct core *core, struct job *job, uint32_t crashes);
/* Its argument is not needed in memory any more. Safe when it is not there. */
void job_forget_argument(struct core *core, struct job *job);
/* Put back as it was stored. */
void job_restore(struct core *core, struct job *job, enum job_state state);
/* Its place among the ready ones: it became so at `at_ns`, or just after the one that was stamped last. */
void job_stamp(struct core *core, struct job *job, int64_t at_ns);
/* An ended job has another life: ready, without an attempt or a crash. It is in memory, ended, or in state NONE with all that
 * the store had of it. Charges its account. 0, -ENOBUFS, -ENOMEM: nothing happened. */
int job_again(struct core *core, struct job *job);
/* The moves of the rest of its life. Each records what has to be durable: 0, or -ENOMEM: nothing happened. A
 * run is given up with run_close before or after by the caller. */
int job_end(struct core *core, struct job *job, enum job_state state, enum job_cause cause, int error,
            struct bytes result);
/* A run failed: another attempt after a delay, or the end. `final`: the end. */
int job_failed(struct core *core, struct job *job, enum job_cause cause, int error, bool final);
/* Running to ready without an attempt: first in line again. */
int job_returned(struct core *core, struct job *job);
void job_running(struct core *core, struct job *job);
/* Its end is recorded: the rest of it, which cannot fail. */
void job_ends(struct core *core, struct job *job, const struct job_row *row, uint64_t batch);
/* It was asked to end: kept, so that a restart does not forget it. */
int job_asked(struct core *core, struct job *job);
/* The jobs it comes after have let it go on: ready, or scheduled if it is not due. */
void job_unblock(struct core *core, struct job *job);
/* Arms its timer for whatever comes first: due or deadline. */
void job_arm(struct core *core, struct job *job);
/* `to` may touch the job of `from`: the same user, or root. */
bool job_allowed(const struct op *op, uint32_t uid);
void job_check(const struct core *core, const struct job *job);

/* ---- job_parts.c ---- */

/* The parts of a job, made if need be. NULL: out of memory. */
struct job_parts *job_parts(struct core *core, struct job *job);
void job_parts_free(struct core *core, struct job *job);
/* Jitter and delays as a submit or the store says. 0 or -ENOMEM. */
int job_set_delays(struct core *core, struct job *job, uint32_t jitter, struct bytes delays);
/* Monotonic (INT64_MAX: none, or not known yet) and by the wall clock (0: none, or not known yet). 0 or -ENOMEM. */
int job_set_deadline(struct core *core, struct job *job, int64_t deadline_ns, int64_t deadline_us);
/* How long to wait after the failure that was number `attempt`. Draws. */
int64_t job_delay_ns(struct core *core, const struct job *job, uint32_t attempt);

/* ---- job_work.c ---- */

/* To read. Never NULL. */
const struct job_work *job_work(const struct job *job);
/* While it runs; NULL: it does not. */
static inline struct run *job_run(const struct job *job)
{
    return job->work ? job->work->run : NULL;
}
/* To write: made if need be. NULL: out of memory. */
struct job_work *job_work_get(struct core *core, struct job *job);
/* Frees it when the job only waits. */
void job_work_settle(struct core *core, struct job *job);
void job_work_free(struct core *core, struct job *job);

/* ---- job_store.c: what waits for the store ---- */

/* Records news of the job, to be followed by job_depends. The batch; 0: out of memory, nothing happened. */
uint64_t job_record(struct core *core, struct job *job, enum record_kind kind, const struct job_row *row,
                    struct bytes body);
/* Remembers that `batch` changed the job. */
void job_depends(struct core *core, struct job *job, uint64_t batch);
/* It has ended, the store has that, and nobody needs it in memory any more. */
void job_forget(struct core *core, struct job *job);
/* The store has all of it, and it is ready: it takes its place. */
void job_line_up(struct core *core, struct job *job);

/* ---- jobs.c ---- */

/* The lane of what the store names, with one more job; the queue is made when it is not configured any more. NULL: out of
 * memory, or plugins_max. */
struct lane *lane_load(struct core *core, struct bytes queue, struct bytes plugin, struct bytes function,
                       struct bytes key, uint32_t priority);

/* ---- retention.c ---- */

/* An ended job is in the store. */
void retention_add(struct core *core, const struct job_row *row);
/* Whether it was done, or is gone: then it let those that come after it go on. */
bool retention_let(const struct core *core, uint64_t id);
/* It has another life. Safe when it is not there. */
void retention_remove(struct core *core, uint64_t id);
/* Deletes it. The batch that does so; 0: it is not there, or out of memory. */
uint64_t retention_purge(struct core *core, uint64_t id);
/* After the load: by the time of the end. */
void retention_sort(struct core *core);
/* An ended job that the store still has, and whose it is. */
bool retention_has(const struct core *core, uint64_t id, uint32_t *uid);
/* The flags of one; 0: it is not there. */
uint32_t retention_flags(const struct core *core, uint64_t id);
void retention_free(struct core *core);
/* Deletes what is over the limits, a part at a time. */
void retention_turn(struct core *core);

/* Something may start now: jobs_turn looks. */
static inline void dispatch_soon(struct core *core)
{
    core->jobs->dispatch = true;
}

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
/* Why this job cannot start, as far as that has to do with hosts, in words; empty: it can. */
size_t function_reason(const struct core *core, const struct job *job, char *to, size_t size);
/* Makes the plugin known and has it looked at. Its newest generation; NULL: there is none yet. */
struct generation *plugin_wanted(struct core *core, struct bytes path, uint32_t uid);
void plugins_free(struct core *core);

/* ---- host.c ---- */

/* When patience with a process is over that has to start, or to take an offer. It takes real time for that: what a clock that is
 * moved by hand says is no reason to end it. */
static inline int64_t host_start_until_ns(const struct core *core)
{
    if (core->clock_moves)
        return INT64_MAX;
    return time_after(core->now.mono_ns, (int64_t)core->limits.host_start_ms * 1000000);
}

struct host *host_find(const struct core *core, uint64_t number);
/* One more in this crew. 0 or -ENOMEM. */
int host_launch(struct core *core, struct crew *crew, uint32_t uid);
/* A serving one takes nothing until then. */
void host_rest(struct core *core, struct host *host, int64_t until_ns);
bool host_may(enum host_state from, enum host_state to);
/* Tells it something. -ENOMEM; -ENOENT: nobody listens. */
int host_tell(struct core *core, struct host *host, const struct offer *offer);
/* Takes nothing new: what it has not been told goes elsewhere, what it has it begins or gives back. `forced`: it is ended
 * when its runs are done, or after the drain grace. Safe to repeat. */
void host_drain(struct core *core, struct host *host, bool forced);
/* It does not answer: its offers go elsewhere, though it may have begun them. */
void host_withdraw(struct core *core, struct host *host);
/* It hands back what it is offered: while it takes jobs, the next offer waits for host_restart_ms. */
void host_pause(struct core *core, struct host *host);
/* A run of it is gone: ends a drained host. */
void host_settle(struct core *core, struct host *host);
void hosts_free(struct core *core);
void host_check(const struct core *core);

/* It listens: it has said RESERVE, and not taken that back. */
bool host_listens(const struct core *core, const struct host *host);

/* Ends its process now. Its jobs go back unharmed. Safe to repeat. */
void host_process_kill(struct core *core, struct host *host);

/* ---- drain.c ---- */

/* No job is started or taken any more: the daemon stops, or was drained by hand. */
static inline bool jobs_closed(const struct core *core)
{
    return core->jobs->draining || core->jobs->drained_by_hand;
}
/* After every input: those who wait for it hear that no job runs. */
void drain_turn(struct core *core);

/* ---- stacks.c ---- */

/* The host has ended: who waits for what it tells of itself is told so. */
void stacks_host_gone(struct core *core, struct host *host);

/* ---- recording.c ---- */

/* The host has said that what it was asked for has begun. `scope`: of whoever asked; NULL: nobody waits for it any more. */
void recording_begun(struct core *core, struct host *host, const struct offer *start, struct scope *scope,
                     bool detached);
/* The host has said that it has ended what this (INSPECT_*_STOP) asks for, or never had it. */
void recording_ended(struct core *core, struct host *host, uint32_t what);
void recordings_scope_end(struct core *core, struct scope *scope);
/* For all of one host: places in the timer heap. 0 or -ENOMEM. */
int recordings_reserve(struct core *core);
void recordings_unreserve(struct core *core);
void recordings_init(struct host *host);
/* With the places. */
void recordings_fini(struct core *core, struct host *host);
void recordings_check(const struct host *host);

/* ---- run.c ---- */

/* Starts a run of a ready job on this host. 0, -ENOMEM: nothing happened. */
int run_start(struct core *core, struct job *job, struct host *host);
/* The one that this host names. NULL: superseded, or not its own. */
struct run *run_find(const struct core *core, const struct host *host, uint64_t job, uint64_t number);
bool run_may(enum run_step from, enum run_step to);
void run_begin(struct core *core, struct run *run);
/* A worker was told of it, and has begun; silence for `lease_ns` ends that. */
void run_given(struct core *core, struct run *run, int64_t lease_ns);
/* Arms its timer for whatever comes first: time limit or end of the lease. */
void run_time(struct core *core, struct run *run);
/* To a deadline or time limit of the job; 0: none. */
int64_t run_left_ns(const struct core *core, const struct job *job);
/* Cancels it; the grace runs from now. `final`: no further attempt. Safe to repeat. 0 or -ENOMEM. */
int run_cancel(struct core *core, struct run *run, enum job_cause cause, bool final);
/* Takes the run from its job, and its scope ends in this step. */
void run_close(struct core *core, struct run *run);
/* It ended in one of these ways: the job goes on accordingly and the run is closed. 0, or -ENOMEM: nothing happened. */
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
/* It has ended: everybody who waits for it is told, as soon as its last batch is stored. */
void job_tell(struct core *core, struct job *job);
/* It never was: everybody who waits for it fails with `error`. */
void job_forget_waiters(struct core *core, struct job *job, int error);
