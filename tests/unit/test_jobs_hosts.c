/* Plugins, their generations and the hosts that run them: start, drain, replacement. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "jobs_fixture.h"
#include "jobs_internal.h"

enum { SEGV = 11 };

static void test_the_tables_of_hosts_and_runs_allow_what_their_files_say(void **state)
{
    static const uint32_t hosts[HOST_STATES] = {
        [HOST_STARTING] = 1 << HOST_SERVING | 1 << HOST_KILLED,
        [HOST_SERVING] = 1 << HOST_DRAINING | 1 << HOST_KILLED,
        [HOST_DRAINING] = 1 << HOST_KILLED,
    };
    static const uint32_t runs[RUN_STEPS] = {
        [RUN_LOADING] = 1 << RUN_OFFERED | 1 << RUN_LOST,
        [RUN_OFFERED] = 1 << RUN_STARTED | 1 << RUN_CANCELLING | 1 << RUN_LOST,
        [RUN_STARTED] = 1 << RUN_CANCELLING | 1 << RUN_LOST,
        [RUN_CANCELLING] = 1 << RUN_OVER | 1 << RUN_LOST,
        [RUN_LOST] = 1 << RUN_LOST,
    };

    for (int from = 0; from < HOST_STATES; from++)
        for (int to = 0; to < HOST_STATES; to++)
            assert_int_equal(host_may((enum host_state)from, (enum host_state)to), hosts[from] >> to & 1);
    for (int from = 0; from < RUN_STEPS; from++)
        for (int to = 0; to < RUN_STEPS; to++)
            assert_int_equal(run_may((enum run_step)from, (enum run_step)to), runs[from] >> to & 1);
}

/* ---- plugins ---- */

static void test_submit_waits_until_its_plugin_is_known(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t op = ask(f, c, SUBMIT());

    assert_true(f->plugin_waiting);
    assert_string_equal(f->plugin_path, "/p/good.so");
    assert_null(answer(f, c, op));
    plugin_is(f, TEXT("g1"), true);
    assert_int_equal(answer(f, c, op)->status, 0);
}

static void test_submits_of_one_plugin_ask_for_it_once(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t first = ask(f, c, SUBMIT()), second = ask(f, c, SUBMIT());

    assert_int_equal(f->plugins_asked, 1);
    plugin_is(f, TEXT("g1"), true);
    assert_true(answer(f, c, first)->handle < answer(f, c, second)->handle);
}

static void test_a_plugin_that_cannot_be_used_fails_its_submits_in_its_words(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t op = ask(f, c, SUBMIT());

    plugin_fails(f, -ENOEXEC, TEXT("/p/good.so is not a plugin"));
    assert_int_equal(answer(f, c, op)->status, -ENOEXEC);
    assert_string_equal(answer(f, c, op)->text, "/p/good.so is not a plugin");
}

static void test_unknown_function_is_not_found_after_a_second_look(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    uint64_t op = ask(f, c, SUBMIT_TO(PLUGIN, TEXT("missing")));
    assert_true(f->plugin_waiting);
    plugin_is(f, TEXT("g1"), true);
    assert_int_equal(answer(f, c, op)->status, -ENOENT);
    assert_string_equal(answer(f, c, op)->text, "/p/good.so has no function missing");
}

static void test_a_known_plugin_is_looked_at_at_most_once_a_second(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    advance_ms(f, 999);
    submit(f, c, SUBMIT());
    assert_int_equal(f->plugins_asked, 1);
    advance_ms(f, 1);
    submit(f, c, SUBMIT());
    assert_int_equal(f->plugins_asked, 2);
}

static void test_a_cancelled_submit_leaves_no_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t op = ask(f, c, SUBMIT());

    cancel_op(f, c, op);
    assert_int_equal(answer(f, c, op)->status, -ECANCELED);
    plugin_is(f, TEXT("g1"), true);
    assert_int_equal(ask_ok(f, c, (struct request){.verb = VERB_JOB_LIST}, 0)->jobs_n, 0);
}

static void test_IP4_a_client_that_dies_before_its_submit_leaves_no_job(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    ask(f, c, SUBMIT());
    client_die(f, c);
    plugin_is(f, TEXT("g1"), true);
    c = client_new(f, 0);
    assert_int_equal(ask_ok(f, c, (struct request){.verb = VERB_JOB_LIST}, 0)->jobs_n, 0);
}

static void test_IP4_a_job_outlives_the_client_that_submitted_it(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());

    client_die(f, c);
    struct client *host = host_up(f);
    done_with(f, host, begin(f, host), TEXT("r"));
    assert_state(f, client_new(f, 0), job, JOB_DONE, CAUSE_NONE);
}

static void test_a_new_generation_takes_over_and_the_old_one_finishes(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t old_job = submit(f, c, SUBMIT());
    struct client *old = host_up(f);
    struct seen *running = begin(f, old);

    advance_ms(f, 1000);
    uint64_t op = ask(f, c, SUBMIT());
    plugin_is(f, TEXT("g2"), true);
    assert_non_null(next_offer(f, old, OFFER_DRAIN));
    assert_int_equal(f->hosts_started, 2);
    assert_string_equal(f->generation, "g2");
    struct client *fresh = host_up(f);
    assert_int_equal(begin(f, fresh)->offer.job, answer(f, c, op)->handle);
    done_with(f, old, running, TEXT("r"));
    assert_state(f, c, old_job, JOB_DONE, CAUSE_NONE);
    host_dies(f, old, 0, 0);
    assert_int_equal(f->host_killed, old->host); /* its session is over: nobody waits for the process */
}

static void test_a_drained_host_of_an_old_generation_is_not_hurried(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *old = host_up(f);

    begin(f, old);
    advance_ms(f, 1000);
    ask(f, c, SUBMIT());
    plugin_is(f, TEXT("g2"), true);
    begin(f, host_up(f));
    advance_ms(f, 10 * (int64_t)f->limits.drain_ms);
    assert_int_equal(f->host_killed, 0);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE);
}

static void test_unstarted_offers_of_a_drained_host_run_elsewhere_without_an_attempt(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *old = host_up(f);
    struct seen *offer = next_offer(f, old, OFFER_RUN);

    advance_ms(f, 1000);
    ask(f, c, SUBMIT_TO(PLUGIN, TEXT("other"), .delay_ns = INT64_C(3600000000000)));
    plugin_is(f, TEXT("g2"), true);
    assert_state(f, c, job, JOB_RUNNING, CAUSE_NONE); /* only the host knows that it has not begun */
    assert_int_equal(done(f, old, offer, CAUSE_RETURNED, -EAGAIN), 0);
    struct seen *again = begin(f, host_up(f));
    assert_int_equal(again->offer.job, job);
    assert_int_equal(again->offer.attempt, 0);
    assert_int_equal(started(f, old, offer), -ESTALE);
}

static void test_an_offer_that_a_drained_host_has_begun_is_not_run_elsewhere(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *old = host_up(f);
    struct seen *offer = next_offer(f, old, OFFER_RUN);

    advance_ms(f, 1000);
    ask(f, c, SUBMIT_TO(PLUGIN, TEXT("other"), .delay_ns = INT64_C(3600000000000)));
    plugin_is(f, TEXT("g2"), true);
    assert_int_equal(f->hosts_started, 1);
    assert_int_equal(started(f, old, offer), 0);
    done_with(f, old, offer, TEXT("r"));
    assert_state(f, c, job, JOB_DONE, CAUSE_NONE);
}

static void test_an_offer_that_a_drained_host_does_not_answer_runs_elsewhere(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *old = host_up(f);

    next_offer(f, old, OFFER_RUN);
    advance_ms(f, 1000);
    ask(f, c, SUBMIT_TO(PLUGIN, TEXT("other"), .delay_ns = INT64_C(3600000000000)));
    plugin_is(f, TEXT("g2"), true);
    advance_ms(f, (int64_t)f->limits.host_start_ms);
    assert_int_equal(begin(f, host_up(f))->offer.job, job);
    assert_int_equal(info(f, c, job).attempt, 0);
}

static void test_function_missing_in_the_newest_generation_leaves_the_job_ready_with_the_reason(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t stuck = submit(f, c, SUBMIT_TO(PLUGIN, TEXT("other")));
    uint64_t free = submit(f, c, SUBMIT());

    advance_ms(f, 1000);
    ask(f, c, SUBMIT_TO(PLUGIN, TEXT("count"), .delay_ns = INT64_C(3600000000000)));
    plugin_is(f, TEXT("g2"), false);
    struct client *host = host_up(f);
    assert_int_equal(begin(f, host)->offer.job, free);
    struct job_info row = info(f, c, stuck);
    assert_int_equal(row.state, JOB_READY);
    assert_non_null(strstr(row.text.data, "no function of this name"));
    advance_ms(f, 1000); /* the file is looked at again: now it has it */
    plugin_is(f, TEXT("g3"), true);
    assert_int_equal(begin(f, host_up(f))->offer.job, stuck);
}

static void test_a_file_that_vanishes_stops_no_job_that_was_admitted(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());

    advance_ms(f, 1000);
    uint64_t op = ask(f, c, SUBMIT());
    plugin_fails(f, -ENOENT, TEXT("no such file"));
    assert_int_equal(answer(f, c, op)->status, -ENOENT);
    assert_int_equal(begin(f, host_up(f))->offer.job, job);
}

static void test_limit_plugins_max(void **state)
{
    struct jobs_fixture *f = *state;

    f->limits.plugins_max = 1;
    restart(f);
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    ask_ok(f, c, SUBMIT_TO(TEXT("/p/second.so"), TEXT("count")), -ENOBUFS);
    struct client *host = host_up(f);
    done_with(f, host, begin(f, host), TEXT("r"));
    assert_state(f, c, job, JOB_DONE, CAUSE_NONE);
    host_dies(f, host, 0, 0);
    submit(f, c, SUBMIT_TO(TEXT("/p/second.so"), TEXT("count"))); /* nothing needs the first one any more */
}

/* ---- starting ---- */

static void test_a_host_is_started_when_a_ready_job_needs_it_and_once(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    submit(f, c, SUBMIT());
    assert_int_equal(f->hosts_started, 1);
    assert_string_equal(f->generation, "g1");
    assert_non_null(strstr(info(f, c, submit(f, c, SUBMIT())).text.data, "being started"));
}

static void test_a_host_that_never_asks_for_jobs_is_ended_and_started_again_later(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    struct client none = {.host = 1};

    submit(f, c, SUBMIT());
    advance_ms(f, (int64_t)f->limits.host_start_ms);
    assert_int_equal(f->host_killed, 1);
    assert_int_equal(f->hosts_started, 2);
    host_dies(f, &none, 9, 0);
    assert_int_equal(begin(f, host_up(f))->offer.attempt, 0);
}

/* A process starts in real time, whatever a clock says that is moved by hand. */
static void test_a_clock_that_is_moved_ends_no_host_that_starts(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    core_allow_clock(f->core);
    submit(f, c, SUBMIT());
    advance_ms(f, 3600 * 1000);
    assert_int_equal(f->host_killed, 0);
    assert_int_equal(f->hosts_started, 1);
    struct client *host = host_up(f);
    struct seen *offer = next_offer(f, host, OFFER_RUN);
    assert_non_null(offer);
    advance_ms(f, 3600 * 1000);
    assert_null(next_offer(f, host, OFFER_DRAIN));
    assert_int_equal(started(f, host, offer), 0);
    assert_int_equal(done(f, host, offer, CAUSE_NONE, 0), 0);
    assert_int_equal(f->hosts_started, 1);
}

static void test_an_offer_that_is_never_started_costs_the_host(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    assert_non_null(next_offer(f, host, OFFER_RUN));
    advance_ms(f, (int64_t)f->limits.host_start_ms);
    assert_non_null(next_offer(f, host, OFFER_DRAIN));
    assert_int_equal(begin(f, host_up(f))->offer.job, job);
}

static void test_restarts_wait_twice_as_long_after_each_life_that_came_to_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    int64_t wait_ms = (int64_t)f->limits.host_restart_ms;

    submit(f, c, SUBMIT());
    for (int i = 0; i < 12; i++) {
        uint64_t before = f->hosts_started;
        host_dies(f, host_up(f), SEGV, UINT64_MAX); /* not the job's doing */
        advance_ms(f, wait_ms - 1);
        assert_int_equal(f->hosts_started, before);
        advance_ms(f, 1);
        assert_int_equal(f->hosts_started, before + 1);
        wait_ms = 2 * wait_ms < (int64_t)f->limits.host_restart_max_ms
                      ? 2 * wait_ms
                      : (int64_t)f->limits.host_restart_max_ms;
    }
}

static void test_a_waiting_job_says_when_its_host_starts_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());

    submit(f, c, SUBMIT()); /* with two of them neither is charged */
    next_offer(f, host_up(f), OFFER_RUN);
    struct client dead = {.peer = 2, .host = f->host_started};
    host_dies(f, &dead, SEGV, 0);
    assert_non_null(strstr(info(f, c, job).text.data, "starts in 100 ms"));
}

/* ---- what a host hands back ---- */

static void test_a_job_handed_back_is_offered_again_only_after_a_delay(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t job = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    assert_int_equal(done(f, host, next_offer(f, host, OFFER_RUN), CAUSE_RETURNED, -EAGAIN), 0);
    assert_state(f, c, job, JOB_READY, CAUSE_NONE);
    assert_int_equal(info(f, c, job).started_us, 0);
    assert_non_null(strstr(info(f, c, job).text.data, "takes the next job in 100 ms"));
    advance_ms(f, (int64_t)f->limits.host_restart_ms - 1);
    assert_null(next_offer(f, host, OFFER_RUN));
    advance_ms(f, 1);
    assert_int_equal(begin(f, host)->offer.job, job);
}

static void test_a_host_asks_outside_of_runs_only_what_hosts_ask(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    ask_ok(f, host, (struct request){.verb = VERB_PING}, 0);
    struct seen *no = ask_ok(f, host, SUBMIT(), -EPERM);
    assert_string_equal(no->text, "plugin code must call from a goroutine of its job");
    struct request in_run = SUBMIT();
    in_run.run = begin(f, host)->offer.run;
    submit(f, host, in_run);
}

static void test_one_crash_delays_the_next_host_only_a_little_once_jobs_were_done(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);

    for (int i = 0; i < 5; i++) {
        submit(f, c, SUBMIT());
        struct client *host = host_up(f);
        done_with(f, host, begin(f, host), TEXT("r"));
        submit(f, c, SUBMIT());
        host_dies(f, host, SEGV, begin(f, host)->offer.run);
        submit(f, c, SUBMIT_TO(PLUGIN, TEXT("count"), .delay_ns = 1));
        uint64_t before = f->hosts_started;
        advance_ms(f, (int64_t)f->limits.host_restart_ms);
        assert_int_equal(f->hosts_started, before + 1);
        struct client *next = host_up(f);
        done_with(f, next, begin(f, next), TEXT("r"));
        host_dies(f, next, 0, 0);
        advance_ms(f, 60000);
    }
}

/* ---- the end of the daemon ---- */

static void drain(struct jobs_fixture *f)
{
    struct input in = {.kind = IN_DRAIN};

    fixture_step(f, &in);
}

static void test_drain_waits_for_what_runs_and_starts_nothing(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t running = submit(f, c, SUBMIT()), offered = submit(f, c, SUBMIT());
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host), *unstarted = next_offer(f, host, OFFER_RUN);

    drain(f);
    assert_false(f->drained);
    assert_non_null(next_offer(f, host, OFFER_DRAIN));
    ask_ok(f, c, SUBMIT(), -ESHUTDOWN);
    f->hold = true;
    assert_int_equal(done(f, host, unstarted, CAUSE_RETURNED, -EAGAIN), 0);
    done_with(f, host, offer, TEXT("r"));
    assert_false(f->drained); /* not yet stored */
    f->hold = false;
    store_go_on(f, 0);
    assert_true(f->drained);
    assert_state(f, c, running, JOB_DONE, CAUSE_NONE);
    assert_state(f, c, offered, JOB_READY, CAUSE_NONE);
}

static struct request drain_by_hand(uint32_t what)
{
    return (struct request){.verb = VERB_DRAIN, .drain = {what}};
}

static void test_a_drain_by_hand_waits_for_what_runs_and_keeps_what_is_ready(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t running = submit(f, c, SUBMIT()), offered = submit(f, c, SUBMIT()), op;
    struct client *host = host_up(f);
    struct seen *offer = begin(f, host), *unstarted = next_offer(f, host, OFFER_RUN);

    op = ask(f, c, drain_by_hand(DRAIN_BEGIN));
    assert_null(answer(f, c, op));
    assert_non_null(next_offer(f, host, OFFER_DRAIN));
    ask_ok(f, c, SUBMIT(), -ESHUTDOWN);
    done_with(f, host, offer, TEXT("r"));
    assert_null(answer(f, c, op));
    assert_int_equal(done(f, host, unstarted, CAUSE_RETURNED, -EAGAIN), 0);
    assert_int_equal(answer(f, c, op)->status, 0);
    assert_state(f, c, running, JOB_DONE, CAUSE_NONE);
    assert_state(f, c, offered, JOB_READY, CAUSE_NONE);
    ask_ok(f, c, drain_by_hand(DRAIN_BEGIN), 0);
    ask_ok(f, c, drain_by_hand(DRAIN_END), 0);
    host_dies(f, host, 0, 0);
    begin(f, host_up(f));
    assert_state(f, c, offered, JOB_RUNNING, CAUSE_NONE);
}

static void test_a_forced_drain_kills_the_host_and_its_job_is_ready_again(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t stuck = submit(f, c, SUBMIT()), op, forced;
    struct client *host = host_up(f);

    begin(f, host);
    op = ask(f, c, drain_by_hand(DRAIN_BEGIN));
    forced = ask(f, c, drain_by_hand(DRAIN_FORCE));
    host_dies(f, host, 9, 0);
    assert_int_equal(answer(f, c, op)->status, 0);
    assert_int_equal(answer(f, c, forced)->status, 0);
    assert_state(f, c, stuck, JOB_READY, CAUSE_NONE);
}

/* Seed 86663. */
static void test_what_a_killed_host_was_offered_waits_for_its_end_alone(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0);
    uint64_t running = submit(f, c, SUBMIT()), offered = submit(f, c, SUBMIT());
    struct client *host = host_up(f);

    begin(f, host);
    assert_non_null(next_offer(f, host, OFFER_RUN));
    ask(f, c, drain_by_hand(DRAIN_FORCE));
    advance_ms(f, (int64_t)f->limits.host_start_ms); /* so long it could have been heard */
    host_dies(f, host, 9, 0);
    assert_state(f, c, running, JOB_READY, CAUSE_NONE);
    assert_state(f, c, offered, JOB_READY, CAUSE_NONE);
}

static void test_who_waits_for_a_drain_is_told_that_it_was_ended(void **state)
{
    struct jobs_fixture *f = *state;
    struct client *c = client_new(f, 0), *other = client_new(f, 1000);
    uint64_t op;

    submit(f, c, SUBMIT());
    begin(f, host_up(f));
    ask_ok(f, other, drain_by_hand(DRAIN_BEGIN), -EPERM);
    ask_ok(f, other, drain_by_hand(DRAIN_END), -EPERM);
    op = ask(f, c, drain_by_hand(DRAIN_BEGIN));
    ask_ok(f, c, drain_by_hand(DRAIN_END), 0);
    assert_int_equal(answer(f, c, op)->status, -ECANCELED);
}

static void test_drain_of_an_idle_daemon_is_over_at_once(void **state)
{
    struct jobs_fixture *f = *state;

    client_new(f, 0);
    drain(f);
    assert_true(f->drained);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, jobs_set_up, jobs_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_tables_of_hosts_and_runs_allow_what_their_files_say),
        TEST(test_submit_waits_until_its_plugin_is_known),
        TEST(test_submits_of_one_plugin_ask_for_it_once),
        TEST(test_a_plugin_that_cannot_be_used_fails_its_submits_in_its_words),
        TEST(test_unknown_function_is_not_found_after_a_second_look),
        TEST(test_a_known_plugin_is_looked_at_at_most_once_a_second),
        TEST(test_a_cancelled_submit_leaves_no_job),
        TEST(test_IP4_a_client_that_dies_before_its_submit_leaves_no_job),
        TEST(test_IP4_a_job_outlives_the_client_that_submitted_it),
        TEST(test_a_new_generation_takes_over_and_the_old_one_finishes),
        TEST(test_a_drained_host_of_an_old_generation_is_not_hurried),
        TEST(test_unstarted_offers_of_a_drained_host_run_elsewhere_without_an_attempt),
        TEST(test_an_offer_that_a_drained_host_has_begun_is_not_run_elsewhere),
        TEST(test_an_offer_that_a_drained_host_does_not_answer_runs_elsewhere),
        TEST(test_function_missing_in_the_newest_generation_leaves_the_job_ready_with_the_reason),
        TEST(test_a_file_that_vanishes_stops_no_job_that_was_admitted),
        TEST(test_limit_plugins_max),
        TEST(test_a_host_is_started_when_a_ready_job_needs_it_and_once),
        TEST(test_a_host_that_never_asks_for_jobs_is_ended_and_started_again_later),
        TEST(test_a_clock_that_is_moved_ends_no_host_that_starts),
        TEST(test_an_offer_that_is_never_started_costs_the_host),
        TEST(test_restarts_wait_twice_as_long_after_each_life_that_came_to_nothing),
        TEST(test_a_waiting_job_says_when_its_host_starts_again),
        TEST(test_a_job_handed_back_is_offered_again_only_after_a_delay),
        TEST(test_a_host_asks_outside_of_runs_only_what_hosts_ask),
        TEST(test_one_crash_delays_the_next_host_only_a_little_once_jobs_were_done),
        TEST(test_drain_waits_for_what_runs_and_starts_nothing),
        TEST(test_drain_of_an_idle_daemon_is_over_at_once),
        TEST(test_a_drain_by_hand_waits_for_what_runs_and_keeps_what_is_ready),
        TEST(test_a_forced_drain_kills_the_host_and_its_job_is_ready_again),
        TEST(test_what_a_killed_host_was_offered_waits_for_its_end_alone),
        TEST(test_who_waits_for_a_drain_is_told_that_it_was_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
