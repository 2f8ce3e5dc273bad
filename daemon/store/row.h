/*
 * One job between struct job_row and the table `jobs`: the list of columns has one home, here.
 * It is that of the file, without the id, which is the first, and the part, which is the last and nothing of the job.
 * To add a column: a migration (schema.c), a line at the end below, and the member in record.h.
 */
#pragma once

#include "record.h"
#include "sqlite.h"

enum { BODY_APART_BYTES = 65536 }; /* longer arguments have a row of their own in `bodies` */

#define JOB_COLUMNS(NUMBER, BYTES, OTHER)                                                                    \
    NUMBER(state)                                                                                            \
    NUMBER(cause)                                                                                            \
    NUMBER(error)                                                                                            \
    NUMBER(attempt)                                                                                          \
    NUMBER(attempts_max)                                                                                     \
    NUMBER(crashes)                                                                                          \
    NUMBER(priority)                                                                                         \
    NUMBER(flags)                                                                                            \
    NUMBER(uid)                                                                                              \
    NUMBER(created_us)                                                                                       \
    NUMBER(due_us)                                                                                           \
    NUMBER(started_us)                                                                                       \
    NUMBER(ended_us)                                                                                         \
    NUMBER(deadline_us)                                                                                      \
    NUMBER(backoff_ns)                                                                                       \
    NUMBER(backoff_max_ns)                                                                                   \
    NUMBER(time_limit_ns)                                                                                    \
    NUMBER(grace_ns)                                                                                         \
    NUMBER(run)                                                                                              \
    NUMBER(op)                                                                                               \
    OTHER(session)                                                                                           \
    BYTES(plugin)                                                                                            \
    BYTES(function)                                                                                          \
    BYTES(queue)                                                                                             \
    BYTES(key)                                                                                               \
    BYTES(text)                                                                                              \
    OTHER(argument)                                                                                          \
    NUMBER(jitter)                                                                                           \
    BYTES(delays)                                                                                            \
    BYTES(once)                                                                                              \
    NUMBER(once_until_us)                                                                                    \
    BYTES(after)

#define ROW_NAME(name) ", " #name
#define ROW_NOTHING(name)
#define ROW_NAMES "id" JOB_COLUMNS(ROW_NAME, ROW_NAME, ROW_NAME)
#define ROW_OUTPUT_BYTES                                                                                     \
    "coalesce((SELECT start + length(body) FROM outputs WHERE job = jobs.id ORDER BY start DESC LIMIT 1), "  \
    "0)"

#define ROW_ARGUMENT_BYTES                                                                                   \
    "coalesce(length(argument), (SELECT length(body) FROM bodies WHERE job = jobs.id), 0)"

/* What row_read reads, in its order. */
#define ROW_SELECT ROW_SELECT_ALONE "," ROW_OUTPUT_BYTES "," ROW_ARGUMENT_BYTES
/* What row_read_alone reads: nothing of any other table. */
#define ROW_SELECT_ALONE "SELECT id" JOB_COLUMNS(ROW_NAME, ROW_NAME, ROW_NOTHING) ", session"
/* The columns of a row of which row_cell has the values, in its order, that of the file: a row that is inserted so is not
 * copied once more. */
#define ROW_TABLE "CREATE TABLE arriving(" ROW_NAMES ")"
/* All of them into part ?1 of jobs_op. Whatever fails ends the transaction: nothing is kept aside to take one statement back. */
#define ROW_INSERT "INSERT OR ROLLBACK INTO jobs(" ROW_NAMES ", part) SELECT " ROW_NAMES ", ?1 FROM arriving"

/* The same of schedules and their table: NUMBER(member, column), BYTES(member). */
#define SCHEDULE_COLUMNS(NUMBER, BYTES)                                                                      \
    BYTES(name)                                                                                              \
    NUMBER(uid, uid)                                                                                         \
    NUMBER(missed, missed)                                                                                   \
    NUMBER(missed_most, missed_most)                                                                         \
    NUMBER(overlap, overlap)                                                                                 \
    NUMBER(paused, paused)                                                                                   \
    NUMBER(priority, priority)                                                                               \
    NUMBER(attempts_max, attempts_max)                                                                       \
    NUMBER(backoff_ns, backoff_ns)                                                                           \
    NUMBER(backoff_max_ns, backoff_max_ns)                                                                   \
    NUMBER(time_limit_ns, time_limit_ns)                                                                     \
    NUMBER(grace_ns, grace_ns)                                                                               \
    NUMBER(deadline_in_ns, deadline_in_ns)                                                                   \
    NUMBER(delay_ns, delay_ns)                                                                               \
    NUMBER(jitter, jitter)                                                                                   \
    NUMBER(progress.cursor_ns, cursor_ns)                                                                    \
    NUMBER(progress.last_ns, last_ns)                                                                        \
    NUMBER(progress.last_job, last_job)                                                                      \
    NUMBER(progress.runs, runs)                                                                              \
    NUMBER(progress.skipped, skipped)                                                                        \
    BYTES(spec)                                                                                              \
    BYTES(zone)                                                                                              \
    BYTES(plugin)                                                                                            \
    BYTES(function)                                                                                          \
    BYTES(queue)                                                                                             \
    BYTES(key)                                                                                               \
    BYTES(delays)

#define SCHEDULE_NAME(name)             #name ","
#define SCHEDULE_NUMBER(member, name)   #name ","
#define SCHEDULE_PLACE(name)            "?,"
#define SCHEDULE_PLACE_OF(member, name) "?,"
/* What schedule_read reads, in its order, and behind it the argument. */
#define SCHEDULE_SELECT "SELECT " SCHEDULE_COLUMNS(SCHEDULE_NUMBER, SCHEDULE_NAME) "argument FROM schedules"
/* What schedule_write binds, and behind it the argument. */
#define SCHEDULE_INSERT                                                                                      \
    "INSERT OR REPLACE INTO schedules(" SCHEDULE_COLUMNS(                                                    \
        SCHEDULE_NUMBER, SCHEDULE_NAME) "argument) VALUES (" SCHEDULE_COLUMNS(SCHEDULE_PLACE_OF,             \
                                                                              SCHEDULE_PLACE) "?)"

/* As row_write and row_read; the argument is at the place that they give. */
int schedule_write(struct statement *insert, const struct schedule_row *row);
int schedule_read(struct statement *select, struct schedule_row *row);
/* The value at place `at` of a row of ROW_TABLE. */
void row_cell(const struct job_row *row, struct bytes argument, int at, struct cell *cell);
/* Reads a row of a ROW_SELECT; its strings live until the next step. Gives the next column. */
int row_read(struct statement *select, struct job_row *row);
/* The same of a ROW_SELECT_ALONE: output_bytes and argument_bytes are 0. */
int row_read_alone(struct statement *select, struct job_row *row);
/* A claim lives in memory only: a running job is stored as ready. */
uint32_t row_state(const struct job_row *row);
