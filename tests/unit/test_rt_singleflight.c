/* Singleflight: rules SF1 to SF3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "goroutine_sync.h"
#include "rt_child.h"
#include "rt_test.h"

/* One call of the function: waits at the gate, then ends as it is told. */
struct flying {
    go_chan *gate;
    int value, result;
    char end; /* 'r'eturn, 'p'anic, 'e'xit */
    _Atomic int *runs, *deferred;
};

struct answer {
    struct go_flight flight;
    int value;
};

static void count(void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
}

static int flies(void *value, void *arg)
{
    struct flying *f = arg;

    atomic_fetch_add(f->runs, 1);
    if (f->deferred)
        go_defer(count, (void *)f->deferred);
    if (f->gate)
        go_chan_recv(f->gate, NULL, GO_FOREVER);
    *(int *)value += f->value; /* it was zero */
    if (f->end == 'p')
        go_panic("flight %d", f->value);
    if (f->end == 'e')
        go_exit();
    return f->result;
}

struct caller {
    go_singleflight *s;
    const char *key;
    struct flying *f;
    int value, shared, result;
    _Atomic int *answers, *panics;
};

static void recovers(void *arg)
{
    struct caller *c = arg;
    const char *text = go_recover();

    if (text && strcmp(text, "flight 7") == 0)
        atomic_fetch_add(c->panics, 1);
}

static void calls_in_frame(void *arg)
{
    struct caller *c = arg;

    go_defer(recovers, c);
    c->result = go_singleflight_do(c->s, go_key_text(c->key), flies, c->f, &c->value, &c->shared);
    atomic_fetch_add(c->answers, 1);
}

static void calls(void *arg)
{
    go_call(calls_in_frame, *(struct caller **)arg);
}

enum { CALLERS = 10 };

/* CALLERS callers wait for one flight; the gate opens; all have ended. */
static void fly_together(go_singleflight *s, struct flying *f, struct caller *callers)
{
    f->gate = go_chan_new(0, 0);
    for (int i = 0; i < CALLERS; i++) {
        struct caller *c = &callers[i];

        c->s = s;
        c->key = "key";
        c->f = f;
        go_spawn(calls, &c, sizeof c);
        rt_wait_parked(i + 1);
    }
    go_chan_close(f->gate);
    rt_wait_live(1);
    f->gate = go_chan_unref(f->gate);
}

RT_TEST(test_SF1_one_call_answers_all_who_ask_meanwhile)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0, answers = 0, panics = 0, deferred = 0;
    struct flying f = {NULL, 42, 0, 'r', &runs, &deferred};
    struct caller callers[CALLERS], alone = {&s, "key", &f, 0, 7, -1, &answers, &panics};

    for (int i = 0; i < CALLERS; i++)
        callers[i] = (struct caller){.answers = &answers, .panics = &panics};
    fly_together(&s, &f, callers);
    assert_int_equal(runs, 1);
    assert_int_equal(answers, CALLERS);
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(callers[i].value, 42);
        assert_int_equal(callers[i].result, 0);
        assert_int_equal(callers[i].shared, 1);
    }
    calls_in_frame(&alone);
    assert_int_equal(runs, 2);
    assert_int_equal(alone.value, 42);
    assert_int_equal(alone.shared, 0);
}

RT_TEST(test_SF1_an_error_reaches_all)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0, answers = 0, panics = 0;
    struct flying f = {NULL, 3, -EIO, 'r', &runs, NULL};
    struct caller callers[CALLERS];

    for (int i = 0; i < CALLERS; i++)
        callers[i] = (struct caller){.answers = &answers, .panics = &panics};
    fly_together(&s, &f, callers);
    assert_int_equal(runs, 1);
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(callers[i].result, -EIO);
        assert_int_equal(callers[i].value, 3);
    }
}

static struct caller *call_later(go_singleflight *s, const char *key, struct flying *f, _Atomic int *answers)
{
    struct caller *c = calloc(1, sizeof *c);

    assert_non_null(c);
    *c = (struct caller){.s = s, .key = key, .f = f, .answers = answers};
    go_spawn(calls, &c, sizeof c);
    return c;
}

RT_TEST(test_SF1_other_keys_fly_at_the_same_time)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0, answers = 0;
    struct flying f = {go_chan_new(0, 0), 1, 0, 'r', &runs, NULL};
    char key[20][4];
    struct caller *c[20];

    for (int i = 0; i < 20; i++) {
        snprintf(key[i], sizeof key[i], "k%d", i);
        c[i] = call_later(&s, key[i], &f, &answers);
    }
    rt_wait_parked(20);
    assert_int_equal(runs, 20);
    go_chan_close(f.gate);
    rt_wait_live(1);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(c[i]->shared, 0);
        free(c[i]);
    }
    go_chan_unref(f.gate);
}

RT_TEST(test_SF1_callers_by_channel_alone_share_the_answer)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0;
    struct flying f = {go_chan_new(0, 0), 5, 0, 'r', &runs, NULL};
    go_receiver in[2];
    struct answer a;

    for (int i = 0; i < 2; i++)
        in[i] = go_singleflight_chan(&s, go_key_text("key"), flies, &f, sizeof f);
    rt_wait_parked(1);
    go_chan_close(f.gate);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(go_receiver_recv(in[i], &a, GO_FOREVER), 1);
        assert_int_equal(a.flight.shared, 1);
        go_receiver_unref(in[i]);
    }
    assert_int_equal(runs, 1);
    rt_wait_live(1);
    go_chan_unref(f.gate);
}

RT_TEST(test_SF1_the_channel_gets_one_answer_and_is_not_closed)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0, answers = 0;
    struct flying f = {go_chan_new(0, 0), 5, -7, 'r', &runs, NULL};
    go_receiver in[3];
    struct caller *c;
    struct answer a;

    for (int i = 0; i < 3; i++)
        in[i] = go_singleflight_chan(&s, go_key_text("key"), flies, &f, sizeof f);
    rt_wait_parked(1);
    c = call_later(&s, "key", &f, &answers);
    rt_wait_parked(2);
    assert_int_equal(go_receiver_recv(in[0], &a, GO_NOW), -EAGAIN);
    assert_int_equal(go_receiver_recv(in[0], &a, go_after_us(1)), -ETIMEDOUT); /* and the flight goes on */
    go_chan_close(f.gate);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(go_receiver_recv(in[i], &a, GO_FOREVER), 1);
        assert_int_equal(a.value, 5);
        assert_int_equal(a.flight.result, -7);
        assert_int_equal(a.flight.shared, 1);
        assert_int_equal(go_receiver_recv(in[i], &a, GO_NOW), -EAGAIN);
        go_receiver_unref(in[i]);
    }
    rt_wait_live(1);
    assert_int_equal(c->result, -7);
    assert_int_equal(runs, 1);
    free(c);
    go_chan_unref(f.gate);
}

RT_TEST(test_SF1_a_channel_that_nobody_waits_for_any_more_harms_nobody)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0;
    struct flying f = {NULL, 5, 0, 'r', &runs, NULL};

    for (int i = 0; i < 100; i++)
        go_receiver_unref(go_singleflight_chan(&s, go_key_text("key"), flies, &f, sizeof f));
    rt_wait_live(1);
    assert_in_range(runs, 1, 100);
}

RT_TEST(test_SF1_a_flight_that_cannot_start_answers_with_the_reason)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0;
    struct flying f = {NULL, 5, 0, 'r', &runs, NULL};
    int64_t max = go_set_goroutines_max(1);
    go_receiver in = go_singleflight_chan(&s, go_key_text("key"), flies, &f, sizeof f);
    struct answer a;

    assert_int_equal(go_receiver_recv(in, &a, GO_NOW), 1);
    assert_int_equal(a.flight.result, -EAGAIN);
    go_set_goroutines_max(max);
    go_receiver_unref(in);
    assert_null(go_singleflight_chan(&s, go_key_make("", GO_KEY_BYTES_MAX + 1), flies, &f, sizeof f).from);
    assert_int_equal(go_singleflight_do(&s, go_key_make("", GO_KEY_BYTES_MAX + 1), flies, &f, NULL, NULL),
                     -EINVAL);
    assert_int_equal(runs, 0);
}

RT_TEST(test_SF2_after_forget_a_new_flight_begins_and_the_old_end_does_not_erase_it)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0, answers = 0;
    struct flying old = {go_chan_new(0, 0), 1, 0, 'r', &runs, NULL},
                  new = {go_chan_new(0, 0), 2, 0, 'r', &runs, NULL};
    struct caller *first = call_later(&s, "key", &old, &answers), *second, *third;

    rt_wait_parked(1);
    go_singleflight_forget(&s, go_key_text("key"));
    go_singleflight_forget(&s, go_key_text("another"));
    second = call_later(&s, "key", &new, &answers);
    rt_wait_parked(2);
    assert_int_equal(runs, 2);
    go_chan_close(old.gate);
    rt_wait_live(2);
    assert_int_equal(first->value, 1);
    assert_int_equal(first->shared, 0);
    third = call_later(&s, "key", &new, &answers);
    rt_wait_parked(2);
    go_chan_close(new.gate);
    rt_wait_live(1);
    assert_int_equal(runs, 2);
    assert_int_equal(second->value + third->value, 4);
    assert_int_equal(second->shared + third->shared, 2);
    free(first);
    free(second);
    free(third);
    go_chan_unref(old.gate);
    go_chan_unref(new.gate);
}

RT_TEST(test_SF3_a_panic_reaches_every_caller_and_the_next_call_runs_anew)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0, answers = 0, panics = 0, deferred = 0;
    struct flying f = {NULL, 7, 0, 'p', &runs, &deferred};
    struct caller callers[CALLERS], again = {&s, "key", &f, 0, 0, 0, &answers, &panics};

    for (int i = 0; i < CALLERS; i++)
        callers[i] = (struct caller){.answers = &answers, .panics = &panics};
    fly_together(&s, &f, callers);
    assert_int_equal(runs, 1);
    assert_int_equal(panics, CALLERS);
    assert_int_equal(answers, 0);
    assert_int_equal(deferred, 1);
    f.end = 'r';
    calls_in_frame(&again);
    assert_int_equal(again.value, 7);
    assert_int_equal(runs, 2);
}

RT_TEST(test_SF3_an_exit_ends_every_caller)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0, answers = 0, panics = 0;
    struct flying f = {NULL, 7, 0, 'e', &runs, NULL};
    struct caller callers[CALLERS];

    for (int i = 0; i < CALLERS; i++)
        callers[i] = (struct caller){.answers = &answers, .panics = &panics};
    fly_together(&s, &f, callers);
    assert_int_equal(runs, 1);
    assert_int_equal(answers + panics, 0);
}

RT_TEST(test_SF3_an_exit_is_told_to_channels)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0;
    struct flying f = {NULL, 7, 0, 'e', &runs, NULL};
    go_receiver in = go_singleflight_chan(&s, go_key_text("key"), flies, &f, sizeof f);
    struct answer a;

    assert_int_equal(go_receiver_recv(in, &a, GO_FOREVER), 1);
    assert_int_equal(a.flight.result, -ECANCELED);
    go_receiver_unref(in);
}

/* A caller that would recover flies; another waits on a channel. */
static int hides_a_panic(void *arg)
{
    static go_singleflight s = {.value_bytes = sizeof(int)};
    static _Atomic int runs, answers, panics;
    static struct flying f = {NULL, 7, 0, 'p', &runs, NULL};
    static struct caller c = {&s, "key", &f, 0, 0, 0, &answers, &panics}, *p = &c;
    struct answer a;

    f.gate = go_chan_new(0, 0);
    go_spawn(calls, &p, sizeof p);
    rt_wait_parked(1);
    go_receiver in = go_singleflight_chan(&s, go_key_text("key"), flies, &f, sizeof f);
    go_chan_close(f.gate);
    go_receiver_recv(in, &a, GO_FOREVER);
    return 0;
}

static void test_SF3_a_panic_ends_the_program_where_a_channel_waits(void **state)
{
    rt_child_dies(hides_a_panic, "panic: flight 7", SIGABRT);
}

RT_TEST(test_P5_the_end_of_a_scope_takes_one_caller_from_a_flight_that_goes_on)
{
    go_singleflight s = {.value_bytes = sizeof(int)};
    _Atomic int runs = 0, answers = 0;
    struct flying f = {go_chan_new(0, 0), 1, 0, 'r', &runs, NULL};
    struct caller *flier = call_later(&s, "key", &f, &answers), *follower = calloc(1, sizeof *follower);
    go_group *group = go_group_new(NULL, NULL, NULL);
    struct go_spawn_options options = {.group = group};

    assert_non_null(follower);
    rt_wait_parked(1);
    *follower = (struct caller){.s = &s, .key = "key", .f = &f, .answers = &answers};
    go_spawn_with(calls, &follower, sizeof follower, &options);
    rt_wait_parked(2);
    go_group_end(group);
    assert_int_equal(go_group_wait(group, GO_FOREVER), 0);
    go_chan_close(f.gate);
    rt_wait_live(1);
    assert_int_equal(answers, 1);
    assert_int_equal(flier->value, 1);
    free(flier);
    free(follower);
    go_group_unref(group);
    go_chan_unref(f.gate);
}

/* ---- many callers, few keys ---- */

struct crowd {
    go_singleflight s;
    go_waitgroup all;
    _Atomic int runs, alone, shared;
    _Atomic int inside[4];
};

struct asking {
    struct crowd *crowd;
    int key;
};

static int squares(void *value, void *arg)
{
    struct asking *a = arg;

    assert_int_equal(atomic_fetch_add(&a->crowd->inside[a->key], 1), 0); /* one at a time */
    atomic_fetch_add(&a->crowd->runs, 1);
    if (a->key % 2)
        go_yield();
    *(long *)value = a->key * a->key;
    atomic_fetch_sub(&a->crowd->inside[a->key], 1);
    return a->key;
}

static void asks(void *arg)
{
    struct asking a = {.crowd = arg};
    struct {
        struct go_flight flight;
        long value;
    } got;

    for (int i = 0; i < 300; i++) {
        a.key = i % 4;
        if (i % 3) {
            got.flight.result =
                go_singleflight_do(&a.crowd->s, GO_KEY(a.key), squares, &a, &got.value, &got.flight.shared);
        } else {
            go_receiver in = go_singleflight_chan(&a.crowd->s, GO_KEY(a.key), squares, &a, sizeof a);

            assert_int_equal(go_receiver_recv(in, &got, GO_FOREVER), 1);
            go_receiver_unref(in);
        }
        assert_int_equal(got.value, a.key * a.key);
        assert_int_equal(got.flight.result, a.key);
        atomic_fetch_add(got.flight.shared ? &a.crowd->shared : &a.crowd->alone, 1);
    }
}

RT_TEST(test_SF1_every_call_of_a_crowd_is_answered_and_flights_of_a_key_never_overlap)
{
    struct crowd *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->s.value_bytes = sizeof(long);
    for (int i = 0; i < 12; i++)
        go_waitgroup_go(&c->all, asks, c, 0);
    go_waitgroup_wait(&c->all);
    rt_wait_live(1);
    assert_int_equal(c->alone + c->shared, 12 * 300);
    assert_true(c->runs >= c->alone);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_SF1_one_call_answers_all_who_ask_meanwhile),
        RT_UNIT(test_SF1_an_error_reaches_all),
        RT_UNIT(test_SF1_other_keys_fly_at_the_same_time),
        RT_UNIT(test_SF1_callers_by_channel_alone_share_the_answer),
        RT_UNIT(test_SF1_the_channel_gets_one_answer_and_is_not_closed),
        RT_UNIT(test_SF1_a_channel_that_nobody_waits_for_any_more_harms_nobody),
        RT_UNIT(test_SF1_a_flight_that_cannot_start_answers_with_the_reason),
        RT_UNIT(test_SF1_every_call_of_a_crowd_is_answered_and_flights_of_a_key_never_overlap),
        RT_UNIT(test_SF2_after_forget_a_new_flight_begins_and_the_old_end_does_not_erase_it),
        RT_UNIT(test_SF3_a_panic_reaches_every_caller_and_the_next_call_runs_anew),
        RT_UNIT(test_SF3_an_exit_ends_every_caller),
        RT_UNIT(test_SF3_an_exit_is_told_to_channels),
        RT_UNIT(test_SF3_a_panic_ends_the_program_where_a_channel_waits),
        RT_UNIT(test_P5_the_end_of_a_scope_takes_one_caller_from_a_flight_that_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
