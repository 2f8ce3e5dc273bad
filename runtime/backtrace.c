#include "backtrace.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unwind.h>

#include "annotate.h"
#include "g.h"
#include "switch.h"

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
    uintptr_t low = (uintptr_t)g->stack.low + stack_guard_bytes(), top = (uintptr_t)g->stack.top;
    uintptr_t sp = (uintptr_t)g->sp, frame;
    struct switch_saved saved;
    int n = 0;

    if (!g->stack.low || sp < low || sp > top - SWITCH_SAVED_BYTES || n >= max)
        return 0;
    saved = switch_saved(g->sp);
    frames[n++] = saved.resume;
    frame = (uintptr_t)saved.frame;
    while (n < max && frame > sp && frame <= top - 2 * sizeof(void *) && frame % sizeof(void *) == 0) {
        void *const *record = (void *const *)frame;

        if (!record[1])
            break;
        frames[n++] = record[1];
        sp = frame;
        frame = (uintptr_t)record[0];
    }
    return n;
}

int backtrace_symbol(const void *address, char *out, size_t size)
{
    Dl_info info;
    const char *file;

    /* A return address may lie just behind its function. */
    if (!dladdr((const char *)address - 1, &info))
        return snprintf(out, size, "%p", address);
    file = strrchr(info.dli_fname, '/');
    file = file ? file + 1 : info.dli_fname;
    if (info.dli_sname)
        return snprintf(out, size, "%s+0x%zx (%s)", info.dli_sname,
                        (size_t)((const char *)address - (const char *)info.dli_saddr), file);
    return snprintf(out, size, "%s+0x%zx", file,
                    (size_t)((const char *)address - (const char *)info.dli_fbase));
}

int backtrace_format(void *const *frames, int n, char *out, size_t size)
{
    size_t used = 0;

    if (size)
        out[0] = '\0';
    for (int i = 0; i < n; i++) {
        char symbol[256];

        backtrace_symbol(frames[i], symbol, sizeof symbol);
        used += (size_t)snprintf(used < size ? out + used : NULL, used < size ? size - used : 0, "    %s\n",
                                 symbol);
    }
    return (int)used;
}
