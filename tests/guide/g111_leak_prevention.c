/*
 * G111 The four ways to forget a goroutine, mended: the one that ranges over a channel sees it closed, the one that works
 * on listens to a context, the one that waits for an answer has a timeout, and whoever has started them waits for all.
 *
 * Pattern: leak prevention. Each goroutine has somebody who ends it, and somebody who waits until it has.
 */
#include "goroutine_host.h"
#include "guide.h"

struct all {
    go_chan *requests, *answers;
    go_ctx *ctx;
    go_waitgroup joined;
};

static void range_until_closed(void *arg)
{
    struct all *all = arg;
    int request;

    while (go_range(all->requests, &request))
        say("request %d", request);
    say("ended by close");
}

static void loop_until_cancelled(void *arg)
{
    struct all *all = arg;

    while (go_ctx_err(all->ctx) == 0)
        go_yield(); /* the work */
    say("ended by its context");
}

static void wait_with_timeout(void *arg)
{
    struct all *all = arg;
    int r = go_chan_recv(all->answers, NULL, go_after_ms(1));

    say(r == -ETIMEDOUT ? "ended by its timeout" : "?");
}

static void work_and_end(void *arg)
{
    say("ended by itself");
}

static int count_others(const struct go_info *info, void *n)
{
    *(int *)n += info->id != go_id();
    return 0;
}

static void leak_prevention(void)
{
    struct all all = {go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0),
                      go_ctx_new(go_ctx_background())};
    int others = 0;

    must(go_waitgroup_go(&all.joined, range_until_closed, &all, 0) == 0);
    must(go_waitgroup_go(&all.joined, loop_until_cancelled, &all, 0) == 0);
    must(go_waitgroup_go(&all.joined, wait_with_timeout, &all, 0) == 0);
    must(go_waitgroup_go(&all.joined, work_and_end, &all, 0) == 0);
    for (int request = 1; request <= 2; request++)
        must(go_chan_send(all.requests, &request, GO_FOREVER) == 0);
    go_chan_close(all.requests);
    go_ctx_cancel(all.ctx, 0, NULL);
    go_waitgroup_wait(&all.joined);
    /* "each of the four ends: by close, by its context, by its timeout, and all are joined" */
    must(said_in_any_order(LINES("request 1", "request 2", "ended by close", "ended by its context",
                                 "ended by its timeout", "ended by itself")));
    until_live(1);
    go_each(go_group_current(), count_others, &others);
    /* "the report is empty, and 1 goroutine lives" */
    must(others == 0);
    go_ctx_unref(all.ctx);
    go_chan_unref(all.requests);
    go_chan_unref(all.answers);
}

GUIDE_ROW(G111, leak_prevention);
