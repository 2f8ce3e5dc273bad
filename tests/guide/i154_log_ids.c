/*
 * G154 between processes: a log whose lines name the job and the goroutine that wrote them, of jobs and of programs, so
 * that the history of each can be read out of the mixed log of all.
 *
 * Pattern: log lines with the goroutine's id. In a log of several programs the process belongs to it.
 */
#include <inttypes.h>
#include <unistd.h>

#include "goroutine.h"
#include "parts.h"

enum { WORKERS = 3 /* goroutines of each process */, STEPS = 4, PREFIX_BYTES = 128, AUTHORS_MAX = 32 };

#define LOG_IDS       "[job %" PRIu64 ", process %d, goroutine %" PRIu64 "] "
#define LOG(me, step) say(me, LOG_IDS "step %d", (me)->job, (int)getpid(), go_id(), step)

struct office {
    struct part *me;
    gc_chan go_on;
};

/* All live at one time: each takes its first step when all are there. */
static void work(void *arg)
{
    struct office *office = arg;
    struct part *me = office->me;
    char text[TEXT_BYTES];

    must(!recv_text(me, office->go_on, text));
    for (int step = 1; step <= STEPS; step++) {
        LOG(me, step);
        go_yield();
    }
}

static void office(struct part *me)
{
    struct office all = {me, chan_of(me, "go_on")};
    go_waitgroup workers = {0};

    for (int i = 0; i < WORKERS; i++)
        must(go_waitgroup_go(&workers, work, &all, 0) == 0);
    go_waitgroup_wait(&workers);
}

static void director(struct part *me)
{
    gc_chan go_on = chan_of(me, "go_on");
    gc_job job = submit_part(me, "office", 2);

    until_waiting(me, go_on, 0, 3 * WORKERS);
    say(me, "one job has number %" PRIu64 ", this one %" PRIu64, job.id, me->job);
    close_chan(me, go_on);
    must(gc_wait(me->g, job, NULL, GC_FOREVER) == 1);
}

/* ---- the log ---- */

/* The distinct beginnings of its lines. */
static size_t authors_of(char (*prefix)[PREFIX_BYTES])
{
    size_t n = 0, known;

    for (size_t i = 0; i < part_lines.n; i++) {
        const char *end = strchr(part_lines.line[i], ']');

        if (!end)
            continue;
        must(n < AUTHORS_MAX && end - part_lines.line[i] < PREFIX_BYTES - 2);
        snprintf(prefix[n], PREFIX_BYTES, "%.*s] ", (int)(end - part_lines.line[i]), part_lines.line[i]);
        for (known = 0; strcmp(prefix[known], prefix[n]) != 0; known++)
            ;
        n += known == n;
    }
    return n;
}

static void must_have_steps(const char *prefix)
{
    char lines[STEPS][PREFIX_BYTES + 16];

    for (int step = 1; step <= STEPS; step++)
        snprintf(lines[step - 1], sizeof lines[0], "%.*sstep %d", PREFIX_BYTES - 1, prefix, step);
    /* "the lines with one id, taken out of the mixed log, are the 4 steps of that goroutine in its order" */
    must(said_by(prefix, LINES(lines[0], lines[1], lines[2], lines[3])));
}

static void log_ids(void)
{
    char prefix[AUTHORS_MAX + 1][PREFIX_BYTES];
    size_t authors = authors_of(prefix), of_the_job = 0, of_no_job = 0;
    uint64_t job = 0, mine, id;

    for (size_t i = 0; i < part_lines.n; i++)
        if (sscanf(part_lines.line[i], "one job has number %" SCNu64 ", this one %" SCNu64, &job, &mine) == 2)
            break;
    /* "the ids of all who live at one time differ" */
    must(authors == 3 * (size_t)WORKERS && part_lines.n == authors * STEPS + 1);
    for (size_t i = 0; i < authors; i++) {
        must_have_steps(prefix[i]);
        must(sscanf(prefix[i], "[job %" SCNu64, &id) == 1);
        of_the_job += id == job;
        of_no_job += id == 0;
    }
    /* "each line carries the id of the job, 0 in a program" */
    must(job != 0 && of_the_job == WORKERS);
    must(of_no_job == WORKERS || of_no_job == 2 * (size_t)WORKERS);
}

GUIDE_PARTS(G154, log_ids, .goroutines = true, .channels = {{"go_on"}},
            .parts = {PARTS(2, office), PART(director)});
