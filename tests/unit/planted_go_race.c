/*
 * Wrong on purpose: two goroutines on two processors add to one variable without a lock. They keep step by relaxed
 * atomics, which order nothing, so that each sees the other's writes; the race build must see through the switches
 * of goroutines.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "goroutine.h"

enum { WORKERS = 2, ROUNDS = 100 };

static atomic_int steps;
static int total;

static void add_to_total(void *unused)
{
    (void)unused;
    for (int i = 1; i <= ROUNDS; i++) {
        total++;
        atomic_fetch_add_explicit(&steps, 1, memory_order_relaxed);
        while (atomic_load_explicit(&steps, memory_order_relaxed) < i * WORKERS)
            ;
    }
}

static int run(void *unused)
{
    go_waitgroup workers = {{0}};

    (void)unused;
    for (int i = 0; i < WORKERS; i++)
        if (go_waitgroup_go(&workers, add_to_total, NULL, 0) < 0)
            return 2;
    go_waitgroup_wait(&workers);
    return 0;
}

int main(void)
{
    go_set_procs(WORKERS);
    return go_main(run, NULL);
}
