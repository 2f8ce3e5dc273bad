/*
 * Groups: trees of goroutines with one end. And the questions that group and bubble answer alike for a
 * goroutine.
 *
 * Invariants: a member is in the list from its spawn to its end; `awake` counts members that are not in a
 * wait that only members can end; it falls to 0 only by a member's own wait or end, so whoever brings it
 * there is the only one to see it.
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

bool group_over(const struct go_group *group);
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
