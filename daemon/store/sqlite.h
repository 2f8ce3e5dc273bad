/*
 * SQLite in a few words. sqlite.c is the only file of the program that includes sqlite3.h.
 *
 * Errors, everywhere: -ENOSPC full (disk or page limit), -EIO, -EBADMSG damaged or no database, -EROFS, -EACCES,
 * -EBUSY, -ENOMEM, -EEXIST a constraint, -EINVAL misuse. Nothing here keeps a message: db_message does.
 * Threads: one connection and its statements belong to one thread at a time.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "message.h"

struct db;
struct statement;
struct cell;

enum db_flags {
    DB_CREATE = 1 << 0, /* read-write, made when it is not there */
    DB_WRITE = 1 << 1,  /* read-write */
    DB_QUERY = 1 << 2,  /* never writes, never checkpoints */
};

/* On failure *db may still be set, for its message; close it. */
int db_open(const char *path, unsigned flags, struct db **db);
/* Never checkpoints: that belongs to the one writer. Accepts NULL. */
struct db *db_close(struct db *db);
/* Of the last failure, in SQLite's words. */
const char *db_message(const struct db *db);

int db_exec(struct db *db, const char *sql);
/* The number in the first column of the first row; -ENOENT: no row. */
int db_number(struct db *db, const char *sql, int64_t *number);
/* Runs a COMMIT. -ENOSPC: nothing of the transaction is left. Anything else that went wrong is -EIO: all of it may be in the
 * log, where whoever opens the file next finds it. */
int db_commit(struct db *db, struct statement *commit);
/* Safe when no transaction is open. */
void db_rollback(struct db *db);
/* Rows the last statement changed. */
int db_changes(const struct db *db);
/* Pages in the write-ahead log as of the last commit of this connection. */
int db_wal_pages(const struct db *db);
/* Moves what it can from log to database without waiting for anybody. */
int db_checkpoint(struct db *db);
/* Copies the whole database, as it is now, into the empty file `path`. -ECANCELED: `stop` was set meanwhile. */
int db_copy(struct db *db, const char *path, const atomic_bool *stop);
/* NULL, or why this version of SQLite deserves a warning at start. */
const char *db_version_warning(void);

/* Rows that the program has, as a table which a statement of this connection walks through once and in order. */
struct source {
    const char *table; /* CREATE TABLE, with its name and columns */
    void (*first)(void *context);
    void (*next)(void *context);
    bool (*over)(const void *context);
    /* The value of the row where it is; `column` counts from 0. A cell that is not filled is NULL. */
    void (*cell)(const void *context, int column, struct cell *cell);
    void *context;
};
/* The source is the caller's, and lives as long as the connection. */
int db_offer(struct db *db, const char *name, const struct source *source);
/* The bytes stay the source's for as long as it is at the row. */
void cell_number(struct cell *cell, int64_t number);
void cell_bytes(struct cell *cell, struct bytes bytes);

int statement_new(struct db *db, const char *sql, struct statement **statement);
/* Accepts NULL. */
struct statement *statement_delete(struct statement *statement);
/* `at` counts from 1. The bytes stay the caller's until statement_reset. A failure shows in the next step. */
void bind_number(struct statement *statement, int at, int64_t number);
void bind_bytes(struct statement *statement, int at, struct bytes bytes);
void bind_none(struct statement *statement, int at);
/* 1: a row; 0: no more, and the statement is reset. */
int statement_step(struct statement *statement);
void statement_reset(struct statement *statement);
/* To the end. Rows are passed over. */
int statement_run(struct statement *statement);
/* `at` counts from 0. Bytes live until the next step or reset. */
int64_t column_number(struct statement *statement, int at);
struct bytes column_bytes(struct statement *statement, int at);
