/*
 * The protocol as plain C: what client, wire, core and simulator hand to each other.
 *
 * Ownership: every pointer in here is borrowed. The bytes behind it stay valid until the call that was given
 * the struct returns; whoever wants them longer copies them.
 * Units: nanoseconds, bytes. Zero means absent unless a line says otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message_feed.h"
#include "message_inspect.h"
#include "message_pool.h"
#include "message_queue.h"
#include "message_schedule.h"
#include "message_sync.h"
#include "message_work.h"
#include "verbs.h"

enum {
    PROTOCOL_VERSION = 1,       /* a daemon refuses others at HELLO, naming both */
    SECRET_BYTES = 16,          /* session id: random, secret, drawn by the daemon */
    VALUES_MAX = 1024,          /* values in one SEND or RECV (IP6.1) */
    CASES_MAX = 1024,           /* cases in one SELECT (S12: a smaller documented limit is allowed) */
    NAME_BYTES_MAX = 255,       /* [A-Za-z0-9_.:/-] */
    PAYLOAD_FRAME_BYTES = 8192, /* values of this size and more travel as frames of their own */
    CTX_VALUES_MAX = 64,        /* values one context binds */
};

struct secret {
    uint8_t byte[SECRET_BYTES];
};

enum value_flags {
    VALUE_REDELIVERED = 1 << 0, /* perhaps seen before: its receiver died before the ACK (IP3) */
    VALUE_RETURNED = 1 << 1,    /* surely unseen: its receiver gave it back (IP1.2) */
    VALUE_LAST = 1 << 2,        /* the last message of its topic, from before the subscription (IP14.13) */
};

/* A channel inside a value (U6). Sent: a handle of the sender, with rights it has; received: one of the receiver's. */
struct passed {
    uint64_t handle; /* 0: the nil channel */
    uint32_t rights; /* enum right; sent: 0 is all that the sender has */
};

struct value {
    struct bytes body;
    uint32_t flags;
    const struct passed *handles; /* only of channels */
    size_t handles_n;
    const struct message *message; /* from a subscription; or NULL */
};

#include "message_topic.h"

/* When an operation gives up. A deadline is on the daemon's monotonic clock (IP1.5). */
enum until_kind { UNTIL_FOREVER, UNTIL_NOW, UNTIL_AT, UNTIL_IN };

struct until {
    enum until_kind kind;
    int64_t ns; /* UNTIL_AT: absolute, same host only; UNTIL_IN: remaining */
};

/* Rights of a handle (D1); checked in the daemon. */
enum right { RIGHT_SEND = 1, RIGHT_RECV = 2, RIGHT_CLOSE = 4, RIGHT_ALL = 7 };

enum open_flags {
    OPEN_CREATE = 1 << 0,       /* make it when it is not there */
    OPEN_EXCLUSIVE = 1 << 1,    /* with CREATE: -EEXIST when it is there */
    OPEN_OWNER_CLOSES = 1 << 2, /* the end of the making scope closes it (C8) */
    OPEN_SYNC_MATCH = 1 << 3,   /* cap 0: SENT is released at match (IP2.2) */
    OPEN_AT_MOST_ONCE = 1 << 4, /* values of a dead receiver are dropped and counted (IP3) */
    OPEN_DURABLE = 1 << 5,      /* its values survive a restart of the daemon (IP12) */
    OPEN_FLAGS_ALL = (1 << 6) - 1,
};

/* What a full channel does with one more value. */
enum full_policy { FULL_BLOCK, FULL_DROP_OLDEST, FULL_DROP_NEWEST };

struct request_chan_open {
    struct bytes name; /* empty: anonymous, made for this handle */
    uint64_t capacity; /* values */
    uint64_t value_bytes_max;
    uint64_t element_bytes; /* 0: any size */
    struct bytes type_tag;
    uint32_t flags;  /* enum open_flags */
    uint32_t rights; /* enum right; 0: all */
    uint32_t full;   /* enum full_policy */
};

struct request_chan_drop {
    uint64_t handle;
};

struct request_chan_unlink {
    struct bytes name;
};

struct request_send {
    uint64_t handle;
    const struct value *values;
    size_t values_n;
};

struct request_recv {
    uint64_t handle;
    uint32_t max;
};

struct request_close {
    uint64_t handle;
};

enum case_kind { CASE_SEND = 1, CASE_RECV = 2, CASE_JOB = 3, CASE_CTX = 4 };

struct select_case {
    uint32_t kind;   /* enum case_kind */
    uint64_t handle; /* channel handle; CASE_JOB, CASE_CTX: id of what is ready when it has ended */
    struct value value;
};

struct request_select {
    const struct select_case *cases;
    size_t cases_n;
};

struct request_chan_info {
    uint64_t handle;   /* or, when 0, */
    struct bytes name; /* by name */
};

struct request_chan_list {
    struct bytes prefix;
    struct bytes after; /* the last name of the page before */
    uint32_t limit;
};

/* Within what a key is one; always among the jobs of one user. */
enum once_scope { ONCE_FUNCTION, ONCE_QUEUE, ONCE_ALL };

/* What a submit does whose key a job holds. */
enum once_policy {
    ONCE_REJECT,
    ONCE_REPLACE, /* while that job waits */
    ONCE_JOIN,    /* it gives that job */
};

enum { ONCE_KEPT = -1 };

enum submit_flags {
    SUBMIT_DETACHED = 1 << 0, /* outlives the context that the operation names (IP4) */
    SUBMIT_AFTER_ANY =
        1 << 1, /* however the jobs of `after` ended; else it is cancelled when one was not done */
};

struct request_submit {
    struct bytes plugin; /* absolute path of the shared object; empty: workers run it (WORK_RESERVE) */
    struct bytes function;
    struct bytes argument;
    struct bytes queue;     /* empty: "default" */
    uint32_t flags;         /* enum submit_flags */
    uint32_t attempts_max;  /* 0: of the function's or queue's policy */
    int64_t backoff_ns;     /* first delay; doubles per failure */
    int64_t backoff_max_ns; /* its bound */
    int64_t time_limit_ns;  /* per run */
    int64_t grace_ns;       /* between cancel and the end of the host */
    int64_t deadline_in_ns; /* of the whole job, from now; ends it with cause timeout */
    int64_t delay_ns;       /* not before now + delay */
    uint32_t priority;      /* 0..9, higher is more urgent */
    struct bytes key;       /* fairness and order key */
    uint32_t jitter;        /* percent by which each delay is longer, at most: 0..100 */
    const uint64_t
        *delays_ns; /* before the second, third, … attempt, instead of a backoff; the last one repeats */
    size_t delays_ns_n;
    struct bytes once_key; /* empty: none */
    const uint64_t *after; /* ids of jobs that end before it is ready */
    size_t after_n;
    uint32_t once_scope, once_policy;
    int64_t
        once_ns; /* the job holds the key so long; 0: until it has ended; ONCE_KEPT: until it is deleted */
};

/* What happens together with the end of a job, all or nothing. */
struct request_transact {
    uint64_t job, run;
    struct bytes result;
    const struct request_submit *jobs;
    size_t jobs_n;
    const struct request_send *sends; /* on durable channels */
    size_t sends_n;
    const struct ack *acks; /* of values that this run has received */
    size_t acks_n;
    const struct request_publish
        *publishes; /* on topics that are kept; without once, delay and expected sequence */
    size_t publishes_n;
};

struct request_submit_many {
    const struct request_submit *jobs;
    size_t jobs_n;
    uint32_t callback; /* 1: the last one comes after all others */
};

struct request_job_wait {
    uint64_t job;
};

struct request_job_info {
    uint64_t job;
};

struct request_job_list {
    uint32_t states; /* bit per enum job_state; 0: all */
    struct bytes queue;
    uint64_t after; /* the last id of the page before */
    uint32_t limit;
};

struct request_job_cancel {
    uint64_t job;
    struct bytes cause;
};

/* Ended jobs are given another life: one, or a page of them. */
struct request_job_retry {
    uint64_t job;    /* 0: those behind `after` that are in these states and this queue */
    uint32_t states; /* bit per enum job_state: failed and dead; 0: dead */
    struct bytes queue;
    uint64_t after; /* the last id of the page before */
    uint32_t limit; /* jobs looked at, at most */
};

/* A page of ended jobs is forgotten. */
struct request_job_purge {
    uint32_t states; /* bit per enum job_state that has ended; 0: dead */
    struct bytes queue;
    int64_t older_ns; /* that ended at least so long ago */
    uint64_t after;
    uint32_t limit;
};

struct request_job_output {
    uint64_t job;
    uint64_t offset;
    uint32_t max; /* bytes */
};

struct request_op_status {
    struct secret session;
    uint64_t op;
};

struct request_clock_advance {
    int64_t ns;
};

struct request_reserve {
    struct bytes generation;
    uint32_t window; /* offers that may be under way before STARTED */
};

struct request_started {
    uint64_t job, run;
};

/* How a run ended, as its host saw it. */
enum job_cause {
    CAUSE_NONE,
    CAUSE_ERROR, /* returned a negative errno value */
    CAUSE_PANIC,
    CAUSE_CRASH, /* its host died of it */
    CAUSE_DEADLOCK,
    CAUSE_TIMEOUT,
    CAUSE_CANCELED,
    CAUSE_RETURNED, /* handed back unstarted or unharmed: no attempt is counted */
};

struct request_done {
    uint64_t job, run;
    uint32_t cause; /* enum job_cause; NONE: success */
    int32_t error;  /* what the function returned */
    struct bytes text;
    struct bytes result;
    bool permanent; /* it would fail again: no further attempt */
};

struct request_print {
    uint64_t job, run;
    struct bytes output;
};

struct request_progress {
    uint64_t job, run;
    double fraction; /* 0..1 */
    struct bytes text;
};

struct request_ping {
    struct bytes payload;
};

struct request_stats {
    struct bytes prefix;
};

/* One operation. `id` increases strictly within its session (IP0). */
struct request {
    uint64_t id;
    uint64_t run;   /* scope: the job's run, or 0 for the session itself */
    uint32_t flags; /* enum op_flags; others are ignored */
    enum verb
        verb; /* NONE: not known or malformed; it is answered with `fault`, or -EOPNOTSUPP when that is 0 */
    int32_t fault; /* negative errno value found by the decoder, with fault_text saying what is wrong */
    struct bytes fault_text;
    uint32_t fault_at; /* the entry of an array that has it, from 1; 0: none */
    struct until until;
    uint64_t context; /* ends it too; 0: none */
    union {
#define VERB_MEMBER(NAME, name, number, flags, help) struct request_##name name;
        VERBS(VERB_MEMBER)
#undef VERB_MEMBER
    };
};

/* HELLO binds a connection to a fresh session. */
struct hello {
    struct secret session; /* from the lifeline; all zero on tcp: the daemon draws one */
    struct bytes program;  /* name of the client, for people */
    struct bytes boot_id;  /* to compare monotonic clocks; empty: not comparable */
    uint64_t time_namespace;
    uint64_t attempt; /* 1, 2, … over HELLO and RESUME of a session: a late copy is dropped; 0: it is not */
};

/* RESUME binds a new connection to a living session (IP7). */
struct resume {
    struct secret session;
    /* Every operation without a surfaced result: its fate is told, and its result comes again. It acknowledges
     * nothing: ACKs that may be lost are said again in the frames after it. */
    const uint64_t *open_ops;
    size_t open_ops_n;
    uint64_t attempt; /* as in hello */
};

/* `count` values of a RECV, or all results of a standing operation up to number `count`; 0: all of it. */
struct ack {
    uint64_t op;
    uint64_t count;
};

/* What a client writes in one frame. */
struct client_frame {
    uint32_t version;
    uint64_t number;   /* 1, 2, … on each connection; HELLO and RESUME start it */
    uint64_t ack_mark; /* every result of an operation with this id or less is acknowledged */
    const struct hello *hello;
    const struct resume *resume;
    bool bye; /* ends the session, after everything else in the frame */
    const struct ack *acks;
    size_t acks_n;
    const struct ack *returns; /* keep `count` values, give the rest back (IP1.2) */
    size_t returns_n;
    const uint64_t *cancels;
    size_t cancels_n;
    const struct request *requests;
    size_t requests_n;
};

enum result_flags {
    RESULT_DOUBT = 1 << 0,  /* the outcome is in doubt (IP0) */
    RESULT_CLOSED = 1 << 1, /* a receive: closed and drained */
    RESULT_MORE = 1 << 2,   /* a list or output goes on behind it */
    RESULT_LAST = 1 << 3,   /* a standing operation has ended */
    RESULT_HANDED = 1 << 4, /* RECV, SELECT: a sender waits for the ACK of a value in it (IP2.2) */
};

struct chan_info {
    struct bytes name;
    uint64_t handle; /* of the asking session, when it has one */
    uint64_t length, capacity;
    uint64_t senders, receivers; /* parked */
    uint64_t returned;           /* values given back and not yet received again (U3) */
    uint64_t handles;            /* open, of all sessions */
    uint64_t bytes;              /* charged */
    uint64_t sent, received, dropped;
    bool closed, unlinked, durable;
    uint64_t storing; /* sent, and not yet on the disk */
};

/* The order is that of the wire and of the store: never renumber. */
enum job_state {
    JOB_NONE,
    JOB_SCHEDULED,
    JOB_BLOCKED,
    JOB_READY,
    JOB_RUNNING,
    JOB_DONE,
    JOB_FAILED,
    JOB_CANCELLED,
    JOB_DEAD,
    JOB_STATES
};

struct job_info {
    uint64_t id, run;
    uint32_t state, cause; /* enum job_state, enum job_cause */
    int32_t error;
    uint32_t attempt, attempts_max, crashes;
    uint32_t uid;
    struct bytes plugin, function, queue;
    struct bytes text;   /* cause in words, or why it waits */
    struct bytes result; /* JOB_WAIT and JOB_INFO of an ended job */
    struct bytes progress;
    double fraction;
    int64_t created_us, started_us, ended_us, due_us; /* wall clock, UTC */
    uint64_t output_bytes;
    struct bytes argument; /* WORK_RESERVE */
    int64_t left_ns;       /* WORK_RESERVE: to its deadline or time limit; 0: none */
};

struct ctx_info {
    struct bytes name;
    uint64_t id, parent; /* parent: 0 none */
    uint32_t flags;      /* enum ctx_flags */
    int32_t status;      /* 0: it has not ended; -ECANCELED, -ETIMEDOUT */
    int32_t code;        /* of the cause: identity of it */
    struct bytes text;   /* the same in words */
    uint64_t origin;     /* the context in which it began to end */
    int64_t left_ns;     /* to its deadline; 0: none, or it has ended */
    uint64_t children;   /* that have not ended */
    uint64_t ops, jobs;  /* that end with it */
};

struct counter {
    struct bytes name;
    uint64_t value;
};

/* What a host is told on its RESERVE. */
enum offer_kind { OFFER_RUN = 1, OFFER_CANCEL = 2, OFFER_DRAIN = 3, OFFER_SCOPE_END = 4, OFFER_DUMP = 5 };

struct offer {
    uint32_t kind; /* enum offer_kind */
    uint64_t job;  /* DUMP: number of the dump */
    uint64_t run;
    uint32_t attempt;
    struct bytes function, argument;
    struct bytes text;    /* CANCEL: the cause */
    uint32_t cause;       /* CANCEL: enum job_cause */
    int64_t grace_ns;     /* CANCEL: until the scope ends */
    int64_t time_left_ns; /* RUN: to the deadline of its context; 0: none */
    uint64_t context;     /* RUN: the one its submit named, whose end ends it; 0: none */
    uint32_t what;        /* DUMP: enum inspect_what, of that `run`; 0: of all */
    uint32_t format;      /* DUMP: enum inspect_format */
    uint64_t value;       /* DUMP: as `what` says */
    uint32_t after_n;     /* RUN: jobs that it came after */
    uint32_t after_done;  /* RUN: of them done */
};

/* The one result of an operation, or one of a standing operation's stream. */
struct result {
    uint64_t op;
    uint64_t number; /* in the stream of a standing operation, from 1 */
    int32_t status;  /* 0 or a count or a positive outcome; negative errno value */
    uint32_t flags;  /* enum result_flags */
    uint32_t
        index; /* SELECT: the case that took effect; SUBMIT_MANY: the job that was refused, from 1, or 0 */
    uint32_t doubt;  /* SELECT with RESULT_DOUBT: 1 + the send case that may have taken effect too (IP5.2) */
    uint64_t handle; /* channel handle, job id or fencing token */
    struct bytes text;
    struct bytes output; /* JOB_OUTPUT, PING */
    const struct value *values;
    size_t values_n;
    const struct chan_info *chans;
    size_t chans_n;
    const struct job_info *jobs;
    size_t jobs_n;
    const struct counter *stats;
    size_t stats_n;
    const struct offer *offer;
    const struct ctx_info *ctxs;
    size_t ctxs_n;
    const struct wait_info *waits;
    size_t waits_n;
    const struct schedule_info *schedules;
    size_t schedules_n;
    const uint64_t *ids; /* SUBMIT_MANY: of the jobs, in their order */
    size_t ids_n;
    const struct published *published; /* PUBLISH */
    const struct topic_info *topics;
    size_t topics_n;
    const struct group_info *groups;
    size_t groups_n;
    const struct feed_info *feeds;
    size_t feeds_n;
};

struct welcome {
    struct secret session;
    uint64_t session_number; /* public, for people */
    uint64_t node, incarnation;
    uint32_t window_ops;     /* W of IP6.2 */
    uint64_t window_bytes;   /* Q of IP6.2 */
    bool absolute_deadlines; /* clocks are comparable */
    int64_t lease_ns;        /* tcp: silence that ends the session; 0: the lifeline decides */
    uint64_t attempt;        /* of the HELLO or RESUME that it answers */
};

enum op_fate { FATE_UNKNOWN, FATE_PARKED, FATE_RESULT };

struct op_state {
    uint64_t op;
    uint32_t fate; /* enum op_fate; a result follows as usual */
};

/* What the daemon writes in one frame. */
struct server_frame {
    uint64_t number;               /* 1, 2, … on each connection */
    const struct welcome *welcome; /* answer to HELLO and RESUME */
    const struct op_state *states; /* answer to RESUME */
    size_t states_n;
    bool need_resume;  /* unbound connection, or a gap in its numbers */
    int32_t refused;   /* negative errno value: HELLO or RESUME was refused */
    struct bytes text; /* why */
    const struct result *results;
    size_t results_n;
};
