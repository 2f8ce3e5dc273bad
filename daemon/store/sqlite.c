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

/* Nobody asks how much memory SQLite has, and counting it takes a lock for each allocation. Only what is opened first in a
 * process can say so; later it is refused, and needless. */
static void count_no_memory(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(const char *path, unsigned flags, struct db **out)
{
    int mode = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE;
    struct db *db = calloc(1, sizeof(*db));

    *out = db;
    if (!db)
        return -ENOMEM;
    count_no_memory();
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

/* The index of the log grows when the log has been written: memory or room that is missing then comes too late. Only a write
 * into the log that found no room left it without an end. */
int db_commit(struct db *db, struct statement *commit)
{
    int r = statement_run(commit);

    if (r < 0)
        r = (sqlite3_errcode(db->handle) & 0xff) == SQLITE_FULL ? -ENOSPC : -EIO;
    return r;
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

enum { COPY_PAGES = 1024 }; /* between two looks at `stop` */

/* One state of it throughout: what is committed meanwhile would begin the copy anew. */
static int copy_pages(struct db *db, sqlite3 *to, const atomic_bool *stop)
{
    int code = SQLITE_OK, r = db_exec(db, "BEGIN; SELECT 1 FROM sqlite_schema");
    sqlite3_backup *backup = r == 0 ? sqlite3_backup_init(to, "main", db->handle, "main") : NULL;

    if (!backup)
        return r < 0 ? r : error_of(to, sqlite3_errcode(to));
    while (code == SQLITE_OK && !atomic_load(stop))
        code = sqlite3_backup_step(backup, COPY_PAGES);
    sqlite3_backup_finish(backup);
    return code == SQLITE_DONE ? 0 : code == SQLITE_OK ? -ECANCELED : error_of(to, code);
}

int db_copy(struct db *db, const char *path, const atomic_bool *stop)
{
    struct db to = {0};
    int code = sqlite3_open_v2(path, &to.handle, SQLITE_OPEN_READWRITE, NULL);
    int r = outcome(&to, code);

    if (r == 0)
        r = copy_pages(db, to.handle, stop);
    db_rollback(db);
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

/* ---- rows of the program as a table ---- */

/* The cursor has no state: the place is that of the source. */
struct table {
    sqlite3_vtab base;
    const struct source *source;
};

static const struct source *source_of(sqlite3_vtab_cursor *cursor)
{
    return ((const struct table *)cursor->pVtab)->source;
}

static int table_connect(sqlite3 *handle, void *context, int words_n, const char *const *words,
                         sqlite3_vtab **out, char **why)
{
    const struct source *source = context;
    int code = sqlite3_declare_vtab(handle, source->table);
    struct table *table = code == SQLITE_OK ? sqlite3_malloc(sizeof(*table)) : NULL;

    if (!table)
        return code == SQLITE_OK ? SQLITE_NOMEM : code;
    *table = (struct table){.source = source};
    *out = &table->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

static int table_plan(sqlite3_vtab *table, sqlite3_index_info *plan)
{
    return SQLITE_OK; /* all rows, in the order of the source */
}

static int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
    sqlite3_vtab_cursor *cursor = sqlite3_malloc(sizeof(*cursor));

    if (!cursor)
        return SQLITE_NOMEM;
    *cursor = (sqlite3_vtab_cursor){0};
    *out = cursor;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int cursor_first(sqlite3_vtab_cursor *cursor, int plan, const char *words, int n,
                        sqlite3_value **values)
{
    source_of(cursor)->first(source_of(cursor)->context);
    return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *cursor)
{
    source_of(cursor)->next(source_of(cursor)->context);
    return SQLITE_OK;
}

static int cursor_over(sqlite3_vtab_cursor *cursor)
{
    return source_of(cursor)->over(source_of(cursor)->context);
}

static int cursor_cell(sqlite3_vtab_cursor *cursor, sqlite3_context *cell, int column)
{
    source_of(cursor)->cell(source_of(cursor)->context, column, (struct cell *)cell);
    return SQLITE_OK;
}

/* Nobody asks for it: no statement names it. */
static int cursor_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *id)
{
    *id = 0;
    return SQLITE_OK;
}

/* Without xCreate there is exactly one such table, and nothing of it in the file. */
static const sqlite3_module module = {
    .xConnect = table_connect,
    .xBestIndex = table_plan,
    .xDisconnect = table_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_first,
    .xNext = cursor_next,
    .xEof = cursor_over,
    .xColumn = cursor_cell,
    .xRowid = cursor_rowid,
};

int db_offer(struct db *db, const char *name, const struct source *source)
{
    return outcome(db, sqlite3_create_module(db->handle, name, &module, (void *)source));
}

void cell_number(struct cell *cell, int64_t number)
{
    sqlite3_result_int64((sqlite3_context *)cell, number);
}

void cell_bytes(struct cell *cell, struct bytes bytes)
{
    sqlite3_result_blob64((sqlite3_context *)cell, bytes.size ? bytes.data : "", bytes.size, SQLITE_STATIC);
}
