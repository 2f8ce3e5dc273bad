/* What a victim may hold: the tester tries to take all of it, without waiting, and gives it back. */
#pragma once

#include "goclient.h"

struct guard {
    const char *act; /* of victims.h */
    /* As gc_lock with GC_NOW; *token only grows. */
    int (*take)(gc_client *g, uint64_t *token);
    int (*give)(gc_client *g, uint64_t token);
    int after_death; /* what the next taker is told when the holder died */
};

/* NULL: the act holds nothing. */
const struct guard *guard_of(const char *act);
