/*
 * goroutine_sync.h: what programs of goroutines are put together from, above channels and locks. Link with
 * -lgoroutine, compile with -fexceptions.
 *
 * Results, waiting, threads and memory are as goroutine.h says.
 */
#ifndef GOROUTINE_SYNC_H
#define GOROUTINE_SYNC_H

#include "goroutine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- generators ---- */

/* Where a generator puts its values. `ctx` may be NULL. */
typedef struct {
    go_sender sender;
    go_ctx *ctx;
} go_emitter;

/* 0, or negative when the generator shall return: its context is done, or nobody wants more. Waits until the
 * value is taken, or stored if there is capacity. */
static inline int go_emit(go_emitter out, const void *value)
{
    return go_sender_send(out.sender, value, go_with(out.ctx));
}

/*
 * Starts fn(out, arg) in a goroutine and returns the channel it emits into, which is closed when fn ends.
 * `arg` is copied as by go_spawn. Lazy: it is at most capacity + 1 values ahead of its consumers. It ends when
 * `ctx` (held; may be NULL) is done or when go_generate_stop says that nobody wants more. `from` of the answer is
 * NULL when out of memory or goroutines.
 *
 *     static void count(go_emitter out, void *arg)
 *     {
 *         for (int v = 0; go_emit(out, &v) == 0; v++)
 *             continue;
 *     }
 *
 *     go_receiver numbers = go_generate(count, NULL, 0, sizeof(int), 0, NULL);
 *     while (go_receiver_range(numbers, &v) && v < 10)
 *         printf("%d\n", v);
 *     go_generate_stop(numbers);
 */
GO_API go_receiver go_generate(void (*fn)(go_emitter out, void *arg), const void *arg, size_t arg_bytes,
                               size_t value_bytes, size_t capacity, go_ctx *ctx);

/* Releases what go_generate returned, once, also after the last value. A generator that has not ended ends at
 * its next emit; this does not wait for it. */
GO_API void go_generate_stop(go_receiver values);

#ifdef __cplusplus
}
#endif
#endif
