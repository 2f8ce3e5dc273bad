/*
 * Tracks, lanes, and the order of the lanes that are open: by the round of their key (queue_key.c), then by the age of
 * their first job. A returned job keeps its ticket and so stands in front again.
 *
 * Between priorities age counts too: waiting for ageing_ms makes up for one priority.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "pool.h"

struct job *lane_head(const struct lane *lane)
{
    return list_first(&lane->ready, struct job, link);
}

bool lane_before(const struct lane *a, const struct lane *b)
{
    if (a->queue->policy.fair && a->key->round != b->key->round)
        return a->key->round < b->key->round;
    if (a->queue->policy.fair && !a->key->taken != !b->key->taken)
        return a->key->taken; /* it is in the midst of its turn */
    return lane_head(a)->ticket < lane_head(b)->ticket;
}

/* ---- the heap of a track and priority ---- */

static struct lane_heap *heap_of(const struct lane *lane)
{
    return &lane->track->open[lane->priority];
}

static void place(struct lane_heap *heap, size_t at, struct lane *lane)
{
    heap->lane[at] = lane;
    lane->place = at + 1;
}

static void rise(struct lane_heap *heap, struct lane *lane)
{
    size_t at = lane->place - 1;

    for (; at && lane_before(lane, heap->lane[(at - 1) / 2]); at = (at - 1) / 2)
        place(heap, at, heap->lane[(at - 1) / 2]);
    place(heap, at, lane);
}

static void sink(struct lane_heap *heap, struct lane *lane)
{
    size_t at = lane->place - 1, child;

    for (; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && lane_before(heap->lane[child + 1], heap->lane[child]))
            child++;
        if (!lane_before(heap->lane[child], lane))
            break;
        place(heap, at, heap->lane[child]);
    }
    place(heap, at, lane);
}

static int heap_reserve(struct core *core, struct lane_heap *heap)
{
    size_t size = heap->size ? 2 * heap->size : 4;

    if (heap->lanes_n < heap->size)
        return 0;
    struct lane **lane = core_resize(core, heap->lane, size * sizeof(struct lane *));
    if (!lane)
        return -ENOMEM;
    heap->lane = lane;
    heap->size = size;
    return 0;
}

void lane_open(struct core *core, struct lane *lane)
{
    struct lane_heap *heap = heap_of(lane);

    if (!lane->place) {
        if (!lane->key->open)
            key_joins(lane->key);
        place(heap, heap->count++, lane);
        lane->key->open++;
        queue_opens(core, lane->queue);
    }
    rise(heap, lane);
    sink(heap, lane);
}

void lane_close(struct lane *lane)
{
    struct lane_heap *heap = heap_of(lane);
    size_t at = lane->place;
    struct lane *last;

    if (!at)
        return;
    last = heap->lane[--heap->count];
    lane->place = 0;
    lane->key->open--;
    queue_closes(lane->queue);
    if (last == lane)
        return;
    place(heap, at - 1, last);
    rise(heap, last);
    sink(heap, last);
}

/* ---- birth and death ---- */

static struct track *track_get(struct core *core, struct queue *queue, struct function *function)
{
    struct track *track;

    list_each (track, &function->tracks, function_link)
        if (track->queue == queue)
            return track;
    track = core_alloc(core, sizeof(*track));
    if (!track || timers_reserve(core) < 0) {
        core_free(core, track);
        return NULL;
    }
    track->queue = queue;
    track->function = function;
    track->pool = pool_of(core, track);
    list_append(&queue->tracks, &track->queue_link);
    list_append(&function->tracks, &track->function_link);
    return track;
}

static void track_free(struct core *core, struct track *track)
{
    breaker_fini(core, track);
    timers_unreserve(core);
    list_remove(&track->queue_link);
    list_remove(&track->function_link);
    for (int i = 0; i < PRIORITIES; i++)
        core_free(core, track->open[i].lane);
    core_free(core, track);
}

void track_settle(struct core *core, struct track *track)
{
    struct function *function = track->function;

    if (track->lanes_n || breaker_remembers(track))
        return;
    track_free(core, track);
    function_settle(core, function);
}

void tracks_forget(struct core *core)
{
    struct queue *queue;
    struct track *track, *after;

    list_each (queue, &core->jobs->queues, link)
        list_each_safe (track, after, &queue->tracks, queue_link) {
            breaker_fini(core, track);
            track_settle(core, track);
        }
}

static struct lane *lane_new(struct core *core, struct track *track, struct queue_key *key, uint8_t priority)
{
    struct lane_heap *heap = &track->open[priority];
    struct lane *lane = heap_reserve(core, heap) < 0 ? NULL : core_alloc(core, sizeof(*lane));

    if (!lane)
        return NULL;
    list_init(&lane->ready);
    lane->track = track;
    lane->queue = track->queue;
    lane->function = track->function;
    lane->key = key;
    lane->priority = priority;
    list_append(&key->lanes, &lane->key_link);
    heap->lanes_n++;
    track->lanes_n++;
    return lane;
}

static struct lane *find(const struct queue_key *key, const struct track *track, uint8_t priority)
{
    struct lane *lane;

    list_each (lane, &key->lanes, key_link)
        if (lane->track == track && lane->priority == priority)
            return lane;
    return NULL;
}

struct lane *lane_get(struct core *core, struct queue *queue, struct function *function, struct bytes text,
                      uint32_t priority)
{
    struct track *track = track_get(core, queue, function);
    struct queue_key *key = track ? key_get(core, queue, text) : NULL;
    struct lane *lane = key ? find(key, track, (uint8_t)priority) : NULL;

    if (key && !lane)
        lane = lane_new(core, track, key, (uint8_t)priority);
    if (lane)
        return lane_ref(lane);
    if (key)
        key_release(core, key);
    if (track && !track->lanes_n && !breaker_remembers(track))
        track_free(core, track);
    return NULL;
}

struct lane *lane_ref(struct lane *lane)
{
    lane->jobs++;
    return lane;
}

void lane_drop(struct core *core, struct lane *lane)
{
    struct queue_key *key = lane->key;
    struct track *track = lane->track;

    if (--lane->jobs)
        return;
    assert(lane->count == 0 && "no job stands in a lane that goes");
    list_remove(&lane->key_link);
    heap_of(lane)->lanes_n--;
    track->lanes_n--;
    core_free(core, lane);
    key_release(core, key);
    track_settle(core, track);
}

/* ---- jobs in lanes ---- */

void lane_put(struct core *core, struct job *job)
{
    struct list *line = &job->lane->ready, *at = line->prev;

    assert(!list_linked(&job->link) && "a job stands in line once");
    if (at != line && container_of(at, struct job, link)->ticket > job->ticket) {
        at = line->next; /* a returned one: its place is near the head */
        while (container_of(at, struct job, link)->ticket < job->ticket)
            at = at->next;
        at = at->prev;
    }
    list_insert_before(at->next, &job->link);
    job->lane->count++;
    job->lane->queue->ready++;
    job->lane->track->ready++;
    if (at == line)
        key_settle(core, job->lane);
}

void lane_take(struct core *core, struct job *job)
{
    if (!list_linked(&job->link))
        return;
    bool head = lane_head(job->lane) == job;
    list_remove(&job->link);
    job->lane->count--;
    job->lane->queue->ready--;
    job->lane->track->ready--;
    if (head)
        key_settle(core, job->lane);
}

/* ---- the best ---- */

struct best {
    const struct lane *lane[PRIORITIES]; /* of each priority, whatever their host; NULL: none */
    struct host *host[PRIORITIES];
};

static void look(struct core *core, const struct track *track, struct best *best)
{
    struct host *host = NULL;

    for (int i = PRIORITIES - 1; i >= 0; i--) {
        const struct lane *lane = track->open[i].count ? track->open[i].lane[0] : NULL;
        if (!lane || (best->lane[i] && !lane_before(lane, best->lane[i])))
            continue;
        host = host ? host : function_host(core, lane_head(lane));
        if (!host)
            return;
        best->lane[i] = lane;
        best->host[i] = host;
    }
}

/* What a priority less has to have waited longer for. */
static int64_t made_up_ns(const struct queue *queue, int priorities)
{
    int64_t ms = (int64_t)queue->policy.ageing_ms * priorities;

    return ms ? ms * 1000000 : INT64_MAX;
}

struct job *queue_best(struct core *core, struct queue *queue, struct host **host)
{
    struct best best = {0};
    const struct track *track;
    const struct job *job = NULL;
    int at = 0;

    list_each (track, &queue->tracks, queue_link)
        if (breaker_lets(track))
            look(core, track, &best);
    for (int i = PRIORITIES - 1; i >= 0; i--) {
        const struct job *head = best.lane[i] ? lane_head(best.lane[i]) : NULL;
        if (!head || (job && job->ticket - head->ticket <= made_up_ns(queue, at - i)))
            continue;
        job = head;
        at = i;
    }
    *host = best.host[at];
    return (struct job *)job;
}

/* ---- the invariants ---- */

uint64_t lane_check(const struct lane *lane)
{
    const struct job *job;
    uint64_t count = 0;
    int64_t ticket = INT64_MIN;

    list_each (job, &lane->ready, link) {
        assert(job->lane == lane && job->ticket > ticket && "a lane is in order");
        ticket = job->ticket;
        count++;
    }
    assert(count == lane->count && count <= lane->jobs && "a lane knows its length");
    return count;
}

void track_check(const struct track *track)
{
    breaker_check(track);
    for (int i = 0; i < PRIORITIES; i++)
        for (size_t at = 0; at < track->open[i].count; at++) {
            const struct lane *lane = track->open[i].lane[at],
                              *above = track->open[i].lane[at ? (at - 1) / 2 : 0];
            assert(lane->track == track && lane->priority == i && lane->place == at + 1 &&
                   "an open lane knows its place");
            assert((!at || !lane_before(lane, above)) && "open lanes stand in order");
        }
}
