/*
 * G126 between processes: a queue for each kind of job, which a handler in another process serves.
 *
 * Pattern: job processor with handlers.
 */
#include "parts.h"

enum { JOBS = 20, QUEUE = 10 };

/* 0, or: -ENOENT no such kind, -EAGAIN its queue is full, -EPIPE stopped. */
static int submit(struct part *me, const char *kind, int id)
{
    char name[TEXT_BYTES], job[TEXT_BYTES];
    gc_chan queue;
    int r;

    snprintf(name, sizeof name, "jobs.%s", kind);
    snprintf(job, sizeof job, "%d", id);
    r = gc_open(me->g, name, NULL, &queue, GC_FOREVER);
    if (r < 0)
        return r;
    r = gc_send(me->g, queue, gc_string(job), GC_NOW);
    must(gc_drop(me->g, queue) == 0);
    return r;
}

static void handle(struct part *me, const char *kind)
{
    char name[TEXT_BYTES];
    gc_chan queue;
    int id;

    snprintf(name, sizeof name, "jobs.%s", kind);
    queue = chan_of(me, name);
    step_wait(me, "submitted");
    while (recv_number(me, queue, &id))
        say(me, "%s %d", kind, id);
    send_text(me, chan_of(me, "ended"), "%s", kind);
}

static void mailer(struct part *me)
{
    handle(me, "mail");
}

static void resizer(struct part *me)
{
    handle(me, "image");
}

static void processor(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    char kind[TEXT_BYTES];

    /* "20 jobs are accepted" */
    for (int id = 1; id <= JOBS; id++)
        must(submit(me, id % 2 ? "mail" : "image", id) == 0);
    /* "an unknown kind: submit is refused with not found" */
    must(submit(me, "video", 21) == -ENOENT);
    /* "a full queue: submit says so at once" */
    must(submit(me, "mail", 22) == -EAGAIN);
    /* "stop refuses further jobs, lets the accepted ones be done and joins the workers" */
    close_chan(me, chan_of(me, "jobs.mail"));
    close_chan(me, chan_of(me, "jobs.image"));
    must(submit(me, "mail", 23) == -EPIPE);
    step_done(me, "submitted");
    for (int i = 0; i < 2; i++)
        must(recv_text(me, ended, kind));
    say(me, "stopped");
}

static void job_processor(void)
{
    /* "each is handled once, by the handler of its kind" */
    for (int id = 1; id <= JOBS; id++)
        must(said_times("%s %d", id % 2 ? "mail" : "image", id) == 1);
    must(said_last("stopped") && part_lines.n == JOBS + 1);
}

GUIDE_PARTS(G126, job_processor,
            .channels = {{"jobs.mail", {.capacity = QUEUE}},
                         {"jobs.image", {.capacity = QUEUE}},
                         {"submitted"},
                         {"ended"}},
            .parts = {PART(mailer), PART(resizer), PART(processor)});
