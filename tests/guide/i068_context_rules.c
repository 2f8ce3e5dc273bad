/*
 * G68 between processes: who waits takes a context as its last argument, who makes one lets go of it, and one that is never
 * cancelled is found by those it keeps waiting.
 *
 * Pattern: rules of contexts.
 */
#include "goclient_context.h"
#include "goclient_inspect.h"
#include "parts.h"

enum { HOUR_MS = 3600000, STEPS = 50 };

static void nothing(void *unused)
{
    (void)unused;
}

/* Every way to make a context or a timer, each let go of. */
static void make_all(struct part *me)
{
    gc_ctx *plain, *deadline, *value, *detached;
    gc_context_func *later;
    struct gc_value v = {0};

    must(gc_context_new(me->g, &plain, GC_FOREVER) == 0);
    must(gc_context_with_timeout(me->g, plain, HOUR_MS, &deadline, GC_FOREVER) == 0);
    must(gc_context_with_value(me->g, deadline, "key", gc_string("42"), &value, GC_FOREVER) == 0);
    must(gc_context_without_cancel(me->g, value, &detached, GC_FOREVER) == 0);
    later = gc_context_after_func(value, nothing, NULL);
    must(gc_context_value(detached, "key", &v, gc_with(value)) == 1 && number_of(&v) == 42);
    gc_value_clear(&v);
    must(gc_context_func_stop(later));
    must(gc_context_drop(detached, GC_FOREVER) == 0);
    gc_ctx_free(detached);
    gc_ctx_free(value);
    gc_ctx_free(deadline);
    gc_ctx_free(plain);
}

static void maker(struct part *me)
{
    for (int i = 0; i < STEPS; i++)
        make_all(me);
    send_text(me, chan_of(me, "ended"), "made");
}

static void forgetful(struct part *me)
{
    struct gc_context_options options = {.size = sizeof options, .name = "forgotten"};
    gc_ctx *ctx;

    must(gc_context_derive(me->g, NULL, &options, &ctx, GC_FOREVER) == 0);
    must(gc_context_wait(ctx, GC_FOREVER) == 0);
    say(me, "told at last");
    gc_ctx_free(ctx);
    send_text(me, chan_of(me, "ended"), "told");
}

/* "a context that is never cancelled is found by who waits for it" */
static void find_waiter(struct part *me)
{
    struct gc_parked_page page = {.n = 0};
    size_t row;

    do {
        gc_parked_page_clear(&page);
        must(gc_parked(me->g, NULL, &page, GC_FOREVER) >= 0);
        for (row = 0; row < page.n && strcmp(page.items[row].kind, "context") != 0; row++)
            continue;
    } while (row == page.n);
    say(me, "somebody waits for: %s", page.items[row].reason);
    gc_parked_page_clear(&page);
}

static void finder(struct part *me)
{
    gc_chan ended = chan_of(me, "ended");
    char text[TEXT_BYTES];
    gc_ctx *ctx;

    must(recv_text(me, ended, text)); /* the maker is done */
    find_waiter(me);
    must(gc_context_open(me->g, "forgotten", &ctx, GC_FOREVER) == 0);
    must(gc_context_cancel(ctx, 0, NULL, GC_FOREVER) == 1);
    gc_ctx_free(ctx);
    must(recv_text(me, ended, text));
    /* "after each example no context and no timer is left" */
    while (stat_of(me, "contexts") > 0)
        continue;
    say(me, "no context is left");
}

static void context_rules(void)
{
    /* "every public function that waits takes an until, as its last argument": waits.py */
    /* "who makes a context lets go of it": waits.py, too */
    must(said(LINES("somebody waits for: end of a context", "told at last", "no context is left")));
}

GUIDE_PARTS(G68, context_rules, .channels = {{"ended"}},
            .parts = {PART(maker), PART(forgetful), PART(finder)});
