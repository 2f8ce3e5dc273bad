/*
 * The ledger of named locks (tests/sim/lock_ledger.c), kept over a story: aborts when something does not hold. Of the
 * core it sees which session a connection is bound to, which of its operations are there, and which scopes live.
 */
#pragma once

#include "core.h"

struct lock_watch;

/* Watches this core, which outlives it. */
struct lock_watch *lock_watch_new(const struct core *core);
struct lock_watch *lock_watch_delete(struct lock_watch *watch);

/* Around each step, and then for each result it gave. */
void lock_watch_before(struct lock_watch *watch, const struct input *in);
void lock_watch_after(struct lock_watch *watch, const struct input *in);
void lock_watch_result(struct lock_watch *watch, uint64_t conn, const struct result *result);
