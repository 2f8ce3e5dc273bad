/*
 * Queues without hosts: jobs are submitted to a real core and started by its dispatch, but a "run" is the job's word
 * that it runs. So hundreds of thousands of jobs take seconds. run_start and function_host are replaced when this is linked.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jobs_internal.h"

enum { RIG_FUNCTIONS = 4 };

struct queue_rig {
    struct core *core;
    struct now now;
    struct effects out;
    struct function *function[RIG_FUNCTIONS];
    bool absent[RIG_FUNCTIONS]; /* no host takes its jobs */
    size_t room;                /* jobs that hosts take before they say no */
    struct job **started;       /* in order; NULL: it has ended */
    size_t started_n, size;
    bool unchecked; /* too much to check after each step */
};

int rig_set_up(void **state);
int rig_tear_down(void **state);
/* NAME=VALUE, a blank between two: what the configuration sets of the queue. */
void rig_queue(struct queue_rig *rig, const char *name, const char *settings);

struct rig_job {
    const char *queue, *key; /* NULL: default, none */
    int function;
    uint32_t priority;
};
/* Submits it, and it is ready. */
struct job *rig_submit(struct queue_rig *rig, struct rig_job what);
#define SUBMITTED(rig, ...) rig_submit((rig), (struct rig_job){__VA_ARGS__})
/* What can start does. */
void rig_go(struct queue_rig *rig);
/* Time passes, and what can start does. */
void rig_after(struct queue_rig *rig, int64_t ms);
/* It has ended well / is handed back. It may be gone. */
void rig_end(struct queue_rig *rig, size_t started);
void rig_return(struct queue_rig *rig, size_t started);
/* Ends everything that runs, and lets start what can, until nothing runs. */
void rig_run_dry(struct queue_rig *rig);
