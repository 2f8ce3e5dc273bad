/*
 * primes N: the prime numbers up to N, one a line. -w N: so many processors.
 *
 * Pattern: a generator and a growing chain of filters. Each filter takes the first number it gets for a prime and passes
 * on those that are not its multiples. When the last prime is printed the context of the chain is cancelled, and all of
 * its goroutines are joined.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "program.h"

enum { LIMIT_MAX = 10000000 };

/* One goroutine of the chain. It holds both channels. */
struct link {
    go_chan *in, *out;
    int prime;
    go_ctx *ctx;
};

static go_waitgroup chain; /* all links */

static void generate(void *arg)
{
    struct link *me = arg;

    for (int n = 2; go_chan_send(me->out, &n, go_with(me->ctx)) == 0; n++)
        continue;
    go_chan_unref(me->out);
}

static void filter(void *arg)
{
    struct link *me = arg;
    int n;

    while (go_chan_recv(me->in, &n, go_with(me->ctx)) == 1)
        if (n % me->prime != 0 && go_chan_send(me->out, &n, go_with(me->ctx)) < 0)
            break;
    go_chan_unref(me->in);
    go_chan_unref(me->out);
}

/* Starts a goroutine that sends into the channel returned. `in` is passed on to it. */
static go_chan *chain_add(void (*fn)(void *arg), go_chan *in, int prime, go_ctx *ctx)
{
    go_chan *out = go_chan_new(sizeof(int), 0);
    struct link link = {in, out, prime, ctx};

    if (!out || !go_chan_ref(out) || go_waitgroup_go(&chain, fn, &link, sizeof link) < 0)
        go_panic("no memory for prime %d", prime);
    return out;
}

static void print_with_chain(int limit)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    go_chan *end = chain_add(generate, NULL, 0, ctx);
    int prime;

    while (go_range(end, &prime) && prime <= limit) {
        fprintf(program_out(), "%d\n", prime);
        end = chain_add(filter, end, prime, ctx);
    }
    go_ctx_cancel(ctx, 0, NULL);
    go_waitgroup_wait(&chain);
    go_chan_unref(end);
    go_ctx_unref(ctx);
}

/* By the primes found so far. */
static void print_in_sequence(int limit)
{
    int *primes = must_alloc((size_t)limit * sizeof *primes), n = 0;

    for (int candidate = 2; candidate <= limit; candidate++) {
        int i = 0;

        while (i < n && primes[i] * primes[i] <= candidate && candidate % primes[i] != 0)
            i++;
        if (i < n && primes[i] * primes[i] <= candidate)
            continue;
        primes[n++] = candidate;
        fprintf(program_out(), "%d\n", candidate);
    }
    free(primes);
}

static int primes(const struct program *p)
{
    char *end;
    long limit = strtol(p->operands[0], &end, 10);

    if (*end || limit < 0 || limit > LIMIT_MAX) {
        program_error(p->operands[0], -EINVAL);
        return STATUS_USAGE;
    }
    go_set_procs(p->workers);
    (p->sequential ? print_in_sequence : print_with_chain)((int)limit);
    program_tell("%ld goroutines live", (long)program_live());
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    return program_main(argc, argv, "N", NULL, primes);
}
