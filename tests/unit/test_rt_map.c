/* Atomics, map, pool: rules V1 to V3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "goroutine_sync.h"
#include "rt_test.h"

enum { PARTIES = 8, KEYS = 1000 };

/* ---- atomics are C11's ---- */

struct atomics {
    char before; /* does not spoil the alignment of what follows */
    _Atomic int64_t sum;
    _Atomic int winner, wins;
    go_waitgroup all;
};

static void adds(void *arg)
{
    struct atomics *a = arg;

    for (int i = 0; i < 1000; i++) {
        a->sum++;
        if (i % 100 == 0)
            go_yield();
    }
}

static void races(void *arg)
{
    struct atomics *a = arg;
    int none = 0;

    a->wins += atomic_compare_exchange_strong(&a->winner, &none, (int)go_id());
}

RT_TEST(test_V1_atomics_of_c_serve_goroutines)
{
    struct atomics a = {0};

    assert_int_equal((uintptr_t)&a.sum % 8, 0);
    for (int i = 0; i < PARTIES; i++)
        go_waitgroup_go(&a.all, adds, &a, 0);
    for (int i = 0; i < 100; i++)
        go_waitgroup_go(&a.all, races, &a, 0);
    go_waitgroup_wait(&a.all);
    assert_int_equal(a.sum, PARTIES * 1000);
    assert_int_equal(a.wins, 1);
}

/* Two goroutines write one word each and read the other's: at least one sees a 1, in every round. */
struct order {
    _Atomic int x, y;
    int saw_x, saw_y;
    go_waitgroup all;
};

static void writes_x(void *arg)
{
    struct order *o = arg;

    o->x = 1;
    o->saw_y = o->y;
}

static void writes_y(void *arg)
{
    struct order *o = arg;

    o->y = 1;
    o->saw_x = o->x;
}

RT_TEST(test_V1_all_agree_on_one_order_of_atomic_operations)
{
    for (int i = 0; i < 2000; i++) {
        struct order o = {0};

        go_waitgroup_go(&o.all, writes_x, &o, 0);
        go_waitgroup_go(&o.all, writes_y, &o, 0);
        go_waitgroup_wait(&o.all);
        assert_true(o.saw_x || o.saw_y);
    }
}

/* ---- map ---- */

RT_TEST(test_V2_each_operation_does_its_own)
{
    go_map *m = go_map_new(sizeof(int));
    int v = 1, old = 0;

    assert_int_equal(go_map_load(m, go_key_text("a"), &old), 0);
    assert_int_equal(go_map_store(m, go_key_text("a"), &v), 0);
    v = 2; /* it was copied */
    assert_int_equal(go_map_load(m, go_key_text("a"), &old), 1);
    assert_int_equal(old, 1);
    assert_int_equal(go_map_swap(m, go_key_text("a"), &v, &old), 1);
    assert_int_equal(old, 1);
    assert_int_equal(go_map_swap(m, go_key_text("b"), &v, &old), 0);
    assert_int_equal(go_map_len(m), 2);
    v = 9;
    assert_int_equal(go_map_load_or_store(m, go_key_text("a"), &v), 1);
    assert_int_equal(v, 2);
    assert_int_equal(go_map_load_or_store(m, go_key_text("c"), &v), 0);
    assert_int_equal(go_map_load_and_delete(m, go_key_text("c"), &old), 1);
    assert_int_equal(old, 2);
    assert_int_equal(go_map_load_and_delete(m, go_key_text("c"), NULL), 0);
    assert_int_equal(go_map_len(m), 2);
    assert_null(go_map_unref(m));
}

RT_TEST(test_V2_compare_fails_on_another_value_and_on_a_missing_key)
{
    go_map *m = go_map_new(sizeof(int));
    int one = 1, two = 2, v = 0;

    assert_int_equal(go_map_compare_and_swap(m, GO_KEY(one), &one, &two), 0);
    assert_int_equal(go_map_compare_and_delete(m, GO_KEY(one), &one), 0);
    assert_int_equal(go_map_len(m), 0);
    go_map_store(m, GO_KEY(one), &one);
    assert_int_equal(go_map_compare_and_swap(m, GO_KEY(one), &two, &two), 0);
    assert_int_equal(go_map_compare_and_swap(m, GO_KEY(one), &one, &two), 1);
    assert_int_equal(go_map_load(m, GO_KEY(one), &v), 1);
    assert_int_equal(v, 2);
    assert_int_equal(go_map_compare_and_delete(m, GO_KEY(one), &one), 0);
    assert_int_equal(go_map_compare_and_delete(m, GO_KEY(one), &two), 1);
    assert_int_equal(go_map_load(m, GO_KEY(one), &v), 0);
    go_map_unref(m);
}

RT_TEST(test_V2_keys_are_bytes_of_any_length_and_values_may_have_none)
{
    go_map *set = go_map_new(0);
    static char key[GO_KEY_BYTES_MAX + 1];
    size_t n = 0;

    for (size_t bytes = 0; bytes <= GO_KEY_BYTES_MAX; bytes = bytes * 2 + 1, n++) {
        assert_int_equal(go_map_store(set, go_key_make(key, bytes), ""), 0);
        assert_int_equal(go_map_load(set, go_key_make(key, bytes + 1), NULL), 0);
    }
    assert_int_equal(go_map_len(set), n);
    for (size_t bytes = 0; bytes <= GO_KEY_BYTES_MAX; bytes = bytes * 2 + 1)
        assert_int_equal(go_map_load(set, go_key_make(key, bytes), NULL), 1);
    assert_int_equal(go_map_store(set, go_key_make(key, sizeof key), ""), -EINVAL);
    assert_int_equal(go_map_load_or_store(set, go_key_make(key, sizeof key), key), -EINVAL);
    assert_int_equal(go_map_load(set, go_key_make(key, sizeof key), NULL), 0);
    go_map_unref(set);
}

/* Against an array: -1 is a missing key. */
RT_TEST(test_V2_any_sequence_of_operations_matches_a_plain_table)
{
    enum { N = 200 };
    go_map *m = go_map_new(sizeof(int));
    int table[N], missing = 0;
    uint32_t seed = 7;

    memset(table, -1, sizeof table);
    for (int i = 0; i < 50000; i++) {
        int key, v = i, got = -1, was;

        seed = seed * 1664525 + 1013904223;
        key = (int)(seed >> 8) % N;
        was = table[key];
        switch (seed >> 29) {
        case 0:
        case 1:
            assert_int_equal(go_map_store(m, GO_KEY(key), &v), 0);
            table[key] = v;
            break;
        case 2:
            assert_int_equal(go_map_load_or_store(m, GO_KEY(key), &v), was >= 0);
            table[key] = was >= 0 ? was : i;
            assert_int_equal(v, table[key]);
            break;
        case 3:
            assert_int_equal(go_map_load_and_delete(m, GO_KEY(key), &got), was >= 0);
            assert_int_equal(got, was);
            table[key] = -1;
            break;
        case 4:
            assert_int_equal(go_map_compare_and_swap(m, GO_KEY(key), i % 2 ? &was : &i, &v),
                             i % 2 && was >= 0);
            table[key] = i % 2 && was >= 0 ? v : was;
            break;
        case 5:
            assert_int_equal(go_map_compare_and_delete(m, GO_KEY(key), i % 2 ? &was : &i), i % 2 && was >= 0);
            table[key] = i % 2 ? -1 : was;
            break;
        default:
            assert_int_equal(go_map_load(m, GO_KEY(key), &got), was >= 0);
            assert_int_equal(got, was);
        }
    }
    for (int i = 0; i < N; i++)
        missing += table[i] < 0;
    assert_int_equal(go_map_len(m), N - missing);
    go_map_unref(m);
}

struct crowd {
    go_map *m;
    go_waitgroup all;
    _Atomic int created[KEYS];
    _Atomic int64_t added;
    _Atomic int stop;
};

struct party {
    struct crowd *c;
    int i;
};

static void creates(void *arg)
{
    struct party *p = arg;

    for (int i = 0; i < KEYS; i++) {
        int key = (i * 7 + p->i * 131) % KEYS, v = p->i;

        atomic_fetch_add(&p->c->created[key], go_map_load_or_store(p->c->m, GO_KEY(key), &v) == 0);
        assert_in_range(v, 0, PARTIES - 1);
    }
}

static void run_parties(struct crowd *c, void (*fn)(void *))
{
    for (int i = 0; i < PARTIES; i++) {
        struct party p = {c, i};

        go_waitgroup_go(&c->all, fn, &p, sizeof p);
    }
}

static struct crowd *crowd_new(size_t value_bytes)
{
    struct crowd *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->m = go_map_new(value_bytes);
    return c;
}

static void crowd_delete(struct crowd *c)
{
    go_map_unref(c->m);
    free(c);
}

RT_TEST(test_V2_exactly_one_of_many_creates_each_key)
{
    struct crowd *c = crowd_new(sizeof(int));

    run_parties(c, creates);
    go_waitgroup_wait(&c->all);
    assert_int_equal(go_map_len(c->m), KEYS);
    for (int i = 0; i < KEYS; i++)
        assert_int_equal(c->created[i], 1);
    crowd_delete(c);
}

/* One more by compare-and-swap; false: another was faster. */
static bool increment(go_map *m, int key)
{
    int old, next = 1;

    if (!go_map_load(m, GO_KEY(key), &old))
        return go_map_load_or_store(m, GO_KEY(key), &next) == 0;
    next = old + 1;
    return go_map_compare_and_swap(m, GO_KEY(key), &old, &next) == 1;
}

static void increments(void *arg)
{
    struct party *p = arg;

    for (int i = 0; i < 1000; i++)
        while (!increment(p->c->m, i % 3))
            continue;
}

RT_TEST(test_V2_increments_by_compare_and_swap_are_not_lost)
{
    struct crowd *c = crowd_new(sizeof(int));
    int sum = 0;

    run_parties(c, increments);
    go_waitgroup_wait(&c->all);
    for (int key = 0; key < 3; key++) {
        int v = 0;

        go_map_load(c->m, GO_KEY(key), &v);
        sum += v;
    }
    assert_int_equal(sum, PARTIES * 1000);
    crowd_delete(c);
}

struct visit {
    go_map *m;
    int seen[KEYS], n, stop_after;
};

static int sees(go_key key, const void *value, void *arg)
{
    struct visit *v = arg;
    int k = *(const int *)key.data;

    assert_int_equal(key.bytes, sizeof k);
    assert_int_equal(*(const int *)value, 10 * k);
    v->seen[k]++;
    return ++v->n == v->stop_after ? 77 : 0;
}

static void store_all(go_map *m)
{
    for (int k = 0; k < KEYS; k++) {
        int v = 10 * k;

        assert_int_equal(go_map_store(m, GO_KEY(k), &v), 0);
    }
}

RT_TEST(test_V2_range_visits_each_key_once_and_stops_when_told)
{
    go_map *m = go_map_new(sizeof(int));
    static struct visit v, part;

    store_all(m);
    assert_int_equal(go_map_range(m, sees, &v), 0);
    for (int k = 0; k < KEYS; k++)
        assert_int_equal(v.seen[k], 1);
    part.stop_after = 10;
    assert_int_equal(go_map_range(m, sees, &part), 77);
    assert_int_equal(part.n, 10);
    go_map_unref(m);
}

/* Removes its own key and the next, and puts its own in anew. */
static int changes(go_key key, const void *value, void *arg)
{
    struct visit *v = arg;
    int k = *(const int *)key.data, next = (k + 1) % KEYS, ten = 10 * k;

    assert_int_equal(v->seen[k]++, 0);
    assert_int_equal(go_map_load_and_delete(v->m, key, NULL), 1);
    go_map_load_and_delete(v->m, GO_KEY(next), NULL);
    assert_int_equal(go_map_store(v->m, GO_KEY(k), &ten), 0);
    if (k % 10 == 0)
        go_yield();
    return 0;
}

RT_TEST(test_V2_range_bears_operations_and_deletions_in_it)
{
    static struct visit v;

    memset(&v, 0, sizeof v);
    v.m = go_map_new(sizeof(int));
    store_all(v.m);
    assert_int_equal(go_map_range(v.m, changes, &v), 0);
    for (int k = 0; k < KEYS; k++)
        assert_in_range(v.seen[k], 0, 1);
    go_map_unref(v.m);
}

static int exits(go_key key, const void *value, void *arg)
{
    go_exit();
}

static void ranges_and_exits(void *arg)
{
    go_map_range(arg, exits, NULL);
}

RT_TEST(test_V2_a_range_that_is_unwound_holds_nothing)
{
    go_map *m = go_map_new(sizeof(int));

    store_all(m);
    go_spawn(ranges_and_exits, m, 0);
    rt_wait_live(1);
    for (int k = 0; k < KEYS; k++)
        assert_int_equal(go_map_load_and_delete(m, GO_KEY(k), NULL), 1);
    go_map_unref(m);
}

/* Keys above KEYS / 2 come and go, those below stay. */
static void churns(void *arg)
{
    struct party *p = arg;

    for (int i = 0; !atomic_load(&p->c->stop); i++) {
        int k = KEYS / 2 + (i * 31 + p->i) % (KEYS / 2), v = 10 * k;

        if (i % 2)
            go_map_store(p->c->m, GO_KEY(k), &v);
        else
            go_map_load_and_delete(p->c->m, GO_KEY(k), NULL);
        if (i % 50 == 0)
            go_yield();
    }
}

RT_TEST(test_V2_range_among_changes_sees_what_stays_once_and_the_rest_at_most_once)
{
    struct crowd *c = crowd_new(sizeof(int));
    static struct visit v;

    store_all(c->m);
    run_parties(c, churns);
    for (int round = 0; round < 20; round++) {
        memset(&v, 0, sizeof v);
        assert_int_equal(go_map_range(c->m, sees, &v), 0);
        for (int k = 0; k < KEYS; k++)
            assert_in_range(v.seen[k], k < KEYS / 2, 1);
        go_yield();
    }
    atomic_store(&c->stop, 1);
    go_waitgroup_wait(&c->all);
    crowd_delete(c);
}

/* ---- pool ---- */

struct item {
    _Atomic int users;
};

static _Atomic int made, dropped;

static void *item_make(void *arg)
{
    made++;
    return calloc(1, sizeof(struct item));
}

static void item_drop(void *item)
{
    dropped++;
    free(item);
}

struct borrowers {
    go_pool *pool;
    go_waitgroup all;
};

static void borrows(void *arg)
{
    struct borrowers *b = arg;

    for (int i = 0; i < 10000; i++) {
        struct item *item = go_pool_get(b->pool);

        assert_int_equal(atomic_fetch_add(&item->users, 1), 0);
        if (i % 16 == 0)
            go_yield();
        atomic_fetch_sub(&item->users, 1);
        go_pool_put(b->pool, item);
    }
}

RT_TEST(test_V3_no_item_is_with_two_at_once_and_none_is_made_while_one_is_free)
{
    struct borrowers b = {.pool = go_pool_new(item_make, item_drop, NULL)};

    made = dropped = 0;
    for (int i = 0; i < PARTIES; i++)
        go_waitgroup_go(&b.all, borrows, &b, 0);
    go_waitgroup_wait(&b.all);
    assert_in_range(made, 1, PARTIES);
    assert_int_equal(dropped, 0);
    assert_null(go_pool_unref(b.pool));
    assert_int_equal(dropped, made);
}

RT_TEST(test_V3_an_empty_pool_calls_its_constructor)
{
    go_pool *pool = go_pool_new(item_make, item_drop, NULL), *none = go_pool_new(NULL, NULL, NULL);
    struct item *a, *b;

    made = dropped = 0;
    a = go_pool_get(pool);
    b = go_pool_get(pool);
    assert_int_equal(made, 2);
    go_pool_put(pool, a);
    assert_true(go_pool_get(pool) == a);
    go_pool_put(pool, a);
    go_pool_put(pool, b);
    go_pool_put(pool, NULL);
    assert_null(go_pool_get(none));
    go_pool_put(none, &made);
    assert_true(go_pool_get(none) == &made);
    go_pool_unref(go_pool_ref(none));
    go_pool_unref(none);
    go_pool_unref(pool);
    assert_int_equal(dropped, 2);
}

RT_TEST(test_V3_what_is_beyond_the_limit_is_dropped)
{
    go_pool *pool = go_pool_new(item_make, item_drop, NULL);

    made = dropped = 0;
    for (int i = 0; i < 2 * GO_POOL_ITEMS_MAX; i++)
        go_pool_put(pool, item_make(NULL));
    assert_in_range(dropped, GO_POOL_ITEMS_MAX, made);
    go_pool_unref(pool);
    assert_int_equal(dropped, made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_V1_atomics_of_c_serve_goroutines),
        RT_UNIT(test_V1_all_agree_on_one_order_of_atomic_operations),
        RT_UNIT(test_V2_each_operation_does_its_own),
        RT_UNIT(test_V2_compare_fails_on_another_value_and_on_a_missing_key),
        RT_UNIT(test_V2_keys_are_bytes_of_any_length_and_values_may_have_none),
        RT_UNIT(test_V2_any_sequence_of_operations_matches_a_plain_table),
        RT_UNIT(test_V2_exactly_one_of_many_creates_each_key),
        RT_UNIT(test_V2_increments_by_compare_and_swap_are_not_lost),
        RT_UNIT(test_V2_range_visits_each_key_once_and_stops_when_told),
        RT_UNIT(test_V2_range_bears_operations_and_deletions_in_it),
        RT_UNIT(test_V2_a_range_that_is_unwound_holds_nothing),
        RT_UNIT(test_V2_range_among_changes_sees_what_stays_once_and_the_rest_at_most_once),
        RT_UNIT(test_V3_no_item_is_with_two_at_once_and_none_is_made_while_one_is_free),
        RT_UNIT(test_V3_an_empty_pool_calls_its_constructor),
        RT_UNIT(test_V3_what_is_beyond_the_limit_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
