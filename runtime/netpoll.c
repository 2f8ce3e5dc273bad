/*
 * One record per descriptor number, made when first waited on. The kernel is armed for one event at a time
 * (EPOLLONESHOT) and only while somebody waits, so a closed descriptor whose number comes back needs no
 * notice.
 *
 * Invariants, under a record's lock: `waiters` are those that wait; what is armed covers all they wait for.
 */
#include "netpoll.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fatal.h"
#include "scheduler.h"
#include "waiting.h"

enum { PAGE_FDS = 1024, PAGES = 1024, EVENTS = 64 };

struct fd_waiter {
    struct waiter waiter;
    unsigned events, ready;
};

struct fd {
    struct lock lock;
    struct list waiters; /* struct fd_waiter.waiter.link */
    bool known;          /* to epoll, as far as we know */
};

static struct {
    int epoll, event;
    _Atomic bool broken; /* an event is under way: one is enough */
    _Atomic int waiting;
    _Atomic(struct fd *) page[PAGES];
} poller = {.epoll = -1, .event = -1};

int netpoll_open(void)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = -1};

    poller.epoll = epoll_create1(EPOLL_CLOEXEC);
    poller.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (poller.epoll < 0 || poller.event < 0 ||
        epoll_ctl(poller.epoll, EPOLL_CTL_ADD, poller.event, &e) < 0) {
        int r = -errno;

        netpoll_close();
        return r;
    }
    return 0;
}

void netpoll_close(void)
{
    for (int i = 0; i < PAGES; i++)
        free(atomic_exchange(&poller.page[i], NULL));
    if (poller.epoll >= 0)
        close(poller.epoll);
    if (poller.event >= 0)
        close(poller.event);
    poller.epoll = poller.event = -1;
    atomic_store(&poller.broken, false);
    atomic_store(&poller.waiting, 0);
}

int netpoll_waiting(void)
{
    return atomic_load(&poller.waiting);
}

void netpoll_break(void)
{
    uint64_t one = 1;

    if (!atomic_exchange(&poller.broken, true) && write(poller.event, &one, sizeof one) < 0 &&
        errno != EAGAIN)
        fatal("cannot wake the poller: %m");
}

/* ---- records ---- */

static struct fd *page_new(int page)
{
    struct fd *fds = calloc(PAGE_FDS, sizeof *fds), *none = NULL;

    if (!fds)
        return NULL;
    for (int i = 0; i < PAGE_FDS; i++)
        list_init(&fds[i].waiters);
    if (atomic_compare_exchange_strong(&poller.page[page], &none, fds))
        return fds;
    free(fds);
    return none;
}

static struct fd *fd_record(int fd)
{
    struct fd *page;

    if (fd >= PAGES * PAGE_FDS)
        return NULL;
    page = atomic_load(&poller.page[fd / PAGE_FDS]);
    if (!page)
        page = page_new(fd / PAGE_FDS);
    return page ? page + fd % PAGE_FDS : NULL;
}

static uint32_t events_of(const struct fd *f)
{
    const struct fd_waiter *w;
    uint32_t events = 0;

    list_each (w, &f->waiters, waiter.link)
        events |=
            (w->events & GO_READABLE ? EPOLLIN | EPOLLRDHUP : 0u) | (w->events & GO_WRITABLE ? EPOLLOUT : 0u);
    return events;
}

/* Lock held. Tells the kernel what is waited for; -EPERM: this kind is always ready. What epoll knows may be
 * the other way round than we think: the descriptor was closed and opened again meanwhile. */
static int fd_arm(struct fd *f, int fd)
{
    struct epoll_event e = {.events = events_of(f) | EPOLLONESHOT, .data.fd = fd};
    int r = epoll_ctl(poller.epoll, f->known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e);

    if (r < 0 && errno == (f->known ? ENOENT : EEXIST))
        r = epoll_ctl(poller.epoll, f->known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e);
    if (r < 0)
        return -errno;
    f->known = true;
    return 0;
}

static unsigned ready_of(uint32_t events)
{
    unsigned ready = 0;

    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        ready |= GO_READABLE;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        ready |= GO_WRITABLE;
    return ready;
}

static void fd_ready(struct fd *f, unsigned ready, struct wake_list *wakes)
{
    struct fd_waiter *w, *after;

    list_each_safe (w, after, &f->waiters, waiter.link) {
        if (!(w->events & ready))
            continue;
        list_remove(&w->waiter.link);
        w->ready = w->events & ready;
        if (wait_claim(w->waiter.g, w->waiter.ticket, 0))
            wake_later(wakes, w->waiter.g);
    }
}

static void fd_event(int fd, uint32_t events, struct wake_list *wakes)
{
    struct fd *f = fd_record(fd);

    lock_take(&f->lock, RANK_POLL);
    fd_ready(f, ready_of(events), wakes);
    if (!list_empty(&f->waiters) && fd_arm(f, fd) < 0)
        fd_ready(f, GO_READABLE | GO_WRITABLE, wakes); /* it is gone: the next call on it will say so */
    lock_drop(&f->lock);
}

/* ---- waiting in the kernel ---- */

static int epoll_sleep(struct epoll_event *events, int64_t ns)
{
    struct timespec limit = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    int64_t ms = ns < 0 ? -1 : ns / 1000000 + (ns % 1000000 != 0);
    int n;

    n = (int)syscall(SYS_epoll_pwait2, poller.epoll, events, EVENTS, ns < 0 ? NULL : &limit, NULL, 0);
    if (n < 0 && errno == ENOSYS)
        n = epoll_wait(poller.epoll, events, EVENTS, ms > INT32_MAX ? INT32_MAX : (int)ms);
    if (n < 0 && errno != EINTR)
        fatal("the poller failed: %m");
    return n;
}

int netpoll_wait(int64_t ns)
{
    struct epoll_event events[EVENTS];
    struct wake_list wakes;
    int n = epoll_sleep(events, ns), woken;
    uint64_t drained;

    wake_list_init(&wakes);
    for (int i = 0; i < n; i++) {
        if (events[i].data.fd >= 0) {
            fd_event(events[i].data.fd, events[i].events, &wakes);
        } else if (read(poller.event, &drained, sizeof drained) > 0) {
            atomic_store(&poller.broken, false);
        }
    }
    woken = wakes.n;
    wake_all(&wakes);
    return woken;
}

/* ---- calls ---- */

static int thread_wait_fd(int fd, unsigned events, go_until until)
{
    short wanted =
        (short)((events & GO_READABLE ? POLLIN | POLLRDHUP : 0) | (events & GO_WRITABLE ? POLLOUT : 0));
    struct pollfd p = {.fd = fd, .events = wanted};

    for (;;) {
        int64_t left = until.ns == GO_NS_NOW ? 0 : until.ns == GO_NS_FOREVER ? -1 : until.ns - clock_ns();
        int64_t ms = left < 0 ? (until.ns == GO_NS_FOREVER ? -1 : 0) : left / 1000000 + 1;
        int err = until.ctx ? go_ctx_err(until.ctx) : 0;
        int n;

        if (err)
            return err;
        if (until.ctx && (ms < 0 || ms > 50))
            ms = 50; /* a plain thread cannot sleep for a descriptor and a context at once */
        n = poll(&p, 1, until.ns == GO_NS_NOW ? 0 : ms > INT32_MAX ? INT32_MAX : (int)ms);
        if (n > 0)
            return p.revents & POLLNVAL ? -EBADF
                                        : (int)(ready_of((uint32_t)(unsigned short)p.revents) & events);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0 && until.ns == GO_NS_NOW)
            return -EAGAIN;
        if (n == 0 && until.ns != GO_NS_FOREVER && clock_ns() >= until.ns)
            return -ETIMEDOUT;
    }
}

static void fd_leave(struct fd *f, struct fd_waiter *w)
{
    lock_take(&f->lock, RANK_POLL);
    list_remove(&w->waiter.link);
    lock_drop(&f->lock);
}

static int goroutine_wait_fd(struct g *g, int fd, struct fd *f, unsigned events, go_until until)
{
    struct fd_waiter w = {.events = events, .waiter = {.g = g}};
    unsigned outcome;
    int r;

    lock_take(&f->lock, RANK_POLL);
    w.waiter.ticket = wait_open(g, 0);
    list_append(&f->waiters, &w.waiter.link);
    r = fd_arm(f, fd);
    if (r < 0)
        list_remove(&w.waiter.link);
    lock_drop(&f->lock);
    if (r < 0) {
        if (!wait_claim(g, w.waiter.ticket, 0))
            park(g, "descriptor"); /* the scope ended first: its wake is due */
        return r == -EPERM ? (int)events : r;
    }
    atomic_fetch_add(&poller.waiting, 1);
    outcome =
        park_until(g, events == GO_WRITABLE ? "descriptor write" : "descriptor read", w.waiter.ticket, until);
    atomic_fetch_sub(&poller.waiting, 1);
    fd_leave(f, &w);
    return outcome == 0 ? (int)w.ready : wait_failed(g, outcome, until.ctx);
}

int go_wait_fd(int fd, unsigned events, go_until until)
{
    struct g *g = g_self();
    struct fd *f;
    int r = until_over(g, until);

    if (r)
        return r;
    if (events == 0 || events & ~(GO_READABLE | GO_WRITABLE))
        return -EINVAL;
    if (fd < 0)
        return -EBADF;
    if (g->thread || until.ns == GO_NS_NOW)
        return thread_wait_fd(fd, events, until);
    f = fd_record(fd);
    return f ? goroutine_wait_fd(g, fd, f, events, until) : -ENOMEM;
}
