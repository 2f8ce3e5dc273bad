/* For trace_goroutines.py: three goroutines pass ten messages on, and the trace of that goes to stdout. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "goroutine_inspect.h"

enum { MESSAGES = 5 }; /* each passed twice: to the one in the middle, and on */

struct link {
    go_chan *in, *out;
};

static void first(void *arg)
{
    struct link *l = arg;

    for (int i = 0; i < MESSAGES; i++)
        go_chan_send(l->out, &i, GO_FOREVER);
}

static void middle(void *arg)
{
    struct link *l = arg;
    int v;

    for (int i = 0; i < MESSAGES; i++) {
        go_chan_recv(l->in, &v, GO_FOREVER);
        go_chan_send(l->out, &v, GO_FOREVER);
    }
}

static void last(void *arg)
{
    struct link *l = arg;
    int v;

    for (int i = 0; i < MESSAGES; i++)
        go_chan_recv(l->in, &v, GO_FOREVER);
}

/* With an argument the channels have room, and values lie there before the trace begins. */
static int run(void *buffered)
{
    size_t room = buffered ? 3 : 0;
    struct link l = {go_chan_new(sizeof(int), room), go_chan_new(sizeof(int), room)};
    struct link a = {NULL, l.in}, b = l, c = {l.out, NULL};
    int64_t dropped;
    int v;

    if (buffered)
        for (int i = 0; i < 2; i++)
            go_chan_send(l.in, &i, GO_FOREVER);
    if (go_trace_start(0) < 0)
        return 1;
    if (go_spawn(first, &a, sizeof a) || go_spawn(middle, &b, sizeof b) || go_spawn(last, &c, sizeof c))
        return 1;
    while (go_live() > 1)
        go_yield();
    dropped = go_trace_stop(STDOUT_FILENO);
    while (go_chan_recv(l.in, &v, GO_NOW) == 1)
        continue;
    go_chan_unref(l.in);
    go_chan_unref(l.out);
    return dropped == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    return go_main(run, argc > 1 ? argv : NULL);
}
