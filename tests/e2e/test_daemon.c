/* The daemon as an operator sees it: refusing to start, saying why, stopping. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "raw.h"

static struct node node;
static char said[4096];

static int set_up(void **state)
{
    node_make(&node);
    return 0;
}

static int tear_down(void **state)
{
    chmod(node.state, 0700);
    node_remove(&node);
    return 0;
}

static void expect_refusal(char *const *arguments, int status, const char *words)
{
    int got = node_run(arguments, true, said, sizeof(said));

    if (got != status || !strstr(said, words))
        fail_msg("status %d, not %d; '%s' should say '%s'", got, status, said, words);
}

static void test_a_second_daemon_on_the_state_directory_is_refused(void **state)
{
    char endpoint[160];

    node_start(&node, NULL);
    snprintf(endpoint, sizeof(endpoint), "%s2", node.endpoint);
    expect_refusal((char *[]){"--endpoint", endpoint, "--state", node.state, NULL}, 1, node.state);
    node_stop(&node);
}

/* Whatever its store: copies of plugins and records of hosts lie there, too, and each daemon begins by removing them. */
static void test_an_ephemeral_daemon_has_its_state_directory_alone(void **state)
{
    static char *const ephemeral[] = {"--ephemeral", NULL}, *const durable[] = {NULL};
    static char *const *const first[] = {durable, ephemeral, ephemeral};
    static char *const second[] = {"--ephemeral", "--ephemeral", NULL};
    char endpoint[160], copy[160];

    for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++) {
        node_start(&node, first[i]);
        snprintf(endpoint, sizeof(endpoint), "%s2", node.endpoint);
        snprintf(copy, sizeof(copy), "%s/plugins/copy", node.state);
        close(open(copy, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        expect_refusal((char *[]){"--endpoint", endpoint, "--state", node.state, second[i], NULL}, 1,
                       "is in use by process");
        assert_non_null(strstr(said, node.state));
        assert_int_equal(access(copy, F_OK), 0);
        node_stop(&node);
    }
}

static void test_a_second_daemon_at_the_endpoint_is_refused(void **state)
{
    char other[160];
    struct raw raw;

    node_start(&node, NULL);
    snprintf(other, sizeof(other), "%s2", node.state);
    expect_refusal((char *[]){"--endpoint", node.endpoint, "--state", other, NULL}, 1,
                   "another daemon listens at ipc://");
    raw_open(&raw, &node); /* the first one is still there */
    raw_close(&raw);
    node_stop(&node);
}

static void test_a_read_only_state_directory_is_refused(void **state)
{
    assert_int_equal(mkdir(node.state, 0500), 0);
    expect_refusal((char *[]){"--endpoint", node.endpoint, "--state", node.state, NULL}, 1, node.state);
}

static void test_a_state_directory_that_cannot_be_made_is_refused(void **state)
{
    expect_refusal((char *[]){"--endpoint", node.endpoint, "--state", "/proc/nowhere/state", NULL}, 1,
                   "/proc/nowhere");
}

static void test_an_endpoint_that_cannot_be_made_is_refused_with_advice(void **state)
{
    expect_refusal((char *[]){"--endpoint", "ipc:///proc/nowhere/socket", "--state", node.state, NULL}, 1,
                   "--endpoint ipc://PATH (and --state DIR), or set XDG_RUNTIME_DIR");
}

static void test_an_endpoint_too_long_for_a_socket_is_refused(void **state)
{
    char endpoint[256];

    snprintf(endpoint, sizeof(endpoint), "%s/%0120d", node.endpoint, 0);
    expect_refusal((char *[]){"--endpoint", endpoint, "--state", node.state, NULL}, 1,
                   "too long for a socket");
}

static void test_check_config_names_file_and_line(void **state)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/wrong.conf", node.directory);
    FILE *file = fopen(path, "w");
    fputs("log_json = true\nlog_jsom = true\n", file);
    fclose(file);
    expect_refusal((char *[]){"--check-config", "--config", path, NULL}, 2,
                   "wrong.conf:2: no such option 'log_jsom'");
}

static void test_the_installed_configuration_is_good(void **state)
{
    assert_non_null(getenv("SAMPLE_CONFIG"));
    assert_int_equal(node_run((char *[]){"--check-config", "--config", getenv("SAMPLE_CONFIG"), NULL}, false,
                              said, sizeof(said)),
                     0);
}

static void test_a_wrong_flag_is_a_usage_error(void **state)
{
    expect_refusal((char *[]){"--loud", NULL}, 2, "--help");
}

static void test_a_database_of_something_else_is_refused(void **state)
{
    char path[160];

    node_start(&node, NULL);
    node_stop(&node);
    snprintf(path, sizeof(path), "%s/state.db-wal", node.state);
    unlink(path); /* or it would mend the file */
    snprintf(path, sizeof(path), "%s/state.db", node.state);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fputs("this is no database at all, whatever its name says; nobody should write into it", file);
    fclose(file);
    expect_refusal((char *[]){"--endpoint", node.endpoint, "--state", node.state, NULL}, 1, path);
}

/* ---- stopping ---- */

static void test_SIGTERM_says_farewell_and_ends_with_0(void **state)
{
    struct raw raw;

    node_start(&node, NULL);
    raw_open(&raw, &node);
    node_signal(&node, SIGTERM);
    assert_int_equal(lifeline_farewell(raw.lifeline), -ENETRESET);
    assert_int_equal(node_wait(&node), 0);
    assert_true(node_logged(&node, "event=drain"));
    assert_true(node_logged(&node, "event=stopped"));
    raw_close(&raw);
}

static void test_a_killed_daemon_starts_again_in_its_place(void **state)
{
    struct raw raw;

    node_start(&node, NULL);
    node_signal(&node, SIGKILL);
    assert_int_equal(node_wait(&node), 128 + SIGKILL);
    node_start(&node, NULL);
    raw_open(&raw, &node);
    raw_close(&raw);
    node_stop(&node);
}

static void test_SIGHUP_checks_the_configuration_and_goes_on(void **state)
{
    char path[160];
    struct raw raw;

    snprintf(path, sizeof(path), "%s/node.conf", node.directory);
    FILE *file = fopen(path, "w");
    fclose(file);
    node_start(&node, (char *[]){"--config", path, NULL});
    file = fopen(path, "w");
    fputs("nonsense = 1\n", file);
    fclose(file);
    node_signal(&node, SIGHUP);
    raw_open(&raw, &node); /* behind the signal: it was taken when this is answered */
    raw_close(&raw);
    node_stop(&node);
    assert_true(node_logged(&node, "node.conf:1: no such option 'nonsense'"));
}

static void test_SIGUSR1_logs_counters(void **state)
{
    node_start(&node, NULL);
    node_signal(&node, SIGUSR1);
    node_stop(&node);
    assert_true(node_logged(&node, "event=stats"));
}

static void test_log_lines_are_json_on_request(void **state)
{
    node_start(&node, (char *[]){"--log-json", NULL});
    node_stop(&node);
    assert_true(node_logged(&node, "\"event\":\"ready\""));
}

static void test_a_stopped_daemon_leaves_no_socket(void **state)
{
    node_start(&node, NULL);
    assert_int_equal(access(node.socket, F_OK) | access(node.lifeline, F_OK), 0);
    node_stop(&node);
    assert_int_not_equal(access(node.socket, F_OK), 0);
    assert_int_not_equal(access(node.lifeline, F_OK), 0);
}

static void test_an_ephemeral_daemon_writes_no_database(void **state)
{
    char path[160];

    node_start(&node, (char *[]){"--ephemeral", NULL});
    node_stop(&node);
    snprintf(path, sizeof(path), "%s/state.db", node.state);
    assert_int_not_equal(access(path, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_second_daemon_on_the_state_directory_is_refused),
        TEST(test_an_ephemeral_daemon_has_its_state_directory_alone),
        TEST(test_a_second_daemon_at_the_endpoint_is_refused),
        TEST(test_a_read_only_state_directory_is_refused),
        TEST(test_a_state_directory_that_cannot_be_made_is_refused),
        TEST(test_an_endpoint_that_cannot_be_made_is_refused_with_advice),
        TEST(test_an_endpoint_too_long_for_a_socket_is_refused),
        TEST(test_check_config_names_file_and_line),
        TEST(test_the_installed_configuration_is_good),
        TEST(test_a_wrong_flag_is_a_usage_error),
        TEST(test_a_database_of_something_else_is_refused),
        TEST(test_SIGTERM_says_farewell_and_ends_with_0),
        TEST(test_a_killed_daemon_starts_again_in_its_place),
        TEST(test_SIGHUP_checks_the_configuration_and_goes_on),
        TEST(test_SIGUSR1_logs_counters),
        TEST(test_log_lines_are_json_on_request),
        TEST(test_a_stopped_daemon_leaves_no_socket),
        TEST(test_an_ephemeral_daemon_writes_no_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
