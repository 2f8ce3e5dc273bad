/*
 * Error groups: a wait group of the members, a semaphore of the slots, a context, and the first error.
 *
 * Invariants: `active` counts members from before their start until after their function; the context is cancelled
 * after the error is set, and before the member that set it is done. A member that panics is not done, as in a wait
 * group: the panic ends the program or the job before anybody's wait returns (E4, A4).
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "frames.h"
#include "goroutine_sync.h"
#include "launch.h"
#include "waiting.h"

struct errgroup {
    go_waitgroup members;
    go_semaphore slots;
    _Atomic(go_ctx *) ctx;
    _Atomic int active, error;
    bool limited;
};

static_assert(sizeof(struct errgroup) <= sizeof(go_errgroup), "go_errgroup has room for it");

struct member {
    struct errgroup *group;
    int (*fn)(void *);
    void *arg;
};

void go_errgroup_limit(go_errgroup *group, int members_max)
{
    struct errgroup *e = (struct errgroup *)group;

    if (atomic_load(&e->active) > 0)
        go_panic("go_errgroup_limit: %d members are running", atomic_load(&e->active));
    e->limited = members_max >= 0;
    e->slots = (go_semaphore){.size = members_max};
}

go_ctx *go_errgroup_ctx(go_errgroup *group, go_ctx *parent)
{
    struct errgroup *e = (struct errgroup *)group;
    go_ctx *ctx = go_ctx_new(parent), *none = NULL;

    if (!ctx)
        return NULL;
    if (!atomic_compare_exchange_strong(&e->ctx, &none, ctx)) {
        go_ctx_unref(ctx);
        go_panic("go_errgroup_ctx: the group has a context");
    }
    return go_ctx_ref(ctx);
}

/* Only the first counts (E1, E2). */
static void member_failed(struct errgroup *e, int error)
{
    int none = 0;
    go_ctx *ctx = atomic_load(&e->ctx);

    if (atomic_compare_exchange_strong(&e->error, &none, error) && ctx)
        go_ctx_cancel(ctx, error, NULL);
}

/* The last touch of the group is the one that lets its wait return. */
static void slot_leave(struct errgroup *e)
{
    atomic_fetch_sub(&e->active, 1);
    if (e->limited)
        go_semaphore_release(&e->slots, 1);
    go_waitgroup_done(&e->members);
}

static void member_end(void *p)
{
    struct member *m = p;

    if (!unwind_is_panic(g_self()))
        slot_leave(m->group);
    free(m);
}

static void member_run(void *p)
{
    struct member *m = p;
    int error;

    go_defer(member_end, m);
    error = m->fn(m->arg);
    if (error)
        member_failed(m->group, error);
}

int go_errgroup_go(go_errgroup *group, int (*fn)(void *arg), const void *arg, size_t arg_bytes,
                   go_until until)
{
    struct errgroup *e = (struct errgroup *)group;
    struct member *m;
    void *copy;
    int r;

    if (arg_bytes > GO_ARG_BYTES_MAX)
        return -EINVAL;
    r = e->limited ? go_semaphore_acquire(&e->slots, 1, until) : until_over(g_self(), until);
    if (r < 0)
        return r;
    atomic_fetch_add(&e->active, 1);
    go_waitgroup_add(&e->members, 1);
    m = arg_block(sizeof *m, arg, arg_bytes, &copy);
    r = -ENOMEM;
    if (m) {
        *m = (struct member){.group = e, .fn = fn, .arg = copy};
        r = spawn_for(member_run, m, "go_errgroup_go", __builtin_return_address(0));
    }
    if (r < 0) {
        free(m);
        slot_leave(e);
    }
    return r;
}

int go_errgroup_wait(go_errgroup *group)
{
    struct errgroup *e = (struct errgroup *)group;
    go_ctx *ctx;
    int error;

    go_waitgroup_wait(&e->members);
    ctx = atomic_exchange(&e->ctx, NULL);
    error = atomic_load(&e->error);
    if (ctx)
        go_ctx_cancel(ctx, error, NULL);
    go_ctx_unref(ctx);
    return error;
}
