/* Locks, conditions, wait groups, once: rules M, W, K, O, A. */
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

struct shared {
    go_mutex mutex;
    go_rwmutex rw;
    go_cond cond;
    go_once once;
    go_waitgroup group;
    long counter; /* guarded by what the test is about */
    int order[64], n;
    _Atomic int ran, inside, writers;
};

static struct shared *shared_new(void)
{
    struct shared *s = calloc(1, sizeof *s);

    assert_non_null(s);
    return s;
}

static void start(void (*fn)(void *), struct shared *s, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(go_waitgroup_go(&s->group, fn, s, 0), 0);
}

static void adds(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 2000; i++) {
        go_mutex_lock(&s->mutex);
        s->counter++;
        if (i % 64 == 0)
            go_yield();
        go_mutex_unlock(&s->mutex);
    }
}

RT_TEST(test_M1_mutual_exclusion_on_1_2_and_4_processors)
{
    static const int procs[] = {1, 2, 4};
    struct shared *s = shared_new();
    int old = go_set_procs(0);

    for (int i = 0; i < 3; i++) {
        go_set_procs(procs[i]);
        s->counter = 0;
        start(adds, s, 8);
        go_waitgroup_wait(&s->group);
        assert_int_equal(s->counter, 8 * 2000);
    }
    go_set_procs(old);
    assert_int_equal(go_mutex_trylock(&s->mutex), 1);
    assert_int_equal(go_mutex_trylock(&s->mutex), 0);
    go_mutex_unlock(&s->mutex);
    free(s);
}

static void unlocks(void *arg)
{
    go_mutex_unlock(&((struct shared *)arg)->mutex);
}

RT_TEST(test_M3_another_goroutine_may_unlock)
{
    struct shared *s = shared_new();

    go_mutex_lock(&s->mutex);
    start(unlocks, s, 1);
    go_mutex_lock(&s->mutex);
    go_mutex_unlock(&s->mutex);
    go_waitgroup_wait(&s->group);
    free(s);
}

static void locks_once(void *arg)
{
    struct shared *s = arg;

    go_mutex_lock(&s->mutex);
    atomic_store(&s->ran, 1);
    go_mutex_unlock(&s->mutex);
}

RT_TEST(test_M2_waiter_of_a_millisecond_is_handed_the_mutex)
{
    struct shared *s = shared_new();

    go_mutex_lock(&s->mutex);
    start(locks_once, s, 1);
    rt_wait_parked(1);
    go_sleep(go_after_ms(2));
    go_mutex_unlock(&s->mutex);
    if (go_mutex_trylock(&s->mutex)) { /* it was never free in between */
        assert_int_equal(atomic_load(&s->ran), 1);
        go_mutex_unlock(&s->mutex);
    }
    go_waitgroup_wait(&s->group);
    free(s);
}

static void reads(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 500; i++) {
        go_rwmutex_rlock(&s->rw);
        assert_int_equal(atomic_load(&s->writers), 0);
        atomic_fetch_add(&s->inside, 1);
        if (i % 16 == 0)
            go_yield();
        atomic_fetch_sub(&s->inside, 1);
        go_rwmutex_runlock(&s->rw);
    }
}

static void writes(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 200; i++) {
        go_rwmutex_lock(&s->rw);
        assert_int_equal(atomic_load(&s->inside), 0);
        assert_int_equal(atomic_fetch_add(&s->writers, 1), 0);
        s->counter++;
        go_yield();
        atomic_fetch_sub(&s->writers, 1);
        go_rwmutex_unlock(&s->rw);
    }
}

RT_TEST(test_W1_readers_share_and_writers_exclude)
{
    struct shared *s = shared_new();

    start(reads, s, 6);
    start(writes, s, 3);
    go_waitgroup_wait(&s->group);
    assert_int_equal(s->counter, 600);
    free(s);
}

static void writes_once(void *arg)
{
    struct shared *s = arg;

    go_rwmutex_lock(&s->rw);
    s->order[s->n++] = 1;
    go_rwmutex_unlock(&s->rw);
}

static void reads_once(void *arg)
{
    struct shared *s = arg;

    go_rwmutex_rlock(&s->rw);
    atomic_fetch_add(&s->inside, 1);
    go_rwmutex_runlock(&s->rw);
}

RT_TEST(test_W2_waiting_writer_keeps_new_readers_out)
{
    struct shared *s = shared_new();

    go_rwmutex_rlock(&s->rw);
    start(writes_once, s, 1);
    rt_wait_parked(1);
    assert_int_equal(go_rwmutex_tryrlock(&s->rw), 0);
    assert_int_equal(go_rwmutex_trylock(&s->rw), 0);
    start(reads_once, s, 3);
    rt_wait_parked(4);
    assert_int_equal(s->inside, 0);
    go_rwmutex_runlock(&s->rw);
    go_waitgroup_wait(&s->group);
    assert_int_equal(s->inside, 3);
    free(s);
}

static void writes_after_readers(void *arg)
{
    struct shared *s = arg;

    go_rwmutex_lock(&s->rw);
    s->order[s->n++] = atomic_load(&s->inside);
    go_rwmutex_unlock(&s->rw);
}

RT_TEST(test_W3_readers_that_wait_go_before_the_next_writer)
{
    struct shared *s = shared_new();

    go_rwmutex_lock(&s->rw);
    start(writes_after_readers, s, 2);
    rt_wait_parked(2);
    start(reads_once, s, 3);
    rt_wait_parked(5);
    go_rwmutex_unlock(&s->rw);
    go_waitgroup_wait(&s->group);
    assert_int_equal(s->order[0], 3);
    assert_int_equal(s->order[1], 3);
    free(s);
}

static void consumes(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 100; i++) {
        go_mutex_lock(&s->mutex);
        if (s->counter == 0)
            go_cond_wait(&s->cond, &s->mutex);
        assert_true(s->counter > 0); /* one signal for each: no loop is needed */
        s->counter--;
        go_mutex_unlock(&s->mutex);
    }
}

RT_TEST(test_K1_wait_has_no_spurious_wakeups)
{
    struct shared *s = shared_new();

    start(consumes, s, 1);
    for (int i = 0; i < 100; i++) {
        rt_wait_parked(1);
        go_mutex_lock(&s->mutex);
        s->counter++;
        go_cond_signal(&s->cond);
        go_mutex_unlock(&s->mutex);
        while (atomic_load(&s->ran) == 0 && go_live() > 1) {
            go_mutex_lock(&s->mutex);
            atomic_store(&s->ran, s->counter == 0);
            go_mutex_unlock(&s->mutex);
            go_yield();
        }
        atomic_store(&s->ran, 0);
    }
    go_waitgroup_wait(&s->group);
    free(s);
}

static void waits_for_signal(void *arg)
{
    struct shared *s = arg;

    go_mutex_lock(&s->mutex);
    go_cond_wait(&s->cond, &s->mutex);
    s->order[s->n++] = (int)go_id();
    go_mutex_unlock(&s->mutex);
}

RT_TEST(test_K2_signal_wakes_the_longest_waiter)
{
    struct shared *s = shared_new();

    go_cond_signal(&s->cond); /* not remembered */
    for (int i = 0; i < 5; i++) {
        start(waits_for_signal, s, 1);
        rt_wait_parked(i + 1);
    }
    for (int i = 0; i < 5; i++) {
        go_cond_signal(&s->cond);
        rt_wait_live(5 - i);
    }
    for (int i = 1; i < 5; i++)
        assert_true(s->order[i - 1] < s->order[i]);
    free(s);
}

RT_TEST(test_K3_broadcast_wakes_all_that_wait)
{
    struct shared *s = shared_new();

    start(waits_for_signal, s, 10);
    rt_wait_parked(10);
    go_cond_broadcast(&s->cond);
    go_waitgroup_wait(&s->group);
    assert_int_equal(s->n, 10);
    free(s);
}

static void runs_slowly(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 10; i++)
        go_yield();
    atomic_fetch_add(&s->ran, 1);
}

static void does_once(void *arg)
{
    struct shared *s = arg;

    go_once_do(&s->once, runs_slowly, s);
    assert_int_equal(atomic_load(&s->ran), 1);
}

RT_TEST(test_O1_all_callers_return_after_it_ran_once)
{
    struct shared *s = shared_new();

    start(does_once, s, 16);
    go_waitgroup_wait(&s->group);
    assert_int_equal(s->ran, 1);
    free(s);
}

static void waits_for_group(void *arg)
{
    struct shared *s = arg;

    go_waitgroup_wait(&s->group);
    atomic_fetch_add(&s->ran, 1);
}

RT_TEST(test_A1_wait_frees_all_waiters_at_zero_and_rounds_repeat)
{
    struct shared *s = shared_new();

    go_waitgroup_wait(&s->group);
    for (int round = 1; round <= 3; round++) {
        go_waitgroup_add(&s->group, 2);
        for (int i = 0; i < 4; i++)
            go_spawn(waits_for_group, s, 0);
        rt_wait_parked(4);
        go_waitgroup_done(&s->group);
        go_spawn(waits_for_group, s, 0); /* one is left */
        rt_wait_parked(5);
        assert_int_equal(s->ran, 5 * (round - 1));
        go_waitgroup_done(&s->group);
        rt_wait_live(1);
        assert_int_equal(s->ran, 5 * round);
    }
    free(s);
}

static void recovers(void *arg)
{
    *(int *)arg = go_recover() != NULL;
}

static void goes_negative(void *arg)
{
    go_waitgroup w = {{0}};

    go_defer(recovers, arg);
    go_waitgroup_done(&w);
}

RT_TEST(test_A2_negative_counter_panics)
{
    int recovered = 0;

    assert_int_equal(go_call(goes_negative, &recovered), 1);
    assert_true(recovered);
}

RT_TEST(test_A2_adding_above_zero_while_somebody_waits_is_allowed)
{
    struct shared *s = shared_new();

    go_waitgroup_add(&s->group, 1);
    go_spawn(waits_for_group, s, 0);
    rt_wait_parked(1);
    go_waitgroup_add(&s->group, 1);
    go_waitgroup_done(&s->group);
    assert_int_equal(s->ran, 0);
    go_waitgroup_done(&s->group);
    rt_wait_live(1);
    assert_int_equal(s->ran, 1);
    free(s);
}

RT_TEST(test_A1_the_counter_can_be_read)
{
    go_waitgroup w = {{0}};

    assert_int_equal(go_waitgroup_count(&w), 0);
    go_waitgroup_add(&w, 3);
    assert_int_equal(go_waitgroup_count(&w), 3);
    go_waitgroup_done(&w);
    assert_int_equal(go_waitgroup_count(&w), 2);
}

RT_TEST(test_A3_a_group_serves_round_after_round_and_late_waits_return_at_once)
{
    struct shared *s = shared_new();

    for (int round = 0; round < 300; round++) {
        start(runs_slowly, s, 3);
        for (int i = 0; i < 4; i++)
            go_spawn(waits_for_group, s, 0);
        go_waitgroup_wait(&s->group);
        rt_wait_live(1);
        assert_int_equal(s->ran, 7 * (round + 1));
        go_waitgroup_wait(&s->group); /* of a round that is over */
    }
    free(s);
}

struct early {
    struct shared *s;
    int recovered;
};

/* One who waited is woken, and before it has come out of its wait a new round begins. */
static void begins_too_early(void *arg)
{
    struct early *early = arg;
    struct shared *s = early->s;

    go_defer(recovers, &early->recovered);
    for (;;) {
        go_waitgroup_add(&s->group, 1);
        go_spawn(waits_for_group, s, 0);
        rt_wait_parked(1);
        go_waitgroup_done(&s->group);
        go_waitgroup_add(&s->group, 1);
        go_waitgroup_done(&s->group);
        rt_wait_live(1);
    }
}

RT_TEST(test_A2_adding_from_zero_before_all_waiters_returned_panics)
{
    struct early early = {shared_new(), 0};

    assert_int_equal(go_call(begins_too_early, &early), 1);
    assert_true(early.recovered);
    rt_wait_live(1);
    free(early.s);
}

RT_TEST(test_W4_try_locks_as_lock_does_or_has_no_effect)
{
    go_rwmutex m = {{0}};

    assert_int_equal(go_rwmutex_tryrlock(&m), 1);
    assert_int_equal(go_rwmutex_tryrlock(&m), 1);
    assert_int_equal(go_rwmutex_trylock(&m), 0);
    go_rwmutex_runlock(&m);
    go_rwmutex_runlock(&m);
    assert_int_equal(go_rwmutex_trylock(&m), 1);
    assert_int_equal(go_rwmutex_trylock(&m), 0);
    assert_int_equal(go_rwmutex_tryrlock(&m), 0);
    go_rwmutex_unlock(&m);
    assert_int_equal(go_rwmutex_trylock(&m), 1);
    go_rwmutex_unlock(&m);
}

/* ---- a value made once ---- */

struct cell {
    go_once_value once;
    go_waitgroup all;
    char end; /* how the function ends: 'r'eturn, 'p'anic, panic in what it has 'd'eferred, 'e'xit */
    _Atomic int made, panicked, returned, ended;
    char text[64];
};

static void panics_late(void *arg)
{
    go_panic("cannot make 7");
}

static void *makes(void *arg)
{
    struct cell *c = arg;

    atomic_fetch_add(&c->made, 1);
    for (int i = 0; i < 10; i++)
        go_yield();
    if (c->end == 'p')
        go_panic("cannot make %d", 7);
    if (c->end == 'd')
        go_defer(panics_late, NULL);
    if (c->end == 'e')
        go_exit();
    return c;
}

static void recovers_text(void *arg)
{
    struct cell *c = arg;
    const char *text = go_recover();

    if (!text)
        return;
    atomic_fetch_add(&c->panicked, 1);
    if (c->end != 'e')
        assert_string_equal(text, "cannot make 7");
}

static void gets(void *arg)
{
    struct cell *c = arg;

    go_defer(recovers_text, c);
    assert_true(go_once_value_get(&c->once, makes, c) == c);
    atomic_fetch_add(&c->returned, 1);
}

static void gets_in_a_frame(void *arg)
{
    go_call(gets, arg);
}

static struct cell *cell_run(char end)
{
    struct cell *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->end = end;
    for (int i = 0; i < 16; i++)
        go_waitgroup_go(&c->all, gets_in_a_frame, c, 0);
    go_waitgroup_wait(&c->all);
    go_call(gets, c); /* long after */
    assert_int_equal(c->made, 1);
    return c;
}

RT_TEST(test_O1_a_value_is_made_once_and_all_get_it)
{
    struct cell *c = cell_run('r');

    assert_int_equal(c->returned, 17);
    free(c);
}

RT_TEST(test_O2_every_caller_of_a_value_panics_with_the_first_value)
{
    for (const char *end = "pd"; *end; end++) {
        struct cell *c = cell_run(*end);

        assert_int_equal(c->panicked, 17);
        assert_int_equal(c->returned, 0);
        free(c);
    }
}

RT_TEST(test_O2_when_the_function_of_a_value_exits_the_other_callers_panic)
{
    struct cell *c = cell_run('e');

    assert_int_equal(c->panicked, 16);
    assert_int_equal(c->returned, 0);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_A2_adding_above_zero_while_somebody_waits_is_allowed),
        RT_UNIT(test_A1_the_counter_can_be_read),
        RT_UNIT(test_A2_adding_from_zero_before_all_waiters_returned_panics),
        RT_UNIT(test_A3_a_group_serves_round_after_round_and_late_waits_return_at_once),
        RT_UNIT(test_W4_try_locks_as_lock_does_or_has_no_effect),
        RT_UNIT(test_O1_a_value_is_made_once_and_all_get_it),
        RT_UNIT(test_O2_every_caller_of_a_value_panics_with_the_first_value),
        RT_UNIT(test_O2_when_the_function_of_a_value_exits_the_other_callers_panic),
        RT_UNIT(test_M1_mutual_exclusion_on_1_2_and_4_processors),
        RT_UNIT(test_M2_waiter_of_a_millisecond_is_handed_the_mutex),
        RT_UNIT(test_M3_another_goroutine_may_unlock),
        RT_UNIT(test_W1_readers_share_and_writers_exclude),
        RT_UNIT(test_W2_waiting_writer_keeps_new_readers_out),
        RT_UNIT(test_W3_readers_that_wait_go_before_the_next_writer),
        RT_UNIT(test_K1_wait_has_no_spurious_wakeups),
        RT_UNIT(test_K2_signal_wakes_the_longest_waiter),
        RT_UNIT(test_K3_broadcast_wakes_all_that_wait),
        RT_UNIT(test_O1_all_callers_return_after_it_ran_once),
        RT_UNIT(test_A1_wait_frees_all_waiters_at_zero_and_rounds_repeat),
        RT_UNIT(test_A2_negative_counter_panics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
