/* Values through channels. */
#include "bench.h"

enum { CAPACITY = 128, RING = 503, SOURCES = 4, PRIMES_MAX = 4096 };

/* One end of a channel that sends or receives n values. */
struct end {
    go_chan *c;
    int64_t first, n;
    _Atomic uint64_t *sum;
    go_waitgroup *done;
};

static void sender(void *arg)
{
    struct end *e = arg;

    for (int64_t i = e->first; i < e->first + e->n; i++)
        go_chan_send(e->c, &i, GO_FOREVER);
}

static void receiver(void *arg)
{
    struct end *e = arg;
    uint64_t sum = 0;
    int64_t value;

    for (int64_t i = 0; i < e->n; i++) {
        go_chan_recv(e->c, &value, GO_FOREVER);
        sum += (uint64_t)value;
    }
    *e->sum += sum;
    go_waitgroup_done(e->done);
}

/* `pairs` senders and as many receivers share one channel. */
static uint64_t stream(struct run *r, size_t capacity, int pairs)
{
    _Atomic uint64_t sum = 0;
    go_waitgroup done = {0};
    struct end e = {must_chan(sizeof(int64_t), capacity), 0, r->n / pairs, &sum, &done};

    go_waitgroup_add(&done, pairs);
    run_begin(r);
    for (int i = 0; i < pairs; i++) {
        must_spawn(receiver, &e, sizeof e);
        e.first = i * e.n;
        must_spawn(sender, &e, sizeof e);
    }
    go_waitgroup_wait(&done);
    run_end(r);
    go_chan_unref(e.c);
    return sum;
}

uint64_t unbuffered_1x1(struct run *r)
{
    return stream(r, 0, 1);
}

uint64_t buffered_1x1(struct run *r)
{
    return stream(r, CAPACITY, 1);
}

uint64_t buffered_4x4(struct run *r)
{
    return stream(r, CAPACITY, 4);
}

struct pair {
    go_chan *there, *back;
};

static void ponger(void *arg)
{
    struct pair *p = arg;
    int64_t value;

    while (go_range(p->there, &value))
        go_chan_send(p->back, &value, GO_FOREVER);
    go_chan_close(p->back);
}

uint64_t ping_pong(struct run *r)
{
    struct pair p = {must_chan(sizeof(int64_t), 0), must_chan(sizeof(int64_t), 0)};
    uint64_t sum = 0;
    int64_t value;

    must_spawn(ponger, &p, sizeof p);
    run_begin(r);
    for (int64_t i = 0; i < r->n; i++) {
        go_chan_send(p.there, &i, GO_FOREVER);
        go_chan_recv(p.back, &value, GO_FOREVER);
        sum += (uint64_t)value;
    }
    run_end(r);
    go_chan_close(p.there);
    go_chan_recv(p.back, &value, GO_FOREVER);
    go_chan_unref(p.there);
    go_chan_unref(p.back);
    return sum;
}

/* ---- a ring: one token goes round, and counts its steps down ---- */

static void ring_member(void *arg)
{
    struct pair *p = arg;
    int64_t left;

    while (go_range(p->there, &left)) {
        left--;
        go_chan_send(p->back, &left, GO_FOREVER);
    }
    go_chan_close(p->back);
}

uint64_t ring_503(struct run *r)
{
    go_chan *c[RING];
    int64_t left = r->n;

    for (int i = 0; i < RING; i++)
        c[i] = must_chan(sizeof left, 0);
    for (int i = 0; i + 1 < RING; i++) {
        struct pair p = {c[i], c[i + 1]};

        must_spawn(ring_member, &p, sizeof p);
    }
    run_begin(r);
    while (left > 0) {
        go_chan_send(c[0], &left, GO_FOREVER);
        go_chan_recv(c[RING - 1], &left, GO_FOREVER);
        left--;
    }
    run_end(r);
    go_chan_close(c[0]);
    must(go_range(c[RING - 1], NULL) ? -1 : 0, "a token too many");
    for (int i = 0; i < RING; i++)
        go_chan_unref(c[i]);
    return (uint64_t)(r->n - left);
}

/* ---- select ---- */

uint64_t select_4(struct run *r)
{
    struct end e[SOURCES];
    struct go_case cases[SOURCES];
    int64_t value = 0;
    uint64_t sum = 0;

    for (int i = 0; i < SOURCES; i++)
        e[i] = (struct end){must_chan(sizeof value, 0), i * (r->n / SOURCES), r->n / SOURCES, NULL, NULL};
    run_begin(r);
    for (int i = 0; i < SOURCES; i++)
        must_spawn(sender, &e[i], sizeof e[i]);
    for (int64_t i = 0; i < r->n; i++) {
        for (int j = 0; j < SOURCES; j++)
            cases[j] = GO_RECV(e[j].c, &value);
        must(go_select(cases, SOURCES, GO_FOREVER), "go_select");
        sum += (uint64_t)value;
    }
    run_end(r);
    for (int i = 0; i < SOURCES; i++)
        go_chan_unref(e[i].c);
    return sum;
}

/* ---- the sieve: one goroutine for each prime ---- */

struct filter {
    struct pair io;
    int64_t prime;
};

static void numbers(void *arg)
{
    go_chan *out = *(go_chan **)arg;

    for (int64_t i = 2;; i++)
        go_chan_send(out, &i, GO_FOREVER);
}

static void filter(void *arg)
{
    struct filter *f = arg;
    int64_t i;

    while (go_range(f->io.there, &i))
        if (i % f->prime != 0)
            go_chan_send(f->io.back, &i, GO_FOREVER);
}

/* The goroutines and channels of the sieve are left to the end of the program. */
uint64_t sieve(struct run *r)
{
    static go_chan *c[PRIMES_MAX + 1];
    int64_t prime = 0;

    run_begin(r);
    c[0] = must_chan(sizeof prime, 0);
    must_spawn(numbers, &c[0], sizeof c[0]);
    for (int64_t i = 0; i < r->n && i < PRIMES_MAX; i++) {
        struct filter f;

        go_chan_recv(c[i], &prime, GO_FOREVER);
        c[i + 1] = must_chan(sizeof prime, 0);
        f = (struct filter){{c[i], c[i + 1]}, prime};
        must_spawn(filter, &f, sizeof f);
    }
    run_end(r);
    return (uint64_t)prime;
}
