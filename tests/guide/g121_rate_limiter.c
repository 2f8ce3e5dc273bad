/*
 * G121 Ten requests come at once; four may start in a second, and a burst of four at once.
 *
 * Pattern: rate limiter, wait. It limits how many start in a time, not how many run at the same time: that is a semaphore
 * (G50).
 */
#include "goroutine_patterns.h"
#include "guide.h"

#define SECOND INT64_C(1000000000)

enum { REQUESTS = 10, PER_SECOND = 4, BURST = 4 };

struct requests {
    go_limiter *limiter;
    atomic_int started;
    int start_ms[REQUESTS]; /* in the order in which they started */
};

static void request(void *arg)
{
    struct requests *requests = arg;

    must(go_limiter_take(requests->limiter, 1, GO_FOREVER) == 0);
    requests->start_ms[atomic_fetch_add(&requests->started, 1)] = (int)fake_ms();
    say("request done");
}

static int started_in(const struct requests *requests, int second)
{
    int n = 0;

    for (int i = 0; i < REQUESTS; i++)
        n += requests->start_ms[i] / 1000 == second;
    return n;
}

static void ten_requests(void *unused)
{
    struct requests requests = {.limiter = go_limiter_new(PER_SECOND, SECOND, BURST)};
    go_waitgroup all = {0};

    for (int i = 0; i < REQUESTS; i++)
        must(go_waitgroup_go(&all, request, &requests, 0) == 0);
    go_waitgroup_wait(&all);
    /* "4 start at 0, then one each at 250, 500, 750, 1000, 1250, 1500 ms" */
    must(ints_are(requests.start_ms, REQUESTS, INTS(0, 0, 0, 0, 250, 500, 750, 1000, 1250, 1500)));
    /* "10 are done" */
    must(said_times("request done") == REQUESTS);
    say("requests started in the first second: %d, in the second: %d", started_in(&requests, 0),
        started_in(&requests, 1));
    go_limiter_unref(requests.limiter);
}

static void rate_limiter(void)
{
    on_fake_clock(ten_requests, NULL);
}

GUIDE_ROW(G121, rate_limiter, .prints = {"requests started in the first second: 7, in the second: 3"});
