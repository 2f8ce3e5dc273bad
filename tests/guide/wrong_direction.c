/* What directions.py compiles: WRONG 0 must compile, each other must not. */
#include "goroutine_sync.h"

int use(go_sender out, go_receiver in, go_errgroup *group);

int use(go_sender out, go_receiver in, go_errgroup *group)
{
    int value = 42;

    (void)in;
    (void)group;
#if WRONG == 0
    value = go_sender_send(out, &value, GO_NOW) + go_receiver_recv(in, &value, GO_NOW) +
            go_sender_close(out) + go_errgroup_wait(group);
#elif WRONG == 1
    value = go_receiver_recv(out, &value, GO_NOW);
#elif WRONG == 2
    value = go_sender_send(in, &value, GO_NOW);
#elif WRONG == 3
    value = go_sender_close(in);
#elif WRONG == 4
    value = go_chan_close(in);
#elif WRONG == 5
    value = go_chan_recv(out, &value, GO_NOW);
#elif WRONG == 6
    out = in;
#elif WRONG == 7
    go_errgroup_wait(group);
#endif
    return value;
}
