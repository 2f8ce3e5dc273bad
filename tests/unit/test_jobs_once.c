/* A job that is submitted once: whom a second submit with its key finds, for how long, and over restarts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define S         INT64_C(1000000000)
#define ONCE(...) SUBMIT(.once_key = TEXT("k"), ##__VA_ARGS__)
#define LATER     .delay_ns = 1000 * S

static void test_a_second_submit_is_refused_and_told_which_job_has_the_key(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE());
    struct seen *seen = ask_ok(f, c, ONCE(), -EEXIST);

    assert_int_equal(seen->handle, job);
    submit(f, c, SUBMIT(.once_key = TEXT("other")));
    submit(f, c, SUBMIT());
}

static void test_the_end_of_the_job_frees_its_key(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE(.attempts_max = 2, .backoff_ns = 1));
    struct client *host = host_there(f);

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    ask_ok(f, c, ONCE(), -EEXIST); /* it is tried again */
    advance_ms(f, 1);
    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    assert_state(f, c, job, JOB_DEAD, CAUSE_ERROR);
    uint64_t second = submit(f, c, ONCE(LATER));
    cancel_job(f, c, second);
    submit(f, c, ONCE());
}

static void test_a_submit_that_joins_gets_the_same_job_and_result(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *other = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE(.once_policy = ONCE_JOIN));
    struct seen *seen = ask_ok(f, other, ONCE(.once_policy = ONCE_JOIN), 1);

    assert_int_equal(seen->handle, job);
    uint64_t first = wait_job(f, c, job), second = wait_job(f, other, seen->handle);
    struct client *host = host_there(f);
    done_with(f, host, begin(f, host), TEXT("one result"));
    assert_string_equal(answer(f, c, first)->words[1], "one result");
    assert_string_equal(answer(f, other, second)->words[1], "one result");
    assert_null(next_offer(f, host, OFFER_RUN));
}

static void test_a_join_is_answered_when_the_job_is_stored(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    f->hold = true;
    uint64_t first = ask(f, c, ONCE()), second = ask(f, c, ONCE(.once_policy = ONCE_JOIN));
    assert_null(answer(f, c, first));
    assert_null(answer(f, c, second));
    store_go_on(f, 0);
    assert_int_equal(answer(f, c, second)->status, 1);
    assert_int_equal(answer(f, c, second)->handle, answer(f, c, first)->handle);
}

static void test_a_job_that_never_was_has_no_key(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    f->hold = true;
    uint64_t first = ask(f, c, ONCE()), second = ask(f, c, ONCE(.once_policy = ONCE_JOIN));
    store_go_on(f, -ENOSPC);
    f->hold = false;
    assert_int_equal(answer(f, c, first)->status, -ENOSPC);
    assert_int_equal(answer(f, c, second)->status, -ENOSPC);
    submit(f, c, ONCE());
}

/* ---- replace ---- */

static void test_a_job_that_waits_is_replaced(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t old = submit(f, c, ONCE(LATER)), waiting = wait_job(f, c, old);
    struct request request = ONCE(.once_policy = ONCE_REPLACE);

    request.submit.argument = TEXT("newer");
    uint64_t job = submit(f, c, request);
    assert_true(job > old);
    assert_int_equal(answer(f, c, waiting)->job.state, JOB_CANCELLED);
    assert_state(f, c, old, JOB_CANCELLED, CAUSE_CANCELED);
    assert_string_equal(info(f, c, old).text.data, "a later submit with its key has replaced it");
    assert_string_equal(begin(f, host_there(f))->argument, "newer");
    ask_ok(f, c, ONCE(), -EEXIST);
}

static void test_who_replaces_a_job_of_another_queue_needs_room(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t first = submit(f, c, SUBMIT(.once_key = TEXT("k"), .delay_ns = S));
    struct request there = SUBMIT(.queue = TEXT("mail"), .once_key = TEXT("k"), .once_policy = ONCE_REPLACE);

    set_queue(f, "mail", "waiting_max=1 full=reject");
    uint64_t full = submit(f, c, SUBMIT(.queue = TEXT("mail")));
    ask_ok(f, c, there, -ENOBUFS);
    assert_state(f, c, first, JOB_SCHEDULED, CAUSE_NONE);
    cancel_job(f, c, full);
    assert_state(f, c, submit(f, c, there), JOB_READY, CAUSE_NONE);
    assert_state(f, c, first, JOB_CANCELLED, CAUSE_CANCELED);
}

static void test_who_replaces_a_job_has_its_room_and_no_more(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    struct request larger = ONCE(.delay_ns = S, .once_policy = ONCE_REPLACE), as_large = larger;

    larger.submit.argument = TEXT("arguments");
    set_queue(f, "default", "waiting_bytes=16 waiting_max=2 full=reject");
    uint64_t first = submit(f, c, ONCE(LATER)), other = submit(f, c, SUBMIT(LATER));
    ask_ok(f, c, larger, -ENOBUFS);
    assert_state(f, c, first, JOB_SCHEDULED, CAUSE_NONE);
    uint64_t second = submit(f, c, as_large);
    assert_state(f, c, first, JOB_CANCELLED, CAUSE_CANCELED);
    cancel_job(f, c, other);
    submit(f, c, larger);
    assert_state(f, c, second, JOB_CANCELLED, CAUSE_CANCELED);
}

static void test_a_job_that_runs_is_not_replaced(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE());

    begin(f, host_there(f));
    assert_int_equal(ask_ok(f, c, ONCE(.once_policy = ONCE_REPLACE), -EBUSY)->handle, job);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE);
}

/* Both, or none: and a full store does not refuse what takes no more room than was there. */
static void test_old_and_new_are_one_batch(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t old = submit(f, c, ONCE(LATER));

    f->hold = true;
    uint64_t op = ask(f, c, ONCE(LATER, .once_policy = ONCE_REPLACE)), before = f->stored;
    assert_int_equal(f->batches, before + 1);
    assert_null(answer(f, c, op));
    store_go_on(f, -ENOSPC);
    f->hold = false;
    uint64_t job = answer(f, c, op)->handle;
    assert_int_equal(answer(f, c, op)->status, 0);
    restart(f);
    c = client_new(f, 0);
    assert_state(f, c, old, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_NONE);
    assert_int_equal(ask_ok(f, c, ONCE(), -EEXIST)->handle, job);
}

static void test_a_crash_before_the_store_has_it_leaves_the_old_one(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t old = submit(f, c, ONCE(LATER));

    f->hold = true;
    ask(f, c, ONCE(LATER, .once_policy = ONCE_REPLACE));
    f->hold = false;
    restart(f);
    c = client_new(f, 0);
    assert_state(f, c, old, JOB_SCHEDULED, CAUSE_NONE);
    assert_int_equal(ask_ok(f, c, ONCE(), -EEXIST)->handle, old);
}

static void test_many_replace_each_other_before_the_store_has_any(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t last = 0;

    submit(f, c, SUBMIT(LATER));
    f->hold = true;
    for (int i = 0; i < 5; i++)
        last = ask(f, c, ONCE(LATER, .once_policy = ONCE_REPLACE));
    f->hold = false;
    store_go_on(f, 0);
    uint64_t job = answer(f, c, last)->handle;
    struct seen *list =
        ask_ok(f, c, (struct request){.verb = VERB_JOB_LIST, .job_list.states = 1u << JOB_SCHEDULED}, 0);
    assert_int_equal(list->jobs_n, 2);
    assert_int_equal(list->ids[1], job);
}

/* ---- scope ---- */

static void test_scopes(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 1000);
    struct request other = SUBMIT_TO(PLUGIN, TEXT("other"), .once_key = TEXT("k"), LATER);

    submit(f, c, ONCE(LATER));
    submit(f, c, other); /* another function */
    other.submit.once_scope = ONCE_QUEUE;
    submit(f, c, other); /* another scope */
    ask_ok(f, c, ONCE(LATER, .once_scope = ONCE_QUEUE), -EEXIST);
    submit(f, c, ONCE(LATER, .once_scope = ONCE_ALL));
    other.submit.once_scope = ONCE_ALL;
    ask_ok(f, c, other, -EEXIST);
    submit(f, client_new(f, 1001), ONCE(LATER, .once_scope = ONCE_ALL)); /* another user */
}

/* ---- how long ---- */

static void test_a_key_for_a_time_holds_beyond_the_end(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE(.once_ns = 60 * S));
    struct client *host = host_there(f);

    done_with(f, host, begin(f, host), TEXT("r"));
    advance_ms(f, 30000);
    assert_int_equal(ask_ok(f, c, ONCE(.once_policy = ONCE_JOIN), 1)->handle, job);
    restart(f);
    c = client_new(f, 0);
    assert_int_equal(ask_ok(f, c, ONCE(.once_policy = ONCE_JOIN), 1)->handle, job);
    advance_ms(f, 29999);
    ask_ok(f, c, ONCE(), -EEXIST);
    advance_ms(f, 1);
    assert_true(submit(f, c, ONCE()) > job);
}

static void test_a_key_for_a_time_is_free_although_its_job_still_waits(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE(LATER, .once_ns = 10 * S));

    advance_ms(f, 10000);
    uint64_t second = submit(f, c, ONCE(LATER));
    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_NONE);
    cancel_job(f, c, job); /* that takes nothing from the second */
    assert_int_equal(ask_ok(f, c, ONCE(), -EEXIST)->handle, second);
}

static void test_a_key_until_deleted(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.retained_s = 10;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE(.once_ns = ONCE_KEPT));
    struct client *host = host_there(f);
    done_with(f, host, begin(f, host), TEXT("r"));
    restart(f);
    c = client_new(f, 0);
    assert_int_equal(ask_ok(f, c, ONCE(), -EEXIST)->handle, job);
    struct request purge = {.verb = VERB_JOB_PURGE, .job_purge = {.states = 1u << JOB_DONE}};
    ask_ok(f, c, purge, 1);
    uint64_t second = submit(f, c, ONCE(.once_ns = ONCE_KEPT));
    cancel_job(f, c, second);
    ask_ok(f, c, ONCE(), -EEXIST);
    advance_ms(f, 10000);
    submit(f, c, ONCE());
}

static void test_a_job_is_kept_for_the_time_of_its_key(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.retained_s = 10;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE(LATER, .once_ns = 60 * S)), plain = submit(f, c, SUBMIT(LATER));
    cancel_job(f, c, job);
    cancel_job(f, c, plain);
    advance_ms(f, 20000);
    ask_ok(f, c, LOOK(plain), -ENOENT);
    assert_state(f, c, job, JOB_CANCELLED, CAUSE_CANCELED);
    ask_ok(f, c, ONCE(), -EEXIST);
    advance_ms(f, 40001);
    ask_ok(f, c, LOOK(job), -ENOENT);
    submit(f, c, ONCE());
}

static void test_limit_once_kept_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.retained_s = 10;
    f->limits.once_kept_max = 1;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t first = submit(f, c, ONCE(LATER, .once_ns = 60 * S)),
             second = submit(f, c, SUBMIT(LATER, .once_key = TEXT("l"), .once_ns = 60 * S));
    cancel_job(f, c, first);
    cancel_job(f, c, second);
    advance_ms(f, 20000);
    ask_ok(f, c, LOOK(first), -ENOENT);
    assert_state(f, c, second, JOB_CANCELLED, CAUSE_CANCELED);
    submit(f, c, ONCE());
}

static void test_another_life_takes_the_key_again_if_it_is_free(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE(.once_ns = 600 * S));
    struct client *host = host_there(f);
    struct request retry = {.verb = VERB_JOB_RETRY, .job_retry = {.job = job}};

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    ask_ok(f, c, retry, 1);
    ask_ok(f, c, ONCE(), -EEXIST);
    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    uint64_t second = submit(f, c, ONCE(LATER, .once_policy = ONCE_REPLACE));
    ask_ok(f, c, retry, 1); /* without the key */
    assert_int_equal(ask_ok(f, c, ONCE(), -EEXIST)->handle, second);
    restart(f);
    c = client_new(f, 0);
    assert_int_equal(ask_ok(f, c, ONCE(), -EEXIST)->handle, second);
}

static void test_another_life_has_no_key_whose_time_has_passed(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE(.once_ns = 10 * S));
    struct client *host = host_there(f);

    done(f, host, begin(f, host), CAUSE_ERROR, -EIO);
    advance_ms(f, 10000);
    ask_ok(f, c, (struct request){.verb = VERB_JOB_RETRY, .job_retry = {.job = job}}, 1);
    assert_true(submit(f, c, ONCE(LATER)) > job);
}

/* The job fails, and lives again so long after that; its end is not stored yet. */
static void live_again(struct jobs_fixture *f, struct client *c, uint64_t job, struct client *host,
                       int64_t after_ms)
{
    struct seen *offer = begin(f, host);

    f->hold = true;
    done(f, host, offer, CAUSE_ERROR, -EIO);
    advance_ms(f, after_ms);
    ask(f, c, (struct request){.verb = VERB_JOB_RETRY, .job_retry = {.job = job}});
    f->hold = false;
    store_go_on(f, 0);
}

static void test_another_life_keeps_its_key_whose_end_is_not_stored_yet(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE(.once_ns = 600 * S));
    struct client *host = host_there(f);

    live_again(f, c, job, host, 0);
    assert_int_equal(ask_ok(f, c, ONCE(), -EEXIST)->handle, job);
    done(f, host, begin(f, host), CAUSE_NONE, 0);
    assert_int_equal(ask_ok(f, c, ONCE(), -EEXIST)->handle, job);
}

static void test_another_life_has_no_key_whose_time_passed_before_its_end_was_stored(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, ONCE(.once_ns = 10 * S));

    live_again(f, c, job, host_there(f), 10000);
    uint64_t second = submit(f, c, ONCE(LATER));
    restart(f);
    c = client_new(f, 0);
    assert_int_equal(ask_ok(f, c, ONCE(), -EEXIST)->handle, second);
}

static void test_what_makes_no_sense_is_refused(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    ask_ok(f, c, ONCE(.once_ns = -2), -EINVAL);
    ask_ok(f, c, ONCE(.once_scope = 3), -EINVAL);
    ask_ok(f, c, ONCE(.once_policy = 3), -EINVAL);
}

static void test_memory_that_runs_out_breaks_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t old = submit(f, c, ONCE(LATER));

    for (long n = 0; n < 80; n++) {
        c = client_new(f, 0); /* the connection of the last may have to be bound anew */
        f->allocations_left = n;
        uint64_t op = ask(f, c, ONCE(LATER, .once_policy = ONCE_REPLACE));
        f->allocations_left = -1;
        if (f->plugin_waiting) /* it has not been looked at for long */
            plugin_is(f, TEXT("g1"), true);
        advance_ms(f, 100);
        struct seen *seen = answer(f, c, op);
        c = client_new(f, 0);
        if (seen && seen->status == 0) {
            assert_state(f, c, old, JOB_CANCELLED, CAUSE_CANCELED);
            return;
        }
        if (info(f, c, old).state == JOB_CANCELLED) /* it was done; the answer alone had no memory */
            return;
        assert_int_equal(ask_ok(f, c, ONCE(), -EEXIST)->handle, old);
    }
    fail_msg("never replaced");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_second_submit_is_refused_and_told_which_job_has_the_key),
        TEST(test_the_end_of_the_job_frees_its_key),
        TEST(test_a_submit_that_joins_gets_the_same_job_and_result),
        TEST(test_a_join_is_answered_when_the_job_is_stored),
        TEST(test_a_job_that_never_was_has_no_key),
        TEST(test_a_job_that_waits_is_replaced),
        TEST(test_who_replaces_a_job_of_another_queue_needs_room),
        TEST(test_who_replaces_a_job_has_its_room_and_no_more),
        TEST(test_a_job_that_runs_is_not_replaced),
        TEST(test_old_and_new_are_one_batch),
        TEST(test_a_crash_before_the_store_has_it_leaves_the_old_one),
        TEST(test_many_replace_each_other_before_the_store_has_any),
        TEST(test_scopes),
        TEST(test_a_key_for_a_time_holds_beyond_the_end),
        TEST(test_a_key_for_a_time_is_free_although_its_job_still_waits),
        TEST(test_a_key_until_deleted),
        TEST(test_a_job_is_kept_for_the_time_of_its_key),
        TEST(test_limit_once_kept_max),
        TEST(test_another_life_takes_the_key_again_if_it_is_free),
        TEST(test_another_life_has_no_key_whose_time_has_passed),
        TEST(test_another_life_has_no_key_whose_time_passed_before_its_end_was_stored),
        TEST(test_another_life_keeps_its_key_whose_end_is_not_stored_yet),
        TEST(test_what_makes_no_sense_is_refused),
        TEST(test_memory_that_runs_out_breaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
