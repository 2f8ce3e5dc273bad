/*
 * What every program here needs: clients, what the daemon says of itself, and children that are this program again.
 * Nothing waits for time: each look at the daemon is an answer of its core. What fails ends the program with words.
 */
#pragma once

#include <sys/types.h>

#include "goclient.h"
#include "goclient_waiting.h"

/* A client of the daemon, or of a proxy, at that address. `flags`: enum gc_option_flags. */
gc_client *probe_client(const char *endpoint, unsigned flags);
/* The same, whose calls wait as `waiting` says, which lives as long as the client. */
gc_client *probe_client_waiting(const char *endpoint, unsigned flags, const struct gc_waiting *waiting);
/* One counter of the daemon. */
uint64_t probe_says(gc_client *g, const char *counter);
/* Returns when the counter has that value. */
void probe_await(gc_client *g, const char *counter, uint64_t value);

struct child {
    pid_t pid;    /* 0: gone */
    int to, from; /* its standard input and output */
};

/* This program again, with these arguments (NULL-terminated; the first is its name). */
struct child child_start(char **argv);
/* Returns when it has said something; a child that ends instead is a failure. */
void child_hear(const struct child *child);
void child_tell(const struct child *child);
/* Waits for its end: its exit status, or 128 + signal. */
int child_wait(struct child *child);

/* Stops a process of ours with SIGSTOP, and returns when it stands still. */
void child_stop(pid_t pid);
/* The same of a process that is not our child. */
void stranger_stop(pid_t pid);
