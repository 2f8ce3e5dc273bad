/*
 * G105 A goroutine sends a value, and nobody receives it: it waits for ever, and so does all that it holds. Two versions
 * that cannot: one has room for the value, the other one listens to a context.
 *
 * Pattern: whoever starts a goroutine knows how it will end.
 */
#include "goroutine_host.h"
#include "guide.h"

static int count_one(const struct go_info *info, void *n)
{
    ++*(int *)n;
    return 0;
}

static void say_count(const char *when)
{
    int n = 0;

    go_each(go_group_current(), count_one, &n);
    say("%s: %d goroutines", when, n);
}

static void send_and_hope(void *c)
{
    go_chan_send(c, &(int){42}, GO_FOREVER);
}

/* Wrong: who called for the value does not wait for it. */
static void bad(go_chan *c)
{
    must(go_spawn(send_and_hope, c, 0) == 0);
    until_parked(1, "chan send");
}

static void receive(go_chan *c)
{
    int value;

    must(go_chan_recv(c, &value, GO_FOREVER) == 1);
    say("Received: %d", value);
}

static void send_buffered(void *c)
{
    must(go_chan_send(c, &(int){42}, GO_FOREVER) == 0);
}

/* It could end without a receiver, too. */
static void good(void)
{
    go_chan *c = go_chan_new(sizeof(int), 1);

    must(go_spawn(send_buffered, c, 0) == 0);
    receive(c);
    until_live(2);
    go_chan_unref(c);
}

struct sender {
    go_chan *c;
    go_ctx *ctx;
};

static void send_or_end(void *arg)
{
    const struct sender *me = arg;
    int value = 42;
    struct go_case cases[] = {GO_SEND(me->c, &value), GO_DONE(me->ctx)};

    say(go_select(cases, 2, GO_FOREVER) == 0 ? "Sent value" : "Goroutine cancelled");
}

static void best(void)
{
    struct sender sender = {go_chan_new(sizeof(int), 0), go_ctx_new(go_ctx_background())};

    must(go_spawn(send_or_end, &sender, 0) == 0);
    receive(sender.c);
    go_ctx_cancel(sender.ctx, 0, NULL);
    until_live(2);
    go_ctx_unref(sender.ctx);
    go_chan_unref(sender.c);
}

/* "the report lists exactly the bad one: a send, in the goroutine of send_and_hope" */
static int check_leak(const struct go_info *info, void *leaks)
{
    if (info->id == go_id())
        return 0;
    ++*(int *)leaks;
    must(info->state == GO_STATE_PARKED && strcmp(info->reason, "chan send") == 0);
    must(strcmp(info->name, "send_and_hope") == 0 && info->age_ns >= 0 && info->site);
    return 0;
}

static void sender_leak(void)
{
    go_chan *nobody_receives = go_chan_new(sizeof(int), 0);
    int leaks = 0;

    say_count("Start");
    bad(nobody_receives);
    say_count("After bad example");
    good();
    say_count("After good example");
    best();
    say_count("After best example");
    go_chan_unref(go_chan_ref(nobody_receives)); /* the one that waits still holds it */
    say_count("At the end");
    /* "the counts are 1, 2, 2, 2 and still 2 at the end: nothing collects a goroutine that waits" */
    must(said_by("Start", LINES("Start: 1 goroutines")));
    must(said_by("A", LINES("After bad example: 2 goroutines", "After good example: 2 goroutines",
                            "After best example: 2 goroutines", "At the end: 2 goroutines")));
    /* ""Received: 42" twice, "Sent value" once" */
    must(said_times("Received: 42") == 2 && said_times("Sent value") == 1);
    go_each(go_group_current(), check_leak, &leaks);
    must(leaks == 1);
    must(go_chan_recv(nobody_receives, NULL, GO_FOREVER) == 1); /* this program still can: so it ends clean */
    until_live(1);
    go_chan_unref(nobody_receives);
}

GUIDE_ROW(G105, sender_leak);
