/*
 * G59 The root of all contexts: it never ends, and carries nothing.
 *
 * Pattern: a tree of contexts begins somewhere. What nobody can cancel needs no care.
 */
#include <malloc.h>

#include "guide.h"

enum { CHILDREN = 1000, CHILD_BYTES_MAX = 4096 };

static const char user_key[] = "user";

static void carries_nothing(go_ctx *root)
{
    struct go_case done[] = {GO_DONE(root)};

    /* "it is never done" */
    must(go_ctx_wait(root, GO_NOW) == -EAGAIN);
    must(go_select(done, 1, GO_NOW) == -EAGAIN);
    /* "it has no deadline" */
    must(go_ctx_deadline_ns(root) == GO_NS_FOREVER);
    /* "it has no error and no cause" */
    must(go_ctx_err(root) == 0 && go_ctx_cause(root).code == 0);
    /* "it has no value" */
    must(!go_ctx_value(root, user_key));
}

static void costs_nothing_as_parent(go_ctx *root)
{
    static go_ctx *children[CHILDREN];
    size_t before = mallinfo2().uordblks;
    int64_t live = go_live();

    for (int i = 0; i < CHILDREN; i++) {
        children[i] = go_ctx_new(root);
        must(children[i]);
    }
    /* "as a parent it costs nothing: there is one for the program, no goroutine runs for its children" */
    must(go_ctx_background() == root && go_ctx_ref(root) == root);
    must(guide_is_job() || go_live() == live); /* other jobs start some, too */
    go_ctx_cancel(children[0], 0, NULL);
    /* "and when they end nothing of them stays with it" */
    must(go_ctx_err(root) == 0 && go_ctx_err(children[1]) == 0);
    for (int i = 0; i < CHILDREN; i++)
        go_ctx_unref(children[i]);
    must(guide_is_job() || mallinfo2().uordblks < before + CHILD_BYTES_MAX);
}

static void root_context(void)
{
    go_ctx *root = go_ctx_background();

    carries_nothing(root);
    costs_nothing_as_parent(root);
    carries_nothing(root);
    say("error %d after %d children", go_ctx_err(root), CHILDREN);
    go_ctx_unref(root); /* does nothing */
    carries_nothing(root);
}

GUIDE_ROW(G59, root_context);
