/*
 * Names in their order (name_order): where a list goes on behind a name, in as many steps as the logarithm of how many there are.
 *
 * A search tree by name that is a heap by weight, the keyed hash of the name: so it is as deep as a random one, whatever
 * names a client chooses. Nodes are their owners', and so are the names, each of which is there once. A name may move while its
 * node is in the tree (node->name), and stays the same.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

struct name_node {
    struct name_node *left, *right;
    uint64_t weight;
    const struct bytes *name;
};

/* Zero: empty. */
struct name_tree {
    struct name_node *root;
};

/* A node that is in no tree, of a name that is not there. */
void name_tree_add(struct name_tree *tree, struct name_node *node, const struct bytes *name, uint64_t weight);
void name_tree_remove(struct name_tree *tree, struct name_node *node);

/* ---- in their order ---- */

/* Far more than a tree by random weights has: of a billion names about 20. */
enum { NAME_WALK_ABOVE = 64 };

/* Where somebody is, while the tree stays as it is. A step costs the same however many names there are: those above, and behind it,
 * are known. What is too deep for that is right too, and searched for again. */
struct name_walk {
    const struct name_tree *tree;
    size_t above_n;
    bool forgot; /* some of those above */
    struct name_node *above[NAME_WALK_ABOVE];
};

/* The first one at this name or behind it; with `behind`, behind it. NULL: there is none. */
struct name_node *name_walk_from(struct name_walk *walk, const struct name_tree *tree, struct bytes name,
                                 bool behind);
/* The first of all; NULL: the tree is empty. */
static inline struct name_node *name_walk_first(struct name_walk *walk, const struct name_tree *tree)
{
    return name_walk_from(walk, tree, (struct bytes){"", 0}, false);
}
/* The one behind the last that was returned, which was not NULL. NULL: there is none. */
struct name_node *name_walk_next(struct name_walk *walk);
