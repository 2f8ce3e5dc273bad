/*
 * PostgreSQL: a row is a job, and SELECT … FOR UPDATE SKIP LOCKED the queue. Taken and ended in one statement, with its
 * result. WHERE: a connection string.
 */
#include "durable.h"

#include <libpq-fe.h>
#include <sched.h>
#include <stdio.h>

static PGconn *connection;

static void say(const char *text)
{
    PGresult *result = PQexec(connection, text);

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        errx(1, "postgres: %s", PQerrorMessage(connection));
    PQclear(result);
}

static void prepare_statement(const char *name, const char *text)
{
    PGresult *result = PQprepare(connection, name, text, 0, NULL);

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        errx(1, "postgres: %s", PQerrorMessage(connection));
    PQclear(result);
}

static void open_connection(const char *where)
{
    connection = PQconnectdb(where);
    if (PQstatus(connection) != CONNECTION_OK)
        errx(1, "postgres: %s", PQerrorMessage(connection));
    say("SET client_min_messages = warning");
}

static void prepare(const char *where)
{
    open_connection(where);
    say("DROP TABLE IF EXISTS jobs");
    say("CREATE TABLE jobs (id bigserial PRIMARY KEY, done boolean NOT NULL DEFAULT false, argument text NOT "
        "NULL,"
        " result text)");
    say("CREATE INDEX jobs_waiting ON jobs (id) WHERE NOT done");
    PQfinish(connection);
}

static void connect_postgres(const char *where)
{
    open_connection(where);
    prepare_statement("put", "INSERT INTO jobs (argument) VALUES ($1)");
    prepare_statement(
        "take", "UPDATE jobs SET done = true, result = 'done' WHERE id = (SELECT id FROM jobs WHERE NOT done"
                " ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)");
}

/* How many rows it has changed. */
static uint64_t run(const char *statement, int n, const char *const *values)
{
    PGresult *result = PQexecPrepared(connection, statement, n, values, NULL, NULL, 0);

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        errx(1, "postgres: %s", PQerrorMessage(connection));
    uint64_t rows = strtoull(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return rows;
}

static void put(void)
{
    const char *values[] = {argument};

    run("put", 1, values);
}

static void produce(const char *where, size_t number)
{
    connect_postgres(where);
    ready();
    for (;;) {
        keep_pace(1);
        put();
    }
}

static void work(const char *where, size_t number)
{
    connect_postgres(where);
    ready();
    for (;;) {
        uint64_t n = run("take", 0, NULL);
        count(&tally->ended, n);
        if (!n)
            sched_yield();
    }
}

const struct peer postgres = {.name = "postgres",
                              .prepare = prepare,
                              .connect = connect_postgres,
                              .put = put,
                              .produce = produce,
                              .work = work,
                              .producers = 8,
                              .workers = 8};
