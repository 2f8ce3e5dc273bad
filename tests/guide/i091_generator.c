/*
 * G91 between processes: a generator gives its values to whoever ranges over its channel; one without end is cancelled.
 *
 * Pattern: generator.
 */
#include "goclient_context.h"
#include "parts.h"

static void even(struct part *me)
{
    gc_chan out = chan_of(me, "even");

    for (int i = 0; i <= 10; i += 2) {
        say(me, "made %d", i);
        send_number(me, out, i);
    }
    close_chan(me, out);
}

/* Until somebody cancels its context: then its send fails. */
static void endless(struct part *me)
{
    gc_chan out = chan_of(me, "endless");
    gc_ctx *ctx;
    int r = 0;

    must(gc_context_open(me->g, "generator", &ctx, GC_FOREVER) == 0);
    for (int i = 0; r == 0; i += 2) {
        char text[16];

        snprintf(text, sizeof text, "%d", i);
        r = gc_send(me->g, out, gc_string(text), gc_with(ctx));
    }
    must(r == -ECANCELED);
    gc_ctx_free(ctx);
    say(me, "the endless one ends");
}

static void consumer(struct part *me)
{
    gc_chan in = chan_of(me, "even");
    int number;

    until_waiting(me, in, 1, 0);
    while (recv_number(me, in, &number))
        say(me, "got %d", number);
    say(me, "closed");
}

static void canceller(struct part *me)
{
    struct gc_context_options named = {.size = sizeof named, .name = "generator"};
    gc_chan in = chan_of(me, "endless");
    gc_ctx *ctx;
    gc_job job;
    int number;

    must(gc_context_derive(me->g, NULL, &named, &ctx, GC_FOREVER) == 0);
    job = submit_part(me, "endless", 0);
    for (int i = 0; i < 3; i++)
        must(recv_number(me, in, &number) && number == 2 * i);
    until_waiting(me, in, 1, 0);
    /* "one without end ends when its context is cancelled" */
    must(gc_context_cancel(ctx, 0, NULL, GC_FOREVER) == 1);
    must(gc_wait(me->g, job, NULL, GC_FOREVER) == 1);
    gc_ctx_free(ctx);
    until_waiting(me, in, 0, 0);
}

static void generator(void)
{
    int made = 0, got = 0;

    must(said_times("the endless one ends") == 1);
    /* "exactly 0, 2, 4, 6, 8, 10, then closed" */
    must(said_by("got", LINES("got 0", "got 2", "got 4", "got 6", "got 8", "got 10")) &&
         said_times("closed") == 1);
    for (size_t i = 0; i < part_lines.n; i++) {
        made += strncmp(part_lines.line[i], "made", 4) == 0;
        got += strncmp(part_lines.line[i], "got", 3) == 0;
        /* "lazy: at most one value is made ahead"; the line of one that was got may be under way */
        must(made - got <= 2);
    }
}

GUIDE_PARTS(G91, generator, .channels = {{"even"}, {"endless"}},
            .parts = {PART(even), PART(consumer), PART(canceller), PART_WITH(endless, .on_call = true)});
