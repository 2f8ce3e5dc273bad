/*
 * G144 between processes: four processes check something each when they are asked; two are well, one fails and one hangs.
 * Who asks them all does so now and then, every ten seconds of the daemon's clock, until it is stopped.
 *
 * Pattern: health checks. Each has a timeout, and its result a place of its own.
 */
#include "goclient_context.h"
#include "parts.h"

enum { CHECKS = 4, TIMEOUT_MS = 1000, PERIOD_MS = 10000, ROUNDS = 3 };

static const char *const names[CHECKS] = {"goroutine_count", "memory_usage", "db", "slow"};

/* ---- the checks: asked by a value on the channel of their name, they answer on another ---- */

static void answer_asks(struct part *me, int check, const char *(*fn)(struct part *me))
{
    char text[TEXT_BYTES], answers[TEXT_BYTES];
    gc_chan asks = chan_of(me, names[check]);

    snprintf(answers, sizeof answers, "%s.answer", names[check]);
    while (recv_text(me, asks, text))
        send_text(me, chan_of(me, answers), "%s", fn(me));
}

static const char *count_goroutines(struct part *me)
{
    return stat_of(me, "jobs.running") < 100000 ? "" : "too many jobs";
}

static const char *look_at_memory(struct part *me)
{
    return stat_of(me, "bytes") < UINT64_C(1) << 30 ? "" : "too much";
}

static const char *ask_database(struct part *me)
{
    return "down";
}

static void goroutine_count(struct part *me)
{
    answer_asks(me, 0, count_goroutines);
}

static void memory_usage(struct part *me)
{
    answer_asks(me, 1, look_at_memory);
}

static void db(struct part *me)
{
    answer_asks(me, 2, ask_database);
}

/* It does not answer. */
static void slow(struct part *me)
{
    gc_chan asks = chan_of(me, "slow");
    char text[TEXT_BYTES];

    while (recv_text(me, asks, text))
        ;
}

/* ---- who asks ---- */

/* One answer, or that there is none before the end of the context. */
static bool is_well(struct part *me, int check, gc_ctx *limit, char *map)
{
    char name[TEXT_BYTES], why[TEXT_BYTES] = "timeout";
    struct gc_value v = {0};
    int r;

    snprintf(name, sizeof name, "%s.answer", names[check]);
    r = gc_recv(me->g, chan_of(me, name), &v, 0, gc_with(limit));
    must(r == 1 || r == -ETIMEDOUT);
    if (r == 1)
        snprintf(why, sizeof why, "%.*s", (int)v.size, (const char *)v.data);
    gc_value_clear(&v);
    snprintf(map + strlen(map), TEXT_BYTES - strlen(map), "%s%s: %s%s", check ? ", " : "", names[check],
             *why ? "ERROR - " : "OK", why);
    return !*why;
}

/* All at once, so that the time of one is the time of all. Returns how many are not well. */
static int check_all(struct part *me)
{
    char map[TEXT_BYTES] = "";
    int not_well = 0;
    gc_ctx *limit; /* on the daemon's clock: however long it really takes, nobody is late but the slow one */

    must(gc_context_with_timeout(me->g, NULL, TIMEOUT_MS, &limit, GC_FOREVER) == 0);
    for (int check = 0; check < CHECKS; check++)
        send_text(me, chan_of(me, names[check]), "how are you?");
    for (int check = 0; check < CHECKS; check++)
        not_well += !is_well(me, check, limit, map);
    gc_ctx_free(limit);
    say(me, "{%s}", map);
    return not_well;
}

static void monitor(struct part *me)
{
    gc_chan stop = chan_of(me, "stop");
    struct gc_value v = {0};
    int r;

    step_wait(me, "clock_stands");
    do {
        /* "if any fails the whole does: 2 are not well" */
        must(check_all(me) == 2);
        r = gc_recv(me->g, stop, &v, 0, gc_after_ms(PERIOD_MS - TIMEOUT_MS));
    } while (r == -ETIMEDOUT);
    must(r == 0);
    for (int check = 0; check < CHECKS; check++)
        close_chan(me, chan_of(me, names[check]));
}

/* Between two looks at the clock the monitor waits, for the slow one or for the next round. */
static void clock_hand(struct part *me)
{
    gc_chan slow_answer = chan_of(me, "slow.answer"), stop = chan_of(me, "stop");

    step_done(me, "clock_stands");
    for (int round = 0; round < ROUNDS; round++) {
        until_waiting(me, slow_answer, 0, 1);
        say(me, "%d s", round * PERIOD_MS / 1000);
        advance_ms(me, TIMEOUT_MS);
        until_waiting(me, stop, 0, 1);
        if (round + 1 < ROUNDS)
            advance_ms(me, PERIOD_MS - TIMEOUT_MS);
    }
    step_done(me, "stop");
}

static void health_checks(void)
{
    static const char map[] =
        "{goroutine_count: OK, memory_usage: OK, db: ERROR - down, slow: ERROR - timeout}";

    /* "the map is {goroutine_count: OK, memory_usage: OK, db: ERROR - down, slow: ERROR - timeout}" */
    /* "on the ticker they run at 0, 10 and 20 s", "stop ends it" */
    must(said(LINES("0 s", map, "10 s", map, "20 s", map)));
}

GUIDE_PARTS(G144, health_checks, .test_clock = true,
            .channels = {{"goroutine_count"},
                         {"memory_usage"},
                         {"db"},
                         {"slow"},
                         {"goroutine_count.answer"},
                         {"memory_usage.answer"},
                         {"db.answer"},
                         {"slow.answer"},
                         {"clock_stands"},
                         {"stop"}},
            .parts = {PART(goroutine_count), PART(memory_usage), PART(db), PART(slow), PART(monitor),
                      PART(clock_hand)});
