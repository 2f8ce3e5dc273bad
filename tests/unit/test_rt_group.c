/* Groups, the end of a scope, parking for libraries, threads that call in: rules P5, Z5, and what a host needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "rt_host.h"

struct member {
    go_chan *c;
    go_mutex *mutex;
    _Atomic int *result, *deferred, *cleaned;
};

static void count_deferred(void *p)
{
    atomic_fetch_add((_Atomic int *)p, 1);
}

static void count_cleanup(_Atomic int **p)
{
    atomic_fetch_add(*p, 1);
}

static void waits_twice(void *arg)
{
    struct member *m = arg;
    __attribute__((cleanup(count_cleanup))) _Atomic int *cleaned = m->cleaned;
    int v;

    (void)cleaned;
    go_defer(count_deferred, (void *)m->deferred);
    atomic_store(m->result, go_chan_recv(m->c, &v, GO_FOREVER));
    go_chan_recv(m->c, &v, GO_FOREVER);
    atomic_store(m->result, 12345);
}

HOST_TEST(test_P5_scope_end_fails_one_wait_then_unwinds)
{
    _Atomic int result = 0, deferred = 0, cleaned = 0;
    go_group *group = go_group_new(NULL, NULL, NULL);
    struct member m = {go_chan_new(sizeof(int), 0), NULL, &result, &deferred, &cleaned};

    group_start(group, waits_twice, &m, sizeof m);
    wait_parked_members(group, 1);
    assert_int_equal(go_group_wait(group, GO_NOW), -EAGAIN);
    go_group_end(group);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    assert_int_equal(result, -ECANCELED);
    assert_int_equal(deferred, 1);
    assert_int_equal(cleaned, 1);
    assert_int_equal(go_group_live(group), 0);
    go_group_unref(group);
    go_chan_unref(m.c);
}

static void locks(void *arg)
{
    struct member *m = arg;

    go_defer(count_deferred, (void *)m->deferred);
    go_mutex_lock(m->mutex);
    atomic_store(m->result, 1);
}

HOST_TEST(test_P5_scope_end_unwinds_a_wait_that_cannot_fail)
{
    _Atomic int result = 0, deferred = 0;
    go_mutex mutex = {{0}};
    go_group *group = go_group_new(NULL, NULL, NULL);
    struct member m = {NULL, &mutex, &result, &deferred, NULL};

    go_mutex_lock(&mutex);
    group_start(group, locks, &m, sizeof m);
    wait_parked_members(group, 1);
    go_group_end(group);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    assert_int_equal(result, 0);
    assert_int_equal(deferred, 1);
    go_mutex_unlock(&mutex);
    assert_int_equal(go_mutex_trylock(&mutex), 1);
    go_group_unref(group);
}

struct cond_member {
    go_cond *cond;
    go_mutex *mutex;
};

static void unlock(void *p)
{
    go_mutex_unlock(p);
}

static void waits_on_cond(void *arg)
{
    struct cond_member *m = arg;

    go_mutex_lock(m->mutex);
    go_defer(unlock, m->mutex);
    go_cond_wait(m->cond, m->mutex);
}

HOST_TEST(test_P5_cond_wait_locks_again_before_it_unwinds)
{
    go_mutex mutex = {{0}};
    go_cond cond = {{0}};
    struct cond_member m = {&cond, &mutex};
    go_group *group = go_group_new(NULL, NULL, NULL);

    group_start(group, waits_on_cond, &m, sizeof m);
    wait_parked_members(group, 1);
    go_group_end(group);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    assert_int_equal(go_mutex_trylock(&mutex), 1);
    go_group_unref(group);
}

static void spawns_child(void *arg)
{
    struct member *m = arg;

    assert_int_equal(go_spawn(waits_twice, m, sizeof *m), 0);
}

HOST_TEST(test_P5_group_is_inherited_and_refuses_members_after_its_end)
{
    _Atomic int result = 0, deferred = 0, cleaned = 0;
    go_group *group = go_group_new(NULL, NULL, NULL);
    struct member m = {go_chan_new(sizeof(int), 0), NULL, &result, &deferred, &cleaned};
    struct go_spawn_options options = {.group = group};

    group_start(group, spawns_child, &m, sizeof m);
    wait_parked_members(group, 1);
    while (go_group_live(group) != 1)
        go_yield();
    go_group_end(group);
    assert_int_equal(go_spawn_with(waits_twice, &m, sizeof m, &options), -ECANCELED);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    go_group_unref(group);
    go_chan_unref(m.c);
}

/* ---- hooks ---- */

struct hooked {
    char text[64], stack[256];
    _Atomic int panics, deadlocks, empties;
};

static void on_panic(go_group *group, const char *text, const char *stack, void *arg)
{
    struct hooked *h = arg;

    snprintf(h->text, sizeof h->text, "%s", text);
    snprintf(h->stack, sizeof h->stack, "%s", stack);
    atomic_fetch_add(&h->panics, 1);
    go_group_end(group);
}

static void on_deadlock(go_group *group, void *arg)
{
    struct hooked *h = arg;

    atomic_fetch_add(&h->deadlocks, 1);
    go_group_end(group);
}

static void on_empty(go_group *group, void *arg)
{
    struct hooked *h = arg;

    atomic_fetch_add(&h->empties, 1);
}

static const struct go_group_hooks hooks = {on_panic, on_deadlock, on_empty};

static void panics(void *arg)
{
    go_panic("job %d broke", 3);
}

HOST_TEST(test_P5_panic_goes_to_the_group_and_neighbours_go_on)
{
    struct hooked h = {.text = ""};
    go_group *group = go_group_new(&hooks, NULL, &h), *other = go_group_new(NULL, NULL, NULL);
    _Atomic int result = 0, deferred = 0, cleaned = 0;
    struct member m = {go_chan_new(sizeof(int), 0), NULL, &result, &deferred, &cleaned};
    int v = 1;

    group_start(other, waits_twice, &m, sizeof m);
    group_start(group, panics, NULL, 0);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    while (atomic_load(&h.empties) == 0)
        go_yield();
    assert_int_equal(h.panics, 1);
    assert_string_equal(h.text, "job 3 broke");
    assert_non_null(strchr(h.stack, '\n'));
    assert_int_equal(go_chan_send(m.c, &v, GO_FOREVER), 0);
    go_group_end(other);
    assert_int_equal(go_group_wait(other, GO_FOREVER), 0);
    assert_int_equal(result, 12345); /* received, and told once of the end of its scope */
    go_group_unref(group);
    go_group_unref(other);
    go_chan_unref(m.c);
}

static void deadlocks(void *arg)
{
    go_chan *c = go_chan_new(0, 0);

    go_chan_recv(c, NULL, GO_FOREVER);
    go_chan_unref(c);
}

HOST_TEST(test_Z5_group_whose_members_wait_only_on_their_own_objects_is_deadlocked)
{
    struct hooked h = {.text = ""};
    go_group *group = go_group_new(&hooks, NULL, &h);

    group_start(group, deadlocks, NULL, 0);
    while (atomic_load(&h.empties) == 0)
        go_yield();
    assert_int_equal(h.deadlocks, 1);
    go_group_unref(group);
}

static void sleeps_then_ends(void *arg)
{
    go_sleep(go_after_ms(5));
}

static int deadlocks_of(void (*fn)(void *), void *arg)
{
    struct hooked h = {.text = ""};
    go_group *group = go_group_new(&hooks, NULL, &h);

    group_start(group, fn, arg, 0);
    while (go_group_live(group) != 0)
        go_yield();
    go_group_end(group);
    while (atomic_load(&h.empties) == 0)
        go_yield();
    go_group_unref(group);
    return h.deadlocks;
}

static void receives_until_a_deadline(void *arg)
{
    go_chan *c = go_chan_new(0, 0);

    assert_int_equal(go_chan_recv(c, NULL, go_after_ms(5)), -ETIMEDOUT);
    go_chan_unref(c);
}

HOST_TEST(test_Z5_a_wait_with_a_deadline_is_no_deadlock)
{
    assert_int_equal(deadlocks_of(receives_until_a_deadline, NULL), 0);
}

static void receives_foreign(void *arg)
{
    go_chan_recv(*(go_chan **)arg, NULL, GO_FOREVER);
}

static void yields_often(void *arg)
{
    for (int i = 0; i < 500; i++)
        go_yield();
}

/* Time for what the runtime has started before. */
static void let_others_run(void)
{
    go_group *group = go_group_new(NULL, NULL, NULL);

    group_start(group, yields_often, NULL, 0);
    go_group_end(group);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    go_group_unref(group);
}

HOST_TEST(test_Z5_timer_or_foreign_channel_is_no_deadlock)
{
    struct hooked h = {.text = ""};
    go_group *group = go_group_new(&hooks, NULL, &h);
    go_chan *c = go_chan_new(0, 0);

    group_start(group, sleeps_then_ends, NULL, 0);
    group_start(group, receives_foreign, &c, sizeof c);
    wait_parked_members(group, 1);
    while (go_group_live(group) != 1)
        go_yield();
    let_others_run();
    go_chan_close(c);
    while (go_group_live(group) != 0)
        go_yield();
    go_group_end(group);
    while (atomic_load(&h.empties) == 0)
        go_yield();
    assert_int_equal(h.deadlocks, 0);
    go_group_unref(group);
    go_chan_unref(c);
}

static void sends(void *arg)
{
    go_chan_send(arg, NULL, GO_FOREVER);
}

/* Waits on its own channel: woken by a function that a timer starts, then by one that a context starts. */
static void is_woken_later(void *arg)
{
    go_chan *c = go_chan_new(0, 0);
    go_timer *t = go_timer_func(INT64_MAX, sends, c); /* not due however long this takes */
    go_ctx_func *f;
    go_ctx *ctx;

    assert_int_equal(go_timer_reset(t, 5000000), 1);
    assert_int_equal(go_chan_recv(c, NULL, GO_FOREVER), 1);
    go_timer_unref(t);
    ctx = go_ctx_with_deadline(go_ctx_background(), go_after_ms(5));
    f = go_ctx_after_func(ctx, sends, c);
    assert_int_equal(go_chan_recv(c, NULL, GO_FOREVER), 1);
    assert_int_equal(go_ctx_func_stop(f), 0);
    go_ctx_unref(ctx);
    if (arg) { /* a function that was called off wakes nobody */
        t = go_timer_func(INT64_MAX, sends, c);
        assert_int_equal(go_timer_stop(t), 1);
        go_timer_unref(t);
        go_chan_recv(c, NULL, GO_FOREVER);
    }
    go_chan_unref(c);
}

HOST_TEST(test_Z5_a_function_that_is_due_later_rules_out_a_deadlock)
{
    int calls_off = 1;

    assert_int_equal(deadlocks_of(is_woken_later, NULL), 0);
    assert_int_equal(deadlocks_of(is_woken_later, &calls_off), 1);
}

/* ---- parking for libraries ---- */

struct service {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    go_wait waits[64];
    int n, served, total;
};

static void *serve(void *arg)
{
    struct service *s = arg;

    while (s->served < s->total) {
        go_wait w;

        pthread_mutex_lock(&s->lock);
        while (s->n == 0)
            pthread_cond_wait(&s->changed, &s->lock);
        w = s->waits[--s->n];
        pthread_mutex_unlock(&s->lock);
        assert_int_equal(go_ready(w, 7), 1);
        assert_int_equal(go_ready(w, 8), 0);
        s->served++;
    }
    return NULL;
}

struct asker {
    struct service *s;
    _Atomic int *sum;
    int times;
};

static void asks(void *arg)
{
    struct asker *a = arg;

    for (int i = 0; i < a->times; i++) {
        go_wait w = go_wait_begin();

        pthread_mutex_lock(&a->s->lock);
        a->s->waits[a->s->n++] = w;
        pthread_cond_signal(&a->s->changed);
        pthread_mutex_unlock(&a->s->lock);
        atomic_fetch_add(a->sum, go_park(w, "service", 0, GO_FOREVER));
    }
}

HOST_TEST(test_foreign_thread_readies_parked_goroutines_and_none_is_lost)
{
    enum { ASKERS = 8, TIMES = 500 };
    struct service s = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, .total = ASKERS * TIMES};
    go_group *group = go_group_new(NULL, NULL, NULL);
    _Atomic int sum = 0;
    struct asker a = {&s, &sum, TIMES};
    pthread_t thread;

    pthread_create(&thread, NULL, serve, &s);
    for (int i = 0; i < ASKERS; i++)
        group_start(group, asks, &a, sizeof a);
    pthread_join(thread, NULL);
    go_group_end(group);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    assert_int_equal(sum, 7 * ASKERS * TIMES);
    go_group_unref(group);
}

HOST_TEST(test_park_ends_at_its_deadline_and_a_late_ready_finds_it_over)
{
    go_wait w = go_wait_begin(), second;

    assert_int_equal(go_park(w, "nothing", 0, go_after_ms(2)), -ETIMEDOUT);
    assert_int_equal(go_ready(w, 1), 0);
    w = go_wait_begin();
    assert_int_equal(go_ready(w, 3), 1);
    assert_int_equal(go_park(w, "early answer", 0, GO_FOREVER), 3);
    second = go_wait_begin();
    assert_int_equal(go_wait_cancel(second), 1);
    assert_int_equal(go_ready(second, 1), 0);
}

/* Both begin their wait before the end of their scope, and park after it. */
static void waits_over_the_end(void *arg)
{
    go_wait w = go_wait_begin();

    go_group_end(go_group_current());
    assert_int_equal(go_ready(w, 7), 1);
    assert_int_equal(go_park(w, "masked", GO_PARK_MASKED, GO_FOREVER), 7);
    w = go_wait_begin();
    assert_int_equal(go_park(w, "not masked", 0, GO_FOREVER), -ECANCELED);
    atomic_store((_Atomic int *)arg, 1);
}

HOST_TEST(test_P5_a_masked_park_is_ended_by_its_answer_alone_also_when_the_scope_ended_before_it)
{
    go_group *group = go_group_new(NULL, NULL, NULL);
    _Atomic int done = 0;

    group_start(group, waits_over_the_end, &done, 0);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    assert_int_equal(done, 1);
    go_group_unref(group);
}

HOST_TEST(test_plain_thread_waits_on_channels_like_a_goroutine)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    int v;

    assert_int_equal(go_chan_recv(c, &v, go_after_ms(2)), -ETIMEDOUT);
    assert_false(go_inside());
    go_spawn(receives_foreign, &c, sizeof c);
    assert_int_equal(go_chan_send(c, &v, GO_FOREVER), 0);
    go_chan_unref(c);
}

struct found {
    int members, frames;
    char reason[32];
};

static int look(const struct go_info *info, void *arg)
{
    struct found *f = arg;

    f->members += info->state == GO_STATE_PARKED;
    f->frames += info->frames;
    snprintf(f->reason, sizeof f->reason, "%s", info->reason);
    return 0;
}

HOST_TEST(test_members_are_listed_with_reason_and_stack)
{
    go_group *group = go_group_new(NULL, NULL, NULL);
    go_chan *c = go_chan_new(0, 0);
    struct found f = {0};

    group_start(group, receives_foreign, &c, sizeof c);
    wait_parked_members(group, 1);
    go_each(group, look, &f);
    assert_string_equal(f.reason, "chan receive");
    assert_in_range(f.frames, 3, GO_FRAMES_MAX);
    go_chan_close(c);
    go_group_end(group);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    go_group_unref(group);
    go_chan_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P5_scope_end_fails_one_wait_then_unwinds),
        cmocka_unit_test(test_P5_scope_end_unwinds_a_wait_that_cannot_fail),
        cmocka_unit_test(test_P5_cond_wait_locks_again_before_it_unwinds),
        cmocka_unit_test(test_P5_group_is_inherited_and_refuses_members_after_its_end),
        cmocka_unit_test(test_P5_panic_goes_to_the_group_and_neighbours_go_on),
        cmocka_unit_test(test_Z5_group_whose_members_wait_only_on_their_own_objects_is_deadlocked),
        cmocka_unit_test(test_Z5_a_wait_with_a_deadline_is_no_deadlock),
        cmocka_unit_test(test_Z5_timer_or_foreign_channel_is_no_deadlock),
        cmocka_unit_test(test_Z5_a_function_that_is_due_later_rules_out_a_deadlock),
        cmocka_unit_test(test_foreign_thread_readies_parked_goroutines_and_none_is_lost),
        cmocka_unit_test(test_park_ends_at_its_deadline_and_a_late_ready_finds_it_over),
        cmocka_unit_test(
            test_P5_a_masked_park_is_ended_by_its_answer_alone_also_when_the_scope_ended_before_it),
        cmocka_unit_test(test_plain_thread_waits_on_channels_like_a_goroutine),
        cmocka_unit_test(test_members_are_listed_with_reason_and_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
