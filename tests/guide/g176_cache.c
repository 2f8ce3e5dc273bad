/*
 * G176 A cache that cannot grow without bound: a capacity, and a time after which an entry is gone.
 *
 * Pattern: bounded cache. What is never taken out must have a limit.
 */
#include <stdio.h>

#include "goroutine_patterns.h"
#include "guide.h"

enum { CAPACITY = 100, WRITERS = 4, INSERTS = 10000, KEY_BYTES = 32 };

static const int64_t ttl_ns = 1000000000;

struct writer {
    go_cache *cache;
    int number;
};

static go_key key_of(char *text, int number)
{
    snprintf(text, KEY_BYTES, "key %d", number);
    return go_key_text(text);
}

static void put(go_cache *cache, int number)
{
    char text[KEY_BYTES];

    must(go_cache_put(cache, key_of(text, number), &number) >= 0);
    must(go_cache_len(cache) <= CAPACITY);
}

static bool get(go_cache *cache, int number)
{
    char text[KEY_BYTES];
    int value = -1;
    bool found = go_cache_get(cache, key_of(text, number), &value) == 1;

    must(!found || value == number);
    return found;
}

static void insert(void *arg)
{
    const struct writer *me = arg;

    for (int i = me->number; i < INSERTS; i += WRITERS) {
        put(me->cache, i);
        go_yield();
    }
}

static void many_inserts(void)
{
    go_cache *cache = go_cache_new(sizeof(int), CAPACITY, ttl_ns);
    go_waitgroup all = {0};

    for (int i = 0; i < WRITERS; i++)
        must(go_waitgroup_go(&all, insert, &((struct writer){cache, i}), sizeof(struct writer)) == 0);
    go_waitgroup_wait(&all);
    /* "10,000 inserts from 4 goroutines, and never above 100 entries" */
    must(go_cache_len(cache) == CAPACITY);
    go_cache_unref(cache);
}

static void oldest_and_expired(void *arg)
{
    go_cache *cache = go_cache_new(sizeof(int), CAPACITY, ttl_ns);

    for (int i = 0; i <= CAPACITY; i++)
        put(cache, i);
    /* "the oldest is gone first" */
    must(!get(cache, 0) && get(cache, 1) && get(cache, CAPACITY));

    must(go_sleep(go_after_ns(ttl_ns - 1)) == 0);
    must(get(cache, CAPACITY));
    must(go_sleep(go_after_ns(1)) == 0);
    /* "an expired entry is not returned: it is there until 1 s, on a clock that the test sets" */
    must(!get(cache, CAPACITY));
    go_cache_unref(cache);
}

static void cache(void)
{
    many_inserts();
    on_fake_clock(oldest_and_expired, NULL);
}

GUIDE_ROW(G176, cache);
