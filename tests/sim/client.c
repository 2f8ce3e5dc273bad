/*
 * Processes of clients and hosts: their lives, lifelines and connections. What they do is in work.c (clients)
 * and plugins.c (hosts). A slot of sim->clients is one process at a time; `life` tells them apart.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "schedules.h"
#include "workers.h"

static const struct protocol_identity identity = {
    .program = {"sim", 3}, .boot_id = {"boot", 4}, .time_namespace = 1};

void client_start(struct sim *sim, uint32_t who, int64_t in_ns)
{
    struct client *client = &sim->clients[who];
    struct protocol_user user = task_user;
    uint64_t life = client->life + 1, next_task = client->next_task;

    *client = (struct client){.sim = sim, .who = who, .life = life, .alive = true, .next_task = next_task};
    list_init(&client->tasks);
    list_init(&client->runs);
    user.context = client;
    client->tick_ns = INT64_MAX;
    client->protocol = protocol_new(&user, &identity);
    if (!client->protocol)
        abort();
    schedule(sim, in_ns, (struct event){.kind = EVENT_LIFELINE, .who = who, .a = life});
    if (who < CLIENTS)
        schedule(sim, in_ns + between(sim, 0, 2 * MS),
                 (struct event){.kind = EVENT_ACT, .who = who, .a = life});
}

static struct client *alive(struct sim *sim, const struct event *event)
{
    struct client *client = &sim->clients[event->who];

    return client->alive && client->life == event->a ? client : NULL;
}

/* As one from another machine: its end is noticed by the silence alone. */
static bool is_leased(const struct client *client)
{
    return client->sim->leased && client->who == CLIENTS - 1;
}

/* The daemon's side of a lifeline: it draws the session, the client learns it a little later. */
void event_lifeline(struct sim *sim, struct event *event)
{
    struct client *client = alive(sim, event);
    struct input in = {.kind = IN_SESSION_UP, .peer = sim->peers + 1};

    if (!client)
        return;
    if (!sim->daemon.up) {
        schedule(sim, between(sim, 1 * MS, 10 * MS), *event);
        return;
    }
    sim->peers++;
    for (int i = 0; i < SECRET_BYTES; i++)
        in.session_up.secret.byte[i] = (uint8_t)roll(sim);
    in.session_up.who = user_of(sim, client->who);
    in.session_up.host = client->host;
    in.session_up.lease = is_leased(client);
    client->peer = in.peer;
    client->session = session_new(sim, client->who, in.peer, in.session_up.secret);
    memset(client->handle, 0, sizeof(client->handle));
    memset(client->loose, 0, sizeof(client->loose));
    daemon_input(sim, &in);
    schedule(sim, between(sim, 20 * US, 1 * MS),
             (struct event){.kind = EVENT_GREETING, .who = client->who, .a = client->life, .b = in.peer});
}

void event_greeting(struct sim *sim, struct event *event)
{
    struct client *client = alive(sim, event);

    if (!client || client->peer != event->b)
        return;
    protocol_session(client->protocol, sim->sessions[client->session].secret);
    client->greeted = true;
    event_connect(sim, event);
    if (client->host)
        host_connected(client);
    client_pump(client);
}

void event_connect(struct sim *sim, struct event *event)
{
    struct client *client = alive(sim, event);

    if (!client || client->conn || client->protocol->state == PROTOCOL_VOID)
        return;
    client->conn = conn_open(sim, client->who);
    protocol_connected(client->protocol, sim->now_ns);
    client_pump(client);
}

/* The client closes its lifeline, whether or not the daemon has. */
static void give_up_lifeline(struct client *client)
{
    struct sim *sim = client->sim;

    schedule(
        sim, between(sim, 0, 2 * MS),
        (struct event){.kind = EVENT_FAREWELL, .who = client->who, .a = client->life, .b = client->peer});
    schedule(sim, between(sim, 2 * MS, 5 * MS),
             (struct event){.kind = EVENT_PEER_END, .a = client->peer, .b = sim->daemon.incarnation});
}

/* HELLO or RESUME was refused: the session is over. */
static void session_refused(struct client *client)
{
    if (client->peer && !client->host)
        give_up_lifeline(client);
    if (client->session)
        judge_gone(client);
    client->session = 0;
    client->greeted = false;
    memset(client->handle, 0, sizeof(client->handle));
    memset(client->loose, 0, sizeof(client->loose));
}

/* Lets time and everything that is ready take its course. After every call into the protocol. */
void client_pump(struct client *client)
{
    struct sim *sim = client->sim;
    const struct client_frame *frame;
    int64_t next = protocol_tick(client->protocol, sim->now_ns);

    while ((frame = protocol_output(client->protocol, sim->now_ns))) {
        if (client->conn)
            net_to_daemon(sim, client->conn, frame);
        next = 0;
    }
    if (next == 0)
        next = protocol_tick(client->protocol, sim->now_ns);
    protocol_check(client->protocol);
    if (client->greeted && client->protocol->state == PROTOCOL_VOID)
        session_refused(client);
    if (next == PROTOCOL_NEVER || next == client->tick_ns)
        return;
    client->tick_ns = next;
    schedule(sim, next > sim->now_ns ? next - sim->now_ns : 0,
             (struct event){
                 .kind = EVENT_CLIENT_TICK, .who = client->who, .a = client->life, .b = (uint64_t)next});
}

void event_client_tick(struct sim *sim, struct event *event)
{
    struct client *client = alive(sim, event);

    if (!client || (int64_t)event->b != client->tick_ns)
        return;
    if (sim->working && !client->host && asleep(sim)) {
        schedule(sim, until_dawn(sim), *event);
        return;
    }
    client->tick_ns = INT64_MAX;
    client_pump(client);
}

/* `silent`: the transport connects again by itself and tells nobody (IP9). */
void client_cut(struct client *client, bool silent)
{
    struct sim *sim = client->sim;

    if (!client->conn)
        return;
    sim->faults[silent ? FAULT_SILENT_CUT : FAULT_CUT]++;
    sim->faults[silent ? FAULT_LOCK_SILENT_CUT : FAULT_LOCK_CUT] += client_has(client, task_of_lock_is_open);
    conn_cut(sim, client->conn, chance(sim, 1, 2));
    client->conn = silent ? conn_open(sim, client->who) : 0;
    if (silent)
        return;
    protocol_disconnected(client->protocol);
    client_pump(client);
    schedule(sim, between(sim, 100 * US, 20 * MS),
             (struct event){.kind = EVENT_CONNECT, .who = client->who, .a = client->life});
}

static void session_gone(struct client *client)
{
    if (client->session)
        judge_gone(client);
    conn_cut(client->sim, client->conn, chance(client->sim, 1, 2));
    client->conn = client->peer = 0;
}

/* kill -9. The kernel tells the daemon a little later. */
void client_kill(struct client *client)
{
    struct sim *sim = client->sim;
    struct task *task, *after;

    sim_note(sim, "client %u dies", client->who);
    if (client->peer && !(is_leased(client) && chance(sim, 1, 2)))
        schedule(sim, between(sim, 0, 5 * MS),
                 (struct event){.kind = EVENT_PEER_END, .a = client->peer, .b = sim->daemon.incarnation});
    session_gone(client);
    judge_killed(client);
    client->alive = false;
    list_each_safe (task, after, &client->tasks, link)
        if ((task->op.request.verb == VERB_NONE || task->op.local) &&
            !task->surfaced) /* known to nobody else */
            protocol_abandon(client->protocol, &task->op, sim->now_ns);
    client->protocol = protocol_delete(client->protocol);
    client->session = 0;
    hosts_forget(client);
    if (client->who < CLIENTS && sim->working)
        client_start(sim, client->who, between(sim, 1 * MS, 30 * MS));
}

/* BYE; what it has not acknowledged by then goes back. */
void client_leave(struct client *client)
{
    sim_note(client->sim, "client %u says bye", client->who);
    client->sim->faults[FAULT_BYE_LOCK_HELD] += locks_held(client->sim, client);
    client->leaving = true;
    protocol_bye(client->protocol);
    client_pump(client);
}

/* The session has ended, by the daemon or with it. A process that lives opens the next one. */
void event_farewell(struct sim *sim, struct event *event)
{
    struct client *client = alive(sim, event);

    if (!client || client->peer != event->b)
        return;
    if (client->leaving || client->host) {
        sim->faults[FAULT_BYE] += client->leaving;
        client->peer = 0; /* it knows already */
        client_kill(client);
        return;
    }
    const struct sim_session *session = &sim->sessions[client->session];
    bool restarted = client->session && session->incarnation != sim->daemon.incarnation;
    session_gone(client);
    protocol_session_end(client->protocol, restarted || !sim->daemon.up ? -ENETRESET : -ECONNRESET);
    client->session = 0;
    client->greeted = false;
    client_pump(client);
    schedule(sim, between(sim, 0, 5 * MS),
             (struct event){.kind = EVENT_LIFELINE, .who = client->who, .a = client->life});
}
