/* What the files that measure a goroutined share. */
#pragma once

#include "bench.h"
#include "goclient_chan.h"

extern gc_client *g;
extern struct gc_value value; /* of as many bytes as asked for */

/* Ends the program with words when `r` is an error. */
void check(int r, const char *what);
/* Connects; `where` is the endpoint, the lane that of the environment. */
void begin(const char *where, size_t bytes);
gc_chan open_chan(const char *name, uint64_t capacity);
