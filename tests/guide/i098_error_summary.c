/*
 * G98 between processes: results on one channel, errors on another, and a summary at the end.
 *
 * Pattern: error channel.
 */
#include "parts.h"

enum { TASKS = 10, WORKERS = 3 };

static void sender(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");

    for (int i = 1; i <= TASKS; i++)
        send_number(me, tasks, i);
    close_chan(me, tasks);
}

/* Tasks 4 and 8 fail. */
static void worker(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks"), results = chan_of(me, "results"), errors = chan_of(me, "errors");
    int task;

    while (recv_number(me, tasks, &task))
        if (task % 4 == 0)
            send_text(me, errors, "task %d failed", task);
        else
            send_text(me, results, "Processed: task-%d", task);
    send_number(me, chan_of(me, "ended"), me->index);
}

static void closer(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    int worker;

    for (int i = 0; i < WORKERS; i++)
        must(recv_number(me, ended, &worker));
    close_chan(me, chan_of(me, "results"));
    close_chan(me, chan_of(me, "errors"));
}

/* Both channels at once; one that is closed is switched off. */
static void collector(struct part *me)
{
    gc_chan from[2] = {chan_of(me, "results"), chan_of(me, "errors")};
    int count[2] = {0, 0};

    while (from[0].id || from[1].id) {
        struct gc_value v = {0};
        struct gc_case cases[] = {gc_case_recv(from[0], &v), gc_case_recv(from[1], &v)};
        int chosen = gc_select(me->g, cases, 2, 0, GC_FOREVER);

        must(chosen >= 0);
        if (cases[chosen].status == 0) {
            from[chosen] = GC_NIL;
            continue;
        }
        count[chosen]++;
        say(me, "%.*s", (int)v.size, (const char *)v.data);
        gc_value_clear(&v);
    }
    say(me, "Summary: %d successful, %d failed", count[0], count[1]);
}

static void error_summary(void)
{
    for (int i = 1; i <= TASKS; i++) {
        /* "8 lines "Processed: task-i"" */
        must(said_times("Processed: task-%d", i) == (i % 4 != 0));
        /* "2 failures, {4, 8}" */
        must(said_times("task %d failed", i) == (i % 4 == 0));
    }
    /* ""Summary: 8 successful, 2 failed", last" */
    must(said_last("Summary: 8 successful, 2 failed"));
}

GUIDE_PARTS(G98, error_summary, .channels = {{"tasks"}, {"results"}, {"errors"}, {"ended"}},
            .parts = {PART(sender), PARTS(WORKERS, worker), PART(closer), PART(collector)});
