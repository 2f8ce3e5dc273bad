/*
 * Connections that lose, double, delay and cut. A connection keeps the order of its frames, as a stream does;
 * different connections know nothing of each other. Every frame goes through the real encoding both ways.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum { TO_DAEMON, TO_CLIENT };
enum { PARTS_MAX = 64, REPEATS_MAX = 64 };

/* An encoded message: the sizes of its parts, then their bytes. */
struct packet {
    size_t parts_n, size;
    bool of_lock; /* it carries an operation on a lock, or the result of one */
    size_t part[PARTS_MAX];
    uint8_t data[];
};

uint64_t conn_open(struct sim *sim, uint32_t who)
{
    sim->conns = realloc(sim->conns, sizeof(*sim->conns) * (sim->conns_n + 2));
    if (!sim->conns)
        abort();
    sim->conns[++sim->conns_n] = (struct conn){.who = who,
                                               .life = sim->clients[who].life,
                                               .session = sim->clients[who].session,
                                               .pid = 1,
                                               .open = true};
    return sim->conns_n;
}

void conn_cut(struct sim *sim, uint64_t number, bool late)
{
    if (number == 0 || !sim->conns[number].open)
        return;
    sim->conns[number].open = false;
    for (size_t i = 0; i < sim->heap_n; i++) {
        struct event *event = &sim->heap[i];
        if (event->kind != EVENT_TO_DAEMON || event->a != number)
            continue;
        sim->faults[FAULT_LATE] += late;
        sim->faults[FAULT_LOCK_LATE] += late && ((const struct packet *)event->data)->of_lock;
        event->b = late; /* else it finds its connection closed */
    }
    if (chance(sim, 1, 2)) /* nobody has to tell the daemon (IP9) */
        schedule(sim, between(sim, 0, 30 * MS), (struct event){.kind = EVENT_CONN_LOST, .a = number});
}

static struct packet *pack(const struct wire_message *message, bool of_lock)
{
    size_t size = message->head_bytes;

    for (size_t i = 0; i < message->bodies_n; i++)
        size += message->bodies[i].size;
    struct packet *packet = sim_alloc(sizeof(*packet) + size);
    packet->size = size;
    packet->of_lock = of_lock;
    packet->parts_n = message->bodies_n + 1;
    if (packet->parts_n > PARTS_MAX)
        abort();
    packet->part[0] = message->head_bytes;
    wire_pack(message, packet->data);
    uint8_t *tail = packet->data + message->head_bytes;
    for (size_t i = 0; i < message->bodies_n; i++) {
        packet->part[i + 1] = message->bodies[i].size;
        memcpy(tail, message->bodies[i].data, message->bodies[i].size);
        tail += message->bodies[i].size;
    }
    return packet;
}

static size_t unpack(const struct packet *packet, struct bytes *parts)
{
    const uint8_t *at = packet->data;

    for (size_t i = 0; i < packet->parts_n; i++) {
        parts[i] = (struct bytes){at, packet->part[i]};
        at += packet->part[i];
    }
    return packet->parts_n;
}

static struct packet *packet_copy(const struct packet *packet)
{
    size_t size = sizeof(*packet) + packet->size;

    return memcpy(sim_alloc(size), packet, size);
}

/* Puts the packet on its way, with whatever may happen to it there. */
static void transmit(struct sim *sim, uint64_t number, int way, struct packet *packet)
{
    struct conn *conn = &sim->conns[number];
    struct event event = {
        .kind = way == TO_DAEMON ? EVENT_TO_DAEMON : EVENT_TO_CLIENT, .a = number, .data = packet};
    int64_t arrival = sim->now_ns + between(sim, 20 * US, 400 * US);

    sim_mix(sim, packet->data, packet->size);
    if (!conn->open || (sim->faults_on && chance(sim, 1, 80))) {
        sim->faults[FAULT_LOST] += conn->open;
        sim->faults[FAULT_LOCK_LOST] += conn->open && packet->of_lock;
        free(packet);
        return;
    }
    if (sim->faults_on && chance(sim, 1, 60)) {
        sim->faults[FAULT_DELAYED]++;
        sim->faults[FAULT_LOCK_DELAYED] += packet->of_lock;
        arrival += between(sim, 1 * MS, 40 * MS);
    }
    if (arrival < conn->last_ns[way])
        arrival = conn->last_ns[way];
    schedule(sim, arrival - sim->now_ns, event);
    if (sim->faults_on && chance(sim, 1, 60)) {
        sim->faults[FAULT_DOUBLED]++;
        sim->faults[FAULT_LOCK_DOUBLED] += packet->of_lock;
        arrival += between(sim, 0, 3 * MS); /* before whatever is sent next: a stream keeps its order */
        event.data = packet_copy(packet);
        schedule(sim, arrival - sim->now_ns, event);
    }
    conn->last_ns[way] = arrival;
}

/* Asks for one of its operations twice (IP7.1). The numbers of frames hide those of a doubled frame. */
static struct client_frame repeat_one(struct sim *sim, const struct client_frame *frame,
                                      struct request room[REPEATS_MAX])
{
    struct client_frame twice = *frame;

    if (!frame->requests_n || frame->requests_n >= REPEATS_MAX || !sim->faults_on || !chance(sim, 1, 40))
        return twice;
    size_t which = below(sim, frame->requests_n);
    memcpy(room, frame->requests, sizeof(*room) * (which + 1));
    memcpy(&room[which + 1], &frame->requests[which], sizeof(*room) * (frame->requests_n - which));
    twice.requests = room;
    twice.requests_n++;
    sim->faults[FAULT_REPEATED]++;
    sim->faults[FAULT_LOCK_REPEATED] += verb_of_locks(room[which].verb);
    return twice;
}

/* The run that a host tells of, or in whose scope a client asks. */
static uint64_t run_of(const struct request *request)
{
    bool of_host = request->verb >= VERB_STARTED && request->verb <= VERB_PROGRESS;

    return of_host ? request->started.run : request->run;
}

static void note_to_daemon(struct sim *sim, uint64_t conn, const struct client_frame *frame)
{
    if (!sim->verbose)
        return;
    sim_note(sim, "  to daemon on %llu: frame %llu%s%s%s, mark %llu", (unsigned long long)conn,
             (unsigned long long)frame->number, frame->hello ? ", hello" : "",
             frame->resume ? ", resume" : "", frame->bye ? ", bye" : "", (unsigned long long)frame->ack_mark);
    for (size_t i = 0; i < frame->acks_n; i++)
        sim_note(sim, "    ack %llu: %llu", (unsigned long long)frame->acks[i].op,
                 (unsigned long long)frame->acks[i].count);
    for (size_t i = 0; i < frame->returns_n; i++)
        sim_note(sim, "    return %llu: keeps %llu", (unsigned long long)frame->returns[i].op,
                 (unsigned long long)frame->returns[i].count);
    for (size_t i = 0; i < frame->cancels_n; i++)
        sim_note(sim, "    cancel %llu", (unsigned long long)frame->cancels[i]);
    for (size_t i = 0; i < frame->requests_n; i++)
        sim_note(sim, "    request %llu, verb %d, run %llx", (unsigned long long)frame->requests[i].id,
                 frame->requests[i].verb, (unsigned long long)run_of(&frame->requests[i]));
}

static void note_values(struct sim *sim, const struct result *result)
{
    for (size_t i = 0; i < result->values_n; i++) {
        uint64_t id = 0;
        if (result->values[i].body.size >= sizeof(id))
            memcpy(&id, result->values[i].body.data, sizeof(id));
        sim_note(sim, "      carries value %llu", (unsigned long long)id);
    }
}

static void note_to_client(struct sim *sim, uint64_t conn, const struct server_frame *frame)
{
    if (!sim->verbose)
        return;
    sim_note(sim, "  to client on %llu: frame %llu%s%s, refused %d", (unsigned long long)conn,
             (unsigned long long)frame->number, frame->welcome ? ", welcome" : "",
             frame->need_resume ? ", need resume" : "", frame->refused);
    for (size_t i = 0; i < frame->states_n; i++)
        sim_note(sim, "    %llu has fate %u", (unsigned long long)frame->states[i].op, frame->states[i].fate);
    for (size_t i = 0; i < frame->results_n; i++) {
        sim_note(sim, "    result %llu number %llu status %d flags %x values %zu offer %u %llx",
                 (unsigned long long)frame->results[i].op, (unsigned long long)frame->results[i].number,
                 frame->results[i].status, frame->results[i].flags, frame->results[i].values_n,
                 frame->results[i].offer ? frame->results[i].offer->kind : 0,
                 (unsigned long long)(frame->results[i].offer ? frame->results[i].offer->run : 0));
        note_values(sim, &frame->results[i]);
    }
}

void net_to_daemon(struct sim *sim, uint64_t conn, const struct client_frame *frame)
{
    struct wire_message message;
    struct request room[REPEATS_MAX];
    struct client_frame sent = repeat_one(sim, frame, room);
    bool of_lock = false;

    for (size_t i = 0; i < frame->requests_n; i++)
        of_lock |= verb_of_locks(frame->requests[i].verb);
    note_to_daemon(sim, conn, &sent);
    if (wire_encode_client(sim->encoder, &sent, &message) < 0)
        abort();
    transmit(sim, conn, TO_DAEMON, pack(&message, of_lock));
    wire_reset(sim->encoder);
}

void net_to_client(struct sim *sim, uint64_t conn, const struct server_frame *frame)
{
    struct wire_message message;
    bool of_lock = false;

    for (size_t i = 0; i < frame->results_n; i++) {
        const struct task *task = task_of_op(sim, conn, frame->results[i].op);
        of_lock |= task && verb_of_locks(task->op.request.verb);
    }
    note_to_client(sim, conn, frame);
    if (wire_encode_server(sim->encoder, frame, &message) < 0)
        abort();
    transmit(sim, conn, TO_CLIENT, pack(&message, of_lock));
    wire_reset(sim->encoder);
}

void event_to_daemon(struct sim *sim, struct event *event)
{
    struct bytes parts[PARTS_MAX];
    const struct client_frame *frame;
    const char *why;

    if (!sim->daemon.up || (!sim->conns[event->a].open && !event->b))
        return;
    int r = wire_decode_client(sim->decoder, parts, unpack(event->data, parts), &frame, &why);
    if (r < 0) {
        sim_fail(sim, "a frame of the client cannot be decoded: %s", why);
        return;
    }
    daemon_frame(sim, event->a, frame);
    wire_reset(sim->decoder);
}

void event_to_client(struct sim *sim, struct event *event)
{
    const struct conn *conn = &sim->conns[event->a];
    struct client *client = &sim->clients[conn->who];
    struct bytes parts[PARTS_MAX];
    const struct server_frame *frame;
    const char *why;

    if (!conn->open || !client->alive || client->life != conn->life)
        return;
    int r = wire_decode_server(sim->decoder, parts, unpack(event->data, parts), &frame, &why);
    if (r < 0) {
        sim_fail(sim, "a frame of the daemon cannot be decoded: %s", why);
        return;
    }
    protocol_input(client->protocol, frame, sim->now_ns);
    wire_reset(sim->decoder);
    client_pump(client);
}

void event_conn_lost(struct sim *sim, struct event *event)
{
    if (sim->daemon.up)
        daemon_input(sim, &(struct input){.kind = IN_CONN_END, .conn = event->a});
}
