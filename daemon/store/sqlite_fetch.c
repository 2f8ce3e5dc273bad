/* Reading beside the writer: a connection of its own that never writes. Each fetch is one short read. */
#include <errno.h>
#include <string.h>

#include "fault.h"
#include "fetched.h"
#include "row.h"
#include "sqlite_store.h"

const char *const store_reads[READS] = {
    [READ_ARGUMENT] =
        "SELECT coalesce(argument, (SELECT body FROM bodies WHERE job = id)) FROM jobs WHERE id = ?1",
    [READ_JOB] = ROW_SELECT ", (SELECT body FROM results WHERE job = id) FROM jobs WHERE id = ?1",
    [READ_JOBS] = ROW_SELECT " FROM jobs WHERE id > ?1 AND (?2 >> state) & 1 ORDER BY id LIMIT ?3",
    [READ_ENDED] =
        ROW_SELECT " FROM jobs WHERE state >= 5 AND id > ?1 AND (?2 >> state) & 1 ORDER BY id LIMIT ?3",
    /* The parts from the last one on: most are asked for soon. */
    [READ_OP] = ROW_SELECT
    " FROM jobs WHERE id = (WITH RECURSIVE parts(n) AS (SELECT max(part) FROM jobs WHERE op > 0 UNION ALL"
    " SELECT (SELECT max(part) FROM jobs WHERE op > 0 AND part < n) FROM parts WHERE n IS NOT NULL)"
    " SELECT id FROM parts CROSS JOIN jobs INDEXED BY jobs_op ON part = n"
    " WHERE session = ?1 AND op = ?2 AND op > 0 LIMIT 1)",
    [READ_OUTPUT] =
        "SELECT start, body FROM outputs WHERE job = ?1 AND start + length(body) > ?2 ORDER BY start",
};

static int fetch_argument(struct store *store, const struct fetch *what, struct fetched *out)
{
    struct statement *select = store->read[READ_ARGUMENT];

    bind_number(select, 1, (int64_t)what->job);
    int r = statement_step(select);
    return r == 1 ? fetched_body(out, column_bytes(select, 0)) : r == 0 ? -ENOENT : r;
}

static int fetch_job(struct store *store, const struct fetch *what, struct fetched *out)
{
    struct statement *select = store->read[READ_JOB];
    struct job_row row;

    bind_number(select, 1, (int64_t)what->job);
    int r = statement_step(select);
    if (r != 1)
        return r == 0 ? -ENOENT : r;
    int at = row_read(select, &row);
    r = fetched_row(out, &row, 1);
    return r < 0 ? r : fetched_body(out, column_bytes(select, at));
}

static int fetch_jobs(struct store *store, const struct fetch *what, struct fetched *out)
{
    uint32_t living = (1u << JOB_DONE) - 1, states = what->states ? what->states : ~0u;
    struct statement *select = store->read[states & living ? READ_JOBS : READ_ENDED];
    struct job_row row;
    int r;

    bind_number(select, 1, (int64_t)what->job);
    bind_number(select, 2, states);
    bind_number(select, 3, (int64_t)what->limit + 1);
    while ((r = statement_step(select)) == 1) {
        out->more = out->rows_n == what->limit;
        if (out->more)
            return 0;
        row_read(select, &row);
        if ((r = fetched_row(out, &row, what->limit)) < 0)
            return r;
    }
    return r;
}

static int fetch_op(struct store *store, const struct fetch *what, struct fetched *out)
{
    struct statement *select = store->read[READ_OP];
    struct job_row row;

    bind_bytes(select, 1, (struct bytes){what->session.byte, sizeof(what->session.byte)});
    bind_number(select, 2, (int64_t)what->op);
    int r = statement_step(select);
    if (r != 1)
        return r == 0 ? -ENOENT : r;
    row_read(select, &row);
    return fetched_row(out, &row, 1);
}

/* The piece at *end when it goes on there: its bytes behind *end, at most `room` of them. */
static size_t take_piece(struct statement *select, uint64_t *end, char *to, size_t room, bool *more)
{
    uint64_t start = (uint64_t)column_number(select, 0);
    struct bytes body = column_bytes(select, 1);
    size_t skip = *end > start ? (size_t)(*end - start) : 0;
    size_t take = body.size > skip ? body.size - skip : 0;

    *more = take > room || start > *end;
    if (start > *end)
        return 0;
    take = take < room ? take : room;
    memcpy(to, (const char *)body.data + skip, take);
    *end += take;
    return take;
}

static int fetch_output(struct store *store, const struct fetch *what, struct fetched *out)
{
    struct statement *select = store->read[READ_OUTPUT];
    char *buffer = fetched_memory(out, what->limit);
    uint64_t end = what->offset;
    int r;

    if (!buffer)
        return -ENOMEM;
    out->offset = what->offset;
    out->body.data = buffer;
    bind_number(select, 1, (int64_t)what->job);
    bind_number(select, 2, (int64_t)what->offset);
    while (!out->more && (r = statement_step(select)) == 1) {
        if (out->body.size == 0 && (uint64_t)column_number(select, 0) > end) /* output was lost before it */
            out->offset = end = (uint64_t)column_number(select, 0);
        out->body.size +=
            take_piece(select, &end, buffer + out->body.size, what->limit - out->body.size, &out->more);
    }
    return out->more ? 0 : r;
}

static const struct {
    int (*fetch)(struct store *, const struct fetch *, struct fetched *);
    int first, last; /* the statements it may leave in the middle */
} fetches[] = {
    [FETCH_ARGUMENT] = {fetch_argument, READ_ARGUMENT, READ_ARGUMENT},
    [FETCH_JOB] = {fetch_job, READ_JOB, READ_JOB},
    [FETCH_OUTPUT] = {fetch_output, READ_OUTPUT, READ_OUTPUT},
    [FETCH_JOBS] = {fetch_jobs, READ_JOBS, READ_ENDED},
    [FETCH_OP] = {fetch_op, READ_OP, READ_OP},
    [FETCH_MESSAGES] = {log_fetch, READS, -1}, /* which sees to its own, as the next one does */
    [FETCH_LATERS] = {log_fetch_laters, READS, -1},
};

int store_fetch(struct store *store, const struct fetch *what, struct fetched *out)
{
    fetched_init(out);
    int r = fault_hit(FAULT_STORE_FETCH);
    if (r < 0)
        return r;
    r = fetches[what->kind].fetch(store, what, out);
    for (int i = fetches[what->kind].first; i <= fetches[what->kind].last; i++)
        statement_reset(store->read[i]); /* ends the read: an open one would stop the log from shrinking */
    if (r < 0)
        fetched_clear(out);
    return r;
}
