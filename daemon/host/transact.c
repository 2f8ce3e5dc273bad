/*
 * A transaction of a run: one of the client library that ends the job of this run.
 */
#include <stdlib.h>

#include "goclient_txn.h"
#include "host.h"
#include "job.h"

#define GP_API __attribute__((visibility("default")))

struct gp_txn {
    gp_job *job;
    gc_txn *parts;
};

GP_API gp_txn *gp_txn_begin(gp_job *job)
{
    gp_txn *txn = calloc(1, sizeof *txn);

    if (!txn)
        return NULL;
    txn->job = job;
    txn->parts = gc_txn_begin(job->host->client);
    if (txn->parts)
        return txn;
    free(txn);
    return NULL;
}

GP_API void gp_txn_drop(gp_txn *txn)
{
    if (!txn)
        return;
    gc_txn_drop(txn->parts);
    free(txn);
}

GP_API int gp_txn_submit(gp_txn *txn, const struct gc_submit *what)
{
    return gc_txn_submit(txn->parts, what);
}

GP_API int gp_txn_send(gp_txn *txn, gc_chan c, struct gc_value v)
{
    return gc_txn_send(txn->parts, c, v);
}

GP_API int gp_txn_publish(gp_txn *txn, const char *topic, struct gc_value v,
                          const struct gc_publish_options *options)
{
    return gc_txn_publish(txn->parts, topic, v, options);
}

GP_API int gp_txn_ack(gp_txn *txn, struct gc_value *v)
{
    return gc_txn_ack(txn->parts, v);
}

GP_API int gp_txn_commit(gp_txn *txn, gc_job *jobs, gc_until until)
{
    gp_job *job = txn->job;
    const struct gc_task task = {.job = {job->id}, .run = job->run};
    int r;

    go_mutex_lock(&job->lock); /* the result that is set now */
    r = gc_txn_complete(txn->parts, &task, job->result, job->result_bytes);
    go_mutex_unlock(&job->lock);
    if (r == 0)
        r = gc_txn_commit(txn->parts, jobs, until);
    if (r == 0)
        free(txn);
    return r;
}
