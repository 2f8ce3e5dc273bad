/*
 * What the ledgers share: a file that outlives whoever writes into it, and calls that outlive daemons. What fails ends the
 * program with words. Any thread.
 */
#pragma once

#include <stdbool.h>

#include "goclient.h"

/* To append to; made where there is none. */
int book_open(const char *path);
/* A line, in one write: lines of different threads and processes never mix. At most 500 bytes. */
void book_line(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A newline on standard output, for who waits for progress. */
void book_progress(void);

/* A client that waits for the next daemon. */
gc_client *survivor(void);
/* What a call returns when the daemon, or the session with it, is another one than before. */
bool survivor_lost(int r);
/* True: it was taken, *job. False: surely not. One in doubt is settled with the next daemon. */
bool survivor_submit(gc_client *g, const struct gc_submit *what, gc_job *job);
