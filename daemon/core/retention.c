/*
 * How long ended jobs stay in the store: as long and as many of each queue as that says, and at most retained_jobs_max of
 * all; dead ones, which somebody has to look at, have bounds of their own. Memory keeps the id and time of each, which also tells an ended
 * job from one that never was. When there is no memory for one, the next start finds it in the store.
 *
 * Invariant: every kept is in the map by id, and in one list of all jobs and one of its queue; one that stays for its key is
 * in no list of a queue. A list is in the order of ends: the load comes by id and is sorted once. A queue with some is in
 * `queues`, where the next turn looks, or its timer is armed.
 */
#include <assert.h>
#include <stdlib.h>

#include "job_once.h"

enum { DELETES_PER_TURN = 256, SECONDS_MOST = 1000000000 };
#define LOOK_NS (INT64_C(3600) * 1000000000) /* the wall clock may have been set */

struct kept {
    struct map_node node;
    struct list link, queue_link;
    struct queue *queue; /* NULL: it stays for its key */
    uint64_t id;
    int64_t ended_us;
    uint32_t uid, flags;
    bool dead, keyed, done;
    struct job_once *once; /* the key it holds; NULL: none */
};

static struct kept_list *list_of(struct retained *r, const struct kept *kept)
{
    return kept->keyed ? &r->keyed : kept->dead ? &r->dead : &r->ended;
}

static struct kept_list *queue_list_of(const struct kept *kept)
{
    return kept->dead ? &kept->queue->dead : &kept->queue->ended;
}

static void leave_lists(struct retained *r, struct kept *kept)
{
    list_of(r, kept)->n--;
    list_remove(&kept->link);
    if (!kept->queue)
        return;
    queue_list_of(kept)->n--;
    list_remove(&kept->queue_link);
}

/* When memory is out the default queue stands in. */
static struct queue *queue_of(struct core *core, struct bytes name)
{
    struct queue *queue = queue_of_ended(core, name);

    return queue ? queue : list_first(&core->jobs->queues, struct queue, link);
}

/* The key of the job is that of what is kept of it. When memory is out it is forgotten. */
static void keep_key(struct core *core, struct kept *kept, const struct job_row *row)
{
    if (!row->once.size || once_reserve(core, 1) < 0)
        return;
    kept->once = once_of_row(core, row);
    if (kept->once)
        once_take(core, &kept->once, row->id);
}

void retention_add(struct core *core, const struct job_row *row)
{
    struct retained *r = &core->jobs->retained;
    struct kept *kept = map_reserve(core, &r->map, 1) < 0 ? NULL : core_alloc(core, sizeof(*kept));

    if (!kept)
        return;
    kept->id = row->id;
    kept->ended_us = row->ended_us;
    kept->uid = row->uid;
    kept->flags = row->flags;
    kept->dead = row->state == JOB_DEAD;
    kept->done = row->state == JOB_DONE;
    kept->queue = queue_of(core, row->queue);
    list_append(&list_of(r, kept)->list, &kept->link);
    list_of(r, kept)->n++;
    list_append(&queue_list_of(kept)->list, &kept->queue_link);
    queue_list_of(kept)->n++;
    retention_look(core, kept->queue);
    map_add(&r->map, &kept->node, core_hash_number(core, row->id));
    keep_key(core, kept, row);
}

static struct kept *find(const struct core *core, uint64_t id)
{
    struct map_node *n = map_first(&core->jobs->retained.map, core_hash_number(core, id));

    while (n && map_entry(n, struct kept, node)->id != id)
        n = map_next(n);
    return n ? map_entry(n, struct kept, node) : NULL;
}

bool retention_has(const struct core *core, uint64_t id, uint32_t *uid)
{
    const struct kept *kept = find(core, id);

    if (kept)
        *uid = kept->uid;
    return kept != NULL;
}

uint32_t retention_flags(const struct core *core, uint64_t id)
{
    const struct kept *kept = find(core, id);

    return kept ? kept->flags : 0;
}

bool retention_let(const struct core *core, uint64_t id)
{
    const struct kept *kept = find(core, id);

    return !kept || kept->done;
}

static void drop(struct core *core, struct kept *kept)
{
    struct retained *r = &core->jobs->retained;

    map_remove(&r->map, &kept->node);
    leave_lists(r, kept);
    once_delete(core, kept->once);
    core_free(core, kept);
}

void retention_remove(struct core *core, uint64_t id)
{
    struct kept *kept = find(core, id);

    if (kept)
        drop(core, kept);
}

static uint64_t forget(struct core *core, struct kept *kept)
{
    struct job_row row = {.id = kept->id, .flags = kept->flags};
    uint64_t batch = core_record(core, RECORD_JOB_DELETE, &row, (struct bytes){0});

    if (batch)
        drop(core, kept);
    return batch;
}

uint64_t retention_purge(struct core *core, uint64_t id)
{
    struct kept *kept = find(core, id);

    return kept ? forget(core, kept) : 0;
}

static int by_end(const void *a, const void *b)
{
    int64_t left = (*(struct kept *const *)a)->ended_us, right = (*(struct kept *const *)b)->ended_us;

    return (left > right) - (left < right);
}

/* The kept of a link in a list of all / of a queue. */
static struct kept *kept_at(struct list *link, bool of_queue)
{
    return of_queue ? container_of(link, struct kept, queue_link) : container_of(link, struct kept, link);
}

static void sort(struct core *core, struct kept_list *list, bool of_queue)
{
    struct kept **array = core_alloc(core, list->n * sizeof(*array) + 1);
    size_t n = 0;

    if (!array)
        return; /* some go a little late */
    for (struct list *link = list->list.next; link != &list->list; link = link->next)
        array[n++] = kept_at(link, of_queue);
    qsort(array, n, sizeof(*array), by_end);
    list_init(&list->list);
    for (size_t i = 0; i < n; i++)
        list_append(&list->list, of_queue ? &array[i]->queue_link : &array[i]->link);
    core_free(core, array);
}

void retention_sort(struct core *core)
{
    struct queue *queue;

    sort(core, &core->jobs->retained.ended, false);
    sort(core, &core->jobs->retained.dead, false);
    list_each (queue, &core->jobs->queues, link) {
        sort(core, &queue->ended, true);
        sort(core, &queue->dead, true);
    }
}

static struct kept *oldest_of(const struct kept_list *list, bool of_queue)
{
    return list_empty(&list->list) ? NULL : kept_at(list->list.next, of_queue);
}

/* How long that one may still stay, by its queue; 0: it has to go. */
static int64_t left_ns(const struct core *core, const struct kept *kept)
{
    const struct queue_policy *policy = &kept->queue->policy;
    uint64_t seconds = kept->dead ? policy->dead_s : policy->retained_s;
    int64_t left_us = (int64_t)(seconds < SECONDS_MOST ? seconds : SECONDS_MOST) * 1000000 -
                      (core->now.wall_ns / 1000 - kept->ended_us);

    return left_us <= 0 ? 0 : left_us < LOOK_NS / 1000 ? left_us * 1000 : LOOK_NS;
}

/* The turn that follows does the work. */
void retention_look(struct core *core, struct queue *queue)
{
    struct retained *r = &core->jobs->retained;

    r->look = true;
    if (!list_linked(&queue->look))
        list_append(&r->queues, &queue->look);
}

static void wake_queue(struct core *core, struct timer *timer)
{
    retention_look(core, container_of(timer, struct queue, stay));
}

static void wake(struct core *core, struct timer *timer)
{
    core->jobs->retained.look = true;
}

/* It goes, unless its key has still time: then it stays with those of whom that is true. What is in memory alone goes with its
 * key: memory is what bounds it. False: out of memory. */
static bool let_go(struct core *core, struct kept *kept)
{
    struct retained *r = &core->jobs->retained;

    if (flags_durability(kept->flags) == DURABLE_NONE || kept->keyed || !kept->once ||
        kept->once->until_us <= 0 || !once_holds(core, kept->once))
        return forget(core, kept);
    leave_lists(r, kept);
    kept->queue = NULL;
    kept->keyed = true;
    list_append(&r->keyed.list, &kept->link);
    r->keyed.n++;
    return true;
}

/* So many may stay in the list. False: there is more to do than this turn can. */
static bool thin(struct core *core, struct kept_list *list, uint64_t most, int *deletes)
{
    while (list->n > most)
        if ((*deletes)++ >= DELETES_PER_TURN || !let_go(core, oldest_of(list, false)))
            return false;
    return true;
}

/* The same of a queue, also by time. How long the rest may stay; INT64_MAX: it is empty, 0: there is more to do. */
static int64_t thin_queue(struct core *core, struct kept_list *list, uint64_t most, int *deletes)
{
    struct kept *oldest;

    while ((oldest = oldest_of(list, true))) {
        int64_t left = most && list->n > most + PLANTED(LONG_KEPT) ? 0 : left_ns(core, oldest);
        if (left > 0)
            return left;
        if ((*deletes)++ >= DELETES_PER_TURN || !let_go(core, oldest))
            return 0;
    }
    return INT64_MAX;
}

/* The same for those that stay for their keys: the first that came to stay goes first. */
static int64_t thin_keyed(struct core *core, int *deletes)
{
    struct kept_list *list = &core->jobs->retained.keyed;
    struct kept *oldest;

    while ((oldest = list_first(&list->list, struct kept, link))) {
        bool over = list->n > core->limits.once_kept_max || !oldest->once || !once_holds(core, oldest->once);
        if (!over)
            return oldest->once->until_us * 1000 - core->now.wall_ns;
        if ((*deletes)++ >= DELETES_PER_TURN || !forget(core, oldest))
            return 0;
    }
    return INT64_MAX;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* False: there is more to do, and it is looked at again. */
static bool thin_both(struct core *core, struct queue *queue, int *deletes)
{
    int64_t ended = thin_queue(core, &queue->ended, queue->policy.retained_jobs, deletes),
            left = least(ended, thin_queue(core, &queue->dead, queue->policy.dead_jobs, deletes));

    if (!left)
        return false;
    list_remove(&queue->look);
    if (left < INT64_MAX)
        timer_arm(core, &queue->stay, time_after(core->now.mono_ns, left), wake_queue);
    else
        timer_disarm(core, &queue->stay);
    return true;
}

/* Where something may have to go: no end of a job costs a look at every queue. */
static bool thin_queues(struct core *core, int *deletes)
{
    struct queue *queue;

    while ((queue = list_first(&core->jobs->retained.queues, struct queue, look)))
        if (!thin_both(core, queue, deletes))
            return false;
    return true;
}

static int64_t thin_all(struct core *core, int *deletes)
{
    const struct limits *limits = &core->limits;
    struct retained *r = &core->jobs->retained;
    bool all = thin_queues(core, deletes) && thin(core, &r->ended, limits->retained_jobs_max, deletes) &&
               thin(core, &r->dead, limits->dead_jobs_max, deletes);

    return least(all ? INT64_MAX : 0, thin_keyed(core, deletes));
}

void retention_turn(struct core *core)
{
    struct retained *r = &core->jobs->retained;
    int deletes = 0;

    if (!r->look)
        return;
    r->look = false;
    int64_t left = thin_all(core, &deletes);
    if (left == INT64_MAX)
        return timer_disarm(core, &r->timer);
    timer_arm(core, &r->timer, time_after(core->now.mono_ns, left), wake); /* 0: the next step goes on */
}

void retention_check(const struct queue *queue)
{
    assert((!(queue->ended.n + queue->dead.n) || list_linked(&queue->look) || timer_armed(&queue->stay)) &&
           "what has ended is looked at some time");
}

static void clear(struct core *core, struct kept_list *list)
{
    struct kept *kept, *after;

    list_each_safe (kept, after, &list->list, link)
        drop(core, kept);
}

void retention_free(struct core *core)
{
    struct retained *r = &core->jobs->retained;

    clear(core, &r->ended);
    clear(core, &r->dead);
    clear(core, &r->keyed);
    map_free(core, &r->map);
    timer_disarm(core, &r->timer);
}
