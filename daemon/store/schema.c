/*
 * The schema as a row of steps. The file's user_version says how many it has seen.
 *
 * Each step is one transaction with the version that it leads to: a file that its upgrade was cut short in has some version
 * whole, and the next start goes on from there.
 *
 * To change the schema: add step N+1 at the end; never edit N, somebody's file has it. New columns need a
 * default. Older programs refuse the file from then on, with a message that names both versions. Keep a file of the version
 * before as data (tests/store/former).
 *
 * daemon   the incarnation; the highest id of a job, and the highest sequence, that no row tells any more
 * jobs     one row a job; the argument last, so that updates of the short columns rewrite little
 * bodies   arguments above BODY_APART_BYTES
 * results  of jobs that succeeded with a result
 * outputs  kept output in pieces; `start` is the offset of the first byte of a piece
 * jobs_op  settles a submit whose reply was lost (IP4). Jobs that came one after the other are one part of it: a commit with
 *          those of many sessions writes to a few places, and a search looks at every part
 * jobs_once  one job a key under which it was submitted once; a key that is free again is empty
 * jobs_ended  lists ended jobs without passing over the waiting ones
 * queues, pools  what was set of a queue, or a pool, while the daemon ran
 * channels, channel_values  durable channels, and what is in them and not acknowledged
 * schedules  one row a schedule, the argument of its jobs last
 * topic_rules  what was set of topics while the daemon ran, by pattern
 * topics, messages  durable topics, and the log
 * messages_topic  reads and trims one topic: without it, one of many would cost a scan of the log. It is one of parts (LOG_PART_BITS),
 *          so that a commit writes a few pages of it, however many topics it has messages of
 * blocks   what a start needs to know of the older messages of a topic
 * onces    the once-ids of messages: they may outlive them
 * laters   messages that are to be published
 * topic_groups, group_acks, group_tries  durable subscriptions: their floors, what they have acknowledged above, and tried
 * feeds    what becomes jobs, and how far each has come
 */
#include "schema.h"

#include <errno.h>
#include <stdio.h>

#include "fault.h"

static const struct step {
    const char *what; /* it brings, in words */
    const char *sql;
} steps[] = {
    {"all tables of jobs",
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
     "CREATE INDEX jobs_ended ON jobs(id) WHERE state >= 5;"},
    {"retries: waits as a list, and jitter", "ALTER TABLE jobs ADD COLUMN jitter INTEGER NOT NULL DEFAULT 0;"
                                             "ALTER TABLE jobs ADD COLUMN delays BLOB NOT NULL DEFAULT x'';"},
    {"what is set of a queue",
     "CREATE TABLE queues(name BLOB PRIMARY KEY, kept BLOB NOT NULL) WITHOUT ROWID;"},
    {"submits that happen once", "ALTER TABLE jobs ADD COLUMN once BLOB NOT NULL DEFAULT x'';"
                                 "ALTER TABLE jobs ADD COLUMN once_until_us INTEGER NOT NULL DEFAULT 0;"
                                 "CREATE UNIQUE INDEX jobs_once ON jobs(once) WHERE once <> x'';"},
    {"jobs that come after others", "ALTER TABLE jobs ADD COLUMN after BLOB NOT NULL DEFAULT x'';"},
    {"durable channels",
     "CREATE TABLE channels(id INTEGER PRIMARY KEY, capacity INTEGER NOT NULL, value_bytes_max INTEGER NOT "
     "NULL,"
     " element_bytes INTEGER NOT NULL, seen INTEGER NOT NULL, flags INTEGER NOT NULL, uid INTEGER NOT NULL,"
     " closed INTEGER NOT NULL, name BLOB NOT NULL UNIQUE, tag BLOB NOT NULL);"
     "CREATE TABLE channel_values(channel INTEGER NOT NULL, sequence INTEGER NOT NULL, uid INTEGER NOT NULL,"
     " seen INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(channel, sequence));"},
    {"schedules",
     "CREATE TABLE schedules(name BLOB PRIMARY KEY, uid INTEGER NOT NULL, missed INTEGER NOT NULL,"
     " missed_most INTEGER NOT NULL, overlap INTEGER NOT NULL, paused INTEGER NOT NULL, priority INTEGER NOT "
     "NULL,"
     " attempts_max INTEGER NOT NULL, backoff_ns INTEGER NOT NULL, backoff_max_ns INTEGER NOT NULL,"
     " time_limit_ns INTEGER NOT NULL, grace_ns INTEGER NOT NULL, deadline_in_ns INTEGER NOT NULL,"
     " cursor_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, last_job INTEGER NOT NULL, runs INTEGER NOT "
     "NULL,"
     " skipped INTEGER NOT NULL, spec BLOB NOT NULL, zone BLOB NOT NULL, plugin BLOB NOT NULL,"
     " function BLOB NOT NULL, queue BLOB NOT NULL, key BLOB NOT NULL, argument BLOB NOT NULL) WITHOUT "
     "ROWID;"},
    {"the jobs of a schedule: delay, list of waits, jitter",
     "ALTER TABLE schedules ADD COLUMN delay_ns INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE schedules ADD COLUMN jitter INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE schedules ADD COLUMN delays BLOB NOT NULL DEFAULT x'';"},
    {"pools of hosts, what is set of each",
     "CREATE TABLE pools(name BLOB PRIMARY KEY, kept BLOB NOT NULL) WITHOUT ROWID;"},
    {"an index of submits in parts", "ALTER TABLE jobs ADD COLUMN part INTEGER NOT NULL DEFAULT 0;"
                                     "DROP INDEX jobs_op;"
                                     "CREATE UNIQUE INDEX jobs_op ON jobs(part, session, op) WHERE op > 0;"},
    {"durable topics",
     "ALTER TABLE daemon ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;"
     "CREATE TABLE topic_rules(name BLOB PRIMARY KEY, kept BLOB NOT NULL) WITHOUT ROWID;"
     "CREATE TABLE topics(id INTEGER PRIMARY KEY, last_sequence INTEGER NOT NULL, uid INTEGER NOT NULL,"
     " flags INTEGER NOT NULL, gone INTEGER NOT NULL, name BLOB NOT NULL UNIQUE);"
     "CREATE TABLE messages(sequence INTEGER PRIMARY KEY, topic INTEGER NOT NULL, time_us INTEGER NOT NULL,"
     " of INTEGER NOT NULL, uid INTEGER NOT NULL, flags INTEGER NOT NULL, key BLOB NOT NULL,"
     " headers BLOB NOT NULL, body BLOB NOT NULL);"
     "CREATE INDEX messages_topic ON messages(sequence >> 12, topic);"
     "CREATE TABLE blocks(topic INTEGER NOT NULL, last INTEGER NOT NULL, first INTEGER NOT NULL,"
     " messages INTEGER NOT NULL, bytes INTEGER NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT "
     "NULL,"
     " flags INTEGER NOT NULL, PRIMARY KEY(topic, last)) WITHOUT ROWID;"
     "CREATE TABLE onces(topic INTEGER NOT NULL, sequence INTEGER NOT NULL, time_us INTEGER NOT NULL,"
     " once BLOB NOT NULL, PRIMARY KEY(topic, sequence)) WITHOUT ROWID;"
     "CREATE TABLE laters(id INTEGER PRIMARY KEY, due_us INTEGER NOT NULL, topic INTEGER NOT NULL,"
     " of INTEGER NOT NULL, uid INTEGER NOT NULL, flags INTEGER NOT NULL, key BLOB NOT NULL,"
     " once BLOB NOT NULL, headers BLOB NOT NULL, body BLOB NOT NULL);"
     "CREATE TABLE topic_groups(id INTEGER PRIMARY KEY, floor INTEGER NOT NULL, mark INTEGER NOT NULL,"
     " uid INTEGER NOT NULL, paused INTEGER NOT NULL, name BLOB NOT NULL UNIQUE, pattern BLOB NOT NULL,"
     " text BLOB NOT NULL);"
     "CREATE TABLE group_acks(id INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY(id, sequence))"
     " WITHOUT ROWID;"
     "CREATE TABLE group_tries(id INTEGER NOT NULL, sequence INTEGER NOT NULL, tries INTEGER NOT NULL,"
     " due_us INTEGER NOT NULL, PRIMARY KEY(id, sequence)) WITHOUT ROWID;"},
    {"ids of jobs that are no more", "ALTER TABLE daemon ADD COLUMN job INTEGER NOT NULL DEFAULT 0;"},
    {"feeds: topics whose messages become jobs",
     "CREATE TABLE feeds(id INTEGER PRIMARY KEY, uid INTEGER NOT NULL, paused INTEGER NOT NULL,"
     " argument INTEGER NOT NULL, ahead INTEGER NOT NULL, from_us INTEGER NOT NULL, cursor INTEGER NOT NULL,"
     " jobs INTEGER NOT NULL, missed INTEGER NOT NULL, last_job INTEGER NOT NULL, name BLOB NOT NULL UNIQUE,"
     " pattern BLOB NOT NULL, plugin BLOB NOT NULL, function BLOB NOT NULL, queue BLOB NOT NULL);"},
};

enum { STEPS = sizeof(steps) / sizeof(*steps) };

int schema_version(void)
{
    return STEPS;
}

const char *schema_step(int version)
{
    return steps[version - 1].what;
}

static int take_step(struct db *db, int to)
{
    char version[64];
    int r = fault_hit(FAULT_STORE_UPGRADE);

    if (r == 0)
        r = db_exec(db, "BEGIN IMMEDIATE");
    snprintf(version, sizeof(version), "PRAGMA user_version=%d", to);
    if (r == 0)
        r = db_exec(db, steps[to - 1].sql);
    if (r == 0)
        r = db_exec(db, version);
    if (r == 0)
        r = fault_hit(FAULT_STORE_UPGRADE_COMMIT);
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

int schema_find(struct db *db, int64_t *found)
{
    int r = claim(db);

    if (r == 0)
        r = db_number(db, "PRAGMA user_version", found);
    return r == 0 && *found > STEPS ? -ENOTSUP : r;
}

int schema_upgrade(struct db *db, int64_t found)
{
    int r = 0;

    for (int version = (int)found; r == 0 && version < STEPS; version++)
        r = take_step(db, version + 1);
    return r;
}
