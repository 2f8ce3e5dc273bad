/* What one process runs for all, and who is killed at it: O, SF; conditions of a lock, K; limiters and breakers. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

#include "client_fixture.h"

static struct node *node;

/* What the processes of a test see of each other, besides the daemon. */
static struct {
    atomic_int runs, items, taken, wrong;
} * shared;

static int start_node(void **state)
{
    node = node_start();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED;
}

static int stop_node(void **state)
{
    node = node_delete(node);
    return munmap(shared, sizeof *shared);
}

static int clear(void **state)
{
    memset(shared, 0, sizeof *shared);
    return 0;
}

static uint64_t stat_of(gc_client *g, const char *name)
{
    struct gc_stats stats;
    assert_true(gc_stats(g, name, &stats, GC_FOREVER) >= 1);
    uint64_t value = stats.items[0].value;
    gc_stats_clear(&stats);
    return value;
}

static void wait_until_parked(gc_client *g, uint64_t n)
{
    while (stat_of(g, "ops.parked") != n)
        ;
}

static void peer_kill(struct peer *peer)
{
    kill(peer->pid, SIGKILL);
    assert_int_equal(peer_wait(peer), 128 + SIGKILL);
}

/* ---- once ---- */

enum { PROCESSES = 4 };

static int run(void *arg)
{
    atomic_fetch_add(&shared->runs, 1);
    return 0;
}

static int initialises(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    int r = gc_once(g, "init", run, NULL, GC_FOREVER);
    return r || atomic_load(&shared->runs) != 1;
}

static void test_O1_one_of_all_processes_runs_it_and_all_return_after_its_end(void **state)
{
    struct peer peers[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        peers[i] = peer_start(node, initialises);
    for (int i = 0; i < PROCESSES; i++)
        assert_int_equal(peer_wait(&peers[i]), 0);
    assert_int_equal(atomic_load(&shared->runs), 1);
}

struct places {
    gc_client *g;
    int to, from, inner;
};

static int stays_in_it(void *arg)
{
    const struct places *places = arg;
    peer_say(places->to, 'd');
    peer_hear(places->from, 'x');
    return 0;
}

static int runs_for_ever(const struct node *n, int to, int from)
{
    struct places places = {node_connect(n), to, from, 0};
    return gc_once(places.g, "dies", stays_in_it, &places, GC_FOREVER);
}

static void test_O2_a_runner_that_is_killed_is_told_to_everybody_until_a_reset(void **state)
{
    struct peer peer = peer_start(node, runs_for_ever);
    peer_hear(peer.from, 'd');
    gc_client *g = node_connect(node);
    assert_fails(gc_once(g, "dies", run, NULL, GC_NOW), -EAGAIN);
    assert_fails(gc_sync_reset(g, GC_SYNC_ONCE, "dies", GC_FOREVER), -EBUSY);
    peer_kill(&peer);
    assert_fails(gc_once(g, "dies", run, NULL, GC_FOREVER), -EOWNERDEAD);
    assert_fails(gc_once(g, "dies", run, NULL, GC_FOREVER), -EOWNERDEAD);
    assert_ok(gc_sync_reset(g, GC_SYNC_ONCE, "dies", GC_FOREVER));
    assert_ok(gc_once(g, "dies", run, NULL, GC_FOREVER));
    assert_int_equal(atomic_load(&shared->runs), 1);
    gc_disconnect(g);
}

static int fails(void *arg)
{
    return -EIO;
}

static void test_O2_so_is_a_function_that_fails(void **state)
{
    gc_client *g = node_connect(node);
    assert_fails(gc_once(g, "fails", fails, NULL, GC_FOREVER), -EIO);
    assert_fails(gc_once(g, "fails", run, NULL, GC_FOREVER), -EOWNERDEAD);
    assert_int_equal(atomic_load(&shared->runs), 0);
    gc_disconnect(g);
}

static int calls_itself(void *arg)
{
    struct places *places = arg;
    places->inner = gc_once(places->g, "recursive", run, NULL, GC_FOREVER);
    return gc_once(places->g, "another", run, NULL, GC_FOREVER);
}

static void test_O3_the_function_that_calls_for_itself_is_told_so(void **state)
{
    struct places places = {.g = node_connect(node)};
    assert_ok(gc_once(places.g, "recursive", calls_itself, &places, GC_FOREVER));
    assert_int_equal(places.inner, -EDEADLK);
    assert_int_equal(atomic_load(&shared->runs), 1);
    gc_disconnect(places.g);
}

/* ---- flights ---- */

static int makes_a_value(void *arg, struct gc_value *value)
{
    const struct places *places = arg;
    atomic_fetch_add(&shared->runs, 1);
    if (places) {
        peer_say(places->to, 'd');
        peer_hear(places->from, 'g');
    }
    *value = gc_string("made once");
    return 0;
}

static int flies(const struct node *n, int to, int from)
{
    struct places places = {node_connect(n), to, from, 0};
    struct gc_flight flight = {makes_a_value, &places};
    struct gc_value v;
    bool others;
    int r = gc_flight_do(places.g, "key", &flight, &v, &others, GC_FOREVER);
    return r || !others || v.size != 9;
}

static int follows(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    struct gc_flight flight = {makes_a_value, NULL};
    struct gc_value v;
    bool others;
    peer_hear(from, 'g');
    int r = gc_flight_do(g, "key", &flight, &v, &others, GC_FOREVER);
    bool same = v.size == 9 && memcmp(v.data, "made once", 9) == 0;
    gc_value_clear(&v);
    return r || !others || !same;
}

static void test_SF1_callers_in_several_processes_share_one_flight(void **state)
{
    struct peer runner = peer_start(node, flies), others[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        others[i] = peer_start(node, follows);
    peer_hear(runner.from, 'd');
    for (int i = 0; i < PROCESSES; i++)
        peer_say(others[i].to, 'g');
    gc_client *g = node_connect(node);
    wait_until_parked(g, PROCESSES);
    peer_say(runner.to, 'g');
    assert_int_equal(peer_wait(&runner), 0);
    for (int i = 0; i < PROCESSES; i++)
        assert_int_equal(peer_wait(&others[i]), 0);
    assert_int_equal(atomic_load(&shared->runs), 1);
    gc_disconnect(g);
}

static int makes_nothing(void *arg, struct gc_value *value)
{
    return -ENOENT;
}

struct follower {
    pthread_t thread;
    gc_client *g;
    const char *key;
    int status;
};

static void *follow(void *arg)
{
    struct follower *f = arg;
    struct gc_flight flight = {makes_nothing, NULL};
    struct gc_value v;
    f->status = gc_flight_do(f->g, f->key, &flight, &v, NULL, GC_FOREVER);
    gc_value_clear(&v);
    return NULL;
}

static void test_SF3_a_killed_runner_is_an_error_of_its_followers_and_the_key_is_free(void **state)
{
    struct peer runner = peer_start(node, flies);
    peer_hear(runner.from, 'd');
    struct follower f = {.g = node_connect(node), .key = "key"};
    assert_int_equal(pthread_create(&f.thread, NULL, follow, &f), 0);
    wait_until_parked(f.g, 1);
    peer_kill(&runner);
    pthread_join(f.thread, NULL);
    assert_int_equal(f.status, -EOWNERDEAD);
    follow(&f); /* runs it itself now */
    assert_int_equal(f.status, -ENOENT);
    gc_disconnect(f.g);
}

static void test_SF2_forgotten_while_under_way_it_begins_anew(void **state)
{
    struct peer old = peer_start(node, flies);
    peer_hear(old.from, 'd');
    struct follower f = {.g = node_connect(node), .key = "key"};
    assert_int_equal(pthread_create(&f.thread, NULL, follow, &f), 0);
    wait_until_parked(f.g, 1);
    assert_ok(gc_sync_reset(f.g, GC_SYNC_FLIGHT, "key", GC_FOREVER));
    struct follower new = {.g = f.g, .key = "key"};
    follow(&new);
    assert_int_equal(new.status, -ENOENT);
    peer_say(old.to, 'g');
    assert_int_equal(peer_wait(&old), 0);
    pthread_join(f.thread, NULL);
    assert_int_equal(f.status, 0);
    gc_disconnect(f.g);
}

/* ---- conditions ---- */

enum { ITEMS = 300, CONSUMERS = 3 };

/* Takes items under the lock until all are taken. */
static int consumes(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    uint64_t token;
    int r = gc_lock(g, "store", &token, 0, GC_FOREVER);
    while (r == 0 && atomic_load(&shared->taken) < ITEMS) {
        if (atomic_load(&shared->items) == 0) {
            r = gc_cond_wait(g, "filled", "store", &token, GC_FOREVER);
            continue;
        }
        atomic_fetch_sub(&shared->items, 1);
        atomic_fetch_add(&shared->taken, 1);
    }
    if (r == 0 && gc_cond_broadcast(g, "filled", GC_FOREVER) < 0)
        return 2;
    return r || gc_unlock(g, "store", token, 0, GC_FOREVER);
}

static void test_K_a_store_of_several_processes_loses_no_wake_up(void **state)
{
    struct peer peers[CONSUMERS];
    uint64_t token;
    for (int i = 0; i < CONSUMERS; i++)
        peers[i] = peer_start(node, consumes);
    gc_client *g = node_connect(node);
    for (int i = 0; i < ITEMS; i++) {
        assert_ok(gc_lock(g, "store", &token, 0, GC_FOREVER));
        atomic_fetch_add(&shared->items, 1);
        assert_ok(gc_unlock(g, "store", token, 0, GC_FOREVER));
        assert_true(gc_cond_signal(g, "filled", GC_FOREVER) >= 0);
    }
    for (int i = 0; i < CONSUMERS; i++)
        assert_int_equal(peer_wait(&peers[i]), 0);
    assert_int_equal(atomic_load(&shared->taken), ITEMS);
    gc_disconnect(g);
}

static int waits_for_a_signal(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    uint64_t token;
    if (gc_lock(g, "m", &token, 0, GC_FOREVER) != 0)
        return 1;
    peer_say(to, 'd');
    int r = gc_cond_wait(g, "c", "m", &token, GC_FOREVER);
    if (r == 0)
        r = gc_unlock(g, "m", token, 0, GC_FOREVER);
    return r;
}

static void test_K2_the_signal_of_a_killed_waiter_goes_to_the_next(void **state)
{
    struct peer first = peer_start(node, waits_for_a_signal);
    struct peer second = peer_start(node, waits_for_a_signal);
    uint64_t token;
    peer_hear(first.from, 'd');
    peer_hear(second.from, 'd');
    gc_client *g = node_connect(node);
    wait_until_parked(g, 2);
    assert_ok(gc_lock(g, "m", &token, 0, GC_FOREVER));
    assert_fails(gc_cond_signal(g, "c", GC_FOREVER), 1); /* one of them waits for the lock now */
    peer_kill(&first);
    wait_until_parked(g, 1);
    assert_true(gc_cond_signal(g, "c", GC_FOREVER) >= 0); /* where the killed one was not the one */
    assert_ok(gc_unlock(g, "m", token, 0, GC_FOREVER));
    assert_int_equal(peer_wait(&second), 0);
    assert_fails(gc_cond_signal(g, "c", GC_FOREVER), 0);
    gc_disconnect(g);
}

static void test_K1_a_wait_that_times_out_holds_the_lock_again(void **state)
{
    gc_client *g = node_connect(node);
    uint64_t token, before;
    assert_ok(gc_lock(g, "timed", &token, 0, GC_FOREVER));
    before = token;
    assert_fails(gc_cond_wait(g, "late", "timed", &token, GC_NOW), -EAGAIN);
    assert_int_equal(token, before);
    assert_fails(gc_cond_wait(g, "late", "timed", &token, gc_after_ms(-1)), -ETIMEDOUT);
    assert_int_equal(token, before);
    assert_fails(gc_cond_wait(g, "late", "timed", &token, gc_after_ms(1)), -ETIMEDOUT);
    assert_ok(gc_unlock(g, "timed", token, 0, GC_FOREVER));
    assert_fails(gc_cond_wait(g, "late", "timed", &token, GC_FOREVER), -EPERM);
    gc_disconnect(g);
}

/* ---- limiters and breakers ---- */

static void test_a_limiter_gives_its_burst_and_no_more_until_the_time_comes(void **state)
{
    const struct gc_rate rate = {INT64_C(3600) * 1000000000, 2}, fast = {1000000, 1};
    gc_client *g = node_connect(node), *other = node_connect(node);
    assert_ok(gc_limit_take(g, "slow", rate, 1, GC_NOW));
    assert_ok(gc_limit_take(other, "slow", rate, 1, GC_NOW));
    assert_fails(gc_limit_take(g, "slow", rate, 1, GC_NOW), -EAGAIN);
    assert_fails(gc_limit_take(g, "slow", rate, 1, gc_after_ms(1)), -ETIMEDOUT);
    assert_fails(gc_limit_take(g, "slow", rate, 3, GC_NOW), -E2BIG);
    assert_fails(gc_limit_take(g, "slow", fast, 1, GC_NOW), -EEXIST);
    assert_ok(gc_sync_reset(g, GC_SYNC_LIMITER, "slow", GC_FOREVER));
    assert_ok(gc_limit_take(g, "slow", rate, 2, GC_NOW));
    for (int i = 0; i < 5; i++)
        assert_ok(gc_limit_take(g, "fast", fast, 1, GC_FOREVER));
    gc_disconnect(other);
    gc_disconnect(g);
}

static int enters_for_ever(const struct node *n, int to, int from)
{
    const struct gc_breaking when = {1, INT64_C(3600) * 1000000000};
    gc_client *g = node_connect(n);
    uint64_t token;
    if (gc_breaker_enter(g, "circuit", when, &token, GC_FOREVER) != 0)
        return 1;
    peer_say(to, 'd');
    peer_hear(from, 'x');
    return 0;
}

static void test_a_caller_that_is_killed_opens_the_breaker(void **state)
{
    const struct gc_breaking when = {1, INT64_C(3600) * 1000000000};
    struct peer peer = peer_start(node, enters_for_ever);
    uint64_t token;
    peer_hear(peer.from, 'd');
    gc_client *g = node_connect(node);
    assert_ok(gc_breaker_enter(g, "circuit", when, &token, GC_FOREVER));
    assert_ok(gc_breaker_leave(g, "circuit", token, false, GC_FOREVER));
    assert_fails(gc_breaker_leave(g, "circuit", token, false, GC_FOREVER), -EPERM);
    peer_kill(&peer);
    while (stat_of(g, "syncs.holds") > 0) /* its end is on its way */
        ;
    assert_fails(gc_breaker_enter(g, "circuit", when, &token, GC_FOREVER), -EBUSY);
    assert_ok(gc_sync_reset(g, GC_SYNC_BREAKER, "circuit", GC_FOREVER));
    assert_ok(gc_breaker_enter(g, "circuit", when, &token, GC_FOREVER));
    assert_ok(gc_breaker_leave(g, "circuit", token, true, GC_FOREVER));
    assert_fails(gc_breaker_enter(g, "circuit", when, &token, GC_FOREVER), -EBUSY);
    gc_disconnect(g);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_O1_one_of_all_processes_runs_it_and_all_return_after_its_end),
        TEST(test_O2_a_runner_that_is_killed_is_told_to_everybody_until_a_reset),
        TEST(test_O2_so_is_a_function_that_fails),
        TEST(test_O3_the_function_that_calls_for_itself_is_told_so),
        TEST(test_SF1_callers_in_several_processes_share_one_flight),
        TEST(test_SF3_a_killed_runner_is_an_error_of_its_followers_and_the_key_is_free),
        TEST(test_SF2_forgotten_while_under_way_it_begins_anew),
        TEST(test_K_a_store_of_several_processes_loses_no_wake_up),
        TEST(test_K2_the_signal_of_a_killed_waiter_goes_to_the_next),
        TEST(test_K1_a_wait_that_times_out_holds_the_lock_again),
        TEST(test_a_limiter_gives_its_burst_and_no_more_until_the_time_comes),
        TEST(test_a_caller_that_is_killed_opens_the_breaker),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
