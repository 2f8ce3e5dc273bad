/*
 * Who may do what: rows of identity, groups of verbs, and the prefix of the names they may be used on.
 *
 * A row lets, none forbids. Root and the daemon's own user may do everything, and without a table everybody may. What has
 * no name needs no right: anonymous channels and contexts, and whatever is done through a handle, which only somebody
 * with the right could open, or had from such a one in a value (U6). Nor does what gives back what one holds: UNLOCK, and
 * SYNC_GIVE of no more than its scope has. Of more it does, as detached units of a wait group are settled by anybody. A request that is about no name (STATS, a job by its number) needs its group for any name.
 * Pure: a table and a request in, yes or no out.
 */
#pragma once

#include "identity.h"

/* RIGHT(NAME, word, help): a group of verbs, and its word in the file. The first three are in the order of enum right. */
#define RIGHT_GROUPS(RIGHT)                                                                                  \
    RIGHT(SEND, send, "open a channel to send")                                                              \
    RIGHT(RECV, recv, "open a channel to receive")                                                           \
    RIGHT(CLOSE, close, "open a channel to close it")                                                        \
    RIGHT(MAKE, make, "make a channel, take its name off")                                                   \
    RIGHT(LOCK, lock, "locks, semaphores and every other sync object")                                       \
    RIGHT(CONTEXT, context, "make, end, watch a context")                                                    \
    RIGHT(SUBMIT, submit, "submit, wait for, cancel jobs: by queue and by PATH:FUNCTION")                    \
    RIGHT(WORK, work, "take the jobs of a queue as a worker, whoever submitted them")                        \
    RIGHT(SCHEDULE, schedule, "set, hold, remove, list schedules; what they submit needs submit")            \
    RIGHT(PUBLISH, publish, "publish on a topic, close its subscriptions")                                   \
    RIGHT(SUBSCRIBE, subscribe, "subscribe to a pattern, by what all topics begin with that it matches")     \
    RIGHT(TOPIC, topic, "settings of topics and groups, by what the names begin with")                       \
    RIGHT(INSPECT, inspect, "lists, counters, who waits for what")                                           \
    RIGHT(ADMIN, admin, "what only tests and the administrator need")

enum right_place {
#define RIGHT_PLACE(NAME, word, help) RIGHT_PLACE_##NAME,
    RIGHT_GROUPS(RIGHT_PLACE)
#undef RIGHT_PLACE
        RIGHT_PLACES
};

enum right_group {
#define RIGHT_ENUM(NAME, word, help) GROUP_##NAME = 1 << RIGHT_PLACE_##NAME,
    RIGHT_GROUPS(RIGHT_ENUM)
#undef RIGHT_ENUM
        GROUPS_ALL = (1 << RIGHT_PLACES) - 1,
};

/*
 * What each verb needs. VERB_RIGHT(NAME, group, kind, member):
 *   FREE      nothing
 *   ANYWHERE  the group, for any name
 *   NAMED     the group, for the name in this member of the request; of a list, for its prefix
 *   BY_NAME   the same, when the name is not empty: else it comes by a handle or number of its own
 *   PATTERN   the group, for what every topic begins with that the pattern in this member matches
 *   SPECIAL   rights.c says what
 */
#define VERB_RIGHTS(VERB_RIGHT)                                                                              \
    VERB_RIGHT(CHAN_OPEN, SEND, SPECIAL, chan_open.name)                                                     \
    VERB_RIGHT(CHAN_DROP, SEND, FREE, id)                                                                    \
    VERB_RIGHT(CHAN_UNLINK, MAKE, NAMED, chan_unlink.name)                                                   \
    VERB_RIGHT(SEND, SEND, FREE, id)                                                                         \
    VERB_RIGHT(RECV, RECV, FREE, id)                                                                         \
    VERB_RIGHT(CLOSE, CLOSE, FREE, id)                                                                       \
    VERB_RIGHT(SELECT, SEND, FREE, id)                                                                       \
    VERB_RIGHT(CHAN_INFO, INSPECT, BY_NAME, chan_info.name)                                                  \
    VERB_RIGHT(CHAN_LIST, INSPECT, NAMED, chan_list.prefix)                                                  \
    VERB_RIGHT(SUBMIT, SUBMIT, SPECIAL, submit.queue)                                                        \
    VERB_RIGHT(TRANSACT, SUBMIT, FREE, id)                                                                   \
    VERB_RIGHT(SUBMIT_MANY, SUBMIT, ANYWHERE, id)                                                            \
    VERB_RIGHT(JOB_WAIT, SUBMIT, ANYWHERE, id)                                                               \
    VERB_RIGHT(JOB_INFO, SUBMIT, ANYWHERE, id)                                                               \
    VERB_RIGHT(JOB_LIST, SUBMIT, ANYWHERE, id)                                                               \
    VERB_RIGHT(JOB_CANCEL, SUBMIT, ANYWHERE, id)                                                             \
    VERB_RIGHT(JOB_OUTPUT, SUBMIT, ANYWHERE, id)                                                             \
    VERB_RIGHT(JOB_RETRY, SUBMIT, ANYWHERE, id)                                                              \
    VERB_RIGHT(JOB_PURGE, SUBMIT, ANYWHERE, id)                                                              \
    VERB_RIGHT(OP_STATUS, INSPECT, FREE, id)                                                                 \
    VERB_RIGHT(PING, INSPECT, FREE, id)                                                                      \
    VERB_RIGHT(STATS, INSPECT, ANYWHERE, id)                                                                 \
    VERB_RIGHT(CLOCK_ADVANCE, ADMIN, ANYWHERE, id)                                                           \
    VERB_RIGHT(DUMP, INSPECT, ANYWHERE, id)                                                                  \
    VERB_RIGHT(DEADLOCKS, INSPECT, ANYWHERE, id)                                                             \
    VERB_RIGHT(LEAKS, INSPECT, ANYWHERE, id)                                                                 \
    VERB_RIGHT(CALLERS, INSPECT, FREE, id)                                                                   \
    VERB_RIGHT(GOROUTINES, ADMIN, ANYWHERE, id)                                                              \
    VERB_RIGHT(INSPECT, INSPECT, ANYWHERE, id)                                                               \
    VERB_RIGHT(DRAIN, ADMIN, ANYWHERE, id)                                                                   \
    VERB_RIGHT(DUMPED, ADMIN, FREE, id)                                                                      \
    VERB_RIGHT(RESERVE, ADMIN, FREE, id)                                                                     \
    VERB_RIGHT(STARTED, ADMIN, FREE, id)                                                                     \
    VERB_RIGHT(DONE, ADMIN, FREE, id)                                                                        \
    VERB_RIGHT(PRINT, ADMIN, FREE, id)                                                                       \
    VERB_RIGHT(PROGRESS, ADMIN, FREE, id)                                                                    \
    VERB_RIGHT(LOCK, LOCK, NAMED, lock.name)                                                                 \
    VERB_RIGHT(UNLOCK, LOCK, FREE, id)                                                                       \
    VERB_RIGHT(SYNC_TAKE, LOCK, NAMED, sync_take.name)                                                       \
    VERB_RIGHT(SYNC_GIVE, LOCK, SPECIAL, sync_give.name)                                                     \
    VERB_RIGHT(SYNC_ADD, LOCK, NAMED, sync_add.name)                                                         \
    VERB_RIGHT(SYNC_WAIT, LOCK, NAMED, sync_wait.name)                                                       \
    VERB_RIGHT(SYNC_RESET, LOCK, NAMED, sync_reset.name)                                                     \
    VERB_RIGHT(COND_WAIT, LOCK, SPECIAL, cond_wait.name)                                                     \
    VERB_RIGHT(COND_SIGNAL, LOCK, NAMED, cond_signal.name)                                                   \
    VERB_RIGHT(CTX_NEW, CONTEXT, SPECIAL, ctx_new.name)                                                      \
    VERB_RIGHT(CTX_CANCEL, CONTEXT, BY_NAME, ctx_cancel.name)                                                \
    VERB_RIGHT(CTX_DROP, CONTEXT, BY_NAME, ctx_drop.name)                                                    \
    VERB_RIGHT(CTX_INFO, CONTEXT, BY_NAME, ctx_info.name)                                                    \
    VERB_RIGHT(CTX_WATCH, CONTEXT, BY_NAME, ctx_watch.name)                                                  \
    VERB_RIGHT(CTX_LIST, INSPECT, NAMED, ctx_list.prefix)                                                    \
    VERB_RIGHT(QUEUE_SET, ADMIN, NAMED, queue_set.name)                                                      \
    VERB_RIGHT(QUEUE_INFO, INSPECT, NAMED, queue_info.name)                                                  \
    VERB_RIGHT(QUEUE_LIST, INSPECT, NAMED, queue_list.prefix)                                                \
    VERB_RIGHT(QUEUE_PAUSE, ADMIN, NAMED, queue_pause.name)                                                  \
    VERB_RIGHT(QUEUE_PURGE, ADMIN, NAMED, queue_purge.name)                                                  \
    VERB_RIGHT(QUEUE_REMOVE, ADMIN, NAMED, queue_remove.name)                                                \
    VERB_RIGHT(SCHEDULE_SET, SCHEDULE, SPECIAL, schedule_set.name)                                           \
    VERB_RIGHT(SCHEDULE_REMOVE, SCHEDULE, NAMED, schedule_remove.name)                                       \
    VERB_RIGHT(SCHEDULE_PAUSE, SCHEDULE, NAMED, schedule_pause.name)                                         \
    VERB_RIGHT(SCHEDULE_LIST, SCHEDULE, NAMED, schedule_list.prefix)                                         \
    VERB_RIGHT(WORK_RESERVE, WORK, SPECIAL, work_reserve.queues)                                             \
    VERB_RIGHT(WORK_EXTEND, WORK, FREE, id)                                                                  \
    VERB_RIGHT(WORK_WATCH, WORK, FREE, id)                                                                   \
    VERB_RIGHT(POOL_SET, ADMIN, NAMED, pool_set.name)                                                        \
    VERB_RIGHT(POOL_REMOVE, ADMIN, NAMED, pool_remove.name)                                                  \
    VERB_RIGHT(POOL_INFO, INSPECT, NAMED, pool_info.name)                                                    \
    VERB_RIGHT(POOL_LIST, INSPECT, NAMED, pool_list.prefix)                                                  \
    VERB_RIGHT(POOL_DRAIN, ADMIN, NAMED, pool_drain.name)                                                    \
    VERB_RIGHT(BACKUP, ADMIN, ANYWHERE, id)                                                                  \
    VERB_RIGHT(PUBLISH, PUBLISH, NAMED, publish.topic)                                                       \
    VERB_RIGHT(SUBSCRIBE, SUBSCRIBE, SPECIAL, subscribe.pattern)                                             \
    VERB_RIGHT(TOPIC_CLOSE, PUBLISH, PATTERN, topic_close.topic)                                             \
    VERB_RIGHT(TOPIC_LIST, INSPECT, PATTERN, topic_list.pattern)                                             \
    VERB_RIGHT(TOPIC_INFO, INSPECT, PATTERN, topic_info.topic)                                               \
    VERB_RIGHT(TOPIC_SET, TOPIC, PATTERN, topic_set.pattern)                                                 \
    VERB_RIGHT(TOPIC_PURGE, TOPIC, NAMED, topic_purge.topic)                                                 \
    VERB_RIGHT(TOPIC_REMOVE, TOPIC, NAMED, topic_remove.topic)                                               \
    VERB_RIGHT(SETTLE, SUBSCRIBE, FREE, id)                                                                  \
    VERB_RIGHT(GROUP_SET, TOPIC, SPECIAL, group_set.group)                                                   \
    VERB_RIGHT(GROUP_LIST, INSPECT, NAMED, group_list.prefix)                                                \
    VERB_RIGHT(GROUP_REMOVE, TOPIC, NAMED, group_remove.group)                                               \
    VERB_RIGHT(FEED_SET, SUBSCRIBE, SPECIAL, feed_set.name)                                                  \
    VERB_RIGHT(FEED_REMOVE, SUBMIT, ANYWHERE, id)                                                            \
    VERB_RIGHT(FEED_LIST, SUBMIT, ANYWHERE, id)

enum { RIGHT_ROWS_MAX = 4096 };

struct right_row {
    bool anybody;        /* `*` */
    uint32_t account;    /* else */
    uint32_t groups;     /* enum right_group */
    struct bytes prefix; /* empty: every name */
};

struct rights {
    struct right_row *rows;
    size_t n;
};

/* One thing that a request needs: one of these groups, for a name. */
struct right_want {
    uint32_t groups;         /* enum right_group; any of them will do */
    struct bytes name, rest; /* rest: what follows the name and a `:`; empty: nothing does */
    bool anywhere;           /* for any name */
};

enum { RIGHT_WANTS_MAX = WORK_QUEUES_MAX };

/* What a request needs, into `wants` (RIGHT_WANTS_MAX); how many. `there`: the channel that a CHAN_OPEN names exists, or
 * the feed that a FEED_SET names; what a SYNC_GIVE gives back its scope has. */
size_t rights_wanted(const struct request *request, bool there, struct right_want *wants);

/* What submitting this needs, into `wants` (room for two); how many. An empty queue is `default`. */
size_t rights_of_submit(struct bytes queue, struct bytes plugin, struct bytes function,
                        struct right_want *wants);

/* Whether a row lets this account. Without a table everybody may. */
bool rights_let(const struct rights *rights, uint32_t account, const struct right_want *want);

/* Of what `asked` for (enum right; 0: all), what this account may have of a channel of that name. */
uint32_t rights_of_channel(const struct rights *rights, uint32_t account, struct bytes name, uint32_t asked);

/* The words of these groups, as "send or recv", into `to`. Returns the bytes written. */
size_t rights_words(uint32_t groups, char *to, size_t size);

/* The group of that word; GROUPS_ALL for "all"; 0: there is none. */
uint32_t rights_group(const char *word, size_t size);
