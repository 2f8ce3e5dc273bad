/* Clients submit many jobs at once: none to BULK_JOBS, of which the last may be the callback of the others. */
#include "bulk.h"

struct many {
    struct request_submit jobs[BULK_JOBS];
    struct drawn drawn[BULK_JOBS];
};

/* It names no jobs itself; now and then it does, and all of it is refused. */
static void draw_callback(struct sim *sim, struct request_submit *job)
{
    job->after_n = chance(sim, 1, 12) ? job->after_n : 0;
    job->flags = (job->flags & ~(uint32_t)SUBMIT_AFTER_ANY) | (chance(sim, 1, 2) ? SUBMIT_AFTER_ANY : 0);
}

void work_bulk(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_SUBMIT_MANY);
    struct many *many = sim_alloc(sizeof(*many));
    size_t n = below(sim, BULK_JOBS + 1);
    bool callback = n > 1 && chance(sim, 1, 2);

    task->memory = many;
    for (size_t i = 0; i < n; i++) {
        draw_submit(sim, &many->drawn[i]);
        many->jobs[i] = many->drawn[i].submit;
        many->jobs[i].grace_ns = GRACE + (int64_t)++sim->lives->tags;
    }
    if (callback)
        draw_callback(sim, &many->jobs[n - 1]);
    task->op.request.submit_many = (struct request_submit_many){many->jobs, n, callback};
    context_draw(task);
    task_start(task);
}
