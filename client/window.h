/* Receive windows (goclient_chan.h), as gc_drop sees them. */
#pragma once

#include "connection.h"

/* With the lock: a handle closes. What was fetched through it and not given to the program goes back (IP6.1). */
void windows_drop(struct gc_client *g, uint64_t chan);
