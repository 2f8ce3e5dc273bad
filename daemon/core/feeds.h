/* What the rest of the core calls of feeds; feed.h is what they are. */
#pragma once

#include "jobs_internal.h"

/* 0 or -ENOMEM. */
int feeds_init(struct core *core);
/* Batches first..last have this fate. After the jobs have heard of it. */
void feeds_stored(struct core *core, uint64_t first, uint64_t last, int error);
/* The queue may have room for those that wait for it. */
void feeds_room(struct core *core, struct queue *queue);
/* That plugin was looked at: SETs that have waited for that go on or fail, feeds go on. */
void feeds_go_on(struct core *core, const struct plugin *plugin, int error, struct bytes text);
void feeds_stats(const struct core *core, void (*say)(void *context, const char *name, uint64_t value),
                 void *context);
void feeds_check(const struct core *core);
