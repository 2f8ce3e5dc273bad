/*
 * The n-th allocation that the library makes for a program's goroutines fails, for each n in turn: what the call promises
 * for that holds, all that it has begun comes to its end, and nothing is left on the library's heap.
 *
 * The allocator is the library's own (heap.h), linked by --wrap. There is one processor, so that the n-th is the same each
 * time, and it has stacks enough: without memory for those a program ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#define HEAP_RAW
#include "goroutine_patterns.h"
#include "goroutine_sync.h"
#include "heap.h"
#include "rt_test.h"

/* ---- the allocator ---- */

static _Atomic long before_failure = -1; /* of the goroutines; negative: none fails */
static _Atomic bool refused;

static bool refuses(void)
{
    if (atomic_load(&before_failure) < 0 || go_id() == 0 || atomic_fetch_sub(&before_failure, 1) != 0)
        return false;
    atomic_store(&refused, true);
    return true;
}

void *__real_heap_malloc(size_t n);
void *__real_heap_calloc(size_t n, size_t bytes);
void *__real_heap_realloc(void *p, size_t n);
void *__real_heap_aligned_alloc(size_t alignment, size_t n);
char *__real_heap_strdup(const char *s);
void *__wrap_heap_malloc(size_t n);
void *__wrap_heap_calloc(size_t n, size_t bytes);
void *__wrap_heap_realloc(void *p, size_t n);
void *__wrap_heap_aligned_alloc(size_t alignment, size_t n);
char *__wrap_heap_strdup(const char *s);

void *__wrap_heap_malloc(size_t n)
{
    return refuses() ? NULL : __real_heap_malloc(n);
}

void *__wrap_heap_calloc(size_t n, size_t bytes)
{
    return refuses() ? NULL : __real_heap_calloc(n, bytes);
}

void *__wrap_heap_realloc(void *p, size_t n)
{
    return refuses() ? NULL : __real_heap_realloc(p, n);
}

void *__wrap_heap_aligned_alloc(size_t alignment, size_t n)
{
    return refuses() ? NULL : __real_heap_aligned_alloc(alignment, n);
}

char *__wrap_heap_strdup(const char *s)
{
    return refuses() ? NULL : __real_heap_strdup(s);
}

/* ---- running one ---- */

enum { NEVER = -1, ALLOCATIONS_MAX = 2000, STACKS = 40 };

struct run {
    void (*scenario)(void);
    long n;
};

static void waits(void *c)
{
    go_chan_recv(c, NULL, GO_FOREVER);
}

/* The processor keeps those of goroutines that have ended. */
static void take_stacks(void)
{
    go_chan *c = go_chan_new(0, 0);

    for (int i = 0; i < STACKS; i++)
        assert_int_equal(go_spawn(waits, c, 0), 0);
    rt_wait_parked(STACKS);
    go_chan_close(c);
    rt_wait_live(1);
    go_chan_unref(c);
}

static int run_main(void *arg)
{
    const struct run *run = arg;

    take_stacks();
    atomic_store(&before_failure, run->n);
    run->scenario();
    rt_wait_live(1);
    atomic_store(&before_failure, NEVER);
    return 0;
}

static int64_t heap_after(void (*scenario)(void), long n)
{
    struct run run = {scenario, n};
    struct heap_counts counts;

    assert_int_equal(go_main(run_main, &run), 0);
    heap_read(&counts);
    return counts.in_use;
}

/* At least one allocation must have failed, and the last run is one in which none did. */
static void each_fails_once(void (*scenario)(void))
{
    int64_t baseline = heap_after(scenario, NEVER);
    long n = 0;

    do {
        atomic_store(&refused, false);
        if (heap_after(scenario, n) != baseline) {
            fprintf(stderr, "allocation %ld failed, and something is left\n", n);
            abort();
        }
    } while (atomic_load(&refused) && ++n < ALLOCATIONS_MAX);
    assert_in_range(n, 1, ALLOCATIONS_MAX - 1);
}

static void ok_or_no_memory(int64_t r)
{
    assert_true(r >= 0 || r == -ENOMEM);
}

/* ---- sync ---- */

enum { KEYS = 40 };

static int count_key(go_key key, const void *value, void *n)
{
    ++*(size_t *)n;
    return 0;
}

static void use_map(void)
{
    go_map *m = go_map_new(sizeof(int));
    size_t stored = 0, seen = 0;

    if (!m)
        return;
    for (int i = 0; i < KEYS; i++) {
        int r = go_map_store(m, GO_KEY(i), &i), v = -1;

        ok_or_no_memory(r);
        stored += r == 0;
        assert_int_equal(go_map_load(m, GO_KEY(i), &v), r == 0);
        assert_int_equal(v, r == 0 ? i : -1);
    }
    assert_int_equal(go_map_len(m), stored);
    if (go_map_range(m, count_key, &seen) == 0)
        assert_int_equal(seen, stored);
    go_map_unref(m);
}

static int answer(void *value, void *arg)
{
    *(int *)value = 7;
    return 0;
}

static void fly(go_singleflight *f)
{
    struct {
        struct go_flight flight;
        int value;
    } got = {.value = 0};
    go_receiver r = go_singleflight_chan(f, go_key_text("key"), answer, NULL, 0);

    if (!r.from)
        return;
    assert_int_equal(go_receiver_recv(r, &got, GO_FOREVER), 1);
    ok_or_no_memory(got.flight.result);
    assert_true(got.flight.result || got.value == 7);
    go_chan_unref(r.from);
}

static void use_singleflight(void)
{
    go_singleflight f = {.value_bytes = sizeof(int)};

    for (int i = 0; i < 2; i++) {
        int value = 0, r = go_singleflight_do(&f, go_key_text("key"), answer, NULL, &value, NULL);

        ok_or_no_memory(r);
        assert_true(r || value == 7);
        fly(&f);
    }
}

struct children {
    _Atomic int ran;
    int begun, last;
};

static void count_child(void *children)
{
    atomic_fetch_add(&(*(struct children **)children)->ran, 1);
}

static int start_children(go_scope *scope, void *arg)
{
    struct children *c = arg;

    for (int i = 0; i < 3; i++) {
        int r = go_scope_spawn(scope, count_child, &c, sizeof c);

        ok_or_no_memory(r);
        c->begun += r == 0;
    }
    return go_scope_wait(scope, NULL);
}

static void use_scope(void)
{
    struct children c = {.begun = 0};

    ok_or_no_memory(go_scope_run(start_children, &c, NULL));
    assert_int_equal(c.ran, c.begun);
}

static void number(void *result, void *arg)
{
    *(int *)result = *(int *)arg;
}

static void take_in_order(const void *result, void *arg)
{
    struct children *c = arg;

    assert_true(*(const int *)result > c->last);
    c->last = *(const int *)result;
    atomic_fetch_add(&c->ran, 1);
}

static int stream_numbers(go_scope *scope, void *arg)
{
    struct children *c = arg;
    go_stream *s = go_stream_new(scope, 2, sizeof(int), take_in_order, c);

    if (!s)
        return 0;
    for (int i = 1; i <= 5; i++) {
        int r = go_stream_go(s, number, &i, sizeof i, GO_FOREVER);

        ok_or_no_memory(r);
        c->begun += r == 0;
    }
    go_stream_unref(s);
    return go_scope_wait(scope, NULL);
}

static void use_stream(void)
{
    struct children c = {.begun = 0};

    ok_or_no_memory(go_scope_run(stream_numbers, &c, NULL));
    assert_int_equal(c.ran, c.begun);
}

static int count_member(void *children)
{
    count_child(children);
    return 0;
}

static void use_errgroup(void)
{
    struct children c = {.begun = 0}, *at = &c;
    go_errgroup e = {{0}};
    go_ctx *ctx = go_errgroup_ctx(&e, go_ctx_background());

    for (int i = 0; i < 3; i++) {
        int r = go_errgroup_go(&e, count_member, &at, sizeof at, GO_FOREVER);

        ok_or_no_memory(r);
        c.begun += r == 0;
    }
    assert_int_equal(go_errgroup_wait(&e), 0);
    assert_int_equal(c.ran, c.begun);
    go_ctx_unref(ctx);
}

/* ---- plumbing ---- */

static void emit_five(go_emitter out, void *arg)
{
    for (int v = 1; v <= 5; v++)
        if (go_emit(out, &v) < 0)
            return;
}

static go_receiver five(void)
{
    return go_generate(emit_five, NULL, 0, sizeof(int), 0, NULL);
}

/* All or nothing; and stops it. */
static void expect_sum(go_receiver r, int sum)
{
    int v = 0;

    if (!r.from)
        return;
    while (go_receiver_range(r, &v))
        sum -= v;
    assert_int_equal(sum, 0);
    go_generate_stop(r);
}

static int twice(const void *in, void *out, void *arg)
{
    *(int *)out = 2 * *(const int *)in;
    return 1;
}

static void use_stage(void)
{
    struct go_stage_options options = {.workers = 2, .ordered = 1};

    expect_sum(go_stage(five(), twice, NULL, sizeof(int), NULL), 30);
    expect_sum(go_stage(five(), twice, NULL, sizeof(int), &options), 30);
}

static void use_merge(void)
{
    expect_sum(go_merge((go_receiver[]){five(), five()}, 2, 1, NULL), 30);
}

static void use_tee(void)
{
    go_receiver out[2];

    if (go_tee(five(), out, 8, NULL) < 0)
        return;
    expect_sum(out[0], 15);
    expect_sum(out[1], 15);
}

static void use_batches(void)
{
    struct {
        size_t n;
        int values[8];
    } batch;
    go_receiver r = go_batches(five(), 8, 1, 1, NULL);
    size_t n = 0;

    if (!r.from)
        return;
    while (go_receiver_range(r, &batch))
        n += batch.n;
    assert_int_equal(n, 5);
    go_generate_stop(r);
}

static void use_ring(void)
{
    go_ring *r = go_ring_new(sizeof(int), 2);
    int v = 0;

    if (!r)
        return;
    for (int i = 1; i <= 3; i++)
        assert_int_equal(go_ring_send(r, &i, &v), i == 3);
    assert_int_equal(v, 1);
    go_ring_unref(r);
}

/* ---- workers and jobs ---- */

static int returns_one(const struct go_task *task)
{
    *(int *)task->result = 1;
    return 0;
}

static void use_workers(void)
{
    struct go_workers_options options = {.workers = 2, .queue = 4, .result_bytes = sizeof(int), .results = 8};
    go_workers *p = go_workers_new(&options);
    struct go_task_result result;
    int64_t begun = 0;
    int v;

    if (!p)
        return;
    for (int i = 0; i < 5; i++) {
        char argument[100] = "";
        int64_t r = go_workers_submit(p, returns_one, argument, sizeof argument, GO_FOREVER);

        ok_or_no_memory(r);
        begun += r > 0;
    }
    ok_or_no_memory(go_workers_resize(p, 3));
    assert_int_equal(go_workers_close(p), 0);
    while (go_workers_result(p, &result, &v, GO_FOREVER) == 1)
        begun -= v;
    assert_int_equal(begun, 0);
    assert_int_equal(go_workers_wait(p, GO_FOREVER), 0);
    go_workers_unref(p);
}

static void add_job(int worker, void *job, void *sum)
{
    atomic_fetch_add((_Atomic int *)sum, *(int *)job);
}

static void use_balancer(void)
{
    _Atomic int sum = 0;
    struct go_balancer_options options = {
        .workers = 2, .queue = 2, .job_bytes = sizeof(int), .fn = add_job, .arg = (void *)&sum};
    go_balancer *b = go_balancer_new(&options);
    int expect = 0;

    if (!b)
        return;
    for (int i = 1; i <= 5; i++) {
        int r = go_balancer_submit(b, &i, GO_FOREVER);

        ok_or_no_memory(r);
        expect += r >= 0 ? i : 0;
        ok_or_no_memory(go_balancer_set_up(b, 0, i % 2));
    }
    assert_int_equal(go_balancer_close(b), 0);
    assert_int_equal(go_balancer_wait(b, GO_FOREVER), 0);
    assert_int_equal(sum, expect);
    go_balancer_unref(b);
}

static int make_int(void **resource, void *made)
{
    *resource = malloc(sizeof(int));
    ++*(int *)made;
    return 0;
}

static void drop_int(void *resource, void *made)
{
    free(resource);
    --*(int *)made;
}

static void use_resources(void)
{
    int made = 0;
    struct go_resources_options options = {.most = 2, .make = make_int, .drop = drop_int, .arg = &made};
    go_resources *p = go_resources_new(&options);
    void *got[2];

    if (!p)
        return;
    for (int i = 0; i < 2; i++) {
        int r = go_resources_get(p, &got[i], GO_FOREVER);

        ok_or_no_memory(r);
        if (r == 0 && i == 0)
            assert_int_equal(go_resources_put(p, got[i]), 0);
        else if (r == 0)
            assert_int_equal(go_resources_discard(p, got[i]), 0);
    }
    assert_int_equal(go_resources_taken(p), 0);
    go_resources_unref(p);
    assert_int_equal(made, 0);
}

static int is_well(go_ctx *ctx, char *text, size_t text_bytes, void *ran)
{
    atomic_fetch_add((_Atomic int *)ran, 1);
    return 0;
}

static void use_health(void)
{
    go_health *h = go_health_new();
    _Atomic int ran = 0;
    int added = 0, r;

    if (!h)
        return;
    for (int i = 0; i < 3; i++) {
        r = go_health_add(h, "check", is_well, (void *)&ran, GO_NS_FOREVER);
        ok_or_no_memory(r);
        added += r == 0;
    }
    r = go_health_run(h, GO_FOREVER);
    if (r == 0)
        assert_int_equal(ran, added);
    assert_int_equal(go_health_close(h), 0);
    assert_int_equal(go_health_wait(h, GO_FOREVER), 0);
    go_health_unref(h);
}

/* ---- values ---- */

static void use_broker(void)
{
    go_broker *b = go_broker_new(sizeof(int));
    go_subscription *s[3];
    int takers = 0, v = 5;

    if (!b)
        return;
    for (int i = 0; i < 3; i++) {
        s[i] = go_broker_subscribe(b, i ? "weather" : "news", 1, GO_PUBLISH_DROPS);
        takers += i && s[i];
    }
    ok_or_no_memory(go_broker_publish(b, "news", &v, GO_FOREVER));
    v = go_broker_publish(b, "weather", &v, GO_FOREVER);
    ok_or_no_memory(v);
    assert_true(v < 0 || v == takers);
    for (int i = 0; i < 3; i++)
        go_unsubscribe(s[i]);
    go_broker_unref(b);
}

static void use_cache(void)
{
    go_cache *c = go_cache_new(sizeof(int), 10, GO_NS_FOREVER);
    size_t held = 0;

    if (!c)
        return;
    for (int i = 0; i < 20; i++) {
        int v = -1, r = go_cache_put(c, GO_KEY(i), &i);

        ok_or_no_memory(r);
        held += r == 0;
        assert_int_equal(go_cache_get(c, GO_KEY(i), &v), r == 0);
        assert_int_equal(v, r == 0 ? i : -1);
    }
    assert_int_equal(go_cache_len(c), held < 10 ? held : 10);
    go_cache_unref(c);
}

#define NO_MEMORY_TEST(what)                                                                                 \
    static void test_no_allocation_of_##what##_is_taken_for_granted(void **state)                            \
    {                                                                                                        \
        each_fails_once(use_##what);                                                                         \
    }

NO_MEMORY_TEST(map)
NO_MEMORY_TEST(singleflight)
NO_MEMORY_TEST(scope)
NO_MEMORY_TEST(stream)
NO_MEMORY_TEST(errgroup)
NO_MEMORY_TEST(stage)
NO_MEMORY_TEST(merge)
NO_MEMORY_TEST(tee)
NO_MEMORY_TEST(batches)
NO_MEMORY_TEST(ring)
NO_MEMORY_TEST(workers)
NO_MEMORY_TEST(balancer)
NO_MEMORY_TEST(resources)
NO_MEMORY_TEST(health)
NO_MEMORY_TEST(broker)
NO_MEMORY_TEST(cache)

#define UNIT(what) cmocka_unit_test(test_no_allocation_of_##what##_is_taken_for_granted)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(map),       UNIT(singleflight), UNIT(scope),   UNIT(stream), UNIT(errgroup), UNIT(stage),
        UNIT(merge),     UNIT(tee),          UNIT(batches), UNIT(ring),   UNIT(workers),  UNIT(balancer),
        UNIT(resources), UNIT(health),       UNIT(broker),  UNIT(cache),
    };

    go_set_procs(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
