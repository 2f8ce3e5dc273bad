/*
 * goclient.h — channels and jobs of a goroutined, for C and C++ programs.
 *
 *     gc_client *g;
 *     char why[GC_WHY_BYTES];
 *     if (gc_connect(NULL, &g, why) < 0)
 *         errx(1, "%s", why);
 *     gc_chan results;
 *     gc_make(g, "results", 16, &results, GC_FOREVER);      // results := make(chan []byte, 16)
 *     gc_send(g, results, gc_string("hello"), GC_FOREVER);  // results <- "hello"
 *     struct gc_value v;
 *     gc_recv(g, results, &v, 0, gc_after_ms(50));          // v := <-results, for at most 50 ms
 *     gc_value_clear(&v);
 *     gc_disconnect(g);
 *
 * Results. Every call returns 0 or a positive count or outcome, or a negative errno value; gc_why() then says in
 * words what was wrong. These errors any call that talks to the daemon may return; the lines below name the
 * others:
 *     -ETIMEDOUT     the deadline passed; nothing happened, unless gc_in_doubt() says that it may have
 *     -ECANCELED     the context was cancelled; likewise
 *     -EAGAIN        GC_NOW, and it would have had to wait; likewise
 *     -ECONNRESET    the session is over: ended by the daemon, or this process is a fork of its owner
 *     -ENETRESET     the daemon stopped or was restarted; its channels are gone with it. Receives took nothing;
 *                    sends, closes and submits are in doubt (gc_in_doubt, gc_op_status)
 *     -ECONNREFUSED  no daemon came back within reconnect_ms; nothing happened
 *     -ENOBUFS       over a limit or credit of the daemon; nothing happened
 *     -EPERM         the handle, or the user, has no right to it
 *     -EINVAL        an argument is out of its range
 *     -ENOMEM        here or in the daemon; nothing happened
 * After -ECONNRESET or -ENETRESET the client opens a new session by itself with the next call. Channel handles of
 * the old one fail with that error for ever; job ids live on.
 *
 * Waiting. A blocking call ends with its `until`: a deadline, a context, or both. A call that has taken effect
 * in the daemon returns its effect, even when its deadline passed meanwhile: never an error and a value. When
 * the daemon does not answer, a call waits until it does or is known to be gone, whatever its deadline.
 *
 * Threads. Every function may be called from any thread, by many at once, except where its line says
 * otherwise. Nothing here is async-signal-safe but gc_ctx_cancel. A fork has no session: its calls return
 * -ECONNRESET; connect anew, and do not disconnect the inherited client. Do not pthread_cancel() a thread inside
 * a call: what the call holds, locks among it, would never be given back. End the wait with gc_ctx_cancel.
 *
 * Memory. Strings and bytes given to a call are borrowed until it returns (values are copied at the call).
 * What a call hands out belongs to the caller and is freed by the _clear function of its type; these accept a
 * struct full of zeros, and leave one.
 *
 * Structs that begin with `size` grow with later versions: set it to the sizeof of the struct and leave the
 * rest zero. Zero always means the default.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GC_API __attribute__((visibility("default")))

enum {
    GC_WHY_BYTES = 512,
    GC_NAME_BYTES = 256,  /* a name of 255 bytes of [A-Za-z0-9_.:/-] and its end */
    GC_VALUES_MAX = 1024, /* values in one gc_send_many or gc_recv_many */
    GC_CASES_MAX = 1024,  /* cases of one gc_select that can be ready */
};

typedef struct gc_client gc_client;
typedef struct gc_ctx gc_ctx;

/* A handle of a channel, of the session that opened it. All zero: the nil channel. */
typedef struct {
    uint64_t id;
} gc_chan;

/* A job of the daemon. Outlives sessions and restarts of the daemon. */
typedef struct {
    uint64_t id;
} gc_job;

#define GC_NIL (gc_chan_of(0))
static inline gc_chan gc_chan_of(uint64_t id)
{
    gc_chan c;
    c.id = id;
    return c;
}

static inline gc_job gc_job_of(uint64_t id)
{
    gc_job j;
    j.id = id;
    return j;
}

/* ---- until: when a call gives up ---- */

/* `ns`: absolute time of CLOCK_MONOTONIC, or one of the marks GC_FOREVER and GC_NOW. `ctx`: or NULL. */
typedef struct {
    int64_t ns;
    gc_ctx *ctx;
} gc_until;

static inline gc_until gc_at(int64_t ns)
{
    gc_until u;
    u.ns = ns;
    u.ctx = NULL;
    return u;
}

#define GC_FOREVER (gc_at(INT64_MAX))
#define GC_NOW     (gc_at(INT64_MIN)) /* do not wait; judged once, in the daemon */

/* So many milliseconds from now; 0 or less has passed already. Saturates. */
GC_API gc_until gc_after_ms(int64_t ms);

/* Until the context is cancelled. For a deadline too: `gc_until u = gc_after_ms(50); u.ctx = ctx;`. */
static inline gc_until gc_with(gc_ctx *ctx)
{
    gc_until u = gc_at(INT64_MAX);
    u.ctx = ctx;
    return u;
}

/* A context: one cancellation for any number of calls of one client. NULL: no memory. Free it after every
 * call that names it has returned, and before its client is disconnected. Accepts NULL, returns NULL. */
GC_API gc_ctx *gc_ctx_new(gc_client *g);
GC_API gc_ctx *gc_ctx_free(gc_ctx *ctx);

/* Ends the context; the first call counts, more are harmless. Never blocks; allowed in a signal handler.
 * Calls that wait with this context ask the daemon to stop, and return its answer. */
GC_API void gc_ctx_cancel(gc_ctx *ctx);
GC_API bool gc_ctx_done(const gc_ctx *ctx);

/* ---- the client ---- */

enum gc_option_flags {
    GC_NO_THREAD = 1 << 0, /* no service thread: the program calls gc_dispatch when gc_fd is readable */
};

struct gc_options {
    size_t size;
    const char *endpoint;   /* ipc://PATH or tcp://HOST:PORT; NULL: the default */
    const char *program;    /* name for people; NULL: the process's short name */
    unsigned flags;         /* enum gc_option_flags */
    int64_t absent_ms;      /* how long to wait for a daemon that is not there yet; 0: fail at once */
    int64_t answer_ms;      /* how long its first answer may take; 0: 5000 */
    int64_t reconnect_ms;   /* how long to look for a daemon that has gone; 0: 10000 */
    const char *lane;       /* "auto": the fastest way for frames; "zmq"; NULL: $GOROUTINED_LANE, else auto */
    const char *server_key; /* tcp: public key of the daemon; NULL: $GOROUTINED_SERVER_KEY, else no keys */
    const char *secret_file; /* tcp: keys of this client (gc_keygen); NULL: $GOROUTINED_SECRET_FILE */
};

/* Opens a session. `options` may be NULL. The default endpoint is $GOROUTINED_ENDPOINT, else
 * ipc://$XDG_RUNTIME_DIR/goroutined/socket, else ipc:///run/goroutined/socket. On failure *g is NULL and
 * `why` (GC_WHY_BYTES, or NULL) says where it looked, what was wrong and what to do. Blocks for absent_ms +
 * answer_ms at most.
 *     -ECONNREFUSED     no daemon there
 *     -ETIMEDOUT        it does not answer
 *     -EPERM, -EACCES   it does not let this user or key in, or the socket does not; others may read the secret file
 *     -EPROTONOSUPPORT  it speaks another version
 *     -EPROTO           what answers there is no goroutined, or has another key
 *     -ESHUTDOWN, -ENOBUFS  it is stopping; it has too many sessions
 *     -EINVAL           no such kind of endpoint, or `options` is not of this library
 *     -ENAMETOOLONG     the endpoint is longer than a socket address
 *     -EMFILE, -EAGAIN, -ENOMEM  no descriptor, thread or memory left */
GC_API int gc_connect(const struct gc_options *options, gc_client **g, char *why);

/* Ends the session in order: acknowledgements leave, held values go back, handles are dropped. Calls of other
 * threads return -ECONNRESET; the client is gone once they have. Not while another thread may still begin a
 * call. Blocks for half a second at most. Accepts NULL, returns NULL. */
GC_API gc_client *gc_disconnect(gc_client *g);

/* For GC_NO_THREAD: readable when gc_dispatch has something to do. The client's: do not close or read it. */
GC_API int gc_fd(const gc_client *g);

/* Does what is due (results, acknowledgements, heartbeats, reconnecting), waiting for it until `until`. 1:
 * did something, 0: nothing was due. Needed at least every second while no other call waits. */
GC_API int gc_dispatch(gc_client *g, gc_until until);

struct gc_about {
    uint64_t session;           /* public number of the session, for people */
    uint64_t node, incarnation; /* of the daemon; the incarnation is larger after each restart */
    uint64_t frames_sent, frames_received;
    char endpoint[256];
    const char *lane; /* "local", "zmq"; NULL: no session */
};

/* The session and daemon this client speaks to. Does not block; any thread. */
GC_API void gc_about(gc_client *g, struct gc_about *out);

/* ---- what went wrong ---- */

/* In words: the last failure of a call by this thread (or goroutine). Valid until its next call. */
GC_API const char *gc_why(void);

/* Whether the last call of this thread (or goroutine) may have had an effect that it does not tell of: one that failed may have
 * taken effect all the same; of gc_send_many's values one that it does not count may have been seen. */
GC_API bool gc_in_doubt(void);

/* An operation: outlives its session, so that its fate can be asked for. */
struct gc_op {
    uint8_t session[16];
    uint64_t id;
};

/* The last operation of this thread (or goroutine): after a gc_submit in doubt, what gc_op_status wants. */
GC_API struct gc_op gc_last_op(void);

/* A few words for an error of this library, static; takes it negative or positive. */
GC_API const char *gc_strerror(int error);
/* Of the library that is linked: "0.1.0". */
GC_API const char *gc_version(void);

/* ---- values ---- */

enum gc_value_flags {
    GC_REDELIVERED = 1 << 0, /* perhaps seen before: its receiver died before acknowledging it */
    GC_RETURNED = 1 << 1,    /* surely unseen: its receiver gave it back */
    GC_LAST = 1 << 2,        /* of a subscription: the last message of its topic, from before it began */
};

/* To send: set data and size, leave the rest zero. Received: all of it is the library's to fill, and the
 * caller's to gc_value_clear. Zero bytes are a value like any other. */
struct gc_value {
    const void *data;
    size_t size;
    const struct gc_passed *chans; /* channels it carries: goclient_chan.h */
    size_t chans_n;
    unsigned flags;  /* enum gc_value_flags */
    unsigned place_; /* of a held value in its receive */
    uint64_t hold_;  /* of a held value: its receive; 0: not held */
    void *memory_;
};

static inline struct gc_value gc_bytes(const void *data, size_t size)
{
    struct gc_value v;
    memset(&v, 0, sizeof v);
    v.data = data;
    v.size = size;
    return v;
}

/* The bytes of a string, without its end. */
static inline struct gc_value gc_string(const char *s)
{
    return gc_bytes(s, strlen(s));
}

/* Frees a received value. A held one stays unacknowledged. */
GC_API void gc_value_clear(struct gc_value *v);

/* ---- channels ---- */

enum gc_chan_flags {
    GC_CREATE = 1 << 0,       /* make it when it is not there */
    GC_EXCLUSIVE = 1 << 1,    /* with GC_CREATE: -EEXIST when it is there */
    GC_OWNER_CLOSES = 1 << 2, /* the end of the session (or job) that makes it closes it */
    GC_SYNC_MATCH = 1 << 3,   /* capacity 0: a send returns at the match, before its receiver has it */
    GC_AT_MOST_ONCE = 1 << 4, /* values a dead receiver had not acknowledged are dropped, not redelivered */
    GC_DURABLE =
        1 << 5, /* with GC_CREATE: kept on disk, with a capacity, and there after a restart of the daemon */
};

enum gc_rights { GC_MAY_SEND = 1, GC_MAY_RECV = 2, GC_MAY_CLOSE = 4 };

enum gc_full { GC_FULL_BLOCKS, GC_FULL_DROPS_OLDEST, GC_FULL_DROPS_NEWEST };

struct gc_chan_options {
    size_t size;
    unsigned flags;           /* enum gc_chan_flags */
    unsigned rights;          /* enum gc_rights; 0: all */
    uint64_t capacity;        /* values; 0: a rendezvous */
    uint64_t value_bytes_max; /* 0: the daemon's default, 1 MiB */
    uint64_t element_bytes;   /* every value has this size; 0: any */
    const char *type_tag;     /* must be equal for all who open the channel; NULL: none */
    enum gc_full full;        /* what a full channel does with one more value */
};

/* Opens the channel `name`; NULL or "" makes an anonymous one. `options` NULL: as it is, with all rights.
 * -ENOENT: no such channel and no GC_CREATE. -EEXIST: GC_EXCLUSIVE and it is there, or it is there with
 * another capacity, element size, type or durability. -E2BIG: capacity or name too large. -EINVAL: a byte of the name. */
GC_API int gc_open(gc_client *g, const char *name, const struct gc_chan_options *options, gc_chan *out,
                   gc_until until);

/* make(chan []byte, capacity): opens `name`, making it when it is not there. Errors as gc_open. */
GC_API int gc_make(gc_client *g, const char *name, uint64_t capacity, gc_chan *out, gc_until until);

/* Gives the handle back. Never waits. Not a close: the channel and its values stay (C8). -ENOENT: not a
 * handle of this client. */
GC_API int gc_drop(gc_client *g, gc_chan c);

/* Takes the name off the channel; it lives until its last handle is dropped. -ENOENT. */
GC_API int gc_unlink(gc_client *g, const char *name, gc_until until);

/* close(c). -EPIPE: closed already. -EINVAL: the nil channel. -ENOENT: not a handle of this client. */
GC_API int gc_close(gc_client *g, gc_chan c, gc_until until);

/* Sends one value: returns 0 when it is in the buffer or, with capacity 0, when a receiver has it. Nil
 * blocks. -EPIPE: closed; the value is not delivered. -EMSGSIZE: not the channel's element size. -E2BIG:
 * larger than the channel allows. -ENOENT: not a handle of this client. */
GC_API int gc_send(gc_client *g, gc_chan c, struct gc_value v, gc_until until);

/* Sends n values (1..GC_VALUES_MAX) in order, in one operation. The number taken: n, or less when it ended
 * early (deadline, context, close; the next call says which). Errors as gc_send when none was taken; -E2BIG
 * for n too large as well. */
GC_API int gc_send_many(gc_client *g, gc_chan c, const struct gc_value *values, size_t n, gc_until until);

enum gc_recv_flags {
    GC_HOLD = 1 << 0, /* acknowledged by gc_ack, not by the return of the call */
};

/* 1: a value, which is the caller's; 0: closed and drained, *out is zero. Nil blocks. The value is acknowledged
 * when the call returns: until then the death of this process puts it back. -ENOENT. */
GC_API int gc_recv(gc_client *g, gc_chan c, struct gc_value *out, unsigned flags, gc_until until);

/* Waits for one value and takes what is there, at most n (1..GC_VALUES_MAX): the number, 0 when closed and
 * drained. Only that many members of `values` are written. */
GC_API int gc_recv_many(gc_client *g, gc_chan c, struct gc_value *values, size_t n, unsigned flags,
                        gc_until until);

/* for v := range c: `struct gc_value v = {0}; while ((r = gc_range(g, c, &v, 0, GC_FOREVER)) > 0) …`.
 * As gc_recv, and first clears the value of the round before; with GC_HOLD acknowledges it too, so that a
 * value counts as received when the body of the loop has run. */
GC_API int gc_range(gc_client *g, gc_chan c, struct gc_value *v, unsigned flags, gc_until until);

/* A value received with GC_HOLD has been dealt with; so have those before it in its gc_recv_many. Never
 * waits. -EINVAL: not held. -ESTALE: acknowledged already. -ECONNRESET, -ENETRESET: its session is over, it
 * may be delivered again. */
GC_API int gc_ack(gc_client *g, struct gc_value *v);

/* Gives a held value back, and those after it in its gc_recv_many: they go to the head of the channel,
 * flagged GC_RETURNED. Those before it are acknowledged. Never waits. Errors as gc_ack. */
GC_API int gc_return(gc_client *g, struct gc_value *v);

/* What is known of a channel; old news on arrival. */
struct gc_chan_info {
    char name[GC_NAME_BYTES]; /* "": anonymous or unlinked */
    uint64_t length, capacity;
    uint64_t senders, receivers; /* waiting */
    uint64_t returned;           /* values given back and not yet received again */
    uint64_t handles;            /* open, of all sessions */
    uint64_t bytes;
    uint64_t sent, received, dropped;
    bool closed, unlinked, durable;
    uint64_t storing; /* sent to a durable one, and not yet on disk */
};

/* By handle, or by name. -ENOENT. */
GC_API int gc_chan_info(gc_client *g, gc_chan c, struct gc_chan_info *out, gc_until until);
GC_API int gc_chan_stat(gc_client *g, const char *name, struct gc_chan_info *out, gc_until until);

/* len(c) and cap(c); 0 for nil. */
GC_API int64_t gc_len(gc_client *g, gc_chan c, gc_until until);
GC_API int64_t gc_cap(gc_client *g, gc_chan c, gc_until until);

/* One page of a list, in the order of names. */
struct gc_chan_page {
    struct gc_chan_info *items;
    size_t n;
    bool more; /* ask again with `after` = the last name */
};

/* Named channels that start with `prefix` (NULL: all), after the name `after` (NULL: from the first), at most
 * `limit` (0: as many as one answer holds). The number in the page. */
GC_API int gc_channels(gc_client *g, const char *prefix, const char *after, uint32_t limit,
                       struct gc_chan_page *out, gc_until until);
GC_API void gc_chan_page_clear(struct gc_chan_page *page);

/* ---- jobs ---- */

enum gc_submit_flags {
    GC_DETACHED = 1 << 0,  /* not cancelled by the end of the context of the call (goclient_context.h) */
    GC_AFTER_ANY = 1 << 1, /* however those of `after` end; else it is cancelled when one was not done */
};

struct gc_submit {
    size_t size;
    const char *plugin; /* path of the shared object; the daemon is told its real path. NULL: for a worker */
    const char *function;
    const void *argument;
    size_t argument_bytes;
    const char *queue; /* NULL: "default" */
    unsigned flags;    /* enum gc_submit_flags */
    uint32_t
        attempts_max; /* failures before the job has failed, crashes counted apart; 0: of the function or queue */
    int64_t backoff_ns;     /* before the second attempt; doubles with each */
    int64_t backoff_max_ns; /* its bound */
    int64_t time_limit_ns;  /* of one run */
    int64_t grace_ns;       /* between cancel and the end of the host */
    int64_t deadline_in_ns; /* of the whole job, from now; it ends with cause GC_CAUSE_TIMEOUT */
    int64_t delay_ns;       /* not before now + delay */
    uint32_t priority;      /* 0..9, higher is more urgent */
    const char *key;        /* for order and fairness among jobs of one key; NULL: none */
    uint32_t jitter;        /* percent by which a delay between attempts is longer, at most: 0..100 */
    const uint64_t
        *delays_ns; /* before the second, third, … attempt, instead of the backoff; the last one repeats */
    size_t delays_n;
    const uint64_t *after; /* ids of jobs that end before it is ready */
    size_t after_n;
    const struct gc_once *once; /* goclient_job.h: a key under which it is submitted once; NULL: none */
};

/* Returns after the job is on disk. 1: `once` found another job, which *out is. -ENOENT: no such file, function or queue. -EACCES: somebody else may
 * write to the file. -ENOEXEC: not a plugin, or one for another version. -E2BIG: argument too
 * large. -ENOSPC: the daemon's disk is full. */
GC_API int gc_submit(gc_client *g, const struct gc_submit *what, gc_job *out, gc_until until);

/* Stored by the daemon: the numbers never change. */
enum gc_job_state {
    GC_JOB_NONE,
    GC_JOB_SCHEDULED, /* not due yet, or between attempts */
    GC_JOB_BLOCKED,   /* on other jobs */
    GC_JOB_READY,
    GC_JOB_RUNNING,
    GC_JOB_DONE, /* succeeded; this and the following have ended */
    GC_JOB_FAILED,
    GC_JOB_CANCELLED,
    GC_JOB_DEAD, /* attempts used up, or quarantined */
};

enum gc_cause {
    GC_CAUSE_NONE,
    GC_CAUSE_ERROR, /* the function returned a negative errno value */
    GC_CAUSE_PANIC,
    GC_CAUSE_CRASH, /* its host died of it */
    GC_CAUSE_DEADLOCK,
    GC_CAUSE_TIMEOUT,
    GC_CAUSE_CANCELED,
    GC_CAUSE_RETURNED, /* handed back unharmed: no attempt is counted */
};

/* "done", "timeout"; "unknown" for other numbers. Static. */
GC_API const char *gc_job_state_name(enum gc_job_state state);
GC_API const char *gc_cause_name(enum gc_cause cause);

/* How a job ended. */
struct gc_result {
    enum gc_job_state state;
    enum gc_cause cause;
    int error;        /* what the function returned */
    uint32_t attempt; /* failures before this end */
    uint64_t run;     /* of the last run */
    const char *text; /* cause in words; never NULL */
    const void *data; /* what the function left as its result */
    size_t bytes;
    void *memory_;
};

/* Waits for the job to end. 1: done, 0: it ended in another way, which *out tells. `out` may be NULL. Goes on
 * over a restart of the daemon. -ENOENT: no such job (any more). */
GC_API int gc_wait(gc_client *g, gc_job job, struct gc_result *out, gc_until until);
GC_API void gc_result_clear(struct gc_result *result);

struct gc_job_info {
    gc_job job;
    uint64_t run; /* runs so far; fencing token of the last */
    enum gc_job_state state;
    enum gc_cause cause;
    int error;
    uint32_t attempt, attempts_max, crashes;
    uint32_t uid; /* of the submitter */
    const char *plugin, *function, *queue;
    const char *text;     /* cause, or why it waits; "" when there is nothing to say */
    const char *progress; /* in words */
    double fraction;      /* 0..1 */
    int64_t created_us, started_us, ended_us, due_us; /* wall clock, UTC; 0: not yet */
    uint64_t output_bytes;
    const void *data; /* result of an ended job; not in lists */
    size_t bytes;
    void *memory_;
};

/* -ENOENT: no such job. */
GC_API int gc_job_info(gc_client *g, gc_job job, struct gc_job_info *out, gc_until until);
GC_API void gc_job_info_clear(struct gc_job_info *info);

struct gc_job_page {
    struct gc_job_info *items;
    size_t n;
    bool more; /* ask again with `after` = next, also when this page is empty */
    gc_job next;
    void *memory_;
};

struct gc_job_filter {
    size_t size;
    uint32_t states;   /* bits 1 << enum gc_job_state; 0: all */
    const char *queue; /* NULL: all */
    gc_job after;      /* from the job behind this one */
    uint32_t limit;    /* 0: as many as one answer holds */
};

/* A page of jobs in the order of submission. `filter` may be NULL. The number in the page. */
GC_API int gc_jobs(gc_client *g, const struct gc_job_filter *filter, struct gc_job_page *out, gc_until until);
GC_API void gc_job_page_clear(struct gc_job_page *page);

/* Asks for the end of a job: its context ends, its grace begins. Returns after that is on disk, not after the
 * job has ended. `cause` in words, or NULL. A job that has ended is not changed. -ENOENT: no such job. */
GC_API int gc_job_cancel(gc_client *g, gc_job job, const char *cause, gc_until until);

/* Kept output from byte `offset` on, at most `max` bytes (0: as many as one answer holds): *out is the
 * caller's (gc_value_clear). 1: there is more now, 0: that was all so far. -ENOENT. */
GC_API int gc_job_output(gc_client *g, gc_job job, uint64_t offset, uint32_t max, struct gc_value *out,
                         gc_until until);

/* What became of an operation, of this session or one that ended in the last minute (submits: as long as the
 * job is kept). 1: it took effect (*job is set for a submit), 0: it did not, and never will. -ENOENT: nothing
 * is known any more. `job` may be NULL. */
GC_API int gc_op_status(gc_client *g, const struct gc_op *op, gc_job *job, gc_until until);

/* ---- select ---- */

enum gc_case_kind { GC_CASE_NONE, GC_CASE_SEND, GC_CASE_RECV, GC_CASE_JOB, GC_CASE_CONTEXT };

/* A case with the nil channel, or of kind GC_CASE_NONE, is never ready. */
struct gc_case {
    enum gc_case_kind kind;
    gc_chan chan;
    struct gc_value send;     /* GC_CASE_SEND */
    struct gc_value *recv;    /* GC_CASE_RECV: written only when this case is the one */
    gc_job job;               /* GC_CASE_JOB: ready when it has ended; GC_CASE_CONTEXT: id of the context */
    struct gc_result *result; /* or NULL; written only when this case is the one */
    int status;               /* of the case that took effect: what gc_send, gc_recv or gc_wait returns */
    bool doubt; /* set: GC_CASE_SEND that is not the one; a receiver that died may have seen its value */
};

static inline struct gc_case gc_case_of(enum gc_case_kind kind, gc_chan chan)
{
    struct gc_case k;
    memset(&k, 0, sizeof k);
    k.kind = kind;
    k.chan = chan;
    return k;
}

/* case c <- v: */
static inline struct gc_case gc_case_send(gc_chan c, struct gc_value v)
{
    struct gc_case k = gc_case_of(GC_CASE_SEND, c);
    k.send = v;
    return k;
}

/* case *v = <-c: */
static inline struct gc_case gc_case_recv(gc_chan c, struct gc_value *v)
{
    struct gc_case k = gc_case_of(GC_CASE_RECV, c);
    k.recv = v;
    return k;
}

/* case: the job has ended. */
static inline struct gc_case gc_case_job(gc_job job, struct gc_result *result)
{
    struct gc_case k = gc_case_of(GC_CASE_JOB, gc_chan_of(0));
    k.job = job;
    k.result = result;
    return k;
}

/* One of the cases that can proceed, drawn at random, takes effect; the others leave no trace. The index of
 * that case; its `status` holds 0 for a send, 1 or 0 for a receive or job, or -EPIPE for a send on a closed
 * channel. GC_NOW is `default:` (-EAGAIN), a deadline is `case <-time.After(d):` (-ETIMEDOUT). With no case
 * that could ever be ready it waits for `until`. `flags`: GC_HOLD for a received value.
 * -E2BIG: over GC_CASES_MAX. -ENOENT: a case names no handle of this client; nothing happened. */
GC_API int gc_select(gc_client *g, struct gc_case *cases, size_t n, unsigned flags, gc_until until);

/* ---- the daemon ---- */

/* One round trip to the core. */
GC_API int gc_ping(gc_client *g, gc_until until);

struct gc_stat {
    const char *name;
    uint64_t value;
};

struct gc_stats {
    struct gc_stat *items;
    size_t n;
    void *memory_;
};

/* Counters whose name starts with `prefix` (NULL: all). The number of them. */
GC_API int gc_stats(gc_client *g, const char *prefix, struct gc_stats *out, gc_until until);
GC_API void gc_stats_clear(struct gc_stats *stats);

/* Moves the clock of a daemon started with --test-clock forward, by ns > 0. -EOPNOTSUPP: it runs on real time. */
GC_API int gc_clock_advance(gc_client *g, int64_t ns, gc_until until);

#ifdef __cplusplus
}
#endif

/* Locks, and what else processes agree with. */
#include "goclient_sync.h"
