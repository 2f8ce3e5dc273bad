/* The scheduler, descriptors, blocking calls, errno: rules H, and what a switch must not mix up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt_test.h"

/* ---- H1, H3 ---- */

struct turns {
    _Atomic int *turn;
    int mine, rounds;
};

static void takes_turns(void *arg)
{
    struct turns *t = arg;

    for (int i = 0; i < t->rounds; i++) {
        while (atomic_load(t->turn) % 3 != t->mine)
            go_yield();
        atomic_fetch_add(t->turn, 1);
    }
}

RT_TEST(test_H1_spinning_with_yield_makes_progress)
{
    for (int procs = 1; procs <= 4; procs *= 2) {
        _Atomic int turn = 0;
        int old = go_set_procs(procs);

        for (int i = 0; i < 3; i++) {
            struct turns t = {&turn, i, 200};

            assert_int_equal(go_spawn(takes_turns, &t, sizeof t), 0);
        }
        while (atomic_load(&turn) < 600)
            go_yield();
        rt_wait_live(1);
        go_set_procs(old);
    }
}

struct relay {
    go_chan *c;
    _Atomic int *stop;
    int work;
    _Atomic long *rounds;
};

static void relays(void *arg)
{
    struct relay *r = arg;
    volatile int spent = 0;
    int v = 0;

    while (go_range(r->c, &v)) {
        for (int i = 0; i < r->work; i++)
            spent = spent + 1;
        atomic_fetch_add(r->rounds, 1);
    }
}

static void feeds(void *arg)
{
    struct relay *r = arg;
    int v = 0;

    while (!atomic_load(r->stop))
        go_chan_send(r->c, &v, GO_FOREVER);
    go_chan_close(r->c);
}

/* Lets the pairs run until each has done its rounds; the processor time of all together, in ns. */
static int64_t pairs_run(int n, const int *work, _Atomic long *rounds, const long *enough)
{
    _Atomic int stop = 0;
    go_chan *c[2];
    struct timespec begin, end;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (int i = 0; i < n; i++) {
        struct relay r = {c[i] = go_chan_new(sizeof(int), 0), &stop, work[i], &rounds[i]};

        go_spawn(relays, &r, sizeof r);
        go_spawn(feeds, &r, sizeof r);
    }
    for (int i = 0; i < n; i++)
        while (atomic_load(&rounds[i]) < enough[i])
            go_yield();
    atomic_store(&stop, 1);
    rt_wait_live(1);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    for (int i = 0; i < n; i++)
        go_chan_unref(c[i]);
    return (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec;
}

/*
 * Turns by round and turns by time slice are both fair; that one pair keeps the processor to itself is not. So the light
 * one may not have 20 times the processor time of the heavy one, whose rounds cost more, nor the heavy one 20 times its
 * rounds. A round of each costs what it costs alone.
 */
RT_TEST(test_H3_heavy_and_light_pair_both_get_on_with_one_processor)
{
    enum { LIGHT, HEAVY };
    static const int work[] = {10, 20000};
    static const long alone_rounds[] = {20000, 200}, enough[] = {2000, 500};
    _Atomic long rounds[2] = {0, 0};
    int old = go_set_procs(1);
    double cost[2], time[2];

    for (int i = LIGHT; i <= HEAVY; i++) {
        _Atomic long alone = 0;
        int64_t ns = pairs_run(1, &work[i], &alone, &alone_rounds[i]);

        cost[i] = (double)ns / (double)alone;
    }
    pairs_run(2, work, rounds, enough);
    for (int i = LIGHT; i <= HEAVY; i++)
        time[i] = cost[i] * (double)rounds[i];
    assert_true(time[LIGHT] < 20 * time[HEAVY]);
    assert_true(rounds[HEAVY] < 20 * rounds[LIGHT]);
    go_set_procs(old);
}

static void yields(void *arg)
{
    for (int i = 0; i < 200; i++)
        go_yield();
}

struct outsider {
    _Atomic int arrived, stop;
};

static void arrives(void *arg)
{
    atomic_fetch_add(&((struct outsider *)arg)->arrived, 1);
}

static void yields_until_told(void *arg)
{
    while (!atomic_load(&((struct outsider *)arg)->stop))
        go_yield();
}

static void *starts_from_outside(void *arg)
{
    assert_int_equal((go_spawn)(arrives, arg, 0), 0);
    return NULL;
}

RT_TEST(test_H6_what_a_thread_starts_is_found_though_the_only_processor_has_work)
{
    struct outsider o = {.arrived = 0};
    int old = go_set_procs(1);
    pthread_t thread;

    for (int i = 0; i < 3; i++)
        go_spawn(yields_until_told, &o, 0);
    for (int i = 1; i <= 50; i++) { /* the other processors may take their time to retire */
        assert_int_equal(pthread_create(&thread, NULL, starts_from_outside, &o), 0);
        while (atomic_load(&o.arrived) < i)
            go_yield();
        pthread_join(thread, NULL);
    }
    atomic_store(&o.stop, 1);
    rt_wait_live(1);
    go_set_procs(old);
}

RT_TEST(test_H6_processors_steal_from_each_other)
{
    struct go_stats stats;
    int old = go_set_procs(4);

    do {
        for (int i = 0; i < 100; i++)
            assert_int_equal(go_spawn(yields, NULL, 0), 0);
        rt_wait_live(1);
        go_stats_read(&stats);
    } while (stats.steals == 0);
    assert_true(stats.steals > 0);
    assert_int_equal(stats.procs, 4);
    go_set_procs(old);
}

/* Tells each value it gets. */
static void tells(void *arg)
{
    struct {
        go_chan *c;
        _Atomic int *told;
    } *a = arg;
    int v;

    while (go_range(a->c, &v))
        atomic_store(a->told, v);
    atomic_store(a->told, -1);
}

RT_TEST(test_H6_readied_goroutine_runs_while_its_waker_computes_on)
{
    enum { ROUNDS = 200 };
    _Atomic int told = 0;
    struct {
        go_chan *c;
        _Atomic int *told;
    } a = {go_chan_new(sizeof(int), 0), &told};
    int old = go_set_procs(2);

    go_spawn(tells, &a, sizeof a);
    for (int i = 1; i <= ROUNDS; i++) {
        rt_wait_parked(1);
        go_chan_send(a.c, &i, GO_FOREVER);
        while (atomic_load(&told) != i) /* no call of the runtime: only another processor can run it */
            continue;
    }
    go_chan_close(a.c);
    rt_wait_live(1);
    assert_int_equal(told, -1);
    go_chan_unref(a.c);
    go_set_procs(old);
}

static void meets(void *arg)
{
    _Atomic int *present = arg;

    atomic_fetch_add(present, 1);
    while (atomic_load(present) < 2)
        sched_yield();
}

RT_TEST(test_H2_two_processors_run_two_goroutines_truly_at_once)
{
    _Atomic int present = 0;
    int old = go_set_procs(2);

    go_spawn(meets, (void *)&present, 0);
    meets((void *)&present);
    rt_wait_live(1);
    go_set_procs(old);
}

RT_TEST(test_H8_set_procs_answers_the_old_value_and_changes_under_load)
{
    int old = go_set_procs(3);

    assert_int_equal(go_set_procs(0), 3);
    assert_int_equal(go_set_procs(-1), 3);
    for (int i = 0; i < 50; i++)
        go_spawn(yields, NULL, 0);
    for (int i = 0, procs = 3; i < 20; i++) {
        assert_int_equal(go_set_procs(1 + i % 5), procs);
        procs = 1 + i % 5;
        go_yield();
    }
    rt_wait_live(1);
    go_set_procs(old);
}

/* ---- errno and threads ---- */

struct migrant {
    go_chan *ping, *pong;
    int value;
    _Atomic int *moves;
};

static __attribute__((noinline)) int errno_over_a_wait(go_chan *a, go_chan *b, int value, _Atomic int *moves)
{
    pid_t before = gettid(); /* pthread_self is const to the compiler: the trap itself */
    int v = value;

    go_errno() = value;
    go_chan_send(a, &v, GO_FOREVER);
    go_chan_recv(b, &v, GO_FOREVER);
    if (gettid() != before)
        atomic_fetch_add(moves, 1);
    return go_errno();
}

static void migrates(void *arg)
{
    struct migrant *m = arg;

    for (int i = 0; i < 300; i++)
        assert_int_equal(errno_over_a_wait(m->ping, m->pong, m->value + i, m->moves), m->value + i);
}

static void swaps(void *arg)
{
    struct migrant *m = arg;
    int v;

    for (int i = 0; i < 300; i++) {
        go_chan_recv(m->ping, &v, GO_FOREVER);
        go_errno() = 1;
        go_chan_send(m->pong, &v, GO_FOREVER);
    }
    go_chan_unref(m->ping);
    go_chan_unref(m->pong);
}

RT_TEST(test_errno_belongs_to_the_goroutine_over_every_migration)
{
    _Atomic int moves = 0;
    int old = go_set_procs(4), rounds = 0;

    do {
        for (int i = 0; i < 8; i++) {
            struct migrant m = {go_chan_ref(go_chan_new(sizeof(int), 0)),
                                go_chan_ref(go_chan_new(sizeof(int), 0)), 1000 * (i + 1), &moves};

            go_chan_unref(m.ping);
            go_chan_unref(m.pong);
            go_spawn(migrates, &m, sizeof m);
            go_spawn(swaps, &m, sizeof m);
        }
        rt_wait_live(1);
    } while (atomic_load(&moves) == 0 && ++rounds < 100);
    assert_true(atomic_load(&moves) > 0);
    go_set_procs(old);
}

static double keeps_doubles(double a, double b)
{
    double c = a * b, d = a / b;

    go_yield();
    return c + d;
}

static void computes(void *arg)
{
    for (int i = 1; i < 100; i++)
        assert_true(keeps_doubles(i * 1.5, i * 0.25) == i * 1.5 * (i * 0.25) + i * 1.5 / (i * 0.25));
}

RT_TEST(test_floating_point_values_survive_a_switch)
{
    for (int i = 0; i < 8; i++)
        go_spawn(computes, NULL, 0);
    rt_wait_live(1);
}

/* ---- descriptors and blocking calls ---- */

struct ends {
    int fd[2];
    int rounds;
};

static int read_full(int fd, char *c)
{
    for (;;) {
        ssize_t n = read(fd, c, 1);

        if (n >= 0)
            return (int)n;
        assert_int_equal(errno, EAGAIN);
        assert_int_equal(go_wait_fd(fd, GO_READABLE, GO_FOREVER), GO_READABLE);
    }
}

static void echoes(void *arg)
{
    struct ends *e = arg;
    char c;

    while (read_full(e->fd[1], &c) == 1)
        assert_int_equal(write(e->fd[1], &c, 1), 1);
    close(e->fd[1]);
}

RT_TEST(test_descriptor_wakes_the_goroutine_that_waits_for_it)
{
    struct ends e;
    char c;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, e.fd), 0);
    assert_int_equal(go_wait_fd(e.fd[0], GO_READABLE, go_after_ms(1)), -ETIMEDOUT);
    assert_int_equal(go_wait_fd(e.fd[0], GO_READABLE, GO_NOW), -EAGAIN);
    assert_int_equal(go_wait_fd(e.fd[0], GO_READABLE | GO_WRITABLE, GO_FOREVER), GO_WRITABLE);
    go_spawn(echoes, &e, sizeof e);
    for (int i = 0; i < 200; i++) {
        char out = (char)i;

        assert_int_equal(write(e.fd[0], &out, 1), 1);
        assert_int_equal(read_full(e.fd[0], &c), 1);
        assert_int_equal(c, out);
    }
    close(e.fd[0]);
    rt_wait_live(1);
}

RT_TEST(test_descriptor_number_may_come_back)
{
    for (int i = 0; i < 50; i++) {
        struct ends e;
        char c = 0;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, e.fd), 0);
        go_spawn(echoes, &e, sizeof e);
        assert_int_equal(write(e.fd[0], "x", 1), 1);
        assert_int_equal(read_full(e.fd[0], &c), 1);
        close(e.fd[0]);
        rt_wait_live(1);
    }
}

RT_TEST(test_file_is_always_ready_and_a_closed_descriptor_is_EBADF)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    assert_int_equal(go_wait_fd(fd, GO_READABLE, GO_FOREVER), GO_READABLE);
    close(fd);
    assert_int_equal(go_wait_fd(fd, GO_READABLE, GO_FOREVER), -EBADF);
    assert_int_equal(go_wait_fd(-1, GO_READABLE, GO_FOREVER), -EBADF);
    assert_int_equal(go_wait_fd(0, 0, GO_FOREVER), -EINVAL);
}

static int blocks_on_pipe(void *arg)
{
    char c;

    return read(*(int *)arg, &c, 1) == 1 ? c : -errno;
}

static void blocks(void *arg)
{
    struct {
        int fd;
        _Atomic int *sum;
    } *a = arg;

    atomic_fetch_add(a->sum, go_blocking(blocks_on_pipe, &a->fd));
}

RT_TEST(test_H5_blocking_calls_do_not_hold_the_processor)
{
    enum { CALLS = 80 };
    _Atomic int sum = 0;
    int p[2], old = go_set_procs(1);
    struct {
        int fd;
        _Atomic int *sum;
    } a;

    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    a.fd = p[0];
    a.sum = &sum;
    for (int i = 0; i < CALLS; i++)
        go_spawn(blocks, &a, sizeof a);
    rt_wait_parked(CALLS);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(write(p[1], "\2", 1), 1);
    rt_wait_live(1);
    assert_int_equal(sum, 2 * CALLS);
    close(p[0]);
    close(p[1]);
    go_set_procs(old);
}

static void waits(void *arg)
{
    go_chan_recv(*(go_chan **)arg, NULL, GO_FOREVER);
}

RT_TEST(test_dump_tells_reason_function_and_place)
{
    go_chan *c = go_chan_new(0, 0);
    char text[8192];
    ssize_t n;
    int p[2];

    assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    go_spawn(waits, &c, sizeof c);
    rt_wait_parked(1);
    assert_int_equal(go_dump(p[1]), 0);
    n = read(p[0], text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "[parked: chan receive, "));
    assert_non_null(strstr(text, " waits\n"));
    assert_non_null(strstr(text, "test_rt_sched.c:"));
    assert_non_null(strstr(text, "[running] main"));
    go_chan_close(c);
    rt_wait_live(1);
    go_chan_unref(c);
    close(p[0]);
    close(p[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_H1_spinning_with_yield_makes_progress),
        RT_UNIT(test_H3_heavy_and_light_pair_both_get_on_with_one_processor),
        RT_UNIT(test_H2_two_processors_run_two_goroutines_truly_at_once),
        RT_UNIT(test_H5_blocking_calls_do_not_hold_the_processor),
        RT_UNIT(test_H6_what_a_thread_starts_is_found_though_the_only_processor_has_work),
        RT_UNIT(test_H6_processors_steal_from_each_other),
        RT_UNIT(test_H6_readied_goroutine_runs_while_its_waker_computes_on),
        RT_UNIT(test_H8_set_procs_answers_the_old_value_and_changes_under_load),
        RT_UNIT(test_errno_belongs_to_the_goroutine_over_every_migration),
        RT_UNIT(test_floating_point_values_survive_a_switch),
        RT_UNIT(test_descriptor_wakes_the_goroutine_that_waits_for_it),
        RT_UNIT(test_descriptor_number_may_come_back),
        RT_UNIT(test_file_is_always_ready_and_a_closed_descriptor_is_EBADF),
        RT_UNIT(test_dump_tells_reason_function_and_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
