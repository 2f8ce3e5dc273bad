/*
 * G156 Parallel is two at the same instant, and needs two processors; concurrent is two under way, by turns if need be.
 *
 * Two goroutines that spin until the other is there, too, can only pass if both run at once. On one processor two that
 * give way to each other come forward alike.
 *
 * Pattern: concurrency is not parallelism.
 */
#include <unistd.h>

#include "guide.h"

enum { STEPS = 10, TRIES = 1000 };

struct barrier {
    atomic_int there;
    pid_t threads[2];
};

struct spinner {
    struct barrier *barrier;
    int number;
};

/* Nothing here lets the other one run. */
static void meet(void *arg)
{
    const struct spinner *me = arg;
    struct barrier *barrier = me->barrier;

    atomic_fetch_add(&barrier->there, 1);
    while (atomic_load_explicit(&barrier->there, memory_order_relaxed) < 2)
        ;
    barrier->threads[me->number] = gettid();
    atomic_fetch_add(&barrier->there, 1);
    while (atomic_load_explicit(&barrier->there, memory_order_relaxed) < 4)
        ;
}

static void parallel(void)
{
    struct barrier barrier = {0};
    go_waitgroup both = {0};

    for (int i = 0; i < 2; i++)
        must(go_waitgroup_go(&both, meet, &((struct spinner){&barrier, i}), sizeof(struct spinner)) == 0);
    go_waitgroup_wait(&both);
    /* "with 2 processors two goroutines that spin until both are there pass" */
    must(atomic_load(&barrier.there) == 4);
    /* "they are on two threads" */
    must(barrier.threads[0] != barrier.threads[1]);
}

struct steps {
    atomic_int n;
    char by[2 * STEPS + 1];
};

struct walker {
    struct steps *steps;
    char name;
};

static void walk(void *arg)
{
    const struct walker *me = arg;

    for (int i = 0; i < STEPS; i++) {
        me->steps->by[atomic_fetch_add(&me->steps->n, 1)] = me->name;
        go_yield();
    }
}

static bool by_turns(const char *by)
{
    for (int i = 1; i < 2 * STEPS; i++)
        if (by[i] == by[i - 1])
            return false;
    return strlen(by) == 2 * STEPS;
}

/* A machine under load may hold the one processor up for so long that another is lent: then they overtake. */
static void interleaved(void)
{
    bool turns = false;

    for (int i = 0; i < TRIES && !turns; i++) {
        struct steps steps = {0};
        go_waitgroup both = {0};

        must(go_waitgroup_go(&both, walk, &((struct walker){&steps, 'a'}), sizeof(struct walker)) == 0);
        must(go_waitgroup_go(&both, walk, &((struct walker){&steps, 'b'}), sizeof(struct walker)) == 0);
        go_waitgroup_wait(&both);
        turns = by_turns(steps.by);
        if (turns)
            say("%s", steps.by);
    }
    /* "with 1 processor two that yield after each step take turns, step by step" */
    must(turns);
}

GUIDE_ROW(G156, parallel, .procs = {2});
GUIDE_PART(G156, interleaved, .procs = {1});
