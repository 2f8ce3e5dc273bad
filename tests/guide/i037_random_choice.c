/*
 * G37 between processes: of two channels that are always ready, a select takes each about as often.
 *
 * Pattern: fair select.
 */
#include "parts.h"

/* Of SELECTS draws one half and 6 sigma (6 * sqrt(SELECTS) / 2) on either side. */
enum { SELECTS = 2000, LEAST = 866, MOST = 1134, BATCH = 500 };

static void fill(struct part *me, const char *name)
{
    struct gc_value values[BATCH];
    gc_chan c = chan_of(me, name);

    for (int i = 0; i < BATCH; i++)
        values[i] = gc_string(name);
    for (int i = 0; i < SELECTS / BATCH; i++)
        must(gc_send_many(me->g, c, values, BATCH, GC_FOREVER) == BATCH);
}

static void feeder_a(struct part *me)
{
    fill(me, "a");
}

static void feeder_b(struct part *me)
{
    fill(me, "b");
}

static void drain(struct part *me, gc_chan c)
{
    struct gc_value v = {0};

    while (gc_recv(me->g, c, &v, 0, GC_NOW) == 1)
        gc_value_clear(&v);
}

static void selector(struct part *me)
{
    gc_chan a = chan_of(me, "a"), b = chan_of(me, "b");
    int first = 0, chosen_a = 0;

    until_length(me, a, SELECTS);
    until_length(me, b, SELECTS);
    for (int i = 0; i < SELECTS; i++) {
        bool a_first = i % 2 == 0;
        struct gc_value v = {0};
        struct gc_case cases[] = {gc_case_recv(a_first ? a : b, &v), gc_case_recv(a_first ? b : a, &v)};
        int chosen = gc_select(me->g, cases, 2, 0, GC_FOREVER);

        must(cases[chosen].status == 1);
        first += chosen == 0;
        chosen_a += *(const char *)v.data == 'a';
        gc_value_clear(&v);
    }
    drain(me, a);
    drain(me, b);
    /* "likewise with 2,000 selects: 866 to 1,134 times" */
    must(chosen_a >= LEAST && chosen_a <= MOST);
    /* "whatever the order of the cases" */
    must(first >= LEAST && first <= MOST);
    say(me, "both were chosen about as often");
}

static void random_choice(void)
{
    must(said(LINES("both were chosen about as often")));
}

GUIDE_PARTS(G37, random_choice, .channels = {{"a", {.capacity = SELECTS}}, {"b", {.capacity = SELECTS}}},
            .parts = {PART(feeder_a), PART_WITH(feeder_b, .no_job = true), PART(selector)});
