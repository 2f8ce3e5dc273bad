/* Operations in actors: begun by a test, ended when the test says so. */
#include "conform.h"

#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct call {
    void (*run)(struct call *call);
    void *chan;
    struct wait wait;
    uint64_t value;
    struct choice choices[CHOICES_MAX];
    int choices_n;
    uint64_t *many;
    int many_n;
    void (*fn)(void *arg);
    void *arg;
    int result;
    atomic_bool ended;
    sem_t done;
};

static void run_send(struct call *call)
{
    call->result = channels.send(call->chan, &call->value, call->wait);
}

static void run_recv(struct call *call)
{
    call->result = channels.recv(call->chan, &call->value, call->wait);
}

static void run_send_many(struct call *call)
{
    call->result = channels.send_many(call->chan, call->many, call->many_n, call->wait);
}

static void run_recv_many(struct call *call)
{
    call->result = channels.recv_many(call->chan, call->many, call->many_n, call->wait);
}

static void run_close_op(struct call *call)
{
    call->result = channels.close(call->chan);
}

static void run_fn(struct call *call)
{
    call->fn(call->arg);
}

static void run_select_op(struct call *call)
{
    call->result = channels.select(call->choices, call->choices_n, call->wait);
    if (call->result >= 0)
        call->value = *call->choices[call->result].value;
}

static void actor(void *arg)
{
    struct call *call = arg;

    call->run(call);
    atomic_store(&call->ended, true);
    sem_post(&call->done);
}

static struct call *begin(struct call what)
{
    struct call *call = malloc(sizeof(*call));

    assert_non_null(call);
    *call = what;
    sem_init(&call->done, 0, 0);
    channels.spawn(actor, call);
    return call;
}

struct call *send_later(void *chan, uint64_t value, struct wait wait)
{
    return begin((struct call){.run = run_send, .chan = chan, .value = value, .wait = wait});
}

struct call *recv_later(void *chan, struct wait wait)
{
    return begin((struct call){.run = run_recv, .chan = chan, .wait = wait});
}

struct call *many_later(enum way way, void *chan, uint64_t *values, int n, struct wait wait)
{
    return begin((struct call){.run = way == WAY_SEND ? run_send_many : run_recv_many,
                               .chan = chan,
                               .many = values,
                               .many_n = n,
                               .wait = wait});
}

struct call *close_later(void *chan)
{
    return begin((struct call){.run = run_close_op, .chan = chan});
}

struct call *run_later(void (*fn)(void *arg), void *arg)
{
    return begin((struct call){.run = run_fn, .fn = fn, .arg = arg});
}

struct call *select_later(const struct choice *choices, int n, struct wait wait)
{
    struct call call = {.run = run_select_op, .choices_n = n, .wait = wait};

    assert_true(n <= CHOICES_MAX);
    memcpy(call.choices, choices, sizeof(*choices) * (size_t)n);
    return begin(call);
}

bool finished(const struct call *call)
{
    return atomic_load(&call->ended);
}

int finish(struct call *call, uint64_t *value)
{
    while (sem_wait(&call->done) != 0)
        ;
    int result = call->result;
    if (value)
        *value = call->value;
    sem_destroy(&call->done);
    free(call);
    return result;
}

void await_parked(int n)
{
    while (!channels.parked(n))
        sched_yield();
}

/* splitmix64 */
uint64_t dice_roll(struct dice *dice)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t dice_below(struct dice *dice, uint32_t n)
{
    return (uint32_t)((dice_roll(dice) >> 32) * n >> 32);
}
