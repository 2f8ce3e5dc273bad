/*
 * G06 between processes: the states of a job, as a process sees them that has not started it.
 *
 * Pattern: look at a job from outside: its state, and in the dump of the daemon what it waits for.
 */
#include "goclient_inspect.h"
#include "parts.h"

enum { JOBS = 2 };

/* Works until it is told that it was seen: it does not wait meanwhile. */
static void run_until_seen(struct part *me)
{
    gc_chan seen = chan_of(me, "seen");
    struct gc_value v = {0};

    while (gc_recv(me->g, seen, &v, 0, GC_NOW) != 1)
        continue;
    gc_value_clear(&v);
}

static void stepper(struct part *me)
{
    int number;

    say(me, "1.");
    run_until_seen(me);
    must(recv_number(me, chan_of(me, "go_on"), &number));
    say(me, "2.");
    run_until_seen(me);
    say(me, "3.");
}

/* Has the only place of its queue, so that the next one waits for it. */
static void occupant(struct part *me)
{
    int number;

    must(recv_number(me, chan_of(me, "leave"), &number));
}

static gc_job submit_to(struct part *me, const char *name)
{
    return submit_part_with(me, name, 0, (struct gc_submit){.queue = "one", .attempts_max = 1});
}

static void starter(struct part *me)
{
    int number;

    for (int i = 0; i < JOBS; i++) {
        submit_to(me, "occupant");
        until_waiting(me, chan_of(me, "leave"), 0, 1);
        send_text(me, chan_of(me, "started"), "%llu", (unsigned long long)submit_to(me, "stepper").id);
        must(recv_number(me, chan_of(me, "next"), &number));
    }
}

/* What the dump has of it: how many rows. */
static int dump(struct part *me, struct gc_parked_page *page)
{
    struct gc_parked_filter filter = {.size = sizeof filter, .object = "go_on"};
    int rows = gc_parked(me->g, &filter, page, GC_FOREVER);

    must(rows >= 0);
    return rows;
}

static void see_running(struct part *me, gc_job job)
{
    struct gc_parked_page page;

    while (job_state(me, job) != GC_JOB_RUNNING)
        continue;
    must(dump(me, &page) == 0);
    gc_parked_page_clear(&page);
    say(me, "running");
    send_text(me, chan_of(me, "seen"), "seen");
}

/* The process in which it waits. */
static int see_blocked(struct part *me, gc_job job)
{
    struct gc_parked_page page;
    int pid;

    until_waiting(me, chan_of(me, "go_on"), 0, 1);
    must(dump(me, &page) == 1 && job_state(me, job) == GC_JOB_RUNNING);
    /* "blocked with its reason" */
    say(me, "blocked: %s", page.items[0].reason);
    pid = page.items[0].pid;
    gc_parked_page_clear(&page);
    send_text(me, chan_of(me, "go_on"), "on");
    return pid;
}

/* The process that ran it. */
static int watch(struct part *me, gc_job job)
{
    struct gc_parked_page page;
    int pid;

    must(job_state(me, job) == GC_JOB_READY);
    say(me, "created: %s", gc_job_state_name(GC_JOB_READY));
    send_text(me, chan_of(me, "leave"), "leave");
    see_running(me, job);
    pid = see_blocked(me, job);
    see_running(me, job);
    must(gc_wait(me->g, job, NULL, GC_FOREVER) == 1 && job_state(me, job) == GC_JOB_DONE);
    /* "ended: gone from the dump" */
    must(dump(me, &page) == 0);
    gc_parked_page_clear(&page);
    say(me, "ended: %s", gc_job_state_name(GC_JOB_DONE));
    return pid;
}

static void watcher(struct part *me)
{
    int pid[JOBS];
    char job[TEXT_BYTES];

    for (int i = 0; i < JOBS; i++) {
        must(recv_text(me, chan_of(me, "started"), job));
        pid[i] = watch(me, gc_job_of(strtoull(job, NULL, 10)));
        send_text(me, chan_of(me, "next"), "next");
    }
    /* "and its memory is used again": the same process runs the next one */
    must(pid[0] != 0 && pid[0] == pid[1]);
}

static void states(void)
{
    static const char *const lines[] = {"1.", "2.", "3."};
    static const char *const seen[] = {"created: ready", "running", "blocked: channel receive", "running",
                                       "ended: done"};
    size_t said_n = 0, seen_n = 0;

    /* "lines 1, 2, 3 in order" */
    /* "states seen in order: created", "running before and after it", "a job: ready, running, done" */
    for (size_t i = 0; i < part_lines.n; i++) {
        bool its_own = part_lines.line[i][1] == '.';

        must(strcmp(part_lines.line[i], its_own ? lines[said_n++ % 3] : seen[seen_n++ % 5]) == 0);
    }
    must(said_n == JOBS * 3 && seen_n == JOBS * 5);
}

GUIDE_PARTS(G06, states, .queues = {"one.concurrency=1"},
            .channels = {{"started"}, {"next"}, {"leave"}, {"seen", {.capacity = 1}}, {"go_on"}},
            .parts = {PART(starter), PART(watcher), PART_WITH(stepper, .on_call = true),
                      PART_WITH(occupant, .on_call = true)});
