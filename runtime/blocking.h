/* Spare threads for calls that block in the kernel or in a library. */
#pragma once

#include <stdbool.h>

/* Ends the idle threads; waits for them. False: a call is still under way. */
bool blocking_stop(void);

/* Spare threads that live. */
int blocking_threads(void);
