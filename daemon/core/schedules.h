/* What the rest of the core calls of schedules; schedule.h is what they are. */
#pragma once

#include "jobs_internal.h"

/* 0 or -ENOMEM. */
int schedules_init(struct core *core);
void schedules_free(struct core *core);
/* The first step knows the time: they begin. */
void schedules_start(struct core *core);
/* After every input: looks whether the wall clock was set. */
void schedules_turn(struct core *core);
/* Batches first..last have this fate. After the jobs have heard of it. */
void schedules_stored(struct core *core, uint64_t first, uint64_t last, int error);
void schedules_stats(const struct core *core, void (*say)(void *context, const char *name, uint64_t value),
                     void *context);
/* Zones or plugins were looked at: SETs that have waited for them go on or fail. A plugin of that answer, or NULL. */
void schedules_go_on(struct core *core, const struct plugin *plugin, int error, struct bytes text);
void schedules_check(const struct core *core);
