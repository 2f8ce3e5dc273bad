/*
 * G147 A goroutine that watches how many goroutines there are, and warns when they become too many. It is one of them
 * itself, and it can be told to end.
 *
 * Pattern: goroutine monitor.
 */
#include "goroutine_host.h"
#include "guide.h"

enum { WORKERS = 10, MOST = 11, EVERY_NS = 1000000 };

struct monitor {
    go_chan *samples, *quit;
    int64_t most; /* more than these are warned of */
};

/* In a job: of the job. */
static int64_t goroutines(void)
{
    go_group *group = go_group_current();

    return group ? go_group_live(group) : go_live();
}

static void report(const struct monitor *monitor, int64_t last, int64_t now)
{
    if (now > monitor->most && last <= monitor->most)
        say("warning: %lld goroutines, %lld are expected at most", (long long)now, (long long)monitor->most);
}

/* Every sample is offered to whoever looks; a new one takes the place of one that nobody took. */
static void watch(void *arg)
{
    const struct monitor *monitor = arg;
    go_timer *tick = go_ticker_new(EVERY_NS);
    int64_t now = goroutines(), last = 0;

    report(monitor, last, now);
    for (;;) {
        struct go_case cases[] = {GO_RECV(monitor->quit, NULL), GO_TIMER(tick, NULL),
                                  GO_SEND(monitor->samples, &now)};
        int chosen = go_select(cases, 3, GO_FOREVER);

        if (chosen == 0)
            break;
        last = now;
        now = goroutines();
        report(monitor, last, now);
    }
    go_timer_unref(tick);
}

/* Until the monitor has seen so many. */
static void until_sampled(const struct monitor *monitor, int64_t wanted)
{
    int64_t sample = -1;

    while (sample != wanted)
        must(go_chan_recv(monitor->samples, &sample, GO_FOREVER) == 1);
    say("%lld goroutines", (long long)sample);
}

static void pass_gate(void *gate)
{
    gate_pass(gate);
}

static void monitor_goroutines(void)
{
    struct monitor monitor = {go_chan_new(sizeof(int64_t), 0), go_chan_new(0, 0), MOST};
    struct gate gate = {0};

    must(go_spawn(watch, &monitor, 0) == 0);
    for (int i = 0; i < WORKERS; i++)
        must(go_spawn(pass_gate, &gate, 0) == 0);
    gate_until(&gate, WORKERS);
    until_sampled(&monitor, WORKERS + 2);
    gate_open(&gate);
    until_live(2);
    until_sampled(&monitor, 2);
    go_chan_close(monitor.quit);
    until_live(1);
    say("%lld goroutines", (long long)goroutines());
    /* "12 while 10 workers are held, main and the monitor among them". "2 after them, 1 after the monitor was told to
     * quit" */
    must(said_by("1", LINES("12 goroutines", "1 goroutines")) && said_by("2", LINES("2 goroutines")));
    must(said_last("1 goroutines"));
    /* "growth over a set limit of 11 is warned of in one line" */
    must(said_by("warning", LINES("warning: 12 goroutines, 11 are expected at most")));
    must(said_before("warning", "2 goroutines"));
    go_chan_unref(monitor.samples);
    go_chan_unref(monitor.quit);
}

GUIDE_ROW(G147, monitor_goroutines);
