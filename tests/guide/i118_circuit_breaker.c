/*
 * G118 between processes: three clients call one service; its breaker counts the failures of all of them.
 *
 * Pattern: circuit breaker.
 */
#include "parts.h"

enum { OPEN_MS = 5000, CALLERS = 3 };

static const struct gc_breaking breaking = {.failures = 3, .open_ns = OPEN_MS * INT64_C(1000000)};

/* One call that comes to what is asked: 0, or -EBUSY where the breaker lets nobody through. */
static int call(struct part *me, bool fails)
{
    uint64_t token;
    int r = gc_breaker_enter(me->g, "service", breaking, &token, GC_FOREVER);

    if (r < 0) {
        must(r == -EBUSY);
        say(me, "circuit breaker is open");
        return r;
    }
    say(me, "the service is called");
    must(gc_breaker_leave(me->g, "service", token, fails, GC_FOREVER) == 0);
    return 0;
}

/* Does as it is told, one call at a time: "F" or "S"; tells what became of it. */
static void caller(struct part *me)
{
    gc_chan orders = chan_of(me, "orders"), outcomes = chan_of(me, "outcomes");
    char order[TEXT_BYTES];

    while (recv_text(me, orders, order))
        send_number(me, outcomes, call(me, order[0] == 'F'));
}

static void must_come_to(struct part *me, const char *order, int outcome)
{
    int got;

    send_text(me, chan_of(me, "orders"), "%s", order);
    must(recv_number(me, chan_of(me, "outcomes"), &got) && got == outcome);
}

static void director(struct part *me)
{
    uint64_t probe;

    /* "three failures in a row open it" */
    /* "a named breaker counts the calls of all clients" */
    for (int i = 0; i < 3; i++)
        must_come_to(me, "F", 0);
    /* "the next calls fail with "circuit breaker is open" and the service is not called: 3 calls" */
    must_come_to(me, "F", -EBUSY);
    must_come_to(me, "S", -EBUSY);
    advance_ms(me, OPEN_MS);
    /* "after 5 s one probe: if it fails the breaker is open again" */
    must_come_to(me, "F", 0);
    must_come_to(me, "S", -EBUSY);
    advance_ms(me, OPEN_MS);
    /* "of 10 callers at once after the 5 s exactly 1 is the probe, and 9 are refused" */
    must(gc_breaker_enter(me->g, "service", breaking, &probe, GC_FOREVER) == 0);
    for (int i = 0; i < 9; i++)
        must_come_to(me, "S", -EBUSY);
    must(gc_breaker_leave(me->g, "service", probe, false, GC_FOREVER) == 0);
    /* "if it succeeds the breaker is closed" */
    /* "F, F, S, F, F leaves it closed" */
    for (const char *at = "FFSFFS"; *at; at++)
        must_come_to(me, (char[]){*at, 0}, 0);
    close_chan(me, chan_of(me, "orders"));
    must(gc_sync_reset(me->g, GC_SYNC_BREAKER, "service", GC_FOREVER) == 0);
}

static void circuit_breaker(void)
{
    must(said_times("the service is called") == 3 + 1 + 6);
    must(said_times("circuit breaker is open") == 2 + 1 + 9);
}

GUIDE_PARTS(G118, circuit_breaker, .test_clock = true, .channels = {{"orders"}, {"outcomes"}},
            .parts = {PARTS(CALLERS, caller), PART(director)});
