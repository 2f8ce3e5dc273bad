/*
 * G113 between processes: one waits for a value from the other before it sends its own, and the other does the same.
 *
 * Pattern: join what was started, and a circle shows. The cure is one order for all: who sends first. What is proven rests
 * on the word of each process that it does nothing else while it waits (gc_callers).
 */
#include "goclient_inspect.h"
#include "parts.h"

enum { HOUR_MS = 3600 * 1000 };

#define HOUR_NS (HOUR_MS * INT64_C(1000000))

/* Says under which name the reports know it. */
static void introduce(struct part *me)
{
    struct gc_about about;

    gc_about(me->g, &about);
    send_text(me, chan_of(me, "who"), "%llu", (unsigned long long)about.session);
    must(gc_callers(me->g, 1, GC_FOREVER) == 0);
}

static void receive_then_send(struct part *me, const char *from, const char *to)
{
    gc_chan in = chan_of(me, from), out = chan_of(me, to), joined = chan_of(me, "joined");
    int value;

    introduce(me);
    must(recv_number(me, in, &value));
    send_number(me, out, value);
    must(gc_callers(me->g, 0, GC_FOREVER) == 0);
    must(gc_send(me->g, joined, gc_string("ended"), GC_FOREVER) == 0);
}

static void a(struct part *me)
{
    receive_then_send(me, "two", "one");
}

static void b(struct part *me)
{
    receive_then_send(me, "one", "two");
}

/* Asks until that many are proven: of one group, each of those who have introduced themselves once. */
static void until_proven(struct part *me, const int *who, int n)
{
    struct gc_parked_page page = {.n = 0};

    do {
        gc_parked_page_clear(&page);
        must(gc_deadlocks(me->g, 0, &page, GC_FOREVER) >= 0);
    } while (page.n < (size_t)n);
    must(page.n == (size_t)n);
    for (int i = 0; i < n; i++) {
        int found = 0;

        for (size_t row = 0; row < page.n; row++)
            found += page.items[row].session == (uint64_t)who[i] && page.items[row].flags & GC_PROVEN &&
                     page.items[row].group == page.items[0].group;
        must(found == 1);
    }
    say(me, "proven: %d", n);
    gc_parked_page_clear(&page);
}

/* Somebody sends first. */
static void break_circle(struct part *me)
{
    int value;

    send_number(me, chan_of(me, "two"), 42);
    must(recv_number(me, chan_of(me, "two"), &value) && value == 42);
}

static void meet(struct part *me, int *who, int n)
{
    for (int i = 0; i < n; i++)
        must(recv_number(me, chan_of(me, "who"), &who[i]));
}

/* ---- joined ---- */

static void joiner(struct part *me)
{
    gc_chan joined = chan_of(me, "joined");
    char text[TEXT_BYTES];

    introduce(me);
    must(recv_text(me, joined, text) && recv_text(me, joined, text));
    say(me, "joined");
}

static void reporter(struct part *me)
{
    int who[3];

    meet(me, who, 3);
    /* "joined: a deadlock, whose report has all 3" */
    until_proven(me, who, 3);
    break_circle(me);
}

static void joined_wait(void)
{
    must(said(LINES("proven: 3", "joined")));
}

GUIDE_PARTS(G113, joined_wait, .channels = {{"one"}, {"two"}, {"joined"}, {"who"}},
            .parts = {PART_WITH(a, .no_job = true), PART_WITH(b, .no_job = true),
                      PART_WITH(joiner, .no_job = true), PART(reporter)});

/* ---- not joined ---- */

static void suspect(struct part *me, const char *channel, const int *who)
{
    struct gc_parked_filter filter = {.size = sizeof filter, .object = channel, .age_ns = HOUR_NS};
    struct gc_parked_page page;

    must(gc_parked(me->g, &filter, &page, GC_FOREVER) == 1);
    must(page.items[0].session == (uint64_t)who[0] || page.items[0].session == (uint64_t)who[1]);
    gc_parked_page_clear(&page);
}

/* It has both channels, and could still send; it returns without. */
static void starter(struct part *me)
{
    gc_chan one = chan_of(me, "one"), two = chan_of(me, "two");
    struct gc_parked_page page;
    int who[2];

    meet(me, who, 2);
    until_waiting(me, one, 0, 1);
    until_waiting(me, two, 0, 1);
    until_waiting(me, chan_of(me, "left"), 0, 1);
    advance_ms(me, HOUR_MS);
    /* "while the program runs they are suspected once they have waited for long enough" */
    /* "a circle over two clients is suspected, and both are named" */
    suspect(me, "one", who);
    suspect(me, "two", who);
    must(gc_deadlocks(me->g, 0, &page, GC_FOREVER) == 0);
    gc_parked_page_clear(&page);
    say(me, "suspected: 2");
    send_number(me, chan_of(me, "left"), who[0]);
    send_number(me, chan_of(me, "left"), who[1]);
}

/* The helper at the end of a test: what is left makes it fail. */
static void checker(struct part *me)
{
    char text[TEXT_BYTES];
    int who[2];

    must(recv_number(me, chan_of(me, "left"), &who[0]) && recv_number(me, chan_of(me, "left"), &who[1]));
    /* "not joined: the report lists the 2 that are left, and nobody else" */
    /* "not joined: when the program ends they are proven, and the test that left them fails" */
    until_proven(me, who, 2);
    say(me, "the test fails: 2 are left");
    break_circle(me);
    must(recv_text(me, chan_of(me, "joined"), text) && recv_text(me, chan_of(me, "joined"), text));
}

static void not_joined(void)
{
    must(said(LINES("suspected: 2", "proven: 2", "the test fails: 2 are left")));
}

GUIDE_PARTS(G113, not_joined, .test_clock = true,
            .channels = {{"one"}, {"two"}, {"joined"}, {"who"}, {"left"}},
            .parts = {PART_WITH(a, .no_job = true), PART_WITH(b, .no_job = true), PART(starter),
                      PART(checker)});
