/* Stopping a daemon that has jobs: who may end, who is cut off, and what the next start knows. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "raw.h"

static struct node node;
static struct raw raw;
static uint64_t op;

static int set_up(void **state)
{
    node_make(&node);
    op = 0;
    return 0;
}

static int tear_down(void **state)
{
    node_remove(&node);
    return 0;
}

static struct bytes text(const char *words)
{
    return (struct bytes){words, strlen(words)};
}

/* One operation after the other: each acknowledges the results before it. */
static void ask(struct request request)
{
    request.id = ++op;
    raw_send(&raw, (struct client_frame){.ack_mark = op - 1, .requests = &request, .requests_n = 1});
}

static uint64_t submit(const char *function, const char *argument)
{
    static char plugin[512];
    struct request_submit what = {
        .flags = SUBMIT_DETACHED, .function = text(function), .argument = text(argument)};

    assert_non_null(getenv("PLUGINS"));
    snprintf(plugin, sizeof(plugin), "%s/trial.so", getenv("PLUGINS"));
    what.plugin = text(plugin);
    ask((struct request){.verb = VERB_SUBMIT, .submit = what});
    const struct result *result = raw_result(&raw);
    if (result->status < 0)
        fail_msg("submit: %d %.*s", result->status, (int)result->text.size, (const char *)result->text.data);
    return result->handle;
}

static struct job_info look(uint64_t job)
{
    ask((struct request){.verb = VERB_JOB_INFO, .job_info.job = job});
    const struct result *result = raw_result(&raw);
    assert_int_equal(result->status, 0);
    assert_int_equal(result->jobs_n, 1);
    return result->jobs[0];
}

/* Waits until its function has begun: an offer alone is taken back when the daemon stops. The functions of
 * these tests say so by their progress; each look is a round trip to the core. */
static void wait_begun(uint64_t job)
{
    while (look(job).fraction == 0)
        ;
}

static void wait_receiver(uint64_t handle)
{
    const struct result *result;

    do {
        ask((struct request){.verb = VERB_CHAN_INFO, .chan_info.handle = handle});
        result = raw_result(&raw);
        assert_int_equal(result->chans_n, 1);
    } while (!result->chans[0].receivers);
}

static uint64_t open_channel(const char *name)
{
    const struct request_chan_open open = {.name = text(name), .flags = OPEN_CREATE};

    ask((struct request){.verb = VERB_CHAN_OPEN, .chan_open = open});
    return raw_result(&raw)->handle;
}

static void start(const char *drain)
{
    node_start(&node, (char *[]){"--limit", (char *)drain, NULL});
    raw_open(&raw, &node);
}

/* A job that runs when SIGTERM comes is waited for and ends well. `group`: -1 signals the daemon's process group. */
static void drain_with_a_job(int group)
{
    struct value value = {.body = {"go", 2}};

    start("drain_ms=3600000");
    uint64_t handle = open_channel("gate"), job = submit("receive", "gate");
    wait_receiver(handle);
    assert_int_equal(kill(group * node.pid, SIGTERM), 0);
    node_wait_said(&node, "STOPPING=1");
    assert_int_equal(look(job).state, JOB_RUNNING);
    ask((struct request){.verb = VERB_SEND, .send = {handle, &value, 1}});
    assert_int_equal(lifeline_farewell(raw.lifeline), -ENETRESET);
    assert_int_equal(node_wait(&node), 0);
    raw_close(&raw);
    start("drain_ms=3600000");
    assert_int_equal(look(job).state, JOB_DONE);
    raw_close(&raw);
    node_stop(&node);
}

static void test_a_drain_waits_for_a_running_job(void **state)
{
    drain_with_a_job(1);
}

static void test_a_signal_to_the_daemons_group_spares_running_jobs(void **state)
{
    drain_with_a_job(-1);
}

static void test_a_drain_ends_at_its_limit_and_the_job_runs_again(void **state)
{
    start("drain_ms=1");
    uint64_t job = submit("wait", "");
    wait_begun(job);
    node_signal(&node, SIGTERM);
    assert_int_equal(node_wait(&node), 0);
    assert_true(node_logged(&node, "event=drain_over"));
    raw_close(&raw);
    start("drain_ms=1");
    wait_begun(job);
    raw_close(&raw);
    node_stop(&node);
}

static void test_a_second_SIGTERM_ends_at_once(void **state)
{
    start("drain_ms=3600000");
    uint64_t job = submit("wait", "");
    wait_begun(job);
    node_signal(&node, SIGTERM);
    node_wait_said(&node, "STOPPING=1");
    node_signal(&node, SIGTERM);
    assert_int_equal(node_wait(&node), 0);
    assert_true(node_logged(&node, "asked twice"));
    raw_close(&raw);
}

static void test_a_killed_daemons_host_is_ended_by_the_next(void **state)
{
    start("drain_ms=1");
    uint64_t job = submit("wait", "");
    wait_begun(job);
    node_signal(&node, SIGKILL);
    assert_int_equal(node_wait(&node), 128 + SIGKILL);
    raw_close(&raw);
    start("drain_ms=1");
    wait_begun(job);
    raw_close(&raw);
    node_stop(&node);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_drain_waits_for_a_running_job),
        TEST(test_a_signal_to_the_daemons_group_spares_running_jobs),
        TEST(test_a_drain_ends_at_its_limit_and_the_job_runs_again),
        TEST(test_a_second_SIGTERM_ends_at_once),
        TEST(test_a_killed_daemons_host_is_ended_by_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
