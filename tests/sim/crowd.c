/*
 * Many jobs one after the other, of which one is there at once, since a queue may have room for no more: so the index of jobs has to close its holes. After the work, and
 * each is cancelled while it waits for a time far away.
 */
#include "drain.h"
#include "workers.h"

enum { CROWD = 80 };

static uint64_t submit(struct sim *sim)
{
    struct task *task = task_new(&sim->clients[0], VERB_SUBMIT);

    task->op.request.submit = (struct request_submit){
        .function = {"run", 3}, .argument = {"o", 1}, .flags = SUBMIT_DETACHED, .delay_ns = 3600 * S};
    return ask(task).handle;
}

static void cancel(struct sim *sim, uint64_t job)
{
    struct task *task = task_new(&sim->clients[0], VERB_JOB_CANCEL);
    struct reply reply;

    task->op.request.job_cancel.job = job;
    reply = ask(task);
    if (!sim->failed && reply.status < 0)
        sim_fail(sim, "cancelling one of many jobs gives %d", reply.status);
}

void crowd(struct sim *sim)
{
    for (size_t i = 0; i < CROWD && !sim->failed; i++) {
        uint64_t job = submit(sim); /* 0: the queue takes none */
        if (job && !sim->failed)
            cancel(sim, job);
    }
}
