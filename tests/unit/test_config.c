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

static const struct queue_config *queue_of(const struct rig *rig, const char *name)
{
    for (size_t i = 0; i < rig->config.queues_n; i++)
        if (!strcmp(rig->config.queues[i].name, name))
            return &rig->config.queues[i];
    fail_msg("no queue %s", name);
    return NULL;
}

static void test_a_section_sets_a_queue_and_a_flag_wins(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "queue mail { concurrency = 4  serial = yes }\nqueue by.default {}");
    assert_int_equal(load(rig, "--queue=mail.concurrency=5", "--queue=other.host:8080.rate=7"), 0);
    assert_int_equal(rig->config.queues_n, 3);
    const struct policy_part *part = &queue_of(rig, "mail")->part;
    assert_int_equal(part->set, 1 << POLICY_concurrency | 1 << POLICY_serial);
    assert_int_equal(part->policy.concurrency, 5);
    assert_int_equal(part->policy.serial, 1);
    assert_int_equal(queue_of(rig, "by.default")->part.set, 0);
    assert_int_equal(queue_of(rig, "other.host:8080")->part.policy.rate, 7);
}

static void test_a_wrong_queue_in_a_file_is_named(void **state)
{
    static const char *const files[][2] = {
        {"queue mail { concurrency = 0 }",
         "test.conf: queue mail: concurrency: '0' is not a number of jobs from 1 to"},
        {"queue mail { fair = maybe }", "test.conf: queue mail: fair: 'maybe' is not one of no|yes"},
        {"\nqueue mail { colour = 3 }", "test.conf:2: no such option 'colour'"},
        {"queue \"two words\" { }", "test.conf: queue 'two words': a name has"},
        {"queue mail { }\nqueue mail { }", "test.conf:2: found duplicate title 'mail'"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        write_file(rig, files[i][0]);
        expect_why(rig, -EINVAL, load(rig, NULL, NULL), files[i][1]);
    }
}

static void test_a_section_sets_a_rule_of_topics_and_a_flag_wins(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "topic \"orders.>\" { durable = yes  keep_for = 60 }\ntopic plain {}");
    assert_int_equal(load(rig, "--topic=orders.>.keep_for=5", "--topic=a.*.c.full=reject"), 0);
    assert_int_equal(rig->config.topics_n, 3);
    const struct topic_config *rule = rig->config.topics;
    assert_string_equal(rule[0].pattern, "orders.>");
    assert_int_equal(rule[0].part.set, 1 << TOPIC_durable | 1 << TOPIC_keep_for);
    assert_int_equal(rule[0].part.policy.durable, 1);
    assert_int_equal(rule[0].part.policy.keep_for, 5);
    assert_int_equal(rule[1].part.set, 0);
    assert_string_equal(rule[2].pattern, "a.*.c");
    assert_int_equal(rule[2].part.policy.full, LOG_REJECT);
}

static void test_a_wrong_rule_of_topics_is_named(void **state)
{
    static const char *const files[][2] = {
        {"topic a { keep_for = long }",
         "test.conf: topic a: 'keep_for=long' is not a number of seconds from"},
        {"topic a { durable = 1 }", "test.conf: topic a: 'durable=1' is not one of no|yes"},
        {"\ntopic a { colour = 3 }", "test.conf:2: no such option 'colour'"},
        {"topic \"a..b\" { }", "test.conf: topic 'a..b': the pattern has an empty token"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        write_file(rig, files[i][0]);
        expect_why(rig, -EINVAL, load(rig, NULL, NULL), files[i][1]);
    }
    write_file(rig, "");
    expect_why(rig, -EINVAL, load(rig, "--topic=durable=yes", NULL), "write PATTERN.SETTING=VALUE");
}

static void test_values_that_make_no_sense_are_refused(void **state)
{
    static const char *const flags[][2] = {
        {"--linger-us=1001", "linger_us: 1001 is more than 1000"},
        {"--node=1024", "node: 1024 is more than 1023"},
        {"--node=-1", "--node: '-1' is not a number"},
        {"--endpoint=tcp://*:1", "is not ipc:// with an absolute path"},
        {"--endpoint=ipc://relative", "is not ipc:// with an absolute path"},
        {"--listen=ipc:///x", "is not tcp://HOST:PORT"},
        {"--listen=tcp://*:7000", "listen: tcp://*:7000 would be open to anybody who reaches it"},
        {"--listen-secret-file=/x", "listen_secret_file: listen_keys_file is missing beside it"},
        {"--listen-keys-file=/x", "listen_keys_file: listen_secret_file is missing beside it"},
        {"--durability=some", "neither full nor process"},
        {"--log-level=loud", "log_level: 'loud'"},
        {"--socket-mode=888", "socket_mode: '888'"},
        {"--queue=mail", "--queue mail: write NAME.SETTING=VALUE"},
        {"--queue=mail=4", "--queue mail=4: write NAME.SETTING=VALUE"},
        {"--queue=mail.concurrency", "--queue mail.concurrency: write NAME.SETTING=VALUE"},
        {"--queue=mail.colour=4", "--queue mail.colour=4: write NAME.SETTING=VALUE"},
        {"--queue=batch.concurrency=0", "queue batch: concurrency: '0' is not a number of jobs from 1"},
        {"--queue=mail.rate=4x", "queue mail: rate: '4x' is not a number of jobs from 0"},
        {"--queue=mail.serial=2", "queue mail: serial: '2' is not one of no|yes"},
        {"--queue=two words.rate=4", "queue 'two words': a name has"},
        {"--queue=.rate=4", "queue '': a name has"},
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

static struct host_settings settings_of(const struct rig *rig, const char *path)
{
    return host_settings_of((struct plugin_sections){rig->config.plugins, rig->config.plugins_n}, path);
}

static void test_a_plugin_has_the_settings_of_its_section_then_those_of_default(void **state)
{
    struct rig *rig = *state;

    write_file(rig, "plugin default { seccomp = jobs }\nplugin \"/opt/a.b.so\" { seccomp = none }");
    assert_int_equal(load(rig, "--plugin=/opt/c.so.seccomp=none", NULL), 0);
    assert_int_equal(settings_of(rig, "/opt/a.b.so").seccomp, SECCOMP_NONE);
    assert_int_equal(settings_of(rig, "/opt/c.so").seccomp, SECCOMP_NONE);
    assert_int_equal(settings_of(rig, "/opt/other.so").seccomp, SECCOMP_JOBS);
    assert_int_equal(load(rig, "--plugin=/opt/a.b.so.seccomp=jobs", NULL), 0);
    assert_int_equal(settings_of(rig, "/opt/a.b.so").seccomp, SECCOMP_JOBS);
}

static void test_the_path_of_a_plugin_is_followed_through_symbolic_links(void **state)
{
    struct rig *rig = *state;
    char *real = realpath(rig->directory, NULL), link[256], text[512];

    assert_non_null(real);
    snprintf(link, sizeof(link), "%s/link", rig->directory);
    assert_int_equal(symlink(".", link), 0);
    snprintf(text, sizeof(text), "plugin \"%s\" { seccomp = jobs }", link);
    write_file(rig, text);
    assert_int_equal(load(rig, NULL, NULL), 0);
    assert_int_equal(settings_of(rig, real).seccomp, SECCOMP_JOBS);
    unlink(link);
    free(real);
}

static void test_a_wrong_plugin_in_a_file_is_named(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"plugin a.so { }", "test.conf: plugin 'a.so': neither an absolute path nor default"},
        {"plugin default { seccomp = all }",
         "test.conf: plugin default: seccomp: 'all' is not one of none|jobs"},
        {"\nplugin default { colour = 3 }", "test.conf:2: no such option 'colour'"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        write_file(rig, cases[i].text);
        expect_why(rig, -EINVAL, load(rig, NULL, NULL), cases[i].words);
    }
    write_file(rig, "");
    expect_why(rig, -EINVAL, load(rig, "--plugin=/a.so.colour=1", NULL), "write PATH.SETTING=VALUE");
    expect_why(rig, -EINVAL, load(rig, "--plugin=/a.so.seccomp", NULL), "write PATH.SETTING=VALUE");
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
        TEST(test_a_section_sets_a_queue_and_a_flag_wins),
        TEST(test_a_wrong_queue_in_a_file_is_named),
        TEST(test_a_section_sets_a_rule_of_topics_and_a_flag_wins),
        TEST(test_a_wrong_rule_of_topics_is_named),
        TEST(test_a_plugin_has_the_settings_of_its_section_then_those_of_default),
        TEST(test_the_path_of_a_plugin_is_followed_through_symbolic_links),
        TEST(test_a_wrong_plugin_in_a_file_is_named),
        TEST(test_values_that_make_no_sense_are_refused),
        TEST(test_the_users_file_is_read_from_the_xdg_directory),
        TEST(test_a_unit_gets_the_directories_systemd_made),
        TEST(test_only_a_unit_is_bound_to_the_directory_of_installed_plugins),
        TEST(test_plugin_directories_are_followed_to_their_real_paths),
        TEST(test_commands_are_told_from_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
