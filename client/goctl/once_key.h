/* --once-key and what goes with it. */
#pragma once

#include "goclient_job.h"

struct options;

/* Reads them, and tells on standard error what is wrong; key NULL: there is none. 0 or -EINVAL. */
int once_key_parse(const struct options *options, struct gc_once *once);
