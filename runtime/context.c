/*
 * Contexts form trees. All nodes below one that can end share a lock, that of the topmost: so a cancel ends a
 * node and all its descendants in one step. A background context or one made by go_ctx_without_cancel never
 * ends: a child of it tops a tree of its own.
 *
 * Invariants, under the tree's lock: err != 0 of a node implies err != 0 of its descendants; a done node is
 * in nobody's list of children and its timer is disarmed. A child holds its parent, an armed timer holds its
 * node.
 */
#include "context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bubble.h"
#include "chan.h"
#include "fatal.h"
#include "group.h"
#include "launch.h"
#include "scheduler.h"

struct tree {
    struct lock lock;
    _Atomic int refs;
};

enum func_state { FUNC_WAITING, FUNC_STARTED, FUNC_GIVEN_UP };

struct go_ctx_func {
    struct list link; /* of its context; tree lock */
    struct tree *tree;
    enum func_state state;
    _Atomic int refs; /* the handle's, and the context's or the start's */
    void (*fn)(void *);
    void *arg;
    struct go_group *group;
    struct bubble *bubble;
};

struct go_ctx {
    _Atomic int holders; /* of the program, and children: at 0 nobody can see it */
    _Atomic int refs;    /* the holders together, and the armed timer */
    struct tree *tree;   /* NULL: never ends */
    go_ctx *parent;
    struct list children, sibling, funcs;
    struct list dropped; /* of the one call that ends it: no lock */
    struct go_chan done;
    _Atomic int err;
    int cause_code;
    char *cause_text; /* own copy; NULL: none */
    int64_t deadline_ns;
    int deadline_code;
    char *deadline_text;
    struct timer timer;
    struct bubble *bubble;
    const void *key;
    void *value;
    void (*value_drop)(void *);
};

static go_ctx background = {.holders = 1, .refs = 1, .deadline_ns = GO_NS_FOREVER};

go_ctx *go_ctx_background(void)
{
    return &background;
}

struct go_chan *ctx_done(go_ctx *ctx)
{
    return ctx->tree ? &ctx->done : NULL;
}

/* ---- life ---- */

go_ctx *go_ctx_ref(go_ctx *ctx)
{
    if (ctx != &background)
        atomic_fetch_add(&ctx->holders, 1);
    return ctx;
}

static void tree_unref(struct tree *tree)
{
    if (tree && atomic_fetch_sub(&tree->refs, 1) == 1)
        free(tree);
}

/* From here on it does not run: its group need not stay awake for it (Z5). */
static void func_over(struct go_ctx_func *f)
{
    if (f->group)
        group_asleep(f->group);
}

static void func_unref(struct go_ctx_func *f)
{
    if (atomic_fetch_sub(&f->refs, 1) > 1)
        return;
    go_group_unref(f->group);
    tree_unref(f->tree);
    free(f);
}

static void ctx_drop(go_ctx *ctx)
{
    if (atomic_fetch_sub(&ctx->refs, 1) > 1)
        return;
    if (ctx->value_drop)
        ctx->value_drop(ctx->value);
    tree_unref(ctx->tree);
    free(ctx->cause_text);
    free(ctx->deadline_text);
    free(ctx);
}

/* Nobody can see it any more: out of the tree, without its timer; functions that did not run are given up. */
static void ctx_unlink(go_ctx *ctx)
{
    struct go_ctx_func *f, *after;
    struct list funcs;
    bool armed;

    list_init(&funcs);
    lock_take(&ctx->tree->lock, RANK_CTX);
    list_remove(&ctx->sibling);
    armed = timer_disarm(&ctx->timer);
    list_each (f, &ctx->funcs, link)
        f->state = FUNC_GIVEN_UP;
    list_splice(&funcs, &ctx->funcs);
    lock_drop(&ctx->tree->lock);
    if (armed)
        ctx_drop(ctx);
    list_each_safe (f, after, &funcs, link) {
        list_remove(&f->link);
        func_over(f);
        func_unref(f);
    }
}

/* The last child of a chain takes it with it: a loop, not a recursion as deep as the chain. */
go_ctx *go_ctx_unref(go_ctx *ctx)
{
    while (ctx && ctx != &background && atomic_fetch_sub(&ctx->holders, 1) == 1) {
        go_ctx *parent = ctx->parent;

        if (ctx->tree)
            ctx_unlink(ctx);
        ctx_drop(ctx);
        ctx = parent;
    }
    return NULL;
}

/* ---- the end of a context: all under the tree's lock ---- */

/* What the lock's holder must do after dropping it. */
struct ending {
    struct wake_list wakes;
    struct list funcs;   /* to be started */
    struct list dropped; /* contexts whose timer's reference is to be dropped */
};

static void ending_init(struct ending *e)
{
    wake_list_init(&e->wakes);
    list_init(&e->funcs);
    list_init(&e->dropped);
}

static void node_end(go_ctx *ctx, int err, int code, const char *text, struct ending *e)
{
    struct go_ctx_func *f;

    ctx->cause_code = code;
    ctx->cause_text = text ? strdup(text) : NULL;
    atomic_store(&ctx->err, err);
    list_remove(&ctx->sibling);
    if (timer_disarm(&ctx->timer))
        list_append(&e->dropped, &ctx->dropped);
    list_each (f, &ctx->funcs, link)
        f->state = FUNC_STARTED;
    list_splice(&e->funcs, &ctx->funcs);
    lock_take(&ctx->done.lock, RANK_CHAN);
    chan_try_close(&ctx->done, &e->wakes);
    lock_drop(&ctx->done.lock);
}

/* Depth first, without recursion: always the first child of the current node, which leaves the list as it
 * ends. */
static void subtree_end(go_ctx *top, int err, int code, const char *text, struct ending *e)
{
    go_ctx *ctx = top;

    while (ctx) {
        go_ctx *child = list_first(&ctx->children, go_ctx, sibling);
        go_ctx *up = ctx == top ? NULL : ctx->parent;

        if (child) {
            ctx = child;
            continue;
        }
        node_end(ctx, err, code, text, e);
        ctx = up;
    }
}

static void func_start(struct go_ctx_func *f)
{
    struct go_spawn_options options = {.name = "go_ctx_after_func"};
    struct spawn what = {.fn = f->fn,
                         .arg = f->arg,
                         .options = &options,
                         .pc = (void *)f->fn,
                         .group = f->group,
                         .bubble = f->bubble};
    int r = spawn(&what);

    if (r < 0 && r != -ECANCELED && r != -ESRCH)
        fatal("no goroutine for go_ctx_after_func: %s", strerror(-r));
    func_over(f);
    func_unref(f);
}

/* The lock is dropped. */
static void ending_finish(struct ending *e)
{
    struct go_ctx_func *f;
    go_ctx *ctx;

    wake_all(&e->wakes);
    while ((f = list_first(&e->funcs, struct go_ctx_func, link))) {
        list_remove(&f->link);
        func_start(f);
    }
    while ((ctx = list_first(&e->dropped, go_ctx, dropped))) {
        list_remove(&ctx->dropped);
        ctx_drop(ctx);
    }
}

static void ctx_end(go_ctx *ctx, int err, int code, const char *text)
{
    struct ending e;

    if (!ctx->tree)
        return;
    ending_init(&e);
    lock_take(&ctx->tree->lock, RANK_CTX);
    if (!atomic_load(&ctx->err))
        subtree_end(ctx, err, code, text, &e);
    lock_drop(&ctx->tree->lock);
    ending_finish(&e);
}

void go_ctx_cancel(go_ctx *ctx, int code, const char *text)
{
    ctx_end(ctx, -ECANCELED, code ? code : -ECANCELED, code ? text : NULL);
}

static void deadline_fire(void *owner, uint64_t tag, int64_t now_ns)
{
    go_ctx *ctx = owner;

    ctx_end(ctx, -ETIMEDOUT, ctx->deadline_code, ctx->deadline_text);
    ctx_drop(ctx);
}

/* ---- making ---- */

static go_ctx *ctx_new(go_ctx *parent, const char *who)
{
    struct g *g = g_self();
    go_ctx *ctx;

    if (!parent)
        go_panic("%s: the parent is NULL", who);
    ctx = calloc(1, sizeof *ctx);
    if (!ctx)
        return NULL;
    atomic_store(&ctx->holders, 1);
    atomic_store(&ctx->refs, 1);
    ctx->parent = go_ctx_ref(parent);
    list_init(&ctx->children);
    list_init(&ctx->sibling);
    list_init(&ctx->dropped);
    list_init(&ctx->funcs);
    chan_init(&ctx->done, 0, 0, NULL);
    timer_init(&ctx->timer);
    ctx->timer.owner = ctx;
    ctx->timer.fire = deadline_fire;
    ctx->deadline_ns = parent->deadline_ns;
    ctx->bubble = g->bubble;
    return ctx;
}

/* Only what is below a group's own contexts can be ended by its members alone. */
static struct go_group *locality(const go_ctx *ctx, struct go_group *creator)
{
    if (ctx->deadline_ns != GO_NS_FOREVER || (ctx->parent->tree && ctx->parent->done.group != creator))
        return CHAN_NEVER_LOCAL;
    return creator;
}

static void born_done(go_ctx *ctx, struct ending *e)
{
    const go_ctx *parent = ctx->parent;

    node_end(ctx, atomic_load(&parent->err), parent->cause_code, parent->cause_text, e);
}

/* Hangs a fresh context below its parent. NULL, and it is gone: no memory. */
static go_ctx *ctx_link(go_ctx *ctx)
{
    go_ctx *parent = ctx->parent;
    struct ending e;

    ctx->done.group = locality(ctx, ctx->done.group);
    if (!parent->tree) {
        ctx->tree = calloc(1, sizeof *ctx->tree);
        if (!ctx->tree)
            return go_ctx_unref(ctx);
        atomic_store(&ctx->tree->refs, 1);
        return ctx;
    }
    ctx->tree = parent->tree;
    atomic_fetch_add(&ctx->tree->refs, 1);
    ending_init(&e);
    lock_take(&ctx->tree->lock, RANK_CTX);
    if (atomic_load(&parent->err))
        born_done(ctx, &e);
    else
        list_append(&parent->children, &ctx->sibling);
    lock_drop(&ctx->tree->lock);
    ending_finish(&e);
    return ctx;
}

go_ctx *go_ctx_new(go_ctx *parent)
{
    go_ctx *ctx = ctx_new(parent, "go_ctx_new");

    return ctx ? ctx_link(ctx) : NULL;
}

static void deadline_arm(go_ctx *ctx)
{
    struct g *g = g_self();
    struct timers *timers = g->bubble ? bubble_timers(g->bubble) : sched_timers(g);
    bool armed = false;

    lock_take(&ctx->tree->lock, RANK_CTX);
    if (!atomic_load(&ctx->err)) {
        atomic_fetch_add(&ctx->refs, 1);
        armed = true;
        if (!timer_arm(&ctx->timer, timers, ctx->deadline_ns, 0))
            fatal("no memory for a %s", "timer");
    }
    lock_drop(&ctx->tree->lock);
    if (armed && !g->bubble)
        sched_timer_armed(timers, ctx->deadline_ns);
}

go_ctx *go_ctx_with_deadline_cause(go_ctx *parent, go_until until, int code, const char *text)
{
    go_ctx *ctx = ctx_new(parent, "go_ctx_with_deadline");
    int64_t ns = until.ns == GO_NS_NOW ? INT64_MIN + 1 : until.ns;
    bool own;

    if (!ctx)
        return NULL;
    own = ns < parent->deadline_ns; /* a later one is ignored, and its cause (X5) */
    if (own) {
        ctx->deadline_ns = ns;
        ctx->deadline_code = code ? code : -ETIMEDOUT;
        ctx->deadline_text = code && text ? strdup(text) : NULL;
    }
    ctx = ctx_link(ctx);
    if (!ctx || !own)
        return ctx;
    if (ns <= go_now_ns())
        ctx_end(ctx, -ETIMEDOUT, ctx->deadline_code, ctx->deadline_text);
    else
        deadline_arm(ctx);
    return ctx;
}

go_ctx *go_ctx_with_deadline(go_ctx *parent, go_until until)
{
    return go_ctx_with_deadline_cause(parent, until, 0, NULL);
}

go_ctx *go_ctx_without_cancel(go_ctx *parent)
{
    go_ctx *ctx = ctx_new(parent, "go_ctx_without_cancel");

    if (ctx)
        ctx->deadline_ns = GO_NS_FOREVER;
    return ctx;
}

go_ctx *go_ctx_with_value(go_ctx *parent, const void *key, void *value, void (*drop)(void *value))
{
    go_ctx *ctx;

    if (!key)
        go_panic("go_ctx_with_value: the key is NULL");
    ctx = ctx_new(parent, "go_ctx_with_value");
    if (ctx && parent->tree)
        ctx = ctx_link(ctx);
    if (!ctx)
        return NULL;
    ctx->key = key;
    ctx->value = value;
    ctx->value_drop = drop;
    return ctx;
}

/* ---- asking ---- */

void *go_ctx_value(const go_ctx *ctx, const void *key)
{
    for (; ctx; ctx = ctx->parent)
        if (ctx->key == key)
            return ctx->value;
    return NULL;
}

int go_ctx_err(const go_ctx *ctx)
{
    return atomic_load(&((go_ctx *)ctx)->err);
}

struct go_cause go_ctx_cause(const go_ctx *ctx)
{
    struct go_cause cause = {.code = 0, .text = ""};

    if (go_ctx_err(ctx)) {
        cause.code = ctx->cause_code;
        cause.text = ctx->cause_text ? ctx->cause_text : "";
    }
    return cause;
}

int64_t go_ctx_deadline_ns(const go_ctx *ctx)
{
    return ctx->deadline_ns;
}

/* ---- functions ---- */

go_ctx_func *go_ctx_after_func(go_ctx *ctx, void (*fn)(void *arg), void *arg)
{
    struct g *g = g_self();
    go_ctx_func *f = calloc(1, sizeof *f);
    bool now = false;

    if (!f)
        return NULL;
    list_init(&f->link);
    atomic_store(&f->refs, 1);
    f->fn = fn;
    f->arg = arg;
    f->group = g->group ? go_group_ref(g->group) : NULL;
    f->bubble = g->bubble;
    if (!ctx->tree)
        return f; /* never ends, never runs */
    f->tree = ctx->tree;
    atomic_fetch_add(&f->tree->refs, 1);
    atomic_fetch_add(&f->refs, 1);
    if (f->group)
        group_awake(f->group);
    lock_take(&f->tree->lock, RANK_CTX);
    now = atomic_load(&ctx->err) != 0;
    if (now)
        f->state = FUNC_STARTED;
    else
        list_append(&ctx->funcs, &f->link);
    lock_drop(&f->tree->lock);
    if (now)
        func_start(f);
    return f;
}

/* Once its state is no longer FUNC_WAITING its link belongs to whoever changed that. */
int go_ctx_func_stop(go_ctx_func *f)
{
    enum func_state was = FUNC_WAITING;

    if (!f)
        return 0;
    if (f->tree) {
        lock_take(&f->tree->lock, RANK_CTX);
        was = f->state;
        if (was == FUNC_WAITING)
            list_remove(&f->link);
        lock_drop(&f->tree->lock);
        if (was == FUNC_WAITING) {
            func_over(f);
            func_unref(f);
        }
    }
    func_unref(f);
    return was != FUNC_STARTED;
}
