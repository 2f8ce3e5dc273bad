/*
 * The shell around the core: frames and store reports go in, effects are carried out. It does what the hub
 * thread does, and looks at every result on its way (judge.c).
 */
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "feeds.h"
#include "groups.h"
#include "keeps.h"
#include "laters.h"
#include "lock_ledger.h"
#include "operator.h"
#include "plugins.h"
#include "pools.h"
#include "schedules.h"
#include "states.h"
#include "topics.h"
#include "workers.h"

enum { RESULTS_MAX = 512, SPOILT = 0xa5, BLOCK_HEAD = 2 * sizeof(size_t) };

static bool refuses(struct sim_memory *memory)
{
    if (!memory->short_of)
        return false;
    memory->dice = memory->dice * 6364136223846793005u + 1442695040888963407u;
    bool refused = (memory->dice >> 33) % memory->one_in == 0;
    memory->refused += refused;
    return refused;
}

/* Every block of the core, counted: after core_delete none may be left. What is freed is spoilt, and what grows moves, so
 * that whoever still reads it is judged by what it reads. */
static size_t *block_new(struct sim_memory *memory, size_t size)
{
    size_t *block = malloc(size + BLOCK_HEAD);

    if (!block)
        abort();
    memset(block, SPOILT, size + BLOCK_HEAD);
    *block = size;
    memory->blocks++;
    memory->bytes += size;
    return block;
}

static void block_delete(struct sim_memory *memory, size_t *block)
{
    memory->blocks--;
    memory->bytes -= *block;
    memset(block, SPOILT, *block + BLOCK_HEAD);
    free(block);
}

static void *resize(void *context, void *p, size_t size)
{
    struct sim_memory *memory = context;
    size_t *old = p ? (size_t *)p - 2 : NULL, *new = NULL;

    if (size && refuses(memory))
        return NULL;
    if (size)
        new = block_new(memory, size);
    if (old && new)
        memcpy(new + 2, p, *old < size ? *old : size);
    if (old)
        block_delete(memory, old);
    return new ? new + 2 : NULL;
}

static struct now daemon_now(const struct sim *sim)
{
    return (struct now){.mono_ns = sim->now_ns, .wall_ns = sim_wall_ns(sim)};
}

/* Three of four seeds run into limits of a kind. */
static struct limits daemon_limits(const struct sim *sim)
{
    struct limits limits = LIMITS_DEFAULT;

    limits.window_ops = 16;
    limits.queue_concurrency = 6;
    limits.host_window = 3;
    limits.sweep_per_turn = 3;
    limits.host_start_ms = 60;
    limits.group_detached_s = 1;
    limits.lease_ms = 300;
    limits.result_bytes_max = RESULT_BYTES;
    limits.argument_bytes_max = 1000;
    limits.arguments_kept_bytes = 40;
    limits.bulk_bytes_max = BULK_BYTES;
    limits.recording_s = 1;
    limits.work_lease_ms = LEASE_MS;
    limits.work_lease_max_ms = LEASE_MAX_MS;
    limits.schedule_missed_max = 5;
    limits.feeds_max = FEEDS_MOST;
    limits.feed_ahead_max = FEED_AHEAD_MOST;
    if (sim->blinded) {
        limits.window_bytes = 200;
        limits.arguments_kept_bytes = 0;
        limits.plugins_max = 2;
        limits.inspect_max = 8;
    }
    if (sim->crowded) {
        limits.locks_max = 12;
        limits.holds_max = 10;
        limits.contexts_detached_max = 2;
        limits.dump_bytes_max = 6;
        limits.delayed_max = 5;
        limits.jobs_waiting_max = 12;
        limits.bulk_jobs_max = 3;
        limits.schedules_max = 3;
        limits.lasts_max = 2;
        limits.queues_removed_max = 1;
    }
    if (sim->forgets) {
        limits.retained_jobs_max = RETAINED;
        limits.queue_concurrency = 2;
        limits.output_bytes_max = 20;
        limits.pools_max = 3;
        limits.pool_hosts_max = 2;
    }
    return limits;
}

static void set(struct policy_part *part, enum policy_field field, uint64_t value)
{
    *policy_value(&part->policy, field) = value;
    part->set |= UINT64_C(1) << field;
}

/* Of the queue `slow`: the same for all daemons of a seed. */
struct policy_part daemon_slow(uint64_t seed)
{
    struct policy_part slow = {0};

    set(&slow, POLICY_concurrency, 1 + seed % 3);
    set(&slow, POLICY_key_concurrency, seed / 3 % 2);
    set(&slow, POLICY_serial, seed / 6 % 2);
    set(&slow, POLICY_quantum, 1 + seed / 12 % 2);
    set(&slow, POLICY_ageing_ms, seed / 24 % 2);
    if (seed % 5 == 0)
        set(&slow, POLICY_waiting_max, 2);
    if (seed % 7 == 0) {
        set(&slow, POLICY_rate, 2);
        set(&slow, POLICY_rate_ms, 5);
    }
    if (seed % 5 == 2) {
        set(&slow, seed % 4 ? POLICY_breaker_failures : POLICY_breaker_share,
            seed % 4 ? 1 + seed / 5 % 3 : 50);
        set(&slow, POLICY_breaker_least, 2);
        set(&slow, POLICY_breaker_open_ms, 4 + seed / 15 % 20);
    }
    states_add(seed, &slow);
    return slow;
}

uint64_t daemon_concurrency(const struct sim *sim)
{
    return daemon_limits(sim).queue_concurrency;
}

uint64_t daemon_volatile_bytes(const struct sim *sim)
{
    return daemon_limits(sim).volatile_bytes_max;
}

uint64_t daemon_pools(const struct sim *sim)
{
    return daemon_limits(sim).pools_max;
}

static void tell_memory(void *shell, core_say *say, void *context)
{
    const struct sim *sim = shell;

    say(context, "memory.bytes", sim->memory.bytes);
}

static void daemon_settings(struct sim *sim, struct core *core)
{
    const struct policy_part slow = daemon_slow(sim->seed), brief = daemon_brief(sim->seed);

    if (sim->owned)
        core_set_owner(core, user_of(sim, 0).uid);
    if (sim->seed % 3)
        core_allow_clock(core);
    if (core_set_queue(core, (struct bytes){"slow", 4}, &slow) < 0 ||
        core_set_queue(core, (struct bytes){"brief", 5}, &brief) < 0)
        abort();
    pools_configure(sim, core);
    groups_configure(sim, core);
    laters_configure(sim, core);
    lasts_configure(sim, core);
    keeps_configure(sim, core);
    states_configure(sim, core);
    users_start(sim, core);
    core_set_stats(core, tell_memory, sim);
}

void daemon_start(struct sim *sim)
{
    struct limits limits = daemon_limits(sim);
    struct allocator allocator = {
        .resize = resize, .context = &sim->memory, .keep_bytes = sim->seed / 2 % 2 ? 1 << 20 : 0};

    sim->memory.short_of = false; /* a daemon that cannot start is none */
    sim->daemon.core = core_new(&limits, &allocator, 1, ++sim->daemon.incarnation, roll(sim));
    if (!sim->daemon.core)
        abort();
    daemon_settings(sim, sim->daemon.core);
    judge_locks_start(sim);
    judge_objects_start(sim);
    judge_drain_start(sim);
    judge_lives_start(sim);
    judge_feeds_start(sim);
    effects_init(&sim->daemon.effects);
    sim->daemon.up = true;
    sim->daemon.tick_ns = INT64_MAX;
    storage_load(sim);
    judge_queues_loaded(sim);
    judge_pools_loaded(sim);
    judge_deals_loaded(sim);
    judge_bulks_loaded(sim);
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
struct leaving {
    uint64_t conn;
    struct server_frame frame;
    struct result results[RESULTS_MAX];
};

static void out_send(struct sim *sim, struct leaving *out)
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

static void out_begin(struct sim *sim, struct leaving *out, uint64_t conn)
{
    if (out->conn == conn && out->frame.results_n < RESULTS_MAX)
        return;
    out_send(sim, out);
    out->conn = conn;
    out->frame = (struct server_frame){0};
}

static void out_reply(struct sim *sim, struct leaving *out, const struct effect *effect)
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

static void carry_out(struct sim *sim, const struct effect *effect, struct leaving *out)
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
    case EFFECT_ZONE:
        zone_look(sim, effect->zone);
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

void daemon_sees_time(struct sim *sim)
{
    if (!sim->daemon.up)
        return;
    sim->daemon.tick_ns = INT64_MAX;
    tick_later(sim);
}

static void daemon_effects(struct sim *sim)
{
    struct effects *effects = &sim->daemon.effects;
    static struct leaving out;
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

static void look(struct sim *sim)
{
    judge_breaker_look(sim);
    judge_lives_look(sim);
    judge_work_look(sim);
    judge_schedules_look(sim);
    judge_pools_look(sim);
}

void daemon_input(struct sim *sim, const struct input *in)
{
    if (!sim->daemon.up)
        return;
    step(sim, in);
    look(sim);
    daemon_effects(sim);
}

/* A real client asks again only where it cannot have been told a refusal: the first of two must not be refused alone. */
static bool asks_twice(const struct client_frame *frame)
{
    for (size_t i = 1; i < frame->requests_n; i++)
        if (frame->requests[i].id == frame->requests[i - 1].id)
            return true;
    return false;
}

static bool knows(const struct sim *sim, uint64_t session, const struct request *request)
{
    return core_look(sim->daemon.core, &sim->sessions[session].secret, request->id) != CORE_NO_OPERATION;
}

/* What was refused leaves no trace. What ends its own session, by the BYE of its frame, was taken. */
static void taken(struct sim *sim, uint64_t conn, const struct request *request)
{
    uint64_t session = sim->conns[conn].session;

    if (verb_of_locks(request->verb))
        lock_ledger_taken(sim->locks, session, request);
    judge_object_came(sim, session, request);
    judge_drain_came(sim, conn, request);
    judge_life_came(sim, session, request);
    judge_retry_came(sim, task_of_op(sim, conn, request->id), request);
    if (task_of_op(sim, conn, request->id))
        judge_queue_asked(sim, task_of_op(sim, conn, request->id), request);
    judge_schedule_came(sim, task_of_op(sim, conn, request->id), session, request);
    if (request->verb == VERB_DONE || request->verb == VERB_STARTED || request->verb == VERB_TRANSACT)
        judge_run_came(sim, conn, request);
    judge_work_came(sim, task_of_op(sim, conn, request->id), request);
    judge_pool_came(sim, conn, request);
    judge_topic_came(sim, session, request, task_of_op(sim, conn, request->id));
    judge_keep_came(sim, request, task_of_op(sim, conn, request->id));
    judge_feed_came(sim, session, request, task_of_op(sim, conn, request->id));
    judge_user_came(sim, conn, request);
}

void daemon_frame(struct sim *sim, uint64_t conn, const struct client_frame *frame)
{
    struct input in = {.kind = IN_FRAME, .conn = conn};

    bool short_of = sim->memory.short_of;

    sim->memory.short_of &= !asks_twice(frame);
    in.frame.head = frame;
    in.frame.who = user_of(sim, sim->conns[conn].who);
    in.frame.who.pid = sim->conns[conn].pid;
    in.frame.same_clock = sim->conns[conn].who % 2 == 0 && sim->conns[conn].who != STRANGER;
    grants_before(sim, conn, frame);
    step(sim, &in);
    grants_after(sim, conn);
    look(sim);
    for (size_t i = 0; i < frame->requests_n; i++) {
        const struct request *request = &frame->requests[i];
        uint64_t session = sim->conns[conn].session;
        bool comes = session && !knows(sim, session, request);

        sim->verbs[request->verb]++;
        step(sim, &(struct input){.kind = IN_OP, .conn = conn, .op = request});
        if (comes && knows(sim, session, request))
            taken(sim, conn, request);
        look(sim);
        if (chance(sim, 1, 4)) /* the shell may carry out as often as it likes */
            daemon_effects(sim);
    }
    sim->memory.short_of = short_of;
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
