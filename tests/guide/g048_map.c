/*
 * G48 A map that many goroutines use at once.
 *
 * Pattern: concurrent map. When each key has one writer, or is written once and read often; else a map under a lock.
 */
#include "goroutine_sync.h"
#include "guide.h"

enum { GOROUTINES = 8, KEYS = 1000, ROUNDS = 5 };

struct shared {
    go_map *map; /* int to int */
    atomic_int creators[KEYS];
    go_mutex lock;
    int reference[KEYS]; /* lock: the value of each key, 0 for none */
};

struct user {
    int id;
    struct shared *shared;
};

static void create_all(void *arg)
{
    const struct user *me = arg;

    for (int key = 0; key < KEYS; key++) {
        int value = me->id;

        if (go_map_load_or_store(me->shared->map, GO_KEY(key), &value) == 0)
            atomic_fetch_add(&me->shared->creators[key], 1);
        must(value >= 1 && value <= GOROUTINES);
    }
}

static void set_reference(struct shared *shared, int key, int value)
{
    go_mutex_lock(&shared->lock);
    shared->reference[key] = value;
    go_mutex_unlock(&shared->lock);
}

static int mark_visited(go_key key, const void *value, void *visited)
{
    int number;

    memcpy(&number, key.data, sizeof number);
    must(key.bytes == sizeof number && *(const int *)value > 0);
    /* "a range visits each live key once, and none twice while others write" */
    must(((char *)visited)[number]++ == 0);
    return 0;
}

/* Stores and deletes the keys that are its own, and loads the others'. */
static void change_own(void *arg)
{
    const struct user *me = arg;

    for (int i = 0; i < ROUNDS * KEYS; i++) {
        int key = i * 7 % KEYS, value = i + 1;

        if (key % GOROUTINES != me->id - 1) {
            go_map_load(me->shared->map, GO_KEY(key), &value);
        } else if (i % 3) {
            must(go_map_store(me->shared->map, GO_KEY(key), &value) == 0);
            set_reference(me->shared, key, value);
        } else {
            go_map_load_and_delete(me->shared->map, GO_KEY(key), NULL);
            set_reference(me->shared, key, 0);
        }
        if (i % KEYS == 0) {
            char visited[KEYS] = {0};

            must(go_map_range(me->shared->map, mark_visited, visited) == 0);
        }
    }
}

static void all_do(void (*fn)(void *), struct shared *shared)
{
    go_waitgroup all = {0};

    for (int id = 1; id <= GOROUTINES; id++)
        must(go_waitgroup_go(&all, fn, &((struct user){id, shared}), sizeof(struct user)) == 0);
    go_waitgroup_wait(&all);
}

static void compare(struct shared *shared)
{
    char visited[KEYS] = {0};
    size_t live = 0;

    must(go_map_range(shared->map, mark_visited, visited) == 0);
    for (int key = 0; key < KEYS; key++) {
        int value = 0, there = go_map_load(shared->map, GO_KEY(key), &value);

        /* "the final content equals a map under a lock" */
        must(there == (shared->reference[key] != 0) && value == shared->reference[key] &&
             visited[key] == there);
        live += (size_t)there;
    }
    must(go_map_len(shared->map) == live);
}

static void map(void)
{
    static struct shared shared;

    shared = (struct shared){.map = go_map_new(sizeof(int))};
    all_do(create_all, &shared);
    for (int key = 0; key < KEYS; key++) {
        int value = 0;

        /* "load-or-store: exactly one creator per key" */
        must(atomic_load(&shared.creators[key]) == 1);
        must(go_map_load(shared.map, GO_KEY(key), &value) == 1);
        shared.reference[key] = value;
    }
    all_do(change_own, &shared);
    compare(&shared);
    say("%zu keys", go_map_len(shared.map));
    go_map_unref(shared.map);
}

GUIDE_ROW(G48, map);
