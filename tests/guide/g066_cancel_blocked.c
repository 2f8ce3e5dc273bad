/*
 * G66 A goroutine that waits, whatever for, is reached by the end of its context at once. It need not look for it in a
 * loop, which would only burn a processor.
 *
 * Pattern: every wait has a way out.
 */
#include "goroutine_sync.h"
#include "guide.h"

enum { HOUR_MS = 3600000 };

struct places {
    go_ctx *ctx, *never;
    go_chan *empty, *full, *locked; /* a channel with room for one value is a lock that can be given up */
    go_semaphore units;
    go_timer *timer;
};

static int wait_receive(struct places *p)
{
    return go_chan_recv(p->empty, NULL, go_with(p->ctx));
}

static int wait_send(struct places *p)
{
    return go_chan_send(p->full, &(int){13}, go_with(p->ctx));
}

static int wait_lock(struct places *p)
{
    return go_chan_send(p->locked, NULL, go_with(p->ctx));
}

static int wait_semaphore(struct places *p)
{
    return go_semaphore_acquire(&p->units, 1, go_with(p->ctx));
}

static int wait_context(struct places *p)
{
    return go_ctx_wait(p->never, go_with(p->ctx));
}

static int wait_timer(struct places *p)
{
    return go_timer_wait(p->timer, NULL, go_with(p->ctx));
}

static int wait_sleep(struct places *p)
{
    return go_sleep(go_both(go_after_ms(HOUR_MS), p->ctx));
}

static int wait_select(struct places *p)
{
    struct go_case cases[] = {GO_RECV(p->empty, NULL), GO_SEND(p->full, &(int){13})};

    return go_select(cases, 2, go_with(p->ctx));
}

struct waiter {
    struct places *places;
    int (*wait)(struct places *places);
};

static void wait_for_it(void *arg)
{
    const struct waiter *me = arg;

    if (me->wait(me->places) == -ECANCELED)
        say("cancelled");
}

static void no_entry_is_left(struct places *p)
{
    int value;

    /* "none leaves an entry in a queue: who comes later finds nobody" */
    must(go_chan_send(p->empty, &(int){1}, GO_NOW) == -EAGAIN);
    must(go_chan_recv(p->full, &value, GO_NOW) == 1 && value == 0);
    must(go_chan_recv(p->full, &value, GO_NOW) == -EAGAIN);
    must(go_chan_recv(p->locked, NULL, GO_NOW) == 1 && go_chan_recv(p->locked, NULL, GO_NOW) == -EAGAIN);
    go_semaphore_release(&p->units, 1);
    must(go_semaphore_acquire(&p->units, 1, GO_NOW) == 0);
}

static void all_are_reached(void *unused)
{
    static int (*const waits[])(struct places *) = {wait_receive, wait_send,  wait_lock,  wait_semaphore,
                                                    wait_context, wait_timer, wait_sleep, wait_select};
    enum { WAITS = sizeof waits / sizeof *waits };
    struct places p = {go_ctx_new(go_ctx_background()),
                       go_ctx_new(go_ctx_background()),
                       go_chan_new(sizeof(int), 0),
                       go_chan_new(sizeof(int), 1),
                       go_chan_new(0, 1),
                       {.size = 1},
                       go_timer_new(HOUR_MS * INT64_C(1000000))};
    go_waitgroup all = {0};

    must(go_chan_send(p.full, &(int){0}, GO_NOW) == 0 && go_chan_send(p.locked, NULL, GO_NOW) == 0);
    must(go_semaphore_acquire(&p.units, 1, GO_NOW) == 0);
    for (int i = 0; i < WAITS; i++)
        must(go_waitgroup_go(&all, wait_for_it, &((struct waiter){&p, waits[i]}), sizeof(struct waiter)) ==
             0);
    until_waiting(WAITS + 1); /* these and who waits for the end of this clock */
    go_ctx_cancel(p.ctx, 0, NULL);
    go_waitgroup_wait(&all);
    /* "every kind of wait returns the error of the context: receive, send, lock, semaphore, the end of another context,
     * timer, sleep, select" */
    must(said_lines() == WAITS && said_times("cancelled") == WAITS);
    /* "and at once" */
    must(fake_ms() == 0);
    no_entry_is_left(&p);
    go_timer_unref(p.timer);
    go_chan_unref(p.empty);
    go_chan_unref(p.full);
    go_chan_unref(p.locked);
    go_ctx_unref(p.never);
    go_ctx_unref(p.ctx);
}

static void receive_42(void *arg)
{
    struct places *p = arg;
    int value;

    must(go_chan_recv(p->empty, &value, go_with(p->ctx)) == 1);
    say("received %d", value);
}

static void matched_first(void)
{
    struct places p = {.ctx = go_ctx_new(go_ctx_background()), .empty = go_chan_new(sizeof(int), 0)};

    must(go_spawn(receive_42, &p, 0) == 0);
    until_parked(1, "chan receive");
    must(go_chan_send(p.empty, &(int){42}, GO_NOW) == 0);
    go_ctx_cancel(p.ctx, 0, NULL); /* it may not have run again */
    until_live(1);
    /* "a value that was handed over before the cancel is delivered" */
    must(said_last("received 42"));
    go_chan_unref(p.empty);
    go_ctx_unref(p.ctx);
}

static void cancel_blocked(void)
{
    on_fake_clock(all_are_reached, NULL);
    matched_first();
}

GUIDE_ROW(G66, cancel_blocked);
