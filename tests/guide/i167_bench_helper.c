/*
 * G167 between processes: a helper finds how often to repeat an operation, and measures it with one worker and with four.
 *
 * Pattern: benchmark helper.
 */
#include <time.h>

#include "parts.h"

enum { WORKERS = 4, LEAST_MS = 20, MOST = 1 << 16 };

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void work(struct part *me, const char *channel)
{
    gc_chan jobs = chan_of(me, channel), results = chan_of(me, "results");
    int job;

    while (recv_number(me, jobs, &job))
        send_number(me, results, job);
}

/* The first of them works alone before it works with the others. */
static void worker(struct part *me)
{
    if (me->index == 0)
        work(me, "for_one");
    work(me, "for_all");
}

/* One round: the time of n operations, each a job and its result. */
static int64_t measure(struct part *me, gc_chan jobs, int n, int ahead)
{
    gc_chan results = chan_of(me, "results");
    int64_t begun = now_ns();
    int consumed = 0, result;

    for (int i = 0; i < n; i++) {
        send_number(me, jobs, i);
        if (i >= ahead)
            consumed += recv_number(me, results, &result);
    }
    while (consumed < n)
        consumed += recv_number(me, results, &result);
    /* "N operations over the daemon, and the same three figures": exactly N results are consumed */
    must(consumed == n);
    return now_ns() - begun;
}

/* Repeats more often until it takes long enough to be measured. */
static void bench(struct part *me, const char *name, const char *channel, int ahead)
{
    gc_chan jobs = chan_of(me, channel);
    int64_t ns;
    int n = 1;

    while ((ns = measure(me, jobs, n, ahead)) < LEAST_MS * 1000000 && n < MOST)
        n *= 4;
    close_chan(me, jobs);
    say(me, "%s: %d operations, %lld ns each", name, n, (long long)(ns / n));
}

static void helper(struct part *me)
{
    bench(me, "1 worker", "for_one", 1);
    bench(me, "4 workers", "for_all", 4);
}

static void bench_helper(void)
{
    must(part_lines.n == 2);
    for (size_t i = 0; i < part_lines.n; i++) {
        int workers, n;
        long long ns;

        must(sscanf(part_lines.line[i], "%d worker%*[s:] %d operations, %lld ns each", &workers, &n, &ns) ==
             3);
        must(workers == (i == 0 ? 1 : WORKERS) && n > 0 && ns > 0);
    }
}

GUIDE_PARTS(G167, bench_helper, .channels = {{"for_one"}, {"for_all"}, {"results", {.capacity = WORKERS}}},
            .parts = {PARTS(WORKERS, worker), PART(helper)});
