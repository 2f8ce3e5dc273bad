/*
 * G44 between processes: five ask for a singleton; one of them makes it, and all others wait until it is finished.
 *
 * Pattern: once.
 */
#include <signal.h>

#include "parts.h"

enum { CALLERS = 5 };

/* The singleton is a file. Making it takes long enough for all others to come. */
static int initialise(void *arg)
{
    struct part *me = arg;
    char path[TEXT_BYTES];
    FILE *file;

    send_text(me, chan_of(me, "making"), "now");
    shared_file(me, "singleton", path);
    file = fopen(path, "we");
    must(file != NULL && fputs("Singleton Instance", file) >= 0);
    must(fclose(file) == 0);
    say(me, "initialised");
    return 0;
}

static void caller(struct part *me)
{
    char path[TEXT_BYTES], text[TEXT_BYTES];
    FILE *file;

    must(gc_once(me->g, "singleton", initialise, me, GC_FOREVER) == 0);
    shared_file(me, "singleton", path);
    file = fopen(path, "re");
    must(file != NULL && fgets(text, sizeof text, file) != NULL);
    must(fclose(file) == 0);
    say(me, "got %s", text);
    send_text(me, chan_of(me, "got"), "%s", text);
}

static int die(void *arg)
{
    step_done(arg, "victim_began");
    raise(SIGKILL);
    return 0;
}

static void victim(struct part *me)
{
    gc_once(me->g, "doomed", die, me, GC_FOREVER);
}

static int never(void *arg)
{
    (void)arg;
    must(!"it runs once at most");
    return 0;
}

/* Lets the initialiser finish; afterwards the fate of the one that died is known to whoever asks. */
static void main_part(struct part *me)
{
    char text[TEXT_BYTES];

    must(recv_text(me, chan_of(me, "making"), text));
    step_wait(me, "victim_began");
    /* "a runner that dies leaves an error for the others, no hang" */
    must(gc_once(me->g, "doomed", never, me, GC_FOREVER) == -EOWNERDEAD);
    must(gc_sync_reset(me->g, GC_SYNC_ONCE, "doomed", GC_FOREVER) == 0);
    for (int i = 0; i < CALLERS; i++)
        must(recv_text(me, chan_of(me, "got"), text));
    must(gc_sync_reset(me->g, GC_SYNC_ONCE, "singleton", GC_FOREVER) == 0);
}

static void once(void)
{
    /* "the initialiser runs exactly once" */
    must(said_times("initialised") == 1);
    /* "all 5, in any order, get "Singleton Instance"" */
    must(said_times("got Singleton Instance") == CALLERS);
    /* "nobody returns before it is finished" */
    must(said_first("initialised"));
}

GUIDE_PARTS(G44, once, .channels = {{"making"}, {"got"}, {"victim_began"}},
            .parts = {PARTS(CALLERS, caller), PART_WITH(victim, .dies = true), PART(main_part)});
