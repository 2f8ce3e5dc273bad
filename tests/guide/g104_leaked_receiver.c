/*
 * G104 A goroutine receives from a channel that nobody else has: it waits as long as the program runs, and keeps its stack
 * and all it points to.
 *
 * Pattern: a way out of every wait. At the end of a program all memory is freed; a leak matters while it lives on. While
 * it does, a leak can only be suspected: whoever has waited for long; when all others have ended it is proven.
 */
#include "goroutine_host.h"
#include "guide.h"

enum { SUSPICIOUS_NS = 1000000 };

struct receiver {
    go_chan *in;
    go_ctx *ctx; /* may be NULL: there is no way out */
};

static void receive(void *arg)
{
    const struct receiver *me = arg;
    int value;

    if (go_chan_recv(me->in, &value, go_with(me->ctx)) == 1)
        say("received %d", value);
    else
        say("gave up");
    go_chan_unref(me->in);
}

/* The receiver alone holds the channel. */
static void start_receiver(go_ctx *ctx)
{
    must(go_spawn(receive, &((struct receiver){go_chan_new(sizeof(int), 0), ctx}), sizeof(struct receiver)) ==
         0);
    until_parked(1, "chan receive");
}

static int suspect(const struct go_info *info, void *suspects)
{
    if (info->state != GO_STATE_PARKED || info->age_ns < SUSPICIOUS_NS)
        return 0;
    ++*(int *)suspects;
    return strcmp(info->reason, "chan receive") != 0 || strcmp(info->site->function, "receive") != 0;
}

/* How many have waited for long; all of them are receivers. */
static int suspects(void)
{
    int n = 0;

    must(go_each(go_group_current(), suspect, &n) == 0);
    return n;
}

static void left_behind(void)
{
    start_receiver(NULL);
    while (suspects() == 0)
        go_yield();
    say("suspected: %d", suspects());
    must_end_clean();
}

static void with_a_way_out(void)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());

    start_receiver(ctx);
    go_ctx_cancel(ctx, 0, NULL);
    must_end_clean();
    /* "repaired with a context: none" */
    must(suspects() == 0 && said(LINES("gave up")));
    go_ctx_unref(ctx);
}

static void one_receiver(const struct guide_ending *ending)
{
    const char *first = strstr(ending->err, "parked: chan receive");

    /* "the report names 1 goroutine, that it receives, and where it was started" */
    must(first && !strstr(first + 1, "parked: "));
    must(strstr(first, "] receive\n  started at ") && strstr(first, "g104_leaked_receiver.c:"));
}

GUIDE_ROW(G104, with_a_way_out);
/* "while the program lives it is suspected, after a time" */
/* "at the end of the program, or job, it is proven" */
GUIDE_PART(G104, left_behind, .ends = ENDS_IN_PANIC, .prints = {"suspected: 1"},
           .says = {"a goroutine is left waiting"}, .never = {"received"}, .judge = one_receiver);
