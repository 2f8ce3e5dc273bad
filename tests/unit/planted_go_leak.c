/* Wrong on purpose: goroutines end without freeing what they have allocated. */
#include <stdlib.h>
#include <string.h>

#include "goroutine.h"

enum { WORKERS = 16 };

static void forget_in_goroutine(void *arg)
{
    void *volatile forgotten = malloc(1789);

    if (forgotten)
        memset(forgotten, 1, 1789);
    (void)arg;
}

static int run(void *unused)
{
    go_waitgroup workers = {{0}};

    (void)unused;
    for (int i = 0; i < WORKERS; i++)
        if (go_waitgroup_go(&workers, forget_in_goroutine, NULL, 0) < 0)
            return 2;
    go_waitgroup_wait(&workers);
    return 0;
}

int main(void)
{
    return go_main(run, NULL);
}
