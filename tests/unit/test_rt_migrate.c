/*
 * Every wake-up on another processor (GOROUTINE_MIGRATE): what belongs to the goroutine comes along, and what belongs to
 * the thread is that of the new one, at every kind of wait. Plain `errno` here is the safe one.
 */
#define GO_ERRNO_SAFE

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "rt_test.h"

enum { ROUNDS = 40 };

/* A thread-local of the user, reached as he must: by a function that is not inlined. */
static __thread pid_t seen_here;

static __attribute__((noinline)) pid_t *seen(void)
{
    __asm__ volatile("" ::: "memory");
    return &seen_here;
}

/* ---- one place to wait at, of each kind ---- */

static struct place {
    go_chan *c, *other;
    go_mutex mutex;
    go_rwmutex rw;
    go_cond cond;
    go_waitgroup group;
    go_once once;
    go_ctx *ctx;
    go_wait wait;
    go_timer *timer;
    int pipe[2];
    bool waits;
    _Atomic bool once_begun;
} at;

static void nothing(void *arg)
{
}

static int reads_a_byte(void *arg)
{
    char c;

    return (int)read(at.pipe[0], &c, 1);
}

static void writes_a_byte(void)
{
    assert_int_equal(write(at.pipe[1], "x", 1), 1);
}

static void chan_send(void)
{
    int v = 7;

    assert_int_equal(go_chan_send(at.c, &v, GO_FOREVER), 0);
}

static void chan_recv(void)
{
    int v = 0;

    assert_int_equal(go_chan_recv(at.c, &v, GO_FOREVER), 1);
    assert_int_equal(v, 7);
}

static void select_two(void)
{
    int v = 0;
    struct go_case cases[] = {GO_RECV(at.other, &v), GO_RECV(at.c, &v)};

    assert_int_equal(go_select(cases, 2, GO_FOREVER), 1);
}

static void mutex(void)
{
    go_mutex_lock(&at.mutex);
    go_mutex_unlock(&at.mutex);
}

static void rwmutex_write(void)
{
    go_rwmutex_lock(&at.rw);
    go_rwmutex_unlock(&at.rw);
}

static void rwmutex_read(void)
{
    go_rwmutex_rlock(&at.rw);
    go_rwmutex_runlock(&at.rw);
}

static void cond(void)
{
    go_mutex_lock(&at.mutex);
    go_cond_wait(&at.cond, &at.mutex);
    go_mutex_unlock(&at.mutex);
}

static void waitgroup(void)
{
    go_waitgroup_wait(&at.group);
}

static void once(void)
{
    go_once_do(&at.once, nothing, NULL);
}

static void context(void)
{
    assert_int_equal(go_ctx_wait(at.ctx, GO_FOREVER), 0);
}

static void sleeps(void)
{
    assert_int_equal(go_sleep(go_after_us(20)), 0);
}

static void timer(void)
{
    assert_int_equal(go_timer_wait(at.timer, NULL, GO_FOREVER), 1);
}

static void deadline(void)
{
    assert_int_equal(go_chan_recv(at.other, NULL, go_after_us(20)), -ETIMEDOUT);
}

static void blocking(void)
{
    assert_int_equal(go_blocking(reads_a_byte, NULL), 1);
}

static void wait_fd(void)
{
    assert_int_equal(go_wait_fd(at.pipe[0], GO_READABLE, GO_FOREVER), GO_READABLE);
    assert_int_equal(reads_a_byte(NULL), 1);
}

static void library(void)
{
    assert_int_equal(go_park(at.wait, "test", 0, GO_FOREVER), 3);
}

/* ---- what has to be there before, and who ends the wait ---- */

static void begin_mutex(void)
{
    go_mutex_lock(&at.mutex);
}

static void begin_rw(void)
{
    go_rwmutex_lock(&at.rw);
}

static void begin_group(void)
{
    go_waitgroup_add(&at.group, 1);
}

static void begin_timer(void)
{
    at.timer = go_timer_new(20000);
}

static void begin_library(void)
{
    at.wait = go_wait_begin();
}

static void end_recv(void)
{
    chan_recv();
}

static void end_send(void)
{
    chan_send();
}

static void end_mutex(void)
{
    go_mutex_unlock(&at.mutex);
}

static void end_rw(void)
{
    go_rwmutex_unlock(&at.rw);
}

static void end_cond(void)
{
    go_mutex_lock(&at.mutex);
    go_cond_signal(&at.cond);
    go_mutex_unlock(&at.mutex);
}

static void end_group(void)
{
    go_waitgroup_done(&at.group);
}

static void end_context(void)
{
    go_ctx_cancel(at.ctx, 0, NULL);
}

static void end_library(void)
{
    assert_int_equal(go_ready(at.wait, 3), 1);
}

static const struct kind {
    const char *name;
    void (*begin)(void), (*wait)(void), (*end)(void); /* end NULL: it ends by itself */
} kinds[] = {
    {"chan send", NULL, chan_send, end_recv},
    {"chan receive", NULL, chan_recv, end_send},
    {"select", NULL, select_two, end_send},
    {"mutex", begin_mutex, mutex, end_mutex},
    {"rwmutex write", begin_rw, rwmutex_write, end_rw},
    {"rwmutex read", begin_rw, rwmutex_read, end_rw},
    {"cond", NULL, cond, end_cond},
    {"waitgroup", begin_group, waitgroup, end_group},
    {"context", NULL, context, end_context},
    {"sleep", NULL, sleeps, NULL},
    {"timer", begin_timer, timer, NULL},
    {"deadline", NULL, deadline, NULL},
    {"yield", NULL, go_yield, NULL},
    {"blocking", NULL, blocking, writes_a_byte},
    {"descriptor", NULL, wait_fd, writes_a_byte},
    {"go_park", begin_library, library, end_library},
};

static void ends_the_wait(void *arg)
{
    const struct kind *k = *(const struct kind **)arg;

    errno = ENOTTY; /* on whatever thread */
    rt_wait_parked(1);
    errno = ENOTTY;
    k->end();
}

static void place_make(void)
{
    memset(&at, 0, sizeof at);
    at.c = go_chan_new(sizeof(int), 0);
    at.other = go_chan_new(sizeof(int), 0);
    at.ctx = go_ctx_new(go_ctx_background());
    assert_int_equal(pipe(at.pipe), 0);
}

static void place_clear(void)
{
    go_chan_unref(at.c);
    go_chan_unref(at.other);
    go_ctx_unref(at.ctx);
    go_timer_unref(at.timer);
    close(at.pipe[0]);
    close(at.pipe[1]);
}

/* One wait: whether it ended on another thread. In one function, so that whatever the compiler keeps, it keeps here. */
static bool waits_and_checks(const struct kind *k, int value)
{
    uint64_t id = go_id();
    pid_t before;

    if (k->begin)
        k->begin();
    if (k->end)
        assert_int_equal(go_spawn(ends_the_wait, &k, sizeof k), 0);
    before = gettid();
    *seen() = before;
    errno = value;
    k->wait();
    if (errno != value || go_errno() != value)
        fprintf(stderr, "after %s: ", k->name);
    assert_int_equal(errno, value);
    assert_int_equal(go_errno(), value);
    assert_true(go_errno_location() == &go_errno());
    assert_int_equal(go_id(), id);
    assert_true(*seen() == 0 || *seen() == gettid());
    return gettid() != before;
}

static void kind_check(const struct kind *k)
{
    int moved = 0;

    for (int i = 0; i < ROUNDS; i++) {
        place_make();
        moved += waits_and_checks(k, 1000 + i);
        rt_wait_live(1);
        place_clear();
    }
    if (moved <= ROUNDS / 2)
        fprintf(stderr, "%s: %d of %d waits moved\n", k->name, moved, ROUNDS);
    assert_true(moved > ROUNDS / 2);
}

static void all_kinds(int procs)
{
    int old = go_set_procs(procs);

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        kind_check(&kinds[i]);
    go_set_procs(old);
}

RT_TEST(test_errno_id_and_thread_locals_are_right_after_every_kind_of_wait_with_two_processors)
{
    all_kinds(2);
}

RT_TEST(test_errno_id_and_thread_locals_are_right_after_every_kind_of_wait_with_four_processors)
{
    all_kinds(4);
}

/* A once is waited for while its function runs, and waits in it. */
static void once_body(void *arg)
{
    atomic_store(&at.once_begun, true);
    rt_wait_parked(1);
    errno = ENOTTY;
}

static void does_once(void *arg)
{
    go_once_do(&at.once, once_body, NULL);
}

RT_TEST(test_errno_id_and_thread_locals_are_right_after_waiting_for_a_once)
{
    static const struct kind k = {"once", NULL, once, NULL};
    int old = go_set_procs(3), moved = 0;

    for (int i = 0; i < ROUNDS; i++) {
        place_make();
        go_spawn(does_once, NULL, 0);
        while (!atomic_load(&at.once_begun))
            go_yield();
        moved += waits_and_checks(&k, 2000 + i);
        rt_wait_live(1);
        place_clear();
    }
    assert_true(moved > ROUNDS / 2);
    go_set_procs(old);
}

static void keeps_its_own(void *arg)
{
    int value = *(int *)arg;

    for (int i = 0; i < 200; i++) {
        errno = value;
        go_yield();
        assert_int_equal(errno, value);
    }
}

RT_TEST(test_errno_of_many_goroutines_stays_theirs)
{
    for (int procs = 1; procs <= 4; procs *= 2) {
        int old = go_set_procs(procs);

        for (int i = 0; i < 20; i++)
            assert_int_equal(go_spawn(keeps_its_own, &i, sizeof i), 0);
        rt_wait_live(1);
        go_set_procs(old);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_errno_id_and_thread_locals_are_right_after_every_kind_of_wait_with_two_processors),
        RT_UNIT(test_errno_id_and_thread_locals_are_right_after_every_kind_of_wait_with_four_processors),
        RT_UNIT(test_errno_id_and_thread_locals_are_right_after_waiting_for_a_once),
        RT_UNIT(test_errno_of_many_goroutines_stays_theirs),
    };

    setenv("GOROUTINE_MIGRATE", "1", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
