/*
 * A proxy between the clients of this process and a daemon, whose connections can be cut. Lifelines pass through
 * and are never ended, so the sessions live on; one that carries frames loses them instead (cut_lane.h).
 */
#pragma once

#include "node.h"

struct cut;

/* The clients must be of this process: the daemon takes the proxy's credentials for theirs. */
struct cut *cut_start(const struct node *node);
const char *cut_endpoint(const struct cut *cut);
/* Cuts every connection. Any thread. */
void cut_now(struct cut *cut);
/* How often a living connection was cut. */
int cut_count(const struct cut *cut);
void cut_stop(struct cut *cut);
