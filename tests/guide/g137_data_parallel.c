/*
 * G137 A long sum in eight chunks, and a product of matrices by rows: each goroutine writes what is its own, and nothing is
 * shared but what all only read.
 *
 * Pattern: data parallelism. The result does not depend on how many processors there are.
 */
#include "guide.h"

enum { NUMBERS = 1000000, CHUNKS = 8, SIZE = 64 };

struct chunk {
    int first, last;
    int64_t sum;
};

static void add_chunk(void *arg)
{
    struct chunk *chunk = arg;

    for (int i = chunk->first; i <= chunk->last; i++)
        chunk->sum += i;
}

static int64_t parallel_sum(void)
{
    struct chunk chunks[CHUNKS];
    go_waitgroup all = {0};
    int64_t sum = 0;

    for (int i = 0; i < CHUNKS; i++) {
        chunks[i] = (struct chunk){NUMBERS / CHUNKS * i + 1, NUMBERS / CHUNKS * (i + 1), 0};
        must(go_waitgroup_go(&all, add_chunk, &chunks[i], 0) == 0);
    }
    go_waitgroup_wait(&all);
    for (int i = 0; i < CHUNKS; i++)
        sum += chunks[i].sum;
    return sum;
}

struct product {
    int a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];
};

struct row {
    struct product *product;
    int row;
};

static void multiply_row(void *arg)
{
    const struct row *me = arg;
    struct product *p = me->product;

    for (int column = 0; column < SIZE; column++) {
        p->c[me->row][column] = 0;
        for (int k = 0; k < SIZE; k++)
            p->c[me->row][column] += p->a[me->row][k] * p->b[k][column];
    }
}

static void multiply(struct product *product, bool parallel)
{
    go_waitgroup all = {0};

    for (int row = 0; row < SIZE; row++) {
        struct row task = {product, row};

        if (parallel)
            must(go_waitgroup_go(&all, multiply_row, &task, sizeof task) == 0);
        else
            multiply_row(&task);
    }
    go_waitgroup_wait(&all);
}

static void product_fill(struct product *product)
{
    for (int i = 0; i < SIZE; i++)
        for (int k = 0; k < SIZE; k++) {
            product->a[i][k] = (7 * i + 3 * k) % 11 - 5;
            product->b[i][k] = (5 * i + 2 * k) % 13 - 6;
        }
}

/* "the same with 1 and with 4 processors": the test runs the program with 1, 2 and 4. */
static void data_parallel(void)
{
    static struct product sequential, parallel;

    say("sum %lld", (long long)parallel_sum());
    /* "the sum of 1 to 1000000 in 8 chunks is 500000500000" */
    must(said(LINES("sum 500000500000")));
    product_fill(&sequential);
    product_fill(&parallel);
    multiply(&sequential, false);
    multiply(&parallel, true);
    /* "the product of the 64x64 matrices equals the sequential one" */
    must(memcmp(sequential.c, parallel.c, sizeof parallel.c) == 0);
}

GUIDE_ROW(G137, data_parallel);
