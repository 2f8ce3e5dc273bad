/*
 * A cache: so many entries at most, the oldest gives way, and none is older than so long. Time is looked at when somebody
 * calls; nobody runs for it.
 *
 * Invariants, inside the monitor: an entry is in the table and in `ages`, or nowhere. All live equally long, so `ages`, by
 * time of the put, is by time of expiry, too: what has expired is in front.
 */
#define HASH_NONFATAL_OOM 1 /* a refused insert is an outcome (-ENOMEM), not an exit */
#include <uthash.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor.h"

struct entry {
    UT_hash_handle hh;
    struct list age; /* of the cache, or of those that are to be freed */
    int64_t expires_ns;
    _Alignas(16) unsigned char bytes[]; /* the value, then the key */
};

struct go_cache {
    struct monitor m;
    _Atomic int holders;
    size_t value_bytes, most;
    int64_t ttl_ns;
    /* inside the monitor */
    struct entry *table;
    struct list ages;
};

go_cache *go_cache_new(size_t value_bytes, size_t most, int64_t ttl_ns)
{
    go_cache *c;

    if (most < 1 || ttl_ns < 1)
        go_panic("go_cache_new: %zu entries for %lld ns", most, (long long)ttl_ns);
    c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    monitor_init(&c->m, "cache");
    atomic_store(&c->holders, 1);
    c->value_bytes = value_bytes;
    c->most = most;
    c->ttl_ns = ttl_ns;
    list_init(&c->ages);
    return c;
}

go_cache *go_cache_ref(go_cache *c)
{
    atomic_fetch_add(&c->holders, 1);
    return c;
}

/* Inside: out of the cache, to be freed outside. */
static void entry_leave(go_cache *c, struct entry *e, struct list *left)
{
    HASH_DEL(c->table, e);
    list_remove(&e->age);
    list_append(left, &e->age);
}

static void entries_free(struct list *left)
{
    struct entry *e, *after;

    list_each_safe (e, after, left, age)
        free(e);
}

go_cache *go_cache_unref(go_cache *c)
{
    struct list left;

    if (!c || atomic_fetch_sub(&c->holders, 1) > 1)
        return NULL;
    list_init(&left);
    while (!list_empty(&c->ages))
        entry_leave(c, list_first(&c->ages, struct entry, age), &left);
    entries_free(&left);
    free(c);
    return NULL;
}

/* ---- inside the monitor ---- */

static void expire(go_cache *c, struct list *left)
{
    int64_t now = go_now_ns();
    struct entry *e;

    while ((e = list_first(&c->ages, struct entry, age)) && e->expires_ns <= now)
        entry_leave(c, e, left);
}

static struct entry *find(const go_cache *c, go_key key)
{
    struct entry *e;

    HASH_FIND(hh, c->table, key.data, key.bytes, e);
    return e;
}

/* In place of one under the same key, or of the oldest if there is no room. */
static int insert(go_cache *c, struct entry *e, size_t key_bytes, struct list *left)
{
    unsigned char *key = e->bytes + c->value_bytes;
    struct entry *old = find(c, go_key_make(key, key_bytes));

    if (!old && HASH_COUNT(c->table) >= c->most)
        old = list_first(&c->ages, struct entry, age);
    if (old)
        entry_leave(c, old, left);
    HASH_ADD_KEYPTR(hh, c->table, key, key_bytes, e);
    if (!e->hh.tbl)
        return -ENOMEM;
    if (__builtin_add_overflow(go_now_ns(), c->ttl_ns, &e->expires_ns))
        e->expires_ns = INT64_MAX;
    list_append(&c->ages, &e->age);
    return 0;
}

/* ---- calls ---- */

int go_cache_put(go_cache *c, go_key key, const void *value)
{
    struct list left;
    struct entry *e;
    int r;

    if (key.bytes > GO_KEY_BYTES_MAX)
        return -EINVAL;
    e = calloc(1, sizeof *e + c->value_bytes + key.bytes);
    if (!e)
        return -ENOMEM;
    if (c->value_bytes)
        memcpy(e->bytes, value, c->value_bytes);
    memcpy(e->bytes + c->value_bytes, key.data, key.bytes);
    list_init(&left);
    monitor_enter(&c->m);
    expire(c, &left);
    r = insert(c, e, key.bytes, &left);
    monitor_leave(&c->m);
    entries_free(&left);
    if (r < 0)
        free(e);
    return r;
}

int go_cache_get(go_cache *c, go_key key, void *value)
{
    struct list left;
    struct entry *e;

    list_init(&left);
    monitor_enter(&c->m);
    expire(c, &left);
    e = find(c, key);
    if (e && value && c->value_bytes)
        memcpy(value, e->bytes, c->value_bytes);
    monitor_leave(&c->m);
    entries_free(&left);
    return e != NULL;
}

int go_cache_remove(go_cache *c, go_key key)
{
    struct list left;
    struct entry *e;

    list_init(&left);
    monitor_enter(&c->m);
    expire(c, &left);
    e = find(c, key);
    if (e)
        entry_leave(c, e, &left);
    monitor_leave(&c->m);
    entries_free(&left);
    return e != NULL;
}

size_t go_cache_len(go_cache *c)
{
    struct list left;
    size_t n;

    list_init(&left);
    monitor_enter(&c->m);
    expire(c, &left);
    n = HASH_COUNT(c->table);
    monitor_leave(&c->m);
    entries_free(&left);
    return n;
}
