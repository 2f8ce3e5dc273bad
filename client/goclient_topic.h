/*
 * goclient_topic.h — the topics of a goroutined: what is published there goes to everybody who has subscribed.
 *
 *     gc_publish(g, "news.sports", gc_string("1:0"), NULL, NULL, GC_FOREVER);
 *
 *     gc_chan news;
 *     struct gc_value v = {0};
 *     gc_subscribe(g, "news.>", NULL, &news, GC_FOREVER);
 *     while (gc_range(g, news, &v, 0, GC_FOREVER) > 0)
 *         printf("%s: %.*s\n", gc_message(&v)->topic, (int)v.size, (const char *)v.data);
 *     gc_drop(g, news);
 *
 * A topic is a name whose parts are separated by dots; it need not be made. A pattern is a topic of which parts may be `*`,
 * any one part, and the last `>`, one or more parts.
 *
 * A subscription is a channel that publishing fills, and that nobody can send on or close: gc_recv, gc_recv_many, gc_range,
 * gc_select, gc_window_open, gc_start and GC_HOLD with gc_ack and gc_return do what they do with any channel, and gc_drop is
 * the end of it. Every subscription gets the messages of all its topics in the one order in which they were published.
 *
 * Results, waits, threads and memory: as goclient.h says.
 */
#pragma once

#include "goclient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what a message is ---- */

/* A name and a value that travel with a message. The value of a received one is followed by a zero byte. */
struct gc_header {
    const char *name;
    size_t name_bytes;
    const char *value;
    size_t value_bytes;
};

/* Of two strings, which it borrows. */
static inline struct gc_header gc_header(const char *name, const char *value)
{
    struct gc_header header = {name, strlen(name), value, strlen(value)};
    return header;
}

/* What is known of a received message. Zero bytes are behind its topic and its key. */
struct gc_message {
    const char *topic;
    size_t topic_bytes;
    uint64_t sequence; /* in the log of durable topics; 0: of a live topic */
    int64_t time_us;   /* when it was published: wall clock, UTC */
    uint32_t tries; /* how often it was given to somebody, with this time; 0: not of a durable subscription */
    uint64_t lost;  /* messages that this subscription had no room for, since the one before */
    const char *key; /* "": it has none */
    size_t key_bytes;
    const struct gc_header *headers;
    size_t headers_n;
    uint64_t of; /* of a dead letter: the sequence it had; else 0 */
};

/* The message of a received value; NULL: it is not of a subscription. The value's: it lives until gc_value_clear. Does not
 * block; any thread. */
GC_API const struct gc_message *gc_message(const struct gc_value *v);

/* Its header of this name; NULL: it has none. The first one, where there are several. `v` and life as above. */
GC_API const struct gc_header *gc_message_header(const struct gc_value *v, const char *name);

/* ---- publish ---- */

struct gc_publish_options {
    size_t size;
    const char *key;                 /* whose messages keep their order, and share fairly; NULL: none */
    const struct gc_header *headers; /* borrowed */
    size_t headers_n;
    const char *once; /* of a durable topic: published once, however often it is asked for; NULL: each time */
    bool expects;     /* of a durable topic: its last message has the sequence `expected`; 0: it has none */
    uint64_t expected;
    int64_t delay_ns; /* of a durable topic: published so long after this call; without `expects` */
    int64_t at_us; /* the same at this time: wall clock, UTC; one that has been is now. 0: it is not said */
};

/* What has become of it. */
struct gc_published {
    uint64_t sequence;  /* of the last message, in the log; 0: the topic is live, or it was delayed */
    uint64_t receivers; /* subscriptions that got a message, summed over the messages */
    uint64_t dropped;  /* messages that subscriptions without room lost through it: of these, or older ones */
    uint64_t repeated; /* messages that had been published before, by their `once` */
};

/* Publishes one message: 0, it is with every live subscription that has room, whoever they are. Waits only for
 * subscriptions with GC_SLOW_BLOCKS, until they have room or their time is over. Of a durable topic it is on disk, then; that is
 * waited for whatever `until` says, and no subscription is. With a delay or a time it is on disk too, then, and is published once, when its time
 * has come, as if this were called then: it outlives the daemon, and what is due while none runs comes when one starts.
 * `options` and `out` may be NULL. -EINVAL: no topic, or a live one that cannot do what the options ask for; or the value carries
 * channels. -E2BIG: larger
 * than a message may be, or more headers. -ESTALE: not the last message that was expected. -ENOSPC: the disk is full. -ENOBUFS: the
 * topic is, and refuses more, or as many messages wait for their time as may. After any of them nothing was published. */
GC_API int gc_publish(gc_client *g, const char *topic, struct gc_value v,
                      const struct gc_publish_options *options, struct gc_published *out, gc_until until);

/* One of many. Zero but for the value: a message of no key and no headers. */
struct gc_outgoing {
    struct gc_value value;
    const char *key;
    const struct gc_header *headers;
    size_t headers_n;
    const char *once;
};

/* Publishes n messages (1..GC_VALUES_MAX) of one topic in order, in one operation. The number published: n, or less when it
 * ended early (deadline, context; the next call says which). Of `options` key and headers are those of each message that
 * has none of its own; `once` is said of each message. Otherwise as gc_publish. */
GC_API int gc_publish_many(gc_client *g, const char *topic, const struct gc_outgoing *messages, size_t n,
                           const struct gc_publish_options *options, struct gc_published *out,
                           gc_until until);

/* ---- subscribe ---- */

/* What happens with a message that a subscription has no room for. */
enum gc_slow {
    GC_SLOW_DROPS_NEWEST, /* it is dropped, and counted */
    GC_SLOW_DROPS_OLDEST, /* the oldest one that nobody has received is */
    GC_SLOW_DISCONNECTS, /* the subscription ends behind what it has: a receive, or its case, is then -ENOBUFS */
    GC_SLOW_BLOCKS,      /* who publishes waits for room; for block_ns, then as GC_SLOW_DISCONNECTS */
};

/* Where a subscription begins. But for GC_FROM_NEW and GC_FROM_LAST it has messages of durable topics alone. */
enum gc_from {
    GC_FROM_NEW,      /* with what is published from now on */
    GC_FROM_START,    /* with the oldest message that is kept */
    GC_FROM_SEQUENCE, /* with the first message of this sequence or a later one */
    GC_FROM_TIME,     /* with the first message of this time or a later one */
    GC_FROM_LAST,     /* with the last message of each topic, as said below; not of a durable subscription */
};

/* The last messages that GC_FROM_LAST begins with are flagged GC_LAST, and have room beside the capacity. A live topic has one
 * where `last=yes` was set of it (gc_topic_set), until the daemon ends; a durable one always. What is published then comes behind.
 * With wildcards gc_subscribe waits while another such subscription of the same user has its last messages of live topics to come. */
struct gc_subscribe_options {
    size_t size;
    uint64_t capacity; /* messages that may wait in it; 0: 1024 */
    enum gc_slow slow;
    int64_t block_ns;         /* of GC_SLOW_BLOCKS; 0: a second */
    uint64_t value_bytes_max; /* larger messages are dropped, and counted; 0: none is */
    enum gc_from from;
    uint64_t from_sequence;
    int64_t from_time_us; /* wall clock, UTC */
    const char *group;    /* name of a durable subscription, that is made or joined; NULL: none */
    const char *settings; /* of a group that this makes: NAME=VALUE, a blank between two */
};

/* Subscribes to the topics of a pattern: 0, and *out gets every message that is published after this has returned, until it is
 * dropped or the session ends. `options` NULL: zeros. gc_chan_info tells how many messages wait and how many were
 * dropped. -EINVAL: no pattern, or an option makes no sense. -E2BIG: capacity. -EEXIST: the group has another pattern.
 * -ENOBUFS: over the daemon's subscriptions_max; the last messages of GC_FROM_LAST are more than account_bytes_max has room for; or
 * it would have to wait, and as many calls of this user wait as may (waiters_max). -EAGAIN: it would have to, with GC_NOW. -EPERM: not
 * for all topics of the pattern. */
GC_API int gc_subscribe(gc_client *g, const char *pattern, const struct gc_subscribe_options *options,
                        gc_chan *out, gc_until until);

/* ---- topics ---- */

/* Closes the live subscriptions whose pattern is this text: they range over what they have, and then it is the end. How many
 * there were. Topics are not closed: who subscribes anew gets what is published then. */
GC_API int gc_topic_close(gc_client *g, const char *topic, gc_until until);

/* Sets what counts for the topics that match a pattern, and no pattern that fits them better, from now on and over restarts.
 * `settings`: NAME=VALUE, a blank between two, all or none of them; NAME= takes back what was set. goroutined.conf(5) lists them:
 * `durable=yes` has messages kept. For who has the right `topic`: -EPERM. -EINVAL: one makes no sense, gc_why says which. -ENOBUFS:
 * there are as many rules as there may be. While the daemon forgets last messages that a rule lets go, or has just looked at thousands
 * of durable topics for others, it waits for its turn: -EAGAIN: with GC_NOW. -ENOBUFS: no more calls of this user may wait
 * (waiters_max, account_bytes_max). What ends the wait before has set nothing. */
GC_API int gc_topic_set(gc_client *g, const char *pattern, const char *settings, gc_until until);

/* Takes back all that was set of exactly this pattern. Waits as gc_topic_set. -ENOENT: nothing was. -EPERM, -EAGAIN, -ENOBUFS. */
GC_API int gc_topic_unset(gc_client *g, const char *pattern, gc_until until);

/* Forgets messages of a durable topic: those up to a sequence, or, with up_to 0, all but the last `keep`. How many went. They are
 * read no more at once; it waits until they are gone from the disk too, which takes a while where they are many, and goes on when
 * the call ends before. What is published meanwhile stays, and so does what waits for its time. Of a live topic whose last message
 * is remembered (`last=yes`) that one goes. -ENOENT: neither. -EINVAL: both are said. -EAGAIN: another purge of the same messages
 * came first. -ENOBUFS: too many calls wait. -EPERM. */
GC_API int64_t gc_topic_purge(gc_client *g, const char *topic, uint64_t up_to, uint64_t keep, gc_until until);

/* Forgets a durable topic with all its messages, also those that wait for their time, and tells how many these were; of a live one
 * as gc_topic_purge. Waits as that does. The next publish makes it anew. -ENOENT. -EAGAIN: messages are on their way to it, or came
 * while it was emptied, and are there. -ENOBUFS. -EPERM. */
GC_API int64_t gc_topic_remove(gc_client *g, const char *topic, gc_until until);

/* What is known of a topic; old news on arrival. */
struct gc_topic_info {
    const char *name;
    uint64_t subscriptions; /* live ones: of a topic all that match it, of a pattern those that named it */
    uint64_t published;     /* messages that matched, since somebody has subscribed */
    uint64_t delivered, dropped; /* by subscriptions of just this name */
    bool durable;                /* what follows is of durable topics */
    uint64_t first_sequence, last_sequence;
    uint64_t messages, bytes;       /* of a live one: 1 while its last message is remembered */
    int64_t last_us;                /* when the last message was published: wall clock, UTC; 0: never */
    const struct gc_stat *settings; /* by ORIGIN.NAME, as gc_queue_info has them */
    size_t settings_n;
    uint64_t delayed; /* messages that wait for their time */
};

/* One page of a list, in the order of names. Its strings live until it is cleared. */
struct gc_topic_page {
    struct gc_topic_info *items;
    size_t n;
    bool more; /* ask again with `after` = the last name */
    void *memory_;
};

/* The topics that this pattern matches (NULL: all), after the name `after` (NULL: from the first), at most `limit` (0: as many
 * as one answer holds): the durable ones, and of live topics those with a last message, and the names and patterns that somebody
 * has subscribed to. The number in the page. */
GC_API int gc_topics(gc_client *g, const char *pattern, const char *after, uint32_t limit,
                     struct gc_topic_page *out, gc_until until);

/* One topic or pattern, as a page with its one row. 0. -ENOENT: nothing of it is kept or set, and nobody has subscribed to it. */
GC_API int gc_topic_info(gc_client *g, const char *topic, struct gc_topic_page *out, gc_until until);
GC_API void gc_topic_page_clear(struct gc_topic_page *page);

/* ---- durable subscriptions ---- */

/*
 * One that gc_subscribe makes or joins by a name, `group`. The daemon keeps it, with where it is and what was acknowledged, also
 * while nobody is in it. Whoever has joined it gets a share of its messages, as many at a time as its capacity. A message
 * is done when its value is acknowledged: by the return of the call, or with GC_HOLD by gc_ack or a transaction. What is
 * given back, or not acknowledged in time, goes to whoever is free, with one more of gc_message.tries.
 */

/* What else can become of a message that is held. */
enum gc_settle {
    GC_SETTLE_RETRY = 1,  /* it comes again, not before the delay */
    GC_SETTLE_DEAD = 2,   /* it goes where the dead letters of the subscription go */
    GC_SETTLE_EXTEND = 3, /* the time to acknowledge it begins anew, as `ack_wait` or the delay say */
};

/* Settles n values (1..GC_VALUES_MAX) that were received from a durable subscription with GC_HOLD. How many of them were: what was
 * not in time is somebody else's by now. Each is to be acknowledged as before, in its turn; behind GC_SETTLE_RETRY and GC_SETTLE_DEAD
 * that changes nothing any more. -ENOENT: not a handle of this client. -EINVAL: a value is of no durable subscription, or the delay makes no
 * sense. */
GC_API int gc_settle(gc_client *g, gc_chan c, const struct gc_value *values, size_t n, enum gc_settle what,
                     int64_t delay_ns, gc_until until);

/* Sets values of a durable subscription: NAME=VALUE, a blank between two; NAME= takes one back. goclient_topic(3) lists them:
 * `ack_wait`, `tries`, `dead`, `window`, `ordered`, `paused`, and `from`, where it goes on, whatever was acknowledged. -ENOENT: there is no such subscription. -EINVAL: one makes no sense, gc_why says which. -EPERM. */
GC_API int gc_durable_set(gc_client *g, const char *name, const char *settings, gc_until until);

/* Forgets a durable subscription; those who are in it find it closed. -ENOENT. -EPERM. */
GC_API int gc_durable_remove(gc_client *g, const char *name, gc_until until);

/* What is known of a durable subscription; old news on arrival. */
struct gc_durable_info {
    const char *name, *pattern;
    uint64_t floor;       /* all messages up to this sequence are done */
    uint64_t next;        /* the first one that nobody was given yet */
    uint64_t outstanding; /* read from the log, and not acknowledged */
    uint64_t members;     /* subscriptions that share it */
    uint64_t waiting;     /* messages that it has not come to, about */
    uint64_t redelivered, dead;
    bool paused;
    const struct gc_stat *settings; /* by ORIGIN.NAME */
    size_t settings_n;
};

/* As struct gc_topic_page. */
struct gc_durable_page {
    struct gc_durable_info *items;
    size_t n;
    bool more;
    void *memory_;
};

/* The durable subscriptions whose names begin with `prefix` (NULL: all), after the name `after` (NULL: from the first), at most
 * `limit` (0: as many as one answer holds). The number in the page. Settings are told of one whose whole name is the
 * prefix. */
GC_API int gc_durables(gc_client *g, const char *prefix, const char *after, uint32_t limit,
                       struct gc_durable_page *out, gc_until until);
GC_API void gc_durable_page_clear(struct gc_durable_page *page);

#ifdef __cplusplus
}
#endif
