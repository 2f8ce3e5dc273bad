/*
 * G104 between processes: a thread of a program receives from a channel that nobody else has: it waits as long as the
 * program runs.
 *
 * Pattern: a way out of every wait. While the program lives a leak can only be suspected, since another thread could end
 * the wait; when that one has nothing more to do, and says so, it is proven.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "goclient_context.h"
#include "goclient_inspect.h"
#include "parts.h"

enum { HOUR_MS = 3600 * 1000 };

#define HOUR_NS (HOUR_MS * INT64_C(1000000))

/* A channel of its own, whose name is taken away again. */
static gc_chan nobody_elses(struct part *me)
{
    gc_chan c;

    must(gc_make(me->g, "requests", 0, &c, GC_FOREVER) == 0);
    must(gc_unlink(me->g, "requests", GC_FOREVER) == 0);
    return c;
}

struct receiver {
    struct part *me;
    gc_chan in;
    gc_ctx *ctx; /* or NULL: there is no way out */
};

static void *receive(void *arg)
{
    const struct receiver *receiver = arg;
    struct gc_value v = {0};

    if (gc_recv(receiver->me->g, receiver->in, &v, 0, gc_with(receiver->ctx)) == 1)
        say(receiver->me, "received");
    else
        say(receiver->me, "gave up");
    return NULL;
}

/* Its other thread goes on for an hour, and then joins the receiver. */
static void program(struct part *me)
{
    struct receiver receiver = {me, nobody_elses(me), NULL};
    pthread_t thread;

    must(gc_callers(me->g, 2, GC_FOREVER) == 0);
    must(pthread_create(&thread, NULL, receive, &receiver) == 0);
    until_waiting(me, receiver.in, 0, 1);
    must(gc_callers(me->g, 0, GC_FOREVER) == 0); /* who knows who may come yet */
    send_text(me, chan_of(me, "left_behind"), "%d", (int)getpid());
    step_wait(me, "suspected");
    must(gc_callers(me->g, 1, GC_FOREVER) == 0);
    pthread_join(thread, NULL);
}

static void repaired(struct part *me)
{
    struct gc_context_options options = {.size = sizeof options, .name = "way_out"};
    struct receiver receiver = {.me = me};

    step_wait(me, "killed");
    receiver.in = nobody_elses(me);
    must(gc_context_derive(me->g, NULL, &options, &receiver.ctx, GC_FOREVER) == 0);
    step_done(me, "ready");
    receive(&receiver);
    gc_ctx_free(receiver.ctx);
    step_done(me, "ended");
}

/* How many waits of which nobody else knows have lasted for so long, or are proven; *last is one of them. */
static int leaks(struct part *me, int64_t age_ns, struct gc_parked_page *page, const struct gc_parked **last)
{
    int n = 0;

    gc_parked_page_clear(page);
    must(gc_leaks(me->g, age_ns, 0, page, GC_FOREVER) >= 0);
    for (size_t i = 0; i < page->n; i++)
        if (page->items[i].flags & GC_ALONE) {
            *last = &page->items[i];
            n++;
        }
    return n;
}

static void find_leak(struct part *me, int pid)
{
    struct gc_parked_page page = {.n = 0};
    const struct gc_parked *leak = NULL;

    must(leaks(me, HOUR_NS, &page, &leak) == 0);
    advance_ms(me, HOUR_MS);
    /* "the report names 1 goroutine, that it receives, and where it was started" */
    must(leaks(me, HOUR_NS, &page, &leak) == 1);
    must(strcmp(leak->reason, "channel receive") == 0 && strstr(leak->object, "requests"));
    must(leak->pid == pid && strcmp(leak->program, "program") == 0);
    /* "while the program lives it is suspected, after a time" */
    must(leak->age_ns == HOUR_NS && !(leak->flags & GC_PROVEN));
    say(me, "1 is suspected");
    step_done(me, "suspected");
    /* "at the end of the program, or job, it is proven" */
    while (leaks(me, HOUR_NS, &page, &leak) != 1 || !(leak->flags & GC_PROVEN))
        continue;
    say(me, "1 is proven");
    gc_parked_page_clear(&page);
}

static void reporter(struct part *me)
{
    struct gc_parked_page page = {.n = 0};
    const struct gc_parked *leak = NULL;
    gc_ctx *ctx;
    int pid;

    until_waiting(me, chan_of(me, "killed"), 0, 1);
    must(recv_number(me, chan_of(me, "left_behind"), &pid));
    until_waiting(me, chan_of(me, "suspected"), 0, 1);
    find_leak(me, pid);
    must(kill(pid, SIGKILL) == 0); /* there is no other way */
    step_done(me, "killed");
    step_wait(me, "ready");
    must(gc_context_open(me->g, "way_out", &ctx, GC_FOREVER) == 0);
    must(gc_context_cancel(ctx, 0, NULL, GC_FOREVER) == 1);
    gc_ctx_free(ctx);
    step_wait(me, "ended");
    /* "repaired with a context: none" */
    while (leaks(me, 0, &page, &leak) > 0) /* the daemon hears of the death in its own time */
        continue;
    gc_parked_page_clear(&page);
}

static void leaked_receiver(void)
{
    must(said(LINES("1 is suspected", "1 is proven", "gave up")));
}

GUIDE_PARTS(G104, leaked_receiver, .test_clock = true,
            .channels = {{"left_behind"}, {"suspected"}, {"killed"}, {"ready"}, {"ended"}},
            .parts = {PART_WITH(program, .dies = true), PART(repaired), PART(reporter)});
