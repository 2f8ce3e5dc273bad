/*
 * G110 The four ways in which goroutines are usually forgotten, and two who find them: a report of what waits in a running
 * program, or is left at its end, and a helper that a test calls last.
 *
 * A goroutine that waits while others run is only suspected, when it has waited for long. When nobody is left who could end
 * the wait it is proven.
 *
 * Pattern: leak detection.
 */
#include "goroutine_inspect.h"
#include "guide.h"
#include "paper.h"

enum { BLOCKED = 3 };

#define SUSPICIOUS_NS 1000000

struct forgotten {
    go_chan *results, *requests, *told;
    atomic_bool looping, stop_loop;
};

static void blocked_on_channel(void *arg)
{
    struct forgotten *all = arg;

    go_chan_send(all->results, &(int){1}, GO_FOREVER);
}

static void never_looks_at_its_context(void *arg)
{
    struct forgotten *all = arg;

    while (go_range(all->requests, NULL))
        ;
}

static void never_told_to_stop(void *arg)
{
    struct forgotten *all = arg;

    go_chan_recv(all->told, NULL, GO_FOREVER);
}

static void endless_loop(void *arg)
{
    struct forgotten *all = arg;

    atomic_store(&all->looping, true);
    while (!atomic_load_explicit(&all->stop_loop, memory_order_relaxed))
        ;
}

/* The test that is checked: it starts them and forgets them. */
static void forgetful_test(struct forgotten *all)
{
    all->results = go_chan_new(sizeof(int), 0);
    all->requests = go_chan_new(0, 0);
    all->told = go_chan_new(0, 0);
    must(go_spawn(blocked_on_channel, all, 0) == 0);
    must(go_spawn(never_looks_at_its_context, all, 0) == 0);
    must(go_spawn(never_told_to_stop, all, 0) == 0);
    until_waiting(BLOCKED);
}

static void with_a_loop(struct forgotten *all)
{
    forgetful_test(all);
    must(go_spawn(endless_loop, all, 0) == 0);
    while (!atomic_load(&all->looping))
        go_yield();
}

static int times(const char *text, const char *word)
{
    int n = 0;

    for (; (text = strstr(text, word)); text++)
        n++;
    return n;
}

/* To be freed. */
static char *report(int64_t age_ns)
{
    int fd = paper();

    must(go_leaks_write(go_group_current(), age_ns, fd) >= 0);
    return paper_read(fd);
}

static void suspect(void)
{
    char *text = report(SUSPICIOUS_NS);

    for (; times(text, "suspected leak: ") < BLOCKED; text = report(SUSPICIOUS_NS)) {
        free(text);
        go_yield();
    }
    /* "in a running program the report lists the 3 that are blocked, suspected, once they have waited longer than a given
     * time" */
    must(times(text, "suspected leak: ") == BLOCKED && times(text, "proven leak: ") == 0);
    /* "each with its reason, its age and where it was started" */
    must(times(text, " s] blocked_on_channel") == 1 && times(text, "[parked: chan send, ") == 1);
    must(times(text, "[parked: chan receive, ") == 2);
    must(times(text, "started at ") == BLOCKED + 1 && times(text, "g110_leak_detection.c:") >= BLOCKED);
    /* "and the loop as running" */
    must(times(text, "left running: ") == 1 && times(text, "] endless_loop") == 1);
    free(text);
}

static void leak_detection(void)
{
    struct forgotten all = {0};
    struct go_leak_mark mark = go_leak_mark();
    int fd = paper();
    char *text;

    with_a_loop(&all);
    suspect();
    /* "the helper fails a test that ends with more goroutines than it began with, and prints their stacks" */
    must(guide_is_job() ||
         go_leak_check(mark, fd, GO_NOW) == BLOCKED + 1); /* a host starts some of its own */
    text = paper_read(fd);
    must(guide_is_job() || times(text, "goroutine ") >= BLOCKED + 1);
    free(text);
    atomic_store(&all.stop_loop, true);
    must(go_chan_recv(all.results, NULL, GO_FOREVER) == 1);
    must(go_chan_close(all.requests) == 0 && go_chan_close(all.told) == 0);
    must_end_clean();
    go_chan_unref(all.results);
    go_chan_unref(all.requests);
    go_chan_unref(all.told);
}

static void left_behind(void)
{
    static struct forgotten all; /* they still use it when this function is left */
    char *text;

    forgetful_test(&all);
    text = report(GO_LEAKS_AT_END);
    go_panic("%d are left: %s", times(text, "started at "), text);
}

/* As a job it goes on until its report is made, so nothing is proven before it ends. */
static void proven(const struct guide_ending *ending)
{
    /* "when the test has ended they are proven" */
    must(times(ending->err, "proven leak: ") > 0 && times(ending->err, "left blocked: ") == 0);
}

GUIDE_ROW(G110, leak_detection);
GUIDE_PART(G110, left_behind, .ends = ENDS_IN_PANIC, .says = {"3 are left: ", "chan send"}, .judge = proven,
           .drops_goroutines = true);
