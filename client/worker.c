/*
 * Workers: tasks are reserved, kept, and ended.
 */
#include "goclient_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "last.h"
#include "options.h"

static const char *text_of(struct bytes bytes)
{
    return bytes.size ? bytes.data : "";
}

/* Points into the answer's block. */
static struct gc_task task_of(const struct job_info *from)
{
    return (struct gc_task){.job = {from->id},
                            .run = from->run,
                            .attempt = from->attempt,
                            .crashes = from->crashes,
                            .function = text_of(from->function),
                            .queue = text_of(from->queue),
                            .data = from->argument.data,
                            .bytes = from->argument.size,
                            .left_ns = from->left_ns};
}

/* The rows, pointing into the answer's block, which becomes the tasks'. */
static int tasks_give(struct gc_tasks *out, struct answer *answer)
{
    size_t n = answer->result.jobs_n;

    if (n && !(out->items = calloc(n, sizeof(*out->items))))
        return -ENOMEM;
    for (; out->n < n; out->n++)
        out->items[out->n] = task_of(&answer->result.jobs[out->n]);
    out->memory_ = answer->block;
    answer->block = NULL;
    return (int)n;
}

/* Without memory for them nobody works on them. */
static int give_back(gc_client *g, const struct answer *answer)
{
    for (size_t i = 0; i < answer->result.jobs_n; i++) {
        struct gc_task task = task_of(&answer->result.jobs[i]);

        gc_task_release(g, &task, GC_FOREVER);
    }
    return last_failed(-ENOMEM, NULL, false);
}

GC_API int gc_reserve(gc_client *g, const struct gc_reserve *given, struct gc_tasks *out, gc_until until)
{
    struct gc_reserve what;
    struct answer answer;
    int r;

    memset(out, 0, sizeof(*out));
    if (options_take(&what, sizeof(what), given) < 0)
        return last_failed(-EINVAL, "gc_reserve: size is not set, or of a newer library", false);
    const struct request request = {
        .verb = VERB_WORK_RESERVE,
        .work_reserve = {text_bytes(what.queues), text_bytes(what.functions), what.max, what.lease_ns}};
    r = call_run(g, &request, until, 0, &answer);
    if (r >= 0)
        r = tasks_give(out, &answer);
    if (r == -ENOMEM && answer.result.jobs_n)
        r = give_back(g, &answer);
    answer_end(&answer);
    return r;
}

GC_API void gc_tasks_clear(struct gc_tasks *tasks)
{
    free(tasks->items);
    result_unref(tasks->memory_);
    memset(tasks, 0, sizeof(*tasks));
}

GC_API int gc_task_extend(gc_client *g, const struct gc_task *task, int64_t lease_ns, gc_until until)
{
    const struct request request = {.verb = VERB_WORK_EXTEND,
                                    .work_extend = {task->job.id, task->run, lease_ns}};

    return call_plain(g, &request, until);
}

GC_API int gc_task_watch(gc_client *g, const struct gc_task *task, gc_until until)
{
    const struct request request = {.verb = VERB_WORK_WATCH, .work_watch = {task->job.id, task->run}};

    return call_plain(g, &request, until);
}

GC_API int gc_task_complete(gc_client *g, const struct gc_task *task, const void *result, size_t bytes,
                            gc_until until)
{
    const struct request request = {
        .verb = VERB_DONE, .done = {.job = task->job.id, .run = task->run, .result = {result, bytes}}};

    return call_plain(g, &request, until);
}

GC_API int gc_task_fail(gc_client *g, const struct gc_task *task, int error, bool permanent,
                        const char *words, gc_until until)
{
    const struct request request = {.verb = VERB_DONE,
                                    .done = {.job = task->job.id,
                                             .run = task->run,
                                             .cause = CAUSE_ERROR,
                                             .error = error,
                                             .text = text_bytes(words),
                                             .permanent = permanent}};

    if (error >= 0)
        return last_failed(-EINVAL, "gc_task_fail: the error is a negative errno value", false);
    return call_plain(g, &request, until);
}

GC_API int gc_task_release(gc_client *g, const struct gc_task *task, gc_until until)
{
    const struct request request = {.verb = VERB_DONE,
                                    .done = {.job = task->job.id, .run = task->run, .cause = CAUSE_RETURNED}};

    return call_plain(g, &request, until);
}

GC_API int gc_task_progress(gc_client *g, const struct gc_task *task, double fraction, const char *words,
                            gc_until until)
{
    const struct request request = {.verb = VERB_PROGRESS,
                                    .progress = {task->job.id, task->run, fraction, text_bytes(words)}};

    return call_plain(g, &request, until);
}

GC_API int gc_task_print(gc_client *g, const struct gc_task *task, const void *output, size_t bytes,
                         gc_until until)
{
    const struct request request = {.verb = VERB_PRINT, .print = {task->job.id, task->run, {output, bytes}}};

    return call_plain(g, &request, until);
}
