/* What gc_submit and gc_submit_many share. */
#pragma once

#include <limits.h>

#include "goclient_job.h"
#include "message.h"

/* Reads what the caller gave. 0, or -EINVAL, noted for gc_why. */
int submit_take(struct gc_submit *what, const struct gc_submit *given);

/* The plugin as the daemon is to know it; in `path`, or in `name` itself; NULL: none. 0, or what is wrong with it, noted. */
int submit_plugin(const char *name, char path[PATH_MAX], struct bytes *plugin);

/* Points into both. */
struct request_submit request_submit_of(const struct gc_submit *what, struct bytes plugin);
