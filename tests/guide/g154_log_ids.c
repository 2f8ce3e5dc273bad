/*
 * G154 A log whose lines name the job and the goroutine that wrote them, so that the history of each can be read out of
 * the mixed log of all.
 *
 * Pattern: log lines with the goroutine's id.
 */
#include <inttypes.h>
#include <stdio.h>

#include "guide.h"

enum { WORKERS = 5, STEPS = 4, PREFIX_BYTES = 64 };

/* A macro, not a function: the ids are those of whoever logs. */
#define LOG_IDS             "[job %" PRIu64 ", goroutine %" PRIu64 "] "
#define LOG(format, ...)    say(LOG_IDS format, guide_job_id(), go_id(), __VA_ARGS__)
#define LOGGED(format, ...) said_times(LOG_IDS format, guide_job_id(), __VA_ARGS__)

struct office {
    struct gate all_here;
    uint64_t ids[WORKERS];
};

struct worker {
    struct office *office;
    int number;
};

static void work(void *arg)
{
    const struct worker *me = arg;

    me->office->ids[me->number] = go_id();
    gate_pass(&me->office->all_here);
    for (int step = 1; step <= STEPS; step++) {
        LOG("step %d of worker %d", step, me->number);
        go_yield();
    }
}

/* "the ids of all who live at one time differ" */
static void ids_differ(const uint64_t *ids)
{
    for (int i = 0; i < WORKERS; i++) {
        must(ids[i] != 0 && ids[i] != go_id());
        for (int j = 0; j < i; j++)
            must(ids[i] != ids[j]);
    }
}

static void replay(uint64_t id, int number)
{
    char prefix[PREFIX_BYTES], lines[STEPS][2 * PREFIX_BYTES];

    snprintf(prefix, sizeof prefix, LOG_IDS, guide_job_id(), id);
    for (int step = 1; step <= STEPS; step++)
        snprintf(lines[step - 1], sizeof lines[0], "%sstep %d of worker %d", prefix, step, number);
    /* "the lines with one id, taken out of the mixed log, are the 4 steps of that goroutine in its order" */
    must(said_by(prefix, LINES(lines[0], lines[1], lines[2], lines[3])));
}

static void log_ids(void)
{
    struct office office = {0};

    for (int i = 0; i < WORKERS; i++)
        must(go_spawn(work, &((struct worker){&office, i}), sizeof(struct worker)) == 0);
    gate_until(&office.all_here, WORKERS);
    ids_differ(office.ids);
    gate_open(&office.all_here);
    until_live(1);
    must(said_lines() == (size_t)WORKERS * STEPS);
    for (int i = 0; i < WORKERS; i++) {
        replay(office.ids[i], i);
        /* "each line carries the id of the job, 0 in a program" */
        must((guide_job_id() != 0) == guide_is_job());
        must(LOGGED("step %d of worker %d", office.ids[i], 1, i) == 1);
    }
}

GUIDE_ROW(G154, log_ids);
