/* Goroutines locked to a thread: rule H7, and H1 for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "annotate.h"
#include "rt_child.h"
#include "rt_test.h"

/* A new variable of each thread; its address must not be kept over a wait. */
static __thread int mark;

static __attribute__((noinline)) int *mark_here(void)
{
    __asm__ volatile("" ::: "memory");
    return &mark;
}

static bool thread_lives(pid_t tid)
{
    return tgkill(getpid(), tid, 0) == 0;
}

static void thread_wait_end(pid_t tid)
{
    while (thread_lives(tid))
        go_yield();
}

/* ---- waiting ---- */

struct pair {
    go_chan *there, *back;
};

static void answers(void *arg)
{
    struct pair *p = arg;
    int v;

    while (go_range(p->there, &v))
        assert_int_equal(go_chan_send(p->back, &v, GO_FOREVER), 0);
}

static int tid_of_call(void *arg)
{
    return (int)gettid();
}

static void waits_in_every_way(struct pair *p, int fd)
{
    go_mutex m = {{0}};
    struct go_case cases[2];
    int v = 1, got = 0;
    char c;

    assert_int_equal(go_chan_send(p->there, &v, GO_FOREVER), 0);
    assert_int_equal(go_chan_recv(p->back, &got, GO_FOREVER), 1);
    assert_int_equal(got, 1);
    go_chan_send(p->there, &v, GO_FOREVER);
    cases[0] = GO_RECV(p->back, &got);
    cases[1] = GO_RECV(NULL, NULL);
    assert_int_equal(go_select(cases, 2, GO_FOREVER), 0);
    assert_int_equal(go_sleep(go_after_us(50)), 0);
    go_mutex_lock(&m);
    go_yield();
    go_mutex_unlock(&m);
    assert_true(go_blocking(tid_of_call, NULL) != (int)gettid());
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(go_wait_fd(fd, GO_WRITABLE, GO_FOREVER), GO_WRITABLE);
    assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
    assert_int_equal(go_wait_fd(fd, GO_READABLE, go_after_us(50)), -ETIMEDOUT);
}

static void stays(void *arg)
{
    struct pair p = {go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0)};
    pid_t tid;
    int fd[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    go_spawn(answers, &p, sizeof p);
    assert_int_equal(go_lock_thread(), 0);
    tid = gettid();
    *mark_here() = 1;
    for (int i = 0; i < 30; i++) {
        waits_in_every_way(&p, fd[0]);
        assert_int_equal(gettid(), tid);
        assert_int_equal(*mark_here(), 1);
    }
    go_unlock_thread();
    assert_true(gettid() != tid);
    go_chan_close(p.there);
    thread_wait_end(tid);
    go_chan_unref(p.there);
    go_chan_unref(p.back);
    close(fd[0]);
    close(fd[1]);
}

static _Atomic int stop_noise;

static void noise(void *arg)
{
    while (!atomic_load(&stop_noise)) {
        assert_int_equal(*mark_here(), 0);
        go_yield();
    }
}

static void with_noise(int procs, int n, void (*fn)(void *))
{
    int old = go_set_procs(procs);

    atomic_store(&stop_noise, 0);
    for (int i = 0; i < 4; i++)
        go_spawn(noise, NULL, 0);
    for (int i = 0; i < n; i++)
        assert_int_equal(go_spawn(fn, NULL, 0), 0);
    rt_wait_live(5);
    atomic_store(&stop_noise, 1);
    rt_wait_live(1);
    go_set_procs(old);
}

RT_TEST(test_H7_locked_goroutine_keeps_its_thread_over_every_wait_and_nobody_else_runs_there)
{
    for (int procs = 1; procs <= 4; procs *= 2)
        with_noise(procs, 3, stays);
}

/* ---- what is done to the thread ---- */

static pthread_key_t key;
static _Atomic int destroyed;

static void key_destroyed(void *value)
{
    atomic_fetch_add(&destroyed, 1);
}

static void thread_taint(void)
{
    sigset_t set;

    assert_int_equal(pthread_setspecific(key, "tainted"), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGPROF);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    assert_int_equal(prctl(PR_SET_NAME, "tainted"), 0);
    *mark_here() = 1;
}

static void thread_is_clean(void *arg)
{
    char name[16];
    sigset_t set;

    for (int i = 0; i < 20; i++) {
        assert_null(pthread_getspecific(key));
        pthread_sigmask(SIG_BLOCK, NULL, &set);
        assert_false(sigismember(&set, SIGPROF));
        prctl(PR_GET_NAME, name);
        assert_true(strcmp(name, "tainted") != 0);
        assert_int_equal(*mark_here(), 0);
        go_yield();
    }
}

static void leaves_by_unlock(void *arg)
{
    assert_int_equal(go_lock_thread(), 0);
    thread_taint();
    go_yield();
    go_unlock_thread();
    thread_is_clean(NULL);
}

static void leaves_by_return(void *arg)
{
    assert_int_equal(go_lock_thread(), 0);
    assert_int_equal(go_lock_thread(), 0);
    thread_taint();
    go_yield();
}

static void leaves_by_exit(void *arg)
{
    leaves_by_return(NULL);
    go_exit();
}

static void panics(void *arg)
{
    leaves_by_return(NULL);
    go_panic("wanted");
}

static void recovers(void *arg)
{
    go_recover();
}

static void leaves_by_panic(void *arg)
{
    go_defer(recovers, NULL);
    panics(NULL);
}

RT_TEST(test_H7_state_of_a_locked_thread_leaks_to_nobody_and_the_thread_is_destroyed)
{
    static void (*const leave[])(void *) = {leaves_by_unlock, leaves_by_return, leaves_by_exit,
                                            leaves_by_panic};
    int rounds = 0;

    assert_int_equal(pthread_key_create(&key, key_destroyed), 0);
    for (int procs = 1; procs <= 4; procs *= 2) {
        int old = go_set_procs(procs);

        for (int i = 0; i < 4; i++) {
            assert_int_equal(go_spawn(leave[i], NULL, 0), 0);
            assert_int_equal(go_spawn(thread_is_clean, NULL, 0), 0);
            rounds++;
        }
        while (atomic_load(&destroyed) < rounds)
            go_yield();
        for (int i = 0; i < 20; i++)
            go_spawn(thread_is_clean, NULL, 0);
        rt_wait_live(1);
        go_set_procs(old);
    }
    assert_int_equal(atomic_load(&destroyed), rounds);
    pthread_key_delete(key);
}

RT_TEST(test_H7_locks_nest)
{
    pid_t tid;

    go_unlock_thread(); /* nothing to undo */
    assert_int_equal(go_lock_thread(), 0);
    tid = gettid();
    for (int i = 0; i < 10; i++)
        assert_int_equal(go_lock_thread(), 0);
    for (int i = 0; i < 10; i++) {
        go_unlock_thread();
        go_yield();
        assert_int_equal(gettid(), tid);
    }
    go_unlock_thread();
    assert_true(gettid() != tid);
    thread_wait_end(tid);
    go_unlock_thread();
    assert_int_equal(go_lock_thread(), 0);
    go_unlock_thread();
}

/* ---- main, stopping, threads ---- */

static void adds(void *arg)
{
    struct pair *p = arg;

    for (int i = 1; i <= 100; i++)
        go_chan_send(p->there, &i, GO_FOREVER);
    go_chan_close(p->there);
}

static int main_is_locked(void *arg)
{
    struct pair p = {go_chan_new(sizeof(int), 0), NULL};
    int sum = 0, v;
    pid_t tid;

    assert_int_equal(go_lock_thread(), 0);
    tid = gettid();
    go_spawn(adds, &p, sizeof p);
    while (go_range(p.there, &v))
        sum += v;
    assert_int_equal(gettid(), tid);
    go_chan_unref(p.there);
    return sum; /* still locked */
}

static void test_H7_main_may_be_locked(void **state)
{
    for (int procs = 1; procs <= 4; procs *= 2) {
        int old = go_set_procs(procs);

        assert_int_equal(go_main(main_is_locked, NULL), 5050);
        go_set_procs(old);
    }
}

static void locked_for_ever(void *arg)
{
    assert_int_equal(go_lock_thread(), 0);
    go_chan_recv(NULL, NULL, GO_FOREVER);
}

static void locked_spins(void *arg)
{
    assert_int_equal(go_lock_thread(), 0);
    for (;;)
        go_yield();
}

static int leaves_locked_ones(void *arg)
{
    for (int i = 0; i < 5; i++)
        go_spawn(locked_for_ever, NULL, 0);
    rt_wait_parked(5);
    go_spawn(locked_spins, NULL, 0);
    go_yield();
    return 7;
}

static void test_H7_locked_goroutines_that_are_left_do_not_outlive_main(void **state)
{
    for (int i = 0; i < 5; i++)
        assert_int_equal(go_main(leaves_locked_ones, NULL), 7);
}

static void test_H7_locking_a_plain_thread_does_nothing(void **state)
{
    assert_int_equal(go_lock_thread(), 0);
    go_unlock_thread();
    go_unlock_thread();
}

static int recurses(volatile int depth)
{
    volatile char room[512] = {0};

    room[depth % 512] = (char)depth;
    return depth < 0 ? 0 : recurses(depth + 1) + room[0];
}

static void locked_overflows(void *arg)
{
    assert_int_equal(go_lock_thread(), 0);
    recurses(0);
}

static int overflow_main(void *arg)
{
    go_spawn(locked_overflows, NULL, 0);
    go_chan_recv(NULL, NULL, GO_FOREVER);
    return 0;
}

static void test_G6_stack_overflow_on_a_locked_thread_names_the_goroutine(void **state)
{
#ifdef ANNOTATE_TSAN
    skip(); /* its threads do not survive a fork beside others */
#endif
    rt_child_dies(overflow_main, "stack overflow in goroutine 2 (locked_overflows)", SIGSEGV);
}

static int all_wait_for_ever(void *arg)
{
    go_spawn(locked_for_ever, NULL, 0);
    go_spawn(locked_for_ever, NULL, 0);
    locked_for_ever(NULL);
    return 0;
}

static void test_Z1_threads_of_locked_goroutines_do_not_hide_a_deadlock(void **state)
{
#ifdef ANNOTATE_TSAN
    skip(); /* it has threads of its own after a fork, which count as foreign */
#endif
    rt_child_dies(all_wait_for_ever, "all goroutines are asleep", 0);
}

/* ---- H1: yielding; processors ---- */

static void sets(void *arg)
{
    atomic_store(*(_Atomic int **)arg, 1);
}

static void spins_until_set(void *arg)
{
    struct {
        _Atomic int *flag, *done;
    } *a = arg;

    assert_int_equal(go_lock_thread(), 0);
    while (!atomic_load(a->flag))
        go_yield();
    atomic_fetch_add(a->done, 1);
}

RT_TEST(test_H1_spinning_with_yield_makes_progress_while_locked)
{
    for (int procs = 1; procs <= 4; procs *= 2) {
        int old = go_set_procs(procs);
        _Atomic int flag = 0, done = 0, *set = &flag;
        struct {
            _Atomic int *flag, *done;
        } a = {&flag, &done};

        assert_int_equal(go_lock_thread(), 0);
        for (int i = 0; i < 3; i++)
            go_spawn(spins_until_set, &a, sizeof a);
        go_yield();
        go_spawn(sets, &set, sizeof set);
        while (atomic_load(&done) < 3)
            go_yield();
        go_unlock_thread();
        rt_wait_live(1);
        go_set_procs(old);
    }
}

static void takes_turns(void *arg)
{
    struct {
        _Atomic int *running;
        bool lock;
    } *a = arg;

    if (a->lock)
        assert_int_equal(go_lock_thread(), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(atomic_fetch_add(a->running, 1), 0);
        sched_yield();
        atomic_fetch_sub(a->running, 1);
        go_yield();
    }
}

static int takers_take_turns(void *arg)
{
    _Atomic int running = 0;
    struct {
        _Atomic int *running;
        bool lock;
    } a = {&running, false};

    for (int i = 0; i < 6; i++) {
        a.lock = i % 2;
        go_spawn(takes_turns, &a, sizeof a);
    }
    rt_wait_live(1);
    return 0;
}

static void test_H7_locked_goroutines_take_turns_for_the_one_processor(void **state)
{
    int old = go_set_procs(1);

    assert_int_equal(go_main(takers_take_turns, NULL), 0);
    go_set_procs(old);
}

static _Atomic int hog_stop;

static void locked_hog(void *arg)
{
    assert_int_equal(go_lock_thread(), 0);
    while (!atomic_load(&hog_stop))
        continue;
}

RT_TEST(test_H4_locked_loop_without_calls_does_not_stop_the_others)
{
    int old = go_set_procs(1);
    struct go_stats stats;

    atomic_store(&hog_stop, 0);
    go_spawn(locked_hog, NULL, 0);
    do {
        go_yield();
        go_stats_read(&stats);
    } while (stats.procs_extra != 1);
    atomic_store(&hog_stop, 1);
    rt_wait_live(1);
    go_set_procs(old);
}

static void locked_answers(void *arg)
{
    assert_int_equal(go_lock_thread(), 0);
    answers(arg);
}

RT_TEST(test_H7_two_locked_goroutines_meet_on_channels)
{
    for (int procs = 1; procs <= 4; procs *= 2) {
        struct pair p = {go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0)};
        int old = go_set_procs(procs), got;

        go_spawn(locked_answers, &p, sizeof p);
        assert_int_equal(go_lock_thread(), 0);
        for (int i = 0; i < 200; i++) {
            assert_int_equal(go_chan_send(p.there, &i, GO_FOREVER), 0);
            assert_int_equal(go_chan_recv(p.back, &got, GO_FOREVER), 1);
            assert_int_equal(got, i);
        }
        go_unlock_thread();
        go_chan_close(p.there);
        rt_wait_live(1);
        go_chan_unref(p.there);
        go_chan_unref(p.back);
        go_set_procs(old);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_G6_stack_overflow_on_a_locked_thread_names_the_goroutine),
        cmocka_unit_test(test_Z1_threads_of_locked_goroutines_do_not_hide_a_deadlock),
        RT_UNIT(test_H7_locked_goroutine_keeps_its_thread_over_every_wait_and_nobody_else_runs_there),
        RT_UNIT(test_H7_state_of_a_locked_thread_leaks_to_nobody_and_the_thread_is_destroyed),
        RT_UNIT(test_H7_locks_nest),
        cmocka_unit_test(test_H7_main_may_be_locked),
        cmocka_unit_test(test_H7_locked_goroutines_that_are_left_do_not_outlive_main),
        cmocka_unit_test(test_H7_locking_a_plain_thread_does_nothing),
        RT_UNIT(test_H1_spinning_with_yield_makes_progress_while_locked),
        cmocka_unit_test(test_H7_locked_goroutines_take_turns_for_the_one_processor),
        RT_UNIT(test_H4_locked_loop_without_calls_does_not_stop_the_others),
        RT_UNIT(test_H7_two_locked_goroutines_meet_on_channels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
