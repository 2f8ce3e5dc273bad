/*
 * G70 between processes: a worker pool whose results carry an error or a value.
 *
 * Pattern: worker pool with errors.
 */
#include "parts.h"

struct job {
    int id;
    char data[24];
};

struct result {
    int id, error;
    char data[40];
};

static void sender(struct part *me)
{
    gc_chan jobs = chan_of(me, "jobs");

    for (int i = 1; i <= 10; i++) {
        struct job job = {.id = i};

        snprintf(job.data, sizeof job.data, "data_%d", i);
        must(gc_send(me->g, jobs, gc_bytes(&job, sizeof job), GC_FOREVER) == 0);
    }
    close_chan(me, jobs);
}

/* Every third job fails. */
static struct result work(const struct job *job)
{
    struct result result = {.id = job->id, .error = job->id % 3 == 0 ? -EIO : 0};

    if (!result.error)
        snprintf(result.data, sizeof result.data, "processed_%s", job->data);
    return result;
}

static void worker(struct part *me)
{
    gc_chan jobs = chan_of(me, "jobs"), results = chan_of(me, "results");
    struct gc_value v = {0};

    while (gc_range(me->g, jobs, &v, 0, GC_FOREVER) > 0) {
        struct job job;
        struct result result;

        memcpy(&job, v.data, sizeof job);
        result = work(&job);
        must(gc_send(me->g, results, gc_bytes(&result, sizeof result), GC_FOREVER) == 0);
    }
}

static void collector(struct part *me)
{
    gc_chan results = chan_of(me, "results");

    for (int i = 0; i < 10; i++) {
        struct gc_value v = {0};
        struct result result;

        must(gc_recv(me->g, results, &v, 0, GC_FOREVER) == 1);
        memcpy(&result, v.data, sizeof result);
        gc_value_clear(&v);
        if (result.error)
            say(me, "processing failed for job %d", result.id);
        else
            say(me, "job %d succeeded: %s", result.id, result.data);
    }
}

static void pool_with_errors(void)
{
    static const int succeed[] = {1, 2, 4, 5, 7, 8, 10};

    /* "7 jobs succeed, with "processed_data_j" for job j" */
    for (int i = 0; i < 7; i++)
        must(said_times("job %d succeeded: processed_data_%d", succeed[i], succeed[i]) == 1);
    /* "3 fail, the ids are {3, 6, 9}" */
    for (int id = 3; id <= 9; id += 3)
        must(said_times("processing failed for job %d", id) == 1);
    must(part_lines.n == 10);
}

GUIDE_PARTS(G70, pool_with_errors,
            .channels = {{"jobs", {.element_bytes = sizeof(struct job), .type_tag = "job"}},
                         {"results", {.element_bytes = sizeof(struct result), .type_tag = "result"}}},
            .parts = {PART(sender), PARTS(3, worker), PART(collector)});
