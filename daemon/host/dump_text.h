/* What the host tells of its goroutines when the daemon asks. */
#pragma once

#include "goclient_host.h"

/* Answers dump `number` in pieces, from a goroutine of its own: reading the stacks of very many takes a while. Any
 * thread; never waits. Without memory the answer is empty. */
void dump_goroutines(gc_client *client, uint64_t number);
