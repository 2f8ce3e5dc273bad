/*
 * G168 How often an operation allocates: counted by the runtime, its own allocations and those of go_alloc apart.
 *
 * A goroutine that has ended leaves its record and its stack to the next: so starting one costs no allocation any more
 * once some have run.
 *
 * Pattern: allocation benchmark.
 */
#include "goroutine_inspect.h"
#include "guide.h"

enum { OPERATIONS = 1000, WARM_UP = 200 };

struct allocations {
    uint64_t own, user;
};

static void be_done(void *one)
{
    go_waitgroup_done(one);
}

/* go_waitgroup_go would keep a note of its own for each. */
static void spawn_and_wait(void)
{
    go_waitgroup one = {0};

    go_waitgroup_add(&one, 1);
    must(go_spawn(be_done, &one, 0) == 0);
    go_waitgroup_wait(&one);
}

static void three_blocks(void)
{
    void *blocks[3];

    for (int i = 0; i < 3; i++) {
        blocks[i] = go_alloc(100);
        must(blocks[i]);
    }
    for (int i = 0; i < 3; i++)
        go_free(blocks[i]);
}

static void make_channel(void)
{
    go_chan_unref(go_chan_new(sizeof(int), 10));
}

/* Of so many operations. */
static struct allocations count(void (*operation)(void))
{
    struct go_memory before, after;

    for (int i = 0; i < WARM_UP; i++)
        operation();
    go_memory_read(&before);
    for (int i = 0; i < OPERATIONS; i++)
        operation();
    go_memory_read(&after);
    return (struct allocations){after.allocations - before.allocations,
                                after.user_allocations - before.user_allocations};
}

/* The runtime may make itself a thread meanwhile, which allocates, too: some round is without. */
static struct allocations fewest(void (*operation)(void), uint64_t own)
{
    struct allocations counted;

    do
        counted = count(operation);
    while (counted.own != own);
    return counted;
}

static void report(const char *name, struct allocations counted)
{
    say("%s: %llu allocations of the runtime, %llu of go_alloc", name,
        (unsigned long long)counted.own / OPERATIONS, (unsigned long long)counted.user / OPERATIONS);
}

static void allocations(void)
{
    report("spawn and wait", fewest(spawn_and_wait, 0));
    report("channel", fewest(make_channel, OPERATIONS));
    report("three blocks", fewest(three_blocks, 0));
    /* "a warm spawn and wait allocates nothing" */
    must(said_first("spawn and wait: 0 allocations of the runtime, 0 of go_alloc"));
    /* "allocations per operation are told, those of the runtime and those of go_alloc: 0 and 0 to spawn and wait, 1 and 0
     * to make a channel, 0 and 3 to take three blocks" */
    must(said(LINES("spawn and wait: 0 allocations of the runtime, 0 of go_alloc",
                    "channel: 1 allocations of the runtime, 0 of go_alloc",
                    "three blocks: 0 allocations of the runtime, 3 of go_alloc")));
}

GUIDE_ROW(G168, allocations);
