/*
 * One record per descriptor number, made when first needed. Two ways to wait, by who knows of the closing:
 *
 *   A descriptor opened with go_fd_open is registered once, edge-triggered, until go_fd_close. `edges` counts
 * its events. Who finds nothing to do waits with the count read before it looked, so an event between look
 * and wait is not missed; each event wakes all whom it concerns, and they look again. Calls under way are
 * counted in `state`: the last of a closing descriptor closes it, so its number does not come back before.
 *
 *   Any other is armed for one event at a time (EPOLLONESHOT) and only while somebody waits, so a closed
 * descriptor whose number comes back needs no notice.
 *
 * Invariants, under a record's lock: `waiters` are those that wait; what is armed covers all they wait for;
 * no event reaches an opened descriptor without being counted in `edges`; nobody waits on a closing one.
 */
#include "netpoll.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fatal.h"
#include "scheduler.h"
#include "waiting.h"

enum { PAGE_FDS = 1024, PAGES = 1024, EVENTS = 128 };

/* Of fd.state: flags, above them the number of calls under way, in its upper half how often it was opened. */
enum { OPENED = 1, CLOSING = 2, USER = 4, GENERATION_SHIFT = 32 };

#define GENERATION_MAX UINT64_C(0x7fffffff) /* so that handles are positive */
#define CALLS_MASK     UINT64_C(0xfffffffc)

/* Outcomes of a wait. */
enum { OUTCOME_READY, OUTCOME_CLOSED };

struct fd_waiter {
    struct waiter waiter;
    unsigned events, ready;
};

struct fd {
    _Alignas(64) struct lock lock; /* neighbours are used by other goroutines */
    _Atomic uint64_t state;
    _Atomic uint32_t edges;
    bool known; /* to epoll, as far as we know */
    enum fd_kind kind;
    int number;
    struct list waiters; /* struct fd_waiter.waiter.link */
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

__attribute__((noinline)) void netpoll_break(void)
{
    uint64_t one = 1;

    if (!atomic_exchange(&poller.broken, true) && write(poller.event, &one, sizeof one) < 0 &&
        errno != EAGAIN)
        fatal("cannot wake the poller: %m");
}

/* ---- records ---- */

static struct fd *page_new(int page)
{
    struct fd *fds = aligned_alloc(_Alignof(struct fd), PAGE_FDS * sizeof *fds), *none = NULL;

    if (!fds)
        return NULL;
    memset(fds, 0, PAGE_FDS * sizeof *fds);
    for (int i = 0; i < PAGE_FDS; i++) {
        fds[i].number = page * PAGE_FDS + i;
        list_init(&fds[i].waiters);
    }
    if (atomic_compare_exchange_strong(&poller.page[page], &none, fds))
        return fds;
    free(fds);
    return none;
}

/* NULL: there is none. */
static struct fd *fd_find(int fd)
{
    struct fd *page = fd >= 0 && fd < PAGES * PAGE_FDS ? atomic_load(&poller.page[fd / PAGE_FDS]) : NULL;

    return page ? page + fd % PAGE_FDS : NULL;
}

/* NULL: no memory, or the number is too large. */
static struct fd *fd_record(int fd)
{
    struct fd *f = fd_find(fd);

    if (f || fd >= PAGES * PAGE_FDS)
        return f;
    f = page_new(fd / PAGE_FDS);
    return f ? f + fd % PAGE_FDS : NULL;
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

/* Lock held. -EPERM: this kind is always ready. What epoll knows may be the other way round than we think:
 * the descriptor was closed and opened again meanwhile. */
static int fd_register(struct fd *f, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.fd = f->number};
    int saved = errno, r = epoll_ctl(poller.epoll, f->known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, f->number, &e);

    if (r < 0 && errno == (f->known ? ENOENT : EEXIST))
        r = epoll_ctl(poller.epoll, f->known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, f->number, &e);
    if (r < 0)
        r = -errno;
    else
        f->known = true;
    errno = saved; /* a wait keeps it */
    return r;
}

/* Lock held. Tells the kernel what is waited for. */
static __attribute__((noinline)) int fd_arm(struct fd *f)
{
    return fd_register(f, events_of(f) | EPOLLONESHOT);
}

unsigned netpoll_ready_of(uint32_t events)
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
        if (wait_claim(w->waiter.g, w->waiter.ticket, OUTCOME_READY))
            wake_later(wakes, w->waiter.g);
    }
}

static void fd_event(int fd, uint32_t events, struct wake_list *wakes)
{
    struct fd *f = fd_find(fd);

    lock_take(&f->lock, RANK_POLL);
    atomic_fetch_add(&f->edges, 1);
    fd_ready(f, netpoll_ready_of(events), wakes);
    if (!list_empty(&f->waiters) && !(atomic_load(&f->state) & OPENED) && fd_arm(f) < 0)
        fd_ready(f, GO_READABLE | GO_WRITABLE, wakes); /* it is gone: the next call on it will say so */
    lock_drop(&f->lock);
}

/* ---- waiting in the kernel ---- */

/* A kernel that does not know it is asked once. `limit` NULL: for ever. */
static int wait_in_ns(struct epoll_event *events, const struct timespec *limit)
{
    static atomic_bool unknown;
    int n = -1;

    errno = ENOSYS;
    if (!atomic_load_explicit(&unknown, memory_order_relaxed))
        n = (int)syscall(SYS_epoll_pwait2, poller.epoll, events, EVENTS, limit, NULL, 0);
    if (n < 0 && errno == ENOSYS)
        atomic_store_explicit(&unknown, true, memory_order_relaxed);
    return n;
}

static int epoll_sleep(struct epoll_event *events, int64_t ns)
{
    struct timespec limit = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    int64_t ms = ns < 0 ? -1 : ns / 1000000 + (ns % 1000000 != 0);
    int n;

    n = wait_in_ns(events, ns < 0 ? NULL : &limit);
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
        if (events[i].data.fd >= 0)
            fd_event(events[i].data.fd, events[i].events, &wakes);
        else if (ns != 0 && read(poller.event, &drained, sizeof drained) > 0)
            atomic_store(&poller.broken, false); /* whoever only looks leaves it to the one that sleeps */
    }
    woken = wakes.n;
    wake_all(&wakes);
    return woken;
}

/* ---- opened descriptors ---- */

int netpoll_use(go_fd handle, struct fd **out)
{
    struct fd *f = fd_find(go_fd_number(handle));
    uint64_t state = f ? atomic_load(&f->state) : 0, generation = (uint64_t)handle >> GENERATION_SHIFT;

    do {
        if (generation ? state >> GENERATION_SHIFT != generation : !(state & OPENED))
            return generation || handle < 0 ? -EBADF : 0;
        if ((state & (OPENED | CLOSING)) != OPENED)
            return -EBADF;
    } while (!atomic_compare_exchange_weak(&f->state, &state, state + USER));
    *out = f;
    return 1;
}

/* The last call under way on a closing descriptor. */
static int fd_end(struct fd *f)
{
    lock_take(&f->lock, RANK_POLL);
    if (f->known && epoll_ctl(poller.epoll, EPOLL_CTL_DEL, f->number, NULL) < 0 && errno != EBADF &&
        errno != ENOENT)
        fatal("cannot take descriptor %d from the poller: %m", f->number);
    f->known = false;
    atomic_fetch_and(&f->state, GENERATION_MAX << GENERATION_SHIFT);
    lock_drop(&f->lock);
    return close(f->number) < 0 ? -errno : 0;
}

int netpoll_done(struct fd *f)
{
    uint32_t flags = (uint32_t)atomic_fetch_sub(&f->state, USER);

    return flags == (OPENED | CLOSING | USER) ? fd_end(f) : 0;
}

enum fd_kind netpoll_kind(const struct fd *f)
{
    return f->kind;
}

int netpoll_number(const struct fd *f)
{
    return f->number;
}

uint32_t netpoll_edges(const struct fd *f)
{
    return atomic_load(&f->edges);
}

/* Registers first: what is no socket, pipe or the like must not be made non-blocking. */
static int fd_set_up(struct fd *f, enum fd_kind kind)
{
    int r = fd_register(f, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET), flags;

    if (r == -EPERM)
        kind = FD_FILE;
    else if (r < 0)
        return r;
    f->kind = kind;
    if (kind == FD_SOCKET || kind == FD_FILE)
        return 0;
    flags = fcntl(f->number, F_GETFL);
    return fcntl(f->number, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

/* Lock held. Calls on a number that its owner closed behind our back stay counted. */
static go_fd fd_open(struct fd *f)
{
    uint64_t state = atomic_load(&f->state), generation = (state >> GENERATION_SHIFT) % GENERATION_MAX + 1;

    while (!atomic_compare_exchange_weak(&f->state, &state,
                                         generation << GENERATION_SHIFT | (state & CALLS_MASK) | OPENED))
        continue;
    return (go_fd)(generation << GENERATION_SHIFT | (unsigned)f->number);
}

go_fd netpoll_add(int fd, enum fd_kind kind)
{
    struct fd *f = fd_record(fd);
    go_fd r;

    if (poller.epoll < 0)
        return -ESRCH;
    if (!f)
        return -ENOMEM;
    lock_take(&f->lock, RANK_POLL);
    r = atomic_load(&f->state) & CLOSING ? -EBADF : fd_set_up(f, kind);
    if (r == 0)
        r = fd_open(f);
    lock_drop(&f->lock);
    return r;
}

static void fd_wake_closed(struct fd *f)
{
    struct fd_waiter *w, *after;
    struct wake_list wakes;

    wake_list_init(&wakes);
    lock_take(&f->lock, RANK_POLL);
    list_each_safe (w, after, &f->waiters, waiter.link) {
        list_remove(&w->waiter.link);
        if (wait_claim(w->waiter.g, w->waiter.ticket, OUTCOME_CLOSED))
            wake_later(&wakes, w->waiter.g);
    }
    lock_drop(&f->lock);
    wake_all(&wakes);
}

/* The closer is the last to use it, unless there are others. */
static int opened_close(struct fd *f)
{
    if (atomic_fetch_or(&f->state, CLOSING) & CLOSING) {
        netpoll_done(f);
        return -EBADF;
    }
    fd_wake_closed(f);
    return netpoll_done(f);
}

int netpoll_close_fd(go_fd handle)
{
    struct fd *f;
    int r = netpoll_use(handle, &f);

    if (r < 0)
        return r;
    if (r > 0)
        return opened_close(f);
    f = fd_find(go_fd_number(handle));
    if (f)
        fd_wake_closed(f);
    return close(go_fd_number(handle)) < 0 ? -errno : 0;
}

/* ---- waiting ---- */

/* Parks; the waiter is in the list, the lock is not held. */
static int fd_park(struct g *g, struct fd *f, struct fd_waiter *w, go_until until)
{
    const char *reason = w->events == GO_WRITABLE ? "descriptor write" : "descriptor read";
    unsigned outcome;

    atomic_fetch_add(&poller.waiting, 1);
    outcome = park_until(g, reason, w->waiter.ticket, until);
    atomic_fetch_sub(&poller.waiting, 1);
    if (outcome == OUTCOME_READY)
        return 0;
    if (outcome == OUTCOME_CLOSED)
        return -EBADF;
    lock_take(&f->lock, RANK_POLL);
    list_remove(&w->waiter.link);
    lock_drop(&f->lock);
    return wait_failed(g, outcome, until.ctx);
}

static void fd_queue(struct g *g, struct fd *f, struct fd_waiter *w)
{
    w->waiter.g = g;
    w->waiter.ticket = wait_open(g, 0);
    list_append(&f->waiters, &w->waiter.link);
}

int netpoll_wait_edge(struct fd *f, unsigned events, uint32_t edges, go_until until)
{
    struct fd_waiter w = {.events = events};
    struct g *g = g_self();
    bool closing, happened;

    lock_take(&f->lock, RANK_POLL);
    closing = atomic_load(&f->state) & CLOSING;
    happened = atomic_load(&f->edges) != edges;
    if (!closing && !happened)
        fd_queue(g, f, &w);
    lock_drop(&f->lock);
    return closing ? -EBADF : happened ? 0 : fd_park(g, f, &w, until);
}

int netpoll_wait_once(int fd, unsigned events, go_until until)
{
    struct fd_waiter w = {.events = events};
    struct fd *f = fd_record(fd);
    struct g *g = g_self();
    int r;

    if (!f)
        return -ENOMEM;
    lock_take(&f->lock, RANK_POLL);
    fd_queue(g, f, &w);
    r = fd_arm(f);
    if (r < 0)
        list_remove(&w.waiter.link);
    lock_drop(&f->lock);
    if (r < 0) {
        if (!wait_claim(g, w.waiter.ticket, OUTCOME_READY))
            park(g, "descriptor"); /* the scope ended first: its wake is due */
        return r == -EPERM ? (int)events : r;
    }
    r = fd_park(g, f, &w, until);
    return r ? r : (int)w.ready;
}
