/* Commands that goctl runs: mostly while it holds something for them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "session.h"

/*
 * Runs argv (NULL ends it), found by PATH, with our input and output, and waits for its end. A signal that ends goctl is
 * passed on to it once, and its end waited for all the same. With --ctx the end of that context ends it, too, by SIGTERM.
 * The exit status of the command, 128 + the signal that it died of, or 127 (not found) or 126 (cannot be run) after the
 * reason was told; where it died of the end of its context, which is told, the exit status for that.
 */
int child_run(const struct session *session, char *const *argv);

/* The same with the file `output`, which stays open, as its standard output. */
int child_run_into(const struct session *session, char *const *argv, int output);

/* How a command begins, with the signals as goctl found them. */
struct child_how {
    int input;  /* its standard input, when it is not ours (0); stays open */
    int output; /* its standard output; stays open */
    bool
        alone; /* in a process group of its own, without our input, and what it says of errors goes to `output`, too */
};

/* Only begins it: who calls waits for its end. 0 or a negative errno value. */
int child_spawn(char *const *argv, struct child_how how, pid_t *pid);

/* Tells the commands that will run a number: `name` in their environment. 0 or -ENOMEM. */
int child_tell(const char *name, uint64_t value);
