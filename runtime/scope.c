/*
 * Scopes: goroutines that end before the call that started them. The scope lies on the stack of that call; it is a frame
 * whose first deferred function, which runs last, waits for the children: however its body ends, nobody gets past it.
 *
 * Invariants: a child touches the scope last where it leaves the wait group; the first panic is written by the child that
 * `panicked` has chosen, before it leaves, and read after all have.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "goroutine_sync.h"
#include "group.h"
#include "launch.h"
#include "scope.h"
#include "sync.h"
#include "waiting.h"

enum { STACK_TEXT_BYTES = 8192 };

struct go_scope {
    go_waitgroup children;
    go_ctx *ctx;
    int (*body)(go_scope *, void *);
    void *arg;
    int result;
    bool returned, told; /* the owner's */
    _Atomic bool panicked;
    uint64_t who;
    char *text, *stack; /* NULL: no memory */
};

struct child {
    go_scope *scope;
    void (*fn)(void *);
    void *arg;
    const char *panic; /* the goroutine's own, until its next panic */
};

/* ---- a child ---- */

static void child_recovers(void *p)
{
    struct child *c = p;

    c->panic = go_recover();
}

static void child_frame(void *p)
{
    struct child *c = p;

    go_defer(child_recovers, c);
    c->fn(c->arg);
}

static void panic_keep(go_scope *s, const char *text)
{
    if (atomic_exchange(&s->panicked, true))
        return;
    s->who = go_id();
    s->text = strdup(text);
    s->stack = malloc(STACK_TEXT_BYTES);
    if (s->stack)
        panic_recovered_stack(g_self(), s->stack, STACK_TEXT_BYTES);
}

/* After a panic that nobody may recover the program ends, and its owner must not get past it; a job ends all its
 * goroutines, and its owner must. */
static void child_end(void *p)
{
    struct child *c = p;
    const struct g *g = g_self();

    if (!unwind_is_panic(g) || g->group)
        go_waitgroup_done(&c->scope->children);
    free(c);
}

static void child_run(void *p)
{
    struct child *c = p;

    go_defer(child_end, c);
    if (go_call(child_frame, c) == 1)
        panic_keep(c->scope, c->panic);
}

int scope_spawn(go_scope *s, void (*fn)(void *arg), const void *arg, size_t arg_bytes, const char *name,
                void *pc)
{
    struct child *c;
    void *copy;
    int r;

    if (arg_bytes > GO_ARG_BYTES_MAX)
        return -EINVAL;
    c = arg_block(sizeof *c, arg, arg_bytes, &copy);
    if (!c)
        return -ENOMEM;
    *c = (struct child){.scope = s, .fn = fn, .arg = copy};
    go_waitgroup_add(&s->children, 1);
    r = spawn_for(child_run, c, name, pc);
    if (r == 0)
        return 0;
    go_waitgroup_done(&s->children);
    free(c);
    return r;
}

int go_scope_spawn(go_scope *s, void (*fn)(void *arg), const void *arg, size_t arg_bytes)
{
    return scope_spawn(s, fn, arg, arg_bytes, "go_scope_spawn", __builtin_return_address(0));
}

go_ctx *go_scope_ctx(const go_scope *s)
{
    return s->ctx;
}

/* ---- the owner ---- */

/* All children have ended. Whether one has panicked, and nobody was told yet. */
static bool panic_tell(go_scope *s, struct go_scope_panic *panic)
{
    if (!atomic_load(&s->panicked) || s->told)
        return false;
    s->told = true;
    panic->goroutine = s->who;
    panic->text = s->text ? s->text : "";
    panic->stack = s->stack ? s->stack : "";
    return true;
}

static void __attribute__((noreturn)) panic_again(const struct go_scope_panic *panic)
{
    go_panic("%s\n[panic of goroutine %llu in the scope]\n%s", panic->text,
             (unsigned long long)panic->goroutine, panic->stack);
}

int go_scope_wait(go_scope *s, struct go_scope_panic *panic)
{
    struct go_scope_panic own;

    go_waitgroup_wait(&s->children);
    if (!panic_tell(s, panic ? panic : &own))
        return 0;
    if (!panic)
        panic_again(&own);
    return 1;
}

static void scope_free(void *p)
{
    go_scope *s = p;

    go_ctx_cancel(s->ctx, 0, NULL);
    go_ctx_unref(s->ctx);
    free(s->text);
    free(s->stack);
}

/* The body has ended. If it left early its children are told; this waits for them also where the job has ended: they end
 * with it. */
static void scope_join(void *p)
{
    go_scope *s = p;
    struct go_scope_panic panic;

    if (!s->returned || s->result)
        go_ctx_cancel(s->ctx, s->result, NULL);
    waitgroup_wait(&s->children, WAIT_MASKED);
    if (panic_tell(s, &panic))
        panic_again(&panic);
}

static void scope_frame(void *p)
{
    go_scope *s = p;

    go_defer(scope_free, s);
    go_defer(scope_join, s);
    s->result = s->body(s, s->arg);
    s->returned = true;
}

int go_scope_run(int (*body)(go_scope *s, void *arg), void *arg, go_ctx *parent)
{
    go_scope s = {.body = body, .arg = arg};

    s.ctx = go_ctx_new(parent ? parent : go_ctx_background());
    if (!s.ctx)
        return -ENOMEM;
    go_call(scope_frame, &s);
    return s.result;
}
