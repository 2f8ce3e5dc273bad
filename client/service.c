#include "service.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

#include "call.h"
#include "start.h"

/* Sleeps, with the lock given up, until `until_ns` or until somebody signals. */
static void service_sleep(struct gc_client *g, int64_t until_ns)
{
    struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};
    g->service_until_ns = until_ns;
    if (until_ns == PROTOCOL_NEVER)
        pthread_cond_wait(&g->service, &g->lock);
    else
        pthread_cond_timedwait(&g->service, &g->lock, &until);
    g->service_until_ns = 0;
}

/* Tells a host once that its session is over, after all that came before. */
static void tell_loss(struct gc_client *g)
{
    client_lock(g);
    int error = g->single && !g->stopping ? g->lost_error : 0;
    bool tell = error && !g->lost_told && g->host.lost;
    g->lost_told |= tell;
    client_unlock(g);
    if (tell)
        g->host.lost(error, g->host.arg);
}

/* No public call has begun since it looked last. */
static bool is_quiet(struct gc_client *g)
{
    bool quiet = g->entries == g->entries_seen;
    g->entries_seen = g->entries;
    return quiet;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Started operations are listened for at once, the ends of contexts when for a while nobody has called, who would have
 * read of them himself: each call would otherwise find it listening, and have it woken beside himself. While there are calls,
 * each leaves something to be done in a while: it looks in time for that, and no caller has to wake it. */
static void service_wait(struct gc_client *g, int64_t next_ns)
{
    bool quiet = is_quiet(g);
    if (!g->led && (!list_empty(&g->starts) || (g->watches && quiet)))
        client_listen(g, next_ns);
    else if (quiet)
        service_sleep(g, next_ns);
    else
        service_sleep(g, earlier(next_ns, now_ns() + (g->watches ? CLIENT_QUIET_NS : PROTOCOL_ACK_DELAY_NS)));
}

static void *service_run(void *arg)
{
    struct gc_client *g = arg;
    client_lock(g);
    while (!g->stopping) {
        if (!g->service_leads) /* it slept, and saw no descriptor */
            client_stir(g, g->transport_fd);
        int64_t next = g->led ? PROTOCOL_NEVER : client_pump(g);
        if (!list_empty(&g->deliveries) || !list_empty(&g->ends) || !list_empty(&g->funcs_due) ||
            (g->lost_error && !g->lost_told && g->host.lost)) {
            client_unlock(g);
            calls_deliver(g);
            starts_tell(g);
            tell_loss(g);
            client_lock(g);
        } else if (g->service_leads) {
            client_lead(g, next);
        } else if (!list_empty(&g->wakes)) {
            client_unlock(g);
            client_lock(g);
        } else {
            service_wait(g, next);
        }
    }
    client_unlock(g);
    return NULL;
}

int service_start(struct gc_client *g)
{
    sigset_t all, old;
    g->listen_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (g->listen_fd < 0)
        return -errno;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    client_lock(g);
    int r = pthread_create(&g->thread, NULL, service_run, g);
    g->has_thread = r == 0;
    client_unlock(g);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -r;
}

void service_stop(struct gc_client *g)
{
    client_lock(g);
    g->stopping = true;
    g->kick = true;
    pthread_cond_signal(&g->service);
    bool has_thread = g->has_thread;
    g->has_thread = false;
    client_unlock(g);
    if (has_thread)
        pthread_join(g->thread, NULL);
}
