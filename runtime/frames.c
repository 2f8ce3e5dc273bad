/*
 * A frame is opened by go_call and by the start of a goroutine. Panic, exit and the end of a scope unwind by
 * _Unwind_ForcedUnwind to the innermost frame: cleanup attributes of the C functions between run, then what
 * was deferred in the frame, then the unwinding goes on to the next frame, unless it was a panic and a
 * deferred function recovered.
 *
 * Invariants
 *   g->begun->frames is the innermost frame. A panic's `at` is the frame whose deferred functions it runs now;
 *   NULL on its way.
 *   g->begun->panics are newest first. A panic that arrives at the frame another one is `at` has replaced it
 *   (P2): the older stays in the list, aborted, only to be told in the report.
 *   g->begun->exit_frame is the same for an exit, which cannot be undone (P3): it goes on after every panic in
 *   it was recovered.
 *   frame_run itself must have nothing to clean up: unwinding passes it before it jumps back into it.
 */
#include "frames.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

#include "backtrace.h"
#include "bubble.h"
#include "dump.h"
#include "fatal.h"
#include "group.h"
#include "start.h"
#include "switch.h"
#include "trace.h"

enum { PANIC_BYTES = 2048, PANIC_FRAMES = GO_FRAMES_MAX, STACK_TEXT_BYTES = 16384 };

struct deferred {
    struct deferred *up;
    void (*fn)(void *); /* NULL: a room of a frame that is free */
    void *arg;
};

/* The runtime's own frames defer no more than that: they need no memory for it. */
enum { FRAME_ROOMS = 2 };

struct frame {
    struct frame *up;
    struct deferred *deferred;
    struct deferred room[FRAME_ROOMS]; /* for the first ones; the others are on the heap */
    void *callee_cfa;                  /* of the deferred function that runs now: who may recover */
    bool recovered;
    uintptr_t sp; /* of frame_run: what it calls lies below */
    jmp_buf env;
};

struct panic {
    struct panic *up;
    struct frame *at;
    bool recovered, aborted, fatal;
    int frames;
    void *frame[PANIC_FRAMES];
    char text[PANIC_BYTES];
};

static int frame_run(struct g *g, struct frame *f, void (*fn)(void *), void *arg);

/* ---- the way to a frame ---- */

static _Unwind_Reason_Code unwind_stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                       struct _Unwind_Exception *exception, struct _Unwind_Context *context,
                                       void *arg)
{
    struct frame *frame = arg;

    if (_Unwind_GetCFA(context) >= frame->sp)
        longjmp(frame->env, 1);
    if (actions & _UA_END_OF_STACK)
        fatal("no unwind data in goroutine %llu: compile with -fexceptions; do not panic or exit across "
              "foreign code",
              (unsigned long long)go_id());
    return _URC_NO_REASON;
}

/* The exception object lies in the goroutine: frames that are unwound are overwritten by their cleanups. */
static void __attribute__((noreturn)) unwind_to(struct g *g, struct frame *frame)
{
    memset(&g->begun->exception, 0, sizeof g->begun->exception);
    _Unwind_ForcedUnwind(&g->begun->exception, unwind_stop, frame);
    fatal("cannot unwind goroutine %llu: compile with -fexceptions", (unsigned long long)go_id());
}

/* ---- panics ---- */

static void panic_print(const struct panic *p)
{
    if (p->up)
        panic_print(p->up);
    fprintf(stderr, "%spanic: %s%s\n", p->up ? "\t" : "", p->text, p->recovered ? " [recovered]" : "");
}

static void __attribute__((noreturn)) panic_die(const struct panic *p)
{
    struct go_info info;
    char *text = malloc(STACK_TEXT_BYTES);

    panic_print(p);
    info_fill(&info, g_self());
    info.frames = p->frames;
    memcpy(info.frame, p->frame, sizeof info.frame);
    if (text && go_id())
        go_info_format(&info, text, STACK_TEXT_BYTES);
    else if (text)
        backtrace_format(p->frame, p->frames, text, STACK_TEXT_BYTES);
    fprintf(stderr, "\n%s", text ? text : "");
    abort();
}

/* Drops the newest panic and those it replaced. */
static void panic_drop(struct g *g)
{
    bool more;

    do {
        struct panic *p = g->begun->panics;

        g->begun->panics = p->up;
        more = g->begun->panics && g->begun->panics->aborted;
        free(p);
    } while (more);
}

/* The outermost frame has ended with a panic: the group takes it, or the program ends (P4, P5). */
static void panic_unrecovered(void *arg)
{
    struct g *g = arg;
    struct panic *p = g->begun->panics;
    char *stack = malloc(STACK_TEXT_BYTES);

    if (stack)
        backtrace_format(p->frame, p->frames, stack, STACK_TEXT_BYTES);
    go_defer(free, stack);
    if (!group_panicked(g->group, p->text, stack ? stack : ""))
        panic_die(p);
}

/* Arrived: this frame's deferred functions run because of it. */
static void panic_arrives(struct g *g, struct frame *f)
{
    struct panic *p = g->begun->panics;

    for (struct panic *old = p->up; old; old = old->up)
        if (old->at == f)
            old->aborted = true;
    p->at = f;
}

static void exit_arrives(struct g *g, struct frame *f)
{
    while (g->begun->panics && g->begun->panics->at == f)
        panic_drop(g); /* an exit in its deferred function ends a panic */
    g->begun->exit_frame = f;
}

/* Whether a deferred function is left that could recover a panic. */
static bool recover_is_possible(const struct g *g)
{
    for (const struct frame *f = g->begun->frames; f; f = f->up)
        if (f->deferred)
            return true;
    return false;
}

/* Nobody will recover the newest panic: the group hears of it, and ends, while all that the others use is still there. */
static void __attribute__((noreturn)) panic_ends_group(struct g *g)
{
    struct panic *older = g->begun->panics->up;
    struct frame report;

    frame_run(g, &report, panic_unrecovered, g);
    while (g->begun->panics != older) {
        struct panic *p = g->begun->panics;

        g->begun->panics = p->up;
        free(p);
    }
    unwind_exit(g);
}

static void __attribute__((noreturn)) panic_raise(bool is_fatal, const char *format, va_list args)
{
    struct g *g = g_self();
    struct panic *p = calloc(1, sizeof *p);

    if (g->heed & HEED_EACH)
        each_refuse(g, "panic");
    if (!p)
        fatal("no memory for a %s", "panic");
    vsnprintf(p->text, sizeof p->text, format, args);
    p->fatal = is_fatal;
    p->frames = backtrace_take(p->frame, PANIC_FRAMES);
    p->up = g->begun->panics;
    g->begun->panics = p;
    if (!g->begun->frames)
        panic_die(p);
    if (group_has_root(g) && group_takes_panics(g) && !recover_is_possible(g))
        panic_ends_group(g);
    g->begun->unwinding_exit = false;
    unwind_to(g, g->begun->frames);
}

void go_panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    panic_raise(false, format, args);
}

void panic_fatal(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    panic_raise(true, format, args);
}

const char *go_recover_at(const void *cfa)
{
    struct g *g = g_self();
    struct panic *p = g->begun->panics;

    if (!p || !g->begun->frames || p->at != g->begun->frames || p->recovered || p->fatal)
        return NULL;
    if (cfa && cfa != g->begun->frames->callee_cfa)
        return NULL;
    p->recovered = true;
    return p->text;
}

bool unwind_is_panic(const struct g *g)
{
    return g->begun->panics && g->begun->panics->at == g->begun->frames && !g->begun->panics->recovered;
}

bool go_panicking(void)
{
    return unwind_is_panic(g_self());
}

int panic_recovered_stack(const struct g *g, char *out, size_t size)
{
    const struct panic *p = g->begun->recovered;

    if (size)
        out[0] = '\0';
    return p ? backtrace_format(p->frame, p->frames, out, size) : 0;
}

/* ---- exit ---- */

void unwind_exit(struct g *g)
{
    if (g->heed & HEED_EACH)
        each_refuse(g, "exit");
    if (!g->begun->frames)
        fatal("the end of goroutine %llu has no frame to go to", (unsigned long long)go_id());
    if (group_has_root(g))
        group_root_exits(g);
    g->begun->unwinding_exit = true;
    unwind_to(g, g->begun->frames);
}

void go_exit(void)
{
    struct g *g = g_self();

    if (g->thread && !g->begun->frames)
        pthread_exit(NULL);
    unwind_exit(g);
}

/* ---- frames ---- */

/* The text of a recovered panic stays readable until the next. */
static void recovered_keep(struct g *g)
{
    free(g->begun->recovered);
    g->begun->recovered = g->begun->panics;
    g->begun->panics = g->begun->panics->up;
    while (g->begun->panics && g->begun->panics->aborted)
        panic_drop(g);
}

static struct deferred *deferred_new(struct frame *f)
{
    for (int i = 0; i < FRAME_ROOMS; i++)
        if (!f->room[i].fn)
            return &f->room[i];
    return malloc(sizeof(struct deferred));
}

static void deferred_delete(struct frame *f, struct deferred *d)
{
    for (int i = 0; i < FRAME_ROOMS; i++)
        if (d == &f->room[i]) {
            d->fn = NULL;
            return;
        }
    free(d);
}

static void deferred_run(struct g *g, struct frame *f)
{
    while (f->deferred) {
        struct deferred d = *f->deferred;

        deferred_delete(f, f->deferred);
        f->deferred = d.up;
        goroutine_call_marked(d.fn, d.arg, &f->callee_cfa);
        f->callee_cfa = NULL;
        if (g->begun->panics && g->begun->panics->at == f && g->begun->panics->recovered) {
            recovered_keep(g);
            f->recovered = true;
        }
    }
}

/* Comes back here, by longjmp, each time something unwinds to this frame: also from its deferred functions.
 */
static __attribute__((noinline)) int frame_run(struct g *g, struct frame *f, void (*fn)(void *), void *arg)
{
    f->up = g->begun->frames;
    f->deferred = NULL;
    for (int i = 0; i < FRAME_ROOMS; i++)
        f->room[i].fn = NULL;
    f->callee_cfa = NULL;
    f->recovered = false;
    f->sp = (uintptr_t)stack_pointer();
    g->begun->frames = f;
    if (_setjmp(f->env) == 0)
        fn(arg);
    else if (g->begun->unwinding_exit)
        exit_arrives(g, f);
    else
        panic_arrives(g, f);
    deferred_run(g, f);
    g->begun->frames = f->up;
    return f->recovered;
}

/* What goes on outward after a frame has ended. */
static void unwind_on(struct g *g, const struct frame *f)
{
    if (g->begun->panics && g->begun->panics->at == f) {
        if (g->begun->exit_frame == f)
            /* an exit goes on below the panic, and shows when that is recovered */
            g->begun->exit_frame = g->begun->frames;
        g->begun->unwinding_exit = false;
        unwind_to(g, g->begun->frames);
    }
    if (g->begun->exit_frame == f) {
        g->begun->unwinding_exit = true;
        unwind_to(g, g->begun->frames);
    }
}

int go_call(void (*fn)(void *arg), void *arg)
{
    struct g *g = g_self();
    struct frame f;
    int recovered = frame_run(g, &f, fn, arg);

    if ((g->begun->panics && g->begun->panics->at == &f) || g->begun->exit_frame == &f) {
        if (g->begun->frames)
            unwind_on(g, &f);
        if (g->begun->exit_frame == &f)
            pthread_exit(NULL); /* a plain thread's outermost frame */
        panic_die(g->begun->panics);
    }
    return recovered;
}

void go_defer(void (*fn)(void *arg), void *arg)
{
    struct g *g = g_self();
    struct deferred *d;

    if (!g->begun->frames)
        fatal("go_defer on a thread outside go_call: %s", "nothing would ever run it");
    d = deferred_new(g->begun->frames);
    if (!d)
        go_panic("out of memory for a deferred call");
    *d = (struct deferred){.up = g->begun->frames->deferred, .fn = fn, .arg = arg};
    g->begun->frames->deferred = d;
}

static __attribute__((noinline)) void panics_end(struct g *g, const struct frame *f)
{
    struct frame report;

    if (g->begun->panics->at == f)
        frame_run(g, &report, panic_unrecovered, g);
    while (g->begun->panics)
        panic_drop(g);
}

void goroutine_body(struct g *g)
{
    struct frame f;

    frame_run(g, &f, g->fn, g->arg);
    if (g->begun->panics)
        panics_end(g, &f);
    if (trace_on())
        trace_end(g);
    if (g->bubble)
        bubble_leave(g);
    if (g->group)
        group_leave(g);
}
