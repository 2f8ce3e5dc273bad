/* The kernel's side of waiting: one epoll, armed for one event at a time; an eventfd ends a sleep early. */
#pragma once

#include <stdint.h>

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
