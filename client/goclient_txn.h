/*
 * goclient_txn.h — a transaction: end a reserved job, submit further ones, send on durable channels, publish on durable topics and acknowledge
 * what was received, all of it or nothing, in one write to the disk.
 *
 *     gc_txn *txn = gc_txn_begin(g);
 *     gc_txn_complete(txn, task, result, size);
 *     gc_txn_submit(txn, &next);
 *     gc_txn_send(txn, done, gc_string("one more"));
 *     gc_txn_ack(txn, &order);
 *     if (gc_txn_commit(txn, NULL, GC_FOREVER) < 0)
 *         gc_txn_drop(txn); // nothing has happened
 *
 * Every part may be missing: a client that is no worker has no job to end, and all the rest happens likewise. What ends no job
 * and acknowledges nothing is refused by a full store, as a submit is; anything else waits for room on the disk.
 * For a plugin's own run: gp_txn_begin of goplugin.h.
 *
 * One thread at a time has a transaction. Nothing is copied but what points: bytes, strings, tasks and values stay the
 * caller's, unchanged, until the commit. Waits, memory and errors are as goclient.h says.
 */
#pragma once

#include "goclient_chan.h"
#include "goclient_job.h"
#include "goclient_topic.h"
#include "goclient_worker.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gc_txn gc_txn;

/* Begins to collect; nothing happens before gc_txn_commit. NULL: out of memory. */
GC_API gc_txn *gc_txn_begin(gc_client *g);

/* The task is done, with this result; asked again, with that one. At most one task, of which only `job` and `run` are asked for.
 * 0; -EINVAL: it is another one. */
GC_API int gc_txn_complete(gc_txn *txn, const struct gc_task *task, const void *result, size_t bytes);
/* A further job, as gc_submit. 0, -ENOMEM; -EINVAL: `size` is not set, or it asks for what only a newer library
 * has. */
GC_API int gc_txn_submit(gc_txn *txn, const struct gc_submit *what);
/* A value for a durable channel, which must have room for it. 0, -ENOMEM; -EINVAL: the value carries channels. */
GC_API int gc_txn_send(gc_txn *txn, gc_chan c, struct gc_value v);
/* A message for a durable topic, with key, headers, delay or time of `options`, or NULL. 0, -ENOMEM; -EINVAL: it carries channels, or the
 * options ask for more. */
GC_API int gc_txn_publish(gc_txn *txn, const char *topic, struct gc_value v,
                          const struct gc_publish_options *options);
/* The acknowledgement of a value that was received with GC_HOLD. 0, -ENOMEM. */
GC_API int gc_txn_ack(gc_txn *txn, struct gc_value *v);

/* All that was collected happens: 0, it is on disk, and the transaction is gone. `jobs`, or NULL, gets the ids of the jobs, in
 * their order. Waits for room in their queues, until `until`.
 * On an error nothing has happened, and the transaction is still there: to be tried again, or dropped. -ESTALE: the task is the
 * worker's no more, or a value is not held any more. -EAGAIN: a channel has no room. -EPIPE: one is closed. -EINVAL: one is not
 * durable, or a topic. -ENOSPC: the disk is full. -E2BIG: over a limit. -ENETRESET, -ECONNRESET: the daemon has restarted, or the
 * session is over: so are the channels and the held values of before. gc_in_doubt tells whether it may have happened, and then it
 * is not to be tried again. And as gc_submit. gc_why tells more. */
GC_API int gc_txn_commit(gc_txn *txn, gc_job *jobs, gc_until until);
/* Nothing of it happens. Accepts NULL. */
GC_API void gc_txn_drop(gc_txn *txn);

#ifdef __cplusplus
}
#endif
