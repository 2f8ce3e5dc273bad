/*
 * G145 between processes: what is counted of a job, before, while and after it holds a thousand goroutines, is asked from
 * outside by its number; and what the daemon counts of itself.
 *
 * Pattern: statistics of the runtime.
 */
#include <inttypes.h>

#include "looking.h"

enum { HELD = 1000, JSON_BYTES = 4096 };

static void wait_closed(void *c)
{
    must(go_chan_recv(*(go_chan **)c, NULL, GO_FOREVER) == 0);
}

static void holder(struct part *me)
{
    gc_chan orders = chan_of(me, "orders");
    go_chan *gate = go_chan_new(0, 0);
    go_waitgroup held = {0};
    char word[TEXT_BYTES];

    while (recv_text(me, orders, word)) {
        if (strcmp(word, "hold") == 0) {
            for (int i = 0; i < HELD; i++)
                must(go_waitgroup_go(&held, wait_closed, &gate, sizeof gate) == 0);
            until_job_waits(HELD, "chan receive");
        } else {
            go_chan_close(gate);
            go_waitgroup_wait(&held);
            while (go_group_live(go_group_current()) != 1)
                go_yield(); /* the last has said that it is done, and is on its way out */
        }
        send_text(me, chan_of(me, "obeyed"), "%s", word);
    }
    go_chan_unref(gate);
}

static uint64_t value_of(const struct gc_stats *stats, const char *name)
{
    for (size_t i = 0; i < stats->n; i++)
        if (strcmp(stats->items[i].name, name) == 0)
            return stats->items[i].value;
    must(!"such a figure");
    return 0;
}

/* {"goroutines":1,…} */
static void json_of(const struct gc_stats *stats, char *json)
{
    int used = snprintf(json, JSON_BYTES, "{");

    for (size_t i = 0; i < stats->n; i++)
        used += snprintf(json + used, (size_t)(JSON_BYTES - used), "%s\"%s\":%" PRIu64, i ? "," : "",
                         stats->items[i].name, stats->items[i].value);
    must(used + 2 < JSON_BYTES);
    strcpy(json + used, "}");
}

static void must_have_keys(const struct gc_stats *figures)
{
    static const char *const keys[] = {
        "goroutines",      "host.goroutines", "host.parked",        "host.procs",        "host.spawned",
        "host.ended",      "host.switches",   "host.parks",         "host.timers_fired", "host.resident",
        "host.memory_max", "memory.in_use",   "memory.from_system", "memory.total",      "stacks",
        "stacks.bytes",    "stacks.resident", "allocations",        "allocations.freed"};

    /* "the keys of its JSON are fixed" */
    must(figures->n == sizeof keys / sizeof *keys);
    for (size_t i = 0; i < figures->n; i++)
        must(strcmp(figures->items[i].name, keys[i]) == 0);
}

/* "the same figures of a job and of the daemon, as JSON" */
static void look_at_all(struct part *me, gc_job job, uint64_t *total)
{
    struct gc_stats figures, stats = {0};
    char json[JSON_BYTES];

    must(gc_figures(me->g, job, &figures, GC_FOREVER) > 0);
    must_have_keys(&figures);
    say(me, "%" PRIu64 " goroutines", value_of(&figures, "goroutines"));
    /* "memory: the total never falls" */
    must(value_of(&figures, "memory.total") >= *total);
    *total = value_of(&figures, "memory.total");
    /* "what was taken from the system is never less than what is in use" */
    must(value_of(&figures, "memory.from_system") >= value_of(&figures, "memory.in_use"));
    json_of(&figures, json);
    must(strncmp(json, "{\"goroutines\":", strlen("{\"goroutines\":")) == 0);
    must(gc_stats(me->g, "jobs.", &stats, GC_FOREVER) > 0 && value_of(&stats, "jobs.running") >= 1);
    json_of(&stats, json);
    must(strstr(json, "\"jobs.running\":"));
    gc_stats_clear(&figures);
    gc_stats_clear(&stats);
}

static void looker(struct part *me)
{
    gc_job job = watched_job(me);
    char word[TEXT_BYTES];
    uint64_t total = 0;

    while (recv_text(me, chan_of(me, "look"), word)) {
        look_at_all(me, job, &total);
        send_text(me, chan_of(me, "looked"), "%s", word);
    }
}

static void director(struct part *me)
{
    gc_job job = start_watched(me, "holder");

    have_looked(me, "before");
    order(me, "hold");
    have_looked(me, "while");
    order(me, "release");
    have_looked(me, "after");
    end_watched(me, job);
}

static void statistics(void)
{
    /* "goroutines before, while and after 1000 are held: 1, 1001, 1, those of the runtime itself not counted" */
    must(said(LINES("1 goroutines", "1001 goroutines", "1 goroutines")));
}

GUIDE_PARTS(G145, statistics, .channels = {LOOKING_CHANNELS},
            .parts = {PART(director), PART(looker), PART_WITH(holder, .on_call = true)});
