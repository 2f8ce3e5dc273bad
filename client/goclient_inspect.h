/*
 * goclient_inspect.h — who waits for what, in all processes of a goroutined at once.
 *
 * What is told is true of one moment in the daemon, and old news on arrival. Everybody is told of the operations that
 * are charged to his own user; root and the daemon's user are told of all. Waits, threads, memory and errors are as
 * goclient.h says.
 */
#pragma once

#include "goclient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a report says of a row. Proven and suspected are never mixed: a row without GC_PROVEN proves nothing. */
enum gc_parked_flags {
    GC_PROVEN = 1 << 0, /* none of those who hold now what the group waits for can ever go on */
    GC_NAMED =
        1 << 1, /* with GC_PROVEN: somebody new could end it, who opens a channel of the group by its name */
    GC_ALONE = 1 << 2,  /* nobody else holds what it waits for */
    GC_CLOSED = 1 << 3, /* no wait: the session holds a channel that is closed and drained */
    GC_UNUSED = 1 << 4, /* no wait: a channel has a name, and nobody has it open */
};

/* An operation that waits in the daemon. */
struct gc_parked {
    uint64_t session;    /* public number, as gc_about gives its own */
    uint64_t op;         /* in that session */
    uint64_t run;        /* of the job whose code waits; 0: no job */
    int pid;             /* of the process; 0: not known (tcp) */
    uint32_t uid;        /* who is charged: of a job, its submitter */
    const char *program; /* as it named itself; cut at 31 bytes */
    const char *verb;    /* "recv", "lock": what `goctl help` and PROTOCOL.md call it */
    const char *reason;  /* in words: "channel receive" */
    const char *kind;    /* of the object: "channel", "lock", "job", "cases" of a select */
    const char *object;  /* its name or number; of a select "recv a, send b", as far as they fit */
    uint32_t cases;      /* of a select, all of them */
    int64_t age_ns;      /* for so long */
    int64_t left_ns;     /* to its deadline; 0: it has none */
    unsigned flags;      /* enum gc_parked_flags; of gc_deadlocks and gc_leaks */
    uint64_t group;      /* with GC_PROVEN: the same for all that wait for each other */
    uint64_t holder;     /* of a lock: the session that has it; else 0 */
};

struct gc_parked_filter {
    size_t size;
    uint64_t session;   /* public number; 0: all */
    const char *object; /* name of a channel or lock that it waits for; NULL: anything */
    int64_t age_ns;     /* has waited for so long */
    uint32_t limit;     /* rows behind which the page ends; 0: as many as one answer holds */
    uint64_t next_[2];  /* of the page before: gc_parked_page.next_ */
};

/* One page of a list; its strings live until it is cleared. */
struct gc_parked_page {
    struct gc_parked *items;
    size_t n;
    bool more; /* ask again with next_ in the filter, also when this page is empty */
    uint64_t next_[2];
    void *memory_;
};

/* The operations that wait, in no order; `filter` may be NULL. One that waits from the first page to the last is told
 * at least once. The number in the page. -EINVAL: a forbidden byte in `object`. */
GC_API int gc_parked(gc_client *g, const struct gc_parked_filter *filter, struct gc_parked_page *out,
                     gc_until until);
GC_API void gc_parked_page_clear(struct gc_parked_page *page);

/*
 * The word that proofs rest on: from now on at most `n` threads of this process use this session, cancel contexts of
 * its calls among them; 0, as at the start: nothing is said. While exactly n calls wait, without a deadline or a
 * context of the daemon, the daemon takes the whole process for asleep: then its handles and locks end no wait of others. Say it only if it is true: a
 * thread that is not counted, or a signal handler that cancels, makes false proofs. What no thread waits in (goroutines
 * that park, completion callbacks) counts as awake. Holds for this session: after -ENETRESET say it again. Errors: the
 * common ones; -EPERM in the code of a plugin.
 */
GC_API int gc_callers(gc_client *g, uint32_t n, gc_until until);

/*
 * The waits that provably never end (GC_PROVEN, as groups), judged over all sessions at one moment: each could be ended
 * only by others of the group, or by the death of a process. With GC_NAMED also by somebody new; without it by nobody.
 * `limit` 0: as many rows as one answer holds; `more` says that there are others, for which there is no next page.
 * The number of rows. -ENOBUFS: there is more to look at than the daemon's inspect_max.
 */
GC_API int gc_deadlocks(gc_client *g, uint32_t limit, struct gc_parked_page *out, gc_until until);

/*
 * What nobody else knows of: waits without deadline on channels of which no other session has a handle (GC_ALONE:
 * proven, or suspected because they have lasted for age_ns), sessions that hold channels which are closed and drained
 * (GC_CLOSED), named channels that nobody has open (GC_UNUSED). Otherwise as gc_deadlocks.
 */
GC_API int gc_leaks(gc_client *g, int64_t age_ns, uint32_t limit, struct gc_parked_page *out, gc_until until);

/* ---- what a host tells of itself and of its jobs ---- */

/* What can be asked. Up to GC_ASK_FIGURES of a job, which is for whose it is; all others are of its whole host. Those, and
 * what is asked of no job, are for root and the daemon's user. */
enum gc_ask {
    GC_ASK_STACKS = 1,     /* a paragraph for each goroutine, as go_dump writes them */
    GC_ASK_GOROUTINES = 2, /* a profile: how many goroutines stand at each place */
    GC_ASK_FIGURES = 3,    /* lines of a name and a number: gc_figures */
    GC_ASK_PROCS = 4, /* sets the number of processors to `value`, unless that is 0; the old one as text */
    GC_ASK_CPU_START =
        5,               /* a profile of the CPU time begins, with `value` samples per second of it; 0: 100 */
    GC_ASK_CPU_STOP = 6, /* it ends: the profile */
    GC_ASK_ALLOC_START = 7, /* a profile of calls of go_alloc begins */
    GC_ASK_ALLOC_STOP = 8,  /* it ends: the profile */
    GC_ASK_TRACE_START = 9, /* a trace begins, of at most `value` events per processor; 0: 4096 */
    GC_ASK_TRACE_STOP = 10, /* it ends: the trace, as Chrome's trace viewer reads it */
};

struct gc_question {
    size_t size;
    enum gc_ask what;
    gc_job job;     /* zero: all of a host */
    uint64_t after; /* of no job: the next host behind this number; 0: the first */
    uint64_t value; /* as `what` says */
    bool pprof;     /* profiles as profile.proto, not compressed, instead of folded lines: "main;worker 7" */
    bool detached;  /* of *_START: it goes on when this client has ended */
};

/* An answer of one host. Zero it, or clear it, before the first use. */
struct gc_told {
    uint64_t host; /* its number */
    int pid;
    const char *plugin; /* path of what it runs */
    const char *text;   /* a zero byte is behind it */
    size_t bytes;
    bool more; /* there are hosts behind this one */
    void *memory_;
};

/* Asks the host that runs the job, or the next one, and waits for its answer. What a question has begun is dropped when its
 * client ends, unless it was detached; after the limit recording_s of the daemon nothing more is recorded, and what there
 * is waits for the question that ends it. -ENOENT: there is no such job or host, the job
 * does not run, or what was to end had not begun. -EPERM. -EBUSY: it has begun already. -EINVAL: no such question, or a value
 * that the runtime refuses. -EOWNERDEAD: the host ended before it answered. -ENOBUFS: the answer is larger than the limit
 * dump_bytes_max (stacks are cut), or too many ask. */
GC_API int gc_inspect(gc_client *g, const struct gc_question *question, struct gc_told *out, gc_until until);
GC_API void gc_told_clear(struct gc_told *told);

/* The goroutines of the next host behind number `after`, with their stacks. Errors as gc_inspect. */
GC_API int gc_goroutines(gc_client *g, uint64_t after, struct gc_told *out, gc_until until);

/* Figures of a job: "goroutines" are its own, all others concern its host. The number of them. gc_stats_clear. Errors as
 * gc_inspect. */
GC_API int gc_figures(gc_client *g, gc_job job, struct gc_stats *out, gc_until until);

/* ---- drain ---- */

enum gc_drain {
    GC_DRAIN_BEGIN = 1, /* no job is started or taken any more: gc_submit is -ESHUTDOWN */
    GC_DRAIN_FORCE =
        2, /* also, the hosts of jobs that run are killed; those are ready again, without an attempt */
    GC_DRAIN_END = 3, /* jobs are started and taken again; a restart of the daemon does so, too */
};

/* For root and the daemon's user. But for the end, waits until no job runs; that this wait ends early does not end the
 * drain. -EPERM. -ECANCELED: also, somebody has ended the drain. -EAGAIN with GC_NOW: jobs run. */
GC_API int gc_drain(gc_client *g, enum gc_drain what, gc_until until);

/* ---- backup ---- */

enum { GC_PATH_BYTES = 4096 }; /* with its end */

/* Has the daemon write a copy of all it keeps on disk, as it is at one moment from now, while it goes on with its work. The
 * file is in the folder `backups` of its state directory, named by the time; its path is written to `path`. For root and the daemon's
 * user. A wait that ends early does not end the copy. -EPERM; -EOPNOTSUPP: it keeps nothing on disk; -EEXIST, -ENOSPC, -EIO;
 * -ECANCELED: also, the daemon stops. */
GC_API int gc_backup(gc_client *g, char path[GC_PATH_BYTES], gc_until until);

#ifdef __cplusplus
}
#endif
