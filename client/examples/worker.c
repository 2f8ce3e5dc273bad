/*
 * worker: take tasks and answer them, and lose none of them when this process dies over its work. Run as many as
 * you like.
 *
 *     for task := range tasks {       // the task goes to another worker unless the body has run
 *         done <- "did " + task
 *     }
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "goclient.h"

static int work(gc_client *g, const struct gc_value *task, gc_chan done)
{
    char text[256];
    int size = snprintf(text, sizeof text, "did %.*s%s", (int)task->size, (const char *)task->data,
                        task->flags & GC_REDELIVERED ? " (perhaps again)" : "");
    return gc_send(g, done, gc_bytes(text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1),
                   GC_FOREVER);
}

int main(void)
{
    char why[GC_WHY_BYTES];
    gc_client *g;
    gc_chan tasks, done;
    struct gc_value task = {0};

    if (gc_connect(NULL, &g, why) < 0)
        errx(1, "%s", why);
    if (gc_make(g, "tasks", 16, &tasks, GC_FOREVER) < 0 || gc_make(g, "done", 16, &done, GC_FOREVER) < 0)
        errx(1, "%s", gc_why());

    int r;
    while ((r = gc_range(g, tasks, &task, GC_HOLD, GC_FOREVER)) > 0) /* acknowledges the task before */
        if ((r = work(g, &task, done)) < 0)
            break;
    if (r < 0)
        warnx("%s", gc_why());
    gc_value_clear(&task);
    gc_disconnect(g);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
