/*
 * G137 between processes: chunks of a sum, and rows of a product of matrices, are worked on by four processes.
 *
 * Pattern: data parallelism.
 */
#include "parts.h"

enum { LAST = 1000000, CHUNKS = 8, WORKERS = 4, SIZE = 64 };

static long long a(int row, int column)
{
    return (row * 7 + column * 3) % 10;
}

static long long b(int row, int column)
{
    return (row * 5 + column * 11) % 10;
}

static long long cell(int row, int column)
{
    long long sum = 0;

    for (int k = 0; k < SIZE; k++)
        sum += a(row, k) * b(k, column);
    return sum;
}

/* A task is "sum CHUNK" or "row NUMBER". */
static void splitter(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");

    for (int chunk = 0; chunk < CHUNKS; chunk++)
        send_text(me, tasks, "sum %d", chunk);
    for (int row = 0; row < SIZE; row++)
        send_text(me, tasks, "row %d", row);
    close_chan(me, tasks);
}

static void sum_chunk(struct part *me, int chunk)
{
    long long sum = 0;

    for (int i = chunk * (LAST / CHUNKS) + 1; i <= (chunk + 1) * (LAST / CHUNKS); i++)
        sum += i;
    send_text(me, chan_of(me, "sums"), "%lld", sum);
}

static void multiply_row(struct part *me, int row)
{
    long long cells[SIZE + 1] = {row};

    for (int column = 0; column < SIZE; column++)
        cells[column + 1] = cell(row, column);
    must(gc_send(me->g, chan_of(me, "rows"), gc_bytes(cells, sizeof cells), GC_FOREVER) == 0);
}

static void worker(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");
    char task[TEXT_BYTES];

    while (recv_text(me, tasks, task))
        if (task[0] == 's')
            sum_chunk(me, atoi(task + 4));
        else
            multiply_row(me, atoi(task + 4));
}

static void merger(struct part *me)
{
    gc_chan sums = chan_of(me, "sums"), rows = chan_of(me, "rows");
    char text[TEXT_BYTES];
    long long sum = 0;

    for (int i = 0; i < CHUNKS; i++) {
        must(recv_text(me, sums, text));
        sum += atoll(text);
    }
    /* "the sum of 1 to 1000000 in 8 chunks is 500000500000" */
    say(me, "%lld", sum);
    for (int i = 0; i < SIZE; i++) {
        long long cells[SIZE + 1];
        struct gc_value v = {0};

        must(gc_recv(me->g, rows, &v, 0, GC_FOREVER) == 1 && v.size == sizeof cells);
        memcpy(cells, v.data, sizeof cells);
        gc_value_clear(&v);
        /* "the product of the 64x64 matrices equals the sequential one" */
        for (int column = 0; column < SIZE; column++)
            must(cells[column + 1] == cell((int)cells[0], column));
    }
}

static void data_parallel(void)
{
    must(said(LINES("500000500000")));
}

GUIDE_PARTS(G137, data_parallel,
            .channels = {{"tasks"}, {"sums", {.capacity = CHUNKS}}, {"rows", {.capacity = SIZE}}},
            .parts = {PART(splitter), PARTS(WORKERS, worker), PART(merger)});
