/*
 * The core: every named object and every rule about it, and nothing else.
 *
 * Pure and single-threaded: no I/O, clock, thread, random source or logging of its own. Time, inputs and a
 * seed come in; results, records for the store, fetches, commands for hosts, log lines and the next wake-up
 * go out. The same code runs in the daemon and, with a fake clock and planted faults, in the simulator.
 *
 * One step is one instant (SEMANTICS, part B): nothing can be seen or happen in between.
 * A handler first reserves all it needs, then changes state; after the first change nothing can fail.
 */
#pragma once

#include "core_limits.h"
#include "list.h"
#include "message.h"
#include "queue_policy.h"
#include "record.h"
#include "topic_policy.h"

struct core;
struct rights; /* rights.h */
struct zone;   /* zone.h */

struct now {
    int64_t mono_ns; /* CLOCK_MONOTONIC: deadlines, timers */
    int64_t wall_ns; /* UTC: schedules, retention, what people read */
};

/* Memory of the core, so that tests can refuse the n-th allocation. `(NULL, n)` allocates, `(p, 0)` frees. Of what comes and
 * goes with every operation `keep_bytes` are kept for the next ones. */
struct allocator {
    void *(*resize)(void *context, void *p, size_t size);
    void *context;
    size_t keep_bytes;
};

enum { KEY_NAME_BYTES_MAX = 31 };
#define ACCOUNT_KEYS    0x80000000u /* numbers of keys begin here: no user of this machine may have such a uid */
#define ACCOUNT_UNKNOWN UINT32_MAX /* whoever comes over tcp without a key shares this one */

struct credentials {
    uint32_t uid, gid;                /* of a key: key_account of its name, and 0 */
    int32_t pid;                      /* 0: not known */
    bool known;                       /* false on tcp without keys */
    char key[KEY_NAME_BYTES_MAX + 1]; /* its name, on tcp; "" for users of this machine */
};

enum input_kind {
    IN_SESSION_UP,  /* the shell has drawn a session id for somebody whose credentials it knows */
    IN_SESSION_END, /* the lifeline ended: its owner is dead */
    IN_FRAME,       /* head of a frame: binding, numbering, ACK, RETURN, CANCEL, BYE */
    IN_OP,          /* one operation of that frame */
    IN_CONN_END,    /* a connection is gone; its session lives on */
    IN_STORED,      /* the store reports on a batch */
    IN_FETCHED,     /* the answer to EFFECT_FETCH */
    IN_PLUGIN,      /* the answer to EFFECT_PLUGIN */
    IN_ZONE,        /* the answer to EFFECT_ZONE */
    IN_HOST_UP,     /* a host process runs, or could not be started */
    IN_HOST_END,    /* a host process has ended */
    IN_DRAIN,       /* start no job any more; report when none runs */
    IN_TICK,        /* time has passed */
};

/* A function of a plugin, from its manifest. Zero: the queue's or the daemon's default. */
struct plugin_function {
    struct bytes name, help;
    uint32_t attempts_max;
    int64_t time_limit_ns, backoff_ns;
};

struct input {
    enum input_kind kind;
    uint64_t conn; /* IN_FRAME, IN_OP, IN_CONN_END: the transport's number of the connection; never reused */
    uint64_t
        peer; /* IN_SESSION_*: the shell's number of the lifeline (or of the tcp connection); never reused */
    union {
        struct {
            struct secret secret;
            struct credentials who;
            uint64_t host; /* of EFFECT_HOST_START, or 0: a plain client */
            bool lease;    /* tcp: silence ends it */
        } session_up;
        struct {
            /* Its requests follow as IN_OP, requests_n of them. Where HELLO says no session id (tcp), the
             * shell has drawn one, said IN_SESSION_UP and filled it in. */
            const struct client_frame *head;
            struct credentials who; /* as the transport saw the sender (IP9) */
            bool same_clock;        /* hello: deadlines may be absolute */
        } frame;
        const struct request *op;
        struct {
            uint64_t batch; /* every batch up to here, not yet reported, has this fate */
            int error;      /* 0, or negative errno: they did not happen */
        } stored;
        struct {
            uint64_t fetch;
            int error; /* -ENOENT: no such job */
            const struct job_row *rows;
            size_t rows_n;
            struct bytes body;                   /* argument, result or output */
            const struct kept_message *messages; /* in the order of the log, or by id */
            size_t messages_n;
            uint64_t offset; /* output: where body begins; messages: the sequence up to which was looked */
            bool more;       /* messages: there may be some behind it */
        } fetched;
        struct {
            struct bytes path;
            int error; /* negative errno; text says what was wrong and what to do */
            struct bytes text;
            struct bytes generation; /* hash of the file, names its copy */
            struct bytes name, version;
            const struct plugin_function *functions;
            size_t functions_n;
        } plugin;
        struct {
            struct bytes name;
            int error; /* negative errno; text says what was wrong and what to do */
            struct bytes text;
            const struct zone *zone; /* as zone_check wants it */
        } zone;
        struct {
            uint64_t host;
            int error;
            int32_t pid;
        } host_up;
        struct {
            uint64_t host;
            int32_t signal, status; /* as wait reports; signal 0: it exited */
            uint64_t guilty_run;    /* of its crash report; 0: unknown */
            bool out_of_memory;     /* it was ended because it took more than it may */
            struct bytes text;      /* signal, goroutine, backtrace */
        } host_end;
    };
};

enum effect_kind {
    EFFECT_RESULT,      /* for a connection: one result */
    EFFECT_REPLY,       /* for a connection: the head of a frame (welcome, need_resume, refused) */
    EFFECT_SESSION_END, /* the shell forgets peer: close its lifeline */
    EFFECT_FETCH,
    EFFECT_PLUGIN,     /* look at a plugin file; answer IN_PLUGIN */
    EFFECT_ZONE,       /* read a time zone; answer IN_ZONE */
    EFFECT_HOST_START, /* answer IN_HOST_UP, then IN_SESSION_UP with the host's number, at last IN_HOST_END */
    EFFECT_HOST_KILL,
    EFFECT_DRAINED, /* after IN_DRAIN: no job runs and all is stored */
    EFFECT_CLOCK,   /* CLOCK_ADVANCE: the shell moves its test clock */
    EFFECT_LOG,
};

enum fetch_kind {
    FETCH_ARGUMENT, /* of a job */
    FETCH_JOB,      /* its row, and the result as body */
    FETCH_OUTPUT,   /* from offset, at most limit bytes */
    FETCH_JOBS,     /* rows with id > job, at most limit */
    FETCH_OP,       /* the row submitted by (session, op) */
    FETCH_BACKUP,   /* writes a copy of all, named by wall_ns; the body says where or, when it failed, why */
    FETCH_MESSAGES, /* of the log from behind `offset` to `last`: at most `limit` of these topics, and of so many bytes */
    FETCH_LATERS, /* messages that are to be published later, by id: each that is there, with its id as sequence */
};

struct fetch {
    enum fetch_kind kind;
    uint64_t job, offset;
    uint32_t states; /* FETCH_JOBS: bit per enum job_state; 0: all */
    uint32_t limit;
    uint64_t
        last; /* FETCH_MESSAGES: a sequence; all that is not above it has been stored, or the answer may leave some out.
                       UINT64_MAX: to the end */
    uint64_t
        bytes; /* FETCH_MESSAGES: of keys, headers and bodies; the first message comes however long it is */
    const uint64_t *topics; /* FETCH_MESSAGES: ids, rising; lives as the effect does. NULL: all.
                               FETCH_LATERS: ids of the messages, rising */
    size_t topics_n;
    struct secret session;
    uint64_t op;
    int64_t wall_ns;
};

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lives until effects_clear. */
struct effect {
    struct list link;
    enum effect_kind kind;
    uint64_t conn;
    union {
        const struct result *result;
        const struct server_frame *reply; /* without number and results */
        struct {
            uint64_t peer;
            int error; /* why: -ECONNRESET, -ENOBUFS over a limit, 0 after BYE */
        } session_end;
        struct {
            uint64_t number; /* to be named in IN_FETCHED */
            struct fetch what;
        } fetch;
        struct {
            struct bytes path;
            uint32_t uid; /* who asks */
        } plugin;
        struct {
            uint64_t host;
            struct bytes generation, path;
            uint32_t uid;
        } host_start;
        struct {
            uint64_t host;
            int32_t signal;
        } host_kill;
        struct bytes zone; /* its name */
        int64_t clock_ns;  /* how far */
        struct {
            enum log_level level;
            struct bytes text; /* key=value */
        } log;
    };
};

/* What steps ask for. Steps append; the shell carries out and clears, as often as it likes. */
struct effects {
    struct list list;    /* of struct effect, in order */
    struct list batches; /* of struct batch, in order; the shell takes them off */
    int64_t wake_ns;     /* monotonic: step with IN_TICK then; INT64_MAX: never */
};

/* A core before its first step. `incarnation` is durable and larger than every earlier one; `node` is
 * 0..1023; `seed` keys hash tables and draws. NULL: out of memory. */
struct core *core_new(const struct limits *limits, const struct allocator *memory, uint64_t node,
                      uint64_t incarnation, uint64_t seed);
/* Accepts NULL. */
struct core *core_delete(struct core *core);

/* Before the first step: CLOCK_ADVANCE is obeyed (--test-clock), else refused with -EPERM. */
void core_allow_clock(struct core *core);

/* Before the first step: whose daemon it is. He may look at what others wait for, as root may; else root alone. */
void core_set_owner(struct core *core, uint32_t uid);

/* Hears of one counter; the name lives until the answer does, as string constants do. */
typedef void core_say(void *context, const char *name, uint64_t value);
/* Before the first step: what the shell counts of itself (memory, files). `tell` calls `say` with `context` for each, when
 * somebody asks for counters, in the step and on its thread. */
void core_set_stats(struct core *core, void (*tell)(void *shell, core_say *say, void *context), void *shell);

/* Between steps: who may do what from now on; borrowed, until others are set. NULL, as in the beginning: everybody may
 * everything. Handles and what somebody holds stay his. */
void core_set_rights(struct core *core, const struct rights *rights);

/* The name of anything: 1–255 bytes of [A-Za-z0-9_.:/-]. 0, -EINVAL, or -E2BIG. */
int name_check(struct bytes name);
/* Between steps: a named queue, and what the configuration sets of it; `default` is there already. Again changes it.
 * 0, -EINVAL (name), -E2BIG, -ENOMEM. */
int core_set_queue(struct core *core, struct bytes name, const struct policy_part *part);

/* Between steps: what the configuration sets of the topics that match a pattern. 0, -EINVAL (pattern), -E2BIG, -ENOMEM. */
int core_set_topic(struct core *core, struct bytes pattern, const struct topic_part *part);

/* Before the first job, in this order: of kept topics what the store has (store.h). Each: 0, -ENOMEM, -EINVAL (why in *why,
 * static). */
int core_load_sequence(struct core *core, uint64_t last);
int core_load_topic_rule(struct core *core, struct bytes pattern, struct bytes kept, const char **why);
int core_load_topic(struct core *core, const struct topic_row *row, const char **why);
int core_load_block(struct core *core, const struct block_row *row, const char **why);
int core_load_message(struct core *core, const struct message_row *row, const char **why);
int core_load_group(struct core *core, const struct group_row *row, const char **why);
int core_load_group_ack(struct core *core, const struct ack_row *row, const char **why);
int core_load_group_try(struct core *core, const struct ack_row *row, const char **why);
int core_load_once(struct core *core, const struct message_row *row, const char **why);
int core_load_later(struct core *core, const struct later_row *row, const char **why);
int core_load_feed(struct core *core, const struct feed_row *row, const char **why);

/* Before the first job: what was set of a queue while a daemon ran, from the store. 0, -ENOMEM, -EINVAL (why in *why, static). */
int core_load_queue(struct core *core, struct bytes name, struct bytes kept, const char **why);

/* The same for a pool, which the configuration sets anew at each start: NAME=VALUE, a blank between two. -EINVAL also with
 * *wrong, the setting that makes no sense; it is empty when none gives the pool work. -ENOBUFS: there are pools_max. */
int core_set_pool(struct core *core, struct bytes name, struct bytes text, struct bytes *wrong);
/* What was set of a pool, after the configuration is. One that neither gives work is left out.
 * It is there above pools_max, too. As core_load_queue. */
int core_load_pool(struct core *core, struct bytes name, struct bytes kept, const char **why);

/* Before the first step: a durable channel from the store; then its values, in order of channel and sequence. 0, -ENOMEM,
 * -EINVAL (why in *why, static). */
int core_load_channel(struct core *core, const struct channel_row *row, const char **why);
int core_load_value(struct core *core, const struct value_row *row, struct bytes body, const char **why);

/* Before the first step: a job from the store, in id order; ended ones are kept until retention ends. 0, -ENOMEM, -EINVAL (why in *why, static).
 */
int core_load(struct core *core, const struct job_row *row, const char **why);

/* Before the first step, behind the last job: the highest id that a job ever had, as far as no job tells it. No new job gets
 * it, or a lower one. */
void core_load_job_ids(struct core *core, uint64_t last);

/* Before the first step: a schedule from the store, with the argument of its jobs. As core_load. */
int core_load_schedule(struct core *core, const struct schedule_row *row, struct bytes argument,
                       const char **why);

/* Takes one input. An operation fails in its result, a step never. The input is borrowed for the call. */
void core_step(struct core *core, struct now now, const struct input *in, struct effects *out);

/* Aborts when an invariant does not hold, naming it. After each step in the simulator and in debug builds. */
void core_check(const struct core *core);

void effects_init(struct effects *effects);
/* Frees all effects and whatever results they held. The batches must have been taken off. */
void effects_clear(struct core *core, struct effects *effects);
