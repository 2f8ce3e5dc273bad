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
#define VICTIM_WRITE   "victim.write"
#define VICTIM_ONCE    "victim.once"
#define VICTIM_FLIGHT  "victim.flight"
#define VICTIM_GROUP   "victim.group"
#define VICTIM_BREAKER "victim.breaker"
/* One failure opens it, for an hour. */
#define VICTIM_BREAKING ((struct gc_breaking){1, 3600000000000LL})
#define VICTIM_WORK     "victim.work"
#define VICTIM_CONTEXT  "victim.context"
#define VICTIM_BARRIER  "victim.barrier"
#define VICTIM_COND     "victim.cond"
#define VICTIM_COUNTER  "victim.counter"
#define VICTIM_ROUND    "victim.round"
#define VICTIM_MEMBERS  "victim.members"
#define VICTIM_LIMIT    "victim.limit"
#define VICTIM_CANCEL   "victim.cancel"
#define VICTIM_TOPIC    "victim.topic"
/* One message fills it, and who publishes another one waits. */
#define VICTIM_SUBSCRIBED                                                                                    \
    ((struct gc_subscribe_options){.size = sizeof(struct gc_subscribe_options),                              \
                                   .capacity = 1,                                                            \
                                   .slow = GC_SLOW_BLOCKS,                                                   \
                                   .block_ns = 60000000000LL})

struct victim {
    gc_client *g;
    struct witness *witness;
    gc_chan channel, other;
    struct gc_value value; /* held */
    int number;            /* in it */
    uint64_t token;
    gc_job job;
    gc_ctx *ctx;
    void *run; /* the job, of a job */
    const struct act *act;
    enum state state;
    /* What is run by an act that holds only while a function of it runs: comes to the state, and stays there. */
    void (*stay)(struct victim *victim);
};

struct act {
    const char *name;
    uint64_t capacity;              /* of its channel */
    bool receives, sends;           /* a value, so that a partner is needed */
    int (*begin)(struct victim *);  /* the operation: 0, or its error. Waits */
    int (*settle)(struct victim *); /* makes it ACKED, with a ping */
    int (*finish)(struct victim *); /* what one does who lives */
    enum { PARKS_IF_TAKEN, PARKS_ALWAYS, PARKS_NEVER } parks;
    bool stays;        /* calls `stay` */
    int after_restart; /* what `finish` returns to one who had it when the daemon was killed */
};

/* The i-th; NULL: there are no more. */
const struct act *act_at(int i);
/* NULL: there is none of that name. */
const struct act *act_find(const char *name);
/* Those of victims_sync.c; the last has no name. */
extern const struct act acts_sync[];
/* Opens what an act needs; the channels are there. */
int victim_open(struct victim *victim);

/* How a victim of its own process ends. */
enum { EXIT_LIVED = 0, EXIT_BROKEN = 1, EXIT_RESET = 10, EXIT_RESET_DOUBT, EXIT_RESET_LATER };

/* The whole of it: name of the act, number of the state, endpoint, file of the witness, job. */
int victim_process(char **argument);
