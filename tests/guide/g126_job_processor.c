/*
 * G126 Jobs of three kinds, each with a handler of its own, for three workers. A kind that nobody handles, or a queue that
 * is full, is told to the submitter at once.
 *
 * Pattern: job processor: a table of handlers over a pool of workers.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { WORKERS = 3, QUEUE = 20, JOBS = 20, KINDS = 3 };

struct processor {
    go_workers *workers;
    struct gate gate;
    atomic_int handled[KINDS][JOBS];
};

struct job {
    struct processor *processor;
    int kind, number;
};

/* What the handlers have in common. */
static int handle(const struct go_task *task, const char *verb)
{
    const struct job *job = task->arg;

    gate_pass(&job->processor->gate);
    atomic_fetch_add(&job->processor->handled[job->kind][job->number], 1);
    say("%s data_%d", verb, job->number);
    return 0;
}

static int send_email(const struct go_task *task)
{
    return handle(task, "email sent:");
}

static int resize_image(const struct go_task *task)
{
    return handle(task, "image resized:");
}

static int write_report(const struct go_task *task)
{
    return handle(task, "report written:");
}

static const struct {
    const char *kind;
    go_task_fn handler;
} handlers[KINDS] = {{"email", send_email}, {"image", resize_image}, {"report", write_report}};

/* The id of the job; -ENOENT: no handler; -EAGAIN: the queue is full; -EPIPE: stopped. */
static int64_t submit(struct processor *processor, const char *kind, int number)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(handlers[i].kind, kind) == 0)
            return go_workers_submit(processor->workers, handlers[i].handler,
                                     &(struct job){processor, i, number}, sizeof(struct job), GO_NOW);
    return -ENOENT;
}

static bool handled_once(struct processor *processor)
{
    for (int job = 0; job < JOBS; job++)
        for (int kind = 0; kind < KINDS; kind++)
            if (atomic_load(&processor->handled[kind][job]) != (job % KINDS == kind))
                return false;
    return true;
}

static void fill_queue(struct processor *processor)
{
    int64_t r;

    do
        r = submit(processor, "email", 0);
    while (r > 0);
    /* "a full queue: submit says so at once" */
    must(r == -EAGAIN);
}

static void stop_and_join(struct processor *processor)
{
    gate_open(&processor->gate);
    go_workers_close(processor->workers);
    must(submit(processor, "email", 0) == -EPIPE);
    must(go_workers_wait(processor->workers, GO_FOREVER) == 0);
    go_workers_unref(processor->workers);
}

static void processor_start(struct processor *processor)
{
    *processor = (struct processor){0};
    processor->workers =
        go_workers_new(&(struct go_workers_options){.workers = WORKERS, .queue = QUEUE, .forget = 1});
}

static void job_processor(void)
{
    struct processor processor;

    processor_start(&processor);
    for (int job = 0; job < JOBS; job++)
        /* "20 jobs are accepted" */
        must(submit(&processor, handlers[job % KINDS].kind, job) == job + 1);
    /* "an unknown kind: submit is refused with not found" */
    must(submit(&processor, "fax", 0) == -ENOENT);
    stop_and_join(&processor);
    /* "each is handled once, by the handler of its kind" */
    must(handled_once(&processor) && said_lines() == JOBS);
    processor_start(&processor);
    fill_queue(&processor);
    stop_and_join(&processor);
    /* "stop refuses further jobs, lets the accepted ones be done and joins the workers" */
    until_live(1);
}

GUIDE_ROW(G126, job_processor);
