/* What the two files about contexts share: context.c is the tree, context_verbs.c what clients ask of it. */
#pragma once

#include "engine.h"

/* Why one ended, in words; shared by all below it that end with it. */
struct cause {
    uint32_t refs, size;
    char text[];
};

struct context {
    struct map_node by_id, by_name; /* by_name while `named` */
    struct list sibling;            /* of parent->children, while the parent's end is its end too */
    struct list children;
    struct list owned;       /* of owner->contexts, or of core->contexts.orphans */
    struct list ending;      /* of core->contexts.ended or .told */
    struct list bonds;       /* struct bond: operations and jobs that end with it */
    struct list watchers;    /* struct waiter */
    struct list heir;        /* of parent->heirs */
    struct list heirs;       /* contexts that have it as parent, ended ones too: they keep it */
    struct context *parent;  /* has its values too; NULL: none */
    struct scope *owner;     /* NULL: detached, dropped, or gone */
    struct sync *group;      /* the error group it is for, until it ends; or NULL */
    struct account *account; /* pays: its maker; the first heir's, once it is there for its heirs alone */
    struct timer timer;      /* its own deadline; when it is over and nobody's, the end of its memory */
    struct cause *cause;     /* NULL: the words of `code` */
    struct cause *late;      /* cause when its own deadline ends it; NULL: the usual words */
    int64_t deadline_ns;     /* the earliest on the way to the root (X5); INT64_MAX: none */
    uint64_t id, origin;     /* origin: the context whose end it shares */
    int32_t status;          /* 0: it has not ended */
    int32_t code, late_code; /* of the causes */
    uint32_t uid;            /* of its maker */
    uint32_t children_n, depth, flags;
    uint64_t ops_n, jobs_n; /* bonds */
    bool named;             /* in the table of names */
    bool detached;          /* born without an owner, and charged for that */
    bool dropped;           /* nobody asks for it any more */
    uint8_t name_size;
    uint16_t values_n;
    char text[]; /* name, then struct binding one after the other */
};

/* What ends with a context: an operation that may wait, or a job. Held by that one, in op->bond or job->bond. */
struct bond {
    struct list link; /* of context->bonds */
    struct context *context;
    struct op *op; /* or, when NULL, */
    void *job;
};

/* One value in the text of its context. Not aligned: copied out. */
struct binding {
    uint16_t name_size, value_size;
};

/* What derive needs; strings and parent are borrowed. */
struct context_plan {
    struct context *parent; /* NULL: none */
    struct scope *owner;    /* NULL: detached */
    struct account *account;
    int64_t deadline_ns; /* INT64_MAX: none */
    bool clamped;        /* it is not the one that was asked for, whose cause then does not count (X5) */
    const struct request_ctx_new *what;
};

/* NULL: no such context (any more). */
struct context *context_find(const struct core *core, uint64_t id);
struct context *context_named(const struct core *core, struct bytes name);
/* A context that lives; the next update tells whether it is over already. 0, -ENOMEM, -ENOBUFS, -E2BIG: nothing happened.
 */
int context_make(struct core *core, const struct context_plan *plan, struct context **out);
/* Whoever asks hears of an end that has come, although the sweep has not. */
void context_update(struct core *core, struct context *c);
/* Whether whoever asks may name it: everybody knows a name, an id only its user. */
bool context_allowed(const struct core *core, const struct op *op, const struct context *c);
/* Why a context that was named by this id cannot be had: -ENETRESET (of an earlier incarnation), -EPERM, -ENOENT. */
int context_missing(const struct core *core, uint64_t id, const struct context *c);
/* It ends because the one above it has (X4). */
void context_inherit(struct core *core, struct context *c, const struct context *from);
/* Leaves the one above it. Safe to repeat. */
void context_part(struct context *c);
/* It has no owner any more. */
void context_disown(struct context *c);
/* Frees what nobody can ask for any more, and then perhaps those above it. Safe for one that has not ended. */
void context_settle(struct core *core, struct context *c);
void context_free(struct core *core, struct context *c);
/* The word: it is over, although perhaps nobody has told it yet. */
bool context_over(const struct core *core, const struct context *c);
/* The one whose end is its end too; NULL: none. */
static inline struct context *context_above(const struct context *c)
{
    return list_linked(&c->sibling) ? c->parent : NULL;
}
/* Ends one that has not ended: its word is set, the sweep tells the others. Takes a reference to `cause`, which may be
 * NULL. Never fails. */
void context_end(struct core *core, struct context *c, int32_t status, int32_t code, struct cause *cause);
/* Nobody needs it any more; it has ended. Without its name and, as soon as its end is told, without its memory. */
void context_drop(struct core *core, struct context *c);
/* Takes its name off. Safe to repeat. */
void context_unname(struct core *core, struct context *c);
/* Of its cause. */
struct bytes context_words(const struct context *c);
/* NULL: out of memory. */
struct cause *cause_new(struct core *core, struct bytes words);
/* Accepts NULL; returns NULL. */
struct cause *cause_drop(struct core *core, struct cause *cause);
/* The nearest value of this name, up to the root (X10). */
bool context_value(const struct context *c, struct bytes key, struct bytes *value);
/* Who watches hears that it is over: a CTX_WATCH, or a case of a select. */
void watcher_done(struct core *core, struct waiter *w, const struct context *c);

/* errgroup.c: the group of this name, made if need be, which has no context yet; it is busy, until sync_done. 0, -EEXIST
 * (words are said), or as sync_open. */
int errgroup_open(struct core *core, struct op *op, struct bytes name, struct sync **out);
/* A context that lives is that of the group from now on, and perhaps ends at once. */
void errgroup_join(struct core *core, struct sync *group, struct context *c);
/* It has ended. May free the group. */
void errgroup_context_over(struct core *core, struct context *c);
