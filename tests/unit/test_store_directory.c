/*
 * The state directory: who may have it, what is refused and in which words; and what is synced when it is made: fsync of
 * libc is replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "directory.h"
#include "store_fixture.h"

/* The directory that was synced last. */
static char synced[PATH_MAX];

int fsync(int fd)
{
    char link[64], path[PATH_MAX];
    struct stat st;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n > 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        path[n] = '\0';
        memcpy(synced, path, (size_t)n + 1);
    }
    return (int)syscall(SYS_fsync, fd);
}

static void test_a_fresh_directory_is_synced_in_its_parent(void **state)
{
    char made[] = "/tmp/goroutined-parent-XXXXXX", parent[PATH_MAX], fresh[64], name[80];
    char *why = NULL;
    int lock = -1;

    assert_non_null(mkdtemp(made));
    assert_non_null(realpath(made, parent));
    snprintf(fresh, sizeof(fresh), "%s/fresh", made);
    snprintf(name, sizeof(name), "%s/lock", fresh);
    assert_int_equal(directory_lock(fresh, true, &lock, &why), 0);
    assert_string_equal(synced, parent);
    close(lock);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(rmdir(fresh), 0);
    assert_int_equal(rmdir(made), 0);
}

/* ---- who may have it ---- */

static int set_up(void **state)
{
    *state = store_fixture_new(&store_sqlite);
    return 0;
}

static int tear_down(void **state)
{
    store_fixture_free(*state);
    return 0;
}

/* As the daemon begins with it. */
static int lock_directory(const struct store_fixture *fixture)
{
    char *why = NULL;
    int lock;

    if (directory_lock(fixture->directory, true, &lock, &why) < 0)
        fail_msg("%s", why);
    return lock;
}

static void assert_not_locked(const struct store_fixture *fixture, int error, const char *words)
{
    char *why = NULL;
    int lock;

    assert_int_equal(directory_lock(fixture->directory, true, &lock, &why), error);
    assert_non_null(why);
    if (!strstr(why, words) || !strstr(why, fixture->directory))
        fail_msg("\"%s\" does not say \"%s\" of %s", why, words, fixture->directory);
    free(why);
}

static void test_second_daemon_is_refused_with_the_pid_of_the_first(void **state)
{
    struct store_fixture *fixture = *state;
    int lock = lock_directory(fixture);
    char pid[32];

    snprintf(pid, sizeof(pid), "process %d", getpid());
    assert_not_locked(fixture, -EBUSY, pid);
    close(lock);
}

static void test_missing_parent_is_refused(void **state)
{
    struct store_fixture *fixture = *state;
    char directory[sizeof(fixture->directory)];

    memcpy(directory, fixture->directory, sizeof(directory));
    strcat(fixture->directory, "/a/b");
    assert_not_locked(fixture, -ENOENT, "make its parent");
    memcpy(fixture->directory, directory, sizeof(directory));
}

static void test_directory_that_others_may_write_to_is_refused(void **state)
{
    struct store_fixture *fixture = *state;

    assert_int_equal(chmod(fixture->directory, 0720), 0);
    assert_not_locked(fixture, -EACCES, "chmod go-w");
    assert_int_equal(chmod(fixture->directory, 0702), 0);
    assert_not_locked(fixture, -EACCES, fixture->directory);
    assert_int_equal(chmod(fixture->directory, 0755), 0);
}

/* In a child that is not root: root may write anywhere. */
static void test_directory_without_write_permission_is_refused(void **state)
{
    struct store_fixture *fixture = *state;
    int status = 0;

    assert_int_equal(chmod(fixture->directory, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        char *why = NULL;
        int lock;
        if (getuid() == 0 && setuid(65534) < 0)
            _exit(2);
        int r = directory_lock(fixture->directory, true, &lock, &why);
        _exit(r == -EACCES && why && strstr(why, "cannot write to the state directory") ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(fixture->directory, 0755), 0);
}

/* In a child: takes the lock and dies; a child of its own has the lock until it hears from `release`. */
static void lock_and_die(const char *directory, int release)
{
    char *why = NULL, byte;
    int lock;

    if (directory_lock(directory, true, &lock, &why) < 0)
        _exit(EXIT_FAILURE);
    if (fork() == 0)
        _exit(read(release, &byte, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
    _exit(EXIT_SUCCESS);
}

static void test_a_lock_that_a_dead_daemon_left_to_a_child_is_waited_for(void **state)
{
    struct store_fixture *fixture = *state;
    int release[2], status;

    assert_int_equal(pipe2(release, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0)
        lock_and_die(fixture->directory, release[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(write(release[1], "x", 1), 1);
    close(lock_directory(fixture));
    close(release[0]);
    close(release[1]);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fresh_directory_is_synced_in_its_parent),
        TEST(test_second_daemon_is_refused_with_the_pid_of_the_first),
        TEST(test_missing_parent_is_refused),
        TEST(test_directory_that_others_may_write_to_is_refused),
        TEST(test_directory_without_write_permission_is_refused),
        TEST(test_a_lock_that_a_dead_daemon_left_to_a_child_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
