/* Fatal signals: a handler on a stack of its own that says who it was, and where. */
#pragma once

#include <stdbool.h>

/* Once at the start of the runtime, and back. */
void crash_start(void);
void crash_stop(void);

/* The alternate stack of this thread. False: it had one, crash_thread_end must not be called. */
bool crash_thread_start(void);
void crash_thread_end(void);
