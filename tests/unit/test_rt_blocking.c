/* What waits and what blocks: rule H5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

#include "rt_net.h"

struct count {
    _Atomic int *count;
    go_fd fd;
    char expected;
};

static void reads_its_byte(void *arg)
{
    struct count *a = arg;
    char c = 0;

    assert_int_equal(go_read(a->fd, &c, 1, GO_FOREVER), 1);
    assert_int_equal(c, a->expected);
    atomic_fetch_add(a->count, 1);
}

static void counts(void *arg)
{
    for (int i = 0; i < 1001; i++) {
        atomic_fetch_add(*(_Atomic int **)arg, 1);
        go_yield();
    }
}

RT_TEST(test_H5_waiting_for_input_costs_no_thread)
{
    enum { READERS = 200 };
    _Atomic int read = 0, counted = 0, *to_count = &counted;
    static go_fd fd[READERS][2];
    int old = go_set_procs(1);
    long threads;

    for (int i = 0; i < READERS; i++)
        (i % 2 ? pair_open : pipe_open)(fd[i]);
    threads = count_threads();
    for (int i = 0; i < READERS; i++)
        go_spawn(reads_its_byte, &((struct count){&read, fd[i][0], (char)i}), sizeof(struct count));
    rt_wait_parked(READERS);
    go_spawn(counts, &to_count, sizeof to_count);
    rt_wait_live(1 + READERS);
    assert_int_equal(counted, 1001);
    assert_int_equal(read, 0);
    assert_int_equal(count_threads(), threads);
    for (int i = 0; i < READERS; i++) {
        char c = (char)i;

        assert_int_equal(go_write(fd[i][1], &c, 1, GO_FOREVER), 1);
    }
    rt_wait_live(1);
    assert_int_equal(read, READERS);
    for (int i = 0; i < READERS; i++)
        pair_close(fd[i]);
    go_set_procs(old);
}

RT_TEST(test_H5_what_is_not_open_here_is_read_on_a_bounded_number_of_threads)
{
    enum { READERS = 80, SPARE_MAX = 64 };
    _Atomic int read = 0, counted = 0, *to_count = &counted;
    int p[2], old = go_set_procs(1);
    long threads = count_threads();

    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    for (int i = 0; i < READERS; i++)
        go_spawn(reads_its_byte, &((struct count){&read, p[0], 'x'}), sizeof(struct count));
    rt_wait_parked(READERS);
    go_spawn(counts, &to_count, sizeof to_count);
    rt_wait_live(1 + READERS);
    assert_int_equal(counted, 1001);
    assert_in_range(count_threads(), threads, threads + SPARE_MAX);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(write(p[1], "x", 1), 1); /* all spare threads are taken */
    rt_wait_live(1);
    assert_int_equal(read, READERS);
    close(p[0]);
    close(p[1]);
    go_set_procs(old);
}

static int returns_at_once(void *arg)
{
    return 1;
}

static int writes_a_byte(void *arg)
{
    return (int)write(*(int *)arg, "x", 1);
}

static int reads_a_byte(void *arg)
{
    char c;

    return (int)read(*(int *)arg, &c, 1);
}

static void blocks_to_read(void *arg)
{
    assert_int_equal(go_blocking(reads_a_byte, arg), 1);
}

/* The idle thread takes the first call; the second must not wait for its end. */
RT_TEST(test_H5_blocking_call_waits_for_no_other_while_there_may_be_more_threads)
{
    int p[2];

    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(go_blocking(returns_at_once, NULL), 1);
        go_spawn(blocks_to_read, &p[0], sizeof p[0]);
        rt_wait_parked(1);
        assert_int_equal(go_blocking(writes_a_byte, &p[1]), 1);
        rt_wait_live(1);
    }
    close(p[0]);
    close(p[1]);
}

struct relay {
    go_chan *in, *out;
    int calls;
};

/* One stage of a pipeline with a blocking call for each value. */
static void relays(void *arg)
{
    struct relay *r = arg;
    int value;

    for (int i = 0; i < r->calls; i++) {
        assert_int_equal(go_chan_recv(r->in, &value, GO_FOREVER), 1);
        value += go_blocking(returns_at_once, NULL);
        assert_int_equal(go_chan_send(r->out, &value, GO_FOREVER), 0);
    }
}

/* A wake from outside ends the sleep of the processor it is meant for, whoever looks at the descriptors meanwhile. */
RT_TEST(test_H5_blocking_calls_come_back_while_others_wait_for_descriptors)
{
    enum { CALLS = 5000 };
    _Atomic int read = 0;
    int old = go_set_procs(2), value;
    struct relay relay = {go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0), CALLS};
    go_fd fd[2];

    pipe_open(fd);
    go_spawn(reads_its_byte, &((struct count){&read, fd[0], 'x'}), sizeof(struct count));
    go_spawn(relays, &relay, sizeof relay);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(go_chan_send(relay.in, &i, GO_FOREVER), 0);
        assert_int_equal(go_chan_recv(relay.out, &value, GO_FOREVER), 1);
        assert_int_equal(value, i + 1);
    }
    assert_int_equal(go_write(fd[1], "x", 1, GO_FOREVER), 1);
    rt_wait_live(1);
    go_chan_unref(relay.in);
    go_chan_unref(relay.out);
    pair_close(fd);
    go_set_procs(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_H5_waiting_for_input_costs_no_thread),
        RT_UNIT(test_H5_what_is_not_open_here_is_read_on_a_bounded_number_of_threads),
        RT_UNIT(test_H5_blocking_call_waits_for_no_other_while_there_may_be_more_threads),
        RT_UNIT(test_H5_blocking_calls_come_back_while_others_wait_for_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
