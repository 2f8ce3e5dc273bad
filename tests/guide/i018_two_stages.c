/*
 * G18 between processes: two wait for the first of two stages. Its done signal must reach both, so it is a close.
 *
 * Pattern: close as broadcast. One value reaches one receiver; the other then waits for ever.
 */
#include "goclient_inspect.h"
#include "parts.h"

enum { FILES = 5 };

static void processor(struct part *me)
{
    for (int i = 1; i <= FILES; i++)
        say(me, "Processed file %d", i);
    say(me, "All files processed");
    step_done(me, "processed");
}

static void collect(struct part *me)
{
    say(me, "Collecting");
    say(me, "Results collected");
    send_text(me, chan_of(me, "collected"), "done");
}

static void collector(struct part *me)
{
    step_wait(me, "processed");
    collect(me);
}

static void main_part(struct part *me)
{
    char text[TEXT_BYTES];

    step_wait(me, "processed");
    must(recv_text(me, chan_of(me, "collected"), text));
    say(me, "Main: both stages completed");
}

static void two_stages(void)
{
    /* "files 1 to 5 in order, then "All files processed", "Collecting", "Results collected", main's line last" */
    must(said(LINES("Processed file 1", "Processed file 2", "Processed file 3", "Processed file 4",
                    "Processed file 5", "All files processed", "Collecting", "Results collected",
                    "Main: both stages completed")));
}

GUIDE_PARTS(G18, two_stages, .channels = {{"processed"}, {"collected"}},
            .parts = {PART(processor), PART(collector), PART(main_part)});

/* ---- wrong: the processor sends one value, and both wait for it ---- */

static void sends_one_value(struct part *me)
{
    send_text(me, chan_of(me, "processed"), "done");
}

/* Tells who it is, and gives its word that it does nothing else while it waits: what is proven rests on that. */
static void wait_for_one_value(struct part *me)
{
    char text[TEXT_BYTES];
    struct gc_about about;
    gc_chan collected = chan_of(me, "collected"); /* who has it open could go on there */

    must(gc_len(me->g, collected, GC_FOREVER) == 0);
    gc_about(me->g, &about);
    send_text(me, chan_of(me, me->name), "%llu", (unsigned long long)about.session);
    must(gc_callers(me->g, 1, GC_FOREVER) == 0);
    must(recv_text(me, chan_of(me, "processed"), text));
}

static void waits_and_collects(struct part *me)
{
    wait_for_one_value(me);
    collect(me);
}

static void waits_for_both(struct part *me)
{
    char text[TEXT_BYTES];

    wait_for_one_value(me);
    must(recv_text(me, chan_of(me, "collected"), text));
}

/* Says what is reported, and then sends the value that is missing. */
static void reporter(struct part *me)
{
    struct gc_parked_page page = {.n = 0};
    int collects, waits;

    must(recv_number(me, chan_of(me, "waits_and_collects"), &collects));
    must(recv_number(me, chan_of(me, "waits_for_both"), &waits));
    do {
        gc_parked_page_clear(&page);
        must(gc_deadlocks(me->g, 0, &page, GC_FOREVER) >= 0);
    } while (page.n == 0);
    for (size_t i = 0; i < page.n; i++) {
        const struct gc_parked *row = &page.items[i];

        must(row->flags & GC_PROVEN && row->group == page.items[0].group);
        must(row->session == (uint64_t)collects || row->session == (uint64_t)waits);
        say(me, "report: %s, %s", row->session == (uint64_t)collects ? "collector" : "main", row->reason);
    }
    gc_parked_page_clear(&page);
    send_text(me, chan_of(me, "processed"), "the one that is missing");
}

static void one_value_for_two(void)
{
    bool collected = strcmp(part_lines.line[0], "Collecting") == 0;

    /* "the version that sends one value ends with cause deadlock and a report" */
    /* "only reported" */
    must(said_times("report: main, channel receive") == 1);
    /* "which lists exactly main and the collector: both in receive if main got the value, the collector in send if it
     * did" */
    must(said_times(collected ? "report: collector, channel send" : "report: collector, channel receive") ==
         1);
    must(part_lines.n == 4);
}

GUIDE_PARTS(G18, one_value_for_two,
            .channels = {{"processed"}, {"collected"}, {"waits_and_collects"}, {"waits_for_both"}},
            .parts = {PART(sends_one_value), PART_WITH(waits_and_collects, .no_job = true),
                      PART_WITH(waits_for_both, .no_job = true), PART(reporter)});
