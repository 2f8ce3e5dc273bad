/* Chained hash table that doubles when full. */
#include "map.h"

#include <errno.h>
#include <string.h>

#include "core_internal.h"

enum { BUCKETS_FIRST = 8 };

static struct map_node **place(const struct map *map, uint64_t hash)
{
    return &map->bucket[hash & (map->buckets - 1)];
}

static int grow(struct core *core, struct map *map, size_t buckets)
{
    struct map wider = {.buckets = buckets, .count = map->count};
    struct map_node *node, *next;

    wider.bucket = core_alloc(core, buckets * sizeof(*wider.bucket));
    if (!wider.bucket)
        return -ENOMEM;
    for (size_t i = 0; i < map->buckets; i++) {
        for (node = map->bucket[i]; node; node = next) {
            struct map_node **to = place(&wider, node->hash);

            next = node->next;
            node->next = *to;
            *to = node;
        }
    }
    core_free(core, map->bucket);
    *map = wider;
    return 0;
}

int map_reserve(struct core *core, struct map *map, size_t more)
{
    size_t buckets = map->buckets ? map->buckets : BUCKETS_FIRST;

    while (buckets < map->count + more)
        buckets *= 2;
    return buckets == map->buckets ? 0 : grow(core, map, buckets);
}

void map_add(struct map *map, struct map_node *node, uint64_t hash)
{
    struct map_node **to = place(map, hash);

    node->hash = hash;
    node->next = *to;
    *to = node;
    map->count++;
}

void map_remove(struct map *map, struct map_node *node)
{
    struct map_node **at = place(map, node->hash);

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    map->count--;
}

struct map_node *map_first(const struct map *map, uint64_t hash)
{
    struct map_node *node = map->buckets ? *place(map, hash) : NULL;

    while (node && node->hash != hash)
        node = node->next;
    return node;
}

struct map_node *map_next(const struct map_node *node)
{
    struct map_node *next = node->next;

    while (next && next->hash != node->hash)
        next = next->next;
    return next;
}

struct map_node *map_walk(const struct map *map, const struct map_node *after)
{
    size_t i = after ? (after->hash & (map->buckets - 1)) + 1 : 0;

    if (after && after->next)
        return after->next;
    while (i < map->buckets && !map->bucket[i])
        i++;
    return i < map->buckets ? map->bucket[i] : NULL;
}

static uint32_t mirrored(uint32_t bits)
{
    uint32_t to = 0;

    for (int i = 0; i < 32; i++, bits >>= 1)
        to = to << 1 | (bits & 1);
    return to;
}

/* Places are counted from their highest bit down: those that a place parts into when the table doubles come after one
 * another, so that what was seen stays behind. */
struct map_node *map_scan(const struct map *map, uint32_t *place)
{
    uint32_t mask = map->buckets ? (uint32_t)map->buckets - 1 : 0;
    struct map_node *node = map->buckets ? map->bucket[*place & mask] : NULL;

    *place = mirrored(mirrored(*place | ~mask) + 1);
    return node;
}

void map_free(struct core *core, struct map *map)
{
    core_free(core, map->bucket);
    *map = (struct map){0};
}
