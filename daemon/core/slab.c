/* Invariants: a slab is in slabs->open exactly while it has a free place; it has `used` others. */
#include "slab.h"

#include <string.h>

#include "core_internal.h"

enum { SLAB_BYTES = 64 << 10 };

/* In front of each object. */
struct place {
    struct slab *slab;
    struct place *next[]; /* in the bytes of the object while it is free: one */
};

struct slab {
    struct list link;
    size_t used;
    struct place *free;
};

void slabs_init(struct slabs *slabs, size_t bytes)
{
    slabs->bytes = bytes;
    list_init(&slabs->open);
}

static struct slab *slab_new(struct core *core, struct slabs *slabs)
{
    size_t step = sizeof(struct place) + slabs->bytes;
    struct slab *slab = core_resize(core, NULL, SLAB_BYTES);

    if (!slab)
        return NULL;
    char *at = (char *)(slab + 1);
    slab->used = 0;
    slab->free = NULL;
    for (; at + step <= (char *)slab + SLAB_BYTES; at += step) {
        struct place *place = (struct place *)at;
        place->slab = slab;
        place->next[0] = slab->free;
        slab->free = place;
    }
    list_init(&slab->link);
    list_prepend(&slabs->open, &slab->link);
    return slab;
}

void *slabs_take(struct core *core, struct slabs *slabs)
{
    struct slab *slab = list_first(&slabs->open, struct slab, link);

    if (!core->memory.keep_bytes)
        return core_alloc(core, slabs->bytes);
    if (!slab && !(slab = slab_new(core, slabs)))
        return NULL;
    struct place *place = slab->free;
    slab->free = place->next[0];
    slab->used++;
    if (!slab->free)
        list_remove(&slab->link);
    return memset(place->next, 0, slabs->bytes);
}

void slabs_give(struct core *core, struct slabs *slabs, void *object)
{
    struct place *place = (struct place *)((char *)object - sizeof(struct place));

    if (!core->memory.keep_bytes)
        return core_free(core, object);
    struct slab *slab = place->slab;
    if (!slab->free)
        list_prepend(&slabs->open, &slab->link);
    place->next[0] = slab->free;
    slab->free = place;
    if (--slab->used || slabs->open.next == slabs->open.prev)
        return;
    list_remove(&slab->link);
    core_free(core, slab);
}

void slabs_free(struct core *core, struct slabs *slabs)
{
    struct slab *slab;

    while ((slab = list_first(&slabs->open, struct slab, link))) {
        list_remove(&slab->link);
        core_free(core, slab);
    }
}
