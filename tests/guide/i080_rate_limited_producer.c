/*
 * G80 between processes: a producer releases a job whenever a turn of the daemon's clock is over.
 *
 * Pattern: rate-limited producer.
 */
#include "parts.h"

enum { JOBS = 20, CONSUMERS = 5, MINUTE_MS = 60 * 1000, TURN_MINUTES = 200 };

/* Nobody sends on `turn`: it waits for the time alone. */
static void producer(struct part *me)
{
    gc_chan jobs = chan_of(me, "jobs"), turn = chan_of(me, "turn");
    struct gc_value v = {0};

    for (int job = 1; job <= JOBS; job++) {
        must(gc_recv(me->g, turn, &v, 0, gc_after_ms(TURN_MINUTES * MINUTE_MS)) == -ETIMEDOUT);
        say(me, "job %d", job);
        send_number(me, jobs, job);
    }
    close_chan(me, jobs);
}

static void clock_hand(struct part *me)
{
    gc_chan turn = chan_of(me, "turn");

    for (int i = 1; i <= JOBS; i++) {
        until_waiting(me, turn, 0, 1);
        advance_ms(me, (TURN_MINUTES - 1) * MINUTE_MS);
        until_waiting(me, turn, 0, 1);
        say(me, "%d minutes", i * TURN_MINUTES);
        advance_ms(me, MINUTE_MS);
    }
}

static void consumer(struct part *me)
{
    gc_chan jobs = chan_of(me, "jobs"), results = chan_of(me, "results");
    int job;

    while (recv_number(me, jobs, &job))
        send_number(me, results, 2 * job);
    send_number(me, chan_of(me, "ended"), me->index);
}

static void closer(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    int who;

    for (int i = 0; i < CONSUMERS; i++)
        must(recv_number(me, ended, &who));
    close_chan(me, chan_of(me, "results"));
}

static void collector(struct part *me)
{
    gc_chan results = chan_of(me, "results");
    int result, total = 0;

    while (recv_number(me, results, &result))
        total++;
    say(me, "Total results collected: %d", total);
}

static void rate_limited_producer(void)
{
    /* "job k is released at k times 200 minutes of the daemon's clock" */
    for (int i = 1; i <= JOBS; i++) {
        char minutes[TEXT_BYTES];

        snprintf(minutes, sizeof minutes, "%d minutes", i * TURN_MINUTES);
        must(strcmp(part_lines.line[2 * (i - 1)], minutes) == 0);
        must(said_times("job %d", i) == 1 && strncmp(part_lines.line[2 * i - 1], "job ", 4) == 0);
    }
    /* "the results end, and the total is told: "Total results collected: 20"" */
    must(said_last("Total results collected: 20") && part_lines.n == 2 * JOBS + 1);
}

GUIDE_PARTS(G80, rate_limited_producer, .test_clock = true,
            .channels = {{"jobs"}, {"turn"}, {"results"}, {"ended"}},
            .parts = {PART(producer), PART(clock_hand), PARTS(CONSUMERS, consumer), PART(closer),
                      PART(collector)});
