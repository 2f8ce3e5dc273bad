/*
 * Streams: tasks that run beside each other and deliver one after the other, in the order in which they were started. Who
 * finishes delivers what is due, unless another is at it: then that one will find it.
 *
 * Invariants, under the lock: tasks are in the list in their order, from their start until they are delivered; while
 * nobody delivers, the first is not done. A task holds the stream and one of its slots.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "g.h"
#include "launch.h"
#include "scope.h"
#include "waiting.h"

struct go_stream {
    _Atomic int refs;
    go_scope *scope;
    go_semaphore slots;
    size_t result_bytes;
    void (*deliver)(const void *result, void *arg);
    void *arg;
    struct lock lock;
    struct list tasks; /* lock */
    bool delivering;   /* lock */
    bool broken;       /* who delivers: a delivery has not returned */
};

struct task {
    struct list link; /* lock of the stream */
    go_stream *stream;
    void (*fn)(void *result, void *arg);
    void *arg, *result;
    bool done; /* lock */
    bool ok;   /* it returned */
};

go_stream *go_stream_new(go_scope *scope, int tasks_max, size_t result_bytes,
                         void (*deliver)(const void *result, void *arg), void *arg)
{
    go_stream *s;

    if (tasks_max < 1)
        go_panic("go_stream_new: %d tasks at once", tasks_max);
    s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    atomic_store(&s->refs, 1);
    s->scope = scope;
    s->slots.size = tasks_max;
    s->result_bytes = result_bytes;
    s->deliver = deliver;
    s->arg = arg;
    list_init(&s->tasks);
    return s;
}

go_stream *go_stream_ref(go_stream *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

go_stream *go_stream_unref(go_stream *s)
{
    if (s && atomic_fetch_sub(&s->refs, 1) == 1)
        free(s);
    return NULL;
}

static struct task *task_delete(struct task *t)
{
    go_stream *s = t->stream;

    free(t);
    go_semaphore_release(&s->slots, 1);
    go_stream_unref(s);
    return NULL;
}

DEFINE_CLEANUP(struct task *, task_delete)
DEFINE_CLEANUP(go_stream *, go_stream_unref)

/* ---- delivering ---- */

static bool delivery_begin(go_stream *s)
{
    bool mine;

    lock_take(&s->lock, RANK_CHAN);
    mine = !s->delivering;
    s->delivering = true;
    lock_drop(&s->lock);
    return mine;
}

/* The next that is due, out of the list; NULL: the delivery is over. */
static struct task *delivery_next(go_stream *s)
{
    struct task *t;

    lock_take(&s->lock, RANK_CHAN);
    t = list_first(&s->tasks, struct task, link);
    if (t && t->done) {
        list_remove(&t->link);
    } else {
        s->delivering = false;
        t = NULL;
    }
    lock_drop(&s->lock);
    return t;
}

/* A delivery that panics or exits leaves the stream broken. */
static void task_deliver(go_stream *s, struct task *t)
{
    _cleanup_(task_deletep) struct task *mine = t;

    if (!t->ok || s->broken)
        return;
    s->broken = true;
    s->deliver(t->result, s->arg);
    s->broken = false;
}

/* Runs what is due through without delivering it: the stream is broken. */
static void delivery_stop(go_stream **p)
{
    struct task *t;

    while (*p && (t = delivery_next(*p)))
        task_delete(t);
}

/* The caller holds the stream. */
static void stream_deliver(go_stream *s)
{
    _cleanup_(delivery_stop) go_stream *at_work = NULL;
    struct task *t;

    if (!delivery_begin(s))
        return;
    at_work = s;
    while ((t = delivery_next(s)))
        task_deliver(s, t);
    at_work = NULL;
}

/* ---- tasks ---- */

/* Once it is done, whoever delivers may free the task and what it holds. */
static void task_end(void *p)
{
    struct task *t = p;
    _cleanup_(go_stream_unrefp) go_stream *s = go_stream_ref(t->stream);

    lock_take(&s->lock, RANK_CHAN);
    t->done = true;
    lock_drop(&s->lock);
    stream_deliver(s);
}

static void task_run(void *p)
{
    struct task *t = p;

    go_defer(task_end, t);
    t->fn(t->result, t->arg);
    t->ok = true;
}

static struct task *task_new(go_stream *s, const void *arg, size_t arg_bytes)
{
    size_t place = (sizeof(struct task) + 15) & ~(size_t)15;
    void *copy;
    struct task *t = arg_block(place + s->result_bytes, arg, arg_bytes, &copy);

    if (!t)
        return NULL;
    t->stream = go_stream_ref(s);
    t->arg = copy;
    t->result = (unsigned char *)t + place;
    return t;
}

static void task_list(go_stream *s, struct task *t)
{
    lock_take(&s->lock, RANK_CHAN);
    list_append(&s->tasks, &t->link);
    lock_drop(&s->lock);
}

int go_stream_go(go_stream *s, void (*fn)(void *result, void *arg), const void *arg, size_t arg_bytes,
                 go_until until)
{
    struct task *t;
    int r;

    if (arg_bytes > GO_ARG_BYTES_MAX)
        return -EINVAL;
    r = go_semaphore_acquire(&s->slots, 1, until);
    if (r < 0)
        return r;
    t = task_new(s, arg, arg_bytes);
    if (!t) {
        go_semaphore_release(&s->slots, 1);
        return -ENOMEM;
    }
    t->fn = fn;
    task_list(s, t);
    r = scope_spawn(s->scope, task_run, t, 0, "go_stream_go", __builtin_return_address(0));
    if (r < 0)
        task_end(t); /* it did not return, so it is passed over */
    return r;
}
