/*
 * goclient_queue.h — the queues of a goroutined: what is set of them, and what waits in them.
 *
 * Waits, threads, memory and errors are as goclient.h says. What changes a queue is for root and the daemon's user:
 * -EPERM for others. -ENOENT: there is no such queue.
 */
#pragma once

#include "goclient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sets values of a queue, from now on and over restarts. `settings`: NAME=VALUE, a blank between two, all or none of
 * them; NAME= takes back what was set. goroutined.conf(5) lists them. A queue that is not there it makes. 0; 1: it made
 * the queue. -EINVAL: a name or setting makes no sense, gc_why says which. -ENOBUFS: there are queues_max. */
GC_API int gc_queue_set(gc_client *g, const char *name, const char *settings, gc_until until);

/* What is known of a queue, as numbers by name, to be freed with gc_stats_clear: `state.NAME` says how it is, and of each
 * setting `ORIGIN.NAME` where its value is from: `default`, `config` or `set`. A setting that is a word has that word
 * behind its name, as `config.full=reject`. The number of rows. */
GC_API int gc_queue_info(gc_client *g, const char *name, struct gc_stats *out, gc_until until);

/* The queues by name, from the one after `after` (NULL: the first), whose names begin with `prefix` (NULL: all), and how
 * many jobs wait in each; to be freed with gc_stats_clear. The number of them; 0 at the end of the list. */
GC_API int gc_queues(gc_client *g, const char *prefix, const char *after, struct gc_stats *out,
                     gc_until until);

enum gc_pause {
    GC_PAUSE = 1,         /* no job of it is started; those that run go on */
    GC_PAUSE_SUBMITS = 2, /* none is taken, either: gc_submit is -EBUSY, and moments of schedules stay due */
    GC_PAUSE_END = 3,     /* it goes on */
};

/* Pauses a queue, for so many nanoseconds or, with 0, until it is told to go on; a restart ends no pause. -EINVAL: for_ns
 * is negative. */
GC_API int gc_queue_pause(gc_client *g, const char *name, enum gc_pause what, int64_t for_ns, gc_until until);

/* Cancels all jobs that wait in the queue now, and waits until that is done. How many of them. That this wait ends early
 * does not end the purge. -EAGAIN with GC_NOW: there are some, and nothing happened. */
GC_API int64_t gc_queue_purge(gc_client *g, const char *name, gc_until until);

/* Takes a queue away that gc_queue_set has made, with what was set of it. Its ended jobs stay as long as those of a queue
 * with nothing set. -EBUSY: it has jobs that wait or run, a schedule or a feed puts jobs there, or it stands in the
 * configuration. -ENOBUFS: ended jobs or workers that wait name it, as they do queues_removed_max others that were removed;
 * gc_jobs_purge forgets ended jobs. gc_why says which. */
GC_API int gc_queue_remove(gc_client *g, const char *name, gc_until until);

#ifdef __cplusplus
}
#endif
