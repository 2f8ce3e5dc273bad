#include "backtrace.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <unwind.h>

#include "annotate.h"
#include "g.h"
#include "single.h"
#include "switch.h"
#include "symbol.h"

enum { OWN_FRAMES = 2 }; /* backtrace_take and its caller */

struct walk {
    void **frames;
    int n, max, skip;
};

static _Unwind_Reason_Code walk_step(struct _Unwind_Context *context, void *arg)
{
    struct walk *w = arg;
    void *pc = (void *)_Unwind_GetIP(context);

    if (w->skip > 0) {
        w->skip--;
        return _URC_NO_REASON;
    }
    if (!pc || w->n == w->max)
        return _URC_END_OF_STACK;
    w->frames[w->n++] = pc;
    return _URC_NO_REASON;
}

int backtrace_take(void **frames, int max)
{
    struct walk w = {.frames = frames, .max = max, .skip = OWN_FRAMES};

    _Unwind_Backtrace(walk_step, &w);
    return w.n;
}

ANNOTATE_UNCHECKED int backtrace_parked(const struct g *g, void **frames, int max)
{
    char *stack = g->stack;
    uintptr_t sp = (uintptr_t)g->sp, low, top, frame;
    const char *reason = atomic_load_explicit(&((struct g *)g)->reason, memory_order_relaxed);
    struct switch_saved saved;
    int n = 0;

    if (!stack)
        return 0;
    low = (uintptr_t)stack_bottom(stack);
    top = (uintptr_t)stack_top(stack, g->stack_class);
    if (sp < low || sp > top - SWITCH_SAVED_BYTES || n >= max)
        return 0;
    saved = switch_saved(g->sp);
    frames[n++] = single_called(saved.resume, reason);
    frame = (uintptr_t)saved.frame;
    while (n < max && frame > sp && frame <= top - 2 * sizeof(void *) && frame % sizeof(void *) == 0) {
        void *const *record = (void *const *)frame;

        if (!record[1])
            break;
        frames[n++] = single_called(record[1], reason);
        sp = frame;
        frame = (uintptr_t)record[0];
    }
    return n;
}

int backtrace_symbol(const void *address, char *out, size_t size)
{
    struct symbol s;
    char place[200] = "";

    symbol_find((const char *)address - 1, &s);
    if (!s.object[0])
        return snprintf(out, size, "%p", address);
    if (s.file[0])
        snprintf(place, sizeof place, " %s:%d", s.file, s.line);
    return snprintf(out, size, "%s+0x%zx%s%s%s%s", s.name[0] ? s.name : s.object, s.offset + 1, place,
                    s.name[0] ? " (" : "", s.name[0] ? s.object : "", s.name[0] ? ")" : "");
}

static bool is_own(const void *address)
{
    static _Atomic(void *) own;
    Dl_info info;

    if (!atomic_load(&own) && dladdr((void *)(uintptr_t)backtrace_take, &info))
        atomic_store(&own, info.dli_fbase);
    return dladdr((const char *)address - 1, &info) && info.dli_fbase == atomic_load(&own);
}

int backtrace_trim_outer(void *const *frames, int n)
{
    int last = n;

    while (last > 0 && is_own(frames[last - 1]))
        last--;
    return last ? last : n;
}

int backtrace_trim(void *const **frames, int n)
{
    int first = 0, last = backtrace_trim_outer(*frames, n);

    while (first + 1 < last && is_own((*frames)[first]) && is_own((*frames)[first + 1]))
        first++;
    *frames += first;
    return last - first;
}

int backtrace_lines(void *const *frames, int n, char *out, size_t size)
{
    size_t used = 0;

    if (size)
        out[0] = '\0';
    for (int i = 0; i < n; i++) {
        char symbol[512];

        backtrace_symbol(frames[i], symbol, sizeof symbol);
        used += (size_t)snprintf(used < size ? out + used : NULL, used < size ? size - used : 0, "    %s\n",
                                 symbol);
    }
    return (int)used;
}

int backtrace_format(void *const *frames, int n, char *out, size_t size)
{
    n = backtrace_trim(&frames, n);
    return backtrace_lines(frames, n, out, size);
}
