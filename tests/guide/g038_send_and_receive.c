/*
 * G38 One select that sends or receives, whichever partner comes first.
 *
 * Pattern: select with send and receive cases. The value of a send that was not chosen goes nowhere.
 */
#include "guide.h"

enum { SELECTS = 1000 };

struct partners {
    go_chan *feed, *take;
    go_ctx *ctx;
    atomic_int fed; /* sends that took place */
    int taken[SELECTS], taken_n;
};

static void feed_partner(void *arg)
{
    struct partners *p = arg;

    for (int i = 0; go_chan_send(p->feed, &i, go_with(p->ctx)) == 0; i++)
        atomic_fetch_add(&p->fed, 1);
}

static void take_partner(void *arg)
{
    struct partners *p = arg;
    int value;

    while (go_chan_recv(p->take, &value, go_with(p->ctx)) == 1)
        p->taken[p->taken_n++] = value;
}

/* Returns how many of `sent` were sent; `received` counts the others. */
static int select_many(struct partners *p, int *sent, int *received)
{
    int sent_n = 0, fed = 0;

    for (int i = 0; i < SELECTS; i++) {
        struct go_case cases[] = {GO_RECV(p->feed, &fed), GO_SEND(p->take, &i)};

        if (go_select(cases, 2, GO_FOREVER) == 1)
            sent[sent_n++] = i;
        else
            must(fed == (*received)++);
    }
    return sent_n;
}

static void send_or_done(void)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_chan *nobody_receives = go_chan_new(sizeof(int), 0);
    struct go_case cases[] = {GO_SEND(nobody_receives, &(int){1}), GO_DONE(ctx)};

    go_ctx_cancel(ctx, 0, NULL);
    /* "a send or the end of a context: the context, and the value goes nowhere" */
    must(go_select(cases, 2, GO_FOREVER) == 1);
    must(go_chan_recv(nobody_receives, NULL, GO_NOW) == -EAGAIN);
    go_chan_unref(nobody_receives);
    go_ctx_unref(ctx);
}

static void send_and_receive(void)
{
    static int sent[SELECTS];
    static struct partners partners;
    go_waitgroup done = {0};
    int sent_n, received = 0;

    partners = (struct partners){go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0),
                                 go_ctx_new(go_ctx_background())};
    must(go_waitgroup_go(&done, feed_partner, &partners, 0) == 0);
    must(go_waitgroup_go(&done, take_partner, &partners, 0) == 0);
    sent_n = select_many(&partners, sent, &received);
    go_ctx_cancel(partners.ctx, 0, NULL);
    go_waitgroup_wait(&done);
    say("%d sent and received", sent_n + received);
    /* "exactly one case takes effect each time: sent + received = 1000" */
    must(sent_n + received == SELECTS && atomic_load(&partners.fed) == received);
    /* "the values of send cases that lost appear nowhere" */
    must(ints_are(partners.taken, (size_t)partners.taken_n, sent, (size_t)sent_n));
    send_or_done();
    go_chan_unref(partners.feed);
    go_chan_unref(partners.take);
    go_ctx_unref(partners.ctx);
}

GUIDE_ROW(G38, send_and_receive);
