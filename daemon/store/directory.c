/* The state directory: lock and ballast. */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "fd.h"
#include "why.h"

enum { LOCK_LOOKS = 200, LOCK_LOOK_NS = 10000000 };

static int open_in(const char *directory, const char *name, int flags)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}

static int holder(int fd)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    return n > 0 ? atoi(text) : 0;
}

static int write_pid(int fd)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%d\n", getpid());

    if (ftruncate(fd, 0) < 0)
        return -errno;
    ssize_t written = pwrite(fd, text, (size_t)n, 0);
    return written < 0 && errno != ENOSPC && errno != EDQUOT ? -errno : 0; /* the lock holds without it */
}

/* Whoever can write there could replace the database, or the copies of plugins that the daemon runs. */
static int check_owner(const char *path, const struct stat *st, char **why)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return why_set(why, -EACCES,
                       "the state directory %s belongs to user %u, not to user %u, who runs the daemon, or "
                       "root: chown it, or name another directory",
                       path, st->st_uid, geteuid());
    if (st->st_mode & 022)
        return why_set(why, -EACCES,
                       "others may write to the state directory %s, its mode is %o: chmod go-w %s", path,
                       st->st_mode & 07777, path);
    return 0;
}

/* After a power cut a fresh directory is there only if its parent has it. Who may not read the parent cannot do anything. */
static int sync_parent(const char *path, char **why)
{
    _cleanup_(cleanup_close) int fd = -1;
    char parent[PATH_MAX];

    if (snprintf(parent, sizeof(parent), "%s/..", path) < (int)sizeof(parent))
        fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    else
        errno = ENAMETOOLONG;
    if (fd < 0 && errno == EACCES)
        return 0;
    if (fd < 0 || fsync(fd) < 0)
        return why_set(why, -errno, "cannot sync the directory above the state directory %s: %s", path,
                       strerror(errno));
    return 0;
}

static int check_directory(const char *path, bool create, char **why)
{
    struct stat st;

    if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
        return why_set(why, -errno,
                       "cannot make the state directory %s: %s; make its parent, or name another directory",
                       path, strerror(errno));
    if (stat(path, &st) < 0)
        return why_set(why, -errno, "cannot use the state directory %s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return why_set(why, -ENOTDIR, "the state directory %s is not a directory; name another one", path);
    if (!create) /* root may look through anybody's */
        return 0;
    int r = check_owner(path, &st, why);
    return r < 0 ? r : sync_parent(path, why);
}

/*
 * A daemon that was killed while it started a host leaves the lock to that child until it has become another program: so
 * while the process that took the lock is no more, this waits a little for it.
 */
static int take_lock(int fd)
{
    static const struct timespec nap = {.tv_nsec = LOCK_LOOK_NS};

    for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
        int error = errno, pid = holder(fd);

        if (error != EWOULDBLOCK)
            return -error;
        if (i == LOCK_LOOKS || pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH)
            return -EBUSY;
        nanosleep(&nap, NULL);
    }
    return 0;
}

int directory_lock(const char *path, bool create, int *lock, char **why)
{
    int r = check_directory(path, create, why);

    if (r < 0)
        return r;
    _cleanup_(cleanup_close) int fd = open_in(path, "lock", O_RDWR | O_CREAT);
    if (fd < 0)
        return why_set(why, fd,
                       "cannot write to the state directory %s: %s; give it to the user of the daemon", path,
                       strerror(-fd));
    r = take_lock(fd);
    if (r == -EBUSY)
        return why_set(
            why, r,
            "the state directory %s is in use by process %d; stop that one, or name another directory", path,
            holder(fd));
    if (r < 0)
        return why_set(why, r, "cannot lock %s/lock: %s", path, strerror(-r));
    r = write_pid(fd);
    if (r < 0)
        return why_set(why, r, "cannot write %s/lock: %s", path, strerror(-r));
    *lock = fd;
    fd = -1;
    return 0;
}

int ballast_take(const char *directory)
{
    _cleanup_(cleanup_close) int fd = open_in(directory, "ballast", O_RDWR | O_CREAT);

    if (fd < 0)
        return fd == -EDQUOT ? -ENOSPC : fd;
    int error = posix_fallocate(fd, 0, BALLAST_BYTES);
    if (error == 0)
        return 0;
    if (ftruncate(fd, 0) < 0)
        return -errno;
    return error == EDQUOT || error == EFBIG ? -ENOSPC : -error;
}

int ballast_release(const char *directory)
{
    _cleanup_(cleanup_close) int fd = open_in(directory, "ballast", O_RDWR);

    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    return ftruncate(fd, 0) < 0 ? -errno : 0;
}
