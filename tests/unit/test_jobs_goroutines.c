/* GOROUTINES and INSPECT: hosts are asked about themselves and their jobs and answer in pieces. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "jobs_internal.h"

enum { OWNER = 9, SEGV = 11 };

static struct request goroutines(uint64_t after)
{
    return (struct request){.verb = VERB_GOROUTINES, .goroutines = {after}};
}

static int32_t dumped(struct jobs_fixture *f, struct client *host, uint64_t dump, struct bytes text,
                      bool last)
{
    struct request request = {.verb = VERB_DUMPED, .dumped = {dump, text, last}};

    return answer(f, host, ask(f, host, request))->status;
}

/* A host with a job, and root, who asks. */
static struct client *host_and_root(struct jobs_fixture *f, struct client **root)
{
    struct client *host;

    core_set_owner(f->core, OWNER);
    *root = client_new(f, 0);
    submit(f, *root, SUBMIT());
    host = host_up(f);
    begin(f, host);
    return host;
}

static void test_a_host_answers_in_pieces_that_become_one_text(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root, *host = host_and_root(f, &root);
    uint64_t op = ask(f, root, goroutines(0));
    struct seen *offer = next_offer(f, host, OFFER_DUMP);

    assert_non_null(offer);
    assert_null(answer(f, root, op));
    assert_int_equal(dumped(f, host, offer->offer.job, TEXT("goroutine 1\n"), false), 0);
    assert_int_equal(dumped(f, host, offer->offer.job, TEXT("goroutine 2\n"), true), 0);
    struct seen *seen = answer(f, root, op);
    assert_int_equal(seen->status, 0);
    assert_string_equal(seen->output, "goroutine 1\ngoroutine 2\n");
    assert_int_equal(seen->flags & RESULT_MORE, 0);
    ask_ok(f, root, goroutines(seen->handle), -ENOENT);
}

static void test_those_who_ask_meanwhile_get_the_same_dump(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root, *host = host_and_root(f, &root), *owner = client_new(f, OWNER);
    uint64_t first = ask(f, root, goroutines(0)), second = ask(f, owner, goroutines(0));
    struct seen *offer = next_offer(f, host, OFFER_DUMP);

    assert_null(next_offer(f, host, OFFER_DUMP));
    dumped(f, host, offer->offer.job, TEXT("text"), true);
    assert_string_equal(answer(f, root, first)->output, "text");
    assert_string_equal(answer(f, owner, second)->output, "text");
}

static void test_only_root_and_the_daemons_user_may_ask(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root, *host = host_and_root(f, &root), *other = client_new(f, 1000);

    ask_ok(f, other, goroutines(0), -EPERM);
    assert_null(next_offer(f, host, OFFER_DUMP));
}

static void test_a_dump_that_nobody_waits_for_any_more_is_taken_all_the_same(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root, *host = host_and_root(f, &root);
    uint64_t op = ask(f, root, goroutines(0));
    struct seen *offer = next_offer(f, host, OFFER_DUMP);

    cancel_op(f, root, op);
    assert_int_equal(answer(f, root, op)->status, -ECANCELED);
    client_die(f, root);
    assert_int_equal(dumped(f, host, offer->offer.job, TEXT("late"), true), 0);
    assert_int_equal(dumped(f, host, offer->offer.job, TEXT("again"), true), -ESTALE);
}

static void test_a_host_that_ends_before_it_answers_is_told_of(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root, *host = host_and_root(f, &root);
    uint64_t op = ask(f, root, goroutines(0));
    struct seen *offer = next_offer(f, host, OFFER_DUMP);

    dumped(f, host, offer->offer.job, TEXT("half of it"), false);
    host_dies(f, host, SEGV, 0);
    assert_int_equal(answer(f, root, op)->status, -EOWNERDEAD);
}

static void test_limit_dump_bytes_max_bounds_what_is_kept(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root, *host;

    f->limits.dump_bytes_max = 10;
    restart(f);
    host = host_and_root(f, &root);
    uint64_t op = ask(f, root, goroutines(0));
    struct seen *offer = next_offer(f, host, OFFER_DUMP);
    dumped(f, host, offer->offer.job, TEXT("0123456"), false);
    dumped(f, host, offer->offer.job, TEXT("789abc"), false);
    dumped(f, host, offer->offer.job, TEXT("def"), true);
    assert_string_equal(answer(f, root, op)->output, "0123456789");
}

static void test_only_a_host_answers(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root;

    host_and_root(f, &root);
    ask(f, root, goroutines(0));
    ask_ok(f, root, (struct request){.verb = VERB_DUMPED, .dumped = {1, TEXT("x"), true}}, -EPERM);
}

/* ---- INSPECT ---- */

static struct request inspect(uint32_t what, uint64_t job)
{
    return (struct request){.verb = VERB_INSPECT, .inspect = {.what = what, .job = job}};
}

static int32_t failed(struct jobs_fixture *f, struct client *host, uint64_t dump, int error)
{
    struct request request = {.verb = VERB_DUMPED, .dumped = {dump, TEXT("why"), true, error}};

    return answer(f, host, ask(f, host, request))->status;
}

/* A host that runs a job of user 1000, and both. */
static struct client *host_of(struct jobs_fixture *f, struct client **user, uint64_t *job)
{
    struct client *host;

    core_set_owner(f->core, OWNER);
    *user = client_new(f, 1000);
    *job = submit(f, *user, SUBMIT());
    host = host_up(f);
    begin(f, host);
    return host;
}

static void test_a_question_about_a_job_goes_to_its_run_in_its_host(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *user, *host;
    uint64_t job, op;

    host = host_of(f, &user, &job);
    op = ask(f, user, inspect(INSPECT_STATS, job));
    struct seen *offer = next_offer(f, host, OFFER_DUMP);
    assert_non_null(offer);
    assert_int_equal(offer->offer.what, INSPECT_STATS);
    assert_int_equal(offer->offer.run, job_run(job_find(f->core, job))->number);
    dumped(f, host, offer->offer.job, TEXT("goroutines 1\n"), true);
    assert_string_equal(answer(f, user, op)->output, "goroutines 1\n");
}

static void test_questions_about_what_concerns_others_are_for_root_and_the_owner(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *user, *host, *other;
    uint64_t job;

    host = host_of(f, &user, &job);
    other = client_new(f, 1001);
    ask_ok(f, other, inspect(INSPECT_STACKS, job), -EPERM);
    ask_ok(f, user, inspect(INSPECT_CPU_START, job), -EPERM);
    ask_ok(f, user, inspect(INSPECT_STACKS, 0), -EPERM);
    assert_null(next_offer(f, host, OFFER_DUMP));
    ask(f, client_new(f, OWNER), inspect(INSPECT_CPU_START, job));
    assert_non_null(next_offer(f, host, OFFER_DUMP));
}

static void test_a_job_that_does_not_run_cannot_be_asked_about(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *user = client_new(f, 1000);
    uint64_t job = submit(f, user, SUBMIT());

    ask_ok(f, user, inspect(INSPECT_STACKS, job), -ENOENT);
    ask_ok(f, user, inspect(INSPECT_STACKS, job + 12345), -ENOENT);
}

static void test_an_answer_may_be_that_there_is_none(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root, *host = host_and_root(f, &root);
    uint64_t op = ask(f, root, inspect(INSPECT_TRACE_STOP, 0));
    struct seen *offer = next_offer(f, host, OFFER_DUMP);

    failed(f, host, offer->offer.job, -EBUSY);
    assert_int_equal(answer(f, root, op)->status, -EBUSY);
    op = ask(f, root, inspect(INSPECT_TRACE_STOP, 0));
    failed(f, host, next_offer(f, host, OFFER_DUMP)->offer.job, 7); /* no error at all */
    assert_int_equal(answer(f, root, op)->status, -EINVAL);
}

static void test_only_questions_that_change_nothing_share_an_answer(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root, *host = host_and_root(f, &root);

    ask(f, root, inspect(INSPECT_STATS, 0));
    ask(f, root, inspect(INSPECT_STATS, 0));
    assert_non_null(next_offer(f, host, OFFER_DUMP));
    assert_null(next_offer(f, host, OFFER_DUMP));
    ask(f, root, inspect(INSPECT_PROCS, 0));
    ask(f, root, inspect(INSPECT_PROCS, 0));
    assert_non_null(next_offer(f, host, OFFER_DUMP));
    assert_non_null(next_offer(f, host, OFFER_DUMP));
}

static void test_limit_inspections_max_bounds_the_questions_to_one_host(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root, *host;

    f->limits.inspections_max = 2;
    restart(f);
    host = host_and_root(f, &root);
    ask(f, root, inspect(INSPECT_STATS, 0));
    ask(f, root, inspect(INSPECT_PROCS, 0));
    ask_ok(f, root, inspect(INSPECT_PROCS, 0), -ENOBUFS);
    dumped(f, host, next_offer(f, host, OFFER_DUMP)->offer.job, TEXT("x"), true);
    ask(f, root, inspect(INSPECT_PROCS, 0));
}

static void test_what_is_no_text_is_whole_or_not_told_at_all(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *root, *host;

    f->limits.dump_bytes_max = 10;
    restart(f);
    host = host_and_root(f, &root);
    uint64_t op = ask(f, root, inspect(INSPECT_TRACE_STOP, 0));
    struct seen *offer = next_offer(f, host, OFFER_DUMP);
    dumped(f, host, offer->offer.job, TEXT("0123456789a"), true);
    assert_int_equal(answer(f, root, op)->status, -ENOBUFS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_host_answers_in_pieces_that_become_one_text),
        TEST(test_those_who_ask_meanwhile_get_the_same_dump),
        TEST(test_only_root_and_the_daemons_user_may_ask),
        TEST(test_a_dump_that_nobody_waits_for_any_more_is_taken_all_the_same),
        TEST(test_a_host_that_ends_before_it_answers_is_told_of),
        TEST(test_limit_dump_bytes_max_bounds_what_is_kept),
        TEST(test_only_a_host_answers),
        TEST(test_a_question_about_a_job_goes_to_its_run_in_its_host),
        TEST(test_questions_about_what_concerns_others_are_for_root_and_the_owner),
        TEST(test_a_job_that_does_not_run_cannot_be_asked_about),
        TEST(test_an_answer_may_be_that_there_is_none),
        TEST(test_only_questions_that_change_nothing_share_an_answer),
        TEST(test_limit_inspections_max_bounds_the_questions_to_one_host),
        TEST(test_what_is_no_text_is_whole_or_not_told_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
