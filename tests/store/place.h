/* A state directory for a test, and a second one for what a crash leaves of it. */
#pragma once

#include "disk.h"

struct place {
    char state[64], crash[64];
};

void place_make(struct place *place);
void place_remove(struct place *place);
/* Both as if nobody had been there. */
void place_empty(const struct place *place);

/* Ways in which a crash can end: the process dies; the power goes, and of what was not synced nothing, all, half, most is kept. */
enum { LOSSES = 5 };
extern const char *const loss_names[LOSSES];
/* `underway`: the event that the crash came into the middle of, or NULL. */
struct loss loss_of(int way, uint64_t *seed, const struct event *underway);
