/*
 * G92 between processes: workers look at a quit channel, which somebody else closes, by itself or when a signal comes.
 *
 * Pattern: quit signal.
 */
#include <signal.h>

#include "parts.h"

enum { LISTENERS = 3 };

/* A round of work for every turn that it is given, until quit. */
static void work_until_quit(struct part *me, const char *turns, const char *quit, const char *name)
{
    struct gc_value v = {0};
    gc_chan turn = chan_of(me, turns), stop = chan_of(me, quit);

    for (;;) {
        struct gc_case cases[] = {gc_case_recv(turn, &v), gc_case_recv(stop, &v)};
        int chosen = gc_select(me->g, cases, 2, 0, GC_FOREVER);

        must(chosen >= 0);
        gc_value_clear(&v);
        if (chosen == 1)
            break;
        say(me, "%s works", name);
    }
    say(me, "%s cleanup", name);
}

static void listener(struct part *me)
{
    char name[TEXT_BYTES];

    snprintf(name, sizeof name, "listener %d", me->index);
    work_until_quit(me, "turns", "quit", name);
    send_text(me, chan_of(me, "ended"), "%d", me->index);
}

/* "SIGINT and SIGTERM end it in the same way": it turns the first of them into the quit of its worker. */
static void signalled(struct part *me)
{
    sigset_t both;
    int number;

    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    must(sigprocmask(SIG_BLOCK, &both, NULL) == 0);
    raise(me->index == 0 ? SIGINT : SIGTERM);
    must(sigwait(&both, &number) == 0);
    close_chan(me, chan_of(me, me->index == 0 ? "int" : "term"));
    work_until_quit(me, "no_turns", me->index == 0 ? "int" : "term", me->index == 0 ? "on INT" : "on TERM");
}

static void main_part(struct part *me)
{
    gc_chan turns = chan_of(me, "turns"), ended = chan_of(me, "ended");
    int who;

    until_waiting(me, turns, 0, LISTENERS);
    for (int i = 0; i < 6; i++)
        send_text(me, turns, "go");
    until_waiting(me, turns, 0, LISTENERS);
    say(me, "quit");
    step_done(me, "quit");
    /* "the end is acknowledged to who asked for it" */
    for (int i = 0; i < LISTENERS; i++)
        must(recv_number(me, ended, &who));
    say(me, "all have ended");
}

static void quit(void)
{
    /* "3 listeners stop on one close" */
    must(said_times("all have ended") == 1);
    for (int i = 0; i < LISTENERS; i++) {
        char line[TEXT_BYTES], works[TEXT_BYTES];

        snprintf(line, sizeof line, "listener %d cleanup", i);
        snprintf(works, sizeof works, "listener %d works", i);
        /* "after quit no line of work any more, and "cleanup" once" */
        must(said_times("%s", line) == 1 && said_before("quit", line));
        must(said_times("%s", works) == 0 || said_before(works, "quit"));
    }
    must(said_times("on INT cleanup") == 1 && said_times("on TERM cleanup") == 1);
}

GUIDE_PARTS(G92, quit, .channels = {{"turns"}, {"no_turns"}, {"quit"}, {"ended"}, {"int"}, {"term"}},
            .parts = {PARTS(LISTENERS, listener), PART(main_part),
                      PART_WITH(signalled, .times = 2, .no_job = true)});
