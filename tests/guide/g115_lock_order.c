/*
 * G115 Two goroutines lock the same two mutexes, one in the order A B, the other in the order B A: if each gets its first
 * one, neither gets its second. What the report says of it, and two cures: one order for all, or a lock with a timeout.
 *
 * Pattern: lock order. Where two locks are held at once they are held for a moment, and the order is written down: A, then B.
 */
#include "goroutine_inspect.h"
#include "guide.h"
#include "paper.h"

enum { ROUNDS = 1000, TIMEOUT_MS = 100 };

struct locks {
    go_mutex a, b;
    struct gate gate; /* until both hold one */
    go_waitgroup both;
    int rounds; /* both locks */
};

struct locker {
    const char *name;
    go_mutex *first, *second;
    struct gate *gate;
};

static void lock_both(void *arg)
{
    const struct locker *me = arg;

    go_set_name(me->name);
    go_mutex_lock(me->first);
    gate_pass(me->gate);
    go_mutex_lock(me->second);
    go_mutex_unlock(me->second);
    go_mutex_unlock(me->first);
}

static void lock_in_two_orders(struct locks *locks)
{
    struct locker one = {"first A", &locks->a, &locks->b, &locks->gate},
                  other = {"first B", &locks->b, &locks->a, &locks->gate};

    must(go_waitgroup_go(&locks->both, lock_both, &one, sizeof one) == 0);
    must(go_waitgroup_go(&locks->both, lock_both, &other, sizeof other) == 0);
    gate_until(&locks->gate, 2);
    gate_open(&locks->gate);
}

/* Wrong. */
static void two_orders(void)
{
    struct locks locks = {0};

    lock_in_two_orders(&locks);
    go_waitgroup_wait(&locks.both);
}

/* Wrong, too, and noticed by somebody else who still runs. */
static void two_orders_seen(void)
{
    static struct locks locks; /* they still use it when this function is left */
    int fd = paper();

    lock_in_two_orders(&locks);
    until_parked(2, "mutex");
    must(go_lock_cycles(go_group_current(), fd) == 1);
    go_panic("%s", paper_read(fd));
}

static void lock_in_order(void *arg)
{
    struct locks *locks = arg;

    for (int i = 0; i < ROUNDS; i++) {
        go_mutex_lock(&locks->a);
        go_mutex_lock(&locks->b);
        locks->rounds++;
        go_mutex_unlock(&locks->b);
        go_mutex_unlock(&locks->a);
    }
}

static void one_order(void)
{
    struct locks locks = {0};

    for (int i = 0; i < 2; i++)
        must(go_waitgroup_go(&locks.both, lock_in_order, &locks, 0) == 0);
    go_waitgroup_wait(&locks.both);
    /* "one order: both do their 1000 rounds" */
    must(locks.rounds == 2 * ROUNDS);
}

#define lock(c, until) go_chan_send((c), NULL, (until))
#define unlock(c)      must(go_chan_recv((c), NULL, GO_NOW) == 1)

/* A lock that can be waited for with a timeout is a channel with room for one value: to put it in is to lock. */
struct timed_locks {
    go_chan *a, *b;
    struct gate gate;
};

static void give_way(void *arg)
{
    struct timed_locks *locks = arg;

    must(lock(locks->a, GO_FOREVER) == 0);
    gate_pass(&locks->gate);
    if (lock(locks->b, go_after_ms(TIMEOUT_MS)) == -ETIMEDOUT) {
        say("timeout at %d ms", (int)fake_ms());
        unlock(locks->a);
        must(lock(locks->a, GO_FOREVER) == 0 && lock(locks->b, GO_FOREVER) == 0);
    }
    say("gave way, and had both");
    unlock(locks->b);
    unlock(locks->a);
}

static void insist(void *arg)
{
    struct timed_locks *locks = arg;

    must(lock(locks->b, GO_FOREVER) == 0);
    gate_pass(&locks->gate);
    must(lock(locks->a, GO_FOREVER) == 0);
    say("had both");
    unlock(locks->a);
    unlock(locks->b);
}

static void with_timeout(void *unused)
{
    struct timed_locks locks = {go_chan_new(0, 1), go_chan_new(0, 1)};
    go_waitgroup both = {0};

    must(go_waitgroup_go(&both, give_way, &locks, 0) == 0);
    must(go_waitgroup_go(&both, insist, &locks, 0) == 0);
    gate_until(&locks.gate, 2);
    gate_open(&locks.gate);
    go_waitgroup_wait(&both);
    /* "a lock with a timeout gives it back, and lets the other finish" */
    must(said(LINES("timeout at 100 ms", "had both", "gave way, and had both")));
    go_chan_unref(locks.a);
    go_chan_unref(locks.b);
}

static void lock_order(void)
{
    one_order();
    on_fake_clock(with_timeout, NULL);
}

GUIDE_ROW(G115, lock_order);
/* "two orders: the report shows the circle, with the last locker of each mutex" */
GUIDE_PART(G115, two_orders, .ends = ENDS_IN_DEADLOCK,
           .says = {"mutexes locked in a circle", "first A", "first B", "lock_both+",
                    "last locked by goroutine"},
           .no_job = "a mutex is memory that other jobs of the host may use too, so nothing is proven");
GUIDE_PART(G115, two_orders_seen, .ends = ENDS_IN_PANIC,
           .says = {"mutexes locked in a circle", "first A", "first B", "last locked by goroutine"},
           .drops_goroutines = true);
