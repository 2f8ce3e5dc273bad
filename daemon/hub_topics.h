/* What a start loads of kept topics: from the store into the core, with a line in the log for what makes no sense. */
#pragma once

#include "store.h"

/* Fills in the members that are about topics. The context is the hub. */
void load_topics(struct store_load *load);
