/*
 * G151 between processes: what other tools read of a job: folded stacks, a binary profile, and a page of metrics for a
 * scraper, which has the daemon's counters, too.
 *
 * Pattern: export for external monitoring.
 */
#include <inttypes.h>

#include "looking.h"

enum { DEEP = 5, DEEPER = 3, SAMPLE_FIELD = 2, VALUES_FIELD = 2, BYTES_TYPE = 2, PAGE_BYTES = 16384 };

static __attribute__((noinline)) void wait_closed(void *c)
{
    must(go_chan_recv(*(go_chan **)c, NULL, GO_FOREVER) == 0);
}

static __attribute__((noinline)) void wait_below(void *c)
{
    wait_closed(c);
    go_yield(); /* so this is no tail call */
}

static void crowd(struct part *me)
{
    go_chan *gate = go_chan_new(0, 0);
    go_waitgroup all = {0};
    char word[TEXT_BYTES];

    must(recv_text(me, chan_of(me, "orders"), word));
    for (int i = 0; i < DEEP + DEEPER; i++)
        must(go_waitgroup_go(&all, i < DEEP ? wait_closed : wait_below, &gate, sizeof gate) == 0);
    until_job_waits(DEEP + DEEPER, "chan receive");
    send_text(me, chan_of(me, "obeyed"), "%s", word);
    must(!recv_text(me, chan_of(me, "orders"), word));
    go_chan_close(gate);
    go_waitgroup_wait(&all);
    go_chan_unref(gate);
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

/* The first value of field `wanted`, or the sum of those of its messages' field `inner`. */
static uint64_t samples_total(const unsigned char *at, const unsigned char *end, unsigned wanted,
                              unsigned inner)
{
    uint64_t total = 0;

    while (at < end) {
        uint64_t key = varint(&at), value = varint(&at);
        bool bytes = (key & 7) == BYTES_TYPE;

        if (key >> 3 == wanted && !inner)
            return bytes ? varint(&at) : value;
        if (key >> 3 == wanted)
            total += samples_total(at, at + value, inner, 0);
        at += bytes ? value : 0;
    }
    return total;
}

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

/* ---- metrics ---- */

/* "memory.in_use" of `prefix` becomes a name that scrapers take. */
static int metrics_of(const struct gc_stats *stats, const char *prefix, char *page)
{
    int used = 0;

    for (size_t i = 0; i < stats->n; i++) {
        char name[TEXT_BYTES];

        snprintf(name, sizeof name, "%s%s", prefix, stats->items[i].name);
        for (char *at = name; *at; at++)
            *at = *at == '.' ? '_' : *at;
        used += snprintf(page + used, (size_t)(PAGE_BYTES / 2 - used), "# TYPE %s gauge\n%s %" PRIu64 "\n",
                         name, name, stats->items[i].value);
        must(used < PAGE_BYTES / 2);
    }
    return used;
}

static int64_t scraped(const char *page, const char *wanted)
{
    char comment[64], type[16], name[64];
    int64_t value, found = -1;
    int used;

    for (; *page; page += used) {
        must(sscanf(page, "# TYPE %63s %15s %63s %" SCNd64 "\n%n", comment, type, name, &value, &used) == 4);
        must(strcmp(comment, name) == 0 && strcmp(type, "gauge") == 0);
        if (strcmp(name, wanted) == 0)
            found = value;
    }
    return found;
}

/* "the same of a job, and of the daemon" */
static void make_page(struct part *me, gc_job job, char *page)
{
    struct gc_stats figures, stats = {0};
    int used;

    must(gc_figures(me->g, job, &figures, GC_FOREVER) > 0);
    must(gc_stats(me->g, NULL, &stats, GC_FOREVER) > 0);
    used = metrics_of(&figures, "job_", page);
    metrics_of(&stats, "daemon_", page + used);
    gc_stats_clear(&figures);
    gc_stats_clear(&stats);
}

static void looker(struct part *me)
{
    gc_job job = watched_job(me);
    char word[TEXT_BYTES], page[PAGE_BYTES];
    char *folded, *binary;
    size_t size;

    must(recv_text(me, chan_of(me, "look"), word));
    folded = ask(me, job, GC_ASK_GOROUTINES, false, NULL);
    binary = ask(me, job, GC_ASK_GOROUTINES, true, &size);
    must(strstr(folded, "wait_below;wait_closed;go_chan_recv 3\n"));
    say(me, "folded %" PRId64 ", binary %" PRIu64, folded_total(folded),
        samples_total((unsigned char *)binary, (unsigned char *)binary + size, SAMPLE_FIELD, VALUES_FIELD));
    make_page(me, job, page);
    say(me, "gauge %" PRId64, scraped(page, "job_goroutines"));
    must(scraped(page, "daemon_jobs_running") >= 1);
    free(folded);
    free(binary);
    send_text(me, chan_of(me, "looked"), "%s", word);
}

static void director(struct part *me)
{
    gc_job job = start_watched(me, "crowd");

    order(me, "stand");
    have_looked(me, "where");
    end_watched(me, job);
}

static void folded_and_metrics(void)
{
    /* "the folded lines sum to the samples of the same profile in its binary form" */
    /* "the page of metrics parses, and its gauge of goroutines is their number" */
    must(said(LINES("folded 9, binary 9", "gauge 9")));
}

GUIDE_PARTS(G151, folded_and_metrics, .channels = {LOOKING_CHANNELS},
            .parts = {PART(director), PART(looker), PART_WITH(crowd, .on_call = true)});
