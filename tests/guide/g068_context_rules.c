/*
 * G68 How contexts are used: who waits takes one as its last argument, who makes one lets go of it, and one that is never
 * cancelled is found by those it keeps waiting.
 *
 * Pattern: rules of contexts. A context ends with its last holder; a timer for its deadline with it.
 */
#include "goroutine_inspect.h"
#include "guide.h"

enum { HOUR_MS = 3600000, STEPS = 1000 };

static const char key[] = "key";

/* The context comes first among what a function needs to know, and is handed on; how long to wait is said last. */
static int fetch(go_ctx *ctx, go_chan *answers, int *answer)
{
    return go_chan_recv(answers, answer, go_both(go_after_ms(HOUR_MS), ctx));
}

static void nothing(void *unused)
{
}

/* Every way to make a context or a timer, each let go of. */
static void make_all(void)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_ctx *deadline = go_ctx_with_deadline(ctx, go_after_ms(HOUR_MS));
    go_ctx *cause = go_ctx_with_deadline_cause(deadline, go_after_ms(HOUR_MS), -EIO, "late");
    go_ctx *value = go_ctx_with_value(cause, key, NULL, NULL), *detached = go_ctx_without_cancel(value);
    go_ctx_func *later = go_ctx_after_func(value, nothing, NULL);
    go_timer *timer = go_timer_new(INT64_C(1000000) * HOUR_MS), *ticker = go_ticker_new(1000000);
    go_chan *answers = go_chan_new(sizeof(int), 1);
    int answer = 42;

    must(go_chan_send(answers, &answer, go_with(value)) == 0);
    must(fetch(value, answers, &answer) == 1 && answer == 42);
    must(go_ctx_func_stop(later) == 1);
    go_chan_unref(answers);
    go_timer_unref(ticker);
    go_timer_unref(timer);
    go_ctx_unref(detached);
    go_ctx_unref(value);
    go_ctx_unref(cause);
    go_ctx_unref(deadline);
    go_ctx_unref(ctx);
}

static int64_t in_use(void)
{
    struct go_memory memory;

    go_memory_read(&memory);
    return (int64_t)(memory.allocations - memory.frees);
}

static void nothing_is_left(void)
{
    int64_t before = in_use();

    for (int i = 0; i < STEPS; i++)
        make_all();
    /* "after each example no context and no timer is left" */
    must(guide_is_job() ||
         in_use() - before < STEPS); /* less than one a time; the runtime keeps some for itself */
}

static void wait_for_end(void *ctx)
{
    go_ctx_wait(ctx, GO_FOREVER);
    go_ctx_unref(ctx);
}

static int find_waiter(const struct go_info *info, void *place)
{
    if (info->state == GO_STATE_PARKED && strcmp(info->reason, "context") == 0)
        *(const char **)place = info->site->function;
    return 0;
}

static void never_cancelled(void)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    const char *place = "nobody";

    must(go_spawn(wait_for_end, go_ctx_ref(ctx), 0) == 0);
    until_parked(1, "context");
    go_each(go_group_current(), find_waiter, &place);
    say("%s waits for a context", place);
    /* "a context that is never cancelled is found by who waits for it" */
    must(said(LINES("wait_for_end waits for a context")));
    go_ctx_cancel(ctx, 0, NULL);
    until_live(1);
    go_ctx_unref(ctx);
}

static void context_rules(void)
{
    /* "every public function that waits takes an until, as its last argument": waits.py */
    /* "who makes a context lets go of it": waits.py, too */
    nothing_is_left();
    never_cancelled();
}

GUIDE_ROW(G68, context_rules);
