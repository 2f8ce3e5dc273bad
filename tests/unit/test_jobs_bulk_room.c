/* Room for a submit of many jobs: in all of its queues for all of them, at once, or it waits, is refused, or others go. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bulk_fixture.h"

#define S INT64_C(1000000000)

static void test_a_queue_that_refuses_takes_all_or_none(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(), JOB(.queue = TEXT("mail")), JOB(.queue = TEXT("mail"))};

    set_queue(f, "mail", "waiting_max=2 full=reject");
    submit(f, c, SUBMIT(.queue = TEXT("mail")));
    assert_non_null(strstr(refused(f, c, MANY(jobs), -ENOBUFS, 3), "queue mail is full"));
    ask_ok(f, c, many(jobs, 2), 2);
}

static void test_who_replaces_a_job_of_another_queue_needs_room(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    uint64_t holder = submit(f, c, SUBMIT(.once_key = TEXT("k"), .delay_ns = S));
    struct request_submit moves[] = {
        JOB(), JOB(.queue = TEXT("mail"), .once_key = TEXT("k"), .once_policy = ONCE_REPLACE)};
    struct request_submit stays[] = {JOB(.once_key = TEXT("k"), .once_policy = ONCE_REPLACE)};

    set_queue(f, "mail", "waiting_max=1 full=reject");
    set_queue(f, "default", "waiting_max=1 full=reject");
    submit(f, c, SUBMIT(.queue = TEXT("mail")));
    assert_non_null(strstr(refused(f, c, many(moves + 1, 1), -ENOBUFS, 1), "queue mail is full"));
    assert_state(f, c, holder, JOB_SCHEDULED, CAUSE_NONE);
    ask_ok(f, c, MANY(stays), 1);
    assert_state(f, c, holder, JOB_CANCELLED, CAUSE_CANCELED);
}

static void test_those_who_replace_jobs_have_no_more_than_their_room(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(.once_key = TEXT("a"), .once_policy = ONCE_REPLACE),
                                    JOB(.once_key = TEXT("b"), .once_policy = ONCE_REPLACE)};

    set_queue(f, "default", "waiting_bytes=21 full=reject"); /* each has 8 bytes */
    submit(f, c, SUBMIT(.once_key = TEXT("a"), .delay_ns = S));
    submit(f, c, SUBMIT(.once_key = TEXT("b"), .delay_ns = S));
    ask_ok(f, c, MANY(jobs), 2);
    jobs[0].argument = jobs[1].argument = TEXT("thirteen more"); /* there would be room for one */
    refused(f, c, MANY(jobs), -ENOBUFS, 1);
}

static void test_a_bulk_that_needs_more_than_was_known_stays_the_first_in_line(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit joins[] = {
        JOB(.queue = TEXT("mail"), .once_key = TEXT("k"), .once_policy = ONCE_JOIN)};

    set_queue(f, "mail", "waiting_max=1");
    uint64_t first = submit(f, c, SUBMIT(.queue = TEXT("mail")));
    f->hold = true;
    ask(f, c, SUBMIT(.once_key = TEXT("k"), .delay_ns = S));
    uint64_t bulk = ask(f, c, MANY(joins)), behind = ask(f, c, SUBMIT(.queue = TEXT("mail")));
    store_one(f, -ENOSPC); /* what it would have joined never was */
    f->hold = false;
    advance_ms(f, 0);
    assert_null(answer(f, c, bulk));
    cancel_job(f, c, first);
    assert_int_equal(answer(f, c, bulk)->status, 1);
    assert_null(answer(f, c, behind));
}

static void test_more_than_a_queue_ever_takes_is_too_big(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(.queue = TEXT("mail")), JOB(.queue = TEXT("mail"))};

    set_queue(f, "mail", "waiting_max=1");
    refused(f, c, MANY(jobs), -E2BIG, 2);
    set_queue(f, "mail", "waiting_bytes=15 full=drop-oldest");
    refused(f, c, MANY(jobs), -E2BIG, 2);
}

static void test_a_bulk_waits_for_room_for_all_of_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(.queue = TEXT("mail")), JOB(.queue = TEXT("mail"))};

    set_queue(f, "mail", "waiting_max=2");
    uint64_t first = submit(f, c, SUBMIT(.queue = TEXT("mail"))),
             second = submit(f, c, SUBMIT(.queue = TEXT("mail")));
    uint64_t bulk = ask(f, c, MANY(jobs)), behind = ask(f, c, SUBMIT(.queue = TEXT("mail")));
    cancel_job(f, c, first);
    assert_null(answer(f, c, bulk));
    assert_null(answer(f, c, behind)); /* in the order of arrival */
    cancel_job(f, c, second);
    assert_int_equal(answer(f, c, bulk)->status, 2);
    assert_null(answer(f, c, behind));
    cancel_job(f, c, answer(f, c, bulk)->ids[0]);
    assert_int_equal(answer(f, c, behind)->status, 0);
}

static void test_a_bulk_waits_for_room_in_all_of_its_queues(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(.queue = TEXT("mail")), JOB(.queue = TEXT("post"))};

    set_queue(f, "mail", "waiting_max=1");
    set_queue(f, "post", "waiting_max=1");
    uint64_t mail = submit(f, c, SUBMIT(.queue = TEXT("mail"))),
             post = submit(f, c, SUBMIT(.queue = TEXT("post")));
    uint64_t bulk = ask(f, c, MANY(jobs));
    cancel_job(f, c, mail);
    assert_null(answer(f, c, bulk));
    cancel_job(f, c, post);
    assert_int_equal(answer(f, c, bulk)->status, 2);
}

static void test_a_bulk_that_gave_up_leaves_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f), *dies = client_new(f, 0);
    struct request_submit jobs[] = {JOB(.queue = TEXT("mail")), JOB(.queue = TEXT("mail"))};
    struct request now = MANY(jobs);

    set_queue(f, "mail", "waiting_max=2");
    uint64_t first = submit(f, c, SUBMIT(.queue = TEXT("mail")));
    size_t before = jobs_there(f, c);
    now.until.kind = UNTIL_NOW;
    ask_ok(f, c, now, -EAGAIN);
    uint64_t op = ask(f, c, MANY(jobs));
    ask(f, dies, MANY(jobs));
    cancel_op(f, c, op);
    assert_int_equal(answer(f, c, op)->status, -ECANCELED);
    client_die(f, dies);
    assert_int_equal(jobs_there(f, c), before);
    cancel_job(f, c, first);
    submit(f, c, SUBMIT(.queue = TEXT("mail"))); /* nobody stands before it */
}

static void test_a_drain_lets_no_bulk_wait(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(.queue = TEXT("mail"))};

    set_queue(f, "mail", "waiting_max=1");
    submit(f, c, SUBMIT(.queue = TEXT("mail")));
    uint64_t op = ask(f, c, MANY(jobs));
    fixture_step(f, &(struct input){.kind = IN_DRAIN});
    assert_int_equal(answer(f, c, op)->status, -ESHUTDOWN);
    assert_int_equal(answer(f, c, op)->index, 0);
}

static void test_the_oldest_make_room_and_none_of_its_own(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(.queue = TEXT("mail")), JOB(.queue = TEXT("mail"))};

    set_queue(f, "mail", "waiting_max=3 full=drop-oldest");
    uint64_t a = submit(f, c, SUBMIT(.queue = TEXT("mail"))), b = submit(f, c, SUBMIT(.queue = TEXT("mail")));
    struct seen *seen = ask_ok(f, c, MANY(jobs), 2);
    assert_state(f, c, a, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, c, b, JOB_READY, CAUSE_NONE);
    assert_state(f, c, seen->ids[0], JOB_READY, CAUSE_NONE);
    assert_state(f, c, seen->ids[1], JOB_READY, CAUSE_NONE);
}

static void test_who_replaces_the_oldest_does_not_count_on_its_room(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {
        JOB(.queue = TEXT("mail"), .once_key = TEXT("k"), .once_policy = ONCE_REPLACE),
        JOB(.queue = TEXT("mail"))};

    set_queue(f, "mail", "waiting_max=2 full=drop-oldest");
    uint64_t a = submit(f, c, SUBMIT(.queue = TEXT("mail"), .once_key = TEXT("k"))),
             b = submit(f, c, SUBMIT(.queue = TEXT("mail")));
    struct seen *seen = ask_ok(f, c, MANY(jobs), 2);
    assert_state(f, c, a, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, c, b, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, c, seen->ids[0], JOB_READY, CAUSE_NONE);
    assert_state(f, c, seen->ids[1], JOB_READY, CAUSE_NONE);
}

static void test_those_who_replace_jobs_count_when_a_bulk_is_too_big(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {
        JOB(.queue = TEXT("mail"), .once_key = TEXT("k"), .once_policy = ONCE_REPLACE),
        JOB(.queue = TEXT("mail"))};

    set_queue(f, "mail", "waiting_max=1 full=drop-oldest");
    uint64_t a = submit(f, c, SUBMIT(.queue = TEXT("mail"), .once_key = TEXT("k")));
    refused(f, c, MANY(jobs), -E2BIG, 2);
    assert_state(f, c, a, JOB_READY, CAUSE_NONE);
    ask_ok(f, c, many(jobs, 1), 1);
    assert_state(f, c, a, JOB_CANCELLED, CAUSE_CANCELED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_queue_that_refuses_takes_all_or_none),
        TEST(test_who_replaces_a_job_of_another_queue_needs_room),
        TEST(test_those_who_replace_jobs_have_no_more_than_their_room),
        TEST(test_a_bulk_that_needs_more_than_was_known_stays_the_first_in_line),
        TEST(test_more_than_a_queue_ever_takes_is_too_big),
        TEST(test_a_bulk_waits_for_room_for_all_of_it),
        TEST(test_a_bulk_waits_for_room_in_all_of_its_queues),
        TEST(test_a_bulk_that_gave_up_leaves_nothing),
        TEST(test_a_drain_lets_no_bulk_wait),
        TEST(test_the_oldest_make_room_and_none_of_its_own),
        TEST(test_who_replaces_the_oldest_does_not_count_on_its_room),
        TEST(test_those_who_replace_jobs_count_when_a_bulk_is_too_big),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
