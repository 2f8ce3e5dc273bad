/*
 * Who looks after the daemon, in the simulator: asks hosts what they run, drains the daemon and ends that. What hosts tell is
 * in here too, so that it can be judged.
 */
#pragma once

#include "sim.h"

/* Begins to ask a host or to drain the daemon. */
void work_operator(struct client *client);
/* Perhaps ends the drain. False: there is none, or it goes on. */
bool operator_relents(struct client *client);
/* A DRAIN, not started. */
struct task *drain_task(struct client *client, enum drain_what what);

/* A host answers an offer of kind DUMP. */
void host_tells(struct client *host, const struct offer *offer);
/* What a client is told of a host is of what it asked about, and whole. */
void judge_told(const struct task *task, const struct result *result);

/* With each start of the daemon; the core has taken this operation; a result that is not an error leaves it first. */
void judge_drain_start(struct sim *sim);
void judge_drain_came(struct sim *sim, uint64_t conn, const struct request *request);
void judge_drain_reply(struct sim *sim, const struct task *task);
