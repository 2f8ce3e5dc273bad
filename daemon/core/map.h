/*
 * Intrusive hash table for the core. Not uthash: its memory comes through the core's allocator, room is
 * reserved before a change (after which adding cannot fail), and clients choose many keys, so the caller
 * hands in a keyed hash.
 *
 * Invariant: count <= buckets once something was added; a node is in at most one map.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct core;

struct map_node {
    struct map_node *next;
    uint64_t hash;
};

struct map {
    struct map_node **bucket;
    size_t buckets; /* power of two, or 0 */
    size_t count;
};

/* The object of `type` that holds `node` as its `member`; the node may not be NULL. */
#define map_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

/* Makes room for `more` further nodes. 0 or -ENOMEM. */
int map_reserve(struct core *core, struct map *map, size_t more);
/* Never fails; room must have been reserved. */
void map_add(struct map *map, struct map_node *node, uint64_t hash);
void map_remove(struct map *map, struct map_node *node);
/* The nodes with this hash, one after the other; NULL ends. */
struct map_node *map_first(const struct map *map, uint64_t hash);
struct map_node *map_next(const struct map_node *node);
/* All nodes, in no order that means anything: `after` NULL starts, NULL ends. Nothing may be added meanwhile.
 */
struct map_node *map_walk(const struct map *map, const struct map_node *after);
/* The nodes of one place, which follow each other by `next`; NULL: none. *place moves on, from 0 until it is 0 again.
 * Between two calls nodes may come and go: who is there all the while is seen, if only once the table does not grow. */
struct map_node *map_scan(const struct map *map, uint32_t *place);
void map_free(struct core *core, struct map *map);
