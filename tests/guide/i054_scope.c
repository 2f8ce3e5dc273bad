/*
 * G54 between processes: work in other processes that does not outlive the call that started it.
 *
 * Pattern: structured concurrency. Who leaves a scope has everything that was begun in it: results, failures, and nobody
 * still at work.
 */
#include "parts.h"

enum { CHILDREN = 3, TASKS = 20 };

static void begin(struct part *me, const char *name, int n, gc_job *job)
{
    for (int i = 0; i < n; i++)
        job[i] = submit_part(me, name, i);
}

/* ---- not left before all have ended ---- */

static void square(struct part *me)
{
    step_wait(me, "gate");
    say(me, "child ended");
    leave_result(me, "%d", me->index * me->index);
}

static void leave_with_results(struct part *me)
{
    gc_job job[CHILDREN];

    begin(me, "square", CHILDREN, job);
    for (int i = 0; i < CHILDREN; i++) {
        struct gc_result result = {0};

        must(gc_wait(me->g, job[i], &result, GC_FOREVER) == 1);
        /* "then their results are there" */
        must(result.bytes == 1 && *(const char *)result.data == '0' + i * i);
        gc_result_clear(&result);
    }
    say(me, "scope left");
}

static void gatekeeper(struct part *me)
{
    until_waiting(me, chan_of(me, "gate"), 0, CHILDREN);
    say(me, "the gate opens");
    step_done(me, "gate");
}

/* ---- a child that panics ---- */

static void break_or_finish(struct part *me)
{
    must(me->index != 1 && "all but child 1 are whole");
    say(me, "child finished");
}

static void wait_for_panic(struct part *me)
{
    struct gc_result result = {0};
    gc_job job[CHILDREN];

    begin(me, "break_or_finish", CHILDREN, job);
    must(gc_wait(me->g, job[0], NULL, GC_FOREVER) == 1 && gc_wait(me->g, job[2], NULL, GC_FOREVER) == 1);
    must(gc_wait(me->g, job[1], &result, GC_FOREVER) == 0);
    /* "the panic of a child arrives at the wait, with value and stack" */
    must(result.cause == GC_CAUSE_PANIC && strstr(result.text, "all but child 1 are whole"));
    must(strstr(result.text, "break_or_finish"));
    gc_result_clear(&result);
    say(me, "the panic has arrived");
}

/* ---- results in order ---- */

/* Each waits for the one behind it: the last is ready first. */
static void take_turns(struct part *me)
{
    must(gc_counter_wait(me->g, "ready", TASKS - 1 - me->index, NULL, GC_FOREVER) == 0);
    leave_result(me, "%d", me->index + 1);
    say(me, "ready %d", me->index + 1);
    must(gc_counter_add(me->g, "ready", 1, NULL, GC_FOREVER) == 0);
}

static void stream_results(struct part *me)
{
    gc_job job[TASKS];

    begin(me, "take_turns", TASKS, job);
    for (int i = 0; i < TASKS; i++) {
        struct gc_result result = {0};

        must(gc_wait(me->g, job[i], &result, GC_FOREVER) == 1);
        say(me, "delivered %.*s", (int)result.bytes, (const char *)result.data);
        gc_result_clear(&result);
    }
    must(gc_sync_reset(me->g, GC_SYNC_COUNTER, "ready", GC_FOREVER) == 0);
}

static void parent(struct part *me)
{
    leave_with_results(me);
    wait_for_panic(me);
    stream_results(me);
}

static void scope(void)
{
    int delivered = 0;

    /* "the scope is not left before its 3 children have ended" */
    must(said_first("the gate opens") && said_times("child ended") == CHILDREN);
    must(said_before("child ended", "scope left"));
    /* "and its siblings have finished" */
    must(said_times("child finished") == CHILDREN - 1);
    must(said_before("child finished", "the panic has arrived"));
    /* "20 results are delivered in order, 1 to 20, though the last was ready first" */
    must(said_before("ready 20", "ready 1") && said_before("ready 2", "delivered"));
    for (size_t i = 0; i < part_lines.n; i++)
        if (strncmp(part_lines.line[i], "delivered ", 10) == 0)
            must(atoi(part_lines.line[i] + 10) == ++delivered);
    must(delivered == TASKS);
}

GUIDE_PARTS(G54, scope, .channels = {{"gate"}},
            .parts = {PART(parent), PART(gatekeeper), PART_WITH(square, .on_call = true),
                      PART_WITH(break_or_finish, .on_call = true), PART_WITH(take_turns, .on_call = true)});
