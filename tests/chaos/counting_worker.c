/*
 * A worker whose runs are counted outside of everything that may be killed, as counted_plugin.c and counting_worker.py do.
 *
 *     counting_worker FUNCTION
 *
 * The argument of a job is "FILE:WORDS": "S id run" goes into FILE when it has been reserved, "C id run" when it is about to be
 * completed, with its argument as the result. It has several at a time, keeps each while it works, outlives daemons, and never
 * ends.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "book.h"
#include "goclient_worker.h"

enum { TASKS = 3, PATH_BYTES = 256 };

static void note(char what, const struct gc_task *task)
{
    const char *end = task->bytes ? memchr(task->data, ':', task->bytes) : NULL;
    char path[PATH_BYTES];

    if (!end || end - (const char *)task->data >= PATH_BYTES)
        errx(1, "job %" PRIu64 " has a strange argument", task->job.id);
    snprintf(path, sizeof(path), "%.*s", (int)(end - (const char *)task->data), (const char *)task->data);
    int fd = book_open(path);
    book_line(fd, "%c %" PRIu64 " %" PRIu64, what, task->job.id, task->run);
    close(fd);
}

/* False: it is another's, and nothing more is to be said of it. */
static bool still_ours(int r)
{
    if (r < 0 && r != -ESTALE && !survivor_lost(r))
        errx(1, "%s (%s)", gc_strerror(r), gc_why());
    return r == 0;
}

static void work(gc_client *g, const struct gc_tasks *tasks)
{
    for (size_t i = 0; i < tasks->n; i++)
        note('S', &tasks->items[i]);
    for (size_t i = 0; i < tasks->n; i++) {
        const struct gc_task *task = &tasks->items[i];

        if (!still_ours(gc_task_extend(g, task, 0, GC_FOREVER)))
            continue;
        note('C', task);
        still_ours(gc_task_complete(g, task, task->data, task->bytes, GC_FOREVER));
    }
}

int main(int argc, char **argv)
{
    if (argc != 2)
        errx(2, "usage: counting_worker FUNCTION");
    struct gc_reserve what = {.size = sizeof(what), .functions = argv[1], .max = TASKS};
    gc_client *g = survivor();

    for (;;) {
        struct gc_tasks tasks;
        int r = gc_reserve(g, &what, &tasks, GC_FOREVER);

        if (r < 0 && !survivor_lost(r))
            errx(1, "reserve: %s (%s)", gc_strerror(r), gc_why());
        work(g, &tasks);
        gc_tasks_clear(&tasks);
    }
}
