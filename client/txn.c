/*
 * Transactions: collected here, and told to the daemon at once.
 */
#include "goclient_txn.h"

#include <errno.h>
#include <stdlib.h>

#include "goclient_host.h"
#include "last.h"
#include "options.h"

struct gc_txn {
    gc_client *g;
    struct gc_host_transaction what; /* what it points to is the caller's, or one of these */
    struct gc_submit *jobs;
    struct gc_host_send *sends;
    struct gc_host_publish *publishes;
    struct gc_value **acks;
};

GC_API gc_txn *gc_txn_begin(gc_client *g)
{
    gc_txn *txn = calloc(1, sizeof *txn);

    if (txn)
        txn->g = g;
    return txn;
}

GC_API void gc_txn_drop(gc_txn *txn)
{
    if (!txn)
        return;
    free(txn->jobs);
    free(txn->sends);
    free(txn->publishes);
    free(txn->acks);
    free(txn);
}

/* Room for one more of `size` bytes behind the first n, doubled at each power of two; NULL: out of memory, and the array stays. */
static void *room(void *array, size_t n, size_t size)
{
    void *more = n & (n - 1) ? array : realloc(array, (n ? 2 * n : 1) * size);

    if (!more)
        last_failed(-ENOMEM, NULL, false);
    return more;
}

GC_API int gc_txn_complete(gc_txn *txn, const struct gc_task *task, const void *result, size_t bytes)
{
    if (txn->what.run && txn->what.run != task->run)
        return last_failed(-EINVAL, "a transaction ends one job", false);
    txn->what.job = task->job.id;
    txn->what.run = task->run;
    txn->what.result = result;
    txn->what.result_bytes = bytes;
    return 0;
}

GC_API int gc_txn_submit(gc_txn *txn, const struct gc_submit *what)
{
    struct gc_submit *jobs;

    jobs = room(txn->jobs, txn->what.jobs_n, sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    txn->what.jobs = txn->jobs = jobs;
    struct gc_submit *job = &jobs[txn->what.jobs_n];
    if (options_take(job, sizeof *job, what) < 0)
        return last_failed(-EINVAL, "a submit of a transaction: size is not set, or of a newer library",
                           false);
    job->size = sizeof *job;
    txn->what.jobs_n++;
    return 0;
}

GC_API int gc_txn_send(gc_txn *txn, gc_chan c, struct gc_value v)
{
    struct gc_host_send *sends;

    if (v.chans_n)
        return last_failed(-EINVAL, "a value of a transaction carries no channels; send it by itself", false);
    sends = room(txn->sends, txn->what.sends_n, sizeof *sends);
    if (!sends)
        return -ENOMEM;
    txn->what.sends = txn->sends = sends;
    sends[txn->what.sends_n++] = (struct gc_host_send){c, v};
    return 0;
}

GC_API int gc_txn_publish(gc_txn *txn, const char *topic, struct gc_value v,
                          const struct gc_publish_options *options)
{
    struct gc_host_publish *publishes;
    struct gc_publish_options use;

    if (options_take(&use, sizeof use, options) < 0)
        return last_failed(-EINVAL, "gc_publish_options: size is not set, or of a newer library", false);
    if (v.chans_n || use.once || use.expects)
        return last_failed(
            -EINVAL, "a message of a transaction carries no channels, has no `once` and expects nothing",
            false);
    publishes = room(txn->publishes, txn->what.publishes_n, sizeof *publishes);
    if (!publishes)
        return -ENOMEM;
    txn->what.publishes = txn->publishes = publishes;
    publishes[txn->what.publishes_n++] = (struct gc_host_publish){
        topic,
        {.value = v, .key = use.key, .headers = use.headers, .headers_n = use.headers_n},
        use.delay_ns,
        use.at_us};
    return 0;
}

GC_API int gc_txn_ack(gc_txn *txn, struct gc_value *v)
{
    struct gc_value **acks = room(txn->acks, txn->what.acks_n, sizeof(*acks));

    if (!acks)
        return -ENOMEM;
    txn->what.acks = txn->acks = acks;
    acks[txn->what.acks_n++] = v;
    return 0;
}

GC_API int gc_txn_commit(gc_txn *txn, gc_job *jobs, gc_until until)
{
    int r = gc_host_transact(txn->g, &txn->what, jobs, until);

    if (r == 0)
        gc_txn_drop(txn);
    return r;
}
