/*
 * DRAIN: while the daemon is drained no job is started and none is taken, until somebody ends that. Those who asked for it
 * wait until no job runs. It is not kept over a restart.
 */
#include <errno.h>

#include "inspect.h"
#include "pool.h"
#include "worker.h"

/* Those who wait and have not given up. */
static struct op *next_drainer(struct core *core)
{
    struct waiter *w;

    while ((w = list_first(&core->jobs->drainers, struct waiter, link))) {
        if (!op_gone(core, w->op))
            return w->op;
        list_remove(&w->link);
    }
    return NULL;
}

static void drain(struct core *core, bool force)
{
    struct host *host, *after;

    core->jobs->drained_by_hand = core->jobs->room = true;
    if (force)
        workers_return(core);
    list_each_safe (host, after, &core->jobs->hosts, link) {
        if (force && host->busy)
            host_process_kill(core, host);
        else
            host_drain(core, host, false);
    }
}

static void end_drain(struct core *core)
{
    struct op *op;

    core->jobs->drained_by_hand = false;
    core->jobs->room = true;
    pools_soon(core);
    while ((op = next_drainer(core)))
        op_fail(core, op, -ECANCELED, "the drain was ended");
    dispatch_soon(core);
}

int handle_drain(struct core *core, struct op *op, const struct request *request)
{
    uint32_t what = request->drain.what;
    int r;

    if (!account_owns(core, op->scope->account))
        return -EPERM;
    if (what == DRAIN_END)
        return end_drain(core), 0;
    r = core->jobs->runs ? op_park(core, op, WAIT_DRAIN) : 0;
    if (r == -ENOBUFS)
        return r;
    if (r == 0 && core->jobs->runs)
        list_append(&core->jobs->drainers, &op->waiters[0].link);
    drain(core, what == DRAIN_FORCE);
    return r;
}

void drain_turn(struct core *core)
{
    struct op *op;

    while (core->jobs->runs == 0 && (op = next_drainer(core)))
        op_finish(core, op, 0);
}
