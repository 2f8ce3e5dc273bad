/*
 * goroutine_net.h: descriptors and connections for goroutines. Whoever waits here costs no thread.
 *
 *     static void echo(void *arg)
 *     {
 *         char buffer[4096];
 *         go_fd fd = *(go_fd *)arg;
 *         ssize_t n;
 *
 *         while ((n = go_read(fd, buffer, sizeof buffer, GO_FOREVER)) > 0)
 *             if (go_write(fd, buffer, (size_t)n, GO_FOREVER) < 0)
 *                 break;
 *         go_fd_close(fd);
 *     }
 *
 *     go_fd listener = go_listen("localhost", "7777");
 *     for (go_fd fd; (fd = go_accept(listener, GO_FOREVER)) >= 0;)
 *         go_spawn(echo, &fd, sizeof fd);
 *
 * Descriptors. A go_fd is the number of a descriptor and how often that number has been opened here. It stays
 * true to its descriptor: after go_fd_close every call with it is -EBADF, though the number may be in use again.
 * What go_accept, go_connect, go_dial and go_listen return is open here already; any other (a pipe, a socket
 * pair, an eventfd, a terminal) becomes so with go_fd_open. An open one must be closed with go_fd_close, not with
 * close(2), and may be used by several goroutines and threads at once. A plain number is a go_fd too: of
 * whatever has that number now.
 *
 * Files. A descriptor that is not open here, and a regular file whether it is or not, is read and written on a
 * spare thread (go_blocking: at most 64 of them, further calls queue). Then the until counts only on arrival.
 *
 * Results are 0, a positive count or a negative errno value; -ETIMEDOUT, -ECANCELED and -EAGAIN are those of
 * every go_until (goroutine.h). Writing to a socket or pipe that was hung up is -EPIPE, without SIGPIPE: threads
 * that run goroutines block it. On a plain thread that holds for sockets alone.
 */
#ifndef GOROUTINE_NET_H
#define GOROUTINE_NET_H

#include <netdb.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "goroutine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- any descriptor ---- */

typedef int64_t go_fd; /* negative: an errno value */

/* The number, for other calls. */
static inline int go_fd_number(go_fd fd)
{
    return fd < 0 ? -1 : (int)(fd & INT32_MAX);
}

/*
 * Makes `fd` one that goroutines wait for: non-blocking (for all who share it: dup, fork), known to the poller
 * until go_fd_close or the end of go_main. Of a regular file nothing changes. A go_fd that the number had before is closed
 * from then on. -EBADF; -ENOMEM, -ENOSPC
 * (/proc/sys/fs/epoll/max_user_watches), -ESRCH: the runtime is not running. On failure fd is still the
 * caller's.
 */
GO_API go_fd go_fd_open(int fd);

/*
 * Closes fd, open here or not. Who waits on it here gets -EBADF, and so does whoever calls from now on. The
 * number is free for others once the last of the calls under way has returned. Does not wait. 0, -EBADF, or
 * what close(2) said, after which it is closed all the same.
 */
GO_API int go_fd_close(go_fd fd);

/*
 * Reads what is there, at most `bytes`, and waits until something is. A positive count, 0 at the end of the
 * file, -EBADF (see go_fd_close), or what read(2) says.
 */
GO_API ssize_t go_read(go_fd fd, void *buffer, size_t bytes, go_until until);

/*
 * Writes all of it and returns `bytes`. -EPIPE: the other side hung up; -EBADF; or what write(2) says. After a
 * failure, a time-out too, some of it may have been written. Two goroutines that write at once may mix their
 * bytes.
 */
GO_API ssize_t go_write(go_fd fd, const void *data, size_t bytes, go_until until);

/* ---- connections ---- */

/*
 * The addresses of a host (NULL: this machine) and a port (a number or a name of /etc/services; NULL: none) for
 * a TCP connection, to be freed with freeaddrinfo. An address in digits costs nothing; a name is looked up on
 * a spare thread, which goes on alone when `until` ends first. 0; -ENOENT: no such name; -EHOSTUNREACH: no
 * name server answered; -ENOMEM; -EINVAL; as go_spawn.
 */
GO_API int go_resolve(const char *host, const char *port, struct addrinfo **found, go_until until);

/*
 * Listens for TCP connections on a host's first address (NULL: every address of this machine) and a port ("0": a
 * free one; getsockname says which). Returns a descriptor. -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, what go_resolve
 * says, or what socket(2) says.
 */
GO_API go_fd go_listen(const char *host, const char *port);

/*
 * Takes one connection of a listening socket, of go_listen or opened with go_fd_open. Returns its descriptor.
 * -EBADF: the listener was closed; -EMFILE, -ENFILE: no descriptors left, the connection keeps waiting.
 */
GO_API go_fd go_accept(go_fd fd, go_until until);

/* Connects a stream socket to an address of any family. Returns a descriptor, or what connect(2) says, such as
 * -ECONNREFUSED. */
GO_API go_fd go_connect(const struct sockaddr *address, socklen_t bytes, go_until until);

/* Connects to the first address of a host that answers. Returns a descriptor, or what go_resolve or, of the last
 * address tried, go_connect says. */
GO_API go_fd go_dial(const char *host, const char *port, go_until until);

#ifdef __cplusplus
}
#endif
#endif
