/* What each command does: one function a row of the table, in the file of its family. Each gives an exit
 * status and has told the reason of a failure on standard error. */
#pragma once

struct options;

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

/* submit.c, end.c, jobs.c */
int command_submit(const struct options *options);
int command_wait(const struct options *options);
int command_jobs(const struct options *options);
int command_job(const struct options *options);
int command_logs(const struct options *options);
int command_cancel(const struct options *options);

/* context.c */
int command_ctx(const struct options *options);

/* lock.c */
int command_lock(const struct options *options);
int command_sem(const struct options *options);

/* agree.c */
int command_wg(const struct options *options);
int command_once(const struct options *options);
int command_limit(const struct options *options);

/* inspect.c, reports.c */
int command_dump(const struct options *options);
int command_deadlocks(const struct options *options);
int command_leaks(const struct options *options);

/* examples.c */
int command_examples(const struct options *options);

/* service.c */
int command_ping(const struct options *options);
int command_stats(const struct options *options);
int command_version(const struct options *options);
int command_help(const struct options *options);
int command_completion(const struct options *options);
