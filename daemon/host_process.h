/* One host process as its daemon sees it. The supervisor's thread. */
#pragma once

#include <sys/types.h>

#include "core.h"
#include "host_bounds.h"
#include "host_protocol.h"
#include "host_settings.h"

struct host_process {
    struct list link;
    uint64_t host;
    pid_t pid;
    int pidfd;    /* readable when it has ended */
    int crash_fd; /* our end of HOST_CRASH_FD */
    struct host_bounds bounds;
    char record[4096];
};

struct host_start {
    const char *state, *program, *endpoint;
    const char *copy, *generation;
    struct host_settings settings;
};

/* Starts a host and writes its record. 0 with *lifeline, which is the caller's; errors of socketpair, pipe, posix_spawn,
 * pidfd_open and of the record: then no process is left. */
int host_process_start(const struct host_start *start, uint64_t host, struct host_process **process,
                       int *lifeline);

/* Ends it when it takes more than it may. Call it from time to time while it has a bound. */
void host_process_bound(struct host_process *process);

/* After it has ended: reaps it, removes the record, frees it. *in is filled as IN_HOST_END; its text is put into `text`. */
void host_process_reap(struct host_process *process, struct input *in, char *text, size_t size);

/* Ends every recorded host of an earlier daemon, and waits until they are gone. 0, or -errno of the folder. */
int host_process_end_older(const char *state);
