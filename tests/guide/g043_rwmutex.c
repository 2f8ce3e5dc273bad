/*
 * G43 A data store under a reader-writer lock: readers together, a writer alone.
 *
 * Pattern: reader-writer lock. For data that are read far more often than written.
 */
#include <stdio.h>

#include "guide.h"

enum { READERS = 10, READS = 100, WRITERS = 2, KEYS = 50, TOGETHER = 5 };

struct store {
    go_rwmutex lock;
    char values[KEYS][16]; /* lock */
    int size;              /* lock: keys 0 to size - 1 are there, or some above by the other writer */
    struct peak readers, writers;
    struct gate together; /* holds the first readers inside the lock */
    atomic_int wrote;
};

static void inside(struct store *store, struct peak *mine, const struct peak *others, int mine_max)
{
    peak_enter(mine);
    /* "a writer is always alone: 0 readers, 1 writer" */
    must(atomic_load(&others->now) == 0 && atomic_load(&mine->now) <= mine_max);
}

static void set(struct store *store, int key)
{
    go_rwmutex_lock(&store->lock);
    inside(store, &store->writers, &store->readers, 1);
    if (!store->values[key][0])
        store->size++;
    snprintf(store->values[key], sizeof store->values[key], "value_%d", key);
    peak_leave(&store->writers);
    go_rwmutex_unlock(&store->lock);
}

static void write_keys(void *arg)
{
    struct store *store = arg;

    for (int key = 0; key < KEYS; key++)
        set(store, key);
    atomic_fetch_add(&store->wrote, 1);
}

static int read_size(struct store *store)
{
    int size;

    go_rwmutex_rlock(&store->lock);
    inside(store, &store->readers, &store->writers, READERS);
    gate_pass(&store->together);
    size = store->size;
    for (int key = 0; key < KEYS; key++)
        size -= store->values[key][0] != '\0';
    must(size == 0); /* nobody writes meanwhile */
    size = store->size;
    peak_leave(&store->readers);
    go_rwmutex_runlock(&store->lock);
    return size;
}

static void read_sizes(void *arg)
{
    struct store *store = arg;
    int last = 0;

    for (int i = 0; i < READS; i++) {
        int size = read_size(store);

        /* "the sizes that a reader sees never shrink" */
        must(size >= last);
        last = size;
    }
}

/* Readers come and go without a pause, so that one always holds the lock: a writer must come in all the same. */
static void read_until_written(void *arg)
{
    struct store *store = arg;

    while (atomic_load(&store->wrote) < WRITERS)
        read_size(store);
}

static void rwmutex(void)
{
    static struct store store;
    go_waitgroup all = {0};

    store = (struct store){0};
    for (int i = 0; i < TOGETHER; i++)
        must(go_waitgroup_go(&all, read_sizes, &store, 0) == 0);
    gate_until(&store.together, TOGETHER);
    /* "5 readers are inside at the same moment" */
    must(atomic_load(&store.readers.now) == TOGETHER);
    say("%d readers at once", atomic_load(&store.readers.now));
    for (int i = 0; i < WRITERS; i++)
        must(go_waitgroup_go(&all, write_keys, &store, 0) == 0);
    until_parked(WRITERS, "rwmutex lock");
    for (int i = TOGETHER; i < READERS; i++)
        must(go_waitgroup_go(&all, i % 2 ? read_sizes : read_until_written, &store, 0) == 0);
    gate_open(&store.together);
    go_waitgroup_wait(&all);
    /* "no writer starves: both finish while readers come without a pause" */
    must(atomic_load(&store.wrote) == WRITERS && store.size == KEYS);
    for (int key = 0; key < KEYS; key++) {
        char wanted[16];

        snprintf(wanted, sizeof wanted, "value_%d", key);
        /* "the final map is key_0 to key_49 with value_0 to value_49" */
        must(strcmp(store.values[key], wanted) == 0);
    }
    must(atomic_load(&store.writers.most) == 1);
}

GUIDE_ROW(G43, rwmutex, .prints = {"5 readers at once"});
