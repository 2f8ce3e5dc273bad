/* A plugin for the rows in form C: jobs that leave goroutines and channels behind, and one that tries what it may not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "goclient_chan.h"
#include "goplugin.h"

enum { CHILDREN = 3 };

/* The channel that the argument names, with something behind it, and with these rights. */
static int open_with(gp_job *job, const char *behind, unsigned rights, gc_chan *out)
{
    const struct gc_chan_options options = {.size = sizeof options, .rights = rights};
    struct gp_bytes argument = gp_argument(job);
    char name[GC_NAME_BYTES];

    snprintf(name, sizeof name, "%.*s%s", (int)argument.size, (const char *)argument.data, behind);
    return gc_open(gp_client(job), name, &options, out, GC_FOREVER);
}

/* ---- what is left behind ---- */

struct child {
    gp_job *job;
    gc_chan channel;
};

static void say_unwound(void *job)
{
    gp_print(job, "deferred function ran\n");
}

/* When the scope of a job ends, one wait is told; the next one unwinds. */
static void wait_for_ever(void *arg)
{
    const struct child *me = arg;
    struct gc_value value = {0};

    go_defer(say_unwound, me->job);
    gp_print(me->job, "child started\n");
    while (gc_recv(gp_client(me->job), me->channel, &value, 0, GC_FOREVER) == -ECANCELED)
        continue;
    gp_print(me->job, "finish line\n");
}

/* Starts goroutines that receive from the channel; a value on the other one says that it may return. */
static int leave(gp_job *job)
{
    struct child child = {.job = job};
    struct gc_value value = {0};
    gc_chan told;
    int r = open_with(job, "", GC_MAY_RECV, &child.channel);

    if (r == 0)
        r = open_with(job, ".told", GC_MAY_RECV, &told);
    for (int i = 0; r == 0 && i < CHILDREN; i++)
        r = go_spawn(wait_for_ever, &child, sizeof child);
    if (r == 0)
        r = gc_recv(gp_client(job), told, &value, 0, GC_FOREVER);
    gc_value_clear(&value);
    gp_print(job, "Main function exiting...\n");
    return r < 0 ? r : 0;
}

/* Puts the first channel into the second. */
static int hand_over(gp_job *job, gc_chan first, gc_chan second)
{
    struct gc_passed passed = {.chan = first};

    return gc_send(gp_client(job), second, gc_carrying(gc_string("hold"), &passed, 1), GC_FOREVER);
}

/* Two channels without a name, each of which holds a handle of the other; a value of the named one ends the job. */
static int circle(gp_job *job)
{
    struct gc_value value = {0};
    gc_chan one, other, told;
    int r = open_with(job, "", GC_MAY_RECV, &told);

    if (r == 0)
        r = gc_make(gp_client(job), NULL, 1, &one, GC_FOREVER);
    if (r == 0)
        r = gc_make(gp_client(job), NULL, 1, &other, GC_FOREVER);
    if (r == 0)
        r = hand_over(job, one, other);
    if (r == 0)
        r = hand_over(job, other, one);
    if (r == 0)
        r = gc_recv(gp_client(job), told, &value, 0, GC_FOREVER);
    gc_value_clear(&value);
    return r < 0 ? r : 0;
}

/* ---- what may not be done ---- */

/* Sends on a channel that it has opened to receive from, and closes it. */
static int trespass(gp_job *job)
{
    gc_chan in;
    int r = open_with(job, "", GC_MAY_RECV, &in);

    if (r < 0)
        return r;
    r = gc_send(gp_client(job), in, gc_string("666"), GC_NOW);
    gp_print(job, "send: %s\n", r < 0 ? strerrorname_np(-r) : "done");
    r = gc_close(gp_client(job), in, GC_FOREVER);
    gp_print(job, "close: %s\n", r < 0 ? strerrorname_np(-r) : "done");
    return 0;
}

GP_PLUGIN("rows", "1.0", {"leave", "returns while its goroutines wait", leave},
          {"circle", "makes channels that hold each other", circle},
          {"trespass", "uses a channel in the wrong direction", trespass});
