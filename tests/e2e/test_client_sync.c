/* What processes agree with by name, with processes: they share, exclude and wait, and are killed while they hold. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client_fixture.h"

static struct node *node;

/* What the processes of a test see of each other, besides the daemon. */
static struct {
    atomic_int inside, most, readers, writers, wrong;
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

/* Other processes come first: the test's own client, with its threads, begins after the last of them. */
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

/* Nobody holds anything or waits. */
static void assert_nothing_left(gc_client *g)
{
    while (stat_of(g, "syncs") > 0 || stat_of(g, "ops.parked") > 0) /* the end of a process is on its way */
        ;
}

static void wait_until_parked(gc_client *g, uint64_t n)
{
    while (stat_of(g, "ops.parked") != n)
        ;
}

/* ---- locks from hand to hand ---- */

static int claims(const struct node *n, int to, int from)
{
    uint64_t offered, token;
    peer_hear(from, 'g');
    if (read(from, &offered, sizeof offered) != sizeof offered)
        return 1;
    gc_client *g = node_connect(n);
    if (gc_lock_claim(g, "baton", offered, &token, GC_FOREVER) != 0 || token <= offered)
        return 2;
    peer_say(to, 'c');
    peer_hear(from, 'u');
    return gc_unlock(g, "baton", token, 0, GC_FOREVER) ? 3 : 0;
}

static void test_M3_a_lock_goes_from_hand_to_hand_and_is_held_all_the_while(void **state)
{
    struct peer runner = peer_start(node, claims);
    gc_client *g = node_connect(node);
    uint64_t mine, next;
    assert_ok(gc_lock(g, "baton", &mine, 0, GC_FOREVER));
    assert_fails(gc_lock_claim(g, "baton", mine, &next, GC_FOREVER), -EPERM);
    assert_ok(gc_lock_offer(g, "baton", mine, GC_FOREVER));
    peer_say(runner.to, 'g');
    assert_int_equal(write(runner.to, &mine, sizeof mine), sizeof mine);
    peer_hear(runner.from, 'c');
    assert_fails(gc_lock(g, "baton", &next, 0, GC_NOW), -EAGAIN);
    assert_fails(gc_unlock(g, "baton", mine, 0, GC_FOREVER), -ESTALE);
    peer_say(runner.to, 'u');
    assert_int_equal(peer_wait(&runner), 0);
    assert_ok(gc_lock(g, "baton", &next, 0, GC_FOREVER)); /* no owner has died */
    assert_ok(gc_unlock(g, "baton", next, 0, GC_FOREVER));
    gc_disconnect(g);
}

/* ---- semaphores ---- */

enum { PROCESSES = 4, ROUNDS = 200, SIZE = 2 };

static void enter(atomic_int *inside, int most)
{
    if (atomic_fetch_add(inside, 1) >= most)
        atomic_fetch_add(&shared->wrong, 1);
}

static int acquires_and_releases(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    for (int i = 0; i < ROUNDS; i++) {
        if (gc_sem_acquire(g, "pool", SIZE, 1, GC_FOREVER) != 0)
            return 1;
        enter(&shared->inside, SIZE);
        atomic_fetch_sub(&shared->inside, 1);
        if (gc_sem_release(g, "pool", 1, GC_FOREVER) != 0)
            return 2;
    }
    gc_disconnect(g);
    return 0;
}

static void test_SE_never_more_units_are_out_than_there_are(void **state)
{
    struct peer peers[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        peers[i] = peer_start(node, acquires_and_releases);
    for (int i = 0; i < PROCESSES; i++)
        assert_int_equal(peer_wait(&peers[i]), 0);
    assert_int_equal(atomic_load(&shared->wrong), 0);
    gc_client *g = node_connect(node);
    assert_nothing_left(g);
    gc_disconnect(g);
}

static int holds_units(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    if (gc_sem_acquire(g, "killed", 3, 2, GC_FOREVER) != 0)
        return 1;
    peer_say(to, 'h');
    peer_hear(from, 'x'); /* never comes: it is killed */
    return 0;
}

static void test_SE5_a_killed_process_returns_its_units(void **state)
{
    struct peer peer = peer_start(node, holds_units);
    peer_hear(peer.from, 'h');
    gc_client *g = node_connect(node);
    assert_fails(gc_sem_acquire(g, "killed", 3, 2, GC_NOW), -EAGAIN);
    assert_fails(gc_sem_acquire(g, "killed", 3, 2, gc_after_ms(1)), -ETIMEDOUT);
    kill(peer.pid, SIGKILL);
    assert_ok(gc_sem_acquire(g, "killed", 3, 3, GC_FOREVER));
    assert_int_equal(peer_wait(&peer), 128 + SIGKILL);
    assert_fails(gc_sem_release(g, "killed", 4, GC_FOREVER), -EPERM);
    assert_ok(gc_sem_release(g, "killed", 3, GC_FOREVER));
    assert_nothing_left(g);
    gc_disconnect(g);
}

static void test_SE4_more_than_there_is_is_refused(void **state)
{
    gc_client *g = node_connect(node);
    assert_fails(gc_sem_acquire(g, "size", 3, 4, GC_FOREVER), -E2BIG);
    assert_ok(gc_sem_acquire(g, "size", 3, 1, GC_FOREVER));
    assert_fails(gc_sem_acquire(g, "size", 4, 1, GC_FOREVER), -EEXIST);
    assert_string_equal(gc_why(), "semaphore size has 3 units, not 4");
    uint64_t token;
    assert_fails(gc_lock(g, "size", &token, 0, GC_FOREVER), -EEXIST);
    assert_string_equal(gc_why(), "size is a semaphore, not a lock");
    assert_ok(gc_sem_release(g, "size", 1, GC_FOREVER));
    gc_disconnect(g);
}

static void test_SE1_a_context_that_is_done_takes_nothing(void **state)
{
    gc_client *g = node_connect(node);
    gc_ctx *ctx = gc_ctx_new(g);
    gc_ctx_cancel(ctx);
    assert_fails(gc_sem_acquire(g, "done", 3, 1, gc_with(ctx)), -ECANCELED);
    assert_fails(gc_rlock(g, "done.rw", gc_with(ctx)), -ECANCELED);
    assert_nothing_left(g);
    gc_ctx_free(ctx);
    gc_disconnect(g);
}

/* ---- a cancel and a grant at the same time ---- */

enum { RACES = 200, SPIN_FIRST = 1 << 14 };

/* Three ways to have something alone. Each knows one name. */
struct alone {
    int (*take)(gc_client *g, uint64_t *token, gc_until until);
    int (*give)(gc_client *g, uint64_t token);
};

static int take_lock(gc_client *g, uint64_t *token, gc_until until)
{
    return gc_lock(g, "race.lock", token, 0, until);
}

static int give_lock(gc_client *g, uint64_t token)
{
    return gc_unlock(g, "race.lock", token, 0, GC_FOREVER);
}

static int take_units(gc_client *g, uint64_t *token, gc_until until)
{
    return gc_sem_acquire(g, "race.units", 3, 3, until);
}

static int give_units(gc_client *g, uint64_t token)
{
    return gc_sem_release(g, "race.units", 3, GC_FOREVER);
}

static int take_writer(gc_client *g, uint64_t *token, gc_until until)
{
    return gc_rwlock(g, "race.rw", token, 0, until);
}

static int give_writer(gc_client *g, uint64_t token)
{
    return gc_rwunlock(g, "race.rw", token, 0, GC_FOREVER);
}

/* Who holds it gives it back while who waits for it is told to stop. */
struct race {
    const struct alone *alone;
    gc_client *holder, *waiter;
    gc_ctx *ctx;
    uint64_t token;
    unsigned spin; /* before the stop */
    int given;
};

static void *give_soon(void *arg)
{
    struct race *race = arg;
    race->given = race->alone->give(race->holder, race->token);
    return NULL;
}

static void *stop_soon(void *arg)
{
    struct race *race = arg;
    for (volatile unsigned spin = race->spin; spin; spin--)
        ;
    gc_ctx_cancel(race->ctx);
    return NULL;
}

/* Whether the waiter had it. Whatever it was told is so: what was cancelled is nobody's by then. */
static bool race_once(struct race *race)
{
    const struct alone *alone = race->alone;
    pthread_t giver, stopper;
    uint64_t token = 0;
    assert_ok(alone->take(race->holder, &race->token, GC_NOW));
    race->ctx = gc_ctx_new(race->waiter);
    assert_int_equal(pthread_create(&giver, NULL, give_soon, race), 0);
    assert_int_equal(pthread_create(&stopper, NULL, stop_soon, race), 0);
    int r = alone->take(race->waiter, &token, gc_with(race->ctx));
    pthread_join(giver, NULL);
    pthread_join(stopper, NULL);
    assert_int_equal(race->given, 0);
    if (r == 0)
        assert_ok(alone->give(race->waiter, token));
    else
        assert_fails(r, -ECANCELED);
    gc_ctx_free(race->ctx);
    return r == 0;
}

/* The stop comes a little later after each race it won, and a little earlier after the others: so they stay close. */
static void test_IP1_3_a_cancel_that_races_a_grant_leaves_nothing_held(void **state)
{
    static const struct alone ways[] = {
        {take_lock, give_lock}, {take_units, give_units}, {take_writer, give_writer}};
    struct race race = {.holder = node_connect(node), .waiter = node_connect(node), .spin = SPIN_FIRST};
    int had = 0;
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++)
        for (int i = 0; i < RACES; i++) {
            race.alone = &ways[way];
            bool late = race_once(&race);
            race.spin += late ? -(race.spin / 8) : race.spin / 4 + 8;
            had += late;
        }
    print_message("of %d races %d had it\n", 3 * RACES, had);
    assert_true(had > 0 && had < 3 * RACES);
    assert_nothing_left(race.holder);
    gc_disconnect(race.holder);
    gc_disconnect(race.waiter);
}

/* ---- reader-writer locks ---- */

static int read_once(gc_client *g)
{
    if (gc_rlock(g, "book", GC_FOREVER) != 0)
        return 1;
    atomic_fetch_add(&shared->readers, 1);
    if (atomic_load(&shared->writers))
        atomic_fetch_add(&shared->wrong, 1);
    atomic_fetch_sub(&shared->readers, 1);
    return gc_runlock(g, "book", GC_FOREVER);
}

static int write_once(gc_client *g)
{
    uint64_t token;
    if (gc_rwlock(g, "book", &token, 0, GC_FOREVER) != 0)
        return 1;
    enter(&shared->writers, 1);
    if (atomic_load(&shared->readers))
        atomic_fetch_add(&shared->wrong, 1);
    atomic_fetch_sub(&shared->writers, 1);
    return gc_rwunlock(g, "book", token, 0, GC_FOREVER);
}

static int reads_and_writes(const struct node *n, int to, int from)
{
    gc_client *g = node_connect(n);
    for (int i = 0; i < ROUNDS; i++)
        if ((i % 4 ? read_once : write_once)(g) != 0)
            return 1;
    gc_disconnect(g);
    return 0;
}

static void test_W1_writers_of_several_processes_exclude_all(void **state)
{
    struct peer peers[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        peers[i] = peer_start(node, reads_and_writes);
    for (int i = 0; i < PROCESSES; i++)
        assert_int_equal(peer_wait(&peers[i]), 0);
    assert_int_equal(atomic_load(&shared->wrong), 0);
    gc_client *g = node_connect(node);
    assert_nothing_left(g);
    gc_disconnect(g);
}

static int writes_for_ever(const struct node *n, int to, int from)
{
    uint64_t token;
    gc_client *g = node_connect(n);
    if (gc_rwlock(g, "torn", &token, 0, GC_FOREVER) != 0)
        return 1;
    peer_say(to, 'h');
    peer_hear(from, 'x');
    return 0;
}

static void test_IP4_a_killed_writer_is_told_to_readers_and_to_the_writer_who_repairs(void **state)
{
    struct peer peer = peer_start(node, writes_for_ever);
    uint64_t token;
    peer_hear(peer.from, 'h');
    gc_client *g = node_connect(node);
    assert_fails(gc_rlock(g, "torn", GC_NOW), -EAGAIN);
    kill(peer.pid, SIGKILL);
    assert_fails(gc_rlock(g, "torn", GC_FOREVER), GC_OWNER_DIED);
    assert_int_equal(peer_wait(&peer), 128 + SIGKILL);
    assert_ok(gc_runlock(g, "torn", GC_FOREVER));
    assert_fails(gc_rwlock(g, "torn", &token, 0, GC_FOREVER), GC_OWNER_DIED);
    assert_ok(gc_rwunlock(g, "torn", token, 0, GC_FOREVER));
    assert_fails(gc_rlock(g, "torn", GC_FOREVER), -ENOTRECOVERABLE);
    assert_fails(gc_rwlock(g, "torn", &token, GC_RECOVER, GC_FOREVER), GC_OWNER_DIED);
    assert_fails(gc_rwunlock(g, "torn", token + 1, GC_CONSISTENT, GC_FOREVER), -ESTALE);
    assert_ok(gc_rwunlock(g, "torn", token, GC_CONSISTENT, GC_FOREVER));
    assert_ok(gc_rlock(g, "torn", GC_FOREVER));
    assert_ok(gc_runlock(g, "torn", GC_FOREVER));
    assert_fails(gc_runlock(g, "torn", GC_FOREVER), -EPERM);
    assert_nothing_left(g);
    gc_disconnect(g);
}

static int waits_to_write(const struct node *n, int to, int from)
{
    uint64_t token;
    gc_client *g = node_connect(n);
    peer_hear(from, 'g');
    return gc_rwlock(g, "phase", &token, 0, GC_FOREVER);
}

static void test_W3_a_killed_waiting_writer_lets_readers_in(void **state)
{
    struct peer peer = peer_start(node, waits_to_write);
    gc_client *g = node_connect(node);
    assert_ok(gc_rlock(g, "phase", GC_FOREVER));
    peer_say(peer.to, 'g');
    wait_until_parked(g, 1);
    assert_fails(gc_rlock(g, "phase", GC_NOW), -EAGAIN);
    kill(peer.pid, SIGKILL);
    assert_ok(gc_rlock(g, "phase", GC_FOREVER));
    assert_int_equal(peer_wait(&peer), 128 + SIGKILL);
    gc_disconnect(g);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_M3_a_lock_goes_from_hand_to_hand_and_is_held_all_the_while),
        TEST(test_SE_never_more_units_are_out_than_there_are),
        TEST(test_SE5_a_killed_process_returns_its_units),
        TEST(test_SE4_more_than_there_is_is_refused),
        TEST(test_SE1_a_context_that_is_done_takes_nothing),
        TEST(test_IP1_3_a_cancel_that_races_a_grant_leaves_nothing_held),
        TEST(test_W1_writers_of_several_processes_exclude_all),
        TEST(test_IP4_a_killed_writer_is_told_to_readers_and_to_the_writer_who_repairs),
        TEST(test_W3_a_killed_waiting_writer_lets_readers_in),
    };
    return cmocka_run_group_tests(tests, start_node, stop_node);
}
