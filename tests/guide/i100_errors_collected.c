/*
 * G100 between processes: a job fails, and nobody waits for it; whoever asks later is told.
 *
 * Pattern: the error stays with its job.
 */
#include "parts.h"

static void failing(struct part *me)
{
    must(!"collected by nobody");
}

/* Starts the job, tells others its number, and does not look at it again. */
static void starter(struct part *me)
{
    gc_job job = submit_part(me, "failing", 0);

    send_text(me, chan_of(me, "number"), "%llu", (unsigned long long)job.id);
    send_text(me, chan_of(me, "number"), "%llu", (unsigned long long)job.id);
    step_wait(me, "asked");
}

static gc_job job_of(struct part *me)
{
    char number[TEXT_BYTES];

    must(recv_text(me, chan_of(me, "number"), number));
    return gc_job_of(strtoull(number, NULL, 10));
}

/* "the error of a job that nobody collects is kept with it and shown, the status is not 0" */
static void asker(struct part *me)
{
    gc_job job = job_of(me);
    struct gc_job_info info = {0};
    struct gc_result result = {0};

    must(gc_wait(me->g, job, &result, GC_FOREVER) == 0);
    gc_result_clear(&result);
    must(gc_job_info(me->g, job, &info, GC_FOREVER) == 0);
    must(info.state == GC_JOB_FAILED && info.cause == GC_CAUSE_PANIC);
    must(strstr(info.text, "collected by nobody") != NULL);
    gc_job_info_clear(&info);
    say(me, "asked: it has failed");
}

/* Whoever waits, as often as they like, gets the same. */
static void waiter(struct part *me)
{
    gc_job job = job_of(me);

    for (int i = 0; i < 2; i++) {
        struct gc_result result = {0};

        must(gc_wait(me->g, job, &result, GC_FOREVER) == 0);
        must(result.state == GC_JOB_FAILED && strstr(result.text, "collected by nobody") != NULL);
        gc_result_clear(&result);
    }
    say(me, "waited: it has failed");
    step_done(me, "asked");
}

static void errors_collected(void)
{
    must(said_in_any_order(LINES("asked: it has failed", "waited: it has failed")));
}

GUIDE_PARTS(G100, errors_collected, .channels = {{"number"}, {"asked"}},
            .parts = {PART(starter), PART(asker), PART(waiter), PART_WITH(failing, .on_call = true)});
