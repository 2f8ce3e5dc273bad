/*
 * G101 between processes: one of three jobs panics; who waits for it is told, and the others do not notice.
 *
 * Pattern: a job is the boundary of a panic.
 */
#include "parts.h"

static void task(struct part *me)
{
    say(me, "task %d begins", me->index);
    if (me->index == 2)
        must(!"something went wrong");
    step_wait(me, "panicked");
    say(me, "task %d completed", me->index);
}

/* "the cause is panic, who waits gets it, other jobs and the daemon go on" */
static void main_part(struct part *me)
{
    struct gc_result result = {0};
    gc_job job[4];

    for (int i = 1; i <= 3; i++)
        job[i] = submit_part(me, "task", i);
    must(gc_wait(me->g, job[2], &result, GC_FOREVER) == 0);
    must(result.state == GC_JOB_FAILED && result.cause == GC_CAUSE_PANIC);
    must(strstr(result.text, "something went wrong") != NULL);
    gc_result_clear(&result);
    say(me, "task 2 has panicked");
    step_done(me, "panicked");
    must(gc_wait(me->g, job[1], NULL, GC_FOREVER) == 1);
    must(gc_wait(me->g, job[3], NULL, GC_FOREVER) == 1);
}

/* Another client of the same daemon works on, before and after. */
static void bystander(struct part *me)
{
    must(gc_ping(me->g, GC_FOREVER) == 0);
    step_wait(me, "panicked");
    must(gc_ping(me->g, GC_FOREVER) == 0);
    say(me, "bystander goes on");
}

static void panic_in_a_job(void)
{
    must(said_times("task 2 has panicked") == 1 && said_times("task 2 completed") == 0);
    must(said_times("task 1 completed") == 1 && said_times("task 3 completed") == 1);
    must(said_before("task 2 has panicked", "task 1 completed") && said_times("bystander goes on") == 1);
}

GUIDE_PARTS(G101, panic_in_a_job, .channels = {{"panicked"}},
            .parts = {PART(main_part), PART(bystander), PART_WITH(task, .on_call = true)});
