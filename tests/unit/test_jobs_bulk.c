/* Submits of many jobs: all are admitted or none, whatever one of them lacks; keys inside one; what it waits for. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "bulk_fixture.h"
#include "rights.h"

#define S INT64_C(1000000000)

/* ---- all or none ---- */

static void test_IP4_all_jobs_are_there_in_their_order(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(), JOB_OF(PLUGIN, TEXT("other")), JOB(.delay_ns = S)};
    uint64_t batches = f->batches;
    struct seen *seen = ask_ok(f, c, MANY(jobs), 3);

    assert_int_equal(f->batches, batches + 1); /* the store writes them at once */
    assert_int_equal(seen->ids_n, 3);
    assert_int_equal(seen->index, 0);
    assert_true(seen->ids[0] < seen->ids[1] && seen->ids[1] < seen->ids[2]);
    assert_state(f, c, seen->ids[0], JOB_READY, CAUSE_NONE);
    assert_string_equal(info(f, c, seen->ids[1]).function.data, "other");
    assert_state(f, c, seen->ids[2], JOB_SCHEDULED, CAUSE_NONE);
}

static void test_none_is_enough(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    assert_int_equal(ask_ok(f, c, many(NULL, 0), 0)->ids_n, 0);
}

static void test_IP4_a_wrong_job_is_named_and_none_is_there(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    const struct {
        struct request_submit wrong;
        int32_t status;
        const char *words;
    } cases[] = {
        {JOB(.queue = TEXT("nowhere")), -ENOENT, "no queue nowhere"},
        {JOB(.priority = 10), -EINVAL, "priority 10"},
        {JOB_OF(TEXT("p.so"), TEXT("count")), -EINVAL, "absolute path"},
        {JOB(.after = &(uint64_t){7}, .after_n = 1), -ENOENT, "there is no job 7"},
        {JOB(.delay_ns = -1), -EINVAL, "not negative"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct request_submit jobs[] = {JOB(), cases[i].wrong, JOB()};
        assert_non_null(strstr(refused(f, c, MANY(jobs), cases[i].status, 2), cases[i].words));
    }
}

static void test_rights_are_judged_for_each_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct right_row rows[] = {
        {.account = 1000, .groups = GROUP_SUBMIT, .prefix = TEXT("mail")},
        {.account = 1000, .groups = GROUP_SUBMIT, .prefix = PLUGIN},
    };
    struct rights rights = {rows, 2};
    struct request_submit jobs[] = {JOB(.queue = TEXT("mail")), JOB(.queue = TEXT("post")),
                                    JOB_OF(TEXT("/p/other.so"), TEXT("count"), .queue = TEXT("mail"))};

    set_queue(f, "mail", "");
    set_queue(f, "post", "");
    struct client *root = begin_known(f), *c = client_new(f, 1000);
    core_set_rights(f->core, &rights);
    size_t before = jobs_there(f, root);
    struct seen *seen = ask_ok(f, c, many(jobs, 2), -EPERM);
    assert_int_equal(seen->index, 2);
    assert_non_null(strstr(seen->text, "may not submit post"));
    jobs[1] = jobs[2];
    seen = ask_ok(f, c, many(jobs, 2), -EPERM);
    assert_int_equal(seen->index, 2);
    assert_non_null(strstr(seen->text, "may not submit /p/other.so"));
    assert_int_equal(jobs_there(f, root), before);
    ask_ok(f, c, many(jobs, 1), 1);
    core_set_rights(f->core, NULL);
}

static void test_a_wrong_entry_of_a_frame_is_named(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    struct request wrong = {
        .verb = VERB_NONE, .fault = -EINVAL, .fault_text = TEXT("no name"), .fault_at = 4};

    assert_int_equal(ask_ok(f, c, wrong, -EINVAL)->index, 4);
}

static void test_a_full_store_admits_none(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(), JOB(), JOB()};
    size_t before = jobs_there(f, c);

    f->hold = true;
    uint64_t op = ask(f, c, MANY(jobs));
    assert_null(answer(f, c, op)); /* not before it is stored */
    store_go_on(f, -ENOSPC);
    f->hold = false;
    assert_int_equal(answer(f, c, op)->status, -ENOSPC);
    assert_int_equal(answer(f, c, op)->ids_n, 0);
    assert_int_equal(jobs_there(f, c), before);
}

static void test_a_restart_finds_all_of_them(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit jobs[] = {JOB(.priority = 3), JOB(.once_key = TEXT("k"))};
    struct seen *seen = ask_ok(f, c, MANY(jobs), 2);
    uint64_t first = seen->ids[0], second = seen->ids[1], op = seen->op;
    struct secret secret = c->secret;

    restart(f);
    c = client_new(f, 0);
    assert_state(f, c, first, JOB_READY, CAUSE_NONE);
    assert_state(f, c, second, JOB_READY, CAUSE_NONE);
    struct request status = {.verb = VERB_OP_STATUS, .op_status = {secret, op}};
    assert_int_equal(ask_ok(f, c, status, 1)->handle, first); /* IP4: settled by the first one */
}

/* ---- limits ---- */

static void test_limit_bulk_jobs_max(void **state)
{
    struct jobs_fixture *f = *state;
    struct request_submit jobs[3];

    f->limits.bulk_jobs_max = 2;
    restart(f);
    struct client *c = begin_known(f);
    for (int i = 0; i < 3; i++)
        jobs[i] = JOB();
    assert_non_null(strstr(refused(f, c, many(jobs, 3), -E2BIG, 0), "bulk_jobs_max is 2"));
    ask_ok(f, c, many(jobs, 2), 2);
}

static void test_limit_bulk_bytes_max(void **state)
{
    struct jobs_fixture *f = *state;
    struct request_submit jobs[] = {JOB(), JOB(), JOB()};

    f->limits.bulk_bytes_max = 16; /* two arguments */
    restart(f);
    struct client *c = begin_known(f);
    assert_non_null(strstr(refused(f, c, many(jobs, 3), -E2BIG, 3), "bulk_bytes_max is 16"));
    ask_ok(f, c, many(jobs, 2), 2);
}

static void test_the_limit_of_a_user_counts_all_of_them(void **state)
{
    struct jobs_fixture *f = *state;
    struct request_submit jobs[] = {JOB(), JOB(), JOB()};

    f->limits.jobs_waiting_max = 2;
    restart(f);
    struct client *c = begin_known(f);
    assert_non_null(strstr(refused(f, c, many(jobs, 3), -ENOBUFS, 3), "jobs_waiting_max"));
    ask_ok(f, c, many(jobs, 2), 2);
}

/* ---- keys ---- */

static void test_keys_of_others_are_judged_for_each(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    uint64_t holder = submit(f, c, SUBMIT(.once_key = TEXT("k"), .delay_ns = S));
    struct request_submit rejects[] = {JOB(), JOB(.once_key = TEXT("k"))};
    struct request_submit joins[] = {JOB(.once_key = TEXT("k"), .once_policy = ONCE_JOIN), JOB()};
    struct request_submit replaces[] = {JOB(.once_key = TEXT("k"), .once_policy = ONCE_REPLACE), JOB()};

    refused(f, c, MANY(rejects), -EEXIST, 2);
    struct seen *seen = ask_ok(f, c, MANY(joins), 1); /* one is new */
    assert_int_equal(seen->ids[0], holder);
    assert_state(f, c, seen->ids[1], JOB_READY, CAUSE_NONE);
    seen = ask_ok(f, c, MANY(replaces), 2);
    assert_state(f, c, holder, JOB_CANCELLED, CAUSE_CANCELED);
    assert_state(f, c, seen->ids[0], JOB_READY, CAUSE_NONE);
}

static void test_a_key_stands_once_in_a_bulk_unless_it_joins(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit twice[] = {JOB(.once_key = TEXT("k")), JOB(), JOB(.once_key = TEXT("k"))};
    struct request_submit replaces[] = {JOB(.once_key = TEXT("k")),
                                        JOB(.once_key = TEXT("k"), .once_policy = ONCE_REPLACE)};
    struct request_submit joins[] = {JOB(.once_key = TEXT("k")), JOB(),
                                     JOB(.once_key = TEXT("k"), .once_policy = ONCE_JOIN)};

    assert_non_null(strstr(refused(f, c, MANY(twice), -EEXIST, 3), "job 1 of the same bulk"));
    refused(f, c, MANY(replaces), -EEXIST, 2);
    struct seen *seen = ask_ok(f, c, MANY(joins), 2);
    assert_int_equal(seen->ids[0], seen->ids[2]);
    assert_int_not_equal(seen->ids[0], seen->ids[1]);
    refused(f, c, many(twice, 1), -EEXIST, 1); /* it is held since */
}

static void test_all_of_a_bulk_can_join(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    uint64_t holder = submit(f, c, SUBMIT(.once_key = TEXT("k"), .delay_ns = S));
    struct request_submit joins[] = {JOB(.once_key = TEXT("k"), .once_policy = ONCE_JOIN)};

    assert_int_equal(ask_ok(f, c, MANY(joins), 0)->ids[0], holder);
}

static void test_what_it_joins_is_stored_first(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit joins[] = {JOB(), JOB(.once_key = TEXT("k"), .once_policy = ONCE_JOIN)};

    f->hold = true;
    uint64_t first = ask(f, c, SUBMIT(.once_key = TEXT("k"), .delay_ns = S));
    uint64_t batches = f->batches, op = ask(f, c, MANY(joins));
    assert_int_equal(f->batches, batches); /* it waits */
    f->hold = false;
    store_go_on(f, 0);
    advance_ms(f, 0);
    assert_int_equal(answer(f, c, op)->status, 1);
    assert_int_equal(answer(f, c, op)->ids[1], answer(f, c, first)->handle);
}

static void test_what_it_joins_may_never_have_been(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = begin_known(f);
    struct request_submit joins[] = {JOB(), JOB(.once_key = TEXT("k"), .once_policy = ONCE_JOIN)};

    f->hold = true;
    ask(f, c, SUBMIT(.once_key = TEXT("k"), .delay_ns = S));
    uint64_t op = ask(f, c, MANY(joins));
    store_one(f, -ENOSPC);
    f->hold = false;
    advance_ms(f, 0);
    assert_int_equal(answer(f, c, op)->status, 2); /* both are new */
}

/* ---- plugins ---- */

static void test_it_waits_for_each_plugin_that_is_not_known(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    struct request_submit jobs[] = {JOB(), JOB_OF(TEXT("/p/second.so"), TEXT("count")), JOB()};
    uint64_t op = ask(f, c, MANY(jobs));

    assert_string_equal(f->plugin_path, "/p/good.so");
    plugin_is(f, TEXT("g1"), true);
    assert_null(answer(f, c, op));
    assert_string_equal(f->plugin_path, "/p/second.so");
    plugin_is(f, TEXT("g2"), true);
    assert_int_equal(answer(f, c, op)->status, 3);
}

static void test_a_core_ends_while_it_waits_for_the_second(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    struct request_submit jobs[] = {JOB(), JOB_OF(TEXT("/p/second.so"), TEXT("count"))};

    ask(f, c, MANY(jobs));
    plugin_is(f, TEXT("g1"), true);
    assert_string_equal(f->plugin_path, "/p/second.so");
    restart(f);
}

static void test_a_plugin_that_is_none_refuses_all(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    struct request_submit jobs[] = {JOB(), JOB_OF(TEXT("/p/second.so"), TEXT("count"))};
    uint64_t op = ask(f, c, MANY(jobs));

    plugin_is(f, TEXT("g1"), true);
    plugin_fails(f, -ENOEXEC, TEXT("not a plugin"));
    assert_int_equal(answer(f, c, op)->status, -ENOEXEC);
    assert_int_equal(answer(f, c, op)->index, 2);
    assert_string_equal(answer(f, c, op)->text, "not a plugin");
    assert_int_equal(jobs_there(f, c), 0);
}

static void test_a_function_that_is_none_refuses_all(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    struct request_submit jobs[] = {JOB(), JOB_OF(PLUGIN, TEXT("none"))};
    uint64_t op = ask(f, c, MANY(jobs));

    plugin_is(f, TEXT("g1"), true);
    plugin_is(f, TEXT("g1"), true); /* it is looked at again for a function that it has not */
    assert_int_equal(answer(f, c, op)->status, -ENOENT);
    assert_int_equal(answer(f, c, op)->index, 2);
}

static void test_a_bulk_whose_client_dies_while_a_plugin_is_looked_at_is_gone(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *dies = client_new(f, 0);
    struct request_submit jobs[] = {JOB(), JOB()};

    ask(f, dies, MANY(jobs));
    client_die(f, dies);
    plugin_is(f, TEXT("g1"), true);
    assert_int_equal(jobs_there(f, c), 0);
}

/* ---- memory ---- */

static void test_memory_that_runs_out_admits_all_or_none(void **state)
{
    struct jobs_fixture *f = *state;
    struct request_submit jobs[] = {JOB(.once_key = TEXT("a"), .once_policy = ONCE_REPLACE), JOB(.jitter = 3),
                                    JOB(.once_key = TEXT("a"), .once_policy = ONCE_JOIN)};
    bool done = false;

    for (long n = 0; !done; n++) {
        restart(f);
        struct client *c = begin_known(f);
        cancel_job(f, c,
                   submit(f, c, SUBMIT(.once_key = TEXT("a"), .once_policy = ONCE_REPLACE, .delay_ns = S)));
        uint64_t old =
            submit(f, c, SUBMIT(.once_key = TEXT("a"), .once_policy = ONCE_REPLACE, .delay_ns = S));
        size_t before = jobs_there(f, c);
        f->allocations_left = n;
        uint64_t op = ask(f, c, MANY(jobs));
        done = f->allocations_left > 0;
        f->allocations_left = -1;
        advance_ms(f, 100);
        struct seen *seen = answer(f, c, op);
        bool all = seen && seen->status == 2;
        c = client_new(f, 0);
        assert_int_equal(jobs_there(f, c), before + (all ? 2 : 0));
        assert_state(f, c, old, all ? JOB_CANCELLED : JOB_SCHEDULED, all ? CAUSE_CANCELED : CAUSE_NONE);
        assert_true(!done || all);
        advance_ms(f, 2000);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_IP4_all_jobs_are_there_in_their_order),
        TEST(test_none_is_enough),
        TEST(test_IP4_a_wrong_job_is_named_and_none_is_there),
        TEST(test_rights_are_judged_for_each_job),
        TEST(test_a_wrong_entry_of_a_frame_is_named),
        TEST(test_a_full_store_admits_none),
        TEST(test_a_restart_finds_all_of_them),
        TEST(test_limit_bulk_jobs_max),
        TEST(test_limit_bulk_bytes_max),
        TEST(test_the_limit_of_a_user_counts_all_of_them),
        TEST(test_keys_of_others_are_judged_for_each),
        TEST(test_a_key_stands_once_in_a_bulk_unless_it_joins),
        TEST(test_all_of_a_bulk_can_join),
        TEST(test_what_it_joins_is_stored_first),
        TEST(test_what_it_joins_may_never_have_been),
        TEST(test_it_waits_for_each_plugin_that_is_not_known),
        TEST(test_a_core_ends_while_it_waits_for_the_second),
        TEST(test_a_plugin_that_is_none_refuses_all),
        TEST(test_a_function_that_is_none_refuses_all),
        TEST(test_a_bulk_whose_client_dies_while_a_plugin_is_looked_at_is_gone),
        TEST(test_memory_that_runs_out_admits_all_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
