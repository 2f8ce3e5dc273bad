/*
 * S12: random programs of channel operations against the reference of model.h.
 *
 * One operation at a time is begun; before the next, every operation that the model says has ended is
 * awaited and compared, and the number of parked ones is. Where the rules leave a choice (S2) the
 * implementation's is taken, if it is a legal one. Programs are short, so that closed channels do not fill them; a seed
 * and a number of steps, --seed and --steps, repeat a run.
 *
 * Batches send without waiting, in one step, and not while one waits to receive: how much that takes after its wait is
 * nobody's promise.
 */
#include "model.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 60, PARKED_MAX = 12, BATCH_MAX = 5 };

struct program {
    struct model model;
    struct dice dice;
    uint64_t seed, value, step;
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
            print_error("seed %llu step %llu: %s is %lld, should be %lld\n", (unsigned long long)(p)->seed,  \
                        (unsigned long long)(p)->step, (what), is_, should_);                                \
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

static void *chan_of(const struct program *p, const struct model_case *what)
{
    return what->chan == NIL ? NULL : p->chan[what->chan];
}

/* Begins the operation in an actor. Single operations take their own entry points half of the time (S10). */
static void begin(struct program *p, struct waiter *waiter, enum wait_kind kind)
{
    const struct model_op *op = &waiter->op;
    struct choice choices[CHOICES_MAX];

    waiter->stop = channels.stop_new();
    struct wait wait = {kind, kind == WAIT_STOP ? waiter->stop : NULL};
    for (int i = 0; i < op->cases_n; i++) {
        waiter->in[i] = op->cases[i].value;
        choices[i] = (struct choice){op->cases[i].way, chan_of(p, &op->cases[i]), &waiter->in[i], 0};
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

static void check_batch_ended(struct program *p, const struct model_end *end, struct waiter *waiter)
{
    int result = end_waiter(waiter, NULL);

    expect(p, "values of a parked batch", result, end->status == -EPIPE ? 0 : 1);
    if (result == 1)
        expect(p, "the value of a parked batch", waiter->in[0], end->value);
}

static void check_one_ended(struct program *p, const struct model_end *end, struct waiter *waiter)
{
    struct model_op op = waiter->op;
    uint64_t value = 0;
    int result = end_waiter(waiter, &value);
    int status = end->status == -EPIPE && op.cases[0].way == WAY_RECV ? 0 : end->status;
    int index = taken(p, &op, result, status);

    expect(p, "a legal case of a parked select", index >= 0 && (end->indexes >> index & 1), true);
    if (op.cases[index].way == WAY_RECV)
        expect(p, "a value received by a parked operation", value, end->value);
}

/* Parked operations that the last one ended. A receive ended by close reports 0, a send -EPIPE. */
static void check_ended(struct program *p)
{
    for (int i = 0; i < p->model.ended_n; i++) {
        const struct model_end *end = &p->model.ended[i];
        struct waiter *waiter = end->user;

        if (waiter->op.many)
            check_batch_ended(p, end, waiter);
        else
            check_one_ended(p, end, waiter);
    }
    p->model.ended_n = 0;
}

static void settle(struct program *p)
{
    check_ended(p);
    await_parked(p->model.parked_n);
}

static void park(struct program *p, struct waiter *waiter)
{
    waiter->op.user = waiter;
    model_park(&p->model, &waiter->op);
    await_parked(p->model.parked_n);
}

/* What the operation did, or how it came to do nothing. */
static void check_result(struct program *p, struct waiter *waiter, uint32_t ready, enum wait_kind kind)
{
    struct model_op op = waiter->op;
    uint64_t value = 0, expected = 0;
    int result = end_waiter(waiter, &value);

    if (kind == WAIT_PAST || (kind == WAIT_SOON && result == -ETIMEDOUT)) {
        expect(p, "an operation after its deadline", result, -ETIMEDOUT);
        return; /* a deadline that comes soon may be past on arrival */
    }
    if (!ready) {
        expect(p, "an operation that cannot proceed", result, kind == WAIT_NOW ? -EAGAIN : -ETIMEDOUT);
        return;
    }
    int index = op.cases_n > 1 ? result : 0;
    expect(p, "a ready case", index >= 0 && (ready >> index & 1), true);
    taken(p, &op, result, model_apply(&p->model, &op.cases[index], &expected));
    if (op.cases[index].way == WAY_RECV)
        expect(p, "a value received", value, expected);
    settle(p);
}

static void run_op(struct program *p, struct waiter *waiter, enum wait_kind kind)
{
    uint32_t ready = model_ready(&p->model, &waiter->op);

    begin(p, waiter, kind);
    if (!ready && kind == WAIT_STOP)
        park(p, waiter);
    else
        check_result(p, waiter, ready, kind);
}

/* Closed is not counted: the next call says it. */
static bool batch_goes_on(const struct program *p, const struct model_op *op)
{
    const struct model_case *what = &op->cases[0];

    if (p->model.chan[what->chan].closed && (what->way == WAY_SEND || p->model.chan[what->chan].length == 0))
        return false;
    return model_ready(&p->model, op);
}

static void check_batch(struct program *p, struct waiter *waiter)
{
    struct model_op op = waiter->op;
    int result = end_waiter(waiter, NULL), moved = 0, nothing = -EAGAIN;
    uint64_t value = 0;

    if (p->model.chan[op.cases[0].chan].closed)
        nothing = op.cases[0].way == WAY_SEND ? -EPIPE : 0;
    for (; moved < op.many && batch_goes_on(p, &op); moved++) {
        op.cases[0].value = waiter->in[moved];
        model_apply(&p->model, &op.cases[0], &value);
        if (op.cases[0].way == WAY_RECV)
            expect(p, "a value of a batch", waiter->in[moved], value);
        check_ended(p);
    }
    expect(p, "a batch", result, moved ? moved : nothing);
    settle(p);
}

static void run_batch(struct program *p, struct waiter *waiter, bool now)
{
    struct model_op *op = &waiter->op;

    op->many = 1 + (int)dice_below(&p->dice, BATCH_MAX);
    for (int i = 0; i < op->many; i++)
        waiter->in[i] = ++p->value;
    waiter->stop = channels.stop_new();
    waiter->call = many_later(op->cases[0].way, p->chan[op->cases[0].chan], waiter->in, op->many,
                              now ? NOW : UNLESS(waiter->stop));
    if (now || model_ready(&p->model, op))
        check_batch(p, waiter);
    else
        park(p, waiter);
}

static bool batch_waits(const struct program *p)
{
    for (int i = 0; i < p->model.parked_n; i++)
        if (p->model.parked[i].many)
            return true;
    return false;
}

/* Distinct (channel, way) pairs, so that the case of an end is known; S6 tests the others. Each case but the first may be
 * one of no channel (N1). */
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
        if (i > 0 && dice_below(&p->dice, 8) == 0)
            op->cases[i].chan = NIL;
    }
}

static void close_one(struct program *p)
{
    int i = (int)dice_below(&p->dice, MODEL_CHANNELS);

    expect(p, "close", channels.close(p->chan[i]), model_close(&p->model, i));
    settle(p);
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

static enum wait_kind draw_wait(struct program *p)
{
    uint32_t roll = dice_below(&p->dice, 100);

    if (roll < 2)
        return WAIT_SOON;
    if (roll < 5)
        return WAIT_PAST;
    return roll < 35 ? WAIT_NOW : WAIT_STOP;
}

static void operate(struct program *p)
{
    uint32_t roll = dice_below(&p->dice, 100);
    struct waiter *waiter = waiter_free();

    draw_op(p, &waiter->op, roll < 60 ? 1 : 2 + (int)dice_below(&p->dice, 3));
    if (roll < 15 && waiter->op.cases[0].way == WAY_RECV)
        run_batch(p, waiter, roll < 8);
    else if (roll < 15 && !batch_waits(p))
        run_batch(p, waiter, true);
    else
        run_op(p, waiter, draw_wait(p));
}

static void step(struct program *p)
{
    uint32_t roll = dice_below(&p->dice, 100);

    if (roll < 2)
        close_one(p);
    else if (p->model.parked_n > 0 && (roll < 10 || p->model.parked_n == PARKED_MAX))
        stop_one(p);
    else
        operate(p);
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

static void run_program(struct program *p)
{
    int capacities[MODEL_CHANNELS];

    for (int i = 0; i < MODEL_CHANNELS; i++) {
        capacities[i] = (int)dice_below(&p->dice, MODEL_CAPACITY_MAX + 1);
        p->chan[i] = channels.make((uint64_t)capacities[i], 8);
    }
    model_init(&p->model, capacities);
    for (int i = 0; i < STEPS; i++, p->step++)
        step(p);
    while (p->model.parked_n > 0)
        stop_one(p);
    for (int i = 0; i < MODEL_CHANNELS; i++)
        channels.drop(p->chan[i]);
}

static void test_S12_random_programs_agree_with_the_model(void **state)
{
    uint64_t steps = conform_steps ? conform_steps : (uint64_t)channels.rounds * 12;
    struct program p = {.dice = {conform_seed}, .seed = conform_seed};

    seed_now = conform_seed;
    signal(SIGALRM, tell_seed);
    while (p.step < steps) {
        alarm(60);
        run_program(&p);
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
