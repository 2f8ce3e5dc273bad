/*
 * G120 The bucket is empty, the next token comes in 200 ms. One taker has 100 ms to wait, another one 300.
 *
 * Pattern: token bucket, take with a timeout.
 */
#include "goroutine_patterns.h"
#include "guide.h"

#define MS INT64_C(1000000)

enum { FILL_MS = 200 };

struct taker {
    go_limiter *bucket;
    int timeout_ms;
};

static void take(void *arg)
{
    const struct taker *me = arg;
    int r = go_limiter_take(me->bucket, 1, go_after_ms(me->timeout_ms));

    must(r == 0 || r == -ETIMEDOUT);
    say("timeout of %d ms: %s at %d ms", me->timeout_ms, r == 0 ? "true" : "false", (int)fake_ms());
}

static void two_takers(void *unused)
{
    go_limiter *bucket = go_limiter_new(1, FILL_MS * MS, 1);
    go_waitgroup takers = {0};

    must(go_limiter_take(bucket, 1, GO_NOW) == 0); /* now it is empty */
    must(go_waitgroup_go(&takers, take, &((struct taker){bucket, 100}), sizeof(struct taker)) == 0);
    go_bubble_wait(); /* it is the first in the queue */
    must(go_waitgroup_go(&takers, take, &((struct taker){bucket, 300}), sizeof(struct taker)) == 0);
    go_waitgroup_wait(&takers);
    /* "false at 100 ms with a timeout of 100 ms", "true at 200 ms with one of 300 ms" */
    must(said(LINES("timeout of 100 ms: false at 100 ms", "timeout of 300 ms: true at 200 ms")));
    go_sleep(go_after_ms(FILL_MS));
    /* "the taker that timed out has taken no token: the first one is the other's, the second one comes at 400 ms" */
    must(go_limiter_take(bucket, 1, GO_NOW) == 0 && fake_ms() == 2 * FILL_MS);
    must(go_limiter_take(bucket, 1, GO_NOW) == -EAGAIN);
    go_limiter_unref(bucket);
}

static void take_timeout(void)
{
    on_fake_clock(two_takers, NULL);
}

GUIDE_ROW(G120, take_timeout);
