/*
 * G01 Start a goroutine: the starter goes on at once, and joins what it started.
 *
 * Pattern: spawn and join.
 */
#include "guide.h"

struct greeting {
    const char *name;
    struct gate *gate; /* NULL: not held */
    go_waitgroup *done;
};

static void say_hello(void *arg)
{
    const struct greeting *greeting = arg;

    if (greeting->gate)
        gate_pass(greeting->gate);
    say("Hello, %s!", greeting->name);
    go_waitgroup_done(greeting->done);
}

static void start(void)
{
    go_waitgroup done = {0};
    struct gate gate = {0};

    go_waitgroup_add(&done, 1);
    must(go_spawn(say_hello, &((struct greeting){"World", NULL, &done}), sizeof(struct greeting)) == 0);
    say("Main function continues...");
    go_waitgroup_wait(&done); /* not a sleep: however long it takes, it has ended */
    /* "the set {"Main function continues...", "Hello, World!"}" */
    must(said_in_any_order(LINES("Main function continues...", "Hello, World!")));

    say_nothing_yet();
    go_waitgroup_add(&done, 1);
    must(go_spawn(say_hello, &((struct greeting){"World", &gate, &done}), sizeof(struct greeting)) == 0);
    say("Main function continues...");
    gate_open(&gate);
    go_waitgroup_wait(&done);
    /* "with the child held at a gate the starter's line comes first, as a spawn never waits" */
    must(said(LINES("Main function continues...", "Hello, World!")));
}

GUIDE_ROW(G01, start);
