/*
 * Lifelines: who a client of this machine is, and that it has died (IP9).
 *
 * A client connects to the socket beside an ipc endpoint; its credentials come from the kernel. It is dead
 * when the stream ends, or when its process does, which a pidfd tells: a forked child may hold the stream.
 * Its stream may also carry the frames of a connection (local.h). A lifeline lives from its session's beginning to
 * lifeline_end or to the death of its owner. Hub thread.
 */
#pragma once

#include "hub.h"

struct lifeline;
struct lifelines;

/* Listens beside the ipc endpoint at `path` and takes the endpoint for this process. -EBUSY: another daemon
 * has it. On failure *why says what was wrong and what to do. */
int lifelines_open(struct hub *hub, const char *path, unsigned mode, char **why);
/* Says a farewell with `error` to everybody and closes. */
void lifelines_close(struct hub *hub, int error);
/* Greets those whose sessions the core has taken in. At the end of each turn. */
void lifelines_greet(struct hub *hub);

/* The lifeline of a host: takes `fd`, one end of a socketpair. NULL: out of memory; fd is closed. */
struct lifeline *lifeline_adopt(struct hub *hub, int fd, struct credentials who, uint64_t host);
/* The process behind it is known to be dead: ends its session and frees both. */
void lifeline_owner_died(struct lifeline *lifeline);
/* Says farewell and frees the lifeline, not its peer. `text` may be NULL. */
void lifeline_end(struct lifeline *lifeline, int error, const char *text);
