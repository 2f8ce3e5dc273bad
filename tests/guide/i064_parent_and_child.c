/*
 * G64 between processes: a parent context in one process, its child in another; each ends what is below it, and no more.
 *
 * Pattern: tree of contexts.
 */
#include "goclient_context.h"
#include "parts.h"

/* Makes the context `name`, below `parent` (NULL: none), and works a turn for each it is given, until it is over. */
static void work_under(struct part *me, const char *name, const char *parent, const char *turns,
                       const char *made)
{
    struct gc_context_options options = {.size = sizeof options, .name = name, .parent_name = parent};
    gc_chan turn = chan_of(me, turns), worked = chan_of(me, "worked");
    struct gc_value v = {0};
    gc_ctx *ctx;
    int r;

    must(gc_context_derive(me->g, NULL, &options, &ctx, GC_FOREVER) == 0);
    step_done(me, made);
    while ((r = gc_recv(me->g, turn, &v, 0, gc_with(ctx))) == 1) {
        say(me, "%s works", name);
        gc_value_clear(&v);
        send_text(me, worked, "%s", name);
    }
    say(me, "%s stops: %s", name, error_words(r));
    send_text(me, chan_of(me, "stopped"), "%s", name);
    step_wait(me, "over"); /* its end would be the end of what is below it */
    gc_ctx_free(ctx);
}

static void parent(struct part *me)
{
    work_under(me, me->index == 0 ? "Parent" : "Parent2", NULL, me->index == 0 ? "parent_turns" : "no_turns",
               me->index == 0 ? "parent_made" : "parent2_made");
}

static void child(struct part *me)
{
    step_wait(me, me->index == 0 ? "parent_made" : "parent2_made");
    work_under(me, me->index == 0 ? "Child" : "Child2", me->index == 0 ? "Parent" : "Parent2", "no_turns",
               me->index == 0 ? "child_made" : "child2_made");
}

static void cancel(struct part *me, const char *name)
{
    gc_ctx *ctx;

    must(gc_context_open(me->g, name, &ctx, GC_FOREVER) == 0);
    must(gc_context_cancel(ctx, 0, NULL, GC_FOREVER) == 1);
    gc_ctx_free(ctx);
}

static void main_part(struct part *me)
{
    gc_chan stopped = chan_of(me, "stopped");
    char name[TEXT_BYTES];

    step_wait(me, "child_made");
    step_wait(me, "child2_made");
    cancel(me, "Child");
    must(recv_text(me, stopped, name) && strcmp(name, "Child") == 0);
    send_text(me, chan_of(me, "parent_turns"), "go");
    must(recv_text(me, chan_of(me, "worked"), name) && strcmp(name, "Parent") == 0);
    cancel(me, "Parent");
    must(recv_text(me, stopped, name) && strcmp(name, "Parent") == 0);
    /* "in the other order the one cancel stops both" */
    cancel(me, "Parent2");
    for (int i = 0; i < 2; i++)
        must(recv_text(me, stopped, name) && strlen(name) > 5);
    step_done(me, "over");
}

static void parent_and_child(void)
{
    /* "after the child's cancel only Child stops, and Parent works another round" */
    must(said_before("Child stops", "Parent works") && said_before("Parent works", "Parent stops"));
    /* "after the parent's cancel Parent stops" */
    /* "the errors are "context canceled"" */
    must(said_in_any_order(LINES("Child stops: context canceled", "Parent works",
                                 "Parent stops: context canceled", "Child2 stops: context canceled",
                                 "Parent2 stops: context canceled")));
}

GUIDE_PARTS(G64, parent_and_child,
            .channels = {{"parent_turns"},
                         {"no_turns"},
                         {"worked"},
                         {"stopped"},
                         {"parent_made"},
                         {"parent2_made"},
                         {"child_made"},
                         {"child2_made"},
                         {"over"}},
            .parts = {PARTS(2, parent), PARTS(2, child), PART(main_part)});
