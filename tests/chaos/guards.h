/* What a victim may hold: the tester tries to take all of it, without waiting, and gives it back. */
#pragma once

#include "goclient.h"

struct guard {
    const char *act; /* of victims.h */
    /* As gc_lock with GC_NOW; *token only grows. */
    int (*take)(gc_client *g, uint64_t *token);
    int (*give)(gc_client *g, uint64_t token);
    int after_death; /* what the next taker is told when the holder died; an error: nothing was taken */
    int busy;        /* what a taker is told while somebody else has it */
    int (*mend)(gc_client *g); /* after a death: 0, and it is as if nothing had been; NULL: it is */
};

/* NULL: the act holds nothing. */
const struct guard *guard_of(const char *act);
extern const struct guard guards_sync[];

/* What a victim waits for, however long: the tester brings it. */
struct cause {
    const char *act;
    uint64_t parked;            /* operations that wait, with those that mirror a context; 0: one */
    int (*set)(gc_client *g);   /* before the victim; NULL: nothing */
    int (*bring)(gc_client *g); /* ends the wait. 0 */
    int (*alone)(gc_client *g); /* 0: nobody waits, and it is as if nobody had; NULL: as `bring` */
    int (*clear)(gc_client *g, bool died_with_it); /* after the wait; NULL: nothing is left */
};

/* NULL: the act waits for nothing of this kind. */
const struct cause *cause_of(const char *act);
