/*
 * The schema as a row of migrations. The file's user_version says how many it has seen.
 *
 * To change the schema: add migration N+1 at the end; never edit N, somebody's file has it. New columns need a
 * default. Older programs refuse the file from then on, with a message that names both versions.
 *
 * jobs     one row a job; the argument last, so that updates of the short columns rewrite little
 * bodies   arguments above BODY_APART_BYTES
 * results  of jobs that succeeded with a result
 * outputs  kept output in pieces; `start` is the offset of the first byte of a piece
 * jobs_op  settles a submit whose reply was lost (IP4); unique, so that it can never happen twice
 * jobs_ended  lists ended jobs without passing over the waiting ones
 */
#include "schema.h"

#include <errno.h>
#include <stdio.h>

static const char *const migrations[] = {
    "CREATE TABLE daemon(one INTEGER PRIMARY KEY CHECK (one = 1), incarnation INTEGER NOT NULL);"
    "INSERT INTO daemon VALUES (1, 0);"
    "CREATE TABLE jobs(id INTEGER PRIMARY KEY, state INTEGER NOT NULL, cause INTEGER NOT NULL,"
    " error INTEGER NOT NULL, attempt INTEGER NOT NULL, attempts_max INTEGER NOT NULL,"
    " crashes INTEGER NOT NULL, priority INTEGER NOT NULL, flags INTEGER NOT NULL, uid INTEGER NOT NULL,"
    " created_us INTEGER NOT NULL, due_us INTEGER NOT NULL, started_us INTEGER NOT NULL,"
    " ended_us INTEGER NOT NULL, deadline_us INTEGER NOT NULL, backoff_ns INTEGER NOT NULL,"
    " backoff_max_ns INTEGER NOT NULL, time_limit_ns INTEGER NOT NULL, grace_ns INTEGER NOT NULL,"
    " run INTEGER NOT NULL, op INTEGER NOT NULL, session BLOB NOT NULL, plugin BLOB NOT NULL, function BLOB "
    "NOT NULL,"
    " queue BLOB NOT NULL, key BLOB NOT NULL, text BLOB NOT NULL, argument BLOB);"
    "CREATE TABLE bodies(job INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE results(job INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE outputs(job INTEGER NOT NULL, start INTEGER NOT NULL, body BLOB NOT NULL,"
    " PRIMARY KEY(job, start));"
    "CREATE UNIQUE INDEX jobs_op ON jobs(session, op) WHERE op > 0;"
    "CREATE INDEX jobs_ended ON jobs(id) WHERE state >= 5;",
};

enum { MIGRATIONS = sizeof(migrations) / sizeof(*migrations) };

int schema_version(void)
{
    return MIGRATIONS;
}

static int migrate(struct db *db, int to)
{
    char version[64];
    int r = db_exec(db, "BEGIN IMMEDIATE");

    snprintf(version, sizeof(version), "PRAGMA user_version=%d", to);
    if (r == 0)
        r = db_exec(db, migrations[to - 1]);
    if (r == 0)
        r = db_exec(db, version);
    if (r == 0)
        r = db_exec(db, "COMMIT");
    if (r < 0)
        db_rollback(db);
    return r;
}

/* A new file has neither tables nor a mark; any other must carry ours. */
static int claim(struct db *db)
{
    int64_t application = 0, tables = 0;
    char mark[64];
    int r = db_number(db, "PRAGMA application_id", &application);

    if (r == 0)
        r = db_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (r < 0 || application == SCHEMA_APPLICATION)
        return r;
    if (application != 0 || tables != 0)
        return -ENOTSUP;
    snprintf(mark, sizeof(mark), "PRAGMA application_id=%d", SCHEMA_APPLICATION);
    return db_exec(db, mark);
}

int schema_upgrade(struct db *db, int64_t *found)
{
    int r = claim(db);

    if (r == 0)
        r = db_number(db, "PRAGMA user_version", found);
    if (r == 0 && *found > MIGRATIONS)
        return -ENOTSUP;
    for (int64_t version = *found; r == 0 && version < MIGRATIONS; version++)
        r = migrate(db, (int)version + 1);
    return r;
}
