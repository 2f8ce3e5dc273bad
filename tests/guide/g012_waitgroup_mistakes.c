/*
 * G12 What goes wrong with wait groups, and how it is told.
 *
 * Pattern: add before the spawn, exactly one done each, one group for one round at a time, never a copy.
 */
#include "guide.h"

enum { WORKERS = 3 };

static void forget_done(void *unused)
{
    say("worker ends");
}

/* Wrong: main waits for what nobody will say. */
static void forgotten(void)
{
    go_waitgroup all = {0};

    go_set_name("the waiter");
    go_waitgroup_add(&all, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        must(go_spawn(forget_done, NULL, 0) == 0);
    go_waitgroup_wait(&all);
}

static void once_too_often(void)
{
    go_waitgroup all = {0};

    go_waitgroup_add(&all, 1);
    go_waitgroup_done(&all);
    go_waitgroup_done(&all);
}

static void wait_for(void *all)
{
    go_waitgroup_wait(all);
}

/* Wrong: a new round begins while a waiter of the old one is still on its way. Whether it is depends on who is faster, so
 * we try until it was. */
static void add_from_zero(void)
{
    go_waitgroup all = {0};

    for (;;) {
        go_waitgroup_add(&all, 1);
        must(go_spawn(wait_for, &all, 0) == 0);
        until_parked(1, "wait group");
        go_waitgroup_done(&all);
        go_waitgroup_add(&all, 1);
        go_waitgroup_done(&all);
        until_live(1);
    }
}

/* Wrong: the worker marks its copy as done. */
static void done_on_copy(void *arg)
{
    go_waitgroup_done(arg);
}

static void copied(void)
{
    go_waitgroup all = {0};

    go_waitgroup_add(&all, 1);
    must(go_spawn(done_on_copy, &all, sizeof all) == 0);
    go_waitgroup_wait(&all);
}

static void done_later(void *arg)
{
    go_waitgroup_done(arg);
}

static void legal_add(void)
{
    go_waitgroup all = {0};

    go_waitgroup_add(&all, 1);
    must(go_spawn(wait_for, &all, 0) == 0);
    until_parked(1, "wait group");
    go_waitgroup_add(&all, 1);
    must(go_spawn(done_later, &all, 0) == 0);
    until_live(2);
    /* "an add at counter 1 with a waiter is legal: the waiter waits for both" */
    must(parked("wait group") == 1);
    go_waitgroup_done(&all);
    until_live(1);
}

GUIDE_ROW(G12, legal_add);
/* "a forgotten done: the deadlock report names the group and the waiter, no hang", "a job whose goroutines wait only on its
 * own objects ends with cause deadlock" */
GUIDE_PART(G12, forgotten, .ends = ENDS_IN_DEADLOCK,
           .says = {"waits for wait group", "counter 3", "the waiter"});
/* "a done too many: panic "negative WaitGroup counter"" */
GUIDE_PART(G12, once_too_often, .ends = ENDS_IN_PANIC, .says = {"negative WaitGroup counter"});
/* "an add from 0 while a waiter has not returned is told as misuse" */
GUIDE_PART(G12, add_from_zero, .ends = ENDS_IN_PANIC, .says = {"WaitGroup misuse"});
/* "a copied group panics in a debug build" */
GUIDE_PART(G12, copied, .ends = ENDS_IN_PANIC, .says = {"copied"}, .debug_only = true);
