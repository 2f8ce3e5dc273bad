/*
 * G78 between processes: a thousand jobs, in a queue that runs them all at once, or in one that runs ten.
 *
 * Pattern: bounded concurrency. Count those at work while they work, not when they have ended.
 */
#include "parts.h"

enum { TASKS = 1000, WORKERS = 10 };

static void task(struct part *me)
{
    step_wait(me, me->index == 0 ? "gate" : "second_gate");
    must(gc_counter_add(me->g, "done", 1, NULL, GC_FOREVER) == 0);
}

/* Holds all that are at work until they were counted: those and itself. */
static void gatekeeper(struct part *me)
{
    static const struct {
        const char *queue, *gate;
        unsigned at_work;
    } run[] = {{"unlimited", "gate", TASKS}, {"bounded", "second_gate", WORKERS}};
    int number;

    for (int i = 0; i < 2; i++) {
        must(recv_number(me, chan_of(me, "submitted"), &number));
        until_waiting(me, chan_of(me, run[i].gate), 0, run[i].at_work);
        must(stat_of(me, "jobs.ready") == TASKS - run[i].at_work);
        say(me, "%s: %u goroutines", run[i].queue, run[i].at_work + 1);
        step_done(me, run[i].gate);
    }
}

static int unfinished(struct part *me, const gc_job *job)
{
    int n = 0;

    for (int i = 0; i < TASKS; i++)
        n += job_state(me, job[i]) < GC_JOB_DONE;
    return n;
}

static void submit_all(struct part *me, const char *queue, int scene)
{
    gc_job job[TASKS];
    int64_t done;

    for (int i = 0; i < TASKS; i++)
        job[i] = submit_part_with(me, "task", scene, (struct gc_submit){.queue = queue, .attempts_max = 1});
    send_number(me, chan_of(me, "submitted"), TASKS);
    for (int i = 0; i < TASKS; i++)
        must(gc_wait(me->g, job[i], NULL, GC_FOREVER) == 1);
    must(gc_counter_add(me->g, "done", 0, &done, GC_FOREVER) == 0);
    must(gc_sync_reset(me->g, GC_SYNC_COUNTER, "done", GC_FOREVER) == 0);
    say(me, "%d done, %d goroutine", (int)done, 1 + unfinished(me, job));
}

static void submitter(struct part *me)
{
    submit_all(me, "unlimited", 0);
    submit_all(me, "bounded", 1);
}

static void bounded_and_unlimited(void)
{
    /* "at the peak 1001 goroutines and 11, while all are held" */
    /* "all 1000 tasks are done each time, and 1 goroutine is left" */
    must(said(LINES("unlimited: 1001 goroutines", "1000 done, 1 goroutine", "bounded: 11 goroutines",
                    "1000 done, 1 goroutine")));
}

GUIDE_PARTS(G78, bounded_and_unlimited, .queues = {"unlimited.concurrency=2000", "bounded.concurrency=10"},
            .channels = {{"submitted"}, {"gate"}, {"second_gate"}},
            .parts = {PART(submitter), PART(gatekeeper), PART_WITH(task, .on_call = true)});
