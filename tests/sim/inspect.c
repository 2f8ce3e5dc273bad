/* Counts of what the core holds, and the switch of its planted bugs. */
#include "inspect.h"

#include <string.h>

#include "jobs_internal.h"

struct left core_left(const struct core *core)
{
    return (struct left){
        .operations = core->ops_n,
        .parked = core->parked_n,
        .resolved = core->resolved_n,
        .results = core->results_n,
        .channels = core->channels_n,
        .sessions = core->sessions.count,
        .handles = core->handles.count,
        .connections = core->links.count,
        .ended = core->ended.count,
        .locks = core->syncs.count,
        .contexts = core->contexts.by_id.count,
    };
}

enum core_sight core_look(const struct core *core, const struct secret *session, uint64_t op)
{
    const struct session *found = session_find(core, session);

    if (!found)
        return CORE_NO_SESSION;
    return op_find(core, found, op) ? CORE_OPERATION : CORE_NO_OPERATION;
}

bool core_outcome(const struct core *core, const struct secret *session, uint64_t op, struct outcome *out)
{
    const struct session *found = session_find(core, session);
    const struct op *what = found ? op_find(core, found, op) : NULL;

    if (!what || op_waits(what))
        return false;
    *out = (struct outcome){what->status, what->handle};
    return true;
}

bool core_has_grant(const struct core *core, const struct secret *session, uint64_t op)
{
    const struct session *found = session_find(core, session);
    const struct op *operation = found ? op_find(core, found, op) : NULL;

    return operation && operation->granted;
}

bool core_scope_lives(const struct core *core, const struct secret *session, uint64_t run)
{
    const struct session *found = session_find(core, session);

    return found && scope_find(core, found, run);
}

bool core_next_job(const struct core *core, uint64_t after, struct core_job *out)
{
    const struct job *job = job_next(core, after);

    if (!job)
        return false;
    *out = (struct core_job){
        .id = job->id,
        .run = job_work(job)->run_last,
        .op = job_work(job)->op,
        .session = &job_work(job)->session,
        .state = job->state,
        .priority = job->priority,
        .in_line = list_linked(&job->link),
        .queue = {job->lane->queue->name, job->lane->queue->name_size},
        .key = key_text(job->lane->key),
        .function = job->lane->function,
        .grace_ns = job->terms->grace_ns,
    };
    return true;
}

bool core_keeps(const struct core *core, uint64_t job)
{
    uint32_t uid;

    return retention_has(core, job, &uid);
}

#ifdef CORE_PLANT
bool core_plant(const char *name)
{
#define ROW(NUMBER, NAME) {NAME, PLANT_##NUMBER},
    static const struct {
        const char *name;
        enum plant plant;
    } plants[] = {PLANTS(ROW)};

    for (size_t i = 0; i < sizeof(plants) / sizeof(*plants); i++)
        if (strcmp(plants[i].name, name) == 0) {
            core_planted = plants[i].plant;
            return true;
        }
    return false;
}
#else
bool core_plant(const char *name)
{
    (void)name;
    return false;
}
#endif
