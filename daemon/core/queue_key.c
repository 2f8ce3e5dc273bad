/*
 * Keys of a queue: how many jobs of each may run, and whose turn it is.
 *
 * The turns are a deficit round robin. A queue counts rounds, and in each of them a key may start `quantum` jobs: its
 * `round` says in which it starts the next one. The lanes of several functions so agree whose turn it is. A key that
 * comes back after it had nothing to start, or was at its bound, joins behind all others, and what it left over of an
 * earlier turn is lost. A key that could not start because no host took its jobs goes first then, but once only.
 *
 * Invariants: no key is more than one round ahead of its queue; a lane is open exactly when it has a job and its key may
 * start that one.
 */
#include <assert.h>
#include <string.h>

#include "jobs_internal.h"

static uint64_t bound(const struct queue_key *key)
{
    const struct queue_policy *policy = &key->queue->policy;

    if (!key->size)
        return 0;
    return policy->serial ? 1 + PLANTED(NOT_SERIAL) : policy->key_concurrency;
}

/* ---- birth and death ---- */

static struct queue_key *find(const struct queue *queue, struct bytes text, uint64_t hash)
{
    struct map_node *n = map_first(&queue->keys, hash);

    for (; n; n = map_next(n)) {
        struct queue_key *key = map_entry(n, struct queue_key, node);
        if (bytes_are(text, key->text, key->size))
            return key;
    }
    return NULL;
}

struct queue_key *key_get(struct core *core, struct queue *queue, struct bytes text)
{
    uint64_t hash = core_hash(core, text.data, text.size);
    struct queue_key *key = find(queue, text, hash);

    if (key)
        return key;
    if (map_reserve(core, &queue->keys, 1) < 0 || !(key = core_alloc(core, sizeof(*key) + text.size)))
        return NULL;
    list_init(&key->lanes);
    key->queue = queue;
    key->size = (uint8_t)text.size;
    if (text.size)
        memcpy(key->text, text.data, text.size);
    map_add(&queue->keys, &key->node, hash);
    return key;
}

void key_release(struct core *core, struct queue_key *key)
{
    if (!list_empty(&key->lanes))
        return;
    map_remove(&key->queue->keys, &key->node);
    core_free(core, key);
}

/* ---- which lanes are open ---- */

/* The lane with the oldest job. */
static const struct lane *first_lane(const struct queue_key *key)
{
    const struct lane *lane, *first = NULL;

    list_each (lane, &key->lanes, key_link)
        if (lane->count && (!first || lane_head(lane)->ticket < lane_head(first)->ticket))
            first = lane;
    return first;
}

static bool has_room(const struct queue_key *key)
{
    return !bound(key) || key->running < bound(key);
}

bool key_has_order(const struct queue_key *key)
{
    return key->size && key->queue->policy.serial;
}

void key_settle_all(struct core *core, struct queue_key *key)
{
    const struct lane *first = key_has_order(key) ? first_lane(key) : NULL;
    struct lane *lane;

    list_each (lane, &key->lanes, key_link)
        if (lane->count && has_room(key) && (!first || first == lane))
            lane_open(core, lane);
        else
            lane_close(lane);
}

void key_settle(struct core *core, struct lane *lane)
{
    if (bound(lane->key))
        key_settle_all(core, lane->key);
    else if (lane->count)
        lane_open(core, lane);
    else
        lane_close(lane);
}

void key_close(struct queue_key *key)
{
    struct lane *lane;

    list_each (lane, &key->lanes, key_link)
        lane_close(lane);
}

/* ---- turns ---- */

void key_joins(struct queue_key *key)
{
    if (key->round > key->queue->round)
        return;
    key->round = key->queue->round + 1;
    key->taken = 0;
}

/* The order within one key is the same in every round. */
static void stand_anew(struct core *core, struct queue_key *key)
{
    struct lane *lane;

    if (!key->queue->policy.fair || key->queue->keys.count == 1)
        return;
    list_each (lane, &key->lanes, key_link)
        if (lane->place)
            lane_open(core, lane);
}

static void charge(struct core *core, struct queue_key *key)
{
    struct queue *queue = key->queue;
    uint64_t before = key->round;

    if (queue->round < key->round)
        queue->round = key->round;
    if (key->round < queue->round) {
        key->round = queue->round;
        key->taken = 0;
    }
    if (++key->taken >= queue->policy.quantum + 2 * PLANTED(LONG_TURN)) {
        key->round++;
        key->taken = 0;
    }
    if (key->round != before || key->taken == 1)
        stand_anew(core, key);
}

void key_started(struct core *core, struct queue_key *key)
{
    key->running++;
    charge(core, key);
    if (bound(key))
        key_settle_all(core, key);
}

void key_ended(struct core *core, struct queue_key *key)
{
    key->running--;
    if (bound(key))
        key_settle_all(core, key);
}

size_t key_reason(const struct lane *lane, char *to, size_t size)
{
    const struct queue_key *key = lane->key;

    if (!has_room(key))
        return text_write(to, size, "its key runs %llu jobs, as many as it may",
                          (unsigned long long)key->running);
    if (key_has_order(key) && first_lane(key) != lane)
        return text_write(to, size, "an older job of its key is first");
    return 0;
}

/* ---- the invariants ---- */

uint64_t key_check(const struct queue_key *key)
{
    const struct lane *lane;
    uint64_t ready = 0, open = 0;

    assert(key->round <= key->queue->round + 1 && "no key is more than one round ahead");
    list_each (lane, &key->lanes, key_link) {
        bool may = lane->count && has_room(key) && (!key_has_order(key) || first_lane(key) == lane);
        assert(may == (lane->place != 0) && "a lane is open exactly when its key may start its first job");
        open += lane->place != 0;
        ready += lane_check(lane);
    }
    assert(open == key->open && !list_empty(&key->lanes) && "a key goes with its last lane");
    return ready;
}
