/* Again, after a pause that doubles, until it succeeds or it has been tried often enough. */
#include "goroutine_patterns.h"

static int64_t doubled(int64_t ns)
{
    int64_t twice;

    return __builtin_add_overflow(ns, ns, &twice) ? INT64_MAX : twice;
}

int go_retry(int (*fn)(void *arg), void *arg, int attempts, int64_t pause_ns, go_ctx *ctx)
{
    int r = ctx ? go_ctx_err(ctx) : 0;

    if (r < 0)
        return r;
    r = fn(arg);
    while (r < 0 && --attempts > 0) {
        int cancelled = go_sleep(go_both(go_after_ns(pause_ns), ctx));

        if (cancelled < 0)
            return cancelled;
        pause_ns = doubled(pause_ns);
        r = fn(arg);
    }
    return r;
}
