/* Nets of goroutines and channels: the sieve, a ring, a tree, a chain. */
#include "stress.h"

/* ---- until nobody is left ---- */

static void all_ended(void)
{
    while (go_live() != 1)
        go_yield();
}

/* ---- the sieve of prime numbers: a filter for each, in a row ---- */

enum { PRIMES = 60, LAST_PRIME = 281 };

struct filter {
    go_chan *in, *out;
    int prime;
};

static void filters(void *arg)
{
    struct filter *f = arg;
    int v;

    while (go_range(f->in, &v))
        if (v % f->prime && go_chan_send(f->out, &v, GO_FOREVER) < 0)
            break;
    go_chan_close(f->in); /* who still sends learns that nobody receives */
    go_chan_close(f->out);
    go_chan_unref(f->in);
    go_chan_unref(f->out);
}

static void counts_up(void *arg)
{
    go_chan *out = *(go_chan **)arg;

    for (int v = 2; go_chan_send(out, &v, GO_FOREVER) == 0; v++)
        ;
    go_chan_unref(out);
}

static void sieve(void)
{
    go_chan *c = go_chan_new(sizeof(int), 0), *from = go_chan_ref(c);
    int prime = 0;

    start_all(1, counts_up, &from);
    for (int i = 0; i < PRIMES; i++) {
        struct filter f = {.in = c, .out = go_chan_new(sizeof(int), (size_t)i % 3)};

        must(go_chan_recv(c, &prime, GO_FOREVER) == 1);
        f.prime = prime;
        c = go_chan_ref(f.out);
        start_all(1, filters, &f);
    }
    must(prime == LAST_PRIME);
    go_chan_close(c);
    all_ended();
    go_chan_unref(c);
}

/* ---- a ring round which several tokens go; those that are done wait until all have been sent ---- */

enum { NODES = 100, TOKENS = 20, HOPS = 500 };

struct node {
    go_chan *in, *out, *done;
};

static void passes_round(void *arg)
{
    struct node *n = arg;
    int hops;

    while (go_range(n->in, &hops)) {
        go_chan *to = hops > 0 ? n->out : n->done;

        hops--;
        must(go_chan_send(to, &hops, GO_FOREVER) == 0);
    }
    go_chan_close(n->out); /* the last one closes what was closed */
}

static void ring(void)
{
    go_chan *c[NODES], *done = go_chan_new(sizeof(int), TOKENS);
    int hops;

    for (int i = 0; i < NODES; i++)
        c[i] = go_chan_new(sizeof(int), 0);
    for (int i = 0; i < NODES; i++) {
        struct node n = {c[i], c[(i + 1) % NODES], done};

        start_all(1, passes_round, &n);
    }
    for (int i = 0; i < TOKENS; i++) {
        hops = HOPS + i;
        must(go_chan_send(c[i * NODES / TOKENS], &hops, GO_FOREVER) == 0);
    }
    for (int i = 0; i < TOKENS; i++)
        must(go_chan_recv(done, &hops, GO_FOREVER) == 1 && hops == -1);
    go_chan_close(c[0]);
    all_ended();
    for (int i = 0; i < NODES; i++)
        go_chan_unref(c[i]);
    go_chan_unref(done);
}

/* ---- a tree that counts its leaves ---- */

enum { DEPTH = 9 };

struct branch {
    int depth;
    go_chan *out;
};

static void grows(void *arg)
{
    const struct branch *b = arg;
    go_chan *in = go_chan_new(sizeof(long), 0);
    struct branch child = {b->depth - 1, in};
    long leaves = b->depth == 0, part;

    if (b->depth > 0)
        start_all(2, grows, &child);
    for (int i = 0; b->depth > 0 && i < 2; i++) {
        must(go_chan_recv(in, &part, GO_FOREVER) == 1);
        leaves += part;
    }
    must(go_chan_send(b->out, &leaves, GO_FOREVER) == 0);
    go_chan_unref(in);
}

static void tree(void)
{
    struct branch root = {DEPTH, go_chan_new(sizeof(long), 0)};
    long leaves;

    start_all(1, grows, &root);
    must(go_chan_recv(root.out, &leaves, GO_FOREVER) == 1 && leaves == 1L << DEPTH);
    all_ended();
    go_chan_unref(root.out);
}

/* ---- the chain of G4: each adds one and passes it on ---- */

struct link {
    go_chan *in, *out;
};

static void passes_on(void *arg)
{
    struct link *l = arg;
    int v;

    must(go_chan_recv(l->in, &v, GO_FOREVER) == 1);
    v++;
    must(go_chan_send(l->out, &v, GO_FOREVER) == 0);
    go_chan_unref(l->in);
    go_chan_unref(l->out);
}

/* Without guards in page tables fewer goroutines may live. */
static void chain(void)
{
    int64_t most = go_set_goroutines_max(0) - 1;
    int n = most < CHAIN_MAX ? (int)most : CHAIN_MAX, v = 0;
    go_chan *first = go_chan_new(sizeof(int), 0), *in = go_chan_ref(first);

    for (int i = 0; i < n; i++) {
        struct link l = {in, go_chan_new(sizeof(int), 0)};

        in = go_chan_ref(l.out);
        start_all(1, passes_on, &l);
    }
    must(go_chan_send(first, &v, GO_FOREVER) == 0);
    must(go_chan_recv(in, &v, GO_FOREVER) == 1 && v == n);
    all_ended();
    go_chan_unref(first);
    go_chan_unref(in);
}

const struct program channel_programs[] = {
    {"sieve", sieve}, {"ring", ring}, {"tree", tree}, {"chain", chain}, {NULL, NULL}};
