/*
 * G30 The rules of closing: only a sender closes, once; and with many senders one who has waited for all of them.
 *
 * Pattern: closer goroutine. A misuse is a result (-EPIPE), or a panic for those who take it for a bug.
 */
#include "guide.h"

enum { SENDERS = 4, EACH = 5 };

static void send_parked(void *arg)
{
    go_chan *c = *(go_chan **)arg;

    must(go_chan_send(c, &(int){13}, GO_FOREVER) == -EPIPE);
}

static void misuse_as_result(void)
{
    go_chan *c = go_chan_new(sizeof(int), 1), *other = go_chan_new(sizeof(int), 0);
    struct go_case cases[] = {GO_SEND(c, &(int){13}), GO_RECV(other, NULL)};
    int value;

    must(go_chan_send(c, &(int){1}, GO_FOREVER) == 0);
    must(go_spawn(send_parked, &c, sizeof c) == 0);
    until_parked(1, "chan send");
    must(go_chan_close(c) == 0);
    until_live(1);
    /* "send on closed, close twice, close of nil, a sender parked at the close, select-send on closed: each is refused" */
    must(go_chan_send(c, &(int){13}, GO_FOREVER) == -EPIPE);
    must(go_chan_close(c) == -EPIPE);
    must(go_chan_close(NULL) == -EINVAL);
    must(go_select(cases, 2, GO_FOREVER) == 0 && cases[0].result == -EPIPE);
    /* "nothing of a refused value is ever delivered" */
    must(go_chan_recv(c, &value, GO_FOREVER) == 1 && value == 1);
    must(go_chan_recv(c, &value, GO_FOREVER) == 0 && value == 0);
    go_chan_unref(c);
    go_chan_unref(other);
}

struct sender {
    go_chan *out;
    go_waitgroup *all;
};

static void send_some(void *arg)
{
    const struct sender *me = arg;

    for (int i = 0; i < EACH; i++)
        must(go_chan_send(me->out, &i, GO_FOREVER) == 0);
    go_waitgroup_done(me->all);
}

static void close_after_all(void *arg)
{
    const struct sender *me = arg;

    go_waitgroup_wait(me->all);
    must(go_chan_close(me->out) == 0);
}

static void one_closes_for_many(void)
{
    go_waitgroup all = {0};
    struct sender sender = {go_chan_new(sizeof(int), 2), &all};
    int value, received = 0;

    go_waitgroup_add(&all, SENDERS);
    for (int i = 0; i < SENDERS; i++)
        must(go_spawn(send_some, &sender, sizeof sender) == 0);
    must(go_spawn(close_after_all, &sender, sizeof sender) == 0);
    while (go_range(sender.out, &value))
        received++;
    /* "only senders close: with many senders a closer waits for all of them" */
    must(received == SENDERS * EACH);
    until_live(1);
    go_chan_unref(sender.out);
}

static void closing_rules(void)
{
    misuse_as_result();
    one_closes_for_many();
}

/* ---- the same misuses, each a panic that names the rule ---- */

static go_chan *closed_channel(void)
{
    go_chan *c = go_chan_new(sizeof(int), 0);

    must(go_chan_close(c) == 0);
    return c;
}

static void send_on_closed(void)
{
    go_chan_must_send(closed_channel(), &(int){13});
}

static void close_twice(void)
{
    go_chan_must_close(closed_channel());
}

static void close_nil(void)
{
    go_chan_must_close(NULL);
}

static void send_must(void *arg)
{
    go_chan_must_send(*(go_chan **)arg, &(int){13});
}

static void close_under_sender(void)
{
    go_chan *c = go_chan_new(sizeof(int), 0);

    must(go_spawn(send_must, &c, sizeof c) == 0);
    until_parked(1, "chan send");
    go_chan_must_close(c);
    until_live(1); /* it panics first */
}

static void select_send_on_closed(void)
{
    struct go_case cases[] = {GO_SEND(closed_channel(), &(int){13}), GO_RECV(NULL, NULL)};

    go_case_must(&cases[go_select(cases, 2, GO_FOREVER)]);
}

GUIDE_ROW(G30, closing_rules);
/* "as a bug, each is a panic that names its rule" */
GUIDE_PART(G30, send_on_closed, .ends = ENDS_IN_PANIC, .says = {"send on closed channel"});
GUIDE_PART(G30, close_twice, .ends = ENDS_IN_PANIC, .says = {"close of closed channel"});
GUIDE_PART(G30, close_nil, .ends = ENDS_IN_PANIC, .says = {"close of nil channel"});
GUIDE_PART(G30, close_under_sender, .ends = ENDS_IN_PANIC, .says = {"send on closed channel"});
GUIDE_PART(G30, select_send_on_closed, .ends = ENDS_IN_PANIC, .says = {"send on closed channel"});
