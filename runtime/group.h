/*
 * Groups: trees of goroutines with one end. And the questions that group and bubble answer alike for a
 * goroutine.
 *
 * Invariants: a member is in the list from its spawn to its end; `awake` counts members that are not in a
 * wait that only members can end; it falls to 0 only by a member's own wait or end, so whoever brings it
 * there is the only one to see it. The first member is the root: others may use what lies on its stack, so the end of the
 * group ends its wait like any other, but it is woken from it, by group_leave, when it is the last one.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "g.h"

/* Adds a goroutine that has not run yet. -ECANCELED: the group ended. The goroutine holds the group. */
int group_join(struct go_group *group, struct g *g);
/* Its last act: the hook `empty` may follow. */
void group_leave(struct g *g);

/* Whether the panic was taken by the group's hook; text and stack are only lent. */
bool group_panicked(struct go_group *group, const char *text, const char *stack);

/*
 * A panic of a member that somebody in the group shall be told of (E4). The text and the stack may be NULL: no memory.
 */
struct kept_panic {
    struct list link;
    const void *owner; /* who shall be told; compared, never followed */
    uint64_t who;      /* the goroutine */
    char *text, *stack;
};

/* Whether panics of g end its job and not the program. */
bool group_takes_panics(const struct g *g);
/* The first one of each owner is kept, and given to the hook `panicked` after the last member has ended, unless it was
 * taken before. The group takes it over. */
void group_panic_keep(struct go_group *group, struct kept_panic *panic);
/* The caller's, to be deleted; NULL: none. */
struct kept_panic *group_panic_take(struct go_group *group, const void *owner);
struct kept_panic *kept_panic_delete(struct kept_panic *panic);

bool group_over(const struct go_group *group);

/* Whether g is the root of its group. */
bool group_has_root(const struct g *g);
/* The end of its scope has come for the calling goroutine, in a wait that is over: whether its wake comes only when all
 * others have left. */
bool group_wakes_later(struct g *g);
/* The calling root is about to be unwound: the group ends, and it waits until the others have left. */
void group_root_exits(struct g *root);

/* Whether all members, and there are some, wait for what only members can end. */
bool group_is_asleep(const struct go_group *group);
void group_awake(struct go_group *group);
void group_asleep(struct go_group *group);
int group_each(struct go_group *group, int (*fn)(struct g *g, void *arg), void *arg);

/* ---- of group and bubble together ---- */

static inline bool scope_has(const struct g *g)
{
    return g->group || g->bubble;
}

bool scope_over(const struct g *g);
void scope_wait_begins(struct g *g);
void scope_wait_ends(struct g *g);
