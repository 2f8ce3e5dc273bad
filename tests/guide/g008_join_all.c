/*
 * G08 Joining all: no sleep, no hope that they will be quick, no one left out.
 *
 * Pattern: wait group. A style test refuses examples that sleep to wait for a goroutine.
 */
#include "guide.h"

enum { WORKERS = 10 };

static void work(void *finished)
{
    for (int i = 0; i < 100; i++)
        go_yield();
    atomic_fetch_add((atomic_int *)finished, 1);
}

static void join_all(void)
{
    go_waitgroup workers = {0};
    atomic_int finished = 0;

    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&workers, work, &finished, 0) == 0);
    go_waitgroup_wait(&workers);
    say("%d of %d finished", atomic_load(&finished), WORKERS);
    /* "10 of 10 workers have finished when all are joined" */
    must(said(LINES("10 of 10 finished")));
    /* "no example waits for a goroutine by sleeping": tests/style/guide_rows.py looks at all of them. */
}

GUIDE_ROW(G08, join_all);
