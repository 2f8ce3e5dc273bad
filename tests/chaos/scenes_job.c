/* Jobs, and the daemon itself. The jobs are due in years: none ever runs. */
#include <errno.h>
#include <string.h>

#include "cell.h"
#include "goclient_job.h"
#include "goclient_queue.h"
#include "hosted.h"

#define YEARS_NS (10LL * 365 * 86400 * 1000000000LL)
#define STEP_NS  (100 * 1000000000LL)

static int submit(struct cell *cell, int who)
{
    struct gc_submit what = {.size = sizeof(what),
                             .plugin = cell->plugin,
                             .function = "echo",
                             .argument = cell->object,
                             .argument_bytes = strlen(cell->object),
                             .delay_ns = YEARS_NS};

    return gc_submit(cell->g[who], &what, &cell->job[who], GC_FOREVER);
}

enum { BULK = 3 };

/* The last one is the cell's. */
static int submit_many(struct cell *cell, int who)
{
    struct gc_submit what[BULK];
    gc_job jobs[BULK];
    int r;

    for (int i = 0; i < BULK; i++)
        what[i] = (struct gc_submit){.size = sizeof(*what),
                                     .plugin = cell->plugin,
                                     .function = "echo",
                                     .argument = cell->object,
                                     .argument_bytes = strlen(cell->object),
                                     .delay_ns = YEARS_NS};
    r = gc_submit_many(cell->g[who], what, BULK, jobs, NULL, GC_FOREVER);
    cell->job[who] = jobs[BULK - 1];
    return r;
}

static int cancel(struct cell *cell, int who, gc_job job)
{
    return gc_job_cancel(cell->g[who], job, "the test is over", GC_FOREVER);
}

static void prepare_job(struct cell *cell)
{
    CELL_MUST(cell, submit(cell, WHO_B) == 0);
    cell->job[WHO_A] = cell->job[WHO_B];
}

static void check_statuses(struct cell *cell, int status)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == status);
}

static int count_jobs(struct cell *cell, int who)
{
    struct gc_job_filter filter = {.size = sizeof(filter), .after = cell->before};
    struct gc_job_page page = {0};
    int n = gc_jobs(cell->g[who], &filter, &page, GC_FOREVER);

    gc_job_page_clear(&page);
    return n;
}

/* A job that is there to be the newest. */
static void prepare_submit(struct cell *cell)
{
    prepare_job(cell);
    cell->before = cell->job[WHO_B];
    CELL_MUST(cell, cancel(cell, WHO_B, cell->before) == 0);
}

static void check_submitted(struct cell *cell)
{
    check_statuses(cell, 0);
    CELL_MUST(cell, count_jobs(cell, WHO_B) == cell->calls); /* G1: one for each */
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cancel(cell, WHO_B, cell->job[who]) == 0);
}

/* All of each bulk, once; their numbers follow each other. */
static void check_bulk(struct cell *cell)
{
    check_statuses(cell, BULK);
    CELL_MUST(cell, count_jobs(cell, WHO_B) == BULK * cell->calls);
    for (int who = 0; who < cell->calls; who++)
        for (uint64_t i = 0; i < BULK; i++)
            CELL_MUST(cell, cancel(cell, WHO_B, gc_job_of(cell->job[who].id - i)) == 0);
}

/* The file is new, and is not described before it shall be. */
static void prepare_described(struct cell *cell)
{
    prepare_submit(cell);
    cell->plugin = hosted_new_plugin();
    hosted_hold();
}

static void describe(struct cell *cell, int i)
{
    hosted_release();
}

static void check_job(struct cell *cell, int status)
{
    check_statuses(cell, status);
    CELL_MUST(cell, cancel(cell, WHO_B, cell->job[WHO_B]) == 0);
}

static void check_job_zero(struct cell *cell)
{
    check_job(cell, 0);
}

static void check_job_one(struct cell *cell)
{
    check_job(cell, 1);
}

static int wait_call(struct cell *cell, int who)
{
    struct gc_result result = {0};
    int r = gc_wait(cell->g[who], cell->job[who], &result, GC_FOREVER);

    r = r == 0 && result.state != GC_JOB_CANCELLED ? -EPROTO : r;
    gc_result_clear(&result);
    return r;
}

static void end_job(struct cell *cell, int i)
{
    CELL_MUST(cell, cancel(cell, WHO_B, cell->job[WHO_B]) == 0);
}

static int info_call(struct cell *cell, int who)
{
    struct gc_job_info info = {0};
    int r = gc_job_info(cell->g[who], cell->job[who], &info, GC_FOREVER);

    r = r == 0 && info.state != GC_JOB_SCHEDULED ? -EPROTO : r;
    gc_job_info_clear(&info);
    return r;
}

static int list_call(struct cell *cell, int who)
{
    cell->before = gc_job_of(cell->job[WHO_B].id - 1);
    return count_jobs(cell, who);
}

static int cancel_call(struct cell *cell, int who)
{
    return cancel(cell, who, cell->job[who]);
}

static void check_cancelled(struct cell *cell)
{
    check_statuses(cell, 0);
    CELL_MUST(cell, wait_call(cell, WHO_B) == 0);
}

/* One for each that has failed without ever running: its deadline has come before it was due. */
static void prepare_failed(struct cell *cell)
{
    struct gc_submit what = {.size = sizeof(what),
                             .plugin = cell->plugin,
                             .function = "echo",
                             .delay_ns = YEARS_NS,
                             .deadline_in_ns = 1};

    for (int who = WHO_A; who <= WHO_B; who++) {
        CELL_MUST(cell, gc_submit(cell->g[WHO_B], &what, &cell->job[who], GC_FOREVER) == 0);
        CELL_MUST(cell, gc_clock_advance(cell->g[WHO_B], 1, GC_FOREVER) >= 0);
        CELL_MUST(cell, gc_wait(cell->g[WHO_B], cell->job[who], NULL, GC_FOREVER) == 0);
    }
}

/* None is dead: what lives again would run, and there is no host. */
static int retry_call(struct cell *cell, int who)
{
    struct gc_ended which = {.size = sizeof(which)};
    gc_job next;

    return gc_jobs_retry(cell->g[who], &which, &next, GC_FOREVER);
}

/* Of that one job: others have theirs. */
static int purge_call(struct cell *cell, int who)
{
    struct gc_ended which = {.size = sizeof(which),
                             .states = 1u << GC_JOB_FAILED,
                             .after = gc_job_of(cell->job[who].id - 1),
                             .limit = 1};
    gc_job next;

    return gc_jobs_purge(cell->g[who], &which, &next, GC_FOREVER);
}

static void check_purged(struct cell *cell)
{
    struct gc_job_info info;

    check_statuses(cell, 1);
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, gc_job_info(cell->g[WHO_B], cell->job[who], &info, GC_FOREVER) == -ENOENT);
}

static int output_call(struct cell *cell, int who)
{
    struct gc_value out = {0};
    int r = gc_job_output(cell->g[who], cell->job[who], 0, 0, &out, GC_FOREVER);

    r = r == 0 && out.size ? -EPROTO : r;
    gc_value_clear(&out);
    return r;
}

static void prepare_status(struct cell *cell)
{
    CELL_MUST(cell, submit(cell, WHO_A) == 0);
    cell->op = gc_last_op();
    cell->job[WHO_B] = cell->job[WHO_A];
}

static int status_call(struct cell *cell, int who)
{
    gc_job job = {0};
    int r = gc_op_status(cell->g[who], &cell->op, &job, GC_FOREVER);

    return r == 1 && job.id != cell->job[WHO_A].id ? -EPROTO : r;
}

/* ---- the daemon ---- */

static void prepare_nothing(struct cell *cell)
{
}

static int ping_call(struct cell *cell, int who)
{
    return gc_ping(cell->g[who], GC_FOREVER);
}

static void check_zero(struct cell *cell)
{
    check_statuses(cell, 0);
}

static int stats_call(struct cell *cell, int who)
{
    struct gc_stats stats = {0};
    int n = gc_stats(cell->g[who], "incarnation", &stats, GC_FOREVER);

    gc_stats_clear(&stats);
    return n;
}

static int queue_set_call(struct cell *cell, int who)
{
    return gc_queue_set(cell->g[who], "default", "weight=2", GC_FOREVER);
}

static int queue_info_call(struct cell *cell, int who)
{
    struct gc_stats stats = {0};
    int n = gc_queue_info(cell->g[who], "default", &stats, GC_FOREVER);

    gc_stats_clear(&stats);
    return n < 0 ? n : 0;
}

static int queue_list_call(struct cell *cell, int who)
{
    struct gc_stats stats = {0};
    int n = gc_queues(cell->g[who], "default", NULL, &stats, GC_FOREVER);

    gc_stats_clear(&stats);
    return n;
}

/* Of a pause that nobody has begun. */
static int queue_pause_call(struct cell *cell, int who)
{
    return gc_queue_pause(cell->g[who], "default", GC_PAUSE_END, 0, GC_FOREVER);
}

/* Of a queue that is not there: the jobs of other cells are left alone. */
static int queue_purge_call(struct cell *cell, int who)
{
    return (int)gc_queue_purge(cell->g[who], "nowhere", GC_FOREVER);
}

static void check_nowhere(struct cell *cell)
{
    check_statuses(cell, -ENOENT);
}

static void check_one(struct cell *cell)
{
    check_statuses(cell, 1);
}

/* A job that is due in one step and a half: moved twice, the clock would pass it. */
static void prepare_clock(struct cell *cell)
{
    struct gc_submit what = {
        .size = sizeof(what), .plugin = cell->plugin, .function = "echo", .delay_ns = STEP_NS + STEP_NS / 2};

    CELL_MUST(cell, gc_submit(cell->g[WHO_B], &what, &cell->job[WHO_B], GC_FOREVER) == 0);
    cell->job[WHO_A] = cell->job[WHO_B];
}

static int clock_call(struct cell *cell, int who)
{
    return gc_clock_advance(cell->g[who], STEP_NS, GC_FOREVER);
}

static void check_clock(struct cell *cell)
{
    check_statuses(cell, 0);
    CELL_MUST(cell, info_call(cell, WHO_B) == 0);
    CELL_MUST(cell, cancel(cell, WHO_B, cell->job[WHO_B]) == 0);
}

const struct scene scenes_job[] = {
    {"submit", "plain", VERB_SUBMIT, prepare_submit, submit, NULL, check_submitted, true},
    {"submit", "described", VERB_SUBMIT, prepare_described, submit, describe, check_submitted, true},
    {"submit_many", "plain", VERB_SUBMIT_MANY, prepare_submit, submit_many, NULL, check_bulk, true},
    {"submit_many", "described", VERB_SUBMIT_MANY, prepare_described, submit_many, describe, check_bulk,
     true},
    {"job_wait", "scheduled", VERB_JOB_WAIT, prepare_job, wait_call, end_job, check_zero, true},
    {"job_info", "scheduled", VERB_JOB_INFO, prepare_job, info_call, NULL, check_job_zero, true},
    {"job_list", "one", VERB_JOB_LIST, prepare_job, list_call, NULL, check_job_one, true},
    {"job_cancel", "scheduled", VERB_JOB_CANCEL, prepare_job, cancel_call, NULL, check_cancelled, true},
    {"job_output", "empty", VERB_JOB_OUTPUT, prepare_job, output_call, NULL, check_job_zero, true},
    {"job_retry", "none", VERB_JOB_RETRY, prepare_nothing, retry_call, NULL, check_zero, true},
    {"job_purge", "failed", VERB_JOB_PURGE, prepare_failed, purge_call, NULL, check_purged, true},
    {"op_status", "submit", VERB_OP_STATUS, prepare_status, status_call, NULL, check_job_one, false},
    {"ping", "empty", VERB_PING, prepare_nothing, ping_call, NULL, check_zero, true},
    {"stats", "one", VERB_STATS, prepare_nothing, stats_call, NULL, check_one, true},
    {"queue_set", "weight", VERB_QUEUE_SET, prepare_nothing, queue_set_call, NULL, check_zero, true},
    {"queue_info", "one", VERB_QUEUE_INFO, prepare_nothing, queue_info_call, NULL, check_zero, true},
    {"queue_list", "one", VERB_QUEUE_LIST, prepare_nothing, queue_list_call, NULL, check_one, true},
    {"queue_pause", "end", VERB_QUEUE_PAUSE, prepare_nothing, queue_pause_call, NULL, check_zero, true},
    {"queue_purge", "none", VERB_QUEUE_PURGE, prepare_nothing, queue_purge_call, NULL, check_nowhere, true},
    {"clock_advance", "step", VERB_CLOCK_ADVANCE, prepare_clock, clock_call, NULL, check_clock, false},
    {0},
};
