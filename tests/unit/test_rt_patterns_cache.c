/* Bounded caches whose entries expire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_patterns.h"

#define SECOND (1000 * MS)

static go_key key_of(const int *n)
{
    return go_key_make(n, sizeof *n);
}

static void put(go_cache *c, int key, int value)
{
    assert_int_equal(go_cache_put(c, key_of(&key), &value), 0);
}

/* -1: it is not there. */
static int get(go_cache *c, int key)
{
    int value = -1;

    return go_cache_get(c, key_of(&key), &value) ? value : -1;
}

PATTERN_TEST(test_oldest_entry_gives_way, 10)
{
    go_cache *c = go_cache_new(sizeof(int), 3, GO_NS_FOREVER);

    for (int i = 1; i <= 3; i++)
        put(c, i, i * 10);
    put(c, 1, 11); /* the youngest now */
    put(c, 4, 40);
    assert_int_equal(get(c, 2), -1);
    assert_int_equal(get(c, 1), 11);
    put(c, 5, 50);
    assert_int_equal(get(c, 3), -1);
    assert_int_equal(get(c, 1), 11);
    assert_int_equal(go_cache_len(c), 3);
    assert_int_equal(go_cache_remove(c, key_of(&(int){1})), 1);
    assert_int_equal(go_cache_remove(c, key_of(&(int){1})), 0);
    assert_int_equal(go_cache_get(c, key_of(&(int){5}), NULL), 1);
    assert_int_equal(go_cache_len(c), 2);
    assert_int_equal(go_cache_put(c, go_key_make("", GO_KEY_BYTES_MAX + 1), &(int){0}), -EINVAL);
    assert_null(go_cache_unref(c));
    assert_null(go_cache_unref(NULL));
}

PATTERN_TEST(test_expired_entry_is_not_found, 10)
{
    go_cache *c = go_cache_new(sizeof(int), 3, SECOND);

    put(c, 1, 10);
    go_sleep(go_after_ns(SECOND / 2));
    put(c, 2, 20);
    go_sleep(go_after_ns(SECOND / 2 - 1));
    assert_int_equal(get(c, 1), 10);
    go_sleep(go_after_ns(1));
    assert_int_equal(get(c, 1), -1);
    assert_int_equal(get(c, 2), 20);
    assert_int_equal(go_cache_len(c), 1);
    put(c, 2, 21); /* lives from now on */
    go_sleep(go_after_ns(SECOND - 1));
    assert_int_equal(get(c, 2), 21);
    go_sleep(go_after_ns(1));
    assert_int_equal(go_cache_len(c), 0);
    go_cache_unref(c);
}

struct inserts {
    go_cache *c;
    int first;
};

static void inserts_2500(void *arg)
{
    struct inserts *in = arg;

    for (int i = in->first; i < in->first + 2500; i++) {
        int found;

        put(in->c, i, i);
        assert_true(go_cache_len(in->c) <= 100);
        found = get(in->c, i - 7);
        assert_true(found == -1 || found == i - 7);
        if (i % 100 == 0)
            go_sleep(go_after_ms(300));
    }
}

PATTERN_TEST(test_never_more_than_its_capacity, 2)
{
    go_cache *c = go_cache_new(sizeof(int), 100, SECOND);
    go_waitgroup group = {0};

    for (int i = 0; i < 4; i++) {
        struct inserts in = {c, i * 2500};

        go_waitgroup_go(&group, inserts_2500, &in, sizeof in);
    }
    go_waitgroup_wait(&group);
    assert_int_equal(go_cache_len(c), 100);
    go_sleep(go_after_ns(SECOND));
    assert_int_equal(go_cache_len(c), 0);
    go_cache_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_oldest_entry_gives_way),
        RT_UNIT(test_expired_entry_is_not_found),
        RT_UNIT(test_never_more_than_its_capacity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
