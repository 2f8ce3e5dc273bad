/*
 * How many goroutines live, and how many may.
 *
 * Each processor counts what it spawns and what it buries, and has leave for some more in its hand, which it takes from
 * all in lots: goroutines that are made on one processor and end on another share no count. Close to the limit, where it
 * must be exact, each is asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Leave for one more; false: that is too many. */
bool living_charge(void);
/* A goroutine was charged for, but not made. */
void living_return(void);

/* One that was charged for begins, and ends: then it is gone from every list too. The latter on a processor. */
void living_begins(void);
void living_ended(void);

/* Those that have begun and not ended, spawned in all, ended in all. Never less than live at the time of the call. */
struct living {
    uint64_t spawned, ended;
};
struct living living_read(void);

/* How many free struct g lie in the caches of processors. */
int64_t living_cached(void);

/* The last processor, of this index, has not begun: it is out of the counts, and may be freed. */
void living_unmake(int index);

/* The runtime has stopped: nobody lives. Returns how many processors there were, which may be freed. */
int living_stop(void);

/* Sets how many may live, if n >= 1, at most `most`; returns how many might before. */
int64_t living_limit(int64_t n, int64_t most);
