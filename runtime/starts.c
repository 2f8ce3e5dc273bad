#include "starts.h"

#include <stddef.h>
#include <stdlib.h>

enum { ROOM_FIRST = 256, ROOM_KEPT = 4096 };

/* Lock held. */
static uint32_t count_of(_Atomic uint32_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void count_set(_Atomic uint32_t *count, uint32_t to)
{
    atomic_store_explicit(count, to, memory_order_release);
}

static bool starts_grow(struct starts *s)
{
    uint32_t room = s->room ? s->room * 2 : ROOM_FIRST, oldest = count_of(&s->oldest);
    struct g **slot = malloc(room * sizeof(struct g *));

    if (!slot)
        return false;
    for (uint32_t i = oldest; i != count_of(&s->newest); i++)
        slot[i % room] = s->slot[i % s->room];
    free(s->slot);
    s->slot = slot;
    s->room = room;
    return true;
}

bool starts_push(struct starts *s, struct g *g)
{
    uint32_t newest;
    bool fits;

    lock_take(&s->lock, RANK_STARTS);
    newest = count_of(&s->newest);
    fits = newest - count_of(&s->oldest) < s->room || starts_grow(s);
    if (fits) {
        s->slot[newest & (s->room - 1)] = g;
        count_set(&s->newest, newest + 1);
    }
    lock_drop(&s->lock);
    return fits;
}

/* A burst is over: its room goes back. */
static void starts_trim(struct starts *s)
{
    if (s->room <= ROOM_KEPT || count_of(&s->newest) != count_of(&s->oldest))
        return;
    free(s->slot);
    s->slot = NULL;
    s->room = 0;
}

struct g *starts_pop(struct starts *s)
{
    struct g *g = NULL;
    uint32_t newest;

    if (starts_empty(s))
        return NULL;
    lock_take(&s->lock, RANK_STARTS);
    newest = count_of(&s->newest);
    if (newest != count_of(&s->oldest)) {
        g = s->slot[(newest - 1) & (s->room - 1)];
        count_set(&s->newest, newest - 1);
        starts_trim(s);
    }
    lock_drop(&s->lock);
    return g;
}

uint32_t starts_take_oldest(struct starts *s, struct g **out, uint32_t max)
{
    uint32_t n, oldest;

    if (starts_empty(s))
        return 0;
    lock_take(&s->lock, RANK_STARTS);
    oldest = count_of(&s->oldest);
    n = count_of(&s->newest) - oldest;
    n -= n / 2;
    n = n < max ? n : max;
    for (uint32_t i = oldest; i != oldest + n; i++)
        out[i - oldest] = s->slot[i & (s->room - 1)];
    count_set(&s->oldest, oldest + n);
    starts_trim(s);
    lock_drop(&s->lock);
    return n;
}

void starts_free(struct starts *s)
{
    free(s->slot);
    s->slot = NULL;
    s->room = 0;
}
