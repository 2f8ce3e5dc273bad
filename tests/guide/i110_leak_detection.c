/*
 * G110 between processes: three programs that wait for ever, each in a way of its own, and a job that never ends; and two
 * who find them: a report of what waits, and a helper that a test calls last.
 *
 * Pattern: leak detection. Who waits where nobody else can come is suspected after a time, and proven when its program says
 * that none of its threads does anything else.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "goclient_inspect.h"
#include "parts.h"

enum { BLOCKED = 3, HOUR_MS = 3600 * 1000 };

#define HOUR_NS (HOUR_MS * INT64_C(1000000))

struct waiting {
    struct part *me;
    gc_chan c; /* nobody else's */
};

static void *wait_for_ever(void *arg)
{
    const struct waiting *waiting = arg;
    struct gc_value none;

    if (waiting->me->index == 0)
        gc_send(waiting->me->g, waiting->c, gc_string("a result that nobody wants"), GC_FOREVER);
    else
        gc_recv(waiting->me->g, waiting->c, &none, 0, GC_FOREVER);
    say(waiting->me, "it was not for ever");
    return NULL;
}

/* The other thread works until the test ends, and then joins the one that waits. */
static void forgotten(struct part *me)
{
    struct waiting waiting = {.me = me};
    pthread_t thread;

    must(gc_open(me->g, NULL, NULL, &waiting.c, GC_FOREVER) == 0);
    must(gc_callers(me->g, 2, GC_FOREVER) == 0);
    must(pthread_create(&thread, NULL, wait_for_ever, &waiting) == 0);
    until_waiting(me, waiting.c, me->index == 0, me->index != 0);
    must(gc_callers(me->g, 0, GC_FOREVER) == 0); /* who knows who may come yet */
    send_number(me, chan_of(me, "forgotten"), (int)getpid());
    step_wait(me, "test_ends");
    must(gc_callers(me->g, 1, GC_FOREVER) == 0);
    pthread_join(thread, NULL);
}

static void endless_loop(struct part *me)
{
    gc_chan stop = chan_of(me, "stop_loop");
    struct gc_value none;

    step_done(me, "looping");
    while (gc_recv(me->g, stop, &none, 0, GC_NOW) == -EAGAIN)
        continue;
}

/* "no false report of who waits on a named channel that others hold" */
static void server(struct part *me)
{
    int number;

    must(recv_number(me, chan_of(me, "service"), &number));
}

static void user(struct part *me)
{
    gc_chan service = chan_of(me, "service");

    step_wait(me, "served");
    send_number(me, service, 1);
}

/* Waits of which nobody else knows: how many, and in *flags what is said of all of them. */
static int leaks(struct part *me, int64_t age_ns, struct gc_parked_page *page, unsigned *flags)
{
    int n = 0;

    gc_parked_page_clear(page);
    must(gc_leaks(me->g, age_ns, 0, page, GC_FOREVER) >= 0);
    *flags = GC_PROVEN;
    for (size_t i = 0; i < page->n; i++)
        if (page->items[i].flags & GC_ALONE) {
            page->items[n++] = page->items[i];
            *flags &= page->items[n - 1].flags;
        }
    return n;
}

static void check_rows(const struct gc_parked_page *page, const int *pid)
{
    int sends = 0;

    for (int i = 0; i < BLOCKED; i++) {
        const struct gc_parked *row = &page->items[i];

        /* "each with its reason, its age and where it was started" */
        sends += strcmp(row->reason, "channel send") == 0;
        must(strncmp(row->reason, "channel ", 8) == 0 && row->age_ns >= HOUR_NS);
        must(row->pid == pid[0] || row->pid == pid[1] || row->pid == pid[2]);
        must(strcmp(row->program, "forgotten") == 0);
    }
    must(sends == 1);
}

/* The helper: how many more there are than at the start of the test, where there was none. It prints what is known of each
 * outside its process, where and for what it waits, in place of their stacks. */
static int leak_check(struct part *me, gc_job loop)
{
    struct gc_parked_page page = {.n = 0};
    unsigned flags;
    int n = leaks(me, 0, &page, &flags);

    for (int i = 0; i < n; i++)
        say(me, "left: %s", page.items[i].reason);
    gc_parked_page_clear(&page);
    if (job_state(me, loop) != GC_JOB_RUNNING)
        return n;
    say(me, "left: endless_loop, running");
    return n + 1;
}

static void tester(struct part *me)
{
    gc_chan over = chan_of(me, "test_ends"), served = chan_of(me, "served"), told = chan_of(me, "forgotten");
    struct gc_parked_page page = {.n = 0};
    gc_job loop = submit_part(me, "endless_loop", 0);
    struct gc_chan_info service;
    int pid[BLOCKED];
    unsigned flags;

    for (int i = 0; i < BLOCKED; i++)
        must(recv_number(me, told, &pid[i]));
    step_wait(me, "looping");
    until_waiting(me, over, 0, BLOCKED);
    until_waiting(me, served, 0, 1);
    do { /* until the server waits, and its user has the channel, too */
        must(gc_chan_stat(me->g, "service", &service, GC_FOREVER) == 0);
    } while (service.receivers < 1 || service.handles < 2 || leaks(me, 0, &page, &flags) < BLOCKED);
    must(leaks(me, HOUR_NS, &page, &flags) == 0);
    advance_ms(me, HOUR_MS);
    /* "in a running program the report lists the 3 that are blocked, suspected, once they have waited longer than a given
     * time" */
    must(leaks(me, HOUR_NS, &page, &flags) == BLOCKED && !(flags & GC_PROVEN));
    check_rows(&page, pid);
    /* "and the loop as running" */
    must(job_state(me, loop) == GC_JOB_RUNNING);
    /* "the helper fails a test that ends with more goroutines than it began with, and prints their stacks" */
    must(leak_check(me, loop) == BLOCKED + 1);
    close_chan(me, over);
    /* "when the test has ended they are proven" */
    while (leaks(me, 0, &page, &flags) != BLOCKED || !(flags & GC_PROVEN))
        continue;
    say(me, "proven: %d", BLOCKED);
    gc_parked_page_clear(&page);
    for (int i = 0; i < BLOCKED; i++)
        must(kill(pid[i], SIGKILL) == 0);
    close_chan(me, served);
    step_done(me, "stop_loop");
    must(gc_wait(me->g, loop, NULL, GC_FOREVER) == 1);
}

static void leak_detection(void)
{
    must(said_times("left: channel send") == 1 && said_times("left: channel receive") == 2);
    must(said_times("left: endless_loop, running") == 1 && said_last("proven: 3"));
    must(part_lines.n == 5);
}

GUIDE_PARTS(G110, leak_detection, .test_clock = true,
            .channels = {{"forgotten"}, {"test_ends"}, {"service"}, {"served"}, {"stop_loop"}, {"looping"}},
            .parts = {PART_WITH(forgotten, .times = BLOCKED, .dies = true), PART(server), PART(user),
                      PART(tester), PART_WITH(endless_loop, .on_call = true)});
