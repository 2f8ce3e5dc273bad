/* Configuration: who wins over whom, and what is said about a wrong line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "paths.h"
#include "plugin_directories.h"

static const char *const variables[] = {"GOROUTINED_NODE",  "GOROUTINED_ENDPOINT", "GOROUTINED_EPHEMERAL",
                                        "GOROUTINED_STATE", "STATE_DIRECTORY",     "RUNTIME_DIRECTORY",
                                        "XDG_STATE_HOME"};

struct rig {
    char directory[64], file[128];
    struct config config;
    struct command command;
    char *why;
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++)
        unsetenv(variables[i]);
    strcpy(rig->directory, "/tmp/test_config-XXXXXX");
    assert_non_null(mkdtemp(rig->directory));
    setenv("XDG_CONFIG_HOME", rig->directory, 1);
    setenv("XDG_RUNTIME_DIR", rig->directory, 1);
    snprintf(rig->file, sizeof(rig->file), "%s/test.conf", rig->directory);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    config_clear(&rig->config, &rig->command);
    paths_remove(rig->directory);
    free(rig->why);
    free(rig);
    return 0;
}

static void write_file(struct rig *rig, const char *text)
{
    FILE *file = fopen(rig->file, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Loads with the file of the rig and up to two more flags. */
static int load(struct rig *rig, const char *flag, const char *other)
{
    char *argv[] = {"goroutined", "--config", rig->file, (char *)flag, (char *)other, NULL};
    int argc = 3 + (flag != NULL) + (flag && other);

    config_clear(&rig->config, &rig->command);
    free(rig->why);
    rig->why = NULL;
    return config_load(argc, argv, &rig->config, &rig->command, &rig->why);
}

static void expect_why(struct rig *rig, int error, int got, const char *words)
{
    assert_int_equal(got, error);
    assert_non_null(rig->why);
    if (!strstr(rig->why, words))
        fail_msg("'%s' does not say '%s'", rig->why, words);
}

static void test_without_anything_there_are_defaults(void **state)
{
    struct rig *rig = *state;
    const struct limits limits = LIMITS_DEFAULT;

    write_file(rig, "");
    assert_int_equal(load(rig, NULL, NULL), 0);
    assert_memory_equal(&rig->config.limits, &limits, sizeof(limits));
    assert_string_equal(rig->config.durability, "full");
    assert_false(rig->config.ephemeral);
    assert_non_null(rig->config.state);
    assert_non_null(strstr(rig->config.endpoint, rig->directory));
}

static void test_flag_wins_over_environment_over_file_over_default(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "node = 1");
    assert_int_equal(load(rig, NULL, NULL), 0);
    assert_int_equal(rig->config.node, 1);
    setenv("GOROUTINED_NODE", "2", 1);
    assert_int_equal(load(rig, NULL, NULL), 0);
    assert_int_equal(rig->config.node, 2);
    assert_int_equal(load(rig, "--node=3", NULL), 0);
    assert_int_equal(rig->config.node, 3);
}

static void test_every_kind_of_value_is_read_from_a_file(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "# a comment\nstate = \"/var/lib/x\"\npages_max = 100\nephemeral = yes\n"
                    "limits {\n  sessions_max = 5\n  retained_s = 0\n}\n");
    assert_int_equal(load(rig, NULL, NULL), 0);
    assert_string_equal(rig->config.state, "/var/lib/x");
    assert_int_equal(rig->config.pages_max, 100);
    assert_true(rig->config.ephemeral);
    assert_int_equal(rig->config.limits.sessions_max, 5);
    assert_int_equal(rig->config.limits.retained_s, 0);
}

static void test_a_limit_is_a_flag_too(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "");
    assert_int_equal(load(rig, "--limit", "sessions_max=7"), 0);
    assert_int_equal(rig->config.limits.sessions_max, 7);
    expect_why(rig, -EINVAL, load(rig, "--limit", "sessions=7"), "there is no such limit");
    expect_why(rig, -EINVAL, load(rig, "--limit", "sessions_max=many"), "sessions_max=NUMBER");
    expect_why(rig, -EINVAL, load(rig, "--limit", "sessions_max"), "sessions_max=NUMBER");
}

static void test_an_unknown_key_is_named_with_file_and_line(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "node = 1\n\nnodes = 2\n");
    expect_why(rig, -EINVAL, load(rig, NULL, NULL), "test.conf:3: no such option 'nodes'");
}

static void test_an_unknown_limit_is_named_with_file_and_line(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "limits {\n  sessions = 2\n}\n");
    expect_why(rig, -EINVAL, load(rig, NULL, NULL), "test.conf:2: no such option 'sessions'");
}

static void test_a_wrong_value_is_named_with_file_and_line(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "limits {\n  sessions_max = -1\n}\n");
    expect_why(rig, -EINVAL, load(rig, NULL, NULL), "test.conf:2: sessions_max must not be negative");
    write_file(rig, "\nnode = one\n");
    expect_why(rig, -EINVAL, load(rig, NULL, NULL), "test.conf:2: ");
}

static void test_a_named_file_must_be_there(void **state)
{
    struct rig *rig = *state;

    expect_why(rig, -ENOENT, load(rig, NULL, NULL), "cannot read");
}

static void test_values_that_make_no_sense_are_refused(void **state)
{
    static const char *const flags[][2] = {
        {"--node=1024", "node: 1024 is more than 1023"},
        {"--node=-1", "--node: '-1' is not a number"},
        {"--endpoint=tcp://*:1", "is not ipc:// with an absolute path"},
        {"--endpoint=ipc://relative", "is not ipc:// with an absolute path"},
        {"--listen=ipc:///x", "is not tcp://HOST:PORT"},
        {"--durability=some", "neither full nor process"},
        {"--log-level=loud", "log_level: 'loud'"},
        {"--socket-mode=888", "socket_mode: '888'"},
        {"--queues=mail", "queues: 'mail' is not NAME=JOBS"},
        {"--queues=mail=4,batch=0", "queues: 'batch=0' is not NAME=JOBS"},
        {"--queues=mail=4x", "queues: 'mail=4x' is not NAME=JOBS"},
        {"--queues=two words=4", "queues: 'two words=4' is not NAME=JOBS"},
        {"--queues==4", "queues: '=4' is not NAME=JOBS"},
        {"--ephemeral=maybe", "--ephemeral: 'maybe' is not true or false"},
        {"--plugin-directories=/usr:/nowhere", "plugin_directories: '/nowhere': No such file"},
        {"--plugin-directories=/proc/version", "plugin_directories: '/proc/version': Not a directory"},
        {"stray", "'stray' is not a flag"},
    };
    struct rig *rig = *state;

    write_file(rig, "");
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        expect_why(rig, -EINVAL, load(rig, flags[i][0], NULL), flags[i][1]);
}

static void test_the_users_file_is_read_from_the_xdg_directory(void **state)
{
    struct rig *rig = *state;
    char *argv[] = {"goroutined", NULL}, *path = paths_user_config();

    if (paths_service()) {
        assert_null(path);
        return; /* root has the system's file only */
    }
    snprintf(rig->file, sizeof(rig->file), "%s/goroutined", rig->directory);
    mkdir(rig->file, 0700);
    snprintf(rig->file, sizeof(rig->file), "%s", path);
    free(path);
    write_file(rig, "node = 9");
    assert_int_equal(config_load(1, argv, &rig->config, &rig->command, &rig->why), 0);
    assert_int_equal(rig->config.node, 9);
}

static void test_a_unit_gets_the_directories_systemd_made(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "");
    setenv("STATE_DIRECTORY", "/var/lib/one:/var/lib/two", 1);
    setenv("RUNTIME_DIRECTORY", "/run/one", 1);
    assert_int_equal(load(rig, NULL, NULL), 0);
    assert_string_equal(rig->config.state, "/var/lib/one");
    assert_string_equal(rig->config.endpoint, "ipc:///run/one/socket");
}

static void test_only_a_unit_is_bound_to_the_directory_of_installed_plugins(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "");
    assert_int_equal(load(rig, NULL, NULL), 0);
    assert_null(rig->config.plugin_directories);
    setenv("STATE_DIRECTORY", "/var/lib/one", 1);
    unsetenv("XDG_RUNTIME_DIR");
    assert_int_equal(load(rig, NULL, NULL), 0);
    assert_non_null(strstr(rig->config.plugin_directories, "/goroutined/plugins"));
    assert_int_equal(load(rig, "--plugin-directories=/usr", NULL), 0);
    assert_string_equal(rig->config.plugin_directories, "/usr");
}

static void test_plugin_directories_are_followed_to_their_real_paths(void **state)
{
    struct rig *rig = *state;
    char link[160], list[256];

    snprintf(link, sizeof(link), "%s/link", rig->directory);
    assert_int_equal(symlink(rig->directory, link), 0);
    snprintf(list, sizeof(list), "%s/:/usr//:/:/nowhere/", link);
    char **directories = plugin_directories_read(list), *real = realpath(rig->directory, NULL);
    assert_non_null(directories);
    assert_string_equal(directories[0], real);
    assert_string_equal(directories[1], "/usr");
    assert_string_equal(directories[2], ""); /* the root, without its `/` */
    assert_string_equal(directories[3], "/nowhere/");
    assert_null(directories[4]);
    plugin_directories_free(directories);
    free(real);
}

static void test_commands_are_told_from_options(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "");
    assert_int_equal(load(rig, "--check-config", NULL), 0);
    assert_int_equal(rig->command.command, COMMAND_CHECK);
    assert_int_equal(load(rig, "--fsck", "/var/lib/x"), 0);
    assert_int_equal(rig->command.command, COMMAND_FSCK);
    assert_string_equal(rig->command.directory, "/var/lib/x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_without_anything_there_are_defaults),
        TEST(test_flag_wins_over_environment_over_file_over_default),
        TEST(test_every_kind_of_value_is_read_from_a_file),
        TEST(test_a_limit_is_a_flag_too),
        TEST(test_an_unknown_key_is_named_with_file_and_line),
        TEST(test_an_unknown_limit_is_named_with_file_and_line),
        TEST(test_a_wrong_value_is_named_with_file_and_line),
        TEST(test_a_named_file_must_be_there),
        TEST(test_values_that_make_no_sense_are_refused),
        TEST(test_the_users_file_is_read_from_the_xdg_directory),
        TEST(test_a_unit_gets_the_directories_systemd_made),
        TEST(test_only_a_unit_is_bound_to_the_directory_of_installed_plugins),
        TEST(test_plugin_directories_are_followed_to_their_real_paths),
        TEST(test_commands_are_told_from_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
