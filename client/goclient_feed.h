/*
 * goclient_feed.h — topics of a goroutined whose messages become jobs.
 *
 * A feed makes one job of each message of durable topics that matches its pattern, as the user who made it. It is on the daemon's
 * disk and outlives every restart. A message has exactly one job, whatever dies when: the job and the step of its feed over the
 * message are one write. While its queue has no room, or anything else is in the way, it waits, and the log keeps what is to come.
 * Waits, threads, memory and errors are as goclient.h says; -EBUSY: another change of that feed is under way.
 */
#pragma once

#include "goclient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the argument of a job is. */
enum gc_feed_argument {
    GC_FEED_ARGUMENT_STAYS, /* as it is; of a new feed, the body */
    GC_FEED_BODY,           /* the body of the message */
    GC_FEED_MESSAGE,        /* lines that tell of the message, an empty one, and the body: goclient_feed(3) */
};

/* Where it goes on. */
enum gc_feed_from {
    GC_FEED_FROM_STAYS,    /* where it is; of a new feed, with what is published from now on */
    GC_FEED_FROM_NEW,      /* with what is published from now on */
    GC_FEED_FROM_START,    /* with the oldest message that is kept */
    GC_FEED_FROM_SEQUENCE, /* with the first message of this sequence or a later one */
    GC_FEED_FROM_TIME,     /* with the first message of this time or a later one */
};

enum gc_feed_flags {
    GC_FEED_PAUSED = 1 << 0, /* set: it is held from now on; told: it is held */
    GC_FEED_WAITS = 1 << 1,  /* told: something is in its way, `text` says what */
};

/* What is NULL or 0 stays as it is in a feed that is there, but for `plugin` beside a function. */
struct gc_feed {
    size_t size;
    const char *name;     /* as those of channels; one that is there is changed, if it is the caller's */
    const char *pattern;  /* of the topics; a new feed needs one */
    const char *plugin;   /* as of gc_submit; NULL beside a function: jobs for workers */
    const char *function; /* a new feed needs one */
    const char *queue;    /* of a new one: NULL is `default` */
    uint64_t ahead;       /* it makes no job while so many wait in its queue; of a new one: 0 is 1000 */
    enum gc_feed_argument argument;
    enum gc_feed_from from;
    uint64_t from_sequence;
    int64_t from_time_us; /* microseconds of UTC since 1970 */
    unsigned flags;       /* GC_FEED_PAUSED */
};

/* Returns after it is on disk. -EINVAL: there is none of that name and a pattern or a function is missing; the name, pattern or
 * function is none; `ahead` is above feed_ahead_max; flags; the size is not set: gc_why says which. -ENOENT: no such plugin, function or
 * queue; no such feed, and neither is named. -EPERM: the name is another user's, or a right is missing. -ENOBUFS: feeds_max. Else as gc_submit. */
GC_API int gc_feed_set(gc_client *g, const struct gc_feed *what, gc_until until);

/* Holds it, and lets it go on where it was: the log has what came meanwhile, as long as its topics keep it. 0. -ENOENT, -EPERM. */
GC_API int gc_feed_pause(gc_client *g, const char *name, gc_until until);
GC_API int gc_feed_resume(gc_client *g, const char *name, gc_until until);

/* It is forgotten; its jobs stay. -ENOENT, -EPERM. */
GC_API int gc_feed_remove(gc_client *g, const char *name, gc_until until);

struct gc_feed_info {
    const char *name, *pattern;
    const char *plugin; /* "": its jobs are for workers */
    const char *function, *queue;
    uint32_t uid;   /* who made it */
    unsigned flags; /* enum gc_feed_flags */
    enum gc_feed_argument argument;
    uint64_t ahead;
    uint64_t cursor;   /* messages up to this sequence have their job, or will have none */
    uint64_t waiting;  /* messages behind it that match, about */
    uint64_t jobs;     /* that it has made */
    uint64_t missed;   /* messages that went from the log before it came to them, about */
    uint64_t last_job; /* 0: none */
    const char *text;  /* what it waits for; "": nothing */
};

/* One page of a list; its strings live until it is cleared. */
struct gc_feed_page {
    struct gc_feed_info *items;
    size_t n;
    bool more; /* ask again after the last name */
    void *memory_;
};

/* The caller's feeds (root's and the daemon's user: all) whose names begin with `prefix` (NULL: any) and come after `after` (NULL:
 * from the first), in order; at most `limit` (0: as many as one answer holds). The number in the page. */
GC_API int gc_feeds(gc_client *g, const char *prefix, const char *after, uint32_t limit,
                    struct gc_feed_page *out, gc_until until);
GC_API void gc_feed_page_clear(struct gc_feed_page *page);

#ifdef __cplusplus
}
#endif
