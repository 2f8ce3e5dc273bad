/*
 * Jobs in memory by id. Ids only grow, so the index is an array: appended to, searched by halving, in the order
 * that lists need. A job that goes leaves a hole; holes go when the array is full or begins with them.
 *
 * Invariants: ids rise from first to end; count <= end - first <= size.
 */
#include <assert.h>
#include <errno.h>

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

int job_index_reserve(struct core *core, struct job_index *index)
{
    if (index->end < index->size)
        return 0;
    if (index->count < index->size / 2) {
        compact(index);
        return 0;
    }
    size_t size = index->size ? 2 * index->size : PLACES_FIRST;
    struct job_place *place = core_resize(core, index->place, size * sizeof(*place));
    if (!place)
        return -ENOMEM;
    index->place = place;
    index->size = size;
    return 0;
}

void job_index_add(struct job_index *index, struct job *job)
{
    assert(index->end < index->size);
    assert(index->end == index->first || index->place[index->end - 1].id < job->id);
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

void job_index_remove(struct job_index *index, const struct job *job)
{
    size_t at = place_of(index, job->id);

    assert(at < index->end && index->place[at].job == job);
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
