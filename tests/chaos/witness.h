/*
 * The outside witness of IP11.1: what each value came to, noted by whoever sends or receives it, in memory that every
 * process of a test shares and no death takes away. One writer for each member at a time.
 *
 * A value that was surfaced and not acknowledged when its receiver died may come again, flagged; nothing else may.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { WITNESS_VALUES = 64 };

enum sending { SENDING_NONE, SENDING_BEGUN, SENDING_OK, SENDING_DOUBT, SENDING_ABORTED };

struct witness {
    struct {
        _Atomic uint8_t sending;  /* enum sending */
        _Atomic uint8_t received; /* times it was surfaced */
        _Atomic uint8_t flagged;  /* of these with REDELIVERED */
        _Atomic uint8_t unacked;  /* surfaced and not acknowledged, so far */
    } value[WITNESS_VALUES];
    atomic_int ready; /* a job that has come to its state says so here */
    atomic_int runs;  /* of the job, so far */
};

/* A fresh one in the memory behind fd, which becomes large enough; or the one that is there. Ends the program where
 * there is no memory. */
struct witness *witness_map(int fd);
void witness_clear(struct witness *witness);

/* A send begins; how it ended, with what the call returned and whether it is in doubt. */
void witness_send(struct witness *witness, int number);
void witness_sent(struct witness *witness, int number, int status, bool doubt);
/* A value was surfaced; it was acknowledged. */
void witness_received(struct witness *witness, int number, bool redelivered);
void witness_acked(struct witness *witness, int number);

/* NULL, or in words what the rules do not allow. `drained`: nothing that was sent may be missing. Static. */
const char *witness_judge(const struct witness *witness, bool drained);
