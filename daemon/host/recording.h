/* What this process records on request: a profile of CPU time or of allocations, a trace; one of each at a time. */
#pragma once

#include <stdint.h>

/* Each begins by one question, `number`, and ends by another (enum inspect_what), which tells it into the file `fd`, or by an
 * order of the daemon (enum inspect_order) about that number: an order that comes late finds nothing to do. Any thread;
 * they wait for each other, as long as one is written. 0 or a negative errno value: -ESRCH: it had not begun; -EBUSY: it
 * has; -EPERM: it is larger than the file. */
int recording_start(unsigned what, uint64_t number, uint64_t value);
int recording_stop(unsigned what, unsigned format, int fd);
void recording_order(unsigned order, uint64_t number);

/* An empty file in memory that cannot grow beyond what is told at most: what does not fit is -EPERM. Or a negative errno value. */
int answer_file(void);
