/* What is asked of queues: settings with their origin, over restarts; pauses and purges. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "filter.h"
#include "jobs_fixture.h"

#define MAIL(...) SUBMIT(.queue = TEXT("mail"), ##__VA_ARGS__)

enum { OTHER = 1000 };

static struct bytes text(const char *words)
{
    return (struct bytes){words, strlen(words)};
}

static struct request set(const char *settings)
{
    return (struct request){.verb = VERB_QUEUE_SET, .queue_set = {TEXT("mail"), text(settings)}};
}

static struct request pause_for(enum pause_what what, int64_t ms)
{
    return (struct request){.verb = VERB_QUEUE_PAUSE, .queue_pause = {TEXT("mail"), what, ms * 1000000}};
}

static struct request purge(void)
{
    return (struct request){.verb = VERB_QUEUE_PURGE, .queue_purge = {TEXT("mail")}};
}

/* The value of a row of QUEUE_INFO; fails when there is none. */
static uint64_t told(struct jobs_fixture *f, const char *row)
{
    struct seen *seen = ask_ok(f, client_new(f, OTHER),
                               (struct request){.verb = VERB_QUEUE_INFO, .queue_info = {TEXT("mail")}}, 0);

    for (size_t i = 0; i < seen->stats_n; i++)
        if (strcmp(seen->stats[i], row) == 0)
            return seen->values[i];
    fail_msg("no row %s", row);
    return 0;
}

/* It is loaded before the first step, which has the words about it. */
static void test_a_setting_that_nobody_knows_is_left_out_and_told_of(void **state)
{
    struct jobs_fixture *f = *state;
    struct now now = {.mono_ns = 1, .wall_ns = 1};
    struct effects out;
    const struct effect *first;
    const char *why;

    assert_int_equal(core_load_queue(f->core, TEXT("mail"), TEXT("bygone=1 weight=3"), &why), 0);
    effects_init(&out);
    core_step(f->core, now, &(struct input){.kind = IN_TICK}, &out);
    first = list_first(&out.list, struct effect, link);
    assert_non_null(first);
    assert_int_equal(first->kind, EFFECT_LOG);
    assert_non_null(memmem(first->log.text.data, first->log.text.size, "setting=bygone", 14));
    effects_clear(f->core, &out);
    assert_int_equal(told(f, "set.weight"), 3);
}

static void test_each_value_has_its_origin(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    set_queue(f, "mail", "concurrency=4 rate=10");
    ask_ok(f, root, set("concurrency=8 full=reject"), 0);
    assert_int_equal(told(f, "set.concurrency"), 8);
    assert_int_equal(told(f, "set.full=reject"), 1);
    assert_int_equal(told(f, "config.rate"), 10);
    assert_int_equal(told(f, "default.fair=yes"), 1);
    ask_ok(f, root, set("concurrency="), 0);
    assert_int_equal(told(f, "config.concurrency"), 4);
}

static void test_what_is_set_wins_over_the_configuration_after_a_restart(void **state)
{
    struct jobs_fixture *f = *state;

    set_queue(f, "mail", "");
    ask_ok(f, client_new(f, 0), set("concurrency=3 serial=yes"), 0);
    restart(f);
    set_queue(f, "mail", "concurrency=5 weight=2");
    assert_int_equal(told(f, "set.concurrency"), 3);
    assert_int_equal(told(f, "set.serial=yes"), 1);
    assert_int_equal(told(f, "config.weight"), 2);
    ask_ok(f, client_new(f, 0), set("concurrency= serial="), 0);
    restart(f);
    set_queue(f, "mail", "concurrency=5");
    assert_int_equal(told(f, "config.concurrency"), 5);
}

static void test_wrong_settings_are_refused_in_words_and_none_is_taken(void **state)
{
    static const char *const wrong[][2] = {
        {"weight=2 colour=3", "'colour': there is no such setting of a queue"},
        {"weight=2 rate=1000001", "'rate=1000001' is not a number of jobs from 0 to 1000000"},
        {"weight=2 full=maybe", "'full=maybe' is not one of block|reject|drop-oldest"},
        {"weight=2 .paused_us=5", ""},
    };
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    set_queue(f, "mail", "");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_non_null(strstr(ask_ok(f, root, set(wrong[i][0]), -EINVAL)->text, wrong[i][1]));
    assert_int_equal(told(f, "default.weight"), 1);
}

static void test_others_look_and_change_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, OTHER);

    set_queue(f, "mail", "");
    ask_ok(f, c, set("weight=2"), -EPERM);
    ask_ok(f, c, pause_for(PAUSE_BEGIN, 0), -EPERM);
    ask_ok(f, c, purge(), -EPERM);
    assert_int_equal(told(f, "default.weight"), 1);
}

static void test_a_pause_of_no_kind_is_refused(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    set_queue(f, "mail", "concurrency=4");
    ask_ok(f, root, pause_for((enum pause_what)0, 0), -EINVAL);
    ask_ok(f, root, pause_for(PAUSE_END + 1, 0), -EINVAL);
    ask_ok(f, root, pause_for(PAUSE_BEGIN, -1), -EINVAL);
    assert_int_equal(told(f, "state.pause_left"), 0);
}

static void test_a_queue_that_is_not_there_is_not_found(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    assert_non_null(strstr(ask_ok(f, root, pause_for(PAUSE_BEGIN, 0), -ENOENT)->text, "no queue mail"));
    ask_ok(f, root, purge(), -ENOENT);
    ask_ok(f, root, (struct request){.verb = VERB_QUEUE_INFO, .queue_info = {TEXT("mail")}}, -ENOENT);
}

static void test_the_list_is_by_name_and_in_pages(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, OTHER);
    struct request list = {.verb = VERB_QUEUE_LIST, .queue_list.limit = 2};

    set_queue(f, "mail.b", "");
    set_queue(f, "mail.a", "");
    submit(f, c, SUBMIT(.queue = TEXT("mail.a")));
    struct seen *seen = ask_ok(f, c, list, 0);
    assert_int_equal(seen->stats_n, 2);
    assert_true(seen->flags & RESULT_MORE);
    assert_string_equal(seen->stats[0], "default");
    assert_string_equal(seen->stats[1], "mail.a");
    assert_int_equal(seen->values[1], 1);
    list.queue_list.after = TEXT("mail.a");
    seen = ask_ok(f, c, list, 0);
    assert_int_equal(seen->stats_n, 1);
    assert_false(seen->flags & RESULT_MORE);
    assert_string_equal(seen->stats[0], "mail.b");
    list = (struct request){.verb = VERB_QUEUE_LIST, .queue_list.prefix = TEXT("mail")};
    assert_int_equal(ask_ok(f, c, list, 0)->stats_n, 2);
}

/* ---- pauses ---- */

static void test_a_paused_queue_starts_nothing_until_it_is_told_to(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    set_queue(f, "mail", "");
    ask_ok(f, root, pause_for(PAUSE_BEGIN, 0), 0);
    uint64_t job = submit(f, root, MAIL());
    submit(f, root, SUBMIT());
    struct client *host = host_up(f);
    assert_int_not_equal(begin(f, host)->offer.job, job);
    assert_null(next_offer(f, host, OFFER_RUN));
    assert_int_equal(told(f, "state.pause_left"), UINT64_MAX);
    assert_string_equal(info(f, root, job).text.data, "its queue is paused");
    advance_ms(f, 1000000);
    assert_null(next_offer(f, host, OFFER_RUN));
    ask_ok(f, root, pause_for(PAUSE_END, 0), 0);
    assert_int_equal(begin(f, host)->offer.job, job);
}

static void test_a_pause_ends_with_its_time(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    set_queue(f, "mail", "");
    submit(f, root, SUBMIT());
    struct client *host = host_up(f);
    begin(f, host);
    ask_ok(f, root, pause_for(PAUSE_BEGIN, 5000), 0);
    submit(f, root, MAIL());
    advance_ms(f, 4999);
    assert_int_equal(told(f, "state.pause_left"), 1);
    assert_null(next_offer(f, host, OFFER_RUN));
    advance_ms(f, 1);
    begin(f, host);
    assert_int_equal(told(f, "state.pause_left"), 0);
}

static void test_a_pause_of_submits_refuses_them(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    set_queue(f, "mail", "");
    submit(f, root, MAIL());
    ask_ok(f, root, pause_for(PAUSE_SUBMITS, 1000), 0);
    assert_non_null(strstr(ask_ok(f, root, MAIL(), -EBUSY)->text, "queue mail is paused"));
    advance_ms(f, 1000);
    submit(f, root, MAIL());
}

static void test_a_pause_goes_on_after_a_restart(void **state)
{
    struct jobs_fixture *f = *state;

    set_queue(f, "mail", "");
    ask_ok(f, client_new(f, 0), pause_for(PAUSE_SUBMITS, 5000), 0);
    advance_ms(f, 2000);
    restart(f);
    assert_int_equal(told(f, "state.pause_left"), 3000);
    assert_int_equal(told(f, "state.pause_submits"), 1);
    advance_ms(f, 3000);
    submit(f, client_new(f, 0), MAIL());
}

/* ---- purges ---- */

static void test_a_purge_cancels_what_waits_and_nothing_else(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    set_queue(f, "mail", "concurrency=1");
    uint64_t runs = submit(f, root, MAIL()), other = submit(f, root, SUBMIT());
    begin(f, host_up(f));
    uint64_t ready = submit(f, root, MAIL()), later = submit(f, root, MAIL(.delay_ns = 1000000000));
    assert_int_equal(ask_ok(f, root, purge(), 0)->handle, 2);
    assert_state(f, root, runs, JOB_RUNNING, CAUSE_NONE);
    assert_state(f, root, ready, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, root, later, JOB_CANCELLED, CAUSE_CANCELED);
    assert_true(info(f, root, other).state < JOB_DONE);
    assert_int_equal(ask_ok(f, root, purge(), 0)->handle, 0);
    assert_int_equal(told(f, "state.waiting"), 0);
}

static void test_a_long_purge_takes_turns_and_spares_what_comes_after(void **state)
{
    enum { MANY = 1500 };
    struct jobs_fixture *f = *state;

    f->limits.window_ops = 2 * MANY;
    restart(f);
    struct client *root = client_new(f, 0);
    set_queue(f, "mail", "");
    for (int i = 0; i < MANY; i++)
        submit(f, root, MAIL());
    f->hold = true;
    uint64_t op = ask(f, root, purge());
    assert_true(f->effects.wake_ns <= f->now.mono_ns + 1); /* it goes on in the next turn */
    uint64_t after = ask(f, root, MAIL());
    f->hold = false;
    store_go_on(f, 0);
    assert_int_equal(answer(f, root, op)->handle, MANY);
    assert_state(f, root, answer(f, root, after)->handle, JOB_READY, CAUSE_NONE);
}

static void test_a_purge_goes_on_without_who_asked_for_it(void **state)
{
    enum { MANY = 1500 };
    struct jobs_fixture *f = *state;

    f->limits.window_ops = 2 * MANY;
    restart(f);
    struct client *root = client_new(f, 0), *dies = client_new(f, 0);
    set_queue(f, "mail", "");
    for (int i = 0; i < MANY; i++)
        submit(f, root, MAIL());
    f->hold = true;
    ask(f, dies, purge());
    client_die(f, dies);
    f->hold = false;
    store_go_on(f, 0);
    advance_ms(f, 1);
    assert_int_equal(told(f, "state.waiting"), 0);
}

static void test_a_purge_is_answered_when_the_store_has_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root = client_new(f, 0);

    set_queue(f, "mail", "");
    submit(f, root, MAIL());
    f->hold = true;
    uint64_t op = ask(f, root, purge());
    assert_null(answer(f, root, op));
    store_go_on(f, 0);
    assert_int_equal(answer(f, root, op)->handle, 1);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_setting_that_nobody_knows_is_left_out_and_told_of),
        TEST(test_each_value_has_its_origin),
        TEST(test_what_is_set_wins_over_the_configuration_after_a_restart),
        TEST(test_wrong_settings_are_refused_in_words_and_none_is_taken),
        TEST(test_others_look_and_change_nothing),
        TEST(test_a_pause_of_no_kind_is_refused),
        TEST(test_a_queue_that_is_not_there_is_not_found),
        TEST(test_the_list_is_by_name_and_in_pages),
        TEST(test_a_paused_queue_starts_nothing_until_it_is_told_to),
        TEST(test_a_pause_ends_with_its_time),
        TEST(test_a_pause_of_submits_refuses_them),
        TEST(test_a_pause_goes_on_after_a_restart),
        TEST(test_a_purge_cancels_what_waits_and_nothing_else),
        TEST(test_a_long_purge_takes_turns_and_spares_what_comes_after),
        TEST(test_a_purge_goes_on_without_who_asked_for_it),
        TEST(test_a_purge_is_answered_when_the_store_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
