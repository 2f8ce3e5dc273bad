/*
 * The verb table: one row per operation a client can ask for.
 *
 * VERB(NAME, name, number, flags, help)
 *   NAME    enum constant VERB_NAME
 *   name    handler `handle_name` of the core, member `name` of struct request, field `name` of the schema
 *   number  field number in `message Op` of goroutined.proto; never reused
 *   flags   see below
 *   help    one line, for a person
 *
 * The rows feed the enum, the core's dispatch, the decoder, `goctl help` and the check of PROTOCOL.md.
 * To add a verb: add the row here, the message and field in goroutined.proto, the member in message.h,
 * the handler in daemon/core, its paragraph in PROTOCOL.md.
 */
#pragma once

enum verb_flags {
    VERB_PLAIN = 0,
    VERB_HOST = 1 << 0,     /* only a session of a host may ask */
    VERB_FREE = 1 << 1,     /* never waits for credit: it gives something back (IP6.2) */
    VERB_STORED = 1 << 2,   /* its result leaves only when its batch is durable */
    VERB_STANDING = 1 << 3, /* a numbered stream of results instead of one */
    VERB_PARKS = 1 << 4,    /* may wait in the daemon */
    VERB_TEST = 1 << 5,     /* only under --test-clock */
    VERB_WORKER = 1 << 6,   /* with VERB_HOST: or a worker, about jobs it has reserved */
};

#define VERBS(VERB)                                                                                          \
    VERB(CHAN_OPEN, chan_open, 16, VERB_PLAIN, "open or make a channel; gives a handle")                     \
    VERB(CHAN_DROP, chan_drop, 17, VERB_FREE, "give a handle back")                                          \
    VERB(CHAN_UNLINK, chan_unlink, 18, VERB_PLAIN, "take the name off a channel")                            \
    VERB(SEND, send, 19, VERB_PARKS, "send 1 to 1024 values on a channel")                                   \
    VERB(RECV, recv, 20, VERB_PARKS, "receive up to 1024 values from a channel")                             \
    VERB(CLOSE, close, 21, VERB_FREE, "close a channel")                                                     \
    VERB(SELECT, select, 22, VERB_PARKS, "the first of many sends and receives that can proceed")            \
    VERB(CHAN_INFO, chan_info, 23, VERB_PLAIN, "length, capacity and waiters of one channel")                \
    VERB(CHAN_LIST, chan_list, 24, VERB_PLAIN, "the named channels")                                         \
    VERB(SUBMIT, submit, 32, VERB_STORED | VERB_PARKS, "submit a function of a plugin as a durable job")     \
    VERB(JOB_WAIT, job_wait, 33, VERB_PARKS, "wait for a job to end; gives its result")                      \
    VERB(JOB_INFO, job_info, 34, VERB_PLAIN, "what is known of one job")                                     \
    VERB(JOB_LIST, job_list, 35, VERB_PLAIN, "the jobs, by state and queue")                                 \
    VERB(JOB_CANCEL, job_cancel, 36, VERB_STORED, "cancel a job")                                            \
    VERB(JOB_OUTPUT, job_output, 37, VERB_PLAIN, "the kept output of a job")                                 \
    VERB(OP_STATUS, op_status, 38, VERB_PLAIN, "what became of an operation of an ended session")            \
    VERB(JOB_RETRY, job_retry, 39, VERB_STORED, "let dead or failed jobs run again")                         \
    VERB(JOB_PURGE, job_purge, 40, VERB_STORED, "forget ended jobs")                                         \
    VERB(PING, ping, 48, VERB_PLAIN, "an answer from the core")                                              \
    VERB(STATS, stats, 49, VERB_PLAIN, "counters of the daemon")                                             \
    VERB(CLOCK_ADVANCE, clock_advance, 50, VERB_TEST, "move the test clock forward")                         \
    VERB(DUMP, dump, 51, VERB_PLAIN, "the operations that wait: whose, for what, how long")                  \
    VERB(DEADLOCKS, deadlocks, 52, VERB_PLAIN, "the waits that provably never end")                          \
    VERB(LEAKS, leaks, 53, VERB_PLAIN, "waits and objects that nobody else knows of")                        \
    VERB(CALLERS, callers, 54, VERB_PLAIN, "how many of this session can act: proofs rest on it")            \
    VERB(GOROUTINES, goroutines, 55, VERB_PARKS, "the goroutines of a host, with their stacks")              \
    VERB(DUMPED, dumped, 56, VERB_HOST | VERB_FREE, "a piece of what a host tells of its goroutines")        \
    VERB(INSPECT, inspect, 57, VERB_PARKS, "a profile, a trace or figures of a job or a host")               \
    VERB(DRAIN, drain, 58, VERB_PARKS, "start and take no job; until none runs")                             \
    VERB(RESERVE, reserve, 64, VERB_HOST | VERB_STANDING, "take jobs of one plugin generation")              \
    VERB(STARTED, started, 65, VERB_HOST | VERB_FREE, "an offered job has begun")                            \
    VERB(DONE, done, 66, VERB_HOST | VERB_WORKER | VERB_FREE | VERB_STORED, "a job has ended")               \
    VERB(PRINT, print, 67, VERB_HOST | VERB_WORKER | VERB_FREE, "append to the kept output of a job")        \
    VERB(PROGRESS, progress, 68, VERB_HOST | VERB_WORKER | VERB_FREE, "how far a job is")                    \
    VERB(LOCK, lock, 80, VERB_PARKS, "take a named lock; gives its fencing token")                           \
    VERB(UNLOCK, unlock, 81, VERB_FREE, "give a named lock back")                                            \
    VERB(SYNC_TAKE, sync_take, 82, VERB_PARKS, "take something of a named sync object")                      \
    VERB(SYNC_GIVE, sync_give, 83, VERB_FREE, "give something of a named sync object back")                  \
    VERB(SYNC_ADD, sync_add, 84, VERB_PLAIN, "add to a named wait group or counter")                         \
    VERB(SYNC_WAIT, sync_wait, 85, VERB_PARKS, "wait for a named wait group, counter, barrier or group")     \
    VERB(SYNC_RESET, sync_reset, 86, VERB_PLAIN, "let a named sync object begin anew")                       \
    VERB(COND_WAIT, cond_wait, 87, VERB_PARKS, "give a lock up, wait for a signal, take it again")           \
    VERB(COND_SIGNAL, cond_signal, 88, VERB_FREE, "wake who waits for a named condition")                    \
    VERB(CTX_NEW, ctx_new, 96, VERB_PLAIN, "make a context, alone or below another")                         \
    VERB(CTX_CANCEL, ctx_cancel, 97, VERB_FREE, "end a context and all below it")                            \
    VERB(CTX_DROP, ctx_drop, 98, VERB_FREE, "end a context and forget it")                                   \
    VERB(CTX_INFO, ctx_info, 99, VERB_PLAIN, "what is known of one context, and one of its values")          \
    VERB(CTX_WATCH, ctx_watch, 100, VERB_PARKS, "wait for a context to end")                                 \
    VERB(CTX_LIST, ctx_list, 101, VERB_PLAIN, "the named contexts")                                          \
    VERB(QUEUE_SET, queue_set, 120, VERB_STORED, "make a queue, or set what it may do")                      \
    VERB(QUEUE_INFO, queue_info, 121, VERB_PLAIN, "what is set of a queue and by whom, and what waits")      \
    VERB(QUEUE_LIST, queue_list, 122, VERB_PLAIN, "the queues")                                              \
    VERB(QUEUE_PAUSE, queue_pause, 123, VERB_STORED, "start no job of a queue, for a time or until told")    \
    VERB(QUEUE_PURGE, queue_purge, 124, VERB_STORED | VERB_PARKS, "cancel all jobs that wait in a queue")    \
    VERB(SUBMIT_MANY, submit_many, 125, VERB_STORED | VERB_PARKS, "submit many jobs, all or none")           \
    VERB(QUEUE_REMOVE, queue_remove, 126, VERB_STORED, "forget a queue that has no jobs")                    \
    VERB(SCHEDULE_SET, schedule_set, 128, VERB_STORED | VERB_PARKS, "submit a job again and again")          \
    VERB(SCHEDULE_REMOVE, schedule_remove, 129, VERB_STORED, "forget a schedule; its jobs stay")             \
    VERB(SCHEDULE_PAUSE, schedule_pause, 130, VERB_STORED, "hold a schedule, or let it go on")               \
    VERB(SCHEDULE_LIST, schedule_list, 131, VERB_PLAIN, "the schedules, when they ran and run next")         \
    VERB(WORK_RESERVE, work_reserve, 132, VERB_PARKS, "take jobs that no plugin has, as a worker")           \
    VERB(WORK_EXTEND, work_extend, 133, VERB_FREE, "have a reserved job for another lease")                  \
    VERB(WORK_WATCH, work_watch, 134, VERB_PARKS, "until a reserved job is to be ended")                     \
    VERB(POOL_SET, pool_set, 135, VERB_STORED, "make a pool of hosts, or set what it may do")                \
    VERB(POOL_REMOVE, pool_remove, 136, VERB_STORED, "give the jobs of a pool to the hosts of no pool")      \
    VERB(POOL_INFO, pool_info, 137, VERB_PLAIN, "what is set of a pool and by whom, its hosts and jobs")     \
    VERB(POOL_LIST, pool_list, 138, VERB_PLAIN, "the pools")                                                 \
    VERB(POOL_DRAIN, pool_drain, 139, VERB_STORED | VERB_PARKS, "start no job of a pool; until none runs")   \
    VERB(TRANSACT, transact, 140, VERB_STORED | VERB_PARKS,                                                  \
         "end a job, submit, send and acknowledge, all or nothing")                                          \
    VERB(BACKUP, backup, 144, VERB_PLAIN, "write a copy of what is on disk")                                 \
    VERB(PUBLISH, publish, 148, VERB_PARKS, "publish 1 to 1024 messages on a topic")                         \
    VERB(SUBSCRIBE, subscribe, 149, VERB_PARKS, "receive what is published; gives a handle")                 \
    VERB(TOPIC_CLOSE, topic_close, 150, VERB_PLAIN, "close the subscriptions of a topic or pattern")         \
    VERB(TOPIC_LIST, topic_list, 151, VERB_PLAIN, "the topics that have subscriptions")                      \
    VERB(TOPIC_INFO, topic_info, 152, VERB_PLAIN, "subscriptions and messages of one topic")                 \
    VERB(TOPIC_SET, topic_set, 153, VERB_STORED | VERB_PARKS,                                                \
         "set what counts for topics that match a pattern")                                                  \
    VERB(TOPIC_PURGE, topic_purge, 154, VERB_STORED | VERB_PARKS, "forget messages of a kept topic")         \
    VERB(TOPIC_REMOVE, topic_remove, 155, VERB_STORED | VERB_PARKS, "forget a kept topic")                   \
    VERB(SETTLE, settle, 156, VERB_STORED, "messages of a group: again later, dead, or more time")           \
    VERB(GROUP_SET, group_set, 157, VERB_STORED, "set what a group does, and where it goes on")              \
    VERB(GROUP_LIST, group_list, 158, VERB_PLAIN, "groups, and how far they are")                            \
    VERB(GROUP_REMOVE, group_remove, 159, VERB_STORED, "forget a group")                                     \
    VERB(FEED_SET, feed_set, 160, VERB_STORED | VERB_PARKS, "make jobs of the messages of topics")           \
    VERB(FEED_REMOVE, feed_remove, 161, VERB_STORED, "forget a feed; its jobs stay")                         \
    VERB(FEED_LIST, feed_list, 162, VERB_PLAIN, "feeds, how far they are and what they wait for")

enum verb {
    VERB_NONE = 0,
#define VERB_ENUM(NAME, name, number, flags, help) VERB_##NAME = number,
    VERBS(VERB_ENUM)
#undef VERB_ENUM
        VERB_NUMBER_END = 176
};
