/* Invariants: a chunk is never freed while the runtime runs; a struct g is free exactly when its id is 0. */
#include "g.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "fatal.h"
#include "lock.h"
#include "tls.h"

enum { CHUNK_GS = 64, CACHE_MAX = 128, LOT = 32 };

struct chunk {
    struct chunk *next;
    struct g gs[CHUNK_GS];
};

/* Not static, only so that a debugger finds it by its name in every kind of build. */
struct {
    struct lock lock;
    struct g *free;
    int64_t made, used; /* lock: of those in chunks; what lies in a cache is used */
    _Atomic(struct chunk *) chunks;
    _Alignas(64) _Atomic uint64_t last_id;
} g_all;

static TLS struct thread *self;

ptrdiff_t thread_self_offset;

/* Before any constructor of the program could ask. */
__attribute__((constructor(101))) static void thread_self_find(void)
{
    thread_self_offset = tls_offset(&self);
}

TLS_GETTER_EXTERN void thread_set(struct thread *thread)
{
    TLS_BARRIER();
    self = thread;
    if (thread)
        thread->errno_at = &errno;
}

GO_API TLS_GETTER_EXTERN int *go_errno_location(void)
{
    TLS_BARRIER();
    return &errno;
}

/* Without the lock: the kernel gives its pages while they are cleared. */
static struct chunk *chunk_new(void)
{
    struct chunk *chunk = aligned_alloc(64, (sizeof *chunk + 63) & ~(size_t)63);

    if (chunk)
        memset(chunk, 0, sizeof *chunk);
    return chunk;
}

/* Lock held. */
static void chunk_add(struct chunk *chunk)
{
    for (int i = CHUNK_GS; i-- > 0;) {
        chunk->gs[i].queue = g_all.free;
        g_all.free = &chunk->gs[i];
    }
    g_all.made += CHUNK_GS;
    chunk->next = atomic_load_explicit(&g_all.chunks, memory_order_relaxed);
    atomic_store_explicit(&g_all.chunks, chunk, memory_order_release);
}

/* All but what outlives the goroutine: `wait` counts on. */
static void g_clear(struct g *g)
{
    atomic_store_explicit(&g->token, TOKEN_NONE, memory_order_relaxed);
    atomic_store_explicit(&g->reason, "", memory_order_relaxed);
    atomic_store_explicit(&g->objects_n, 0, memory_order_relaxed);
    atomic_store_explicit(&g->timed, false, memory_order_relaxed);
    atomic_store_explicit(&g->yielded, false, memory_order_relaxed);
    g->durable = 0;
    g->thread = g->scope_told = g->system = g->face = false;
    g->begun = NULL;
    g->sp = NULL;
    g->stack = NULL;
    g->stack_class = 0;
    g->queue = NULL;
    g->tsan_fiber = NULL;
    g->saved_errno = 0;
    g->heed = 0;
    g->ran_on = -1;
    g->fn = NULL;
    g->arg = NULL;
    g->site = NULL;
    g->spawn_pc = NULL;
    g->group = NULL;
    g->bubble = NULL;
    list_init(&g->members);
    list_init(&g->bubble_members);
    g->name[0] = '\0';
    g->arg_owned = false;
}

/* Lock held. Up to `n` of the depot in a list; returns how many. */
static int depot_pop(struct g **list, int n)
{
    struct g **end = &g_all.free;
    int i = 0;

    while (i < n && *end) {
        end = &(*end)->queue;
        i++;
    }
    *list = g_all.free;
    g_all.free = *end;
    *end = NULL;
    g_all.used += i;
    return i;
}

/* `n` in a list, of which `last` is the last. */
static void depot_push(struct g *first, struct g *last, int n)
{
    lock_take(&g_all.lock, RANK_G);
    g_all.used -= n;
    last->queue = g_all.free;
    g_all.free = first;
    lock_drop(&g_all.lock);
}

/* Up to `n` in a list; returns how many, 0 without memory. */
static int depot_take(struct g **list, int n)
{
    struct chunk *chunk = NULL;
    int taken;

    for (;;) {
        lock_take(&g_all.lock, RANK_G);
        if (chunk)
            chunk_add(chunk);
        taken = depot_pop(list, n);
        lock_drop(&g_all.lock);
        if (taken > 0 || !(chunk = chunk_new()))
            return taken;
    }
}

static void cache_count(struct g_cache *cache, int n)
{
    atomic_store_explicit(&cache->n, atomic_load_explicit(&cache->n, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static struct g *cache_pop(struct g_cache *cache)
{
    struct g *g = cache->first;

    if (!g) {
        cache_count(cache, depot_take(&cache->first, LOT));
        g = cache->first;
    }
    if (g) {
        cache->first = g->queue;
        cache_count(cache, -1);
    }
    return g;
}

/* What a burst of ends leaves goes to the others, a lot at a time. */
static void cache_push(struct g_cache *cache, struct g *g)
{
    struct g *last = g;

    g->queue = cache->first;
    cache->first = g;
    cache_count(cache, 1);
    if (atomic_load_explicit(&cache->n, memory_order_relaxed) < CACHE_MAX)
        return;
    for (int i = 1; i < LOT; i++)
        last = last->queue;
    cache->first = last->queue;
    cache_count(cache, -LOT);
    depot_push(g, last, LOT);
}

static struct g *g_take(struct g_cache *cache)
{
    struct g *g = NULL;

    if (cache)
        g = cache_pop(cache);
    else
        depot_take(&g, 1);
    if (g)
        g_clear(g);
    return g;
}

struct g *g_new(struct g_cache *cache)
{
    struct g *g = g_take(cache);

    if (g)
        atomic_store_explicit(&g->id, atomic_fetch_add_explicit(&g_all.last_id, 1, memory_order_relaxed) + 1,
                              memory_order_release);
    return g;
}

struct g *g_new_idle(struct thread *t)
{
    struct g *g = g_take(NULL);

    if (!g)
        return NULL;
    g->thread = true;
    g->begun = &t->begun;
    t->idle = t->current = g;
    atomic_store_explicit(&g->id, (uint64_t)G_ID_THREAD, memory_order_release);
    return g;
}

void g_delete(struct g *g, struct g_cache *cache)
{
    if (g->arg_owned)
        free(g->arg);
    if (g->begun)
        free(g->begun->recovered);
    atomic_store_explicit(&g->id, 0, memory_order_release);
    if (cache)
        cache_push(cache, g);
    else
        depot_push(g, g, 1);
}

uint64_t g_last_id(void)
{
    return atomic_load(&g_all.last_id);
}

int64_t g_idle_bytes(int64_t cached)
{
    int64_t n;

    lock_take(&g_all.lock, RANK_G);
    n = g_all.made - g_all.used + cached;
    lock_drop(&g_all.lock);
    return n * (int64_t)sizeof(struct g);
}

int g_each(int (*fn)(struct g *g, void *arg), void *arg)
{
    for (struct chunk *c = atomic_load_explicit(&g_all.chunks, memory_order_acquire); c; c = c->next)
        for (int i = 0; i < CHUNK_GS; i++) {
            int r = atomic_load_explicit(&c->gs[i].id, memory_order_acquire) ? fn(&c->gs[i], arg) : 0;

            if (r)
                return r;
        }
    return 0;
}

static pthread_key_t face_key;
static pthread_once_t face_once = PTHREAD_ONCE_INIT;

/* At the end of a plain thread: nobody can wake it any more, its waits are over. */
static void face_delete(void *p)
{
    struct thread *t = p;

    thread_set(NULL);
    g_delete(t->idle, NULL);
    free(t);
}

static void face_init(void)
{
    pthread_key_create(&face_key, face_delete);
}

struct thread *thread_new(void)
{
    struct thread *t = calloc(1, sizeof *t);

    if (!t || !g_new_idle(t))
        fatal("no memory for the %s", "first wait of a thread");
    t->idle->face = true;
    pthread_once(&face_once, face_init);
    pthread_setspecific(face_key, t);
    thread_set(t);
    return t;
}

static bool chunk_has_faces(const struct chunk *c)
{
    for (int i = 0; i < CHUNK_GS; i++)
        if (atomic_load(&c->gs[i].id) == (uint64_t)G_ID_THREAD)
            return true;
    return false;
}

static void chunk_clear(struct chunk *c)
{
    for (int i = 0; i < CHUNK_GS; i++)
        if (atomic_load(&c->gs[i].id) && !c->gs[i].thread)
            g_delete(&c->gs[i], NULL);
}

/* Threads of the program may keep their faces: those chunks stay, for the next start. */
void g_release_all(void)
{
    struct chunk *c = atomic_load(&g_all.chunks), *kept = NULL;

    for (struct chunk *i = c; i; i = i->next)
        chunk_clear(i);
    g_all.free = NULL;
    g_all.used = 0; /* the caches are gone */
    while (c) {
        struct chunk *next = c->next;

        if (chunk_has_faces(c)) {
            c->next = kept;
            kept = c;
            for (int i = 0; i < CHUNK_GS; i++)
                if (atomic_load(&c->gs[i].id)) {
                    g_all.used++;
                } else {
                    c->gs[i].queue = g_all.free;
                    g_all.free = &c->gs[i];
                }
        } else {
            g_all.made -= CHUNK_GS;
            free(c);
        }
        c = next;
    }
    atomic_store(&g_all.chunks, kept);
    atomic_store(&g_all.last_id, 0);
}
