/*
 * Checking a state directory that no daemon has: SQLite's own check, then ours. Each of our checks is one query
 * whose rows are faults: a job id, and what is wrong with it in words.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "directory.h"
#include "fd.h"
#include "schema.h"
#include "sqlite_store.h"
#include "why.h"

static const struct {
    const char *query; /* of job ids */
    const char *fault;
} job_checks[] = {
    {"SELECT id FROM jobs WHERE state NOT IN (1, 2, 3, 5, 6, 7, 8)", "has a state that cannot be stored"},
    {"SELECT id FROM jobs WHERE id <= 0", "has an id that is no job id"},
    {"SELECT id FROM jobs WHERE (state >= 5) != (ended_us > 0)", "has ended without a time, or the reverse"},
    {"SELECT id FROM jobs WHERE attempt > attempts_max AND attempts_max > 0",
     "has more attempts than it may"},
    {"SELECT id FROM jobs WHERE length(session) != 16", "has a session id of the wrong size"},
    {"SELECT id FROM jobs WHERE argument IS NULL AND id NOT IN (SELECT job FROM bodies)",
     "has lost its argument"},
    {"SELECT job FROM bodies WHERE job NOT IN (SELECT id FROM jobs)", "has an argument but no row"},
    {"SELECT job FROM results WHERE job NOT IN (SELECT id FROM jobs WHERE state >= 5)",
     "has a result but has not ended"},
    {"SELECT DISTINCT job FROM outputs WHERE job NOT IN (SELECT id FROM jobs)", "has output but no row"},
    {"SELECT DISTINCT a.job FROM outputs a JOIN outputs b ON a.job = b.job AND b.start > a.start"
     " AND b.start < a.start + length(a.body)",
     "has output pieces that overlap"},
    {"SELECT 0 FROM queues WHERE length(name) NOT BETWEEN 1 AND 255 OR length(kept) = 0",
     "(a row of the queues) has no name, or says nothing"},
    {"SELECT 0 FROM pools WHERE length(name) NOT BETWEEN 1 AND 255 OR length(kept) = 0",
     "(a row of the pools) has no name, or says nothing"},
    {"SELECT id FROM channels WHERE id <= 0 OR capacity <= 0 OR length(name) NOT BETWEEN 1 AND 255"
     " OR length(tag) > 255 OR closed NOT IN (0, 1)",
     "(a durable channel) has a row that no channel can have"},
    {"SELECT DISTINCT channel FROM channel_values WHERE channel NOT IN (SELECT id FROM channels)",
     "(a durable channel) has values but no row"},
    {"SELECT channel FROM channel_values WHERE sequence <= 0",
     "(a durable channel) has a value without a place"},
    {"SELECT one FROM daemon WHERE incarnation <= 0", "(the daemon's row) has no incarnation"},
    {"SELECT one FROM daemon WHERE job < 0 OR sequence < 0",
     "(the daemon's row) knows of ids that none can be"},
};

static const struct {
    const char *query; /* of names */
    const char *fault;
} schedule_checks[] = {
    {"SELECT name FROM schedules WHERE length(name) NOT BETWEEN 1 AND 255", "has a name of the wrong size"},
    {"SELECT name FROM schedules WHERE missed NOT IN (0, 1, 2) OR overlap NOT IN (0, 1) OR paused NOT IN (0, "
     "1)"
     " OR priority NOT BETWEEN 0 AND 9",
     "has a policy that cannot be stored"},
    {"SELECT name FROM schedules WHERE (runs = 0) != (last_job = 0)",
     "counts runs without a job, or the reverse"},
    {"SELECT name FROM schedules WHERE length(spec) = 0 OR length(zone) = 0 OR length(plugin) = 0 OR"
     " length(function) = 0 OR length(queue) = 0",
     "does not say when, or what it submits"},
};

/* The log of durable topics. That what a block says is so is asked of all messages at once: each is of the first block of its
 * topic that does not end before it. */
static const struct {
    const char *of;
    const char *query; /* of ids or sequences */
    const char *fault;
} log_checks[] = {
    {"rule", "SELECT 0 FROM topic_rules WHERE length(name) NOT BETWEEN 1 AND 255 OR length(kept) = 0",
     "of topics has no pattern, or says nothing"},
    {"topic",
     "SELECT id FROM topics WHERE id <= 0 OR last_sequence < 0 OR gone < 0 OR length(name) NOT BETWEEN 1 AND "
     "255",
     "has a row that no topic can have"},
    {"topic", "SELECT id FROM topics WHERE flags >> 30 > 1", "is on the disk, and should be in memory alone"},
    {"message", "SELECT sequence FROM messages WHERE sequence <= 0 OR of < 0 OR flags >> 30 > 1",
     "has a row that no message can have"},
    {"message", "SELECT sequence FROM messages WHERE topic NOT IN (SELECT id FROM topics)", "is of no topic"},
    {"message", "SELECT sequence FROM topics t JOIN messages ON topic = t.id WHERE sequence <= gone",
     "is there, and its topic says that it is gone"},
    {"block",
     "SELECT last FROM blocks WHERE first > last OR first <= 0 OR messages <= 0 OR topic NOT IN (SELECT id "
     "FROM"
     " topics)",
     "has a row that no block can have"},
    {"block",
     "SELECT b.last FROM blocks b LEFT JOIN (SELECT topic AS of, (SELECT min(last) FROM blocks WHERE topic ="
     " m.topic AND last >= m.sequence) AS end, count(*) AS n, min(sequence) AS first, max(sequence) AS last"
     " FROM messages m GROUP BY 1, 2) f ON f.of = b.topic AND f.end = b.last WHERE f.n IS NOT b.messages OR"
     " f.first IS NOT b.first OR f.last IS NOT b.last",
     "does not tell what messages are there"},
    {"once-id of message",
     "SELECT sequence FROM onces WHERE length(once) = 0 OR topic NOT IN (SELECT id FROM topics)",
     "is empty, or of no topic"},
    {"message to come", "SELECT id FROM laters WHERE id <= 0 OR topic NOT IN (SELECT id FROM topics)",
     "has no id, or is of no topic"},
    {"group",
     "SELECT id FROM topic_groups WHERE id <= 0 OR floor < 0 OR mark < 0 OR paused NOT IN (0, 1) OR "
     "length(name) NOT"
     " BETWEEN 1 AND 255 OR length(pattern) NOT BETWEEN 1 AND 255",
     "has a row that no group can have"},
    {"group",
     "SELECT id FROM group_acks a WHERE sequence <= coalesce((SELECT floor FROM topic_groups WHERE id ="
     " a.id), sequence)",
     "has acknowledged below its floor, or is not there"},
    {"group",
     "SELECT id FROM group_tries a WHERE tries <= 0 OR sequence <= coalesce((SELECT floor FROM topic_groups"
     " WHERE id = a.id), sequence)",
     "has tried below its floor, or is not there"},
    {"feed",
     "SELECT id FROM feeds WHERE id <= 0 OR cursor < 0 OR jobs < 0 OR missed < 0 OR ahead <= 0 OR paused NOT "
     "IN (0, 1)"
     " OR argument NOT IN (1, 2) OR length(name) NOT BETWEEN 1 AND 255 OR length(pattern) NOT BETWEEN 1 AND "
     "255"
     " OR length(function) NOT BETWEEN 1 AND 255 OR length(queue) NOT BETWEEN 1 AND 255",
     "has a row that no feed can have"},
    {"feed", "SELECT id FROM feeds WHERE (jobs = 0) != (last_job = 0)",
     "counts jobs without one, or the reverse"},
};

struct report {
    void (*say)(void *context, const char *line);
    void *context;
    int faults;
};

static void tell(struct report *report, const char *line)
{
    report->say(report->context, line);
    report->faults++;
}

/* Every row that is not "ok" is a fault in SQLite's words. */
static int check_pages(struct db *db, struct report *report)
{
    struct statement *statement = NULL;
    char line[512];
    int r = statement_new(db, "PRAGMA integrity_check", &statement);

    while (r >= 0 && (r = statement_step(statement)) == 1) {
        struct bytes text = column_bytes(statement, 0);
        if (text.size == 2 && memcmp(text.data, "ok", 2) == 0)
            continue;
        snprintf(line, sizeof(line), "%.*s", (int)text.size, (const char *)text.data);
        tell(report, line);
    }
    statement_delete(statement);
    return r;
}

static int check_rows(struct db *db, const char *of, const char *query, const char *fault,
                      struct report *report)
{
    struct statement *statement = NULL;
    char line[256];
    int r = statement_new(db, query, &statement);

    while (r >= 0 && (r = statement_step(statement)) == 1) {
        snprintf(line, sizeof(line), "%s %lld %s", of, (long long)column_number(statement, 0), fault);
        tell(report, line);
    }
    statement_delete(statement);
    return r;
}

static int check_schedules(struct db *db, const char *query, const char *fault, struct report *report)
{
    struct statement *statement = NULL;
    char line[512];
    int r = statement_new(db, query, &statement);

    while (r >= 0 && (r = statement_step(statement)) == 1) {
        struct bytes name = column_bytes(statement, 0);

        snprintf(line, sizeof(line), "schedule %.*s %s", (int)(name.size < 255 ? name.size : 255),
                 (const char *)name.data, fault);
        tell(report, line);
    }
    statement_delete(statement);
    return r;
}

static int check_version(struct db *db, struct report *report)
{
    int64_t version = 0, application = 0;
    char line[160];
    int r = db_number(db, "PRAGMA user_version", &version);

    if (r == 0)
        r = db_number(db, "PRAGMA application_id", &application);
    if (r < 0 || (application == SCHEMA_APPLICATION && version == schema_version()))
        return r;
    snprintf(line, sizeof(line), "state.db has schema %lld of program %llx, this program checks %d of %x",
             (long long)version, (long long)application, schema_version(), SCHEMA_APPLICATION);
    tell(report, line);
    return -ENOTSUP;
}

static int check_all(struct db *db, struct report *report)
{
    int r = check_version(db, report);

    if (r == 0)
        r = check_pages(db, report);
    for (size_t i = 0; r == 0 && i < sizeof(job_checks) / sizeof(*job_checks); i++)
        r = check_rows(db, "job", job_checks[i].query, job_checks[i].fault, report);
    for (size_t i = 0; r == 0 && i < sizeof(log_checks) / sizeof(*log_checks); i++)
        r = check_rows(db, log_checks[i].of, log_checks[i].query, log_checks[i].fault, report);
    for (size_t i = 0; r == 0 && i < sizeof(schedule_checks) / sizeof(*schedule_checks); i++)
        r = check_schedules(db, schedule_checks[i].query, schedule_checks[i].fault, report);
    return r;
}

/* A database too damaged to be read is a fault to tell, not a failure of the check. */
static int conclude(struct report *report, const char *path, struct db *db, int r)
{
    _cleanup_(cleanup_free) char *why = NULL;

    if (r < 0 && r != -EBADMSG && r != -ENOTSUP)
        return r;
    if (r == -EBADMSG) {
        store_complain(path, db, r, &why);
        tell(report, why ? why : "damaged");
    }
    return report->faults;
}

int store_fsck(const struct store_options *options, void (*say)(void *context, const char *line),
               void *context)
{
    struct report report = {say, context, 0};
    _cleanup_(cleanup_free) char *why = NULL;
    _cleanup_(cleanup_free) char *path = store_path(options->directory);
    _cleanup_(cleanup_close) int lock = -1;
    struct db *db = NULL;

    if (!path)
        return -ENOMEM;
    int r = directory_lock(options->directory, false, &lock, &why);
    if (r == 0)
        r = db_open(path, DB_WRITE, &db); /* a log left by a crash is read in on opening */
    if (r < 0 && !why)
        store_complain(path, db, r, &why);
    if (r < 0)
        say(context, why ? why : "out of memory");
    else
        r = conclude(&report, path, db, check_all(db, &report));
    db_close(db);
    return r;
}
