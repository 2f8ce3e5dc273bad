/*
 * G142 between processes: a daemon shall stop its jobs. When all look at their context they end at once; of one that does not
 * the goroutine is named with its stack when five seconds are over, or at a second request, and its host is killed.
 *
 * Pattern: graceful shutdown with a timeout. Who gives up must not end as if all were well.
 */
#include "goclient_context.h"
#include "looking.h"

enum { LIMIT_MS = 5000, EXIT_FORCED = 3 };

/* Looks at what tells it to end. */
static void task(struct part *me)
{
    char text[TEXT_BYTES];

    must(!recv_text(me, chan_of(me, "stop"), text));
    say(me, "task shutting down");
}

/* Wrong. */
static __attribute__((noinline)) void ignore_all(struct part *me)
{
    char text[TEXT_BYTES];

    must(!recv_text(me, chan_of(me, "never"), text));
}

static void stuck(struct part *me)
{
    ignore_all(me);
    say(me, "never");
}

static enum gc_job_state state_of(struct part *me, gc_job job)
{
    struct gc_job_info info = {0};
    enum gc_job_state state;

    must(gc_job_info(me->g, job, &info, GC_FOREVER) == 0);
    state = info.state;
    gc_job_info_clear(&info);
    return state;
}

/* The exit status of a server that shuts down: 0 if all has ended, and not 0 if it was forced. */
static int shut_down(struct part *me, gc_job job, gc_until until)
{
    int r = gc_drain(me->g, GC_DRAIN_BEGIN, until);
    char *stacks;

    if (r == 0)
        return 0;
    must(r == -ETIMEDOUT || r == -ECANCELED);
    stacks = ask(me, job, GC_ASK_STACKS, false, NULL);
    /* "the stuck goroutine is named with its stack" */
    must(strstr(stacks, "    ignore_all+0x"));
    free(stacks);
    /* "its host is killed" */
    must(gc_drain(me->g, GC_DRAIN_FORCE, GC_FOREVER) == 0);
    must(state_of(me, job) == GC_JOB_READY);
    say(me, "Shutdown timeout, forcing exit");
    return EXIT_FORCED;
}

/* The job that was killed would be started again: it is given up. */
static void start_again(struct part *me, gc_job job)
{
    must(gc_job_cancel(me->g, job, "given up", GC_FOREVER) == 0);
    must(gc_drain(me->g, GC_DRAIN_END, GC_FOREVER) == 0);
}

static void all_look(struct part *me)
{
    gc_job job = submit_part(me, "task", 0);

    until_waiting(me, chan_of(me, "stop"), 0, 1);
    step_done(me, "stop");
    /* "when all look at the context the server stops at once" */
    must(shut_down(me, job, GC_FOREVER) == 0);
    must(gc_drain(me->g, GC_DRAIN_END, GC_FOREVER) == 0);
    say(me, "Server stopped");
}

static void one_ignores_it(struct part *me)
{
    gc_job job = submit_part(me, "stuck", 0);
    gc_ctx *limit;

    until_waiting(me, chan_of(me, "never"), 0, 1);
    must(gc_context_with_timeout(me->g, NULL, LIMIT_MS, &limit, GC_FOREVER) == 0);
    step_done(me, "stuck_runs");
    must(shut_down(me, job, gc_with(limit)) != 0);
    gc_ctx_free(limit);
    start_again(me, job);
}

/* The second signal is a cancel, here of the context of the wait. */
static void second_signal(struct part *me)
{
    gc_job job = submit_part(me, "stuck", 0);
    gc_ctx *signal;

    until_waiting(me, chan_of(me, "never"), 0, 1);
    must(gc_context_new(me->g, &signal, GC_FOREVER) == 0);
    must(gc_context_cancel(signal, 0, NULL, GC_FOREVER) == 1);
    /* "a second signal forces the exit at once" */
    must(shut_down(me, job, gc_with(signal)) != 0);
    gc_ctx_free(signal);
    start_again(me, job);
}

/* Has nothing to do with it, and ends before. */
static void bystander(struct part *me)
{
    must(gc_ping(me->g, GC_FOREVER) == 0);
    step_done(me, "begun");
}

static void server(struct part *me)
{
    step_wait(me, "begun");
    while (stat_of(me, "jobs.running") > 0)
        ;
    all_look(me);
    one_ignores_it(me);
    second_signal(me);
    step_done(me, "ended");
}

/* Moves the clock when the server waits for what is stuck. */
static void clock_hand(struct part *me)
{
    struct gc_parked_filter drains = {.size = sizeof drains};
    bool waits = false;

    step_wait(me, "stuck_runs");
    while (!waits) {
        struct gc_parked_page page;

        must(gc_parked(me->g, &drains, &page, GC_FOREVER) >= 0);
        for (size_t i = 0; i < page.n; i++)
            waits |= strcmp(page.items[i].verb, "drain") == 0;
        gc_parked_page_clear(&page);
    }
    advance_ms(me, LIMIT_MS - 1);
    say(me, "%d ms are over", LIMIT_MS - 1);
    advance_ms(me, 1);
    step_wait(me, "ended");
}

static void shutdown_timeout(void)
{
    /* "one ignores it: "Shutdown timeout, forcing exit" at 5 s, and the exit status is not 0" */
    must(said(LINES("task shutting down", "Server stopped", "4999 ms are over",
                    "Shutdown timeout, forcing exit", "Shutdown timeout, forcing exit")));
}

GUIDE_PARTS(G142, shutdown_timeout, .test_clock = true,
            .channels = {{"stop"}, {"never"}, {"stuck_runs"}, {"ended"}, {"begun"}},
            .parts = {PART_WITH(server, .no_job = true), PART_WITH(clock_hand, .no_job = true),
                      PART(bystander), PART_WITH(task, .on_call = true), PART_WITH(stuck, .on_call = true)});
