/*
 * What happens before what: rules Y. Everything that is passed here lies in plain memory, so the race build reports an
 * edge that is missing; in other builds these tests show that values are seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "goroutine_sync.h"
#include "rt_test.h"

enum { ROUNDS = 500 };

/* Plain memory that one goroutine writes and another one reads. */
struct page {
    long value;
    go_chan *c;
};

static struct page *page_new(size_t capacity)
{
    struct page *p = calloc(1, sizeof *p);

    assert_non_null(p);
    p->c = go_chan_new(0, capacity);
    return p;
}

static void page_delete(struct page *p)
{
    go_chan_unref(p->c);
    free(p);
}

/* ---- Y1 ---- */

static void reads_at_its_start(void *arg)
{
    struct page *p = arg;

    assert_int_equal(p->value, 7);
    go_chan_close(p->c);
}

RT_TEST(test_Y1_a_goroutine_sees_what_its_creator_did)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct page *p = page_new(0);

        p->value = 7;
        go_spawn(reads_at_its_start, p, 0);
        assert_int_equal(go_chan_recv(p->c, NULL, GO_FOREVER), 0);
        page_delete(p);
    }
}

static void writes_and_sends(void *arg)
{
    struct page *p = arg;

    p->value = 8;
    go_chan_send(p->c, NULL, GO_FOREVER);
}

static void check_sends(size_t capacity)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct page *p = page_new(capacity);

        go_spawn(writes_and_sends, p, 0);
        while (i % 2 && go_chan_recv(p->c, NULL, GO_NOW) != 1)
            go_yield();
        if (i % 2 == 0)
            assert_int_equal(go_chan_recv(p->c, NULL, GO_FOREVER), 1);
        assert_int_equal(p->value, 8);
        rt_wait_live(1);
        page_delete(p);
    }
}

RT_TEST(test_Y1_a_receive_sees_what_was_done_before_the_send)
{
    check_sends(0);
    check_sends(1);
}

static void writes_and_receives(void *arg)
{
    struct page *p = arg;

    p->value = 9;
    go_chan_recv(p->c, NULL, GO_FOREVER);
}

RT_TEST(test_Y1_a_send_without_a_buffer_sees_what_was_done_before_the_receive)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct page *p = page_new(0);

        go_spawn(writes_and_receives, p, 0);
        assert_int_equal(go_chan_send(p->c, NULL, GO_FOREVER), 0);
        assert_int_equal(p->value, 9);
        rt_wait_live(1);
        page_delete(p);
    }
}

/* A channel with room for one is a lock: receive number k comes before the return of send number k + 1. */
static void counts_inside(void *arg)
{
    struct page *p = *(struct page **)arg;

    for (int i = 0; i < ROUNDS; i++) {
        go_chan_send(p->c, NULL, GO_FOREVER);
        p->value++;
        go_chan_recv(p->c, NULL, GO_FOREVER);
    }
}

RT_TEST(test_Y1_a_full_buffer_orders_a_send_after_the_receive_that_makes_room)
{
    struct page *p = page_new(1);

    for (int i = 0; i < 4; i++)
        go_spawn(counts_inside, &p, sizeof p);
    rt_wait_live(1);
    go_chan_send(p->c, NULL, GO_FOREVER);
    assert_int_equal(p->value, 4 * ROUNDS);
    page_delete(p);
}

static void writes_and_closes(void *arg)
{
    struct page *p = arg;

    p->value = 10;
    go_chan_close(p->c);
}

RT_TEST(test_Y1_a_receive_that_a_close_ends_sees_what_was_done_before_it)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct page *p = page_new(1);

        go_spawn(writes_and_closes, p, 0);
        assert_int_equal(go_chan_recv(p->c, NULL, GO_FOREVER), 0);
        assert_int_equal(p->value, 10);
        rt_wait_live(1);
        page_delete(p);
    }
}

/* ---- Y2 ---- */

struct guarded {
    go_mutex mutex;
    go_rwmutex rw;
    go_cond cond;
    go_once once;
    go_waitgroup group;
    long value, other;
};

static void counts_locked(void *arg)
{
    struct guarded *s = *(struct guarded **)arg;

    for (int i = 0; i < ROUNDS; i++) {
        go_mutex_lock(&s->mutex);
        s->value++;
        go_mutex_unlock(&s->mutex);
        go_rwmutex_lock(&s->rw);
        s->other++;
        go_rwmutex_unlock(&s->rw);
        go_rwmutex_rlock(&s->rw);
        assert_true(s->other > 0);
        go_rwmutex_runlock(&s->rw);
    }
}

RT_TEST(test_Y2_a_lock_sees_what_was_done_before_the_unlock)
{
    struct guarded s = {.value = 0}, *p = &s;

    for (int i = 0; i < 4; i++)
        assert_int_equal(go_waitgroup_go(&s.group, counts_locked, &p, sizeof p), 0);
    go_waitgroup_wait(&s.group);
    assert_int_equal(s.value, 4 * ROUNDS);
    assert_int_equal(s.other, 4 * ROUNDS);
}

static void writes_once(void *arg)
{
    ((struct guarded *)arg)->value = 11;
}

static void reads_once(void *arg)
{
    struct guarded *s = *(struct guarded **)arg;

    go_once_do(&s->once, writes_once, s);
    assert_int_equal(s->value, 11);
}

RT_TEST(test_Y2_every_caller_of_a_once_sees_what_its_function_did)
{
    for (int i = 0; i < ROUNDS / 4; i++) {
        struct guarded s = {.value = 0}, *p = &s;

        for (int k = 0; k < 4; k++)
            assert_int_equal(go_waitgroup_go(&s.group, reads_once, &p, sizeof p), 0);
        go_waitgroup_wait(&s.group);
    }
}

static void waits_for_signal(void *arg)
{
    struct guarded *s = *(struct guarded **)arg;

    go_mutex_lock(&s->mutex);
    while (!s->value)
        go_cond_wait(&s->cond, &s->mutex);
    go_mutex_unlock(&s->mutex);
    assert_int_equal(s->other, 12);
    s->value = 2;
}

RT_TEST(test_Y2_signals_and_done_order_what_came_before_them)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct guarded s = {.value = 0}, *p = &s;

        assert_int_equal(go_waitgroup_go(&s.group, waits_for_signal, &p, sizeof p), 0);
        s.other = 12;
        go_mutex_lock(&s.mutex);
        s.value = 1;
        go_cond_signal(&s.cond);
        go_mutex_unlock(&s.mutex);
        go_waitgroup_wait(&s.group);
        assert_int_equal(s.value, 2);
    }
}

/* ---- Y3 ---- */

struct flagged {
    long value;
    _Atomic int ready;
};

static void writes_and_flags(void *arg)
{
    struct flagged *f = arg;

    f->value = 13;
    atomic_store(&f->ready, 1);
}

RT_TEST(test_Y3_an_atomic_orders_what_came_before_it)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct flagged *f = calloc(1, sizeof *f);

        go_spawn(writes_and_flags, f, 0);
        while (!atomic_load(&f->ready))
            go_yield();
        assert_int_equal(f->value, 13);
        rt_wait_live(1);
        free(f);
    }
}

enum { WRITERS = 4 };

static void writes_and_waits(void *arg)
{
    struct page *p = *(struct page **)arg;

    p->value = 14;
    go_chan_recv(p->c, NULL, GO_FOREVER);
}

static void settles(void *arg)
{
    struct page *p[WRITERS];

    for (int i = 0; i < WRITERS; i++) {
        p[i] = page_new(0);
        go_spawn(writes_and_waits, &p[i], sizeof p[i]);
    }
    go_bubble_wait();
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(p[i]->value, 14);
        go_chan_close(p[i]->c);
    }
    go_bubble_wait();
    for (int i = 0; i < WRITERS; i++)
        page_delete(p[i]);
}

RT_TEST(test_Y3_the_wait_of_a_bubble_comes_after_all_that_was_before_it)
{
    for (int i = 0; i < ROUNDS / 4; i++)
        assert_int_equal(go_bubble(settles, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_Y1_a_goroutine_sees_what_its_creator_did),
        RT_UNIT(test_Y1_a_receive_sees_what_was_done_before_the_send),
        RT_UNIT(test_Y1_a_send_without_a_buffer_sees_what_was_done_before_the_receive),
        RT_UNIT(test_Y1_a_full_buffer_orders_a_send_after_the_receive_that_makes_room),
        RT_UNIT(test_Y1_a_receive_that_a_close_ends_sees_what_was_done_before_it),
        RT_UNIT(test_Y2_a_lock_sees_what_was_done_before_the_unlock),
        RT_UNIT(test_Y2_every_caller_of_a_once_sees_what_its_function_did),
        RT_UNIT(test_Y2_signals_and_done_order_what_came_before_them),
        RT_UNIT(test_Y3_an_atomic_orders_what_came_before_it),
        RT_UNIT(test_Y3_the_wait_of_a_bubble_comes_after_all_that_was_before_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
