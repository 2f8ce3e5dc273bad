/* What directions.py compiles: WRONG 0 must compile, each other must not. */
#include "goroutine.h"

int use(go_sender out, go_receiver in);

int use(go_sender out, go_receiver in)
{
    int value = 42;

    (void)in;
#if WRONG == 0
    value = go_sender_send(out, &value, GO_NOW) + go_receiver_recv(in, &value, GO_NOW) + go_sender_close(out);
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
#endif
    return value;
}
