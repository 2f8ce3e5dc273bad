/*
 * G177 Every primitive there is, by name and in its shortest use.
 *
 * Pattern: the toolkit.
 */
#include "goroutine_sync.h"
#include "guide.h"

static void send_one(void *c)
{
    must(go_chan_send(c, &(int){1}, GO_FOREVER) == 0);
}

static bool goroutine_and_channel(void)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    int one = 0;
    bool ok = go_spawn(send_one, c, 0) == 0 && go_chan_recv(c, &one, GO_FOREVER) == 1 && one == 1;

    go_chan_unref(c);
    return ok;
}

static bool channel(void)
{
    go_chan *c = go_chan_new(sizeof(int), 2);
    int value;
    bool ok = go_chan_send(c, &(int){7}, GO_NOW) == 0 && go_chan_close(c) == 0 &&
              go_chan_recv(c, &value, GO_NOW) == 1 && value == 7 && go_chan_recv(c, &value, GO_NOW) == 0;

    go_chan_unref(c);
    return ok;
}

static bool select_one(void)
{
    go_chan *empty = go_chan_new(0, 0), *full = go_chan_new(0, 1);
    struct go_case cases[] = {GO_RECV(empty, NULL), GO_RECV(full, NULL)};
    bool ok = go_chan_send(full, NULL, GO_NOW) == 0 && go_select(cases, 2, GO_FOREVER) == 1;

    go_chan_unref(empty);
    go_chan_unref(full);
    return ok;
}

static bool mutex(void)
{
    go_mutex m = {0};
    bool free_again;

    go_mutex_lock(&m);
    must(go_mutex_trylock(&m) == 0);
    go_mutex_unlock(&m);
    free_again = go_mutex_trylock(&m) == 1;
    go_mutex_unlock(&m);
    return free_again;
}

static bool rwmutex(void)
{
    go_rwmutex m = {0};
    bool shared, excluded;

    go_rwmutex_rlock(&m);
    shared = go_rwmutex_tryrlock(&m) == 1;
    excluded = go_rwmutex_trylock(&m) == 0;
    go_rwmutex_runlock(&m);
    go_rwmutex_runlock(&m);
    return shared && excluded;
}

static void add_one(void *n)
{
    atomic_fetch_add((atomic_int *)n, 1);
}

static bool waitgroup(void)
{
    go_waitgroup all = {0};
    atomic_int n = 0;

    for (int i = 0; i < 3; i++)
        must(go_waitgroup_go(&all, add_one, &n, 0) == 0);
    go_waitgroup_wait(&all);
    return atomic_load(&n) == 3;
}

static bool once(void)
{
    go_once o = {0};
    atomic_int n = 0;

    go_once_do(&o, add_one, &n);
    go_once_do(&o, add_one, &n);
    return atomic_load(&n) == 1;
}

struct flag {
    go_mutex lock;
    go_cond raised;
    bool up; /* lock */
};

static void raise_flag(void *arg)
{
    struct flag *flag = arg;

    go_mutex_lock(&flag->lock);
    flag->up = true;
    go_cond_signal(&flag->raised);
    go_mutex_unlock(&flag->lock);
}

static bool cond(void)
{
    struct flag flag = {0};

    go_mutex_lock(&flag.lock);
    must(go_spawn(raise_flag, &flag, 0) == 0);
    while (!flag.up)
        go_cond_wait(&flag.raised, &flag.lock);
    go_mutex_unlock(&flag.lock);
    until_live(1);
    return flag.up;
}

static bool context(void)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    bool ok = go_ctx_err(ctx) == 0;

    go_ctx_cancel(ctx, 0, NULL);
    ok = ok && go_ctx_wait(ctx, GO_FOREVER) == 0 && go_ctx_err(ctx) == -ECANCELED;
    go_ctx_unref(ctx);
    return ok;
}

/* Those of C: no library is needed. */
static bool atomics(void)
{
    atomic_int n = 41;

    return atomic_fetch_add(&n, 1) == 41 && atomic_load(&n) == 42;
}

static bool map(void)
{
    go_map *m = go_map_new(sizeof(int));
    int value = 0;
    bool ok = go_map_store(m, go_key_text("answer"), &(int){42}) == 0 &&
              go_map_load(m, go_key_text("answer"), &value) == 1 && value == 42;

    go_map_unref(m);
    return ok;
}

static bool pool(void)
{
    go_pool *p = go_pool_new(NULL, NULL, NULL);
    int item;
    bool ok;

    go_pool_put(p, &item);
    ok = go_pool_get(p) == &item && go_pool_get(p) == NULL;
    go_pool_unref(p);
    return ok;
}

static bool semaphore(void)
{
    go_semaphore s = {.size = 2};
    bool ok = go_semaphore_acquire(&s, 2, GO_NOW) == 0 && go_semaphore_acquire(&s, 1, GO_NOW) == -EAGAIN;

    go_semaphore_release(&s, 2);
    return ok;
}

static int fail(void *arg)
{
    (void)arg;
    return -EIO;
}

static bool group(void)
{
    go_errgroup e = {0};

    must(go_errgroup_go(&e, fail, NULL, 0, GO_FOREVER) == 0);
    return go_errgroup_wait(&e) == -EIO;
}

static int look_up(void *value, void *arg)
{
    *(int *)value = *(int *)arg;
    return 0;
}

static bool singleflight(void)
{
    go_singleflight f = {.value_bytes = sizeof(int)};
    int value = 0;

    return go_singleflight_do(&f, go_key_text("key"), look_up, &(int){42}, &value, NULL) == 0 && value == 42;
}

static const struct {
    const char *name;
    bool (*works)(void);
} primitives[] = {
    {"goroutine", goroutine_and_channel},
    {"channel", channel},
    {"select", select_one},
    {"mutex", mutex},
    {"RW mutex", rwmutex},
    {"wait group", waitgroup},
    {"once", once},
    {"cond", cond},
    {"context", context},
    {"atomics", atomics},
    {"map", map},
    {"pool", pool},
    {"semaphore", semaphore},
    {"error group", group},
    {"singleflight", singleflight},
};

/* "it needs the public headers alone": goroutine.h, which guide.h includes, and goroutine_sync.h. */
static void toolkit(void)
{
    for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++)
        say("%s: %s", primitives[i].name, primitives[i].works() ? "OK" : "does not work");
    /* "one OK each: goroutine, channel, select, mutex, RW mutex, wait group, once, cond, context, atomics, map, pool,
     * semaphore, error group, singleflight" */
    must(said(LINES("goroutine: OK", "channel: OK", "select: OK", "mutex: OK", "RW mutex: OK",
                    "wait group: OK", "once: OK", "cond: OK", "context: OK", "atomics: OK", "map: OK",
                    "pool: OK", "semaphore: OK", "error group: OK", "singleflight: OK")));
}

GUIDE_ROW(G177, toolkit);
