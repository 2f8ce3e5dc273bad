/* Descriptors for tests of the calls on them: always two, to be closed by pair_close. */
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "goroutine_net.h"
#include "rt_test.h"

static inline void fds_open(const int number[2], go_fd fd[2])
{
    for (int i = 0; i < 2; i++) {
        fd[i] = go_fd_open(number[i]);
        assert_int_equal(go_fd_number(fd[i]), number[i]);
    }
}

static inline void pair_open(go_fd fd[2])
{
    int number[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, number), 0);
    fds_open(number, fd);
}

static inline void pipe_open(go_fd fd[2])
{
    int number[2];

    assert_int_equal(pipe2(number, O_CLOEXEC), 0);
    fds_open(number, fd);
}

static inline void pair_close(const go_fd fd[2])
{
    assert_int_equal(go_fd_close(fd[0]), 0);
    assert_int_equal(go_fd_close(fd[1]), 0);
}

static inline const char *port_of(go_fd fd, char text[16])
{
    struct sockaddr_in6 a;
    socklen_t bytes = sizeof a;

    assert_int_equal(getsockname(go_fd_number(fd), (struct sockaddr *)&a, &bytes), 0);
    snprintf(text, 16, "%d", ntohs(a.sin6_port)); /* at the same place in both families */
    return text;
}

/* Both ends of a TCP connection. */
static inline void tcp_open(go_fd fd[2])
{
    go_fd listener = go_listen("127.0.0.1", "0");
    char port[16];

    assert_true(listener >= 0);
    fd[0] = go_dial("127.0.0.1", port_of(listener, port), GO_FOREVER);
    fd[1] = go_accept(listener, GO_FOREVER);
    assert_true(fd[0] >= 0 && fd[1] >= 0);
    assert_int_equal(go_fd_close(listener), 0);
}

static inline long count_threads(void)
{
    char line[256];
    long n = -1;
    FILE *f = fopen("/proc/self/status", "re");

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "Threads:", 8) == 0)
            n = strtol(line + 8, NULL, 10);
    fclose(f);
    return n;
}
