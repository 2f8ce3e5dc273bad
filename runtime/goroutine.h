/*
 * goroutine.h: goroutines, channels, select, contexts, timers and locks for C.  Link with -lgoroutine,
 * compile with -fexceptions.
 *
 *     static void hello(void *arg)
 *     {
 *         go_chan *out = *(go_chan **)arg;
 *         int value = 42;
 *         go_chan_send(out, &value, GO_FOREVER);
 *     }
 *
 *     static int run(void *arg)
 *     {
 *         go_chan *c = go_chan_new(sizeof(int), 0);
 *         int value;
 *         go_spawn(hello, &c, sizeof c);
 *         go_chan_recv(c, &value, GO_FOREVER);
 *         printf("%d\n", value);
 *         go_chan_unref(c);
 *         return 0;
 *     }
 *
 *     int main(void)
 *     {
 *         return go_main(run, NULL);
 *     }
 *
 * Results. 0, a positive count or outcome, or a negative errno value. A wrong program (a negative wait group, a
 * channel too large for the address space) panics, as it does in Go.
 *
 * Threads. Every function may be called from a goroutine. Unless it says otherwise it may also be called from any
 * other thread of the program while the runtime runs: where a goroutine parks, a thread blocks.
 *
 * Waiting. Every wait that can fail ends in a `go_until`, by value: a deadline, a context, or both. All of them
 * may return, besides what they state:
 *     -ETIMEDOUT  the deadline came first, or was past on arrival, or the context's deadline came
 *     -ECANCELED  the context was cancelled first; or the scope of the goroutine ended (goroutine_host.h)
 *     -EAGAIN     GO_NOW, and it would have had to wait
 * A context that is done or a deadline that is past on arrival takes nothing. A wait that ends with success took
 * effect, whatever became of its context meanwhile.
 *
 * Memory. Objects made by `_new` are counted: `_ref` adds a holder, `_unref` removes one, accepts NULL and
 * returns NULL. Who waits on an object holds it. Objects declared by value (go_mutex, ...) are ready when zeroed
 * and must not be copied or moved after first use: debug builds panic where they notice.
 *
 * Errno. A goroutine may wake on another thread, and compilers cache the address of errno. After a wait read
 * go_errno(), or define GO_ERRNO_SAFE before including this header to make `errno` itself safe. The same holds
 * for every thread-local variable of your own: do not keep its address over a wait. Floating-point control words
 * (rounding, exceptions masked) belong to the thread, unless the goroutine was spawned with GO_FPENV.
 */
#ifndef GOROUTINE_H
#define GOROUTINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GO_API __attribute__((visibility("default")))

typedef struct go_chan go_chan;
typedef struct go_ctx go_ctx;
typedef struct go_timer go_timer;
typedef struct go_group go_group;

/* ---- until: how long a call may wait ---- */

/*
 * `ns` is a deadline on the runtime's clock (go_now_ns: CLOCK_MONOTONIC, or the clock of the bubble), or one
 * of the two marks below. `ctx` may be NULL; it must live during the call.
 */
typedef struct {
    int64_t ns;
    go_ctx *ctx;
} go_until;

#define GO_NS_FOREVER INT64_MAX
#define GO_NS_NOW     INT64_MIN /* a mark: do not wait at all. Not a time in the past. */

static inline go_until go_until_make(int64_t ns, go_ctx *ctx)
{
    go_until until;
    until.ns = ns;
    until.ctx = ctx;
    return until;
}

#define GO_FOREVER go_until_make(GO_NS_FOREVER, NULL)
#define GO_NOW     go_until_make(GO_NS_NOW, NULL)

/* Nanoseconds on the clock that deadlines and timers of this goroutine use. Never goes back. */
GO_API int64_t go_now_ns(void);

/* A deadline `ns` from now; saturates (T1), so INT64_MAX is forever. Zero and less are already past. */
GO_API go_until go_after_ns(int64_t ns);
GO_API go_until go_after_us(int64_t us);
GO_API go_until go_after_ms(int64_t ms);

/* Until `ctx` is done. */
static inline go_until go_with(go_ctx *ctx)
{
    return go_until_make(GO_NS_FOREVER, ctx);
}

/* The same deadline, and until `ctx` is done: go_both(go_after_ms(50), ctx). */
static inline go_until go_both(go_until until, go_ctx *ctx)
{
    return go_until_make(until.ns, ctx);
}

/* ---- goroutines ---- */

/*
 * Runs `fn(arg)` as the main goroutine on `go_set_procs` processors (first: as many as there are usable CPUs)
 * and returns what it returned. The return of `fn` ends the other goroutines without waiting for them (G3):
 * they are not unwound. While it runs, a program whose goroutines all wait for each other ends with a report
 * (Z1). Call it from a thread, once at a time. Negative when the runtime could not start: -ENOMEM, -EAGAIN
 * (no threads), -EBUSY (it runs).
 */
GO_API int go_main(int (*fn)(void *arg), void *arg);

/* Where a goroutine was started, for dumps and reports. Strings that live for ever. */
struct go_site {
    const char *function, *file;
    int line;
};

/* Floating-point control words (rounding, exceptions masked, denormals) of its own, at first those of the creator. Without
 * it they belong to the thread. Costs some 10 ns at each switch. */
#define GO_FPENV 1u

/* Everything may be zero. */
struct go_spawn_options {
    const char *name;   /* copied, at most 31 bytes are kept; shown in dumps instead of the function */
    size_t stack_bytes; /* rounded up to 16 KiB, 64 KiB (default), 256 KiB, 1 MiB or 8 MiB */
    go_group *group;    /* NULL: that of the creator */
    const struct go_site *site; /* NULL: the caller's address */
    unsigned flags;             /* GO_FPENV or 0 */
};

#define GO_ARG_BYTES_MAX 65536u

/*
 * Starts a goroutine that calls fn with a copy of `arg_bytes` bytes at `arg` (G1); the copy, aligned for any
 * type, lives as long as the goroutine. With arg_bytes 0 fn gets the pointer `arg` itself. Never waits. A
 * NULL fn is fatal (G2). The new goroutine inherits group and bubble of its creator.
 *     0           it will run
 *     -EAGAIN     the limit of goroutines is reached (go_set_goroutines_max)
 *     -ENOMEM
 *     -EINVAL     arg_bytes or stack_bytes is too large, or there is no such flag
 *     -ESRCH      the runtime is not running
 *     -ECANCELED  the group has ended
 */
GO_API int go_spawn(void (*fn)(void *arg), const void *arg, size_t arg_bytes);
GO_API int go_spawn_with(void (*fn)(void *arg), const void *arg, size_t arg_bytes,
                         const struct go_spawn_options *options);

/* go_spawn notes name and line; the function itself, for other languages, is (go_spawn)(...). */
#define go_spawn(fn, arg, arg_bytes)                                                                         \
    __extension__({                                                                                          \
        static const struct go_site go_site_ = {#fn, __FILE__, __LINE__};                                    \
        struct go_spawn_options go_options_ = {NULL, 0, NULL, &go_site_, 0};                                 \
        go_spawn_with((fn), (arg), (arg_bytes), &go_options_);                                               \
    })

/* Lets others run; a thread yields its time slice (H1). */
GO_API void go_yield(void);

/* For loops that compute: yields if this goroutine has used its slice of 10 ms or must end. Costs about 1 ns
 * else. */
GO_API void go_checkpoint(void);

/* 0 when the deadline has come, -ECANCELED or -ETIMEDOUT when the context was done first. */
GO_API int go_sleep(go_until until);

/* The id of this goroutine, from 1 up and never used twice; 0 on a thread that runs none. Async-signal-safe.
 */
GO_API uint64_t go_id(void);

/* Shown by dumps in place of the function's name. At most 31 bytes are kept. Nothing on a plain thread. */
GO_API void go_set_name(const char *name);

/* Goroutines that have not ended; those of the runtime itself are not counted (G5). */
GO_API int64_t go_live(void);

/* Sets the number of processors, at most 256, and returns the old one; n < 1 only returns it (H8). Before
 * go_main too. */
GO_API int go_set_procs(int n);

/* The most goroutines that may live at once, default 1 << 20, or what guard pages allow (max_map_count);
 * returns the old limit; n < 1 only returns it. */
GO_API int64_t go_set_goroutines_max(int64_t n);

/*
 * Locks the calling goroutine to a thread of its own, made now, until it has called go_unlock_thread as often or ended
 * (H7). No other goroutine ever runs on that thread, and it ends with the lock: what the goroutine does to it
 * (thread-local variables, signal mask, name, scheduling, namespaces) reaches nobody else, and starts as on every
 * thread of the runtime. Waiting works as ever, at the price of two switches of threads each time; the goroutine still
 * takes turns for a processor. Locks nest: inside another one the call is free. Yields; to be called by a goroutine, on
 * a plain thread it does nothing. 0, -EAGAIN (no more threads), -ENOMEM.
 */
GO_API int go_lock_thread(void);

/* Undoes one go_lock_thread of this goroutine, nothing if there is none. The last one yields, and ends the thread: the
 * goroutine goes on on others, in their state. */
GO_API void go_unlock_thread(void);

/* errno of the thread this goroutine runs on now; its value survives waits. */
GO_API int *go_errno_location(void);
#define go_errno() (*go_errno_location())
#ifdef GO_ERRNO_SAFE
#include <errno.h>
#undef errno
#define errno (*go_errno_location())
#endif

/*
 * Calls fn(arg) on a spare thread, at most 64 at a time, further ones queue; the goroutine waits, its
 * processor goes on (H5). For C calls that block: getaddrinfo, fsync, a database. fn must not call functions
 * that wait here other than as a thread. Returns what fn returned, or -ENOMEM, -EAGAIN when no thread can be
 * made. Not interrupted by anything.
 */
GO_API int go_blocking(int (*fn)(void *arg), void *arg);

#define GO_READABLE 1u
#define GO_WRITABLE 2u

/*
 * Waits until the descriptor is ready for one of `events`; an error or hang-up counts as all of them.
 * Positive: the events that are ready. -EBADF, -EINVAL (no events). What is no socket, pipe or the like (a
 * file) is always ready. The descriptor may be closed and its number reused when nobody waits on it.
 */
GO_API int go_wait_fd(int fd, unsigned events, go_until until);

/* ---- panic, defer, recover, exit ---- */

/*
 * go_call opens a frame and calls fn in it. When fn ends, by return, panic or go_exit, what was deferred in
 * the frame runs, last first (P1). The whole goroutine is a frame too. Frames unwound on the way run their
 * cleanup attributes first, if compiled with -fexceptions. 0: fn returned; 1: a panic in it was recovered.
 */
GO_API int go_call(void (*fn)(void *arg), void *arg);

/* Runs fn(arg) when the innermost frame ends. A wrong place (a plain thread without a frame) is fatal. May
 * panic: out of memory. */
GO_API void go_defer(void (*fn)(void *arg), void *arg);

/* Unwinds to the end of the goroutine; unrecovered it ends the program with the chain of values on stderr
 * (P4), under goroutined-host the job (P5). The text is cut at 511 bytes. */
GO_API void go_panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/*
 * In a function that a panic's unwinding called directly (P2): ends the panic and returns its text, valid
 * until the goroutine's next panic; go_call then returns 1. Anywhere else NULL.
 */
#if defined(__GNUC__) && (!defined(__clang__) || defined(__x86_64__))
#define go_recover() go_recover_at(__builtin_dwarf_cfa())
#else
#define go_recover() go_recover_at(NULL)
#endif
GO_API const char *go_recover_at(const void *frame);

/* Ends this goroutine; deferred functions run; cannot be undone (P3). On a plain thread: pthread_exit. */
GO_API void go_exit(void) __attribute__((noreturn));

/* ---- channels ---- */

/*
 * A channel of values of `value_bytes` each, with room for `capacity` of them; 0 is a rendezvous. NULL when
 * out of memory; a size that no memory can hold panics (B5). A NULL channel blocks for ever (N1).
 */
GO_API go_chan *go_chan_new(size_t value_bytes, size_t capacity);
GO_API go_chan *go_chan_ref(go_chan *c);
GO_API go_chan *go_chan_unref(go_chan *c);

/* Copies the value. 0 sent; on capacity 0 it has been received (U2). -EPIPE: closed; the value was not sent
 * (C3, C4). */
GO_API int go_chan_send(go_chan *c, const void *value, go_until until);

/* 1 a value was stored at `value` (NULL drops it), 0 closed and drained: `value` is filled with zeroes (C1).
 */
GO_API int go_chan_recv(go_chan *c, void *value, go_until until);

/* Receives into `value` until the channel is closed and drained (R1): while (go_range(c, &v)) ... */
#define go_range(c, value) (go_chan_recv((c), (value), GO_FOREVER) == 1)

/*
 * Batches: n values, one behind the other at `values`, of which as many as possible are moved at once.
 * go_chan_send_many offers them in order and returns how many were taken: all n, or fewer when the channel was
 * closed or `until` ended first; what ended it before the first was taken is the result. On capacity 0 each value
 * is a hand-over of its own, in order. go_chan_recv_many waits for the first value and then takes what is there, at
 * most n: their number, or 0 when closed and drained. -EINVAL: n is 0 or more than INT_MAX.
 */
GO_API int go_chan_send_many(go_chan *c, const void *values, size_t n, go_until until);
GO_API int go_chan_recv_many(go_chan *c, void *values, size_t n, go_until until);

/* 0, -EPIPE when it is closed already (C5), -EINVAL for NULL. Wakes all who wait on it. */
GO_API int go_chan_close(go_chan *c);

/*
 * For programs that take a misuse for a bug, as Go does: a send or close that panics, naming the rule, where the
 * functions above return a negative result: "send on closed channel", "close of closed channel", "close of nil
 * channel" (C3 to C5). They wait for ever; the end of the goroutine's scope unwinds them.
 */
GO_API void go_chan_must_send(go_chan *c, const void *value);
GO_API void go_chan_must_close(go_chan *c);

/* Values buffered, and room for values; both 0 for NULL and on a rendezvous (U3). Out of date on return. */
GO_API size_t go_chan_len(const go_chan *c);
GO_API size_t go_chan_cap(const go_chan *c);

/* ---- directed handles ---- */

/*
 * One end of a channel, by value: the wrong direction does not compile (D1). A handle is no holder of its own:
 * whoever may go_chan_unref the channel unrefs one handle instead. In a select: GO_SEND_TO, GO_RECV_FROM.
 */
typedef struct {
    go_chan *to;
} go_sender;

typedef struct {
    go_chan *from;
} go_receiver;

static inline go_sender go_chan_sender(go_chan *c)
{
    go_sender s;
    s.to = c;
    return s;
}

static inline go_receiver go_chan_receiver(go_chan *c)
{
    go_receiver r;
    r.from = c;
    return r;
}

/* Each as the function of the channel. */
static inline int go_sender_send(go_sender s, const void *value, go_until until)
{
    return go_chan_send(s.to, value, until);
}

static inline int go_sender_send_many(go_sender s, const void *values, size_t n, go_until until)
{
    return go_chan_send_many(s.to, values, n, until);
}

static inline int go_sender_close(go_sender s)
{
    return go_chan_close(s.to);
}

static inline void go_sender_unref(go_sender s)
{
    go_chan_unref(s.to);
}

static inline int go_receiver_recv(go_receiver r, void *value, go_until until)
{
    return go_chan_recv(r.from, value, until);
}

static inline int go_receiver_recv_many(go_receiver r, void *values, size_t n, go_until until)
{
    return go_chan_recv_many(r.from, values, n, until);
}

static inline size_t go_receiver_len(go_receiver r)
{
    return go_chan_len(r.from);
}

static inline void go_receiver_unref(go_receiver r)
{
    go_chan_unref(r.from);
}

#define go_receiver_range(r, value) (go_receiver_recv((r), (value), GO_FOREVER) == 1)
#define GO_SEND_TO(s, value)        GO_SEND((s).to, (value))
#define GO_RECV_FROM(r, value)      GO_RECV((r).from, (value))

/* ---- select ---- */

enum go_op { GO_OP_NONE, GO_OP_SEND, GO_OP_RECV, GO_OP_DONE, GO_OP_TIMER };

struct go_case {
    enum go_op op;
    void *object; /* channel, context or timer; NULL is never ready */
    void *value;  /* what to send, where to receive; for a timer an int64_t or NULL */
    int result;   /* of the chosen case, as the single operation would return it */
};

static inline struct go_case go_case_make(enum go_op op, const void *object, const void *value)
{
    struct go_case k;
    k.op = op;
    k.object = (void *)(uintptr_t)object;
    k.value = (void *)(uintptr_t)value;
    k.result = 0;
    return k;
}

#define GO_SEND(c, value) go_case_make(GO_OP_SEND, (c), (value))
#define GO_RECV(c, value) go_case_make(GO_OP_RECV, (c), (value))
#define GO_DONE(ctx)      go_case_make(GO_OP_DONE, (ctx), NULL) /* ready when the context is done */
#define GO_TIMER(t, fired)                                                                                   \
    go_case_make(GO_OP_TIMER, (t), (fired)) /* ready when the timer has fired: takes it */

#define GO_CASES_MAX 65536

/*
 * Waits until one of the cases can go on, picks evenly among those that can (S2), and lets only that one take
 * effect (S4). Returns its index; cases[index].result says what a single call would have returned: 0, 1 or
 * -EPIPE. GO_NOW is the default branch: -EAGAIN if at one instant nothing was ready (S3). n 0 waits for
 * `until` alone (S8). -E2BIG: more than GO_CASES_MAX. -ENOMEM: many cases.
 */
GO_API int go_select(struct go_case *cases, int n, go_until until);

/* Panics if the case, which was chosen, is a send on a closed channel (S9). Returns its result. */
GO_API int go_case_must(const struct go_case *chosen);

/* ---- timers ---- */

/* Fires once, `ns` from now; go_timer_wait or GO_TIMER takes the firing. NULL: out of memory. */
GO_API go_timer *go_timer_new(int64_t ns);

/* Fires every `ns`; a slow reader loses firings, one at most waits for it (T6). ns <= 0 panics. */
GO_API go_timer *go_ticker_new(int64_t ns);

/* Calls fn(arg) in a goroutine of its own, `ns` from now (T7). */
GO_API go_timer *go_timer_func(int64_t ns, void (*fn)(void *arg), void *arg);

/* 1 if this call prevented the firing, else 0 (T3). After it no older firing can be received (T4). */
GO_API int go_timer_stop(go_timer *t);

/* Starts anew, `ns` from now; the period of a ticker becomes ns. 1 if it was active, 0 if it had fired or was
 * stopped. */
GO_API int go_timer_reset(go_timer *t, int64_t ns);

/* 1 fired; *fired_ns (may be NULL) is the time of the firing (T5). */
GO_API int go_timer_wait(go_timer *t, int64_t *fired_ns, go_until until);
GO_API go_timer *go_timer_ref(go_timer *t);
GO_API go_timer *go_timer_unref(go_timer *t); /* the last stops it; a function that is due is still called */

/* ---- contexts ---- */

/* Why a context ended. `code` identifies it: a negative errno value or one of your own. `text` lives as long
 * as the context. */
struct go_cause {
    int code;
    const char *text; /* never NULL */
};

/* Never ends, holds no values. One for the program; ref and unref do nothing. */
GO_API go_ctx *go_ctx_background(void);

/* Children. Each holds its parent. A child of a done parent is born done (X3). NULL: out of memory. A NULL
 * parent panics (X11). */
GO_API go_ctx *go_ctx_new(go_ctx *parent);
GO_API go_ctx *go_ctx_with_deadline(go_ctx *parent, go_until until); /* until.ctx is not looked at */
GO_API go_ctx *go_ctx_with_deadline_cause(go_ctx *parent, go_until until, int code, const char *text);
GO_API go_ctx *go_ctx_without_cancel(go_ctx *parent); /* keeps the values, never ends (X9) */

/* `key` is compared by address and may not be NULL (X10); `drop`, may be NULL, is called with the value at
 * the end. */
GO_API go_ctx *go_ctx_with_value(go_ctx *parent, const void *key, void *value, void (*drop)(void *value));
GO_API void *go_ctx_value(const go_ctx *ctx, const void *key);

/* Ends the context and all below it before it returns (X1). The first cause counts (X2); code 0: -ECANCELED,
 * no text. */
GO_API void go_ctx_cancel(go_ctx *ctx, int code, const char *text);

/* 0 while it lives, -ECANCELED or -ETIMEDOUT. */
GO_API int go_ctx_err(const go_ctx *ctx);
GO_API struct go_cause go_ctx_cause(const go_ctx *ctx);

/* Nanoseconds on the clock, GO_NS_FOREVER for none. The earliest on the path (X5). */
GO_API int64_t go_ctx_deadline_ns(const go_ctx *ctx);

/* 0 when it is done. GO_DONE(ctx) is the same in a select. */
GO_API int go_ctx_wait(go_ctx *ctx, go_until until);
GO_API go_ctx *go_ctx_ref(go_ctx *ctx);
GO_API go_ctx *go_ctx_unref(go_ctx *ctx); /* does not cancel, unless nobody is left to see it */

/* Calls fn(arg) once, in a goroutine of its own, after ctx is done, at once if it is (X8). NULL: out of
 * memory. */
typedef struct go_ctx_func go_ctx_func;
GO_API go_ctx_func *go_ctx_after_func(go_ctx *ctx, void (*fn)(void *arg), void *arg);
/* 1 if fn was prevented, 0 if it was started. Does not wait for it. Frees the handle: call it exactly once.
 */
GO_API int go_ctx_func_stop(go_ctx_func *f);

/* ---- locks ---- */
/* Waits here cannot fail. When the scope of the goroutine ends they unwind it, as go_exit does. Zeroed is
 * ready. */

typedef struct {
    uint64_t opaque[5];
} go_mutex;

/* Waits in order of arrival once a waiter has waited 1 ms; before that a running goroutine may barge (M2). */
GO_API void go_mutex_lock(go_mutex *m);
GO_API int go_mutex_trylock(go_mutex *m); /* 1 locked, 0 not */
/* Any goroutine may unlock (M3). Unlocking what is not locked is fatal, no recovery (M4). */
GO_API void go_mutex_unlock(go_mutex *m);

typedef struct {
    uint64_t opaque[8];
} go_rwmutex;

/* Readers share, a writer excludes (W1). A waiting writer blocks new readers, so a goroutine must not rlock
 * twice (W2); after a writer every reader that waited meanwhile goes first (W3). Misuse is fatal (W4). */
GO_API void go_rwmutex_lock(go_rwmutex *m);
GO_API int go_rwmutex_trylock(go_rwmutex *m); /* 1 locked, 0 not */
GO_API void go_rwmutex_unlock(go_rwmutex *m);
GO_API void go_rwmutex_rlock(go_rwmutex *m);
GO_API int go_rwmutex_tryrlock(go_rwmutex *m); /* 1 locked, 0 not: also while a writer merely waits */
GO_API void go_rwmutex_runlock(go_rwmutex *m);

typedef struct {
    uint64_t opaque[5];
} go_cond;

/* Unlocks, waits, locks again. No spurious wake-ups (K1). */
GO_API void go_cond_wait(go_cond *c, go_mutex *m);
GO_API void go_cond_signal(go_cond *c);    /* the one that waits longest (K2) */
GO_API void go_cond_broadcast(go_cond *c); /* those that wait now (K3) */

typedef struct {
    uint64_t opaque[8];
} go_waitgroup;

/* A negative counter panics, the counter is unchanged; so does an add from 0 when a waiter of the last round was seen not
 * to have returned yet (A2). */
GO_API void go_waitgroup_add(go_waitgroup *w, int n);
GO_API void go_waitgroup_done(go_waitgroup *w);
GO_API void go_waitgroup_wait(go_waitgroup *w);
/* The counter. Out of date on return. */
GO_API int64_t go_waitgroup_count(go_waitgroup *w);
/* Add, spawn, and done when fn returned or exited; not after a panic (A4). Returns as go_spawn does. `w` must
 * outlive the goroutine. */
GO_API int go_waitgroup_go(go_waitgroup *w, void (*fn)(void *arg), const void *arg, size_t arg_bytes);

typedef struct {
    uint64_t opaque[5];
} go_once;

/* Calls fn once; every caller returns after it has ended, also if it panicked (O1, O2). Recursion deadlocks
 * (O3). */
GO_API void go_once_do(go_once *o, void (*fn)(void *arg), void *arg);

/* ---- tests of programs with time: bubbles ---- */

/*
 * Calls fn(arg) in a goroutine of its own in a new bubble and waits until all goroutines of the bubble have
 * ended. Those spawned in it belong to it; its clock starts at 946684800 s (2000-01-01 UTC) and jumps to the
 * next timer whenever all of them are durably blocked: on channels, select, cond, waitgroup of the bubble,
 * and sleep; not on a mutex or I/O (Z3). Using a channel, timer or wait group of a bubble from outside panics.
 *     0          all ended
 *     -EDEADLK   all that are left are blocked and there is no timer; they have been unwound as by go_exit
 *     -EINVAL    called from within a bubble
 *     -ENOMEM, -EAGAIN, -ESRCH   as go_spawn
 */
GO_API int go_bubble(void (*fn)(void *arg), void *arg);

/* Waits until every other goroutine of this bubble is durably blocked. Outside a bubble it panics. */
GO_API void go_bubble_wait(void);

/* ---- looking inside ---- */

struct go_stats {
    uint64_t spawned, ended, switches, steals, wakeups, timers_fired;
    int64_t live, parked, stacks_bytes;
    int procs, procs_extra; /* extra: stealing from hogs right now */
    uint64_t parks;         /* waits that gave the processor away */
};
/* Counters since the start, each exact, not of one instant together. Any thread. */
GO_API void go_stats_read(struct go_stats *out);

/* Writes one paragraph per goroutine to the descriptor: id, state, reason and age of the wait, function,
 * place of the spawn, stack. 0, or a negative errno value of write. */
GO_API int go_dump(int fd);

#ifdef __cplusplus
}
#endif
#endif
