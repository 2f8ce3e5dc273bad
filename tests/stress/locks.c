/* Many at once on one lock: mutex, condition variable, readers and writers, rounds of a wait group and a once. */
#include "stress.h"

#include "goroutine_sync.h"

enum { ACTORS = 24, TURNS = 400 };

struct locked {
    go_mutex mutex;
    go_rwmutex rw;
    go_cond filled, emptied;
    go_waitgroup all;
    long a, b; /* of the lock that is tried */
    int held;  /* things in the store of the conditions */
};

static void run_all(struct locked *s, void (*fn)(void *))
{
    go_waitgroup_add(&s->all, ACTORS);
    start_all(ACTORS, fn, &s);
    go_waitgroup_wait(&s->all);
    while (go_live() != 1)
        go_yield();
}

static void counts(void *arg)
{
    struct locked *s = *(struct locked **)arg;
    uint32_t dice = (uint32_t)go_id();

    for (int i = 0; i < TURNS; i++) {
        if (dice_below(&dice, 4) > 0 || !go_mutex_trylock(&s->mutex))
            go_mutex_lock(&s->mutex);
        s->a++;
        if (dice_below(&dice, 16) == 0)
            go_yield();
        s->b++;
        must(s->a == s->b);
        go_mutex_unlock(&s->mutex);
    }
    go_waitgroup_done(&s->all);
}

static void mutex(void)
{
    struct locked s = {.a = 0};

    run_all(&s, counts);
    must(s.a == (long)ACTORS * TURNS);
}

static void reads(struct locked *s, bool yields)
{
    go_rwmutex_rlock(&s->rw);
    must(s->a == s->b);
    if (yields)
        go_yield();
    must(s->a == s->b);
    go_rwmutex_runlock(&s->rw);
}

static void writes(struct locked *s, bool yields)
{
    go_rwmutex_lock(&s->rw);
    s->a++;
    if (yields)
        go_yield();
    s->b++;
    go_rwmutex_unlock(&s->rw);
}

static void reads_and_writes(void *arg)
{
    struct locked *s = *(struct locked **)arg;
    uint32_t dice = (uint32_t)go_id();

    for (int i = 0; i < TURNS; i++)
        (dice_below(&dice, 4) == 0 ? writes : reads)(s, dice_below(&dice, 16) == 0);
    go_waitgroup_done(&s->all);
}

static void rwmutex(void)
{
    struct locked s = {.a = 0};

    run_all(&s, reads_and_writes);
    must(s.a == s.b);
}

/* A store with room for three: every second one puts, the others take as much. */
static void puts_or_takes(void *arg)
{
    struct locked *s = *(struct locked **)arg;
    long puts;

    go_mutex_lock(&s->mutex);
    puts = s->a++ % 2;
    for (int i = 0; i < TURNS; i++) {
        while (puts ? s->held == 3 : s->held == 0)
            go_cond_wait(puts ? &s->emptied : &s->filled, &s->mutex);
        s->held += puts ? 1 : -1;
        go_cond_signal(puts ? &s->filled : &s->emptied);
    }
    go_mutex_unlock(&s->mutex);
    go_waitgroup_done(&s->all);
}

static void signals(void)
{
    struct locked s = {.a = 0};

    run_all(&s, puts_or_takes);
    must(s.held == 0);
}

/* Whoever comes last to a turn lets all go on. */
static void meets(void *arg)
{
    struct locked *s = *(struct locked **)arg;

    for (int i = 0; i < TURNS / 4; i++) {
        long turn;

        go_mutex_lock(&s->mutex);
        turn = s->b;
        if (++s->a % ACTORS == 0) {
            s->b++;
            go_cond_broadcast(&s->filled);
        }
        while (s->b == turn)
            go_cond_wait(&s->filled, &s->mutex);
        go_mutex_unlock(&s->mutex);
    }
    go_waitgroup_done(&s->all);
}

static void broadcasts(void)
{
    struct locked s = {.a = 0};

    run_all(&s, meets);
    must(s.b == TURNS / 4);
}

struct round {
    go_once once;
    go_waitgroup all;
    int ran;
};

static void runs(void *arg)
{
    ((struct round *)arg)->ran++;
    go_yield();
}

static void runs_once(void *arg)
{
    struct round *r = *(struct round **)arg;

    go_once_do(&r->once, runs, r);
    must(r->ran == 1);
    go_waitgroup_done(&r->all);
}

static void rounds(void)
{
    for (int i = 0; i < TURNS / 4; i++) {
        struct round r = {.ran = 0}, *p = &r;

        go_waitgroup_add(&r.all, ACTORS);
        start_all(ACTORS, runs_once, &p);
        go_waitgroup_wait(&r.all);
    }
    while (go_live() != 1)
        go_yield();
}

const struct program lock_programs[] = {{"mutex", mutex},     {"rwmutex", rwmutex},       {"rounds", rounds},
                                        {"signals", signals}, {"broadcasts", broadcasts}, {NULL, NULL}};
