/* The service thread: does what is due while no call waits, and delivers what nobody waits for. */
#pragma once

#include "connection.h"

/* Starts it, with every signal blocked. 0, -EAGAIN: no thread, -EMFILE or so: no descriptor. */
int service_start(struct gc_client *g);
/* Ends it and waits for its end. Without the lock; not from itself. */
void service_stop(struct gc_client *g);
