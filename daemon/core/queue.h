/*
 * Queues: named policies, and the order in which ready jobs start.
 *
 *     queue ─┬─ key ───┐        A lane holds the ready jobs of one function, key and priority in one queue, by ticket.
 *            └─ track ─┴ lane   A track is a function in a queue; it has the lanes whose first job may start by the
 *     function ─┘               rules of its key: they are open, and stand in a heap for each priority.
 *
 * Dispatch looks at the first open lane of each track and priority, and takes the best of those whose host takes a job
 * now. So jobs that cannot start never stand before those that can, and the choice costs as much as there are functions
 * with open lanes, and the logarithm of the number of keys.
 *
 * What is held for a lane, key or track goes with the last job that names it; a track also stays while its circuit breaker
 * has something to remember.
 */
#pragma once

#include "bucket.h"
#include "engine.h"
#include "queue_breaker.h"
#include "queue_policy.h"

enum { PRIORITIES = 10 };

struct job;
struct host;
struct function;

/* Ended jobs that the store keeps (retention.c). */
struct kept_list {
    struct list list; /* oldest end first */
    size_t n;
};

struct queue {
    struct list link;      /* jobs->queues */
    struct map_node node;  /* of jobs->queue_names */
    bool configured, made; /* stands in the configuration / was made by QUEUE_SET */
    bool removed; /* nobody finds it: it is there for ended jobs and waiting workers alone (queue_made.c) */
    struct list turn;   /* jobs->turns, while it has open lanes */
    struct list tracks; /* struct track by queue_link */
    struct map keys;    /* struct queue_key */
    struct policy_part parts[ORIGINS];
    struct queue_policy policy; /* the sum of them */
    uint8_t origin[POLICY_FIELDS];
    uint64_t running;  /* jobs in state running */
    uint64_t ready;    /* jobs in its lanes */
    uint64_t open;     /* lanes in heaps */
    uint64_t broken;   /* tracks whose breaker lets no job start */
    uint64_t breakers; /* tracks whose breaker remembers something: at most breakers_max */
    uint64_t round;    /* of the key that started a job last */
    uint64_t pass;     /* how much it has had of the hosts, by its weight */
    struct kept_list ended, dead;
    struct list look;  /* retained.queues: some of these may have to go */
    struct timer stay; /* armed while it is not there: until then its policy lets them stay */
    struct bucket bucket;
    struct timer timer; /* armed while nothing but time keeps an open lane from starting */
    struct list
        waiting; /* struct job by `waits`: not ended and not running, in the order in which they began */
    uint64_t waiting_n, waiting_bytes;
    int64_t paused_us,
        paused_ns; /* until then, wall clock and monotonic; 0: it is not; INT64_MAX: until told */
    bool pause_submits;
    uint64_t states_told, states_lost; /* published, or not (job_states.c) */
    bool loses_states;                 /* the last one was not */
    bool kept;                         /* its gate has kept it from starting since it started last */
    struct queue_purge {
        bool runs;       /* also when nobody waits for its end any more */
        struct list ops; /* struct waiter: who does */
        uint64_t last;   /* the jobs up to this id */
        uint64_t count, batch;
    } purge;
    struct list feeds;           /* struct feed: each waits for room (feed.h) */
    struct list submits;         /* struct waiter: each has a job, or a bulk of them, that waits for room */
    uint64_t bulk_n, bulk_bytes; /* what the bulk that is looked at needs here (bulk.c), */
    uint64_t bulk_all_n,
        bulk_all_bytes; /* and all of it that comes to wait here, in the room of others, too */
    uint32_t name_size;
    char name[];
};

/* Jobs that say the same key. Jobs without one are of the empty key, which has no bound. */
struct queue_key {
    struct map_node node; /* of queue->keys */
    struct queue *queue;
    struct list lanes; /* struct lane by key_link */
    uint64_t open;     /* of them */
    uint64_t running;  /* jobs in state running */
    uint64_t round;    /* in which it starts its next job */
    uint64_t taken;    /* jobs started in that round, less than quantum */
    uint8_t size;
    char text[];
};

/* Invariant: a heap has room for all lanes of its track and priority. */
struct track {
    struct list queue_link, function_link;
    struct queue *queue;
    struct function *function;
    struct pool *pool; /* whose hosts run its jobs; NULL: those of no pool */
    struct crew *crew; /* the one of that pool it was given last; NULL: it is to be asked for */
    uint64_t lanes_n;
    uint64_t ready; /* jobs in its lanes */
    struct track_breaker breaker;
    struct lane_heap {
        struct lane **lane; /* by lane_before */
        size_t count, size, lanes_n;
    } open[PRIORITIES];
};

/* Invariant: `ready` holds jobs in state ready whose batch is stored, by ticket. */
struct lane {
    struct list key_link;
    struct list ready;
    struct track *track;
    struct queue *queue;
    struct function *function;
    struct queue_key *key;
    uint64_t jobs; /* that name it, in any state */
    uint64_t count;
    size_t place; /* in its heap, + 1; 0: it is not open */
    uint8_t priority;
};

/* ---- queue.c ---- */

/* NULL: unknown, or removed. */
struct queue *queue_find(const struct core *core, struct bytes name);
/* Makes it when it is not there. NULL: out of memory. */
struct queue *queue_get(struct core *core, struct bytes name);
/* The one that ended jobs name; where there is none it is as one that was removed. NULL: out of memory. */
struct queue *queue_of_ended(struct core *core, struct bytes name);
/* It has no jobs but ended ones of other queues: it goes. */
void queue_delete(struct core *core, struct queue *queue);
/* What is set from this origin, all of it. */
void queue_set(struct core *core, struct queue *queue, enum policy_origin origin,
               const struct policy_part *part);
/* It has one more open lane, or one less. */
void queue_opens(struct core *core, struct queue *queue);
void queue_closes(struct queue *queue);
void dispatch(struct core *core);
void queues_free(struct core *core);
void queue_check(const struct core *core);

/* ---- queue_room.c ---- */

/* The job begins to wait, before all others when it is `first` / does so no more; safe when it did not. */
void room_take(struct job *job, bool first);
void room_give(struct core *core, struct job *job);
/* Makes room for a job that comes in, or finds some. 0; 1: its submit waits from now on, with it; or negative: the
 * submit has ended, or is to end with it. The job is the caller's unless it waits. */
int room_ask(struct core *core, struct op *op, struct job *job);
/* Room for a job that no submit waits for: makes some by the policy when it may `drop` others. 0, -ENOBUFS: there is none
 * now, -ENOMEM. */
int room_find(struct core *core, const struct job *job, bool drop);
/* So many jobs, with arguments of so many bytes, may come to wait. */
bool room_fits(const struct queue *queue, uint64_t n, uint64_t bytes);
/* The room of `old`, which it replaces, is enough for it; `alone`, what is free beside it counts, too: of several that come
 * together each would count the same. */
bool room_inherits(const struct job *job, const struct job *old, bool alone);
/* Whether the queue takes what a bulk needs, now or, when it is one that lets submits wait, ever. 0, or the operation has
 * ended. */
int room_judge(struct core *core, struct op *op, const struct queue *queue);
/* The jobs that have waited longest are cancelled until that fits. 0 or -ENOMEM. */
int room_make(struct core *core, struct queue *queue, uint64_t n, uint64_t bytes);
/* Submits that wait go on. */
void rooms_turn(struct core *core);
void room_check(const struct queue *queue);

/* ---- queue_verbs.c ---- */

/* The queue that the daemon's own user asks about. 0, -EPERM, or -ENOENT in words. */
int queue_asked(struct core *core, struct op *op, struct bytes name, struct queue **queue);

/* ---- queue_purge.c ---- */

/* The operation waits until all jobs that wait now are cancelled. 0, -EAGAIN, -ENOBUFS. */
int purge_begin(struct core *core, struct queue *queue, struct op *op);
/* A part of each purge that there is. */
void purge_turn(struct core *core);

/* ---- retention.c ---- */

/* Something has changed by which ended jobs of the queue may have to go: the next turn looks at them. */
void retention_look(struct core *core, struct queue *queue);
void retention_check(const struct queue *queue);

/* ---- queue_made.c: made and removed while the daemon runs ---- */

/* One that is not there yet, to be kept with kept_set or given back with queue_unmake. 0; -EINVAL, -ENOBUFS, in words;
 * -ENOMEM. */
int queue_make(struct core *core, struct op *op, struct bytes name, struct queue **queue);
void queue_unmake(struct core *core, struct queue *queue);

/* ---- queue_kept.c: what is set while the daemon runs ---- */

struct queue_kept {
    struct policy_part part;
    int64_t paused_us;
    bool pause_submits, made;
};

/* What is kept of the queue now. */
struct queue_kept kept_of(const struct queue *queue);
/* Puts each NAME=VALUE of a text into it. 0; -EINVAL: *wrong is the first that makes no sense. */
int kept_read(struct queue_kept *kept, struct bytes text, struct bytes *wrong);
/* Makes that durable, and what the queue does from now on. The batch; 0: out of memory, nothing happened. */
uint64_t kept_set(struct core *core, struct queue *queue, const struct queue_kept *kept);
/* The first step knows the time: until when queues are paused. */
void kept_start(struct core *core);

/* ---- queue_gate.c ---- */

/* No job of it is started / taken, either. */
bool gate_paused(const struct core *core, const struct queue *queue);
bool gate_takes(const struct core *core, const struct queue *queue);

/* It may start a job now. If time alone keeps it, its timer is armed. */
bool gate_passes(struct core *core, struct queue *queue);
/* A job starts. */
void gate_count(struct core *core, struct queue *queue);
/* The policy has changed. */
void gate_set(struct core *core, struct queue *queue);
/* Why it may not, in words; empty: it may. */
size_t gate_reason(const struct core *core, const struct queue *queue, char *to, size_t size);

/* ---- queue_key.c ---- */

/* NULL: out of memory. One that gets no lane is given back with key_release. */
struct queue_key *key_get(struct core *core, struct queue *queue, struct bytes text);
/* Frees it when it has no lane. */
void key_release(struct core *core, struct queue_key *key);
static inline struct bytes key_text(const struct queue_key *key)
{
    return (struct bytes){key->text, key->size};
}
/* The first job of the lane is another: opens and closes what has to be. */
void key_settle(struct core *core, struct lane *lane);
/* The same for all its lanes. */
void key_settle_all(struct core *core, struct queue_key *key);
/* Closes all its lanes. */
void key_close(struct queue_key *key);
/* Its first lane opens: it stands behind the others. */
void key_joins(struct queue_key *key);
/* A job starts / no longer runs. */
void key_started(struct core *core, struct queue_key *key);
void key_ended(struct core *core, struct queue_key *key);
/* Its jobs run one by one, as they became ready. */
bool key_has_order(const struct queue_key *key);
/* Why the lane may start no job, in words; empty: it may. */
size_t key_reason(const struct lane *lane, char *to, size_t size);
/* Gives the number of its ready jobs. */
uint64_t key_check(const struct queue_key *key);

/* ---- queue_lane.c ---- */

/* The lane of a function, key and priority in a queue, with one more job. NULL: out of memory. */
struct lane *lane_get(struct core *core, struct queue *queue, struct function *function, struct bytes key,
                      uint32_t priority);
struct lane *lane_ref(struct lane *lane);
/* One job less; the last one takes lane and, when nothing else needs them, key, track and function with it. */
void lane_drop(struct core *core, struct lane *lane);
/* Puts a ready job in its place / takes it out; safe when it is not there. */
void lane_put(struct core *core, struct job *job);
void lane_take(struct core *core, struct job *job);
/* Its first job; NULL: it has none. */
struct job *lane_head(const struct lane *lane);
/* Into its heap, or to its place there / out of it. */
void lane_open(struct core *core, struct lane *lane);
void lane_close(struct lane *lane);
/* `a` starts before `b`, which has the same priority. */
bool lane_before(const struct lane *a, const struct lane *b);
/* The job to start next and its host. NULL: none can start now. */
struct job *queue_best(struct core *core, struct queue *queue, struct host **host);
/* Frees a track, and its function if nothing else needs it, unless it has lanes or its breaker remembers something. */
void track_settle(struct core *core, struct track *track);
/* All that breakers remember, and the tracks that are there for nothing else. */
void tracks_forget(struct core *core);
/* Gives the number of its jobs. */
uint64_t lane_check(const struct lane *lane);
void track_check(const struct track *track);
