/* The life of a job against a simulated host: states, ends, retries, what is told when. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "jobs_internal.h"

static void test_the_table_of_states_is_the_one_of_the_design(void **state)
{
    static const struct {
        enum job_state from;
        uint32_t to;
    } legal[] = {
        {JOB_NONE, 1 << JOB_SCHEDULED | 1 << JOB_BLOCKED | 1 << JOB_READY},
        {JOB_SCHEDULED, 1 << JOB_READY | 1 << JOB_CANCELLED | 1 << JOB_FAILED},
        {JOB_BLOCKED, 1 << JOB_READY | 1 << JOB_SCHEDULED | 1 << JOB_CANCELLED | 1 << JOB_FAILED},
        {JOB_READY, 1 << JOB_RUNNING | 1 << JOB_CANCELLED | 1 << JOB_FAILED},
        {JOB_RUNNING, 1 << JOB_READY | 1 << JOB_SCHEDULED | 1 << JOB_DONE | 1 << JOB_FAILED |
                          1 << JOB_CANCELLED | 1 << JOB_DEAD},
        {JOB_DONE, 0},
        {JOB_FAILED, 1 << JOB_READY},
        {JOB_CANCELLED, 0},
        {JOB_DEAD, 1 << JOB_READY},
    };

    for (size_t i = 0; i < sizeof(legal) / sizeof(*legal); i++)
        for (int to = 0; to < JOB_STATES; to++)
            assert_int_equal(job_may(legal[i].from, (enum job_state)to), legal[i].to >> to & 1);
}

static void test_a_job_runs_and_its_result_is_told_to_who_waits(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    uint64_t waiting = wait_job(f, c, job);

    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    assert_string_equal(offer->function, "count");
    assert_string_equal(offer->argument, "argument");
    assert_int_equal(offer->offer.job, job);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE);
    assert_null(answer(f, c, waiting));
    assert_int_equal(done_with(f, host, offer, TEXT("42 words")), 0);
    struct seen *end = answer(f, c, waiting);
    assert_non_null(end);
    assert_int_equal(end->job.state, JOB_DONE);
    assert_string_equal(end->words[1], "42 words");
}

static void test_the_end_of_a_job_is_told_again_from_the_store(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    done_with(f, host, begin(f, host), TEXT("42 words"));
    struct seen *end = answer(f, c, wait_job(f, c, job));
    assert_non_null(end);
    assert_int_equal(end->job.state, JOB_DONE);
    assert_string_equal(end->words[1], "42 words");
    assert_true(info(f, c, job).ended_us > 0);
}

static void test_IP4_submit_is_answered_when_the_store_has_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    f->hold = true;
    uint64_t op = ask(f, c, SUBMIT());
    assert_null(answer(f, c, op));
    store_go_on(f, 0);
    assert_int_equal(answer(f, c, op)->status, 0);
}

static void test_a_job_is_not_offered_before_the_store_has_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    begin(f, host);
    f->hold = true;
    ask(f, c, SUBMIT());
    assert_null(next_offer(f, host, OFFER_RUN));
    assert_true(list_empty(&f->fetches));
    store_go_on(f, 0);
    assert_non_null(next_offer(f, host, OFFER_RUN));
}

static void test_the_end_is_told_when_the_store_has_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    uint64_t waiting = wait_job(f, c, job);
    struct seen *offer = begin(f, host);

    f->hold = true;
    assert_int_equal(done_with(f, host, offer, TEXT("r")), 1); /* no answer yet */
    assert_null(answer(f, c, waiting));
    uint64_t late = wait_job(f, c, job),
             look = ask(f, c, (struct request){.verb = VERB_JOB_INFO, .job_info = {job}});
    assert_null(answer(f, c, late));
    assert_null(answer(f, c, look));
    store_go_on(f, 0);
    assert_int_equal(answer(f, c, waiting)->job.state, JOB_DONE);
    assert_string_equal(answer(f, c, late)->words[1], "r");
    assert_string_equal(answer(f, c, look)->words[1], "r");
}

static void test_full_store_fails_the_submit_and_leaves_no_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    f->hold = true;
    uint64_t op = ask(f, c, SUBMIT());
    store_go_on(f, -ENOSPC);
    assert_int_equal(answer(f, c, op)->status, -ENOSPC);
    f->hold = false;
    struct seen *list = ask_ok(f, c, (struct request){.verb = VERB_JOB_LIST}, 0);
    assert_int_equal(list->jobs_n, 1);
}

/* It knows the id before the store does: ids of one millisecond follow each other. */
static void test_full_store_tells_who_waits_for_a_job_that_never_was(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *guesses = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    begin(f, host);
    f->hold = true;
    ask(f, c, SUBMIT());
    uint64_t waiting = wait_job(f, guesses, job + 1);
    assert_null(answer(f, guesses, waiting));
    store_go_on(f, -ENOSPC);
    assert_int_equal(answer(f, guesses, waiting)->status, -ENOENT);
}

/* The end is older than what is submitted later, although it is asked about after that. */
static void test_a_cancel_of_a_job_that_has_ended_waits_for_its_end_alone(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    f->hold = true;
    done_with(f, host, offer, TEXT("r"));
    uint64_t other = ask(f, c, SUBMIT()),
             cancel = ask(f, c, (struct request){.verb = VERB_JOB_CANCEL, .job_cancel = {job, TEXT("late")}});
    assert_null(answer(f, c, cancel));
    store_go_on(f, 0);
    f->hold = false;
    assert_int_equal(answer(f, c, cancel)->status, 0);
    assert_int_equal(answer(f, c, other)->status, 0);
    assert_state(f, c, job, JOB_DONE, CAUSE_NONE);
}

/* Both hear of the plugin in one step. */
static void test_full_store_fails_only_who_was_admitted(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t good = ask(f, c, SUBMIT()), bad = ask(f, c, SUBMIT_TO(PLUGIN, TEXT("none")));

    f->hold = true;
    plugin_is(f, TEXT("g1"), true);
    store_go_on(f, -ENOSPC);
    assert_int_equal(answer(f, c, good)->status, -ENOSPC);
    assert_int_equal(answer(f, c, bad)->status, -ENOENT);
}

static void test_full_store_keeps_the_end_of_a_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    f->hold = true;
    done_with(f, host, offer, TEXT("r"));
    store_go_on(f, -ENOSPC);
    f->hold = false;
    assert_state(f, c, job, JOB_DONE, CAUSE_NONE);
}

static void test_an_error_ends_a_job_with_one_attempt_as_failed(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    assert_int_equal(done(f, host, begin(f, host), CAUSE_ERROR, -EDOM), 0);
    struct job_info row = info(f, c, job);
    assert_int_equal(row.state, JOB_FAILED);
    assert_int_equal(row.cause, CAUSE_ERROR);
    assert_int_equal(row.error, -EDOM);
    assert_int_equal(row.attempt, 1);
    assert_string_equal(row.text.data, "words");
}

static void test_each_cause_a_host_may_give_is_kept(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    const enum job_cause causes[] = {CAUSE_ERROR, CAUSE_PANIC, CAUSE_DEADLOCK, CAUSE_TIMEOUT, CAUSE_CANCELED};
    struct client *host = NULL;

    for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++) {
        uint64_t job = submit(f, c, SUBMIT());
        host = host ? host : host_up(f);
        assert_int_equal(done(f, host, begin(f, host), causes[i], -1), 0);
        assert_state(f, c, job, JOB_FAILED, causes[i]);
    }
}

static void test_retries_wait_twice_as_long_each_time(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job =
        submit(f, c, SUBMIT(.attempts_max = 4, .backoff_ns = 100 * 1000000, .backoff_max_ns = 300 * 1000000));
    struct client *host = host_up(f);
    const int64_t waits_ms[] = {100, 200, 300};

    for (int i = 0; i < 3; i++) {
        done(f, host, begin(f, host), CAUSE_ERROR, -1);
        assert_state(f, c, job, JOB_SCHEDULED, CAUSE_ERROR);
        assert_int_equal(info(f, c, job).attempt, i + 1);
        advance_ms(f, waits_ms[i] - 1);
        assert_null(next_offer(f, host, OFFER_RUN));
        advance_ms(f, 1);
    }
    done(f, host, begin(f, host), CAUSE_ERROR, -1);
    assert_state(f, c, job, JOB_DEAD, CAUSE_ERROR);
}

static void test_a_retry_can_succeed(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = 1));
    struct client *host = host_up(f);

    struct seen *first = begin(f, host);
    done(f, host, first, CAUSE_ERROR, -1);
    advance_ms(f, 1);
    struct seen *second = begin(f, host);
    assert_int_equal(second->offer.attempt, 1);
    assert_true(second->offer.run > first->offer.run);
    done_with(f, host, second, TEXT("r"));
    assert_state(f, c, job, JOB_DONE, CAUSE_NONE);
}

static void test_policy_of_the_function_counts_where_the_submit_says_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT_TO(PLUGIN, TEXT("other")));

    assert_int_equal(info(f, c, job).attempts_max, 3);
    job = submit(f, c, SUBMIT_TO(PLUGIN, TEXT("other"), .attempts_max = 7));
    assert_int_equal(info(f, c, job).attempts_max, 7);
}

static void test_the_next_attempt_starts_only_when_the_failure_is_stored(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = 1));
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    f->hold = true;
    done(f, host, offer, CAUSE_ERROR, -1);
    advance_ms(f, 10);
    assert_true(list_empty(&f->fetches));
    f->hold = false;
    store_go_on(f, 0);
    assert_non_null(next_offer(f, host, OFFER_RUN));
}

static void test_an_attempt_that_is_not_stored_stands_in_no_line(void **state)
{
    struct jobs_fixture *f = *state;
    f->limits.queue_concurrency = 1;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t fails = submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = 1)), other = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    assert_int_equal(offer->offer.job, fails);
    f->hold = true;
    done(f, host, offer, CAUSE_ERROR, -1);
    advance_ms(f, 10);
    f->hold = false;
    store_go_on(f, 0);
    offer = begin(f, host);
    assert_int_equal(offer->offer.job, other);
    done(f, host, offer, CAUSE_NONE, 0);
    assert_int_equal(begin(f, host)->offer.job, fails);
}

static void test_a_returned_job_runs_again_without_an_attempt_and_first(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    f->limits.queue_concurrency = 1;
    restart(f);
    c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    uint64_t other = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    assert_int_equal(offer->offer.job, job);
    done(f, host, offer, CAUSE_RETURNED, 0);
    advance_ms(f, (int64_t)f->limits.host_restart_ms);
    struct seen *again = begin(f, host);
    assert_int_equal(again->offer.job, job);
    assert_int_equal(again->offer.attempt, 0);
    assert_true(again->offer.run > offer->offer.run);
    done_with(f, host, again, TEXT("r"));
    assert_int_equal(begin(f, host)->offer.job, other);
}

static void test_a_delayed_job_starts_when_it_is_due(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.delay_ns = 50 * 1000000));

    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_NONE);
    assert_int_equal(f->hosts_started, 0);
    advance_ms(f, 50);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    assert_int_equal(begin(f, host_up(f))->offer.job, job);
}

static void test_priority_comes_before_age_and_age_before_chance(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t jobs[4];
    const uint32_t priorities[4] = {0, 5, 0, 9};
    const int order[4] = {3, 1, 0, 2};

    f->limits.queue_concurrency = 1;
    restart(f);
    c = client_new(f, 0);
    for (int i = 0; i < 4; i++)
        jobs[i] = submit(f, c, SUBMIT(.priority = priorities[i]));
    struct client *host = host_up(f);
    for (int i = 0; i < 4; i++) {
        struct seen *offer = begin(f, host);
        assert_int_equal(offer->offer.job, jobs[order[i]]);
        done_with(f, host, offer, TEXT(""));
    }
}

static void test_a_queue_runs_as_many_at_once_as_it_may(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.queue_concurrency = 2;
    restart(f);
    struct client *c = client_new(f, 0);
    for (int i = 0; i < 3; i++)
        submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *first = begin(f, host);
    begin(f, host);
    assert_null(next_offer(f, host, OFFER_RUN));
    done_with(f, host, first, TEXT(""));
    assert_non_null(next_offer(f, host, OFFER_RUN));
}

static void test_a_named_queue_has_its_own_concurrency(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    set_queue(f, "mail", "concurrency=1");
    submit(f, c, SUBMIT(.queue = TEXT("mail")));
    submit(f, c, SUBMIT(.queue = TEXT("mail")));
    submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    begin(f, host);
    begin(f, host);
    assert_null(next_offer(f, host, OFFER_RUN));
}

static void test_a_host_has_no_more_offers_under_way_than_its_window(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    struct seen *offer = NULL, *next;
    int offers = 0;

    for (int i = 0; i < HOST_WINDOW + 2; i++)
        submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    while ((next = next_offer(f, host, OFFER_RUN))) {
        offer = next;
        offers++;
    }
    assert_int_equal(offers, HOST_WINDOW);
    started(f, host, offer);
    assert_non_null(next_offer(f, host, OFFER_RUN));
    assert_null(next_offer(f, host, OFFER_RUN));
}

static void test_superseded_run_is_stale_in_every_verb(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *old = begin(f, host);
    done(f, host, old, CAUSE_RETURNED, 0);
    advance_ms(f, (int64_t)f->limits.host_restart_ms);
    begin(f, host);
    struct request says[] = {
        {.verb = VERB_STARTED, .started = {old->offer.job, old->offer.run}},
        {.verb = VERB_DONE, .done = {.job = old->offer.job, .run = old->offer.run}},
        {.verb = VERB_PRINT, .print = {old->offer.job, old->offer.run, TEXT("x")}},
        {.verb = VERB_PROGRESS, .progress = {old->offer.job, old->offer.run, 0.5, TEXT("x")}},
    };
    for (size_t i = 0; i < sizeof(says) / sizeof(*says); i++)
        ask_ok(f, host, says[i], -ESTALE);
}

static void test_run_of_another_host_is_stale(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    submit(f, c, SUBMIT_TO(TEXT("/p/second.so"), TEXT("count")));
    struct client *other = host_up(f);
    assert_int_equal(done(f, other, offer, CAUSE_NONE, 0), -ESTALE);
}

static void test_verbs_of_hosts_are_refused_to_clients(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    ask_ok(f, c, (struct request){.verb = VERB_RESERVE, .reserve = {TEXT("g1"), 1}}, -EPERM);
    ask_ok(f, c, (struct request){.verb = VERB_STARTED, .started = {1, 1}}, -EPERM);
    ask_ok(f, c, (struct request){.verb = VERB_DONE, .done = {.job = 1, .run = 1}},
           -ESTALE); /* a worker may */
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_table_of_states_is_the_one_of_the_design),
        TEST(test_a_job_runs_and_its_result_is_told_to_who_waits),
        TEST(test_the_end_of_a_job_is_told_again_from_the_store),
        TEST(test_IP4_submit_is_answered_when_the_store_has_it),
        TEST(test_a_job_is_not_offered_before_the_store_has_it),
        TEST(test_the_end_is_told_when_the_store_has_it),
        TEST(test_full_store_fails_the_submit_and_leaves_no_job),
        TEST(test_full_store_tells_who_waits_for_a_job_that_never_was),
        TEST(test_full_store_fails_only_who_was_admitted),
        TEST(test_full_store_keeps_the_end_of_a_job),
        TEST(test_a_cancel_of_a_job_that_has_ended_waits_for_its_end_alone),
        TEST(test_an_error_ends_a_job_with_one_attempt_as_failed),
        TEST(test_each_cause_a_host_may_give_is_kept),
        TEST(test_retries_wait_twice_as_long_each_time),
        TEST(test_a_retry_can_succeed),
        TEST(test_policy_of_the_function_counts_where_the_submit_says_nothing),
        TEST(test_the_next_attempt_starts_only_when_the_failure_is_stored),
        TEST(test_an_attempt_that_is_not_stored_stands_in_no_line),
        TEST(test_a_returned_job_runs_again_without_an_attempt_and_first),
        TEST(test_a_delayed_job_starts_when_it_is_due),
        TEST(test_priority_comes_before_age_and_age_before_chance),
        TEST(test_a_queue_runs_as_many_at_once_as_it_may),
        TEST(test_a_named_queue_has_its_own_concurrency),
        TEST(test_a_host_has_no_more_offers_under_way_than_its_window),
        TEST(test_superseded_run_is_stale_in_every_verb),
        TEST(test_run_of_another_host_is_stale),
        TEST(test_verbs_of_hosts_are_refused_to_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
