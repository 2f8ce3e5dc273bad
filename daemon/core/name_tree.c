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

struct name_node *name_tree_from(const struct name_tree *tree, struct bytes name, bool behind)
{
    struct name_node *at = tree->root, *found = NULL;

    while (at) {
        if (name_order(*at->name, name) >= behind) {
            found = at;
            at = at->left;
        } else {
            at = at->right;
        }
    }
    return found;
}
