/* Jobs that come after others: see job_after.c. */
#pragma once

#include "jobs_internal.h"

/* The jobs that it comes after, by id; nothing when there are none. 0 or -ENOMEM. */
int after_set(struct core *core, struct job *job, struct bytes ids);
/* The same of a job that has let go of them already: how many there were, and were done. 0 or -ENOMEM. */
int after_count(struct core *core, struct job *job, struct bytes ids);
/* What the store keeps of that. */
struct bytes after_row(const struct job *job);
/* It comes after nobody any more. Safe to repeat. */
void after_drop(struct core *core, struct job *job);
/* Whether a submit may name them, and room for after_link. 0, or negative: -ENOMEM, or its operation is answered. */
int after_judge(struct core *core, struct op *op, const struct job *job);
/* A parent that is gone counts as done: one that may be lost before its child would let that go on for nothing. `flags`: of the
 * parent, whose id is 0 while it has none. 0, or the operation is answered with -EINVAL. */
int after_keeps(struct core *core, struct op *op, const struct job *child, uint64_t parent, uint32_t flags);
/* Room for after_link. 0 or -ENOMEM. */
int after_reserve(struct core *core, const struct job *job);
/* Hangs it on those that are in memory, and settles what the others have decided. */
void after_link(struct core *core, struct job *job);
/* It may not be ready yet. */
bool after_blocks(const struct job *job);
/* Why it is blocked, for people. */
size_t after_words(const struct job *job, char *to, size_t size);
/* Its end is stored. True: it has children, and stays until job_forget is called for it. */
bool after_parts(struct core *core, struct job *parent);
/* Its admission failed, but others were admitted that name it: they are cancelled, or go on. */
void after_never_was(struct core *core, struct job *parent);
/* The invariants of a job that is known. */
void after_check(const struct job *job);
/* Goes on with what is left of ends. */
void after_turn(struct core *core);
