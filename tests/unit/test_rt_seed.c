/* Runs under a seed: they repeat, others differ, and a fault that needs one order is found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

#include "goroutine_test.h"
#include "rt_child.h"
#include "rt_test.h"

/* ---- a program with channels, select, mutex and timers, and what happened in it ---- */

enum { EVENTS_MAX = 4096 };

struct event {
    uint64_t who;
    int what, value;
    int64_t ns;
};

static struct log {
    int n;
    struct event events[EVENTS_MAX];
} logs[2], *current;

static void note(int what, int value)
{
    assert_true(current->n < EVENTS_MAX);
    current->events[current->n++] = (struct event){go_id(), what, value, go_now_ns()};
}

static struct {
    go_chan *numbers, *words;
    go_mutex mutex;
    go_waitgroup producers, all;
    int under_mutex;
} shared;

static void produces(void *arg)
{
    int id = *(int *)arg;

    for (int i = 0; i < 10; i++) {
        int v = 100 * id + i;

        note('p', go_chan_send(i % 2 ? shared.numbers : shared.words, &v, GO_FOREVER));
        if (i % 3 == id)
            go_sleep(go_after_us(10 * id));
    }
    go_waitgroup_done(&shared.producers);
}

static void counts(int by)
{
    go_mutex_lock(&shared.mutex);
    shared.under_mutex += by;
    go_yield();
    note('m', shared.under_mutex);
    go_mutex_unlock(&shared.mutex);
}

static void consumes(void *arg)
{
    go_timer *tick = go_ticker_new(7000);

    for (int open = 1; open;) {
        int v = -1;
        struct go_case cases[] = {GO_RECV(shared.numbers, &v), GO_RECV(shared.words, &v),
                                  GO_TIMER(tick, NULL)};
        int chosen = go_select(cases, 3, GO_FOREVER);

        note('s', chosen);
        note('v', v);
        open = chosen == 2 || cases[chosen].result == 1;
        counts(chosen);
    }
    go_timer_unref(tick);
    go_waitgroup_done(&shared.all);
}

static void bubble_program(void *arg)
{
    memset(&shared, 0, sizeof shared);
    shared.numbers = go_chan_new(sizeof(int), 0);
    shared.words = go_chan_new(sizeof(int), 2);
    go_waitgroup_add(&shared.producers, 3);
    go_waitgroup_add(&shared.all, 3);
    for (int i = 0; i < 3; i++) {
        go_spawn(produces, &i, sizeof i);
        go_spawn(consumes, NULL, 0);
    }
    go_waitgroup_wait(&shared.producers);
    go_chan_close(shared.numbers);
    go_chan_close(shared.words);
    go_waitgroup_wait(&shared.all);
    note('e', shared.under_mutex);
    go_chan_unref(shared.numbers);
    go_chan_unref(shared.words);
}

static int runs_bubble(void *arg)
{
    return go_bubble(bubble_program, NULL);
}

static void log_run(struct log *log, uint64_t seed)
{
    uint64_t old = go_set_seed(seed);

    memset(log, 0, sizeof *log);
    current = log;
    assert_int_equal(go_main(runs_bubble, NULL), 0);
    assert_int_equal(go_set_seed(old), seed);
}

static bool logs_equal(void)
{
    return logs[0].n == logs[1].n && memcmp(logs[0].events, logs[1].events, sizeof logs[0].events) == 0;
}

static void test_Z3_same_seed_gives_the_same_log_in_a_bubble(void **state)
{
    int old = go_set_procs(4); /* a seed needs no help */

    for (uint64_t seed = 1; seed <= 20; seed++) {
        log_run(&logs[0], seed);
        assert_true(logs[0].n > 100);
        for (int again = 0; again < 3; again++) {
            log_run(&logs[1], seed);
            assert_true(logs_equal());
        }
    }
    go_set_procs(old);
}

static uint64_t log_hash(const struct log *log)
{
    uint64_t hash = 14695981039346656037u;

    for (int i = 0; i < log->n; i++)
        hash = (hash ^ log->events[i].who ^ (uint64_t)log->events[i].what << 16 ^
                (uint64_t)log->events[i].value << 32 ^ (uint64_t)log->events[i].ns) *
               1099511628211u;
    return hash;
}

static void test_H6_other_seeds_give_other_orders(void **state)
{
    enum { SEEDS = 50 };
    uint64_t seen[SEEDS];
    int different = 0;

    for (int i = 0; i < SEEDS; i++) {
        bool known = false;

        log_run(&logs[0], (uint64_t)i + 1);
        seen[i] = log_hash(&logs[0]);
        for (int j = 0; j < i; j++)
            known = known || seen[j] == seen[i];
        different += !known;
    }
    assert_true(different > SEEDS / 2);
}

static void test_seed_of_the_environment_is_that_of_programs_that_set_none(void **state)
{
    log_run(&logs[0], 77);
    setenv("GOROUTINE_SEED", "77", 1);
    log_run(&logs[1], 0);
    assert_true(logs_equal());
    log_run(&logs[1], 78);
    assert_false(logs_equal());
    unsetenv("GOROUTINE_SEED");
}

/* ---- one at a time ---- */

static _Atomic int running, most;

static void looks_around(void *arg)
{
    if (*(bool *)arg)
        go_lock_thread();
    for (int i = 0; i < 50; i++) {
        int n = atomic_fetch_add(&running, 1) + 1;

        if (n > atomic_load(&most))
            atomic_store(&most, n);
        sched_yield();
        atomic_fetch_sub(&running, 1);
        if (i % 2)
            go_yield();
        else
            go_checkpoint();
    }
}

static int runs_many(void *arg)
{
    for (int i = 0; i < 8; i++) {
        bool lock = i % 3 == 0;

        go_spawn(looks_around, &lock, sizeof lock);
    }
    rt_wait_live(1);
    return 0;
}

static void test_H8_seeded_run_has_one_goroutine_at_a_time_whatever_the_processors(void **state)
{
    int old = go_set_procs(4);

    go_set_seed(5);
    assert_int_equal(go_main(runs_many, NULL), 0);
    assert_int_equal(go_set_procs(0), 4);
    go_set_seed(0);
    assert_int_equal(atomic_load(&most), 1);
    go_set_procs(old);
}

static int waits_for_ever(void *arg)
{
    go_chan_recv(NULL, NULL, GO_FOREVER);
    return 0;
}

static void test_Z1_deadlock_is_reported_under_a_seed(void **state)
{
    go_set_seed(1);
    rt_child_dies(waits_for_ever, "all goroutines are asleep", 0);
    go_set_seed(0);
}

/* ---- a fault that needs an order ---- */

static struct {
    go_chan *audit;
    int balance;
} bank;

static void audits(void *arg)
{
    int amount;

    while (go_range(bank.audit, &amount))
        go_yield();
}

/* Wrong on purpose: what was checked may not hold any more after the wait. */
static void withdraws(void *arg)
{
    int amount = *(int *)arg;

    for (int i = 0; i < 3; i++)
        go_yield();
    if (bank.balance >= amount) {
        go_chan_send(bank.audit, &amount, GO_FOREVER);
        bank.balance -= amount;
    }
}

static int runs_bank(void *arg)
{
    int amount = 100;

    bank.balance = 100;
    bank.audit = go_chan_new(sizeof(int), 0);
    go_spawn(audits, NULL, 0);
    go_spawn(withdraws, &amount, sizeof amount);
    go_spawn(withdraws, &amount, sizeof amount);
    rt_wait_live(2);
    go_chan_close(bank.audit);
    rt_wait_live(1);
    go_chan_unref(bank.audit);
    return bank.balance;
}

static bool bank_fails(uint64_t seed)
{
    int left;

    go_set_seed(seed);
    left = go_main(runs_bank, NULL);
    go_set_seed(0);
    assert_true(left <= 0);
    return left < 0;
}

static void test_fault_that_needs_an_order_is_found_and_its_seed_finds_it_again(void **state)
{
    uint64_t found = 0;
    int failed = 0;

    for (uint64_t seed = 1; seed <= 200; seed++)
        if (bank_fails(seed)) {
            failed++;
            found = found ? found : seed;
        }
    assert_true(failed > 0);
    assert_true(failed < 200);
    for (int again = 0; again < 10; again++)
        assert_true(bank_fails(found));
    print_message("%d of 200 seeds find it, the first is %d\n", failed, (int)found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_Z3_same_seed_gives_the_same_log_in_a_bubble),
        cmocka_unit_test(test_H6_other_seeds_give_other_orders),
        cmocka_unit_test(test_seed_of_the_environment_is_that_of_programs_that_set_none),
        cmocka_unit_test(test_H8_seeded_run_has_one_goroutine_at_a_time_whatever_the_processors),
        cmocka_unit_test(test_Z1_deadlock_is_reported_under_a_seed),
        cmocka_unit_test(test_fault_that_needs_an_order_is_found_and_its_seed_finds_it_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
