/*
 * Which operation ids a session has used: the highest, and the gaps below it. Ids come nearly in order (frames
 * of parallel goroutines overtake), so the gaps are few whatever the number of operations.
 *
 * Invariant: gaps rise, are not empty, do not touch, and end below `highest`.
 */
#include <errno.h>
#include <string.h>

#include "engine.h"

/* The first gap that ends at or above id. */
static size_t gap_at(const struct idset *set, uint64_t id)
{
    size_t low = 0, high = set->gaps;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (set->gap[middle].last < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool idset_has(const struct idset *set, uint64_t id)
{
    size_t i = gap_at(set, id);

    return id <= set->highest && !(i < set->gaps && set->gap[i].first <= id);
}

int idset_reserve(struct core *core, struct idset *set)
{
    if (set->gaps >= core->limits.id_gaps_max)
        return -ENOBUFS;
    if (set->gaps < set->size)
        return 0;
    size_t size = set->size ? 2 * set->size : 4;
    struct id_gap *gap = core_resize(core, set->gap, size * sizeof(*gap));
    if (!gap)
        return -ENOMEM;
    set->gap = gap;
    set->size = size;
    return 0;
}

static void gap_delete(struct idset *set, size_t i)
{
    set->gaps--;
    memmove(set->gap + i, set->gap + i + 1, (set->gaps - i) * sizeof(*set->gap));
}

static void gap_insert(struct idset *set, size_t i, uint64_t first, uint64_t last)
{
    memmove(set->gap + i + 1, set->gap + i, (set->gaps - i) * sizeof(*set->gap));
    set->gap[i] = (struct id_gap){first, last};
    set->gaps++;
}

/* id lies in gap i. */
static void gap_fill(struct idset *set, size_t i, uint64_t id)
{
    struct id_gap *gap = &set->gap[i];

    if (gap->first == gap->last)
        gap_delete(set, i);
    else if (gap->first == id)
        gap->first++;
    else if (gap->last == id)
        gap->last--;
    else {
        gap_insert(set, i + 1, id + 1, gap->last);
        set->gap[i].last = id - 1;
    }
}

void idset_add(struct idset *set, uint64_t id)
{
    size_t i = gap_at(set, id);

    if (id > set->highest) {
        if (id > set->highest + 1)
            gap_insert(set, set->gaps, set->highest + 1, id - 1);
        set->highest = id;
    } else if (i < set->gaps && set->gap[i].first <= id) {
        gap_fill(set, i, id);
    }
}

void idset_trim(struct idset *set, uint64_t mark)
{
    size_t i = gap_at(set, mark + 1);

    if (mark >= set->highest) {
        set->highest = mark;
        set->gaps = 0;
        return;
    }
    set->gaps -= i;
    memmove(set->gap, set->gap + i, set->gaps * sizeof(*set->gap));
    if (set->gaps && set->gap[0].first <= mark)
        set->gap[0].first = mark + 1;
}
