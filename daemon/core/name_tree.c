#include "name_tree.h"

#include "engine.h"

void name_tree_add(struct name_tree *tree, struct name_node *node, const struct bytes *name, uint64_t weight)
{
    struct name_node **place = &tree->root, **left = &node->left, **right = &node->right, *at;

    while (*place && (*place)->weight >= weight)
        place = name_order(*name, *(*place)->name) < 0 ? &(*place)->left : &(*place)->right;
    for (at = *place; at;) { /* what is lighter goes below it, to its side */
        struct name_node ***side = name_order(*at->name, *name) < 0 ? &left : &right;

        **side = at;
        *side = side == &left ? &at->right : &at->left;
        at = **side;
    }
    *left = *right = NULL;
    node->weight = weight;
    node->name = name;
    *place = node;
}

void name_tree_remove(struct name_tree *tree, struct name_node *node)
{
    struct name_node **place = &tree->root, *left = node->left, *right = node->right;

    while (*place != node)
        place = name_order(*node->name, *(*place)->name) < 0 ? &(*place)->left : &(*place)->right;
    while (left && right) { /* the heavier one comes up, and the other goes on below it */
        if (left->weight >= right->weight) {
            *place = left;
            place = &left->right;
            left = left->right;
        } else {
            *place = right;
            place = &right->left;
            right = right->left;
        }
    }
    *place = left ? left : right;
}

/* ---- in their order ---- */

static void push(struct name_walk *walk, struct name_node *node)
{
    if (walk->above_n == NAME_WALK_ABOVE) {
        walk->above_n = 0;
        walk->forgot = true;
    }
    walk->above[walk->above_n++] = node;
}

static struct name_node *at(const struct name_walk *walk)
{
    return walk->above_n ? walk->above[walk->above_n - 1] : NULL;
}

struct name_node *name_walk_from(struct name_walk *walk, const struct name_tree *tree, struct bytes name,
                                 bool behind)
{
    struct name_node *node = tree->root;

    walk->tree = tree;
    walk->above_n = 0;
    walk->forgot = false;
    while (node) {
        if (name_order(*node->name, name) >= behind) {
            push(walk, node);
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return at(walk);
}

struct name_node *name_walk_next(struct name_walk *walk)
{
    const struct name_node *last = walk->above[--walk->above_n];

    for (struct name_node *node = last->right; node; node = node->left)
        push(walk, node);
    if (!walk->above_n && walk->forgot)
        return name_walk_from(walk, walk->tree, *last->name, true);
    return at(walk);
}
