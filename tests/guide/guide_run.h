/*
 * One run of a row: between guide.c, which the rows call, and main.c and plugin.c, which run them.
 *
 * A process may run several at once, as jobs do in a host: a run is found by the group of the goroutine that asks.
 */
#pragma once

#include <pthread.h>

#include "goroutine_host.h"
#include "guide.h"

struct guide_run {
    const struct guide_row *row;
    void (*print)(struct guide_run *run, const char *line); /* of a job; NULL: standard output */
    void *job;
    uint64_t job_id; /* 0 in a program */

    go_group *group;      /* held; NULL in a program */
    pthread_mutex_t lock; /* guards the lines; held briefly, never over a wait */
    struct lines lines;
    int procs_before; /* of the host, when the row fixed its own number for the time of the job; else 0 */
    atomic_bool failed, over;
    struct guide_run *next;
};

/* All rows linked into this program or plugin. */
extern const struct guide_row *const __start_guide_rows[] __attribute__((visibility("hidden")));
extern const struct guide_row *const __stop_guide_rows[] __attribute__((visibility("hidden")));

/* Runs the row in the calling goroutine and checks its end. Panics if a check fails. */
void guide_run(const struct guide_row *row, void (*print)(struct guide_run *run, const char *line), void *job,
               uint64_t job_id);
