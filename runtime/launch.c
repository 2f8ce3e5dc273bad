#include "launch.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "bubble.h"
#include "fatal.h"
#include "fpenv.h"
#include "frames.h"
#include "group.h"
#include "living.h"
#include "scheduler.h"
#include "trace.h"

static int arg_set(struct g *g, const struct spawn *what)
{
    g->arg = (void *)what->arg;
    if (what->arg_bytes == 0)
        return 0;
    g->arg = g->arg_copy;
    if (what->arg_bytes > sizeof g->arg_copy) {
        g->arg = malloc(what->arg_bytes);
        if (!g->arg)
            return -ENOMEM;
        g->arg_owned = true;
    }
    memcpy(g->arg, what->arg, what->arg_bytes);
    return 0;
}

static void name_set(struct g *g, const char *name)
{
    strncpy(g->name, name, sizeof g->name - 1);
}

static int g_fill(struct g *g, const struct spawn *what)
{
    const struct go_spawn_options *o = what->options;
    int class = stack_class_of(o ? o->stack_bytes : 0);

    if (class < 0)
        return class;
    if (o && o->flags & ~GO_FPENV)
        return -EINVAL;
    if (o && o->flags & GO_FPENV) {
        g->heed = HEED_FPENV;
        g->fp_control = fpenv_read(); /* the creator's */
    }
    g->stack_class = (unsigned char)class;
    g->fn = what->fn;
    g->system = what->system;
    g->spawn_pc = what->pc;
    g->site = o ? o->site : NULL;
    if (o && o->name)
        name_set(g, o->name);
    return arg_set(g, what);
}

static int g_make(const struct spawn *what, struct g **out)
{
    struct thread *t = thread_self();
    struct g_cache *cache = t && t->proc ? &t->proc->gs : NULL;
    struct g *g = g_new(cache);
    int r = -ENOMEM;

    if (g)
        r = g_fill(g, what);
    if (r == 0 && what->group)
        r = group_join(what->group, g);
    if (r == 0) {
        *out = g;
        return 0;
    }
    if (g)
        g_delete(g, cache);
    return r;
}

int spawn(const struct spawn *what)
{
    struct g *g = NULL;
    int r;

    if (!what->fn)
        fatal("go_spawn of a NULL function at %p", what->pc);
    if (what->arg_bytes > GO_ARG_BYTES_MAX)
        return -EINVAL;
    if (!atomic_load(&sched.running))
        return -ESRCH;
    if (!what->system && !living_charge())
        return -EAGAIN;
    r = g_make(what, &g);
    if (r < 0) {
        if (!what->system)
            living_return();
        return r;
    }
    if (what->bubble)
        bubble_join(what->bubble, g);
    g->tsan_fiber = annotate_fiber_new(); /* here, so that a report of a race says where it was spawned */
    if (trace_on())
        trace_create(g);
    if (!what->system)
        living_begins();
    sched_start(g);
    return 0;
}

static int spawn_here(void (*fn)(void *arg), const void *arg, size_t arg_bytes,
                      const struct go_spawn_options *options, void *pc)
{
    struct thread *t = thread_self();
    struct go_group *group = options ? options->group : NULL;
    struct spawn what = {.fn = fn,
                         .arg = arg,
                         .arg_bytes = arg_bytes,
                         .options = options,
                         .pc = pc,
                         .group = group ? group
                                  : t   ? t->current->group
                                        : NULL,
                         .bubble = t ? t->current->bubble : NULL};

    return spawn(&what);
}

int(go_spawn)(void (*fn)(void *arg), const void *arg, size_t arg_bytes)
{
    return spawn_here(fn, arg, arg_bytes, NULL, __builtin_return_address(0));
}

int go_spawn_with(void (*fn)(void *arg), const void *arg, size_t arg_bytes,
                  const struct go_spawn_options *options)
{
    return spawn_here(fn, arg, arg_bytes, options, __builtin_return_address(0));
}

int spawn_for(void (*fn)(void *arg), void *arg, const char *name, void *pc)
{
    struct go_spawn_options options = {.name = name};

    return spawn_here(fn, arg, 0, &options, pc);
}

void *arg_block(size_t size, const void *arg, size_t arg_bytes, void **copy)
{
    size_t place = (size + 15) & ~(size_t)15;
    unsigned char *block = calloc(1, place + arg_bytes);

    if (!block)
        return NULL;
    *copy = arg_bytes ? block + place : (void *)(uintptr_t)arg;
    if (arg_bytes)
        memcpy(*copy, arg, arg_bytes);
    return block;
}

void spawn_system(void (*fn)(void *), void *arg)
{
    struct spawn what = {.fn = fn, .arg = arg, .pc = (void *)fn, .system = true};
    int r = spawn(&what);

    if (r < 0)
        fatal("no goroutine for the runtime's own work: %s", strerror(-r));
}

void go_set_name(const char *name)
{
    struct thread *t = thread_self();

    if (t && !t->current->thread)
        name_set(t->current, name);
}

uint64_t go_id(void)
{
    struct thread *t = thread_self();

    return t && !t->current->thread ? atomic_load_explicit(&t->current->id, memory_order_relaxed) : 0;
}

bool go_inside(void)
{
    return go_id() != 0;
}

int64_t go_live(void)
{
    struct living l = living_read();

    return (int64_t)(l.spawned - l.ended);
}

void go_yield(void)
{
    struct g *g = g_self();

    if (g->thread) {
        sched_yield();
        return;
    }
    sched_yield_self();
}

void go_checkpoint(void)
{
    struct thread *t = thread_self();
    struct g *g = t ? t->current : NULL;

    if (!g || g->thread)
        return;
    if (scope_has(g) && scope_over(g))
        unwind_exit(g);
    if (atomic_load_explicit(&t->proc->slice_over, memory_order_relaxed) ||
        atomic_load_explicit(&t->proc->attention, memory_order_relaxed) & ~(unsigned)ATTEND_LENT) {
        atomic_store_explicit(&t->proc->slice_over, false, memory_order_relaxed);
        sched_yield_self();
    }
}
