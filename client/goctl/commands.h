/* What each command does: one function a row of the table, in the file of its family. Each gives an exit
 * status and has told the reason of a failure on standard error. */
#pragma once

#include "options.h"

/*
 * What `goctl` can be asked, with every help and example: the rows of each family, in a file commands_*.c; the options are in
 * option_rows.c. A row without a name ends each. To add a command: its row there, its function in the file of its family,
 * its paragraph in goctl.1 (a test compares the two).
 */
extern const struct command channel_commands[], topic_commands[], job_commands[], sync_commands[],
    daemon_commands[];

#define EXAMPLES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* channels.c */
int command_make(const struct options *options);
int command_close(const struct options *options);
int command_rm(const struct options *options);
int command_ls(const struct options *options);
int command_info(const struct options *options);

/* values.c, select.c */
int command_send(const struct options *options);
int command_recv(const struct options *options);
int command_range(const struct options *options);
int command_select(const struct options *options);

/* pub.c, sub.c, topic.c, durable.c, feed.c */
int command_durable(const struct options *options);
int command_feed(const struct options *options);
int command_pub(const struct options *options);
int command_sub(const struct options *options);
int command_topic(const struct options *options);

/* submit.c, end.c, jobs.c */
int command_submit(const struct options *options);
int command_wait(const struct options *options);
int command_jobs(const struct options *options);
int command_job(const struct options *options);
int command_logs(const struct options *options);
int command_cancel(const struct options *options);

/* cron.c */
int command_cron(const struct options *options);

/* work.c */
int command_work(const struct options *options);

/* dead.c */
int command_dead(const struct options *options);

/* context.c */
int command_ctx(const struct options *options);

/* pool.c */
int command_pool(const struct options *options);

/* queue.c */
int command_queue(const struct options *options);

/* lock.c, cond.c */
int command_lock(const struct options *options);
int command_rwlock(const struct options *options);
int command_sem(const struct options *options);
int command_cond(const struct options *options);

/* count.c */
int command_wg(const struct options *options);
int command_counter(const struct options *options);
int command_barrier(const struct options *options);

/* agree.c, flight.c */
int command_once(const struct options *options);
int command_flight(const struct options *options);
int command_limit(const struct options *options);
int command_breaker(const struct options *options);
int command_errgroup(const struct options *options);

/* inspect.c, reports.c */
int command_dump(const struct options *options);
int command_deadlocks(const struct options *options);
int command_leaks(const struct options *options);

/* observe.c, profile.c */
int command_stacks(const struct options *options);
int command_procs(const struct options *options);
int command_monitor(const struct options *options);
int command_metrics(const struct options *options);
int command_profile(const struct options *options);
int command_trace(const struct options *options);

/* keygen.c */
int command_keygen(const struct options *options);
/* backup.c, drain.c, health.c */
int command_backup(const struct options *options);
int command_drain(const struct options *options);
int command_health(const struct options *options);

/* examples.c */
int command_examples(const struct options *options);

/* service.c */
int command_ping(const struct options *options);
int command_advance(const struct options *options);
int command_stats(const struct options *options);
int command_version(const struct options *options);
int command_help(const struct options *options);
int command_completion(const struct options *options);
