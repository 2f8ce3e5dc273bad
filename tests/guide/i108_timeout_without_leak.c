/*
 * G108 between processes: a job is given a second of the daemon's clock. If it takes longer its caller goes on without
 * it, and the job can still end: there is room for its result, though nobody will fetch it.
 *
 * Pattern: timeout, with a result channel of capacity 1. Without room each task that is late would wait for ever.
 */
#include "goclient_context.h"
#include "parts.h"

enum { ATTEMPTS = 5, TIMEOUT_MS = 1000 };

static gc_chan result_of(struct part *me, int id)
{
    char name[TEXT_BYTES];

    snprintf(name, sizeof name, "result.%d", id);
    return chan_of(me, name);
}

/* Every second one takes too long. */
static void task(struct part *me)
{
    char text[TEXT_BYTES];

    if (me->index % 2 == 0)
        step_wait(me, "late");
    snprintf(text, sizeof text, "%d", me->index);
    must(gc_send(me->g, result_of(me, me->index), gc_string(text), GC_NOW) == 0); /* never waits */
}

static gc_job perform_task(struct part *me, int id)
{
    struct gc_context_options options = {.size = sizeof options, .timeout_ns = TIMEOUT_MS * INT64_C(1000000)};
    gc_chan result = result_of(me, id);
    gc_job job = submit_part(me, "task", id);
    struct gc_value v = {0};
    gc_ctx *ctx;
    int r;

    must(gc_context_with_timeout(me->g, NULL, TIMEOUT_MS, &ctx, GC_FOREVER) == 0);
    r = gc_recv(me->g, result, &v, 0, gc_with(ctx));
    gc_ctx_free(ctx);
    must(r == 1 || r == -ETIMEDOUT);
    if (r == 1)
        say(me, "result of task %d", number_of(&v));
    else
        say(me, "task timed out after 1s");
    gc_value_clear(&v);
    return job;
}

static int unfinished(struct part *me, const gc_job *job)
{
    int n = 0;

    for (int id = 1; id <= ATTEMPTS; id++)
        n += job_state(me, job[id]) < GC_JOB_DONE;
    return n;
}

static void main_part(struct part *me)
{
    gc_chan late = chan_of(me, "late");
    gc_job job[ATTEMPTS + 1];
    int value;

    for (int id = 1; id <= ATTEMPTS; id++)
        job[id] = perform_task(me, id);
    until_waiting(me, late, 0, 2); /* the two that were late are still at work */
    close_chan(me, late);
    for (int id = 1; id <= ATTEMPTS; id++)
        must(gc_wait(me->g, job[id], NULL, GC_FOREVER) == 1);
    /* "when the late ones have ended, too, the count of goroutines is as at the start" */
    must(unfinished(me, job) == 0);
    for (int id = 2; id < ATTEMPTS; id += 2) /* what nobody fetched is still there */
        must(recv_number(me, result_of(me, id), &value) && value == id);
}

/* A second passes where the caller waits for somebody who is late. */
static void clock_hand(struct part *me)
{
    for (int id = 2; id < ATTEMPTS; id += 2) {
        gc_chan result = result_of(me, id);

        until_waiting(me, result, 0, 1);
        advance_ms(me, TIMEOUT_MS - 1);
        until_waiting(me, result, 0, 1);
        say(me, "999 ms");
        advance_ms(me, 1);
    }
}

static void timeout_without_leak(void)
{
    /* "in time: the result", "late: "task timed out after 1s"" */
    must(said(LINES("result of task 1", "999 ms", "task timed out after 1s", "result of task 3", "999 ms",
                    "task timed out after 1s", "result of task 5")));
}

GUIDE_PARTS(G108, timeout_without_leak, .test_clock = true,
            .channels = {{"result.1", {.capacity = 1}},
                         {"result.2", {.capacity = 1}},
                         {"result.3", {.capacity = 1}},
                         {"result.4", {.capacity = 1}},
                         {"result.5", {.capacity = 1}},
                         {"late"}},
            .parts = {PART(main_part), PART(clock_hand), PART_WITH(task, .on_call = true)});
