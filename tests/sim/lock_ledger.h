/*
 * The ledger of named locks: what must hold between the LOCKs and UNLOCKs that a core has taken and the results that
 * leave it (M, F1, IP4, IP7). The simulator and the fuzz target keep one each.
 *
 * It knows the core only by what it is told: each operation when the core has taken it, in that order, and each result
 * when it leaves. A scope that has ended stays so; whoever keeps the ledger answers whether one still lives.
 */
#pragma once

#include "message.h"

struct lock_ledger;

/* Whether this run (0: the session itself) of this session may still hold locks. */
typedef bool lock_scope_lives(void *context, uint64_t session, uint64_t run);

/* Never fails: without memory the program ends. */
struct lock_ledger *lock_ledger_new(lock_scope_lives *lives, void *context);
/* Accepts NULL, returns NULL. */
struct lock_ledger *lock_ledger_delete(struct lock_ledger *ledger);

/* The core was restarted: all locks are void, their tokens go on rising. */
void lock_ledger_restart(struct lock_ledger *ledger);

/* The core has taken this LOCK or UNLOCK. Sessions are numbers of the keeper's own, never reused. */
void lock_ledger_taken(struct lock_ledger *ledger, uint64_t session, const struct request *request);
/* A client acknowledges its operations first..last. Grants among them that it was not told count as told to the core. */
void lock_ledger_acked(struct lock_ledger *ledger, uint64_t session, uint64_t first, uint64_t last);
/* A client asks the core to undo the grant of this operation, if it is a LOCK; before the core is asked. */
void lock_ledger_undoing(struct lock_ledger *ledger, uint64_t session, uint64_t op);
/* The core has undone the grant of this operation, if it is a LOCK, because its client had no use for it (IP1.3). */
void lock_ledger_undone(struct lock_ledger *ledger, uint64_t session, uint64_t op);
/* Perhaps it has: from now on nothing is said about the news of deaths on that lock. */
void lock_ledger_unsure(struct lock_ledger *ledger, uint64_t session, uint64_t op);
/* Perhaps it took it: from now on nothing is said about the news of deaths on its lock. */
void lock_ledger_perhaps(struct lock_ledger *ledger, const struct request *request);

/* An operation that the ledger does not follow names it: from now on nothing is said about its lock. */
void lock_ledger_strange(struct lock_ledger *ledger, struct bytes name);

/* A result leaves the core; results of other operations are passed over. What does not hold, in words; or NULL. */
const char *lock_ledger_result(struct lock_ledger *ledger, uint64_t session, const struct result *result);
