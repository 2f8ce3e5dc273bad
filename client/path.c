/*
 * Most callers name their plugin by its real path already, again and again: one call of the kernel says so, where realpath
 * makes one for each folder on the way.
 */
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Absolute, and each of its words names something below the one before. */
static bool only_descends(const char *path)
{
    do {
        size_t size = *path == '/' ? strcspn(path + 1, "/") : 0;
        if (size == 0 || (size <= 2 && !memcmp(path + 1, "..", size)))
            return false;
        path += 1 + size;
    } while (*path);
    return true;
}

/* Whether it leads to something without passing over a symbolic link. A kernel that cannot tell is asked once. */
static bool passes_no_link(const char *path)
{
    static atomic_bool unknown;
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
    int fd = atomic_load(&unknown) ? -1 : (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);

    if (fd >= 0)
        close(fd);
    else if (errno == ENOSYS)
        atomic_store(&unknown, true);
    return fd >= 0;
}

const char *path_real(const char *path, char room[PATH_MAX])
{
    return only_descends(path) && passes_no_link(path) ? path : realpath(path, room);
}
