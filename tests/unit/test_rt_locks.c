/* Moments that decide who gets a lock or a signal: rules M2, K1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "goroutine_sync.h"
#include "rt_test.h"

/* ---- M2 ---- */

struct queue {
    go_mutex mutex;
    char order[3];
    int n;
};

struct comer {
    struct queue *q;
    char name;
};

static void comes(void *arg)
{
    const struct comer *c = arg;

    go_mutex_lock(&c->q->mutex);
    c->q->order[c->q->n++] = c->name;
    go_mutex_unlock(&c->q->mutex);
}

/* With one processor nobody comes between the unlock and the lock of one that does not wait: the first waiter is woken in
 * vain, unless it has waited for so long that the mutex is handed to it. */
RT_TEST(test_M2_a_waiter_that_was_woken_in_vain_is_the_first_again)
{
    struct queue q = {.n = 0};
    struct comer a = {&q, 'a'}, b = {&q, 'b'};
    int old = go_set_procs(1);

    go_mutex_lock(&q.mutex);
    assert_int_equal(go_spawn(comes, &a, sizeof a), 0);
    rt_wait_parked(1);
    assert_int_equal(go_spawn(comes, &b, sizeof b), 0);
    rt_wait_parked(2);
    go_mutex_unlock(&q.mutex);
    go_mutex_lock(&q.mutex);
    while (q.n == 0 && go_live() == 3) {
        struct go_stats stats;

        go_yield();
        go_stats_read(&stats);
        if (stats.parked == 2)
            break;
    }
    go_mutex_unlock(&q.mutex);
    rt_wait_live(1);
    assert_string_equal(q.order, "ab");
    go_set_procs(old);
}

/* ---- K1 ---- */

enum { TURNS = 20000 };

struct turns {
    go_mutex mutex;
    go_cond cond;
    int turn; /* even: the one who waits has nothing to do */
};

/* Takes the mutex the moment that the other one's wait lets go of it, and signals: that must not be too early. */
static void signals_at_once(void *arg)
{
    struct turns *t = arg;

    for (int done = 0; done < TURNS;) {
        while (!go_mutex_trylock(&t->mutex))
            go_checkpoint();
        if (t->turn % 2 == 0) {
            t->turn++;
            done++;
            go_cond_signal(&t->cond);
        }
        go_mutex_unlock(&t->mutex);
        go_yield();
    }
}

RT_TEST(test_K1_no_signal_comes_between_the_unlock_and_the_wait)
{
    struct turns t = {.turn = 0};

    go_spawn(signals_at_once, &t, 0);
    go_mutex_lock(&t.mutex);
    for (int i = 0; i < TURNS; i++) {
        while (t.turn % 2 == 0)
            go_cond_wait(&t.cond, &t.mutex);
        t.turn++;
    }
    go_mutex_unlock(&t.mutex);
    rt_wait_live(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_M2_a_waiter_that_was_woken_in_vain_is_the_first_again),
        RT_UNIT(test_K1_no_signal_comes_between_the_unlock_and_the_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
