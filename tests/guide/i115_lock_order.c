/*
 * G115 between processes: two lock the same two locks, one in the order A B, the other in the order B A. What the report
 * says of it, and two cures: one order for all, or a lock with a timeout.
 *
 * Pattern: lock order. Where two locks are held at once they are held for a moment, and the order is written down: A, then B.
 */
#include <signal.h>

#include "goclient_context.h"
#include "goclient_inspect.h"
#include "parts.h"

enum { ROUNDS = 1000, TIMEOUT_MS = 100 };

static uint64_t lock(struct part *me, const char *name)
{
    uint64_t token;

    must(gc_lock(me->g, name, &token, 0, GC_FOREVER) >= 0);
    return token;
}

static void unlock(struct part *me, const char *name, uint64_t token)
{
    must(gc_unlock(me->g, name, token, GC_CONSISTENT, GC_FOREVER) == 0);
}

/* ---- wrong: two orders ---- */

static void lock_in_order_of(struct part *me, const char *first, const char *second)
{
    struct gc_about about;
    uint64_t one = lock(me, first), other;

    gc_about(me->g, &about);
    must(gc_callers(me->g, 1, GC_FOREVER) == 0);
    send_text(me, chan_of(me, first), "%llu", (unsigned long long)about.session); /* the reporter has both */
    step_wait(me, "each_has_one");
    other = lock(me, second);
    say(me, "had both");
    unlock(me, second, other);
    unlock(me, first, one);
}

static void first_a(struct part *me)
{
    lock_in_order_of(me, "A", "B");
}

static void first_b(struct part *me)
{
    lock_in_order_of(me, "B", "A");
}

/* "two orders: the report shows the circle, with the last locker of each mutex" */
static void reporter(struct part *me)
{
    struct gc_parked_page page = {.n = 0};
    int has_a = 0, has_b = 0;

    must(recv_number(me, chan_of(me, "A"), &has_a) && recv_number(me, chan_of(me, "B"), &has_b));
    step_done(me, "each_has_one");
    do {
        gc_parked_page_clear(&page);
        must(gc_deadlocks(me->g, 0, &page, GC_FOREVER) >= 0);
    } while (page.n == 0);
    must(page.n == 2 && page.items[0].group == page.items[1].group);
    for (size_t i = 0; i < page.n; i++) {
        const struct gc_parked *row = &page.items[i];
        bool waits_for_b = row->session == (uint64_t)has_a;

        must(row->flags & GC_PROVEN && strcmp(row->kind, "lock") == 0);
        must(strcmp(row->object, waits_for_b ? "B" : "A") == 0);
        must(row->holder == (uint64_t)(waits_for_b ? has_b : has_a));
        if (waits_for_b)
            must(kill(row->pid, SIGKILL) == 0); /* who has A: a death is the only end of it */
    }
    gc_parked_page_clear(&page);
    say(me, "a circle");
}

static void two_orders(void)
{
    must(said_times("a circle") == 1 && said_times("had both") == 1 && part_lines.n == 2);
}

GUIDE_PARTS(G115, two_orders, .channels = {{"A"}, {"B"}, {"each_has_one"}},
            .parts = {PART_WITH(first_a, .dies = true), PART_WITH(first_b, .no_job = true), PART(reporter)});

/* ---- the cures ---- */

static void in_one_order(struct part *me)
{
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t a = lock(me, "A"), b = lock(me, "B");

        unlock(me, "B", b);
        unlock(me, "A", a);
    }
    say(me, "%d rounds", ROUNDS);
    send_text(me, chan_of(me, "ordered"), "done");
}

/* "a lock with a timeout gives it back, and lets the other finish" */
static void gives_way(struct part *me)
{
    uint64_t c = lock(me, "C"), d;
    gc_ctx *ctx;

    must(gc_context_with_timeout(me->g, NULL, TIMEOUT_MS, &ctx, GC_FOREVER) == 0);
    send_text(me, chan_of(me, "C"), "locked");
    step_wait(me, "each_has_one");
    must(gc_lock(me->g, "D", &d, 0, gc_with(ctx)) == -ETIMEDOUT);
    gc_ctx_free(ctx);
    say(me, "timeout");
    unlock(me, "C", c);
    step_wait(me, "insisted");
    c = lock(me, "C");
    d = lock(me, "D");
    say(me, "gave way, and had both");
    unlock(me, "D", d);
    unlock(me, "C", c);
}

static void insists(struct part *me)
{
    uint64_t d = lock(me, "D"), c;

    send_text(me, chan_of(me, "D"), "locked");
    step_wait(me, "each_has_one");
    c = lock(me, "C");
    say(me, "had both");
    unlock(me, "C", c);
    unlock(me, "D", d);
    step_done(me, "insisted");
}

/* The number of those that wait for the lock. */
static int waiting_for(struct part *me, const char *name)
{
    struct gc_parked_filter filter = {.size = sizeof filter, .object = name};
    struct gc_parked_page page;
    int n = gc_parked(me->g, &filter, &page, GC_FOREVER);

    must(n >= 0);
    gc_parked_page_clear(&page);
    return n;
}

static void clock_hand(struct part *me)
{
    char text[TEXT_BYTES];

    for (int i = 0; i < 2; i++)
        must(recv_text(me, chan_of(me, "ordered"), text));
    must(recv_text(me, chan_of(me, "C"), text) && recv_text(me, chan_of(me, "D"), text));
    step_done(me, "each_has_one");
    while (waiting_for(me, "C") + waiting_for(me, "D") < 2)
        continue;
    say(me, "neither gets its second");
    advance_ms(me, TIMEOUT_MS);
}

static void cures(void)
{
    /* "one order: both do their 1000 rounds" */
    must(said_times("1000 rounds") == 2);
    must(said_before("1000 rounds", "neither gets its second"));
    must(said_before("neither gets its second", "timeout") && said_before("timeout", "had both"));
    must(said_last("gave way, and had both") && part_lines.n == 6);
}

GUIDE_PARTS(G115, cures, .test_clock = true,
            .channels = {{"ordered"}, {"C"}, {"D"}, {"each_has_one"}, {"insisted"}},
            .parts = {PARTS(2, in_one_order), PART(gives_way), PART(insists), PART(clock_hand)});
