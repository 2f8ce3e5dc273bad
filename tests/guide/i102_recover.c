/*
 * G102 between processes: the goroutines of jobs recover from their own panics, and hand them on as results.
 *
 * Pattern: recover at the top of a goroutine. Nobody else can do it: a panic leaves neither its goroutine nor its job.
 */
#include "goroutine.h"
#include "parts.h"

enum { TASKS = 3 };

static void report(void *arg)
{
    const char *panic = go_recover();

    leave_result(arg, "%s", panic ? panic : "completed");
}

static void run_task(void *arg)
{
    const struct part *me = arg;

    go_defer(report, arg);
    if (me->index == 2)
        go_panic("Something went wrong!");
}

static void task(struct part *me)
{
    go_waitgroup all = {0};

    must(go_waitgroup_go(&all, run_task, me, 0) == 0);
    go_waitgroup_wait(&all);
    /* "recover outside a deferred function gives nothing" */
    must(go_recover() == NULL);
}

static void starter(struct part *me)
{
    gc_chan started = chan_of(me, "started");

    for (int id = 1; id <= TASKS; id++)
        send_text(me, started, "%llu", (unsigned long long)submit_part(me, "task", id).id);
}

/* Another process than the one that has started them. */
static void main_part(struct part *me)
{
    gc_chan started = chan_of(me, "started");
    char job[TEXT_BYTES];

    for (int id = 1; id <= TASKS; id++) {
        struct gc_result result = {0};

        must(recv_text(me, started, job));
        must(gc_wait(me->g, gc_job_of(strtoull(job, NULL, 10)), &result, GC_FOREVER) == 1);
        say(me, "Task %d: %.*s", id, (int)result.bytes, (const char *)result.data);
        gc_result_clear(&result);
    }
    say(me, "Done");
}

static void recovering(void)
{
    /* "tasks 1 and 3 complete, 2 reports "Something went wrong!"" */
    must(said_by("Task", LINES("Task 1: completed", "Task 2: Something went wrong!", "Task 3: completed")));
    /* ""Done" is printed, exit 0" */
    must(said_last("Done"));
}

GUIDE_PARTS(G102, recovering, .channels = {{"started"}},
            .parts = {PART(starter), PART(main_part), PART_WITH(task, .on_call = true)});
