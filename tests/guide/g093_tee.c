/*
 * G93 One input, two readers, each of which gets everything.
 *
 * Pattern: tee. The two go in step: a reader that stalls holds back the other, not the memory.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { NUMBERS = 5 };

struct reader {
    go_receiver in;
    int values[NUMBERS + 1];
    atomic_int n;
};

static void count(go_emitter out, void *unused)
{
    for (int n = 1; n <= NUMBERS && go_emit(out, &n) == 0; n++)
        continue;
}

static void read_all(void *arg)
{
    struct reader *me = arg;

    for (int i = 0; i <= NUMBERS && go_receiver_range(me->in, &me->values[i]); i++)
        atomic_fetch_add(&me->n, 1);
}

static void start(struct reader readers[2], go_ctx *ctx)
{
    go_receiver out[2];

    must(go_tee(go_generate(count, NULL, 0, sizeof(int), 0, ctx), out, 0, ctx) == 0);
    readers[0].in = out[0];
    readers[1].in = out[1];
}

static void stop(struct reader readers[2])
{
    go_generate_stop(readers[0].in);
    go_generate_stop(readers[1].in);
    until_live(1);
}

static void both_read(void)
{
    struct reader readers[2] = {{.n = 0}, {.n = 0}};
    go_waitgroup ended = {0};

    start(readers, NULL);
    for (int i = 0; i < 2; i++)
        must(go_waitgroup_go(&ended, read_all, &readers[i], 0) == 0);
    go_waitgroup_wait(&ended);
    for (int i = 0; i < 2; i++)
        /* "both get 1, 2, 3, 4, 5 in order, and both are closed" */
        must(ints_are(readers[i].values, (size_t)readers[i].n, INTS(1, 2, 3, 4, 5)));
    stop(readers);
}

static void one_stalls(void)
{
    struct reader readers[2] = {{.n = 0}, {.n = 0}};
    int value;

    start(readers, NULL);
    must(go_spawn(read_all, &readers[1], 0) == 0);
    until_waiting(3); /* the generator, the tee and the reader that goes on */
    /* "a stalled reader holds the other back: it is one value ahead" */
    must(atomic_load(&readers[1].n) == 1);
    /* "no deadlock: when it reads again both go on" */
    for (int i = 1; i <= NUMBERS; i++)
        must(go_receiver_recv(readers[0].in, &value, GO_FOREVER) == 1 && value == i);
    until_live(1);
    must(atomic_load(&readers[1].n) == NUMBERS);
    stop(readers);
}

static void cancelled(void)
{
    go_ctx *ctx = go_ctx_new(go_ctx_background());
    struct reader readers[2] = {{.n = 0}, {.n = 0}};

    start(readers, ctx);
    until_waiting(2); /* nobody reads */
    go_ctx_cancel(ctx, 0, NULL);
    until_live(1);
    /* "a cancel frees a tee that is stalled" */
    must(go_receiver_recv(readers[0].in, NULL, GO_FOREVER) == 0);
    must(go_receiver_recv(readers[1].in, NULL, GO_FOREVER) == 0);
    stop(readers);
    go_ctx_unref(ctx);
}

static void tee(void)
{
    both_read();
    one_stalls();
    cancelled();
    say("%d numbers to two readers", NUMBERS);
}

GUIDE_ROW(G93, tee);
