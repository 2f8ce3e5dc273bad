/*
 * G51 A semaphore of 6 units, of which a request takes as many as it needs: 5 for large work, 1 for small.
 *
 * Pattern: weighted semaphore. Requests are served in the order in which they came, so that small ones cannot starve a
 * large one.
 */
#include "goroutine_sync.h"
#include "guide.h"

enum { SIZE = 6, WORKERS = 24, ROUNDS = 20 };

struct worker {
    go_semaphore *units;
    atomic_int *held;
    int needs;
};

static void work(void *arg)
{
    const struct worker *me = arg;

    for (int i = 0; i < ROUNDS; i++) {
        must(go_semaphore_acquire(me->units, me->needs, GO_FOREVER) == 0);
        /* "the units held are never more than 6" */
        must(atomic_fetch_add(me->held, me->needs) + me->needs <= SIZE);
        go_yield();
        atomic_fetch_sub(me->held, me->needs);
        go_semaphore_release(me->units, me->needs);
    }
}

static void never_too_much(void)
{
    go_semaphore units = {.size = SIZE};
    go_waitgroup workers = {0};
    atomic_int held = 0;

    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&workers, work, &((struct worker){&units, &held, 1 + i % SIZE}),
                             sizeof(struct worker)) == 0);
    go_waitgroup_wait(&workers);
    must(go_semaphore_acquire(&units, SIZE, GO_NOW) == 0); /* all are free again */
}

struct request {
    go_semaphore *units;
    go_ctx *ctx; /* may be NULL */
    const char *name;
    int64_t needs;
};

static void make_request(void *arg)
{
    const struct request *me = arg;

    if (go_semaphore_acquire(me->units, me->needs, go_with(me->ctx)) == -ECANCELED) {
        say("%s gave up", me->name);
        return;
    }
    say("%s has %d", me->name, (int)me->needs);
    go_semaphore_release(me->units, me->needs);
}

/* Requests in this order, while `held` of the units are taken. */
static void queue_up(go_semaphore *units, int64_t held, struct request first, struct request second)
{
    must(go_semaphore_acquire(units, held, GO_NOW) == 0);
    must(go_spawn(make_request, &first, sizeof first) == 0);
    until_parked(1, "semaphore");
    must(go_spawn(make_request, &second, sizeof second) == 0);
    until_parked(2, "semaphore");
}

static void large_before_small(void)
{
    go_semaphore units = {.size = SIZE};

    queue_up(&units, 3, (struct request){&units, NULL, "large", 5},
             (struct request){&units, NULL, "small", 2});
    /* "a request that only tries is refused while another waits, though there is enough for it" */
    must(go_semaphore_acquire(&units, 1, GO_NOW) == -EAGAIN);
    go_semaphore_release(&units, 3);
    until_live(1);
    /* "a large request at the head is not overtaken by a small one that would fit" */
    must(said(LINES("large has 5", "small has 2")));
}

static void cancelled(void)
{
    go_semaphore units = {.size = SIZE};
    go_ctx *ctx = go_ctx_new(go_ctx_background());

    queue_up(&units, 4, (struct request){&units, ctx, "large", 5},
             (struct request){&units, NULL, "small", 2});
    go_ctx_cancel(ctx, 0, NULL);
    until_live(1);
    /* "one that is cancelled takes nothing and lets the next go" */
    must(said_in_any_order(LINES("large gave up", "small has 2")));
    must(go_semaphore_acquire(&units, 2, GO_NOW) == 0);
    go_ctx_unref(ctx);
}

static void weighted_semaphore(void)
{
    never_too_much();
    large_before_small();
    say_nothing_yet();
    cancelled();
}

GUIDE_ROW(G51, weighted_semaphore);
