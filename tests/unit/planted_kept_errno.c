/*
 * Wrong on purpose: the address of errno is kept over a wait, as a compiler does that takes it for a constant of the
 * thread. When every wake-up is on another processor that must show.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "goroutine.h"

enum { WAITS = 100, MINE = 4242 };

static int run(void *unused)
{
    int wrong = 0;

    (void)unused;
    for (int i = 0; i < WAITS; i++) {
        int *kept = go_errno_location();

        *kept = MINE;
        go_yield();
        if (*kept != MINE || go_errno_location() != kept)
            wrong++;
    }
    fprintf(stderr, "%d of %d waits: errno is that of a thread that was left\n", wrong, WAITS);
    return wrong > 0;
}

int main(void)
{
    setenv("GOROUTINE_MIGRATE", "1", 1);
    go_set_procs(2);
    return go_main(run, NULL);
}
