/*
 * One job between struct job_row and the table `jobs`: the list of columns has one home, here.
 * To add a column: a migration (schema.c), a line below, and the member in record.h.
 */
#pragma once

#include "record.h"
#include "sqlite.h"

enum { BODY_APART_BYTES = 65536 }; /* longer arguments have a row of their own in `bodies` */

#define JOB_COLUMNS(NUMBER, BYTES)                                                                           \
    NUMBER(id)                                                                                               \
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
    BYTES(plugin)                                                                                            \
    BYTES(function)                                                                                          \
    BYTES(queue)                                                                                             \
    BYTES(key)                                                                                               \
    BYTES(text)

#define ROW_NAME(name)  #name ","
#define ROW_PLACE(name) "?,"
#define ROW_OUTPUT_BYTES                                                                                     \
    "coalesce((SELECT start + length(body) FROM outputs WHERE job = jobs.id ORDER BY start DESC LIMIT 1), "  \
    "0)"

/* What row_read reads, in its order. */
#define ROW_SELECT "SELECT " JOB_COLUMNS(ROW_NAME, ROW_NAME) "session," ROW_OUTPUT_BYTES
/* What row_write binds, and behind it the argument. */
#define ROW_INSERT                                                                                           \
    "INSERT INTO jobs(" JOB_COLUMNS(ROW_NAME, ROW_NAME) "session, argument) VALUES (" JOB_COLUMNS(           \
        ROW_PLACE, ROW_PLACE) "?, ?)"

/* Binds a row of a ROW_INSERT; gives the place of the argument. */
int row_write(struct statement *insert, const struct job_row *row);
/* Reads a row of a ROW_SELECT; its strings live until the next step. Gives the next column. */
int row_read(struct statement *select, struct job_row *row);
/* A claim lives in memory only: a running job is stored as ready. */
uint32_t row_state(const struct job_row *row);
