/*
 * G71 A pool as an object: start it, hand in tasks, collect the results, close it.
 *
 * Pattern: worker pool behind an interface. A full queue makes who hands in wait, so somebody must collect meanwhile; and
 * who collects is joined before the end.
 */
#include <stdio.h>

#include "goroutine_patterns.h"
#include "guide.h"

enum { WORKERS = 3, QUEUE = 10, NAME_BYTES = 16 };

struct name {
    char text[NAME_BYTES];
};

static int process(const struct go_task *task)
{
    *(struct name *)task->result = *(const struct name *)task->arg;
    return 0;
}

static void collect(void *arg)
{
    go_workers *pool = arg;
    struct go_task_result result;
    struct name name;

    while (go_workers_result(pool, &result, &name, GO_FOREVER) == 1)
        say("Processed: %s", name.text);
}

static void run_tasks(int tasks)
{
    struct go_workers_options options = {
        .workers = WORKERS, .queue = QUEUE, .result_bytes = sizeof(struct name)};
    go_workers *pool = go_workers_new(&options);
    go_waitgroup collector = {0};

    must(pool && go_waitgroup_go(&collector, collect, pool, 0) == 0);
    for (int i = 1; i <= tasks; i++) {
        struct name name;

        snprintf(name.text, sizeof name.text, "Task-%d", i);
        must(go_workers_submit(pool, process, &name, sizeof name, GO_FOREVER) == i);
    }
    must(go_workers_close(pool) == 0);
    go_waitgroup_wait(&collector);
    say("All jobs completed");
    go_workers_unref(pool);
}

static void pool_object(void)
{
    run_tasks(10);
    /* "10 results "Processed: Task-i", all of them before "All jobs completed"" */
    must(said_in_any_order(LINES("Processed: Task-1", "Processed: Task-2", "Processed: Task-3",
                                 "Processed: Task-4", "Processed: Task-5", "Processed: Task-6",
                                 "Processed: Task-7", "Processed: Task-8", "Processed: Task-9",
                                 "Processed: Task-10", "All jobs completed")));
    must(said_last("All jobs completed"));
    say_nothing_yet();
    run_tasks(30);
    /* "30 jobs go through a queue of 10, too" */
    must(said_lines() == 30 + 1 && said_last("All jobs completed"));
}

GUIDE_ROW(G71, pool_object);
