/* Requests of workers: clients that take the jobs which no plugin has. Part of message.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bytes.h"

enum {
    WORK_QUEUES_MAX = 16,        /* queues in one WORK_RESERVE */
    WORK_JOBS_MAX = 256,         /* jobs in its answer */
    WORK_BYTES_MAX = 16777216,   /* arguments in it, without that of the last job */
    WORK_NAMES_BYTES_MAX = 16384 /* a list of names */
};

/* Takes jobs that no plugin has: waits until there is one, and takes as many as there are then. */
struct request_work_reserve {
    struct bytes queues;    /* names, a blank between two; empty: "default" */
    struct bytes functions; /* the same; empty: whatever they are called */
    uint32_t max;           /* jobs, at most; 0: 1 */
    int64_t lease_ns;       /* so long a job is the worker's without a word of it; 0: work_lease_ms */
};

/* The job is the worker's for another lease from now. */
struct request_work_extend {
    uint64_t job, run;
    int64_t lease_ns; /* 0: work_lease_ms */
};

/* Until the job is to be ended. */
struct request_work_watch {
    uint64_t job, run;
};

/* The next name of a list, which becomes the rest of it. False: there is none. */
static inline bool names_next(struct bytes *list, struct bytes *name)
{
    const char *at = list->size ? list->data : "", *end;

    while (list->size && *at == ' ') {
        at++;
        list->size--;
    }
    end = list->size ? memchr(at, ' ', list->size) : NULL;
    *name = (struct bytes){at, end ? (size_t)(end - at) : list->size};
    *list = (struct bytes){at + name->size, list->size - name->size};
    return name->size;
}
