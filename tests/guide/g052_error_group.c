/*
 * G52 Five goroutines work on one thing; the first error stops the others, and is the error of the whole.
 *
 * Pattern: error group.
 */
#include "goroutine_sync.h"
#include "guide.h"

enum { MEMBERS = 5, FAILING = 3, AT_ONCE = 2 };

struct member {
    int id;
    go_ctx *ctx;
    struct gate *gate; /* passed by the one that fails */
};

static int work(void *arg)
{
    const struct member *me = arg;

    if (me->id == FAILING) {
        gate_pass(me->gate);
        say("member %d failed", me->id);
        return -EIO;
    }
    must(go_ctx_wait(me->ctx, GO_FOREVER) == 0);
    say("member %d was cancelled", me->id);
    return go_ctx_err(me->ctx);
}

static void one_fails(void)
{
    go_errgroup group = {0};
    go_ctx *ctx = go_errgroup_ctx(&group, go_ctx_background());
    struct gate gate = {0};

    for (int id = 1; id <= MEMBERS; id++)
        must(go_errgroup_go(&group, work, &((struct member){id, ctx, &gate}), sizeof(struct member),
                            GO_FOREVER) == 0);
    gate_open(&gate);
    /* "the first error, that of member 3, is the result" */
    must(go_errgroup_wait(&group) == -EIO);
    say("all have ended");
    /* "the others saw the context end" */
    must(said_in_any_order(LINES("member 3 failed", "member 1 was cancelled", "member 2 was cancelled",
                                 "member 4 was cancelled", "member 5 was cancelled", "all have ended")));
    must(go_ctx_err(ctx) == -ECANCELED && go_ctx_cause(ctx).code == -EIO);
    /* "the wait returns after all 5 have ended" */
    must(said_first("member 3 failed") && said_last("all have ended"));
    go_ctx_unref(ctx);
}

struct limited {
    struct gate gate;
    struct peak at_work;
};

static int work_limited(void *arg)
{
    struct limited *work = arg;

    peak_enter(&work->at_work);
    gate_pass(&work->gate);
    peak_leave(&work->at_work);
    return 0;
}

struct starter {
    go_errgroup *group;
    struct limited *work;
};

static void start_all(void *arg)
{
    const struct starter *me = arg;

    for (int id = 1; id <= MEMBERS; id++)
        must(go_errgroup_go(me->group, work_limited, me->work, 0, GO_FOREVER) == 0);
}

static void two_at_once(void)
{
    go_errgroup group = {0};
    struct limited work = {0};

    go_errgroup_limit(&group, AT_ONCE);
    must(go_spawn(start_all, &((struct starter){&group, &work}), sizeof(struct starter)) == 0);
    gate_until(&work.gate, AT_ONCE);
    until_live(1 + AT_ONCE + 1); /* us, the members and the starter, which waits */
    must(go_errgroup_go(&group, work_limited, &work, 0, GO_NOW) == -EAGAIN);
    gate_open(&work.gate);
    until_live(1);
    /* "when all succeed there is no error" */
    must(go_errgroup_wait(&group) == 0);
    /* "with a limit of 2, 2 run at once and never 3" */
    must(atomic_load(&work.at_work.most) == AT_ONCE);
}

static void error_group(void)
{
    one_fails();
    two_at_once();
}

GUIDE_ROW(G52, error_group);
