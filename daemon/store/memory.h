/* What the layered store does with the store in memory, in two steps. See memory.c. */
#pragma once

#include "store.h"

/* Makes the changes of these batches, with all the memory they need. 0 or -ENOMEM: memory_forget is due either way. */
int memory_prepare(struct store *store, struct list *changes, const struct list *batches);
/* They count from now on. Cannot fail. */
void memory_commit(struct store *store, struct list *changes);
/* What was not committed. */
void memory_forget(struct list *changes);
