/*
 * G145 What the runtime counts of itself, before, while and after a thousand goroutines are held; as a struct, and as
 * JSON for tools.
 *
 * Pattern: statistics of the runtime.
 */
#include <stdio.h>

#include "goroutine_inspect.h"
#include "guide.h"
#include "paper.h"

enum { HELD = 1000, KEYS_BYTES = 1024 };

struct snapshot {
    int64_t goroutines;
    struct go_memory memory;
    char *json;
};

/* A host has goroutines that are not of this job: they are left out. */
static struct snapshot snapshot_take(void)
{
    struct go_stats stats;
    struct snapshot s;
    int fd = paper();

    go_stats_read(&stats);
    s.goroutines = guide_is_job() ? go_group_live(go_group_current()) : stats.live;
    go_memory_read(&s.memory);
    must(go_stats_json(fd) == 0);
    s.json = paper_read(fd);
    say("%lld goroutines, %lld bytes in use of %lld, %llu in all", (long long)s.goroutines,
        (long long)s.memory.in_use, (long long)s.memory.from_system, (unsigned long long)s.memory.total);
    return s;
}

/* The keys of an object in their order, with what is in it in braces: "a,b{c,d}". */
static void keys_of(const char *json, char *keys, size_t size)
{
    size_t used = 0;

    for (const char *at = json; *at && used + 1 < size; at++) {
        if (*at == '{' || *at == '}')
            keys[used++] = *at;
        if (*at == ',')
            keys[used++] = ',';
        if (*at != '"')
            continue;
        for (at++; *at != '"' && used + 1 < size; at++)
            keys[used++] = *at;
    }
    keys[used] = '\0';
}

static void check_keys(const char *json)
{
    char keys[KEYS_BYTES];

    keys_of(json, keys, sizeof keys);
    /* "the keys of its JSON are fixed" */
    must(strcmp(
             keys,
             "{goroutines,parked,procs,procs_extra,spawned,ended,switches,parks,steals,wakeups,timers_fired,"
             "memory{in_use,total,from_system},stacks{count,mapped,resident},"
             "allocations{runtime,runtime_freed,user,user_freed}}") == 0);
}

static void check_memory(const struct snapshot *at, const struct snapshot *earlier)
{
    /* "memory: the total never falls" */
    must(at->memory.total >= earlier->memory.total);
    /* "what was taken from the system is never less than what is in use" */
    must(at->memory.from_system >= at->memory.in_use && at->memory.in_use > 0);
    check_keys(at->json);
}

static void statistics(void)
{
    struct snapshot before = snapshot_take(), during, after;
    struct gate gate = {0};

    for (int i = 0; i < HELD; i++)
        must(go_spawn((void (*)(void *))gate_pass, &gate, 0) == 0);
    gate_until(&gate, HELD);
    during = snapshot_take();
    gate_open(&gate);
    until_live(1);
    after = snapshot_take();
    /* "goroutines before, while and after 1000 are held: 1, 1001, 1, those of the runtime itself not counted" */
    must(before.goroutines == 1 && during.goroutines == 1001 && after.goroutines == 1);
    must(guide_is_job() || strstr(during.json, "{\"goroutines\":1001,"));
    check_memory(&before, &before);
    check_memory(&during, &before);
    check_memory(&after, &during);
    free(before.json);
    free(during.json);
    free(after.json);
}

GUIDE_ROW(G145, statistics);
