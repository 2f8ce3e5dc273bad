/*
 * G128 between processes: a job that fails is tried again, later and later, on a clock that another process moves.
 *
 * Pattern: retry with back-off.
 */
#include "parts.h"

/* What is over on the daemon's clock stands in a file that the clock hand writes. */
static int clock_ms(const struct part *me, int set)
{
    char path[TEXT_BYTES];
    int ms = set;
    FILE *file;

    shared_file(me, "clock", path);
    file = fopen(path, set >= 0 ? "we" : "re");
    must(file != NULL);
    must(set >= 0 ? fprintf(file, "%d\n", set) > 0 : fscanf(file, "%d", &ms) == 1);
    must(fclose(file) == 0);
    return ms;
}

/* Job 0 succeeds in its third attempt, job 1 never does. */
static void task(struct part *me)
{
    gc_chan attempts = chan_of(me, "attempts");
    int at = clock_ms(me, -1);

    say(me, "task %d at %d ms", me->index, at);
    send_number(me, attempts, me->index);
    must(me->index == 0 && at == 300);
}

static void submitter(struct part *me)
{
    struct gc_submit retry = {.backoff_ns = 100 * INT64_C(1000000)};
    struct gc_result result = {0};
    gc_job job[3];

    step_wait(me, "clock_is_set");
    retry.attempts_max = 3;
    job[0] = submit_part_with(me, "task", 0, retry);
    retry.attempts_max = 4;
    job[1] = submit_part_with(me, "task", 1, retry);
    job[2] = submit_part_with(me, "task", 2, retry);
    /* "attempts at 0, 100 and 300 ms, the third one succeeds" */
    must(gc_wait(me->g, job[0], NULL, GC_FOREVER) == 1);
    /* "cancelled in a pause: no further attempt" */
    step_wait(me, "paused");
    must(gc_job_cancel(me->g, job[2], "enough", GC_FOREVER) == 0);
    step_done(me, "cancelled");
    must(gc_wait(me->g, job[2], &result, GC_FOREVER) == 0 && result.state == GC_JOB_CANCELLED);
    gc_result_clear(&result);
    /* "a task that always fails: attempts at 0, 100, 300 and 700 ms, then it is dead, with the last error" */
    must(gc_wait(me->g, job[1], &result, GC_FOREVER) == 0);
    must(result.state == GC_JOB_DEAD && result.attempt == 4 && strstr(result.text, "at == 300"));
    gc_result_clear(&result);
}

/* Moves on when all that was due has been tried, and pauses. */
static void clock_hand(struct part *me)
{
    static const int times[] = {0, 100, 300, 700}, tried[] = {3, 3, 3, 1};
    static const unsigned paused[] = {3, 3, 2};
    gc_chan attempts = chan_of(me, "attempts");
    int who;

    clock_ms(me, 0);
    step_done(me, "clock_is_set");
    for (int i = 0;; i++) {
        for (int n = 0; n < tried[i]; n++)
            must(recv_number(me, attempts, &who));
        if (i == 3)
            return;
        while (stat_of(me, "jobs.scheduled") != paused[i])
            ;
        if (i == 2) {
            step_done(me, "paused");
            step_wait(me, "cancelled");
        }
        clock_ms(me, times[i + 1]);
        advance_ms(me, times[i + 1] - times[i]);
    }
}

static void retry(void)
{
    must(said_by("task 0", LINES("task 0 at 0 ms", "task 0 at 100 ms", "task 0 at 300 ms")));
    must(said_by("task 1",
                 LINES("task 1 at 0 ms", "task 1 at 100 ms", "task 1 at 300 ms", "task 1 at 700 ms")));
    must(said_by("task 2", LINES("task 2 at 0 ms", "task 2 at 100 ms", "task 2 at 300 ms")));
}

GUIDE_PARTS(G128, retry, .test_clock = true,
            .channels = {{"attempts"}, {"clock_is_set"}, {"paused"}, {"cancelled"}},
            .parts = {PART(submitter), PART(clock_hand), PART_WITH(task, .on_call = true)});
