/*
 * Every limit on what somebody else can make grow: one row, one home.
 *
 * LIMIT(name, unit, default, help): a member of struct limits, a key of the configuration's section `limits`,
 * a line of the manual. A limit is inclusive: the value itself is still allowed.
 * Not called limits.h: the C library has a header of that name, and some of its headers include it.
 */
#pragma once

#include <stdint.h>

#define LIMITS(LIMIT)                                                                                        \
    LIMIT(sessions_max, "sessions", 10000, "living sessions of the daemon")                                  \
    LIMIT(sessions_per_account, "sessions", 5000, "living sessions of one user")                             \
    LIMIT(window_ops, "operations", 1024, "operations in flight and results not acknowledged, per session")  \
    LIMIT(window_bytes, "bytes", 64 << 20, "the same in bytes, per session")                                 \
    LIMIT(id_gaps_max, "gaps", 65536, "gaps in the used operation ids above the mark, per session")          \
    LIMIT(waiters_max, "operations", 2000000, "parked operations of one user")                               \
    LIMIT(channels_max, "channels", 200000, "channels of one user")                                          \
    LIMIT(contexts_max, "contexts", 100000, "contexts of one user")                                          \
    LIMIT(contexts_detached_max, "contexts", 10000, "those of them that belong to no session or job")        \
    LIMIT(context_detached_s, "seconds", 86400, "life of such a context that has no deadline")               \
    LIMIT(context_depth_max, "contexts", 100, "contexts above one another")                                  \
    LIMIT(context_bytes_max, "bytes", 4096, "names and values that one context binds")                       \
    LIMIT(locks_max, "objects", 100000, "named locks, semaphores and so on of one user")                     \
    LIMIT(holds_max, "holds", 200000, "objects that sessions of one user hold or wait for, locks aside")     \
    LIMIT(group_units_max, "units", 1 << 30, "units of one wait group")                                      \
    LIMIT(group_detached_s, "seconds", 86400, "detached units live untouched")                               \
    LIMIT(handles_per_session, "handles", 200000, "open handles of one session")                             \
    LIMIT(passed_max, "handles", 65536, "channels in values of one user that nobody has acknowledged (U6)")  \
    LIMIT(value_handles_max, "handles", 16, "channels that one value may carry (U6)")                        \
    LIMIT(channel_capacity_max, "values", 1 << 20, "capacity of one channel")                                \
    LIMIT(channel_bytes_max, "bytes", 256 << 20, "values charged to one channel")                            \
    LIMIT(durable_channels_max, "channels", 10000, "durable channels of one user")                           \
    LIMIT(durable_bytes_max, "bytes", 256 << 20, "values of one user in durable channels")                   \
    LIMIT(account_bytes_max, "bytes", 1 << 30, "values charged to one user, in all channels")                \
    LIMIT(value_bytes_default, "bytes", 1 << 20, "size of a value, where the channel says nothing (B5)")     \
    LIMIT(value_bytes_max, "bytes", 64 << 20, "size of a value a channel may allow (B5)")                    \
    LIMIT(frame_bytes_max, "bytes", 80 << 20, "one frame, in all its parts")                                 \
    LIMIT(frame_ops_max, "operations", 4096, "operations in one frame")                                      \
    LIMIT(jobs_waiting_max, "jobs", 2000000, "jobs of one user that have not ended")                         \
    LIMIT(argument_bytes_max, "bytes", 1 << 20, "argument of a job")                                         \
    LIMIT(arguments_kept_bytes, "bytes", 16 << 20, "arguments of ready jobs kept in memory")                 \
    LIMIT(result_bytes_max, "bytes", 1 << 20, "result of a job")                                             \
    LIMIT(output_bytes_max, "bytes", 4 << 20, "kept output of a job")                                        \
    LIMIT(text_bytes_max, "bytes", 16384, "cause, message or progress text")                                 \
    LIMIT(attempts_max, "attempts", 1000, "attempts a submit may ask for")                                   \
    LIMIT(retry_delays_max, "delays", 32, "delays between attempts that a submit may list")                  \
    LIMIT(crashes_max, "crashes", 3, "crashes of one job, at most its attempts, and it is quarantined")      \
    LIMIT(schedules_max, "schedules", 1000, "schedules of one user")                                         \
    LIMIT(schedule_bytes_max, "bytes", 65536, "argument of what a schedule submits")                         \
    LIMIT(schedule_missed_max, "runs", 100, "missed runs of a schedule made up for at once")                 \
    LIMIT(schedule_late_s, "seconds", 60, "after which a moment of a schedule counts as missed")             \
    LIMIT(retained_jobs_max, "jobs", 100000, "ended jobs kept with their results, dead ones aside")          \
    LIMIT(retained_s, "seconds", 86400, "time for which they are kept")                                      \
    LIMIT(dead_jobs_max, "jobs", 100000, "dead jobs kept")                                                   \
    LIMIT(dead_s, "seconds", 2592000, "time for which dead jobs are kept")                                   \
    LIMIT(volatile_bytes_max, "bytes", 256 << 20, "waiting_bytes of a queue with durability none")           \
    LIMIT(volatile_jobs_max, "jobs", 1000, "retained_jobs and dead_jobs of such a queue")                    \
    LIMIT(once_kept_max, "jobs", 100000, "ended jobs kept longer, for the time of their key")                \
    LIMIT(breakers_max, "functions", 1000, "whose failures the circuit breakers of one queue remember")      \
    LIMIT(after_max, "jobs", 64, "jobs that one job may come after")                                         \
    LIMIT(bulk_jobs_max, "jobs", 10000, "jobs of one submit of many")                                        \
    LIMIT(bulk_bytes_max, "bytes", 16 << 20, "their arguments together")                                     \
    LIMIT(revive_max, "jobs", 256, "ended jobs that one operation retries or purges")                        \
    LIMIT(queues_max, "queues", 1000, "queues; those that are configured or kept are there above it")        \
    LIMIT(queues_removed_max, "queues", 1000, "removed ones that ended jobs or workers still name")          \
    LIMIT(queue_concurrency, "jobs", 64, "jobs of the default queue that run at once")                       \
    LIMIT(work_lease_ms, "milliseconds", 60000, "a worker has a job without a word, if it asks for no time") \
    LIMIT(work_lease_max_ms, "milliseconds", 86400000, "what it may ask for")                                \
    LIMIT(host_window, "offers", 64, "offers under way to one host")                                         \
    LIMIT(host_restart_ms, "milliseconds", 100, "first delay before a host is started again; doubles")       \
    LIMIT(host_restart_max_ms, "milliseconds", 30000, "its bound")                                           \
    LIMIT(host_start_ms, "milliseconds", 10000, "for a host to take its first job, and each offer")          \
    LIMIT(grace_ms, "milliseconds", 5000, "between a job's cancel and the end of its host")                  \
    LIMIT(unwind_ms, "milliseconds", 1000, "after the grace, for a run to unwind before its host goes")      \
    LIMIT(drain_ms, "milliseconds", 10000, "for a drained host or daemon to finish its jobs")                \
    LIMIT(pools_max, "pools", 256, "pools of hosts")                                                         \
    LIMIT(pool_hosts_max, "hosts", 1000, "of one pool and plugin, with those that are being drained")        \
    LIMIT(plugins_max, "plugins", 1024, "plugin files known at once")                                        \
    LIMIT(list_page_max, "rows", 1000, "rows in one answer of a list")                                       \
    LIMIT(inspect_max, "objects", 200000, "operations, handles and channels that a report looks at")         \
    LIMIT(dump_bytes_max, "bytes", 4 << 20, "one answer of a host about its goroutines or a job")            \
    LIMIT(inspections_max, "questions", 16, "such questions under way to one host")                          \
    LIMIT(recording_s, "seconds", 600, "a profile or a trace of a host goes on at most")                     \
    LIMIT(subscriptions_max, "subscriptions", 200000, "subscriptions of one user")                           \
    LIMIT(topics_max, "topics", 10000, "kept topics of one user")                                            \
    LIMIT(groups_max, "groups", 10000, "groups of one user")                                                 \
    LIMIT(group_window_max, "messages", 65536, "of one group that are not acknowledged")                     \
    LIMIT(delayed_max, "messages", 100000, "of one user that are to be published later")                     \
    LIMIT(delayed_bytes_max, "bytes", 256 << 20, "these together")                                           \
    LIMIT(feeds_max, "feeds", 1000, "feeds of one user")                                                     \
    LIMIT(feed_ahead_max, "jobs", 1000000, "may wait in a queue while a feed makes more")                    \
    LIMIT(topic_rules_max, "rules", 1000, "rules of topics that are set while the daemon runs")              \
    LIMIT(topic_cache_bytes, "bytes", 64 << 20, "messages of kept topics that are in memory to be read")     \
    LIMIT(dedup_max, "ids", 1000000, "ids of messages taken once that are remembered, of all topics")        \
    LIMIT(message_once_bytes, "bytes", 128, "id of such a message, at most 255")                             \
    LIMIT(message_headers_max, "headers", 32, "headers of one message of a topic")                           \
    LIMIT(message_header_bytes, "bytes", 4096, "names and values of them together")                          \
    LIMIT(lasts_max, "messages", 200000, "last messages of live topics of one user that are remembered")     \
    LIMIT(last_bytes_max, "bytes", 256 << 20, "memory that these take")                                      \
    LIMIT(topic_block_ms, "milliseconds", 60000, "a full subscription may make a publish wait")              \
    LIMIT(sweep_per_turn, "operations", 4096, "operations resolved, and messages delivered, in one turn")    \
    LIMIT(op_status_s, "seconds", 60, "time for which ended sessions are remembered")                        \
    LIMIT(lease_ms, "milliseconds", 10000, "silence that ends a session on tcp")

struct limits {
#define LIMIT_MEMBER(name, unit, value, help) uint64_t name;
    LIMITS(LIMIT_MEMBER)
#undef LIMIT_MEMBER
};

#define LIMIT_DEFAULT(name, unit, value, help) .name = (value),
#define LIMITS_DEFAULT                                                                                       \
    {                                                                                                        \
        LIMITS(LIMIT_DEFAULT)                                                                                \
    }
