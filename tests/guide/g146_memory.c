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

enum { HELD = 10000, BYTES_MAX = 8192 };

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
static int64_t trim_down_to(int64_t wanted)
{
    do {
        go_trim();
        must(go_select(NULL, 0, go_after_us(100)) == -ETIMEDOUT);
        go_trim();
    } while (bytes_resident() > wanted);
    return bytes_resident();
}

static void memory(void)
{
    int64_t start, during, end, each;
    struct go_stats stats;
    go_chan *held;

    let_go(hold(HELD)); /* what the runtime needs to keep account of so many is there from now on */
    start = trim_down_to(GO_NS_FOREVER);
    held = hold(HELD);
    go_stats_read(&stats);
    during = bytes_resident();
    /* "while 10,000 goroutines are held 10,001 live" */
    must(guide_is_job() || stats.live == 10001); /* a host has others */
    each = (during - start) / HELD;
    say("%lld bytes each", (long long)each);
    /* "the bytes of each are told, at most 8 KiB of them resident" */
    must(each > 0 && (SANITIZED || each <= BYTES_MAX));
    let_go(held);
    end = trim_down_to(start + start / 10);
    say("%lld bytes at the start, %lld with all, %lld at the end", (long long)start, (long long)during,
        (long long)end);
    /* "after a trim what is resident is within 10 % of the start" */
    must(end <= start + start / 10);
}

GUIDE_ROW(G146, memory, .no_race = "10,000 goroutines");
