/* The circuit breaker of a function in a queue: see queue_breaker.c. */
#pragma once

#include "timer.h"

struct core;
struct job;
struct queue;
struct run;
struct track;

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN, BREAKER_TRYING, BREAKER_STATES };

enum { BREAKER_SLICES = 8 };

struct track_breaker {
    struct timer timer;
    uint64_t failures; /* in a row */
    uint64_t opened;   /* runs up to this number decide nothing any more; 0: it was never open */
    uint64_t trial;    /* TRYING: the run that tries */
    int64_t slice;     /* the last one: which part of all time, counted in slices */
    struct breaker_slice {
        uint32_t ends, failures;
    } slices[BREAKER_SLICES]; /* runs that ended in the window, by time */
    uint8_t state;            /* enum breaker_state; only breaker_move writes it */
    bool counted;             /* in `breakers` of its queue: it remembers something */
};

const char *breaker_word(enum breaker_state state);
bool breaker_may(enum breaker_state from, enum breaker_state to);
/* A job of it may start now. */
bool breaker_lets(const struct track *track);
/* All functions of the queue that have a job to start are kept by theirs. */
bool breaker_keeps(const struct queue *queue);
/* A run of it has begun / ended with success or failure / is gone, whatever became of it. */
void breaker_started(struct core *core, const struct run *run);
void breaker_judge(struct core *core, const struct run *run, bool failed);
void breaker_left(struct core *core, const struct run *run);
/* The queue says otherwise what opens it. */
void breaker_set(struct core *core, struct queue *queue);
/* It remembers something: its track has to stay. */
bool breaker_remembers(const struct track *track);
/* All is forgotten. */
void breaker_fini(struct core *core, struct track *track);
/* Until a job may try; 0: now. */
uint64_t breaker_left_ms(const struct core *core, const struct track *track);
/* Why no job of it starts, in words; empty: it may. */
size_t breaker_reason(const struct core *core, const struct track *track, char *to, size_t size);
void breaker_check(const struct track *track);
