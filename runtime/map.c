/*
 * Concurrent map: shards by the hash of the key, each a hash table under a lock of its own.
 *
 * Invariants, under the shard's lock: an entry in the table is live; one that left it is dead for good, and its memory goes
 * with the last range that noted it. Values are copied under the lock, functions of the user are called without it.
 */
#define HASH_NONFATAL_OOM 1 /* a refused insert is an outcome (-ENOMEM), not an exit */
#include <uthash.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "g.h"
#include "goroutine_sync.h"
#include "lock.h"

enum {
    SHARDS = 32,
    SHARD_SHIFT = 27
}; /* the upper five bits of a hash of 32; the table uses the lower ones */

struct entry {
    UT_hash_handle hh;
    int holders; /* the table, and ranges */
    bool live;
    _Alignas(16) unsigned char bytes[]; /* the value, room up to 16, the key */
};

struct shard {
    _Alignas(64) struct lock lock;
    struct entry *table;
};

struct go_map {
    _Atomic int refs;
    size_t value_bytes, key_place;
    _Atomic size_t count;
    struct shard shard[SHARDS];
};

/* ---- life ---- */

go_map *go_map_new(size_t value_bytes)
{
    go_map *m = aligned_alloc(64, sizeof *m);

    if (!m)
        return NULL;
    memset(m, 0, sizeof *m);
    atomic_store(&m->refs, 1);
    m->value_bytes = value_bytes;
    m->key_place = (value_bytes + 15) & ~(size_t)15;
    return m;
}

go_map *go_map_ref(go_map *m)
{
    atomic_fetch_add(&m->refs, 1);
    return m;
}

static void shard_clear(struct shard *s)
{
    struct entry *e, *after;

    HASH_ITER (hh, s->table, e, after) {
        HASH_DEL(s->table, e);
        free(e);
    }
}

go_map *go_map_unref(go_map *m)
{
    if (!m || atomic_fetch_sub(&m->refs, 1) > 1)
        return NULL;
    for (int i = 0; i < SHARDS; i++)
        shard_clear(&m->shard[i]);
    free(m);
    return NULL;
}

size_t go_map_len(const go_map *m)
{
    return atomic_load(&((go_map *)m)->count);
}

/* ---- one key: its place, with the shard's lock ---- */

struct place {
    go_map *map;
    struct shard *shard;
    go_key key;
    unsigned hash;
    struct entry *entry; /* NULL: the key is missing */
};

/* Finds the key and takes the lock of its shard. */
static struct place place_take(go_map *m, go_key key)
{
    struct place p = {.map = m, .key = key};

    HASH_VALUE(key.data, key.bytes, p.hash);
    p.shard = &m->shard[p.hash >> SHARD_SHIFT];
    lock_take(&p.shard->lock, RANK_CHAN);
    HASH_FIND_BYHASHVALUE(hh, p.shard->table, key.data, key.bytes, p.hash, p.entry);
    return p;
}

static void place_drop(const struct place *p)
{
    lock_drop(&p->shard->lock);
}

static void value_read(const struct place *p, void *value)
{
    if (value && p->entry)
        memcpy(value, p->entry->bytes, p->map->value_bytes);
}

static void value_write(const struct place *p, const void *value)
{
    memcpy(p->entry->bytes, value, p->map->value_bytes);
}

static bool value_is(const struct place *p, const void *value)
{
    return p->entry && memcmp(p->entry->bytes, value, p->map->value_bytes) == 0;
}

/* 0 or -ENOMEM. */
static int place_add(struct place *p, const void *value)
{
    struct entry *e = malloc(sizeof *e + p->map->key_place + p->key.bytes);
    unsigned char *key;

    if (!e)
        return -ENOMEM;
    e->holders = 1;
    e->live = true;
    key = e->bytes + p->map->key_place;
    memcpy(key, p->key.data, p->key.bytes);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, p->shard->table, key, p->key.bytes, p->hash, e);
    if (!e->hh.tbl) {
        free(e);
        return -ENOMEM;
    }
    p->entry = e;
    value_write(p, value);
    atomic_fetch_add(&p->map->count, 1);
    return 0;
}

static void entry_release(struct entry *e)
{
    if (--e->holders == 0)
        free(e);
}

static void place_remove(const struct place *p)
{
    HASH_DEL(p->shard->table, p->entry);
    p->entry->live = false;
    entry_release(p->entry);
    atomic_fetch_sub(&p->map->count, 1);
}

/* ---- calls ---- */

int go_map_load(go_map *m, go_key key, void *value)
{
    struct place p = place_take(m, key);

    value_read(&p, value);
    place_drop(&p);
    return p.entry != NULL;
}

int go_map_swap(go_map *m, go_key key, const void *value, void *old)
{
    struct place p;
    int r = 1;

    if (key.bytes > GO_KEY_BYTES_MAX)
        return -EINVAL;
    p = place_take(m, key);
    value_read(&p, old);
    if (p.entry)
        value_write(&p, value);
    else
        r = place_add(&p, value);
    place_drop(&p);
    return r;
}

int go_map_store(go_map *m, go_key key, const void *value)
{
    int r = go_map_swap(m, key, value, NULL);

    return r < 0 ? r : 0;
}

int go_map_load_or_store(go_map *m, go_key key, void *value)
{
    struct place p;
    int r = 1;

    if (key.bytes > GO_KEY_BYTES_MAX)
        return -EINVAL;
    p = place_take(m, key);
    if (p.entry)
        value_read(&p, value);
    else
        r = place_add(&p, value);
    place_drop(&p);
    return r;
}

int go_map_load_and_delete(go_map *m, go_key key, void *value)
{
    struct place p = place_take(m, key);
    bool there = p.entry;

    value_read(&p, value);
    if (there)
        place_remove(&p);
    place_drop(&p);
    return there;
}

int go_map_compare_and_swap(go_map *m, go_key key, const void *old, const void *value)
{
    struct place p = place_take(m, key);
    bool same = value_is(&p, old);

    if (same)
        value_write(&p, value);
    place_drop(&p);
    return same;
}

int go_map_compare_and_delete(go_map *m, go_key key, const void *old)
{
    struct place p = place_take(m, key);
    bool same = value_is(&p, old);

    if (same)
        place_remove(&p);
    place_drop(&p);
    return same;
}

/* ---- range ---- */

/* The entries that a shard had at one instant, held. */
struct noted {
    struct shard *shard;
    struct entry **entry;
    size_t n;
};

static void noted_release(struct noted *noted)
{
    if (noted->n) {
        lock_take(&noted->shard->lock, RANK_CHAN);
        for (size_t i = 0; i < noted->n; i++)
            entry_release(noted->entry[i]);
        lock_drop(&noted->shard->lock);
    }
    free(noted->entry);
}

/* 0 or -ENOMEM. */
static int noted_take(struct noted *noted, struct shard *s)
{
    struct entry *e, *after;
    unsigned n;

    noted->shard = s;
    lock_take(&s->lock, RANK_CHAN);
    n = HASH_COUNT(s->table);
    noted->entry = n ? malloc(n * sizeof *noted->entry) : NULL;
    if (noted->entry)
        HASH_ITER (hh, s->table, e, after) {
            e->holders++;
            noted->entry[noted->n++] = e;
        }
    lock_drop(&s->lock);
    return n && !noted->entry ? -ENOMEM : 0;
}

/* The value as it is now; false when the entry is dead. */
static bool entry_read(const go_map *m, struct shard *s, const struct entry *e, void *value)
{
    bool live;

    lock_take(&s->lock, RANK_CHAN);
    live = e->live;
    if (live)
        memcpy(value, e->bytes, m->value_bytes);
    lock_drop(&s->lock);
    return live;
}

static int shard_range(go_map *m, struct shard *s, void *value, go_map_fn fn, void *arg)
{
    _cleanup_(noted_release) struct noted noted = {.n = 0};
    int r = noted_take(&noted, s);

    for (size_t i = 0; i < noted.n && r == 0; i++) {
        struct entry *e = noted.entry[i];

        if (entry_read(m, s, e, value))
            r = fn(go_key_make(e->hh.key, e->hh.keylen), value, arg);
    }
    return r;
}

int go_map_range(go_map *m, go_map_fn fn, void *arg)
{
    _cleanup_(cleanup_free) void *value = malloc(m->value_bytes + 1);
    int r = value ? 0 : -ENOMEM;

    for (int i = 0; i < SHARDS && r == 0; i++)
        r = shard_range(m, &m->shard[i], value, fn, arg);
    return r;
}
