/* The rows of what a worker calls. */
#include "costs.h"
#include "goclient_worker.h"

void prove_costs_of_a_worker(gc_client *g)
{
    struct gc_submit what = {.size = sizeof what, .function = "costs"};
    struct gc_reserve reserve = {.size = sizeof reserve, .max = 3};
    struct gc_tasks tasks;
    gc_job job;

    for (int i = 0; i < 3; i++)
        assert_ok(gc_submit(g, &what, &job, GC_FOREVER));
    costs("gc_reserve", assert_int_equal(gc_reserve(g, &reserve, &tasks, GC_FOREVER), 3));
    const struct gc_task *task = tasks.items;
    costs("gc_task_extend", assert_ok(gc_task_extend(g, task, 0, GC_FOREVER)));
    costs("gc_task_watch", assert_fails(gc_task_watch(g, task, GC_NOW), -EAGAIN));
    costs("gc_task_progress", assert_ok(gc_task_progress(g, task, 0.5, "half", GC_FOREVER)));
    costs("gc_task_print", assert_ok(gc_task_print(g, task, "x", 1, GC_FOREVER)));
    costs("gc_task_complete", assert_ok(gc_task_complete(g, task, NULL, 0, GC_FOREVER)));
    costs("gc_task_release", assert_ok(gc_task_release(g, task + 1, GC_FOREVER)));
    costs("gc_task_fail", assert_ok(gc_task_fail(g, task + 2, -EIO, true, "no", GC_FOREVER)));
    gc_tasks_clear(&tasks);
}
