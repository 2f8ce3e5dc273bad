/* Channels inside values, as programs see them (U6). With the lock. */
#pragma once

#include "call.h"

/* The handles that came with a result become the caller's. 0 or -ENOMEM: none did. */
int chans_take(struct gc_client *g, struct result_block *block);

/* Value i of a result and those behind it go back, and what they carried with them. */
void chans_forget(struct gc_client *g, const struct result_block *block, size_t i);

/* Those of value i; NULL: it carries none. */
const struct gc_passed *chans_of(const struct result_block *block, size_t i);
