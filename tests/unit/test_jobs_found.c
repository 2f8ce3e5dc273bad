/* What the simulator found in jobs: each a test of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "jobs_fixture.h"

static void test_IP4_an_argument_that_comes_after_its_host_has_died_is_dropped(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.arguments_kept_bytes = 0;
    restart(f);
    struct client *client = client_new(f, 1000);
    uint64_t job = submit(f, client, SUBMIT());

    f->hold = true;
    struct client *host = host_up(f);
    client_die(f, host);
    store_go_on(f, 0);
    f->hold = false;
    assert_state(f, client, job, JOB_RUNNING, CAUSE_NONE);
    host_dies(f, host, 9, 0);
    assert_state(f, client, job, JOB_READY, CAUSE_NONE);
}

/* The leak sanitizer looks at the end. */
static void test_IP7_a_daemon_that_ends_during_a_fetch_keeps_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *client = client_new(f, 1000);

    submit(f, client, SUBMIT());
    f->hold = true;
    uint64_t op = ask(f, client, (struct request){.verb = VERB_JOB_LIST});
    assert_null(answer(f, client, op));
}

static void test_IP7_a_daemon_may_end_while_a_submit_waits_for_its_plugin(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *client = client_new(f, 1000);
    uint64_t op = ask(f, client, SUBMIT());

    assert_true(f->plugin_waiting);
    assert_null(answer(f, client, op));
    restart(f);
    f->plugin_waiting = false;
    client = client_new(f, 1000);
    assert_int_equal(ask_ok(f, client, (struct request){.verb = VERB_JOB_LIST}, 0)->jobs_n, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_IP4_an_argument_that_comes_after_its_host_has_died_is_dropped,
                                        jobs_set_up, jobs_tear_down),
        cmocka_unit_test_setup_teardown(test_IP7_a_daemon_that_ends_during_a_fetch_keeps_nothing, jobs_set_up,
                                        jobs_tear_down),
        cmocka_unit_test_setup_teardown(test_IP7_a_daemon_may_end_while_a_submit_waits_for_its_plugin,
                                        jobs_set_up, jobs_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
