/*
 * G07 between processes: the main function of a job returns while its goroutines wait on a channel that others have.
 *
 * Pattern: the one who starts goroutines joins them; here nobody does, and the end of the job does it.
 */
#include "goclient_inspect.h"
#include "goroutine.h"
#include "parts.h"

enum { CHILDREN = 3 };

static void settle(void *arg)
{
    const struct part *me = arg;

    gc_wg_done(me->g, "children", 1, GC_FOREVER);
}

/* Of who was started by a job that has ended one wait is told so; the next one unwinds. */
static void wait_for_ever(void *arg)
{
    struct part *me = arg;
    struct gc_value v = {0};

    go_defer(settle, me);
    while (gc_recv(me->g, chan_of(me, "never"), &v, 0, GC_FOREVER) == -ECANCELED)
        continue;
    say(me, "finish line");
}

static void spawn_children(struct part *me)
{
    for (int i = 0; i < CHILDREN; i++)
        must(go_spawn(wait_for_ever, me, sizeof *me) == 0);
}

static void until_witnessed(struct part *me)
{
    struct gc_parked_filter filter = {.size = sizeof filter, .object = "children"};
    struct gc_parked_page page;
    int n;

    do {
        n = gc_parked(me->g, &filter, &page, GC_FOREVER);
        must(n >= 0);
        gc_parked_page_clear(&page);
    } while (n == 0);
}

static void main_returns(struct part *me)
{
    must(gc_wg_add(me->g, "children", CHILDREN, 0, NULL, GC_FOREVER) == 0);
    spawn_children(me);
    until_waiting(me, chan_of(me, "never"), 0, CHILDREN);
    step_done(me, "children_wait");
    until_witnessed(me);
    say(me, "Main function exiting...");
}

/* Children that have not come to run when it returns need not start: the daemon sees 0 to 3 of them. */
static void returns_at_once(struct part *me)
{
    spawn_children(me);
    say(me, "Main function exiting...");
}

static void starter(struct part *me)
{
    static const char *const mains[] = {"main_returns", "returns_at_once"};

    for (int i = 0; i < 2; i++)
        must(gc_wait(me->g, submit_part(me, mains[i], 0), NULL, GC_FOREVER) == 1);
    say(me, "both are done");
}

/* All units were settled, by the deferred functions: nobody has simply died. */
static void witness(struct part *me)
{
    uint64_t dead;

    step_wait(me, "children_wait");
    must(gc_wg_wait(me->g, "children", 0, &dead, GC_FOREVER) == 0);
    say(me, "deferred functions have run");
}

/* It has the other end, and is left alone with it. */
static void sender(struct part *me)
{
    gc_chan never = chan_of(me, "never");
    struct gc_chan_info info;

    step_wait(me, "children_wait");
    do {
        must(gc_chan_info(me->g, never, &info, GC_FOREVER) == 0);
    } while (info.receivers > 0 || info.handles > 1);
    must(gc_send(me->g, never, gc_string("nobody"), GC_NOW) == -EAGAIN);
}

static void main_returns_judged(void)
{
    /* "the others' finish lines never appear" */
    must(said_times("finish line") == 0);
    /* "how many of them got to start is not fixed" */
    must(said_times("Main function exiting...") == 2 && said_times("deferred functions have run") == 1);
    must(said_times("both are done") == 1 && part_lines.n == 4);
}

GUIDE_PARTS(G07, main_returns_judged, .channels = {{"never"}, {"children_wait"}},
            .parts = {PART(starter), PART(witness), PART(sender), PART_WITH(main_returns, .on_call = true),
                      PART_WITH(returns_at_once, .on_call = true)});
