#include "victims.h"

#include <errno.h>
#include <string.h>

static int ping(struct victim *victim)
{
    return gc_ping(victim->g, GC_FOREVER);
}

static int nothing(struct victim *victim)
{
    return 0;
}

/* ---- receiving ---- */

static int note_held(struct victim *victim)
{
    if (victim->value.size != sizeof(victim->number))
        return -EPROTO;
    memcpy(&victim->number, victim->value.data, sizeof(victim->number));
    witness_received(victim->witness, victim->number, victim->value.flags & GC_REDELIVERED);
    return 0;
}

static int receive(struct victim *victim)
{
    int r = gc_recv(victim->g, victim->channel, &victim->value, GC_HOLD, GC_FOREVER);

    return r == 1 ? note_held(victim) : r < 0 ? r : -EPROTO;
}

/* After the ping the daemon has it. */
static int settle_value(struct victim *victim)
{
    int r = gc_ack(victim->g, &victim->value);

    if (r == 0)
        r = ping(victim);
    if (r == 0)
        witness_acked(victim->witness, victim->number);
    gc_value_clear(&victim->value);
    return r;
}

static int select_receive(struct victim *victim)
{
    struct gc_value none;
    struct gc_case cases[] = {gc_case_recv(victim->other, &none),
                              gc_case_recv(victim->channel, &victim->value)};
    int r = gc_select(victim->g, cases, 2, GC_HOLD, GC_FOREVER);

    return r == 1 ? note_held(victim) : r < 0 ? r : -EPROTO;
}

/* ---- sending ---- */

static const int mine = NUMBER_VICTIM;

static int send_mine(struct victim *victim)
{
    witness_send(victim->witness, mine);
    int r = gc_send(victim->g, victim->channel, gc_bytes(&mine, sizeof(mine)), GC_FOREVER);
    witness_sent(victim->witness, mine, r, gc_in_doubt());
    return r;
}

static int select_send(struct victim *victim)
{
    struct gc_value none;
    struct gc_case cases[] = {gc_case_recv(victim->other, &none),
                              gc_case_send(victim->channel, gc_bytes(&mine, sizeof(mine)))};

    witness_send(victim->witness, mine);
    int r = gc_select(victim->g, cases, 2, 0, GC_FOREVER);
    witness_sent(victim->witness, mine, r == 1 ? cases[1].status : r, gc_in_doubt());
    return r == 1 ? cases[1].status : r < 0 ? r : -EPROTO;
}

/* ---- a lock, a lock to read, units of a semaphore; a job ---- */

static int take_lock(struct victim *victim)
{
    return gc_lock(victim->g, VICTIM_LOCK, &victim->token, 0, GC_FOREVER);
}

static int give_lock(struct victim *victim)
{
    return gc_unlock(victim->g, VICTIM_LOCK, victim->token, 0, GC_FOREVER);
}

static int take_read(struct victim *victim)
{
    return gc_rlock(victim->g, VICTIM_READ, GC_FOREVER);
}

static int give_read(struct victim *victim)
{
    return gc_runlock(victim->g, VICTIM_READ, GC_FOREVER);
}

static int take_units(struct victim *victim)
{
    return gc_sem_acquire(victim->g, VICTIM_UNITS, 2, 1, GC_FOREVER);
}

static int give_units(struct victim *victim)
{
    return gc_sem_release(victim->g, VICTIM_UNITS, 1, GC_FOREVER);
}

static int wait_job(struct victim *victim)
{
    return gc_wait(victim->g, victim->job, NULL, GC_FOREVER);
}

static const struct act acts[] = {
    {"receive", 0, true, false, receive, settle_value, nothing},
    {"receive-buffer", 4, true, false, receive, settle_value, nothing},
    {"select-receive", 0, true, false, select_receive, settle_value, nothing},
    {"send", 0, false, true, send_mine, ping, nothing},
    {"send-buffer", 1, false, true, send_mine, ping, nothing},
    {"select-send", 0, false, true, select_send, ping, nothing},
    {"lock", 1, false, false, take_lock, ping, give_lock},
    {"read", 1, false, false, take_read, ping, give_read},
    {"units", 1, false, false, take_units, ping, give_units},
    {"wait", 1, false, false, wait_job, ping, nothing},
    {0},
};

const struct act *act_at(int i)
{
    const int here = (int)(sizeof(acts) / sizeof(*acts)) - 1;
    const struct act *act = i < here ? &acts[i] : &acts_sync[i - here];

    return act->name ? act : NULL;
}

const struct act *act_find(const char *name)
{
    const struct act *act = NULL;

    for (int i = 0; (act = act_at(i)) && strcmp(act->name, name) != 0; i++)
        ;
    return act;
}

int victim_open(struct victim *victim)
{
    int r = gc_open(victim->g, VICTIM_CHANNEL, NULL, &victim->channel, GC_FOREVER);

    return r < 0 ? r : gc_open(victim->g, VICTIM_OTHER, NULL, &victim->other, GC_FOREVER);
}
