/* Named locks as conditions see them. */
#pragma once

#include "sync.h"

/* The conditions bound to it: struct cond. They keep it. */
struct list *lock_conds(struct sync *lock);
/* Whether the operation's scope holds it, by this token; `lock` may be NULL: there is none of that name. 0; -EPERM, -ESTALE:
 * the operation has been told so. */
int lock_check_owner(struct core *core, struct op *op, const struct sync *lock, struct bytes name,
                     uint64_t token);
/* Its holder gives it up; enum unlock_flags. It passes on. May free it. */
void lock_release(struct core *core, struct sync *lock, uint32_t flags);
/* A parked operation, in no queue now, waits for the lock from here on, or has it at once. */
void lock_enter(struct core *core, struct sync *lock, struct op *op);

/* cond.c: a signal that somebody did not live to use, of the condition of this number, if that is still there. */
void conds_pass_on(struct core *core, struct sync *lock, uint64_t number);
/* Who pays for the first of these; NULL: there is none. */
struct account *conds_keeper(const struct list *conds);
