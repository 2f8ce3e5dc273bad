/*
 * S12: random programs of channel operations against the reference of model.h.
 *
 * One operation at a time is begun; before the next, every operation that the model says has ended is
 * awaited and compared, and the number of parked ones is. Where the rules leave a choice (S2) the
 * implementation's is taken, if it is a legal one. `--seed N` repeats a run.
 */
#include "model.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 60, PARKED_MAX = 12 };

struct program {
    struct model model;
    struct dice dice;
    uint64_t seed, value;
    int step;
    void *chan[MODEL_CHANNELS];
};

/* A parked operation: its actor and what stops it. */
struct waiter {
    struct call *call;
    void *stop;
    struct model_op op;
    uint64_t in[CHOICES_MAX];
};

static struct waiter waiters[MODEL_OPS_MAX];

#define expect(p, what, is, should)                                                                          \
    do {                                                                                                     \
        long long is_ = (long long)(is), should_ = (long long)(should);                                      \
        if (is_ != should_) {                                                                                \
            print_error("seed %llu step %d: %s is %lld, should be %lld\n", (unsigned long long)(p)->seed,    \
                        (p)->step, (what), is_, should_);                                                    \
            fail();                                                                                          \
        }                                                                                                    \
    } while (0)

static struct waiter *waiter_free(void)
{
    for (int i = 0; i < MODEL_OPS_MAX; i++)
        if (!waiters[i].call)
            return &waiters[i];
    fail();
    return NULL;
}

static int end_waiter(struct waiter *waiter, uint64_t *value)
{
    int result = finish(waiter->call, value);

    channels.stop_free(waiter->stop);
    waiter->call = NULL;
    return result;
}

/* Begins the operation in an actor. Single operations take their own entry points half of the time (S10). */
static void begin(struct program *p, struct waiter *waiter, bool now)
{
    const struct model_op *op = &waiter->op;
    struct choice choices[CHOICES_MAX];

    waiter->stop = channels.stop_new();
    struct wait wait = now ? NOW : UNLESS(waiter->stop);
    for (int i = 0; i < op->cases_n; i++) {
        waiter->in[i] = op->cases[i].value;
        choices[i] = (struct choice){op->cases[i].way, p->chan[op->cases[i].chan], &waiter->in[i], 0};
    }
    if (op->cases_n > 1)
        waiter->call = select_later(choices, op->cases_n, wait);
    else if (op->cases[0].way == WAY_SEND)
        waiter->call = send_later(choices[0].chan, op->cases[0].value, wait);
    else
        waiter->call = recv_later(choices[0].chan, wait);
}

/* The index that the result of an operation names, with its status checked. */
static int taken(struct program *p, const struct model_op *op, int result, int status)
{
    if (op->cases_n > 1)
        return result; /* a select's own status: S9 tests */
    expect(p, "result", result, op->cases[0].way == WAY_SEND && status == 1 ? 0 : status);
    return 0;
}

/* Parked operations that the last one ended. A receive ended by close reports 0, a send -EPIPE. */
static void check_ended(struct program *p)
{
    for (int i = 0; i < p->model.ended_n; i++) {
        const struct model_end *end = &p->model.ended[i];
        struct waiter *waiter = end->user;
        struct model_op op = waiter->op;
        uint64_t value = 0;
        int result = end_waiter(waiter, &value);
        int status = end->status == -EPIPE && op.cases[0].way == WAY_RECV ? 0 : end->status;
        int index = taken(p, &op, result, status);
        expect(p, "a legal case of a parked select", index >= 0 && (end->indexes >> index & 1), true);
        if (op.cases[index].way == WAY_RECV)
            expect(p, "a value received by a parked operation", value, end->value);
    }
    await_parked(p->model.parked_n);
}

static void run_op(struct program *p, struct waiter *waiter, bool now)
{
    uint32_t ready = model_ready(&p->model, &waiter->op);
    uint64_t value = 0, expected = 0;

    begin(p, waiter, now);
    if (!ready && !now) {
        waiter->op.user = waiter;
        model_park(&p->model, &waiter->op);
        await_parked(p->model.parked_n);
        return;
    }
    struct model_op op = waiter->op;
    int result = end_waiter(waiter, &value);
    p->model.ended_n = 0;
    if (!ready) {
        expect(p, "a try operation that cannot proceed", result, -EAGAIN);
        return;
    }
    int index = op.cases_n > 1 ? result : 0;
    expect(p, "a ready case", index >= 0 && (ready >> index & 1), true);
    int status = model_apply(&p->model, &op.cases[index], &expected);
    taken(p, &op, result, status);
    if (op.cases[index].way == WAY_RECV)
        expect(p, "a value received", value, expected);
    check_ended(p);
}

/* Distinct (channel, way) pairs, so that the case of an end is known; S6 tests the others. */
static void draw_op(struct program *p, struct model_op *op, int cases)
{
    uint32_t used = 0;

    *op = (struct model_op){.cases_n = cases};
    for (int i = 0; i < cases; i++) {
        uint32_t pair;
        do
            pair = dice_below(&p->dice, 2 * MODEL_CHANNELS);
        while (used >> pair & 1);
        used |= 1u << pair;
        op->cases[i] = (struct model_case){pair % 2 ? WAY_SEND : WAY_RECV, (int)(pair / 2), ++p->value};
    }
}

static void close_one(struct program *p)
{
    int i = (int)dice_below(&p->dice, MODEL_CHANNELS);

    expect(p, "close", channels.close(p->chan[i]), model_close(&p->model, i));
    check_ended(p);
}

static void stop_one(struct program *p)
{
    int i = (int)dice_below(&p->dice, (uint32_t)p->model.parked_n);
    struct waiter *waiter = p->model.parked[i].user;

    model_remove(&p->model, i);
    channels.stop_cancel(waiter->stop);
    expect(p, "a stopped operation", end_waiter(waiter, NULL), -ECANCELED);
    await_parked(p->model.parked_n);
}

static void step(struct program *p)
{
    uint32_t roll = dice_below(&p->dice, 100);

    if (roll < 2) {
        close_one(p);
    } else if (p->model.parked_n > 0 && (roll < 10 || p->model.parked_n == PARKED_MAX)) {
        stop_one(p);
    } else {
        struct waiter *waiter = waiter_free();
        draw_op(p, &waiter->op, roll < 60 ? 1 : 2 + (int)dice_below(&p->dice, 3));
        run_op(p, waiter, dice_below(&p->dice, 3) == 0);
    }
    for (int i = 0; i < MODEL_CHANNELS; i++)
        expect(p, "len", channels.len(p->chan[i]), p->model.chan[i].length);
}

static volatile uint64_t seed_now;

/* A lost wake-up shows as a program that never ends: say which one, then end. */
static void tell_seed(int signal)
{
    char text[80];
    int n = snprintf(text, sizeof(text), "seed %llu does not end\n", (unsigned long long)seed_now);

    if (write(STDERR_FILENO, text, (size_t)n) < 0)
        _exit(2);
    _exit(1);
}

static void run_program(uint64_t seed)
{
    struct program p = {.dice = {seed}, .seed = seed};
    int capacities[MODEL_CHANNELS];

    seed_now = seed;
    for (int i = 0; i < MODEL_CHANNELS; i++) {
        capacities[i] = (int)dice_below(&p.dice, MODEL_CAPACITY_MAX + 1);
        p.chan[i] = channels.make((uint64_t)capacities[i], 8);
    }
    model_init(&p.model, capacities);
    for (p.step = 0; p.step < STEPS; p.step++)
        step(&p);
    while (p.model.parked_n > 0)
        stop_one(&p);
    for (int i = 0; i < MODEL_CHANNELS; i++)
        channels.drop(p.chan[i]);
}

static void test_S12_random_programs_agree_with_the_model(void **state)
{
    signal(SIGALRM, tell_seed);
    for (int i = 0; i < channels.rounds / 5; i++) {
        alarm(60);
        run_program(conform_seed + (uint64_t)i);
    }
    alarm(0);
}

int run_model(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S12_random_programs_agree_with_the_model),
    };

    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
