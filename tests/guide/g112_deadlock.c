/*
 * G112 A send without a receiver: everything waits, nobody can wake anybody, and the runtime says so.
 *
 * Pattern: every send has a receiver that was started before it.
 */
#include "guide.h"

static void send_42(go_chan *c)
{
    must(go_chan_send(c, &(int){42}, GO_FOREVER) == 0);
}

/* Wrong: the only goroutine sends, and nobody is left to receive. */
static void nobody_receives(void)
{
    go_chan *c = go_chan_new(sizeof(int), 0);

    go_chan_send(c, &(int){42}, GO_FOREVER); /* nothing is learnt from its result: it does not return */
}

static void receive(void *arg)
{
    int value;

    must(go_chan_recv(arg, &value, GO_FOREVER) == 1);
    say("Received: %d", value);
}

static void deadlock(void)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    go_waitgroup done = {0};
    go_timer *later;

    must(go_waitgroup_go(&done, receive, c, 0) == 0);
    send_42(c);
    go_waitgroup_wait(&done);
    /* "repaired: "Received: 42"" */
    must(said(LINES("Received: 42")));

    later = go_timer_func(20000000, receive, c);
    send_42(c); /* all wait for 20 ms, and that is no deadlock */
    until_live(1);
    /* "not raised while a timer could wake it" */
    must(said(LINES("Received: 42", "Received: 42")));
    go_timer_unref(later);
    go_chan_unref(c);
}

GUIDE_ROW(G112, deadlock);
/* "fails with cause deadlock and a non-zero status: "all goroutines are asleep - deadlock!" and the sender's stack" */
GUIDE_PART(G112, nobody_receives, .ends = ENDS_IN_DEADLOCK,
           .says = {"all goroutines are asleep - deadlock!", "parked: chan send", "nobody_receives+"});
