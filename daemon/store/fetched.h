/* What a fetch gives back: rows and bodies, copied to memory of their own. */
#pragma once

#include "store.h"

void fetched_init(struct fetched *fetched);
/* `size` bytes that live until fetched_clear; NULL: out of memory. */
void *fetched_memory(struct fetched *fetched, size_t size);
/* Appends a copy of the row; there is room for `limit` of them, made with the first. 0, -ENOMEM. */
int fetched_row(struct fetched *fetched, const struct job_row *row, size_t limit);
/* Sets the body to a copy. 0, -ENOMEM. */
int fetched_body(struct fetched *fetched, struct bytes body);
