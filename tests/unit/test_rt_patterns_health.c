/* Health checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>

#include "rt_patterns.h"

static int is_well(go_ctx *ctx, char *text, size_t text_bytes, void *arg)
{
    if (arg)
        atomic_fetch_add((_Atomic int *)arg, 1);
    return 0;
}

static int is_down(go_ctx *ctx, char *text, size_t text_bytes, void *arg)
{
    snprintf(text, text_bytes, "down");
    return -EHOSTDOWN;
}

static int waits_for_end(go_ctx *ctx, char *text, size_t text_bytes, void *arg)
{
    return go_ctx_wait(ctx, GO_FOREVER) == 0 ? -ECANCELED : -EIO;
}

struct hanging {
    go_chan *gate;
    _Atomic int started;
};

static int hangs(go_ctx *ctx, char *text, size_t text_bytes, void *arg)
{
    struct hanging *h = arg;

    atomic_fetch_add(&h->started, 1);
    go_chan_recv(h->gate, NULL, GO_FOREVER);
    return 0;
}

static int panics(go_ctx *ctx, char *text, size_t text_bytes, void *arg)
{
    go_panic("no disk");
}

static int exits(go_ctx *ctx, char *text, size_t text_bytes, void *arg)
{
    go_exit();
}

static void expect(go_health *h, int i, const char *name, int code, const char *text)
{
    struct go_health_result r;

    assert_int_equal(go_health_read(h, i, &r), 1);
    assert_string_equal(r.name, name);
    assert_int_equal(r.code, code);
    assert_string_equal(r.text, text);
}

static void add(go_health *h, const char *name, go_health_fn fn, void *arg)
{
    assert_int_equal(go_health_add(h, name, fn, arg, 100 * MS), 0);
}

static void finish(go_health *h)
{
    assert_int_equal(go_health_close(h), 0);
    assert_int_equal(go_health_close(h), -EPIPE);
    assert_int_equal(go_health_wait(h, GO_FOREVER), 0);
    assert_int_equal(go_health_run(h, GO_FOREVER), -EPIPE);
    assert_int_equal(go_health_every(h, 1), -EPIPE);
    assert_null(go_health_unref(h));
}

PATTERN_TEST(test_every_check_has_its_result_however_it_ends, 50)
{
    go_health *h = go_health_new();
    struct hanging hanging = {.gate = go_chan_new(0, 0)};

    add(h, "memory", is_well, NULL);
    add(h, "db", is_down, NULL);
    add(h, "slow", waits_for_end, NULL);
    add(h, "stuck", hangs, &hanging);
    add(h, "disk", panics, NULL);
    add(h, "gone", exits, NULL);
    expect(h, 0, "memory", -ENODATA, "");
    assert_int_equal(go_health_run(h, GO_FOREVER), 5);
    assert_int_equal(at_ms(), 100); /* side by side */
    expect(h, 0, "memory", 0, "");
    expect(h, 1, "db", -EHOSTDOWN, "down");
    expect(h, 2, "slow", -ETIMEDOUT, "timeout");
    expect(h, 3, "stuck", -ETIMEDOUT, "timeout");
    expect(h, 4, "disk", -ENOTRECOVERABLE, "panic: no disk");
    expect(h, 5, "gone", -ECANCELED, "");
    assert_int_equal(go_health_read(h, 6, &(struct go_health_result){0}), 0);
    assert_int_equal(go_health_read(h, -1, &(struct go_health_result){0}), 0);
    go_chan_close(hanging.gate);
    finish(h);
    go_chan_unref(hanging.gate);
}

PATTERN_TEST(test_check_that_hangs_is_not_started_twice, 50)
{
    go_health *h = go_health_new();
    struct hanging hanging = {.gate = go_chan_new(0, 0)};

    add(h, "stuck", hangs, &hanging);
    assert_int_equal(go_health_run(h, go_after_ms(50)), -ETIMEDOUT);
    assert_int_equal(go_health_run(h, GO_FOREVER), 1); /* waits for the one that runs */
    assert_int_equal(at_ms(), 100);
    assert_int_equal(go_health_run(h, GO_FOREVER), 1); /* and need not wait for one that hangs */
    assert_int_equal(at_ms(), 100);
    assert_int_equal(hanging.started, 1);
    go_chan_close(hanging.gate); /* what it says now comes too late */
    go_bubble_wait();
    expect(h, 0, "stuck", -ETIMEDOUT, "timeout");
    assert_int_equal(go_health_run(h, GO_FOREVER), 0);
    assert_int_equal(hanging.started, 2);
    expect(h, 0, "stuck", 0, "");
    finish(h);
    go_chan_unref(hanging.gate);
}

PATTERN_TEST(test_answer_that_comes_with_the_timeout_comes_too_late, 20)
{
    go_health *h = go_health_new();

    add(h, "slow", waits_for_end, NULL);
    assert_int_equal(go_health_run(h, go_after_ms(50)), -ETIMEDOUT);
    expect(h, 0, "slow", -ENODATA, "");
    go_sleep(go_after_ms(100)); /* nobody looks while it ends */
    expect(h, 0, "slow", -ETIMEDOUT, "timeout");
    finish(h);
}

PATTERN_TEST(test_rounds_go_on_until_close, 20)
{
    go_health *h = go_health_new();
    _Atomic int ran = 0;

    add(h, "memory", is_well, &ran);
    assert_int_equal(go_health_every(h, 1000 * MS), 0);
    go_sleep(go_after_ms(3500));
    assert_int_equal(ran, 4);
    assert_int_equal(go_health_wait(h, go_after_ms(0)), -ETIMEDOUT);
    finish(h);
    go_sleep(go_after_ms(3500));
    assert_int_equal(ran, 4);
}

PATTERN_TEST(test_close_ends_checks_that_look_at_their_context, 20)
{
    go_health *h = go_health_new();

    assert_int_equal(go_health_add(h, "slow", waits_for_end, NULL, GO_NS_FOREVER), 0);
    assert_int_equal(go_health_every(h, 1000 * MS), 0);
    go_sleep(go_after_ms(10));
    go_health_unref(go_health_ref(h));
    finish(h);
    assert_int_equal(at_ms(), 10);
    assert_null(go_health_unref(NULL));
    assert_int_equal(go_health_close(NULL), -EINVAL);
}

PATTERN_TEST(test_checks_have_a_limit, 1)
{
    go_health *h = go_health_new();
    _Atomic int ran = 0;

    for (int i = 0; i < GO_HEALTH_CHECKS_MAX; i++)
        add(h, "memory", is_well, &ran);
    assert_int_equal(go_health_add(h, "one more", is_well, NULL, MS), -E2BIG);
    assert_int_equal(go_health_run(h, GO_FOREVER), 0);
    assert_int_equal(ran, GO_HEALTH_CHECKS_MAX);
    finish(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RT_UNIT(test_every_check_has_its_result_however_it_ends),
        RT_UNIT(test_check_that_hangs_is_not_started_twice),
        RT_UNIT(test_answer_that_comes_with_the_timeout_comes_too_late),
        RT_UNIT(test_rounds_go_on_until_close),
        RT_UNIT(test_close_ends_checks_that_look_at_their_context),
        RT_UNIT(test_checks_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
