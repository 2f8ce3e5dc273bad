/*
 * G13 Deferred functions: done, recover and clean-up run on every way out, the last deferred first.
 *
 * Pattern: defer. What must happen at the end is written where the need arises.
 */
#include "guide.h"

enum { WORKERS = 3, THE_ONE_THAT_PANICS = 2 };

struct worker {
    int id;
    go_waitgroup *all;
    atomic_int *finished, *recovered;
};

static void done(void *arg)
{
    go_waitgroup_done(((struct worker *)arg)->all);
}

/* Called directly by the unwinding, so that it may recover. */
static void recover_error(void *arg)
{
    struct worker *me = arg;
    const char *what = go_recover();

    if (!what)
        return;
    say("worker %d: recovered: %s", me->id, what);
    atomic_fetch_add(me->recovered, 1);
}

static void say_number(void *number)
{
    say("worker %d: deferred %d", (int)(intptr_t)number / 10, (int)(intptr_t)number % 10);
}

static void work(void *arg)
{
    struct worker *me = arg;
    intptr_t number = me->id * 10 + 1;

    go_defer(done, me);
    go_defer(recover_error, me);
    for (; number <= me->id * 10 + 3; number++)
        go_defer(say_number, (void *)number); /* the value that it has now */
    if (me->id == THE_ONE_THAT_PANICS)
        go_panic("worker %d broke", me->id);
    atomic_fetch_add(me->finished, 1);
    say("worker %d: finished", me->id);
}

static void defer(void)
{
    go_waitgroup all = {0};
    atomic_int finished = 0, recovered = 0;

    go_waitgroup_add(&all, WORKERS);
    for (int id = 1; id <= WORKERS; id++)
        must(go_spawn(work, &((struct worker){id, &all, &finished, &recovered}), sizeof(struct worker)) == 0);
    go_waitgroup_wait(&all);

    /* "deferred functions run last in first out on return, with the arguments of the time of the defer" */
    must(said_by("worker 1", LINES("worker 1: finished", "worker 1: deferred 3", "worker 1: deferred 2",
                                   "worker 1: deferred 1")));
    /* "and likewise on panic" */
    must(said_by("worker 2", LINES("worker 2: deferred 3", "worker 2: deferred 2", "worker 2: deferred 1",
                                   "worker 2: recovered: worker 2 broke")));
    /* "the wait returns after 2 normal ends and 1 recovered error" */
    must(atomic_load(&finished) == 2 && atomic_load(&recovered) == 1);
}

GUIDE_ROW(G13, defer);
