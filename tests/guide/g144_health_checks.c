/*
 * G144 Four checks say whether all is well: two are, one fails and one hangs. They run side by side, now and then every ten
 * seconds, until they are stopped.
 *
 * Pattern: health checks. Each has a timeout, and its result a place of its own.
 */
#include <stdio.h>

#include "goroutine_patterns.h"
#include "guide.h"

#define MS INT64_C(1000000)

enum { TIMEOUT_MS = 1000, PERIOD_MS = 10000, ROUNDS = 3, MAP_BYTES = 256, GOROUTINES_MAX = 100000 };

struct system {
    struct gate hanging;
    atomic_int asked; /* how often the database was */
};

static int check_goroutines(go_ctx *ctx, char *text, size_t text_bytes, void *unused)
{
    return go_live() < GOROUTINES_MAX ? 0 : -ENOSPC;
}

static int check_memory(go_ctx *ctx, char *text, size_t text_bytes, void *unused)
{
    struct go_stats stats;

    go_stats_read(&stats);
    return stats.stacks_bytes >= 0 ? 0 : -ENOMEM;
}

static int check_database(go_ctx *ctx, char *text, size_t text_bytes, void *arg)
{
    struct system *system = arg;

    atomic_fetch_add(&system->asked, 1);
    snprintf(text, text_bytes, "down");
    return -ECONNREFUSED;
}

/* It does not look at its context either. */
static int check_slow(go_ctx *ctx, char *text, size_t text_bytes, void *arg)
{
    struct system *system = arg;

    gate_pass(&system->hanging);
    return 0;
}

static go_health *checks_new(struct system *system)
{
    go_health *checks = go_health_new();

    must(go_health_add(checks, "goroutine_count", check_goroutines, NULL, TIMEOUT_MS * MS) == 0);
    must(go_health_add(checks, "memory_usage", check_memory, NULL, TIMEOUT_MS * MS) == 0);
    must(go_health_add(checks, "db", check_database, system, TIMEOUT_MS * MS) == 0);
    must(go_health_add(checks, "slow", check_slow, system, TIMEOUT_MS * MS) == 0);
    return checks;
}

static void say_map(go_health *checks)
{
    struct go_health_result result;
    char map[MAP_BYTES];
    int used = snprintf(map, sizeof map, "{");

    for (int i = 0; go_health_read(checks, i, &result) == 1; i++) {
        const char *why = result.code == -ETIMEDOUT ? "timeout" : result.text;

        used += snprintf(map + used, sizeof map - (size_t)used, "%s%s: %s%s", i ? ", " : "", result.name,
                         result.code == 0 ? "OK" : "ERROR - ", result.code == 0 ? "" : why);
    }
    say("%s}", map);
}

static void check_all(void *unused)
{
    struct system system = {0};
    go_health *checks = checks_new(&system);

    /* "if any fails the whole does: 2 are not well" */
    must(go_health_run(checks, GO_FOREVER) == 2);
    must(fake_ms() == TIMEOUT_MS);
    say_map(checks);
    /* "the map is {goroutine_count: OK, memory_usage: OK, db: ERROR - down, slow: ERROR - timeout}" */
    must(said(LINES("{goroutine_count: OK, memory_usage: OK, db: ERROR - down, slow: ERROR - timeout}")));
    gate_open(&system.hanging);
    go_health_close(checks);
    must(go_health_wait(checks, GO_FOREVER) == 0);
    go_health_unref(checks);
}

static void on_ticker(void *unused)
{
    struct system system = {.hanging.open = true};
    go_health *checks = checks_new(&system);

    must(go_health_every(checks, PERIOD_MS * MS) == 0);
    go_sleep(go_after_ms(PERIOD_MS * (ROUNDS - 1)));
    go_bubble_wait();
    /* "on the ticker they run at 0, 10 and 20 s" */
    must(atomic_load(&system.asked) == ROUNDS);
    go_health_close(checks);
    must(go_health_wait(checks, GO_FOREVER) == 0);
    go_sleep(go_after_ms(PERIOD_MS));
    /* "stop ends it" */
    must(atomic_load(&system.asked) == ROUNDS && go_health_run(checks, GO_FOREVER) == -EPIPE);
    go_health_unref(checks);
}

static void health_checks(void)
{
    on_fake_clock(check_all, NULL);
    on_fake_clock(on_ticker, NULL);
}

GUIDE_ROW(G144, health_checks);
