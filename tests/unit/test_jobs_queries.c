/* Asking about jobs, their output, and what a restart keeps. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"

#define MS 1000000

static struct request list_of(uint32_t states, uint64_t after, uint32_t limit)
{
    return (struct request){.verb = VERB_JOB_LIST,
                            .job_list = {.states = states, .after = after, .limit = limit}};
}

/* Submits n jobs and lets every second one end. */
static void half_done(struct jobs_fixture *f, struct client *c, uint64_t *ids, int n)
{
    struct client *host = NULL;

    for (int i = 0; i < n; i++) {
        ids[i] = submit(f, c, SUBMIT());
        host = host ? host : host_up(f);
        struct seen *offer = begin(f, host);
        if (i % 2)
            done_with(f, host, offer, TEXT("r"));
    }
}

static void test_ids_grow_have_63_bits_and_name_the_node(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t last = 0;

    for (int i = 0; i < 10; i++) {
        uint64_t job = submit(f, c, SUBMIT(.delay_ns = 1000 * MS));
        assert_true(job > last && job < UINT64_C(1) << 63);
        assert_int_equal(job >> 12 & 1023, 1);
        last = job;
        f->now.wall_ns -= 5 * MS; /* a clock that goes back */
    }
    restart(f);
    assert_true(submit(f, client_new(f, 0), SUBMIT()) > last);
}

#define HOUR_NS (3600 * INT64_C(1000) * MS)

static void test_no_id_comes_again_when_the_newest_jobs_are_forgotten_and_the_clock_is_set_back(void **state)
{
    struct jobs_fixture *f = *state;
    uint64_t first, job;

    f->limits.retained_s = 1;
    restart(f);
    struct client *c = client_new(f, 0);
    first = submit(f, c, SUBMIT(.delay_ns = 10 * HOUR_NS));
    advance_ms(f, 10);
    job = submit(f, c, SUBMIT());
    struct client *host = host_there(f);
    done_with(f, host, begin(f, host), TEXT("r"));
    advance_ms(f, 2000);
    ask_ok(f, c, LOOK(job), -ENOENT);
    f->now.wall_ns -= HOUR_NS;
    restart(f);
    assert_true(job > first && submit(f, client_new(f, 0), SUBMIT()) > job);
}

/* What the store had in memory alone. */
static void lose(struct jobs_fixture *f, uint64_t job)
{
    const struct job_row row = {.id = job, .flags = (uint32_t)DURABLE_NONE << DURABILITY_SHIFT};
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_new(1);

    batch_append(batch, record_new(RECORD_JOB_DELETE, &row, TEXT("")));
    list_append(&batches, &batch->link);
    assert_int_equal(store_memory.apply(f->store, &batches), 0);
    batch_delete(batch);
}

static void test_no_id_of_a_job_in_memory_alone_comes_again(void **state)
{
    struct jobs_fixture *f = *state;
    uint64_t last = 0;

    for (int i = 0; i < 3; i++) {
        uint64_t jobs[2];
        set_queue(f, "brief", "durability=none");
        struct client *c = client_new(f, 0);
        for (int n = 0; n < 2; n++)
            jobs[n] = submit(f, c, SUBMIT(.queue = TEXT("brief"), .delay_ns = 10 * HOUR_NS));
        assert_true(jobs[0] > last && jobs[1] > jobs[0]);
        last = jobs[1];
        lose(f, jobs[0]);
        lose(f, jobs[1]);
        f->now.wall_ns -= HOUR_NS;
        restart(f);
        ask_ok(f, client_new(f, 0), LOOK(last), -ENOENT);
    }
}

static void test_list_puts_memory_and_store_together_in_the_order_of_ids(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t ids[10];

    half_done(f, c, ids, 10);
    struct seen *list = ask_ok(f, c, list_of(0, 0, 0), 0);
    assert_int_equal(list->jobs_n, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(list->ids[i], ids[i]);
    assert_false(list->flags & RESULT_MORE);
}

static void test_list_pages_lose_and_repeat_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t ids[10], after = 0;
    int n = 0;

    half_done(f, c, ids, 10);
    for (;;) {
        struct seen *list = ask_ok(f, c, list_of(0, after, 3), 0);
        for (size_t i = 0; i < list->jobs_n; i++)
            assert_int_equal(list->ids[i], ids[n++]);
        if (!(list->flags & RESULT_MORE))
            break;
        after = list->handle;
    }
    assert_int_equal(n, 10);
}

static void test_list_filters_by_state_and_queue(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t ids[6];

    half_done(f, c, ids, 6);
    assert_int_equal(ask_ok(f, c, list_of(1 << JOB_DONE, 0, 0), 0)->jobs_n, 3);
    assert_int_equal(ask_ok(f, c, list_of(1 << JOB_RUNNING, 0, 0), 0)->jobs_n, 3);
    assert_int_equal(ask_ok(f, c, list_of(1 << JOB_DEAD, 0, 0), 0)->jobs_n, 0);
    struct request named = list_of(0, 0, 0);
    named.job_list.queue = TEXT("default");
    assert_int_equal(ask_ok(f, c, named, 0)->jobs_n, 6);
    named.job_list.queue = TEXT("mail");
    assert_int_equal(ask_ok(f, c, named, 0)->jobs_n, 0);
}

static void test_a_job_that_ends_while_it_is_listed_is_listed_once(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    f->hold = true;
    done_with(f, host, offer, TEXT("r"));
    uint64_t op = ask(f, c, list_of(0, 0, 0));
    f->hold = false;
    store_go_on(f, 0); /* the end is stored before the list is fetched */
    assert_int_equal(answer(f, c, op)->jobs_n, 1);
    assert_int_equal(answer(f, c, op)->ids[0], job);
}

static void test_limit_sweep_per_turn_bounds_what_a_list_looks_at(void **state)
{
    struct jobs_fixture *f = *state;
    uint64_t after = 0;
    size_t n = 0, pages = 0;

    f->limits.sweep_per_turn = 4;
    restart(f);
    struct client *c = client_new(f, 0);
    for (int i = 0; i < 10; i++)
        submit(f, c, SUBMIT(.delay_ns = 1000 * MS));
    for (bool more = true; more; pages++) {
        struct seen *list = ask_ok(f, c, list_of(1 << JOB_SCHEDULED, after, 0), 0);
        n += list->jobs_n;
        more = list->flags & RESULT_MORE;
        after = list->handle;
    }
    assert_int_equal(n, 10);
    assert_int_equal(pages, 3);
}

static void test_limit_list_page_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.list_page_max = 2;
    restart(f);
    struct client *c = client_new(f, 0);
    for (int i = 0; i < 3; i++)
        submit(f, c, SUBMIT());
    struct seen *list = ask_ok(f, c, list_of(0, 0, 100), 0);
    assert_int_equal(list->jobs_n, 2);
    assert_true(list->flags & RESULT_MORE);
}

static void test_unknown_job_is_not_found(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    ask_ok(f, c, (struct request){.verb = VERB_JOB_INFO, .job_info = {77}}, -ENOENT);
    ask_ok(f, c, (struct request){.verb = VERB_JOB_WAIT, .job_wait = {77}}, -ENOENT);
    ask_ok(f, c, (struct request){.verb = VERB_JOB_OUTPUT, .job_output = {.job = 77}}, -ENOENT);
}

static void test_unknown_queue_is_not_found(void **state)
{
    struct jobs_fixture *f = *state;
    struct seen *seen = ask_ok(f, client_new(f, 0), SUBMIT(.queue = TEXT("nowhere")), -ENOENT);

    assert_non_null(strstr(seen->text, "no queue nowhere"));
}

static void test_a_wait_that_is_cancelled_leaves_the_job_alone(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT()), op = wait_job(f, c, job);

    cancel_op(f, c, op);
    assert_int_equal(answer(f, c, op)->status, -ECANCELED);
    struct client *host = host_up(f);
    done_with(f, host, begin(f, host), TEXT("r"));
    assert_state(f, c, job, JOB_DONE, CAUSE_NONE);
}

static void test_a_try_to_wait_knows_whether_the_job_has_ended(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct request try = {.verb = VERB_JOB_WAIT, .until = {.kind = UNTIL_NOW}, .job_wait = {job}};

    ask_ok(f, c, try, -EAGAIN);
    struct client *host = host_up(f);
    done_with(f, host, begin(f, host), TEXT("r"));
    assert_int_equal(ask_ok(f, c, try, 0)->job.state, JOB_DONE);
}

static void test_a_select_takes_the_end_of_a_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t slow = submit(f, c, SUBMIT()), quick = submit(f, c, SUBMIT());
    struct select_case cases[] = {{.kind = CASE_JOB, .handle = slow}, {.kind = CASE_JOB, .handle = quick}};
    struct request select = {.verb = VERB_SELECT, .select = {cases, 2}};
    uint64_t op = ask(f, c, select);
    struct client *host = host_up(f);

    begin(f, host);
    struct seen *offer = begin(f, host);
    f->hold = true;
    done_with(f, host, offer, TEXT("r"));
    assert_null(answer(f, c, op));
    f->hold = false;
    store_go_on(f, 0);
    assert_int_equal(answer(f, c, op)->index, 1);
    assert_int_equal(answer(f, c, op)->handle, quick);
    assert_int_equal(ask_ok(f, c, select, 1)->index, 1); /* and again, from what has long ended */
    cases[0].handle = 77;
    ask_ok(f, c, select, -ENOENT);
}

/* IP5.2: a value comes back to a select whose job has ended meanwhile, and is forgotten: it has ended all the same. */
static void test_IP5_2_a_select_that_comes_back_takes_the_end_of_a_job_that_is_gone(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *receiver = client_new(f, 0);
    const struct request open = {.verb = VERB_CHAN_OPEN,
                                 .chan_open = {.name = TEXT("x"), .flags = OPEN_CREATE}};
    uint64_t at = ask_ok(f, c, open, 0)->handle, there = ask_ok(f, receiver, open, 0)->handle;
    uint64_t job = submit(f, c, SUBMIT()), later = submit(f, c, SUBMIT());
    struct select_case cases[] = {{.kind = CASE_JOB, .handle = job},
                                  {.kind = CASE_SEND, .handle = at, .value = {.body = TEXT("v")}}};

    set_queue(f, "default", "retained_jobs=1");
    uint64_t op = ask(f, c, (struct request){.verb = VERB_SELECT, .select = {cases, 2}});
    ask_ok(f, receiver, (struct request){.verb = VERB_RECV, .recv = {there, 1}}, 1);
    cancel_job(f, c, job);
    cancel_job(f, c, later);
    advance_ms(f, 1000);
    ask_ok(f, c, LOOK(job), -ENOENT);
    assert_null(answer(f, c, op));
    client_die(f, receiver);
    assert_int_equal(answer(f, c, op)->index, 0);
    assert_int_equal(answer(f, c, op)->handle, job);
}

/* ---- whose jobs they are ---- */

static void test_a_list_has_the_jobs_of_who_asks(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *a = client_new(f, 1000), *b = client_new(f, 1001), *root = client_new(f, 0);
    uint64_t ended = submit(f, a, SUBMIT()), waits = submit(f, a, SUBMIT(.delay_ns = 1000000000));
    struct client *host = host_up(f);

    done_with(f, host, begin(f, host), TEXT("r"));
    assert_int_equal(ask_ok(f, b, list_of(0, 0, 0), 0)->jobs_n, 0);
    assert_int_equal(ask_ok(f, a, list_of(0, 0, 0), 0)->jobs_n, 2);
    struct seen *all = ask_ok(f, root, list_of(0, 0, 0), 0);
    assert_int_equal(all->jobs_n, 2);
    assert_int_equal(all->ids[0], ended);
    assert_int_equal(all->ids[1], waits);
}

static void test_the_end_of_a_foreign_job_is_no_case_of_a_select(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *a = client_new(f, 1000), *b = client_new(f, 1001);
    uint64_t job = submit(f, a, SUBMIT());
    struct select_case end = {.kind = CASE_JOB, .handle = job};
    struct request select = {.verb = VERB_SELECT, .select = {&end, 1}};
    struct client *host = host_up(f);

    ask_ok(f, b, select, -EPERM);
    done_with(f, host, begin(f, host), TEXT("r"));
    ask_ok(f, b, select, -EPERM);
    ask_ok(f, a, select, 1);
}

/* ---- output and progress ---- */

static void print_is(struct jobs_fixture *f, struct client *host, const struct seen *offer, struct bytes text,
                     int32_t status)
{
    ask_ok(f, host, (struct request){.verb = VERB_PRINT, .print = {offer->offer.job, offer->offer.run, text}},
           status);
}

static void print(struct jobs_fixture *f, struct client *host, const struct seen *offer, struct bytes text)
{
    print_is(f, host, offer, text, 0);
}

static struct seen *output(struct jobs_fixture *f, struct client *c, uint64_t job, uint64_t offset,
                           uint32_t max)
{
    return ask_ok(f, c, (struct request){.verb = VERB_JOB_OUTPUT, .job_output = {job, offset, max}}, 0);
}

static void test_output_is_kept_while_and_after_the_job_runs(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    print(f, host, offer, TEXT("one "));
    assert_string_equal(output(f, c, job, 0, 0)->output, "one ");
    print(f, host, offer, TEXT("two"));
    done_with(f, host, offer, TEXT("r"));
    assert_string_equal(output(f, c, job, 0, 0)->output, "one two");
    struct seen *part = output(f, c, job, 2, 3);
    assert_string_equal(part->output, "e t");
    assert_int_equal(part->handle, 5);
    assert_true(part->flags & RESULT_MORE);
    assert_int_equal(info(f, c, job).output_bytes, 7);
}

static void test_output_of_all_attempts_follows_itself(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.attempts_max = 2, .backoff_ns = 1));
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    print(f, host, offer, TEXT("first "));
    done(f, host, offer, CAUSE_ERROR, -1);
    advance_ms(f, 1);
    print(f, host, begin(f, host), TEXT("second"));
    assert_string_equal(output(f, c, job, 0, 0)->output, "first second");
}

static void test_limit_output_bytes_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.output_bytes_max = 5;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    print(f, host, offer, TEXT("one"));
    print_is(f, host, offer, TEXT("two"), -ENOBUFS);
    print_is(f, host, offer, TEXT("three"), -ENOBUFS);
    assert_string_equal(output(f, c, job, 0, 0)->output, "onetw");
}

static void test_limit_output_bytes_max_below_what_a_job_has_drops_the_rest(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    print(f, host, begin(f, host), TEXT("first"));
    host_dies(f, host, 0, 1);
    f->limits.output_bytes_max = 3;
    restart(f);
    c = client_new(f, 0);
    plugin_is(f, TEXT("g1"), true);
    host = host_up(f);
    print_is(f, host, begin(f, host), TEXT("second"), -ENOBUFS);
    assert_string_equal(output(f, c, job, 0, 0)->output, "first");
}

static void test_output_lost_in_a_full_store_shows_as_a_gap(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);

    f->hold = true;
    print(f, host, offer, TEXT("lost"));
    store_go_on(f, -ENOSPC);
    f->hold = false;
    print(f, host, offer, TEXT("kept"));
    struct seen *seen = output(f, c, job, 0, 0);
    assert_string_equal(seen->output, "kept");
    assert_int_equal(seen->handle, 8);
}

static void test_progress_shows_while_the_job_runs(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host);
    struct request half = {.verb = VERB_PROGRESS, .progress = {job, offer->offer.run, 0.5, TEXT("half")}};

    ask_ok(f, host, half, 0);
    struct job_info row = info(f, c, job);
    assert_true(row.fraction == 0.5);
    assert_string_equal(row.progress.data, "half");
}

/* ---- restart ---- */

static void test_restart_puts_running_jobs_back_to_ready(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.priority = 3));
    uint64_t old_run = begin(f, host_up(f))->offer.run;

    restart(f);
    c = client_new(f, 0);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    plugin_is(f, TEXT("g1"), true); /* asked for, because a job waits for it */
    struct seen *offer = begin(f, host_up(f));
    assert_int_equal(offer->offer.job, job);
    assert_string_equal(offer->argument, "argument");
    assert_true(offer->offer.run > old_run);
    assert_int_equal(offer->offer.attempt, 0);
}

static void test_restart_keeps_what_was_scheduled(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT(.delay_ns = 100 * MS));

    restart(f);
    c = client_new(f, 0);
    advance_ms(f, 99);
    assert_state(f, c, job, JOB_SCHEDULED, CAUSE_NONE);
    advance_ms(f, 1);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
}

static void test_restart_keeps_ended_jobs_and_their_results(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    done_with(f, host, begin(f, host), TEXT("r"));
    restart(f);
    c = client_new(f, 0);
    struct job_info row = info(f, c, job);
    assert_int_equal(row.state, JOB_DONE);
    assert_string_equal(row.result.data, "r");
    assert_true(row.run > 0);
}

static void test_restart_keeps_jobs_of_a_queue_that_the_configuration_lost(void **state)
{
    struct jobs_fixture *f = *state;

    set_queue(f, "mail", "concurrency=1");
    uint64_t job = submit(f, client_new(f, 0), SUBMIT(.queue = TEXT("mail")));
    restart(f);
    assert_string_equal(info(f, client_new(f, 0), job).queue.data, "mail");
}

static void test_load_refuses_rows_that_cannot_be(void **state)
{
    struct jobs_fixture *f = *state;
    struct job_row row = {
        .id = 5, .state = JOB_RUNNING, .plugin = PLUGIN, .function = TEXT("f"), .queue = TEXT("q")};
    const char *why = NULL;

    assert_int_equal(core_load(f->core, &row, &why), -EINVAL);
    assert_non_null(why);
    row.state = JOB_READY;
    row.priority = 10;
    assert_int_equal(core_load(f->core, &row, &why), -EINVAL);
    row.priority = 9;
    assert_int_equal(core_load(f->core, &row, &why), 0);
    assert_int_equal(core_load(f->core, &row, &why), -EINVAL); /* the same id again */
    advance_ms(f, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ids_grow_have_63_bits_and_name_the_node),
        TEST(test_no_id_comes_again_when_the_newest_jobs_are_forgotten_and_the_clock_is_set_back),
        TEST(test_no_id_of_a_job_in_memory_alone_comes_again),
        TEST(test_list_puts_memory_and_store_together_in_the_order_of_ids),
        TEST(test_list_pages_lose_and_repeat_nothing),
        TEST(test_list_filters_by_state_and_queue),
        TEST(test_a_job_that_ends_while_it_is_listed_is_listed_once),
        TEST(test_limit_sweep_per_turn_bounds_what_a_list_looks_at),
        TEST(test_limit_list_page_max),
        TEST(test_unknown_job_is_not_found),
        TEST(test_unknown_queue_is_not_found),
        TEST(test_a_wait_that_is_cancelled_leaves_the_job_alone),
        TEST(test_a_try_to_wait_knows_whether_the_job_has_ended),
        TEST(test_a_select_takes_the_end_of_a_job),
        TEST(test_IP5_2_a_select_that_comes_back_takes_the_end_of_a_job_that_is_gone),
        TEST(test_a_list_has_the_jobs_of_who_asks),
        TEST(test_the_end_of_a_foreign_job_is_no_case_of_a_select),
        TEST(test_output_is_kept_while_and_after_the_job_runs),
        TEST(test_output_of_all_attempts_follows_itself),
        TEST(test_limit_output_bytes_max),
        TEST(test_limit_output_bytes_max_below_what_a_job_has_drops_the_rest),
        TEST(test_output_lost_in_a_full_store_shows_as_a_gap),
        TEST(test_progress_shows_while_the_job_runs),
        TEST(test_restart_puts_running_jobs_back_to_ready),
        TEST(test_restart_keeps_what_was_scheduled),
        TEST(test_restart_keeps_ended_jobs_and_their_results),
        TEST(test_restart_keeps_jobs_of_a_queue_that_the_configuration_lost),
        TEST(test_load_refuses_rows_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
