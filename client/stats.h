/* Answers that are numbers by name. */
#pragma once

#include "goclient.h"
#include "message.h"

/* Asks, and gives the rows. Their number, or as call_run. */
int stats_run(gc_client *g, const struct request *request, struct gc_stats *out, gc_until until);
