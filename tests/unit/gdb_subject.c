/* For gdb_goroutines.py: main and five parked goroutines, and a place to stop at when they are parked. With an argument it
 * aborts there. */
#include <stdlib.h>

#include "goroutine_host.h"

enum { WAITERS = 5 };

static __attribute__((noinline)) void all_are_parked(const void *die)
{
    __asm__ volatile("" ::: "memory");
    if (die)
        abort();
}

static __attribute__((noinline)) void wait_with_a_local(go_chan *c, int number)
{
    volatile int secret = 4200 + number;

    go_chan_recv(c, NULL, GO_FOREVER);
    if (secret - number != 4200)
        abort();
}

struct what {
    go_chan *c;
    int number;
};

static void waiter(void *arg)
{
    struct what *what = arg;

    wait_with_a_local(what->c, what->number);
    go_yield();
}

static int run(void *arg)
{
    struct what what = {go_chan_new(0, 0), 0};
    struct go_stats stats;

    for (; what.number < WAITERS; what.number++)
        go_spawn(waiter, &what, sizeof what);
    do {
        go_yield();
        go_stats_read(&stats);
    } while (stats.parked < WAITERS);
    all_are_parked(arg);
    go_chan_close(what.c);
    while (go_live() > 1)
        go_yield();
    go_chan_unref(what.c);
    return 0;
}

int main(int argc, char **argv)
{
    return go_main(run, argc > 1 ? argv : NULL);
}
