/* Each WRONG_ line uses the wrong end of a channel (D1), or a value of a context as another type (X10), and must not
 * compile; without them this does. */
#include "goroutine_sync.h"

GO_CTX_KEY(count, int)

int ends(go_sender out, go_receiver in, go_emitter all, int *v);

int ends(go_sender out, go_receiver in, go_emitter all, int *v)
{
    struct go_case cases[] = {GO_SEND_TO(out, v), GO_RECV_FROM(in, v)};

#ifdef WRONG_send
    go_sender_send(in, v, GO_NOW);
#endif
#ifdef WRONG_send_many
    go_sender_send_many(in, v, 1, GO_NOW);
#endif
#ifdef WRONG_close
    go_sender_close(in);
#endif
#ifdef WRONG_recv
    go_receiver_recv(out, v, GO_NOW);
#endif
#ifdef WRONG_recv_many
    go_receiver_recv_many(out, v, 1, GO_NOW);
#endif
#ifdef WRONG_range
    while (go_receiver_range(out, v))
        continue;
#endif
#ifdef WRONG_len
    go_receiver_len(out);
#endif
#ifdef WRONG_channel_send
    go_chan_send(in, v, GO_NOW);
#endif
#ifdef WRONG_channel_recv
    go_chan_recv(out, v, GO_NOW);
#endif
#ifdef WRONG_channel_close
    go_chan_close(in);
#endif
#ifdef WRONG_select_send
    cases[0] = GO_SEND_TO(in, v);
#endif
#ifdef WRONG_select_recv
    cases[1] = GO_RECV_FROM(out, v);
#endif
#ifdef WRONG_select_channel
    cases[1] = GO_RECV(out, v);
#endif
#ifdef WRONG_context_value
    all.ctx = count_with(all.ctx, "text", NULL);
#endif
#ifdef WRONG_context_type
    const char *text = count_of(all.ctx);
#endif
#ifdef WRONG_emit
    go_emit(out, v);
#endif
    all.ctx = count_with(all.ctx, count_of(all.ctx), NULL);
    return go_select(cases, 2, GO_NOW) + go_emit(all, v) + go_receiver_range(in, v) + go_sender_close(out);
}
