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

/* ---- semaphore ---- */

/* So many units; ready when the rest is zero: go_semaphore s = {.size = 6}. Must not be copied or moved after first use. */
typedef struct {
    int64_t size;
    uint64_t opaque[6];
} go_semaphore;

/*
 * Takes `units`, strictly in order of arrival: nobody passes one who waits, however little it asks for, with GO_NOW
 * neither (SE2). A deadline or cancel that comes together with the grant wins, and the units are free again (SE1). More
 * than the size waits for the end of `until`, in nobody's way (SE4). Negative units panic.
 *     0  taken; otherwise as `until` says, and nothing is held
 */
GO_API int go_semaphore_acquire(go_semaphore *s, int64_t units, go_until until);

/* Gives units back, from any goroutine. More than are held panics (SE5). */
GO_API void go_semaphore_release(go_semaphore *s, int64_t units);

/* ---- error group ---- */

/* Goroutines that work on one thing and may fail. Ready when zeroed (E1). Must not be copied or moved after first use, and
 * must outlive its members: wait for them. */
typedef struct {
    uint64_t opaque[16];
} go_errgroup;

/* At most so many members at once; 0 refuses all, less is no limit, as when zeroed. Panics while members run (E3). */
GO_API void go_errgroup_limit(go_errgroup *e, int members_max);

/*
 * Gives the group a context below `parent`, which ends at the first error, with that error as its cause, or when
 * go_errgroup_wait returns (E2). The caller unrefs the answer. Before the first member; a second one panics. NULL: out
 * of memory.
 */
GO_API go_ctx *go_errgroup_ctx(go_errgroup *e, go_ctx *parent);

/*
 * Starts a member; `arg` is copied as by go_spawn. With a limit it waits for a slot until `until`; GO_NOW is -EAGAIN when
 * there is none (E3). What fn returns is its error, 0 for none. A panic in it is no error of the group: it ends the
 * program (P4) or the job (P5), and no wait returns before that (E4). Otherwise as go_spawn.
 */
GO_API int go_errgroup_go(go_errgroup *e, int (*fn)(void *arg), const void *arg, size_t arg_bytes,
                          go_until until);

/* Waits for all members and returns the first error, 0 for none. The error stays: zero the group for a new one. Unwinds
 * when the scope of the goroutine ends. */
GO_API int go_errgroup_wait(go_errgroup *e);

/* ---- a value that is made once ---- */

/* Ready when zeroed. Must not be copied or moved after first use. */
typedef struct {
    uint64_t opaque[72];
} go_once_value;

/*
 * The first call calls fn; every call returns what that returned. If fn panics, every call panics with its text; if it
 * exits, the later ones panic; it is never called again (O2). Recursion deadlocks (O3). NULL is a value like others: for
 * a function without one return it.
 */
GO_API void *go_once_value_get(go_once_value *o, void *(*fn)(void *arg), void *arg);

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
