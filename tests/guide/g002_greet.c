/*
 * G02 One after the other, and side by side: the same function called twice, then spawned twice.
 *
 * Pattern: spawn and join. A call has a place in the order of the caller; a goroutine has not.
 */
#include "guide.h"

static void greet(void *arg)
{
    const char *name = arg;

    for (int i = 0; i < 3; i++) {
        say("Hello %s %d", name, i);
        go_yield();
    }
}

static void called(void)
{
    greet("Alice");
    greet("Bob");
    say("Done");
    /* "called: exactly Alice 0, 1, 2, Bob 0, 1, 2, Done" */
    must(said(LINES("Hello Alice 0", "Hello Alice 1", "Hello Alice 2", "Hello Bob 0", "Hello Bob 1",
                    "Hello Bob 2", "Done")));
}

static void spawned(void)
{
    go_waitgroup done = {0};

    must(go_waitgroup_go(&done, greet, "Alice", 0) == 0);
    must(go_waitgroup_go(&done, greet, "Bob", 0) == 0);
    go_waitgroup_wait(&done);
    say("Done");
    /* "spawned: the same six lines in any order" */
    must(said_in_any_order(LINES("Hello Alice 0", "Hello Alice 1", "Hello Alice 2", "Hello Bob 0",
                                 "Hello Bob 1", "Hello Bob 2", "Done")));
    /* "but each name in the order 0, 1, 2" */
    must(said_by("Hello Alice", LINES("Hello Alice 0", "Hello Alice 1", "Hello Alice 2")));
    must(said_by("Hello Bob", LINES("Hello Bob 0", "Hello Bob 1", "Hello Bob 2")));
    /* "and Done last" */
    must(said_last("Done"));
}

static void sequential_and_concurrent(void)
{
    called();
    say_nothing_yet();
    spawned();
}

GUIDE_ROW(G02, sequential_and_concurrent);
