/*
 * What somebody does who will die or be stopped of it: one operation, brought to one state. The same acts run in a
 * process of their own and, as jobs, in a host.
 */
#pragma once

#include "goclient.h"
#include "witness.h"

enum state { STATE_PARKED, STATE_COMMITTED, STATE_ACKED, STATES_N };
/* Values: of the partner, of the victim, and one that passes meanwhile. */
enum { NUMBER_PARTNER = 1, NUMBER_VICTIM, NUMBER_PASSING };

#define VICTIM_CHANNEL "victim.channel"
#define VICTIM_OTHER   "victim.other"
#define VICTIM_LOCK    "victim.lock"
#define VICTIM_READ    "victim.read"
#define VICTIM_UNITS   "victim.units"

struct victim {
    gc_client *g;
    struct witness *witness;
    gc_chan channel, other;
    struct gc_value value; /* held */
    int number;            /* in it */
    uint64_t token;
    gc_job job;
};

struct act {
    const char *name;
    uint64_t capacity;              /* of its channel */
    bool receives, sends;           /* a value, so that a partner is needed */
    int (*begin)(struct victim *);  /* the operation: 0, or its error. Waits */
    int (*settle)(struct victim *); /* makes it ACKED, with a ping */
    int (*finish)(struct victim *); /* what one does who lives */
};

extern const struct act acts[];
/* NULL: there is none of that name. */
const struct act *act_find(const char *name);
/* Opens what an act needs; the channels are there. */
int victim_open(struct victim *victim);
