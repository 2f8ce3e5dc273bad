/*
 * Patterns, and which of them match a topic.
 *
 * A pattern without wildcards costs one look at a hash table. Those with some are a tree of their tokens: a node has one
 * child for each literal token, in one hash table for all nodes, and one for '*'; a pattern ends at a node, or, with '>',
 * below it. A topic walks down both children of each node that it meets: never deeper than it has tokens, and never to
 * more nodes than there are.
 * An entry is its owner's, one for each text; the trie holds no more of it than its place.
 */
#pragma once

#include "map.h"
#include "pattern.h"

struct trie_node;

struct trie_entry {
    struct map_node node; /* of trie->exact */
    struct trie_node *at; /* where it ends; NULL: it is exact, or in no trie */
    struct bytes pattern; /* the owner's, as long as the entry is in the trie */
};

struct trie {
    struct map exact;       /* struct trie_entry, without wildcards, by text */
    struct map edges;       /* struct trie_node, by parent and token */
    struct trie_node *root; /* NULL: no pattern with a wildcard */
    size_t nodes_n;
    uint64_t last; /* number of a node */
};

/* Called with each entry that matches. What is not 0 ends the match and is its result. */
typedef int trie_fn(void *arg, struct trie_entry *entry);

/* Its pattern is checked, and not there yet. 0 or -ENOMEM: nothing happened. */
int trie_add(struct core *core, struct trie *trie, struct trie_entry *entry);
void trie_remove(struct core *core, struct trie *trie, struct trie_entry *entry);
/* The entry of exactly that pattern. NULL: there is none. */
struct trie_entry *trie_find(const struct core *core, const struct trie *trie, struct bytes pattern);
/* Each entry that matches this topic, once, in an order that means nothing. 0, or what `fn` returned. */
int trie_match(const struct core *core, const struct trie *trie, struct bytes topic, trie_fn *fn, void *arg);
/* When it is empty. */
void trie_free(struct core *core, struct trie *trie);
void trie_check(const struct trie *trie);
