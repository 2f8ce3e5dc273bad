/*
 * usage: upgrade EVERY FILE...
 *
 * Each FILE is a state.db that an older daemon has left, as SQL (former/). It is opened by the store of today over a disk
 * that writes down what happens to it (vfs.h). Everything that was in the file must be there afterwards, in a database of
 * today's schema that is sound. The same when the disk fails at the n-th call (one in EVERY), and when the process dies or
 * the power goes at any place of that tape (one in EVERY): the next open must find everything.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/store_fixture.h"
#include "cleanup.h"
#include "place.h"
#include "schema.h"

enum { TABLES = 32, TEXT_BYTES = 400, WAYS = LOSSES };

/* What the file had, by tables: the columns of then, and a digest of what is in them. */
struct former {
    const char *name; /* of the FILE */
    int version;
    struct table {
        char name[64], columns[2000];
        char *content; /* owned */
    } tables[TABLES];
    int n;
};

static struct place place;
static struct {
    unsigned long long crashes, faults, cut_short;
} totals;

static void quit(const char *what, const char *why)
{
    fprintf(stderr, "upgrade: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static sqlite3 *database(const char *directory)
{
    char path[256];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/state.db", directory);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        quit(path, sqlite3_errmsg(db));
    return db;
}

/* The only column of the only row, on the heap. */
static char *ask(sqlite3 *db, const char *query)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(db, query, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        quit(query, sqlite3_errmsg(db));
    const unsigned char *text = sqlite3_column_text(statement, 0);
    char *copy = strdup(text ? (const char *)text : "");
    sqlite3_finalize(statement);
    if (!copy)
        abort();
    return copy;
}

static int version_of(sqlite3 *db)
{
    _cleanup_(cleanup_free) char *text = ask(db, "PRAGMA user_version");

    return atoi(text);
}

/* All values of these columns, in the order of the rows. */
static char *content(sqlite3 *db, const struct table *table)
{
    char query[TEXT_BYTES + 2 * sizeof(table->columns)];

    snprintf(query, sizeof(query), "SELECT group_concat(row, ';') FROM (SELECT %s AS row FROM %s ORDER BY 1)",
             table->columns, table->name);
    return ask(db, query);
}

/* The incarnation counts the starts: it is none of what must stay. */
static const char tables_query[] =
    "SELECT m.name, group_concat('quote(' || c.name || ')', ' || '','' || ') FROM sqlite_schema m,"
    " pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name <> 'daemon' GROUP BY 1";

static struct former former_of(sqlite3 *db, const char *name)
{
    struct former former = {.name = name, .version = version_of(db)};
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(db, tables_query, -1, &statement, NULL) != SQLITE_OK)
        quit(name, sqlite3_errmsg(db));
    while (sqlite3_step(statement) == SQLITE_ROW) {
        struct table *table = &former.tables[former.n++];
        snprintf(table->name, sizeof(table->name), "%s", (const char *)sqlite3_column_text(statement, 0));
        snprintf(table->columns, sizeof(table->columns), "%s",
                 (const char *)sqlite3_column_text(statement, 1));
        table->content = content(db, table);
    }
    sqlite3_finalize(statement);
    return former;
}

static char *read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    size_t size = 0;
    char *text = NULL;

    if (!file || getdelim(&text, &size, '\0', file) < 0)
        quit(name, "cannot be read");
    fclose(file);
    return text;
}

/* The state directory as the older daemon has left it. */
static void lay_out(const char *sql)
{
    char *why = NULL;

    place_empty(&place);
    sqlite3 *db = database(place.state);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        quit("the file", why);
    sqlite3_close(db);
}

static void say(void *context, const char *line)
{
    (void)context;
    printf("  %s\n", line);
}

static int differs(const struct former *former, const char *directory)
{
    sqlite3 *db = database(directory);
    int faults = version_of(db) != schema_version();

    if (faults)
        printf("  schema %d, not %d\n", version_of(db), schema_version());
    for (int i = 0; i < former->n; i++) {
        _cleanup_(cleanup_free) char *now = content(db, &former->tables[i]);
        if (!strcmp(now, former->tables[i].content))
            continue;
        printf("  table %s: %.200s\n   was %.200s\n", former->tables[i].name, now, former->tables[i].content);
        faults++;
    }
    sqlite3_close(db);
    return faults;
}

static int open_store(const char *directory)
{
    struct store_options options = {.directory = directory, .sync = true};
    struct store *store = NULL;
    uint64_t incarnation;
    char *why = NULL;
    int r = store_sqlite.open(&options, &store, &incarnation, &why);

    free(why);
    store_sqlite.close(store);
    return r;
}

/* Opened without a fault, everything is there. The number of things that are wrong. */
static int examine(const struct former *former, const char *directory)
{
    struct store_options options = {.directory = directory, .sync = true};
    int r = open_store(directory);

    if (r < 0) {
        printf("  it does not open: %s\n", strerror(-r));
        return 1;
    }
    return differs(former, directory) + (store_sqlite.fsck(&options, say, NULL) != 0);
}

static int crash(const struct former *former, const struct disk *disk, const struct tape *tape, size_t at,
                 int way)
{
    uint64_t seed = at;
    struct loss loss = loss_of(way, &seed, at < tape->n ? &tape->events[at] : NULL);

    disk_leave(disk, &loss, place.crash);
    sqlite3 *db = database(place.crash);
    int version = version_of(db);
    sqlite3_close(db);
    totals.crashes++;
    totals.cut_short += version > former->version && version < schema_version();
    int faults = examine(former, place.crash);
    if (faults)
        printf("%s: after event %zu of %zu, at schema %d: %s\n", former->name, at, tape->n, version,
               loss_names[way]);
    return faults;
}

/* Every prefix of what the upgrade does to its files, but for those that EVERY leaves out. */
static int crash_everywhere(const struct former *former, const char *sql, size_t every)
{
    struct tape *tape = tape_new();
    int faults = 0;

    lay_out(sql);
    struct disk *disk = disk_new(place.state);
    vfs_record(tape);
    int r = open_store(place.state);
    vfs_record(NULL);
    if (r < 0)
        quit(former->name, strerror(-r));
    for (size_t at = 0; at <= tape->n && !faults; at++) {
        for (int way = 0; at % every == 0 && way < WAYS; way++)
            faults += crash(former, disk, tape, at, way);
        if (at < tape->n)
            disk_play(disk, &tape->events[at]);
    }
    disk_delete(disk);
    tape_delete(tape);
    return faults;
}

/* The n-th call to the disk fails, for each n until there is none. */
static int fail_everywhere(const struct former *former, const char *sql, enum fault_kind kind, size_t every)
{
    bool met = true;
    int faults = 0;

    for (uint64_t n = 1; met && !faults; n += every) {
        lay_out(sql);
        vfs_fail(EVERY_CALL, n, 0, kind);
        open_store(place.state); /* it may fail, or not mind */
        met = vfs_calls() >= n;
        vfs_fail(0, 0, 0, kind);
        totals.faults++;
        faults += examine(former, place.state);
        if (faults)
            printf("%s: call %llu (%s) had failed\n", former->name, (unsigned long long)n, vfs_failed());
    }
    return faults;
}

static int examine_file(const char *name, size_t every)
{
    _cleanup_(cleanup_free) char *sql = read_file(name);

    lay_out(sql);
    sqlite3 *db = database(place.state);
    struct former former = former_of(db, name);
    sqlite3_close(db);
    int faults = examine(&former, place.state);
    if (former.version >= schema_version() || former.version == 0) {
        printf("%s: schema %d is none of before\n", name, former.version);
        faults++;
    }
    if (!faults)
        faults = crash_everywhere(&former, sql, every);
    if (!faults)
        faults = fail_everywhere(&former, sql, FAIL_EIO, every);
    if (!faults)
        faults = fail_everywhere(&former, sql, FAIL_ENOSPC, every);
    for (int i = 0; i < former.n; i++)
        free(former.tables[i].content);
    return faults;
}

/* A file of a later schema is refused, and stays as it is. */
static int examine_later(const char *name)
{
    _cleanup_(cleanup_free) char *sql = read_file(name);
    char text[64];

    lay_out(sql);
    sqlite3 *db = database(place.state);
    snprintf(text, sizeof(text), "PRAGMA user_version=%d", schema_version() + 1);
    sqlite3_exec(db, text, NULL, NULL, NULL);
    sqlite3_close(db);
    int r = open_store(place.state);
    db = database(place.state);
    int version = version_of(db);
    sqlite3_close(db);
    if (r == -ENOTSUP && version == schema_version() + 1)
        return 0;
    printf("a later schema: open gave %d, and it has schema %d now\n", r, version);
    return 1;
}

int main(int argc, char **argv)
{
    int faults = 0;

    if (argc < 3)
        quit("usage", "upgrade EVERY FILE...");
    vfs_install();
    place_make(&place);
    for (int i = 2; i < argc && !faults; i++)
        faults = examine_file(argv[i], strtoull(argv[1], NULL, 10));
    if (!faults)
        faults = examine_later(argv[2]);
    place_remove(&place);
    printf("%llu crashes, %llu of them between two steps, %llu calls that failed\n", totals.crashes,
           totals.cut_short, totals.faults);
    if (!faults && !totals.cut_short)
        quit("no crash came between two steps", "are there several?");
    return faults ? EXIT_FAILURE : EXIT_SUCCESS;
}
