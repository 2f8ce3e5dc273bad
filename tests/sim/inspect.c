/* Counts of what the core holds, and the switch of its planted bugs. */
#include "inspect.h"
#include "job_terms.h"

#include <string.h>

#include "pool.h"
#include "topic.h"

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

static uint64_t host_of(const struct job *job)
{
    const struct run *run = job_run(job);

    return job->state == JOB_RUNNING && run && run->host && !run->host->outside ? run->host->number : 0;
}

static bool is_cancelling(const struct job *job)
{
    const struct run *run = job_run(job);

    return job->state == JOB_RUNNING && run && run->step == RUN_CANCELLING;
}

static const struct channel *channel_of(const struct session *session, uint64_t handle)
{
    const struct handle *one;

    list_each (one, &session->scope.handles, link)
        if (one->id == handle)
            return one->channel;
    return NULL;
}

struct teller {
    const struct channel *channel;
    void (*tell)(void *context, struct bytes body, struct bytes key, uint64_t lost, uint32_t flags);
    void *context;
};

static void tell_items(const struct teller *teller, const struct list *items)
{
    const struct item *item;

    list_each (item, items, link)
        if (item->channel == teller->channel)
            teller->tell(teller->context, item->letter->body, item->letter->key, item->index,
                         item->flags & VALUE_TOLD);
}

bool core_subscription(const struct core *core, const struct secret *session, uint64_t handle,
                       struct core_subscription *out,
                       void (*tell)(void *context, struct bytes body, struct bytes key, uint64_t lost,
                                    uint32_t flags),
                       void *context)
{
    const struct session *found = session_find(core, session);
    const struct channel *c = found ? channel_of(found, handle) : NULL;
    const struct teller teller = {c, tell, context};

    if (!c || !c->subscription)
        return false;
    for (struct map_node *n = map_walk(&found->ops, NULL); n; n = map_walk(&found->ops, n))
        tell_items(&teller, &map_entry(n, struct op, node)->items);
    tell_items(&teller, &c->returned);
    tell_items(&teller, &c->buffer);
    *out = (struct core_subscription){
        .lives = c->subscription->audience, .cut = c->subscription->cut, .trailing = c->subscription->lost};
    return true;
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
        .path = {job->lane->function->plugin->path, job->lane->function->plugin->path_size},
        .name = {job->lane->function->name, job->lane->function->name_size},
        .host = host_of(job),
        .tries = (uint64_t)job_work(job)->attempt + job_work(job)->crashes,
        .function = job->lane->function,
        .grace_ns = job->terms->grace_ns,
        .cancelling = is_cancelling(job),
        .text = {job_work(job)->text, job_work(job)->text_size},
    };
    return true;
}

bool core_next_host(const struct core *core, uint64_t after, struct core_host *out)
{
    const struct host *host, *next = NULL;

    list_each (host, &core->jobs->hosts, link)
        if (host->number > after && !host->outside && (!next || host->number < next->number))
            next = host;
    if (!next)
        return false;
    *out = (struct core_host){.number = next->number,
                              .busy = next->busy,
                              .takes = list_linked(&next->peers),
                              .generation = next->generation};
    if (next->crew->pool)
        out->pool = pool_name(next->crew->pool);
    return true;
}

bool core_pool_drained(const struct core *core, struct bytes name)
{
    const struct pool *pool = pool_find(core, name);

    return pool && pool->sum.drained;
}

bool core_untold(uint32_t flags)
{
    return flags & JOB_UNTOLD;
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
