/*
 * G175 between processes: the ways in which a program grows for ever inside the daemon, each beside its repair: a job that
 * nobody ends, a channel that nobody lets go of, two that hold each other, and a collection that only grows.
 *
 * A channel need not be closed to be freed. Two that hold each other are found by the daemon once nobody else holds them.
 *
 * Pattern: everything has one that ends it, lets go of it, or limits it.
 */
#include "goclient_chan.h"
#include "goclient_context.h"
#include "goclient_inspect.h"
#include "parts.h"

enum { MANY = 1000, CACHE_ENTRIES = 10 };

/* ---- a job that nobody ends ---- */

static void waits_for_ever(struct part *me)
{
    struct gc_value none;
    gc_chan c;
    gc_ctx *ctx;

    must(gc_open(me->g, NULL, NULL, &c, GC_FOREVER) == 0);
    must(gc_context_open(me->g, "repair", &ctx, GC_FOREVER) == 0);
    must(gc_recv(me->g, c, &none, 0, gc_with(ctx)) == -ECANCELED);
    gc_ctx_free(ctx);
}

static int reported(struct part *me)
{
    struct gc_parked_page page;
    int n = 0;

    must(gc_leaks(me->g, 0, 0, &page, GC_FOREVER) >= 0);
    for (size_t i = 0; i < page.n; i++)
        n += (page.items[i].flags & GC_ALONE) != 0;
    gc_parked_page_clear(&page);
    return n;
}

static void jobs(struct part *me)
{
    struct gc_context_options options = {.size = sizeof options, .name = "repair"};
    gc_ctx *ctx;
    gc_job job;

    must(gc_context_derive(me->g, NULL, &options, &ctx, GC_FOREVER) == 0);
    job = submit_part(me, "waits_for_ever", 0);
    /* "a goroutine that nobody ends is in the report: 1" */
    while (reported(me) != 1)
        continue;
    must(gc_context_cancel(ctx, 0, NULL, GC_FOREVER) == 1);
    must(gc_wait(me->g, job, NULL, GC_FOREVER) == 1);
    /* "repaired with a context: 0" */
    must(reported(me) == 0);
    gc_ctx_free(ctx);
}

/* ---- channels ---- */

static void until_channels(struct part *me, uint64_t n)
{
    while (stat_of(me, "channels") != n)
        continue;
}

static void channels(struct part *me, uint64_t baseline)
{
    gc_chan kept[MANY];

    /* "1000 channels that nobody lets go of are 1000 allocations, closed or not" */
    for (int i = 0; i < MANY; i++) {
        must(gc_open(me->g, NULL, NULL, &kept[i], GC_FOREVER) == 0);
        must(i % 2 || gc_close(me->g, kept[i], GC_FOREVER) == 0);
    }
    must(stat_of(me, "channels") == baseline + MANY);
    /* "let go of they are none, closed or not" */
    for (int i = 0; i < MANY; i++)
        must(gc_drop(me->g, kept[i]) == 0);
    until_channels(me, baseline);
}

static void hold(struct part *me, gc_chan a, gc_chan b)
{
    must(gc_send(me->g, a, gc_carrying(gc_string(""), &(struct gc_passed){b, 0}, 1), GC_NOW) == 0);
}

/* Lets go of none of them. */
static void builds_circles(struct part *me)
{
    struct gc_chan_options one = {.size = sizeof one, .capacity = 1};
    gc_chan a, b;

    for (int i = 0; i < MANY; i++) {
        must(gc_open(me->g, NULL, &one, &a, GC_FOREVER) == 0);
        must(gc_open(me->g, NULL, &one, &b, GC_FOREVER) == 0);
        hold(me, a, b);
        hold(me, b, a);
    }
    send_number(me, chan_of(me, "built"), MANY);
    step_wait(me, "counted");
}

/* "handles that hold each other are freed when the job ends" */
static void circles(struct part *me, uint64_t baseline)
{
    gc_job job = submit_part(me, "builds_circles", 0);
    int pairs;

    must(recv_number(me, chan_of(me, "built"), &pairs) && pairs == MANY);
    must(stat_of(me, "channels") == baseline + 2 * MANY);
    step_done(me, "counted");
    must(gc_wait(me->g, job, NULL, GC_FOREVER) == 1);
    until_channels(me, baseline);
}

/* ---- collections ---- */

static void fill(struct part *me, const char *name)
{
    gc_chan c = chan_of(me, name);

    for (int i = 0; i < MANY; i++)
        send_number(me, c, i);
}

static void collections(struct part *me)
{
    fill(me, "grows");
    fill(me, "bounded");
    /* "a map that only grows holds all 1000" */
    must(gc_len(me->g, chan_of(me, "grows"), GC_FOREVER) == MANY);
    /* "a bounded cache holds 10 entries after 1000 were put" */
    must(gc_len(me->g, chan_of(me, "bounded"), GC_FOREVER) == CACHE_ENTRIES);
    step_done(me, "filled");
}

/* Another process has use for what they hold: of a bounded collection these are the newest. */
static void drainer(struct part *me)
{
    int number;

    step_wait(me, "filled");
    for (int i = 0; i < MANY; i++)
        must(recv_number(me, chan_of(me, "grows"), &number) && number == i);
    for (int i = MANY - CACHE_ENTRIES; i < MANY; i++)
        must(recv_number(me, chan_of(me, "bounded"), &number) && number == i);
}

static void table(struct part *me)
{
    gc_chan filled = chan_of(me, "filled");
    uint64_t baseline = stat_of(me, "channels");

    until_waiting(me, filled, 0, 1); /* the drainer waits, and for something that others have */
    jobs(me);
    channels(me, baseline);
    circles(me, baseline);
    collections(me);
    say(me, "each has its repair");
}

static void leak_table(void)
{
    must(said(LINES("each has its repair")));
}

GUIDE_PARTS(G175, leak_table,
            .channels = {{"built"},
                         {"counted"},
                         {"filled"},
                         {"grows", {.capacity = MANY}},
                         {"bounded", {.capacity = CACHE_ENTRIES, .full = GC_FULL_DROPS_OLDEST}}},
            .parts = {PART(table), PART(drainer), PART_WITH(waits_for_ever, .on_call = true),
                      PART_WITH(builds_circles, .on_call = true)});
