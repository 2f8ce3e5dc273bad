/*
 * Chaos with a store: random sends, receives, acknowledgements, returns, deadlines, deaths, a store that is full, and
 * daemons that die with some of what waits stored, with core_check after each step. Outside, for each value, it is written
 * down what was said of it. In the end (IP11, IP12.2, IP12.3): whatever was acknowledged as sent was received by somebody who
 * acknowledged it; what surely was not sent was received by nobody; whatever was received twice had the flag the second time;
 * values without a flag came in the order in which they were sent.
 */
#include "durable_rig.h"

#include <stdio.h>

enum { CLIENTS = 3, CALLS = 2048, VALUES = 4096, STEPS = 300, SEEDS = 150, CAPACITY = 5 };

enum fate { UNBORN, OPEN, SENT, DOUBT, REFUSED };

struct call {
    struct client *c;
    uint64_t op;
    uint32_t first, n; /* the values of a send; n 0: a receive */
    bool over;         /* answered and seen to */
};

static struct client *client[CLIENTS];
static uint64_t handle[CLIENTS];
static struct call call[CALLS];
static size_t calls;
static enum fate fate[VALUES];
static unsigned received[VALUES], acked[VALUES], sender[VALUES];
static uint32_t values, order[CLIENTS]; /* the last value without a flag that was seen, by sender */
static uint64_t state;
static unsigned crashes, full, redelivered;

static uint32_t draw(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static void meet_again(uint32_t i)
{
    client[i] = client_new(d->rig);
    handle[i] = chan_flags(client[i], "d", CAPACITY, OPEN_DURABLE, FULL_BLOCK);
    if (!handle[i]) {
        stored(d);
        handle[i] = got(client[i], client[i]->op)->handle;
    }
    assert_true(handle[i]);
}

static void random_until(struct client *c)
{
    if (!draw(4))
        at_once(c);
    else if (!draw(3))
        within(c, 1 + draw(3 * MS));
}

static void do_send(uint32_t i)
{
    struct value vector[4];
    char text[4][8];
    uint32_t n = 1 + draw(4);

    if (calls == CALLS || values + n >= VALUES)
        return;
    call[calls] = (struct call){.c = client[i], .first = values + 1, .n = n};
    for (uint32_t k = 0; k < n; k++) {
        snprintf(text[k], sizeof(text[k]), "%u", ++values);
        vector[k] = (struct value){.body = {text[k], strlen(text[k])}};
        fate[values] = OPEN;
        sender[values] = i;
    }
    random_until(client[i]);
    call[calls++].op =
        client_do(client[i], (struct request){.verb = VERB_SEND, .send = {handle[i], vector, n}});
}

static void do_receive(uint32_t i)
{
    if (calls == CALLS)
        return;
    random_until(client[i]);
    call[calls] = (struct call){.c = client[i], .op = recv_many(client[i], handle[i], 1 + draw(4))};
    calls++;
}

static void judge_send(const struct call *s, int32_t status, uint32_t flags)
{
    uint32_t sent = status > 0 ? (uint32_t)status : 0;

    for (uint32_t k = 0; k < s->n; k++)
        fate[s->first + k] = k < sent ? SENT : flags & RESULT_DOUBT ? DOUBT : REFUSED;
}

/* The first `n` surface. */
static void judge_values(const struct got *g, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        uint32_t value = (uint32_t)atoi(g->value[k].text);

        assert_true(fate[value] != REFUSED);
        redelivered += received[value] > 0;
        assert_true(!received[value]++ || g->value[k].flags & VALUE_REDELIVERED);
    }
}

static void settle(struct call *s, const struct got *g)
{
    uint32_t keep = draw(3) ? (uint32_t)g->values_n : draw((uint32_t)g->values_n + 1);

    s->over = true;
    if (s->n)
        judge_send(s, g->status, g->flags);
    judge_values(g, keep);
    for (uint32_t k = 0; k < keep; k++)
        acked[atoi(g->value[k].text)]++;
    if (keep < g->values_n)
        give_back(s->c, s->op, keep);
    else
        ack(s->c, s->op, 0);
}

/* Somebody has the answer; whoever dies now has perhaps looked at it. */
static void read_some(bool all)
{
    for (size_t i = 0; i < calls; i++) {
        const struct got *g = call[i].over ? NULL : got(call[i].c, call[i].op);

        if (g && (all || draw(2)))
            settle(&call[i], g);
    }
}

/* Its calls are over; what it was told and did not take in counts as seen. */
static void gone(uint32_t who)
{
    for (size_t i = 0; i < calls; i++) {
        struct call *s = &call[i];

        if (s->over || s->c != client[who])
            continue;
        const struct got *g = got(s->c, s->op);

        s->over = true;
        if (g)
            judge_values(g, (uint32_t)g->values_n);
        if (s->n && g)
            judge_send(s, g->status, g->flags);
        for (uint32_t k = 0; s->n && !g && k < s->n; k++)
            fate[s->first + k] = DOUBT;
    }
}

static void do_crash(void)
{
    for (uint32_t i = 0; i < CLIENTS; i++)
        gone(i);
    crash(d, draw((uint32_t)waiting(d) + 1));
    crashes++;
    for (uint32_t i = 0; i < CLIENTS; i++)
        meet_again(i);
}

static void do_death(uint32_t i)
{
    gone(i);
    client_die(client[i]);
    rig_sweep(d->rig);
    meet_again(i);
}

static void act(void)
{
    uint32_t i = draw(CLIENTS), what = draw(100);

    if (what < 30)
        return do_send(i);
    if (what < 60)
        return do_receive(i);
    if (what < 75)
        return read_some(false);
    if (what < 88)
        return stored_some(d, 1 + draw(3));
    if (what < 90 && ++full)
        return store_full(d);
    if (what < 95)
        return rig_after(d->rig, draw(2 * MS));
    if (what < 98)
        return do_death(i);
    do_crash();
}

/* Everybody is answered, and what is left is taken. */
static void drain(void)
{
    uint64_t last;

    do_crash();
    do {
        last = recv_many(at_once(client[0]), handle[0], 4);
        stored(d);
        call[calls - 1] = (struct call){.c = client[0], .op = last};
        const struct got *g = got(client[0], last);
        judge_values(g, (uint32_t)g->values_n);
        for (size_t k = 0; k < g->values_n; k++)
            acked[atoi(g->value[k].text)]++;
        ack(client[0], last, 0);
    } while (status_of(client[0], last) > 0);
}

/* Results in the order in which they left, the newest first: values without a flag fall. */
static void judge_order(void)
{
    for (uint32_t i = 0; i < CLIENTS; i++)
        order[i] = VALUES;
    for (const struct got *g = d->rig->got; g; g = g->next)
        for (size_t k = g->values_n; k--;) {
            uint32_t value = (uint32_t)atoi(g->value[k].text);

            if (g->value[k].flags)
                continue;
            assert_true(value < order[sender[value]]);
            order[sender[value]] = value;
        }
}

static void judge(void)
{
    judge_order();
    for (uint32_t value = 1; value <= values; value++) {
        assert_true(fate[value] != OPEN);
        if (fate[value] == SENT)
            assert_true(acked[value] >= 1);
        if (fate[value] == REFUSED)
            assert_int_equal(received[value], 0);
    }
}

static void one(uint64_t seed)
{
    state = seed * 977 + 5;
    calls = values = 0;
    memset(fate, 0, sizeof(fate));
    memset(received, 0, sizeof(received));
    memset(acked, 0, sizeof(acked));
    d = durable_rig_new(&(struct limits)LIMITS_DEFAULT);
    for (uint32_t i = 0; i < CLIENTS; i++)
        meet_again(i);
    for (int i = 0; i < STEPS && calls < CALLS - 1; i++)
        act();
    if (!calls)
        do_send(0);
    drain();
    judge();
    durable_rig_delete(d);
}

static void test_IP11_nothing_acknowledged_is_lost_and_nothing_comes_twice_without_a_flag(void **state_)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        one(seed);
    assert_true(crashes > SEEDS && full > SEEDS && redelivered > SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP11_nothing_acknowledged_is_lost_and_nothing_comes_twice_without_a_flag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
