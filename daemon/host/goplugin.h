/*
 * goplugin.h — what the author of a plugin includes.
 *
 * A plugin is a shared object with one manifest, made by GP_PLUGIN. Its functions run as goroutines in a host
 * process, never in the daemon. Each call of a function is one run of a job: it gets a gp_job, returns 0 on
 * success or a negative errno value, and may start goroutines (go_spawn), which belong to the same job.
 *
 *     static int count(gp_job *job)
 *     {
 *         struct gp_bytes file = gp_argument(job);
 *         …
 *         gp_print(job, "%zu words\n", words);
 *         return gp_result(job, text, strlen(text));
 *     }
 *
 *     GP_PLUGIN("wordcount", "1.0", {"count", "words and lines of one file", count});
 *
 * Build it with the flags of `pkg-config --cflags goplugin` (-fexceptions among them, so that cleanup
 * attributes run when a job is unwound) and link with -shared -fPIC. The gp_ functions are the host's own;
 * nothing is linked for them.
 *
 * Rules for plugin code. A job runs at least once: the run number is its fencing token, the attempt number
 * is one more than the runs that failed before. A cancelled job sees its context end and has the grace period to clean up; after
 * it, calls that can fail return -ECANCELED once, and later waits unwind the goroutine, running deferred
 * functions and cleanup attributes. Waiting by anything but go_, gc_ and gp_ calls holds a processor: put it
 * into go_blocking.
 *
 * Threads: every function here is called from a goroutine of the job that `job` stands for, and may be called
 * from several of them at once. Nothing blocks unless its line says so.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "goclient.h"
#include "goclient_topic.h"
#include "goroutine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gp_job gp_job;

struct gp_bytes {
    const void *data;
    size_t size;
};

/* What holds for a function where a submit says nothing. 0: the default of the queue or the daemon. */
struct gp_policy {
    unsigned attempts_max; /* runs that may fail before the job has failed */
    int64_t backoff_ms;    /* before the second attempt; doubles with each */
    int64_t time_limit_ms; /* of one run */
};

struct gp_function {
    const char *name;
    const char *help; /* one line, for people */
    int (*run)(gp_job *job);
    struct gp_policy policy;
};

enum { GP_MAGIC = 0x6770316d, GP_ABI = 1 };

/* Looked up under the name gp_manifest. `abi` and `size` let a host refuse a plugin built for another one. */
struct gp_manifest {
    uint32_t magic, abi;
    uint64_t size;
    const char *name, *version;
    const struct gp_function *functions;
    uint64_t functions_n;
};

#ifdef __cplusplus
#define GP_EXTERN extern "C"
#else
#define GP_EXTERN extern
#endif

/* GP_PLUGIN(name, version, {function name, help, function[, policy]}, …); once per plugin. */
#define GP_PLUGIN(plugin_name, plugin_version, ...)                                                          \
    _Pragma("GCC diagnostic push")                                                                           \
        _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"") static const struct gp_function   \
            gp_functions_[] = {__VA_ARGS__};                                                                 \
    _Pragma("GCC diagnostic pop") GP_EXTERN __attribute__((visibility("default")))                           \
    const struct gp_manifest gp_manifest;                                                                    \
    const struct gp_manifest gp_manifest = {GP_MAGIC,                                                        \
                                            GP_ABI,                                                          \
                                            sizeof(struct gp_manifest),                                      \
                                            plugin_name,                                                     \
                                            plugin_version,                                                  \
                                            gp_functions_,                                                   \
                                            sizeof gp_functions_ / sizeof gp_functions_[0]}

/* The bytes given at submit. They stay valid, unchanged, until the job has ended. */
struct gp_bytes gp_argument(const gp_job *job);

/* The job's number, its run (fencing token: larger for each later run) and its attempt (1, 2, …). */
uint64_t gp_id(const gp_job *job);
uint64_t gp_run(const gp_job *job);
unsigned gp_attempt(const gp_job *job);

/* How many of the jobs that this one came after were done, those of its batch for example; *jobs, unless it is NULL: how many
 * there were. */
unsigned gp_after(const gp_job *job, unsigned *jobs);

/* Ends when the job is cancelled, reaches its time limit or deadline, or its host must go. Owned by the job.
 */
go_ctx *gp_context(const gp_job *job);

/* The context of the daemon that the job was submitted with, whose end cancels it; 0: none. For gc_context_of with
 * gp_client: its values, and contexts below it, which end with the job. */
uint64_t gp_context_id(const gp_job *job);

/* The host's client. Calls made by goroutines of the job belong to the job's scope: what they own or hold
 * ends with it, with the rights and charges of the job's submitter. Never disconnect it. */
gc_client *gp_client(const gp_job *job);

/* Sets the result, replacing an earlier one; it counts when the function returns 0. Copies the bytes.
 * -E2BIG: larger than any daemon takes, 64 MiB; -ENOMEM. Over the daemon's own limit result_bytes_max (1 MiB unless
 * configured) the job fails with -E2BIG when it returns. */
int gp_result(gp_job *job, const void *bytes, size_t size);

/* Says in words why the job fails, for the return value that follows; the last call counts. Returns `error`,
 * so that `return gp_fail(job, -ENOENT, "no file %s", name);` reads well. `error` must be a negative errno
 * value. */
int gp_fail(gp_job *job, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same, and says that every attempt would fail like this one: there is no further one, and the job has failed. For what is
 * wrong with the job itself, such as an argument that makes no sense. */
int gp_give_up(gp_job *job, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Appends to the kept output of the job (goctl logs). Whole calls: lines of different goroutines never tear.
 * May wait for credit. 0; -ENOBUFS: the job has reached output_bytes_max; what does not fit is dropped, and the
 * host's log says so once; -ECANCELED, -ESTALE: this run is over; -ENOMEM. */
int gp_print(gp_job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How far the job is: 0 to 1, and a few words or NULL. The latest is kept. 0, -EINVAL, -ESTALE, -ENOMEM. */
int gp_progress(gp_job *job, double fraction, const char *text);

/* ---- one transaction: the end of the job, and what goes with it ---- */

typedef struct gp_txn gp_txn;

/* Begins to collect. Nothing of it happens before gp_txn_commit; gp_txn_drop forgets it. NULL: out of memory. One goroutine
 * at a time may use it. */
gp_txn *gp_txn_begin(gp_job *job);

/* A further job, as gc_submit; a value for a durable channel, which must have room; a message for a durable topic; the acknowledgement of a value that this run
 * has received with GC_HOLD. Bytes, strings and the value stay the caller's, unchanged, until the commit. 0, -ENOMEM; -EINVAL:
 * `size` of a submit is not set; a value carries channels. */
int gp_txn_submit(gp_txn *txn, const struct gc_submit *what);
int gp_txn_send(gp_txn *txn, gc_chan c, struct gc_value v);
int gp_txn_publish(gp_txn *txn, const char *topic, struct gc_value v,
                   const struct gc_publish_options *options);
int gp_txn_ack(gp_txn *txn, struct gc_value *v);

/* The job is done, with the result that gp_result has set (which nobody may set meanwhile), and all that was collected has happened, in one write to the disk: 0,
 * and the transaction is gone. Then return at once: the run is over, and what the function returns does not count any more.
 * `jobs`, or NULL, gets the ids of the jobs. It waits for room in their queues, until `until`.
 * On an error nothing has happened, and the transaction is still there: to be tried again, or dropped. -ESTALE: a later run
 * has replaced this one, or a value is not held any more. -EAGAIN: a channel has no room. -EPIPE: one is closed. -EINVAL: one
 * is not durable. -E2BIG: over a limit. -ENETRESET: the daemon has restarted, and the job runs again unless it had
 * happened. And as gc_submit. gc_why tells more. */
int gp_txn_commit(gp_txn *txn, gc_job *jobs, gc_until until);
/* Accepts NULL. */
void gp_txn_drop(gp_txn *txn);

#ifdef __cplusplus
}
#endif
