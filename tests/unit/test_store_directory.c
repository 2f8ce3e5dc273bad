/* What is synced when a state directory is made: fsync of libc is replaced. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "directory.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_fresh_directory_is_synced_in_its_parent)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
