/* What the daemon takes of the machine: its memory, and the files of its store. */
#pragma once

#include "core.h"

/* Says the counters `memory.resident`, `store.file` and `store.log`, all of them bytes; for core_set_stats with the hub. Hub
 * thread. */
void figures_tell(void *hub, core_say *say, void *context);
