/*
 * G146 What ten thousand goroutines cost while they live, and getting it back: stacks of those that have ended are kept
 * for the next ones, until they are trimmed.
 *
 * Measure while they live. After their end it only shows what was kept.
 *
 * Pattern: memory per goroutine.
 */
#include "builds.h"
#include "goroutine_inspect.h"
#include "guide.h"
#include "resident.h"

enum { HELD = 10000, BYTES_MAX = 8192, TRIMS = 20, ROUNDS = 10 };

static void wait_closed(void *arg)
{
    must(go_chan_recv(*(go_chan **)arg, NULL, GO_FOREVER) == 0);
}

static go_chan *hold(int n)
{
    go_chan *closing = go_chan_new(0, 0);

    for (int i = 0; i < n; i++)
        must(go_spawn(wait_closed, &closing, sizeof closing) == 0);
    until_parked(n, "chan receive");
    return closing;
}

static void let_go(go_chan *closing)
{
    go_chan_close(closing);
    until_live(1);
    go_chan_unref(closing);
}

/* What is resident then. A processor gives the stacks that it keeps when it has nothing to do. */
static int64_t trimmed(void)
{
    int64_t least = INT64_MAX;

    for (int i = 0; i < TRIMS; i++) {
        go_trim();
        must(go_select(NULL, 0, go_after_us(100)) == -ETIMEDOUT);
        if (bytes_resident() < least)
            least = bytes_resident();
    }
    return least;
}

struct cost {
    int64_t start, during, end;
};

static struct cost measure(void)
{
    struct cost cost = {.start = trimmed()};
    go_chan *held = hold(HELD);
    struct go_stats stats;

    go_stats_read(&stats);
    cost.during = bytes_resident();
    /* "while 10,000 goroutines are held 10,001 live" */
    must(guide_is_job() || stats.live == HELD + 1); /* a host has others */
    let_go(held);
    cost.end = trimmed();
    return cost;
}

/* What the runtime needs to keep account of so many stays, on each processor from the first time on. */
static void memory(void)
{
    struct cost cost;
    int64_t each;

    for (int i = 0; i < ROUNDS; i++) {
        cost = measure();
        if (i > 0 && cost.end <= cost.start + cost.start / 10)
            break;
    }
    each = (cost.during - cost.start) / HELD;
    say("%lld bytes each", (long long)each);
    /* "the bytes of each are told, at most 8 KiB of them resident" */
    must(each > 0 && (SANITIZED || each <= BYTES_MAX));
    say("%lld bytes at the start, %lld with all, %lld at the end", (long long)cost.start,
        (long long)cost.during, (long long)cost.end);
    /* "after a trim what is resident is within 10 % of the start" */
    must(cost.end <= cost.start + cost.start / 10);
}

GUIDE_ROW(G146, memory, .no_race = "10,000 goroutines");
