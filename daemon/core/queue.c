/*
 * Queues: named policies, and the order in which ready jobs start. A policy bounds how many run at once.
 *
 * Ready jobs stand in lanes, one for each function in each queue, by priority and within it by ticket. Dispatch takes
 * the best head among the lanes whose host takes a job now, so that a function that is missing, a host that is being
 * started or a full window hold up nobody else. A returned job keeps its ticket and so stands in front again.
 */
#include <assert.h>
#include <string.h>

#include "jobs_internal.h"

static bool same(struct bytes a, const char *data, size_t size)
{
    return a.size == size && memcmp(a.data, data, size) == 0;
}

struct queue *queue_find(const struct core *core, struct bytes name)
{
    struct queue *queue;

    list_each (queue, &core->jobs->queues, link)
        if (same(name, queue->name, queue->name_size))
            return queue;
    return NULL;
}

struct queue *queue_get(struct core *core, struct bytes name, uint64_t concurrency)
{
    struct queue *queue = queue_find(core, name);

    if (queue)
        return queue;
    queue = core_alloc(core, sizeof(*queue) + name.size);
    if (!queue)
        return NULL;
    list_init(&queue->lanes);
    list_append(&core->jobs->queues, &queue->link);
    queue->concurrency = concurrency;
    queue->name_size = (uint32_t)name.size;
    memcpy(queue->name, name.data, name.size);
    return queue;
}

struct lane *lane_get(struct core *core, struct queue *queue, struct function *function)
{
    struct lane *lane;

    list_each (lane, &function->lanes, function_link)
        if (lane->queue == queue)
            return lane_ref(lane);
    lane = core_alloc(core, sizeof(*lane));
    if (!lane)
        return NULL;
    lane->queue = queue;
    lane->function = function;
    for (int i = 0; i < PRIORITIES; i++)
        list_init(&lane->ready[i]);
    list_append(&queue->lanes, &lane->queue_link);
    list_append(&function->lanes, &lane->function_link);
    return lane_ref(lane);
}

struct lane *lane_ref(struct lane *lane)
{
    lane->jobs++;
    return lane;
}

void lane_drop(struct core *core, struct lane *lane)
{
    struct function *function = lane->function;

    if (--lane->jobs)
        return;
    assert(lane->count == 0);
    list_remove(&lane->queue_link);
    list_remove(&lane->function_link);
    core_free(core, lane);
    function_settle(core, function);
}

void lane_put(struct core *core, struct job *job)
{
    struct list *line = &job->lane->ready[job->priority], *at = line->prev;

    assert(!list_linked(&job->link));
    if (at != line && container_of(at, struct job, link)->ticket > job->ticket) {
        at = line->next; /* a returned one: its place is near the head */
        while (container_of(at, struct job, link)->ticket < job->ticket)
            at = at->next;
        at = at->prev;
    }
    list_insert_before(at->next, &job->link);
    job->lane->count++;
    job->lane->queue->ready++;
}

void lane_take(struct core *core, struct job *job)
{
    if (!list_linked(&job->link))
        return;
    list_remove(&job->link);
    job->lane->count--;
    job->lane->queue->ready--;
}

static struct job *lane_head(const struct lane *lane)
{
    for (int i = PRIORITIES - 1; i >= 0; i--)
        if (!list_empty(&lane->ready[i]))
            return container_of(lane->ready[i].next, struct job, link);
    return NULL;
}

static bool before(const struct job *a, const struct job *b)
{
    return !b || a->priority > b->priority || (a->priority == b->priority && a->ticket < b->ticket);
}

/* The job to start next and its host. NULL: none can start now. */
static struct job *queue_best(struct core *core, struct queue *queue, struct host **host)
{
    struct job *best = NULL;
    struct lane *lane;

    list_each (lane, &queue->lanes, queue_link) {
        struct job *head = lane->count ? lane_head(lane) : NULL;
        struct host *taker = head && before(head, best) ? function_host(core, head) : NULL;
        if (!taker)
            continue;
        best = head;
        *host = taker;
    }
    return best;
}

void dispatch(struct core *core)
{
    struct queue *queue;
    struct host *host;
    struct job *job;

    if (!core->jobs->dispatch || core->jobs->draining)
        return;
    core->jobs->dispatch = false;
    list_each (queue, &core->jobs->queues, link)
        while (queue->ready && queue->running < queue->concurrency && (job = queue_best(core, queue, &host)))
            if (run_start(core, job, host) < 0)
                return; /* memory is out: the next input tries again */
}

void queues_free(struct core *core)
{
    struct queue *queue, *after;

    list_each_safe (queue, after, &core->jobs->queues, link) {
        assert(list_empty(&queue->lanes));
        list_remove(&queue->link);
        core_free(core, queue);
    }
}

static uint64_t lane_check(const struct core *core, const struct lane *lane)
{
    const struct job *job;
    uint64_t count = 0;

    for (int i = 0; i < PRIORITIES; i++) {
        uint64_t ticket = 0;
        list_each (job, &lane->ready[i], link) {
            assert(job->lane == lane && job->priority == i && job->ticket > ticket);
            ticket = job->ticket;
            count++;
        }
    }
    assert(count == lane->count && count <= lane->jobs);
    return count;
}

void queue_check(const struct core *core)
{
    const struct queue *queue;
    const struct lane *lane;

    list_each (queue, &core->jobs->queues, link) {
        uint64_t ready = 0;
        list_each (lane, &queue->lanes, queue_link)
            ready += lane_check(core, lane);
        assert(ready == queue->ready);
        assert(queue->running <= queue->concurrency);
    }
}
