/*
 * Channels without a name that travel in values (U6): made, sent along with other values, into each other and into
 * themselves, dropped or left. Nobody receives what is in them, so no value of theirs is judged; but when all sessions
 * have ended, none of them may be left, nor a handle (IP11.4).
 */
#include "sim.h"

/* In place of a slot: it is none. */
enum { NO_SLOT = SLOTS };

static uint64_t *place_draw(struct client *client)
{
    return &client->loose[below(client->sim, LOOSE)];
}

static void drop(struct client *client, uint64_t handle)
{
    struct task *task = task_new(client, VERB_CHAN_DROP);

    task->slot = NO_SLOT;
    task->op.request.chan_drop.handle = handle;
    task_start(task);
}

static void make(struct client *client)
{
    struct task *task = task_new(client, VERB_CHAN_OPEN);

    task->slot = NO_SLOT;
    task->op.request.chan_open.capacity = 2;
    task_start(task);
}

void loose_load(struct client *client, uint32_t slot, struct value *value, struct passed *passed)
{
    struct sim *sim = client->sim;
    bool durable = sim->slots[slot].flags & OPEN_DURABLE; /* takes none (IP12.2) */
    uint64_t handle = !durable && chance(sim, 1, 4) ? *place_draw(client) : 0;

    if (!handle)
        return;
    *passed = (struct passed){handle, chance(sim, 1, 4) ? RIGHT_SEND : 0};
    value->handles = passed;
    value->handles_n = 1;
}

/* Into one of them another one, or itself. */
static void nest(struct client *client, uint64_t outer, uint64_t inner)
{
    struct task *task = task_new(client, VERB_SEND);
    struct value *value = sim_alloc(sizeof(*value) + sizeof(struct passed));
    struct passed *passed = (struct passed *)(value + 1);

    *passed = (struct passed){inner, 0};
    *value = (struct value){.handles = passed, .handles_n = 1};
    task->slot = NO_SLOT;
    task->memory = value;
    task->op.deadline_ns = PROTOCOL_DEADLINE_NOW;
    task->op.request.send = (struct request_send){outer, value, 1};
    task_start(task);
}

void loose_begin(struct client *client)
{
    struct sim *sim = client->sim;
    uint64_t *place = place_draw(client), other = *place_draw(client);

    if (!*place) {
        make(client);
    } else if (other && chance(sim, 2, 3)) {
        nest(client, *place, other);
    } else {
        drop(client, *place);
        *place = 0;
    }
}

/* Kept where there is room for it, else given back; some are forgotten, and end with the session. */
static void keep(struct client *client, uint64_t handle)
{
    uint64_t *place = place_draw(client);

    if (!*place)
        *place = handle;
    else if (chance(client->sim, 4, 5))
        drop(client, handle);
}

bool loose_surfaced(struct task *task)
{
    struct client *client = task->client;
    bool ours = task->session == client->session && !task->scripted;

    if (task->carried && ours)
        keep(client, task->carried);
    if (task->slot != NO_SLOT)
        return false;
    if (task->op.request.verb == VERB_CHAN_OPEN && task->status >= 0 && ours)
        keep(client, task->handle);
    return true;
}
