/* Bounds on what waits in a queue: submits that wait for room, are refused, or take another's place. */
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

static struct request mail(struct bytes argument)
{
    struct request request = MAIL();

    request.submit.argument = argument;
    return request;
}

static void test_a_full_queue_refuses_in_words(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "waiting_max=2 full=reject");
    submit(f, c, MAIL());
    submit(f, c, MAIL());
    assert_non_null(strstr(ask_ok(f, c, MAIL(), -ENOBUFS)->text, "queue mail is full: 2 jobs wait"));
    submit(f, c, SUBMIT()); /* another queue is another matter */
}

static void test_what_runs_takes_no_room(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "concurrency=1 waiting_max=1 full=reject");
    submit(f, c, MAIL());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    submit(f, c, MAIL());
    ask_ok(f, c, MAIL(), -ENOBUFS);
    done_with(f, host, offer, TEXT(""));
    submit(f, c, MAIL());
}

static void test_scheduled_jobs_take_room(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "waiting_max=1 full=reject");
    submit(f, c, MAIL(.delay_ns = 1000000000));
    ask_ok(f, c, MAIL(), -ENOBUFS);
}

static void test_the_bytes_of_arguments_are_bounded_too(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "waiting_bytes=10 full=reject");
    submit(f, c, mail(TEXT("123456")));
    ask_ok(f, c, mail(TEXT("12345")), -ENOBUFS);
    uint64_t small = submit(f, c, mail(TEXT("1234")));
    assert_int_equal(cancel_job(f, c, small), 0);
    submit(f, c, mail(TEXT("12")));
    restart(f); /* they are counted again */
    set_queue(f, "mail", "waiting_bytes=10 full=reject");
    c = client_new(f, 0);
    submit(f, c, mail(TEXT("12")));
    ask_ok(f, c, mail(TEXT("1")), -ENOBUFS);
}

static void test_an_argument_above_the_bound_never_waits(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    set_queue(f, "mail", "waiting_bytes=3");
    assert_non_null(strstr(ask_ok(f, c, mail(TEXT("1234")), -E2BIG)->text, "waiting_bytes"));
}

static void test_the_oldest_job_makes_room(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "waiting_max=2 full=drop-oldest");
    uint64_t first = submit(f, c, MAIL()), second = submit(f, c, MAIL(.priority = 9));
    uint64_t third = submit(f, c, MAIL());
    assert_state(f, c, first, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, c, second, JOB_READY, CAUSE_NONE);
    assert_state(f, c, third, JOB_READY, CAUSE_NONE);
    assert_non_null(
        strstr(ask_ok(f, c, (struct request){.verb = VERB_JOB_INFO, .job_info = {first}}, 0)->words[0],
               "its queue was full"));
}

static void test_a_submit_that_is_refused_drops_no_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t unknown = 77;

    set_queue(f, "mail", "waiting_max=1 full=drop-oldest");
    uint64_t first = submit(f, c, MAIL());
    ask_ok(f, c, MAIL(.after = &unknown, .after_n = 1), -ENOENT);
    assert_state(f, c, first, JOB_READY, CAUSE_NONE);
}

static void test_a_returned_job_is_older_than_those_that_waited(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "concurrency=1 waiting_max=2 full=drop-oldest");
    uint64_t first = submit(f, c, MAIL());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    uint64_t second = submit(f, c, MAIL());
    assert_int_equal(done(f, host, offer, CAUSE_RETURNED, 0), 0);
    assert_null(next_offer(f, host, OFFER_RUN)); /* a host that returns is not offered more at once */
    submit(f, c, MAIL());
    assert_state(f, c, first, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, c, second, JOB_READY, CAUSE_NONE);
}

/* ---- submits that wait ---- */

static struct request within(struct request request, int64_t ms)
{
    request.until = (struct until){UNTIL_IN, ms * 1000000};
    return request;
}

static void test_submits_wait_for_room_in_the_order_of_arrival(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "concurrency=1 waiting_max=1");
    submit(f, c, MAIL());
    uint64_t second = ask(f, c, MAIL()), third = ask(f, c, MAIL());
    assert_null(answer(f, c, second));
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host); /* which makes room for one */
    assert_int_equal(answer(f, c, second)->status, 0);
    assert_null(answer(f, c, third));
    done_with(f, host, offer, TEXT(""));
    assert_int_equal(answer(f, c, third)->status, 0);
    assert_true(answer(f, c, third)->handle > answer(f, c, second)->handle);
}

static void test_a_submit_whose_key_is_taken_while_it_waits_drops_no_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "waiting_max=1");
    uint64_t first = submit(f, c, MAIL());
    uint64_t waits = ask(f, c, MAIL(.once_key = TEXT("k")));
    uint64_t holder = submit(f, c, SUBMIT(.once_key = TEXT("k")));
    set_queue(f, "mail", "waiting_max=1 full=drop-oldest");
    advance_ms(f, 0);
    assert_int_equal(answer(f, c, waits)->status, -EEXIST);
    assert_int_equal(answer(f, c, waits)->handle, holder);
    assert_state(f, c, first, JOB_READY, CAUSE_NONE);
}

static void test_a_try_does_not_wait_and_a_deadline_ends_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    struct request now = MAIL();

    set_queue(f, "mail", "waiting_max=1");
    submit(f, c, MAIL());
    now.until.kind = UNTIL_NOW;
    ask_ok(f, c, now, -EAGAIN);
    uint64_t late = ask(f, c, within(MAIL(), 100));
    advance_ms(f, 100);
    assert_int_equal(answer(f, c, late)->status, -ETIMEDOUT);
}

static void test_a_submit_that_gave_up_leaves_no_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *dies = client_new(f, 0);

    set_queue(f, "mail", "waiting_max=1");
    uint64_t first = submit(f, c, MAIL());
    uint64_t op = ask(f, c, MAIL());
    ask(f, dies, MAIL());
    uint64_t last = ask(f, c, MAIL());
    cancel_op(f, c, op);
    assert_int_equal(answer(f, c, op)->status, -ECANCELED);
    client_die(f, dies);
    assert_int_equal(cancel_job(f, c, first), 0);
    assert_int_equal(answer(f, c, last)->status, 0);
    ask_ok(f, c, SUBMIT(), 0);
}

static void test_more_room_lets_submits_go_on(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "waiting_max=1");
    submit(f, c, MAIL());
    uint64_t a = ask(f, c, MAIL()), b = ask(f, c, MAIL());
    set_queue(f, "mail", "waiting_max=2");
    advance_ms(f, 0);
    assert_int_equal(answer(f, c, a)->status, 0);
    assert_null(answer(f, c, b));
    set_queue(f, "mail", "waiting_max=2 full=reject");
    advance_ms(f, 0);
    assert_int_equal(answer(f, c, b)->status, -ENOBUFS);
}

static void test_a_daemon_that_drains_lets_no_submit_wait(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "waiting_max=1");
    submit(f, c, MAIL());
    uint64_t waits = ask(f, c, MAIL());
    fixture_step(f, &(struct input){.kind = IN_DRAIN});
    assert_int_equal(answer(f, c, waits)->status, -ESHUTDOWN);
}

static void test_a_submit_waits_for_its_plugin_and_then_for_room(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "waiting_max=1");
    uint64_t first = ask(f, c, MAIL()), second = ask(f, c, MAIL());
    plugin_is(f, TEXT("g1"), true);
    assert_int_equal(answer(f, c, first)->status, 0);
    assert_null(answer(f, c, second));
    assert_int_equal(cancel_job(f, c, answer(f, c, first)->handle), 0);
    assert_int_equal(answer(f, c, second)->status, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_full_queue_refuses_in_words),
        TEST(test_what_runs_takes_no_room),
        TEST(test_scheduled_jobs_take_room),
        TEST(test_the_bytes_of_arguments_are_bounded_too),
        TEST(test_an_argument_above_the_bound_never_waits),
        TEST(test_the_oldest_job_makes_room),
        TEST(test_a_submit_that_is_refused_drops_no_job),
        TEST(test_a_submit_whose_key_is_taken_while_it_waits_drops_no_job),
        TEST(test_a_returned_job_is_older_than_those_that_waited),
        TEST(test_submits_wait_for_room_in_the_order_of_arrival),
        TEST(test_a_try_does_not_wait_and_a_deadline_ends_it),
        TEST(test_a_submit_that_gave_up_leaves_no_job),
        TEST(test_more_room_lets_submits_go_on),
        TEST(test_a_daemon_that_drains_lets_no_submit_wait),
        TEST(test_a_submit_waits_for_its_plugin_and_then_for_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
