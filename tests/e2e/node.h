/*
 * A daemon of one test: in a folder of its own, with an address of its own. Whatever fails here ends the test
 * program with words.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "goclient.h"

/* For the options of a client: the first answer of a daemon on a loaded machine. */
enum { NODE_ANSWER_MS = 30000 };

struct node {
    char folder[64], endpoint[128];
    char *const *flags; /* further arguments of the daemon, NULL-terminated and borrowed; or NULL */
    pid_t pid;
    int log_fd; /* its standard error */
};

/* Starts one and waits until it says that it is ready. The program is $GOROUTINED. */
struct node *node_start(void);
/* Makes the folder and the address, and starts nothing yet. */
struct node *node_make(void);
/* Starts it (again) on the same folder; `ready`: waits for it. */
void node_run(struct node *node, bool ready);
/* Sends the signal and waits for the end of the process, which must be the one that the signal makes: a daemon that a sanitizer
 * has ended shows its log. */
void node_kill(struct node *node, int signal);
/* Ends it in order and removes its folder. Accepts NULL, returns NULL. */
struct node *node_delete(struct node *node);

gc_client *node_connect(const struct node *node);

/* Another client process: runs fn(node, to, from) and exits with what it returns. `to` and `from` are its ends of
 * two pipes to the test. Start it before the test connects a client of its own. */
struct peer {
    pid_t pid;
    int to, from; /* the test's ends: to the peer, from it */
};
struct peer peer_start(const struct node *node, int (*fn)(const struct node *node, int to, int from));
void peer_say(int fd, char what);
/* Blocks until the other side says something; it must be `what`. */
void peer_hear(int fd, char what);
/* Waits for its end: its exit status, or 128 + signal. */
int peer_wait(struct peer *peer);

/* Returns when the channel has that many waiting senders and receivers, or aborts after 10 s. Each look is a
 * round trip to the core. */
void wait_parked(gc_client *g, gc_chan c, unsigned senders, unsigned receivers);
/* Returns when the channel has that many handles: the daemon hears of the end of a process in its own time, also when it has
 * been waited for, and of a client that has disconnected at the latest then. */
void wait_handles(gc_client *g, gc_chan c, unsigned handles);
