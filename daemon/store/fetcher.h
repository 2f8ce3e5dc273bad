/* A thread that reads beside the writer: one fetches, one copies. Private to writer.c, whose functions say the rules. */
#pragma once

#include "store.h"

struct fetcher;

/* `name` (static) is the thread's. `event` is written when an answer waits. 0, -ENOMEM, -EAGAIN. */
int fetcher_start(const char *name, const struct store_ops *ops, struct store *store, int event,
                  struct fetcher **fetcher);
int fetcher_push(struct fetcher *fetcher, uint64_t number, const struct fetch *what);
int fetcher_collect(struct fetcher *fetcher,
                    void (*fetched)(void *context, uint64_t number, int error, const struct fetched *fetched),
                    void *context);
/* Answers what waits, a backup with -ECANCELED, and ends the thread. */
void fetcher_finish(struct fetcher *fetcher);
/* Finishes and frees. Accepts NULL. */
struct fetcher *fetcher_stop(struct fetcher *fetcher);
