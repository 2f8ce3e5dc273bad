/* Starting a host program with just the descriptors it is meant to have. Any thread but the hub's: it may block. */
#pragma once

#include <sys/types.h>

enum { SPAWN_FDS_MAX = 2 };

/*
 * Starts argv[0] with fds[0], fds[1], … as descriptors 3, 4, …, standard output and error at this process's standard
 * error, every other descriptor closed, default signals, and GOROUTINED_ENDPOINT set to `endpoint` unless that is NULL. It
 * leads a process group of its own: what a terminal or a shell sends to the daemon's group is for the daemon alone.
 * 0, or a negative errno value of posix_spawn. The caller keeps and closes its own descriptors.
 */
int spawn_program(char *const argv[], const int *fds, int fds_n, const char *endpoint, pid_t *pid);
