/* The kernel's side of waiting: one epoll; an eventfd ends a sleep early. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "goroutine_net.h"

/* 0 or a negative errno value. */
int netpoll_open(void);
void netpoll_close(void);

/* Waits at most ns (<0: for ever, 0: only looks) and wakes the goroutines whose descriptors are ready;
 * returns how many. */
int netpoll_wait(int64_t ns);

/* Ends the netpoll_wait that is under way, or the next. From any thread. */
void netpoll_break(void);

/* Goroutines that wait for descriptors now. */
int netpoll_waiting(void);

/* Of what poll or epoll says (the same bits): GO_READABLE, GO_WRITABLE; an error or hang-up is both. */
unsigned netpoll_ready_of(uint32_t events);

/* Arms a descriptor that nobody opened with go_fd_open, for one event, and waits for it. Positive: the events that
 * are ready, as go_wait_fd. */
int netpoll_wait_once(int fd, unsigned events, go_until until);

/* go_fd_close. */
int netpoll_close_fd(go_fd fd);

/* ---- descriptors opened with go_fd_open, for the calls on them ---- */

struct fd;

/* FD_FILE: always ready, and blocks. Sockets come non-blocking, what is FD_OTHER is made so. */
enum fd_kind { FD_OTHER, FD_SOCKET, FD_FILE };

/* Registers a descriptor for as long as it lives. Its handle, or -EBADF, -ENOMEM, -ENOSPC (the kernel's limit of
 * watches), -ESRCH: the runtime does not run. */
go_fd netpoll_add(int fd, enum fd_kind kind);

/* 1: `*out` may be used until netpoll_done, which closes it if go_fd_close came meanwhile. 0: a number that is not
 * opened. -EBADF: closed. */
int netpoll_use(go_fd fd, struct fd **out);
int netpoll_done(struct fd *f);

enum fd_kind netpoll_kind(const struct fd *f);
int netpoll_number(const struct fd *f);

/* How many events it had. Read before looking whether the descriptor is ready. */
uint32_t netpoll_edges(const struct fd *f);

/* Waits for an event later than `edges` that concerns `events` (GO_READABLE, GO_WRITABLE). 0: look again;
 * -EBADF: it was closed; what the until says. Whether that is over on arrival is for the caller to see. */
int netpoll_wait_edge(struct fd *f, unsigned events, uint32_t edges, go_until until);
