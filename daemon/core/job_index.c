/*
 * Jobs in memory by id. Ids only grow, so the index is an array: appended to, searched by halving, in the order
 * that lists need. A job that goes leaves a hole; holes go when the array is full or begins with them.
 *
 * Invariants: ids rise from first to end; count <= end - first <= size.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "jobs_internal.h"

enum { PLACES_FIRST = 64 };

/* Closes the holes and moves everything to the front. */
static void compact(struct job_index *index)
{
    size_t to = 0;

    for (size_t from = index->first; from < index->end; from++)
        if (index->place[from].job)
            index->place[to++] = index->place[from];
    index->first = 0;
    index->end = to;
}

int job_index_reserve(struct core *core, struct job_index *index, size_t n)
{
    size_t size = index->size ? index->size : PLACES_FIRST;

    if (n <= index->size - index->end)
        return 0;
    if (index->count + n <= index->size / 2) {
        compact(index);
        return 0;
    }
    while (size - index->end < n)
        size *= 2;
    struct job_place *place = core_resize(core, index->place, size * sizeof(*place));
    if (!place)
        return -ENOMEM;
    index->place = place;
    index->size = size;
    return 0;
}

void job_index_add(struct job_index *index, struct job *job)
{
    assert(index->end < index->size && "there is room for a job");
    assert((index->end == index->first || index->place[index->end - 1].id < job->id) && "ids of jobs rise");
    index->place[index->end++] = (struct job_place){job->id, job};
    index->count++;
}

/* The first place with an id of at least `id`; index->end: none. */
static size_t place_of(const struct job_index *index, uint64_t id)
{
    size_t low = index->first, high = index->end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->place[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void job_index_put(struct job_index *index, struct job *job)
{
    size_t at = place_of(index, job->id);
    bool own = at < index->end && index->place[at].id == job->id; /* the hole that it left */

    if (!own && at == index->first && at > 0) {
        index->first = --at;
    } else if (!own && at > index->first && !index->place[at - 1].job) {
        at--;
    } else if (!own) {
        memmove(&index->place[at + 1], &index->place[at], (index->end - at) * sizeof(*index->place));
        index->end++;
    }
    index->place[at] = (struct job_place){job->id, job};
    index->count++;
}

void job_index_remove(struct job_index *index, const struct job *job)
{
    size_t at = place_of(index, job->id);

    assert(at < index->end && index->place[at].job == job && "a job is found by its id");
    index->place[at].job = NULL;
    index->count--;
    while (index->first < index->end && !index->place[index->first].job)
        index->first++;
    while (index->end > index->first && !index->place[index->end - 1].job)
        index->end--;
}

struct job *job_find(const struct core *core, uint64_t id)
{
    const struct job_index *index = &core->jobs->index;
    size_t at = place_of(index, id);

    return at < index->end && index->place[at].id == id ? index->place[at].job : NULL;
}

struct job *job_walk(const struct core *core, size_t *at)
{
    const struct job_index *index = &core->jobs->index;

    for (*at = *at < index->first ? index->first : *at; *at < index->end;)
        if (index->place[(*at)++].job)
            return index->place[*at - 1].job;
    return NULL;
}

struct job *job_next(const struct core *core, uint64_t after)
{
    const struct job_index *index = &core->jobs->index;

    if (after == UINT64_MAX)
        return NULL;
    for (size_t at = place_of(index, after + 1); at < index->end; at++)
        if (index->place[at].job)
            return index->place[at].job;
    return NULL;
}
