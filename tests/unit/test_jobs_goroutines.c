/* GOROUTINES: hosts are asked for their goroutines and answer in pieces. */
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
