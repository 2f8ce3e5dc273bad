/*
 * G113 One goroutine waits for a value from the other before it sends its own, and the other does the same. If somebody
 * waits for both, all wait, and that is told at once. If nobody does, two goroutines are left behind without a word.
 *
 * Pattern: join what was started, and a circle shows. The cure is one order for all: who sends first.
 */
#include "goroutine_host.h"
#include "guide.h"

struct pair {
    go_chan *one, *two;
};

static void receive_then_send(go_chan *from, go_chan *to)
{
    int value;

    if (go_chan_recv(from, &value, GO_FOREVER) == 1)
        go_chan_send(to, &value, GO_FOREVER);
}

static void run_a(void *arg)
{
    const struct pair *pair = arg;

    go_set_name("A");
    receive_then_send(pair->two, pair->one);
}

static void run_b(void *arg)
{
    const struct pair *pair = arg;

    go_set_name("B");
    receive_then_send(pair->one, pair->two);
}

static void pair_start(struct pair *pair, go_waitgroup *both)
{
    *pair = (struct pair){go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0)};
    must(go_waitgroup_go(both, run_a, pair, 0) == 0);
    must(go_waitgroup_go(both, run_b, pair, 0) == 0);
}

/* Wrong, and told. */
static void joined(void)
{
    struct pair pair;
    go_waitgroup both = {0};

    go_set_name("the joiner");
    pair_start(&pair, &both);
    go_waitgroup_wait(&both);
}

struct report {
    int leaks;
    bool a, b;
};

static int note_leak(const struct go_info *info, void *arg)
{
    struct report *report = arg;

    if (info->id == go_id())
        return 0;
    report->leaks++;
    report->a |= strcmp(info->name, "A") == 0;
    report->b |= strcmp(info->name, "B") == 0;
    return 0;
}

static int oldest_enough(const struct go_info *info, void *arg)
{
    return info->id != go_id() && info->age_ns < *(int64_t *)arg;
}

/* Wrong, and found only by whoever looks at what is left when all is over: nothing else runs, nothing is due. */
static void not_joined(void)
{
    static struct pair pair; /* they still use both when this function is left */
    static go_waitgroup both;
    struct report report = {0};

    pair_start(&pair, &both);
    until_parked(2, "chan receive");
    go_each(go_group_current(), note_leak, &report);
    if (report.a && report.b)
        go_panic("%d goroutines are left: A and B, both in chan receive", report.leaks);
}

static void circular_wait(void)
{
    struct pair pair;
    struct report report = {0};
    go_waitgroup both = {0};
    int64_t suspicious_ns = 1000000;

    pair_start(&pair, &both);
    until_parked(2, "chan receive");
    /* "while the program runs they are suspected once they have waited for long enough" */
    while (go_each(go_group_current(), oldest_enough, &suspicious_ns) != 0)
        go_yield();
    go_each(go_group_current(), note_leak, &report);
    /* "not joined: the report lists the 2 that are left, and nobody else" */
    must(report.leaks == 2 && report.a && report.b);
    must(go_chan_send(pair.two, &(int){1}, GO_FOREVER) ==
         0); /* what breaks the circle: somebody sends first */
    must(go_chan_recv(pair.two, NULL, GO_FOREVER) == 1);
    go_waitgroup_wait(&both);
    go_chan_unref(pair.one);
    go_chan_unref(pair.two);
}

GUIDE_ROW(G113, circular_wait);
/* "joined: a deadlock, whose report has all 3" */
GUIDE_PART(G113, joined, .ends = ENDS_IN_DEADLOCK,
           .says = {"the joiner", "A", "B", "chan receive", "wait group"});
/* "not joined: when the program ends they are proven, and the test that left them fails" */
GUIDE_PART(G113, not_joined, .ends = ENDS_IN_PANIC,
           .says = {"2 goroutines are left: A and B, both in chan receive"}, .drops_goroutines = true);
