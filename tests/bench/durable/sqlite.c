/* SQLite alone, in the process that puts: BATCH rows a transaction, with the log synced at each. WHERE: a folder. */
#include "durable.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

static sqlite3 *db;

static void check(int code, int want)
{
    if (code != want)
        errx(1, "sqlite: %s", sqlite3_errmsg(db));
}

static void say(const char *text)
{
    check(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
}

static void open_database(const char *where)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/sqlite.%d", where, getpid());
    check(sqlite3_open(path, &db), SQLITE_OK);
    say("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536");
    say("CREATE TABLE jobs(id INTEGER PRIMARY KEY, state INTEGER NOT NULL, argument BLOB)");
}

static void insert(sqlite3_stmt *statement)
{
    check(sqlite3_bind_blob(statement, 1, argument, ARGUMENT_BYTES, SQLITE_STATIC), SQLITE_OK);
    check(sqlite3_step(statement), SQLITE_DONE);
    check(sqlite3_reset(statement), SQLITE_OK);
}

static void fill(const char *where, size_t most)
{
    sqlite3_stmt *statement;

    open_database(where);
    check(sqlite3_prepare_v2(db, "INSERT INTO jobs(state, argument) VALUES (1, ?)", -1, &statement, NULL),
          SQLITE_OK);
    ready();
    for (size_t n = 0; !most || n < most; n += BATCH) {
        say("BEGIN IMMEDIATE");
        for (int i = 0; i < BATCH; i++)
            insert(statement);
        say("COMMIT");
        count(&tally->accepted, BATCH);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

const struct peer sqlite = {.name = "sqlite", .fill = fill};
