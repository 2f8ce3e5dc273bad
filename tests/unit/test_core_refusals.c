/* A sync object that refuses says in words, with the values, what was asked of it and how it stands. */
#include <stdio.h>

#include "sync_fixture.h"

#include <errno.h>

enum { KEPT = sizeof(((struct got *)NULL)->text) - 1 }; /* of the words */

static struct rig *rig;
static struct client *a, *b;

static int begin(void **state)
{
    rig = rig_new();
    a = client_new(rig);
    b = client_new(rig);
    return 0;
}

static int end(void **state)
{
    rig_delete(rig);
    return 0;
}

static void assert_refused(struct client *c, uint64_t op, int32_t status, const char *words)
{
    assert_status(c, op, status);
    assert_memory_equal(got(c, op)->text, words, strlen(words) < KEPT ? strlen(words) + 1 : KEPT);
}

static uint64_t add(struct client *c, uint32_t kind, int64_t delta)
{
    return add_of(c, (struct request_sync_add){.kind = kind, .name = named("x"), .delta = delta});
}

static uint64_t take(struct client *c, uint32_t kind, uint64_t units, uint64_t size)
{
    return take_of(
        c, (struct request_sync_take){.kind = kind, .name = named("x"), .units = units, .size = size});
}

static uint64_t take_timed(struct client *c, uint32_t kind, uint64_t units, uint64_t size, int64_t period_ns)
{
    return take_of(
        c, (struct request_sync_take){
               .kind = kind, .name = named("x"), .units = units, .size = size, .period_ns = period_ns});
}

static uint64_t give(struct client *c, uint32_t kind, uint64_t units)
{
    return give_of(c, (struct request_sync_give){.kind = kind, .name = named("x"), .units = units});
}

static uint64_t give_token(struct client *c, uint32_t kind, uint64_t token)
{
    return give_of(c, (struct request_sync_give){.kind = kind, .name = named("x"), .token = token});
}

static uint64_t unlock(struct client *c, uint64_t token)
{
    return client_do(c, (struct request){.verb = VERB_UNLOCK, .unlock = {named("x"), token, 0}});
}

static void test_A2_wait_groups(void **state)
{
    assert_refused(a, give(a, SYNC_WAITGROUP, 1), -EINVAL, "wait group 'x': done 1 with counter 0");
    assert_refused(a, add(a, SYNC_WAITGROUP, 0), -EINVAL,
                   "wait group 'x': add 0: units to add are 1 or more");
    assert_status(a, add(a, SYNC_WAITGROUP, 2), 0);
    assert_refused(a, give(a, SYNC_WAITGROUP, 3), -EINVAL, "wait group 'x': done 3 with counter 2");
    assert_refused(
        b, give(b, SYNC_WAITGROUP, 1), -EPERM,
        "wait group 'x': done 1 with 0 of this session and 0 detached: the others are of other sessions");
    assert_refused(b, take(b, SYNC_WAITGROUP, 1, 0), -EAGAIN, "wait group 'x': claim 1 with 0 detached");
    assert_refused(b, reset_of(b, SYNC_WAITGROUP, "x"), -EBUSY,
                   "wait group 'x': its counter is 2: the round is not over");
}

static void test_SE5_semaphores(void **state)
{
    assert_refused(a, take(a, SYNC_SEMAPHORE, 4, 3), -E2BIG,
                   "semaphore 'x': acquire 4 of 3 units: more than there ever are");
    assert_refused(a, take(a, SYNC_SEMAPHORE, 0, 3), -EINVAL,
                   "semaphore 'x': acquire 0 of 3 units: both are 1 or more");
    assert_refused(a, give(a, SYNC_SEMAPHORE, 1), -EPERM,
                   "semaphore 'x': nobody has anything of it to give back");
    assert_status(a, take(a, SYNC_SEMAPHORE, 2, 3), 0);
    assert_refused(a, give(a, SYNC_SEMAPHORE, 3), -EPERM,
                   "semaphore 'x': release 3 with 2 held by this session");
    assert_refused(b, give(b, SYNC_SEMAPHORE, 1), -EPERM,
                   "semaphore 'x': release 1 with 0 held by this session");
}

static void test_M3_locks(void **state)
{
    char words[128];
    uint64_t token;

    assert_refused(a, unlock(a, 1), -EPERM, "lock 'x': nobody holds it");
    token = token_of(a, lock_of(a, "x"));
    snprintf(words, sizeof words, "lock 'x': token 1: that of its owner is %lu", token);
    assert_refused(a, unlock(a, 1), -ESTALE, words);
    assert_refused(b, unlock(b, token), -EPERM, "lock 'x': another session holds it, by the same token");
    assert_refused(b, unlock(b, 1), -ESTALE, "lock 'x': token 1 is not that of its owner");
}

static void test_W1_reader_writer_locks(void **state)
{
    const struct request_sync_give runlock = {.kind = SYNC_RWMUTEX, .name = named("x"), .flags = GIVE_READ};
    uint64_t token = token_of(a, take(a, SYNC_RWMUTEX, 0, 0));
    char words[128];

    snprintf(words, sizeof words, "reader-writer lock 'x': unlock with token 1: that of its writer is %lu",
             token);
    assert_refused(a, give_token(a, SYNC_RWMUTEX, 1), -ESTALE, words);
    assert_refused(b, give_token(b, SYNC_RWMUTEX, token), -EPERM,
                   "reader-writer lock 'x': unlock by another session than its writer's");
    assert_refused(b, give_token(b, SYNC_RWMUTEX, 1), -ESTALE,
                   "reader-writer lock 'x': unlock with token 1, not that of its writer");
    assert_refused(b, give_of(b, runlock), -EPERM,
                   "reader-writer lock 'x': unlock by a session that does not read it; 0 other readers do");
}

static void test_O3_onces(void **state)
{
    uint64_t token = token_of(a, take(a, SYNC_ONCE, 0, 0));
    char words[128];

    snprintf(words, sizeof words, "once 'x': ended with token 1: its runner has %lu", token);
    assert_refused(a, give_token(a, SYNC_ONCE, 1), -ESTALE, words);
    assert_refused(b, give_token(b, SYNC_ONCE, 1), -ESTALE,
                   "once 'x': ended with token 1, not that of its runner");
    assert_refused(b, give_token(b, SYNC_ONCE, token), -EPERM,
                   "once 'x': ended by another session than its runner's");
    assert_refused(b, reset_of(b, SYNC_ONCE, "x"), -EBUSY, "once 'x': it is running");
    client_die(a);
    rig_sweep(rig);
    assert_refused(b, take(b, SYNC_ONCE, 0, 0), -EOWNERDEAD,
                   "once 'x': its function failed, or who ran it died");
}

static void test_E1_error_groups(void **state)
{
    assert_status(a, take(a, SYNC_ERRGROUP, 0, 0), 0);
    assert_refused(b, give(b, SYNC_ERRGROUP, 0), -EPERM,
                   "error group 'x': no member of this session runs; 1 others do");
    assert_refused(b, reset_of(b, SYNC_ERRGROUP, "x"), -EBUSY, "error group 'x': 1 members run");
}

static void test_counters_and_barriers(void **state)
{
    const struct request_sync_wait nobody = {.kind = SYNC_BARRIER, .name = named("y")};

    assert_status(a, add(a, SYNC_COUNTER, INT64_MAX), 0);
    assert_refused(a, add(a, SYNC_COUNTER, 1), -E2BIG,
                   "counter 'x': add 1 to 9223372036854775807: the sum is no 64-bit number");
    assert_refused(a, wait_of(a, nobody), -EINVAL, "barrier 'y': 0 parties: 1 or more go on together");
}

static void test_limiters(void **state)
{
    assert_refused(a, take_timed(a, SYNC_LIMITER, 3, 2, 1000), -E2BIG, "limiter 'x': take 3: the burst is 2");
    assert_refused(a, take_timed(a, SYNC_LIMITER, 1, 2, 0), -EINVAL,
                   "limiter 'x': take 1, of at most 2, one each 0 ns: all three are 1 or more");
}

static void test_breakers(void **state)
{
    const struct request_sync_give failed = {.kind = SYNC_BREAKER, .name = named("x"), .flags = GIVE_FAILED};

    assert_refused(a, take_timed(a, SYNC_BREAKER, 0, 0, 1), -EINVAL,
                   "breaker 'x': 0 failures that open it for 1 ns: both are 1 or more");
    assert_status(a, take_timed(a, SYNC_BREAKER, 0, 1, 5000000), 0);
    assert_refused(b, give_of(b, failed), -EPERM, "breaker 'x': no call of this session is under way");
    assert_status(a, give_of(a, failed), 0);
    assert_refused(b, take_timed(b, SYNC_BREAKER, 0, 1, 5000000), -EBUSY,
                   "breaker 'x': circuit breaker is open; one call may try in 5 ms");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_A2_wait_groups),         TEST(test_SE5_semaphores), TEST(test_M3_locks),
        TEST(test_W1_reader_writer_locks), TEST(test_O3_onces),       TEST(test_E1_error_groups),
        TEST(test_counters_and_barriers),  TEST(test_limiters),       TEST(test_breakers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
