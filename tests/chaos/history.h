/*
 * Histories of calls on channels and locks, and whether they can be explained (IP11.2): is there an order of single steps,
 * each between the beginning and the return of its call, that the rules of Part A allow? A search after Wing and Gong.
 *
 * Every call is a select: of one case, of many, or with nothing ready. A call that never returned, because its process
 * died or its outcome is in doubt, may have taken effect or not. The death of a process is a call too: in its step the
 * locks of that process are passed on, and a value it had not acknowledged may come back to the head, flagged. A select that
 * ended by one case while a send of it is in doubt (IP5.2) is two calls: itself, and that send, which never returned.
 *
 * On capacity 0 a send and a receive take effect together. That nobody was there to meet them is always possible there:
 * when a call parks is not seen from outside.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    HISTORY_CALLS = 64, /* at most, in one history */
    HISTORY_CASES = 3,
    HISTORY_CHANNELS = 3,
    HISTORY_LOCKS = 1,
    HISTORY_PROCESSES = 8,
    HISTORY_QUEUE = 40, /* values in a channel */
};

enum deed { DEED_SEND, DEED_RECV, DEED_CLOSE, DEED_LOCK, DEED_UNLOCK, DEED_DEATH };

enum outcome {
    OUTCOME_NONE,   /* nothing was ready: the default, or a call that does not wait */
    OUTCOME_OK,     /* the case `chosen` took effect */
    OUTCOME_CLOSED, /* the case `chosen` found its channel closed */
    OUTCOME_OPEN,   /* never returned, or in doubt */
    OUTCOME_VOID,   /* surely no effect: deadline or cancel */
};

struct history_case {
    enum deed deed;
    uint8_t object; /* channel or lock */
    uint32_t value; /* sent */
};

struct call {
    int64_t called_ns, returned_ns; /* INT64_MAX: never */
    uint8_t process, cases_n, chosen;
    enum outcome outcome;
    bool flagged;   /* received with REDELIVERED */
    bool died;      /* a grant after the death of the owner */
    uint32_t value; /* received */
    uint64_t token; /* granted, or given back */
    struct history_case cases[HISTORY_CASES];
};

struct history {
    uint32_t capacity[HISTORY_CHANNELS];
    int n;
    struct call call[HISTORY_CALLS];
};

/* 1: it can be explained; 0: it cannot. -E2BIG: the search was given up. */
int history_check(const struct history *history);
/* In words, one call a line, to standard error. */
void history_print(const struct history *history);
