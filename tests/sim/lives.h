/*
 * How jobs live, as the core shows it after each of its steps, and what was asked of queues: the ledger of judge_lives.c,
 * judge_starts.c and judge_queues.c.
 *
 * A life is known by the id of its job and is never forgotten, so that it is known again after a restart of the daemon.
 */
#pragma once

#include "inspect.h"
#include "queue_policy.h"
#include "sim.h"

enum {
    AFTER_MAX = 3,   /* jobs that one comes after */
    ONCE_BYTES = 48, /* of all that makes two keys one */
    KEY_BYTES = 8,
    QUEUES = 3,  /* "default", "slow" and "brief" */
    BRIEF = 2,   /* kept less safely; the ones before it share hosts by weight and have schedules */
    STARTS = 64, /* of a queue that are remembered */
    SETTINGS_KEPT = 64,
};

/* A SUBMIT that the core took. */
struct asked {
    uint64_t session, op;
    int64_t taken_ns;
    char once[ONCE_BYTES]; /* "": none */
    uint32_t once_policy;
    int64_t once_ns;
    uint64_t after[AFTER_MAX];
    size_t after_n;
    bool any;
    bool closed;          /* its queue took no job then */
    char mark[KEY_BYTES]; /* of a transaction: the key of all its jobs; else "" */
    uint64_t tag;         /* in its grace, by which its job is known; 0: by the operation */
    size_t bulk;          /* index of the bulk that it is of; 0: none */
};

struct life {
    uint64_t id;
    size_t asked; /* index of its submit */
    bool here;    /* in the core, after the last step, */
    bool was;     /* and before it */
    bool stored;  /* its submit has been: nobody else gets its id any more */
    uint32_t state, queue, priority;
    uint64_t run;           /* the last one */
    uint64_t incarnation;   /* of its submit */
    uint64_t first_run;     /* 0: none yet */
    uint64_t host;          /* that runs it, or did last; 0: a worker */
    uint64_t tries;         /* failures and crashes that were counted */
    bool in_line, returned; /* since it became ready: those of a dead host change places, */
    bool moved;             /* unless their queue was serial then; what is moved stays so when it is later */
    uint64_t back;          /* look at which its run was handed back last */
    uint64_t ready;         /* look at which it became so; a run that was handed back does not count */
    char key[KEY_BYTES];
    const void *function;
    size_t fuse;          /* the circuit breaker of its function */
    bool holds;           /* its `once` key, as far as time goes */
    bool freed;           /* it has started after the jobs it comes after */
    bool let[AFTER_MAX];  /* this one has ended in a way that lets it start */
    bool bare[AFTER_MAX]; /* this one was named before the store refused it: it never was */
    bool failed;          /* its last end was one as failed or dead */
    uint64_t again;       /* how often it has lived again */
    uint64_t retries;     /* acknowledged, for it alone */
    uint64_t ahead;       /* of a feed: how many of its queue waited when it was new */
    uint64_t started;     /* look of its last start, */
    uint64_t bound;       /* and how many of its key might run then; 0: any number */
};

/* What may have been set of a queue. */
struct settings {
    struct policy_part part;
    int64_t paused_us; /* wall clock; 0: it is not paused */
    bool closed;       /* no submits meanwhile */
};

struct queue_book {
    struct policy_part config;
    struct settings all[SETTINGS_KEPT]; /* each is what was in force after one more request */
    size_t all_n, acknowledged;         /* those before this one cannot come back */
    bool loaded;
    bool doubt; /* somebody set something and said BYE with it: what came of it shows after a restart */
    int64_t starts_ns[STARTS];
    size_t starts_n; /* since the settings changed last */
};

/* A QUEUE_PURGE that the core took, and what waited then. */
struct purge {
    uint64_t session, op;
    struct waiting {
        uint64_t job, run, again;
    } * jobs;
    size_t jobs_n;
};

struct lives {
    struct life *all;
    size_t n;
    struct asked *asked; /* from 1 */
    size_t asked_n;
    struct purge *purges;
    size_t purges_n;
    uint64_t look;
    uint64_t id_most;         /* of all jobs that were ever stored */
    bool retried;             /* somebody has asked for another life of a job */
    bool fresh;               /* the daemon has started: what is in the core now was there before */
    uint64_t crowd[QUEUES];   /* the last job that was admitted in this step */
    uint64_t dropped[QUEUES]; /* the last one that made room in this step */
    struct queue_book queue[QUEUES];
    uint64_t version;        /* of all settings */
    uint64_t tags;           /* given out */
    struct bulk_book *bulks; /* from 1 */
    size_t bulks_n;
    struct schedule_book *schedules;
    struct fuses *fuses;
    struct copy *copies;
    size_t copies_n;
};

/* A tag is what the grace of a job is longer than this. */
#define GRACE (10 * MS)

/* Whether clients purge ended jobs: then those may be gone in the end. */
static inline bool sim_purges(const struct sim *sim)
{
    return sim->seed % 3 == 1;
}

/* How safely jobs of `brief` are kept. */
static inline enum durability brief_durability(uint64_t seed)
{
    return seed / 2 % 2 ? DURABLE_PROCESS : DURABLE_NONE;
}

/* Whether there are circuit breakers in queues, and more that fails. */
static inline bool sim_breaks(const struct sim *sim)
{
    return sim->seed % 5 == 2;
}

static inline bool life_ended(const struct life *life)
{
    return life->state >= JOB_DONE;
}

static inline bool life_waits(const struct life *life)
{
    return life->here &&
           (life->state == JOB_SCHEDULED || life->state == JOB_BLOCKED || life->state == JOB_READY);
}

/* NULL: unknown. */
struct life *life_find(struct sim *sim, uint64_t id);
static inline const struct asked *life_asked(const struct sim *sim, const struct life *life)
{
    return &sim->lives->asked[life->asked];
}
/* A job is in the core that was not; one that had ended lives again; one has ended; `before` is how it was. */
void judge_birth(struct sim *sim, struct life *life);
void judge_again(struct sim *sim, struct life *life);
void judge_end(struct sim *sim, struct life *life, struct bytes text);
/* Its submit came to nothing. */
void judge_never_was(struct sim *sim, const struct life *life);
/* After a restart. */
void judge_found(struct sim *sim, struct life *life);
/* After all of a step: who was admitted had room. */
void judge_rooms(struct sim *sim);
/* judge_starts.c: a run has begun. Then, after all of a step. */
void judge_start(struct sim *sim, struct life *life);
void judge_starts(struct sim *sim);
/* judge_brief.c: what the configuration says of `brief`; whether the daemon need not have a job any more; after a restart. */
struct policy_part daemon_brief(uint64_t seed);
bool life_may_lack(const struct sim *sim, const struct life *life);
void judge_brief_found(struct sim *sim, const struct life *life);
/* judge_queue_breaker.c: which one a job has; a start of the daemon. In each look: how a job was and is; it is
 * not there any more; all has been looked at. */
size_t fuse_of(struct sim *sim, uint32_t queue, struct bytes path, struct bytes name);
void judge_fuses_free(struct sim *sim);
void judge_fuses_start(struct sim *sim);
void judge_fuse_turn(struct sim *sim, const struct life *before, const struct life *life);
void judge_fuse_gone(struct sim *sim, const struct life *life);
void judge_fuses(struct sim *sim);
/* judge_queues.c */
void judge_queues_start(struct sim *sim); /* with the first start of the daemon */
void judge_queue_came(struct sim *sim, uint64_t session, const struct request *request);
/* What is set of a queue now. */
uint64_t queue_setting(const struct sim *sim, uint32_t queue, enum policy_field field);
const struct settings *queue_settings(const struct sim *sim, uint32_t queue);
bool queue_paused(const struct sim *sim, uint32_t queue);

/* lives.c: with each start of the daemon; after each step of the core. */
void judge_lives_start(struct sim *sim);
/* These come to be in the store. */
void judge_lives_stored(struct sim *sim, const struct list *batches);
void judge_lives_free(struct sim *sim);
void judge_lives_look(struct sim *sim);
/* judge_lives.c: a submit, perhaps one of many, has come with the operation. */
struct asked *asked_new(struct sim *sim, uint64_t session, uint64_t op, const struct request_submit *submit);
/* The core has taken this operation; a client is told, or a result leaves the daemon first. */
void judge_life_came(struct sim *sim, uint64_t session, const struct request *request);
void judge_joined(struct sim *sim, const struct task *task);
void judge_retry_came(struct sim *sim, struct task *task, const struct request *request);
void judge_retry_reply(struct sim *sim, const struct task *task);
/* judge_queues.c: the same of verbs of queues; and what a start of the daemon has found set. */
struct bytes queue_name(uint32_t queue);
uint32_t queue_number(struct bytes name);
void judge_queue_asked(struct sim *sim, struct task *task, const struct request *request);
void judge_queue_reply(struct sim *sim, const struct task *task, const struct result *result);
void judge_queue_loaded(struct sim *sim, struct bytes name, struct bytes kept);
void judge_queues_loaded(struct sim *sim);

enum { ARGUMENT_BYTES = 24 };

/* A submit that was drawn, and what it points at. */
struct drawn {
    struct request_submit submit;
    uint64_t after[AFTER_MAX];
    char argument[ARGUMENT_BYTES];
};

/* jobs.c */
void draw_submit(struct sim *sim, struct drawn *drawn);
void work_submit(struct client *client);
void work_job(struct client *client);
void work_op_status(struct client *client);
void work_dead(struct client *client);
void work_queue(struct client *client);
/* The id of one, or 0. */
uint64_t some_job(struct sim *sim);

/* daemon.c */
/* What the configuration says of the queue `slow`, and of how many jobs a queue runs that says nothing. */
struct policy_part daemon_slow(uint64_t seed);
uint64_t daemon_concurrency(const struct sim *sim);
uint64_t daemon_volatile_bytes(const struct sim *sim);
/* storage.c */
/* Whether the store has the key under which this job was submitted once. */
bool storage_has_key(struct sim *sim, uint64_t job);
