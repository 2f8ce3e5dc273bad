/*
 * G53 between processes: five ask for the same row of a slow database; it is asked once, and answers all.
 *
 * Pattern: singleflight.
 */
#include "parts.h"

enum { CALLERS = 5, ROUNDS = 3 };

static const char *const rounds[ROUNDS] = {"first", "second", "failing"};

/* Answers what it is told, when all have asked. */
static int ask_database(void *arg, struct gc_value *value)
{
    struct part *me = arg;
    static char answer[TEXT_BYTES]; /* one flight at a time */

    say(me, "the function runs");
    must(recv_text(me, chan_of(me, "answers"), answer));
    *value = gc_string(answer);
    return strcmp(answer, "failure") == 0 ? -EIO : 0;
}

static void caller(struct part *me)
{
    struct gc_flight flight = {ask_database, me};

    for (int i = 0; i < ROUNDS; i++) {
        struct gc_value v = {0};
        bool shared = false;
        int r;

        step_wait(me, rounds[i]);
        r = gc_flight_do(me->g, "row", &flight, &v, &shared, GC_FOREVER);
        must(shared && (r == 0 || r == -EIO));
        say(me, "%s: %.*s", rounds[i], r == 0 ? (int)v.size : 3, r == 0 ? (const char *)v.data : "EIO");
        gc_value_clear(&v);
        send_number(me, chan_of(me, "ended"), me->index);
    }
}

static void database(struct part *me)
{
    static const char *const answers[ROUNDS] = {"row 1", "row 2", "failure"};
    int who;

    until_waiting(me, chan_of(me, "rounds_over"), 0, 1);
    until_waiting(me, chan_of(me, "old_flies"), 0, 1);
    for (int i = 0; i < ROUNDS; i++) {
        until_waiting(me, chan_of(me, rounds[i]), 0, CALLERS);
        step_done_until_parked(me, rounds[i]);
        send_text(me, chan_of(me, "answers"), "%s", answers[i]);
        for (int n = 0; n < CALLERS; n++)
            must(recv_number(me, chan_of(me, "ended"), &who));
    }
    step_done(me, "rounds_over");
}

/* "after a forget the next call is a flight of its own, while the old one still answers those who wait for it" */
static int answer_old(void *arg, struct gc_value *value)
{
    step_done(arg, "old_flies");
    step_wait(arg, "forgotten");
    *value = gc_string("old");
    return 0;
}

static int answer_new(void *arg, struct gc_value *value)
{
    (void)arg;
    *value = gc_string("new");
    return 0;
}

static void fly(struct part *me, int (*fn)(void *arg, struct gc_value *value), const char *wanted)
{
    struct gc_value v = {0};

    must(gc_flight_do(me->g, "other", &(struct gc_flight){fn, me}, &v, NULL, GC_FOREVER) == 0);
    must(v.size == 3 && memcmp(v.data, wanted, 3) == 0);
    gc_value_clear(&v);
}

static void old_flyer(struct part *me)
{
    step_wait(me, "rounds_over");
    fly(me, answer_old, "old");
}

static void new_flyer(struct part *me)
{
    step_wait(me, "old_flies");
    must(gc_sync_reset(me->g, GC_SYNC_FLIGHT, "other", GC_FOREVER) == 0);
    fly(me, answer_new, "new");
    step_done(me, "forgotten");
}

static void singleflight(void)
{
    /* "the function has run once" */
    /* "the next call, after the end of the first, runs again" */
    must(said_times("the function runs") == ROUNDS);
    /* "all 5 have the same value, and are told that it is shared" */
    must(said_times("first: row 1") == CALLERS && said_times("second: row 2") == CALLERS);
    /* "a failure reaches all" */
    must(said_times("failing: EIO") == CALLERS);
}

GUIDE_PARTS(G53, singleflight,
            .channels = {{"first"},
                         {"second"},
                         {"failing"},
                         {"answers"},
                         {"ended"},
                         {"rounds_over"},
                         {"old_flies"},
                         {"forgotten"}},
            .parts = {PARTS(CALLERS, caller), PART(database), PART(old_flyer), PART(new_flyer)});
