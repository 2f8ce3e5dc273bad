/*
 * G34 between processes: a select over two channels, fed by two others, takes the one that is ready.
 *
 * Pattern: select.
 */
#include "parts.h"

static void feeder_a(struct part *me)
{
    step_wait(me, "b_was_chosen");
    send_text(me, chan_of(me, "a"), "one");
}

static void feeder_b(struct part *me)
{
    send_text(me, chan_of(me, "b"), "two");
}

static void selector(struct part *me)
{
    static const char *const name[] = {"a", "b"};
    gc_chan chan[] = {chan_of(me, "a"), chan_of(me, "b")};

    for (int i = 0; i < 2; i++) {
        struct gc_value v[2] = {{0}, {0}};
        struct gc_case cases[] = {gc_case_recv(chan[0], &v[0]), gc_case_recv(chan[1], &v[1])};
        int chosen = gc_select(me->g, cases, 2, 0, GC_FOREVER);

        must(chosen == 1 - i && cases[chosen].status == 1);
        must(v[1 - chosen].data == NULL);
        say(me, "%s: %.*s", name[chosen], (int)v[chosen].size, (const char *)v[chosen].data);
        gc_value_clear(&v[chosen]);
        if (i > 0)
            continue;
        must(gc_len(me->g, chan[0], GC_FOREVER) == 0);
        step_done(me, "b_was_chosen");
    }
}

static void select_ready(void)
{
    /* "only b is ready: b is chosen, and a is untouched" */
    /* "then a" */
    must(said(LINES("b: two", "a: one")));
}

GUIDE_PARTS(G34, select_ready, .channels = {{"a"}, {"b"}, {"b_was_chosen"}},
            .parts = {PART(feeder_a), PART(feeder_b), PART(selector)});
