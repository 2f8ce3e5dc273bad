/* Goroutines that begin, end, and let each other run. */
#include <stdlib.h>

#include "bench.h"

enum { FAN = 100, YIELDERS = 8, BRANCHES = 10 };

/* A goroutine that marks one byte and is done. */
struct marker {
    go_waitgroup *done;
    unsigned char *mark;
};

static void mark(void *arg)
{
    struct marker *m = arg;

    *m->mark = 1;
    go_waitgroup_done(m->done);
}

static unsigned char *marks_new(int64_t n)
{
    unsigned char *marks = malloc((size_t)n);

    must(marks ? 0 : -12, "marks");
    for (int64_t i = 0; i < n; i++)
        marks[i] = 0;
    return marks;
}

static uint64_t marks_count(unsigned char *marks, int64_t n)
{
    uint64_t count = 0;

    for (int64_t i = 0; i < n; i++)
        count += marks[i];
    free(marks);
    return count;
}

static void mark_all(go_waitgroup *done, unsigned char *marks, int64_t n)
{
    go_waitgroup_add(done, (int)n);
    for (int64_t i = 0; i < n; i++) {
        struct marker m = {done, &marks[i]};

        must_spawn(mark, &m, sizeof m);
    }
    go_waitgroup_wait(done);
}

uint64_t spawn_join(struct run *r)
{
    unsigned char *marks = marks_new(r->n);
    go_waitgroup done = {0};

    run_begin(r);
    mark_all(&done, marks, r->n);
    run_end(r);
    return marks_count(marks, r->n);
}

uint64_t fan_out(struct run *r)
{
    unsigned char *marks = marks_new(r->n);
    go_waitgroup done = {0};

    run_begin(r);
    for (int64_t i = 0; i < r->n; i += FAN)
        mark_all(&done, marks + i, FAN);
    run_end(r);
    return marks_count(marks, r->n);
}

static void count_one(void *arg)
{
    _Atomic uint64_t *count = *(_Atomic uint64_t **)arg;

    (*count)++;
}

uint64_t spawn_exit(struct run *r)
{
    static _Atomic uint64_t ended;
    _Atomic uint64_t *count = &ended;

    ended = 0;
    run_begin(r);
    for (int64_t i = 0; i < r->n; i += FAN) {
        for (int j = 0; j < FAN; j++)
            must_spawn(count_one, &count, sizeof count);
        while (ended < (uint64_t)i + FAN)
            go_yield();
    }
    run_end(r);
    return ended;
}

/* ---- a tree of a million ---- */

struct branch {
    go_chan *parent;
    int64_t first, size;
};

static void branch_run(void *arg)
{
    struct branch *b = arg, child = {.size = b->size / BRANCHES};
    int64_t value, sum = 0;

    if (b->size == 1) {
        go_chan_send(b->parent, &b->first, GO_FOREVER);
        return;
    }
    child.parent = must_chan(sizeof(int64_t), 0);
    for (int i = 0; i < BRANCHES; i++) {
        child.first = b->first + i * child.size;
        must_spawn(branch_run, &child, sizeof child);
    }
    for (int i = 0; i < BRANCHES; i++) {
        go_chan_recv(child.parent, &value, GO_FOREVER);
        sum += value;
    }
    go_chan_unref(child.parent);
    go_chan_send(b->parent, &sum, GO_FOREVER);
}

uint64_t skynet(struct run *r)
{
    struct branch root = {.parent = must_chan(sizeof(int64_t), 0), .size = r->n};
    int64_t sum = 0;

    run_begin(r);
    must_spawn(branch_run, &root, sizeof root);
    go_chan_recv(root.parent, &sum, GO_FOREVER);
    run_end(r);
    go_chan_unref(root.parent);
    return (uint64_t)sum;
}

/* ---- yield ---- */

struct yielder {
    go_waitgroup *done;
    int64_t n;
    _Atomic uint64_t *count;
};

static void yielder_run(void *arg)
{
    struct yielder *y = arg;

    for (int64_t i = 0; i < y->n; i++)
        go_yield();
    *y->count += (uint64_t)y->n;
    go_waitgroup_done(y->done);
}

static uint64_t yield_all(struct run *r, int yielders)
{
    go_waitgroup done = {0};
    _Atomic uint64_t count = 0;
    struct yielder y = {&done, r->n / yielders, &count};

    go_waitgroup_add(&done, yielders);
    run_begin(r);
    for (int i = 0; i < yielders; i++)
        must_spawn(yielder_run, &y, sizeof y);
    go_waitgroup_wait(&done);
    run_end(r);
    return count;
}

uint64_t yields(struct run *r)
{
    return yield_all(r, YIELDERS);
}

uint64_t yields_of_two(struct run *r)
{
    return yield_all(r, 2);
}
