#include "group.h"

#include <errno.h>
#include <stdlib.h>

#include "bubble.h"
#include "launch.h"
#include "waiting.h"

struct go_group {
    struct lock lock;
    struct list members;      /* struct g.members */
    struct list waiters;      /* go_group_wait */
    struct list panics;       /* lock; struct kept_panic */
    _Atomic(struct g *) root; /* the first member, until it leaves; set under the lock */
    bool rooted;              /* lock: there was one */
    bool owes_root;           /* lock: the root's wait is over, and it is woken when it is alone */
    _Atomic int64_t live, awake;
    _Atomic bool ended;
    bool emptied; /* lock: what follows the last member's end was done or is about to be */
    _Atomic int refs;
    struct go_group_hooks hooks;
    go_ctx *ctx;
    void *arg;
};

go_group *go_group_new(const struct go_group_hooks *hooks, go_ctx *ctx, void *arg)
{
    go_group *group = calloc(1, sizeof *group);

    if (!group)
        return NULL;
    list_init(&group->members);
    list_init(&group->waiters);
    list_init(&group->panics);
    atomic_store(&group->refs, 1);
    if (hooks)
        group->hooks = *hooks;
    group->ctx = ctx ? go_ctx_ref(ctx) : NULL;
    group->arg = arg;
    return group;
}

go_group *go_group_ref(go_group *group)
{
    atomic_fetch_add(&group->refs, 1);
    return group;
}

go_group *go_group_unref(go_group *group)
{
    struct kept_panic *panic;

    if (!group || atomic_fetch_sub(&group->refs, 1) > 1)
        return NULL;
    while ((panic = list_first(&group->panics, struct kept_panic, link))) {
        list_remove(&panic->link);
        kept_panic_delete(panic);
    }
    go_ctx_unref(group->ctx);
    free(group);
    return NULL;
}

void *go_group_arg(const go_group *group)
{
    return group->arg;
}

go_ctx *go_group_ctx(const go_group *group)
{
    return group->ctx;
}

go_group *go_group_current(void)
{
    struct thread *t = thread_self();

    return t ? t->current->group : NULL;
}

int64_t go_group_live(const go_group *group)
{
    return atomic_load(&group->live);
}

bool go_group_ended(const go_group *group)
{
    return atomic_load(&group->ended);
}

bool group_over(const struct go_group *group)
{
    return atomic_load(&group->ended);
}

/* ---- panics that somebody shall be told of ---- */

bool group_takes_panics(const struct g *g)
{
    return g->group && g->group->hooks.panicked;
}

struct kept_panic *kept_panic_delete(struct kept_panic *panic)
{
    if (!panic)
        return NULL;
    free(panic->text);
    free(panic->stack);
    free(panic);
    return NULL;
}

/* Lock held. */
static struct kept_panic *panic_of(struct go_group *group, const void *owner)
{
    struct kept_panic *panic;

    list_each (panic, &group->panics, link)
        if (panic->owner == owner)
            return panic;
    return NULL;
}

void group_panic_keep(struct go_group *group, struct kept_panic *panic)
{
    bool first;

    lock_take(&group->lock, RANK_GROUP);
    first = !panic_of(group, panic->owner);
    if (first)
        list_append(&group->panics, &panic->link);
    lock_drop(&group->lock);
    if (!first)
        kept_panic_delete(panic);
}

struct kept_panic *group_panic_take(struct go_group *group, const void *owner)
{
    struct kept_panic *panic;

    lock_take(&group->lock, RANK_GROUP);
    panic = panic_of(group, owner);
    if (panic)
        list_remove(&panic->link);
    lock_drop(&group->lock);
    return panic;
}

/* Nobody is left who could have been told. */
static void panics_tell(struct go_group *group)
{
    struct kept_panic *panic = list_first(&group->panics, struct kept_panic, link);

    if (panic)
        group_panicked(group, panic->text ? panic->text : "", panic->stack ? panic->stack : "");
}

/* ---- members ---- */

bool group_has_root(const struct g *g)
{
    return g->group && atomic_load(&g->group->root) == g;
}

/* Lock held; the wait of g was claimed for the end of the group. */
static bool wake_comes_later(struct go_group *group, const struct g *g)
{
    bool later = atomic_load(&group->root) == g && atomic_load(&group->live) > 1;

    group->owes_root |= later;
    return later;
}

bool group_wakes_later(struct g *g)
{
    bool later = false;

    if (!group_has_root(g) || !atomic_load(&g->group->ended))
        return false;
    lock_take(&g->group->lock, RANK_GROUP);
    later = wake_comes_later(g->group, g);
    lock_drop(&g->group->lock);
    return later;
}

void group_root_exits(struct g *root)
{
    go_group_end(root->group);
    wait_open(root, 0);
    park(root, "end of its group");
}

int group_join(struct go_group *group, struct g *g)
{
    int r = 0;

    lock_take(&group->lock, RANK_GROUP);
    if (atomic_load(&group->ended)) {
        r = -ECANCELED;
    } else {
        if (!group->rooted)
            atomic_store(&group->root, g);
        group->rooted = true;
        list_append(&group->members, &g->members);
        atomic_fetch_add(&group->live, 1);
        atomic_fetch_add(&group->awake, 1);
        g->group = go_group_ref(group);
    }
    lock_drop(&group->lock);
    return r;
}

static void empty_call(void *p)
{
    go_group *group = p;

    panics_tell(group);
    if (group->hooks.empty)
        group->hooks.empty(group, group->arg);
    go_group_unref(group);
}

static void deadlocked_call(void *p)
{
    go_group *group = p;

    if (atomic_load(&group->awake) == 0 && atomic_load(&group->live) > 0 && !atomic_load(&group->ended))
        group->hooks.deadlocked(group, group->arg);
    go_group_unref(group);
}

/* Lock held: whether the group has just become empty for good; who waited for that goes to `wakes`. */
static bool empties(struct go_group *group, struct wake_list *wakes)
{
    struct waiter *w;

    if (group->emptied || !atomic_load(&group->ended) || atomic_load(&group->live) > 0)
        return false;
    group->emptied = true;
    while ((w = waiter_claim(&group->waiters)))
        wake_later(wakes, w->g);
    return group->hooks.empty || !list_empty(&group->panics);
}

/* Lock held; a member is out of the list. */
static void root_is_alone(struct go_group *group, struct wake_list *wakes)
{
    if (!group->owes_root || atomic_load(&group->live) > 1)
        return;
    group->owes_root = false;
    wake_later(wakes, atomic_load(&group->root));
}

void group_leave(struct g *g)
{
    struct go_group *group = g->group;
    struct wake_list wakes;
    bool empty;

    wake_list_init(&wakes);
    lock_take(&group->lock, RANK_GROUP);
    list_remove(&g->members);
    if (group_has_root(g))
        atomic_store(&group->root, NULL);
    atomic_fetch_sub(&group->live, 1);
    root_is_alone(group, &wakes);
    empty = empties(group, &wakes);
    lock_drop(&group->lock);
    wake_all(&wakes);
    if (empty)
        spawn_system(empty_call, go_group_ref(group));
    g->group = NULL;
    group_asleep(group);
    go_group_unref(group);
}

void go_group_end(go_group *group)
{
    struct wake_list wakes;
    struct g *g;
    bool empty;

    wake_list_init(&wakes);
    lock_take(&group->lock, RANK_GROUP);
    if (!atomic_exchange(&group->ended, true))
        list_each (g, &group->members, members)
            if (wait_claim_scope(g) && !wake_comes_later(group, g))
                wake_later(&wakes, g);
    empty = empties(group, &wakes);
    lock_drop(&group->lock);
    wake_all(&wakes);
    if (empty)
        spawn_system(empty_call, go_group_ref(group));
}

int go_group_wait(go_group *group, go_until until)
{
    struct g *g = g_self();
    struct waiter w = {.g = g};
    unsigned outcome = 0;
    int r = until_over(g, until);

    if (r)
        return r;
    lock_take(&group->lock, RANK_GROUP);
    if (group->emptied || (atomic_load(&group->ended) && atomic_load(&group->live) == 0)) {
        lock_drop(&group->lock);
        return 0;
    }
    if (until.ns == GO_NS_NOW) {
        lock_drop(&group->lock);
        return -EAGAIN;
    }
    w.ticket = wait_open(g, 0);
    list_append(&group->waiters, &w.link);
    lock_drop(&group->lock);
    outcome = park_until(g, "group", w.ticket, until);
    lock_take(&group->lock, RANK_GROUP);
    list_remove(&w.link);
    lock_drop(&group->lock);
    return outcome == 0 ? 0 : wait_failed(g, outcome, until.ctx);
}

int group_each(struct go_group *group, int (*fn)(struct g *g, void *arg), void *arg)
{
    struct g *g;
    int r = 0;

    lock_take(&group->lock, RANK_GROUP);
    list_each (g, &group->members, members) {
        r = fn(g, arg);
        if (r)
            break;
    }
    lock_drop(&group->lock);
    return r;
}

bool group_panicked(struct go_group *group, const char *text, const char *stack)
{
    if (!group || !group->hooks.panicked)
        return false;
    group->hooks.panicked(group, text, stack, group->arg);
    return true;
}

/* ---- who is awake ---- */

bool group_is_asleep(const struct go_group *group)
{
    return atomic_load(&group->awake) == 0 && atomic_load(&group->live) > 0;
}

void group_awake(struct go_group *group)
{
    atomic_fetch_add(&group->awake, 1);
}

void group_asleep(struct go_group *group)
{
    if (atomic_fetch_sub(&group->awake, 1) > 1 || !group->hooks.deadlocked)
        return;
    if (atomic_load(&group->live) > 0 && !atomic_load(&group->ended))
        spawn_system(deadlocked_call, go_group_ref(group));
}

bool scope_over(const struct g *g)
{
    return (g->group && atomic_load(&g->group->ended)) || (g->bubble && bubble_over(g->bubble));
}

/* The goroutine holds its group; the bubble lives as long as its goroutines. */
void scope_wait_begins(struct g *g)
{
    if (g->group && (g->durable & WAIT_GROUP))
        group_asleep(g->group);
    if (g->bubble && (g->durable & WAIT_BUBBLE))
        bubble_asleep(g->bubble);
}

void scope_wait_ends(struct g *g)
{
    if (g->group && (g->durable & WAIT_GROUP))
        group_awake(g->group);
    if (g->bubble && (g->durable & WAIT_BUBBLE))
        bubble_awake(g->bubble);
}
