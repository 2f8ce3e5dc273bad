/*
 * goclient_schedule.h — jobs that a goroutined submits again and again.
 *
 * A schedule says when, in which time zone, and what is submitted, as the user who set it. It is on the daemon's disk and
 * outlives every restart. A moment has one job, whatever dies when: the job and the step of its schedule are one write.
 * Waits, threads, memory and errors are as goclient.h says; -EBUSY: another change of that schedule is under way.
 */
#pragma once

#include "goclient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What becomes of moments at which the daemon did not run, or could not submit: drained, or a queue that takes no jobs
 * (GC_PAUSE_SUBMITS) or has no room. */
enum gc_missed {
    GC_MISSED_ONE,  /* one job for any number of them */
    GC_MISSED_SKIP, /* no job */
    GC_MISSED_ALL,  /* a job each, for the newest of them */
};

/* What becomes of a moment at which the job before has not ended. */
enum gc_overlap {
    GC_OVERLAP_ALLOW,
    GC_OVERLAP_SKIP, /* no job */
};

enum gc_schedule_flags {
    GC_SCHEDULE_PAUSED = 1 << 0, /* set: it begins held; told: it is held */
    GC_SCHEDULE_BROKEN = 1 << 1, /* told: it is due no more, until what `text` says is mended */
};

struct gc_schedule {
    size_t size;
    const char *name; /* as those of channels; whoever has it already is replaced, if it is the caller's */
    const char *spec; /* "0 7 * * mon-fri", with seconds in front if wanted, "@daily", "@every 90s" */
    const char *zone; /* "Europe/Berlin"; NULL: UTC */
    enum gc_missed missed;
    uint32_t missed_most; /* GC_MISSED_ALL; 0: as many as the daemon allows */
    enum gc_overlap overlap;
    unsigned flags; /* GC_SCHEDULE_PAUSED */
    const struct gc_submit
        *submit; /* what is submitted, delay_ns after its moment; without `flags`, `once` and `after` */
};

/* Returns after it is on disk. It is due first after that moment. -EINVAL: `spec` is wrong, and gc_why says where; name, spec,
 * submit, its plugin or its function is missing; the name is none; submit has `flags`, `once` or `after`; a policy or a number
 * is out of its range; a size is not set. -ENOENT: no such zone, plugin, function or queue. -EPERM: the name is another
 * user's. -ENOBUFS: schedules_max. -E2BIG: the argument. -ENOSPC: the daemon's disk is full. Else as gc_submit. */
GC_API int gc_schedule_set(gc_client *g, const struct gc_schedule *what, gc_until until);

/* It is forgotten; its jobs go on. -ENOENT, -EPERM. */
GC_API int gc_schedule_remove(gc_client *g, const char *name, gc_until until);

/* Holds it, and lets it go on from now: what was due meanwhile is not made up for. 1, or 0: it was so already. -ENOENT,
 * -EPERM. */
GC_API int gc_schedule_pause(gc_client *g, const char *name, gc_until until);
GC_API int gc_schedule_resume(gc_client *g, const char *name, gc_until until);

/* Times are microseconds of UTC since 1970. */
struct gc_schedule_info {
    const char *name, *spec, *zone;
    enum gc_missed missed;
    uint32_t missed_most;
    enum gc_overlap overlap;
    unsigned flags; /* enum gc_schedule_flags */
    uint32_t uid;   /* who set it */
    const char *plugin, *function, *queue;
    const char *text;         /* what is wrong with it, or why its last moment had no job; "" : nothing */
    int64_t last_us, next_us; /* it was and is due; 0: never, or held */
    uint64_t runs, skipped;   /* jobs submitted; times it was due and submitted none */
    uint64_t last_job;        /* 0: none */
};

/* One page of a list; its strings live until it is cleared. */
struct gc_schedule_page {
    struct gc_schedule_info *items;
    size_t n;
    bool more; /* ask again after the last name */
    void *memory_;
};

/* The caller's schedules (root's and the daemon's user: all) whose names begin with `prefix` (NULL: any) and come after
 * `after` (NULL: from the first), in order; at most `limit` (0: as many as one answer holds). The number in the page. */
GC_API int gc_schedules(gc_client *g, const char *prefix, const char *after, uint32_t limit,
                        struct gc_schedule_page *out, gc_until until);
GC_API void gc_schedule_page_clear(struct gc_schedule_page *page);

#ifdef __cplusplus
}
#endif
