/* Many at once on the same channels: ping-pong, selects both ways, deadlines that race with values. */
#include "stress.h"

#include <errno.h>
#include <stdatomic.h>

#include "goroutine_sync.h"

/* ---- pairs that hand a value to and fro ---- */

enum { PAIRS = 50, ROUNDS = 200 };

struct pair {
    go_chan *ping, *pong;
    go_waitgroup *all;
};

static void answers(void *arg)
{
    const struct pair *p = arg;
    int v;

    while (go_range(p->ping, &v)) {
        v++;
        must(go_chan_send(p->pong, &v, GO_FOREVER) == 0);
    }
    go_waitgroup_done(p->all);
}

static void asks(void *arg)
{
    const struct pair *p = arg;
    int v = 0;

    for (int i = 1; i <= ROUNDS; i++) {
        must(go_chan_send(p->ping, &v, GO_FOREVER) == 0);
        must(go_chan_recv(p->pong, &v, GO_FOREVER) == 1 && v == i);
    }
    go_chan_close(p->ping);
    go_waitgroup_done(p->all);
}

static void pingpong(void)
{
    struct pair p[PAIRS];
    go_waitgroup all = {{0}};

    go_waitgroup_add(&all, 2 * PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        p[i] = (struct pair){go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), (size_t)i % 2), &all};
        start_all(1, answers, &p[i]);
        start_all(1, asks, &p[i]);
    }
    go_waitgroup_wait(&all);
    while (go_live() != 1)
        go_yield();
    for (int i = 0; i < PAIRS; i++) {
        go_chan_unref(p[i].ping);
        go_chan_unref(p[i].pong);
    }
}

/* ---- selects on both sides of a few channels: what goes in comes out ---- */

enum { CHANNELS = 5, ACTORS = 16, MOVES = 300 };

struct storm {
    go_chan *c[CHANNELS];
    _Atomic long in, out;
    _Atomic int turn;
    go_waitgroup all;
    int64_t patience_us; /* of each wait; 0: for ever */
};

static int move(struct storm *s, uint32_t *dice, bool sends, long *value)
{
    struct go_case cases[CHANNELS];
    go_until until = s->patience_us ? go_after_us(dice_below(dice, (int)s->patience_us)) : GO_FOREVER;
    int n = s->patience_us ? 1 + dice_below(dice, CHANNELS) : CHANNELS, first = dice_below(dice, CHANNELS), i;

    for (i = 0; i < n; i++) {
        go_chan *c = s->c[(first + i) % CHANNELS];

        cases[i] = sends ? GO_SEND(c, value) : GO_RECV(c, value);
    }
    i = go_select(cases, n, until);
    must(i >= 0 || (s->patience_us && i == -ETIMEDOUT));
    must(i < 0 || cases[i].result == !sends);
    return i;
}

static void blows(void *arg)
{
    struct storm *s = *(struct storm **)arg;
    uint32_t turn = (uint32_t)atomic_fetch_add(&s->turn, 1), dice = turn * 7919 + 1;
    bool sends = turn % 2;

    for (int i = 0; i < MOVES; i++) {
        long v = sends ? (long)turn * MOVES + i : 0;

        while (move(s, &dice, sends, &v) < 0)
            ;
        atomic_fetch_add(sends ? &s->in : &s->out, v);
    }
    go_waitgroup_done(&s->all);
}

static void storm(int64_t patience_us)
{
    struct storm s = {.patience_us = patience_us}, *p = &s;

    for (int i = 0; i < CHANNELS; i++)
        s.c[i] = go_chan_new(sizeof(long), (size_t)i % 3);
    go_waitgroup_add(&s.all, ACTORS);
    start_all(ACTORS, blows, &p);
    go_waitgroup_wait(&s.all);
    must(s.in == s.out);
    while (go_live() != 1)
        go_yield();
    for (int i = 0; i < CHANNELS; i++)
        go_chan_unref(s.c[i]);
}

static void selects(void)
{
    storm(0);
}

static void deadlines(void)
{
    storm(100);
}

const struct program storm_programs[] = {
    {"pingpong", pingpong}, {"selects", selects}, {"deadlines", deadlines}, {NULL, NULL}};
