/* The options of each command, for the table of commands. */
#pragma once

#include "options.h"

extern const struct option_row make_rows[];
extern const struct option_row cron_rows[];
extern const struct option_row dead_rows[];
extern const struct option_row send_rows[];
extern const struct option_row recv_rows[];
extern const struct option_row range_rows[];
extern const struct option_row pub_rows[];
extern const struct option_row sub_rows[];
extern const struct option_row topic_rows[];
extern const struct option_row wait_rows[];
extern const struct option_row ctx_rows[];
extern const struct option_row keygen_rows[];
extern const struct option_row select_rows[];
extern const struct option_row feed_rows[];
extern const struct option_row ls_rows[];
extern const struct option_row submit_rows[];
extern const struct option_row work_rows[];
extern const struct option_row jobs_rows[];
extern const struct option_row logs_rows[];
extern const struct option_row cancel_rows[];
extern const struct option_row lock_rows[];
extern const struct option_row sem_rows[];
extern const struct option_row cond_rows[];
extern const struct option_row wait_for_rows[];
extern const struct option_row once_rows[];
extern const struct option_row limit_rows[];
extern const struct option_row flight_rows[];
extern const struct option_row errgroup_rows[];
extern const struct option_row breaker_rows[];
extern const struct option_row dump_rows[];
extern const struct option_row report_rows[];
extern const struct option_row stats_rows[];
extern const struct option_row procs_rows[];
extern const struct option_row monitor_rows[];
extern const struct option_row profile_rows[];
extern const struct option_row trace_rows[];
extern const struct option_row pool_rows[];
extern const struct option_row queue_rows[];
extern const struct option_row drain_rows[];
extern const struct option_row health_rows[];
extern const struct option_row ping_rows[];
