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

/* ---- keys ---- */

/* Bytes that name something; not NULL. Read during the call alone. */
typedef struct {
    const void *data;
    size_t bytes;
} go_key;

#define GO_KEY_BYTES_MAX 65536u

static inline go_key go_key_make(const void *data, size_t bytes)
{
    go_key key;
    key.data = data;
    key.bytes = bytes;
    return key;
}

/* A text, without its end. */
static inline go_key go_key_text(const char *text)
{
    return go_key_make(text, __builtin_strlen(text));
}

/* The bytes of a variable: a number, a pointer, a struct without padding. */
#define GO_KEY(variable) go_key_make(&(variable), sizeof(variable))

/* ---- values of a context with a type ---- */

/*
 * At the top of a file: a key for values of one type, and what is used with it:
 *     go_ctx *NAME_with(go_ctx *parent, TYPE *value, void (*drop)(void *));      as go_ctx_with_value
 *     TYPE *NAME_of(const go_ctx *ctx);                                          the nearest one, NULL for none
 * Another type does not compile, and nobody else has the key, whatever theirs is called (X10).
 */
#define GO_CTX_KEY(NAME, TYPE)                                                                               \
    static char NAME##_key;                                                                                  \
    __attribute__((unused)) static inline go_ctx *NAME##_with(go_ctx *go_parent_, TYPE *go_value_,           \
                                                              void (*go_drop_)(void *))                      \
    {                                                                                                        \
        return go_ctx_with_value(go_parent_, &NAME##_key, go_value_, go_drop_);                              \
    }                                                                                                        \
    __attribute__((unused)) static inline TYPE *NAME##_of(const go_ctx *go_ctx_)                             \
    {                                                                                                        \
        return (TYPE *)go_ctx_value(go_ctx_, &NAME##_key);                                                   \
    }

/* ---- semaphore ---- */

/* So many units; ready when the rest is zero: go_semaphore s = {.size = 6}. Must not be copied or moved after first use. */
typedef struct {
    int64_t size;
    uint64_t opaque[7];
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
    uint64_t opaque[20];
} go_errgroup;

/* At most so many members at once; 0 refuses all, less is no limit, as when zeroed. Panics while members run (E3). */
GO_API void go_errgroup_limit(go_errgroup *e, int members_max);

/*
 * Gives the group a context below `parent`, which ends at the first error, with that error as its cause, or when
 * go_errgroup_wait returns or is unwound (E2). The caller unrefs the answer, whenever it likes. The group holds the
 * context until that wait: a group that is given up keeps it, so who may leave early defers the wait. Before the first
 * member; a second one panics. NULL: out of memory.
 */
GO_API go_ctx *go_errgroup_ctx(go_errgroup *e, go_ctx *parent);

/*
 * Starts a member; `arg` is copied as by go_spawn. With a limit it waits for a slot until `until`; GO_NOW is -EAGAIN when
 * there is none (E3). What fn returns is its error, 0 for none. A panic in it ends the program, and no wait returns before
 * that (P4); in a job it is kept for the wait, ends the group's context, with its text as the cause, and the other members
 * go on (E4). Otherwise as go_spawn.
 */
GO_API int go_errgroup_go(go_errgroup *e, int (*fn)(void *arg), const void *arg, size_t arg_bytes,
                          go_until until);

/*
 * Waits for all members and returns the first error, 0 for none; who ignores it is warned. The error stays: zero the
 * group for a new one. Unwinds when the scope of the goroutine ends. In a job it panics if a member has: with the text and
 * the stack of the first panic, once; later calls return -ECANCELED as that member's error. Where nobody waits that panic
 * ends the job after all, when all its goroutines have ended (E4).
 */
GO_API int go_errgroup_wait(go_errgroup *e) __attribute__((warn_unused_result));

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

/* ---- scope ---- */

/* Goroutines that end before the call that started them returns. */
typedef struct go_scope go_scope;

/*
 * Calls body(scope, arg) and returns what that returned, after it and all that was spawned in the scope have ended: by no
 * way is a scope left before, not by a panic either, nor by the end of the job. A body that leaves early, by a result other
 * than 0 (the cause then), a panic or an exit, cancels the scope's context first. The panic of a child that go_scope_wait
 * has not told of is raised here. `parent` (NULL: none) is the context above the scope's. -ENOMEM: body was not called.
 */
GO_API int go_scope_run(int (*body)(go_scope *scope, void *arg), void *arg, go_ctx *parent);

/* Starts a child, as go_spawn. By the body or another child. */
GO_API int go_scope_spawn(go_scope *scope, void (*fn)(void *arg), const void *arg, size_t arg_bytes);

/* The scope's context, for the children to look at. Not counted: it lives as long as the scope. */
GO_API go_ctx *go_scope_ctx(const go_scope *scope);

/* The first panic of a child, with its stack, one line a frame. Both texts live as long as the scope. */
struct go_scope_panic {
    uint64_t goroutine;
    const char *text, *stack;
};

/*
 * By the body: waits until all children that were spawned so far have ended. 0, or 1: one has panicked, and *panic says
 * how; the others went on to their ends. With NULL it panics with text and stack instead. Each panic is told once. Unwinds
 * when the scope of the goroutine's job ends.
 */
GO_API int go_scope_wait(go_scope *scope, struct go_scope_panic *panic);

/* ---- stream: results in order ---- */

/* Tasks that run beside each other in a scope, and whose results come one after the other in the order of their start. */
typedef struct go_stream go_stream;

/*
 * At most tasks_max tasks are started and not delivered; less than 1 panics. deliver(result, arg) is called with
 * `result_bytes` bytes, by one goroutine at a time, as soon as a task and all before it have ended; it may wait. A task
 * that panics or exits is passed over; after a deliver that does, nothing more is delivered: go_scope_wait tells of both.
 * All is delivered when go_scope_wait or go_scope_run returns. The stream may be released before. NULL: out of memory.
 */
GO_API go_stream *go_stream_new(go_scope *scope, int tasks_max, size_t result_bytes,
                                void (*deliver)(const void *result, void *arg), void *arg);
GO_API go_stream *go_stream_ref(go_stream *s);
GO_API go_stream *go_stream_unref(go_stream *s);

/* Starts fn(result, arg), which fills in the result, zeroed before; `arg` is copied as by go_spawn. Waits for its turn until
 * `until`; otherwise as go_spawn. */
GO_API int go_stream_go(go_stream *s, void (*fn)(void *result, void *arg), const void *arg, size_t arg_bytes,
                        go_until until);

/* ---- singleflight ---- */

/*
 * Calls that are made once for all who ask for the same at the same time. Values are `value_bytes` each, copied to every
 * caller. Ready when the rest is zero. Must not be copied or moved after first use, nor end before its flights.
 */
typedef struct {
    size_t value_bytes;
    uint64_t opaque[5];
} go_singleflight;

/*
 * Calls fn(value, arg), which fills in the value, zeroed before, and returns 0 or its error; or waits for the call under
 * that key that another has begun. Either way stores the value (`value` may be NULL) and, in *shared (may be NULL),
 * whether others got it, too, and returns what fn returned (SF1). A panic of fn goes to every caller, an exit ends every
 * caller (SF3). Waiting unwinds when the scope of the goroutine ends. -EINVAL: key too long. -ENOMEM.
 */
GO_API int go_singleflight_do(go_singleflight *f, go_key key, int (*fn)(void *value, void *arg), void *arg,
                              void *value, int *shared);

/* What a channel of go_singleflight_chan carries: this, and the value behind it, as in struct { struct go_flight flight;
 * struct row row; }. */
struct go_flight {
    int result; /* what fn returned; -ECANCELED if it has exited, or as go_spawn */
    int shared;
} __attribute__((aligned(16)));

/*
 * The same without waiting: a channel that gets one answer and is never closed (SF1); the caller unrefs it, at any time.
 * fn runs in a goroutine, `arg` is copied as by go_spawn. If fn panics, nobody can recover that (SF3). `from` is NULL:
 * key too long, out of memory.
 */
GO_API go_receiver go_singleflight_chan(go_singleflight *f, go_key key, int (*fn)(void *value, void *arg),
                                        const void *arg, size_t arg_bytes);

/* The next call under that key begins a new flight, whatever becomes of the one under way (SF2). */
GO_API void go_singleflight_forget(go_singleflight *f, go_key key);

/* ---- map ---- */

/*
 * A map that many use at once. A value is `value_bytes`, copied in and out as by a channel; keys are copied, too. Any
 * thread, also while the runtime does not run. Nothing here waits for other goroutines.
 */
typedef struct go_map go_map;

/* NULL: out of memory. The values of the last _unref go without notice. */
GO_API go_map *go_map_new(size_t value_bytes);
GO_API go_map *go_map_ref(go_map *m);
GO_API go_map *go_map_unref(go_map *m);

/* 1 there, and its value at `value` (NULL: not wanted); 0 missing, `value` untouched. The second removes it, too. */
GO_API int go_map_load(go_map *m, go_key key, void *value);
GO_API int go_map_load_and_delete(go_map *m, go_key key, void *value);

/* Puts the value there, in place of an old one. 0, -ENOMEM, -EINVAL: key longer than GO_KEY_BYTES_MAX. */
GO_API int go_map_store(go_map *m, go_key key, const void *value);

/* The same; 1 there was one, now at `old` (NULL: not wanted), 0 there was none. */
GO_API int go_map_swap(go_map *m, go_key key, const void *value, void *old);

/* 1 it was there: `value` is now its value; 0 it was not: `value` is stored. Otherwise as go_map_store. */
GO_API int go_map_load_or_store(go_map *m, go_key key, void *value);

/* 1 done: the value there was, byte for byte, `old`; 0 another, or none. */
GO_API int go_map_compare_and_swap(go_map *m, go_key key, const void *old, const void *value);
GO_API int go_map_compare_and_delete(go_map *m, go_key key, const void *old);

/* Keys there are. Out of date on return. */
GO_API size_t go_map_len(const go_map *m);

/* Key and value are copies, valid during the call. */
typedef int (*go_map_fn)(go_key key, const void *value, void *arg);

/*
 * Calls fn for every key that is there all the time, once at most for any (V2); fn may use the map and wait. Ends when fn
 * returns other than 0, and returns that. -ENOMEM.
 */
GO_API int go_map_range(go_map *m, go_map_fn fn, void *arg);

/* ---- pool ---- */

/* Items for reuse, such as buffers. Any thread. */
typedef struct go_pool go_pool;

#define GO_POOL_ITEMS_MAX 1024 /* kept; what is put beyond that may be dropped */

/* `make` (NULL: get may answer NULL) and `drop` (NULL: nothing to do) are called with no lock held. NULL: out of memory.
 * The last _unref drops all that is kept. */
GO_API go_pool *go_pool_new(void *(*make)(void *arg), void (*drop)(void *item), void *arg);
GO_API go_pool *go_pool_ref(go_pool *p);
GO_API go_pool *go_pool_unref(go_pool *p);

/* An item that is the caller's alone: one that was put, in no order, or what make(arg) returns, also NULL (V3). */
GO_API void *go_pool_get(go_pool *p);

/* Gives an item back, whoever got it, or adds one. NULL is ignored. */
GO_API void go_pool_put(go_pool *p, void *item);

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
