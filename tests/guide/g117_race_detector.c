/*
 * G117 What the race build knows: every way in which one goroutine can wait for another orders what they do. A plain
 * variable is handed on in each of these ways, and nothing is reported; when it is used by two without any of them that is
 * reported. What one thread does is in order for it: so run it with more than one processor.
 *
 * The same test runs in both builds: in the ordinary one for its result, in the race build for its silence, too.
 *
 * Pattern: race detector.
 */
#include <stdatomic.h>

#include "guide.h"

struct handed {
    int value; /* plain: whoever it was handed to may use it */
    go_chan *c;
    go_mutex lock;
    go_cond changed;
    bool ready; /* lock */
    go_once once;
    go_waitgroup group;
    go_ctx *ctx;
};

enum { ROUNDS = 20, RACY_ROUNDS = 100 };

static void by_unbuffered(void *arg)
{
    struct handed *handed = arg;

    handed->value++;
    must(go_chan_send(handed->c, NULL, GO_FOREVER) == 0);
}

static void by_mutex_and_cond(void *arg)
{
    struct handed *handed = arg;

    handed->value++;
    go_mutex_lock(&handed->lock);
    handed->ready = true;
    go_cond_signal(&handed->changed);
    go_mutex_unlock(&handed->lock);
}

static void add_one(void *arg)
{
    ((struct handed *)arg)->value++;
}

static void by_once(void *arg)
{
    struct handed *handed = arg;

    go_once_do(&handed->once, add_one, handed);
}

static void by_cancel(void *arg)
{
    struct handed *handed = arg;

    handed->value++;
    go_ctx_cancel(handed->ctx, 0, NULL);
}

static void wait_for_cond(struct handed *handed)
{
    go_mutex_lock(&handed->lock);
    while (!handed->ready)
        go_cond_wait(&handed->changed, &handed->lock);
    go_mutex_unlock(&handed->lock);
}

static void by_close(void *arg)
{
    struct handed *handed = arg;

    handed->value++;
    must(go_chan_close(handed->c) == 0);
}

static void hand_on(struct handed *handed)
{
    go_timer *timer = go_timer_func(1, by_unbuffered, handed);

    must(go_chan_recv(handed->c, NULL, GO_FOREVER) == 1 && ++handed->value == 2);
    must(go_spawn(by_mutex_and_cond, handed, 0) == 0);
    wait_for_cond(handed);
    must(++handed->value == 4);
    must(go_spawn(by_once, handed, 0) == 0);
    go_once_do(&handed->once, add_one, handed);
    must(++handed->value == 6);
    must(go_spawn(by_cancel, handed, 0) == 0);
    must(go_ctx_wait(handed->ctx, GO_FOREVER) == 0 && ++handed->value == 8);
    must(go_waitgroup_go(&handed->group, add_one, handed, 0) == 0);
    go_waitgroup_wait(&handed->group);
    must(++handed->value == 10);
    must(go_spawn(by_close, handed, 0) == 0);
    must(go_chan_recv(handed->c, NULL, GO_FOREVER) == 0 && ++handed->value == 12);
    go_timer_unref(timer);
}

/* "a plain variable that is handed on by a channel, a close, a cond, a once, a cancel, a timer or a join is right every
 * time, and the race build is silent" */
static void race_detector(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct handed handed = {.c = go_chan_new(0, 0), .ctx = go_ctx_new(go_ctx_background())};

        hand_on(&handed);
        until_live(1);
        go_ctx_unref(handed.ctx);
        go_chan_unref(handed.c);
    }
    say("%d rounds", ROUNDS);
}

struct beside {
    struct handed handed;
    atomic_int added;
};

/* Both keep step, so that they are on two threads: by relaxed atomics, that order nothing. */
static void add_beside(void *arg)
{
    struct beside *beside = arg;

    for (int i = 1; i <= RACY_ROUNDS; i++) {
        add_one(&beside->handed);
        atomic_fetch_add_explicit(&beside->added, 1, memory_order_relaxed);
        while (atomic_load_explicit(&beside->added, memory_order_relaxed) < 2 * i)
            continue;
    }
}

/* Wrong: nothing orders the additions. */
static void not_handed_on(void)
{
    struct beside beside = {.added = 0};

    must(go_waitgroup_go(&beside.handed.group, add_beside, &beside, 0) == 0);
    must(go_waitgroup_go(&beside.handed.group, add_beside, &beside, 0) == 0);
    go_waitgroup_wait(&beside.handed.group);
}

GUIDE_ROW(G117, race_detector);
/* "what two use without being ordered is reported, and the exit status is not 0" */
GUIDE_PART(G117, not_handed_on, .ends = ENDS_IN_RACE, .says = {"Write of size 4", "add_one", "not_handed_on"},
           .no_job = "a race is not for a job");
