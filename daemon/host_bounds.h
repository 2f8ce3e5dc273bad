/* What a host process may take of the machine, looked after from outside. The supervisor's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host_settings.h"

enum { BOUNDS_LOOK_MS = 50 }; /* between two looks at the memory of hosts that have a bound */

struct host_bounds {
    uint64_t memory_max; /* bytes; 0: no bound */
    uint64_t took;       /* bytes that were resident when that was too much; 0: it never was */
};

/* Looks at the memory of a living process of its parent, which has not been waited for. True: it has just been found to
 * take too much; then it is said in bounds->took. */
bool host_bounds_exceeded(struct host_bounds *bounds, pid_t pid);

/* Why the host was ended, in one line. Bytes written. */
size_t host_bounds_words(const struct host_bounds *bounds, char *text, size_t size);
