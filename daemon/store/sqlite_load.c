/*
 * Loading: one scan of the jobs in the order of ids. What else a row tells lies in two other tables, with which few jobs have
 * to do: each is scanned in the same order beside it, and nothing is looked up.
 *
 * Every page is read once: those that a larger cache kept would lie between the jobs in memory for good.
 */
#include <stdio.h>

#include "row.h"
#include "sqlite_store.h"

/* A table of (job, bytes) by job. */
struct beside {
    struct statement *select;
    bool there; /* a row that no job has had yet */
};

enum { BESIDE_OUTPUTS, BESIDE_BODIES, BESIDES };

static const char *const besides[BESIDES] = {
    [BESIDE_OUTPUTS] = "SELECT job, max(start + length(body)) FROM outputs GROUP BY job ORDER BY job",
    [BESIDE_BODIES] = "SELECT job, length(body) FROM bodies ORDER BY job",
};

struct scan {
    const struct store_load *load;
    struct statement *select;
    struct beside beside[BESIDES];
};

static int beside_step(struct beside *beside)
{
    int r = statement_step(beside->select);

    beside->there = r == 1;
    return r < 0 ? r : 0;
}

/* What it has of this job: jobs are asked for in the order of ids. 0: nothing. */
static int beside_bytes(struct beside *beside, uint64_t job, uint64_t *bytes)
{
    int r = 0;

    while (r == 0 && beside->there && (uint64_t)column_number(beside->select, 0) < job)
        r = beside_step(beside);
    if (r == 0 && beside->there && (uint64_t)column_number(beside->select, 0) == job)
        *bytes = (uint64_t)column_number(beside->select, 1);
    return r;
}

static int load_job(struct scan *scan, int *said)
{
    struct job_row row;
    int at = row_read_alone(scan->select, &row);
    int r = beside_bytes(&scan->beside[BESIDE_OUTPUTS], row.id, &row.output_bytes);

    row.argument_bytes = (uint64_t)column_number(scan->select, at);
    if (r == 0)
        r = beside_bytes(&scan->beside[BESIDE_BODIES], row.id, &row.argument_bytes);
    if (r == 0)
        *said = scan->load->job(scan->load->context, &row);
    return r;
}

static int load_schedule(struct scan *scan, int *said)
{
    *said = store_load_schedule(scan->load, scan->select);
    return 0;
}

static int load_queue(struct scan *scan, int *said)
{
    if (scan->load->queue)
        *said = scan->load->queue(scan->load->context, column_bytes(scan->select, 0),
                                  column_bytes(scan->select, 1));
    return 0;
}

static int load_pool(struct scan *scan, int *said)
{
    if (scan->load->pool)
        *said = scan->load->pool(scan->load->context, column_bytes(scan->select, 0),
                                 column_bytes(scan->select, 1));
    return 0;
}

static int load_job_ids(struct scan *scan, int *said)
{
    if (scan->load->job_ids)
        *said = scan->load->job_ids(scan->load->context, (uint64_t)column_number(scan->select, 0));
    return 0;
}

static int load_one_channel(struct scan *scan, int *said)
{
    *said = load_channel(scan->load, scan->select);
    return 0;
}

static int load_one_value(struct scan *scan, int *said)
{
    *said = load_value(scan->load, scan->select);
    return 0;
}

/* Every row of that query. 0, what `one` was said, or how reading failed, with *why. */
static int load_rows(struct store *store, struct scan *scan, const char *query,
                     int (*one)(struct scan *, int *said), char **why)
{
    int r = statement_new(store->writer, query, &scan->select), said = 0;

    while (r >= 0 && said == 0 && (r = statement_step(scan->select)) == 1)
        r = one(scan, &said);
    if (r < 0)
        store_complain(store->path, store->writer, r, why);
    scan->select = statement_delete(scan->select);
    return said != 0 ? said : r < 0 ? r : 0;
}

static int load_log(struct store *store, const struct store_load *load, char **why)
{
    int said = 0, r = log_load(store, load, &said);

    if (r < 0)
        store_complain(store->path, store->writer, r, why);
    return said != 0 ? said : r;
}

static int begin_besides(struct store *store, struct scan *scan, char **why)
{
    int r = 0;

    for (int i = 0; r == 0 && i < BESIDES; i++) {
        r = statement_new(store->writer, besides[i], &scan->beside[i].select);
        if (r == 0)
            r = beside_step(&scan->beside[i]);
    }
    return r < 0 ? store_complain(store->path, store->writer, r, why) : 0;
}

static int load_all(struct store *store, const struct store_load *load, char **why)
{
    struct scan scan = {.load = load};
    int r = load_rows(store, &scan, "SELECT name, kept FROM queues ORDER BY name", load_queue, why);

    if (r == 0)
        r = load_rows(store, &scan, "SELECT name, kept FROM pools ORDER BY name", load_pool, why);
    if (r == 0)
        r = load_rows(store, &scan, "SELECT " CHANNEL_COLUMNS " FROM channels ORDER BY id", load_one_channel,
                      why);
    if (r == 0)
        r = load_rows(store, &scan, "SELECT " VALUE_COLUMNS " FROM channel_values ORDER BY channel, sequence",
                      load_one_value, why);
    if (r == 0)
        r = load_log(store, load, why);
    if (r == 0)
        r = begin_besides(store, &scan, why);
    if (r == 0)
        r = load_rows(store, &scan, ROW_SELECT_ALONE ", length(argument) FROM jobs ORDER BY id", load_job,
                      why);
    for (int i = 0; i < BESIDES; i++)
        statement_delete(scan.beside[i].select);
    if (r == 0)
        r = load_rows(store, &scan, "SELECT job FROM daemon", load_job_ids, why);
    return r == 0 ? load_rows(store, &scan, SCHEDULE_SELECT " ORDER BY name", load_schedule, why) : r;
}

static int set_cache_size(struct db *db, int kib)
{
    char text[48];

    snprintf(text, sizeof(text), "PRAGMA cache_size=-%d", kib);
    return db_exec(db, text);
}

int store_load(struct store *store, const struct store_load *load, char **why)
{
    int r = set_cache_size(store->writer, LOAD_CACHE_KIB);

    if (r == 0)
        r = load_all(store, load, why);
    return r != 0 ? r : set_cache_size(store->writer, CACHE_KIB);
}
