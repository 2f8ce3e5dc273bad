/* Workers: clients that reserve the jobs which no plugin has. To a run of theirs every rule of a host's run applies (IP4). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker_fixture.h"

/* ---- reserving ---- */

static void test_a_job_without_a_plugin_waits_for_a_worker_and_says_so(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());

    assert_int_equal(f->plugins_asked, 0);
    struct job_info row = info(f, c, job);
    assert_int_equal(row.state, JOB_READY);
    assert_non_null(strstr(row.text.data, "no worker"));
    struct seen *seen = answer(f, c, ask(f, c, RESERVE(.max = 1)));
    assert_int_equal(held_of(seen).job, job);
    assert_string_equal(seen->words[4], "argument");
    assert_string_equal(seen->words[3], "default");
    assert_int_equal(seen->job.state, JOB_RUNNING);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE);
}

static void test_a_reserve_waits_until_there_is_a_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *worker = client_new(f, 0);
    uint64_t op = ask(f, worker, RESERVE(.max = 1));

    assert_null(answer(f, worker, op));
    uint64_t job = submit(f, c, WORK());
    struct held held = held_of(answer(f, worker, op));
    assert_int_equal(held.job, job);
    assert_int_equal(end(f, worker, held, CAUSE_NONE, false), 0);
    assert_state(f, c, job, JOB_DONE, CAUSE_NONE);
    assert_int_equal(info(f, c, job).result.size, 6);
}

static void test_F1_reserves_are_served_in_the_order_in_which_they_came(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *a = client_new(f, 0), *b = client_new(f, 0);
    uint64_t first = ask(f, a, RESERVE(.max = 1)), second = ask(f, b, RESERVE(.max = 1));
    uint64_t job = submit(f, c, WORK());

    assert_int_equal(held_of(answer(f, a, first)).job, job);
    assert_null(answer(f, b, second));
    assert_int_not_equal(submit(f, c, WORK()), job);
    held_of(answer(f, b, second));
}

static void test_many_are_taken_at_once_as_far_as_they_are_there(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    for (int i = 0; i < 5; i++)
        submit(f, c, WORK());
    struct seen *seen = answer(f, c, ask(f, c, RESERVE(.max = 3)));
    assert_int_equal(seen->status, 3);
    assert_true(seen->ids[0] < seen->ids[1] && seen->ids[1] < seen->ids[2]);
    assert_int_equal(answer(f, c, ask(f, c, RESERVE(.max = 100)))->status, 2);
}

static void test_IP1_a_reserve_that_does_not_wait_is_judged_once(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    ask_ok(f, c, at_once(RESERVE(.max = 1)), -EAGAIN);
    submit(f, c, WORK());
    held_of(ask_ok(f, c, at_once(RESERVE(.max = 2)), 1));
    ask_ok(f, c, at_once(RESERVE(.max = 1)), -EAGAIN);
}

static void test_a_reserve_ends_with_its_deadline_and_takes_nothing_later(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    struct request request = RESERVE(.max = 1);

    request.until = (struct until){UNTIL_IN, SECOND_NS};
    uint64_t op = ask(f, c, request);
    advance_ms(f, 1000);
    assert_int_equal(answer(f, c, op)->status, -ETIMEDOUT);
    uint64_t job = submit(f, c, WORK());
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
}

static void test_only_named_queues_and_functions_are_taken(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "");
    set_queue(f, "images", "");
    uint64_t mail = submit(f, c, WORK(.queue = TEXT("mail")));
    uint64_t other = submit(f, c, SUBMIT_TO(NOBODY, TEXT("crop"), .queue = TEXT("images")));
    ask_ok(f, c, at_once(RESERVE(.max = 9)), -EAGAIN);
    ask_ok(f, c, at_once(RESERVE(.queues = TEXT("images mail"), .functions = TEXT("resiz resizes"))),
           -EAGAIN);
    struct seen *seen = ask_ok(
        f, c, at_once(RESERVE(.queues = TEXT(" images  mail "), .functions = TEXT("cut resize"), .max = 9)),
        1);
    assert_int_equal(held_of(seen).job, mail);
    seen = ask_ok(f, c, at_once(RESERVE(.queues = TEXT("images"), .max = 9)), 1);
    assert_int_equal(held_of(seen).job, other);
}

static void test_a_worker_gets_no_job_of_a_plugin_and_a_host_none_of_a_worker(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t plugin = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    ask_ok(f, c, at_once(RESERVE(.max = 9)), -EAGAIN);
    assert_int_equal(begin(f, host)->offer.job, plugin);
    submit(f, c, WORK());
    assert_null(next_offer(f, host, OFFER_RUN));
}

static void test_jobs_of_workers_count_as_no_plugin(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.plugins_max = 1;
    restart(f);
    struct client *c = client_new(f, 0);
    submit(f, c, WORK());
    submit(f, c, SUBMIT()); /* the only file */
    ask_ok(f, c, SUBMIT_TO(TEXT("/p/second.so"), TEXT("count")), -ENOBUFS);
    submit(f, c, SUBMIT_TO(NOBODY, TEXT("sort")));
    assert_int_equal(answer(f, c, ask(f, c, RESERVE(.max = 9)))->status, 2);
}

static void test_what_workers_have_done_makes_no_room_for_a_plugin(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.plugins_max = 1;
    restart(f);
    struct client *c = client_new(f, 0);
    submit(f, c, WORK());
    assert_int_equal(end(f, c, held_of(answer(f, c, ask(f, c, RESERVE(.max = 1)))), CAUSE_NONE, false), 0);
    submit(f, c, SUBMIT());
    ask_ok(f, c, SUBMIT_TO(TEXT("/p/second.so"), TEXT("count")), -ENOBUFS);
}

static void test_what_makes_no_sense_is_refused_in_words(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *stranger = client_new(f, 7);

    ask_ok(f, c, RESERVE(.queues = TEXT("nowhere")), -ENOENT);
    ask_ok(f, c, RESERVE(.lease_ns = -1), -EINVAL);
    ask_ok(f, c, RESERVE(.lease_ns = (int64_t)f->limits.work_lease_max_ms * 1000000 + 1), -EINVAL);
    ask_ok(f, c, at_once(RESERVE(.lease_ns = (int64_t)f->limits.work_lease_max_ms * 1000000)), -EAGAIN);
    ask_ok(f, stranger, RESERVE(.max = 1), -EPERM);
    ask_ok(f, c, (struct request){.verb = VERB_WORK_WATCH, .work_watch = {1, 1}}, -ESTALE);
    ask_ok(f, c, (struct request){.verb = VERB_WORK_EXTEND, .work_extend = {1, 1}}, -ESTALE);
    ask_ok(f, c, (struct request){.verb = VERB_DONE, .done = {1, 1}}, -ESTALE);
}

static void test_more_queues_than_one_may_name_are_too_many(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    char names[256] = "", name[16];

    for (int i = 0; i <= WORK_QUEUES_MAX; i++) {
        snprintf(name, sizeof(name), "q%d", i);
        set_queue(f, name, "");
        strcat(strcat(names, name), " ");
    }
    ask_ok(f, c, RESERVE(.queues = {names, strlen(names)}), -E2BIG);
    *names = 0; /* the right is asked for so many names, whatever they are */
    for (int i = 0; i < WORK_QUEUES_MAX; i++)
        strcat(names, "q0 ");
    ask_ok(f, c, at_once(RESERVE(.queues = {names, strlen(names)})), -EAGAIN);
    strcat(names, "q1");
    ask_ok(f, c, at_once(RESERVE(.queues = {names, strlen(names)})), -E2BIG);
}

static void test_no_more_are_taken_at_once_than_an_answer_has(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.queue_concurrency = 2 * WORK_JOBS_MAX;
    restart(f);
    struct client *c = client_new(f, 0);
    for (int i = 0; i <= WORK_JOBS_MAX; i++)
        submit(f, c, WORK());
    ask_ok(f, c, RESERVE(.max = UINT32_MAX), WORK_JOBS_MAX);
    ask_ok(f, c, RESERVE(.max = UINT32_MAX), 1);
}

static void test_no_more_is_taken_at_once_than_an_answer_carries(void **state)
{
    enum { HALF = WORK_BYTES_MAX / 2, WHOLE = WORK_BYTES_MAX };
    struct jobs_fixture *f = *state;
    char *argument = calloc(1, WHOLE);
    const size_t sizes[] = {HALF, HALF, HALF, WHOLE, WHOLE}, taken[] = {2, 2, 1};

    assert_non_null(argument);
    f->limits.argument_bytes_max = WHOLE;
    for (size_t kept = 0; kept <= 1; kept++) { /* read from the store first, or there at once */
        f->limits.arguments_kept_bytes = kept ? 8 * (uint64_t)WHOLE : 0;
        restart(f);
        struct client *c = client_new(f, 0);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct request request = WORK();
            request.submit.argument = (struct bytes){argument, sizes[i]};
            submit(f, c, request);
        }
        for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
            struct seen *seen = ask_ok(f, c, RESERVE(.max = UINT32_MAX), (int32_t)taken[i]);
            for (size_t k = 0; k < taken[i]; k++)
                end(f, c, (struct held){seen->ids[k], seen->runs[k]}, CAUSE_NONE, false);
        }
    }
    free(argument);
}

/* ---- the limits of a queue ---- */

static void test_the_concurrency_of_a_queue_holds_for_workers(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "concurrency=2");
    for (int i = 0; i < 3; i++)
        submit(f, c, WORK(.queue = TEXT("mail")));
    struct seen *seen = ask_ok(f, c, at_once(RESERVE(.queues = TEXT("mail"), .max = 9)), 2);
    struct held held = {seen->ids[0], seen->runs[0]};
    uint64_t op = ask(f, c, RESERVE(.queues = TEXT("mail"), .max = 9));
    assert_null(answer(f, c, op));
    end(f, c, held, CAUSE_NONE, false);
    held_of(answer(f, c, op));
}

static void test_jobs_of_one_key_run_one_after_the_other(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "key_concurrency=1");
    uint64_t first = submit(f, c, WORK(.queue = TEXT("mail"), .key = TEXT("k")));
    uint64_t second = submit(f, c, WORK(.queue = TEXT("mail"), .key = TEXT("k")));
    struct seen *seen = ask_ok(f, c, at_once(RESERVE(.queues = TEXT("mail"), .max = 9)), 1);
    struct held held = held_of(seen);
    assert_int_equal(held.job, first);
    end(f, c, held, CAUSE_NONE, false);
    held = held_of(ask_ok(f, c, at_once(RESERVE(.queues = TEXT("mail"), .max = 9)), 1));
    assert_int_equal(held.job, second);
}

static void test_a_paused_queue_gives_workers_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, WORK());
    ask_ok(f, c, (struct request){.verb = VERB_QUEUE_PAUSE, .queue_pause = {TEXT("default"), PAUSE_BEGIN}},
           0);
    uint64_t op = ask(f, c, RESERVE(.max = 1));
    assert_null(answer(f, c, op));
    ask_ok(f, c, (struct request){.verb = VERB_QUEUE_PAUSE, .queue_pause = {TEXT("default"), PAUSE_END}}, 0);
    held_of(answer(f, c, op));
}

/* ---- how it ends ---- */

static void test_a_passing_failure_is_tried_again_and_a_permanent_one_is_not(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK(.attempts_max = 3, .backoff_ns = SECOND_NS));

    assert_int_equal(end(f, c, reserve(f, c), CAUSE_ERROR, false), 0);
    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_ERROR);
    assert_int_equal(info(f, c, job).attempt, 1);
    advance_ms(f, 1000);
    assert_int_equal(end(f, c, reserve(f, c), CAUSE_ERROR, true), 0);
    assert_state(f, c, job, JOB_FAILED, CAUSE_ERROR);
    assert_string_equal(info(f, c, job).text.data, "words");
}

/* He says that he was cancelled: that is a failure, and the job can still be cancelled. */
static void test_a_cancel_that_nobody_asked_for_is_a_failure(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK(.attempts_max = 3, .backoff_ns = SECOND_NS));

    assert_int_equal(end(f, c, reserve(f, c), CAUSE_CANCELED, false), 0);
    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_ERROR);
    advance_ms(f, 1000);
    ask_ok(f, c, (struct request){.verb = VERB_JOB_CANCEL, .job_cancel = {.job = job}}, 0);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
}

static void test_what_a_worker_gives_back_costs_no_attempt(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());
    struct held held = reserve(f, c);

    assert_int_equal(end(f, c, held, CAUSE_RETURNED, false), 0);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    struct held again = reserve(f, c);
    assert_int_equal(again.job, job);
    assert_true(again.run > held.run);
    assert_int_equal(info(f, c, job).attempt, 0);
}

/* Nor does he rest as a host does: what would wake him does not outlive him. */
static void test_a_worker_that_gives_back_and_goes_leaves_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *other = client_new(f, 0);
    uint64_t job = submit(f, other, WORK());
    int64_t wake_ns = f->effects.wake_ns;

    assert_int_equal(end(f, c, reserve(f, c), CAUSE_RETURNED, false), 0);
    assert_int_equal(f->effects.wake_ns, wake_ns);
    client_die(f, c);
    advance_ms(f, 3600000);
    assert_int_equal(reserve(f, other).job, job);
}

static void test_IP0_what_is_said_of_an_old_run_is_stale(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *other = client_new(f, 0);
    uint64_t job = submit(f, c, WORK());
    struct held held = reserve(f, c);

    assert_int_equal(end(f, other, held, CAUSE_NONE, false), -ESTALE); /* it is not his */
    end(f, c, held, CAUSE_RETURNED, false);
    struct held again = reserve(f, other);
    assert_int_equal(end(f, c, held, CAUSE_NONE, false), -ESTALE);
    assert_int_equal(extend(f, c, held, 0), -ESTALE);
    assert_int_equal(end(f, other, (struct held){again.job, held.run}, CAUSE_NONE, false), -ESTALE);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE);
    assert_int_equal(end(f, other, again, CAUSE_NONE, false), 0);
    assert_int_equal(end(f, other, again, CAUSE_NONE, false), -ESTALE);
}

static void test_progress_and_output_are_kept(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, WORK());
    struct held held = reserve(f, c);
    ask_ok(f, c, (struct request){.verb = VERB_PROGRESS, .progress = {held.job, held.run, 0.5, TEXT("half")}},
           0);
    ask_ok(f, c, (struct request){.verb = VERB_PRINT, .print = {held.job, held.run, TEXT("output")}}, 0);
    struct job_info row = info(f, c, held.job);
    assert_string_equal(row.progress.data, "half");
    assert_int_equal(row.output_bytes, 6);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_job_without_a_plugin_waits_for_a_worker_and_says_so),
        TEST(test_a_reserve_waits_until_there_is_a_job),
        TEST(test_F1_reserves_are_served_in_the_order_in_which_they_came),
        TEST(test_many_are_taken_at_once_as_far_as_they_are_there),
        TEST(test_IP1_a_reserve_that_does_not_wait_is_judged_once),
        TEST(test_a_reserve_ends_with_its_deadline_and_takes_nothing_later),
        TEST(test_only_named_queues_and_functions_are_taken),
        TEST(test_a_worker_gets_no_job_of_a_plugin_and_a_host_none_of_a_worker),
        TEST(test_jobs_of_workers_count_as_no_plugin),
        TEST(test_what_workers_have_done_makes_no_room_for_a_plugin),
        TEST(test_what_makes_no_sense_is_refused_in_words),
        TEST(test_more_queues_than_one_may_name_are_too_many),
        TEST(test_no_more_are_taken_at_once_than_an_answer_has),
        TEST(test_no_more_is_taken_at_once_than_an_answer_carries),
        TEST(test_the_concurrency_of_a_queue_holds_for_workers),
        TEST(test_jobs_of_one_key_run_one_after_the_other),
        TEST(test_a_paused_queue_gives_workers_nothing),
        TEST(test_a_passing_failure_is_tried_again_and_a_permanent_one_is_not),
        TEST(test_what_a_worker_gives_back_costs_no_attempt),
        TEST(test_a_cancel_that_nobody_asked_for_is_a_failure),
        TEST(test_a_worker_that_gives_back_and_goes_leaves_nothing),
        TEST(test_IP0_what_is_said_of_an_old_run_is_stale),
        TEST(test_progress_and_output_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
