/* Who waits for whom: circles of goroutines, each waiting for a mutex that the next one locked last. */
#include "goroutine_inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dump.h"
#include "objects.h"

/* A goroutine that waits for a mutex. It has at most one way on, so every circle is walked once. */
struct edge {
    struct go_info info;
    size_t walk; /* the number of the walk that came by, 0 none */
};

struct edges {
    struct edge *edge;
    size_t n, room;
};

static int edge_add(const struct go_info *info, void *arg)
{
    struct edges *e = arg;

    if (info->state != GO_STATE_PARKED || !info->locker)
        return 0;
    if (e->n == e->room) {
        size_t room = e->room ? 2 * e->room : 16;
        struct edge *edge = realloc(e->edge, room * sizeof *edge);

        if (!edge)
            return -ENOMEM;
        e->edge = edge;
        e->room = room;
    }
    e->edge[e->n++] = (struct edge){.info = *info};
    return 0;
}

static int by_id(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;

    return (x->info.id > y->info.id) - (x->info.id < y->info.id);
}

static struct edge *edge_of(const struct edges *e, uint64_t id)
{
    struct edge key = {.info.id = id};

    return e->n ? bsearch(&key, e->edge, e->n, sizeof key, by_id) : NULL;
}

static int circle_write(const struct edges *e, struct edge *first, int fd)
{
    struct edge *at = first;
    int r = fd_print(fd, "mutexes locked in a circle:\n");

    do {
        char object[256];

        object_format(&at->info, object, sizeof object);
        if (r == 0)
            r = fd_print(fd, "  goroutine %llu (%s) %s\n", (unsigned long long)at->info.id, at->info.name,
                         object);
        at = edge_of(e, at->info.locker);
    } while (at != first);
    return r ? r : fd_print(fd, "\n");
}

/* Follows the ways on from `at` until they end, or meet another walk's, or this one's: a circle. */
static struct edge *circle_from(const struct edges *e, struct edge *at, size_t walk)
{
    for (; at && !at->walk; at = edge_of(e, at->info.locker))
        at->walk = walk;
    return at && at->walk == walk ? at : NULL;
}

int go_lock_cycles(const go_group *group, int fd)
{
    struct edges e = {.n = 0};
    int found = 0, r = go_each(group, edge_add, &e);

    if (r == 0 && e.n)
        qsort(e.edge, e.n, sizeof *e.edge, by_id);
    for (size_t i = 0; r == 0 && i < e.n; i++) {
        struct edge *circle = circle_from(&e, &e.edge[i], i + 1);

        if (!circle)
            continue;
        found++;
        r = circle_write(&e, circle, fd);
    }
    free(e.edge);
    return r ? r : found;
}
