/*
 * goclient_host.h — what goroutined-host needs of the client beside goclient.h. May change between versions.
 *
 * A host is a client whose lifeline is inherited, whose calls are made by goroutines in the scope of a job, and
 * which takes jobs by one standing RESERVE. It has one session: when that is over, every call fails for ever.
 */
#pragma once

#include "goclient_topic.h"
#include "goclient_waiting.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The kinds and causes are those of the protocol (message.h). Bytes are borrowed for the call of `offer`. */
struct gc_offer {
    unsigned kind;        /* enum offer_kind */
    uint64_t job, run;    /* DUMP: job is the number of the dump */
    unsigned attempt;     /* failures so far */
    const char *function; /* RUN */
    const void *argument;
    size_t argument_bytes;
    const char *text; /* CANCEL: the cause in words; never NULL */
    unsigned cause;   /* CANCEL: enum job_cause */
    int64_t grace_ns;
    int64_t time_left_ns; /* RUN: to the deadline of its context; 0: none */
    uint64_t context;     /* RUN: of the daemon, that ends it; 0: none */
    unsigned what;        /* DUMP: enum inspect_what, about that run; about all if that is 0 */
    unsigned format;      /* DUMP: enum inspect_format */
    uint64_t value;       /* DUMP: as `what` says */
    unsigned after_n;     /* RUN: jobs that it came after */
    unsigned after_done;  /* RUN: of them done */
};

struct gc_host_options {
    size_t size;
    int lifeline;         /* taken over on success; the greeting has not been read */
    const char *endpoint; /* NULL: the default */
    const char *program;
    const struct gc_waiting *waiting; /* NULL: threads. Otherwise lives as long as the client */

    /* Both run on the service thread, one at a time, in the order of the daemon, without a lock. They must not
     * make calls that wait for the daemon, and must not block for long. `lost` comes once, last: the session is
     * over, with how (-ECONNRESET, -ENETRESET). NULL: not told. */
    void (*offer)(const struct gc_offer *offer, void *arg);
    void (*lost)(int error, void *arg);
    void *arg;
};

/* gc_connect, for callers that wait as `waiting` says; it lives as long as the client. -EINVAL: GC_NO_THREAD where
 * callers cannot lead. */
GC_API int gc_connect_waiting(const struct gc_options *options, const struct gc_waiting *waiting,
                              gc_client **g, char *why);

/* As gc_connect. The thread that calls it waits as a thread. */
GC_API int gc_connect_host(const struct gc_host_options *options, gc_client **g, char *why);

/* Takes jobs of this plugin generation: offers begin to come. Never waits. -EALREADY: the second time. -ENOMEM,
 * -ECONNRESET. */
GC_API int gc_host_reserve(gc_client *g, const char *generation, uint32_t window);

/* An offered run has begun. Never waits; nothing is answered. -ENOMEM, -ECONNRESET. */
GC_API int gc_host_started(gc_client *g, uint64_t job, uint64_t run);

struct gc_host_end {
    uint64_t job, run;
    unsigned cause; /* enum job_cause; 0: success */
    int error;      /* what the function returned */
    const char *text;
    const void *result;
    size_t result_bytes;
    bool permanent; /* it would fail again: no further attempt */
};

/* A run has ended, also one that never started. Never waits: the library repeats it until the daemon has it on
 * disk. `stored` (or NULL) is called on the service thread with 0, -ESTALE (a later run has replaced this one) or
 * how the session ended. */
GC_API int gc_host_done(gc_client *g, const struct gc_host_end *end, void (*stored)(int status, void *arg),
                        void *arg);

struct gc_host_send {
    gc_chan chan; /* durable */
    struct gc_value value;
};

struct gc_host_publish {
    const char *topic; /* durable */
    struct gc_outgoing message;
    int64_t delay_ns, at_us; /* as of gc_publish_options */
};

/* What happens at once, all or nothing (goclient_txn.h). */
struct gc_host_transaction {
    uint64_t job, run; /* that ends; 0: none does */
    const void *result;
    size_t result_bytes;
    const struct gc_submit *jobs; /* as of gc_submit_many */
    size_t jobs_n;
    const struct gc_host_send *sends;
    size_t sends_n;
    const struct gc_host_publish *publishes;
    size_t publishes_n;
    struct gc_value *const *acks; /* held, and received by this run, or this worker */
    size_t acks_n;
};

/* From a goroutine of that run, or from its worker. `jobs` gets the ids; NULL: they are not wanted. 0: on disk. -ESTALE: a
 * later run has replaced this one, or a value is not held any more. -EINVAL: a channel is not durable. -EPIPE: one is closed.
 * -EAGAIN: one has no room. Further errors of gc_submit and gc_send. On any of them nothing has happened. */
GC_API int gc_host_transact(gc_client *g, const struct gc_host_transaction *what, gc_job *jobs,
                            gc_until until);

/* Appends to the kept output of a job; waits for the daemon's answer, and not for the end of the caller's scope.
 * -ENOBUFS: the output is at its limit. -ESTALE: the run is over. */
GC_API int gc_host_print(gc_client *g, uint64_t job, uint64_t run, const void *bytes, size_t size);

/* A piece of what an offer of kind DUMP asks for, in order; `last`: that was all. Never waits. -ENOMEM, -ECONNRESET. */
GC_API int gc_host_dumped(gc_client *g, uint64_t dump, const void *text, size_t size, bool last);

/* There is no answer to it: `error`, a negative errno value, and why in words. Never waits. */
GC_API int gc_host_dump_failed(gc_client *g, uint64_t dump, int error, const char *why);

/* How far a job is: 0..1 and a few words, or NULL. Never waits; nothing is answered. */
GC_API int gc_host_progress(gc_client *g, uint64_t job, uint64_t run, double fraction, const char *text);

/* For libraries on top of this one: a call of theirs failed. gc_why and gc_in_doubt of this thread (or goroutine) tell it; `why`
 * NULL: the words of the error. Returns the error. */
GC_API int gc_failed(int error, const char *why, bool doubt);

#ifdef __cplusplus
}
#endif
