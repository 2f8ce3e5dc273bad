/*
 * Error groups: a wait group of the members, a semaphore of the slots, a context, and the first error.
 *
 * Invariants: `active` counts members from before their start until after their function; the context is
 * cancelled after the error is set, and before the member that set it is done. The group holds it until its
 * wait is over, by whatever way, and each member until it ends: a wait that is unwound leaves members behind. A
 * member whose panic ends the program is not done, as in a wait group: nobody's wait returns before that (A4).
 * In a job the panic is kept for the wait before the member is done (E4).
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "frames.h"
#include "goroutine_sync.h"
#include "group.h"
#include "launch.h"
#include "waiting.h"

enum { STACK_TEXT_BYTES = 8192 };

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
    go_ctx *ctx; /* the group's; NULL: none */
    int (*fn)(void *);
    void *arg;
    const char *panic; /* the goroutine's own, until its next panic */
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
static void member_failed(const struct member *m, int error, const char *text)
{
    struct errgroup *e = m->group;
    go_ctx *ctx = m->ctx;
    int none = 0;

    if (atomic_compare_exchange_strong(&e->error, &none, error) && ctx)
        go_ctx_cancel(ctx, error, text);
}

/* The last touch of the group is the one that lets its wait return. */
static void slot_leave(struct errgroup *e)
{
    atomic_fetch_sub(&e->active, 1);
    if (e->limited)
        go_semaphore_release(&e->slots, 1);
    go_waitgroup_done(&e->members);
}

static void member_free(struct member *m)
{
    if (m)
        go_ctx_unref(m->ctx);
    free(m);
}

static void member_end(void *p)
{
    struct member *m = p;

    if (!unwind_is_panic(g_self()))
        slot_leave(m->group);
    member_free(m);
}

static void member_work(struct member *m)
{
    int error = m->fn(m->arg);

    if (error)
        member_failed(m, error, NULL);
}

static void member_recovers(void *p)
{
    struct member *m = p;

    m->panic = go_recover();
}

static void member_frame(void *p)
{
    go_defer(member_recovers, p);
    member_work(p);
}

/* Without memory for it the job ends at once, as by any other panic. */
static void panic_keep(struct member *m)
{
    struct g *g = g_self();
    struct kept_panic *panic = calloc(1, sizeof *panic);

    if (!panic)
        go_panic("%s", m->panic);
    list_init(&panic->link);
    panic->owner = m->group;
    panic->who = go_id();
    panic->text = strdup(m->panic);
    panic->stack = malloc(STACK_TEXT_BYTES);
    if (panic->stack)
        panic_recovered_stack(g, panic->stack, STACK_TEXT_BYTES);
    group_panic_keep(g->group, panic);
    member_failed(m, -ECANCELED, m->panic);
}

static void member_run(void *p)
{
    struct member *m = p;

    go_defer(member_end, m);
    if (!group_takes_panics(g_self()))
        member_work(m);
    else if (go_call(member_frame, m) == 1)
        panic_keep(m);
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
        go_ctx *ctx = atomic_load(&e->ctx);

        *m = (struct member){.group = e, .ctx = ctx ? go_ctx_ref(ctx) : NULL, .fn = fn, .arg = copy};
        r = spawn_for(member_run, m, "go_errgroup_go", __builtin_return_address(0));
    }
    if (r < 0) {
        member_free(m);
        slot_leave(e);
    }
    return r;
}

DEFINE_CLEANUP(struct kept_panic *, kept_panic_delete)

static void panic_tell(const struct errgroup *e)
{
    struct go_group *job = g_self()->group;
    _cleanup_(kept_panic_deletep) struct kept_panic *panic = job ? group_panic_take(job, e) : NULL;

    if (panic)
        go_panic("%s\n[panic of goroutine %llu in the group]\n%s", panic->text ? panic->text : "",
                 (unsigned long long)panic->who, panic->stack ? panic->stack : "");
}

/* When the wait returns, panics or is unwound. */
static void ctx_give_back(struct errgroup **waited)
{
    struct errgroup *e = *waited;
    go_ctx *ctx = atomic_exchange(&e->ctx, NULL);
    int error = atomic_load(&e->error);

    if (ctx)
        go_ctx_cancel(ctx, error, NULL);
    go_ctx_unref(ctx);
}

int go_errgroup_wait(go_errgroup *group)
{
    _cleanup_(ctx_give_back) struct errgroup *e = (struct errgroup *)group;

    go_waitgroup_wait(&e->members);
    panic_tell(e);
    return atomic_load(&e->error);
}
