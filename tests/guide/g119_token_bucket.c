/*
 * G119 A bucket of five tokens, into which a new one falls every 200 ms. Who finds a token may go on; who finds none is
 * told so, and does not wait.
 *
 * Pattern: token bucket, from a buffered channel (the tokens) and a ticker. The goroutine that fills it can be stopped.
 * The library's go_limiter does the same without a goroutine: G120 and G121.
 */
#include "guide.h"

#define MS INT64_C(1000000)

enum { CAPACITY = 5, FILL_MS = 200, TAKERS = 20 };

struct bucket {
    go_chan *tokens, *stop;
    go_waitgroup filler;
};

static void fill(void *arg)
{
    struct bucket *bucket = arg;
    go_timer *ticker = go_ticker_new(FILL_MS * MS);
    struct go_case cases[] = {GO_TIMER(ticker, NULL), GO_RECV(bucket->stop, NULL)};

    while (go_select(cases, 2, GO_FOREVER) == 0)
        go_chan_send(bucket->tokens, NULL, GO_NOW); /* a full bucket stays full */
    go_timer_unref(ticker);
}

static void bucket_start(struct bucket *bucket)
{
    *bucket = (struct bucket){.tokens = go_chan_new(0, CAPACITY), .stop = go_chan_new(0, 0)};
    for (int i = 0; i < CAPACITY; i++)
        must(go_chan_send(bucket->tokens, NULL, GO_NOW) == 0);
    must(go_waitgroup_go(&bucket->filler, fill, bucket, 0) == 0);
}

static void bucket_stop(struct bucket *bucket)
{
    go_chan_close(bucket->stop);
    go_waitgroup_wait(&bucket->filler);
}

static bool bucket_take(struct bucket *bucket)
{
    return go_chan_recv(bucket->tokens, NULL, GO_NOW) == 1;
}

static void take(void *bucket)
{
    say(bucket_take(bucket) ? "granted" : "rate limited");
}

/* Takers that come at the same time; how many of them have been granted a token. */
static size_t take_at_once(struct bucket *bucket)
{
    go_waitgroup takers = {0};

    say_nothing_yet();
    for (int i = 0; i < TAKERS; i++)
        must(go_waitgroup_go(&takers, take, bucket, 0) == 0);
    go_waitgroup_wait(&takers);
    must(said_times("granted") + said_times("rate limited") == TAKERS);
    return said_times("granted");
}

/* Until the clock shows that, and the filler has done what was due by then. */
static void let_pass(int ms)
{
    go_sleep(go_after_ms(ms));
    go_bubble_wait();
}

static void use_bucket(void *unused)
{
    struct bucket bucket;

    bucket_start(&bucket);
    /* "of 20 takers at once 5 are granted a token, and 15 are told "rate limited"" */
    must(take_at_once(&bucket) == CAPACITY && said_times("rate limited") == TAKERS - CAPACITY);
    let_pass(600);
    /* "600 ms later: 3 more" */
    must(take_at_once(&bucket) == 3);
    let_pass(10000);
    /* "10 s later the bucket is full: 5, not more" */
    must(take_at_once(&bucket) == CAPACITY);
    bucket_stop(&bucket);
    /* "stop ends the goroutine that fills it, and no token comes any more" */
    until_live(1 + 1); /* we, and who waits for this clock to end */
    let_pass(10000);
    must(take_at_once(&bucket) == 0);
    go_chan_unref(bucket.tokens);
    go_chan_unref(bucket.stop);
}

static void token_bucket(void)
{
    on_fake_clock(use_bucket, NULL);
}

GUIDE_ROW(G119, token_bucket);
