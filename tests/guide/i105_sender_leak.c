/*
 * G105 between processes: a job sends a value, and nobody receives it: it waits for ever, and so does all that it holds.
 * Two versions that cannot: one has room for the value, the other one listens to a context.
 *
 * Pattern: whoever starts a job knows how it will end.
 */
#include "goclient_context.h"
#include "goclient_inspect.h"
#include "parts.h"

enum { BAD, GOOD, BEST, KINDS };

static void send_and_hope(struct part *me)
{
    send_number(me, chan_of(me, "nobody_receives"), 42);
}

/* It could end without a receiver, too. */
static void send_buffered(struct part *me)
{
    send_number(me, chan_of(me, "buffered"), 42);
}

static void send_or_end(struct part *me)
{
    gc_ctx *ctx;

    must(gc_context_open(me->g, "best", &ctx, GC_FOREVER) == 0);
    struct gc_case cases[] = {gc_case_send(chan_of(me, "unbuffered"), gc_string("42")), gc_case_context(ctx)};
    say(me, gc_select(me->g, cases, 2, 0, GC_FOREVER) == 0 ? "Sent value" : "Cancelled");
    gc_ctx_free(ctx);
}

/* A process that wants two of the values. */
static void receiver(struct part *me)
{
    static const char *const from[] = {"buffered", "unbuffered"};
    int value;

    for (int i = 0; i < 2; i++) {
        must(recv_number(me, chan_of(me, from[i]), &value));
        say(me, "Received: %d", value);
    }
}

/* Those who have not ended: we, and the jobs that we have started. */
static void say_count(struct part *me, const char *when, const gc_job *job, int jobs)
{
    int n = 1;

    for (int i = 0; i < jobs; i++)
        n += job_state(me, job[i]) < GC_JOB_DONE;
    say(me, "%s: %d goroutines", when, n);
}

/* By its name: whoever opens the channel could receive from it. */
static void until_somebody_sends(struct part *me)
{
    struct gc_chan_info info;

    do {
        must(gc_chan_stat(me->g, "nobody_receives", &info, GC_FOREVER) == 0);
    } while (info.senders == 0);
}

/* "the report lists exactly the bad one: a send, in the goroutine of send_and_hope" */
static void check_report(struct part *me, gc_job bad)
{
    struct gc_parked_page page = {.n = 0};
    struct gc_job_info info = {0};
    int leaks = 0;

    must(gc_job_info(me->g, bad, &info, GC_FOREVER) == 0);
    must(gc_leaks(me->g, 0, 0, &page, GC_FOREVER) >= 0);
    for (size_t i = 0; i < page.n; i++) {
        const struct gc_parked *row = &page.items[i];

        if (!(row->flags & GC_ALONE))
            continue;
        leaks++;
        must(strcmp(row->verb, "send") == 0 && strcmp(row->object, "nobody_receives") == 0);
        must(row->run == info.run && row->age_ns >= 0);
    }
    must(leaks == 1);
    gc_parked_page_clear(&page);
    gc_job_info_clear(&info);
}

static void main_part(struct part *me)
{
    struct gc_context_options options = {.size = sizeof options, .name = "best"};
    gc_job job[KINDS];
    gc_ctx *ctx;
    int value;

    say_count(me, "Start", job, 0);
    job[BAD] = submit_part(me, "send_and_hope", 0);
    until_somebody_sends(me);
    say_count(me, "After bad example", job, 1);
    job[GOOD] = submit_part(me, "send_buffered", 0);
    must(gc_wait(me->g, job[GOOD], NULL, GC_FOREVER) == 1);
    say_count(me, "After good example", job, 2);
    must(gc_context_derive(me->g, NULL, &options, &ctx, GC_FOREVER) == 0);
    job[BEST] = submit_part(me, "send_or_end", 0);
    must(gc_wait(me->g, job[BEST], NULL, GC_FOREVER) == 1);
    gc_ctx_free(ctx);
    say_count(me, "After best example", job, 3);
    check_report(me, job[BAD]);
    say_count(me, "At the end", job, 3);
    must(recv_number(me, chan_of(me, "nobody_receives"), &value)); /* we still can: so it ends clean */
    must(gc_wait(me->g, job[BAD], NULL, GC_FOREVER) == 1);
}

static void sender_leak(void)
{
    /* "the counts are 1, 2, 2, 2 and still 2 at the end: nothing collects a goroutine that waits" */
    must(said_by("Start", LINES("Start: 1 goroutines")));
    must(said_by("A", LINES("After bad example: 2 goroutines", "After good example: 2 goroutines",
                            "After best example: 2 goroutines", "At the end: 2 goroutines")));
    /* ""Received: 42" twice, "Sent value" once" */
    must(said_times("Received: 42") == 2 && said_times("Sent value") == 1);
}

GUIDE_PARTS(G105, sender_leak,
            .channels = {{"nobody_receives"}, {"buffered", {.capacity = 1}}, {"unbuffered"}},
            .parts = {PART(main_part), PART(receiver), PART_WITH(send_and_hope, .on_call = true),
                      PART_WITH(send_buffered, .on_call = true), PART_WITH(send_or_end, .on_call = true)});
