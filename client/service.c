#include "service.h"

#include <errno.h>
#include <signal.h>
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
        } else if (g->service_leads || (!g->led && (g->watches || !list_empty(&g->starts)))) {
            client_lead(g, next);
        } else if (!list_empty(&g->wakes)) {
            client_unlock(g);
            client_lock(g);
        } else {
            service_sleep(g, next);
        }
    }
    client_unlock(g);
    return NULL;
}

int service_start(struct gc_client *g)
{
    sigset_t all, old;
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
