/*
 * G151 What other tools read: folded stacks, from which flame graphs are drawn, and a page of metrics for a scraper.
 *
 * Pattern: export for external monitoring.
 */
#include <inttypes.h>
#include <stdio.h>

#include "goroutine_inspect.h"
#include "guide.h"
#include "paper.h"

enum { DEEP = 5, DEEPER = 3, SAMPLE_FIELD = 2, VALUES_FIELD = 2, BYTES_TYPE = 2 };

static __attribute__((noinline)) void wait_closed(void *c)
{
    must(go_chan_recv(*(go_chan **)c, NULL, GO_FOREVER) == 0);
}

static __attribute__((noinline)) void wait_below(void *c)
{
    wait_closed(c);
    go_yield(); /* so this is no tail call */
}

static char *goroutine_profile(enum go_profile_format format, size_t *size)
{
    int fd = paper();

    must(go_goroutine_profile(go_group_current(), fd, format) == 0);
    *size = (size_t)lseek(fd, 0, SEEK_END);
    return paper_read(fd);
}

/* ---- folded: "outer;inner 7" ---- */

static int64_t folded_total(const char *text)
{
    int64_t total = 0;
    char stack[1024];
    long count;

    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        must(sscanf(text, "%1023s %ld\n", stack, &count) == 2 && count > 0);
        must(stack[0] != ';' && !strstr(stack, ";;"));
        total += count;
    }
    return total;
}

/* ---- profile.proto: as much of it as is needed to add up the samples ---- */

static uint64_t varint(const unsigned char **at)
{
    uint64_t value = 0;

    for (int shift = 0;; shift += 7) {
        value |= (uint64_t)(**at & 0x7f) << shift;
        if (!(*(*at)++ & 0x80))
            return value;
    }
}

/* The first of a sample's values: how many. */
static uint64_t sample_count(const unsigned char *at, const unsigned char *end)
{
    while (at < end) {
        uint64_t key = varint(&at), value = varint(&at);

        if (key >> 3 == VALUES_FIELD)
            return (key & 7) == BYTES_TYPE ? varint(&at) : value;
        if ((key & 7) == BYTES_TYPE)
            at += value;
    }
    return 0;
}

static uint64_t samples_total(const unsigned char *at, size_t size)
{
    const unsigned char *end = at + size;
    uint64_t total = 0;

    while (at < end) {
        uint64_t key = varint(&at), value = varint(&at);

        if (key >> 3 == SAMPLE_FIELD)
            total += sample_count(at, at + value);
        if ((key & 7) == BYTES_TYPE)
            at += value;
    }
    return total;
}

/* ---- metrics ---- */

static int64_t goroutines(void)
{
    return guide_is_job() ? go_group_live(go_group_current()) : go_live();
}

static void metric(int fd, const char *name, const char *type, int64_t value)
{
    must(dprintf(fd, "# TYPE %s %s\n%s %" PRId64 "\n", name, type, name, value) > 0);
}

static char *metrics_page(void)
{
    struct go_stats stats;
    struct go_memory memory;
    int fd = paper();

    go_stats_read(&stats);
    go_memory_read(&memory);
    metric(fd, "goroutines", "gauge", goroutines());
    metric(fd, "goroutines_started_total", "counter", (int64_t)stats.spawned);
    metric(fd, "memory_in_use_bytes", "gauge", memory.in_use);
    return paper_read(fd);
}

static int64_t scraped(const char *page, const char *wanted)
{
    char comment[64], type[16], name[64];
    int64_t value, found = -1;
    int used;

    for (; *page; page += used) {
        must(sscanf(page, "# TYPE %63s %15s %63s %" SCNd64 "\n%n", comment, type, name, &value, &used) == 4);
        must(strcmp(comment, name) == 0 && (strcmp(type, "gauge") == 0 || strcmp(type, "counter") == 0));
        if (strcmp(name, wanted) == 0)
            found = value;
    }
    return found;
}

static void folded_and_metrics(void)
{
    go_chan *c = go_chan_new(0, 0);
    char *folded, *binary, *page;
    size_t size;

    for (int i = 0; i < DEEP + DEEPER; i++)
        must(go_spawn(i < DEEP ? wait_closed : wait_below, &c, sizeof c) == 0);
    until_waiting(DEEP + DEEPER);
    folded = goroutine_profile(GO_PROFILE_FOLDED, &size);
    binary = goroutine_profile(GO_PROFILE_PPROF, &size);
    page = metrics_page();
    say("%s%s", folded, page);
    must(strstr(folded, "wait_below;wait_closed;go_chan_recv 3\n"));
    /* "the folded lines sum to the samples of the same profile in its binary form" */
    must(folded_total(folded) == 9 && samples_total((const unsigned char *)binary, size) == 9);
    /* "the page of metrics parses, and its gauge of goroutines is their number" */
    must(scraped(page, "goroutines") == goroutines() && goroutines() == 9);
    free(folded);
    free(binary);
    free(page);
    go_chan_close(c);
    until_live(1);
    go_chan_unref(c);
}

GUIDE_ROW(G151, folded_and_metrics);
