/*
 * The shell around the core: frames and store reports go in, effects are carried out. It does what the hub
 * thread does, and looks at every result on its way (judge.c).
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum { RESULTS_MAX = 512, UID = 1000 };

/* Every block of the core, counted: after core_delete none may be left. */
static void *resize(void *context, void *p, size_t size)
{
    struct sim_memory *memory = context;
    size_t *block = p ? (size_t *)p - 2 : NULL;

    if (block) {
        memory->blocks--;
        memory->bytes -= *block;
    }
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof(size_t));
    if (!block)
        abort();
    *block = size;
    memory->blocks++;
    memory->bytes += size;
    return block + 2;
}

static struct now daemon_now(const struct sim *sim)
{
    return (struct now){.mono_ns = sim->now_ns, .wall_ns = 1700000000 * S + sim->now_ns};
}

static struct limits daemon_limits(void)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.window_ops = 16;
    limits.queue_concurrency = 6;
    limits.host_window = 3;
    limits.sweep_per_turn = 3;
    return limits;
}

void daemon_start(struct sim *sim)
{
    struct limits limits = daemon_limits();
    struct allocator allocator = {.resize = resize, .context = &sim->memory};

    sim->daemon.core = core_new(&limits, &allocator, 1, ++sim->daemon.incarnation, roll(sim));
    if (!sim->daemon.core)
        abort();
    judge_locks_start(sim);
    effects_init(&sim->daemon.effects);
    sim->daemon.up = true;
    sim->daemon.tick_ns = INT64_MAX;
    storage_load(sim);
    daemon_input(sim, &(struct input){.kind = IN_TICK});
}

void daemon_stop(struct sim *sim)
{
    if (!sim->daemon.up)
        return;
    sim->daemon.up = false;
    storage_take(sim, &sim->daemon.effects.batches);
    effects_clear(sim->daemon.core, &sim->daemon.effects);
    storage_crash(sim);
    sim->daemon.core = core_delete(sim->daemon.core);
    if (sim->memory.blocks)
        sim_fail(sim, "%llu blocks, %llu bytes are left after core_delete",
                 (unsigned long long)sim->memory.blocks, (unsigned long long)sim->memory.bytes);
}

/* kill -9: what was not stored is gone, every connection and host with it. */
void daemon_crash(struct sim *sim)
{
    sim->faults[FAULT_RESTART_LOCK_HELD] += locks_held(sim, NULL);
    for (uint32_t who = 0; who < ACTORS; who++)
        sim->faults[FAULT_RESTART_LOCK_WAITS] += client_has(&sim->clients[who], task_waits_for_lock);
    daemon_stop(sim);
    for (uint64_t i = 1; i <= sim->conns_n; i++)
        sim->conns[i].open = false;
    for (uint32_t who = 0; who < ACTORS; who++) {
        struct client *client = &sim->clients[who];
        if (!client->alive)
            continue;
        if (client->host)
            client_kill(client);
        else if (client->peer)
            schedule(
                sim, between(sim, 0, 5 * MS),
                (struct event){.kind = EVENT_FAREWELL, .who = who, .a = client->life, .b = client->peer});
    }
    schedule(sim, between(sim, 1 * MS, 30 * MS), (struct event){.kind = EVENT_DAEMON_START});
}

void event_daemon_start(struct sim *sim, struct event *event)
{
    (void)event;
    daemon_start(sim);
}

/* ---- effects ---- */

/* A frame being put together for one connection. */
struct outgoing {
    uint64_t conn;
    struct server_frame frame;
    struct result results[RESULTS_MAX];
};

static void out_send(struct sim *sim, struct outgoing *out)
{
    if (out->conn == 0)
        return;
    struct conn *conn = &sim->conns[out->conn];
    if (out->frame.welcome)
        conn->out_number = 0;
    out->frame.number = ++conn->out_number;
    out->frame.results = out->results;
    net_to_client(sim, out->conn, &out->frame);
    out->conn = 0;
}

static void out_begin(struct sim *sim, struct outgoing *out, uint64_t conn)
{
    if (out->conn == conn && out->frame.results_n < RESULTS_MAX)
        return;
    out_send(sim, out);
    out->conn = conn;
    out->frame = (struct server_frame){0};
}

static void out_reply(struct sim *sim, struct outgoing *out, const struct effect *effect)
{
    out_send(sim, out);
    out_begin(sim, out, effect->conn);
    out->frame = *effect->reply;
    out->frame.results_n = 0;
    if (effect->reply->need_resume || effect->reply->refused)
        out_send(sim, out);
}

static void peer_ended(struct sim *sim, uint64_t peer)
{
    for (size_t i = 1; i <= sim->sessions_n; i++)
        sim->sessions[i].over |= sim->sessions[i].peer == peer;
    for (uint32_t who = 0; who < ACTORS; who++) {
        struct client *client = &sim->clients[who];
        if (client->alive && client->peer == peer)
            schedule(sim, between(sim, 0, 2 * MS),
                     (struct event){.kind = EVENT_FAREWELL, .who = who, .a = client->life, .b = peer});
    }
}

static void carry_out(struct sim *sim, const struct effect *effect, struct outgoing *out)
{
    switch (effect->kind) {
    case EFFECT_RESULT:
        judge_reply(sim, effect->conn, effect->result);
        out_begin(sim, out, effect->conn);
        out->results[out->frame.results_n++] = *effect->result;
        break;
    case EFFECT_REPLY:
        out_reply(sim, out, effect);
        break;
    case EFFECT_SESSION_END:
        peer_ended(sim, effect->session_end.peer);
        break;
    case EFFECT_FETCH:
        storage_fetch(sim, effect->fetch.number, &effect->fetch.what);
        break;
    case EFFECT_PLUGIN:
        plugin_look(sim, effect->plugin.path);
        break;
    case EFFECT_HOST_START:
        host_start(sim, effect->host_start.host, effect->host_start.generation);
        break;
    case EFFECT_HOST_KILL:
        host_kill(sim, effect->host_kill.host, effect->host_kill.signal);
        break;
    case EFFECT_DRAINED:
        sim->daemon.drained = true;
        break;
    case EFFECT_LOG:
        sim_note(sim, "log: %.*s", (int)effect->log.text.size, (const char *)effect->log.text.data);
        break;
    case EFFECT_CLOCK:
        break;
    }
}

static void tick_later(struct sim *sim)
{
    int64_t wake = sim->daemon.effects.wake_ns;

    if (wake == INT64_MAX || wake == sim->daemon.tick_ns)
        return;
    sim->daemon.tick_ns = wake;
    schedule(sim, wake > sim->now_ns ? wake - sim->now_ns : 0,
             (struct event){.kind = EVENT_CORE_TICK, .a = sim->daemon.incarnation, .b = (uint64_t)wake});
}

static void daemon_effects(struct sim *sim)
{
    struct effects *effects = &sim->daemon.effects;
    static struct outgoing out;
    const struct effect *effect;

    storage_take(sim, &effects->batches);
    out.conn = 0;
    list_each (effect, &effects->list, link)
        carry_out(sim, effect, &out);
    out_send(sim, &out);
    effects_clear(sim->daemon.core, effects);
    tick_later(sim);
}

/* ---- inputs ---- */

static void step(struct sim *sim, const struct input *in)
{
    core_step(sim->daemon.core, daemon_now(sim), in, &sim->daemon.effects);
    core_check(sim->daemon.core);
}

void daemon_input(struct sim *sim, const struct input *in)
{
    if (!sim->daemon.up)
        return;
    step(sim, in);
    daemon_effects(sim);
}

void daemon_frame(struct sim *sim, uint64_t conn, const struct client_frame *frame)
{
    struct input in = {.kind = IN_FRAME, .conn = conn};

    in.frame.head = frame;
    in.frame.who = (struct credentials){.uid = UID, .gid = UID, .pid = 1, .known = true};
    in.frame.same_clock = sim->conns[conn].who % 2 == 0;
    step(sim, &in);
    for (size_t i = 0; i < frame->requests_n; i++) {
        const struct request *request = &frame->requests[i];
        bool of_lock = judge_lock_comes(sim, sim->conns[conn].session, request);

        sim->verbs[request->verb]++;
        step(sim, &(struct input){.kind = IN_OP, .conn = conn, .op = request});
        if (of_lock)
            judge_lock_came(sim, sim->conns[conn].session, request);
        if (chance(sim, 1, 4)) /* the shell may carry out as often as it likes */
            daemon_effects(sim);
    }
    daemon_effects(sim);
}

void event_core_tick(struct sim *sim, struct event *event)
{
    if (!sim->daemon.up || event->a != sim->daemon.incarnation || (int64_t)event->b != sim->daemon.tick_ns)
        return;
    sim->daemon.tick_ns = INT64_MAX;
    daemon_input(sim, &(struct input){.kind = IN_TICK});
}

/* b: the incarnation that the lifeline was of. */
void event_peer_end(struct sim *sim, struct event *event)
{
    if (event->b == sim->daemon.incarnation)
        daemon_input(sim, &(struct input){.kind = IN_SESSION_END, .peer = event->a});
}
