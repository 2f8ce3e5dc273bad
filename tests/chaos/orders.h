/*
 * Histories of calls on one named sync object or context, and whether they can be explained: is there an order of single
 * steps, each between the beginning and the return of its call, that a sequential model allows? An object is judged by
 * itself, since what is linearizable for each object is so for all (history.h does channels and locks, where one select
 * concerns many).
 *
 * What was given up in time had no effect, and is there only because others had to wait behind it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { ORDER_CALLS = 60, ORDER_PROCESSES = 4 };

enum order_kind { ORDER_RWMUTEX, ORDER_SEMAPHORE, ORDER_COUNTER, ORDER_ONCE, ORDER_CONTEXT, ORDER_KINDS };

enum order_deed {
    READ_LOCK,
    READ_UNLOCK,
    WRITE_LOCK, /* out: its token, of 64 bits without a sign */
    WRITE_UNLOCK,
    ACQUIRE,  /* in: units */
    RELEASE,  /* in: units */
    ADD,      /* in: how much; out: the sum */
    AT_LEAST, /* in: least; out: what it was */
    RAN,      /* the function, by this call */
    JOINED,   /* somebody else had */
    RESET,
    CANCEL, /* in: code; out: 1 when it was this one that ended it */
    USE,    /* a call with the context; out: 1 when it was over */
    CAUSE,  /* out: the code, or 0 */
};

enum order_outcome {
    ORDER_OK,
    ORDER_REFUSED, /* it would have had to wait */
    ORDER_VOID,    /* it waited, and gave up */
};

struct order_call {
    int64_t called_ns, returned_ns;
    uint8_t process;
    enum order_deed deed;
    enum order_outcome outcome;
    int64_t in, out;
};

struct order {
    enum order_kind kind;
    int64_t units; /* of the semaphore */
    int n;
    struct order_call call[ORDER_CALLS];
};

/* 1: it can be explained; 0: it cannot. -E2BIG: the search was given up. */
int order_check(const struct order *order);
/* In words, one call a line, to standard error. */
void order_print(const struct order *order);
