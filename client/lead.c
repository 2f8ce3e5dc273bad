/*
 * Who moves the client: one leader at a time waits for the descriptors, all others wait for him. While nobody calls, the
 * service thread may listen for what comes unasked: it takes only what no leader is there to take, so that a caller leads
 * himself and need not be woken by it.
 *
 * Invariants. While somebody waits and may lead, there is a leader, or one waiter has been woken to become it.
 * A call is made ready exactly once for each time it parks: `parked` is cleared under the lock by whoever puts
 * it on `wakes`.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "call.h"
#include "lead.h"
#include "start.h"

enum { WAKES_AT_ONCE = 64, EVENTS_AT_ONCE = 4 };

void client_lock(struct gc_client *g)
{
    pthread_mutex_lock(&g->lock);
}

static size_t take_wakes(struct gc_client *g, struct gc_wait *waits)
{
    size_t n = 0;
    struct call *call;
    while (n < WAKES_AT_ONCE && (call = list_first(&g->wakes, struct call, wake))) {
        list_remove(&call->wake);
        waits[n++] = call->wait;
    }
    return n;
}

void client_unlock(struct gc_client *g)
{
    struct gc_wait waits[WAKES_AT_ONCE];
    const struct gc_waiting *waiting = g->waiting;
    size_t n;
    bool more;
    do {
        n = take_wakes(g, waits);
        more = !list_empty(&g->wakes);
        int kick = g->kick && g->led ? g->event_fd : -1, nudge = g->kick && g->listens ? g->listen_fd : -1;
        g->kick = false;
        pthread_mutex_unlock(&g->lock);
        for (size_t i = 0; i < n; i++)
            waiting->ready(waits[i]);
        if (kick >= 0)
            eventfd_write(kick, 1);
        if (nudge >= 0)
            eventfd_write(nudge, 1);
        if (more)
            pthread_mutex_lock(&g->lock);
    } while (more);
}

void client_enter(struct gc_client *g)
{
    client_lock(g);
    g->calls++;
    g->entries++;
}

/* The client may be gone with the last of its calls: that one must not touch it after its own unlock. */
void client_leave(struct gc_client *g)
{
    const struct gc_waiting *waiting = g->waiting;
    starts_show(g);
    client_unlock(g);
    client_lock(g);
    bool last = --g->calls == 0 && g->closing;
    struct gc_wait closer = g->closer;
    pthread_mutex_unlock(&g->lock);
    if (last)
        waiting->ready(closer);
}

void call_wake(struct gc_client *g, struct call *call)
{
    if (call->leading)
        g->kick = true;
    if (!call->parked)
        return;
    call->parked = false;
    list_append(&g->wakes, &call->wake);
}

/* epoll's unit, rounded up: a wait never ends before its time. */
static int milliseconds_until(int64_t until_ns)
{
    if (until_ns == PROTOCOL_NEVER)
        return -1;
    int64_t ms = (until_ns - now_ns() + 999999) / 1000000;
    return ms < 0 ? 0 : ms > 3600000 ? 3600000 : (int)ms;
}

static void take_events(struct gc_client *g, const struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        eventfd_t count;
        if (events[i].data.fd == g->event_fd)
            (void)!eventfd_read(g->event_fd, &count);
        else
            client_stir(g, events[i].data.fd);
    }
    calls_cancel_done(g);
}

int client_lead(struct gc_client *g, int64_t until_ns)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int epoll_fd = g->epoll_fd;
    g->led = true;
    g->leader_until_ns = until_ns;
    client_unlock(g);
    int n = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, milliseconds_until(until_ns));
    client_lock(g);
    g->led = false;
    take_events(g, events, n);
    return n;
}

void client_listen(struct gc_client *g, int64_t until_ns)
{
    struct pollfd ready[] = {{.fd = g->epoll_fd, .events = POLLIN}, {.fd = g->listen_fd, .events = POLLIN}};
    struct epoll_event events[EVENTS_AT_ONCE];
    eventfd_t count;
    g->listens = true;
    g->listen_until_ns = until_ns;
    client_unlock(g);
    poll(ready, 2, milliseconds_until(until_ns));
    client_lock(g);
    g->listens = false;
    (void)!eventfd_read(g->listen_fd, &count);
    if (!g->led)
        take_events(g, events, epoll_wait(g->epoll_fd, events, EVENTS_AT_ONCE, 0));
}

/* One waiter that can lead, woken to do so. */
static bool wake_a_leader(struct gc_client *g)
{
    struct call *call;
    list_each (call, &g->waiters, waiter) {
        if (!call->done && !call->parked)
            return true; /* it is on its way */
        if (call->parked) {
            call_wake(g, call);
            return true;
        }
    }
    return false;
}

void client_pass_on(struct gc_client *g)
{
    if (g->led)
        return;
    if (g->waiting->leads && wake_a_leader(g))
        return;
    int64_t now = now_ns(), next = client_retry(g, protocol_tick(g->protocol, now));
    g->kick |= g->listens && next < g->listen_until_ns;
    if (g->watches && next > now + CLIENT_QUIET_NS)
        next = now + CLIENT_QUIET_NS;
    if (g->has_thread && (next < g->service_until_ns || !list_empty(&g->starts)))
        pthread_cond_signal(&g->service);
}
