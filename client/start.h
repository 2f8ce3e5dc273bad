/* Operations that call back instead of being waited for (goclient_chan.h). */
#pragma once

#include "call.h"

/* With the lock: the result of a started call is there. */
void start_ended(struct call *call);

/* With the lock: a program that moves its client by hand sees that something is to be told. */
void starts_show(struct gc_client *g);

/* Calls back for all that have ended. Without the lock; one thread at a time. Whether there was one. */
bool starts_tell(struct gc_client *g);
