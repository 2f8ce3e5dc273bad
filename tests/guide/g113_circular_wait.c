/*
 * G113 One goroutine waits for a value from the other before it sends its own, and the other does the same. If somebody
 * waits for both, all wait, and that is told at once. If nobody does, two goroutines are left behind without a word.
 *
 * Pattern: join what was started, and a circle shows. The cure is one order for all: who sends first.
 */
#include "goroutine_inspect.h"
#include "guide.h"
#include "paper.h"

#define SUSPICIOUS_NS 1000000

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

static int note(const struct go_leak *leak, void *n)
{
    must(strcmp(leak->info.name, "A") == 0 || strcmp(leak->info.name, "B") == 0);
    ++*(int *)n;
    return 0;
}

/* How many are left, or have waited for so long; all of them are A or B. */
static int leaks(int64_t age_ns)
{
    int n = 0;

    must(go_leaks(go_group_current(), age_ns, note, &n) == 0);
    return n;
}

/* Wrong, and found only by whoever looks at what is left when all is over. */
static void not_joined(void)
{
    static struct pair pair; /* they still use both when this function is left */
    static go_waitgroup both;
    int fd = paper();

    pair_start(&pair, &both);
    until_parked(2, "chan receive");
    go_leaks_write(go_group_current(), GO_LEAKS_AT_END, fd);
    go_panic("%d are left: %s", leaks(GO_LEAKS_AT_END), paper_read(fd));
}

/* As a job it goes on until its report is made, so nothing is proven before it ends. */
static void proven(const struct guide_ending *ending)
{
    must(strstr(ending->err, "2 are left: proven leak: "));
}

static void circular_wait(void)
{
    struct pair pair;
    go_waitgroup both = {0};

    pair_start(&pair, &both);
    until_parked(2, "chan receive");
    /* "while the program runs they are suspected once they have waited for long enough" */
    while (leaks(SUSPICIOUS_NS) < 2)
        go_yield();
    /* "not joined: the report lists the 2 that are left, and nobody else" */
    must(leaks(GO_LEAKS_AT_END) == 2);
    must(go_chan_send(pair.two, &(int){1}, GO_FOREVER) == 0); /* breaks the circle: somebody sends first */
    must(go_chan_recv(pair.two, NULL, GO_FOREVER) == 1);
    go_waitgroup_wait(&both);
    must(leaks(GO_LEAKS_AT_END) == 0);
    go_chan_unref(pair.one);
    go_chan_unref(pair.two);
}

GUIDE_ROW(G113, circular_wait);
/* "joined: a deadlock, whose report has all 3" */
GUIDE_PART(G113, joined, .ends = ENDS_IN_DEADLOCK,
           .says = {"the joiner", "A", "B", "chan receive", "wait group"});
/* "not joined: when the program ends they are proven, and the test that left them fails" */
GUIDE_PART(G113, not_joined, .ends = ENDS_IN_PANIC, .says = {"2 are left: ", "chan receive"}, .judge = proven,
           .drops_goroutines = true);
