/*
 * G169 How a program with goroutines is made so that its tests repeat: what it computes is a plain function; the worker
 * around it gets both its ends from outside, so that a test may put arrays in their places; timeouts run on the fake clock;
 * and what still depends on the order in which goroutines run is run under a seed.
 *
 * Pattern: deterministic tests of concurrent code.
 */
#include <time.h>

#include "again.h"
#include "guide.h"

#define HOUR_NS (3600 * INT64_C(1000000000))

/* ---- the core, without goroutines ---- */

static int price_of(int pieces)
{
    return pieces >= 10 ? 9 * pieces : 10 * pieces;
}

/* ---- the worker, with two ends ---- */

struct source {
    bool (*next)(void *from, int *order); /* false: no more */
    void *from;
};

struct sink {
    bool (*put)(void *to, int price); /* false: wants no more */
    void *to;
};

static int serve(struct source source, struct sink sink)
{
    int order, served = 0;

    while (source.next(source.from, &order) && sink.put(sink.to, price_of(order)))
        served++;
    return served;
}

/* The ends in the program: channels. */
struct shop {
    go_chan *orders, *prices;
};

struct clerk {
    struct shop *shop;
    int number;
};

static bool next_received(void *from, int *order)
{
    const struct clerk *me = from;

    if (!go_range(me->shop->orders, order))
        return false;
    say("clerk %d takes an order of %d", me->number, *order);
    return true;
}

static bool put_sent(void *to, int price)
{
    const struct clerk *me = to;

    return go_chan_send(me->shop->prices, &price, GO_FOREVER) == 0;
}

/* The ends in a test. */
struct list {
    int values[4], n, most;
};

static bool next_listed(void *from, int *order)
{
    struct list *list = from;

    if (list->n == list->most)
        return false;
    *order = list->values[list->n++];
    return true;
}

static bool put_listed(void *to, int price)
{
    struct list *list = to;

    if (list->n == list->most)
        return false;
    list->values[list->n++] = price;
    return true;
}

static void test_worker_with_stubs(void)
{
    struct list orders = {{1, 9, 10, 20}, 0, 4}, prices = {.most = 4}, full = {.most = 2};

    must(serve((struct source){next_listed, &orders}, (struct sink){put_listed, &prices}) == 4);
    /* "stub ends drive the worker: the orders 1, 9, 10, 20 give 10, 90, 90, 180, and it stops when its sink is full" */
    must(ints_are(prices.values, 4, INTS(10, 90, 90, 180)));
    orders.n = 0;
    must(serve((struct source){next_listed, &orders}, (struct sink){put_listed, &full}) == 2);
}

/* ---- timeouts ---- */

static void wait_for_an_hour(void *arg)
{
    int64_t start = go_now_ns();
    int order;

    must(go_chan_recv(*(go_chan **)arg, &order, go_after_ns(HOUR_NS)) == -ETIMEDOUT);
    must(go_now_ns() - start == HOUR_NS);
}

static void wait_on_bubble_channel(void *arg)
{
    go_chan *orders = go_chan_new(sizeof(int), 0);

    (void)arg;
    wait_for_an_hour(&orders);
    go_chan_unref(orders);
}

static void test_timeout(void)
{
    time_t start = time(NULL);

    on_fake_clock(wait_on_bubble_channel, NULL);
    /* "a timeout of an hour is waited for exactly, and takes no hour" */
    must(time(NULL) - start < 3600);
}

static void deterministic(void)
{
    /* "the core is tested without goroutines" */
    must(price_of(0) == 0 && price_of(9) == 90 && price_of(10) == 90);
    test_worker_with_stubs();
    test_timeout();
    say("core, worker and timeout");
}

/* ---- the order ---- */

static void serve_as_clerk(void *arg)
{
    struct clerk *me = arg;
    int served = serve((struct source){next_received, me}, (struct sink){put_sent, me});

    say("clerk %d served %d", me->number, served);
}

static void send_orders(void *arg)
{
    struct shop *shop = arg;

    for (int order = 1; order <= 30; order++)
        must(go_chan_send(shop->orders, &order, GO_FOREVER) == 0);
    go_chan_close(shop->orders);
}

static void open_shop(void *arg)
{
    struct shop shop = {go_chan_new(sizeof(int), 2), go_chan_new(sizeof(int), 0)};
    int price;

    (void)arg;
    for (int i = 0; i < 3; i++)
        must(go_spawn(serve_as_clerk, &((struct clerk){&shop, i}), sizeof(struct clerk)) == 0);
    must(go_spawn(send_orders, &shop, 0) == 0);
    for (int i = 0; i < 30; i++) {
        must(go_chan_recv(shop.prices, &price, GO_FOREVER) == 1);
        say("sold for %d at %lld ms", price, (long long)fake_ms());
        must(go_sleep(go_after_ms(price)) == 0);
    }
    go_bubble_wait();
    go_chan_unref(shop.orders);
    go_chan_unref(shop.prices);
}

/* Prints everything that happens. */
static void event_log(void)
{
    on_fake_clock(open_shop, NULL);
}

static void same_log(void)
{
    struct again *first = run_again("GOROUTINE_SEED=42", "--procs 4 --part event_log");
    struct again *second = run_again("GOROUTINE_SEED=42", "--procs 4 --part event_log");
    struct again *other = run_again("GOROUTINE_SEED=43", "--procs 4 --part event_log");

    must(first->status == 0 && second->status == 0 && other->status == 0);
    /* "under one seed the log of all events is the same twice, under another seed it is another" */
    must(strcmp(first->out, second->out) == 0 && strcmp(first->out, other->out) != 0);
    free(first);
    free(second);
    free(other);
}

GUIDE_ROW(G169, deterministic);
GUIDE_PART(G169, event_log);
GUIDE_PART(G169, same_log, .no_job = "it is a program that runs itself again");
