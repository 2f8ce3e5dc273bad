/* Channel operations for programs in which a misuse is a bug: it panics, naming the rule. */
#include <errno.h>

#include "goroutine.h"

void go_chan_must_send(go_chan *c, const void *value)
{
    int r = go_chan_send(c, value, GO_FOREVER);

    if (r == -EPIPE)
        go_panic("send on closed channel");
    if (r < 0)
        go_exit(); /* the scope ended */
}

void go_chan_must_close(go_chan *c)
{
    int r = go_chan_close(c);

    if (r < 0)
        go_panic("close of %s channel", r == -EINVAL ? "nil" : "closed");
}

int go_case_must(const struct go_case *chosen)
{
    if (chosen->op == GO_OP_SEND && chosen->result == -EPIPE)
        go_panic("send on closed channel");
    return chosen->result;
}
