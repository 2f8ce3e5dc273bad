/*
 * Channel handles as programs see them: places in a table of the client, so that a handle of a session that is
 * over is known for what it is, whatever number the daemon gives next. With the lock.
 */
#pragma once

#include "connection.h"

/* Takes up a handle of the present session. The id, or 0: no memory. */
uint64_t handles_add(struct gc_client *g, uint64_t remote);

/* The daemon's handle for `id`. 0; -ENOENT: none of this client; how its session ended. */
int handles_find(const struct gc_client *g, uint64_t id, uint64_t *remote);

void handles_remove(struct gc_client *g, uint64_t id);

/* Puts the daemon's handles into a request; a nil channel makes it one that is never sent (N1). 0, or as
 * handles_find. */
int handles_resolve(const struct gc_client *g, struct request *request);
