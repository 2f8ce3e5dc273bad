#include "trie.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core_internal.h"

/* It lives while it has a child or an entry; so does the way to it. */
struct trie_node {
    struct map_node node; /* of trie->edges, unless it is the root or that of a '*' */
    struct trie_node *parent;
    struct trie_node *any;           /* for '*' */
    struct trie_entry *here, *below; /* patterns that end here; with '>' behind it */
    uint64_t number;                 /* for the hash of its children */
    uint32_t uses;                   /* children and entries */
    bool is_any;
    uint8_t size;
    char token[];
};

static struct bytes token_of(const struct trie_node *at)
{
    return (struct bytes){at->token, at->size};
}

/* The place of a child; where nobody outside can choose what the token is hashed to, a number beside it changes nothing. */
static uint64_t edge_hash(const struct core *core, const struct trie_node *parent, struct bytes token)
{
    return core_hash(core, token.data, token.size) + parent->number * 0x9e3779b97f4a7c15u;
}

static struct trie_node *child_find(const struct core *core, const struct trie *trie,
                                    const struct trie_node *parent, struct bytes token)
{
    struct map_node *n = map_first(&trie->edges, edge_hash(core, parent, token));

    for (; n; n = map_next(n)) {
        struct trie_node *child = map_entry(n, struct trie_node, node);

        if (child->parent == parent && bytes_are(token, child->token, child->size))
            return child;
    }
    return NULL;
}

/* ---- nodes ---- */

static struct trie_node *node_new(struct core *core, struct trie *trie, struct trie_node *parent,
                                  struct bytes token)
{
    struct trie_node *node = core_alloc(core, sizeof(*node) + token.size);

    if (!node)
        return NULL;
    node->parent = parent;
    node->number = ++trie->last;
    node->size = (uint8_t)token.size;
    if (token.size)
        memcpy(node->token, token.data, token.size);
    trie->nodes_n++;
    return node;
}

static struct trie_node *child_new(struct core *core, struct trie *trie, struct trie_node *parent,
                                   struct bytes token)
{
    bool any = token_is_any(token);

    if (!any && map_reserve(core, &trie->edges, 1) < 0)
        return NULL;
    struct trie_node *child = node_new(core, trie, parent, any ? (struct bytes){0} : token);
    if (!child)
        return NULL;
    child->is_any = any;
    if (any)
        parent->any = child;
    else
        map_add(&trie->edges, &child->node, edge_hash(core, parent, token));
    parent->uses++;
    return child;
}

static struct trie_node *child_get(struct core *core, struct trie *trie, struct trie_node *parent,
                                   struct bytes token)
{
    struct trie_node *child = token_is_any(token) ? parent->any : child_find(core, trie, parent, token);

    return child ? child : child_new(core, trie, parent, token);
}

/* Takes away what nobody uses, from here up. */
static void prune(struct core *core, struct trie *trie, struct trie_node *at)
{
    while (at && !at->uses) {
        struct trie_node *parent = at->parent;

        if (!parent)
            trie->root = NULL;
        else if (at->is_any)
            parent->any = NULL;
        else
            map_remove(&trie->edges, &at->node);
        if (parent)
            parent->uses--;
        trie->nodes_n--;
        core_free(core, at);
        at = parent;
    }
}

/* ---- entries ---- */

static int add_exact(struct core *core, struct trie *trie, struct trie_entry *entry)
{
    struct bytes text = entry->pattern;

    if (map_reserve(core, &trie->exact, 1) < 0)
        return -ENOMEM;
    entry->at = NULL;
    map_add(&trie->exact, &entry->node, core_hash(core, text.data, text.size));
    return 0;
}

int trie_add(struct core *core, struct trie *trie, struct trie_entry *entry)
{
    struct bytes rest = entry->pattern, token;
    struct trie_node *at, *next;
    bool ends_below = false;

    if (pattern_is_exact(entry->pattern))
        return add_exact(core, trie, entry);
    if (!trie->root && !(trie->root = node_new(core, trie, NULL, (struct bytes){0})))
        return -ENOMEM;
    for (at = trie->root; token_next(&rest, &token) && !ends_below; at = next) {
        ends_below = token_is_rest(token);
        next = ends_below ? at : child_get(core, trie, at, token);
        if (!next) {
            prune(core, trie, at);
            return -ENOMEM;
        }
    }
    *(ends_below ? &at->below : &at->here) = entry;
    entry->at = at;
    at->uses++;
    return 0;
}

void trie_remove(struct core *core, struct trie *trie, struct trie_entry *entry)
{
    struct trie_node *at = entry->at;

    if (!at)
        return map_remove(&trie->exact, &entry->node);
    *(at->here == entry ? &at->here : &at->below) = NULL;
    at->uses--;
    entry->at = NULL;
    prune(core, trie, at);
}

static struct trie_entry *find_exact(const struct core *core, const struct trie *trie, struct bytes text)
{
    struct map_node *n = map_first(&trie->exact, core_hash(core, text.data, text.size));

    for (; n; n = map_next(n)) {
        struct trie_entry *entry = map_entry(n, struct trie_entry, node);

        if (bytes_are(text, entry->pattern.data, entry->pattern.size))
            return entry;
    }
    return NULL;
}

struct trie_entry *trie_find(const struct core *core, const struct trie *trie, struct bytes pattern)
{
    const struct trie_node *at = trie->root;
    struct bytes rest = pattern, token;

    if (pattern_is_exact(pattern))
        return find_exact(core, trie, pattern);
    while (at && token_next(&rest, &token)) {
        if (token_is_rest(token))
            return at->below;
        at = token_is_any(token) ? at->any : child_find(core, trie, at, token);
    }
    return at ? at->here : NULL;
}

/* ---- matching ---- */

struct match {
    const struct core *core;
    const struct trie *trie;
    trie_fn *fn;
    void *arg;
};

static int tell(const struct match *match, struct trie_entry *entry)
{
    return entry ? match->fn(match->arg, entry) : 0;
}

/* As deep as the topic has tokens: at most half of NAME_BYTES_MAX. */
static int match_from(const struct match *match, const struct trie_node *at, struct bytes rest)
{
    struct bytes token;
    int r;

    if (!at)
        return 0;
    if (!token_next(&rest, &token))
        return tell(match, at->here);
    r = tell(match, at->below);
    if (r == 0)
        r = match_from(match, child_find(match->core, match->trie, at, token), rest);
    return r ? r : match_from(match, at->any, rest);
}

int trie_match(const struct core *core, const struct trie *trie, struct bytes topic, trie_fn *fn, void *arg)
{
    const struct match match = {core, trie, fn, arg};
    int r = tell(&match, find_exact(core, trie, topic));

    return r ? r : match_from(&match, trie->root, topic);
}

void trie_free(struct core *core, struct trie *trie)
{
    map_free(core, &trie->exact);
    map_free(core, &trie->edges);
}

/* ---- invariants ---- */

static size_t any_below(const struct trie_node *at)
{
    size_t n = 0;

    for (; at->any; at = at->any, n++)
        assert(at->any->parent == at && at->any->is_any && "a node knows its parent");
    return n;
}

void trie_check(const struct trie *trie)
{
    size_t nodes = trie->root ? 1 + any_below(trie->root) : 0;

    for (struct map_node *n = map_walk(&trie->edges, NULL); n; n = map_walk(&trie->edges, n)) {
        const struct trie_node *at = map_entry(n, struct trie_node, node);

        assert(at->uses && at->parent && token_of(at).size && "a node is there for what is below it");
        nodes += 1 + any_below(at);
    }
    assert(nodes == trie->nodes_n && "nodes are counted");
}
