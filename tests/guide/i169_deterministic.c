/*
 * G169 between processes: how a service is made so that its tests repeat: what it computes is a plain function; the worker
 * around it gets both its ends from outside, in the program channels of the daemon, in a test arrays; timeouts run on the
 * clock of the daemon; and the daemon itself, with its clients and the net between them, runs under a seed.
 *
 * Pattern: deterministic tests of concurrent code.
 */
#include <time.h>

#include "goclient_context.h"
#include "parts.h"

enum { HOUR_MS = 3600 * 1000, LOG_BYTES = 4 << 20 };

/* ---- the core, without goroutines ---- */

static int price_of(int pieces)
{
    return pieces >= 10 ? 9 * pieces : 10 * pieces;
}

/* ---- the worker, with two ends ---- */

struct ends {
    bool (*next)(struct ends *ends, int *order); /* false: no more */
    bool (*put)(struct ends *ends, int price);   /* false: wants no more */
    struct part *me;                             /* in the program */
    int values[8], n, most, room;                /* in a test: orders, then prices */
};

static int serve(struct ends *ends)
{
    int order, served = 0;

    while (ends->next(ends, &order) && ends->put(ends, price_of(order)))
        served++;
    return served;
}

static bool next_received(struct ends *ends, int *order)
{
    return recv_number(ends->me, chan_of(ends->me, "orders"), order);
}

static bool put_sent(struct ends *ends, int price)
{
    send_number(ends->me, chan_of(ends->me, "prices"), price);
    return true;
}

static bool next_listed(struct ends *ends, int *order)
{
    *order = ends->n < ends->most ? ends->values[ends->n] : 0;
    return ends->n < ends->most;
}

static bool put_listed(struct ends *ends, int price)
{
    if (ends->n == ends->room)
        return false;
    ends->values[ends->n++] = price;
    return true;
}

static void clerk(struct part *me)
{
    struct ends program = {next_received, put_sent, .me = me};

    must(serve(&program) == 2);
    send_text(me, chan_of(me, "prices"), "closed");
}

/* "stub ends drive the worker: the orders 1, 9, 10, 20 give 10, 90, 90, 180, and it stops when its sink is full" */
static void tester(struct part *me)
{
    struct ends all = {next_listed, put_listed, NULL, {1, 9, 10, 20}, 0, 4, 4}, full = all;

    /* "the core is tested without goroutines" */
    must(price_of(0) == 0 && price_of(9) == 90 && price_of(10) == 90);
    must(serve(&all) == 4);
    must(ints_are(all.values, 4, INTS(10, 90, 90, 180)));
    full.room = 2;
    must(serve(&full) == 2 && ints_are(full.values, 4, INTS(10, 90, 10, 20)));
    say(me, "tested");
    step_done(me, "tests_over");
}

/* Orders, and then waits for an hour for one more price. */
static void customer(struct part *me)
{
    gc_chan orders = chan_of(me, "orders"), prices = chan_of(me, "prices");
    struct gc_value v = {0};
    time_t start = time(NULL);
    char price[TEXT_BYTES];
    gc_ctx *ctx;

    for (int order = 5; order <= 50; order += 45) {
        send_number(me, orders, order);
        must(recv_text(me, prices, price));
        say(me, "%d pieces: %s", order, price);
    }
    close_chan(me, orders);
    must(recv_text(me, prices, price));
    must(gc_context_with_timeout(me->g, NULL, HOUR_MS, &ctx, GC_FOREVER) == 0);
    send_text(me, chan_of(me, "patient"), "now");
    must(gc_recv(me->g, prices, &v, 0, gc_with(ctx)) == -ETIMEDOUT);
    say(me, "an hour is over");
    gc_ctx_free(ctx);
    /* "a timeout of an hour is waited for exactly, and takes no hour" */
    must(time(NULL) - start < 3600);
}

static void clock_hand(struct part *me)
{
    char text[TEXT_BYTES];

    step_wait(me, "tests_over"); /* a job that has not begun by then would be late */
    must(recv_text(me, chan_of(me, "patient"), text));
    until_waiting(me, chan_of(me, "prices"), 0, 1);
    advance_ms(me, HOUR_MS - 1);
    until_waiting(me, chan_of(me, "prices"), 0, 1);
    say(me, "almost an hour");
    advance_ms(me, 1);
}

/* ---- the order ---- */

/* Every event and frame of four clients, their hosts, a daemon and its store. To be freed. */
static char *log_of(int seed)
{
    char command[TEXT_BYTES], *log = calloc(1, LOG_BYTES);
    FILE *simulator;

    must(getenv("SIMULATOR") != NULL && log != NULL);
    snprintf(command, sizeof command, "'%s' --seed %d --verbose", getenv("SIMULATOR"), seed);
    simulator = popen(command, "r");
    must(simulator != NULL && fread(log, 1, LOG_BYTES - 1, simulator) > 0);
    must(pclose(simulator) == 0);
    return log;
}

static void historian(struct part *me)
{
    char *first = log_of(42), *second = log_of(42), *other = log_of(43);

    /* "under one seed the log of all events is the same twice, under another seed it is another" */
    /* "the same log twice from the simulated daemon" */
    must(strcmp(first, second) == 0 && strcmp(first, other) != 0);
    free(first);
    free(second);
    free(other);
    say(me, "the same log");
}

static void deterministic(void)
{
    must(said_times("tested") == 1 && said_times("the same log") == 1);
    must(said_by("5", LINES("5 pieces: 50", "50 pieces: 450")));
    must(said_before("50 pieces", "almost an hour") && said_before("almost an hour", "an hour is over"));
}

GUIDE_PARTS(G169, deterministic, .test_clock = true,
            .channels = {{"orders"}, {"prices"}, {"patient"}, {"tests_over"}},
            .parts = {PART(clerk), PART(tester), PART(customer), PART(clock_hand),
                      PART_WITH(historian, .no_job = true)});
