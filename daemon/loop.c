/*
 * The hub's loop: sleep, be told, take frames, tick, carry out.
 *
 * It sleeps only when no transport holds a frame back (transport.h: `waiting`), after it has looked on for a moment
 * (linger.h), and never longer than to the earliest of: the core's next wake-up, the drain's deadline, the watchdog, a retry of pending frames.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "access.h"
#include "config.h"
#include "hub.h"
#include "hub_open.h"
#include "lifeline.h"
#include "log.h"
#include "notify.h"
#include "reload.h"
#include "supervisor.h"
#include "writer.h"

enum {
    RECEIVE_AT_ONCE = 32, /* frames between two looks at the clock */
    RETRY_MS = 5,         /* of pending frames, should no event tell of room */
    IMPATIENCE_S = 5,     /* for an orderly end after the second signal */
};

static int64_t real_ns(void)
{
    static const struct clock real = {0};

    return clock_now(&real).mono_ns;
}

/* ---- one turn ---- */

/* Another one is first in the next turn: none can take every turn for itself. */
static void rotate(struct list *transports)
{
    struct list *first = transports->next;

    list_remove(first);
    list_append(transports, first);
}

static void receive(struct hub *hub)
{
    struct transport *transport;
    int64_t until_ns = real_ns() + TURN_NS;
    int left = TURN_FRAMES, n;

    rotate(&hub->transports);
    list_each (transport, &hub->transports, link) {
        do {
            n = transport->ops->receive(transport, left < RECEIVE_AT_ONCE ? left : RECEIVE_AT_ONCE);
            left -= n;
        } while (n == RECEIVE_AT_ONCE && left > 0 && real_ns() < until_ns);
    }
}

static void resend(struct hub *hub)
{
    struct transport *transport;
    bool pending = false;

    if (!hub->pending)
        return;
    list_each (transport, &hub->transports, link)
        pending = transport->ops->resend(transport) || pending;
    hub->pending = pending;
}

/* Sanitizer builds look at every invariant of the core, too slow for others. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECK_CORE
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(CHECK_CORE)
static void check_core(struct hub *hub)
{
    core_check(hub->core);
}
#else
static void check_core(struct hub *hub)
{
}
#endif

static void turn(struct hub *hub)
{
    receive(hub);
    resend(hub);
    if (clock_now(&hub->clock).mono_ns >= hub->effects.wake_ns)
        hub_step(hub, &(struct input){.kind = IN_TICK});
    hub_carry_out(hub);
    check_core(hub);
    if (hub->lifelines)
        lifelines_greet(hub);
    hub->stats.turns++;
}

/* ---- draining ---- */

void hub_stop(struct hub *hub)
{
    if (hub->state != HUB_RUNNING) {
        log_warn("event=stop reason=\"asked twice\"");
        alarm(IMPATIENCE_S);
        hub->state = HUB_STOPPING;
        return;
    }
    hub->state = HUB_DRAINING;
    hub->drain_until_ns = real_ns() + (int64_t)hub->config->limits.drain_ms * 1000000;
    log_info("event=drain limit_ms=%llu", (unsigned long long)hub->config->limits.drain_ms);
    notify("STOPPING=1\nSTATUS=draining: running jobs may end");
    hub_step(hub, &(struct input){.kind = IN_DRAIN});
    hub_carry_out(hub);
}

static void look_at_drain(struct hub *hub)
{
    if (hub->state == HUB_DRAINING && real_ns() >= hub->drain_until_ns) {
        log_warn("event=drain_over reason=\"jobs still run; they go on after the next start\"");
        hub->state = HUB_STOPPING;
    }
    if (hub->state == HUB_DRAINED)
        hub->state = HUB_STOPPING;
}

/* ---- signals ---- */

void hub_log_stats(struct hub *hub)
{
    const struct hub_stats *s = &hub->stats;
    struct writer_stats w = writer_stats(hub->writer);

    log_info("event=stats turns=%llu frames=%llu operations=%llu results=%llu refused_frames=%llu "
             "dropped_frames=%llu sessions=%u connections=%u store_groups=%llu store_batches=%llu "
             "store_refused=%llu store_full=%d",
             (unsigned long long)s->turns, (unsigned long long)s->frames, (unsigned long long)s->operations,
             (unsigned long long)s->results, (unsigned long long)s->refused_frames,
             (unsigned long long)s->dropped_frames, HASH_CNT(by_number, hub->peers_by_number),
             HASH_COUNT(hub->conns), (unsigned long long)w.groups, (unsigned long long)w.batches,
             (unsigned long long)w.refused, w.full);
}

static void take_signal(struct hub *hub, int number)
{
    log_info("event=signal number=%d", number);
    if (number == SIGTERM || number == SIGINT)
        hub_stop(hub);
    else if (number == SIGHUP) {
        reload_check();
        access_reload(hub);
    } else if (number == SIGUSR1)
        hub_log_stats(hub);
}

static void signals_ready(struct source *source, uint32_t events)
{
    struct hub *hub = container_of(source, struct hub, signals);
    struct signalfd_siginfo info;

    while (read(source->fd, &info, sizeof(info)) == sizeof(info))
        take_signal(hub, (int)info.ssi_signo);
}

int hub_watch_signals(struct hub *hub, const sigset_t *signals)
{
    int fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);

    if (fd < 0)
        return -errno;
    int r = poller_add(&hub->poller, &hub->signals, fd, EPOLLIN, signals_ready);
    if (r < 0)
        close(fd);
    return r;
}

/* ---- the loop ---- */

static int earlier_ms(int a, int b)
{
    if (a < 0)
        return b;
    return b < 0 || a < b ? a : b;
}

static int real_timeout_ms(int64_t at_ns)
{
    static const struct clock real = {0};

    return clock_timeout_ms(&real, at_ns);
}

static bool busy(struct hub *hub)
{
    struct transport *transport;

    list_each (transport, &hub->transports, link)
        if (transport->ops->waiting(transport))
            return true;
    return false;
}

static int timeout_ms(struct hub *hub, int64_t watchdog_ns)
{
    int timeout;

    if (busy(hub))
        return 0;
    timeout = clock_timeout_ms(&hub->clock, hub->effects.wake_ns);
    if (hub->pending)
        timeout = earlier_ms(timeout, RETRY_MS);
    if (hub->state == HUB_DRAINING)
        timeout = earlier_ms(timeout, real_timeout_ms(hub->drain_until_ns));
    return earlier_ms(timeout, real_timeout_ms(watchdog_ns));
}

/* The watchdog is fed here and nowhere else: it watches this loop. */
static int64_t feed_watchdog(int64_t next_ns, int64_t every_ns)
{
    if (!every_ns || real_ns() < next_ns)
        return next_ns;
    notify("WATCHDOG=1");
    return real_ns() + every_ns;
}

/* As poller_wait. What the disk takes is long for looking on, and tells nothing of the next wait. */
static int wait_for_events(struct hub *hub, int timeout)
{
    int r = 0;

    if (!timeout || writer_syncs(hub->writer))
        return poller_wait(&hub->poller, timeout);
    int64_t begin_ns = real_ns(), until_ns = begin_ns + linger_ns(&hub->linger);
    while (!r && real_ns() < until_ns)
        r = poller_wait(&hub->poller, 0);
    if (!r)
        r = poller_wait(&hub->poller, timeout);
    linger_waited(&hub->linger, real_ns() - begin_ns);
    return r;
}

int hub_run(struct hub *hub)
{
    int64_t every_ns = notify_watchdog_ns(), watchdog_ns = every_ns ? 0 : INT64_MAX;
    int r = 0;

    while (hub->state != HUB_STOPPING && r >= 0) {
        watchdog_ns = feed_watchdog(watchdog_ns, every_ns);
        r = wait_for_events(hub, timeout_ms(hub, watchdog_ns));
        turn(hub);
        look_at_drain(hub);
    }
    if (r < 0)
        log_error("event=epoll_failed error=%d", -r);
    return r < 0 ? r : 0;
}
