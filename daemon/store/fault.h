/*
 * Named fault points: places that can be told to fail, or to end the process, at their n-th passing.
 *
 * Always compiled, never armed by itself: a test arms a point with fault_arm, or a program started with
 * GOROUTINED_FAULTS in its environment reads it once through fault_arm_text. An unarmed point costs one
 * relaxed load. To add a point: add the row here, call fault_hit at the place, list it in tests/README.
 *
 *     GOROUTINED_FAULTS="store-commit=3:ENOSPC,store-after-commit=10:kill"
 *     point=FIRST[+MORE]:OUTCOME    the FIRST-th passing, and MORE passings after it; FIRST counts from 1
 *     OUTCOME                       ENOSPC, EIO, ENOMEM, or kill (as SIGKILL would)
 */
#pragma once

#include <stdint.h>

#define FAULTS(FAULT)                                                                                        \
    FAULT(STORE_BEGIN, "store-begin", "before a transaction")                                                \
    FAULT(STORE_RECORD, "store-record", "before each record of a transaction")                               \
    FAULT(STORE_BEFORE_COMMIT, "store-before-commit", "all records written, not committed")                  \
    FAULT(STORE_COMMIT, "store-commit", "in the place of the commit")                                        \
    FAULT(STORE_AFTER_COMMIT, "store-after-commit", "committed, not reported")                               \
    FAULT(STORE_BALLAST, "store-ballast", "taking the ballast back")                                         \
    FAULT(STORE_FETCH, "store-fetch", "before a fetch")                                                      \
    FAULT(STORE_BACKUP, "store-backup", "before a backup")                                                   \
    FAULT(STORE_CHECKPOINT, "store-checkpoint", "before a checkpoint")                                       \
    FAULT(STORE_UPGRADE, "store-upgrade", "before a step from one schema to the next")                       \
    FAULT(STORE_UPGRADE_COMMIT, "store-upgrade-commit", "such a step taken, not committed")

enum fault {
#define FAULT_ENUM(NAME, name, help) FAULT_##NAME,
    FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
        FAULT_COUNT
};

enum { FAULT_KILL = 1 }; /* an outcome: the process ends at once, with nothing flushed */

/* The `first`-th passing from now, and `more` after it, have this outcome: a negative errno value or FAULT_KILL.
 * first 0 disarms. Any thread. */
void fault_arm(enum fault fault, uint64_t first, uint64_t more, int outcome);
void fault_disarm_all(void);
/* Arms from text as above; NULL arms nothing. 0, or -EINVAL with *where at what was not understood. */
int fault_arm_text(const char *text, const char **where);
/* 0, or the negative errno value to fail with. Any thread. Does not return from FAULT_KILL. */
int fault_hit(enum fault fault);
