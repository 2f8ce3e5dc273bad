/*
 * Contexts. B makes the one that A cancels, asks about or watches; whoever made one drops it, so that the daemon is as it
 * was. The parked watch that mirrors a context in its client is a CTX_WATCH like any other, so that the scene of that verb
 * opens its context within the call.
 */
#include <errno.h>
#include <stdio.h>

#include "cell.h"
#include "goclient_context.h"
#include "probe.h"

static struct gc_context_options named(const char *name, unsigned flags)
{
    return (struct gc_context_options){
        .size = sizeof(struct gc_context_options), .name = name, .flags = flags};
}

static void make(struct cell *cell, int who, const char *name, unsigned flags)
{
    struct gc_context_options options = named(name, flags);

    CELL_MUST(cell, gc_context_derive(cell->g[who], NULL, &options, &cell->ctx[who], GC_FOREVER) == 0);
}

static void let_go(struct cell *cell)
{
    for (int who = 0; who < WHO_N; who++)
        cell->ctx[who] = gc_ctx_free(cell->ctx[who]);
}

/* ---- made ---- */

static void prepare_none(struct cell *cell)
{
}

static int new_call(struct cell *cell, int who)
{
    char name[80];

    snprintf(name, sizeof(name), "%s.%d", cell->object, who);
    struct gc_context_options options = named(name, 0);
    return gc_context_derive(cell->g[who], NULL, &options, &cell->ctx[who], GC_FOREVER);
}

static int count(struct cell *cell, int who)
{
    struct gc_context_page page;
    int n = gc_contexts(cell->g[who], cell->object, NULL, 0, &page, GC_FOREVER);

    gc_context_page_clear(&page);
    return n;
}

static void check_made(struct cell *cell)
{
    for (int who = 0; who < cell->calls; who++) {
        CELL_MUST(cell, cell->status[who] == 0);
        CELL_MUST(cell, !gc_ctx_done(cell->ctx[who]));
    }
    CELL_MUST(cell, count(cell, WHO_B) == cell->calls);
    let_go(cell);
}

/* ---- cancelled ---- */

static void prepare_named(struct cell *cell)
{
    make(cell, WHO_B, cell->object, 0);
    CELL_MUST(cell, gc_context_open(cell->g[WHO_A], cell->object, &cell->ctx[WHO_A], GC_FOREVER) == 0);
}

static int cancel_call(struct cell *cell, int who)
{
    return gc_context_cancel(cell->ctx[who], who + 1, "by one", GC_FOREVER);
}

/* One of them ended it, and both know who. */
static void check_cancelled(struct cell *cell)
{
    struct gc_context_cause why[WHO_N];

    CELL_MUST(cell, cell->status[WHO_A] + cell->status[WHO_B] == 1);
    for (int who = 0; who < WHO_N; who++) {
        CELL_MUST(cell, gc_context_wait(cell->ctx[who], GC_FOREVER) == 0);
        CELL_MUST(cell, gc_context_cause(cell->ctx[who], &why[who]) == 1);
        CELL_MUST(cell, why[who].code == (cell->status[WHO_A] ? WHO_A : WHO_B) + 1);
    }
    let_go(cell);
}

/* ---- dropped ---- */

static void prepare_mine(struct cell *cell)
{
    make(cell, WHO_A, cell->object, 0);
}

static int drop_call(struct cell *cell, int who)
{
    return gc_context_drop(cell->ctx[who], GC_FOREVER);
}

static void check_dropped(struct cell *cell)
{
    gc_ctx *none;

    CELL_MUST(cell, cell->status[WHO_A] == 0);
    CELL_MUST(cell, gc_context_open(cell->g[WHO_B], cell->object, &none, GC_FOREVER) == -ENOENT);
    CELL_MUST(cell, gc_ctx_done(cell->ctx[WHO_A]));
    let_go(cell);
}

/* ---- asked about ---- */

static int info_call(struct cell *cell, int who)
{
    struct gc_context_info info;
    int r = gc_context_info(cell->ctx[who], &info, GC_FOREVER);

    CELL_MUST(cell, r < 0 || (info.id == gc_context_id(cell->ctx[WHO_B]) && info.status == 0));
    return r;
}

static int list_call(struct cell *cell, int who)
{
    int n = count(cell, who);

    return n == 1 ? 0 : n < 0 ? n : -EBADMSG;
}

static void check_asked(struct cell *cell)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == 0);
    let_go(cell);
}

/* ---- watched ---- */

static void prepare_detached(struct cell *cell)
{
    make(cell, WHO_B, cell->object, GC_CONTEXT_DETACHED);
    let_go(cell);
}

static int watch_call(struct cell *cell, int who)
{
    int r = gc_context_open(cell->g[who], cell->object, &cell->ctx[who], GC_FOREVER);

    if (r == 0)
        r = gc_context_wait(cell->ctx[who], GC_FOREVER);
    CELL_MUST(cell, r < 0 || gc_ctx_done(cell->ctx[who]));
    return r;
}

static void end_it(struct cell *cell, int i)
{
    gc_ctx *ctx;

    if (i)
        return;
    CELL_MUST(cell, gc_context_open(cell->g[WHO_B], cell->object, &ctx, GC_FOREVER) == 0);
    CELL_MUST(cell, gc_context_cancel(ctx, 0, "enough", GC_FOREVER) == 1);
    gc_ctx_free(ctx);
}

static void check_watched(struct cell *cell)
{
    struct gc_context_cause why;

    for (int who = 0; who < cell->calls; who++) {
        CELL_MUST(cell, cell->status[who] == 0);
        CELL_MUST(cell, gc_context_cause(cell->ctx[who], &why) == 1 && strcmp(why.text, "enough") == 0);
    }
    CELL_MUST(cell, gc_context_drop(cell->ctx[WHO_A], GC_FOREVER) == 0);
    let_go(cell);
}

/* ---- with children, of A and of B ---- */

static int child_call(struct cell *cell, int who)
{
    struct gc_context_options options = named(NULL, 0);

    options.parent_name = cell->object;
    return gc_context_derive(cell->g[who], NULL, &options, &cell->below[who], GC_FOREVER);
}

static void make_children(struct cell *cell)
{
    for (int who = 0; who < WHO_N; who++)
        CELL_MUST(cell, child_call(cell, who) == 0);
}

static void prepare_family(struct cell *cell)
{
    prepare_named(cell);
    make_children(cell);
}

static void prepare_my_family(struct cell *cell)
{
    prepare_mine(cell);
    make_children(cell);
}

static void let_children_go(struct cell *cell)
{
    for (int who = 0; who < WHO_N; who++)
        cell->below[who] = gc_ctx_free(cell->below[who]);
}

static void let_family_go(struct cell *cell)
{
    let_children_go(cell);
    let_go(cell);
}

/* X1: what is below ended with it, by the same cause. */
static void check_children_over(struct cell *cell, uint64_t origin, int code)
{
    struct gc_context_cause why;

    for (int who = 0; who < WHO_N; who++) {
        CELL_MUST(cell, gc_context_wait(cell->below[who], GC_FOREVER) == 0);
        CELL_MUST(cell, gc_context_cause(cell->below[who], &why) == 1);
        CELL_MUST(cell, why.origin == origin && why.code == code);
    }
}

static void check_family_cancelled(struct cell *cell)
{
    int winner = cell->status[WHO_A] == 1 ? WHO_A : WHO_B;

    check_children_over(cell, gc_context_id(cell->ctx[WHO_B]), winner + 1);
    let_children_go(cell);
    check_cancelled(cell);
}

static void check_family_dropped(struct cell *cell)
{
    check_children_over(cell, gc_context_id(cell->ctx[WHO_A]), -ECANCELED);
    let_children_go(cell);
    check_dropped(cell);
}

static uint64_t children(struct cell *cell)
{
    struct gc_context_info info;

    CELL_MUST(cell, gc_context_info(cell->ctx[WHO_B], &info, GC_FOREVER) == 0);
    return info.children;
}

static void prepare_parent(struct cell *cell)
{
    make(cell, WHO_B, cell->object, 0);
}

static void check_born(struct cell *cell)
{
    for (int who = 0; who < cell->calls; who++) {
        CELL_MUST(cell, cell->status[who] == 0);
        CELL_MUST(cell, !gc_ctx_done(cell->below[who]));
    }
    CELL_MUST(cell, children(cell) == (uint64_t)cell->calls);
    let_family_go(cell);
}

static int family_call(struct cell *cell, int who)
{
    struct gc_context_info info;
    int r = gc_context_info(cell->ctx[who], &info, GC_FOREVER);

    CELL_MUST(cell, r < 0 || (info.children == WHO_N && info.status == 0));
    return r;
}

static void check_family(struct cell *cell)
{
    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == 0);
    let_family_go(cell);
}

/* ---- the end of a child, awaited: its parent is cancelled ---- */

enum { PARENT, CHILD };

static const char *child_name(const struct cell *cell)
{
    static _Thread_local char name[sizeof(cell->object) + 8];

    snprintf(name, sizeof(name), "%s.child", cell->object);
    return name;
}

/* Nobody mirrors them, so that what waits is A's call alone. */
static void prepare_line(struct cell *cell)
{
    struct gc_context_options options = named(child_name(cell), GC_CONTEXT_DETACHED);

    options.parent_name = cell->object;
    make(cell, WHO_B, cell->object, GC_CONTEXT_DETACHED);
    CELL_MUST(cell, gc_context_derive(cell->g[WHO_B], NULL, &options, &cell->below[WHO_B], GC_FOREVER) == 0);
    cell->context[PARENT] = gc_context_id(cell->ctx[WHO_B]);
    cell->context[CHILD] = gc_context_id(cell->below[WHO_B]);
    let_family_go(cell);
    probe_await(cell->g[WHO_B], "ops.parked", 0);
}

static void drop_line(struct cell *cell)
{
    for (int i = 0; i < WHO_N; i++) {
        gc_ctx *ctx;

        CELL_MUST(cell, gc_context_of(cell->g[WHO_B], cell->context[i], &ctx, GC_FOREVER) == 0);
        CELL_MUST(cell, gc_context_drop(ctx, GC_FOREVER) == 0);
        gc_ctx_free(ctx);
    }
}

static int watch_child_call(struct cell *cell, int who)
{
    int r = gc_context_open(cell->g[who], child_name(cell), &cell->ctx[who], GC_FOREVER);

    return r < 0 ? r : gc_context_wait(cell->ctx[who], GC_FOREVER);
}

static void check_child_watched(struct cell *cell)
{
    struct gc_context_cause why;

    for (int who = 0; who < cell->calls; who++) {
        CELL_MUST(cell, cell->status[who] == 0);
        CELL_MUST(cell, gc_context_cause(cell->ctx[who], &why) == 1 && strcmp(why.text, "enough") == 0);
        CELL_MUST(cell, why.origin == cell->context[PARENT]);
    }
    let_go(cell);
    drop_line(cell);
}

static void prepare_select(struct cell *cell)
{
    prepare_line(cell);
    for (int who = 0; who < WHO_N; who++)
        CELL_MUST(cell, gc_make(cell->g[who], cell->object, 0, &cell->chan[who], GC_FOREVER) == 0);
}

static int select_call(struct cell *cell, int who)
{
    struct gc_value v;
    struct gc_case cases[] = {gc_case_recv(cell->chan[who], &v), gc_case_of(GC_CASE_CONTEXT, GC_NIL)};

    cases[1].job.id = cell->context[CHILD];
    int r = gc_select(cell->g[who], cases, 2, 0, GC_FOREVER);
    CELL_MUST(cell, r < 0 || cases[1].status == 1);
    return r;
}

/* S4: the channel was left alone. */
static void check_selected(struct cell *cell)
{
    struct gc_chan_info info;

    for (int who = 0; who < cell->calls; who++)
        CELL_MUST(cell, cell->status[who] == 1);
    CELL_MUST(cell, gc_chan_info(cell->g[WHO_B], cell->chan[WHO_B], &info, GC_FOREVER) == 0);
    CELL_MUST(cell, !info.sent && !info.received && !info.senders && !info.receivers);
    drop_line(cell);
}

const struct scene scenes_context[] = {
    {"ctx_new", "alone", VERB_CTX_NEW, prepare_none, new_call, NULL, check_made, true},
    {"ctx_cancel", "named", VERB_CTX_CANCEL, prepare_named, cancel_call, NULL, check_cancelled, true},
    {"ctx_drop", "mine", VERB_CTX_DROP, prepare_mine, drop_call, NULL, check_dropped, false},
    {"ctx_info", "named", VERB_CTX_INFO, prepare_named, info_call, NULL, check_asked, true},
    {"ctx_list", "one", VERB_CTX_LIST, prepare_named, list_call, NULL, check_asked, true},
    {"ctx_watch", "detached", VERB_CTX_WATCH, prepare_detached, watch_call, end_it, check_watched, true},
    {"ctx_new", "child", VERB_CTX_NEW, prepare_parent, child_call, NULL, check_born, true},
    {"ctx_cancel", "parent", VERB_CTX_CANCEL, prepare_family, cancel_call, NULL, check_family_cancelled,
     true},
    {"ctx_drop", "parent", VERB_CTX_DROP, prepare_my_family, drop_call, NULL, check_family_dropped, false},
    {"ctx_info", "parent", VERB_CTX_INFO, prepare_family, family_call, NULL, check_family, true},
    {"ctx_watch", "child", VERB_CTX_WATCH, prepare_line, watch_child_call, end_it, check_child_watched, true},
    {"select", "context", VERB_SELECT, prepare_select, select_call, end_it, check_selected, true},
    {0},
};
