/* SQLite in a few words: connections, statements, and its errors as errno values. */
#include "sqlite.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct db {
    sqlite3 *handle;
    int wal_pages;
};

struct statement {
    sqlite3_stmt *handle;
    int error; /* of a bind, until the next step */
};

static const struct {
    int code;
    int error;
} errors[] = {
    {SQLITE_FULL, -ENOSPC},       {SQLITE_CORRUPT, -EBADMSG}, {SQLITE_NOTADB, -EBADMSG},
    {SQLITE_READONLY, -EROFS},    {SQLITE_PERM, -EACCES},     {SQLITE_AUTH, -EACCES},
    {SQLITE_BUSY, -EBUSY},        {SQLITE_LOCKED, -EBUSY},    {SQLITE_NOMEM, -ENOMEM},
    {SQLITE_CONSTRAINT, -EEXIST}, {SQLITE_TOOBIG, -E2BIG},    {SQLITE_IOERR, -EIO},
};

static bool out_of_space(int error)
{
    return error == ENOSPC || error == EDQUOT;
}

/* A failed fsync is final whatever it says (the kernel may have dropped the pages); any other write that
 * found no room can be tried again. */
static int io_error(sqlite3 *handle, int extended)
{
    if (extended == SQLITE_IOERR_NOMEM)
        return -ENOMEM;
    if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC)
        return -EIO;
    return out_of_space(sqlite3_system_errno(handle)) ? -ENOSPC : -EIO;
}

static int error_of(sqlite3 *handle, int code)
{
    int extended = handle ? sqlite3_extended_errcode(handle) : code;
    int system = handle ? sqlite3_system_errno(handle) : 0;

    if ((code & 0xff) == SQLITE_IOERR)
        return io_error(handle, extended);
    if ((code & 0xff) == SQLITE_CANTOPEN)
        return system ? -system : -EACCES;
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
        if (errors[i].code == (code & 0xff))
            return errors[i].error;
    return -EINVAL;
}

static int outcome(struct db *db, int code)
{
    return code == SQLITE_OK ? 0 : error_of(db->handle, code);
}

static int on_commit(void *context, sqlite3 *handle, const char *name, int pages)
{
    ((struct db *)context)->wal_pages = pages;
    return SQLITE_OK;
}

int db_open(const char *path, unsigned flags, struct db **out)
{
    int mode = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE;
    struct db *db = calloc(1, sizeof(*db));

    *out = db;
    if (!db)
        return -ENOMEM;
    if (flags & DB_CREATE)
        mode |= SQLITE_OPEN_CREATE;
    int code = sqlite3_open_v2(path, &db->handle, mode, NULL);
    if (code != SQLITE_OK)
        return error_of(db->handle, code);
    sqlite3_extended_result_codes(db->handle, 0);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_wal_hook(db->handle, on_commit, db); /* replaces the automatic checkpoint */
    sqlite3_busy_timeout(db->handle, 5000);
    return flags & DB_QUERY ? db_exec(db, "PRAGMA query_only=1") : 0;
}

struct db *db_close(struct db *db)
{
    if (!db)
        return NULL;
    sqlite3_close_v2(db->handle);
    free(db);
    return NULL;
}

const char *db_message(const struct db *db)
{
    return db && db->handle ? sqlite3_errmsg(db->handle) : "out of memory";
}

int db_exec(struct db *db, const char *sql)
{
    return outcome(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

int db_number(struct db *db, const char *sql, int64_t *number)
{
    struct statement *statement = NULL;
    int r = statement_new(db, sql, &statement);

    if (r == 0)
        r = statement_step(statement);
    if (r == 1)
        *number = column_number(statement, 0);
    statement_delete(statement);
    return r == 1 ? 0 : r == 0 ? -ENOENT : r;
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int db_changes(const struct db *db)
{
    return sqlite3_changes(db->handle);
}

int db_wal_pages(const struct db *db)
{
    return db->wal_pages;
}

int db_checkpoint(struct db *db)
{
    int left = 0, moved = 0;
    int code = sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_PASSIVE, &left, &moved);

    if (code == SQLITE_OK && left == moved)
        db->wal_pages = 0;
    return code == SQLITE_BUSY ? 0 : outcome(db, code);
}

int db_copy(struct db *db, const char *path)
{
    struct db to = {0};
    int code = sqlite3_open_v2(path, &to.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    int r = outcome(&to, code);
    sqlite3_backup *backup = r == 0 ? sqlite3_backup_init(to.handle, "main", db->handle, "main") : NULL;

    if (r == 0 && !backup)
        r = error_of(to.handle, sqlite3_errcode(to.handle));
    if (backup) {
        code = sqlite3_backup_step(backup, -1);
        sqlite3_backup_finish(backup);
        r = code == SQLITE_DONE ? 0 : error_of(to.handle, code);
    }
    sqlite3_close_v2(to.handle);
    return r;
}

/* Two connections that write or checkpoint at one instant can lose commits in these versions. One connection
 * does both here, so the daemon is safe; a shell on the live file is not. */
const char *db_version_warning(void)
{
    int version = sqlite3_libversion_number();

    if (version < 3007000 || version >= 3051003 || version == 3044006 || version == 3050007)
        return NULL;
    return "look into a backup, not into the database of a running daemon: with this version of SQLite a "
           "second program that writes to it could lose commits";
}

int statement_new(struct db *db, const char *sql, struct statement **out)
{
    struct statement *statement = calloc(1, sizeof(*statement));

    *out = statement;
    if (!statement)
        return -ENOMEM;
    return outcome(
        db, sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->handle, NULL));
}

struct statement *statement_delete(struct statement *statement)
{
    if (statement)
        sqlite3_finalize(statement->handle);
    free(statement);
    return NULL;
}

static void note(struct statement *statement, int code)
{
    if (code != SQLITE_OK && statement->error == 0)
        statement->error = error_of(sqlite3_db_handle(statement->handle), code);
}

void bind_number(struct statement *statement, int at, int64_t number)
{
    note(statement, sqlite3_bind_int64(statement->handle, at, number));
}

void bind_bytes(struct statement *statement, int at, struct bytes bytes)
{
    const void *data = bytes.size ? bytes.data : ""; /* NULL would bind NULL */

    note(statement, sqlite3_bind_blob64(statement->handle, at, data, bytes.size, SQLITE_STATIC));
}

void bind_none(struct statement *statement, int at)
{
    note(statement, sqlite3_bind_null(statement->handle, at));
}

void statement_reset(struct statement *statement)
{
    sqlite3_reset(statement->handle);
    statement->error = 0;
}

int statement_step(struct statement *statement)
{
    int r = statement->error, code;

    if (r == 0) {
        code = sqlite3_step(statement->handle);
        if (code == SQLITE_ROW)
            return 1;
        r = code == SQLITE_DONE ? 0 : error_of(sqlite3_db_handle(statement->handle), code);
    }
    statement_reset(statement);
    return r;
}

int statement_run(struct statement *statement)
{
    int r;

    do
        r = statement_step(statement);
    while (r == 1);
    return r;
}

int64_t column_number(struct statement *statement, int at)
{
    return sqlite3_column_int64(statement->handle, at);
}

struct bytes column_bytes(struct statement *statement, int at)
{
    const void *data = sqlite3_column_blob(statement->handle, at);

    return (struct bytes){data, (size_t)sqlite3_column_bytes(statement->handle, at)};
}
