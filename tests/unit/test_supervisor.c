/* Plugin files and host processes, with a script in the place of goroutined-host (FAKE_HOST). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin_describe.h"
#include "plugin_file.h"
#include "plugin_seen.h"
#include "supervisor.h"

static char folder[] = "/tmp/goroutined-test.XXXXXX", state_folder[64], outside[64];
static struct plugin_files *files;

static const char *write_plugin(const char *name, const char *word, mode_t mode)
{
    static char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", word);
    fclose(file);
    chmod(path, mode);
    return path;
}

static int set_up(void **state)
{
    struct plugin_files_options options = {.state = state_folder, .host_program = getenv("FAKE_HOST")};

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(state_folder, sizeof state_folder, "%s/state", folder);
    snprintf(outside, sizeof outside, "%s/elsewhere", folder);
    assert_int_equal(mkdir(state_folder, 0700), 0);
    assert_int_equal(mkdir(outside, 0700), 0);
    return plugin_files_new(&options, &files);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    plugin_files_delete(files);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void expect_refusal(const char *path, int error, const char *words)
{
    struct plugin_about about;

    plugin_files_look(files, path, &about);
    assert_int_equal(about.error, error);
    assert_non_null(about.text);
    if (!strstr(about.text, words))
        fail_msg("expected «%s» in «%s»", words, about.text);
    plugin_about_clear(&about);
}

static void test_files_that_others_may_change_are_refused(void **state)
{
    char path[128];

    (void)state;
    expect_refusal(write_plugin("p.so", "good", 0664), -EACCES, "chmod go-w");
    expect_refusal(write_plugin("p.so", "good", 0602), -EACCES, "writable by nobody else");
    snprintf(path, sizeof path, "%s/p.so", folder);
    write_plugin("p.so", "good", 0600);
    chmod(folder, 0777);
    expect_refusal(path, -EACCES, folder);
    chmod(folder, 0700);
}

static void test_what_is_no_file_is_refused_without_being_opened_as_code(void **state)
{
    char path[128];

    (void)state;
    expect_refusal("/nonexistent.so", -ENOENT, "cannot open plugin /nonexistent.so");
    expect_refusal(folder, -ENOEXEC, "not a regular file");
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refusal(path, -ENOEXEC, "not a regular file");
    assert_int_equal(truncate(write_plugin("huge.so", "good", 0600), PLUGIN_FILE_BYTES_MAX + 1L), 0);
    snprintf(path, sizeof path, "%s/huge.so", folder);
    expect_refusal(path, -E2BIG, "are allowed");
}

static void test_what_the_host_says_of_a_bad_plugin_is_passed_on(void **state)
{
    (void)state;
    expect_refusal(write_plugin("a.so", "refused", 0600), -ENOEXEC, "no plugin: try another");
    expect_refusal(write_plugin("b.so", "segv", 0600), -ENOEXEC, "ends with signal 11 (SIGSEGV)");
    expect_refusal(write_plugin("c.so", "silent", 0600), -ENOEXEC, "ends the process with status 4");
    expect_refusal(write_plugin("d.so", "nonsense", 0600), -ENOEXEC, "makes no sense");
}

static void test_configured_directories_bound_where_plugins_lie(void **state)
{
    const char *const directories[] = {outside, NULL};
    struct plugin_files_options options = {
        .state = state_folder, .host_program = getenv("FAKE_HOST"), .directories = directories};
    struct plugin_files *bounded;
    struct plugin_about about;

    (void)state;
    assert_int_equal(plugin_files_new(&options, &bounded), 0);
    plugin_files_look(bounded, write_plugin("p.so", "good", 0600), &about);
    assert_int_equal(about.error, -EACCES);
    assert_non_null(strstr(about.text, "plugin-directories"));
    plugin_about_clear(&about);
    plugin_files_look(bounded, write_plugin("elsewhere/p.so", "good", 0600), &about);
    assert_int_equal(about.error, 0);
    plugin_about_clear(&about);
    plugin_files_delete(bounded);
}

static void test_a_generation_is_the_content_and_its_copy_outlives_the_file(void **state)
{
    struct plugin_about first, same, other;
    char copy[256];

    (void)state;
    plugin_files_look(files, write_plugin("one.so", "good", 0600), &first);
    plugin_files_look(files, write_plugin("two.so", "good", 0600), &same);
    plugin_files_look(files, write_plugin("one.so", "dies", 0600), &other);
    assert_int_equal(first.error, 0);
    assert_int_equal(first.functions_n, 1);
    assert_int_equal(first.functions[0].attempts_max, 3);
    assert_string_equal(first.generation, same.generation);
    assert_string_not_equal(first.generation, other.generation);
    plugin_files_copy_path(files, (struct bytes){first.generation, 32}, copy, sizeof copy);
    unlink(write_plugin("two.so", "good", 0600));
    assert_int_equal(access(copy, R_OK), 0);
    plugin_about_clear(&first);
    plugin_about_clear(&same);
    plugin_about_clear(&other);
}

static void find_copy(const struct plugin_about *about, char *copy, size_t size)
{
    plugin_files_copy_path(files, (struct bytes){about->generation, 32}, copy, size);
}

static void look_well(struct plugin_files *with, const char *path, struct plugin_about *about)
{
    plugin_files_look(with, path, about);
    if (about->error < 0)
        fail_msg("%s", about->text);
}

static void test_a_torn_copy_is_made_again(void **state)
{
    struct plugin_files_options options = {.state = state_folder, .host_program = getenv("FAKE_HOST")};
    struct plugin_files *later;
    struct plugin_about about;
    struct stat st;
    char copy[256];

    (void)state;
    look_well(files, write_plugin("torn.so", "good torn", 0600), &about);
    find_copy(&about, copy, sizeof copy);
    plugin_about_clear(&about);
    assert_int_equal(truncate(copy, 0), 0);
    assert_int_equal(plugin_files_new(&options, &later), 0);
    look_well(later, write_plugin("torn.so", "good torn", 0600), &about);
    assert_int_equal(stat(copy, &st), 0);
    assert_int_equal(st.st_size, strlen("good torn\n"));
    plugin_about_clear(&about);
    plugin_files_delete(later);
}

static void test_a_copy_that_was_removed_is_made_again_for_a_known_file(void **state)
{
    const char *path = write_plugin("removed.so", "good removed", 0600);
    struct plugin_about about;
    char copy[256];

    (void)state;
    look_well(files, path, &about);
    find_copy(&about, copy, sizeof copy);
    plugin_about_clear(&about);
    assert_int_equal(unlink(copy), 0);
    look_well(files, path, &about);
    assert_int_equal(access(copy, R_OK), 0);
    plugin_about_clear(&about);
}

static void test_copies_of_an_earlier_daemon_are_removed_at_start(void **state)
{
    struct plugin_files_options options = {.state = state_folder, .host_program = getenv("FAKE_HOST")};
    struct plugin_about about;
    struct plugin_files *later;
    const char *left;
    char copy[256];

    (void)state;
    look_well(files, write_plugin("deployed.so", "good last year", 0600), &about);
    find_copy(&about, copy, sizeof copy);
    plugin_about_clear(&about);
    assert_int_equal(access(copy, F_OK), 0);
    left = write_plugin("state/plugins/.new-abcdef", "half", 0600);
    assert_int_equal(plugin_files_new(&options, &later), 0);
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(access(copy, F_OK), -1);
    plugin_files_delete(later);
}

static bool is_seen(struct plugin_seen *seen, const char *path)
{
    char generation[33];
    char *answer = plugin_seen_get(seen, path, &(struct stat){0}, generation);
    bool is = answer;

    free(answer);
    return is;
}

static void test_limit_plugins_max_of_the_files_that_are_remembered(void **state)
{
    struct plugin_seen *seen = plugin_seen_new(2);
    const struct stat st = {0};

    (void)state;
    plugin_seen_put(seen, "one.so", &st, "0123456789abcdef0123456789abcdef", "good");
    plugin_seen_put(seen, "two.so", &st, "0123456789abcdef0123456789abcdef", "good");
    assert_true(is_seen(seen, "one.so") && is_seen(seen, "two.so"));
    plugin_seen_put(seen, "three.so", &st, "0123456789abcdef0123456789abcdef", "good");
    assert_true(is_seen(seen, "three.so"));
    assert_false(is_seen(seen, "one.so") || is_seen(seen, "two.so"));
    plugin_seen_delete(seen);
}

static void test_a_plugin_that_answers_and_does_not_end_is_killed_at_the_same_deadline(void **state)
{
    struct plugin_describer describer = {.host_program = getenv("FAKE_HOST"), .timeout_ms = 200, .stop = -1};
    const char *path = write_plugin("lingers.so", "lingers", 0600);
    char *answer = NULL, *why = NULL;

    (void)state;
    assert_int_equal(plugin_describe_run(&describer, path, path, &answer, &why), -ETIMEDOUT);
    assert_non_null(strstr(why, "did not end within 200 ms"));
    assert_null(answer);
    free(why);
}

/* ---- hosts ---- */

struct seen {
    struct input in;
    int fd;
    char text[256], generation[33];
};

/* Reports that came together with the one asked for, in order. */
static struct seen waiting[8];
static size_t waiting_n;

static void note(void *context, const struct input *in, int fd)
{
    struct seen *seen = &waiting[waiting_n++];

    (void)context;
    assert_true(waiting_n <= sizeof waiting / sizeof *waiting);
    memset(seen, 0, sizeof *seen);
    seen->in = *in;
    seen->fd = fd;
    if (in->kind == IN_HOST_END)
        snprintf(seen->text, sizeof seen->text, "%.*s", (int)in->host_end.text.size,
                 (const char *)in->host_end.text.data);
    if (in->kind == IN_PLUGIN && in->plugin.error == 0)
        memcpy(seen->generation, in->plugin.generation.data, 32);
}

static struct seen next(struct supervisor *s)
{
    struct pollfd p = {.fd = supervisor_event(s), .events = POLLIN};
    struct seen first = {.fd = -1};

    while (waiting_n == 0 && poll(&p, 1, 30000) == 1)
        supervisor_collect(s, note, NULL);
    if (waiting_n > 0) {
        first = waiting[0];
        memmove(waiting, waiting + 1, --waiting_n * sizeof *waiting);
    }
    return first;
}

static struct supervisor *start_supervisor(void)
{
    struct supervisor_options options = {
        .state = state_folder, .host_program = getenv("FAKE_HOST"), .endpoint = "ipc://nowhere"};
    struct supervisor *s;
    char *why = NULL;

    if (supervisor_new(&options, &s, &why) < 0)
        fail_msg("%s", why);
    return s;
}

/* Looks at the plugin file, starts a host for it as number `host`. */
static struct seen start_host(struct supervisor *s, const char *path, uint64_t host)
{
    struct effect look = {.kind = EFFECT_PLUGIN, .plugin.path = {path, strlen(path)}};
    struct effect start = {.kind = EFFECT_HOST_START, .host_start.host = host};
    struct seen seen;

    assert_int_equal(supervisor_take(s, &look), 0);
    seen = next(s);
    assert_int_equal(seen.in.kind, IN_PLUGIN);
    start.host_start.generation = (struct bytes){seen.generation, 32};
    assert_int_equal(supervisor_take(s, &start), 0);
    seen = next(s);
    assert_int_equal(seen.in.kind, IN_HOST_UP);
    assert_int_equal(seen.in.host_up.error, 0);
    return seen;
}

static void test_a_host_ends_with_its_lifeline_and_is_reported(void **state)
{
    struct supervisor *s = start_supervisor();
    struct seen seen = start_host(s, write_plugin("run.so", "good", 0600), 7);

    (void)state;
    assert_true(seen.fd >= 0);
    close(seen.fd);
    seen = next(s);
    assert_int_equal(seen.in.kind, IN_HOST_END);
    assert_int_equal(seen.in.host_end.host, 7);
    assert_int_equal(seen.in.host_end.signal, 0);
    supervisor_delete(s);
}

static void test_the_signal_that_ended_a_host_is_told(void **state)
{
    struct supervisor *s = start_supervisor();
    struct seen seen = start_host(s, write_plugin("run.so", "dies", 0600), 8);
    int fd = seen.fd;

    (void)state;
    seen = next(s);
    assert_int_equal(seen.in.kind, IN_HOST_END);
    assert_int_equal(seen.in.host_end.signal, SIGABRT);
    assert_string_equal(seen.text, "the host was ended by signal 6 (SIGABRT)");
    close(fd);
    supervisor_delete(s);
}

static void test_a_host_is_killed_on_request(void **state)
{
    struct supervisor *s = start_supervisor();
    struct seen seen = start_host(s, write_plugin("run.so", "good", 0600), 9);
    struct effect kill = {.kind = EFFECT_HOST_KILL, .host_kill = {9, SIGKILL}};
    int fd = seen.fd;

    (void)state;
    assert_int_equal(supervisor_take(s, &kill), 0);
    seen = next(s);
    assert_int_equal(seen.in.host_end.signal, SIGKILL);
    close(fd);
    supervisor_delete(s);
}

static void test_a_host_is_not_in_the_process_group_of_the_daemon(void **state)
{
    struct supervisor *s = start_supervisor();
    struct seen seen = start_host(s, write_plugin("run.so", "good", 0600), 10);
    pid_t host = seen.in.host_up.pid;

    (void)state;
    assert_int_equal(getpgid(host), host);
    close(seen.fd);
    supervisor_delete(s);
}

static void test_a_stopping_supervisor_ends_a_look_at_a_plugin_that_hangs(void **state)
{
    struct supervisor *s = start_supervisor();
    const char *path = write_plugin("hangs.so", "hangs", 0600);
    struct effect look = {.kind = EFFECT_PLUGIN, .plugin.path = {path, strlen(path)}};
    char begun[300];

    (void)state;
    snprintf(begun, sizeof begun, "%s.begun", path);
    assert_int_equal(mkfifo(begun, 0600), 0);
    assert_int_equal(supervisor_take(s, &look), 0);
    close(open(begun, O_RDONLY)); /* its other end is opened by what hangs */
    alarm(8);                     /* sooner than the deadline of the plugin */
    supervisor_delete(s);
    alarm(0);
}

/* In a process of its own: starts a host that does not look at its lifeline, says its pid, and dies. */
static void be_an_earlier_daemon(int out)
{
    struct supervisor *s = start_supervisor();
    pid_t host = start_host(s, write_plugin("run.so", "stays", 0600), 1).in.host_up.pid;

    _exit(write(out, &host, sizeof host) == sizeof host ? 0 : 1);
}

static void test_a_starting_supervisor_ends_the_hosts_of_an_earlier_one(void **state)
{
    struct pollfd p = {.events = POLLIN};
    int pipe_fds[2], status;
    pid_t pid, host;

    (void)state;
    assert_int_equal(pipe(pipe_fds), 0);
    pid = fork();
    if (pid == 0)
        be_an_earlier_daemon(pipe_fds[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipe_fds[0], &host, sizeof host), sizeof host);
    p.fd = pidfd_open(host, 0);
    assert_true(p.fd >= 0);
    assert_int_equal(poll(&p, 1, 0), 0);
    supervisor_delete(start_supervisor());
    assert_int_equal(poll(&p, 1, 0), 1);
    close(p.fd);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_that_others_may_change_are_refused),
        cmocka_unit_test(test_what_is_no_file_is_refused_without_being_opened_as_code),
        cmocka_unit_test(test_what_the_host_says_of_a_bad_plugin_is_passed_on),
        cmocka_unit_test(test_configured_directories_bound_where_plugins_lie),
        cmocka_unit_test(test_a_generation_is_the_content_and_its_copy_outlives_the_file),
        cmocka_unit_test(test_a_torn_copy_is_made_again),
        cmocka_unit_test(test_a_copy_that_was_removed_is_made_again_for_a_known_file),
        cmocka_unit_test(test_copies_of_an_earlier_daemon_are_removed_at_start),
        cmocka_unit_test(test_limit_plugins_max_of_the_files_that_are_remembered),
        cmocka_unit_test(test_a_plugin_that_answers_and_does_not_end_is_killed_at_the_same_deadline),
        cmocka_unit_test(test_a_host_ends_with_its_lifeline_and_is_reported),
        cmocka_unit_test(test_the_signal_that_ended_a_host_is_told),
        cmocka_unit_test(test_a_host_is_killed_on_request),
        cmocka_unit_test(test_a_host_is_not_in_the_process_group_of_the_daemon),
        cmocka_unit_test(test_a_stopping_supervisor_ends_a_look_at_a_plugin_that_hangs),
        cmocka_unit_test(test_a_starting_supervisor_ends_the_hosts_of_an_earlier_one),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
