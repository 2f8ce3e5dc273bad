/*
 * goclient_pool.h — the pools of a goroutined: named groups of hosts that run the jobs of some queues and functions.
 *
 * Waits, threads, memory and errors are as goclient.h says. What changes a pool is for root and the daemon's user:
 * -EPERM for others. -ENOENT: there is no such pool.
 */
#pragma once

#include "goclient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a pool, or sets values of it, from now on and over restarts; no job is lost or started anew by that. `settings`:
 * NAME=VALUE, a blank between two, all or none of them; NAME= takes back what was set. goroutined.conf(5) lists them; a path in
 * `functions` that begins elsewhere than at / is one of the caller's working directory. A new
 * pool needs queues or functions: -ENOENT without, when there is no such pool. -EINVAL: one makes no sense, gc_why says
 * which. -ENOBUFS: there are as many pools as there may be. */
GC_API int gc_pool_set(gc_client *g, const char *name, const char *settings, gc_until until);

/* Gives the jobs of a pool to the next pool that has them, or to the hosts of no pool; those that run, end in the hosts they
 * are in. -EBUSY: the pool stands in the configuration. */
GC_API int gc_pool_remove(gc_client *g, const char *name, gc_until until);

/* What is known of a pool, as numbers by name, to be freed with gc_stats_clear. `state.NAME`: how it is, since the daemon
 * started. `ORIGIN.NAME`: a setting and where it is from, `default`, `config` or `set`; each word of a list has a row of its
 * own, as `set.queues=mail`. `host.NUMBER.NAME`: one of its hosts, the first 200 of them: pid, running, ended, age in milliseconds, and
 * state=starting, serving, draining or killed. The number of rows. */
GC_API int gc_pool_info(gc_client *g, const char *name, struct gc_stats *out, gc_until until);

/* The pools by name, from the one after `after` (NULL: the first), whose names begin with `prefix` (NULL: all), and how many
 * hosts each has; to be freed with gc_stats_clear. The number of them; 0 at the end of the list. */
GC_API int gc_pools(gc_client *g, const char *prefix, const char *after, struct gc_stats *out,
                    gc_until until);

enum gc_pool_drain {
    GC_POOL_DRAIN = 1,     /* no job of it is started; its hosts end when they run none */
    GC_POOL_DRAIN_END = 2, /* it goes on */
};

/* Drains a pool, over restarts, and waits until none of its jobs runs; or ends that. That this wait ends early does not end
 * the drain. -EAGAIN with GC_NOW: it has begun, and some run. -ECANCELED: somebody has ended the drain. -ENOENT also: the
 * pool was removed meanwhile. */
GC_API int gc_pool_drain(gc_client *g, const char *name, enum gc_pool_drain what, gc_until until);

#ifdef __cplusplus
}
#endif
