/* What the files that measure a goroutined share. */
#pragma once

#include "goclient_chan.h"
#include "goclient_topic.h"
#include "topics.h"

enum { VECTOR = 1024 }; /* messages of one call */

extern gc_client *g;

/* Ends the program with words when `r` is an error. */
void check(int r, const char *what);
struct gc_options options_of(const char *where);
void connect_ours(const char *where);
/* Connects this process, and subscribes. */
gc_chan subscribe_ours(const char *where, const char *pattern, const struct gc_subscribe_options *options);
/* Receives for ever. */
void count_all(gc_chan c, size_t number);

/* ours_log.c */
void ours_prepare(const char *where);
void ours_fill(const char *where, size_t most);
void ours_consume(const char *where, size_t number);
void ours_replay(const char *where, size_t number);
