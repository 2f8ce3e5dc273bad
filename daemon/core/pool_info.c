/* What is told of pools. */
#include <errno.h>

#include "name_page.h"
#include "pool.h"

enum { STATE_ROWS = 10, HOST_ROWS = 5, ROW_BYTES = 64, HOSTS_TOLD = 200 };

static const char *const host_states[HOST_STATES] = {
    [HOST_STARTING] = "starting",
    [HOST_SERVING] = "serving",
    [HOST_DRAINING] = "draining",
    [HOST_KILLED] = "killed",
};

/* Rows, and room for their names. */
struct rows {
    struct counter *row;
    char *text;
    size_t n, text_n, text_size;
};

static void put(struct rows *rows, uint64_t value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void put(struct rows *rows, uint64_t value, const char *format, ...)
{
    va_list arguments;
    char *to = rows->text + rows->text_n;

    va_start(arguments, format);
    size_t size = text_writev(to, rows->text_size - rows->text_n, format, arguments);
    va_end(arguments);
    rows->text_n += size;
    rows->row[rows->n++] = (struct counter){.name = {to, size}, .value = value};
}

static uint64_t words_n(struct bytes list)
{
    struct bytes word;
    uint64_t n = 0;

    while (pool_word(&list, &word))
        n++;
    return n;
}

static uint64_t hosts_told(const struct pool *pool)
{
    uint64_t n = pool_hosts(pool);

    return n < HOSTS_TOLD ? n : HOSTS_TOLD;
}

/* 0 or -ENOMEM. */
static int rows_new(struct core *core, struct rows *rows, const struct pool *pool)
{
    size_t n = STATE_ROWS + POOL_NUMBER_FIELDS + HOST_ROWS * (size_t)hosts_told(pool);

    for (int i = POOL_NUMBER_FIELDS; i < POOL_FIELDS; i++)
        n += words_n(pool_part_list(&pool->sum, (enum pool_field)i));
    rows->text_size = n * ROW_BYTES + 2 * POOL_TEXT_MAX;
    rows->row = core_alloc(core, n * sizeof(*rows->row));
    rows->text = rows->row ? core_alloc(core, rows->text_size) : NULL;
    return rows->text ? 0 : -ENOMEM;
}

static uint64_t in_state(const struct core *core, const struct pool *pool, enum host_state state)
{
    const struct host *host;
    uint64_t n = 0;

    list_each (host, &core->jobs->hosts, link)
        n += host->crew->pool == pool && host->state == state;
    return n;
}

static void put_state(struct rows *rows, const struct core *core, const struct pool *pool)
{
    const struct {
        const char *name;
        uint64_t value;
    } states[] = {
        {"hosts", pool_hosts(pool)},
        {"starting", in_state(core, pool, HOST_STARTING)},
        {"serving", in_state(core, pool, HOST_SERVING)},
        {"draining", in_state(core, pool, HOST_DRAINING)},
        {"running", pool->runs},
        {"waiting", pool_ready(core, pool)},
        {"ended", pool->ended},
        {"started", pool->started},
        {"crashed", pool->died},
        {"drained", pool->sum.drained},
    };

    for (size_t i = 0; i < STATE_ROWS; i++)
        put(rows, states[i].value, "state.%s", states[i].name);
}

static void put_list(struct rows *rows, const char *origin, const char *name, struct bytes list)
{
    struct bytes word;

    while (pool_word(&list, &word))
        put(rows, 1, "%s.%s=%.*s", origin, name, (int)word.size, (const char *)word.data);
}

static void put_settings(struct rows *rows, const struct pool *pool)
{
    static const char *const origins[ORIGINS] = {"default", "config", "set"};

    for (int i = 0; i < POOL_FIELDS; i++) {
        const char *origin = origins[pool->origin[i]];
        if (i < POOL_NUMBER_FIELDS)
            put(rows, pool->sum.number[i], "%s.%s", origin, pool_rows[i].name);
        else
            put_list(rows, origin, pool_rows[i].name, pool_part_list(&pool->sum, (enum pool_field)i));
    }
}

static void put_host(struct rows *rows, const struct core *core, const struct host *host)
{
    unsigned long long number = host->number;
    int64_t age_ns = core->now.mono_ns - host->since_ns;

    put(rows, (uint64_t)host->pid, "host.%llu.pid", number);
    put(rows, 1, "host.%llu.state=%s", number, host_states[host->state]);
    put(rows, host->busy, "host.%llu.running", number);
    put(rows, host->done, "host.%llu.ended", number);
    put(rows, age_ns > 0 ? (uint64_t)age_ns / 1000000 : 0, "host.%llu.age", number);
}

static void put_hosts(struct rows *rows, const struct core *core, const struct pool *pool)
{
    uint64_t left = hosts_told(pool);
    const struct host *host;

    list_each (host, &core->jobs->hosts, link) {
        if (host->crew->pool != pool || !left)
            continue;
        put_host(rows, core, host);
        left--;
    }
}

int handle_pool_info(struct core *core, struct op *op, const struct request *request)
{
    struct bytes name = request->pool_info.name;
    const struct pool *pool = pool_find(core, name);
    struct rows rows = {.n = 0};

    if (!pool) {
        op_fail(core, op, -ENOENT, "no pool %.*s", (int)name.size, (const char *)name.data);
        return -ENOENT;
    }
    int r = rows_new(core, &rows, pool);
    if (r == 0) {
        put_state(&rows, core, pool);
        put_settings(&rows, pool);
        put_hosts(&rows, core, pool);
        r = op_answer(core, op, &(struct result){.stats = rows.row, .stats_n = rows.n});
    }
    core_free(core, rows.row);
    core_free(core, rows.text);
    return r;
}

int handle_pool_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_pool_list *list = &request->pool_list;
    const struct pool *pool;
    struct name_page page;
    struct counter *row;
    int r = name_page_new(core, &page, sizeof(*row), list->prefix, list->after, list->limit);

    if (r < 0)
        return r;
    list_each (pool, &core->jobs->pools, link) {
        row = name_page_place(&page, pool_name(pool));
        if (row)
            *row = (struct counter){.name = pool_name(pool), .value = pool_hosts(pool)};
    }
    r = op_answer(core, op,
                  &(struct result){.flags = name_page_flags(&page), .stats = page.row, .stats_n = page.n});
    core_free(core, page.row);
    return r;
}
