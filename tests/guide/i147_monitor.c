/*
 * G147 between processes: a process watches how many goroutines a job has, and warns when they become too many.
 *
 * Pattern: goroutine monitor.
 */
#include <inttypes.h>

#include "looking.h"

enum { WORKERS = 10, MOST = 11 };

static void wait_closed(void *c)
{
    must(go_chan_recv(*(go_chan **)c, NULL, GO_FOREVER) == 0);
}

/* The job has a monitor of its own, too: it is told to quit by a close. */
static void pool(struct part *me)
{
    gc_chan orders = chan_of(me, "orders");
    go_chan *gate = go_chan_new(0, 0), *quit = go_chan_new(0, 0);
    go_waitgroup workers = {0}, monitor = {0};
    char word[TEXT_BYTES];

    while (recv_text(me, orders, word)) {
        if (strcmp(word, "work") == 0) {
            must(go_waitgroup_go(&monitor, wait_closed, &quit, sizeof quit) == 0);
            for (int i = 0; i < WORKERS; i++)
                must(go_waitgroup_go(&workers, wait_closed, &gate, sizeof gate) == 0);
        } else if (strcmp(word, "release") == 0) {
            go_chan_close(gate);
            go_waitgroup_wait(&workers);
        } else {
            go_chan_close(quit);
            go_waitgroup_wait(&monitor);
        }
        send_text(me, chan_of(me, "obeyed"), "%s", word);
    }
    go_chan_unref(gate);
    go_chan_unref(quit);
}

static uint64_t goroutines_of(struct part *me, gc_job job)
{
    struct gc_stats figures;
    uint64_t n;

    must(gc_figures(me->g, job, &figures, GC_FOREVER) > 0);
    must(strcmp(figures.items[0].name, "goroutines") == 0);
    n = figures.items[0].value;
    gc_stats_clear(&figures);
    return n;
}

/* "the same counts of a job" */
static void looker(struct part *me)
{
    gc_job job = watched_job(me);
    uint64_t last = 0, now;
    char word[TEXT_BYTES];

    while (recv_text(me, chan_of(me, "look"), word)) {
        now = goroutines_of(me, job);
        say(me, "%" PRIu64 " goroutines", now);
        if (now > MOST && last <= MOST)
            say(me, "warning: %" PRIu64 " goroutines, %d are expected at most", now, MOST);
        last = now;
        send_text(me, chan_of(me, "looked"), "%s", word);
    }
}

static void director(struct part *me)
{
    gc_job job = start_watched(me, "pool");

    have_looked(me, "at the start");
    order(me, "work");
    have_looked(me, "at work");
    have_looked(me, "again");
    order(me, "release");
    have_looked(me, "after it");
    order(me, "quit");
    have_looked(me, "at the end");
    end_watched(me, job);
}

static void monitor(void)
{
    /* "12 while 10 workers are held, main and the monitor among them", "2 after them, 1 after the monitor was told to
     * quit", "growth over a set limit of 11 is warned of in one line" */
    must(said(LINES("1 goroutines", "12 goroutines", "warning: 12 goroutines, 11 are expected at most",
                    "12 goroutines", "2 goroutines", "1 goroutines")));
}

GUIDE_PARTS(G147, monitor, .channels = {LOOKING_CHANNELS},
            .parts = {PART(director), PART(looker), PART_WITH(pool, .on_call = true)});
