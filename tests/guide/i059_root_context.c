/*
 * G59 between processes: the root of all contexts is no context at all, so it never ends, and carries nothing.
 *
 * Pattern: a tree of contexts begins somewhere. What nobody can cancel needs no care.
 */
#include <dirent.h>

#include "goclient_context.h"
#include "parts.h"

enum { PARENTS = 3, CHILDREN = 200 };

static gc_ctx *const root = NULL;

static void carries_nothing(struct part *me, gc_ctx *child)
{
    struct gc_context_cause cause;
    struct gc_context_info info;
    struct gc_value v = {0};

    /* "it is never done" */
    must(gc_context_wait(child, GC_NOW) == -EAGAIN);
    must(gc_ping(me->g, gc_with(root)) == 0);
    must(gc_context_info(child, &info, GC_FOREVER) == 0 && info.parent == 0);
    /* "it has no deadline" */
    must(info.left_ns == 0);
    /* "it has no error and no cause" */
    must(gc_context_cause(child, &cause) == 0 && cause.status == 0 && cause.code == 0);
    /* "it has no value" */
    must(gc_context_value(child, "user", &v, GC_FOREVER) == 0);
}

static int threads(void)
{
    DIR *all = opendir("/proc/self/task");
    int n = 0;

    must(all != NULL);
    while (readdir(all))
        n++;
    closedir(all);
    return n;
}

/* Looks while everybody waits for everybody. */
static void meet_and_look(struct part *me, const char *where, uint64_t contexts)
{
    if (gc_barrier_wait(me->g, where, PARENTS, GC_FOREVER) == GC_BARRIER_LAST)
        say(me, "%s: %llu contexts", where, (unsigned long long)stat_of(me, "contexts"));
    must(gc_barrier_wait(me->g, "looked", PARENTS, GC_FOREVER) >= 0);
    must(contexts == 0 || stat_of(me, "contexts") == contexts);
    must(gc_barrier_wait(me->g, "on", PARENTS, GC_FOREVER) >= 0);
}

static void parent(struct part *me)
{
    gc_ctx *child[CHILDREN];
    int before;

    must(gc_context_derive(me->g, root, NULL, &child[0], GC_FOREVER) == 0);
    carries_nothing(me, child[0]);
    before = threads();
    for (int i = 1; i < CHILDREN; i++)
        must(gc_context_derive(me->g, root, NULL, &child[i], GC_FOREVER) == 0);
    /* "as a parent it costs nothing: there is one for the program, no goroutine runs for its children" */
    must(me->is_job || threads() == before); /* a host starts some for others, too */
    meet_and_look(me, "made", PARENTS * CHILDREN);
    must(gc_context_cancel(child[0], 0, NULL, GC_FOREVER) == 1);
    carries_nothing(me, child[1]);
    for (int i = 0; i < CHILDREN; i++)
        gc_ctx_free(child[i]);
    must(gc_ping(me->g, GC_FOREVER) == 0); /* the daemon has heard of it */
    meet_and_look(me, "freed", 0);
}

static void root_context(void)
{
    /* "and when they end nothing of them stays with it" */
    must(said(LINES("made: 600 contexts", "freed: 0 contexts")));
}

GUIDE_PARTS(G59, root_context, .parts = {PARTS(PARENTS, parent)});
