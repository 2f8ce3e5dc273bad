/*
 * A real daemon in a temporary directory: its socket, its state, its log. Nothing in here waits for a time:
 * readiness comes by NOTIFY_SOCKET, the end by waitpid.
 *
 * The program is $GOROUTINED. Failures end the test that asked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct node {
    char directory[64]; /* removed by node_stop */
    char endpoint[128], socket[128], lifeline[128], state[128], log[128];
    pid_t pid;                                        /* 0: does not run */
    unsigned descriptors;                             /* limit of open files; 0: the system's */
    int notify;                                       /* where the daemon says READY */
    const char *server_key, *public_key, *secret_key; /* of raw clients over tcp (CURVE); NULL: none */
};

/* Makes the directory; starts nothing. */
void node_make(struct node *node);
/* Starts with --endpoint, --state and `flags` (NULL-terminated, or NULL), and waits until it is ready. */
void node_start(struct node *node, char *const *flags);
/* Starts without waiting; the daemon's standard error goes to the log. */
void node_spawn(struct node *node, char *const *flags);
/* Waits until the daemon has said `line` to its manager. */
void node_wait_said(struct node *node, const char *line);
void node_signal(struct node *node, int signal);
/* Waits for the end; the exit status, or 128 + signal. */
int node_wait(struct node *node);
/* SIGTERM, expects exit status 0. */
void node_stop(struct node *node);
/* Ends the daemon if it runs, removes the directory. For tear-down: fails nothing. */
void node_remove(struct node *node);
/* Whether the log holds the words; `rest` is then what follows them up to a space. */
bool node_logged(const struct node *node, const char *words);
bool node_logged_value(const struct node *node, const char *words, char *rest, size_t size);

/* Runs the program with these arguments, waits, and gives its exit status; what it said on standard error goes to
 * `said`. `without_dac`: as if root had no power over file modes. */
int node_run(char *const *arguments, bool without_dac, char *said, size_t size);
