/* What the tests of pools of workers share. */
#pragma once

#include <errno.h>
#include <stdatomic.h>

#include "rt_patterns.h"

enum { TASKS_MAX = 128 };

static inline go_workers *pool_new(int workers, size_t queue, go_ctx *ctx)
{
    struct go_workers_options options = {
        .workers = workers, .queue = queue, .result_bytes = sizeof(int), .ctx = ctx};
    go_workers *p = go_workers_new(&options);

    assert_non_null(p);
    return p;
}

static inline int doubles(const struct go_task *task)
{
    *(int *)task->result = 2 * *(int *)task->arg;
    return 0;
}

/* Collects to the end: how many, and each id at most once. */
static inline int collect_all(go_workers *p, struct go_task_result *results, int *values)
{
    bool seen[TASKS_MAX + 1] = {false};
    struct go_task_result r;
    int n = 0, value;

    while (go_workers_result(p, &r, &value, GO_FOREVER) == 1) {
        assert_in_range(r.id, 1, TASKS_MAX);
        assert_false(seen[r.id]);
        seen[r.id] = true;
        if (results)
            results[r.id] = r;
        if (values)
            values[r.id] = value;
        n++;
    }
    return n;
}
