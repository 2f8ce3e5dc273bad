/*
 * What shim.c and the tester say to each other: one message each way, on a socket that keeps messages whole.
 */
#pragma once

#include <err.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { SHIM_FDS_MAX = 9 }; /* the lifeline, and PROXY_SPARE_MAX connections */

struct shim_asks {
    bool run; /* else to be described; the answer then has no meaning */
    pid_t pid;
};

struct shim_says {
    char endpoint[128];
};

/* -1 with errno, as sendmsg. */
static inline int shim_send(int socket, const void *message, size_t size, const int *fds, int fds_n)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(SHIM_FDS_MAX * sizeof(int))] = {0};
    struct iovec part = {(void *)(uintptr_t)message, size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

    if (fds_n) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE((size_t)fds_n * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&header);
        *c = (struct cmsghdr){CMSG_LEN((size_t)fds_n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(c), fds, (size_t)fds_n * sizeof(int));
    }
    return sendmsg(socket, &header, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* -1: nothing came, or not this. At most SHIM_FDS_MAX descriptors, the caller's. */
static inline int shim_receive(int socket, void *message, size_t size, int *fds, int *fds_n)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(SHIM_FDS_MAX * sizeof(int))];
    struct iovec part = {message, size};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&header);

    *fds_n = c ? (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
    if (c)
        memcpy(fds, CMSG_DATA(c), (size_t)*fds_n * sizeof(int));
    return n == (ssize_t)size ? 0 : -1;
}
