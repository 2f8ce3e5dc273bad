/* The clock: a heap of events, each run at its time, equal times in the order of scheduling. */
#include <stdlib.h>
#include <string.h>

#include "plugins.h"

static void event_nothing(struct sim *sim, struct event *event)
{
    (void)sim;
    (void)event;
}

typedef void handler(struct sim *sim, struct event *event);

static handler *const handlers[EVENT_KINDS] = {
    [EVENT_TO_DAEMON] = event_to_daemon,
    [EVENT_TO_CLIENT] = event_to_client,
    [EVENT_CONN_LOST] = event_conn_lost,
    [EVENT_GREETING] = event_greeting,
    [EVENT_CONNECT] = event_connect,
    [EVENT_LIFELINE] = event_lifeline,
    [EVENT_PEER_END] = event_peer_end,
    [EVENT_FAREWELL] = event_farewell,
    [EVENT_ACT] = event_act,
    [EVENT_CLIENT_TICK] = event_client_tick,
    [EVENT_CORE_TICK] = event_core_tick,
    [EVENT_COMMIT] = event_commit,
    [EVENT_FETCHED] = event_fetched,
    [EVENT_PLUGIN] = event_plugin,
    [EVENT_ZONE] = event_zone,
    [EVENT_HOST_UP] = event_host_up,
    [EVENT_HOST_END] = event_host_end,
    [EVENT_HOST_KILL] = event_host_kill,
    [EVENT_FAULT] = event_fault,
    [EVENT_DAEMON_START] = event_daemon_start,
    [EVENT_RUN] = event_run,
    [EVENT_NOTHING] = event_nothing,
};

static const char *const names[EVENT_KINDS] = {
    "frame to daemon",
    "frame to client",
    "connection lost",
    "greeting",
    "connect",
    "lifeline",
    "peer end",
    "farewell",
    "act",
    "client tick",
    "core tick",
    "commit",
    "fetched",
    "plugin",
    "zone",
    "host up",
    "host kill",
    "host end",
    "fault",
    "daemon start",
    "run",
    "time",
};

static bool earlier(const struct event *a, const struct event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void swap(struct event *a, struct event *b)
{
    struct event keep = *a;

    *a = *b;
    *b = keep;
}

void schedule(struct sim *sim, int64_t in_ns, struct event event)
{
    size_t i = sim->heap_n++;

    if (sim->heap_n > sim->heap_size) {
        sim->heap_size = sim->heap_size ? 2 * sim->heap_size : 256;
        sim->heap = realloc(sim->heap, sizeof(*sim->heap) * sim->heap_size);
        if (!sim->heap)
            abort();
    }
    event.at_ns = sim->now_ns + in_ns;
    event.order = ++sim->order;
    sim->heap[i] = event;
    for (; i > 0 && earlier(&sim->heap[i], &sim->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&sim->heap[i], &sim->heap[(i - 1) / 2]);
}

static struct event pop(struct sim *sim)
{
    struct event first = sim->heap[0];
    size_t i = 0;

    sim->heap[0] = sim->heap[--sim->heap_n];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < sim->heap_n && earlier(&sim->heap[child + 1], &sim->heap[child]))
            child++;
        if (child >= sim->heap_n || !earlier(&sim->heap[child], &sim->heap[i]))
            return first;
        swap(&sim->heap[child], &sim->heap[i]);
        i = child;
    }
}

bool sim_step(struct sim *sim)
{
    if (sim->heap_n == 0)
        return false;
    struct event event = pop(sim);
    uint64_t what[] = {(uint64_t)event.at_ns, event.kind, event.who, event.a, event.b};
    sim->now_ns = event.at_ns;
    sim->steps++;
    sim_mix(sim, what, sizeof(what));
    sim_note(sim, "%s who=%u a=%llu b=%llu", names[event.kind], event.who, (unsigned long long)event.a,
             (unsigned long long)event.b);
    handlers[event.kind](sim, &event);
    free(event.data);
    return true;
}

void events_clear(struct sim *sim)
{
    for (size_t i = 0; i < sim->heap_n; i++)
        free(sim->heap[i].data);
    free(sim->heap);
    sim->heap = NULL;
    sim->heap_n = sim->heap_size = 0;
}
