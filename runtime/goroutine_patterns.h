/*
 * goroutine_patterns.h: patterns of concurrent programs, ready made.  Part of libgoroutine.
 *
 *     static int twice(const struct go_task *task)
 *     {
 *         *(int *)task->result = 2 * *(int *)task->arg;
 *         return 0;
 *     }
 *
 *     struct go_workers_options options = {.workers = 3, .queue = 10, .result_bytes = sizeof(int)};
 *     go_workers *pool = go_workers_new(&options);
 *     struct go_task_result r;
 *     int value;
 *
 *     for (int i = 1; i <= 9; i++)
 *         go_workers_submit(pool, twice, &i, sizeof i, GO_FOREVER);
 *     go_workers_close(pool);
 *     while (go_workers_result(pool, &r, &value, GO_FOREVER) == 1)
 *         printf("task %llu: %d\n", (unsigned long long)r.id, value);
 *     go_workers_unref(pool);
 *
 * What goroutine.h says of results, threads, waiting and memory holds here. Besides: `_close` begins the end and
 * returns at once, 0 or -EPIPE when it was closed before, -EINVAL for NULL; the `_unref` of the last holder closes
 * too; goroutines that an object has started hold it, so that it may be released while they end. A context given in
 * options is held, and may be NULL. An object made in a bubble may be used only there.
 */
#ifndef GOROUTINE_PATTERNS_H
#define GOROUTINE_PATTERNS_H

#include "goroutine_sync.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- workers: a pool over a queue of tasks ---- */

typedef struct go_workers go_workers;

#define GO_WORKERS_MAX 1024

/* What a task is told. All of it lives until its function has ended. */
struct go_task {
    uint64_t id;  /* as submit returned it */
    int worker;   /* the number of the worker that runs it, from 0 */
    void *arg;    /* the copy, aligned for any type; or the pointer itself */
    void *result; /* `result_bytes` zeroes, for the task to fill in */
    go_ctx *ctx;  /* of the pool; never NULL */
};

/* Negative when the task failed. It may panic or call go_exit: that fails the task, not the worker. */
typedef int (*go_task_fn)(const struct go_task *task);

enum go_task_end {
    GO_TASK_RETURNED,
    GO_TASK_PANICKED,
    GO_TASK_EXITED,  /* it called go_exit, or its scope ended */
    GO_TASK_DROPPED, /* it was never started, because the context was done */
};

#define GO_TASK_TEXT_BYTES 64

/* What became of a task. */
struct go_task_result {
    uint64_t id;
    int worker; /* -1: none */
    enum go_task_end end;
    int code; /* what the function returned; -ENOTRECOVERABLE panicked, -ECANCELED exited, the context's error */
    char text[GO_TASK_TEXT_BYTES]; /* of a panic, cut; else "" */
};

struct go_workers_options {
    int workers;         /* how many at first: 1..GO_WORKERS_MAX */
    size_t queue;        /* tasks that may wait besides one for each idle worker; 0: handed over to one */
    size_t result_bytes; /* of the result of each task */
    size_t results;      /* no task is started while so many results wait; 0: queue + workers */
    int forget;          /* results are counted only, and nobody need collect them */
    go_ctx *ctx;         /* its end closes the pool and drops the tasks that wait */
};

/*
 * Starts the workers, in the group and bubble of the caller. Every accepted task has exactly one result. NULL: no
 * memory, no goroutines, or options out of range.
 */
GO_API go_workers *go_workers_new(const struct go_workers_options *options);
GO_API go_workers *go_workers_ref(go_workers *p);

/* The last one closes the pool: tasks that wait are still run, their results forgotten. Does not wait. */
GO_API go_workers *go_workers_unref(go_workers *p);

/*
 * Hands in a task: fn with a copy of the argument, or with the pointer `arg` itself when arg_bytes is 0. Waits while
 * the queue is full. Positive: the id of the task, from 1 up, in the order in which they were accepted. -EPIPE: the
 * pool was closed; -ECANCELED or -ETIMEDOUT also when its context is done; -EINVAL: more than GO_ARG_BYTES_MAX;
 * -ENOMEM. After an error the task will not run.
 */
GO_API int64_t go_workers_submit(go_workers *p, go_task_fn fn, const void *arg, size_t arg_bytes,
                                 go_until until);

/* The same with a rank: tasks that wait are started by rank, higher ones first, those of one rank by arrival. Without one
 * it is 0. */
GO_API int64_t go_workers_submit_ranked(go_workers *p, int rank, go_task_fn fn, const void *arg,
                                        size_t arg_bytes, go_until until);

/* Takes the next result, in the order in which tasks ended, and copies `result_bytes` to `value` (may be NULL). 1: a
 * result; 0: closed, all workers have left, and no result is left. */
GO_API int go_workers_result(go_workers *p, struct go_task_result *out, void *value, go_until until);

/*
 * From now on n workers, 1..GO_WORKERS_MAX; does not wait. Surplus workers leave when they are idle or their task
 * has ended: none of them starts another. -EINVAL; -EPIPE: closed, and all have left; or as go_spawn says: then
 * fewer than n were added.
 */
GO_API int go_workers_resize(go_workers *p, int n);

/* Refuses new tasks, also of those who wait to hand one in; those accepted are run. */
GO_API int go_workers_close(go_workers *p);

/* Waits until the pool is closed and the last worker has left. 0. Results must be collected meanwhile, unless there
 * is room for them or they are forgotten. */
GO_API int go_workers_wait(go_workers *p, go_until until);

/* All of one instant. */
struct go_workers_stats {
    int size, alive, running; /* workers wanted, workers that have not left, tasks that run */
    size_t queued, results;   /* tasks that wait to be run, results that wait to be collected */
    uint64_t submitted, succeeded, failed, dropped;
};
GO_API void go_workers_stats_read(go_workers *p, struct go_workers_stats *out);

/* How many tasks the worker of this number has run; of all that ever had the number. 0 for one that never was. */
GO_API uint64_t go_workers_ran(go_workers *p, int worker);

/* ---- plumbing: goroutines between channels ---- */

/*
 * Each call here takes over the receivers that it is given, also when it fails, and answers receivers of its own, which
 * the caller ends with go_generate_stop (goroutine_sync.h) like those of a generator: after the last value or at any time
 * before. It is the only consumer of what it took over, until it ends:
 *     when its inputs are closed and drained: then, after the last value, it closes its outputs;
 *     early, when nobody wants its outputs any more, or when `ctx` (held; may be NULL) is done: then it also closes its
 * inputs, so that those who send to them end in turn. Values under way are lost.
 * So calls nest: go_stage(go_stage(go_generate(...), square, ...), cube, ...). Where there was no memory or no goroutine,
 * or an input is NULL, `from` of the answer is NULL. Outputs have room for `capacity` values.
 */

/* Makes *out (zeroed) of *in. Other than 0: it is passed on; 0: nothing is. Called by `workers` goroutines at once. */
typedef int (*go_stage_fn)(const void *in, void *out, void *arg);

struct go_stage_options {
    int workers; /* goroutines; 0: 1 */
    int ordered; /* results leave in the order of their inputs, whichever is ready first */
    size_t capacity;
    go_ctx *ctx;
};

/* A stage of a pipeline. `arg` is passed on and must live until the output is closed. The values that leave have
 * out_bytes bytes. NULL options are zeroes. A function that calls go_exit ends the stage. */
GO_API go_receiver go_stage(go_receiver in, go_stage_fn fn, void *arg, size_t out_bytes,
                            const struct go_stage_options *options);

/* Fan-in: the values of n inputs, those of one input in its order. Values of different sizes panic. */
GO_API go_receiver go_merge(const go_receiver *in, int n, size_t capacity, go_ctx *ctx);

/* Every value to both outputs; with capacity 0 neither is more than one value ahead of the other. If one is left by its
 * consumer the other goes on. 0, or negative: -ENOMEM, or as go_spawn. */
GO_API int go_tee(go_receiver in, go_receiver out[2], size_t capacity, go_ctx *ctx);

/* The values (of value_bytes bytes) of all channels that come out of `in`, one channel after the other. `in` carries
 * values of type go_receiver, each of which is taken over. */
GO_API go_receiver go_bridge(go_receiver in, size_t value_bytes, size_t capacity, go_ctx *ctx);

/*
 * Groups of up to n values. A group leaves when it is full, wait_ns after its first value came, or when the input has
 * ended. What leaves is a size_t, how many, and room for n values behind it:
 *     struct { size_t n; int values[10]; }
 * so values may not need a greater alignment than size_t. n 0 and sizes that no memory can hold panic.
 */
GO_API go_receiver go_batches(go_receiver in, size_t n, int64_t wait_ns, size_t capacity, go_ctx *ctx);

/* A channel whose sender never waits: when it is full it drops its oldest value. */
typedef struct go_ring go_ring;

/* NULL: no memory. Capacity 0 panics. The last unref closes. */
GO_API go_ring *go_ring_new(size_t value_bytes, size_t capacity);
GO_API go_ring *go_ring_ref(go_ring *r);
GO_API go_ring *go_ring_unref(go_ring *r);

/* 0 sent; 1 sent, and the oldest value was dropped: it is stored at `oldest`, unless that is NULL. -EPIPE: closed. */
GO_API int go_ring_send(go_ring *r, const void *value, void *oldest);

/* The end to receive from, select and range over, any number at once. It lives as long as the ring: go_chan_ref its
 * channel to keep it longer. */
GO_API go_receiver go_ring_receiver(const go_ring *r);

/* How many values were dropped. */
GO_API uint64_t go_ring_dropped(const go_ring *r);

/* As go_chan_close: what is buffered can still be received. */
GO_API int go_ring_close(go_ring *r);

/* ---- limits and failures ---- */

/* A rate limiter: a bucket of tokens, filled by the clock; no goroutine runs for it. */
typedef struct go_limiter go_limiter;

/*
 * `tokens` tokens come in each per_ns nanoseconds, evenly, and at most `burst` are kept; it begins full. Exact, whatever
 * the figures: 3 in a second are one each third of a second, without drift. Figures below 1, or a burst * per_ns beyond
 * 2^62, panic. NULL: no memory.
 */
GO_API go_limiter *go_limiter_new(int64_t tokens, int64_t per_ns, int64_t burst);
GO_API go_limiter *go_limiter_ref(go_limiter *l);
GO_API go_limiter *go_limiter_unref(go_limiter *l);

/*
 * Takes n tokens at once, first come, first served: nobody passes one who waits, with GO_NOW neither. 0; or -EPIPE,
 * closed; -EINVAL, n is negative or more than the burst; or as `until` says, and then no token was taken.
 */
GO_API int go_limiter_take(go_limiter *l, int64_t n, go_until until);

/* Ends all waits, and refuses every token from now on. */
GO_API int go_limiter_close(go_limiter *l);

/* Whole tokens in the bucket. Out of date on return. */
GO_API int64_t go_limiter_tokens(go_limiter *l);

/* A circuit breaker: spares those who call what has failed too often. Never waits. */
typedef struct go_breaker go_breaker;

enum go_breaker_state {
    GO_BREAKER_CLOSED,    /* calls go through; so many failures in a row open it */
    GO_BREAKER_OPEN,      /* calls are refused, for a time */
    GO_BREAKER_HALF_OPEN, /* the time is over: the next call is a probe, others are refused while it runs */
};

/* Opens after failures_max (1 or more) failures in a row, for open_ns. NULL: no memory. */
GO_API go_breaker *go_breaker_new(int failures_max, int64_t open_ns);
GO_API go_breaker *go_breaker_ref(go_breaker *b);
GO_API go_breaker *go_breaker_unref(go_breaker *b);

/*
 * Calls fn(arg), outside any lock, and returns what it returned: negative is a failure, as are a panic and go_exit. Or
 * -EHOSTDOWN, and fn was not called. A probe that succeeds closes the breaker, one that fails opens it again. A call
 * that began before the last change of state counts for nothing.
 */
GO_API int go_breaker_call(go_breaker *b, int (*fn)(void *arg), void *arg);
GO_API enum go_breaker_state go_breaker_state(go_breaker *b);

/* Calls fn(arg) until it returns 0 or more, at most `attempts` times, with pauses of pause_ns, twice that, and so on.
 * Returns what the last call returned; or the error of `ctx` (may be NULL), before the first call or in a pause. */
GO_API int go_retry(int (*fn)(void *arg), void *arg, int attempts, int64_t pause_ns, go_ctx *ctx);

/* ---- load balancer ---- */

/* Workers with a queue of jobs each, and a policy that gives each job to one of them. */
typedef struct go_balancer go_balancer;

#define GO_BALANCER_WORKERS_MAX 64

struct go_balancer_options {
    int workers; /* 1..GO_BALANCER_WORKERS_MAX */
    const int
        *weights; /* how many of the jobs each gets, in relation, 1 or more; NULL: all alike, round robin */
    size_t queue; /* jobs that may wait at each worker */
    size_t job_bytes;
    void (*fn)(int worker, void *job, void *arg); /* in the worker's goroutine, for each job */
    void *arg;
};

/* NULL: no memory, no goroutines, or options out of range. The last unref closes. */
GO_API go_balancer *go_balancer_new(const struct go_balancer_options *options);
GO_API go_balancer *go_balancer_ref(go_balancer *b);
GO_API go_balancer *go_balancer_unref(go_balancer *b);

/*
 * Copies the job into the queue of the worker whose turn it is, among those that are up and have room: smooth weighted
 * round robin, 3:2:1 is 0,1,0,2,1,0. When none has room it waits for the first that has. 0 and more: the worker. -EPIPE:
 * closed; -EHOSTDOWN: no worker is up. After an error the job will not run.
 */
GO_API int go_balancer_submit(go_balancer *b, const void *job, go_until until);

/* A worker that is down gets no jobs; those in its queue are run. All are up at first. -EINVAL: no such worker;
 * -ENOMEM. */
GO_API int go_balancer_set_up(go_balancer *b, int worker, int up);

/* Refuses new jobs, also of those who wait; those in queues are run. */
GO_API int go_balancer_close(go_balancer *b);

/* Waits until it is closed and the last worker has ended. 0. */
GO_API int go_balancer_wait(go_balancer *b, go_until until);

/* How many jobs the worker has begun. */
GO_API uint64_t go_balancer_ran(const go_balancer *b, int worker);

/* ---- pool of resources ---- */

/* Connections, buffers, licences: at most so many, made when they are first needed, used by one at a time. */
typedef struct go_resources go_resources;

#define GO_RESOURCES_MAX 4096

struct go_resources_options {
    int most;                                /* how many there may be: 1..GO_RESOURCES_MAX */
    int (*make)(void **resource, void *arg); /* 0, and *resource is not NULL; or negative. May wait. */
    void (*drop)(void *resource, void *arg); /* undoes make. May wait. */
    void *arg;
};

/* NULL: no memory, or options out of range. The last unref closes; nothing may be taken any more by then. */
GO_API go_resources *go_resources_new(const struct go_resources_options *options);
GO_API go_resources *go_resources_ref(go_resources *p);
GO_API go_resources *go_resources_unref(go_resources *p);

/*
 * Takes a resource: an idle one, or a new one while there are fewer than `most`; else it waits, first come, first served,
 * for one that is given back. 0; -EPIPE: the pool is closed; or what make answered, after which the next one that waits
 * may try. `until` does not end make.
 */
GO_API int go_resources_get(go_resources *p, void **out, go_until until);

/* Gives it back: to the next that waits, or to lie idle; in a closed pool it is dropped. -EINVAL: not of this pool, or
 * given back before. */
GO_API int go_resources_put(go_resources *p, void *resource);

/* The same for one that is of no use any more: it is dropped, and another may be made in its place. */
GO_API int go_resources_discard(go_resources *p, void *resource);

/* Ends all waits, drops what is idle and from now on whatever is put. */
GO_API int go_resources_close(go_resources *p);

/* How many are in use, being made or dropped; how many lie idle. Out of date on return. */
GO_API int go_resources_taken(go_resources *p);
GO_API int go_resources_idle(go_resources *p);

/* ---- publish and subscribe ---- */

/* Messages of one size by topic, to all who have subscribed to it, inside this process. */
typedef struct go_broker go_broker;
typedef struct go_subscription go_subscription;

enum go_publish_policy {
    GO_PUBLISH_WAITS, /* the publisher waits until there is room */
    GO_PUBLISH_DROPS, /* a message for which there is no room is dropped, and counted */
};

/* NULL: no memory. The last unref closes. */
GO_API go_broker *go_broker_new(size_t value_bytes);
GO_API go_broker *go_broker_ref(go_broker *b);
GO_API go_broker *go_broker_unref(go_broker *b);

/* Ends every subscription: what is buffered can still be received. */
GO_API int go_broker_close(go_broker *b);

/* From now on messages of this topic, with room for `capacity` of them. It holds the broker. NULL: no memory, or the
 * broker is closed. */
GO_API go_subscription *go_broker_subscribe(go_broker *b, const char *topic, size_t capacity,
                                            enum go_publish_policy policy);

/*
 * Gives the message to every subscription of the topic, in the order in which they were made; those of one publisher
 * arrive in its order. How many took it, 0 too. -EPIPE: closed; or as `until` says, if a subscription that is waited for
 * had no room until then: that one, too, counts it as dropped, and the others got it.
 */
GO_API int go_broker_publish(go_broker *b, const char *topic, const void *value, go_until until);

/* Where the messages come out, to range over or to select; closed and drained when the broker was closed. It lives as
 * long as the subscription: go_chan_ref its channel to keep it longer. */
GO_API go_receiver go_subscription_receiver(const go_subscription *s);

/* Messages that it missed. */
GO_API uint64_t go_subscription_dropped(const go_subscription *s);

/* Ends and frees the subscription: nobody waits for it any more. Accepts NULL and returns NULL. */
GO_API go_subscription *go_unsubscribe(go_subscription *s);

/* ---- cache ---- */

/* Values of one size by key; so many at most, the oldest gives way; none is found longer than ttl_ns. Never waits. */
typedef struct go_cache go_cache;

/* For ever is GO_NS_FOREVER. `most` or ttl_ns below 1 panic. NULL: no memory. */
GO_API go_cache *go_cache_new(size_t value_bytes, size_t most, int64_t ttl_ns);
GO_API go_cache *go_cache_ref(go_cache *c);
GO_API go_cache *go_cache_unref(go_cache *c);

/* Copies key and value; what was there under the key is replaced, and the new one is the youngest. 0, -ENOMEM, -EINVAL: key
 * too long. */
GO_API int go_cache_put(go_cache *c, go_key key, const void *value);

/* 1: found, and copied to `value` (may be NULL); 0: not there, or expired. */
GO_API int go_cache_get(go_cache *c, go_key key, void *value);

/* 1: it was there. */
GO_API int go_cache_remove(go_cache *c, go_key key);

/* Entries that have not expired. */
GO_API size_t go_cache_len(go_cache *c);

/* ---- health checks ---- */

/* Functions that say whether something is well, run side by side, each with a timeout. */
typedef struct go_health go_health;

#define GO_HEALTH_CHECKS_MAX 64
#define GO_HEALTH_TEXT_BYTES 64

/* Negative when it is not well; may leave a text that says why. `ctx` is done at the timeout, and when the checks are
 * closed. A panic is caught: it is not well. */
typedef int (*go_health_fn)(go_ctx *ctx, char *text, size_t text_bytes, void *arg);

struct go_health_result {
    const char *name; /* lives as long as the checks */
    int code; /* 0: well; -ENODATA: it has not run yet; -ETIMEDOUT; -ENOTRECOVERABLE: panic; or its own */
    char text[GO_HEALTH_TEXT_BYTES];
};

/* NULL: no memory. The last unref closes. */
GO_API go_health *go_health_new(void);
GO_API go_health *go_health_ref(go_health *h);
GO_API go_health *go_health_unref(go_health *h);

/* One more check; the name is copied. -E2BIG: there are GO_HEALTH_CHECKS_MAX; -ENOMEM. */
GO_API int go_health_add(go_health *h, const char *name, go_health_fn fn, void *arg, int64_t timeout_ns);

/*
 * Runs all checks and waits until each has answered or run into its timeout: how many are not well. One that still hangs
 * from before is not started again, and is not well. -EPIPE: closed; or as `until` says: they go on, and go_health_read
 * tells what they came to.
 */
GO_API int go_health_run(go_health *h, go_until until);

/* Runs them now and then every period_ns (not below 1), in a goroutine, until they are closed. -EPIPE; or as go_spawn. */
GO_API int go_health_every(go_health *h, int64_t period_ns);

/* What check i, from 0 in the order in which they were added, last came to. 1; 0: there is no such check. */
GO_API int go_health_read(go_health *h, int i, struct go_health_result *out);

/* Ends the rounds and the contexts of checks that run. */
GO_API int go_health_close(go_health *h);

/* Waits until it is closed and no goroutine of it is left: not while a check hangs. 0. */
GO_API int go_health_wait(go_health *h, go_until until);

#ifdef __cplusplus
}
#endif
#endif
