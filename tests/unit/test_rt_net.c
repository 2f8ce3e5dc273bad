/* Calls on descriptors and connections: rules H5, and what a close in the middle of a call means. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt_net.h"

/* ---- reading and writing ---- */

static void echoes(void *arg)
{
    char buffer[4096];
    go_fd fd = *(go_fd *)arg;
    ssize_t n;

    while ((n = go_read(fd, buffer, sizeof buffer, GO_FOREVER)) > 0)
        assert_int_equal(go_write(fd, buffer, (size_t)n, GO_FOREVER), n);
    assert_int_equal(n, 0);
    assert_int_equal(go_fd_close(fd), 0);
}

RT_TEST(test_what_is_written_is_read_until_the_end_of_the_file)
{
    go_fd fd[2];
    char text[16];

    tcp_open(fd);
    go_spawn(echoes, &fd[1], sizeof fd[1]);
    for (int i = 0; i < 200; i++) {
        int said = snprintf(text, sizeof text, "%d", i);
        char heard[16] = "";

        assert_int_equal(go_write(fd[0], text, (size_t)said, GO_FOREVER), said);
        assert_int_equal(go_read(fd[0], heard, sizeof heard - 1, GO_FOREVER), said);
        assert_string_equal(heard, text);
    }
    assert_int_equal(shutdown(go_fd_number(fd[0]), SHUT_WR), 0);
    assert_int_equal(go_read(fd[0], text, sizeof text, GO_FOREVER), 0);
    assert_int_equal(go_fd_close(fd[0]), 0);
    rt_wait_live(1);
}

RT_TEST(test_no_bytes_are_read_at_once_from_a_socket_and_from_a_pipe)
{
    go_fd socket[2], pipe[2];
    char text[4] = "old";

    tcp_open(socket);
    pipe_open(pipe);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(go_read(socket[0], text, 0, GO_FOREVER), 0);
        assert_int_equal(go_read(pipe[0], text, 0, GO_FOREVER), 0);
        assert_int_equal(go_write(socket[1], "new", 3, GO_FOREVER), 3);
        assert_int_equal(go_write(pipe[1], "new", 3, GO_FOREVER), 3);
    }
    assert_string_equal(text, "old");
    pair_close(socket);
    pair_close(pipe);
}

static void cancels(void *arg)
{
    rt_wait_parked(1);
    go_ctx_cancel(*(go_ctx **)arg, 0, NULL);
}

RT_TEST(test_every_call_ends_with_its_until)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_fd fd[2], listener = go_listen(NULL, "0");
    char c = 'c';

    pair_open(fd);
    assert_int_equal(go_read(fd[0], &c, 1, GO_NOW), -EAGAIN);
    assert_int_equal(go_read(fd[0], &c, 1, go_after_ms(1)), -ETIMEDOUT);
    assert_int_equal(go_accept(listener, GO_NOW), -EAGAIN);
    assert_int_equal(go_accept(listener, go_after_ms(1)), -ETIMEDOUT);
    while (go_write(fd[0], &c, 1, GO_NOW) == 1)
        continue;
    assert_int_equal(go_write(fd[0], &c, 1, GO_NOW), -EAGAIN);
    assert_int_equal(go_write(fd[0], &c, 1, go_after_ms(1)), -ETIMEDOUT);
    go_spawn(cancels, &ctx, sizeof ctx);
    assert_int_equal(go_read(fd[0], &c, 1, go_with(ctx)), -ECANCELED);
    assert_int_equal(go_write(fd[1], "x", 1, GO_FOREVER), 1);
    assert_int_equal(go_read(fd[0], &c, 1, go_with(ctx)), -ECANCELED); /* done on arrival: takes nothing */
    assert_int_equal(go_read(fd[0], &c, 1, GO_NOW), 1);
    rt_wait_live(1);
    go_ctx_unref(ctx);
    pair_close(fd);
    assert_int_equal(go_fd_close(listener), 0);
}

enum { LARGE = 4 << 20 };

static void writes_large(void *arg)
{
    go_fd fd = *(go_fd *)arg;
    unsigned char *data = malloc(LARGE);

    for (int i = 0; i < LARGE; i++)
        data[i] = (unsigned char)(i * 7 + (i >> 8));
    assert_int_equal(go_write(fd, data, LARGE, GO_FOREVER), LARGE);
    free(data);
    assert_int_equal(go_fd_close(fd), 0);
}

static void read_large(go_fd fd)
{
    unsigned char part[10000];
    int total = 0;
    ssize_t n;

    while ((n = go_read(fd, part, sizeof part, GO_FOREVER)) > 0)
        for (ssize_t i = 0; i < n; i++, total++)
            assert_int_equal(part[i], (unsigned char)(total * 7 + (total >> 8)));
    assert_int_equal(n, 0);
    assert_int_equal(total, LARGE);
    assert_int_equal(go_fd_close(fd), 0);
}

RT_TEST(test_write_writes_all_through_whatever_is_smaller)
{
    go_fd fd[2];

    pipe_open(fd);
    go_spawn(writes_large, &fd[1], sizeof fd[1]);
    read_large(fd[0]);
    tcp_open(fd);
    go_spawn(writes_large, &fd[1], sizeof fd[1]);
    read_large(fd[0]);
    rt_wait_live(1);
}

/* Goroutines run on threads that block it. */
static void *thread_writes(void *arg)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    assert_int_equal(go_write(*(go_fd *)arg, "x", 1, GO_FOREVER), -EPIPE);
    return NULL;
}

RT_TEST(test_write_to_a_socket_that_was_hung_up_is_EPIPE_and_no_signal)
{
    pthread_t thread;
    go_fd fd[2];
    char c;

    pair_open(fd);
    assert_int_equal(go_fd_close(fd[1]), 0);
    assert_int_equal(go_write(fd[0], "x", 1, GO_FOREVER), -EPIPE);
    assert_int_equal(pthread_create(&thread, NULL, thread_writes, &fd[0]), 0);
    pthread_join(thread, NULL);
    assert_int_equal(go_read(fd[0], &c, 1, GO_FOREVER), 0);
    assert_int_equal(go_fd_close(fd[0]), 0);
}

RT_TEST(test_urgent_data_and_the_end_behind_it_lose_nothing)
{
    char part[64];
    go_fd fd[2];

    tcp_open(fd);
    assert_int_equal(go_write(fd[0], "ab", 2, GO_FOREVER), 2);
    assert_int_equal(send(go_fd_number(fd[0]), "c", 1, MSG_OOB), 1);
    assert_int_equal(go_write(fd[0], "de", 2, GO_FOREVER), 2);
    assert_int_equal(shutdown(go_fd_number(fd[0]), SHUT_WR), 0);
    assert_true(go_wait_fd(go_fd_number(fd[1]), GO_READABLE, GO_FOREVER) > 0);
    for (int total = 0; total < 4;) {
        ssize_t n = go_read(fd[1], part, sizeof part, GO_FOREVER);

        assert_in_range(n, 1, 4 - total);
        assert_int_equal(memcmp(part, &"abde"[total], (size_t)n), 0);
        total += (int)n;
    }
    assert_int_equal(go_read(fd[1], part, sizeof part, GO_FOREVER), 0);
    pair_close(fd);
}

/* ---- files and threads ---- */

RT_TEST(test_file_is_read_and_written_whole)
{
    char name[] = "rt_net.XXXXXX", data[9000], back[9000];
    int number = mkostemp(name, O_CLOEXEC);
    go_fd fd = go_fd_open(number);

    assert_true(fd >= 0);
    unlink(name);
    memset(data, 'f', sizeof data);
    assert_int_equal(go_write(fd, data, sizeof data, GO_FOREVER), (long)sizeof data);
    assert_int_equal(lseek(number, 0, SEEK_SET), 0);
    assert_int_equal(go_read(fd, back, sizeof back, GO_FOREVER), (long)sizeof back);
    assert_int_equal(memcmp(data, back, sizeof data), 0);
    assert_int_equal(go_read(fd, back, sizeof back, GO_FOREVER), 0);
    assert_int_equal(go_fd_close(fd), 0);
    assert_int_equal(go_read(fd, back, sizeof back, GO_FOREVER), -EBADF);
}

struct on_thread {
    go_fd fd;
    _Atomic pid_t tid;
    ssize_t result;
};

/* Until the thread sleeps in the kernel. */
static void wait_asleep(struct on_thread *a)
{
    char name[64], state = 0;

    while (state != 'S') {
        FILE *f;

        go_yield();
        snprintf(name, sizeof name, "/proc/self/task/%d/stat", atomic_load(&a->tid));
        f = fopen(name, "re");
        if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
            state = 0;
        if (f)
            fclose(f);
    }
}

static void *thread_reads(void *arg)
{
    struct on_thread *a = arg;
    char c;

    atomic_store(&a->tid, gettid());
    a->result = go_read(a->fd, &c, 1, GO_FOREVER);
    return NULL;
}

RT_TEST(test_plain_thread_waits_too_and_is_woken_by_data_and_by_close)
{
    struct on_thread a;
    pthread_t thread;
    go_fd fd[2];

    pair_open(fd);
    for (int round = 0; round < 2; round++) {
        a = (struct on_thread){.fd = fd[0]};
        assert_int_equal(pthread_create(&thread, NULL, thread_reads, &a), 0);
        wait_asleep(&a);
        if (round == 0)
            assert_int_equal(go_write(fd[1], "x", 1, GO_FOREVER), 1);
        else
            assert_int_equal(go_fd_close(fd[0]), 0);
        pthread_join(thread, NULL);
        assert_int_equal(a.result, round == 0 ? 1 : -EBADF);
    }
    assert_int_equal(go_fd_close(fd[1]), 0);
}

/* ---- closing ---- */

struct closed {
    ssize_t (*call)(go_fd fd);
    go_fd fd;
    _Atomic int *done;
};

static void expects_EBADF(void *arg)
{
    struct closed *a = arg;

    assert_int_equal(a->call(a->fd), -EBADF);
    atomic_fetch_add(a->done, 1);
}

static ssize_t call_read(go_fd fd)
{
    char c;

    return go_read(fd, &c, 1, GO_FOREVER);
}

static ssize_t call_write(go_fd fd)
{
    static char large[LARGE];

    return go_write(fd, large, sizeof large, GO_FOREVER);
}

static ssize_t call_accept(go_fd fd)
{
    return go_accept(fd, GO_FOREVER);
}

static ssize_t call_wait(go_fd fd)
{
    return go_wait_fd(go_fd_number(fd), GO_READABLE, GO_FOREVER);
}

static void close_while_waiting(go_fd fd, ssize_t (*const *calls)(go_fd), int n)
{
    _Atomic int done = 0;

    for (int i = 0; i < n; i++)
        go_spawn(expects_EBADF, &((struct closed){calls[i], fd, &done}), sizeof(struct closed));
    rt_wait_parked(n);
    assert_int_equal(go_fd_close(fd), 0);
    rt_wait_live(1);
    assert_int_equal(done, n);
    assert_int_equal(fcntl(go_fd_number(fd), F_GETFD), -1); /* the last of them closed it */
    assert_int_equal(go_fd_close(fd), -EBADF);
    assert_int_equal(go_fd_open(go_fd_number(fd)), -EBADF);
    assert_int_equal(call_read(fd), -EBADF);
}

RT_TEST(test_close_ends_every_call_that_waits_with_EBADF)
{
    ssize_t (*const on_socket[])(go_fd) = {call_read, call_read, call_write, call_wait};
    ssize_t (*const on_listener[])(go_fd) = {call_accept, call_accept, call_wait};
    go_fd fd[2];

    pair_open(fd);
    close_while_waiting(fd[0], on_socket, 4);
    assert_int_equal(go_fd_close(fd[1]), 0);
    close_while_waiting(go_listen("127.0.0.1", "0"), on_listener, 3);
}

RT_TEST(test_close_wakes_who_waits_for_a_descriptor_that_is_not_open_here)
{
    ssize_t (*const waits[])(go_fd) = {call_wait, call_wait};
    int p[2];

    assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    close_while_waiting(p[0], waits, 2);
    close(p[1]);
}

struct count {
    _Atomic int *count;
    go_fd fd;
    char expected;
};

/* One closes while others read, and others open meanwhile: who had a number before must not read what comes next. */
static void reads_own_mark(void *arg)
{
    struct count *a = arg;
    char c;
    ssize_t n;

    while ((n = go_read(a->fd, &c, 1, GO_FOREVER)) == 1)
        assert_int_equal(c, a->expected);
    assert_true(n == -EBADF || n == 0); /* 0: it was reading while both ends were closed */
    atomic_fetch_add(a->count, 1);
}

enum { ROUNDS = 100 };

static void opens_and_closes(void *arg)
{
    struct count *a = arg;
    _Atomic int ended = 0;

    for (int round = 0; round < ROUNDS; round++) {
        go_fd fd[2];

        pair_open(fd);
        for (int i = 0; i < 2; i++)
            go_spawn(reads_own_mark, &((struct count){&ended, fd[0], a->expected}), sizeof(struct count));
        for (int i = 0; i < round % 5; i++)
            assert_int_equal(go_write(fd[1], &a->expected, 1, GO_FOREVER), 1);
        if (round % 2)
            go_yield();
        pair_close(fd);
        while (round % 3 && atomic_load(&ended) < 2 * (round + 1))
            go_yield();
    }
    while (atomic_load(&ended) < 2 * ROUNDS)
        go_yield();
}

RT_TEST(test_reader_of_a_closed_descriptor_never_reads_from_the_next_of_its_number)
{
    int old = go_set_procs(4);

    for (char mark = 'a'; mark < 'g'; mark++)
        go_spawn(opens_and_closes, &((struct count){NULL, -1, mark}), sizeof(struct count));
    rt_wait_live(1);
    go_set_procs(old);
}

RT_TEST(test_number_closed_behind_our_back_can_be_opened_anew)
{
    go_fd fd[2];

    for (int i = 0; i < 3; i++) {
        char c = 0;

        pair_open(fd);
        go_spawn(echoes, &fd[1], sizeof fd[1]);
        assert_int_equal(go_write(fd[0], "x", 1, GO_FOREVER), 1);
        assert_int_equal(go_read(fd[0], &c, 1, GO_FOREVER), 1);
        close(go_fd_number(fd[0]));
        rt_wait_live(1);
    }
}

/* ---- connections ---- */

RT_TEST(test_connection_refused_and_address_in_use_are_errors)
{
    go_fd listener = go_listen("127.0.0.1", "0");
    char port[16];

    port_of(listener, port);
    assert_int_equal(go_listen("127.0.0.1", port), -EADDRINUSE);
    assert_int_equal(go_fd_close(listener), 0);
    assert_int_equal(go_dial("127.0.0.1", port, GO_FOREVER), -ECONNREFUSED);
    assert_int_equal(go_accept(listener, GO_FOREVER), -EBADF);
}

RT_TEST(test_names_are_looked_up_and_wrong_ones_are_errors)
{
    struct addrinfo *found;
    char port[16], c;
    go_fd listener = go_listen("localhost", "0"),
          fd = go_dial("localhost", port_of(listener, port), GO_FOREVER);
    go_fd server = go_accept(listener, GO_FOREVER);
    int r;

    assert_true(fd >= 0 && server >= 0);
    assert_int_equal(go_write(fd, "x", 1, GO_FOREVER), 1);
    assert_int_equal(go_read(server, &c, 1, GO_FOREVER), 1);
    assert_int_equal(go_resolve("127.0.0.1", "80", &found, GO_NOW), 0); /* digits need no waiting */
    assert_int_equal(ntohs(((struct sockaddr_in *)found->ai_addr)->sin_port), 80);
    freeaddrinfo(found);
    assert_int_equal(go_resolve("localhost", "80", &found, GO_NOW), -EAGAIN);
    assert_null(found);
    r = go_resolve("no such host", "80", &found, GO_FOREVER);
    assert_true(r == -ENOENT || r == -EHOSTUNREACH); /* the second where no name server is known */
    rt_wait_live(1);
    assert_int_equal(go_fd_close(fd), 0);
    assert_int_equal(go_fd_close(server), 0);
    assert_int_equal(go_fd_close(listener), 0);
}

static void dials(void *arg)
{
    char port[16], c;
    go_fd fd = go_dial("127.0.0.1", port_of(*(go_fd *)arg, port), GO_FOREVER);

    assert_true(fd >= 0);
    assert_int_equal(go_write(fd, "x", 1, GO_FOREVER), 1);
    assert_int_equal(go_read(fd, &c, 1, GO_FOREVER), 1);
    assert_int_equal(go_fd_close(fd), 0);
}

RT_TEST(test_many_connections_at_once_are_served)
{
    enum { CLIENTS = 100 };
    go_fd listener = go_listen("127.0.0.1", "0");

    for (int i = 0; i < CLIENTS; i++)
        go_spawn(dials, &listener, sizeof listener);
    for (int i = 0; i < CLIENTS; i++) {
        go_fd fd = go_accept(listener, GO_FOREVER);

        assert_true(fd >= 0);
        go_spawn(echoes, &fd, sizeof fd);
    }
    rt_wait_live(1);
    assert_int_equal(go_fd_close(listener), 0);
}

static void test_nothing_can_be_opened_while_the_runtime_does_not_run(void **state)
{
    assert_int_equal(go_fd_open(0), -ESRCH);
    assert_int_equal(go_fd_open(-1), -EBADF);
    assert_int_equal(go_listen("127.0.0.1", "0"), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_can_be_opened_while_the_runtime_does_not_run),
        RT_UNIT(test_what_is_written_is_read_until_the_end_of_the_file),
        RT_UNIT(test_no_bytes_are_read_at_once_from_a_socket_and_from_a_pipe),
        RT_UNIT(test_every_call_ends_with_its_until),
        RT_UNIT(test_write_writes_all_through_whatever_is_smaller),
        RT_UNIT(test_write_to_a_socket_that_was_hung_up_is_EPIPE_and_no_signal),
        RT_UNIT(test_urgent_data_and_the_end_behind_it_lose_nothing),
        RT_UNIT(test_file_is_read_and_written_whole),
        RT_UNIT(test_plain_thread_waits_too_and_is_woken_by_data_and_by_close),
        RT_UNIT(test_close_ends_every_call_that_waits_with_EBADF),
        RT_UNIT(test_close_wakes_who_waits_for_a_descriptor_that_is_not_open_here),
        RT_UNIT(test_reader_of_a_closed_descriptor_never_reads_from_the_next_of_its_number),
        RT_UNIT(test_number_closed_behind_our_back_can_be_opened_anew),
        RT_UNIT(test_connection_refused_and_address_in_use_are_errors),
        RT_UNIT(test_names_are_looked_up_and_wrong_ones_are_errors),
        RT_UNIT(test_many_connections_at_once_are_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
