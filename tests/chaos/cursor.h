/*
 * Histories of calls on one group of kept topics, and whether they can be explained (IP11.2, IP16): is there an order of single
 * steps, each between the beginning and the return of its call, that a sequential model allows? The model is a log; what of it is
 * acknowledged; who has which message, how often it was given and with which flags.
 *
 * What follows from it: a message is given to one member at a time, and after its acknowledgement to nobody; with order per key
 * only when the one before it is acknowledged; the floor is where the acknowledgements are; nothing is forgotten; and all that
 * but for a seek, behind which everything begins anew.
 *
 * When a message goes to a member is not seen from outside, only that it is received. So the model leaves open what may be with
 * members already when a group is paused, and what may have been read already when a topic is purged, within the bounds of their
 * capacity. That nothing was there is always possible: it may have been with somebody else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { CURSOR_CALLS = 128, CURSOR_MESSAGES = 32, CURSOR_PROCESSES = 6, CURSOR_NEW = 0xff };

enum cursor_deed {
    CURSOR_PUBLISH,
    CURSOR_RECEIVE,
    CURSOR_TAKE, /* a receive, and its acknowledgement, with nobody beside it */
    CURSOR_ACK,
    CURSOR_RETURN,
    CURSOR_SEEK, /* goes on with `message`, or CURSOR_NEW */
    CURSOR_PAUSE,
    CURSOR_RESUME,
    CURSOR_PURGE, /* the topic of `message`, up to that one */
    CURSOR_LOOK,  /* the floor was told */
    CURSOR_LEAVE, /* what it has goes to others */
    CURSOR_DEATH,
    CURSOR_END, /* nothing is left to be given */
};

enum cursor_outcome {
    CURSOR_OK,
    CURSOR_OPEN, /* never returned: it may have taken effect or not */
    CURSOR_VOID, /* no effect */
};

enum cursor_flags { CURSOR_REDELIVERED = 1, CURSOR_RETURNED = 2 };

struct cursor_call {
    int64_t called_ns, returned_ns; /* INT64_MAX: never */
    uint8_t process;
    enum cursor_deed deed;
    enum cursor_outcome outcome;
    uint8_t message;      /* its place in the log */
    uint8_t receive;      /* ACK, RETURN: the call that received it */
    uint8_t flags, tries; /* RECEIVE, TAKE: that came with it */
    uint64_t floor;       /* LOOK */
};

struct cursor_message {
    uint64_t sequence;
    uint8_t topic, key;
};

struct cursor {
    unsigned capacity, window; /* messages of a member, of all of them */
    int64_t ack_wait_ns;
    bool hasty;   /* ack_wait is so short that it matters */
    bool ordered; /* per key */
    int messages, n;
    struct cursor_message message[CURSOR_MESSAGES]; /* in the order of the log */
    struct cursor_call call[CURSOR_CALLS];
};

/* 1: it can be explained; 0: it cannot. -E2BIG: the search was given up. */
int cursor_check(const struct cursor *cursor);
/* In words, one call a line, to standard error. */
void cursor_print(const struct cursor *cursor);
