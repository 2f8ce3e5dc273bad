/*
 * G15 Random numbers: one seeded generator that any goroutine may draw from.
 *
 * Pattern: counter-based generator. The state is a counter, so that a draw is one atomic addition and no lock.
 */
#include "guide.h"

enum { DRAWERS = 8, DRAWS = 10000, SHORT_DRAWS = 50 };

struct random {
    atomic_uint_fast64_t drawn;
};

/* The n-th number of a seed, whoever draws it. */
static uint64_t number_of(uint64_t n)
{
    uint64_t x = n * UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t draw(struct random *random)
{
    return number_of(atomic_fetch_add(&random->drawn, 1) + 1);
}

/* Order does not change a sum: so it says whether every number was drawn once. */
static void draw_many(void *arg)
{
    struct {
        struct random *random;
        atomic_uint_fast64_t *sum;
    } *me = arg;

    for (int i = 0; i < DRAWS; i++)
        atomic_fetch_add(me->sum, draw(me->random));
}

static void draw_together(void)
{
    struct random random = {42};
    atomic_uint_fast64_t sum = 0;
    uint64_t wanted = 0;
    go_waitgroup drawers = {0};
    void *both[] = {&random, &sum};

    for (int i = 0; i < DRAWERS; i++)
        must(go_waitgroup_go(&drawers, draw_many, both, sizeof both) == 0);
    go_waitgroup_wait(&drawers);
    for (uint64_t n = 43; n <= 42 + DRAWERS * DRAWS; n++)
        wanted += number_of(n);
    /* "8 goroutines draw 10,000 numbers each, the race build silent" */
    must(atomic_load(&sum) == wanted);
}

struct log {
    struct random random;
    int n;
    uint64_t drawn[DRAWERS * SHORT_DRAWS]; /* who, and what */
};

struct drawer {
    uint64_t id;
    struct log *log;
};

static void draw_and_log(void *arg)
{
    const struct drawer *me = arg;

    for (int i = 0; i < SHORT_DRAWS; i++) {
        me->log->drawn[me->log->n++] = draw(&me->log->random) << 3 | me->id;
        for (uint64_t yields = number_of((uint64_t)i) % 3; yields > 0; yields--)
            go_yield();
    }
}

static void run_seed(struct log *log, uint64_t seed)
{
    go_waitgroup drawers = {0};

    log->random.drawn = seed;
    log->n = 0;
    for (uint64_t id = 0; id < DRAWERS; id++)
        must(go_waitgroup_go(&drawers, draw_and_log, &((struct drawer){id, log}), sizeof(struct drawer)) ==
             0);
    go_waitgroup_wait(&drawers);
}

static void same_seed(void)
{
    static struct log first, second, other;

    run_seed(&first, 7);
    run_seed(&second, 7);
    run_seed(&other, 8);
    /* "the same seed on one processor: the same run twice" */
    must(first.n == DRAWERS * SHORT_DRAWS && memcmp(first.drawn, second.drawn, sizeof first.drawn) == 0);
    must(memcmp(first.drawn, other.drawn, sizeof first.drawn) != 0);
}

GUIDE_PART(G15, same_seed, .procs = {1}, .no_job = "a host has other goroutines on its processors");
GUIDE_ROW(G15, draw_together);
