/*
 * The processes a placed test runs in: a daemon, its participants, and the seats to them (seat.h).
 *
 * Whatever fails here ends the test with words. A seat is used by one thread at a time.
 */
#pragma once

#include <stdbool.h>

#include "seat.h"

/* Starts the daemon and the participants of this placement (participants.c lists them). False: no such placement. */
bool participants_start(const char *placement);
void participants_stop(void);

int participants_n(void);
/* A new seat of participant i, counted round. */
int participants_seat(int i);

/* Has it done, and waits for the answer. `control`: on the first seat of participant i; any thread. */
int64_t seat_ask(int seat, const struct seat_order *order, struct seat_answer *answer);
int64_t control_ask(int i, const struct seat_order *order);

/* How many operations wait in the daemon, of all participants. */
uint64_t participants_parked(void);
