/*
 * primes N with its chain of filters in other processes: the prime numbers up to N, one a line.
 *
 * Pattern: a generator and a chain of filters. The first process counts. Each takes the first numbers that it gets for
 * primes, as many as are its share, and passes on those that are not multiples of them. When the last prime is printed the
 * context of the chain is cancelled, and all of its processes are joined.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "goclient_context.h"
#include "workers.h"

enum { LIMIT_MAX = 100000, SHARE = 10 };

struct filter {
    gc_client *g;
    gc_chan in, out, primes; /* in: nil, it counts itself; out: nil, it is the last */
    gc_until until;
    int prime[LIMIT_MAX], n, counted;
};

static bool divides(const struct filter *f, int number)
{
    for (int i = 0; i < f->n; i++)
        if (number % f->prime[i] == 0)
            return true;
    return false;
}

/* -ECANCELED: no more. */
static int next_number(struct filter *f, int *number)
{
    struct gc_value v = {0};
    int r;

    if (!f->in.id) {
        *number = 2 + f->counted++;
        return 1;
    }
    r = gc_recv(f->g, f->in, &v, 0, f->until);
    if (r == 1)
        memcpy(number, v.data, sizeof *number);
    gc_value_clear(&v);
    return r;
}

/* Numbers that pass one process are told in their order, before the next process has any behind them. */
static void run_filter(struct filter *f)
{
    int number, r = 0;

    while (r == 0 && next_number(f, &number) == 1) {
        bool mine = f->n < SHARE || !f->out.id;

        if (divides(f, number))
            continue;
        if (mine)
            f->prime[f->n++] = number;
        r = gc_send(f->g, mine ? f->primes : f->out, gc_bytes(&number, sizeof number), f->until);
    }
}

static void filter_process(gc_client *g, const char *name, int index, int n)
{
    static struct filter f;
    struct gc_value id = {0};
    uint64_t number;
    gc_ctx *ctx;

    f.g = g;
    f.primes = workers_chan(g, name, "primes", 0, 0);
    if (index > 0)
        f.in = workers_chan(g, name, "link", index, 0);
    if (index < n - 1)
        f.out = workers_chan(g, name, "link", index + 1, 0);
    if (gc_recv(g, workers_tasks(g, name), &id, 0, GC_FOREVER) != 1)
        return; /* the program has ended without */
    memcpy(&number, id.data, sizeof number);
    if (gc_context_of(g, number, &ctx, GC_FOREVER) < 0)
        abort();
    gc_value_clear(&id);
    f.until = gc_with(ctx);
    run_filter(&f);
    gc_ctx_free(ctx);
}

static bool print_prime(int prime, int limit)
{
    if (prime <= limit)
        printf("%d\n", prime);
    return prime < limit;
}

static void print_in_sequence(int limit)
{
    static struct filter f;

    for (int number; next_number(&f, &number) == 1 && number <= limit;)
        if (!divides(&f, number)) {
            f.prime[f.n++] = number;
            print_prime(number, limit);
        }
}

static void print_with_chain(struct workers *w, int limit)
{
    gc_client *g = workers_client(w);
    gc_chan primes = workers_chan(g, workers_name(w), "primes", 0, 0);
    struct gc_value v = {0};
    uint64_t id;
    int prime;
    gc_ctx *ctx;

    if (gc_context_new(g, &ctx, GC_FOREVER) < 0)
        abort();
    id = gc_context_id(ctx);
    for (int i = 0; i < workers_n(w); i++)
        if (gc_send(g, workers_tasks(g, workers_name(w)), gc_bytes(&id, sizeof id), GC_FOREVER) < 0)
            abort();
    do {
        if (gc_recv(g, primes, &v, 0, GC_FOREVER) != 1)
            abort();
        memcpy(&prime, v.data, sizeof prime);
        gc_value_clear(&v);
    } while (print_prime(prime, limit));
    gc_context_cancel(ctx, 0, "the last is printed", GC_FOREVER);
    gc_ctx_free(ctx);
}

static int primes(struct workers *w, char **operands, bool unused)
{
    char *end;
    long limit = strtol(operands[0], &end, 10);

    (void)unused;
    if (*end || limit < 0 || limit > LIMIT_MAX) {
        tell_error(operands[0], -EINVAL);
        return STATUS_USAGE;
    }
    if (workers_n(w) > 0)
        print_with_chain(w, (int)limit);
    else
        print_in_sequence((int)limit);
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    static const struct worker_program program = {.operands = "N", .run = primes, .process = filter_process};

    return workers_main(argc, argv, &program);
}
