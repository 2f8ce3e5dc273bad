/*
 * Workers: what A reserves, extends and watches. B submits, cancels, and looks. A queue of jobs of its own for each cell:
 * they have the object's name as their function.
 */
#include <errno.h>
#include <string.h>

#include "cell.h"
#include "goclient_worker.h"

static void prepare_nothing(struct cell *cell)
{
}

static int submit(struct cell *cell, gc_job *job)
{
    struct gc_submit what = {.size = sizeof(what),
                             .function = cell->object,
                             .argument = cell->object,
                             .argument_bytes = strlen(cell->object)};

    return gc_submit(cell->g[WHO_B], &what, job, GC_FOREVER);
}

static int reserve(struct cell *cell, int who, gc_until until)
{
    struct gc_reserve what = {.size = sizeof(what), .functions = cell->object, .max = 1};
    struct gc_tasks tasks = {0};
    int r = gc_reserve(cell->g[who], &what, &tasks, until);

    if (r == 1) {
        cell->job[who] = tasks.items[0].job;
        cell->token[who] = tasks.items[0].run;
        if (tasks.items[0].bytes != strlen(cell->object))
            r = -EPROTO;
    }
    gc_tasks_clear(&tasks);
    return r;
}

static struct gc_task task_of(const struct cell *cell, int who)
{
    return (struct gc_task){.job = cell->job[who], .run = cell->token[who]};
}

static void prepare_ready(struct cell *cell)
{
    CELL_MUST(cell, submit(cell, &cell->before) == 0);
}

static int reserve_call(struct cell *cell, int who)
{
    return reserve(cell, who, GC_FOREVER);
}

static void submit_one(struct cell *cell, int i)
{
    CELL_MUST(cell, submit(cell, &cell->before) == 0);
}

static void complete(struct cell *cell, int who)
{
    struct gc_task task = task_of(cell, who);

    CELL_MUST(cell, gc_task_complete(cell->g[who], &task, "r", 1, GC_FOREVER) == 0);
    CELL_MUST(cell, gc_wait(cell->g[WHO_B], cell->job[who], NULL, GC_FOREVER) == 1);
    CELL_MUST(cell, gc_task_complete(cell->g[who], &task, "r", 1, GC_FOREVER) == -ESTALE);
}

/* Each has one, nobody has two, and nothing is left. */
static void check_reserved(struct cell *cell)
{
    for (int who = 0; who < cell->calls; who++) {
        CELL_MUST(cell, cell->status[who] == 1);
        complete(cell, who);
    }
    CELL_MUST(cell, cell->calls < 2 || cell->job[WHO_A].id != cell->job[WHO_B].id);
    CELL_MUST(cell, reserve(cell, WHO_B, GC_NOW) == -EAGAIN);
}

static void prepare_mine(struct cell *cell)
{
    prepare_ready(cell);
    CELL_MUST(cell, reserve(cell, WHO_A, GC_FOREVER) == 1);
}

static int extend_call(struct cell *cell, int who)
{
    struct gc_task task = task_of(cell, who);

    return gc_task_extend(cell->g[who], &task, 0, GC_FOREVER);
}

static void check_mine(struct cell *cell)
{
    CELL_MUST(cell, cell->status[WHO_A] == 0);
    complete(cell, WHO_A);
}

static int watch_call(struct cell *cell, int who)
{
    struct gc_task task = task_of(cell, who);

    return gc_task_watch(cell->g[who], &task, GC_FOREVER);
}

static void cancel(struct cell *cell, int i)
{
    CELL_MUST(cell, gc_job_cancel(cell->g[WHO_B], cell->job[WHO_A], "the test", GC_FOREVER) == 0);
}

static void check_watched(struct cell *cell)
{
    struct gc_task task = task_of(cell, WHO_A);

    CELL_MUST(cell, cell->status[WHO_A] == 0);
    CELL_MUST(cell, gc_task_extend(cell->g[WHO_A], &task, 0, GC_FOREVER) == -ECANCELED);
    CELL_MUST(cell, gc_task_fail(cell->g[WHO_A], &task, -ECANCELED, false, NULL, GC_FOREVER) == 0);
    CELL_MUST(cell, gc_wait(cell->g[WHO_B], cell->job[WHO_A], NULL, GC_FOREVER) == 0);
}

const struct scene scenes_work[] = {
    {"work_reserve", "empty", VERB_WORK_RESERVE, prepare_nothing, reserve_call, submit_one, check_reserved,
     true},
    {"work_reserve", "ready", VERB_WORK_RESERVE, prepare_ready, reserve_call, NULL, check_reserved, false},
    {"work_extend", "mine", VERB_WORK_EXTEND, prepare_mine, extend_call, NULL, check_mine, false},
    {"work_watch", "mine", VERB_WORK_WATCH, prepare_mine, watch_call, cancel, check_watched, false},
    {0},
};
