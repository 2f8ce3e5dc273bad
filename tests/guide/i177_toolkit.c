/*
 * G177 between processes: every primitive that the client library offers, by name and in its shortest use, by three
 * processes at once.
 *
 * Pattern: the toolkit.
 */
#include "goclient_context.h"
#include "parts.h"

enum { PROCESSES = 3 };

static void hello(struct part *me)
{
    leave_result(me, "hello");
}

static bool goroutine(struct part *me)
{
    return gc_wait(me->g, submit_part(me, "hello", 0), NULL, GC_FOREVER) == 1;
}

/* Each sends one and receives one, whoever sent it. */
static bool channel(struct part *me)
{
    int number;

    send_number(me, chan_of(me, "c"), 7);
    return recv_number(me, chan_of(me, "c"), &number) && number == 7;
}

static bool select_one(struct part *me)
{
    struct gc_value v = {0};
    struct gc_case cases[] = {gc_case_recv(chan_of(me, "empty"), &v),
                              gc_case_send(chan_of(me, "c"), gc_string("7"))};
    int number;

    return gc_select(me->g, cases, 2, 0, GC_FOREVER) == 1 && recv_number(me, chan_of(me, "c"), &number) &&
           number == 7;
}

static bool mutex(struct part *me)
{
    uint64_t token, other;

    return gc_lock(me->g, "mutex", &token, 0, GC_FOREVER) == 0 &&
           gc_lock(me->g, "mutex", &other, 0, GC_NOW) == -EAGAIN &&
           gc_unlock(me->g, "mutex", token, 0, GC_FOREVER) == 0;
}

static bool rwmutex(struct part *me)
{
    uint64_t token;

    return gc_rlock(me->g, "rwmutex", GC_FOREVER) == 0 &&
           gc_rwlock(me->g, "rwmutex", &token, 0, GC_NOW) == -EAGAIN &&
           gc_runlock(me->g, "rwmutex", GC_FOREVER) == 0;
}

static bool waitgroup(struct part *me)
{
    return gc_wg_add(me->g, "group", 1, 0, NULL, GC_FOREVER) == 0 &&
           gc_wg_done(me->g, "group", 1, GC_FOREVER) == 0 &&
           gc_wg_wait(me->g, "group", 0, NULL, GC_FOREVER) == 0;
}

static int count_run(void *arg)
{
    struct part *me = arg;

    return gc_counter_add(me->g, "runs", 1, NULL, GC_FOREVER);
}

static bool once(struct part *me)
{
    int64_t runs = 0;

    return gc_once(me->g, "once", count_run, me, GC_FOREVER) == 0 &&
           gc_counter_add(me->g, "runs", 0, &runs, GC_FOREVER) == 0 && runs == 1;
}

/* The last one raises the flag that the others wait for. */
static bool cond(struct part *me)
{
    int64_t up = 0;
    uint64_t token;

    must(gc_lock(me->g, "flag", &token, 0, GC_FOREVER) == 0);
    if (me->index == PROCESSES - 1)
        must(gc_counter_add(me->g, "up", 1, &up, GC_FOREVER) == 0 &&
             gc_cond_broadcast(me->g, "raised", GC_FOREVER) >= 0);
    while (gc_counter_add(me->g, "up", 0, &up, GC_FOREVER) == 0 && up == 0)
        must(gc_cond_wait(me->g, "raised", "flag", &token, GC_FOREVER) == 0);
    return gc_unlock(me->g, "flag", token, 0, GC_FOREVER) == 0 && up == 1;
}

static bool context(struct part *me)
{
    struct gc_context_cause cause;
    gc_ctx *ctx;
    bool ok = gc_context_new(me->g, &ctx, GC_FOREVER) == 0 &&
              gc_context_cancel(ctx, -EIO, NULL, GC_FOREVER) == 1 && gc_context_wait(ctx, GC_FOREVER) == 0 &&
              gc_context_cause(ctx, &cause) == 1 && cause.code == -EIO;

    gc_ctx_free(ctx);
    return ok;
}

/* Those that processes have in common are counters. */
static bool atomics(struct part *me)
{
    int64_t n = 0;

    return gc_counter_add(me->g, "n", 1, NULL, GC_FOREVER) == 0 &&
           gc_counter_wait(me->g, "n", PROCESSES, &n, GC_FOREVER) == 0 && n == PROCESSES;
}

static bool semaphore(struct part *me)
{
    return gc_sem_acquire(me->g, "semaphore", PROCESSES, 1, GC_FOREVER) == 0 &&
           gc_sem_release(me->g, "semaphore", 1, GC_FOREVER) == 0;
}

static bool group(struct part *me)
{
    int error = 0;

    return gc_group_start(me->g, "errors", -1, GC_FOREVER) == 0 &&
           gc_group_end(me->g, "errors", -EIO, GC_FOREVER) == 0 &&
           gc_barrier_wait(me->g, "ended", PROCESSES, GC_FOREVER) >= 0 &&
           gc_group_wait(me->g, "errors", &error, GC_FOREVER) == GC_MEMBER_FAILED && error == -EIO;
}

static int look_up(void *unused, struct gc_value *value)
{
    (void)unused;
    *value = gc_string("42");
    return 0;
}

static bool singleflight(struct part *me)
{
    struct gc_value v = {0};
    bool ok = gc_flight_do(me->g, "key", &(struct gc_flight){look_up, NULL}, &v, NULL, GC_FOREVER) == 0 &&
              number_of(&v) == 42;

    gc_value_clear(&v);
    return ok;
}

static const struct {
    const char *name;
    bool (*works)(struct part *me);
} primitives[] = {
    {"goroutine", goroutine},
    {"channel", channel},
    {"select", select_one},
    {"mutex", mutex},
    {"RW mutex", rwmutex},
    {"wait group", waitgroup},
    {"once", once},
    {"cond", cond},
    {"context", context},
    {"atomics", atomics},
    {"semaphore", semaphore},
    {"error group", group},
    {"singleflight", singleflight},
};

static void user(struct part *me)
{
    static const char *const counters[] = {"runs", "up", "n"};

    for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++) {
        bool works = primitives[i].works(me);

        say(me, "%s: %s", primitives[i].name, works ? "OK" : "does not work");
        must(gc_barrier_wait(me->g, "next", PROCESSES, GC_FOREVER) >= 0);
    }
    if (me->index > 0)
        return;
    must(gc_sync_reset(me->g, GC_SYNC_ONCE, "once", GC_FOREVER) == 0);
    must(gc_sync_reset(me->g, GC_SYNC_ERRGROUP, "errors", GC_FOREVER) == 0);
    for (int i = 0; i < 3; i++)
        must(gc_sync_reset(me->g, GC_SYNC_COUNTER, counters[i], GC_FOREVER) == 0);
}

/* "it needs the public headers alone": goclient.h, which parts.h includes, and goclient_context.h. */
static void toolkit(void)
{
    /* "the client library offers the same set, one OK each for three processes at once"; a map and a pool are memory */
    for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++)
        must(said_times("%s: OK", primitives[i].name) == PROCESSES);
}

GUIDE_PARTS(G177, toolkit, .channels = {{"c", {.capacity = PROCESSES}}, {"empty"}},
            .parts = {PARTS(PROCESSES, user), PART_WITH(hello, .on_call = true)});
