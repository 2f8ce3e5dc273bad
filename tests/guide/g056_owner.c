/*
 * G56 A counter that one goroutine owns: the others send it what to add, and ask it for the value. No lock is needed, as
 * nobody else touches the counter.
 *
 * Pattern: confinement. The value is read through its owner, which is closed and joined at the end.
 */
#include "guide.h"

enum { ADDERS = 100 };

struct owner {
    go_chan *deltas;    /* of int */
    go_chan *questions; /* of go_chan *: where to answer */
    go_waitgroup ended;
};

static void own(void *arg)
{
    struct owner *owner = arg;
    int counter = 0, delta = 0;
    go_chan *answer = NULL;

    for (;;) {
        struct go_case cases[] = {GO_RECV(owner->deltas, &delta), GO_RECV(owner->questions, &answer)};

        if (go_select(cases, 2, GO_FOREVER) == 0) {
            counter += delta;
            continue;
        }
        if (cases[1].result == 0)
            return; /* nobody will ask again */
        must(go_chan_send(answer, &counter, GO_FOREVER) == 0);
    }
}

static void owner_start(struct owner *owner)
{
    *owner = (struct owner){go_chan_new(sizeof(int), 0), go_chan_new(sizeof(go_chan *), 0)};
    must(go_waitgroup_go(&owner->ended, own, owner, 0) == 0);
}

static void owner_stop(struct owner *owner)
{
    must(go_chan_close(owner->questions) == 0);
    go_waitgroup_wait(&owner->ended);
    go_chan_unref(owner->deltas);
    go_chan_unref(owner->questions);
}

static int owner_ask(struct owner *owner)
{
    go_chan *answer = go_chan_new(sizeof(int), 1);
    int value;

    must(go_chan_send(owner->questions, &answer, GO_FOREVER) == 0);
    must(go_chan_recv(answer, &value, GO_FOREVER) == 1);
    go_chan_unref(answer);
    return value;
}

static void add_one(void *arg)
{
    struct owner *owner = arg;

    must(go_chan_send(owner->deltas, &(int){1}, GO_FOREVER) == 0);
}

static void owner(void)
{
    struct owner owner;
    go_waitgroup adders = {0};

    owner_start(&owner);
    for (int i = 0; i < ADDERS; i++)
        must(go_waitgroup_go(&adders, add_one, &owner, 0) == 0);
    go_waitgroup_wait(&adders);
    say("counter: %d", owner_ask(&owner));
    /* "exactly 100, read through the owner" */
    must(said(LINES("counter: 100")));
    owner_stop(&owner);
    /* "the owner is closed and joined: nothing of it is left" */
    until_live(1);
}

GUIDE_ROW(G56, owner);
